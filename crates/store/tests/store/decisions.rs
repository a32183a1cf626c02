//! Decisions: what they hold back, when they end, and that nothing becomes fixed or passed by them.

use crate::changes::{expected, standing};
use crate::tenant;

use catalog::{Completeness, ParamValue, RowKey, Verdict};
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{
    Act, ChangeFilter, CheckWrite, DecisionEnd, DecisionFilter, DecisionId, DecisionKind, DecisionWrite, DismissRefusal, EventKind,
    Finding, FindingFilter, FindingId, FindingSort, FindingState, Grounds, Held, JudgedWrite, Lock, LockRefusal, Rejudged, Ruling,
    SandboxScope, ScanState, Slice, Span, Store, StoreError, Until,
};
use tempfile::TempDir;
use tenant::*;

const CHECK: &str = "kustomer.saml";
const USERS: &str = "kustomer.users.mfa";

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    (folder, store)
}

fn act(second: i64) -> Act {
    Act::new(at(second), "ada", "decided", "")
}

fn grounds(until: Option<i64>) -> Grounds {
    Grounds {
        reason: "The vendor mends it in June.".into(),
        approver: "Mei Laurent".into(),
        who: "ada".into(),
        until: until.map(|second| Until { day: date(2026, 12, 31), at: at(second) }),
    }
}

/// One row, judged from one value.
fn value(key: &str, verdict: Verdict, value: impl Into<Value>) -> JudgedWrite {
    let value = value.into();
    JudgedWrite { current: value.to_string(), evidence: vec![("enabled".into(), value)], ..judged(key, verdict) }
}

fn whole(id: &str, rows: Vec<JudgedWrite>) -> CheckWrite {
    check(id, Completeness::Complete, rows)
}

fn scan(store: &Store, second: i64, checks: &[CheckWrite]) -> store::ScanOutcome {
    let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
    store.commit_scan(scan, checks, at(second), at(second)).unwrap()
}

fn findings(store: &Store) -> BTreeMap<(String, String), Finding> {
    let list = store.findings(&FindingFilter::default(), FindingSort::Severity, true, Slice::ALL).unwrap();
    list.rows.into_iter().map(|finding| ((finding.check.clone(), finding.row.0.clone()), finding)).collect()
}

fn finding(store: &Store, check: &str, row: &str) -> Finding {
    findings(store).remove(&(check.to_owned(), row.to_owned())).unwrap()
}

fn open_now(store: &Store) -> u32 {
    store.open_findings(SandboxScope::With).unwrap().get(&instance_id(1)).map_or(0, |open| open.total())
}

fn dismiss(store: &Store, id: FindingId, until: i64, second: i64) -> Result<DecisionId, DismissRefusal> {
    store.dismiss(&[id], &grounds(Some(until)), |_| act(second), at(second)).unwrap().remove(0).1
}

fn last_event(store: &Store, id: FindingId) -> (EventKind, String) {
    let event = store.finding(id).unwrap().history.remove(0);
    (event.kind, event.detail)
}

fn ends(store: &Store) -> Vec<Option<DecisionEnd>> {
    let (_, decisions) = store.decisions(&DecisionFilter::default(), Slice::ALL).unwrap();
    decisions.into_iter().rev().map(|decision| decision.ended.map(|(_, why)| why)).collect()
}

/// A decision that is no dismissal, settled by judging the last scan again.
fn decide(store: &Store, ruling: Ruling, row: Option<&str>, checks: &[CheckWrite], second: i64) -> Result<DecisionId, StoreError> {
    let until = matches!(ruling, Ruling::Unmonitor).then_some(500);
    let write = DecisionWrite {
        instance: instance_id(1),
        check: checks[0].check.clone(),
        row: row.map(|row| RowKey(row.into())),
        title: "Single sign-on is on".into(),
        label: String::new(),
        ruling,
        grounds: grounds(until),
    };
    let last = store.last_complete_scan(instance_id(1)).unwrap().unwrap();
    let params = store.instance(instance_id(1)).unwrap().params;
    store.decide(&write, Some(Rejudged { scan: last.id, params: &params, checks }), &act(second))
}

