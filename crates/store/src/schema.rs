//! Which schema this release writes and reads, and bringing a file up to it.

use crate::{StoreError, error};
use rusqlite::{Connection, OptionalExtension};

/// The schema that this release writes.
pub const SCHEMA: u32 = 7;

/// The oldest schema whose release can still read what this release writes. Migrations that only add leave it alone.
pub const OLDEST_READER: u32 = 1;

mod embedded {
    #![allow(missing_docs)]
    refinery::embed_migrations!("migrations");
}

/// Brings the database up to date, or leaves alone one that a newer release wrote and that this one can read.
pub(crate) fn bring_up_to_date(connection: &mut Connection) -> Result<(), StoreError> {
    if let Some((schema, oldest_reader)) = numbers(connection)? {
        if schema > SCHEMA {
            return if oldest_reader > SCHEMA { Err(StoreError::Newer { schema }) } else { Ok(()) };
        }
        if schema == SCHEMA {
            return Ok(());
        }
    }
    // Grouped: a migration and the note that it was applied must not be torn apart by a crash.
    match embedded::migrations::runner().set_grouped(true).run(connection) {
        Ok(_) => Ok(()),
        Err(failure) => {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&failure);
            while let Some(inner) = cause {
                if let Some(meaning) = inner.downcast_ref::<rusqlite::Error>().and_then(error::meaning) {
                    return Err(meaning);
                }
                cause = inner.source();
            }
            Err(StoreError::Migration(Box::new(failure)))
        }
    }
}

/// The file's schema and oldest reader; `None` in a new file.
pub(crate) fn numbers(connection: &Connection) -> Result<Option<(u32, u32)>, StoreError> {
    let there: bool = connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'meta')", [], |row| row.get(0))?;
    if !there {
        return Ok(None);
    }
    Ok(connection.query_row("SELECT schema, oldest_reader FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}
