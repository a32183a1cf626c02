//! The application's side of single sign-on: where the way begins, where it comes back to, and the session that comes of it.

use super::{
    Organization, after, html,
    state::{Journey, State},
};
use crate::{
    answer::{Asked, pairs},
    door::{Caller, DoorAnswer, Knows},
    token::{Admission, Issue, Use, issued},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};
use jiff::Timestamp;
use serde_json::json;
use std::{collections::BTreeSet, io::Write};
use url::{Url, form_urlencoded};

/// The application's session cookie, of the one host that sets it.
const COOKIE: &str = "__Host-session";
/// The application's session cookie, where it has a domain.
const DOMAIN_COOKIE: &str = "__Secure-session";
/// The cookie by which the application knows on the way back the browser that it sent away.
const JOURNEY_COOKIE: &str = "__Host-journey";
/// The cookie that remembers whose e-mail address was looked up.
const HINT_COOKIE: &str = "__Host-hint";
const JOURNEY_SECONDS: i64 = 600;
/// Lifetime of the application's session: two weeks, as Customer.io has it unless an administrator sets another.
/// <https://docs.customer.io/accounts-and-workspaces/login-session/>
const SESSION_SECONDS: i64 = 1_209_600;
/// Where a user lands.
const LANDING: &str = "/";

/// The application that the organization leads to.
pub(crate) struct Application {
    /// Every host that shows its pages; the first one is in the addresses that it registers.
    pub(crate) hosts: Vec<String>,
    /// `None` when the way begins at Okta only.
    pub(crate) start: Option<Start>,
    /// Path that an authorization code comes back to.
    pub(crate) callback: Option<String>,
    /// Path that a SAML answer is posted to; goes before `callback`.
    pub(crate) acs: Option<String>,
    /// The RelayState that belongs to it, where it is known.
    pub(crate) relay: Option<String>,
    pub(crate) request_by_form: bool,
    pub(crate) cookie_domain: Option<String>,
}

/// Where the way begins.
pub(crate) struct Start {
    pub(crate) path: String,
    /// Hosts and path of the endpoint that tells where to sign in.
    pub(crate) lookup: Option<(BTreeSet<String>, String)>,
}

/// A place at the application that signing in leads through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Start,
    Lookup,
    Callback,
    Acs,
    Relay,
    Landing,
}

impl Application {
    /// Where an authorization code goes; `None` when it uses SAML.
    pub(super) fn redirect_uri(&self) -> Option<String> {
        let callback = self.callback.as_ref().filter(|_| self.acs.is_none())?;
        Some(self.url(callback))
    }

    /// Where a SAML answer goes.
    pub(super) fn acs_url(&self) -> Option<String> {
        self.acs.as_ref().map(|acs| self.url(acs))
    }

    pub(super) fn relay_state(&self) -> Option<&str> {
        self.relay.as_deref()
    }

    pub(crate) fn cookie(&self) -> &'static str {
        if self.cookie_domain.is_some() { DOMAIN_COOKIE } else { COOKIE }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.hosts.first().map_or("", String::as_str))
    }

    /// An address of its own.
    fn own(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        (url.scheme() == "https" && url.host_str().is_some_and(|host| self.hosts.iter().any(|own| own == host))).then_some(url)
    }

    fn stop(&self, asked: &Asked) -> Option<Stop> {
        let read = asked.method == "GET";
        let lookup = self.start.as_ref().and_then(|start| start.lookup.as_ref());
        if read && lookup.is_some_and(|(hosts, path)| hosts.contains(&asked.host) && *path == asked.path) {
            return Some(Stop::Lookup);
        }
        if !self.hosts.contains(&asked.host) {
            return None;
        }
        let is = |path: Option<&str>| path == Some(asked.path.as_str());
        let relay = self.relay.as_deref().and_then(|relay| self.own(relay));
        if read && is(self.start.as_ref().map(|start| start.path.as_str())) {
            Some(Stop::Start)
        } else if is(self.acs.as_deref()) {
            Some(Stop::Acs)
        } else if self.acs.is_none() && is(self.callback.as_deref()) {
            Some(Stop::Callback)
        } else if read && is(relay.as_ref().map(Url::path)) {
            Some(Stop::Relay)
        } else if read && asked.path == LANDING {
            Some(Stop::Landing)
        } else {
            None
        }
    }
}

impl Organization {
    pub(super) fn knows_at_application(&self, asked: &Asked) -> Knows {
        let signed = |token: Option<&str>, purpose| {
            // Whether it still counts is asked when it is used.
            token.is_some_and(|token| issued(&self.tenant, token, purpose, 0, Timestamp::UNIX_EPOCH) != Admission::Unknown)
        };
        let form = || pairs(&String::from_utf8_lossy(&asked.body));
        let surely = match self.application.stop(asked) {
            None => return Knows::No,
            Some(Stop::Start | Stop::Lookup) => {
                asked.query.iter().any(|(_, value)| value.eq_ignore_ascii_case(&self.login)) || signed(asked.cookie(HINT_COOKIE), Use::Hint)
            }
            Some(Stop::Callback) => {
                signed(asked.parameter("state"), Use::State)
                    || form().iter().any(|(name, value)| name == "state" && signed(Some(value), Use::State))
            }
            Some(Stop::Acs) => form().iter().any(|(name, value)| name == "SAMLResponse" && self.state().assertions.contains_key(value)),
            Some(Stop::Relay | Stop::Landing) => false,
        };
        if surely { Knows::Surely } else { Knows::Perhaps }
    }

