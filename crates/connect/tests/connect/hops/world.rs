//! An imaginary Okta organization and an application behind it, each with the few answers that the way between them needs, and
//! the hosts of others, who would see whatever is sent to them. A test puts other answers in the place of these.

use crate::vendor::{self, Kept, MemoryLedger, Reply, Seen, TestClock, Vendor, ok, small, status};
use catalog::{App, DatasetKind, Format, HostRole, OktaLookup, OktaSignIn, OktaStart, Strategy};
use posture_connect::{ConnectError, Credentials, NoBrowser, Session, SignIn, SignInStep, sign_in};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub const OKTA: &str = "acme.okta.com";
pub const OWN_OKTA: &str = "login.acme.example";
pub const APP: &str = "app.vendor.example";
pub const OTHER_APP: &str = "eu.vendor.example";
pub const USER: &str = "scan@acme.example";
pub const PASSWORD: &str = "no door but this 71";
pub const MFA_KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub const SESSION_TOKEN: &str = "20111sTEhV6yEpxSESSIONxTOKENxx9Z";
pub const STATE_TOKEN: &str = "00Stx8dYr-state-token-PmQ3uNiFHzW";
pub const SID: &str = "102sidsidsidsidsidsid4Z";
pub const CODE: &str = "CoDe-P5DFauthorization7Lb";
pub const ASSERTION: &str = "PHNhbWxwOlJlc3BvbnNlIElEPSJfMSI+a+b/c=";
pub const APP_SESSION: &str = "app-session-5f1c0a77de";

pub struct World {
    pub vendor: Vendor,
    pub app: App,
    pub inputs: BTreeMap<String, String>,
    pub credentials: Credentials,
    pub steps: Mutex<Vec<SignInStep>>,
    pub ledger: Arc<MemoryLedger>,
}

/// By OpenID Connect, begun at the application.
pub fn oidc() -> OktaSignIn {
    OktaSignIn {
        user: "user".into(),
        password: "password".into(),
        mfa_key: "mfa_key".into(),
        okta: "okta".into(),
        app: "app".into(),
        start: OktaStart::Application { path: "/login".into(), lookup: None },
        acs: vec![],
        callback: vec!["/oauth2/redirect".into()],
    }
}

/// By SAML, begun at the application.
pub fn saml() -> OktaSignIn {
    OktaSignIn { acs: vec!["/saml/v1/acs/".into()], callback: vec![], ..oidc() }
}

/// By SAML, begun at Okta.
pub fn from_dashboard() -> OktaSignIn {
    let start = OktaStart::AppLink {
        field: Some("link".into()),
        named: "Vendor".into(),
        relay_state: Some("https://app.vendor.example/relay?account={account}".into()),
    };
    OktaSignIn { start, ..saml() }
}

pub fn with_lookup() -> OktaSignIn {
    let lookup = OktaLookup { role: "app".into(), path: "/v1/login_sso_info".into(), query: vec![("email".into(), "{user}".into())] };
    OktaSignIn { start: OktaStart::Application { path: "/login".into(), lookup: Some(lookup) }, ..oidc() }
}

