//! Snowflake's SQL API: <https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses>.

use super::{Refusal, Spoken, code_of, not_understood};
use crate::{
    ConnectError, RequestClass,
    request::Request,
    template::{Unfilled, Values},
};
use catalog::{App, Dataset, Inputs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds after which Snowflake itself ends a statement: nobody waits longer for one, see [`crate::Limits::patience`].
const TIMEOUT: u32 = 240;

/// Bytes of an identifier: <https://docs.snowflake.com/en/sql-reference/identifiers-syntax>.
const IDENTIFIER: usize = 255;

/// The most rows that SHOW answers, whatever there is (<https://docs.snowflake.com/en/sql-reference/sql/show-users>).
const SHOWN: u64 = 10_000;

fn is_show(dataset: &Dataset) -> bool {
    let first = dataset.document.as_deref().and_then(|document| document.split_whitespace().next());
    first.is_some_and(|word| word.eq_ignore_ascii_case("SHOW"))
}

fn written(statement: &str, parameters: Map<String, Value>) -> String {
    let mut body = parameters;
    body.insert("statement".to_owned(), Value::from(statement));
    body.insert("timeout".to_owned(), Value::from(TIMEOUT));
    // One statement, and all of its rows, whatever the account's or the user's own defaults are
    // (https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements,
    // https://docs.snowflake.com/en/sql-reference/parameters#rows-per-resultset: 0 is no maximum).
    body.insert("parameters".to_owned(), json!({ "MULTI_STATEMENT_COUNT": "1", "ROWS_PER_RESULTSET": "0" }));
    Value::Object(body).to_string()
}

fn filled(parameters: &BTreeMap<String, String>, inputs: &Inputs) -> Map<String, Value> {
    let values = Values { inputs, each: None };
    let filled = parameters.iter().filter_map(|(name, template)| Some((name.clone(), Value::String(values.fill(template).ok()?))));
    filled.collect()
}

pub(super) fn body(dataset: &Dataset, parameters: &BTreeMap<String, String>, values: &Values<'_>) -> Result<String, Unfilled> {
    let template = dataset.document.as_deref().unwrap_or_default();
    let mut statement = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) = placeholder(rest) {
        statement.push_str(before);
        let value = values.get(name).and_then(|value| quoted(&value)).ok_or_else(|| Unfilled(name.to_owned()))?;
        statement.push_str(&value);
        rest = after;
    }
    statement.push_str(rest);
    Ok(written(&statement, filled(parameters, values.inputs)))
}

fn placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = template.split_once('{')?;
    let (name, after) = after.split_once('}')?;
    Some((before, name, after))
}

/// An identifier in double quotes, in which nothing but a double quote has a meaning, and that is doubled.
fn quoted(value: &str) -> Option<String> {
    let fine = !value.is_empty() && value.len() <= IDENTIFIER && !value.chars().any(char::is_control);
    fine.then(|| format!("\"{}\"", value.replace('"', "\"\"")))
}

/// Reads a quoted identifier: its value, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut value = String::new();
    loop {
        let (before, after) = rest.split_once('"')?;
        value.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None => return Some((value, after)),
        }
    }
}

/// Whether a statement is the dataset's, with one whole quoted identifier in the place of each placeholder.
fn is_statement(template: &str, statement: &str, inputs: &Inputs) -> bool {
    let (mut template, mut rest) = (template, statement);
    while let Some((before, name, after)) = placeholder(template) {
        let Some((value, behind)) = rest.strip_prefix(before).and_then(unquoted) else { return false };
        if quoted(&value).is_none() || !(name.starts_with("each.") || inputs.get(name) == Some(&value)) {
            return false;
        }
        (template, rest) = (after, behind);
    }
    template == rest
}

pub(super) fn is_body(dataset: &Dataset, parameters: &BTreeMap<String, String>, inputs: &Inputs, body: Option<&str>) -> bool {
    let parsed: Option<Value> = body.and_then(|body| serde_json::from_str(body).ok());
    let (Some(body), Some(template)) = (body, dataset.document.as_deref()) else { return false };
    let Some(statement) = parsed.as_ref().and_then(|parsed| parsed.get("statement")).and_then(Value::as_str) else { return false };
    // Written anew, so that a name that stands twice, which readers understand differently, is another body.
    is_statement(template, statement, inputs) && written(statement, filled(parameters, inputs)) == body
}

/// Whether a segment is a statement's handle: a UUID.
pub(super) fn is_handle(segment: &str) -> bool {
    uuid::Uuid::try_parse(segment).is_ok_and(|handle| handle.hyphenated().to_string().eq_ignore_ascii_case(segment))
}

/// Whether a query asks for a later partition, or, without one, whether the statement is done.
pub(super) fn is_partition(query: &[(String, String)]) -> bool {
    match query {
        [] => true,
        [(name, value)] => name == "partition" && value.parse::<u32>().is_ok_and(|number| number > 0 && number.to_string() == *value),
        [_, _, ..] => false,
    }
}

/// What the next partition is asked by, and what is needed to read it: later partitions hold rows alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Partition {
    handle: String,
    /// The one to ask for, from 1.
    number: u32,
    /// How many there are.
    of: u32,
    /// Rows that are still to come.
    left: u64,
    columns: Vec<(String, Cells)>,
}

/// What the texts of a column are, where they look like something else
/// (<https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses#getting-the-data-from-the-results>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Cells {
    Plain,
    /// Days since 1970.
    Date,
    /// Seconds since midnight.
    Time,
}

impl Cells {
    fn of(kind: Option<&str>) -> Self {
        match kind {
            Some(kind) if kind.eq_ignore_ascii_case("date") => Self::Date,
            Some(kind) if kind.eq_ignore_ascii_case("time") => Self::Time,
            Some(_) | None => Self::Plain,
        }
    }

