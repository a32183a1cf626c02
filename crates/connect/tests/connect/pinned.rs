//! No body leaves that the manifest does not pin. Every dataset of every application that is asked by a body or in a
//! language of its own: the request as it is meant is permitted, and each way to make a write of it is refused.
use crate::vendor;

use catalog::{App, Catalog, Dataset, DatasetKind, FieldPath, GraphQlCursor, Inputs, Method, Protocol, ResolvedHosts};
use posture_connect::{Asked, RequestClass, permit};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vendor::{app, dataset, inputs, over};

/// A request in owned parts, so that it can be changed.
#[derive(Debug, Clone)]
struct Sent {
    class: RequestClass,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Option<String>,
}

/// An application with the fields of one of its login options.
struct Stand {
    app: App,
    hosts: ResolvedHosts,
    inputs: Inputs,
}

impl Stand {
    fn permits(&self, dataset: &Dataset, sent: &Sent) -> Result<(), String> {
        let host = &self.hosts.roles[&dataset.host].0;
        let asked = Asked {
            class: sent.class,
            dataset: &dataset.id,
            method: &sent.method,
            host,
            path: &sent.path,
            query: &sent.query,
            body: sent.body.as_deref(),
        };
        permit(&self.app, &self.hosts, &self.inputs, &asked).map(|_| ()).map_err(|error| {
            assert_eq!(error.code(), "E-REQUEST-REFUSED");
            error.to_string()
        })
    }

    /// A template with the fields' values, and `parent` where the parent row fills it.
    fn filled(&self, template: &str) -> Option<String> {
        let mut text = template.to_owned();
        while let Some((before, after)) = text.clone().split_once('{') {
            let (name, after) = after.split_once('}')?;
            let value = if name.starts_with("each.") {
                "parent".to_owned()
            } else {
                self.inputs.get(name).filter(|value| !value.is_empty())?.clone()
            };
            text = format!("{before}{value}{after}");
        }
        Some(text)
    }
}

/// The catalog's applications with the fields of their tenants, and one that speaks every language.
fn stands() -> Vec<Stand> {
    let catalog = Catalog::built_in().unwrap();
    let mut stands = Vec::new();
    for tile in catalog.tiles() {
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        for tenant in catalog.sandbox_tenants(&tile.slug).unwrap() {
            let Some(login) = app.login(&tenant.login) else { continue };
            let open = login.fields.iter().filter(|field| !field.secret);
            let inputs: Inputs = open
                .filter_map(|field| {
                    let value = tenant.fields.get(&field.id).or(field.default.as_ref()).filter(|value| !value.is_empty())?;
                    Some((field.id.clone(), field.format.check(&field.choices, value).unwrap_or_else(|_| value.clone())))
                })
                .collect();
            if let Ok(hosts) = login.resolve(&inputs) {
                stands.push(Stand { app: App::clone(&app), hosts, inputs });
            }
        }
    }
    let app = every_language();
    let inputs = inputs(&[("organization", "halden")]);
    let hosts = app.logins[0].resolve(&inputs).unwrap();
    stands.push(Stand { app, hosts, inputs });
    stands
}

