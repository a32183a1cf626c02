//! Views: rows computed from whole datasets, over indexed keys, in an order that does not depend on the order of what
//! came in.

use crate::gate;
use crate::path::{Path, Step};
use crate::shape::{Kind, Shape};
use catalog::{
    App, Cause, CauseKind, Collected, Compare, Completeness, Condition, Dataset, FieldPath, Join, JoinKind, OnEmpty, PivotField, Row,
    RowKey, Type, View, ViewShape,
};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows that one computed row is said to rest on; of a count over many thousands, the first by key.
pub(crate) const INPUTS: usize = 1_000;

/// A view, held against the shapes of what it is computed from.
#[derive(Debug)]
pub(crate) struct CompiledView {
    pub(crate) id: String,
    inputs: Vec<Input>,
    from: Source,
    joins: Vec<CompiledJoin>,
    /// The rows after the joins.
    joined: Shape,
    output: Output,
    /// The rows that come out.
    pub(crate) shape: Shape,
}

#[derive(Debug)]
struct Input {
    dataset: String,
    title: String,
    on_empty: OnEmpty,
}

#[derive(Debug)]
struct Source {
    dataset: String,
    shape: Shape,
    filter: Vec<Test>,
}

#[derive(Debug)]
struct CompiledJoin {
    kind: JoinKind,
    left: Path,
    /// The rows so far.
    before: Shape,
    source: Source,
    right: Path,
    name: String,
}

#[derive(Debug)]
enum Output {
    Rows,
    FirstBy { by: Vec<Path>, order: Path, descending: bool },
    Pivot { by: Path, value: Path, fields: Vec<PivotField> },
    Count { by: Vec<Path>, counts: Vec<(String, Vec<Test>)>, grouped: bool },
}

/// A condition whose types fit.
#[derive(Debug)]
struct Test {
    field: Path,
    /// What must be readable: `field`, or its elements.
    gate: Path,
    op: Compare,
    value: Value,
    timestamp: bool,
}

/// A computed row.
#[derive(Debug, Clone)]
pub(crate) struct Derived<'c> {
    pub(crate) row: Cow<'c, Row>,
    pub(crate) inputs: Vec<(&'c str, &'c RowKey)>,
}

