//! Opening, locking and recovering what is stored.

use crate::{
    Console,
    console::{Open, blocking},
    data_folder::{self, InUse},
    instances::note,
    options::Options,
    screen::{Failure, Keychain, Preference, Protection, RecoveryKeyShown, Start, StartState},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, atomic::Ordering},
};
use store::{Act, Store};
use vault::{KeychainState, RecoveryKey, Unlock, Vault};

/// The database's file in the data folder.
pub(crate) const DATABASE: &str = "posture.db";
/// Folder of the sealed files.
pub(crate) const VAULT: &str = "vault";
/// Set once the sandbox was offered, whatever was answered.
pub(crate) const SANDBOX_OFFERED: &str = "sandbox_offered";
/// When the window was last used.
pub(crate) const LAST_VISIT: &str = "last_visit";
/// The longest value a preference may have: the window keeps choices there, not data.
const PREFERENCE_BYTES: usize = 16 * 1024;

impl Console {
    /// Where the console stands; opens the data when the keychain holds its key.
    ///
    /// # Errors
    /// When the data folder cannot be read. A database that does not open is a [`StartState::Blocked`], not an error.
    pub async fn start(&self) -> Result<Start, Failure> {
        let options = self.inner.options.clone();
        let opened = self.opened();
        let locked = self.inner.locked.load(Ordering::SeqCst);
        let (state, open, keychain) = blocking(move || Ok(look(&options, opened, locked))).await?;
        if open.is_some() {
            self.set_open(open);
        }
        let mut preferences = Vec::new();
        let mut sandbox_offered = false;
        if self.opened().is_some() {
            let stored = self.with_open(|open| Ok(open.store.preferences()?)).await?;
            sandbox_offered = stored.contains_key(SANDBOX_OFFERED);
            preferences = stored.into_iter().map(|(key, value)| Preference { key, value: value.to_string() }).collect();
        }
        Ok(Start {
            state,
            data_folder: self.inner.options.data_folder.display().to_string(),
            keychain,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            preferences,
            sandbox_offered,
        })
    }

    /// Creates the database and its protection. The recovery key is given this once.
    ///
    /// # Errors
    /// When there is a database already, the keychain or the passphrase cannot be used, or the disk refuses.
    pub async fn first_start(&self, protection: Protection, passphrase: Option<SecretString>) -> Result<RecoveryKeyShown, Failure> {
        let unlock = self.unlock_with(protection, passphrase)?;
        let options = self.inner.options.clone();
        let now = self.now();
        let (open, recovery) = blocking(move || {
            std::fs::create_dir_all(&options.data_folder).map_err(|error| folder(&options.data_folder, &error))?;
            let in_use = data_folder::hold(&options.data_folder)?;
            // A database without its keys would be locked away for ever under new ones.
            if options.data_folder.join(DATABASE).exists() {
                return Err(Failure::new(
                    "E-DB-KEYS-MISSING",
                    "There is a database in the data folder, but the files with its keys are missing.",
                    "Restore the folder \"vault\" from a backup, or move the database away to begin anew.",
                ));
            }
            let (vault, recovery) = Vault::create(&vault_folder(&options), &unlock)?;
            let open = open_store(&options, Arc::new(vault), protection, in_use)?;
            open.store.record_act(&Act::new(now, user(), "database created", ""))?;
            Ok((open, recovery))
        })
        .await?;
        self.set_open(Some(open));
        Ok(RecoveryKeyShown { groups: recovery.groups().iter().map(|group| group.expose_secret().to_owned()).collect() })
    }

    /// Opens what a passphrase protects, or what was locked; the keychain then stands for the passphrase, which is not looked at.
    ///
    /// # Errors
    /// When the passphrase is not right, the keychain is not there, or the database does not open.
    pub async fn unlock(&self, passphrase: SecretString) -> Result<Start, Failure> {
        let options = self.inner.options.clone();
        let open = blocking(move || {
            let in_use = data_folder::enter(&options.data_folder)?.ok_or(vault::VaultError::NoVault)?;
            let (unlock, protection) = match Vault::protection_of(&vault_folder(&options))? {
                Some(vault::Protection::Keychain) => (Unlock::Keychain(Arc::clone(&options.keychain)), Protection::Keychain),
                Some(vault::Protection::Passphrase) | None => (Unlock::Passphrase(passphrase), Protection::Passphrase),
            };
            let vault = Vault::open(&vault_folder(&options), &unlock).map_err(|error| Failure::from(error).on_field("passphrase"))?;
            open_store(&options, Arc::new(vault), protection, in_use)
        })
        .await?;
        self.after_opening(open).await
    }

