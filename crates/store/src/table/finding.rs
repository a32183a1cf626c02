//! `finding`: what failed, since when, and what became of it.
//!
//! The law: a finding is *fixed* only by a Pass of the same row on a Complete dataset, and *gone* only when the row is absent
//! from a Complete dataset or, there, the check no longer applies to it or, of a check that only observes, gives no verdict on
//! it. Everything else leaves it open, not re-checked. A finding of a manual check is governed by what was attested of it
//! instead: see `attestation`. One that is dismissed is fixed or gone in the same way, and else open again: see `decision`.

use super::{
    attestation, change, decision,
    decision::{Heeded, Reception},
    event, instance, verdict,
};
use crate::{
    Attestation, DecisionEnd, EventKind, FindingEvent, HeldBy, InstanceId, ScanId, Slice, StoreError, StoredRow, VerdictKind, VerdictTally,
    column, lock,
};
use catalog::{Cause, CauseKind, CheckKind, Completeness, Feature, RowKey, Severity, Verdict};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Rows, params, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    num::ParseIntError,
    str::FromStr,
};

/// What identifies a finding; it stays the same when the finding is reopened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingId(pub i64);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for FindingId {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The verdict of a finding that a person attested, as it lies in its column.
pub(crate) const ATTESTED: &str = r#"{"verdict":"manual"}"#;

/// State of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingState {
    /// It failed when it was last judged, or was attested as not met.
    Open,
    /// The same row passed later, or it was attested as met.
    Fixed,
    /// The row is no longer there, the check no longer applies to it, what was observed on it no longer is, or that is attested.
    Gone,
    /// It failed when it was last judged, and a decision in force holds it back.
    Dismissed,
}

impl FindingState {
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Fixed => 1,
            Self::Gone => 2,
            Self::Dismissed => 3,
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        Ok(match number {
            0 => Self::Open,
            1 => Self::Fixed,
            2 => Self::Gone,
            3 => Self::Dismissed,
            _ => return Err(StoreError::Unreadable { what: "finding" }),
        })
    }
}

/// What one check came to, with what is needed to tell gone from not read.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckWrite {
    /// The check.
    pub check: String,
    /// How it comes to its verdict. One that observes is silent on a row where there is nothing to observe.
    pub kind: CheckKind,
    /// How bad a failure is.
    pub severity: Severity,
    /// The kind of scan it belongs to.
    pub feature: Feature,
    /// The finding as a sentence.
    pub title: String,
    /// How much was read of what it rests on: the least of its inputs.
    pub completeness: Completeness,
    /// The keys of all rows of its dataset or view, judged or not.
    pub seen: BTreeSet<RowKey>,
    /// Its verdicts. One with the empty row key that is NotEvaluated speaks of the whole check.
    pub judged: Vec<JudgedWrite>,
}

/// What a check came to for one row.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedWrite {
    /// The row.
    pub row: RowKey,
    /// What names it.
    pub label: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The current value, as text.
    pub current: String,
    /// What it should be.
    pub recommended: String,
    /// The values that were read: concrete path and value.
    pub evidence: Vec<(String, serde_json::Value)>,
    /// The rows of datasets it rests on: dataset and key.
    pub inputs: Vec<(String, RowKey)>,
}

/// What a scan changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanOutcome {
    /// Findings that are new or open again.
    pub opened: u32,
    /// Findings that were open and failed again.
    pub still_open: u32,
    /// Findings whose row passed.
    pub fixed: u32,
    /// Findings whose row is gone.
    pub gone: u32,
    /// Findings that were open and could not be judged.
    pub not_rechecked: u32,
    /// All verdicts.
    pub verdicts: VerdictTally,
}

/// An open finding that the last scan could not judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRechecked {
    /// When it was last judged.
    pub since: Timestamp,
    /// Why it was not.
    pub cause: Cause,
}

/// A finding as a row of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What identifies it.
    pub id: FindingId,
    /// Its instance.
    pub instance: InstanceId,
    /// The instance's name.
    pub instance_name: String,
    /// The application.
    pub app: String,
    /// Whether the instance is simulated.
    pub sandbox: bool,
    /// The check.
    pub check: String,
    /// The row it was found on.
    pub row: RowKey,
    /// What names the row; empty for the tenant itself.
    pub label: String,
    /// The finding as a sentence.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// The kind of scan it belongs to.
    pub feature: Feature,
    /// How it stands.
    pub state: FindingState,
    /// When it was first found.
    pub first_seen: Timestamp,
    /// When it was last found.
    pub last_seen: Timestamp,
    /// When it was fixed or gone.
    pub ended_at: Option<Timestamp>,
    /// Set while it is open and the last scan could not judge it.
    pub not_rechecked: Option<NotRechecked>,
    /// The current value when it was last judged.
    pub current: String,
    /// What it should be.
    pub recommended: String,
    /// Whether a person attested what it says; it was not scanned.
    pub attested: bool,
    /// The decision that holds it back, while it is dismissed.
    pub held_by: Option<HeldBy>,
}

