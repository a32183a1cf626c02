//! The dashboard.

use super::{Instance, Score, SeverityCounts};
use serde::{Deserialize, Serialize};
use specta::Type;

/// The dashboard, from what is stored; needs no network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Overview {
    /// Whether it shows simulated tenants alone, because there is nothing else yet or it was asked for.
    pub sandbox: bool,
    /// Over all instances shown; `None` before the first complete scan.
    pub score: Option<Score>,
    /// Open findings.
    pub open: SeverityCounts,
    /// Of those, found since the last visit.
    pub new: SeverityCounts,
    /// Open findings that the last scan could not re-check, or whose attestation has ended.
    pub not_rechecked: u32,
    /// Findings that a decision holds back; in the score they count as failed.
    pub dismissed: u32,
    /// Checks that are not monitored; they are outside the score.
    pub not_monitored: u32,
    /// Open findings per day, oldest first, at most 30 days; days without a scan have `None`.
    pub trend: Vec<TrendDay>,
    /// What happened since the last visit.
    pub since: Since,
    /// Instances, lowest score first.
    pub instances: Vec<Instance>,
    /// When the window was last used.
    pub last_visit: Option<String>,
    /// Manual checks of the instances shown; they stand beside the score, not in it.
    pub attestations: super::AttestationCounts,
}

/// One day of the trend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TrendDay {
    /// `2026-11-21`.
    pub day: String,
    /// Open findings at its end.
    pub open: Option<u32>,
    /// Of those, critical and high.
    pub critical_high: Option<u32>,
}

/// What became of findings since the last visit, as the changes from then to now tell it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Since {
    pub newly_failing: u32,
    pub fixed: u32,
    pub gone: u32,
    /// Open since before, and not judged when that was last tried.
    pub not_rechecked: u32,
}

/// An act of the administrator or of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Act {
    pub at: String,
    pub who: String,
    pub what: String,
    pub detail: String,
    /// Id of the instance it speaks of; empty when it speaks of none.
    pub instance: String,
    /// What was before; empty where there is nothing to say.
    pub before: String,
    /// What is now.
    pub after: String,
}

/// A page of acts, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct ActList {
    pub total: u32,
    pub rows: Vec<Act>,
}
