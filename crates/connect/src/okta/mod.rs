//! Signing in as an Okta user with password and one-time code, and on to the application by single sign-on.
//!
//! Owns the order of things: the organization is looked at before the password leaves, the password is sent once, each
//! one-time code is recorded before it is sent, and the session at Okta is closed at the end. The engines ([`classic`],
//! [`identity_engine`]) own what Okta asks; the way between application and Okta is [`crate::landing`]'s.
//!
//! `sid` and `idx`, the cookies of Okta's session, stay in the jar of one sign-in. `DT`, the name by which Okta knows a
//! computer again, is kept, so that sign-ins do not each look like a new device.

mod classic;
mod desk;
mod identity_engine;
mod organization;
mod problem;
mod refusal;

use crate::{
    ConnectError, SignInStage, account_of,
    hop::{Body, Hop, Method, Party, path_template},
    landing::{Landed, Way},
    session::{Attempt, Signed, unless_cancelled},
    totp::Codes,
    wire::Authorisation,
};
use catalog::{CauseKind, MfaKey, OktaSignIn, OktaStart};
use classic::Passed;
use desk::{Desk, FAREWELL, Password, Stop};
use organization::Pipeline;
use problem::End;
use refusal::Secrets;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::Url;

/// The entry of the credentials that holds Okta's cookie `DT`.
const DEVICE_TOKEN: &str = "okta_device_token";
/// The cookie by which Okta knows a computer again.
const DEVICE_COOKIE: &str = "DT";
/// How often Okta may ask for more on the way to the application: the application's policy, a device's, and one to spare.
const MOST_QUESTIONS: u32 = 3;
/// For how long waiting for another sign-in of the same user is not worth a word.
const MOMENT: Duration = Duration::from_secs(1);

/// Signs in.
pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &OktaSignIn) -> Result<Signed, ConnectError> {
    let user = attempt.input(&strategy.user).to_owned();
    let password = attempt.secret(&strategy.password)?;
    let typed_key = attempt.secret(&strategy.mfa_key)?;
    let key = MfaKey::parse(typed_key.expose_secret()).map_err(|problem| ConnectError::FieldMalformed {
        label: label_of(attempt, &strategy.mfa_key),
        secret: true,
        sentence: problem.sentence,
    })?;
    let watcher = |event| attempt.watch(event);
    let mut way = Way::new(attempt, strategy, &watcher)?;
    let hosts: Vec<String> = attempt.wire.hosts().allowed.iter().filter(|host| way.okta.jar().holds(host)).cloned().collect();
    let asked = way.okta_host().to_owned();
    // An account is the same one by the organization's own domain and by its okta.com name, which every instance has.
    let account = account_of(hosts.iter().find(|host| **host != asked).unwrap_or(&asked), &user);
    let _turn = unless_cancelled(attempt.cancel, turn(attempt, &account)).await?;
    let secrets = Secrets { account: account.clone(), ledger: attempt.ledger.clone(), password: password.clone(), key: typed_key };
    secrets.check().await?;

    if let Some(token) = attempt.credentials.get(DEVICE_TOKEN) {
        for host in &hosts {
            way.okta.jar().put(&address(host, "/")?, DEVICE_COOKIE, token);
        }
    }
    let codes = Codes::new(key, account, attempt.ledger.clone(), attempt.wire.clock(), attempt.events);
    let mut desk = Desk::new(attempt, asked, user, Password::new(password), codes);
    let outcome = arrive(&mut desk, &mut way, strategy, &hosts).await;
    let known = refusal::Outcome::of(&outcome, desk.password.was_sent_in_vain(), desk.codes_are_on_time());
    secrets.settle(&known, attempt.wire.clock().now()).await;
    if desk.has_session {
        sign_out(&desk, &mut way.okta, &hosts).await;
    }
    outcome?;
    if let Some(token) = way.okta.jar().value(&address(&desk.host, "/")?, DEVICE_COOKIE) {
        attempt.left.put(DEVICE_TOKEN, token);
    }
    Ok(Signed::of(Authorisation::Cookies(way.app.into_jar())))
}

fn label_of(attempt: &Attempt<'_>, field: &str) -> String {
    attempt.login.fields.iter().find(|known| known.id == field).map_or_else(|| field.to_owned(), |known| known.label.clone())
}

/// An address on a host of the organization.
fn address(host: &str, path: &str) -> Result<Url, ConnectError> {
    Url::parse(&format!("https://{host}{path}"))
        .map_err(|_| ConnectError::RequestRefused { sentence: "the Okta organization's host makes no address.".to_owned() })
}

