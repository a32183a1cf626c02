//! Findings by what they say, who owns their instance and how old they are.

use crate::tenant;

use catalog::{Completeness, Verdict};
use proptest::prelude::*;
use std::collections::BTreeSet;
use store::{CheckWrite, FindingFilter, FindingSort, Instance, JudgedWrite, Slice, Store};
use tempfile::TempDir;
use tenant::*;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    (folder, store)
}

fn found(store: &Store, filter: FindingFilter) -> BTreeSet<String> {
    let list = store.findings(&filter, FindingSort::Label, false, Slice::ALL).unwrap();
    assert_eq!(list.total, list.rows.len() as u64);
    list.rows.into_iter().map(|finding| finding.row.0).collect()
}

fn with_text(store: &Store, text: &str) -> BTreeSet<String> {
    found(store, FindingFilter { text: text.into(), ..FindingFilter::default() })
}

fn labelled(row: &str, label: &str) -> JudgedWrite {
    JudgedWrite { label: label.into(), ..judged(row, Verdict::Fail) }
}

fn scan(store: &Store, number: u128, second: i64, checks: &[CheckWrite]) {
    let scan = store.begin_scan(instance_id(number), at(second), &[]).unwrap();
    store.commit_scan(scan, checks, at(second), at(second)).unwrap();
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Nothing that is typed means anything but itself, quotes and words of the query language included.
    #[test]
    fn any_text_is_looked_for_literally(labels in prop::collection::vec("[ab\"'*%_\\\\ ():^é.-]{0,7}( (AND|OR|NOT|NEAR))?", 1..6), texts in prop::collection::vec("[abA\"'*%_\\\\ ():^é.-]{1,5}", 1..12), from in 0..5usize, length in 1..6usize) {
        let (_folder, store) = open();
        store.insert_instance(&instance(1)).unwrap();
        let judged = labels.iter().enumerate().map(|(row, label)| labelled(&row.to_string(), label)).collect();
        scan(&store, 1, 100, &[CheckWrite { title: "T".into(), ..check("c", Completeness::Complete, judged) }]);
        // Parts of what is there, too: most invented texts are nowhere.
        let parts = labels.iter().map(|label| label.chars().skip(from).take(length).collect::<String>()).filter(|part| !part.is_empty());
        for text in texts.iter().cloned().chain(parts) {
            let wanted: BTreeSet<String> = labels.iter().enumerate()
                .filter(|(_, label)| [label.as_str(), "T", "c", "Halden Moor 1"].iter().any(|place| contains(place, &text)))
                .map(|(row, _)| row.to_string()).collect();
            prop_assert_eq!(with_text(&store, &text), wanted, "{:?} in {:?}", text, labels);
        }
    }
}

#[test]
fn the_index_of_texts_follows_every_change_and_keeps_nothing_of_what_is_deleted() {
    let (folder, store) = open();
    let path = folder.path().join("posture.db");
    for number in [1, 2] {
        store.insert_instance(&instance(number)).unwrap();
    }
    let titled =
        |title: &str, rows: Vec<JudgedWrite>| [CheckWrite { title: title.into(), ..check("kustomer.saml", Completeness::Complete, rows) }];
    scan(&store, 1, 100, &titled("Sign-on is off", vec![labelled("a", "Ada Lovelace")]));
    scan(&store, 2, 100, &titled("Sign-on is off", vec![labelled("b", "Éva Łukasz")]));
    let none = BTreeSet::new();
    let only = |row: &str| BTreeSet::from([row.to_owned()]);
    assert_eq!(with_text(&store, "LOVELACE"), only("a"));
    assert_eq!(with_text(&store, "éVA łUK"), only("b"), "from three characters on, other alphabets too");
    assert_eq!(with_text(&store, "év"), none, "below that, case counts outside of ASCII");
    assert_eq!(with_text(&store, "sign-on"), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    assert_eq!(with_text(&store, "mer.sam").len(), 2);

    scan(&store, 1, 200, &titled("Single sign-on is not enforced", vec![labelled("a", "Ada King")]));
    assert_eq!(
        (with_text(&store, "lovelace"), with_text(&store, "ada king"), with_text(&store, "enforced")),
        (none.clone(), only("a"), only("a"))
    );
    let renamed = Instance { name: "Northgate".into(), ..instance(1) };
    store.update_instance(&renamed, at(250)).unwrap();
    assert_eq!((with_text(&store, "northg"), with_text(&store, "halden moor 1")), (only("a"), none.clone()));

    store.delete_instance(instance_id(1)).unwrap();
    assert_eq!((with_text(&store, "ada king"), with_text(&store, "Łukasz")), (none, only("b")));
    let left: i64 = raw(&path, &key())
        .query_row("SELECT count(*) FROM finding_text WHERE finding_text MATCH '\"king\"'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
    // The words are not merely marked as deleted.
    let mut blocks = Vec::new();
    let raw = raw(&path, &key());
    let mut statement = raw.prepare("SELECT block FROM finding_text_data").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        blocks.extend(row.get::<_, Vec<u8>>(0).unwrap());
    }
    assert!(!blocks.windows(3).any(|window| window == b"kin"), "the index still holds a part of a deleted text");
    store.verify().unwrap();
}

#[test]
fn findings_are_filtered_by_owner_and_age() {
    let (_folder, store) = open();
    store.insert_instance(&instance(1)).unwrap();
    store.insert_instance(&Instance { owner: String::new(), ..instance(2) }).unwrap();
    scan(&store, 1, 100, &[check("c", Completeness::Complete, vec![judged("old", Verdict::Fail)])]);
    scan(&store, 1, 200, &[check("c", Completeness::Complete, vec![judged("old", Verdict::Fail), judged("new", Verdict::Fail)])]);
    scan(&store, 2, 300, &[check("c", Completeness::Complete, vec![judged("nobody's", Verdict::Fail)])]);
    let names = |filter: FindingFilter| found(&store, filter).into_iter().collect::<Vec<_>>().join(" ");
    let base = FindingFilter::default;
    assert_eq!(names(FindingFilter { owners: vec!["Ada".into()], ..base() }), "new old");
    assert_eq!(names(FindingFilter { owners: vec![String::new()], ..base() }), "nobody's");
    assert_eq!(names(FindingFilter { owners: vec!["ada".into(), "x' OR 1".into()], ..base() }), "");
    assert_eq!(names(FindingFilter { found_from: Some(at(200)), ..base() }), "new nobody's");
    assert_eq!(names(FindingFilter { found_before: Some(at(200)), ..base() }), "old");
    assert_eq!(names(FindingFilter { found_from: Some(at(101)), found_before: Some(at(300)), text: "row".into(), ..base() }), "new");
}