    /// The user of both, where nothing else tells at an application's own door which of the two is meant.
    pub(crate) fn same_user(&self, other: &Self) -> Option<&str> {
        let begins_here = self.application.start.is_some() && other.application.start.is_some();
        let shared = self.application.hosts.iter().any(|host| other.application.hosts.contains(host));
        (begins_here && shared && self.login.eq_ignore_ascii_case(&other.login)).then_some(self.login.as_str())
    }

    pub(super) fn at_application(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        Some(match self.application.stop(caller.asked)? {
            Stop::Start if caller.ambiguous => DoorAnswer::html(200, html::who(&caller.asked.path)),
            Stop::Start => self.begin(caller),
            Stop::Lookup => self.look_up(caller),
            Stop::Callback => self.callback(caller),
            Stop::Acs => self.consume(caller),
            Stop::Relay if self.is_signed_in(caller) => DoorAnswer::redirect(LANDING),
            Stop::Landing if self.is_signed_in(caller) => {
                DoorAnswer::html(200, html::notice(&self.options.application, "You are signed in."))
            }
            Stop::Relay | Stop::Landing => match &self.application.start {
                Some(start) => DoorAnswer::redirect(&start.path),
                None => DoorAnswer::html(401, html::problem("Sign in", "Open this application from your company's dashboard.")),
            },
        })
    }

    fn is_signed_in(&self, caller: &Caller<'_>) -> bool {
        let cookie = caller.asked.cookie(self.application.cookie());
        cookie.is_some_and(|given| issued(&self.tenant, given, Use::Session, caller.account.round, caller.now) == Admission::Accepted)
    }

    /// Sends the browser to the organization.
    fn begin(&self, caller: &Caller<'_>) -> DoorAnswer {
        let mut state = self.state();
        if self.application.acs.is_some() {
            return self.request_assertion(&mut state, caller);
        }
        let (url, browser) = self.set_out(&mut state, caller, true);
        DoorAnswer::redirect(&url).with("set-cookie", &journey_cookie(&browser.unwrap_or_default()))
    }

    /// Tells where the user signs in.
    fn look_up(&self, caller: &Caller<'_>) -> DoorAnswer {
        let missing = |answer: DoorAnswer| {
            let hint = Issue { purpose: Use::Hint, round: 0, of: "", seconds: JOURNEY_SECONDS }.mint(&self.tenant, caller.now);
            answer.with("set-cookie", &format!("{HINT_COOKIE}={hint}; Path=/; Secure; HttpOnly; SameSite=Lax"))
        };
        let nothing = || DoorAnswer::json(404, &json!({"errors": [{"detail": "not found", "status": "404"}]}));
        if !caller.asked.query.iter().any(|(_, value)| value.eq_ignore_ascii_case(&self.login)) {
            return nothing();
        }
        if !self.options.lookup {
            // The vendor remembers who asked all the same.
            return missing(nothing());
        }
        if self.application.acs.is_some() {
            let start = self.application.start.as_ref().map_or(LANDING, |start| start.path.as_str());
            return missing(DoorAnswer::json(200, &json!({"sso": {"enabled": true, "protocol": "saml", "start": start}})));
        }
        let mut state = self.state();
        let (url, browser) = self.set_out(&mut state, caller, self.application.hosts.contains(&caller.asked.host));
        let answer = DoorAnswer::json(200, &json!({"sso": {"enabled": true, "protocol": "oidc", "redirect_url": url}}));
        match browser {
            Some(browser) => answer.with("set-cookie", &journey_cookie(&browser)),
            None => answer,
        }
    }

