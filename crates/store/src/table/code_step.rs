//! `code_step`: which one-time codes were sent, so that none is sent twice.

use crate::StoreError;
use rusqlite::{Connection, params};

/// Records a time step; `false` when it or a later one was recorded before.
pub(crate) fn claim(connection: &Connection, account: &str, step: u64) -> Result<bool, StoreError> {
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let changed = connection
        .prepare_cached(
            "INSERT INTO code_step (account, step) VALUES (?1, ?2)
             ON CONFLICT (account) DO UPDATE SET step = excluded.step WHERE excluded.step > code_step.step",
        )?
        .execute(params![account, step])?;
    Ok(changed == 1)
}
