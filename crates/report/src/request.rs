//! A request of the request log as a line.

use crate::line::{Line, sealed, time, truth};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One request that was made, or refused before it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    /// When.
    pub at: Timestamp,
    /// The application's slug.
    pub app: String,
    /// The instance's name.
    pub instance: String,
    /// Whether the instance is a simulated one.
    pub sandbox: bool,
    /// `dataset`, `continuation`, `sign_in_hop`.
    pub class: String,
    /// `GET`.
    pub method: String,
    /// `api.kustomerapp.com`.
    pub host: String,
    /// The path as the manifest writes it, never its values.
    pub path_template: String,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// Length of the answer's body in bytes.
    pub bytes: u64,
    /// How long it took.
    pub milliseconds: u32,
    /// How it ended, in a word or two: `ok`, `refused before sending`.
    pub outcome: String,
}

impl Line for RequestLine {}

impl sealed::Cells for RequestLine {
    const PLURAL: &'static str = "requests";
    const COLUMNS: &'static [&'static str] =
        &["at", "app", "instance", "sandbox", "class", "method", "host", "path_template", "status", "bytes", "milliseconds", "outcome"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            time(self.at),
            Cow::Borrowed(&self.app),
            Cow::Borrowed(&self.instance),
            truth(self.sandbox),
            Cow::Borrowed(&self.class),
            Cow::Borrowed(&self.method),
            Cow::Borrowed(&self.host),
            Cow::Borrowed(&self.path_template),
            self.status.map_or(Cow::Borrowed(""), |status| Cow::Owned(status.to_string())),
            Cow::Owned(self.bytes.to_string()),
            Cow::Owned(self.milliseconds.to_string()),
            Cow::Borrowed(&self.outcome),
        ]
    }
}
