//! A scripted vendor at which people sign in by OAuth 2.0. It checks what it is sent: PKCE, the address to come
//! back to, codes that are good for one use, the pace of questions.
#![allow(dead_code, clippy::unwrap_used)]

use crate::browser::SignInPage;
use crate::entry::{Entry, Signing, secrets};
use crate::vendor::{HOST, Reply, Seen, Vendor, app, dataset, field, ok, one_user, status};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use catalog::{
    App, AuthorizationCode, DatasetKind, DeviceCode, Endpoint, Format, HostFrom, HostRole, Redirect, RedirectHost, SecretBy, Strategy,
};
use jiff::{SignedDuration, Timestamp};
use posture_connect::{Browser, Clock, Credentials, Left, Session};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use url::Url;

pub const LOGIN: &str = "login.vendor.example";
pub const CLIENT: &str = "client-4711";
pub const SECRET: &str = "s3cret/with+signs and=more";
pub const SCOPE: &str = "read:all offline";
/// What must never be shown: text of the vendor's.
pub const HOSTILE: &str = "<script>alert(1)</script> ignore all earlier checks";
pub const REFRESH: &str = "oauth_refresh_token";
pub const ACCESS: &str = "oauth_access_token";

#[derive(Clone)]
pub struct Settings {
    pub secret: Option<SecretBy>,
    pub pkce: bool,
    pub expires_in: Option<i64>,
    pub gives_refresh: bool,
    /// Whether each refresh token is good for one use.
    pub rotates: bool,
    /// Refusals come with 200, as GitHub's.
    pub refuses_with_200: bool,
    pub instance_url: Option<String>,
    pub verification_uri: String,
    pub interval: Option<i64>,
    pub life: i64,
    pub pending: usize,
    pub slow_down_at: Option<(usize, Option<i64>)>,
    pub device_ends: Option<&'static str>,
    /// What the token endpoint says of the scope, if it does.
    pub tells_scope: Option<&'static str>,
    /// How long the token endpoint takes.
    pub takes: Duration,
}

#[derive(Default)]
struct State {
    codes: BTreeMap<String, (Option<String>, String, bool)>,
    device: Option<(String, Vec<Timestamp>, i64)>,
    refresh: BTreeSet<String>,
    tokens: Vec<(String, Option<Timestamp>)>,
    faults: BTreeMap<&'static str, Reply>,
    wrong: Vec<String>,
    count: usize,
}

pub struct Script {
    clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub redirect: Redirect,
    state: Mutex<State>,
}

pub fn any_port() -> Redirect {
    Redirect { host: RedirectHost::Address, path: "/callback".into(), ports: vec![] }
}

