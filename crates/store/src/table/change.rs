//! What became of findings between two moments, replayed from their history.
//!
//! A finding's state at a moment is that which the last line of its history up to then left it in. Two moments are compared by
//! their states alone: what was fixed and failed again in between is still failing.

use super::finding::{self, Condition};
use crate::{
    EventKind, Finding, FindingFilter, FindingId, FindingState, InstanceId, SandboxScope, SeverityTally, Slice, StoreError, column,
    table::instance,
};
use catalog::Severity;
use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, params_from_iter, types::Value};
use std::collections::BTreeMap;

/// What became of a finding from one moment to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not open and is; also what was dismissed and no longer is.
    NewlyFailing,
    /// It was open and its row passed.
    Fixed,
    /// It was open and is gone.
    Gone,
    /// It was open, is open, and nobody could judge it when that was last tried.
    NotRechecked,
    /// It was open and failed when it was last judged.
    StillFailing,
    /// A decision holds it back that did not before.
    Dismissed,
}

impl ChangeKind {
    const ALL: [Self; 6] = [Self::NewlyFailing, Self::Fixed, Self::Gone, Self::NotRechecked, Self::StillFailing, Self::Dismissed];

    fn number(self) -> i64 {
        match self {
            Self::NewlyFailing => 0,
            Self::Fixed => 1,
            Self::Gone => 2,
            Self::NotRechecked => 3,
            Self::StillFailing => 4,
            Self::Dismissed => 5,
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|kind| kind.number() == number).ok_or(StoreError::Unreadable { what: "history" })
    }
}

/// The two moments between which an instance is looked at; what happened at either belongs to the state at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The instance.
    pub instance: InstanceId,
    /// The earlier moment.
    pub from: Timestamp,
    /// The later one.
    pub to: Timestamp,
}

/// Which changes are asked for. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Kinds.
    pub kinds: Vec<ChangeKind>,
    /// Severities, as the checks have them now.
    pub severities: Vec<Severity>,
}

/// How many findings of an instance came to what, by the severities that their checks have now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ChangeTally {
    pub newly_failing: SeverityTally,
    pub fixed: SeverityTally,
    pub gone: SeverityTally,
    pub not_rechecked: SeverityTally,
    pub still_failing: SeverityTally,
    pub dismissed: SeverityTally,
}

impl ChangeTally {
    /// Of one kind.
    pub fn of(&self, kind: ChangeKind) -> SeverityTally {
        match kind {
            ChangeKind::NewlyFailing => self.newly_failing,
            ChangeKind::Fixed => self.fixed,
            ChangeKind::Gone => self.gone,
            ChangeKind::NotRechecked => self.not_rechecked,
            ChangeKind::StillFailing => self.still_failing,
            ChangeKind::Dismissed => self.dismissed,
        }
    }

    fn of_mut(&mut self, kind: ChangeKind) -> &mut SeverityTally {
        match kind {
            ChangeKind::NewlyFailing => &mut self.newly_failing,
            ChangeKind::Fixed => &mut self.fixed,
            ChangeKind::Gone => &mut self.gone,
            ChangeKind::NotRechecked => &mut self.not_rechecked,
            ChangeKind::StillFailing => &mut self.still_failing,
            ChangeKind::Dismissed => &mut self.dismissed,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        ChangeKind::ALL.into_iter().fold(self, |mut sum, kind| {
            *sum.of_mut(kind) = sum.of(kind).plus(other.of(kind));
            sum
        })
    }
}

/// A finding with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedFinding {
    /// The finding as it was at the later moment.
    pub finding: Finding,
    /// What became of it.
    pub kind: ChangeKind,
    /// When the last thing up to the later moment happened to it: for what fails on in an unbroken run, the run's beginning.
    pub at: Timestamp,
}

/// What became of findings.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeList {
    /// Of each instance, whatever the filter; an instance without any finding is left out.
    pub tallies: BTreeMap<InstanceId, ChangeTally>,
    /// How many fulfil the filter.
    pub total: u64,
    /// The rows asked for: newly failing first, the worst of them first.
    pub rows: Vec<ChangedFinding>,
}

/// The kinds of lines that say how a finding stands, as a list of SQL.
fn kinds(which: impl Fn(FindingState) -> bool) -> String {
    let numbers: Vec<String> =
        EventKind::all().filter(|kind| kind.leaves().is_some_and(&which)).map(|kind| kind.number().to_string()).collect();
    numbers.join(", ")
}

