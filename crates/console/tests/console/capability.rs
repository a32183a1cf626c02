//! What an application and a credential can be used for, through the public interface alone: a catalog folder of its own, its
//! simulated tenant over real HTTPS, a real database.
use crate::harbour::{self, HEAD, ON_API, answer, check, dataset, login};
use crate::scene;

use catalog::Catalog;
use posture_core::{
    Console, Listener, Options,
    screen::{
        AttestationAnswer, AttestationState, Availability, Coverage, CoverageState, Health, ManualInstance, NewAttestation,
        PermissionAdvice, Permissions, Progress, Protection, SandboxScope, TenantChoice,
    },
};
use sandbox::{Sandbox, Tenant};
use scene::{SteppingClock, today};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

const SAID: &str = r#"[[says]]
status = 403
means = "scope_missing"
source = "https://docs.harbour.example/errors"
[[scope]]
name = "settings.admin"
holds = ["settings.write"]
source = "https://docs.harbour.example/scopes"
[[scope]]
name = "settings.write"
holds = ["settings.read"]
source = "https://docs.harbour.example/scopes"
[[not_covered]]
sscf = "LOG-SaaS-02"
reason = "The log is not described."
source = "https://docs.harbour.example/log"
"#;

/// On a host of its own beside the other one.
const ON_BOTH: &str = r#"hosts = ["api.harbour.example", "web.harbour.example"]
roles = [{ id = "api", hosts = ["api.harbour.example"] }, { id = "web", hosts = ["web.harbour.example"] }]"#;

const JWT: &str = "secret = true\nformat = \"jwt\"";

/// An application that is still to be connected, and one that has ended.
const LEDGER: &str = "slug = \"ledger\"\nname = \"Ledger\"\nvendor = \"Ledger, Inc.\"\ncategory = \"finance\"\nfeatures = [\"config\"]\nverified = \"manual\"\n[[planned_login]]\nlabel = \"API key\"\nsummary = \"A key of an administrator.\"\n[[left_out]]\nid = \"ledger.devices\"\ntitle = \"Devices are known\"\nreason = \"A person cannot see them; it needs a connector.\"\n";
const GONE: &str = "slug = \"gone\"\nname = \"Gone\"\nvendor = \"Gone, Inc.\"\ncategory = \"other\"\nfeatures = [\"config\"]\nverified = \"manual\"\nended = \"The service ended in 2024. See that nothing of it is left.\"\n";

fn needs(any_of: &[&str]) -> String {
    format!("needs = {{ any_of = {any_of:?} }}\n")
}

fn automatic(name: &str, sscf: &str) -> String {
    check(name, &format!("The {name} is right"), sscf, &format!("on = \"{name}\"\npass = \"row.on\"\n"))
}

fn manual(name: &str, sscf: &str) -> String {
    check(name, &format!("The {name} is right"), sscf, "kind = \"manual\"\n")
}