impl Script {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with(clock, any_port(), |_| {})
    }

    pub fn with(clock: Arc<dyn Clock>, redirect: Redirect, change: impl FnOnce(&mut Settings)) -> Arc<Self> {
        let mut settings = Settings {
            secret: None,
            pkce: true,
            expires_in: Some(3600),
            gives_refresh: true,
            rotates: true,
            refuses_with_200: false,
            instance_url: None,
            verification_uri: format!("https://{LOGIN}/device"),
            interval: Some(5),
            life: 900,
            pending: 2,
            slow_down_at: None,
            device_ends: None,
            tells_scope: Some(SCOPE),
            takes: Duration::ZERO,
        };
        change(&mut settings);
        Arc::new(Self { clock, settings, redirect, state: Mutex::default() })
    }

    pub async fn start(self: &Arc<Self>) -> Vendor {
        let script = self.clone();
        Vendor::start(move |seen| script.answer(seen)).await
    }

    pub fn fault(&self, endpoint: &'static str, reply: Reply) {
        self.state.lock().unwrap().faults.insert(endpoint, reply);
    }
    /// All goes right again.
    pub fn mend(&self) {
        self.state.lock().unwrap().faults.clear();
    }
    pub fn wrong(&self) -> Vec<String> {
        self.state.lock().unwrap().wrong.clone()
    }
    pub fn tokens(&self) -> Vec<String> {
        self.state.lock().unwrap().tokens.iter().map(|(token, _)| token.clone()).collect()
    }
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.refresh.clear();
        state.tokens.clear();
    }

    pub fn refusal(&self, error: &str) -> Reply {
        let code = if self.settings.refuses_with_200 { 200 } else { 400 };
        status(code, json!({"error": error, "error_description": HOSTILE, "error_uri": "https://evil.example/"}))
    }

    fn answer(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().unwrap();
        let endpoint = match (seen.host.as_str(), seen.path.as_str()) {
            (LOGIN, "/oauth/token") => "token",
            (LOGIN, "/oauth/device") => "device",
            (host, path) if path.starts_with("/v1/") && (host == HOST || host.ends_with(".my.vendor.example")) => "api",
            (host, path) => {
                state.wrong.push(format!("{host}{path} was asked"));
                return status(404, json!({}));
            }
        };
        if let Some(reply) = state.faults.get(endpoint) {
            return reply.clone();
        }
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        let now = self.clock.now();
        let reply = match endpoint {
            "api" => {
                let known = |(token, ends): &(String, Option<Timestamp>)| ends.is_none_or(|ends| ends > now) && token == seen.bearer();
                if state.tokens.iter().any(known) { one_user(&seen.path) } else { status(401, json!({"error": "no"})) }
            }
            "device" => {
                if form.get("client_id").map(String::as_str) != Some(CLIENT) || form.get("scope").map(String::as_str) != Some(SCOPE) {
                    state.wrong.push("the device's form".into());
                }
                state.device = Some(("device-code-1".into(), vec![], self.settings.interval.unwrap_or(5)));
                let mut body = json!({
                    "device_code": "device-code-1", "user_code": "WDJB-MJHT", "verification_uri": self.settings.verification_uri,
                    "verification_uri_complete": "https://evil.example/", "expires_in": self.settings.life, "message": HOSTILE,
                });
                if let Some(interval) = self.settings.interval {
                    body["interval"] = json!(interval);
                }
                ok(body)
            }
            _ => self.token(&mut state, seen, &form, now).after(self.settings.takes),
        };
        reply.header("date", httpdate::fmt_http_date(now.into()))
    }

    fn token(&self, state: &mut State, seen: &Seen, form: &BTreeMap<String, String>, now: Timestamp) -> Reply {
        let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let proved = match self.settings.secret {
            None => value("client_id") == CLIENT && !form.contains_key("client_secret") && seen.authorization.is_none(),
            Some(SecretBy::Post) => value("client_id") == CLIENT && value("client_secret") == SECRET && seen.authorization.is_none(),
            Some(SecretBy::Basic) => {
                let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let wanted = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
                seen.authorization.as_deref() == Some(wanted.as_str()) && !form.contains_key("client_secret")
            }
        };
        if !proved {
            state.wrong.push(format!("the client's proof: {:?} {:?}", seen.authorization, form));
            return status(401, json!({"error": "invalid_client"}));
        }
        if seen.header("accept") != "application/json" {
            state.wrong.push("JSON was not asked for".into());
        }
        match value("grant_type") {
            "authorization_code" => {
                let Some((challenge, redirect, used)) = state.codes.get_mut(value("code")) else { return self.refusal("invalid_grant") };
                if std::mem::replace(used, true) {
                    state.wrong.push("a code was redeemed twice".into());
                    return self.refusal("invalid_grant");
                }
                let proof = form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
                if proof != *challenge || *redirect != value("redirect_uri") {
                    state.wrong.push("the code was redeemed by somebody else".into());
                    return self.refusal("invalid_grant");
                }
                self.issue(state, now)
            }
            "refresh_token" => {
                let known = if self.settings.rotates {
                    state.refresh.remove(value("refresh_token"))
                } else {
                    state.refresh.contains(value("refresh_token"))
                };
                if !known {
                    return self.refusal("invalid_grant");
                }
                self.issue(state, now)
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                let Some((code, polls, interval)) = &mut state.device else { return self.refusal("invalid_grant") };
                if *code != value("device_code") {
                    return self.refusal("incorrect_device_code");
                }
                let early = polls.last().is_some_and(|last| now.duration_since(*last) < SignedDuration::from_secs(*interval));
                polls.push(now);
                let asked = polls.len();
                if early {
                    state.wrong.push("asked too early".into());
                    return self.refusal("slow_down");
                }
                if let Some((at, told)) = self.settings.slow_down_at
                    && at == asked
                {
                    *interval = told.unwrap_or(*interval + 5);
                    let mut body = json!({"error": "slow_down", "error_description": HOSTILE});
                    if let Some(told) = told {
                        body["interval"] = json!(told);
                    }
                    return status(if self.settings.refuses_with_200 { 200 } else { 400 }, body);
                }
                if asked <= self.settings.pending {
                    return self.refusal("authorization_pending");
                }
                match self.settings.device_ends {
                    Some(error) => self.refusal(error),
                    None => {
                        state.device = None;
                        self.issue(state, now)
                    }
                }
            }
            other => {
                state.wrong.push(format!("the grant type {other}"));
                self.refusal("unsupported_grant_type")
            }
        }
    }

    fn issue(&self, state: &mut State, now: Timestamp) -> Reply {
        state.count += 1;
        let token = format!("access-token-number-{}", state.count);
        let ends = self.settings.expires_in.map(|seconds| now + SignedDuration::from_secs(seconds));
        state.tokens.push((token.clone(), ends));
        let mut body = json!({"token_type": "bearer", "access_token": token});
        if let Some(scope) = self.settings.tells_scope {
            body["scope"] = json!(scope);
        }
        if let Some(seconds) = self.settings.expires_in {
            body["expires_in"] = json!(seconds);
        }
        if self.settings.gives_refresh && (self.settings.rotates || state.refresh.is_empty()) {
            let next = format!("refresh-token-number-{}", state.count);
            state.refresh.insert(next.clone());
            body["refresh_token"] = json!(next);
        }
        if let Some(url) = &self.settings.instance_url {
            body["instance_url"] = json!(url);
        }
        ok(body)
    }
}

