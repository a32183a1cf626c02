//! `instance`: the onboarded tenants.

use catalog::ParamValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};
use uuid::Uuid;

/// What identifies an instance everywhere: in the database, in the vault and on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub Uuid);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for InstanceId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(Self)
    }
}

/// An onboarded tenant. Holds nothing that is secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// What identifies it.
    pub id: InstanceId,
    /// The application's slug.
    pub app: String,
    /// Its name, unique among the application's instances.
    pub name: String,
    /// `Default`, `Production`, …
    pub label: String,
    /// Who answers for it; may be empty.
    pub owner: String,
    /// The login option.
    pub login: String,
    /// The login fields that are not secret, by id.
    pub inputs: BTreeMap<String, String>,
    /// How its requests leave this computer; the caller's own shape, without user information.
    pub route: serde_json::Value,
    /// Thresholds and lists that the administrator set, by check and parameter.
    pub params: BTreeMap<String, BTreeMap<String, ParamValue>>,
    /// Whether it is simulated on this computer.
    pub sandbox: bool,
    /// Of a simulated one, which tenant.
    pub tenant: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}
