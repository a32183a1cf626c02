//! `scan`: each reading of an instance and how it ended.

use crate::{DatasetState, InstanceId, ParentState, SeverityTally};
use catalog::Cause;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, num::ParseIntError, str::FromStr};

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
    pub day: jiff::civil::Date,
    /// Open findings after the day's last complete scan; `None` on days without one.
    pub open: Option<SeverityTally>,
}
