//! Digests: one per day whoever comes first, one sender at a time, and what is new since the last.

use crate::tenant::*;

use catalog::{Completeness, Severity, Verdict};
use jiff::{ToSpan, civil::date};
use serde_json::json;
use store::{Act, HistoryWindow, JudgedWrite, Slice, Store};

fn act() -> Act {
    Act::new(at(1), "schedule", "digest made", "2026-11-22")
}

fn opened(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("posture.db"), &key()).unwrap()
}

#[test]
fn a_day_is_served_once_and_a_hundred_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (opened(&folder), opened(&folder));
    let day = date(2026, 11, 22);
    let (first, second) = (json!({ "told": "here" }), json!({ "told": "there" }));
    let (here, there) = std::thread::scope(|scope| {
        let here = scope.spawn(|| store.insert_digest(day, at(10), at(1), &first, &act()).unwrap());
        let there = scope.spawn(|| other.insert_digest(day, at(10), at(1), &second, &act()).unwrap());
        (here.join().unwrap(), there.join().unwrap())
    });
    assert!(here != there, "one of them");
    assert_eq!(store.digest(day).unwrap().unwrap().body, if here { first } else { second });
    assert_eq!(store.acts(Slice::ALL).unwrap().0, 1, "who came second has done nothing");
    for number in 1..=100 {
        let next = day.checked_add(number.days()).unwrap();
        assert!(store.insert_digest(next, at(10 + number), at(number), &json!(number), &act()).unwrap());
    }
    let kept = store.digests().unwrap();
    assert_eq!((kept.len(), kept[0].body.clone(), store.digest(day).unwrap()), (100, json!(100), None));
    // Of a clock that went back far: it stays as well, or it would be made again and again.
    let back = date(2020, 1, 1);
    assert!(store.insert_digest(back, at(2), at(1), &json!("back"), &act()).unwrap());
    assert!(!store.insert_digest(back, at(2), at(1), &json!("again"), &act()).unwrap());
    assert_eq!((store.digest(back).unwrap().unwrap().body, store.digests().unwrap().len()), (json!("back"), 100));
}

#[test]
fn whoever_counts_the_tries_up_sends_and_what_was_mailed_stays_mailed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (opened(&folder), opened(&folder));
    let day = date(2026, 11, 22);
    store.insert_digest(day, at(10), at(1), &json!({}), &act()).unwrap();
    let meanwhile = json!({ "code": "E-MAIL-UNKNOWN" });
    assert!(store.claim_digest_mail(day, 0, at(11), &meanwhile).unwrap());
    assert!(!other.claim_digest_mail(day, 0, at(11), &json!("other")).unwrap(), "it is being sent");
    assert_eq!(other.digest(day).unwrap().unwrap().mail_failure, Some(meanwhile.clone()), "should nobody store its end");
    store.set_digest_mailed(day, None, Some(&json!({ "code": "E-MAIL-TIME" }))).unwrap();
    let failed = other.digest(day).unwrap().unwrap();
    assert_eq!((failed.mail_tries, failed.mail_tried_at, failed.mailed_at), (1, Some(at(11)), None));
    assert_eq!(failed.mail_failure, Some(json!({ "code": "E-MAIL-TIME" })));
    assert!(other.claim_digest_mail(day, 1, at(12), &meanwhile).unwrap());
    other.set_digest_mailed(day, Some(at(13)), None).unwrap();
    // Sent once more by hand, in vain.
    assert!(store.claim_digest_mail(day, 2, at(14), &meanwhile).unwrap());
    store.set_digest_mailed(day, None, Some(&json!({ "code": "E-MAIL-HOST" }))).unwrap();
    let mailed = store.digest(day).unwrap().unwrap();
    assert_eq!((mailed.mailed_at, mailed.mail_tries), (Some(at(13)), 3));
    assert!(!store.claim_digest_mail(date(2026, 11, 23), 0, at(14), &meanwhile).unwrap(), "there is none of that day");
}

/// Scans `users` of an instance; the rows that fail by their keys.
fn scan(store: &Store, number: u128, second: i64, rows: &[&str], failing: &[&str]) {
    let scan = store.begin_scan(instance_id(number), at(second), &["users"]).unwrap();
    let all: Vec<_> = rows.iter().map(|key| row(key, json!({ "mfa": false }))).collect();
    write_whole(store, scan, "users", &all);
    let verdict = |key: &&str| judged(key, if failing.contains(key) { Verdict::Fail } else { Verdict::Pass });
    let judged: Vec<JudgedWrite> = rows.iter().map(verdict).collect();
    store.commit_scan(scan, &[check("kustomer.users.mfa", Completeness::Complete, judged)], at(second), at(second + 1)).unwrap();
}

