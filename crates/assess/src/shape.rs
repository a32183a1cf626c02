//! What a manifest declares of rows, as one tree: the types that the gate demands and the expressions are held against.

use crate::path::{Path, Step};
use catalog::{Absent, App, Dataset, EachOver, FieldPath, Keep, OnEmpty, Transform, Type};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is declared of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// The value that documented absence was replaced by at receipt.
    pub(crate) absent: Option<Value>,
    /// What it means that a list or map is empty.
    pub(crate) on_empty: OnEmpty,
}

/// The type of a value as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Number,
    Text,
    Timestamp,
    Enum(Vec<String>),
    List(Box<Shape>),
    Map(Box<Shape>),
    Object(BTreeMap<String, Shape>),
}

impl Kind {
    /// How it is called in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Bool => "a bool",
            Self::Int => "a whole number",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Timestamp => "a timestamp",
            Self::Enum(_) => "one of the declared values",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
        }
    }
}

impl Shape {
    /// A value of that type of which absence is not documented.
    pub(crate) fn of(kind: Kind) -> Self {
        Self { kind, absent: None, on_empty: OnEmpty::Unknown }
    }

    /// An object without fields, to be filled.
    pub(crate) fn object() -> Self {
        Self::of(Kind::Object(BTreeMap::new()))
    }

    /// Whether null is a value that the manifest knows the meaning of.
    pub(crate) fn nullable(&self) -> bool {
        self.absent.as_ref().is_some_and(Value::is_null)
    }

    /// The shape one step further.
    pub(crate) fn step(&self, step: &Step) -> Option<&Self> {
        match (&self.kind, step) {
            (Kind::Object(fields), Step::Field(name)) => fields.get(name),
            (Kind::List(element), Step::Elements) => Some(element),
            (Kind::Map(value), Step::Values | Step::Key(_)) => Some(value),
            _ => None,
        }
    }

