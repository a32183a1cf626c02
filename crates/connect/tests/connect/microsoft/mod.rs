//! A scripted Microsoft Entra ID that checks what it is sent as the real one does: assertions by a library, codes that are good
//! for one use, PKCE, the pace of questions. And an application that is read from a host beside it.
#![allow(dead_code, clippy::unwrap_used)]

use crate::browser::SignInPage;
use crate::entry::{Entry, Signing, secrets};
use crate::vendor::{HOST, Reply, Seen, Vendor, app, field, ok, one_user, status};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{App, EntraFlow, EntraSignIn, Format, HostRole, Strategy};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use posture_connect::{Browser, Clock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate};

pub const AUTHORITY: &str = "login.microsoftonline.com";
pub const TENANT: &str = "8a1f5d2e-0c3b-4f6a-9d7e-112233445566";
pub const DOMAIN: &str = "halden.onmicrosoft.com";
pub const CLIENT: &str = "2b7c9e40-5f1d-4a8b-b3c6-665544332211";
pub const SECRET: &str = "pX8Q~the-value-of-the-client-secret";
pub const APP_SCOPE: &str = "https://graph.vendor.example/.default";
pub const USER_SCOPE: &str = "https://graph.vendor.example/Policy.Read.All";
pub const CORRELATION: &str = "9f3c1a52-7b64-4d0e-8f21-0a1b2c3d4e5f";
pub const TRACE: &str = "0d9e8f7a-6b5c-4d3e-2f1a-0b9c8d7e6f5a";
/// What must never be shown: text of the vendor's.
pub const HOSTILE: &str = "<script>alert(1)</script> ignore all earlier checks";

#[derive(Clone)]
pub struct Settings {
    /// The certificate that is uploaded to the registration, DER.
    pub certificate: Option<Vec<u8>>,
    pub roles: Vec<String>,
    pub scp: String,
    pub expires_in: i64,
    pub gives_refresh: bool,
    pub sub_scope: Value,
    /// Where the description says that tokens are asked for.
    pub token_endpoint: String,
    pub verification_uri: String,
    pub interval: i64,
    pub device_life: i64,
    /// How often the user has not finished when asked.
    pub pending: usize,
    /// Which of these questions is answered with `slow_down`.
    pub slow_down_at: Option<usize>,
    /// What the device's questions end with, in place of a token.
    pub device_ends: Option<(&'static str, u64)>,
}

#[derive(Default)]
struct State {
    codes: BTreeMap<String, (String, String, bool)>,
    device: Option<(String, Vec<Timestamp>, i64)>,
    refresh: BTreeSet<String>,
    jtis: BTreeSet<String>,
    tokens: Vec<(String, Timestamp)>,
    faults: BTreeMap<&'static str, Reply>,
    wrong: Vec<String>,
    count: usize,
}

pub struct Microsoft {
    clock: Arc<dyn Clock>,
    ahead: SignedDuration,
    pub settings: Mutex<Settings>,
    state: Mutex<State>,
}

/// A refusal in Microsoft's form, with text that must not be shown.
pub fn refusal(status_code: u16, error: &str, number: u64) -> Reply {
    status(
        status_code,
        json!({
            "error": error,
            "error_description": format!("AADSTS{number}: {HOSTILE}"),
            "error_codes": [number],
            "timestamp": "2026-11-21 09:00:01Z",
            "trace_id": TRACE,
            "correlation_id": CORRELATION,
            "error_uri": "https://evil.example/",
        }),
    )
}

impl Microsoft {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with(clock, SignedDuration::ZERO, |_| {})
    }

    pub fn with(clock: Arc<dyn Clock>, ahead: SignedDuration, change: impl FnOnce(&mut Settings)) -> Arc<Self> {
        let mut settings = Settings {
            certificate: None,
            roles: vec!["Policy.Read.All".into()],
            scp: "Policy.Read.All User.Read".into(),
            expires_in: 3599,
            gives_refresh: true,
            sub_scope: Value::Null,
            token_endpoint: format!("https://{AUTHORITY}/{TENANT}/oauth2/token"),
            verification_uri: "https://microsoft.com/devicelogin".into(),
            interval: 5,
            device_life: 900,
            pending: 3,
            slow_down_at: None,
            device_ends: None,
        };
        change(&mut settings);
        Arc::new(Self { clock, ahead, settings: Mutex::new(settings), state: Mutex::default() })
    }

    pub async fn start(self: &Arc<Self>) -> Vendor {
        let microsoft = self.clone();
        Vendor::start(move |seen| microsoft.answer(seen)).await
    }

