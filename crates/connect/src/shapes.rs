//! The redacted shape of answers: names and types, never a value. What only a live tenant can tell, an administrator can
//! send without sending data.

use crate::{
    Parent, Session, Shape,
    condition::holds,
    published::describe,
    reduce::{at_path, put, reduce},
    request::Request,
    wire::Content,
};
use catalog::{App, Dataset, EachOver, Form, Format};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// How many elements of a list are looked at.
const ELEMENTS: usize = 100;

/// The shape of the first answer of each dataset; of datasets that are read per parent, for the first parent.
pub async fn shapes(session: &Session, app: &App) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut answers: HashMap<String, Option<Value>> = HashMap::new();
    for declared in &app.datasets {
        let dataset = declared.for_inputs(session.wire.inputs()).into_owned();
        let parent = match &dataset.each {
            None => Ok(None),
            Some(_) => first_parent(session, app, &dataset, &answers).map(Some).ok_or("E-PARENT-UNREADABLE"),
        };
        let (shape, failed) = match parent {
            Err(code) => (None, Some(code.to_owned())),
            Ok(parent) => {
                let (body, failed) = body_of(session, app, &dataset, parent.as_ref()).await;
                let shape = match dataset.form {
                    Form::OpenApi => body.clone(),
                    Form::Data => body.as_ref().map(shape_of),
                };
                answers.insert(dataset.id.clone(), body);
                (shape, failed)
            }
        };
        shapes.push(Shape { dataset: dataset.id, path: dataset.path, shape: shape.unwrap_or(Value::Null), failed });
    }
    shapes
}

async fn body_of(session: &Session, app: &App, dataset: &Dataset, parent: Option<&Parent>) -> (Option<Value>, Option<String>) {
    let watcher = |event| session.keep(event);
    let request = match Request::first(app, &session.wire, dataset, parent) {
        Ok(request) => request,
        Err(error) => return (None, Some(error.code().to_owned())),
    };
    match session.wire.fetch(app, dataset, &request, 1, &watcher).await {
        Ok(fetched) => match fetched.content {
            // Of a description, what it says of our own requests: names and types as well.
            Content::Body { body, .. } if dataset.form == Form::OpenApi => match describe(app, dataset, session.wire.inputs(), &body) {
                Ok(page) => (Some(Value::Array(page.rows.into_iter().map(|row| row.fields).collect())), None),
                Err(error) => (None, Some(error.code().to_owned())),
            },
            Content::Body { body, .. } => (Some(body), None),
            Content::StandIn(_) | Content::Running { .. } => (None, None),
        },
        Err(error) => (None, Some(error.code().to_owned())),
    }
}

/// The first row (or item of a field) that a dataset would be read for. Parents stand before their children in a manifest
/// or are not found.
fn first_parent(session: &Session, app: &App, dataset: &Dataset, answers: &HashMap<String, Option<Value>>) -> Option<Parent> {
    let each = dataset.each.as_ref()?;
    match &each.over {
        EachOver::Field(field) => {
            let value = session.wire.inputs().get(field)?;
            let item = Format::items(value).next()?;
            let format = app.logins.iter().flat_map(|login| &login.fields).find(|known| known.id == *field).map(|field| &field.format)?;
            let each = format.parts(item).into_iter().map(|(name, part)| (name, Value::String(part))).collect();
            Some(Parent { key: Default::default(), label: item.to_owned(), each })
        }
        EachOver::Dataset { id, filter } => {
            let parent = app.dataset(id)?.for_inputs(session.wire.inputs()).into_owned();
            let page = reduce(&parent, answers.get(id)?.as_ref()?, Some(&Parent::default())).ok()?;
            let row = page.rows.into_iter().find(|row| filter.iter().all(|condition| holds(condition, &row.fields) == Some(true)))?;
            let mut carried = Map::new();
            for path in &each.carry {
                if let Some(value) = at_path(&row.fields, path) {
                    put(&mut carried, &path.0, value.clone());
                }
            }
            Some(Parent { key: row.key, label: row.label, each: carried })
        }
    }
}

/// A type in place of every value, `*` in place of every name that may be data.
fn shape_of(value: &Value) -> Value {
    let mut shape = Seen::default();
    shape.look(value);
    shape.write()
}

/// What was seen at one place.
#[derive(Default)]
struct Seen {
    scalars: std::collections::BTreeSet<&'static str>,
    members: Option<BTreeMap<String, Seen>>,
    elements: Option<Box<Seen>>,
}

impl Seen {
    fn look(&mut self, value: &Value) {
        match value {
            Value::Null => {
                self.scalars.insert("null");
            }
            Value::Bool(_) => {
                self.scalars.insert("bool");
            }
            Value::Number(number) => {
                self.scalars.insert(if number.is_f64() { "number" } else { "integer" });
            }
            Value::String(_) => {
                self.scalars.insert("string");
            }
            Value::Array(items) => {
                let elements = self.elements.get_or_insert_default();
                items.iter().take(ELEMENTS).for_each(|item| elements.look(item));
            }
            Value::Object(fields) => {
                let members = self.members.get_or_insert_default();
                for (name, value) in fields {
                    let name = if is_name(name) { name.clone() } else { "*".to_owned() };
                    members.entry(name).or_default().look(value);
                }
            }
        }
    }

    fn write(&self) -> Value {
        let mut alternatives = Vec::new();
        if let Some(members) = &self.members {
            alternatives.push(Value::Object(members.iter().map(|(name, seen)| (name.clone(), seen.write())).collect()));
        }
        if let Some(elements) = &self.elements {
            let nothing = elements.scalars.is_empty() && elements.members.is_none() && elements.elements.is_none();
            alternatives.push(Value::Array(if nothing { Vec::new() } else { vec![elements.write()] }));
        }
        if !self.scalars.is_empty() {
            alternatives.push(Value::String(self.scalars.iter().copied().collect::<Vec<_>>().join("|")));
        }
        match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Value::Object(Map::from_iter([("one_of".to_owned(), Value::Array(alternatives))])),
        }
    }
}

/// Whether a member's name is a word of the vendor's and not, say, an address, a user's id or a token: letters, `_` and
/// `-`, few digits, not long.
fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || first == '$')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '$'))
        && name.chars().filter(char::is_ascii_digit).count() <= 2
}
