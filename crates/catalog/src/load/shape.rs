//! What rows look like after `keep`, to tell whether a path that a manifest names is there and of which type.

use super::keep;
use crate::{Dataset, EachOver, FieldPath, Keep, Login, Type};
use std::collections::BTreeMap;

/// The shape of a stored value.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Leaf(Type),
    List(Box<Shape>),
    Map(Box<Shape>),
    Object(BTreeMap<String, Shape>),
}

impl Shape {
    pub(super) fn empty() -> Self {
        Self::Object(BTreeMap::new())
    }

    fn of_type(ty: &Type) -> Self {
        match ty {
            Type::List(element) => Self::List(Box::new(Self::of_type(element))),
            Type::Map(element) => Self::Map(Box::new(Self::of_type(element))),
            Type::Object(fields) => {
                let mut object = Self::empty();
                for (path, keep) in fields {
                    object.put(path, Self::of_keep(keep));
                }
                object
            }
            Type::Bool | Type::Int | Type::Number | Type::String | Type::Id | Type::Timestamp(_) | Type::Enum(_) => Self::Leaf(ty.clone()),
        }
    }

    pub(super) fn of_keep(keep: &Keep) -> Self {
        Self::of_type(&keep::stored(keep))
    }

    pub(super) fn put(&mut self, path: &str, shape: Self) {
        let Self::Object(fields) = self else { return };
        match path.split_once('.') {
            Some((name, rest)) => fields.entry(name.to_owned()).or_insert_with(Self::empty).put(rest, shape),
            None => {
                fields.insert(path.to_owned(), shape);
            }
        }
    }

    /// What lies at a path; `[]` steps into the elements of a list, `{}` into the values of a map.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        let mut shape = self;
        for segment in path.split('.').filter(|segment| !segment.is_empty()) {
            let (name, step) = match (segment.strip_suffix("[]"), segment.strip_suffix("{}")) {
                (Some(name), _) => (name, 1),
                (None, Some(name)) => (name, 2),
                (None, None) => (segment, 0),
            };
            let Self::Object(fields) = shape else { return None };
            shape = fields.get(name)?;
            shape = match (step, shape) {
                (0, shape) => shape,
                (1, Self::List(element)) | (2, Self::Map(element)) => element,
                (_, Self::Leaf(_) | Self::List(_) | Self::Map(_) | Self::Object(_)) => return None,
            };
        }
        Some(shape)
    }

    /// For sentences.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Leaf(ty) => keep::name(ty),
            Self::List(element) => format!("list<{}>", element.name()),
            Self::Map(element) => format!("map<{}>", element.name()),
            Self::Object(_) => "object".to_owned(),
        }
    }

    /// The rows of a dataset; `before` holds the datasets that may be its parent.
    pub(super) fn of_dataset(dataset: &Dataset, before: &[Dataset], logins: &[Login]) -> Self {
        let mut rows = Self::empty();
        for (path, keep) in &dataset.keep {
            rows.put(&path.0, Self::of_keep(keep));
        }
        for (name, value) in &dataset.constant {
            rows.put(name, Self::of_constant(value));
        }
        if let Some(each) = &dataset.each {
            match &each.over {
                EachOver::Dataset { id, .. } => {
                    let parent = before.iter().position(|parent| parent.id == *id);
                    if let Some(at) = parent {
                        let parent = Self::of_dataset(&before[at], &before[..at], logins);
                        for FieldPath(path) in &each.carry {
                            if let Some(shape) = parent.at(path) {
                                rows.put(&format!("each.{path}"), shape.clone());
                            }
                        }
                    }
                }
                EachOver::Field(field) => {
                    for part in
                        logins.iter().flat_map(|login| &login.fields).filter(|one| one.id == *field).flat_map(|one| one.format.part_names())
                    {
                        rows.put(&format!("each.{part}"), Self::Leaf(Type::String));
                    }
                }
            }
        }
        rows
    }

    fn of_constant(value: &serde_json::Value) -> Self {
        Self::Leaf(match value {
            serde_json::Value::Bool(_) => Type::Bool,
            serde_json::Value::Number(number) if number.is_i64() => Type::Int,
            serde_json::Value::Number(_) => Type::Number,
            serde_json::Value::Null | serde_json::Value::String(_) | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                Type::String
            }
        })
    }
}