#[test]
fn what_is_new_is_told_once_and_nothing_of_simulated_tenants() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder);
    store.insert_instance(&instance(1)).unwrap();
    let mut simulated = instance(2);
    simulated.sandbox = true;
    store.insert_instance(&simulated).unwrap();
    let since = |second: i64, line: i64| HistoryWindow { since: at(second), line, earliest: at(0) };
    let told = |window: HistoryWindow| {
        let new: u32 = store.newly_failing(window).unwrap().iter().map(|failing| failing.count).sum();
        let ended = store.ended(window).unwrap();
        (new, ended.iter().map(|one| one.fixed).sum::<u32>(), ended.iter().map(|one| one.gone).sum::<u32>())
    };
    scan(&store, 1, 100, &["a", "b", "c"], &["a", "b", "c"]);
    scan(&store, 2, 100, &["a"], &["a"]);
    let failing = store.newly_failing(since(50, i64::MAX)).unwrap();
    assert_eq!((failing.len(), failing[0].instance, failing[0].count), (1, instance_id(1), 3));
    assert!(failing[0].severity >= Severity::Low && failing[0].check == "kustomer.users.mfa");
    let line = store.newest_history_line().unwrap();
    assert_eq!(told(since(150, line)), (0, 0, 0));

    // Fixed, gone, and open as it was.
    scan(&store, 1, 200, &["a", "b"], &["b"]);
    scan(&store, 2, 200, &["a"], &[]);
    assert_eq!(told(since(150, line)), (0, 1, 1));
    // A scan that was being committed when the last one was made tells of a time before it, and comes all the same.
    assert_eq!(told(since(250, line)), (0, 1, 1));
    assert_eq!(told(since(250, store.newest_history_line().unwrap())), (0, 0, 0));
    // Open again: it is no longer fixed.
    let line = store.newest_history_line().unwrap();
    scan(&store, 1, 300, &["a", "b"], &["a", "b"]);
    assert_eq!(told(since(250, line)), (1, 0, 0));
    assert_eq!(told(HistoryWindow { since: at(250), line: 0, earliest: at(400) }).0, 1, "later than the time, however old");
    assert_eq!(told(HistoryWindow { since: at(350), line: 0, earliest: at(350) }), (0, 0, 0), "the numbers alone reach no further back");
    // The numbers of what was deleted come again.
    store.delete_instance_after(instance_id(1), || Ok::<_, store::StoreError>(())).unwrap();
    store.insert_instance(&instance(3)).unwrap();
    scan(&store, 3, 400, &["a"], &["a"]);
    assert_eq!(told(since(350, i64::MAX)), (1, 0, 0));
}

#[test]
fn turns_have_growing_ids_also_after_some_were_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder);
    assert_eq!(store.newest_turn().unwrap(), 0);
    for number in 1..=2 {
        store.insert_instance(&instance(number)).unwrap();
        store.note_health(instance_id(number), "up", None, at(1)).unwrap().unwrap();
    }
    let last = store.newest_turn().unwrap();
    store.delete_instance_after(instance_id(2), || Ok::<_, store::StoreError>(())).unwrap();
    assert_eq!(store.note_health(instance_id(1), "up", None, at(2)).unwrap(), None);
    let turn = store.note_health(instance_id(1), "down", None, at(0)).unwrap().unwrap();
    assert!(turn.id > last);
    assert_eq!(store.turns_later_than(last).unwrap(), [turn]);
}

#[test]
fn a_deleted_instance_goes_from_every_digest_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder);
    for number in 1..=2 {
        store.insert_instance(&instance(number)).unwrap();
    }
    let entry = |number: u128| json!({ "instance": instance_id(number).to_string(), "what": "Down" });
    let body = json!({ "digest": { "fixed": 2, "entries": [entry(1), entry(2), entry(1)], "more": [[entry(1)], { "list": [entry(1)] }] } });
    let day = date(2026, 11, 22);
    store.insert_digest(day, at(10), at(1), &body, &act()).unwrap();
    store.insert_digest(day.tomorrow().unwrap(), at(11), at(10), &json!({ "entries": [entry(2)] }), &act()).unwrap();
    store.delete_instance(instance_id(1)).unwrap();
    let left = json!({ "digest": { "fixed": 2, "entries": [entry(2)], "more": [[], { "list": [] }] } });
    assert_eq!(store.digest(day).unwrap().unwrap().body, left);
    assert_eq!(store.digest(day.tomorrow().unwrap()).unwrap().unwrap().body, json!({ "entries": [entry(2)] }));
    // One that was put together while the instance was still there.
    let late = day.yesterday().unwrap();
    store.insert_digest(late, at(12), at(11), &body, &act()).unwrap();
    assert_eq!(store.digest(late).unwrap().unwrap().body, left);
}
