//! Datasets that are asked for in a language of their own, over real HTTPS: what is sent, how pages follow, and what each
//! vendor's own way of saying no comes to.
use crate::entry;
use crate::vendor;

use catalog::{
    Accepted, App, CauseKind, Completeness, Dataset, DatasetKind, FieldPath, GraphQlCursor, Meaning, Method, Protocol, Says, Type, Values,
};
use posture_connect::{Limits, Resume, collect};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use vendor::{
    Body, Kept, Reply, Seen, TOKEN, TestClock, Vendor, app, dataset, keep, me_and, ok, optional, over, says, small, status, try_sign_in,
};

const QUERY: &str = "query($org: String!, $after: String) { organization(login: $org) { members(first: 2, after: $after) { pageInfo { hasNextPage endCursor } edges { role node { id name } } } } }";

fn members() -> Dataset {
    let mut members = dataset("members", DatasetKind::List, "/graphql");
    members.protocol = Protocol::GraphQl {
        variables: BTreeMap::from([("org".to_owned(), "{organization}".to_owned())]),
        cursor: Some(GraphQlCursor { variable: "after".into(), page_info: FieldPath::from("data.organization.members.pageInfo") }),
    };
    members.method = Method::Post;
    members.document = Some(QUERY.into());
    members.rows = "data.organization.members.edges[]".into();
    members.keep = BTreeMap::from([
        (FieldPath::from("role"), optional(Type::String, json!("NONE"))),
        (FieldPath::from("node.id"), keep(Type::Id)),
        (FieldPath::from("node.name"), optional(Type::String, json!("nobody"))),
    ]);
    members.key = vec![FieldPath::from("node.id")];
    members.label = Some(FieldPath::from("node.name"));
    members
}

fn organization() -> Dataset {
    let mut organization = dataset("sso", DatasetKind::Object, "/graphql");
    organization.protocol =
        Protocol::GraphQl { variables: BTreeMap::from([("org".to_owned(), "{organization}".to_owned())]), cursor: None };
    organization.method = Method::Post;
    organization.document = Some("query($org: String!) { organization(login: $org) { idp { url } policy } }".into());
    organization.rows = "data.organization".into();
    organization.keep =
        BTreeMap::from([(FieldPath::from("idp.url"), optional(Type::String, json!(""))), (FieldPath::from("policy"), keep(Type::String))]);
    organization.label = None;
    organization
}

const SOQL: &str = "SELECT Id, Name FROM User WHERE Name != 'a&b=c+d'";
const LOCATOR: &str = "01g5e00001abcdEAAQ-2";

fn users() -> Dataset {
    let mut users = dataset("users", DatasetKind::List, "/services/data/v60.0/query");
    users.protocol = Protocol::Soql;
    users.document = Some(SOQL.into());
    users.rows = "records[]".into();
    users.keep = BTreeMap::from([(FieldPath::from("Id"), keep(Type::Id)), (FieldPath::from("Name"), keep(Type::String))]);
    users.key = vec![FieldPath::from("Id")];
    users.label = Some(FieldPath::from("Name"));
    users
}

const HANDLE: &str = "01b2c3d4-0000-1234-0000-00012345678a";

fn statement(id: &str, text: &str) -> Dataset {
    let mut parameters = dataset(id, DatasetKind::List, "/api/v2/statements");
    parameters.protocol = Protocol::SnowflakeSql {
        parameters: BTreeMap::from([("role".to_owned(), "{organization}".to_owned()), ("warehouse".to_owned(), "{teams}".to_owned())]),
    };
    parameters.method = Method::Post;
    parameters.document = Some(text.into());
    parameters.rows = "[]".into();
    parameters.values = Values::Text;
    parameters.keep = BTreeMap::from([
        (FieldPath::from("key"), keep(Type::Id)),
        (FieldPath::from("on"), keep(Type::Bool)),
        (FieldPath::from("seen"), keep(Type::Timestamp(catalog::TimestampFormat::EpochSeconds))),
    ]);
    parameters.key = vec![FieldPath::from("key")];
    parameters.label = Some(FieldPath::from("key"));
    parameters
}

fn security() -> Dataset {
    let mut security = dataset("security", DatasetKind::Object, "/services/Soap/m/60.0");
    security.protocol = Protocol::SalesforceMetadata { kind: "SecuritySettings".into(), full_name: "Security".into() };
    security.method = Method::Post;
    security.rows = String::new();
    security.values = Values::Text;
    let range = |name: &str| (name.to_owned(), keep(Type::String));
    security.keep = BTreeMap::from([
        (FieldPath::from("sessionSettings.forceRelogin"), keep(Type::Bool)),
        (FieldPath::from("passwordPolicies.minimumPasswordLength"), keep(Type::Int)),
        (
            FieldPath::from("networkAccess.ipRanges"),
            keep(Type::List(Box::new(Type::Object(BTreeMap::from([range("start"), range("description")]))))),
        ),
    ]);
    security.label = None;
    security
}

/// Everything that one collection of a dataset came to.
struct Came {
    kept: Kept,
    seen: Vec<Seen>,
    slept: Duration,
}

