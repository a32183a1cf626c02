//! Fills the catalog's templates: `/repos/{organization}/{each.name}`.

use crate::reduce::{at_path, text_of};
use catalog::{FieldPath, Inputs};
use serde_json::{Map, Value};

/// What placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) inputs: &'a Inputs,
    pub(crate) each: Option<&'a Map<String, Value>>,
}

/// A placeholder without a value, by its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfilled(pub(crate) String);

impl Values<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match name.strip_prefix("each.") {
            Some(path) => {
                let (first, rest) = path.split_once('.').unwrap_or((path, ""));
                at_path(self.each?.get(first)?, &FieldPath::from(rest)).and_then(text_of)
            }
            None => self.inputs.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// Fills each placeholder as it is.
    pub(crate) fn fill(&self, template: &str) -> Result<String, Unfilled> {
        self.fill_with(template, |value| value)
    }

    /// Fills each placeholder as one path segment.
    pub(crate) fn fill_path(&self, template: &str) -> Result<String, Unfilled> {
        self.fill_with(template, |value| encode_segment(&value))
    }

    fn fill_with(&self, template: &str, encode: impl Fn(String) -> String) -> Result<String, Unfilled> {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            filled.push_str(&encode(self.get(name).ok_or_else(|| Unfilled(name.to_owned()))?));
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3.
pub(crate) fn encode_segment(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

/// Undoes percent-encoding. `None` when an escape is cut or the bytes are not UTF-8.
pub(crate) fn decode_segment(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            bytes.extend(hex::decode(after.get(..2)?).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
