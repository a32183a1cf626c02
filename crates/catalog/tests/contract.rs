//! Holds what is read of an application against the vendor's own machine-readable description of it.
//!
//! `contracts/<slug>.json` holds the used operations of that description: for each its query names and its response, by
//! path and type (`string`, `string:a,b`, `any` …; `.` between members, `[]` an element, `root` the body). Descriptions
//! lag behind the service, so a field may stand outside, but then it carries its own source, and stands in the list below.
#![allow(clippy::unwrap_used)]

use posture_catalog::{App, Catalog, Dataset, FieldPath, Keep, Pagination, SandboxAnswer, Type};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    io::Write,
    path::Path,
    sync::Arc,
};

/// Kept fields that the vendors' descriptions do not have with that type. Each has its own source in the manifest.
const OUTSIDE: &[(&str, &str)] = &[
    ("kustomer", "auth-settings data.attributes.app.userSessionExpirationMilliseconds"),
    ("kustomer", "users data[].attributes.roleGroups"),
    // Typed `any` there, so what lies within is not described.
    ("kustomer", "outbound-webhooks data[].attributes.headers[].name"),
    ("kustomer", "outbound-webhooks data[].attributes.headers[].value"),
];

/// Lists that the description shows as one object, although the service answers a list.
const LIST_SHOWN_AS_OBJECT: &[(&str, &str)] = &[("kustomer", "audit-logs")];

/// Closed sets that the description types as plain text; the manifest names the page that lists the words. `userType`'s
/// words come with the description's own query parameter and the singer schema beside it.
const WORDS_OF_OUR_OWN: &[(&str, &str)] = &[
    ("github-enterprise", "org default_repository_permission"),
    ("github-enterprise", "repos [].visibility"),
    ("github-enterprise", "repos visibility"),
    ("kustomer", "current-user data.attributes.userType"),
    ("kustomer", "users data[].attributes.userType"),
];

#[derive(Deserialize)]
struct Contract {
    app: String,
    source: String,
    operations: BTreeMap<String, Operation>,
}

#[derive(Deserialize)]
struct Operation {
    query: Vec<String>,
    response: BTreeMap<String, String>,
}

fn contract(slug: &str) -> Contract {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts").join(format!("{slug}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{} is needed: {error}", file.display()));
    let contract: Contract = serde_json::from_str(&text).unwrap();
    assert_eq!(contract.app, slug);
    assert!(!contract.source.is_empty(), "the contract names the public document it was taken from");
    contract
}

fn app(slug: &str) -> Arc<App> {
    Catalog::built_in().unwrap().app(slug).unwrap().unwrap()
}

/// The applications with a contract.
fn applications() -> Vec<(Arc<App>, Contract)> {
    ["github-enterprise", "kustomer"].into_iter().map(|slug| (app(slug), contract(slug))).collect()
}

/// `GET /repos/{}/{}`: placeholders by position.
fn shape_of(operation: &str) -> String {
    operation.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect::<Vec<_>>().join("/")
}

/// Each way a dataset is read: its usual path, and the one that is used instead.
fn ways(dataset: &Dataset) -> Vec<(String, String)> {
    let mut ways = vec![(dataset.path.clone(), dataset.rows.clone())];
    ways.extend(dataset.instead.iter().map(|instead| (instead.path.clone(), instead.rows.clone())));
    ways
}

fn operation<'c>(contract: &'c Contract, method: &str, path: &str) -> Option<&'c Operation> {
    let wanted = shape_of(&format!("{method} {path}"));
    contract.operations.iter().find(|(name, _)| shape_of(name) == wanted).map(|(_, operation)| operation)
}

/// Every kept leaf with its path from the row.
fn leaves(keep: &BTreeMap<FieldPath, Keep>) -> Vec<(String, Keep)> {
    let mut found = Vec::new();
    for (FieldPath(path), keep) in keep {
        gather(path, keep, &mut found);
    }
    found
}

fn gather(path: &str, keep: &Keep, found: &mut Vec<(String, Keep)>) {
    if let Type::List(element) = &keep.ty
        && let Type::Object(fields) = element.as_ref()
    {
        for (name, inner) in fields {
            gather(&format!("{path}[].{name}"), inner, found);
        }
        return;
    }
    found.push((path.to_owned(), keep.clone()));
}

