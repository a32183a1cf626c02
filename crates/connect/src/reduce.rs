//! Reduces an answer to the typed rows that the catalog declares. Pure: the same answer always gives the same rows, and
//! nothing that `keep` does not declare is in them.

use crate::{ConnectError, paging::names_next, transform};
use catalog::{Absent, Dataset, DatasetKind, FieldPath, Keep, Pagination, Row, RowKey, TimestampFormat, Transform, Type, Values};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The row (or item of a login field) that a dataset is read for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parent {
    /// Its key; comes first in the keys of the rows read for it.
    pub key: RowKey,
    /// Its label; names an object read for it.
    pub label: String,
    /// What it carries into the rows read for it, as `each` there.
    pub each: Map<String, Value>,
}

/// What is left of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ReducedPage {
    /// Its rows, in the order received.
    pub rows: Vec<Row>,
    /// The link to the next page that the body holds, as it stands there; `None` at the end, and for styles whose link is
    /// a header.
    pub next: Option<String>,
    /// Why the list cannot be taken for whole although the rows above were read: a row that cannot be identified, a link
    /// that is missing or is no text.
    pub doubt: Option<ConnectError>,
}

/// What is noted while a row is reduced.
struct Notes {
    /// See [`Row::faults`].
    faults: Vec<(String, String)>,
    /// Whether the vendor writes every value as text.
    text: bool,
}

/// The words for faults in [`Row::faults`].
mod fault {
    pub(super) const MISSING: &str = "missing";
    pub(super) const NULL: &str = "null";
    pub(super) const UNKNOWN: &str = "unknown value";
}

/// Reduces the body of a successful answer.
///
/// # Errors
/// [`ConnectError::NotUnderstood`] when there is nothing, or something of another type, where the rows should lie: that is
/// never an empty list.
pub fn reduce(dataset: &Dataset, body: &Value, parent: Option<&Parent>) -> Result<ReducedPage, ConnectError> {
    let found = select(dataset, body)?;
    let tree = Node::of_keep(dataset.keep.iter().map(|(path, keep)| (path.0.as_str(), keep)));
    let mut rows = Vec::with_capacity(found.len());
    let mut doubt = None;
    for value in found {
        match reduce_row(dataset, &tree, value, parent) {
            Some(row) => rows.push(row),
            None => {
                doubt = Some(ConnectError::NotUnderstood {
                    sentence: format!(
                        "{}: an entry cannot be told from others, because a field that identifies it is missing.",
                        dataset.title
                    ),
                });
            }
        }
    }
    let mut page = ReducedPage { rows, next: None, doubt };
    if let Pagination::JsonApi { next, ends_without, .. } = &dataset.pagination {
        match at_path(body, next) {
            Some(Value::String(link)) if !link.is_empty() => page.next = Some(link.clone()),
            Some(Value::Null) => {}
            // JSON:API lets a vendor leave the link out at the end (https://jsonapi.org/format/#fetching-pagination), and a
            // vendor may send fewer rows than were asked for: only its own word tells the end from a cut answer.
            None if ends_without.is_some() => {}
            None => {
                page.doubt.get_or_insert(ConnectError::NotUnderstood {
                    sentence: format!("{}: a page does not say whether another one follows.", dataset.title),
                });
            }
            Some(_) => {
                page.doubt.get_or_insert(ConnectError::NotUnderstood {
                    sentence: format!("{}: the link to the next page is not text.", dataset.title),
                });
            }
        }
    }
    if matches!(dataset.pagination, Pagination::Odata { .. }) {
        match body.get(NEXT_LINK) {
            Some(Value::String(link)) if !link.is_empty() => page.next = Some(link.clone()),
            // The vendor leaves it out at the end.
            None => {}
            Some(_) => {
                page.doubt.get_or_insert(ConnectError::NotUnderstood {
                    sentence: format!("{}: the link to the next page is not text.", dataset.title),
                });
            }
        }
    }
    Ok(page)
}

