//! Acts as lines.

use crate::line::{Line, sealed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One act with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActLine {
    /// Its number, from 1 on.
    pub number: u64,
    /// When; to the millisecond, as the chain holds it.
    pub at: Timestamp,
    /// The operating system's user, `schedule` or `console`.
    pub who: String,
    /// What, in a few fixed words.
    pub what: String,
    /// On what.
    pub detail: String,
    /// Id of the instance that it speaks of; empty when it speaks of none.
    pub instance: String,
    /// What was before; empty where there is nothing to say.
    pub before: String,
    /// What is now.
    pub after: String,
    /// What links it to all acts before it, in hexadecimal letters; none when it was taken away.
    pub hash: Option<String>,
}

impl Line for ActLine {}

impl sealed::Cells for ActLine {
    const PLURAL: &'static str = "acts";
    const COLUMNS: &'static [&'static str] = &["number", "at", "who", "what", "detail", "instance", "before", "after", "hash"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            Cow::Owned(self.number.to_string()),
            Cow::Owned(self.at.to_string()),
            Cow::Borrowed(&self.who),
            Cow::Borrowed(&self.what),
            Cow::Borrowed(&self.detail),
            Cow::Borrowed(&self.instance),
            Cow::Borrowed(&self.before),
            Cow::Borrowed(&self.after),
            Cow::Borrowed(self.hash.as_deref().unwrap_or_default()),
        ]
    }
}
