//! The token endpoint of a tenant: a client's secret, a client's signed assertion (RFC 6749, section 4.4; RFC 7523, section
//! 2.2) or a signed grant (RFC 7523, section 2.1) is exchanged for a token that expires, and that is bound to a key where one
//! is proved (DPoP, RFC 9449).

use crate::{
    answer::{Asked, pairs},
    door::{Caller, DoorAnswer, Knows},
    key::{self, ProofProblem, Registered, Seen, Wanted},
    served::Served,
    token::{Issue, Use},
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What the endpoint knows.
pub(crate) struct TokenEndpoint {
    pub(crate) tenant: String,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) path: String,
    pub(crate) expects: Expects,
    /// The scope that may be asked for; words divided by spaces.
    pub(crate) scope: String,
    /// The scope that is granted whatever is asked for.
    pub(crate) grants: Option<String>,
    pub(crate) lifetime_seconds: u32,
    /// A member of each answer, and the URL that it holds.
    pub(crate) names: Option<(String, String)>,
    pub(crate) dpop: Dpop,
    /// Ids of assertions and proofs.
    pub(crate) seen: Seen,
}

/// What the endpoint makes of proofs of possession.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dpop {
    /// They are not looked at.
    Ignored,
    /// There has to be one.
    Wanted {
        /// It has to hold a nonce of the endpoint's.
        nonces: bool,
    },
}

/// What is exchanged.
pub(crate) enum Expects {
    Client { client_id: Option<String>, proof: Proof, grant_type: String, parameters: Vec<(String, String)> },
    Grant(Box<Grant>),
}

/// What proves a client.
pub(crate) enum Proof {
    Secret(String),
    /// The value of the `Authorization` header.
    Header(String),
    Key(Registered),
}

/// What a signed grant says.
pub(crate) struct Grant {
    pub(crate) key: Registered,
    pub(crate) issuer: String,
    pub(crate) subject: Option<String>,
    pub(crate) audience: String,
    pub(crate) claims: Vec<(String, String)>,
    pub(crate) scope_in_claims: bool,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
}

/// What a token may do that was asked for without a scope: all that its secret may.
const UNLIMITED: &str = "full_access";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Seconds that a nonce is given out; the one before is good as well.
const NONCE: i64 = 300;

