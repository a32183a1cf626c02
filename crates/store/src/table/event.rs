//! `finding_event`: what happened to each finding. Runs of the same thing are kept as one line with its first and last time.

use super::attestation::NO_SCAN;
use crate::{FindingState, SandboxScope, ScanId, SeverityTally, StoreError, column};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// What can happen to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It failed for the first time.
    Opened,
    /// It failed again while open.
    StillOpen,
    /// It failed again after it was fixed or gone.
    Reopened,
    /// Its row passed.
    Fixed,
    /// Its row is no longer there, or the check no longer applies to it.
    Gone,
    /// It is open and could not be judged.
    NotRechecked,
    /// A decision holds it back.
    Dismissed,
    /// No decision holds it back any more.
    Returned,
}

/// One line of a finding's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEvent {
    /// What happened.
    pub kind: EventKind,
    /// When it happened first.
    pub at: Timestamp,
    /// When it happened last in an unbroken run; equal to `at` for what happens once.
    pub until: Timestamp,
    /// How often in that run.
    pub times: u32,
    /// The scan of the last time.
    pub scan: ScanId,
    /// The current value, or why it was not judged, or why it is gone.
    pub detail: String,
}

impl EventKind {
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Opened => 0,
            Self::StillOpen => 1,
            Self::Reopened => 2,
            Self::Fixed => 3,
            Self::Gone => 4,
            Self::NotRechecked => 5,
            Self::Dismissed => 6,
            Self::Returned => 7,
        }
    }

    /// Every kind.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(|number| Self::read(number).ok())
    }

    /// The state that it leaves a finding in; `None` for what leaves it as it was, open or dismissed.
    pub(crate) fn leaves(self) -> Option<FindingState> {
        match self {
            Self::Opened | Self::Reopened | Self::Returned => Some(FindingState::Open),
            Self::StillOpen | Self::NotRechecked => None,
            Self::Fixed => Some(FindingState::Fixed),
            Self::Gone => Some(FindingState::Gone),
            Self::Dismissed => Some(FindingState::Dismissed),
        }
    }

    /// Whether it tells what judging or attesting came to, and not what was decided.
    pub(crate) fn judges(self) -> bool {
        match self {
            Self::Opened | Self::StillOpen | Self::Reopened | Self::Fixed | Self::Gone | Self::NotRechecked => true,
            Self::Dismissed | Self::Returned => false,
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        Ok(match number {
            0 => Self::Opened,
            1 => Self::StillOpen,
            2 => Self::Reopened,
            3 => Self::Fixed,
            4 => Self::Gone,
            5 => Self::NotRechecked,
            6 => Self::Dismissed,
            7 => Self::Returned,
            _ => return Err(StoreError::Unreadable { what: "history" }),
        })
    }

    /// Whether it is kept as one line while scans repeat it; a hundred thousand findings that stay open for a year would
    /// otherwise outgrow everything else. What persons attest is never merged: each has its own note.
    fn runs(self) -> bool {
        match self {
            Self::StillOpen | Self::NotRechecked => true,
            Self::Opened | Self::Reopened | Self::Fixed | Self::Gone | Self::Dismissed | Self::Returned => false,
        }
    }
}

/// Adds to a finding's history.
pub(crate) fn record(
    connection: &Connection,
    finding: i64,
    kind: EventKind,
    now: i64,
    scan: ScanId,
    detail: &str,
) -> Result<(), StoreError> {
    if kind.runs() && scan != NO_SCAN {
        let extended = connection
            .prepare_cached(
                "UPDATE finding_event SET until = ?3, times = times + (scan <> ?4), scan = ?4, detail = ?5
                 WHERE id = (SELECT id FROM finding_event WHERE finding = ?1 ORDER BY id DESC LIMIT 1) AND kind = ?2 AND scan <> 0",
            )?
            .execute(params![finding, kind.number(), now, scan.0, detail])?;
        if extended == 1 {
            return Ok(());
        }
    }
    connection
        .prepare_cached("INSERT INTO finding_event (finding, kind, at, until, scan, detail) VALUES (?1, ?2, ?3, ?3, ?4, ?5)")?
        .execute(params![finding, kind.number(), now, scan.0, detail])?;
    Ok(())
}

/// What happened to a finding, newest first.
pub(crate) fn history(connection: &Connection, finding: i64) -> Result<Vec<FindingEvent>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT kind, at, until, times, scan, detail FROM finding_event WHERE finding = ?1 ORDER BY id DESC")?;
    let events = statement.query_and_then([finding], |row| {
        Ok(FindingEvent {
            kind: EventKind::read(row.get(0)?)?,
            at: column::read_time(row.get(1)?)?,
            until: column::read_time(row.get(2)?)?,
            times: row.get(3)?,
            scan: ScanId(row.get(4)?),
            detail: row.get(5)?,
        })
    })?;
    events.collect()
}

/// Findings that are open and were opened, reopened or no longer dismissed after a time.
pub(crate) fn opened_since(connection: &Connection, after: Timestamp, scope: SandboxScope) -> Result<SeverityTally, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT severity, count(*) FROM finding WHERE state = ?1 AND {} AND EXISTS (
            SELECT 1 FROM finding_event WHERE finding = finding.id AND kind IN (?2, ?3, ?5) AND at > ?4
         ) GROUP BY severity",
        scope.condition("finding.instance")
    ))?;
    let bound = params![
        FindingState::Open.number(),
        EventKind::Opened.number(),
        EventKind::Reopened.number(),
        column::time(after),
        EventKind::Returned.number()
    ];
    SeverityTally::read(&mut statement.query(bound)?)
}
