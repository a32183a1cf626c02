//! What becomes of rows: one test per rule.

use crate::small::*;
use assess::Params;
use catalog::*;
use serde_json::json;
use std::collections::BTreeMap;

fn flag() -> Vec<(&'static str, Keep)> {
    vec![("saml.enabled", keep(Type::Bool))]
}

#[test]
fn a_row_that_is_as_it_should_be_passes_and_one_that_is_not_fails() {
    assert_eq!(verdict(flag(), "row.saml.enabled", json!({"saml": {"enabled": true}})), "Pass");
    assert_eq!(verdict(flag(), "row.saml.enabled", json!({"saml": {"enabled": false}})), "Fail");
    assert_eq!(verdict(flag(), "!row.saml.enabled", json!({"saml": {"enabled": false}})), "Pass");
}

#[test]
fn what_cannot_be_read_is_not_evaluated() {
    for broken in [
        json!({}),
        json!({"saml": {}}),
        json!({"saml": null}),
        json!({"saml": {"enabled": null}}),
        json!({"saml": {"enabled": "true"}}),
        json!({"saml": {"enabled": 1}}),
        json!({"saml": []}),
        json!(null),
    ] {
        assert_eq!(verdict(flag(), "row.saml.enabled", broken.clone()), "FieldMissing", "{broken}");
        // Negation must not turn an unread value into a pass.
        assert_eq!(verdict(flag(), "!row.saml.enabled", broken.clone()), "FieldMissing", "{broken}");
        assert_eq!(verdict(flag(), "row.saml.enabled != true", broken.clone()), "FieldMissing", "{broken}");
        assert_eq!(verdict(flag(), "true || row.saml.enabled", broken.clone()), "FieldMissing", "{broken}");
    }
}

#[test]
fn the_cause_names_the_field() {
    let judged = judge(flag(), check("things", "row.saml.enabled"), complete(vec![row("a", json!({"saml": {}}))]));
    let cause = cause(&judged[0]);
    assert_eq!(cause.sentence, "saml.enabled is not in the answer.");
    assert!(!cause.remedy.is_empty());
}

#[test]
fn an_enum_value_that_nobody_knows_is_not_judged() {
    let fields = || vec![("mode", keep(choice(&["on", "off"])))];
    assert_eq!(verdict(fields(), "row.mode != 'off'", json!({"mode": "on"})), "Pass");
    assert_eq!(verdict(fields(), "row.mode != 'off'", json!({"mode": "off"})), "Fail");
    assert_eq!(verdict(fields(), "row.mode != 'off'", json!({"mode": "beta"})), "UnknownValue");
}

#[test]
fn each_type_lets_only_its_own_values_through() {
    let cases = [
        (Type::Int, "row.x >= 0", json!(3), vec![json!(3.5), json!("3"), json!(true), json!(9_007_199_254_740_993_i64), json!([3])]),
        (Type::Number, "row.x >= 0.0", json!(3.5), vec![json!("3.5"), json!(false), json!({})]),
        (Type::String, "row.x != ''", json!("a"), vec![json!(1), json!(true), json!(["a"])]),
        (Type::Id, "row.x != ''", json!("7"), vec![json!(7)]),
        (time(), "row.x < now", json!("2026-01-01T00:00:00Z"), vec![json!("yesterday"), json!(1_700_000_000), json!("")]),
        (
            Type::List(Box::new(Type::String)),
            "'a' in row.x",
            json!(["a"]),
            vec![json!("a"), json!({"a": 1}), json!(["a", 1]), json!(["a", null])],
        ),
    ];
    for (ty, pass, good, bad) in cases {
        let fields = || vec![("x", Keep { on_empty: OnEmpty::None, ..keep(ty.clone()) })];
        assert_eq!(verdict(fields(), pass, json!({"x": good})), "Pass", "{pass}");
        for value in bad {
            assert_eq!(verdict(fields(), pass, json!({"x": value})), "FieldMissing", "{pass} over {value}");
        }
    }
}

