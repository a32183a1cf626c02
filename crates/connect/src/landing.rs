//! The way of a sign-in from an application to Okta and back: which request may follow which answer, to whom, with what, and
//! what a page on the way means. It knows the rules between the two parties; what Okta asks of the user is not its matter.
//!
//! Facts: <https://developer.okta.com/docs/guides/session-cookie/main/>, SAML 2.0 Bindings (sections 3.4 and 3.5,
//! <https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf>), OpenID Connect Core 1.0 (section 3.1.2,
//! <https://openid.net/specs/openid-connect-core-1_0.html>), OAuth 2.0 Form Post Response Mode.

use crate::{
    ConnectError, SignInStage, guard,
    hop::{Body, Hop, HopAnswer, MOST_HOPS, Method, Party, path_template},
    html::{self, Form, Page},
    jar::Jar,
    session::Attempt,
    template::Values,
    wire::Watcher,
};
use catalog::{CauseKind, OktaLookup, OktaSignIn, OktaStart};
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// The two parties of a sign-in through Okta, and the rules between them.
pub(crate) struct Way<'a> {
    /// The Okta organization: its okta.com name and, where there is one, its own domain.
    pub(crate) okta: Party<'a>,
    /// The application: every other host of the login option.
    pub(crate) app: Party<'a>,
    attempt: &'a Attempt<'a>,
    strategy: &'a OktaSignIn,
    okta_host: String,
    stage: SignInStage,
    hops: u32,
    /// The request that the application sends to Okta.
    pending: Option<Step>,
    /// Whether it was made, where it is a form.
    form_sent: bool,
    /// Whether the application was handed Okta's answer.
    answered: bool,
    /// Whether the way was begun once more.
    restarted: bool,
    /// By what Okta names transactions and sessions, as far as it was seen: never sent to the application.
    names: Vec<SecretString>,
}

/// Where following came to.
pub(crate) enum Landed {
    /// Signed in at the application: it has taken Okta's answer and has set its cookies in [`Way::app`].
    Arrived,
    /// Okta asks for more on one of its pages.
    Asks {
        /// The page.
        page: Url,
        /// What the page names the transaction by: for `/idp/idx/introspect`, or `/api/v1/authn` of a Classic step-up.
        state_token: SecretString,
    },
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Okta,
    App,
}

/// A request on the way.
#[derive(Clone)]
struct Step {
    url: Url,
    /// What a form sends; `None` is a GET.
    fields: Option<Vec<(String, SecretString)>>,
    /// Who led here, and from which page.
    from: Option<(Side, Url)>,
}

impl Step {
    fn get(url: Url, from: Option<(Side, Url)>) -> Self {
        Self { url, fields: None, from }
    }

    fn is_from(&self, side: Side) -> bool {
        self.from.as_ref().is_some_and(|(from, _)| *from == side)
    }

    /// The value of a parameter, of the form or of the query.
    fn value(&self, name: &str) -> Option<String> {
        let sent = self.fields.iter().flatten().find(|(there, _)| there == name).map(|(_, value)| value.expose_secret().to_owned());
        sent.or_else(|| self.url.query_pairs().find(|(there, _)| there == name).map(|(_, value)| value.into_owned()))
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn posts(&self, name: &str) -> bool {
        self.fields.iter().flatten().any(|(there, _)| there == name)
    }
}

/// What follows from an answer.
enum Next {
    Go(Step),
    Asks {
        page: Url,
        state_token: SecretString,
    },
    /// Nothing follows: this is where it ends.
    Rest {
        url: Url,
    },
}

/// The longest address that is followed; a SAML request in one is some thousand characters long.
const URL_BYTES: usize = 64 * 1024;

/// What Okta answers an application with; none of it goes anywhere but to the paths that the catalog names.
const ANSWERS: [&str; 3] = ["code", "id_token", "access_token"];

/// Parameters by which Okta names its transactions and sessions; none of them goes to an application.
const OKTA_NAMES: [&str; 7] =
    ["stateToken", "sessionToken", "stateHandle", "interaction_handle", "interactionHandle", "token", "recoveryToken"];

/// Names shorter than this are not looked for in what goes to an application; every text would hold them.
const NAME_BYTES: usize = 12;

impl<'a> Way<'a> {
    /// Empty jars for both parties. `watcher` is told of each request (`&|event| attempt.watch(event)`).
    ///
    /// # Errors
    /// When the login option has no host for Okta or for the application.
    pub(crate) fn new(attempt: &'a Attempt<'a>, strategy: &'a OktaSignIn, watcher: Watcher<'a>) -> Result<Self, ConnectError> {
        let inputs = attempt.wire.inputs();
        let okta =
            attempt.login.role_hosts(&strategy.okta, inputs).map_err(|error| ConnectError::HostInvalid { sentence: error.to_string() })?;
        let allowed = &attempt.wire.hosts().allowed;
        let app: Vec<String> = allowed.iter().filter(|host| !okta.contains(host)).cloned().collect();
        let (Some(okta_host), false) = (okta.iter().find(|host| allowed.contains(*host)).cloned(), app.is_empty()) else {
            return Err(ConnectError::RequestRefused { sentence: "the login option does not name both parties of a sign-in.".to_owned() });
        };
        let party = |hosts: Vec<String>| Party::new(attempt.wire, watcher, Jar::new(hosts)).until(attempt.cancel.clone());
        Ok(Self {
            okta: party(okta),
            app: party(app),
            attempt,
            strategy,
            okta_host,
            stage: SignInStage::Start,
            hops: 0,
            pending: None,
            form_sent: false,
            answered: false,
            restarted: false,
            names: Vec::new(),
        })
    }

