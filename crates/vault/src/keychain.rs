//! The operating system's keychain: small secrets by name.

use crate::{VaultError, random};
use keyring::{Entry, Error};
use zeroize::Zeroizing;

/// Small secrets by name, kept by the operating system. An implementation may block, for a prompt even long: call it from a
/// thread that may wait.
pub trait Keychain: Send + Sync {
    /// Stores a secret under a name, in place of what was there.
    ///
    /// # Errors
    /// One of the three `Keychain…` variants of [`VaultError`].
    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), VaultError>;
    /// The secret of that name; `None` when there is none, which on some systems is also what a locked keychain says.
    ///
    /// # Errors
    /// As [`Keychain::set`].
    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError>;
    /// Removes the secret of that name, if there is one.
    ///
    /// # Errors
    /// As [`Keychain::set`].
    fn delete(&self, entry: &str) -> Result<(), VaultError>;
}

/// Whether a keychain can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeychainState {
    /// A test entry was written, read and removed.
    Usable,
    /// There is none.
    Absent,
    /// There is one, and it is locked or refuses.
    Locked,
    /// There is one, and it does not do what it should.
    Failed(String),
}

impl KeychainState {
    /// The error that says so, with its code and remedy; `None` when it is usable.
    pub fn error(&self) -> Option<VaultError> {
        match self {
            Self::Usable => None,
            Self::Absent => Some(VaultError::KeychainAbsent),
            Self::Locked => Some(VaultError::KeychainLocked),
            Self::Failed(why) => Some(VaultError::KeychainFailed(why.clone())),
        }
    }
}

/// Tries a keychain by writing, reading and removing a test entry. Reading alone proves nothing: a Secret Service without
/// an unlocked collection answers that there is no such entry.
pub fn probe(keychain: &dyn Keychain) -> KeychainState {
    match canary(keychain) {
        Ok(true) => KeychainState::Usable,
        Ok(false) => KeychainState::Failed("it did not give back what was stored".into()),
        Err(VaultError::KeychainAbsent) => KeychainState::Absent,
        Err(VaultError::KeychainLocked) => KeychainState::Locked,
        Err(VaultError::KeychainFailed(why)) => KeychainState::Failed(why),
        Err(other) => KeychainState::Failed(other.to_string()),
    }
}

fn canary(keychain: &dyn Keychain) -> Result<bool, VaultError> {
    // A name of its own, so that two processes that start together do not remove each other's entry.
    let entry = format!("canary-{}", hex::encode(random::bytes::<8>()?));
    let secret = random::bytes::<32>()?;
    keychain.set(&entry, &secret)?;
    let read = keychain.get(&entry);
    keychain.delete(&entry)?;
    Ok(read?.is_some_and(|read| *read == secret))
}

/// The keychain of this operating system: Secret Service, Keychain Services or Credential Manager.
///
/// Whether there is one is found out once per process, when it is first used; a service that starts later is seen after a
/// restart of the program.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsKeychain;

/// The name under which all entries are filed.
const SERVICE: &str = "posture-console";

impl Keychain for OsKeychain {
    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), VaultError> {
        Entry::new(SERVICE, entry).and_then(|entry| entry.set_secret(secret)).map_err(|error| explain(&error))
    }

    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match Entry::new(SERVICE, entry).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(&error)),
        }
    }

    fn delete(&self, entry: &str) -> Result<(), VaultError> {
        match Entry::new(SERVICE, entry).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// Variants that may carry the stored bytes are named without their content.
#[allow(clippy::wildcard_enum_match_arm, reason = "the library's enum is non-exhaustive")]
fn explain(error: &Error) -> VaultError {
    match error {
        Error::NoDefaultStore => VaultError::KeychainAbsent,
        Error::NoStorageAccess(_) => VaultError::KeychainLocked,
        Error::PlatformFailure(cause) => VaultError::KeychainFailed(cause.to_string()),
        Error::TooLong(..) => VaultError::KeychainFailed("an entry is longer than it allows".into()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            VaultError::KeychainFailed("it gave back something else than was stored".into())
        }
        Error::Ambiguous(_) => VaultError::KeychainFailed("it holds several entries of one name".into()),
        _ => VaultError::KeychainFailed("it refused the operation".into()),
    }
}
