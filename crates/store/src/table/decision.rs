//! `decision`: what an administrator decided of findings, checks and accounts, and how each decision ended.
//!
//! The law: a finding that has neither been fixed nor is gone is dismissed exactly while a dismissal of its row, or a decision not to
//! monitor its check, is in force. A dismissal ends at its time, by being undone, when another value is read than the one that was
//! dismissed, and with its finding. No decision makes anything fixed, gone or passed; that only a scan does, or the end of a lock of
//! the lock's own finding. What a person attested follows attestations alone.

use super::{activity, event, finding, instance, scan, verdict};
use crate::{
    Act, EventKind, Finding, FindingId, FindingState, Instance, InstanceId, JudgedWrite, Lock, ScanId, Slice, StoreError, column,
    lock::{self, LockedRow, lock_of},
    table::attestation::NO_SCAN,
};
use catalog::{ParamValue, RowKey};
use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    num::ParseIntError,
    str::FromStr,
};

/// Who acts where something happens by itself.
const CONSOLE: &str = "console";

/// What identifies a decision; later ones have larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(pub i64);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DecisionId {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DecisionKind {
    /// A finding's risk is accepted for a time.
    Dismiss,
    /// A check is judged by another parameter than the catalog's.
    Override,
    /// A setting, or which rows there are, is to stay as it is.
    Lock,
    /// A check is not monitored for a time.
    Unmonitor,
    /// An account is left out of the counters for a time.
    Ignore,
}

impl DecisionKind {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Dismiss, Self::Override, Self::Lock, Self::Unmonitor, Self::Ignore];

    /// `dismiss`, `override`, `lock`, `unmonitor`, `ignore`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dismiss => "dismiss",
            Self::Override => "override",
            Self::Lock => "lock",
            Self::Unmonitor => "unmonitor",
            Self::Ignore => "ignore",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(StoreError::Unreadable { what: "decision" })
    }

    /// As an act tells of its end.
    fn ended(self) -> &'static str {
        match self {
            Self::Dismiss => "dismissal ended",
            Self::Override => "override ended",
            Self::Lock => "lock ended",
            Self::Unmonitor => "monitored again",
            Self::Ignore => "account counted again",
        }
    }
}

/// Why a decision is in force no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecisionEnd {
    /// Somebody took it back.
    Undone,
    /// Its time was over.
    Expired,
    /// Another value was read than the one that it was made about.
    ValueChanged,
    /// Another decision, an attestation or a setting took its place.
    Replaced,
    /// What was dismissed passed.
    Fixed,
    /// What was dismissed is no longer there.
    Gone,
}

impl DecisionEnd {
    /// `undone`, `expired`, `value_changed`, `replaced`, `fixed`, `gone`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undone => "undone",
            Self::Expired => "expired",
            Self::ValueChanged => "value_changed",
            Self::Replaced => "replaced",
            Self::Fixed => "fixed",
            Self::Gone => "gone",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        [Self::Undone, Self::Expired, Self::ValueChanged, Self::Replaced, Self::Fixed, Self::Gone]
            .into_iter()
            .find(|end| end.as_str() == word)
            .ok_or(StoreError::Unreadable { what: "decision" })
    }

    fn words(self) -> &'static str {
        match self {
            Self::Undone => "undone",
            Self::Expired => "its time is over",
            Self::ValueChanged => "the value changed",
            Self::Replaced => "replaced",
            Self::Fixed => "fixed",
            Self::Gone => "no longer there",
        }
    }
}

/// Until when a decision holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// The last day of it, where it was decided.
    pub day: Date,
    /// The moment at which it ends.
    pub at: Timestamp,
}

/// Who decides, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// Why.
    pub reason: String,
    /// Who approved it; may be empty.
    pub approver: String,
    /// Who wrote it down: the operating system's user.
    pub who: String,
    /// Until when; `None` until it is undone.
    pub until: Option<Until>,
}

