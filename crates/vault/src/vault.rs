//! The one handle to everything that is sealed.

use crate::{
    Keychain, Protection, RecoveryKey, SealedField, Unlock, VaultError, files,
    keys::{self, Derivation, Key, KeyHolder, MIN_PASSPHRASE_CHARACTERS},
    random, recovery,
    seal::SealedFile,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// `vault.json`: which vault this is and what holds its keys. Written last, so that a creation that was interrupted leaves
/// no vault.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u32,
    id: String,
    protection: Protection,
    passphrase: Option<Derivation>,
}

pub(crate) const VAULT_FILE: &str = "vault.json";
/// Folder of the sealed files.
const INSTANCES: &str = "instances";

/// An open vault. Several processes may have it open.
pub struct Vault {
    folder: PathBuf,
    id: String,
    protection: Protection,
    holder: KeyHolder,
    database: Key,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("protection", &self.protection).finish_non_exhaustive()
    }
}

impl Vault {
    /// What holds the keys of the vault in this folder; `None` when there is no vault yet.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Newer`], [`VaultError::Io`].
    pub fn protection_of(folder: &Path) -> Result<Option<Protection>, VaultError> {
        Ok(files::read::<Description>(folder, VAULT_FILE)?.map(|description| description.protection))
    }

    /// Creates a vault with a new database key. The recovery key is to be shown once and forgotten.
    ///
    /// # Errors
    /// [`VaultError::VaultExists`], [`VaultError::PassphraseTooShort`], or what the keychain or the disk refuses.
    pub fn create(folder: &Path, unlock: &Unlock) -> Result<(Self, RecoveryKey), VaultError> {
        files::create_folder(&folder.join(INSTANCES))?;
        let _lock = files::lock(folder)?;
        if Self::protection_of(folder)?.is_some() {
            return Err(VaultError::VaultExists);
        }
        let id = hex::encode(random::bytes::<8>()?);
        let recovery_key = RecoveryKey::new()?;
        let database = keys::new_key()?;
        recovery::keep(folder, &id, &recovery_key, &database)?;
        Ok((Self::protect(folder, id, database, unlock)?, recovery_key))
    }

