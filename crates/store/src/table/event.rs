//! `finding_event`: what happened to each finding. Runs of the same thing are kept as one line with its first and last time.

use jiff::Timestamp;

/// What can happen to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It failed for the first time.
    Opened,
    /// It failed again while open.
    StillOpen,
    /// It failed again after it was fixed or gone.
    Reopened,
    /// Its row passed.
    Fixed,
    /// Its row is no longer there, or the check no longer applies to it.
    Gone,
    /// It is open and could not be judged.
    NotRechecked,
}

/// One line of a finding's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEvent {
    /// What happened.
    pub kind: EventKind,
    /// When it happened first.
    pub at: Timestamp,
    /// When it happened last in an unbroken run; equal to `at` for what happens once.
    pub until: Timestamp,
    /// How often in that run.
    pub times: u32,
    /// The scan of the last time.
    pub scan: crate::ScanId,
    /// The current value, or why it was not judged, or why it is gone.
    pub detail: String,
}

/// How many findings something happened to within a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    /// Opened or reopened.
    pub newly_failing: u32,
    /// Fixed.
    pub fixed: u32,
    /// Gone.
    pub gone: u32,
    /// Open, and not judged by the last scan.
    pub not_rechecked: u32,
}
