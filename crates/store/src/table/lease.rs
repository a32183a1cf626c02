//! `lease`: what a process that scans an instance tells the others. Who may scan is the locked file's to say.

use super::instance;
use crate::{InstanceId, StoreError, column};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

/// A process whose last word is older than this has ended without a word.
const SILENT: SignedDuration = SignedDuration::from_secs(20);

/// How far a process has come with an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Underway {
    /// The instance.
    pub instance: InstanceId,
    /// Who runs that process.
    pub owner: String,
    /// Its number.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
    /// When it last said so.
    pub heartbeat: Timestamp,
    /// 0 to 1.
    pub done: f64,
    /// The host it talks to.
    pub host: String,
}

pub(crate) fn tell(connection: &Connection, underway: &Underway) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO lease (instance, owner, pid, since, heartbeat, done, host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (instance) DO UPDATE SET owner = excluded.owner, pid = excluded.pid, since = excluded.since,
            heartbeat = excluded.heartbeat, done = excluded.done, host = excluded.host",
        params![
            instance::number(connection, underway.instance)?,
            underway.owner,
            underway.pid,
            column::time(underway.since),
            column::time(underway.heartbeat),
            underway.done,
            underway.host,
        ],
    )?;
    Ok(())
}

/// The instance may be gone by then, and the row with it.
pub(crate) fn end(connection: &Connection, instance: InstanceId, pid: u32) -> Result<(), StoreError> {
    connection.execute(
        "DELETE FROM lease WHERE pid = ?2 AND instance IN (SELECT no FROM instance WHERE id = ?1)",
        params![instance.to_string(), pid],
    )?;
    Ok(())
}

/// Those of other processes that were heard of lately. A clock that was set back makes none of them older.
pub(crate) fn of_others(connection: &Connection, pid: u32, now: Timestamp) -> Result<Vec<Underway>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, lease.owner, pid, since, heartbeat, done, host FROM lease JOIN instance ON no = lease.instance
         WHERE pid <> ?1 AND abs(heartbeat - ?2) <= ?3 ORDER BY since, id",
    )?;
    let silent = i64::try_from(SILENT.as_millis()).unwrap_or(i64::MAX);
    let found = statement.query_and_then(params![pid, column::time(now), silent], |row| {
        let id: String = row.get(0)?;
        Ok(Underway {
            instance: instance::read_id(&id)?,
            owner: row.get(1)?,
            pid: row.get(2)?,
            since: column::read_time(row.get(3)?)?,
            heartbeat: column::read_time(row.get(4)?)?,
            done: row.get(5)?,
            host: row.get(6)?,
        })
    })?;
    found.collect()
}
