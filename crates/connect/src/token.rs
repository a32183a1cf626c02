//! Short-lived access tokens: what a token endpoint said (RFC 6749, section 5), until when a token works, and how it is
//! renewed in the middle of a scan. Who asks for one, and with what, is an [`Exchange`].

use crate::{
    Clock, ConnectError, SignInStage, answer,
    hop::HopAnswer,
    session::token_header,
    signing::{self, Held, Prover},
    transform,
    wire::{Watcher, Wire},
};
use catalog::{CauseKind, ResetIn};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::{Mutex, watch};
use url::Url;

/// How long before its end a token is renewed, so that none ends on its way.
const EARLY: SignedDuration = SignedDuration::from_secs(60);
/// A token that has less time left than this may have ended already by the vendor's clock.
const NEAR_ITS_END: SignedDuration = SignedDuration::from_mins(5);
/// How long a renewal that failed for a moment is left alone while the token still works.
const LEFT_ALONE: SignedDuration = SignedDuration::from_secs(10);
/// The largest difference of clocks that is corrected, as for one-time codes: what differs by more is some other fault.
const CORRECTED: SignedDuration = SignedDuration::from_hours(14);
/// The longest life of a token that is believed: a year. Only keeps sums within bounds.
const LONGEST: u64 = 366 * 24 * 3600;

/// Gets a token: the first one, and each that follows it.
pub(crate) trait Exchange: Send + Sync {
    /// Asks the token endpoint once.
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>>;
    /// What proves that a bound token is ours, where tokens may be bound.
    fn prover(&self) -> Option<&Prover> {
        None
    }
    /// Takes the time that the answer to a request with the token tells.
    fn heed(&self, _headers: &HeaderMap, _now: Timestamp) {}
    /// Whether the token was made for another time than the vendor's, as far as that is known now.
    fn is_off(&self) -> bool {
        false
    }
    /// What it comes to that the vendor refused the token, where there is more to say than that.
    fn refused(&self, _status: u16) -> Option<ConnectError> {
        None
    }
}

/// A token as it was issued.
pub(crate) struct Issued {
    header: HeaderValue,
    came: Timestamp,
    /// When it ends by our clock; `None` when neither the answer nor the token says.
    ends: Option<Timestamp>,
    /// The granted scope; `None` when the answer has none. Some vendors write an empty one, which says nothing.
    pub(crate) scope: Option<String>,
    /// What a token that is a JSON Web Token says of itself. Not verified.
    pub(crate) claims: Option<Map<String, Value>>,
    pub(crate) refresh: Option<SecretString>,
    /// Of a token that is bound to a key (DPoP, RFC 9449): its digest, which each proof names.
    bound: Option<String>,
}

/// What a token endpoint said.
pub(crate) enum Told {
    Issued(Box<Issued>),
    Refused(Refusal),
}

/// A refusal of a token or authorization endpoint.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: OAuthError,
    /// The whole of it; `Null` when it is not JSON.
    pub(crate) body: Value,
}

/// Refusals that speak of a proof of possession (RFC 9449, sections 5 and 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DpopRefusal {
    /// The proof has to hold a nonce of the server's.
    UseNonce,
    /// The proof is not taken.
    Invalid,
}

impl Refusal {
    /// What it says of the proof of possession, if it does.
    pub(crate) fn dpop(&self) -> Option<DpopRefusal> {
        match self.body.get("error").and_then(Value::as_str) {
            Some("use_dpop_nonce") => Some(DpopRefusal::UseNonce),
            Some("invalid_dpop_proof") => Some(DpopRefusal::Invalid),
            Some(_) | None => None,
        }
    }
}

/// The values of `error`: RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect Core section 3.1.2.6, and
/// those that Microsoft adds
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OAuthError {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    InvalidScope,
    AccessDenied,
    ServerError,
    TemporarilyUnavailable,
    InvalidResource,
    InteractionRequired,
    LoginRequired,
    ConsentRequired,
    AuthorizationPending,
    SlowDown,
    Declined,
    ExpiredToken,
    /// The address to come back to is not the registered one (GitHub,
    /// <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>).
    RedirectMismatch,
    /// GitHub, <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#error-codes-for-the-device-flow>.
    DeviceFlowDisabled,
    /// No `error`, or one that is none of these.
    Unknown,
}

