//! A Snowflake user's key pair: the token is signed here and sent as it is, nothing is exchanged; another one is signed before
//! it ends. <https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>

use crate::{
    ConnectError, SignInStage,
    session::{Attempt, Signed},
    signing::Signer,
    token::{Exchange, Issued, Token},
    wire::{Authorisation, Watcher, Wire},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use catalog::{SigningAlgorithm, SnowflakeKeyPair};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Snowflake takes a token for an hour at most, whatever it says.
const LIFE: SignedDuration = SignedDuration::from_mins(55);

pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &SnowflakeKeyPair) -> Result<Signed, ConnectError> {
    // Empty where the key is not encrypted.
    let passphrase = match &strategy.passphrase {
        Some(field) if attempt.credentials.get(field).is_some_and(|secret| !secret.expose_secret().is_empty()) => {
            Some(attempt.secret(field)?)
        }
        Some(_) | None => None,
    };
    let signer = Signer::read(&attempt.secret(&strategy.private_key)?, passphrase.as_ref(), None, SigningAlgorithm::Rs256)?;
    let fingerprint = STANDARD.encode(Sha256::digest(signer.public_der()));
    // The account's name without its region, as the documents write it.
    let account = attempt.filled(&strategy.account)?.split('.').next().unwrap_or_default().to_uppercase();
    let subject = format!("{account}.{}", attempt.filled(&strategy.user)?.to_uppercase());
    let exchange = SelfSigned { vendor: attempt.app.name.clone(), issuer: format!("{subject}.SHA256:{fingerprint}"), subject, signer };
    attempt.stage(SignInStage::Token, "");
    let issued = exchange.sign(attempt.wire)?;
    let authorisation = Authorisation::Token(Box::new(Token::new(issued, Box::new(exchange))));
    Ok(Signed::of(authorisation))
}

struct SelfSigned {
    vendor: String,
    issuer: String,
    subject: String,
    signer: Signer,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
}

impl SelfSigned {
    fn sign(&self, wire: &Wire) -> Result<Issued, ConnectError> {
        let now = wire.clock().now();
        let ends = now.checked_add(LIFE).unwrap_or(now);
        let claims = Claims { iss: &self.issuer, sub: &self.subject, iat: now.as_second(), exp: ends.as_second() };
        Issued::bearer(&self.vendor, self.signer.sign(&claims)?, Some(ends), now, None)
    }
}

impl Exchange for SelfSigned {
    fn exchange<'a>(&'a self, wire: &'a Wire, _watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move { self.sign(wire) })
    }
}
