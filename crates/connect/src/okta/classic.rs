//! The Classic Engine's authentication API: a transaction that is followed by the links of its answers, never by an address
//! of our own after the first. <https://developer.okta.com/docs/reference/api/authn/>
//!
//! It sends a password and a code, and passes over what is optional. It never changes a password, recovers or enrols, and never
//! opens a challenge that sends a message, rings or pushes: nothing is posted to a factor but a code to one that counts time.

use super::{
    address,
    desk::{Ask, Desk, Reply, Stop, link},
    problem::{ClassicStatus, End, FactorResult, OktaErrorCode},
};
use crate::{SignInStage, hop::Party};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

const JSON: &str = "application/json";
/// Where links of a transaction may lead.
const API: [&str; 1] = ["/api/v1/authn"];
/// Where the link of a step-up may lead.
const STEP_UP: [&str; 1] = ["/login/step-up/redirect"];
/// The most answers of one transaction: the longest sensible one has six.
const MOST_ANSWERS: u32 = 10;

/// What a transaction came to.
pub(super) enum Passed {
    /// A session token: good once, for five minutes.
    Token(SecretString),
    /// The address that completes a step-up.
    Onward(Url),
}

/// Signs in, or, with the token of a page, answers what that page asks.
pub(super) async fn sign_in(desk: &mut Desk<'_>, okta: &mut Party<'_>, page: Option<&SecretString>) -> Result<Passed, Stop> {
    let mut held = Held { state_token: page.cloned(), cancel: None, reread: false };
    let outcome = walk(desk, okta, &mut held).await;
    if outcome.is_err() {
        held.cancel(desk, okta).await;
    }
    outcome
}

/// The transaction that Okta holds for us.
struct Held {
    state_token: Option<SecretString>,
    cancel: Option<Url>,
    /// Whether it was asked where the transaction stands, because a step did not belong there.
    reread: bool,
}

impl Held {
    async fn cancel(self, desk: &mut Desk<'_>, okta: &mut Party<'_>) {
        if let (Some(token), Some(url)) = (self.state_token, self.cancel) {
            let post = Some((json!({ "stateToken": token.expose_secret() }), JSON));
            desk.farewell(okta, Ask { stage: SignInStage::Password, url, accept: JSON, post }).await;
        }
    }

    /// Where to ask how a transaction stands that a step did not fit; once, then it is begun anew.
    fn where_it_stands(&mut self, desk: &Desk<'_>, reply: &Reply) -> Result<Url, Stop> {
        if std::mem::replace(&mut self.reread, true) {
            return Err(Stop::Expired(reply.problem()));
        }
        Ok(address(&desk.host, "/api/v1/authn")?)
    }

    fn post(&self) -> Value {
        json!({ "stateToken": self.state_token.as_ref().map(ExposeSecret::expose_secret) })
    }
}

/// One answer of the transaction.
struct Transaction {
    stage: SignInStage,
    body: Value,
}

impl Transaction {
    /// Takes an answer for a transaction and holds what closes it.
    fn of(reply: Reply, okta: &Party<'_>, held: &mut Held) -> Result<Self, Stop> {
        if !reply.is_success() {
            return Err(reply.problem().into());
        }
        let stage = reply.stage;
        let Some(body) = reply.body else { return Err(End::NotUnderstood.at(stage).into()) };
        if let Some(token) = body.get("stateToken").and_then(Value::as_str) {
            held.state_token = Some(SecretString::from(token.to_owned()));
        }
        if let Ok(cancel) = link(okta, body.pointer("/_links/cancel/href"), &API, stage) {
            held.cancel = Some(cancel);
        }
        Ok(Self { stage, body })
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }

    fn status(&self) -> Option<ClassicStatus> {
        self.text("status").map(ClassicStatus::of)
    }

    fn factor_result(&self) -> Option<FactorResult> {
        self.text("factorResult").filter(|result| !result.is_empty()).map(FactorResult::of)
    }

    fn link(&self, okta: &Party<'_>, name: &str, paths: &[&str]) -> Result<Url, Stop> {
        Ok(link(okta, self.body.pointer(&format!("/_links/{name}/href")), paths, self.stage)?)
    }

