//! Sandbox tenants: a vendor's answers for imaginary organizations, as files in `catalog/<app>/sandbox/<tenant>/`.

use serde::{Deserialize, Serialize};

/// An imaginary organization and what its vendor answers.
#[derive(Debug, Clone)]
pub struct SandboxTenant {
    /// The application.
    pub app: String,
    /// The folder's name: `clean`, `risky`.
    pub id: String,
    /// "Halden Moor (risky)".
    pub name: String,
    /// Values the Add Instance dialog would hold, secrets included: they open nothing but this sandbox.
    pub fields: std::collections::BTreeMap<String, String>,
    /// Login option they belong to.
    pub login: String,
    /// Parameters without a default (company domains, known hosts), by check id.
    pub params: std::collections::BTreeMap<String, std::collections::BTreeMap<String, crate::ParamValue>>,
    /// The answers.
    pub answers: Vec<SandboxAnswer>,
}

/// One answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxAnswer {
    /// Host it belongs to.
    pub host: String,
    /// `GET`.
    pub method: String,
    /// Path with its values: `/v1/users`.
    pub path: String,
    /// The status.
    pub status: u16,
    /// For lists that are paged: where the rows lie in `body` and in which style; `None` serves `body` as it stands.
    pub paged: Option<String>,
    /// The body.
    pub body: serde_json::Value,
    /// Whether the request must carry the tenant's credential.
    pub authorised: bool,
}