/// A finding with everything behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingDetail {
    /// Its row.
    pub finding: Finding,
    /// The last verdict that was reached for its row: the failure, or what ended it.
    pub verdict: Verdict,
    /// The scan of that verdict.
    pub scan: ScanId,
    /// The values that the verdict was read from: concrete path and value.
    pub read: Vec<(String, serde_json::Value)>,
    /// The rows it rests on, with the requests that gave them. Empty once that scan was pruned.
    pub evidence: Vec<StoredRow>,
    /// What happened to it, newest first.
    pub history: Vec<FindingEvent>,
    /// Of an attested one, the last attestation of its check that was not withdrawn.
    pub attestation: Option<Attestation>,
}

/// Whether simulated instances are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SandboxScope {
    /// Real ones only.
    #[default]
    Without,
    /// Simulated ones only.
    Only,
    /// Both.
    With,
}

impl SandboxScope {
    /// The condition on a column that holds an instance's number.
    pub(crate) fn condition(self, column: &str) -> String {
        match self {
            Self::Without => format!("{column} IN (SELECT no FROM instance WHERE sandbox = 0)"),
            Self::Only => format!("{column} IN (SELECT no FROM instance WHERE sandbox = 1)"),
            Self::With => "1".to_owned(),
        }
    }
}

/// Which findings are asked for. Empty lists and texts do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Instances.
    pub instances: Vec<InstanceId>,
    /// Application slugs.
    pub apps: Vec<String>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// States.
    pub states: Vec<FindingState>,
    /// Checks.
    pub checks: Vec<String>,
    /// Kinds of scan.
    pub features: Vec<Feature>,
    /// A part of title, label, check or instance name, literally. ASCII letters are compared without case; from three characters
    /// on those of other alphabets are too, except in names of instances.
    pub text: String,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
    /// Only open findings that the last scan could not judge.
    pub not_rechecked: bool,
    /// Owners of instances; the empty text is an instance without one.
    pub owners: Vec<String>,
    /// Only those first found at this time or later.
    pub found_from: Option<Timestamp>,
    /// Only those first found before this time.
    pub found_before: Option<Timestamp>,
    /// How they stood at this time, as their history tells it, in place of how they stand now; those that were not known then are
    /// left out. Title and severity are those that the checks have now.
    pub at: Option<Timestamp>,
}

/// The order of findings. What is equal is ordered by title, label and id, so that every order is total.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FindingSort {
    #[default]
    Severity,
    Title,
    Label,
    Instance,
    FirstSeen,
    LastSeen,
}

/// A part of the findings asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingList {
    /// How many fulfil the filter.
    pub total: u64,
    /// By severity, of those that fulfil the filter.
    pub counts: SeverityTally,
    /// The rows asked for.
    pub rows: Vec<Finding>,
}

/// How many of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SeverityTally {
    pub critical: u32,
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    pub info: u32,
}

impl SeverityTally {
    /// All of them.
    pub fn total(&self) -> u32 {
        self.critical + self.high + self.medium + self.low + self.info
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            critical: self.critical + other.critical,
            high: self.high + other.high,
            medium: self.medium + other.medium,
            low: self.low + other.low,
            info: self.info + other.info,
        }
    }

    pub(crate) fn set(&mut self, severity: Severity, number: u32) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        } = number;
    }

    /// From rows of severity and count.
    pub(crate) fn read(rows: &mut Rows<'_>) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        while let Some(row) = rows.next()? {
            tally.set(column::read_severity(row.get(0)?)?, column::small_count(row.get(1)?));
        }
        Ok(tally)
    }
}

/// A finding as it was before the scan.
struct Known {
    id: i64,
    /// Neither fixed nor gone.
    open: bool,
    /// Open, but held back.
    dismissed: bool,
    scan: i64,
    not_rechecked: bool,
    attested: bool,
}

/// What becomes of an open finding that did not fail again.
enum Fate<'a> {
    Fixed(&'a JudgedWrite),
    DoesNotApply(&'a JudgedWrite, &'a str),
    RowGone,
    NoLongerObserved,
    NotRechecked(Cause),
}

