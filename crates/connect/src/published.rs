//! The vendor's own OpenAPI 3 description of its answers: which requests of the application it publishes, with which fields.
//!
//! Some names are known from nowhere else. They are kept only where a description that was read whole in the same scan
//! publishes exactly them, so that no field is guessed. Only names and types are taken from a description; it is a vendor's
//! text like any other, bounded in every direction.

use crate::{ConnectError, ReducedPage, template::decode_segment};
use catalog::{App, Dataset, FieldPath, Form, Inputs, Keep, Pagination, Row, RowKey, Type, Withheld};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

/// Schemas that are looked at for one request. An answer of a thousand fields, each described by a few, stays far below.
const SCHEMAS: usize = 20_000;
/// Fields that are listed for one request.
const FIELDS: usize = 2_000;
/// Levels of members and elements below an answer. What is judged lies four deep at most.
const LEVELS: usize = 10;
/// References that are followed one after the other to one path item or response.
const REFERENCES: usize = 8;
/// References that lead to one schema, one after the other.
const CHAIN: u32 = 64;
/// Characters of all paths that are listed for one request.
const LETTERS: usize = 200_000;
/// Characters of a member's name. Longer names are not published: no manifest keeps one.
const NAME: usize = 120;

/// Reads a description: one row for each request that a dataset of the application makes to the host role that it
/// describes ([`Dataset::described_rows`]). Pure, and bounded whatever the description holds.
///
/// # Errors
/// [`ConnectError::NotUnderstood`] when it is no OpenAPI 3 description.
pub fn describe(app: &App, description: &Dataset, inputs: &Inputs, body: &Value) -> Result<ReducedPage, ConnectError> {
    let wrong = |what: &str| ConnectError::NotUnderstood { sentence: format!("{}: {what}.", description.title) };
    if !body.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3.")) {
        return Err(wrong("the answer is no OpenAPI 3 description"));
    }
    let paths = body.get("paths").and_then(Value::as_object).ok_or_else(|| wrong("the description has no paths"))?;
    let mut by_shape: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for (path, item) in paths {
        by_shape.entry(shape_of(path)).or_default().push(item);
    }
    let mut requests: BTreeSet<(String, String)> = BTreeSet::new();
    for dataset in app.datasets.iter().filter(|dataset| dataset.host == description.host && dataset.form == Form::Data) {
        let dataset = dataset.for_inputs(inputs);
        requests.insert((dataset.method.as_str().to_owned(), dataset.path.clone()));
    }
    let rows = requests.into_iter().map(|(method, path)| {
        // Two paths of one shape are one path twice, which no description may hold: which of them is meant is not known.
        let item = match by_shape.get(&shape_of(&path)).map(Vec::as_slice) {
            Some([item]) => resolve(body, item),
            Some(_) | None => None,
        };
        let operation = item.and_then(|item| item.get(method.to_ascii_lowercase())).filter(|operation| operation.is_object());
        let mut walk = Walk::new(body);
        if let Some(schema) = operation.and_then(|operation| schema_of(body, operation)) {
            walk.go(schema);
        }
        let fields: Vec<String> = walk.found.iter().map(|(path, types)| format!("{path}:{}", words(types))).collect();
        let kept = json!({
            "method": method, "path": path, "published": operation.is_some(), "fields": fields, "all": walk.all,
        });
        Row { key: RowKey(format!("{method}\u{1f}{path}")), label: path, fields: kept, faults: Vec::new() }
    });
    Ok(ReducedPage { rows: rows.collect(), next: None, doubt: None })
}