/// `webhooks` is what the dataset of that name says of what it needs.
fn write(folder: &Path, webhooks: &str, roles: &str) {
    let datasets = [
        dataset("me", "api", "/me", "[dataset.keep]\n\"id\" = \"id\"\n"),
        dataset("settings", "api", "/settings", &(needs(&["settings.read", "settings.admin"]) + "[dataset.keep]\n\"on\" = \"bool\"\n")),
        dataset(
            "users",
            "api",
            "/users",
            &(needs(&["users.read"])
                + "rows = \"data[]\"\nkey = [\"id\"]\nlabel = \"id\"\n[dataset.keep]\n\"id\" = \"id\"\n\"on\" = \"bool\"\n"),
        ),
        dataset(
            "posts",
            "api",
            "/users/{each.id}/posts",
            &(needs(&["posts.read"])
                + "each = { dataset = \"users\", carry = [\"id\"] }\nrows = \"data[]\"\nkey = [\"id\"]\nlabel = \"id\"\n[dataset.keep]\n\"id\" = \"id\"\n\"on\" = \"bool\"\n"),
        ),
        dataset("log", "api", "/log", &(needs(&["log.read", "log.admin"]) + "[dataset.keep]\n\"on\" = \"bool\"\n")),
        dataset("webhooks", "api", "/webhooks", &format!("{webhooks}[dataset.keep]\n\"on\" = \"bool\"\n")),
        dataset("pages", "web", "/pages", &(needs(&["pages.read"]) + "[dataset.keep]\n\"on\" = \"bool\"\n")),
    ];
    let checks = [
        automatic("settings", "IAM-SaaS-04"),
        automatic("users", "IAM-SaaS-01"),
        automatic("posts", "IAM-SaaS-02"),
        automatic("log", "LOG-SaaS-01"),
        automatic("webhooks", "IPY-SaaS-02"),
        automatic("pages", "IAM-SaaS-13"),
        manual("mail", "SEF-SaaS-01"),
    ];
    let logins = [
        login("key", &[ON_API, "strategy = { name = \"bearer\", token = \"key\" }"], &[("key", JWT)]),
        login("session", &[ON_BOTH, "strategy = { name = \"bearer\", token = \"session\" }"], &[("session", JWT)]),
    ];
    let tenant = [
        "name = \"Halden Moor\"\nlogin = \"key\"\n[fields]\n".to_owned(),
        format!("key = \"{{{{jwt:orgName=halden{roles},days_ahead=200}}}}\"\n[errors]\n"),
        [401, 403, 404, 429, 500].map(|status| format!("{status} = {{ message = \"no\" }}\n")).concat(),
        answer("/me", "body = { id = \"1\" }"),
        answer("/settings", "body = { on = true }"),
        answer("/users", "body = { data = [{ id = \"7\", on = true }] }"),
        answer("/users/7/posts", "body = { data = [{ id = \"1\", on = true }] }"),
        answer("/log", "status = 403\nbody = { message = \"no\" }"),
        answer("/webhooks", "body = { on = true }"),
    ];
    harbour::write(
        folder,
        &[
            ("harbour/app.toml", format!("{HEAD}{SAID}{}", logins.concat())),
            ("harbour/datasets.toml", datasets.concat()),
            ("harbour/checks.toml", checks.concat()),
            ("harbour/sandbox/risky/tenant.toml", tenant.concat()),
            ("ledger/app.toml", LEDGER.to_owned()),
            ("ledger/checks.toml", manual("sso", "IAM-SaaS-04").replace("harbour.sso", "ledger.sso")),
            ("gone/app.toml", GONE.to_owned()),
        ],
    );
}

struct Desk {
    console: Console,
    events: Arc<Mutex<Vec<Progress>>>,
    folder: tempfile::TempDir,
    data: PathBuf,
    vendor: Option<Sandbox>,
}

impl Desk {
    async fn new(webhooks: &str, roles: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), webhooks, roles);
        let mut options = Options::scratch().unwrap();
        options.clock = SteppingClock::at(today());
        options.catalog_folder = Some(folder.path().to_owned());
        let data = options.data_folder.clone();
        let console = Console::new(options).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        Self { console, events: Arc::default(), folder, data, vendor: None }
    }

    fn listener(&self) -> Listener {
        let events = Arc::clone(&self.events);
        Arc::new(move |event| events.lock().unwrap().push(event))
    }

    /// Onboards and scans the simulated tenant; gives its id.
    async fn connect(&mut self) -> String {
        // Its tenant alone, not those of the whole catalog.
        let catalog = Catalog::built_in().unwrap().with_folder(self.folder.path()).unwrap();
        let (app, known) = (catalog.app("harbour").unwrap().unwrap(), catalog.sandbox_tenants("harbour").unwrap().remove(0));
        let served = Tenant::new(&known, &app, today()).unwrap();
        let vendor = Sandbox::start(vec![served.into()], Arc::new(today)).await.unwrap();
        fs::create_dir_all(self.data.join("runtime")).unwrap();
        vendor.open_control(&self.data.join("runtime")).unwrap();
        self.vendor = Some(vendor);
        let choice = TenantChoice { app: "harbour".into(), tenant: "risky".into() };
        self.console.add_sandbox(vec![choice], self.listener()).await.unwrap();
        self.console.instances(SandboxScope::With).await.unwrap().remove(0).id
    }

    /// What was told before the first scan: checks that can be evaluated, of how many, and the advice.
    fn told(&self) -> (u32, u32, PermissionAdvice) {
        let events = self.events.lock().unwrap();
        let told = events.iter().find_map(|event| match event {
            Progress::Permissions { checks, all_checks, advice, .. } => Some((*checks, *all_checks, advice.clone())),
            Progress::Step { .. }
            | Progress::SignIn { .. }
            | Progress::Visit { .. }
            | Progress::Dataset { .. }
            | Progress::Share { .. }
            | Progress::Finished { .. }
            | Progress::Failed { .. } => None,
        });
        told.unwrap()
    }
}