/// Brings the findings of an instance in line with what a scan came to.
pub(crate) fn apply(
    connection: &Connection,
    instance: i64,
    scan: ScanId,
    checks: &[CheckWrite],
    as_of: Timestamp,
    now: Timestamp,
) -> Result<ScanOutcome, StoreError> {
    let mut writer = Writer::new(connection, instance, scan, as_of, now)?;
    let mut known = known(connection, instance)?;
    for check in checks {
        let mut of_check = known.remove(&check.check).unwrap_or_default();
        if check.kind == CheckKind::Manual {
            // What a person attested, only a person ends; that an earlier catalog's scan could not judge it holds no longer.
            for before in of_check.values().filter(|before| before.attested && before.open && before.not_rechecked) {
                attestation::rechecked_while_in_force(connection, before.id, now)?;
            }
            of_check.retain(|_, before| !before.attested);
        }
        let worst = worst_by_row(&check.judged);
        for judged in worst.values() {
            let before = of_check.remove(&judged.row);
            match VerdictKind::from(&judged.verdict) {
                VerdictKind::Fail | VerdictKind::Observed => writer.fails(check, judged, before)?,
                VerdictKind::Pass | VerdictKind::NotApplicable | VerdictKind::NotEvaluated | VerdictKind::Manual => {
                    if let Some(before) = before.filter(|before| before.open) {
                        writer.ends(&check.check, &judged.row, &before, fate_of_judged(check, judged))?;
                    }
                }
            }
        }
        let whole = worst.get(&RowKey::default());
        for (row, before) in of_check.into_iter().filter(|(_, before)| before.open) {
            writer.ends(&check.check, &row, &before, fate_of_missing(check, &row, whole.copied()))?;
        }
    }
    for (check, rows) in known {
        // What a person attested holds as long as the attestation does, whatever the catalog asks.
        for (row, before) in rows.into_iter().filter(|(_, before)| before.open && !before.attested) {
            writer.ends(&check, &row, &before, Fate::NotRechecked(cause("The catalog no longer has this check.", "")))?;
        }
    }
    Ok(writer.outcome)
}

/// Leaves every open finding of an instance open, not re-checked: its scan failed before anything was judged. What a person
/// attested no scan would have re-checked.
pub(crate) fn none_rechecked(
    connection: &Connection,
    instance: i64,
    scan: ScanId,
    cause: &Cause,
    now: Timestamp,
) -> Result<(), StoreError> {
    let now = column::time(now);
    let rows = known(connection, instance)?.into_values().flat_map(BTreeMap::into_values);
    let mut rows = rows.filter(|before| before.open && !before.attested);
    rows.try_for_each(|before| not_rechecked(connection, before.id, scan, cause, now))
}

/// Ends the finding of a lock that was taken back.
pub(crate) fn unlocked(connection: &Connection, instance: i64, check: &str, row: &RowKey, now: Timestamp) -> Result<(), StoreError> {
    let ended: Option<i64> = connection
        .prepare_cached(
            "UPDATE finding SET state = ?4, ended_at = ?5, not_rechecked_since = NULL, not_rechecked_cause = NULL
             WHERE instance = ?1 AND check_id = ?2 AND row_key = ?3 AND state IN (?6, ?7) RETURNING id",
        )?
        .query_row(
            params![
                instance,
                check,
                row.0,
                FindingState::Gone.number(),
                column::time(now),
                FindingState::Open.number(),
                FindingState::Dismissed.number()
            ],
            |row| row.get(0),
        )
        .optional()?;
    ended.map_or(Ok(()), |id| event::record(connection, id, EventKind::Gone, column::time(now), attestation::NO_SCAN, "It was unlocked."))
}

/// Findings of an instance by check and row.
fn known(connection: &Connection, instance: i64) -> Result<HashMap<String, BTreeMap<RowKey, Known>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT check_id, row_key, id, state, scan, not_rechecked_since IS NOT NULL, verdict = ?2 FROM finding WHERE instance = ?1",
    )?;
    let mut rows = statement.query(params![instance, ATTESTED])?;
    let mut known: HashMap<String, BTreeMap<RowKey, Known>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let state = FindingState::read(row.get(3)?)?;
        let dismissed = state == FindingState::Dismissed;
        let finding = Known {
            id: row.get(2)?,
            open: dismissed || state == FindingState::Open,
            dismissed,
            scan: row.get(4)?,
            not_rechecked: row.get(5)?,
            attested: row.get(6)?,
        };
        known.entry(row.get(0)?).or_default().insert(RowKey(row.get(1)?), finding);
    }
    Ok(known)
}

