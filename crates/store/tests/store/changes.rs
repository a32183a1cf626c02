//! What changed between two scans or two moments, held against what was stored at each.

use crate::{laws, tenant};

use catalog::{Completeness, Row, RowKey, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::{
    ChangeFilter, ChangeKind, Compared, FieldDifference, Finding, FindingFilter, FindingSort, FindingState, InstanceId, RowDifference,
    SandboxScope, ScanId, ScanState, Slice, Span, Store, StoreError,
};
use tempfile::TempDir;
use tenant::*;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    (folder, store)
}

fn scanned(store: &Store, second: i64, datasets: &[(&str, &[Row], Completeness)]) -> ScanId {
    let scan = store.begin_scan(instance_id(1), at(second), &[]).unwrap();
    for (dataset, rows, completeness) in datasets {
        store.write_page(scan, &page(dataset, &RowKey::default(), 0, rows, None)).unwrap();
        store.finish_dataset(scan, dataset, completeness).unwrap();
    }
    store.commit_scan(scan, &[], at(second), at(second + 1)).unwrap();
    scan
}

fn partial() -> Completeness {
    Completeness::Partial(cause("Page 3 was not answered."))
}

/// What identifies a row: nothing else of it is compared.
type Told = (RowKey, String, String);

fn told(row: &Row) -> Told {
    (row.key.clone(), row.label.clone(), store::canonical_row(row))
}

fn held(store: &Store, scan: ScanId) -> BTreeSet<Told> {
    store.rows(scan, "users", Slice::ALL).unwrap().1.iter().map(|stored| told(&stored.row)).collect()
}

/// Every difference, read by pages of two.
fn differences(store: &Store, before: ScanId, after: ScanId) -> Vec<RowDifference> {
    let mut all = Vec::new();
    loop {
        let (total, rows) = store.row_differences(before, after, "users", Slice { offset: all.len() as u64, limit: 2 }).unwrap();
        if rows.is_empty() {
            assert_eq!(all.len() as u64, total);
            return all;
        }
        all.extend(rows);
    }
}

fn applied(mut rows: BTreeSet<Told>, differences: &[RowDifference]) -> BTreeSet<Told> {
    for difference in differences {
        for gone in &difference.before {
            assert!(rows.remove(&told(&gone.row)), "it was not there");
        }
        for new in &difference.after {
            assert!(rows.insert(told(&new.row)), "it was there already");
        }
    }
    rows
}

/// Puts each side's value where the other's was.
fn patched(mut fields: Value, differences: &[FieldDifference]) -> Value {
    for difference in differences {
        let Some((last, path)) = difference.path.split_last() else { return difference.after.clone().unwrap() };
        let place = path.iter().fold(&mut fields, |place, name| place.get_mut(name).unwrap()).as_object_mut().unwrap();
        assert_eq!(place.get(last), difference.before.as_ref());
        match &difference.after {
            Some(value) => place.insert(last.clone(), value.clone()),
            None => place.remove(last),
        };
    }
    fields
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        "[ab.]{0,2}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab.]{1,2}", inner, 0..3).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    // Few keys, labels and contents, so that rows stay, change, repeat and contradict each other.
    let content = prop_oneof![4 => (0..2).prop_map(|n| json!({ "n": n, "deep": { "n": n } })), 1 => any_value().prop_map(|value| json!({ "any": value }))];
    let faults = prop_oneof![4 => Just(Vec::new()), 1 => Just(vec![("n".to_owned(), "is no number".to_owned())])];
    let row = ("[a-d]", "[xy]", content, faults).prop_map(|(key, label, fields, faults)| Row { key: RowKey(key), label, fields, faults });
    prop::collection::vec(row, 0..7)
}

fn all(store: &Store, at: Option<jiff::Timestamp>) -> BTreeMap<(InstanceId, String, String), Finding> {
    let filter = FindingFilter { at, sandbox: SandboxScope::With, ..FindingFilter::default() };
    let list = store.findings(&filter, FindingSort::Severity, true, Slice::ALL).unwrap();
    assert_eq!(list.total, list.rows.len() as u64);
    list.rows.into_iter().map(|finding| ((finding.instance, finding.check.clone(), finding.row.0.clone()), finding)).collect()
}

/// How a finding stood; what its values were then is not kept.
type Stood = (FindingState, bool, Option<jiff::Timestamp>);

