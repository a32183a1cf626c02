//! "Helpdesk", an imaginary vendor with two imaginary customers, built from the catalog's types.

use catalog::{
    App, Category, Choice, Dataset, DatasetKind, Feature, Field, Format, HostRole, Login, Method, Needs, OnEmpty, Pagination, Place,
    Politeness, SandboxAnswer, SandboxTenant, Strategy, Verified,
};
use sandbox::Tenant;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const HOST: &str = "api.helpdesk.example";
pub const EU_HOST: &str = "api.eu.helpdesk.example";
pub const CREDENTIAL: &str = "{{jwt:orgName=halden-moor,roles=org.read|org.write,days_ahead=200}}";

/// A point in time without fractions.
pub fn noon() -> jiff::Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn place() -> Place {
    Place { file: "helpdesk/app.toml".into(), line: 1 }
}

fn field(id: &str, secret: bool, optional: bool, format: Format, choices: Vec<Choice>) -> Field {
    Field {
        id: id.into(),
        label: id.into(),
        secret,
        optional,
        format,
        choices,
        default: None,
        help: String::new(),
        example: String::new(),
        steps: vec![],
        link: None,
        reveal: None,
    }
}

fn dataset(id: &str, path: &str, query: &[(&str, &str)]) -> Dataset {
    Dataset {
        id: id.into(),
        title: id.into(),
        kind: DatasetKind::List,
        host: "api".into(),
        authorised: true,
        protocol: catalog::Protocol::default(),
        method: Method::Get,
        path: path.into(),
        query: query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        document: None,
        pagination: Pagination::None,
        form: Default::default(),
        published_by: None,
        recent: None,
        rows: "data[]".into(),
        rows_absent: None,
        values: catalog::Values::default(),
        keep: BTreeMap::new(),
        constant: BTreeMap::new(),
        key: vec![],
        label: None,
        needs: Needs::default(),
        each: None,
        instead: None,
        probes: Vec::new(),
        on_empty: OnEmpty::Unknown,
        says: vec![],
        accepted: None,
        politeness: Politeness::default(),
        headers: Default::default(),
        source: String::new(),
        place: place(),
    }
}

pub fn app() -> App {
    let region = |value: &str, host: &str| Choice { value: value.into(), label: value.into(), host: Some(host.into()), hidden: false };
    App {
        slug: "helpdesk".into(),
        name: "Helpdesk".into(),
        vendor: "Helpdesk".into(),
        category: Category::CustomerService,
        home: "https://helpdesk.example".into(),
        features: vec![Feature::Config],
        verified: Verified::Facts,
        link_hosts: vec![],
        never: vec![],
        says: vec![],
        logins: vec![Login {
            id: "api-key".into(),
            label: "API Key".into(),
            summary: String::new(),
            strategy: Strategy::Bearer { token: "api_key".into() },
            fields: vec![
                field("api_key", true, false, Format::Jwt, vec![]),
                field("region", false, false, Format::Choice, vec![region("us", HOST), region("eu", EU_HOST)]),
                field("organization", false, true, Format::DnsLabel { suffixes: vec![] }, vec![]),
            ],
            hosts: vec!["{region}".into(), "{organization}.api.helpdesk.example".into()],
            roles: vec![
                HostRole {
                    id: "api".into(),
                    hosts: vec!["{organization}.api.helpdesk.example".into(), "{region}".into()],
                    prefix: String::new(),
                },
                HostRole { id: "org".into(), hosts: vec!["{organization}.api.helpdesk.example".into()], prefix: String::new() },
            ],
            test: "settings".into(),
            also: vec![],
            headers: Default::default(),
            discover: None,
            identity: None,
            needs: vec![],
            granted_header: None,
            expires: None,
            unused: None,
            steps: vec![],
            source: String::new(),
            place: place(),
        }],
        not_offered: vec![],
        planned: vec![],
        ended: None,
        left_out: vec![],
        not_covered: vec![],
        scopes: vec![],
        datasets: vec![
            dataset("settings", "/v1/settings", &[]),
            dataset("users", "/v1/users", &[("deleted", "false")]),
            dataset("invitations", "/v1/users", &[("pending", "true")]),
            dataset("repositories", "/orgs/{organization}/repos", &[]),
            dataset("protection", "/repos/{organization}/{each.name}/protection", &[]),
            dataset("events", "/v1/events", &[]),
        ],
        views: vec![],
        checks: vec![],
        inventories: vec![],
    }
}