/// One verdict per row: of several for one key, the worst, so that a vendor's repetition cannot cover a failure.
pub(crate) fn worst_by_row(judged: &[JudgedWrite]) -> BTreeMap<&RowKey, &JudgedWrite> {
    let mut worst: BTreeMap<&RowKey, &JudgedWrite> = BTreeMap::new();
    for judged in judged {
        let held = worst.entry(&judged.row).or_insert(judged);
        if VerdictKind::from(&judged.verdict) < VerdictKind::from(&held.verdict) {
            *held = judged;
        }
    }
    worst
}

/// Of a row that was judged and did not fail. That a row passes or is exempt is believed only of what was read whole.
fn fate_of_judged<'a>(check: &CheckWrite, judged: &'a JudgedWrite) -> Fate<'a> {
    match (&judged.verdict, check.completeness.cause()) {
        (Verdict::NotEvaluated { cause }, _) => Fate::NotRechecked(cause.clone()),
        (Verdict::Pass | Verdict::NotApplicable { .. }, Some(cause)) => Fate::NotRechecked(cause.clone()),
        (Verdict::Pass, None) => Fate::Fixed(judged),
        (Verdict::NotApplicable { reason }, None) => Fate::DoesNotApply(judged, reason),
        // Failures are dealt with before; they leave a finding open in any case.
        (Verdict::Manual | Verdict::Fail | Verdict::Observed, _) => {
            Fate::NotRechecked(cause("This is attested by a person and was not read.", "Attest it again."))
        }
    }
}

/// Of a row that no verdict speaks of.
fn fate_of_missing<'a>(check: &CheckWrite, row: &RowKey, whole: Option<&JudgedWrite>) -> Fate<'a> {
    if let Some(cause) = check.completeness.cause() {
        return Fate::NotRechecked(cause.clone());
    }
    match whole.map(|whole| &whole.verdict) {
        // The check as a whole could not be judged: which rows there are is not known either.
        Some(Verdict::NotEvaluated { cause }) => return Fate::NotRechecked(cause.clone()),
        Some(Verdict::Manual) => return Fate::NotRechecked(cause("This is attested by a person and was not read.", "Attest it again.")),
        Some(Verdict::Pass | Verdict::Fail | Verdict::NotApplicable { .. } | Verdict::Observed) | None => {}
    }
    if check.seen.contains(row) {
        // A row that could not be judged has a verdict that says so: silence means that there was nothing to observe.
        if check.kind == CheckKind::Observed {
            return Fate::NoLongerObserved;
        }
        return Fate::NotRechecked(cause("The row was read and the check gave no verdict on it.", ""));
    }
    Fate::RowGone
}

fn cause(sentence: &str, remedy: &str) -> Cause {
    Cause { kind: CauseKind::InputIncomplete, sentence: sentence.to_owned(), remedy: remedy.to_owned() }
}

/// Writes what a scan does to findings, and counts it.
struct Writer<'a> {
    connection: &'a Connection,
    instance: i64,
    scan: ScanId,
    as_of: i64,
    now: i64,
    at: Timestamp,
    heeded: Heeded,
    outcome: ScanOutcome,
}

impl<'a> Writer<'a> {
    fn new(connection: &'a Connection, instance: i64, scan: ScanId, as_of: Timestamp, now: Timestamp) -> Result<Self, StoreError> {
        let heeded = Heeded::of(connection, instance)?;
        let (as_of, outcome) = (column::time(as_of), ScanOutcome::default());
        Ok(Self { connection, instance, scan, as_of, now: column::time(now), at: now, heeded, outcome })
    }