impl OAuthError {
    pub(crate) fn read(text: &str) -> Self {
        match text {
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" | "incorrect_client_credentials" => Self::InvalidClient,
            "invalid_grant" | "bad_verification_code" | "incorrect_device_code" | "bad_refresh_token" => Self::InvalidGrant,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "redirect_uri_mismatch" => Self::RedirectMismatch,
            "device_flow_disabled" => Self::DeviceFlowDisabled,
            "invalid_scope" => Self::InvalidScope,
            "access_denied" => Self::AccessDenied,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "invalid_resource" => Self::InvalidResource,
            "interaction_required" => Self::InteractionRequired,
            "login_required" => Self::LoginRequired,
            "consent_required" => Self::ConsentRequired,
            "authorization_pending" => Self::AuthorizationPending,
            "slow_down" => Self::SlowDown,
            "authorization_declined" => Self::Declined,
            "expired_token" | "code_expired" => Self::ExpiredToken,
            _ => Self::Unknown,
        }
    }
}

/// The refresh token of a token endpoint's answer, whatever else stands in it.
pub(crate) fn refresh_of(answer: &HopAnswer) -> Option<SecretString> {
    let body = (answer.status == 200).then(|| answer.json()).flatten()?;
    body.get("refresh_token").and_then(Value::as_str).filter(|text| !text.is_empty()).map(|text| SecretString::from(text.to_owned()))
}

/// Reads the answer of a token endpoint. Refusals that say nothing of the credential are errors of their own.
///
/// # Errors
/// [`ConnectError::RateLimited`], [`ConnectError::VendorError`], [`ConnectError::Redirected`], [`ConnectError::NotJson`] and
/// [`ConnectError::NotUnderstood`].
pub(crate) fn understand(vendor: &str, answer: &HopAnswer, clock: &dyn Clock) -> Result<Told, ConnectError> {
    understand_bound(vendor, answer, clock, false)
}

/// The same where a token may be bound to a key that was proved (RFC 9449, section 5).
///
/// # Errors
/// As for [`understand`].
pub(crate) fn understand_bound(vendor: &str, answer: &HopAnswer, clock: &dyn Clock, proved: bool) -> Result<Told, ConnectError> {
    let host = answer.url.host_str().unwrap_or_default().to_owned();
    let now = clock.now();
    match answer.status {
        200 => match answer.json() {
            // Some vendors refuse with 200 (GitHub, Slack).
            Some(Value::Object(body)) if !body.contains_key("access_token") && body.get("error").is_some_and(Value::is_string) => {
                let error = body.get("error").and_then(Value::as_str).map_or(OAuthError::Unknown, OAuthError::read);
                Ok(Told::Refused(Refusal { status: 200, error, body: Value::Object(body) }))
            }
            Some(Value::Object(body)) => issued(vendor, &body, &answer.headers, now, proved).map(|issued| Told::Issued(Box::new(issued))),
            Some(_) | None => Err(ConnectError::NotJson { host, what: "something other than a token" }),
        },
        300..=399 => Err(ConnectError::Redirected { host, status: answer.status }),
        400..=499 => {
            let body = answer.json().unwrap_or(Value::Null);
            let error = body.get("error").and_then(Value::as_str).map_or(OAuthError::Unknown, OAuthError::read);
            if answer.status == 429 && error == OAuthError::Unknown {
                return Err(rate_limited(host, &answer.headers, now));
            }
            Ok(Told::Refused(Refusal { status: answer.status, error, body }))
        }
        503 if answer.headers.contains_key(RETRY_AFTER) => Err(rate_limited(host, &answer.headers, now)),
        500..=599 => Err(ConnectError::VendorError {
            status: answer.status,
            sentence: format!("{vendor} answered with an error of its own ({}) when a token was asked for.", answer.status),
        }),
        status => Err(ConnectError::NotUnderstood { sentence: format!("{vendor} answered without a token ({status}).") }),
    }
}