/// What is decided, beside the dismissal of findings.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// Other parameters of a check, by name. Those that it overrides already stay as they are.
    Override(BTreeMap<String, ParamValue>),
    /// What is to stay as it is.
    Lock(Lock),
    /// The check is not monitored.
    Unmonitor,
    /// The account is ignored.
    Ignore,
}

impl Ruling {
    /// Its kind.
    pub fn kind(&self) -> DecisionKind {
        match self {
            Self::Override(_) => DecisionKind::Override,
            Self::Lock(_) => DecisionKind::Lock,
            Self::Unmonitor => DecisionKind::Unmonitor,
            Self::Ignore => DecisionKind::Ignore,
        }
    }
}

/// A decision that is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionWrite {
    /// Its instance.
    pub instance: InstanceId,
    /// The check; of an account `account:` and the dataset or view that lists it.
    pub check: String,
    /// The row; `None` for the whole check.
    pub row: Option<RowKey>,
    /// What it is about, as it is called now.
    pub title: String,
    /// What names the row; empty where there is none.
    pub label: String,
    /// What is decided.
    pub ruling: Ruling,
    /// Who, why and until when.
    pub grounds: Grounds,
}

/// A decision as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What identifies it.
    pub id: DecisionId,
    /// Its instance.
    pub instance: InstanceId,
    /// The check; of an account `account:` and the dataset or view that lists it.
    pub check: String,
    /// The row; `None` for the whole check.
    pub row: Option<RowKey>,
    /// What was decided.
    pub kind: DecisionKind,
    /// What it was about, as it was called then.
    pub title: String,
    /// What named the row.
    pub label: String,
    /// What it holds fast, as it lies in the database.
    pub value: Value,
    /// Who, why and until when.
    pub grounds: Grounds,
    /// When.
    pub at: Timestamp,
    /// When and why it ended, if it did.
    pub ended: Option<(Timestamp, DecisionEnd)>,
}

impl Decision {
    /// The parameters that an override sets; none of another decision.
    pub fn overridden(&self) -> BTreeMap<String, ParamValue> {
        match self.kind {
            DecisionKind::Override => BTreeMap::deserialize(&self.value).unwrap_or_default(),
            DecisionKind::Dismiss | DecisionKind::Lock | DecisionKind::Unmonitor | DecisionKind::Ignore => BTreeMap::new(),
        }
    }

    /// Whether it is in force at a time, whether or not its end has been written.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.grounds.until.is_none_or(|until| now < until.at)
    }
}

/// Which decisions are asked for. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Of this instance.
    pub instance: Option<InstanceId>,
    /// Of these kinds.
    pub kinds: Vec<DecisionKind>,
    /// Only those in force, or only those that have ended.
    pub in_force: Option<bool>,
}

/// What holds a finding back, as its row tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBy {
    /// The decision.
    pub id: DecisionId,
    /// Its kind: a dismissal, or that its check is not monitored.
    pub kind: DecisionKind,
    /// Until when.
    pub until: Option<Until>,
}

/// Why a finding cannot be dismissed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DismissRefusal {
    /// There is no such finding.
    NotFound,
    /// It has been fixed, or is gone.
    Ended,
    /// A person attested it; only an attestation ends it.
    Attested,
    /// Its check is not monitored.
    NotMonitored,
}

/// A verdict that was dismissed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Dismissed {
    current: String,
    read: Vec<(String, Value)>,
}

impl Dismissed {
    /// Whether this is what was dismissed. The values decide: a text may tell an age, which is another one every day. Where no
    /// values were read, or so many that some were left out, the text decides as well.
    fn is(&self, judged: &JudgedWrite) -> bool {
        let told = self.read.is_empty() || lock::cut(&self.read);
        lock::same(&self.read, &judged.evidence) && (!told || self.current == judged.current)
    }
}

/// The decisions in force that a scan of an instance has to heed.
#[derive(Default)]
pub(crate) struct Heeded {
    dismissed: HashMap<(String, RowKey), (DecisionId, Dismissed)>,
    unmonitored: BTreeMap<String, String>,
    pub(crate) locks: Vec<LockedRow>,
}