/// Holds a view against the datasets of its application.
pub(crate) fn compile(app: &App, view: &View, shapes: &BTreeMap<String, Shape>) -> Result<CompiledView, Vec<String>> {
    let mut wrong = Vec::new();
    let mut inputs = Vec::new();
    for id in view.inputs() {
        match app.dataset(id) {
            Some(Dataset { id, title, on_empty, .. }) => {
                inputs.push(Input { dataset: id.clone(), title: title.clone(), on_empty: *on_empty })
            }
            None => wrong.push(format!("the view rests on `{id}`, which is not a dataset")),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let empty = Shape::object();
    let shape_of = |id: &str| shapes.get(id).unwrap_or(&empty).clone();

    let from = shape_of(&view.from);
    let filter = tests(&view.filter, &from, "where", &mut wrong);
    let mut joined = from.clone();
    let mut joins = Vec::new();
    for join in &view.joins {
        if let Some(compiled) = compile_join(join, &mut joined, shape_of(&join.dataset), &mut wrong) {
            joins.push(compiled);
        }
    }
    let (output, shape) = match &view.shape {
        ViewShape::Rows => (Output::Rows, joined.clone()),
        ViewShape::FirstBy { by, order, descending } => {
            let by = groups(by, &joined, &mut wrong);
            let order_path = Path::parse(&order.0);
            match joined.at(&order_path).map(|shape| &shape.kind) {
                _ if order_path.is_plural() => wrong.push(format!("order goes through a list: {order}")),
                Some(Kind::Int | Kind::Number | Kind::Text | Kind::Timestamp) => {}
                Some(kind) => wrong.push(format!("order needs a number, text or a timestamp; {order} is {}", kind.name())),
                None => wrong.push(format!("order names {order}, which is not kept")),
            }
            (Output::FirstBy { by, order: order_path, descending: *descending }, joined.clone())
        }
        ViewShape::CountWhere { counts } => {
            let counts = compile_counts(counts, &joined, &mut wrong);
            let shape = counted_shape(&[], &counts, &joined, &mut wrong);
            (Output::Count { by: Vec::new(), counts, grouped: false }, shape)
        }
        ViewShape::Pivot { by, value, fields } => {
            let mut shape = Shape::object();
            for field in fields {
                shape.put(&Path(vec![Step::Field(PivotField::place(&field.name))]), Shape::of_keep(&field.keep));
            }
            let path = |field: &FieldPath, wrong: &mut Vec<String>| {
                let path = Path::parse(&field.0);
                if path.is_plural() || !joined.at(&path).is_some_and(|shape| shape.kind == Kind::Text) {
                    wrong.push(format!("the pivot needs text; {field} is none"));
                }
                path
            };
            let (by, value) = (path(by, &mut wrong), path(value, &mut wrong));
            (Output::Pivot { by, value, fields: fields.clone() }, shape)
        }
        ViewShape::GroupBy { by, counts } => {
            let by = groups(by, &joined, &mut wrong);
            let counts = compile_counts(counts, &joined, &mut wrong);
            let shape = counted_shape(&by, &counts, &joined, &mut wrong);
            (Output::Count { by, counts, grouped: true }, shape)
        }
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let from = Source { dataset: view.from.clone(), shape: from, filter };
    Ok(CompiledView { id: view.id.clone(), inputs, from, joins, joined, output, shape })
}

fn compile_join(join: &Join, joined: &mut Shape, right_shape: Shape, wrong: &mut Vec<String>) -> Option<CompiledJoin> {
    let before = joined.clone();
    let left = key_path(&join.left, &before, wrong);
    let right = key_path(&join.right, &right_shape, wrong);
    let filter = tests(&join.filter, &right_shape, "where", wrong);
    match (join.kind, join.name.as_str()) {
        (JoinKind::Anti, "") | (JoinKind::Inner, "") => {}
        (JoinKind::Anti, name) => wrong.push(format!("an anti join puts nothing into the row; leave out `as = \"{name}\"`")),
        (JoinKind::Left, "") => {
            wrong.push(format!("the left join with {} needs `as`, the name of the list of matching rows", join.dataset))
        }
        (JoinKind::Left | JoinKind::Inner, name) => {
            let path = Path(vec![Step::Field(name.to_owned())]);
            if name.contains(['.', '[', '{']) {
                wrong.push(format!("`as = \"{name}\"` must be one plain name"));
            } else if before.at(&path).is_some() {
                wrong.push(format!("`as = \"{name}\"` would hide a field of that name"));
            } else {
                let mut list = Shape::of(Kind::List(Box::new(right_shape.clone())));
                // All inputs are whole when a view is computed: no match is a fact.
                list.on_empty = OnEmpty::None;
                joined.put(&path, list);
            }
        }
    }
    let (left, right) = (left?, right?);
    let class = |shape: &Shape, path: &Path| shape.at(path).map(|shape| matches!(shape.kind, Kind::Int)).unwrap_or_default();
    let bool = |shape: &Shape, path: &Path| shape.at(path).map(|shape| matches!(shape.kind, Kind::Bool)).unwrap_or_default();
    if class(&before, &left) != class(&right_shape, &right) || bool(&before, &left) != bool(&right_shape, &right) {
        wrong.push(format!("{left} and {right} are of different types, so they can never match; keep both as id"));
        return None;
    }
    Some(CompiledJoin {
        kind: join.kind,
        left,
        before,
        source: Source { dataset: join.dataset.clone(), shape: right_shape, filter },
        right,
        name: join.name.clone(),
    })
}

/// A path whose values can be matched; a list stands for its elements.
fn key_path(path: &FieldPath, shape: &Shape, wrong: &mut Vec<String>) -> Option<Path> {
    let mut parsed = Path::parse(&path.0);
    let mut kind = shape.at(&parsed).map(|shape| &shape.kind);
    if let Some(Kind::List(element)) = kind {
        kind = Some(&element.kind);
        parsed = parsed.then(Step::Elements);
    }
    match kind {
        Some(Kind::Bool | Kind::Int | Kind::Text | Kind::Enum(_) | Kind::Timestamp) => Some(parsed),
        Some(kind) => {
            wrong.push(format!("{path} is {}, which cannot be matched", kind.name()));
            None
        }
        None => {
            wrong.push(format!("{path} is not kept; add it to keep"));
            None
        }
    }
}

fn groups(by: &[FieldPath], shape: &Shape, wrong: &mut Vec<String>) -> Vec<Path> {
    if by.is_empty() {
        wrong.push("`by` is empty; name the fields that make a group".to_owned());
    }
    by.iter()
        .map(|field| {
            let path = Path::parse(&field.0);
            match shape.at(&path) {
                _ if path.is_plural() => wrong.push(format!("by goes through a list: {field}")),
                None => wrong.push(format!("by names {field}, which is not kept")),
                Some(shape) if shape.nullable() => wrong.push(format!("by names {field}, which may be null")),
                Some(Shape { kind: Kind::Bool | Kind::Int | Kind::Text | Kind::Enum(_) | Kind::Timestamp, .. }) => {}
                Some(shape) => wrong.push(format!("by names {field}, which is {}", shape.kind.name())),
            }
            path
        })
        .collect()
}

fn compile_counts(counts: &[(String, Vec<Condition>)], shape: &Shape, wrong: &mut Vec<String>) -> Vec<(String, Vec<Test>)> {
    counts.iter().map(|(name, conditions)| (name.clone(), tests(conditions, shape, name, wrong))).collect()
}

fn counted_shape(by: &[Path], counts: &[(String, Vec<Test>)], joined: &Shape, wrong: &mut Vec<String>) -> Shape {
    let mut shape = Shape::object();
    for path in by {
        if let Some(field) = joined.at(path) {
            shape.put(path, field.clone());
        }
    }
    let total = "total".to_owned();
    for name in std::iter::once(&total).chain(counts.iter().map(|(name, _)| name)) {
        let path = Path(vec![Step::Field(name.clone())]);
        if shape.at(&path).is_some() {
            wrong.push(format!("`{name}` is there twice; `total` is the number of all rows, and each count needs a name of its own"));
        }
        shape.put(&path, Shape::of(Kind::Int));
    }
    shape
}

fn tests(conditions: &[Condition], shape: &Shape, place: &str, wrong: &mut Vec<String>) -> Vec<Test> {
    conditions
        .iter()
        .filter_map(|condition| test(condition, shape).map_err(|sentence| wrong.push(format!("{place}: {sentence}"))).ok())
        .collect()
}

fn test(condition: &Condition, shape: &Shape) -> Result<Test, String> {
    let Condition { field, op, value } = condition;
    let path = Path::parse(&field.0);
    let at = shape.at(&path).ok_or_else(|| format!("{field} is not kept; add it to keep"))?;
    let literal = |shape: &Shape, value: &Value| -> Result<(), String> {
        let fits = match (&shape.kind, value) {
            (_, Value::Null) => shape.nullable(),
            (Kind::Bool, Value::Bool(_)) | (Kind::Number, Value::Number(_)) | (Kind::Text, Value::String(_)) => true,
            (Kind::Int, Value::Number(number)) => number.is_i64(),
            (Kind::Timestamp, Value::String(text)) => instant(text).is_some(),
            (Kind::Enum(values), Value::String(text)) => values.contains(text),
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("{value} can never be a value of {field}, which is {}", shape.kind.name())) }
    };
    let listed = || value.as_array().ok_or_else(|| format!("{field}: this comparison needs a list as its value"));
    let element = || {
        if let Kind::List(element) = &at.kind {
            Ok(element.as_ref())
        } else {
            Err(format!("{field} is {}; this comparison needs a list", at.kind.name()))
        }
    };
    let mut gate = path.clone();
    let mut compared = at;
    match op {
        Compare::Eq | Compare::Ne => literal(at, value)?,
        Compare::In | Compare::NotIn => listed()?.iter().try_for_each(|value| literal(at, value))?,
        Compare::Contains => {
            compared = element()?;
            literal(compared, value)?;
            gate = gate.then(Step::Elements);
        }
        Compare::ContainsAny => {
            compared = element()?;
            listed()?.iter().try_for_each(|value| literal(compared, value))?;
            gate = gate.then(Step::Elements);
        }
        Compare::Gt | Compare::Lt => {
            if !matches!(at.kind, Kind::Int | Kind::Number | Kind::Timestamp) || value.is_null() {
                return Err(format!("{field} is {}; gt and lt need a number or a timestamp on both sides", at.kind.name()));
            }
            // A whole number may be held against any number.
            if !(at.kind == Kind::Int && value.is_number()) {
                literal(at, value)?;
            }
        }
        Compare::Empty | Compare::NotEmpty => {
            if !matches!(at.kind, Kind::List(_) | Kind::Map(_) | Kind::Text) {
                return Err(format!("{field} is {}; only a list, a map or text can be empty", at.kind.name()));
            }
        }
    }
    Ok(Test { field: path, gate, op: *op, value: value.clone(), timestamp: compared.kind == Kind::Timestamp })
}

impl CompiledView {
    /// Computes the rows, in the order of their keys.
    ///
    /// # Errors
    /// The cause why it cannot be computed: an input is not complete, or a field it compares cannot be read in some row.
    pub(crate) fn compute<'c>(&self, collected: &'c BTreeMap<String, Collected>) -> Result<Vec<Derived<'c>>, Cause> {
        for input in &self.inputs {
            input.whole(collected)?;
        }
        let mut rows = self.from.rows(collected)?;
        for join in &self.joins {
            rows = join.apply(rows, collected)?;
        }
        match &self.output {
            Output::Rows => Ok(rows),
            Output::FirstBy { by, order, descending } => self.first_by(rows, by, order, *descending),
            Output::Pivot { by, value, fields } => self.pivot(rows, by, value, fields),
            Output::Count { by, counts, grouped } => self.count(rows, by, counts, *grouped),
        }
    }

    fn first_by<'c>(&self, rows: Vec<Derived<'c>>, by: &[Path], order: &Path, descending: bool) -> Result<Vec<Derived<'c>>, Cause> {
        let mut first: BTreeMap<String, Derived<'c>> = BTreeMap::new();
        for row in rows {
            readable(&row.row, &self.joined, by.iter().chain([order]))?;
            let group = group_key(&row.row.fields, by);
            match first.get_mut(&group) {
                None => {
                    first.insert(group, row);
                }
                Some(best) => {
                    let timestamp = self.joined.at(order).is_some_and(|shape| shape.kind == Kind::Timestamp);
                    if before(leaf(&row.row.fields, order), leaf(&best.row.fields, order), timestamp, descending) {
                        *best = row;
                    }
                }
            }
        }
        let mut rows: Vec<_> = first.into_values().collect();
        rows.sort_by(|a, b| a.row.key.cmp(&b.row.key));
        Ok(rows)
    }

    /// One row with a field for each declared name. The inputs are whole, so a name that is not there is absent; one whose value
    /// cannot be read is not.
    fn pivot<'c>(&self, rows: Vec<Derived<'c>>, by: &Path, value: &Path, fields: &[PivotField]) -> Result<Vec<Derived<'c>>, Cause> {
        let mut found: BTreeMap<String, Vec<Derived<'c>>> = BTreeMap::new();
        for row in rows {
            readable(&row.row, &self.joined, [by])?;
            let name = text(leaf(&row.row.fields, by));
            if fields.iter().any(|field| field.name == name) {
                found.entry(name).or_default().push(row);
            }
        }
        let mut pivoted = Row { key: RowKey(String::new()), label: String::new(), fields: Value::Null, faults: Vec::new() };
        let (mut kept, mut inputs) = (Map::new(), Vec::new());
        for PivotField { name, keep } in fields {
            let place = PivotField::place(name);
            let mut fault = |why: &str| pivoted.faults.push((place.clone(), why.to_owned()));
            let rows = found.remove(name).unwrap_or_default();
            // What each of the rows under this name says; rows that say the same are one.
            let mut said: Vec<Result<Value, &str>> = Vec::new();
            for row in &rows {
                let readable = readable(&row.row, &self.joined, [value]).is_ok();
                let one = match leaf(&row.row.fields, value).as_str().filter(|_| readable) {
                    Some(text) => keep.ty.of_text(text).ok_or(match &keep.ty {
                        Type::Enum(_) => "unknown value",
                        Type::Bool
                        | Type::Int
                        | Type::Number
                        | Type::String
                        | Type::Id
                        | Type::Timestamp(_)
                        | Type::List(_)
                        | Type::Map(_)
                        | Type::Object(_) => "text that says no such value",
                    }),
                    None => Err("missing"),
                };
                if !said.contains(&one) {
                    said.push(one);
                }
            }
            match (said.as_slice(), &keep.absent) {
                ([], Some(absent)) => {
                    kept.insert(place.clone(), absent.value.clone());
                }
                ([], None) => fault("missing"),
                ([Ok(value)], _) => {
                    kept.insert(place.clone(), value.clone());
                }
                ([Err(why)], _) => fault(why),
                ([_, _, ..], _) => fault("given twice, with different values"),
            }
            inputs.extend(rows.into_iter().flat_map(|row| row.inputs));
        }
        inputs.truncate(INPUTS);
        pivoted.fields = Value::Object(kept);
        Ok(vec![Derived { row: Cow::Owned(pivoted), inputs }])
    }

    fn count<'c>(
        &self,
        rows: Vec<Derived<'c>>,
        by: &[Path],
        counts: &[(String, Vec<Test>)],
        grouped: bool,
    ) -> Result<Vec<Derived<'c>>, Cause> {
        struct Group<'c> {
            label: String,
            fields: Map<String, Value>,
            total: u64,
            counted: Vec<u64>,
            inputs: Vec<(&'c str, &'c RowKey)>,
        }
        let mut groups: BTreeMap<String, Group<'c>> = BTreeMap::new();
        let fresh = |fields| Group { label: String::new(), fields, total: 0, counted: vec![0; counts.len()], inputs: Vec::new() };
        if !grouped {
            groups.insert(String::new(), fresh(Map::new()));
        }
        for row in rows {
            readable(&row.row, &self.joined, by)?;
            let group = groups.entry(group_key(&row.row.fields, by)).or_insert_with(|| {
                let mut group = fresh(Map::new());
                group.label = by.iter().map(|path| text(leaf(&row.row.fields, path))).collect::<Vec<_>>().join(", ");
                for path in by {
                    nest(&mut group.fields, path, leaf(&row.row.fields, path));
                }
                group
            });
            group.total += 1;
            let mut counted = counts.is_empty();
            for (count, (_, tests)) in group.counted.iter_mut().zip(counts) {
                if fulfils(&row.row, &self.joined, tests)? {
                    *count += 1;
                    counted = true;
                }
            }
            if counted {
                let room = INPUTS.saturating_sub(group.inputs.len());
                group.inputs.extend(row.inputs.into_iter().take(room));
            }
        }
        Ok(groups
            .into_iter()
            .map(|(key, mut group)| {
                group.fields.insert("total".to_owned(), group.total.into());
                for ((name, _), count) in counts.iter().zip(group.counted) {
                    group.fields.insert(name.clone(), count.into());
                }
                let row = Row { key: RowKey(key), label: group.label, fields: Value::Object(group.fields), faults: Vec::new() };
                Derived { row: Cow::Owned(row), inputs: group.inputs }
            })
            .collect())
    }
}

