//! Decisions as an administrator makes them: each judged at once on what is stored, with no vendor to ask. Only time and the keychain
//! are passed in.
use crate::scene;

use jiff::SignedDuration;
use posture_core::{
    Console, Options, SandboxServer,
    screen::{
        DecisionEnd, DecisionFilter, DecisionKind, DecisionQuery, ExportFormat, Failure, Finding, FindingFilter, FindingPage, FindingQuery,
        FindingSort, FindingState, Instance, InventoryFilter, InventoryQuery, InventorySort, NewDismissal, NewIgnore, NewLock, NewOverride,
        NewUnmonitor, Protection, SandboxScope, Slice, TenantChoice,
    },
};
use scene::{SteppingClock, database, today};
use std::sync::Arc;

const ALL: Slice = Slice { offset: 0, limit: 500 };
const TENANT: &str = "kustomer/risky";
const SSO: &str = "kustomer.auth.password_login_disabled";
const ADMINS: &str = "kustomer.users.admin_count";
const SESSION: &str = "kustomer.auth.session_length";
const SIGNED: &str = "kustomer.auth.saml_sign_requests";

struct Desk {
    console: Console,
    clock: Arc<SteppingClock>,
    options: Options,
    vendors: Option<SandboxServer>,
    instance: Instance,
}

impl Desk {
    /// With a simulated tenant, onboarded and scanned.
    async fn new() -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let vendors = Some(console.sandbox_up().await.unwrap());
        let choice = TenantChoice { app: "kustomer".into(), tenant: "risky".into() };
        console.add_sandbox(vec![choice], Arc::new(|_| {})).await.unwrap();
        let instance = console.instances(SandboxScope::With).await.unwrap().remove(0);
        Self { console, clock, options, vendors, instance }
    }

    /// The same, with nobody left to ask.
    async fn offline() -> Self {
        Self { vendors: None, ..Self::new().await }
    }

    fn pass(&self, days: i64) {
        self.clock.pass(SignedDuration::from_hours(24 * days));
    }

    async fn scan(&self) {
        assert!(self.vendors.is_some());
        self.clock.pass(SignedDuration::from_hours(1));
        self.console.scan(&self.instance.id, Arc::new(|_| {})).await.unwrap();
    }

    async fn set(&self, assignment: &str) {
        self.console.sandbox_set(TENANT, "auth-settings", Some(assignment)).await.unwrap();
    }

    async fn row(&self) -> Instance {
        self.console.instance(&self.instance.id).await.unwrap().instance
    }

    async fn list(&self, filter: FindingFilter) -> Vec<Finding> {
        let filter = FindingFilter { sandbox: SandboxScope::With, ..filter };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        self.console.findings(query).await.unwrap().rows
    }

    async fn open(&self) -> usize {
        self.list(FindingFilter { states: vec![FindingState::Open], ..FindingFilter::default() }).await.len()
    }

    async fn finding(&self, check: &str) -> FindingPage {
        let mut found = self.list(FindingFilter { checks: vec![check.to_owned()], ..FindingFilter::default() }).await;
        self.console.finding(&found.remove(0).id).await.unwrap()
    }

    /// Until 10 days from now.
    async fn dismiss(&self, check: &str) -> String {
        let finding = self.finding(check).await.finding.id;
        self.console.dismiss(dismissal(&[&finding], "2026-12-01")).await.unwrap().decisions.remove(0)
    }

    async fn ends(&self) -> Vec<Option<DecisionEnd>> {
        let query = DecisionQuery { filter: DecisionFilter::default(), slice: ALL };
        self.console.decisions(query).await.unwrap().rows.into_iter().rev().map(|decision| decision.ended_why).collect()
    }

    async fn acts(&self) -> Vec<(String, String, String)> {
        let acts = self.console.activity(ALL).await.unwrap().rows;
        acts.into_iter().map(|act| (act.what, act.before, act.after)).collect()
    }

    fn unmonitor(&self, reason: &str, until: &str) -> NewUnmonitor {
        NewUnmonitor {
            instance: self.instance.id.clone(),
            check: SSO.into(),
            reason: reason.into(),
            approver: String::new(),
            until: until.into(),
        }
    }

    fn overridden(&self, check: &str, param: &str, value: &str) -> NewOverride {
        NewOverride {
            instance: self.instance.id.clone(),
            check: check.into(),
            param: param.into(),
            value: value.into(),
            reason: "Our policy says so.".into(),
        }
    }

    fn lock(&self, check: &str, row: Option<&str>) -> NewLock {
        NewLock { instance: self.instance.id.clone(), check: check.into(), row: row.map(str::to_owned), reason: String::new() }
    }
}

