//! Backups of all that is stored.

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
