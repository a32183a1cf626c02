//! Laws over random rows: no mutation makes a pass, and the order of what came in does not show.

use crate::small::*;
use assess::{Params, Program};
use catalog::*;
use proptest::prelude::{Strategy, *};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::sync::LazyLock;

fn fields() -> Vec<(&'static str, Keep)> {
    vec![
        ("on", keep(Type::Bool)),
        ("deep.n", keep(Type::Int)),
        ("deep.share", keep(Type::Number)),
        ("name", keep(Type::String)),
        ("mode", keep(choice(&["strict", "lax"]))),
        ("seen", keep(time())),
        ("since", absent(time(), json!(null))),
        ("tags", list(Type::String)),
        ("keys", list(object(vec![("admin", keep(Type::Bool)), ("until", keep(time())), ("scopes", list(choice(&["read", "write"])))]))),
        ("flags", Keep { on_empty: OnEmpty::None, ..keep(Type::Map(Box::new(Type::Bool))) }),
    ]
}

/// Expressions that pass on some rows and fail on others, many of them through negation, where a value that was not
/// read would be most likely to pass.
const PASSES: &[(&str, &str)] = &[
    ("", "row.on"),
    ("", "!row.on"),
    ("", "row.deep.n < 5 || row.on"),
    ("", "row.deep.share != 0.5"),
    ("", "row.mode != 'lax'"),
    ("", "!(row.mode in ['lax'])"),
    ("", "row.seen > now - days(365) || row.name != 'x'"),
    ("", "row.since == null || row.since < now"),
    ("", "!('bad' in row.tags)"),
    ("", "size(row.tags) < 3"),
    ("", "row.tags.all(t, !t.startsWith('b'))"),
    ("", "!row.keys.exists(k, k.admin)"),
    ("", "row.keys.all(k, k.until > now || !('write' in k.scopes))"),
    ("", "row.keys.filter(k, k.admin).all(k, k.scopes.all(s, s == 'read'))"),
    ("", "row.flags.all(f, !row.flags[f])"),
    ("", "row.flags != {'bad': true}"),
    ("row.on", "row.mode == 'strict' || row.deep.n > 2"),
    ("row.deep.n != 3", "!row.on || row.keys.map(k, k.admin) == [false]"),
];

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let checks = PASSES
        .iter()
        .enumerate()
        .map(|(index, (when, pass))| Check {
            id: format!("small.{index}"),
            when: (*when).into(),
            otherwise: "It is not asked.".into(),
            current: "row.name".into(),
            ..check("things", pass)
        })
        .collect();
    assess::compile(&app(vec![dataset("things", DatasetKind::List, fields())], Vec::new(), checks)).unwrap()
});

fn times() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!("2026-01-01T00:00:00Z")), Just(json!("2024-01-01T00:00:00.5Z")), Just(json!("2028-06-30T23:59:59Z"))]
}

fn rows() -> impl Strategy<Value = Value> {
    let key = (any::<bool>(), times(), prop::collection::vec(prop_oneof![Just("read"), Just("write")], 0..3))
        .prop_map(|(admin, until, scopes)| json!({"admin": admin, "until": until, "scopes": scopes}));
    let flags = prop::collection::btree_map(
        prop_oneof![Just("good".to_owned()), Just("bad".to_owned()), Just("a.b".to_owned())],
        any::<bool>(),
        0..3,
    );
    (
        (any::<bool>(), 0..6i64, prop_oneof![Just(json!(0.5)), Just(json!(1)), Just(json!(0.25))], "[xyz]{0,2}"),
        (prop_oneof![Just("strict"), Just("lax")], times(), prop_oneof![Just(json!(null)), times()]),
        prop::collection::vec("(bad|ok|b|c)", 0..4),
        prop::collection::vec(key, 0..3),
        flags,
    )
        .prop_map(|((on, n, share, name), (mode, seen, since), tags, keys, flags)| {
            json!({"on": on, "deep": {"n": n, "share": share}, "name": name, "mode": mode, "seen": seen, "since": since, "tags": tags, "keys": keys, "flags": flags})
        })
}

/// Every value of a row as a JSON pointer, containers included, with whether null there is documented.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| places(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found))
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| places(item, format!("{at}/{index}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if !at.is_empty() {
        found.push(at);
    }
}

