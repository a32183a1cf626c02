//! Rows: what is left of an answer after `keep`, and how much of it there is.

use crate::Cause;
use serde::{Deserialize, Serialize};

/// What identifies a row within its dataset or view: the values of its key fields, parent first, joined by U+001F.
/// Empty for the one row of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowKey(pub String);

/// One typed, reduced row. `fields` is an object that holds kept fields only; a field that was missing where the
/// manifest does not allow it, or ill-typed, is not in `fields` but named in `faults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What identifies it.
    pub key: RowKey,
    /// What names it to a person; empty for an object.
    pub label: String,
    /// The kept fields, nested as received.
    pub fields: serde_json::Value,
    /// Fields that could not be kept: concrete path (`attributes.saml.enabled`, `headers[2].name`) and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<(String, String)>,
}

/// How much of a dataset was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "cause", rename_all = "snake_case")]
pub enum Completeness {
    /// All of it, and its probe, if it has one, was seen.
    Complete,
    /// Some rows; the cause says what cut it.
    Partial(Cause),
    /// Nothing that could be relied on.
    Unavailable(Cause),
}

impl Row {
    /// The word in [`Row::faults`] for a value that is not among those declared; a word that is none of these constants
    /// means that the field is missing or ill-typed.
    pub const UNKNOWN_VALUE: &'static str = "unknown value";
    /// The word for a field that the vendor's description does not publish, whose name is known from nowhere else.
    pub const NOT_PUBLISHED: &'static str = "not published";
    /// The word for such a field where the description was not read whole.
    pub const DESCRIPTION_UNREAD: &'static str = "description not read";
}

impl Completeness {
    /// Whether counts, existence and absence may be judged.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }
    /// The cause of not being complete.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Complete => None,
            Self::Partial(cause) | Self::Unavailable(cause) => Some(cause),
        }
    }
}

/// Everything one scan holds of one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// Its rows, in no order that means anything.
    pub rows: Vec<Row>,
    /// How much of it there is.
    pub completeness: Completeness,
}
