//! What persons attested: stored whole, never changed, and the one thing that governs the findings of manual checks.

use crate::{changes::standing, tenant};

use catalog::{CheckKind, Completeness, Feature, RowKey, Severity, Verdict};
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;
use store::{
    Act, AttestationAnswer, AttestationId, AttestationWrite, CheckWrite, EventKind, FileWrite, Finding, FindingFilter, FindingSort,
    FindingState, OwnCheck, ScanState, Slice, Store, StoreError,
};
use tempfile::TempDir;
use tenant::*;

const MANUAL: &str = "kustomer.users.mfa";
const OWN: &str = "own.1";

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    (folder, store)
}

fn act(second: i64, what: &str) -> Act {
    Act::new(at(second), "ada", what, "kustomer")
}

/// An attestation that ends a hundred seconds after its time.
fn write(check: &str, answer: AttestationAnswer, second: i64) -> AttestationWrite {
    AttestationWrite {
        instance: instance_id(1),
        check: check.into(),
        asked: "A second factor is required".into(),
        finding: "No second factor is required".into(),
        severity: Severity::High,
        feature: Feature::Identity,
        recommended: "required".into(),
        answer,
        who: "Mei Laurent".into(),
        recorded_by: "ada".into(),
        note: format!("seen at {second}"),
        valid_until: date(2026, 12, 31),
        ends_at: at(second + 100),
        remind_days: 30,
        file: None,
    }
}

fn attest(store: &Store, check: &str, answer: AttestationAnswer, second: i64) -> AttestationId {
    store.attest(&write(check, answer, second), &act(second, "attested")).unwrap()
}

fn manual(id: &str) -> CheckWrite {
    CheckWrite { kind: CheckKind::Manual, ..check(id, Completeness::Complete, vec![judged("", Verdict::Manual)]) }
}

fn scan(store: &Store, second: i64, checks: &[CheckWrite]) -> store::ScanOutcome {
    let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
    store.commit_scan(scan, checks, at(second), at(second)).unwrap()
}

fn findings(store: &Store) -> BTreeMap<String, Finding> {
    let list = store.findings(&FindingFilter::default(), FindingSort::Severity, true, Slice::ALL).unwrap();
    list.rows.into_iter().map(|finding| (finding.check.clone(), finding)).collect()
}

fn own_check() -> OwnCheck {
    OwnCheck {
        id: OWN.into(),
        title: "Exports have an owner".into(),
        severity: Severity::Low,
        why: "Somebody has to answer for them.".into(),
        steps: vec!["Ask.".into()],
        recommended: "an owner".into(),
    }
}

