//! Signing in at the simulated identity providers and token endpoints with the unchanged connectors: every way in that the
//! catalog's tenants offer, on both of Okta's engines, and every way in which it can fail.
use crate::scene;

use catalog::{App, Catalog, CauseKind, OktaEngine, OktaFactor, SandboxOkta, SandboxTenant, SecondFactor, Strategy};
use connect::{Clock, CodeLedger, ConnectError, Limits, NoBrowser, Route, Session, SignIn, SinkError};
use futures::future::BoxFuture;
use posture_core::{
    Console, Listener, Options,
    screen::{AddInstance, Health, Input, Progress, Protection, RouteChoice, SandboxScope, Slice, Step, StepState, TenantChoice},
};
use sandbox::{Fault, OverlayChange, Sandbox, Tenant};
use scene::{Scene, SteppingClock, promise, today};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// Remembers one-time codes in memory.
#[derive(Default)]
struct Codes(Mutex<BTreeMap<String, u64>>);

impl CodeLedger for Codes {
    fn enter<'a>(&'a self, _account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>, SinkError>> {
        Box::pin(async { Ok(Box::new(()) as Box<dyn Send>) })
    }
    fn claim(&self, account: &str, step: u64) -> Result<bool, SinkError> {
        let mut steps = self.0.lock().unwrap();
        let fresh = steps.get(account).is_none_or(|last| *last < step);
        if fresh {
            steps.insert(account.to_owned(), step);
        }
        Ok(fresh)
    }
    fn refused(&self, _account: &str, _secret: &SecretString) -> Result<Option<jiff::Timestamp>, SinkError> {
        Ok(None)
    }
    fn settle(&self, _account: &str, _secret: &SecretString, _refused_at: Option<jiff::Timestamp>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A simulated tenant, and somebody who signs in there.
struct Try {
    app: Arc<App>,
    files: SandboxTenant,
    fields: BTreeMap<String, String>,
    name: String,
    sandbox: Sandbox,
    clock: Arc<SteppingClock>,
    codes: Arc<Codes>,
}

impl Try {
    async fn at(slug: &str, tenant: &str, change: impl FnOnce(&mut SandboxTenant)) -> Self {
        let catalog = Catalog::built_in().unwrap();
        let app = catalog.app(slug).unwrap().unwrap();
        let mut files = catalog.sandbox_tenants(slug).unwrap().into_iter().find(|known| known.id == tenant).unwrap();
        change(&mut files);
        let clock = SteppingClock::at(today());
        let told = Arc::clone(&clock);
        let prepared = Tenant::new(&files, &app, today()).unwrap();
        let (fields, name) = (prepared.fields().clone(), prepared.name().to_owned());
        // One clock for both sides: what the program waits for passes at the vendor too.
        let sandbox = Sandbox::start(vec![prepared.into()], Arc::new(move || told.now())).await.unwrap();
        Self { app, files, fields, name, sandbox, clock, codes: Arc::default() }
    }

    async fn okta(slug: &str, okta: impl FnOnce(&mut SandboxOkta)) -> Self {
        Self::at(slug, "risky", |files| okta(files.okta.as_mut().unwrap())).await
    }

    fn change(&self, change: OverlayChange) {
        self.sandbox.overlay().apply(change).unwrap();
    }

    fn tenant(&self) -> String {
        self.name.clone()
    }

    async fn sign_in(&self) -> Result<Session, ConnectError> {
        let login = self.app.login(&self.files.login).unwrap();
        let route = Route::sandbox(self.sandbox.address(), self.sandbox.ca_pem()).unwrap();
        let (mut inputs, mut credentials) = (BTreeMap::new(), BTreeMap::new());
        for field in &login.fields {
            if let Some(value) = self.fields.get(&field.id) {
                if field.secret {
                    credentials.insert(field.id.clone(), SecretString::from(value.clone()));
                } else {
                    inputs.insert(field.id.clone(), value.clone());
                }
            }
        }
        connect::sign_in(SignIn {
            app: &self.app,
            login,
            inputs: &inputs,
            credentials: &credentials,
            route: &route,
            limits: Limits::default(),
            clock: self.clock.clone(),
            ledger: self.codes.clone(),
            browser: Arc::new(NoBrowser),
            cancel: tokio_util::sync::CancellationToken::new(),
            events: &|_step| {},
        })
        .await
    }

    /// The code of the end that signing in comes to.
    async fn fails(&self) -> String {
        match self.sign_in().await {
            Ok(_) => "signed in".to_owned(),
            Err(ConnectError::SignInFailed { code, sentence, remedy, .. }) => {
                assert!(!sentence.is_empty() && !remedy.is_empty(), "{code}");
                code.to_owned()
            }
            Err(other) => other.to_string(),
        }
    }

    fn asked(&self, path: &str) -> usize {
        self.sandbox.log().iter().filter(|seen| seen.path == path).count()
    }
}

/// Applications whose risky tenant signs in through Okta.
const THROUGH_OKTA: [&str; 2] = ["customer-io", "convo"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tenant_of_the_catalog_signs_in_and_is_read() {
    let catalog = Catalog::built_in().unwrap();
    let (mut okta, mut exchanged) = (0, 0);
    for tile in catalog.tiles() {
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        for tenant in catalog.sandbox_tenants(&tile.slug).unwrap() {
            match app.login(&tenant.login).map(|login| &login.strategy) {
                Some(Strategy::Okta(_)) => okta += 1,
                Some(Strategy::ClientCredentials(_)) => exchanged += 1,
                Some(
                    Strategy::Bearer { .. }
                    | Strategy::Headers { .. }
                    | Strategy::Basic { .. }
                    | Strategy::Assertion(_)
                    | Strategy::Entra(_)
                    | Strategy::AuthorizationCode(_)
                    | Strategy::DeviceCode(_)
                    | Strategy::GithubApp(_)
                    | Strategy::SnowflakeKeyPair(_),
                )
                | None => continue,
            }
            let scene = Scene::of_tenant(&catalog, &tile.slug, &tenant.id).await;
            let rows: usize = scene.collect().await.values().map(|collected| collected.rows.len()).sum();
            assert!(rows > 0, "{} holds nothing", scene.name);
            assert_eq!(scene.sandbox.messages(), 0, "{}", scene.name);
        }
    }
    assert!(okta >= 2 && exchanged >= 1, "{okta} through Okta, {exchanged} by a token endpoint: the catalog's tenants were not there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_organization_lets_the_user_in_without_ringing_a_phone() {
    let all = [OktaFactor::Push, OktaFactor::Sms, OktaFactor::OktaVerify, OktaFactor::Call, OktaFactor::Google];
    let factors = [vec![OktaFactor::Google], vec![OktaFactor::OktaVerify], all.to_vec(), vec![OktaFactor::Push, OktaFactor::OktaVerify]];
    let mut breaches = Vec::new();
    let mut cases = 0;
    for slug in THROUGH_OKTA {
        for engine in [OktaEngine::Classic, OktaEngine::IdentityEngine] {
            for second_factor in [SecondFactor::Organization, SecondFactor::Application] {
                for factors in &factors {
                    for (classic_api, one_step, interludes) in
                        [(true, false, false), (false, false, true), (false, true, false), (true, true, true)]
                    {
                        let visit = Try::okta(slug, |okta| {
                            (okta.engine, okta.second_factor, okta.factors) = (engine, second_factor, factors.clone());
                            (okta.classic_api, okta.one_step) = (classic_api, one_step);
                            (okta.keep_me_signed_in, okta.password_warning) = (interludes, interludes);
                        })
                        .await;
                        cases += 1;
                        let came = visit.sign_in().await.err();
                        if came.is_some() || visit.sandbox.messages() > 0 {
                            breaches.push(format!("{slug} {:?}: {came:?}", visit.files.okta));
                        }
                    }
                }
            }
        }
    }
    promise("okta-simulated", cases, breaches.len());
    assert!(breaches.is_empty(), "{} of {cases}:\n{}", breaches.len(), breaches.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_ends_by_its_name_after_one_password() {
    type Case = (&'static str, fn(String) -> OverlayChange, &'static [&'static str]);
    let cases: [Case; 7] = [
        ("another password", |tenant| OverlayChange::ChangePassword { tenant, password: "another".into() }, &["E-OKTA-PASSWORD"]),
        (
            "another key",
            |tenant| OverlayChange::ChangeMfaKey { tenant, mfa_key: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into() },
            &["E-OKTA-CODE"],
        ),
        ("locked", |tenant| OverlayChange::LockUser { tenant, shown: false }, &["E-OKTA-PASSWORD"]),
        ("locked and said so", |tenant| OverlayChange::LockUser { tenant, shown: true }, &["E-OKTA-LOCKED-OUT", "E-OKTA-PASSWORD"]),
        ("password expired", |tenant| OverlayChange::ExpirePassword { tenant }, &["E-OKTA-PASSWORD-EXPIRED"]),
        ("denied", |tenant| OverlayChange::Deny { tenant }, &["E-OKTA-PASSWORD", "E-OKTA-DENIED"]),
        ("no factor", |tenant| OverlayChange::DropFactor { tenant, factor: OktaFactor::Google }, &["E-OKTA-ENROLLMENT"]),
    ];
    let mut breaches = Vec::new();
    for slug in THROUGH_OKTA {
        for (engine, classic_api) in [(OktaEngine::Classic, true), (OktaEngine::IdentityEngine, true), (OktaEngine::IdentityEngine, false)]
        {
            for (what, change, wanted) in cases {
                let visit = Try::okta(slug, |okta| (okta.engine, okta.classic_api) = (engine, classic_api)).await;
                visit.change(change(visit.tenant()));
                let code = visit.fails().await;
                // The first one is the wrong password that counts; a second would be a step towards a lockout.
                let passwords = visit.asked("/api/v1/authn") * usize::from(classic_api);
                if !wanted.contains(&code.as_str()) || passwords > 1 || visit.sandbox.messages() > 0 {
                    breaches.push(format!("{slug}, {engine:?}, classic {classic_api}, {what}: {code}, {passwords} passwords"));
                }
            }
        }
    }
    promise("okta-simulated", 2 * 3 * cases.len(), breaches.len());
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_assigned_or_signs_in_elsewhere_is_told() {
    for slug in THROUGH_OKTA {
        for engine in [OktaEngine::Classic, OktaEngine::IdentityEngine] {
            let visit = Try::okta(slug, |okta| okta.engine = engine).await;
            visit.change(OverlayChange::Unassign { tenant: visit.tenant() });
            let error = visit.sign_in().await.err().unwrap();
            assert!(matches!(error, ConnectError::SignInFailed { .. }), "{slug} {engine:?}: {error:?}");
            let elsewhere = Try::okta(slug, |okta| (okta.engine, okta.elsewhere) = (engine, true)).await;
            assert_eq!(elsewhere.fails().await, "E-OKTA-OTHER-PROVIDER", "{slug} {engine:?}");
            assert_eq!(elsewhere.asked("/api/v1/authn") + elsewhere.asked("/idp/idx/identify"), 0, "the password was sent");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_learnt_and_a_used_code_is_not_sent_again() {
    for seconds in [-600, -45, 45, 600] {
        let visit = Try::okta("convo", |_| {}).await;
        visit.change(OverlayChange::SkewClock { tenant: visit.tenant(), seconds });
        visit.sign_in().await.unwrap_or_else(|error| panic!("{seconds}: {error}"));
    }
    let visit = Try::okta("convo", |_| {}).await;
    for _ in 0..3 {
        visit.sign_in().await.unwrap_or_else(|error| panic!("{error}"));
    }
    let refused = visit.sandbox.log().iter().filter(|seen| seen.path.ends_with("/verify") && seen.status != 200).count();
    assert_eq!(refused, 0, "a code was sent twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_anywhere_on_the_way_end_it_without_a_second_password() {
    let mut breaches = Vec::new();
    let mut cases = 0;
    // One application by OIDC on one way in, the other by SAML on the other.
    for (slug, classic_api) in [("customer-io", true), ("convo", false)] {
        let clean = Try::okta(slug, |okta| okta.classic_api = classic_api).await;
        clean.sign_in().await.unwrap_or_else(|error| panic!("{slug}: {error}"));
        let mut paths: Vec<String> = clean.sandbox.log().into_iter().map(|seen| seen.path).collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let faults = [
                Fault::Status { status: 403, retry_after: None },
                Fault::Status { status: 429, retry_after: Some(900_000) },
                Fault::Status { status: 500, retry_after: None },
                Fault::Html,
                Fault::HalfJson,
                Fault::Cut,
                Fault::EndlessBody,
                Fault::DeepJson { depth: 100_000 },
                Fault::Redirect { location: "https://evil.test/".into() },
            ];
            for fault in faults {
                cases += 1;
                let visit = Try::okta(slug, |okta| okta.classic_api = classic_api).await;
                visit.change(OverlayChange::Fault {
                    tenant: visit.tenant(),
                    answer: Some(path.clone()),
                    fault: fault.clone(),
                    times: None,
                    from_page: None,
                });
                let came = visit.sign_in().await;
                let asked = |path: &str| visit.sandbox.log().iter().filter(|seen| seen.path == path && seen.method == "POST").count();
                let passwords = if classic_api { asked("/api/v1/authn") } else { asked("/idp/idx/identify") };
                let strangers = visit.sandbox.refused();
                if passwords > 1 || !strangers.is_empty() || visit.sandbox.log().len() > 60 || visit.sandbox.messages() > 0 {
                    breaches.push(format!(
                        "{slug} {path} {fault:?}: {passwords} passwords, {} requests, {strangers:?}, {:?}",
                        visit.sandbox.log().len(),
                        came.err()
                    ));
                }
            }
        }
    }
    promise("okta-simulated", cases, breaches.len());
    assert!(cases > 100, "only {cases} cases");
    assert!(breaches.is_empty(), "{} of {cases}:\n{}", breaches.len(), breaches.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_is_believed_only_for_what_it_grants() {
    let tenant = |catalog: &Catalog| {
        let app = catalog.app("customer-io").unwrap().unwrap();
        let exchanging = |files: &SandboxTenant| matches!(app.login(&files.login).unwrap().strategy, Strategy::ClientCredentials(_));
        catalog.sandbox_tenants("customer-io").unwrap().into_iter().find(|files| exchanging(files)).unwrap().id
    };
    let tenant = tenant(&Catalog::built_in().unwrap());
    let visit = Try::at("customer-io", &tenant, |_| {}).await;
    visit.sign_in().await.unwrap_or_else(|error| panic!("{error}"));
    visit.change(OverlayChange::Grant { tenant: visit.tenant(), scope: "full_access".into() });
    let error = visit.sign_in().await.err().unwrap();
    assert_ne!(error.cause().kind, CauseKind::Connectivity, "{error}");
    visit.change(OverlayChange::Clear { tenant: Some(visit.tenant()) });
    visit.change(OverlayChange::Revoke { tenant: visit.tenant() });
    assert!(visit.sign_in().await.is_err());
}

/// Every file below a folder, read whole.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_onboards_scans_again_and_leaves_no_secret_behind() {
    let catalog = Catalog::built_in().unwrap();
    let clock = SteppingClock::at(today());
    let mut options = Options::scratch().unwrap();
    options.clock = clock.clone();
    let folder = options.data_folder.clone();
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let events: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let told = Arc::clone(&events);
    let listener: Listener = Arc::new(move |event| told.lock().unwrap().push(event));
    let mut secrets = Vec::new();
    let mut choices = Vec::new();
    for slug in THROUGH_OKTA {
        let app = catalog.app(slug).unwrap().unwrap();
        for files in catalog.sandbox_tenants(slug).unwrap() {
            let login = app.login(&files.login).unwrap();
            if matches!(login.strategy, Strategy::Bearer { .. }) {
                continue;
            }
            let secret = login.fields.iter().filter(|field| field.secret).filter_map(|field| files.fields.get(&field.id));
            secrets.extend(secret.cloned());
            choices.push(TenantChoice { app: slug.into(), tenant: files.id });
        }
    }
    assert!(choices.len() >= 3 && secrets.len() >= choices.len(), "{} tenants, {} secrets", choices.len(), secrets.len());
    console.add_sandbox(choices.clone(), Arc::clone(&listener)).await.unwrap();
    let instances = console.instances(SandboxScope::With).await.unwrap();
    assert_eq!(instances.len(), choices.len());
    for instance in &instances {
        assert_eq!((instance.health, &instance.cause), (Health::Up, &None), "{}", instance.name);
        // Signs in anew, with a code that was not sent before.
        console.scan(&instance.id, Arc::clone(&listener)).await.unwrap_or_else(|failure| panic!("{}: {failure:?}", instance.name));
    }
    let told = format!("{:?}", events.lock().unwrap());
    let files = contents(&folder);
    assert!(files.len() > 3);
    for secret in secrets {
        assert!(!told.contains(&secret), "an event holds a secret");
        for (path, bytes) in &files {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{} holds a secret", path.display());
        }
    }
}

/// Scans may run every hour, for every instance that signs in as this user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_password_is_sent_once_by_all_runs_and_again_only_by_a_person() {
    let mut visit = Try::okta(THROUGH_OKTA[0], |okta| (okta.engine, okta.classic_api) = (OktaEngine::Classic, true)).await;
    // As a company's proxy, with an authority of its own: the sandbox's is taken for the console's own instances only.
    let tenant = Tenant::new(&visit.files, &visit.app, today()).unwrap();
    let told = Arc::clone(&visit.clock);
    visit.sandbox = Sandbox::start_under("Halden Moor Proxy CA", vec![tenant.into()], Arc::new(move || told.now())).await.unwrap();
    let visit = visit;
    let mut options = Options::scratch().unwrap();
    options.clock = visit.clock.clone();
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let signed_in: Arc<Mutex<u32>> = Arc::default();
    let told = Arc::clone(&signed_in);
    let listener: Listener = Arc::new(move |event| {
        if matches!(event, Progress::Step { step: Step::SignIn, state: StepState::Done, .. }) {
            *told.lock().unwrap() += 1;
        }
    });
    let login = visit.app.login(&visit.files.login).unwrap();
    let filled =
        |secret: bool| login.fields.iter().filter(move |field| field.secret == secret).filter(|field| visit.fields.contains_key(&field.id));
    let draft = || {
        let draft = console.open_draft(&visit.app.slug, &login.id).unwrap();
        for field in filled(true) {
            console.check_field(&draft, &field.id, SecretString::from(visit.fields[&field.id].clone())).unwrap();
        }
        draft
    };
    let request = AddInstance {
        app: visit.app.slug.clone(),
        login: login.id.clone(),
        name: "Halden Moor".into(),
        label: "Production".into(),
        owner: "Mei Laurent".into(),
        inputs: filled(false).map(|field| Input { field: field.id.clone(), value: visit.fields[&field.id].clone() }).collect(),
        answers: Vec::new(),
        route: RouteChoice {
            proxy: "manual".into(),
            proxy_url: format!("http://{}", visit.sandbox.address()),
            extra_roots_pem: visit.sandbox.ca_pem().to_owned(),
        },
    };
    let id = console.connect(&draft(), request, Arc::clone(&listener)).await.unwrap();

    // Cancelling works also while it is tested what may be read.
    let slow = visit.app.datasets.iter().find(|dataset| dataset.id != login.test && dataset.path.matches('{').count() == 0).unwrap();
    visit.change(OverlayChange::Latency { tenant: visit.tenant(), answer: Some(slow.id.clone()), milliseconds: 60_000 });
    let before = *signed_in.lock().unwrap();
    let testing = tokio::spawn({
        let (console, id, listener) = (console.clone(), id.clone(), Arc::clone(&listener));
        async move { console.test_instance(&id, listener).await }
    });
    while *signed_in.lock().unwrap() == before {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    console.cancel(&console.jobs()[0].id);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), testing).await.expect("it ends at once").unwrap();
    assert_eq!(ended.unwrap_err().code, "E-CANCELLED");
    visit.change(OverlayChange::Clear { tenant: Some(visit.tenant()) });

    visit.change(OverlayChange::ChangePassword { tenant: visit.tenant(), password: "another".into() });
    let passwords = || visit.asked("/api/v1/authn");
    let logged = async || console.requests(Some(id.clone()), Slice { offset: 0, limit: 1 }).await.unwrap().total;
    let (sent, lines) = (passwords(), logged().await);
    let refused = console.test_instance(&id, Arc::clone(&listener)).await.unwrap_err();
    assert_eq!((refused.code.as_str(), passwords() - sent), ("E-OKTA-PASSWORD", 1));
    let after = logged().await;
    assert!(after > lines, "what a failed test asked stands in the log");
    for _ in 0..2 {
        assert_eq!(console.scan(&id, Arc::clone(&listener)).await.unwrap_err().code, "E-OKTA-PASSWORD-KNOWN-WRONG");
    }
    assert_eq!(console.test_instance(&id, Arc::clone(&listener)).await.unwrap_err().code, "E-OKTA-PASSWORD-KNOWN-WRONG");
    assert_eq!((passwords() - sent, logged().await), (1, after), "nothing was asked");

    let refused = console.replace_secret(&draft(), &id, Arc::clone(&listener)).await.unwrap_err();
    assert_eq!((refused.code.as_str(), passwords() - sent), ("E-OKTA-PASSWORD", 2), "a person may try it once more");
    assert!(logged().await > after, "what a failed Reauthenticate asked stands in the log");
    // The account was mended at Okta.
    visit.change(OverlayChange::Clear { tenant: Some(visit.tenant()) });
    console.replace_secret(&draft(), &id, Arc::clone(&listener)).await.unwrap();
    console.scan(&id, listener).await.unwrap();
}