/// The kind of the last line that says how a finding stands, of those up to a moment; NULL before the first. Both are expressions of SQL.
fn kind_at(finding: &str, moment: &str) -> String {
    format!(
        "(SELECT line.kind FROM finding_event AS line WHERE line.finding = {finding} AND line.at <= {moment} AND line.kind IN ({})
            ORDER BY line.id DESC LIMIT 1)",
        kinds(|_| true)
    )
}

/// The condition that a finding was in one of the states at a moment, in any where none is named.
pub(crate) fn was_among(states: &[FindingState], moment: &str) -> String {
    format!("{} IN ({})", kind_at("finding.id", moment), kinds(|state| states.is_empty() || states.contains(&state)))
}

/// Of the lines up to a moment that tell what judging came to, a column of the last; both parts are expressions of SQL.
fn judged_at(column: &str, finding: &str, moment: &str) -> String {
    let judging: Vec<String> = EventKind::all().filter(|kind| kind.judges()).map(|kind| kind.number().to_string()).collect();
    format!(
        "(SELECT line.{column} FROM finding_event AS line WHERE line.finding = {finding} AND line.at <= {moment} AND line.kind IN ({})
            ORDER BY line.id DESC LIMIT 1)",
        judging.join(", ")
    )
}

/// The condition that a finding was open and not re-checked at a moment.
pub(crate) fn was_not_rechecked(moment: &str) -> String {
    format!(
        "{} AND {} = {}",
        was_among(&[FindingState::Open], moment),
        judged_at("kind", "finding.id", moment),
        EventKind::NotRechecked.number()
    )
}

/// What became of the findings of the spans' instances; an instance is in one span at most.
pub(crate) fn list(connection: &Connection, spans: &[Span], filter: &ChangeFilter, slice: Slice) -> Result<ChangeList, StoreError> {
    if spans.is_empty() {
        return Ok(ChangeList { tallies: BTreeMap::new(), total: 0, rows: Vec::new() });
    }
    let mut bound = Vec::with_capacity(spans.len() * 3);
    for span in spans {
        bound.push(Value::from(instance::number(connection, span.instance)?));
        bound.push(Value::from(column::time(span.from)));
        bound.push(Value::from(column::time(span.to)));
    }
    let changed = changed(spans.len());
    let mut counting = connection.prepare(&format!(
        "{changed} SELECT instance.id, change, severity, count(*) FROM changed JOIN instance ON instance.no = changed.instance
         WHERE change IS NOT NULL GROUP BY instance.id, change, severity"
    ))?;
    let (mut tallies, mut total) = (BTreeMap::<InstanceId, ChangeTally>::new(), 0);
    let mut counts = counting.query(params_from_iter(&bound))?;
    while let Some(row) = counts.next()? {
        let id: String = row.get(0)?;
        let (kind, severity, number) = (ChangeKind::read(row.get(1)?)?, column::read_severity(row.get(2)?)?, row.get::<_, i64>(3)?);
        let tally = tallies.entry(instance::read_id(&id)?).or_default();
        tally.of_mut(kind).set(severity, column::small_count(number));
        if (filter.kinds.is_empty() || filter.kinds.contains(&kind))
            && (filter.severities.is_empty() || filter.severities.contains(&severity))
        {
            total += column::count(number);
        }
    }
    let among = |column: &str, numbers: Vec<String>| {
        if numbers.is_empty() { String::new() } else { format!(" AND {column} IN ({})", numbers.join(", ")) }
    };
    let mut listing = connection.prepare(&format!(
        "{changed} SELECT changed.id, change, upto FROM changed JOIN finding ON finding.id = changed.id WHERE change IS NOT NULL{}{}
         ORDER BY change, finding.severity DESC, finding.title, finding.label, finding.id LIMIT {} OFFSET {}",
        among("change", filter.kinds.iter().map(|kind| kind.number().to_string()).collect()),
        among("changed.severity", filter.severities.iter().map(|severity| column::severity(*severity).to_string()).collect()),
        column::number(slice.limit),
        column::number(slice.offset),
    ))?;
    let found = listing.query_and_then(params_from_iter(&bound), |row: &Row<'_>| {
        Ok::<_, StoreError>((row.get::<_, i64>(0)?, ChangeKind::read(row.get(1)?)?, column::read_time(row.get(2)?)?))
    })?;
    let mut rows = Vec::new();
    for found in found {
        let (id, kind, to) = found?;
        let (finding, at) = finding::as_it_was(connection, finding::one(connection, FindingId(id))?, to)?;
        rows.push(ChangedFinding { finding, kind, at });
    }
    Ok(ChangeList { tallies, total, rows })
}

