//! What a running Connect or scan tells, all along.

use super::{Cause, DatasetState, Failure};
use serde::{Deserialize, Serialize};
use specta::Type;

/// One event of a job, in the order in which they happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Progress {
    /// A step began, ended or failed.
    Step {
        /// Which.
        step: Step,
        /// How it stands.
        state: StepState,
        /// "api.prod2.kustomerapp.com", "5 of 6 datasets can be read"; may be empty.
        detail: String,
        /// How long it took so far.
        milliseconds: u32,
    },
    /// A stage of signing in through somebody else has begun, or goes on waiting.
    SignIn {
        /// `turn`, `organization`, `who_signs_in`, `start`, `password`, `one_time_code`, `application`, `token`, `browser`, `sign_out`.
        stage: String,
        /// "the one-time code".
        title: String,
        /// The host that is asked; may be empty.
        host: String,
        /// Until when it waits, if it waits.
        until: Option<String>,
    },
    /// The person has to do something in a browser; signing in goes on by itself then.
    Visit {
        /// The page; opened already if a browser could be started.
        address: String,
        /// The code to type there, if there is one.
        code: Option<String>,
        /// Until when the page works.
        until: String,
    },
    /// What the credential may read, from one request per dataset.
    Permissions {
        /// Each dataset.
        datasets: Vec<DatasetState>,
        /// Checks that can be evaluated.
        checks: u32,
        /// All checks.
        all_checks: u32,
        /// What is missing, what to grant, and what is granted needlessly.
        advice: super::PermissionAdvice,
    },
    /// A dataset moved on.
    Dataset {
        /// `users`.
        id: String,
        /// "Users".
        title: String,
        /// `waiting`, `reading`, `complete`, `partial` or `unavailable`.
        state: String,
        /// Rows so far.
        rows: u32,
        /// Of how many, when the vendor tells.
        expected: Option<u32>,
        /// Why it is not complete.
        cause: Option<Cause>,
    },
    /// Share done and whom it talks to.
    Share {
        /// 0 to 1.
        done: f64,
        /// The host being talked to.
        host: String,
        /// Requests made.
        requests: u32,
    },
    /// The job ended well.
    Finished {
        /// The instance.
        instance: String,
        /// What changed.
        outcome: Outcome,
    },
    /// The job ended otherwise.
    Failed {
        /// Why and what to do.
        failure: Failure,
        /// What was stored all the same, in a sentence: "Nothing was stored."
        kept: String,
    },
}

/// The steps of Connect and of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Values have the right shape.
    Format,
    /// The host answers and is who it says.
    Host,
    /// The credential is accepted.
    SignIn,
    /// What it may read.
    Permissions,
    /// Reading.
    Scan,
    /// Judging; works without the network.
    Judge,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Done, with something missing.
    Warned,
    /// Not done.
    Failed,
}

/// What a scan changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Outcome {
    pub opened: u32,
    pub still_open: u32,
    pub fixed: u32,
    pub gone: u32,
    pub not_rechecked: u32,
    pub verdicts: super::VerdictCounts,
}

/// A job under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Job {
    /// Its id, for cancelling.
    pub id: String,
    /// The instance; empty while one is being added.
    pub instance: String,
    /// "Kustomer, Halden Moor EU".
    pub title: String,
    /// 0 to 1.
    pub done: f64,
    /// The host being talked to.
    pub host: String,
    /// Who is at it when it is another process, which alone can cancel it: "ada, process 4242".
    pub elsewhere: Option<String>,
}
