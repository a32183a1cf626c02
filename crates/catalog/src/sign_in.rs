//! What the strategies need to know that ask a person in a browser, or sign for themselves with a private key.

use serde::Serialize;
use std::collections::BTreeMap;

/// An address that signing in asks: a path on the host of a host role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// The host role: `login`.
    pub role: String,
    /// Its path; a placeholder of an open field fills one whole segment: `/oidc/accounts/{account_id}/v1/token`.
    pub path: String,
}

/// A host that the answer of a token endpoint names, because the vendor keeps each customer on a host of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostFrom {
    /// The member of the answer that holds an https URL: `instance_url`.
    pub member: String,
    /// The host role that it becomes the only host of.
    pub role: String,
    /// What the host must end in, after whole labels: `.my.salesforce.com`.
    pub suffixes: Vec<String>,
}

/// How a client with a secret says who it is to a token endpoint (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretBy {
    /// `client_id` and `client_secret` in the form.
    #[default]
    Post,
    /// An `Authorization: Basic` header.
    Basic,
}

/// What [`crate::Strategy::AuthorizationCode`] needs to know: a person signs in at the vendor's page in the system browser,
/// which comes back to this computer with a code (RFC 6749, section 4.1; RFC 8252).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizationCode {
    /// The page that opens.
    pub authorize: Endpoint,
    /// Where the code, and later the refresh token, is exchanged.
    pub token: Endpoint,
    /// The open field with the client's id.
    pub client_id: String,
    /// The secret field with the client's secret; `None` for a public client.
    pub client_secret: Option<String>,
    /// How the secret is sent.
    pub authenticate: SecretBy,
    /// The scope that is asked for, divided by spaces; empty asks for none.
    pub scope: String,
    /// Further parameters of the page's address, templates over open fields: `access_type = "offline"`.
    pub parameters: Vec<(String, String)>,
    /// The address to come back to.
    pub redirect: Redirect,
    /// Whether the vendor knows PKCE (RFC 7636): a proof that whoever exchanges the code is who asked for it. By S256 only.
    pub pkce: bool,
    /// Where the token's answer names the host of a role.
    pub host_from: Option<HostFrom>,
}

/// The address on this computer that the browser comes back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redirect {
    /// `127.0.0.1` or `localhost`, as the vendor has it registered.
    pub host: RedirectHost,
    /// `/callback`; `/` is written without a path.
    pub path: String,
    /// The ports to try, where the vendor wants an address registered to the letter. Empty: any free one.
    pub ports: Vec<u16>,
}

/// This computer, as the address to come back to names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RedirectHost {
    /// The IPv4 loopback address (RFC 8252, section 7.3).
    #[serde(rename = "127.0.0.1")]
    Address,
    /// The name, under either family.
    #[serde(rename = "localhost")]
    Name,
}

impl RedirectHost {
    /// As it stands in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::Name => "localhost",
        }
    }
}

/// What [`crate::Strategy::DeviceCode`] needs to know: a person types a short code at the vendor's page, on any device
/// (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceCode {
    /// Where a code is asked for. The page where it is typed lies on a host of the login option.
    pub device: Endpoint,
    /// Where is asked whether it was typed.
    pub token: Endpoint,
    /// The open field with the client's id.
    pub client_id: String,
    /// The scope that is asked for, divided by spaces; empty asks for none.
    pub scope: String,
}

/// What [`crate::Strategy::GithubApp`] needs to know: a GitHub App signs for itself and is given a token of its installation
/// in one organization, which ends after an hour
/// (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GithubApp {
    /// Host role of the API.
    pub role: String,
    /// The open field with the app's id, or its client id.
    pub app_id: String,
    /// The secret field with the app's private key.
    pub private_key: String,
    /// The open field with the organization.
    pub organization: String,
    /// What the token may do; each `read`. The token that comes is not used where it may do more.
    pub permissions: BTreeMap<String, String>,
}

/// What [`crate::Strategy::SnowflakeKeyPair`] needs to know: a user's private key signs a token that Snowflake takes as it is
/// (<https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnowflakeKeyPair {
    /// The open field with the account identifier, or with the account's host.
    pub account: String,
    /// The open field with the user.
    pub user: String,
    /// The secret field with the user's private key.
    pub private_key: String,
    /// The secret field with the key's passphrase.
    pub passphrase: Option<String>,
}
