//! `keep`: the compact type syntax, and paths through lists of objects.

use super::{source::Value, words};
use crate::{Absent, FieldPath, Keep, OnEmpty, Place, TimestampFormat, Transform, Type};
use std::collections::BTreeMap;

const TRANSFORMS: &[(&str, Transform)] = &[
    ("present", Transform::Present),
    ("names_of", Transform::NamesOf),
    ("host_of", Transform::HostOf),
    ("sha256", Transform::Sha256),
    ("x509", Transform::X509),
    ("jwt_times", Transform::JwtTimes),
];

pub(super) const ON_EMPTY: &[(&str, OnEmpty)] = &[("none", OnEmpty::None), ("unknown", OnEmpty::Unknown)];

/// One written line of `keep`, before lines of one list of objects are brought together.
struct Line<'t> {
    /// What is left of the path, `[]` included.
    path: Vec<String>,
    keep: Keep,
    /// Whether it speaks of a list of objects itself (`headers[]`) rather than of a field.
    options: bool,
    value: Value<'t>,
}

/// Reads the table `keep`.
pub(super) fn read(value: &Value<'_>) -> BTreeMap<FieldPath, Keep> {
    let mut lines = Vec::new();
    for (path, value) in value.entries() {
        let segments: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.starts_with("[]") || !words::is_path(&path) {
            value.wrong("is not a path; write member names divided by dots, with [] after a list of objects: headers[].name");
            continue;
        }
        let options = segments.last().is_some_and(|segment| segment.ends_with("[]"));
        if let Some(keep) = if options { list_options(&value) } else { field(&value) } {
            lines.push(Line { path: segments, keep, options, value });
        }
    }
    group(lines)
}

/// Brings lines together: those through the same list become one list of objects.
fn group(lines: Vec<Line<'_>>) -> BTreeMap<FieldPath, Keep> {
    let mut fields: BTreeMap<FieldPath, Keep> = BTreeMap::new();
    let mut places: Vec<(Vec<String>, Value<'_>)> = Vec::new();
    let mut lists: BTreeMap<Vec<String>, Vec<Line<'_>>> = BTreeMap::new();
    for mut line in lines {
        match line.path.iter().position(|segment| segment.ends_with("[]")) {
            Some(at) => {
                let rest = line.path.split_off(at + 1);
                let list = line.path.iter().map(|segment| segment.trim_end_matches("[]").to_owned()).collect();
                line.path = rest;
                lists.entry(list).or_default().push(line);
            }
            None => {
                places.push((line.path.clone(), line.value));
                fields.insert(FieldPath(line.path.join(".")), line.keep);
            }
        }
    }
    for (list, lines) in lists {
        let Some(first) = lines.first().map(|line| line.value.clone()) else { continue };
        let mut keep = Keep {
            ty: Type::Object(BTreeMap::new()),
            transform: None,
            absent: None,
            on_empty: OnEmpty::Unknown,
            source: None,
            published: false,
            withheld: None,
            place: first.place.clone(),
        };
        let (options, inner): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.options && line.path.is_empty());
        for line in options {
            keep = line.keep;
        }
        if inner.is_empty() {
            first.wrong("keeps nothing of the list's elements; add a line such as \"headers[].name\" = \"string\", or write list<string>");
        }
        let element = group(inner).into_iter().map(|(path, keep)| (path.0, keep)).collect();
        keep.ty = Type::List(Box::new(Type::Object(element)));
        places.push((list.clone(), first));
        fields.insert(FieldPath(list.join(".")), keep);
    }
    for (at, (path, value)) in places.iter().enumerate() {
        // The same path twice is a list of values and a list of objects at once.
        let clash = |other: usize, over: &[String]| over.len() < path.len() || (over.len() == path.len() && other < at);
        if let Some((_, (over, _))) = places.iter().enumerate().find(|(other, (over, _))| clash(*other, over) && path.starts_with(over)) {
            value.wrong(format!("lies within `{}`, which is kept as one value; keep either the whole or its parts", over.join(".")));
        }
    }
    fields
}

fn plain(ty: Type, place: Place) -> Keep {
    Keep { ty, transform: None, absent: None, on_empty: OnEmpty::Unknown, source: None, published: false, withheld: None, place }
}

