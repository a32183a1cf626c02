//! JSON as CEL values without copying it.
//!
//! Rows are large and most expressions read one or two fields of them, so a row is wrapped, not converted: an object
//! looks a member up when it is selected, and a list becomes values when it is iterated. What a field is declared as
//! goes along, so that a timestamp, kept as RFC 3339 text, is a CEL timestamp to the expression.

use crate::shape::{Kind, Shape};
use cel::ExecutionError;
use cel::common::traits::{self, Adder, Container, Indexer, Iterable, Sizer};
use cel::common::types::{self, CelBool, CelDouble, CelInt, CelList, CelNull, CelString, CelTimestamp, CelUInt, Type};
use cel::common::value::{CowVal, Val};
use serde_json::{Map, Value};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many elements one evaluation may still visit. When it is used up, lists end and whatever came out must be
/// thrown away.
#[derive(Debug)]
pub(crate) struct Steps(AtomicU32);

impl Steps {
    /// Elements that one expression may visit in one row.
    const ALLOWED: u32 = 1_000_000;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::ALLOWED))
    }

    /// Before the next row.
    pub(crate) fn reset(&self) {
        self.0.store(Self::ALLOWED, Ordering::Relaxed);
    }

    pub(crate) fn exhausted(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn take(&self) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        left > 1
    }
}

/// A JSON value with what is declared of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Typed<'v> {
    pub(crate) json: &'v Value,
    pub(crate) shape: Option<&'v Shape>,
    pub(crate) steps: &'v Steps,
}

impl<'v> Typed<'v> {
    /// The value, for a context to hold.
    pub(crate) fn boxed(self) -> Box<dyn Val + 'v> {
        self.cell().boxed()
    }

    fn cell(self) -> Cell<'v> {
        match self.json {
            Value::Null => Cell::Null(CelNull),
            Value::Bool(bool) => Cell::Bool(CelBool::from(*bool)),
            Value::Number(number) => match number.as_i64() {
                Some(int) => Cell::Int(CelInt::from(int)),
                None => Cell::Double(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
            },
            Value::String(text) => match self.shape.map(|shape| &shape.kind) {
                Some(Kind::Timestamp) => match chrono::DateTime::parse_from_rfc3339(text) {
                    Ok(time) => Cell::Time(CelTimestamp::from(time)),
                    Err(_) => Cell::Text(CelString::from(text.as_str())),
                },
                _ => Cell::Text(CelString::from(text.as_str())),
            },
            Value::Array(items) => {
                let element = match self.shape.map(|shape| &shape.kind) {
                    Some(Kind::List(element)) => Some(element.as_ref()),
                    _ => None,
                };
                Cell::List(JsonList { items, element, steps: self.steps, cells: OnceLock::new() })
            }
            Value::Object(members) => Cell::Map(JsonMap { members, shape: self.shape, steps: self.steps, keys: OnceLock::new() }),
        }
    }
}

/// One CEL value on the stack.
#[derive(Clone, Debug)]
enum Cell<'v> {
    Null(CelNull),
    Bool(CelBool),
    Int(CelInt),
    Double(CelDouble),
    Text(CelString<'v>),
    Time(CelTimestamp),
    List(JsonList<'v>),
    Map(JsonMap<'v>),
}

impl<'v> Cell<'v> {
    fn val(&self) -> &(dyn Val + 'v) {
        match self {
            Self::Null(value) => value,
            Self::Bool(value) => value,
            Self::Int(value) => value,
            Self::Double(value) => value,
            Self::Text(value) => value,
            Self::Time(value) => value,
            Self::List(value) => value,
            Self::Map(value) => value,
        }
    }

    fn boxed(self) -> Box<dyn Val + 'v> {
        match self {
            Self::Null(value) => Box::new(value),
            Self::Bool(value) => Box::new(value),
            Self::Int(value) => Box::new(value),
            Self::Double(value) => Box::new(value),
            Self::Text(value) => Box::new(value),
            Self::Time(value) => Box::new(value),
            Self::List(value) => Box::new(value),
            Self::Map(value) => Box::new(value),
        }
    }
}

/// Elements of a list or keys of a map, one by one, each counted.
struct Counted<'b, 'v, T> {
    items: std::slice::Iter<'b, T>,
    steps: &'v Steps,
}

impl<'b, 'v: 'w, 'w> traits::Iterator<'b, 'w> for Counted<'b, 'v, Cell<'v>> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'w)> {
        if !self.steps.take() {
            return None;
        }
        let cell: &'b (dyn Val + 'w) = self.items.next()?.val();
        Some(cell)
    }
}