/// What a decision makes of a failure.
pub(crate) enum Reception {
    /// Nothing: it is open.
    Open,
    /// It stays dismissed, or is because its check is not monitored: with what its history tells of that.
    Dismissed(String),
    /// It was dismissed with another value and is open.
    Returned(String),
}

impl Heeded {
    pub(crate) fn of(connection: &Connection, instance: i64) -> Result<Self, StoreError> {
        let mut heeded = Self::default();
        for decision in of_instance(connection, instance)? {
            let row = decision.row.clone().unwrap_or_default();
            match decision.kind {
                DecisionKind::Dismiss => {
                    let value = Dismissed::deserialize(&decision.value).map_err(|_| StoreError::Unreadable { what: "decision" })?;
                    heeded.dismissed.insert((decision.check, row), (decision.id, value));
                }
                DecisionKind::Unmonitor => {
                    let told = not_monitored(decision.grounds.until);
                    heeded.unmonitored.insert(decision.check, told);
                }
                DecisionKind::Lock => heeded.locks.push(LockedRow {
                    lock: Lock::try_from(&decision.value)?,
                    check: decision.check,
                    row,
                    label: decision.label,
                }),
                DecisionKind::Override | DecisionKind::Ignore => {}
            }
        }
        Ok(heeded)
    }

    /// What becomes of a failure; a dismissal of another value ends.
    pub(crate) fn receive(
        &mut self,
        connection: &Connection,
        check: &str,
        judged: &JudgedWrite,
        now: Timestamp,
    ) -> Result<Reception, StoreError> {
        if self.dismissed.is_empty() && self.unmonitored.is_empty() {
            return Ok(Reception::Open);
        }
        let key = (check.to_owned(), judged.row.clone());
        let mut returned = None;
        if let Some((id, dismissed)) = self.dismissed.get(&key) {
            if dismissed.is(judged) {
                return Ok(Reception::Dismissed(String::new()));
            }
            returned = Some(format!("The value changed: it was {}.", dismissed.current));
            end_by_itself(connection, *id, DecisionEnd::ValueChanged, now, now)?;
            self.dismissed.remove(&key);
        }
        if let Some(told) = self.unmonitored.get(check) {
            return Ok(Reception::Dismissed(told.clone()));
        }
        Ok(returned.map_or(Reception::Open, Reception::Returned))
    }

    /// A finding has ended, and with it what was decided of it.
    pub(crate) fn finding_ended(
        &mut self,
        connection: &Connection,
        check: &str,
        row: &RowKey,
        why: DecisionEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self.dismissed.remove(&(check.to_owned(), row.clone())) {
            Some((id, _)) => end_by_itself(connection, id, why, now, now),
            None => Ok(()),
        }
    }
}

fn not_monitored(until: Option<Until>) -> String {
    until.map_or_else(|| "Not monitored.".to_owned(), |until| format!("Not monitored until {}.", until.day))
}

/// Adds a decision. One of the same kind on the same thing that was in force is replaced.
fn insert(
    connection: &Connection,
    instance: i64,
    about: (&str, Option<&RowKey>, DecisionKind),
    named: (&str, &str),
    value: &impl Serialize,
    grounds: &Grounds,
    now: Timestamp,
) -> Result<DecisionId, StoreError> {
    let (check, row, kind) = about;
    connection
        .prepare_cached(
            "UPDATE decision SET ended_at = ?5, ended_why = 'replaced'
             WHERE instance = ?1 AND check_id = ?2 AND row_key IS ?3 AND kind = ?4 AND ended_at IS NULL",
        )?
        .execute(params![instance, check, row.map(|row| &row.0), kind.as_str(), column::time(now)])?;
    connection
        .prepare_cached(
            "INSERT INTO decision (instance, check_id, row_key, kind, title, label, value, reason, approver, who, at, until, until_day)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            instance,
            check,
            row.map(|row| &row.0),
            kind.as_str(),
            named.0,
            named.1,
            column::json(value)?,
            grounds.reason,
            grounds.approver,
            grounds.who,
            column::time(now),
            grounds.until.map(|until| column::time(until.at)),
            grounds.until.map(|until| until.day.to_string()),
        ])?;
    Ok(DecisionId(connection.last_insert_rowid()))
}

