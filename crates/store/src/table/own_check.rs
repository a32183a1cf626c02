//! `own_check`: manual checks that an administrator wrote for one instance. Every version stays; the last one counts.

use super::{attestation, instance};
use crate::{InstanceId, StoreError, column};
use catalog::Severity;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// A version of an own check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCheck {
    /// Stays the same over all versions; unique in its instance.
    pub id: String,
    /// The practice as a statement that is true when it is met.
    pub title: String,
    /// How bad it is when it is not met.
    pub severity: Severity,
    /// Why it matters.
    pub why: String,
    /// How to look.
    pub steps: Vec<String>,
    /// What it should be.
    pub recommended: String,
}

/// A version of an own check with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCheckVersion {
    /// What it was from then on.
    pub check: OwnCheck,
    /// When it was written.
    pub at: Timestamp,
    /// By whom: the operating system's user.
    pub who: String,
    /// Whether that removed it.
    pub removed: bool,
}

const COLUMNS: &str = "check_id, title, severity, why, steps, recommended, at, who, removed";

fn read(row: &Row<'_>) -> Result<OwnCheckVersion, StoreError> {
    let text = |index| row.get::<_, String>(index);
    Ok(OwnCheckVersion {
        check: OwnCheck {
            id: text(0)?,
            title: text(1)?,
            severity: column::read_severity(row.get(2)?)?,
            why: text(3)?,
            steps: column::read_json(&text(4)?, "check")?,
            recommended: text(5)?,
        },
        at: column::read_time(row.get(6)?)?,
        who: text(7)?,
        removed: row.get(8)?,
    })
}

/// Adds a version. The open finding of the check, if there is one, is called by its new title.
pub(crate) fn save(
    connection: &Connection,
    of: InstanceId,
    check: &OwnCheck,
    finding: &str,
    who: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let instance = instance::number(connection, of)?;
    // Another process may have removed it since it was shown.
    if removed(connection, instance, &check.id)? {
        return Err(StoreError::NotFound { what: "check" });
    }
    insert(connection, instance, check, false, who, now)?;
    connection
        .prepare_cached(
            "UPDATE finding SET title = ?3, severity = ?4, recommended = ?5 WHERE instance = ?1 AND check_id = ?2 AND state = 0",
        )?
        .execute(params![instance, check.id, finding, column::severity(check.severity), check.recommended])?;
    Ok(())
}

/// Removes a check: it is asked no more, its finding is gone, what was attested of it stays.
pub(crate) fn remove(connection: &Connection, of: InstanceId, check: &str, who: &str, now: Timestamp) -> Result<(), StoreError> {
    let instance = instance::number(connection, of)?;
    let last = current(connection, Some(of))?.into_values().flatten().find(|version| version.check.id == check);
    let last = last.ok_or(StoreError::NotFound { what: "check" })?;
    insert(connection, instance, &last.check, true, who, now)?;
    attestation::check_removed(connection, instance, check, now)
}

fn insert(connection: &Connection, instance: i64, check: &OwnCheck, removed: bool, who: &str, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO own_check (instance, check_id, at, who, removed, title, severity, why, steps, recommended)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            instance,
            check.id,
            column::time(now),
            who,
            removed,
            check.title,
            column::severity(check.severity),
            check.why,
            column::json(&check.steps)?,
            check.recommended,
        ])?;
    Ok(())
}

/// The checks that are asked, of one instance or of all, in the order in which they were first written.
pub(crate) fn current(connection: &Connection, of: Option<InstanceId>) -> Result<BTreeMap<InstanceId, Vec<OwnCheckVersion>>, StoreError> {
    let number = of.map(|id| instance::number(connection, id)).transpose()?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, instance.id FROM own_check JOIN instance ON no = own_check.instance
         WHERE (?1 IS NULL OR own_check.instance = ?1) AND removed = 0
            AND NOT EXISTS (SELECT 1 FROM own_check AS later WHERE later.instance = own_check.instance
                AND later.check_id = own_check.check_id AND later.id > own_check.id)
         ORDER BY (SELECT min(id) FROM own_check AS first WHERE first.instance = own_check.instance AND first.check_id = own_check.check_id)"
    ))?;
    let mut current: BTreeMap<InstanceId, Vec<OwnCheckVersion>> = BTreeMap::new();
    let mut rows = statement.query([number])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(9)?;
        current.entry(instance::read_id(&id)?).or_default().push(read(row)?);
    }
    Ok(current)
}

/// Every version of a check, oldest first.
pub(crate) fn history(connection: &Connection, of: InstanceId, check: &str) -> Result<Vec<OwnCheckVersion>, StoreError> {
    let number = instance::number(connection, of)?;
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM own_check WHERE instance = ?1 AND check_id = ?2 ORDER BY id"))?;
    statement.query_and_then(params![number, check], read)?.collect()
}

/// Whether a check of the administrator's own was removed.
pub(crate) fn removed(connection: &Connection, instance: i64, check: &str) -> Result<bool, StoreError> {
    let removed: Option<bool> = connection
        .prepare_cached("SELECT removed FROM own_check WHERE instance = ?1 AND check_id = ?2 ORDER BY id DESC LIMIT 1")?
        .query_row(params![instance, check], |row| row.get(0))
        .optional()?;
    Ok(removed.unwrap_or(false))
}
