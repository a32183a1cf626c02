//! The recovery key: 192 random bits in letters and digits that opens the database when the keychain is lost.

use crate::{VaultError, files, keys::Key, keys::key_from_slice, random, seal};
use data_encoding::{Encoding, Specification};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, path::Path, sync::LazyLock};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of randomness; far beyond guessing, so no slow derivation is needed.
const RANDOM: usize = 24;

/// The key to be written down. Shown once; only a wrapped copy of the database's key is kept under it.
pub struct RecoveryKey(Zeroizing<[u8; RANDOM]>);

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey([REDACTED])")
    }
}

/// Crockford's base 32: no I, L, O or U to misread; small letters and the look-alikes are read as what was meant.
/// <https://www.crockford.com/base32.html>
static ENCODING: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    specification.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    specification.ignore.push_str(" -\t\r\n");
    #[allow(clippy::expect_used, reason = "a constant that every test of this module reads")]
    specification.encoding().expect("the alphabet above is well-formed")
});

impl RecoveryKey {
    /// A new one.
    pub(crate) fn new() -> Result<Self, VaultError> {
        Ok(Self(Zeroizing::new(random::bytes()?)))
    }

    /// Reads what was written down; spaces, hyphens, line ends and the case of letters do not matter.
    ///
    /// # Errors
    /// [`VaultError::RecoveryKeyMistyped`]: the last group holds a check byte that catches 255 of 256 slips.
    pub fn parse(text: &SecretString) -> Result<Self, VaultError> {
        let bytes = Zeroizing::new(ENCODING.decode(text.expose_secret().as_bytes()).map_err(|_| VaultError::RecoveryKeyMistyped)?);
        let (random, check) = bytes.split_at_checked(RANDOM).ok_or(VaultError::RecoveryKeyMistyped)?;
        let random: [u8; RANDOM] = random.try_into().map_err(|_| VaultError::RecoveryKeyMistyped)?;
        let key = Self(Zeroizing::new(random));
        if check == [key.check()] { Ok(key) } else { Err(VaultError::RecoveryKeyMistyped) }
    }

    /// Eight groups of five letters and digits, to be shown once.
    pub fn groups(&self) -> Vec<SecretString> {
        let mut bytes = Zeroizing::new([0; RANDOM + 1]);
        bytes[..RANDOM].copy_from_slice(self.0.as_ref());
        bytes[RANDOM] = self.check();
        let text = Zeroizing::new(ENCODING.encode(bytes.as_ref()));
        (0..text.len()).step_by(5).map(|start| SecretString::from(&text[start..start + 5])).collect()
    }

    fn check(&self) -> u8 {
        digest("posture-console recovery key check 1", self.0.as_ref())[0]
    }

    fn key(&self) -> Option<Key> {
        let mut digest = digest("posture-console recovery key 1", self.0.as_ref());
        let key = key_from_slice(&digest);
        digest.zeroize();
        key
    }
}

fn digest(purpose: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(bytes).finalize().into()
}

/// `recovery.json`: the database's key under the recovery key.
#[derive(Serialize, Deserialize)]
struct Recovery {
    format: u32,
    database: seal::Sealed,
}

pub(crate) const RECOVERY_FILE: &str = "recovery.json";

/// Whether there is a readable file with the wrapped key.
pub(crate) fn kept(folder: &Path) -> Result<bool, VaultError> {
    Ok(files::read::<Recovery>(folder, RECOVERY_FILE)?.is_some())
}

/// Keeps the database's key under a recovery key, in place of an earlier one.
pub(crate) fn keep(folder: &Path, vault: &str, recovery: &RecoveryKey, database: &Key) -> Result<(), VaultError> {
    let key = recovery.key().ok_or(VaultError::RecoveryKeyMistyped)?;
    let database = seal::Sealed::new(&key, database.expose_secret(), &purpose(vault))?;
    files::replace(folder, RECOVERY_FILE, &Recovery { format: files::FORMAT, database })
}

/// The database's key.
pub(crate) fn open(folder: &Path, vault: &str, recovery: &RecoveryKey) -> Result<Key, VaultError> {
    let damaged = || VaultError::Damaged { file: RECOVERY_FILE.to_owned() };
    let kept = files::read::<Recovery>(folder, RECOVERY_FILE)?.ok_or_else(damaged)?;
    let key = recovery.key().ok_or(VaultError::RecoveryKeyMistyped)?;
    let database = kept.database.open(&key, &purpose(vault)).ok_or(VaultError::WrongRecoveryKey)?;
    key_from_slice(&database).ok_or_else(damaged)
}

fn purpose(vault: &str) -> Vec<u8> {
    seal::bound_to(&["posture-console recovery", &files::FORMAT.to_string(), vault])
}
