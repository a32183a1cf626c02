//! People, GitHub Apps, Snowflake users and applications of Microsoft Entra ID, from the manifest to rows: each way of signing in
//! at simulated vendors over HTTPS, with a browser that follows the page as a person's would, and each way of being refused.
use crate::company;
use crate::harbour::{self, HEAD, ON_API, SECRET, TEXT, answer, login, me, settings, single_sign_on};
use crate::scene;

use catalog::{Catalog, Completeness, InstallationState, SandboxRefresh, SandboxTenant};
use connect::{Clock, ConnectError, Credentials, Limits, NoBrowser, Route, Session, SignIn, SignInStep};
use posture_core::{
    Console, Listener, Options,
    screen::{AddInstance, EndsBy, Health, Progress, Protection, ScheduleChoice, Slice, Step, StepState},
};
use sandbox::{Fault, OverlayChange, Sandbox, Tenant, Visited};
use scene::{Follows, MemoryLedger, Patient, Shelf, SteppingClock, today};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const BROWSER: &str = r#"hosts = ["login.harbour.example", "api.harbour.example"]
roles = [{ id = "login", hosts = ["login.harbour.example"] }, { id = "api", hosts = ["api.harbour.example"] }]
[login.strategy]
name = "authorization_code"
authorize = { role = "login", path = "/{realm}/authorize" }
token = { role = "login", path = "/{realm}/token" }
client_id = "client_id"
client_secret = "client_secret"
authenticate = "basic"
scope = "read:all offline"
parameters = { prompt = "consent" }
redirect = { host = "localhost", path = "/done" }"#;

/// In the browser, and then on a host that the answer names.
const NAMED: &str = r#"hosts = ["login.harbour.example"]
roles = [{ id = "login", hosts = ["login.harbour.example"] }, { id = "api" }]
[login.strategy]
name = "authorization_code"
authorize = { role = "login", path = "/authorize" }
token = { role = "login", path = "/token" }
client_id = "client_id"
scope = "read:all"
host_from = { member = "instance_url", role = "api", suffixes = [".my.harbour.example"] }"#;

const KEY_PAIR: &str = r#"strategy = { name = "snowflake_key_pair", account = "account", user = "user", private_key = "private_key", passphrase = "passphrase" }"#;

/// One login option of Microsoft Entra ID.
fn entra(id: &str, flow: &str, secret: Option<(&str, &str)>, scope: &str) -> String {
    let how = format!(
        r#"hosts = ["login.microsoftonline.com", "graph.microsoft.com"]
roles = [{{ id = "authority", hosts = ["login.microsoftonline.com"] }}, {{ id = "api", hosts = ["graph.microsoft.com"] }}]
needs = ["Policy.Read.All"]
[login.strategy]
name = "entra"
authority = "authority"
tenant = "tenant"
client_id = "client_id"
scope = "{scope}"
flow = {flow}"#
    );
    // Refresh tokens alone end unused.
    let user = flow.contains("device_code") || flow.contains("browser");
    let unused = if user { "unused = { days = 90, source = \"https://docs.harbour.example/tokens\" }\n" } else { "" };
    let how = format!("{unused}{how}");
    let fields: Vec<_> = [("tenant", "format = \"entra_tenant\""), ("client_id", "format = \"guid\"")].into_iter().chain(secret).collect();
    login(id, &[&how], &fields)
}

const TENANT: &str = "8a1f5d2e-0c3b-4f6a-9d7e-112233445566";
const CLIENT: &str = "2b7c9e40-5f1d-4a8b-b3c6-665544332211";

