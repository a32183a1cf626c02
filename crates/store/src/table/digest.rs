//! `digest`: what an administrator is told once a day; and what is told there of findings and credentials.

use super::{event::EventKind, instance};
use crate::{FindingState, InstanceId, StoreError, column};
use catalog::Severity;
use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, Row, params};
use serde_json::Value;
use std::collections::BTreeSet;

/// How many digests are kept; older ones go when another is added.
const KEPT: u32 = 100;

/// What was told on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// The day, by the calendar of the computer that made it.
    pub day: Date,
    /// When it was made.
    pub made_at: Timestamp,
    /// What happened after this time is in it.
    pub since: Timestamp,
    /// What it says, in the caller's own words. An object in a list of it that names an instance by its id, in the member
    /// `instance`, goes when that instance is deleted, and is not taken in when it already is.
    pub body: Value,
    /// When it was handed to a mail server.
    pub mailed_at: Option<Timestamp>,
    /// Why it was not, or not to everybody, the last time that it was tried; in the caller's own words.
    pub mail_failure: Option<Value>,
    /// How often that was tried.
    pub mail_tries: u32,
    /// When it was tried last.
    pub mail_tried_at: Option<Timestamp>,
}

/// Findings of one check that are open and were opened or reopened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewlyFailing {
    /// The instance.
    pub instance: InstanceId,
    /// The check.
    pub check: String,
    /// The finding as a sentence.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// How many.
    pub count: u32,
}

/// Findings of one instance that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The instance.
    pub instance: InstanceId,
    /// Those that a scan saw fixed.
    pub fixed: u32,
    /// Those whose row is gone.
    pub gone: u32,
}

/// What of the history of findings is new to whoever looked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryWindow {
    /// Everything after this time is.
    pub since: Timestamp,
    /// So is every line after this one, which was the newest: a scan that was being committed then tells of a time before it.
    pub line: i64,
    /// But nothing that is not after this time: the numbers of lines come again once their findings were deleted.
    pub earliest: Timestamp,
}

/// A line of a finding's history that lies in a [`HistoryWindow`]: bound to ?1, ?2 and ?3.
const NEW: &str = "(at > ?1 OR (finding_event.id > ?2 AND at > ?3))";

const COLUMNS: &str = "day, made_at, since, body, mailed_at, mail_failure, mail_tries, mail_tried_at";

fn read(row: &Row<'_>) -> Result<Digest, StoreError> {
    let (day, body): (String, String) = (row.get(0)?, row.get(3)?);
    Ok(Digest {
        day: day.parse().map_err(|_| StoreError::Unreadable { what: "digest" })?,
        made_at: column::read_time(row.get(1)?)?,
        since: column::read_time(row.get(2)?)?,
        body: column::read_json(&body, "digest")?,
        mailed_at: column::read_time_if(row.get(4)?)?,
        mail_failure: column::read_json_if(row.get(5)?, "digest")?,
        mail_tries: column::small_count(row.get(6)?),
        mail_tried_at: column::read_time_if(row.get(7)?)?,
    })
}

/// Adds one, unless its day is served; says whether it was not.
pub(crate) fn insert(connection: &Connection, day: Date, made_at: Timestamp, since: Timestamp, body: &Value) -> Result<bool, StoreError> {
    let mut body = body.clone();
    // What was deleted while the digest was put together is in none.
    let there: BTreeSet<String> =
        connection.prepare_cached("SELECT id FROM instance")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    take_out(&mut body, &|id| !there.contains(id));
    let added = connection.execute(
        "INSERT INTO digest (day, made_at, since, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (day) DO NOTHING",
        params![day.to_string(), column::time(made_at), column::time(since), column::json(&body)?],
    )?;
    // Never the one that was just added: by a clock that went back it is the oldest, and would be made again and again.
    connection.execute(
        "DELETE FROM digest WHERE day <> ?1
         AND day NOT IN (SELECT day FROM digest WHERE day <> ?1 ORDER BY made_at DESC, day DESC LIMIT ?2)",
        params![day.to_string(), KEPT - 1],
    )?;
    Ok(added == 1)
}

pub(crate) fn get(connection: &Connection, day: Date) -> Result<Option<Digest>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM digest WHERE day = ?1"))?;
    let mut found = statement.query_and_then([day.to_string()], read)?;
    found.next().transpose()
}

/// All, newest first.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Digest>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM digest ORDER BY made_at DESC, day DESC"))?;
    let found = statement.query_and_then([], read)?;
    found.collect()
}

