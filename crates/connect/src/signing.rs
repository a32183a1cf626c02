//! Keys that sign: assertions with the administrator's private key, and proofs of possession (DPoP, RFC 9449) with a key that
//! is made for each session and leaves memory with it. Nothing of a key is printed, and none leaves this computer.

use crate::{ConnectError, SignInStage, session::Attempt, token};
use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{CauseKind, KeyKind, KeyProblem, PrivateKey, SigningAlgorithm};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// The administrator's key with all that an assertion's header says of it.
pub(crate) struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    kid: Option<String>,
    /// DER of the public key's `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    public: Vec<u8>,
}

fn unfit(code: &'static str, sentence: impl Into<String>, remedy: &str) -> ConnectError {
    ConnectError::SignInFailed {
        stage: SignInStage::Token,
        code,
        kind: CauseKind::CredentialRefused,
        sentence: sentence.into(),
        remedy: remedy.to_owned(),
        reference: None,
    }
}

impl Signer {
    /// The key that a strategy names, opened with its passphrase, with the id that the strategy or the key itself gives it.
    ///
    /// # Errors
    /// [`ConnectError::FieldMissing`] and [`ConnectError::FieldMalformed`]; [`ConnectError::SignInFailed`] with what is wrong
    /// with the key, in words without anything of it.
    pub(crate) fn of(attempt: &Attempt<'_>, named: &catalog::SigningKey) -> Result<Self, ConnectError> {
        let text = attempt.value(&named.private_key)?;
        let passphrase = named.passphrase.as_ref().map(|name| attempt.optional_value(name)).transpose()?.flatten();
        let kid = named.kid.as_ref().map(|template| attempt.fill_optional(template)).transpose()?.flatten().filter(|kid| !kid.is_empty());
        Self::read(&text, passphrase.as_ref(), kid, named.algorithm)
    }

    /// The same from a key's text.
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] with what is wrong with the key.
    pub(crate) fn read(
        text: &SecretString,
        passphrase: Option<&SecretString>,
        kid: Option<String>,
        algorithm: SigningAlgorithm,
    ) -> Result<Self, ConnectError> {
        let whole = "Copy the key again, whole, and enter it here.";
        let key = PrivateKey::parse(text.expose_secret(), passphrase.map(ExposeSecret::expose_secret)).map_err(|problem| {
            let (code, remedy) = match problem {
                KeyProblem::Encrypted | KeyProblem::Passphrase => {
                    ("E-PRIVATE-KEY-PASSPHRASE", "Enter the passphrase that the key was written with.")
                }
                KeyProblem::EncryptedOtherwise
                | KeyProblem::Certificate
                | KeyProblem::Public
                | KeyProblem::Several
                | KeyProblem::Cut
                | KeyProblem::Nothing
                | KeyProblem::JwkLacks { .. }
                | KeyProblem::Length { .. }
                | KeyProblem::Kind => ("E-PRIVATE-KEY", whole),
            };
            unfit(code, problem.to_string(), remedy)
        })?;
        let wanted = match (key.kind(), algorithm) {
            (KeyKind::Rsa { .. }, SigningAlgorithm::Rs256) => Algorithm::RS256,
            (KeyKind::Rsa { .. }, SigningAlgorithm::Rs384) => Algorithm::RS384,
            (KeyKind::Rsa { .. }, SigningAlgorithm::Rs512) => Algorithm::RS512,
            (KeyKind::Rsa { .. }, SigningAlgorithm::Ps256) => Algorithm::PS256,
            (KeyKind::P256, SigningAlgorithm::Es256) => Algorithm::ES256,
            (KeyKind::P256, SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512 | SigningAlgorithm::Ps256) => {
                return Err(unfit(
                    "E-PRIVATE-KEY-KIND",
                    "The private key is an elliptic-curve key; an RSA key is used here.",
                    "Make an RSA key of 2048 bits or more, register it with the vendor, and enter it here.",
                ));
            }
            (KeyKind::Rsa { .. }, SigningAlgorithm::Es256) => {
                return Err(unfit(
                    "E-PRIVATE-KEY-KIND",
                    "The private key is an RSA key; a key of the curve P-256 is used here.",
                    "Make a key of the curve P-256, register it with the vendor, and enter it here.",
                ));
            }
        };
        let broken = || unfit("E-PRIVATE-KEY", "The private key is damaged: its numbers do not belong together.", whole);
        let (encoding, public) = match key.kind() {
            KeyKind::Rsa { .. } => {
                let pair = RsaKeyPair::from_der(key.der()).map_err(|_| broken())?;
                (EncodingKey::from_rsa_der(key.der()), as_spki(pair.public_key()).ok_or_else(broken)?)
            }
            KeyKind::P256 => {
                // With its public half in it, as the signing library reads it.
                let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, key.der()).map_err(|_| broken())?;
                let der = pair.to_pkcs8v1().map_err(|_| broken())?;
                (EncodingKey::from_ec_der(der.as_ref()), as_spki(pair.public_key()).ok_or_else(broken)?)
            }
        };
        let kid = kid.or_else(|| key.id().map(str::to_owned));
        Ok(Self { key: encoding, algorithm: wanted, kid, public })
    }

    /// DER of the public key's `SubjectPublicKeyInfo`, from which vendors make fingerprints.
    pub(crate) fn public_der(&self) -> &[u8] {
        &self.public
    }

    /// A signed JSON Web Token of these claims.
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] when the key does not sign.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<SecretString, ConnectError> {
        let header = Header { kid: self.kid.clone(), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.key).map(SecretString::from).map_err(|_| {
            unfit("E-PRIVATE-KEY", "The private key did not sign.", "Make a new key, register it with the vendor, and enter it here.")
        })
    }
}

