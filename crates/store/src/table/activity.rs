//! `activity` and `activity_link`: what the administrator and the console did, and the chain that ties each act to all before it.
//!
//! Rows are only ever added. The link of an act is SHA-256 over the link before it (32 zero bytes before the first) and every column
//! of the act, each with its type and length, so that no two acts share bytes. Whoever holds the database's key could write the whole
//! chain anew; a head that was exported before tells that too. Acts that a release of schema 3 or older added have no link until this
//! one opens the file or adds the next act. Ids leave no gap: a transaction that fails gives its ids back.
//!
//! A release that hashed other bytes would find every act changed: it would have to say so in `oldest_reader`.

use crate::{InstanceId, Slice, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params, types::ValueRef};
use sha2::{Digest, Sha256};

/// The head of an empty chain.
const BEGINNING: [u8; 32] = [0; 32];

/// The columns of an act in the order in which they are hashed.
const COLUMNS: [&str; 8] = ["id", "at", "who", "what", "detail", "instance", "before", "after"];

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// The operating system's user, `schedule` for what the schedule did, or `console` for what happened by itself.
    pub who: String,
    /// What, in a few fixed words: `instance added`.
    pub what: String,
    /// On what; holds no secret.
    pub detail: String,
    /// Id of the instance that it speaks of, which may be gone since; empty when it speaks of none.
    pub instance: String,
    /// What was before, in short words; empty where there is nothing to say. Holds no secret.
    pub before: String,
    /// What is now, likewise.
    pub after: String,
}

impl Act {
    /// An act that speaks of no instance and tells no before and after.
    pub fn new(at: Timestamp, who: impl Into<String>, what: impl Into<String>, detail: impl Into<String>) -> Self {
        let (who, what, detail) = (who.into(), what.into(), detail.into());
        Self { at, who, what, detail, instance: String::new(), before: String::new(), after: String::new() }
    }
    /// The same act, speaking of an instance.
    #[must_use]
    pub fn on(self, instance: InstanceId) -> Self {
        Self { instance: instance.to_string(), ..self }
    }
    /// The same act, telling what was before and what is now.
    #[must_use]
    pub fn from_to(self, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self { before: before.into(), after: after.into(), ..self }
    }
}

/// An act with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedAct {
    /// Its number, from 1 on without a gap.
    pub number: u64,
    /// The act.
    pub act: Act,
    /// The hash that links it to all acts before it; `None` when somebody took it away.
    pub hash: Option<[u8; 32]>,
}

/// The end of the chain: kept elsewhere, it tells later whether anything up to it was changed or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityHead {
    /// How many acts it covers.
    pub acts: u64,
    /// The link of the last of them; zeros when there is none.
    pub hash: [u8; 32],
    /// When the last of them was recorded.
    pub at: Option<Timestamp>,
}

/// What came of reading the chain again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityProof {
    /// The head of the chain; where it breaks, of what holds before that.
    pub head: ActivityHead,
    /// Where it breaks first.
    pub broken: Option<ActivityBreak>,
    /// What became of the head that was given.
    pub expected: Option<HeadFate>,
}

impl ActivityProof {
    /// Whether every act links to the one before it, and the head that was given, if one was, is among them.
    pub fn holds(&self) -> bool {
        self.broken.is_none() && self.expected.is_none_or(|fate| fate == HeadFate::Found)
    }
}

/// The first place at which the chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityBreak {
    /// The number of the act; below 1 only for one that was added there.
    pub act: i64,
    /// When it says that it was, if it is there and says so.
    pub at: Option<Timestamp>,
    /// What is wrong with it.
    pub fault: ChainFault,
}

/// What is wrong with an act of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFault {
    /// The act, or its link, is not what it was.
    Changed,
    /// There is no such act, but there are later ones, or its link.
    Removed,
    /// It has no link, though later ones have.
    Unlinked,
    /// It, or a link, stands before the first act, where there is none.
    Added,
}

