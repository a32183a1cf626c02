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
    /// What the vendor's error answers look like, by status (401, 402, 403, 404, 429, 500). A status that is not listed
    /// is answered with `{"errors":[{"code","message"}]}`.
    pub errors: std::collections::BTreeMap<u16, serde_json::Value>,
}

/// One answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxAnswer {
    /// Host it belongs to: a host name, or a host role of the tenant's login option (`api`), which stands for every host
    /// that this role's templates come to with the tenant's fields.
    pub host: String,
    /// `GET`.
    pub method: String,
    /// Path with its values: `/v1/users`; may end in a query (`/v1/users?pending=true`), then it answers only requests that
    /// carry these parameters, and goes before an answer without them. `{{index}}` in it stands for the number of a
    /// generated row.
    pub path: String,
    /// The status.
    pub status: u16,
    /// For lists that are paged: the style, and where the rows lie in `body`: `json_api` (rows at `data`, `page` and
    /// `pageSize`), `json_api_after` (rows at `data`, `after` and `count`), `link_header` (the body is the list, `page` and
    /// `per_page`); `json_api:items` and `link_header:items` name another member. `None` serves `body` as it stands.
    pub paged: Option<String>,
    /// The body.
    pub body: serde_json::Value,
    /// Whether the request must carry the tenant's credential.
    pub authorised: bool,
}