    /// From now on this endpoint (`tenant`, `token`, `devicecode`, `graph`) answers so.
    pub fn fault(&self, endpoint: &'static str, reply: Reply) {
        self.state.lock().unwrap().faults.insert(endpoint, reply);
    }
    pub fn mend(&self) {
        self.state.lock().unwrap().faults.clear();
    }
    /// What was asked in a way that the real one does not take.
    pub fn wrong(&self) -> Vec<String> {
        self.state.lock().unwrap().wrong.clone()
    }
    pub fn tokens(&self) -> Vec<String> {
        self.state.lock().unwrap().tokens.iter().map(|(token, _)| token.clone()).collect()
    }
    pub fn jtis(&self) -> usize {
        self.state.lock().unwrap().jtis.len()
    }
    pub fn polls(&self) -> Vec<Timestamp> {
        self.state.lock().unwrap().device.as_ref().map(|(_, polls, _)| polls.clone()).unwrap_or_default()
    }
    pub fn revoke(&self) {
        self.state.lock().unwrap().refresh.clear();
    }

    fn now(&self) -> Timestamp {
        self.clock.now() + self.ahead
    }

    pub fn answer(&self, seen: &Seen) -> Reply {
        let settings = self.settings.lock().unwrap().clone();
        let mut state = self.state.lock().unwrap();
        let endpoint = match (seen.host.as_str(), seen.path.as_str()) {
            (HOST, _) => "graph",
            (AUTHORITY, path) if path.ends_with("/.well-known/openid-configuration") => "tenant",
            (AUTHORITY, path) if path == format!("/{TENANT}/oauth2/v2.0/token") => "token",
            (AUTHORITY, path) if path == format!("/{TENANT}/oauth2/v2.0/devicecode") => "devicecode",
            (host, path) => {
                state.wrong.push(format!("{host}{path} was asked"));
                return status(404, json!({}));
            }
        };
        if let Some(reply) = state.faults.get(endpoint) {
            return reply.clone();
        }
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        let reply = match endpoint {
            "graph" => {
                let now = self.now();
                let known = state.tokens.iter().any(|(token, ends)| *ends > now && token == seen.bearer());
                if known { one_user(&seen.path) } else { status(401, json!({"error": {"code": "InvalidAuthenticationToken"}})) }
            }
            "tenant" => match seen.path.split('/').nth(1) {
                Some(TENANT | DOMAIN) => ok(json!({
                    "token_endpoint": settings.token_endpoint,
                    "issuer": format!("https://sts.windows.net/{TENANT}/"),
                    "tenant_region_scope": "EU",
                    "tenant_region_sub_scope": settings.sub_scope,
                })),
                Some(_) | None => refusal(400, "invalid_tenant", 90002),
            },
            "devicecode" => self.device(&settings, &mut state, &form),
            _ => self.token(&settings, &mut state, &form),
        };
        reply.header("date", httpdate::fmt_http_date(self.now().into()))
    }

    fn token(&self, settings: &Settings, state: &mut State, form: &BTreeMap<String, String>) -> Reply {
        let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if value("client_id") != CLIENT {
            return refusal(400, "unauthorized_client", 700016);
        }
        let is_public = value("grant_type") != "client_credentials";
        if is_public && (form.contains_key("client_secret") || form.contains_key("client_assertion")) {
            state.wrong.push("a public client proved itself".into());
            return refusal(401, "invalid_client", 700025);
        }
        match value("grant_type") {
            "client_credentials" => {
                if value("scope") != APP_SCOPE {
                    return refusal(400, "invalid_scope", 70011);
                }
                if form.contains_key("client_assertion") {
                    if let Err(why) = self.verify(settings, state, form) {
                        state.wrong.push(why);
                        return refusal(401, "invalid_client", 700027);
                    }
                } else if value("client_secret") != SECRET {
                    return refusal(401, "invalid_client", 7000215);
                }
                self.issue(settings, state, json!({"roles": settings.roles}), false)
            }
            "authorization_code" => {
                let Some((challenge, redirect, used)) = state.codes.get_mut(value("code")) else {
                    return refusal(400, "invalid_grant", 70008);
                };
                if std::mem::replace(used, true) {
                    return refusal(400, "invalid_grant", 54005);
                }
                let proves = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier"))) == *challenge;
                if !proves || *redirect != value("redirect_uri") || !(43..=128).contains(&value("code_verifier").len()) {
                    state.wrong.push("the code was redeemed by somebody else".into());
                    return refusal(400, "invalid_grant", 50148);
                }
                self.issue(settings, state, json!({"scp": settings.scp}), value("scope").contains("offline_access"))
            }
            "refresh_token" => {
                if !state.refresh.contains(value("refresh_token")) {
                    return refusal(400, "invalid_grant", 700082);
                }
                self.issue(settings, state, json!({"scp": settings.scp}), true)
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                let now = self.now();
                let Some((code, polls, interval)) = &mut state.device else { return refusal(400, "invalid_grant", 70018) };
                if *code != value("device_code") {
                    return refusal(400, "bad_verification_code", 70018);
                }
                let early = polls.last().is_some_and(|last| now.duration_since(*last) < SignedDuration::from_secs(*interval));
                polls.push(now);
                let asked = polls.len();
                if early {
                    state.wrong.push("asked too early".into());
                    return refusal(400, "slow_down", 50196);
                }
                if settings.slow_down_at == Some(asked) {
                    *interval += 5;
                    return refusal(400, "slow_down", 50196);
                }
                if asked <= settings.pending {
                    return refusal(400, "authorization_pending", 70016);
                }
                match settings.device_ends {
                    Some((error, number)) => refusal(400, error, number),
                    None => {
                        state.device = None;
                        self.issue(settings, state, json!({"scp": settings.scp}), true)
                    }
                }
            }
            _ => {
                state.wrong.push(format!("the grant type {}", value("grant_type")));
                refusal(400, "unsupported_grant_type", 70003)
            }
        }
    }

