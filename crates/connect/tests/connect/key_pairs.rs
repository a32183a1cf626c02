//! GitHub Apps and Snowflake users, who sign for themselves with a private key: what is signed is verified with a key that another
//! library made, tokens that may write are not used, and every documented refusal has its own end.
use crate::entry::{Entry, refused, scan, secrets};
use crate::vendor;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use catalog::{App, CauseKind, Completeness, DatasetKind, Format, GithubApp, HostRole, SnowflakeKeyPair, Strategy};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use posture_connect::{Clock, ConnectError, RequestClass, Session};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};
use vendor::{HOST, Reply, Seen, TestClock, Vendor, app, dataset, field, ok, one_user, status};

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap());
static OTHER: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap());

const APP_ID: &str = "314159";
const ORGANIZATION: &str = "halden-moor";

fn github() -> App {
    let mut app = app(vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let login = &mut app.logins[0];
    login.fields = vec![
        field("app_id", false, false, Format::Text),
        field("organization", false, false, Format::Text),
        field("private_key", true, false, Format::PrivateKey { encrypted: false }),
    ];
    login.strategy = Strategy::GithubApp(GithubApp {
        role: "api".into(),
        app_id: "app_id".into(),
        private_key: "private_key".into(),
        organization: "organization".into(),
        permissions: BTreeMap::from([("members".into(), "read".into()), ("organization_administration".into(), "read".into())]),
    });
    login.hosts = vec![HOST.into()];
    login.roles = vec![HostRole { id: "api".into(), hosts: vec![HOST.into()], prefix: String::new() }];
    app
}

async fn signing(app: &App, vendor: &Vendor, inputs: &[(&str, &str)], key: &str, clock: Arc<dyn Clock>) -> Result<Session, ConnectError> {
    let entry = Entry { inputs, credentials: secrets(&[("private_key", key)]), ..Entry::of(app, vendor.route(), clock) };
    entry.sign_in().await.tells_none_of(&["PRIVATE", "ghs_", "eyJ"]).result
}

async fn by_app(vendor: &Vendor, clock: Arc<dyn Clock>) -> Result<Session, ConnectError> {
    signing(&github(), vendor, &[("app_id", APP_ID), ("organization", ORGANIZATION)], &KEY.serialize_pem(), clock).await
}

/// A scripted GitHub.
struct Github {
    clock: Arc<TestClock>,
    /// How far its clock is ahead.
    ahead: SignedDuration,
    installation: Value,
    gives: Option<Value>,
    faults: Mutex<BTreeMap<&'static str, Reply>>,
    given: Mutex<Vec<(String, Timestamp)>>,
    asked: Mutex<Vec<Value>>,
}

impl Github {
    fn new(clock: &Arc<TestClock>) -> Self {
        Self {
            clock: clock.clone(),
            ahead: SignedDuration::ZERO,
            installation: json!({
                "id": 99, "account": {"login": "Halden-Moor"}, "suspended_at": null,
                "permissions": {"members": "write", "organization_administration": "read", "metadata": "read"},
            }),
            gives: None,
            faults: Mutex::default(),
            given: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    async fn start(self) -> (Arc<Self>, Vendor) {
        let github = Arc::new(self);
        let by = github.clone();
        (github, Vendor::start(move |seen| by.answer(seen)).await)
    }

    fn now(&self) -> Timestamp {
        self.clock.now() + self.ahead
    }

    /// The app's own token: signature by a library, the times as GitHub documents them.
    fn is_the_app(&self, seen: &Seen) -> bool {
        let token = seen.bearer();
        let key = DecodingKey::from_rsa_der(KEY.der_bytes());
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&[APP_ID]);
        rules.validate_exp = false;
        rules.set_required_spec_claims(&["iss", "exp"]);
        let Ok(decoded) = jsonwebtoken::decode::<Value>(token, &key, &rules) else { return false };
        let (iat, exp, now) = (decoded.claims["iat"].as_i64().unwrap(), decoded.claims["exp"].as_i64().unwrap(), self.now().as_second());
        iat <= now && exp > now && exp - now <= 600
    }

    fn answer(&self, seen: &Seen) -> Reply {
        let (endpoint, reply) = match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", path) if path == format!("/orgs/{ORGANIZATION}/installation") => ("installation", self.installation(seen)),
            ("POST", "/app/installations/99/access_tokens") => ("tokens", self.token(seen)),
            (_, path) => {
                let now = self.clock.now();
                let given = self.given.lock().unwrap();
                let known = given.iter().any(|(token, ends)| *ends > now && token == seen.bearer());
                let reply = if known { one_user(path) } else { status(401, json!({"message": "Bad credentials"})) };
                ("api", reply)
            }
        };
        let reply = self.faults.lock().unwrap().get(endpoint).cloned().unwrap_or(reply);
        reply.header("date", httpdate::fmt_http_date(self.now().into()))
    }

    fn installation(&self, seen: &Seen) -> Reply {
        if !self.is_the_app(seen) || seen.header("x-github-api-version") != "2022-11-28" {
            return status(401, json!({"message": "'Expiration time' claim ('exp') is too far in the future"}));
        }
        ok(self.installation.clone())
    }

    fn token(&self, seen: &Seen) -> Reply {
        if !self.is_the_app(seen) {
            return status(401, json!({"message": "no"}));
        }
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        self.asked.lock().unwrap().push(body.clone());
        let mut given = self.given.lock().unwrap();
        let ends = self.now() + SignedDuration::from_hours(1);
        let token = format!("ghs_token{}", given.len());
        given.push((token.clone(), ends - self.ahead));
        let permissions = self.gives.clone().unwrap_or(body["permissions"].clone());
        status(201, json!({"token": token, "expires_at": ends.to_string(), "permissions": permissions, "repository_selection": "all"}))
    }
}

#[tokio::test]
async fn a_github_app_reads_with_a_token_of_its_installation_and_renews_it() {
    let clock = TestClock::new();
    let (github, vendor) = Github::new(&clock).start().await;
    let session = by_app(&vendor, clock.clone()).await.unwrap();
    // Read is asked for even where the installation may write.
    assert_eq!(github.asked.lock().unwrap()[0], json!({"permissions": {"members": "read", "organization_administration": "read"}}));
    assert!(session.keepsakes().is_empty());
    assert_eq!(session.hints().granted.as_ref().unwrap().scopes, ["members=read", "organization_administration=read"]);
    let app = self::github();
    for round in 1..3 {
        clock.jump(Duration::from_secs(3600));
        let kept = scan(&session, &app).await;
        assert_eq!(kept.finished["users"], Completeness::Complete);
        assert_eq!(kept.requests.iter().filter(|entry| entry.class == RequestClass::SignInHop).count(), 2, "installation and token");
        assert_eq!(github.given.lock().unwrap().len(), round + 1);
    }
    let logged: Vec<String> = session.take_requests().into_iter().map(|entry| entry.path_template).collect();
    assert!(logged.iter().all(|path| !path.contains("99")));
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_the_vendors() {
    for minutes in [-90, -12, 0, 12, 90] {
        let clock = TestClock::new();
        let (github, vendor) = Github { ahead: SignedDuration::from_mins(minutes), ..Github::new(&clock) }.start().await;
        let session = by_app(&vendor, clock.clone()).await.unwrap_or_else(|error| panic!("{minutes}: {error}"));
        assert!(vendor.seen().iter().filter(|seen| seen.path.ends_with("/installation")).count() <= 2);
        // By our own clock it is renewed in time.
        clock.jump(Duration::from_secs(3590));
        assert_eq!(scan(&session, &self::github()).await.finished["users"], Completeness::Complete, "{minutes}");
        assert_eq!(github.given.lock().unwrap().len(), 2, "{minutes}");
    }
}

#[tokio::test]
async fn a_permission_that_was_not_granted_is_not_asked_for() {
    let clock = TestClock::new();
    let mut github = Github::new(&clock);
    github.installation["permissions"] = json!({"members": "read"});
    let (github, vendor) = github.start().await;
    by_app(&vendor, clock.clone()).await.unwrap();
    assert_eq!(github.asked.lock().unwrap()[0], json!({"permissions": {"members": "read"}}));
    let mut none = Github::new(&clock);
    none.installation["permissions"] = json!({"metadata": "read"});
    let (none, vendor) = none.start().await;
    let error = refused(by_app(&vendor, clock).await);
    assert_eq!((error.code(), error.kind()), ("E-GITHUB-PERMISSIONS", CauseKind::ScopeMissing));
    assert!(error.remedy().contains("organization_administration") && none.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_may_do_more_is_not_used() {
    for gives in [
        json!({"members": "write", "organization_administration": "read"}),
        json!({"members": "admin"}),
        json!({"members": "read", "contents": "read"}),
        json!({"members": true}),
    ] {
        let clock = TestClock::new();
        let (_, vendor) = Github { gives: Some(gives.clone()), ..Github::new(&clock) }.start().await;
        assert_eq!(refused(by_app(&vendor, clock).await).code(), "E-SCOPE-NOT-READ-ONLY", "{gives}");
        assert!(vendor.seen().iter().all(|seen| !seen.path.starts_with("/v1/")), "{gives}: nothing is read with it");
    }
    // GitHub adds `metadata` by itself.
    let clock = TestClock::new();
    let (_, vendor) = Github { gives: Some(json!({"members": "read", "metadata": "read"})), ..Github::new(&clock) }.start().await;
    by_app(&vendor, clock).await.unwrap();
}

/// <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>
#[tokio::test]
async fn each_refusal_of_github_has_its_own_end() {
    let message = json!({"message": "<script>alert(1)</script>"});
    let at = |code: u16| status(code, message.clone());
    let table: Vec<(&str, Reply, &str)> = vec![
        ("installation", at(401), "E-GITHUB-APP"),
        ("installation", at(404), "E-GITHUB-NOT-INSTALLED"),
        ("installation", at(403), "E-TOKEN-DENIED"),
        ("installation", status(403, json!({"message": "This installation has been suspended"})), "E-GITHUB-SUSPENDED"),
        ("installation", status(403, json!({"message": ["This installation has been suspended"]})), "E-TOKEN-DENIED"),
        ("installation", status(403, json!({"message": "Resource not accessible by integration"})), "E-GITHUB-PERMISSIONS"),
        (
            "installation",
            status(
                403,
                json!({"message": "Although you appear to have the correct authorization credentials, the `halden-moor` organization has an IP allow list enabled, and your IP address is not permitted to access this resource."}),
            ),
            "E-GITHUB-ADDRESS",
        ),
        ("installation", at(403).header("retry-after", "60"), "E-RATE-LIMITED"),
        ("installation", status(403, json!({"message": "You have exceeded a secondary rate limit."})), "E-RATE-LIMITED"),
        ("installation", at(403).header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "1795251660"), "E-RATE-LIMITED"),
        ("installation", at(403).header("x-ratelimit-remaining", "4999").header("x-ratelimit-reset", "1795251660"), "E-TOKEN-DENIED"),
        ("installation", at(429), "E-RATE-LIMITED"),
        ("installation", at(500), "E-VENDOR-ERROR"),
        ("installation", at(301).header("location", "https://evil.example/"), "E-REDIRECTED"),
        ("installation", ok(json!({})), "E-NOT-UNDERSTOOD"),
        (
            "installation",
            ok(json!({"id": 99, "account": {"login": "somebody-else"}, "permissions": {"members": "read"}})),
            "E-NOT-UNDERSTOOD",
        ),
        (
            "installation",
            ok(json!({"id": 99, "account": {"login": ORGANIZATION}, "permissions": {}, "suspended_at": "2026-01-01T00:00:00Z"})),
            "E-GITHUB-SUSPENDED",
        ),
        ("tokens", at(401), "E-GITHUB-APP"),
        ("tokens", status(403, json!({"message": "This installation has been suspended"})), "E-GITHUB-SUSPENDED"),
        ("tokens", at(403), "E-TOKEN-DENIED"),
        ("tokens", at(404), "E-GITHUB-NOT-INSTALLED"),
        ("tokens", at(422), "E-GITHUB-PERMISSIONS"),
        ("tokens", at(503), "E-VENDOR-ERROR"),
        ("tokens", ok(json!({"token": "ghs_x"})), "E-NOT-UNDERSTOOD"),
        ("tokens", status(201, json!({"token": "ghs_x"})), "E-NOT-UNDERSTOOD"),
        ("tokens", status(201, json!({"token": "ghs_x", "permissions": {}, "expires_at": "soon"})), "E-NOT-UNDERSTOOD"),
        ("tokens", status(201, json!({"token": "ghs_x", "permissions": {}, "expires_at": "2020-01-01T00:00:00Z"})), "E-TOKEN-ENDED"),
    ];
    for (endpoint, reply, code) in table {
        let clock = TestClock::new();
        let (github, vendor) = Github::new(&clock).start().await;
        github.faults.lock().unwrap().insert(endpoint, reply);
        let error = refused(by_app(&vendor, clock).await);
        assert_eq!(error.code(), code, "{endpoint}: {error}");
        assert!(!format!("{error:?}").contains("script"), "{error:?}");
        assert!(vendor.seen().len() <= 2, "{endpoint}, {code}: asked once");
    }
    // Another app's key; and what is no key is said before anything is sent.
    let clock = TestClock::new();
    let (_, vendor) = Github::new(&clock).start().await;
    let inputs = [("app_id", APP_ID), ("organization", ORGANIZATION)];
    assert_eq!(refused(signing(&github(), &vendor, &inputs, &OTHER.serialize_pem(), clock.clone()).await).code(), "E-GITHUB-APP");
    let before = vendor.seen().len();
    let elliptic = KeyPair::generate().unwrap().serialize_pem();
    for key in ["nonsense", elliptic.as_str()] {
        let error = refused(signing(&github(), &vendor, &inputs, key, clock.clone()).await);
        assert!(["E-KEY-MALFORMED", "E-PRIVATE-KEY-KIND"].contains(&error.code()), "{}", error.code());
    }
    assert_eq!(vendor.seen().len(), before);
}

fn snowflake(account: Format) -> App {
    let mut app = app(vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let login = &mut app.logins[0];
    login.fields = vec![
        field("account", false, false, account),
        field("user", false, false, Format::Text),
        field("private_key", true, false, Format::PrivateKey { encrypted: true }),
        field("passphrase", true, true, Format::Password),
    ];
    login.strategy = Strategy::SnowflakeKeyPair(SnowflakeKeyPair {
        account: "account".into(),
        user: "user".into(),
        private_key: "private_key".into(),
        passphrase: Some("passphrase".into()),
    });
    login.hosts = vec![HOST.into()];
    login.roles = vec![HostRole { id: "api".into(), hosts: vec![HOST.into()], prefix: String::new() }];
    app
}

/// What Snowflake holds against a user's registered key.
fn is_the_user(now: Timestamp, seen: &Seen, jwts: &Mutex<Vec<String>>) -> bool {
    let token = seen.bearer();
    let mut rules = Validation::new(Algorithm::RS256);
    // `subject_public_key_info` is DER by rcgen, not by what signs.
    let fingerprint = STANDARD.encode(Sha256::digest(KEY.subject_public_key_info()));
    rules.set_issuer(&[format!("HALDEN-MOOR.SCANNER.SHA256:{fingerprint}")]);
    rules.sub = Some("HALDEN-MOOR.SCANNER".into());
    rules.set_required_spec_claims(&["iss", "sub", "exp"]);
    rules.validate_exp = false;
    let Ok(decoded) = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_rsa_der(KEY.der_bytes()), &rules) else { return false };
    let (iat, exp, now) = (decoded.claims["iat"].as_i64().unwrap(), decoded.claims["exp"].as_i64().unwrap(), now.as_second());
    jwts.lock().unwrap().push(token.to_owned());
    iat <= now && exp > now && exp - iat <= 3600
}

#[tokio::test]
async fn a_snowflake_user_signs_for_itself_and_signs_anew_in_mid_scan() {
    for account in ["halden-moor", "halden-moor.eu-central-1", "HALDEN-MOOR.privatelink"] {
        let clock = TestClock::new();
        let jwts = Arc::new(Mutex::new(Vec::new()));
        let (by_clock, by_jwts) = (clock.clone(), jwts.clone());
        let vendor = Vendor::start(move |seen| match (is_the_user(by_clock.now(), seen, &by_jwts), seen.path.as_str()) {
            (false, _) => status(401, json!({"code": "390144", "message": "JWT token is invalid."})),
            (true, path) => one_user(path),
        })
        .await;
        let app = snowflake(Format::Text);
        let inputs = [("account", account), ("user", "Scanner")];
        let session = signing(&app, &vendor, &inputs, &KEY.serialize_pem(), clock.clone()).await.unwrap();
        assert_eq!(vendor.seen().len(), 1, "nothing is exchanged");
        clock.jump(Duration::from_secs(3600));
        let kept = scan(&session, &app).await;
        assert_eq!(kept.finished["users"], Completeness::Complete, "{account}");
        assert_eq!(kept.requests.iter().filter(|entry| entry.class == RequestClass::SignInHop).count(), 0);
        let jwts = jwts.lock().unwrap().clone();
        assert_ne!(jwts[0], jwts[jwts.len() - 1], "signed anew");
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwts[0].split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header["alg"], "RS256");
        // A key that is not registered.
        let error = refused(signing(&app, &vendor, &inputs, &OTHER.serialize_pem(), clock.clone()).await);
        assert_eq!(error.kind(), CauseKind::CredentialRefused, "{error}");
    }
}

/// The token says from when until when it is good; nothing but the vendor's answers tells the vendor's time.
#[tokio::test]
async fn a_snowflake_user_signs_for_the_vendors_time() {
    for minutes in [-90, -12, 0, 12, 90] {
        let clock = TestClock::new();
        let theirs = {
            let clock = clock.clone();
            move || clock.now() + SignedDuration::from_mins(minutes)
        };
        let vendor = Vendor::start(move |seen| {
            let reply = match (is_the_user(theirs(), seen, &Mutex::default()), seen.path.as_str()) {
                (false, _) => status(401, json!({"code": "390144", "message": "JWT token is invalid."})),
                (true, path) => one_user(path),
            };
            reply.header("date", httpdate::fmt_http_date(theirs().into()))
        })
        .await;
        let app = snowflake(Format::Text);
        let inputs = [("account", "halden-moor"), ("user", "Scanner")];
        let session =
            signing(&app, &vendor, &inputs, &KEY.serialize_pem(), clock.clone()).await.unwrap_or_else(|error| panic!("{minutes}: {error}"));
        assert!(vendor.seen().len() <= 2, "{minutes}: once more at most");
        let before = vendor.seen().len();
        clock.jump(Duration::from_secs(3600));
        assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete, "{minutes}");
        assert_eq!(vendor.seen().len(), before + 1, "{minutes}: signed for the vendor's time at once");
        // Another key is refused for any time; the clock is told where it differs.
        let before = vendor.seen().len();
        let error = refused(signing(&app, &vendor, &inputs, &OTHER.serialize_pem(), clock.clone()).await);
        assert_eq!(error.code(), if minutes == 0 { "E-KEY-REFUSED" } else { "E-CLOCK-DIFFERS" }, "{minutes}: {error}");
        assert_eq!(error.kind(), CauseKind::CredentialRefused);
        let which = if minutes > 0 { "behind" } else { "ahead of" };
        let told = format!("{} minutes {which} that of Vendor", minutes.abs());
        assert_eq!(error.to_string().contains(&told), minutes != 0, "{minutes}: {error}");
        assert!(vendor.seen().len() <= before + 2, "{minutes}");
    }
}