/// Writes the end of a decision that has none.
fn end(connection: &Connection, id: DecisionId, why: DecisionEnd, at: Timestamp) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE decision SET ended_at = ?2, ended_why = ?3 WHERE id = ?1 AND ended_at IS NULL")?.execute(params![
        id.0,
        column::time(at),
        why.as_str()
    ])?;
    Ok(())
}

/// The same, with the act that tells it.
fn end_by_itself(connection: &Connection, id: DecisionId, why: DecisionEnd, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let decision = get(connection, id)?;
    end(connection, id, why, at)?;
    let of = instance::get(connection, decision.instance)?;
    let about = if decision.label.is_empty() { decision.title.clone() } else { format!("{}, {}", decision.title, decision.label) };
    let act = Act::new(now, CONSOLE, decision.kind.ended(), format!("{}, {}: {about}", of.app, of.name))
        .on(decision.instance)
        .from_to(told(&decision), why.words());
    activity::insert(connection, &act)
}

fn told(decision: &Decision) -> String {
    decision.grounds.until.map_or_else(|| "in force".to_owned(), |until| format!("until {}", until.day))
}

/// Dismisses a finding as it stands.
pub(crate) fn dismiss(
    connection: &Connection,
    id: FindingId,
    grounds: &Grounds,
    now: Timestamp,
) -> Result<Result<(Finding, DecisionId), DismissRefusal>, StoreError> {
    let finding = match finding::one(connection, id) {
        Ok(finding) => finding,
        Err(StoreError::NotFound { .. }) => return Ok(Err(DismissRefusal::NotFound)),
        Err(error) => return Err(error),
    };
    match finding.state {
        FindingState::Fixed | FindingState::Gone => return Ok(Err(DismissRefusal::Ended)),
        FindingState::Dismissed if finding.held_by.is_some_and(|by| by.kind == DecisionKind::Unmonitor) => {
            return Ok(Err(DismissRefusal::NotMonitored));
        }
        FindingState::Open | FindingState::Dismissed => {}
    }
    if finding.attested {
        return Ok(Err(DismissRefusal::Attested));
    }
    let instance = instance::number(connection, finding.instance)?;
    let scan: i64 = connection.query_row("SELECT scan FROM finding WHERE id = ?1", [id.0], |row| row.get(0))?;
    let read = verdict::of_row(connection, scan, &finding.check, &finding.row)?.map(|stored| stored.evidence).unwrap_or_default();
    let value = Dismissed { current: finding.current.clone(), read };
    let about = (finding.check.as_str(), Some(&finding.row), DecisionKind::Dismiss);
    let decision = insert(connection, instance, about, (&finding.title, &finding.label), &value, grounds, now)?;
    let told = match grounds.until {
        Some(until) => format!("Until {}: {}", until.day, grounds.reason),
        None => grounds.reason.clone(),
    };
    connection.prepare_cached("UPDATE finding SET state = ?2 WHERE id = ?1")?.execute(params![id.0, FindingState::Dismissed.number()])?;
    event::record(connection, id.0, EventKind::Dismissed, column::time(now), NO_SCAN, &told)?;
    Ok(Ok((finding, decision)))
}

