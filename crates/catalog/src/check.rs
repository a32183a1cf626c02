//! What is judged: `[[check]]` and `[[setting]]` in `checks.toml`.

use crate::{Feature, Place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One best practice.
#[derive(Debug, Clone)]
pub struct Check {
    /// `kustomer.auth.sso_enabled`; starts with the application's slug, stable for ever.
    pub id: String,
    /// The practice as a statement that is true when it passes: "SAML SSO is on".
    pub title: String,
    /// The finding as a statement that is true when it fails: "Single sign-on is off".
    pub finding: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// The kind of scan it belongs to.
    pub feature: Feature,
    /// Judged, only observed, or attested by a person.
    pub kind: CheckKind,
    /// The one dataset or view it runs on; empty for manual checks.
    pub on: String,
    /// CEL over `row`, `params`, `now`: where it is false the check does not apply. Empty applies everywhere.
    pub when: String,
    /// The reason shown where `when` is false.
    pub otherwise: String,
    /// CEL over `row`, `params`, `now`: true passes. For `observed`: true observes.
    pub pass: String,
    /// CEL that gives the current value as text; empty shows the fields that were read.
    pub current: String,
    /// What it should be, in words; may hold `{params.name}`.
    pub recommended: String,
    /// Why it matters, in two or three plain sentences.
    pub why: String,
    /// What to do, step by step, in the vendor's console.
    pub steps: Vec<String>,
    /// The vendor's console page.
    pub link: Option<Link>,
    /// Of a manual check, for how many days an attestation holds unless another end is chosen: 1 to [`MAX_VALID_DAYS`].
    pub valid_days: u32,
    /// Thresholds that an administrator may set.
    pub params: BTreeMap<String, Param>,
    /// SSCF controls.
    pub sscf: Vec<String>,
    /// Framework (`nist_800_53`, `cis_v8`, `soc2`, `iso_27001`, …) to its references.
    pub frameworks: BTreeMap<String, Vec<String>>,
    /// Where the facts come from (URL).
    pub source: String,
    /// Where `pass` is written (and, nearly, everything else).
    pub place: Place,
}

/// For how many days an attestation holds unless the check says otherwise.
pub const VALID_DAYS: u32 = 365;

/// For how many days an attestation can hold: three years.
pub const MAX_VALID_DAYS: u32 = 1095;

/// How bad a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// How a check comes to its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// Judged from rows.
    Check,
    /// Events: can open a finding, never passes.
    Observed,
    /// Attested by a person.
    Manual,
}

/// A page of the vendor's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// "Settings › Security › Authentication".
    pub title: String,
    /// `https` URL on one of the application's link hosts; may be templated by login fields. Empty: only the title is shown.
    pub url: String,
}

/// A threshold or list of a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Param {
    /// Its type.
    #[serde(rename = "type")]
    pub ty: ParamType,
    /// "Days without use".
    pub label: String,
    /// `None`: must be asked for; until then the check is not evaluated.
    pub default: Option<ParamValue>,
    /// Least value.
    pub min: Option<i64>,
    /// Greatest value.
    pub max: Option<i64>,
    /// "days".
    pub unit: String,
}

/// The type of a [`Param`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// A whole number.
    Int,
    /// Text.
    String,
    /// A list of text.
    Strings,
    /// true or false.
    Bool,
}

/// A value of a [`Param`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum ParamValue {
    Bool(bool),
    Int(i64),
    String(String),
    Strings(Vec<String>),
}
