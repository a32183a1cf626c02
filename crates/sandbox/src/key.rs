//! Private keys of simulated organizations, and what their owners sign, checked.
//!
//! A key follows from the tenant's name: it is one of the files in `keys/`, and so the same in every process, so that a
//! credential that was stored by one run opens the sandbox of the next. It opens nothing but a sandbox.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{KeyKind, PrivateKey, SigningAlgorithm};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Validation,
    jwk::{Jwk, ThumbprintHash},
};
use pkcs8::{LineEnding, PrivateKeyInfoRef, SecretDocument, der::Decode, pkcs5::pbes2};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, OnceLock, PoisonError},
};

/// The keys, for simulation only (`keys/README.md`).
const KEYS: [&str; 16] = [
    include_str!("keys/rsa-01.pem"),
    include_str!("keys/rsa-02.pem"),
    include_str!("keys/rsa-03.pem"),
    include_str!("keys/rsa-04.pem"),
    include_str!("keys/rsa-05.pem"),
    include_str!("keys/rsa-06.pem"),
    include_str!("keys/rsa-07.pem"),
    include_str!("keys/rsa-08.pem"),
    include_str!("keys/rsa-09.pem"),
    include_str!("keys/rsa-10.pem"),
    include_str!("keys/rsa-11.pem"),
    include_str!("keys/rsa-12.pem"),
    include_str!("keys/rsa-13.pem"),
    include_str!("keys/rsa-14.pem"),
    include_str!("keys/rsa-15.pem"),
    include_str!("keys/rsa-16.pem"),
];
/// Keys that were sealed in this process, by tenant and passphrase.
static SEALED: OnceLock<Mutex<HashMap<(String, String), String>>> = OnceLock::new();
/// Few, since nothing is protected: every reading of a tenant's files opens the key.
const ROUNDS: u32 = 2048;
/// How far the times of what was signed may lie from ours, as vendors allow for clocks.
const TOLERANCE: i64 = 60;
/// The longest that an assertion may be good for.
const LONGEST: i64 = 3600;

/// `rsa`, then `,passphrase=…`: PEM, PKCS#8.
pub(crate) fn pem(tenant: &str, arguments: &str) -> Result<String, String> {
    let (kind, rest) = arguments.split_once(',').unwrap_or((arguments, ""));
    if kind.trim() != "rsa" {
        return Err(format!("{kind} is not rsa"));
    }
    let open = KEYS[usize::from(Sha256::digest(tenant)[0]) % KEYS.len()];
    let passphrase = match rest.trim() {
        "" => return Ok(open.to_owned()),
        rest => rest.strip_prefix("passphrase=").ok_or_else(|| format!("{rest} is not of the form passphrase=words"))?,
    };
    let sealed = SEALED.get_or_init(Mutex::default);
    let name = (tenant.to_owned(), passphrase.to_owned());
    if let Some(known) = sealed.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
        return Ok(known.clone());
    }
    let closed = closed(tenant, open, passphrase).map_err(|_| "the key could not be sealed".to_owned())?;
    sealed.lock().unwrap_or_else(PoisonError::into_inner).insert(name, closed.clone());
    Ok(closed)
}

/// The key under a passphrase, the same in every process.
fn closed(tenant: &str, open: &str, passphrase: &str) -> Result<String, pkcs8::Error> {
    let seed = |what: &str| -> [u8; 32] { Sha256::digest(format!("{what}\0{tenant}")).into() };
    let mut start = [0; 16];
    start.copy_from_slice(&seed("start")[..16]);
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &seed("salt")[..16], start)?;
    let (_, key) = SecretDocument::from_pem(open)?;
    let closed = PrivateKeyInfoRef::from_der(key.as_bytes())?.encrypt_with_params(parameters, passphrase)?;
    Ok(closed.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)?.to_string())
}

