//! `row`: which rows each scan holds of each dataset; what they say lies in `evidence`.

use crate::{EvidenceHash, RequestId};
use catalog::{Row, RowKey};
use jiff::Timestamp;

/// One page of a dataset.
#[derive(Debug, Clone, Copy)]
pub struct PageWrite<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// The parent for which it was read; the empty key when the dataset is read once.
    pub parent: &'a RowKey,
    /// The page's number, from 0. A page that is written again replaces what was there.
    pub index: u32,
    /// Its rows.
    pub rows: &'a [Row],
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<&'a str>,
    /// The request that gave it.
    pub request: Option<RequestId>,
    /// When it was received.
    pub collected_at: Timestamp,
}

/// A row with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    /// The dataset.
    pub dataset: String,
    /// The row as it was kept.
    pub row: Row,
    /// SHA-256 of its canonical text.
    pub hash: EvidenceHash,
    /// When it was received.
    pub collected_at: Timestamp,
    /// The request that gave it.
    pub request: Option<crate::Request>,
}
