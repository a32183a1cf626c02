//! What is signed here, verified by code that does not sign here: RSA by the arithmetic of RFC 8017, P-256 straight from the
//! cryptography library, and claims and headers read by hand. Clients' assertions, grants, proofs of possession with the nonces
//! of both servers, and each form in which a private key comes.
use crate::entry::{Entry, read, refused, scan, secrets};
use crate::vendor;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use catalog::{
    Also, App, Assertion, CauseKind, ClientAuthentication, ClientCredentials, Completeness, DatasetKind, Endpoint, Format, Granted,
    HostFrom, HostRole, PrivateKeyProof, ScopeIn, SigningAlgorithm, SigningKey, SnowflakeKeyPair, Strategy,
};
use jiff::SignedDuration;
use num_bigint::BigUint;
use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    der::{Decode, Encode},
    pkcs5::pbes2,
};
use posture_connect::{Clock, ConnectError, Session};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SigningKey as _};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};
use vendor::{HOST, Reply, Seen, TestClock, Vendor, app, dataset, field, ok, one_user, status};

static RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap());
static EC: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap());

const TOKEN_PATH: &str = "/oauth/token";
const CLIENT: &str = "client-27182";
const PASSPHRASE: &str = "open sesame, said Ali Baba";

// ---- the second implementation ----

enum Public {
    /// Modulus and exponent.
    Rsa(BigUint, BigUint),
    /// The uncompressed point.
    P256(Vec<u8>),
}

impl Public {
    fn rsa() -> Self {
        let der = pkcs1();
        let key = pkcs1::RsaPrivateKey::from_der(&der).unwrap();
        let number = |number: pkcs1::UintRef<'_>| BigUint::from_bytes_be(number.as_bytes());
        Self::Rsa(number(key.modulus), number(key.public_exponent))
    }
    fn p256() -> Self {
        Self::P256(EC.der_bytes().to_vec())
    }
    fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Rsa(modulus, exponent), _) => {
                let sealed = BigUint::from_bytes_be(signature);
                if signature.len() != MODULUS || sealed >= *modulus {
                    return false;
                }
                let opened = sealed.modpow(exponent, modulus).to_bytes_be();
                let encoded = [vec![0; MODULUS - opened.len()], opened].concat();
                match algorithm {
                    // The prefixes of the digests are those of RFC 8017, section 9.2, note 1.
                    "RS256" => encoded == pkcs1_v1_5("3031300d060960864801650304020105000420", &Sha256::digest(message)),
                    "RS384" => encoded == pkcs1_v1_5("3041300d060960864801650304020205000430", &Sha384::digest(message)),
                    "RS512" => encoded == pkcs1_v1_5("3051300d060960864801650304020305000440", &Sha512::digest(message)),
                    "PS256" => is_pss(&encoded, message),
                    _ => false,
                }
            }
            (Self::P256(point), "ES256") => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok(),
            _ => false,
        }
    }
}

/// Bytes of the keys' modulus: 2048 bits.
const MODULUS: usize = 256;

/// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2).
fn pkcs1_v1_5(prefix: &str, digest: &[u8]) -> Vec<u8> {
    let told = [hex::decode(prefix).unwrap().as_slice(), digest].concat();
    [&[0, 1], vec![255; MODULUS - 3 - told.len()].as_slice(), &[0], &told].concat()
}

/// EMSA-PSS (RFC 8017, section 9.1.2) with SHA-256, and a salt as long as the digest (RFC 7518, section 3.5).
fn is_pss(encoded: &[u8], message: &[u8]) -> bool {
    let (masked, rest) = encoded.split_at(MODULUS - 33);
    let (digest, last) = rest.split_at(32);
    let mask = (0_u32..).flat_map(|count| Sha256::digest([digest, &count.to_be_bytes()].concat()).to_vec());
    let mut block: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    // The modulus has a whole number of bytes, and what is encoded one bit less.
    let first_bit = masked[0] & 0x80;
    block[0] &= 0x7f;
    let (padding, salt) = block.split_at(block.len() - 32);
    let padded = padding.split_last().is_some_and(|(one, zeros)| *one == 1 && zeros.iter().all(|zero| *zero == 0));
    let again = Sha256::digest([&[0; 8], Sha256::digest(message).as_slice(), salt].concat());
    last == [0xbc] && first_bit == 0 && padded && again.as_slice() == digest
}

struct Opened {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Opened {
    fn text(&self, claim: &str) -> &str {
        self.claims.get(claim).and_then(Value::as_str).unwrap_or_default()
    }
    fn number(&self, claim: &str) -> i64 {
        self.claims.get(claim).and_then(Value::as_i64).unwrap()
    }
}

fn part(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A JSON Web Signature in its compact form (RFC 7515, section 5.2).
fn opened(token: &str, key: impl FnOnce(&Map<String, Value>) -> Option<Public>) -> Option<Opened> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let (header, claims) = (part(header)?, part(claims)?);
    let key = key(&header)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    key.verifies(header.get("alg")?.as_str()?, message.as_bytes(), &signature).then_some(Opened { header, claims })
}

/// The key that a proof of possession brings along, and its thumbprint (RFC 7638, section 3).
fn own_key(header: &Map<String, Value>) -> Option<(Public, String)> {
    let jwk = header.get("jwk")?.as_object()?;
    let members: BTreeSet<&str> = jwk.keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["crv", "kty", "x", "y"]), "the public half, and nothing else");
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let (x, y) = (text("x")?, text("y")?);
    let point = [vec![4], URL_SAFE_NO_PAD.decode(x).ok()?, URL_SAFE_NO_PAD.decode(y).ok()?].concat();
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)));
    (text("kty")? == "EC" && text("crv")? == "P-256").then_some((Public::P256(point), thumbprint))
}

