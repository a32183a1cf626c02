//! `scan_dataset` and `scan_parent`: how far the reading of each dataset of a scan has come, and what is still queued.

use crate::{StoreError, column};
use catalog::{Cause, Completeness, RowKey};
use rusqlite::{Connection, params};

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
    pub cause: Option<Cause>,
}

/// Names a dataset of a scan; does nothing when it is named already.
pub(crate) fn declare(connection: &Connection, scan: i64, dataset: &str) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT OR IGNORE INTO scan_dataset (scan, dataset) VALUES (?1, ?2)")?.execute(params![scan, dataset])?;
    Ok(())
}

pub(crate) fn finish(connection: &Connection, scan: i64, dataset: &str, completeness: &Completeness) -> Result<(), StoreError> {
    declare(connection, scan, dataset)?;
    connection.prepare_cached("UPDATE scan_dataset SET completeness = ?3 WHERE scan = ?1 AND dataset = ?2")?.execute(params![
        scan,
        dataset,
        column::json(completeness)?
    ])?;
    Ok(())
}

/// Forgets what was read of a dataset, as if nobody had asked for it yet.
pub(crate) fn begin_anew(connection: &Connection, scan: i64, dataset: &str) -> Result<(), StoreError> {
    for table in ["scan_row", "scan_parent"] {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE scan = ?1 AND dataset = ?2"))?.execute(params![scan, dataset])?;
    }
    connection
        .prepare_cached("UPDATE scan_dataset SET completeness = NULL, rows = 0 WHERE scan = ?1 AND dataset = ?2")?
        .execute(params![scan, dataset])?;
    Ok(())
}

/// Counts rows in or out.
pub(crate) fn count_rows(connection: &Connection, scan: i64, dataset: &str, change: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE scan_dataset SET rows = rows + ?3 WHERE scan = ?1 AND dataset = ?2")?
        .execute(params![scan, dataset, change])?;
    Ok(())
}

pub(crate) fn all(connection: &Connection, scan: i64) -> Result<Vec<DatasetState>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT dataset, completeness, rows FROM scan_dataset WHERE scan = ?1 ORDER BY dataset")?;
    let states = statement.query_and_then([scan], |row| {
        Ok(DatasetState {
            dataset: row.get(0)?,
            completeness: column::read_json_if(row.get(1)?, "dataset")?,
            rows: column::count(row.get(2)?),
        })
    })?;
    states.collect()
}

pub(crate) fn queue(connection: &Connection, scan: i64, dataset: &str, parents: &[QueuedParent]) -> Result<(), StoreError> {
    declare(connection, scan, dataset)?;
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO scan_parent (scan, dataset, parent, carry) VALUES (?1, ?2, ?3, ?4)")?;
    for parent in parents {
        statement.execute(params![scan, dataset, parent.key.0, column::json(&parent.carry)?])?;
    }
    Ok(())
}

/// Makes sure that there is a line for a parent, and gives how many of its pages are stored.
pub(crate) fn pages(connection: &Connection, scan: i64, dataset: &str, parent: &str) -> Result<u32, StoreError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO scan_parent (scan, dataset, parent, carry) VALUES (?1, ?2, ?3, 'null')")?
        .execute(params![scan, dataset, parent])?;
    Ok(connection
        .prepare_cached("SELECT pages FROM scan_parent WHERE scan = ?1 AND dataset = ?2 AND parent = ?3")?
        .query_row(params![scan, dataset, parent], |row| row.get(0))?)
}

/// Notes that pages up to `pages` are stored and where the next one begins.
pub(crate) fn advance(
    connection: &Connection,
    scan: i64,
    dataset: &str,
    parent: &str,
    pages: u32,
    next: Option<&str>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE scan_parent SET pages = ?4, next = ?5, done = ?5 IS NULL, cause = NULL WHERE scan = ?1 AND dataset = ?2 AND parent = ?3")?
        .execute(params![scan, dataset, parent, pages, next])?;
    Ok(())
}

pub(crate) fn finish_parent(
    connection: &Connection,
    scan: i64,
    dataset: &str,
    parent: &str,
    cause: Option<&Cause>,
) -> Result<(), StoreError> {
    declare(connection, scan, dataset)?;
    pages(connection, scan, dataset, parent)?;
    connection
        .prepare_cached("UPDATE scan_parent SET done = 1, next = NULL, cause = ?4 WHERE scan = ?1 AND dataset = ?2 AND parent = ?3")?
        .execute(params![scan, dataset, parent, cause.map(column::json).transpose()?])?;
    Ok(())
}

pub(crate) fn parents(connection: &Connection, scan: i64) -> Result<Vec<ParentState>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT dataset, parent, carry, pages, next, done, cause FROM scan_parent WHERE scan = ?1 ORDER BY id")?;
    let states = statement.query_and_then([scan], |row| {
        let carry: String = row.get(2)?;
        Ok(ParentState {
            dataset: row.get(0)?,
            parent: RowKey(row.get(1)?),
            carry: column::read_json(&carry, "queue")?,
            pages: row.get(3)?,
            next: row.get(4)?,
            done: row.get(5)?,
            cause: column::read_json_if(row.get(6)?, "queue")?,
        })
    })?;
    states.collect()
}

/// Forgets the queue of a scan that needs it no more, and with it the vendor's continuations.
pub(crate) fn forget_queue(connection: &Connection, scan: i64) -> Result<(), StoreError> {
    connection.execute("DELETE FROM scan_parent WHERE scan = ?1", [scan])?;
    Ok(())
}
