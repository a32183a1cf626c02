//! Joins, counts, groups and firsts.

use crate::small::*;
use assess::{Params, Program, ViewError, compile};
use catalog::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn users() -> Dataset {
    dataset(
        "users",
        DatasetKind::List,
        vec![
            ("id", keep(Type::Id)),
            ("admin", keep(Type::Bool)),
            ("team", keep(Type::Id)),
            ("seen", absent(time(), json!(null))),
            ("roles", list(Type::Id)),
        ],
    )
}

fn roles() -> Dataset {
    dataset("roles", DatasetKind::List, vec![("id", keep(Type::Id)), ("power", keep(choice(&["low", "high"]))), ("rank", keep(Type::Int))])
}

fn user(id: &str, admin: bool, team: &str, seen: Value, roles: &[&str]) -> Row {
    row(id, json!({"id": id, "admin": admin, "team": team, "seen": seen, "roles": roles}))
}

fn role(id: &str, power: &str, rank: i64) -> Row {
    row(id, json!({"id": id, "power": power, "rank": rank}))
}

fn tenant() -> BTreeMap<String, Collected> {
    read(vec![
        (
            "users",
            complete(vec![
                user("u3", false, "red", json!("2026-03-01T00:00:00Z"), &[]),
                user("u1", true, "red", json!("2026-01-01T00:00:00Z"), &["r1", "r2"]),
                user("u2", false, "blue", json!(null), &["r2"]),
            ]),
        ),
        ("roles", complete(vec![role("r2", "low", 2), role("r1", "high", 1)])),
    ])
}

fn view(shape: ViewShape) -> View {
    View { id: "v".into(), title: "V".into(), from: "users".into(), filter: Vec::new(), joins: Vec::new(), shape, place: place(7) }
}

fn condition(field: &str, op: Compare, value: Value) -> Condition {
    Condition { field: field.into(), op, value }
}

fn join(kind: JoinKind, name: &str) -> Join {
    Join { dataset: "roles".into(), kind, left: "roles".into(), right: "id".into(), filter: Vec::new(), name: name.into() }
}

fn with(view: View, pass: &str) -> Program {
    compile(&app(vec![users(), roles()], vec![view], vec![check("v", pass)])).unwrap()
}

fn keys(collected: &Collected) -> Vec<&str> {
    collected.rows.iter().map(|row| row.key.0.as_str()).collect()
}

#[test]
fn joins_keep_drop_or_want_only_what_has_no_match() {
    for (kind, expected) in [(JoinKind::Left, vec!["u1", "u2", "u3"]), (JoinKind::Inner, vec!["u1", "u2"])] {
        let program = with(View { joins: vec![join(kind, "granted")], ..view(ViewShape::Rows) }, "row.granted.all(r, r.power != 'high')");
        let shown = program.view("v", &tenant()).unwrap();
        assert_eq!(keys(&shown), expected);
        assert_eq!(
            shown.rows[0].fields["granted"],
            json!([{"id": "r1", "power": "high", "rank": 1}, {"id": "r2", "power": "low", "rank": 2}])
        );
    }
    let anti = with(View { joins: vec![join(JoinKind::Anti, "")], ..view(ViewShape::Rows) }, "row.admin");
    assert_eq!(keys(&anti.view("v", &tenant()).unwrap()), ["u3"]);
    let judged = anti.evaluate(&tenant(), &Params::new(), as_of());
    assert_eq!(names(&judged), [("u3".into(), "Fail".into())]);
}

#[test]
fn a_joined_verdict_names_every_row_it_rests_on() {
    let program =
        with(View { joins: vec![join(JoinKind::Left, "granted")], ..view(ViewShape::Rows) }, "row.granted.all(r, r.power != 'high')");
    let judged = program.evaluate(&tenant(), &Params::new(), as_of());
    assert_eq!(names(&judged), [("u1".into(), "Fail".into()), ("u2".into(), "Pass".into()), ("u3".into(), "Pass".into())]);
    let inputs: Vec<(&str, &str)> = judged[0].inputs.iter().map(|(dataset, key)| (dataset.as_str(), key.0.as_str())).collect();
    assert_eq!(inputs, [("users", "u1"), ("roles", "r1"), ("roles", "r2")]);
}