/// Where OData names the next page
/// (<https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ControlInformationnextLinkodatanextLink>).
pub(crate) const NEXT_LINK: &str = "@odata.nextLink";

/// The row that stands in the place of something that does not exist, as the catalog says (`Meaning::Row`).
/// `None` when it has no key.
pub(crate) fn stand_in(dataset: &Dataset, fields: &BTreeMap<String, Value>, parent: Option<&Parent>) -> Option<Row> {
    let mut kept = Map::new();
    for (path, value) in fields {
        put(&mut kept, path, value.clone());
    }
    identify(dataset, kept, Vec::new(), parent)
}

/// The values at `dataset.rows`.
fn select<'a>(dataset: &Dataset, body: &'a Value) -> Result<Vec<&'a Value>, ConnectError> {
    let wrong = |what: &str, name: &str| {
        let place = if name.is_empty() { "the answer".to_owned() } else { format!("\"{name}\"") };
        ConnectError::NotUnderstood { sentence: format!("{}: {place} {what}.", dataset.title) }
    };
    let rows = FieldPath(dataset.rows.clone());
    let mut found = vec![body];
    let mut segments = rows.segments().peekable();
    while let Some((name, each)) = segments.next() {
        let may_lack = each && !name.is_empty() && dataset.rows_absent.is_some() && segments.peek().is_none();
        let mut inside = Vec::with_capacity(found.len());
        for value in found {
            if may_lack && leaves_out(dataset, body, value, name) {
                continue;
            }
            let member = if name.is_empty() { value } else { value.get(name).ok_or_else(|| wrong("is missing from the answer", name))? };
            if !each {
                inside.push(member);
                continue;
            }
            match member {
                Value::Array(items) => inside.extend(items),
                // In JSON:API primary data is one resource or a list of them; some vendors describe a list as one.
                Value::Object(resource)
                    if matches!(dataset.pagination, Pagination::JsonApi { single: Some(_), .. })
                        && resource.get("id").is_some_and(|id| id.is_string() || id.is_number())
                        && resource.get("type").is_some_and(Value::is_string) =>
                {
                    inside.push(member);
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    return Err(wrong("is not a list", name));
                }
            }
        }
        found = inside;
    }
    match dataset.kind {
        DatasetKind::List => Ok(found),
        DatasetKind::Object => match found.as_slice() {
            [Value::Object(_)] => Ok(found),
            _ => Err(wrong("is not an object", rows.segments().last().map_or("", |(name, _)| name))),
        },
    }
}

/// Whether `holder` leaves its list `name` out because the list is empty, where the vendor says that it does. An object
/// without the list may be somebody else's answer (a gateway's `{"message": …}`), so only what speaks for itself counts: the
/// list's own name with null, an object without any member, or a page that names the next one.
fn leaves_out(dataset: &Dataset, body: &Value, holder: &Value, name: &str) -> bool {
    holder.as_object().is_some_and(|object| match object.get(name) {
        Some(member) => member.is_null(),
        None => object.is_empty() || names_next(dataset, body),
    })
}

fn reduce_row(dataset: &Dataset, tree: &Node<'_>, value: &Value, parent: Option<&Parent>) -> Option<Row> {
    // A list of names: each is a row of one field.
    let alone = (!value.is_object() && !value.is_array() && !value.is_null())
        .then(|| Value::Object(Map::from_iter([(Dataset::VALUE.to_owned(), value.clone())])));
    let value = alone.as_ref().unwrap_or(value);
    if !value.is_object() {
        return None;
    }
    let mut faults = Notes { faults: Vec::new(), text: dataset.values == Values::Text };
    let kept = match tree.keep(Some(value), "", &mut faults) {
        Some(Value::Object(kept)) => kept,
        Some(_) | None => Map::new(),
    };
    let mut kept = kept;
    for (path, value) in &dataset.constant {
        put(&mut kept, path, value.clone());
    }
    identify(dataset, kept, faults.faults, parent)
}

