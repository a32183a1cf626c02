//! Signed assertions and proofs of possession: what the token endpoint and the hosts behind it take, and each way in which
//! they do not hold. What is sent here is signed by this test, with keys and claims of its own.

use crate::{
    client::builder,
    helpdesk::{EU_HOST, HOST, app, halden_moor, noon},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{
    App, Assertion, ClientAuthentication, ClientCredentials, Endpoint, Format, Granted, HostFrom, PrivateKeyProof, SandboxTenant,
    SandboxTokens, ScopeIn, SigningAlgorithm, SigningKey, Strategy,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use reqwest::{Client, RequestBuilder, Response};
use sandbox::{OverlayChange, Sandbox, Tenant};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

const PATH: &str = "/oauth2/v1/token";
const CLIENT: &str = "0oahaldenmoor";
const KID: &str = "halden-moor-1";

fn key() -> SigningKey {
    SigningKey { private_key: "api_key".into(), passphrase: None, kid: Some("{client}-1".into()), algorithm: SigningAlgorithm::Rs256 }
}

fn signing(strategy: Strategy) -> App {
    let mut app = app();
    let login = &mut app.logins[0];
    login.strategy = strategy;
    login.fields[0].format = Format::PrivateKey { encrypted: true };
    let open = |id: &str| catalog::Field { id: id.into(), secret: false, optional: true, format: Format::Text, ..login.fields[0].clone() };
    let added = [open("client"), open("client_id")];
    login.fields.extend(added);
    app
}

fn client_assertion(dpop: bool) -> Strategy {
    Strategy::ClientCredentials(ClientCredentials {
        endpoint: Endpoint { role: "api".into(), path: PATH.into() },
        client_id: Some("client_id".into()),
        authenticate: ClientAuthentication::PrivateKey(PrivateKeyProof { key: key(), dpop }),
        grant_type: "client_credentials".into(),
        parameters: vec![],
        scope: "read".into(),
        granted: Granted::default(),
        host_from: None,
    })
}

fn grant() -> Strategy {
    Strategy::Assertion(Assertion {
        endpoint: Endpoint { role: "api".into(), path: PATH.into() },
        key: key(),
        issuer: "{client_id}".into(),
        subject: "admin@haldenmoor.example".into(),
        audience: "https://login.vendor.example".into(),
        scope: "read".into(),
        scope_in: ScopeIn::Claims,
        claims: vec![("box_sub_type".into(), "enterprise".into())],
        client_id: None,
        client_secret: None,
        lifetime_seconds: 300,
        granted: Granted::default(),
        host_from: None,
    })
}

fn tenant(app: &App, tokens: SandboxTokens) -> Tenant {
    let mut files = SandboxTenant { tokens: Some(tokens), ..halden_moor() };
    files.fields.insert("api_key".into(), "{{private_key:rsa}}".into());
    files.fields.insert("client".into(), "halden-moor".into());
    files.fields.insert("client_id".into(), CLIENT.into());
    files.fields.remove("organization");
    files.answers.retain(|answer| answer.host == "api");
    Tenant::new(&files, app, noon()).unwrap()
}

struct Stand {
    sandbox: Sandbox,
    client: Client,
    key: EncodingKey,
    name: String,
    seconds: Arc<AtomicI64>,
    count: AtomicU32,
}

impl Stand {
    async fn of(strategy: Strategy, tokens: SandboxTokens) -> Self {
        let tenant = tenant(&signing(strategy), tokens);
        let key = EncodingKey::from_rsa_pem(tenant.fields()["api_key"].as_bytes()).unwrap();
        let name = tenant.name().to_owned();
        let seconds = Arc::new(AtomicI64::new(0));
        let passing = Arc::clone(&seconds);
        let clock: sandbox::Clock = Arc::new(move || noon() + jiff::SignedDuration::from_secs(passing.load(Ordering::Relaxed)));
        let sandbox = Sandbox::start(vec![tenant.into()], clock).await.unwrap();
        let client = builder(&sandbox).build().unwrap();
        Self { sandbox, client, key, name, seconds, count: AtomicU32::new(0) }
    }
    fn now(&self) -> i64 {
        noon().as_second() + self.seconds.load(Ordering::Relaxed)
    }
    fn id(&self) -> String {
        format!("id-{}", self.count.fetch_add(1, Ordering::Relaxed))
    }
    fn url(&self) -> String {
        format!("https://{EU_HOST}{PATH}")
    }
    /// The claims of a client's assertion as they should be, but for `changes`; null takes one away.
    fn client_claims(&self, changes: Value) -> Value {
        changed(
            json!({"iss": CLIENT, "sub": CLIENT, "aud": self.url(), "jti": self.id(), "iat": self.now(), "exp": self.now() + 300}),
            changes,
        )
    }
    fn signed(&self, claims: &Value) -> String {
        self.signed_by(claims, &self.key, Some(KID), Algorithm::RS256)
    }
    fn signed_by(&self, claims: &Value, key: &EncodingKey, kid: Option<&str>, algorithm: Algorithm) -> String {
        jsonwebtoken::encode(&Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) }, claims, key).unwrap()
    }
    fn asks(&self, assertion: &str) -> RequestBuilder {
        self.client.post(self.url()).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
            ("scope", "read"),
        ])
    }
    fn asks_by_grant(&self, assertion: &str) -> RequestBuilder {
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
        self.client.post(self.url()).form(&form)
    }
}