fn all_ways(folder: &Path) -> Catalog {
    let user = "https://graph.microsoft.com/Policy.Read.All";
    let application = "https://graph.microsoft.com/.default";
    let logins = [
        login("browser", &[BROWSER], &[("realm", TEXT), ("client_id", TEXT), ("client_secret", SECRET)]),
        login("named", &[NAMED], &[("client_id", TEXT)]),
        login(
            "key",
            &[ON_API, KEY_PAIR],
            &[
                ("account", TEXT),
                ("user", TEXT),
                ("private_key", "secret = true\nformat = \"private_key\""),
                ("passphrase", "secret = true\noptional = true\nformat = \"password\""),
            ],
        ),
        entra("secret", r#"{ kind = "secret", secret = "secret" }"#, Some(("secret", SECRET)), application),
        entra(
            "certificate",
            r#"{ kind = "certificate", pem = "pem" }"#,
            Some(("pem", "secret = true\nformat = \"certificate_and_key\"")),
            application,
        ),
        entra("device", r#"{ kind = "device_code" }"#, None, user),
        entra("page", r#"{ kind = "browser" }"#, None, user),
    ];
    let answers = answer("/v1/me", "body = { id = 7 }") + &answer("/v1/settings", "body = { sso = true }");
    let microsoft = format!("tenant = \"{TENANT}\"\nclient_id = \"{CLIENT}\"\n");
    let tenants = [
        ("browser", "realm = \"halden\"\nclient_id = \"client-1\"\nclient_secret = \"s3cret+/=\"\n", "[authorize]\napprove = true\n"),
        ("named", "client_id = \"client-2\"\n", "[authorize]\napprove = true\n"),
        (
            "key",
            "account = \"halden-moor.eu-central-1\"\nuser = \"scanner\"\npassphrase = \"open sesame\"\nprivate_key = \"{{private_key:rsa,passphrase=open sesame}}\"\n",
            "",
        ),
        ("secret", &format!("{microsoft}secret = \"pX8Q~value-of-the-secret\"\n"), ""),
        ("certificate", &format!("{microsoft}pem = \"{{{{certificate_and_key:until=2040}}}}\"\n"), ""),
        ("device", &microsoft, "[entra]\napprove = true\n"),
        ("page", &microsoft, "[entra]\napprove = true\n"),
    ]
    .map(|(login, fields, table)| (login, format!("{fields}{table}{answers}")));
    harbour::catalog(folder, &format!("{HEAD}{}", logins.concat()), &(me() + &settings()), &single_sign_on(), &tenants)
}

struct Try {
    app: Arc<catalog::App>,
    files: SandboxTenant,
    inputs: BTreeMap<String, String>,
    credentials: Credentials,
    name: String,
    sandbox: Sandbox,
    clock: Arc<SteppingClock>,
    came_to: Arc<Mutex<Vec<Visited>>>,
}

impl Try {
    async fn at(catalog: &Catalog, slug: &str, tenant: &str, change: impl FnOnce(&mut SandboxTenant)) -> Self {
        let app = catalog.app(slug).unwrap().unwrap();
        let mut files = catalog.sandbox_tenants(slug).unwrap().into_iter().find(|known| known.id == tenant).unwrap();
        change(&mut files);
        let clock = SteppingClock::at(today());
        let told = Arc::clone(&clock);
        let prepared = Tenant::new(&files, &app, today()).unwrap_or_else(|error| panic!("{tenant}: {error}"));
        let (mut inputs, mut credentials) = (BTreeMap::new(), Credentials::new());
        for field in &app.login(&files.login).unwrap().fields {
            match prepared.fields().get(&field.id) {
                Some(value) if field.secret => drop(credentials.insert(field.id.clone(), SecretString::from(value.clone()))),
                Some(value) => drop(inputs.insert(field.id.clone(), value.clone())),
                None => {}
            }
        }
        let name = prepared.name().to_owned();
        let sandbox = Sandbox::start(vec![prepared.into()], Arc::new(move || told.now())).await.unwrap();
        Self { app, files, inputs, credentials, name, sandbox, clock, came_to: Arc::default() }
    }

    async fn sign_in(&self) -> Result<Session, ConnectError> {
        self.sign_in_with(&Credentials::new()).await
    }

    /// With what an earlier sign-in left, or other secrets.
    async fn sign_in_with(&self, more: &Credentials) -> Result<Session, ConnectError> {
        let mut credentials = self.credentials.clone();
        credentials.extend(more.clone());
        let browser = Follows { sandbox: self.sandbox.address(), ca_pem: self.sandbox.ca_pem().to_owned(), came_to: self.came_to.clone() };
        let steps: Mutex<Vec<SignInStep>> = Mutex::default();
        let signed = connect::sign_in(SignIn {
            app: &self.app,
            login: self.app.login(&self.files.login).unwrap(),
            inputs: &self.inputs,
            credentials: &credentials,
            route: &Route::sandbox(self.sandbox.address(), self.sandbox.ca_pem()).unwrap(),
            limits: Limits::default(),
            clock: Arc::new(Patient { clock: self.clock.clone(), waits: true.into() }),
            ledger: Arc::new(MemoryLedger::default()),
            browser: Arc::new(browser),
            cancel: CancellationToken::new(),
            events: &|step| steps.lock().unwrap().push(step),
        })
        .await;
        let told = serde_json::to_string(&steps.into_inner().unwrap()).unwrap();
        for secret in credentials.values() {
            assert!(!told.contains(secret.expose_secret()), "a secret is told");
        }
        signed
    }

    async fn refused(&self) -> &'static str {
        match self.sign_in().await {
            Ok(_) => panic!("{} let us in", self.name),
            Err(error) => error.code(),
        }
    }

    async fn reads(&self, session: &Session, dataset: &str) {
        let mut shelf = Shelf::default();
        connect::collect(session, &self.app, &[dataset], connect::Resume::default(), &mut shelf, CancellationToken::new()).await.unwrap();
        assert_eq!(shelf.completeness[dataset], Completeness::Complete, "{}", self.name);
    }

    fn change(&self, change: OverlayChange) {
        self.sandbox.overlay().apply(change).unwrap();
    }
}

fn secret(name: &str, value: &str) -> Credentials {
    Credentials::from([(name.to_owned(), SecretString::from(value.to_owned()))])
}

const WAYS: [&str; 7] = ["browser", "named", "key", "secret", "certificate", "device", "page"];

#[tokio::test]
async fn each_way_signs_in_reads_and_goes_on_after_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = all_ways(folder.path());
    for way in WAYS {
        let at = Try::at(&catalog, "harbour", way, |_| {}).await;
        let session = at.sign_in().await.unwrap_or_else(|error| panic!("{way}: {} {error}", error.code()));
        at.reads(&session, "settings").await;
        // In the middle of a scan the token ends, and another one is fetched or signed.
        at.clock.pass(jiff::SignedDuration::from_mins(61));
        at.reads(&session, "settings").await;
        assert!(at.sandbox.refused().is_empty(), "{way}: {:?}", at.sandbox.refused());
        if ["browser", "named", "page"].contains(&way) {
            assert_eq!(*at.came_to.lock().unwrap(), [Visited::Returned(200)], "{way}");
        }
        // A later scan needs nobody.
        let pages = at.came_to.lock().unwrap().len();
        at.sign_in_with(&session.keepsakes()).await.unwrap_or_else(|error| panic!("{way}, again: {error}"));
        if !session.keepsakes().is_empty() {
            assert_eq!(at.came_to.lock().unwrap().len(), pages, "{way}: nobody is asked");
        }
    }
}

#[tokio::test]
async fn a_wrong_credential_is_refused_by_each_vendor() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = all_ways(folder.path());
    let others_key = {
        let other = Try::at(&catalog, "harbour", "certificate", |files| files.id = "other".into()).await;
        other.credentials["pem"].clone()
    };
    let key_of_another = {
        let other = Try::at(&catalog, "harbour", "key", |files| files.id = "other".into()).await;
        other.credentials["private_key"].clone()
    };
    for (way, wrong, code) in [
        ("browser", secret("client_secret", "another"), "E-OAUTH-CLIENT"),
        ("key", Credentials::from([("private_key".into(), key_of_another)]), "E-KEY-REFUSED"),
        ("key", secret("passphrase", "another"), "E-PRIVATE-KEY-PASSPHRASE"),
        ("secret", secret("secret", "another~value-of-the-secret"), "E-AADSTS-7000215"),
        ("certificate", Credentials::from([("pem".into(), others_key)]), "E-AADSTS-700027"),
    ] {
        let at = Try::at(&catalog, "harbour", way, |_| {}).await;
        let error = at.sign_in_with(&wrong).await.map(|_| ()).unwrap_err();
        assert_eq!(error.code(), code, "{way}: {error}");
    }
    // Another tenant than the one that is there; another application.
    for (field, value, code) in [
        ("tenant", "00000000-0000-4000-8000-000000000000", "E-AADSTS-90002"),
        ("client_id", "00000000-0000-4000-8000-000000000000", "E-AADSTS-700016"),
    ] {
        let mut at = Try::at(&catalog, "harbour", "secret", |_| {}).await;
        at.inputs.insert(field.into(), value.into());
        assert_eq!(at.refused().await, code);
    }
    let at = Try::at(&catalog, "harbour", "secret", |files| files.sign_in.entra.government = true).await;
    assert_eq!(at.refused().await, "E-ENTRA-OTHER-CLOUD");
    // A certificate that ended.
    let at = Try::at(&catalog, "harbour", "certificate", |files| {
        files.fields.insert("pem".into(), "{{certificate_and_key:until=2020}}".into());
    })
    .await;
    assert_eq!(at.refused().await, "E-CERTIFICATE-EXPIRED");
}