/// What became of a head that was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadFate {
    /// The acts that it covers are here as they were.
    Found,
    /// There are as many acts, but not these.
    Differs,
    /// The chain ends, or breaks, before as many acts.
    NotReached,
}

/// Adds an act and its link.
pub(crate) fn insert(connection: &Connection, act: &Act) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO activity (at, who, what, detail, instance, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![column::time(act.at), act.who, act.what, act.detail, act.instance, act.before, act.after])?;
    link(connection)
}

/// Whether there are acts after the last link: an older release added them.
pub(crate) fn any_unlinked(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM activity WHERE id > (SELECT coalesce(max(activity), 0) FROM activity_link))")?
        .query_row([], |row| row.get(0))?)
}

/// Links the acts after the last link. What lacks its link before that is left for [`verify`] to tell.
pub(crate) fn link(connection: &Connection) -> Result<(), StoreError> {
    let last = connection
        .prepare_cached("SELECT activity, hash FROM activity_link ORDER BY activity DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, hash_of(row.get_ref(1)?))))
        .optional()?;
    let (last, hash) = last.unwrap_or((0, Some(BEGINNING)));
    // A link that is no hash any more breaks the chain there; it must not keep later acts from being recorded.
    let mut hash = hash.unwrap_or(BEGINNING);
    let mut unlinked = connection.prepare_cached(&acts_by_id("WHERE id > ?1"))?;
    let mut unlinked = unlinked.query([last])?;
    let mut add = connection.prepare_cached("INSERT INTO activity_link (activity, hash) VALUES (?1, ?2)")?;
    while let Some(act) = unlinked.next()? {
        hash = link_of(&hash, act)?;
        add.execute(params![act.get::<_, i64>(0)?, hash])?;
    }
    Ok(())
}

/// A page of acts, newest first, and how many there are.
pub(crate) fn page(connection: &Connection, slice: Slice) -> Result<(u64, Vec<Act>), StoreError> {
    let total = connection.query_row("SELECT count(*) FROM activity", [], |row| row.get(0))?;
    let mut statement =
        connection.prepare_cached(&format!("SELECT {} FROM activity ORDER BY at DESC, id DESC LIMIT ?1 OFFSET ?2", COLUMNS.join(", ")))?;
    let acts = statement
        .query_and_then(params![column::number(slice.limit), column::number(slice.offset)], act_of)?
        .collect::<Result<_, StoreError>>()?;
    Ok((column::count(total), acts))
}

/// Acts after a number, oldest first, with their links.
pub(crate) fn linked(connection: &Connection, after: u64, limit: u64) -> Result<Vec<LinkedAct>, StoreError> {
    let columns: Vec<String> = COLUMNS.iter().map(|name| format!("activity.{name}")).collect();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, activity_link.hash FROM activity LEFT JOIN activity_link ON activity_link.activity = activity.id
         WHERE activity.id > ?1 ORDER BY activity.id LIMIT ?2",
        columns.join(", ")
    ))?;
    let acts = statement.query_and_then(params![column::number(after), column::number(limit)], |row| {
        Ok(LinkedAct { number: column::count(row.get(0)?), act: act_of(row)?, hash: hash_of(row.get_ref(COLUMNS.len())?) })
    })?;
    acts.collect()
}

/// The head of the chain as its last link says, without reading the chain again.
pub(crate) fn head(connection: &Connection) -> Result<ActivityHead, StoreError> {
    let last = connection
        .prepare_cached(
            "SELECT activity_link.activity, activity_link.hash, activity.at
             FROM activity_link LEFT JOIN activity ON activity.id = activity_link.activity ORDER BY activity_link.activity DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, hash_of(row.get_ref(1)?), time_of(row.get_ref(2)?))))
        .optional()?;
    match last {
        None => Ok(ActivityHead { acts: 0, hash: BEGINNING, at: None }),
        Some((acts, Some(hash), at)) => Ok(ActivityHead { acts: column::count(acts), hash, at }),
        Some((_, None, _)) => Err(StoreError::Unreadable { what: "hash" }),
    }
}

