//! `turn`: each time the health of an instance became another.

use super::instance;
use crate::{InstanceId, StoreError, column};
use catalog::Cause;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The health of an instance became another.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What identifies it; later turns have larger ones, also after some were deleted with their instance.
    pub id: i64,
    /// The instance.
    pub instance: InstanceId,
    /// When.
    pub at: Timestamp,
    /// What it was, in the caller's words; empty before the first.
    pub before: String,
    /// What it is.
    pub after: String,
    /// Why.
    pub cause: Option<Cause>,
}

fn read(row: &Row<'_>) -> Result<Turn, StoreError> {
    let id: String = row.get(0)?;
    Ok(Turn {
        instance: instance::read_id(&id)?,
        at: column::read_time(row.get(1)?)?,
        before: row.get(2)?,
        after: row.get(3)?,
        cause: column::read_json_if(row.get(4)?, "turn")?,
        id: row.get(5)?,
    })
}

/// Notes what the health is, and answers the turn when it was another before.
pub(crate) fn note(
    connection: &Connection,
    instance: InstanceId,
    after: &str,
    cause: Option<&Cause>,
    at: Timestamp,
) -> Result<Option<Turn>, StoreError> {
    let number = instance::number(connection, instance)?;
    let before: Option<String> = connection
        .prepare_cached("SELECT after FROM turn WHERE instance = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    if before.as_deref() == Some(after) {
        return Ok(None);
    }
    let before = before.unwrap_or_default();
    connection.execute(
        "INSERT INTO turn (instance, at, before, after, cause) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![number, column::time(at), before, after, cause.map(column::json).transpose()?],
    )?;
    let id = connection.last_insert_rowid();
    Ok(Some(Turn { id, instance, at, before, after: after.to_owned(), cause: cause.cloned() }))
}

/// All since then, oldest first, of one instance or of all.
pub(crate) fn since(connection: &Connection, instance: Option<InstanceId>, after: Timestamp) -> Result<Vec<Turn>, StoreError> {
    let number = instance.map(|id| instance::number(connection, id)).transpose()?;
    let mut statement = connection.prepare_cached(
        "SELECT id_of.id, at, before, after, cause, turn.id FROM turn JOIN instance AS id_of ON id_of.no = turn.instance
         WHERE at > ?1 AND (?2 IS NULL OR turn.instance = ?2) ORDER BY at, turn.id",
    )?;
    let found = statement.query_and_then(params![column::time(after), number], read)?;
    found.collect()
}

/// The newest one's id; 0 when there is none.
pub(crate) fn newest(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("SELECT coalesce(max(id), 0) FROM turn", [], |row| row.get(0))?)
}

/// All with a larger id, oldest first.
pub(crate) fn later(connection: &Connection, id: i64) -> Result<Vec<Turn>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id_of.id, at, before, after, cause, turn.id FROM turn JOIN instance AS id_of ON id_of.no = turn.instance
         WHERE turn.id > ?1 ORDER BY turn.id",
    )?;
    let found = statement.query_and_then([id], read)?;
    found.collect()
}
