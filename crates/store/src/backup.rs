//! Copies of the database: one consistent file under the same key, for backups; and looking at such a file before it is used.

use crate::{InstanceId, SCHEMA, Store, StoreError, lease, pool, schema, table::instance};
use rusqlite::types::{ToSqlOutput, ValueRef};
use secrecy::SecretBox;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io::{self, Read, Write},
    path::Path,
};

/// What a copy of the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseCopy {
    /// Its schema.
    pub schema: u32,
    /// The oldest schema whose release can read it.
    pub oldest_reader: u32,
    /// The instances in it.
    pub instances: BTreeSet<InstanceId>,
}

impl Store {
    /// Writes the database, as it is at one moment, to a new file that only its owner may read. The copy is encrypted with the same
    /// key from its first byte on and holds no freed pages; scans go on meanwhile and are not waited for. It was read again, every
    /// page of it, before this answers. When it fails the file may be there in part.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Damaged`] when the database or the copy is, [`StoreError::Io`] when the file is there
    /// already or cannot be made.
    pub fn copy_to(&self, path: &Path) -> Result<DatabaseCopy, StoreError> {
        let pool = self.pool();
        // Made here, because SQLite would let others read it; it takes an empty file for a new one.
        drop(lease::open_private(OpenOptions::new().write(true).create_new(true), path)?);
        pool.aside(|connection| {
            // As bytes: a path need not be Unicode. The new file has the key and the salt of the one it comes from, because none
            // are named; pages that do not fit into memory go to the new file and its journal, which is encrypted likewise.
            let target = ToSqlOutput::Borrowed(ValueRef::Text(path.as_os_str().as_encoded_bytes()));
            connection.execute("VACUUM INTO ?1", [target])?;
            Ok(())
        })?;
        examine_copy(path, pool.key())
    }
}

/// Reads a copy of the database whole, without changing it, and says what is in it.
///
/// # Errors
/// [`StoreError::WrongKey`] when the key is another one's; [`StoreError::Damaged`]; [`StoreError::Newer`] when this release cannot
/// read it; [`StoreError::Io`].
pub fn examine_copy(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<DatabaseCopy, StoreError> {
    let connection = pool::look_at(path, key)?;
    pool::sound(&connection)?;
    let (schema, oldest_reader) = schema::numbers(&connection)?.ok_or(StoreError::Damaged)?;
    if oldest_reader > SCHEMA {
        return Err(StoreError::Newer { schema });
    }
    let mut statement = connection.prepare("SELECT id FROM instance")?;
    let instances = statement.query_and_then([], |row| instance::read_id(&row.get::<_, String>(0)?))?.collect::<Result<_, _>>()?;
    Ok(DatabaseCopy { schema, oldest_reader, instances })
}

/// What bytes were, told when they were copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// How many.
    pub bytes: u64,
    /// Their SHA-256, in small hexadecimal letters.
    pub sha256: String,
}

/// Copies everything that is read, and says what it was.
///
/// # Errors
/// Those of reader and writer.
pub fn copy_digested(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<Digested> {
    let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 128 * 1024]);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(Digested { bytes, sha256: hex::encode(digest.finalize()) }),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
}
