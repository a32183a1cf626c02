//! An imaginary tenant and what is stored of it, for the tests of this crate.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

use catalog::{Cause, CauseKind, CheckKind, Completeness, Feature, Row, RowKey, Severity, Verdict};
use jiff::Timestamp;
use rusqlite::Connection;
use secrecy::{ExposeSecret, SecretBox};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};
use store::{CheckWrite, Instance, InstanceId, JudgedWrite, PageWrite, ScanId, Store};

pub type Key = SecretBox<[u8; 32]>;

pub fn key() -> Key {
    SecretBox::new(Box::new([7; 32]))
}

/// Seconds after a fixed moment.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

pub fn instance_id(number: u128) -> InstanceId {
    InstanceId(uuid::Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 + number))
}

pub fn instance(number: u128) -> Instance {
    Instance {
        id: instance_id(number),
        app: "kustomer".into(),
        name: format!("Halden Moor {number}"),
        label: "Production".into(),
        owner: "Ada".into(),
        login: "api-key".into(),
        inputs: [("region".to_owned(), "eu".to_owned())].into(),
        route: json!({ "proxy": "system" }),
        params: [(
            "kustomer.users.domains".to_owned(),
            [("domains".to_owned(), catalog::ParamValue::Strings(vec!["halden.example".into()]))].into(),
        )]
        .into(),
        sandbox: false,
        tenant: None,
        created_at: at(0),
    }
}

pub fn row(key: &str, fields: Value) -> Row {
    Row { key: RowKey(key.into()), label: format!("row {key}"), fields, faults: Vec::new() }
}

pub fn page<'a>(dataset: &'a str, parent: &'a RowKey, index: u32, rows: &'a [Row], next: Option<&'a str>) -> PageWrite<'a> {
    PageWrite { dataset, parent, index, rows, next, request: None, collected_at: at(1) }
}

/// Stores a dataset of one page, whole.
pub fn write_whole(store: &Store, scan: ScanId, dataset: &str, rows: &[Row]) {
    store.write_page(scan, &page(dataset, &RowKey::default(), 0, rows, None)).unwrap();
    store.finish_dataset(scan, dataset, &Completeness::Complete).unwrap();
}

pub fn cause(sentence: &str) -> Cause {
    Cause { kind: CauseKind::ScopeMissing, sentence: sentence.into(), remedy: "Grant it.".into() }
}

pub fn judged(key: &str, verdict: Verdict) -> JudgedWrite {
    JudgedWrite {
        row: RowKey(key.into()),
        label: format!("row {key}"),
        current: format!("{verdict:?} now"),
        verdict,
        recommended: "on".into(),
        evidence: vec![("enabled".into(), json!(false))],
        inputs: vec![("users".into(), RowKey(key.into()))],
    }
}

pub fn check(id: &str, completeness: Completeness, judged: Vec<JudgedWrite>) -> CheckWrite {
    CheckWrite {
        check: id.into(),
        kind: CheckKind::Check,
        severity: Severity::High,
        feature: Feature::Config,
        title: format!("{id} fails"),
        completeness,
        seen: judged.iter().map(|judged| judged.row.clone()).collect::<BTreeSet<_>>(),
        judged,
    }
}

/// The database as SQLite sees it, beside the store, to look at what no public call shows.
pub fn raw(path: &Path, key: &Key) -> Connection {
    let beginning = fs::read(path).unwrap();
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!("PRAGMA key = \"x'{}{}'\"", hex::encode(key.expose_secret()), hex::encode(&beginning[..16])))
        .unwrap();
    connection
}

/// Fails when a count of references or of rows is not what is really there.
pub fn counts_are_right(path: &Path, key: &Key) {
    let raw = raw(path, key);
    let wrong = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        wrong("SELECT count(*) FROM evidence WHERE refs <> (SELECT count(*) FROM scan_row WHERE scan_row.evidence = evidence.id)"),
        0
    );
    assert_eq!(wrong("SELECT count(*) FROM evidence WHERE refs = 0"), 0);
    assert_eq!(
        wrong(
            "SELECT count(*) FROM scan_dataset WHERE rows <> (
                SELECT count(*) FROM scan_row WHERE scan_row.scan = scan_dataset.scan AND scan_row.dataset = scan_dataset.dataset)"
        ),
        0
    );
    assert_eq!(
        wrong(
            "SELECT count(*) FROM scan_row WHERE dataset NOT IN (SELECT dataset FROM scan_dataset WHERE scan_dataset.scan = scan_row.scan)"
        ),
        0
    );
}