    /// The organization's host that is asked: a domain of its own where there is one, its okta.com name otherwise.
    pub(crate) fn okta_host(&self) -> &str {
        &self.okta_host
    }

    /// SP-initiated: from the application's page, or its look-up, to the request that it sends to Okta, which is kept and not
    /// made. Answers the address for `redirectUrl` of `/login/sessionCookieRedirect`.
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] when the application leads elsewhere or nowhere; whatever befalls the line.
    pub(crate) async fn set_out(&mut self) -> Result<Url, ConnectError> {
        self.stage = SignInStage::Start;
        let strategy = self.strategy;
        let OktaStart::Application { path, lookup } = &strategy.start else {
            return Err(ConnectError::RequestRefused { sentence: "this application is not begun at its own page.".to_owned() });
        };
        let found = match lookup {
            Some(lookup) => self.look_up(lookup).await?,
            None => None,
        };
        let mut step = match found {
            Some(step) => step,
            None => Step::get(self.address(&strategy.app, path)?, None),
        };
        loop {
            if self.side_of(&step.url) == Some(Side::Okta) {
                self.admit(&step)?;
                let address = match step.fields {
                    None => step.url.clone(),
                    // A form cannot be a redirect's target: the session is made first, and the form is sent then.
                    Some(_) => self.dashboard()?,
                };
                self.pending = Some(step);
                self.form_sent = false;
                return Ok(address);
            }
            let (side, answer) = self.make(&step).await?;
            match self.next(side, &step, answer)? {
                Next::Go(next) => step = next,
                Next::Asks { .. } | Next::Rest { .. } => {
                    return Err(self.failed(
                        "E-SSO-NO-START",
                        CauseKind::NotUnderstood,
                        format!("The sign-in page of {} does not lead on to Okta.", self.attempt.app.name),
                        "Check that single sign-on with Okta is switched on there for this user's account, and that the user's e-mail address is the one it knows.",
                    ));
                }
            }
        }
    }

    /// Makes the request that [`Self::set_out`] kept and follows; without a session Okta [`Landed::Asks`].
    ///
    /// # Errors
    /// As for [`Self::follow`].
    pub(crate) async fn resume(&mut self) -> Result<Landed, ConnectError> {
        let Some(step) = self.pending.clone() else {
            return Err(ConnectError::RequestRefused { sentence: "no request to Okta was kept.".to_owned() });
        };
        self.form_sent = true;
        self.go(step).await
    }

