//! Where keys are kept: one entry each in the keychain, or wrapped under a passphrase in a file.

use crate::{Keychain, KeychainState, VaultError, files, probe, random, seal};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use zeroize::Zeroize;

/// A 256-bit key.
pub(crate) type Key = SecretBox<[u8; 32]>;

/// Least length of a passphrase. Argon2id makes each guess cost about a tenth of a second and 64 MiB; twelve characters
/// keep even a plain choice of words out of reach of guessing at that price.
pub const MIN_PASSPHRASE_CHARACTERS: usize = 12;

/// What holds the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// The operating system's keychain.
    Keychain,
    /// A passphrase that is typed at each start.
    Passphrase,
}

/// What a vault is created or opened with.
#[derive(Clone)]
pub enum Unlock {
    /// This keychain.
    Keychain(Arc<dyn Keychain>),
    /// This passphrase.
    Passphrase(SecretString),
}

impl Unlock {
    pub(crate) fn protection(&self) -> Protection {
        match self {
            Self::Keychain(_) => Protection::Keychain,
            Self::Passphrase(_) => Protection::Passphrase,
        }
    }
}

/// A new random key.
pub(crate) fn new_key() -> Result<Key, VaultError> {
    let mut bytes = random::bytes::<32>()?;
    let key = key_from(&bytes);
    bytes.zeroize();
    Ok(key)
}

/// A key with these bytes, which must be 32.
pub(crate) fn key_from_slice(bytes: &[u8]) -> Option<Key> {
    let bytes: &[u8; 32] = bytes.try_into().ok()?;
    Some(key_from(bytes))
}

fn key_from(bytes: &[u8; 32]) -> Key {
    SecretBox::init_with_mut(|key: &mut [u8; 32]| key.copy_from_slice(bytes))
}

/// How a passphrase becomes a key; written into `vault.json` so that later releases may raise the cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Derivation {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Derivation {
    /// Argon2id with the second recommended option of RFC 9106, section 4: 64 MiB, three passes, four lanes. The first one
    /// wants 2 GiB, which a small workstation or a virtual machine does not have to spare; this one still takes the gain out
    /// of graphics cards. <https://www.rfc-editor.org/rfc/rfc9106#section-4>
    pub(crate) fn new() -> Result<Self, VaultError> {
        Ok(Self { salt: STANDARD.encode(random::bytes::<16>()?), memory_kib: 64 * 1024, passes: 3, lanes: 4 })
    }

    /// The key of a passphrase. The file's numbers are held within bounds: a changed file must neither weaken the next
    /// passphrase nor take all memory.
    pub(crate) fn key(&self, passphrase: &SecretString) -> Result<Key, VaultError> {
        let damaged = || VaultError::Damaged { file: crate::vault::VAULT_FILE.to_owned() };
        let sane =
            (19 * 1024..=1024 * 1024).contains(&self.memory_kib) && (1..=16).contains(&self.passes) && (1..=16).contains(&self.lanes);
        let salt = STANDARD.decode(&self.salt).map_err(|_| damaged())?;
        if !sane || salt.len() != 16 {
            return Err(damaged());
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| damaged())?;
        let mut key = Key::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &salt, key.expose_secret_mut())
            .map_err(|_| VaultError::Io(std::io::ErrorKind::OutOfMemory.into()))?;
        Ok(key)
    }
}

/// Where the keys of one vault are.
pub(crate) enum KeyHolder {
    Keychain { keychain: Arc<dyn Keychain>, vault: String },
    Passphrase { folder: PathBuf, vault: String, wrapping: Key },
}

/// The name of the database's key.
pub(crate) const DATABASE: &str = "database";

/// The name of an instance's key.
pub(crate) fn of_instance(instance: &str) -> String {
    format!("instance-{instance}")
}

/// `keys.json`: every key sealed under the passphrase's key, by name.
#[derive(Serialize, Deserialize)]
struct WrappedKeys {
    format: u32,
    keys: BTreeMap<String, seal::Sealed>,
}

