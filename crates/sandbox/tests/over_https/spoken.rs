//! Datasets that are asked for in a language of their own: the manifest's document is answered page by page, anything else
//! is refused as the vendor would.

use crate::{
    client::{builder, still},
    helpdesk::{HOST, answer, app, halden_moor, noon},
};
use catalog::{Dataset, FieldPath, GraphQlCursor, Keep, Method, OnEmpty, Place, Protocol, SandboxAnswer, Type};
use reqwest::{Client, RequestBuilder};
use sandbox::{Fault, OverlayChange, Sandbox, Tenant};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const QUERY: &str = "query($org: String!, $after: String) { organization(login: $org) { members(first: 2, after: $after) { pageInfo { hasNextPage endCursor } nodes { id } } } }";
const SOQL: &str = "SELECT Id FROM User";

fn keep(ty: Type) -> Keep {
    let place = Place { file: "helpdesk/datasets.toml".into(), line: 1 };
    Keep { ty, transform: None, absent: None, on_empty: OnEmpty::Unknown, source: None, published: false, withheld: None, place }
}

fn spoken(id: &str, path: &str, protocol: Protocol, method: Method, document: Option<&str>, rows: &str) -> Dataset {
    let base = app().datasets[0].clone();
    Dataset {
        id: id.into(),
        path: path.into(),
        protocol,
        method,
        document: document.map(str::to_owned),
        rows: rows.into(),
        keep: BTreeMap::from([(FieldPath::from("name"), keep(Type::String)), (FieldPath::from("on"), keep(Type::Bool))]),
        ..base
    }
}

fn of(document: &str, body: Value) -> SandboxAnswer {
    SandboxAnswer { document: Some(document.into()), page_rows: Some(2), ..answer("/", body) }
}

struct World {
    sandbox: Sandbox,
    client: Client,
    key: String,
}

impl World {
    async fn new() -> Self {
        let mut app = app();
        let organization = || BTreeMap::from([("org".to_owned(), "{organization}".to_owned())]);
        let cursor = GraphQlCursor { variable: "after".into(), page_info: FieldPath::from("data.organization.members.pageInfo") };
        let sql = |parameters: &[(&str, &str)]| Protocol::SnowflakeSql {
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        app.datasets.extend([
            spoken(
                "members",
                "/graphql",
                Protocol::GraphQl { variables: organization(), cursor: Some(cursor) },
                Method::Post,
                Some(QUERY),
                "data.organization.members.nodes[]",
            ),
            spoken(
                "plan",
                "/graphql",
                Protocol::GraphQl { variables: organization(), cursor: None },
                Method::Post,
                Some("query($org: String!) { organization(login: $org) { plan } }"),
                "data.organization",
            ),
            spoken("people", "/data/query", Protocol::Soql, Method::Get, Some(SOQL), "records[]"),
            spoken("parameters", "/api/v2/statements", sql(&[("role", "{organization}")]), Method::Post, Some("SHOW PARAMETERS"), "[]"),
            spoken("policy", "/api/v2/statements", sql(&[]), Method::Post, Some("DESC POLICY {each.name}"), "[]"),
            spoken(
                "security",
                "/services/Soap/m/60.0",
                Protocol::SalesforceMetadata { kind: "SecuritySettings".into(), full_name: "Security".into() },
                Method::Post,
                None,
                "",
            ),
        ]);
        let ids = |count: usize, name: &str| (0..count).map(|at| json!({ name: format!("{name}-{at}") })).collect::<Value>();
        let mut files = halden_moor();
        files.answers.extend([
            of("members", json!({ "data": { "organization": { "members": { "nodes": ids(5, "id") } } } })),
            of("plan", json!({ "data": { "organization": { "plan": "enterprise" } } })),
            of("people", json!({ "records": ids(3, "Id") })),
            of("parameters", json!([{ "name": "a", "on": true }, { "name": "b", "on": false }, { "name": "c", "on": null }])),
            SandboxAnswer { each: BTreeMap::from([("name".to_owned(), "A\"B".to_owned())]), ..of("policy", json!([{ "name": "one" }])) },
            of("policy", json!([])),
            of("security", json!({ "sessionSettings": { "forceRelogin": true }, "networkAccess": { "ipRanges": [{ "start": "1" }, { "start": "2 & 3" }] } })),
        ]);
        let tenant = Tenant::new(&files, &app, noon()).unwrap();
        let key = tenant.fields()["api_key"].clone();
        let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
        let client = builder(&sandbox).build().unwrap();
        Self { sandbox, client, key }
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(format!("https://{HOST}{path}"))
            .bearer_auth(&self.key)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("https://{HOST}{path}")).bearer_auth(&self.key)
    }
}