/// What is wrong with keeping that type at that path, if anything is.
fn unlike(operation: &Operation, path: &str, ty: &Type) -> Option<String> {
    let Some(stated) = operation.response.get(path) else { return Some(format!("{path} is not described")) };
    let (stated, words) = stated.split_once(':').map_or((stated.as_str(), None), |(stated, words)| (stated, Some(words)));
    let one_of = |wanted: &[&str]| stated == "any" || stated.split('|').any(|stated| wanted.contains(&stated));
    let fits = match ty {
        Type::Bool => one_of(&["boolean"]),
        Type::Int => one_of(&["integer", "number"]),
        Type::Number => one_of(&["number", "integer"]),
        Type::String | Type::Timestamp(_) => {
            one_of(&["string", "integer", "number"]) && (one_of(&["string"]) || matches!(ty, Type::Timestamp(_)))
        }
        Type::Id => one_of(&["string", "integer", "number"]),
        Type::Enum(values) => {
            let stated_words: Option<BTreeSet<&str>> = words.map(|words| words.split(',').collect());
            let known = stated_words.is_none_or(|stated| values.iter().map(String::as_str).collect::<BTreeSet<_>>() == stated);
            one_of(&["string"]) && known
        }
        Type::List(element) => {
            if !one_of(&["array"]) {
                return Some(format!("{path} is {stated} there, and a list here"));
            }
            return unlike(operation, &format!("{path}[]"), element);
        }
        Type::Map(_) | Type::Object(_) => one_of(&["object"]),
    };
    (!fits).then(|| format!("{path} is {stated}{} there, and {ty:?} here", words.map(|words| format!(" ({words})")).unwrap_or_default()))
}

/// Whether the description names the words of an enum itself.
fn words_stated(operation: &Operation, path: &str) -> bool {
    operation.response.get(path).is_some_and(|stated| stated.contains(':'))
}

fn record(cases: usize) {
    let Some(file) = std::env::var_os("POSTURE_PROMISES") else { return };
    let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
    writeln!(file, "PROMISE contract cases={cases} failures=0").unwrap();
}

#[test]
fn every_request_and_kept_field_stands_in_the_contract() {
    let mut outside = BTreeSet::new();
    let mut own_words = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (app, contract) in applications() {
        for dataset in &app.datasets {
            for (path, rows) in ways(dataset) {
                cases += 1;
                let Some(operation) = operation(&contract, dataset.method.as_str(), &path) else {
                    wrong.push(format!("{}: {} {path} is not an operation there", app.slug, dataset.method.as_str()));
                    continue;
                };
                let mut names: Vec<&str> = dataset.query.iter().map(|(name, _)| name.as_str()).collect();
                // The usual way only: what is read instead has no pages.
                if path == dataset.path
                    && let Pagination::JsonApi { size: Some((name, _)), .. } | Pagination::LinkHeader { size: Some((name, _)) } =
                        &dataset.pagination
                {
                    names.push(name);
                }
                for name in names {
                    cases += 1;
                    if !operation.query.iter().any(|known| known == name) {
                        wrong.push(format!("{}: {path} has no query parameter {name}; known are {:?}", app.slug, operation.query));
                    }
                }
                let listed = LIST_SHOWN_AS_OBJECT.contains(&(app.slug.as_str(), dataset.id.as_str()));
                let rows = if listed { rows.trim_end_matches("[]").to_owned() } else { rows };
                for (leaf, keep) in leaves(&dataset.keep) {
                    cases += 1;
                    let whole = FieldPath(leaf.clone()).within(&rows);
                    let shown = format!("{} {whole}", dataset.id);
                    match unlike(operation, &whole, &keep.ty) {
                        Some(_) if keep.source.is_some() => {
                            outside.insert((app.slug.clone(), shown));
                        }
                        Some(sentence) => {
                            wrong.push(format!("{}: {}: {sentence}; correct it or give the field its own source", keep.place, dataset.id))
                        }
                        None if matches!(keep.ty, Type::Enum(_)) && !words_stated(operation, &whole) => {
                            own_words.insert((app.slug.clone(), shown));
                        }
                        None => {}
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let listed = |list: &[(&str, &str)]| list.iter().map(|(app, field)| ((*app).to_owned(), (*field).to_owned())).collect::<BTreeSet<_>>();
    assert_eq!(outside, listed(OUTSIDE), "exactly the listed fields stand outside the contracts");
    assert_eq!(own_words, listed(WORDS_OF_OUR_OWN), "exactly the listed closed sets are not stated by the contracts");
    record(cases);
}

/// The dataset, and the way of reading it, that an answer belongs to.
fn asked<'a>(app: &'a App, answer: &SandboxAnswer) -> Vec<(&'a Dataset, String)> {
    let path = answer.path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (one, other): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| one.starts_with('{') || one == other)
    };
    // A literal path goes before one with placeholders: /v1/users/current is not a user of that id.
    let found: Vec<_> = app
        .datasets
        .iter()
        .flat_map(|dataset| ways(dataset).into_iter().map(move |(path, _)| (dataset, path)))
        .filter(|(_, path)| fits(path))
        .collect();
    let fewest = found.iter().map(|(_, path)| path.matches('{').count()).min();
    found.into_iter().filter(|(_, path)| Some(path.matches('{').count()) == fewest).collect()
}

/// Every leaf of a JSON value, by path: its kind, and the texts found there.
fn walk<'v>(path: &str, value: &'v Value, found: &mut BTreeMap<String, (&'static str, Vec<&'v str>)>) {
    let kind = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                walk(&format!("{path}[]"), item, found);
            }
            return;
        }
        Value::Object(fields) => {
            for (name, inner) in fields {
                walk(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, inner, found);
            }
            return;
        }
    };
    let texts = &mut found.entry(path.to_owned()).or_insert((kind, Vec::new())).1;
    texts.extend(value.as_str());
}

