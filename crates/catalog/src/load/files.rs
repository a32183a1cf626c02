//! The files of one application folder: embedded in the program, or read from a folder.

use super::source::Errors;
use crate::Place;
use std::{collections::BTreeMap, fs, io, path::Path};

/// The largest manifest file that is read from a user's folder, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The files of one application, by path within its folder.
#[derive(Debug)]
pub(super) enum Files {
    #[cfg(any(test, not(debug_assertions)))]
    Embedded(&'static include_dir::Dir<'static>),
    Read(BTreeMap<String, Vec<u8>>),
}

impl Files {
    /// Reads a folder of the disk: its TOML files, and the TOML and JSON files of its sandbox tenants.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        gather(folder, "", 0, &mut files)?;
        Ok(Self::Read(files))
    }

    fn bytes(&self, path: &str) -> Option<&[u8]> {
        match self {
            #[cfg(any(test, not(debug_assertions)))]
            Self::Embedded(dir) => dir.get_file(dir.path().join(path)).map(include_dir::File::contents),
            Self::Read(files) => files.get(path).map(Vec::as_slice),
        }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.bytes(path).is_some()
    }

    /// The text of a file; `None` when it is not there or, reported, when it is not UTF-8.
    pub(super) fn text(&self, path: &str, folder: &str, errors: &Errors) -> Option<&str> {
        let text = std::str::from_utf8(self.bytes(path)?);
        if text.is_err() {
            errors.add(&Place { file: format!("{folder}/{path}").into(), line: 1 }, "the file is not UTF-8 text; save it as UTF-8");
        }
        text.ok()
    }

    /// The names of the sandbox tenants, sorted.
    pub(super) fn tenants(&self) -> Vec<String> {
        let mut names: Vec<String> = match self {
            #[cfg(any(test, not(debug_assertions)))]
            Self::Embedded(dir) => dir
                .get_dir(dir.path().join("sandbox"))
                .map(|sandbox| sandbox.dirs().filter_map(|tenant| Some(tenant.path().file_name()?.to_str()?.to_owned())).collect())
                .unwrap_or_default(),
            Self::Read(files) => files
                .keys()
                .filter_map(|path| path.strip_prefix("sandbox/")?.split_once('/').map(|(tenant, _)| tenant.to_owned()))
                .collect(),
        };
        names.sort();
        names.dedup();
        names
    }
}

/// Folders lie at most `sandbox/<tenant>/<folder>` deep; links are not followed out of the folder.
fn gather(folder: &Path, prefix: &str, depth: u8, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = format!("{prefix}{name}");
        if kind.is_dir() && depth < 3 {
            gather(&entry.path(), &format!("{path}/"), depth + 1, files)?;
        } else if kind.is_file() && (name.ends_with(".toml") || name.ends_with(".json")) {
            if entry.metadata()?.len() > LARGEST {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{path} is larger than {LARGEST} bytes")));
            }
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
