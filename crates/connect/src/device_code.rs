//! Device code (RFC 8628): the person types a short code at the vendor's page, on any device, while we ask whether that is
//! done.

use crate::{
    ConnectError, SignInStage, SignInStep,
    hop::HopAnswer,
    oauth::{self, pair},
    session::{Attempt, Signed, unless_cancelled},
    token::{self, Issued, OAuthError, Refusal, Told},
    user::{self, Asked, UserClient},
    wire::{Watcher, Wire},
};
use catalog::{CauseKind, DeviceCode, SecretBy};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;

/// How long is waited between two questions where the answer does not say (RFC 8628, section 3.2), what is added when we
/// are too fast (section 3.5), and the most.
const INTERVAL: u64 = 5;
const SLOWER: u64 = 5;
const SLOWEST: u64 = 60;
/// The longest that a code is waited for; vendors' live for 15 minutes.
const LONGEST: u64 = 1800;

/// Who gives a code and is asked whether it was typed.
pub(crate) trait Device: Sync {
    /// As sentences name it.
    fn vendor(&self) -> &str;
    /// Its host.
    fn host(&self) -> &str;
    /// Asks for a code.
    fn begin<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<HopAnswer, ConnectError>>;
    /// Asks whether it was typed.
    fn poll<'a>(
        &'a self,
        form: Vec<(String, SecretString)>,
        wire: &'a Wire,
        watcher: Watcher<'a>,
    ) -> BoxFuture<'a, Result<Told, ConnectError>>;
    /// Whether a page is the vendor's. Any other is not shown: what is typed there signs in.
    fn is_its_page(&self, host: &str) -> bool;
    /// What a refusal comes to.
    fn end(&self, refusal: &Refusal) -> ConnectError;
    /// The code of the end where nobody types the code.
    fn time_code(&self) -> &'static str;
}

/// Signs in; with what an earlier sign-in left, nobody needs to be there.
pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &DeviceCode) -> Result<Signed, ConnectError> {
    let by = SecretBy::Post;
    let client = Arc::new(UserClient::new(attempt, &strategy.token, &strategy.client_id, None, by, &strategy.scope, &None)?);
    if let Some(signed) = user::again(attempt, &client).await? {
        return Ok(signed);
    }
    let (host, url, path_template) = oauth::address(attempt, &strategy.device)?;
    let vendor =
        Vendor { client: &client, host, url, path_template, scope: &strategy.scope, name: &attempt.app.name, hosts: attempt.wire.hosts() };
    let issued = unless_cancelled(attempt.cancel, ask(attempt, &vendor)).await?;
    user::signed(&client, issued)
}

struct Vendor<'a> {
    client: &'a UserClient,
    host: String,
    url: Url,
    path_template: String,
    scope: &'a str,
    name: &'a str,
    hosts: &'a catalog::ResolvedHosts,
}

impl Device for Vendor<'_> {
    fn vendor(&self) -> &str {
        self.name
    }
    fn host(&self) -> &str {
        &self.host
    }
    fn begin<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<HopAnswer, ConnectError>> {
        let mut form = vec![pair("client_id", self.client.id())];
        if !self.scope.is_empty() {
            form.push(pair("scope", self.scope));
        }
        Box::pin(oauth::post_form(wire, watcher, self.url.clone(), form, self.path_template.clone()))
    }
    fn poll<'a>(
        &'a self,
        form: Vec<(String, SecretString)>,
        wire: &'a Wire,
        watcher: Watcher<'a>,
    ) -> BoxFuture<'a, Result<Told, ConnectError>> {
        Box::pin(self.client.token(form, wire, watcher))
    }
    fn is_its_page(&self, host: &str) -> bool {
        self.hosts.allowed.contains(host)
    }
    fn end(&self, refusal: &Refusal) -> ConnectError {
        user::end(self.name, SignInStage::Browser, Asked::Device, refusal.error, Some(refusal.status))
    }
    fn time_code(&self) -> &'static str {
        "E-OAUTH-CODE-EXPIRED"
    }
}

