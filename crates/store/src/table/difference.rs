//! What differs between the rows of two complete scans of one instance.
//!
//! Evidence is stored once by content, so that an equal number is an unchanged row: one join over the index of keys finds what
//! differs, and only that is read. Absence proves something only in a dataset that was read whole; of any other, what both
//! scans read is compared and nothing else.

use super::{dataset, row, scan};
use crate::{Scan, ScanId, ScanState, Slice, StoreError, StoredRow, column};
use catalog::{Cause, Completeness, RowKey};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::collections::BTreeMap;

/// How a dataset of two scans can be compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Compared {
    /// Both read it whole.
    Whole,
    /// One of them did not, for this cause: only rows that both read are compared, and none counts as added or removed.
    OnBothSides(Cause),
    /// Only the earlier one had it.
    OnlyBefore,
    /// Only the later one has it.
    OnlyAfter,
}

/// What differs in a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetDifference {
    /// The dataset.
    pub dataset: String,
    /// How it can be compared.
    pub compared: Compared,
    /// Keys of which only the later scan has rows, or more of them.
    pub added: u64,
    /// Keys of which only the earlier scan has rows, or more of them.
    pub removed: u64,
    /// Keys whose rows say something else.
    pub changed: u64,
}

/// Two scans side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanDifference {
    /// The earlier one.
    pub before: Scan,
    /// The later one.
    pub after: Scan,
    /// Each dataset that either had, by name; none at all when the rows of one were removed.
    pub datasets: Vec<DatasetDifference>,
}

/// The rows of a key that differ. One without rows before was added, one without rows after was removed.
#[derive(Debug, Clone, PartialEq)]
pub struct RowDifference {
    /// The key.
    pub key: RowKey,
    /// What only the earlier scan has of it; more than one where the vendor gave several.
    pub before: Vec<StoredRow>,
    /// What only the later scan has of it.
    pub after: Vec<StoredRow>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// The names that lead to it, from the outside in.
    pub path: Vec<String>,
    /// What it was; `None` where there was none.
    pub before: Option<Value>,
    /// What it is; `None` where there is none.
    pub after: Option<Value>,
}

impl RowDifference {
    /// The fields that differ where one row became another; nothing where rows were added or removed, or the vendor gave several.
    /// Lists are compared as a whole, for their order may mean something.
    pub fn fields(&self) -> Vec<FieldDifference> {
        let mut found = Vec::new();
        if let ([before], [after]) = (self.before.as_slice(), self.after.as_slice()) {
            fields(&mut Vec::new(), Some(&before.row.fields), Some(&after.row.fields), &mut found);
        }
        found
    }
}

fn fields(path: &mut Vec<String>, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldDifference>) {
    if before == after {
        return;
    }
    let (Some(Value::Object(earlier)), Some(Value::Object(later))) = (before, after) else {
        found.push(FieldDifference { path: path.clone(), before: before.cloned(), after: after.cloned() });
        return;
    };
    let names: BTreeMap<&String, ()> = earlier.keys().chain(later.keys()).map(|name| (name, ())).collect();
    for name in names.into_keys() {
        path.push(name.clone());
        fields(path, earlier.get(name), later.get(name), found);
        path.pop();
    }
}

/// The two scans, if they can be compared.
fn pair(connection: &Connection, before: ScanId, after: ScanId) -> Result<(Scan, Scan), StoreError> {
    let (before, after) = (scan::get(connection, before)?, scan::get(connection, after)?);
    for scan in [&before, &after] {
        if scan.state != ScanState::Complete {
            return Err(StoreError::WrongState { actual: scan.state.as_str() });
        }
    }
    if before.instance == after.instance { Ok((before, after)) } else { Err(StoreError::WrongState { actual: "of another instance" }) }
}

fn compared(before: Option<&Completeness>, after: Option<&Completeness>) -> Compared {
    let why = |read: &Completeness| match read {
        Completeness::Complete => None,
        Completeness::Partial(cause) | Completeness::Unavailable(cause) => Some(cause.clone()),
    };
    match (before, after) {
        (None, _) => Compared::OnlyAfter,
        (_, None) => Compared::OnlyBefore,
        (Some(before), Some(after)) => why(after).or_else(|| why(before)).map_or(Compared::Whole, Compared::OnBothSides),
    }
}

