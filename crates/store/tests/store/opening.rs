//! Files that cannot be opened, and files that can be by several at once.

use crate::tenant;

use catalog::{Completeness, Feature, RowKey, Severity, Verdict};
use jiff::civil::date;
use secrecy::SecretBox;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{
    Act, AttestationAnswer, AttestationWrite, Credential, CredentialEnd, EndsBy, FileWrite, FindingFilter, FindingSort, OLDEST_READER,
    OwnCheck, SCHEMA, Schedule, Slice, Store, StoreError,
};
use tenant::*;

/// The head of the two acts of the fixture of schema 4.
const HEAD_OF_SCHEMA_4: &str = "7f651608f929dd9584ce6b0e77e9d000c18b0657403b5155680f27f548712f4c";

/// What the fixtures from schema 6 on hold, without the act that would tell it.
const DECISION: &str = "INSERT INTO decision (instance, check_id, row_key, kind, title, label, value, reason, approver, who, at)
    VALUES (1, 'account:users', 'a', 'ignore', 'Ada', '', 'null', 'On leave', '', 'ada', 1790000400000)";

/// What the fixtures from schema 5 on say of the credential.
const CREDENTIAL_END: CredentialEnd = CredentialEnd { at: jiff::Timestamp::constant(2_592_000, 0), by: EndsBy::Vendor };
/// The digest in them.
const DIGEST: &str = r#"INSERT INTO digest (day, made_at, since, body) VALUES ('1970-01-01', 400000, 0, '{"turns":2}')"#;

const MARK: &str = "thisTextMustNotBeReadableInTheFile";

/// A database with a complete scan of many rows, closed so that everything lies in one file.
fn written(folder: &Path) -> PathBuf {
    let path = folder.join("posture.db");
    let store = Store::open(&path, &key()).unwrap();
    let mut tenant = instance(1);
    tenant.owner = MARK.into();
    store.insert_instance(&tenant).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    let rows: Vec<_> = (0..400).map(|number| row(&format!("{MARK}-{number}"), json!({ "text": MARK, "number": number }))).collect();
    write_whole(&store, scan, "users", &rows);
    let verdicts = rows.iter().map(|row| judged(&row.key.0, Verdict::Fail)).collect();
    store.commit_scan(scan, &[check(MARK, Completeness::Complete, verdicts)], at(1), at(2)).unwrap();
    path
}

fn holds(path: &Path, needle: &[u8]) -> bool {
    fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
}

/// What a screen would ask for, all of it.
fn read_everything(path: &Path) -> Result<(), StoreError> {
    let store = Store::open(path, &key())?;
    for instance in store.instances()? {
        for scan in store.scans(instance.id, 100)? {
            store.collected(scan.id)?;
            store.verdicts(scan.id, None, Slice::ALL)?;
        }
    }
    for finding in store.findings(&FindingFilter::default(), FindingSort::Severity, true, Slice::ALL)?.rows {
        store.finding(finding.id)?;
    }
    Ok(())
}

#[test]
fn nothing_is_readable_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    let store = Store::open(&path, &key()).unwrap();
    let mut tenant = instance(1);
    tenant.owner = MARK.into();
    store.insert_instance(&tenant).unwrap();
    let scan = store.begin_scan(instance_id(1), at(0), &["users"]).unwrap();
    store.write_page(scan, &page("users", &RowKey::default(), 0, &[row(MARK, json!({ "text": MARK }))], Some(MARK))).unwrap();
    // While it is open, so that the log is looked at as well.
    let mut looked = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let file = entry.unwrap().path();
        for needle in [MARK.as_bytes(), b"SQLite format 3", b"CREATE TABLE", &[7; 32], hex::encode([7; 32]).as_bytes()] {
            assert!(!holds(&file, needle), "{file:?} holds {}", String::from_utf8_lossy(needle));
        }
        looked += 1;
    }
    assert!(looked >= 4, "database, log, shared memory and lock files: {looked}");
    assert_eq!(store.instance(instance_id(1)).unwrap().owner, MARK, "it was written");
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    let store = Store::open(&path, &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    store.begin_scan(instance_id(1), at(0), &[]).unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    assert!(names.contains(&"posture.db-wal".to_owned()) && names.len() == 5, "{names:?}");
}