#[tokio::test]
async fn where_nobody_approves_the_sign_in_ends() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = all_ways(folder.path());
    for (way, code) in [("browser", "E-OAUTH-BROWSER-TIME"), ("page", "E-ENTRA-BROWSER-TIME"), ("device", "E-ENTRA-CODE-EXPIRED")] {
        let at = Try::at(&catalog, "harbour", way, |files| files.sign_in.authorize.approve = false).await;
        assert_eq!(at.refused().await, code, "{way}");
    }
}

#[tokio::test]
async fn refresh_tokens_replace_themselves_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = all_ways(folder.path());
    for (way, again) in [("browser", "E-OAUTH-SIGN-IN-AGAIN"), ("device", "E-ENTRA-SIGN-IN-AGAIN"), ("page", "E-ENTRA-SIGN-IN-AGAIN")] {
        let at = Try::at(&catalog, "harbour", way, |_| {}).await;
        let session = at.sign_in().await.unwrap();
        let first = session.keepsakes();
        at.clock.pass(jiff::SignedDuration::from_mins(61));
        at.reads(&session, "settings").await;
        let next = session.keepsakes();
        assert_ne!(
            first.values().next().unwrap().expose_secret(),
            next.values().next().unwrap().expose_secret(),
            "{way}: what is kept is the newest"
        );
        // The one before was used, and is good for nothing.
        assert_eq!(at.sign_in_with(&first).await.map(|_| ()).unwrap_err().code(), again, "{way}");
        at.sign_in_with(&next).await.unwrap_or_else(|error| panic!("{way}: {error}"));
        // Revoked at the vendor.
        let last = at.sign_in().await.unwrap().keepsakes();
        at.change(OverlayChange::Revoke { tenant: at.name.clone() });
        assert_eq!(at.sign_in_with(&last).await.map(|_| ()).unwrap_err().code(), again, "{way}");
    }
    // One that stays.
    let at = Try::at(&catalog, "harbour", "browser", |files| files.sign_in.authorize.refresh = SandboxRefresh::Stays).await;
    let kept = at.sign_in().await.unwrap().keepsakes();
    for _ in 0..2 {
        at.sign_in_with(&kept).await.unwrap();
    }
    let at = Try::at(&catalog, "harbour", "browser", |files| files.sign_in.authorize.refresh = SandboxRefresh::None).await;
    assert_eq!(at.refused().await, "E-OAUTH-NO-REFRESH");
}