    fn fails(&mut self, check: &CheckWrite, judged: &JudgedWrite, before: Option<Known>) -> Result<(), StoreError> {
        let verdict = column::json(&judged.verdict)?;
        let received = self.heeded.receive(self.connection, &check.check, judged, self.at)?;
        let state = match received {
            Reception::Open | Reception::Returned(_) => FindingState::Open,
            Reception::Dismissed(_) => FindingState::Dismissed,
        };
        let id: i64 = self
            .connection
            .prepare_cached(
                "INSERT INTO finding (instance, check_id, row_key, label, title, severity, feature, state, first_seen, last_seen,
                    checked_at, scan, verdict, current, recommended)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?13, ?8, ?8, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT (instance, check_id, row_key) DO UPDATE SET
                    label = excluded.label, title = excluded.title, severity = excluded.severity, feature = excluded.feature,
                    state = excluded.state, last_seen = max(last_seen, excluded.last_seen), ended_at = NULL, checked_at = max(checked_at, excluded.checked_at),
                    scan = excluded.scan, verdict = excluded.verdict, current = excluded.current, recommended = excluded.recommended,
                    not_rechecked_since = NULL, not_rechecked_cause = NULL
                 RETURNING id",
            )?
            .query_row(
                params![
                    self.instance,
                    check.check,
                    judged.row.0,
                    judged.label,
                    check.title,
                    column::severity(check.severity),
                    column::feature(check.feature),
                    self.as_of,
                    self.scan.0,
                    verdict,
                    judged.current,
                    judged.recommended,
                    state.number(),
                ],
                |row| row.get(0),
            )?;
        let kind = match before {
            None => EventKind::Opened,
            Some(before) if !before.open => EventKind::Reopened,
            Some(before) if before.dismissed && state == FindingState::Open => {
                self.outcome.opened += 1;
                event::record(self.connection, id, EventKind::StillOpen, self.now, self.scan, &judged.current)?;
                let why = if let Reception::Returned(why) = received { why } else { String::new() };
                return event::record(self.connection, id, EventKind::Returned, self.now, self.scan, &why);
            }
            Some(before) => {
                self.outcome.still_open += u32::from(state == FindingState::Open);
                // Judging the same scan again is no new observation.
                if before.scan == self.scan.0 && !before.not_rechecked {
                    return Ok(());
                }
                return event::record(self.connection, id, EventKind::StillOpen, self.now, self.scan, &judged.current);
            }
        };
        event::record(self.connection, id, kind, self.now, self.scan, &judged.current)?;
        match received {
            Reception::Dismissed(why) => event::record(self.connection, id, EventKind::Dismissed, self.now, attestation::NO_SCAN, &why),
            Reception::Open | Reception::Returned(_) => {
                self.outcome.opened += 1;
                Ok(())
            }
        }
    }

    fn ends(&mut self, check: &str, row: &RowKey, before: &Known, fate: Fate<'_>) -> Result<(), StoreError> {
        let ended = match &fate {
            Fate::Fixed(_) => Some(DecisionEnd::Fixed),
            Fate::DoesNotApply(..) | Fate::RowGone | Fate::NoLongerObserved => Some(DecisionEnd::Gone),
            Fate::NotRechecked(_) => None,
        };
        if let Some(why) = ended {
            self.heeded.finding_ended(self.connection, check, row, why, self.at)?;
        }
        match fate {
            Fate::Fixed(judged) => {
                self.outcome.fixed += 1;
                self.close(before, FindingState::Fixed, Some(judged))?;
                event::record(self.connection, before.id, EventKind::Fixed, self.now, self.scan, &judged.current)
            }
            Fate::DoesNotApply(judged, reason) => {
                self.outcome.gone += 1;
                self.close(before, FindingState::Gone, Some(judged))?;
                event::record(self.connection, before.id, EventKind::Gone, self.now, self.scan, reason)
            }
            Fate::RowGone => {
                self.outcome.gone += 1;
                self.close(before, FindingState::Gone, None)?;
                event::record(self.connection, before.id, EventKind::Gone, self.now, self.scan, "It is no longer there.")
            }
            Fate::NoLongerObserved => {
                self.outcome.gone += 1;
                self.close(before, FindingState::Gone, None)?;
                event::record(self.connection, before.id, EventKind::Gone, self.now, self.scan, "It is no longer observed.")
            }
            Fate::NotRechecked(cause) => {
                self.outcome.not_rechecked += u32::from(!before.dismissed);
                not_rechecked(self.connection, before.id, self.scan, &cause, self.now)
            }
        }
    }

    /// The last verdict is that of the row, if it has one; a row that is gone keeps the one it had.
    fn close(&self, before: &Known, state: FindingState, judged: Option<&JudgedWrite>) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "UPDATE finding SET state = ?2, ended_at = ?3, checked_at = max(checked_at, ?4), not_rechecked_since = NULL, not_rechecked_cause = NULL
                 WHERE id = ?1",
            )?
            .execute(params![before.id, state.number(), self.now, self.as_of])?;
        if let Some(judged) = judged {
            self.connection
                .prepare_cached("UPDATE finding SET scan = ?2, verdict = ?3, current = ?4, recommended = ?5 WHERE id = ?1")?
                .execute(params![before.id, self.scan.0, column::json(&judged.verdict)?, judged.current, judged.recommended])?;
        }
        Ok(())
    }
}

