//! When a vendor says that a credential ends. What is not written exactly as the manifest declares it tells nothing: a guess would
//! have an administrator replace a credential that works, or trust one that is about to end.

use crate::reduce::at_path;
use catalog::{Expires, ExpiryPlace, Row};
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// The time that a header of the test's answer tells; none where the place is another one, the header is missing or there twice, or it
/// is not written as declared.
pub(crate) fn of_headers(expires: &Expires, headers: &HeaderMap) -> Option<Timestamp> {
    let ExpiryPlace::Header { name, format } = &expires.told else { return None };
    let mut all = headers.get_all(name).iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    format.read(only.to_str().ok()?.trim())
}

/// What the rows of the dataset say that tells when the credential ends. The outer `None`: nothing, because that is not where it is
/// told, or it is not one row with that field. The inner one: that it does not end.
pub fn end_of(expires: &Expires, rows: &[Row]) -> Option<Option<Timestamp>> {
    let ExpiryPlace::Field { field, .. } = &expires.told else { return None };
    let [row] = rows else { return None };
    match at_path(&row.fields, field)? {
        Value::Null => Some(None),
        Value::String(text) => text.parse().ok().map(Some),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