impl Came {
    fn completeness(&self, dataset: &str) -> &Completeness {
        &self.kept.finished[dataset]
    }
    fn cause(&self, dataset: &str) -> CauseKind {
        self.completeness(dataset).cause().unwrap_or_else(|| panic!("{dataset} is complete")).kind
    }
    fn partial(&self, dataset: &str) -> &str {
        match self.completeness(dataset) {
            Completeness::Partial(cause) => &cause.sentence,
            other @ (Completeness::Complete | Completeness::Unavailable(_)) => panic!("{other:?}"),
        }
    }
    fn unavailable(&self, dataset: &str) -> &str {
        match self.completeness(dataset) {
            Completeness::Unavailable(cause) => &cause.sentence,
            other @ (Completeness::Complete | Completeness::Partial(_)) => panic!("{other:?}"),
        }
    }
}

async fn read(app: &App, wanted: &[&str], answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Came {
    read_within(app, wanted, Limits { patience: Duration::from_secs(60), ..small() }, answer).await
}

async fn read_within(app: &App, wanted: &[&str], limits: Limits, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Came {
    let vendor = Vendor::start(me_and(answer)).await;
    let clock = TestClock::new();
    let session = try_sign_in(app, &vendor.route(), limits, clock.clone(), &[("organization", "halden")]).await.unwrap();
    let kept = entry::read(&session, app, wanted).await;
    let seen = vendor.seen().into_iter().filter(|seen| seen.path != "/v1/me").collect();
    Came { kept, seen, slept: clock.slept().into_iter().sum() }
}

fn edges(page: usize, more: Value) -> Value {
    let edge = |id: usize| json!({ "role": "MEMBER", "node": { "id": id, "name": format!("user {id}") }, "secret": "x" });
    json!({ "data": { "organization": { "members": {
        "pageInfo": { "hasNextPage": more, "endCursor": format!("c{page}") },
        "edges": [edge(2 * page), edge(2 * page + 1)],
    } } } })
}

#[tokio::test]
async fn graphql_is_read_to_its_last_page() {
    let app = app(vec![members()]);
    let came = read(&app, &["members"], |seen| {
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        match body["variables"]["after"].as_str() {
            None => ok(edges(0, json!(true))),
            Some("c0") => ok(edges(1, json!(true))),
            Some("c1") => ok(edges(2, json!(false))),
            Some(other) => panic!("{other}"),
        }
    })
    .await;
    assert_eq!(came.completeness("members"), &Completeness::Complete);
    assert_eq!(came.kept.keys("members"), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(came.seen.len(), 3);
    for (seen, variables) in
        came.seen.iter().zip([json!({"org": "halden"}), json!({"org": "halden", "after": "c0"}), json!({"org": "halden", "after": "c1"})])
    {
        assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.query.as_str()), ("POST", "/graphql", ""));
        assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), json!({ "query": QUERY, "variables": variables }));
        assert_eq!(seen.header("content-type"), "application/json");
        assert_eq!(seen.authorization.as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
    }
    let rows = came.kept.rows("members");
    assert_eq!(rows[0].fields, json!({ "role": "MEMBER", "node": { "id": "0", "name": "user 0" } }), "what is not kept is dropped");
}

#[tokio::test]
async fn graphql_pages_that_do_not_end_well_are_partial() {
    let without = |member: &'static str| {
        move |_: &Seen| {
            let mut page = edges(0, json!(true));
            page["data"]["organization"]["members"]["pageInfo"].as_object_mut().unwrap().remove(member);
            ok(page)
        }
    };
    let app = app(vec![members()]);
    for came in [
        read(&app, &["members"], without("hasNextPage")).await,
        read(&app, &["members"], without("endCursor")).await,
        read(&app, &["members"], |_| ok(edges(0, json!("true")))).await,
        read(&app, &["members"], |_| {
            let mut page = edges(0, json!(true));
            page["data"]["organization"]["members"]["pageInfo"] = Value::Null;
            ok(page)
        })
        .await,
    ] {
        assert!(came.partial("members").contains("another one"), "{}", came.partial("members"));
        assert_eq!((came.seen.len(), came.kept.rows("members").len()), (1, 2));
    }
    // The same page again and again.
    let came = read(&app, &["members"], |_| ok(edges(0, json!(true)))).await;
    assert!(!came.completeness("members").is_complete());
    assert!(came.seen.len() <= 3, "{} requests", came.seen.len());
}

fn graphql_says(kind: &str, means: Meaning) -> Says {
    Says { body: Some((FieldPath::from("errors[].type"), kind.to_owned())), ..says(200, means) }
}

#[tokio::test]
async fn graphql_errors_are_no_data() {
    let mut app = app(vec![members(), organization()]);
    app.says = vec![graphql_says("FORBIDDEN", Meaning::ScopeMissing), graphql_says("UNAUTHORIZED", Meaning::CredentialRefused)];
    let path = json!(["organization"]);
    for (body, kind) in [
        (json!({ "data": null, "errors": [{ "type": "FORBIDDEN", "path": path, "message": "no" }] }), CauseKind::ScopeMissing),
        (json!({ "data": { "organization": null }, "errors": [{ "type": "FORBIDDEN", "path": path }] }), CauseKind::ScopeMissing),
        (json!({ "data": { "organization": null }, "errors": [{ "type": "NOT_FOUND", "path": path }] }), CauseKind::VendorError),
        (json!({ "errors": [{ "type": "UNAUTHORIZED" }] }), CauseKind::CredentialRefused),
        (json!({ "errors": [{ "message": "Something went wrong" }] }), CauseKind::VendorError),
        (json!({ "errors": { "type": "FORBIDDEN" }, "data": { "organization": { "policy": "ON" } } }), CauseKind::NotUnderstood),
        (
            json!({ "errors": [{ "extensions": { "code": "INTERNAL" } }], "data": { "organization": { "policy": "ON" } } }),
            CauseKind::VendorError,
        ),
        (json!({ "data": null }), CauseKind::NotUnderstood),
        (json!({ "data": {} }), CauseKind::NotUnderstood),
    ] {
        let answered = body.clone();
        let came = read(&app, &["members", "sso"], move |_| ok(answered.clone())).await;
        for dataset in ["members", "sso"] {
            assert_eq!(came.cause(dataset), kind, "{body}");
            came.unavailable(dataset);
            assert!(came.kept.rows(dataset).is_empty(), "{body}");
        }
    }
    let came = read(&app, &["sso"], |_| ok(json!({ "errors": [{ "type": "evil <script> text" }, { "type": "NOT_FOUND" }] }))).await;
    assert!(
        came.unavailable("sso").contains("(NOT_FOUND)"),
        "a code is told, other text of the vendor's is not: {}",
        came.unavailable("sso")
    );
}