    /// Opens the database with the recovery key, and lets the keychain or a new passphrase hold its key again.
    ///
    /// # Errors
    /// When the key is mistyped or another one's, the passphrase is too short, or there is no keychain to hold it.
    pub async fn recover(
        &self,
        recovery_key: SecretString,
        protection: Protection,
        passphrase: Option<SecretString>,
    ) -> Result<Start, Failure> {
        // What opens without the recovery key must not lose the keys of its credentials to it.
        if matches!(self.start().await?.state, StartState::Ready { .. }) {
            return Err(Failure::new(
                "E-RECOVERY-NEEDLESS",
                "The database opens without the recovery key, so nothing was changed.",
                "Keep the recovery key for the day on which the keychain or the passphrase is lost.",
            ));
        }
        let unlock = self.unlock_with(protection, passphrase)?;
        let options = self.inner.options.clone();
        let now = self.now();
        let open = blocking(move || {
            let in_use = data_folder::enter(&options.data_folder)?.ok_or(vault::VaultError::NoVault)?;
            let on_field = |error: vault::VaultError| Failure::from(error).on_field("recovery_key");
            let key = RecoveryKey::parse(&recovery_key).map_err(on_field)?;
            let vault = Vault::recover(&vault_folder(&options), &key, &unlock).map_err(on_field)?;
            let open = open_store(&options, Arc::new(vault), protection, in_use)?;
            note(&open.store, &Act::new(now, user(), "database recovered", "with the recovery key"));
            Ok(open)
        })
        .await?;
        self.after_opening(open).await
    }

    /// Forgets the keys until the next unlock or the next start of the program.
    ///
    /// # Errors
    /// While a job runs, which needs them.
    pub async fn lock(&self) -> Result<Start, Failure> {
        if self.inner.jobs.any() {
            return Err(Failure::new(
                "E-JOBS-RUNNING",
                "A scan is running, which needs the keys.",
                "Cancel it, or wait until it has finished.",
            ));
        }
        self.set_open(None);
        self.inner.locked.store(true, Ordering::SeqCst);
        self.start().await
    }

    /// Remembers a choice of the window.
    ///
    /// # Errors
    /// When the value is not JSON or longer than 16 KiB, or the database refuses.
    pub async fn set_preference(&self, key: String, value: String) -> Result<(), Failure> {
        if value.len() > PREFERENCE_BYTES {
            return Err(Failure::new("E-PREFERENCE", "This choice is too long to be remembered.", "Shorten it."));
        }
        let value: serde_json::Value = serde_json::from_str(&value).map_err(|error| {
            Failure::new("E-PREFERENCE", format!("This choice is not JSON: {error}."), "Report it; nothing was changed.")
        })?;
        self.with_open(move |open| Ok(open.store.set_preference(&key, &value)?)).await
    }

    /// Marks the present time as the last visit.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn seen(&self) -> Result<(), Failure> {
        let now = self.now().to_string();
        self.with_open(move |open| Ok(open.store.set_preference(LAST_VISIT, &now.into())?)).await
    }

    async fn after_opening(&self, open: Open) -> Result<Start, Failure> {
        self.set_open(Some(open));
        self.inner.locked.store(false, Ordering::SeqCst);
        self.start().await
    }

    fn unlock_with(&self, protection: Protection, passphrase: Option<SecretString>) -> Result<Unlock, Failure> {
        match (protection, passphrase) {
            (Protection::Keychain, _) => Ok(Unlock::Keychain(Arc::clone(&self.inner.options.keychain))),
            (Protection::Passphrase, Some(passphrase)) => Ok(Unlock::Passphrase(passphrase)),
            (Protection::Passphrase, None) => {
                Err(Failure::new("E-PASSPHRASE-SHORT", "No passphrase was given.", "Type one of at least twelve characters.")
                    .on_field("passphrase"))
            }
        }
    }
}

