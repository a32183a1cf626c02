//! The Classic Engine: `/api/v1/authn` and what hangs on it. <https://developer.okta.com/docs/reference/api/authn/>

use super::{
    Organization, after, error, json_of,
    state::{Engine, SessionToken, Stage, State, Transaction},
    text,
    user::{CodeRefusal, PasswordRefusal},
};
use crate::door::{Caller, DoorAnswer};
use catalog::{OktaEngine, OktaFactor};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How long a transaction waits for its next request.
pub(super) const TRANSACTION_SECONDS: i64 = 300;
/// Lifetime of a session token: <https://developer.okta.com/docs/guides/session-cookie/main/>
const SESSION_TOKEN_SECONDS: i64 = 300;

impl Organization {
    pub(super) fn classic(&self, caller: &Caller<'_>) -> DoorAnswer {
        let asked = caller.asked;
        if asked.method != "POST" {
            return error(405, "E0000022", "The endpoint does not support the provided HTTP method", None);
        }
        if self.options.engine == OktaEngine::IdentityEngine && !self.options.classic_api {
            return error(401, "E0000015", "You do not have permission to access the feature you are requesting", None);
        }
        if !asked.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json")) {
            return error(415, "E0000021", "Bad request.  Accept and/or Content-Type headers likely do not match supported values.", None);
        }
        let Some(body) = json_of(asked) else {
            return error(400, "E0000003", "The request body was not well-formed.", None);
        };
        let mut state = self.state();
        if asked.path == "/api/v1/authn" {
            return self.authenticate(&mut state, caller, &body);
        }
        let handle = text(&body, "stateToken").unwrap_or_default().to_owned();
        let Some(mut transaction) = self.classic_transaction(&mut state, &handle, caller.now) else { return expired() };
        let path = asked.path.trim_start_matches("/api/v1/authn/").to_owned();
        match path.as_str() {
            "introspect" => {}
            "cancel" => {
                state.transactions.remove(&handle);
                return DoorAnswer::json(200, &json!({}));
            }
            "previous" if matches!(transaction.stage, Stage::Factor(_)) => transaction.stage = Stage::Choose,
            "skip" if transaction.stage == Stage::Warning => {
                transaction.warned = true;
                transaction.stage = self.next_stage(&transaction, caller.account);
            }
            _ => match path.strip_prefix("factors/").and_then(|rest| rest.strip_suffix("/verify")) {
                Some(id) => match self.verify(&mut state, caller, &mut transaction, id, text(&body, "passCode")) {
                    Ok(()) => {}
                    Err(refusal) => return refusal,
                },
                None if matches!(path.as_str(), "previous" | "skip") => return not_now(),
                None => return error(404, "E0000007", "Not found: Resource not found: (Resource)", None),
            },
        }
        self.classic_answer(&mut state, caller, handle, transaction)
    }

    /// The first step, or, with a state token alone, where the transaction stands.
    fn authenticate(&self, state: &mut State, caller: &Caller<'_>, body: &Value) -> DoorAnswer {
        let given = text(body, "stateToken").map(str::to_owned);
        let known = match &given {
            Some(handle) => match self.classic_transaction(state, handle, caller.now) {
                Some(transaction) => Some(transaction),
                None => return expired(),
            },
            None => None,
        };
        let (login, password) = match (text(body, "username"), text(body, "password")) {
            (Some(login), Some(password)) => (login, password),
            (None, None) => {
                return match (given, known) {
                    (Some(handle), Some(transaction)) => self.classic_answer(state, caller, handle, transaction),
                    _ => error(
                        400,
                        "E0000001",
                        "Api validation failed: authRequest",
                        Some("The 'username' and 'password' attributes are required in this context."),
                    ),
                };
            }
            _ => {
                return error(
                    400,
                    "E0000001",
                    "Api validation failed: authRequest",
                    Some("The 'username' and 'password' attributes are required in this context."),
                );
            }
        };
        if known.as_ref().is_some_and(|transaction| transaction.stage != Stage::User) {
            return not_now();
        }
        let mut transaction = known.unwrap_or_else(|| Transaction::begun(Engine::Classic, caller.now));
        match self.check_password(state, caller.account, login, password) {
            Ok(()) => {
                transaction.password = true;
                transaction.stage = self.next_stage(&transaction, caller.account);
            }
            Err(PasswordRefusal::Locked) => transaction.stage = Stage::Locked,
            Err(PasswordRefusal::Wrong | PasswordRefusal::Denied) => return error(401, "E0000004", "Authentication failed", None),
        }
        let handle = given.unwrap_or_else(|| self.token(state, "00"));
        self.classic_answer(state, caller, handle, transaction)
    }

    fn classic_transaction(&self, state: &mut State, handle: &str, now: Timestamp) -> Option<Transaction> {
        state.transactions.retain(|_, transaction| transaction.expires > now);
        state.transactions.get(handle).filter(|transaction| transaction.engine == Engine::Classic).cloned()
    }

    fn verify(
        &self,
        state: &mut State,
        caller: &Caller<'_>,
        transaction: &mut Transaction,
        id: &str,
        code: Option<&str>,
    ) -> Result<(), DoorAnswer> {
        if !matches!(transaction.stage, Stage::Choose | Stage::Factor(_)) {
            return Err(not_now());
        }
        let Some(factor) = self.factors(caller.account).into_iter().find(|factor| self.factor_id(*factor) == id) else {
            return Err(error(404, "E0000007", &format!("Not found: Resource not found: {id} (UserFactor)"), None));
        };
        match (factor, code) {
            (OktaFactor::Google | OktaFactor::OktaVerify, Some(code)) => {
                match self.check_code(state, caller.account, factor, code, caller.now) {
                    Ok(()) => {
                        transaction.factor = true;
                        transaction.stage = self.next_stage(transaction, caller.account);
                        Ok(())
                    }
                    Err(CodeRefusal::Wrong) => Err(error(
                        403,
                        "E0000068",
                        "Invalid Passcode/Answer",
                        Some("Your passcode doesn't match our records. Please try again."),
                    )),
                    Err(CodeRefusal::Used) => Err(error(
                        403,
                        "E0000082",
                        "The passcode has already been used once.",
                        Some("Each code can only be used once. Please wait for a new code and try again."),
                    )),
                    Err(CodeRefusal::Locked) => Err(error(403, "E0000069", "User Locked", None)),
                }
            }
            (OktaFactor::Google | OktaFactor::OktaVerify, None) => {
                transaction.stage = Stage::Factor(factor);
                Ok(())
            }
            (OktaFactor::Push | OktaFactor::Sms | OktaFactor::Call, code) => {
                // A real organization would have reached for somebody's phone now.
                state.messages += u32::from(code.is_none());
                transaction.stage = Stage::Factor(factor);
                if code.is_some() { Err(error(403, "E0000068", "Invalid Passcode/Answer", None)) } else { Ok(()) }
            }
        }
    }

    /// Keeps the transaction and says where it stands.
    fn classic_answer(&self, state: &mut State, caller: &Caller<'_>, handle: String, mut transaction: Transaction) -> DoorAnswer {
        let host = &caller.asked.host;
        let link = |path: &str| json!({"href": format!("https://{host}/api/v1/authn{path}"), "hints": {"allow": ["POST"]}});
        let named = |name: &str, path: &str| {
            let mut link = link(path);
            link["name"] = name.into();
            link
        };
        transaction.expires = after(caller.now, TRANSACTION_SECONDS);
        let mut body = json!({
            "stateToken": handle,
            "expiresAt": milliseconds(transaction.expires),
            "_embedded": {},
            "_links": {"cancel": link("/cancel")},
        });
        if transaction.resume.is_some() {
            body["type"] = "SESSION_STEP_UP".into();
        }
        if transaction.password {
            body["_embedded"]["user"] = self.user_object();
        }
        let status = match transaction.stage {
            Stage::User => {
                body["_links"] = json!({"next": named("authenticate", "")});
                "UNAUTHENTICATED"
            }
            // The Classic Engine takes user and password together, and never asks to keep the user signed in.
            Stage::Password | Stage::Keep | Stage::Done => return self.classic_success(state, caller, handle, transaction, body),
            Stage::Choose => {
                let factors = self.factors(caller.account);
                body["_embedded"]["factors"] = factors.iter().map(|factor| self.factor_object(*factor, host)).collect();
                body["_embedded"]["policy"] =
                    json!({"allowRememberDevice": true, "rememberDeviceLifetimeInMinutes": 15, "rememberDeviceByDefault": false});
                "MFA_REQUIRED"
            }
            Stage::Factor(factor) => {
                body["_embedded"]["factor"] = self.factor_object(factor, host);
                body["_links"]["next"] = named("verify", &format!("/factors/{}/verify", self.factor_id(factor)));
                body["_links"]["prev"] = link("/previous");
                if matches!(factor, OktaFactor::Push) {
                    body["factorResult"] = "WAITING".into();
                }
                "MFA_CHALLENGE"
            }
            Stage::Enrol => {
                let kinds = [("token:software:totp", "GOOGLE"), ("push", "OKTA")];
                let factors = kinds.map(|(kind, provider)| json!({"factorType": kind, "provider": provider, "vendorName": provider, "status": "NOT_SETUP", "enrollment": "REQUIRED", "_links": {"enroll": link("/factors")}}));
                body["_embedded"]["factors"] = factors.into_iter().collect();
                "MFA_ENROLL"
            }
            Stage::Expired => {
                body["_links"]["next"] = named("changePassword", "/credentials/change_password");
                "PASSWORD_EXPIRED"
            }
            Stage::Warning => {
                body["_embedded"]["policy"] = json!({"expiration": {"passwordExpireDays": 3}});
                body["_links"]["next"] = named("changePassword", "/credentials/change_password");
                body["_links"]["skip"] = named("skip", "/skip");
                "PASSWORD_WARN"
            }
            Stage::Locked => {
                body["_links"]["next"] = named("unlock", "/recovery/unlock");
                "LOCKED_OUT"
            }
        };
        body["status"] = status.into();
        state.transactions.insert(handle, transaction);
        DoorAnswer::json(200, &body)
    }

    fn classic_success(
        &self,
        state: &mut State,
        caller: &Caller<'_>,
        handle: String,
        transaction: Transaction,
        mut body: Value,
    ) -> DoorAnswer {
        let host = &caller.asked.host;
        body["status"] = "SUCCESS".into();
        if transaction.resume.is_some() {
            let href = format!("https://{host}/login/step-up/redirect?stateToken={handle}");
            body["_links"] = json!({"next": {"name": "original", "href": href, "hints": {"allow": ["GET"]}}});
            state.transactions.insert(handle, transaction);
        } else {
            state.transactions.remove(&handle);
            let token = self.token(state, "20111");
            state
                .session_tokens
                .insert(token.clone(), SessionToken { factor: transaction.factor, expires: after(caller.now, SESSION_TOKEN_SECONDS) });
            body["sessionToken"] = token.into();
            for gone in ["stateToken", "_links"] {
                body.as_object_mut().map(|body| body.remove(gone));
            }
        }
        DoorAnswer::json(200, &body)
    }

    pub(super) fn user_object(&self) -> Value {
        json!({
            "id": self.user_id(),
            "passwordChanged": "2026-01-12T08:30:00.000Z",
            "profile": {"login": self.login, "firstName": "Posture", "lastName": "Reader", "locale": "en", "timeZone": "America/Los_Angeles"},
        })
    }

    fn factor_object(&self, factor: OktaFactor, host: &str) -> Value {
        let (kind, provider, profile) = match factor {
            OktaFactor::Google => ("token:software:totp", "GOOGLE", json!({"credentialId": self.login})),
            OktaFactor::OktaVerify => ("token:software:totp", "OKTA", json!({"credentialId": self.login})),
            OktaFactor::Push => ("push", "OKTA", json!({"credentialId": self.login, "deviceType": "SmartPhone_Android", "name": "Phone"})),
            OktaFactor::Sms => ("sms", "OKTA", json!({"phoneNumber": "+1 XXX-XXX-0147"})),
            OktaFactor::Call => ("call", "OKTA", json!({"phoneNumber": "+1 XXX-XXX-0147"})),
        };
        let id = self.factor_id(factor);
        let href = format!("https://{host}/api/v1/authn/factors/{id}/verify");
        json!({
            "id": id,
            "factorType": kind,
            "provider": provider,
            "vendorName": provider,
            "profile": profile,
            "_links": {"verify": {"href": href, "hints": {"allow": ["POST"]}}},
        })
    }
}

impl Transaction {
    pub(super) fn begun(engine: Engine, now: Timestamp) -> Self {
        Self {
            engine,
            stage: Stage::User,
            known: false,
            password: false,
            factor: false,
            warned: false,
            kept: false,
            resume: None,
            browser: None,
            expires: after(now, TRANSACTION_SECONDS),
        }
    }
}

fn expired() -> DoorAnswer {
    error(401, "E0000011", "Invalid token provided", None)
}

fn not_now() -> DoorAnswer {
    error(403, "E0000079", "This operation is not allowed in the current authentication state.", None)
}

/// As Okta writes times.
pub(super) fn milliseconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