    /// Opens the vault in this folder.
    ///
    /// # Errors
    /// [`VaultError::NoVault`], [`VaultError::OtherProtection`], [`VaultError::WrongPassphrase`],
    /// [`VaultError::DatabaseKeyLost`], or what the keychain or the disk refuses.
    pub fn open(folder: &Path, unlock: &Unlock) -> Result<Self, VaultError> {
        let description = files::read::<Description>(folder, VAULT_FILE)?.ok_or(VaultError::NoVault)?;
        if description.protection != unlock.protection() {
            return Err(VaultError::OtherProtection { actual: description.protection });
        }
        let holder = holder(folder, &description.id, unlock, description.passphrase.as_ref())?;
        let database = match (holder.get(keys::DATABASE), description.protection) {
            (Ok(Some(key)), _) => key,
            (Ok(None), _) => return Err(VaultError::DatabaseKeyLost),
            // The first wrapped key is what tells a wrong passphrase; that the file was changed looks the same.
            (Err(VaultError::Damaged { .. }), Protection::Passphrase) => {
                return Err(VaultError::WrongPassphrase);
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Self { folder: folder.to_owned(), id: description.id, protection: description.protection, holder, database })
    }

    /// Opens the database's key with the recovery key and protects it anew. Credentials whose keys are lost stay lost: they
    /// say [`VaultError::InstanceKeyLost`] until they are entered again.
    ///
    /// # Errors
    /// [`VaultError::NoVault`], [`VaultError::WrongRecoveryKey`], [`VaultError::PassphraseTooShort`], or what the keychain
    /// or the disk refuses.
    pub fn recover(folder: &Path, recovery_key: &RecoveryKey, unlock: &Unlock) -> Result<Self, VaultError> {
        let description = files::read::<Description>(folder, VAULT_FILE)?.ok_or(VaultError::NoVault)?;
        let _lock = files::lock(folder)?;
        let database = recovery::open(folder, &description.id, recovery_key)?;
        Self::protect(folder, description.id, database, unlock)
    }

    /// Destroys every key that the keychain holds for the vault of this folder, whatever protects it now: it may have been protected
    /// by the keychain before. Keys that a passphrase wraps go with the files, which the caller removes. Needs no passphrase; does
    /// nothing where there is no vault.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Newer`] where the entries cannot be named, or what the keychain or the disk refuses; of a
    /// vault under a passphrase a keychain that is not there is no error.
    pub fn destroy_keys(folder: &Path, keychain: &Arc<dyn Keychain>) -> Result<(), VaultError> {
        let Some(description) = files::read::<Description>(folder, VAULT_FILE)? else { return Ok(()) };
        let _lock = files::lock(folder)?;
        let holder = KeyHolder::Keychain { keychain: Arc::clone(keychain), vault: description.id };
        let destroyed = sealed_in(&folder.join(INSTANCES))?
            .iter()
            .try_for_each(|instance| holder.delete(&keys::of_instance(instance)))
            .and_then(|()| holder.delete(keys::DATABASE));
        match (destroyed, description.protection) {
            (Err(error), Protection::Keychain) => Err(error),
            (Ok(()), _) | (Err(_), Protection::Passphrase) => Ok(()),
        }
    }

    /// Makes a new recovery key in place of the one that was lost or seen.
    ///
    /// # Errors
    /// What the disk refuses.
    pub fn new_recovery_key(&self) -> Result<RecoveryKey, VaultError> {
        let _lock = files::lock(&self.folder)?;
        let recovery_key = RecoveryKey::new()?;
        recovery::keep(&self.folder, &self.id, &recovery_key, &self.database)?;
        Ok(recovery_key)
    }

    /// Hands the database's key to a new holder and describes it. The caller holds the lock.
    fn protect(folder: &Path, id: String, database: Key, unlock: &Unlock) -> Result<Self, VaultError> {
        let passphrase = match unlock {
            Unlock::Keychain(_) => None,
            Unlock::Passphrase(passphrase) => {
                if passphrase.expose_secret().chars().count() < MIN_PASSPHRASE_CHARACTERS {
                    return Err(VaultError::PassphraseTooShort);
                }
                Some(Derivation::new()?)
            }
        };
        let holder = holder(folder, &id, unlock, passphrase.as_ref())?;
        let protection = unlock.protection();
        // Keys wrapped under an earlier passphrase open nothing under this one. If this is interrupted, the recovery key
        // still opens the database.
        if protection == Protection::Passphrase {
            KeyHolder::forget_wrapped(folder)?;
        }
        holder.set(keys::DATABASE, &database)?;
        files::replace(folder, VAULT_FILE, &Description { format: files::FORMAT, id: id.clone(), protection, passphrase })?;
        if protection == Protection::Keychain {
            KeyHolder::forget_wrapped(folder)?;
        }
        Ok(Self { folder: folder.to_owned(), id, protection, holder, database })
    }

    /// What holds the keys.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// The raw key of the database.
    pub fn database_key(&self) -> &SecretBox<[u8; 32]> {
        &self.database
    }

    /// Seals all credentials of an instance, in place of what was there.
    ///
    /// # Errors
    /// [`VaultError::BadInstanceId`], or what the keychain or the disk refuses; what was there before is then unharmed.
    pub fn seal(&self, instance: &str, fields: &BTreeMap<String, SecretString>, now: Timestamp) -> Result<(), VaultError> {
        valid(instance)?;
        let _lock = files::lock(&self.folder)?;
        // The key is kept when there is one: a new one and a new file cannot be put in place in one step.
        let name = keys::of_instance(instance);
        let key = match self.holder.get(&name)? {
            Some(key) => key,
            None => {
                let key = keys::new_key()?;
                self.holder.set(&name, &key)?;
                key
            }
        };
        let set_at = fields.keys().map(|field| (field.clone(), now)).collect();
        SealedFile::write(&self.sealed_files(), &self.id, instance, &key, fields, &set_at)
    }

    /// Sets one field of an instance that has credentials, and leaves the others as they are.
    ///
    /// # Errors
    /// As [`Vault::unseal`] and [`Vault::seal`].
    pub fn set_field(&self, instance: &str, field: &str, value: &SecretString, now: Timestamp) -> Result<(), VaultError> {
        valid(instance)?;
        let _lock = files::lock(&self.folder)?;
        let (file, key) = self.locate(instance)?;
        let mut values = file.open(&self.id, instance, &key)?;
        let mut set_at: BTreeMap<String, Timestamp> = file.fields.into_iter().map(|field| (field.field, field.set_at)).collect();
        values.insert(field.to_owned(), value.clone());
        set_at.insert(field.to_owned(), now);
        SealedFile::write(&self.sealed_files(), &self.id, instance, &key, &values, &set_at)
    }

    /// Sets some fields of an instance if all its fields are still as they were unsealed before, and says whether it did.
    ///
    /// # Errors
    /// As [`Vault::unseal`] and [`Vault::seal`].
    pub fn add_if_unchanged(
        &self,
        instance: &str,
        unsealed: &BTreeMap<String, SecretString>,
        fields: &BTreeMap<String, SecretString>,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        valid(instance)?;
        let _lock = files::lock(&self.folder)?;
        let (file, key) = self.locate(instance)?;
        let mut values = file.open(&self.id, instance, &key)?;
        let same = values.len() == unsealed.len()
            && values
                .iter()
                .zip(unsealed)
                .all(|((name, value), (known_name, known))| name == known_name && value.expose_secret() == known.expose_secret());
        if !same {
            return Ok(false);
        }
        let mut set_at: BTreeMap<String, Timestamp> = file.fields.into_iter().map(|field| (field.field, field.set_at)).collect();
        for (name, value) in fields {
            values.insert(name.clone(), value.clone());
            set_at.insert(name.clone(), now);
        }
        SealedFile::write(&self.sealed_files(), &self.id, instance, &key, &values, &set_at)?;
        Ok(true)
    }

    /// The credentials of an instance.
    ///
    /// # Errors
    /// [`VaultError::NoCredentials`], [`VaultError::InstanceKeyLost`], [`VaultError::Damaged`], or what the keychain or the
    /// disk refuses.
    pub fn unseal(&self, instance: &str) -> Result<BTreeMap<String, SecretString>, VaultError> {
        valid(instance)?;
        let (file, key) = self.locate(instance)?;
        file.open(&self.id, instance, &key)
    }

    /// Which fields of an instance are set and since when; asks for no key. Empty when it has no credentials.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Io`].
    pub fn sealed_fields(&self, instance: &str) -> Result<Vec<SealedField>, VaultError> {
        valid(instance)?;
        Ok(SealedFile::read(&self.sealed_files(), instance)?.map(|file| file.fields).unwrap_or_default())
    }

    /// Whether an instance has credentials here; that they open is not known before [`Vault::unseal`].
    pub fn exists(&self, instance: &str) -> bool {
        valid(instance).is_ok() && self.sealed_files().join(SealedFile::name(instance)).exists()
    }

    /// The instances that have credentials here, in no order.
    ///
    /// # Errors
    /// What the disk refuses.
    pub fn instances(&self) -> Result<Vec<String>, VaultError> {
        sealed_in(&self.sealed_files())
    }

    /// Destroys the key of an instance's credentials, then removes their file. Does nothing for one that has none.
    ///
    /// # Errors
    /// What the keychain or the disk refuses. When the key could not be destroyed the file stays.
    pub fn delete(&self, instance: &str) -> Result<(), VaultError> {
        valid(instance)?;
        let _lock = files::lock(&self.folder)?;
        self.holder.delete(&keys::of_instance(instance))?;
        files::remove(&self.sealed_files(), &SealedFile::name(instance))
    }

    /// The files of the vault as they lie there, by their name within its folder, for a backup: all that is sealed of these
    /// instances, and what describes the vault. Every key in them is wrapped under the recovery key or a passphrase; the keychain's
    /// entries are not among them.
    ///
    /// # Errors
    /// [`VaultError::NoVault`] when it was moved away, or what the disk refuses.
    pub fn copy(&self, instances: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<u8>>, VaultError> {
        // Nobody changes the passphrase or seals anything meanwhile.
        let _lock = files::lock(&self.folder)?;
        let mut copied = BTreeMap::new();
        for name in [VAULT_FILE, recovery::RECOVERY_FILE, keys::KEYS_FILE] {
            if let Some(content) = files::bytes(&self.folder, name)? {
                copied.insert(name.to_owned(), content);
            }
        }
        if !copied.contains_key(VAULT_FILE) {
            return Err(VaultError::NoVault);
        }
        for instance in instances {
            valid(instance)?;
            let name = SealedFile::name(instance);
            if let Some(content) = files::bytes(&self.sealed_files(), &name)? {
                copied.insert(format!("{INSTANCES}/{name}"), content);
            }
        }
        Ok(copied)
    }

    /// Whether a name is one that [`Vault::copy`] may give: none leads out of the vault's folder.
    pub fn is_file_name(name: &str) -> bool {
        let instance = || name.strip_prefix(INSTANCES)?.strip_prefix('/')?.strip_suffix(SealedFile::SUFFIX);
        [VAULT_FILE, recovery::RECOVERY_FILE, keys::KEYS_FILE].contains(&name) || instance().is_some_and(|id| valid(id).is_ok())
    }

    /// Looks at the files of a vault without any key: whether all that it needs is there and can be read. Says what holds its keys.
    ///
    /// # Errors
    /// [`VaultError::NoVault`], [`VaultError::Damaged`] with the file that is missing or not what it should be,
    /// [`VaultError::Newer`], [`VaultError::Io`].
    pub fn examine(folder: &Path) -> Result<Protection, VaultError> {
        let missing = |file: &str| VaultError::Damaged { file: file.to_owned() };
        let protection = Self::protection_of(folder)?.ok_or(VaultError::NoVault)?;
        if !recovery::kept(folder)? {
            return Err(missing(recovery::RECOVERY_FILE));
        }
        if protection == Protection::Passphrase && !KeyHolder::wrapped(folder)? {
            return Err(missing(keys::KEYS_FILE));
        }
        let sealed = folder.join(INSTANCES);
        for instance in sealed_in(&sealed)? {
            if !SealedFile::read(&sealed, &instance)?.is_some_and(|file| file.is_of(&instance)) {
                return Err(missing(&format!("{INSTANCES}/{}", SealedFile::name(&instance))));
            }
        }
        Ok(protection)
    }

    fn sealed_files(&self) -> PathBuf {
        self.folder.join(INSTANCES)
    }

    fn locate(&self, instance: &str) -> Result<(SealedFile, Key), VaultError> {
        let file = SealedFile::read(&self.sealed_files(), instance)?.ok_or(VaultError::NoCredentials)?;
        let key = self.holder.get(&keys::of_instance(instance))?.ok_or(VaultError::InstanceKeyLost)?;
        Ok((file, key))
    }
}

fn holder(folder: &Path, id: &str, unlock: &Unlock, derivation: Option<&Derivation>) -> Result<KeyHolder, VaultError> {
    Ok(match unlock {
        Unlock::Keychain(keychain) => KeyHolder::Keychain { keychain: keychain.clone(), vault: id.to_owned() },
        Unlock::Passphrase(passphrase) => {
            let derivation = derivation.ok_or_else(|| VaultError::Damaged { file: VAULT_FILE.to_owned() })?;
            KeyHolder::Passphrase { folder: folder.to_owned(), vault: id.to_owned(), wrapping: derivation.key(passphrase)? }
        }
    })
}

/// The instances that have a sealed file in this folder.
fn sealed_in(folder: &Path) -> Result<Vec<String>, VaultError> {
    let mut instances = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(instances),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let name = entry?.file_name();
        // Files that are being written begin with a dot, which no id does.
        if let Some(instance) = name.to_str().and_then(|name| name.strip_suffix(SealedFile::SUFFIX))
            && valid(instance).is_ok()
        {
            instances.push(instance.to_owned());
        }
    }
    Ok(instances)
}

/// Ids name files and keychain entries.
fn valid(instance: &str) -> Result<(), VaultError> {
    let right = (1..=64).contains(&instance.len()) && instance.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if right { Ok(()) } else { Err(VaultError::BadInstanceId) }
}
