//! What is stored comes back, through the public interface and over real encrypted files.

use crate::tenant;

use catalog::{CheckKind, Completeness, Feature, RowKey, Severity, Verdict};
use jiff::{civil::date, tz::TimeZone};
use serde_json::{Value, json};
use store::{
    Act, EventKind, FindingFilter, FindingSort, FindingState, Request, RequestClass, RequestOutcome, SandboxScope, ScanState,
    SeverityTally, Slice, Store, StoreError, canonical_row,
};
use tempfile::TempDir;
use tenant::*;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    (folder, store)
}

fn states(store: &Store) -> Vec<(String, FindingState, bool)> {
    let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
    list.rows.into_iter().map(|finding| (finding.row.0, finding.state, finding.not_rechecked.is_some())).collect()
}

#[test]
fn instances_are_kept_changed_and_named_once() {
    let (folder, store) = open();
    let mut one = instance(1);
    store.insert_instance(&one).unwrap();
    assert_eq!(store.instance(one.id).unwrap(), one);
    assert!(
        matches!(store.insert_instance(&store::Instance { id: instance_id(5), ..one.clone() }), Err(StoreError::NameTaken { name }) if name == one.name)
    );
    store.insert_instance(&instance(2)).unwrap();
    one.name = "Halden Moor 2".into();
    assert!(matches!(store.update_instance(&one, at(0)), Err(StoreError::NameTaken { .. })));
    one.name = "Halden Moor EU".into();
    one.params.clear();
    store.update_instance(&one, at(0)).unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    assert_eq!(store.instances().unwrap(), [instance(2), one]);
    assert!(matches!(store.instance(instance_id(9)), Err(StoreError::NotFound { what: "instance" })));
}

