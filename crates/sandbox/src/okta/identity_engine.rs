//! The Identity Engine: `/idp/idx`, forms that say what to send next.
//! <https://github.com/okta/okta-auth-js> (`lib/idx`), <https://github.com/okta/okta-signin-widget> (`playground/mocks`).

use super::{
    Organization, after,
    classic::milliseconds,
    error, json_of,
    state::{Engine, Stage, State, Transaction},
    text,
    user::{CodeRefusal, PasswordRefusal},
};
use crate::door::{Caller, DoorAnswer};
use catalog::OktaFactor;
use jiff::Timestamp;
use serde_json::{Value, json};

/// How long a state handle waits for its next request.
pub(super) const HANDLE_SECONDS: i64 = 3_600;
const ION: &str = "application/ion+json; okta-version=1.0.0";
/// What the state handle of an answer has behind the state token of the page.
const HANDLE_END: &str = "~c";

/// A message above the form.
struct Message {
    text: &'static str,
    key: &'static str,
}

const AUTHENTICATION_FAILED: Message = Message { text: "Authentication failed", key: "errors.E0000004" };
const ACCESS_DENIED: Message =
    Message { text: "You do not have permission to perform the requested action.", key: "security.access_denied" };
const SESSION_EXPIRED: Message =
    Message { text: "You have been logged out due to inactivity. Refresh or return to the sign in screen.", key: "idx.session.expired" };
const NOT_ASSIGNED: Message = Message { text: "User is not assigned to this application.", key: "idx.error.code.user_not_assigned" };
const WRONG_CODE: Message =
    Message { text: "Your code doesn't match our records. Please try again.", key: "authfactor.challenge.soft_token.invalid_passcode" };
const WRONG_OKTA_VERIFY_CODE: Message =
    Message { text: "Your code doesn't match our records. Please try again.", key: "api.authn.error.PASSCODE_INVALID" };
const USED_CODE: Message = Message {
    text: "Each code can only be used once. Please wait for a new code and try again.",
    key: "authfactor.challenge.soft_token.used_passcode",
};
const SUSPENDED: Message =
    Message { text: "Your authenticator is locked after too many tries.", key: "authfactor.challenge.suspended_factor" };

impl Organization {
    pub(super) fn identity_engine(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        if asked.method != "POST" {
            return error(405, "E0000022", "The endpoint does not support the provided HTTP method", None);
        }
        let step = asked.path.trim_start_matches("/idp/idx/");
        let kind = asked.content_type.as_deref().unwrap_or_default();
        let right_kind = if step == "introspect" { kind == ION } else { kind.starts_with("application/json") || kind == ION };
        if !right_kind {
            return error(415, "E0000021", "Bad request.  Accept and/or Content-Type headers likely do not match supported values.", None);
        }
        let Some(body) = json_of(asked) else {
            return error(400, "E0000003", "The request body was not well-formed.", None);
        };
        let token = if step == "introspect" {
            text(&body, "stateToken")
        } else {
            text(&body, "stateHandle").and_then(|handle| handle.strip_suffix(HANDLE_END))
        };
        let mut state = self.state();
        state.transactions.retain(|_, transaction| transaction.expires > caller.now);
        let known = token.and_then(|token| Some((token.to_owned(), state.transactions.get(token)?.clone())));
        // The page's cookie goes with the page's token.
        let known = known.filter(|(_, transaction)| {
            transaction.engine == Engine::Identity && transaction.browser.as_deref() == asked.cookie("JSESSIONID")
        });
        let Some((token, transaction)) = known else {
            return self.ion(caller, "", None, 401, Some(&SESSION_EXPIRED));
        };
        self.step(&mut state, caller, step, &body, token, transaction)
    }