fn undo(store: &Store, id: DecisionId, checks: &[CheckWrite], second: i64) -> Result<(), StoreError> {
    let last = store.last_complete_scan(instance_id(1)).unwrap().unwrap();
    let params = store.instance(instance_id(1)).unwrap().params;
    store.undo_decision(id, Some(Rejudged { scan: last.id, params: &params, checks }), &act(second))
}

#[test]
fn a_dismissed_finding_is_held_back_until_its_time_and_then_open_again() {
    let (folder, store) = open();
    let fails = [whole(CHECK, vec![value("", Verdict::Fail, false)])];
    scan(&store, 10, &fails);
    let id = finding(&store, CHECK, "").id;
    let decision = dismiss(&store, id, 500, 20).unwrap();
    let dismissed = finding(&store, CHECK, "");
    let by = dismissed.held_by.unwrap();
    assert_eq!((dismissed.state, dismissed.ended_at), (FindingState::Dismissed, None));
    assert_eq!((by.id, by.kind, by.until), (decision, DecisionKind::Dismiss, Some(Until { day: date(2026, 12, 31), at: at(500) })));
    assert_eq!(open_now(&store), 0, "it is not counted as open");
    let (kind, detail) = last_event(&store, id);
    assert_eq!((kind, detail.as_str()), (EventKind::Dismissed, "Until 2026-12-31: The vendor mends it in June."));
    let stored = store.decision(decision).unwrap();
    assert_eq!((stored.grounds.clone(), stored.at, stored.ended), (grounds(Some(500)), at(20), None));

    let outcome = scan(&store, 100, &fails);
    assert_eq!((outcome.opened, outcome.still_open, outcome.fixed, outcome.gone), (0, 0, 0, 0));
    let still = finding(&store, CHECK, "");
    assert_eq!((still.state, still.last_seen), (FindingState::Dismissed, at(100)));

    assert_eq!(store.expire_decisions(at(499)).unwrap(), 0);
    assert_eq!(finding(&store, CHECK, "").state, FindingState::Dismissed);
    assert_eq!(store.expire_decisions(at(500)).unwrap(), 1);
    assert_eq!(store.expire_decisions(at(501)).unwrap(), 0, "once");
    let back = finding(&store, CHECK, "");
    assert_eq!((back.state, back.held_by, back.first_seen), (FindingState::Open, None, at(10)));
    assert_eq!(last_event(&store, id).0, EventKind::Returned);
    assert_eq!(store.decision(decision).unwrap().ended, Some((at(500), DecisionEnd::Expired)));
    assert_eq!(open_now(&store), 1);
    let (_, acts) = store.acts(Slice::ALL).unwrap();
    assert_eq!((acts[0].who.as_str(), acts[0].what.as_str(), acts[0].after.as_str()), ("console", "dismissal ended", "its time is over"));

    let raw = raw(&folder.path().join("posture.db"), &key());
    for change in ["reason = ''", "until = 1", "ended_why = 'undone'", "ended_at = NULL, ended_why = NULL"] {
        assert!(raw.execute(&format!("UPDATE decision SET {change}"), []).is_err(), "{change}");
    }
    assert!(raw.execute("DELETE FROM decision", []).is_err());
    store.delete_instance(instance_id(1)).unwrap();
    assert_eq!(raw.query_row("SELECT count(*) FROM decision", [], |row| row.get::<_, i64>(0)).unwrap(), 0, "it goes with its instance");
}

#[test]
fn a_scan_after_its_time_finds_it_open_though_nobody_had_looked() {
    let (_folder, store) = open();
    let fails = [whole(CHECK, vec![value("", Verdict::Fail, false)])];
    scan(&store, 10, &fails);
    dismiss(&store, finding(&store, CHECK, "").id, 500, 20).unwrap();
    scan(&store, 600, &fails);
    assert_eq!(finding(&store, CHECK, "").state, FindingState::Open);
    assert_eq!(ends(&store), [Some(DecisionEnd::Expired)]);
}

