//! `schedule`: when instances are scanned by themselves, and up to when that was done.

use super::instance;
use crate::{InstanceId, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// When an instance is scanned by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The caller's own words; `None` follows the caller's default.
    pub pattern: Option<String>,
    /// Due times up to here are served or do not count.
    pub served_through: Timestamp,
}

/// Of every instance; one that never had a schedule of its own follows the default since it was added.
pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<InstanceId, Schedule>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, pattern, coalesce(served_through, created_at) FROM instance LEFT JOIN schedule ON schedule.instance = instance.no",
    )?;
    let found = statement.query_and_then([], |row| {
        let id: String = row.get(0)?;
        let schedule = Schedule { pattern: row.get(1)?, served_through: column::read_time(row.get(2)?)? };
        Ok((instance::read_id(&id)?, schedule))
    })?;
    found.collect()
}

/// Sets the pattern. Due times before now do not count: nobody waits for them.
pub(crate) fn set(connection: &Connection, instance: InstanceId, pattern: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO schedule (instance, pattern, served_through) VALUES (?1, ?2, ?3)
         ON CONFLICT (instance) DO UPDATE SET pattern = excluded.pattern, served_through = excluded.served_through",
        params![instance::number(connection, instance)?, pattern, column::time(now)],
    )?;
    Ok(())
}

/// Moves the mark from where the caller saw it; says whether it still was there.
pub(crate) fn serve(connection: &Connection, instance: InstanceId, seen: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let number = instance::number(connection, instance)?;
    connection.execute(
        "INSERT INTO schedule (instance, served_through) SELECT no, created_at FROM instance WHERE no = ?1
         ON CONFLICT (instance) DO NOTHING",
        [number],
    )?;
    let moved = connection.execute(
        "UPDATE schedule SET served_through = ?3 WHERE instance = ?1 AND served_through = ?2",
        params![number, column::time(seen), column::time(now)],
    )?;
    Ok(moved == 1)
}
