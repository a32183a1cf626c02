//! What the window and the terminal are shown: plain data without secrets, made from what the store, the catalog and a
//! running scan hold. TypeScript types are generated from these. Times are RFC 3339 in UTC.

mod application;
mod attestation;
mod backup;
mod capability;
mod changes;
mod compliance;
mod decision;
mod digest;
mod finding;
mod fleet;
mod instance;
mod inventory;
mod operate;
mod overview;
mod progress;
mod rules;
mod start;

pub use application::*;
pub use attestation::*;
pub use backup::*;
pub use capability::*;
pub use changes::*;
pub use compliance::*;
pub use decision::*;
pub use digest::*;
pub use finding::*;
pub use fleet::*;
pub use instance::*;
pub use inventory::*;
pub use operate::*;
pub use overview::*;
pub use progress::*;
pub use rules::*;
pub use start::*;

use serde::{Deserialize, Serialize};
use specta::Type;

/// What went wrong, in one clear sentence with what to do; the same in window and terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Failure {
    /// Stable code: `E-TLS-UNKNOWN-CA`.
    pub code: String,
    /// What happened and why.
    pub sentence: String,
    /// What to do.
    pub remedy: String,
    /// The field of the dialog it belongs to, if it belongs to one.
    pub field: Option<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// How bad a failed check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// Open findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct SeverityCounts {
    pub critical: u32,
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    pub info: u32,
}

/// Why something was not read or not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Cause {
    /// The kind, as in the catalog: `scope_missing`.
    pub kind: String,
    /// One sentence.
    pub sentence: String,
    /// What to do; empty when nothing can be done.
    pub remedy: String,
}

/// A page asked of a long list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Slice {
    /// Rows before it.
    pub offset: u32,
    /// Rows of it, at most 500.
    pub limit: u32,
}