/// The description lists only the first of its alternatives for the type of a rule, so its one word binds nobody.
const FIRST_ALTERNATIVE_ONLY: &[(&str, &str)] = &[("branch-rules", "[].type")];

#[test]
fn sandbox_answers_fit_the_contract() {
    let catalog = Catalog::built_in().unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (app, contract) in applications() {
        for tenant in catalog.sandbox_tenants(&app.slug).unwrap() {
            for answer in tenant.answers.iter().filter(|answer| answer.status == 200) {
                let asked = asked(&app, answer);
                let Some((dataset, path)) = asked.first() else {
                    wrong.push(format!("{}/{}: no dataset asks {}", app.slug, tenant.id, answer.path));
                    continue;
                };
                let Some(operation) = operation(&contract, &answer.method, path) else {
                    wrong.push(format!("{}: {path} is not an operation of the contract", app.slug));
                    continue;
                };
                let listed = LIST_SHOWN_AS_OBJECT.contains(&(app.slug.as_str(), dataset.id.as_str()));
                let mut found = BTreeMap::new();
                walk("", &answer.body, &mut found);
                for (leaf, (kind, texts)) in found {
                    cases += 1;
                    let stated_path = if listed { leaf.replacen("data[]", "data", 1) } else { leaf.clone() };
                    let own = OUTSIDE.iter().any(|(slug, field)| {
                        *slug == app.slug && field.strip_prefix(&format!("{} ", dataset.id)).is_some_and(|field| leaf.starts_with(field))
                    });
                    let fits = match operation.response.get(&stated_path) {
                        Some(stated) => {
                            let (stated, words) =
                                stated.split_once(':').map_or((stated.as_str(), None), |(stated, words)| (stated, Some(words)));
                            let free = FIRST_ALTERNATIVE_ONLY.contains(&(dataset.id.as_str(), stated_path.as_str()));
                            let known =
                                free || words.is_none_or(|words| texts.iter().all(|text| words.split(',').any(|known| known == *text)));
                            known
                                && (stated == "any"
                                    || stated.split('|').any(|stated| stated == kind || (stated == "integer" && kind == "number")))
                        }
                        None => own,
                    };
                    if !fits {
                        wrong.push(format!(
                            "{}/{} {}: {leaf} ({kind}) does not fit {:?}",
                            app.slug,
                            tenant.id,
                            answer.path,
                            operation.response.get(&stated_path)
                        ));
                    }
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 500, "the tenants' answers were looked at: {cases} values");
    record(cases);
}

#[test]
fn a_field_that_differs_from_the_contract_is_noticed() {
    let response =
        [("root", "object"), ("on", "boolean"), ("state", "string:open,shut"), ("names", "array"), ("names[]", "string"), ("free", "any")];
    let operation = Operation { query: Vec::new(), response: response.map(|(path, ty)| (path.to_owned(), ty.to_owned())).into() };
    let words = |words: &[&str]| Type::Enum(words.iter().map(|word| (*word).to_owned()).collect());
    for (path, ty) in
        [("on", Type::Bool), ("state", words(&["shut", "open"])), ("names", Type::List(Box::new(Type::String))), ("free", Type::Int)]
    {
        assert_eq!(unlike(&operation, path, &ty), None, "{path} as {ty:?} stands there");
    }
    for (path, ty) in [
        ("on", Type::String),
        ("state", words(&["open"])),
        ("state", words(&["open", "shut", "ajar"])),
        ("state", Type::Bool),
        ("names", Type::String),
        ("names", Type::List(Box::new(Type::Bool))),
        ("gone", Type::Bool),
    ] {
        assert!(unlike(&operation, path, &ty).is_some(), "{path} as {ty:?} is not what stands there");
    }
}