    fn step(
        &self,
        state: &mut State,
        caller: &Caller<'_>,
        step: &str,
        body: &Value,
        token: String,
        mut transaction: Transaction,
    ) -> DoorAnswer {
        let secret = |name: &str| body.get("credentials").and_then(|credentials| text(credentials, name));
        let refused = match (step, transaction.stage) {
            ("introspect", _) => None,
            ("cancel", _) => {
                transaction = Transaction {
                    resume: transaction.resume,
                    browser: transaction.browser,
                    ..Transaction::begun(Engine::Identity, caller.now)
                };
                None
            }
            ("identify", Stage::User) => {
                let Some(login) = text(body, "identifier").filter(|login| !login.is_empty()) else { return unfit("identifier") };
                match secret("passcode") {
                    // The form of the two-step sign-in has no place for a password.
                    Some(_) if !self.options.one_step => return unfit("credentials"),
                    None if self.options.one_step => return unfit("credentials"),
                    Some(password) => self.take_password(state, caller, &mut transaction, login, password),
                    None => {
                        // Okta does not tell here whether it knows a user.
                        transaction.stage = Stage::Password;
                        transaction.known = login.eq_ignore_ascii_case(&self.login);
                        None
                    }
                }
            }
            ("challenge/answer", Stage::Password) => {
                let Some(password) = secret("passcode") else { return unfit("credentials") };
                let login = if transaction.known { self.login.clone() } else { String::new() };
                self.take_password(state, caller, &mut transaction, &login, password)
            }
            ("challenge", Stage::Choose | Stage::Factor(_)) => match self.choose(state, caller, body) {
                Some(factor) => {
                    transaction.stage = Stage::Factor(factor);
                    None
                }
                None => return unfit("authenticator"),
            },
            ("challenge/answer", Stage::Factor(factor)) => {
                let (member, wrong) = match factor {
                    OktaFactor::OktaVerify => ("totp", &WRONG_OKTA_VERIFY_CODE),
                    OktaFactor::Google | OktaFactor::Push | OktaFactor::Sms | OktaFactor::Call => ("passcode", &WRONG_CODE),
                };
                let Some(code) = secret(member) else { return unfit("credentials") };
                match self.check_code(state, caller.account, factor, code, caller.now) {
                    Ok(()) => {
                        transaction.factor = true;
                        transaction.stage = self.next_stage(&transaction, caller.account);
                        None
                    }
                    Err(CodeRefusal::Wrong) => Some((400, wrong)),
                    Err(CodeRefusal::Used) => Some((400, &USED_CODE)),
                    Err(CodeRefusal::Locked) => Some((403, &SUSPENDED)),
                }
            }
            ("skip", Stage::Warning) => {
                transaction.warned = true;
                transaction.stage = self.next_stage(&transaction, caller.account);
                None
            }
            ("keep-me-signed-in", Stage::Keep) => {
                if !body.get("keepMeSignedIn").is_some_and(Value::is_boolean) {
                    return unfit("keepMeSignedIn");
                }
                transaction.kept = true;
                transaction.stage = self.next_stage(&transaction, caller.account);
                None
            }
            _ => return error(400, "E0000001", "Api validation failed: the form is not one of this state", None),
        };
        let unassigned = transaction.stage == Stage::Done && !self.may_use_application(caller.account);
        let (status, message) = match refused {
            Some((status, message)) => (status, Some(message)),
            None if unassigned => (403, Some(&NOT_ASSIGNED)),
            None => (200, None),
        };
        if message.is_some_and(|message| message.key == ACCESS_DENIED.key) || unassigned {
            state.transactions.remove(&token);
            return self.ion(caller, &token, None, status, message);
        }
        transaction.expires = after(caller.now, HANDLE_SECONDS);
        let answer = self.ion(caller, &token, Some(&transaction), status, message);
        state.transactions.insert(token, transaction);
        answer
    }

    fn take_password(
        &self,
        state: &mut State,
        caller: &Caller<'_>,
        transaction: &mut Transaction,
        login: &str,
        password: &str,
    ) -> Option<(u16, &'static Message)> {
        match self.check_password(state, caller.account, login, password) {
            Ok(()) => {
                transaction.password = true;
                transaction.stage = self.next_stage(transaction, caller.account);
                None
            }
            // The Identity Engine words a locked account like a wrong password.
            Err(PasswordRefusal::Wrong | PasswordRefusal::Locked) => Some((401, &AUTHENTICATION_FAILED)),
            Err(PasswordRefusal::Denied) => Some((403, &ACCESS_DENIED)),
        }
    }

    /// The factor that a request chooses.
    fn choose(&self, state: &mut State, caller: &Caller<'_>, body: &Value) -> Option<OktaFactor> {
        let authenticator = body.get("authenticator")?;
        let id = text(authenticator, "id")?;
        let method = text(authenticator, "methodType");
        let offered = self.factors(caller.account);
        let of_id: Vec<OktaFactor> = offered.into_iter().filter(|factor| self.authenticator_id(*factor) == id).collect();
        let chosen = match method {
            Some(method) => of_id.iter().find(|factor| method_of(**factor) == method),
            None => of_id.first(),
        };
        let chosen = *chosen?;
        if !matches!(chosen, OktaFactor::Google | OktaFactor::OktaVerify) {
            // A real organization would have reached for somebody's phone now.
            state.messages += 1;
        }
        Some(chosen)
    }

