//! Applications of one or two datasets, made by hand.

use assess::{Judged, Params, Program, compile};
use catalog::*;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn keep(ty: Type) -> Keep {
    Keep { ty, transform: None, absent: None, on_empty: OnEmpty::Unknown, source: None, published: false, withheld: None, place: place(1) }
}

pub fn list(element: Type) -> Keep {
    Keep { on_empty: OnEmpty::None, ..keep(Type::List(Box::new(element))) }
}

pub fn absent(ty: Type, value: Value) -> Keep {
    Keep { absent: Some(Absent { value, source: "https://vendor.example/docs".into(), empty: false }), ..keep(ty) }
}

pub fn time() -> Type {
    Type::Timestamp(TimestampFormat::Rfc3339)
}

pub fn choice(values: &[&str]) -> Type {
    Type::Enum(values.iter().map(ToString::to_string).collect())
}

pub fn object(fields: Vec<(&str, Keep)>) -> Type {
    Type::Object(fields.into_iter().map(|(name, keep)| (name.to_owned(), keep)).collect())
}

pub fn place(line: u32) -> Place {
    Place { file: "small/checks.toml".into(), line }
}

pub fn dataset(id: &str, kind: DatasetKind, fields: Vec<(&str, Keep)>) -> Dataset {
    Dataset {
        id: id.into(),
        title: format!("The {id}"),
        kind,
        host: "api".into(),
        authorised: true,
        protocol: catalog::Protocol::default(),
        method: Method::Get,
        path: format!("/v1/{id}"),
        query: Vec::new(),
        document: None,
        pagination: Pagination::None,
        form: Default::default(),
        published_by: None,
        recent: None,
        headers: BTreeMap::new(),
        values: Default::default(),
        rows: String::new(),
        rows_absent: None,
        keep: fields.into_iter().map(|(path, keep)| (FieldPath::from(path), keep)).collect(),
        constant: BTreeMap::new(),
        key: Vec::new(),
        label: None,
        needs: Needs::default(),
        each: None,
        instead: None,
        probes: Vec::new(),
        on_empty: OnEmpty::None,
        says: Vec::new(),
        accepted: None,
        politeness: Politeness::default(),
        source: "https://vendor.example/docs".into(),
        place: place(1),
    }
}

pub fn check(on: &str, pass: &str) -> Check {
    Check {
        id: "small.check".into(),
        title: "It is so".into(),
        finding: "It is not so".into(),
        severity: Severity::High,
        feature: Feature::Config,
        kind: CheckKind::Check,
        on: on.into(),
        when: String::new(),
        otherwise: String::new(),
        pass: pass.into(),
        current: String::new(),
        recommended: "so".into(),
        why: "Because.".into(),
        steps: Vec::new(),
        link: None,
        valid_days: catalog::VALID_DAYS,
        params: BTreeMap::new(),
        sscf: Vec::new(),
        frameworks: BTreeMap::new(),
        source: "https://vendor.example/docs".into(),
        place: place(42),
    }
}

pub fn param(ty: ParamType, default: Option<ParamValue>) -> Param {
    Param { ty, label: "Days without use".into(), default, min: None, max: None, unit: String::new() }
}

pub fn app(datasets: Vec<Dataset>, views: Vec<View>, checks: Vec<Check>) -> App {
    App {
        slug: "small".into(),
        name: "Small".into(),
        vendor: "Vendor".into(),
        category: Category::Other,
        home: "https://vendor.example".into(),
        features: vec![Feature::Config],
        verified: Verified::Facts,
        link_hosts: Vec::new(),
        never: Vec::new(),
        says: Vec::new(),
        logins: Vec::new(),
        not_offered: Vec::new(),
        planned: Vec::new(),
        ended: None,
        left_out: Vec::new(),
        not_covered: Vec::new(),
        scopes: Vec::new(),
        datasets,
        views,
        checks,
        inventories: Vec::new(),
    }
}

pub fn row(key: &str, fields: Value) -> Row {
    Row { key: RowKey(key.into()), label: format!("row {key}"), fields, faults: Vec::new() }
}

pub fn complete(rows: Vec<Row>) -> Collected {
    Collected { rows, completeness: Completeness::Complete }
}

pub fn cut(kind: CauseKind) -> Cause {
    Cause { kind, sentence: "It was cut.".into(), remedy: "Wait.".into() }
}

pub fn read(sets: Vec<(&str, Collected)>) -> BTreeMap<String, Collected> {
    sets.into_iter().map(|(id, collected)| (id.to_owned(), collected)).collect()
}

pub fn as_of() -> jiff::Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub fn program(datasets: Vec<Dataset>, views: Vec<View>, check: Check) -> Program {
    compile(&app(datasets, views, vec![check])).unwrap()
}

/// Judges one check over one dataset `things`.
pub fn judge(fields: Vec<(&str, Keep)>, check: Check, things: Collected) -> Vec<Judged> {
    judge_with(fields, check, things, &Params::new())
}

pub fn judge_with(fields: Vec<(&str, Keep)>, check: Check, things: Collected, params: &Params) -> Vec<Judged> {
    program(vec![dataset("things", DatasetKind::List, fields)], Vec::new(), check).evaluate(
        &read(vec![("things", things)]),
        params,
        as_of(),
    )
}

/// `Pass`, `Fail`, `NotApplicable`, `Observed`, `Manual` or the kind of the cause.
pub fn name(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "Pass".into(),
        Verdict::Fail => "Fail".into(),
        Verdict::NotApplicable { .. } => "NotApplicable".into(),
        Verdict::Manual => "Manual".into(),
        Verdict::Observed => "Observed".into(),
        Verdict::NotEvaluated { cause } => format!("{:?}", cause.kind),
    }
}

pub fn names(judged: &[Judged]) -> Vec<(String, String)> {
    judged.iter().map(|judged| (judged.row.0.clone(), name(&judged.verdict))).collect()
}

/// The verdict on one row.
pub fn verdict(fields: Vec<(&str, Keep)>, pass: &str, row_fields: Value) -> String {
    let judged = judge(fields, check("things", pass), complete(vec![row("a", row_fields)]));
    assert_eq!(judged.len(), 1, "one row gives one verdict");
    name(&judged[0].verdict)
}

pub fn cause(judged: &Judged) -> Cause {
    let Verdict::NotEvaluated { cause } = &judged.verdict else { panic!("expected a cause, found {:?}", judged.verdict) };
    cause.clone()
}