    /// IdP-initiated, with a session at Okta: the application's link as the administrator gave it, or found among the user's
    /// own (`GET /api/v1/users/me/appLinks`), with the RelayState. For [`Self::follow`].
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] when there is no such link, more than one, or one that leads elsewhere.
    pub(crate) async fn app_link(&mut self) -> Result<Url, ConnectError> {
        self.stage = SignInStage::Application;
        let strategy = self.strategy;
        let OktaStart::AppLink { field, named, relay_state } = &strategy.start else {
            return Err(ConnectError::RequestRefused { sentence: "this application is not begun at Okta.".to_owned() });
        };
        let given = field.as_deref().map(|field| self.attempt.input(field)).filter(|link| !link.is_empty());
        let mut link = match given {
            Some(link) => Url::parse(link).map_err(|_| self.broken("the application's link"))?,
            None => self.find_link(named, field.as_deref()).await?,
        };
        let values = Values { inputs: self.attempt.wire.inputs(), each: None };
        if let Some(relay_state) = relay_state.as_deref().and_then(|template| values.fill(template).ok())
            && !link.query_pairs().any(|(name, _)| name == "RelayState")
        {
            link.query_pairs_mut().append_pair("RelayState", &relay_state);
        }
        if self.side_of(&link) != Some(Side::Okta) {
            return Err(self.elsewhere(&link, "The application's link"));
        }
        self.admit(&Step::get(link.clone(), None))?;
        Ok(link)
    }

    /// Follows from an address at Okta (`/login/sessionCookieRedirect?…`, `success.href`, the application's link) until the
    /// application is reached or Okta asks for more.
    ///
    /// # Errors
    /// [`ConnectError::SignInFailed`] when an answer leads where it must not, says no, or leads nowhere; whatever befalls the
    /// line.
    pub(crate) async fn follow(&mut self, from: Url) -> Result<Landed, ConnectError> {
        if self.side_of(&from) != Some(Side::Okta) {
            return Err(self.elsewhere(&from, "Okta"));
        }
        self.go(Step::get(from, None)).await
    }

    async fn go(&mut self, mut step: Step) -> Result<Landed, ConnectError> {
        self.stage = SignInStage::Application;
        loop {
            if self.is_lost(&step.url) {
                step = self.begin_again().await?;
            }
            let (side, answer) = self.make(&step).await?;
            match self.next(side, &step, answer)? {
                Next::Go(next) => step = next,
                Next::Asks { page, state_token } => return Ok(Landed::Asks { page, state_token }),
                Next::Rest { url } => return self.rests(side, &url),
            }
        }
    }

    /// Whether Okta would show its dashboard: the user is signed in, but what for is not known any more.
    fn is_lost(&self, url: &Url) -> bool {
        let jar = self.okta.jar();
        self.side_of(url) == Some(Side::Okta) && is_dashboard(url) && ["sid", "idx"].iter().any(|name| jar.value(url, name).is_some())
    }

    /// What is made instead of asking for the dashboard: the form that had to wait for the session, or the way from its start,
    /// once.
    async fn begin_again(&mut self) -> Result<Step, ConnectError> {
        let form = self.pending.as_ref().is_some_and(|step| step.fields.is_some()) && !self.form_sent;
        if !form && !self.restarted && matches!(self.strategy.start, OktaStart::Application { .. }) {
            self.restarted = true;
            self.set_out().await?;
            self.stage = SignInStage::Application;
        } else if !form {
            return Err(self.lost());
        }
        self.form_sent = true;
        self.pending.clone().ok_or_else(|| self.lost())
    }

    fn lost(&self) -> ConnectError {
        let app = &self.attempt.app.name;
        self.failed(
            "E-OKTA-REQUEST-LOST",
            CauseKind::NotUnderstood,
            format!("Okta signed the user in but showed its dashboard instead of going on to {app}."),
            format!(
                "Open {app} from this user's Okta dashboard in a browser. If that works, try again; if it is not there, assign the application to the user."
            ),
        )
    }

    fn rests(&self, side: Side, url: &Url) -> Result<Landed, ConnectError> {
        let app = &self.attempt.app.name;
        match side {
            Side::Okta if is_dashboard(url) => Err(self.lost()),
            Side::Okta => Err(self.failed(
                "E-OKTA-PAGE",
                CauseKind::NotUnderstood,
                format!("Okta showed a page that leads neither to {app} nor to a question that can be answered here."),
                format!("Sign in to {app} as this user in a browser, and look whether Okta asks for something there: to set up a factor, to accept terms, to change the password."),
            )),
            Side::App if !self.answered => Err(self.failed(
                "E-SSO-NO-ANSWER",
                CauseKind::NotUnderstood,
                format!("{app} was reached, but Okta did not send an answer about the user along."),
                format!("Check in Okta that {app} is set up for single sign-on by SAML or OpenID Connect, and not as a bookmark or by password."),
            )),
            Side::App if self.app.jar().is_empty() => Err(self.failed(
                "E-SSO-NO-SESSION",
                CauseKind::CredentialRefused,
                format!("{app} took Okta's answer but began no session."),
                format!("Sign in to {app} as this user in a browser. If that fails too, check that the user exists there and is active."),
            )),
            Side::App => Ok(Landed::Arrived),
        }
    }

    /// Whose host it is; `None` for anybody else's.
    fn side_of(&self, url: &Url) -> Option<Side> {
        let host = url.host_str()?;
        if self.okta.jar().holds(host) {
            Some(Side::Okta)
        } else if self.app.jar().holds(host) {
            Some(Side::App)
        } else {
            None
        }
    }

    /// The rules: whether a request may be made, asked before anything is sent.
    fn admit(&self, step: &Step) -> Result<Side, ConnectError> {
        let who = self.who(step);
        let url = &step.url;
        if url.scheme() != "https" {
            return Err(self.failed(
                "E-SSO-NOT-HTTPS",
                CauseKind::NotUnderstood,
                format!("{who} leads to an address that is not encrypted{}. Nothing was sent there.", at(url)),
                "Do not go on: somebody may be in between. Tell whoever runs the page that led there.",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.as_str().len() > URL_BYTES {
            return Err(self.failed(
                "E-SSO-ADDRESS",
                CauseKind::NotUnderstood,
                format!(
                    "{who} leads to an address with a user name, a port or a length that no sign-in has{}. Nothing was sent there.",
                    at(url)
                ),
                "Do not go on: somebody may be in between. Tell whoever runs the page that led there.",
            ));
        }
        let asks_to_sign_in = step.has("SAMLRequest") || (step.has("client_id") && step.has("redirect_uri"));
        let Some(side) = self.side_of(url) else {
            return Err(if asks_to_sign_in {
                self.failed(
                    "E-SSO-OTHER-PROVIDER",
                    CauseKind::CredentialRefused,
                    format!("{who} sends the user on to another identity provider{}, which is not asked. Nothing was sent there.", at(url)),
                    "Use a user whose password is checked by the Okta organization that was given, or give the organization where it is checked.",
                )
            } else {
                self.elsewhere(url, &who)
            });
        };
        let Some(path) = guard::plain_segments(url.path()) else { return Err(self.broken(&who)) };
        if guard::changes_account(&path) {
            return Err(self.failed(
                "E-SSO-ACCOUNT-STEP",
                CauseKind::CredentialRefused,
                format!("{who} wants the user to recover, activate, enrol or change something first. That is never done from here."),
                "Sign in as this user in a browser once and do what is asked there.",
            ));
        }
        match side {
            Side::Okta => self.admit_to_okta(step)?,
            Side::App => self.admit_to_app(step, asks_to_sign_in)?,
        }
        Ok(side)
    }

    fn admit_to_okta(&self, step: &Step) -> Result<(), ConnectError> {
        if step.has("SAMLResponse") || (step.is_from(Side::App) && step.has("code") && step.has("state")) {
            return Err(self.misdirected(step, "an answer that is meant for the application", "back to Okta"));
        }
        // With the session's cookies a form could do more at Okta than ask to sign in, and so could some addresses.
        let asks = step.has("SAMLRequest") || (step.has("client_id") && step.has("redirect_uri"));
        let beyond = guard::plain_segments(step.url.path()).is_none_or(|path| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            matches!(path.as_slice(), ["api", ..] | ["login", "signout" | "sessioncookieredirect" | "token" | "step-up", ..])
        });
        if step.is_from(Side::App) && (beyond || (step.fields.is_some() && !asks)) {
            return Err(self.misdirected(step, "something other than a request to sign in", "to Okta"));
        }
        Ok(())
    }

    fn admit_to_app(&self, step: &Step, asks_to_sign_in: bool) -> Result<(), ConnectError> {
        let url = &step.url;
        let from_okta = step.is_from(Side::Okta);
        if asks_to_sign_in && (step.has("SAMLRequest") || step.fields.is_some()) {
            return Err(self.misdirected(step, "a request that is meant for Okta", "to the application"));
        }
        let named = |name: &str| OKTA_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name) && (*known != "token" || from_okta));
        let names = step.url.query_pairs().any(|(name, _)| named(&name)) || step.fields.iter().flatten().any(|(name, _)| named(name));
        if names || self.shows_a_name(step) {
            return Err(self.misdirected(step, "what names a session at Okta", "to the application"));
        }
        if from_okta && let Some(error) = step.value("error") {
            return Err(self.refused_by_okta(&error));
        }
        if step.posts("SAMLResponse") {
            return if starts_with_one_of(url.path(), &self.strategy.acs) {
                Ok(())
            } else {
                Err(self.misdirected(step, "the SAML answer", "to a path that does not take SAML answers"))
            };
        }
        if step.has("SAMLResponse") {
            return Err(self.misdirected(step, "the SAML answer", "in an address"));
        }
        if from_okta
            && let Some(fragment) = url.fragment()
            && url::form_urlencoded::parse(fragment.as_bytes()).any(|(name, _)| name == "error" || ANSWERS.contains(&&*name))
        {
            return Err(self.failed(
                "E-SSO-FRAGMENT",
                CauseKind::NotUnderstood,
                format!(
                    "Okta answers {} in the part of the address after \"#\", which only a browser's script can read.",
                    self.attempt.app.name
                ),
                "Set the application in Okta to the authorization code flow, if it offers that; otherwise use another login option.",
            ));
        }
        // The application's own pages may use `code` for anything; beside `state` it is an answer.
        let answers = ANSWERS.iter().any(|name| step.has(name)) && (from_okta || step.has("state"));
        if answers && !starts_with_one_of(url.path(), &self.strategy.callback) {
            return Err(self.misdirected(step, "the authorization code", "to a path that does not take one"));
        }
        if from_okta && step.fields.is_some() && !answers {
            return Err(self.misdirected(step, "a form that is no answer", "to the application"));
        }
        Ok(())
    }

    /// Whether something that goes to the application holds what Okta names a transaction or session by.
    fn shows_a_name(&self, step: &Step) -> bool {
        let address = percent_decoded(step.url.as_str());
        let holds = |text: &str| self.names.iter().any(|name| text.contains(name.expose_secret()));
        holds(&address) || step.fields.iter().flatten().any(|(_, value)| holds(value.expose_secret()))
    }

    fn remember(&mut self, name: &str) {
        if name.len() >= NAME_BYTES && !self.names.iter().any(|known| known.expose_secret() == name) {
            self.names.push(SecretString::from(name));
        }
    }

    /// Makes one request, if the rules allow it.
    async fn make(&mut self, step: &Step) -> Result<(Side, HopAnswer), ConnectError> {
        let side = self.admit(step)?;
        if self.hops == MOST_HOPS {
            return Err(self.failed(
                "E-SSO-LOOP",
                CauseKind::NotUnderstood,
                format!("Signing in went on from page to page, {MOST_HOPS} of them, without reaching {}.", self.attempt.app.name),
                format!("Sign in to {} as this user in a browser. If that goes round in circles too, tell its vendor or your Okta administrator.", self.attempt.app.name),
            ));
        }
        self.hops += 1;
        match side {
            Side::Okta => {
                let named: Vec<String> = step
                    .url
                    .query_pairs()
                    .filter(|(name, _)| OKTA_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)))
                    .map(|(_, value)| value.into_owned())
                    .collect();
                named.iter().for_each(|name| self.remember(name));
            }
            Side::App => {
                let answers = step.posts("SAMLResponse") || (step.is_from(Side::Okta) && ANSWERS.iter().any(|name| step.has(name)));
                self.answered = self.answered || answers;
            }
        }
        let mut url = step.url.clone();
        url.set_fragment(None);
        let (method, body) = match &step.fields {
            None => (Method::Get, Body::Nothing),
            Some(fields) => (Method::Post, Body::Form(fields.clone())),
        };
        let from = step.fields.as_ref().and(step.from.as_ref()).map(|(_, page)| page.clone());
        let path_template = path_template(&url);
        let hop = Hop { method, url, accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5", body, from, path_template };
        let answer = match side {
            Side::Okta => self.okta.send(hop).await?,
            Side::App => self.app.send(hop).await?,
        };
        Ok((side, answer))
    }

    /// What follows from an answer. Whether it may be done is asked when it is.
    fn next(&mut self, side: Side, step: &Step, answer: HopAnswer) -> Result<Next, ConnectError> {
        let from = (side, answer.url.clone());
        if matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            let Some(target) = answer.location() else { return Err(self.broken(self.name_of(side))) };
            if side == Side::Okta
                && self.side_of(&target) != Some(Side::Okta)
                && let Some(state_token) = name_in(&target)
            {
                // A sign-in page outside Okta is handed the transaction; it is not asked, and needs not be.
                self.remember(state_token.expose_secret());
                return Ok(Next::Asks { page: answer.url, state_token });
            }
            let keeps = matches!(answer.status, 307 | 308) && step.fields.is_some();
            if keeps && self.side_of(&target) != Some(side) {
                return Err(self.elsewhere(&target, self.name_of(side)));
            }
            // A form that is sent once more still comes from the page that it came from: the rules for it stay the same.
            return Ok(Next::Go(if keeps {
                Step { url: target, fields: step.fields.clone(), from: step.from.clone() }
            } else {
                Step::get(target, Some(from))
            }));
        }
        let page = if is_page(&answer) { html::read(&answer.body) } else { Page::default() };
        let base = page.base.as_deref().and_then(|base| answer.url.join(base).ok()).unwrap_or_else(|| answer.url.clone());
        if let Some(form) = self.form_of(side, &page)? {
            let mut url = base.join(&form.action).map_err(|_| self.broken(self.name_of(side)))?;
            if form.action.is_empty() {
                url = answer.url.clone();
            }
            if form.post {
                return Ok(Next::Go(Step { url, fields: Some(form.fields.clone()), from: Some(from) }));
            }
            let mut query = url.query_pairs_mut();
            query.clear().extend_pairs(form.fields.iter().map(|(name, value)| (name, value.expose_secret())));
            drop(query);
            return Ok(Next::Go(Step::get(url, Some(from))));
        }
        if side == Side::Okta {
            let forwards = ["/login/token/redirect", "/login/step-up/redirect"].contains(&answer.url.path());
            let token = page.state_token.clone().or_else(|| name_in(&answer.url).filter(|_| !forwards && answer.status < 400));
            if let Some(state_token) = token {
                self.remember(state_token.expose_secret());
                return Ok(Next::Asks { page: answer.url, state_token });
            }
            if page.is_error {
                return Err(self.failed(
                    "E-OKTA-NOT-ASSIGNED",
                    CauseKind::CredentialRefused,
                    format!("Okta shows an error page instead of going on to {}: the user is not assigned to it, or it is switched off in Okta.", self.attempt.app.name),
                    format!("Assign {} to this user in the Okta admin console (Applications), and check that it is active.", self.attempt.app.name),
                ));
            }
        }
        if answer.status >= 400 {
            return Err(self.status(side, answer.status));
        }
        if let Some(target) = page.refresh.as_deref().or(page.script.as_deref()) {
            let url = base.join(target).map_err(|_| self.broken(self.name_of(side)))?;
            // A page that sends to itself has nothing new to say.
            if url != answer.url {
                return Ok(Next::Go(Step::get(url, Some(from))));
            }
        }
        Ok(Next::Rest { url: answer.url })
    }

    /// The form that the page would submit by itself, if there is one.
    fn form_of<'p>(&self, side: Side, page: &'p Page) -> Result<Option<&'p Form>, ConnectError> {
        // From the most certain to the least.
        let kinds: [&dyn Fn(&Form) -> bool; 5] = [
            &|form| side == Side::Okta && form.has("SAMLResponse"),
            &|form| form.has("SAMLRequest"),
            &|form| side == Side::Okta && form.post && (ANSWERS.iter().any(|name| form.has(name)) || form.has("error")),
            &|form| side == Side::Okta && form.has("RelayState"),
            &|form| form.submits,
        ];
        for kind in kinds {
            let fitting: Vec<&Form> = page.forms.iter().filter(|form| kind(form)).collect();
            match fitting.as_slice() {
                [] => {}
                [form] => return Ok(Some(form)),
                [..] => {
                    return Err(self.failed(
                        "E-SSO-FORMS",
                        CauseKind::NotUnderstood,
                        format!("A page of {} holds more than one form that it would send by itself. None was sent.", self.name_of(side)),
                        "Try again. If it happens again, sign in as this user in a browser and look what the page asks.",
                    ));
                }
            }
        }
        Ok(None)
    }

    async fn look_up(&mut self, lookup: &OktaLookup) -> Result<Option<Step>, ConnectError> {
        let mut url = self.address(&lookup.role, &lookup.path)?;
        let values = Values { inputs: self.attempt.wire.inputs(), each: None };
        for (name, template) in &lookup.query {
            if let Ok(value) = values.fill(template) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let step = Step::get(url, None);
        let (side, answer) = self.make(&step).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        if answer.status >= 400 {
            return Err(self.status(side, answer.status));
        }
        let Some(body) = answer.json() else { return Ok(None) };
        let mut addresses = Vec::new();
        gather_addresses(&body, &mut addresses);
        addresses.retain(|url| self.side_of(url) == Some(Side::Okta));
        // Beside the address to ask there may be others of the organization, such as its issuer.
        let asks = |url: &&Url| url.query().is_some() || url.path().contains("/authorize") || url.path().contains("/sso/");
        let found = addresses.iter().find(asks).or(addresses.first()).cloned();
        Ok(found.map(|url| Step::get(url, Some((side, answer.url)))))
    }

    /// <https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserResources/>
    async fn find_link(&mut self, named: &str, field: Option<&str>) -> Result<Url, ConnectError> {
        let url = Url::parse(&format!("https://{}/api/v1/users/me/appLinks", self.okta_host)).map_err(|_| self.broken("Okta"))?;
        let path_template = path_template(&url);
        let hop = Hop { method: Method::Get, url, accept: "application/json", body: Body::Nothing, from: None, path_template };
        let answer = self.okta.send(hop).await?;
        let give = match field.and_then(|field| self.attempt.login.fields.iter().find(|known| known.id == field)) {
            Some(field) => format!(" Or copy the address of its tile there into {}.", field.label),
            None => String::new(),
        };
        let app = &self.attempt.app.name;
        let links = match (answer.status, answer.json()) {
            (200, Some(Value::Array(links))) => links,
            (401 | 403, _) => {
                return Err(self.failed(
                    "E-OKTA-APP-LINKS",
                    CauseKind::CredentialRefused,
                    "Okta does not tell this user's applications.".to_owned(),
                    format!("Open {app} from this user's Okta dashboard in a browser once.{give}"),
                ));
            }
            (status, _) => return Err(self.status(Side::Okta, status)),
        };
        let named = named.to_lowercase();
        let text = |link: &Value, name: &str| link.get(name).and_then(Value::as_str).map(str::to_lowercase).unwrap_or_default();
        let mut found: Vec<&str> = links
            .iter()
            .filter(|link| text(link, "label").contains(&named) || text(link, "appName").contains(&named))
            .filter_map(|link| link.get("linkUrl").and_then(Value::as_str))
            .collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [link] => Url::parse(link).map_err(|_| self.broken("Okta's list of applications")),
            [] => Err(self.failed(
                "E-OKTA-NOT-ASSIGNED",
                CauseKind::CredentialRefused,
                format!("{app} is not among the applications of this user in Okta."),
                format!("Assign {app} to this user in the Okta admin console (Applications).{give}"),
            )),
            [..] => Err(self.failed(
                "E-OKTA-APP-LINK-SEVERAL",
                CauseKind::InputMissing,
                format!("This user has {} applications in Okta that could be {app}, and it is not known which is meant.", found.len()),
                format!("Take the others away from this user.{give}"),
            )),
        }
    }

    fn address(&self, role: &str, path: &str) -> Result<Url, ConnectError> {
        let hosts = self.attempt.wire.hosts();
        let address = hosts.roles.get(role).and_then(|(host, prefix)| Url::parse(&format!("https://{host}{prefix}{path}")).ok());
        address
            .ok_or_else(|| ConnectError::RequestRefused { sentence: "the login option has no host for the application's page.".to_owned() })
    }

    fn dashboard(&self) -> Result<Url, ConnectError> {
        Url::parse(&format!("https://{}/app/UserHome", self.okta_host)).map_err(|_| self.broken("Okta"))
    }

    fn name_of(&self, side: Side) -> &'a str {
        match side {
            Side::Okta => "Okta",
            Side::App => &self.attempt.app.name,
        }
    }

    fn who(&self, step: &Step) -> String {
        self.name_of(step.from.as_ref().map_or(Side::Okta, |(side, _)| *side)).to_owned()
    }

    fn failed(&self, code: &'static str, kind: CauseKind, sentence: String, remedy: impl Into<String>) -> ConnectError {
        ConnectError::SignInFailed { stage: self.stage, code, kind, sentence, remedy: remedy.into(), reference: None }
    }

    fn elsewhere(&self, url: &Url, who: &str) -> ConnectError {
        self.failed(
            "E-SSO-ELSEWHERE",
            CauseKind::NotUnderstood,
            format!("{who} leads to a host that is not part of this sign-in{}. Nothing was sent there.", at(url)),
            "Check the Okta domain and the application's fields. If they are right, do not go on: somebody may have tampered with the page.",
        )
    }

    fn misdirected(&self, step: &Step, what: &str, whither: &str) -> ConnectError {
        self.failed(
            "E-SSO-MISDIRECTED",
            CauseKind::NotUnderstood,
            format!("{} sends {what} {whither}{}. It was not sent.", self.who(step), at(&step.url)),
            "Check the application's settings in Okta, above all the addresses that it answers to. If they are right, report it with these words and their code.",
        )
    }

    fn broken(&self, who: &str) -> ConnectError {
        self.failed(
            "E-SSO-BROKEN-LINK",
            CauseKind::NotUnderstood,
            format!("{who} leads to an address that cannot be read."),
            "Try again. If it happens again, sign in as this user in a browser; a page of a network or proxy in between also looks like this.",
        )
    }

    fn status(&self, side: Side, status: u16) -> ConnectError {
        let who = self.name_of(side);
        let app = &self.attempt.app.name;
        let (code, kind, sentence, remedy) = match (side, status) {
            (_, 429) => (
                "E-SSO-TOO-MANY",
                CauseKind::RateLimited,
                format!("{who} takes no more requests for now (429)."),
                "Try again in some minutes.".to_owned(),
            ),
            (_, 500..) => (
                "E-SSO-VENDOR-ERROR",
                CauseKind::VendorError,
                format!("{who} answered with an error ({status})."),
                "Look at the vendor's status page and try again later.".to_owned(),
            ),
            (Side::App, _) if self.answered => (
                "E-SSO-APP-REFUSED",
                CauseKind::CredentialRefused,
                format!("{app} did not accept Okta's answer about the user ({status})."),
                format!(
                    "Sign in to {app} as this user in a browser. If that fails too, check that the user exists there, and its single sign-on settings."
                ),
            ),
            (Side::App, _) => (
                "E-SSO-APP-PAGE",
                CauseKind::VendorError,
                format!("The sign-in page of {app} answered with an error ({status})."),
                format!("Check the fields, and sign in to {app} in a browser to see whether it works there."),
            ),
            (Side::Okta, _) => (
                "E-SSO-OKTA-PAGE",
                CauseKind::CredentialRefused,
                format!("Okta answered the way to {app} with an error ({status})."),
                format!("Open {app} from this user's Okta dashboard in a browser, and check that it is assigned and active."),
            ),
        };
        self.failed(code, kind, sentence, remedy)
    }

    /// What Okta tells the application in place of an answer. What it adds in words is not shown.
    /// <https://openid.net/specs/openid-connect-core-1_0.html#AuthError>, <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
    fn refused_by_okta(&self, error: &str) -> ConnectError {
        let app = &self.attempt.app.name;
        let (code, kind, sentence, remedy) = match error {
            "access_denied" => (
                "E-SSO-ACCESS-DENIED",
                CauseKind::CredentialRefused,
                format!("Okta does not let this user into {app} (access_denied)."),
                format!("Assign {app} to this user in the Okta admin console, and check the application's sign-on policy."),
            ),
            "login_required" => (
                "E-SSO-LOGIN-REQUIRED",
                CauseKind::CredentialRefused,
                format!("Okta does not take the session for {app} (login_required)."),
                "Try again. If it happens again, check the application's sign-on policy in Okta: it may ask for a sign-in each time."
                    .to_owned(),
            ),
            "interaction_required" | "account_selection_required" | "consent_required" => (
                "E-SSO-INTERACTION-REQUIRED",
                CauseKind::CredentialRefused,
                format!("Okta wants to ask the user something before it goes on to {app}."),
                format!("Sign in to {app} as this user in a browser once and answer what is asked there."),
            ),
            "temporarily_unavailable" | "server_error" => (
                "E-SSO-VENDOR-ERROR",
                CauseKind::VendorError,
                "Okta answered the application with an error of its own.".to_owned(),
                "Look at Okta's status page and try again later.".to_owned(),
            ),
            _ => (
                "E-SSO-ERROR",
                CauseKind::NotUnderstood,
                format!("Okta refused the application's request to sign the user in{}.", plain_word(error)),
                format!("Check the settings of {app} in Okta and its single sign-on settings: they may not fit together."),
            ),
        };
        self.failed(code, kind, sentence, remedy)
    }
}

