//! What can go wrong with the database, each with a stable code and what to do about it.

use rusqlite::ErrorCode;

/// Why the store could not do what was asked. [`std::fmt::Display`] is one sentence for the administrator; see
/// [`StoreError::remedy`] for what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database was written by a newer release whose changes this one cannot read.
    #[error(
        "The database was written by a newer version of Posture Console (schema {schema}) that this version (schema {}) cannot read.",
        crate::SCHEMA
    )]
    Newer {
        /// The schema of the file.
        schema: u32,
    },
    /// The file is not what was written: its content fails authentication or its structure is broken.
    #[error("The database file is damaged and cannot be read.")]
    Damaged,
    /// The file is encrypted with another key.
    #[error("The key does not open this database.")]
    WrongKey,
    /// No room is left for what was to be written. Nothing of it was kept.
    #[error("The disk is full: nothing more could be written to the database.")]
    DiskFull,
    /// Another process kept the database locked for longer than we wait.
    #[error("The database is in use by another process that did not let go of it in time.")]
    Busy,
    /// A scan or a test of this instance is under way in this or another process.
    #[error("A scan or a test of this instance is already running.")]
    ScanRunning,
    /// What was asked for is not there.
    #[error("There is no such {what}.")]
    NotFound {
        /// `instance`, `scan`, `finding`, `attestation`, `attached file`, `check`, `decision`.
        what: &'static str,
    },
    /// The application already has an instance of that name.
    #[error("There is already an instance named {name}.")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The scan is not in the state that the call needs.
    #[error("The scan is {actual}, so this cannot be done with it.")]
    WrongState {
        /// Its state.
        actual: &'static str,
    },
    /// The attestation is not the one that counts: a later one took its place, or it was withdrawn.
    #[error("This attestation no longer counts: a later one took its place, or it was withdrawn.")]
    NotInForce,
    /// The same is locked already, to what it was then.
    #[error("This is locked already.")]
    AlreadyLocked,
    /// The decision is in force no more.
    #[error("This decision has ended.")]
    DecisionEnded,
    /// The folder or file could not be opened, created or locked.
    #[error("The database file could not be opened: {0}.")]
    Io(#[source] std::io::Error),
    /// Something in the database has a form that this release does not know; a newer release may have written it.
    #[error("The database holds a {what} that this version cannot read.")]
    Unreadable {
        /// What it is.
        what: &'static str,
    },
    /// Bringing the database up to date failed and was undone.
    #[error("The database could not be brought up to date.")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused a statement for a reason that no other variant names.
    #[error("The database refused an operation.")]
    Sql(#[source] rusqlite::Error),
}

impl StoreError {
    /// A code that stays the same for ever, shown by window and terminal alike.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "E-DB-NEWER",
            Self::Damaged => "E-DB-DAMAGED",
            Self::WrongKey => "E-DB-KEY",
            Self::DiskFull => "E-DISK-FULL",
            Self::Busy => "E-DB-BUSY",
            Self::ScanRunning => "E-SCAN-RUNNING",
            Self::NotFound { .. } => "E-NOT-FOUND",
            Self::NameTaken { .. } => "E-NAME-TAKEN",
            Self::WrongState { .. } => "E-SCAN-STATE",
            Self::NotInForce => "E-ATTESTATION-ENDED",
            Self::AlreadyLocked => "E-LOCKED-ALREADY",
            Self::DecisionEnded => "E-DECISION-ENDED",
            Self::Io(_) => "E-DB-FILE",
            Self::Unreadable { .. } => "E-DB-CONTENT",
            Self::Migration(_) => "E-DB-MIGRATION",
            Self::Sql(_) => "E-DB",
        }
    }

    /// What to do about it, in one or two sentences.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "Install the newest version of Posture Console.",
            Self::Damaged => {
                "Close Posture Console, move the database file away or restore it from a backup, and start again. Instances are then added anew."
            }
            Self::WrongKey => "Open it with the recovery key, or restore the database that belongs to this keychain.",
            Self::DiskFull => "Free some space on the disk that holds the data folder and try again. What was stored before is unharmed.",
            Self::Busy => "Wait until the other window or command has finished and try again.",
            Self::ScanRunning => "Wait until it has finished, or cancel it.",
            Self::NotFound { .. } => "It may have been deleted meanwhile: reload the list.",
            Self::NameTaken { .. } => "Choose another name.",
            Self::WrongState { .. } => "Start a new scan.",
            Self::NotInForce => "Reload the list and look at the newest one.",
            Self::AlreadyLocked => "Unlock it first, then lock it as it is now.",
            Self::DecisionEnded => "Reload the list: there is nothing left to undo.",
            Self::Io(_) => "Check that the data folder exists and that you may write to it.",
            Self::Unreadable { .. } => "Install the newest version of Posture Console.",
            Self::Migration(_) => "Start the version that was used before, and report this with the code and the log.",
            Self::Sql(_) => "Try again; if it happens again, report it with the code and the log.",
        }
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the library's enum is non-exhaustive")]
/// What a code of SQLite means to us; `None` for those that only a defect of ours gives.
pub(crate) fn meaning(error: &rusqlite::Error) -> Option<StoreError> {
    // The index of the log lies in a file whose size is claimed at once: where there is no room for it, SQLite speaks of a
    // failed operation and not of a full disk. <https://www.sqlite.org/rescode.html#ioerr_shmsize>
    if error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        return Some(StoreError::DiskFull);
    }
    Some(match error.sqlite_error_code()? {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged,
        ErrorCode::DiskFull => StoreError::DiskFull,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        _ => return None,
    })
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        meaning(&error).unwrap_or(Self::Sql(error))
    }
}

impl From<std::io::Error> for StoreError {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the library's enum is non-exhaustive")]
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}
