//! `activity`: what the administrator and the console did. Rows are only ever added.

use jiff::Timestamp;

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// The operating system's user, or `console` for what happened by itself.
    pub who: String,
    /// What, in a few fixed words: `instance added`.
    pub what: String,
    /// On what; holds no secret.
    pub detail: String,
}
