//! The console from first start to deletion, through its public interface alone: simulated vendors over real HTTPS, a real
//! encrypted database, real sealed files. Only time and the keychain are passed in.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::company::{self, Company};
use crate::scene;

use catalog::Catalog;
use jiff::SignedDuration;
use posture_core::{
    self as console, Console, Listener, Options, SandboxServer, SecretString,
    screen::{
        AddInstance, FieldState, Finding, FindingFilter, FindingPage, FindingQuery, FindingSort, FindingState, Health, Instance,
        InstanceChange, InstancePage, Progress, Protection, SandboxScope, ScheduleChoice, SeverityCounts, Slice, StartState, Step,
        StepState, TenantChoice,
    },
};
use sandbox::{OverlayChange, Tenant};
use scene::{SteppingClock, today};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

const KUSTOMER: &str = "kustomer/risky";
const ALL: Slice = Slice { offset: 0, limit: 500 };

/// A console in a scratch folder, whose time is ours.
struct Desk {
    console: Console,
    clock: Arc<SteppingClock>,
    folder: PathBuf,
    events: Arc<Mutex<Vec<Progress>>>,
    /// Simulated vendors that announce themselves; gone, there is no network.
    vendors: Option<SandboxServer>,
}

impl Desk {
    fn new() -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        let folder = options.data_folder.clone();
        Self { console: Console::new(options).unwrap(), clock, folder, events: Arc::default(), vendors: None }
    }

    /// With these simulated tenants onboarded and scanned.
    async fn with(tenants: &[&str]) -> Self {
        let mut desk = Self::new();
        desk.console.first_start(Protection::Keychain, None).await.unwrap();
        desk.vendors = Some(desk.console.sandbox_up().await.unwrap());
        desk.onboard(tenants).await;
        desk
    }

    async fn onboard(&self, tenants: &[&str]) {
        let choices = tenants.iter().map(|name| name.split_once('/').unwrap());
        let choices = choices.map(|(app, tenant)| TenantChoice { app: app.into(), tenant: tenant.into() }).collect();
        self.console.add_sandbox(choices, self.listener()).await.unwrap();
    }

    fn listener(&self) -> Listener {
        let events = Arc::clone(&self.events);
        Arc::new(move |event| events.lock().unwrap().push(event))
    }

    async fn scan(&self, instance: &Instance) -> Result<console::screen::Outcome, console::screen::Failure> {
        self.clock.pass(SignedDuration::from_hours(1));
        self.console.scan(&instance.id, self.listener()).await
    }

    async fn set(&self, tenant: &str, answer: &str, assignment: &str) {
        self.console.sandbox_set(tenant, answer, Some(assignment)).await.unwrap();
    }

    async fn change(&self, change: &OverlayChange) {
        self.console.sandbox_set("", &serde_json::to_string(change).unwrap(), None).await.unwrap();
    }

    async fn instance_of(&self, app: &str) -> Instance {
        self.console.instances(SandboxScope::With).await.unwrap().into_iter().find(|instance| instance.app == app).unwrap()
    }

    async fn page(&self, instance: &Instance) -> InstancePage {
        self.console.instance(&instance.id).await.unwrap()
    }

    async fn findings(&self, filter: FindingFilter) -> Vec<Finding> {
        let filter = FindingFilter { sandbox: SandboxScope::With, ..filter };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        let list = self.console.findings(query).await.unwrap();
        assert_eq!(list.total as usize, list.rows.len(), "the page holds all there is");
        list.rows
    }

    async fn open_findings(&self) -> Vec<Finding> {
        self.findings(FindingFilter { states: vec![FindingState::Open], ..FindingFilter::default() }).await
    }

    async fn finding(&self, check: &str) -> FindingPage {
        let found = self.findings(FindingFilter { checks: vec![check.to_owned()], ..FindingFilter::default() }).await;
        assert_eq!(found.len(), 1, "one finding of {check}");
        self.console.finding(&found[0].id).await.unwrap()
    }

    /// Names of sealed files.
    fn sealed(&self) -> Vec<PathBuf> {
        files(&self.folder.join("vault").join("instances"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(error) => panic!("{}: {error}", folder.display()),
    }
}

fn total(counts: &SeverityCounts) -> u32 {
    counts.critical + counts.high + counts.medium + counts.low + counts.info
}

fn sum(counts: impl IntoIterator<Item = SeverityCounts>) -> SeverityCounts {
    counts.into_iter().fold(SeverityCounts::default(), |sum, counts| SeverityCounts {
        critical: sum.critical + counts.critical,
        high: sum.high + counts.high,
        medium: sum.medium + counts.medium,
        low: sum.low + counts.low,
        info: sum.info + counts.info,
    })
}

fn tally(findings: &[Finding]) -> SeverityCounts {
    sum(findings.iter().map(|finding| {
        let mut one = SeverityCounts::default();
        match finding.severity {
            console::screen::Severity::Critical => one.critical = 1,
            console::screen::Severity::High => one.high = 1,
            console::screen::Severity::Medium => one.medium = 1,
            console::screen::Severity::Low => one.low = 1,
            console::screen::Severity::Info => one.info = 1,
        }
        one
    }))
}

/// What a screen shows of one thing, every other screen shows too.
async fn screens_agree(desk: &Desk) {
    let console = &desk.console;
    let overview = console.overview(SandboxScope::With).await.unwrap();
    let instances = console.instances(SandboxScope::With).await.unwrap();
    let open = desk.open_findings().await;
    assert_eq!(overview.instances.len(), instances.len());
    for instance in &instances {
        assert!(overview.instances.contains(instance), "the overview shows {} otherwise", instance.name);
    }
    assert_eq!(overview.open, tally(&open));
    assert_eq!(overview.open, sum(instances.iter().map(|instance| instance.open)));
    assert_eq!(overview.not_rechecked as usize, open.iter().filter(|finding| finding.not_rechecked_since.is_some()).count());
    let today = overview.trend.last().unwrap();
    assert_eq!(today.open, Some(total(&overview.open)), "the trend ends at the present");
    for instance in &instances {
        let page = desk.page(instance).await;
        assert_eq!(page.instance, *instance);
        let own: Vec<Finding> = open.iter().filter(|finding| finding.instance == instance.id).cloned().collect();
        assert_eq!(instance.open, tally(&own), "{}", instance.name);
        let rechecked = own.iter().filter(|finding| finding.not_rechecked_since.is_none()).count();
        let failing: u32 = page.checks.iter().map(|check| check.counts.fail + check.counts.observed).sum();
        assert_eq!(failing as usize, rechecked, "{}: failing verdicts and findings", instance.name);
        for check in &page.checks {
            let of_check = own.iter().filter(|finding| finding.check == check.id && finding.not_rechecked_since.is_none()).count();
            assert_eq!((check.counts.fail + check.counts.observed) as usize, of_check, "{}", check.id);
        }
        let of_features: u32 = page.features.iter().map(|feature| feature.counts.fail + feature.counts.observed).sum();
        assert_eq!(of_features, failing, "{}: kinds of scan and checks", instance.name);
        assert_eq!(page.checks.len(), page.application.tile.checks as usize, "{}: every check has a line", instance.name);
        let score = instance.score.unwrap();
        assert!((score.passed + score.failed + score.not_evaluated - 1.0).abs() < 1e-9);
        assert_eq!(score.value, (score.passed * 100.0 + 1e-9).floor() as u32);
    }
    let all = console.requests(None, ALL).await.unwrap();
    let mut of_instances = 0;
    for instance in &instances {
        of_instances += console.requests(Some(instance.id.clone()), ALL).await.unwrap().total;
    }
    assert_eq!(all.total, of_instances);
    for request in &all.rows {
        assert!(request.path.starts_with('/') && !request.path.contains('?'), "{}", request.path);
        assert!(["dataset", "continuation", "sign_in_hop"].contains(&request.class.as_str()));
    }
}

/// Every open finding says what it is and what it rests on.
async fn findings_are_complete(desk: &Desk) {
    let requests = desk.console.requests(None, ALL).await.unwrap().rows;
    for finding in desk.open_findings().await {
        let page = desk.console.finding(&finding.id).await.unwrap();
        let what = format!("{} {}", finding.check, finding.resource);
        assert_eq!(page.finding, finding);
        assert!(["fail", "observed"].contains(&page.verdict.as_str()), "{what} is {}", page.verdict);
        for (name, text) in [
            ("title", &finding.title),
            ("practice", &page.practice),
            ("current value", &page.current),
            ("recommended value", &page.recommended),
            ("why", &page.why),
        ] {
            assert!(!text.trim().is_empty(), "{what} has no {name}");
            assert!(!text.contains("{params."), "{what}: {name} is {text}");
        }
        assert!(!page.steps.is_empty() && page.steps.iter().all(|step| !step.is_empty()), "{what} has no steps");
        assert!(page.source.starts_with("https://"), "{what} has the source {}", page.source);
        assert!(!page.sscf.is_empty() && !page.frameworks.is_empty(), "{what} has no references");
        if let Some(link) = page.link.as_ref().filter(|link| !link.url.is_empty()) {
            assert_eq!(desk.console.linkable(&link.url).await.unwrap().as_str(), link.url, "{what}");
        }
        assert_eq!(page.history.last().unwrap().kind, "opened", "{what}");
        let rows: Vec<_> = page.evidence.iter().filter(|evidence| !evidence.dataset.is_empty()).collect();
        // Where the finding is that there is none of something, no row can show it.
        if what.contains("github-enterprise.audit.streaming") {
            continue;
        }
        assert!(!rows.is_empty(), "{what} has no evidence");
        assert!(page.evidence.iter().any(|evidence| !evidence.fields.is_empty()), "{what} shows no field that was read");
        for evidence in rows {
            assert!(evidence.hash.len() == 64 && evidence.hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{what}: {}", evidence.hash);
            let request = evidence.request.as_ref().unwrap_or_else(|| panic!("{what}: {} names no request", evidence.dataset));
            assert!(matches!(request.status, Some(200 | 404)), "{what}: {request:?}");
            assert!(requests.contains(request), "{what}: the request is in no log");
            assert!(evidence.collected_at.parse::<jiff::Timestamp>().is_ok());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_first_start_to_findings() {
    let mut desk = Desk::new();
    assert_eq!(desk.console.start().await.unwrap().state, StartState::FirstStart);
    assert_eq!(desk.console.overview(SandboxScope::With).await.unwrap_err().code, "E-LOCKED");
    let recovery = desk.console.first_start(Protection::Keychain, None).await.unwrap();
    assert!(recovery.groups.len() > 4 && recovery.groups.iter().all(|group| !group.is_empty()));
    let start = desk.console.start().await.unwrap();
    assert_eq!(start.state, StartState::Ready { protection: Protection::Keychain });
    assert!(!start.sandbox_offered);
    assert_eq!(
        desk.console.first_start(Protection::Keychain, None).await.err().unwrap().code,
        "E-DB-KEYS-MISSING",
        "there is a database already"
    );

    let tenants = desk.console.sandbox_tenants().await.unwrap();
    assert!(tenants.iter().any(|tenant| tenant.app == "kustomer") && tenants.iter().any(|tenant| tenant.app == "github-enterprise"));
    desk.vendors = Some(desk.console.sandbox_up().await.unwrap());
    desk.onboard(&[KUSTOMER, "github-enterprise/risky"]).await;
    assert!(desk.console.start().await.unwrap().sandbox_offered);

    let events = std::mem::take(&mut *desk.events.lock().unwrap());
    assert_eq!(events.iter().filter(|event| matches!(event, Progress::Finished { .. })).count(), 2);
    assert!(!events.iter().any(|event| matches!(event, Progress::Failed { .. } | Progress::Step { state: StepState::Failed, .. })));
    for wanted in [Step::Format, Step::Host, Step::SignIn, Step::Permissions, Step::Scan, Step::Judge] {
        let done =
            events.iter().filter(|event| matches!(event, Progress::Step { step, state: StepState::Done, .. } if *step == wanted)).count();
        assert_eq!(done, 2, "{wanted:?}");
    }
    let opened: u32 = events.iter().map(|event| if let Progress::Finished { outcome, .. } = event { outcome.opened } else { 0 }).sum();
    assert_eq!(opened as usize, desk.open_findings().await.len());

    for instance in desk.console.instances(SandboxScope::With).await.unwrap() {
        assert!(instance.sandbox);
        assert_eq!((instance.health, &instance.cause), (Health::Up, &None), "{}", instance.name);
        let page = desk.page(&instance).await;
        // What another login option alone reaches is left out with the choice.
        let login = if instance.app == "kustomer" { "api-key" } else { "token" };
        let reached = |logins: &[String]| logins.iter().any(|id| id == login);
        for dataset in page.datasets.iter().filter(|dataset| reached(&dataset.logins)) {
            assert_eq!(dataset.state, "complete", "{}: {}", instance.app, dataset.id);
        }
        let lacking = page.datasets.iter().filter(|dataset| !reached(&dataset.logins)).map(|dataset| dataset.checks).sum::<u32>();
        let unjudged = page.checks.iter().filter(|check| check.counts.not_evaluated > 0).count();
        assert!(unjudged as u32 <= lacking, "{}: {unjudged} checks are not evaluated, {lacking} could not be", instance.app);
        assert!(page.secrets.len() == 1 && !page.hosts.is_empty());
    }
    // Simulated tenants are apart from real ones everywhere.
    assert!(desk.console.instances(SandboxScope::Without).await.unwrap().is_empty());
    assert!(desk.console.overview(SandboxScope::Without).await.unwrap().sandbox, "there is nothing else to show");
    assert!(desk.console.tiles().await.unwrap().iter().all(|tile| tile.instances == 0));

    screens_agree(&desk).await;
    findings_are_complete(&desk).await;
    let acts = desk.console.activity(ALL).await.unwrap();
    let acts: Vec<&str> = acts.rows.iter().rev().map(|act| act.what.as_str()).collect();
    let added = ["sandbox instance added", "scan completed"];
    assert_eq!(acts, [&["database created"][..], &added, &added].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_threshold_is_judged_again_at_once_and_offline() {
    const CHECK: &str = "kustomer.users.admin_count";
    let mut desk = Desk::with(&[KUSTOMER]).await;
    let instance = desk.instance_of("kustomer").await;
    let before = desk.finding(CHECK).await;
    assert_eq!((before.finding.state, before.verdict.as_str()), (FindingState::Open, "fail"));
    let requests = desk.console.requests(None, ALL).await.unwrap().total;
    let page = desk.page(&instance).await;
    let change = |value: &str| {
        let mut answers = page.answers.clone();
        answers.iter_mut().find(|answer| answer.check == CHECK && answer.param == "max").unwrap().value = value.to_owned();
        InstanceChange {
            name: instance.name.clone(),
            label: "Sandbox".into(),
            owner: "Mei Laurent".into(),
            schedule: ScheduleChoice::Default,
            route: page.route.clone(),
            answers,
        }
    };

    desk.vendors = None;
    let refused = desk.console.change_instance(&instance.id, change("0")).await.unwrap_err();
    assert_eq!(refused.code, "E-PARAM");
    assert_eq!(desk.page(&instance).await.answers, page.answers, "a refused threshold changes nothing");

    desk.clock.pass(SignedDuration::from_hours(1));
    let changed = desk.console.change_instance(&instance.id, change("100")).await.unwrap();
    assert_eq!(changed.instance.owner, "Mei Laurent");
    let after = desk.finding(CHECK).await;
    assert_eq!((after.finding.state, after.verdict.as_str()), (FindingState::Fixed, "pass"));
    assert!(after.recommended.contains("100"), "{}", after.recommended);
    assert_eq!(total(&changed.instance.open) + 1, total(&instance.open), "nothing else changed");
    assert!(changed.instance.score.unwrap().passed > instance.score.unwrap().passed);
    screens_agree(&desk).await;

    desk.console.change_instance(&instance.id, change("5")).await.unwrap();
    let again = desk.finding(CHECK).await;
    assert_eq!((again.finding.state, &again.finding.id), (FindingState::Open, &before.finding.id));
    let kinds: Vec<&str> = again.history.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["reopened", "fixed", "opened"]);
    assert_eq!(desk.console.requests(None, ALL).await.unwrap().total, requests, "nothing was asked of the vendor");
    screens_agree(&desk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_setting_is_fixed_with_its_history() {
    const CHECK: &str = "kustomer.auth.saml_sign_requests";
    let desk = Desk::with(&[KUSTOMER]).await;
    let instance = desk.instance_of("kustomer").await;
    let opened = desk.finding(CHECK).await;
    assert_eq!(opened.finding.state, FindingState::Open);

    desk.set(KUSTOMER, "auth-settings", "data.attributes.saml.signRequests=true").await;
    let outcome = desk.scan(&instance).await.unwrap();
    assert_eq!((outcome.opened, outcome.fixed, outcome.gone, outcome.not_rechecked), (0, 1, 0, 0));
    assert_eq!(outcome.still_open + 1, total(&instance.open));
    let fixed = desk.finding(CHECK).await;
    assert_eq!((fixed.finding.state, fixed.verdict.as_str(), fixed.current.as_str()), (FindingState::Fixed, "pass", "signed"));
    assert!(fixed.finding.ended_at.is_some() && fixed.finding.first_seen == opened.finding.first_seen);
    let kinds: Vec<&str> = fixed.history.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["fixed", "opened"]);
    let value = |page: &FindingPage| {
        page.evidence[0].fields.iter().find(|field| field.path == "attributes.saml.signRequests").unwrap().value.clone()
    };
    assert_eq!((value(&opened), value(&fixed)), ("false".to_owned(), "true".to_owned()), "each verdict has its own evidence");
    assert_ne!(opened.evidence[0].hash, fixed.evidence[0].hash);
    assert!(desk.instance_of("kustomer").await.score.unwrap().passed > instance.score.unwrap().passed);
    screens_agree(&desk).await;
    findings_are_complete(&desk).await;

    desk.set(KUSTOMER, "auth-settings", "data.attributes.saml.signRequests=false").await;
    assert_eq!(desk.scan(&instance).await.unwrap().opened, 1);
    let again = desk.finding(CHECK).await;
    assert_eq!((again.finding.state, &again.finding.id, &again.finding.ended_at), (FindingState::Open, &opened.finding.id, &None));
    assert_eq!(again.history[0].kind, "reopened");

    // A row that is no longer there is gone, which is not fixed.
    let outside = desk.findings(FindingFilter { checks: vec!["kustomer.users.external_domain".into()], ..FindingFilter::default() }).await;
    let resource = outside.iter().find(|finding| finding.resource == "helpdesk@old-supplier.example").unwrap();
    desk.change(&OverlayChange::Remove {
        tenant: KUSTOMER.into(),
        answer: "users".into(),
        field: "data[id=65a1f0c2d8e4b7a913f10040]".into(),
    })
    .await;
    assert!(desk.scan(&instance).await.unwrap().gone >= 1);
    let gone = desk.console.finding(&resource.id).await.unwrap();
    assert_eq!((gone.finding.state, gone.history[0].kind.as_str()), (FindingState::Gone, "gone"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_takes_the_instance_down_and_keeps_its_findings() {
    let desk = Desk::with(&[KUSTOMER]).await;
    let instance = desk.instance_of("kustomer").await;
    let before = desk.open_findings().await;
    desk.change(&OverlayChange::Revoke { tenant: KUSTOMER.into() }).await;
    let refused = desk.scan(&instance).await.unwrap_err();
    assert_eq!(refused.code, "E-KEY-REFUSED");
    assert!(matches!(desk.events.lock().unwrap().last(), Some(Progress::Failed { failure, .. }) if *failure == refused));

    let down = desk.instance_of("kustomer").await;
    assert_eq!(down.health, Health::Down);
    let cause = down.cause.clone().unwrap();
    assert_eq!(cause.kind, "credential_refused");
    assert!(!cause.sentence.is_empty() && !cause.remedy.is_empty());
    assert_eq!(
        (down.score, down.open, &down.last_scan),
        (instance.score, instance.open, &instance.last_scan),
        "the last complete scan still counts"
    );
    let page = desk.page(&instance).await;
    assert!(page.features.iter().all(|feature| feature.state == "auth_required"));
    assert_eq!(page.scans[0].state, "failed");
    let after = desk.open_findings().await;
    assert_eq!(after.len(), before.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.id, &before.last_seen), (&after.id, &after.last_seen));
        assert_eq!(after.not_rechecked_since.as_ref(), Some(&before.last_seen), "{}", after.check);
    }
    let overview = desk.console.overview(SandboxScope::With).await.unwrap();
    assert_eq!(overview.not_rechecked as usize, before.len());
    assert_eq!(desk.console.finding(&after[0].id).await.unwrap().cause.unwrap().kind, "credential_refused");

    desk.change(&OverlayChange::Restore { tenant: KUSTOMER.into() }).await;
    let outcome = desk.scan(&instance).await.unwrap();
    assert_eq!((outcome.opened, outcome.still_open as usize, outcome.fixed, outcome.gone), (0, before.len(), 0, 0));
    let up = desk.instance_of("kustomer").await;
    assert_eq!((up.health, &up.cause, up.open), (Health::Up, &None, instance.open));
    assert!(desk.open_findings().await.iter().all(|finding| finding.not_rechecked_since.is_none()));
    screens_agree(&desk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_any_more_stays_open_and_raises_no_score() {
    let desk = Desk::with(&[KUSTOMER]).await;
    let instance = desk.instance_of("kustomer").await;
    let before = desk.open_findings().await;
    let catalog = Catalog::built_in().unwrap();
    let app = catalog.app("kustomer").unwrap().unwrap();
    for dataset in ["auth-settings", "auth-tokens", "users"] {
        let fault = sandbox::Fault::Status { status: 403, retry_after: None };
        desk.change(&OverlayChange::Fault { tenant: KUSTOMER.into(), answer: Some(dataset.into()), fault, times: None, from_page: None })
            .await;
        let outcome = desk.scan(&instance).await.unwrap();
        assert_eq!((outcome.fixed, outcome.gone, outcome.opened), (0, 0, 0), "{dataset}");
        let seen = desk.instance_of("kustomer").await;
        assert_eq!(seen.health, Health::Unhealthy, "{dataset}");
        assert_eq!(seen.cause.as_ref().unwrap().kind, "scope_missing", "{dataset}");
        assert!(seen.score.unwrap().passed <= instance.score.unwrap().passed, "{dataset}: the score rose");
        assert_eq!(seen.open, instance.open, "{dataset}");
        let after = desk.open_findings().await;
        assert_eq!(
            after.iter().map(|finding| &finding.id).collect::<Vec<_>>(),
            before.iter().map(|finding| &finding.id).collect::<Vec<_>>()
        );
        let mut hidden = 0;
        for finding in &after {
            let check = app.check(&finding.check).unwrap();
            let rests = app.inputs(check).contains(&dataset);
            assert_eq!(finding.not_rechecked_since.is_some(), rests, "{dataset}: {}", finding.check);
            hidden += usize::from(rests);
        }
        assert!(hidden > 0, "{dataset} hides no finding");
        assert_eq!(outcome.not_rechecked as usize, hidden);
        let listed = desk.findings(FindingFilter { not_rechecked: true, ..FindingFilter::default() }).await;
        assert_eq!(listed.len(), hidden);
        assert_eq!(desk.console.finding(&listed[0].id).await.unwrap().history[0].kind, "not_rechecked");
        screens_agree(&desk).await;
        desk.change(&OverlayChange::Mend { tenant: KUSTOMER.into(), answer: Some(dataset.into()) }).await;
    }
    let outcome = desk.scan(&instance).await.unwrap();
    assert_eq!((outcome.still_open as usize, outcome.not_rechecked), (before.len(), 0));
    let up = desk.instance_of("kustomer").await;
    assert_eq!((up.health, up.score), (Health::Up, instance.score));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_an_instance_leaves_nothing_of_it() {
    let desk = Desk::with(&[KUSTOMER, "github-enterprise/risky"]).await;
    let kustomer = desk.instance_of("kustomer").await;
    let github = desk.instance_of("github-enterprise").await;
    let of = |instance: &Instance| FindingFilter { instances: vec![instance.id.clone()], ..FindingFilter::default() };
    let (findings, kept) = (desk.findings(of(&kustomer)).await, desk.findings(of(&github)).await);
    assert_eq!(desk.sealed().len(), 2);
    let refused = desk.console.delete_instance(&kustomer.id, "another name").await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-NAME-DIFFERS", Some("typed_name")));
    assert_eq!((desk.sealed().len(), desk.findings(of(&kustomer)).await.len()), (2, findings.len()));

    let deleted = desk.console.delete_instance(&kustomer.id, &kustomer.name).await.unwrap();
    assert_eq!((deleted.scans, deleted.findings as usize), (1, findings.len()));
    assert!(deleted.rows > 0 && deleted.evidence > 0);
    let sealed = desk.sealed();
    assert!(sealed.len() == 1 && sealed[0].file_name().unwrap().to_string_lossy().contains(&github.id), "{sealed:?}");
    assert_eq!(desk.console.instance(&kustomer.id).await.unwrap_err().code, "E-NOT-FOUND");
    assert_eq!(desk.console.finding(&findings[0].id).await.unwrap_err().code, "E-NOT-FOUND");
    assert_eq!(desk.scan(&kustomer).await.unwrap_err().code, "E-NOT-FOUND");
    assert!(desk.findings(of(&kustomer)).await.is_empty());
    assert_eq!(desk.findings(of(&github)).await, kept, "the other instance is as it was");
    let requests = desk.console.requests(None, ALL).await.unwrap();
    assert!(!requests.rows.is_empty() && requests.rows.iter().all(|request| request.instance == github.id));
    screens_agree(&desk).await;
    findings_are_complete(&desk).await;

    let rest = desk.console.remove_sandbox().await.unwrap();
    assert_eq!(rest.findings as usize, kept.len());
    assert!(desk.sealed().is_empty());
    assert!(desk.console.instances(SandboxScope::With).await.unwrap().is_empty());
    assert_eq!(desk.console.requests(None, ALL).await.unwrap().total, 0);
    assert!(desk.findings(FindingFilter::default()).await.is_empty());
    let overview = desk.console.overview(SandboxScope::With).await.unwrap();
    assert_eq!((overview.score, total(&overview.open)), (None, 0));
    let acts = desk.console.activity(ALL).await.unwrap().rows;
    assert_eq!(acts.iter().filter(|act| act.what == "sandbox instance deleted").count(), 2, "what was done stays known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passphrase_locks_and_unlocks() {
    let secret = |text: &str| SecretString::from(text.to_owned());
    let mut desk = Desk::new();
    let refused = desk.console.first_start(Protection::Passphrase, Some(secret("too short"))).await.err().unwrap();
    assert_eq!(refused.code, "E-PASSPHRASE-SHORT");
    assert_eq!(desk.console.start().await.unwrap().state, StartState::FirstStart, "a refused passphrase creates nothing");
    desk.console.first_start(Protection::Passphrase, Some(secret("correct horse battery staple"))).await.unwrap();
    desk.vendors = Some(desk.console.sandbox_up().await.unwrap());
    desk.onboard(&[KUSTOMER]).await;
    let instance = desk.instance_of("kustomer").await;
    let before = desk.open_findings().await;

    assert!(matches!(desk.console.lock().await.unwrap().state, StartState::Locked { .. }));
    assert_eq!(desk.console.instances(SandboxScope::With).await.unwrap_err().code, "E-LOCKED");
    assert_eq!(desk.console.scan(&instance.id, desk.listener()).await.unwrap_err().code, "E-LOCKED");
    assert_eq!(desk.console.unlock(secret("correct horse battery stable")).await.unwrap_err().code, "E-PASSPHRASE");
    assert!(matches!(desk.console.start().await.unwrap().state, StartState::Locked { .. }));
    let start = desk.console.unlock(secret("correct horse battery staple")).await.unwrap();
    assert_eq!(start.state, StartState::Ready { protection: Protection::Passphrase });
    assert_eq!(desk.open_findings().await, before);
    assert_eq!(desk.scan(&instance).await.unwrap().still_open as usize, before.len(), "the credential opens too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_keychain_leaves_the_recovery_key() {
    let mut desk = Desk::new();
    let shown = desk.console.first_start(Protection::Keychain, None).await.unwrap();
    desk.vendors = Some(desk.console.sandbox_up().await.unwrap());
    desk.onboard(&[KUSTOMER]).await;
    let instance = desk.instance_of("kustomer").await;
    let before = desk.open_findings().await;

    // The same folder under another keychain.
    let mut options = Options::scratch().unwrap();
    options.clock = desk.clock.clone();
    options.data_folder = desk.folder.clone();
    let other = Console::new(options).unwrap();
    let StartState::Blocked { failure, recovery } = other.start().await.unwrap().state else { panic!("it opened without its key") };
    assert_eq!((failure.code.as_str(), recovery), ("E-DB-KEY-LOST", true));
    let mut wrong = shown.groups.clone();
    wrong.swap(0, 1);
    let refused = other.recover(SecretString::from(wrong.join("-")), Protection::Keychain, None).await.unwrap_err();
    assert!(["E-RECOVERY-KEY", "E-RECOVERY-KEY-FORMAT"].contains(&refused.code.as_str()), "{}", refused.code);
    assert_eq!(other.overview(SandboxScope::With).await.unwrap_err().code, "E-LOCKED");
    let start = other.recover(SecretString::from(shown.groups.join("-")), Protection::Keychain, None).await.unwrap();
    assert_eq!(start.state, StartState::Ready { protection: Protection::Keychain });
    let query = FindingQuery {
        filter: FindingFilter { states: vec![FindingState::Open], sandbox: SandboxScope::With, ..FindingFilter::default() },
        sort: FindingSort::Severity,
        descending: true,
        slice: ALL,
    };
    assert_eq!(other.findings(query).await.unwrap().rows, before);
    // Credentials were sealed under keys that are lost, and nothing else opens them.
    assert_eq!(other.scan(&instance.id, desk.listener()).await.unwrap_err().code, "E-CREDENTIAL-KEY-LOST");
}

/// Nothing of an instance that did not come to be is anywhere.
async fn nothing_is_stored(desk: &Desk, key: &str) {
    assert!(desk.console.instances(SandboxScope::With).await.unwrap().is_empty());
    assert_eq!(desk.console.requests(None, ALL).await.unwrap().total, 0);
    assert!(desk.findings(FindingFilter::default()).await.is_empty());
    assert!(desk.sealed().is_empty());
    let acts = desk.console.activity(ALL).await.unwrap().rows;
    assert_eq!(acts.iter().map(|act| act.what.as_str()).collect::<Vec<_>>(), ["database created"]);
    assert!(desk.console.jobs().is_empty());
    let told = serde_json::to_string(&*desk.events.lock().unwrap()).unwrap();
    assert!(!told.contains(key), "the key was told to the window");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_stores_nothing_and_a_right_one_connects() {
    let company = Company::new().await;
    let desk = Desk::new();
    desk.console.first_start(Protection::Keychain, None).await.unwrap();
    let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
    let typed = desk.console.check_field(&draft, "api_key", SecretString::from(company.wrong_key.clone())).unwrap();
    assert!(matches!(&typed, FieldState::Right { value: None, .. }), "a secret is never given back: {typed:?}");
    let refused = desk.console.connect(&draft, company.request(), desk.listener()).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-KEY-REFUSED", Some("api_key")));
    assert!(!refused.sentence.is_empty() && !refused.remedy.is_empty());
    nothing_is_stored(&desk, &company.wrong_key).await;

    // An authority that nobody named is not trusted, whatever the key.
    desk.console.check_field(&draft, "api_key", SecretString::from(company.key.clone())).unwrap();
    let mut untrusted = company.request();
    untrusted.route.extra_roots_pem.clear();
    assert_eq!(desk.console.connect(&draft, untrusted, desk.listener()).await.unwrap_err().code, "E-TLS-UNKNOWN-CA");
    nothing_is_stored(&desk, &company.key).await;

    let id = desk.console.connect(&draft, company.request(), desk.listener()).await.unwrap();
    desk.console.close_draft(&draft);
    let instance = desk.instance_of("kustomer").await;
    assert_eq!((&instance.id, instance.sandbox, instance.health), (&id, false, Health::Up));
    assert_eq!((instance.label.as_str(), instance.owner.as_str()), ("Production", "Mei Laurent"));
    assert!(total(&instance.open) > 0);
    screens_agree(&desk).await;
    findings_are_complete(&desk).await;
    // Questions that were not answered leave their checks not evaluated, and say what to set.
    let page = desk.page(&instance).await;
    let unanswered = page.checks.iter().find(|check| check.id == "kustomer.users.external_domain").unwrap();
    assert_eq!((unanswered.verdict.as_str(), unanswered.cause.as_ref().unwrap().kind.as_str()), ("not_evaluated", "input_missing"));
    let told = serde_json::to_string(&*desk.events.lock().unwrap()).unwrap();
    assert!(!told.contains(&company.key), "the key was told to the window");
    let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
    desk.console.check_field(&draft, "api_key", SecretString::from(company.key.clone())).unwrap();
    let taken = desk.console.connect(&draft, company.request(), desk.listener()).await.unwrap_err();
    assert_eq!((taken.code.as_str(), taken.field.as_deref()), ("E-NAME-TAKEN", Some("name")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_was_found_out_is_stored() {
    let catalog = Catalog::built_in().unwrap();
    let app = catalog.app("customer-io").unwrap().unwrap();
    let known = catalog.sandbox_tenants("customer-io").unwrap().into_iter().find(|known| known.id == "clean").unwrap();
    let tenant = Tenant::new(&known, &app, today()).unwrap();
    let token = tenant.fields()["service_account_token"].clone();
    let proxy = company::serving(tenant, Arc::new(today)).await;
    let desk = Desk::new();
    desk.console.first_start(Protection::Keychain, None).await.unwrap();
    let draft = desk.console.open_draft("customer-io", "service-account").unwrap();
    desk.console.check_field(&draft, "service_account_token", SecretString::from(token)).unwrap();
    let request = AddInstance {
        app: "customer-io".into(),
        login: "service-account".into(),
        inputs: vec![company::input("region", "auto")],
        ..company::request(&proxy)
    };
    desk.console.connect(&draft, request, desk.listener()).await.unwrap();
    let page = desk.page(&desk.instance_of("customer-io").await).await;
    assert_eq!(page.inputs.iter().find(|input| input.field == "region").unwrap().value, "eu");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_dialog_has_forgotten() {
    let company = Company::new().await;
    let desk = Desk::new();
    desk.console.first_start(Protection::Keychain, None).await.unwrap();
    let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
    desk.console.check_field(&draft, "api_key", SecretString::from(company.key.clone())).unwrap();
    desk.console.close_draft(&draft);
    assert_eq!(desk.console.connect(&draft, company.request(), desk.listener()).await.unwrap_err().code, "E-DIALOG-CLOSED");
    assert_eq!(desk.console.check_field(&draft, "api_key", SecretString::from(company.key.clone())).unwrap_err().code, "E-DIALOG-CLOSED");
    // Another dialog knows nothing of it.
    let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
    let empty = desk.console.connect(&draft, company.request(), desk.listener()).await.unwrap_err();
    assert_eq!((empty.code.as_str(), empty.field.as_deref()), ("E-FIELD-MISSING", Some("api_key")));
    assert!(company.proxy.log().is_empty() && company.proxy.refused().is_empty(), "nothing was sent");
    nothing_is_stored(&desk, &company.key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_connect_stores_nothing() {
    let company = Company::new().await;
    let desk = Desk::new();
    desk.console.first_start(Protection::Keychain, None).await.unwrap();
    // While it signs in, and while it looks what it may read.
    for (answer, step) in [("current-token", Step::Host), ("users", Step::Permissions)] {
        desk.events.lock().unwrap().clear();
        let latency = OverlayChange::Latency { tenant: KUSTOMER.into(), answer: Some(answer.into()), milliseconds: 60_000 };
        company.proxy.overlay().apply(latency).unwrap();
        let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
        desk.console.check_field(&draft, "api_key", SecretString::from(company.key.clone())).unwrap();
        let (console, request, listener) = (desk.console.clone(), company.request(), desk.listener());
        let connecting = tokio::spawn(async move { console.connect(&draft, request, listener).await });
        let begun = async {
            let running =
                |event: &Progress| matches!(event, Progress::Step { step: known, state: StepState::Running, .. } if *known == step);
            while !desk.events.lock().unwrap().iter().any(running) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), begun).await.unwrap_or_else(|_| panic!("{step:?} never began"));
        let jobs = desk.console.jobs();
        assert_eq!(jobs.len(), 1);
        desk.console.cancel(&jobs[0].id);
        let cancelled = tokio::time::timeout(Duration::from_secs(30), connecting).await.expect("it ends at once").unwrap().unwrap_err();
        assert_eq!(cancelled.code, "E-CANCELLED", "{answer}");
        nothing_is_stored(&desk, &company.key).await;
        company.proxy.overlay().apply(OverlayChange::Clear { tenant: None }).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_option_counts_and_asks_for_what_it_reaches() {
    let desk = Desk::with(&[]).await;
    let application = desk.console.application("customer-io").await.unwrap();
    let counted = |id: &str| application.logins.iter().find(|login| login.id == id).unwrap().checks;
    assert!(counted("app-api-key") > 0 && counted("app-api-key") < counted("okta"), "the key reads less than a user");
    assert!(counted("okta") < application.tile.checks, "what the key alone reads is not the user's");
    let asked = |check: &str| application.questions.iter().find(|question| question.check == check).unwrap().logins.clone();
    assert_eq!(asked("customer-io.webhooks.https_known_host"), ["service-account", "okta"]);
    assert_eq!(asked("customer-io.app_webhooks.https_known_host"), ["app-api-key"]);
    // What a person attests needs no way in: every option has it.
    let convo = desk.console.application("convo").await.unwrap();
    assert!(convo.logins.iter().all(|login| login.checks == convo.tile.checks), "{:?}", convo.logins);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_login_option_reaches_is_not_missing() {
    const KEY: &str = "app-api-key";
    let desk = Desk::with(&["customer-io/clean-app-api"]).await;
    let events = desk.events.lock().unwrap().clone();
    let tested = events.iter().find_map(|event| match event {
        Progress::Step { step: Step::Permissions, state: state @ (StepState::Done | StepState::Warned), detail, .. } => {
            Some((*state, detail.clone()))
        }
        _ => None,
    });
    assert_eq!(tested, Some((StepState::Done, "3 of 3 datasets can be read".to_owned())));
    let told = events.iter().find_map(|event| match event {
        Progress::Permissions { datasets, checks, all_checks, advice: _ } => Some((datasets.clone(), *checks, *all_checks)),
        _ => None,
    });
    let (datasets, checks, all_checks) = told.unwrap();
    assert!(0 < checks && checks < all_checks, "nothing that was not read counts as evaluated: {checks} of {all_checks}");
    let page = desk.page(&desk.instance_of("customer-io").await).await;
    for dataset in datasets.iter().chain(&page.datasets) {
        let reached = dataset.logins.iter().any(|login| login == KEY);
        assert_eq!(reached, dataset.state == "complete", "{}", dataset.id);
        if !reached {
            assert_eq!(dataset.cause.as_ref().unwrap().kind, "login_lacks", "{}", dataset.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_tells_how_long_it_took() {
    let company = Company::new().await;
    let desk = Desk::new();
    desk.console.first_start(Protection::Keychain, None).await.unwrap();
    let latency = OverlayChange::Latency { tenant: KUSTOMER.into(), answer: Some("current-token".into()), milliseconds: 700 };
    company.proxy.overlay().apply(latency).unwrap();
    for (key, ending) in [(&company.wrong_key, StepState::Failed), (&company.key, StepState::Done)] {
        desk.events.lock().unwrap().clear();
        let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
        desk.console.check_field(&draft, "api_key", SecretString::from(key.clone())).unwrap();
        let connected = desk.console.connect(&draft, company.request(), desk.listener()).await;
        assert_eq!(connected.is_ok(), ending == StepState::Done);
        let took = desk.events.lock().unwrap().iter().find_map(|event| match event {
            Progress::Step { step: Step::SignIn, state, milliseconds, .. } if *state == ending => Some(*milliseconds),
            _ => None,
        });
        assert!(took.is_some_and(|took| took >= 700), "{ending:?}: {took:?}");
    }
}