#[test]
fn null_counts_only_where_the_manifest_says_what_it_means() {
    let fields = || vec![("last", absent(time(), json!(null)))];
    let pass = "row.last == null || row.last > now - days(90)";
    assert_eq!(verdict(fields(), pass, json!({"last": null})), "Pass");
    assert_eq!(verdict(fields(), pass, json!({"last": "2026-11-20T00:00:00Z"})), "Pass");
    assert_eq!(verdict(fields(), pass, json!({"last": "2026-01-20T00:00:00Z"})), "Fail");
    assert_eq!(
        verdict(fields(), pass, json!({})),
        "FieldMissing",
        "absence is replaced at receipt; a row without the field is another shape"
    );
    assert_eq!(verdict(fields(), "row.last > now - days(90)", json!({"last": null})), "Expression", "null has no order");
    // A default other than null does not make null readable.
    assert_eq!(verdict(vec![("on", absent(Type::Bool, json!(false)))], "!row.on", json!({"on": null})), "FieldMissing");
}

#[test]
fn documented_absence_counts_only_in_a_complete_dataset() {
    let fields = || vec![("on", absent(Type::Bool, json!(false)))];
    let rows = || vec![row("a", json!({"on": false})), row("b", json!({"on": true}))];
    let whole = judge(fields(), check("things", "!row.on"), complete(rows()));
    assert_eq!(names(&whole), [("a".into(), "Pass".into()), ("b".into(), "Fail".into())]);
    let partial = Collected { rows: rows(), completeness: Completeness::Partial(cut(CauseKind::RateLimited)) };
    let judged = judge(fields(), check("things", "!row.on"), partial);
    assert_eq!(names(&judged), [("".into(), "RateLimited".into()), ("a".into(), "InputIncomplete".into()), ("b".into(), "Fail".into())]);
}

#[test]
fn timestamps_are_timestamps_to_the_expression() {
    let fields = || vec![("at", keep(time()))];
    let at = json!({"at": "2026-11-01T00:00:00Z"});
    for (pass, expected) in [
        ("row.at > now - duration('2160h')", "Pass"),
        ("row.at > now - days(10)", "Fail"),
        ("now - row.at > days(20)", "Pass"),
        ("row.at == timestamp('2026-11-01T01:00:00+01:00')", "Pass"),
        ("row.at.getFullYear() == 2026", "Pass"),
    ] {
        assert_eq!(verdict(fields(), pass, at.clone()), expected, "{pass}");
    }
}

#[test]
fn timestamps_inside_lists_and_maps_are_timestamps_too() {
    let certificate = object(vec![("not_after", keep(time())), ("subject", keep(Type::String))]);
    let fields = || vec![("certs", list(certificate.clone())), ("grid", list(Type::String))];
    let rows = |end: &str| json!({"certs": [{"not_after": "2027-01-01T00:00:00Z", "subject": "a"}, {"not_after": end, "subject": "b"}], "grid": []});
    let pass = "row.certs.all(c, c.not_after > now)";
    assert_eq!(verdict(fields(), pass, rows("2027-06-01T00:00:00Z")), "Pass");
    assert_eq!(verdict(fields(), pass, rows("2026-06-01T00:00:00Z")), "Fail");
    assert_eq!(verdict(fields(), pass, json!({"certs": [], "grid": []})), "Pass");
    assert_eq!(verdict(fields(), "row.certs.exists(c, c.not_after < now)", json!({"certs": [], "grid": []})), "Fail");
}

#[test]
fn transforms_change_what_expressions_see() {
    let x509 = Keep { transform: Some(Transform::X509), ..list(Type::String) };
    let host = Keep { transform: Some(Transform::HostOf), ..keep(Type::String) };
    let present = Keep { transform: Some(Transform::Present), ..keep(Type::String) };
    let names_of = Keep { transform: Some(Transform::NamesOf), on_empty: OnEmpty::None, ..keep(Type::Map(Box::new(Type::String))) };
    let fields = vec![("certs", x509), ("hook", host), ("secret", present), ("headers", names_of)];
    let pass = "row.certs.all(c, c.not_after > now && c.key_bits >= 2048) && row.hook.scheme == 'https' && row.secret && 'authorization' in row.headers";
    let cert = json!({"subject": "CN=a", "issuer": "CN=a", "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z", "key_algorithm": "rsa", "key_bits": 2048, "signature_algorithm": "x", "sha256": "00"});
    assert_eq!(
        verdict(
            fields,
            pass,
            json!({"certs": [cert], "hook": {"scheme": "https", "host": "a.example"}, "secret": true, "headers": ["authorization"]})
        ),
        "Pass"
    );
}

