//! The Identity Engine's API: pages of forms, answered by their names and keys and never by their labels, which are
//! translated. What a form fixes is sent back as it came; only what this program knows how to fill is filled.
//! <https://github.com/okta/okta-auth-js/tree/master/lib/idx>, examples
//! <https://github.com/okta/okta-signin-widget/tree/master/playground/mocks/data/idp/idx>
//!
//! No form is answered that sends a message, rings or pushes, and none that enrols, recovers or changes a password.

use super::{
    address,
    desk::{Ask, Desk, Reply, Stop, link},
    problem::{End, MessageKey, Problem},
};
use crate::{SignInStage, hop::Party};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

const ION: &str = "application/ion+json; okta-version=1.0.0";
const JSON: &str = "application/json";
/// Where forms are answered.
const API: [&str; 1] = ["/idp/idx/"];
/// The most pages of one sign-in: the longest sensible one has nine.
const MOST_PAGES: u32 = 14;
/// How often an authenticator is chosen: each of two once, and one to spare.
const MOST_SELECTIONS: u32 = 3;
/// How often something optional is passed over.
const MOST_SKIPS: u32 = 3;

/// The names of forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormName {
    Identify,
    SelectIdentify,
    SelectAuthenticator,
    AuthenticatorData,
    Challenge,
    ChallengePoll,
    KeepMeSignedIn,
    Skip,
    SuccessRedirect,
    FailureRedirect,
    Enroll,
    PasswordExpired,
    PasswordExpiring,
    PasswordReset,
    Recovery,
    Consent,
    DeviceChallenge,
    OtherProvider,
    Unlock,
    Cancel,
    Unknown,
}

impl FormName {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "identify" => Self::Identify,
            "select-identify" => Self::SelectIdentify,
            "select-authenticator-authenticate" => Self::SelectAuthenticator,
            "authenticator-verification-data" => Self::AuthenticatorData,
            "challenge-authenticator" => Self::Challenge,
            "challenge-poll" => Self::ChallengePoll,
            "keep-me-signed-in" => Self::KeepMeSignedIn,
            "skip" => Self::Skip,
            "success-redirect" => Self::SuccessRedirect,
            "failure-redirect" => Self::FailureRedirect,
            "select-authenticator-enroll"
            | "authenticator-enrollment-data"
            | "enroll-authenticator"
            | "enroll-poll"
            | "enroll-profile"
            | "select-enroll-profile"
            | "select-enrollment-channel"
            | "enrollment-channel-data" => Self::Enroll,
            "reenroll-authenticator" | "reenroll-custom-password-expiry" => Self::PasswordExpired,
            "reenroll-authenticator-warning" | "reenroll-custom-password-expiry-warning" => Self::PasswordExpiring,
            "reset-authenticator" => Self::PasswordReset,
            "identify-recovery" | "select-authenticator-recovery" | "currentAuthenticator-recover" => Self::Recovery,
            "consent" | "admin-consent" | "granular-consent" | "email-challenge-consent" => Self::Consent,
            "device-challenge-poll" | "launch-authenticator" | "device-apple-sso-extension" | "device-assurance-grace-period" => {
                Self::DeviceChallenge
            }
            "redirect-idp" | "piv-idp" => Self::OtherProvider,
            "unlock-account" | "select-authenticator-unlock-account" => Self::Unlock,
            "cancel" => Self::Cancel,
            _ => Self::Unknown,
        }
    }

    /// What it comes to when it is what Okta asks and nothing else on the page helps.
    pub(super) fn end(self) -> End {
        match self {
            Self::Identify | Self::SelectIdentify | Self::KeepMeSignedIn | Self::Skip => End::Loop,
            Self::SelectAuthenticator | Self::AuthenticatorData | Self::Challenge | Self::ChallengePoll => End::NoCodeFactor,
            Self::SuccessRedirect | Self::Cancel => End::Incomplete,
            Self::FailureRedirect => End::NotAssigned,
            Self::Enroll => End::EnrollmentWanted,
            Self::PasswordExpired | Self::PasswordExpiring => End::PasswordExpired,
            Self::PasswordReset => End::PasswordReset,
            Self::Recovery => End::Recovery,
            Self::Consent => End::ConsentWanted,
            Self::DeviceChallenge => End::DeviceWanted,
            Self::OtherProvider => End::OtherProvider,
            Self::Unlock => End::LockedOut,
            Self::Unknown => End::UnknownForm,
        }
    }

    /// Forms that stand beside others as a way out for the user, and are not what Okta asks.
    fn is_aside(self) -> bool {
        matches!(self, Self::Recovery | Self::Unlock | Self::Cancel | Self::OtherProvider) || self == Self::Enroll
    }
}

