//! Connections to the encrypted file: one that writes, some that read.

use crate::{StoreError, lease, schema};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, types::ValueRef};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};
use std::{
    fs::{File, OpenOptions},
    io::Read,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// How long a statement waits for another process. A write of ours holds the lock for as long as one commit of a large scan
/// takes, which is seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Readers that are kept open.
const READERS: usize = 4;

/// What a committed transaction has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The end of the process, at any point. Pages of a running scan: after a loss of power the last few are read again,
    /// and in exchange no page waits for the disk.
    Process,
    /// A loss of power as well: whatever an administrator was told is done.
    Power,
}

/// One writer, some readers.
pub(crate) struct Pool {
    path: PathBuf,
    key: SecretBox<[u8; 32]>,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
}

struct Writer {
    connection: Connection,
    durability: Durability,
}

impl Pool {
    pub(crate) fn open(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<Self, StoreError> {
        // Two processes that start together must not both create or migrate the file.
        let lock = lease::open_private(OpenOptions::new().write(true).create(true).truncate(false), &lease::beside(path, "lock"))?;
        lock.lock()?;
        let key = SecretBox::init_with_mut(|copy: &mut [u8; 32]| copy.copy_from_slice(key.expose_secret()));
        let known = recognise(path, &key)?;
        let connection = connect(path, &key)?;
        // Reads the first page: with the salt recognised, what cannot be read now is damage and not another key.
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if !known && tables == 0 {
            // Before the first table, else it has no effect: lets a deletion give space back without rewriting the file.
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let mut writer = Writer { connection, durability: Durability::Power };
        schema::bring_up_to_date(&mut writer.connection)?;
        drop(lock);
        Ok(Self { path: path.to_owned(), key, writer: Mutex::new(writer), readers: Mutex::default() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn key(&self) -> &SecretBox<[u8; 32]> {
        &self.key
    }

    /// Runs `work` on a connection of its own, outside of a transaction: what takes long there keeps neither the writer nor a
    /// reader from work.
    pub(crate) fn aside<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&connect(&self.path, &self.key)?)
    }

    /// Runs `work` over one unchanging view of the database.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let reader = guard(&self.readers).pop();
        let mut reader = match reader {
            Some(reader) => reader,
            None => {
                let reader = connect(&self.path, &self.key)?;
                reader.pragma_update(None, "query_only", true)?;
                reader
            }
        };
        let view = reader.transaction()?;
        let result = work(&view);
        let ended = view.finish();
        // A reader that could not end its view would hold an old one for ever: it is closed instead.
        if ended.is_ok() {
            let mut readers = guard(&self.readers);
            if readers.len() < READERS {
                readers.push(reader);
            }
        }
        result
    }

    /// Runs `work` in one transaction; nothing of it stays when it fails.
    pub(crate) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = guard(&self.writer);
        if writer.durability != durability {
            let level = match durability {
                Durability::Process => "NORMAL",
                Durability::Power => "FULL",
            };
            writer.connection.pragma_update(None, "synchronous", level)?;
            writer.durability = durability;
        }
        // Immediate: waiting happens here, before anything was read, and never in the middle.
        let transaction = begin(&writer.connection)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Runs `work` on the writing connection outside of a transaction.
    pub(crate) fn maintain<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&guard(&self.writer).connection)
    }
}

/// The busy handler waits for a lock; it is not asked where SQLite thinks that waiting cannot help, as while another
/// process recovers the log after a crash. Beginning anew does help there.
fn begin(connection: &Connection) -> Result<Transaction<'_>, StoreError> {
    let started = Instant::now();
    loop {
        match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            begun => return Ok(begun?),
        }
    }
}

/// A panic elsewhere leaves a connection whose transaction was rolled back: it can be used again.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether there is a database, and whether this is its key.
///
/// The first 16 bytes of the file are its salt, which SQLCipher would draw at random. With a raw random key it need not be
/// random: it only separates the key of the authentication codes from that of the pages. Ours is a digest of the key, so a
/// wrong key can be told from a damaged file, which to SQLCipher look alike.
/// <https://www.zetetic.net/sqlcipher/sqlcipher-api/#PRAGMA_key>
fn recognise(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<bool, StoreError> {
    let mut file = lease::open_private(OpenOptions::new().read(true).write(true).create(true).truncate(false), path)?;
    let mut beginning = Vec::new();
    file.by_ref().take(16).read_to_end(&mut beginning)?;
    if beginning.is_empty() {
        return Ok(false);
    }
    if beginning.len() < 16 {
        return Err(StoreError::Damaged);
    }
    if beginning != salt(key) { Err(StoreError::WrongKey) } else { Ok(true) }
}

fn salt(key: &SecretBox<[u8; 32]>) -> [u8; 16] {
    let digest = Sha256::new().chain_update("posture-console database salt 1").chain_update(key.expose_secret()).finalize();
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}

/// Opens a file that is looked at and nothing else: it is neither made nor brought up to date, and nobody waits for it.
pub(crate) fn look_at(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<Connection, StoreError> {
    let mut beginning = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut beginning)?;
    if beginning.len() < 16 {
        return Err(StoreError::Damaged);
    }
    if beginning != salt(key) {
        return Err(StoreError::WrongKey);
    }
    let connection = connect(path, key)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Reads every page and holds it against its authentication code and the structure of the tables.
pub(crate) fn sound(connection: &Connection) -> Result<(), StoreError> {
    for check in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check", "PRAGMA foreign_key_check"] {
        let mut statement = connection.prepare(check)?;
        let mut complaints = statement.query([])?;
        while let Some(row) = complaints.next()? {
            if row.get_ref(0)? != ValueRef::Text(b"ok") {
                return Err(StoreError::Damaged);
            }
        }
    }
    Ok(())
}

/// Opens the file with a raw key: there is no passphrase to stretch, so opening takes no time.
fn connect(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // SQLCipher would write to standard error.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let mut spelled = Zeroizing::new(String::with_capacity(128));
    spelled.push_str("PRAGMA key = \"x'");
    let mut digits = Zeroizing::new([0; 64]);
    // Both lengths are constants of this function: it cannot fail.
    let _ = hex::encode_to_slice(key.expose_secret(), digits.as_mut());
    spelled.push_str(std::str::from_utf8(digits.as_ref()).unwrap_or_default());
    spelled.push_str(&hex::encode(salt(key)));
    spelled.push_str("'\"");
    connection.execute_batch(&spelled)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    // Sorting and rollback stay in memory: a temporary file would hold rows in clear.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // 32 MiB: the indexes of a hundred thousand findings stay deciphered between two looks at the same list.
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
