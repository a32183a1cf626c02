//! Reads manifests into the types of this crate.

use crate::Place;

/// What is wrong with a manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {sentence}")]
pub struct LoadError {
    /// Where it is written.
    pub place: Place,
    /// What is wrong and what would be right.
    pub sentence: String,
}
