//! Lists whose next page is named by a number or by a cursor in the body. Where the end is not told, the list is in doubt.

use crate::{
    ConnectError,
    reduce::{NEXT_LINK, at_path},
    request::Request,
};
use catalog::{Dataset, FieldPath, Pagination, Withheld};
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// Characters of a cursor: far above what vendors give, far below what a server takes for a request line.
const CURSOR: usize = 2 * 1024;

/// The query of the page after the one that `request` asked for and that holds `rows` rows; `None` at the end, and for
/// styles that name it by a link.
///
/// # Errors
/// [`ConnectError::NotUnderstood`] when the answer does not say whether another page follows,
/// [`ConnectError::NotPublished`] when nobody says where it would.
pub(crate) fn next_query(dataset: &Dataset, request: &Request, body: &Value, rows: usize) -> Result<Option<String>, ConnectError> {
    match &dataset.pagination {
        Pagination::None | Pagination::JsonApi { .. } | Pagination::LinkHeader { .. } | Pagination::Odata { .. } => Ok(None),
        Pagination::Offset { parameter, first, total, .. } => {
            let here = number_of(request, parameter, *first);
            let read = here.saturating_sub(u64::from(*first)) + rows as u64;
            let follows = match told(dataset, body, total.as_ref(), Value::as_u64)? {
                // A page beyond the end, and a total that shrank below what was read, are no reason to ask on.
                Some(total) if rows == 0 && read < total => {
                    return Err(doubt(dataset, "an empty page comes before the last of the entries that it counts"));
                }
                Some(total) if rows > 0 && read > total => {
                    return Err(doubt(dataset, "more entries came than it counts"));
                }
                Some(total) => read < total,
                None if total.is_some() => return Err(doubt(dataset, "a page does not say how many entries there are")),
                None => rows > 0,
            };
            Ok(follows.then(|| with(request, parameter, &(here + rows as u64).to_string())))
        }
        Pagination::PageNumber { page, first, pages, more, .. } => {
            let number = number_of(request, page, *first);
            // The count of the page, whatever the first is called.
            let count = number + 1 - u64::from(*first);
            let pages = told(dataset, body, pages.as_ref(), Value::as_u64)?;
            // An answer that counts fewer pages than there are with rows on them counts something else.
            if rows > 0 && pages.is_some_and(|pages| pages < count) {
                return Err(doubt(dataset, "a page with entries says that there are fewer pages"));
            }
            let last = pages.map(|pages| count >= pages);
            let more = told(dataset, body, more.as_ref(), Value::as_bool)?;
            let follows = match (last, more) {
                // Where both speak, the end is what both say.
                (Some(last), Some(more)) => more || !last,
                (Some(last), None) => !last,
                (None, Some(more)) => more,
                (None, None) => rows > 0,
            };
            if follows && rows == 0 {
                return Err(doubt(dataset, "an empty page says that more follow"));
            }
            Ok(follows.then(|| with(request, page, &(number + 1).to_string())))
        }
        Pagination::Cursor { withheld: Some(Withheld::NotPublished), next, .. } => Err(ConnectError::NotPublished {
            sentence: format!("The vendor's description does not publish {next}, which says whether another page follows."),
        }),
        Pagination::Cursor { withheld: Some(Withheld::DescriptionUnread), .. } => Err(ConnectError::DescriptionUnread {
            sentence:
                "Where an answer says whether another page follows is not known, because the vendor's description was not read whole."
                    .to_owned(),
        }),
        Pagination::Cursor { parameter, next, more, ends_without, withheld: None, .. } => {
            let follows = told(dataset, body, more.as_ref(), Value::as_bool)?;
            if more.is_some() && follows.is_none() {
                return Err(doubt(dataset, "a page does not say whether another one follows"));
            }
            if follows == Some(false) {
                return Ok(None);
            }
            let cursor = match at_path(body, next) {
                None | Some(Value::Null) if follows == Some(true) => {
                    return Err(doubt(dataset, "a page says that another one follows and does not name it"));
                }
                Some(Value::String(cursor)) if cursor.is_empty() && follows == Some(true) => {
                    return Err(doubt(dataset, "a page says that another one follows and does not name it"));
                }
                None if ends_without.is_some() => return Ok(None),
                None => return Err(doubt(dataset, "a page does not say whether another one follows")),
                Some(Value::Null) => return Ok(None),
                Some(Value::String(cursor)) if cursor.is_empty() => return Ok(None),
                Some(Value::String(cursor)) if cursor.len() <= CURSOR => cursor.clone(),
                Some(Value::Number(cursor)) if cursor.is_i64() || cursor.is_u64() => cursor.to_string(),
                Some(_) => return Err(doubt(dataset, "what names the next page is neither a text nor a number")),
            };
            Ok(Some(with(request, parameter, &cursor)))
        }
    }
}

/// Whether the body itself says that another page follows. A link in a header, a count of entries or of pages is no such word.
pub(crate) fn names_next(dataset: &Dataset, body: &Value) -> bool {
    let named = |next: Option<&Value>| match next {
        Some(Value::String(next)) => !next.is_empty(),
        Some(Value::Number(_)) => true,
        None | Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => false,
    };
    let says = |more: &FieldPath| at_path(body, more).and_then(Value::as_bool);
    match &dataset.pagination {
        Pagination::None | Pagination::LinkHeader { .. } | Pagination::Offset { .. } => false,
        Pagination::JsonApi { next, .. } => named(at_path(body, next)),
        Pagination::Odata { .. } => named(body.get(NEXT_LINK)),
        Pagination::PageNumber { more, .. } => more.as_ref().and_then(says) == Some(true),
        Pagination::Cursor { next, more, .. } => named(at_path(body, next)) && more.as_ref().is_none_or(|more| says(more) == Some(true)),
    }
}

fn doubt(dataset: &Dataset, what: &str) -> ConnectError {
    ConnectError::NotUnderstood { sentence: format!("{}: {what}.", dataset.title) }
}

/// What a declared member says; nothing when it is not declared or not there.
fn told<T>(
    dataset: &Dataset,
    body: &Value,
    path: Option<&FieldPath>,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, ConnectError> {
    match path.and_then(|path| at_path(body, path)) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).ok_or_else(|| doubt(dataset, "what says whether another page follows is of another type")),
    }
}

fn number_of(request: &Request, page: &str, first: u32) -> u64 {
    request.query().iter().find(|(name, _)| name == page).and_then(|(_, value)| value.parse().ok()).unwrap_or(u64::from(first))
}

/// The request's own query with another value for one parameter.
fn with(request: &Request, name: &str, value: &str) -> String {
    let mut query = Serializer::new(String::new());
    for (there, before) in request.query().iter().filter(|(there, _)| there != name) {
        query.append_pair(there, before);
    }
    query.append_pair(name, value).finish()
}
