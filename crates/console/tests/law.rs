//! The law of no false pass, over every check of the built-in catalog: nothing that was not read becomes a pass, nothing that
//! failed becomes not applicable, and the order of rows changes nothing.
//!
//! Answers are damaged at the vendor (the sandbox), and read by the unchanged connectors over real HTTPS.
#![allow(clippy::unwrap_used)]

mod scene;

use catalog::{Catalog, CheckKind, Keep, RowKey, Type, Verdict};
use sandbox::{Fault, OverlayChange};
use scene::{Scene, Verdicts, promise};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _};

/// One breach of the law, in words.
type Breach = String;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_false_pass() {
    let catalog = Catalog::built_in().unwrap();
    let mut cases = 0;
    let mut breaches: Vec<Breach> = Vec::new();
    for tile in catalog.tiles() {
        let tenants = catalog.sandbox_tenants(&tile.slug).unwrap();
        let mut seen: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for tenant in &tenants {
            let scene = Scene::of_tenant(&catalog, &tile.slug, &tenant.id).await;
            let baseline = scene.verdicts().await;
            for ((check, _), verdict) in &baseline {
                seen.entry(check.clone()).or_default().push(word(verdict));
            }
            if tenant.id == "clean" {
                for ((check, row), verdict) in &baseline {
                    cases += 1;
                    if !matches!(verdict, Verdict::Pass | Verdict::NotApplicable { .. } | Verdict::Manual) {
                        breaches.push(format!("{check} {row:?} in {}: {verdict:?}", scene.name));
                    }
                }
            }
            cases += mutations(&scene, &baseline, &mut breaches).await;
            cases += faults(&scene, &baseline, &mut breaches).await;
            cases += order(&scene, &baseline, &mut breaches).await;
        }
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        for check in app.checks.iter().filter(|check| check.kind == CheckKind::Check) {
            for wanted in ["pass", "fail"] {
                cases += 1;
                if !seen.get(&check.id).is_some_and(|seen| seen.contains(&wanted)) {
                    breaches.push(format!("{} comes to {wanted} in no tenant", check.id));
                }
            }
        }
        for check in app.checks.iter().filter(|check| check.kind == CheckKind::Observed) {
            cases += 1;
            if !seen.get(&check.id).is_some_and(|seen| seen.contains(&"observed")) {
                breaches.push(format!("{} is observed in no tenant", check.id));
            }
        }
    }
    promise("law", cases, breaches.len());
    let mut text = String::new();
    for breach in breaches.iter().take(40) {
        let _ = writeln!(text, "  {breach}");
    }
    assert!(cases > 500, "only {cases} cases: the catalog or its tenants were not there");
    assert!(breaches.is_empty(), "{} of {cases} cases break the law:\n{text}", breaches.len());
}

/// Each kept field of each dataset, missing, null, of another type, of an unknown value; in all rows and in the first.
async fn mutations(scene: &Scene, baseline: &Verdicts, breaches: &mut Vec<Breach>) -> usize {
    let mut cases = 0;
    for dataset in &scene.app.datasets {
        for (path, keep) in leaves(dataset.keep.iter().map(|(path, keep)| (path.0.clone(), keep))) {
            let root = if dataset.rows.is_empty() { path.clone() } else { format!("{}.{path}", dataset.rows) };
            let places = if dataset.rows.contains("[]") { vec![root.clone(), root.replacen("[]", "[0]", 1)] } else { vec![root.clone()] };
            for place in places {
                for (name, mutation) in mutations_of(keep) {
                    // What the vendor documents about null and absence is a fact, not damage.
                    if keep.absent.is_some() && matches!(name, "deleted" | "null") {
                        continue;
                    }
                    let (tenant, answer, field) = (scene.name.clone(), dataset.id.clone(), place.clone());
                    let change = match mutation {
                        None => OverlayChange::Remove { tenant, answer, field },
                        Some(value) => OverlayChange::Set { tenant, answer, field, value },
                    };
                    // A tenant whose list is empty has no such field to damage.
                    if scene.sandbox.overlay().apply(change).is_err() {
                        continue;
                    }
                    let collected = scene.collect().await;
                    let verdicts = scene.judge(&collected);
                    scene.restore();
                    let what = format!("{}: {} {place} {name}", scene.name, dataset.id);
                    cases += compare(&what, baseline, &verdicts, breaches);
                    if place == root {
                        cases += must_not_pass(scene, &dataset.id, &path, &what, &verdicts, breaches);
                    }
                }
            }
        }
    }
    cases
}

