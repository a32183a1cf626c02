//! Restoring a backup: everything is verified before anything is touched, and what was there is moved aside, never removed.
//!
//! What a restore means for the keys. The vault of the backup comes with its id, under which the keychain files its entries. On the
//! computer and for the user that made the backup the entries are there, and the data opens as before. An instance that was deleted
//! since comes back with its findings and without its credentials: deleting destroyed their key, which no backup holds, so it says
//! that they are to be entered again (Reauthenticate). The same holds for credentials that the vendor replaced since, such as refresh
//! tokens that are good for one use. For another user, or on another computer, the keychain has none of the entries: the console is
//! Blocked until the recovery key opens the database, and then every instance wants to be reauthenticated. Under a passphrase the
//! wrapped keys are part of the backup: it is the passphrase of that time that opens it, and it opens credentials of instances that
//! were deleted since. In no case is anything lost: the data that was there lies whole in the folder `replaced-…`, and entries of the
//! keychain are neither written nor removed.

use crate::{
    Console,
    backup::{FORMAT, MANIFEST, Manifest, Part, VERSION},
    console::blocking,
    data_folder::{self, Origin, UNPACKING},
    options::Options,
    screen::{Failure, Protection, Start},
    start::{DATABASE, VAULT, open_store, user},
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, BufReader, Read},
    path::Path,
    sync::Arc,
};
use store::{DatabaseCopy, SCHEMA, StoreError, copy_digested, examine_copy};
use tar::{Archive, Entry, EntryType};
use vault::{LARGEST_FILE, Unlock, Vault, VaultError};

/// The longest manifest, in bytes; one names each instance in about two hundred.
const LONGEST_MANIFEST: u64 = 4 * 1024 * 1024;
/// The most parts.
const MOST_PARTS: usize = 10_000;

impl Console {
    /// Puts a backup in the place of everything that is stored, and says where the console stands then: Ready where the keychain
    /// holds its keys, Locked where a passphrase does, and Blocked with the recovery key as the way out where neither is there. What
    /// was stored before is kept in a folder `replaced-…` of the data folder. Works also while nothing is stored yet, and while what
    /// is stored cannot be opened.
    ///
    /// # Errors
    /// When a job runs, somebody else has the data open, or the file is not a whole backup that this release can read: nothing is
    /// changed then. The same when it cannot be put in place.
    pub async fn restore(&self, path: &Path) -> Result<Start, Failure> {
        self.refuse_while_working()?;
        let (options, opened, backup) = (self.inner.options.clone(), self.opened(), path.to_owned());
        let (staged, at) = blocking(move || unpack(&options, opened.as_ref().map(|open| open.vault.as_ref()), &backup)).await?;
        self.refuse_while_working()?;

        let kept = self.opened().map(|open| (open.vault, open.protection));
        self.set_open(None);
        let origin = Origin { at: self.now(), who: user(), detail: format!("{}, of {at:.0}", path.display()) };
        let options = self.inner.options.clone();
        let replaced = blocking(move || match data_folder::alone(&options.data_folder)? {
            Some(alone) => data_folder::replace(&options.data_folder, staged, origin, &alone),
            None => Err(data_folder::in_use()),
        })
        .await;
        if let Err(failure) = replaced {
            // It was open, also by a passphrase that nobody types again now.
            if let Some((vault, protection)) = kept {
                let options = self.inner.options.clone();
                let open = blocking(move || open_store(&options, vault, protection, data_folder::hold(&options.data_folder)?)).await?;
                self.set_open(Some(open));
            }
            return Err(failure);
        }
        self.start().await
    }

    pub(crate) fn refuse_while_working(&self) -> Result<(), Failure> {
        if !self.inner.jobs.any() {
            return Ok(());
        }
        Err(Failure::new(
            "E-JOBS-RUNNING",
            "A scan is running, and what it reads would be lost.",
            "Cancel it, or wait until it has finished.",
        ))
    }
}

