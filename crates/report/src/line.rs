//! What can be exported.

use jiff::Timestamp;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};

/// A kind of line that can be exported; implemented by this crate's own kinds only.
pub trait Line: Serialize + sealed::Cells {}

pub(crate) mod sealed {
    use std::borrow::Cow;

    pub trait Cells {
        /// The member of the JSON document that holds the lines.
        const PLURAL: &'static str;
        /// The columns, in order.
        const COLUMNS: &'static [&'static str];
        /// One cell per column.
        fn cells(&self) -> Vec<Cow<'_, str>>;
    }
}

/// A point in time as ISO 8601 in UTC, to the second, so that text order is time order.
pub(crate) fn time(at: Timestamp) -> Cow<'static, str> {
    Cow::Owned(format!("{at:.0}"))
}

/// The same, empty when there is none.
pub(crate) fn time_if(at: Option<Timestamp>) -> Cow<'static, str> {
    at.map_or(Cow::Borrowed(""), time)
}

/// `true` or `false`.
pub(crate) fn truth(value: bool) -> Cow<'static, str> {
    Cow::Borrowed(if value { "true" } else { "false" })
}

/// "1. First. 2. Second."
pub(crate) fn numbered(steps: &[String]) -> Cow<'static, str> {
    let steps: Vec<String> = steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
    Cow::Owned(steps.join(" "))
}

/// "cis_v8: 6.3, 6.7; soc2: CC6.1"
pub(crate) fn references(frameworks: &BTreeMap<String, Vec<String>>) -> Cow<'static, str> {
    let frameworks: Vec<String> = frameworks.iter().map(|(name, references)| format!("{name}: {}", references.join(", "))).collect();
    Cow::Owned(frameworks.join("; "))
}