// ---- the forms of a key ----

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn pkcs1() -> Vec<u8> {
    let der = RSA.serialize_der();
    PrivateKeyInfoRef::from_der(&der).unwrap().private_key.as_bytes().to_vec()
}

/// As openssl writes it: with the curve's name in it.
fn sec1() -> Vec<u8> {
    let der = EC.serialize_der();
    let inner = PrivateKeyInfoRef::from_der(&der).unwrap().private_key.as_bytes().to_vec();
    let key = sec1::EcPrivateKey::from_der(&inner).unwrap();
    let named =
        sec1::EcPrivateKey { parameters: Some(sec1::EcParameters::NamedCurve(ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"))), ..key };
    named.to_der().unwrap()
}

fn encrypted(der: &[u8]) -> String {
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt of sixteen!", [7; 16]).unwrap();
    let closed = PrivateKeyInfoRef::from_der(der).unwrap().encrypt_with_params(parameters, PASSPHRASE).unwrap();
    pem("ENCRYPTED PRIVATE KEY", closed.as_bytes())
}

fn rsa_jwk() -> Value {
    let der = pkcs1();
    let key = pkcs1::RsaPrivateKey::from_der(&der).unwrap();
    let text = |number: pkcs1::UintRef<'_>| URL_SAFE_NO_PAD.encode(number.as_bytes());
    json!({
        "kty": "RSA", "kid": "own-name", "n": text(key.modulus), "e": text(key.public_exponent), "d": text(key.private_exponent),
        "p": text(key.prime1), "q": text(key.prime2), "dp": text(key.exponent1), "dq": text(key.exponent2), "qi": text(key.coefficient),
    })
}

fn ec_jwk() -> Value {
    let der = sec1();
    let key = sec1::EcPrivateKey::from_der(&der).unwrap();
    let point = EC.der_bytes();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "EC", "crv": "P-256", "kid": "own-curve", "d": text(key.private_key), "x": text(&point[1..33]), "y": text(&point[33..])})
}

// ---- the application ----

fn by(strategy: Strategy) -> App {
    let mut app = app(vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let login = &mut app.logins[0];
    login.fields = vec![
        field("client_id", false, false, Format::Text),
        field("key_id", false, true, Format::Text),
        field("private_key", true, false, Format::PrivateKey { encrypted: true }),
        field("passphrase", true, true, Format::Password),
    ];
    login.strategy = strategy;
    login.hosts = vec![HOST.into()];
    login.roles = vec![HostRole { id: "api".into(), hosts: vec![HOST.into()], prefix: String::new() }];
    app
}

fn signing_key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey { private_key: "private_key".into(), passphrase: Some("passphrase".into()), kid: Some("{key_id}".into()), algorithm }
}

fn client(algorithm: SigningAlgorithm, dpop: bool) -> App {
    by(Strategy::ClientCredentials(ClientCredentials {
        endpoint: Endpoint { role: "api".into(), path: TOKEN_PATH.into() },
        client_id: Some("client_id".into()),
        authenticate: ClientAuthentication::PrivateKey(PrivateKeyProof { key: signing_key(algorithm), dpop }),
        grant_type: "client_credentials".into(),
        parameters: vec![],
        host_from: None,
        scope: "read".into(),
        granted: Granted::default(),
    }))
}

fn grant(algorithm: SigningAlgorithm, scope_in: ScopeIn) -> App {
    by(Strategy::Assertion(Assertion {
        endpoint: Endpoint { role: "api".into(), path: TOKEN_PATH.into() },
        key: signing_key(algorithm),
        issuer: "{client_id}".into(),
        subject: "scan@vendor.example".into(),
        audience: "https://login.vendor.example/audience".into(),
        scope: "read".into(),
        scope_in,
        claims: vec![("box_sub_type".into(), "enterprise".into())],
        client_id: None,
        client_secret: None,
        lifetime_seconds: 240,
        granted: Granted::default(),
        host_from: None,
    }))
}

async fn enter(app: &App, vendor: &Vendor, key: &str, passphrase: &str, kid: &str, clock: Arc<dyn Clock>) -> Result<Session, ConnectError> {
    let inputs = [("client_id", CLIENT), ("key_id", kid)];
    let inputs = if kid.is_empty() { &inputs[..1] } else { &inputs };
    let credentials = [("private_key", key), ("passphrase", passphrase)];
    let credentials = secrets(if passphrase.is_empty() { &credentials[..1] } else { &credentials });
    let entry = Entry { inputs, credentials, ..Entry::of(app, vendor.route(), clock) };
    entry.sign_in().await.tells_none_of(&["PRIVATE", "eyJ", "sesame"]).result
}

/// Our clock and the vendor's are the same here, unless the answer says another time.
fn dated(reply: Reply, now: jiff::Timestamp) -> Reply {
    if reply.headers.iter().any(|(name, _)| name == "date") { reply } else { reply.header("date", httpdate::fmt_http_date(now.into())) }
}

/// A vendor that takes what `check` takes, each id once, and gives tokens of an hour.
async fn vendor_with(
    clock: &Arc<TestClock>,
    check: impl Fn(&Seen, i64) -> Option<Opened> + Send + Sync + 'static,
) -> (Vendor, Arc<Mutex<Vec<Opened>>>) {
    let taken: Arc<Mutex<Vec<Opened>>> = Arc::default();
    let (by, clock) = (taken.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| {
        if seen.path != TOKEN_PATH {
            return one_user(&seen.path);
        }
        let mut taken = by.lock().unwrap();
        let reply = match check(seen, clock.now().as_second()) {
            Some(opened) if !taken.iter().any(|before| before.text("jti") == opened.text("jti")) => {
                taken.push(opened);
                let token = format!("token-{}", taken.len());
                ok(json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "read"}))
            }
            Some(_) | None => status(400, json!({"error": "invalid_grant"})),
        };
        dated(reply, clock.now())
    })
    .await;
    (vendor, taken)
}