/// A field that a check reads and that is damaged in every row leaves no pass of that check.
fn must_not_pass(scene: &Scene, dataset: &str, path: &str, what: &str, verdicts: &Verdicts, breaches: &mut Vec<Breach>) -> usize {
    let mut cases = 0;
    for check in scene.app.checks.iter().filter(|check| check.on == dataset) {
        let reads = scene.program.reads(&check.id);
        if !reads.iter().any(|read| read.0 == path || path.starts_with(&format!("{}[]", read.0)) || path.starts_with(&format!("{}.", read.0))) {
            continue;
        }
        cases += 1;
        if verdicts.iter().any(|((id, _), verdict)| *id == check.id && *verdict == Verdict::Pass) {
            breaches.push(format!("{what}: {} passes all the same", check.id));
        }
    }
    cases
}

/// Each dataset answered with each fault.
async fn faults(scene: &Scene, baseline: &Verdicts, breaches: &mut Vec<Breach>) -> usize {
    let status = |status| Fault::Status { status, retry_after: (status == 429).then_some(3600) };
    let faults = [
        ("401", status(401), None),
        ("402", status(402), None),
        ("403", status(403), None),
        ("404", status(404), None),
        ("429", status(429), None),
        ("500", status(500), None),
        ("HTML", Fault::Html, None),
        ("half a JSON", Fault::HalfJson, None),
        ("nested 100,000 deep", Fault::DeepJson { depth: 100_000 }, None),
        ("cut", Fault::Cut, None),
        ("second page cut", Fault::Cut, Some(2)),
        ("second page 500", status(500), Some(2)),
        ("pages in a circle", Fault::CirclePages, None),
        ("a page twice", Fault::RepeatPage, None),
    ];
    let mut cases = 0;
    for dataset in &scene.app.datasets {
        for (name, fault, from_page) in &faults {
            scene.change(OverlayChange::Fault {
                tenant: scene.name.clone(),
                answer: Some(dataset.id.clone()),
                fault: fault.clone(),
                times: None,
                from_page: *from_page,
            });
            let collected = scene.collect().await;
            let verdicts = scene.judge(&collected);
            scene.restore();
            let what = format!("{}: {} answered {name}", scene.name, dataset.id);
            cases += compare(&what, baseline, &verdicts, breaches);
            // Every row of a dataset that was not read at all: no check on it may pass.
            let unread = collected.get(&dataset.id).is_none_or(|collected| !collected.completeness.is_complete() && collected.rows.is_empty());
            if unread {
                for check in scene.app.checks.iter().filter(|check| scene.app.inputs(check).contains(&dataset.id.as_str())) {
                    cases += 1;
                    let passed = verdicts.iter().any(|((id, _), verdict)| *id == check.id && *verdict == Verdict::Pass);
                    let explained = verdicts.iter().any(|((id, _), verdict)| *id == check.id && matches!(verdict, Verdict::NotEvaluated { .. }));
                    if passed || (check.kind == CheckKind::Check && !explained) {
                        breaches.push(format!("{what}: {} is not Not evaluated", check.id));
                    }
                }
            }
        }
    }
    cases
}