/// A list that becomes values when it is iterated.
struct JsonList<'v> {
    items: &'v [Value],
    element: Option<&'v Shape>,
    steps: &'v Steps,
    cells: OnceLock<Box<[Cell<'v>]>>,
}

impl<'v> JsonList<'v> {
    fn element(&self, json: &'v Value) -> Cell<'v> {
        Typed { json, shape: self.element, steps: self.steps }.cell()
    }
}

impl Clone for JsonList<'_> {
    fn clone(&self) -> Self {
        Self { items: self.items, element: self.element, steps: self.steps, cells: OnceLock::new() }
    }
}

impl std::fmt::Debug for JsonList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.items).finish()
    }
}

impl<'v> Val for JsonList<'v> {
    fn get_type(&self) -> &Type {
        &types::LIST_TYPE
    }
    fn cel_type() -> &'static Type {
        &types::LIST_TYPE
    }
    fn as_adder<'b, 'w>(&'b self) -> Option<&'b (dyn Adder + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }
    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        equal(self, other)
    }
    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Adder for JsonList<'_> {
    fn add<'b, 'w>(&'b self, rhs: &(dyn Val + 'w)) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let mut right = rhs
            .as_iterable()
            .ok_or_else(|| ExecutionError::no_such_overload("_+_", vec!["list".into(), rhs.get_type().name().into()]))?
            .iter();
        let counted = self.items.iter().take_while(|_| self.steps.take());
        let mut sum: Vec<Box<dyn Val + 'w>> = counted.map(|item| self.element(item).boxed() as Box<dyn Val + 'w>).collect();
        while let Some(item) = right.next() {
            sum.push(item.clone_as_boxed());
        }
        Ok(CowVal::owned(CelList::from(sum)))
    }
}

impl Container for JsonList<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.items.iter().take_while(|_| self.steps.take()).any(|item| equal(self.element(item).val(), value)))
    }
}

impl Sizer for JsonList<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(self.items.len() as i64)
    }
}

impl Indexer for JsonList<'_> {
    fn get<'b, 'w>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let unexpected = || ExecutionError::UnexpectedType { got: index.get_type().name().to_owned(), want: "int".to_owned() };
        let position = if let Some(int) = index.downcast_ref::<CelInt>() {
            *int.inner()
        } else if let Some(uint) = index.downcast_ref::<CelUInt>() {
            i64::try_from(*uint.inner()).map_err(|_| unexpected())?
        } else if let Some(double) = index.downcast_ref::<CelDouble>() {
            let double = *double.inner();
            if double.fract() != 0.0 || double.abs() >= 9e15 {
                return Err(unexpected());
            }
            double as i64
        } else {
            return Err(unexpected());
        };
        usize::try_from(position)
            .ok()
            .and_then(|position| self.items.get(position))
            .map(|item| CowVal::Owned(self.element(item).boxed() as Box<dyn Val + 'w>))
            .ok_or_else(|| ExecutionError::IndexOutOfBounds(position.into()))
    }

    fn steal<'w>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl<'v> Iterable for JsonList<'v> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn traits::Iterator<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        let cells = self.cells.get_or_init(|| self.items.iter().map(|item| self.element(item)).collect());
        Box::new(Counted { items: cells.iter(), steps: self.steps })
    }
}

/// An object or map, whose members become values when they are looked up.
struct JsonMap<'v> {
    members: &'v Map<String, Value>,
    shape: Option<&'v Shape>,
    steps: &'v Steps,
    keys: OnceLock<Box<[Cell<'v>]>>,
}