impl Input {
    fn whole(&self, collected: &BTreeMap<String, Collected>) -> Result<(), Cause> {
        let Some(found) = collected.get(&self.dataset) else { return Err(not_read(&self.title)) };
        match &found.completeness {
            Completeness::Complete if found.rows.is_empty() && self.on_empty == OnEmpty::Unknown => Err(empty(&self.title)),
            Completeness::Complete => Ok(()),
            Completeness::Partial(cause) | Completeness::Unavailable(cause) => Err(Cause {
                kind: CauseKind::InputIncomplete,
                sentence: format!("{} was not read whole: {}", self.title, cause.sentence),
                remedy: cause.remedy.clone(),
            }),
        }
    }
}

/// The cause for a dataset that a scan holds nothing of.
pub(crate) fn not_read(title: &str) -> Cause {
    Cause { kind: CauseKind::InputIncomplete, sentence: format!("{title} was not read."), remedy: "Scan again.".to_owned() }
}

/// The cause for a dataset whose emptiness means nothing known.
pub(crate) fn empty(title: &str) -> Cause {
    Cause {
        kind: CauseKind::Empty,
        sentence: format!("{title} is empty, and the vendor does not say what that means."),
        remedy: String::new(),
    }
}

/// The rows in the order of their keys, each once; a key that two different rows carry comes as an error.
pub(crate) fn distinct(rows: &[Row]) -> Vec<Result<&Row, &Row>> {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut distinct: Vec<Result<&Row, &Row>> = Vec::with_capacity(sorted.len());
    for row in sorted {
        match distinct.last_mut() {
            Some(last) => {
                let (Ok(seen) | Err(seen)) = *last;
                if seen.key != row.key {
                    distinct.push(Ok(row));
                } else if seen.fields != row.fields || seen.faults != row.faults {
                    *last = Err(seen);
                }
            }
            None => distinct.push(Ok(row)),
        }
    }
    distinct
}

