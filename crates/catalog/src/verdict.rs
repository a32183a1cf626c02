//! Verdicts, and the causes of not knowing.

use serde::{Deserialize, Serialize};

/// What a check came to for one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It was read and it is as it should be.
    Pass,
    /// It was read and it is not.
    Fail,
    /// It was read and the check has nothing to say about it.
    NotApplicable {
        /// Why, in words.
        reason: String,
    },
    /// It was not read, or not understood. Never counts as passed.
    NotEvaluated {
        /// What stood in the way.
        cause: Cause,
    },
    /// It must be attested by a person, or was.
    Manual,
    /// An event that was seen. Can open a finding, never a pass.
    Observed,
}

/// Why something was not read or not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind, for filters and for health.
    pub kind: CauseKind,
    /// One sentence for the administrator: what was not read and why. Holds no vendor text and no secret.
    pub sentence: String,
    /// What to do about it; empty when nothing can be done.
    pub remedy: String,
}

/// The kinds of [`Cause`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The credential was refused.
    CredentialRefused,
    /// A role or scope is missing.
    ScopeMissing,
    /// The plan lacks it.
    PlanLacks,
    /// A value the administrator has not given yet (a field, a list of company domains).
    InputMissing,
    /// The vendor asked to wait for longer than a scan may.
    RateLimited,
    /// The host was not reached, or its certificate not trusted.
    Connectivity,
    /// The vendor answered with an error.
    VendorError,
    /// The answer was not understood (HTML, cut JSON, too large, too deep).
    NotUnderstood,
    /// A field is missing, null or of another type.
    FieldMissing,
    /// The vendor's own description, read on connect, does not publish the field; its name is known from nowhere else.
    NotPublished,
    /// The login option of the instance does not reach it; another one does.
    LoginLacks,
    /// A value the manifest does not know.
    UnknownValue,
    /// The vendor leaves out what one may not see, and the row that proves otherwise was not seen.
    ProbeNotSeen,
    /// The list is empty and nobody says what that means.
    Empty,
    /// Something it rests on was not read.
    InputIncomplete,
    /// The scan was cancelled.
    Cancelled,
    /// The expression could not be computed for this row.
    Expression,
}
