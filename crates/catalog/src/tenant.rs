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
    /// Whether it is among the few that are shown when the sandbox is started without a choice.
    pub tour: bool,
    /// Values the Add Instance dialog would hold, secrets included: they open nothing but this sandbox.
    pub fields: std::collections::BTreeMap<String, String>,
    /// Login option they belong to.
    pub login: String,
    /// Parameters without a default (company domains, known hosts), by check id.
    pub params: std::collections::BTreeMap<String, std::collections::BTreeMap<String, crate::ParamValue>>,
    /// The answers.
    pub answers: Vec<SandboxAnswer>,
    /// How the simulated Okta organization of a tenant with that strategy behaves; `None` for tenants of other strategies.
    pub okta: Option<SandboxOkta>,
    /// What the simulated token endpoint of a tenant with client credentials hands out; `None` for tenants of other
    /// strategies.
    pub tokens: Option<SandboxTokens>,
    /// How many requests its hosts take; `None`: ample.
    pub limits: Option<SandboxLimits>,
    /// How people, GitHub Apps and applications of Microsoft Entra ID are signed in.
    pub sign_in: crate::SandboxSignIn,
    /// What a scan of it rightly does not evaluate, and why. Nothing in `clean` and `risky`.
    pub left_open: Vec<(LeftOpen, crate::CauseKind)>,
    /// What the vendor's error answers look like, by status (401, 402, 403, 404, 429, 500). A status that is not listed
    /// is answered with `{"errors":[{"code","message"}]}`.
    pub errors: std::collections::BTreeMap<u16, serde_json::Value>,
}

/// What a scan of a tenant leaves open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOpen {
    /// A dataset, not read whole or not at all, with the checks that rest on it.
    Dataset(String),
    /// A check on some row.
    Check(String),
}

/// How a simulated Okta organization behaves: the table `[okta]` of a tenant, every member of which has a usual value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxOkta {
    /// Which engine signs users in.
    pub engine: OktaEngine,
    /// Whether an organization on the Identity Engine answers `/api/v1/authn` too, as upgraded ones do. Usually true.
    pub classic_api: bool,
    /// Whether the Identity Engine asks for user and password at once (`steps = "one"`); usually one after the other.
    pub one_step: bool,
    /// What the user is enrolled in. The tenant's MFA key belongs to Google Authenticator where it is listed, otherwise to
    /// Okta Verify. Usually Google Authenticator alone.
    pub factors: Vec<OktaFactor>,
    /// Who asks for the second factor. Usually the organization.
    pub second_factor: SecondFactor,
    /// Label of the application on the user's dashboard. Usually the application's name.
    pub application: String,
    /// Whether the user may use the application. Usually true.
    pub assigned: bool,
    /// Whether the Identity Engine offers at the end to keep the user signed in. Usually false.
    pub keep_me_signed_in: bool,
    /// Whether the password is about to expire and Okta says so. Usually false.
    pub password_warning: bool,
    /// Whether the user's password is checked by another identity provider. Usually false.
    pub elsewhere: bool,
    /// Whether the application's lookup endpoint is there. Usually true.
    pub lookup: bool,
    /// Path of the application's assertion consumer; signing in is by SAML then. Without it, SAML is used, at the first
    /// prefix of the strategy's `acs`, only where the strategy has no `callback`.
    pub acs: Option<String>,
    /// Whether the application sends its SAML request as a form (`request = "form"`); usually in a redirect.
    pub request_by_form: bool,
    /// Domain of the application's session cookie. Usually none: the cookie is of the one host that sets it.
    pub cookie_domain: Option<String>,
}

impl Default for SandboxOkta {
    fn default() -> Self {
        Self {
            engine: OktaEngine::IdentityEngine,
            classic_api: true,
            one_step: false,
            factors: vec![OktaFactor::Google],
            second_factor: SecondFactor::Organization,
            application: String::new(),
            assigned: true,
            keep_me_signed_in: false,
            password_warning: false,
            elsewhere: false,
            lookup: true,
            acs: None,
            request_by_form: false,
            cookie_domain: None,
        }
    }
}