    /// The shape at a path.
    pub(crate) fn at(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |shape, step| shape.step(step))
    }

    /// Puts a shape at a path, with the objects and lists on the way. What is declared there already is merged with it.
    pub(crate) fn put(&mut self, path: &Path, shape: Self) {
        let Some((first, rest)) = path.0.split_first() else {
            self.merge(shape);
            return;
        };
        let rest = Path(rest.to_vec());
        let slot = match first {
            Step::Field(name) => {
                if !matches!(self.kind, Kind::Object(_)) {
                    self.kind = Kind::Object(BTreeMap::new());
                }
                match &mut self.kind {
                    Kind::Object(fields) => fields.entry(name.clone()).or_insert_with(Self::object),
                    Kind::Bool | Kind::Int | Kind::Number | Kind::Text | Kind::Timestamp | Kind::Enum(_) | Kind::List(_) | Kind::Map(_) => {
                        return;
                    }
                }
            }
            Step::Elements => {
                if !matches!(self.kind, Kind::List(_)) {
                    self.kind = Kind::List(Box::new(Self::object()));
                }
                match &mut self.kind {
                    Kind::List(element) => element.as_mut(),
                    Kind::Bool
                    | Kind::Int
                    | Kind::Number
                    | Kind::Text
                    | Kind::Timestamp
                    | Kind::Enum(_)
                    | Kind::Object(_)
                    | Kind::Map(_) => return,
                }
            }
            Step::Values | Step::Key(_) => {
                if !matches!(self.kind, Kind::Map(_)) {
                    self.kind = Kind::Map(Box::new(Self::object()));
                }
                match &mut self.kind {
                    Kind::Map(value) => value.as_mut(),
                    Kind::Bool
                    | Kind::Int
                    | Kind::Number
                    | Kind::Text
                    | Kind::Timestamp
                    | Kind::Enum(_)
                    | Kind::Object(_)
                    | Kind::List(_) => return,
                }
            }
        };
        slot.put(&rest, shape);
    }

    fn merge(&mut self, other: Self) {
        if other.absent.is_some() {
            self.absent = other.absent;
        }
        if other.on_empty == OnEmpty::None {
            self.on_empty = OnEmpty::None;
        }
        match (&mut self.kind, other.kind) {
            (Kind::Object(fields), Kind::Object(more)) => {
                for (name, shape) in more {
                    match fields.get_mut(&name) {
                        Some(field) => field.merge(shape),
                        None => {
                            fields.insert(name, shape);
                        }
                    }
                }
            }
            (Kind::List(element), Kind::List(more)) | (Kind::Map(element), Kind::Map(more)) => element.merge(*more),
            (kind, Kind::Object(fields)) if fields.is_empty() => {
                let _ = kind;
            }
            (kind, more) => *kind = more,
        }
    }

    pub(crate) fn of_keep(keep: &Keep) -> Self {
        let stored = match keep.transform {
            None => Self::of_type(&keep.ty),
            Some(Transform::Present) => Self::of(Kind::Bool),
            Some(transform) => match &keep.ty {
                Type::List(_) => Self::of(Kind::List(Box::new(Self::of_transform(transform)))),
                Type::Bool
                | Type::Int
                | Type::Number
                | Type::String
                | Type::Id
                | Type::Timestamp(_)
                | Type::Enum(_)
                | Type::Map(_)
                | Type::Object(_) => Self::of_transform(transform),
            },
        };
        let absent = keep.absent.as_ref().map(|Absent { value, .. }| value.clone());
        Self { kind: stored.kind, absent, on_empty: keep.on_empty }
    }

    fn of_transform(transform: Transform) -> Self {
        let object = |fields: &[(&str, Kind)]| {
            Self::of(Kind::Object(fields.iter().map(|(name, kind)| ((*name).to_owned(), Self::of(kind.clone()))).collect()))
        };
        match transform {
            Transform::Present => Self::of(Kind::Bool),
            Transform::NamesOf => Self::of(Kind::List(Box::new(Self::of(Kind::Text)))),
            Transform::HostOf => object(&[("scheme", Kind::Text), ("host", Kind::Text)]),
            Transform::Sha256 => Self::of(Kind::Text),
            Transform::X509 => object(&[
                ("subject", Kind::Text),
                ("issuer", Kind::Text),
                ("not_before", Kind::Timestamp),
                ("not_after", Kind::Timestamp),
                ("key_algorithm", Kind::Text),
                ("key_bits", Kind::Int),
                ("signature_algorithm", Kind::Text),
                ("sha256", Kind::Text),
            ]),
            Transform::JwtTimes => object(&[("exp", Kind::Timestamp), ("iat", Kind::Timestamp)]),
        }
    }

    fn of_type(ty: &Type) -> Self {
        Self::of(match ty {
            Type::Bool => Kind::Bool,
            Type::Int => Kind::Int,
            Type::Number => Kind::Number,
            Type::String | Type::Id => Kind::Text,
            Type::Timestamp(_) => Kind::Timestamp,
            Type::Enum(values) => Kind::Enum(values.clone()),
            Type::List(element) => Kind::List(Box::new(Self::of_type(element))),
            Type::Map(value) => Kind::Map(Box::new(Self::of_type(value))),
            Type::Object(fields) => {
                let mut object = Self::object();
                for (name, keep) in fields {
                    object.put(&Path::parse(name), Self::of_keep(keep));
                }
                object.kind
            }
        })
    }

    /// The shape of a constant that the manifest puts into rows.
    fn of_constant(value: &Value) -> Self {
        Self::of(match value {
            Value::Bool(_) => Kind::Bool,
            Value::Number(number) if number.is_i64() => Kind::Int,
            Value::Number(_) => Kind::Number,
            Value::String(_) | Value::Null => Kind::Text,
            Value::Array(items) => Kind::List(Box::new(items.first().map_or_else(|| Self::of(Kind::Text), Self::of_constant))),
            Value::Object(fields) => Kind::Object(fields.iter().map(|(name, value)| (name.clone(), Self::of_constant(value))).collect()),
        })
    }

    /// The rows of a dataset. `depth` bounds the chain of datasets that are read once per row of another.
    pub(crate) fn of_dataset(app: &App, dataset: &Dataset, depth: u8) -> Self {
        let mut rows = Self::object();
        // Shorter paths first, so that what is inside a list or object is put into it.
        let mut keep: Vec<(&FieldPath, &Keep)> = dataset.keep.iter().collect();
        keep.sort_by_key(|(path, _)| Path::parse(&path.0).0.len());
        for (path, keep) in keep {
            rows.put(&Path::parse(&path.0), Self::of_keep(keep));
        }
        for (name, value) in &dataset.constant {
            let path = Path::parse(name);
            if rows.at(&path).is_none() {
                rows.put(&path, Self::of_constant(value));
            }
        }
        if let Some(each) = &dataset.each {
            let under = |path: &FieldPath| {
                let mut steps = vec![Step::Field("each".to_owned())];
                steps.extend(Path::parse(&path.0).0);
                Path(steps)
            };
            match &each.over {
                EachOver::Field(_) => {
                    for path in [FieldPath::from("item")].iter().chain(&each.carry) {
                        rows.put(&under(path), Self::of(Kind::Text));
                    }
                }
                EachOver::Dataset { id, .. } => {
                    let parent = app.dataset(id).filter(|_| depth > 0).map(|parent| Self::of_dataset(app, parent, depth - 1));
                    for path in &each.carry {
                        if let Some(shape) = parent.as_ref().and_then(|parent| parent.at(&Path::parse(&path.0))) {
                            rows.put(&under(path), shape.clone());
                        }
                    }
                }
            }
        }
        rows
    }
}