#[test]
fn an_attestation_comes_back_as_it_was_with_its_file() {
    let (folder, store) = open();
    // Neither text nor compressible.
    let content: Vec<u8> = (0..70_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let file = FileWrite { name: "mfa.pdf".into(), media_type: "application/pdf".into(), content: content.clone() };
    let id = store.attest(&AttestationWrite { file: Some(file), ..write(MANUAL, AttestationAnswer::Met, 5) }, &act(5, "attested")).unwrap();
    let bare = attest(&store, "kustomer.other", AttestationAnswer::NotApplicable, 6);
    drop(store);
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    let attestation = store.attestation(id).unwrap();
    let wanted = write(MANUAL, AttestationAnswer::Met, 5);
    assert_eq!((attestation.instance, attestation.check.as_str()), (wanted.instance, MANUAL));
    assert_eq!((attestation.answer, &attestation.who, &attestation.recorded_by), (wanted.answer, &wanted.who, &wanted.recorded_by));
    assert_eq!((&attestation.note, attestation.at, &attestation.asked), (&wanted.note, at(5), &wanted.asked));
    assert_eq!(attestation.recommended, wanted.recommended);
    assert_eq!((attestation.valid_until, attestation.ends_at, attestation.remind_days), (wanted.valid_until, wanted.ends_at, 30));
    let file = attestation.file.unwrap();
    assert_eq!((file.name.as_str(), file.media_type.as_str(), file.size), ("mfa.pdf", "application/pdf", content.len() as u64));
    assert_eq!(store.attestation_file(id).unwrap(), (file, content));
    assert!(matches!(store.attestation_file(bare), Err(StoreError::NotFound { what: "attached file" })));
    assert!(matches!(store.attestation(AttestationId(99)), Err(StoreError::NotFound { what: "attestation" })));
    assert_eq!(store.attestations(Some(instance_id(1))).unwrap().len(), 2, "by check");
    assert_eq!(store.acts(Slice::ALL).unwrap().0, 2, "each is an act");

    let raw = raw(&folder.path().join("posture.db"), &key());
    store.save_own_check(instance_id(1), &own_check(), "f", &act(7, "check added")).unwrap();
    store.withdraw_attestation(bare, "wrong", &act(8, "withdrawn")).unwrap();
    for (table, change) in [
        ("attestation", "note = ''"),
        ("attestation_file", "name = ''"),
        ("attestation_withdrawal", "who = ''"),
        ("own_check", "title = ''"),
    ] {
        assert!(raw.execute(&format!("UPDATE {table} SET {change}"), []).is_err(), "{table} changed");
        assert!(raw.execute(&format!("DELETE FROM {table}"), []).is_err(), "{table} deleted");
    }
}

#[test]
fn a_finding_follows_what_is_attested_and_no_scan_ends_or_repeats_it() {
    let (_folder, store) = open();
    assert_eq!(scan(&store, 1, &[manual(MANUAL)]).opened, 0);
    let not_met = attest(&store, MANUAL, AttestationAnswer::NotMet, 10);
    let opened = findings(&store).remove(MANUAL).unwrap();
    assert_eq!((opened.state, opened.attested, opened.severity), (FindingState::Open, true, Severity::High));
    assert_eq!((opened.title.as_str(), opened.first_seen), ("No second factor is required", at(10)));
    assert_eq!(store.open_findings(store::SandboxScope::With).unwrap()[&instance_id(1)].high, 1);
    let detail = store.finding(opened.id).unwrap();
    assert_eq!((detail.attestation.unwrap().id, detail.verdict, detail.evidence.len()), (not_met, Verdict::Manual, 0));

    // Neither a scan, nor one that fails, nor judging again says anything of it.
    let outcome = scan(&store, 20, &[manual(MANUAL)]);
    assert_eq!((outcome.opened, outcome.still_open, outcome.fixed, outcome.gone, outcome.not_rechecked), (0, 0, 0, 0, 0));
    let last = store.last_complete_scan(instance_id(1)).unwrap().unwrap();
    store.rejudge_scan(last.id, &[manual(MANUAL)], at(21)).unwrap();
    let failed = store.begin_scan(instance_id(1), at(22), &["users"]).unwrap();
    store.end_scan(failed, ScanState::Failed, Some(&cause("The host was not reached.")), at(23)).unwrap();
    store.prune_scans(instance_id(1), 1).unwrap();
    assert_eq!(findings(&store)[MANUAL], opened);

    // It ends and nobody looks: open, not re-checked since it was attested.
    assert_eq!(store.expire_attestations(at(109)).unwrap(), 0);
    assert_eq!(store.expire_attestations(at(110)).unwrap(), 1);
    assert_eq!(store.expire_attestations(at(111)).unwrap(), 0, "once");
    let expired = findings(&store).remove(MANUAL).unwrap();
    assert_eq!((expired.state, expired.not_rechecked.as_ref().unwrap().since), (FindingState::Open, at(10)));
    assert!(expired.not_rechecked.unwrap().cause.sentence.contains("2026-12-31"));
    scan(&store, 112, &[manual(MANUAL)]);
    assert!(findings(&store)[MANUAL].not_rechecked.is_some(), "a scan re-checks nothing of it");

    attest(&store, MANUAL, AttestationAnswer::NotMet, 120);
    assert_eq!(findings(&store)[MANUAL].not_rechecked, None);
    attest(&store, MANUAL, AttestationAnswer::Met, 130);
    let fixed = findings(&store).remove(MANUAL).unwrap();
    assert_eq!((fixed.state, fixed.ended_at, fixed.id), (FindingState::Fixed, Some(at(130)), opened.id));
    attest(&store, MANUAL, AttestationAnswer::NotMet, 140);
    attest(&store, MANUAL, AttestationAnswer::NotApplicable, 150);
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Gone);
    let kinds: Vec<EventKind> = store.finding(opened.id).unwrap().history.iter().map(|event| event.kind).collect();
    use EventKind::{Fixed, Gone, NotRechecked, Opened, Reopened, StillOpen};
    assert_eq!(kinds, [Gone, Reopened, Fixed, StillOpen, NotRechecked, Opened]);
    for verdict in store.verdicts(last.id, None, Slice::ALL).unwrap().1 {
        assert_eq!(verdict.verdict, Verdict::Manual);
    }
}