fn state(permissions: &Permissions, dataset: &str) -> String {
    permissions.datasets.iter().find(|known| known.id == dataset).unwrap().state.clone()
}

fn spare(advice: &PermissionAdvice) -> Vec<(&str, Vec<&str>)> {
    advice.spare.iter().map(|one| (one.scope.as_str(), one.instead.iter().map(String::as_str).collect())).collect()
}

const ANYBODY: &str = "needs = { any_credential = true }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect_tells_what_can_be_fed_what_to_grant_and_what_only_a_scan_tells() {
    let mut desk = Desk::new(ANYBODY, ",roles=settings.admin|users.read|posts.read").await;
    let id = desk.connect().await;
    let (checks, all, advice) = desk.told();
    // Settings, users and webhooks; posts are read per user; the log is refused and the pages are another login option's.
    assert_eq!((checks, all, advice.later, advice.lost.len()), (3, 6, 1, 2));
    let grants: Vec<_> = advice.grants.iter().map(|grant| (grant.scope.as_str(), grant.any_of.len(), grant.checks)).collect();
    assert_eq!(grants, [("log.read", 2, 1)], "what another login option reads is nothing to grant");
    assert_eq!(advice.grants[0].datasets, ["Log"]);
    assert!(!advice.grants[0].said.is_empty());
    assert!(advice.spare.is_empty() && advice.silent.contains("first complete scan"), "{}", advice.silent);

    // After the scan, posts are known.
    let after = desk.console.permissions(&id).await.unwrap();
    assert_eq!((after.checks, after.all_checks, after.advice.later), (4, 6, 0));
    assert_eq!(
        (state(&after, "posts"), state(&after, "log"), state(&after, "pages")),
        ("complete".into(), "unavailable".into(), "unavailable".into())
    );
    assert!(after.as_of.is_some());

    // Asked now, they are not again.
    let now = desk.console.permissions_now(&id, desk.listener()).await.unwrap();
    assert_eq!((state(&now, "posts"), now.checks, now.advice.later), ("after_scan".into(), 3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_granted_without_need_is_told_and_nothing_that_is_needed() {
    let mut desk = Desk::new(ANYBODY, ",roles=settings.admin|users.read|posts.read|everything.delete|log.admin").await;
    let id = desk.connect().await;
    let advice = desk.console.permissions(&id).await.unwrap().advice;
    assert_eq!(advice.granted.told_by, "token_claims");
    assert_eq!(advice.granted.scopes, ["everything.delete", "log.admin", "posts.read", "settings.admin", "users.read"]);
    // The log was refused for whatever reason, and may still need what is granted for it.
    assert_eq!(spare(&advice), [("everything.delete", vec![]), ("settings.admin", vec!["settings.read"])]);
    assert_eq!(advice.spare[1].sentence, "settings.read would do instead of settings.admin.");
    assert_eq!(advice.silent, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_beside_the_one_that_holds_it_goes() {
    let mut desk = Desk::new(ANYBODY, ",roles=settings.admin|settings.read|users.read|posts.read").await;
    let id = desk.connect().await;
    let advice = desk.console.permissions(&id).await.unwrap().advice;
    assert_eq!(spare(&advice), [("settings.admin", vec![])], "the wide one, not the narrow one");
    assert!(advice.spare[0].sentence.contains("beside settings.read"), "{}", advice.spare[0].sentence);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_called_needless_where_somebody_does_not_say() {
    // The credential says nothing.
    let mut desk = Desk::new(ANYBODY, "").await;
    let id = desk.connect().await;
    let advice = desk.console.permissions(&id).await.unwrap().advice;
    assert_eq!((advice.granted.told_by.as_str(), advice.spare.len()), ("", 0));
    assert!(advice.silent.contains("does not tell"), "{}", advice.silent);

    // A dataset does not say what it needs.
    let mut desk = Desk::new("", ",roles=everything.delete|users.read").await;
    let id = desk.connect().await;
    let advice = desk.console.permissions(&id).await.unwrap().advice;
    assert_eq!((advice.granted.told_by.as_str(), advice.spare.len()), ("token_claims", 0));
    assert!(advice.silent.contains("Webhooks"), "{}", advice.silent);
}

fn of(coverage: &Coverage, control: &str) -> (CoverageState, String) {
    let control = coverage.controls.iter().find(|known| known.id == control).unwrap();
    (control.state, control.reason.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_is_checked_attested_out_of_reach_or_not_covered_and_says_why() {
    let mut desk = Desk::new(ANYBODY, "").await;
    let sheet = desk.console.coverage("harbour").unwrap();
    assert_eq!(sheet.controls.len(), 36);
    for (control, state) in [
        ("IAM-SaaS-04", CoverageState::Checked),
        ("IAM-SaaS-13", CoverageState::Checked),
        ("SEF-SaaS-01", CoverageState::Attested),
        ("LOG-SaaS-02", CoverageState::NotCovered),
        ("LOG-SaaS-03", CoverageState::NotCovered),
    ] {
        assert_eq!(of(&sheet, control).0, state, "{control}");
    }
    assert_eq!(of(&sheet, "LOG-SaaS-02").1, "The log is not described.");
    assert_eq!(of(&sheet, "LOG-SaaS-03").1, "Nobody has looked at this yet.");
    assert_eq!((sheet.counts.checked, sheet.counts.attested, sheet.counts.login_lacks, sheet.counts.not_covered), (6, 1, 0, 29));

    // With the key, the pages are out of reach.
    let id = desk.connect().await;
    let own = desk.console.instance_coverage(&id).await.unwrap();
    let (state, reason) = of(&own, "IAM-SaaS-13");
    assert_eq!(state, CoverageState::LoginLacks);
    assert!(reason.contains("Session does"), "{reason}");
    assert_eq!(of(&own, "IAM-SaaS-04").0, CoverageState::Checked);
    assert_eq!((own.counts.checked, own.counts.login_lacks), (5, 1));
    assert_eq!(desk.console.coverage("nothing").unwrap_err().code, "E-APP-UNKNOWN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_of_an_application_to_be_connected_are_attested_and_an_ended_one_is_not_added() {
    let desk = Desk::new(ANYBODY, "").await;
    let tiles = desk.console.catalog_tiles().unwrap();
    let availability = |slug: &str| tiles.iter().find(|tile| tile.slug == slug).unwrap().availability;
    assert_eq!(
        (availability("harbour"), availability("ledger"), availability("other-application"), availability("gone")),
        (Availability::Offered, Availability::Planned, Availability::Attested, Availability::Ended)
    );
    let page = desk.console.application("ledger").await.unwrap();
    assert_eq!((page.planned[0].label.as_str(), page.left_out[0].id.as_str(), page.logins.len()), ("API key", "ledger.devices", 0));

    let request = |app: &str| ManualInstance {
        app: app.into(),
        name: "Halden Moor".into(),
        label: "Default".into(),
        owner: String::new(),
        product: "Ledger".into(),
        console_url: String::new(),
    };
    let ended = desk.console.add_manual_instance(request("gone")).await.unwrap_err();
    assert_eq!(ended.code, "E-SERVICE-ENDED");
    assert!(ended.sentence.contains("ended in 2024"), "{}", ended.sentence);
    assert!(desk.console.instances(SandboxScope::With).await.unwrap().is_empty());

    let instance = desk.console.add_manual_instance(request("ledger")).await.unwrap();
    assert_eq!((instance.health, instance.attestations.due), (Health::Manual, 1));
    let checks = desk.console.attestations(&instance.id).await.unwrap().rows;
    assert_eq!(checks.iter().map(|check| (check.check.as_str(), check.state)).collect::<Vec<_>>(), [("ledger.sso", AttestationState::Due)]);
    let attested = NewAttestation {
        instance: instance.id.clone(),
        check: "ledger.sso".into(),
        answer: AttestationAnswer::NotMet,
        who: String::new(),
        note: "Passwords work.".into(),
        valid_until: None,
        remind_days: None,
    };
    let given = desk.console.attest(attested, None).await.unwrap();
    assert!(given.finding.is_some(), "what is not met is a finding");
    assert_eq!(of(&desk.console.instance_coverage(&instance.id).await.unwrap(), "IAM-SaaS-04").0, CoverageState::Attested);
    assert_eq!(desk.console.permissions(&instance.id).await.unwrap_err().code, "E-NOT-SCANNED");
}
