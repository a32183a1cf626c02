//! `[[view]]`: what is computed over datasets.

use super::{
    keep,
    shape::Shape,
    source::{Table, Value},
    words,
};
use crate::{Compare, Condition, Dataset, FieldPath, Join, JoinKind, Login, PivotField, Type, View, ViewShape};
use serde_json::Value as Json;

pub(super) fn read(table: Table<'_>, datasets: &[Dataset], logins: &[Login]) -> Option<View> {
    let id = table.text("id", "stable within the application; no dataset has the same");
    let title = table.text("title", "what the administrator sees");
    let from = table.text("from", "the dataset whose rows it starts from");
    let shape_of = |id: &str| {
        let at = datasets.iter().position(|dataset| dataset.id == id)?;
        Some(Shape::of_dataset(&datasets[at], &datasets[..at], logins))
    };
    let Some(mut rows) = shape_of(&from) else {
        if !from.is_empty() {
            table.errors.add(&table.place_of("from"), format!("`from` names the dataset \"{from}\", which is not there"));
        }
        // Whatever else it says would be held against nothing.
        return None;
    };
    let filter = table.get("where").map(|value| conditions(&value, &rows)).unwrap_or_default();
    let mut joins = Vec::new();
    for join in table.tables("join") {
        if let Some(join) = read_join(join, &mut rows, &shape_of) {
            joins.push(join);
        }
    }
    let first_by = table.get("first_by");
    let counts = table.get("count_where");
    let group_by = table.get("group_by");
    let pivot = table.get("pivot");
    let fields = table.get("fields");
    if let Some(value) = pivot {
        for other in [first_by, group_by, counts].into_iter().flatten() {
            other.wrong("does not go with `pivot`; a view has one shape");
        }
        let pivot = self::pivot(&value, fields.as_ref(), &rows);
        let place = table.place.clone();
        table.finish();
        return Some(View { id, title, from, filter, joins, shape: pivot?, place });
    }
    if let Some(fields) = fields {
        fields.wrong("are the names of `pivot`; leave it out");
    }
    let view_shape = match (first_by, group_by) {
        (Some(value), None) => {
            if let Some(counts) = counts {
                counts.wrong("does not go with `first_by`; a view has one shape");
            }
            first(&value, &rows)
        }
        (None, Some(value)) => {
            let by = paths(&value, &rows);
            Some(ViewShape::GroupBy { by, counts: counts.map(|value| count(&value, &rows)).unwrap_or_default() })
        }
        (None, None) => Some(counts.map_or(ViewShape::Rows, |value| ViewShape::CountWhere { counts: count(&value, &rows) })),
        (Some(_), Some(value)) => {
            value.wrong("does not go with `first_by`; a view has one shape");
            None
        }
    };
    let place = table.place.clone();
    table.finish();
    Some(View { id, title, from, filter, joins, shape: view_shape?, place })
}

/// `pivot = { by = "name", value = "value" }` and `fields`, in the syntax of `keep` but for paths: a name is one, dots and all.
fn pivot(value: &Value<'_>, fields: Option<&Value<'_>>, rows: &Shape) -> Option<ViewShape> {
    let table = value.table()?;
    let by = FieldPath(table.text("by", "the field with the name"));
    let of = FieldPath(table.text("value", "the field with the value"));
    table.finish();
    for path in [&by, &of] {
        if !matches!(rows.at(&path.0), Some(Shape::Leaf(Type::String | Type::Id))) {
            value.wrong(format!("names \"{path}\", which is not a kept text of the rows"));
        }
    }
    let mut declared = Vec::new();
    for (name, value) in fields.map(Value::entries).unwrap_or_default() {
        if let Some(keep) = keep::field(&value) {
            if keep.absent.as_ref().is_some_and(|absent| absent.empty) {
                value.wrong("is a declared name of a pivot, of which an empty text is a value; leave `empty` out");
            }
            add_pivot_field(&mut declared, PivotField { name, keep }, &value);
        }
    }
    Some(ViewShape::Pivot { by, value: of, fields: declared })
}

