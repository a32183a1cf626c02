//! Datasets that are asked for in a language of their own: what is sent, what may be sent, and what an answer comes to.
//!
//! A body is built here from the manifest's text and the few values that it leaves open, and the guard builds it anew from
//! what it finds in the body that is about to leave: the two must be the same to the letter.

mod graphql;
mod salesforce;
mod snowflake;

pub(crate) use graphql::{Partly, Refused, partly};

use crate::{
    ConnectError, Limits, RequestClass,
    answer::Received,
    guard::Asked,
    request::Request,
    template::{Unfilled, Values},
};
use catalog::{App, Dataset, Inputs, Protocol};
use secrecy::SecretString;
use serde_json::Value;

/// What an answer says beside its rows.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    /// What the next page is asked by; none at the end, and for datasets whose pages are named by link, number or cursor.
    pub(crate) next: Option<String>,
    /// Why the rows cannot be taken for all of them.
    pub(crate) doubt: Option<ConnectError>,
    /// The places of the answer that were refused.
    pub(crate) withheld: Vec<Refused>,
}

/// The body of a dataset's first request; none for those that have none.
///
/// # Errors
/// The placeholder that has no value.
pub(crate) fn body(dataset: &Dataset, values: &Values<'_>) -> Result<Option<String>, Unfilled> {
    match &dataset.protocol {
        Protocol::Http => Ok(dataset.document.clone()),
        Protocol::Soql => Ok(None),
        Protocol::GraphQl { variables, .. } => graphql::body(dataset, variables, values).map(Some),
        Protocol::SnowflakeSql { parameters } => snowflake::body(dataset, parameters, values).map(Some),
        Protocol::SalesforceMetadata { kind, full_name } => Ok(Some(salesforce::body(kind, full_name))),
    }
}

/// What a body is sent as.
pub(crate) fn content_type(protocol: &Protocol) -> &'static str {
    match protocol {
        Protocol::Http | Protocol::GraphQl { .. } | Protocol::Soql | Protocol::SnowflakeSql { .. } => "application/json",
        Protocol::SalesforceMetadata { .. } => "text/xml; charset=utf-8",
    }
}

/// Whether the session goes into the body instead of a header.
pub(crate) fn holds_session(protocol: &Protocol) -> bool {
    matches!(protocol, Protocol::SalesforceMetadata { .. })
}

/// The body with the session in it, from the header that would have carried it; `None` when that is no bearer token, or the
/// body is then another one than the dataset's.
pub(crate) fn with_session(dataset: &Dataset, body: &str, header: &[u8]) -> Option<SecretString> {
    match &dataset.protocol {
        Protocol::Http | Protocol::GraphQl { .. } | Protocol::Soql | Protocol::SnowflakeSql { .. } => None,
        Protocol::SalesforceMetadata { kind, full_name } => salesforce::with_session(kind, full_name, body, header),
    }
}

/// The request for the page that [`Spoken::next`] named.
///
/// # Errors
/// [`ConnectError::NotUnderstood`] for what was never given.
pub(crate) fn further(dataset: &Dataset, first: &Request, next: &str) -> Result<Request, ConnectError> {
    match &dataset.protocol {
        Protocol::Http => Ok(first.further(next)),
        Protocol::GraphQl { cursor, .. } => graphql::further(dataset, cursor.as_ref(), first, next),
        Protocol::Soql => salesforce::further(dataset, first, next),
        Protocol::SnowflakeSql { .. } => snowflake::further(dataset, first, next),
        Protocol::SalesforceMetadata { .. } => Err(not_understood(dataset, "it has one page")),
    }
}

/// The request that asks whether a statement is done.
pub(crate) fn running(request: &Request, handle: &str) -> Request {
    request.below(handle, "/{statement}")
}

/// Reads the body of an answer that is not JSON; `None` where it is.
pub(crate) fn read(dataset: &Dataset, host: &str, received: &Received, limits: &Limits) -> Option<Result<Value, ConnectError>> {
    match &dataset.protocol {
        Protocol::Http | Protocol::GraphQl { .. } | Protocol::Soql | Protocol::SnowflakeSql { .. } => None,
        Protocol::SalesforceMetadata { kind, full_name } => Some(salesforce::read(dataset, kind, full_name, host, received, limits)),
    }
}

/// The handle of a statement that Snowflake has taken and not finished (status 202).
pub(crate) fn handle_of(dataset: &Dataset, status: u16, body: Option<&Value>) -> Option<String> {
    if status != 202 || !matches!(dataset.protocol, Protocol::SnowflakeSql { .. }) {
        return None;
    }
    body?.get("statementHandle")?.as_str().filter(|handle| snowflake::is_handle(handle)).map(str::to_owned)
}