/// Gives kept fields their key, their label and what the parent carries.
fn identify(dataset: &Dataset, mut kept: Map<String, Value>, faults: Vec<(String, String)>, parent: Option<&Parent>) -> Option<Row> {
    let fields = Value::Object(std::mem::take(&mut kept));
    let mut parts: Vec<String> = parent.iter().map(|parent| parent.key.0.clone()).collect();
    let mut own = None;
    for path in &dataset.key {
        let part = at_path(&fields, path).and_then(text_of).filter(|part| !part.is_empty() && !part.contains(SEPARATOR))?;
        own = Some(part.clone());
        parts.push(part);
    }
    if dataset.kind == DatasetKind::List && dataset.key.is_empty() {
        return None;
    }
    let fields = match (fields, parent) {
        (Value::Object(mut fields), Some(parent)) => {
            fields.insert("each".to_owned(), Value::Object(parent.each.clone()));
            Value::Object(fields)
        }
        (fields, _) => fields,
    };
    // What the parent carries may name the row too.
    let label = dataset
        .label
        .as_ref()
        .and_then(|path| at_path(&fields, path))
        .and_then(text_of)
        .or(own)
        .or_else(|| parent.map(|parent| parent.label.clone()))
        .unwrap_or_default();
    Some(Row { key: RowKey(parts.join(&SEPARATOR.to_string())), label, fields, faults })
}

/// Between the parts of a row key (U+001F, "unit separator").
pub(crate) const SEPARATOR: char = '\u{1f}';

/// The value at a path without lists.
pub(crate) fn at_path<'a>(value: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.segments().try_fold(value, |value, (name, _)| value.get(name))
}

/// A value as part of a key, a label or a path segment.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Puts a value at a dotted path, making the objects on the way. What is there already stays.
pub(crate) fn put(fields: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            fields.entry(path.to_owned()).or_insert(value);
        }
        Some((first, rest)) => {
            if let Value::Object(inner) = fields.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new())) {
                put(inner, rest, value);
            }
        }
    }
}

