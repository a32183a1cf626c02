//! Holds what is read of an application against the vendor's own machine-readable description of it.
//!
//! An application is tested by having a file `contracts/<slug>.json`; the format, and how to cut one out of a description,
//! stands in `contracts/README.md`. Descriptions lag behind the service, so a field may stand outside, but then it carries
//! its own source; how many do is told in the output.
mod graphql;
mod rows;

use posture_catalog::{App, Catalog, Dataset, FieldPath, Keep, Method, Pagination, Protocol, SandboxAnswer, Type};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a file of `contracts/` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contract {
    app: String,
    source: String,
    #[serde(default)]
    operations: BTreeMap<String, Operation>,
    /// Objects and their fields: `data:User`, `tooling:Certificate`, `metadata:SecuritySettings`, `sql:SHOW USERS`.
    #[serde(default)]
    objects: BTreeMap<String, BTreeMap<String, String>>,
    /// GraphQL types and enums; usually in a file of their own, `<slug>.graphql.json`.
    #[serde(default)]
    graphql: Option<graphql::Schema>,
    /// Requests that the description does not have, and the URL that has them.
    #[serde(default)]
    outside: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    #[serde(default)]
    query: Vec<String>,
    #[serde(default)]
    response: BTreeMap<String, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts")
}

fn read(file: &Path) -> Contract {
    let text = fs::read_to_string(file).unwrap();
    let contract: Contract = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(!contract.source.trim().is_empty(), "{} names the public document it was taken from, and its revision", file.display());
    for (request, source) in &contract.outside {
        assert!(source.starts_with("https://"), "{}: {request} stands outside and needs the URL that has it", file.display());
    }
    contract
}

/// The applications with a contract: whoever adds a file is tested by it.
fn applications() -> Vec<(Arc<App>, Contract)> {
    let catalog = Catalog::built_in().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut applications = Vec::new();
    for file in &files {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let contract = read(file);
        let slug = stem.strip_suffix(".graphql").unwrap_or(stem);
        assert_eq!(contract.app, slug, "{} is named after its application", file.display());
        if stem != slug {
            assert!(folder().join(format!("{slug}.json")).exists(), "{stem}.json stands beside {slug}.json");
            continue;
        }
        let mut contract = contract;
        let beside = folder().join(format!("{slug}.graphql.json"));
        if beside.exists() {
            contract.graphql = read(&beside).graphql;
        }
        let Ok(app) = catalog.app(slug) else { panic!("{slug} does not load") };
        applications.push((app.unwrap_or_else(|| panic!("{slug} is no application")), contract));
    }
    assert!(!applications.is_empty());
    applications
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

/// What a description says of a request.
enum Known<'c> {
    Described(&'c Operation),
    /// Not described, and where it is.
    Outside,
    Unknown,
}

/// How many constants of a request stand where the description has a placeholder (`my_customer` for `{customerKey}`), if the
/// request is otherwise that operation. A placeholder of the request never stands for a constant of the description.
fn constants_for_placeholders(described: &str, wanted: &str) -> Option<usize> {
    let (described, wanted): (Vec<&str>, Vec<&str>) = (described.split('/').collect(), wanted.split('/').collect());
    (described.len() == wanted.len()).then_some(())?;
    described.into_iter().zip(wanted).try_fold(0, |constants, (described, wanted)| match described {
        _ if described == wanted => Some(constants),
        "{}" => Some(constants + 1),
        _ => None,
    })
}

/// The path is looked for as it is and, where the description's paths begin with it, behind the host role's prefix. Where
/// nothing has exactly that path, the operation is taken of which the fewest placeholders are filled with constants.
fn operation<'c>(app: &App, contract: &'c Contract, dataset: &Dataset, method: &str, path: &str) -> Known<'c> {
    let prefixes = app.logins.iter().flat_map(|login| &login.roles).filter(|role| role.id == dataset.host).map(|role| role.prefix.as_str());
    let wanted: Vec<String> = std::iter::once("").chain(prefixes).map(|prefix| shape_of(&format!("{method} {prefix}{path}"))).collect();
    for wanted in &wanted {
        if let Some((_, operation)) = contract.operations.iter().find(|(name, _)| shape_of(name) == *wanted) {
            return Known::Described(operation);
        }
        if contract.outside.keys().any(|name| shape_of(name) == *wanted) {
            return Known::Outside;
        }
    }
    let filled = wanted.iter().flat_map(|wanted| {
        let described = contract.operations.iter();
        described.filter_map(move |(name, operation)| Some((constants_for_placeholders(&shape_of(name), wanted)?, operation)))
    });
    filled.min_by_key(|(constants, _)| *constants).map_or(Known::Unknown, |(_, operation)| Known::Described(operation))
}

