//! `verdict`: what each check came to for each row of a scan.

use catalog::{Cause, RowKey, Verdict};

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
