//! `finding`: what failed, since when, and what became of it.
//!
//! The law: a finding is *fixed* only by a Pass of the same row on a Complete dataset, and *gone* only when the row is absent
//! from a Complete dataset or, there, the check no longer applies to it. Everything else leaves it open, not re-checked.

use crate::{FindingEvent, InstanceId, ScanId, StoredRow, VerdictTally};
use catalog::{Cause, Completeness, Feature, RowKey, Severity, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, num::ParseIntError, str::FromStr};

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

/// State of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingState {
    /// It failed when it was last judged.
    Open,
    /// The same row passed later.
    Fixed,
    /// The row is no longer there, or the check no longer applies to it.
    Gone,
}

/// What one check came to, with what is needed to tell gone from not read.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckWrite {
    /// The check.
    pub check: String,
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
    /// A part of title, label, check or instance name; ASCII letters are compared without case.
    pub text: String,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
    /// Only open findings that the last scan could not judge.
    pub not_rechecked: bool,
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
}
