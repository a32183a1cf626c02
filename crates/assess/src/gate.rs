//! The gate that stands before every expression: what it reads must be there, be of the declared type, and be known.

use crate::path::{Path, Step};
use crate::shape::{Kind, Shape};
use catalog::{Cause, CauseKind, OnEmpty, Row};
use serde_json::Value;

/// The whole numbers that a row may hold: those that every JSON reader agrees on.
const WHOLE: i64 = 1 << 53;

/// Lets a row through for these paths, or says why not. `complete` tells whether the dataset was read whole: absence
/// that the manifest gives a meaning to counts only then.
pub(crate) fn pass(row: &Row, shape: &Shape, paths: &[Path], complete: bool) -> Result<(), Cause> {
    for path in paths {
        if let Some((fault, why)) = row.faults.iter().find(|(fault, _)| path.touched_by(fault)) {
            return Err(of_fault(fault, why));
        }
        value(Some(&row.fields), shape, &path.0, complete).map_err(Blocked::cause)?;
    }
    Ok(())
}

/// The cause that a fault of a row comes to.
fn of_fault(field: &str, why: &str) -> Cause {
    let (kind, sentence) = match why {
        Row::NOT_PUBLISHED => (
            CauseKind::NotPublished,
            format!(
                "The field {field} is not published by the vendor's description of this answer, and its name is known from nowhere else."
            ),
        ),
        Row::DESCRIPTION_UNREAD => {
            let sentence =
                format!("Whether the vendor publishes the field {field} is not known, because its description was not read whole.");
            return Cause { kind: CauseKind::InputIncomplete, sentence, remedy: "Scan again.".to_owned() };
        }
        Row::UNKNOWN_VALUE => (CauseKind::UnknownValue, format!("{field} could not be read: {why}.")),
        _ => (CauseKind::FieldMissing, format!("{field} could not be read: {why}.")),
    };
    Cause { kind, sentence, remedy: SHAPE.to_owned() }
}

/// Whether one value, with what lies at `steps` from it, may be looked at.
pub(crate) fn value(json: Option<&Value>, shape: &Shape, steps: &[Step], complete: bool) -> Result<(), Blocked> {
    let Some(json) = json else { return Err(Blocked::new(Obstacle::Missing)) };
    if !complete && shape.absent.as_ref() == Some(json) {
        return Err(Blocked::new(Obstacle::AbsenceUnproven));
    }
    if json.is_null() {
        return if shape.nullable() { Ok(()) } else { Err(Blocked::new(Obstacle::Null)) };
    }
    let ill_typed = || Err(Blocked::new(Obstacle::IllTyped(shape.kind.name())));
    match (&shape.kind, json) {
        (Kind::Bool, Value::Bool(_)) | (Kind::Number, Value::Number(_)) | (Kind::Text, Value::String(_)) => {}
        (Kind::Int, Value::Number(number)) => {
            if !number.as_i64().is_some_and(|int| (-WHOLE..=WHOLE).contains(&int)) {
                return ill_typed();
            }
        }
        (Kind::Timestamp, Value::String(text)) => {
            if chrono::DateTime::parse_from_rfc3339(text).is_err() {
                return ill_typed();
            }
        }
        (Kind::Enum(values), Value::String(text)) => {
            if !values.iter().any(|value| value == text) {
                return Err(Blocked::new(Obstacle::Unknown));
            }
        }
        (Kind::List(_), Value::Array(items)) => {
            if items.is_empty() && shape.on_empty == OnEmpty::Unknown {
                return Err(Blocked::new(Obstacle::Empty));
            }
        }
        (Kind::Map(_), Value::Object(members)) => {
            if members.is_empty() && shape.on_empty == OnEmpty::Unknown {
                return Err(Blocked::new(Obstacle::Empty));
            }
        }
        (Kind::Object(_), Value::Object(_)) => {}
        _ => return ill_typed(),
    }
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    let Some(inner) = shape.step(step) else { return ill_typed() };
    match (step, json) {
        (Step::Field(name) | Step::Key(name), Value::Object(members)) => {
            value(members.get(name), inner, rest, complete).map_err(|blocked| blocked.under(name))
        }
        (Step::Values, Value::Object(members)) => {
            // In the order of the keys, so that the same obstacle is named every time.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            members
                .into_iter()
                .try_for_each(|(key, member)| value(Some(member), inner, rest, complete).map_err(|blocked| blocked.under(key)))
        }
        (Step::Elements, Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| value(Some(item), inner, rest, complete).map_err(|blocked| blocked.at(index))),
        _ => ill_typed(),
    }
}

/// A value that may not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocked {
    obstacle: Obstacle,
    /// The concrete path, innermost part first.
    path: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Obstacle {
    Missing,
    Null,
    IllTyped(&'static str),
    Unknown,
    Empty,
    AbsenceUnproven,
}

impl Blocked {
    fn new(obstacle: Obstacle) -> Self {
        Self { obstacle, path: Vec::new() }
    }

    fn under(mut self, name: &str) -> Self {
        self.path.push(format!(".{name}"));
        self
    }

    fn at(mut self, index: usize) -> Self {
        self.path.push(format!("[{index}]"));
        self
    }

    /// As the administrator reads it.
    pub(crate) fn cause(self) -> Cause {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        let path = path.trim_start_matches('.');
        match self.obstacle {
            Obstacle::Missing => unreadable(format!("{path} is not in the answer.")),
            Obstacle::Null => unreadable(format!("{path} is null, and the vendor does not say what that means.")),
            Obstacle::IllTyped(wanted) => unreadable(format!("{path} is not {wanted}.")),
            Obstacle::Unknown => Cause {
                kind: CauseKind::UnknownValue,
                sentence: format!("{path} holds a value that this connector does not know."),
                remedy: SHAPE.to_owned(),
            },
            Obstacle::Empty => Cause {
                kind: CauseKind::Empty,
                sentence: format!("{path} is empty, and the vendor does not say what that means."),
                remedy: String::new(),
            },
            Obstacle::AbsenceUnproven => Cause {
                kind: CauseKind::InputIncomplete,
                sentence: format!("{path} was left out of an answer that was not read whole."),
                remedy: "Scan again.".to_owned(),
            },
        }
    }
}

const SHAPE: &str = "Run `posture schema` for this instance and report the shape of the answer.";

fn unreadable(sentence: String) -> Cause {
    Cause { kind: CauseKind::FieldMissing, sentence, remedy: SHAPE.to_owned() }
}
