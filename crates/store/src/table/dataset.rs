//! `scan_dataset` and `scan_parent`: how far the reading of each dataset of a scan has come, and what is still queued.

use catalog::{Completeness, RowKey};

/// How far one dataset of a scan is.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetState {
    /// The dataset.
    pub dataset: String,
    /// How much of it was read; `None` while it is being read.
    pub completeness: Option<Completeness>,
    /// Rows stored so far.
    pub rows: u64,
}

/// A row of another dataset, or an item of a login field, for which a dataset is still to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedParent {
    /// What identifies the parent; becomes the first part of its rows' keys.
    pub key: RowKey,
    /// What the path's placeholders and the rows' `each` need of the parent.
    pub carry: serde_json::Value,
}

/// Where the reading of a dataset stands, for one parent; a dataset that is read once has one with the empty key.
#[derive(Debug, Clone, PartialEq)]
pub struct ParentState {
    /// The dataset.
    pub dataset: String,
    /// The parent's key; empty when the dataset is read once.
    pub parent: RowKey,
    /// As given to [`crate::Store::queue_parents`]; null when the dataset is read once.
    pub carry: serde_json::Value,
    /// How many pages are stored; also the index of the next one.
    pub pages: u32,
    /// Where the next page begins, as the last page told; `None` when nothing was read yet, or everything.
    pub next: Option<String>,
    /// Whether nothing more is to be read.
    pub done: bool,
    /// For a parent that is done but could not be read whole: why.
    pub cause: Option<catalog::Cause>,
}