/// The rows of every list in another order: the same verdicts.
async fn order(scene: &Scene, baseline: &Verdicts, breaches: &mut Vec<Breach>) -> usize {
    let mut cases = 0;
    for seed in [1, 7, 4711] {
        scene.change(OverlayChange::Fault { tenant: scene.name.clone(), answer: None, fault: Fault::Shuffle { seed }, times: None, from_page: None });
        let verdicts = scene.verdicts().await;
        scene.restore();
        cases += 1;
        if verdicts != *baseline {
            let differing = baseline.iter().find(|(key, verdict)| verdicts.get(*key) != Some(*verdict));
            breaches.push(format!("{}: in another order (seed {seed}) verdicts differ: {differing:?}", scene.name));
        }
    }
    cases
}

/// No verdict is better than before.
fn compare(what: &str, before: &Verdicts, after: &Verdicts, breaches: &mut Vec<Breach>) -> usize {
    let passes = |verdicts: &Verdicts, check: &str| verdicts.iter().filter(|((id, _), verdict)| id == check && **verdict == Verdict::Pass).count();
    for ((check, row), verdict) in after {
        let earlier = before.get(&(check.clone(), row.clone()));
        let better = match (verdict, earlier) {
            (Verdict::Pass, Some(earlier)) => *earlier != Verdict::Pass,
            // A row under another name (its key was damaged) may not add a pass.
            (Verdict::Pass, None) => passes(after, check) > passes(before, check),
            (Verdict::NotApplicable { .. }, Some(earlier)) => *earlier == Verdict::Fail,
            (Verdict::NotApplicable { .. }, None) => *row == RowKey::default() && before.iter().any(|((id, _), earlier)| id == check && *earlier == Verdict::Fail),
            (Verdict::Fail | Verdict::NotEvaluated { .. } | Verdict::Manual | Verdict::Observed, _) => false,
        };
        if better {
            breaches.push(format!("{what}: {check} {row:?} went from {earlier:?} to {verdict:?}"));
        }
    }
    after.len()
}

/// The leaves of what is kept, as paths from the row.
fn leaves<'a>(fields: impl Iterator<Item = (String, &'a Keep)>) -> Vec<(String, &'a Keep)> {
    let mut found = Vec::new();
    for (path, keep) in fields {
        match &keep.ty {
            Type::Object(inner) => found.extend(leaves(inner.iter().map(|(name, keep)| (format!("{path}.{name}"), keep)))),
            Type::List(element) => {
                found.push((path.clone(), keep));
                if let Type::Object(inner) = &**element {
                    found.extend(leaves(inner.iter().map(|(name, keep)| (format!("{path}[].{name}"), keep))));
                }
            }
            Type::Bool | Type::Int | Type::Number | Type::String | Type::Id | Type::Timestamp(_) | Type::Enum(_) | Type::Map(_) => found.push((path, keep)),
        }
    }
    found
}

/// Damage to a field: its name, and the new value (none removes it).
fn mutations_of(keep: &Keep) -> Vec<(&'static str, Option<Value>)> {
    let mut all = vec![("deleted", None), ("null", Some(Value::Null))];
    match &keep.ty {
        Type::Bool => all.extend([("a text", Some(json!("true"))), ("a number", Some(json!(1)))]),
        Type::Int | Type::Number => all.extend([("a text", Some(json!("many"))), ("a bool", Some(json!(true)))]),
        Type::String | Type::Id => all.extend([("an object", Some(json!({"a": 1}))), ("a bool", Some(json!(true)))]),
        Type::Timestamp(_) => all.extend([("no time", Some(json!("not a time"))), ("a bool", Some(json!(true)))]),
        Type::Enum(_) => all.extend([("an unknown value", Some(json!("zz-unknown")))]),
        Type::List(_) => all.extend([("a text", Some(json!("x"))), ("a list of objects of another kind", Some(json!([{"zz": 1}])))]),
        Type::Map(_) => all.extend([("a list", Some(json!([])))]),
        Type::Object(_) => {}
    }
    all
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotApplicable { .. } => "not applicable",
        Verdict::NotEvaluated { .. } => "not evaluated",
        Verdict::Manual => "manual",
        Verdict::Observed => "observed",
    }
}