#[test]
fn every_element_must_be_readable_before_any_is_judged() {
    let fields = || vec![("keys", list(object(vec![("admin", keep(Type::Bool))])))];
    let bad_last = json!({"keys": [{"admin": true}, {"admin": null}]});
    assert_eq!(verdict(fields(), "row.keys.exists(k, k.admin)", bad_last.clone()), "FieldMissing");
    assert_eq!(verdict(fields(), "!row.keys.exists(k, k.admin)", bad_last.clone()), "FieldMissing");
    let judged = judge(fields(), check("things", "row.keys.all(k, !k.admin)"), complete(vec![row("a", bad_last)]));
    assert_eq!(cause(&judged[0]).sentence, "keys[1].admin is null, and the vendor does not say what that means.");
}

#[test]
fn an_empty_list_of_unknown_meaning_is_not_judged() {
    let fields = || vec![("tags", keep(Type::List(Box::new(Type::String))))];
    assert_eq!(verdict(fields(), "!('admin' in row.tags)", json!({"tags": []})), "Empty");
    assert_eq!(verdict(fields(), "size(row.tags) == 0", json!({"tags": []})), "Empty");
    assert_eq!(verdict(fields(), "!('admin' in row.tags)", json!({"tags": ["user"]})), "Pass");
}

#[test]
fn maps_can_be_looked_up_run_over_and_compared() {
    let map = Keep { on_empty: OnEmpty::None, ..keep(Type::Map(Box::new(Type::Bool))) };
    let fields = || vec![("grants", map.clone())];
    let some = json!({"grants": {"read": true, "write.all": false}});
    for (pass, expected) in [
        ("row.grants.read", "Pass"),
        ("row.grants['write.all']", "Fail"),
        ("row.grants.missing", "FieldMissing"),
        ("row.grants.all(k, k != 'admin')", "Pass"),
        ("row.grants.exists(k, k.startsWith('write'))", "Pass"),
        ("row.grants.exists(k, row.grants[k] && k != 'read')", "Fail"),
        ("'read' in row.grants && size(row.grants) == 2", "Pass"),
        ("row.grants == {'read': true, 'write.all': false}", "Pass"),
        ("{'read': true, 'write.all': false} == row.grants", "Pass"),
        ("{'read': true} != row.grants", "Pass"),
        ("row.grants == row.grants", "Pass"),
        ("row.grants in [{'read': true, 'write.all': false}]", "Pass"),
    ] {
        assert_eq!(verdict(fields(), pass, some.clone()), expected, "{pass}");
    }
    assert_eq!(verdict(fields(), "row.grants.exists(k, row.grants[k])", json!({"grants": {"read": true, "x": null}})), "FieldMissing");
}

#[test]
fn lists_can_be_indexed_filtered_mapped_joined_and_compared() {
    let fields = || vec![("tags", list(Type::String)), ("name", keep(Type::String))];
    let some = json!({"tags": ["Alpha", "beta"], "name": "alpha"});
    for (pass, expected) in [
        ("row.tags[0] == 'Alpha'", "Pass"),
        ("row.tags[5] == 'Alpha'", "Expression"),
        ("row.tags.map(t, t.lowerAscii()) == ['alpha', 'beta']", "Pass"),
        ("['Alpha', 'beta'] == row.tags", "Pass"),
        ("row.tags.filter(t, t.matches('^[a-z]+$')) == ['beta']", "Pass"),
        ("row.tags.exists_one(t, t == 'beta')", "Pass"),
        ("row.tags.join(',') == 'Alpha,beta'", "Pass"),
        ("row.name in row.tags.map(t, t.lowerAscii())", "Pass"),
        ("row.name in row.tags", "Fail"),
        ("size(row.tags + ['c']) == 3", "Pass"),
        ("row.tags.all(t, row.tags.exists(o, o == t))", "Pass"),
    ] {
        assert_eq!(verdict(fields(), pass, some.clone()), expected, "{pass}");
    }
}

#[test]
fn whole_numbers_can_be_added_to() {
    let fields = || vec![("n", keep(Type::Int)), ("x", keep(Type::Number))];
    assert_eq!(verdict(fields(), "row.n + 1 == 6 && row.n - 6 < 0 && row.x > 1.5", json!({"n": 5, "x": 2})), "Pass");
}