/// The cause for two different rows with one key.
pub(crate) fn ambiguous() -> Cause {
    Cause {
        kind: CauseKind::NotUnderstood,
        sentence: "Two different rows carry the same key.".to_owned(),
        remedy: "Scan again; the vendor may have changed its list while it was read.".to_owned(),
    }
}

impl Source {
    fn rows<'c>(&self, collected: &'c BTreeMap<String, Collected>) -> Result<Vec<Derived<'c>>, Cause> {
        let Some((dataset, found)) = collected.get_key_value(&self.dataset) else { return Err(not_read(&self.dataset)) };
        let mut rows = Vec::new();
        for row in distinct(&found.rows) {
            let row = row.map_err(|_| ambiguous())?;
            if fulfils(row, &self.shape, &self.filter)? {
                rows.push(Derived { row: Cow::Borrowed(row), inputs: vec![(dataset, &row.key)] });
            }
        }
        Ok(rows)
    }
}

impl CompiledJoin {
    fn apply<'c>(&self, rows: Vec<Derived<'c>>, collected: &'c BTreeMap<String, Collected>) -> Result<Vec<Derived<'c>>, Cause> {
        let others = self.source.rows(collected)?;
        let mut index: HashMap<Key, Vec<usize>> = HashMap::new();
        for (position, other) in others.iter().enumerate() {
            readable(&other.row, &self.source.shape, [&self.right])?;
            for key in keys(&other.row.fields, &self.right) {
                index.entry(key).or_default().push(position);
            }
        }
        let mut joined = Vec::with_capacity(rows.len());
        for mut row in rows {
            readable(&row.row, &self.before, [&self.left])?;
            let matching: BTreeSet<usize> =
                keys(&row.row.fields, &self.left).iter().filter_map(|key| index.get(key)).flatten().copied().collect();
            match (self.kind, matching.is_empty()) {
                (JoinKind::Anti, true) => joined.push(row),
                (JoinKind::Anti, false) | (JoinKind::Inner, true) => {}
                (JoinKind::Inner, false) | (JoinKind::Left, _) => {
                    for (place, position) in matching.iter().enumerate() {
                        let other = &others[*position];
                        row.inputs.extend(&other.inputs);
                        if !self.name.is_empty() && !other.row.faults.is_empty() {
                            let faults =
                                other.row.faults.iter().map(|(fault, why)| (format!("{}[{place}].{fault}", self.name), why.clone()));
                            row.row.to_mut().faults.extend(faults);
                        }
                    }
                    if !self.name.is_empty() {
                        let list: Vec<Value> = matching.iter().map(|position| others[*position].row.fields.clone()).collect();
                        if let Value::Object(fields) = &mut row.row.to_mut().fields {
                            fields.insert(self.name.clone(), Value::Array(list));
                        }
                    }
                    joined.push(row);
                }
            }
        }
        Ok(joined)
    }
}

