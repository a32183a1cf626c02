//! The token endpoint of a tenant with client credentials (RFC 6749, section 4.4): a secret is exchanged for a token that
//! expires.

use crate::{
    answer::{Asked, pairs},
    door::{Caller, DoorAnswer, Knows},
    served::Served,
    token::{Issue, Use},
};
use serde_json::json;
use std::collections::BTreeSet;

/// What the endpoint knows.
pub(crate) struct TokenEndpoint {
    pub(crate) tenant: String,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) path: String,
    /// The client's id, where the vendor wants one.
    pub(crate) client_id: Option<String>,
    pub(crate) secret: String,
    /// The scope that may be asked for; words divided by spaces.
    pub(crate) scope: String,
    /// The scope that is granted whatever is asked for.
    pub(crate) grants: Option<String>,
    pub(crate) lifetime_seconds: u32,
}

/// What a token may do that was asked for without a scope: all that its secret may.
const UNLIMITED: &str = "full_access";

impl TokenEndpoint {
    fn is_here(&self, asked: &Asked) -> bool {
        self.hosts.contains(&asked.host) && asked.path == self.path
    }

    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        if !self.is_here(asked) {
            Knows::No
        } else if Presented::of(asked).secret.as_deref() == Some(self.secret.as_str()) {
            Knows::Surely
        } else {
            Knows::Perhaps
        }
    }

    pub(crate) fn answer(&self, source: &Served, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let Caller { asked, now, account, .. } = caller;
        if !self.is_here(asked) {
            return None;
        }
        let refuse = |status: u16, error: &str| {
            let body = source.errors.get(&status).cloned().unwrap_or_else(|| json!({"error": error}));
            Some(DoorAnswer::json(status, &body))
        };
        if asked.method != "POST" {
            return refuse(405, "method_not_allowed");
        }
        let form = "application/x-www-form-urlencoded";
        let kind = asked.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
        if kind.trim() != form {
            return refuse(400, "invalid_request");
        }
        let given = Presented::of(asked);
        let known = given.secret.as_deref() == Some(self.secret.as_str()) && self.client_id == given.client_id;
        if !known || account.revoked {
            return refuse(401, "invalid_client");
        }
        if given.grant_type.as_deref() != Some("client_credentials") {
            return refuse(400, "unsupported_grant_type");
        }
        let wanted = given.scope.unwrap_or_default();
        if !wanted.split_whitespace().all(|word| self.scope.split_whitespace().any(|known| known == word)) {
            return refuse(400, "invalid_scope");
        }
        let usual = if wanted.is_empty() { UNLIMITED.to_owned() } else { wanted };
        let scope = account.scope.clone().or_else(|| self.grants.clone()).unwrap_or(usual);
        let issue = Issue { purpose: Use::Access, round: account.round, of: &scope, seconds: i64::from(self.lifetime_seconds) };
        let body = json!({
            "access_token": issue.mint(&self.tenant, *now),
            "token_type": "Bearer",
            "expires_in": self.lifetime_seconds,
            "scope": scope,
        });
        Some(DoorAnswer::json(200, &body))
    }
}

/// What a request for a token holds. The secret stands in the body, where the one vendor that exchanges wants it: an
/// `Authorization` header is not looked at.
struct Presented {
    grant_type: Option<String>,
    client_id: Option<String>,
    secret: Option<String>,
    scope: Option<String>,
}

impl Presented {
    fn of(asked: &Asked) -> Self {
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let member = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        Self { grant_type: member("grant_type"), client_id: member("client_id"), secret: member("client_secret"), scope: member("scope") }
    }
}
