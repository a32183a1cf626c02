//! The sign-in of people at a simulated vendor: the page in the browser, which approves by itself because nobody is there
//! (RFC 6749, section 4.1; RFC 7636), device codes (RFC 8628), and the token endpoint of both.

use crate::{
    answer::{Asked, pairs},
    desk::{Desk, Given, INTERVAL, Refused},
    door::{Caller, DoorAnswer, Knows},
    token::{Issue, Use},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use catalog::{Redirect, SecretBy};
use serde_json::json;
use std::collections::BTreeSet;
use url::Url;

/// A place of the vendor's.
pub(crate) struct Spot {
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) path: String,
}

impl Spot {
    fn is(&self, asked: &Asked) -> bool {
        self.hosts.contains(&asked.host) && asked.path == self.path
    }
}

/// What a person is asked at.
pub(crate) enum Way {
    /// A page in the browser.
    Page { authorize: Spot, redirect: Redirect, pkce: bool },
    /// A device code.
    Device { device: Spot },
}

/// Where people sign in.
pub(crate) struct Authorize {
    pub(crate) tenant: String,
    pub(crate) way: Way,
    pub(crate) token: Spot,
    pub(crate) client_id: String,
    pub(crate) secret: Option<(String, SecretBy)>,
    /// The scope that may be asked for; words divided by spaces.
    pub(crate) scope: String,
    /// A member of each token answer, and the URL that it holds.
    pub(crate) names: Option<(String, String)>,
    pub(crate) desk: Desk,
}

impl Authorize {
    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        let page = match &self.way {
            Way::Page { authorize, .. } => authorize,
            Way::Device { device } => device,
        };
        if !page.is(asked) && !self.token.is(asked) {
            return Knows::No;
        }
        let named = asked.parameter("client_id").map(str::to_owned).or_else(|| Client::of(asked).id);
        if named.as_deref() == Some(self.client_id.as_str()) { Knows::Surely } else { Knows::Perhaps }
    }

    pub(crate) fn answer(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let asked = caller.asked;
        if self.token.is(asked) {
            return Some(self.exchange(caller));
        }
        match &self.way {
            Way::Page { authorize, redirect, pkce } if authorize.is(asked) => Some(self.page(caller, redirect, *pkce)),
            Way::Device { device } if device.is(asked) => Some(self.device(caller)),
            Way::Page { .. } | Way::Device { .. } => None,
        }
    }

    /// The page. What is wrong with the client or the way back is shown on it and sent nowhere (RFC 6749, section 4.1.2.1).
    fn page(&self, caller: &Caller<'_>, wanted: &Redirect, pkce: bool) -> DoorAnswer {
        let Caller { asked, now, account, .. } = caller;
        if asked.method != "GET" {
            return shown(405, "This page is opened in a browser.");
        }
        if asked.parameter("client_id") != Some(self.client_id.as_str()) {
            return shown(400, "There is no such client.");
        }
        let back = asked.parameter("redirect_uri").and_then(|text| Some((text, Url::parse(text).ok()?)));
        let Some((redirect, mut back)) = back.filter(|(_, url)| is_registered(url, wanted)) else {
            return shown(400, "The address to come back to is not registered.");
        };
        let state = asked.parameter("state").unwrap_or_default();
        let mut answer = |pairs: &[(&str, &str)]| {
            back.query_pairs_mut().extend_pairs(pairs).append_pair("state", state);
            DoorAnswer::redirect(back.as_str())
        };
        let challenge = asked.parameter("code_challenge");
        let proof = match (pkce, challenge, asked.parameter("code_challenge_method")) {
            (true, Some(challenge), Some("S256")) => challenge.len() == 43,
            (false, None, None) => true,
            (true | false, _, _) => false,
        };
        let scope = asked.parameter("scope").unwrap_or_default();
        let error = if state.is_empty() || !proof {
            Some("invalid_request")
        } else if asked.parameter("response_type") != Some("code") {
            Some("unsupported_response_type")
        } else if !self.may_ask_for(scope) {
            Some("invalid_scope")
        } else if account.denied || account.revoked {
            Some("access_denied")
        } else {
            None
        };
        match error {
            Some(error) => answer(&[("error", error), ("error_description", "The simulated vendor refused.")]),
            None if !self.desk.options.approve => {
                shown(200, "Somebody has to approve here. A simulated page approves by itself where the tenant says approve = true.")
            }
            None => answer(&[("code", &self.desk.approve(scope, redirect, challenge, *now))]),
        }
    }

    fn may_ask_for(&self, scope: &str) -> bool {
        scope.split_whitespace().all(|word| self.scope.split_whitespace().any(|known| known == word))
    }

    fn device(&self, caller: &Caller<'_>) -> DoorAnswer {
        let Caller { asked, now, .. } = caller;
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let member = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        if asked.method != "POST" || member("client_id") != Some(self.client_id.as_str()) {
            return refuse(401, "invalid_client");
        }
        let scope = member("scope").unwrap_or_default();
        if !self.may_ask_for(scope) {
            return refuse(400, "invalid_scope");
        }
        let given = self.desk.begin_device(scope, *now);
        DoorAnswer::json(
            200,
            &json!({
                "device_code": given.device_code,
                "user_code": given.user_code,
                "verification_uri": format!("https://{}/login/device", asked.host),
                "expires_in": given.expires_in,
                "interval": INTERVAL,
            }),
        )
    }

    fn exchange(&self, caller: &Caller<'_>) -> DoorAnswer {
        let Caller { asked, now, account, .. } = caller;
        let kind = asked.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
        if asked.method != "POST" || kind.trim() != "application/x-www-form-urlencoded" {
            return refuse(400, "invalid_request");
        }
        let client = Client::of(asked);
        let proved = match &self.secret {
            None => client.secret.is_none(),
            Some((secret, by)) => client.secret.as_ref().is_some_and(|(given, how)| given == secret && how == by),
        };
        if client.id.as_deref() != Some(self.client_id.as_str()) || !proved {
            return refuse(401, "invalid_client");
        }
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let member = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let text = |wanted: &str| member(wanted).unwrap_or_default();
        let refused = |refused: Refused, is_device: bool| match refused {
            Refused::Unknown | Refused::Used => refuse(400, "invalid_grant"),
            Refused::Expired if is_device => refuse(400, "expired_token"),
            Refused::Expired => refuse(400, "invalid_grant"),
            Refused::Pending => refuse(400, "authorization_pending"),
            Refused::SlowDown => refuse(400, "slow_down"),
        };
        let (given, is_device) = match (text("grant_type"), &self.way) {
            (_, _) if account.revoked => return refuse(400, "invalid_grant"),
            ("authorization_code", Way::Page { .. }) => {
                (self.desk.redeem(text("code"), text("redirect_uri"), member("code_verifier"), account.round, *now), false)
            }
            ("urn:ietf:params:oauth:grant-type:device_code", Way::Device { .. }) if account.denied => return refuse(400, "access_denied"),
            ("urn:ietf:params:oauth:grant-type:device_code", Way::Device { .. }) => {
                (self.desk.poll_device(text("device_code"), account.round, *now), true)
            }
            ("refresh_token", _) => (self.desk.refresh(text("refresh_token"), account.round, *now), false),
            (_, Way::Page { .. } | Way::Device { .. }) => return refuse(400, "unsupported_grant_type"),
        };
        match given {
            Ok(given) => self.token(caller, given),
            Err(reason) => refused(reason, is_device),
        }
    }

    fn token(&self, caller: &Caller<'_>, given: Given) -> DoorAnswer {
        let Caller { now, account, .. } = caller;
        let scope = account.scope.clone().unwrap_or(given.scope);
        let lifetime = self.desk.options.lifetime_seconds;
        // A token that never expires does so after a year here.
        let seconds = i64::from(lifetime.unwrap_or(366 * 24 * 3600));
        let issue = Issue { purpose: Use::Access, round: account.round, of: &scope, seconds };
        let mut body = json!({
            // What never expires does not say when it does.
            "access_token": if lifetime.is_none() { issue.mint_opaque(&self.tenant, *now) } else { issue.mint(&self.tenant, *now) },
            "token_type": "bearer",
            "scope": scope,
        });
        if let Some(seconds) = lifetime {
            body["expires_in"] = json!(seconds);
        }
        if let Some(refresh) = given.refresh {
            body["refresh_token"] = json!(refresh);
        }
        if let Some((member, url)) = &self.names {
            body[member.as_str()] = json!(url);
        }
        DoorAnswer::json(200, &body)
    }
}

