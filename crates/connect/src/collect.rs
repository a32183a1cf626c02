//! Reads datasets, page by page, into a sink.

use crate::{ConnectError, Resume, Session, Shape, Sink};
use catalog::{App, Completeness};
use tokio_util::sync::CancellationToken;

/// Reads `datasets` and those that they rest on (parents, probes) and hands everything to `sink` as it comes.
///
/// # Errors
/// Only [`ConnectError::Cancelled`], [`ConnectError::Sink`], and [`ConnectError::RequestRefused`] for a dataset the
/// application does not have. Everything else is the [`Completeness`] of a dataset.
pub async fn collect(
    session: &Session,
    app: &App,
    datasets: &[&str],
    resume: Resume,
    sink: &mut dyn Sink,
    cancel: CancellationToken,
) -> Result<(), ConnectError> {
    let _ = (session, app, datasets, resume, sink, cancel);
    unimplemented!("the wire is not laid yet")
}

/// Asks for the first page of each of `datasets` that is not read per parent, to tell which the credential can read.
/// Nothing is kept of the answers.
pub async fn probe(session: &Session, app: &App, datasets: &[&str]) -> Vec<(String, Completeness)> {
    let _ = (session, app, datasets);
    unimplemented!("the wire is not laid yet")
}

/// The shape of the first answer of each dataset.
pub async fn shapes(session: &Session, app: &App) -> Vec<Shape> {
    let _ = (session, app);
    unimplemented!("the wire is not laid yet")
}