/// Reads the chain again, one act at a time, up to where it breaks first.
pub(crate) fn verify(connection: &Connection, expected: Option<(u64, [u8; 32])>) -> Result<ActivityProof, StoreError> {
    let mut acts = connection.prepare(&acts_by_id(""))?;
    let mut acts = acts.query([])?;
    let mut links = connection.prepare("SELECT activity, hash FROM activity_link ORDER BY activity")?;
    let mut links = links.query([])?;
    let mut head = ActivityHead { acts: 0, hash: BEGINNING, at: None };
    let mut fate = expected.map(|_| HeadFate::NotReached);
    let mut number = 0;
    let broken = loop {
        if let Some((acts, hash)) = expected
            && acts == head.acts
        {
            fate = Some(if hash == head.hash { HeadFate::Found } else { HeadFate::Differs });
        }
        number += 1;
        let (act, link) = (acts.next()?, links.next()?);
        let act_id = act.map(|act| act.get::<_, i64>(0)).transpose()?;
        let link_id = link.map(|link| link.get::<_, i64>(0)).transpose()?;
        let at = act.map(|act| act.get_ref(1)).transpose()?.and_then(time_of);
        let lowest = act_id.into_iter().chain(link_id).min();
        let Some(lowest) = lowest else { break None };
        let (Some(act), Some(link)) = (act.filter(|_| act_id == Some(number)), link.filter(|_| link_id == Some(number))) else {
            break Some(if lowest < number {
                ActivityBreak { act: lowest, at: at.filter(|_| act_id == Some(lowest)), fault: ChainFault::Added }
            } else if act_id == Some(number) {
                ActivityBreak { act: number, at, fault: ChainFault::Unlinked }
            } else {
                ActivityBreak { act: number, at: None, fault: ChainFault::Removed }
            });
        };
        let hash = link_of(&head.hash, act)?;
        if hash_of(link.get_ref(1)?) != Some(hash) {
            break Some(ActivityBreak { act: number, at, fault: ChainFault::Changed });
        }
        head = ActivityHead { acts: column::count(number), hash, at };
    };
    Ok(ActivityProof { head, broken, expected: fate })
}

fn acts_by_id(condition: &str) -> String {
    format!("SELECT {} FROM activity {condition} ORDER BY id", COLUMNS.join(", "))
}

fn act_of(row: &Row<'_>) -> Result<Act, StoreError> {
    Ok(Act {
        at: column::read_time(row.get(1)?)?,
        who: row.get(2)?,
        what: row.get(3)?,
        detail: row.get(4)?,
        instance: row.get(5)?,
        before: row.get(6)?,
        after: row.get(7)?,
    })
}

/// The link of an act: over whatever its columns hold, so that a value of another type is another act, and none fails.
fn link_of(previous: &[u8; 32], act: &Row<'_>) -> Result<[u8; 32], StoreError> {
    let mut digest = Sha256::new_with_prefix(previous);
    for column in 0..COLUMNS.len() {
        let mut part = |kind: u8, bytes: &[u8]| {
            digest.update([kind]);
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        match act.get_ref(column)? {
            ValueRef::Null => part(0, &[]),
            ValueRef::Integer(number) => part(1, &number.to_le_bytes()),
            ValueRef::Real(number) => part(2, &number.to_le_bytes()),
            ValueRef::Text(text) => part(3, text),
            ValueRef::Blob(bytes) => part(4, bytes),
        }
    }
    Ok(digest.finalize().into())
}

/// The hash of a link, if it still is one.
fn hash_of(value: ValueRef<'_>) -> Option<[u8; 32]> {
    let ValueRef::Blob(bytes) = value else { return None };
    bytes.try_into().ok()
}

/// The time of an act, if it still is one.
fn time_of(value: ValueRef<'_>) -> Option<Timestamp> {
    let ValueRef::Integer(milliseconds) = value else { return None };
    column::read_time(milliseconds).ok()
}
