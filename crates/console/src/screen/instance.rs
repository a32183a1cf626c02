//! Onboarded instances.

use super::{Application, Cause, RouteChoice, SeverityCounts};
use serde::{Deserialize, Serialize};
use specta::Type;

/// An onboarded tenant, as a row of *Applications*.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Instance {
    /// Stable id.
    pub id: String,
    /// The application.
    pub app: String,
    /// Its name.
    pub app_name: String,
    /// The instance's name.
    pub name: String,
    /// `Default`, `Production`, …
    pub label: String,
    /// Who answers for it.
    pub owner: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// Whether it can be used.
    pub health: Health,
    /// Why it is not Up.
    pub cause: Option<Cause>,
    /// What share passed; `None` before the first complete scan.
    pub score: Option<Score>,
    /// Checks that are not monitored; they are outside the score.
    pub not_monitored: u32,
    /// Open findings.
    pub open: SeverityCounts,
    /// When the last complete scan ended.
    pub last_scan: Option<String>,
    /// When it is scanned by itself.
    pub schedule: super::ScheduleChoice,
    /// The next time at which it is; `None` when it is not.
    pub next_scan: Option<String>,
    /// Share of the running scan, 0 to 1.
    pub scanning: Option<f64>,
    /// A cut scan that can be resumed.
    pub resumable: bool,
    /// When its credential ends; `None` where nobody says so, or it is not known yet.
    pub credential: Option<CredentialEnd>,
    /// Its manual checks; they stand beside the score, not in it.
    pub attestations: super::AttestationCounts,
}

/// When a credential ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CredentialEnd {
    /// When.
    pub at: String,
    /// Who says so.
    pub by: EndsBy,
    /// Days until then, the begun one counted; 0 when it has passed.
    pub days_left: u32,
    /// Whether it has ended or the administrator is told that it will.
    pub soon: bool,
}

/// Who says when a credential ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum EndsBy {
    /// The vendor.
    Vendor,
    /// The certificate itself.
    Certificate,
    /// Nobody: it ends then unless it is used before.
    Unused,
}

/// Health of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The last scan read everything.
    Up,
    /// The last scan could not read everything.
    Unhealthy,
    /// The last scan could not sign in or reach the host.
    Down,
    /// It was never scanned.
    Unknown,
    /// It is being scanned.
    Scanning,
    /// Nothing of it is scanned: its checks are attested.
    Manual,
}

/// Three parts that add up to 1, weighted by severity. Not applicable is outside; what was not evaluated never raises it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Type)]
pub struct Score {
    /// 0 to 100: the passed share, rounded down.
    pub value: u32,
    /// Share passed.
    pub passed: f64,
    /// Share failed.
    pub failed: f64,
    /// Share not evaluated.
    pub not_evaluated: f64,
}

/// The page of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct InstancePage {
    /// Its row.
    pub instance: Instance,
    /// Its application, as the dialog sees it.
    pub application: Application,
    /// The login option it uses.
    pub login: String,
    /// Fields that are not secret.
    pub inputs: Vec<super::Input>,
    /// Secret fields: name and when they were set. Never a value.
    pub secrets: Vec<SealedField>,
    /// Hosts that may receive its credentials.
    pub hosts: Vec<String>,
    /// How its requests leave this computer.
    pub route: RouteChoice,
    /// Each kind of scan.
    pub features: Vec<FeatureHealth>,
    /// Each dataset of the last complete scan.
    pub datasets: Vec<DatasetState>,
    /// Each check of the last complete scan.
    pub checks: Vec<CheckState>,
    /// The latest scans, newest first, at most 20.
    pub scans: Vec<ScanRow>,
    /// Thresholds in force.
    pub answers: Vec<super::Answer>,
    /// Names of other instances that read the same tenant, whose findings count once more.
    pub same_tenant_as: Vec<String>,
}

/// A secret that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SealedField {
    /// The field.
    pub field: String,
    /// When it was set.
    pub set_at: String,
}

/// Health of a kind of scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FeatureHealth {
    /// `config`.
    pub feature: String,
    /// `ok`, `unhealthy`, `auth_required`, `scanning`, `unknown`, `manual`.
    pub state: String,
    /// Why, in words; empty when OK.
    pub detail: String,
    /// How many checks passed, failed, were not evaluated, do not apply.
    pub counts: VerdictCounts,
}

/// Verdicts by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct VerdictCounts {
    pub pass: u32,
    pub fail: u32,
    pub not_applicable: u32,
    pub not_evaluated: u32,
    pub manual: u32,
    pub observed: u32,
}

/// What became of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DatasetState {
    /// `auth-settings`.
    pub id: String,
    /// "Sign-in settings".
    pub title: String,
    /// `complete`, `partial` or `unavailable`; of what is read per row of another dataset, before the first scan, `after_scan`.
    pub state: String,
    /// Why it is not complete.
    pub cause: Option<Cause>,
    /// Rows kept.
    pub rows: u32,
    /// Any one of these roles makes it readable.
    pub needs: Vec<String>,
    /// Checks that rest on it.
    pub checks: u32,
    /// Ids of the login options that reach it.
    pub logins: Vec<String>,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CheckState {
    /// `kustomer.auth.sso_enabled`.
    pub id: String,
    /// "SAML SSO is on".
    pub title: String,
    /// How bad a failure is.
    pub severity: super::Severity,
    /// `config`.
    pub feature: String,
    /// The worst of its rows: `fail`, `not_evaluated`, `manual`, `observed`, `pass`, `not_applicable`.
    pub verdict: String,
    /// Its rows.
    pub counts: VerdictCounts,
    /// The cause or reason, when the verdict has one.
    pub cause: Option<Cause>,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ScanRow {
    /// Its id.
    pub id: String,
    /// `running`, `complete`, `cut`, `cancelled`, `failed`.
    pub state: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Why it did not complete.
    pub failure: Option<Cause>,
    /// Requests made.
    pub requests: u32,
    /// Begun by the schedule and not by a person.
    pub scheduled: bool,
}

/// What may be changed of an instance without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InstanceChange {
    /// New name.
    pub name: String,
    /// New label.
    pub label: String,
    /// New owner.
    pub owner: String,
    /// New schedule.
    pub schedule: super::ScheduleChoice,
    /// New route.
    pub route: RouteChoice,
    /// New answers to questions and thresholds.
    pub answers: Vec<super::Answer>,
}

/// What a deletion took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Deleted {
    pub scans: u32,
    pub rows: u32,
    pub findings: u32,
    pub evidence: u32,
    pub attestations: u32,
}
