//! Controls across applications: what the checks that name them came to.

use super::{AttestationState, Cause, Severity, VerdictCounts};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What a control came to over all checks that name it, on all instances. Never that it is complied with: checks cover a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RuleStatus {
    /// At least one check failed somewhere, or a finding of it is open.
    Failed,
    /// Nothing failed that was read, but something was not read, or is to be attested.
    NotEvaluated,
    /// Every check passed, does not apply or is attested, and at least one passed.
    Passed,
    /// Nothing is scanned; a person attested all of it.
    Attested,
    /// No check applies to anything that is there.
    NotApplicable,
    /// No check of any onboarded instance names it.
    NotCovered,
}

/// What one check came to on one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It failed, observed something, was attested as not met, or a finding of it is open.
    Failed,
    /// Something that it rests on was not read, or it was never scanned.
    NotEvaluated,
    /// It is to be attested: it never was, or what was attested has ended or was withdrawn.
    Due,
    /// Everything that it applies to passed.
    Passed,
    /// A person attested it as met, or as not applicable; it was not scanned.
    Attested,
    /// It applies to nothing that is there, or nothing was observed.
    NotApplicable,
}

/// How many pairs of a check and an instance came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct OutcomeCounts {
    pub failed: u32,
    pub not_evaluated: u32,
    pub due: u32,
    pub passed: u32,
    pub attested: u32,
    pub not_applicable: u32,
}

/// The rules: one for each control of the SSCF.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct RuleList {
    /// Whether this speaks of simulated tenants.
    pub sandbox: bool,
    /// How many instances it speaks of.
    pub instances: u32,
    /// Instances whose application the catalog cannot read: nothing is known of them.
    pub unreadable: Vec<UnreadableInstance>,
    /// Every control, in the framework's order.
    pub rows: Vec<Rule>,
}

/// An instance of which nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UnreadableInstance {
    /// Its id.
    pub instance: String,
    /// Its name.
    pub instance_name: String,
    /// Why.
    pub cause: Cause,
}

/// A control as a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Rule {
    /// `IAM-SaaS-12`.
    pub id: String,
    /// "Identity and access".
    pub domain: String,
    /// "A second factor".
    pub title: String,
    /// What it asks of an application.
    pub asks: String,
    /// What it came to, worst first.
    pub status: RuleStatus,
    /// How many checks name it.
    pub checks: u32,
    /// On how many instances.
    pub instances: u32,
    /// What those came to.
    pub counts: OutcomeCounts,
}

/// A rule with its checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct RulePage {
    /// Whether this speaks of simulated tenants.
    pub sandbox: bool,
    /// Its row.
    pub rule: Rule,
    /// The checks that name it, worst first.
    pub checks: Vec<RuleCheck>,
}

/// A check with what it came to on each instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct RuleCheck {
    /// The check's id.
    pub check: String,
    /// The practice: "SAML SSO is on".
    pub title: String,
    /// The application.
    pub app: String,
    /// Its name.
    pub app_name: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// Attested by a person instead of scanned.
    pub manual: bool,
    /// Each instance, worst first.
    pub instances: Vec<InstanceOutcome>,
}

/// What a check came to on an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct InstanceOutcome {
    /// The instance's id.
    pub instance: String,
    /// Its name.
    pub instance_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// What it came to.
    pub outcome: CheckOutcome,
    /// The verdicts of its rows in the last complete scan.
    pub verdicts: VerdictCounts,
    /// Open findings of it.
    pub open: u32,
    /// Why it was not evaluated or does not apply.
    pub cause: Option<Cause>,
    /// Of a manual check, how its attestation stands.
    pub attestation: Option<AttestationState>,
    /// Of when the evidence is: the last complete scan, or the attestation.
    pub as_of: Option<String>,
}
