//! What happens beside a scan, or breaks it off, or fails after it: credentials that are replaced, thresholds that change,
//! instances that are deleted, writes that are refused. Through the public interface, a simulated vendor over real HTTPS, and a
//! real encrypted database.
use crate::company::{self, Company};
use crate::harbour;
use crate::scene;

use jiff::SignedDuration;
use posture_core::{
    Console, Listener, Options, SecretString,
    screen::{
        AddInstance, Finding, FindingFilter, FindingQuery, FindingSort, FindingState, Health, Instance, InstanceChange, InstancePage,
        Outcome, Progress, Protection, SandboxScope, ScheduleChoice, Slice,
    },
};
use sandbox::{Fault, OverlayChange, Sandbox, Tenant};
use scene::{SteppingClock, database, today};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

const KUSTOMER: &str = "kustomer/risky";
/// A dataset that no other rests on, held back to keep a scan running.
const SLOW: &str = "spam-senders";
const ALL: Slice = Slice { offset: 0, limit: 500 };

/// A console with one instance of a vendor whose answers are ours.
struct Desk {
    console: Console,
    options: Options,
    clock: Arc<SteppingClock>,
    vendor: Sandbox,
    key: String,
    events: Arc<Mutex<Vec<Progress>>>,
}

impl Desk {
    /// Nothing is onboarded yet.
    async fn new() -> Self {
        let Company { proxy: vendor, key, .. } = Company::new().await;
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        Self { console, options, clock, vendor, key, events: Arc::default() }
    }

    /// Onboarded and scanned once.
    async fn with_instance() -> Self {
        let desk = Self::new().await;
        desk.connect().await.unwrap();
        desk
    }

    async fn connect(&self) -> Result<String, posture_core::screen::Failure> {
        let draft = self.draft();
        self.console.connect(&draft, company::request(&self.vendor), self.listener()).await
    }

    /// A dialog with the right key.
    fn draft(&self) -> String {
        let draft = self.console.open_draft("kustomer", "api-key").unwrap();
        self.console.check_field(&draft, "api_key", SecretString::from(self.key.clone())).unwrap();
        draft
    }

    fn listener(&self) -> Listener {
        let events = Arc::clone(&self.events);
        Arc::new(move |event| events.lock().unwrap().push(event))
    }

    fn vendor(&self, change: OverlayChange) {
        self.vendor.overlay().apply(change).unwrap();
    }

    fn hold_back(&self, milliseconds: u64) {
        self.vendor(OverlayChange::Latency {
            tenant: KUSTOMER.into(),
            answer: Some(SLOW.into()),
            milliseconds: milliseconds.try_into().unwrap(),
        });
    }

    async fn instance(&self) -> Instance {
        let mut instances = self.console.instances(SandboxScope::With).await.unwrap();
        assert_eq!(instances.len(), 1);
        instances.remove(0)
    }

    async fn page(&self) -> InstancePage {
        self.console.instance(&self.instance().await.id).await.unwrap()
    }

    /// Begins a scan and answers once a dataset is in a state.
    async fn scan_until(&self, dataset: &str, wanted: &str) -> tokio::task::JoinHandle<Result<Outcome, posture_core::screen::Failure>> {
        self.events.lock().unwrap().clear();
        self.clock.pass(SignedDuration::from_mins(10));
        let (console, id, listener) = (self.console.clone(), self.instance().await.id, self.listener());
        let scanning = tokio::spawn(async move { console.scan(&id, listener).await });
        let there = async {
            let there = |event: &Progress| matches!(event, Progress::Dataset { id, state, .. } if id == dataset && state == wanted);
            while !self.events.lock().unwrap().iter().any(there) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), there).await.unwrap_or_else(|_| panic!("{dataset} never was {wanted}"));
        scanning
    }

    /// Leaves a cancelled scan behind, in which a dataset has come to a state.
    async fn break_off(&self, dataset: &str, wanted: &str) {
        self.hold_back(60_000);
        let scanning = self.scan_until(dataset, wanted).await;
        self.console.cancel(&self.console.jobs()[0].id);
        let ended = tokio::time::timeout(Duration::from_secs(30), scanning).await.unwrap().unwrap();
        assert_eq!(ended.unwrap_err().code, "E-CANCELLED");
        assert!(self.instance().await.resumable);
        self.vendor(OverlayChange::Clear { tenant: None });
    }

    /// How many requests the vendor had once the running scan waits for what is held back and for nothing else.
    async fn quiet(&self) -> usize {
        let mut before = self.vendor.log().len();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.vendor.log().len();
            if now == before {
                return now;
            }
            before = now;
        }
    }

    async fn findings(&self, check: &str) -> Vec<Finding> {
        let filter = FindingFilter { checks: vec![check.to_owned()], ..FindingFilter::default() };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        self.console.findings(query).await.unwrap().rows
    }

    fn sealed(&self) -> Vec<PathBuf> {
        let mut sealed: Vec<PathBuf> = fs::read_dir(self.sealed_folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        sealed.sort();
        sealed
    }

    fn sealed_folder(&self) -> PathBuf {
        self.options.data_folder.join("vault").join("instances")
    }

    /// Another process with this data, and perhaps with checks of the user's own.
    async fn another(&self, catalog_folder: Option<&Path>) -> Console {
        let mut options = self.options.clone();
        options.catalog_folder = catalog_folder.map(Path::to_owned);
        let other = Console::new(options).unwrap();
        other.start().await.unwrap();
        other
    }
}