#[test]
fn rows_come_back_as_they_were_and_equal_content_is_stored_once() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users", "teams"]).unwrap();
    let request = store
        .log_request(&Request {
            at: at(1),
            instance: instance_id(1),
            scan: Some(scan),
            class: RequestClass::Dataset,
            host: "api.kustomerapp.com".into(),
            method: "GET".into(),
            path: "/v1/users".into(),
            status: Some(200),
            bytes: 1234,
            milliseconds: 56,
            outcome: RequestOutcome::Answered,
        })
        .unwrap();
    let mut faulty = row("3", json!({ "name": "é\u{1F511}", "nested": { "b": [1, 2.5, null], "a": true } }));
    faulty.faults = vec![("roles[0]".into(), "null".into())];
    let rows = [row("1", json!({ "same": 1, "also": 2 })), row("2", serde_json::from_str(r#"{"also":2,"same":1}"#).unwrap()), faulty];
    let parent = RowKey::default();
    let mut write = page("users", &parent, 0, &rows, None);
    write.request = Some(request);
    store.write_page(scan, &write).unwrap();
    store.finish_dataset(scan, "users", &Completeness::Complete).unwrap();

    let (total, stored) = store.rows(scan, "users", Slice { offset: 1, limit: 5 }).unwrap();
    assert_eq!(total, 3);
    assert_eq!(stored.iter().map(|stored| stored.row.clone()).collect::<Vec<_>>(), rows[1..]);
    assert_eq!(stored[1].request.as_ref().unwrap().path, "/v1/users");
    let all = store.rows(scan, "users", Slice::ALL).unwrap().1;
    assert_eq!(all[0].hash, all[1].hash, "the order of members is no content");
    assert_ne!(all[0].hash, all[2].hash);
    let evidence: i64 =
        raw(&folder.path().join("posture.db"), &key()).query_row("SELECT count(*) FROM evidence", [], |row| row.get(0)).unwrap();
    assert_eq!(evidence, 2);

    let collected = store.collected(scan).unwrap();
    assert_eq!(collected["users"].rows, rows);
    assert_eq!(collected["users"].completeness, Completeness::Complete);
    assert!(collected["teams"].rows.is_empty() && !collected["teams"].completeness.is_complete());
    assert_eq!(store.requests(Some(instance_id(1)), Slice::ALL).unwrap().0, 1);
    assert_eq!(store.scan(scan).unwrap().requests, 1);
    assert_eq!(store.scan(scan).unwrap().rows, 3);
}

#[test]
fn the_canonical_text_is_written_down() {
    let mut row = row("1", serde_json::from_str::<Value>(r#"{"b":{"z":1,"a":"\"é"},"a":[{"y":null,"x":1.5}]}"#).unwrap());
    row.faults = vec![("p".into(), "w".into())];
    assert_eq!(canonical_row(&row), r#"{"faults":[["p","w"]],"fields":{"a":[{"x":1.5,"y":null}],"b":{"a":"\"é","z":1}}}"#);
    // What `sha256sum` says of the text above.
    assert_eq!(store::EvidenceHash::of(&row).to_string(), "b26907a237b7a362f1a191c22b5e8e077dae18c5126041c89079d3f7f58d5142");
}

#[test]
fn a_vendor_that_gives_one_key_twice_covers_nothing() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    let rows = [row("1", json!({ "mfa": false })), row("1", json!({ "mfa": true })), row("1", json!({ "mfa": false }))];
    write_whole(&store, scan, "users", &rows);
    assert_eq!(store.collected(scan).unwrap()["users"].rows, rows[..2], "the repetition is dropped, the contradiction is kept");
    let checks =
        [check("c", Completeness::Complete, vec![judged("1", Verdict::Pass), judged("1", Verdict::Fail), judged("1", Verdict::Pass)])];
    assert_eq!(store.commit_scan(scan, &checks, at(2), at(3)).unwrap().opened, 1);
    let scan = store.begin_scan(instance_id(1), at(10), &["users"]).unwrap();
    assert_eq!(store.commit_scan(scan, &checks, at(12), at(13)).unwrap().still_open, 1);
    assert_eq!(states(&store), [("1".into(), FindingState::Open, false)]);
}

#[test]
fn a_finding_lives_through_all_its_states() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let mut second = 0;
    let mut scan = |checks: &[store::CheckWrite]| {
        second += 100;
        let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
        write_whole(&store, scan, "users", &[row("a", json!({ "scan": second })), row("b", json!({}))]);
        store.commit_scan(scan, checks, at(second + 10), at(second + 20)).unwrap()
    };
    let fail = |key: &str| judged(key, Verdict::Fail);
    let complete = Completeness::Complete;

    let outcome = scan(&[check("c", complete.clone(), vec![fail("a"), fail("b"), judged("d", Verdict::Pass)])]);
    assert_eq!((outcome.opened, outcome.verdicts.fail, outcome.verdicts.pass), (2, 2, 1));
    let outcome = scan(&[check("c", Completeness::Unavailable(cause("Scope users.read is missing.")), vec![])]);
    assert_eq!((outcome.not_rechecked, outcome.gone, outcome.fixed), (2, 0, 0));
    let outcome = scan(&[check("c", complete.clone(), vec![judged("a", Verdict::Pass)])]);
    assert_eq!((outcome.fixed, outcome.gone), (1, 1));
    let outcome = scan(&[check("c", complete.clone(), vec![fail("a")])]);
    assert_eq!(outcome.opened, 1);

    let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
    let a = store.finding(list.rows[0].id).unwrap();
    assert_eq!((a.finding.first_seen, a.finding.last_seen, a.finding.ended_at), (at(110), at(410), None));
    let kinds: Vec<EventKind> = a.history.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Reopened, EventKind::Fixed, EventKind::NotRechecked, EventKind::Opened]);
    assert_eq!(a.history[2].detail, "Scope users.read is missing.");
    assert_eq!(a.evidence.len(), 1);
    assert_eq!(a.evidence[0].row.fields, json!({ "scan": 400 }), "the evidence is that of the last verdict");
    assert_eq!(a.read, [("enabled".to_owned(), json!(false))]);
    let b = store.finding(list.rows[1].id).unwrap();
    assert_eq!((b.finding.state, b.finding.ended_at), (FindingState::Gone, Some(at(320))));
    assert_eq!(b.verdict, Verdict::Fail, "a row that is gone keeps the verdict it had");
    assert_eq!(b.evidence[0].row.key, RowKey("b".into()));

    let since = |second| {
        let span = store::Span { instance: instance_id(1), from: at(second), to: at(1_000) };
        let list = store.changes(&[span], &store::ChangeFilter::default(), Slice::ALL).unwrap();
        list.rows.into_iter().map(|row| (row.finding.row.0, row.kind)).collect::<Vec<_>>()
    };
    use store::ChangeKind::{Gone, NewlyFailing, StillFailing};
    assert_eq!(since(0), [("a".to_owned(), NewlyFailing)]);
    assert_eq!(since(315), [("b".to_owned(), Gone), ("a".to_owned(), StillFailing)], "it was fixed in between, and fails again");
    assert_eq!(since(330), [("a".to_owned(), NewlyFailing)]);
    assert_eq!(since(420), [("a".to_owned(), StillFailing)]);
    assert_eq!(store.opened_since(at(315), SandboxScope::Without).unwrap().high, 1);
    assert_eq!(store.open_findings(SandboxScope::Without).unwrap()[&instance_id(1)].high, 1);
}

#[test]
fn what_was_not_read_neither_fixes_nor_ends() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let mut second = 0;
    let mut outcome = |checks: &[store::CheckWrite]| {
        second += 100;
        let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
        let outcome = store.commit_scan(scan, checks, at(second), at(second)).unwrap();
        (outcome.opened, outcome.still_open, outcome.fixed, outcome.gone, outcome.not_rechecked)
    };
    let partial = || Completeness::Partial(cause("Page 3 was not answered."));
    assert_eq!(outcome(&[check("c", Completeness::Complete, vec![judged("a", Verdict::Fail)])]), (1, 0, 0, 0, 0));
    let whole = judged("", Verdict::NotEvaluated { cause: cause("The list is empty and nobody says what that means.") });
    for checks in [
        vec![],
        vec![check("c", partial(), vec![])],
        vec![check("c", partial(), vec![judged("a", Verdict::Pass)])],
        vec![check("c", partial(), vec![judged("a", Verdict::NotApplicable { reason: "r".into() })])],
        vec![check("c", Completeness::Complete, vec![judged("a", Verdict::NotEvaluated { cause: cause("x") })])],
        vec![check("c", Completeness::Complete, vec![judged("a", Verdict::Manual)])],
        vec![store::CheckWrite { seen: [RowKey("a".into())].into(), ..check("c", Completeness::Complete, vec![]) }],
        vec![store::CheckWrite { seen: Default::default(), ..check("c", Completeness::Complete, vec![whole]) }],
    ] {
        assert_eq!(outcome(&checks), (0, 0, 0, 0, 1), "{checks:?}");
    }
    assert_eq!(
        outcome(&[check("c", partial(), vec![judged("a", Verdict::Fail)])]),
        (0, 1, 0, 0, 0),
        "a failure that was read is a failure"
    );
    let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
    assert_eq!(list.rows[0].not_rechecked, None);
    let history = store.finding(list.rows[0].id).unwrap().history;
    assert_eq!(
        history.iter().map(|event| (event.kind, event.times)).collect::<Vec<_>>(),
        [(EventKind::StillOpen, 1), (EventKind::NotRechecked, 8), (EventKind::Opened, 1)]
    );
    assert_eq!(
        outcome(&[check("c", Completeness::Complete, vec![judged("a", Verdict::NotApplicable { reason: "r".into() })])]),
        (0, 0, 0, 1, 0)
    );
}