    fn ion(
        &self,
        caller: &Caller<'_>,
        token: &str,
        transaction: Option<&Transaction>,
        status: u16,
        message: Option<&Message>,
    ) -> DoorAnswer {
        let host = &caller.asked.host;
        let handle = format!("{token}{HANDLE_END}");
        let expires = transaction.map_or(caller.now, |transaction| transaction.expires);
        let mut body = json!({"version": "1.0.0", "stateHandle": handle, "expiresAt": milliseconds(expires), "intent": "LOGIN"});
        if let Some(Message { text, key }) = message {
            body["messages"] = json!({"type": "array", "value": [{"message": text, "i18n": {"key": key}, "class": "ERROR"}]});
        }
        if let Some(transaction) = transaction {
            let form_of = |name: &str, path: &str, fields: Vec<Value>| form(host, &handle, name, path, fields);
            body["cancel"] = form(host, &handle, "cancel", "cancel", vec![]);
            body["app"] = json!({"type": "object", "value": {"name": "oidc_client", "label": self.label(), "id": self.instance_id()}});
            if transaction.password || transaction.known {
                body["user"] = json!({"type": "object", "value": {"id": self.user_id(), "identifier": self.login}});
            }
            let forms = self.forms(transaction, caller, &form_of);
            if !forms.is_empty() {
                body["remediation"] = json!({"type": "array", "value": forms});
            }
            self.authenticators(transaction, caller, &mut body);
            if transaction.stage == Stage::Done {
                let href = format!("https://{host}/login/token/redirect?stateToken={token}");
                body["success"] = json!({"rel": ["create-form"], "name": "success-redirect", "href": href});
            }
        }
        DoorAnswer::new(status, ION, body.to_string())
    }

    /// What may be sent next.
    fn forms(&self, transaction: &Transaction, caller: &Caller<'_>, form: &dyn Fn(&str, &str, Vec<Value>) -> Value) -> Vec<Value> {
        let secret = |name: &str, label: &str| {
            json!({"name": "credentials", "type": "object", "required": true,
                "form": {"value": [{"name": name, "label": label, "required": true, "secret": name == "passcode"}]}})
        };
        let related = |mut form: Value, to: &str| {
            form["relatesTo"] = json!([to]);
            form
        };
        match transaction.stage {
            Stage::User => {
                let mut fields = vec![json!({"name": "identifier", "label": "Username", "required": true})];
                if self.options.one_step {
                    fields.push(secret("passcode", "Password"));
                }
                fields.push(json!({"name": "rememberMe", "type": "boolean", "label": "Remember this device"}));
                vec![form("identify", "identify", fields)]
            }
            Stage::Password => {
                vec![related(
                    form("challenge-authenticator", "challenge/answer", vec![secret("passcode", "Password")]),
                    "$.currentAuthenticator",
                )]
            }
            Stage::Choose => vec![self.select(caller, form)],
            Stage::Factor(factor) => {
                let member = if factor == OktaFactor::OktaVerify { "totp" } else { "passcode" };
                let answer = form("challenge-authenticator", "challenge/answer", vec![secret(member, "Enter code")]);
                vec![related(answer, "$.currentAuthenticator"), self.select(caller, form)]
            }
            Stage::Enrol => vec![form("select-authenticator-enroll", "credential/enroll", vec![])],
            Stage::Expired => {
                vec![related(
                    form("reenroll-authenticator", "challenge/answer", vec![secret("passcode", "New password")]),
                    "$.currentAuthenticator",
                )]
            }
            Stage::Warning => vec![
                form("reenroll-authenticator-warning", "challenge/answer", vec![secret("passcode", "New password")]),
                form("skip", "skip", vec![]),
            ],
            Stage::Keep => {
                let keep = json!({"name": "keepMeSignedIn", "type": "boolean", "label": "Stay signed in", "required": true, "value": false, "mutable": true});
                vec![form("keep-me-signed-in", "keep-me-signed-in", vec![keep])]
            }
            Stage::Locked | Stage::Done => vec![],
        }
    }

