//! An imaginary Okta organization and an application behind it, scripted: what each address answers can be replaced, one
//! request at a time. The answers beside this file are written from Okta's documents.
#![allow(dead_code, clippy::unwrap_used)]

use crate::vendor::{Body, HOST, MemoryLedger, Reply, Seen, TestClock, Vendor, app, dataset, field, ok, small, status};
use catalog::{App, DatasetKind, Format, HostRole, OktaSignIn, OktaStart, Strategy};
use posture_connect::{Clock, ConnectError, Credentials, Limits, NoBrowser, Session, SignIn, SignInStep, sign_in};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The organization.
pub const OKTA: &str = "halden.okta.com";
pub const USER: &str = "scanner@halden.example";
pub const PASSWORD: &str = "correct horse 9!";
pub const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
/// Where somebody else would like to see us.
pub const ELSEWHERE: &str = "halden.okta.com.evil.example";

/// How the organization signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Classic,
    /// With `/api/v1/authn` closed, so that everything happens on the page.
    Identity,
}

/// An answer that is kept beside this file.
pub fn answer(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/okta/{name}.json"));
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// Okta's error body.
pub fn error(code: &str) -> Value {
    json!({ "errorCode": code, "errorSummary": "Hostile <b>summary</b>", "errorLink": code, "errorId": "oaeHalden-01_x", "errorCauses": [] })
}

/// A page of the Identity Engine with one message of this key.
pub fn message(page: Option<&str>, key: &str) -> Value {
    let mut body = page.map_or_else(|| json!({ "version": "1.0.0", "stateHandle": "02.id.x" }), answer);
    body["messages"] =
        json!({ "type": "array", "value": [{ "message": "Hostile <b>text</b>", "i18n": { "key": key }, "class": "ERROR" }] });
    body
}

pub fn to(address: &str) -> Reply {
    status(302, json!(null)).kind("text/html").body(Body::Whole(vec![])).header("location", address)
}

pub fn html(text: &str) -> Reply {
    ok(json!(null)).kind("text/html; charset=utf-8").body(Body::Whole(text.as_bytes().to_vec()))
}

/// An application that is signed in to through Okta, begun at its own page or at the dashboard.
pub fn application(from_dashboard: bool) -> App {
    let mut app = app(vec![dataset("things", DatasetKind::List, "/v1/things")]);
    let login = &mut app.logins[0];
    login.id = "okta".into();
    login.fields = vec![
        field("user", false, false, Format::Email),
        field("password", true, false, Format::Password),
        field("okta_domain", false, false, Format::OktaDomain),
        field("okta_custom_domain", false, true, Format::OktaCustomDomain),
        field("mfa_key", true, false, Format::MfaKey),
        field("app_link", false, true, Format::Url { paths: vec!["/home/".into()] }),
    ];
    login.hosts = vec!["{okta_domain}".into(), "{okta_custom_domain}".into(), HOST.into()];
    login.roles = vec![
        HostRole { id: "okta".into(), hosts: vec!["{okta_custom_domain}".into(), "{okta_domain}".into()], prefix: String::new() },
        HostRole { id: "api".into(), hosts: vec![HOST.into()], prefix: String::new() },
    ];
    login.strategy = Strategy::Okta(OktaSignIn {
        user: "user".into(),
        password: "password".into(),
        mfa_key: "mfa_key".into(),
        okta: "okta".into(),
        app: "api".into(),
        start: if from_dashboard {
            OktaStart::AppLink { field: Some("app_link".into()), named: "vendor".into(), relay_state: None }
        } else {
            OktaStart::Application { path: "/login".into(), lookup: None }
        },
        acs: vec!["/acs".into()],
        callback: vec!["/callback".into()],
    });
    app
}

const AUTHORIZE: &str = "https://halden.okta.com/oauth2/v1/authorize?client_id=vendor&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fapi.vendor.example%2Fcallback&state=st&nonce=no";

/// What the organization and the application answer when all goes well.
fn usual(engine: Engine, has_session: &AtomicBool, seen: &Seen) -> Reply {
    let enter = |reply: Reply, cookie: &str| {
        has_session.store(true, Ordering::SeqCst);
        reply.header("set-cookie", format!("{cookie}; Path=/; Secure; HttpOnly"))
    };
    if seen.host == HOST {
        return match seen.path.as_str() {
            "/login" => to(AUTHORIZE),
            "/callback" => to("/home").header("set-cookie", "vendor=app-cookie; Path=/; Secure; HttpOnly"),
            "/home" => html("<p>Welcome</p>"),
            "/v1/me" if seen.cookies.contains("vendor=") => ok(json!({ "data": { "id": 7, "name": "Scanner" } })),
            _ => status(401, json!({})),
        };
    }
    match seen.path.as_str() {
        "/.well-known/okta-organization" => ok(json!({ "pipeline": if engine == Engine::Classic { "v1" } else { "idx" } })),
        "/.well-known/webfinger" => ok(
            json!({ "subject": "acct:x", "links": [{ "rel": "okta:idp", "href": "https://halden.okta.com", "properties": { "okta:idp:type": "OKTA" } }] }),
        )
        .header("set-cookie", "DT=DI-halden-device; Path=/; Secure; Max-Age=63072000"),
        "/api/v1/authn" if engine == Engine::Identity => status(401, error("E0000015")),
        "/api/v1/authn" => ok(answer("classic-mfa-required")),
        "/api/v1/authn/cancel" => ok(json!({ "relayState": "" })),
        "/login/sessionCookieRedirect" => {
            let target = url::form_urlencoded::parse(seen.query.as_bytes()).find(|(name, _)| name == "redirectUrl");
            enter(to(&target.map(|(_, value)| value.into_owned()).unwrap_or_default()), "sid=halden-sid")
        }
        "/login/token/redirect" | "/login/step-up/redirect" => enter(to(AUTHORIZE), "idx=halden-idx"),
        "/oauth2/v1/authorize" if has_session.load(Ordering::SeqCst) => {
            to("https://api.vendor.example/callback?code=good-for-one-use&state=st")
        }
        "/oauth2/v1/authorize" | "/home/vendor/0oahalden01/aln1" if !has_session.load(Ordering::SeqCst) => {
            html(r"<html><script>var stateToken = '02.id.halden\x2DPage_Token';</script></html>")
        }
        "/home/vendor/0oahalden01/aln1" => to(AUTHORIZE),
        "/" => html(r"<html><script>var stateToken = '02.id.halden\x2DPage_Token';</script></html>"),
        "/app/UserHome" => html("<p>Dashboard</p>"),
        "/api/v1/users/me/appLinks" => {
            ok(json!([{ "label": "Vendor", "linkUrl": "https://halden.okta.com/home/vendor/0oahalden01/aln1", "appName": "vendor", "appInstanceId": "0oahalden01" }]))
        }
        "/idp/idx/introspect" => ok(answer("engine-identify")),
        "/idp/idx/identify" => ok(answer("engine-password")),
        "/idp/idx/challenge/answer" if seen.body.contains(PASSWORD) => ok(answer("engine-select")),
        "/idp/idx/challenge" => ok(answer("engine-google")),
        "/idp/idx/challenge/answer" => ok(answer("engine-keep-me-signed-in")),
        "/idp/idx/keep-me-signed-in" => ok(answer("engine-success")),
        "/idp/idx/cancel" => ok(json!({ "version": "1.0.0" })),
        path if path.starts_with("/api/v1/authn/factors/") => ok(answer("classic-success")),
        "/api/v1/sessions/me" => status(204, json!(null)).body(Body::Whole(vec![])),
        _ => status(404, error("E0000007")),
    }
}

/// What stands in the place of a usual answer: given the request and how many there were before it, and how many of the
/// same method and path.
pub type Instead = dyn Fn(&Seen, usize, usize) -> Option<Reply> + Send + Sync;

/// One sign-in.
pub struct Attempt {
    pub engine: Engine,
    pub from_dashboard: bool,
    pub inputs: BTreeMap<String, String>,
    pub credentials: Credentials,
    pub limits: Limits,
    pub clock: Arc<TestClock>,
    pub ledger: Arc<MemoryLedger>,
    pub cancel: CancellationToken,
    /// What the organization's clock shows beyond ours.
    pub ahead: jiff::SignedDuration,
}

/// What came of it.
pub struct Outcome {
    pub session: Result<Session, ConnectError>,
    pub seen: Vec<Seen>,
    pub steps: Vec<SignInStep>,
    /// Every host that a connection was asked for.
    pub hosts: Vec<String>,
    /// How often the door was closed before the password was looked at.
    unread: usize,
}

impl Attempt {
    pub fn new(engine: Engine) -> Self {
        let pairs = [("user", USER), ("okta_domain", OKTA)];
        let secrets = [("password", PASSWORD), ("mfa_key", KEY)];
        Self {
            engine,
            from_dashboard: false,
            inputs: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            credentials: secrets.map(|(name, value)| (name.to_owned(), SecretString::from(value))).into(),
            limits: patient(),
            clock: TestClock::new(),
            ledger: Arc::default(),
            cancel: CancellationToken::new(),
            ahead: jiff::SignedDuration::ZERO,
        }
    }

    pub fn with(mut self, input: &str, value: &str) -> Self {
        self.inputs.insert(input.to_owned(), value.to_owned());
        self
    }

    /// Signs in, all answers as usual.
    pub async fn usually(self) -> Outcome {
        self.instead(|_, _, _| None).await
    }

    /// Signs in with other answers here and there.
    pub async fn instead(self, instead: impl Fn(&Seen, usize, usize) -> Option<Reply> + Send + Sync + 'static) -> Outcome {
        let (engine, has_session, clock, ahead) = (self.engine, AtomicBool::new(false), self.clock.clone(), self.ahead);
        let before: Mutex<Vec<(String, String)>> = Mutex::default();
        let unread = Arc::new(AtomicUsize::new(0));
        let closed = unread.clone();
        let vendor = Vendor::start(move |seen| {
            let same = (seen.method.clone(), seen.path.clone());
            let (count, of_same) = {
                let mut before = before.lock().unwrap();
                let counts = (before.len(), before.iter().filter(|known| **known == same).count());
                before.push(same);
                counts
            };
            let reply = instead(seen, count, of_same).unwrap_or_else(|| {
                if engine == Engine::Identity && seen.path == "/api/v1/authn" {
                    closed.fetch_add(1, Ordering::SeqCst);
                }
                usual(engine, &has_session, seen)
            });
            let date = std::time::SystemTime::from(clock.now() + ahead);
            reply.header("date", httpdate::fmt_http_date(date))
        })
        .await;
        let app = application(self.from_dashboard);
        let route = vendor.route();
        let steps = Mutex::new(Vec::new());
        let session = sign_in(SignIn {
            app: &app,
            login: &app.logins[0],
            inputs: &self.inputs,
            credentials: &self.credentials,
            route: &route,
            limits: self.limits,
            clock: self.clock,
            ledger: self.ledger,
            browser: Arc::new(NoBrowser),
            cancel: self.cancel,
            events: &|step| steps.lock().unwrap().push(step),
        })
        .await;
        let seen = vendor.seen();
        let hosts = vendor.connections();
        Outcome { session, seen, steps: steps.into_inner().unwrap(), hosts, unread: unread.load(Ordering::SeqCst) }
    }
}

impl Outcome {
    /// The code of the end; `signed in` when it went well.
    pub fn code(&self) -> &'static str {
        match &self.session {
            Ok(_) => "signed in",
            Err(error) => error.code(),
        }
    }

    pub fn error(&self) -> &ConnectError {
        match &self.session {
            Ok(_) => panic!("signed in, by {:#?}", self.paths()),
            Err(error) => error,
        }
    }

    pub fn expect_signed_in(&self) -> &Session {
        match &self.session {
            Ok(session) => session,
            Err(error) => panic!("{} {error}, by {:#?}", error.code(), self.paths()),
        }
    }

    /// Method and path of each request to the organization.
    pub fn paths(&self) -> Vec<String> {
        self.seen.iter().filter(|seen| seen.host != HOST).map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// The JSON of each body that was posted to a path of the organization.
    pub fn posted(&self, path: &str) -> Vec<Value> {
        let there = self.seen.iter().filter(|seen| seen.method == "POST" && seen.path == path && seen.host != HOST);
        there.map(|seen| serde_json::from_str(&seen.body).unwrap()).collect()
    }

    /// How often the password left, but for the times that it was turned away unread.
    pub fn passwords(&self) -> usize {
        let escaped = PASSWORD.replace(' ', "+");
        let holds =
            |seen: &&Seen| [&seen.body, &seen.query, &seen.path].iter().any(|text| text.contains(PASSWORD) || text.contains(&escaped));
        self.seen.iter().filter(holds).count() - self.unread
    }

    /// Each one-time code that left.
    pub fn codes(&self) -> Vec<String> {
        self.seen
            .iter()
            .filter_map(|seen| serde_json::from_str::<Value>(&seen.body).ok())
            .filter_map(|body| {
                let code =
                    body.get("passCode").or_else(|| body.pointer("/credentials/totp")).or_else(|| body.pointer("/credentials/passcode"))?;
                code.as_str().filter(|code| *code != PASSWORD).map(str::to_owned)
            })
            .collect()
    }

    /// What holds whatever happens: the password once, no code twice, nobody else asked, an end in words without secrets.
    pub fn check(&self, what: &str) {
        assert!(self.passwords() <= 1, "{what}: the password left {} times: {:#?}", self.passwords(), self.paths());
        let codes = self.codes();
        let mut distinct = codes.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), codes.len(), "{what}: a code was sent twice");
        assert!(codes.len() <= 2, "{what}: {} codes were sent", codes.len());
        for host in &self.hosts {
            assert!([OKTA, HOST].contains(&host.as_str()), "{what}: {host} was asked");
        }
        for path in self.paths() {
            let written =
                ["change_password", "recovery", "unlock", "lifecycle", "resend", "enroll", "/send", "/opf", "/sms", "/clf", "/emf"];
            assert!(!written.iter().any(|part| path.contains(part)), "{what}: {path}");
        }
        if let Err(error) = &self.session {
            let shown = format!("{error} {} {error:?}", error.remedy());
            for secret in [PASSWORD, KEY, "halden-State", "Session_Token", "halden-sid", "Hostile"]
                .into_iter()
                .chain(codes.iter().map(String::as_str))
            {
                assert!(!shown.contains(secret), "{what}: {shown}");
            }
            assert!(!error.remedy().is_empty() && !error.to_string().contains('\n'), "{what}: {shown}");
        }
    }
}

/// For answers that are waited for in vain: short, and long enough for all others on a busy computer.
pub fn impatient() -> Limits {
    Limits { request: Duration::from_secs(3), ..small() }
}

/// For answers that come.
pub fn patient() -> Limits {
    Limits { request: Duration::from_secs(60), connect: Duration::from_secs(60), ..small() }
}