#[tokio::test]
async fn what_stands_for_a_row_stands_alone() {
    let mut app = app(vec![organization()]);
    let row = Meaning::Row(BTreeMap::from([("policy".to_owned(), json!("OFF"))]));
    app.says = vec![graphql_says("NOT_FOUND", row), graphql_says("FORBIDDEN", Meaning::ScopeMissing)];
    let answer = |errors: Value| ok(json!({ "data": { "organization": null }, "errors": errors }));
    let came = read(&app, &["sso"], move |_| answer(json!([{ "type": "NOT_FOUND" }, { "type": "NOT_FOUND" }]))).await;
    assert_eq!((came.completeness("sso"), &came.kept.rows("sso")[0].fields), (&Completeness::Complete, &json!({ "policy": "OFF" })));
    for (errors, kind) in [
        (json!([{ "type": "NOT_FOUND" }, { "type": "FORBIDDEN" }]), CauseKind::ScopeMissing),
        (json!([{ "type": "NOT_FOUND" }, { "type": "INTERNAL" }]), CauseKind::VendorError),
        (json!([{ "type": "NOT_FOUND" }, { "message": "no type" }]), CauseKind::VendorError),
        (json!([{ "type": "NOT_FOUND" }, "text"]), CauseKind::VendorError),
    ] {
        let answered = errors.clone();
        let came = read(&app, &["sso"], move |_| answer(answered.clone())).await;
        assert_eq!(came.cause("sso"), kind, "{errors}");
        assert!(came.kept.rows("sso").is_empty(), "{errors}");
    }
    // What is said elsewhere in the answer does not stand alone beside an error.
    app.says[0].body = Some((FieldPath::from("data.reason"), "none".into()));
    let came = read(&app, &["sso"], |_| ok(json!({ "data": { "reason": "none" }, "errors": [{ "type": "INTERNAL" }] }))).await;
    assert_eq!(came.cause("sso"), CauseKind::VendorError);
}

#[tokio::test]
async fn graphql_data_with_errors_is_partial_and_a_refused_null_is_missing() {
    let mut app = app(vec![members(), organization()]);
    app.says = vec![graphql_says("FORBIDDEN", Meaning::ScopeMissing)];
    // Without an error null is what the manifest says of absence.
    let came = read(&app, &["sso"], |_| ok(json!({ "data": { "organization": { "idp": null, "policy": "ON" } } }))).await;
    assert_eq!(came.completeness("sso"), &Completeness::Complete);
    assert_eq!(came.kept.rows("sso")[0].fields, json!({ "idp": { "url": "" }, "policy": "ON" }));
    for path in [json!(["organization", "idp"]), json!(["organization", "idp", "url"])] {
        let errors = json!([{ "type": "FORBIDDEN", "path": path }]);
        let came =
            read(&app, &["sso"], move |_| ok(json!({ "data": { "organization": { "idp": null, "policy": "ON" } }, "errors": errors })))
                .await;
        came.partial("sso");
        assert_eq!(came.cause("sso"), CauseKind::ScopeMissing, "the vendor's own reason is told");
        let row = came.kept.rows("sso")[0];
        assert_eq!(row.fields, json!({ "policy": "ON" }), "what was refused is not there: {path}");
        assert!(row.faults.iter().any(|(field, why)| field == "idp.url" && why == "missing"), "{:?}", row.faults);
    }
    // Of a list, the one row; and its other pages are still read.
    let came = read(&app, &["members"], |seen| {
        if seen.body.contains("\"after\"") {
            return ok(edges(1, json!(false)));
        }
        let mut page = edges(0, json!(true));
        page["data"]["organization"]["members"]["edges"][1]["node"]["name"] = Value::Null;
        page["errors"] = json!([{ "type": "SOMETHING", "path": ["organization", "members", "edges", 1, "node", "name"] }]);
        ok(page)
    })
    .await;
    assert!(came.partial("members").contains("(SOMETHING)"));
    assert_eq!(came.kept.keys("members"), ["0", "1", "2", "3"]);
    let rows = came.kept.rows("members");
    assert_eq!(rows[0].fields["node"]["name"], "user 0", "the other row keeps its name");
    assert_eq!(rows[1].fields["node"].get("name"), None, "absence stands for nobody only where nothing was refused");
}