pub fn stood(findings: BTreeMap<(InstanceId, String, String), Finding>) -> BTreeMap<(InstanceId, String, String), Stood> {
    findings.into_iter().map(|(key, finding)| (key, (finding.state, finding.not_rechecked.is_some(), finding.ended_at))).collect()
}

/// How every finding stands now, or stood.
pub fn standing(store: &Store, at: Option<jiff::Timestamp>) -> BTreeMap<(InstanceId, String, String), Stood> {
    stood(all(store, at))
}

pub fn expected(before: Option<&Stood>, after: &Stood) -> Option<ChangeKind> {
    use FindingState::{Dismissed, Fixed, Gone, Open};
    match (before.map(|(state, ..)| *state), after.0) {
        (Some(Open), Open) => Some(if after.1 { ChangeKind::NotRechecked } else { ChangeKind::StillFailing }),
        (_, Open) => Some(ChangeKind::NewlyFailing),
        (Some(Dismissed), Dismissed) => None,
        (_, Dismissed) => Some(ChangeKind::Dismissed),
        (None | Some(Fixed | Gone), Fixed | Gone) => None,
        (Some(Open | Dismissed), Fixed) => Some(ChangeKind::Fixed),
        (Some(Open | Dismissed), Gone) => Some(ChangeKind::Gone),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20) })]

    #[test]
    fn the_difference_of_two_scans_leads_from_the_one_to_the_other(earlier in any_rows(), later in any_rows()) {
        let (_folder, store) = open();
        let a = scanned(&store, 100, &[("users", &earlier, Completeness::Complete)]);
        let b = scanned(&store, 200, &[("users", &later, Completeness::Complete)]);
        let (there, back) = (differences(&store, a, b), differences(&store, b, a));
        prop_assert_eq!(applied(held(&store, a), &there), held(&store, b));
        prop_assert_eq!(differences(&store, a, a), []);
        let mirrored: Vec<RowDifference> =
            back.into_iter().map(|one| RowDifference { key: one.key, before: one.after, after: one.before }).collect();
        prop_assert_eq!(&mirrored, &there);
        for one in &there {
            prop_assert!(!one.before.is_empty() || !one.after.is_empty());
            if let ([before], [after]) = (one.before.as_slice(), one.after.as_slice()) {
                prop_assert_eq!(&patched(before.row.fields.clone(), &one.fields()), &after.row.fields);
            }
        }
        let counted = store.scan_difference(a, b).unwrap();
        let count = |what: fn(&RowDifference) -> bool| there.iter().filter(|one| what(one)).count() as u64;
        let of = &counted.datasets[0];
        prop_assert_eq!(&of.compared, &Compared::Whole);
        prop_assert_eq!(
            (of.added, of.removed, of.changed),
            (count(|one| one.before.is_empty()), count(|one| one.after.is_empty()), count(|one| !one.before.is_empty() && !one.after.is_empty()))
        );
    }

    #[test]
    fn the_history_tells_how_every_finding_stood_at_any_time(scans in prop::collection::vec((laws::any_scan(), any::<bool>(), any::<bool>()), 1..7)) {
        let (_folder, store) = open();
        let mut snapshots = vec![(at(0), BTreeMap::new())];
        for (number, (checks, fails, again)) in scans.iter().enumerate() {
            let second = 100 * (number as i64 + 1);
            let scan = store.begin_scan(instance_id(1), at(second), &[]).unwrap();
            if *fails {
                store.end_scan(scan, ScanState::Failed, Some(&cause("It was not let in.")), at(second)).unwrap();
            } else {
                store.commit_scan(scan, checks, at(second), at(second)).unwrap();
            }
            snapshots.push((at(second), standing(&store, None)));
            if let (true, Some(last)) = (*again, store.last_complete_scan(instance_id(1)).unwrap()) {
                store.rejudge_scan(last.id, checks, at(second + 50)).unwrap();
                snapshots.push((at(second + 50), standing(&store, None)));
            }
        }
        prop_assert_eq!(&standing(&store, Some(jiff::Timestamp::MAX)), &snapshots.last().unwrap().1);
        for (time, then) in &snapshots {
            prop_assert_eq!(&standing(&store, Some(*time)), then, "at {}", time);
        }
        // Between any two of them, each finding came to exactly one thing.
        let (from, before) = &snapshots[snapshots.len() / 3];
        let (to, after) = snapshots.last().unwrap();
        let span = [Span { instance: instance_id(1), from: *from, to: *to }];
        let list = store.changes(&span, &ChangeFilter::default(), Slice::ALL).unwrap();
        let found: BTreeMap<_, ChangeKind> =
            list.rows.iter().map(|row| ((row.finding.instance, row.finding.check.clone(), row.finding.row.0.clone()), row.kind)).collect();
        let wanted: BTreeMap<_, ChangeKind> =
            after.iter().filter_map(|(key, after)| Some((key.clone(), expected(before.get(key), after)?))).collect();
        prop_assert_eq!(&found, &wanted);
        prop_assert_eq!(list.total, wanted.len() as u64);
        let tally = list.tallies.get(&instance_id(1)).copied().unwrap_or_default();
        for kind in [ChangeKind::NewlyFailing, ChangeKind::Fixed, ChangeKind::Gone, ChangeKind::NotRechecked, ChangeKind::StillFailing, ChangeKind::Dismissed] {
            let number = wanted.values().filter(|found| **found == kind).count();
            prop_assert_eq!(tally.of(kind).total() as usize, number);
            let filter = ChangeFilter { kinds: vec![kind], ..ChangeFilter::default() };
            let one = store.changes(&span, &filter, Slice { offset: 0, limit: 1 }).unwrap();
            prop_assert_eq!((one.total as usize, one.rows.len()), (number, number.min(1)));
        }
    }
}

