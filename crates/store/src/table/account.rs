//! `account_key`, `code_sent`, `refused_secret`: what is remembered of the accounts of users who sign in elsewhere, so that no
//! one-time code is sent twice and no refused secret again.
//!
//! Nothing here says who the users are or what their secrets are: accounts and secrets are named by digests whose key is drawn
//! when the database is made and never leaves it, so that neither a list of likely names nor one of likely passwords can be
//! held against them. The same goes for the names of the lease files, which lie outside the database.

use crate::{StoreError, column};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The name of an account here and in the names of its lease files: 64 hexadecimal digits.
pub(crate) fn name(connection: &Connection, account: &str) -> Result<String, StoreError> {
    digest(connection, &[b"account", account.as_bytes()])
}

fn secret_name(connection: &Connection, account: &str, secret: &SecretString) -> Result<String, StoreError> {
    digest(connection, &[b"secret", account.as_bytes(), secret.expose_secret().as_bytes()])
}

fn digest(connection: &Connection, parts: &[&[u8]]) -> Result<String, StoreError> {
    let key: [u8; 32] = connection.prepare_cached("SELECT key FROM account_key")?.query_row([], |row| row.get(0))?;
    // Of every length: this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| StoreError::Damaged)?;
    for part in parts {
        // With its length, so that no two lists of parts look alike.
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    Ok(hex::encode(mac.finalize().into_bytes()))
}

/// Records a code by the end of its time; `false` when that one or one that ends later was recorded before.
pub(crate) fn claim_code(connection: &Connection, account: &str, ends: u64) -> Result<bool, StoreError> {
    let ends = i64::try_from(ends).unwrap_or(i64::MAX);
    let changed = connection
        .prepare_cached(
            "INSERT INTO code_sent (account, ends) VALUES (?1, ?2)
             ON CONFLICT (account) DO UPDATE SET ends = excluded.ends WHERE excluded.ends > code_sent.ends",
        )?
        .execute(params![name(connection, account)?, ends])?;
    Ok(changed == 1)
}

/// When a secret was refused, if it was.
pub(crate) fn refused(connection: &Connection, account: &str, secret: &SecretString) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = connection
        .prepare_cached("SELECT at FROM refused_secret WHERE secret = ?1")?
        .query_row([secret_name(connection, account, secret)?], |row| row.get(0))
        .optional()?;
    column::read_time_if(at)
}

/// Records that a secret was refused.
pub(crate) fn refuse(connection: &Connection, account: &str, secret: &SecretString, at: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO refused_secret (secret, at) VALUES (?1, ?2) ON CONFLICT (secret) DO UPDATE SET at = excluded.at")?
        .execute(params![secret_name(connection, account, secret)?, column::time(at)])?;
    Ok(())
}

/// Forgets that a secret was refused.
pub(crate) fn accept(connection: &Connection, account: &str, secret: &SecretString) -> Result<(), StoreError> {
    let name = secret_name(connection, account, secret)?;
    connection.prepare_cached("DELETE FROM refused_secret WHERE secret = ?1")?.execute([name])?;
    Ok(())
}