/// Who asks at the token endpoint, and by what.
struct Client {
    id: Option<String>,
    secret: Option<(String, SecretBy)>,
}

impl Client {
    fn of(asked: &Asked) -> Self {
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let member = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let basic = asked.authorization.as_deref().and_then(|header| header.strip_prefix("Basic ")).and_then(|text| {
            let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
            let (id, secret) = text.split_once(':')?;
            // Both are form-encoded (RFC 6749, section 2.3.1).
            let plain = |text: &str| pairs(&format!("x={text}")).into_iter().next().map(|(_, value)| value);
            Some((plain(id)?, plain(secret)?))
        });
        match basic {
            Some((id, secret)) => Self { id: Some(id), secret: Some((secret, SecretBy::Basic)) },
            None => Self { id: member("client_id"), secret: member("client_secret").map(|secret| (secret, SecretBy::Post)) },
        }
    }
}

/// Whether an address to come back to is the registered one: this computer, the path, and the port where one is fixed
/// (RFC 8252, section 7.3).
fn is_registered(url: &Url, wanted: &Redirect) -> bool {
    url.scheme() == "http"
        && url.host_str() == Some(wanted.host.as_str())
        && url.path() == wanted.path
        && url.port().is_some_and(|port| wanted.ports.is_empty() || wanted.ports.contains(&port))
        && url.query().is_none()
        && url.fragment().is_none()
}

fn refuse(status: u16, error: &str) -> DoorAnswer {
    DoorAnswer::json(status, &json!({"error": error, "error_description": "The simulated vendor refused."}))
}

fn shown(status: u16, sentence: &str) -> DoorAnswer {
    DoorAnswer::html(status, format!("<!doctype html><html lang=\"en\"><title>Sandbox</title><p>{sentence}</p></html>"))
}
