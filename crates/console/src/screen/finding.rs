//! Findings and the evidence behind them.

use super::{Cause, Severity, SeverityCounts, Slice};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Which findings are asked for. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FindingFilter {
    /// Instance ids.
    pub instances: Vec<String>,
    /// Application slugs.
    pub apps: Vec<String>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// States.
    pub states: Vec<FindingState>,
    /// Check ids.
    pub checks: Vec<String>,
    /// `config`, …
    pub features: Vec<String>,
    /// Part of title, resource, instance or check, literally and without case, at most 500 characters.
    pub text: String,
    /// `without` (default), `only` or `with` sandbox instances.
    pub sandbox: SandboxScope,
    /// Only those not re-checked by the last scan.
    pub not_rechecked: bool,
    /// Owners of instances; the empty text is an instance without one.
    pub owners: Vec<String>,
    /// Controls that the check names: `nist_800_53/IA-2`, `sscf/IAM-SaaS-01`, or a framework alone for any of its controls. One of
    /// them is enough.
    pub frameworks: Vec<String>,
    /// Only those first found at most so many days ago.
    pub found_within_days: Option<u32>,
    /// Only those first found more than so many days ago.
    pub older_than_days: Option<u32>,
}

/// Whether simulated tenants are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SandboxScope {
    #[default]
    Without,
    Only,
    With,
}

impl SandboxScope {
    /// Whether an instance is meant.
    pub fn holds(self, sandbox: bool) -> bool {
        match self {
            Self::Without => !sandbox,
            Self::Only => sandbox,
            Self::With => true,
        }
    }
}

/// State of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// It failed when it was last judged.
    Open,
    /// The same row passed later.
    Fixed,
    /// The row is no longer there.
    Gone,
    /// It failed when it was last judged, and a decision holds it back.
    Dismissed,
}

/// The order of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum FindingSort {
    #[default]
    Severity,
    Title,
    Resource,
    Instance,
    FirstSeen,
    LastSeen,
}

/// A page of findings asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FindingQuery {
    /// Which.
    pub filter: FindingFilter,
    /// In which order.
    pub sort: FindingSort,
    /// Worst, latest or last letter first.
    pub descending: bool,
    /// Which part.
    pub slice: Slice,
}

/// A page of findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FindingList {
    /// How many fulfil the filter.
    pub total: u32,
    /// How many there are open without the filter (same sandbox scope).
    pub open: u32,
    /// How many there are dismissed without the filter (same sandbox scope).
    pub dismissed: u32,
    /// By severity, of those that fulfil the filter.
    pub counts: SeverityCounts,
    /// The rows asked for.
    pub rows: Vec<Finding>,
}

/// A finding as a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Finding {
    /// Stable id.
    pub id: String,
    /// Its instance.
    pub instance: String,
    /// The instance's name.
    pub instance_name: String,
    /// The application.
    pub app: String,
    /// Its name.
    pub app_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// The check.
    pub check: String,
    /// "Single sign-on is off".
    pub title: String,
    /// What it was found on; empty for the tenant itself.
    pub resource: String,
    /// How bad it is.
    pub severity: Severity,
    /// `config`, …
    pub feature: String,
    /// Whether it is open.
    pub state: FindingState,
    /// When it was first found.
    pub first_seen: String,
    /// When it was last found.
    pub last_seen: String,
    /// When it was fixed or gone.
    pub ended_at: Option<String>,
    /// Since when it was not re-checked, if the last scan could not.
    pub not_rechecked_since: Option<String>,
    /// It appeared after the last visit.
    pub new: bool,
    /// A person attested it; it was not scanned.
    pub attested: bool,
    /// What holds it back, while it is dismissed.
    pub held_by: Option<super::HeldBy>,
}

