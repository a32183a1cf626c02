//! The chain of acts: what it holds, and that whatever is done to it behind the store's back is told.

use crate::tenant;

use proptest::prelude::*;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{Act, ActivityBreak, ActivityHead, ChainFault, HeadFate, Slice, Store};
use tenant::*;

/// The columns of an act, in the order in which they are hashed.
const COLUMNS: [&str; 8] = ["id", "at", "who", "what", "detail", "instance", "before", "after"];

fn database() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    (folder, path)
}

/// A database with these acts, closed, and the head that was exported of it.
fn recorded(path: &Path, acts: &[Act]) -> ActivityHead {
    let store = Store::open(path, &key()).unwrap();
    acts.iter().for_each(|act| store.record_act(act).unwrap());
    let head = store.activity_head().unwrap();
    assert_eq!(head.acts, acts.len() as u64);
    let proof = store.verify_activity(Some((head.acts, head.hash))).unwrap();
    assert!(proof.holds());
    assert_eq!(proof.head, head);
    head
}

/// The database without what guards the acts, as somebody who has its key could open it.
fn unguarded(path: &Path) -> Connection {
    let connection = raw(path, &key());
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             DROP TRIGGER activity_unchanged; DROP TRIGGER activity_kept;
             DROP TRIGGER activity_link_unchanged; DROP TRIGGER activity_link_kept;",
        )
        .unwrap();
    connection
}

fn some_acts(number: i64) -> Vec<Act> {
    (1..=number).map(|second| Act::new(at(second), "ada", "instance changed", format!("kustomer, {second}")).on(instance_id(1))).collect()
}