pub(crate) fn rate_limited(host: String, headers: &HeaderMap, now: Timestamp) -> ConnectError {
    rate_limited_until(host, headers, None, now)
}

/// The same where a header tells when the limit is whole again.
pub(crate) fn rate_limited_until(host: String, headers: &HeaderMap, reset: Option<(&str, ResetIn)>, now: Timestamp) -> ConnectError {
    // A minute where the vendor does not say.
    let wait = answer::asks_to_wait(headers, reset, now).unwrap_or(Duration::from_secs(60)).min(Duration::from_secs(LONGEST));
    let until = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(now);
    ConnectError::RateLimited { host, until: until.round(jiff::Unit::Second).unwrap_or(until) }
}

/// Whether a refusal says how long it holds.
pub(crate) fn asks_to_wait(headers: &HeaderMap) -> bool {
    headers.contains_key(RETRY_AFTER)
}

fn issued(vendor: &str, body: &Map<String, Value>, headers: &HeaderMap, now: Timestamp, proved: bool) -> Result<Issued, ConnectError> {
    let wrong = |what: &str| ConnectError::NotUnderstood { sentence: format!("{vendor} answered with a token that {what}.") };
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let token = text("access_token").ok_or_else(|| wrong("is empty"))?;
    let is_of = |wanted: &str| text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case(wanted));
    let bound = proved && is_of("dpop");
    if !bound && !is_of("bearer") {
        return Err(wrong("is not of the type Bearer"));
    }
    let token = SecretString::from(token.to_owned());
    let header =
        token_header(if bound { "DPoP" } else { "Bearer" }, &token).ok_or_else(|| wrong("holds a character that cannot be sent"))?;
    let claims = transform::jwt_claims(secrecy::ExposeSecret::expose_secret(&token));
    // Some vendors write the number as text.
    let seconds = body.get("expires_in").and_then(|value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()));
    let after = |seconds: u64| now.checked_add(SignedDuration::from_secs(seconds.min(LONGEST) as i64)).ok();
    // The token's own end is in the vendor's time.
    let own =
        claims.as_ref().and_then(|claims| transform::jwt_time(claims, "exp")).and_then(|end| end.checked_sub(ahead(headers, now)).ok());
    let ends = [seconds.and_then(after), own].into_iter().flatten().min();
    if ends.is_some_and(|ends| ends <= now) {
        return Err(ended_already(vendor));
    }
    Ok(Issued {
        header,
        came: now,
        ends,
        scope: body.get("scope").and_then(Value::as_str).map(str::to_owned),
        claims,
        refresh: text("refresh_token").map(|token| SecretString::from(token.to_owned())),
        bound: bound.then(|| signing::digest_of(&token)),
    })
}

fn ended_already(vendor: &str) -> ConnectError {
    ConnectError::SignInFailed {
        stage: SignInStage::Token,
        code: "E-TOKEN-ENDED",
        kind: CauseKind::NotUnderstood,
        sentence: format!("{vendor} answered with a token that has ended already."),
        remedy: "Check this computer's date and time, and connect again.".to_owned(),
        reference: None,
    }
}

/// How far the vendor's clock is ahead of ours, by the `Date` of an answer that has just come (RFC 9110, section 6.6.1).
/// Nothing when it does not say, or when it is off by more than clocks are.
pub(crate) fn ahead(headers: &HeaderMap, now: Timestamp) -> SignedDuration {
    ahead_if_told(headers, now).unwrap_or(SignedDuration::ZERO)
}

/// The same, and `None` for an answer that does not say: what an earlier one told holds on.
pub(crate) fn ahead_if_told(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let date = headers.get(DATE)?.to_str().ok().and_then(|date| httpdate::parse_http_date(date).ok())?;
    let ahead = Timestamp::try_from(date).ok()?.duration_since(now);
    Some(if ahead.abs() > CORRECTED { SignedDuration::ZERO } else { ahead })
}

