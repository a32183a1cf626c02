//! Accounts and plugins of an instance, and what is risky about them.

use super::{Cause, Evidence, Severity, Slice};
use serde::{Deserialize, Serialize};
use specta::Type;

/// How a property was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PropertyState {
    /// It has a value.
    Is,
    /// The vendor says that there is none: no address, no end.
    None,
    /// It could not be told.
    Unknown,
    /// The connector of this application does not read it.
    NotRead,
}

/// A property of an account or a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Property {
    /// How it was found.
    pub state: PropertyState,
    /// Text, a word, `true` or `false`, a time; a list joined by commas. Empty without a value.
    pub value: String,
    /// The items of a list.
    pub values: Vec<String>,
    /// Why it could not be told.
    pub cause: Option<Cause>,
}

/// Which accounts or plugins are asked for. Empty parts do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InventoryFilter {
    /// Those that have any of these risks: `no_mfa`.
    pub risks: Vec<String>,
    /// Those of which it is not known whether they have any of these risks. Together with `risks`: either.
    pub unknown: Vec<String>,
    /// Kinds: `guest`, `webhook`.
    pub kinds: Vec<String>,
    /// Part of a name, identifier, address, role, publisher, user or scope.
    pub text: String,
}

/// The order of accounts or plugins; what is not known comes last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum InventorySort {
    #[default]
    Severity,
    Name,
    Kind,
    Status,
    Created,
    LastUsed,
    Expires,
}

/// A page of accounts or plugins asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InventoryQuery {
    /// Which.
    pub filter: InventoryFilter,
    /// In which order.
    pub sort: InventorySort,
    /// Worst, latest or last letter first.
    pub descending: bool,
    /// Which part.
    pub slice: Slice,
}

/// A risk and how many have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RiskCount {
    /// `no_mfa`.
    pub risk: String,
    /// "No MFA".
    pub title: String,
    /// What it means, with the threshold where there is one.
    pub meaning: String,
    /// How many have it, of all.
    pub present: u32,
    /// Of how many it is not known: neither a risk nor an all-clear.
    pub unknown: u32,
}

/// A dataset or view that accounts or plugins were read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InventorySource {
    /// "Team members".
    pub title: String,
    /// Why it was not read whole; `None` when it was.
    pub cause: Option<Cause>,
    /// Whether anything of it could be used.
    pub available: bool,
    /// How many it gave.
    pub items: u32,
    /// Rows of which it could not be told whether they are meant.
    pub undecided: u32,
    /// The first reason of that.
    pub undecided_cause: Option<Cause>,
    /// The properties that it does not tell: "MFA".
    pub not_read: Vec<String>,
}

/// What stands over a list of accounts or plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InventoryHead {
    /// Whether the application's connector reads any.
    pub declared: bool,
    /// The time that the list speaks of; `None` before the first complete scan that read it.
    pub as_of: Option<String>,
    /// What it was read from.
    pub sources: Vec<InventorySource>,
    /// How many there are.
    pub all: u32,
    /// How many fulfil the filter.
    pub total: u32,
    /// How many of all are ignored, and not counted below.
    pub ignored: u32,
    /// Every risk, over all that are not ignored.
    pub risks: Vec<RiskCount>,
    /// From when on something is a risk.
    pub thresholds: InventoryThresholds,
}

/// From when on something is a risk, in days from 1 to 3,650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InventoryThresholds {
    /// An account that was not used for so long is dormant.
    pub dormant_days: u32,
    /// What ends within so long is expiring.
    pub expiring_days: u32,
    /// A credential that was not changed for so long is not rotated.
    pub rotation_days: u32,
    /// A plugin that was not used for so long is unused.
    pub unused_days: u32,
}

/// A page of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AccountList {
    /// What stands over it.
    pub head: InventoryHead,
    /// The rows asked for.
    pub rows: Vec<Account>,
}

/// An account as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Account {
    /// Names it within the last complete scan.
    pub id: String,
    /// What to call it: its name, else its identifier.
    pub title: String,
    /// How bad its risks are together; `None` without any.
    pub severity: Option<Severity>,
    /// The risks it has.
    pub risks: Vec<String>,
    /// The risks of which that is not known.
    pub unknown_risks: Vec<String>,
    /// What the vendor tells it by.
    pub vendor_id: Property,
    pub name: Property,
    pub email: Property,
    /// `person`, `guest`, `service`.
    pub kind: Property,
    /// `active`, `suspended`, `invited`, `deactivated`.
    pub status: Property,
    pub administrator: Property,
    pub roles: Property,
    /// `none`, `weak`, `strong`.
    pub mfa: Property,
    pub identity_provider: Property,
    pub created: Property,
    pub last_seen: Property,
    pub never_seen: Property,
    pub credential_expires: Property,
    pub credential_changed: Property,
    /// Until when it is left out of the counters, if it is.
    pub ignored: Option<super::HeldBy>,
}

/// An account with the rows behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct AccountPage {
    /// It.
    pub account: Account,
    /// Each risk that it has, or of which that is not known.
    pub risks: Vec<RiskReason>,
    /// What it was read from: "Team members".
    pub source: String,
    /// The rows it rests on.
    pub evidence: Vec<Evidence>,
}

/// Why a risk is there, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RiskReason {
    /// `dormant`.
    pub risk: String,
    /// "Dormant".
    pub title: String,
    /// Whether it is there; `false` when that is not known.
    pub present: bool,
    /// What it means, or what is not known.
    pub sentence: String,
}

/// A page of plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PluginList {
    /// What stands over it.
    pub head: InventoryHead,
    /// The rows asked for.
    pub rows: Vec<Plugin>,
}

/// A plugin as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Plugin {
    /// Names it within the last complete scan.
    pub id: String,
    /// What to call it: its name, else its identifier.
    pub title: String,
    /// How bad its risks are together; `None` without any.
    pub severity: Option<Severity>,
    /// The risks it has.
    pub risks: Vec<String>,
    /// The risks of which that is not known.
    pub unknown_risks: Vec<String>,
    /// The maker or product of generative AI that its name or publisher names.
    pub gen_ai: Option<String>,
    /// What the vendor tells it by.
    pub vendor_id: Property,
    pub name: Property,
    /// `oauth_grant`, `installed_app`, `token`, `webhook`, `key`.
    pub kind: Property,
    pub publisher: Property,
    pub scopes: Property,
    /// `tenant`, `user`.
    pub level: Property,
    pub user: Property,
    pub status: Property,
    pub created: Property,
    pub last_used: Property,
    pub never_used: Property,
    pub expires: Property,
    pub verified_publisher: Property,
    pub write: Property,
}

/// A plugin with the rows behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct PluginPage {
    /// It.
    pub plugin: Plugin,
    /// Each risk that it has, or of which that is not known.
    pub risks: Vec<RiskReason>,
    /// What it was read from.
    pub source: String,
    /// The rows it rests on.
    pub evidence: Vec<Evidence>,
}

/// What was written of accounts or plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InventoryExported {
    /// Where to.
    pub path: String,
    /// How many.
    pub items: u32,
}
