//! "Board", an imaginary application behind Okta, its customer Halden Moor, and a visitor with a browser's manners: cookies
//! are kept, redirects and forms are followed one by one, codes come from a library that the sandbox does not use.

use crate::{
    client::builder,
    helpdesk::{answer, app as helpdesk, noon},
};
use catalog::{
    App, Field, Format, HostRole, Login, OktaLookup, OktaSignIn, OktaStart, SandboxAnswer, SandboxOkta, SandboxTenant, Strategy,
};
use regex::Regex;
use reqwest::{Client, RequestBuilder, Response, header::HeaderMap};
use sandbox::{OverlayChange, Sandbox, Tenant};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use url::Url;

pub const OKTA: &str = "halden-moor.okta.com";
pub const BOARD: &str = "board.example";
pub const USER: &str = "posture@haldenmoor.example";
pub const PASSWORD: &str = "opens-nothing-but-the-sandbox";
/// The key of RFC 6238, appendix B: `12345678901234567890`.
pub const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub const ION: &str = "application/ion+json; okta-version=1.0.0";
pub const ACS: &str = "/saml2/acs/halden-moor";
pub const COOKIE: &str = "__Host-session";

/// How one gets to Board.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Oidc,
    SamlFromBoard,
    SamlFromOkta,
}

fn field(id: &str, secret: bool, optional: bool, format: Format) -> Field {
    Field {
        id: id.into(),
        label: id.into(),
        secret,
        optional,
        format,
        choices: vec![],
        default: None,
        help: String::new(),
        example: String::new(),
        steps: vec![],
        link: None,
        reveal: None,
    }
}

