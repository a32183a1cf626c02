//! What the console can do right after it was opened.

use super::Failure;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Where the console stands when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Start {
    /// What the window shows first.
    pub state: StartState,
    /// Folder that holds everything.
    pub data_folder: String,
    /// Whether the system's keychain can be used; when not, why.
    pub keychain: Keychain,
    /// Version of this program.
    pub version: String,
    /// Theme, density and the like; the window's own words.
    pub preferences: Vec<Preference>,
    /// Whether the sandbox was offered before and can be offered again from Settings only.
    pub sandbox_offered: bool,
}

/// What the window shows first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StartState {
    /// Nothing is stored yet: choose how it is to be protected.
    FirstStart,
    /// Closed: by a passphrase, which must be given, or on request, when Unlock asks the keychain.
    Locked {
        /// What Unlock needs.
        protection: Protection,
    },
    /// The data is open.
    Ready {
        /// `keychain` or `passphrase`.
        protection: Protection,
    },
    /// The data cannot be opened; what would help.
    Blocked {
        /// Why.
        failure: Failure,
        /// Whether the recovery key would open it.
        recovery: bool,
    },
}

/// What holds the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// The operating system's keychain.
    Keychain,
    /// A passphrase that the administrator types at each start.
    Passphrase,
}

/// Whether the system's keychain can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Keychain {
    /// A test entry was written, read and removed.
    Usable,
    /// There is none.
    Absent {
        /// Why, and what to do.
        failure: Failure,
    },
    /// There is one, and it is locked.
    Locked {
        /// Why, and what to do.
        failure: Failure,
    },
}

/// A remembered choice of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Preference {
    /// `theme`.
    pub key: String,
    /// JSON text.
    pub value: String,
}

/// The recovery key, shown once.
#[derive(Clone, Serialize, Deserialize, Type)]
pub struct RecoveryKeyShown {
    /// Groups of letters and digits.
    pub groups: Vec<String>,
}