#[tokio::test]
async fn graphql_throttled_with_status_200_is_waited_for() {
    let mut app = app(vec![organization()]);
    app.says = vec![graphql_says("RATE_LIMITED", Meaning::Throttled)];
    let asked = AtomicUsize::new(0);
    let came = read(&app, &["sso"], move |_| {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 {
            ok(json!({ "errors": [{ "type": "RATE_LIMITED" }] })).header("retry-after", "7")
        } else {
            ok(json!({ "data": { "organization": { "idp": { "url": "https://idp.example" }, "policy": "ON" } } }))
        }
    })
    .await;
    assert_eq!(came.completeness("sso"), &Completeness::Complete);
    assert_eq!(came.seen.len(), 2);
    assert!(came.slept >= Duration::from_secs(7), "{:?}", came.slept);
}

fn records(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "attributes": { "type": "User" }, "Id": id, "Name": format!("user {id}") })).collect()
}

#[tokio::test]
async fn soql_is_read_until_it_is_done() {
    let app = app(vec![users()]);
    let came = read(&app, &["users"], |seen| {
        if seen.path == "/services/data/v60.0/query" {
            assert_eq!(seen.parameter("q").as_deref(), Some(SOQL));
            let next = format!("/services/data/v60.0/query/{LOCATOR}");
            return ok(json!({ "totalSize": 3, "done": false, "nextRecordsUrl": next, "records": records(&["1", "2"]) }));
        }
        assert_eq!((seen.path.as_str(), seen.query.as_str()), (format!("/services/data/v60.0/query/{LOCATOR}").as_str(), ""));
        ok(json!({ "totalSize": 3, "done": true, "records": records(&["3"]) }))
    })
    .await;
    assert_eq!(came.completeness("users"), &Completeness::Complete);
    assert_eq!(came.kept.keys("users"), ["1", "2", "3"]);
    assert!(came.seen.iter().all(|seen| seen.method == "GET" && seen.body.is_empty()));
    assert!(came.kept.requests.iter().all(|entry| !entry.path_template.contains(LOCATOR)), "the log holds templates");
}

#[tokio::test]
async fn soql_that_does_not_say_its_end_is_partial() {
    let app = app(vec![users()]);
    let page = |done: Value, next: Value| {
        move |_: &Seen| {
            let mut body = json!({ "totalSize": 1, "records": records(&["1"]), "done": done, "nextRecordsUrl": next });
            body.as_object_mut().unwrap().retain(|_, value| *value != json!("left out"));
            ok(body)
        }
    };
    let left_out = || json!("left out");
    for (done, next) in [
        (left_out(), left_out()),
        (json!("true"), left_out()),
        (json!(false), left_out()),
        (json!(false), json!(null)),
        (json!(true), json!(format!("/services/data/v60.0/query/{LOCATOR}"))),
        (json!(false), json!(format!("/services/data/v60.0/tooling/query/{LOCATOR}"))),
        (json!(false), json!(format!("/services/data/v60.0/query/{LOCATOR}/../../sobjects"))),
        (json!(false), json!(format!("https://evil.example/services/data/v60.0/query/{LOCATOR}"))),
        (json!(false), json!("/services/data/v60.0/query/..")),
        (json!(false), json!("/services/data/v60.0/query/01g5e00001abcdEAAQ-2?x=1")),
    ] {
        let came = read(&app, &["users"], page(done.clone(), next.clone())).await;
        came.partial("users");
        assert_eq!((came.seen.len(), came.kept.keys("users")), (1, vec!["1".to_owned()]), "{done} {next}");
    }
}

#[tokio::test]
async fn soql_that_counts_other_records_than_came_is_partial() {
    let app = app(vec![users()]);
    for first in [json!(2), json!(0), json!("1"), Value::Null] {
        let answered = first.clone();
        let came = read(&app, &["users"], move |_| ok(json!({ "totalSize": answered, "done": true, "records": records(&["1"]) }))).await;
        came.partial("users");
        assert_eq!(came.kept.keys("users"), ["1"], "{first}");
    }
    for (first, second) in [(3, 4), (4, 4), (2, 2)] {
        let came = read(&app, &["users"], move |seen| {
            if seen.path == "/services/data/v60.0/query" {
                let next = format!("/services/data/v60.0/query/{LOCATOR}");
                return ok(json!({ "totalSize": first, "done": false, "nextRecordsUrl": next, "records": records(&["1", "2"]) }));
            }
            ok(json!({ "totalSize": second, "done": true, "records": records(&["3"]) }))
        })
        .await;
        came.partial("users");
    }
}

#[tokio::test]
async fn salesforce_refuses_in_its_own_words() {
    let mut app = app(vec![users()]);
    let error = |code: &str| json!([{ "message": "Something about halden@example.com", "errorCode": code }]);
    for (code, answered, kind) in [
        (401, "INVALID_SESSION_ID", CauseKind::CredentialRefused),
        (401, "UNKNOWN_TO_US", CauseKind::CredentialRefused),
        (403, "INSUFFICIENT_ACCESS", CauseKind::ScopeMissing),
        (400, "INVALID_FIELD", CauseKind::VendorError),
        (400, "MALFORMED_QUERY", CauseKind::VendorError),
        (403, "REQUEST_LIMIT_EXCEEDED", CauseKind::VendorError),
        (500, "UNKNOWN_EXCEPTION", CauseKind::VendorError),
    ] {
        let came = read(&app, &["users"], move |_| status(code, error(answered))).await;
        assert_eq!(came.cause("users"), kind, "{answered}");
        assert!(!came.unavailable("users").contains("halden@"), "what the vendor writes is not shown: {}", came.unavailable("users"));
    }
    // The application's own words go before: the list of errors is looked into.
    let limit = Says {
        body: Some((FieldPath::from("[].errorCode"), "REQUEST_LIMIT_EXCEEDED".into())),
        sentence: "The organization has used up its requests of the day.".into(),
        ..says(403, Meaning::PlanLacks)
    };
    app.says = vec![limit];
    let came = read(&app, &["users"], move |_| status(403, error("REQUEST_LIMIT_EXCEEDED"))).await;
    assert!(came.unavailable("users").contains("used up its requests"));
}