/// A table of all findings of so many spans with what became of each; NULL where it was open at neither moment.
fn changed(spans: usize) -> String {
    let places: Vec<String> = (0..spans).map(|span| format!("(?{}, ?{}, ?{})", span * 3 + 1, span * 3 + 2, span * 3 + 3)).collect();
    let of = |wanted: FindingState| kinds(|state| state == wanted);
    format!(
        "WITH span (instance, since, upto) AS (VALUES {spans}),
        replayed AS MATERIALIZED (
            SELECT found.id AS id, found.instance AS instance, found.severity AS severity, span.upto AS upto, {was} AS was,
                {became} AS became, {judged} = {unjudged} AS unjudged
            FROM span JOIN finding AS found ON found.instance = span.instance
        ),
        changed AS (
            SELECT id, instance, severity, upto, CASE
                WHEN became IN ({open}) THEN CASE
                    WHEN coalesce(was IN ({open}), 0) = 0 THEN {newly_failing} WHEN unjudged THEN {not_rechecked} ELSE {still_failing} END
                WHEN became IN ({held}) THEN CASE WHEN coalesce(was IN ({held}), 0) = 0 THEN {dismissed} END
                WHEN coalesce(was IN ({open}, {held}), 0) = 0 THEN NULL
                WHEN became IN ({mended}) THEN {fixed}
                WHEN became IN ({went}) THEN {gone}
            END AS change FROM replayed
        )",
        spans = places.join(", "),
        was = kind_at("found.id", "span.since"),
        became = kind_at("found.id", "span.upto"),
        judged = judged_at("kind", "found.id", "span.upto"),
        unjudged = EventKind::NotRechecked.number(),
        open = of(FindingState::Open),
        held = of(FindingState::Dismissed),
        mended = of(FindingState::Fixed),
        went = of(FindingState::Gone),
        newly_failing = ChangeKind::NewlyFailing.number(),
        not_rechecked = ChangeKind::NotRechecked.number(),
        still_failing = ChangeKind::StillFailing.number(),
        dismissed = ChangeKind::Dismissed.number(),
        fixed = ChangeKind::Fixed.number(),
        gone = ChangeKind::Gone.number(),
    )
}

/// When the first scan of each instance was committed; one without a complete scan is left out.
pub(crate) fn known_since(connection: &Connection, scope: SandboxScope) -> Result<BTreeMap<InstanceId, Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT instance.id, min(finished_at) FROM scan JOIN instance ON no = scan.instance
         WHERE state = 'complete' AND finished_at IS NOT NULL AND {} GROUP BY instance.id",
        scope.condition("scan.instance")
    ))?;
    let found = statement.query_and_then([], |row| {
        let id: String = row.get(0)?;
        Ok((instance::read_id(&id)?, column::read_time(row.get(1)?)?))
    })?;
    found.collect()
}

/// Findings that were open or dismissed at a moment by check, without those that a person attested.
pub(crate) fn scanned_open_by_check(
    connection: &Connection,
    instance: InstanceId,
    at: Timestamp,
) -> Result<Vec<(String, Severity, u32)>, StoreError> {
    let filter = FindingFilter {
        instances: vec![instance],
        states: vec![FindingState::Open, FindingState::Dismissed],
        sandbox: SandboxScope::With,
        at: Some(at),
        ..FindingFilter::default()
    };
    let Condition { text, mut bound } = Condition::of(&filter);
    bound.push(Value::from(column::time(at)));
    let place = bound.len();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT check_id, severity, count(*) FROM finding WHERE {text}
            AND 0 <> {}
         GROUP BY check_id, severity",
        judged_at("scan", "finding.id", &format!("?{place}"))
    ))?;
    let places: Vec<&dyn ToSql> = bound.iter().map(|value| value as &dyn ToSql).collect();
    let found = statement.query_and_then(places.as_slice(), |row| {
        Ok((row.get(0)?, column::read_severity(row.get(1)?)?, column::small_count(row.get(2)?)))
    })?;
    found.collect()
}