/// A path with its placeholders by position: `/v1/accounts/{}/users`.
fn shape_of(path: &str) -> String {
    path.split('/')
        .map(|segment| if segment.starts_with('{') && segment.ends_with('}') { "{}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// What a local reference leads to, a few steps on; `None` for one that leads elsewhere or in a circle.
fn resolve<'d>(document: &'d Value, mut value: &'d Value) -> Option<&'d Value> {
    for _ in 0..REFERENCES {
        match value.get("$ref") {
            None => return Some(value),
            Some(reference) => value = pointed(document, reference.as_str()?)?,
        }
    }
    None
}

/// What `#/components/schemas/User` leads to (RFC 6901 within a URI fragment).
fn pointed<'d>(document: &'d Value, reference: &str) -> Option<&'d Value> {
    document.pointer(&decode_segment(reference.strip_prefix('#')?)?)
}

/// The schema of a successful answer.
fn schema_of<'d>(document: &'d Value, operation: &'d Value) -> Option<&'d Value> {
    let responses = operation.get("responses")?;
    let response = ["200", "2XX", "2xx"].iter().find_map(|status| responses.get(*status))?;
    let content = resolve(document, response)?.get("content")?.as_object()?;
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    };
    content.get("application/json").or_else(|| content.iter().find(|(kind, _)| is_json(kind)).map(|(_, media)| media))?.get("schema")
}

/// The words that types are written in, those of `keep`.
type Types = BTreeSet<&'static str>;

fn words(types: &Types) -> String {
    types.iter().copied().collect::<Vec<_>>().join("|")
}

/// The references that led to a schema, so that none is followed in a circle.
struct Chain {
    reference: String,
    length: u32,
    before: Option<Rc<Chain>>,
}

fn holds(chain: Option<&Rc<Chain>>, reference: &str) -> bool {
    let mut link = chain;
    while let Some(here) = link {
        if here.reference == reference {
            return true;
        }
        link = here.before.as_ref();
    }
    false
}

/// A schema that is still to be looked at.
struct Place<'d> {
    schema: &'d Value,
    path: String,
    level: usize,
    /// Whether it adds to another schema of the same place, so that its own silence about the type says nothing.
    adds: bool,
    chain: Option<Rc<Chain>>,
}

/// Lists the fields below a schema, the shallow ones first.
struct Walk<'d> {
    document: &'d Value,
    found: BTreeMap<String, Types>,
    /// Whether nothing was left out for its depth or number.
    all: bool,
    queue: VecDeque<Place<'d>>,
    seen: usize,
    letters: usize,
}

impl<'d> Walk<'d> {
    fn new(document: &'d Value) -> Self {
        Self { document, found: BTreeMap::new(), all: true, queue: VecDeque::new(), seen: 0, letters: 0 }
    }

    fn go(&mut self, schema: &'d Value) {
        self.push(Place { schema, path: String::new(), level: 0, adds: false, chain: None });
        while let Some(place) = self.queue.pop_front() {
            self.look(&place);
        }
        self.found.remove("");
        for types in self.found.values_mut().filter(|types| types.is_empty()) {
            types.insert("any");
        }
    }

    fn push(&mut self, place: Place<'d>) {
        if self.seen >= SCHEMAS || place.level > LEVELS {
            self.all = false;
            // What is not looked at here may say another type of a field that is known by its other schemas.
            self.is(&place.path, "any");
            return;
        }
        if !self.found.contains_key(&place.path) {
            if self.found.len() >= FIELDS || self.letters + place.path.len() > LETTERS {
                self.all = false;
                return;
            }
            self.letters += place.path.len();
            self.found.insert(place.path.clone(), Types::new());
        }
        self.seen += 1;
        self.queue.push_back(place);
    }