async fn arrive(desk: &mut Desk<'_>, way: &mut Way<'_>, strategy: &OktaSignIn, hosts: &[String]) -> Result<(), ConnectError> {
    desk.attempt.stage(SignInStage::Organization, &desk.host);
    let pipeline = organization::pipeline(desk, &mut way.okta, hosts).await?;
    desk.attempt.stage(SignInStage::WhoSignsIn, &desk.host);
    organization::who_signs_in(desk, &mut way.okta, hosts).await?;
    let pending = match &strategy.start {
        OktaStart::Application { .. } => {
            desk.attempt.stage(SignInStage::Start, "");
            let pending = way.set_out().await?;
            // The session has to be made on the host that is asked for the application.
            if let Some(host) = pending.host_str().filter(|host| hosts.iter().any(|known| known == host)) {
                desk.host = host.to_owned();
            }
            Some(pending)
        }
        OktaStart::AppLink { .. } => None,
    };
    let mut restarted = false;
    let passed = loop {
        match classic::sign_in(desk, &mut way.okta, None).await {
            Ok(passed) => break Some(passed),
            Err(Stop::Expired(_)) if !restarted => restarted = true,
            // Some organizations have this door closed and let users in on the page only.
            Err(Stop::PasswordUnchecked(_)) if pipeline == Pipeline::IdentityEngine => break None,
            Err(stop) => return Err(stop.into()),
        }
    };
    let mut traveller = Traveller { desk, way, pipeline, pending, link: None, restarted };
    let landed = match (passed, &strategy.start) {
        (Some(passed), OktaStart::Application { .. }) => traveller.back_with(passed).await?,
        (Some(passed), OktaStart::AppLink { .. }) => {
            traveller.take_session(passed).await?;
            traveller.by_link().await?
        }
        (None, OktaStart::Application { .. }) => {
            traveller.desk.attempt.stage(SignInStage::Application, "");
            traveller.way.resume().await?
        }
        (None, OktaStart::AppLink { field, .. }) => {
            let given = field.as_deref().is_some_and(|field| !traveller.desk.attempt.input(field).is_empty());
            if !given {
                traveller.sign_in_on_dashboard().await?;
            }
            traveller.by_link().await?
        }
    };
    traveller.answer_all(landed).await
}

/// Who is on the way to the application.
struct Traveller<'t, 'd, 'w> {
    desk: &'t mut Desk<'d>,
    way: &'t mut Way<'w>,
    pipeline: Pipeline,
    /// The request that the application sent us to Okta with.
    pending: Option<Url>,
    /// The application's link on the dashboard.
    link: Option<Url>,
    /// Whether a transaction that ended too early was begun anew already.
    restarted: bool,
}