#[test]
fn another_value_brings_it_back_and_another_text_does_not() {
    let (_folder, store) = open();
    scan(&store, 10, &[whole(CHECK, vec![value("", Verdict::Fail, 30)])]);
    let id = finding(&store, CHECK, "").id;
    dismiss(&store, id, 500, 20).unwrap();
    let older = JudgedWrite { current: "30 days, read 90 s ago".into(), ..value("", Verdict::Fail, 30) };
    scan(&store, 100, &[whole(CHECK, vec![older])]);
    assert_eq!(finding(&store, CHECK, "").state, FindingState::Dismissed);
    let outcome = scan(&store, 200, &[whole(CHECK, vec![value("", Verdict::Fail, 60)])]);
    assert_eq!((outcome.opened, finding(&store, CHECK, "").state), (1, FindingState::Open));
    assert_eq!(last_event(&store, id), (EventKind::Returned, "The value changed: it was 30.".into()));
    assert_eq!(ends(&store), [Some(DecisionEnd::ValueChanged)]);
    // Back at the value that was dismissed once, it is open still.
    scan(&store, 300, &[whole(CHECK, vec![value("", Verdict::Fail, 30)])]);
    assert_eq!(finding(&store, CHECK, "").state, FindingState::Open);
}

#[test]
fn it_ends_as_fixed_or_gone_and_what_was_not_read_leaves_it_dismissed() {
    let (_folder, store) = open();
    let rows = |verdict: Verdict| vec![value("1", verdict.clone(), false), value("2", verdict, false)];
    scan(&store, 10, &[whole(USERS, rows(Verdict::Fail))]);
    for row in ["1", "2"] {
        dismiss(&store, finding(&store, USERS, row).id, 5_000, 20).unwrap();
    }
    let unread = cause("The key lacks a role.");
    let outcome = scan(&store, 100, &[check(USERS, Completeness::Unavailable(unread.clone()), Vec::new())]);
    assert_eq!(outcome.not_rechecked, 0, "it is not open");
    let kept = finding(&store, USERS, "1");
    assert_eq!((kept.state, kept.not_rechecked.unwrap().since), (FindingState::Dismissed, at(10)));
    let failed = store.begin_scan(instance_id(1), at(150), &["users"]).unwrap();
    store.end_scan(failed, ScanState::Failed, Some(&unread), at(151)).unwrap();
    scan(&store, 160, &[check(USERS, Completeness::Partial(unread), rows(Verdict::Pass))]);
    assert_eq!(finding(&store, USERS, "1").state, FindingState::Dismissed, "a pass that was not read whole mends nothing");

    let outcome = scan(&store, 200, &[whole(USERS, vec![value("1", Verdict::Pass, true)])]);
    assert_eq!((outcome.fixed, outcome.gone), (1, 1));
    assert_eq!((finding(&store, USERS, "1").state, finding(&store, USERS, "2").state), (FindingState::Fixed, FindingState::Gone));
    assert_eq!(ends(&store), [Some(DecisionEnd::Fixed), Some(DecisionEnd::Gone)]);
    scan(&store, 300, &[whole(USERS, rows(Verdict::Fail))]);
    assert_eq!(open_now(&store), 2, "what fails again is a new risk that nobody has accepted");
}

