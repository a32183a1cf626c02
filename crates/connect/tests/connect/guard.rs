//! The guard: what a dataset declares may be asked, everything else is refused.
use crate::vendor;

use catalog::{App, Catalog, DatasetKind, Method, PageLink, Pagination};
use posture_connect::{Asked, ConnectError, Permit, RequestClass, permit};
use proptest::prelude::*;
use std::collections::BTreeMap;
use vendor::{HOST, app, dataset, inputs, json_api, over};

fn vendor_app() -> App {
    let mut users = dataset("users", DatasetKind::List, "/v1/users");
    users.query = vec![("deleted".into(), "false".into())];
    users.pagination = json_api();
    let mut keys = dataset("keys", DatasetKind::List, "/v1/users/{each.id}/keys");
    keys.each = over("users");
    let mut org = dataset("org", DatasetKind::Object, "/v1/orgs/{organization}");
    org.authorised = false;
    let mut search = dataset("search", DatasetKind::List, "/graphql");
    search.method = Method::Post;
    search.document = Some(r#"{"query":"query { viewer { id } }"}"#.into());
    let mut paged = dataset("paged", DatasetKind::List, "/v1/paged");
    paged.pagination = Pagination::LinkHeader { size: Some(("per_page".into(), 100)), link: PageLink::default() };
    app(vec![users, keys, org, search, paged])
}

fn ask(asked: &Asked<'_>) -> Result<Permit, ConnectError> {
    let app = vendor_app();
    let inputs = inputs(&[("organization", "halden")]);
    let hosts = app.logins[0].resolve(&inputs).unwrap();
    permit(&app, &hosts, &inputs, asked)
}

fn get<'a>(dataset: &'a str, path: &'a str, query: &'a [(String, String)]) -> Asked<'a> {
    Asked { class: RequestClass::Dataset, dataset, method: "GET", host: HOST, path, query, body: None }
}

fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_a_dataset_declares_is_permitted() {
    let first = query(&[("deleted", "false"), ("pageSize", "2")]);
    assert_eq!(ask(&get("users", "/v1/users", &first)), Ok(Permit { credential: true }));
    assert_eq!(ask(&get("keys", "/v1/users/a%20b/keys", &[])), Ok(Permit { credential: true }));
    assert_eq!(ask(&get("keys", "/v1/users/release%2F2/keys", &[])), Ok(Permit { credential: true }));
    assert_eq!(ask(&get("org", "/v1/orgs/halden", &[])), Ok(Permit { credential: false }), "a public document gets no credential");
    let body = Some(r#"{"query":"query { viewer { id } }"}"#);
    assert_eq!(ask(&Asked { method: "POST", body, ..get("search", "/graphql", &[]) }), Ok(Permit { credential: true }));
    let further = query(&[("deleted", "false"), ("page", "2")]);
    assert!(ask(&Asked { class: RequestClass::Continuation, ..get("users", "/v1/users", &further) }).is_ok());
}

#[test]
fn everything_else_is_refused() {
    let first = query(&[("deleted", "false"), ("pageSize", "2")]);
    let users = || get("users", "/v1/users", &first);
    let other = query(&[("deleted", "true"), ("pageSize", "2")]);
    let more = query(&[("deleted", "false"), ("pageSize", "2"), ("x", "1")]);
    let page = query(&[("page", "2")]);
    let verb = query(&[("deleted", "false"), ("_method", "DELETE")]);
    let widened = query(&[("deleted", "true"), ("page", "2")]);
    let doubled = query(&[("deleted", "false"), ("page", "2"), ("deleted", "false")]);
    let both = query(&[("deleted", "false"), ("page", "2"), ("deleted", "true")]);
    let respelled = query(&[("deleted", "false"), ("page", "2"), ("Deleted[]", "true")]);
    let narrowed = query(&[("deleted", "false"), ("page", "2"), ("role", "admin")]);
    let long = query(&[("deleted", "false"), ("cursor", &"x".repeat(9000))]);
    let further = |query| Asked { class: RequestClass::Continuation, query, ..users() };
    let refused: Vec<(&str, Asked<'_>)> = vec![
        ("another verb", Asked { method: "DELETE", ..users() }),
        ("another verb in lower case", Asked { method: "get", ..users() }),
        ("another host", Asked { host: "evil.example", ..users() }),
        ("a host that only ends alike", Asked { host: "xapi.vendor.example", ..users() }),
        ("another region's host", Asked { host: "api.eu.vendor.example", ..users() }),
        ("an undeclared dataset", Asked { dataset: "secrets", ..users() }),
        ("an undeclared path", Asked { path: "/v1/tokens", ..users() }),
        ("a longer path", Asked { path: "/v1/users/1", ..users() }),
        ("a closing slash", Asked { path: "/v1/users/", ..users() }),
        ("a doubled slash", Asked { path: "/v1//users", ..users() }),
        ("another filter", Asked { query: &other, ..users() }),
        ("one name more", Asked { query: &more, ..users() }),
        ("no query", Asked { query: &[], ..users() }),
        ("a body", Asked { body: Some("{}"), ..users() }),
        ("a step up", get("keys", "/v1/users/../keys", &[])),
        ("an escaped step up", get("keys", "/v1/users/%2e%2E/keys", &[])),
        ("a step up behind a slash", get("keys", "/v1/users/a%2F..%2Fb/keys", &[])),
        ("an empty segment", get("keys", "/v1/users//keys", &[])),
        ("two segments", get("keys", "/v1/users/a/b/keys", &[])),
        ("a backslash", get("keys", "/v1/users/a%5Cb/keys", &[])),
        ("an escape of an escape", get("keys", "/v1/users/%252e%252e/keys", &[])),
        ("a control character", get("keys", "/v1/users/%00/keys", &[])),
        ("a cut escape", get("keys", "/v1/users/%2/keys", &[])),
        ("another organization", get("org", "/v1/orgs/other", &[])),
        ("another document", Asked { method: "POST", body: Some(r#"{"query":"mutation { x }"}"#), ..get("search", "/graphql", &[]) }),
        ("no document", Asked { method: "POST", ..get("search", "/graphql", &[]) }),
        ("a path that is never called", get("me", "/v1/customer/settings", &[])),
        ("a sign-in hop", Asked { class: RequestClass::SignInHop, ..users() }),
        ("a further page without the filter", further(&page)),
        ("a further page with another filter", further(&widened)),
        ("a further page with the filter twice", further(&doubled)),
        ("a further page with two filters", further(&both)),
        ("a further page with the filter spelled otherwise", further(&respelled)),
        ("a further page with another verb", further(&verb)),
        ("a further page with an endless cursor", further(&long)),
        ("a further page with another filter beside it", further(&narrowed)),
        ("a further page of what has one", Asked { class: RequestClass::Continuation, query: &page, ..get("me", "/v1/me", &[]) }),
        ("a further page of another list", Asked { path: "/v1/paged", ..further(&page) }),
    ];
    for (what, asked) in refused {
        match ask(&asked) {
            Err(error) => assert_eq!(error.code(), "E-REQUEST-REFUSED", "{what}"),
            Ok(_) => panic!("{what} was permitted"),
        }
    }
}

/// Convo calls methods by name in the body, so the body is all that tells a read from a change.
#[test]
fn convo_is_asked_for_the_one_method_that_reads() {
    let app = Catalog::built_in().unwrap().app("convo").unwrap().unwrap();
    let inputs = BTreeMap::from([
        ("user".to_owned(), "posture@haldenmoor.example".to_owned()),
        ("okta_domain".to_owned(), "halden-moor.okta.com".to_owned()),
        ("account_id".to_owned(), "acc-7f3a91".to_owned()),
    ]);
    let hosts = app.login("okta").unwrap().resolve(&inputs).unwrap();
    const READ: &str = r#"{"method":"getGroupsDirectory"}"#;
    let groups = |body| Asked { method: "POST", host: "app.convo.com", body, ..get("groups", "/api/v1/groups", &[]) };
    assert_eq!(permit(&app, &hosts, &inputs, &groups(Some(READ))), Ok(Permit { credential: true }));

    let others = [
        r#"{"method":"deleteGroup"}"#,
        r#"{"method":"getGroupsDirectory","group_id":"grp-1"}"#,
        r#"{"method":"getGroupsDirectory","method":"deleteGroup"}"#,
        r#"{"method":"GetGroupsDirectory"}"#,
        r#"{"method": "getGroupsDirectory"}"#,
        r#"{"method":"getGroupsDirectory"} "#,
        r#"[{"method":"getGroupsDirectory"}]"#,
        "",
    ];
    let other_paths =
        ["/api/v1/user", "/api/v1/users", "/api/v1/login", "/api/v1/groups/", "/api/v1/accounts", "/feed/fetch", "/api/v1/feed/fetch"];
    let mut refused: Vec<(String, Asked<'_>)> = others.iter().map(|body| ((*body).to_owned(), groups(Some(*body)))).collect();
    refused.push(("no body".into(), groups(None)));
    refused.push(("another verb".into(), Asked { method: "GET", ..groups(None) }));
    refused.push((
        "a POST to a list that is read by GET".into(),
        Asked { method: "POST", host: "app.convo.com", body: Some(READ), ..get("users", "/api/v1/users", &[]) },
    ));
    refused.push(("the identity provider's host".into(), Asked { host: "halden-moor.okta.com", ..groups(Some(READ)) }));
    refused.extend(other_paths.map(|path| (path.to_owned(), Asked { path, ..groups(Some(READ)) })));
    for (what, asked) in refused {
        let answer = permit(&app, &hosts, &inputs, &asked);
        assert!(matches!(answer, Err(ConnectError::RequestRefused { .. })), "{what}: {answer:?}");
    }
}

#[test]
fn a_path_that_is_never_called_is_refused_even_where_a_dataset_declares_it() {
    let mut app = vendor_app();
    app.datasets.push(dataset("settings", DatasetKind::Object, "/v1/customer/settings"));
    app.datasets.push({
        let mut any = dataset("any", DatasetKind::Object, "/v1/customer/{each.id}");
        any.each = over("users");
        any
    });
    let inputs = inputs(&[]);
    let hosts = app.logins[0].resolve(&inputs).unwrap();
    for (dataset, path) in [
        ("settings", "/v1/customer/settings"),
        ("any", "/v1/customer/settings"),
        ("any", "/v1/customer/SETTINGS"),
        ("any", "/v1/customer/%73ettings"),
    ] {
        let error = permit(&app, &hosts, &inputs, &get(dataset, path, &[])).unwrap_err();
        assert!(error.to_string().contains("never called"), "{path}: {error}");
    }
    assert!(permit(&app, &hosts, &inputs, &get("any", "/v1/customer/other", &[])).is_ok());
}

proptest! {
    /// Whatever is asked of a dataset, a permit means that the request reads what the manifest declares.
    #[test]
    fn a_permit_is_never_wider_than_the_manifest(
        method in "(GET|POST|PUT|PATCH|DELETE|get)",
        host in prop_oneof![Just(HOST.to_owned()), "[a-z.]{1,20}", Just("api.eu.vendor.example".to_owned())],
        path in prop_oneof![
            "/v1/users/[a-z0-9%./\\\\;~-]{0,12}/keys",
            "/v1/(users|paged|me|tokens|orgs/halden)[/a-z%0-9.]{0,6}",
            "(/[a-z0-9%.]{0,6}){0,5}",
        ],
        pairs in proptest::collection::vec(("[a-zA-Z_]{0,8}", "[a-z0-9]{0,8}"), 0..3),
        body in proptest::option::of(".{0,8}"),
        dataset in "(users|keys|org|search|paged|me|none)",
        class in prop_oneof![Just(RequestClass::Dataset), Just(RequestClass::Continuation), Just(RequestClass::SignInHop)],
    ) {
        let asked = Asked { class, dataset: &dataset, method: &method, host: &host, path: &path, query: &pairs, body: body.as_deref() };
        if ask(&asked).is_ok() {
            prop_assert_eq!(&host, HOST);
            prop_assert_ne!(class, RequestClass::SignInHop);
            prop_assert_eq!(method.as_str(), if dataset == "search" { "POST" } else { "GET" });
            prop_assert!(body.is_none() || dataset == "search");
            let decoded = percent_decoded(&path);
            prop_assert!(decoded.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != ".."), "{}", decoded);
            let fixed = match dataset.as_str() {
                "users" => "/v1/users", "org" => "/v1/orgs/halden", "search" => "/graphql", "paged" => "/v1/paged", "me" => "/v1/me",
                _ => "",
            };
            if fixed.is_empty() {
                prop_assert!(path.starts_with("/v1/users/") && path.ends_with("/keys") && path.matches('/').count() == 4);
            } else {
                prop_assert_eq!(path.as_str(), fixed);
            }
        }
    }

    /// A value of a parent row can be anything; the request built from it is refused or stays one segment.
    #[test]
    fn any_plain_value_fits_its_place(value in "[a-zA-Z0-9 äß@:_.~-]{1,20}") {
        prop_assume!(value != "." && value != "..");
        let encoded: String = value.bytes().map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        }).collect();
        let path = format!("/v1/users/{encoded}/keys");
        prop_assert!(ask(&get("keys", &path, &[])).is_ok());
    }
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = (*first == b'%' && after.len() >= 2)
            .then(|| std::str::from_utf8(&after[..2]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        bytes.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