#[tokio::test]
async fn github_is_read_as_an_app_and_by_device_code() {
    let catalog = Catalog::built_in().unwrap();
    for tenant in ["app", "device", "app-server", "device-server"] {
        let at = Try::at(&catalog, "github-enterprise", tenant, |_| {}).await;
        let session = at.sign_in().await.unwrap_or_else(|error| panic!("{tenant}: {} {error}", error.code()));
        at.reads(&session, "org").await;
        at.clock.pass(jiff::SignedDuration::from_mins(61));
        at.reads(&session, "repos").await;
        at.sign_in_with(&session.keepsakes()).await.unwrap();
        assert!(at.sandbox.refused().is_empty(), "{tenant}: {:?}", at.sandbox.refused());
        let hosts: Vec<String> = at.sandbox.log().into_iter().map(|seen| seen.host).collect();
        assert_eq!(hosts.iter().all(|host| host.ends_with("haldenmoor.example")), tenant.ends_with("server"), "{tenant}");
    }
    for (state, code) in [(InstallationState::Suspended, "E-GITHUB-SUSPENDED"), (InstallationState::Absent, "E-GITHUB-NOT-INSTALLED")] {
        let at = Try::at(&catalog, "github-enterprise", "app", |files| files.sign_in.installation.state = state).await;
        assert_eq!(at.refused().await, code);
    }
    let at = Try::at(&catalog, "github-enterprise", "app", |files| {
        files.sign_in.installation.permissions = Some(BTreeMap::from([("issues".into(), "write".into())]));
    })
    .await;
    assert_eq!(at.refused().await, "E-GITHUB-PERMISSIONS");
    let mut at = Try::at(&catalog, "github-enterprise", "app", |_| {}).await;
    at.inputs.insert("app_id".into(), "11".into());
    assert_eq!(at.refused().await, "E-GITHUB-APP");
    // A token that never ends, revoked.
    let at = Try::at(&catalog, "github-enterprise", "device", |_| {}).await;
    let kept = at.sign_in().await.unwrap().keepsakes();
    at.change(OverlayChange::Revoke { tenant: at.name.clone() });
    assert_eq!(at.sign_in_with(&kept).await.map(|_| ()).unwrap_err().code(), "E-OAUTH-SIGN-IN-AGAIN");
}

