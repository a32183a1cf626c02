//! When a credential ends: kept with each sign-in, told once to whoever looks, gone with the instance.
use crate::tenant::*;
use std::collections::BTreeMap;
use store::{Act, Credential, CredentialEnd, EndsBy, Slice, Store, StoreError};

fn end(second: i64, by: EndsBy) -> Option<CredentialEnd> {
    Some(CredentialEnd { at: at(second), by })
}

fn opened(folder: &std::path::Path) -> Store {
    let store = Store::open(&folder.join("posture.db"), &key()).unwrap();
    if store.instances().unwrap().is_empty() {
        store.insert_instance(&instance(1)).unwrap();
    }
    store
}

fn known(store: &Store) -> Credential {
    store.credential(instance_id(1)).unwrap().unwrap()
}

#[test]
fn what_was_told_of_an_end_holds_for_that_end_of_that_credential() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    let id = instance_id(1);
    assert_eq!(store.credential(id).unwrap(), None);
    assert_eq!(store.credentials().unwrap(), BTreeMap::new());

    store.credential_used(id, at(10), end(1_000, EndsBy::Vendor)).unwrap();
    assert_eq!(known(&store), Credential { used_at: at(10), end: end(1_000, EndsBy::Vendor), told_days: None, tried_at: None });
    assert!(store.tell_credential(id, &known(&store), Some(30), None).unwrap());

    // The same end, told again by the next sign-in.
    store.credential_used(id, at(20), end(1_000, EndsBy::Vendor)).unwrap();
    assert_eq!((known(&store).used_at, known(&store).told_days), (at(20), Some(30)));
    for other in [end(2_000, EndsBy::Vendor), end(2_000, EndsBy::Certificate), None, end(2_000, EndsBy::Unused)] {
        assert!(store.tell_credential(id, &known(&store), Some(7), None).unwrap());
        store.credential_used(id, at(30), other).unwrap();
        assert_eq!((known(&store).end, known(&store).told_days), (other, None), "another end begins anew");
    }
    // Another credential with the same end.
    store.credential_replaced(id, at(40), end(3_000, EndsBy::Vendor)).unwrap();
    assert!(store.tell_credential(id, &known(&store), Some(1), None).unwrap());
    store.credential_replaced(id, at(50), end(3_000, EndsBy::Vendor)).unwrap();
    assert_eq!(known(&store).told_days, None);
    assert_eq!(store.credentials().unwrap(), BTreeMap::from([(id, known(&store))]));

    store.delete_instance(id).unwrap();
    assert_eq!(store.credentials().unwrap(), BTreeMap::new());
    assert!(matches!(store.credential(id), Err(StoreError::NotFound { .. })));
    assert!(store.credential_used(id, at(60), None).is_err());
}

#[test]
fn an_end_is_told_by_one_of_two_with_its_act() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (opened(folder.path()), opened(folder.path()));
    let id = instance_id(1);
    one.credential_used(id, at(10), end(1_000, EndsBy::Vendor)).unwrap();
    let seen = known(&one);
    assert_eq!(known(&other), seen);
    let act = Act::new(at(20), "schedule", "credential nears its end", "7 days left");
    let tell = |store: &Store| store.tell_credential(id, &seen, Some(7), Some(&act)).unwrap();
    let told = std::thread::scope(|scope| {
        let (here, there) = (scope.spawn(|| tell(&one)), scope.spawn(|| tell(&other)));
        [here.join().unwrap(), there.join().unwrap()]
    });
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
    assert_eq!(one.acts(Slice::ALL).unwrap().1.len(), 1, "and no act without it");
    // An end that is not the one that was seen.
    let seen = known(&one);
    one.credential_used(id, at(30), end(2_000, EndsBy::Vendor)).unwrap();
    assert!(!one.tell_credential(id, &seen, Some(1), Some(&act)).unwrap());
    assert_eq!((known(&one).told_days, one.acts(Slice::ALL).unwrap().0), (None, 1));
}

#[test]
fn one_of_two_tries_and_a_use_ends_what_was_tried() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (opened(folder.path()), opened(folder.path()));
    let id = instance_id(1);
    // Nothing was known of it yet.
    assert!(one.try_credential(id, None, at(5), at(100)).unwrap());
    assert!(!other.try_credential(id, None, at(5), at(100)).unwrap());
    let seen = known(&other);
    assert_eq!(seen, Credential { used_at: at(5), end: None, told_days: None, tried_at: Some(at(100)) });
    assert!(one.try_credential(id, Some(&seen), at(5), at(200)).unwrap());
    assert!(!other.try_credential(id, Some(&seen), at(5), at(200)).unwrap());
    let seen = known(&other);
    one.credential_used(id, at(210), end(900, EndsBy::Unused)).unwrap();
    assert_eq!(known(&one).tried_at, None);
    assert!(!other.try_credential(id, Some(&seen), at(5), at(220)).unwrap(), "it was used meanwhile");
}

#[test]
fn what_a_schedule_does_is_no_persons_scan() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    let held = store.hold_instance(instance_id(1)).unwrap();
    let scan = store.begin_scan_by_schedule(held, at(1), &["users"]).unwrap();
    assert!(matches!(store.begin_scan(instance_id(1), at(2), &[]), Err(StoreError::ScanRunning)));
    assert_eq!(store.scan(scan).unwrap().started_by, store::StartedBy::Schedule);
}