#[test]
fn only_the_last_one_can_be_withdrawn_and_the_one_before_counts_again() {
    let (_folder, store) = open();
    let met = attest(&store, MANUAL, AttestationAnswer::Met, 1);
    assert!(findings(&store).is_empty());
    let not_met = attest(&store, MANUAL, AttestationAnswer::NotMet, 2);
    assert!(matches!(store.withdraw_attestation(met, "wrong", &act(3, "withdrawn")), Err(StoreError::NotInForce)));
    store.withdraw_attestation(not_met, "the wrong tenant", &act(4, "withdrawn")).unwrap();
    let gone = findings(&store).remove(MANUAL).unwrap();
    assert_eq!(gone.state, FindingState::Gone, "nothing was mended");
    assert!(store.finding(gone.id).unwrap().history[0].detail.contains("the wrong tenant"));
    let withdrawal = store.attestation(not_met).unwrap().withdrawal.unwrap();
    assert_eq!((withdrawal.who.as_str(), withdrawal.at, withdrawal.reason.as_str()), ("ada", at(4), "the wrong tenant"));
    assert!(matches!(store.withdraw_attestation(not_met, "again", &act(5, "withdrawn")), Err(StoreError::NotInForce)));
    assert_eq!(store.acts(Slice::ALL).unwrap().0, 3, "what was refused is no act");

    let again = attest(&store, MANUAL, AttestationAnswer::NotMet, 6);
    let mended = attest(&store, MANUAL, AttestationAnswer::Met, 7);
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Fixed);
    store.withdraw_attestation(mended, "it was not", &act(8, "withdrawn")).unwrap();
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Open);
    store.withdraw_attestation(again, "neither", &act(9, "withdrawn")).unwrap();
    store.withdraw_attestation(met, "nor that", &act(10, "withdrawn")).unwrap();
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Gone);
    assert_eq!(store.attestations(None).unwrap()[&(instance_id(1), MANUAL.to_owned())].len(), 4, "all of it stays");
}

#[test]
fn own_checks_keep_every_version_and_their_findings_no_scan_touches() {
    let (_folder, store) = open();
    let id = instance_id(1);
    store.save_own_check(id, &own_check(), "Not as recommended: Exports have an owner", &act(1, "check added")).unwrap();
    attest(&store, OWN, AttestationAnswer::NotMet, 2);
    let changed = OwnCheck { title: "Every export has an owner".into(), severity: Severity::Critical, ..own_check() };
    store.save_own_check(id, &changed, "An export has no owner", &act(3, "check changed")).unwrap();
    let found = findings(&store).remove(OWN).unwrap();
    assert_eq!((found.title.as_str(), found.severity), ("An export has no owner", Severity::Critical));
    // No check of the catalog has this id.
    assert_eq!(scan(&store, 4, &[manual(MANUAL)]).not_rechecked, 0);
    assert_eq!(findings(&store)[OWN], found);
    assert_eq!(store.own_checks(Some(id)).unwrap()[&id].iter().map(|version| &version.check).collect::<Vec<_>>(), [&changed]);

    // What has ended is called what it was called then.
    attest(&store, OWN, AttestationAnswer::Met, 4);
    store.save_own_check(id, &own_check(), "f", &act(4, "check changed")).unwrap();
    let fixed = findings(&store).remove(OWN).unwrap();
    assert_eq!((fixed.state, fixed.title, fixed.severity), (FindingState::Fixed, found.title, Severity::Critical));
    store.save_own_check(id, &changed, "An export has no owner", &act(4, "check changed")).unwrap();
    attest(&store, OWN, AttestationAnswer::NotMet, 4);

    store.remove_own_check(id, OWN, &act(5, "check removed")).unwrap();
    // Another process may still show it.
    let late = store.attest(&write(OWN, AttestationAnswer::NotMet, 6), &act(6, "attested"));
    assert!(matches!(late, Err(StoreError::NotFound { what: "check" })), "{late:?}");
    let late = store.save_own_check(id, &changed, "f", &act(6, "check changed"));
    assert!(matches!(late, Err(StoreError::NotFound { what: "check" })), "{late:?}");
    assert!(store.own_checks(None).unwrap().is_empty());
    assert_eq!(findings(&store)[OWN].state, FindingState::Gone);
    assert!(matches!(store.remove_own_check(id, OWN, &act(6, "check removed")), Err(StoreError::NotFound { what: "check" })));
    let history = store.own_check_history(id, OWN).unwrap();
    assert_eq!(
        history.iter().map(|version| (version.check.title.as_str(), version.removed)).collect::<Vec<_>>(),
        [
            ("Exports have an owner", false),
            ("Every export has an owner", false),
            ("Exports have an owner", false),
            ("Every export has an owner", false),
            ("Every export has an owner", true)
        ]
    );
    let given = store.attestations(Some(id)).unwrap().remove(&(id, OWN.to_owned())).unwrap();
    store.withdraw_attestation(given.last().unwrap().id, "it is asked no more", &act(7, "withdrawn")).unwrap();
    assert_eq!(findings(&store)[OWN].state, FindingState::Gone, "of a removed check nothing is found");
}

