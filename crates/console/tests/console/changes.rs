//! What changed between two moments, two scans and two days, with a simulated tenant that changes; and findings by control, owner and
//! age. Time is the test's own.
use crate::scene::{SteppingClock, today};

use connect::Clock;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use posture_core::{
    Console, Options, SandboxServer,
    screen::{
        ChangeKind, ChangeQuery, Changes, ExportFormat, Finding, FindingFilter, FindingQuery, FindingSort, FindingState, Instance,
        InstanceChange, Moment, PastQuery, Protection, SandboxScope, ScheduleChoice, Settings, SeverityCounts, Slice, TenantChoice,
    },
};
use sandbox::OverlayChange;
use std::sync::Arc;

const KUSTOMER: &str = "kustomer/risky";
const ALL: Slice = Slice { offset: 0, limit: 500 };

struct Desk {
    console: Console,
    clock: Arc<SteppingClock>,
    folder: std::path::PathBuf,
    _vendors: SandboxServer,
}

fn total(counts: &SeverityCounts) -> u32 {
    counts.critical + counts.high + counts.medium + counts.low + counts.info
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

fn query(from: Moment, to: Moment) -> ChangeQuery {
    ChangeQuery { from, to, instances: Vec::new(), kinds: Vec::new(), severities: Vec::new(), sandbox: SandboxScope::Only, slice: ALL }
}

impl Desk {
    async fn new() -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        options.zone = TimeZone::UTC;
        let folder = options.data_folder.clone();
        let console = Console::new(options).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let vendors = console.sandbox_up().await.unwrap();
        Self { console, clock, folder, _vendors: vendors }
    }

    async fn onboard(&self, app: &str, tenant: &str) -> Instance {
        self.console.add_sandbox(vec![TenantChoice { app: app.into(), tenant: tenant.into() }], Arc::new(|_| {})).await.unwrap();
        let all = self.console.instances(SandboxScope::Only).await.unwrap();
        all.into_iter().find(|instance| instance.app == app).unwrap()
    }

    fn days(&self, days: i64) {
        self.clock.pass(SignedDuration::from_hours(24 * days));
    }

    async fn passwords(&self, on: bool) {
        let change = OverlayChange::Set {
            tenant: KUSTOMER.into(),
            answer: "auth-settings".into(),
            field: "data.attributes.kustomer.enabled".into(),
            value: on.into(),
        };
        self.console.sandbox_set("", &serde_json::to_string(&change).unwrap(), None).await.unwrap();
    }

    async fn scan(&self, instance: &Instance) -> posture_core::screen::Outcome {
        self.console.scan(&instance.id, Arc::new(|_| {})).await.unwrap()
    }

    async fn changes(&self, from: Moment, to: Moment) -> Changes {
        let changes = self.console.changes(query(from, to)).await.unwrap();
        assert_eq!(changes.total as usize, changes.rows.len());
        changes
    }

    async fn refused(&self, from: Moment, to: Moment) -> String {
        let failure = self.console.changes(query(from, to)).await.unwrap_err();
        assert!(!failure.sentence.is_empty() && !failure.remedy.is_empty());
        failure.code
    }

    async fn findings(&self, filter: FindingFilter) -> Vec<Finding> {
        let filter = FindingFilter { sandbox: SandboxScope::Only, ..filter };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        self.console.findings(query).await.unwrap().rows
    }

    async fn past(&self, day: &str) -> posture_core::screen::PastPosture {
        let filter = FindingFilter { sandbox: SandboxScope::Only, ..FindingFilter::default() };
        let query = PastQuery { day: day.into(), filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        self.console.posture_at(query).await.unwrap()
    }
}

fn kinds(changes: &Changes, kind: ChangeKind) -> Vec<&str> {
    changes.rows.iter().filter(|row| row.kind == kind).map(|row| row.finding.check.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_is_told_between_moments_scans_and_days_and_the_dashboard_agrees() {
    let desk = Desk::new().await;
    let before_everything = day(desk.clock.now());
    desk.days(2);
    let first_day = day(desk.clock.now());
    let instance = desk.onboard("kustomer", "risky").await;
    let at_first = desk.console.overview(SandboxScope::Only).await.unwrap();
    let opened = desk.findings(FindingFilter::default()).await;
    assert!(opened.iter().all(|finding| finding.state == FindingState::Open) && opened.len() > 5);
    desk.console.seen().await.unwrap();

    desk.days(1);
    desk.passwords(false).await;
    let outcome = desk.scan(&instance).await;
    assert!(outcome.fixed > 0 && outcome.opened == 0, "{outcome:?}");
    let second_day = day(desk.clock.now());
    let since_visit = desk.changes(Moment::LastVisit, Moment::Now).await;
    let fixed = kinds(&since_visit, ChangeKind::Fixed);
    assert_eq!(fixed.len(), outcome.fixed as usize);
    assert_eq!(total(&since_visit.counts.still_failing) as usize, opened.len() - fixed.len());
    assert!(since_visit.rows.iter().filter(|row| row.kind == ChangeKind::Fixed).all(|row| row.finding.state == FindingState::Fixed));
    let told = desk.console.overview(SandboxScope::Only).await.unwrap().since;
    assert_eq!(
        (told.newly_failing, told.fixed, told.gone, told.not_rechecked),
        (
            total(&since_visit.counts.newly_failing),
            outcome.fixed,
            total(&since_visit.counts.gone),
            total(&since_visit.counts.not_rechecked)
        )
    );
    assert_eq!(desk.changes(Moment::LastScan, Moment::Now).await.counts, since_visit.counts);
    assert_eq!(desk.changes(Moment::Day { day: second_day.clone() }, Moment::Now).await.counts, since_visit.counts);
    let all = desk.changes(Moment::DaysAgo { days: 30 }, Moment::Now).await;
    assert_eq!(kinds(&all, ChangeKind::NewlyFailing).len(), opened.len() - fixed.len(), "what came and went is no change between the ends");
    assert_eq!((all.instances[0].before.as_ref(), all.instances[0].after.is_some()), (None, true), "nothing was known at its beginning");
    let none = desk.changes(Moment::Now, Moment::Now).await;
    assert_eq!((none.counts.fixed, none.counts.newly_failing), Default::default());
    let only =
        ChangeQuery { kinds: vec![ChangeKind::Fixed], slice: Slice { offset: 0, limit: 1 }, ..query(Moment::LastVisit, Moment::Now) };
    let only = desk.console.changes(only).await.unwrap();
    assert_eq!((only.total, only.rows.len(), &only.counts), (outcome.fixed, 1, &since_visit.counts));

    // The settings between the two scans: the one that was changed, and where it was read.
    let scans = desk.console.complete_scans(&instance.id).await.unwrap();
    let (earlier, later) = (scans[1].scan.clone(), scans[0].scan.clone());
    let settings = desk.console.setting_changes(&earlier, &later).await.unwrap();
    let changed: Vec<_> = settings.datasets.iter().filter(|of| of.added + of.removed + of.changed > 0).collect();
    assert_eq!(
        changed.iter().map(|of| (of.dataset.as_str(), of.added, of.removed, of.changed)).collect::<Vec<_>>(),
        [("auth-settings", 0, 0, 1)]
    );
    let rows = desk.console.row_changes(&earlier, &later, "auth-settings", ALL).await.unwrap();
    let fields: Vec<_> = rows.rows[0]
        .fields
        .iter()
        .map(|field| (field.path.ends_with("kustomer.enabled"), field.before.as_deref(), field.after.as_deref()))
        .collect();
    assert_eq!((rows.total, fields), (1, vec![(true, Some("true"), Some("false"))]));
    let by_scan = desk.changes(Moment::Scan { scan: earlier.clone() }, Moment::Scan { scan: later.clone() }).await;
    assert_eq!(by_scan.counts, since_visit.counts);

    // Days that were: what was shown then, and nothing where nothing was known.
    let then = desk.past(&first_day).await;
    assert_eq!((then.open, then.score), (Some(at_first.open), at_first.score));
    let ids = |rows: &[Finding]| rows.iter().map(|finding| (finding.id.clone(), finding.state)).collect::<Vec<_>>();
    assert_eq!(ids(&then.rows), ids(&opened));
    let unknown = desk.past(&before_everything).await;
    assert_eq!((unknown.open, unknown.score, unknown.not_known), (None, None, vec![instance.name.clone()]));
    assert!(unknown.score_cause.unwrap().sentence.contains("nothing is known"));
    let now = desk.console.overview(SandboxScope::Only).await.unwrap();
    let today = desk.past(&second_day).await;
    assert_eq!((today.open, today.score), (Some(now.open), now.score));

    // The export holds what the list shows.
    let path = desk.folder.join("changes.csv");
    let fixed_only = ChangeQuery { kinds: vec![ChangeKind::Fixed], ..query(Moment::LastVisit, Moment::Now) };
    let written = desk.console.export_changes(fixed_only.clone(), ExportFormat::Csv, &path).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((written.findings, text.lines().count()), (outcome.fixed, fixed.len() + 1));
    assert!(text.lines().skip(1).all(|line| line.starts_with("fixed,")), "{text}");
    let refused = desk.console.export_changes(fixed_only, ExportFormat::Csv, &desk.folder.join("missing/changes.csv")).await.unwrap_err();
    assert_eq!(refused.code, "E-EXPORT");

    // Moments that are none.
    let on = |day: &str| Moment::Day { day: day.into() };
    assert_eq!(desk.refused(Moment::Now, on(&first_day)).await, "E-SPAN");
    assert_eq!(desk.refused(Moment::LastVisit, Moment::LastScan).await, "E-MOMENT");
    assert_eq!(desk.refused(Moment::DaysAgo { days: u32::MAX }, Moment::Now).await, "E-MOMENT");
    assert_eq!(desk.refused(on("2026-02-30"), Moment::Now).await, "E-DAY");
    assert_eq!(desk.refused(Moment::Scan { scan: "x' OR 1".into() }, Moment::Now).await, "E-NOT-FOUND");
    assert_eq!(desk.refused(Moment::Scan { scan: "999".into() }, Moment::Now).await, "E-NOT-FOUND");
    let still_to_come =
        PastQuery { day: "2999-01-01".into(), filter: FindingFilter::default(), sort: FindingSort::Severity, descending: true, slice: ALL };
    assert_eq!(desk.console.posture_at(still_to_come).await.unwrap_err().code, "E-DAY");
    let other = desk.onboard("github-enterprise", "clean").await;
    let of_other = desk.console.complete_scans(&other.id).await.unwrap().remove(0).scan;
    assert_eq!(desk.refused(Moment::Scan { scan: earlier.clone() }, Moment::Scan { scan: of_other.clone() }).await, "E-NOT-COMPARABLE");
    assert_eq!(desk.console.setting_changes(&earlier, &of_other).await.unwrap_err().code, "E-NOT-COMPARABLE");

    // What retention removed is told as that: the findings of the day are known, its score and settings are not.
    let settings = desk.console.settings().await.unwrap();
    desk.console.change_settings(Settings { keep_scans: 2, ..settings }).await.unwrap();
    desk.days(1);
    desk.scan(&instance).await;
    let gone = desk.console.setting_changes(&earlier, &later).await.unwrap();
    assert_eq!((gone.cause.unwrap().kind.as_str(), gone.before.dropped, gone.datasets.len()), ("retention", true, 0));
    let still = desk.past(&first_day).await;
    assert_eq!((still.open, still.score), (Some(at_first.open), None));
    assert!(still.score_cause.unwrap().sentence.contains("retention"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_are_found_by_control_owner_and_age() {
    let desk = Desk::new().await;
    let instance = desk.onboard("kustomer", "risky").await;
    let all = desk.findings(FindingFilter::default()).await;
    let page = desk
        .console
        .finding(&all.iter().find(|finding| finding.check == "kustomer.auth.native_login_with_saml").unwrap_or(&all[0]).id)
        .await
        .unwrap();
    let framework = page.frameworks.first().expect("a check that names a control");
    let control = format!("{}/{}", framework.id, framework.references[0]);
    let by = |frameworks: &[&str]| FindingFilter {
        frameworks: frameworks.iter().map(|&one| one.to_owned()).collect(),
        ..FindingFilter::default()
    };
    let named = desk.findings(by(&[&control])).await;
    assert!(named.iter().any(|finding| finding.id == page.finding.id) && named.len() < all.len(), "{control}");
    for finding in &all {
        let page = desk.console.finding(&finding.id).await.unwrap();
        let names = page.frameworks.iter().any(|one| one.id == framework.id && one.references.contains(&framework.references[0]));
        assert_eq!(names, named.iter().any(|other| other.id == finding.id), "{}", finding.check);
    }
    let whole = desk.findings(by(&[&framework.id])).await;
    assert!(whole.len() >= named.len());
    assert_eq!(desk.findings(by(&["nist_800_53/XX-99"])).await, [], "a control that nothing names hides all, and does not show all");
    assert_eq!(desk.findings(FindingFilter { checks: vec!["other.check".into()], ..by(&[&control]) }).await, []);
    assert_eq!(desk.findings(by(&["nist_800_53/XX-99", &control])).await.len(), named.len());

    let owner = |name: &str| FindingFilter { owners: vec![name.into()], ..FindingFilter::default() };
    assert_eq!((desk.findings(owner("")).await.len(), desk.findings(owner("Mei Laurent")).await.len()), (all.len(), 0));
    let change = InstanceChange {
        name: "Renamed tenant".into(),
        label: instance.label.clone(),
        owner: "Mei Laurent".into(),
        route: Default::default(),
        schedule: ScheduleChoice::Off,
        answers: Vec::new(),
    };
    desk.console.change_instance(&instance.id, change).await.unwrap();
    assert_eq!((desk.findings(owner("")).await.len(), desk.findings(owner("Mei Laurent")).await.len()), (0, all.len()));
    let text = |text: &str| FindingFilter { text: text.into(), ..FindingFilter::default() };
    assert_eq!(desk.findings(text("RENAMED ten")).await.len(), all.len());
    assert_eq!(desk.findings(text("\" OR title:*")).await, []);
    let long = FindingQuery { filter: text(&"x".repeat(501)), sort: FindingSort::Severity, descending: true, slice: ALL };
    assert_eq!(desk.console.findings(long).await.unwrap_err().code, "E-FILTER");

    desk.days(10);
    let young = |days| FindingFilter { found_within_days: Some(days), ..FindingFilter::default() };
    let old = |days| FindingFilter { older_than_days: Some(days), ..FindingFilter::default() };
    assert_eq!((desk.findings(young(9)).await.len(), desk.findings(young(11)).await.len()), (0, all.len()));
    assert_eq!((desk.findings(old(9)).await.len(), desk.findings(old(11)).await.len()), (all.len(), 0));
}