/// Marks an open finding as not re-checked since it was last judged.
pub(crate) fn not_rechecked(connection: &Connection, finding: i64, scan: ScanId, cause: &Cause, now: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE finding SET not_rechecked_since = coalesce(not_rechecked_since, checked_at), not_rechecked_cause = ?2 WHERE id = ?1",
        )?
        .execute(params![finding, column::json(cause)?])?;
    event::record(connection, finding, EventKind::NotRechecked, now, scan, &cause.sentence)
}

/// Open findings of one instance.
pub(crate) fn open_of(connection: &Connection, instance: i64) -> Result<SeverityTally, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT severity, count(*) FROM finding WHERE instance = ?1 AND state = 0 GROUP BY severity")?;
    SeverityTally::read(&mut statement.query([instance])?)
}

/// Open findings by instance.
pub(crate) fn open_by_instance(connection: &Connection, scope: SandboxScope) -> Result<BTreeMap<InstanceId, SeverityTally>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT instance.id, severity, count(*) FROM finding JOIN instance ON no = instance WHERE state = 0 AND {} GROUP BY instance.id, severity",
        scope.condition("finding.instance")
    ))?;
    let mut rows = statement.query([])?;
    let mut open: BTreeMap<InstanceId, SeverityTally> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        open.entry(instance::read_id(&id)?).or_default().set(column::read_severity(row.get(1)?)?, column::small_count(row.get(2)?));
    }
    Ok(open)
}

/// Findings of an instance that are open or dismissed, by check: that a risk is accepted mends nothing.
pub(crate) fn open_by_check(connection: &Connection, instance: i64) -> Result<BTreeMap<String, u32>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT check_id, count(*) FROM finding WHERE instance = ?1 AND state IN (0, 3) GROUP BY check_id")?;
    let mut rows = statement.query([instance])?;
    let mut open = BTreeMap::new();
    while let Some(row) = rows.next()? {
        open.insert(row.get(0)?, column::small_count(row.get(1)?));
    }
    Ok(open)
}

/// Fewest characters that the index of texts can look for.
const TRIGRAM: usize = 3;

/// A filter as SQL.
pub(crate) struct Condition {
    /// It holds or not for a row of `finding`; its places begin with 1.
    pub(crate) text: String,
    /// What its places hold.
    pub(crate) bound: Vec<Value>,
}

impl Condition {
    pub(crate) fn of(filter: &FindingFilter) -> Self {
        let mut condition = Self { text: filter.sandbox.condition("finding.instance"), bound: Vec::new() };
        match filter.at {
            None => {
                condition.among("state", filter.states.iter().map(|state| Value::from(state.number())));
                if filter.not_rechecked {
                    condition.text.push_str(" AND state = 0 AND not_rechecked_since IS NOT NULL");
                }
            }
            Some(at) => {
                let moment = condition.place(Value::from(column::time(at)));
                condition.text.push_str(&format!(" AND {}", change::was_among(&filter.states, &moment)));
                if filter.not_rechecked {
                    condition.text.push_str(&format!(" AND {}", change::was_not_rechecked(&moment)));
                }
            }
        }
        condition.among("severity", filter.severities.iter().map(|severity| Value::from(column::severity(*severity))));
        condition.among("feature", filter.features.iter().map(|feature| Value::from(column::feature(*feature).to_owned())));
        condition.among("check_id", filter.checks.iter().cloned().map(Value::from));
        match filter.instances.as_slice() {
            // Equality, and not one of a list, lets the index give the order as well.
            [id] => {
                condition.bound.push(Value::from(id.to_string()));
                condition
                    .text
                    .push_str(&format!(" AND finding.instance = (SELECT no FROM instance WHERE id = ?{})", condition.bound.len()));
            }
            ids => condition.among_instances("id", ids.iter().map(|id| Value::from(id.to_string()))),
        }
        condition.among_instances("app", filter.apps.iter().cloned().map(Value::from));
        condition.among_instances("owner", filter.owners.iter().cloned().map(Value::from));
        if let Some(from) = filter.found_from {
            let from = condition.place(Value::from(column::time(from)));
            condition.text.push_str(&format!(" AND first_seen >= {from}"));
        }
        if let Some(before) = filter.found_before {
            let before = condition.place(Value::from(column::time(before)));
            condition.text.push_str(&format!(" AND first_seen < {before}"));
        }
        condition.with_text(&filter.text);
        condition
    }