pub(crate) const KEYS_FILE: &str = "keys.json";

impl KeyHolder {
    /// The key of that name, if there is one.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Key>, VaultError> {
        match self {
            Self::Keychain { keychain, vault } => match keychain.get(&entry(vault, name))? {
                Some(bytes) => Ok(Some(
                    key_from_slice(&bytes)
                        .ok_or_else(|| VaultError::KeychainFailed("it gave back something else than was stored".into()))?,
                )),
                // A locked Secret Service says that there is no such entry; a key must not be called lost for that.
                None => match probe(keychain.as_ref()) {
                    KeychainState::Usable => Ok(None),
                    state @ (KeychainState::Absent | KeychainState::Locked | KeychainState::Failed(_)) => {
                        Err(state.error().unwrap_or(VaultError::KeychainLocked))
                    }
                },
            },
            Self::Passphrase { folder, vault, wrapping } => {
                let Some(wrapped) = files::read::<WrappedKeys>(folder, KEYS_FILE)? else {
                    return Ok(None);
                };
                let Some(sealed) = wrapped.keys.get(name) else {
                    return Ok(None);
                };
                let bytes = sealed.open(wrapping, &purpose(vault, name)).ok_or_else(|| VaultError::Damaged { file: KEYS_FILE.into() })?;
                Ok(Some(key_from_slice(&bytes).ok_or_else(|| VaultError::Damaged { file: KEYS_FILE.into() })?))
            }
        }
    }

    /// Keeps a key under a name. The caller holds the vault's lock.
    pub(crate) fn set(&self, name: &str, key: &Key) -> Result<(), VaultError> {
        match self {
            Self::Keychain { keychain, vault } => keychain.set(&entry(vault, name), key.expose_secret()),
            Self::Passphrase { folder, vault, wrapping } => {
                let mut wrapped = files::read(folder, KEYS_FILE)?.unwrap_or(WrappedKeys { format: files::FORMAT, keys: BTreeMap::new() });
                wrapped.keys.insert(name.to_owned(), seal::Sealed::new(wrapping, key.expose_secret(), &purpose(vault, name))?);
                files::replace(folder, KEYS_FILE, &wrapped)
            }
        }
    }

    /// Destroys the key of that name, if there is one. The caller holds the vault's lock.
    pub(crate) fn delete(&self, name: &str) -> Result<(), VaultError> {
        match self {
            Self::Keychain { keychain, vault } => keychain.delete(&entry(vault, name)),
            Self::Passphrase { folder, .. } => {
                let Some(mut wrapped) = files::read::<WrappedKeys>(folder, KEYS_FILE)? else {
                    return Ok(());
                };
                if wrapped.keys.remove(name).is_some() {
                    files::replace(folder, KEYS_FILE, &wrapped)?;
                }
                Ok(())
            }
        }
    }

    /// Whether there is a readable file of wrapped keys, with the database's among them.
    pub(crate) fn wrapped(folder: &std::path::Path) -> Result<bool, VaultError> {
        Ok(files::read::<WrappedKeys>(folder, KEYS_FILE)?.is_some_and(|wrapped| wrapped.keys.contains_key(DATABASE)))
    }

    /// Forgets keys that were wrapped under an earlier passphrase.
    pub(crate) fn forget_wrapped(folder: &std::path::Path) -> Result<(), VaultError> {
        files::remove(folder, KEYS_FILE)
    }
}

/// Entries carry the vault's id, so that two data folders of one user do not share keys.
fn entry(vault: &str, name: &str) -> String {
    format!("{vault}-{name}")
}

/// What a wrapped key is bound to, so that one cannot be put in another's place.
fn purpose(vault: &str, name: &str) -> Vec<u8> {
    seal::bound_to(&["posture-console wrapped key", &files::FORMAT.to_string(), vault, name])
}
