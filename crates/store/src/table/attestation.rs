//! `attestation`, `attestation_file`, `attestation_withdrawal`: what persons attested of manual checks.
//!
//! The law: a finding of a manual check is open exactly while the last attestation that was not withdrawn says that it is not
//! met. A scan neither ends nor repeats it. An attestation that has ended leaves it open, not re-checked.
//!
//! A failure that a scan found before its check became a manual one is no finding of an attestation: that it is met, that it does
//! not apply and that an attestation is withdrawn leave it open, not re-checked. Only when a person attests *not met*, too, it is
//! the attestation's from then on; withdrawing that gives it back to the scan that found it. Failures of single rows stay open.

use super::{
    decision, event,
    finding::{self, ATTESTED, FindingState},
    instance, own_check,
};
use crate::{EventKind, EvidenceHash, InstanceId, ScanId, StoreError, column};
use catalog::{Cause, CauseKind, Feature, Severity, Verdict};
use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, num::ParseIntError, str::FromStr};

/// No scan: where a finding or its history speaks of an attestation.
pub(crate) const NO_SCAN: ScanId = ScanId(0);

/// Compression of attached files; most are compressed already.
const LEVEL: i32 = 3;

/// What identifies an attestation; later ones have larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttestationId(pub i64);

impl fmt::Display for AttestationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AttestationId {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What a person saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttestationAnswer {
    /// It is as recommended.
    Met,
    /// It is not.
    NotMet,
    /// The question does not apply.
    NotApplicable,
}

impl AttestationAnswer {
    /// `met`, `not_met`, `not_applicable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
            Self::NotApplicable => "not_applicable",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Ok(match word {
            "met" => Self::Met,
            "not_met" => Self::NotMet,
            "not_applicable" => Self::NotApplicable,
            _ => return Err(StoreError::Unreadable { what: "attestation" }),
        })
    }

    /// As a current value is shown.
    fn shown(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotApplicable => "does not apply",
        }
    }
}

/// An attestation that is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct AttestationWrite {
    /// Its instance.
    pub instance: InstanceId,
    /// The check.
    pub check: String,
    /// The check's title.
    pub asked: String,
    /// The finding as a sentence, for when it is not met.
    pub finding: String,
    /// How bad it is when it is not met.
    pub severity: Severity,
    /// The kind of scan the check belongs to.
    pub feature: Feature,
    /// What it should be: part of what is asked.
    pub recommended: String,
    /// What was seen.
    pub answer: AttestationAnswer,
    /// Who attests it.
    pub who: String,
    /// Who wrote it down: the operating system's user.
    pub recorded_by: String,
    /// What was seen, in words.
    pub note: String,
    /// The last day on which it holds.
    pub valid_until: Date,
    /// The end of that day.
    pub ends_at: Timestamp,
    /// Days before the end at which it is due soon.
    pub remind_days: u32,
    /// What is attached.
    pub file: Option<FileWrite>,
}

/// A file that is to be stored. Whoever calls bounds its size and cleans its name.
#[derive(Clone, PartialEq, Eq)]
pub struct FileWrite {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub content: Vec<u8>,
}

impl fmt::Debug for FileWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWrite").field("name", &self.name).field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

/// An attestation as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// What identifies it.
    pub id: AttestationId,
    /// Its instance.
    pub instance: InstanceId,
    /// The check.
    pub check: String,
    /// The check's title at that time.
    pub asked: String,
    /// What it should have been at that time.
    pub recommended: String,
    /// What was seen.
    pub answer: AttestationAnswer,
    /// Who attested it.
    pub who: String,
    /// Who wrote it down.
    pub recorded_by: String,
    /// When.
    pub at: Timestamp,
    /// What was seen, in words.
    pub note: String,
    /// The last day on which it holds.
    pub valid_until: Date,
    /// The end of that day.
    pub ends_at: Timestamp,
    /// Days before the end at which it is due soon.
    pub remind_days: u32,
    /// What is attached.
    pub file: Option<StoredFile>,
    /// How it was taken back, if it was.
    pub withdrawal: Option<Withdrawal>,
}

/// What is known of an attached file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub hash: EvidenceHash,
}