/// Signs in on a page of the organization that named this state token. Answers the address that completes the sign-in.
pub(super) async fn sign_in(desk: &mut Desk<'_>, okta: &mut Party<'_>, page: &Url, state_token: &SecretString) -> Result<Url, Stop> {
    let mut cancel = None;
    let outcome = walk(desk, okta, page, state_token, &mut cancel).await;
    if let (Err(_), Some(form)) = (&outcome, cancel) {
        let Filled { url, accept, body } = form;
        desk.farewell(okta, Ask { stage: SignInStage::Password, url, accept, post: Some((body, JSON)) }).await;
    }
    outcome
}

/// A form with its answer.
struct Filled {
    url: Url,
    accept: &'static str,
    body: Value,
}

/// How often each kind of page was answered in this sign-in.
#[derive(Default)]
struct Answered {
    identified: u32,
    kept_out: u32,
    selected: u32,
    skipped: u32,
    probes: u32,
}

/// A kind of page whose answer holds nothing secret.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Identify,
    KeepMeSignedIn,
    Select,
    Skip,
    Probe,
}

impl Answered {
    fn count(&mut self, kind: Kind) {
        *match kind {
            Kind::Identify => &mut self.identified,
            Kind::KeepMeSignedIn => &mut self.kept_out,
            Kind::Select => &mut self.selected,
            Kind::Skip => &mut self.skipped,
            Kind::Probe => &mut self.probes,
        } += 1;
    }
}

/// What a page is answered with.
enum Step {
    Complete(Url),
    Plain(Filled, SignInStage, Kind),
    /// The password is put into the form.
    Password(FormName),
    /// A code is put into the form.
    Code,
}

async fn walk(
    desk: &mut Desk<'_>,
    okta: &mut Party<'_>,
    page: &Url,
    state_token: &SecretString,
    cancel: &mut Option<Filled>,
) -> Result<Url, Stop> {
    let host = page.host_str().filter(|host| okta.jar().holds(host)).map_or_else(|| desk.host.clone(), str::to_owned);
    let url = address(&host, "/idp/idx/introspect")?;
    let mut reply = loop {
        let post = Some((json!({ "stateToken": state_token.expose_secret() }), ION));
        let reply = desk.ask(okta, Ask { stage: SignInStage::Application, url: url.clone(), accept: ION, post }).await?;
        if !desk.wait_out(&reply).await? {
            break reply;
        }
    };
    let mut answered = Answered::default();
    let mut password_sent = false;
    for _ in 0..MOST_PAGES {
        let page = Page::of(reply)?;
        if let Some(form) = page.cancel_form(okta) {
            *cancel = Some(form);
        }
        page.refuse_if_told(desk)?;
        reply = loop {
            let step = page.step(desk, okta, &answered)?;
            // Whoever is asked for something else has got past the password.
            if password_sent && !matches!(step, Step::Password(_)) {
                desk.password.was_accepted();
            }
            password_sent = false;
            let (reply, kind) = match step {
                Step::Complete(url) => return Ok(url),
                Step::Plain(filled, stage, kind) => (send(desk, okta, filled, stage).await?, Some(kind)),
                Step::Password(name) => {
                    let stage = SignInStage::Password;
                    let password = desk.password(stage)?;
                    let user = desk.user.clone();
                    let filled = page.fill(okta, name, stage, &|field| match field {
                        "identifier" => Some(user.clone().into()),
                        "credentials.passcode" => Some(password.expose_secret().into()),
                        "rememberMe" => Some(false.into()),
                        _ => None,
                    })?;
                    password_sent = true;
                    (send(desk, okta, filled, stage).await?, (name == FormName::Identify).then_some(Kind::Identify))
                }
                Step::Code => {
                    let stage = SignInStage::OneTimeCode;
                    let code = desk.code().await?;
                    let filled = page.fill(okta, FormName::Challenge, stage, &|field| match field {
                        "credentials.passcode" | "credentials.totp" => Some(code.expose_secret().into()),
                        _ => None,
                    })?;
                    (send(desk, okta, filled, stage).await?, None)
                }
            };
            if !desk.wait_out(&reply).await? {
                if let Some(kind) = kind {
                    answered.count(kind);
                }
                break reply;
            }
            if password_sent {
                desk.password.was_not_looked_at();
                password_sent = false;
            }
        };
    }
    Err(End::Loop.at(SignInStage::Application).into())
}