fn result(rows: &[[Option<&str>; 3]], of: u64, partitions: usize) -> Value {
    let columns: Vec<Value> = ["KEY", "ON", "SEEN"].iter().map(|name| json!({ "name": name, "type": "text" })).collect();
    json!({
        "resultSetMetaData": { "numRows": of, "format": "jsonv2", "rowType": columns, "partitionInfo": vec![json!({ "rowCount": 1 }); partitions] },
        "data": rows, "code": "090001", "statementHandle": HANDLE, "sqlState": "00000",
    })
}

#[tokio::test]
async fn snowflake_results_are_read_in_partitions() {
    let app = app(vec![statement("parameters", "SHOW PARAMETERS IN ACCOUNT")]);
    let came = read(&app, &["parameters"], |seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/api/v2/statements") => {
            ok(result(&[[Some("a"), Some("true"), Some("1700000000.123000000")], [Some("b"), Some("FALSE"), None]], 5, 3))
        }
        ("GET", path) if path == format!("/api/v2/statements/{HANDLE}") => match seen.parameter("partition").as_deref() {
            Some("1") => ok(json!({ "data": [["c", "true", "1700000001"], ["d", "maybe", "0.5"]] })),
            Some("2") => ok(json!({ "data": [["e", null, "1700000002.000000000"]] })),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    })
    .await;
    assert_eq!(came.completeness("parameters"), &Completeness::Complete);
    assert_eq!(came.kept.keys("parameters"), ["a", "b", "c", "d", "e"]);
    let rows = came.kept.rows("parameters");
    assert_eq!(rows[0].fields, json!({ "key": "a", "on": true, "seen": "2023-11-14T22:13:20Z" }), "columns by their names in lower case");
    assert_eq!(rows[1].fields, json!({ "key": "b", "on": false }), "null is missing");
    assert_eq!(rows[3].fields.get("on"), None, "a text that is neither true nor false is no bool");
    let body: Value = serde_json::from_str(&came.seen[0].body).unwrap();
    assert_eq!(body["statement"], "SHOW PARAMETERS IN ACCOUNT");
    assert_eq!(body["role"], "halden");
    assert_eq!(body.get("warehouse"), None, "what is not filled is left out");
    let whole = json!({ "MULTI_STATEMENT_COUNT": "1", "ROWS_PER_RESULTSET": "0" });
    assert_eq!(body["parameters"], whole, "one statement and all of its rows, whatever the account's defaults");
    assert!(body["timeout"].as_u64().is_some_and(|seconds| seconds > 0));
    assert!(came.kept.requests.iter().all(|entry| !entry.path_template.contains(HANDLE)));
}

#[tokio::test]
async fn a_date_of_snowflakes_is_no_point_in_time_counted_in_seconds() {
    let day = |kind: &str, wanted: Type, value: &str| {
        let mut dates = statement("dates", "SELECT KEY, ON, SEEN FROM t");
        dates.keep.insert(FieldPath::from("seen"), keep(wanted));
        let mut body = result(&[[Some("a"), Some("true"), Some(value)]], 1, 1);
        body["resultSetMetaData"]["rowType"][2]["type"] = json!(kind);
        (app(vec![dates]), body)
    };
    let epoch = || Type::Timestamp(catalog::TimestampFormat::EpochSeconds);
    let date = || Type::Timestamp(catalog::TimestampFormat::Date);
    for (kind, wanted, value, kept) in [
        ("date", date(), "18262", json!("2020-01-01T00:00:00Z")),
        ("DATE", date(), "-1", json!("1969-12-31T00:00:00Z")),
        ("date", epoch(), "18262", Value::Null),
        ("date", Type::String, "18262", json!("2020-01-01")),
        ("time", epoch(), "82919.000000000", Value::Null),
        ("time", Type::String, "82919.000000000", json!("23:01:59")),
        ("timestamp_ltz", epoch(), "1577836800.000000000", json!("2020-01-01T00:00:00Z")),
        ("timestamp_tz", epoch(), "1577836800.000000000 960", Value::Null),
    ] {
        let (app, body) = day(kind, wanted, value);
        let came = read(&app, &["dates"], move |_| ok(body.clone())).await;
        assert_eq!(came.kept.rows("dates")[0].fields.get("seen").cloned().unwrap_or_default(), kept, "{kind} {value}");
    }
    for value in ["soon", "999999999999", ""] {
        let (app, body) = day("date", date(), value);
        let came = read(&app, &["dates"], move |_| ok(body.clone())).await;
        assert_eq!(came.cause("dates"), CauseKind::NotUnderstood, "{value}");
        came.unavailable("dates");
    }
}

#[tokio::test]
async fn ten_thousand_rows_of_show_may_be_cut() {
    for (document, whole) in [("SHOW USERS", false), ("SELECT KEY, ON, SEEN FROM t", true)] {
        let app = app(vec![statement("all", document)]);
        let names: Vec<String> = (0..10_000).map(|row| row.to_string()).collect();
        let rows: Vec<[Option<&str>; 3]> = names.iter().map(|name| [Some(name.as_str()), Some("true"), None]).collect();
        let body = result(&rows, 10_000, 1);
        let came = read(&app, &["all"], move |_| ok(body.clone())).await;
        assert_eq!((came.kept.rows("all").len(), came.completeness("all").is_complete()), (10_000, whole), "{document}");
    }
}