#[test]
fn not_rechecked_counts_from_the_last_real_verdict() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    for (second, completeness) in
        [(100, Completeness::Complete), (200, Completeness::Unavailable(cause("x"))), (300, Completeness::Unavailable(cause("y")))]
    {
        let scan = store.begin_scan(instance_id(1), at(second), &[]).unwrap();
        let verdicts = if completeness.is_complete() { vec![judged("a", Verdict::Fail)] } else { vec![] };
        store.commit_scan(scan, &[check("c", completeness, verdicts)], at(second), at(second + 5)).unwrap();
    }
    let filter = FindingFilter { not_rechecked: true, ..FindingFilter::default() };
    let list = store.findings(&filter, FindingSort::Severity, true, Slice::ALL).unwrap();
    let not_rechecked = list.rows[0].not_rechecked.as_ref().unwrap();
    assert_eq!((not_rechecked.since, not_rechecked.cause.sentence.as_str()), (at(100), "y"));
    assert_eq!(list.total, 1);
}

#[test]
fn a_scan_that_failed_has_judged_nothing() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let first = store.begin_scan(instance_id(1), at(100), &["users"]).unwrap();
    write_whole(&store, first, "users", &[row("a", json!({ "days": 60 })), row("b", json!({ "days": 70 }))]);
    let both = |a: Verdict, b: Verdict| [check("c", Completeness::Complete, vec![judged("a", a), judged("b", b)])];
    store.commit_scan(first, &both(Verdict::Fail, Verdict::Fail), at(100), at(105)).unwrap();
    let since = || -> Vec<_> {
        let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
        list.rows.into_iter().map(|finding| (finding.state, finding.not_rechecked.map(|not| (not.since, not.cause.sentence)))).collect()
    };
    let open = |since: Option<(i64, &str)>| (FindingState::Open, since.map(|(second, sentence)| (at(second), sentence.to_owned())));

    let cancelled = store.begin_scan(instance_id(1), at(200), &["users"]).unwrap();
    store.end_scan(cancelled, ScanState::Cancelled, Some(&cause("cancelled")), at(201)).unwrap();
    assert_eq!(since(), [open(None), open(None)], "an administrator who changes his mind says nothing about the vendor");
    for second in [300, 400] {
        let failed = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
        store.end_scan(failed, ScanState::Failed, Some(&cause("refused")), at(second + 1)).unwrap();
        assert_eq!(since(), [open(Some((100, "refused"))), open(Some((100, "refused")))]);
    }
    assert_eq!(store.last_complete_scan(instance_id(1)).unwrap().unwrap().id, first);

    // Another threshold is applied to what was read before the failure; it does not make it newer.
    store.rejudge_scan(first, &both(Verdict::Fail, Verdict::Pass), at(500)).unwrap();
    assert_eq!(since(), [open(Some((100, "refused"))), (FindingState::Fixed, None)]);

    let again = store.begin_scan(instance_id(1), at(600), &["users"]).unwrap();
    store.commit_scan(again, &both(Verdict::Fail, Verdict::Pass), at(600), at(601)).unwrap();
    assert_eq!(since()[0], open(None));
}

#[test]
fn judging_again_changes_verdicts_without_reading() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let first = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    write_whole(&store, first, "users", &[row("a", json!({ "days": 60 }))]);
    store.commit_scan(first, &[check("c", Completeness::Complete, vec![judged("a", Verdict::Fail)])], at(1), at(2)).unwrap();
    let again = store.rejudge_scan(first, &[check("c", Completeness::Complete, vec![judged("a", Verdict::Fail)])], at(50)).unwrap();
    assert_eq!(again.still_open, 1);
    let id = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap().rows[0].id;
    assert_eq!(store.finding(id).unwrap().history.len(), 1, "nothing new was observed");
    let relaxed = store.rejudge_scan(first, &[check("c", Completeness::Complete, vec![judged("a", Verdict::Pass)])], at(60)).unwrap();
    assert_eq!(relaxed.fixed, 1);
    assert_eq!(store.verdicts(first, Some("c"), Slice::ALL).unwrap().1[0].verdict, Verdict::Pass);
    let tallies = store.check_tallies(first).unwrap();
    assert_eq!((tallies.len(), tallies[0].counts.pass, tallies[0].counts.fail), (1, 1, 0));

    let second = store.begin_scan(instance_id(1), at(100), &["users"]).unwrap();
    assert!(matches!(store.rejudge_scan(second, &[], at(101)), Err(StoreError::WrongState { actual: "running" })));
    store.commit_scan(second, &[], at(101), at(102)).unwrap();
    assert!(matches!(store.rejudge_scan(first, &[], at(103)), Err(StoreError::WrongState { .. })));
}

