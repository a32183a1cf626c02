//! Every way of signing in with a secret or a key of an administrator's, from the manifest to rows: an imaginary application
//! with one login option for each, its tenants in the sandbox, and each way in which a credential is refused. And the limits
//! of vendors' hosts.
use crate::harbour::{self, EMAIL, HEAD, ON_API, SECRET, TEXT, answer, check, dataset, login, me};
use crate::scene;

use catalog::{Catalog, CauseKind, Completeness, SandboxLimits, SandboxTenant};
use connect::ConnectError;
use sandbox::{OverlayChange, Tenant};
use scene::{Scene, today};
use std::{collections::BTreeMap, path::Path};

fn logins() -> String {
    let email = "optional = true\nformat = \"email\"";
    [
        login(
            "headers",
            &[ON_API, r#"strategy = { name = "headers", headers = { "DD-API-KEY" = "{key}", "DD-APPLICATION-KEY" = "App {second}" } }"#],
            &[("key", SECRET), ("second", SECRET)],
        ),
        login(
            "basic",
            &[ON_API, r#"strategy = { name = "basic", user = "{email}/token", password = "key" }"#],
            &[("email", EMAIL), ("key", SECRET)],
        ),
        login("client", &[CLIENT], &[("account", TEXT), ("client_id", TEXT), ("key", SECRET)]),
        login(
            "bound",
            &[BOUND],
            &[
                ("client_id", TEXT),
                ("key_id", "optional = true\nformat = \"text\""),
                ("key", "secret = true\nformat = \"private_key\""),
                ("passphrase", "secret = true\noptional = true\nformat = \"password\""),
            ],
        ),
        login("file", &[FILE], &[("email", EMAIL), ("file", KEY_FILE)]),
        login(
            "two",
            &[TWO],
            &[
                ("key", SECRET),
                ("site", "optional = true\nformat = { kind = \"dns_label\", suffixes = [\".site.harbour.example\"] }"),
                ("email", email),
                ("site_key", "secret = true\noptional = true\nformat = \"text\""),
            ],
        ),
    ]
    .concat()
}

const CLIENT: &str = r#"hosts = ["api.harbour.example", "auth.harbour.example"]
roles = [{ id = "api", hosts = ["api.harbour.example"] }, { id = "auth", hosts = ["auth.harbour.example"], prefix = "/oidc" }]
strategy = { name = "client_credentials", role = "auth", path = "/accounts/{account}/token", client_id = "client_id", secret = "key", authenticate = "basic", grant_type = "account_credentials", parameters = { account_id = "{account}" }, scope = "read", granted = { only = ["read"] } }"#;

/// To tokens that are good for nobody else.
const BOUND: &str = r#"hosts = ["api.harbour.example", "auth.harbour.example"]
roles = [{ id = "api", hosts = ["api.harbour.example"] }, { id = "auth", hosts = ["auth.harbour.example"] }]
strategy = { name = "client_credentials", role = "auth", path = "/token", client_id = "client_id", authenticate = { private_key = "key", passphrase = "passphrase", kid = "{key_id}", algorithm = "PS256", dpop = true }, scope = "read", granted = { only = ["read"] } }"#;

const FILE: &str = r#"hosts = ["auth.harbour.example"]
roles = [{ id = "api" }, { id = "auth", hosts = ["auth.harbour.example"] }]
strategy = { name = "assertion", role = "auth", path = "/token", private_key = "file.private_key", kid = "{file.private_key_id}", issuer = "{file.client_email}", subject = "{email}", audience = "https://auth.harbour.example/token", scope = "read", scope_in = "claims", claims = { sub_type = "enterprise" }, host_from = { member = "instance_url", role = "api", suffixes = [".my.harbour.example"] } }"#;

const KEY_FILE: &str = r#"secret = true
format = { kind = "key_file", members = ["client_email", "private_key", "private_key_id"] }"#;

/// A key for the organization, and one for the site.
const TWO: &str = r#"hosts = ["api.harbour.example", "{site}.site.harbour.example"]
roles = [{ id = "api", hosts = ["api.harbour.example"] }, { id = "site", hosts = ["{site}.site.harbour.example"] }]
headers = { "X-Harbour-Version" = "2" }
strategy = { name = "bearer", token = "key" }
[[login.also]]
roles = ["site"]
strategy = { name = "basic", user = "{email}", password = "site_key" }"#;

const POLITENESS: &str = r#"[politeness]
concurrency = 4
per_second = 5
remaining_header = "x-budget-left"
limit_header = "x-budget"
reset_header = "x-budget-reset"
reset_in = "seconds"
keep_free = 0.1
"#;

const BOATS: &str = r#"pagination = { style = "link_header", size = ["per_page", 2] }
rows = "[]"
key = ["id"]
label = "id"
[dataset.keep]
"id" = "id"
"#;

const CREW: &str = r#"each = { dataset = "boats", carry = ["id"] }
rows = ""
[dataset.keep]
"name" = "string"
"#;

const TENANTS: [(&str, &str); 6] = [
    ("headers", "key = \"first-of-two\"\nsecond = \"second-of-two\""),
    ("basic", "email = \"scan@harbour.example\"\nkey = \"basic-key\""),
    ("client", "account = \"acc-1\"\nclient_id = \"client one\"\nkey = \"client:key%\""),
    (
        "bound",
        "client_id = \"bound-1\"\nkey_id = \"kid-1\"\nkey = \"{{private_key:rsa,passphrase=open sesame}}\"\npassphrase = \"open sesame\"",
    ),
    (
        "file",
        "email = \"admin@harbour.example\"\nfile = '''{\"type\": \"service_account\", \"client_email\": \"scan@project.example\", \"private_key_id\": \"kid-2\", \"private_key\": \"{{private_key:rsa}}\"}'''",
    ),
    ("two", "key = \"organization-key\"\nsite = \"north\"\nemail = \"scan@harbour.example\"\nsite_key = \"site-key\""),
];

/// The imaginary application in a folder of its own.
fn every_way(folder: &Path) -> Catalog {
    let datasets = [
        POLITENESS.to_owned(),
        me(),
        dataset("boats", "api", "/v1/boats", BOATS),
        dataset("crew", "api", "/v1/boats/{each.id}/crew", CREW),
        dataset("site", "site", "/v1/site", "rows = \"\"\n[dataset.keep]\n\"open\" = \"bool\"\n"),
    ];
    let answers = [
        answer("/v1/me", "body = { id = 7 }"),
        answer(
            "/v1/boats",
            "paged = \"link_header\"\nbody = [{ id = \"a\" }, { id = \"b\" }, { id = \"c\" }, { id = \"d\" }, { id = \"e\" }]",
        ),
        answer("/v1/boats/{id}/crew", "body = { name = \"Ada\" }"),
    ];
    let tenants = TENANTS.map(|(id, fields)| {
        let site = if id == "two" { "[[answer]]\nhost = \"site\"\npath = \"/v1/site\"\nbody = { open = true }\n" } else { "" };
        (id, format!("{fields}\n{}{site}", answers.concat()))
    });
    let open = check("site.open", "The site is open", "IAM-SaaS-04", "on = \"site\"\npass = \"row.open\"\n");
    harbour::catalog(folder, &format!("{HEAD}{}", logins()), &datasets.concat(), &open, &tenants)
}

struct Harbour {
    catalog: Catalog,
    _folder: tempfile::TempDir,
}

impl Harbour {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = every_way(folder.path());
        // What is wrong with it is said here, whole.
        catalog.app("harbour").unwrap_or_else(|errors| panic!("{errors:#?}"));
        Self { catalog, _folder: folder }
    }
    fn tenant(&self, id: &str) -> SandboxTenant {
        self.catalog.sandbox_tenants("harbour").unwrap().into_iter().find(|tenant| tenant.id == id).unwrap()
    }
    /// Signs in at a tenant with fields of which some differ from what the tenant has.
    async fn enter(&self, tenant: &SandboxTenant, changes: &[(&str, &str)]) -> Result<Scene, ConnectError> {
        let app = self.catalog.app("harbour").unwrap().unwrap();
        let prepared = Tenant::new(tenant, &app, today()).unwrap();
        let mut fields: BTreeMap<String, String> = prepared.fields().clone();
        for (name, value) in changes {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let name = format!("harbour/{}", tenant.id);
        Scene::try_of(app, &tenant.login, &fields, BTreeMap::new(), name, prepared.into()).await
    }
    async fn refused(&self, id: &str, changes: &[(&str, &str)]) -> ConnectError {
        match self.enter(&self.tenant(id), changes).await {
            Ok(_) => panic!("{id} let {changes:?} in"),
            Err(error) => error,
        }
    }
}

fn read(scene: &Scene, path: &str) -> usize {
    scene.sandbox.log().iter().filter(|seen| seen.path == path && seen.status == 200).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_signs_in_and_reads_all() {
    let harbour = Harbour::new();
    for (id, _) in TENANTS {
        let scene = harbour.enter(&harbour.tenant(id), &[]).await.unwrap_or_else(|error| panic!("{id}: {error}"));
        // Two hours later every token has ended, and is renewed in the middle of the scan.
        scene.clock.pass(jiff::SignedDuration::from_hours(2));
        let collected = scene.collect().await;
        for dataset in ["me", "boats", "crew"] {
            assert_eq!(collected[dataset].completeness, Completeness::Complete, "{id}: {dataset}");
        }
        assert_eq!(collected["boats"].rows.len(), 5, "{id}");
        assert_eq!(collected["crew"].rows.len(), 5, "{id}");
        let exchanges = scene.sandbox.log().iter().filter(|seen| seen.method == "POST" && seen.status == 200).count();
        assert_eq!(exchanges, if matches!(id, "client" | "bound" | "file") { 2 } else { 0 }, "{id}");
        let refused: Vec<_> = scene.sandbox.log().into_iter().filter(|seen| seen.status != 200).collect();
        // Each is the endpoint's wish for its nonce: at first, and two hours later, when the one that it gave has ended.
        assert_eq!(refused.len(), if id == "bound" { 2 } else { 0 }, "{id}: {refused:?}");
        assert!(refused.iter().all(|seen| seen.path == "/token" && seen.status == 400), "{id}: {refused:?}");
        match &collected["site"].completeness {
            Completeness::Complete => assert_eq!(id, "two"),
            Completeness::Unavailable(cause) => assert!(id != "two" && cause.kind == CauseKind::LoginLacks, "{id}: {cause:?}"),
            Completeness::Partial(cause) => panic!("{id}: {cause:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_refused_in_words() {
    let harbour = Harbour::new();
    // A well-formed key of somebody else.
    let other = {
        let app = harbour.catalog.app("harbour").unwrap().unwrap();
        let stranger = SandboxTenant { id: "stranger".into(), ..harbour.tenant("file") };
        Tenant::new(&stranger, &app, today()).unwrap().fields()["file"].clone()
    };
    let file: serde_json::Value = serde_json::from_str(&other).unwrap();
    let key = file["private_key"].as_str().unwrap();
    let renamed = other.replace("scan@project.example", "nobody@project.example");
    let cut = &key[..key.len() / 2];
    /// A tenant, what is changed about its fields, and the code that it ends with.
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);
    let table: Vec<Case<'_>> = vec![
        ("headers", vec![("key", "wrong")], "E-KEY-REFUSED"),
        ("headers", vec![("second", "wrong")], "E-KEY-REFUSED"),
        ("headers", vec![("second", "")], "E-FIELD-MISSING"),
        ("headers", vec![("second", "schlüssel")], "E-KEY-REFUSED"),
        ("basic", vec![("key", "wrong")], "E-KEY-REFUSED"),
        ("basic", vec![("email", "other@harbour.example")], "E-KEY-REFUSED"),
        ("client", vec![("key", "wrong")], "E-KEY-REFUSED"),
        ("client", vec![("client_id", "other")], "E-KEY-REFUSED"),
        // The account is a part of the endpoint's path: nobody knows the client there.
        ("client", vec![("account", "acc-2")], "E-KEY-REFUSED"),
        ("bound", vec![("client_id", "other")], "E-KEY-REFUSED"),
        ("bound", vec![("key_id", "other")], "E-KEY-REFUSED"),
        ("bound", vec![("key", key)], "E-KEY-REFUSED"),
        ("bound", vec![("key", cut)], "E-KEY-MALFORMED"),
        ("bound", vec![("passphrase", "shut sesame")], "E-PRIVATE-KEY-PASSPHRASE"),
        ("bound", vec![("passphrase", "")], "E-PRIVATE-KEY-PASSPHRASE"),
        ("file", vec![("file", &other)], "E-KEY-REFUSED"),
        ("file", vec![("file", &renamed)], "E-KEY-REFUSED"),
        ("file", vec![("email", "other@harbour.example")], "E-KEY-REFUSED"),
        ("file", vec![("file", key)], "E-KEY-MALFORMED"),
        ("two", vec![("key", "wrong")], "E-KEY-REFUSED"),
    ];
    for (id, changes, code) in &table {
        let error = harbour.refused(id, changes).await;
        let names: Vec<&str> = changes.iter().map(|(name, _)| *name).collect();
        assert_eq!(error.code(), *code, "{id} {names:?}: {error}");
        let told = format!("{error} {}", error.remedy());
        assert!(!error.remedy().is_empty(), "{id} {names:?}");
        assert!(!changes.iter().any(|(_, value)| value.len() > 5 && told.contains(value)), "{id} {names:?} tells what was typed: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_may_write_is_not_used_and_a_host_of_others_is_not_asked() {
    let harbour = Harbour::new();
    for id in ["client", "bound"] {
        let mut tenant = harbour.tenant(id);
        tenant.tokens.as_mut().unwrap().grants = Some("read write".into());
        assert_eq!(harbour.enter(&tenant, &[]).await.err().unwrap().code(), "E-SCOPE-NOT-READ-ONLY", "{id}");
    }
    for host in ["my.harbour.example.evil.example", "evil.example", "harbour.example", "x.y@my.harbour.example"] {
        let mut tenant = harbour.tenant("file");
        tenant.answers.clear();
        tenant.tokens.as_mut().unwrap().host = Some(host.into());
        let error = harbour.enter(&tenant, &[]).await.err().unwrap();
        assert_eq!(error.code(), "E-NOT-UNDERSTOOD", "{host}: {error}");
        assert!(!error.to_string().contains("evil"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_without_proofs_of_possession_is_read_by_plain_tokens() {
    let harbour = Harbour::new();
    let mut tenant = harbour.tenant("bound");
    tenant.tokens.as_mut().unwrap().dpop = false;
    let scene = harbour.enter(&tenant, &[]).await.unwrap();
    assert_eq!(scene.collect().await["boats"].completeness, Completeness::Complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_credential_costs_its_own_datasets_and_nothing_else() {
    let harbour = Harbour::new();
    for (changes, kind) in [
        (vec![("site_key", "wrong")], CauseKind::CredentialRefused),
        (vec![("site_key", "")], CauseKind::InputMissing),
        (vec![("email", "")], CauseKind::InputMissing),
        (vec![("site", ""), ("site_key", ""), ("email", "")], CauseKind::InputMissing),
    ] {
        let scene = harbour.enter(&harbour.tenant("two"), &changes).await.unwrap();
        let collected = scene.collect().await;
        assert_eq!(collected["boats"].completeness, Completeness::Complete, "{changes:?}");
        let Completeness::Unavailable(cause) = &collected["site"].completeness else { panic!("{changes:?} read the site") };
        assert_eq!(cause.kind, kind, "{changes:?}: {cause:?}");
        assert!(scene.verdicts().await.values().all(|verdict| matches!(verdict, catalog::Verdict::NotEvaluated { .. })), "{changes:?}");
    }
    // Neither credential opens the hosts of the other.
    let tenant = harbour.tenant("two");
    let scene = harbour.enter(&tenant, &[]).await.unwrap();
    assert_eq!(read(&scene, "/v1/site"), 0);
    scene.collect().await;
    assert_eq!(read(&scene, "/v1/site"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_back_key_ends_the_renewal() {
    let harbour = Harbour::new();
    for id in ["client", "bound", "file"] {
        let scene = harbour.enter(&harbour.tenant(id), &[]).await.unwrap();
        scene.change(OverlayChange::Revoke { tenant: scene.name.clone() });
        scene.clock.pass(jiff::SignedDuration::from_hours(2));
        let collected = scene.collect().await;
        let Completeness::Unavailable(cause) = &collected["boats"].completeness else { panic!("{id}") };
        assert_eq!(cause.kind, CauseKind::CredentialRefused, "{id}: {cause:?}");
    }
}

fn limits(per_second: u32, burst: u32, concurrency: Option<u32>, status: u16, headers: &[(&str, &str)]) -> SandboxLimits {
    SandboxLimits {
        per_second: Some(per_second),
        burst,
        concurrency,
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_at_the_declared_pace_meets_no_refusal_and_a_tighter_vendor_is_waited_for() {
    let harbour = Harbour::new();
    // What the vendor takes, and whether the declared pace (5 in a second, 4 at once) is within it.
    for (what, limits, within) in [
        ("as declared", limits(5, 10, Some(4), 429, &[]), true),
        ("slower", limits(1, 3, Some(4), 429, &[]), false),
        ("slower, by 503", limits(1, 3, None, 503, &[("retry-after", "2")]), false),
        ("slower, and says so by its reset alone", limits(1, 3, None, 429, &[("x-budget-reset", "3")]), false),
    ] {
        let mut tenant = harbour.tenant("headers");
        tenant.limits = Some(limits);
        let scene = harbour.enter(&tenant, &[]).await.unwrap();
        let collected = scene.collect().await;
        for dataset in ["boats", "crew"] {
            assert_eq!(collected[dataset].completeness, Completeness::Complete, "{what}: {dataset}");
        }
        assert_eq!(collected["crew"].rows.len(), 5, "{what}");
        let refused = scene.sandbox.log().iter().filter(|seen| seen.status != 200).count();
        if within {
            assert_eq!(refused, 0, "{what}");
        }
        assert!(connect::Clock::now(&*scene.clock) > today(), "{what}: the pace is kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn okta_is_read_within_its_limits_by_both_ways_in() {
    let catalog = Catalog::built_in().unwrap();
    for tenant in ["clean", "risky"] {
        let scene = Scene::of_tenant(&catalog, "okta", tenant).await;
        let collected = scene.collect().await;
        assert!(collected.values().all(|collected| collected.completeness == Completeness::Complete), "{tenant}: {collected:?}");
        assert!(!collected["users"].rows.is_empty(), "{tenant}");
        let refused: Vec<_> = scene.sandbox.log().into_iter().filter(|seen| seen.status == 429).collect();
        assert!(refused.is_empty(), "{tenant}: {refused:?}");
    }
}
