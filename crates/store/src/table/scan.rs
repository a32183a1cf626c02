//! `scan`: each reading of an instance and how it ended.

use super::{dataset, instance};
use crate::{DatasetState, FindingState, InstanceId, ParentState, SandboxScope, SeverityTally, StoreError, column};
use catalog::{Cause, CauseKind};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, num::ParseIntError, str::FromStr};

/// What identifies a scan; later scans have larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScanId(pub i64);

impl fmt::Display for ScanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ScanId {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// How a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScanState {
    /// Some process is at it.
    Running,
    /// It was read, judged and committed.
    Complete,
    /// Its process ended without a word.
    Cut,
    /// It was given up on request.
    Cancelled,
    /// It could not go on.
    Failed,
}

impl ScanState {
    /// `running`, `complete`, `cut`, `cancelled`, `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Cut => "cut",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// What began a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartedBy {
    /// Somebody asked for it.
    Person,
    /// It was due.
    Schedule,
}

impl StartedBy {
    /// `person`, `schedule`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Schedule => "schedule",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Ok(match word {
            "person" => Self::Person,
            "schedule" => Self::Schedule,
            _ => return Err(StoreError::Unreadable { what: "scan" }),
        })
    }
}

/// A scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// What identifies it.
    pub id: ScanId,
    /// Its instance.
    pub instance: InstanceId,
    /// How it stands.
    pub state: ScanState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The time that its rows speak of and its checks are judged by.
    pub as_of: Timestamp,
    /// Why it did not complete.
    pub cause: Option<Cause>,
    /// Requests made.
    pub requests: u32,
    /// Rows held.
    pub rows: u64,
    /// What began it.
    pub started_by: StartedBy,
    /// Whether its rows and verdicts were removed, because newer scans replaced them.
    pub dropped: bool,
}

/// A scan that ended early and holds something to go on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumable {
    /// The scan.
    pub scan: ScanId,
    /// When it began.
    pub started_at: Timestamp,
    /// Rows that need not be read again.
    pub rows: u64,
    /// How it ended.
    pub state: ScanState,
    /// What began it.
    pub started_by: StartedBy,
}

/// Everything that is needed to go on with a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct ResumeState {
    /// The scan, running again.
    pub scan: ScanId,
    /// When it began.
    pub started_at: Timestamp,
    /// The time that its rows speak of.
    pub as_of: Timestamp,
    /// Its datasets.
    pub datasets: Vec<DatasetState>,
    /// Where each reading stands, done or not, in the order in which they were queued.
    pub parents: Vec<ParentState>,
}

/// One day of the trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendDay {
    /// The day.
    pub day: Date,
    /// Open findings after the day's last complete scan; `None` on days without one.
    pub open: Option<SeverityTally>,
}

impl ScanState {
    fn read(word: &str) -> Result<Self, StoreError> {
        Ok(match word {
            "running" => Self::Running,
            "complete" => Self::Complete,
            "cut" => Self::Cut,
            "cancelled" => Self::Cancelled,
            "failed" => Self::Failed,
            _ => return Err(StoreError::Unreadable { what: "scan" }),
        })
    }
}

/// Begins a scan. The caller holds the instance's lease, so that a scan that still says it is running is not.
pub(crate) fn begin(
    connection: &Connection,
    instance: InstanceId,
    started_by: StartedBy,
    now: Timestamp,
    datasets: &[&str],
) -> Result<ScanId, StoreError> {
    let number = instance::number(connection, instance)?;
    let mut unfinished =
        connection.prepare_cached("SELECT id, state FROM scan WHERE instance = ?1 AND state <> 'complete' AND dropped = 0")?;
    let unfinished: Vec<(i64, String)> = unfinished.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (scan, state) in unfinished {
        if ScanState::read(&state)? == ScanState::Running {
            cut(connection, scan, now)?;
        }
        drop_content(connection, scan)?;
    }
    let at = column::time(now);
    connection.execute(
        "INSERT INTO scan (instance, state, started_at, as_of, started_by) VALUES (?1, 'running', ?2, ?2, ?3)",
        params![number, at, started_by.as_str()],
    )?;
    let scan = connection.last_insert_rowid();
    for dataset in datasets {
        dataset::declare(connection, scan, dataset)?;
    }
    Ok(ScanId(scan))
}

/// Marks a running scan as cut.
pub(crate) fn cut(connection: &Connection, scan: i64, now: Timestamp) -> Result<bool, StoreError> {
    let cause = Cause {
        kind: CauseKind::Cancelled,
        sentence: "The program ended while the scan was running.".into(),
        remedy: "Resume the scan or start it again.".into(),
    };
    end(connection, scan, ScanState::Cut, Some(&cause), now)
}