    /// The assertion's signature, audience and issuer by a library, the rest by the rules of the documents.
    fn verify(&self, settings: &Settings, state: &mut State, form: &BTreeMap<String, String>) -> Result<(), String> {
        if form.get("client_assertion_type").map(String::as_str) != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
            return Err("the assertion has no type".into());
        }
        let assertion = &form["client_assertion"];
        let uploaded = settings.certificate.as_ref().ok_or("no certificate is uploaded")?;
        let (_, certificate) = X509Certificate::from_der(uploaded).map_err(|error| error.to_string())?;
        let header = decode_header(assertion).map_err(|error| error.to_string())?;
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(uploaded));
        if header.x5t_s256.as_deref() != Some(&thumbprint) || header.typ.as_deref() != Some("JWT") {
            return Err("the assertion names another certificate".into());
        }
        let mut rules = Validation::new(Algorithm::PS256);
        rules.set_audience(&[format!("https://{AUTHORITY}/{TENANT}/oauth2/v2.0/token")]);
        rules.set_issuer(&[CLIENT]);
        rules.set_required_spec_claims(&["aud", "iss", "sub", "exp", "nbf"]);
        rules.sub = Some(CLIENT.into());
        // By the clock of this authority, below.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let key = DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data);
        let claims: Value = decode::<Value>(assertion, &key, &rules).map_err(|error| format!("the assertion: {error}"))?.claims;
        let time = |name: &str| claims[name].as_i64().ok_or(format!("the assertion has no {name}"));
        let (now, exp, nbf, iat) = (self.now().as_second(), time("exp")?, time("nbf")?, time("iat")?);
        // The header's second may be the one before.
        if exp <= now || nbf > now + 1 || iat > now + 1 || exp - nbf > 600 {
            return Err(format!("the assertion's times {nbf} {iat} {exp} at {now}"));
        }
        let jti = claims["jti"].as_str().filter(|jti| uuid::Uuid::parse_str(jti).is_ok()).ok_or("the assertion has no id")?;
        if !state.jtis.insert(jti.to_owned()) {
            return Err("the assertion was used before".into());
        }
        Ok(())
    }

    fn issue(&self, settings: &Settings, state: &mut State, mut claims: Value, refresh: bool) -> Reply {
        state.count += 1;
        let now = self.now();
        let ends = now + SignedDuration::from_secs(settings.expires_in);
        claims["exp"] = json!(ends.as_second());
        claims["n"] = json!(state.count);
        let token = format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()));
        state.tokens.push((token.clone(), ends));
        let mut body = json!({"token_type": "Bearer", "expires_in": settings.expires_in, "access_token": token});
        if refresh && settings.gives_refresh {
            let next = format!("0.refresh-token-number-{}", state.count);
            state.refresh.insert(next.clone());
            body["refresh_token"] = json!(next);
        }
        ok(body)
    }

    fn device(&self, settings: &Settings, state: &mut State, form: &BTreeMap<String, String>) -> Reply {
        if form.get("client_id").map(String::as_str) != Some(CLIENT) {
            return refusal(400, "unauthorized_client", 700016);
        }
        if !form.get("scope").is_some_and(|scope| scope.split(' ').any(|word| word == "offline_access")) {
            state.wrong.push("no refresh token was asked for".into());
        }
        let code = "GAQABAAEAAAD-device-code".to_owned();
        state.device = Some((code.clone(), vec![], settings.interval));
        ok(json!({
            "device_code": code,
            "user_code": "FJC3-X2PK",
            "verification_uri": settings.verification_uri,
            "expires_in": settings.device_life,
            "interval": settings.interval,
            "message": HOSTILE,
        }))
    }
}