fn every_language() -> App {
    let mut graphql = dataset("graphql", DatasetKind::List, "/graphql");
    graphql.protocol = Protocol::GraphQl {
        variables: BTreeMap::from([("org".to_owned(), "{organization}".to_owned()), ("team".to_owned(), "{each.name}".to_owned())]),
        cursor: Some(GraphQlCursor { variable: "after".into(), page_info: FieldPath::from("data.a.pageInfo") }),
    };
    graphql.method = Method::Post;
    graphql.each = over("me");
    graphql.document = Some("query($org: String!, $team: String!, $after: String) { a(o: $org, t: $team, after: $after) { pageInfo { hasNextPage endCursor } nodes { id } } }".into());
    let mut soql = dataset("soql", DatasetKind::List, "/services/data/v60.0/query");
    soql.protocol = Protocol::Soql;
    soql.document = Some("SELECT Id FROM User".into());
    let mut sql = dataset("sql", DatasetKind::List, "/api/v2/statements");
    sql.protocol = Protocol::SnowflakeSql { parameters: BTreeMap::from([("role".to_owned(), "{organization}".to_owned())]) };
    sql.method = Method::Post;
    sql.document = Some("SHOW USERS".into());
    let mut each = sql.clone();
    each.id = "sql-each".into();
    each.document = Some("DESC USER {each.name}".into());
    each.each = over("me");
    let mut metadata = dataset("metadata", DatasetKind::Object, "/services/Soap/m/60.0");
    metadata.protocol = Protocol::SalesforceMetadata { kind: "SecuritySettings".into(), full_name: "Security".into() };
    metadata.method = Method::Post;
    metadata.rows = String::new();
    let mut rpc = dataset("rpc", DatasetKind::List, "/rpc");
    rpc.method = Method::Post;
    rpc.document = Some(r#"{"method":"getGroups","params":{"all":true}}"#.into());
    app(vec![graphql, soql, sql, each, metadata, rpc])
}

const CURSOR: &str = "Y3Vyc29yOjEwMA==";
const LOCATOR: &str = "01g5e00001abcdEAAQ-2000";
const HANDLE: &str = "01b2c3d4-0000-1234-0000-00012345678a";
const SESSION: &str = "00D5e000001abcd!AQkAQH.x_y-z";

fn soap(session: &str, call: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:met="http://soap.sforce.com/2006/04/metadata"><soapenv:Header><met:SessionHeader><met:sessionId>{session}</met:sessionId></met:SessionHeader></soapenv:Header><soapenv:Body>{call}</soapenv:Body></soapenv:Envelope>"#
    )
}

/// The requests of a dataset as they are meant, written down here once more: the first, and further ones.
fn meant(stand: &Stand, dataset: &Dataset) -> Option<Vec<Sent>> {
    let (_, prefix) = stand.hosts.roles.get(&dataset.host)?;
    let path = stand.filled(&format!("{prefix}{}", dataset.path))?;
    let document = dataset.document.clone().unwrap_or_default();
    let first = |method: &str, body: Option<String>| Sent {
        class: RequestClass::Dataset,
        method: method.into(),
        path: path.clone(),
        query: vec![],
        body,
    };
    let below = |segment: &str, query: &[(&str, &str)]| Sent {
        class: RequestClass::Continuation,
        method: "GET".into(),
        path: format!("{path}/{segment}"),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: None,
    };
    Some(match &dataset.protocol {
        Protocol::Http if dataset.method == Method::Get => return None,
        Protocol::Http => {
            let query = dataset.query.iter().map(|(name, value)| Some((name.clone(), stand.filled(value)?))).collect::<Option<_>>()?;
            vec![Sent { query, ..first("POST", Some(document)) }]
        }
        Protocol::GraphQl { variables, cursor } => {
            let mut filled = serde_json::Map::new();
            for (name, template) in variables {
                filled.insert(name.clone(), json!(stand.filled(template)?));
            }
            let body = |variables: &serde_json::Map<String, Value>| json!({ "query": document, "variables": variables }).to_string();
            let mut all = vec![first("POST", Some(body(&filled)))];
            if let Some(cursor) = cursor {
                filled.insert(cursor.variable.clone(), json!(CURSOR));
                all.push(Sent { class: RequestClass::Continuation, ..first("POST", Some(body(&filled))) });
            }
            all
        }
        Protocol::Soql => vec![Sent { query: vec![("q".into(), document)], ..first("GET", None) }, below(LOCATOR, &[])],
        Protocol::SnowflakeSql { parameters } => {
            let mut statement = document;
            while let Some((before, after)) = statement.clone().split_once('{') {
                statement = format!("{before}\"A \"\"b\"\" c\"{}", after.split_once('}')?.1);
            }
            let session = json!({ "MULTI_STATEMENT_COUNT": "1", "ROWS_PER_RESULTSET": "0" });
            let mut body = json!({});
            for (name, template) in parameters {
                if let Some(value) = stand.filled(template) {
                    body[name] = json!(value);
                }
            }
            body["statement"] = json!(statement);
            body["timeout"] = json!(240);
            body["parameters"] = session;
            vec![first("POST", Some(body.to_string())), below(HANDLE, &[]), below(HANDLE, &[("partition", "2")])]
        }
        Protocol::SalesforceMetadata { kind, full_name } => {
            let call =
                format!("<met:readMetadata><met:type>{kind}</met:type><met:fullNames>{full_name}</met:fullNames></met:readMetadata>");
            vec![first("POST", Some(soap("", &call))), first("POST", Some(soap(SESSION, &call)))]
        }
    })
}

