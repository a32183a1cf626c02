//! Where the console keeps its data, and what it takes from outside.

use crate::screen::Failure;
use connect::Clock;
use jiff::tz::TimeZone;
use std::{path::PathBuf, sync::Arc};
use vault::Keychain;

/// The folder below [`Options::settings_folder`] with applications and checks of the user's own.
pub(crate) const CATALOG: &str = "catalog";

/// What a [`crate::Console`] is made of. Time and keychain are passed in.
#[derive(Clone)]
pub struct Options {
    /// Folder of the database and the sealed files; made when it is not there.
    pub data_folder: PathBuf,
    /// Folder with applications of the user's own.
    pub catalog_folder: Option<PathBuf>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What holds the keys.
    pub keychain: Arc<dyn Keychain>,
    /// The time zone of schedules.
    pub zone: TimeZone,
    /// What opens the system browser, for login options that sign in there.
    pub browser: Arc<dyn connect::Browser>,
    /// Removed with the console, for a scratch folder.
    pub(crate) scratch: Option<Arc<tempfile::TempDir>>,
}

impl Options {
    /// This user's data folder, own catalog, system clock and keychain.
    ///
    /// # Errors
    /// When the system tells no home folder.
    pub fn for_this_user() -> Result<Self, Failure> {
        let Some(folders) = directories::ProjectDirs::from("com", "Posture Console", "posture-console") else {
            return Err(Failure::new("E-HOME", "This user has no home folder.", "Give one with --data-folder, or set HOME."));
        };
        let mut options = Self::in_folder(folders.data_local_dir().to_path_buf());
        let catalog = folders.config_dir().join(CATALOG);
        options.catalog_folder = catalog.is_dir().then_some(catalog);
        Ok(options)
    }

    /// Where a person puts files for the console to read; none when the system tells no home folder. It need not be there.
    pub fn settings_folder() -> Option<PathBuf> {
        directories::ProjectDirs::from("com", "Posture Console", "posture-console").map(|folders| folders.config_dir().to_path_buf())
    }

    /// That folder, with system clock and keychain.
    pub fn in_folder(data_folder: PathBuf) -> Self {
        Self {
            data_folder,
            catalog_folder: None,
            clock: Arc::new(connect::SystemClock),
            keychain: Arc::new(vault::OsKeychain),
            zone: TimeZone::system(),
            browser: Arc::new(crate::browser::SystemBrowser),
            scratch: None,
        }
    }

    /// A scratch folder with keys in memory only; both are gone when the console is dropped.
    ///
    /// # Errors
    /// When no scratch folder can be made.
    pub fn scratch() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("posture-").tempdir().map_err(|error| {
            Failure::new("E-SCRATCH", format!("No scratch folder could be made: {error}."), "Make room in the temporary folder.")
        })?;
        let mut options = Self::in_folder(folder.path().to_path_buf());
        options.keychain = Arc::new(crate::scratch::MemoryKeychain::default());
        options.scratch = Some(Arc::new(folder));
        Ok(options)
    }
}
