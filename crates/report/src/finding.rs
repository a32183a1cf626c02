//! A finding as a line.

use crate::line::{Line, numbered, references, sealed, time, time_if, truth};
use catalog::{Severity, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, collections::BTreeMap};

/// A finding with all that is needed to act on it without the console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingLine {
    /// The application's slug: `kustomer`.
    pub app: String,
    /// The instance's name.
    pub instance: String,
    /// Whether the instance is a simulated one, so that nobody takes its findings for real.
    pub sandbox: bool,
    /// The check's id: `kustomer.auth.sso_enabled`.
    pub check: String,
    /// The finding as a statement: "Single sign-on is off".
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What has become of it.
    pub state: FindingState,
    /// What the check came to when it was last judged; `manual` when a person attested it.
    pub verdict: Verdict,
    /// The row it is about; empty when it is about the tenant.
    pub resource: String,
    /// What was read, or attested.
    pub current: String,
    /// What it should be.
    pub recommended: String,
    /// When a scan first saw it, or it was first attested.
    pub first_seen: Timestamp,
    /// When a scan last saw it, or it was last attested.
    pub last_seen: Timestamp,
    /// When it was found fixed or gone, or attested as such.
    pub fixed_or_gone_at: Option<Timestamp>,
    /// Since when nobody knows: the last scan could not check it again, or the attestation has ended (then, when it was given).
    pub not_rechecked_since: Option<Timestamp>,
    /// What to do, step by step.
    pub steps: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// SSCF controls.
    pub sscf: Vec<String>,
    /// Framework to its references.
    pub frameworks: BTreeMap<String, Vec<String>>,
    /// The kept fields that the verdict rests on.
    pub evidence: serde_json::Value,
    /// Where the facts of the check come from (URL).
    pub source: String,
    /// Of a finding that a person attested: `met`, `not_met`, `not_applicable`.
    pub answer: Option<String>,
    /// Who attested it.
    pub attested_by: Option<String>,
    /// The user of the computer who wrote it down.
    pub recorded_by: Option<String>,
    /// When.
    pub attested_at: Option<Timestamp>,
    /// The last day on which that holds: `2027-11-21`.
    pub valid_until: Option<String>,
    /// What identifies it in every export, whatever becomes of it: see [`finding_uid`].
    pub uid: String,
    /// The instance's id, which stays when its name is changed.
    pub instance_id: String,
    /// The application's name.
    pub app_name: String,
    /// The practice as a statement: "SAML SSO is on"; empty where the catalog no longer has the check.
    pub practice: String,
    /// Why the last scan could not check it again; empty where it could.
    pub not_rechecked_because: String,
}

/// What identifies a finding in exports: the same instance, check and row have the same one in every export, and others another. `row` is
/// the key of the row that it is about; empty when it is about the tenant.
pub fn finding_uid(instance_id: &str, check: &str, row: &str) -> String {
    identifier(&["finding", instance_id, check, row]).to_string()
}

/// A UUID that is made from what it names: of the form of version 5 (RFC 9562), from the first half of a SHA-256.
pub(crate) fn identifier(parts: &[&str]) -> uuid::Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length before it no two lists of parts read the same.
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}

/// What has become of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// It stands.
    Open,
    /// A later scan saw the same row pass, or a person attested it as met.
    Fixed,
    /// The row is no longer there, the check does not apply to it, or what a person attested was withdrawn.
    Gone,
    /// An administrator has put it aside for a time.
    Dismissed,
}

impl Line for FindingLine {}

impl sealed::Cells for FindingLine {
    const PLURAL: &'static str = "findings";
    const COLUMNS: &'static [&'static str] = &[
        "app",
        "instance",
        "sandbox",
        "check",
        "title",
        "severity",
        "state",
        "verdict",
        "cause",
        "resource",
        "current",
        "recommended",
        "first_seen",
        "last_seen",
        "fixed_or_gone_at",
        "not_rechecked_since",
        "steps",
        "why",
        "sscf",
        "frameworks",
        "evidence",
        "source",
        "answer",
        "attested_by",
        "recorded_by",
        "attested_at",
        "valid_until",
        "uid",
        "instance_id",
        "app_name",
        "practice",
        "not_rechecked_because",
    ];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let (verdict, cause) = spelled(&self.verdict);
        vec![
            Cow::Borrowed(&self.app),
            Cow::Borrowed(&self.instance),
            truth(self.sandbox),
            Cow::Borrowed(&self.check),
            Cow::Borrowed(&self.title),
            severity(self.severity),
            Cow::Borrowed(match self.state {
                FindingState::Open => "open",
                FindingState::Fixed => "fixed",
                FindingState::Gone => "gone",
                FindingState::Dismissed => "dismissed",
            }),
            Cow::Borrowed(verdict),
            cause,
            Cow::Borrowed(&self.resource),
            Cow::Borrowed(&self.current),
            Cow::Borrowed(&self.recommended),
            time(self.first_seen),
            time(self.last_seen),
            time_if(self.fixed_or_gone_at),
            time_if(self.not_rechecked_since),
            numbered(&self.steps),
            Cow::Borrowed(&self.why),
            Cow::Owned(self.sscf.join(", ")),
            references(&self.frameworks),
            if self.evidence.is_null() { Cow::Borrowed("") } else { Cow::Owned(self.evidence.to_string()) },
            Cow::Borrowed(&self.source),
            Cow::Borrowed(self.answer.as_deref().unwrap_or_default()),
            Cow::Borrowed(self.attested_by.as_deref().unwrap_or_default()),
            Cow::Borrowed(self.recorded_by.as_deref().unwrap_or_default()),
            time_if(self.attested_at),
            Cow::Borrowed(self.valid_until.as_deref().unwrap_or_default()),
            Cow::Borrowed(&self.uid),
            Cow::Borrowed(&self.instance_id),
            Cow::Borrowed(&self.app_name),
            Cow::Borrowed(&self.practice),
            Cow::Borrowed(&self.not_rechecked_because),
        ]
    }
}

/// A verdict's word, the same as in JSON, and why it is none of Pass and Fail.
fn spelled(verdict: &Verdict) -> (&'static str, Cow<'_, str>) {
    match verdict {
        Verdict::Pass => ("pass", Cow::Borrowed("")),
        Verdict::Fail => ("fail", Cow::Borrowed("")),
        Verdict::NotApplicable { reason } => ("not_applicable", Cow::Borrowed(reason)),
        Verdict::NotEvaluated { cause } => {
            let sentence = format!("{} {}", cause.sentence, cause.remedy);
            ("not_evaluated", Cow::Owned(sentence.trim_end().to_owned()))
        }
        Verdict::Manual => ("manual", Cow::Borrowed("")),
        Verdict::Observed => ("observed", Cow::Borrowed("")),
    }
}

/// `critical`, `high`, …
pub(crate) fn severity(severity: Severity) -> Cow<'static, str> {
    Cow::Borrowed(match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    })
}
