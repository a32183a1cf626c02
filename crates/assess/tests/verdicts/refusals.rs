//! What `compile` refuses, with the line and a sentence that names the reason.

use crate::small::*;
use catalog::*;
use std::collections::BTreeMap;

fn fields() -> Vec<(&'static str, Keep)> {
    vec![
        ("on", keep(Type::Bool)),
        ("n", keep(Type::Int)),
        ("text", keep(Type::String)),
        ("at", keep(time())),
        ("mode", keep(choice(&["on", "off"]))),
        ("modes", list(choice(&["read", "write"]))),
        ("tags", keep(Type::List(Box::new(Type::String)))),
        ("items", list(object(vec![("tags", list(Type::String)), ("on", keep(Type::Bool))]))),
        ("map", Keep { on_empty: OnEmpty::None, ..keep(Type::Map(Box::new(Type::Bool))) }),
    ]
}

fn refused(check: Check) -> Vec<String> {
    let errors = assess::compile(&app(vec![dataset("things", DatasetKind::List, fields())], Vec::new(), vec![check]))
        .map(|_| "it compiled")
        .unwrap_err();
    for error in &errors {
        assert_eq!(error.place, place(42));
        assert!(error.sentence.starts_with("small.check: "), "{}", error.sentence);
    }
    errors.into_iter().map(|error| error.sentence).collect()
}

#[test]
fn expressions_that_cannot_be_right() {
    let cases = [
        ("row.on &&", "does not parse"),
        ("rows.on", "`rows` is not known"),
        ("row.on && frobnicate(row.n)", "the function `frobnicate` is not known"),
        ("type(row.n) == int", "not known"),
        ("row.off", "`row.off` is not kept"),
        ("row.on.deep", "`.deep` is asked of"),
        ("row.text.size() > 0 && row.items.all(i, i.off)", "`row.items[].off` is not kept"),
        ("row.on == 'true'", "can never equal"),
        ("row.n == '1'", "can never equal"),
        ("row.text == 1", "can never equal"),
        ("!row.text", "must be true or false"),
        ("row.n && row.on", "must be true or false"),
        ("row.text", "it must give true or false"),
        ("row.n + 1", "it must give true or false"),
        ("row.n < 'a'", "cannot be ordered"),
        ("row.at < 5", "cannot be ordered"),
        ("row.at < '2026-01-01T00:00:00Z'", "cannot be ordered"),
        ("row.on < true", "cannot be ordered"),
        ("row.n + row.text == 'a'", "cannot stand between"),
        ("row.n + 1.5 > 2.0", "cannot stand between"),
        ("row.mode == 'maybe'", "'maybe' is not among the values of `row.mode`: on, off"),
        ("row.mode in ['on', 'maybe']", "'maybe' is not among the values"),
        ("'admin' in row.modes", "'admin' is not among the values"),
        ("row.modes.all(m, m != 'admin')", "'admin' is not among the values"),
        ("row.text == null", "compared with null"),
        ("has(row.on)", "`has()` is not for checks"),
        ("row.?on.orValue(true)", "not for checks"),
        ("row[?'on'].orValue(true)", "not for checks"),
        ("optional.of(row.on).hasValue()", "not for checks"),
        ("row.tags.all(t, t != 'x')", "nobody says what it means to be empty"),
        ("row[row.text]", "must be written out"),
        ("row.map[row.text]", "must be written out"),
        ("row.items[row.n].on", "must be written out"),
        ("row.items.all(i, i.tags.all(t, row.items.exists(j, j.on)))", "nested two deep"),
        ("row.text.split(',').all(a, row.text.split(',').exists(b, a == b))", "gives cannot be run over inside another macro"),
        ("row.n.all(x, x)", "a macro runs over a list or a map"),
        ("row.items.all(row, row.on)", "hides another of that name"),
        ("row.items.all(i, i.tags)", "must be true or false"),
        ("row.text.matches('(')", "is not a regular expression"),
        ("row.text.matches(row.text)", "a pattern must be written out"),
        ("row.on || unclear(row.text)", "the sentence of `unclear` must be written out"),
        ("row.on || unclear(1)", "`unclear` cannot be used on"),
        ("row.at > now - duration('90 days')", "what `duration` is given is not one"),
        ("row.at > timestamp('soon')", "what `timestamp` is given is not one"),
        ("row.text.startsWith(1)", "cannot be used on"),
        ("row.n.startsWith('a')", "cannot be used on"),
        ("row.n <= params.max", "`params.max` is not a parameter of this check"),
        ("row.text in params", "`params` as a whole"),
        ("row == {}", "`row` as a whole"),
        ("true", "reads no field"),
        ("now > timestamp('2026-01-01T00:00:00Z')", "reads no field"),
        ("", "`pass` is missing"),
        ("row.on ? row.n : row.text", "must be alike"),
    ];
    for (pass, expected) in cases {
        let sentences = refused(check("things", pass));
        assert!(sentences.iter().any(|sentence| sentence.contains(expected)), "{pass}: {sentences:?}");
    }
}