#[test]
fn many_are_dismissed_at_once_and_what_cannot_be_is_told() {
    let (_folder, store) = open();
    scan(&store, 10, &[whole(USERS, (0..4).map(|row| value(&row.to_string(), Verdict::Fail, row)).collect())]);
    let ids: Vec<FindingId> = (0..4).map(|row| finding(&store, USERS, &row.to_string()).id).collect();
    scan(
        &store,
        20,
        &[whole(USERS, (0..4).map(|row| value(&row.to_string(), if row == 1 { Verdict::Pass } else { Verdict::Fail }, row)).collect())],
    );
    let asked = [ids[0], ids[1], FindingId(9_999), ids[2]];
    let told = store.dismiss(&asked, &grounds(Some(500)), |finding| Act::new(at(30), "ada", "dismissed", &*finding.label), at(30)).unwrap();
    let refused: Vec<_> = told.iter().map(|(_, one)| one.err()).collect();
    assert_eq!(refused, [None, Some(DismissRefusal::Ended), Some(DismissRefusal::NotFound), None]);
    assert_eq!(open_now(&store), 1);
    assert_eq!(store.acts(Slice::ALL).unwrap().0, 2, "one act for each");
    let dismissed = FindingFilter { states: vec![FindingState::Dismissed], ..FindingFilter::default() };
    assert_eq!(store.findings(&dismissed, FindingSort::Title, false, Slice::ALL).unwrap().total, 2);
    let day = at(30).to_zoned(jiff::tz::TimeZone::UTC).date();
    let trend = store.trend(day, day, &jiff::tz::TimeZone::UTC, SandboxScope::With).unwrap();
    assert_eq!(trend[0].open.unwrap().total(), 1, "and the trend knows");

    // Dismissing again replaces, undoing brings back, and both once.
    let again = dismiss(&store, ids[0], 600, 40).unwrap();
    store.undo_decision(again, None, &act(50)).unwrap();
    assert_eq!(finding(&store, USERS, "0").state, FindingState::Open);
    assert_eq!(last_event(&store, ids[0]), (EventKind::Returned, "The dismissal was undone.".into()));
    assert!(matches!(store.undo_decision(again, None, &act(60)), Err(StoreError::DecisionEnded)));
    assert!(matches!(store.undo_decision(DecisionId(99), None, &act(60)), Err(StoreError::NotFound { what: "decision" })));
    assert_eq!(ends(&store), [Some(DecisionEnd::Replaced), None, Some(DecisionEnd::Undone)]);
    store.prune_scans(instance_id(1), 1).unwrap();
    assert_eq!(store.finding(ids[2]).unwrap().read.len(), 1, "what a dismissed finding rests on is kept");
}

#[test]
fn a_lock_finds_each_change_and_passes_nothing_that_was_not_read() {
    let (_folder, store) = open();
    let with = |verdict: Verdict, now: i64| [whole(CHECK, vec![value("", verdict, now)])];
    scan(&store, 10, &with(Verdict::Pass, 1));
    let lock = Lock::of(&with(Verdict::Pass, 1)[0], Some(&RowKey::default()), "Changed".into()).unwrap();
    let id = decide(&store, Ruling::Lock(lock.clone()), Some(""), &with(Verdict::Pass, 1), 20).unwrap();
    let of_lock = |store: &Store| {
        let last = store.last_complete_scan(instance_id(1)).unwrap().unwrap();
        let (_, verdicts) = store.verdicts(last.id, Some(&store::lock_of(CHECK)), Slice::ALL).unwrap();
        verdicts.into_iter().map(|one| (one.verdict, one.current)).collect::<Vec<_>>()
    };
    assert_eq!(of_lock(&store), [(Verdict::Pass, "1".to_owned())]);
    assert!(matches!(decide(&store, Ruling::Lock(lock), Some(""), &with(Verdict::Pass, 2), 21), Err(StoreError::AlreadyLocked)));

    scan(&store, 100, &with(Verdict::Pass, 2));
    assert_eq!(of_lock(&store), [(Verdict::Fail, "was 1, is 2".to_owned())]);
    let changed = finding(&store, &store::lock_of(CHECK), "");
    assert_eq!((changed.state, changed.title.as_str(), changed.severity), (FindingState::Open, "Changed", catalog::Severity::High));
    assert!(!findings(&store).contains_key(&(CHECK.to_owned(), String::new())), "the check itself passes");

    let unread = Verdict::NotEvaluated { cause: cause("a field is missing") };
    for (second, check) in [
        (200, [check(CHECK, Completeness::Partial(cause("cut")), vec![value("", Verdict::Pass, 1)])]),
        (300, [whole(CHECK, vec![value("", unread, 1)])]),
    ] {
        scan(&store, second, &check);
        assert!(matches!(of_lock(&store)[0].0, Verdict::NotEvaluated { .. }), "{second}");
        assert_eq!(finding(&store, &store::lock_of(CHECK), "").state, FindingState::Open);
    }
    scan(&store, 350, &[]);
    assert!(matches!(of_lock(&store)[0].0, Verdict::NotEvaluated { .. }), "the catalog lost it");
    scan(&store, 400, &[CheckWrite { judged: Vec::new(), seen: [].into(), ..with(Verdict::Pass, 1)[0].clone() }]);
    assert_eq!(of_lock(&store), [(Verdict::Fail, "It is no longer there.".to_owned())], "a row that is gone is a change");
    scan(&store, 500, &with(Verdict::Fail, 1));
    assert_eq!(of_lock(&store)[0].0, Verdict::Pass, "it is as it was, whatever its check says");
    assert_eq!(finding(&store, &store::lock_of(CHECK), "").state, FindingState::Fixed);

    scan(&store, 600, &with(Verdict::Fail, 3));
    undo(&store, id, &with(Verdict::Fail, 3), 610).unwrap();
    let gone = finding(&store, &store::lock_of(CHECK), "");
    assert_eq!((gone.state, last_event(&store, gone.id)), (FindingState::Gone, (EventKind::Gone, "It was unlocked.".into())));
    assert_eq!(of_lock(&store), []);
    scan(&store, 700, &with(Verdict::Fail, 4));
    assert_eq!(finding(&store, &store::lock_of(CHECK), "").state, FindingState::Gone, "nobody asks any more");
}