/// Adds a declared name; two that come to one place cannot be told apart.
pub(super) fn add_pivot_field(fields: &mut Vec<PivotField>, field: PivotField, value: &Value<'_>) {
    match field.keep.ty {
        Type::Bool | Type::Int | Type::Number | Type::String | Type::Id | Type::Timestamp(_) | Type::Enum(_) => {}
        Type::List(_) | Type::Map(_) | Type::Object(_) => {
            value.wrong("is the type of a name of `pivot`, whose value is text; write bool, int, number, string, id, timestamp or enum");
            return;
        }
    }
    let place = PivotField::place(&field.name);
    if let Some(other) = fields.iter().find(|other| PivotField::place(&other.name) == place) {
        value.wrong(format!("is read as row.{place}, and so is \"{}\"; declare one of them", other.name));
        return;
    }
    fields.push(field);
}

fn read_join(table: Table<'_>, rows: &mut Shape, shape_of: &dyn Fn(&str) -> Option<Shape>) -> Option<Join> {
    let dataset = table.text("dataset", "the dataset that is joined");
    let kind = table.word("kind", words::JOINS).unwrap_or_default();
    let left = FieldPath(table.text("left", "the path in the row so far"));
    let right = FieldPath(table.text("right", "the path in the joined dataset's rows"));
    let name = table.text_or_empty("as");
    let joined = shape_of(&dataset);
    if joined.is_none() {
        table.errors.add(&table.place_of("dataset"), format!("`dataset` names \"{dataset}\", which is not there"));
    }
    let joined = joined?;
    let filter = table.get("where").map(|value| conditions(&value, &joined)).unwrap_or_default();
    let mut kinds = Vec::new();
    for (key, path, shape) in [("left", &left, &*rows), ("right", &right, &joined)] {
        match comparable(shape.at(&path.0)) {
            Some(ty) => kinds.push(ty),
            None => table
                .errors
                .add(&table.place_of(key), format!("`{key}` names \"{path}\", which is not a kept value or list of values there")),
        }
    }
    if let [one, other] = kinds.as_slice()
        && !alike(one, other)
    {
        table.wrong(format!("`left` is {} and `right` is {}, which are never equal", keep::name(one), keep::name(other)));
    }
    match (kind, name.as_str()) {
        (JoinKind::Anti, "") => {}
        (JoinKind::Anti, _) => table.wrong("an anti join keeps rows without a match, so it has no `as`"),
        (JoinKind::Inner | JoinKind::Left, "") => {
            table.wrong("a join lacks `as`: the name under which the matching rows are put into the row")
        }
        (JoinKind::Inner | JoinKind::Left, name) => {
            if rows.at(name).is_some() || name.contains('.') {
                table.wrong(format!("`as` is \"{name}\", which is taken or not one name; choose another"));
            }
            rows.put(name, Shape::List(Box::new(joined)));
        }
    }
    table.finish();
    Some(Join { dataset, kind, left, right, filter, name })
}

/// The type of a value, or of the elements of a list, that a join can compare.
fn comparable(shape: Option<&Shape>) -> Option<Type> {
    match shape? {
        Shape::Leaf(ty) => Some(ty.clone()),
        Shape::List(element) => match element.as_ref() {
            Shape::Leaf(ty) => Some(ty.clone()),
            Shape::List(_) | Shape::Map(_) | Shape::Object(_) => None,
        },
        Shape::Map(_) | Shape::Object(_) => None,
    }
}

/// Whether values of the two types can be equal: text with text, numbers with numbers, like with like.
fn alike(one: &Type, other: &Type) -> bool {
    let class = |ty: &Type| match ty {
        Type::Bool => 0,
        Type::Int | Type::Number => 1,
        Type::String | Type::Id | Type::Enum(_) => 2,
        Type::Timestamp(_) => 3,
        Type::List(_) | Type::Map(_) | Type::Object(_) => 4,
    };
    class(one) == class(other)
}

fn paths(value: &Value<'_>, rows: &Shape) -> Vec<FieldPath> {
    let paths: Vec<FieldPath> = value.texts().into_iter().map(FieldPath).collect();
    if paths.is_empty() {
        value.wrong("is empty; name the fields that make a group");
    }
    for path in &paths {
        if !matches!(rows.at(&path.0), Some(Shape::Leaf(_))) {
            value.wrong(format!("names \"{path}\", which is not a single value of the rows"));
        }
    }
    paths
}

