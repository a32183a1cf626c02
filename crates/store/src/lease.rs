//! Who scans an instance, and who signs a user in: a locked file beside the database.
//!
//! The operating system releases the lock when its process ends, however it ends. Unlike a process id or a time of last
//! life in a table, it can neither outlive its process nor be taken for another's.

use crate::{InstanceId, StoreError};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often and at which distance a lease is asked for. One that was given back is still held by a program that this process was
/// just starting, until that has become another program.
const TRIES: u32 = 4;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// The right to sign one account in, held until it is dropped.
#[derive(Debug)]
pub struct SignInLease {
    _lease: Lease,
}

impl SignInLease {
    /// Takes the lease of an account by its name in the database, which tells nobody who it is; `None` while somebody else has
    /// it.
    pub(crate) fn take(database: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        // Few users sign in here: a file per account is left where it is.
        Ok(Lease::of_file(&beside(database, &format!("sign-in-{name}")))?.map(|lease| Self { _lease: lease }))
    }
}

/// The right to use the credentials of one instance beside no scan and nobody else, held until it is dropped.
#[derive(Debug)]
pub struct InstanceLease {
    pub(crate) instance: InstanceId,
    pub(crate) lease: Lease,
}

/// The right to scan one instance, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    _file: File,
}

impl Lease {
    /// Takes the lease of an instance; `None` while somebody else has it, in this process or another.
    pub(crate) fn take(database: &Path, instance: InstanceId) -> Result<Option<Self>, StoreError> {
        Self::of_file(&path(database, instance))
    }

    fn of_file(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = open_private(OpenOptions::new().write(true).create(true).truncate(false), path)?;
        for tried in 0..TRIES {
            if tried > 0 {
                thread::sleep(BETWEEN_TRIES);
            }
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Removes the file of an instance that is gone.
    pub(crate) fn forget(database: &Path, instance: InstanceId) -> Result<(), StoreError> {
        match fs::remove_file(path(database, instance)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn path(database: &Path, instance: InstanceId) -> PathBuf {
    beside(database, &format!("scan-{instance}"))
}

/// A file beside the database whose name begins with the database's.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    database.with_file_name(name)
}

/// Opens a file that only its owner may read.
pub(crate) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
