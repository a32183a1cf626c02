//! One text per content: the canonical JSON of a row, and its digest.

use catalog::Row;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of the canonical text of what a row says; equal content has an equal hash, whatever the order of its members.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvidenceHash(pub [u8; 32]);

impl EvidenceHash {
    /// The hash of what a row says: its fields and faults, not its key or label.
    pub fn of(row: &Row) -> Self {
        Self::of_text(canonical_row(row).as_bytes())
    }

    /// Of any bytes.
    pub fn of_text(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }
}

impl fmt::Display for EvidenceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for EvidenceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a row says as canonical JSON, `{"faults":[…],"fields":{…}}`: no white space, members sorted by name at every depth.
pub fn canonical_row(row: &Row) -> String {
    let mut text = String::from("{\"faults\":");
    let faults: Vec<Value> = row.faults.iter().map(|(path, why)| Value::from(vec![path.as_str(), why.as_str()])).collect();
    write(&Value::Array(faults), &mut text);
    text.push_str(",\"fields\":");
    write(&row.fields, &mut text);
    text.push('}');
    text
}

/// Writes objects with their members sorted; does not rely on the order that `serde_json::Map` happens to keep, which a
/// feature of another crate may change.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            text.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(&members[name.as_str()], text);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}