#[test]
fn a_check_that_is_scanned_from_now_on_is_judged_by_scans() {
    let (_folder, store) = open();
    attest(&store, MANUAL, AttestationAnswer::NotMet, 1);
    let complete = Completeness::Complete;
    assert_eq!(scan(&store, 2, &[check(MANUAL, complete.clone(), vec![judged("", Verdict::Fail)])]).still_open, 1);
    assert!(!findings(&store)[MANUAL].attested, "now it was scanned");
    // What was attested before ends nothing of it, and neither does taking that back.
    let before = store.attestations(None).unwrap()[&(instance_id(1), MANUAL.to_owned())][0].id;
    store.withdraw_attestation(before, "the wrong tenant", &act(2, "withdrawn")).unwrap();
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Open);
    assert_eq!(scan(&store, 3, &[check(MANUAL, complete, vec![judged("", Verdict::Pass)])]).fixed, 1);
}

#[test]
fn a_failure_of_a_check_that_is_attested_from_now_on_is_ended_by_no_attestation_alone() {
    let (_folder, store) = open();
    let complete = || Completeness::Complete;
    scan(&store, 1, &[check(MANUAL, complete(), vec![judged("", Verdict::Fail)])]);
    let scanned = findings(&store).remove(MANUAL).unwrap();
    assert_eq!(scan(&store, 2, &[manual(MANUAL)]).not_rechecked, 1);
    let stands = |why: &str| {
        let found = findings(&store).remove(MANUAL).unwrap();
        assert_eq!((found.state, found.attested, found.current.as_str()), (FindingState::Open, false, scanned.current.as_str()), "{why}");
        let not_rechecked = found.not_rechecked.unwrap();
        assert_eq!(not_rechecked.since, at(1), "{why}");
        let detail = store.finding(found.id).unwrap();
        assert_eq!((detail.verdict, detail.attestation), (Verdict::Fail, None), "{why}");
    };
    stands("the check became manual");
    attest(&store, MANUAL, AttestationAnswer::Met, 10);
    stands("met");
    let last = attest(&store, MANUAL, AttestationAnswer::NotApplicable, 11);
    stands("does not apply");
    store.withdraw_attestation(last, "wrong", &act(12, "withdrawn")).unwrap();
    stands("withdrawn");
    // A person who sees it, too, takes it over; taking that back gives it back.
    let joined = attest(&store, MANUAL, AttestationAnswer::NotMet, 13);
    let taken = findings(&store).remove(MANUAL).unwrap();
    assert_eq!((taken.id, taken.attested, taken.not_rechecked), (scanned.id, true, None));
    store.withdraw_attestation(joined, "the wrong tenant", &act(14, "withdrawn")).unwrap();
    stands("the one that joined in is withdrawn");
    attest(&store, MANUAL, AttestationAnswer::NotMet, 15);
    let mended = attest(&store, MANUAL, AttestationAnswer::Met, 16);
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Fixed);
    let again = attest(&store, MANUAL, AttestationAnswer::NotMet, 17);
    store.withdraw_attestation(again, "wrong", &act(18, "withdrawn")).unwrap();
    assert_eq!(findings(&store)[MANUAL].state, FindingState::Gone, "it was mended before");
    let given = store.attestations(None).unwrap().remove(&(instance_id(1), MANUAL.to_owned())).unwrap();
    for one in given.iter().rev().filter(|one| one.withdrawal.is_none()) {
        store.withdraw_attestation(one.id, "wrong", &act(19, "withdrawn")).unwrap();
    }
    assert!(store.attestation(mended).unwrap().withdrawal.is_some());
    stands("nothing that was attested counts any more");
    // That it could not be judged by an earlier catalog's scan holds no longer than a new attestation.
    attest(&store, MANUAL, AttestationAnswer::NotMet, 20);
    scan(&store, 21, &[check(MANUAL, Completeness::Unavailable(cause("x")), vec![])]);
    assert!(findings(&store)[MANUAL].not_rechecked.is_some());
    scan(&store, 22, &[manual(MANUAL)]);
    assert_eq!(findings(&store)[MANUAL].not_rechecked, None);
}