    /// A value in a form that is nothing else: a date as `2026-05-01`, a time of day as `23:01:59`. Both are sent as a number, and
    /// would be taken for a point in time that is counted in seconds. `None` for what is no such number.
    fn read(self, value: &Value) -> Option<Value> {
        let (Self::Date | Self::Time, Value::String(text)) = (self, value) else { return Some(value.clone()) };
        let span = jiff::Span::new();
        let number = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole).parse::<i64>().ok()?;
        let written = match self {
            Self::Date => jiff::civil::date(1970, 1, 1).checked_add(span.try_days(number).ok()?).ok()?.to_string(),
            Self::Time | Self::Plain => jiff::civil::Time::midnight().checked_add(span.try_seconds(number).ok()?).ok()?.to_string(),
        };
        Some(Value::String(written))
    }
}

pub(super) fn further(dataset: &Dataset, first: &Request, next: &str) -> Result<Request, ConnectError> {
    let partition: Partition = serde_json::from_str(next).map_err(|_| not_understood(dataset, "what names the next page is not known"))?;
    let mut request = first.below(&partition.handle, "/{statement}");
    request.url.query_pairs_mut().append_pair("partition", &partition.number.to_string());
    Ok(Request { class: RequestClass::Continuation, page: Some(next.to_owned()), ..request })
}

pub(super) fn plain(dataset: &Dataset, request: &Request, body: &Value) -> Result<(Value, Spoken), ConnectError> {
    let wrong = |what: &str| not_understood(dataset, what);
    let data = body.get("data").and_then(Value::as_array).ok_or_else(|| wrong("the answer has no rows"))?;
    let came = data.len() as u64;
    let here = match &request.page {
        Some(page) => {
            let partition: Partition = serde_json::from_str(page).map_err(|_| wrong("what names the page is not known"))?;
            Partition { number: partition.number + 1, ..partition }
        }
        None => first_partition(dataset, body)?,
    };
    let mut rows = Vec::with_capacity(data.len());
    for row in data {
        let cells = row.as_array().filter(|cells| cells.len() == here.columns.len());
        let cells = cells.ok_or_else(|| wrong("a row has not as many values as there are columns"))?;
        let read = here.columns.iter().zip(cells).map(|((name, kind), cell)| Some((name.clone(), kind.read(cell)?)));
        let row: Option<Map<String, Value>> = read.collect();
        rows.push(Value::Object(row.ok_or_else(|| wrong("a date or time of day is not the number that it is sent as"))?));
    }
    let left = here.left.checked_sub(came);
    let mut spoken = Spoken::default();
    if request.page.is_none() && here.left >= SHOWN && is_show(dataset) {
        spoken.doubt = Some(wrong("SHOW answers no more than 10,000 rows, and there may be more"));
    }
    match (left, here.number < here.of) {
        (Some(left), true) => {
            let next = serde_json::to_string(&Partition { left, ..here }).map_err(|_| wrong("the next page cannot be named"))?;
            spoken.next = Some(next);
        }
        (Some(0), false) => {}
        (Some(_), false) => spoken.doubt = Some(wrong("fewer rows came than the answer counts")),
        (None, _) => spoken.doubt = Some(wrong("more rows came than the answer counts")),
    }
    Ok((Value::Array(rows), spoken))
}

fn first_partition(dataset: &Dataset, body: &Value) -> Result<Partition, ConnectError> {
    let wrong = |what: &str| not_understood(dataset, what);
    let told = body.get("resultSetMetaData").ok_or_else(|| wrong("the answer does not describe its rows"))?;
    let column = |column: &Value| {
        let name = column.get("name")?.as_str()?.to_lowercase();
        Some((name, Cells::of(column.get("type").and_then(Value::as_str))))
    };
    let columns: Option<Vec<(String, Cells)>> =
        told.get("rowType").and_then(Value::as_array).and_then(|columns| columns.iter().map(column).collect());
    let columns = columns.filter(|columns| !columns.is_empty()).ok_or_else(|| wrong("the answer does not name its columns"))?;
    if columns.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() != columns.len() {
        return Err(wrong("two columns have one name"));
    }
    let left = told.get("numRows").and_then(Value::as_u64).ok_or_else(|| wrong("the answer does not count its rows"))?;
    let of = match told.get("partitionInfo") {
        None | Some(Value::Null) => 1,
        Some(partitions) => partitions
            .as_array()
            .and_then(|partitions| u32::try_from(partitions.len()).ok())
            .ok_or_else(|| wrong("the answer does not count its partitions"))?
            .max(1),
    };
    let handle = match body.get("statementHandle").and_then(Value::as_str).filter(|handle| is_handle(handle)) {
        Some(handle) => handle.to_owned(),
        None if of == 1 => String::new(),
        None => return Err(wrong("the answer does not say where its other partitions are")),
    };
    Ok(Partition { handle, number: 1, of, left, columns })
}

/// `{code, message, sqlState, statementHandle}`; the message may quote the statement and is not shown.
pub(super) fn refusal(app: &App, status: u16, body: Option<&Value>) -> Option<Refusal> {
    let body = body?;
    let code = body.get("code").and_then(Value::as_str).and_then(code_of)?;
    let state = body.get("sqlState").and_then(Value::as_str).and_then(code_of);
    // What HTTP itself says of these is enough.
    if !(400..=499).contains(&status) || matches!(status, 401..=404 | 429) {
        return None;
    }
    let state = state.map(|state| format!(", SQLSTATE {state}")).unwrap_or_default();
    let sentence = format!("{} did not carry out the statement ({status}, code {code}{state}).", app.name);
    Some(Refusal::Other(ConnectError::VendorError { status, sentence }))
}