async fn send(desk: &mut Desk<'_>, okta: &mut Party<'_>, filled: Filled, stage: SignInStage) -> Result<Reply, Stop> {
    let Filled { url, accept, body } = filled;
    Ok(desk.ask(okta, Ask { stage, url, accept, post: Some((body, JSON)) }).await?)
}

/// One answer of the engine.
struct Page {
    stage: SignInStage,
    status: u16,
    body: Value,
}

impl Page {
    /// The body counts before the status: errors of the engine are pages that can be answered.
    fn of(reply: Reply) -> Result<Self, Stop> {
        let is_page = reply.body.as_ref().is_some_and(|body| {
            ["remediation", "messages", "success", "successWithInteractionCode", "failure"].iter().any(|member| body.get(member).is_some())
        });
        if !is_page || reply.error_code().is_some() {
            return Err(reply.problem().into());
        }
        let stage = reply.stage;
        let status = reply.status;
        match reply.body {
            Some(body) if status < 500 => Ok(Self { stage, status, body }),
            Some(_) | None => Err(End::VendorFault.at(stage).named(&status.to_string()).into()),
        }
    }

    fn end(&self, end: End) -> Stop {
        end.at(self.stage).into()
    }

    fn forms(&self) -> impl Iterator<Item = (FormName, &Value)> {
        let forms = self.body.pointer("/remediation/value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        forms.iter().map(|form| (FormName::of(form.get("name").and_then(Value::as_str).unwrap_or_default()), form))
    }

    fn form(&self, name: FormName) -> Option<&Value> {
        self.forms().find(|(known, _)| *known == name).map(|(_, form)| form)
    }

    /// What a JSONPath of the answers' own kind points at: `$.authenticatorEnrollments.value[8]`, `authenticatorChallenge`.
    fn related(&self, path: &str) -> Option<&Value> {
        let mut at = &self.body;
        for part in path.strip_prefix("$.").unwrap_or(path).split('.') {
            let (name, index) = match part.split_once('[') {
                Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse::<usize>().ok()?)),
                None => (part, None),
            };
            at = at.get(name)?;
            if let Some(index) = index {
                at = at.get(index)?;
            }
        }
        // What is not a list keeps what it is in `value`.
        Some(at.get("value").filter(|value| value.is_object()).unwrap_or(at))
    }

    fn relation<'p>(&'p self, of: &Value) -> Option<&'p Value> {
        let paths = of.get("relatesTo")?;
        let path = paths.as_str().or_else(|| paths.get(0).and_then(Value::as_str))?;
        self.related(path)
    }

    /// The authenticator that a form is about.
    fn authenticator(&self, form: &Value) -> Option<&Value> {
        self.relation(form)
            .filter(|related| related.get("key").is_some())
            .or_else(|| self.related("currentAuthenticatorEnrollment"))
            .or_else(|| self.related("currentAuthenticator"))
    }

    /// The form by which the whole sign-in is cancelled.
    fn cancel_form(&self, okta: &Party<'_>) -> Option<Filled> {
        filled(okta, self.body.get("cancel")?, self.stage, &|_| None).ok()
    }

    /// Ends where the engine tells of an error, unless a code was refused and another one may be tried.
    fn refuse_if_told(&self, desk: &mut Desk<'_>) -> Result<(), Stop> {
        if self.body.get("captcha").is_some() {
            return Err(self.end(End::Captcha));
        }
        let own = self.body.get("messages");
        let in_forms = self.forms().filter_map(|(_, form)| form.get("value")).flat_map(messages_within);
        let mut refusals = own
            .into_iter()
            .chain(in_forms)
            .filter_map(|messages| messages.get("value")?.as_array())
            .flatten()
            .filter(|message| message.get("class").and_then(Value::as_str) == Some("ERROR"));
        let Some(message) = refusals.next() else {
            if self.body.get("failure").is_some() || self.form(FormName::FailureRedirect).is_some() {
                return Err(self.end(End::NotAssigned));
            }
            return Ok(());
        };
        let key = message.pointer("/i18n/key").and_then(Value::as_str).unwrap_or_default();
        let known = MessageKey::of(key);
        let end = known.end();
        let answerable = self.form(FormName::Challenge).is_some_and(|form| self.takes_code(form));
        if answerable && desk.may_try_another_code(end) {
            return Ok(());
        }
        let named = if known == MessageKey::Unknown && !key.is_empty() { key.replace('.', "-") } else { self.status.to_string() };
        let remark = desk.clock_remark().filter(|_| end == End::CodeRefused);
        Err(end.at(self.stage).named(&named).remarking(remark).into())
    }

    /// What to do about this page.
    fn step(&self, desk: &Desk<'_>, okta: &Party<'_>, answered: &Answered) -> Result<Step, Stop> {
        let redirect = self.body.get("success").or_else(|| self.form(FormName::SuccessRedirect));
        if let Some(redirect) = redirect {
            return Ok(Step::Complete(link(okta, redirect.get("href"), &["/"], self.stage)?));
        }
        if self.body.get("successWithInteractionCode").is_some() {
            return Err(self.end(End::InteractionCode));
        }
        let plain = |name, stage, kind, give: &dyn Fn(&str) -> Option<Value>| -> Result<Step, Stop> {
            Ok(Step::Plain(self.fill(okta, name, stage, give)?, stage, kind))
        };
        if let Some(form) = self.form(FormName::Challenge) {
            if self.takes_password(form) {
                return Ok(Step::Password(FormName::Challenge));
            }
            if self.takes_code(form) {
                return Ok(Step::Code);
            }
        }
        if self.form(FormName::KeepMeSignedIn).is_some() && answered.kept_out == 0 {
            let give = |field: &str| (field == "keepMeSignedIn").then(|| false.into());
            return plain(FormName::KeepMeSignedIn, self.stage, Kind::KeepMeSignedIn, &give);
        }
        if let Some(form) = self.form(FormName::Identify).filter(|_| answered.identified == 0) {
            if field(form, "credentials").is_some() {
                return Ok(Step::Password(FormName::Identify));
            }
            let give = |field: &str| match field {
                "identifier" => Some(desk.user.clone().into()),
                "rememberMe" => Some(false.into()),
                _ => None,
            };
            return plain(FormName::Identify, SignInStage::Password, Kind::Identify, &give);
        }
        if answered.selected < MOST_SELECTIONS {
            if let Some(form) = self.form(FormName::AuthenticatorData)
                && let Some(inner) = field(form, "authenticator").and_then(|field| field.pointer("/form/value")).and_then(Value::as_array)
                && let Some((choice, method)) = self.authenticator(form).and_then(|authenticator| choice_of(authenticator, inner))
            {
                let give = |field: &str| (field == "authenticator.methodType").then(|| method.into());
                return plain(FormName::AuthenticatorData, choice.stage(), Kind::Select, &give);
            }
            if let Some(form) = self.form(FormName::SelectAuthenticator)
                && let Some((chosen, stage)) = self.choose(form)
            {
                let give = |field: &str| (field == "authenticator").then(|| chosen.clone());
                return plain(FormName::SelectAuthenticator, stage, Kind::Select, &give);
            }
        }
        if self.form(FormName::Skip).is_some() && answered.skipped < MOST_SKIPS {
            return plain(FormName::Skip, self.stage, Kind::Skip, &|_| None);
        }
        if let Some((_, probe)) = self.forms().find(|(name, _)| *name == FormName::DeviceChallenge)
            && answered.probes == 0
        {
            if self.form(FormName::SelectIdentify).is_some() {
                return plain(FormName::SelectIdentify, self.stage, Kind::Probe, &|_| None);
            }
            let challenge = self.relation(probe).or_else(|| self.related("authenticatorChallenge"));
            if let Some(cancel) = challenge.and_then(|challenge| challenge.get("cancel")) {
                return Ok(Step::Plain(filled(okta, cancel, self.stage, &|_| None)?, self.stage, Kind::Probe));
            }
        }
        Err(self.stuck())
    }

    /// What it is that Okta asks and that cannot be answered.
    fn stuck(&self) -> Stop {
        let asked = self.forms().find(|(name, _)| !name.is_aside()).or_else(|| self.forms().next());
        let Some((name, form)) = asked else { return End::Incomplete.at(self.stage).named(&self.status.to_string()).into() };
        let problem = name.end().at(self.stage);
        match form.get("name").and_then(Value::as_str) {
            Some(text) => problem.named(text).into(),
            None => problem.into(),
        }
    }

    fn takes_password(&self, form: &Value) -> bool {
        self.authenticator(form).and_then(|authenticator| authenticator.get("key")).and_then(Value::as_str) == Some("okta_password")
            && asks(form, "passcode")
    }

    fn takes_code(&self, form: &Value) -> bool {
        let Some(authenticator) = self.authenticator(form) else { return false };
        match authenticator.get("key").and_then(Value::as_str) {
            Some("google_otp") => asks(form, "passcode") || asks(form, "totp"),
            // The same authenticator also pushes and signs: by its field it is told apart.
            Some("okta_verify") => asks(form, "totp") || (asks(form, "passcode") && methods(authenticator).any(|method| method == "totp")),
            Some(_) | None => false,
        }
    }

    /// The authenticator to choose, as the form wants it, and the stage that it leads to.
    fn choose(&self, form: &Value) -> Option<(Value, SignInStage)> {
        let options = field(form, "authenticator")?.get("options").and_then(Value::as_array)?;
        let usable = options.iter().filter_map(|option| {
            let inner = option.pointer("/value/form/value").and_then(Value::as_array)?;
            let (choice, method) = choice_of(self.relation(option)?, inner)?;
            let chosen = answer(inner, "", &|field| (field == "methodType").then(|| method.into())).ok()?;
            Some((choice, Value::Object(chosen)))
        });
        usable.min_by_key(|(choice, _)| *choice).map(|(choice, chosen)| (chosen, choice.stage()))
    }

    fn fill(&self, okta: &Party<'_>, name: FormName, stage: SignInStage, give: &dyn Fn(&str) -> Option<Value>) -> Result<Filled, Problem> {
        match self.form(name) {
            Some(form) => filled(okta, form, stage, give),
            None => Err(End::Incomplete.at(stage)),
        }
    }
}