fn changed(mut claims: Value, changes: Value) -> Value {
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.clone(), value.clone())
        };
    }
    claims
}

async fn error(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"].as_str().unwrap_or("no error").to_owned())
}

async fn refused(request: RequestBuilder) -> (u16, String) {
    error(request.send().await.unwrap()).await
}

fn plain() -> SandboxTokens {
    SandboxTokens::default()
}

fn other_key() -> EncodingKey {
    let other = rcgen_key();
    EncodingKey::from_rsa_pem(other.as_bytes()).unwrap()
}

/// A key of another organization, as the sandbox makes it.
fn rcgen_key() -> String {
    let mut files = SandboxTenant { id: "another".into(), ..halden_moor() };
    files.fields.insert("api_key".into(), "{{private_key:rsa}}".into());
    files.fields.insert("client_id".into(), "another".into());
    files.fields.insert("client".into(), "another".into());
    files.fields.remove("organization");
    files.answers.retain(|answer| answer.host == "api");
    Tenant::new(&files, &signing(client_assertion(false)), noon()).unwrap().fields()["api_key"].clone()
}

#[tokio::test]
async fn an_assertion_of_a_client_is_verified() {
    let stand = Stand::of(client_assertion(false), plain()).await;
    let right = stand.signed(&stand.client_claims(json!({})));
    let granted: Value = stand.asks(&right).send().await.unwrap().json().await.unwrap();
    assert_eq!((granted["token_type"].as_str(), granted["scope"].as_str()), (Some("Bearer"), Some("read")));
    let url = format!("https://{HOST}/v1/settings");
    let with = |token: &str| stand.client.get(&url).header("authorization", format!("Bearer {token}"));
    let token = granted["access_token"].as_str().unwrap();
    assert_eq!(with(token).send().await.unwrap().status(), 200);
    assert_eq!(with(&right).send().await.unwrap().status(), 401, "the assertion opens nothing itself");
    assert_eq!(refused(stand.asks(&right)).await, (401, "invalid_client".into()), "it is good for one use");

    let claims = || stand.client_claims(json!({}));
    let now = stand.now();
    for (what, assertion) in [
        ("another key", stand.signed_by(&claims(), &other_key(), Some(KID), Algorithm::RS256)),
        ("another key's id", stand.signed_by(&claims(), &stand.key, Some("other"), Algorithm::RS256)),
        ("no key's id", stand.signed_by(&claims(), &stand.key, None, Algorithm::RS256)),
        ("another algorithm", stand.signed_by(&claims(), &stand.key, Some(KID), Algorithm::RS512)),
        ("another issuer", stand.signed(&stand.client_claims(json!({"iss": "somebody"})))),
        ("another subject", stand.signed(&stand.client_claims(json!({"sub": "somebody"})))),
        ("another audience", stand.signed(&stand.client_claims(json!({"aud": format!("https://{HOST}{PATH}")})))),
        ("the audience of the organization alone", stand.signed(&stand.client_claims(json!({"aud": format!("https://{EU_HOST}")})))),
        ("no audience", stand.signed(&stand.client_claims(json!({"aud": null})))),
        ("it ended", stand.signed(&stand.client_claims(json!({"iat": now - 600, "exp": now - 1})))),
        ("no end", stand.signed(&stand.client_claims(json!({"exp": null})))),
        ("an end too far off", stand.signed(&stand.client_claims(json!({"exp": now + 3601})))),
        ("made in the future", stand.signed(&stand.client_claims(json!({"iat": now + 120})))),
        ("no id", stand.signed(&stand.client_claims(json!({"jti": null})))),
        ("altered", stand.signed(&claims()).replacen('.', ".e", 1)),
        ("unsigned", format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims().to_string()))),
        ("nothing", String::new()),
    ] {
        assert_eq!(refused(stand.asks(&assertion)).await, (401, "invalid_client".into()), "{what}");
    }
    // The sandbox's clock counts, not this computer's.
    let early = stand.signed(&claims());
    stand.seconds.store(400, Ordering::Relaxed);
    assert_eq!(refused(stand.asks(&early)).await, (401, "invalid_client".into()));
    stand.sandbox.overlay().apply(OverlayChange::Revoke { tenant: stand.name.clone() }).unwrap();
    assert_eq!(refused(stand.asks(&stand.signed(&stand.client_claims(json!({}))))).await, (401, "invalid_client".into()));
}

