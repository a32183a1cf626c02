//! Secrets at rest: the sealed credentials of each instance, the key of the database, and what opens them.
//!
//! This crate owns the sealed files, the entries in the operating system's keychain (nothing else touches it), the
//! passphrase that stands in for a keychain by explicit choice, and the recovery key. It must not know what an instance
//! is beyond its id, what the fields mean, or what the database holds. It draws its own randomness from the operating
//! system: keys and nonces must never be chosen by a caller. Times are passed in.

mod error;
mod files;
mod keychain;
mod keys;
mod random;
mod recovery;
mod seal;
mod vault;
mod zeroing;

pub use error::VaultError;
pub use files::LARGEST_FILE;
pub use keychain::{Keychain, KeychainState, OsKeychain, probe};
pub use keys::{MIN_PASSPHRASE_CHARACTERS, Protection, Unlock};
pub use recovery::RecoveryKey;
pub use seal::SealedField;
pub use vault::Vault;
pub use zeroing::{ZeroingAllocator, zeroing_allocator};
