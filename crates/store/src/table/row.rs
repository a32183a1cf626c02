//! `row`: which rows each scan holds of each dataset; what they say lies in `evidence`.

use super::{dataset, evidence, request};
use crate::{EvidenceHash, RequestId, Slice, StoreError, column};
use catalog::{Cause, CauseKind, Collected, Completeness, Row, RowKey};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

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

/// Stores a page in place of what is stored of its list from that page on: a list that was cut is read again from its first
/// page, and rows of the earlier reading would hide those that have moved between pages since.
pub(crate) fn write_page(connection: &Connection, scan: i64, page: &PageWrite<'_>) -> Result<(), StoreError> {
    dataset::declare(connection, scan, page.dataset)?;
    let parent = &page.parent.0;
    let pages = dataset::pages(connection, scan, page.dataset, parent)?;
    let mut removed = 0;
    if page.index < pages {
        removed = connection
            .prepare_cached("DELETE FROM scan_row WHERE scan = ?1 AND dataset = ?2 AND parent = ?3 AND page >= ?4")?
            .execute(params![scan, page.dataset, parent, page.index])?;
    }
    let mut added = 0;
    let mut insert = connection.prepare_cached(
        "INSERT INTO scan_row (scan, dataset, parent, page, key, label, evidence, request, collected_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
         WHERE NOT EXISTS (SELECT 1 FROM scan_row WHERE scan = ?1 AND dataset = ?2 AND key = ?5 AND evidence = ?7)",
    )?;
    for row in page.rows {
        // A vendor that repeats a row says nothing new. One that gives two rows of one key is not corrected: both stay, for
        // the one that fails must not be covered by the one that passes.
        let evidence = evidence::intern(connection, row)?;
        added += insert.execute(params![
            scan,
            page.dataset,
            parent,
            page.index,
            row.key.0,
            row.label,
            evidence,
            page.request.map(|request| request.0),
            column::time(page.collected_at),
        ])?;
    }
    dataset::count_rows(connection, scan, page.dataset, added as i64 - removed as i64)?;
    dataset::advance(connection, scan, page.dataset, parent, page.index + 1, page.next)
}

const COLUMNS: &str = "dataset, key, label, hash, content, collected_at, request";

fn read(connection: &Connection, row: &rusqlite::Row<'_>) -> Result<StoredRow, StoreError> {
    let content: Vec<u8> = row.get(4)?;
    let (fields, faults) = evidence::unpack(&content)?;
    let hash: Vec<u8> = row.get(3)?;
    Ok(StoredRow {
        dataset: row.get(0)?,
        row: Row { key: RowKey(row.get(1)?), label: row.get(2)?, fields, faults },
        hash: evidence::read_hash(&hash)?,
        collected_at: column::read_time(row.get(5)?)?,
        request: match row.get(6)? {
            Some(id) => request::get(connection, id)?,
            None => None,
        },
    })
}

pub(crate) fn page(connection: &Connection, scan: i64, dataset: &str, slice: Slice) -> Result<(u64, Vec<StoredRow>), StoreError> {
    let total =
        connection.query_row("SELECT count(*) FROM scan_row WHERE scan = ?1 AND dataset = ?2", params![scan, dataset], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM scan_row JOIN evidence ON evidence.id = scan_row.evidence
         WHERE scan = ?1 AND dataset = ?2 ORDER BY scan_row.id LIMIT ?3 OFFSET ?4"
    ))?;
    let bound = params![scan, dataset, column::number(slice.limit), column::number(slice.offset)];
    let rows = statement.query_and_then(bound, |row| read(connection, row))?.collect::<Result<_, _>>()?;
    Ok((column::count(total), rows))
}

/// The rows of one key; more than one when the vendor gave several.
pub(crate) fn of_key(connection: &Connection, scan: i64, dataset: &str, key: &RowKey) -> Result<Vec<StoredRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM scan_row JOIN evidence ON evidence.id = scan_row.evidence
         WHERE scan = ?1 AND dataset = ?2 AND key = ?3 ORDER BY scan_row.id"
    ))?;
    statement.query_and_then(params![scan, dataset, key.0], |row| read(connection, row))?.collect()
}

/// Everything a scan holds, by dataset.
pub(crate) fn collected(connection: &Connection, scan: i64) -> Result<BTreeMap<String, Collected>, StoreError> {
    let mut collected: BTreeMap<String, Collected> = dataset::all(connection, scan)?
        .into_iter()
        .map(|state| {
            let completeness = state.completeness.unwrap_or_else(|| unfinished(state.rows));
            (state.dataset, Collected { rows: Vec::new(), completeness })
        })
        .collect();
    let mut statement = connection.prepare_cached(
        "SELECT dataset, key, label, content FROM scan_row JOIN evidence ON evidence.id = scan_row.evidence WHERE scan = ?1 ORDER BY scan_row.id",
    )?;
    let mut rows = statement.query([scan])?;
    while let Some(row) = rows.next()? {
        let (fields, faults) = evidence::unpack(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let dataset = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if let Some(held) = collected.get_mut(dataset) {
            held.rows.push(Row { key: RowKey(row.get(1)?), label: row.get(2)?, fields, faults });
        }
    }
    Ok(collected)
}

/// What can be said of a dataset whose reading never came to an end.
pub(crate) fn unfinished(rows: u64) -> Completeness {
    let cause = Cause {
        kind: CauseKind::InputIncomplete,
        sentence: "The scan ended before this was read.".into(),
        remedy: "Resume the scan or start it again.".into(),
    };
    if rows == 0 { Completeness::Unavailable(cause) } else { Completeness::Partial(cause) }
}