#[test]
fn another_key_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let error = Store::open(&path, &SecretBox::new(Box::new([8; 32]))).unwrap_err();
    assert_eq!(error.code(), "E-DB-KEY");
    assert_eq!(error.to_string(), "The key does not open this database.");
    read_everything(&path).unwrap();
}

#[test]
fn damage_anywhere_is_named_and_never_read_as_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let right = fs::read(&path).unwrap();
    assert!(right.len() > 40 * 4096, "{}", right.len());
    let mut named = 0;
    for page in 0..right.len() / 4096 {
        let mut wrong = right.clone();
        let place = page * 4096 + 1000;
        wrong[place] ^= 0x40;
        fs::write(&path, &wrong).unwrap();
        let verified = Store::open(&path, &key()).and_then(|store| store.verify());
        assert!(matches!(verified, Err(StoreError::Damaged)), "page {page}: {verified:?}");
        match read_everything(&path) {
            Err(StoreError::Damaged) => named += 1,
            Err(other) => panic!("page {page}: {other:?}"),
            // Indexes that these calls do not use, and pages that are free.
            Ok(()) => {}
        }
    }
    assert!(named > right.len() / 4096 / 3, "{named}");
    assert_eq!(StoreError::Damaged.to_string(), "The database file is damaged and cannot be read.");
    for (content, code) in [
        (right[..4096 * 3].to_vec(), "E-DB-DAMAGED"),
        (right[..10].to_vec(), "E-DB-DAMAGED"),
        (vec![0; 8192], "E-DB-KEY"),
        (b"SQLite format 3\0 and so on".to_vec(), "E-DB-KEY"),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(read_everything(&path).unwrap_err().code(), code);
    }
    fs::write(&path, right).unwrap();
    read_everything(&path).unwrap();
}

#[test]
fn a_newer_database_is_read_or_refused_by_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let set = |schema: u32, oldest_reader: u32| {
        raw(&path, &key()).execute("UPDATE meta SET schema = ?1, oldest_reader = ?2", [schema, oldest_reader]).unwrap();
    };
    set(SCHEMA + 3, SCHEMA);
    raw(&path, &key())
        .execute_batch("ALTER TABLE finding ADD COLUMN of_the_future TEXT; CREATE TABLE of_the_future (id INTEGER PRIMARY KEY)")
        .unwrap();
    read_everything(&path).unwrap();
    let store = Store::open(&path, &key()).unwrap();
    let scan = store.begin_scan(instance_id(1), at(10), &[]).unwrap();
    store.commit_scan(scan, &[], at(10), at(11)).unwrap();
    drop(store);

    set(SCHEMA + 3, SCHEMA + 1);
    let error = Store::open(&path, &key()).unwrap_err();
    assert_eq!(error.code(), "E-DB-NEWER");
    assert_eq!(
        error.to_string(),
        format!(
            "The database was written by a newer version of Posture Console (schema {}) that this version (schema {SCHEMA}) cannot read.",
            SCHEMA + 3
        )
    );
    assert_eq!(error.remedy(), "Install the newest version of Posture Console.");
}

