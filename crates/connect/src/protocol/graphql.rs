//! GraphQL: <https://spec.graphql.org/October2021/>, connections by <https://relay.dev/graphql/connections.htm>.

use super::{Spoken, code_of, not_understood};
use crate::{
    ConnectError, RequestClass,
    reduce::at_path,
    request::Request,
    template::{Unfilled, Values},
};
use catalog::{App, Dataset, FieldPath, GraphQlCursor, Inputs, Protocol};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Characters of a cursor; as for cursors in queries.
const CURSOR: usize = 2 * 1024;

fn written(dataset: &Dataset, variables: Map<String, Value>) -> String {
    json!({ "query": dataset.document.as_deref().unwrap_or_default(), "variables": variables }).to_string()
}

pub(super) fn body(dataset: &Dataset, variables: &BTreeMap<String, String>, values: &Values<'_>) -> Result<String, Unfilled> {
    let filled = variables.iter().map(|(name, template)| Ok((name.clone(), Value::String(values.fill(template)?))));
    Ok(written(dataset, filled.collect::<Result<_, Unfilled>>()?))
}

pub(super) fn further(dataset: &Dataset, cursor: Option<&GraphQlCursor>, first: &Request, next: &str) -> Result<Request, ConnectError> {
    let lost = || not_understood(dataset, "it has one page");
    let cursor = cursor.ok_or_else(lost)?;
    let body: Value = first.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).ok_or_else(lost)?;
    let mut variables = body.get("variables").and_then(Value::as_object).cloned().ok_or_else(lost)?;
    variables.insert(cursor.variable.clone(), Value::String(next.to_owned()));
    Ok(Request { class: RequestClass::Continuation, body: Some(written(dataset, variables)), ..first.clone() })
}

/// Whether a body is the dataset's: its document to the letter, each variable filled as declared (by any text where the
/// parent row fills it), and a cursor exactly where a further page is asked for.
pub(super) fn is_body(
    dataset: &Dataset,
    variables: &BTreeMap<String, String>,
    cursor: Option<&GraphQlCursor>,
    inputs: &Inputs,
    body: Option<&str>,
) -> bool {
    let Some(body) = body else { return false };
    let Ok(parsed) = serde_json::from_str::<Value>(body) else { return false };
    let Some(given) = parsed.get("variables").and_then(Value::as_object) else { return false };
    let values = Values { inputs, each: None };
    let mut wanted = Map::new();
    for (name, template) in variables {
        let value = if template.contains("{each.") {
            given.get(name).and_then(Value::as_str).filter(|value| !value.is_empty()).map(str::to_owned)
        } else {
            values.fill(template).ok()
        };
        let Some(value) = value else { return false };
        wanted.insert(name.clone(), Value::String(value));
    }
    if let Some(cursor) = cursor {
        let Some(value) = given.get(&cursor.variable).and_then(Value::as_str).filter(|value| !value.is_empty() && value.len() <= CURSOR)
        else {
            return false;
        };
        wanted.insert(cursor.variable.clone(), Value::String(value.to_owned()));
    }
    // Written anew, so that a name that stands twice, which readers understand differently, is another body.
    written(dataset, wanted) == body
}

pub(super) fn next(dataset: &Dataset, cursor: &GraphQlCursor, body: &Value) -> Spoken {
    let doubt = |what: &str| Spoken { doubt: Some(not_understood(dataset, what)), ..Spoken::default() };
    let told = at_path(body, &cursor.page_info);
    match (told.and_then(|told| told.get("hasNextPage")), told.and_then(|told| told.get("endCursor"))) {
        (Some(Value::Bool(false)), _) => Spoken::default(),
        (Some(Value::Bool(true)), Some(Value::String(next))) if !next.is_empty() && next.len() <= CURSOR => {
            Spoken { next: Some(next.clone()), ..Spoken::default() }
        }
        (Some(Value::Bool(true)), _) => doubt("a page says that another one follows and does not name it"),
        (_, _) => doubt("a page does not say whether another one follows"),
    }
}

/// An answer with errors beside its data.
#[derive(Debug)]
pub(crate) struct Partly {
    /// What the errors come to, where nobody says more.
    pub(crate) error: ConnectError,
    /// The refused places; none when the answer cannot be used at all.
    pub(crate) withheld: Option<Vec<Refused>>,
}