#[tokio::test]
async fn snowflake_results_that_do_not_add_up_are_not_whole() {
    let app = app(vec![statement("parameters", "SHOW PARAMETERS IN ACCOUNT")]);
    let row = [Some("a"), Some("true"), None];
    let changed = |change: fn(&mut Value)| {
        let mut body = result(&[row], 1, 1);
        change(&mut body);
        body
    };
    let partial =
        [changed(|body| body["resultSetMetaData"]["numRows"] = json!(2)), changed(|body| body["resultSetMetaData"]["numRows"] = json!(0))];
    for body in partial {
        let answered = body.clone();
        let came = read(&app, &["parameters"], move |_| ok(answered.clone())).await;
        assert!(came.partial("parameters").contains("than the answer counts"), "{body}");
    }
    for body in [
        changed(|body| drop(body["resultSetMetaData"].as_object_mut().unwrap().remove("numRows"))),
        changed(|body| drop(body["resultSetMetaData"].as_object_mut().unwrap().remove("rowType"))),
        changed(|body| drop(body.as_object_mut().unwrap().remove("data"))),
        // "The result set is too large": such an answer holds no data.
        changed(|body| {
            body["code"] = json!("391908");
            drop(body.as_object_mut().unwrap().remove("data"));
        }),
        changed(|body| body["data"][0] = json!(["a", "true"])),
        changed(|body| body["data"][0] = json!({ "KEY": "a" })),
        changed(|body| body["resultSetMetaData"]["rowType"][1]["name"] = json!("Key")),
        changed(|body| {
            body["resultSetMetaData"]["partitionInfo"] = json!([{}, {}]);
            body["statementHandle"] = json!("../../users");
        }),
    ] {
        let answered = body.clone();
        let came = read(&app, &["parameters"], move |_| ok(answered.clone())).await;
        assert_eq!(came.cause("parameters"), CauseKind::NotUnderstood, "{body}");
        came.unavailable("parameters");
        assert_eq!(came.seen.len(), 1, "nothing is followed: {body}");
    }
    // A later partition that is refused leaves what was read.
    let came =
        read(&app, &["parameters"], move |seen| if seen.method == "POST" { ok(result(&[row], 2, 2)) } else { status(404, json!({})) })
            .await;
    came.partial("parameters");
    assert_eq!(came.kept.keys("parameters"), ["a"]);
}

#[tokio::test]
async fn a_statement_that_takes_its_time_is_asked_after() {
    let app = app(vec![statement("parameters", "SHOW PARAMETERS IN ACCOUNT")]);
    let taken = || status(202, json!({ "code": "333334", "statementHandle": HANDLE, "statementStatusUrl": "/elsewhere" }));
    let polls = AtomicUsize::new(0);
    let came = read(&app, &["parameters"], move |seen| {
        if seen.method == "POST" || polls.fetch_add(1, Ordering::Relaxed) < 3 {
            return taken();
        }
        ok(result(&[[Some("a"), Some("true"), None]], 1, 1))
    })
    .await;
    assert_eq!(came.completeness("parameters"), &Completeness::Complete);
    assert_eq!(came.seen.len(), 5, "one statement, four questions");
    for seen in &came.seen[1..] {
        assert_eq!(
            (seen.method.as_str(), seen.path.as_str(), seen.query.as_str()),
            ("GET", format!("/api/v2/statements/{HANDLE}").as_str(), "")
        );
    }
    assert!(came.slept >= Duration::from_millis(500 + 1000 + 2000 + 4000), "longer each time: {:?}", came.slept);
    // One that is never done ends in words.
    let came = read(&app, &["parameters"], move |_| taken()).await;
    assert!(came.unavailable("parameters").contains("still working"), "{}", came.unavailable("parameters"));
    assert!(came.slept <= Duration::from_secs(61) && came.seen.len() < 20, "{:?}, {} requests", came.slept, came.seen.len());
    // A handle that is none is not asked for.
    let came = read(&app, &["parameters"], |_| status(202, json!({ "statementHandle": "../../users" }))).await;
    came.unavailable("parameters");
    assert_eq!(came.seen.len(), 1);
}

#[tokio::test]
async fn a_scan_that_waits_for_a_statement_can_be_cancelled() {
    let app = app(vec![statement("parameters", "SHOW PARAMETERS IN ACCOUNT")]);
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let vendor = Vendor::start(me_and(move |seen| {
        if seen.method == "GET" {
            stop.cancel();
        }
        status(202, json!({ "statementHandle": HANDLE }))
    }))
    .await;
    let session = try_sign_in(&app, &vendor.route(), small(), TestClock::new(), &[("organization", "halden")]).await.unwrap();
    let ended = collect(&session, &app, &["parameters"], Resume::default(), &mut Kept::default(), cancel).await;
    assert_eq!(ended.unwrap_err().code(), "E-CANCELLED");
    assert!(vendor.seen().iter().all(|seen| !seen.path.ends_with("/cancel")), "even then nothing but reading is asked");
}