#[test]
fn filters_leave_rows_out_on_both_sides() {
    let filtered = View {
        filter: vec![condition("admin", Compare::Eq, json!(true))],
        joins: vec![Join { filter: vec![condition("rank", Compare::Gt, json!(1))], ..join(JoinKind::Left, "granted") }],
        ..view(ViewShape::Rows)
    };
    let shown = with(filtered, "size(row.granted) < 2").view("v", &tenant()).unwrap();
    assert_eq!(keys(&shown), ["u1"]);
    assert_eq!(shown.rows[0].fields["granted"][0]["id"], json!("r2"));
    assert_eq!(shown.rows[0].fields["granted"].as_array().unwrap().len(), 1);
}

#[test]
fn counts_make_one_row() {
    let counts = vec![
        ("admins".to_owned(), vec![condition("admin", Compare::Eq, json!(true))]),
        ("powerful".to_owned(), vec![condition("granted[].power", Compare::Eq, json!("high"))]),
        ("red".to_owned(), vec![condition("team", Compare::In, json!(["red"])), condition("roles", Compare::Empty, json!(null))]),
        ("first_role".to_owned(), vec![condition("roles", Compare::ContainsAny, json!(["r1", "r9"]))]),
        ("never_seen".to_owned(), vec![condition("seen", Compare::Eq, json!(null))]),
    ];
    let program = with(
        View { joins: vec![join(JoinKind::Left, "granted")], ..view(ViewShape::CountWhere { counts }) },
        "row.admins <= 1 && row.total == 3",
    );
    let shown = program.view("v", &tenant()).unwrap();
    assert_eq!(keys(&shown), [""]);
    assert_eq!(shown.rows[0].fields, json!({"total": 3, "admins": 1, "powerful": 1, "red": 1, "first_role": 1, "never_seen": 1}));
    assert_eq!(names(&program.evaluate(&tenant(), &Params::new(), as_of())), [("".into(), "Pass".into())]);
}

#[test]
fn a_count_of_nothing_is_zero_only_where_emptiness_is_a_fact() {
    let count = || view(ViewShape::CountWhere { counts: Vec::new() });
    let empty = read(vec![("users", complete(Vec::new())), ("roles", complete(Vec::new()))]);
    assert_eq!(with(count(), "row.total > 0").view("v", &empty).unwrap().rows[0].fields, json!({"total": 0}));
    let unknown = Dataset { on_empty: OnEmpty::Unknown, ..users() };
    let program = compile(&app(vec![unknown], vec![count()], vec![check("v", "row.total == 0")])).unwrap();
    assert_eq!(names(&program.evaluate(&empty, &Params::new(), as_of())), [("".into(), "Empty".into())]);
}

#[test]
fn groups_are_keyed_by_their_values() {
    let counts = vec![("admins".to_owned(), vec![condition("admin", Compare::Eq, json!(true))])];
    let program =
        with(view(ViewShape::GroupBy { by: vec!["team".into(), "admin".into()], counts }), "row.admins == 0 || row.team != 'red'");
    let shown = program.view("v", &tenant()).unwrap();
    assert_eq!(keys(&shown), ["blue\u{1f}false", "red\u{1f}false", "red\u{1f}true"]);
    assert_eq!(shown.rows[2].fields, json!({"team": "red", "admin": true, "total": 1, "admins": 1}));
    assert_eq!(shown.rows[2].label, "red, true");
}

#[test]
fn the_first_of_each_group_is_kept() {
    let first = |descending| view(ViewShape::FirstBy { by: vec!["team".into()], order: "seen".into(), descending });
    assert_eq!(keys(&with(first(true), "row.admin").view("v", &tenant()).unwrap()), ["u2", "u3"]);
    assert_eq!(keys(&with(first(false), "row.admin").view("v", &tenant()).unwrap()), ["u1", "u2"]);
    // Of equals, the one with the smaller key.
    let ties = read(vec![("users", complete(vec![user("z", false, "red", json!(null), &[]), user("a", true, "red", json!(null), &[])]))]);
    assert_eq!(keys(&with(first(true), "row.admin").view("v", &ties).unwrap()), ["a"]);
}

