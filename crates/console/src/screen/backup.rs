//! Backups of all that is stored, and its end.

use super::Start;
use serde::{Deserialize, Serialize};
use specta::Type;

/// A backup that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct BackedUp {
    /// The file.
    pub path: String,
    /// Its length in bytes.
    pub bytes: f64,
    /// One sentence: who can open it, and with what.
    pub opens: String,
}

/// Everything was erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Erased {
    /// The data folder.
    pub folder: String,
    /// What stays: names in it that are not the console's, and keychain entries that could not be named. The folder is gone where there
    /// is none.
    pub left: Vec<String>,
    /// Where the console stands now.
    pub start: Start,
}