    /// The address at the organization, and the cookie that goes with it if this host can set one for the way back.
    fn set_out(&self, state: &mut State, caller: &Caller<'_>, bound: bool) -> (String, Option<String>) {
        let unique = self.token(state, "");
        let token = Issue { purpose: Use::State, round: 0, of: &unique, seconds: JOURNEY_SECONDS }.mint(&self.tenant, caller.now);
        let nonce = self.token(state, "n");
        let browser = bound.then(|| self.token(state, "b"));
        state.journeys.retain(|_, journey| journey.expires > caller.now);
        let journey = Journey { browser: browser.clone(), nonce: nonce.clone(), expires: after(caller.now, JOURNEY_SECONDS) };
        state.journeys.insert(token.clone(), journey);
        let redirect_uri = self.application.redirect_uri().unwrap_or_default();
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", self.instance_id().as_str()),
                ("response_type", "code"),
                ("scope", "openid email profile"),
                ("redirect_uri", &redirect_uri),
                ("state", &token),
                ("nonce", &nonce),
            ])
            .finish();
        (format!("https://{}/oauth2/v1/authorize?{query}", self.issuer_host()), browser)
    }

    /// The host that the application was told when it was connected: the custom domain, where there is one.
    fn issuer_host(&self) -> &str {
        self.hosts.first().map_or(self.name.as_str(), String::as_str)
    }

    /// Takes an authorization code. The application swaps it for tokens by itself, so that nothing of that is seen here.
    fn callback(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let members = if asked.method == "POST" { &form } else { &asked.query };
        let given = |name: &str| members.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let mut state = self.state();
        let journey = state.journeys.remove(given("state")).filter(|journey| {
            journey.expires > caller.now && (journey.browser.is_none() || journey.browser.as_deref() == asked.cookie(JOURNEY_COOKIE))
        });
        let Some(journey) = journey else {
            return DoorAnswer::html(400, html::problem("Sign-in failed", "The answer belongs to no sign-in that was begun here."));
        };
        if !given("error").is_empty() {
            return DoorAnswer::html(403, html::problem("Sign-in failed", "The identity provider did not let you in."));
        }
        let code = state.codes.remove(given("code"));
        let good = code.is_some_and(|code| code.expires > caller.now && code.state == given("state") && code.nonce == journey.nonce);
        if good {
            self.land(&mut state, caller, LANDING)
        } else {
            DoorAnswer::html(400, html::problem("Sign-in failed", "The code is not valid, or was used before."))
        }
    }

    /// Sends a SAML request to the organization.
    fn request_assertion(&self, state: &mut State, caller: &Caller<'_>) -> DoorAnswer {
        let relay = self.token(state, "r");
        let acs = self.application.acs_url().unwrap_or_default();
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"{relay}\" Version=\"2.0\" IssueInstant=\"{}\" AssertionConsumerServiceURL=\"{acs}\"/>",
            super::classic::milliseconds(caller.now),
        );
        let target = format!("https://{}{}", self.issuer_host(), self.saml_path());
        if self.application.request_by_form {
            let request = STANDARD.encode(xml);
            state.requests.insert(relay.clone(), request.clone());
            return DoorAnswer::html(200, html::auto_submit(&target, &[("SAMLRequest", &request), ("RelayState", &relay)]));
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        // Writing into memory does not fail.
        let deflated = encoder.write_all(xml.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
        let request = STANDARD.encode(deflated);
        state.requests.insert(relay.clone(), request.clone());
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs([("SAMLRequest", &request), ("RelayState", &relay)]).finish();
        DoorAnswer::redirect(&format!("{target}?{query}"))
    }

    /// Takes a SAML answer: only one that this organization gave, once, in time, with the RelayState that belongs to it.
    fn consume(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let refuse = |text: &str| DoorAnswer::html(403, html::problem("Unhandled exception", text));
        if asked.method != "POST" {
            return DoorAnswer::html(405, html::problem("Unhandled exception", "A SAML answer is posted."));
        }
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let given = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let mut state = self.state();
        let Some(assertion) = state.assertions.remove(given("SAMLResponse")).filter(|known| known.expires > caller.now) else {
            return refuse("The SAML answer was not issued for this application, was used before, or has expired.");
        };
        let relay = given("RelayState");
        let wrong = match &assertion.asked_with {
            Some(asked_with) => relay != asked_with || state.requests.remove(asked_with).is_none(),
            None if self.application.start.is_some() => return refuse("This application takes no SAML answer that it did not ask for."),
            None => match self.application.relay_state() {
                Some(expected) => relay != expected,
                None => !relay.is_empty() && self.application.own(relay).is_none(),
            },
        };
        if wrong {
            return refuse("The RelayState does not belong to this application.");
        }
        let target = self.application.own(relay).map_or_else(|| LANDING.to_owned(), String::from);
        let session = self.token(&mut state, "s");
        self.land(&mut state, caller, &target).with("set-cookie", &format!("SimpleSAMLSessionID={session}; Path=/; Secure; HttpOnly"))
    }

    /// Begins the application's session.
    fn land(&self, state: &mut State, caller: &Caller<'_>, target: &str) -> DoorAnswer {
        let unique = self.token(state, "");
        let issue = Issue { purpose: Use::Session, round: caller.account.round, of: &unique, seconds: SESSION_SECONDS };
        let value = issue.mint(&self.tenant, caller.now);
        let domain = self.application.cookie_domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        let name = self.application.cookie();
        DoorAnswer::redirect(target)
            .with("set-cookie", &format!("{name}={value}{domain}; Path=/; Secure; HttpOnly; SameSite=Lax"))
            .with("set-cookie", &format!("{JOURNEY_COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None"))
    }
}

fn journey_cookie(browser: &str) -> String {
    // The answer may come back as a form from another site.
    format!("{JOURNEY_COOKIE}={browser}; Path=/; Secure; HttpOnly; SameSite=None")
}
