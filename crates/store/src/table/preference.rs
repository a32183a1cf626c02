//! `preference`: small choices of the window, by key, as JSON.

use crate::{StoreError, column};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<String, Value>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT key, value FROM preference")?;
    let rows = statement.query_and_then([], |row| {
        let text: String = row.get(1)?;
        Ok((row.get(0)?, column::read_json(&text, "preference")?))
    })?;
    rows.collect()
}

pub(crate) fn get(connection: &Connection, key: &str) -> Result<Option<Value>, StoreError> {
    let text: Option<String> =
        connection.prepare_cached("SELECT value FROM preference WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?;
    column::read_json_if(text, "preference")
}

pub(crate) fn set(connection: &Connection, key: &str, value: &Value) -> Result<(), StoreError> {
    if value.is_null() {
        connection.execute("DELETE FROM preference WHERE key = ?1", [key])?;
    } else {
        connection.execute(
            "INSERT INTO preference (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, column::json(value)?],
        )?;
    }
    Ok(())
}
