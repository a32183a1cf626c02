//! `verdict`: what each check came to for each row of a scan.

use crate::{CheckWrite, Slice, StoreError, column};
use catalog::{Cause, RowKey, Verdict};
use rusqlite::{Connection, Row, params};

/// The kinds of [`Verdict`], for counting; worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum VerdictKind {
    Fail,
    Observed,
    NotEvaluated,
    Manual,
    Pass,
    NotApplicable,
}

impl From<&Verdict> for VerdictKind {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::NotApplicable { .. } => Self::NotApplicable,
            Verdict::NotEvaluated { .. } => Self::NotEvaluated,
            Verdict::Manual => Self::Manual,
            Verdict::Observed => Self::Observed,
        }
    }
}

/// Verdicts by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct VerdictTally {
    pub pass: u32,
    pub fail: u32,
    pub not_applicable: u32,
    pub not_evaluated: u32,
    pub manual: u32,
    pub observed: u32,
}

/// What a check came to over all its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckTally {
    /// The check.
    pub check: String,
    /// Its rows.
    pub counts: VerdictTally,
    /// The first cause of not being evaluated, if there is one.
    pub cause: Option<Cause>,
    /// The first reason of not applying, if there is one.
    pub reason: Option<String>,
}

/// A verdict as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVerdict {
    /// The check.
    pub check: String,
    /// The row; empty for an object and for what could not be judged row by row.
    pub row: RowKey,
    /// What names the row.
    pub label: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The current value, as text.
    pub current: String,
    /// What it should be.
    pub recommended: String,
    /// The values that were read: concrete path and value.
    pub evidence: Vec<(String, serde_json::Value)>,
    /// The rows of datasets it rests on.
    pub inputs: Vec<(String, RowKey)>,
}

impl VerdictKind {
    fn number(self) -> i64 {
        match self {
            Self::Fail => 0,
            Self::Observed => 1,
            Self::NotEvaluated => 2,
            Self::Manual => 3,
            Self::Pass => 4,
            Self::NotApplicable => 5,
        }
    }
}

impl VerdictTally {
    pub(crate) fn add(&mut self, kind: VerdictKind, number: u32) {
        let count = match kind {
            VerdictKind::Fail => &mut self.fail,
            VerdictKind::Observed => &mut self.observed,
            VerdictKind::NotEvaluated => &mut self.not_evaluated,
            VerdictKind::Manual => &mut self.manual,
            VerdictKind::Pass => &mut self.pass,
            VerdictKind::NotApplicable => &mut self.not_applicable,
        };
        *count += number;
    }
}

/// Stores the verdicts of a scan in place of those it had.
pub(crate) fn replace(connection: &Connection, scan: i64, checks: &[CheckWrite]) -> Result<VerdictTally, StoreError> {
    connection.execute("DELETE FROM verdict WHERE scan = ?1", [scan])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO verdict (scan, check_id, row_key, label, kind, verdict, current, recommended, read, inputs)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut tally = VerdictTally::default();
    for check in checks {
        for judged in &check.judged {
            let kind = VerdictKind::from(&judged.verdict);
            tally.add(kind, 1);
            insert.execute(params![
                scan,
                check.check,
                judged.row.0,
                judged.label,
                kind.number(),
                column::json(&judged.verdict)?,
                judged.current,
                judged.recommended,
                column::json(&judged.evidence)?,
                column::json(&judged.inputs)?,
            ])?;
        }
    }
    Ok(tally)
}

pub(crate) fn tallies(connection: &Connection, scan: i64) -> Result<Vec<CheckTally>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT check_id, kind, count(*), (
            SELECT first.verdict FROM verdict AS first
            WHERE first.scan = ?1 AND first.check_id = verdict.check_id AND first.kind = verdict.kind ORDER BY first.row_key, first.id LIMIT 1
         ) FROM verdict WHERE scan = ?1 GROUP BY check_id, kind ORDER BY check_id",
    )?;
    let mut tallies: Vec<CheckTally> = Vec::new();
    let mut rows = statement.query([scan])?;
    while let Some(row) = rows.next()? {
        let check: String = row.get(0)?;
        if tallies.last().is_none_or(|tally| tally.check != check) {
            tallies.push(CheckTally { check, counts: VerdictTally::default(), cause: None, reason: None });
        }
        let text: String = row.get(3)?;
        let verdict: Verdict = column::read_json(&text, "verdict")?;
        if let Some(tally) = tallies.last_mut() {
            tally.counts.add(VerdictKind::from(&verdict), column::small_count(row.get(2)?));
            match verdict {
                Verdict::NotEvaluated { cause } => tally.cause = Some(cause),
                Verdict::NotApplicable { reason } => tally.reason = Some(reason),
                Verdict::Pass | Verdict::Fail | Verdict::Manual | Verdict::Observed => {}
            }
        }
    }
    Ok(tallies)
}

const COLUMNS: &str = "check_id, row_key, label, verdict, current, recommended, read, inputs";

fn read(row: &Row<'_>) -> Result<StoredVerdict, StoreError> {
    let text = |index| row.get::<_, String>(index);
    Ok(StoredVerdict {
        check: text(0)?,
        row: RowKey(text(1)?),
        label: text(2)?,
        verdict: column::read_json(&text(3)?, "verdict")?,
        current: text(4)?,
        recommended: text(5)?,
        evidence: column::read_json(&text(6)?, "verdict")?,
        inputs: column::read_json(&text(7)?, "verdict")?,
    })
}

pub(crate) fn page(connection: &Connection, scan: i64, check: Option<&str>, slice: Slice) -> Result<(u64, Vec<StoredVerdict>), StoreError> {
    let total = connection.query_row(
        "SELECT count(*) FROM verdict WHERE scan = ?1 AND (?2 IS NULL OR check_id = ?2)",
        params![scan, check],
        |row| row.get(0),
    )?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM verdict WHERE scan = ?1 AND (?2 IS NULL OR check_id = ?2) ORDER BY check_id, row_key, id LIMIT ?3 OFFSET ?4"
    ))?;
    let verdicts = statement
        .query_and_then(params![scan, check, column::number(slice.limit), column::number(slice.offset)], read)?
        .collect::<Result<_, StoreError>>()?;
    Ok((column::count(total), verdicts))
}

/// The worst verdict of a row, if the scan still holds it.
pub(crate) fn of_row(connection: &Connection, scan: i64, check: &str, row: &RowKey) -> Result<Option<StoredVerdict>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM verdict WHERE scan = ?1 AND check_id = ?2 AND row_key = ?3 ORDER BY kind, id LIMIT 1"
    ))?;
    let mut found = statement.query_and_then(params![scan, check, row.0], read)?;
    found.next().transpose()
}