/// How an attestation was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// By whom.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Stores an attestation and brings the finding of its check in line.
pub(crate) fn insert(connection: &Connection, write: &AttestationWrite, now: Timestamp) -> Result<AttestationId, StoreError> {
    let number = instance::number(connection, write.instance)?;
    // Another process may have removed it since it was shown.
    if own_check::removed(connection, number, &write.check)? {
        return Err(StoreError::NotFound { what: "check" });
    }
    connection
        .prepare_cached(
            "INSERT INTO attestation (instance, check_id, asked, recommended, answer, who, recorded_by, at, note, valid_until, ends_at,
                remind_days)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            number,
            write.check,
            write.asked,
            write.recommended,
            write.answer.as_str(),
            write.who,
            write.recorded_by,
            column::time(now),
            write.note,
            write.valid_until.to_string(),
            column::time(write.ends_at),
            write.remind_days,
        ])?;
    let id = connection.last_insert_rowid();
    if let Some(file) = &write.file {
        connection
            .prepare_cached(
                "INSERT INTO attestation_file (attestation, name, media_type, size, hash, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                id,
                file.name,
                file.media_type,
                column::number(file.content.len() as u64),
                EvidenceHash::of_text(&file.content).0.as_slice(),
                zstd::bulk::compress(&file.content, LEVEL)?,
            ])?;
    }
    let open = Opening {
        title: &write.finding,
        severity: write.severity,
        feature: write.feature,
        recommended: &write.recommended,
        detail: &write.note,
    };
    decision::attested(connection, number, &write.check, now)?;
    align(connection, number, &write.check, Some(&open), "", now)?;
    Ok(AttestationId(id))
}

/// Takes back the attestation that counts, and brings the finding of its check in line with the one before it.
pub(crate) fn withdraw(connection: &Connection, id: AttestationId, who: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let withdrawn = get(connection, id)?;
    let number = instance::number(connection, withdrawn.instance)?;
    if last(connection, number, &withdrawn.check)?.is_none_or(|last| last.id != id) {
        return Err(StoreError::NotInForce);
    }
    connection
        .prepare_cached("INSERT INTO attestation_withdrawal (attestation, who, at, reason) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, who, column::time(now), reason])?;
    // Of a check that is asked no more nothing is found.
    if own_check::removed(connection, number, &withdrawn.check)? {
        Ok(())
    } else {
        align(connection, number, &withdrawn.check, None, reason, now)
    }
}

/// What a finding is opened with.
struct Opening<'a> {
    title: &'a str,
    severity: Severity,
    feature: Feature,
    recommended: &'a str,
    detail: &'a str,
}

/// The finding of a manual check.
struct Known {
    id: i64,
    open: bool,
    /// Whether its last verdict is an attestation's.
    attested: bool,
}

/// Brings the finding of a check in line with the last attestation that was not withdrawn. A withdrawal opens nothing that was
/// never open: what is attested before stands in the finding as it was then.
fn align(
    connection: &Connection,
    instance: i64,
    check: &str,
    opening: Option<&Opening<'_>>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = connection
        .prepare_cached("SELECT id, state, verdict = ?3 FROM finding WHERE instance = ?1 AND check_id = ?2 AND row_key = ''")?
        .query_row(params![instance, check, ATTESTED], |row| {
            Ok(Known { id: row.get(0)?, open: row.get::<_, i64>(1)? == FindingState::Open.number(), attested: row.get(2)? })
        })
        .optional()?;
    let last = last(connection, instance, check)?;
    let (at, answer) = match &last {
        Some(last) => (column::time(last.at), Some(last.answer)),
        None => (column::time(now), None),
    };
    match (answer, known) {
        (Some(AttestationAnswer::NotMet), known) => {
            let id = match (opening, &known) {
                (Some(opening), _) => open(connection, instance, check, opening, at)?,
                (None, Some(known)) if known.attested => reopen(connection, known.id, at)?,
                // It went with an earlier catalog's check, or a scan had the last word; the next attestation opens one.
                (None, _) => return Ok(()),
            };
            let kind = match known {
                None => EventKind::Opened,
                Some(Known { open: false, .. }) => EventKind::Reopened,
                Some(Known { open: true, .. }) => EventKind::StillOpen,
            };
            let detail = opening.map_or(reason, |opening| opening.detail);
            event::record(connection, id, kind, column::time(now), NO_SCAN, detail)
        }
        (_, None) => Ok(()),
        (_, Some(Known { attested: false, .. })) => Ok(()),
        (None, Some(Known { id, open: false, .. })) => give_back(connection, id, false, now).map(|_| ()),
        (_, Some(Known { open: false, .. })) => Ok(()),
        (Some(answer @ AttestationAnswer::Met), Some(known)) if opening.is_some() => {
            close(connection, known.id, FindingState::Fixed, answer, now)?;
            event::record(connection, known.id, EventKind::Fixed, column::time(now), NO_SCAN, "It was attested as met.")
        }
        (Some(answer @ AttestationAnswer::NotApplicable), Some(known)) if opening.is_some() => {
            close(connection, known.id, FindingState::Gone, answer, now)?;
            event::record(connection, known.id, EventKind::Gone, column::time(now), NO_SCAN, "It was attested that this does not apply.")
        }
        // What opened it was withdrawn: nothing was mended.
        (_, Some(known)) => {
            if give_back(connection, known.id, answer.is_some(), now)? {
                return Ok(());
            }
            close(connection, known.id, FindingState::Gone, answer.unwrap_or(AttestationAnswer::NotMet), now)?;
            let detail = format!("The attestation was withdrawn: {reason}");
            event::record(connection, known.id, EventKind::Gone, column::time(now), NO_SCAN, &detail)
        }
    }
}