#[test]
fn a_lock_of_a_list_tells_what_came_and_went() {
    let (_folder, store) = open();
    let with = |keys: &[&str]| [whole(USERS, keys.iter().map(|key| value(key, Verdict::Pass, true)).collect())];
    scan(&store, 10, &with(&["a", "b"]));
    let lock = Lock::of(&with(&["a", "b"])[0], None, "Changed".into()).unwrap();
    assert!(matches!(&lock.held, Held::Keys { keys } if keys.len() == 2));
    decide(&store, Ruling::Lock(lock), None, &with(&["a", "b"]), 20).unwrap();
    scan(&store, 100, &with(&["b", "a"]));
    assert!(findings(&store).is_empty());
    scan(&store, 200, &with(&["b", "c"]));
    let changed = finding(&store, &store::lock_of(USERS), "");
    assert_eq!((changed.state, changed.current.as_str()), (FindingState::Open, "added: row c; removed: a"));

    let cannot =
        |check: &CheckWrite, row: Option<&str>| Lock::of(check, row.map(|row| RowKey(row.into())).as_ref(), String::new()).unwrap_err();
    assert_eq!(cannot(&with(&["a"])[0], Some("z")), LockRefusal::NoRow);
    assert_eq!(cannot(&with(&[""])[0], None), LockRefusal::NotAList);
    let partial = check(USERS, Completeness::Partial(cause("cut")), Vec::new());
    assert_eq!(cannot(&partial, None), LockRefusal::NotRead(Some(cause("cut"))));
    let unread = JudgedWrite { evidence: Vec::new(), ..value("a", Verdict::Pass, true) };
    assert_eq!(cannot(&whole(USERS, vec![unread]), Some("a")), LockRefusal::NotRead(None));
    let many = (0..200).map(|number| (format!("roles[{number}]"), json!(number))).collect();
    let many = JudgedWrite { evidence: many, ..value("a", Verdict::Pass, true) };
    assert_eq!(cannot(&whole(USERS, vec![many]), Some("a")), LockRefusal::TooMany);
    let manual = CheckWrite { kind: catalog::CheckKind::Manual, ..with(&["a"])[0].clone() };
    assert_eq!(cannot(&manual, Some("a")), LockRefusal::NotASetting);
}