/// A token that is renewed by itself. Requests that find it near its end wait for one renewal together.
pub(crate) struct Token {
    exchange: Box<dyn Exchange>,
    state: Mutex<State>,
    /// How many renewals have ended, for whoever waited while somebody else tried.
    ended: AtomicU64,
    /// Whether a refused request may renew a token: not again before some request was answered, since a vendor that refuses
    /// new tokens too would be asked for one at every request.
    may_renew_refused: AtomicBool,
    /// Whether an exchange is under way.
    exchanging: watch::Sender<bool>,
    claims: Option<Map<String, Value>>,
    scope: Option<String>,
}

struct State {
    header: HeaderValue,
    bound: Option<String>,
    ends: Option<Timestamp>,
    renew_at: Option<Timestamp>,
    /// Counts the tokens.
    generation: u64,
    /// What the last renewal failed with.
    failed: Option<ConnectError>,
    /// The credential was refused; it is not sent again in this session.
    refused: bool,
}

/// A token as one request carries it.
pub(crate) struct Carried {
    pub(crate) header: HeaderValue,
    pub(crate) generation: u64,
    /// The digest that a proof of possession has to name; `None` where the token needs none.
    pub(crate) bound: Option<String>,
}

impl Token {
    pub(crate) fn new(issued: Issued, exchange: Box<dyn Exchange>) -> Self {
        let renew_at = issued.renew_at();
        let Issued { header, bound, ends, claims, scope, .. } = issued;
        let state = State { header, bound, ends, renew_at, generation: 0, failed: None, refused: false };
        Self {
            exchange,
            state: Mutex::new(state),
            ended: AtomicU64::new(0),
            may_renew_refused: AtomicBool::new(true),
            exchanging: watch::Sender::new(false),
            claims,
            scope,
        }
    }

    /// What proves that a bound token is ours.
    pub(crate) fn prover(&self) -> Option<&Prover> {
        self.exchange.prover()
    }

    /// Takes what an answer to a request with the token tells of the vendor's time, and its nonce. Answers whether the proof
    /// that went along, if one did, held another nonce than that.
    pub(crate) fn heed(&self, url: &Url, headers: &HeaderMap, held: Option<&Held>, now: Timestamp) -> bool {
        self.exchange.heed(headers, now);
        self.prover().zip(held).is_some_and(|(prover, held)| prover.heed(url, headers, held, now))
    }

    /// What it comes to that the vendor refused the token, where there is more to say than that.
    pub(crate) fn refused(&self, status: u16) -> Option<ConnectError> {
        self.exchange.refused(status)
    }

    /// What the first token says of itself. Not verified.
    pub(crate) fn claims(&self) -> Option<&Map<String, Value>> {
        self.claims.as_ref()
    }