async fn answered(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn query(after: Option<&Value>) -> Value {
    let mut body = json!({ "query": QUERY, "variables": { "org": "halden-moor" } });
    if let Some(after) = after {
        body["variables"]["after"] = after.clone();
    }
    body
}

#[tokio::test]
async fn graphql_is_answered_in_pages() {
    let world = World::new().await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let (status, body) = answered(world.post("/graphql", &query(after.as_ref()))).await;
        assert_eq!(status, 200);
        let members = &body["data"]["organization"]["members"];
        seen.extend(members["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        if members["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = Some(members["pageInfo"]["endCursor"].clone());
        assert!(seen.len() < 5);
    }
    assert_eq!(seen, ["id-0", "id-1", "id-2", "id-3", "id-4"]);
    let plan = json!({ "query": "query($org: String!) { organization(login: $org) { plan } }", "variables": { "org": "halden-moor" } });
    assert_eq!(answered(world.post("/graphql", &plan)).await, (200, json!({ "data": { "organization": { "plan": "enterprise" } } })));
}

#[tokio::test]
async fn another_document_is_refused_as_the_vendor_would() {
    let world = World::new().await;
    let changed = |change: fn(&mut Value)| {
        let mut body = query(None);
        change(&mut body);
        body
    };
    for body in [
        changed(|body| body["query"] = json!("mutation { x }")),
        changed(|body| body["query"] = json!(format!("{QUERY} "))),
        changed(|body| body["variables"]["org"] = json!("other")),
        changed(|body| body["variables"]["more"] = json!("x")),
        changed(|body| body["variables"]["after"] = json!("cursor:999:2")),
        changed(|body| body["operationName"] = json!("x")),
        json!({}),
    ] {
        let (status, answer) = answered(world.post("/graphql", &body)).await;
        assert_eq!(status, 200, "GraphQL refuses so");
        assert!(answer["errors"].is_array() && answer.get("data").is_none(), "{body}: {answer}");
    }
    assert_eq!(answered(world.get("/data/query?q=DELETE+FROM+User")).await.0, 400);
    assert_eq!(answered(world.get("/data/query")).await.0, 400);
    assert_eq!(answered(world.get("/data/query/01g000000000000AAA-2")).await.0, 400, "a cursor that was not given");
    assert_eq!(answered(world.post("/api/v2/statements", &json!({ "statement": "DROP TABLE x", "timeout": 1 }))).await.0, 422);
    let statement = json!({ "statement": "SHOW PARAMETERS", "role": "other" });
    assert_eq!(answered(world.post("/api/v2/statements", &statement)).await.0, 422, "another role");
    // Without the credential it is the credential that is refused.
    let bare =
        world.client.post(format!("https://{HOST}/graphql")).header("content-type", "application/json").body(query(None).to_string());
    assert_eq!(bare.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn soql_and_sql_are_answered_in_the_vendors_pages() {
    let world = World::new().await;
    let (status, first) = answered(world.get("/data/query?q=SELECT+Id+FROM+User")).await;
    assert_eq!((status, &first["totalSize"], &first["done"]), (200, &json!(3), &json!(false)));
    let (_, last) = answered(world.get(first["nextRecordsUrl"].as_str().unwrap())).await;
    assert_eq!((&last["done"], last["records"].as_array().unwrap().len(), last.get("nextRecordsUrl")), (&json!(true), 1, None));

    let (status, first) = answered(
        world.post("/api/v2/statements", &json!({ "statement": "SHOW PARAMETERS", "role": "halden-moor", "timeout": 9, "parameters": {} })),
    )
    .await;
    assert_eq!(status, 200);
    let told = &first["resultSetMetaData"];
    assert_eq!((&told["numRows"], told["partitionInfo"].as_array().unwrap().len()), (&json!(3), 2));
    let columns: Vec<&str> = told["rowType"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!((columns, &first["data"]), (vec!["name", "on"], &json!([["a", "true"], ["b", "false"]])), "every value is text");
    let handle = first["statementHandle"].as_str().unwrap();
    let (_, second) = answered(world.get(&format!("/api/v2/statements/{handle}?partition=1"))).await;
    assert_eq!(second, json!({ "data": [["c", null]] }), "a later partition holds rows alone");
    assert_eq!(answered(world.get(&format!("/api/v2/statements/{handle}?partition=1&x=y"))).await.0, 422);
    // A parent's own answer goes before the one for all.
    for (name, rows) in [("\"A\"\"B\"", 1), ("\"C\"", 0)] {
        let (status, body) = answered(world.post("/api/v2/statements", &json!({ "statement": format!("DESC POLICY {name}") }))).await;
        assert_eq!((status, body["data"].as_array().unwrap().len()), (200, rows), "{name}");
    }
    for statement in ["DESC POLICY C", "DESC POLICY \"C\"; DROP", "DESC POLICY \"C"] {
        assert_eq!(answered(world.post("/api/v2/statements", &json!({ "statement": statement }))).await.0, 422, "{statement}");
    }
}

fn soap(session: &str, call: &str) -> String {
    format!(
        r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://soap.sforce.com/2006/04/metadata"><e:Header><m:SessionHeader><m:sessionId>{session}</m:sessionId></m:SessionHeader></e:Header><e:Body>{call}</e:Body></e:Envelope>"#
    )
}

#[tokio::test]
async fn metadata_is_answered_by_soap_to_its_session() {
    let world = World::new().await;
    let read = "<m:readMetadata><m:type>SecuritySettings</m:type><m:fullNames>Security</m:fullNames></m:readMetadata>";
    let ask = async |session: &str, call: &str| {
        let request = world.client.post(format!("https://{HOST}/services/Soap/m/60.0")).header("content-type", "text/xml; charset=utf-8");
        let response = request.body(soap(session, call)).send().await.unwrap();
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/xml"));
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, text) = ask(&world.key, read).await;
    assert_eq!(status, 200);
    for part in [
        "<readMetadataResponse><result><records>",
        "<fullName>Security</fullName>",
        "<sessionSettings><forceRelogin>true</forceRelogin></sessionSettings>",
        "<ipRanges><start>1</start></ipRanges><ipRanges><start>2 &amp; 3</start></ipRanges>",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (session, call, code) in [
        ("another", read, "sf:INVALID_SESSION_ID"),
        (world.key.as_str(), "<m:updateMetadata><m:type>SecuritySettings</m:type></m:updateMetadata>", "sf:INVALID_TYPE"),
        (world.key.as_str(), &read.replace("Security<", "Other<"), "sf:INVALID_TYPE"),
        (world.key.as_str(), &format!("{read}<m:deleteMetadata></m:deleteMetadata>"), ""),
    ] {
        let (status, text) = ask(session, call).await;
        assert_eq!(status, 500, "faults come with status 500: {text}");
        assert!(text.contains("<soapenv:Fault>") && text.contains(code), "{text}");
    }
}

#[tokio::test]
async fn changes_and_faults_find_the_one_dataset_of_a_shared_path() {
    let world = World::new().await;
    let tenant = || "helpdesk/risky".to_owned();
    let apply = |change| world.sandbox.overlay().apply(change).unwrap();
    apply(OverlayChange::Set { tenant: tenant(), answer: "plan".into(), field: "data.organization.plan".into(), value: json!("free") });
    let plan = json!({ "query": "query($org: String!) { organization(login: $org) { plan } }", "variables": { "org": "halden-moor" } });
    assert_eq!(answered(world.post("/graphql", &plan)).await.1["data"]["organization"]["plan"], "free");
    apply(OverlayChange::Fault {
        tenant: tenant(),
        answer: Some("members".into()),
        fault: Fault::Status { status: 500, retry_after: None },
        times: None,
        from_page: Some(2),
    });
    let (status, first) = answered(world.post("/graphql", &query(None))).await;
    assert_eq!(status, 200, "the first page is not meant");
    let cursor = first["data"]["organization"]["members"]["pageInfo"]["endCursor"].clone();
    assert_eq!(world.post("/graphql", &query(Some(&cursor))).send().await.unwrap().status(), 500);
    assert_eq!(answered(world.post("/graphql", &plan)).await.0, 200, "the other dataset of that path is not meant");
    apply(OverlayChange::Clear { tenant: Some(tenant()) });
    apply(OverlayChange::Remove { tenant: tenant(), answer: "parameters".into(), field: "[0].name".into() });
    let (_, body) = answered(world.post("/api/v2/statements", &json!({ "statement": "SHOW PARAMETERS", "role": "halden-moor" }))).await;
    assert_eq!(body["data"][0], json!([null, "true"]));
}