#[test]
fn open_findings_are_counted_by_check() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    store.insert_instance(&instance(2)).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    let failing = |id: &str, rows: &[&str]| {
        check(id, Completeness::Complete, rows.iter().map(|row| judged(row, Verdict::Fail)).chain([judged("z", Verdict::Pass)]).collect())
    };
    store.commit_scan(scan, &[failing("c", &["a", "b"]), failing("d", &["a"]), failing("e", &[])], at(1), at(2)).unwrap();
    let counts = |instance| store.open_by_check(instance_id(instance)).unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(counts(1), [("c".to_owned(), 2), ("d".to_owned(), 1)]);
    assert!(counts(2).is_empty());
    let later = store.begin_scan(instance_id(1), at(10), &["users"]).unwrap();
    store.commit_scan(later, &[failing("c", &["a"]), failing("d", &[])], at(11), at(12)).unwrap();
    assert_eq!(counts(1), [("c".to_owned(), 1)], "what is gone is open no more");
    assert!(matches!(store.open_by_check(instance_id(9)), Err(StoreError::NotFound { .. })));
}

#[test]
fn a_failed_scan_re_checks_nothing_and_judging_again_does_not_hide_it() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let checks = [check("c", Completeness::Complete, vec![judged("a", Verdict::Fail)])];
    let first = store.begin_scan(instance_id(1), at(100), &[]).unwrap();
    store.commit_scan(first, &checks, at(100), at(101)).unwrap();
    let failed = store.begin_scan(instance_id(1), at(200), &[]).unwrap();
    store.end_scan(failed, ScanState::Failed, Some(&cause("The host was not reached.")), at(201)).unwrap();
    let flag = || {
        let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
        list.rows[0].not_rechecked.clone().map(|flag| (flag.since, flag.cause.sentence))
    };
    let expected = Some((at(100), "The host was not reached.".to_owned()));
    assert_eq!(flag(), expected);
    store.rejudge_scan(first, &checks, at(300)).unwrap();
    assert_eq!(flag(), expected);
    let second = store.begin_scan(instance_id(1), at(400), &[]).unwrap();
    store.commit_scan(second, &checks, at(400), at(401)).unwrap();
    assert_eq!(flag(), None);
}

#[test]
fn a_scan_resumes_where_it_was_left() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    assert_eq!(store.resumable_scan(instance_id(1)).unwrap(), None);
    let scan = store.begin_scan(instance_id(1), at(0), &["repos", "protection"]).unwrap();
    let repos = [row("r1", json!({})), row("r2", json!({}))];
    store.write_page(scan, &page("repos", &RowKey::default(), 0, &repos, Some("/repos?page=2"))).unwrap();
    let parents = ["r1", "r2"].map(|key| store::QueuedParent { key: RowKey(key.into()), carry: json!({ "name": key }) });
    store.queue_parents(scan, "protection", &parents).unwrap();
    store.write_page(scan, &page("protection", &RowKey("r1".into()), 0, &[row("r1", json!({ "protected": true }))], None)).unwrap();
    store.finish_parent(scan, "protection", &RowKey("r1".into()), Some(&cause("half"))).unwrap();
    store.end_scan(scan, ScanState::Failed, Some(&cause("Connectivity was lost.")), at(9)).unwrap();
    assert_eq!(store.last_complete_scan(instance_id(1)).unwrap(), None);
    assert!(matches!(store.write_page(scan, &page("repos", &RowKey::default(), 1, &[], None)), Err(StoreError::WrongState { .. })));
    drop(store);

    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    let resumable = store.resumable_scan(instance_id(1)).unwrap().unwrap();
    assert_eq!((resumable.scan, resumable.rows), (scan, 3));
    let state = store.resume_scan(scan).unwrap();
    assert_eq!(
        state
            .parents
            .iter()
            .map(|parent| (parent.dataset.as_str(), parent.parent.0.as_str(), parent.pages, parent.done))
            .collect::<Vec<_>>(),
        [("repos", "", 1, false), ("protection", "r1", 1, true), ("protection", "r2", 0, false)]
    );
    assert_eq!(state.parents[0].next.as_deref(), Some("/repos?page=2"));
    assert_eq!(state.parents[1].cause, Some(cause("half")));
    assert_eq!(state.parents[2].carry, json!({ "name": "r2" }));
    assert!(matches!(store.resume_scan(scan), Err(StoreError::ScanRunning)));

    // The list that was under way is read again from its first page and replaces itself.
    store.write_page(scan, &page("repos", &RowKey::default(), 0, &repos[..1], Some("/repos?page=2"))).unwrap();
    store.write_page(scan, &page("repos", &RowKey::default(), 1, &[row("r3", json!({}))], None)).unwrap();
    assert_eq!(store.scan(scan).unwrap().rows, 3);
    store.commit_scan(scan, &[], at(20), at(21)).unwrap();
    assert_eq!(store.last_complete_scan(instance_id(1)).unwrap().unwrap().id, scan);
    assert!(matches!(store.resume_scan(scan), Err(StoreError::WrongState { actual: "complete" })));
    let kept: i64 =
        raw(&folder.path().join("posture.db"), &key()).query_row("SELECT count(*) FROM scan_parent", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 0, "continuations are forgotten with the scan's end");
    counts_are_right(&folder.path().join("posture.db"), &key());
}

