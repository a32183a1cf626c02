//! What became of a finding, as a line.

use crate::line::{Line, sealed, time, time_if, truth};
use catalog::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A finding with what became of it between two moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLine {
    /// `newly_failing`, `fixed`, `gone`, `not_rechecked`, `still_failing`, `dismissed`.
    pub change: String,
    /// The earlier moment; none when everything from the beginning on is told.
    pub since: Option<Timestamp>,
    /// The later moment.
    pub up_to: Option<Timestamp>,
    /// When the last thing up to the later moment happened to it.
    pub at: Timestamp,
    /// The finding as a sentence.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it was found on; empty for the tenant itself.
    pub resource: String,
    /// The application's name.
    pub app: String,
    /// The instance's name.
    pub instance: String,
    /// Whether the instance is a simulated one.
    pub sandbox: bool,
    /// The check.
    pub check: String,
    /// Whether a person attested it; it was not scanned.
    pub attested: bool,
    /// When it was first found.
    pub first_seen: Timestamp,
    /// When it was last found, up to the later moment.
    pub last_seen: Timestamp,
    /// Since when it had not been re-checked at the later moment.
    pub not_rechecked_since: Option<Timestamp>,
}

impl Line for ChangeLine {}

impl sealed::Cells for ChangeLine {
    const PLURAL: &'static str = "changes";
    const COLUMNS: &'static [&'static str] = &[
        "change",
        "since",
        "up_to",
        "at",
        "title",
        "severity",
        "resource",
        "app",
        "instance",
        "sandbox",
        "check",
        "attested",
        "first_seen",
        "last_seen",
        "not_rechecked_since",
    ];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            Cow::Borrowed(&self.change),
            time_if(self.since),
            time_if(self.up_to),
            time(self.at),
            Cow::Borrowed(&self.title),
            crate::finding::severity(self.severity),
            Cow::Borrowed(&self.resource),
            Cow::Borrowed(&self.app),
            Cow::Borrowed(&self.instance),
            truth(self.sandbox),
            Cow::Borrowed(&self.check),
            truth(self.attested),
            time(self.first_seen),
            time(self.last_seen),
            time_if(self.not_rechecked_since),
        ]
    }
}
