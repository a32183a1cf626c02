//! What both engines work with: what the user signs in with and how often it was used, and the one way to ask Okta's API,
//! with its pace, its bounds and the first look at an answer.

use super::problem::{End, OktaErrorCode, Problem};
use crate::{
    Clock, ConnectError, SignInStage, SignInStep, answer,
    hop::{Body, Hop, Method, Party, path_template},
    session::{Attempt, unless_cancelled},
    totp::Codes,
};
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Between two requests. Okta takes 4 a second for one user (Classic) and 10 in five seconds for one transaction (Identity
/// Engine). <https://developer.okta.com/docs/reference/rl2-limits/>
const PAUSE: Duration = Duration::from_millis(500);
/// How often one sign-in waits because Okta asks for it.
const MOST_WAITS: u32 = 2;
/// How often the password is sent, even where Okta took it the first time and asks for it again.
const MOST_PASSWORDS: u32 = 2;
/// How many one-time codes one sign-in sends: two steps with one more try each.
const MOST_CODES: u32 = 4;
/// How long closing a transaction, or the session, may take: nobody waits for it.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// Why an engine stopped.
pub(super) enum Stop {
    /// The transaction had ended before us; it can be begun anew.
    Expired(Problem),
    /// The door was closed before the password was looked at; there may be another.
    PasswordUnchecked(Problem),
    /// The end.
    End(ConnectError),
}

impl From<ConnectError> for Stop {
    fn from(error: ConnectError) -> Self {
        Self::End(error)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        if problem.end == End::StateExpired { Self::Expired(problem) } else { Self::End(problem.into()) }
    }
}

impl From<Stop> for ConnectError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Expired(problem) | Stop::PasswordUnchecked(problem) => problem.into(),
            Stop::End(error) => error,
        }
    }
}

/// The password, and what is known of the last time it was sent.
pub(super) struct Password {
    secret: SecretString,
    sent: u32,
    may_be_sent: bool,
}

impl Password {
    pub(super) fn new(secret: SecretString) -> Self {
        Self { secret, sent: 0, may_be_sent: true }
    }

    /// The password, to be sent now. Unless Okta is known to have taken it, or not to have looked at it, it is not given out
    /// again: each wrong one counts towards a lockout.
    fn take(&mut self) -> Option<SecretString> {
        if !self.may_be_sent || self.sent >= MOST_PASSWORDS {
            return None;
        }
        self.may_be_sent = false;
        self.sent += 1;
        Some(self.secret.clone())
    }

    /// Okta went on to the next step.
    pub(super) fn was_accepted(&mut self) {
        self.may_be_sent = true;
    }

    /// Whether it was sent, and Okta did not go on to the next step.
    pub(super) fn was_sent_in_vain(&self) -> bool {
        self.sent > 0 && !self.may_be_sent
    }

    /// Okta refused the request without looking at it.
    pub(super) fn was_not_looked_at(&mut self) {
        self.may_be_sent = true;
        self.sent = self.sent.saturating_sub(1);
    }
}

/// What both engines work with.
pub(super) struct Desk<'d> {
    pub(super) attempt: &'d Attempt<'d>,
    /// The host of the organization that is asked.
    pub(super) host: String,
    pub(super) user: String,
    pub(super) password: Password,
    codes: Codes<'d>,
    /// Whether Okta may hold a session of ours.
    pub(super) has_session: bool,
    codes_sent: u32,
    codes_refused: u32,
    codes_replayed: u32,
    waits: u32,
    /// Whether the next request may go at once.
    rested: bool,
}

/// A request to Okta's API.
pub(super) struct Ask {
    pub(super) stage: SignInStage,
    pub(super) url: Url,
    pub(super) accept: &'static str,
    /// The JSON to post and its content type; without it the address is read.
    pub(super) post: Option<(Value, &'static str)>,
}

impl Ask {
    fn into_hop(self) -> Hop {
        let Self { stage: _, url, accept, post } = self;
        let (method, body) = match post {
            Some((value, kind)) => (Method::Post, Body::Json(SecretString::from(value.to_string()), kind)),
            None => (Method::Get, Body::Nothing),
        };
        Hop { method, path_template: path_template(&url), url, accept, body, from: None }
    }
}

/// An answer of Okta's API, not understood yet.
pub(super) struct Reply {
    pub(super) stage: SignInStage,
    pub(super) status: u16,
    headers: HeaderMap,
    /// `None` when it is no JSON object.
    pub(super) body: Option<Value>,
}

impl Reply {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The error code that the answer names.
    pub(super) fn error_code(&self) -> Option<OktaErrorCode> {
        self.body.as_ref()?.get("errorCode")?.as_str().map(OktaErrorCode::of)
    }

