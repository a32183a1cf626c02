//! Assertions that are a grant of their own (RFC 7523, section 2.1): a key signs who asks, for whom and for what, and the
//! vendor answers with a token.

use crate::{
    ConnectError,
    oauth::{self, Ask, Wanted, pair},
    session::{Attempt, Signed},
    signing::Signer,
};
use catalog::{Assertion, ScopeIn};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

/// Signs, exchanges, and keeps the key in memory to renew the token.
pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &Assertion) -> Result<Signed, ConnectError> {
    let mut claims = Vec::new();
    for (name, template) in &strategy.claims {
        // What rests on a field that is left empty is left out.
        if let Some(value) = attempt.fill_optional(template)? {
            claims.push((name.clone(), value));
        }
    }
    let client_id = match &strategy.client_id {
        None => None,
        Some(name) if name.contains('.') => Some(attempt.value(name)?),
        Some(field) => Some(SecretString::from(attempt.filled(field)?.to_owned())),
    };
    let statement = Statement {
        signer: Signer::of(attempt, &strategy.key)?,
        issuer: attempt.fill(&strategy.issuer)?,
        subject: attempt.fill_optional(&strategy.subject)?.unwrap_or_default(),
        audience: attempt.fill(&strategy.audience)?,
        claims,
        client_id,
        client_secret: strategy.client_secret.as_ref().map(|name| attempt.value(name)).transpose()?,
        lifetime: i64::from(strategy.lifetime_seconds),
        scope_in: strategy.scope_in,
    };
    let wanted = Wanted { scope: strategy.scope.clone(), granted: strategy.granted.clone(), host_from: strategy.host_from.clone() };
    oauth::exchange(attempt, &strategy.endpoint, Ask::Statement(Box::new(statement)), wanted, false).await
}

/// What is signed for each token.
pub(crate) struct Statement {
    signer: Signer,
    issuer: String,
    subject: String,
    audience: String,
    claims: Vec<(String, String)>,
    client_id: Option<SecretString>,
    client_secret: Option<SecretString>,
    /// Seconds.
    lifetime: i64,
    scope_in: ScopeIn,
}

impl Statement {
    /// The form with a fresh assertion; `now` is the vendor's time.
    ///
    /// # Errors
    /// When the key does not sign.
    pub(crate) fn form(&self, scope: &str, now: Timestamp) -> Result<Vec<(String, SecretString)>, ConnectError> {
        let seconds = now.as_second();
        let mut claims = Map::from_iter([
            ("iss".to_owned(), json!(self.issuer)),
            ("aud".to_owned(), json!(self.audience)),
            ("jti".to_owned(), json!(uuid::Uuid::new_v4().to_string())),
            ("iat".to_owned(), json!(seconds)),
            ("exp".to_owned(), json!(seconds + self.lifetime)),
        ]);
        if !self.subject.is_empty() {
            claims.insert("sub".to_owned(), json!(self.subject));
        }
        claims.extend(self.claims.iter().map(|(name, value)| (name.clone(), json!(value))));
        if self.scope_in == ScopeIn::Claims && !scope.is_empty() {
            claims.insert("scope".to_owned(), json!(scope));
        }
        let assertion = self.signer.sign(&Value::Object(claims))?;
        let mut form = vec![pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion".to_owned(), assertion)];
        form.extend(self.client_id.iter().map(|id| ("client_id".to_owned(), id.clone())));
        form.extend(self.client_secret.iter().map(|secret| ("client_secret".to_owned(), secret.clone())));
        if self.scope_in == ScopeIn::Form && !scope.is_empty() {
            form.push(pair("scope", scope));
        }
        Ok(form)
    }
}