impl Traveller<'_, '_, '_> {
    /// Makes a session of what the user passed with, and goes on with what the application had asked for.
    async fn back_with(&mut self, passed: Passed) -> Result<Landed, ConnectError> {
        self.desk.attempt.stage(SignInStage::Application, "");
        let then = match &self.pending {
            Some(pending) => pending.clone(),
            None => address(&self.desk.host, "/")?,
        };
        let url = self.session_address(passed, &then)?;
        self.desk.has_session = true;
        self.way.follow(url).await
    }

    /// Makes a session of what the user passed with, and goes nowhere.
    async fn take_session(&mut self, passed: Passed) -> Result<(), ConnectError> {
        let home = address(&self.desk.host, "/app/UserHome")?;
        let url = self.session_address(passed, &home)?;
        self.establish(url).await
    }

    /// Where a session comes of it. <https://developer.okta.com/docs/guides/session-cookie/main/>
    fn session_address(&self, passed: Passed, then: &Url) -> Result<Url, ConnectError> {
        match passed {
            Passed::Onward(url) => Ok(url),
            Passed::Token(token) => {
                let mut url = address(&self.desk.host, "/login/sessionCookieRedirect")?;
                url.query_pairs_mut().append_pair("token", token.expose_secret()).append_pair("redirectUrl", then.as_str());
                Ok(url)
            }
        }
    }

    /// Asks an address that sets the cookies of a session; where it would send us next does not matter.
    async fn establish(&mut self, url: Url) -> Result<(), ConnectError> {
        self.desk.has_session = true;
        let at = url.clone();
        let answer = self
            .way
            .okta
            .send(Hop {
                method: Method::Get,
                path_template: path_template(&url),
                url,
                accept: "text/html,application/xhtml+xml",
                body: Body::Nothing,
                from: None,
            })
            .await?;
        let jar = self.way.okta.jar();
        if answer.status < 400 && (jar.value(&at, "sid").is_some() || jar.value(&at, "idx").is_some()) {
            return Ok(());
        }
        Err(End::NoSession.at(SignInStage::Application).into())
    }

    async fn by_link(&mut self) -> Result<Landed, ConnectError> {
        self.desk.attempt.stage(SignInStage::Application, "");
        let link = match &self.link {
            Some(link) => link.clone(),
            None => self.way.app_link().await?,
        };
        self.link = Some(link.clone());
        self.way.follow(link).await
    }

    /// Signs in on the page that the dashboard shows to whoever is not, for a session by which the application's link can be
    /// found.
    async fn sign_in_on_dashboard(&mut self) -> Result<(), ConnectError> {
        let dashboard = address(&self.desk.host, "/")?;
        match self.way.follow(dashboard).await? {
            Landed::Asks { page, state_token } => {
                match identity_engine::sign_in(self.desk, &mut self.way.okta, &page, &state_token).await {
                    Ok(url) => self.establish(url).await,
                    Err(stop) => Err(stop.into()),
                }
            }
            Landed::Arrived => Ok(()),
        }
    }

    /// Answers what Okta asks on the way, until the application is reached.
    async fn answer_all(&mut self, mut landed: Landed) -> Result<(), ConnectError> {
        for _ in 0..=MOST_QUESTIONS {
            let Landed::Asks { page, state_token } = landed else { return Ok(()) };
            let answered = match self.pipeline {
                Pipeline::IdentityEngine => identity_engine::sign_in(self.desk, &mut self.way.okta, &page, &state_token).await,
                Pipeline::Classic => self.step_up(&state_token).await,
            };
            landed = match answered {
                Ok(url) => {
                    self.desk.has_session = true;
                    self.desk.attempt.stage(SignInStage::Application, "");
                    self.way.follow(url).await?
                }
                Err(Stop::Expired(_)) if !self.restarted => {
                    self.restarted = true;
                    if self.pending.is_some() { self.way.resume().await? } else { self.by_link().await? }
                }
                Err(stop) => return Err(stop.into()),
            };
        }
        match landed {
            Landed::Arrived => Ok(()),
            Landed::Asks { .. } => Err(End::Loop.at(SignInStage::Application).into()),
        }
    }

    async fn step_up(&mut self, token: &SecretString) -> Result<Url, Stop> {
        let passed = classic::sign_in(self.desk, &mut self.way.okta, Some(token)).await?;
        let then = match (&self.pending, &self.link) {
            (Some(url), _) | (None, Some(url)) => url.clone(),
            (None, None) => address(&self.desk.host, "/")?,
        };
        Ok(self.session_address(passed, &then)?)
    }
}

/// Waits until nobody else signs this user in, and says so once that takes longer than a moment.
async fn turn(attempt: &Attempt<'_>, account: &str) -> Result<Box<dyn Send>, ConnectError> {
    let mut entering = attempt.ledger.enter(account);
    if let Ok(entered) = tokio::time::timeout(MOMENT, &mut entering).await {
        return Ok(entered?);
    }
    attempt.stage(SignInStage::Turn, "");
    let patience = attempt.wire.limits().patience;
    match tokio::time::timeout(patience, entering).await {
        Ok(entered) => Ok(entered?),
        Err(_) => Err(ConnectError::SignInFailed {
            stage: SignInStage::Turn,
            code: "E-OKTA-TURN",
            kind: CauseKind::InputIncomplete,
            sentence: format!(
                "Another sign-in of this Okta user has been going on for {} seconds on this computer. Nothing was sent.",
                patience.as_secs()
            ),
            remedy: "Wait until the other instance of this user is done, or cancel it; then try again.".to_owned(),
            reference: None,
        }),
    }
}

/// Closes the session at Okta, at each of its hosts that began one. The application's own stays; that this one could not be
/// closed stands in the request log. <https://developer.okta.com/docs/reference/api/sessions/#close-session>
async fn sign_out(desk: &Desk<'_>, okta: &mut Party<'_>, hosts: &[String]) {
    let closing = async {
        for host in hosts {
            let Ok(url) = address(host, "/api/v1/sessions/me") else { continue };
            if ["sid", "idx"].iter().all(|name| okta.jar().value(&url, name).is_none()) {
                continue;
            }
            desk.attempt.stage(SignInStage::SignOut, host);
            let hop = Hop {
                method: Method::Delete,
                path_template: path_template(&url),
                url,
                accept: "application/json",
                body: Body::Nothing,
                from: None,
            };
            match okta.close(hop).await {
                Ok(answer) if answer.status < 300 || answer.status == 404 => {}
                Ok(answer) => tracing::warn!(status = answer.status, "the session at Okta could not be closed"),
                Err(error) => tracing::warn!(code = error.code(), "the session at Okta could not be closed"),
            }
        }
    };
    if tokio::time::timeout(FAREWELL, closing).await.is_err() {
        tracing::warn!("the session at Okta could not be closed in time");
    }
}