/// The datasets of a scan; a reading that never ended counts as cut.
fn datasets(connection: &Connection, scan: ScanId) -> Result<BTreeMap<String, Completeness>, StoreError> {
    let all = dataset::all(connection, scan.0)?;
    Ok(all.into_iter().map(|state| (state.dataset, state.completeness.unwrap_or_else(|| row::unfinished(state.rows)))).collect())
}

/// What differs between two scans, counted.
pub(crate) fn of_scans(connection: &Connection, before: ScanId, after: ScanId) -> Result<ScanDifference, StoreError> {
    let (before, after) = pair(connection, before, after)?;
    let mut found = Vec::new();
    if !before.dropped && !after.dropped {
        let (earlier, later) = (datasets(connection, before.id)?, datasets(connection, after.id)?);
        let names: BTreeMap<&String, ()> = earlier.keys().chain(later.keys()).map(|name| (name, ())).collect();
        for name in names.into_keys() {
            let compared = compared(earlier.get(name), later.get(name));
            let (added, removed, changed) =
                if may_differ(&compared) { count(connection, &before, &after, name, &compared)? } else { (0, 0, 0) };
            found.push(DatasetDifference { dataset: name.clone(), compared, added, removed, changed });
        }
    }
    Ok(ScanDifference { before, after, datasets: found })
}

fn may_differ(compared: &Compared) -> bool {
    matches!(compared, Compared::Whole | Compared::OnBothSides(_))
}

/// Keys whose rows differ, with how many rows only the one (`lost`) and only the other scan (`won`) has.
fn differing(compared: &Compared) -> String {
    let only = |this: &str, other: &str, lost: u8, won: u8| {
        format!(
            "SELECT key, {lost} AS lost, {won} AS won FROM scan_row AS this WHERE scan = {this} AND dataset = ?3 AND NOT EXISTS (
                SELECT 1 FROM scan_row AS other WHERE other.scan = {other} AND other.dataset = ?3 AND other.key = this.key
                    AND other.evidence = this.evidence AND other.label = this.label)"
        )
    };
    let both = if *compared == Compared::Whole { "" } else { " HAVING sum(lost) > 0 AND sum(won) > 0" };
    format!(
        "SELECT key, sum(lost) AS lost, sum(won) AS won FROM ({} UNION ALL {}) GROUP BY key{both}",
        only("?1", "?2", 1, 0),
        only("?2", "?1", 0, 1)
    )
}

fn count(connection: &Connection, before: &Scan, after: &Scan, dataset: &str, compared: &Compared) -> Result<(u64, u64, u64), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT coalesce(sum(lost = 0), 0), coalesce(sum(won = 0), 0), coalesce(sum(lost > 0 AND won > 0), 0) FROM ({})",
        differing(compared)
    ))?;
    let counted = statement.query_row(params![before.id.0, after.id.0, dataset], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok((column::count(counted.0), column::count(counted.1), column::count(counted.2)))
}

/// Keys of a dataset whose rows differ, in their order, and how many there are.
pub(crate) fn rows(
    connection: &Connection,
    before: ScanId,
    after: ScanId,
    dataset: &str,
    slice: Slice,
) -> Result<(u64, Vec<RowDifference>), StoreError> {
    let (before, after) = pair(connection, before, after)?;
    let compared = compared(datasets(connection, before.id)?.get(dataset), datasets(connection, after.id)?.get(dataset));
    if before.dropped || after.dropped || !may_differ(&compared) {
        return Ok((0, Vec::new()));
    }
    let (added, removed, changed) = count(connection, &before, &after, dataset, &compared)?;
    let mut statement =
        connection.prepare_cached(&format!("SELECT key FROM ({}) ORDER BY key LIMIT ?4 OFFSET ?5", differing(&compared)))?;
    let bound = params![before.id.0, after.id.0, dataset, column::number(slice.limit), column::number(slice.offset)];
    let keys: Vec<String> = statement.query_map(bound, |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys.into_iter().map(RowKey) {
        let (mut earlier, mut later) =
            (row::of_key(connection, before.id.0, dataset, &key)?, row::of_key(connection, after.id.0, dataset, &key)?);
        let same = |one: &StoredRow, other: &StoredRow| one.hash == other.hash && one.row.label == other.row.label;
        let kept: Vec<StoredRow> = later.iter().filter(|row| earlier.iter().any(|other| same(row, other))).cloned().collect();
        earlier.retain(|row| !kept.iter().any(|other| same(row, other)));
        later.retain(|row| !kept.iter().any(|other| same(row, other)));
        found.push(RowDifference { key, before: earlier, after: later });
    }
    Ok((added + removed + changed, found))
}