/// Writes, and tricks to make one of a read, in place of `document`.
fn writes(document: &str) -> Vec<String> {
    let mut writes: Vec<String> = [
        "mutation { deleteUser(id: 1) { id } }",
        "mutation($org: String!) { x(o: $org) }",
        "subscription { x }",
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "ALTER USER x SET DISABLED = TRUE",
        "GRANT ROLE ACCOUNTADMIN TO USER x",
        "CALL p()",
        "DROP TABLE t",
        "EXECUTE IMMEDIATE 'DROP TABLE t'",
        "",
    ]
    .map(str::to_owned)
    .into();
    for added in [
        "; DROP TABLE t",
        ";",
        " mutation m { x }",
        "\nmutation m { x }",
        "#\nmutation m { x }",
        " -- x",
        "/* x */",
        " // x",
        " FOR UPDATE",
        " ->> SELECT 1",
        " ",
        "\u{0}",
    ] {
        writes.push(format!("{document}{added}"));
        writes.push(format!("{added}{document}"));
    }
    for (old, new) in [
        ("query", "mutation"),
        ("query", "mutation x"),
        ("{", "{ x: __typename "),
        ("{", "@live {"),
        ("SHOW", "DROP"),
        ("SHOW", "show"),
        ("SELECT", "DELETE"),
        ("SELECT", "SELECT/**/"),
        ("DESC", "ALTER"),
        (" ", "  "),
        (" ", "\u{a0}"),
        ("get", "delete"),
        ("list", "create"),
        ("read", "update"),
    ] {
        if document.contains(old) {
            writes.push(document.replacen(old, new, 1));
        }
    }
    writes.retain(|write| write != document);
    writes
}