#[test]
fn a_check_that_is_not_monitored_holds_its_findings_back_new_ones_too() {
    let (_folder, store) = open();
    let with = |keys: &[&str]| [whole(USERS, keys.iter().map(|key| value(key, Verdict::Fail, false)).collect())];
    scan(&store, 10, &with(&["a"]));
    let decision = decide(&store, Ruling::Unmonitor, None, &with(&["a"]), 20).unwrap();
    let outcome = scan(&store, 100, &with(&["a", "b"]));
    assert_eq!((outcome.opened, outcome.still_open, open_now(&store)), (0, 0, 0));
    for row in ["a", "b"] {
        let held = finding(&store, USERS, row);
        assert_eq!((held.state, held.held_by.unwrap().kind), (FindingState::Dismissed, DecisionKind::Unmonitor), "{row}");
        assert_eq!(dismiss(&store, held.id, 900, 110), Err(DismissRefusal::NotMonitored));
    }
    scan(&store, 200, &[whole(USERS, vec![value("a", Verdict::Pass, true), value("b", Verdict::Fail, false)])]);
    assert_eq!(finding(&store, USERS, "a").state, FindingState::Fixed, "what passes is fixed all the same");
    assert_eq!(store.decision(decision).unwrap().ended, None);
    store.expire_decisions(at(500)).unwrap();
    assert_eq!((finding(&store, USERS, "b").state, open_now(&store)), (FindingState::Open, 1));
}

#[test]
fn an_override_is_a_parameter_of_the_instance_until_it_is_undone_or_set_by_hand() {
    let (_folder, store) = open();
    let days = |store: &Store| store.instance(instance_id(1)).unwrap().params.get(CHECK).cloned().unwrap_or_default();
    let to = |number| Ruling::Override([("days".to_owned(), ParamValue::Int(number))].into());
    let write = |ruling| DecisionWrite {
        instance: instance_id(1),
        check: CHECK.into(),
        row: None,
        title: "Sessions end".into(),
        label: String::new(),
        ruling,
        grounds: grounds(None),
    };
    let first = store.decide(&write(to(30)), None, &act(10)).unwrap();
    let second = store.decide(&write(Ruling::Override([("roles".to_owned(), ParamValue::Bool(true))].into())), None, &act(20)).unwrap();
    assert_eq!(days(&store).len(), 2, "one parameter beside the other");
    assert_eq!(store.decision(first).unwrap().ended.unwrap().1, DecisionEnd::Replaced);
    store.undo_decision(second, None, &act(30)).unwrap();
    assert!(days(&store).is_empty(), "the catalog's again");

    let third = store.decide(&write(to(40)), None, &act(40)).unwrap();
    let mut by_hand = store.instance(instance_id(1)).unwrap();
    by_hand.name = "Another".into();
    store.update_instance(&by_hand, at(50)).unwrap();
    assert_eq!(store.decision(third).unwrap().ended, None);
    by_hand.params.get_mut(CHECK).unwrap().insert("days".into(), ParamValue::Int(50));
    store.update_instance(&by_hand, at(60)).unwrap();
    assert_eq!(store.decision(third).unwrap().ended, Some((at(60), DecisionEnd::Replaced)));
    assert_eq!(days(&store)["days"], ParamValue::Int(50));

    // What was judged with other parameters than the instance has now is not taken.
    scan(&store, 70, &[whole(CHECK, vec![value("", Verdict::Fail, 1)])]);
    let last = store.last_complete_scan(instance_id(1)).unwrap().unwrap().id;
    let stale = Rejudged { scan: last, params: &by_hand.params, checks: &[] };
    assert!(matches!(store.decide(&write(to(60)), Some(stale), &act(80)), Err(StoreError::WrongState { .. })));
    assert_eq!(days(&store)["days"], ParamValue::Int(50), "nothing of it was kept");
}

#[test]
fn an_attestation_takes_the_place_of_a_dismissal() {
    let (_folder, store) = open();
    scan(&store, 10, &[whole(CHECK, vec![value("", Verdict::Fail, false)])]);
    dismiss(&store, finding(&store, CHECK, "").id, 500, 20).unwrap();
    let attestation = store::AttestationWrite {
        instance: instance_id(1),
        check: CHECK.into(),
        asked: "SSO is on".into(),
        finding: "SSO is off".into(),
        severity: catalog::Severity::High,
        feature: catalog::Feature::Config,
        recommended: "on".into(),
        answer: store::AttestationAnswer::NotMet,
        who: "ada".into(),
        recorded_by: "ada".into(),
        note: "seen".into(),
        valid_until: date(2026, 12, 31),
        ends_at: at(900),
        remind_days: 0,
        file: None,
    };
    store.attest(&attestation, &act(30)).unwrap();
    let attested = finding(&store, CHECK, "");
    assert_eq!((attested.state, attested.attested), (FindingState::Open, true));
    assert_eq!(ends(&store), [Some(DecisionEnd::Replaced)]);
    assert_eq!(dismiss(&store, attested.id, 500, 40), Err(DismissRefusal::Attested));
}