    fn look(&mut self, place: &Place<'d>) {
        let at = |schema: &'d Value, adds: bool| Place {
            schema,
            path: place.path.clone(),
            level: place.level,
            adds,
            chain: place.chain.clone(),
        };
        let below =
            |schema: &'d Value, path: String| Place { schema, path, level: place.level + 1, adds: false, chain: place.chain.clone() };
        let Some(schema) = place.schema.as_object() else {
            // `true` allows anything.
            if place.schema.as_bool() == Some(true) {
                self.is(&place.path, "any");
            }
            return;
        };
        let mut told = self.types(schema, &place.path);
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            told = true;
            let length = place.chain.as_ref().map_or(0, |chain| chain.length) + 1;
            if length > CHAIN {
                self.all = false;
                self.is(&place.path, "any");
            } else if !holds(place.chain.as_ref(), reference)
                && let Some(target) = pointed(self.document, reference)
            {
                let chain = Some(Rc::new(Chain { reference: reference.to_owned(), length, before: place.chain.clone() }));
                self.push(Place { chain, ..at(target, place.adds) });
            }
        }
        for (name, adds) in [("allOf", true), ("oneOf", false), ("anyOf", false)] {
            for part in schema.get(name).and_then(Value::as_array).into_iter().flatten() {
                told = true;
                self.push(at(part, adds));
            }
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if is_name(name) && member.get("writeOnly").and_then(Value::as_bool) != Some(true) {
                let path = if place.path.is_empty() { name.clone() } else { format!("{}.{name}", place.path) };
                self.push(below(member, path));
            }
        }
        if let Some(element) = schema.get("items") {
            self.push(below(element, format!("{}[]", place.path)));
        }
        if let Some(value) = schema.get("additionalProperties").filter(|value| value.is_object()) {
            self.push(below(value, format!("{}{{}}", place.path)));
        }
        if !told && !place.adds {
            self.is(&place.path, "any");
        }
    }

    /// Notes what a schema says of its own type; whether it says anything.
    fn types(&mut self, schema: &Map<String, Value>, path: &str) -> bool {
        let named: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => several.iter().map(|one| one.as_str().unwrap_or_default()).collect(),
            Some(_) => vec![""],
            None if schema.contains_key("properties") || schema.contains_key("additionalProperties") => vec!["object"],
            None if schema.contains_key("items") => vec!["array"],
            None => Vec::new(),
        };
        for name in &named {
            self.is(
                path,
                match *name {
                    "boolean" => "bool",
                    "integer" => "int",
                    "number" => "number",
                    "string" => "string",
                    "array" => "list",
                    "object" => "object",
                    "null" => NULL,
                    _ => "any",
                },
            );
        }
        if schema.get("nullable").and_then(Value::as_bool) == Some(true) {
            self.is(path, NULL);
        }
        !named.is_empty()
    }

    fn is(&mut self, path: &str, word: &'static str) {
        if let Some(types) = self.found.get_mut(path) {
            types.insert(word);
        }
    }
}

const NULL: &str = "null";

/// Whether a member's name can stand in a path without being taken for a longer one.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'))
}

/// What a description says of one request.
#[derive(Debug, Default)]
struct Request {
    /// The fields of its answer, with their types.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Whether these are all of them. Otherwise a field that is not among them may be published all the same.
    all: bool,
}

/// What a description came to in this scan.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The published requests, by method and path.
    requests: BTreeMap<(String, String), Request>,
    /// Whether it was read whole. Otherwise nothing is known.
    whole: bool,
}

impl Published {
    /// Takes up the rows of a description.
    pub(crate) fn of_rows(rows: &[Row], whole: bool) -> Self {
        let mut requests = BTreeMap::new();
        for row in rows {
            let text = |name: &str| row.fields.get(name).and_then(Value::as_str).map(str::to_owned);
            let (Some(method), Some(path)) = (text("method"), text("path")) else { continue };
            if row.fields.get("published") != Some(&Value::Bool(true)) {
                continue;
            }
            let fields = row.fields.get("fields").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let fields = fields.filter_map(|field| field.split_once(':')).map(|(path, types)| {
                let types = types.split('|').filter(|word| *word != NULL).map(str::to_owned).collect();
                (path.to_owned(), types)
            });
            let all = row.fields.get("all") == Some(&Value::Bool(true));
            requests.insert((method, path), Request { fields: fields.collect(), all });
        }
        Self { requests, whole }
    }