#[tokio::test]
async fn snowflake_refuses_in_its_own_words() {
    let mut app = app(vec![statement("parameters", "SHOW PARAMETERS IN ACCOUNT")]);
    let failure = |code: &str| json!({ "code": code, "message": "SQL compilation error about HALDEN", "sqlState": "02000", "statementHandle": HANDLE });
    for (code, answered, kind) in [
        (401, "390303", CauseKind::CredentialRefused),
        (403, "390318", CauseKind::ScopeMissing),
        (422, "002003", CauseKind::VendorError),
        (400, "391903", CauseKind::VendorError),
        (408, "000630", CauseKind::VendorError),
    ] {
        let came = read(&app, &["parameters"], move |_| status(code, failure(answered))).await;
        assert_eq!(came.cause("parameters"), kind, "{answered}");
        assert!(!came.unavailable("parameters").contains("HALDEN"));
        assert_eq!(came.unavailable("parameters").contains(answered), kind == CauseKind::VendorError, "{}", came.unavailable("parameters"));
    }
    app.says = vec![Says { body: Some((FieldPath::from("code"), "002003".into())), ..says(422, Meaning::ScopeMissing) }];
    let came = read(&app, &["parameters"], move |_| status(422, failure("002003"))).await;
    assert_eq!(came.cause("parameters"), CauseKind::ScopeMissing);
}

#[tokio::test]
async fn an_identifier_of_a_parent_row_stays_one() {
    let mut policies = dataset("policies", DatasetKind::List, "/v1/policies");
    policies.key = vec![FieldPath::from("id")];
    let mut policy = statement("policy", "DESC NETWORK POLICY {each.name} ");
    policy.each = over("policies");
    let app = app(vec![policies, policy]);
    let names = ["CORP", "A\"; DROP USER x; --", "a@b.com", "ü 'x'"];
    let came = read(&app, &["policy"], move |seen| {
        if seen.path == "/v1/policies" {
            let all: Vec<Value> =
                names.iter().chain(&["with\u{7}control"]).enumerate().map(|(id, name)| json!({ "id": id, "name": name })).collect();
            return ok(json!({ "data": all }));
        }
        ok(result(&[[Some("a"), Some("true"), None]], 1, 1))
    })
    .await;
    let mut asked: Vec<String> = came
        .seen
        .iter()
        .filter(|seen| seen.method == "POST")
        .map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap()["statement"].as_str().unwrap().to_owned())
        .collect();
    asked.sort();
    assert_eq!(
        asked,
        [
            "DESC NETWORK POLICY \"A\"\"; DROP USER x; --\" ",
            "DESC NETWORK POLICY \"CORP\" ",
            "DESC NETWORK POLICY \"a@b.com\" ",
            "DESC NETWORK POLICY \"ü 'x'\" ",
        ]
    );
    // A name that no identifier can have is not asked for, and says so.
    came.partial("policy");
}

fn envelope(body: &str) -> Reply {
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"#
    );
    ok(Value::Null).kind("text/xml;charset=UTF-8").body(Body::Whole(text.into_bytes()))
}

fn record(inner: &str) -> Reply {
    envelope(&format!(
        r#"<readMetadataResponse><result><records xsi:type="SecuritySettings"><fullName>Security</fullName>{inner}</records></result></readMetadataResponse>"#
    ))
}

fn fault(code: &str) -> Reply {
    let reply = envelope(&format!(
        "<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: about {TOKEN}</faultstring></soapenv:Fault>"
    ));
    Reply { status: 500, ..reply }
}

const SETTINGS: &str = "<sessionSettings><forceRelogin>true</forceRelogin></sessionSettings><passwordPolicies><minimumPasswordLength>12</minimumPasswordLength></passwordPolicies>";

#[tokio::test]
async fn metadata_is_read_by_soap() {
    let app = app(vec![security()]);
    let range =
        "<networkAccess><ipRanges><start>10.0.0.0</start><description>A &amp; B &lt;x&gt; &#38;</description></ipRanges></networkAccess>";
    let came = read(&app, &["security"], move |_| record(&format!("{SETTINGS}{range}"))).await;
    assert_eq!(came.completeness("security"), &Completeness::Complete);
    assert_eq!(
        came.kept.rows("security")[0].fields,
        json!({
            "sessionSettings": { "forceRelogin": true },
            "passwordPolicies": { "minimumPasswordLength": 12 },
            "networkAccess": { "ipRanges": [{ "start": "10.0.0.0", "description": "A & B <x> &" }] },
        }),
        "a list of one is a list"
    );
    let [seen] = came.seen.as_slice() else { panic!("{} requests", came.seen.len()) };
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/services/Soap/m/60.0"));
    assert_eq!(seen.authorization, None, "the session stands in the body");
    assert_eq!((seen.header("soapaction"), seen.header("content-type")), ("\"\"", "text/xml; charset=utf-8"));
    assert_eq!(seen.body.matches(TOKEN).count(), 1);
    assert!(seen.body.contains(&format!("<met:SessionHeader><met:sessionId>{TOKEN}</met:sessionId></met:SessionHeader>")));
    assert!(seen.body.contains("<soapenv:Body><met:readMetadata><met:type>SecuritySettings</met:type><met:fullNames>Security</met:fullNames></met:readMetadata></soapenv:Body>"));
    let logged = format!("{:?}", came.kept.requests);
    assert!(!logged.contains(TOKEN) && !logged.contains("readMetadata"));
    // Several elements of a name are a list in their order; what is not there is missing, not empty.
    let ranges = "<networkAccess><ipRanges><start>1</start></ipRanges><ipRanges><start>2</start></ipRanges></networkAccess>";
    let came = read(&app, &["security"], move |_| record(&format!("{SETTINGS}{ranges}"))).await;
    let row = came.kept.rows("security")[0];
    assert_eq!(row.fields["networkAccess"]["ipRanges"], json!([{ "start": "1" }, { "start": "2" }]));
    let came = read(&app, &["security"], move |_| record(SETTINGS)).await;
    assert_eq!(came.kept.rows("security")[0].fields.get("networkAccess"), None);
}