fn as_spki(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Option<Vec<u8>> {
    key.as_der().ok().map(|der| der.as_ref().to_vec())
}

/// `DPoP`.
pub(crate) const PROOF: HeaderName = HeaderName::from_static("dpop");
/// `DPoP-Nonce`.
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// The longest nonce that is sent back. Those of vendors have some dozen letters.
const LONGEST_NONCE: usize = 1024;

/// Proves possession of a key that tokens are bound to (DPoP, RFC 9449). One key for each session.
pub(crate) struct Prover {
    key: EncodingKey,
    public: Jwk,
    /// The nonce that each host gave last; another one's is not taken (section 9).
    nonces: Mutex<BTreeMap<String, String>>,
    /// How far the vendor's clock is ahead of ours.
    ahead: Mutex<SignedDuration>,
}

/// The nonce that a proof held, if it held one.
pub(crate) struct Held(Option<String>);

/// The claims of a proof (RFC 9449, section 4.2).
#[derive(Serialize)]
struct Proof<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<&'a str>,
}

impl Prover {
    /// Makes a key of the curve P-256.
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] when this computer has no randomness.
    pub(crate) fn new() -> Result<Self, ConnectError> {
        let failed = || unfit("E-SESSION-KEY", "No key could be made for this session.", "Try again.");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| failed())?;
        let der = pair.to_pkcs8v1().map_err(|_| failed())?;
        let key = EncodingKey::from_ec_der(der.as_ref());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| failed())?;
        // Only what makes the key: the header names the algorithm already.
        public.common.key_algorithm = None;
        Ok(Self { key, public, nonces: Mutex::default(), ahead: Mutex::default() })
    }

    /// A proof for one request; `ath` is the digest of the token that goes along.
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] when the key does not sign.
    pub(crate) fn proof(&self, method: &str, url: &Url, ath: Option<&str>, now: Timestamp) -> Result<(HeaderValue, Held), ConnectError> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = now.checked_add(ahead).unwrap_or(now);
        let nonce = self.nonces().get(url.host_str().unwrap_or_default()).cloned();
        let held = Held(nonce.clone());
        let claims =
            Proof { jti: uuid::Uuid::new_v4().to_string(), htm: method, htu: target.as_str(), iat: theirs.as_second(), nonce, ath };
        let header = Header { typ: Some("dpop+jwt".to_owned()), jwk: Some(self.public.clone()), ..Header::new(Algorithm::ES256) };
        let failed = || unfit("E-SESSION-KEY", "The key of this session did not sign.", "Try again.");
        let proof = jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| failed())?;
        let mut value = HeaderValue::from_str(&proof).map_err(|_| failed())?;
        value.set_sensitive(true);
        Ok((value, held))
    }

    /// Takes the time that an answer tells, and the nonce that it gives, if it gives one. Answers whether that is another one
    /// than the request's proof held: not than the newest known, which may have come to another request meanwhile.
    pub(crate) fn heed(&self, url: &Url, headers: &HeaderMap, held: &Held, now: Timestamp) -> bool {
        if let Some(ahead) = token::ahead_if_told(headers, now) {
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
        }
        let Some(nonce) = headers.get(NONCE).and_then(|value| value.to_str().ok()) else { return false };
        // Letters of RFC 9449, section 8.1.
        let plain = nonce.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if nonce.is_empty() || nonce.len() > LONGEST_NONCE || !plain {
            return false;
        }
        self.nonces().insert(url.host_str().unwrap_or_default().to_owned(), nonce.to_owned());
        held.0.as_deref() != Some(nonce)
    }

    fn nonces(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest of a token as proofs name it (`ath`; RFC 9449, section 4.2).
pub(crate) fn digest_of(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret().as_bytes()))
}