impl<'v> JsonMap<'v> {
    fn member(&self, key: &str) -> Option<Cell<'v>> {
        let json = self.members.get(key)?;
        let shape = match self.shape.map(|shape| &shape.kind) {
            Some(Kind::Object(fields)) => fields.get(key),
            Some(Kind::Map(value)) => Some(value.as_ref()),
            _ => None,
        };
        Some(Typed { json, shape, steps: self.steps }.cell())
    }
}

impl Clone for JsonMap<'_> {
    fn clone(&self) -> Self {
        Self { members: self.members, shape: self.shape, steps: self.steps, keys: OnceLock::new() }
    }
}

impl std::fmt::Debug for JsonMap<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.members).finish()
    }
}

impl<'v> Val for JsonMap<'v> {
    fn get_type(&self) -> &Type {
        &types::MAP_TYPE
    }
    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }
    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }
    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        equal(self, other)
    }
    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Container for JsonMap<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        match key.downcast_ref::<CelString>() {
            Some(key) => Ok(self.members.contains_key(key.inner())),
            None if may_be_key(key) => Ok(false),
            None => Err(ExecutionError::UnexpectedType { got: key.get_type().name().to_owned(), want: "map key".to_owned() }),
        }
    }
}

impl Sizer for JsonMap<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(self.members.len() as i64)
    }
}

impl Indexer for JsonMap<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        match key.downcast_ref::<CelString>() {
            Some(key) => self
                .member(key.inner())
                .map(|cell| CowVal::Owned(cell.boxed() as Box<dyn Val + 'w>))
                .ok_or_else(|| ExecutionError::no_such_key(key.inner())),
            None if may_be_key(key) => Err(ExecutionError::no_such_key("")),
            None => Err(ExecutionError::UnexpectedType { got: key.get_type().name().to_owned(), want: "map key".to_owned() }),
        }
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl<'v> Iterable for JsonMap<'v> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn traits::Iterator<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        let keys = self.keys.get_or_init(|| {
            let mut keys: Vec<&'v str> = self.members.keys().map(String::as_str).collect();
            // The order of the members of an object must not show in a verdict.
            keys.sort_unstable();
            keys.into_iter().map(|key| Cell::Text(CelString::from(key))).collect()
        });
        Box::new(Counted { items: keys.iter(), steps: self.steps })
    }
}

fn is(value: &dyn Val, kind: types::Kind) -> bool {
    value.get_type().kind() == kind
}

fn may_be_key(value: &dyn Val) -> bool {
    [types::Kind::String, types::Kind::Int, types::Kind::UInt, types::Kind::Double, types::Kind::Boolean]
        .into_iter()
        .any(|kind| is(value, kind))
}