/// The authenticators that can be answered, the preferred one first. The key of Google Authenticator is the one that the
/// administrator can read when enrolling; the password comes last, because it is asked for by itself where it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Choice {
    Google,
    OktaVerify,
    Password,
}

impl Choice {
    fn stage(self) -> SignInStage {
        match self {
            Self::Google | Self::OktaVerify => SignInStage::OneTimeCode,
            Self::Password => SignInStage::Password,
        }
    }
}

/// Which of the usable authenticators one is, and its method, when the option offers that. A method that pushes or sends
/// is never chosen.
fn choice_of(authenticator: &Value, inner: &[Value]) -> Option<(Choice, &'static str)> {
    let (choice, method) = match authenticator.get("key").and_then(Value::as_str)? {
        "google_otp" => (Choice::Google, "otp"),
        "okta_verify" => (Choice::OktaVerify, "totp"),
        "okta_password" => (Choice::Password, "password"),
        _ => return None,
    };
    let wanted = inner.iter().find(|field| field.get("name").and_then(Value::as_str) == Some("methodType"));
    let offered = match wanted {
        Some(field) => match field.get("value").and_then(Value::as_str) {
            Some(fixed) => fixed == method,
            None => {
                let options = field.get("options").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                options.iter().any(|option| option.get("value").and_then(Value::as_str) == Some(method))
            }
        },
        // Without a method to choose there is one only.
        None => choice != Choice::OktaVerify || methods(authenticator).eq([method]),
    };
    offered.then_some((choice, method))
}

