//! Accounts and plugins of all instances together: whose they are, and who has looked at them.

use super::{Account, InventorySort, Plugin, RiskCount, SandboxScope, Severity, Slice};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Which accounts or plugins of all instances are asked for. Empty parts do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetFilter {
    /// Those that have any of these risks: `no_mfa`.
    pub risks: Vec<String>,
    /// Those of which it is not known whether they have any of these risks. Together with `risks`: either.
    pub unknown: Vec<String>,
    /// Kinds: `guest`, `webhook`.
    pub kinds: Vec<String>,
    /// Part of a name, identifier, address, role, publisher, user, scope or instance name.
    pub text: String,
    /// Instance ids.
    pub instances: Vec<String>,
    /// Application slugs.
    pub apps: Vec<String>,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
    /// Accounts of this identity alone.
    pub identity: Option<String>,
    /// Plugins that were reviewed and still have the rights of that time, or the others.
    pub reviewed: Option<bool>,
    /// Plugins whose name or publisher names generative AI.
    pub gen_ai: bool,
    /// Plugins that this user granted or installed.
    pub user: Option<String>,
}

/// A page of accounts or plugins of all instances asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetQuery {
    /// Which.
    pub filter: FleetFilter,
    /// In which order.
    pub sort: InventorySort,
    /// Worst, latest or last letter first.
    pub descending: bool,
    /// Which part.
    pub slice: Slice,
}

/// An instance of which the list does not hold everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetGap {
    /// The instance.
    pub instance: String,
    /// Its name.
    pub instance_name: String,
    /// The application's name.
    pub app_name: String,
    /// Why, and since when.
    pub sentence: String,
}

/// A page of accounts of all instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetAccounts {
    /// How many there are.
    pub all: u32,
    /// How many fulfil the filter.
    pub total: u32,
    /// Every risk, over all that are not ignored.
    pub risks: Vec<RiskCount>,
    /// Instances whose accounts are not all in it.
    pub gaps: Vec<FleetGap>,
    /// The rows asked for.
    pub rows: Vec<FleetAccount>,
}

/// An account and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetAccount {
    /// The instance.
    pub instance: String,
    /// Its name.
    pub instance_name: String,
    /// The application.
    pub app: String,
    /// Its name.
    pub app_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// The time that it speaks of.
    pub as_of: String,
    /// The key of the identity that it belongs to.
    pub identity: String,
    /// Somebody corrected that.
    pub corrected: bool,
    /// It.
    pub account: Account,
}

/// A page of plugins of all instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetPlugins {
    /// How many there are.
    pub all: u32,
    /// How many fulfil the filter.
    pub total: u32,
    /// Every risk, over all.
    pub risks: Vec<RiskCount>,
    /// Instances whose plugins are not all in it.
    pub gaps: Vec<FleetGap>,
    /// The rows asked for.
    pub rows: Vec<FleetPlugin>,
}

/// A plugin and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FleetPlugin {
    /// The instance.
    pub instance: String,
    /// Its name.
    pub instance_name: String,
    /// The application.
    pub app: String,
    /// Its name.
    pub app_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// The time that it speaks of.
    pub as_of: String,
    /// That somebody looked at it; `None` when nobody has.
    pub review: Option<PluginReview>,
    /// It.
    pub plugin: Plugin,
}

/// That somebody looked at a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PluginReview {
    /// Who.
    pub who: String,
    /// When.
    pub at: String,
    /// Whether scopes, level and writing are what they were then; if not, it is to be reviewed again.
    pub same_rights: bool,
}

/// What an identity is, by its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// An account of it is a person's or a guest's.
    Human,
    /// All its accounts are known to be no person's.
    NonHuman,
    /// It is not known of any.
    Unknown,
}

/// The order of identities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum IdentitySort {
    #[default]
    Severity,
    Name,
    Accounts,
    LastSeen,
}

/// A page of identities asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct IdentityQuery {
    /// Part of a name or address.
    pub text: String,
    /// Those with an account that has any of these risks.
    pub risks: Vec<String>,
    /// What they are.
    pub nature: Option<Nature>,
    /// Those with accounts in more than one instance.
    pub several: bool,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
    /// In which order.
    pub sort: IdentitySort,
    /// Worst, latest or last letter first.
    pub descending: bool,
    /// Which part.
    pub slice: Slice,
}

/// A page of identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct IdentityList {
    /// How many there are.
    pub all: u32,
    /// How many fulfil the query.
    pub total: u32,
    /// Instances whose accounts are not all in it.
    pub gaps: Vec<FleetGap>,
    /// The rows asked for.
    pub rows: Vec<Identity>,
}

/// Accounts that belong together: by their address, or because somebody said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Identity {
    /// What tells it: an address in small letters, or `account:…` for an account that stands alone.
    pub key: String,
    /// What to call it: the name in an identity provider where there is one, else in any account, else the address.
    pub title: String,
    /// Its address.
    pub email: Option<String>,
    /// What it is.
    pub nature: Nature,
    /// How many accounts it has.
    pub accounts: u32,
    /// In how many instances.
    pub instances: u32,
    /// How many of the accounts may administer their application, as far as that is known.
    pub administrators: u32,
    /// How bad the worst of its accounts is.
    pub severity: Option<Severity>,
    /// The risks that any of its accounts has.
    pub risks: Vec<String>,
    /// When any of its accounts was last seen, as far as that is known.
    pub last_seen: Option<String>,
}

/// A page of users who granted or installed plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PluginUserList {
    /// How many fulfil the text.
    pub total: u32,
    /// The rows asked for.
    pub rows: Vec<PluginUser>,
}

/// A user and the plugins that it granted or installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PluginUser {
    /// As the vendor names it.
    pub user: String,
    /// How many plugins.
    pub plugins: u32,
    /// In how many instances.
    pub instances: u32,
    /// How bad the worst of them is.
    pub severity: Option<Severity>,
}
