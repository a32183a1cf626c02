//! Where in a manifest something was written, so that every error can name file and line.

use serde::Serialize;
use std::{fmt, sync::Arc};

/// A line of a manifest file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Place {
    /// The file, relative to the catalog folder: `kustomer/checks.toml`.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