#[test]
fn a_value_whose_meaning_the_check_does_not_know_is_not_evaluated() {
    let fields = || vec![("n", keep(Type::Int)), ("off", keep(Type::Bool))];
    let pass = "row.off || (row.n > 10 ? row.n < 20 : unclear('The unit is not known.'))";
    let verdict = |n: i64, off: bool| {
        let judged = judge(fields(), check("things", pass), complete(vec![row("a", json!({"n": n, "off": off}))]));
        (name(&judged[0].verdict), judged[0].current.clone(), judged[0].verdict.clone())
    };
    assert_eq!(verdict(11, false).0, "Pass");
    assert_eq!(verdict(20, false).0, "Fail");
    assert_eq!(verdict(10, true).0, "Pass", "what decides without it decides");
    let (name, current, unclear) = verdict(10, false);
    assert_eq!((name.as_str(), current.as_str()), ("UnknownValue", ""));
    let Verdict::NotEvaluated { cause } = unclear else { panic!("{unclear:?}") };
    assert_eq!(cause.sentence, "The unit is not known.");
    // No way around it: neither its opposite nor what stands beside it makes it true.
    for pass in ["row.n == 1 && !unclear('x')", "unclear('x') && row.n == 1", "unclear('x') || row.off", "(row.n == 1) == unclear('x')"] {
        let judged = judge(fields(), check("things", pass), complete(vec![row("a", json!({"n": 1, "off": false}))]));
        assert!(matches!(judged[0].verdict, Verdict::NotEvaluated { .. }), "{pass}: {:?}", judged[0].verdict);
    }
}

#[test]
fn faults_of_receipt_stand_in_the_way() {
    let fields = || vec![("keys", list(object(vec![("admin", keep(Type::Bool)), ("name", keep(Type::String))])))];
    let with = |fault: &str| {
        let mut row = row("a", json!({"keys": [{"admin": false, "name": "x"}]}));
        row.faults.push((fault.into(), "was not a bool".into()));
        let judged = judge(fields(), check("things", "row.keys.all(k, !k.admin)"), complete(vec![row]));
        name(&judged[0].verdict)
    };
    assert_eq!(with("keys[3].admin"), "FieldMissing");
    assert_eq!(with("keys"), "FieldMissing");
    assert_eq!(with("keys[0]"), "FieldMissing");
    assert_eq!(with("other"), "Pass");
    let mut unknown = row("a", json!({}));
    unknown.faults.push(("mode".into(), Row::UNKNOWN_VALUE.into()));
    let judged = judge(vec![("mode", keep(choice(&["on", "off"])))], check("things", "row.mode == 'on'"), complete(vec![unknown]));
    assert_eq!(cause(&judged[0]).kind, CauseKind::UnknownValue);
    assert_eq!(cause(&judged[0]).sentence, "mode could not be read: unknown value.");
}

#[test]
fn where_when_is_false_the_check_does_not_apply() {
    let fields = || vec![("kind", keep(Type::String)), ("on", keep(Type::Bool))];
    let guarded = || Check { when: "row.kind == 'human'".into(), otherwise: "It is a machine.".into(), ..check("things", "row.on") };
    let judged = judge(
        fields(),
        guarded(),
        complete(vec![row("a", json!({"kind": "robot"})), row("b", json!({"kind": "human", "on": true})), row("c", json!({"on": true}))]),
    );
    assert_eq!(names(&judged), [("a".into(), "NotApplicable".into()), ("b".into(), "Pass".into()), ("c".into(), "FieldMissing".into())]);
    assert_eq!(judged[0].verdict, Verdict::NotApplicable { reason: "It is a machine.".into() });
}

#[test]
fn a_partial_dataset_keeps_what_was_read_and_says_what_was_not() {
    let partial = Collected {
        rows: vec![row("b", json!({"saml": {"enabled": false}})), row("a", json!({"saml": {"enabled": true}}))],
        completeness: Completeness::Partial(cut(CauseKind::RateLimited)),
    };
    let judged = judge(flag(), check("things", "row.saml.enabled"), partial.clone());
    assert_eq!(names(&judged), [("".into(), "RateLimited".into()), ("a".into(), "Pass".into()), ("b".into(), "Fail".into())]);
    // An object that was not read whole proves nothing.
    let program = program(vec![dataset("thing", DatasetKind::Object, flag())], Vec::new(), check("thing", "row.saml.enabled"));
    let judged = program.evaluate(&read(vec![("thing", partial)]), &Params::new(), as_of());
    assert_eq!(names(&judged), [("".into(), "RateLimited".into())]);
}

