//! The client assertion: a certificate's private key signs who we are, so that no secret is sent
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials>).

use crate::{ConnectError, SignInStage};
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair, RsaKeyPair};
use base64::{Engine, engine::general_purpose};
use catalog::{CauseKind, KeyKind, PrivateKey};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroize};
use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

/// How long an assertion is good for; Microsoft takes up to ten minutes.
const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// A certificate with its key, checked.
pub(super) struct Signer {
    key: EncodingKey,
    /// `x5t#S256`: the digest of the certificate (RFC 7515, section 4.1.8).
    thumbprint: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// The blocks of a PEM text, one of which is the key. Wiped when they are dropped.
struct Blocks(Vec<Pem>);

impl Blocks {
    fn read(text: &SecretString) -> Option<Self> {
        let mut blocks = Self(Vec::new());
        for block in Pem::iter_from_buffer(text.expose_secret().as_bytes()) {
            blocks.0.push(block.ok()?);
        }
        Some(blocks)
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for block in &mut self.0 {
            block.contents.zeroize();
        }
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
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
    /// Reads certificate and key, in either order; of several certificates the one that the key belongs to.
    ///
    /// # Errors
    /// What is wrong with them, with nothing of their content.
    pub(super) fn read(text: &SecretString) -> Result<Self, ConnectError> {
        let blocks = Blocks::read(text).ok_or_else(|| {
            unfit(
                "E-CERTIFICATE-UNREADABLE",
                "The text is not a certificate and a key in PEM form.",
                "Paste both blocks whole, with their first and last lines.",
            )
        })?;
        let keys: Vec<&Pem> = blocks.0.iter().filter(|block| block.label.ends_with("PRIVATE KEY")).collect();
        let [key] = keys.as_slice() else {
            let what = if keys.is_empty() { "The private key is missing." } else { "There is more than one private key." };
            return Err(unfit("E-CERTIFICATE-KEY", what, "Paste the certificate and the one private key that belongs to it."));
        };
        let pair = match key.label.as_str() {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&key.contents),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&key.contents),
            _ => return Err(Self::of_another_kind(key)),
        }
        .map_err(|_| Self::of_another_kind(key))?;
        let certificates: Vec<&Pem> = blocks.0.iter().filter(|block| block.label == "CERTIFICATE").collect();
        if certificates.is_empty() {
            return Err(unfit("E-CERTIFICATE-MISSING", "The certificate is missing.", "Paste the certificate beside its private key."));
        }
        let mut matching = None;
        for block in certificates {
            let (_, certificate) = X509Certificate::from_der(&block.contents).map_err(|_| {
                unfit(
                    "E-CERTIFICATE-UNREADABLE",
                    "The certificate cannot be read.",
                    "Paste its block whole, with its first and last lines.",
                )
            })?;
            if *certificate.public_key().subject_public_key.data == *pair.public_key().as_ref() {
                matching = Some((block, certificate));
                break;
            }
        }
        let Some((block, certificate)) = matching else {
            return Err(unfit(
                "E-CERTIFICATE-KEY-MISMATCH",
                "The certificate and the private key do not belong together.",
                "Paste the key that the certificate was made with. openssl x509 and openssl pkey, both with -noout -modulus or -pubout, show whether they match.",
            ));
        };
        let time = |time: &x509_parser::time::ASN1Time| {
            Timestamp::from_second(time.timestamp()).map_err(|_| {
                unfit("E-CERTIFICATE-UNREADABLE", "The certificate has an impossible date.", "Make a new certificate and upload it.")
            })
        };
        let body = SecretString::from(general_purpose::STANDARD.encode(&key.contents));
        let lines = SecretString::from(
            body.expose_secret().as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect::<Vec<_>>().join("\n"),
        );
        let pem = SecretString::from(format!("-----BEGIN {0}-----\n{1}\n-----END {0}-----\n", key.label, lines.expose_secret()));
        let private = PrivateKey::parse(pem.expose_secret(), None).map_err(|_| Self::of_another_kind(key))?;
        if !matches!(private.kind(), KeyKind::Rsa { .. }) {
            return Err(Self::of_another_kind(key));
        }
        Ok(Self {
            key: EncodingKey::from_rsa_der(private.der()),
            thumbprint: general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(&block.contents)),
            not_before: time(&certificate.validity().not_before)?,
            not_after: time(&certificate.validity().not_after)?,
        })
    }

    /// Says why a key is none that signs here.
    fn of_another_kind(key: &Pem) -> ConnectError {
        let curve = || {
            use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING};
            [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING]
                .iter()
                .any(|algorithm| EcdsaKeyPair::from_private_key_der(algorithm, &key.contents).is_ok())
        };
        if key.label == "EC PRIVATE KEY" || curve() {
            return unfit(
                "E-CERTIFICATE-KEY-EC",
                "The private key is an elliptic-curve key. Microsoft Entra ID takes RSA keys for this.",
                "Make a certificate with an RSA key of 2048 bits or more and upload it.",
            );
        }
        if key.label == "ENCRYPTED PRIVATE KEY" {
            return unfit(
                "E-CERTIFICATE-KEY",
                "The private key is encrypted with a password.",
                "Paste it decrypted; it is sealed here again.",
            );
        }
        unfit(
            "E-CERTIFICATE-KEY",
            "The private key is not an RSA key of 2048 to 8192 bits.",
            "Make a certificate with an RSA key of 2048 bits or more and upload it.",
        )
    }

    /// When the certificate ends.
    pub(super) fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// An assertion for one request to `endpoint`. `now` is the authority's time.
    ///
    /// # Errors
    /// When the certificate is not valid now, or nothing can be signed.
    pub(super) fn assertion(&self, endpoint: &str, client_id: &str, now: Timestamp) -> Result<SecretString, ConnectError> {
        let day = |time: Timestamp| time.strftime("%-d %b %Y").to_string();
        if self.not_after <= now {
            return Err(unfit(
                "E-CERTIFICATE-EXPIRED",
                format!("The certificate expired on {}.", day(self.not_after)),
                "Make a new certificate, upload it under Certificates & secrets, and replace the stored one.",
            ));
        }
        if self.not_before > now {
            return Err(unfit(
                "E-CERTIFICATE-NOT-YET",
                format!("The certificate is not valid before {}.", day(self.not_before)),
                "Wait until then, or make another one.",
            ));
        }
        let seconds = now.as_second();
        let claims = Claims {
            aud: endpoint,
            iss: client_id,
            sub: client_id,
            jti: uuid::Uuid::new_v4().to_string(),
            nbf: seconds,
            iat: seconds,
            exp: seconds + LIFE.as_secs(),
        };
        let header = Header { x5t_s256: Some(self.thumbprint.clone()), ..Header::new(Algorithm::PS256) };
        jsonwebtoken::encode(&header, &claims, &self.key).map(SecretString::from).map_err(|_| {
            unfit(
                "E-CERTIFICATE-KEY",
                "The private key did not sign.",
                "Make a certificate with an RSA key of 2048 bits or more and upload it.",
            )
        })
    }
}