    /// Names of instances are few and looked through; the texts of findings have an index of every three characters in a row, which
    /// cannot answer for fewer.
    fn with_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = self.place(Value::from(format!("%{literal}%")));
        let like = |column: &str| format!("{column} LIKE {pattern} ESCAPE '\\'");
        let in_texts = if text.chars().count() < TRIGRAM || text.contains('\0') {
            format!("{} OR {} OR {}", like("finding.title"), like("finding.label"), like("check_id"))
        } else {
            // One string of the index's own query language: in it nothing but the quote means anything.
            let phrase = self.place(Value::from(format!("\"{}\"", text.replace('"', "\"\""))));
            format!("finding.id IN (SELECT rowid FROM finding_text WHERE finding_text MATCH {phrase})")
        };
        self.text.push_str(&format!(" AND ({in_texts} OR finding.instance IN (SELECT no FROM instance WHERE {}))", like("name")));
    }

    /// Binds a value and gives its place.
    fn place(&mut self, value: Value) -> String {
        self.bound.push(value);
        format!("?{}", self.bound.len())
    }

    fn among(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        if let Some(places) = self.places(values) {
            self.text.push_str(&format!(" AND {column} IN ({places})"));
        }
    }

    fn among_instances(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        if let Some(places) = self.places(values) {
            self.text.push_str(&format!(" AND finding.instance IN (SELECT no FROM instance WHERE {column} IN ({places}))"));
        }
    }

    fn places(&mut self, values: impl Iterator<Item = Value>) -> Option<String> {
        let before = self.bound.len();
        self.bound.extend(values);
        let places: Vec<String> = (before + 1..=self.bound.len()).map(|place| format!("?{place}")).collect();
        (!places.is_empty()).then(|| places.join(", "))
    }
}

impl FindingSort {
    /// The order where another table with such columns stands beside.
    fn order_of_finding(self, descending: bool) -> String {
        self.order(descending).replace("title", "finding.title")
    }

    fn order(self, descending: bool) -> String {
        let column = match self {
            Self::Severity => "severity",
            Self::Title => "title",
            Self::Label => "finding.label",
            Self::Instance => "(SELECT name FROM instance WHERE no = finding.instance)",
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
        };
        format!("{column} {}, title, finding.label, finding.id", if descending { "DESC" } else { "ASC" })
    }
}

const COLUMNS: &str =
    "finding.id, instance.id, instance.name, app, sandbox, finding.check_id, finding.row_key, finding.label, finding.title, severity, feature, state,
    first_seen, last_seen, finding.ended_at, not_rechecked_since, not_rechecked_cause, current, recommended, verdict, held.id, held.kind,
    held.until, held.until_day";

/// A finding with its instance and, while it is dismissed, the decision that holds it back: its own before that on its check.
const TABLES: &str = "finding JOIN instance ON no = finding.instance LEFT JOIN decision AS held ON finding.state = 3 AND held.id = (
        SELECT id FROM decision WHERE decision.instance = finding.instance AND decision.check_id = finding.check_id
            AND decision.ended_at IS NULL
            AND (decision.kind = 'unmonitor' OR (decision.kind = 'dismiss' AND decision.row_key = finding.row_key))
        ORDER BY decision.kind LIMIT 1
    )";

fn read(row: &Row<'_>) -> Result<Finding, StoreError> {
    let text = |index| row.get::<_, String>(index);
    let cause: Option<Cause> = column::read_json_if(row.get(16)?, "finding")?;
    let since = column::read_time_if(row.get(15)?)?;
    Ok(Finding {
        id: FindingId(row.get(0)?),
        instance: instance::read_id(&text(1)?)?,
        instance_name: text(2)?,
        app: text(3)?,
        sandbox: row.get(4)?,
        check: text(5)?,
        row: RowKey(text(6)?),
        label: text(7)?,
        title: text(8)?,
        severity: column::read_severity(row.get(9)?)?,
        feature: column::read_feature(&text(10)?)?,
        state: FindingState::read(row.get(11)?)?,
        first_seen: column::read_time(row.get(12)?)?,
        last_seen: column::read_time(row.get(13)?)?,
        ended_at: column::read_time_if(row.get(14)?)?,
        not_rechecked: since.zip(cause).map(|(since, cause)| NotRechecked { since, cause }),
        current: text(17)?,
        recommended: text(18)?,
        attested: text(19)? == ATTESTED,
        held_by: decision::read_held_by(row, 20)?,
    })
}