fn dismissal(findings: &[&str], until: &str) -> NewDismissal {
    NewDismissal {
        findings: findings.iter().map(|id| (*id).to_owned()).collect(),
        reason: "The vendor mends it in June.".into(),
        approver: "Mei Laurent".into(),
        until: until.into(),
    }
}

fn refusal(failure: Failure) -> (String, Option<String>) {
    (failure.code, failure.field)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_finding_is_counted_apart_and_never_raises_the_score() {
    let desk = Desk::offline().await;
    let (before, open) = (desk.row().await, desk.open().await);
    let finding = desk.finding(SSO).await.finding;
    let dismissed = desk.console.dismiss(dismissal(&[&finding.id, "999999", "none"], "2026-12-01")).await.unwrap();
    assert_eq!((dismissed.decisions.len(), dismissed.until.as_str()), (1, "2026-12-01"));
    let refused: Vec<_> = dismissed.refused.iter().map(|one| (one.finding.as_str(), one.code.as_str())).collect();
    assert_eq!(refused, [("999999", "E-NOT-FOUND"), ("none", "E-NOT-FOUND")]);

    let page = desk.finding(SSO).await;
    let decision = page.decision.clone().unwrap();
    assert_eq!((page.finding.state, page.verdict.as_str()), (FindingState::Dismissed, "fail"));
    assert_eq!((decision.kind, decision.in_force, decision.until.as_deref()), (DecisionKind::Dismiss, true, Some("2026-12-01")));
    assert_eq!((decision.reason.as_str(), decision.approver.as_str()), ("The vendor mends it in June.", "Mei Laurent"));
    assert_eq!(page.finding.held_by.unwrap().id, decision.id);
    assert_eq!(page.history[0].sentence, "Dismissed: Until 2026-12-01: The vendor mends it in June.");
    let after = desk.row().await;
    assert_eq!((desk.open().await, after.open.high + 1), (open - 1, before.open.high));
    assert_eq!(after.score, before.score, "that a risk is accepted makes nothing safe");
    let overview = desk.console.overview(SandboxScope::Only).await.unwrap();
    assert_eq!((overview.dismissed, overview.score, overview.open), (1, before.score, after.open));
    let trend: Vec<u32> = overview.trend.iter().filter_map(|day| day.open).collect();
    assert_eq!(trend.last().map(|last| *last as usize), Some(open - 1));
    let filter = FindingFilter { sandbox: SandboxScope::Only, ..FindingFilter::default() };
    let list = desk.console.findings(FindingQuery { filter, sort: FindingSort::Title, descending: false, slice: ALL }).await.unwrap();
    assert_eq!((list.open as usize, list.dismissed), (open - 1, 1));
    let path = desk.options.data_folder.join("findings.json");
    let filter = FindingFilter { checks: vec![SSO.into()], sandbox: SandboxScope::With, ..FindingFilter::default() };
    let query = FindingQuery { filter, sort: FindingSort::Title, descending: false, slice: ALL };
    desk.console.export_findings(query, ExportFormat::Json, &path).await.unwrap();
    let exported: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(exported["findings"][0]["state"], "dismissed", "{exported}");

    // The whole of its last day, and not a moment more.
    desk.pass(10);
    assert_eq!(desk.finding(SSO).await.finding.state, FindingState::Dismissed);
    desk.pass(1);
    let back = desk.finding(SSO).await;
    assert_eq!((back.finding.state, back.decision), (FindingState::Open, None));
    assert_eq!(back.history[0].kind, "returned");
    assert_eq!((desk.open().await, desk.row().await.open), (open, before.open));
    assert_eq!(desk.ends().await, [Some(DecisionEnd::Expired)]);
    let told = desk.acts().await;
    assert_eq!(told[0].0, "dismissal ended");
    let made = told.iter().find(|act| act.0 == "finding dismissed").unwrap();
    assert_eq!(
        (made.1.as_str(), made.2.as_str()),
        ("open", "dismissed until 2026-12-01, approved by Mei Laurent: The vendor mends it in June.")
    );
    assert!(desk.console.activity_proof(None).await.unwrap().holds);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_cannot_be_written_is_shown_all_the_same() {
    let desk = Desk::offline().await;
    let decision = desk.dismiss(SSO).await;
    desk.pass(20);
    database(&desk.options).execute_batch("CREATE TRIGGER full BEFORE UPDATE ON decision BEGIN SELECT RAISE (ABORT, 'no'); END").unwrap();
    let page = desk.finding(SSO).await;
    assert_eq!((page.finding.state, page.finding.held_by, page.decision), (FindingState::Open, None, None));
    let query = DecisionQuery { filter: DecisionFilter::default(), slice: ALL };
    let listed = desk.console.decisions(query).await.unwrap().rows.remove(0);
    assert_eq!((listed.id, listed.in_force, listed.ended_at), (decision, false, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_refused_outside_its_bounds_and_nothing_is_kept() {
    let desk = Desk::offline().await;
    let finding = desk.finding(SSO).await.finding.id;
    let with = |reason: &str, until: &str| NewDismissal { reason: reason.into(), ..dismissal(&[&finding], until) };
    let long = "x".repeat(1_001);
    for (typed, code, field) in [
        (with("", "2026-12-01"), "E-REASON", Some("reason")),
        (with(&long, "2026-12-01"), "E-REASON", Some("reason")),
        (with("why", ""), "E-UNTIL", Some("until")),
        (with("why", "for ever"), "E-UNTIL", Some("until")),
        (with("why", "2026-11-20"), "E-UNTIL", Some("until")),
        (with("why", "2027-11-22"), "E-UNTIL", Some("until")),
        (NewDismissal { approver: "x".repeat(81), ..dismissal(&[&finding], "2026-12-01") }, "E-APPROVER", Some("approver")),
        (NewDismissal { findings: Vec::new(), ..dismissal(&[], "2026-12-01") }, "E-DISMISS-COUNT", None),
    ] {
        let failure = desk.console.dismiss(typed).await.unwrap_err();
        assert_eq!(refusal(failure), (code.to_owned(), field.map(str::to_owned)));
    }
    let value = |failure| (failure, Some("value".to_owned()));
    for (value_typed, wanted) in [("0", "E-PARAM"), ("169", "E-PARAM"), ("long", "E-PARAM"), (" ", "E-PARAM"), ("12", "E-OVERRIDE-SAME")] {
        let failure = desk.console.override_check(desk.overridden(SESSION, "max_hours", value_typed)).await.unwrap_err();
        assert_eq!(refusal(failure), value(wanted.to_owned()), "{value_typed}");
    }
    let unknown = desk.console.override_check(desk.overridden(SESSION, "nothing", "1")).await.unwrap_err();
    assert_eq!(unknown.code, "E-PARAM-UNKNOWN");
    let manual = desk.console.override_check(desk.overridden("kustomer.users.mfa", "x", "1")).await.unwrap_err();
    assert_eq!(manual.code, "E-CHECK-MANUAL");
    assert_eq!(desk.console.lock_check(desk.lock("kustomer.none", None)).await.unwrap_err().code, "E-CHECK-UNKNOWN");
    assert_eq!(desk.console.lock_check(desk.lock(SSO, None)).await.unwrap_err().code, "E-LOCK-NO-LIST");
    assert_eq!(desk.console.lock_check(desk.lock(SSO, Some("zz"))).await.unwrap_err().code, "E-NOT-FOUND");
    assert_eq!(desk.console.lock_check(desk.lock("kustomer.audit.token_created", None)).await.unwrap_err().code, "E-LOCK-EVENT");
    assert_eq!(refusal(desk.console.unmonitor(desk.unmonitor("too short", "2026-12-01")).await.unwrap_err()).0, "E-REASON");
    assert_eq!(refusal(desk.console.unmonitor(desk.unmonitor("Seen elsewhere.", "2028-01-01")).await.unwrap_err()).0, "E-UNTIL");
    let ignore = NewIgnore { instance: desk.instance.id.clone(), account: "1".into(), days: 365, reason: String::new() };
    assert_eq!(desk.console.ignore_account(ignore.clone()).await.unwrap_err().code, "E-IGNORE-DAYS");
    let nobody = NewIgnore { account: "999999".into(), days: 7, ..ignore };
    assert_eq!(desk.console.ignore_account(nobody).await.unwrap_err().code, "E-NOT-FOUND");
    assert_eq!(desk.console.undo_decision("1").await.unwrap_err().code, "E-NOT-FOUND");
    assert_eq!(desk.ends().await, []);
    assert_eq!(desk.row().await.open, desk.instance.open);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_is_judged_at_once_and_undone_with_its_verdicts() {
    let desk = Desk::offline().await;
    let requests = desk.console.requests(None, ALL).await.unwrap().total;
    let before = desk.finding(ADMINS).await;
    let param = before.params.iter().find(|param| param.param == "max").unwrap();
    assert_eq!((before.finding.state, param.recommended.as_str(), param.value.as_str()), (FindingState::Open, "5", "5"));
    assert_eq!((param.min, param.max, param.unit.as_str(), param.ty.as_str()), (Some(1), Some(1_000), "administrators", "int"));
    let decision = desk.console.override_check(desk.overridden(ADMINS, "max", "100")).await.unwrap();
    assert_eq!((decision.kind, decision.value.as_str(), decision.until), (DecisionKind::Override, "max 100", None));
    let after = desk.finding(ADMINS).await;
    assert_eq!((after.finding.state, after.verdict.as_str()), (FindingState::Fixed, "pass"));
    assert_eq!(after.recommended, "2 to 100, or at most 10 % of the users");
    let param = after.params.iter().find(|param| param.param == "max").unwrap();
    assert_eq!((param.value.as_str(), param.recommended.as_str()), ("100", "5"), "the catalog's own beside it");
    assert_eq!(after.overridden.unwrap().reason, "Our policy says so.");
    let undone = desk.console.undo_decision(&decision.id).await.unwrap();
    assert_eq!((undone.in_force, undone.ended_why), (false, Some(DecisionEnd::Undone)));
    let again = desk.finding(ADMINS).await;
    assert_eq!((again.finding.state, again.recommended.as_str()), (FindingState::Open, before.recommended.as_str()));
    assert_eq!(desk.console.undo_decision(&decision.id).await.unwrap_err().code, "E-DECISION-ENDED");
    assert_eq!(desk.row().await.score, desk.instance.score);
    let acts = desk.acts().await;
    assert_eq!((acts[0].0.as_str(), acts[0].1.as_str()), ("override undone", "max 100"));
    assert_eq!((acts[1].1.as_str(), acts[1].2.as_str()), ("Most administrators 5", "Most administrators 100: Our policy says so."));
    assert_eq!(desk.console.requests(None, ALL).await.unwrap().total, requests, "nothing was asked of the vendor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_setting_that_changes_is_a_finding_and_unlocking_ends_it() {
    let desk = Desk::new().await;
    let locked = desk.console.lock_check(desk.lock(SIGNED, Some(""))).await.unwrap();
    assert_eq!((locked.kind, locked.value.as_str()), (DecisionKind::Lock, desk.finding(SIGNED).await.current.as_str()));
    assert_eq!(desk.finding(SIGNED).await.locked.unwrap().id, locked.id);
    assert_eq!(desk.console.lock_check(desk.lock(SIGNED, Some(""))).await.unwrap_err().code, "E-LOCKED-ALREADY");
    let of_lock = FindingFilter { checks: vec![format!("lock:{SIGNED}")], ..FindingFilter::default() };
    assert_eq!(desk.list(of_lock.clone()).await, [], "it is as it was");
    assert_eq!(desk.row().await.score, desk.instance.score, "what is locked may be wrong: a lock raises no score");

    desk.set("data.attributes.saml.signRequests=true").await;
    desk.scan().await;
    assert_eq!(desk.finding(SIGNED).await.finding.state, FindingState::Fixed, "its check says what it says");
    let changed = desk.finding(&format!("lock:{SIGNED}")).await;
    assert_eq!((changed.finding.state, changed.verdict.as_str()), (FindingState::Open, "fail"));
    assert!(changed.finding.title.starts_with("Changed since it was locked: "), "{}", changed.finding.title);
    assert!(changed.practice.starts_with("Unchanged since it was locked: "), "{}", changed.practice);
    assert!(changed.current.starts_with("was ") && changed.current.ends_with("is signed"), "{}", changed.current);
    assert!(!changed.why.is_empty() && !changed.steps.is_empty() && !changed.evidence.is_empty());
    assert!(changed.frameworks.is_empty() && changed.sscf.is_empty(), "that it is as it was locked satisfies no control");
    assert_eq!(
        (changed.locked.as_ref().map(|lock| lock.id.clone()), changed.lockable, changed.scanned),
        (Some(locked.id.clone()), false, false)
    );
    assert_ne!(desk.row().await.score, desk.instance.score, "a lock that is broken counts as a check of its own");

    let desk = Desk { vendors: None, ..desk };
    desk.console.undo_decision(&locked.id).await.unwrap();
    let gone = desk.finding(&format!("lock:{SIGNED}")).await;
    assert_eq!((gone.finding.state, gone.history[0].sentence.as_str()), (FindingState::Gone, "Gone: It was unlocked."));
    assert_eq!(desk.list(FindingFilter { states: vec![FindingState::Open], ..of_lock }).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissal_ends_when_the_vendor_says_something_else() {
    let desk = Desk::new().await;
    desk.dismiss(SESSION).await;
    desk.dismiss(SSO).await;
    desk.scan().await;
    assert_eq!(desk.finding(SESSION).await.finding.state, FindingState::Dismissed, "the same is still accepted");
    desk.set("data.attributes.app.userSessionExpirationMilliseconds=999999999").await;
    desk.scan().await;
    let back = desk.finding(SESSION).await;
    assert_eq!((back.finding.state, back.history[0].kind.as_str()), (FindingState::Open, "returned"));
    assert_eq!(desk.finding(SSO).await.finding.state, FindingState::Dismissed);
    assert_eq!(desk.ends().await, [Some(DecisionEnd::ValueChanged), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_monitored_is_outside_the_score_and_never_passed() {
    let desk = Desk::offline().await;
    let decision = desk.console.unmonitor(desk.unmonitor("Watched at the identity provider.", "2026-12-01")).await.unwrap();
    let held = desk.finding(SSO).await;
    assert_eq!((held.finding.state, held.verdict.as_str()), (FindingState::Dismissed, "fail"));
    assert_eq!(held.decision.unwrap().kind, DecisionKind::Unmonitor);
    let row = desk.row().await;
    let (before, now) = (desk.instance.score.unwrap(), row.score.unwrap());
    assert_eq!(row.not_monitored, 1);
    assert!(now.failed < before.failed, "it is outside");
    let overview = desk.console.overview(SandboxScope::Only).await.unwrap();
    assert_eq!((overview.not_monitored, overview.score), (1, row.score));
    let finding = held.finding.id;
    let refused = desk.console.dismiss(dismissal(&[&finding], "2026-12-01")).await.unwrap().refused;
    assert_eq!(refused[0].code, "E-NOT-MONITORED");
    desk.console.undo_decision(&decision.id).await.unwrap();
    assert_eq!(desk.finding(SSO).await.finding.state, FindingState::Open);
    assert_eq!((desk.row().await.score, desk.row().await.not_monitored), (desk.instance.score, 0));
    desk.console.unmonitor(desk.unmonitor("Watched at the identity provider.", "2026-12-01")).await.unwrap();
    desk.pass(11);
    assert_eq!((desk.finding(SSO).await.finding.state, desk.row().await.not_monitored), (FindingState::Open, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ignored_account_is_left_out_of_the_counters_for_a_week() {
    let desk = Desk::offline().await;
    let query = || InventoryQuery { filter: InventoryFilter::default(), sort: InventorySort::Severity, descending: true, slice: ALL };
    let before = desk.console.accounts(&desk.instance.id, query()).await.unwrap();
    let account = before.rows.iter().find(|row| row.risks.contains(&"administrator".to_owned())).unwrap();
    let ignore = NewIgnore { instance: desk.instance.id.clone(), account: account.id.clone(), days: 7, reason: String::new() };
    let decision = desk.console.ignore_account(ignore).await.unwrap();
    assert_eq!(
        (decision.kind, decision.title.as_str(), decision.until.as_deref()),
        (DecisionKind::Ignore, account.title.as_str(), Some("2026-11-28"))
    );
    let administrators =
        |list: &posture_core::screen::AccountList| list.head.risks.iter().find(|count| count.risk == "administrator").unwrap().present;
    let after = desk.console.accounts(&desk.instance.id, query()).await.unwrap();
    assert_eq!((after.head.ignored, after.head.all, administrators(&after)), (1, before.head.all, administrators(&before) - 1));
    let page = desk.console.account(&desk.instance.id, &account.id).await.unwrap();
    assert_eq!((page.account.risks.clone(), page.account.ignored.unwrap().id), (account.risks.clone(), decision.id.clone()), "still shown");
    desk.pass(7);
    let back = desk.console.accounts(&desk.instance.id, query()).await.unwrap();
    assert_eq!((back.head.ignored, administrators(&back)), (0, administrators(&before)));
    assert!(back.rows.iter().all(|row| row.ignored.is_none()));
    assert_eq!(desk.ends().await, [Some(DecisionEnd::Expired)]);
}