/// A console with an instance of a person's, whose refresh tokens are good for one use each.
struct Held {
    console: Console,
    options: Options,
    vault: std::path::PathBuf,
    clock: Arc<SteppingClock>,
    vendor: Arc<Sandbox>,
    tenant: String,
    id: String,
    _folder: tempfile::TempDir,
}

impl Held {
    async fn new() -> Self {
        Self::by("device").await
    }

    /// Signed in to by this login option.
    async fn by(login: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = all_ways(folder.path());
        let app = catalog.app("harbour").unwrap().unwrap();
        let files = catalog.sandbox_tenants("harbour").unwrap().into_iter().find(|known| known.id == login).unwrap();
        let tenant = Tenant::new(&files, &app, today()).unwrap();
        let secrets = tenant.fields().clone();
        let (name, clock) = (tenant.name().to_owned(), SteppingClock::at(today()));
        let told = Arc::clone(&clock);
        let vendor = company::serving(tenant, Arc::new(move || told.now())).await;
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        options.browser = Arc::new(NoBrowser);
        options.catalog_folder = Some(folder.path().to_owned());
        let vault = options.data_folder.join("vault");
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let draft = console.open_draft("harbour", login).unwrap();
        for field in app.login(login).unwrap().fields.iter().filter(|field| field.secret) {
            console.check_field(&draft, &field.id, SecretString::from(secrets[&field.id].clone())).unwrap();
        }
        let request = AddInstance {
            app: "harbour".into(),
            login: login.into(),
            inputs: vec![company::input("tenant", TENANT), company::input("client_id", CLIENT)],
            ..company::request(&vendor)
        };
        let id = console.connect(&draft, request, quiet()).await.unwrap();
        Self { console, options, vault, clock, vendor: Arc::new(vendor), tenant: name, id, _folder: folder }
    }

