//! What an administrator decides of findings, checks and accounts.

use super::Slice;
use serde::{Deserialize, Serialize};
use specta::Type;

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// A finding's risk is accepted for a time.
    Dismiss,
    /// A check is judged by another value than the recommended one.
    Override,
    /// A setting, or which rows there are, is to stay as it is.
    Lock,
    /// A check is not monitored for a time.
    Unmonitor,
    /// An account is left out of the counters for a time.
    Ignore,
}

/// Why a decision is in force no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DecisionEnd {
    /// Somebody took it back.
    Undone,
    /// Its time was over.
    Expired,
    /// Another value was read than the one that it was made about.
    ValueChanged,
    /// Another decision, an attestation or a setting took its place.
    Replaced,
    /// What was dismissed passed.
    Fixed,
    /// What was dismissed is no longer there.
    Gone,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Decision {
    /// Stable id.
    pub id: String,
    /// What it is.
    pub kind: DecisionKind,
    /// Its instance.
    pub instance: String,
    /// The instance's name.
    pub instance_name: String,
    /// The application's name.
    pub app_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// The check; of an account `account:` and what it was read from.
    pub check: String,
    /// What it was about, as it was called then.
    pub title: String,
    /// What it was about within that: a user, a rule; empty for the tenant itself or the whole check.
    pub resource: String,
    /// What it holds fast, in words: "30 days", "was off"; empty where there is nothing to say.
    pub value: String,
    /// Why.
    pub reason: String,
    /// Who approved it; may be empty.
    pub approver: String,
    /// Who wrote it down.
    pub who: String,
    /// When.
    pub at: String,
    /// The last day on which it holds, `2027-02-21`; `None` until it is undone.
    pub until: Option<String>,
    /// Whether it holds now.
    pub in_force: bool,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Why it ended.
    pub ended_why: Option<DecisionEnd>,
}

/// Which decisions are asked for. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DecisionFilter {
    /// Of this instance alone.
    pub instance: Option<String>,
    /// Of these kinds.
    pub kinds: Vec<DecisionKind>,
    /// Only those in force, or only those that have ended.
    pub in_force: Option<bool>,
}

/// A page of decisions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DecisionList {
    /// How many fulfil the filter.
    pub total: u32,
    /// The rows asked for.
    pub rows: Vec<Decision>,
}

/// A page of decisions asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DecisionQuery {
    /// Which.
    pub filter: DecisionFilter,
    /// Which part.
    pub slice: Slice,
}

/// What holds a finding back, as its row tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct HeldBy {
    /// The decision.
    pub id: String,
    /// `dismiss`, or `unmonitor` where its check is not monitored.
    pub kind: DecisionKind,
    /// The last day of it.
    pub until: Option<String>,
}

/// Findings to be dismissed together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewDismissal {
    /// Their ids, at most 1,000.
    pub findings: Vec<String>,
    /// Why, in 1 to 1,000 characters.
    pub reason: String,
    /// Who approved it, in at most 80 characters; may be empty.
    pub approver: String,
    /// The last day on which it holds, `2027-02-21`: from today on, at most 365 days ahead.
    pub until: String,
}

/// What came of dismissing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Dismissed {
    /// Decisions that were made, in the order of the findings.
    pub decisions: Vec<String>,
    /// The last day of them.
    pub until: String,
    /// What could not be dismissed.
    pub refused: Vec<NotDismissed>,
}

/// A finding that could not be dismissed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NotDismissed {
    /// Its id.
    pub finding: String,
    /// Stable code: `E-FINDING-ENDED`.
    pub code: String,
    /// Why.
    pub sentence: String,
}

/// Another value than the recommended one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewOverride {
    /// The instance.
    pub instance: String,
    /// The check.
    pub check: String,
    /// Its parameter.
    pub param: String,
    /// The value as it is typed, within the parameter's bounds.
    pub value: String,
    /// Why, in 1 to 1,000 characters.
    pub reason: String,
}

/// What is to stay as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewLock {
    /// The instance.
    pub instance: String,
    /// The check.
    pub check: String,
    /// The row whose values are locked, empty for the tenant itself; `None` locks which rows there are.
    pub row: Option<String>,
    /// Why, in at most 1,000 characters; may be empty.
    pub reason: String,
}

/// A check that is not to be monitored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewUnmonitor {
    /// The instance.
    pub instance: String,
    /// The check.
    pub check: String,
    /// What is attested instead, in 10 to 1,000 characters.
    pub reason: String,
    /// Who approved it, in at most 80 characters; may be empty.
    pub approver: String,
    /// The last day on which it holds: from today on, at most 365 days ahead.
    pub until: String,
}

/// An account that is to be left out of the counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewIgnore {
    /// The instance.
    pub instance: String,
    /// The account's id within the last complete scan.
    pub account: String,
    /// 7 or 30.
    pub days: u32,
    /// Why, in at most 1,000 characters; may be empty.
    pub reason: String,
}

/// A parameter of a check, with the catalog's value beside that of the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CheckParam {
    /// Its id.
    pub param: String,
    /// "Days without use".
    pub label: String,
    /// `int`, `string`, `strings` or `bool`.
    #[serde(rename = "type")]
    pub ty: String,
    /// "days"; may be empty.
    pub unit: String,
    /// Least whole number.
    pub min: Option<i32>,
    /// Greatest whole number.
    pub max: Option<i32>,
    /// The catalog's value.
    pub recommended: String,
    /// The value it is judged by.
    pub value: String,
}