fn first(value: &Value<'_>, rows: &Shape) -> Option<ViewShape> {
    let table = value.table()?;
    let by = table.get("by").map(|value| paths(&value, rows)).unwrap_or_default();
    let order = FieldPath(table.text("order", "the field that is compared"));
    match rows.at(&order.0) {
        Some(Shape::Leaf(Type::Int | Type::Number | Type::String | Type::Timestamp(_))) => {}
        Some(_) | None => value.wrong(format!("orders by \"{order}\", which is not an int, number, string or timestamp of the rows")),
    }
    let descending = table.flag_or("descending", false);
    table.finish();
    Some(ViewShape::FirstBy { by, order, descending })
}

fn count(value: &Value<'_>, rows: &Shape) -> Vec<(String, Vec<Condition>)> {
    value
        .entries()
        .into_iter()
        .map(|(name, value)| {
            if name == "total" {
                value.wrong("is taken: every count has `total`; choose another name");
            }
            let conditions = conditions(&value, rows);
            (name, conditions)
        })
        .collect()
}

/// A list of `{ field, op, value }`.
pub(super) fn conditions(value: &Value<'_>, rows: &Shape) -> Vec<Condition> {
    value
        .items()
        .into_iter()
        .filter_map(|item| {
            let mut table = item.table()?;
            table.what = "a condition".to_owned();
            let field = FieldPath(table.text("field", "the path in the row"));
            let op = table.some_word("op", words::COMPARES);
            let literal = table.get("value");
            table.finish();
            let condition = Condition { field, op: op?, value: literal.as_ref().map(Value::json).unwrap_or(Json::Null) };
            if let Some(sentence) = ill_typed(&condition, literal.is_some(), rows) {
                item.report(sentence);
            }
            Some(condition)
        })
        .collect()
}

/// What is wrong with comparing that field with that literal.
fn ill_typed(condition: &Condition, has_value: bool, rows: &Shape) -> Option<String> {
    let Condition { field, op, value } = condition;
    let Some(shape) = rows.at(&field.0) else {
        return Some(format!("a condition names \"{field}\", which is not kept there"));
    };
    let ty = match shape {
        Shape::Leaf(ty) => Some(ty),
        Shape::List(_) | Shape::Map(_) | Shape::Object(_) => None,
    };
    let element = match shape {
        Shape::List(element) => match element.as_ref() {
            Shape::Leaf(ty) => Some(ty),
            Shape::List(_) | Shape::Map(_) | Shape::Object(_) => None,
        },
        Shape::Leaf(_) | Shape::Map(_) | Shape::Object(_) => None,
    };
    let holds = |ty: Option<&Type>, value: &Json| ty.is_some_and(|ty| keep::holds(ty, value));
    let list = value.as_array().filter(|items| !items.is_empty());
    let (fits, wants) = match op {
        Compare::Eq | Compare::Ne => (holds(ty, value), format!("a value of type {}", shape.name())),
        Compare::In | Compare::NotIn => {
            (list.is_some_and(|items| items.iter().all(|item| holds(ty, item))), format!("a list of values of type {}", shape.name()))
        }
        Compare::Contains => (holds(element, value), "a list field, and a value of its elements' type".to_owned()),
        Compare::ContainsAny => (
            list.is_some_and(|items| items.iter().all(|item| holds(element, item))),
            "a list field, and a list of values of its elements' type".to_owned(),
        ),
        Compare::Gt | Compare::Lt => (
            matches!(ty, Some(Type::Int | Type::Number | Type::Timestamp(_))) && holds(ty, value),
            "a number or timestamp field, and a value of its type".to_owned(),
        ),
        Compare::Empty | Compare::NotEmpty => {
            let sized = matches!(shape, Shape::List(_) | Shape::Map(_) | Shape::Leaf(Type::String | Type::Id));
            (sized && !has_value, "a list or text field, and no value".to_owned())
        }
    };
    (!fits).then(|| format!("the condition on \"{field}\" does not fit its type {}; this comparison wants {wants}", shape.name()))
}