const ALGORITHMS: [(SigningAlgorithm, &str); 5] = [
    (SigningAlgorithm::Rs256, "RS256"),
    (SigningAlgorithm::Rs384, "RS384"),
    (SigningAlgorithm::Rs512, "RS512"),
    (SigningAlgorithm::Ps256, "PS256"),
    (SigningAlgorithm::Es256, "ES256"),
];

fn pair_of(algorithm: SigningAlgorithm) -> (String, fn() -> Public) {
    match algorithm {
        SigningAlgorithm::Es256 => (EC.serialize_pem(), Public::p256),
        SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512 | SigningAlgorithm::Ps256 => {
            (RSA.serialize_pem(), Public::rsa)
        }
    }
}

#[test]
fn the_second_implementation_refuses_what_was_changed() {
    // Whoever takes everything proves nothing.
    let message = b"message";
    let signature = RSA.sign(message).unwrap();
    assert!(Public::rsa().verifies("RS256", message, &signature));
    assert!(!Public::rsa().verifies("RS256", b"massage", &signature));
    assert!(!Public::rsa().verifies("PS256", message, &signature));
    assert!(!Public::rsa().verifies("none", message, b""));
    let mut changed = signature.clone();
    changed[100] ^= 1;
    assert!(!Public::rsa().verifies("RS256", message, &changed));
    assert!(!Public::p256().verifies("ES256", message, &[1; 64]));
}

/// RFC 7523, sections 2.2 and 3.
#[tokio::test]
async fn assertions_of_clients_hold_for_another_library() {
    for (algorithm, word) in ALGORITHMS {
        let clock = TestClock::new();
        let (key, public) = pair_of(algorithm);
        let (vendor, taken) = vendor_with(&clock, move |seen, now| {
            let opened = opened(&seen.field("client_assertion")?, |_| Some(public()))?;
            let right = opened.header.get("alg")? == word
                && opened.header.get("kid")? == "kid-1"
                && opened.text("iss") == CLIENT
                && opened.text("sub") == CLIENT
                && opened.text("aud") == format!("https://{HOST}{TOKEN_PATH}")
                && opened.number("iat") <= now
                && (now + 1..=now + 300).contains(&opened.number("exp"))
                && seen.field("client_assertion_type")? == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                && seen.field("grant_type")? == "client_credentials"
                && seen.field("client_secret").is_none()
                && seen.authorization.is_none();
            right.then_some(opened)
        })
        .await;
        let app = client(algorithm, false);
        let session = enter(&app, &vendor, &key, "", "kid-1", clock.clone()).await.unwrap_or_else(|error| panic!("{word}: {error}"));
        clock.jump(Duration::from_secs(3600));
        assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete, "{word}");
        assert_eq!(taken.lock().unwrap().len(), 2, "{word}: signed anew in mid-scan, with another id");
    }
}

#[tokio::test]
async fn an_answer_without_a_date_leaves_what_an_earlier_one_told_of_the_vendors_time() {
    let clock = TestClock::new();
    let (by, issued) = (clock.clone(), Arc::<Mutex<Vec<i64>>>::default());
    let taken = issued.clone();
    let vendor = Vendor::start(move |seen| {
        if seen.path != TOKEN_PATH {
            return one_user(&seen.path);
        }
        let theirs = by.now() + SignedDuration::from_mins(20);
        let mut issued = issued.lock().unwrap();
        let assertion = opened(&seen.field("client_assertion").unwrap(), |_| Some(Public::p256())).unwrap();
        issued.push(assertion.number("iat") - by.now().as_second());
        // The first answer tells its time, and the second one does not.
        if issued.len() == 2 {
            return status(500, json!({})).header("date", "some day");
        }
        dated(ok(json!({"access_token": "token", "token_type": "Bearer", "expires_in": 3600, "scope": "read"})), theirs)
    })
    .await;
    let app = client(SigningAlgorithm::Es256, false);
    let session = enter(&app, &vendor, &EC.serialize_pem(), "", "", clock.clone()).await.unwrap();
    for _ in 0..2 {
        clock.jump(Duration::from_secs(3600));
        scan(&session, &app).await;
    }
    let taken = taken.lock().unwrap();
    assert!(taken.len() > 2 && taken[0] < 60, "{taken:?}");
    assert!(taken[1..].iter().all(|ahead| *ahead > 1000), "it is signed for the vendor's time: {taken:?}");
}

/// RFC 7523, sections 2.1 and 3.
#[tokio::test]
async fn grants_hold_for_another_library() {
    for (algorithm, word) in ALGORITHMS {
        for scope_in in [ScopeIn::Claims, ScopeIn::Form] {
            let clock = TestClock::new();
            let (key, public) = pair_of(algorithm);
            let in_claims = scope_in == ScopeIn::Claims;
            let (vendor, taken) = vendor_with(&clock, move |seen, now| {
                let opened = opened(&seen.field("assertion")?, |_| Some(public()))?;
                let right = opened.header.get("alg")? == word
                    && !opened.header.contains_key("kid")
                    && opened.text("iss") == CLIENT
                    && opened.text("sub") == "scan@vendor.example"
                    && opened.text("aud") == "https://login.vendor.example/audience"
                    && opened.text("box_sub_type") == "enterprise"
                    && opened.text("scope") == if in_claims { "read" } else { "" }
                    && seen.field("scope").is_some() != in_claims
                    && opened.number("iat") <= now
                    && opened.number("exp") == opened.number("iat") + 240
                    && seen.field("grant_type")? == "urn:ietf:params:oauth:grant-type:jwt-bearer";
                right.then_some(opened)
            })
            .await;
            let app = grant(algorithm, scope_in);
            let session = enter(&app, &vendor, &key, "", "", clock.clone()).await.unwrap_or_else(|error| panic!("{word}: {error}"));
            clock.jump(Duration::from_secs(3600));
            assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete, "{word}");
            assert_eq!(taken.lock().unwrap().len(), 2, "{word}");
        }
    }
}