/// Every change of one request that must be refused.
fn mutations(dataset: &Dataset, sent: &Sent) -> Vec<(String, Sent)> {
    let mut all: Vec<(String, Sent)> = Vec::new();
    let mut add = |what: &str, changed: Sent| all.push((what.to_owned(), changed));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "post", "HEAD"].into_iter().filter(|method| *method != sent.method) {
        add("another verb", Sent { method: method.into(), ..sent.clone() });
    }
    for path in [
        format!("{}/", sent.path),
        format!("{}/cancel", sent.path),
        format!("{}/../users", sent.path),
        format!("{}/%2e%2e", sent.path),
        format!("/{}", sent.path),
        format!("{};x", sent.path),
        sent.path.to_uppercase(),
        sent.path.replacen('/', "/x/", 1),
        "/".to_owned(),
    ] {
        if path != sent.path {
            add("another path", Sent { path, ..sent.clone() });
        }
    }
    for (name, value) in [
        ("async", "true"),
        ("query", "mutation { x }"),
        ("_method", "DELETE"),
        ("q", "DELETE FROM User"),
        ("partition", "0"),
        ("partition", "-1"),
        ("partition", "01"),
        ("partition", "x"),
    ] {
        let mut query = sent.query.clone();
        query.push((name.to_owned(), value.to_owned()));
        add("a longer query", Sent { query, ..sent.clone() });
        if !sent.query.is_empty() || sent.class == RequestClass::Continuation {
            add("another query", Sent { query: vec![(name.to_owned(), value.to_owned())], ..sent.clone() });
        }
    }
    let others = [RequestClass::Dataset, RequestClass::Continuation, RequestClass::SignInHop];
    for class in others.into_iter().filter(|class| *class != sent.class) {
        add("another class", Sent { class, ..sent.clone() });
    }
    let Some(body) = &sent.body else {
        add("a body", Sent { body: Some("{}".into()), ..sent.clone() });
        if let [(name, value)] = sent.query.as_slice()
            && name == "q"
        {
            for write in writes(value) {
                add(&format!("q is {write:?}"), Sent { query: vec![("q".into(), write)], ..sent.clone() });
            }
        }
        return all;
    };
    let mut bodies: BTreeSet<String> =
        [String::new(), "{}".into(), "null".into(), format!("{body} "), format!(" {body}"), format!("{body}{body}"), format!("[{body}]")]
            .into();
    match (&dataset.protocol, serde_json::from_str::<Value>(body)) {
        (Protocol::SalesforceMetadata { .. }, _) => {
            for verb in [
                "updateMetadata",
                "deleteMetadata",
                "createMetadata",
                "upsertMetadata",
                "renameMetadata",
                "deploy",
                "listMetadata",
                "readMetadataX",
            ] {
                bodies.insert(body.replace("readMetadata", verb));
                bodies.insert(body.replacen("<met:readMetadata>", &format!("<met:{verb}>"), 1));
                let second = format!("</met:readMetadata><met:{verb}><met:type>SecuritySettings</met:type></met:{verb}></soapenv:Body>");
                bodies.insert(body.replace("</met:readMetadata></soapenv:Body>", &second));
            }
            for session in [
                "x</met:sessionId><met:y>",
                "</met:sessionId></met:SessionHeader></soapenv:Header><soapenv:Body><met:deleteMetadata/></soapenv:Body><x>",
                "<!-- x -->",
                "&lt;",
                "<![CDATA[x]]>",
                "a b",
                "a\nb",
                "ü",
            ] {
                let (before, after) = body.split_once("<met:sessionId>").unwrap();
                let after = after.split_once("</met:sessionId>").unwrap().1;
                bodies.insert(format!("{before}<met:sessionId>{session}</met:sessionId>{after}"));
            }
            bodies.insert(body.replace("<met:fullNames>", "<met:fullNames>Other</met:fullNames><met:fullNames>"));
            bodies.insert(body.replace("</met:type>", "X</met:type>"));
            bodies.insert(body.replace("?>", "?><!DOCTYPE x [<!ENTITY e 'x'>]>"));
        }
        (_, Err(_)) => panic!("{}: the body is no JSON", dataset.id),
        (_, Ok(value)) => {
            bodies.insert(serde_json::to_string_pretty(&value).unwrap());
            // Each text in it, each in its place.
            for pointer in texts("", &value) {
                let text = value.pointer(&pointer).unwrap().as_str().unwrap().to_owned();
                let free = is_free(dataset, &pointer);
                for write in writes(&text) {
                    // What the parent row or the cursor fills may be any text: it is a value, not a part of the document.
                    if free && !write.is_empty() {
                        continue;
                    }
                    let mut changed = value.clone();
                    *changed.pointer_mut(&pointer).unwrap() = json!(write);
                    bodies.insert(changed.to_string());
                }
                for other in [Value::Null, json!(1), json!([text.clone()]), json!({ "x": text })] {
                    let mut changed = value.clone();
                    *changed.pointer_mut(&pointer).unwrap() = other;
                    bodies.insert(changed.to_string());
                }
            }
            if let Value::Object(members) = &value {
                for (name, added) in [
                    ("operationName", json!("m")),
                    ("extensions", json!({})),
                    ("mutation", json!("{ x }")),
                    ("bindings", json!({})),
                    ("multi", json!(true)),
                ] {
                    let mut changed = members.clone();
                    changed.insert(name.into(), added);
                    bodies.insert(Value::Object(changed).to_string());
                }
                for name in members.keys() {
                    let mut changed = members.clone();
                    changed.remove(name);
                    bodies.insert(Value::Object(changed).to_string());
                    // A name that stands twice is read by some as the first and by others as the last.
                    let twice = serde_json::to_string(name).unwrap();
                    bodies.insert(body.replacen('{', &format!("{{{twice}:\"mutation {{ x }}\","), 1));
                    bodies.insert(format!("{},{twice}:\"mutation {{ x }}\"}}", body.strip_suffix('}').unwrap()));
                }
                if let Some(Value::Object(variables)) = members.get("variables") {
                    let mut changed = value.clone();
                    let mut more = variables.clone();
                    more.insert("more".into(), json!("x"));
                    changed["variables"] = Value::Object(more);
                    bodies.insert(changed.to_string());
                }
                if members.contains_key("parameters") {
                    for (name, other) in [("MULTI_STATEMENT_COUNT", "0"), ("ROWS_PER_RESULTSET", "1000")] {
                        let mut changed = value.clone();
                        changed["parameters"][name] = json!(other);
                        bodies.insert(changed.to_string());
                    }
                }
            }
        }
    }
    bodies.remove(body);
    for body in bodies {
        add("another body", Sent { body: Some(body), ..sent.clone() });
    }
    add("no body", Sent { body: None, ..sent.clone() });
    all
}