    /// The scope that the first token was granted, if the endpoint said.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.scope.as_deref().filter(|scope| !scope.is_empty())
    }

    /// The token to send now, renewed before where it is near its end.
    ///
    /// # Errors
    /// What the renewal failed with.
    pub(crate) async fn carry(&self, wire: &Wire, watcher: Watcher<'_>) -> Result<Carried, ConnectError> {
        self.renewed(wire, watcher, None).await
    }

    /// After a request with the token of `generation` was answered with 401: the token that is worth one more try, or `None`
    /// when there is none, because it was neither renewed meanwhile nor near its end nor made for another time, or because the
    /// token before it was renewed for the same reason and nothing was answered since.
    ///
    /// # Errors
    /// What the renewal failed with.
    pub(crate) async fn carry_again(&self, wire: &Wire, watcher: Watcher<'_>, generation: u64) -> Result<Option<Carried>, ConnectError> {
        {
            let state = self.state.lock().await;
            let now = wire.clock().now();
            let fresh = state.ends.is_some_and(|ends| ends.duration_since(now) > NEAR_ITS_END);
            if state.generation == generation {
                if fresh && !self.exchange.is_off() {
                    return Ok(None);
                }
                if !self.may_renew_refused.swap(false, Ordering::AcqRel) {
                    // What stands in the way is that no new token came, where that may pass; not the credential.
                    return state.failed.clone().filter(may_pass).map_or(Ok(None), Err);
                }
            }
        }
        self.renewed(wire, watcher, Some(generation)).await.map(Some)
    }

    /// Ends as soon as no exchange is under way. Whoever wants to leave waits for it: what is exchanged may be good for one use,
    /// and what replaces it comes with the answer.
    pub(crate) async fn settled(&self) {
        // The sender lives as long as `self`.
        let _ = self.exchanging.subscribe().wait_for(|exchanging| !exchanging).await;
    }

    /// A request with a token of this kind was answered with what was asked for.
    pub(crate) fn answered(&self) {
        self.may_renew_refused.store(true, Ordering::Release);
    }

    async fn renewed(&self, wire: &Wire, watcher: Watcher<'_>, not: Option<u64>) -> Result<Carried, ConnectError> {
        let before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = wire.clock().now();
        let must = not == Some(state.generation);
        if !must && state.renew_at.is_none_or(|at| at > now) {
            return Ok(state.carried());
        }
        let works = !must && state.ends.is_some_and(|ends| ends > now);
        let waited = self.ended.load(Ordering::Acquire) != before;
        if let Some(error) = state.failed.clone().filter(|_| state.refused || waited) {
            return if works { Ok(state.carried()) } else { Err(error) };
        }
        state.failed = None;
        let renewed = {
            let _under_way = Exchanging::begin(&self.exchanging);
            self.exchange.exchange(wire, watcher).await
        };
        self.ended.fetch_add(1, Ordering::AcqRel);
        match renewed {
            Ok(issued) => {
                state.renew_at = issued.renew_at();
                state.ends = issued.ends;
                state.header = issued.header;
                state.bound = issued.bound;
                state.generation += 1;
                Ok(state.carried())
            }
            Err(error) => {
                state.refused = !may_pass(&error);
                if !state.refused {
                    // Nobody refused the credential; the next request may try again.
                    self.may_renew_refused.store(true, Ordering::Release);
                }
                state.failed = Some(error.clone());
                if works {
                    state.renew_at = now.checked_add(LEFT_ALONE).ok();
                    return Ok(state.carried());
                }
                Err(error)
            }
        }
    }
}

/// An exchange that is under way, until it is dropped.
struct Exchanging<'t>(&'t watch::Sender<bool>);

impl<'t> Exchanging<'t> {
    fn begin(exchanging: &'t watch::Sender<bool>) -> Self {
        exchanging.send_replace(true);
        Self(exchanging)
    }
}

impl Drop for Exchanging<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

impl State {
    fn carried(&self) -> Carried {
        Carried { header: self.header.clone(), generation: self.generation, bound: self.bound.clone() }
    }
}

impl Issued {
    /// A bearer token that came in another way than from a token endpoint of OAuth, or was signed here.
    ///
    /// # Errors
    /// When it has ended, or holds what no header may.
    pub(crate) fn bearer(
        vendor: &str,
        token: SecretString,
        ends: Option<Timestamp>,
        now: Timestamp,
        scope: Option<String>,
    ) -> Result<Self, ConnectError> {
        if ends.is_some_and(|ends| ends <= now) {
            return Err(ended_already(vendor));
        }
        let header = token_header("Bearer", &token).ok_or_else(|| ConnectError::NotUnderstood {
            sentence: format!("{vendor} answered with a token that holds a character that cannot be sent."),
        })?;
        Ok(Self { header, came: now, ends, scope, claims: None, refresh: None, bound: None })
    }

    /// The token itself.
    pub(crate) fn token(&self) -> SecretString {
        let text = self.header.to_str().unwrap_or_default();
        SecretString::from(text.strip_prefix("Bearer ").unwrap_or_default().to_owned())
    }

    /// When it came.
    pub(crate) fn came(&self) -> Timestamp {
        self.came
    }

    /// When it ends by our clock; `None` when nothing says.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        self.ends
    }

    /// A token that lives for less than two minutes is used for half of its life.
    fn renew_at(&self) -> Option<Timestamp> {
        let ends = self.ends?;
        let early = EARLY.min(ends.duration_since(self.came) / 2);
        ends.checked_sub(early).ok()
    }
}

/// Whether a token endpoint that answered so may answer otherwise in a moment.
pub(crate) fn may_pass(error: &ConnectError) -> bool {
    matches!(error.kind(), CauseKind::Connectivity | CauseKind::RateLimited | CauseKind::VendorError)
}