/// Takes what names an instance out of every digest; how much they counted stays.
pub(crate) fn forget(connection: &Connection, instance: InstanceId) -> Result<(), StoreError> {
    let id = instance.to_string();
    for mut digest in all(connection)? {
        if take_out(&mut digest.body, &|named| named == id) {
            let body = column::json(&digest.body)?;
            connection.execute("UPDATE digest SET body = ?2 WHERE day = ?1", params![digest.day.to_string(), body])?;
        }
    }
    Ok(())
}

/// Removes objects that name an instance that is gone from every list; says whether there was one.
fn take_out(value: &mut Value, gone: &dyn Fn(&str) -> bool) -> bool {
    // Each of them is looked at, not until the first that has one.
    let mut found = false;
    match value {
        Value::Array(list) => {
            let before = list.len();
            list.retain(|one| one.get("instance").and_then(Value::as_str).is_none_or(|id| !gone(id)));
            found = list.len() < before;
            for one in list {
                found |= take_out(one, gone);
            }
        }
        Value::Object(members) => {
            for one in members.values_mut() {
                found |= take_out(one, gone);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

/// Counts a try up from what the caller saw, with what is to be told of it until its end is stored; says whether it still was that.
pub(crate) fn claim_mail(connection: &Connection, day: Date, seen: u32, now: Timestamp, meanwhile: &Value) -> Result<bool, StoreError> {
    let claimed = connection.execute(
        "UPDATE digest SET mail_tries = mail_tries + 1, mail_tried_at = ?3, mail_failure = ?4 WHERE day = ?1 AND mail_tries = ?2",
        params![day.to_string(), seen, column::time(now), column::json(meanwhile)?],
    )?;
    Ok(claimed == 1)
}

/// What came of a try.
pub(crate) fn set_mailed(
    connection: &Connection,
    day: Date,
    mailed_at: Option<Timestamp>,
    failure: Option<&Value>,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE digest SET mailed_at = coalesce(?2, mailed_at), mail_failure = ?3 WHERE day = ?1",
        params![day.to_string(), mailed_at.map(column::time), failure.map(column::json).transpose()?],
    )?;
    Ok(())
}

/// The number of the newest line of any finding's history; 0 when there is none.
pub(crate) fn newest_line(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("SELECT coalesce(max(id), 0) FROM finding_event", [], |row| row.get(0))?)
}

/// Findings that are open and were opened, reopened or no longer dismissed since, by instance and check, the worst first. None of simulated tenants.
pub(crate) fn newly_failing(connection: &Connection, window: HistoryWindow) -> Result<Vec<NewlyFailing>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT instance.id, check_id, min(finding.title), max(severity), count(*) FROM finding JOIN instance ON instance.no = finding.instance
         WHERE finding.state = ?4 AND instance.sandbox = 0 AND EXISTS (
            SELECT 1 FROM finding_event WHERE finding_event.finding = finding.id AND kind IN (?5, ?6, ?7) AND {NEW}
         ) GROUP BY instance.no, check_id ORDER BY max(severity) DESC, count(*) DESC, instance.no, check_id"
    ))?;
    let bound = params![
        column::time(window.since),
        window.line,
        column::time(window.earliest),
        FindingState::Open.number(),
        EventKind::Opened.number(),
        EventKind::Reopened.number(),
        EventKind::Returned.number()
    ];
    let found = statement.query_and_then(bound, |row| {
        let id: String = row.get(0)?;
        Ok(NewlyFailing {
            instance: instance::read_id(&id)?,
            check: row.get(1)?,
            title: row.get(2)?,
            severity: column::read_severity(row.get(3)?)?,
            count: column::small_count(row.get(4)?),
        })
    })?;
    found.collect()
}

/// Findings that are fixed or gone now and became so since, by instance. None of simulated tenants.
pub(crate) fn ended(connection: &Connection, window: HistoryWindow) -> Result<Vec<Ended>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT instance.id, sum(finding.state = ?4), sum(finding.state = ?5) FROM finding JOIN instance ON instance.no = finding.instance
         WHERE finding.state IN (?4, ?5) AND instance.sandbox = 0 AND EXISTS (
            SELECT 1 FROM finding_event WHERE finding_event.finding = finding.id AND kind IN (?6, ?7) AND {NEW}
         ) GROUP BY instance.no ORDER BY instance.no"
    ))?;
    let bound = params![
        column::time(window.since),
        window.line,
        column::time(window.earliest),
        FindingState::Fixed.number(),
        FindingState::Gone.number(),
        EventKind::Fixed.number(),
        EventKind::Gone.number()
    ];
    let found = statement.query_and_then(bound, |row| {
        let id: String = row.get(0)?;
        Ok(Ended { instance: instance::read_id(&id)?, fixed: column::small_count(row.get(1)?), gone: column::small_count(row.get(2)?) })
    })?;
    found.collect()
}