/// Ends a running scan early; says whether it was running.
pub(crate) fn end(connection: &Connection, scan: i64, state: ScanState, cause: Option<&Cause>, now: Timestamp) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE scan SET state = ?2, cause = ?3, finished_at = ?4 WHERE id = ?1 AND state = 'running'",
        params![scan, state.as_str(), cause.map(column::json).transpose()?, column::time(now)],
    )?;
    Ok(changed == 1)
}

/// Makes a running scan the last complete one.
pub(crate) fn complete(connection: &Connection, scan: i64, as_of: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE scan SET state = 'complete', cause = NULL, as_of = ?2, finished_at = ?3 WHERE id = ?1",
        params![scan, column::time(as_of), column::time(now)],
    )?;
    Ok(())
}

/// Notes how many findings of the scan's instance are open, for the trend.
pub(crate) fn note_open(connection: &Connection, scan: i64, open: &SeverityTally) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE scan SET open_critical = ?2, open_high = ?3, open_medium = ?4, open_low = ?5, open_info = ?6 WHERE id = ?1",
        params![scan, open.critical, open.high, open.medium, open.low, open.info],
    )?;
    Ok(())
}

/// Takes an unfinished scan up again. The caller holds the instance's lease.
pub(crate) fn resume(connection: &Connection, scan: ScanId) -> Result<ResumeState, StoreError> {
    let found = get(connection, scan)?;
    let newest: bool = connection.query_row(
        "SELECT dropped = 0 AND NOT EXISTS (SELECT 1 FROM scan AS later WHERE later.instance = scan.instance AND later.id > scan.id)
         FROM scan WHERE id = ?1",
        [scan.0],
        |row| row.get(0),
    )?;
    if found.state == ScanState::Complete {
        return Err(StoreError::WrongState { actual: "complete" });
    }
    if !newest {
        return Err(StoreError::WrongState { actual: "superseded by a later one" });
    }
    connection.execute("UPDATE scan SET state = 'running', cause = NULL, finished_at = NULL WHERE id = ?1", [scan.0])?;
    // What could not be read whole may be readable now: it is asked for again, from its beginning.
    for state in dataset::all(connection, scan.0)? {
        if state.completeness.is_some_and(|completeness| !completeness.is_complete()) {
            dataset::begin_anew(connection, scan.0, &state.dataset)?;
        }
    }
    Ok(ResumeState {
        scan,
        started_at: found.started_at,
        as_of: found.as_of,
        datasets: dataset::all(connection, scan.0)?,
        parents: dataset::parents(connection, scan.0)?,
    })
}

pub(crate) fn resumable(connection: &Connection, instance: InstanceId) -> Result<Option<Resumable>, StoreError> {
    let number = instance::number(connection, instance)?;
    let newest: Option<i64> =
        connection.query_row("SELECT id FROM scan WHERE instance = ?1 ORDER BY id DESC LIMIT 1", [number], |row| row.get(0)).optional()?;
    let Some(newest) = newest else { return Ok(None) };
    let held: bool = connection.query_row(
        "SELECT state IN ('cut', 'cancelled', 'failed') AND dropped = 0
            AND (EXISTS (SELECT 1 FROM scan_parent WHERE scan = ?1 AND (pages > 0 OR done))
                OR EXISTS (SELECT 1 FROM scan_dataset WHERE scan = ?1 AND completeness IS NOT NULL))
         FROM scan WHERE id = ?1",
        [newest],
        |row| row.get(0),
    )?;
    if !held {
        return Ok(None);
    }
    let scan = get(connection, ScanId(newest))?;
    Ok(Some(Resumable { scan: scan.id, started_at: scan.started_at, rows: scan.rows, state: scan.state, started_by: scan.started_by }))
}

/// Every scan that says it is running, with its instance.
pub(crate) fn running(connection: &Connection) -> Result<Vec<(ScanId, InstanceId)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT scan.id, instance.id FROM scan JOIN instance ON no = instance WHERE state = 'running'")?;
    let found = statement.query_and_then([], |row| {
        let id: String = row.get(1)?;
        Ok((ScanId(row.get(0)?), instance::read_id(&id)?))
    })?;
    found.collect()
}

/// Removes what a scan holds; the scan itself stays. Accounts and plugins go with their listings.
pub(crate) fn drop_content(connection: &Connection, scan: i64) -> Result<(), StoreError> {
    for table in ["scan_row", "scan_parent", "scan_dataset", "verdict", "listing"] {
        connection.execute(&format!("DELETE FROM {table} WHERE scan = ?1"), [scan])?;
    }
    connection.execute("UPDATE scan SET dropped = 1 WHERE id = ?1", [scan])?;
    Ok(())
}