/// A vendor with proofs of possession: the nonces of its two servers, and what each holds against a proof.
struct Possession {
    clock: Arc<TestClock>,
    ahead: SignedDuration,
    /// The nonce of the token endpoint and of the datasets; none: not asked for.
    nonces: Mutex<[Option<&'static str>; 2]>,
    ids: Mutex<BTreeSet<String>>,
    refusals: Mutex<Vec<&'static str>>,
    tokens: Mutex<Vec<(String, String)>>,
}

impl Possession {
    fn new(clock: &Arc<TestClock>, ahead: SignedDuration, nonces: [Option<&'static str>; 2]) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            ahead,
            nonces: Mutex::new(nonces),
            ids: Mutex::default(),
            refusals: Mutex::default(),
            tokens: Mutex::default(),
        })
    }

    fn now(&self) -> jiff::Timestamp {
        self.clock.now() + self.ahead
    }

    /// The thumbprint of the proof's key (RFC 9449, section 4.3); `Err` where the nonce alone is missing.
    fn proof(&self, seen: &Seen, token: Option<&str>, nonce: Option<&str>) -> Result<String, &'static str> {
        let mut own = None;
        let opened = opened(seen.header("dpop"), |header| {
            let (key, thumbprint) = own_key(header)?;
            own = Some(thumbprint);
            Some(key)
        })
        .ok_or("signature")?;
        let digest = token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        let right = opened.header.get("typ").is_some_and(|typ| typ == "dpop+jwt")
            && opened.header.get("alg").is_some_and(|alg| alg == "ES256")
            && !opened.header.contains_key("kid")
            && opened.text("htm") == seen.method
            && opened.text("htu") == format!("https://{}{}", seen.host, seen.path)
            && (opened.number("iat") - self.now().as_second()).abs() <= 5
            && opened.claims.get("ath").and_then(Value::as_str) == digest.as_deref();
        if !right {
            return Err("claims");
        }
        if !self.ids.lock().unwrap().insert(opened.text("jti").to_owned()) {
            return Err("replayed");
        }
        if nonce.is_some_and(|nonce| opened.text("nonce") != nonce) {
            return Err("nonce");
        }
        own.ok_or("key")
    }

    fn refuse(&self, why: &'static str, code: u16, nonce: Option<&str>) -> Reply {
        self.refusals.lock().unwrap().push(why);
        let error = if why == "nonce" { "use_dpop_nonce" } else { "invalid_dpop_proof" };
        let reply = status(code, json!({"error": error}));
        let reply = if code == 401 { reply.header("www-authenticate", format!(r#"DPoP error="{error}""#)) } else { reply };
        match nonce {
            Some(nonce) => reply.header("dpop-nonce", nonce),
            None => reply,
        }
    }

    fn answer(&self, seen: &Seen) -> Reply {
        let [at_endpoint, at_data] = *self.nonces.lock().unwrap();
        let reply = if seen.path == TOKEN_PATH {
            match self.proof(seen, None, at_endpoint) {
                Err(why) => self.refuse(why, 400, at_endpoint),
                Ok(thumbprint) => {
                    let mut tokens = self.tokens.lock().unwrap();
                    let token = format!("bound-{}", tokens.len());
                    tokens.push((token.clone(), thumbprint));
                    ok(json!({"access_token": token, "token_type": "DPoP", "expires_in": 3600, "scope": "read"}))
                }
            }
        } else {
            let token = seen.authorization.as_deref().and_then(|header| header.strip_prefix("DPoP ")).unwrap_or_default();
            let bound = self.tokens.lock().unwrap().iter().find(|(known, _)| known == token).map(|(_, thumbprint)| thumbprint.clone());
            match self.proof(seen, Some(token), at_data) {
                Err(why) => self.refuse(why, 401, at_data),
                Ok(thumbprint) if bound.as_ref() == Some(&thumbprint) => one_user(&seen.path),
                Ok(_) => self.refuse("another key", 401, None),
            }
        };
        reply.header("date", httpdate::fmt_http_date(self.now().into()))
    }
}

/// RFC 9449, sections 4, 7, 8 and 9.
#[tokio::test]
async fn proofs_of_possession_hold_for_another_library_with_the_nonces_of_both_servers() {
    for (nonces, asked) in [
        ([None, None], vec![]),
        ([Some("first-of-endpoint"), None], vec!["nonce"]),
        ([None, Some("first-of-data")], vec!["nonce"]),
        ([Some("first-of-endpoint"), Some("first-of-data")], vec!["nonce", "nonce"]),
    ] {
        let clock = TestClock::new();
        let possession = Possession::new(&clock, SignedDuration::ZERO, nonces);
        let by = possession.clone();
        let vendor = Vendor::start(move |seen| by.answer(seen)).await;
        let app = client(SigningAlgorithm::Ps256, true);
        let session =
            enter(&app, &vendor, &RSA.serialize_pem(), "", "", clock.clone()).await.unwrap_or_else(|error| panic!("{nonces:?}: {error}"));
        assert_eq!(*possession.refusals.lock().unwrap(), asked, "{nonces:?}");
        assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete, "{nonces:?}");
        assert_eq!(*possession.refusals.lock().unwrap(), asked, "{nonces:?}: a nonce is used again while it is good");
        // Both servers change theirs, and the token ends.
        *possession.nonces.lock().unwrap() = nonces.map(|nonce| nonce.map(|_| "second"));
        clock.jump(Duration::from_secs(3600));
        assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete, "{nonces:?}: later");
        assert_eq!(possession.tokens.lock().unwrap().len(), 2, "{nonces:?}");
        let keys: BTreeSet<String> = possession.tokens.lock().unwrap().iter().map(|(_, key)| key.clone()).collect();
        assert_eq!(keys.len(), 1, "one key for the session");
    }
}