#[tokio::test]
async fn a_grant_is_verified_and_names_the_host() {
    let mut strategy = grant();
    if let Strategy::Assertion(grant) = &mut strategy {
        grant.host_from = Some(HostFrom { member: "instance_url".into(), role: "org".into(), suffixes: vec![".my.vendor.example".into()] });
    }
    let stand = Stand::of(strategy, SandboxTokens { host: Some("halden.my.vendor.example".into()), ..plain() }).await;
    let claims = |changes: Value| {
        let whole = json!({
            "iss": CLIENT, "sub": "admin@haldenmoor.example", "aud": "https://login.vendor.example", "jti": stand.id(),
            "iat": stand.now(), "exp": stand.now() + 300, "scope": "read", "box_sub_type": "enterprise",
        });
        changed(whole, changes)
    };
    let right = stand.signed(&claims(json!({})));
    let granted: Value = stand.asks_by_grant(&right).send().await.unwrap().json().await.unwrap();
    assert_eq!(granted["instance_url"], "https://halden.my.vendor.example");
    assert_eq!(granted["scope"], "read");
    assert_eq!(refused(stand.asks_by_grant(&right)).await, (400, "invalid_grant".into()), "it is good for one use");
    for (what, changes) in [
        ("another subject", json!({"sub": "somebody@haldenmoor.example"})),
        ("no subject", json!({"sub": null})),
        ("another audience", json!({"aud": stand.url()})),
        ("it ended", json!({"exp": stand.now()})),
        ("a claim of the vendor's is missing", json!({"box_sub_type": null})),
        ("a claim of the vendor's differs", json!({"box_sub_type": "user"})),
    ] {
        assert_eq!(refused(stand.asks_by_grant(&stand.signed(&claims(changes)))).await, (400, "invalid_grant".into()), "{what}");
    }
    let wider = stand.signed(&claims(json!({"scope": "read write"})));
    assert_eq!(refused(stand.asks_by_grant(&wider)).await, (400, "invalid_scope".into()));
    assert_eq!(refused(stand.asks(&stand.signed(&stand.client_claims(json!({}))))).await, (400, "unsupported_grant_type".into()));
}

/// A session key and its proofs.
struct Prover {
    key: EncodingKey,
    public: Value,
}

