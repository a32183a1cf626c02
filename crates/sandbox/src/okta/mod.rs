//! A simulated Okta organization with one user and one application, and the application's side of single sign-on.
//!
//! It owns what an organization knows while it runs: transactions, sessions, one-time codes that were used, wrong tries.
//! Facts about the vendor: <https://developer.okta.com/docs/reference/api/authn/>,
//! <https://github.com/okta/okta-auth-js> (`lib/idx`), <https://developer.okta.com/docs/guides/session-cookie/main/>.
//! Not simulated: enrolment, recovery, change of a password, messages to a phone (they are counted), rate limits per user
//! and per state token.

mod application;
mod classic;
mod html;
mod identity_engine;
mod single_sign_on;
mod state;
mod user;

use crate::{
    SandboxError,
    answer::Asked,
    door::{Caller, DoorAnswer, Knows},
};
pub(crate) use application::{Application, Start};
use catalog::{MfaKey, OktaEngine, SandboxOkta};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use state::State;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The organization of one tenant.
pub(crate) struct Organization {
    tenant: String,
    /// The custom domain, if there is one, and the organization's own name.
    hosts: Vec<String>,
    /// The organization's own name: `acme.okta.com`.
    name: String,
    login: String,
    password: String,
    mfa_key: MfaKey,
    options: SandboxOkta,
    application: Application,
    /// What makes this run's tokens different from another's.
    seed: [u8; 32],
    state: Mutex<State>,
}

/// What an organization is made of.
pub(crate) struct Plan {
    pub(crate) tenant: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) login: String,
    pub(crate) password: String,
    pub(crate) mfa_key: MfaKey,
    pub(crate) options: SandboxOkta,
    pub(crate) application: Application,
}

impl Organization {
    /// # Errors
    /// The tenant's fields make no host of an organization, or there are no random bytes.
    pub(crate) fn new(plan: Plan) -> Result<Self, SandboxError> {
        let Plan { tenant, hosts, login, password, mfa_key, options, application } = plan;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(SandboxError::Random)?;
        let Some(name) = hosts.last().cloned() else {
            return Err(SandboxError::HostUnknown { tenant, host: "okta".into(), path: "/.well-known/okta-organization".into() });
        };
        Ok(Self { tenant, hosts, name, login, password, mfa_key, options, application, seed, state: Mutex::default() })
    }

    pub(crate) fn hosts(&self) -> &[String] {
        &self.hosts
    }

    pub(crate) fn messages(&self) -> u32 {
        self.state().messages
    }

    pub(crate) fn forgive(&self) {
        let mut state = self.state();
        (state.wrong_passwords, state.wrong_codes) = (0, 0);
    }

    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        if self.is_here(&asked.host) { Knows::Surely } else { self.knows_at_application(asked) }
    }

    pub(crate) fn answer(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        if !self.is_here(&caller.asked.host) {
            return self.at_application(caller);
        }
        let mut answer = self.at_okta(caller)?;
        if caller.asked.cookie("DT").is_none() {
            // By its device token Okta knows a browser again.
            let device = self.token(&mut self.state(), "DI0");
            answer = answer.with("set-cookie", &format!("DT={device}; Max-Age=63072000; Path=/; Secure; HttpOnly; SameSite=None"));
        }
        Some(answer)
    }

    fn at_okta(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let asked = caller.asked;
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/.well-known/okta-organization") => Some(self.organization()),
            ("GET", "/.well-known/webfinger") => Some(self.webfinger(caller)),
            (_, path) if path == "/api/v1/authn" || path.starts_with("/api/v1/authn/") => Some(self.classic(caller)),
            (_, path) if path.starts_with("/idp/idx/") => Some(self.identity_engine(caller)),
            _ => self.single_sign_on(caller),
        }
    }

    fn organization(&self) -> DoorAnswer {
        let pipeline = match self.options.engine {
            OktaEngine::Classic => "v1",
            OktaEngine::IdentityEngine => "idx",
        };
        let mut body = json!({
            "id": self.id("00o", "organization"),
            "_links": {"organization": {"href": format!("https://{}", self.name)}},
            "pipeline": pipeline,
        });
        if let Some(custom) = self.hosts.iter().find(|host| **host != self.name) {
            body["_links"]["alternate"] = json!({"href": format!("https://{custom}")});
        }
        DoorAnswer::json(200, &body)
    }

    /// Which identity provider a user signs in at. Okta answers for users that it does not know as for its own.
    fn webfinger(&self, caller: &Caller<'_>) -> DoorAnswer {
        let resource = caller.asked.parameter("resource").unwrap_or_default();
        let Some(login) = resource.strip_prefix("okta:acct:").or_else(|| resource.strip_prefix("acct:")) else {
            return error(400, "E0000001", "Api validation failed: resource", Some("resource: The field cannot be left blank"));
        };
        let elsewhere = self.options.elsewhere && login.eq_ignore_ascii_case(&self.login);
        let (kind, id) = if elsewhere { ("SAML2", self.id("0oa", "provider")) } else { ("OKTA", self.id("00o", "organization")) };
        let host = &caller.asked.host;
        let body = json!({"subject": resource, "links": [{
            "rel": "okta:idp",
            "href": format!("https://{host}/sso/idps/{id}"),
            "titles": {"und": self.tenant},
            "properties": {
                "okta:idp:metadata": format!("https://{host}/api/v1/idps/{id}/metadata.xml"),
                "okta:idp:type": kind,
                "okta:idp:id": id,
            },
        }]});
        DoorAnswer::new(200, "application/jrd+json", body.to_string())
    }

    fn is_here(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own == host)
    }

    /// The id of a thing of this organization; the same in every run.
    fn id(&self, prefix: &str, what: &str) -> String {
        let digest = Sha256::digest(format!("{}\n{what}", self.tenant));
        format!("{prefix}{}", &hex::encode(digest)[..17])
    }

    /// A text that nobody can guess and that is never made twice.
    fn token(&self, state: &mut State, prefix: &str) -> String {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        state.made += 1;
        let digest = Sha256::new().chain_update(self.seed).chain_update(state.made.to_be_bytes()).finalize();
        // With the letters that pages and addresses have to escape.
        format!("{prefix}-{}_", URL_SAFE_NO_PAD.encode(digest))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `now` and so many seconds.
fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

/// An error of Okta's API.
fn error(status: u16, code: &str, summary: &str, cause: Option<&str>) -> DoorAnswer {
    DoorAnswer::json(status, &error_body(code, summary, cause))
}

/// The body of an error of Okta's API: <https://developer.okta.com/docs/reference/error-codes/>
pub(crate) fn error_body(code: &str, summary: &str, cause: Option<&str>) -> Value {
    let causes: Vec<Value> = cause.into_iter().map(|cause| json!({"errorSummary": cause})).collect();
    json!({
        "errorCode": code,
        "errorSummary": summary,
        "errorLink": code,
        // Vendors' logs are searched by it; here it only has to look like one.
        "errorId": format!("oae{}", &hex::encode(Sha256::digest(format!("{code}{summary}")))[..20]),
        "errorCauses": causes,
    })
}

/// The JSON body of a request.
fn json_of(asked: &Asked) -> Option<Value> {
    serde_json::from_slice(&asked.body).ok().filter(Value::is_object)
}

/// A member of a JSON body that is text.
fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}