#[tokio::test]
async fn each_of_two_requests_under_way_is_made_again_with_a_new_nonce() {
    let clock = TestClock::new();
    let possession = Possession::new(&clock, SignedDuration::ZERO, [None, Some("first")]);
    let by = possession.clone();
    // Refusals take their time, so that both requests are under way with the nonce before.
    let vendor = Vendor::start(move |seen| match by.answer(seen) {
        refusal if refusal.status == 401 => refusal.after(Duration::from_millis(300)),
        reply => reply,
    })
    .await;
    let mut app = client(SigningAlgorithm::Ps256, true);
    app.datasets.push(dataset("groups", DatasetKind::List, "/v1/groups"));
    let session = enter(&app, &vendor, &RSA.serialize_pem(), "", "", clock.clone()).await.unwrap();
    possession.refusals.lock().unwrap().clear();
    *possession.nonces.lock().unwrap() = [None, Some("second")];
    let kept = read(&session, &app, &["users", "groups"]).await;
    assert_eq!(*possession.refusals.lock().unwrap(), ["nonce", "nonce"], "both were under way");
    for dataset in ["users", "groups"] {
        assert_eq!(kept.finished[dataset], Completeness::Complete, "{dataset}");
    }
}

#[tokio::test]
async fn a_server_that_wants_another_nonce_each_time_is_not_asked_for_ever() {
    for path in [TOKEN_PATH, "/v1/me"] {
        let clock = TestClock::new();
        let count = Arc::new(Mutex::new(0));
        let by = count.clone();
        let vendor = Vendor::start(move |seen| {
            if seen.path != path {
                return ok(json!({"access_token": "t", "token_type": "DPoP", "expires_in": 3600, "scope": "read"}));
            }
            let mut count = by.lock().unwrap();
            *count += 1;
            let code = if path == TOKEN_PATH { 400 } else { 401 };
            dated(status(code, json!({"error": "use_dpop_nonce"})).header("dpop-nonce", format!("nonce-{count}")), TestClock::new().now())
        })
        .await;
        let error = refused(enter(&client(SigningAlgorithm::Rs256, true), &vendor, &RSA.serialize_pem(), "", "", clock).await);
        assert_eq!(*count.lock().unwrap(), 2, "{path}: {error}");
        assert_eq!(error.code(), if path == TOKEN_PATH { "E-DPOP-REFUSED" } else { "E-KEY-REFUSED" }, "{error}");
    }
}

#[tokio::test]
async fn what_is_signed_keeps_the_vendors_time() {
    // The clock of this computer is wrong by hours: the endpoint's nonce answer brings the right one.
    for minutes in [-90, 90] {
        let clock = TestClock::new();
        let possession = Possession::new(&clock, SignedDuration::from_mins(minutes), [Some("endpoint"), Some("data")]);
        // At first the time of a proof is wrong, and the endpoint says no more than that.
        let by = possession.clone();
        let vendor = Vendor::start(move |seen| by.answer(seen)).await;
        let error = refused(enter(&client(SigningAlgorithm::Rs256, true), &vendor, &RSA.serialize_pem(), "", "", clock).await);
        assert_eq!(error.code(), "E-CLOCK-DIFFERS", "{error}");
        let which = if minutes > 0 { "behind" } else { "ahead of" };
        assert!(error.to_string().contains(&format!("90 minutes {which} that of Vendor")), "{error}");
    }
}

/// <https://docs.snowflake.com/en/developer-guide/sql-api/authenticating#using-key-pair-authentication>
#[tokio::test]
async fn snowflakes_token_holds_for_another_library() {
    for (key, passphrase) in [(RSA.serialize_pem(), ""), (encrypted(&RSA.serialize_der()), PASSPHRASE)] {
        let mut app = by(Strategy::SnowflakeKeyPair(SnowflakeKeyPair {
            account: "client_id".into(),
            user: "key_id".into(),
            private_key: "private_key".into(),
            passphrase: Some("passphrase".into()),
        }));
        app.logins[0].fields[1].optional = false;
        let clock = TestClock::new();
        let by = clock.clone();
        let fingerprint = STANDARD.encode(Sha256::digest(RSA.subject_public_key_info()));
        let vendor = Vendor::start(move |seen| {
            let token = seen.bearer();
            let now = by.now().as_second();
            let right = opened(token, |_| Some(Public::rsa())).is_some_and(|opened| {
                opened.header.get("alg").is_some_and(|alg| alg == "RS256")
                    && opened.text("iss") == format!("CLIENT-27182.SCANNER.SHA256:{fingerprint}")
                    && opened.text("sub") == "CLIENT-27182.SCANNER"
                    && opened.number("iat") <= now
                    && opened.number("exp") > now
                    && opened.number("exp") - opened.number("iat") <= 3600
            });
            if right { one_user(&seen.path) } else { status(401, json!({"code": "390144"})) }
        })
        .await;
        let session = enter(&app, &vendor, &key, passphrase, "Scanner", clock.clone()).await.unwrap();
        clock.jump(Duration::from_secs(3600));
        assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete);
    }
}

