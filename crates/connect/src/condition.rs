//! Which parent rows a dataset is read for.

use crate::reduce::at_path;
use catalog::{Compare, Condition, FieldPath};
use serde_json::Value;
use std::cmp::Ordering;

/// Whether a row fulfils a condition; `None` when the field is not there or cannot be compared.
pub(crate) fn holds(condition: &Condition, fields: &Value) -> Option<bool> {
    let plural = condition.field.segments().any(|(_, each)| each);
    if plural {
        let (head, rest) = condition.field.0.split_once("[]")?;
        let Value::Array(items) = at_path(fields, &FieldPath::from(head))? else { return None };
        let inner = Condition { field: FieldPath::from(rest.trim_start_matches('.')), ..condition.clone() };
        let verdicts: Option<Vec<bool>> = items.iter().map(|item| holds(&inner, item)).collect();
        return verdicts.map(|verdicts| verdicts.contains(&true));
    }
    let value = at_path(fields, &condition.field)?;
    let order = || -> Option<Ordering> {
        match (value, &condition.value) {
            (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
            (Value::String(left), Value::String(right)) => {
                let (left, right): (jiff::Timestamp, jiff::Timestamp) = (left.parse().ok()?, right.parse().ok()?);
                Some(left.cmp(&right))
            }
            _ => None,
        }
    };
    let is_empty = || match value {
        Value::Array(items) => Some(items.is_empty()),
        Value::String(text) => Some(text.is_empty()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    match condition.op {
        Compare::Eq => Some(*value == condition.value),
        Compare::Ne => Some(*value != condition.value),
        Compare::In => Some(condition.value.as_array()?.contains(value)),
        Compare::NotIn => Some(!condition.value.as_array()?.contains(value)),
        Compare::Contains => Some(value.as_array()?.contains(&condition.value)),
        Compare::ContainsAny => {
            let items = value.as_array()?;
            Some(condition.value.as_array()?.iter().any(|wanted| items.contains(wanted)))
        }
        Compare::Gt => Some(order()? == Ordering::Greater),
        Compare::Lt => Some(order()? == Ordering::Less),
        Compare::Empty => is_empty(),
        Compare::NotEmpty => is_empty().map(|empty| !empty),
    }
}