/// Brings a successful answer into the form that `rows` and `keep` speak of, and tells what else it says.
///
/// # Errors
/// [`ConnectError::NotUnderstood`] for an answer of another form.
pub(crate) fn plain(dataset: &Dataset, request: &Request, body: Value) -> Result<(Value, Spoken), ConnectError> {
    match &dataset.protocol {
        Protocol::Http | Protocol::SalesforceMetadata { .. } => Ok((body, Spoken::default())),
        Protocol::GraphQl { cursor, .. } => {
            let spoken = cursor.as_ref().map(|cursor| graphql::next(dataset, cursor, &body)).unwrap_or_default();
            Ok((body, spoken))
        }
        Protocol::Soql => {
            let spoken = salesforce::next(dataset, request, &body);
            Ok((body, spoken))
        }
        Protocol::SnowflakeSql { .. } => snowflake::plain(dataset, request, &body),
    }
}

/// The dataset as an answer with refused places is to be read: what was refused is missing, whatever absence stands for
/// elsewhere. The places are emptied in `body`. `None` where nothing was refused.
pub(crate) fn withhold(dataset: &Dataset, body: &mut Value, withheld: &[Refused]) -> Option<Dataset> {
    (!withheld.is_empty()).then(|| graphql::withhold(dataset, body, withheld))
}

/// Whether a request in a language of its own is one that the dataset declares.
///
/// # Errors
/// The rule that refuses it.
pub(crate) fn permits(dataset: &Dataset, prefix: &str, inputs: &Inputs, asked: &Asked<'_>) -> Result<(), String> {
    let path = format!("{prefix}{}", dataset.path);
    let further = match asked.class {
        RequestClass::Dataset => false,
        RequestClass::Continuation if dataset.protocol.has_pages() => true,
        RequestClass::Continuation => return Err(format!("dataset {} has one page.", dataset.id)),
        RequestClass::SignInHop => return Err("a sign-in hop is made for no dataset.".to_owned()),
    };
    // What stands behind the dataset's own path, where a further page has a path of its own.
    let below = asked.path.strip_prefix(path.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let own_path = asked.path == path && !path.contains(['{', '}']);
    let fits = match (&dataset.protocol, further) {
        (Protocol::Http, _) => false,
        (Protocol::GraphQl { variables, cursor }, _) => {
            let cursor = cursor.as_ref().filter(|_| further);
            asked.method == "POST" && own_path && asked.query.is_empty() && graphql::is_body(dataset, variables, cursor, inputs, asked.body)
        }
        (Protocol::Soql, false) => {
            let query = matches!(asked.query, [(name, value)] if name == "q" && Some(value) == dataset.document.as_ref());
            asked.method == "GET" && own_path && query && asked.body.is_none()
        }
        (Protocol::Soql, true) => {
            asked.method == "GET" && below.is_some_and(salesforce::is_locator) && asked.query.is_empty() && asked.body.is_none()
        }
        (Protocol::SnowflakeSql { parameters }, false) => {
            asked.method == "POST" && own_path && asked.query.is_empty() && snowflake::is_body(dataset, parameters, inputs, asked.body)
        }
        (Protocol::SnowflakeSql { .. }, true) => {
            asked.method == "GET" && below.is_some_and(snowflake::is_handle) && snowflake::is_partition(asked.query) && asked.body.is_none()
        }
        (Protocol::SalesforceMetadata { kind, full_name }, _) => {
            asked.method == "POST" && own_path && asked.query.is_empty() && salesforce::is_body(kind, full_name, asked.body)
        }
    };
    if fits { Ok(()) } else { Err(format!("it is not what dataset {} asks for by {}.", dataset.id, dataset.protocol.as_str())) }
}

/// What the vendor's own error code of an answer means, where neither the dataset nor the application says it.
pub(crate) fn refusal(app: &App, dataset: &Dataset, status: u16, body: Option<&Value>) -> Option<Refusal> {
    match &dataset.protocol {
        Protocol::Http | Protocol::GraphQl { .. } => None,
        Protocol::Soql | Protocol::SalesforceMetadata { .. } => salesforce::refusal(app, status, body),
        Protocol::SnowflakeSql { .. } => snowflake::refusal(app, status, body),
    }
}

/// What an error code comes to.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The credential is not accepted any more.
    Credential,
    /// A role or right is missing.
    Scope,
    /// Another end, in words.
    Other(ConnectError),
}

fn not_understood(dataset: &Dataset, what: &str) -> ConnectError {
    ConnectError::NotUnderstood { sentence: format!("{}: {what}.", dataset.title) }
}

/// A vendor's code as it may stand in a sentence: letters, digits and underscores, not long.
fn code_of(text: &str) -> Option<&str> {
    (!text.is_empty() && text.len() <= 60 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(text)
}