fn readable<'p>(row: &Row, shape: &Shape, paths: impl IntoIterator<Item = &'p Path>) -> Result<(), Cause> {
    paths.into_iter().try_for_each(|path| gate::pass(row, shape, std::slice::from_ref(path), true)).map_err(|cause| of_row(row, cause))
}

/// A view cannot be computed for one row's sake: the sentence says which.
fn of_row(row: &Row, cause: Cause) -> Cause {
    if row.label.is_empty() { cause } else { Cause { sentence: format!("{}: {}", row.label, cause.sentence), ..cause } }
}

fn fulfils(row: &Row, shape: &Shape, tests: &[Test]) -> Result<bool, Cause> {
    let mut all = true;
    for test in tests {
        // Every test's field must be readable, whatever the others say: an unread field must not hide behind them.
        readable(row, shape, [&test.gate])?;
        all &= test.holds(row)?;
    }
    Ok(all)
}

impl Test {
    fn holds(&self, row: &Row) -> Result<bool, Cause> {
        let mut found = Vec::new();
        leaves(&row.fields, &self.field.0, &mut found);
        for value in found {
            let equal = |literal: &Value, value: &Value| compare(value, literal, self.timestamp) == Some(Ordering::Equal);
            let any = |value: &Value| self.value.as_array().is_some_and(|list| list.iter().any(|literal| equal(literal, value)));
            let incomparable = || {
                of_row(
                    row,
                    Cause {
                        kind: CauseKind::FieldMissing,
                        sentence: format!("{} is null, which this view cannot compare.", self.field),
                        remedy: String::new(),
                    },
                )
            };
            let holds = match self.op {
                Compare::Eq => equal(&self.value, value),
                Compare::Ne => !equal(&self.value, value),
                Compare::In => any(value),
                Compare::NotIn => !any(value),
                Compare::Contains => value.as_array().ok_or_else(incomparable)?.iter().any(|item| equal(&self.value, item)),
                Compare::ContainsAny => value.as_array().ok_or_else(incomparable)?.iter().any(any),
                Compare::Gt => compare(value, &self.value, self.timestamp).ok_or_else(incomparable)? == Ordering::Greater,
                Compare::Lt => compare(value, &self.value, self.timestamp).ok_or_else(incomparable)? == Ordering::Less,
                Compare::Empty | Compare::NotEmpty => {
                    let empty = match value {
                        Value::Array(items) => items.is_empty(),
                        Value::Object(members) => members.is_empty(),
                        Value::String(text) => text.is_empty(),
                        Value::Null | Value::Bool(_) | Value::Number(_) => return Err(incomparable()),
                    };
                    empty == (self.op == Compare::Empty)
                }
            };
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The values at a path; a null on the way stands for what it leads to.
fn leaves<'v>(json: &'v Value, steps: &[Step], found: &mut Vec<&'v Value>) {
    match (steps.split_first(), json) {
        (None, _) | (_, Value::Null) => found.push(json),
        (Some((Step::Field(name) | Step::Key(name), rest)), Value::Object(members)) => {
            if let Some(member) = members.get(name) {
                leaves(member, rest, found);
            }
        }
        (Some((Step::Elements, rest)), Value::Array(items)) => items.iter().for_each(|item| leaves(item, rest, found)),
        (Some((Step::Values, rest)), Value::Object(members)) => members.values().for_each(|member| leaves(member, rest, found)),
        (Some(_), _) => {}
    }
}

fn leaf<'v>(json: &'v Value, path: &Path) -> &'v Value {
    let mut found = Vec::new();
    leaves(json, &path.0, &mut found);
    found.first().copied().unwrap_or(&Value::Null)
}