#[test]
fn a_view_needs_all_of_its_inputs_whole() {
    let program = with(View { joins: vec![join(JoinKind::Left, "granted")], ..view(ViewShape::Rows) }, "!row.admin");
    for completeness in [Completeness::Partial(cut(CauseKind::RateLimited)), Completeness::Unavailable(cut(CauseKind::ScopeMissing))] {
        for broken in ["users", "roles"] {
            let mut tenant = tenant();
            tenant.get_mut(broken).unwrap().completeness = completeness.clone();
            let judged = program.evaluate(&tenant, &Params::new(), as_of());
            assert_eq!(names(&judged), [("".into(), "InputIncomplete".into())]);
            let cause = cause(&judged[0]);
            assert_eq!(cause.sentence, format!("The {broken} was not read whole: It was cut."));
            assert_eq!(program.view("v", &tenant), Err(ViewError::NotEvaluated(cause)));
        }
    }
    let mut without = tenant();
    without.remove("roles");
    assert_eq!(names(&program.evaluate(&without, &Params::new(), as_of())), [("".into(), "InputIncomplete".into())]);
    assert_eq!(program.view("w", &tenant()), Err(ViewError::Unknown("w".into())));
}

#[test]
fn a_view_stands_still_when_a_field_it_uses_cannot_be_read_in_one_row() {
    let breaks: [(&str, View); 6] = [
        ("admin", View { filter: vec![condition("admin", Compare::Eq, json!(true))], ..view(ViewShape::Rows) }),
        ("roles", View { joins: vec![join(JoinKind::Left, "granted")], ..view(ViewShape::Rows) }),
        ("team", view(ViewShape::GroupBy { by: vec!["team".into()], counts: Vec::new() })),
        ("seen", view(ViewShape::FirstBy { by: vec!["team".into()], order: "seen".into(), descending: true })),
        ("team", view(ViewShape::CountWhere { counts: vec![("red".into(), vec![condition("team", Compare::Ne, json!("red"))])] })),
        // The second condition is looked at although the first is already false.
        (
            "team",
            view(ViewShape::CountWhere {
                counts: vec![(
                    "red".into(),
                    vec![condition("id", Compare::Eq, json!("none")), condition("team", Compare::Eq, json!("red"))],
                )],
            }),
        ),
    ];
    for (field, view) in breaks {
        let pass = match view.shape {
            ViewShape::CountWhere { .. } | ViewShape::GroupBy { .. } => "row.total < 9",
            ViewShape::Rows | ViewShape::FirstBy { .. } | ViewShape::Pivot { .. } => "row.id != ''",
        };
        let program = with(view, pass);
        for mutation in [None, Some(json!({"odd": 1})), Some(json!(17))] {
            let mut tenant = tenant();
            let fields = tenant.get_mut("users").unwrap().rows[1].fields.as_object_mut().unwrap();
            match &mutation {
                None => fields.remove(field),
                Some(value) => fields.insert(field.to_owned(), value.clone()),
            };
            let judged = program.evaluate(&tenant, &Params::new(), as_of());
            assert_eq!(names(&judged), [("".into(), "FieldMissing".into())], "{field} {mutation:?}");
            assert!(cause(&judged[0]).sentence.starts_with(&format!("row u1: {field}")), "{:?}", cause(&judged[0]));
        }
    }
}

#[test]
fn faults_of_joined_rows_come_along() {
    let program = with(View { joins: vec![join(JoinKind::Left, "granted")], ..view(ViewShape::Rows) }, "row.granted.all(r, r.rank > 0)");
    let mut tenant = tenant();
    tenant.get_mut("roles").unwrap().rows[1].faults.push(("rank".into(), "was not a whole number".into()));
    let judged = program.evaluate(&tenant, &Params::new(), as_of());
    assert_eq!(names(&judged), [("u1".into(), "FieldMissing".into()), ("u2".into(), "Pass".into()), ("u3".into(), "Pass".into())]);
}