/// The link of an act, from the description of the chain and not from the store's code.
fn link(before: [u8; 32], id: i64, act: &Act) -> [u8; 32] {
    let mut bytes = before.to_vec();
    for number in [id, act.at.as_millisecond()] {
        bytes.push(1);
        bytes.extend(8_u64.to_le_bytes());
        bytes.extend(number.to_le_bytes());
    }
    for text in [&act.who, &act.what, &act.detail, &act.instance, &act.before, &act.after] {
        bytes.push(3);
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    Sha256::digest(bytes).into()
}

#[test]
fn each_link_covers_every_column_of_its_act_and_the_link_before() {
    let (_folder, path) = database();
    let acts = [
        Act::new(at(1), "ada", "database created", ""),
        Act::new(at(2), "ada", "instance changed", "kustomer, Halden Moor").on(instance_id(1)).from_to("owner \"ada\"", "owner \"mei\""),
        Act::new(at(3), "schedule", "scan begun", "kustomer, Halden Moor").on(instance_id(1)),
    ];
    let head = recorded(&path, &acts);
    let mut hash = [0; 32];
    let store = Store::open(&path, &key()).unwrap();
    let linked = store.linked_acts(0, 10).unwrap();
    assert_eq!(linked.len(), acts.len());
    for (number, (act, found)) in (1..).zip(acts.iter().zip(&linked)) {
        hash = link(hash, number, act);
        assert_eq!((found.number, &found.act, found.hash), (number as u64, act, Some(hash)));
    }
    assert_eq!(head, ActivityHead { acts: 3, hash, at: Some(at(3)) });
    assert_eq!(store.linked_acts(1, 1).unwrap(), linked[1..2]);
    assert_eq!(store.acts(Slice::ALL).unwrap(), (3, acts.iter().rev().cloned().collect()));
}

#[test]
fn an_empty_chain_holds_and_has_a_head() {
    let (_folder, path) = database();
    let head = recorded(&path, &[]);
    assert_eq!(head, ActivityHead { acts: 0, hash: [0; 32], at: None });
    let store = Store::open(&path, &key()).unwrap();
    assert!(!store.verify_activity(Some((0, [1; 32]))).unwrap().holds(), "another head");
    assert_eq!(store.verify_activity(Some((1, [0; 32]))).unwrap().expected, Some(HeadFate::NotReached));
    store.record_act(&some_acts(1)[0]).unwrap();
    assert!(store.verify_activity(Some((0, [0; 32]))).unwrap().holds(), "what came later takes nothing away");
}

#[test]
fn the_first_place_at_which_it_breaks_is_named() {
    let cases: [(&str, i64, ChainFault, Option<i64>); 8] = [
        ("UPDATE activity SET who = 'eve' WHERE id IN (3, 4)", 3, ChainFault::Changed, Some(3)),
        ("UPDATE activity SET at = at + 1000 WHERE id = 3", 3, ChainFault::Changed, Some(4)),
        ("UPDATE activity_link SET hash = zeroblob(31) WHERE activity = 2", 2, ChainFault::Changed, Some(2)),
        ("DELETE FROM activity WHERE id = 4", 4, ChainFault::Removed, None),
        ("DELETE FROM activity WHERE id = 1; DELETE FROM activity_link WHERE activity = 1", 1, ChainFault::Removed, None),
        ("DELETE FROM activity WHERE id = 5", 5, ChainFault::Removed, None),
        ("DELETE FROM activity_link WHERE activity = 2", 2, ChainFault::Unlinked, Some(2)),
        ("INSERT INTO activity (id, at, who, what, detail) VALUES (0, 1790000000000, 'eve', '', '')", 0, ChainFault::Added, Some(0)),
    ];
    for (tampering, act, fault, second) in cases {
        let (_folder, path) = database();
        let head = recorded(&path, &some_acts(5));
        unguarded(&path).execute_batch(tampering).unwrap();
        let store = Store::open(&path, &key()).unwrap();
        let told = Some(ActivityBreak { act, at: second.map(at), fault });
        let proof = store.verify_activity(Some((head.acts, head.hash))).unwrap();
        assert_eq!((proof.broken, proof.expected), (told, Some(HeadFate::NotReached)), "{tampering}");
        assert_eq!(proof.head.acts, (act.max(1) - 1) as u64, "{tampering}: what holds before it");
        // A chain that is broken is still added to, and stays broken.
        store.record_act(&some_acts(1)[0]).unwrap();
        let later = store.verify_activity(None).unwrap();
        assert_eq!((later.holds(), later.broken), (false, told), "{tampering}");
    }
}

#[test]
fn what_was_removed_at_the_end_is_told_by_an_exported_head_alone() {
    let (_folder, path) = database();
    let head = recorded(&path, &some_acts(5));
    unguarded(&path)
        .execute_batch(
            "DELETE FROM activity WHERE id > 3; DELETE FROM activity_link WHERE activity > 3;
             UPDATE sqlite_sequence SET seq = 3 WHERE name = 'activity'",
        )
        .unwrap();
    let store = Store::open(&path, &key()).unwrap();
    let alone = store.verify_activity(None).unwrap();
    assert_eq!((alone.holds(), alone.head.acts, alone.expected), (true, 3, None));
    let against = store.verify_activity(Some((head.acts, head.hash))).unwrap();
    assert_eq!((against.holds(), against.broken, against.expected), (false, None, Some(HeadFate::NotReached)));
    // As many acts again do not make them those that were there.
    store.record_act(&some_acts(4)[3]).unwrap();
    store.record_act(&some_acts(1)[0]).unwrap();
    let against = store.verify_activity(Some((head.acts, head.hash))).unwrap();
    assert_eq!((against.holds(), against.expected), (false, Some(HeadFate::Differs)));
}

#[test]
fn acts_of_an_older_release_are_linked_when_the_file_is_opened() {
    let (_folder, path) = database();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-3.db"), &path).unwrap();
    let before = {
        let older = raw(&path, &key());
        older.query_row("SELECT count(*) FROM activity", [], |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    assert!(before > 0);
    let store = Store::open(&path, &key()).unwrap();
    let head = store.activity_head().unwrap();
    assert_eq!(head.acts, before);
    let linked = store.linked_acts(0, 100).unwrap();
    let mut hash = [0; 32];
    for (number, found) in (1..).zip(&linked) {
        assert_eq!((found.act.instance.as_str(), found.act.before.as_str(), found.act.after.as_str()), ("", "", ""));
        hash = link(hash, number, &found.act);
        assert_eq!(found.hash, Some(hash));
    }
    assert_eq!(head.hash, hash);
    assert!(store.verify_activity(Some((head.acts, head.hash))).unwrap().holds());
    store.verify().unwrap();
}

#[test]
fn acts_that_an_older_release_added_since_are_linked_before_the_next() {
    let older = |path: &Path, second: i64| {
        raw(path, &key())
            .execute(
                "INSERT INTO activity (at, who, what, detail) VALUES (?1, 'ada', 'findings exported', '')",
                [at(second).as_millisecond()],
            )
            .unwrap();
    };
    let (_folder, path) = database();
    let head = recorded(&path, &some_acts(2));
    let store = Store::open(&path, &key()).unwrap();
    // While this one has the file open: linked by the next act, in the order in which they were added.
    older(&path, 3);
    older(&path, 4);
    store.record_act(&some_acts(5)[4]).unwrap();
    let linked = store.linked_acts(0, 100).unwrap();
    let hash = linked.iter().fold([0; 32], |hash, found| link(hash, found.number as i64, &found.act));
    assert_eq!((linked.len(), linked[4].hash), (5, Some(hash)));
    // And by whoever asks for the head, or reads the chain again.
    older(&path, 6);
    assert_eq!(store.activity_head().unwrap().acts, 6);
    older(&path, 7);
    let proof = store.verify_activity(Some((head.acts, head.hash))).unwrap();
    assert_eq!((proof.holds(), proof.head.acts, proof.expected), (true, 7, Some(HeadFate::Found)));
}

#[test]
fn links_are_only_added() {
    let (_folder, path) = database();
    recorded(&path, &some_acts(2));
    let raw = raw(&path, &key());
    for refused in ["UPDATE activity_link SET hash = zeroblob(32)", "DELETE FROM activity_link WHERE activity = 2"] {
        assert!(raw.execute(refused, []).is_err(), "{refused}");
    }
}

/// What somebody does who has the key and knows the tables. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Tampering {
    /// One byte of one column of one act; where there is none, one is added.
    Byte { act: usize, column: usize, position: usize, flip: u8 },
    /// The same text as a value of another type.
    Type { act: usize, column: usize },
    /// A letter moves from the end of one column to the beginning of the next; where there is none, one is added.
    Shift { act: usize, column: usize },
    /// One byte of a link.
    Link { act: usize, position: usize, flip: u8 },
    /// An act goes, with its link or without it.
    Remove { act: usize, link: bool },
    /// A link goes that is not the last.
    Unlink { act: usize },
    /// The last acts go, as if they had never been.
    Cut { acts: usize },
    /// Two acts change places, with their links or without them.
    Swap { one: usize, other: usize, links: bool },
    /// An act is changed and everything from it on is linked anew.
    Rewrite { act: usize },
    /// An act is put before the first.
    Add,
}

fn any_tampering() -> impl Strategy<Value = Tampering> {
    let (act, flip) = (0_usize..100, 1_u8..=255);
    prop_oneof![
        6 => (act.clone(), 0..COLUMNS.len(), 0_usize..100, flip.clone())
            .prop_map(|(act, column, position, flip)| Tampering::Byte { act, column, position, flip }),
        1 => (act.clone(), 2..COLUMNS.len()).prop_map(|(act, column)| Tampering::Type { act, column }),
        1 => (act.clone(), 2..COLUMNS.len() - 1).prop_map(|(act, column)| Tampering::Shift { act, column }),
        1 => (act.clone(), 0_usize..32, flip).prop_map(|(act, position, flip)| Tampering::Link { act, position, flip }),
        2 => (act.clone(), any::<bool>()).prop_map(|(act, link)| Tampering::Remove { act, link }),
        1 => act.clone().prop_map(|act| Tampering::Unlink { act }),
        1 => act.clone().prop_map(|acts| Tampering::Cut { acts }),
        1 => (act.clone(), act.clone(), any::<bool>()).prop_map(|(one, other, links)| Tampering::Swap { one, other, links }),
        1 => act.prop_map(|act| Tampering::Rewrite { act }),
        1 => Just(Tampering::Add),
    ]
}

impl Tampering {
    /// Whether the chain alone tells it, without an exported head.
    fn is_told_by_the_chain(&self, acts: usize) -> bool {
        match self {
            Self::Cut { .. } | Self::Rewrite { .. } => false,
            // The last act with its link: it may never have been.
            Self::Remove { act, link } => !*link || act % acts + 1 != acts,
            Self::Byte { .. }
            | Self::Type { .. }
            | Self::Shift { .. }
            | Self::Link { .. }
            | Self::Unlink { .. }
            | Self::Swap { .. }
            | Self::Add => true,
        }
    }

    /// Does it to so many acts.
    fn apply(&self, database: &Connection, acts: usize) {
        let id = |act: usize| (act % acts) as i64 + 1;
        let run = |sql: &str, id: i64| assert!(database.execute(sql, [id]).unwrap() > 0, "{self:?} did nothing");
        match *self {
            Self::Byte { act, column: 0, position, flip } => {
                let other = id(act) ^ (i64::from(flip) << (8 * (position % 7)));
                // An id that there is already is taken over by nobody: both acts would have to change.
                let other = if (1..=acts as i64).contains(&other) { other + 1_000 } else { other };
                database.execute("UPDATE activity SET id = ?2 WHERE id = ?1", [id(act), other]).unwrap();
            }
            Self::Byte { act, column: 1, position, flip } => {
                let flip = i64::from(flip) << (8 * (position % 7));
                database.execute("UPDATE activity SET at = (at | ?2) - (at & ?2) WHERE id = ?1", [id(act), flip]).unwrap();
            }
            Self::Byte { act, column, position, flip } => {
                let name = COLUMNS[column];
                let read = format!("SELECT CAST({name} AS BLOB) FROM activity WHERE id = ?1");
                let mut bytes: Vec<u8> = database.query_row(&read, [id(act)], |row| row.get(0)).unwrap();
                match bytes.len() {
                    0 => bytes.push(flip),
                    length => bytes[position % length] ^= flip,
                }
                let write = format!("UPDATE activity SET {name} = CAST(?2 AS TEXT) WHERE id = ?1");
                database.execute(&write, params![id(act), bytes]).unwrap();
            }
            Self::Type { act, column } => {
                let name = COLUMNS[column];
                run(&format!("UPDATE activity SET {name} = CAST({name} AS BLOB) WHERE id = ?1"), id(act));
            }
            Self::Shift { act, column } => {
                let (from, to) = (COLUMNS[column], COLUMNS[column + 1]);
                let moved = format!(
                    "UPDATE activity SET {to} = substr({from}, -1) || {to}, {from} = substr({from}, 1, length({from}) - 1)
                     WHERE id = ?1 AND {from} <> ''"
                );
                if database.execute(&moved, [id(act)]).unwrap() == 0 {
                    run(&format!("UPDATE activity SET {from} = 'x' WHERE id = ?1"), id(act));
                }
            }
            Self::Link { act, position, flip } => {
                let read = "SELECT hash FROM activity_link WHERE activity = ?1";
                let mut hash: Vec<u8> = database.query_row(read, [id(act)], |row| row.get(0)).unwrap();
                hash[position] ^= flip;
                database.execute("UPDATE activity_link SET hash = ?2 WHERE activity = ?1", params![id(act), hash]).unwrap();
            }
            Self::Remove { act, link } => {
                run("DELETE FROM activity WHERE id = ?1", id(act));
                if link {
                    run("DELETE FROM activity_link WHERE activity = ?1", id(act));
                }
            }
            Self::Unlink { act } => run("DELETE FROM activity_link WHERE activity = ?1", (act % (acts - 1)) as i64 + 1),
            Self::Cut { acts: last } => {
                let first = id(last);
                run("DELETE FROM activity WHERE id >= ?1", first);
                run("DELETE FROM activity_link WHERE activity >= ?1", first);
                run("UPDATE sqlite_sequence SET seq = ?1 - 1 WHERE name = 'activity'", first);
            }
            Self::Swap { one, other, links } => {
                let one = id(one);
                let other = if id(other) == one { one % acts as i64 + 1 } else { id(other) };
                let exchange = |table: &str, column: &str| {
                    for (from, to) in [(one, -1), (other, one), (-1, other)] {
                        run(&format!("UPDATE {table} SET {column} = {to} WHERE {column} = ?1"), from);
                    }
                };
                exchange("activity", "id");
                if links {
                    exchange("activity_link", "activity");
                }
            }
            Self::Rewrite { act } => {
                run("UPDATE activity SET detail = detail || ' and more' WHERE id = ?1", id(act));
                run("DELETE FROM activity_link WHERE activity >= ?1", id(act));
            }
            Self::Add => run("INSERT INTO activity (id, at, who, what, detail) VALUES (?1, 0, '', '', '')", 0),
        }
    }
}

fn any_act() -> impl Strategy<Value = Act> {
    // Texts that share beginnings and ends, so that what is not told apart by its length would be alike.
    let text = prop_oneof![4 => "[ab]{0,3}", 1 => any::<String>(), 1 => Just("a\0b".to_owned())];
    (0_i64..1_000_000, prop::array::uniform6(text)).prop_map(|(second, [who, what, detail, instance, before, after])| Act {
        at: at(second),
        who,
        what,
        detail,
        instance,
        before,
        after,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Any acts make a chain that holds, also against each head that was exported on the way.
    #[test]
    fn any_sequence_of_acts_holds(acts in prop::collection::vec(any_act(), 0..12)) {
        let (_folder, path) = database();
        let store = Store::open(&path, &key()).unwrap();
        let mut heads = vec![store.activity_head().unwrap()];
        for act in &acts {
            store.record_act(act).unwrap();
            heads.push(store.activity_head().unwrap());
        }
        for (number, head) in heads.iter().enumerate() {
            let proof = store.verify_activity(Some((head.acts, head.hash))).unwrap();
            prop_assert!(proof.holds() && head.acts == number as u64 && Some(proof.head) == heads.last().copied());
            let mut other = head.hash;
            other[number % 32] ^= 1;
            prop_assert!(!store.verify_activity(Some((head.acts, other))).unwrap().holds());
        }
        prop_assert_eq!(store.linked_acts(0, 100).unwrap().into_iter().map(|linked| linked.act).collect::<Vec<_>>(), acts);
    }

    /// Whatever is done to the acts or their links, the head that was exported before is never said to hold, and not after further
    /// acts either.
    #[test]
    fn nothing_that_was_tampered_with_holds(
        acts in prop::collection::vec(any_act(), 2..10),
        tampering in any_tampering(),
        later in any_act(),
    ) {
        let (_folder, path) = database();
        // Two acts that are alike in everything could change places without a change.
        let acts: Vec<Act> = acts.into_iter().zip(1..).map(|(act, number)| Act { detail: format!("{}{number}", act.detail), ..act }).collect();
        let head = recorded(&path, &acts);
        tampering.apply(&unguarded(&path), acts.len());
        let store = Store::open(&path, &key()).unwrap();
        let against = || store.verify_activity(Some((head.acts, head.hash))).unwrap();
        prop_assert!(!against().holds(), "{:?}", against());
        prop_assert_eq!(store.verify_activity(None).unwrap().holds(), !tampering.is_told_by_the_chain(acts.len()));
        store.record_act(&later).unwrap();
        prop_assert!(!against().holds(), "{:?}", against());
    }
}