/// A folder that adds one check to Kustomer.
fn own_check(pass: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let built_in = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/kustomer/checks.toml")).unwrap();
    let first = built_in.split("[[check]]").nth(1).unwrap();
    let lines = first.lines().map(|line| match line {
        line if line.starts_with("id = ") => "id = \"kustomer.own.saml\"".to_owned(),
        line if line.starts_with("pass = ") => format!("pass = \"{pass}\""),
        line => line.to_owned(),
    });
    let checks = format!("[[check]]{}\n", lines.collect::<Vec<_>>().join("\n"));
    harbour::write(folder.path(), &[("own/app.toml", "extends = \"kustomer\"\n"), ("own/checks.toml", &checks)]);
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_read_is_asked_for_again_on_resume() {
    let desk = Desk::with_instance().await;
    let fault = Fault::Status { status: 403, retry_after: None };
    desk.vendor(OverlayChange::Fault { tenant: KUSTOMER.into(), answer: Some("users".into()), fault, times: None, from_page: None });
    desk.break_off("users", "unavailable").await;
    let left = desk.page().await.scans[0].id.clone();

    let outcome = desk.console.scan(&desk.instance().await.id, desk.listener()).await.unwrap();
    let page = desk.page().await;
    assert_eq!((&page.scans[0].id, page.scans[0].state.as_str()), (&left, "complete"), "it went on with the scan");
    let users = page.datasets.iter().find(|dataset| dataset.id == "users").unwrap();
    assert_eq!((users.state.as_str(), &users.cause), ("complete", &None));
    assert!(users.rows > 0);
    assert_eq!((outcome.gone, outcome.fixed, outcome.not_rechecked), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_credential_goes_on_with_nothing_of_the_earlier_one() {
    let desk = Desk::with_instance().await;
    desk.break_off("current-token", "complete").await;
    let instance = desk.instance().await;
    let left = desk.page().await.scans[0].id.clone();
    desk.console.replace_secret(&desk.draft(), &instance.id, desk.listener()).await.unwrap();
    let page = desk.page().await;
    assert_eq!(page.scans[0].state, "complete");
    assert_eq!((&page.scans[1].id, page.scans[1].state.as_str()), (&left, "cancelled"), "it is left behind");
    assert!(!page.instance.resumable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_instance_of_the_same_account_is_noticed_by_both() {
    let desk = Desk::with_instance().await;
    let first = desk.page().await.instance;
    assert!(desk.page().await.same_tenant_as.is_empty());
    let request = AddInstance { name: "Once more".into(), ..company::request(&desk.vendor) };
    let second = desk.console.connect(&desk.draft(), request, desk.listener()).await.unwrap();
    assert_eq!(desk.console.instance(&first.id).await.unwrap().same_tenant_as, ["Once more"]);
    assert_eq!(desk.console.instance(&second).await.unwrap().same_tenant_as, [first.name.as_str()]);
    // Another account of the same application is another tenant.
    desk.vendor(OverlayChange::Set {
        tenant: KUSTOMER.into(),
        answer: "current-user".into(),
        field: "data.relationships.org.data.id".into(),
        value: "65a1f0c2d8e4b7a913f0c0ff".into(),
    });
    let request = AddInstance { name: "Elsewhere".into(), ..company::request(&desk.vendor) };
    let third = desk.console.connect(&desk.draft(), request, desk.listener()).await.unwrap();
    assert!(desk.console.instance(&third).await.unwrap().same_tenant_as.is_empty());
}

/// Servers of one's own number their organizations anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_number_on_another_server_is_another_account() {
    const SERVER: &str = r#"hosts = ["{server}"]
roles = [{ id = "api", hosts = ["{server}"] }]
identity = { dataset = "me", field = "id" }
strategy = { name = "bearer", token = "key" }"#;
    let folder = tempfile::tempdir().unwrap();
    let fields = [("server", "format = \"host\""), ("key", harbour::SECRET)];
    let app = format!("{}{}{}", harbour::HEAD, harbour::login("north", &[SERVER], &fields), harbour::login("south", &[SERVER], &fields));
    let answers = harbour::answer("/v1/me", "body = { id = 7 }") + &harbour::answer("/v1/settings", "body = { sso = true }");
    let tenants = ["north", "south"].map(|at| (at, format!("server = \"git.{at}.example\"\nkey = \"opens-nothing-{at}\"\n{answers}")));
    let datasets = harbour::me() + &harbour::settings();
    let catalog = harbour::catalog(folder.path(), &app, &datasets, &harbour::single_sign_on(), &tenants);
    let loaded = catalog.app("harbour").unwrap().unwrap();
    let served = catalog.sandbox_tenants("harbour").unwrap();
    let served = served.iter().map(|files| Tenant::new(files, &loaded, today()).unwrap().into()).collect();
    let vendor = Sandbox::start_under("Halden Moor Proxy CA", served, Arc::new(today)).await.unwrap();
    let mut options = Options::scratch().unwrap();
    options.clock = SteppingClock::at(today());
    options.catalog_folder = Some(folder.path().to_owned());
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let mut ids = Vec::new();
    for (at, name) in [("north", "North"), ("south", "South"), ("north", "North again")] {
        let draft = console.open_draft("harbour", at).unwrap();
        console.check_field(&draft, "key", SecretString::from(format!("opens-nothing-{at}"))).unwrap();
        let request = AddInstance {
            app: "harbour".into(),
            login: at.into(),
            name: name.into(),
            inputs: vec![company::input("server", &format!("git.{at}.example"))],
            ..company::request(&vendor)
        };
        ids.push(console.connect(&draft, request, Arc::new(|_event| {})).await.unwrap());
    }
    let same = async |at: usize| console.instance(&ids[at]).await.unwrap().same_tenant_as;
    assert_eq!(same(0).await, ["North again"]);
    assert!(same(1).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_of_another_account_takes_the_place_of_none() {
    let desk = Desk::with_instance().await;
    let id = desk.instance().await.id;
    let sealed: Vec<Vec<u8>> = desk.sealed().iter().map(|file| fs::read(file).unwrap()).collect();
    let set = |field: &str, value: serde_json::Value| OverlayChange::Set {
        tenant: KUSTOMER.into(),
        answer: "current-user".into(),
        field: field.into(),
        value,
    };
    let organization = "data.relationships.org.data.id";
    let forbidden = Fault::Status { status: 403, retry_after: None };
    let refused = [
        (set(organization, "65a1f0c2d8e4b7a913f0c0ff".into()), "E-OTHER-TENANT"),
        (set(organization, serde_json::Value::Null), "E-TENANT-UNREAD"),
        (
            OverlayChange::Fault {
                tenant: KUSTOMER.into(),
                answer: Some("current-user".into()),
                fault: forbidden,
                times: None,
                from_page: None,
            },
            "E-TENANT-UNREAD",
        ),
    ];
    for (change, code) in refused {
        desk.vendor(change);
        // Nothing of such an account counts here: were it scanned, this would close all that is open.
        desk.vendor(OverlayChange::Set {
            tenant: KUSTOMER.into(),
            answer: "users".into(),
            field: "data".into(),
            value: serde_json::json!([]),
        });
        let failure = desk.console.replace_secret(&desk.draft(), &id, desk.listener()).await.unwrap_err();
        assert_eq!(failure.code, code, "{}", failure.sentence);
        let page = desk.page().await;
        assert_eq!((page.scans.len(), page.instance.health), (1, desk.instance().await.health), "{code}: nothing was read or begun");
        assert_eq!(desk.sealed().iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>(), sealed, "{code}");
        desk.vendor(OverlayChange::Clear { tenant: None });
    }

    desk.console.replace_secret(&desk.draft(), &id, desk.listener()).await.unwrap();
    assert_ne!(desk.sealed().iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>(), sealed);
    let acts = desk.console.activity(ALL).await.unwrap();
    let replaced = acts.rows.iter().find(|act| act.what == "credential replaced").unwrap();
    assert_eq!(replaced.detail, "Halden Moor", "it was compared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_of_an_application_that_is_gone_hides_no_other() {
    let desk = Desk::with_instance().await;
    let open = desk.findings("kustomer.users.admin_count").await.len();
    assert_eq!(open, 1);
    // As after a start without the user's folder that brought the application.
    database(&desk.options).execute("UPDATE instance SET app = 'ravensgill-crm'", []).unwrap();
    let row = desk.instance().await;
    let cause = row.cause.clone().unwrap();
    assert_eq!((row.app_name.as_str(), row.health, cause.kind.as_str()), ("ravensgill-crm", Health::Down, "application_unknown"));
    assert!(cause.sentence.contains("ravensgill-crm") && cause.remedy.contains("catalog folder"), "{cause:?}");
    assert_eq!(row.score.unwrap().passed, 0.0, "nothing passes that nobody judges");
    let overview = desk.console.overview(SandboxScope::With).await.unwrap();
    assert_eq!(overview.instances.len(), 1);
    assert!(overview.score.unwrap().failed > 0.0, "what is open stays in the score");
    desk.console.tiles().await.unwrap();
    desk.console.delete_instance(&row.id, &row.name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_scan_thresholds_count_and_nothing_is_taken_from_it() {
    const CHECK: &str = "kustomer.users.admin_count";
    let desk = Desk::with_instance().await;
    let instance = desk.instance().await;
    assert_eq!(desk.findings(CHECK).await[0].state, FindingState::Open);
    let page = desk.page().await;
    desk.hold_back(5_000);
    let scanning = desk.scan_until("users", "complete").await;

    // Neither credentials nor rows of an instance that is being scanned are touched.
    let sealed: Vec<Vec<u8>> = desk.sealed().iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(desk.console.delete_instance(&instance.id, &instance.name).await.unwrap_err().code, "E-SCAN-RUNNING");
    let refused = desk.console.replace_secret(&desk.draft(), &instance.id, desk.listener()).await.unwrap_err();
    assert_eq!(refused.code, "E-SCAN-RUNNING");
    assert_eq!(desk.sealed().iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>(), sealed);

    let mut answers = page.answers.clone();
    answers.iter_mut().find(|answer| answer.check == CHECK && answer.param == "max").unwrap().value = "100".into();
    let change = InstanceChange {
        name: instance.name.clone(),
        label: instance.label.clone(),
        owner: String::new(),
        schedule: ScheduleChoice::Default,
        route: page.route,
        answers,
    };
    desk.console.change_instance(&instance.id, change).await.unwrap();
    assert_eq!(desk.findings(CHECK).await[0].state, FindingState::Fixed);
    assert!(!scanning.is_finished(), "the scan must outlast the change");
    assert_eq!(scanning.await.unwrap().unwrap().opened, 0);
    assert_eq!(desk.findings(CHECK).await[0].state, FindingState::Fixed, "the scan is judged by the thresholds of now");

    desk.console.scan(&instance.id, desk.listener()).await.unwrap();
    assert_eq!(desk.console.delete_instance(&instance.id, &instance.name).await.unwrap().scans, 3);
    assert!(desk.sealed().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sign_in_at_a_time_uses_the_credentials_of_an_instance() {
    const IN_USE: &str = "E-INSTANCE-IN-USE";
    let desk = Desk::with_instance().await;
    let instance = desk.instance().await;
    let (id, other) = (instance.id.clone(), desk.another(None).await);
    desk.hold_back(60_000);
    let scanning = desk.scan_until("users", "complete").await;
    for console in [&desk.console, &other] {
        let asked = desk.quiet().await;
        assert_eq!(console.test_instance(&id, desk.listener()).await.unwrap_err().code, IN_USE);
        assert_eq!(console.permissions_now(&id, desk.listener()).await.unwrap_err().code, IN_USE);
        assert_eq!(console.schema(&id).await.unwrap_err().code, IN_USE);
        assert_eq!(desk.vendor.log().len(), asked, "nobody is asked");
    }
    assert_eq!(desk.console.jobs().len(), 1);
    desk.console.cancel(&desk.console.jobs()[0].id);
    assert_eq!(scanning.await.unwrap().unwrap_err().code, "E-CANCELLED");

    let (console, tested, listener) = (desk.console.clone(), id.clone(), desk.listener());
    let testing = tokio::spawn(async move { console.test_instance(&tested, listener).await });
    while desk.console.jobs().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for console in [&desk.console, &other] {
        assert_eq!(console.test_instance(&id, desk.listener()).await.unwrap_err().code, IN_USE);
        assert_eq!(console.scan(&id, desk.listener()).await.unwrap_err().code, "E-SCAN-RUNNING");
    }
    assert_eq!(desk.console.delete_instance(&id, &instance.name).await.unwrap_err().code, "E-SCAN-RUNNING");
    desk.console.cancel(&desk.console.jobs()[0].id);
    assert_eq!(testing.await.unwrap().unwrap_err().code, "E-CANCELLED");
    desk.vendor(OverlayChange::Clear { tenant: None });
    other.test_instance(&id, desk.listener()).await.unwrap();
    desk.console.scan(&id, desk.listener()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_without_an_instance_are_removed_on_opening() {
    const NOBODY: &str = "0b54fa7e-3a4e-4d0e-9f55-0f7be1a6a001";
    let desk = Desk::with_instance().await;
    let kept = desk.sealed();
    // As an onboarding leaves it that is killed before the instance is stored.
    let unlock = vault::Unlock::Keychain(Arc::clone(&desk.options.keychain));
    let vault = vault::Vault::open(&desk.options.data_folder.join("vault"), &unlock).unwrap();
    let fields = [("api_key".to_owned(), SecretString::from("left behind"))].into();
    vault.seal(NOBODY, &fields, today()).unwrap();
    assert_eq!(desk.sealed().len(), 2);

    let other = desk.another(None).await;
    assert_eq!(desk.sealed(), kept);
    assert!(!vault.exists(NOBODY));
    other.scan(&desk.instance().await.id, desk.listener()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_stored_even_where_that_cannot_be_recorded() {
    let desk = Desk::new().await;
    let database = database(&desk.options);
    for table in ["activity", "request"] {
        // Of the request log, only what belongs to no scan: what the sign-in asked.
        let when = if table == "request" { "WHEN NEW.scan IS NULL" } else { "" };
        database
            .execute_batch(&format!(
                "CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} {when} BEGIN SELECT raise(ABORT, 'refused'); END"
            ))
            .unwrap();
    }
    let id = desk.connect().await.unwrap();
    assert_eq!(desk.instance().await.id, id);
    let events = std::mem::take(&mut *desk.events.lock().unwrap());
    assert!(!events.iter().any(|event| matches!(event, Progress::Failed { .. })), "it is stored, and nothing says otherwise");

    desk.console.replace_secret(&desk.draft(), &id, desk.listener()).await.unwrap();
    assert_eq!(desk.page().await.scans.len(), 2);
    let instance = desk.instance().await;
    desk.console.delete_instance(&id, &instance.name).await.unwrap();
    assert!(desk.sealed().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_does_not_compile_holds_no_instance() {
    let desk = Desk::with_instance().await;
    let instance = desk.instance().await;
    let folder = own_check("row.attributes.nobody.knows");
    let other = desk.another(Some(folder.path())).await;
    for _ in 0..2 {
        assert_eq!(other.scan(&instance.id, desk.listener()).await.unwrap_err().code, "E-MANIFEST");
    }
    desk.console.scan(&instance.id, desk.listener()).await.unwrap();
    assert_eq!(desk.page().await.scans.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_whose_check_gave_no_verdict_still_counts_in_the_score() {
    let desk = Desk::with_instance().await;
    let id = desk.instance().await.id;
    let before = desk.instance().await.score.unwrap();
    let folder = own_check("row.attributes.saml.enabled != row.attributes.saml.enabled");
    let other = desk.another(Some(folder.path())).await;
    desk.clock.pass(SignedDuration::from_hours(1));
    assert_eq!(other.scan(&id, desk.listener()).await.unwrap().opened, 1);
    drop(other);

    // The check is taken away again: nobody judges its finding any more, which does not mend it.
    desk.clock.pass(SignedDuration::from_hours(1));
    assert_eq!(desk.console.scan(&id, desk.listener()).await.unwrap().not_rechecked, 1);
    assert_eq!(desk.findings("kustomer.own.saml").await[0].state, FindingState::Open);
    let after = desk.instance().await.score.unwrap();
    assert!(after.failed > before.failed && after.passed < before.passed, "{after:?}, before {before:?}");
}
