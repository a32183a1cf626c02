//! What changed between two moments or two scans, and how things stood on a past day.

use super::{Cause, Finding, FindingFilter, FindingSort, SandboxScope, Score, Severity, SeverityCounts, Slice};
use serde::{Deserialize, Serialize};
use specta::Type;

/// A moment from which, or up to which, changes are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Moment {
    /// The present.
    Now,
    /// When the window was last used; the beginning of everything before that.
    LastVisit,
    /// Of each instance, the moment before its last complete scan was stored. Only to begin with.
    LastScan,
    /// So long ago.
    DaysAgo {
        /// Days of 24 hours, at most 36,500.
        days: u32,
    },
    /// A day by this computer's calendar: its first moment to begin with, its last to end with.
    Day {
        /// `2026-11-01`.
        day: String,
    },
    /// When a complete scan was stored; only its instance is looked at.
    Scan {
        /// Its id.
        scan: String,
    },
}

/// What became of a finding from one moment to a later one. What was fixed and failed again in between is still failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not open and is.
    NewlyFailing,
    /// It was open and its row passed.
    Fixed,
    /// It was open and its row is no longer there.
    Gone,
    /// It was open, is open, and could not be judged when that was last tried.
    NotRechecked,
    /// It was open and failed when it was last judged.
    StillFailing,
    /// A decision holds it back that did not before.
    Dismissed,
}

/// Which changes are asked for. Empty lists do not filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChangeQuery {
    /// From when on.
    pub from: Moment,
    /// Up to when.
    pub to: Moment,
    /// Instance ids.
    pub instances: Vec<String>,
    /// Kinds.
    pub kinds: Vec<ChangeKind>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
    /// Which part of the findings.
    pub slice: Slice,
}

/// How many findings came to what, by the severities that their checks have now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct ChangeCounts {
    pub newly_failing: SeverityCounts,
    pub fixed: SeverityCounts,
    pub gone: SeverityCounts,
    pub not_rechecked: SeverityCounts,
    pub still_failing: SeverityCounts,
    pub dismissed: SeverityCounts,
}

/// What became of findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Changes {
    /// From when on; `None` when the instances begin at different moments, or where nothing is known at all.
    pub from: Option<String>,
    /// Up to when; `None` when the instances end at different moments.
    pub to: Option<String>,
    /// Over all instances that are looked at, whatever the kinds and severities asked for.
    pub counts: ChangeCounts,
    /// Each of these instances, the one with most that is newly failing first.
    pub instances: Vec<InstanceChanges>,
    /// How many findings fulfil the query.
    pub total: u32,
    /// The rows asked for: newly failing first, the worst of them first.
    pub rows: Vec<ChangedFinding>,
}

/// What became of the findings of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InstanceChanges {
    /// The instance.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// Its application.
    pub app: String,
    /// The application's name.
    pub app_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// From when on.
    pub from: String,
    /// Up to when.
    pub to: String,
    /// How many findings came to what.
    pub counts: ChangeCounts,
    /// The scan that was shown at the beginning; `None` when nothing was known yet, so that all that its first scan found counts as
    /// newly failing.
    pub before: Option<ScanMark>,
    /// The scan that was shown at the end; the same one when nothing was scanned whole in between, `None` when nothing was known
    /// then either.
    pub after: Option<ScanMark>,
}

/// A complete scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ScanMark {
    /// Its id.
    pub scan: String,
    /// When it was stored.
    pub at: String,
    /// Whether its rows and verdicts were removed by retention.
    pub dropped: bool,
}

/// A finding and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ChangedFinding {
    /// The finding as it stood at the later moment; its title and severity are those of today.
    pub finding: Finding,
    /// What became of it.
    pub kind: ChangeKind,
    /// When the last thing up to the later moment happened to it.
    pub at: String,
}

/// What differs between the rows of two complete scans of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingChanges {
    /// The earlier scan.
    pub before: ScanMark,
    /// The later scan.
    pub after: ScanMark,
    /// Why nothing can be told, where that is so: the rows of one were removed by retention.
    pub cause: Option<Cause>,
    /// Each dataset that either had.
    pub datasets: Vec<DatasetChanges>,
}

/// What differs in a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DatasetChanges {
    /// The dataset.
    pub dataset: String,
    /// Its title.
    pub title: String,
    /// `whole`, `both_sides` (only rows that both scans read), `only_before` or `only_after` (the other scan did not have it).
    pub compared: String,
    /// Why it is not compared whole.
    pub cause: Option<Cause>,
    /// Rows that are new.
    pub added: u32,
    /// Rows that are no longer there.
    pub removed: u32,
    /// Rows that say something else.
    pub changed: u32,
}

/// A page of the rows of a dataset that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RowChangeList {
    /// How many there are.
    pub total: u32,
    /// The rows asked for, by their keys.
    pub rows: Vec<RowChange>,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RowChange {
    /// What identifies it.
    pub key: String,
    /// What names it, as last read; empty for an object.
    pub label: String,
    /// `added`, `removed` or `changed`.
    pub kind: String,
    /// What differs; of a row that is new or no longer there, all that was kept of it.
    pub fields: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FieldChange {
    /// `attributes.saml.enabled`.
    pub path: String,
    /// What it was, as JSON text, at most 2,000 characters; `None` where there was none.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// How things stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PastQuery {
    /// The end of this day by this computer's calendar, or the present if that is earlier: `2026-11-01`.
    pub day: String,
    /// Which findings; its states are those of then, none means those that were open.
    pub filter: FindingFilter,
    /// In which order.
    pub sort: FindingSort,
    /// Worst, latest or last letter first.
    pub descending: bool,
    /// Which part.
    pub slice: Slice,
}

/// How things stood at the end of a past day, as far as it is known. Instances that were deleted since are not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct PastPosture {
    /// The day.
    pub day: String,
    /// The moment that is told of.
    pub at: String,
    /// Findings that were open, by the severities that their checks have today; `None` when no instance had been scanned whole yet:
    /// then nothing is known.
    pub open: Option<SeverityCounts>,
    /// Names of the instances of which nothing was known yet.
    pub not_known: Vec<String>,
    /// The score; `None` when it is not known.
    pub score: Option<Score>,
    /// Why it is not known.
    pub score_cause: Option<Cause>,
    /// How many findings fulfil the query.
    pub total: u32,
    /// The rows asked for, as they stood then.
    pub rows: Vec<Finding>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChangesExported {
    /// Where to.
    pub path: String,
    /// How many findings.
    pub findings: u32,
}