/// The databases of released schemas: each must open, be brought up to date and show what was in it.
#[test]
fn databases_of_every_released_schema_open() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for schema in 1..=SCHEMA {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posture.db");
        fs::copy(fixtures.join(format!("schema-{schema}.db")), &path).unwrap();
        let store = Store::open(&path, &key()).unwrap();
        store.verify().unwrap();
        assert_eq!(store.instances().unwrap(), [instance(1)]);
        let list = store.findings(&FindingFilter::default(), FindingSort::Label, false, Slice::ALL).unwrap();
        assert_eq!(list.rows.iter().map(|finding| finding.row.0.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let detail = store.finding(list.rows[0].id).unwrap();
        assert_eq!((detail.evidence.len(), detail.history.len(), detail.verdict), (1, 2, Verdict::Fail));
        let last = store.last_complete_scan(instance_id(1)).unwrap().unwrap();
        assert_eq!(store.collected(last.id).unwrap()["users"].rows, [row("a", json!({ "mfa": false })), row("b", json!({ "mfa": true }))]);
        if schema >= 2 {
            let own = store.own_checks(None).unwrap().remove(&instance_id(1)).unwrap();
            assert_eq!(own.iter().map(|version| version.check.title.as_str()).collect::<Vec<_>>(), ["Exports have an owner"]);
            let given = store.attestations(None).unwrap().remove(&(instance_id(1), "own.1".to_owned())).unwrap();
            assert_eq!((given[0].answer, given[0].ends_at), (AttestationAnswer::Met, at(1_000)));
            assert_eq!(store.attestation_file(given[0].id).unwrap().1, b"seen");
            assert!(!store.claim_code("ada", 7).unwrap(), "it was sent");
            assert_eq!(store.secret_refused("ada", &"wrong".into()).unwrap(), Some(at(399)));
        }
        let listings = store.listings(last.id, catalog::InventoryKind::Accounts).unwrap();
        if schema >= 3 {
            let found = store.accounts(last.id, &Default::default(), store::InventorySort::Name, false, Slice::ALL).unwrap();
            assert_eq!((listings.len(), found.rows[0].1.clone()), (1, accounts().items.remove(0)));
            assert_eq!(store.inventory_thresholds(instance_id(1)).unwrap(), thresholds());
        } else {
            assert_eq!(listings, [], "nobody has looked, which is not the same as none");
        }
        let schedule = store.schedules().unwrap().remove(&instance_id(1)).unwrap();
        let turns: Vec<String> = store.turns(None, at(0)).unwrap().into_iter().map(|turn| turn.after).collect();
        let acts = store.linked_acts(0, 10).unwrap();
        let head = store.activity_head().unwrap();
        assert!(store.verify_activity(Some((head.acts, head.hash))).unwrap().holds() && head.acts == acts.len() as u64);
        if schema >= 4 {
            assert_eq!(schedule, Schedule { pattern: Some("0 6 * * *".into()), served_through: at(350) });
            assert_eq!(turns, ["up", "down"]);
            assert_eq!((acts[1].act.what.as_str(), acts[1].act.after.as_str()), ("attested", "met"));
            // A release that hashed other bytes would find them changed.
            assert_eq!(hex::encode(head.hash), HEAD_OF_SCHEMA_4);
        } else {
            assert_eq!(
                (schedule, turns),
                (Schedule { pattern: None, served_through: at(0) }, Vec::new()),
                "the default, from the beginning"
            );
            assert!(acts.iter().all(|linked| linked.act.instance.is_empty() && linked.hash.is_some()), "linked now");
        }
        let credential = store.credential(instance_id(1)).unwrap();
        let digests: Vec<String> = raw(&path, &key())
            .prepare("SELECT body FROM digest")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        if schema >= 5 {
            let end = Some(CREDENTIAL_END);
            assert_eq!(credential, Some(Credential { used_at: at(201), end, told_days: Some(30), tried_at: None }));
            assert_eq!(digests, [r#"{"turns":2}"#]);
        } else {
            assert_eq!((credential, digests), (None, Vec::new()), "nobody has signed in since");
        }
        let (decisions, kept) = store.decisions(&store::DecisionFilter::default(), Slice::ALL).unwrap();
        if schema >= 6 {
            assert_eq!((decisions, kept[0].kind, kept[0].grounds.reason.as_str()), (1, store::DecisionKind::Ignore, "On leave"));
        } else {
            assert_eq!(decisions, 0);
        }
        let resumable = store.resumable_scan(instance_id(1)).unwrap().unwrap();
        store.resume_scan(resumable.scan).unwrap();
        store.commit_scan(resumable.scan, &[], at(900), at(901)).unwrap();
        let numbers: (u32, u32) =
            raw(&path, &key()).query_row("SELECT schema, oldest_reader FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(numbers, (SCHEMA, OLDEST_READER));
    }
}

fn thresholds() -> catalog::InventoryThresholds {
    catalog::InventoryThresholds { dormant_days: 45, ..Default::default() }
}

fn accounts() -> catalog::Listing<catalog::Account> {
    use catalog::{Account, AccountKind, AccountRisk, Known, Mfa, Origin, Presence};
    let account = Account {
        origin: Origin { from: "users".into(), row: RowKey("a".into()), inputs: vec![("users".into(), RowKey("a".into()))] },
        id: Known::Is("a".into()),
        name: Known::Is("Ada".into()),
        email: Known::None,
        kind: Known::Is(AccountKind::Person),
        status: Known::NotRead,
        administrator: Known::Unknown(cause("It is not in the answer.")),
        roles: Known::Is(vec!["owner".into()]),
        mfa: Known::Is(Mfa::None),
        identity_provider: Known::NotRead,
        created: Known::Is(at(1)),
        last_seen: Known::NotRead,
        never_seen: Known::NotRead,
        credential_expires: Known::NotRead,
        credential_changed: Known::NotRead,
        risks: [(AccountRisk::NoMfa, Presence::Present), (AccountRisk::Administrator, Presence::Unknown)].into(),
        severity: Some(Severity::High),
    };
    catalog::Listing {
        from: "users".into(),
        title: "Users".into(),
        completeness: Completeness::Complete,
        undecided: 0,
        undecided_cause: None,
        not_read: vec![catalog::Property::Status],
        items: vec![account],
    }
}

/// Writes the fixture of the schema of this release. Run once per schema, by name, before its release; a fixture that was
/// released is never written again.
#[test]
#[ignore = "writes tests/fixtures, by hand and once per schema"]
fn write_the_fixture_of_this_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    let store = Store::open(&path, &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    let own_thresholds = store::InventoryWrite { thresholds: thresholds(), accounts: &[], plugins: &[] };
    store.set_inventory_thresholds(instance_id(1), None, &own_thresholds).unwrap();
    let rows = [row("a", json!({ "mfa": false })), row("b", json!({ "mfa": true }))];
    for (second, verdict) in [(100, Verdict::Fail), (200, Verdict::Pass)] {
        let scan = store.begin_scan(instance_id(1), at(second), &["users"]).unwrap();
        write_whole(&store, scan, "users", &rows);
        let verdicts = vec![judged("a", Verdict::Fail), judged("b", verdict)];
        let checks = [check("kustomer.users.mfa", Completeness::Complete, verdicts)];
        let inventory = store::InventoryWrite { thresholds: thresholds(), accounts: &[accounts()], plugins: &[] };
        store.commit_scan_judged_by(scan, &instance(1).params, &checks, &inventory, at(second), at(second + 1)).unwrap().unwrap();
    }
    let scan = store.begin_scan(instance_id(1), at(300), &["users"]).unwrap();
    store.write_page(scan, &page("users", &RowKey::default(), 0, &rows[..1], Some("/v1/users?page=2"))).unwrap();
    store.end_scan(scan, store::ScanState::Cancelled, None, at(301)).unwrap();
    store.set_preference("theme", &json!("dark")).unwrap();
    store.claim_code("ada", 7).unwrap();
    store.refuse_secret("ada", &"wrong".into(), at(399)).unwrap();
    store.set_schedule(instance_id(1), Some("0 6 * * *"), at(350)).unwrap();
    store.note_health(instance_id(1), "up", None, at(201)).unwrap();
    store.note_health(instance_id(1), "down", Some(&cause("It was not let in.")), at(301)).unwrap();
    let act = |what: &str| Act::new(at(400), "ada", what, "").on(instance_id(1)).from_to("", "met");
    let own = OwnCheck {
        id: "own.1".into(),
        title: "Exports have an owner".into(),
        severity: Severity::Low,
        why: String::new(),
        steps: Vec::new(),
        recommended: String::new(),
    };
    store.save_own_check(instance_id(1), &own, "An export has no owner", &act("check added")).unwrap();
    let attestation = AttestationWrite {
        instance: instance_id(1),
        check: own.id,
        asked: own.title,
        finding: "An export has no owner".into(),
        severity: own.severity,
        feature: Feature::Config,
        recommended: String::new(),
        answer: AttestationAnswer::Met,
        who: "Mei Laurent".into(),
        recorded_by: "ada".into(),
        note: "Agreed.".into(),
        valid_until: date(2026, 12, 31),
        ends_at: at(1_000),
        remind_days: 30,
        file: Some(FileWrite { name: "mail.txt".into(), media_type: "text/plain".into(), content: b"seen".to_vec() }),
    };
    store.attest(&attestation, &act("attested")).unwrap();
    store.credential_used(instance_id(1), at(201), Some(CREDENTIAL_END)).unwrap();
    let seen = store.credential(instance_id(1)).unwrap().unwrap();
    store.tell_credential(instance_id(1), &seen, Some(30), None).unwrap();
    raw(&path, &key()).execute(DIGEST, []).unwrap();
    raw(&path, &key()).execute(DECISION, []).unwrap();
    drop(store);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{SCHEMA}.db"));
    fs::create_dir_all(fixture.parent().unwrap()).unwrap();
    assert!(!fixture.exists(), "{fixture:?} was released");
    fs::copy(path, fixture).unwrap();
}

/// Who signs in, and with what, is told neither by the files beside the database nor by the tables in it: a list of likely names
/// or passwords cannot be held against either.
#[test]
fn accounts_and_secrets_are_named_by_digests_that_need_the_databases_own_key() {
    let account = "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730";
    let names = |folder: &Path| {
        let store = Store::open(&folder.join("posture.db"), &key()).unwrap();
        let lease = store.begin_sign_in(account).unwrap().unwrap();
        assert!(store.begin_sign_in(account).unwrap().is_none(), "it is taken");
        drop(lease);
        assert!(store.claim_code(account, 30).unwrap() && !store.claim_code(account, 30).unwrap());
        store.refuse_secret(account, &"wrong".into(), at(1)).unwrap();
        let connection = raw(&folder.join("posture.db"), &key());
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let mut names = vec![text("SELECT account FROM code_sent"), text("SELECT secret FROM refused_secret")];
        names.extend(
            fs::read_dir(folder)
                .unwrap()
                .filter_map(|entry| entry.unwrap().file_name().to_str().unwrap().strip_prefix("posture.db.sign-in-").map(str::to_owned)),
        );
        names
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, other) = (names(one.path()), names(other.path()));
    assert_eq!((one.len(), other.len()), (3, 3));
    for (name, elsewhere) in one.iter().zip(&other) {
        assert!(name.len() == 64 && name != account && name != elsewhere, "{name}, {elsewhere}");
    }
}

#[test]
fn two_handles_write_at_once_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    const EACH: u32 = 40;
    // Both create the file: the first one to come must not be disturbed by the second.
    std::thread::scope(|scope| {
        for number in [1, 2] {
            let path = &path;
            scope.spawn(move || {
                let store = Store::open(path, &key()).unwrap();
                store.insert_instance(&instance(number)).unwrap();
                let scan = store.begin_scan(instance_id(number), at(0), &["users"]).unwrap();
                for index in 0..EACH {
                    // Half of what they write is the same content.
                    let rows = [
                        row(&format!("s{index}"), json!({ "n": index })),
                        row(&format!("o{index}"), json!({ "n": index, "of": number as u64 })),
                    ];
                    store.write_page(scan, &page("users", &RowKey::default(), index, &rows, (index + 1 < EACH).then_some("more"))).unwrap();
                }
                store.finish_dataset(scan, "users", &Completeness::Complete).unwrap();
                store.commit_scan(scan, &[check("c", Completeness::Complete, vec![judged("s1", Verdict::Fail)])], at(1), at(2)).unwrap();
            });
        }
    });
    let store = Store::open(&path, &key()).unwrap();
    for number in [1, 2] {
        let last = store.last_complete_scan(instance_id(number)).unwrap().unwrap();
        assert_eq!(last.rows, u64::from(EACH) * 2);
    }
    let evidence: i64 = raw(&path, &key()).query_row("SELECT count(*) FROM evidence", [], |row| row.get(0)).unwrap();
    assert_eq!(evidence, i64::from(EACH) * 3);
    counts_are_right(&path, &key());
    store.verify().unwrap();
}

#[test]
fn a_reader_sees_the_last_complete_scan_while_another_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let (writer, reader) = (Store::open(&path, &key()).unwrap(), Store::open(&path, &key()).unwrap());
    let scan = writer.begin_scan(instance_id(1), at(100), &["users"]).unwrap();
    assert!(matches!(reader.begin_scan(instance_id(1), at(100), &[]), Err(StoreError::ScanRunning)));
    assert_eq!(reader.mark_cut_scans(at(101)).unwrap(), [], "its process lives");
    write_whole(&writer, scan, "users", &[row("new", json!({}))]);
    let last = reader.last_complete_scan(instance_id(1)).unwrap().unwrap();
    assert_ne!(last.id, scan);
    assert_eq!(reader.rows(last.id, "users", Slice::ALL).unwrap().0, 400);
    writer.commit_scan(scan, &[], at(102), at(103)).unwrap();
    assert_eq!(reader.last_complete_scan(instance_id(1)).unwrap().unwrap().id, scan);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(&folder.path().join("missing/posture.db"), &key()).unwrap_err();
    assert_eq!(error.code(), "E-DB-FILE");
}
