//! `request`: what was asked of which host. Never a query, a body or a credential.

use super::instance;
use crate::{InstanceId, ScanId, Slice, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, params};

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

impl RequestClass {
    fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Continuation => "continuation",
            Self::SignInHop => "sign_in_hop",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Ok(match word {
            "dataset" => Self::Dataset,
            "continuation" => Self::Continuation,
            "sign_in_hop" => Self::SignInHop,
            _ => return Err(StoreError::Unreadable { what: "request" }),
        })
    }
}

impl RequestOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Ok(match word {
            "answered" => Self::Answered,
            "refused" => Self::Refused,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => return Err(StoreError::Unreadable { what: "request" }),
        })
    }
}

pub(crate) fn insert(connection: &Connection, request: &Request) -> Result<RequestId, StoreError> {
    let instance = instance::number(connection, request.instance)?;
    connection
        .prepare_cached(
            "INSERT INTO request (instance, scan, at, class, host, method, path, status, bytes, milliseconds, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            instance,
            request.scan.map(|scan| scan.0),
            column::time(request.at),
            request.class.as_str(),
            request.host,
            request.method,
            request.path,
            request.status,
            column::number(request.bytes),
            column::number(request.milliseconds),
            request.outcome.as_str(),
        ])?;
    Ok(RequestId(connection.last_insert_rowid()))
}

const COLUMNS: &str = "instance.id, request.scan, request.at, class, host, method, path, status, bytes, milliseconds, outcome";

fn read(row: &Row<'_>) -> Result<Request, StoreError> {
    let text = |index| row.get::<_, String>(index);
    Ok(Request {
        instance: instance::read_id(&text(0)?)?,
        scan: row.get::<_, Option<i64>>(1)?.map(ScanId),
        at: column::read_time(row.get(2)?)?,
        class: RequestClass::read(&text(3)?)?,
        host: text(4)?,
        method: text(5)?,
        path: text(6)?,
        status: row.get(7)?,
        bytes: column::count(row.get(8)?),
        milliseconds: column::count(row.get(9)?),
        outcome: RequestOutcome::read(&text(10)?)?,
    })
}

pub(crate) fn get(connection: &Connection, id: i64) -> Result<Option<Request>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM request JOIN instance ON no = request.instance WHERE request.id = ?1"))?;
    let mut found = statement.query_and_then([id], read)?;
    found.next().transpose()
}

pub(crate) fn page(connection: &Connection, instance: Option<InstanceId>, slice: Slice) -> Result<(u64, Vec<Request>), StoreError> {
    let instance = instance.map(|id| instance::number(connection, id)).transpose()?;
    let (condition, bound): (&str, &[&dyn ToSql]) = match &instance {
        Some(number) => ("WHERE request.instance = ?1", &[number]),
        None => ("", &[]),
    };
    let total = connection.query_row(&format!("SELECT count(*) FROM request {condition}"), bound, |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM request JOIN instance ON no = request.instance {condition}
         ORDER BY request.at DESC, request.id DESC LIMIT {} OFFSET {}",
        column::number(slice.limit),
        column::number(slice.offset)
    ))?;
    let requests = statement.query_and_then(bound, read)?.collect::<Result<_, StoreError>>()?;
    Ok((column::count(total), requests))
}
