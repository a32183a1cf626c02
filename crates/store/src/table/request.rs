//! `request`: what was asked of which host. Never a query, a body or a credential.

use crate::{InstanceId, ScanId};
use jiff::Timestamp;

/// What identifies an entry of the request log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub i64);

/// Why a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestClass {
    /// The first request of a dataset.
    Dataset,
    /// A further page.
    Continuation,
    /// A step of signing in.
    SignInHop,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestOutcome {
    /// There was an answer, whatever its status.
    Answered,
    /// We refused to send it.
    Refused,
    /// There was no whole answer.
    Failed,
    /// It was given up on request.
    Cancelled,
}

/// An entry of the request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it was sent.
    pub at: Timestamp,
    /// For which instance.
    pub instance: InstanceId,
    /// In which scan; `None` for a test of the connection.
    pub scan: Option<ScanId>,
    /// Why.
    pub class: RequestClass,
    /// The host.
    pub host: String,
    /// `GET` or `POST`.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Bytes of the answer's body as received.
    pub bytes: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// What became of it.
    pub outcome: RequestOutcome,
}