pub(crate) fn list(
    connection: &Connection,
    filter: &FindingFilter,
    sort: FindingSort,
    descending: bool,
    slice: Slice,
) -> Result<FindingList, StoreError> {
    let Condition { text, bound } = Condition::of(filter);
    let mut counting = connection.prepare_cached(&format!("SELECT severity, count(*) FROM finding WHERE {text} GROUP BY severity"))?;
    let counts = SeverityTally::read(&mut counting.query(params_from_iter(&bound))?)?;
    // Which rows is decided on the index alone; only those are then read whole.
    let mut listing = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES}
         WHERE finding.id IN (SELECT id FROM finding WHERE {text} ORDER BY {order} LIMIT {limit} OFFSET {offset})
         ORDER BY {by}",
        by = sort.order_of_finding(descending),
        order = sort.order(descending),
        limit = column::number(slice.limit),
        offset = column::number(slice.offset),
    ))?;
    let mut rows = listing.query_and_then(params_from_iter(&bound), read)?.collect::<Result<Vec<_>, StoreError>>()?;
    if let Some(at) = filter.at {
        rows = rows.into_iter().map(|finding| Ok(as_it_was(connection, finding, at)?.0)).collect::<Result<_, StoreError>>()?;
    }
    Ok(FindingList { total: counts.total().into(), counts, rows })
}

/// One finding as a row of a list.
pub(crate) fn one(connection: &Connection, id: FindingId) -> Result<Finding, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE finding.id = ?1"))?;
    let mut found = statement.query_and_then([id.0], read)?;
    found.next().ok_or(StoreError::NotFound { what: "finding" })?
}

/// A finding as its history tells that it stood at a moment, and when the last thing up to then happened to it. What only the
/// present knows, its values, stays as it is; it is not part of how a finding stood.
pub(crate) fn as_it_was(connection: &Connection, mut finding: Finding, at: Timestamp) -> Result<(Finding, Timestamp), StoreError> {
    let lines = event::history(connection, finding.id.0)?;
    // A line that goes on after the moment speaks of it by its beginning alone: when it was last repeated before is not kept.
    let known = |line: &FindingEvent| if line.until <= at { line.until } else { line.at };
    let up_to = || lines.iter().filter(|line| line.at <= at);
    let Some(last) = up_to().next() else { return Ok((finding, at)) };
    if let Some((line, state)) = up_to().find_map(|line| line.kind.leaves().map(|state| (line, state))) {
        finding.ended_at = matches!(state, FindingState::Fixed | FindingState::Gone).then_some(line.at);
        finding.state = state;
    }
    let failed = up_to().find(|line| matches!(line.kind, EventKind::Opened | EventKind::StillOpen | EventKind::Reopened));
    if let Some(failed) = failed {
        finding.last_seen = known(failed);
    }
    let judged = up_to().find(|line| line.kind.judges());
    finding.not_rechecked = judged.filter(|line| line.kind == EventKind::NotRechecked).map(|line| NotRechecked {
        since: failed.map_or(finding.first_seen, known),
        cause: cause(if line.until <= at { line.detail.as_str() } else { "It could not be judged then." }, ""),
    });
    // Nobody attests a lock; unlocking it, too, is no scan's doing.
    finding.attested = judged.is_some_and(|line| line.scan == attestation::NO_SCAN) && lock::locked_check(&finding.check).is_none();
    if finding.state != FindingState::Dismissed {
        finding.held_by = None;
    }
    Ok((finding, last.at))
}

pub(crate) fn detail(connection: &Connection, id: FindingId) -> Result<FindingDetail, StoreError> {
    let finding = one(connection, id)?;
    let (scan, text): (i64, String) = connection
        .query_row("SELECT scan, verdict FROM finding WHERE id = ?1", [id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(StoreError::NotFound { what: "finding" })?;
    let stored = verdict::of_row(connection, scan, &finding.check, &finding.row)?;
    let mut evidence = Vec::new();
    for (dataset, key) in stored.iter().flat_map(|stored| &stored.inputs) {
        evidence.extend(super::row::of_key(connection, scan, dataset, key)?);
    }
    Ok(FindingDetail {
        verdict: column::read_json(&text, "verdict")?,
        scan: ScanId(scan),
        read: stored.map(|stored| stored.evidence).unwrap_or_default(),
        evidence,
        history: event::history(connection, id.0)?,
        attestation: match finding.attested {
            true => attestation::last(connection, instance::number(connection, finding.instance)?, &finding.check)?,
            false => None,
        },
        finding,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    /// The column is compared as text.
    #[test]
    fn the_attested_verdict_is_spelled_as_it_is_stored() {
        assert_eq!(super::column::json(&catalog::Verdict::Manual).unwrap(), super::ATTESTED);
    }
}