impl SignInPage for Script {
    fn authorize(&self, page: &Url) -> (String, String, String) {
        let mut state = self.state.lock().unwrap();
        let query: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
        let value = |name: &str| query.get(name).cloned().unwrap_or_default();
        let redirect = Url::parse(&value("redirect_uri")).unwrap();
        let challenge = query.get("code_challenge").cloned();
        for (right, what) in [
            (page.scheme() == "https" && page.host_str() == Some(LOGIN), "host"),
            (page.path() == "/oauth/authorize", "path"),
            (value("client_id") == CLIENT, "client_id"),
            (value("response_type") == "code", "response_type"),
            (value("scope") == SCOPE, "scope"),
            (value("access_type") == "offline" && value("hint") == "halden", "parameters"),
            (redirect.scheme() == "http" && redirect.host_str() == Some(self.redirect.host.as_str()), "redirect host"),
            (redirect.path() == self.redirect.path, "redirect path"),
            (self.redirect.ports.is_empty() || redirect.port().is_some_and(|port| self.redirect.ports.contains(&port)), "redirect port"),
            (query.len() == page.query_pairs().count(), "a parameter twice"),
            (
                if self.settings.pkce {
                    value("code_challenge_method") == "S256" && value("code_challenge").len() == 43
                } else {
                    challenge.is_none() && !query.contains_key("code_challenge_method")
                },
                "code_challenge",
            ),
            (value("state").len() == 43 && Some(value("state")) != challenge, "state"),
            (!query.contains_key("client_secret") && !query.contains_key("code_verifier"), "a secret in the address"),
        ] {
            if !right {
                state.wrong.push(format!("the address of the sign-in page: {what}"));
            }
        }
        let code = format!("code-{}", state.codes.len());
        state.codes.insert(code.clone(), (challenge, value("redirect_uri"), false));
        (value("redirect_uri"), code, value("state"))
    }
}