/// Stores a decision that is no dismissal; the parameters of an instance follow an override.
pub(crate) fn decide(connection: &Connection, write: &DecisionWrite, now: Timestamp) -> Result<DecisionId, StoreError> {
    let instance = instance::number(connection, write.instance)?;
    let about = (write.check.as_str(), write.row.as_ref(), write.ruling.kind());
    let named = (write.title.as_str(), write.label.as_str());
    let grounds = &write.grounds;
    match &write.ruling {
        Ruling::Override(params) => {
            let before = in_force(connection, instance, &write.check, None, DecisionKind::Override)?;
            let mut all = before.map(|before| before.overridden()).unwrap_or_default();
            all.extend(params.clone());
            let id = insert(connection, instance, about, named, &all, grounds, now)?;
            set_params(connection, write.instance, &write.check, |of_check| of_check.extend(all))?;
            Ok(id)
        }
        // Another lock would make a change that was found look mended.
        Ruling::Lock(_) if in_force(connection, instance, &write.check, write.row.as_ref(), DecisionKind::Lock)?.is_some() => {
            Err(StoreError::AlreadyLocked)
        }
        Ruling::Lock(lock) => insert(connection, instance, about, named, lock, grounds, now),
        Ruling::Unmonitor => {
            let id = insert(connection, instance, about, named, &Value::Null, grounds, now)?;
            align(connection, instance, now, "", &format!("{} {}", not_monitored(grounds.until), grounds.reason))?;
            Ok(id)
        }
        Ruling::Ignore => insert(connection, instance, about, named, &Value::Null, grounds, now),
    }
}

/// Takes a decision back. Undoing an override gives the catalog's defaults again, undoing a lock ends its finding.
pub(crate) fn undo(connection: &Connection, id: DecisionId, now: Timestamp) -> Result<Decision, StoreError> {
    let decision = get(connection, id)?;
    if decision.ended.is_some() {
        return Err(StoreError::DecisionEnded);
    }
    end(connection, id, DecisionEnd::Undone, now)?;
    let instance = instance::number(connection, decision.instance)?;
    match decision.kind {
        DecisionKind::Dismiss => align(connection, instance, now, "The dismissal was undone.", "")?,
        DecisionKind::Unmonitor => align(connection, instance, now, "It is monitored again.", "")?,
        DecisionKind::Override => {
            let overridden = decision.overridden();
            set_params(connection, decision.instance, &decision.check, |of_check| {
                of_check.retain(|name, value| overridden.get(name) != Some(value));
            })?;
        }
        DecisionKind::Lock => {
            let row = decision.row.clone().unwrap_or_default();
            finding::unlocked(connection, instance, &lock_of(&decision.check), &row, now)?;
            // What was decided of the lock's finding ends with it.
            for of_lock in of_instance(connection, instance)? {
                let same = of_lock.check == lock_of(&decision.check) && of_lock.row.as_ref() == Some(&row);
                if same && of_lock.kind == DecisionKind::Dismiss {
                    end_by_itself(connection, of_lock.id, DecisionEnd::Gone, now, now)?;
                }
            }
        }
        DecisionKind::Ignore => {}
    }
    Ok(decision)
}

/// Whether [`expire`] has something to do.
pub(crate) fn any_expired(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM decision WHERE ended_at IS NULL AND until <= ?1 LIMIT 1")?.exists([column::time(now)])?)
}