pub fn answer(path: &str, body: Value) -> SandboxAnswer {
    SandboxAnswer {
        host: "api".into(),
        method: "GET".into(),
        path: path.into(),
        document: None,
        each: BTreeMap::new(),
        page_rows: None,
        status: 200,
        paged: None,
        headers: BTreeMap::new(),
        body,
        authorised: true,
    }
}

pub fn paged(path: &str, style: &str, body: Value) -> SandboxAnswer {
    SandboxAnswer { paged: Some(style.into()), ..answer(path, body) }
}

/// The customer that most tests ask.
pub fn halden_moor() -> SandboxTenant {
    SandboxTenant {
        app: "helpdesk".into(),
        id: "risky".into(),
        name: "Halden Moor (risky)".into(),
        tour: false,
        fields: BTreeMap::from([
            ("api_key".into(), CREDENTIAL.into()),
            ("region".into(), "us".into()),
            ("organization".into(), "halden-moor".into()),
        ]),
        login: "api-key".into(),
        params: BTreeMap::new(),
        answers: vec![
            answer(
                "/v1/settings",
                json!({"data": {"type": "settings", "attributes": {"saml": {"enabled": false}, "updatedAt": "{{days_ago:30}}"}}}),
            ),
            paged(
                "/v1/users?deleted=false",
                "json_api",
                json!({"data": [{"id": "u-1", "attributes": {"email": "ada@haldenmoor.example"}}, {"id": "u-2", "attributes": {"email": "bo@haldenmoor.example"}}]}),
            ),
            paged(
                "/v1/users?pending=true",
                "json_api",
                json!({"data": [{"id": "u-9", "attributes": {"email": "new@haldenmoor.example"}}]}),
            ),
            paged(
                "/orgs/halden-moor/repos",
                "link_header",
                json!([{"id": 1, "name": "ferry"}, {"id": "{{index:1000}}", "name": "repo-{{index}}"}]),
            ),
            answer("/repos/halden-moor/ferry/protection", json!({"enabled": true})),
            answer("/repos/halden-moor/repo-{{index}}/protection", json!({"enabled": false, "of": "repo-{{index}}"})),
            paged("/v1/events", "json_api_after", json!({"data": [{"id": "e-1"}, {"id": "e-{{index}}"}]})),
            SandboxAnswer { host: "org".into(), authorised: false, ..answer("/v1/p/settings", json!({"public": true})) },
        ],
        okta: None,
        tokens: None,
        limits: None,
        sign_in: Default::default(),
        left_open: Vec::new(),
        errors: BTreeMap::from([(401, json!({"errors": [{"code": "auth", "message": "Invalid token for this vendor"}]}))]),
    }
}

/// The same customer with these answers alone.
pub fn answering(answers: Vec<SandboxAnswer>) -> SandboxTenant {
    SandboxTenant { answers, ..halden_moor() }
}

/// A second customer on the same hosts.
pub fn ravensgill() -> SandboxTenant {
    SandboxTenant {
        id: "clean".into(),
        fields: BTreeMap::from([("api_key".into(), "static-credential-of-ravensgill".into()), ("region".into(), "us".into())]),
        answers: vec![answer("/v1/settings", json!({"data": {"type": "settings", "attributes": {"saml": {"enabled": true}}}}))],
        errors: BTreeMap::new(),
        ..halden_moor()
    }
}

pub fn tenant(files: &SandboxTenant) -> Tenant {
    Tenant::new(files, &app(), noon()).unwrap()
}