/// Shows a code, and asks until somebody typed it.
///
/// # Errors
/// Whatever the vendor refuses, and when nobody types it in time.
pub(crate) async fn ask(attempt: &Attempt<'_>, device: &dyn Device) -> Result<Issued, ConnectError> {
    let watch = |event| attempt.watch(event);
    let vendor = device.vendor();
    attempt.stage(SignInStage::Browser, device.host());
    let answer = device.begin(attempt.wire, &watch).await?;
    let body = answer.json().unwrap_or(Value::Null);
    let error = body.get("error").and_then(Value::as_str).map(OAuthError::read);
    match (answer.status, error) {
        (200, None) => {}
        (429, None | Some(OAuthError::Unknown)) => {
            return Err(token::rate_limited(device.host().to_owned(), &answer.headers, attempt.wire.clock().now()));
        }
        // Some vendors refuse with 200.
        (status @ (200 | 400..=499), error) => {
            return Err(device.end(&Refusal { status, error: error.unwrap_or(OAuthError::Unknown), body }));
        }
        (status, _) => {
            return Err(ConnectError::VendorError { status, sentence: format!("{vendor} gave no code to sign in with ({status}).") });
        }
    }
    let unclear = || ConnectError::NotUnderstood { sentence: format!("{vendor} gave a code to sign in with, and not as it documents.") };
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let device_code = SecretString::from(text("device_code").ok_or_else(unclear)?.to_owned());
    let user_code = text("user_code")
        .filter(|code| code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        .ok_or_else(unclear)?;
    let page = text("verification_uri").and_then(|text| page_of(text, device)).ok_or_else(unclear)?;
    let number = |name: &str| body.get(name).and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let life = number("expires_in").unwrap_or(900).min(LONGEST);
    let mut interval = number("interval").unwrap_or(INTERVAL).clamp(1, SLOWEST);

    let clock = attempt.wire.clock();
    let now = clock.now();
    let until = now.checked_add(SignedDuration::from_secs(life as i64)).unwrap_or(now);
    (attempt.events)(SignInStep::Visit { address: page.to_string(), code: Some(user_code.to_owned()), until });
    // Where no browser can be started the address is typed elsewhere, which is what this way is for.
    let _ = attempt.browser.open(&page);
    loop {
        clock.sleep(Duration::from_secs(interval)).await;
        if clock.now() >= until {
            return Err(too_late(device));
        }
        let form =
            vec![pair("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code".to_owned(), device_code.clone())];
        match device.poll(form, attempt.wire, &watch).await {
            Ok(Told::Issued(issued)) => return Ok(*issued),
            Ok(Told::Refused(refusal)) => match refusal.error {
                OAuthError::AuthorizationPending => {}
                OAuthError::SlowDown => {
                    // Some vendors say how long they want it now.
                    let told = refusal.body.get("interval").and_then(Value::as_u64).unwrap_or_default();
                    interval = (interval + SLOWER).max(told).min(SLOWEST);
                }
                OAuthError::ExpiredToken => return Err(too_late(device)),
                OAuthError::InvalidRequest
                | OAuthError::InvalidClient
                | OAuthError::InvalidGrant
                | OAuthError::UnauthorizedClient
                | OAuthError::UnsupportedGrantType
                | OAuthError::UnsupportedResponseType
                | OAuthError::InvalidScope
                | OAuthError::AccessDenied
                | OAuthError::ServerError
                | OAuthError::TemporarilyUnavailable
                | OAuthError::InvalidResource
                | OAuthError::InteractionRequired
                | OAuthError::LoginRequired
                | OAuthError::ConsentRequired
                | OAuthError::Declined
                | OAuthError::RedirectMismatch
                | OAuthError::DeviceFlowDisabled
                | OAuthError::Unknown => return Err(device.end(&refusal)),
            },
            // The user is typing; a line that is cut for a moment ends nothing (RFC 8628, section 3.5).
            Err(error) if token::may_pass(&error) => interval = (interval * 2).min(SLOWEST),
            Err(error) => return Err(error),
        }
    }
}

fn page_of(text: &str, device: &dyn Device) -> Option<Url> {
    let page = Url::parse(text).ok()?;
    let plain = page.scheme() == "https" && page.port().is_none() && page.username().is_empty() && page.password().is_none();
    (plain && device.is_its_page(page.host_str()?)).then_some(page)
}

fn too_late(device: &dyn Device) -> ConnectError {
    ConnectError::SignInFailed {
        stage: SignInStage::Browser,
        code: device.time_code(),
        kind: CauseKind::CredentialRefused,
        sentence: "The code was not entered in time.".to_owned(),
        remedy: "Connect again for a new one, and enter it on the page that is shown.".to_owned(),
        reference: None,
    }
}
