//! `[[setting]]`: key, operator and recommended value become the expressions and texts of a check.

use super::{keep, shape::Shape, source::Value};
use crate::{Check, Type};
use serde_json::Value as Json;

/// The operators, in the reference vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Substring,
    NotSubstring,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    OneOf,
    NotOneOf,
    InRange,
    NotInRange,
}

pub(super) const OPERATORS: &[(&str, Operator)] = &[
    ("equal", Operator::Equal),
    ("not_equal", Operator::NotEqual),
    ("substring", Operator::Substring),
    ("not_substring", Operator::NotSubstring),
    ("greater", Operator::Greater),
    ("greater_or_equal", Operator::GreaterOrEqual),
    ("less", Operator::Less),
    ("less_or_equal", Operator::LessOrEqual),
    ("one_of", Operator::OneOf),
    ("not_one_of", Operator::NotOneOf),
    ("in_range", Operator::InRange),
    ("not_in_range", Operator::NotInRange),
];

/// Fills `pass`, `current` and `recommended` of a check.
pub(super) fn expand(check: &mut Check, key: &str, operator: Operator, recommended: &Value<'_>, shape: &Shape) {
    let Shape::Leaf(ty) = shape else {
        recommended.report(format!("a setting compares a single value, and `{key}` is {}; write a [[check]]", shape.name()));
        return;
    };
    if let Some(segment) = key.split('.').find(|segment| !is_name(segment)) {
        recommended
            .report(format!("the part \"{segment}\" of `key` cannot be read by an expression; it must be letters, digits and underscores"));
        return;
    }
    let value = recommended.json();
    if let Some(wants) = unfit(operator, ty, &value) {
        recommended.wrong(format!("must be {wants}, for this operator on a field of type {}", keep::name(ty)));
        return;
    }
    let field = format!("row.{key}");
    let one = |value: &Json| literal(ty, value);
    let items: Vec<String> = value.as_array().map(|items| items.iter().map(one).collect()).unwrap_or_default();
    let list = items.join(", ");
    let bounds = (items.first().cloned().unwrap_or_default(), items.get(1).cloned().unwrap_or_default());
    check.pass = match operator {
        Operator::Equal => format!("{field} == {}", one(&value)),
        Operator::NotEqual => format!("{field} != {}", one(&value)),
        Operator::Substring => format!("{field}.contains({})", one(&value)),
        Operator::NotSubstring => format!("!{field}.contains({})", one(&value)),
        Operator::Greater => format!("{field} > {}", one(&value)),
        Operator::GreaterOrEqual => format!("{field} >= {}", one(&value)),
        Operator::Less => format!("{field} < {}", one(&value)),
        Operator::LessOrEqual => format!("{field} <= {}", one(&value)),
        Operator::OneOf => format!("{field} in [{list}]"),
        Operator::NotOneOf => format!("!({field} in [{list}])"),
        Operator::InRange => format!("{field} >= {} && {field} <= {}", bounds.0, bounds.1),
        Operator::NotInRange => format!("{field} < {} || {field} > {}", bounds.0, bounds.1),
    };
    check.current = match ty {
        Type::Bool => format!("{field} ? 'on' : 'off'"),
        Type::String | Type::Id | Type::Enum(_) => field,
        Type::Int | Type::Number | Type::Timestamp(_) | Type::List(_) | Type::Map(_) | Type::Object(_) => format!("string({field})"),
    };
    let shown: Vec<String> = value.as_array().map_or_else(|| vec![shown(&value)], |items| items.iter().map(shown).collect());
    let first = shown.first().map(String::as_str).unwrap_or_default();
    let last = shown.last().map(String::as_str).unwrap_or_default();
    check.recommended = match operator {
        Operator::Equal => first.to_owned(),
        Operator::NotEqual => format!("not {first}"),
        Operator::Substring => format!("contains {first}"),
        Operator::NotSubstring => format!("does not contain {first}"),
        Operator::Greater => format!("more than {first}"),
        Operator::GreaterOrEqual => format!("at least {first}"),
        Operator::Less => format!("less than {first}"),
        Operator::LessOrEqual => format!("at most {first}"),
        Operator::OneOf => format!("one of {}", shown.join(", ")),
        Operator::NotOneOf => format!("none of {}", shown.join(", ")),
        Operator::InRange => format!("from {first} to {last}"),
        Operator::NotInRange => format!("not from {first} to {last}"),
    };
}

fn is_name(segment: &str) -> bool {
    segment.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && segment.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// What the recommended value should have been, when it does not fit.
fn unfit(operator: Operator, ty: &Type, value: &Json) -> Option<&'static str> {
    let items = value.as_array();
    let number = matches!(ty, Type::Int | Type::Number);
    let (fits, wants) = match operator {
        Operator::Equal | Operator::NotEqual => {
            (keep::holds(ty, value) && !matches!(ty, Type::Timestamp(_)), "a value of the field's type")
        }
        Operator::Substring | Operator::NotSubstring => (matches!(ty, Type::String) && value.is_string(), "text, and the field text"),
        Operator::Greater | Operator::GreaterOrEqual | Operator::Less | Operator::LessOrEqual => {
            (number && keep::holds(ty, value), "a number, and the field a number")
        }
        Operator::OneOf | Operator::NotOneOf => (
            items.is_some_and(|items| !items.is_empty() && items.iter().all(|item| keep::holds(ty, item))),
            "a list of values of the field's type",
        ),
        Operator::InRange | Operator::NotInRange => (
            number && items.is_some_and(|items| items.len() == 2 && items.iter().all(|item| keep::holds(ty, item))),
            "a list of two numbers, and the field a number",
        ),
    };
    (!fits).then_some(wants)
}

/// A literal of the expression language.
fn literal(ty: &Type, value: &Json) -> String {
    match value {
        Json::String(text) => {
            let escaped: String = text
                .chars()
                .flat_map(|letter| match letter {
                    '\\' => vec!['\\', '\\'],
                    '\'' => vec!['\\', '\''],
                    '\n' => vec!['\\', 'n'],
                    other => vec![other],
                })
                .collect();
            format!("'{escaped}'")
        }
        // A number field may hold fractions, so its literal is written as one.
        Json::Number(number) if matches!(ty, Type::Number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| format!("{number:?}"))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

/// A value as a person reads it.
fn shown(value: &Json) -> String {
    match value {
        Json::Bool(true) => "on".to_owned(),
        Json::Bool(false) => "off".to_owned(),
        Json::String(text) => text.clone(),
        Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}