#[test]
fn null_cannot_be_ordered_by_a_condition() {
    let program = with(
        view(ViewShape::CountWhere { counts: vec![("old".into(), vec![condition("seen", Compare::Lt, json!("2026-02-01T00:00:00Z"))])] }),
        "row.old == 0",
    );
    assert_eq!(names(&program.evaluate(&tenant(), &Params::new(), as_of())), [("".into(), "FieldMissing".into())]);
    let mut seen = tenant();
    seen.get_mut("users").unwrap().rows.pop();
    assert_eq!(program.view("v", &seen).unwrap().rows[0].fields, json!({"total": 2, "old": 1}));
}

#[test]
fn views_that_cannot_be_right_are_refused_with_their_line() {
    let cases = [
        (View { from: "nobody".into(), ..view(ViewShape::Rows) }, "`nobody`, which is not a dataset"),
        (View { filter: vec![condition("gone", Compare::Eq, json!(1))], ..view(ViewShape::Rows) }, "gone is not kept"),
        (View { filter: vec![condition("admin", Compare::Eq, json!("true"))], ..view(ViewShape::Rows) }, "can never be a value of admin"),
        (View { filter: vec![condition("admin", Compare::Gt, json!(1))], ..view(ViewShape::Rows) }, "gt and lt need a number"),
        (View { filter: vec![condition("team", Compare::Contains, json!("x"))], ..view(ViewShape::Rows) }, "this comparison needs a list"),
        (View { filter: vec![condition("team", Compare::In, json!("x"))], ..view(ViewShape::Rows) }, "needs a list as its value"),
        (View { filter: vec![condition("admin", Compare::Eq, json!(null))], ..view(ViewShape::Rows) }, "can never be a value of admin"),
        (View { joins: vec![join(JoinKind::Left, "")], ..view(ViewShape::Rows) }, "needs `as`"),
        (View { joins: vec![join(JoinKind::Anti, "x")], ..view(ViewShape::Rows) }, "an anti join puts nothing into the row"),
        (View { joins: vec![join(JoinKind::Left, "team")], ..view(ViewShape::Rows) }, "would hide a field"),
        (
            View { joins: vec![Join { right: "rank".into(), ..join(JoinKind::Left, "granted") }], ..view(ViewShape::Rows) },
            "of different types",
        ),
        (
            View { joins: vec![Join { left: "gone".into(), ..join(JoinKind::Left, "granted") }], ..view(ViewShape::Rows) },
            "gone is not kept",
        ),
        (view(ViewShape::GroupBy { by: vec!["seen".into()], counts: Vec::new() }), "which may be null"),
        (view(ViewShape::GroupBy { by: vec!["roles[]".into()], counts: Vec::new() }), "goes through a list"),
        (view(ViewShape::GroupBy { by: Vec::new(), counts: Vec::new() }), "`by` is empty"),
        (view(ViewShape::FirstBy { by: vec!["team".into()], order: "admin".into(), descending: true }), "order needs a number"),
        (view(ViewShape::CountWhere { counts: vec![("total".into(), Vec::new())] }), "`total` is there twice"),
    ];
    for (view, expected) in cases {
        let errors = compile(&app(vec![users(), roles()], vec![view], vec![check("v", "row.anything")])).unwrap_err();
        assert!(errors.iter().all(|error| error.place == place(7)), "{errors:?}");
        assert!(errors.iter().any(|error| error.sentence.contains(expected)), "{expected}: {errors:?}");
    }
}

fn properties() -> Dataset {
    dataset("properties", DatasetKind::List, vec![("name", keep(Type::String)), ("value", keep(Type::String))])
}

fn property(name: &str, value: &str) -> Row {
    row(name, json!({"name": name, "value": value}))
}

fn pivot() -> View {
    let field = |name: &str, keep: Keep| PivotField { name: name.into(), keep };
    View {
        from: "properties".into(),
        ..view(ViewShape::Pivot {
            by: "name".into(),
            value: "value".into(),
            fields: vec![
                field("ui.escape", keep(Type::Bool)),
                field("ui.escape.all", absent(Type::Bool, json!(true))),
                field("2fa.days", keep(Type::Int)),
                field("mode", keep(choice(&["strict", "lax"]))),
                field("text", keep(Type::String)),
            ],
        })
    }
}