/// The places of texts in JSON.
fn texts(path: &str, value: &Value) -> Vec<String> {
    match value {
        Value::String(_) => vec![path.to_owned()],
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, item)| texts(&format!("{path}/{at}"), item)).collect(),
        Value::Object(members) => members.iter().flat_map(|(name, member)| texts(&format!("{path}/{name}"), member)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![],
    }
}

/// Whether a text of a body may be anything: what a parent row fills, and a cursor.
fn is_free(dataset: &Dataset, pointer: &str) -> bool {
    let Protocol::GraphQl { variables, cursor } = &dataset.protocol else { return false };
    let Some(name) = pointer.strip_prefix("/variables/") else { return false };
    variables.get(name).is_some_and(|template| template.contains("{each.")) || cursor.as_ref().is_some_and(|cursor| cursor.variable == name)
}

#[test]
fn every_body_is_pinned() {
    let (mut cases, mut datasets) = (0, BTreeSet::new());
    let mut languages = BTreeSet::new();
    for stand in stands() {
        for dataset in &stand.app.datasets {
            let Some(all) = meant(&stand, dataset) else { continue };
            datasets.insert(format!("{}/{}", stand.app.slug, dataset.id));
            languages.insert(dataset.protocol.as_str());
            // What is meant by one dataset may be meant by another; under its own name it must be its own.
            for sent in &all {
                stand.permits(dataset, sent).unwrap_or_else(|error| panic!("{}/{}: {error} {sent:#?}", stand.app.slug, dataset.id));
                for (what, changed) in mutations(dataset, sent) {
                    if all.iter().any(|meant| format!("{meant:?}") == format!("{changed:?}")) {
                        continue;
                    }
                    cases += 1;
                    assert!(
                        stand.permits(dataset, &changed).is_err(),
                        "{}/{}: {what} was permitted: {changed:#?}",
                        stand.app.slug,
                        dataset.id
                    );
                }
            }
        }
    }
    assert_eq!(languages, BTreeSet::from(["", "graphql", "salesforce_metadata", "snowflake_sql", "soql"]), "every language was tried");
    assert!(
        datasets.contains("convo/groups") || datasets.iter().any(|name| name.starts_with("convo/")),
        "the catalog's are among them: {datasets:?}"
    );
    println!("{} datasets, {cases} changed requests, each refused", datasets.len());
    assert!(cases > 500, "{cases}");
}

#[test]
fn an_identifier_cannot_leave_its_quotes() {
    let app = every_language();
    let inputs = inputs(&[("organization", "halden")]);
    let hosts = app.logins[0].resolve(&inputs).unwrap();
    let stand = Stand { app, hosts, inputs };
    let dataset = stand.app.dataset("sql-each").unwrap().clone();
    let sent = meant(&stand, &dataset).unwrap().remove(0);
    let with = |statement: &str| {
        let mut body: Value = serde_json::from_str(sent.body.as_deref().unwrap()).unwrap();
        body["statement"] = json!(statement);
        Sent { body: Some(body.to_string()), ..sent.clone() }
    };
    for fine in ["DESC USER \"x\"", "DESC USER \"a;b\"", "DESC USER \"a\"\"b\"", "DESC USER \"\"\"\"", "DESC USER \"ü\""] {
        stand.permits(&dataset, &with(fine)).unwrap_or_else(|error| panic!("{fine}: {error}"));
    }
    for refused in [
        "DESC USER x",
        "DESC USER \"x\"; DROP USER y",
        "DESC USER \"x\" ",
        "DESC USER \"x",
        "DESC USER \"\"",
        "DESC USER \"a\"b\"",
        "DESC USER \"a\"\"",
        "DESC USER \"a\nb\"",
        "DESC USER \"a\u{0}b\"",
        "DESC USER 'x'",
        "DESC USER {each.name}",
        "DROP USER \"x\"",
    ] {
        assert!(stand.permits(&dataset, &with(refused)).is_err(), "{refused}");
    }
    let long = format!("DESC USER \"{}\"", "x".repeat(300));
    assert!(stand.permits(&dataset, &with(&long)).is_err(), "longer than an identifier");
}