/// The rows' path as the description writes it: a list that the vendor describes as one resource (`single`) is one there.
fn described_rows(dataset: &Dataset, rows: &str) -> String {
    let single = matches!(&dataset.pagination, Pagination::JsonApi { single: Some(_), .. });
    if single { rows.trim_end_matches("[]").to_owned() } else { rows.to_owned() }
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
    // A map's value stands in a description under `{}`, whatever its name.
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

/// What is found of one application.
#[derive(Debug, Default)]
struct Found {
    requests: usize,
    /// Requests of which only another source knows.
    requests_outside: usize,
    fields: usize,
    /// Fields that only another source knows.
    outside: usize,
    /// Closed sets whose words only another source knows.
    words: usize,
    wrong: Vec<String>,
}

impl Found {
    /// Counts one kept field: described as it is kept, or outside with a source of its own.
    fn field(&mut self, dataset: &Dataset, keep: &Keep, unlike: Option<String>, words_stated: bool) {
        self.fields += 1;
        match unlike {
            Some(_) if keep.source.is_some() || keep.published => self.outside += 1,
            Some(sentence) => {
                self.wrong.push(format!("{}: {}: {sentence}; correct it or give the field its own source", keep.place, dataset.id));
            }
            None if matches!(keep.ty, Type::Enum(_)) && !words_stated => {
                self.words += 1;
                if keep.source.is_none() {
                    self.wrong.push(format!(
                        "{}: {}: the description does not list these words; give the field the source that does",
                        keep.place, dataset.id
                    ));
                }
            }
            None => {}
        }
    }
}

fn by_http(app: &App, contract: &Contract, dataset: &Dataset, found: &mut Found) {
    for (path, rows) in ways(dataset) {
        found.requests += 1;
        let operation = match operation(app, contract, dataset, dataset.method.as_str(), &path) {
            Known::Described(operation) => operation,
            Known::Outside => {
                found.requests_outside += 1;
                found.outside += leaves(&dataset.keep).len();
                continue;
            }
            Known::Unknown => {
                let method = dataset.method.as_str();
                found.wrong.push(format!(
                    "{}: {method} {path} is not an operation of the contract; if the vendor documents it elsewhere, name it in `outside`",
                    dataset.place
                ));
                continue;
            }
        };
        let mut names: Vec<&str> = dataset.query.iter().map(|(name, _)| name.as_str()).collect();
        // The usual way only: what is read instead has no pages.
        if path == dataset.path {
            names.extend(dataset.pagination.size().map(|(name, _)| name.as_str()));
            names.extend(turns(&dataset.pagination));
        }
        for name in names {
            found.requests += 1;
            if dataset.method == Method::Get && !operation.query.iter().any(|known| known == name) {
                found.wrong.push(format!("{}: {path} has no query parameter {name}; known are {:?}", dataset.place, operation.query));
            }
        }
        let rows = described_rows(dataset, &rows);
        for (leaf, keep) in leaves(&dataset.keep) {
            // A row that is a single value is kept under a name of ours.
            let single = leaf == Dataset::VALUE && !operation.response.contains_key(&FieldPath(leaf.clone()).within(&rows));
            let whole = if single { rows.clone() } else { FieldPath(leaf.clone()).within(&rows) };
            found.field(dataset, &keep, unlike(operation, &whole, &keep.ty), words_stated(operation, &whole));
        }
    }
}

/// The query name by which pages are turned, where it is ours to send.
fn turns(pagination: &Pagination) -> Option<&str> {
    match pagination {
        Pagination::PageNumber { page, .. } => Some(page),
        Pagination::Cursor { parameter, published: false, .. } | Pagination::Offset { parameter, .. } => Some(parameter),
        Pagination::None
        | Pagination::JsonApi { .. }
        | Pagination::LinkHeader { .. }
        | Pagination::Odata { .. }
        | Pagination::Cursor { published: true, .. } => None,
    }
}

#[test]
fn a_constant_may_stand_for_a_placeholder_and_never_the_other_way_round() {
    let constants = |described: &str, wanted: &str| constants_for_placeholders(&shape_of(described), &shape_of(wanted));
    assert_eq!(constants("GET /customers/{customerKey}", "GET /customers/my_customer"), Some(1));
    assert_eq!(constants("GET /customers/{customerKey}", "GET /customers/{customer}"), Some(0));
    assert_eq!(constants("GET /customers/my_customer", "GET /customers/{customer}"), None);
    assert_eq!(constants("GET /customers/{customerKey}", "POST /customers/my_customer"), None);
    assert_eq!(constants("GET /customers/{customerKey}", "GET /customers/my_customer/users"), None);
    assert_eq!(constants("GET /customers/{customerKey}/users", "GET /customers/my_customer/groups"), None);
}

#[test]
fn every_request_and_kept_field_stands_in_the_contract() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (app, contract) in applications() {
        let mut found = Found::default();
        for dataset in app.datasets.iter().filter(|dataset| dataset.form == posture_catalog::Form::Data) {
            match &dataset.protocol {
                Protocol::Http => by_http(&app, &contract, dataset, &mut found),
                Protocol::GraphQl { .. } => graphql::check(&contract, dataset, &mut found),
                Protocol::Soql => rows::soql(&contract, dataset, &mut found),
                Protocol::SnowflakeSql { .. } => rows::sql(&contract, dataset, &mut found),
                Protocol::SalesforceMetadata { .. } => rows::metadata(&contract, dataset, &mut found),
            }
        }
        println!(
            "{}: {} requests and parameters, {} requests outside; {} fields, {} outside, {} closed sets from elsewhere ({})",
            app.slug, found.requests, found.requests_outside, found.fields, found.outside, found.words, contract.source
        );
        cases += found.requests + found.fields;
        wrong.extend(found.wrong.into_iter().map(|sentence| format!("{}: {sentence}", app.slug)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    record(cases);
}

/// The datasets, and the ways of reading them, that an answer belongs to; the closest alone.
fn asked<'a>(app: &'a App, answer: &SandboxAnswer) -> Vec<(&'a Dataset, String, String)> {
    let path = answer.path.split('?').next().unwrap_or_default();
    let prefixes = |dataset: &Dataset| -> Vec<String> {
        let roles = app.logins.iter().flat_map(|login| &login.roles).filter(|role| role.id == dataset.host);
        roles.map(|role| role.prefix.clone()).collect()
    };
    let fits = |template: &str| {
        let (one, other): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| one.starts_with('{') || one == other)
    };
    // A literal path goes before one with placeholders: /v1/users/current is not a user of that id.
    let found: Vec<_> = app
        .datasets
        .iter()
        .filter(|dataset| dataset.protocol == Protocol::Http)
        .flat_map(|dataset| ways(dataset).into_iter().map(move |(path, rows)| (dataset, path, rows)))
        .filter(|(dataset, path, _)| fits(path) || prefixes(dataset).iter().any(|prefix| fits(&format!("{prefix}{path}"))))
        .collect();
    let fewest = found.iter().map(|(_, path, _)| path.matches('{').count()).min();
    found.into_iter().filter(|(_, path, _)| Some(path.matches('{').count()) == fewest).collect()
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

/// What a description states at a path, also where a member's name is the key of a map (`{}`) or what lies around it is
/// described no further.
fn stated<'o>(operation: &'o Operation, path: &str) -> Option<&'o str> {
    if let Some(stated) = operation.response.get(path) {
        return Some(stated);
    }
    let names: Vec<&str> = path.split('.').collect();
    for at in (0..names.len()).rev() {
        let mut keyed = names.clone();
        let lists = names[at].trim_start_matches(|letter| letter != '[');
        let key = format!("{{}}{lists}");
        keyed[at] = &key;
        let joined = keyed.join(".").replace(".{}", "{}");
        if let Some(stated) = operation.response.get(&joined).or_else(|| operation.response.get(&keyed.join("."))) {
            return Some(stated);
        }
    }
    // Depth is cut in descriptions: what lies within `any` or a bare `object` is not known better.
    let mut around = path;
    while let Some((outer, _)) = around.rsplit_once(['.', '[']) {
        around = outer;
        if let Some(stated) = operation.response.get(around) {
            let within = operation.response.keys().any(|key| {
                key.len() > around.len() && key.starts_with(around) && matches!(&key[around.len()..=around.len()], "." | "[" | "{")
            });
            return (!within && matches!(stated.as_str(), "any" | "object")).then_some("any");
        }
    }
    None
}