fn open(connection: &Connection, instance: i64, check: &str, opening: &Opening<'_>, at: i64) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached(
            "INSERT INTO finding (instance, check_id, row_key, label, title, severity, feature, state, first_seen, last_seen,
                checked_at, scan, verdict, current, recommended)
             VALUES (?1, ?2, '', '', ?3, ?4, ?5, 0, ?6, ?6, ?6, 0, ?7, ?8, ?9)
             ON CONFLICT (instance, check_id, row_key) DO UPDATE SET
                title = excluded.title, severity = excluded.severity, feature = excluded.feature, state = 0,
                last_seen = max(last_seen, excluded.last_seen), ended_at = NULL, checked_at = max(checked_at, excluded.checked_at),
                scan = 0, verdict = excluded.verdict, current = excluded.current, recommended = excluded.recommended,
                not_rechecked_since = NULL, not_rechecked_cause = NULL
             RETURNING id",
        )?
        .query_row(
            params![
                instance,
                check,
                opening.title,
                column::severity(opening.severity),
                column::feature(opening.feature),
                at,
                ATTESTED,
                AttestationAnswer::NotMet.shown(),
                opening.recommended,
            ],
            |row| row.get(0),
        )?)
}

fn reopen(connection: &Connection, finding: i64, at: i64) -> Result<i64, StoreError> {
    connection
        .prepare_cached(
            "UPDATE finding SET state = 0, ended_at = NULL, checked_at = ?2, scan = 0, verdict = ?3, current = ?4,
                not_rechecked_since = NULL, not_rechecked_cause = NULL WHERE id = ?1",
        )?
        .execute(params![finding, at, ATTESTED, AttestationAnswer::NotMet.shown()])?;
    Ok(finding)
}

/// Gives a finding back to the scan that had found it, where attestations had only joined in. Answers whether it did. What an
/// attestation ended meanwhile stays ended while one counts.
fn give_back(connection: &Connection, finding: i64, one_counts: bool, now: Timestamp) -> Result<bool, StoreError> {
    let found: Option<(i64, i64, String)> = connection
        .prepare_cached(
            "SELECT scan, until, detail FROM finding_event AS found WHERE finding = ?1 AND kind IN (0, 1, 2) AND scan <> 0
                AND NOT EXISTS (SELECT 1 FROM finding_event WHERE finding = ?1 AND kind IN (3, 4) AND id > found.id
                    AND (scan <> 0 OR ?2))
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![finding, one_counts], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((scan, until, current)) = found else { return Ok(false) };
    let was_open: bool = connection.query_row("SELECT state = 0 FROM finding WHERE id = ?1", [finding], |row| row.get(0))?;
    if !was_open {
        event::record(connection, finding, EventKind::Reopened, column::time(now), ScanId(scan), &current)?;
    }
    connection
        .prepare_cached(
            "UPDATE finding SET state = 0, ended_at = NULL, scan = ?2, checked_at = ?3, verdict = ?4, current = ?5 WHERE id = ?1",
        )?
        .execute(params![finding, scan, until, column::json(&Verdict::Fail)?, current])?;
    let cause = Cause {
        kind: CauseKind::InputMissing,
        sentence: "A scan found it; what was attested since was withdrawn.".into(),
        remedy: "Look and attest what you see.".into(),
    };
    finding::not_rechecked(connection, finding, ScanId(scan), &cause, column::time(now))?;
    Ok(true)
}

fn close(connection: &Connection, finding: i64, state: FindingState, answer: AttestationAnswer, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE finding SET state = ?2, ended_at = ?3, checked_at = max(checked_at, ?3), scan = 0, verdict = ?4, current = ?5,
                not_rechecked_since = NULL, not_rechecked_cause = NULL WHERE id = ?1",
        )?
        .execute(params![finding, state.number(), column::time(now), ATTESTED, answer.shown()])?;
    Ok(())
}