fn app(strategy: OktaSignIn) -> App {
    let mut app = vendor::app(vec![vendor::dataset("users", DatasetKind::List, "/v1/users")]);
    let login = &mut app.logins[0];
    login.id = "okta".into();
    login.strategy = Strategy::Okta(strategy);
    login.fields = vec![
        vendor::field("user", false, false, Format::Email),
        vendor::field("password", true, false, Format::Text),
        vendor::field("okta_domain", false, false, Format::OktaDomain),
        vendor::field("okta_custom_domain", false, true, Format::Host),
        vendor::field("mfa_key", true, false, Format::MfaKey),
        vendor::field("link", false, true, Format::Url { paths: vec!["/home/".into(), "/app/".into()] }),
        vendor::field("account", false, true, Format::Text),
    ];
    login.hosts = ["{okta_custom_domain}", "{okta_domain}", APP, OTHER_APP].map(str::to_owned).to_vec();
    let role = |id: &str, hosts: &[&str]| HostRole {
        id: id.into(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        prefix: String::new(),
    };
    login.roles = vec![role("okta", &["{okta_custom_domain}", "{okta_domain}"]), role("app", &[APP]), role("api", &[APP])];
    app
}

impl World {
    /// `other` answers in the place of [`usual`]; `None` leaves it to that.
    pub async fn new(strategy: OktaSignIn, other: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let vendor = Vendor::start(move |seen| other(seen).unwrap_or_else(|| usual(seen))).await;
        let inputs = BTreeMap::from([("user", USER), ("okta_domain", OKTA)].map(|(name, value)| (name.to_owned(), value.to_owned())));
        let credentials = Credentials::from(
            [("password", PASSWORD), ("mfa_key", MFA_KEY)].map(|(name, value)| (name.to_owned(), SecretString::from(value))),
        );
        Self { vendor, app: app(strategy), inputs, credentials, steps: Mutex::default(), ledger: Arc::default() }
    }

    pub fn fill(mut self, field: &str, value: &str) -> Self {
        self.inputs.insert(field.to_owned(), value.to_owned());
        self
    }

    pub async fn sign_in(&self) -> Result<Session, ConnectError> {
        let events = |step: SignInStep| self.steps.lock().unwrap().push(step);
        let session = sign_in(SignIn {
            app: &self.app,
            login: &self.app.logins[0],
            inputs: &self.inputs,
            credentials: &self.credentials,
            route: &self.vendor.route(),
            limits: small(),
            clock: TestClock::new(),
            ledger: self.ledger.clone(),
            browser: Arc::new(NoBrowser),
            cancel: tokio_util::sync::CancellationToken::new(),
            events: &events,
        })
        .await;
        self.holds();
        session
    }

    /// Signs in and expects an end of this code.
    pub async fn fails(&self, code: &str) -> ConnectError {
        let error = match self.sign_in().await {
            Ok(_) => panic!("signed in instead of {code}: {:#?}", self.paths()),
            Err(error) => error,
        };
        assert_eq!(error.code(), code, "{error} {:#?}", self.paths());
        assert!(!error.remedy().is_empty(), "{code} without a remedy");
        for secret in SECRETS {
            assert!(!format!("{error} {} {error:?}", error.remedy()).contains(secret), "{error:?}");
        }
        error
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.vendor.seen()
    }

    /// Method, host and path of each request, in order.
    pub fn paths(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}{}", seen.method, seen.host, seen.path)).collect()
    }

    pub fn asked(&self, host: &str, path: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.host == host && seen.path == path).collect()
    }

    /// What holds however a sign-in goes: no connection to a host of others, the secrets of each party with that party alone,
    /// the answers of Okta at the paths that take them alone, one password at most, and no secret in what is logged.
    pub fn holds(&self) {
        let okta = [OKTA, OWN_OKTA];
        for host in self.vendor.connections() {
            assert!(
                okta.contains(&host.as_str()) || [APP, OTHER_APP].contains(&host.as_str()),
                "a connection to {host}: {:#?}",
                self.paths()
            );
        }
        for seen in self.seen() {
            let received = format!("{seen:?}");
            let everything = format!("{received} {}", decoded(&received));
            let to_okta = okta.contains(&seen.host.as_str());
            let place = format!("{} {}{}", seen.method, seen.host, seen.path);
            for secret in [PASSWORD, SESSION_TOKEN, STATE_TOKEN, SID] {
                assert!(to_okta || !everything.contains(secret), "{secret} at {place}");
            }
            assert!(!everything.contains(MFA_KEY), "the key at {place}");
            assert!(!to_okta || !everything.contains(APP_SESSION), "the application's session at {place}");
            if everything.contains(ASSERTION) {
                assert!(seen.path.starts_with("/saml/v1/acs/") && seen.method == "POST" && !to_okta, "the assertion at {place}");
            }
            if everything.contains(CODE) {
                assert!(seen.path.starts_with("/oauth2/redirect") && !to_okta, "the code at {place}");
            }
        }
        let passwords = self.seen().iter().filter(|seen| format!("{seen:?}").contains(PASSWORD)).count();
        assert!(passwords <= 1, "{passwords} passwords");
        assert!(self.seen().len() < 60, "{:#?}", self.paths());
        let told = format!("{:?}", self.steps.lock().unwrap());
        for secret in SECRETS {
            assert!(!told.contains(secret), "{secret} in what is told");
        }
    }
}

pub const SECRETS: [&str; 8] = [PASSWORD, MFA_KEY, SESSION_TOKEN, STATE_TOKEN, SID, CODE, ASSERTION, APP_SESSION];

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

pub fn redirect(to: impl Into<String>) -> Reply {
    status(302, json!({})).header("location", to)
}

pub fn page(html: impl Into<String>) -> Reply {
    Reply { body: vendor::Body::Whole(html.into().into_bytes()), ..ok(json!({})) }.kind("text/html; charset=utf-8")
}

/// The request that the application sends to Okta.
pub fn authorize() -> String {
    format!(
        "https://{OKTA}/oauth2/v1/authorize?client_id=0oa1&response_type=code&scope=openid&redirect_uri=https%3A%2F%2F{APP}%2Foauth2%2Fredirect&state=st4te&nonce=n0nce"
    )
}