/// A place of an answer that is null because it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// From the root of the answer; `[]` for each step into a list.
    path: FieldPath,
    /// The first step into a list: which row it is of, where the rows are a list.
    row: Option<usize>,
}

/// What the errors of a GraphQL answer leave of it; `None` for one without errors.
pub(crate) fn partly(app: &App, dataset: &Dataset, status: u16, body: Option<&Value>) -> Option<Partly> {
    if !matches!(dataset.protocol, Protocol::GraphQl { .. }) || status != 200 {
        return None;
    }
    let body = body?;
    let errors = match body.get("errors") {
        None | Some(Value::Null) => return None,
        Some(Value::Array(errors)) if errors.is_empty() => return None,
        Some(Value::Array(errors)) => errors,
        Some(_) => {
            return Some(Partly { error: not_understood(dataset, "the answer's errors are not a list"), withheld: None });
        }
    };
    let type_of = |error: &Value| {
        let text = error.get("type").or_else(|| error.get("extensions")?.get("code")).and_then(Value::as_str)?;
        code_of(text).map(str::to_owned)
    };
    let mut kinds: Vec<String> = errors.iter().filter_map(type_of).collect();
    kinds.sort();
    kinds.dedup();
    kinds.truncate(4);
    let sentence = match kinds.as_slice() {
        [] => format!("{} answered the query with an error.", app.name),
        kinds => format!("{} answered the query with an error ({}).", app.name, kinds.join(", ")),
    };
    let error = ConnectError::VendorError { status, sentence };
    // An error that does not say where it happened may have emptied anything.
    let withheld: Option<Vec<Refused>> = errors.iter().map(|error| refused(body, error.get("path")?.as_array()?)).collect();
    let there = at_path(body, &FieldPath(dataset.rows.trim_end_matches("[]").to_owned())).is_some_and(|rows| !rows.is_null());
    Some(Partly { error, withheld: withheld.filter(|_| there) })
}

/// The place that an error has emptied: where it happened, or, where that could not be null, what lies around it. A place
/// in a list within a row stands for the list.
fn refused(body: &Value, path: &[Value]) -> Option<Refused> {
    let mut value = body.get("data")?;
    let mut row = None;
    let mut names = vec!["data".to_owned()];
    for step in path {
        if value.is_null() {
            break;
        }
        match step {
            Value::String(name) => {
                value = value.get(name).unwrap_or(&Value::Null);
                names.push(name.clone());
            }
            Value::Number(index) => {
                let index = usize::try_from(index.as_u64()?).ok()?;
                row.get_or_insert(index);
                value = value.get(index).unwrap_or(&Value::Null);
                let last = names.last_mut()?;
                if !last.ends_with("[]") {
                    last.push_str("[]");
                }
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        }
    }
    (!path.is_empty()).then(|| Refused { path: FieldPath(names.join(".")), row })
}

pub(super) fn withhold(dataset: &Dataset, body: &mut Value, withheld: &[Refused]) -> Dataset {
    let mut dataset = dataset.clone();
    for Refused { path, row } in withheld {
        let Some(inner) = path.0.strip_prefix(dataset.rows.as_str()) else { continue };
        let inner = inner.trim_start_matches('.');
        // The row itself: what is null there is no row, which leaves the list in doubt.
        if inner.is_empty() {
            continue;
        }
        // Within a list of the row, the whole list.
        let inner = inner.split_once("[]").map_or(inner, |(list, _)| list);
        for (field, keep) in &mut dataset.keep {
            let below = |one: &str, other: &str| one == other || one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
            if below(&field.0, inner) || below(inner, &field.0) {
                keep.absent = None;
            }
        }
        let rows = FieldPath(dataset.rows.trim_end_matches("[]").to_owned());
        let rows = rows.segments().try_fold(&mut *body, |value, (name, _)| value.get_mut(name));
        let rows: Vec<&mut Value> = match rows {
            Some(Value::Array(rows)) => row.and_then(|at| rows.get_mut(at)).into_iter().collect(),
            Some(row) => vec![row],
            None => Vec::new(),
        };
        for row in rows {
            let (parent, name) = inner.rsplit_once('.').unwrap_or(("", inner));
            let parent = FieldPath(parent.to_owned());
            let parent = parent.segments().try_fold(row, |value, (name, _)| value.get_mut(name));
            if let Some(Value::Object(parent)) = parent {
                parent.remove(name);
            }
        }
    }
    dataset
}