/// Ends the decisions whose time is over; what they held back is open again. Gives how many.
pub(crate) fn expire(connection: &Connection, now: Timestamp) -> Result<u32, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, instance, until FROM decision WHERE ended_at IS NULL AND until <= ?1 ORDER BY until, id")?;
    let over: Vec<(i64, i64, i64)> =
        statement.query_map([column::time(now)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    let mut instances = BTreeSet::new();
    for (id, instance, until) in &over {
        end_by_itself(connection, DecisionId(*id), DecisionEnd::Expired, column::read_time(*until)?, now)?;
        instances.insert(*instance);
    }
    for instance in instances {
        align(connection, instance, now, "Its time is over.", "")?;
        note_open(connection, instance)?;
    }
    Ok(u32::try_from(over.len()).unwrap_or(u32::MAX))
}

/// What is attested of a check takes the place of a dismissal of its finding.
pub(crate) fn attested(connection: &Connection, instance: i64, check: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(dismissal) = in_force(connection, instance, check, Some(&RowKey::default()), DecisionKind::Dismiss)? else { return Ok(()) };
    end_by_itself(connection, dismissal.id, DecisionEnd::Replaced, now, now)?;
    align(connection, instance, now, "It was attested.", "")
}

/// Overrides that an instance's parameters no longer follow, because somebody set them by hand, are replaced by that.
pub(crate) fn follow_params(connection: &Connection, instance: &Instance, now: Timestamp) -> Result<(), StoreError> {
    let number = instance::number(connection, instance.id)?;
    for decision in of_instance(connection, number)?.into_iter().filter(|decision| decision.kind == DecisionKind::Override) {
        let of_check = instance.params.get(&decision.check);
        let followed = decision.overridden().iter().all(|(name, value)| of_check.and_then(|of_check| of_check.get(name)) == Some(value));
        if !followed {
            end_by_itself(connection, decision.id, DecisionEnd::Replaced, now, now)?;
        }
    }
    Ok(())
}

fn set_params(
    connection: &Connection,
    id: InstanceId,
    check: &str,
    change: impl FnOnce(&mut BTreeMap<String, ParamValue>),
) -> Result<(), StoreError> {
    let mut instance = instance::get(connection, id)?;
    let of_check = instance.params.entry(check.to_owned()).or_default();
    change(of_check);
    if of_check.is_empty() {
        instance.params.remove(check);
    }
    instance::update(connection, &instance)
}

/// The condition that a decision in force holds a finding back.
const HELD: &str = "EXISTS (SELECT 1 FROM decision WHERE decision.instance = finding.instance AND decision.check_id = finding.check_id
    AND decision.ended_at IS NULL
    AND (decision.kind = 'unmonitor' OR (decision.kind = 'dismiss' AND decision.row_key = finding.row_key)))";

/// Brings the findings of an instance in line with the decisions in force.
fn align(connection: &Connection, instance: i64, now: Timestamp, returned: &str, dismissed: &str) -> Result<(), StoreError> {
    let change = |from: FindingState, to: FindingState, held: &str, kind: EventKind, detail: &str| -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(&format!(
            "UPDATE finding SET state = ?3 WHERE instance = ?1 AND state = ?2 AND verdict <> ?4 AND {held} {HELD} RETURNING id"
        ))?;
        let bound = params![instance, from.number(), to.number(), finding::ATTESTED];
        let changed: Vec<i64> = statement.query_map(bound, |row| row.get(0))?.collect::<Result<_, _>>()?;
        changed.into_iter().try_for_each(|id| event::record(connection, id, kind, column::time(now), NO_SCAN, detail))
    };
    change(FindingState::Dismissed, FindingState::Open, "NOT", EventKind::Returned, returned)?;
    change(FindingState::Open, FindingState::Dismissed, "", EventKind::Dismissed, dismissed)
}

/// Notes at the last complete scan what is open now, for the trend.
pub(crate) fn note_open(connection: &Connection, instance: i64) -> Result<(), StoreError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(id) FROM scan WHERE instance = ?1 AND state = 'complete'")?
        .query_row([instance], |row| row.get(0))?;
    last.map_or(Ok(()), |last| scan::note_open(connection, last, &finding::open_of(connection, instance)?))
}

const COLUMNS: &str = "decision.id, instance.id, check_id, row_key, kind, title, decision.label, value, reason, approver, who, at, until,
    until_day, ended_at, ended_why";

fn read(row: &Row<'_>) -> Result<Decision, StoreError> {
    let text = |index| row.get::<_, String>(index);
    let ended = match row.get::<_, Option<String>>(15)? {
        Some(why) => Some((column::read_time(row.get(14)?)?, DecisionEnd::read(&why)?)),
        None => None,
    };
    Ok(Decision {
        id: DecisionId(row.get(0)?),
        instance: instance::read_id(&text(1)?)?,
        check: text(2)?,
        row: row.get::<_, Option<String>>(3)?.map(RowKey),
        kind: DecisionKind::read(&text(4)?)?,
        title: text(5)?,
        label: text(6)?,
        value: column::read_json(&text(7)?, "decision")?,
        grounds: Grounds { reason: text(8)?, approver: text(9)?, who: text(10)?, until: read_until(row.get(12)?, row.get(13)?)? },
        at: column::read_time(row.get(11)?)?,
        ended,
    })
}

