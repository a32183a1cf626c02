//! `granted`: what the vendor said that an instance's credential holds.

use super::instance;
use crate::{InstanceId, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// What the vendor said that a credential holds, when it was last signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedScopes {
    /// How it tells; empty where it does not.
    pub told_by: String,
    /// Scopes and roles as the vendor writes them.
    pub scopes: Vec<String>,
    /// When that was.
    pub at: Timestamp,
}

pub(crate) fn get(connection: &Connection, instance: InstanceId) -> Result<Option<GrantedScopes>, StoreError> {
    let found: Option<(String, String, i64)> = connection
        .prepare_cached("SELECT told_by, scopes, at FROM granted WHERE instance = ?1")?
        .query_row([instance::number(connection, instance)?], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((told_by, scopes, at)) = found else { return Ok(None) };
    Ok(Some(GrantedScopes { told_by, scopes: column::read_json(&scopes, "granted")?, at: column::read_time(at)? }))
}

pub(crate) fn set(connection: &Connection, instance: InstanceId, granted: &GrantedScopes) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO granted (instance, told_by, scopes, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (instance) DO UPDATE SET told_by = excluded.told_by, scopes = excluded.scopes, at = excluded.at",
        params![instance::number(connection, instance)?, granted.told_by, column::json(&granted.scopes)?, column::time(granted.at)],
    )?;
    Ok(())
}