#[test]
fn names_and_values_become_one_row() {
    let program = |pass: &str| compile(&app(vec![properties()], vec![pivot()], vec![check("v", pass)])).unwrap();
    let whole = |rows: Vec<Row>| read(vec![("properties", complete(rows))]);
    let all = || {
        vec![
            property("ui.escape", "True"),
            property("ui.escape.all", "false"),
            property("2fa.days", " 15 "),
            property("mode", "strict"),
            property("text", ""),
            property("something.else", "x"),
        ]
    };
    let shown = program("row.ui_escape").view("v", &whole(all())).unwrap();
    assert_eq!(shown.rows[0].fields, json!({"ui_escape": true, "ui_escape_all": false, "_2fa_days": 15, "mode": "strict", "text": ""}));
    let verdict = |pass: &str, collected: &BTreeMap<String, Collected>| {
        names(&program(pass).evaluate(collected, &Params::new(), as_of()))[0].1.clone()
    };
    for (pass, comes_to) in [
        ("row.ui_escape && row._2fa_days >= 15 && row.mode == 'strict'", "Pass"),
        ("row.ui_escape_all", "Fail"),
        ("row._2fa_days > 15", "Fail"),
    ] {
        assert_eq!(verdict(pass, &whole(all())), comes_to, "{pass}");
    }
    // What is documented of absence counts for a name that is not there in a whole list, and for nothing else.
    let without = |name: &str| all().into_iter().filter(|row| row.key.0 != name).collect::<Vec<_>>();
    assert_eq!(verdict("row.ui_escape_all", &whole(without("ui.escape.all"))), "Pass");
    assert_eq!(verdict("row.ui_escape", &whole(without("ui.escape"))), "FieldMissing");
    let mut unreadable = without("ui.escape.all");
    unreadable.push(Row { faults: vec![("value".into(), "missing".into())], ..row("ui.escape.all", json!({"name": "ui.escape.all"})) });
    assert_eq!(verdict("row.ui_escape_all", &whole(unreadable)), "FieldMissing");
    let partial = read(vec![(
        "properties",
        Collected { completeness: Completeness::Partial(cut(CauseKind::Connectivity)), ..complete(without("ui.escape.all")) },
    )]);
    assert_eq!(verdict("row.ui_escape_all", &partial), "InputIncomplete");
    // A value that says nothing of its type, an unknown word, a name that is given twice.
    for (name, value) in [("ui.escape", "yes"), ("ui.escape", ""), ("2fa.days", "15.5"), ("2fa.days", "many"), ("mode", "STRICT")] {
        let mut rows = without(name);
        rows.push(property(name, value));
        let field = PivotField::place(name);
        let pass = if name == "mode" { "row.mode == 'lax'".to_owned() } else { format!("string(row.{field}) != 'x'") };
        let came = verdict(&pass, &whole(rows));
        assert!(came != "Pass" && came != "Fail", "{name} = {value}: {came}");
    }
    let mut twice = all();
    twice.push(Row { key: RowKey("again".into()), ..property("ui.escape", "false") });
    assert_eq!(verdict("row.ui_escape", &whole(twice)), "FieldMissing");
    let mut same = all();
    same.push(Row { key: RowKey("again".into()), ..property("ui.escape", "true") });
    assert_eq!(verdict("row.ui_escape", &whole(same)), "Pass");
    // The rows that a verdict rests on are those of its names.
    let judged = program("row.ui_escape").evaluate(&whole(all()), &Params::new(), as_of());
    assert!(judged[0].inputs.iter().all(|(_, key)| key.0 != "something.else"), "{:?}", judged[0].inputs);
    let wrong = View { shape: ViewShape::Pivot { by: "name".into(), value: "gone".into(), fields: Vec::new() }, ..pivot() };
    assert!(compile(&app(vec![properties()], vec![wrong], vec![])).is_err());
}
