//! `activity`: what the administrator and the console did. Rows are only ever added.

use crate::{Slice, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// The operating system's user, or `console` for what happened by itself.
    pub who: String,
    /// What, in a few fixed words: `instance added`.
    pub what: String,
    /// On what; holds no secret.
    pub detail: String,
}

pub(crate) fn insert(connection: &Connection, act: &Act) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT INTO activity (at, who, what, detail) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        column::time(act.at),
        act.who,
        act.what,
        act.detail
    ])?;
    Ok(())
}

pub(crate) fn page(connection: &Connection, slice: Slice) -> Result<(u64, Vec<Act>), StoreError> {
    let total = connection.query_row("SELECT count(*) FROM activity", [], |row| row.get(0))?;
    let mut statement =
        connection.prepare_cached("SELECT at, who, what, detail FROM activity ORDER BY at DESC, id DESC LIMIT ?1 OFFSET ?2")?;
    let acts = statement
        .query_and_then(params![column::number(slice.limit), column::number(slice.offset)], |row| {
            Ok(Act { at: column::read_time(row.get(0)?)?, who: row.get(1)?, what: row.get(2)?, detail: row.get(3)? })
        })?
        .collect::<Result<_, StoreError>>()?;
    Ok((column::count(total), acts))
}