/// Ends the finding of an own check that was removed.
pub(crate) fn check_removed(connection: &Connection, instance: i64, check: &str, now: Timestamp) -> Result<(), StoreError> {
    let open: Option<i64> = connection
        .prepare_cached("SELECT id FROM finding WHERE instance = ?1 AND check_id = ?2 AND state = 0")?
        .query_row(params![instance, check], |row| row.get(0))
        .optional()?;
    let Some(open) = open else { return Ok(()) };
    close(connection, open, FindingState::Gone, AttestationAnswer::NotMet, now)?;
    event::record(connection, open, EventKind::Gone, column::time(now), NO_SCAN, "The check was removed.")
}

/// Takes from an open attested finding that it was not re-checked, while its attestation holds.
pub(crate) fn rechecked_while_in_force(connection: &Connection, finding: i64, now: Timestamp) -> Result<(), StoreError> {
    let rechecked = connection
        .prepare_cached(
            "UPDATE finding SET not_rechecked_since = NULL, not_rechecked_cause = NULL WHERE id = ?1 AND ?2 < (
                SELECT ends_at FROM attestation WHERE attestation.instance = finding.instance AND attestation.check_id = finding.check_id
                    AND NOT EXISTS (SELECT 1 FROM attestation_withdrawal WHERE attestation_withdrawal.attestation = attestation.id)
                ORDER BY attestation.id DESC LIMIT 1
            )",
        )?
        .execute(params![finding, column::time(now)])?;
    if rechecked == 0 {
        return Ok(());
    }
    // Without a line of its own, its history would leave it not re-checked.
    event::record(connection, finding, EventKind::StillOpen, column::time(now), NO_SCAN, "What was attested still holds.")
}

/// Open attested findings whose attestation has ended and that do not say so yet: finding and the day.
const ENDED: &str = "SELECT finding.id, attestation.valid_until FROM finding
    JOIN attestation ON attestation.instance = finding.instance AND attestation.check_id = finding.check_id
    WHERE finding.state = 0 AND finding.row_key = '' AND finding.verdict = ?1 AND finding.not_rechecked_since IS NULL
        AND attestation.ends_at <= ?2 AND attestation.id = (
            SELECT max(id) FROM attestation AS later WHERE later.instance = finding.instance AND later.check_id = finding.check_id
                AND NOT EXISTS (SELECT 1 FROM attestation_withdrawal WHERE attestation_withdrawal.attestation = later.id)
        )";

/// Whether [`expire`] has something to do.
pub(crate) fn any_ended(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached(ENDED)?.exists(params![ATTESTED, column::time(now)])?)
}