#[test]
fn a_list_that_is_read_again_replaces_all_of_its_pages() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    let of = |keys: &[&str]| keys.iter().map(|key| row(key, json!({ "key": key }))).collect::<Vec<_>>();
    let write = |parent: &str, index, keys: &[&str], next| {
        store.write_page(scan, &page("users", &RowKey(parent.into()), index, &of(keys), next)).unwrap();
    };
    write("", 0, &["1", "2"], Some("page=2"));
    write("", 1, &["3", "4"], Some("page=3"));
    write("other", 0, &["9"], None);
    // Row 1 was deleted meanwhile, so that row 3 stands on the first page now.
    write("", 0, &["2", "3"], Some("page=2"));
    store.end_scan(scan, ScanState::Cancelled, None, at(1)).unwrap();
    let state = store.resume_scan(scan).unwrap();
    assert_eq!((state.parents[0].pages, state.parents[0].next.as_deref()), (1, Some("page=2")), "where the later reading stands");
    write("", 1, &["4"], None);
    let mut keys: Vec<String> = store.collected(scan).unwrap()["users"].rows.iter().map(|row| row.key.0.clone()).collect();
    keys.sort();
    assert_eq!(keys, ["2", "3", "4", "9"], "no row is lost, none of the earlier reading is left, and other lists stay");
    assert_eq!(store.scan(scan).unwrap().rows, 4);
    store.end_scan(scan, ScanState::Cancelled, None, at(2)).unwrap();
    counts_are_right(&folder.path().join("posture.db"), &key());
}

#[test]
fn a_new_scan_drops_what_was_left_unfinished() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let left = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    store.write_page(left, &page("users", &RowKey::default(), 0, &[row("1", json!({ "only": "here" }))], Some("next"))).unwrap();
    assert!(matches!(store.begin_scan(instance_id(1), at(1), &[]), Err(StoreError::ScanRunning)));
    assert!(matches!(store.delete_instance(instance_id(1)), Err(StoreError::ScanRunning)));
    assert_eq!(store.mark_cut_scans(at(2)).unwrap(), [], "it is running in this very process");
    store.end_scan(left, ScanState::Cancelled, None, at(3)).unwrap();
    let new = store.begin_scan(instance_id(1), at(4), &["users"]).unwrap();
    assert!(store.collected(left).unwrap().is_empty());
    assert!(matches!(store.resume_scan(left), Err(StoreError::ScanRunning)));
    store.end_scan(new, ScanState::Cancelled, None, at(5)).unwrap();
    assert!(matches!(store.resume_scan(left), Err(StoreError::WrongState { .. })));
    assert_eq!(store.resumable_scan(instance_id(1)).unwrap(), None, "nothing was read yet");
    counts_are_right(&folder.path().join("posture.db"), &key());
}

#[test]
fn an_instance_is_scanned_or_held_by_one_at_a_time() {
    let (folder, store) = open();
    let other = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    assert!(matches!(store.hold_instance(instance_id(2)), Err(StoreError::NotFound { .. })));
    let held = store.hold_instance(instance_id(1)).unwrap();
    for store in [&store, &other] {
        assert!(matches!(store.hold_instance(instance_id(1)), Err(StoreError::ScanRunning)));
        assert!(matches!(store.begin_scan(instance_id(1), at(0), &[]), Err(StoreError::ScanRunning)));
        assert!(matches!(store.delete_instance(instance_id(1)), Err(StoreError::ScanRunning)));
    }
    drop(held);
    let scan = other.begin_scan(instance_id(1), at(1), &[]).unwrap();
    assert!(matches!(store.hold_instance(instance_id(1)), Err(StoreError::ScanRunning)));
    other.end_scan(scan, ScanState::Cancelled, None, at(2)).unwrap();
    store.hold_instance(instance_id(1)).unwrap();
}

#[test]
fn deleting_an_instance_takes_all_of_it_and_nothing_else() {
    let (folder, store) = open();
    for number in [1, 2] {
        store.insert_instance(&instance(number)).unwrap();
        let scan = store.begin_scan(instance_id(number), at(0), &["users"]).unwrap();
        store
            .log_request(&Request {
                at: at(1),
                instance: instance_id(number),
                scan: Some(scan),
                class: RequestClass::SignInHop,
                host: "h".into(),
                method: "GET".into(),
                path: "/".into(),
                status: None,
                bytes: 0,
                milliseconds: 1,
                outcome: RequestOutcome::Failed,
            })
            .unwrap();
        write_whole(&store, scan, "users", &[row("shared", json!({ "x": 1 })), row("own", json!({ "own": number as u64 }))]);
        store.commit_scan(scan, &[check("c", Completeness::Complete, vec![judged("own", Verdict::Fail)])], at(1), at(2)).unwrap();
    }
    store.record_act(&Act::new(at(3), "ada", "instance deleted", "Halden Moor 1")).unwrap();
    let deleted = store.delete_instance(instance_id(1)).unwrap();
    assert_eq!((deleted.scans, deleted.rows, deleted.findings, deleted.evidence, deleted.requests), (1, 2, 1, 1, 1));
    assert_eq!(store.instances().unwrap().len(), 1);
    assert_eq!(store.findings(&FindingFilter::default(), FindingSort::Severity, true, Slice::ALL).unwrap().total, 1);
    assert_eq!(store.requests(None, Slice::ALL).unwrap().0, 1);
    assert_eq!(store.acts(Slice::ALL).unwrap().0, 1, "acts stay");
    assert!(matches!(store.delete_instance(instance_id(1)), Err(StoreError::NotFound { .. })));
    counts_are_right(&folder.path().join("posture.db"), &key());
    store.verify().unwrap();
    let files: Vec<String> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!files.iter().any(|name| name.contains(&instance_id(1).to_string())), "{files:?}");
}

