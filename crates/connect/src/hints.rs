//! What a credential tells about itself, read on this computer. Never verified and never a basis for trust or a verdict.

use crate::{Credentials, transform};
use catalog::{Format, Login, Strategy};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Map, Value};

/// What the credential seems to be. Hints only: shown while the dialog is open, and used to word a refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hints {
    /// The organization's name (`orgName` of Kustomer's keys).
    pub organization: Option<String>,
    /// Roles that the credential holds.
    pub roles: Vec<String>,
    /// When it was made.
    pub issued_at: Option<jiff::Timestamp>,
    /// When it ends.
    pub expires_at: Option<jiff::Timestamp>,
    /// Who says when it ends; nobody where `expires_at` is `None`.
    pub expires_by: Option<ExpiresBy>,
    /// The label of the choice ("EU") that it was made for, where the credential names that choice's host.
    pub made_for: Option<String>,
    /// What of [`Login::needs`] a token of Microsoft Entra ID was issued without: one is issued even where nothing was
    /// granted.
    pub missing: Vec<String>,
    /// The scopes or roles that the vendor says the credential holds; `None` where it does not tell.
    pub granted: Option<Granted>,
}

/// Who says when a credential ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresBy {
    /// The vendor: in an answer, or in the token that it made.
    Vendor,
    /// The certificate that the administrator made.
    Certificate,
}

/// What the vendor says that a credential holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Granted {
    /// How it tells.
    pub told_by: ToldBy,
    /// Scopes and roles as the vendor writes them, sorted, each once.
    pub scopes: Vec<String>,
}

/// How a vendor tells what a credential holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// In the response header that the login option names.
    Header,
    /// In the `scope` of the token endpoint's answer (RFC 6749, section 5.1).
    TokenAnswer,
    /// In the claims `scp`, `scope` or `roles` of the token.
    TokenClaims,
}

/// The most scopes that are kept; more than any vendor has.
const SCOPES: usize = 500;

impl Granted {
    /// Reads a list of scopes that spaces or commas divide. An empty list is one: nothing is granted.
    pub(crate) fn read(told_by: ToldBy, text: &str) -> Self {
        Self::of(told_by, text.split(|letter: char| letter == ',' || letter.is_ascii_whitespace()))
    }

    /// Reads the claims of a token; `None` where it has none of these.
    pub(crate) fn of_claims(claims: &Map<String, Value>) -> Option<Self> {
        let told: Vec<&Value> = ["scp", "scope", "roles"].iter().filter_map(|name| claims.get(*name)).collect();
        if told.is_empty() {
            return None;
        }
        let words = told.into_iter().flat_map(|claim| match claim {
            Value::String(text) => text.split_ascii_whitespace().collect(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        });
        Some(Self::of(ToldBy::TokenClaims, words))
    }

    fn of<'a>(told_by: ToldBy, words: impl Iterator<Item = &'a str>) -> Self {
        let mut scopes: Vec<String> = words.filter(|word| !word.is_empty()).take(SCOPES).map(shown).collect();
        scopes.sort();
        scopes.dedup();
        Self { told_by, scopes }
    }
}

impl Hints {
    /// Takes an end that somebody tells, where an earlier one is not known already.
    pub(crate) fn ends(&mut self, told: Option<jiff::Timestamp>, by: ExpiresBy) {
        if let Some(told) = told.filter(|told| self.expires_at.is_none_or(|known| *told < known)) {
            self.expires_at = Some(told);
            self.expires_by = Some(by);
        }
    }

    /// Reads what a token of Microsoft Entra ID grants: `roles` of an application, `scp` of a user
    /// (<https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference>).
    pub(crate) fn grants(&mut self, login: &Login, claims: &Map<String, Value>) {
        let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let scopes = claims.get("scp").and_then(Value::as_str).unwrap_or_default().split_ascii_whitespace();
        self.roles = roles.chain(scopes).take(200).map(shown).collect();
        self.missing = login.needs.iter().filter(|need| !self.roles.iter().any(|role| covers(role, need))).cloned().collect();
    }
}

/// Whether a permission of Microsoft Entra ID is the wanted one, or the same with more (`Policy.ReadWrite.All` for
/// `Policy.Read.All`).
pub fn covers(held: &str, wanted: &str) -> bool {
    held == wanted || (held.contains(".ReadWrite.") && held.replacen(".ReadWrite.", ".Read.", 1) == wanted)
}

/// Reads hints from the credential of a login option: from the claims, when it is a JSON Web Token. Empty when there are
/// none; never fails.
pub fn hints(login: &Login, credentials: &Credentials) -> Hints {
    let Strategy::Bearer { token } = &login.strategy else { return Hints::default() };
    let Some(claims) = credentials.get(token).and_then(|token| transform::jwt_claims(token.expose_secret())) else {
        return Hints::default();
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(shown);
    let expires_at = transform::jwt_time(&claims, "exp");
    Hints {
        organization: text("orgName").or_else(|| text("org_name")),
        roles: claims.get("roles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(shown).collect(),
        issued_at: transform::jwt_time(&claims, "iat"),
        expires_at,
        expires_by: expires_at.map(|_| ExpiresBy::Vendor),
        made_for: made_for(login, &claims),
        missing: Vec::new(),
        granted: Granted::of_claims(&claims),
    }
}

/// The choice whose host stands in the issuer or audience.
fn made_for(login: &Login, claims: &Map<String, Value>) -> Option<String> {
    let named: Vec<&str> = ["iss", "aud"]
        .iter()
        .filter_map(|name| claims.get(*name))
        .flat_map(|claim| match claim {
            Value::Array(items) => items.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![claim],
        })
        .filter_map(Value::as_str)
        .collect();
    let choices = login.fields.iter().filter(|field| field.format == Format::Choice).flat_map(|field| &field.choices);
    choices
        .filter(|choice| {
            choice.host.as_deref().is_some_and(|host| {
                named.iter().any(|text| *text == host || url::Url::parse(text).is_ok_and(|url| url.host_str() == Some(host)))
            })
        })
        .map(|choice| choice.label.clone())
        .next()
}

/// It comes from whoever made the credential, so it is bounded before it is shown.
fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(120).collect()
}