/// Whether two values are equal, wrapped or not. The containers of the `cel` crate compare only with their own kind,
/// so a list or map literal on the left of a field would never equal it; this compares through what any container can
/// do.
pub(crate) fn equal(left: &dyn Val, right: &dyn Val) -> bool {
    if is(left, types::Kind::List) && is(right, types::Kind::List) {
        let (Some(left), Some(right)) = (sized(left), sized(right)) else { return false };
        if left.0 != right.0 {
            return false;
        }
        let (mut left, mut right) = (left.1.iter(), right.1.iter());
        loop {
            match (left.next(), right.next()) {
                (Some(left), Some(right)) if equal(left, right) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
    if is(left, types::Kind::Map) && is(right, types::Kind::Map) {
        let (Some(keys), Some(others)) = (sized(left), sized(right)) else { return false };
        let (Some(values), Some(other_values)) = (left.as_indexer(), right.as_indexer()) else { return false };
        if keys.0 != others.0 {
            return false;
        }
        let mut keys = keys.1.iter();
        while let Some(key) = keys.next() {
            match (values.get(key), other_values.get(key)) {
                (Ok(left), Ok(right)) if equal(left.as_ref(), right.as_ref()) => {}
                _ => return false,
            }
        }
        return true;
    }
    let container = |value: &dyn Val| is(value, types::Kind::List) || is(value, types::Kind::Map);
    // A container of one kind equals nothing of another, and asking a wrapped one would come back here.
    !container(left) && !container(right) && left.equals(right)
}

fn sized<'b, 'v>(value: &'b (dyn Val + 'v)) -> Option<(i64, &'b (dyn Iterable + 'v))> {
    Some((*value.as_sizer()?.size().inner(), value.as_iterable()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::language;
    use cel::Context;
    use cel::common::types::{CelMap, CelMapKey};
    use proptest::prelude::*;
    use serde_json::json;

    /// The same JSON as CEL's own values, all of it converted beforehand.
    fn plain(json: &Value) -> Box<dyn Val> {
        match json {
            Value::Null => Box::new(CelNull),
            Value::Bool(bool) => Box::new(CelBool::from(*bool)),
            Value::Number(number) => match number.as_i64() {
                Some(int) => Box::new(CelInt::from(int)),
                None => Box::new(CelDouble::from(number.as_f64().unwrap())),
            },
            Value::String(text) => Box::new(CelString::from(text.clone())),
            Value::Array(items) => Box::new(CelList::from(items.iter().map(plain).collect::<Vec<_>>())),
            Value::Object(members) => {
                let members: std::collections::HashMap<_, _> =
                    members.iter().map(|(name, member)| (CelMapKey::String(CelString::from(name.clone())), plain(member))).collect();
                Box::new(CelMap::from(members))
            }
        }
    }

    /// None of them shows the order of a map's keys, which CEL's own maps do not have.
    const EXPRESSIONS: &[&str] = &[
        "row",
        "row.a",
        "row.b.a",
        "row.a.b.c",
        "row['a']",
        "row.a[0]",
        "row.a[1u]",
        "row.a[1.0]",
        "row.a[0.5]",
        "row.a[-1]",
        "row[0]",
        "row[null]",
        "row.a == row.b",
        "row.a != row.b",
        "row.a == row.a",
        "row == row",
        "row.a == []",
        "[] == row.a",
        "row.a == {}",
        "{} == row.a",
        "row.a == [1, 'x', true]",
        "[1, 'x', true] == row.a",
        "{'a': 1} == row.a",
        "row.a == {'a': 1, 'b': [null]}",
        "[row.a] == [row.b]",
        "[[1]] == [row.a]",
        "{'k': row.a} == {'k': row.b}",
        "row.a == 1",
        "row.a == 1.0",
        "1.0 == row.a",
        "row.a == 'x'",
        "row.a == null",
        "null != row.a",
        "1 in row.a",
        "'a' in row.a",
        "1.0 in row.a",
        "null in row.a",
        "[1] in row.a",
        "{'a': 1} in row.a",
        "row.a in row.b",
        "row.a in [row.b, 1, {'a': 1}, [1]]",
        "row.a in {'x': 1}",
        "size(row)",
        "size(row.a)",
        "row.a.size()",
        "row.a.all(x, x == 1)",
        "row.a.exists(x, x == 'x')",
        "row.a.exists(x, x > 0)",
        "row.a.exists_one(x, x == true)",
        "row.a.filter(x, x != null) == row.a",
        "type(row.a) == map || row.a.map(x, [x]) == row.b.map(x, [x])",
        "size(row.a.map(x, x))",
        "row.all(k, k in row)",
        "row.all(k, row[k] == row.a)",
        "row.exists(k, k == 'b' && row[k] == 1)",
        "row.a.all(k, row.a[k] == row.a[k])",
        "size(row.filter(k, k != 'a'))",
        "row.a.exists(x, row.b.exists(y, x == y))",
        "row.a.all(x, x.all(y, y == x))",
        "row.a + 1",
        "type(row.b) == map ? [] : row.a + row.b",
        "size(row.a + row.b)",
        "row.a - row.b",
        "row.a * 2",
        "row.a / row.b",
        "row.a % row.b",
        "-row.a",
        "!row.a",
        "row.a && row.b",
        "row.a || row.b",
        "row.a ? 1 : 2",
        "row.a < row.b",
        "row.a >= 1",
        "row.a < 1.5",
        "row.a.startsWith('x')",
        "row.a.matches('^x+$')",
        "matches(row.a, row.b)",
        "row.a.lowerAscii()",
        "row.a.join('-')",
        "string(row.a)",
        "int(row.a)",
        "double(row.a)",
        "timestamp(row.a)",
        "type(row.a) == list",
        "type(row) == map",
        "has(row.a)",
        "has(row.a.b)",
        "[row.a, row.b].exists(x, x == row.a)",
        "{'k': row}.k.a",
        "[row][0].b",
    ];

    fn values() -> impl proptest::strategy::Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2..4i64).prop_map(Value::from),
            Just(json!(i64::MAX)),
            Just(json!(u64::MAX)),
            Just(json!(0.5)),
            Just(json!(1.0)),
            "[xX]{0,2}".prop_map(Value::from),
            Just(json!("2026-01-01T00:00:00Z")),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(prop_oneof![Just("a"), Just("b"), Just("c"), Just("d.e")], inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect())),
            ]
        })
    }

    fn rows() -> impl proptest::strategy::Strategy<Value = Value> {
        (values(), values(), any::<bool>())
            .prop_map(|(a, b, both)| if both { json!({"a": a, "b": b}) } else { json!({"a": a, "b": a, "c": b}) })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

        /// Wrapped JSON with our own equality gives what converted JSON gives with CEL's own, or both fail.
        #[test]
        fn wrapped_values_do_as_converted_ones(row in rows()) {
            let env = language::environment();
            let steps = Steps::new();
            let mut wrapped = Context::with_env(env.clone());
            wrapped.add_variable_as_val("row", Typed { json: &row, shape: None, steps: &steps }.boxed());
            let mut converted = Context::with_env(env.clone());
            converted.add_variable_as_val("row", plain(&row));
            for source in EXPRESSIONS {
                let expr = env.compile(source).unwrap().expression().clone();
                let mut prepared = expr.clone();
                language::prepare(&mut prepared);
                let ours = cel::Value::resolve_val(&prepared, &wrapped);
                let theirs = cel::Value::resolve_val(&expr, &converted);
                match (&ours, &theirs) {
                    (Ok(ours), Ok(theirs)) => {
                        prop_assert_eq!(ours.get_type().kind(), theirs.get_type().kind(), "{} over {}", source, row);
                        // NaN cannot come out of JSON, so whatever came out equals itself.
                        prop_assert!(equal(ours.as_ref(), theirs.as_ref()), "{source} over {row}: {ours:?} against {theirs:?}");
                        prop_assert!(equal(theirs.as_ref(), ours.as_ref()), "{source} over {row}: {ours:?} against {theirs:?}");
                    }
                    (Err(_), Err(_)) => {}
                    _ => prop_assert!(false, "{source} over {row}: {ours:?} against {theirs:?}"),
                }
            }
        }
    }

    #[test]
    fn running_over_a_list_uses_up_the_steps() {
        let env = language::environment();
        let row = json!({"a": (0..1_100).collect::<Vec<i64>>()});
        let steps = Steps::new();
        let mut context = Context::with_env(env.clone());
        context.add_variable_as_val("row", Typed { json: &row, shape: None, steps: &steps }.boxed());
        let run = |source: &str| {
            steps.reset();
            let expr = env.compile(source).unwrap().expression().clone();
            let _ = cel::Value::resolve_val(&expr, &context);
            steps.exhausted()
        };
        assert!(!run("row.a.all(x, x >= 0)"));
        assert!(run("row.a.all(x, row.a.all(y, y >= 0))"));
        assert!(run("row.a.all(x, !(-1 in row.a))"));
        assert!(run("row.a.all(x, size(row.a + row.a) > 0)"));
        assert!(!run("row.a.exists(x, x == 0 && row.a.exists(y, y == 1))"));
    }
}