fn methods(authenticator: &Value) -> impl Iterator<Item = &str> {
    let list = authenticator.get("methods").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|method| method.get("type")?.as_str())
}

fn fields(form: &Value) -> &[Value] {
    form.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn field<'f>(form: &'f Value, name: &str) -> Option<&'f Value> {
    fields(form).iter().find(|field| field.get("name").and_then(Value::as_str) == Some(name))
}

/// Whether the credentials that a form asks for have this field.
fn asks(form: &Value, name: &str) -> bool {
    let inner = field(form, "credentials").and_then(|field| field.pointer("/form/value")).and_then(Value::as_array);
    inner.is_some_and(|inner| inner.iter().any(|field| field.get("name").and_then(Value::as_str) == Some(name)))
}

/// The messages that stand at the fields of a form.
fn messages_within(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(messages_within).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| if name == "messages" { vec![value] } else { messages_within(value) }).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    }
}

/// A form with its answer, if it is one that may be answered: posted, and to the engine's own addresses.
fn filled(okta: &Party<'_>, form: &Value, stage: SignInStage, give: &dyn Fn(&str) -> Option<Value>) -> Result<Filled, Problem> {
    let url = link(okta, form.get("href"), &API, stage)?;
    if form.get("method").and_then(Value::as_str).is_some_and(|method| method != "POST") {
        return Err(End::Incomplete.at(stage));
    }
    let body = answer(fields(form), "", give).map_err(|name| End::UnknownForm.at(stage).named(&name))?;
    Ok(Filled { url, accept: accept_of(form), body: Value::Object(body) })
}