pub fn app(way: Way) -> App {
    let role = |id: &str, hosts: &[&str]| HostRole {
        id: id.into(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        prefix: String::new(),
    };
    let start = match way {
        Way::SamlFromOkta => OktaStart::AppLink {
            field: None,
            named: "board".into(),
            relay_state: Some("https://board.example/relay?account={account}".into()),
        },
        Way::Oidc | Way::SamlFromBoard => OktaStart::Application {
            path: "/login".into(),
            lookup: Some(OktaLookup { role: "board".into(), path: "/v1/sso".into(), query: vec![("email".into(), "{user}".into())] }),
        },
    };
    let helpdesk = helpdesk();
    let login = Login {
        id: "okta".into(),
        label: "Log in with Okta".into(),
        strategy: Strategy::Okta(OktaSignIn {
            user: "user".into(),
            password: "password".into(),
            mfa_key: "mfa_key".into(),
            okta: "okta".into(),
            app: "board".into(),
            start,
            acs: if way == Way::Oidc { vec![] } else { vec!["/saml2/".into()] },
            callback: if way == Way::Oidc { vec!["/oauth2/redirect".into()] } else { vec![] },
        }),
        fields: vec![
            field("user", false, false, Format::Email),
            field("password", true, false, Format::Password),
            field("okta_domain", false, false, Format::OktaDomain),
            field("mfa_key", true, false, Format::MfaKey),
            field("okta_custom_domain", false, true, Format::OktaCustomDomain),
            field("account", false, true, Format::Text),
        ],
        hosts: vec![BOARD.into(), "{okta_domain}".into(), "{okta_custom_domain}".into()],
        roles: vec![role("board", &[BOARD]), role("okta", &["{okta_custom_domain}", "{okta_domain}"])],
        test: "me".into(),
        ..helpdesk.logins[0].clone()
    };
    App { slug: "board".into(), name: "Board".into(), logins: vec![login], datasets: vec![], ..helpdesk }
}

pub fn halden_moor(way: Way, okta: SandboxOkta) -> SandboxTenant {
    let acs = (way != Way::Oidc).then(|| ACS.to_owned());
    SandboxTenant {
        app: "board".into(),
        id: "risky".into(),
        fields: [
            ("user", USER),
            ("password", PASSWORD),
            ("okta_domain", "halden-moor"),
            ("mfa_key", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq"),
            ("account", "acc-7"),
        ]
        .map(|(id, value)| (id.to_owned(), value.to_owned()))
        .into(),
        login: "okta".into(),
        answers: vec![SandboxAnswer { host: "board".into(), ..answer("/api/v1/me", json!({"name": "Halden Moor"})) }],
        okta: Some(SandboxOkta { acs, ..okta }),
        errors: BTreeMap::from([(401, json!({"error": "sign in first"}))]),
        ..crate::helpdesk::halden_moor()
    }
}

/// A sandbox with Board in it, and somebody who visits it.
pub struct Visit {
    pub sandbox: Sandbox,
    pub client: Client,
    pub tenant: String,
    pub app_link: String,
    seconds: Arc<AtomicI64>,
}

/// What came back, read whole.
pub struct Seen {
    pub status: u16,
    pub url: Url,
    pub headers: HeaderMap,
    pub text: String,
}

impl Visit {
    pub async fn new(way: Way, okta: SandboxOkta) -> Self {
        Self::to(vec![Tenant::new(&halden_moor(way, okta), &app(way), noon()).unwrap()]).await
    }

    /// The first of these tenants is the one that changes are about.
    pub async fn to(tenants: Vec<Tenant>) -> Self {
        let (tenant, app_link) = (tenants[0].name().to_owned(), tenants[0].app_link().unwrap());
        // A moment in the middle of a time step, so that codes around it are told apart.
        let seconds = Arc::new(AtomicI64::new(noon().as_second() + 10));
        let told = seconds.clone();
        let clock: sandbox::Clock = Arc::new(move || jiff::Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
        let sandbox = Sandbox::start(tenants.into_iter().map(Into::into).collect(), clock).await.unwrap();
        let client = builder(&sandbox).cookie_store(true).build().unwrap();
        Self { sandbox, client, tenant, app_link, seconds }
    }

    /// Another browser, with no cookies yet.
    pub fn stranger(&self) -> Client {
        builder(&self.sandbox).cookie_store(true).build().unwrap()
    }

    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.seconds.load(Ordering::SeqCst)
    }

    pub fn change(&self, change: OverlayChange) {
        self.sandbox.overlay().apply(change).unwrap();
    }

    /// The code of the time step so many steps away.
    pub fn code(&self, steps: i64) -> String {
        let time = u64::try_from(self.now() + 30 * steps).unwrap();
        totp_lite::totp_custom::<totp_lite::Sha1>(30, 6, b"12345678901234567890", time)
    }

    pub async fn see(&self, request: RequestBuilder) -> Seen {
        Seen::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, url: &str) -> Seen {
        self.see(self.client.get(url)).await
    }

    /// Posts JSON to the organization.
    pub async fn post(&self, path: &str, body: Value) -> Seen {
        let url = if path.starts_with('/') { format!("https://{OKTA}{path}") } else { path.to_owned() };
        self.see(self.client.post(url).json(&body)).await
    }

    /// A step of the Identity Engine.
    pub async fn idx(&self, step: &str, body: Value) -> Seen {
        let kind = if step == "introspect" { ION } else { "application/json" };
        let request = self.client.post(format!("https://{OKTA}/idp/idx/{step}"));
        self.see(request.header("content-type", kind).header("accept", ION).body(body.to_string())).await
    }

    pub async fn authn(&self) -> Seen {
        self.post("/api/v1/authn", json!({"username": USER, "password": PASSWORD})).await
    }

    /// Follows redirects and forms that send themselves until a page rests.
    pub async fn follow(&self, mut seen: Seen) -> Seen {
        for _ in 0..12 {
            seen = if let Some(location) = seen.location() {
                self.get(location.as_str()).await
            } else if let Some((action, fields)) = seen.form() {
                self.see(self.client.post(action).form(&fields)).await
            } else {
                return seen;
            };
        }
        panic!("{} leads nowhere", seen.url);
    }

    /// Signs in with password and code, Classic; the session token.
    pub async fn session_token(&self) -> String {
        let required = self.authn().await.json();
        assert_eq!(required["status"], "MFA_REQUIRED", "{required}");
        let verify = required["_embedded"]["factors"][0]["_links"]["verify"]["href"].as_str().unwrap().to_owned();
        let done = self.post(&verify, json!({"stateToken": required["stateToken"], "passCode": self.code(0)})).await.json();
        assert_eq!(done["status"], "SUCCESS", "{done}");
        done["sessionToken"].as_str().unwrap().to_owned()
    }

    /// Trades a session token for cookies, on the way to an address.
    pub async fn trade(&self, token: &str, to: &str) -> Seen {
        let url = Url::parse_with_params(&format!("https://{OKTA}/login/sessionCookieRedirect"), [("token", token), ("redirectUrl", to)]);
        self.get(url.unwrap().as_str()).await
    }

    /// Whether Board gives its data to whoever visits.
    pub async fn reads(&self) -> u16 {
        let seen = self.get(&format!("https://{BOARD}/api/v1/me")).await;
        assert_eq!(seen.json(), if seen.status == 200 { json!({"name": "Halden Moor"}) } else { json!({"error": "sign in first"}) });
        seen.status
    }
}

impl Seen {
    pub async fn of(response: Response) -> Self {
        let (status, url, headers) = (response.status().as_u16(), response.url().clone(), response.headers().clone());
        Self { status, url, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {} is no JSON: {}", self.status, self.url, self.text))
    }

    pub fn location(&self) -> Option<Url> {
        let location = self.headers.get("location").filter(|_| self.status == 302)?;
        Some(self.url.join(location.to_str().unwrap()).unwrap())
    }

    /// The state token in the page's script.
    pub fn state_token(&self) -> String {
        let known = Regex::new(r#"(?:var stateToken = '|"stateToken":")([^'"]+)['"]"#).unwrap();
        let escaped =
            known.captures(&self.text).unwrap_or_else(|| panic!("{} holds no state token: {}", self.url, self.text))[1].to_owned();
        let escape = Regex::new(r"\\x([0-9A-F]{2})").unwrap();
        escape.replace_all(&escaped, |found: &regex::Captures| letter(&found[1])).into_owned()
    }

    pub fn asks_to_sign_in(&self) -> bool {
        self.status == 200 && self.text.contains("stateToken")
    }

    /// The form that sends itself: where to, and what.
    pub fn form(&self) -> Option<(Url, Vec<(String, String)>)> {
        let form = Regex::new(r#"<form id="appForm" action="([^"]*)" method="POST">"#).unwrap();
        let input = Regex::new(r#"<input name="([^"]*)" type="hidden" value="([^"]*)"/>"#).unwrap();
        let action = unescaped(&form.captures(&self.text)?[1]);
        let fields = input.captures_iter(&self.text).map(|found| (found[1].to_owned(), unescaped(&found[2]))).collect();
        Some((self.url.join(&action).unwrap(), fields))
    }

    /// The cookies that it sets, as they are written.
    pub fn cookies(&self) -> Vec<String> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies().into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")))
    }

    /// Status and code of an error of Okta's API.
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert!(body["errorId"].as_str().is_some_and(|id| id.len() > 10), "{body}");
        (self.status, body["errorCode"].as_str().unwrap().to_owned())
    }

    /// Status and key of the message of an answer of the Identity Engine.
    pub fn message(&self) -> (u16, String) {
        (self.status, self.json()["messages"]["value"][0]["i18n"]["key"].as_str().unwrap_or_default().to_owned())
    }

    /// The names of the forms of an answer of the Identity Engine.
    pub fn forms(&self) -> Vec<String> {
        let forms = self.json()["remediation"]["value"].as_array().cloned().unwrap_or_default();
        forms.iter().map(|form| form["name"].as_str().unwrap().to_owned()).collect()
    }

    pub fn handle(&self) -> Value {
        self.json()["stateHandle"].clone()
    }
}

fn letter(hex: &str) -> String {
    char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap().to_string()
}

fn unescaped(text: &str) -> String {
    Regex::new("&#x([0-9a-f]+);").unwrap().replace_all(text, |found: &regex::Captures| letter(&found[1])).into_owned()
}
