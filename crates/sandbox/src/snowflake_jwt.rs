//! What a Snowflake user signs for itself, verified by a library
//! (<https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>).

use crate::token::Admission;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Snowflake takes a token for an hour at most, whatever it says.
const LONGEST: i64 = 3600;

/// A user whose public key is registered.
pub(crate) struct KeyPairUser {
    subject: String,
    issuer: String,
    key: DecodingKey,
}

impl KeyPairUser {
    /// `account` as the dialog has it; `public` is DER of the key's `SubjectPublicKeyInfo`.
    pub(crate) fn new(account: &str, user: &str, key: DecodingKey, public: &[u8]) -> Self {
        let subject = format!("{}.{}", account.split('.').next().unwrap_or_default(), user).to_uppercase();
        let issuer = format!("{subject}.SHA256:{}", STANDARD.encode(Sha256::digest(public)));
        Self { subject, issuer, key }
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// What becomes of a presented token.
    pub(crate) fn admit(&self, token: &str, now: Timestamp) -> Admission {
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&[&self.issuer]);
        rules.sub = Some(self.subject.clone());
        rules.set_required_spec_claims(&["iss", "sub", "exp"]);
        rules.validate_exp = false;
        rules.validate_aud = false;
        let Ok(decoded) = jsonwebtoken::decode::<Value>(token, &self.key, &rules) else { return Admission::Unknown };
        let time = |name: &str| decoded.claims.get(name).and_then(Value::as_i64);
        let (Some(iat), Some(exp)) = (time("iat"), time("exp")) else { return Admission::Unknown };
        let now = now.as_second();
        // Clocks may differ by some seconds.
        if iat > now + 30 {
            Admission::Unknown
        } else if exp <= now || now - iat > LONGEST {
            Admission::Expired
        } else {
            Admission::Accepted
        }
    }
}
