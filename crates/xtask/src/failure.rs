//! Owns why a task stops: one sentence for the cause, one for the remedy.

use std::{fmt, io, path::PathBuf};

/// Why a task stops.
#[derive(Debug)]
pub enum Failure {
    /// The command line is not one this program knows.
    Usage(String),
    /// The machine lacks something that the task needs.
    Missing {
        /// What is not there.
        what: String,
        /// What the reader does about it.
        remedy: String,
    },
    /// A program that the task started ended with an error.
    Ended {
        /// The command line as started.
        line: String,
        /// Its exit status, in words.
        status: String,
    },
    /// A program could not be started at all.
    NotStarted {
        /// The command line as it would have run.
        line: String,
        /// What the system answered.
        source: io::Error,
    },
    /// A file could not be read or written.
    File {
        /// Which one.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The task ran to its end, and what it examined does not hold. The details are printed already.
    NotProved(String),
}

impl Failure {
    /// What the reader can do, where that is not in the cause already.
    fn remedy(&self) -> Option<String> {
        match self {
            Failure::Usage(_) => Some("`cargo xtask help` lists the commands.".into()),
            Failure::Missing { remedy, .. } => Some(remedy.clone()),
            Failure::Ended { .. } => Some("Its own output above says why.".into()),
            Failure::NotStarted { .. } => Some("Check that the program is installed and on the PATH.".into()),
            Failure::File { .. } => Some("Check that it exists and that you may write there.".into()),
            Failure::NotProved(_) => None,
        }
    }

    /// The exit code of the process: 2 for a wrong command line, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Missing { .. } | Failure::Ended { .. } | Failure::NotStarted { .. } | Failure::File { .. } | Failure::NotProved(_) => {
                1
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(cause) | Failure::NotProved(cause) => write!(f, "{cause}")?,
            Failure::Missing { what, .. } => write!(f, "{what}")?,
            Failure::Ended { line, status } => write!(f, "`{line}` ended with {status}.")?,
            Failure::NotStarted { line, source } => write!(f, "`{line}` could not be started: {source}.")?,
            Failure::File { path, source } => write!(f, "{}: {source}.", path.display())?,
        }
        match self.remedy() {
            Some(remedy) => write!(f, "\n{remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
