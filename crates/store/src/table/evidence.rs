//! `evidence`: what rows say, stored once per content, compressed.

use crate::{EvidenceHash, StoreError, canonical_row};
use catalog::Row;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::Value;

/// Fast, and small texts gain little from more.
const LEVEL: i32 = 3;

/// Largest content that is unpacked: a row is a part of an answer, and answers are limited to less.
const LARGEST: usize = 256 * 1024 * 1024;

/// Gives the number of a row's content, and stores it when it is new. It counts no reference: that is done where rows are
/// added.
pub(crate) fn intern(connection: &Connection, row: &Row) -> Result<i64, StoreError> {
    let text = canonical_row(row);
    let hash = EvidenceHash::of_text(text.as_bytes());
    let known = connection
        .prepare_cached("SELECT id FROM evidence WHERE hash = ?1")?
        .query_row([hash.0.as_slice()], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let content = zstd::bulk::compress(text.as_bytes(), LEVEL)?;
    connection.prepare_cached("INSERT INTO evidence (hash, content) VALUES (?1, ?2)")?.execute(params![hash.0.as_slice(), content])?;
    Ok(connection.last_insert_rowid())
}

#[derive(Deserialize)]
struct Content {
    faults: Vec<(String, String)>,
    fields: Value,
}

/// What a row says.
pub(crate) fn unpack(content: &[u8]) -> Result<(Value, Vec<(String, String)>), StoreError> {
    let text = zstd::stream::decode_all(content).map_err(|_| StoreError::Damaged)?;
    if text.len() > LARGEST {
        return Err(StoreError::Damaged);
    }
    // Rows may be as deep as answers, which connectors limit; the default limit of the reader is lower than theirs.
    let content: Content = serde_json::from_slice(&text).map_err(|_| StoreError::Unreadable { what: "row" })?;
    Ok((content.fields, content.faults))
}

pub(crate) fn read_hash(bytes: &[u8]) -> Result<EvidenceHash, StoreError> {
    bytes.try_into().map(EvidenceHash).map_err(|_| StoreError::Damaged)
}

pub(crate) fn count(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("SELECT count(*) FROM evidence", [], |row| row.get(0))?)
}