/// A value that rows are matched by.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Bool(bool),
    Int(i64),
    Text(String),
}

fn keys(json: &Value, path: &Path) -> Vec<Key> {
    let mut found = Vec::new();
    leaves(json, &path.0, &mut found);
    found
        .into_iter()
        .filter_map(|value| match value {
            Value::Bool(bool) => Some(Key::Bool(*bool)),
            Value::Number(number) => number.as_i64().map(Key::Int),
            Value::String(text) => Some(Key::Text(text.clone())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

fn group_key(json: &Value, by: &[Path]) -> String {
    by.iter().map(|path| text(leaf(json, path))).collect::<Vec<_>>().join("\u{1f}")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn nest(fields: &mut Map<String, Value>, path: &Path, value: &Value) {
    let Some((Step::Field(name) | Step::Key(name), rest)) = path.0.split_first() else { return };
    if rest.is_empty() {
        fields.insert(name.clone(), value.clone());
        return;
    }
    let inner = fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        nest(inner, &Path(rest.to_vec()), value);
    }
}

fn instant(text: &str) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    chrono::DateTime::parse_from_rfc3339(text).ok()
}

/// How two values of one type stand to each other; `None` when they are not of one type or have no order.
fn compare(left: &Value, right: &Value, timestamp: bool) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::String(left), Value::String(right)) if timestamp => Some(instant(left)?.cmp(&instant(right)?)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Whether a value comes before the best one so far; null comes last, and of equals the first seen stays.
fn before(value: &Value, best: &Value, timestamp: bool, descending: bool) -> bool {
    match (value.is_null(), best.is_null()) {
        (true, _) => false,
        (false, true) => true,
        (false, false) => {
            let order = compare(value, best, timestamp).unwrap_or(Ordering::Equal);
            order == if descending { Ordering::Greater } else { Ordering::Less }
        }
    }
}