#[test]
fn what_stands_around_the_expression() {
    let good = || check("things", "row.on");
    let max = |param: Param| BTreeMap::from([("max".to_owned(), param)]);
    let cases = [
        (Check { on: "nothing".into(), ..good() }, "neither a dataset nor a view"),
        (Check { when: "row.n".into(), otherwise: "no".into(), ..good() }, "`when`: it gives a whole number"),
        (Check { when: "row.on".into(), ..good() }, "`when` needs `otherwise`"),
        (Check { current: "row.n".into(), ..good() }, "`current`: it gives a whole number (`row.n`); it must give text"),
        (Check { recommended: "{params.max} days".into(), ..good() }, "recommended names {params.max}"),
        (Check { params: max(param(ParamType::Int, Some(ParamValue::String("a".into())))), ..good() }, "the default of params.max"),
        (
            Check { params: max(Param { max: Some(5), ..param(ParamType::Int, Some(ParamValue::Int(9))) }), ..good() },
            "the default of params.max",
        ),
        (Check { params: max(param(ParamType::String, None)), ..check("things", "row.n < params.max") }, "cannot be ordered"),
        (Check { kind: CheckKind::Manual, ..good() }, "a manual check is attested"),
    ];
    for (check, expected) in cases {
        let sentences = refused(check);
        assert!(sentences.iter().any(|sentence| sentence.contains(expected)), "{expected}: {sentences:?}");
    }
}

#[test]
fn two_checks_cannot_share_an_id() {
    let twin = Check { place: place(50), ..check("things", "!row.on") };
    let errors =
        assess::compile(&app(vec![dataset("things", DatasetKind::List, fields())], Vec::new(), vec![check("things", "row.on"), twin]))
            .unwrap_err();
    assert_eq!(errors, [LoadError { place: place(50), sentence: "small.check: another check has this id; give it one of its own".into() }]);
}

#[test]
fn a_syntax_error_says_where() {
    assert!(
        refused(check("things", "row.on &&\n  row.n >"))
            .iter()
            .any(|sentence| sentence.starts_with("small.check: `pass`: it does not parse at line 2, column ")),
        "{:?}",
        refused(check("things", "row.on &&\n  row.n >"))
    );
}

#[test]
fn all_errors_come_at_once() {
    let second = Check { id: "small.other".into(), place: place(77), ..check("things", "row.gone") };
    let errors = assess::compile(&app(
        vec![dataset("things", DatasetKind::List, fields())],
        Vec::new(),
        vec![check("things", "row.off && row.lost"), second],
    ))
    .unwrap_err();
    let lines: Vec<u32> = errors.iter().map(|error| error.place.line).collect();
    assert_eq!(lines, [42, 42, 77]);
}