/// The answer to fields: what is fixed as it came, what is given where it may be changed, nothing for the rest.
///
/// # Errors
/// The name of a field that is required and that nobody here can fill.
fn answer(fields: &[Value], within: &str, give: &dyn Fn(&str) -> Option<Value>) -> Result<Map<String, Value>, String> {
    let mut answer = Map::new();
    for field in fields {
        let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
        let path = format!("{within}{name}");
        let fixed = field.get("value").filter(|value| !value.is_null() && !value.is_object());
        let may_be_changed = field.get("mutable").and_then(Value::as_bool) != Some(false);
        let given = if may_be_changed || fixed.is_none() { give(&path) } else { None };
        let value = match (given, field.pointer("/form/value").and_then(Value::as_array)) {
            (Some(given), _) => Some(given),
            (None, Some(inner)) => {
                let inner = self::answer(inner, &format!("{path}."), give)?;
                (!inner.is_empty()).then_some(Value::Object(inner))
            }
            (None, None) => fixed.cloned(),
        };
        match value {
            Some(value) => {
                answer.insert(name.to_owned(), value);
            }
            None if field.get("required").and_then(Value::as_bool) == Some(true) => return Err(name.to_owned()),
            None => {}
        }
    }
    Ok(answer)
}

/// `Accept` of a form's answer: what the form names, if it is one of the kinds that are known.
fn accept_of(form: &Value) -> &'static str {
    const KNOWN: [&str; 5] = [
        "application/json; okta-version=1.0.0",
        "application/vnd.okta.v1+json",
        "application/ion+json;okta-version=1",
        "application/ion+json;okta-version=1.0.0",
        "application/json",
    ];
    let named = form.get("accepts").and_then(Value::as_str).unwrap_or_default();
    KNOWN.into_iter().find(|known| *known == named).unwrap_or(ION)
}
