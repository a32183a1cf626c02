//! Authorization code with PKCE (RFC 7636, RFC 8252): the user signs in in the system browser, and the code comes back to a
//! listener on this computer.

use super::{Client, aadsts};
use crate::{
    ConnectError, SignInStage, SignInStep,
    loopback::{Listener, Returned},
    oauth::pair,
    session::Attempt,
    token::{Issued, OAuthError, Told},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::CauseKind;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn sign_in(attempt: &Attempt<'_>, client: &Client) -> Result<Issued, ConnectError> {
    let end = |code: &'static str, kind: CauseKind, sentence: &str, remedy: &str| ConnectError::SignInFailed {
        stage: SignInStage::Browser,
        code,
        kind,
        sentence: sentence.to_owned(),
        remedy: remedy.to_owned(),
        reference: None,
    };
    attempt.stage(SignInStage::Browser, &client.tenant.host);
    let (state, verifier) = (random()?, random()?);
    let listener = Listener::bind().await.map_err(|_| {
        end(
            "E-LOOPBACK",
            CauseKind::Connectivity,
            "This computer does not let the console wait for the browser's answer.",
            "Allow connections from this computer to itself, or choose another login option.",
        )
    })?;
    let redirect = listener.address();
    let mut page = client.url("authorize")?;
    page.query_pairs_mut()
        .append_pair("client_id", &client.client_id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &redirect)
        .append_pair("response_mode", "query")
        .append_pair("scope", &client.scope)
        .append_pair("state", state.expose_secret())
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret())))
        .append_pair("code_challenge_method", "S256")
        .append_pair("prompt", "select_account");
    let clock = attempt.wire.clock();
    let now = clock.now();
    let until = SignedDuration::try_from(PATIENCE).ok().and_then(|time| now.checked_add(time).ok()).unwrap_or(now);
    (attempt.events)(SignInStep::Visit { address: page.to_string(), code: None, until });
    // Where no browser can be started the address, which is shown, can be opened by hand.
    let _ = attempt.browser.open(&page);
    let returned = tokio::select! {
        biased;
        returned = listener.answer(&state) => returned,
        () = clock.sleep(PATIENCE) => {
            return Err(end(
                "E-ENTRA-BROWSER-TIME",
                CauseKind::CredentialRefused,
                "Nobody finished signing in in the browser within 5 minutes.",
                "Connect again, and sign in on the page that opens. If the page shows an error instead, its text says what to change.",
            ));
        }
    };
    let code = match returned {
        Returned::Code(code) => code,
        Returned::Refused { error, description } => return Err(aadsts::end_of_redirect(OAuthError::read(&error), &description)),
        Returned::Neither => {
            return Err(ConnectError::NotUnderstood { sentence: "The browser came back with neither a code nor a reason.".to_owned() });
        }
    };
    attempt.stage(SignInStage::Token, &client.tenant.host);
    let watch = |event| attempt.watch(event);
    let form = vec![
        pair("grant_type", "authorization_code"),
        ("code".to_owned(), code),
        pair("redirect_uri", redirect),
        ("code_verifier".to_owned(), verifier),
        pair("scope", client.scope.clone()),
    ];
    match client.token(form, attempt.wire, &watch).await? {
        Told::Issued(issued) => Ok(*issued),
        Told::Refused(refusal) => Err(aadsts::end(SignInStage::Token, &refusal)),
    }
}

/// 256 random bits in 43 letters (RFC 7636, section 4.1).
fn random() -> Result<SecretString, ConnectError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| ConnectError::SignInFailed {
        stage: SignInStage::Browser,
        code: "E-RANDOMNESS",
        kind: CauseKind::Connectivity,
        sentence: "The operating system gives no random numbers, without which signing in would not be safe.".to_owned(),
        remedy: "Start the computer again.".to_owned(),
        reference: None,
    })?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
}
