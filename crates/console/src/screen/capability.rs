//! What an application can be used for: which controls something looks at, and what a credential may read.

use serde::{Deserialize, Serialize};
use specta::Type;

/// The capability sheet of an application, or of an instance of it: every control of the CSA SaaS Security Capability Framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Coverage {
    /// `kustomer`.
    pub app: String,
    /// "Kustomer".
    pub app_name: String,
    /// The instance by whose login option it is told; `None` for the application itself.
    pub instance: Option<String>,
    /// Every control, in the framework's order.
    pub controls: Vec<ControlCoverage>,
    /// How many there are of each state.
    pub counts: CoverageCounts,
}

/// How many controls there are of each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct CoverageCounts {
    pub checked: u32,
    pub attested: u32,
    pub login_lacks: u32,
    pub not_covered: u32,
}

/// What looks at a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ControlCoverage {
    /// `IAM-SaaS-12`.
    pub id: String,
    /// "Identity and access".
    pub domain: String,
    /// "A second factor".
    pub title: String,
    /// What the control asks of the application.
    pub asks: String,
    /// Which it is.
    pub state: CoverageState,
    /// Checks that are judged from what is read.
    pub checks: Vec<CoveringCheck>,
    /// Checks that a person attests.
    pub attested: Vec<CoveringCheck>,
    /// Why nothing looks at it, or what the login option lacks; empty where something does.
    pub reason: String,
    /// Where the reason is known from (URL); empty where nobody has looked, or where there is no reason.
    pub source: String,
}

/// What looks at a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// A check that is judged from what is read.
    Checked,
    /// A person, and no check.
    Attested,
    /// A check, but the login option of the instance does not reach what it rests on.
    LoginLacks,
    /// Nothing.
    NotCovered,
}

/// A check that names a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CoveringCheck {
    /// `kustomer.auth.sso_enabled`.
    pub id: String,
    /// "SAML SSO is on".
    pub title: String,
    /// Whether the login option reaches all that it rests on; of an application, whether any of its login options does.
    pub reached: bool,
}

/// What the credential of an instance may read, what it lacks, and what it holds needlessly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Permissions {
    /// The instance.
    pub instance: String,
    /// When the scan ended that this rests on; `None` before the first complete one.
    pub as_of: Option<String>,
    /// Each dataset.
    pub datasets: Vec<super::DatasetState>,
    /// Checks that can be evaluated.
    pub checks: u32,
    /// All checks that are judged from what is read.
    pub all_checks: u32,
    /// The rest of it.
    pub advice: PermissionAdvice,
}

/// What follows from what a credential may read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PermissionAdvice {
    /// Checks of which only the first scan tells whether they can be evaluated, because what they rest on is read per row of another
    /// dataset.
    pub later: u32,
    /// Checks that cannot be evaluated.
    pub lost: Vec<LostCheck>,
    /// What to grant, what costs most checks first.
    pub grants: Vec<Grant>,
    /// What the vendor tells of the credential's scopes.
    pub granted: Granted,
    /// Granted scopes that are not needed, or are wider than needed. Always empty where the vendor does not tell what is granted.
    pub spare: Vec<SpareScope>,
    /// Why nothing can be said of scopes that are not needed; empty where it can.
    pub silent: String,
}

/// A check that cannot be evaluated with the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LostCheck {
    /// `github.org.mfa`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How bad a failure would be.
    pub severity: super::Severity,
    /// Titles of the datasets that it rests on and that cannot be read.
    pub datasets: Vec<String>,
}

/// A scope or role that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Grant {
    /// The one to grant, the least; empty where the catalog names none.
    pub scope: String,
    /// Any one of these would do.
    pub any_of: Vec<String>,
    /// Titles of the datasets that need it.
    pub datasets: Vec<String>,
    /// Checks that rest on them.
    pub checks: u32,
    /// What the vendor's refusal came to.
    pub said: String,
}

/// What the vendor tells of a credential's scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Granted {
    /// `header`, `token_answer` or `token_claims`; empty where it does not tell.
    pub told_by: String,
    /// As the vendor writes them, sorted.
    pub scopes: Vec<String>,
    /// When it was told.
    pub at: Option<String>,
}

/// A granted scope that is not needed, or wider than needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SpareScope {
    /// `admin:org`.
    pub scope: String,
    /// What would do in its place, and is not granted yet; empty where it can go without replacement.
    pub instead: Vec<String>,
    /// One sentence that says so.
    pub sentence: String,
}