#[test]
fn findings_are_filtered_sorted_and_paged() {
    let (_folder, store) = open();
    let severities = [Severity::Low, Severity::Critical, Severity::Medium];
    for number in [1, 2, 3] {
        let mut tenant = instance(number);
        if number == 3 {
            tenant.sandbox = true;
            tenant.tenant = Some("risky".into());
            tenant.app = "github-enterprise".into();
        }
        store.insert_instance(&tenant).unwrap();
        let scan = store.begin_scan(instance_id(number), at(0), &[]).unwrap();
        let checks: Vec<store::CheckWrite> = severities
            .iter()
            .enumerate()
            .map(|(index, severity)| store::CheckWrite {
                severity: *severity,
                feature: if index == 0 { Feature::Identity } else { Feature::Config },
                ..check(
                    &format!("check.{index}"),
                    Completeness::Complete,
                    vec![judged("100%_a", Verdict::Fail), judged("b\\", Verdict::Fail)],
                )
            })
            .collect();
        store.commit_scan(scan, &checks, at(number as i64), at(number as i64)).unwrap();
    }
    let total = |filter: FindingFilter| store.findings(&filter, FindingSort::Severity, true, Slice { offset: 0, limit: 0 }).unwrap().total;
    let base = FindingFilter::default;
    assert_eq!(total(base()), 12);
    assert_eq!(total(FindingFilter { sandbox: SandboxScope::Only, ..base() }), 6);
    assert_eq!(total(FindingFilter { sandbox: SandboxScope::With, ..base() }), 18);
    assert_eq!(total(FindingFilter { instances: vec![instance_id(2)], ..base() }), 6);
    assert_eq!(total(FindingFilter { apps: vec!["github-enterprise".into()], ..base() }), 0);
    assert_eq!(total(FindingFilter { severities: vec![Severity::Critical, Severity::Low], ..base() }), 8);
    assert_eq!(total(FindingFilter { features: vec![Feature::Identity], ..base() }), 4);
    assert_eq!(total(FindingFilter { checks: vec!["check.1".into()], states: vec![FindingState::Open], ..base() }), 4);
    assert_eq!(total(FindingFilter { states: vec![FindingState::Fixed, FindingState::Gone], ..base() }), 0);
    for (text, number) in [
        ("%", 6),
        ("_a", 6),
        ("\\", 6),
        ("0%_", 6),
        ("CHECK.2 FAILS", 4),
        ("halden moor 2", 6),
        ("'; DROP TABLE finding; --", 0),
        ("x%y", 0),
    ] {
        assert_eq!(total(FindingFilter { text: text.into(), ..base() }), number, "{text}");
    }

    let list = store.findings(&base(), FindingSort::Severity, true, Slice { offset: 2, limit: 4 }).unwrap();
    assert_eq!(
        list.rows.iter().map(|finding| finding.severity).collect::<Vec<_>>(),
        [Severity::Critical, Severity::Critical, Severity::Medium, Severity::Medium]
    );
    assert_eq!(list.counts, SeverityTally { critical: 4, high: 0, medium: 4, low: 4, info: 0 });
    for sort in [
        FindingSort::Severity,
        FindingSort::Title,
        FindingSort::Label,
        FindingSort::Instance,
        FindingSort::FirstSeen,
        FindingSort::LastSeen,
    ] {
        for descending in [false, true] {
            let whole = store.findings(&base(), sort, descending, Slice::ALL).unwrap().rows;
            let paged: Vec<_> =
                (0..12).flat_map(|offset| store.findings(&base(), sort, descending, Slice { offset, limit: 1 }).unwrap().rows).collect();
            assert_eq!(whole, paged, "{sort:?}");
            let ordered = |one: &store::Finding, two: &store::Finding| match sort {
                FindingSort::Severity => one.severity.cmp(&two.severity),
                FindingSort::Title => one.title.cmp(&two.title),
                FindingSort::Label => one.label.cmp(&two.label),
                FindingSort::Instance => one.instance_name.cmp(&two.instance_name),
                FindingSort::FirstSeen => one.first_seen.cmp(&two.first_seen),
                FindingSort::LastSeen => one.last_seen.cmp(&two.last_seen),
            };
            assert!(
                whole.is_sorted_by(|one, two| if descending { ordered(one, two).is_ge() } else { ordered(one, two).is_le() }),
                "{sort:?} {descending}"
            );
        }
    }
}