    fn has_link(&self, name: &str) -> bool {
        self.body.pointer(&format!("/_links/{name}/href")).is_some()
    }

    /// The factors on offer. The list is `factors`; some documents, and answers with one open factor, say `factor`.
    fn factors(&self) -> Vec<&Value> {
        let embedded = |name: &str| self.body.get("_embedded").and_then(|embedded| embedded.get(name));
        [embedded("factors"), embedded("factor")]
            .into_iter()
            .flatten()
            .flat_map(|found| match found.as_array() {
                Some(list) => list.iter().collect(),
                None => vec![found],
            })
            .collect()
    }
}

/// How much a factor is preferred; `None` when no time-based code answers it. The key of Google Authenticator is the one that
/// the administrator can read when enrolling.
fn rank(factor: &Value) -> Option<u8> {
    let text = |member: &str| factor.get(member).and_then(Value::as_str);
    match (text("factorType")?, text("provider")?) {
        ("token:software:totp", "GOOGLE") => Some(0),
        ("token:software:totp", "OKTA") => Some(1),
        _ => None,
    }
}

async fn walk(desk: &mut Desk<'_>, okta: &mut Party<'_>, held: &mut Held) -> Result<Passed, Stop> {
    let first = address(&desk.host, "/api/v1/authn")?;
    let mut transaction = if held.state_token.is_some() {
        post(desk, okta, held, &first, SignInStage::Application).await?
    } else {
        primary(desk, okta, held, &first).await?
    };
    let mut turned_back = false;
    for _ in 0..MOST_ANSWERS {
        let stage = transaction.stage;
        let Some(status) = transaction.status() else { return Err(End::NotUnderstood.at(stage).into()) };
        let end = match status {
            ClassicStatus::Success => {
                return match transaction.text("sessionToken") {
                    Some(token) => Ok(Passed::Token(SecretString::from(token.to_owned()))),
                    None => Ok(Passed::Onward(transaction.link(okta, "next", &STEP_UP)?)),
                };
            }
            ClassicStatus::MfaRequired => {
                let Some(factor) =
                    transaction.factors().into_iter().filter(|factor| rank(factor).is_some()).min_by_key(|factor| rank(factor))
                else {
                    return Err(End::NoCodeFactor.at(stage).into());
                };
                let url = link(okta, factor.pointer("/_links/verify/href"), &API, stage)?;
                transaction = verify(desk, okta, held, &url).await?;
                continue;
            }
            ClassicStatus::MfaChallenge => {
                if let Some(end) = transaction.factor_result().and_then(FactorResult::end) {
                    return Err(end.at(stage).into());
                }
                let open = transaction.factors().first().is_some_and(|factor| rank(factor).is_some());
                let takes_code = transaction.body.pointer("/_links/next/name").and_then(Value::as_str) == Some("verify");
                transaction = if open && takes_code {
                    let url = transaction.link(okta, "next", &API)?;
                    verify(desk, okta, held, &url).await?
                } else if turned_back {
                    return Err(End::NoCodeFactor.at(stage).into());
                } else {
                    turned_back = true;
                    let url = transaction.link(okta, "prev", &API)?;
                    post(desk, okta, held, &url, stage).await?
                };
                continue;
            }
            ClassicStatus::MfaEnroll if transaction.has_link("skip") => {
                let url = transaction.link(okta, "skip", &API)?;
                transaction = post(desk, okta, held, &url, stage).await?;
                continue;
            }
            ClassicStatus::PasswordWarn => {
                tracing::warn!("the Okta user's password is about to expire");
                let url = transaction.link(okta, "skip", &API)?;
                transaction = post(desk, okta, held, &url, stage).await?;
                continue;
            }
            ClassicStatus::Unauthenticated => {
                let url = transaction.link(okta, "next", &API)?;
                transaction = primary(desk, okta, held, &url).await?;
                if transaction.status() == Some(ClassicStatus::Unauthenticated) {
                    End::Loop
                } else {
                    continue;
                }
            }
            ClassicStatus::MfaEnroll => End::EnrollmentWanted,
            ClassicStatus::MfaEnrollActivate => End::EnrollmentBegun,
            ClassicStatus::PasswordExpired => End::PasswordExpired,
            ClassicStatus::PasswordReset => End::PasswordReset,
            ClassicStatus::Recovery => End::Recovery,
            ClassicStatus::RecoveryChallenge => End::RecoveryChallenge,
            ClassicStatus::LockedOut => End::LockedOut,
            ClassicStatus::Unknown => {
                let name = transaction.text("status").unwrap_or_default();
                return Err(End::UnknownStatus.at(stage).named(name).into());
            }
        };
        return Err(end.at(stage).into());
    }
    Err(End::Loop.at(transaction.stage).into())
}

