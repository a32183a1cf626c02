//! Why a file could not be written.

use std::io::{Error, ErrorKind};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is no room for it.
    #[error("The export was not finished: the disk is full.")]
    Full(#[source] Error),
    /// The reader went away, as when output is piped into a program that ends early.
    #[error("The export was not finished: nobody reads it any more.")]
    Closed(#[source] Error),
    /// No check names a control, and OSCAL has no form for a review of nothing.
    #[error("The export was not begun: no check that was judged names a control of NIST SP 800-53, and OSCAL has no form for that.")]
    NothingReviewed,
    /// Something else stood in the way.
    #[error("The export was not finished: it could not be written.")]
    Write(#[source] Error),
}

impl ReportError {
    /// Stable code, the same in the window and in the terminal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full(_) => "E-EXPORT-DISK-FULL",
            Self::Closed(_) => "E-EXPORT-CLOSED",
            Self::NothingReviewed => "E-EXPORT-NOTHING",
            Self::Write(_) => "E-EXPORT-WRITE",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Full(_) => "Free some space or choose another disk, then export again; the unfinished file can be deleted.",
            Self::Closed(_) => "Export again and let the reading program read to the end.",
            Self::NothingReviewed => {
                "Scan an instance first, choose instances whose checks name such controls, or export as CSV, JSON or HTML."
            }
            Self::Write(_) => "Check that the folder exists and that you may write there, then export again.",
        }
    }
}

impl From<Error> for ReportError {
    fn from(cause: Error) -> Self {
        if matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            Self::Full(cause)
        } else if cause.kind() == ErrorKind::BrokenPipe {
            Self::Closed(cause)
        } else {
            Self::Write(cause)
        }
    }
}