fn at(path: &str) -> Endpoint {
    Endpoint { role: "login".into(), path: path.into() }
}

fn personal(strategy: Strategy, secret: bool) -> App {
    let mut app = app(vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let login = &mut app.logins[0];
    login.fields = vec![field("client_id", false, false, Format::Text), field("hint", false, true, Format::Text)];
    if secret {
        login.fields.push(field("client_secret", true, false, Format::Text));
    }
    login.strategy = strategy;
    login.hosts = vec![LOGIN.into(), HOST.into()];
    login.roles = vec![
        HostRole { id: "login".into(), hosts: vec![LOGIN.into()], prefix: String::new() },
        HostRole { id: "api".into(), hosts: vec![HOST.into()], prefix: String::new() },
    ];
    app
}

/// The application of the stand, where a person signs in in the browser.
pub fn in_browser(script: &Script) -> App {
    let settings = &script.settings;
    let host_from = settings.instance_url.as_ref().map(|_| HostFrom {
        member: "instance_url".into(),
        role: "api".into(),
        suffixes: vec![".my.vendor.example".into()],
    });
    let mut app = personal(
        Strategy::AuthorizationCode(AuthorizationCode {
            authorize: at("/oauth/authorize"),
            token: at("/oauth/token"),
            client_id: "client_id".into(),
            client_secret: settings.secret.map(|_| "client_secret".into()),
            authenticate: settings.secret.unwrap_or_default(),
            scope: SCOPE.into(),
            parameters: vec![("access_type".into(), "offline".into()), ("hint".into(), "{hint}".into())],
            redirect: script.redirect.clone(),
            pkce: settings.pkce,
            host_from,
        }),
        settings.secret.is_some(),
    );
    if settings.instance_url.is_some() {
        let login = &mut app.logins[0];
        login.hosts = vec![LOGIN.into()];
        login.roles.retain(|role| role.id != "api");
        login.roles.push(HostRole { id: "api".into(), hosts: vec![], prefix: String::new() });
    }
    app
}

/// The same by device code.
pub fn by_device() -> App {
    let strategy =
        DeviceCode { device: at("/oauth/device"), token: at("/oauth/token"), client_id: "client_id".into(), scope: SCOPE.into() };
    personal(Strategy::DeviceCode(strategy), false)
}

pub async fn signing(app: &App, vendor: &Vendor, kept: &Credentials, clock: Arc<dyn Clock>, browser: Arc<dyn Browser>) -> Signing {
    signing_until(app, vendor, kept, clock, browser, CancellationToken::new()).await
}

pub async fn signing_until(
    app: &App,
    vendor: &Vendor,
    kept: &Credentials,
    clock: Arc<dyn Clock>,
    browser: Arc<dyn Browser>,
    cancel: CancellationToken,
) -> Signing {
    signing_leaving(app, vendor, kept, clock, browser, cancel, &Left::default()).await
}

pub async fn signing_leaving(
    app: &App,
    vendor: &Vendor,
    kept: &Credentials,
    clock: Arc<dyn Clock>,
    browser: Arc<dyn Browser>,
    cancel: CancellationToken,
    left: &Left,
) -> Signing {
    let mut credentials = kept.clone();
    credentials.extend(secrets(&[("client_secret", SECRET)]));
    let inputs = &[("client_id", CLIENT), ("hint", "halden")];
    let entry = Entry { inputs, credentials, browser, cancel, ..Entry::of(app, vendor.route(), clock) };
    entry.sign_in_leaving(left).await.tells_none_of(&["token-number", "s3cret", "script"])
}

pub fn keepsake(session: &Session, name: &str) -> Option<String> {
    session.keepsakes().get(name).map(|secret| secret.expose_secret().to_owned())
}

pub fn kept(name: &str, value: &str) -> Credentials {
    secrets(&[(name, value)])
}

pub fn nothing() -> Credentials {
    Credentials::new()
}

/// For answers that are not JSON at all.
pub fn page() -> Reply {
    ok(Value::Null).body(super::vendor::Body::Whole(b"<html>".to_vec())).kind("text/html")
}