/// Marks open findings whose attestation has ended as not re-checked since it was given.
pub(crate) fn expire(connection: &Connection, now: Timestamp) -> Result<u32, StoreError> {
    let mut statement = connection.prepare_cached(ENDED)?;
    let ended: Vec<(i64, String)> =
        statement.query_map(params![ATTESTED, column::time(now)], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (finding, day) in &ended {
        let cause = Cause {
            kind: CauseKind::InputMissing,
            sentence: format!("The attestation held until {day}; nobody has looked since."),
            remedy: "Look again and attest what you see.".into(),
        };
        finding::not_rechecked(connection, *finding, NO_SCAN, &cause, column::time(now))?;
    }
    Ok(u32::try_from(ended.len()).unwrap_or(u32::MAX))
}

const COLUMNS: &str =
    "attestation.id, instance.id, check_id, asked, answer, attestation.who, recorded_by, attestation.at, note, valid_until,
    ends_at, remind_days, attestation_file.name, media_type, size, hash, attestation_withdrawal.who, attestation_withdrawal.at, reason,
    recommended";

const TABLES: &str = "attestation JOIN instance ON no = attestation.instance
    LEFT JOIN attestation_file ON attestation_file.attestation = attestation.id
    LEFT JOIN attestation_withdrawal ON attestation_withdrawal.attestation = attestation.id";

fn read(row: &Row<'_>) -> Result<Attestation, StoreError> {
    let text = |index| row.get::<_, String>(index);
    let file = match row.get::<_, Option<String>>(12)? {
        None => None,
        Some(name) => Some(StoredFile {
            name,
            media_type: text(13)?,
            size: column::count(row.get(14)?),
            hash: super::evidence::read_hash(row.get_ref(15)?.as_blob().map_err(|_| StoreError::Damaged)?)?,
        }),
    };
    let withdrawal = match row.get::<_, Option<String>>(16)? {
        None => None,
        Some(who) => Some(Withdrawal { who, at: column::read_time(row.get(17)?)?, reason: text(18)? }),
    };
    Ok(Attestation {
        id: AttestationId(row.get(0)?),
        instance: instance::read_id(&text(1)?)?,
        check: text(2)?,
        asked: text(3)?,
        recommended: text(19)?,
        answer: AttestationAnswer::read(&text(4)?)?,
        who: text(5)?,
        recorded_by: text(6)?,
        at: column::read_time(row.get(7)?)?,
        note: text(8)?,
        valid_until: text(9)?.parse().map_err(|_| StoreError::Unreadable { what: "attestation" })?,
        ends_at: column::read_time(row.get(10)?)?,
        remind_days: row.get(11)?,
        file,
        withdrawal,
    })
}

/// All of one instance, or of all, by check, oldest first.
pub(crate) fn by_check(
    connection: &Connection,
    of: Option<InstanceId>,
) -> Result<BTreeMap<(InstanceId, String), Vec<Attestation>>, StoreError> {
    let number = of.map(|id| instance::number(connection, id)).transpose()?;
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE ?1 IS NULL OR attestation.instance = ?1 ORDER BY attestation.id"))?;
    let mut by_check: BTreeMap<(InstanceId, String), Vec<Attestation>> = BTreeMap::new();
    for attestation in statement.query_and_then([number], read)? {
        let attestation = attestation?;
        by_check.entry((attestation.instance, attestation.check.clone())).or_default().push(attestation);
    }
    Ok(by_check)
}

pub(crate) fn get(connection: &Connection, id: AttestationId) -> Result<Attestation, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE attestation.id = ?1"))?;
    let mut found = statement.query_and_then([id.0], read)?;
    found.next().ok_or(StoreError::NotFound { what: "attestation" })?
}

/// The last attestation of a check that was not withdrawn.
pub(crate) fn last(connection: &Connection, instance: i64, check: &str) -> Result<Option<Attestation>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE attestation.instance = ?1 AND check_id = ?2 AND attestation_withdrawal.attestation IS NULL
         ORDER BY attestation.id DESC LIMIT 1"
    ))?;
    let mut found = statement.query_and_then(params![instance, check], read)?;
    found.next().transpose()
}

/// The content of an attached file, as it was given.
pub(crate) fn content(connection: &Connection, id: AttestationId) -> Result<(StoredFile, Vec<u8>), StoreError> {
    let file = get(connection, id)?.file.ok_or(StoreError::NotFound { what: "attached file" })?;
    let packed: Vec<u8> = connection
        .prepare_cached("SELECT content FROM attestation_file WHERE attestation = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NotFound { what: "attached file" })?;
    let size = usize::try_from(file.size).map_err(|_| StoreError::Damaged)?;
    let content = zstd::bulk::decompress(&packed, size).map_err(|_| StoreError::Damaged)?;
    if content.len() != size || EvidenceHash::of_text(&content) != file.hash {
        return Err(StoreError::Damaged);
    }
    Ok((file, content))
}

/// How many an instance has.
pub(crate) fn count(connection: &Connection, instance: i64) -> Result<u64, StoreError> {
    let number = connection.query_row("SELECT count(*) FROM attestation WHERE instance = ?1", [instance], |row| row.get(0))?;
    Ok(column::count(number))
}