/// What a scan did not read is neither added nor removed.
#[test]
fn a_dataset_that_was_not_read_whole_is_compared_only_where_both_scans_read() {
    let (_folder, store) = open();
    let rows = |mfa: bool, keys: &[&str]| keys.iter().map(|key| row(key, json!({ "mfa": mfa }))).collect::<Vec<_>>();
    let unread = Completeness::Unavailable(cause("Scope teams.read is missing."));
    let a = scanned(
        &store,
        100,
        &[
            ("users", &rows(true, &["a", "b", "c"]), Completeness::Complete),
            ("teams", &rows(true, &["t"]), Completeness::Complete),
            ("old", &[], Completeness::Complete),
        ],
    );
    let b = scanned(
        &store,
        200,
        &[("users", &rows(false, &["b", "d"]), partial()), ("teams", &[], unread), ("new", &[], Completeness::Complete)],
    );
    for (before, after) in [(a, b), (b, a)] {
        let found = differences(&store, before, after);
        assert_eq!(found.iter().map(|one| one.key.0.as_str()).collect::<Vec<_>>(), ["b"], "a, c and d may be on a page that was not read");
        assert_eq!(found[0].fields().len(), 1);
        let counted = store.scan_difference(before, after).unwrap();
        let of = |name: &str| counted.datasets.iter().find(|one| one.dataset == name).unwrap();
        assert_eq!((of("users").added, of("users").removed, of("users").changed), (0, 0, 1));
        assert!(matches!(&of("users").compared, Compared::OnBothSides(cause) if cause.sentence == "Page 3 was not answered."));
        assert!(matches!(&of("teams").compared, Compared::OnBothSides(cause) if cause.sentence == "Scope teams.read is missing."));
        assert_eq!((of("teams").added, of("teams").removed, of("teams").changed), (0, 0, 0));
    }
    let counted = store.scan_difference(a, b).unwrap();
    let of = |name: &str| counted.datasets.iter().find(|one| one.dataset == name).unwrap().compared.clone();
    assert_eq!((of("old"), of("new")), (Compared::OnlyBefore, Compared::OnlyAfter));
    assert_eq!(store.row_differences(a, b, "old", Slice::ALL).unwrap().0, 0);
    assert_eq!(store.row_differences(a, b, "never heard of", Slice::ALL).unwrap().0, 0);
}

#[test]
fn only_complete_scans_of_one_instance_that_still_hold_their_rows_are_compared() {
    let (_folder, store) = open();
    store.insert_instance(&instance(2)).unwrap();
    let rows = [row("a", json!({ "mfa": true }))];
    let a = scanned(&store, 100, &[("users", &rows, Completeness::Complete)]);
    let b = scanned(&store, 200, &[("users", &[], Completeness::Complete)]);
    let failed = store.begin_scan(instance_id(1), at(300), &[]).unwrap();
    assert!(matches!(store.scan_difference(a, failed), Err(StoreError::WrongState { actual: "running" })));
    store.end_scan(failed, ScanState::Failed, Some(&cause("x")), at(301)).unwrap();
    assert!(matches!(store.row_differences(failed, b, "users", Slice::ALL), Err(StoreError::WrongState { actual: "failed" })));
    assert!(matches!(store.scan_difference(a, ScanId(999)), Err(StoreError::NotFound { .. })));
    let other = store.begin_scan(instance_id(2), at(400), &[]).unwrap();
    store.commit_scan(other, &[], at(400), at(401)).unwrap();
    assert!(matches!(store.scan_difference(a, other), Err(StoreError::WrongState { actual: "of another instance" })));

    assert_eq!(differences(&store, a, b).len(), 1);
    store.prune_scans(instance_id(1), 1).unwrap();
    let left = store.scan_difference(a, b).unwrap();
    assert!(left.before.dropped && !left.after.dropped);
    assert_eq!(left.datasets, [], "nothing is known of rows that were removed");
    assert_eq!(store.row_differences(a, b, "users", Slice::ALL).unwrap(), (0, vec![]));
}