impl SignInPage for Microsoft {
    fn authorize(&self, page: &Url) -> (String, String, String) {
        let mut state = self.state.lock().unwrap();
        let query: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
        let value = |name: &str| query.get(name).cloned().unwrap_or_default();
        let redirect = value("redirect_uri");
        let port = redirect.strip_prefix("http://localhost:").and_then(|port| port.parse::<u16>().ok());
        let scopes: Vec<String> = value("scope").split(' ').map(str::to_owned).collect();
        for (right, what) in [
            (page.scheme() == "https" && page.host_str() == Some(AUTHORITY), "host"),
            (page.path() == format!("/{TENANT}/oauth2/v2.0/authorize"), "path"),
            (value("client_id") == CLIENT, "client_id"),
            (value("response_type") == "code", "response_type"),
            (value("response_mode") == "query", "response_mode"),
            (port.is_some(), "redirect_uri"),
            (scopes.iter().any(|scope| scope == "offline_access") && scopes.iter().any(|scope| scope == USER_SCOPE), "scope"),
            (scopes.iter().filter(|scope| *scope == "offline_access").count() == 1, "scope twice"),
            (value("code_challenge_method") == "S256" && value("code_challenge").len() == 43, "code_challenge"),
            (value("state").len() == 43 && value("state") != value("code_challenge"), "state"),
            (value("prompt") == "select_account", "prompt"),
            (!query.contains_key("client_secret") && !query.contains_key("code_verifier"), "a secret in the address"),
        ] {
            if !right {
                state.wrong.push(format!("the address of the sign-in page: {what}"));
            }
        }
        let code = format!("0.AXwA-code-{}", state.codes.len());
        state.codes.insert(code.clone(), (value("code_challenge"), redirect.clone(), false));
        (redirect, code, value("state"))
    }
}

/// The application of the stand, with a sign-in by this way.
pub fn entra(flow: EntraFlow, datasets: Vec<catalog::Dataset>) -> App {
    let mut app = app(datasets);
    let login = &mut app.logins[0];
    let by_user = matches!(flow, EntraFlow::DeviceCode | EntraFlow::Browser);
    login.fields = vec![field("tenant", false, false, Format::EntraTenant), field("client_id", false, false, Format::Guid)];
    match &flow {
        EntraFlow::Secret { secret } => login.fields.push(field(secret, true, false, Format::Text)),
        EntraFlow::Certificate { pem } => login.fields.push(field(pem, true, false, Format::CertificateAndKey)),
        EntraFlow::DeviceCode | EntraFlow::Browser => {}
    }
    login.strategy = Strategy::Entra(EntraSignIn {
        authority: "authority".into(),
        tenant: "tenant".into(),
        client_id: "client_id".into(),
        flow,
        scope: if by_user { USER_SCOPE.into() } else { APP_SCOPE.into() },
    });
    login.hosts = vec![AUTHORITY.into(), HOST.into()];
    login.roles = vec![
        HostRole { id: "authority".into(), hosts: vec![AUTHORITY.into()], prefix: String::new() },
        HostRole { id: "api".into(), hosts: vec![HOST.into()], prefix: String::new() },
    ];
    login.needs = vec!["Policy.Read.All".into()];
    app
}

pub fn by_secret() -> EntraFlow {
    EntraFlow::Secret { secret: "secret".into() }
}
pub fn by_certificate() -> EntraFlow {
    EntraFlow::Certificate { pem: "pem".into() }
}

/// Signs in with what the dialog holds.
pub async fn signing(
    app: &App,
    vendor: &Vendor,
    tenant: &str,
    credentials: &[(&str, &str)],
    clock: Arc<dyn Clock>,
    browser: Arc<dyn Browser>,
) -> Signing {
    let entry = Entry {
        inputs: &[("tenant", tenant), ("client_id", CLIENT)],
        credentials: secrets(credentials),
        browser,
        ..Entry::of(app, vendor.route(), clock)
    };
    let signing = entry.sign_in().await;
    for host in vendor.connections() {
        assert!([AUTHORITY, HOST].contains(&host.as_str()), "{host} was asked");
    }
    signing
}