/// How much a check read, and what its rows came to: row, verdict and value.
type Came = (u8, Vec<(usize, u8, u8)>);

#[derive(Debug, Clone)]
enum Step {
    /// What each check came to.
    Scan(Vec<Came>),
    Dismiss(usize, i64),
    Unmonitor(usize),
    Lock(usize, usize),
    Undo(usize),
    Wait,
}

const CHECKS: [&str; 2] = ["check.a", "check.b"];
const ROWS: [&str; 3] = ["1", "2", ""];

fn any_step() -> impl Strategy<Value = Step> {
    let check = (0..4u8, prop::collection::vec((0..ROWS.len(), 0..5u8, 0..2u8), 0..4));
    prop_oneof![
        5 => prop::collection::vec(check, CHECKS.len()).prop_map(Step::Scan),
        4 => (0..6usize, 5..60i64).prop_map(|(which, seconds)| Step::Dismiss(which, seconds)),
        1 => (0..CHECKS.len()).prop_map(Step::Unmonitor),
        1 => (0..CHECKS.len(), 0..ROWS.len()).prop_map(|(check, row)| Step::Lock(check, row)),
        2 => (0..4usize).prop_map(Step::Undo),
        1 => Just(Step::Wait),
    ]
}

fn written(scan: &[Came]) -> Vec<CheckWrite> {
    let of = |(id, (completeness, rows)): (&&str, &Came)| {
        let completeness = match completeness {
            0 => Completeness::Partial(cause("cut")),
            _ => Completeness::Complete,
        };
        let rows = rows.iter().map(|(row, verdict, now)| {
            let verdict = match verdict {
                0 | 1 => Verdict::Fail,
                2 | 3 => Verdict::Pass,
                _ => Verdict::NotEvaluated { cause: cause("a field is missing") },
            };
            value(ROWS[*row], verdict, *now)
        });
        check(id, completeness, rows.collect())
    };
    CHECKS.iter().zip(scan).map(of).collect()
}

/// What is told of a finding: everything but the store's own numbers.
fn told(store: &Store) -> Vec<String> {
    findings(store).into_values().map(|finding| format!("{finding:?}")).collect()
}