/// The path of a pointer as `reads` writes it.
fn path(pointer: &str) -> String {
    let mut path = String::new();
    let mut map = false;
    for part in pointer.split('/').skip(1) {
        if map {
            path.push_str("{}");
        } else if part.parse::<usize>().is_ok() {
            path.push_str("[]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(part);
        }
        map = part == "flags";
    }
    path
}

/// Whether a change there is a change to something that a check reads: the field itself, what holds it or a part of it.
fn is_read(reads: &[FieldPath], changed: &str) -> bool {
    reads.iter().any(|read| {
        let within =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']));
        within(&read.0, changed) || read.0 == changed
    })
}

#[derive(Debug, Clone, Copy)]
enum Mutation {
    Delete,
    Null,
    Retype,
    UnknownValue,
    Fault,
}

fn mutate(row: &mut Row, pointer: &str, mutation: Mutation) -> bool {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let fields = &mut row.fields;
    match mutation {
        Mutation::Delete => match fields.pointer_mut(parent) {
            Some(Value::Object(members)) => members.remove(&name).is_some(),
            // A list that is one shorter is another list, not a broken one.
            _ => false,
        },
        Mutation::Null => {
            *fields.pointer_mut(pointer).unwrap() = Value::Null;
            true
        }
        Mutation::Retype => {
            let value = fields.pointer_mut(pointer).unwrap();
            *value = match value {
                Value::Bool(bool) => json!(bool.to_string()),
                Value::Number(number) => json!(number.to_string()),
                Value::String(_) => json!(7),
                Value::Array(_) => json!({"a": 1}),
                Value::Object(_) => json!([true]),
                Value::Null => json!(false),
            };
            true
        }
        Mutation::UnknownValue => match fields.pointer_mut(pointer) {
            Some(value) if value == "strict" || value == "lax" || value == "read" || value == "write" => {
                *value = json!("beta");
                true
            }
            _ => false,
        },
        Mutation::Fault => {
            row.faults.push((concrete(pointer), "was not understood".into()));
            true
        }
    }
}

fn concrete(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |mut path, part| {
        if part.parse::<usize>().is_ok() {
            path.push_str(&format!("[{part}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(part);
        }
        path
    })
}

fn verdict_of(index: usize, row: Row) -> Verdict {
    let judged = PROGRAM.evaluate_check(&format!("small.{index}"), &read(vec![("things", complete(vec![row]))]), &Params::new(), as_of());
    assert_eq!(judged.len(), 1);
    judged.into_iter().next().unwrap().verdict
}

/// The laws below would hold of checks that never say anything.
#[test]
fn each_check_of_the_laws_passes_on_some_rows_and_fails_on_others() {
    let mut runner = TestRunner::deterministic();
    let fields: Vec<Value> = (0..300).map(|_| rows().new_tree(&mut runner).unwrap().current()).collect();
    for (index, source) in PASSES.iter().enumerate() {
        let seen: Vec<String> = fields.iter().map(|fields| name(&verdict_of(index, row("a", fields.clone())))).collect();
        assert!(seen.iter().any(|seen| seen == "Pass"), "{source:?} never passes");
        assert!(seen.iter().any(|seen| seen == "Fail"), "{source:?} never fails");
        assert_eq!(seen.iter().any(|seen| seen == "NotApplicable"), !source.0.is_empty(), "{source:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to a field that a check reads, the check does not pass; and a row that did not fail before is
    /// not said to.
    #[test]
    fn no_mutation_of_a_field_that_is_read_makes_a_verdict(fields in rows()) {
        let mut pointers = Vec::new();
        places(&fields, String::new(), &mut pointers);
        for (index, source) in PASSES.iter().enumerate() {
            let reads = PROGRAM.reads(&format!("small.{index}"));
            let before = verdict_of(index, row("a", fields.clone()));
            prop_assert!(!matches!(before, Verdict::NotEvaluated { .. }), "{:?} on {fields}: {before:?}", source);
            for pointer in &pointers {
                if !is_read(reads, &path(pointer)) {
                    continue;
                }
                for mutation in [Mutation::Delete, Mutation::Null, Mutation::Retype, Mutation::UnknownValue, Mutation::Fault] {
                    if pointer == "/since" && matches!(mutation, Mutation::Null) {
                        continue;
                    }
                    let mut row = row("a", fields.clone());
                    // A key of a map is not a field: without it the map is smaller, not broken.
                    if matches!(mutation, Mutation::Delete) && pointer.starts_with("/flags/") || !mutate(&mut row, pointer, mutation) {
                        continue;
                    }
                    let after = verdict_of(index, row);
                    let asked = matches!(before, Verdict::Pass | Verdict::Fail);
                    prop_assert!(!matches!(after, Verdict::Pass | Verdict::Fail), "{:?} passes or fails with {mutation:?} at {pointer} of {fields}", source);
                    if asked {
                        prop_assert!(matches!(after, Verdict::NotEvaluated { .. }), "{:?}: {before:?} became {after:?} by {mutation:?} at {pointer} of {fields}", source);
                    }
                }
            }
        }
    }

    /// A field that a check does not read has no say in it.
    #[test]
    fn what_is_not_read_does_not_matter(fields in rows(), junk in any::<u8>()) {
        let mut pointers = Vec::new();
        places(&fields, String::new(), &mut pointers);
        for index in 0..PASSES.len() {
            let reads = PROGRAM.reads(&format!("small.{index}"));
            let before = verdict_of(index, row("a", fields.clone()));
            for name in ["on", "mode", "seen", "since", "tags", "keys", "flags"] {
                if reads.iter().any(|read| read.0 == name || read.0.starts_with(&format!("{name}[")) || read.0.starts_with(&format!("{name}{{"))) {
                    continue;
                }
                let mut changed = row("a", fields.clone());
                changed.fields[name] = json!({"junk": junk});
                prop_assert_eq!(&verdict_of(index, changed), &before);
            }
        }
    }

    /// The order and the repetition of rows, and the order of what else was collected, change nothing.
    #[test]
    fn shuffling_rows_changes_nothing(
        (original, shuffled, extra) in prop::collection::vec(rows(), 0..8).prop_flat_map(|fields| {
            let rows: Vec<Row> = fields.into_iter().enumerate().map(|(index, fields)| row(&format!("k{index}"), fields)).collect();
            (Just(rows.clone()), Just(rows).prop_shuffle(), any::<prop::sample::Index>())
        }),
        partial in any::<bool>(),
    ) {
        let completeness = if partial { Completeness::Partial(cut(CauseKind::RateLimited)) } else { Completeness::Complete };
        let judge = |rows: Vec<Row>| PROGRAM.evaluate(&read(vec![("things", Collected { rows, completeness: completeness.clone() })]), &Params::new(), as_of());
        let mut shuffled = shuffled;
        if !shuffled.is_empty() {
            let again = shuffled[extra.index(shuffled.len())].clone();
            shuffled.push(again);
        }
        prop_assert_eq!(judge(original), judge(shuffled));
    }

    /// Views likewise.
    #[test]
    fn shuffling_rows_changes_no_view(
        (original, shuffled) in prop::collection::vec(rows(), 0..8).prop_flat_map(|fields| {
            let rows: Vec<Row> = fields.into_iter().enumerate().map(|(index, fields)| row(&format!("k{index}"), fields)).collect();
            (Just(rows.clone()), Just(rows).prop_shuffle())
        }),
    ) {
        let lax = || vec![("lax".to_owned(), vec![Condition { field: "mode".into(), op: Compare::Eq, value: json!("lax") }])];
        let same_name = Join { dataset: "things".into(), kind: JoinKind::Left, left: "name".into(), right: "name".into(), filter: Vec::new(), name: "same".into() };
        let shapes = [
            ViewShape::Rows,
            ViewShape::FirstBy { by: vec!["mode".into()], order: "seen".into(), descending: true },
            ViewShape::CountWhere { counts: lax() },
            ViewShape::GroupBy { by: vec!["name".into()], counts: lax() },
        ];
        for shape in shapes {
            let view = View { id: "v".into(), title: "V".into(), from: "things".into(), filter: Vec::new(), joins: vec![same_name.clone()], shape, place: place(7) };
            let pass = if matches!(view.shape, ViewShape::Rows | ViewShape::FirstBy { .. }) { "row.same.all(s, s.on) || row.on" } else { "row.total > 2 && row.lax < 2" };
            let program = program(vec![dataset("things", DatasetKind::List, fields())], vec![view], check("v", pass));
            let judge = |rows: &[Row]| {
                let collected = read(vec![("things", complete(rows.to_vec()))]);
                (program.view("v", &collected), program.evaluate(&collected, &Params::new(), as_of()))
            };
            prop_assert_eq!(judge(&original), judge(&shuffled));
        }
    }
}
