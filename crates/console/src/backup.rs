//! Backups: one file with everything that is stored, none of it readable without the keys.
//!
//! The file is a tar archive without compression: first [`MANIFEST`], then exactly the parts that it lists, in that order. The
//! database is a copy under its own key; the sealed files and the wrapped keys are those of the vault's folder. Keys that the system's
//! keychain holds are not in it, so it opens for the user whose keychain has them; for anybody else with the recovery key alone, which
//! opens the database but no credential.

use crate::{
    Console,
    console::Open,
    data_folder::{self, COPYING},
    mail,
    screen::{BackedUp, Failure, Protection},
    start::{DATABASE, VAULT, user},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, BufWriter, Cursor, Read, Write},
    path::Path,
};
use store::{Act, Digested, copy_digested};
use tar::{Builder, EntryType, Header};

/// The first entry.
pub(crate) const MANIFEST: &str = "manifest.json";
/// What the manifest calls itself.
pub(crate) const FORMAT: &str = "posture-console-backup";
/// Version of the format; a larger one is refused.
pub(crate) const VERSION: u32 = 1;

/// What a backup says of itself. Only its own parts can vouch for it: the database and the sealed files are authenticated by their keys.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: String,
    pub(crate) version: u32,
    /// The release that wrote it.
    pub(crate) product: String,
    /// The database's schema, and the oldest schema whose release can read it.
    pub(crate) schema: u32,
    pub(crate) oldest_reader: u32,
    pub(crate) at: Timestamp,
    pub(crate) protection: Protection,
    pub(crate) parts: Vec<Part>,
}

/// A file of the backup.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Where it belongs in the data folder, with `/` between folders.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Small hexadecimal letters.
    pub(crate) sha256: String,
}

impl Part {
    fn new(name: String, digested: Digested) -> Self {
        Self { name, bytes: digested.bytes, sha256: digested.sha256 }
    }
}

impl Console {
    /// Writes everything that is stored to one file, as it is at one moment; scans go on meanwhile. A file of that name is replaced
    /// once the new one is complete, and is as it was when anything fails.
    ///
    /// # Errors
    /// When the console is locked, the file cannot be written or would lie in the data folder, the disk is full, or the database is
    /// damaged.
    pub async fn back_up(&self, path: &Path) -> Result<BackedUp, Failure> {
        let (path, data_folder, now) = (path.to_owned(), self.inner.options.data_folder.clone(), self.now());
        self.with_open(move |open| {
            let bytes = write(&open, &data_folder, &path, now)?;
            let shown = path.display().to_string();
            crate::instances::note(&open.store, &Act::new(now, user(), "backup written", shown.clone()));
            Ok(BackedUp { path: shown, bytes: bytes as f64, opens: opens(open.protection).to_owned() })
        })
        .await
    }
}

impl Console {
    /// What a backup of today may be called.
    pub fn backup_name(&self) -> String {
        format!("posture-backup-{}.tar", self.now().strftime("%Y-%m-%d"))
    }
}

/// Who can open a backup.
fn opens(protection: Protection) -> &'static str {
    match protection {
        Protection::Keychain => {
            "Its keys are not in it: it opens on this computer, for the user whose keychain holds them; elsewhere the recovery key opens everything but the credentials, which are then entered again."
        }
        Protection::Passphrase => {
            "It opens with the passphrase that holds today; without it the recovery key opens everything but the credentials, which are then entered again."
        }
    }
}

fn write(open: &Open, data_folder: &Path, path: &Path, now: Timestamp) -> Result<u64, Failure> {
    let unwritten = |error: io::Error| unwritten(path, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = folder.canonicalize().map_err(unwritten)?.starts_with(data_folder.canonicalize().map_err(unwritten)?);
    if inside {
        return Err(Failure::new(
            "E-BACKUP-PLACE",
            "A backup in the data folder itself would be lost together with it.",
            "Choose a folder outside of it, best on another disk.",
        ));
    }
    // Beside the data, where such files lie already; the file itself beside its target, so that it can take its name at once.
    let scratch = data_folder::aside(data_folder, COPYING).map_err(unwritten)?;
    let copy = scratch.path().join(DATABASE);
    let database = open.store.copy_to(&copy)?;
    // Those of the copy alone: an instance that is added meanwhile would leave credentials that belong to nobody.
    let mail = open.vault.exists(mail::SEALED).then(|| mail::SEALED.to_owned());
    let sealed = open.vault.copy(&database.instances.iter().map(ToString::to_string).chain(mail).collect())?;

    let digested = File::open(&copy).and_then(|mut file| copy_digested(&mut file, &mut io::sink())).map_err(unwritten)?;
    let mut parts = vec![Part::new(DATABASE.to_owned(), digested)];
    for (name, content) in &sealed {
        let digested = copy_digested(&mut content.as_slice(), &mut io::sink()).map_err(unwritten)?;
        parts.push(Part::new(format!("{VAULT}/{name}"), digested));
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        product: env!("CARGO_PKG_VERSION").to_owned(),
        schema: database.schema,
        oldest_reader: database.oldest_reader,
        at: now,
        protection: open.protection,
        parts,
    };
    let file = tempfile::NamedTempFile::new_in(folder).map_err(unwritten)?;
    archive(&file, &manifest, &copy, sealed.into_values()).map_err(unwritten)?;
    file.as_file().sync_all().map_err(unwritten)?;
    let bytes = file.as_file().metadata().map_err(unwritten)?.len();
    file.persist(path).map_err(|error| unwritten(error.error))?;
    data_folder::sync_folder(folder).map_err(unwritten)?;
    Ok(bytes)
}

/// Writes the manifest and its parts, in its order.
fn archive(file: &tempfile::NamedTempFile, manifest: &Manifest, copy: &Path, sealed: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    let mut builder = Builder::new(BufWriter::with_capacity(128 * 1024, file.as_file()));
    let mut append = |name: &str, bytes: u64, content: &mut dyn Read| {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(manifest.at.as_second()).unwrap_or_default());
        builder.append_data(&mut header, name, content)
    };
    let text = serde_json::to_vec_pretty(manifest)?;
    append(MANIFEST, text.len() as u64, &mut text.as_slice())?;
    let contents = sealed.map(|content| Box::new(Cursor::new(content)) as Box<dyn Read>);
    let database: Box<dyn Read> = Box::new(File::open(copy)?);
    for (part, mut content) in manifest.parts.iter().zip(std::iter::once(database).chain(contents)) {
        append(&part.name, part.bytes, &mut content)?;
    }
    builder.into_inner()?.flush()
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Failure::new(
            "E-DISK-FULL",
            format!("The disk is full: the backup {} could not be written, and nothing is left of it.", path.display()),
            "Free some space, there and on the disk of the data folder, which each take as much as the database, or choose another disk.",
        );
    }
    Failure::new(
        "E-BACKUP",
        format!("The backup {} could not be written: {error}.", path.display()),
        "Choose another folder, or check that you may write to it.",
    )
}