#[test]
fn every_attestation_is_an_event_of_its_own_and_what_it_changed_is_told_as_attested() {
    let (_folder, store) = open();
    for second in [1, 2, 3] {
        attest(&store, MANUAL, AttestationAnswer::NotMet, second);
    }
    let found = findings(&store).remove(MANUAL).unwrap();
    let details = || -> Vec<String> { store.finding(found.id).unwrap().history.into_iter().map(|event| event.detail).collect() };
    assert_eq!(details(), ["seen at 3", "seen at 2", "seen at 1"]);
    let changed = |second: i64| {
        let span = store::Span { instance: instance_id(1), from: at(0), to: at(second) };
        let list = store.changes(&[span], &store::ChangeFilter::default(), Slice::ALL).unwrap();
        list.rows.into_iter().map(|row| (row.kind, row.finding.attested, row.finding.not_rechecked.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(changed(100), [(store::ChangeKind::NewlyFailing, true, false)]);
    store.expire_attestations(at(200)).unwrap();
    assert_eq!(changed(200), [(store::ChangeKind::NewlyFailing, true, true)]);
    attest(&store, MANUAL, AttestationAnswer::NotMet, 201);
    // A scan that finds it from then on adds to its own lines alone.
    for second in [202, 203] {
        scan(&store, second, &[check(MANUAL, Completeness::Complete, vec![judged("", Verdict::Fail)])]);
    }
    assert_eq!(details().len(), 6);
    assert_eq!(details()[1], "seen at 201");
}

#[test]
fn deleting_an_instance_takes_its_attestations_along_and_gives_their_room_back() {
    let (folder, store) = open();
    let path = folder.path().join("posture.db");
    let size = || std::fs::metadata(&path).unwrap().len();
    store.insert_instance(&instance(2)).unwrap();
    store.save_own_check(instance_id(1), &own_check(), "f", &act(1, "check added")).unwrap();
    let content: Vec<u8> = (0..500_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let file = |name: &str| Some(FileWrite { name: name.into(), media_type: "image/png".into(), content: content.clone() });
    let id = store.attest(&AttestationWrite { file: file("a"), ..write(OWN, AttestationAnswer::NotMet, 2) }, &act(2, "attested")).unwrap();
    store.withdraw_attestation(id, "wrong", &act(3, "withdrawn")).unwrap();
    let other = AttestationWrite { instance: instance_id(2), ..write(MANUAL, AttestationAnswer::Met, 4) };
    store.attest(&other, &act(4, "attested")).unwrap();
    drop(store);
    let full = size();
    let store = Store::open(&path, &key()).unwrap();
    let deleted = store.delete_instance(instance_id(1)).unwrap();
    assert_eq!((deleted.attestations, deleted.findings), (1, 1));
    assert!(size() + 1_500_000 < full, "{} of {full} bytes are left", size());
    let raw = raw(&path, &key());
    for (table, left) in [("attestation", 1), ("attestation_file", 0), ("attestation_withdrawal", 0), ("own_check", 0), ("finding", 0)] {
        let rows: i64 = raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, left, "{table}");
    }
    store.verify().unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Scan { with_manual: bool, fails: bool },
    Rejudge,
    FailedScan,
    Attest { own: bool, answer: AttestationAnswer },
    Withdraw { own: bool },
    Expire,
    Prune,
}

fn any_step() -> impl Strategy<Value = Step> {
    let answer = prop_oneof![Just(AttestationAnswer::Met), Just(AttestationAnswer::NotMet), Just(AttestationAnswer::NotApplicable)];
    prop_oneof![
        3 => (any::<bool>(), any::<bool>()).prop_map(|(with_manual, fails)| Step::Scan { with_manual, fails }),
        1 => Just(Step::Rejudge),
        1 => Just(Step::FailedScan),
        5 => (any::<bool>(), answer).prop_map(|(own, answer)| Step::Attest { own, answer }),
        3 => any::<bool>().prop_map(|own| Step::Withdraw { own }),
        2 => Just(Step::Expire),
        1 => Just(Step::Prune),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// The finding of a manual check is open exactly while the last attestation that was not withdrawn says not met, whatever
    /// is scanned in between; and nothing ever passes.
    #[test]
    fn open_exactly_while_not_met_counts(steps in prop::collection::vec(any_step(), 1..24)) {
        let (_folder, store) = open();
        store.save_own_check(instance_id(1), &own_check(), "f", &act(0, "check added")).unwrap();
        let mut counting: BTreeMap<&str, Vec<(AttestationId, AttestationAnswer, i64)>> = BTreeMap::new();
        let mut last: Vec<CheckWrite> = Vec::new();
        let mut snapshots = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let now = i64::try_from(number).unwrap() * 40 + 10;
            let name = |own: bool| if own { OWN } else { MANUAL };
            match step {
                Step::Scan { with_manual, fails } => {
                    last = vec![check("kustomer.scanned", Completeness::Complete, vec![judged("1", if fails { Verdict::Fail } else { Verdict::NotApplicable { reason: "no".into() } })])];
                    if with_manual {
                        last.push(manual(MANUAL));
                    }
                    let outcome = scan(&store, now, &last);
                    prop_assert_eq!(outcome.verdicts.pass, 0);
                }
                Step::Rejudge => {
                    if let Some(scan) = store.last_complete_scan(instance_id(1)).unwrap() {
                        store.rejudge_scan(scan.id, &last, at(now)).unwrap();
                    }
                }
                Step::FailedScan => {
                    let scan = store.begin_scan(instance_id(1), at(now), &["users"]).unwrap();
                    store.end_scan(scan, ScanState::Failed, Some(&cause("no host")), at(now)).unwrap();
                }
                Step::Attest { own, answer } => {
                    let id = attest(&store, name(own), answer, now);
                    counting.entry(name(own)).or_default().push((id, answer, now + 100));
                }
                Step::Withdraw { own } => {
                    if let Some((id, ..)) = counting.get_mut(name(own)).and_then(Vec::pop) {
                        store.withdraw_attestation(id, "wrong", &act(now, "withdrawn")).unwrap();
                    }
                }
                Step::Expire => {
                    store.expire_attestations(at(now)).unwrap();
                    for check in [MANUAL, OWN] {
                        if let Some(finding) = findings(&store).get(check).filter(|finding| finding.state == FindingState::Open) {
                            let (_, _, ends) = counting[check].last().unwrap();
                            prop_assert_eq!(finding.not_rechecked.is_some(), *ends <= now, "{}", check);
                        }
                    }
                }
                Step::Prune => { store.prune_scans(instance_id(1), 1).unwrap(); }
            }
            let found = findings(&store);
            for check in [MANUAL, OWN] {
                let wanted = counting.get(check).and_then(|given| given.last()).is_some_and(|(_, answer, _)| *answer == AttestationAnswer::NotMet);
                let finding = found.get(check);
                prop_assert_eq!(finding.is_some_and(|finding| finding.state == FindingState::Open), wanted, "{} after step {}", check, number);
                if let Some(finding) = finding {
                    prop_assert!(finding.attested && finding.row == RowKey::default());
                    prop_assert_eq!(finding.state == FindingState::Open, finding.ended_at.is_none());
                    let id = store.finding(finding.id).unwrap().attestation.map(|attestation| attestation.id);
                    prop_assert_eq!(id, counting[check].last().map(|(id, ..)| *id));
                }
            }
            snapshots.push((at(now), standing(&store, None)));
        }
        for (time, then) in snapshots {
            prop_assert_eq!(standing(&store, Some(time)), then, "at {}", time);
        }
    }
}