impl Prover {
    fn new() -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap()).unwrap();
        public.as_object_mut().unwrap().remove("alg");
        Self { key, public }
    }
    fn proof(&self, claims: &Value) -> String {
        self.proof_with(claims, "dpop+jwt", &self.public)
    }
    fn proof_with(&self, claims: &Value, kind: &str, public: &Value) -> String {
        let header = json!({"typ": kind, "alg": "ES256", "jwk": public});
        let header: Header = serde_json::from_value(header).unwrap();
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

#[tokio::test]
async fn a_bound_token_needs_a_proof_of_its_key_for_each_request() {
    let stand = Stand::of(client_assertion(true), plain()).await;
    let (prover, other) = (Prover::new(), Prover::new());
    let proof = |changes: Value| changed(json!({"htm": "POST", "htu": stand.url(), "jti": stand.id(), "iat": stand.now()}), changes);
    let asks = |proof: &str| stand.asks(&stand.signed(&stand.client_claims(json!({})))).header("dpop", proof);

    // Without a proof there is no token, and without a nonce of the endpoint's there is none either.
    assert_eq!(refused(stand.asks(&stand.signed(&stand.client_claims(json!({}))))).await, (400, "invalid_dpop_proof".into()));
    let first = asks(&prover.proof(&proof(json!({})))).send().await.unwrap();
    let nonce = first.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    assert_eq!(error(first).await, (400, "use_dpop_nonce".into()));
    assert_eq!(refused(asks(&prover.proof(&proof(json!({"nonce": "stale"}))))).await, (400, "use_dpop_nonce".into()));
    let whole = |changes: Value| changed(proof(json!({"nonce": nonce})), changes);
    for (what, sent) in [
        ("for another verb", prover.proof(&whole(json!({"htm": "GET"})))),
        ("for another address", prover.proof(&whole(json!({"htu": format!("https://{HOST}/v1/settings")})))),
        ("too old", prover.proof(&whole(json!({"iat": stand.now() - 61})))),
        ("of the future", prover.proof(&whole(json!({"iat": stand.now() + 61})))),
        ("without an id", prover.proof(&whole(json!({"jti": null})))),
        ("of another type", prover.proof_with(&whole(json!({})), "JWT", &prover.public)),
        ("signed by another key than it names", prover.proof_with(&whole(json!({})), "dpop+jwt", &other.public)),
        ("not a token", "proof".to_owned()),
    ] {
        assert_eq!(refused(asks(&sent)).await, (400, "invalid_dpop_proof".into()), "{what}");
    }
    let good = prover.proof(&whole(json!({})));
    let granted: Value = asks(&good).send().await.unwrap().json().await.unwrap();
    assert_eq!(granted["token_type"], "DPoP");
    assert_eq!(refused(asks(&good)).await, (400, "invalid_dpop_proof".into()), "a proof is good for one use");

    let token = granted["access_token"].as_str().unwrap();
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
    let url = format!("https://{HOST}/v1/settings");
    let here = |changes: Value| changed(json!({"htm": "GET", "htu": url, "jti": stand.id(), "iat": stand.now(), "ath": digest}), changes);
    let reads = |scheme: &str, proof: Option<String>| {
        let request = stand.client.get(&url).header("authorization", format!("{scheme} {token}"));
        match proof {
            Some(proof) => request.header("dpop", proof),
            None => request,
        }
    };
    let status = async |request: RequestBuilder| request.send().await.unwrap().status().as_u16();
    let right = prover.proof(&here(json!({})));
    assert_eq!(status(reads("DPoP", Some(right.clone()))).await, 200);
    for (what, request) in [
        ("the same proof again", reads("DPoP", Some(right))),
        ("as a bearer token", reads("Bearer", None)),
        ("as a bearer token with a proof", reads("Bearer", Some(prover.proof(&here(json!({})))))),
        ("without a proof", reads("DPoP", None)),
        ("with another key's proof", reads("DPoP", Some(other.proof(&here(json!({})))))),
        ("for another token", reads("DPoP", Some(prover.proof(&here(json!({"ath": URL_SAFE_NO_PAD.encode(Sha256::digest("other"))})))))),
        ("for no token", reads("DPoP", Some(prover.proof(&here(json!({"ath": null})))))),
        ("for another path", reads("DPoP", Some(prover.proof(&here(json!({"htu": format!("https://{HOST}/v1/users")})))))),
    ] {
        assert_eq!(status(request).await, 401, "{what}");
    }
}