#[tokio::test]
async fn each_form_of_a_key_signs() {
    let (rsa, ec) = (SigningAlgorithm::Rs256, SigningAlgorithm::Es256);
    let table: Vec<(&str, String, &str, SigningAlgorithm, Option<&str>)> = vec![
        ("PKCS#8, RSA", RSA.serialize_pem(), "", rsa, None),
        ("PKCS#8, P-256", EC.serialize_pem(), "", ec, None),
        ("PKCS#1", pem("RSA PRIVATE KEY", &pkcs1()), "", rsa, None),
        ("SEC1", pem("EC PRIVATE KEY", &sec1()), "", ec, None),
        ("encrypted PKCS#8, RSA", encrypted(&RSA.serialize_der()), PASSPHRASE, rsa, None),
        ("encrypted PKCS#8, P-256", encrypted(&EC.serialize_der()), PASSPHRASE, ec, None),
        ("a passphrase that is not needed", RSA.serialize_pem(), PASSPHRASE, rsa, None),
        ("JSON Web Key, RSA", rsa_jwk().to_string(), "", rsa, Some("own-name")),
        ("JSON Web Key, P-256", ec_jwk().to_string(), "", ec, Some("own-curve")),
        ("a set of one", json!({"keys": [rsa_jwk()]}).to_string(), "", rsa, Some("own-name")),
        ("lines as they stand in JSON", RSA.serialize_pem().replace('\n', "\\n"), "", rsa, None),
        ("lines of Windows", RSA.serialize_pem().replace('\n', "\r\n"), "", rsa, None),
        ("all in one line", RSA.serialize_pem().replace('\n', " "), "", rsa, None),
    ];
    for (what, key, passphrase, algorithm, kid) in table {
        let clock = TestClock::new();
        let (_, public) = pair_of(algorithm);
        let (vendor, taken) = vendor_with(&clock, move |seen, _| opened(&seen.field("client_assertion")?, |_| Some(public()))).await;
        enter(&client(algorithm, false), &vendor, &key, passphrase, "", clock).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(taken.lock().unwrap()[0].header.get("kid").and_then(Value::as_str), kid, "{what}");
    }
}

#[tokio::test]
async fn what_is_no_key_is_said_before_anything_is_sent() {
    let (rsa, ec) = (SigningAlgorithm::Rs256, SigningAlgorithm::Es256);
    let whole = RSA.serialize_pem();
    let without = |name: &str| {
        let mut jwk = rsa_jwk();
        jwk.as_object_mut().unwrap().remove(name);
        jwk.to_string()
    };
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    let damaged = {
        let mut jwk = rsa_jwk();
        jwk["p"] = jwk["q"].clone();
        jwk.to_string()
    };
    let table: Vec<(&str, String, &str, SigningAlgorithm, &str, &str)> = vec![
        (
            "encrypted, no passphrase",
            encrypted(&RSA.serialize_der()),
            "",
            rsa,
            "E-PRIVATE-KEY-PASSPHRASE",
            "encrypted with a passphrase, and none is given",
        ),
        (
            "encrypted, another passphrase",
            encrypted(&RSA.serialize_der()),
            "shut sesame",
            rsa,
            "E-PRIVATE-KEY-PASSPHRASE",
            "passphrase does not open",
        ),
        (
            "OpenSSL's old encryption",
            whole.replace("PRIVATE KEY", "RSA PRIVATE KEY").replacen(
                "-----\n",
                "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
                1,
            ),
            PASSPHRASE,
            rsa,
            "E-KEY-MALFORMED",
            "Write it anew as PKCS#8",
        ),
        ("a certificate", pem("CERTIFICATE", b"any"), "", rsa, "E-KEY-MALFORMED", "This is a certificate"),
        ("the public half", pem("PUBLIC KEY", b"any"), "", rsa, "E-KEY-MALFORMED", "This is the public key"),
        ("two keys", format!("{whole}{whole}"), "", rsa, "E-KEY-MALFORMED", "more than one private key"),
        ("cut at its end", whole[..whole.len() / 2].to_owned(), "", rsa, "E-KEY-MALFORMED", "cut or damaged"),
        (
            "a line missing",
            whole.lines().enumerate().filter(|(at, _)| *at != 3).map(|(_, line)| format!("{line}\n")).collect(),
            "",
            rsa,
            "E-KEY-MALFORMED",
            "cut or damaged",
        ),
        ("words", "my private key".into(), "", rsa, "E-KEY-MALFORMED", "does not look like a private key"),
        ("a JSON Web Key without d", without("d"), "", rsa, "E-KEY-MALFORMED", "This is the public key"),
        ("a JSON Web Key without qi", without("qi"), "", rsa, "E-KEY-MALFORMED", "lacks qi"),
        ("a set of two", json!({"keys": [rsa_jwk(), ec_jwk()]}).to_string(), "", rsa, "E-KEY-MALFORMED", "more than one private key"),
        ("another curve", p384, "", ec, "E-KEY-MALFORMED", "private key of another kind"),
        ("an elliptic key for RS256", EC.serialize_pem(), "", rsa, "E-PRIVATE-KEY-KIND", "an RSA key is used here"),
        ("an RSA key for ES256", RSA.serialize_pem(), "", ec, "E-PRIVATE-KEY-KIND", "a key of the curve P-256 is used here"),
        ("numbers that do not belong together", damaged, "", rsa, "E-PRIVATE-KEY", "do not belong together"),
    ];
    for (what, key, passphrase, algorithm, code, words) in table {
        let vendor = Vendor::start(|seen| one_user(&seen.path)).await;
        let error = refused(enter(&client(algorithm, false), &vendor, &key, passphrase, "", TestClock::new()).await);
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        let kind = if code == "E-KEY-MALFORMED" { CauseKind::InputMissing } else { CauseKind::CredentialRefused };
        assert_eq!(error.kind(), kind, "{what}");
        assert!(!error.remedy().is_empty(), "{what}");
        let shown = format!("{error} {error:?} {}", error.remedy());
        assert!(key.lines().filter(|line| line.len() == 64).all(|line| !shown.contains(line)) && !shown.contains("sesame"), "{what}");
        assert!(vendor.connections().is_empty(), "{what}: nothing leaves this computer");
    }
}