#[test]
fn an_object_that_is_read_once_per_something_has_rows_of_its_own() {
    let each = Some(Each { over: EachOver::Field("repositories".into()), carry: vec!["owner".into()] });
    let program = program(
        vec![Dataset { each, ..dataset("rule", DatasetKind::Object, flag()) }],
        Vec::new(),
        check("rule", "row.saml.enabled || row.each.item == row.each.owner"),
    );
    let rows = vec![row("a", json!({"each": {"item": "a", "owner": "o"}, "saml": {"enabled": false}}))];
    let partial = Collected { rows, completeness: Completeness::Partial(cut(CauseKind::RateLimited)) };
    let judged = program.evaluate(&read(vec![("rule", partial)]), &Params::new(), as_of());
    assert_eq!(names(&judged), [("".into(), "RateLimited".into()), ("a".into(), "Fail".into())]);
}

#[test]
fn what_is_unavailable_or_never_read_gives_its_cause() {
    let unavailable = Collected {
        rows: vec![row("a", json!({"saml": {"enabled": true}}))],
        completeness: Completeness::Unavailable(cut(CauseKind::ScopeMissing)),
    };
    let judged = judge(flag(), check("things", "row.saml.enabled"), unavailable);
    assert_eq!(names(&judged), [("".into(), "ScopeMissing".into())], "rows of what could not be relied on are not judged");
    assert_eq!(cause(&judged[0]).remedy, "Wait.");
    let program = program(vec![dataset("things", DatasetKind::List, flag())], Vec::new(), check("things", "row.saml.enabled"));
    assert_eq!(names(&program.evaluate(&BTreeMap::new(), &Params::new(), as_of())), [("".into(), "InputIncomplete".into())]);
}

#[test]
fn emptiness_means_what_the_manifest_says() {
    let none = judge(flag(), check("things", "row.saml.enabled"), complete(Vec::new()));
    assert_eq!(none[0].verdict, Verdict::NotApplicable { reason: "there are none".into() });
    let unknown = Dataset { on_empty: OnEmpty::Unknown, ..dataset("things", DatasetKind::List, flag()) };
    let program = program(vec![unknown], Vec::new(), check("things", "row.saml.enabled"));
    assert_eq!(
        names(&program.evaluate(&read(vec![("things", complete(Vec::new()))]), &Params::new(), as_of())),
        [("".into(), "Empty".into())]
    );
}

#[test]
fn events_are_observed_or_say_nothing() {
    let observed = || Check { kind: CheckKind::Observed, ..check("things", "row.saml.enabled") };
    let rows = vec![row("a", json!({"saml": {"enabled": true}})), row("b", json!({"saml": {"enabled": false}})), row("c", json!({}))];
    assert_eq!(names(&judge(flag(), observed(), complete(rows))), [("a".into(), "Observed".into()), ("c".into(), "FieldMissing".into())]);
    assert!(judge(flag(), observed(), complete(Vec::new())).is_empty());
}

#[test]
fn a_manual_check_waits_for_a_person() {
    let manual = Check { kind: CheckKind::Manual, on: String::new(), pass: String::new(), ..check("", "") };
    let program = program(Vec::new(), Vec::new(), manual);
    let judged = program.evaluate(&BTreeMap::new(), &Params::new(), as_of());
    assert_eq!(names(&judged), [("".into(), "Manual".into())]);
    assert!(program.reads("small.check").is_empty());
}

