//! From a session at the organization to the application: cookies, the authorization endpoint, SAML answers.
//! <https://developer.okta.com/docs/guides/session-cookie/main/>, OpenID Connect Core 1.0, SAML 2.0 bindings.

use super::{
    Organization, after,
    classic::milliseconds,
    error, html, identity_engine, json_of,
    state::{Assertion, Code, Engine, OktaSession, Stage, State, Transaction},
    text,
};
use crate::{
    account::{Account, Lock},
    answer::{Asked, pairs},
    door::{Caller, DoorAnswer},
    token::signature,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalog::{OktaEngine, SecondFactor};
use jiff::Timestamp;
use serde_json::json;
use url::{Url, form_urlencoded};

/// Lifetime of a session: two hours, Okta's usual setting.
const SESSION_SECONDS: i64 = 7_200;
/// Lifetime of an authorization code.
const CODE_SECONDS: i64 = 60;
/// Lifetime of an assertion.
const ASSERTION_SECONDS: i64 = 300;

/// Where a user stands who wants to the application.
enum Standing {
    SignedIn,
    /// Nobody is signed in.
    Stranger,
    /// Signed in by password alone, and the application wants more.
    StepUp,
    /// Signed in, and the application is not for this user.
    NotAssigned,
}

impl Organization {
    pub(super) fn single_sign_on(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let asked = caller.asked;
        let path = asked.path.as_str();
        let read = asked.method == "GET";
        Some(match path {
            "/login/sessionCookieRedirect" if read => self.session_cookie_redirect(caller),
            "/login/step-up/redirect" | "/login/token/redirect" if read => self.finish(caller),
            "/login/signout" if read => self.sign_out(caller, DoorAnswer::redirect(&format!("https://{}/", asked.host))),
            "/login/login.htm" if read => {
                let resume = asked.parameter("fromURI").and_then(|to| self.own_path(to, &asked.host));
                let mut state = self.state();
                self.sign_in_page(&mut state, caller, resume, None)
            }
            "/api/v1/sessions" if asked.method == "POST" => self.make_session(caller),
            "/api/v1/sessions/me" => self.my_session(caller),
            "/api/v1/users/me" | "/api/v1/users/me/appLinks" if read => self.my_user(caller),
            "/oauth2/v1/authorize" if read => self.authorize(caller),
            "/" | "/app/UserHome" | "/enduser/home" if read => {
                let mut state = self.state();
                match self.session(&mut state, caller) {
                    Some(_) => DoorAnswer::html(200, html::notice("My Apps", &self.name)),
                    None => self.sign_in_page(&mut state, caller, None, None),
                }
            }
            _ if read && path == self.home_path() => {
                let query = query_text(&asked.query);
                let to = format!("https://{}{}{query}", asked.host, self.saml_path());
                DoorAnswer::redirect(&to)
            }
            _ if path == self.saml_path() => self.saml(caller),
            _ => return None,
        })
    }

    /// The whole address of the application's link.
    pub(crate) fn app_link(&self) -> String {
        format!("https://{}{}", self.name, self.home_path())
    }

    /// `/home/…`: the link on the dashboard.
    pub(super) fn home_path(&self) -> String {
        format!("/home/{}/{}/aln{}", self.integration(), self.instance_id(), &self.id("", "link")[..8])
    }

    /// `/app/…/sso/saml`.
    pub(super) fn saml_path(&self) -> String {
        format!("/app/{}/{}/sso/saml", self.integration(), self.id("exk", "application"))
    }

    /// The application's technical name.
    fn integration(&self) -> String {
        let name: String =
            self.label().to_lowercase().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        format!("{name}_1")
    }

    pub(super) fn label(&self) -> &str {
        &self.options.application
    }

    pub(super) fn instance_id(&self) -> String {
        self.id("0oa", "application")
    }

    pub(super) fn may_use_application(&self, account: &Account) -> bool {
        self.options.assigned && !account.unassigned
    }

    /// The session whose cookie a request carries.
    fn session(&self, state: &mut State, caller: &Caller<'_>) -> Option<OktaSession> {
        let Caller { asked, now, account, .. } = caller;
        state.sessions.retain(|_, session| session.expires > *now && session.round == account.round);
        if account.revoked || account.lock == Some(Lock::Shown) {
            return None;
        }
        ["sid", "idx"].into_iter().filter_map(|name| asked.cookie(name)).find_map(|value| state.sessions.get(value).cloned())
    }

    fn standing(&self, session: Option<OktaSession>, account: &Account) -> Standing {
        match session {
            None => Standing::Stranger,
            Some(session) if !session.factor && self.options.second_factor == SecondFactor::Application => Standing::StepUp,
            Some(_) if !self.may_use_application(account) => Standing::NotAssigned,
            Some(_) => Standing::SignedIn,
        }
    }

    /// Cookies of a new session. A session token makes a classic one, which the Identity Engine turns into its own too.
    fn begin_session(&self, state: &mut State, caller: &Caller<'_>, factor: bool, classic: bool, mut answer: DoorAnswer) -> DoorAnswer {
        // Whoever signs in further has one session, not two.
        for value in ["sid", "idx"].into_iter().filter_map(|name| caller.asked.cookie(name)) {
            state.sessions.remove(value);
        }
        let value = self.token(state, "102");
        let session = OktaSession { factor, expires: after(caller.now, SESSION_SECONDS), round: caller.account.round };
        state.sessions.insert(value.clone(), session);
        let names: &[&str] = match (self.options.engine, classic) {
            (OktaEngine::Classic, _) => &["sid"],
            (OktaEngine::IdentityEngine, true) => &["sid", "idx"],
            (OktaEngine::IdentityEngine, false) => &["idx"],
        };
        for name in names {
            answer = answer.with("set-cookie", &format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=None"));
        }
        answer
    }

    /// Trades a session token, if it is good and nobody is signed in; whether it did, with the factor it stands for.
    fn trade(&self, state: &mut State, caller: &Caller<'_>, token: &str) -> Option<bool> {
        state.session_tokens.retain(|_, known| known.expires > caller.now);
        // A session that is there goes before a token, which is then not used up.
        if self.session(state, caller).is_some() {
            return None;
        }
        state.session_tokens.remove(token).map(|token| token.factor)
    }

    fn session_cookie_redirect(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let target = asked.parameter("redirectUrl").and_then(|url| Url::parse(url).ok());
        let Some(target) = target.filter(|url| url.scheme() == "https" && url.host_str().is_some_and(|host| self.is_here(host))) else {
            return DoorAnswer::html(
                400,
                html::problem("Bad request", "The address to go on to is not one of this organization or of a trusted origin."),
            );
        };
        let mut state = self.state();
        let answer = DoorAnswer::redirect(target.as_str());
        match self.trade(&mut state, caller, asked.parameter("token").unwrap_or_default()) {
            Some(factor) => self.begin_session(&mut state, caller, factor, true, answer),
            None => answer,
        }
    }

    /// The end of a sign-in that began with a page.
    fn finish(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let mut state = self.state();
        let token = asked.parameter("stateToken").unwrap_or_default();
        let engine = if asked.path == "/login/token/redirect" { Engine::Identity } else { Engine::Classic };
        let done = state.transactions.get(token).is_some_and(|known| {
            known.expires > caller.now
                && known.stage == Stage::Done
                && known.engine == engine
                && (engine == Engine::Classic || known.browser.as_deref() == asked.cookie("JSESSIONID"))
        });
        let Some(transaction) = state.transactions.remove(token).filter(|_| done) else {
            return DoorAnswer::html(400, html::problem("Bad request", "Your session has expired. Start again from the application."));
        };
        let resume = transaction.resume.unwrap_or_else(|| "/app/UserHome".to_owned());
        let answer = DoorAnswer::redirect(&format!("https://{}{resume}", asked.host));
        self.begin_session(&mut state, caller, transaction.factor, engine == Engine::Classic, answer)
    }

    fn make_session(&self, caller: &Caller<'_>) -> DoorAnswer {
        let token = json_of(caller.asked).and_then(|body| text(&body, "sessionToken").map(str::to_owned));
        let mut state = self.state();
        state.session_tokens.retain(|_, known| known.expires > caller.now);
        let Some(token) = token.and_then(|token| state.session_tokens.remove(&token)) else {
            return error(401, "E0000004", "Authentication failed", None);
        };
        let value = self.token(&mut state, "102");
        let session = OktaSession { factor: token.factor, expires: after(caller.now, SESSION_SECONDS), round: caller.account.round };
        let body = self.session_object(&value, &session);
        state.sessions.insert(value, session);
        DoorAnswer::json(200, &body)
    }

    fn session_object(&self, id: &str, session: &OktaSession) -> serde_json::Value {
        let amr = if session.factor { json!(["pwd", "otp", "mfa"]) } else { json!(["pwd"]) };
        json!({
            "id": id,
            "userId": self.user_id(),
            "login": self.login,
            "expiresAt": milliseconds(session.expires),
            "status": "ACTIVE",
            "amr": amr,
            "idp": {"id": self.id("00o", "organization"), "type": "OKTA"},
            "mfaActive": session.factor,
        })
    }

    fn my_session(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let mut state = self.state();
        let Some(session) = self.session(&mut state, caller) else {
            return error(404, "E0000007", "Not found: Resource not found: me (Session)", None);
        };
        match asked.method.as_str() {
            "GET" => DoorAnswer::json(200, &self.session_object(asked.cookie("sid").unwrap_or_default(), &session)),
            "DELETE" => {
                drop(state);
                self.sign_out(caller, DoorAnswer::new(204, "application/json", ""))
            }
            _ => error(405, "E0000022", "The endpoint does not support the provided HTTP method", None),
        }
    }

    fn sign_out(&self, caller: &Caller<'_>, mut answer: DoorAnswer) -> DoorAnswer {
        let mut state = self.state();
        for name in ["sid", "idx"] {
            if let Some(value) = caller.asked.cookie(name) {
                state.sessions.remove(value);
                answer = answer.with("set-cookie", &format!("{name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None"));
            }
        }
        answer
    }

    fn my_user(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let mut state = self.state();
        if self.session(&mut state, caller).is_none() {
            return error(403, "E0000005", "Invalid session", None);
        }
        if asked.path == "/api/v1/users/me" {
            let mut user = self.user_object();
            user["status"] = "ACTIVE".into();
            return DoorAnswer::json(200, &user);
        }
        let link = |label: &str, name: &str, instance: String, url: String, order: u32| {
            json!({"id": self.id("00u", name), "label": label, "linkUrl": url, "logoUrl": null, "appName": name, "appInstanceId": instance,
                "appAssignmentId": self.id("0ua", name), "credentialsSetup": false, "hidden": false, "sortOrder": order})
        };
        let other = self.id("0oa", "calendar");
        let mut links = vec![link(
            "Team Calendar",
            "team_calendar",
            other.clone(),
            format!("https://{}/home/team_calendar/{other}/aln1", asked.host),
            0,
        )];
        if self.may_use_application(caller.account) {
            let url = format!("https://{}{}", asked.host, self.home_path());
            links.push(link(self.label(), &self.integration(), self.instance_id(), url, 1));
        }
        DoorAnswer::json(200, &links.into())
    }

    /// The authorization endpoint. What it is asked for has to be what the application registered.
    fn authorize(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let given = |name: &str| asked.parameter(name).unwrap_or_default();
        let Some(redirect_uri) = self.application.redirect_uri() else {
            return DoorAnswer::html(400, html::problem("400", "This organization has no application of that kind."));
        };
        if given("client_id") != self.instance_id() || given("redirect_uri") != redirect_uri {
            // An answer to an address that is not registered would give the code to a stranger.
            return DoorAnswer::html(
                400,
                html::problem("400", "The redirect_uri parameter must be a Login redirect URI in the client app settings."),
            );
        }
        let back = |members: &[(&str, &str)]| self.back_to_application(&redirect_uri, given("response_mode"), given("state"), members);
        if given("response_type") != "code" || given("state").is_empty() {
            return back(&[("error", "invalid_request"), ("error_description", "response_type must be code and state must be there")]);
        }
        if !given("scope").split(' ').any(|word| word == "openid") {
            return back(&[("error", "invalid_scope"), ("error_description", "openid is missing")]);
        }
        let mut state = self.state();
        let traded = asked.parameter("sessionToken").and_then(|token| self.trade(&mut state, caller, token));
        let session = match traded {
            Some(factor) => Some(OktaSession { factor, expires: caller.now, round: caller.account.round }),
            None => self.session(&mut state, caller),
        };
        let quiet = given("prompt") == "none";
        let answer = match self.standing(session.clone(), caller.account) {
            Standing::Stranger | Standing::StepUp if quiet => back(&[
                ("error", "login_required"),
                ("error_description", "The client specified not to prompt, but the user is not logged in."),
            ]),
            Standing::Stranger => return self.sign_in_page(&mut state, caller, Some(resumed(asked)), None),
            Standing::StepUp => self.sign_in_page(&mut state, caller, Some(resumed(asked)), session),
            Standing::NotAssigned => {
                back(&[("error", "access_denied"), ("error_description", "User is not assigned to the client application.")])
            }
            Standing::SignedIn => {
                let code = self.token(&mut state, "c");
                let known =
                    Code { state: given("state").to_owned(), nonce: given("nonce").to_owned(), expires: after(caller.now, CODE_SECONDS) };
                state.codes.insert(code.clone(), known);
                back(&[("code", &code)])
            }
        };
        match traded {
            Some(factor) => self.begin_session(&mut state, caller, factor, true, answer),
            None => answer,
        }
    }

    fn back_to_application(&self, redirect_uri: &str, mode: &str, state: &str, members: &[(&str, &str)]) -> DoorAnswer {
        let members: Vec<(&str, &str)> = members.iter().copied().chain([("state", state)]).collect();
        if mode == "form_post" {
            return DoorAnswer::html(200, html::auto_submit(redirect_uri, &members));
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&members).finish();
        let divider = if mode == "fragment" { '#' } else { '?' };
        DoorAnswer::redirect(&format!("{redirect_uri}{divider}{query}"))
    }

    /// The application's SAML endpoint at the organization.
    fn saml(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let posted = asked.method == "POST";
        let members = if posted { &form } else { &asked.query };
        let given = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let Some(acs) = self.application.acs_url() else {
            return DoorAnswer::html(404, html::problem("Page not found", "This application does not use SAML."));
        };
        let mut state = self.state();
        let relay = given("RelayState").map(str::to_owned);
        let asked_with = match given("SAMLRequest") {
            Some(request) => match relay.as_ref().filter(|relay| state.requests.get(*relay).is_some_and(|known| known == request)) {
                Some(relay) => Some(relay.clone()),
                None => return DoorAnswer::html(400, html::problem("400", "Your request resulted in an error.")),
            },
            None => None,
        };
        let traded = given("sessionToken").and_then(|token| self.trade(&mut state, caller, token));
        let session = match traded {
            Some(factor) => Some(OktaSession { factor, expires: caller.now, round: caller.account.round }),
            None => self.session(&mut state, caller),
        };
        let resume = format!("{}{}", asked.path, query_text(&without_session_token(members)));
        let answer = match self.standing(session.clone(), caller.account) {
            Standing::Stranger => return self.sign_in_page(&mut state, caller, Some(resume), None),
            Standing::StepUp => self.sign_in_page(&mut state, caller, Some(resume), session),
            Standing::NotAssigned => DoorAnswer::html(
                200,
                html::problem(
                    "User not assigned",
                    "Sorry, you can't access this application because you are not assigned this app in Okta.",
                ),
            ),
            Standing::SignedIn => {
                let relay = relay.or_else(|| self.application.relay_state().map(str::to_owned)).unwrap_or_default();
                let response = self.saml_response(&mut state, caller.now, &acs, asked_with.as_deref());
                state.assertions.insert(response.clone(), Assertion { asked_with, expires: after(caller.now, ASSERTION_SECONDS) });
                DoorAnswer::html(200, html::auto_submit(&acs, &[("SAMLResponse", &response), ("RelayState", &relay)]))
            }
        };
        match traded {
            Some(factor) => self.begin_session(&mut state, caller, factor, true, answer),
            None => answer,
        }
    }

    fn saml_response(&self, state: &mut State, now: Timestamp, acs: &str, asked_with: Option<&str>) -> String {
        let id = self.token(state, "id");
        let issuer = format!("http://www.okta.com/{}", self.id("exk", "application"));
        let (at, until) = (milliseconds(now), milliseconds(after(now, ASSERTION_SECONDS)));
        let answers = asked_with.map(|relay| format!(" InResponseTo=\"{}\"", html::escaped(relay))).unwrap_or_default();
        let assertion = format!(
            "<saml2:Assertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}a\" IssueInstant=\"{at}\" Version=\"2.0\"><saml2:Issuer>{issuer}</saml2:Issuer><saml2:Subject><saml2:NameID>{login}</saml2:NameID></saml2:Subject><saml2:Conditions NotOnOrAfter=\"{until}\"/></saml2:Assertion>",
            login = html::escaped(&self.login),
        );
        let signed = signature(&self.tenant, &assertion);
        STANDARD.encode(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><saml2p:Response xmlns:saml2p=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{acs}\" ID=\"{id}\"{answers} IssueInstant=\"{at}\" Version=\"2.0\"><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignatureValue>{signed}</ds:SignatureValue></ds:Signature><saml2p:Status><saml2p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></saml2p:Status>{assertion}</saml2p:Response>"
        ))
    }

    /// The hosted sign-in page; with a session, the page that asks for the second factor alone.
    fn sign_in_page(&self, state: &mut State, caller: &Caller<'_>, resume: Option<String>, session: Option<OktaSession>) -> DoorAnswer {
        let (engine, prefix) = match self.options.engine {
            OktaEngine::Classic => (Engine::Classic, "00"),
            OktaEngine::IdentityEngine => (Engine::Identity, "02.id."),
        };
        let token = self.token(state, prefix);
        let browser = self.token(state, "J");
        let mut transaction = match engine {
            Engine::Classic => Transaction::begun(engine, caller.now),
            Engine::Identity => identity_engine::begun(caller.now),
        };
        transaction.resume = resume;
        transaction.browser = Some(browser.clone());
        if session.is_some() {
            (transaction.known, transaction.password) = (true, true);
            transaction.stage = self.next_stage(&transaction, caller.account);
        }
        let page = html::sign_in(&caller.asked.host, &token, engine);
        state.transactions.insert(token, transaction);
        DoorAnswer::html(200, page).with("set-cookie", &format!("JSESSIONID={browser}; Path=/; Secure; HttpOnly; SameSite=None"))
    }

    /// Path and query of an address at this organization.
    fn own_path(&self, to: &str, host: &str) -> Option<String> {
        let url = Url::parse(&format!("https://{host}/")).ok()?.join(to).ok()?;
        let own = url.scheme() == "https" && url.host_str().is_some_and(|host| self.is_here(host));
        own.then(|| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
    }
}

/// Path and query of a request, without what is good once.
fn resumed(asked: &Asked) -> String {
    format!("{}{}", asked.path, query_text(&without_session_token(&asked.query)))
}

fn without_session_token(members: &[(String, String)]) -> Vec<(String, String)> {
    members.iter().filter(|(name, _)| name != "sessionToken").cloned().collect()
}

fn query_text(members: &[(String, String)]) -> String {
    if members.is_empty() {
        return String::new();
    }
    format!("?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish())
}