#[test]
fn sandbox_answers_fit_the_contract() {
    let catalog = Catalog::built_in().unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (app, contract) in applications() {
        for tenant in catalog.sandbox_tenants(&app.slug).unwrap() {
            for answer in tenant.answers.iter().filter(|answer| answer.status == 200) {
                let named =
                    |what: String| format!("{}/{} {}: {what}", app.slug, tenant.id, answer.document.as_deref().unwrap_or(&answer.path));
                if let Some(dataset) = answer.document.as_ref().and_then(|id| app.dataset(id)) {
                    let (count, errors) = match &dataset.protocol {
                        Protocol::GraphQl { .. } => graphql::answer(&contract, dataset, &answer.body),
                        Protocol::Soql | Protocol::SnowflakeSql { .. } | Protocol::SalesforceMetadata { .. } => {
                            rows::answer(&contract, dataset, &answer.body)
                        }
                        Protocol::Http => (0, vec!["has no protocol".to_owned()]),
                    };
                    cases += count;
                    wrong.extend(errors.into_iter().map(named));
                    continue;
                }
                let asked = asked(&app, answer);
                let Some((dataset, path, rows)) = asked.first() else {
                    // What signing in asks for is no dataset.
                    continue;
                };
                if dataset.form != posture_catalog::Form::Data {
                    continue;
                }
                let operation = match operation(&app, &contract, dataset, &answer.method, path) {
                    Known::Described(operation) => operation,
                    Known::Outside => continue,
                    Known::Unknown => {
                        wrong.push(named(format!("{path} is not an operation of the contract")));
                        continue;
                    }
                };
                // Several datasets may read one path, each its own fields.
                let kept: Vec<(String, Keep)> = asked
                    .iter()
                    .flat_map(|(dataset, _, rows)| {
                        leaves(&dataset.keep).into_iter().map(|(leaf, keep)| (FieldPath(leaf).within(rows), keep))
                    })
                    .collect();
                let mut found = BTreeMap::new();
                walk("", &answer.body, &mut found);
                for (leaf, (kind, texts)) in found {
                    cases += 1;
                    let described = described_rows(dataset, rows);
                    let stated_path = if described == *rows { leaf.clone() } else { leaf.replacen(rows.as_str(), &described, 1) };
                    let own = kept.iter().any(|(path, keep)| (keep.source.is_some() || keep.published) && leaf.starts_with(path.as_str()));
                    // The words of a description bind only where a closed set is kept: some list one alternative of several.
                    let closed = kept.iter().any(|(path, keep)| *path == leaf && matches!(keep.ty, Type::Enum(_)));
                    let fits = match stated(operation, &stated_path) {
                        Some(stated) => {
                            let (stated, words) = stated.split_once(':').map_or((stated, None), |(stated, words)| (stated, Some(words)));
                            let known =
                                !closed || words.is_none_or(|words| texts.iter().all(|text| words.split(',').any(|known| known == *text)));
                            known
                                && (stated == "any"
                                    || stated.split('|').any(|stated| stated == kind || (stated == "integer" && kind == "number")))
                        }
                        None => false,
                    };
                    if !fits && !own {
                        wrong.push(named(format!("{leaf} ({kind}) does not fit {:?}", stated(operation, &stated_path))));
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

#[test]
fn what_a_description_says_is_found_by_path() {
    let response = [
        ("users", "array"),
        ("users[].name", "string"),
        ("users[].more", "object"),
        ("users[].roles{}", "string"),
        ("plan", "object"),
        ("plan.name", "string"),
    ];
    let operation = Operation { query: Vec::new(), response: response.map(|(path, ty)| (path.to_owned(), ty.to_owned())).into() };
    assert_eq!(stated(&operation, "users[].name"), Some("string"));
    assert_eq!(stated(&operation, "users[].roles.admin"), Some("string"), "a key of a map");
    assert_eq!(stated(&operation, "users[].more.deep[].x"), Some("any"), "where the description is cut");
    assert_eq!(stated(&operation, "plan.price"), None, "an object that is described does not hold it");
    assert_eq!(stated(&operation, "users[].mail"), None);
    assert_eq!(stated(&operation, "usersx"), None);
}