/// Okta's page with a SAML answer, written as Okta writes it.
pub fn saml_form(action: &str) -> Reply {
    let assertion = ASSERTION.replace('+', "&#x2b;").replace('/', "&#47;").replace('=', "&#x3d;");
    page(format!(
        "<!DOCTYPE html><html><head><title>Signing in</title></head><body><form id=\"appForm\" action=\"{action}\" method=\"POST\">\
         <input name=\"SAMLResponse\" type=\"hidden\" value=\"{assertion}\"/><input name=\"RelayState\" type=\"hidden\" value=\"https&#x3a;//{APP}/home&#x3f;a&#x3d;1&amp;b=2\"/>\
         </form><script>var s = true; if (s) {{ document.getElementById('appForm').submit(); }}</script></body></html>"
    ))
}

fn has_sid(seen: &Seen) -> bool {
    seen.header("cookie").contains(&format!("sid={SID}"))
}

/// The answers where a test has no others.
pub fn usual(seen: &Seen) -> Reply {
    match (seen.host.as_str(), seen.path.as_str()) {
        (OKTA | OWN_OKTA, path) => organization(seen, path),
        (APP | OTHER_APP, path) => application(seen, path),
        _ => page("<p>whatever is sent here is seen</p>"),
    }
}

pub fn organization(seen: &Seen, path: &str) -> Reply {
    let host = &seen.host;
    match path {
        "/.well-known/okta-organization" => ok(json!({"id": "00o1", "pipeline": "v1"})),
        "/.well-known/webfinger" => {
            ok(json!({"links": [{"rel": "http://openid.net/specs/connect/1.0/issuer", "properties": {"okta:idp:type": "OKTA"}}]}))
        }
        "/api/v1/authn" => {
            let body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
            if body["username"] == USER && body["password"] == PASSWORD {
                ok(json!({"status": "SUCCESS", "sessionToken": SESSION_TOKEN, "expiresAt": "2026-11-21T09:05:00.000Z"}))
            } else {
                status(401, json!({"errorCode": "E0000004", "errorSummary": "Authentication failed", "errorId": "oae1", "errorCauses": []}))
            }
        }
        "/login/sessionCookieRedirect" => match (seen.parameter("token").as_deref(), seen.parameter("redirectUrl")) {
            (Some(SESSION_TOKEN), Some(to)) => redirect(to)
                .header("set-cookie", format!("sid={SID}; Path=/; Secure; HttpOnly"))
                .header("set-cookie", "JSESSIONID=J1; Path=/; Secure; HttpOnly"),
            _ => status(403, json!({})),
        },
        "/oauth2/v1/authorize" if has_sid(seen) => {
            redirect(format!("https://{APP}/oauth2/redirect?code={CODE}&state={}", seen.parameter("state").unwrap_or_default()))
        }
        "/app/vendor/exk1/sso/saml" if has_sid(seen) => saml_form(&format!("https://{APP}/saml/v1/acs/acc-1")),
        "/home/vendor/0oa1/aln1" if has_sid(seen) => redirect(format!("https://{host}/app/vendor/exk1/sso/saml?{}", seen.query)),
        "/api/v1/users/me/appLinks" if has_sid(seen) => ok(json!([
            {"id": "00u1", "label": "Mail", "linkUrl": format!("https://{host}/home/mail/0oa9/aln9"), "appName": "mail"},
            {"id": "00u2", "label": "The VENDOR desk", "linkUrl": format!("https://{host}/home/vendor/0oa1/aln1"), "appName": "x"},
        ])),
        "/api/v1/sessions/me" if seen.method == "DELETE" => status(204, json!({})),
        "/app/UserHome" | "/" => page("<title>Home</title>"),
        _ => page("<title>Sign in</title>"),
    }
}

pub fn application(seen: &Seen, path: &str) -> Reply {
    let signed_in = |reply: Reply| reply.header("set-cookie", format!("session={APP_SESSION}; Path=/; Secure; HttpOnly; SameSite=Lax"));
    match (seen.method.as_str(), path) {
        ("GET", "/login") => redirect(authorize()).header("set-cookie", "before=1; Path=/; Secure"),
        ("GET", "/oauth2/redirect") if seen.parameter("code").as_deref() == Some(CODE) => signed_in(redirect("/home#/start")),
        ("POST", "/oauth2/redirect") if seen.field("code").as_deref() == Some(CODE) => signed_in(redirect("/home")),
        ("POST", path) if path.starts_with("/saml/v1/acs/") && seen.field("SAMLResponse").as_deref() == Some(ASSERTION) => {
            signed_in(Reply { status: 303, ..redirect("/home") })
        }
        ("GET", "/home") => page("<title>Vendor</title><script>if (!window.x) { window.location.href = '/unsupported'; }</script>"),
        ("GET", "/v1/me") if seen.header("cookie").contains(APP_SESSION) => ok(json!({"data": {"id": 7, "name": "Scanner"}})),
        ("GET", "/v1/me") => status(401, json!({})),
        _ => status(404, json!({})),
    }
}

/// A sink for one collection.
pub fn kept() -> Kept {
    Kept::default()
}