    /// The form to choose a factor: one option for each authenticator, with its methods.
    fn select(&self, caller: &Caller<'_>, form: &dyn Fn(&str, &str, Vec<Value>) -> Value) -> Value {
        let options: Vec<Value> = self
            .enrolments(caller)
            .iter()
            .enumerate()
            .map(|(at, (first, methods))| {
                let mut fields = vec![json!({"name": "id", "required": true, "value": self.authenticator_id(*first), "mutable": false})];
                match methods.as_slice() {
                    [only] => fields.push(json!({"name": "methodType", "required": false, "value": method_of(*only), "mutable": false})),
                    several => {
                        let options: Vec<Value> = several.iter().map(|factor| json!({"label": method_of(*factor), "value": method_of(*factor)})).collect();
                        fields.push(json!({"name": "methodType", "type": "string", "required": false, "options": options}));
                    }
                }
                if matches!(first, OktaFactor::Sms | OktaFactor::Call) {
                    fields.push(json!({"name": "enrollmentId", "required": true, "value": self.factor_id(*first), "mutable": false}));
                }
                json!({"label": key_of(*first).1, "value": {"form": {"value": fields}}, "relatesTo": format!("$.authenticatorEnrollments.value[{at}]")})
            })
            .collect();
        form("select-authenticator-authenticate", "challenge", vec![json!({"name": "authenticator", "type": "object", "options": options})])
    }

    /// What the user is enrolled in, by authenticator: its first factor and all of them.
    fn enrolments(&self, caller: &Caller<'_>) -> Vec<(OktaFactor, Vec<OktaFactor>)> {
        let mut enrolments: Vec<(OktaFactor, Vec<OktaFactor>)> = Vec::new();
        for factor in self.factors(caller.account) {
            match enrolments.iter_mut().find(|(first, _)| key_of(*first) == key_of(factor)) {
                Some((_, methods)) => methods.push(factor),
                None => enrolments.push((factor, vec![factor])),
            }
        }
        enrolments
    }

    fn authenticators(&self, transaction: &Transaction, caller: &Caller<'_>, body: &mut Value) {
        let password = || json!({"type": "password", "key": "okta_password", "id": self.id("aut", "password"), "displayName": "Password", "methods": [{"type": "password"}]});
        let described = |first: OktaFactor, methods: &[OktaFactor]| {
            let (key, name, kind) = key_of(first);
            let methods: Vec<Value> = methods.iter().map(|factor| json!({"type": method_of(*factor)})).collect();
            json!({"type": kind, "key": key, "id": self.authenticator_id(first), "displayName": name, "methods": methods})
        };
        let current = match transaction.stage {
            Stage::Password | Stage::Expired | Stage::Warning => Some(password()),
            Stage::Factor(factor) => Some(described(factor, &[factor])),
            Stage::User | Stage::Choose | Stage::Enrol | Stage::Keep | Stage::Locked | Stage::Done => None,
        };
        if let Some(current) = current {
            body["currentAuthenticator"] = json!({"type": "object", "value": current});
        }
        if transaction.password {
            let enrolments = self.enrolments(caller);
            let mut listed: Vec<Value> = enrolments.iter().map(|(first, methods)| described(*first, methods)).collect();
            listed.push(password());
            body["authenticatorEnrollments"] = json!({"type": "array", "value": listed});
        }
    }

    fn authenticator_id(&self, factor: OktaFactor) -> String {
        self.id("aut", key_of(factor).0)
    }
}

/// Key, name and kind of the authenticator that a factor belongs to.
fn key_of(factor: OktaFactor) -> (&'static str, &'static str, &'static str) {
    match factor {
        OktaFactor::Google => ("google_otp", "Google Authenticator", "app"),
        OktaFactor::OktaVerify | OktaFactor::Push => ("okta_verify", "Okta Verify", "app"),
        OktaFactor::Sms | OktaFactor::Call => ("phone_number", "Phone", "phone"),
    }
}

fn method_of(factor: OktaFactor) -> &'static str {
    match factor {
        OktaFactor::Google => "otp",
        OktaFactor::OktaVerify => "totp",
        OktaFactor::Push => "push",
        OktaFactor::Sms => "sms",
        OktaFactor::Call => "voice",
    }
}

fn form(host: &str, handle: &str, name: &str, path: &str, mut fields: Vec<Value>) -> Value {
    fields.push(json!({"name": "stateHandle", "required": true, "value": handle, "visible": false, "mutable": false}));
    json!({
        "rel": ["create-form"],
        "name": name,
        "href": format!("https://{host}/idp/idx/{path}"),
        "method": "POST",
        "produces": ION,
        "value": fields,
        "accepts": "application/json; okta-version=1.0.0",
    })
}

/// A field that the form does not have, or lacks.
fn unfit(field: &str) -> DoorAnswer {
    error(400, "E0000001", &format!("Api validation failed: {field}"), Some(&format!("{field}: it does not fit the form")))
}

/// A fresh sign-in for a page.
pub(super) fn begun(now: Timestamp) -> Transaction {
    Transaction { expires: after(now, HANDLE_SECONDS), ..Transaction::begun(Engine::Identity, now) }
}
