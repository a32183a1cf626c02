//! What passes between a collection and whoever stores and shows it: pages, the request log, progress, and what a cut
//! collection resumes from.

use catalog::{Collected, Completeness, Row, RowKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Takes what a collection reads, as it is read. Calls come one at a time, from the task that collects; they may block
/// for as long as a transaction takes.
pub trait Sink: Send {
    /// Rows of one answer. The [`RequestEntry`] they came from has been handed over before. A page takes the place of what is
    /// stored of its list from [`Page::index`] on: a list that was cut is read again from its first page.
    ///
    /// # Errors
    /// Ends the collection with [`crate::ConnectError::Sink`].
    fn page(&mut self, page: Page) -> Result<(), SinkError>;
    /// A dataset is done: nothing more comes of it.
    ///
    /// # Errors
    /// Ends the collection with [`crate::ConnectError::Sink`].
    fn finished(&mut self, dataset: &str, completeness: &Completeness) -> Result<(), SinkError>;
    /// `dataset` is going to be read once for each of these rows of the dataset that it is `each` over. A parent is done
    /// when a [`Page`] with it and without `next` has come.
    ///
    /// # Errors
    /// Ends the collection with [`crate::ConnectError::Sink`].
    fn queued(&mut self, dataset: &str, parents: &[RowKey]) -> Result<(), SinkError>;
    /// One line of the request log.
    ///
    /// # Errors
    /// Ends the collection with [`crate::ConnectError::Sink`].
    fn request(&mut self, entry: RequestEntry) -> Result<(), SinkError>;
    /// How far it is, for whoever looks on.
    fn progress(&mut self, progress: Progress);
}

/// Why a [`Sink`] could not take something. Its own words are shown to the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct SinkError {
    /// The stable code of the cause: `E-DISK-FULL`.
    pub code: &'static str,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub remedy: String,
}

/// Rows of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The dataset.
    pub dataset: String,
    /// The row that it was read for, when the dataset is `each` over another or over a field.
    pub parent: Option<RowKey>,
    /// Which page of its list, from 0.
    pub index: u32,
    /// The rows that were not seen before, and those that differ from one of the same key that was, reduced to what is kept.
    pub rows: Vec<Row>,
    /// [`RequestEntry::id`] of the answer.
    pub request: u64,
    /// What the next page is asked by; `None` at the end of the list, when it is done. Opaque, possibly the empty text (a
    /// list in doubt is never done); give it back in [`BegunStream::next`].
    pub next: Option<String>,
    /// When the answer had come.
    pub collected_at: jiff::Timestamp,
}

/// What the store holds of a collection that was cut. [`Resume::default`] begins from nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resume {
    /// Datasets that are done; they are not asked again, their rows are parents and probes for others.
    pub finished: BTreeMap<String, Collected>,
    /// Datasets of which some pages are stored.
    pub begun: BTreeMap<String, Begun>,
    /// The first [`RequestEntry::id`] to give, so that ids stay unique within a scan.
    pub first_request: u64,
}

/// A dataset of which some pages are stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Begun {
    /// The rows of those pages.
    pub rows: Vec<Row>,
    /// Where each of its lists stands: one, or one per parent.
    pub streams: Vec<BegunStream>,
}

/// Where one list stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunStream {
    /// [`Page::parent`].
    pub parent: Option<RowKey>,
    /// How many of its pages are stored.
    pub pages: u32,
    /// [`Page::next`] of the last stored page; `None` when the list is done. Any other list is read again from its first page.
    pub next: Option<String>,
}

/// The classes of request. Each has its own rule in the guard; there is no other way to make a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestClass {
    /// The first request of a dataset, as the catalog declares it.
    Dataset,
    /// A further page of it.
    Continuation,
    /// A step of signing in, to a host of the login option.
    SignInHop,
}

impl RequestClass {
    /// As the log and the screens write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Continuation => "continuation",
            Self::SignInHop => "sign-in hop",
        }
    }
}

/// One line of the request log. Never holds a query, a body or a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// Unique within a scan, rising.
    pub id: u64,
    /// When it was sent.
    pub at: jiff::Timestamp,
    /// What kind of request.
    pub class: RequestClass,
    /// The dataset it was made for.
    pub dataset: String,
    /// Where it went.
    pub host: String,
    /// `GET`.
    pub method: String,
    /// The path as the catalog writes it, placeholders not filled: `/repos/{organization}/{each.name}`.
    pub path_template: String,
    /// The answer's status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Bytes of the answer's body that were read, after decompression.
    pub bytes: u64,
    /// From sending to the last byte read.
    pub milliseconds: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "code", rename_all = "snake_case")]
pub enum Outcome {
    /// It was answered and the answer was understood.
    Answered,
    /// It failed, by this code ([`crate::ConnectError::code`]).
    Failed(String),
    /// It was cut by the administrator or by the end of the program.
    Cut,
}

/// How far a collection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Progress {
    /// A dataset is being read.
    Started {
        /// Its id.
        dataset: String,
    },
    /// A page has come.
    Read {
        /// The dataset's id.
        dataset: String,
        /// Rows read of it so far.
        rows: u64,
        /// Pages read of it so far.
        pages: u32,
        /// Of a dataset that is read per parent: how many parents are done, and how many are known so far.
        parents: Option<(u32, u32)>,
    },
    /// The vendor asks to wait; the collection goes on by itself then.
    Waiting {
        /// The host that asks.
        host: String,
        /// Until when.
        until: jiff::Timestamp,
    },
    /// A dataset is done.
    Finished {
        /// Its id.
        dataset: String,
    },
}

/// What an answer looks like: names and types, never a value. For `posture schema`, to be sent to us by an administrator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shape {
    /// The dataset.
    pub dataset: String,
    /// The path as the catalog writes it.
    pub path: String,
    /// Objects and lists as received, with a type (`"string"`, `"number|null"`) in place of every value; members whose
    /// names may themselves be data are named `*`. Null when there is no answer.
    pub shape: serde_json::Value,
    /// The code of what stood in the way ([`crate::ConnectError::code`]).
    pub failed: Option<String>,
}