/// What is kept, as a tree in the shape of the answer.
enum Node<'a> {
    Leaf(&'a Keep),
    Object(BTreeMap<&'a str, Node<'a>>),
    List(Box<Node<'a>>),
    Map(Box<Node<'a>>),
}

impl<'a> Node<'a> {
    fn of_keep(keep: impl Iterator<Item = (&'a str, &'a Keep)>) -> Self {
        let mut root = Self::Object(BTreeMap::new());
        for (path, keep) in keep {
            let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
            root.insert(&steps, keep);
        }
        root
    }

    fn insert(&mut self, steps: &[&'a str], keep: &'a Keep) {
        let (Some((step, rest)), Self::Object(fields)) = (steps.split_first(), self) else { return };
        let name = step.find(['[', '{']).map_or(*step, |end| &step[..end]);
        // The loader refuses two declarations of one place; the first one stands.
        let slot = fields.entry(name).or_insert_with(|| Self::seed(&step[name.len()..], rest, keep));
        let mut inner = slot;
        while let Self::List(next) | Self::Map(next) = inner {
            inner = next;
        }
        inner.insert(rest, keep);
    }

    /// The empty node for a step's suffix (`[]`, `{}`, none) with more steps to come, or the leaf.
    fn seed(suffix: &str, rest: &[&'a str], keep: &'a Keep) -> Self {
        match suffix.get(..2) {
            Some("[]") => Self::List(Box::new(Self::seed(&suffix[2..], rest, keep))),
            Some("{}") => Self::Map(Box::new(Self::seed(&suffix[2..], rest, keep))),
            _ if rest.is_empty() => Self::Leaf(keep),
            _ => Self::Object(BTreeMap::new()),
        }
    }

    fn keep(&self, value: Option<&Value>, path: &str, faults: &mut Notes) -> Option<Value> {
        let value = value.filter(|value| !value.is_null() || matches!(self, Self::Leaf(_) | Self::List(_) | Self::Map(_)));
        match (self, value) {
            (Self::Leaf(keep), value) => keep_field(keep, value, path, faults),
            // What is absent as a whole is absent in each part, so that documented absence of a part counts.
            (Self::Object(fields), None | Some(Value::Object(_))) => {
                let mut kept = Map::new();
                for (name, node) in fields {
                    let member = value.and_then(|value| value.get(*name));
                    if let Some(member) = node.keep(member, &below(path, name), faults) {
                        kept.insert((*name).to_owned(), member);
                    }
                }
                (!kept.is_empty()).then_some(Value::Object(kept))
            }
            (Self::List(node), Some(Value::Array(items))) => {
                let kept = items.iter().enumerate().filter_map(|(index, item)| node.keep(Some(item), &format!("{path}[{index}]"), faults));
                Some(Value::Array(kept.collect()))
            }
            (Self::Map(node), Some(Value::Object(members))) => {
                let mut kept = Map::new();
                for (name, member) in members {
                    if let Some(member) = node.keep(Some(member), &below(path, name), faults) {
                        kept.insert(name.clone(), member);
                    }
                }
                Some(Value::Object(kept))
            }
            (Self::List(_) | Self::Map(_), None) => refuse(faults, path, fault::MISSING),
            (Self::List(_) | Self::Map(_), Some(Value::Null)) => refuse(faults, path, fault::NULL),
            (Self::List(_), Some(_)) => refuse(faults, path, "not a list"),
            (Self::Object(_) | Self::Map(_), Some(_)) => refuse(faults, path, "not an object"),
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn refuse(faults: &mut Notes, path: &str, why: &str) -> Option<Value> {
    faults.faults.push((path.to_owned(), why.to_owned()));
    None
}

fn keep_field(keep: &Keep, value: Option<&Value>, path: &str, faults: &mut Notes) -> Option<Value> {
    if let Some(withheld) = keep.withheld {
        return refuse(faults, path, withheld.fault());
    }
    // An empty text is nothing where the vendor says so, and a value everywhere else.
    let value = value.filter(|value| !(keep.absent.as_ref().is_some_and(|absent| absent.empty) && value.as_str() == Some("")));
    match (value, &keep.absent) {
        (None | Some(Value::Null), Some(Absent { value, .. })) => Some(value.clone()),
        (None, None) => refuse(faults, path, fault::MISSING),
        (Some(Value::Null), None) => refuse(faults, path, fault::NULL),
        (Some(value), _) => match keep.transform {
            None => keep_typed(&keep.ty, value, path, faults),
            Some(transform) => keep_transformed(transform, &keep.ty, value, path, faults),
        },
    }
}

fn keep_transformed(transform: Transform, ty: &Type, value: &Value, path: &str, faults: &mut Notes) -> Option<Value> {
    let whole = matches!(transform, Transform::Present | Transform::NamesOf);
    if let (Type::List(element), false) = (ty, whole) {
        let Value::Array(items) = value else { return refuse(faults, path, "not a list") };
        let kept = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| keep_transformed(transform, element, item, &format!("{path}[{index}]"), faults));
        return Some(Value::Array(kept.collect()));
    }
    if let Some(why) = ill_typed(ty, value, faults.text) {
        return refuse(faults, path, why);
    }
    match transform::apply(transform, value) {
        Ok(value) => Some(value),
        Err(why) => refuse(faults, path, why),
    }
}

/// Whether a value that is not kept itself is of the type that it is declared to have.
fn ill_typed(ty: &Type, value: &Value, text: bool) -> Option<&'static str> {
    match (ty, value) {
        (Type::List(_), Value::Array(_)) | (Type::Map(_) | Type::Object(_), Value::Object(_)) => None,
        (Type::List(_), _) => Some("not a list"),
        (Type::Map(_), _) => Some("not a map"),
        (Type::Object(_), _) => Some("not an object"),
        (Type::Bool | Type::Int | Type::Number | Type::String | Type::Id | Type::Timestamp(_) | Type::Enum(_), _) => {
            scalar(ty, value, text).err()
        }
    }
}

fn keep_typed(ty: &Type, value: &Value, path: &str, faults: &mut Notes) -> Option<Value> {
    match (ty, value) {
        (Type::List(element), Value::Array(items)) => {
            let kept =
                items.iter().enumerate().filter_map(|(index, item)| keep_element(element, item, &format!("{path}[{index}]"), faults));
            Some(Value::Array(kept.collect()))
        }
        (Type::Map(element), Value::Object(members)) => {
            let mut kept = Map::new();
            for (name, member) in members {
                if let Some(member) = keep_element(element, member, &below(path, name), faults) {
                    kept.insert(name.clone(), member);
                }
            }
            Some(Value::Object(kept))
        }
        (Type::Object(fields), Value::Object(_)) => {
            let tree = Node::of_keep(fields.iter().map(|(name, keep)| (name.as_str(), keep)));
            Some(tree.keep(Some(value), path, faults).unwrap_or_else(|| Value::Object(Map::new())))
        }
        (Type::List(_), _) => refuse(faults, path, "not a list"),
        (Type::Map(_), _) => refuse(faults, path, "not a map"),
        (Type::Object(_), _) => refuse(faults, path, "not an object"),
        (Type::Bool | Type::Int | Type::Number | Type::String | Type::Id | Type::Timestamp(_) | Type::Enum(_), _) => {
            match scalar(ty, value, faults.text) {
                Ok(value) => Some(value),
                Err(why) => refuse(faults, path, why),
            }
        }
    }
}

fn keep_element(ty: &Type, value: &Value, path: &str, faults: &mut Notes) -> Option<Value> {
    if value.is_null() {
        return refuse(faults, path, fault::NULL);
    }
    keep_typed(ty, value, path, faults)
}

/// The largest whole number that every JSON reader agrees on (RFC 8259 section 6).
const WHOLE: i64 = 1 << 53;

fn scalar(ty: &Type, value: &Value, text: bool) -> Result<Value, &'static str> {
    if let (true, Type::Bool | Type::Int | Type::Number | Type::Timestamp(_), Some(written)) = (text, ty, value.as_str()) {
        return ty.of_text(written).ok_or("text that says no such value");
    }
    match ty {
        Type::Bool => value.as_bool().map(Value::Bool).ok_or("not true or false"),
        Type::Int => whole(value).map(Value::from).ok_or("not a whole number"),
        Type::Number => value.as_f64().filter(|number| number.is_finite()).map(|_| value.clone()).ok_or("not a number"),
        Type::String => value.as_str().map(Value::from).ok_or("not text"),
        Type::Id => match value {
            // Where everything is text, this is how a vendor writes that there is none.
            Value::String(named) if text && named.is_empty() => Err("not an identifier"),
            Value::String(named) => Ok(Value::String(named.clone())),
            Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Value::String(number.to_string())),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err("not an identifier"),
        },
        Type::Timestamp(format) => timestamp(*format, value).map(|time| Value::String(time.to_string())).ok_or("not a point in time"),
        Type::Enum(values) => {
            let text = value.as_str().ok_or("not text")?;
            if values.iter().any(|known| known == text) { Ok(Value::String(text.to_owned())) } else { Err(fault::UNKNOWN) }
        }
        Type::List(_) | Type::Map(_) | Type::Object(_) => Err("not a single value"),
    }
}

fn whole(value: &Value) -> Option<i64> {
    let number = match value.as_i64() {
        Some(number) => number,
        None => value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= WHOLE as f64)? as i64,
    };
    (-WHOLE..=WHOLE).contains(&number).then_some(number)
}

fn timestamp(format: TimestampFormat, value: &Value) -> Option<jiff::Timestamp> {
    match format {
        TimestampFormat::Rfc3339 | TimestampFormat::Spaced | TimestampFormat::SpacedZone | TimestampFormat::Date => {
            format.read(value.as_str()?)
        }
        TimestampFormat::EpochSeconds => jiff::Timestamp::from_second(whole(value)?).ok(),
        TimestampFormat::EpochMilliseconds => jiff::Timestamp::from_millisecond(whole(value)?).ok(),
    }
}