    /// The dataset as it is read under this description: what it does not publish is marked, so that it is not kept.
    ///
    /// # Errors
    /// [`ConnectError::NotPublished`] and [`ConnectError::DescriptionUnread`] when the request itself, or a field that
    /// tells its rows apart, has to be published and is not: then nothing is asked.
    pub(crate) fn apply(&self, dataset: &Dataset) -> Result<Dataset, ConnectError> {
        let request = (dataset.method.as_str().to_owned(), dataset.path.clone());
        let described = self.requests.get(&request);
        let unread = |what: String| ConnectError::DescriptionUnread {
            sentence: format!("Whether the vendor publishes {what} is not known, because its description was not read whole."),
        };
        if dataset.published_by.as_ref().is_some_and(|by| by.request) && (!self.whole || described.is_none()) {
            let what = format!("{} {}", request.0, request.1);
            return Err(if self.whole {
                ConnectError::NotPublished { sentence: format!("The vendor's description does not publish {what}, so it was not asked.") }
            } else {
                unread(what)
            });
        }
        let mut held = dataset.clone();
        let nothing = Request { all: true, ..Request::default() };
        let against = Against { described: described.unwrap_or(&nothing), whole: self.whole };
        for (path, keep) in &mut held.keep {
            against.mark(&path.within(&dataset.rows), keep);
        }
        if let Some(path) = held.key.iter().find(|path| held.keep.get(*path).is_some_and(|keep| keep.withheld.is_some())) {
            return Err(if against.why() == Withheld::NotPublished {
                ConnectError::NotPublished {
                    sentence: format!(
                        "The vendor's description of {} does not publish the field {}, by which entries are told apart, so it was not asked.",
                        request.1,
                        path.within(&dataset.rows)
                    ),
                }
            } else {
                unread(format!("the field {}", path.within(&dataset.rows)))
            });
        }
        if let Pagination::Cursor { next, published: true, withheld, .. } = &mut held.pagination {
            let number = against.is(&next.0, &["int", "string", "number"]);
            *withheld = if number { None } else { Some(against.why()) };
        }
        Ok(held)
    }
}

/// The dataset as it is read where a description came to these rows, `whole` or not: what that does not publish is marked
/// ([`Keep::withheld`]) and not kept by [`crate::reduce`].
///
/// # Errors
/// [`ConnectError::NotPublished`] and [`ConnectError::DescriptionUnread`] when the request itself, or a field that tells its
/// rows apart, has to be published and is not: then nothing is asked.
pub fn hold_against(dataset: &Dataset, described: &[Row], whole: bool) -> Result<Dataset, ConnectError> {
    Published::of_rows(described, whole).apply(dataset)
}

/// What a description says of the request that a dataset makes.
struct Against<'p> {
    described: &'p Request,
    whole: bool,
}

impl Against<'_> {
    fn why(&self) -> Withheld {
        if self.whole && self.described.all { Withheld::NotPublished } else { Withheld::DescriptionUnread }
    }

    fn mark(&self, path: &str, keep: &mut Keep) {
        if keep.published && !(self.whole && self.has(path, &keep.ty)) {
            keep.withheld = Some(self.why());
            return;
        }
        if let Type::List(element) = &mut keep.ty
            && let Type::Object(fields) = element.as_mut()
        {
            for (name, inner) in fields {
                self.mark(&FieldPath(name.clone()).within(&format!("{path}[]")), inner);
            }
        }
    }

    /// Whether exactly that path is published with a type that a value of ours always has. A type beside it that ours
    /// does not take is a reason not to know; null is what `keep` says of null.
    fn has(&self, path: &str, ty: &Type) -> bool {
        match ty {
            Type::Bool => self.is(path, &["bool"]),
            // Where a description says number, a value that is not whole is refused at receipt.
            Type::Int => self.is(path, &["int", "number"]),
            Type::Number => self.is(path, &["number", "int"]),
            Type::String
            | Type::Enum(_)
            | Type::Timestamp(
                catalog::TimestampFormat::Rfc3339
                | catalog::TimestampFormat::Spaced
                | catalog::TimestampFormat::SpacedZone
                | catalog::TimestampFormat::Date,
            ) => self.is(path, &["string"]),
            Type::Id => self.is(path, &["string", "int"]),
            Type::Timestamp(catalog::TimestampFormat::EpochSeconds | catalog::TimestampFormat::EpochMilliseconds) => {
                self.is(path, &["int", "number"])
            }
            Type::List(element) => self.is(path, &["list"]) && self.has(&format!("{path}[]"), element),
            Type::Map(element) => self.is(path, &["object"]) && self.has(&format!("{path}{{}}"), element),
            Type::Object(_) => self.is(path, &["object"]),
        }
    }

    fn is(&self, path: &str, allowed: &[&str]) -> bool {
        self.whole
            && self
                .described
                .fields
                .get(path)
                .is_some_and(|types| !types.is_empty() && types.iter().all(|word| allowed.contains(&word.as_str())))
    }
}