/// A token's answer names the host of a role.
#[tokio::test]
async fn a_host_of_others_is_not_taken_from_a_tokens_answer() {
    let named = |url: &Value| {
        let mut app = client(SigningAlgorithm::Rs256, false);
        let login = &mut app.logins[0];
        if let Strategy::ClientCredentials(strategy) = &mut login.strategy {
            strategy.endpoint.role = "login".into();
            strategy.host_from =
                Some(HostFrom { member: "instance_url".into(), role: "api".into(), suffixes: vec![".my.vendor.example".into()] });
        }
        login.roles = vec![
            HostRole { id: "login".into(), hosts: vec![HOST.into()], prefix: String::new() },
            HostRole { id: "api".into(), hosts: vec![], prefix: String::new() },
        ];
        let url = url.clone();
        (
            app,
            Vendor::start(move |seen| {
                if seen.path == TOKEN_PATH {
                    ok(json!({"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "scope": "read", "instance_url": url}))
                } else {
                    one_user(&seen.path)
                }
            }),
        )
    };
    for url in [
        json!("https://evil.example"),
        json!("https://my.vendor.example"),
        json!("https://halden.my.vendor.example.evil.example"),
        json!("https://haldenmy.vendor.example"),
        json!("http://halden.my.vendor.example"),
        json!("https://halden.my.vendor.example:8443"),
        json!("https://halden.my.vendor.example@evil.example"),
        json!("https://user@halden.my.vendor.example"),
        json!("https://user:word@halden.my.vendor.example"),
        json!("https://halden.my.vendor.example?x=1"),
        json!("https://halden.my.vendor.example/#x"),
        json!("https://evil.example/.my.vendor.example"),
        json!("https://evil.example\\.my.vendor.example"),
        json!("https://.my.vendor.example"),
        json!("https://127.0.0.1"),
        json!("//halden.my.vendor.example"),
        json!("halden.my.vendor.example"),
        json!(""),
        json!(["https://halden.my.vendor.example"]),
        json!(null),
    ] {
        let (app, vendor) = named(&url);
        let vendor = vendor.await;
        let error = refused(enter(&app, &vendor, &RSA.serialize_pem(), "", "", TestClock::new()).await);
        assert_eq!(error.code(), "E-NOT-UNDERSTOOD", "{url}: {error}");
        assert!(!error.to_string().contains("evil"), "{error}");
        assert_eq!(vendor.connections(), [HOST], "{url}: nobody else is connected to");
    }
}

const SITE: &str = "api.eu.vendor.example";

/// The signed client, and beside it a secret that is exchanged at a site of its own.
fn with_site() -> App {
    let mut app = client(SigningAlgorithm::Rs256, false);
    let mut site = dataset("site", DatasetKind::Object, "/v1/site");
    site.host = "site".into();
    let mut open = dataset("status", DatasetKind::Object, "/v1/status");
    (open.host, open.authorised) = ("site".into(), false);
    app.datasets.extend([site, open]);
    let login = &mut app.logins[0];
    login.fields.push(field("site_key", true, true, Format::Text));
    login.hosts.push(SITE.into());
    login.roles.push(HostRole { id: "site".into(), hosts: vec![SITE.into()], prefix: String::new() });
    login.also = vec![Also {
        roles: vec!["site".into()],
        strategy: Strategy::ClientCredentials(ClientCredentials {
            endpoint: Endpoint { role: "site".into(), path: "/site/token".into() },
            client_id: None,
            authenticate: ClientAuthentication::Post { secret: "site_key".into() },
            grant_type: "client_credentials".into(),
            parameters: vec![],
            host_from: None,
            scope: String::new(),
            granted: Granted { all_of: vec![], only: vec!["read".into()], none_of: vec![] },
        }),
    }];
    app
}

#[tokio::test]
async fn a_second_credential_that_is_refused_costs_its_datasets_alone() {
    let token = |scope: &str| ok(json!({"access_token": "site-token", "token_type": "Bearer", "expires_in": 3600, "scope": scope}));
    let table: Vec<(&str, bool, Reply, Option<CauseKind>)> = vec![
        ("taken", true, token("read"), None),
        ("left empty", false, token("read"), Some(CauseKind::InputMissing)),
        ("refused", true, status(401, json!({"error": "invalid_client"})), Some(CauseKind::CredentialRefused)),
        ("without the scope", true, status(400, json!({"error": "invalid_scope"})), Some(CauseKind::ScopeMissing)),
        ("not this way", true, status(400, json!({"error": "unauthorized_client"})), Some(CauseKind::ScopeMissing)),
        ("it may write", true, token("read write"), Some(CauseKind::CredentialRefused)),
        ("not understood", true, status(400, json!({"error": "invalid_request"})), Some(CauseKind::NotUnderstood)),
        ("not now", true, status(500, json!({})), Some(CauseKind::VendorError)),
        ("too many", true, status(429, json!({})), Some(CauseKind::RateLimited)),
        ("no answer", true, token("read").after(Duration::from_secs(30)), Some(CauseKind::Connectivity)),
    ];
    for (what, filled, reply, kind) in table {
        let vendor = Vendor::start(move |seen| match (seen.host.as_str(), seen.path.as_str()) {
            (HOST, TOKEN_PATH) => ok(json!({"access_token": "main-token", "token_type": "Bearer", "expires_in": 3600, "scope": "read"})),
            (SITE, "/site/token") => reply.clone(),
            (SITE, _) => ok(json!({"data": {"id": 3, "name": "Site"}})),
            (_, path) => one_user(path),
        })
        .await;
        let app = with_site();
        let mut credentials = secrets(&[("private_key", &RSA.serialize_pem())]);
        if filled {
            credentials.extend(secrets(&[("site_key", "key-of-the-site")]));
        }
        let entry = Entry { inputs: &[("client_id", CLIENT)], credentials, ..Entry::of(&app, vendor.route(), TestClock::new()) };
        let session = entry.sign_in().await.result.unwrap_or_else(|error| panic!("{what}: {error}"));
        let kept = read(&session, &app, &["users", "site", "status"]).await;
        assert_eq!(kept.finished["users"], Completeness::Complete, "{what}");
        assert_eq!(kept.finished["status"], Completeness::Complete, "{what}: it needs no credential");
        match (&kept.finished["site"], kind) {
            (Completeness::Complete, None) => {}
            (Completeness::Unavailable(cause), Some(kind)) => {
                assert_eq!(cause.kind, kind, "{what}: {cause:?}");
                assert!(!cause.sentence.is_empty() && !cause.sentence.contains("key-of-the-site"), "{what}");
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
        // Each host sees its own credential alone, and without one it is not asked.
        for seen in vendor.seen() {
            let (theirs, other) = if seen.host == SITE { ("Bearer site-token", "main-token") } else { ("Bearer main-token", "site") };
            assert!(seen.authorization.as_deref().is_none_or(|header| header == theirs), "{what}: {seen:?}");
            assert!(!seen.body.contains(other), "{what}: {seen:?}");
            assert!(kind.is_none() || seen.path != "/v1/site", "{what}: asked without a credential");
            assert!(seen.path != "/v1/status" || seen.authorization.is_none(), "{what}: {seen:?}");
        }
    }
}

/// RFC 6749, section 5.2; RFC 7521, section 4; RFC 9449, sections 5, 7.1 and 8.
#[tokio::test]
async fn each_refusal_of_what_was_signed_has_its_own_end() {
    let error = |code: u16, word: &str| status(code, json!({"error": word, "error_description": "<script>alert(1)</script>"}));
    let apart = |reply: Reply, minutes: i64| dated(reply, TestClock::new().now() + SignedDuration::from_mins(minutes));
    let bound = client(SigningAlgorithm::Rs256, true);
    let plain = client(SigningAlgorithm::Rs256, false);
    let granted = grant(SigningAlgorithm::Rs256, ScopeIn::Claims);
    let typed = |kind: &str| ok(json!({"access_token": "t", "token_type": kind, "expires_in": 3600}));
    let table: Vec<(&str, &App, Reply, &str, &str)> = vec![
        ("an unknown client", &plain, error(401, "invalid_client"), "E-KEY-REFUSED", "refused the signed assertion (401)"),
        ("an assertion that is not taken", &granted, error(400, "invalid_grant"), "E-KEY-REFUSED", "refused the signed assertion (400)"),
        ("the clock is behind", &plain, apart(error(401, "invalid_client"), 20), "E-CLOCK-DIFFERS", "20 minutes behind"),
        ("the clock is ahead", &granted, apart(error(400, "invalid_grant"), -20), "E-CLOCK-DIFFERS", "20 minutes ahead of"),
        ("clocks differ by little", &granted, apart(error(400, "invalid_grant"), 1), "E-KEY-REFUSED", "refused the signed assertion"),
        ("clocks differ, and it is the scope", &plain, apart(error(400, "invalid_scope"), 20), "E-SCOPE-REFUSED", "with the scope read"),
        ("no such scope", &granted, error(400, "invalid_scope"), "E-SCOPE-REFUSED", "with the scope read"),
        ("not this way", &plain, error(400, "unauthorized_client"), "E-TOKEN-DENIED", "does not exchange it"),
        ("not for this user", &granted, error(401, "unauthorized_client"), "E-TOKEN-DENIED", "does not exchange it"),
        ("denied", &granted, error(403, "access_denied"), "E-TOKEN-DENIED", "does not exchange it"),
        ("a request of the wrong form", &plain, error(400, "invalid_request"), "E-TOKEN-REQUEST", "how a token was asked for"),
        ("no such grant", &granted, error(400, "unsupported_grant_type"), "E-TOKEN-REQUEST", "how a token was asked for"),
        ("a proof that is not taken", &bound, error(400, "invalid_dpop_proof"), "E-DPOP-REFUSED", "the token's key is ours (400)"),
        ("a nonce is wanted and not given", &bound, error(400, "use_dpop_nonce"), "E-DPOP-REFUSED", "the token's key is ours (400)"),
        (
            "a nonce that no header can carry",
            &bound,
            error(400, "use_dpop_nonce").header("dpop-nonce", "a b"),
            "E-DPOP-REFUSED",
            "the token's key is ours (400)",
        ),
        ("a word that nobody knows", &plain, error(400, "because"), "E-VENDOR-ERROR", "did not exchange the credential"),
        ("not now", &granted, error(400, "temporarily_unavailable"), "E-VENDOR-ERROR", "could not give a token now"),
        ("too many", &plain, status(429, json!({})), "E-RATE-LIMITED", ""),
        ("overloaded, and says how long", &plain, status(503, json!({})).header("retry-after", "30"), "E-RATE-LIMITED", ""),
        ("a fault", &granted, status(500, json!({})), "E-VENDOR-ERROR", "an error of its own (500)"),
        ("elsewhere", &plain, status(307, json!({})).header("location", "https://evil.example/"), "E-REDIRECTED", ""),
        ("a bound token that nobody asked for", &plain, typed("DPoP"), "E-NOT-UNDERSTOOD", "not of the type Bearer"),
        ("a token of another type", &bound, typed("mac"), "E-NOT-UNDERSTOOD", "not of the type Bearer"),
    ];
    for (what, app, reply, code, words) in table {
        let reply = dated(reply, TestClock::new().now());
        let vendor = Vendor::start(move |seen| if seen.path == TOKEN_PATH { reply.clone() } else { one_user(&seen.path) }).await;
        let error = refused(enter(app, &vendor, &RSA.serialize_pem(), "", "", TestClock::new()).await);
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(!error.remedy().is_empty(), "{what}");
        assert!(!format!("{error:?}").contains("script"), "{what}: {error:?}");
        assert_eq!(vendor.seen().len(), 1, "{what}: asked once");
        assert_eq!(vendor.connections(), [HOST], "{what}");
    }
}