fn read_until(at: Option<i64>, day: Option<String>) -> Result<Option<Until>, StoreError> {
    let (Some(at), Some(day)) = (at, day) else { return Ok(None) };
    let day = day.parse().map_err(|_| StoreError::Unreadable { what: "decision" })?;
    Ok(Some(Until { day, at: column::read_time(at)? }))
}

/// The decision that holds a finding back, from the columns that a list of findings joins: id, kind, until, its day.
pub(crate) fn read_held_by(row: &Row<'_>, first: usize) -> Result<Option<HeldBy>, StoreError> {
    let Some(id) = row.get::<_, Option<i64>>(first)? else { return Ok(None) };
    let kind: String = row.get(first + 1)?;
    let until = read_until(row.get(first + 2)?, row.get(first + 3)?)?;
    Ok(Some(HeldBy { id: DecisionId(id), kind: DecisionKind::read(&kind)?, until }))
}

pub(crate) fn get(connection: &Connection, id: DecisionId) -> Result<Decision, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM decision JOIN instance ON no = instance WHERE decision.id = ?1"))?;
    let mut found = statement.query_and_then([id.0], read)?;
    found.next().ok_or(StoreError::NotFound { what: "decision" })?
}

fn of_instance(connection: &Connection, instance: i64) -> Result<Vec<Decision>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM decision JOIN instance ON no = instance WHERE decision.instance = ?1 AND ended_at IS NULL ORDER BY decision.id"
    ))?;
    statement.query_and_then([instance], read)?.collect()
}

fn in_force(
    connection: &Connection,
    instance: i64,
    check: &str,
    row: Option<&RowKey>,
    kind: DecisionKind,
) -> Result<Option<Decision>, StoreError> {
    let found: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM decision WHERE instance = ?1 AND check_id = ?2 AND row_key IS ?3 AND kind = ?4 AND ended_at IS NULL",
        )?
        .query_row(params![instance, check, row.map(|row| &row.0), kind.as_str()], |row| row.get(0))
        .optional()?;
    found.map(|id| get(connection, DecisionId(id))).transpose()
}

/// Decisions, newest first, and how many there are.
pub(crate) fn page(connection: &Connection, filter: &DecisionFilter, slice: Slice) -> Result<(u64, Vec<Decision>), StoreError> {
    let number = filter.instance.map(|id| instance::number(connection, id)).transpose()?;
    // The words are ours and hold no quote.
    let kinds = filter.kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect::<Vec<_>>().join(", ");
    let kinds = if kinds.is_empty() { String::new() } else { format!(" AND kind IN ({kinds})") };
    let ended = match filter.in_force {
        None => "",
        Some(true) => " AND ended_at IS NULL",
        Some(false) => " AND ended_at IS NOT NULL",
    };
    let condition = format!("(?1 IS NULL OR decision.instance = ?1){kinds}{ended}");
    let total =
        connection.prepare_cached(&format!("SELECT count(*) FROM decision WHERE {condition}"))?.query_row([number], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM decision JOIN instance ON no = instance WHERE {condition} ORDER BY decision.id DESC LIMIT ?2 OFFSET ?3"
    ))?;
    let decisions = statement
        .query_and_then(params![number, column::number(slice.limit), column::number(slice.offset)], read)?
        .collect::<Result<_, StoreError>>()?;
    Ok((column::count(total), decisions))
}

/// What a judging within a decision's transaction rests on.
#[derive(Debug, Clone, Copy)]
pub struct Rejudged<'a> {
    /// The scan that was judged: the instance's last complete one.
    pub scan: ScanId,
    /// The parameters of the instance that it was judged with.
    pub params: &'a BTreeMap<String, BTreeMap<String, ParamValue>>,
    /// What each check came to.
    pub checks: &'a [crate::CheckWrite],
}
