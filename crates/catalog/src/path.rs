//! Paths into rows and answers: `attributes.saml.enabled`, `attributes.headers[].name`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A path of member names; a segment that ends in `[]` steps into each element of a list, `{}` into each value of a map.
/// The empty path is the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldPath(pub String);

impl FieldPath {
    /// The segments, each with whether it steps into the elements of a list.
    pub fn segments(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0
            .split('.')
            .filter(|segment| !segment.is_empty())
            .map(|segment| segment.strip_suffix("[]").map_or((segment, false), |name| (name, true)))
    }

    /// `self` written from the root of an answer whose rows lie at `rows` (`data[]`, `data`, `[]` or nothing).
    pub fn within(&self, rows: &str) -> String {
        match (rows.is_empty(), self.0.is_empty()) {
            (true, _) => self.0.clone(),
            (false, true) => rows.to_owned(),
            (false, false) => format!("{rows}.{}", self.0),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for FieldPath {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}