#[test]
fn the_trend_has_gaps_where_nothing_was_read() {
    let (_folder, store) = open();
    let day = |day: i8| date(2026, 9, day).at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    for (number, day_of_month, failing) in [(1, 1, 2), (2, 3, 1), (1, 3, 1), (1, 5, 0)] {
        if store.instance(instance_id(number)).is_err() {
            store.insert_instance(&instance(number)).unwrap();
        }
        let scan = store.begin_scan(instance_id(number), day(day_of_month), &[]).unwrap();
        let verdicts = (0..failing).map(|key| judged(&key.to_string(), Verdict::Fail)).collect();
        store.commit_scan(scan, &[check("c", Completeness::Complete, verdicts)], day(day_of_month), day(day_of_month)).unwrap();
    }
    let trend = store.trend(date(2026, 8, 31), date(2026, 9, 6), &TimeZone::UTC, SandboxScope::Without).unwrap();
    let open: Vec<Option<u32>> = trend.iter().map(|day| day.open.map(|open| open.total())).collect();
    assert_eq!(open, [None, Some(2), None, Some(2), None, Some(1), None]);
    assert_eq!(trend[0].day, date(2026, 8, 31));
    let only = store.trend(date(2026, 9, 1), date(2026, 9, 1), &TimeZone::UTC, SandboxScope::Only).unwrap();
    assert_eq!(only[0].open, None);
}

#[test]
fn pruning_keeps_what_open_findings_rest_on() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let mut scans = Vec::new();
    for number in 0..5 {
        let scan = store.begin_scan(instance_id(1), at(number * 10), &["users"]).unwrap();
        write_whole(&store, scan, "users", &[row("a", json!({ "scan": number }))]);
        // From the second scan on the failing row could not be judged: its verdict stays that of the first.
        let verdict = if number == 0 { Verdict::Fail } else { Verdict::NotEvaluated { cause: cause("x") } };
        store
            .commit_scan(scan, &[check("c", Completeness::Complete, vec![judged("a", verdict)])], at(number * 10), at(number * 10))
            .unwrap();
        scans.push(scan);
    }
    assert_eq!(store.prune_scans(instance_id(1), 2).unwrap(), 2);
    let rows: Vec<u64> = scans.iter().map(|scan| store.rows(*scan, "users", Slice::ALL).unwrap().0).collect();
    assert_eq!(rows, [1, 0, 0, 1, 1]);
    assert_eq!(store.scans(instance_id(1), 20).unwrap().len(), 5, "the scans themselves stay");
    let id = store.findings(&FindingFilter::default(), FindingSort::Severity, true, Slice::ALL).unwrap().rows[0].id;
    assert_eq!(store.finding(id).unwrap().evidence[0].row.fields, json!({ "scan": 0 }));
    assert_eq!(store.prune_scans(instance_id(1), 0).unwrap(), 1, "the last complete scan always stays");
    counts_are_right(&folder.path().join("posture.db"), &key());
}

#[test]
fn acts_are_only_added_and_preferences_are_remembered() {
    let (folder, store) = open();
    for second in [2, 1, 3] {
        store.record_act(&Act::new(at(second), "ada", "scan started", second.to_string())).unwrap();
    }
    let (total, acts) = store.acts(Slice { offset: 1, limit: 5 }).unwrap();
    assert_eq!((total, acts.iter().map(|act| act.detail.as_str()).collect::<Vec<_>>()), (3, vec!["2", "1"]));
    let raw = raw(&folder.path().join("posture.db"), &key());
    assert!(raw.execute("DELETE FROM activity", []).is_err());
    assert!(raw.execute("UPDATE activity SET who = 'eve'", []).is_err());

    store.set_preference("theme", &json!("dark")).unwrap();
    store.set_preference("theme", &json!({ "name": "light" })).unwrap();
    store.set_preference("gone", &json!(1)).unwrap();
    store.set_preference("gone", &Value::Null).unwrap();
    assert_eq!(store.preference("theme").unwrap(), Some(json!({ "name": "light" })));
    assert_eq!(store.preferences().unwrap().len(), 1);
}

#[test]
fn what_is_no_longer_observed_is_gone() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let mut second = 0;
    let mut scan = |check: store::CheckWrite| {
        second += 100;
        let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
        let outcome = store.commit_scan(scan, &[check], at(second + 1), at(second + 2)).unwrap();
        (outcome.opened, outcome.still_open, outcome.gone, outcome.not_rechecked)
    };
    let observes = |completeness, judged| store::CheckWrite {
        kind: CheckKind::Observed,
        seen: [RowKey("a".into())].into(),
        ..check("c", completeness, judged)
    };
    let partial = Completeness::Partial(cause("The rest of the list could not be read."));
    let unjudged = judged("a", Verdict::NotEvaluated { cause: cause("A field is missing.") });
    let whole = judged("", Verdict::NotEvaluated { cause: cause("A threshold is not set.") });
    assert_eq!(scan(observes(Completeness::Complete, vec![judged("a", Verdict::Observed)])), (1, 0, 0, 0));
    assert_eq!(scan(observes(partial, vec![])), (0, 0, 0, 1), "what was not read whole ends nothing");
    assert_eq!(scan(observes(Completeness::Complete, vec![unjudged])), (0, 0, 0, 1), "a row that could not be judged ends nothing");
    assert_eq!(scan(observes(Completeness::Complete, vec![whole])), (0, 0, 0, 1), "nor does a check that could not be judged");
    assert_eq!(scan(observes(Completeness::Complete, vec![])), (0, 0, 1, 0));
    let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
    assert_eq!((list.rows[0].state, &list.rows[0].not_rechecked), (FindingState::Gone, &None));
    let history = store.finding(list.rows[0].id).unwrap().history;
    assert_eq!((history[0].kind, history[0].detail.as_str()), (EventKind::Gone, "It is no longer observed."));
    assert_eq!(scan(observes(Completeness::Complete, vec![judged("a", Verdict::Observed)])), (1, 0, 0, 0), "and comes back");
}