#[test]
fn parameters_have_defaults_overrides_and_bounds() {
    let fields = || vec![("age", keep(Type::Int))];
    let aged = |default: Option<i64>| Check {
        params: BTreeMap::from([(
            "max_days".to_owned(),
            Param { min: Some(1), max: Some(365), ..param(ParamType::Int, default.map(ParamValue::Int)) },
        )]),
        recommended: "at most {params.max_days} days".into(),
        ..check("things", "row.age <= params.max_days")
    };
    let with = |check: Check, value: Option<ParamValue>| {
        let params = value
            .map(|value| Params::from([("small.check".to_owned(), BTreeMap::from([("max_days".to_owned(), value)]))]))
            .unwrap_or_default();
        let judged = judge_with(fields(), check, complete(vec![row("a", json!({"age": 60}))]), &params);
        (name(&judged[0].verdict), judged[0].recommended.clone())
    };
    assert_eq!(with(aged(Some(90)), None), ("Pass".into(), "at most 90 days".into()));
    assert_eq!(with(aged(Some(90)), Some(ParamValue::Int(30))), ("Fail".into(), "at most 30 days".into()));
    assert_eq!(with(aged(None), Some(ParamValue::Int(30))).0, "Fail");
    assert_eq!(with(aged(None), None).0, "InputMissing");
    assert_eq!(with(aged(Some(90)), Some(ParamValue::Int(9_999))).0, "InputMissing", "out of bounds");
    assert_eq!(with(aged(Some(90)), Some(ParamValue::String("90".into()))).0, "InputMissing", "of another type");
}

#[test]
fn a_list_parameter_can_be_looked_into_and_run_over() {
    let fields = || vec![("mail", keep(Type::String))];
    let domains = |pass: &str| Check {
        params: BTreeMap::from([(
            "domains".to_owned(),
            param(ParamType::Strings, Some(ParamValue::Strings(vec!["a.example".into(), "b.example".into()]))),
        )]),
        recommended: "one of {params.domains}".into(),
        ..check("things", pass)
    };
    let judged = judge(
        fields(),
        domains("params.domains.exists(d, row.mail.endsWith('@' + d))"),
        complete(vec![row("a", json!({"mail": "x@b.example"})), row("b", json!({"mail": "x@c.example"}))]),
    );
    assert_eq!(names(&judged), [("a".into(), "Pass".into()), ("b".into(), "Fail".into())]);
    assert_eq!(judged[0].recommended, "one of a.example, b.example");
    assert_eq!(
        names(&judge(fields(), domains("row.mail in params.domains"), complete(vec![row("a", json!({"mail": "a.example"}))]))),
        [("a".into(), "Pass".into())]
    );
}

#[test]
fn the_current_value_is_computed_or_listed() {
    let fields = || vec![("n", keep(Type::Int)), ("tags", list(Type::String))];
    let rows = || complete(vec![row("a", json!({"n": 3, "tags": ["x", "y"]}))]);
    let computed = judge(fields(), Check { current: "string(row.n) + ' of 5'".into(), ..check("things", "row.n > 4") }, rows());
    assert_eq!(computed[0].current, "3 of 5");
    let listed = judge(fields(), check("things", "row.n > 4 || 'x' in row.tags"), rows());
    assert_eq!(listed[0].current, "n: 3, tags[0]: x, tags[1]: y");
    assert_eq!(listed[0].evidence, [("n".to_owned(), json!(3)), ("tags[0]".to_owned(), json!("x")), ("tags[1]".to_owned(), json!("y"))]);
    assert_eq!(listed[0].inputs, [("things".to_owned(), RowKey("a".into()))]);
}

#[test]
fn long_lists_are_cut_in_what_is_shown_not_in_what_is_judged() {
    let tags: Vec<String> = (0..300).map(|index| if index == 299 { "bad".into() } else { format!("{index}{}", "x".repeat(200)) }).collect();
    let judged = judge(
        vec![("tags", list(Type::String))],
        check("things", "!('bad' in row.tags)"),
        complete(vec![row("a", json!({ "tags": tags }))]),
    );
    assert_eq!(name(&judged[0].verdict), "Fail");
    assert_eq!(judged[0].evidence.len(), 200);
    assert!(judged[0].current.starts_with("tags[0]: 0xxx") && judged[0].current.ends_with("…"));
    assert!(judged[0].current.chars().count() < 1_200);
}

#[test]
fn a_field_that_only_current_reads_must_be_readable_too() {
    let fields = || vec![("n", keep(Type::Int)), ("note", keep(Type::String))];
    let judged =
        judge(fields(), Check { current: "row.note".into(), ..check("things", "row.n > 1") }, complete(vec![row("a", json!({"n": 3}))]));
    assert_eq!(name(&judged[0].verdict), "FieldMissing");
}