/// The public half of a key that is registered with a simulated vendor.
pub(crate) struct Registered {
    key: DecodingKey,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl Registered {
    /// Registers the public half of a private key under the id that it is given, or names itself.
    pub(crate) fn of(text: &str, passphrase: Option<&str>, kid: Option<String>, algorithm: SigningAlgorithm) -> Result<Self, String> {
        let private = PrivateKey::parse(text, passphrase).map_err(|problem| problem.to_string())?;
        let algorithm = match algorithm {
            SigningAlgorithm::Rs256 => Algorithm::RS256,
            SigningAlgorithm::Rs384 => Algorithm::RS384,
            SigningAlgorithm::Rs512 => Algorithm::RS512,
            SigningAlgorithm::Ps256 => Algorithm::PS256,
            SigningAlgorithm::Es256 => Algorithm::ES256,
        };
        let encoding = match private.kind() {
            KeyKind::Rsa { .. } => EncodingKey::from_rsa_der(private.der()),
            KeyKind::P256 => EncodingKey::from_ec_der(private.der()),
        };
        let unfit = |_| "its public half cannot be made".to_owned();
        let public = Jwk::from_encoding_key(&encoding, algorithm).map_err(unfit)?;
        let key = DecodingKey::from_jwk(&public).map_err(unfit)?;
        Ok(Self { key, algorithm, kid: kid.or_else(|| private.id().map(str::to_owned)) })
    }

    /// What a token says that this key signed; `None` when it did not.
    pub(crate) fn opened(&self, token: &str) -> Option<Map<String, Value>> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.kid.as_deref() != self.kid.as_deref() && self.kid.is_some() {
            return None;
        }
        verified(token, &self.key, self.algorithm)
    }
}

fn verified(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Map<String, Value>> {
    let mut rules = Validation::new(algorithm);
    // Times are held against the tenant's clock, the rest against what the tenant's files say.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    jsonwebtoken::decode::<Map<String, Value>>(token, key, &rules).ok().map(|data| data.claims)
}

/// Ids of tokens that are good for one use.
#[derive(Default)]
pub(crate) struct Seen(Mutex<BTreeMap<String, i64>>);

impl Seen {
    /// Whether an id comes for the first time; it is remembered until its token has ended.
    fn is_new(&self, id: &str, until: i64, now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, until| *until + TOLERANCE > now);
        seen.insert(id.to_owned(), until).is_none()
    }
}

/// Whether signed claims hold now, for whom they are meant, and for the first time (RFC 7523, section 3).
pub(crate) fn holds(claims: &Map<String, Value>, issuer: &str, subject: Option<&str>, audience: &str, seen: &Seen, now: Timestamp) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = now.as_second();
    let (Some(ends), Some(id)) = (number("exp"), text("jti")) else { return false };
    let made = number("iat").unwrap_or(now);
    let in_time = ends > now && ends - made <= LONGEST && made <= now + TOLERANCE;
    let meant = text("iss") == Some(issuer) && text("sub") == subject && text("aud") == Some(audience);
    in_time && meant && seen.is_new(id, ends, now)
}

/// What a proof of possession (DPoP, RFC 9449, section 4.3) has to fit.
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'a str,
    /// Without query and fragment.
    pub(crate) url: &'a str,
    /// The token that it comes with.
    pub(crate) token: Option<&'a str>,
    /// Nonces that are good; `None`: none is asked for.
    pub(crate) nonces: Option<&'a [String]>,
}

/// Why a proof is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProofProblem {
    /// It lacks a nonce that is good.
    Nonce,
    /// Anything else.
    Invalid,
}

/// Checks a proof and answers the thumbprint of its key (RFC 7638).
pub(crate) fn proved(proof: &str, wanted: &Wanted<'_>, seen: &Seen, now: Timestamp) -> Result<String, ProofProblem> {
    let invalid = || ProofProblem::Invalid;
    let header = jsonwebtoken::decode_header(proof).map_err(|_| invalid())?;
    let public = header.jwk.as_ref().ok_or_else(invalid)?;
    if header.typ.as_deref() != Some("dpop+jwt") || header.alg != Algorithm::ES256 {
        return Err(invalid());
    }
    let key = DecodingKey::from_jwk(public).map_err(|_| invalid())?;
    let claims = verified(proof, &key, Algorithm::ES256).ok_or_else(invalid)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let now = now.as_second();
    let made = claims.get("iat").and_then(Value::as_i64).ok_or_else(invalid)?;
    let digest = wanted.token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    let fits = text("htm") == Some(wanted.method)
        && text("htu") == Some(wanted.url)
        && (made - now).abs() <= TOLERANCE
        && text("ath") == digest.as_deref();
    if !fits {
        return Err(invalid());
    }
    if let Some(nonces) = wanted.nonces
        && !text("nonce").is_some_and(|nonce| nonces.iter().any(|good| good == nonce))
    {
        return Err(ProofProblem::Nonce);
    }
    let id = text("jti").ok_or_else(invalid)?;
    if !seen.is_new(id, made + TOLERANCE, now) {
        return Err(invalid());
    }
    public.thumbprint(ThumbprintHash::SHA256).map_err(|_| invalid())
}