/// What is said of a list of objects itself.
fn list_options(value: &Value<'_>) -> Option<Keep> {
    let table = value.table()?;
    let mut keep = plain(Type::Object(BTreeMap::new()), value.place.clone());
    keep.on_empty = table.word("on_empty", ON_EMPTY).unwrap_or_default();
    keep.source = table.get("source").and_then(|value| value.text());
    keep.published = table.flag_or("published", false);
    let absent = table.get("absent");
    let source = table.get("absent_source").and_then(|value| value.text());
    match (absent, source) {
        (Some(absent), Some(source)) if absent.json() == serde_json::json!([]) => {
            keep.absent = Some(Absent { value: absent.json(), source, empty: false })
        }
        (None, None) => {}
        (Some(_) | None, _) => value.wrong("may be absent only as `absent = []` with `absent_source`, the URL that says so"),
    }
    table.finish();
    Some(keep)
}

/// One field: the compact form or the long one.
pub(super) fn field(value: &Value<'_>) -> Option<Keep> {
    if value.is_text() {
        let text = value.text()?;
        if text.ends_with('?') {
            value.wrong("may be absent, so it must say what absence stands for: { type = \"…?\", absent = …, absent_source = \"URL\" }");
            return None;
        }
        return parse(value, &text).map(|ty| plain(ty, value.place.clone()));
    }
    if !value.is_table() {
        value.wrong("must be a type such as \"bool\", or { type = \"bool\", … }");
        return None;
    }
    let table = value.table()?;
    let text = table.text("type", "the type of the value as it is received");
    let (text, optional) = text.strip_suffix('?').map_or((text.as_str(), false), |text| (text, true));
    let ty = parse(value, text);
    let transform = table.word("as", TRANSFORMS);
    let on_empty = table.word("on_empty", ON_EMPTY).unwrap_or_default();
    let source = table.get("source").and_then(|value| value.text());
    let absent = table.get("absent");
    let absent_source = table.get("absent_source").and_then(|value| value.text());
    let published = table.flag_or("published", false);
    let empty = table.word("empty", &[("absent", true), ("value", false)]).unwrap_or(false);
    table.finish();
    let ty = ty?;
    if empty && !optional {
        value.wrong("says that an empty text is absence, so its type must end in `?`, with `absent` and `absent_source`");
    }
    if empty && matches!(ty, Type::List(_) | Type::Map(_) | Type::Object(_)) {
        value.wrong("is no single value, so an empty text in its place is no absence; leave `empty` out");
    }
    if let Some(transform) = transform {
        fits(value, transform, &ty);
    }
    if on_empty == OnEmpty::None && !matches!(ty, Type::List(_) | Type::Map(_)) {
        value.wrong("is neither a list nor a map, so `on_empty` says nothing; leave it out");
    }
    let mut keep = Keep { ty, transform, absent: None, on_empty, source, published, withheld: None, place: value.place.clone() };
    match (optional, absent, absent_source) {
        (true, Some(absent), Some(source)) => {
            // TOML has no null: the word stands for it.
            let written = if absent.json() == "null" { serde_json::Value::Null } else { absent.json() };
            if !written.is_null() && !holds(&stored(&keep), &written) {
                absent.wrong("is not a value of this field's type; write one of that type, or \"null\"");
            }
            keep.absent = Some(Absent { value: written, source, empty });
        }
        (false, None, None) => {}
        (true, _, _) => value
            .wrong("may be absent (`?`), so it needs `absent`, the value it then stands for, and `absent_source`, the URL that says so"),
        (false, _, _) => value.wrong("says what absence stands for, so its type must end in `?`"),
    }
    Some(keep)
}

fn fits(value: &Value<'_>, transform: Transform, ty: &Type) {
    let text = match ty {
        Type::String => true,
        Type::List(element) => **element == Type::String,
        Type::Bool | Type::Int | Type::Number | Type::Id | Type::Timestamp(_) | Type::Enum(_) | Type::Map(_) | Type::Object(_) => false,
    };
    match transform {
        Transform::Present => {}
        Transform::NamesOf if matches!(ty, Type::Map(_)) => {}
        Transform::NamesOf => value.wrong("is not a map, so `as = \"names_of\"` has no names to keep; write type = \"map<string>\""),
        Transform::HostOf | Transform::Sha256 | Transform::X509 | Transform::JwtTimes if text => {}
        Transform::HostOf | Transform::Sha256 | Transform::X509 | Transform::JwtTimes => {
            value.wrong("is transformed from text, so its type must be string or list<string>");
        }
    }
}

