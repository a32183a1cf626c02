//! A Snowflake user's key pair: the token is signed here and sent as it is, nothing is exchanged; another one is signed before
//! it ends. <https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>

use crate::{
    ConnectError, SignInStage,
    oauth::{CLOCK_DIFFERS, clocks_differ},
    session::{Attempt, Signed},
    signing::Signer,
    token::{self, Exchange, Issued, Token},
    wire::{Authorisation, Watcher, Wire},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use catalog::{CauseKind, SigningAlgorithm, SnowflakeKeyPair};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Snowflake takes a token for an hour at most, whatever it says.
const LIFE: SignedDuration = SignedDuration::from_mins(55);
/// A token that was signed for a time that is off by more than this is signed once more, for the vendor's.
const OFF: SignedDuration = SignedDuration::from_secs(30);

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
    let exchange = SelfSigned {
        vendor: attempt.app.name.clone(),
        issuer: format!("{subject}.SHA256:{fingerprint}"),
        subject,
        signer,
        times: Mutex::default(),
    };
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
    times: Mutex<Times>,
}

/// How far the vendor's clock is ahead of ours. Nothing tells before the first request: nobody was asked for the token.
#[derive(Default)]
struct Times {
    /// By the newest answer.
    ahead: SignedDuration,
    /// For the token that was signed last.
    signed: SignedDuration,
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
        let ahead = {
            let mut times = self.times();
            times.signed = times.ahead;
            times.ahead
        };
        let theirs = |time: Timestamp| time.checked_add(ahead).unwrap_or(time).as_second();
        let claims = Claims { iss: &self.issuer, sub: &self.subject, iat: theirs(now), exp: theirs(ends) };
        Issued::bearer(&self.vendor, self.signer.sign(&claims)?, Some(ends), now, None)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange for SelfSigned {
    fn exchange<'a>(&'a self, wire: &'a Wire, _watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move { self.sign(wire) })
    }

    fn heed(&self, headers: &HeaderMap, now: Timestamp) {
        if let Some(ahead) = token::ahead_if_told(headers, now) {
            self.times().ahead = ahead;
        }
    }

    fn is_off(&self) -> bool {
        let times = self.times();
        (times.ahead - times.signed).abs() > OFF
    }

    /// The vendor's time did not help; the clock is to be mended before the rest is looked at.
    fn refused(&self, status: u16) -> Option<ConnectError> {
        let (vendor, ahead) = (&self.vendor, self.times().ahead);
        clocks_differ(vendor, ahead).map(|differ| ConnectError::SignInFailed {
            stage: SignInStage::Token,
            code: CLOCK_DIFFERS,
            kind: CauseKind::CredentialRefused,
            sentence: format!("{vendor} refused what was signed ({status}), for its own time too. {differ}"),
            remedy: "Set this computer's date and time right. If it is refused again, check the names of account and user, and that the public half of this private key is set for the user.".to_owned(),
            reference: None,
        })
    }
}