/// Unpacks a backup beside the data and verifies all of it; gives the folder, and when the backup was made.
fn unpack(options: &Options, open: Option<&Vault>, backup: &Path) -> Result<(tempfile::TempDir, jiff::Timestamp), Failure> {
    let data_folder = &options.data_folder;
    let unusable = |error: io::Error| if is_full(&error) { full() } else { crate::start::folder(data_folder, &error) };
    fs::create_dir_all(data_folder).map_err(unusable)?;
    // Whoever starts meanwhile does not take what is unpacked for a leftover.
    let _in_use = data_folder::hold(data_folder)?;
    let staged = data_folder::aside(data_folder, UNPACKING).map_err(unusable)?;

    let unread = |error: io::Error| {
        Failure::new(
            "E-BACKUP-READ",
            format!("The backup {} could not be read: {error}.", backup.display()),
            "Check that the file is there and that you may read it.",
        )
    };
    let file = OpenOptions::new().read(true).open(backup).map_err(unread)?;
    let metadata = file.metadata().map_err(unread)?;
    if !metadata.is_file() {
        return Err(no_backup());
    }
    let mut archive = Archive::new(BufReader::with_capacity(128 * 1024, file));
    // Raw: extensions of the format, which could name other files or sizes, are entries of a kind that is refused below.
    let mut entries = archive.entries().map_err(unread)?.raw(true);
    let manifest = match entries.next() {
        Some(Ok(entry)) => manifest(entry, metadata.len())?,
        Some(Err(_)) | None => return Err(no_backup()),
    };
    for part in &manifest.parts {
        match entries.next() {
            Some(Ok(entry)) => unpack_part(entry, part, staged.path())?,
            Some(Err(_)) | None => return Err(damaged(&part.name)),
        }
    }
    match entries.next() {
        None => {}
        Some(_) => return Err(damaged("its end")),
    }
    for folder in [staged.path().join(VAULT).join("instances"), staged.path().join(VAULT), staged.path().to_owned()] {
        data_folder::sync_folder(&folder).map_err(unusable)?;
    }
    examine(options, open, &manifest, staged.path())?;
    Ok((staged, manifest.at))
}

/// The manifest, once it is known to list parts of ours alone, within bounds.
fn manifest(entry: Entry<'_, impl Read>, file: u64) -> Result<Manifest, Failure> {
    #[derive(Deserialize)]
    struct Kind {
        format: String,
        version: u32,
        product: String,
    }
    let size = entry.size();
    if *entry.path_bytes() != *MANIFEST.as_bytes() || entry.header().entry_type() != EntryType::Regular || size > LONGEST_MANIFEST {
        return Err(no_backup());
    }
    let mut text = Vec::new();
    let read = entry.take(size).read_to_end(&mut text);
    if read.is_err() || text.len() as u64 != size {
        return Err(damaged(MANIFEST));
    }
    let kind: Kind = serde_json::from_slice(&text).map_err(|_| no_backup())?;
    if kind.format != FORMAT {
        return Err(no_backup());
    }
    // Before the rest is read, which may look otherwise there.
    if kind.version > VERSION {
        return Err(newer(&kind.product));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| damaged(MANIFEST))?;
    if manifest.oldest_reader > SCHEMA {
        return Err(newer(&manifest.product));
    }
    let mut names = BTreeSet::new();
    let right = |part: &Part| {
        let in_vault = |name: &str| part.bytes <= LARGEST_FILE && Vault::is_file_name(name);
        part.name == DATABASE || part.name.strip_prefix(VAULT).and_then(|name| name.strip_prefix('/')).is_some_and(in_vault)
    };
    let whole = manifest.parts.len() <= MOST_PARTS
        && manifest.parts.iter().all(|part| right(part) && names.insert(part.name.as_str()))
        && names.contains(DATABASE);
    // No archive is shorter than what is in it.
    let bytes = manifest.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.bytes));
    if whole && bytes.is_some_and(|bytes| bytes < file) { Ok(manifest) } else { Err(damaged(MANIFEST)) }
}

