//! Files that are there whole or not at all, for their owner's eyes only.

use crate::{VaultError, random};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Version of every file of this crate. A larger one is refused.
pub(crate) const FORMAT: u32 = 1;

/// Creates a folder that only its owner may enter.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Opens a file for writing that only its owner may read.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Writes a file beside the old one, forces it to the disk and puts it in the old one's place.
pub(crate) fn replace(folder: &Path, name: &str, content: &impl Serialize) -> Result<(), VaultError> {
    let text = serde_json::to_vec_pretty(content).map_err(|error| VaultError::Io(error.into()))?;
    let temporary = folder.join(format!(".{name}.{}", hex::encode(random::bytes::<6>()?)));
    let written = (|| {
        let mut file = private(OpenOptions::new().write(true).create_new(true), &temporary)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&temporary, folder.join(name))?;
        sync_folder(folder)
    })();
    if let Err(error) = written {
        // What was left half written is of no use to anyone; that it may stay changes nothing about the error.
        let _ = fs::remove_file(&temporary);
        return Err(error.into());
    }
    Ok(())
}

/// Removes a file, if it is there.
pub(crate) fn remove(folder: &Path, name: &str) -> Result<(), VaultError> {
    match fs::remove_file(folder.join(name)) {
        Ok(()) => Ok(sync_folder(folder)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A renamed or removed file is on the disk when its folder is; only Unix lets a folder be forced out.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Largest file that is read, in bytes; ours are a few kilobytes.
pub const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Reads a file of ours as it lies there; `None` when it is not there.
pub(crate) fn bytes(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
    let path = folder.join(name);
    let size = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if size > LARGEST_FILE {
        return Err(VaultError::Damaged { file: name.to_owned() });
    }
    Ok(Some(fs::read(&path)?))
}

/// Reads a file of ours; `None` when it is not there.
pub(crate) fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>, VaultError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let damaged = || VaultError::Damaged { file: name.to_owned() };
    let Some(text) = bytes(folder, name)? else { return Ok(None) };
    let version: Version = serde_json::from_slice(&text).map_err(|_| damaged())?;
    if version.format > FORMAT {
        return Err(VaultError::Newer { file: name.to_owned() });
    }
    serde_json::from_slice(&text).map(Some).map_err(|_| damaged())
}

/// Holds other processes back until it is dropped.
pub(crate) fn lock(folder: &Path) -> Result<File, VaultError> {
    let file = private(OpenOptions::new().write(true).create(true).truncate(false), &folder.join("vault.lock"))?;
    file.lock()?;
    Ok(file)
}
