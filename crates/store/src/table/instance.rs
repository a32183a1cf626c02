//! `instance`: the onboarded tenants.

use super::{attestation, evidence, fleet};
use crate::{DeletedInstance, StoreError, column};
use catalog::ParamValue;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};
use uuid::Uuid;

/// What identifies an instance everywhere: in the database, in the vault and on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub Uuid);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for InstanceId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(Self)
    }
}

/// An onboarded tenant. Holds nothing that is secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// What identifies it.
    pub id: InstanceId,
    /// The application's slug.
    pub app: String,
    /// Its name, unique among the application's instances.
    pub name: String,
    /// `Default`, `Production`, …
    pub label: String,
    /// Who answers for it; may be empty.
    pub owner: String,
    /// The login option.
    pub login: String,
    /// The login fields that are not secret, by id.
    pub inputs: BTreeMap<String, String>,
    /// How its requests leave this computer; the caller's own shape, without user information.
    pub route: serde_json::Value,
    /// Thresholds and lists that the administrator set, by check and parameter.
    pub params: BTreeMap<String, BTreeMap<String, ParamValue>>,
    /// Whether it is simulated on this computer.
    pub sandbox: bool,
    /// Of a simulated one, which tenant.
    pub tenant: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, app, name, label, owner, login, inputs, route, params, sandbox, tenant, created_at";

fn read(row: &Row<'_>) -> Result<Instance, StoreError> {
    let text = |index| row.get::<_, String>(index);
    Ok(Instance {
        id: read_id(&text(0)?)?,
        app: text(1)?,
        name: text(2)?,
        label: text(3)?,
        owner: text(4)?,
        login: text(5)?,
        inputs: column::read_json(&text(6)?, "instance")?,
        route: column::read_json(&text(7)?, "instance")?,
        params: column::read_json(&text(8)?, "instance")?,
        sandbox: row.get(9)?,
        tenant: row.get(10)?,
        created_at: column::read_time(row.get(11)?)?,
    })
}

pub(crate) fn read_id(text: &str) -> Result<InstanceId, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable { what: "instance id" })
}

/// The number under which other tables know an instance.
pub(crate) fn number(connection: &Connection, id: InstanceId) -> Result<i64, StoreError> {
    connection
        .prepare_cached("SELECT no FROM instance WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NotFound { what: "instance" })
}

pub(crate) fn insert(connection: &Connection, instance: &Instance) -> Result<(), StoreError> {
    refuse_taken(connection, instance)?;
    connection.execute(
        "INSERT INTO instance (id, app, name, label, owner, login, inputs, route, params, sandbox, tenant, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            instance.id.to_string(),
            instance.app,
            instance.name,
            instance.label,
            instance.owner,
            instance.login,
            column::json(&instance.inputs)?,
            column::json(&instance.route)?,
            column::json(&instance.params)?,
            instance.sandbox,
            instance.tenant,
            column::time(instance.created_at),
        ],
    )?;
    Ok(())
}

pub(crate) fn update(connection: &Connection, instance: &Instance) -> Result<(), StoreError> {
    let number = number(connection, instance.id)?;
    refuse_taken(connection, instance)?;
    connection.execute(
        "UPDATE instance SET name = ?2, label = ?3, owner = ?4, login = ?5, inputs = ?6, route = ?7, params = ?8 WHERE no = ?1",
        params![
            number,
            instance.name,
            instance.label,
            instance.owner,
            instance.login,
            column::json(&instance.inputs)?,
            column::json(&instance.route)?,
            column::json(&instance.params)?,
        ],
    )?;
    Ok(())
}

fn refuse_taken(connection: &Connection, instance: &Instance) -> Result<(), StoreError> {
    let taken: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM instance WHERE app = ?1 AND name = ?2 AND id <> ?3)",
        params![instance.app, instance.name, instance.id.to_string()],
        |row| row.get(0),
    )?;
    if taken { Err(StoreError::NameTaken { name: instance.name.clone() }) } else { Ok(()) }
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<Instance>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM instance ORDER BY app, name"))?;
    statement.query_and_then([], read)?.collect()
}

pub(crate) fn get(connection: &Connection, id: InstanceId) -> Result<Instance, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM instance WHERE id = ?1"))?;
    let mut found = statement.query_and_then([id.to_string()], read)?;
    found.next().ok_or(StoreError::NotFound { what: "instance" })?
}

/// Removes an instance and everything that hangs on it.
pub(crate) fn delete(connection: &Connection, id: InstanceId) -> Result<DeletedInstance, StoreError> {
    let number = number(connection, id)?;
    let evidence = evidence::count(connection)?;
    // Their files and withdrawals go with them, by the keys of their tables.
    let attestations = attestation::count(connection, number)?;
    let delete = |sql: &str| connection.execute(sql, [number]);
    let rows = delete("DELETE FROM scan_row WHERE scan IN (SELECT id FROM scan WHERE instance = ?1)")?;
    let requests = delete("DELETE FROM request WHERE instance = ?1")?;
    let findings = delete("DELETE FROM finding WHERE instance = ?1")?;
    let scans = delete("DELETE FROM scan WHERE instance = ?1")?;
    fleet::forget(connection, id)?;
    delete("DELETE FROM instance WHERE no = ?1")?;
    Ok(DeletedInstance {
        scans: scans as u64,
        rows: rows as u64,
        findings: findings as u64,
        evidence: column::count(evidence - evidence::count(connection)?),
        requests: requests as u64,
        attestations,
    })
}
