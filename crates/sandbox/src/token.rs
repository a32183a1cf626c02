//! Tokens that a simulated vendor hands out: JSON Web Tokens that the sandbox can tell from forged, altered and expired
//! ones without keeping a list of them.
//!
//! The signature is a digest over the tenant's name and the signed text, in the length of an RS256 signature. It keeps
//! nobody out who reads this file, and need not: the tokens open nothing but a sandbox.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What a token of a tenant says, apart from its times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claims {
    pub(crate) members: Map<String, Value>,
    /// Days from minting to expiry; without, it never expires.
    pub(crate) days: Option<i64>,
    /// Days from issue to minting.
    pub(crate) age: i64,
}

/// What becomes of a presented credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Accepted,
    Expired,
    Unknown,
}

impl Claims {
    /// Parses `claim=value|value,days_ahead=N,days_ago=N`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut claims = Self { members: Map::new(), days: None, age: 0 };
        for argument in text.split(',').map(str::trim).filter(|argument| !argument.is_empty()) {
            let (name, value) = argument.split_once('=').ok_or_else(|| format!("{argument} is not of the form claim=value"))?;
            let days = || value.parse::<i64>().map_err(|_| format!("{value} is no whole number of days"));
            match name {
                "days_ahead" => claims.days = Some(days()?),
                "days_ago" => claims.age = days()?,
                "exp" | "iat" => {
                    return Err(format!("{name} follows from days_ahead and days_ago"));
                }
                _ if value.contains('|') => {
                    let items = value.split('|').filter(|item| !item.is_empty()).map(Value::from).collect();
                    claims.members.insert(name.to_owned(), Value::Array(items));
                }
                _ => {
                    claims.members.insert(name.to_owned(), Value::from(value));
                }
            }
        }
        Ok(claims)
    }

    /// A token minted at `now`.
    pub(crate) fn mint(&self, tenant: &str, now: Timestamp) -> Result<String, String> {
        let mut payload = self.members.clone();
        let issued = shifted(now, -self.age)?;
        payload.insert("iat".into(), json!(issued.as_second()));
        if let Some(days) = self.days {
            payload.insert("exp".into(), json!(shifted(now, days)?.as_second()));
        }
        Ok(sealed(tenant, payload))
    }

    /// Whether a presented token is one of these claims, minted for this tenant, and not expired at `now`.
    pub(crate) fn admit(&self, tenant: &str, token: &str, now: Timestamp) -> Admission {
        let Some(mut payload) = opened(tenant, token) else {
            return Admission::Unknown;
        };
        payload.remove("iat");
        let expiry = payload.remove("exp").and_then(|value| value.as_i64());
        if payload != self.members {
            return Admission::Unknown;
        }
        match expiry {
            Some(second) if second <= now.as_second() => Admission::Expired,
            Some(_) | None => Admission::Accepted,
        }
    }
}

/// What a token is good for that a tenant issues while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Requests for datasets, in the `Authorization` header.
    Access,
    /// Requests for datasets, as the application's cookie.
    Session,
    /// To be recognised on the way back from the identity provider.
    State,
    /// To remember whose e-mail address was typed.
    Hint,
    /// To be exchanged for another token.
    Refresh,
}

/// A token that a tenant issues while it runs.
pub(crate) struct Issue<'a> {
    pub(crate) purpose: Use,
    /// [`crate::account::Account::round`].
    pub(crate) round: u32,
    /// A scope, or what tells one token from another.
    pub(crate) of: &'a str,
    /// Seconds until it expires.
    pub(crate) seconds: i64,
}

impl Use {
    fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Session => "session",
            Self::State => "state",
            Self::Hint => "hint",
            Self::Refresh => "refresh",
        }
    }
}

impl Issue<'_> {
    /// The token, issued at `now`.
    pub(crate) fn mint(&self, tenant: &str, now: Timestamp) -> String {
        self.mint_with(tenant, now, &Map::new())
    }

    /// The token with further claims.
    pub(crate) fn mint_with(&self, tenant: &str, now: Timestamp, claims: &Map<String, Value>) -> String {
        let now = now.as_second();
        let payload = json!({"use": self.purpose.word(), "round": self.round, "scope": self.of, "iat": now, "exp": now + self.seconds});
        let mut payload = payload.as_object().cloned().unwrap_or_default();
        payload.extend(claims.iter().map(|(name, value)| (name.clone(), value.clone())));
        sealed(tenant, payload)
    }

    /// The token in a form that says nothing of itself.
    pub(crate) fn mint_opaque(&self, tenant: &str, now: Timestamp) -> String {
        format!("{OPAQUE}{}", URL_SAFE_NO_PAD.encode(self.mint(tenant, now)))
    }
}

/// The thumbprint of the key that a token is bound to (RFC 9449, section 6.1). Not verified.
pub(crate) fn bound_to(token: &str) -> Option<String> {
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()?;
    payload.get("cnf")?.get("jkt")?.as_str().map(str::to_owned)
}

/// How a token begins that says nothing of itself.
const OPAQUE: &str = "sandbox_";

/// What a token that a tenant issued was issued for. Not verified.
pub(crate) fn scope_of(token: &str) -> Option<String> {
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()?;
    payload.get("scope")?.as_str().map(str::to_owned)
}

/// What becomes of a token that a tenant may have issued for this use, in this round of its account.
pub(crate) fn issued(tenant: &str, token: &str, purpose: Use, round: u32, now: Timestamp) -> Admission {
    let plain = token.strip_prefix(OPAQUE).and_then(|text| String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok());
    let Some(payload) = opened(tenant, plain.as_deref().unwrap_or(token)) else {
        return Admission::Unknown;
    };
    let number = |name: &str| payload.get(name).and_then(Value::as_i64);
    if payload.get("use").and_then(Value::as_str) != Some(purpose.word()) {
        return Admission::Unknown;
    }
    let in_time = number("exp").is_some_and(|second| second > now.as_second());
    if in_time && number("round") == Some(i64::from(round)) { Admission::Accepted } else { Admission::Expired }
}

/// A signed token of a tenant.
fn sealed(tenant: &str, payload: Map<String, Value>) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "RS256", "typ": "JWT"}).to_string());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(Value::Object(payload).to_string()));
    let signature = signature(tenant, &signed);
    format!("{signed}.{signature}")
}

/// What a token says, if this tenant signed it.
fn opened(tenant: &str, token: &str) -> Option<Map<String, Value>> {
    let (signed, given) = token.rsplit_once('.')?;
    if signature(tenant, signed) != given {
        return None;
    }
    let (_, payload) = signed.split_once('.')?;
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()? {
        Value::Object(payload) => Some(payload),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// `now` and so many days of 24 hours.
pub(crate) fn shifted(now: Timestamp, days: i64) -> Result<Timestamp, String> {
    let out_of_range = || format!("{days} days lead out of the calendar");
    let hours = days.checked_mul(24).filter(|hours| hours.abs() <= 175_307_616).ok_or_else(out_of_range)?;
    now.checked_add(hours.hours()).map_err(|_| out_of_range())
}

/// A digest over both, as long as an RS256 signature.
pub(crate) fn signature(tenant: &str, signed: &str) -> String {
    let bytes: Vec<u8> = (0_u8..8)
        .flat_map(|block| {
            let mut digest = Sha256::new();
            digest.update([block]);
            digest.update(tenant.as_bytes());
            digest.update([0]);
            digest.update(signed.as_bytes());
            digest.finalize().to_vec()
        })
        .collect();
    URL_SAFE_NO_PAD.encode(bytes)
}
