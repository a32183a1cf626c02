//! Device code (RFC 8628): the user types a short code at Microsoft's page, on any device, while we ask whether that is done.

use super::{Client, VENDOR, aadsts};
use crate::{
    ConnectError, SignInStage, SignInStep,
    oauth::pair,
    session::Attempt,
    token::{self, Issued, OAuthError, Refusal, Told},
};
use catalog::CauseKind;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// How long is waited between two questions where the answer does not say (RFC 8628, section 3.2), what is added when we
/// are too fast (section 3.5), and the most.
const INTERVAL: u64 = 5;
const SLOWER: u64 = 5;
const SLOWEST: u64 = 60;
/// The longest that a code is waited for; Microsoft's live for 15 minutes.
const LONGEST: u64 = 1800;

pub(super) async fn sign_in(attempt: &Attempt<'_>, client: &Client) -> Result<Issued, ConnectError> {
    let watch = |event| attempt.watch(event);
    attempt.stage(SignInStage::Browser, &client.tenant.host);
    let answer = client.post("devicecode", vec![pair("scope", client.scope.clone())], attempt.wire, &watch).await?;
    let body = answer.json().unwrap_or(Value::Null);
    match answer.status {
        200 => {}
        429 => return Err(token::rate_limited(client.tenant.host.clone(), &answer.headers, attempt.wire.clock().now())),
        status @ 400..=499 => {
            let error = body.get("error").and_then(Value::as_str).map_or(OAuthError::Unknown, OAuthError::read);
            return Err(aadsts::end(SignInStage::Browser, &Refusal { status, error, body }));
        }
        status => {
            return Err(ConnectError::VendorError { status, sentence: format!("{VENDOR} gave no code to sign in with ({status}).") });
        }
    }
    let unclear = || ConnectError::NotUnderstood { sentence: format!("{VENDOR} gave a code to sign in with, and not as it documents.") };
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let device_code = SecretString::from(text("device_code").ok_or_else(unclear)?.to_owned());
    let user_code = text("user_code")
        .filter(|code| code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        .ok_or_else(unclear)?;
    let page = text("verification_uri").and_then(|text| page_of(text, &client.tenant.host)).ok_or_else(unclear)?;
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
            return Err(too_late());
        }
        let form =
            vec![pair("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code".to_owned(), device_code.clone())];
        match client.token(form, attempt.wire, &watch).await {
            Ok(Told::Issued(issued)) => return Ok(*issued),
            Ok(Told::Refused(refusal)) => match refusal.error {
                OAuthError::AuthorizationPending => {}
                OAuthError::SlowDown => interval = (interval + SLOWER).min(SLOWEST),
                OAuthError::ExpiredToken => return Err(too_late()),
                OAuthError::InvalidRequest
                | OAuthError::InvalidClient
                | OAuthError::InvalidGrant
                | OAuthError::UnauthorizedClient
                | OAuthError::UnsupportedGrantType
                | OAuthError::InvalidScope
                | OAuthError::AccessDenied
                | OAuthError::ServerError
                | OAuthError::TemporarilyUnavailable
                | OAuthError::InvalidResource
                | OAuthError::InteractionRequired
                | OAuthError::LoginRequired
                | OAuthError::ConsentRequired
                | OAuthError::Declined
                | OAuthError::Unknown => return Err(aadsts::end(SignInStage::Browser, &refusal)),
            },
            // The user is typing; a line that is cut for a moment ends nothing (RFC 8628, section 3.5).
            Err(error) if token::may_pass(&error) => interval = (interval * 2).min(SLOWEST),
            Err(error) => return Err(error),
        }
    }
}

/// A page of Microsoft's. Any other is not shown: what is typed there signs in.
fn page_of(text: &str, authority: &str) -> Option<Url> {
    let page = Url::parse(text).ok()?;
    let host = page.host_str()?;
    let theirs = host == authority
        || host == "microsoft.com"
        || [".microsoft.com", ".microsoftonline.com", ".microsoftonline.us"].iter().any(|suffix| host.ends_with(suffix));
    (page.scheme() == "https" && theirs && page.port().is_none() && page.username().is_empty() && page.password().is_none()).then_some(page)
}

fn too_late() -> ConnectError {
    ConnectError::SignInFailed {
        stage: SignInStage::Browser,
        code: "E-ENTRA-CODE-EXPIRED",
        kind: CauseKind::CredentialRefused,
        sentence: "The code was not entered in time.".to_owned(),
        remedy: "Connect again for a new one, and enter it on the page that is shown.".to_owned(),
        reference: None,
    }
}