#[tokio::test]
async fn soap_faults_and_other_documents_are_no_settings() {
    let app = app(vec![security()]);
    for (code, kind) in [
        ("INVALID_SESSION_ID", CauseKind::CredentialRefused),
        ("INSUFFICIENT_ACCESS", CauseKind::ScopeMissing),
        ("INVALID_TYPE", CauseKind::VendorError),
    ] {
        for with_200 in [false, true] {
            let came = read(&app, &["security"], move |_| Reply { status: if with_200 { 200 } else { 500 }, ..fault(code) }).await;
            assert_eq!(came.cause("security"), kind, "{code}");
            assert!(!came.unavailable("security").contains(TOKEN));
            assert_eq!(came.seen.len(), 1, "a fault is an answer, not a failure of the line");
        }
    }
    let text = |text: &str| ok(Value::Null).kind("text/xml").body(Body::Whole(text.as_bytes().to_vec()));
    let deep = format!("{}{}", "<a>".repeat(500), "</a>".repeat(500));
    let many = format!("<networkAccess>{}</networkAccess>", "<x/>".repeat(100_001));
    let came = read_within(&app, &["security"], Limits { page_bytes: 4 * 1024 * 1024, ..small() }, move |_| record(&many)).await;
    assert!(came.unavailable("security").contains("more than 100000 XML elements"), "{}", came.unavailable("security"));
    let wide = format!("<x {}/>", (0..65).map(|at| format!("a{at}=\"\"")).collect::<Vec<_>>().join(" "));
    let within = |depth: usize| format!("{}<a/>{}", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
    let replies = vec![
        record(&format!("{SETTINGS}{wide}")),
        text(&within(small().depth as usize + 1)),
        envelope(r#"<readMetadataResponse><result><records xsi:nil="true"/></result></readMetadataResponse>"#),
        envelope("<readMetadataResponse><result></result></readMetadataResponse>"),
        envelope("<readMetadataResponse><result><records><fullName>Other</fullName><a>b</a></records></result></readMetadataResponse>"),
        envelope("<readMetadataResponse><result><records><a>b</a></records><records><a>c</a></records></result></readMetadataResponse>"),
        envelope("<updateMetadataResponse/>"),
        text("<!DOCTYPE x [<!ENTITY e \"x\">]><x>&e;</x>"),
        text("<x>&nothing;</x>"),
        text("<html><body>Service notice</body></html>"),
        text("<soapenv:Envelope><soapenv:Body>"),
        text("{\"ok\": true}"),
        text(&deep),
        text(""),
    ];
    for (at, reply) in replies.into_iter().enumerate() {
        let came = read(&app, &["security"], move |_| reply.clone()).await;
        assert_eq!(came.cause("security"), CauseKind::NotUnderstood, "answer {at}");
        came.unavailable("security");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_say_that_it_succeeded_is_no_data() {
    let mut teams = dataset("teams", DatasetKind::List, "/api/teams.list");
    teams.rows = "teams[]".into();
    teams.on_empty = catalog::OnEmpty::None;
    teams.accepted = Some(Accepted { path: FieldPath::from("ok"), is: json!(true), source: "https://vendor.example/docs".into() });
    let mut app = app(vec![teams]);
    app.says = vec![Says { body: Some((FieldPath::from("error"), "missing_scope".into())), ..says(200, Meaning::ScopeMissing) }];
    let came = read(&app, &["teams"], |_| ok(json!({ "ok": true, "teams": [{ "id": "1", "name": "a" }] }))).await;
    assert_eq!((came.completeness("teams"), came.kept.keys("teams")), (&Completeness::Complete, vec!["1".to_owned()]));
    for (body, kind) in [
        (json!({ "ok": false, "error": "missing_scope", "teams": [] }), CauseKind::ScopeMissing),
        (json!({ "ok": false, "error": "fatal_error", "teams": [] }), CauseKind::VendorError),
        (json!({ "teams": [{ "id": "1", "name": "a" }] }), CauseKind::VendorError),
        (json!({ "ok": "true", "teams": [] }), CauseKind::VendorError),
        (json!({ "ok": null, "teams": [] }), CauseKind::VendorError),
    ] {
        let answered = body.clone();
        let came = read(&app, &["teams"], move |_| ok(answered.clone())).await;
        assert_eq!(came.cause("teams"), kind, "{body}");
        came.unavailable("teams");
        assert!(came.kept.rows("teams").is_empty());
    }
}

#[tokio::test]
async fn bodies_and_sessions_stay_out_of_the_trace() {
    let written = Arc::new(std::sync::Mutex::new(Vec::new()));
    struct Into(Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Into {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let sink = written.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || Into(sink.clone())).with_ansi(false).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let app = app(vec![security(), members(), statement("parameters", "SHOW PARAMETERS IN ACCOUNT")]);
    let came = read(&app, &["security", "members", "parameters"], |_| fault("INVALID_TYPE")).await;
    drop(guard);
    assert_eq!(came.kept.finished.len(), 3);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert!(!text.is_empty(), "the trace was written");
    for hidden in [TOKEN, "readMetadata", "organization(login", "MULTI_STATEMENT_COUNT"] {
        assert!(!text.contains(hidden), "{hidden} stands in the trace");
    }
}