/// The engines of Okta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OktaEngine {
    /// `pipeline` is `v1`.
    Classic,
    /// `pipeline` is `idx`.
    IdentityEngine,
}

/// What a simulated Okta user can be enrolled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OktaFactor {
    /// Google Authenticator: one-time codes.
    Google,
    /// The one-time codes of Okta Verify.
    OktaVerify,
    /// Okta Verify with a push message.
    Push,
    /// A code in a text message.
    Sms,
    /// A code in a phone call.
    Call,
}

impl OktaFactor {
    /// The words of tenant files and of changes.
    pub const WORDS: [(&'static str, Self); 5] =
        [("google", Self::Google), ("okta_verify", Self::OktaVerify), ("push", Self::Push), ("sms", Self::Sms), ("call", Self::Call)];
}

/// Who asks for the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// The organization, for every sign-in.
    Organization,
    /// The application's own policy, once the user goes there.
    Application,
}

/// What a simulated token endpoint hands out: the table `[tokens]` of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxTokens {
    /// The scope that is granted whatever is asked for; usually what was asked for.
    pub grants: Option<String>,
    /// Seconds from issue to expiry, 60 to 86,400; usually 3,600.
    pub lifetime_seconds: u32,
    /// The host that the answer names, where the strategy has a `host_from`; usually the first of the strategy's own suffixes
    /// with the tenant's id before it.
    pub host: Option<String>,
    /// Whether DPoP proofs must hold a nonce that the endpoint gave (RFC 9449, section 8). Usually true.
    pub nonces: bool,
    /// Whether tokens are bound to the key of the DPoP proof where one is sent. Usually true; false answers with plain bearer
    /// tokens.
    pub dpop: bool,
}

impl Default for SandboxTokens {
    fn default() -> Self {
        Self { grants: None, lifetime_seconds: 3_600, host: None, nonces: true, dpop: true }
    }
}

/// How many requests each host of a simulated vendor takes: the table `[limits]` of a tenant. Requests beyond it are refused,
/// and every answer tells what is left, in the headers that the datasets' politeness names.
#[derive(Debug, Clone, PartialEq)]
pub struct SandboxLimits {
    /// Requests per second on average, 1 to 10,000; `None`: no such limit.
    pub per_second: Option<u32>,
    /// Requests at once before the average counts, 1 to 100,000; usually as many as in a second.
    pub burst: u32,
    /// Requests under way at once, 1 to 10,000; `None`: no such limit.
    pub concurrency: Option<u32>,
    /// Status of a refusal: 429 (usual), 403 or 503.
    pub status: u16,
    /// Further headers of a refusal, names in lower case: `retry-after`.
    pub headers: std::collections::BTreeMap<String, String>,
    /// Body of a refusal; usually that of the tenant's errors.
    pub body: Option<serde_json::Value>,
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
    /// The dataset that it answers, where that has a protocol of its own: whatever asks that dataset's document, and nothing
    /// else. `method` and `path` are the dataset's then.
    #[serde(default)]
    pub document: Option<String>,
    /// Of a dataset that is read per row: the carried fields that it answers for; empty for each.
    #[serde(default)]
    pub each: std::collections::BTreeMap<String, String>,
    /// Rows of a page, where it answers a dataset's document, or is paged and a request does not say how many; the vendor's usual
    /// number otherwise.
    #[serde(default)]
    pub page_rows: Option<u32>,
    /// The status.
    pub status: u16,
    /// For lists that are paged: the style, and where the rows lie in `body`: `json_api` (rows at `data`, `page` and
    /// `pageSize`), `json_api_after` (rows at `data`, `after` and `count`), `link_header` (the body is the list, `page` and
    /// `per_page`), `page_number` (`page` and `limit`, `total_pages` and `has_more` in the body), `cursor` (`cursor` and `limit`,
    /// `next_cursor` in the body), `cursor_start` (`start` and `limit`, `next` in the body); `json_api:items`, and the same with
    /// the others, name another member. `None` serves `body` as it stands.
    pub paged: Option<String>,
    /// Further headers, names in lower case, values with placeholders.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// The body.
    pub body: serde_json::Value,
    /// Whether the request must carry the tenant's credential.
    pub authorised: bool,
}