/// A refusal: status and `error`.
type Refused = (u16, &'static str);

impl TokenEndpoint {
    fn is_here(&self, asked: &Asked) -> bool {
        self.hosts.contains(&asked.host) && asked.path == self.path
    }

    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        if !self.is_here(asked) {
            return Knows::No;
        }
        let form = Form::of(asked);
        let surely = match &self.expects {
            Expects::Client { proof: Proof::Secret(secret), .. } => form.text("client_secret") == Some(secret),
            Expects::Client { proof: Proof::Header(header), .. } => asked.authorization.as_ref() == Some(header),
            Expects::Client { proof: Proof::Key(key), .. } => {
                form.text("client_assertion").is_some_and(|token| key.opened(token).is_some())
            }
            Expects::Grant(grant) => form.text("assertion").is_some_and(|token| grant.key.opened(token).is_some()),
        };
        if surely { Knows::Surely } else { Knows::Perhaps }
    }

    pub(crate) fn answer(&self, source: &Served, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let Caller { asked, now, account, .. } = caller;
        if !self.is_here(asked) {
            return None;
        }
        let refuse = |(status, error): Refused| {
            // What tells one refusal from another stays the vendor's word for it.
            let mut body = source.errors.get(&status).cloned().unwrap_or_else(|| json!({}));
            if let Value::Object(members) = &mut body {
                members.insert("error".to_owned(), json!(error));
            }
            DoorAnswer::json(status, &body)
        };
        let form = Form::of(asked);
        if let Err(refused) = self.admits(&form, asked, *now, account.revoked) {
            return Some(refuse(refused));
        }
        let bound = match self.proof(asked, *now) {
            Ok(bound) => bound,
            Err(ProofProblem::Nonce) => return Some(refuse((400, "use_dpop_nonce")).with("dpop-nonce", &self.nonce(*now))),
            Err(ProofProblem::Invalid) => return Some(refuse((400, "invalid_dpop_proof"))),
        };
        let wanted = match self.wanted_scope(&form) {
            Ok(wanted) => wanted,
            Err(refused) => return Some(refuse(refused)),
        };
        let usual = if wanted.is_empty() { UNLIMITED.to_owned() } else { wanted };
        let scope = account.scope.clone().or_else(|| self.grants.clone()).unwrap_or(usual);
        let issue = Issue { purpose: Use::Access, round: account.round, of: &scope, seconds: i64::from(self.lifetime_seconds) };
        // RFC 9449, section 6.1.
        let confirmation = bound.iter().map(|thumbprint| ("cnf".to_owned(), json!({"jkt": thumbprint}))).collect();
        let mut body = json!({
            "access_token": issue.mint_with(&self.tenant, *now, &confirmation),
            "token_type": if bound.is_some() { "DPoP" } else { "Bearer" },
            "expires_in": self.lifetime_seconds,
            "scope": scope,
        });
        if let (Some((member, url)), Value::Object(members)) = (&self.names, &mut body) {
            members.insert(member.clone(), json!(url));
        }
        let answer = DoorAnswer::json(200, &body);
        Some(if bound.is_some() { answer.with("dpop-nonce", &self.nonce(*now)) } else { answer })
    }

    /// Whether the request proves who asks.
    fn admits(&self, form: &Form, asked: &Asked, now: Timestamp, revoked: bool) -> Result<(), Refused> {
        if asked.method != "POST" {
            return Err((405, "method_not_allowed"));
        }
        let kind = asked.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
        if kind.trim() != "application/x-www-form-urlencoded" {
            return Err((400, "invalid_request"));
        }
        let here = format!("https://{}{}", asked.host, asked.path);
        match &self.expects {
            Expects::Client { client_id, proof, grant_type, parameters } => {
                let of_client = form.text("client_id").map(str::to_owned) == *client_id;
                let known = match proof {
                    Proof::Secret(secret) => form.text("client_secret") == Some(secret) && of_client,
                    Proof::Header(header) => asked.authorization.as_ref() == Some(header) && form.text("client_secret").is_none(),
                    Proof::Key(key) => {
                        let id = client_id.as_deref().unwrap_or_default();
                        let claims = form.text("client_assertion").and_then(|token| key.opened(token));
                        let named = form.text("client_id").is_none_or(|named| named == id);
                        form.text("client_assertion_type") == Some(CLIENT_ASSERTION)
                            && named
                            && claims.is_some_and(|claims| key::holds(&claims, id, Some(id), &here, &self.seen, now))
                    }
                };
                if !known || revoked {
                    return Err((401, "invalid_client"));
                }
                if form.text("grant_type") != Some(grant_type) {
                    return Err((400, "unsupported_grant_type"));
                }
                if !parameters.iter().all(|(name, value)| form.text(name) == Some(value)) {
                    return Err((400, "invalid_request"));
                }
            }
            Expects::Grant(grant) => {
                if form.text("grant_type") != Some(GRANT) {
                    return Err((400, "unsupported_grant_type"));
                }
                let of_client = form.text("client_id").map(str::to_owned) == grant.client_id
                    && form.text("client_secret").map(str::to_owned) == grant.client_secret;
                if !of_client {
                    return Err((401, "invalid_client"));
                }
                let claims = form.text("assertion").and_then(|token| grant.key.opened(token));
                let subject = grant.subject.as_deref();
                let right = claims.is_some_and(|claims| {
                    grant.claims.iter().all(|(name, value)| claims.get(name).and_then(Value::as_str) == Some(value))
                        && key::holds(&claims, &grant.issuer, subject, &grant.audience, &self.seen, now)
                });
                if !right || revoked {
                    return Err((400, "invalid_grant"));
                }
            }
        }
        Ok(())
    }

    /// The scope that is asked for.
    fn wanted_scope(&self, form: &Form) -> Result<String, Refused> {
        let in_claims = match &self.expects {
            Expects::Grant(grant) if grant.scope_in_claims => Some(grant),
            Expects::Grant(_) | Expects::Client { .. } => None,
        };
        let claims: Map<String, Value> = match in_claims {
            Some(grant) => form.text("assertion").and_then(|token| grant.key.opened(token)).unwrap_or_default(),
            None => Map::new(),
        };
        let wanted = match in_claims {
            Some(_) => claims.get("scope").and_then(Value::as_str),
            None => form.text("scope"),
        };
        let wanted = wanted.unwrap_or_default();
        if wanted.split_whitespace().all(|word| self.scope.split_whitespace().any(|known| known == word)) {
            Ok(wanted.to_owned())
        } else {
            Err((400, "invalid_scope"))
        }
    }

    /// The thumbprint of the key that is proved.
    fn proof(&self, asked: &Asked, now: Timestamp) -> Result<Option<String>, ProofProblem> {
        let Dpop::Wanted { nonces } = self.dpop else { return Ok(None) };
        let proof = asked.header("dpop").ok_or(ProofProblem::Invalid)?;
        let good = [self.nonce(now), self.nonce_of(now.as_second() / NONCE - 1)];
        let url = format!("https://{}{}", asked.host, asked.path);
        let wanted = Wanted { method: &asked.method, url: &url, token: None, nonces: nonces.then_some(&good) };
        key::proved(proof, &wanted, &self.seen, now).map(Some)
    }

    fn nonce(&self, now: Timestamp) -> String {
        self.nonce_of(now.as_second() / NONCE)
    }

    fn nonce_of(&self, window: i64) -> String {
        hex::encode(&Sha256::digest(format!("nonce\0{}\0{window}", self.tenant))[..16])
    }
}

/// The fields of a request for a token. A field that stands there twice counts as none (RFC 6749, section 3.2).
struct Form(Vec<(String, String)>);

impl Form {
    fn of(asked: &Asked) -> Self {
        Self(pairs(&String::from_utf8_lossy(&asked.body)))
    }

    fn text(&self, wanted: &str) -> Option<&str> {
        let mut all = self.0.iter().filter(|(name, _)| name == wanted);
        all.next().map(|(_, value)| value.as_str()).filter(|_| all.next().is_none())
    }
}