/// Does one step; answers the checks of the last scan then.
fn step(store: &Store, number: usize, step: &Step, last: Vec<CheckWrite>) -> Vec<CheckWrite> {
    let second = 10 * (number as i64 + 1);
    match step {
        Step::Scan(checks) => {
            let checks = written(checks);
            scan(store, second, &checks);
            return checks;
        }
        Step::Dismiss(which, seconds) => {
            let ids: Vec<FindingId> = findings(store).into_values().map(|finding| finding.id).collect();
            if let Some(id) = ids.get(*which) {
                let _ = dismiss(store, *id, second + seconds, second);
            }
        }
        Step::Unmonitor(check) => {
            if let Some(check) = last.get(*check) {
                let checks: Vec<CheckWrite> =
                    [vec![check.clone()], last.iter().filter(|one| one.check != check.check).cloned().collect()].concat();
                decide(store, Ruling::Unmonitor, None, &checks, second).unwrap();
            }
        }
        Step::Lock(check, row) => {
            if let Some(check) = last.get(*check)
                && let Ok(lock) = Lock::of(check, Some(&RowKey(ROWS[*row].into())), "Changed".into())
            {
                let checks: Vec<CheckWrite> =
                    [vec![check.clone()], last.iter().filter(|one| one.check != check.check).cloned().collect()].concat();
                // It may be locked already.
                let _ = decide(store, Ruling::Lock(lock), Some(ROWS[*row]), &checks, second);
            }
        }
        Step::Undo(which) => {
            let (_, decisions) =
                store.decisions(&DecisionFilter { in_force: Some(true), ..DecisionFilter::default() }, Slice::ALL).unwrap();
            if let Some(decision) = decisions.get(*which)
                && !last.is_empty()
            {
                // Its time may be over by now.
                let _ = undo(store, decision.id, &last, second);
            }
        }
        Step::Wait => {
            store.expire_decisions(at(second)).unwrap();
        }
    }
    last
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20) })]

    #[test]
    fn no_decision_mends_anything_and_none_is_lost(steps in prop::collection::vec(any_step(), 1..14)) {
        let (_folder, store) = open();
        let (_other, replayed) = open();
        let (mut last, mut last_replayed) = (Vec::new(), Vec::new());
        let mut before = findings(&store);
        let mut snapshots = Vec::new();
        for (number, one) in steps.iter().enumerate() {
            let now = at(10 * (number as i64 + 1));
            last = step(&store, number, one, last);
            last_replayed = step(&replayed, number, one, last_replayed);
            prop_assert_eq!(told(&store), told(&replayed), "step {} replayed", number);
            let after = findings(&store);
            let (_, decisions) = store.decisions(&DecisionFilter::default(), Slice::ALL).unwrap();
            for (at_row, finding) in &after {
                let was = before.get(at_row).map(|before| before.state);
                let ended = |state| matches!(state, FindingState::Fixed | FindingState::Gone);
                if ended(finding.state) && was.is_none_or(|was| !ended(was)) {
                    let unlocked = matches!(one, Step::Undo(_)) && store::locked_check(&finding.check).is_some();
                    prop_assert!(matches!(one, Step::Scan(_)) || (unlocked && finding.state == FindingState::Gone), "{:?} ended {:?}", one, finding);
                    if !unlocked && finding.state == FindingState::Fixed {
                        prop_assert_eq!(store.finding(finding.id).unwrap().verdict, Verdict::Pass);
                    }
                }
                // It is dismissed exactly while a decision holds it back that has not ended, and never silently.
                let held = decisions.iter().any(|decision| {
                    decision.ended.is_none() && decision.check == finding.check
                        && (decision.kind == DecisionKind::Unmonitor
                            || decision.kind == DecisionKind::Dismiss && decision.row.as_ref() == Some(&finding.row))
                });
                prop_assert_eq!(finding.state == FindingState::Dismissed, held && !ended(finding.state), "{:?}", finding);
                prop_assert_eq!(finding.state == FindingState::Dismissed, finding.held_by.is_some());
                let scanned = matches!(one, Step::Scan(_));
                if was == Some(FindingState::Dismissed) && finding.state == FindingState::Open {
                    prop_assert!(store.finding(finding.id).unwrap().history.iter().any(|event| event.kind == EventKind::Returned), "{:?}", finding);
                }
                prop_assert!(scanned || was.is_some() || store::locked_check(&finding.check).is_some(), "a decision found something");
            }
            for at_row in before.keys() {
                prop_assert!(after.contains_key(at_row), "a finding is lost");
            }
            for decision in &decisions {
                prop_assert!(decision.ended.is_some_and(|(end, _)| end <= now) || decision.in_force(now) || !matches!(one, Step::Scan(_) | Step::Wait));
            }
            before = after;
            snapshots.push((now, standing(&store, None)));
        }
        // The history tells how everything stood at any time, and what it came to between any two.
        for (time, then) in &snapshots {
            prop_assert_eq!(&standing(&store, Some(*time)), then, "at {}", time);
        }
        let ((from, before), (to, after)) = (&snapshots[snapshots.len() / 3], &snapshots[snapshots.len() - 1]);
        let span = [Span { instance: instance_id(1), from: *from, to: *to }];
        let list = store.changes(&span, &ChangeFilter::default(), Slice::ALL).unwrap();
        let found: BTreeMap<_, _> =
            list.rows.iter().map(|row| ((row.finding.instance, row.finding.check.clone(), row.finding.row.0.clone()), row.kind)).collect();
        let wanted: BTreeMap<_, _> =
            after.iter().filter_map(|(key, after)| Some((key.clone(), expected(before.get(key), after)?))).collect();
        prop_assert_eq!(found, wanted);
    }
}
