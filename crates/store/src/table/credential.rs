//! `credential`: when the credentials of instances end, who says so, and what the administrator was told of it.

use super::instance;
use crate::{InstanceId, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;

/// What is known of the end of an instance's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential {
    /// The last time that signing in worked.
    pub used_at: Timestamp,
    /// When it ends and who says so; `None` where nobody does.
    pub end: Option<CredentialEnd>,
    /// The fewest days before that end at which the administrator was told; `None` before the first.
    pub told_days: Option<u32>,
    /// When it was last tried to use it so that it does not end unused; `None` when that was never needed since the last use.
    pub tried_at: Option<Timestamp>,
}

/// The end of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialEnd {
    /// When.
    pub at: Timestamp,
    /// Who says so.
    pub by: EndsBy,
}

/// Who says when a credential ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndsBy {
    /// The vendor.
    Vendor,
    /// The certificate itself.
    Certificate,
    /// Nobody: it ends then unless it is used before.
    Unused,
}

impl EndsBy {
    fn word(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Certificate => "certificate",
            Self::Unused => "unused",
        }
    }

    fn read(word: &str) -> Result<Option<Self>, StoreError> {
        match word {
            "" => Ok(None),
            "vendor" => Ok(Some(Self::Vendor)),
            "certificate" => Ok(Some(Self::Certificate)),
            "unused" => Ok(Some(Self::Unused)),
            _ => Err(StoreError::Unreadable { what: "credential" }),
        }
    }
}

const COLUMNS: &str = "used_at, ends_at, ends_by, told_days, tried_at";

/// The columns from this one on.
fn read(row: &Row<'_>, first: usize) -> Result<Credential, StoreError> {
    let by: String = row.get(first + 2)?;
    let at = column::read_time_if(row.get(first + 1)?)?;
    Ok(Credential {
        used_at: column::read_time(row.get(first)?)?,
        end: at.zip(EndsBy::read(&by)?).map(|(at, by)| CredentialEnd { at, by }),
        told_days: row.get(first + 3)?,
        tried_at: column::read_time_if(row.get(first + 4)?)?,
    })
}

pub(crate) fn get(connection: &Connection, instance: InstanceId) -> Result<Option<Credential>, StoreError> {
    let number = instance::number(connection, instance)?;
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM credential WHERE instance = ?1"))?;
    let mut rows = statement.query([number])?;
    rows.next()?.map(|row| read(row, 0)).transpose()
}

/// Of every instance that has signed in.
pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<InstanceId, Credential>, StoreError> {
    let sql = format!("SELECT id, {COLUMNS} FROM credential JOIN instance ON instance.no = credential.instance");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_and_then([], |row| {
        let id: String = row.get(0)?;
        Ok((instance::read_id(&id)?, read(row, 1)?))
    })?;
    found.collect()
}

/// Notes that signing in worked. What was told of the same end stays told; of another end nothing was.
pub(crate) fn use_now(
    connection: &Connection,
    instance: InstanceId,
    used_at: Timestamp,
    end: Option<CredentialEnd>,
    anew: bool,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO credential (instance, used_at, ends_at, ends_by) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (instance) DO UPDATE SET
            told_days = CASE WHEN NOT ?5 AND ends_at IS excluded.ends_at AND ends_by = excluded.ends_by THEN told_days END,
            tried_at = NULL, used_at = excluded.used_at, ends_at = excluded.ends_at, ends_by = excluded.ends_by",
        params![
            instance::number(connection, instance)?,
            column::time(used_at),
            end.map(|end| column::time(end.at)),
            end.map_or("", |end| end.by.word()),
            anew
        ],
    )?;
    Ok(())
}

/// Moves what was told of an end, from where the caller saw it; says whether it still was there.
pub(crate) fn tell(connection: &Connection, instance: InstanceId, seen: &Credential, told_days: Option<u32>) -> Result<bool, StoreError> {
    let told = connection.execute(
        "UPDATE credential SET told_days = ?4 WHERE instance = ?1 AND ends_at IS ?2 AND told_days IS ?3",
        params![instance::number(connection, instance)?, seen.end.map(|end| column::time(end.at)), seen.told_days, told_days],
    )?;
    Ok(told == 1)
}

/// Marks that it is tried to use a credential; says whether nobody else has done so, or used it, since the caller looked.
pub(crate) fn attempt(
    connection: &Connection,
    instance: InstanceId,
    seen: Option<&Credential>,
    used_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let number = instance::number(connection, instance)?;
    let Some(seen) = seen else {
        let inserted = connection.execute(
            "INSERT INTO credential (instance, used_at, tried_at) VALUES (?1, ?2, ?3) ON CONFLICT (instance) DO NOTHING",
            params![number, column::time(used_at), column::time(now)],
        )?;
        return Ok(inserted == 1);
    };
    let marked = connection.execute(
        "UPDATE credential SET tried_at = ?4 WHERE instance = ?1 AND used_at = ?2 AND tried_at IS ?3",
        params![number, column::time(seen.used_at), seen.tried_at.map(column::time), column::time(now)],
    )?;
    Ok(marked == 1)
}