    fn change(&self, change: OverlayChange) {
        self.vendor.overlay().apply(change).unwrap();
    }

    /// What is sealed cannot be changed from now on, or can again.
    fn seals(&self, seals: bool) {
        let lock = self.vault.join("vault.lock");
        if seals {
            fs::remove_dir(&lock).unwrap();
        } else {
            fs::remove_file(&lock).unwrap();
            fs::create_dir(&lock).unwrap();
        }
    }

    /// The newest requests of the log, newest first.
    async fn requests(&self) -> Vec<posture_core::screen::Request> {
        self.console.requests(Some(self.id.clone()), Slice { offset: 0, limit: 100 }).await.unwrap().rows
    }
}

fn quiet() -> Listener {
    Arc::new(|_event| {})
}

/// Tells when a step has come to a state.
fn once(step: Step, state: StepState) -> (Listener, Arc<tokio::sync::Notify>) {
    let there = Arc::new(tokio::sync::Notify::new());
    let tell = Arc::clone(&there);
    let listener: Listener = Arc::new(move |event| {
        if matches!(event, Progress::Step { step: known, state: come_to, .. } if known == step && come_to == state) {
            tell.notify_one();
        }
    });
    (listener, there)
}

/// A refresh token that is good for one use was used, and the sign-in failed after it: what replaced it is sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_fails_after_its_refresh_token_was_used_leaves_the_next_one_what_it_needs() {
    let held = Held::new().await;
    for tested in [false, true] {
        held.clock.pass(jiff::SignedDuration::from_mins(61));
        let fault = Fault::Status { status: 500, retry_after: None };
        held.change(OverlayChange::Fault { tenant: held.tenant.clone(), answer: Some("me".into()), fault, times: None, from_page: None });
        let failure = match tested {
            false => held.console.scan(&held.id, quiet()).await.map(|_| ()).unwrap_err(),
            true => held.console.test_instance(&held.id, quiet()).await.map(|_| ()).unwrap_err(),
        };
        assert_eq!(failure.code, "E-VENDOR-ERROR", "{failure:?}");
        held.change(OverlayChange::Mend { tenant: held.tenant.clone(), answer: None });
        held.console.scan(&held.id, quiet()).await.unwrap_or_else(|failure| panic!("tested {tested}: {failure:?}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_is_being_exchanged_when_a_test_is_cancelled_is_not_lost() {
    let held = Held::new().await;
    let (listener, signed_in) = once(Step::SignIn, StepState::Done);
    // The token ends as soon as it was accepted, and the next one takes its time.
    let (clock, tenant) = (Arc::clone(&held.clock), held.tenant.clone());
    let vendor = Arc::clone(&held.vendor);
    let ending: Listener = Arc::new(move |event| {
        if matches!(event, Progress::Step { step: Step::SignIn, state: StepState::Done, .. }) {
            clock.pass(jiff::SignedDuration::from_mins(61));
            let change = OverlayChange::Latency { tenant: tenant.clone(), answer: None, milliseconds: 3_000 };
            vendor.overlay().apply(change).unwrap();
        }
        listener(event);
    });
    let (console, id) = (held.console.clone(), held.id.clone());
    let testing = tokio::spawn(async move { console.test_instance(&id, ending).await });
    signed_in.notified().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
    held.console.cancel(&held.console.jobs()[0].id);
    assert_eq!(testing.await.unwrap().unwrap_err().code, "E-CANCELLED");
    held.change(OverlayChange::Clear { tenant: None });
    let newest = held.requests().await.remove(0);
    assert!(newest.path.ends_with("/token") && newest.status == Some(200), "it was waited for: {newest:?}");
    held.console.scan(&held.id, quiet()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sign_in_left_is_sealed_later_where_it_cannot_be_at_once() {
    let held = Held::new().await;
    for tested in [false, true] {
        held.seals(false);
        held.change(OverlayChange::Latency { tenant: held.tenant.clone(), answer: Some("settings".into()), milliseconds: 3_000 });
        let (console, id) = (held.console.clone(), held.id.clone());
        let (listener, begun) = if tested { once(Step::SignIn, StepState::Done) } else { once(Step::Scan, StepState::Running) };
        let using = tokio::spawn(async move {
            match tested {
                false => console.scan(&id, listener).await.map(|_| ()),
                true => console.test_instance(&id, listener).await.map(|_| ()),
            }
        });
        begun.notified().await;
        tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
        held.seals(true);
        using.await.unwrap().unwrap_or_else(|failure| panic!("tested {tested}: {failure:?}"));
        held.change(OverlayChange::Clear { tenant: None });
        held.console.scan(&held.id, quiet()).await.unwrap_or_else(|failure| panic!("tested {tested}: {failure:?}"));
    }
    // To the last, it is told, and what was asked stands in the log.
    held.seals(false);
    let before = held.requests().await.len();
    let failure = held.console.test_instance(&held.id, quiet()).await.unwrap_err();
    assert!(failure.code.starts_with("E-VAULT"), "{failure:?}");
    assert!(held.requests().await.len() > before + 2, "the sign-in and what was read");
}

/// A refresh token ends unless it is used: with a third of its days left it is, though nothing is scanned by schedule, once, by one
/// of two processes, and what replaced it is sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_would_end_unused_is_used_in_time() {
    let held = Held::new().await;
    let other = Console::new(held.options.clone()).unwrap();
    other.start().await.unwrap();
    held.console.set_schedule(&held.id, ScheduleChoice::Off).await.unwrap();
    let (mut here, mut there) = (held.console.watch_turns(), other.watch_turns());
    let page = async || held.console.instance(&held.id).await.unwrap();
    let ends = async || page().await.instance.credential.unwrap();
    let both = async || {
        let (one, two) = tokio::join!(held.console.scan_due(), other.scan_due());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.complete + two.complete, one.failed + two.failed), (0, 0), "no scan");
    };
    let acts = async |what: &str| {
        let acts = held.console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
        acts.iter().filter(|act| act.what == what && act.who == "schedule").count()
    };
    let day = jiff::SignedDuration::from_hours(24);
    assert_eq!((ends().await.days_left, ends().await.by, ends().await.soon), (90, EndsBy::Unused, false));

    held.clock.pass(day * 59);
    let before = held.requests().await.len();
    both().await;
    assert_eq!(held.requests().await.len(), before, "there is time");
    held.clock.pass(day);
    both().await;
    let asked = held.requests().await.len();
    assert!(asked > before);
    assert_eq!((acts("credential used in time").await, ends().await.days_left), (1, 90));
    assert_eq!(page().await.scans.len(), 1, "it is no scan");
    both().await;
    assert_eq!(held.requests().await.len(), asked, "once");

    // The one-time token that came of it opens the next sign-in, and a scan counts as a use.
    held.clock.pass(day * 30);
    held.console.scan(&held.id, quiet()).await.unwrap();
    held.clock.pass(day * 40);
    both().await;
    assert_eq!((acts("credential used in time").await, page().await.scans.len()), (1, 2));

    // A fault of the vendor's is no fault of the instance's, and passes.
    held.clock.pass(day * 20);
    let fault = Fault::Status { status: 500, retry_after: None };
    held.change(OverlayChange::Fault { tenant: held.tenant.clone(), answer: Some("me".into()), fault, times: None, from_page: None });
    both().await;
    assert_eq!((acts("credential not used in time").await, page().await.instance.health), (1, Health::Up));
    held.change(OverlayChange::Mend { tenant: held.tenant.clone(), answer: None });
    both().await;
    assert_eq!(acts("credential used in time").await, 1, "not before tomorrow");
    held.clock.pass(day);
    both().await;
    assert_eq!((acts("credential used in time").await, ends().await.days_left), (2, 90));

    // The vendor refuses it: that is the health of the instance, and it stays refused.
    held.change(OverlayChange::Revoke { tenant: held.tenant.clone() });
    held.clock.pass(day * 60);
    both().await;
    let asked = held.vendor.log().len();
    for hours in [1, 23, 25] {
        held.clock.pass(jiff::SignedDuration::from_hours(hours));
        both().await;
        assert_eq!((acts("credential not used in time").await, held.vendor.log().len()), (2, asked), "once before, and now once");
    }
    let instance = page().await.instance;
    assert_eq!((instance.health, instance.cause.unwrap().kind.as_str()), (Health::Down, "credential_refused"));
    let turns = std::iter::from_fn(|| here.try_recv().ok()).chain(std::iter::from_fn(|| there.try_recv().ok()));
    assert_eq!(turns.filter(|turn| turn.after == Health::Down).count(), 1, "told by the process that found it");

    // It has been so since, until somebody signs in again.
    held.clock.pass(day * 6 - jiff::SignedDuration::from_hours(1));
    let mut heard = held.console.watch_credentials();
    held.console.scan_due().await.unwrap();
    assert_eq!(heard.try_recv().map(|ending| (ending.end.days_left, ending.end.by)).ok(), None, "22 days are left");
    held.clock.pass(day * 15);
    held.console.scan_due().await.unwrap();
    assert_eq!(heard.try_recv().map(|ending| (ending.end.days_left, ending.end.by)).ok(), Some((7, EndsBy::Unused)));
    held.change(OverlayChange::Restore { tenant: held.tenant.clone() });
    held.console.test_instance(&held.id, quiet()).await.unwrap();
    held.clock.pass(day * 60);
    both().await;
    assert_eq!((acts("credential used in time").await, ends().await.days_left), (3, 90), "the refusal was before");
}

/// What has ended is refused: it is not asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_has_ended_unused_is_left_alone() {
    let held = Held::new().await;
    held.console.set_schedule(&held.id, ScheduleChoice::Off).await.unwrap();
    held.clock.pass(jiff::SignedDuration::from_hours(90 * 24));
    let asked = held.vendor.log().len();
    held.console.scan_due().await.unwrap();
    assert_eq!(held.vendor.log().len(), asked);
    let page = held.console.instance(&held.id).await.unwrap();
    let end = page.instance.credential.unwrap();
    assert_eq!((end.days_left, end.soon, page.scans.len()), (0, true, 1));
}

/// What the open window does, though nothing is ever due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_keeps_the_schedule_uses_it_in_time() {
    let held = Held::new().await;
    held.console.set_schedule(&held.id, ScheduleChoice::Off).await.unwrap();
    held.clock.pass(jiff::SignedDuration::from_hours(61 * 24));
    let used = async {
        let used = async || {
            let acts = held.console.activity(Slice { offset: 0, limit: 100 }).await.unwrap().rows;
            acts.iter().any(|act| act.what == "credential used in time")
        };
        while !used().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    };
    let looking = async {
        tokio::select! { () = held.console.keep_schedule() => false, used = used => used }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap());
    let page = held.console.instance(&held.id).await.unwrap();
    assert_eq!((page.instance.credential.unwrap().days_left, page.scans.len()), (90, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_says_itself_when_it_ends() {
    let held = Held::by("certificate").await;
    let end = held.console.instance(&held.id).await.unwrap().instance.credential.unwrap();
    assert_eq!((end.by, end.soon, &end.at[..4]), (EndsBy::Certificate, false, "2040"));
}
