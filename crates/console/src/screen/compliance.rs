//! Frameworks: how far checks reach into them, and what they came to.

use super::{OutcomeCounts, RuleCheck, RuleStatus, UnreadableInstance};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Every framework that checks refer to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FrameworkList {
    /// Whether this speaks of simulated tenants.
    pub sandbox: bool,
    /// How many instances it speaks of.
    pub instances: u32,
    /// Instances of which nothing can be said.
    pub unreadable: Vec<UnreadableInstance>,
    /// The frameworks, the SSCF first.
    pub rows: Vec<FrameworkRow>,
}

/// A framework as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FrameworkRow {
    /// `nist_800_53`.
    pub id: String,
    /// "NIST 800-53".
    pub name: String,
    /// "NIST SP 800-53 revision 5".
    pub title: String,
    /// What it has, in the plural: "controls and enhancements".
    pub unit: String,
    /// How many of them there are in all.
    pub total: u32,
    /// How many of them checks of onboarded instances name.
    pub touched: u32,
    /// How many of them are of each status.
    pub statuses: StatusCounts,
    /// All of that as a sentence.
    pub sentence: String,
}

/// How many controls came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct StatusCounts {
    pub failed: u32,
    pub not_evaluated: u32,
    pub passed: u32,
    pub attested: u32,
    pub not_applicable: u32,
    pub not_covered: u32,
}

/// A framework with all of its controls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FrameworkPage {
    /// Whether this speaks of simulated tenants.
    pub sandbox: bool,
    /// How many instances it speaks of.
    pub instances: u32,
    /// Instances of which nothing can be said.
    pub unreadable: Vec<UnreadableInstance>,
    /// Its row.
    pub framework: FrameworkRow,
    /// What is to be known when its numbers are read.
    pub note: String,
    /// Where it is published (URL).
    pub source: String,
    /// Its parts, with how many controls of each are touched.
    pub families: Vec<FrameworkFamily>,
    /// Every control, in the framework's order; those that no check names are *not covered*.
    pub controls: Vec<FrameworkControl>,
}

/// A part of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FrameworkFamily {
    /// `AC`.
    pub id: String,
    /// "Access Control".
    pub title: String,
    /// How many controls it has.
    pub total: u32,
    /// How many of them checks name.
    pub touched: u32,
}

/// A control of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FrameworkControl {
    /// `AC-6(10)`.
    pub id: String,
    /// Its title; empty where the framework's words may not be repeated.
    pub title: String,
    /// The part that it is in.
    pub family: String,
    /// That part's title.
    pub family_title: String,
    /// What the checks that name it came to, worst first.
    pub status: RuleStatus,
    /// How many checks name it.
    pub checks: u32,
    /// On how many instances.
    pub instances: u32,
    /// What those came to.
    pub counts: OutcomeCounts,
    /// All of that as a sentence: "All 3 checks passed; they cover a part of it."
    pub sentence: String,
}

/// A control with its checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ControlPage {
    /// Whether this speaks of simulated tenants.
    pub sandbox: bool,
    /// The framework's id.
    pub framework: String,
    /// "NIST 800-53".
    pub framework_name: String,
    /// Its row.
    pub control: FrameworkControl,
    /// The checks that name it, worst first.
    pub checks: Vec<RuleCheck>,
}

/// Formats of a framework's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "lowercase")]
pub enum ComplianceFormat {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// A page for auditors and for paper.
    Html,
}

impl ComplianceFormat {
    /// What the names of such files end with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

/// What was written of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ComplianceExported {
    /// Where to.
    pub path: String,
    /// How many controls.
    pub controls: u32,
}