#[test]
fn only_what_was_read_whole_is_kept_to_resume_from() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["current-token", "roles", "users", "teams"]).unwrap();
    write_whole(&store, scan, "current-token", &[row("", json!({ "id": 1 }))]);
    for (dataset, pages) in [("users", 2), ("teams", 1)] {
        for index in 0..pages {
            let rows = [row(&format!("{dataset} {index}"), json!({ "page": index }))];
            store.write_page(scan, &page(dataset, &RowKey::default(), index, &rows, Some("next"))).unwrap();
        }
    }
    store.finish_dataset(scan, "roles", &Completeness::Unavailable(cause("The role is missing."))).unwrap();
    store.finish_dataset(scan, "users", &Completeness::Partial(cause("The rest could not be read."))).unwrap();
    store.end_scan(scan, ScanState::Cancelled, None, at(9)).unwrap();

    let state = store.resume_scan(scan).unwrap();
    let datasets: Vec<_> = state.datasets.iter().map(|state| (state.dataset.as_str(), state.completeness.clone(), state.rows)).collect();
    assert_eq!(datasets, [("current-token", Some(Completeness::Complete), 1), ("roles", None, 0), ("teams", None, 1), ("users", None, 0)]);
    let begun: Vec<_> = state.parents.iter().map(|parent| (parent.dataset.as_str(), parent.pages)).collect();
    assert_eq!(begun, [("current-token", 1), ("teams", 1)]);
    // A list that is shorter now leaves nothing of its longer self.
    write_whole(&store, scan, "users", &[row("users 7", json!({}))]);
    let keys: Vec<_> = store.collected(scan).unwrap()["users"].rows.iter().map(|row| row.key.0.clone()).collect();
    assert_eq!(keys, ["users 7"]);
    counts_are_right(&folder.path().join("posture.db"), &key());
}

#[test]
fn a_scan_whose_end_cannot_be_written_gives_the_instance_free() {
    let (folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    let raw = raw(&folder.path().join("posture.db"), &key());
    raw.execute_batch("CREATE TRIGGER refuse BEFORE UPDATE ON scan BEGIN SELECT raise(ABORT, 'refused'); END").unwrap();
    store.end_scan(scan, ScanState::Failed, Some(&cause("Connectivity was lost.")), at(1)).unwrap_err();
    raw.execute_batch("DROP TRIGGER refuse").unwrap();
    let next = store.begin_scan(instance_id(1), at(2), &["users"]).unwrap();
    assert_eq!(store.scan(scan).unwrap().state, ScanState::Cut);
    store.end_scan(next, ScanState::Cancelled, None, at(3)).unwrap();
}

#[test]
fn verdicts_of_other_thresholds_are_not_stored() {
    let (_folder, store) = open();
    let mut tenant = instance(1);
    store.insert_instance(&tenant).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &[]).unwrap();
    let stale = tenant.params.clone();
    tenant.params.entry("c".into()).or_default().insert("max".into(), catalog::ParamValue::Int(77));
    store.update_instance(&tenant, at(0)).unwrap();
    let checks = [check("c", Completeness::Complete, vec![judged("1", Verdict::Fail)])];
    let none = store::InventoryWrite { thresholds: catalog::InventoryThresholds::default(), accounts: &[], plugins: &[] };
    assert_eq!(store.commit_scan_judged_by(scan, &stale, &checks, &none, at(1), at(2)).unwrap(), None);
    assert_eq!((store.scan(scan).unwrap().state, states(&store)), (ScanState::Running, vec![]));
    assert_eq!(store.commit_scan_judged_by(scan, &tenant.params, &checks, &none, at(1), at(2)).unwrap().unwrap().opened, 1);
    assert_eq!(store.scan(scan).unwrap().state, ScanState::Complete);
}

#[test]
fn what_belongs_to_an_instance_comes_and_goes_with_it() {
    let (folder, store) = open();
    let other = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    let (one, id) = (instance(1), instance_id(1));
    let refused = || Err(StoreError::Damaged);
    let never = || -> Result<(), StoreError> { panic!("it must not be touched") };

    assert!(matches!(store.insert_instance_after(&one, refused), Err(StoreError::Damaged)));
    assert_eq!(store.instances().unwrap(), [], "nothing is added after a failure");
    let added = store.insert_instance_after(&one, || {
        assert!(!other.without_instance(id, never)?, "it is about to be added");
        Ok::<_, StoreError>(())
    });
    added.unwrap();
    assert!(!other.without_instance(id, never).unwrap(), "it is there");

    let scan = store.begin_scan(id, at(0), &[]).unwrap();
    assert!(matches!(other.delete_instance_after(id, never), Err(StoreError::ScanRunning)));
    store.end_scan(scan, ScanState::Cancelled, None, at(1)).unwrap();
    assert!(matches!(store.delete_instance_after(id, refused), Err(StoreError::Damaged)));
    assert_eq!(store.instances().unwrap(), [one], "nothing is removed after a failure");
    store.delete_instance_after(id, || Ok::<_, StoreError>(())).unwrap();

    assert!(matches!(other.without_instance(id, refused), Err(StoreError::Damaged)));
    let mut cleared = false;
    assert!(
        other
            .without_instance(id, || {
                cleared = true;
                Ok::<_, StoreError>(())
            })
            .unwrap()
    );
    assert!(cleared);
}