/// Writes a part to its place in the folder, if it is the one that the manifest tells.
fn unpack_part(mut entry: Entry<'_, impl Read>, part: &Part, staged: &Path) -> Result<(), Failure> {
    let told = *entry.path_bytes() == *part.name.as_bytes()
        && entry.header().entry_type() == EntryType::Regular
        && entry.header().entry_size().is_ok_and(|bytes| bytes == part.bytes);
    if !told {
        return Err(damaged(&part.name));
    }
    let unwritten = |error: io::Error| {
        if is_full(&error) {
            return full();
        }
        // The archive ends early, or the folder refuses: which of both, the sentence tells.
        Failure {
            sentence: format!("{} of the backup could not be unpacked: {error}. Nothing was changed.", part.name),
            ..damaged(&part.name)
        }
    };
    // Of names that were held against a list: none leads out of the folder.
    let path = staged.join(&part.name);
    data_folder::make_private(&staged.join(VAULT).join("instances")).map_err(unwritten)?;
    let mut file = data_folder::private(OpenOptions::new().write(true).create_new(true), &path).map_err(unwritten)?;
    let digested = copy_digested(&mut entry.by_ref().take(part.bytes), &mut file).map_err(unwritten)?;
    if (digested.bytes, &digested.sha256) != (part.bytes, &part.sha256) {
        return Err(damaged(&part.name));
    }
    file.sync_all().map_err(unwritten)
}

/// Holds what was unpacked against itself and, where a key of it is at hand, against that.
fn examine(options: &Options, open: Option<&Vault>, manifest: &Manifest, staged: &Path) -> Result<(), Failure> {
    let unfit = |error: VaultError| {
        if let VaultError::Damaged { file } = &error {
            return damaged(&format!("{VAULT}/{file}"));
        }
        if matches!(error, VaultError::Newer { .. }) {
            return newer(&manifest.product);
        }
        if matches!(error, VaultError::NoVault) { damaged("vault/vault.json") } else { error.into() }
    };
    let folder = staged.join(VAULT);
    let protection = match Vault::examine(&folder).map_err(unfit)? {
        vault::Protection::Keychain => Protection::Keychain,
        vault::Protection::Passphrase => Protection::Passphrase,
    };
    if protection != manifest.protection {
        return Err(damaged(MANIFEST));
    }
    let of_keychain = match protection {
        // That it holds no key of this vault, or cannot be asked, is no fault of the backup.
        Protection::Keychain => Vault::open(&folder, &Unlock::Keychain(Arc::clone(&options.keychain))).ok(),
        Protection::Passphrase => None,
    };
    let database = |vault: &Vault| examine_copy(&staged.join(DATABASE), vault.database_key());
    match (&of_keychain, open) {
        (Some(vault), _) => examined(database(vault), manifest),
        // The key that is open now may be that of the backup too.
        (None, Some(vault)) => match database(vault) {
            Err(StoreError::WrongKey) => Ok(()),
            found => examined(found, manifest),
        },
        (None, None) => Ok(()),
    }
}

fn examined(found: Result<DatabaseCopy, StoreError>, manifest: &Manifest) -> Result<(), Failure> {
    match found {
        Ok(copy) if (copy.schema, copy.oldest_reader) == (manifest.schema, manifest.oldest_reader) => Ok(()),
        Ok(_) | Err(StoreError::Damaged | StoreError::WrongKey) => Err(damaged(DATABASE)),
        Err(StoreError::Newer { .. }) => Err(newer(&manifest.product)),
        Err(other) => Err(other.into()),
    }
}

fn no_backup() -> Failure {
    Failure::new(
        "E-BACKUP-FORMAT",
        "This file is no backup of Posture Console; nothing was changed.",
        "Choose a file that \"Back up\" or `posture backup` wrote.",
    )
}

fn damaged(part: &str) -> Failure {
    Failure::new(
        "E-BACKUP-DAMAGED",
        format!("The backup is damaged: {part} is not what was written. Nothing was changed."),
        "Copy the file anew from where it was kept, or restore an earlier backup.",
    )
}

fn newer(product: &str) -> Failure {
    // Of the file, and perhaps of somebody else.
    let product: String = product.chars().filter(|letter| letter.is_ascii_alphanumeric() || ".-+".contains(*letter)).take(40).collect();
    Failure::new(
        "E-BACKUP-NEWER",
        format!(
            "The backup was written by Posture Console {product}, whose data this version ({}) cannot read; nothing was changed.",
            env!("CARGO_PKG_VERSION")
        ),
        "Install the newest version of Posture Console and restore it there.",
    )
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn full() -> Failure {
    Failure::new(
        "E-DISK-FULL",
        "The disk is full: the backup could not be unpacked, and nothing was changed.",
        "Free some space on the disk that holds the data folder and try again.",
    )
}