#[test]
fn each_instance_is_looked_at_between_moments_of_its_own_and_rows_tell_how_they_stood() {
    let (_folder, store) = open();
    store.insert_instance(&instance(2)).unwrap();
    let scan = |number: u128, second: i64, verdict: Option<Verdict>| {
        let scan = store.begin_scan(instance_id(number), at(second), &[]).unwrap();
        let completeness = if verdict.is_some() { Completeness::Complete } else { partial() };
        let checks = [check("c", completeness, verdict.into_iter().map(|verdict| judged("a", verdict)).collect())];
        store.commit_scan(scan, &checks, at(second), at(second)).unwrap();
        scan
    };
    for number in [1, 2] {
        scan(number, 100, Some(Verdict::Fail));
        scan(number, 200, Some(Verdict::Fail));
        scan(number, 300, None);
        scan(number, 400, Some(Verdict::Pass));
    }
    let last = scan(1, 500, Some(Verdict::Fail));
    let spans =
        [Span { instance: instance_id(1), from: at(250), to: at(350) }, Span { instance: instance_id(2), from: at(250), to: at(450) }];
    let list = store.changes(&spans, &ChangeFilter::default(), Slice::ALL).unwrap();
    assert_eq!(
        list.rows.iter().map(|row| (row.finding.instance, row.kind, row.at)).collect::<Vec<_>>(),
        [(instance_id(2), ChangeKind::Fixed, at(400)), (instance_id(1), ChangeKind::NotRechecked, at(300)),]
    );
    let stood = &list.rows[1].finding;
    assert_eq!((stood.state, stood.ended_at, stood.last_seen), (FindingState::Open, None, at(200)));
    let not = stood.not_rechecked.as_ref().unwrap();
    assert_eq!((not.since, not.cause.sentence.as_str()), (at(200), "Page 3 was not answered."));
    let (one, two) = (list.tallies[&instance_id(1)], list.tallies[&instance_id(2)]);
    assert_eq!((one.not_rechecked.high, two.fixed.high), (1, 1));
    assert_eq!(one.plus(two).of(ChangeKind::Fixed).total(), 1);
    let none = ChangeFilter { severities: vec![catalog::Severity::Low], ..ChangeFilter::default() };
    assert_eq!(store.changes(&spans, &none, Slice::ALL).unwrap().total, 0);
    assert_eq!(store.changes(&[], &ChangeFilter::default(), Slice::ALL).unwrap().rows, []);

    assert_eq!(store.known_since(SandboxScope::With).unwrap()[&instance_id(1)], at(100));
    assert_eq!(store.last_complete_scan_at(instance_id(1), at(99)).unwrap(), None);
    assert_eq!(store.last_complete_scan_at(instance_id(1), at(9_999)).unwrap().unwrap().id, last);
    assert_eq!(store.scanned_open_at(instance_id(1), at(350)).unwrap(), [("c".to_owned(), catalog::Severity::High, 1)]);
    assert_eq!(store.scanned_open_at(instance_id(1), at(450)).unwrap(), []);
    let open_then = |second| {
        let filter = FindingFilter { states: vec![FindingState::Open], at: Some(at(second)), ..FindingFilter::default() };
        store.findings(&filter, FindingSort::Severity, true, Slice::ALL).unwrap().total
    };
    assert_eq!([50, 100, 350, 450, 550].map(open_then), [0, 2, 2, 0, 1]);
    let unchecked = FindingFilter { not_rechecked: true, at: Some(at(350)), ..FindingFilter::default() };
    assert_eq!(store.findings(&unchecked, FindingSort::Severity, true, Slice::ALL).unwrap().total, 2);
}
