//! What can go wrong with secrets, each with a stable code and what to do about it.

/// Why the vault could not do what was asked. [`std::fmt::Display`] is one sentence for the administrator; see
/// [`VaultError::remedy`] for what to do. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// This system offers no keychain to this session.
    #[error("This system offers no keychain.")]
    KeychainAbsent,
    /// There is a keychain and it is locked, or its owner refused.
    #[error("The system's keychain is locked or refused access.")]
    KeychainLocked,
    /// The keychain failed otherwise.
    #[error("The system's keychain failed: {0}.")]
    KeychainFailed(String),
    /// The passphrase does not open the vault.
    #[error("The passphrase is not right.")]
    WrongPassphrase,
    /// The passphrase is too short to protect anything.
    #[error("The passphrase is shorter than {} characters.", crate::MIN_PASSPHRASE_CHARACTERS)]
    PassphraseTooShort,
    /// The vault is protected in the other way than it was to be opened.
    #[error("This vault is protected by {}.", match .actual { crate::Protection::Keychain => "the system's keychain", crate::Protection::Passphrase => "a passphrase" })]
    OtherProtection {
        /// How it is protected.
        actual: crate::Protection,
    },
    /// The text is not a recovery key: a group is missing or mistyped.
    #[error("This is not a recovery key: a group is missing or mistyped.")]
    RecoveryKeyMistyped,
    /// The recovery key is well-formed and belongs to another vault.
    #[error("This recovery key belongs to another database.")]
    WrongRecoveryKey,
    /// The key of the database is no longer in the keychain.
    #[error("The key of the database is no longer in the system's keychain.")]
    DatabaseKeyLost,
    /// The key of an instance's credentials is gone, so they cannot be opened any more.
    #[error("The key to this instance's credentials is lost.")]
    InstanceKeyLost,
    /// A file is not what was written: it was changed, cut or exchanged with another.
    #[error("The file {file} was changed or damaged.")]
    Damaged {
        /// Its name within the vault's folder.
        file: String,
    },
    /// A file was written by a newer release.
    #[error("The file {file} was written by a newer version of Posture Console.")]
    Newer {
        /// Its name within the vault's folder.
        file: String,
    },
    /// There is no vault in this folder.
    #[error("There is no vault in this folder.")]
    NoVault,
    /// There is a vault in this folder already.
    #[error("There is a vault in this folder already.")]
    VaultExists,
    /// The instance has no credentials.
    #[error("This instance has no stored credentials.")]
    NoCredentials,
    /// The id cannot name a file.
    #[error("The instance id is not made of 1 to 64 letters, digits and hyphens.")]
    BadInstanceId,
    /// No room is left for a file. What was there before is as it was.
    #[error("The disk is full: nothing more could be written to the vault.")]
    DiskFull,
    /// A file could not be read or written.
    #[error("The vault's folder could not be read or written: {0}.")]
    Io(#[source] std::io::Error),
    /// The operating system gave no randomness.
    #[error("The operating system gave no randomness.")]
    NoRandomness,
}

impl VaultError {
    /// A code that stays the same for ever, shown by window and terminal alike.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeychainAbsent => "E-KEYCHAIN-ABSENT",
            Self::KeychainLocked => "E-KEYCHAIN-LOCKED",
            Self::KeychainFailed(_) => "E-KEYCHAIN-FAILED",
            Self::WrongPassphrase => "E-PASSPHRASE",
            Self::PassphraseTooShort => "E-PASSPHRASE-SHORT",
            Self::OtherProtection { .. } => "E-VAULT-PROTECTION",
            Self::RecoveryKeyMistyped => "E-RECOVERY-KEY-FORMAT",
            Self::WrongRecoveryKey => "E-RECOVERY-KEY",
            Self::DatabaseKeyLost => "E-DB-KEY-LOST",
            Self::InstanceKeyLost => "E-CREDENTIAL-KEY-LOST",
            Self::Damaged { .. } => "E-VAULT-DAMAGED",
            Self::Newer { .. } => "E-VAULT-NEWER",
            Self::NoVault => "E-VAULT-MISSING",
            Self::VaultExists => "E-VAULT-EXISTS",
            Self::NoCredentials => "E-CREDENTIALS-MISSING",
            Self::BadInstanceId => "E-INSTANCE-ID",
            Self::DiskFull => "E-DISK-FULL",
            Self::Io(_) => "E-VAULT-FILE",
            Self::NoRandomness => "E-RANDOMNESS",
        }
    }

    /// What to do about it, in one or two sentences.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::KeychainAbsent => {
                "Start a keychain service such as GNOME Keyring or KWallet and start Posture Console again, or choose to protect the data by a passphrase."
            }
            Self::KeychainLocked => "Unlock the keychain, usually by signing in to the desktop, and try again.",
            Self::KeychainFailed(_) => "Check that the keychain service is running and try again.",
            Self::WrongPassphrase => {
                "Type it again. If it is forgotten, the recovery key opens the database; credentials must then be entered anew."
            }
            Self::PassphraseTooShort => "Choose a longer one; several words are easy to remember.",
            Self::OtherProtection { actual: crate::Protection::Keychain } => "Open it without a passphrase.",
            Self::OtherProtection { actual: crate::Protection::Passphrase } => "Open it with the passphrase.",
            Self::RecoveryKeyMistyped => "Compare each group with what was written down at the first start.",
            Self::WrongRecoveryKey => "Use the recovery key that was shown when this database was created.",
            Self::DatabaseKeyLost => "Open the database with the recovery key, or restore the keychain.",
            Self::InstanceKeyLost => "Enter the instance's credentials again.",
            Self::Damaged { .. } => "Restore the file from a backup, or enter the credentials again.",
            Self::Newer { .. } => "Install the newest version of Posture Console.",
            Self::NoVault => "Start Posture Console once to create it.",
            Self::VaultExists => "Open it, or choose another data folder.",
            Self::NoCredentials => "Enter the instance's credentials.",
            Self::BadInstanceId => "Take the id from the list of instances.",
            Self::DiskFull => "Free some space on the disk that holds the data folder and try again. What was stored before is unharmed.",
            Self::Io(_) => "Check that the data folder exists and that you may write to it.",
            Self::NoRandomness => "Restart the computer and try again.",
        }
    }
}

impl From<std::io::Error> for VaultError {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the library's enum is non-exhaustive")]
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}