/// A finding with everything behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FindingPage {
    /// Its row.
    pub finding: Finding,
    /// The practice: "SAML SSO is on".
    pub practice: String,
    /// `fail`, `pass`, `not_applicable`, `not_evaluated`, `manual`, `observed`.
    pub verdict: String,
    /// Why it was not evaluated or does not apply.
    pub cause: Option<Cause>,
    /// What it is.
    pub current: String,
    /// What it should be.
    pub recommended: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub steps: Vec<String>,
    /// The vendor's console page.
    pub link: Option<ConsoleLink>,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// What happened to it, newest first.
    pub history: Vec<HistoryEvent>,
    /// Framework and references: "NIST 800-53", ["IA-2"].
    pub frameworks: Vec<FrameworkReference>,
    /// SSCF controls.
    pub sscf: Vec<String>,
    /// The document the practice comes from.
    pub source: String,
    /// The attestation it rests on, if a person attested it.
    pub attestation: Option<super::Attestation>,
    /// The decision that holds it back, while it is dismissed.
    pub decision: Option<super::Decision>,
    /// The override that its check is judged by.
    pub overridden: Option<super::Decision>,
    /// The lock of what was read of its row; of a finding of a lock, that lock.
    pub locked: Option<super::Decision>,
    /// What of its check can be overridden.
    pub params: Vec<super::CheckParam>,
    /// Whether what was read of its row can be locked.
    pub lockable: bool,
    /// The key of its row; empty for the tenant itself.
    pub row: String,
    /// Whether its check is one that scans judge and that can be left unmonitored.
    pub scanned: bool,
}

/// A page of the vendor's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConsoleLink {
    /// "Settings › Security › Authentication".
    pub title: String,
    /// Empty when there is only a place to name.
    pub url: String,
}

/// A row of a dataset that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Evidence {
    /// The dataset.
    pub dataset: String,
    /// Its title.
    pub title: String,
    /// The row's name; empty for an object.
    pub label: String,
    /// Fields that were read and their values, as JSON text.
    pub fields: Vec<EvidenceField>,
    /// SHA-256 of the canonical row.
    pub hash: String,
    /// When it was read.
    pub collected_at: String,
    /// The request that gave it.
    pub request: Option<Request>,
}

/// A field and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EvidenceField {
    /// `attributes.saml.enabled`.
    pub path: String,
    /// JSON text, at most 2,000 characters.
    pub value: String,
}

/// A request that was made. Never its query, body or credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Request {
    /// When it was sent.
    pub at: String,
    /// The instance.
    pub instance: String,
    /// `dataset`, `continuation` or `sign_in_hop`.
    pub class: String,
    /// The host.
    pub host: String,
    /// `GET`.
    pub method: String,
    /// `/v1/users`.
    pub path: String,
    /// The status; `None` when there was no answer.
    pub status: Option<u32>,
    /// Bytes of the answer.
    pub bytes: f64,
    /// How long it took.
    pub milliseconds: u32,
    /// `answered`, `refused`, `failed`, `cancelled`.
    pub outcome: String,
}

/// A page of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct RequestList {
    pub total: u32,
    pub rows: Vec<Request>,
}

/// What happened to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct HistoryEvent {
    /// When.
    pub at: String,
    /// `opened`, `still_open`, `reopened`, `fixed`, `gone`, `not_rechecked`, `dismissed`, `returned`.
    pub kind: String,
    /// In words: "Opened: SAML off".
    pub sentence: String,
}

/// References of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FrameworkReference {
    /// As filters name it: `nist_800_53`.
    pub id: String,
    /// "NIST 800-53".
    pub framework: String,
    /// `IA-2`.
    pub references: Vec<String>,
}

/// Formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum ExportFormat {
    Csv,
    Json,
}

/// Formats of an export of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "lowercase")]
pub enum FindingFormat {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// A page for auditors and for paper.
    Html,
    /// Compliance findings of the Open Cybersecurity Schema Framework, for security data lakes.
    Ocsf,
    /// Assessment results of OSCAL, for auditors' programs.
    Oscal,
}

impl FindingFormat {
    /// What the names of such files end with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Json | Self::Ocsf | Self::Oscal => "json",
        }
    }
}

impl From<ExportFormat> for FindingFormat {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Json => Self::Json,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Exported {
    /// Where to.
    pub path: String,
    /// How many findings.
    pub findings: u32,
}