/// How a time is written: `timestamp`, `timestamp(date)`.
pub(super) fn timestamp_format(text: &str) -> Option<TimestampFormat> {
    Some(match text {
        "timestamp" => TimestampFormat::Rfc3339,
        "timestamp(spaced)" => TimestampFormat::Spaced,
        "timestamp(spaced_zone)" => TimestampFormat::SpacedZone,
        "timestamp(date)" => TimestampFormat::Date,
        "timestamp(epoch_s)" => TimestampFormat::EpochSeconds,
        "timestamp(epoch_ms)" => TimestampFormat::EpochMilliseconds,
        _ => return None,
    })
}

/// Parses `bool`, `timestamp(epoch_s)`, `enum(a,b)`, `list<string>`, `map<int>`.
fn parse(value: &Value<'_>, text: &str) -> Option<Type> {
    let inner = |start: &str, end: char| text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    Some(match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "number" => Type::Number,
        "string" => Type::String,
        "id" => Type::Id,
        _ if timestamp_format(text).is_some() => Type::Timestamp(timestamp_format(text)?),
        _ => {
            if let Some(values) = inner("enum(", ')') {
                let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
                if values.iter().any(String::is_empty) {
                    value.wrong("has an empty word in enum(…); write enum(a,b)");
                    return None;
                }
                Type::Enum(values)
            } else if let Some(element) = inner("list<", '>') {
                Type::List(Box::new(parse(value, element)?))
            } else if let Some(element) = inner("map<", '>') {
                Type::Map(Box::new(parse(value, element)?))
            } else {
                value.wrong(format!(
                    "has the type \"{text}\", which is not known; write bool, int, number, string, id, timestamp, timestamp(epoch_s), \
                     timestamp(epoch_ms), timestamp(spaced), timestamp(date), enum(a,b), list<…> or map<…>"
                ));
                return None;
            }
        }
    })
}

/// The type of what is stored: the received one, or what its transform makes of it.
pub(super) fn stored(keep: &Keep) -> Type {
    let Some(transform) = keep.transform else { return keep.ty.clone() };
    let object = |fields: &[(&str, Type)]| {
        Type::Object(fields.iter().map(|(name, ty)| ((*name).to_owned(), plain(ty.clone(), keep.place.clone()))).collect())
    };
    let one = match transform {
        Transform::Present => return Type::Bool,
        Transform::NamesOf => return Type::List(Box::new(Type::String)),
        Transform::HostOf => object(&[("scheme", Type::String), ("host", Type::String)]),
        Transform::Sha256 => Type::String,
        Transform::X509 => object(&[
            ("subject", Type::String),
            ("issuer", Type::String),
            ("not_before", Type::Timestamp(TimestampFormat::Rfc3339)),
            ("not_after", Type::Timestamp(TimestampFormat::Rfc3339)),
            ("key_algorithm", Type::String),
            ("key_bits", Type::Int),
            ("signature_algorithm", Type::String),
            ("sha256", Type::String),
        ]),
        Transform::JwtTimes => {
            object(&[("exp", Type::Timestamp(TimestampFormat::Rfc3339)), ("iat", Type::Timestamp(TimestampFormat::Rfc3339))])
        }
    };
    if matches!(keep.ty, Type::List(_)) { Type::List(Box::new(one)) } else { one }
}

/// Whether a literal is a value of that stored type.
pub(super) fn holds(ty: &Type, value: &serde_json::Value) -> bool {
    match ty {
        Type::Bool => value.is_boolean(),
        Type::Int => value.is_i64(),
        Type::Number => value.is_number(),
        Type::String | Type::Id => value.is_string(),
        Type::Timestamp(_) => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        Type::Enum(values) => value.as_str().is_some_and(|text| values.iter().any(|known| known == text)),
        Type::List(element) => value.as_array().is_some_and(|items| items.iter().all(|item| holds(element, item))),
        Type::Map(element) => value.as_object().is_some_and(|fields| fields.values().all(|item| holds(element, item))),
        Type::Object(fields) => value
            .as_object()
            .is_some_and(|object| object.iter().all(|(name, item)| fields.get(name).is_some_and(|keep| holds(&stored(keep), item)))),
    }
}

/// A stored type in the words of `keep`, for sentences.
pub(super) fn name(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Id => "id".to_owned(),
        Type::Timestamp(_) => "timestamp".to_owned(),
        Type::Enum(values) => format!("enum({})", values.join(",")),
        Type::List(element) => format!("list<{}>", name(element)),
        Type::Map(element) => format!("map<{}>", name(element)),
        Type::Object(_) => "object".to_owned(),
    }
}