#[test]
fn rows_come_in_the_order_of_their_keys_each_once() {
    let rows = vec![
        row("b", json!({"saml": {"enabled": true}})),
        row("a", json!({"saml": {"enabled": false}})),
        row("b", json!({"saml": {"enabled": true}})),
    ];
    assert_eq!(
        names(&judge(flag(), check("things", "row.saml.enabled"), complete(rows))),
        [("a".into(), "Fail".into()), ("b".into(), "Pass".into())]
    );
    let conflicting = vec![row("a", json!({"saml": {"enabled": false}})), row("a", json!({"saml": {"enabled": true}}))];
    assert_eq!(names(&judge(flag(), check("things", "row.saml.enabled"), complete(conflicting))), [("a".into(), "NotUnderstood".into())]);
}

#[test]
fn an_expression_that_would_run_away_is_stopped() {
    let fields = || vec![("a", list(Type::Int))];
    let numbers: Vec<i64> = (0..1_200).collect();
    let rows = || json!({"a": numbers});
    assert_eq!(verdict(fields(), "row.a.all(x, x >= 0)", rows()), "Pass");
    assert_eq!(verdict(fields(), "row.a.all(x, row.a.all(y, y >= 0))", rows()), "Expression");
    assert_eq!(verdict(fields(), "!row.a.exists(x, row.a.exists(y, y < 0))", rows()), "Expression", "a list that ends early must not pass");
}

#[test]
fn reads_come_from_the_syntax_tree() {
    let certificate = object(vec![("not_after", keep(time())), ("subject", keep(Type::String))]);
    let fields =
        vec![("saml.certs", list(certificate)), ("mode", keep(Type::String)), ("label", keep(Type::String)), ("tags", list(Type::String))];
    let guarded = Check {
        when: "row.mode == 'saml'".into(),
        otherwise: "SAML is off.".into(),
        current: "row.label".into(),
        ..check(
            "things",
            "row.saml.certs.filter(c, c.subject != '').all(c, c.not_after > now) && size(row.tags) > 0 && !('x' in row['tags'])",
        )
    };
    let program = program(vec![dataset("things", DatasetKind::List, fields)], Vec::new(), guarded);
    let reads: Vec<&str> = program.reads("small.check").iter().map(|path| path.0.as_str()).collect();
    assert_eq!(reads, ["label", "mode", "saml.certs[]", "saml.certs[].not_after", "saml.certs[].subject", "tags", "tags[]"]);
}

#[test]
fn the_fields_of_the_parent_row_can_be_read() {
    let parent = dataset("repos", DatasetKind::List, vec![("name", keep(Type::String)), ("private", keep(Type::Bool))]);
    let child = Dataset {
        each: Some(Each { over: EachOver::Dataset { id: "repos".into(), filter: Vec::new() }, carry: vec![FieldPath::from("private")] }),
        constant: BTreeMap::from([("protected".to_owned(), json!(true))]),
        ..dataset("rules", DatasetKind::List, vec![("reviews", keep(Type::Int))])
    };
    let program = program(vec![parent, child], Vec::new(), check("rules", "row.each.private || (row.protected && row.reviews > 0)"));
    let judged = program.evaluate(
        &read(vec![("rules", complete(vec![row("r", json!({"each": {"private": false}, "protected": true, "reviews": 0}))]))]),
        &Params::new(),
        as_of(),
    );
    assert_eq!(names(&judged), [("r".into(), "Fail".into())]);
}

#[test]
fn one_check_can_be_judged_alone() {
    let second = Check { id: "small.other".into(), ..check("things", "!row.saml.enabled") };
    let both = assess::compile(&app(
        vec![dataset("things", DatasetKind::List, flag())],
        Vec::new(),
        vec![check("things", "row.saml.enabled"), second],
    ))
    .unwrap();
    let collected = read(vec![("things", complete(vec![row("a", json!({"saml": {"enabled": true}}))]))]);
    let all = both.evaluate(&collected, &Params::new(), as_of());
    assert_eq!(
        all.iter().map(|judged| (judged.check.as_str(), name(&judged.verdict))).collect::<Vec<_>>(),
        [("small.check", "Pass".to_owned()), ("small.other", "Fail".to_owned())]
    );
    assert_eq!(both.evaluate_check("small.other", &collected, &Params::new(), as_of()), all[1..]);
    assert!(both.evaluate_check("small.none", &collected, &Params::new(), as_of()).is_empty());
}

#[test]
fn a_program_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<assess::Program>();
}