/// " (host)", bounded; nothing where the address has none. A parsed host holds no blank and no control character.
fn at(url: &Url) -> String {
    let host: String = url.host_str().unwrap_or_default().chars().filter(char::is_ascii_graphic).take(100).collect();
    if host.is_empty() { String::new() } else { format!(" ({host})") }
}

/// " (word)" where it is a plain word of the kind that protocols use.
fn plain_word(error: &str) -> String {
    let plain = !error.is_empty() && error.len() <= 40 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain { format!(" ({error})") } else { String::new() }
}

/// Okta's own pages after a sign-in that leads nowhere.
fn is_dashboard(url: &Url) -> bool {
    url.path() == "/app/UserHome" || url.path() == "/enduser" || url.path().starts_with("/enduser/")
}

/// What an address at Okta names the transaction by.
fn name_in(url: &Url) -> Option<SecretString> {
    url.query_pairs()
        .find(|(name, value)| name == "stateToken" && !value.is_empty())
        .map(|(_, value)| SecretString::from(value.into_owned()))
}

fn is_page(answer: &HopAnswer) -> bool {
    match answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
        Some(kind) => kind.to_ascii_lowercase().contains("html"),
        None => answer.body.trim_ascii_start().starts_with(b"<"),
    }
}

/// Whether a path begins with one of these, and steps out of it in no reading.
fn starts_with_one_of(path: &str, prefixes: &[String]) -> bool {
    let inside = |rest: &str, prefix: &str| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/');
    guard::plain_segments(path).is_some()
        && prefixes.iter().any(|prefix| path.strip_prefix(prefix.as_str()).is_some_and(|rest| inside(rest, prefix)))
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// All addresses in a document.
fn gather_addresses(value: &Value, addresses: &mut Vec<Url>) {
    match value {
        Value::String(text) => addresses.extend(Url::parse(text).ok().filter(|url| url.scheme() == "https")),
        Value::Array(items) => items.iter().for_each(|item| gather_addresses(item, addresses)),
        Value::Object(fields) => fields.values().for_each(|item| gather_addresses(item, addresses)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