/// Sends user and password, once.
async fn primary(desk: &mut Desk<'_>, okta: &mut Party<'_>, held: &mut Held, url: &Url) -> Result<Transaction, Stop> {
    let stage = SignInStage::Password;
    loop {
        let password = desk.password(stage)?;
        let mut body = json!({
            "username": desk.user,
            "password": password.expose_secret(),
            // Without a warning there is nothing to pass over.
            "options": { "multiOptionalFactorEnroll": false, "warnBeforePasswordExpired": false },
        });
        if let (Some(token), Some(members)) = (&held.state_token, body.as_object_mut()) {
            members.insert("stateToken".to_owned(), token.expose_secret().into());
        }
        let reply = desk.ask(okta, Ask { stage, url: url.clone(), accept: JSON, post: Some((body, JSON)) }).await?;
        if desk.wait_out(&reply).await? {
            desk.password.was_not_looked_at();
            continue;
        }
        if reply.error_code().is_some_and(|code| code.leaves_password_unchecked(reply.status)) {
            desk.password.was_not_looked_at();
            return Err(Stop::PasswordUnchecked(reply.problem()));
        }
        let transaction = Transaction::of(reply, okta, held)?;
        if matches!(
            transaction.status(),
            Some(
                ClassicStatus::Success
                    | ClassicStatus::MfaRequired
                    | ClassicStatus::MfaChallenge
                    | ClassicStatus::MfaEnroll
                    | ClassicStatus::PasswordWarn
            )
        ) {
            desk.password.was_accepted();
        }
        return Ok(transaction);
    }
}

/// Posts the state token alone: to read where a transaction stands, to pass something over, to step back.
async fn post(desk: &mut Desk<'_>, okta: &mut Party<'_>, held: &mut Held, url: &Url, stage: SignInStage) -> Result<Transaction, Stop> {
    let mut url = url.clone();
    loop {
        let reply = desk.ask(okta, Ask { stage, url: url.clone(), accept: JSON, post: Some((held.post(), JSON)) }).await?;
        if desk.wait_out(&reply).await? {
            continue;
        }
        if reply.error_code() == Some(OktaErrorCode::NotInThisState) {
            url = held.where_it_stands(desk, &reply)?;
            continue;
        }
        return Transaction::of(reply, okta, held);
    }
}

/// Sends a one-time code, and one more where that is allowed.
async fn verify(desk: &mut Desk<'_>, okta: &mut Party<'_>, held: &mut Held, url: &Url) -> Result<Transaction, Stop> {
    let stage = SignInStage::OneTimeCode;
    loop {
        let code = desk.code().await?;
        let mut body = held.post();
        if let Some(members) = body.as_object_mut() {
            // Text, because of the leading zeros.
            members.insert("passCode".to_owned(), code.expose_secret().into());
        }
        let reply = desk.ask(okta, Ask { stage, url: url.clone(), accept: JSON, post: Some((body, JSON)) }).await?;
        if desk.wait_out(&reply).await? {
            continue;
        }
        if reply.error_code() == Some(OktaErrorCode::NotInThisState) {
            let url = held.where_it_stands(desk, &reply)?;
            return post(desk, okta, held, &url, stage).await;
        }
        let problem = if reply.is_success() {
            let transaction = Transaction::of(reply, okta, held)?;
            let open = transaction.status() == Some(ClassicStatus::MfaChallenge);
            match transaction.factor_result().filter(|_| open).and_then(FactorResult::end) {
                Some(end) => end.at(stage),
                None => return Ok(transaction),
            }
        } else {
            reply.problem()
        };
        if !desk.may_try_another_code(problem.end) {
            let remark = desk.clock_remark().filter(|_| problem.end == End::CodeRefused);
            return Err(problem.remarking(remark).into());
        }
    }
}