/// Empties all but the newest complete scans, except where a finding that is open or dismissed rests on one.
pub(crate) fn prune(connection: &Connection, instance: InstanceId, keep: u32) -> Result<u32, StoreError> {
    let number = instance::number(connection, instance)?;
    // The last complete one is what every screen shows: it always stays.
    let mut statement = connection.prepare_cached(
        "SELECT id FROM scan
         WHERE instance = ?1 AND dropped = 0 AND state = 'complete'
            AND id NOT IN (SELECT id FROM scan WHERE instance = ?1 AND state = 'complete' ORDER BY id DESC LIMIT max(?2, 1))
            AND id NOT IN (SELECT scan FROM finding WHERE instance = ?1 AND state IN (?3, ?4))",
    )?;
    let bound = params![number, keep, FindingState::Open.number(), FindingState::Dismissed.number()];
    let old: Vec<i64> = statement.query_map(bound, |row| row.get(0))?.collect::<Result<_, _>>()?;
    for scan in &old {
        drop_content(connection, *scan)?;
        connection.execute("DELETE FROM request WHERE scan = ?1", [scan])?;
    }
    Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
}

const COLUMNS: &str = "scan.id, instance.id, state, started_at, finished_at, as_of, cause,
    (SELECT count(*) FROM request WHERE request.scan = scan.id),
    (SELECT coalesce(sum(rows), 0) FROM scan_dataset WHERE scan_dataset.scan = scan.id), started_by, dropped";

fn read(row: &Row<'_>) -> Result<Scan, StoreError> {
    let instance: String = row.get(1)?;
    let state: String = row.get(2)?;
    let started_by: String = row.get(9)?;
    Ok(Scan {
        id: ScanId(row.get(0)?),
        instance: instance::read_id(&instance)?,
        state: ScanState::read(&state)?,
        started_at: column::read_time(row.get(3)?)?,
        finished_at: column::read_time_if(row.get(4)?)?,
        as_of: column::read_time(row.get(5)?)?,
        cause: column::read_json_if(row.get(6)?, "scan")?,
        requests: column::small_count(row.get(7)?),
        rows: column::count(row.get(8)?),
        started_by: StartedBy::read(&started_by)?,
        dropped: row.get(10)?,
    })
}

pub(crate) fn get(connection: &Connection, scan: ScanId) -> Result<Scan, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM scan JOIN instance ON no = instance WHERE scan.id = ?1"))?;
    let mut found = statement.query_and_then([scan.0], read)?;
    found.next().ok_or(StoreError::NotFound { what: "scan" })?
}

pub(crate) fn newest(connection: &Connection, instance: InstanceId, limit: u32) -> Result<Vec<Scan>, StoreError> {
    let number = instance::number(connection, instance)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM scan JOIN instance ON no = instance WHERE no = ?1 ORDER BY scan.id DESC LIMIT ?2"
    ))?;
    statement.query_and_then(params![number, limit], read)?.collect()
}

/// The last complete scan that was committed up to a moment.
pub(crate) fn last_complete_at(connection: &Connection, instance: InstanceId, at: Timestamp) -> Result<Option<Scan>, StoreError> {
    let number = instance::number(connection, instance)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM scan JOIN instance ON no = instance WHERE no = ?1 AND state = 'complete' AND finished_at <= ?2
         ORDER BY scan.id DESC LIMIT 1"
    ))?;
    let mut found = statement.query_and_then(params![number, column::time(at)], read)?;
    found.next().transpose()
}

pub(crate) fn last_complete(connection: &Connection, instance: InstanceId) -> Result<Option<Scan>, StoreError> {
    let number = instance::number(connection, instance)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM scan JOIN instance ON no = instance WHERE no = ?1 AND state = 'complete' ORDER BY scan.id DESC LIMIT 1"
    ))?;
    let mut found = statement.query_and_then([number], read)?;
    found.next().transpose()
}

/// Open findings at the end of each day.
pub(crate) fn trend(
    connection: &Connection,
    first: Date,
    last: Date,
    zone: &TimeZone,
    scope: SandboxScope,
) -> Result<Vec<TrendDay>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT instance, finished_at, open_critical, open_high, open_medium, open_low, open_info
         FROM scan WHERE state = 'complete' AND open_info IS NOT NULL AND {} ORDER BY finished_at, id",
        scope.condition("scan.instance")
    ))?;
    let mut scans = statement.query([])?;
    let mut days: BTreeMap<Date, SeverityTally> = BTreeMap::new();
    let mut latest: BTreeMap<i64, SeverityTally> = BTreeMap::new();
    while let Some(row) = scans.next()? {
        let tally = SeverityTally { critical: row.get(2)?, high: row.get(3)?, medium: row.get(4)?, low: row.get(5)?, info: row.get(6)? };
        latest.insert(row.get(0)?, tally);
        let day = column::read_time(row.get(1)?)?.to_zoned(zone.clone()).date();
        days.insert(day, latest.values().copied().fold(SeverityTally::default(), SeverityTally::plus));
    }
    let mut trend = Vec::new();
    let mut day = first;
    while day <= last {
        trend.push(TrendDay { day, open: days.get(&day).copied() });
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    Ok(trend)
}