    /// What an answer comes to that is not the one that was hoped for.
    pub(super) fn problem(&self) -> Problem {
        let named = self.body.as_ref().and_then(|body| body.get("errorCode")).and_then(Value::as_str);
        let problem = match self.error_code() {
            Some(OktaErrorCode::Unknown) if self.status >= 500 => End::VendorFault.at(self.stage),
            Some(code) => code.end().at(self.stage),
            None => match self.status {
                300..=399 => End::Redirected,
                403 => End::Blocked,
                429 => End::RateLimited,
                500.. => End::VendorFault,
                _ => End::NotUnderstood,
            }
            .at(self.stage),
        };
        match named.filter(|_| problem.end == End::UnknownError) {
            Some(code) => problem.named(code),
            None => problem.named(&self.status.to_string()),
        }
        .referring_to(self.body.as_ref())
    }
}

impl<'d> Desk<'d> {
    pub(super) fn new(attempt: &'d Attempt<'d>, host: String, user: String, password: Password, codes: Codes<'d>) -> Self {
        Self {
            attempt,
            host,
            user,
            password,
            codes,
            has_session: false,
            codes_sent: 0,
            codes_refused: 0,
            codes_replayed: 0,
            waits: 0,
            rested: true,
        }
    }

    fn clock(&self) -> &'d dyn Clock {
        self.attempt.wire.clock()
    }

    async fn rest(&mut self) {
        if !self.rested {
            self.clock().sleep(PAUSE).await;
            self.rested = true;
        }
    }

    /// Asks once.
    pub(super) async fn ask(&mut self, okta: &mut Party<'_>, ask: Ask) -> Result<Reply, ConnectError> {
        self.rest().await;
        self.rested = false;
        let stage = ask.stage;
        let answer = okta.send(ask.into_hop()).await?;
        self.codes.learn(&answer.headers);
        let body = answer.json().filter(Value::is_object);
        Ok(Reply { stage, status: answer.status, headers: answer.headers, body })
    }

    /// Closes a transaction on the way out. Whether that works changes nothing.
    pub(super) async fn farewell(&mut self, okta: &mut Party<'_>, ask: Ask) {
        self.rest().await;
        self.rested = false;
        let _ = tokio::time::timeout(FAREWELL, okta.close(ask.into_hop())).await;
    }

    /// Waits where Okta asks for it and says until when, and that is within patience: then the same may be asked again. `X-Rate-Limit-Reset`
    /// counts seconds since 1970. <https://developer.okta.com/docs/reference/rl-best-practices/>
    pub(super) async fn wait_out(&mut self, reply: &Reply) -> Result<bool, ConnectError> {
        if reply.status != 429 || !matches!(reply.problem().end, End::RateLimited) {
            return Ok(false);
        }
        let now = self.clock().now();
        let wait = answer::asks_to_wait(&reply.headers, Some(("x-rate-limit-reset", catalog::ResetIn::Epoch)), self.codes.their_now())
            .map(|wait| wait.max(Duration::from_secs(1)));
        match wait {
            Some(wait) if wait <= self.attempt.wire.limits().patience && self.waits < MOST_WAITS => {
                self.waits += 1;
                let until = jiff::SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(now);
                (self.attempt.events)(SignInStep::Waiting { host: self.host.clone(), until });
                let rested = async {
                    self.clock().sleep(wait).await;
                    Ok(())
                };
                unless_cancelled(self.attempt.cancel, rested).await?;
                Ok(true)
            }
            Some(_) | None => Err(reply.problem().into()),
        }
    }

    /// The password, to be sent now.
    pub(super) fn password(&mut self, stage: SignInStage) -> Result<SecretString, Problem> {
        self.attempt.stage(stage, &self.host);
        self.password.take().ok_or_else(|| End::PasswordAgain.at(stage))
    }

    /// A one-time code that was never sent, to be sent now.
    pub(super) async fn code(&mut self) -> Result<SecretString, ConnectError> {
        self.attempt.stage(SignInStage::OneTimeCode, &self.host);
        if self.codes_sent >= MOST_CODES {
            return Err(End::CodeEverUsed.at(SignInStage::OneTimeCode).into());
        }
        // Before the code is made, not while it grows old.
        self.rest().await;
        let code = unless_cancelled(self.attempt.cancel, self.codes.next()).await?;
        self.codes_sent += 1;
        Ok(code)
    }

    /// Whether one more code may be tried after this end: once after a refused one, because the clocks may be a step apart, and
    /// once after one that somebody else had used.
    pub(super) fn may_try_another_code(&mut self, end: End) -> bool {
        let count = if end == End::CodeRefused {
            &mut self.codes_refused
        } else if end == End::CodeUsed {
            &mut self.codes_replayed
        } else {
            return false;
        };
        *count += 1;
        *count == 1
    }

    /// Whether codes were made by Okta's time.
    pub(super) fn codes_are_on_time(&self) -> bool {
        self.codes.are_on_time()
    }

    /// What is known about a code that was refused for good.
    pub(super) fn clock_remark(&self) -> Option<String> {
        self.codes.clock_remark()
    }
}

/// An address that an answer names, if it is one of the organization's: https, a host of its own, and the path begins as it
/// must for what is going to be sent there.
pub(super) fn link(okta: &Party<'_>, href: Option<&Value>, paths: &[&str], stage: SignInStage) -> Result<Url, Problem> {
    let Some(href) = href.and_then(Value::as_str) else { return Err(End::Incomplete.at(stage)) };
    let Ok(url) = Url::parse(href) else { return Err(End::LinkElsewhere.at(stage)) };
    let ours = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.host_str().is_some_and(|host| okta.jar().holds(host))
        && paths.iter().any(|path| url.path().starts_with(path));
    if ours { Ok(url) } else { Err(End::LinkElsewhere.at(stage)) }
}
