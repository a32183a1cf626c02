//! Accounts and plugins: stored with the verdicts or not at all, read by part, gone with their scan and their instance.
use crate::tenant;

use catalog::{
    Account, AccountKind, AccountRisk, AccountStatus, Cause, CauseKind, Completeness, InventoryKind, InventoryThresholds, Known, Listing,
    Mfa, Origin, Plugin, PluginKind, PluginLevel, PluginRisk, Presence, Property, RowKey, Severity,
};
use serde_json::json;
use std::path::PathBuf;
use store::{AccountFilter, InventorySort, InventoryWrite, PluginFilter, ScanId, Slice, Store, StoreError};
use tenant::*;

fn open() -> (tempfile::TempDir, PathBuf, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    let store = Store::open(&path, &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    (folder, path, store)
}

fn missing() -> Cause {
    Cause { kind: CauseKind::FieldMissing, sentence: "mfa is not in the answer.".into(), remedy: "Look.".into() }
}

fn account(key: &str) -> Account {
    Account {
        origin: Origin { from: "users".into(), row: RowKey(key.into()), inputs: vec![("users".into(), RowKey(key.into()))] },
        id: Known::Is(key.into()),
        name: Known::Is(format!("Name {key}")),
        email: Known::None,
        kind: Known::Is(AccountKind::Person),
        status: Known::Is(AccountStatus::Active),
        administrator: Known::Is(false),
        roles: Known::Is(vec!["agent".into(), "50% off_er".into()]),
        mfa: Known::Is(Mfa::Strong),
        identity_provider: Known::NotRead,
        created: Known::Is(at(1)),
        last_seen: Known::Is(at(2)),
        never_seen: Known::Is(false),
        credential_expires: Known::NotRead,
        credential_changed: Known::NotRead,
        risks: [].into(),
        severity: None,
    }
}

fn plugin(key: &str) -> Plugin {
    Plugin {
        origin: Origin { from: "hooks".into(), row: RowKey(key.into()), inputs: Vec::new() },
        id: Known::Is(key.into()),
        name: Known::Unknown(missing()),
        kind: Known::Is(PluginKind::Token),
        publisher: Known::NotRead,
        scopes: Known::Is(Vec::new()),
        level: Known::Is(PluginLevel::Tenant),
        user: Known::Is("ada".into()),
        status: Known::Is("enabled".into()),
        created: Known::NotRead,
        last_used: Known::None,
        never_used: Known::Is(true),
        expires: Known::None,
        verified_publisher: Known::NotRead,
        write: Known::Is(true),
        gen_ai: Some("ChatGPT".into()),
        risks: [
            (PluginRisk::CanWrite, Presence::Present),
            (PluginRisk::GenAi, Presence::Present),
            (PluginRisk::Expired, Presence::Unknown),
        ]
        .into(),
        severity: Some(Severity::High),
    }
}

fn listing<T>(from: &str, items: Vec<T>) -> Listing<T> {
    Listing {
        from: from.into(),
        title: format!("The {from}"),
        completeness: Completeness::Complete,
        undecided: 0,
        undecided_cause: None,
        not_read: vec![Property::IdentityProvider],
        items,
    }
}

fn commit(store: &Store, second: i64, accounts: &[Listing<Account>], plugins: &[Listing<Plugin>]) -> ScanId {
    let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
    write_whole(store, scan, "users", &[row("a", json!({ "mfa": false }))]);
    let write = InventoryWrite { thresholds: InventoryThresholds::default(), accounts, plugins };
    let outcome = store.commit_scan_judged_by(scan, &instance(1).params, &[], &write, at(second), at(second + 1)).unwrap();
    assert!(outcome.is_some());
    scan
}

fn names(store: &Store, scan: ScanId, filter: &AccountFilter, sort: InventorySort, descending: bool) -> Vec<String> {
    let list = store.accounts(scan, filter, sort, descending, Slice::ALL).unwrap();
    assert_eq!(list.total as usize, list.rows.len());
    list.rows.into_iter().map(|(_, account)| account.origin.row.0).collect()
}

#[test]
fn what_is_written_is_read_as_it_was() {
    let (_folder, _, store) = open();
    let accounts = [
        listing("users", vec![account("a")]),
        Listing {
            completeness: Completeness::Partial(cause("cut")),
            undecided: 3,
            undecided_cause: Some(missing()),
            not_read: vec![],
            ..listing(
                "bots",
                vec![Account {
                    origin: Origin { from: "bots".into(), ..account("b").origin },
                    kind: Known::Is(AccountKind::Service),
                    mfa: Known::Unknown(missing()),
                    roles: Known::Unknown(missing()),
                    last_seen: Known::None,
                    never_seen: Known::Is(true),
                    risks: [(AccountRisk::NeverSeen, Presence::Present), (AccountRisk::NoMfa, Presence::Unknown)].into(),
                    severity: Some(Severity::Low),
                    ..account("b")
                }],
            )
        },
    ];
    let plugins = [listing("hooks", vec![plugin("h")])];
    let scan = commit(&store, 10, &accounts, &plugins);
    let list = store.accounts(scan, &AccountFilter::default(), InventorySort::Name, false, Slice::ALL).unwrap();
    let read: Vec<&Account> = list.rows.iter().map(|(_, account)| account).collect();
    assert_eq!(read, [&accounts[0].items[0], &accounts[1].items[0]]);
    let found = store.plugins(scan, &PluginFilter::default(), InventorySort::default(), true, Slice::ALL).unwrap();
    assert_eq!(found.rows[0].1, plugins[0].items[0]);
    let listings = store.listings(scan, InventoryKind::Accounts).unwrap();
    assert_eq!(
        listings.iter().map(|listing| (listing.from.as_str(), listing.items, listing.undecided)).collect::<Vec<_>>(),
        [("users", 1, 0), ("bots", 1, 3)]
    );
    assert_eq!((&listings[1].completeness, &listings[1].undecided_cause), (&accounts[1].completeness, &Some(missing())));
    assert_eq!(listings[0].not_read, [Property::IdentityProvider]);
    assert_eq!(store.listings(scan, InventoryKind::Plugins).unwrap().len(), 1);
    let detail = store.account(scan, list.rows[0].0).unwrap();
    assert_eq!((detail.item, detail.evidence.len()), (account("a"), 1));
    assert_eq!(detail.evidence[0].row.fields, json!({ "mfa": false }));
    assert!(matches!(store.account(scan, 999), Err(StoreError::NotFound { what: "account" })));
    store.verify().unwrap();
}

#[test]
fn risks_are_counted_over_all_and_filters_choose() {
    let (_folder, _, store) = open();
    let risky = |key: &str, present: &[AccountRisk], unknown: &[AccountRisk], severity| Account {
        risks: present.iter().map(|risk| (*risk, Presence::Present)).chain(unknown.iter().map(|risk| (*risk, Presence::Unknown))).collect(),
        severity,
        ..account(key)
    };
    let accounts = [listing(
        "users",
        vec![
            risky("b", &[AccountRisk::NoMfa, AccountRisk::Administrator], &[], Some(Severity::Critical)),
            risky("a", &[], &[AccountRisk::NoMfa, AccountRisk::CredentialNotRotated], None),
            Account {
                kind: Known::Is(AccountKind::Guest),
                last_seen: Known::NotRead,
                ..risky("C", &[AccountRisk::Guest], &[], Some(Severity::Low))
            },
            risky("d", &[], &[], None),
        ],
    )];
    let scan = commit(&store, 10, &accounts, &[]);
    let all = AccountFilter::default();
    assert_eq!(names(&store, scan, &all, InventorySort::Severity, true), ["b", "C", "a", "d"], "what has no risk comes last");
    assert_eq!(names(&store, scan, &all, InventorySort::Name, false), ["a", "b", "C", "d"]);
    assert_eq!(names(&store, scan, &all, InventorySort::Name, true), ["d", "C", "b", "a"]);
    for descending in [false, true] {
        assert_eq!(names(&store, scan, &all, InventorySort::LastUsed, descending).last().unwrap(), "C", "what is not known comes last");
    }
    let filter =
        |risks: &[AccountRisk], unknown: &[AccountRisk]| AccountFilter { risks: risks.to_vec(), unknown: unknown.to_vec(), ..all.clone() };
    let chosen = |filter: &AccountFilter| names(&store, scan, filter, InventorySort::Name, false);
    assert_eq!(chosen(&filter(&[AccountRisk::NoMfa], &[])), ["b"]);
    assert_eq!(chosen(&filter(&[AccountRisk::NoMfa, AccountRisk::Guest], &[])), ["b", "C"]);
    assert_eq!(chosen(&filter(&[], &[AccountRisk::CredentialNotRotated])), ["a"]);
    assert_eq!(chosen(&filter(&[AccountRisk::NoMfa], &[AccountRisk::NoMfa])), ["a", "b"]);
    assert_eq!(chosen(&filter(&[AccountRisk::Dormant], &[])), Vec::<String>::new());
    assert_eq!(chosen(&AccountFilter { kinds: vec![AccountKind::Guest], ..all.clone() }), ["C"]);
    let text = |text: &str| chosen(&AccountFilter { text: text.into(), ..all.clone() }).len();
    assert_eq!((text("NAME c"), text("50% off_er"), text("50_ off"), text("%"), text("nobody")), (1, 4, 0, 4, 0));
    let list =
        store.accounts(scan, &filter(&[AccountRisk::Guest], &[]), InventorySort::Name, false, Slice { offset: 0, limit: 1 }).unwrap();
    assert_eq!((list.all, list.total, list.rows.len()), (4, 1, 1));
    let counts: Vec<(u32, u32)> = list.risks.iter().map(|count| (count.present, count.unknown)).collect();
    assert_eq!(counts, [(1, 1), (0, 0), (0, 0), (0, 0), (1, 0), (1, 0), (0, 0), (0, 0), (0, 0), (0, 1)]);
    let second = store.accounts(scan, &all, InventorySort::Name, false, Slice { offset: 1, limit: 2 }).unwrap();
    assert_eq!(second.rows.iter().map(|(_, account)| account.origin.row.0.as_str()).collect::<Vec<_>>(), ["b", "C"]);
}

#[test]
fn other_thresholds_store_nothing_and_setting_them_replaces_both() {
    let (_folder, _, store) = open();
    let others = InventoryThresholds { dormant_days: 7, ..InventoryThresholds::default() };
    assert_eq!(store.inventory_thresholds(instance_id(1)).unwrap(), InventoryThresholds::default());
    let nothing = InventoryWrite { thresholds: others, accounts: &[], plugins: &[] };
    store.set_inventory_thresholds(instance_id(1), None, &nothing).unwrap();
    assert_eq!(store.inventory_thresholds(instance_id(1)).unwrap(), others);
    let scan = store.begin_scan(instance_id(1), at(10), &["users"]).unwrap();
    let accounts = [listing("users", vec![account("a")])];
    let stale = InventoryWrite { thresholds: InventoryThresholds::default(), accounts: &accounts, plugins: &[] };
    assert_eq!(store.commit_scan_judged_by(scan, &instance(1).params, &[], &stale, at(10), at(11)).unwrap(), None);
    assert_eq!(store.listings(scan, InventoryKind::Accounts).unwrap(), []);
    let fresh = InventoryWrite { thresholds: others, ..stale };
    assert!(store.commit_scan_judged_by(scan, &instance(1).params, &[], &fresh, at(10), at(11)).unwrap().is_some());
    assert_eq!(names(&store, scan, &AccountFilter::default(), InventorySort::Name, false), ["a"]);
    let again = [listing("users", vec![account("a"), account("b")])];
    let write = InventoryWrite { thresholds: InventoryThresholds::default(), accounts: &again, plugins: &[] };
    assert!(matches!(store.set_inventory_thresholds(instance_id(1), None, &write), Err(StoreError::WrongState { .. })));
    store.set_inventory_thresholds(instance_id(1), Some(scan), &write).unwrap();
    assert_eq!(names(&store, scan, &AccountFilter::default(), InventorySort::Name, false), ["a", "b"]);
    assert_eq!(store.inventory_thresholds(instance_id(1)).unwrap(), InventoryThresholds::default());
    store.rejudge_scan(scan, &[], at(20)).unwrap();
    assert_eq!(names(&store, scan, &AccountFilter::default(), InventorySort::Name, false), ["a", "b"], "judging checks again leaves them");
}

#[test]
fn they_go_with_their_scan_and_with_their_instance() {
    let (_folder, path, store) = open();
    let (accounts, plugins) = ([listing("users", vec![account("a")])], [listing("hooks", vec![plugin("h")])]);
    let first = commit(&store, 10, &accounts, &plugins);
    let second = commit(&store, 20, &accounts, &plugins);
    let count =
        |table: &str| -> i64 { raw(&path, &key()).query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap() };
    assert_eq!((count("listing"), count("account"), count("plugin")), (4, 2, 2));
    store.prune_scans(instance_id(1), 1).unwrap();
    assert_eq!((count("listing"), count("account"), count("plugin")), (2, 1, 1), "only those of the last complete scan stay");
    assert_eq!(names(&store, first, &AccountFilter::default(), InventorySort::Name, false), Vec::<String>::new());
    assert_eq!(names(&store, second, &AccountFilter::default(), InventorySort::Name, false), ["a"]);
    let thresholds = InventoryWrite { thresholds: InventoryThresholds::default(), accounts: &accounts, plugins: &plugins };
    store.set_inventory_thresholds(instance_id(1), Some(second), &thresholds).unwrap();
    store.delete_instance(instance_id(1)).unwrap();
    for table in ["listing", "account", "plugin", "inventory_threshold"] {
        assert_eq!(count(table), 0, "{table}");
    }
}