/// What is there, and what of it opens without being asked for anything.
fn look(options: &Options, opened: Option<Open>, locked: bool) -> (StartState, Option<Open>, Keychain) {
    if let Some(open) = opened {
        return (StartState::Ready { protection: open.protection }, None, Keychain::Usable);
    }
    let keychain = keychain(options);
    // First of all: what a restore left unfinished is finished before anything is looked at.
    let in_use = match data_folder::enter(&options.data_folder) {
        Ok(Some(in_use)) => in_use,
        Ok(None) => return (StartState::FirstStart, None, keychain),
        Err(failure) => return (StartState::Blocked { failure, recovery: false }, None, keychain),
    };
    match Vault::protection_of(&vault_folder(options)) {
        Ok(None) => (StartState::FirstStart, None, keychain),
        Ok(Some(vault::Protection::Passphrase)) => (StartState::Locked { protection: Protection::Passphrase }, None, keychain),
        Ok(Some(vault::Protection::Keychain)) if locked => (StartState::Locked { protection: Protection::Keychain }, None, keychain),
        Ok(Some(vault::Protection::Keychain)) => {
            if let Keychain::Absent { failure } | Keychain::Locked { failure } = &keychain {
                let failure = failure.clone();
                return (StartState::Blocked { failure, recovery: false }, None, keychain);
            }
            let opening = Vault::open(&vault_folder(options), &Unlock::Keychain(Arc::clone(&options.keychain)))
                .map_err(|error| {
                    let recovery = matches!(error, vault::VaultError::DatabaseKeyLost);
                    (Failure::from(error), recovery)
                })
                .and_then(|vault| open_store(options, Arc::new(vault), Protection::Keychain, in_use).map_err(|failure| (failure, false)));
            match opening {
                Ok(open) => (StartState::Ready { protection: Protection::Keychain }, Some(open), keychain),
                Err((failure, recovery)) => (StartState::Blocked { failure, recovery }, None, keychain),
            }
        }
        Err(error) => (StartState::Blocked { failure: error.into(), recovery: false }, None, keychain),
    }
}

fn keychain(options: &Options) -> Keychain {
    let state = vault::probe(options.keychain.as_ref());
    match (&state, state.error()) {
        (KeychainState::Usable, _) | (_, None) => Keychain::Usable,
        (KeychainState::Locked, Some(error)) => Keychain::Locked { failure: error.into() },
        (KeychainState::Absent | KeychainState::Failed(_), Some(error)) => Keychain::Absent { failure: error.into() },
    }
}

pub(crate) fn open_store(options: &Options, vault: Arc<Vault>, protection: Protection, in_use: InUse) -> Result<Open, Failure> {
    let store = Store::open(&options.data_folder.join(DATABASE), vault.database_key())?;
    let cut = store.mark_cut_scans(options.clock.now())?;
    if !cut.is_empty() {
        tracing::info!(scans = cut.len(), "scans that ended without a word are marked as cut");
    }
    remove_ownerless(&store, &vault);
    data_folder::record(&options.data_folder, &store);
    // What turned before is in the list of instances; nobody is told of it now.
    let told = Arc::new(Mutex::new(store.newest_turn()?));
    Ok(Open { store, vault, protection, told, _in_use: Arc::new(in_use) })
}

/// Removes credentials of instances that are not there: their onboarding ended without a word between sealing and storing.
/// What cannot be removed now is tried again on the next opening, and bars nobody from the data.
fn remove_ownerless(store: &Store, vault: &Vault) {
    let remove = |sealed: &str| match sealed.parse() {
        Ok(id) => store.without_instance(id, || Ok::<_, Failure>(vault.delete(sealed)?)),
        // Not a file of ours.
        Err(_) => Ok(false),
    };
    let removed = vault.instances().map_err(Failure::from).and_then(|sealed| {
        // One that fails must not keep the others.
        let results: Vec<Result<bool, Failure>> = sealed.iter().map(|sealed| remove(sealed)).collect();
        results.into_iter().try_fold(0_u32, |removed, result| Ok(removed + u32::from(result?)))
    });
    match removed {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "credentials that belong to no instance are removed"),
        Err(failure) => tracing::warn!(code = failure.code, "credentials that belong to no instance could not be removed"),
    }
}

pub(crate) fn vault_folder(options: &Options) -> PathBuf {
    options.data_folder.join(VAULT)
}

pub(crate) fn folder(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(
        "E-DATA-FOLDER",
        format!("The data folder {} cannot be used: {error}.", path.display()),
        "Make it writable, or give another with --data-folder.",
    )
}

/// The operating system's user, for the activity log.
pub(crate) fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| "this user".into())
}
