//! Authorization code with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 8252): the person signs in at the vendor's page in the
//! system browser, and the code comes back to a listener on this computer.

use crate::{
    ConnectError, SignInStage, SignInStep,
    loopback::{Listener, Returned},
    oauth::{self, pair},
    session::{Attempt, Signed, unless_cancelled},
    token::{Issued, OAuthError, Told},
    user::{self, Asked, UserClient},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{AuthorizationCode, CauseKind, Redirect};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{io::ErrorKind, sync::Arc, time::Duration};
use url::Url;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Signs in; with what an earlier sign-in left, nobody needs to be there.
pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &AuthorizationCode) -> Result<Signed, ConnectError> {
    let client_secret = match &strategy.client_secret {
        Some(field) => Some(attempt.secret(field)?),
        None => None,
    };
    let (by, from) = (strategy.authenticate, &strategy.host_from);
    let client = Arc::new(UserClient::new(attempt, &strategy.token, &strategy.client_id, client_secret, by, &strategy.scope, from)?);
    if let Some(signed) = user::again(attempt, &client).await? {
        return Ok(signed);
    }
    let issued = unless_cancelled(attempt.cancel, in_browser(attempt, strategy, &client)).await?;
    user::signed(&client, issued)
}

async fn in_browser(attempt: &Attempt<'_>, strategy: &AuthorizationCode, client: &UserClient) -> Result<Issued, ConnectError> {
    let (host, mut page, _) = oauth::address(attempt, &strategy.authorize)?;
    {
        let mut query = page.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", client.id());
        if !strategy.scope.is_empty() {
            query.append_pair("scope", &strategy.scope);
        }
        for (name, template) in &strategy.parameters {
            query.append_pair(name, &attempt.fill(template)?);
        }
    }
    let asking = Asking { host: &host, page, redirect: &strategy.redirect, pkce: strategy.pkce, time_code: "E-OAUTH-BROWSER-TIME" };
    let Answer { redirect, verifier, returned } = ask(attempt, asking).await?;
    let code = match returned {
        Returned::Code(code) => code,
        // The description is the vendor's text, and not looked at.
        Returned::Refused { error, .. } => {
            return Err(user::end(
                &attempt.app.name,
                SignInStage::Browser,
                Asked::Page { redirect: &redirect },
                OAuthError::read(&error),
                None,
            ));
        }
        Returned::Neither => {
            return Err(ConnectError::NotUnderstood { sentence: "The browser came back with neither a code nor a reason.".to_owned() });
        }
    };
    attempt.stage(SignInStage::Token, client.host());
    let watch = |event| attempt.watch(event);
    let mut form = vec![pair("grant_type", "authorization_code"), ("code".to_owned(), code), pair("redirect_uri", redirect.clone())];
    form.extend(verifier.map(|verifier| ("code_verifier".to_owned(), verifier)));
    match client.token(form, attempt.wire, &watch).await? {
        Told::Issued(issued) => Ok(*issued),
        Told::Refused(refusal) => {
            Err(user::end(&attempt.app.name, SignInStage::Token, Asked::Code { redirect: &redirect }, refusal.error, Some(refusal.status)))
        }
    }
}

/// A page that is to open.
pub(crate) struct Asking<'a> {
    pub(crate) host: &'a str,
    /// Without the parameters that are added here: `redirect_uri`, `state`, and those of PKCE.
    pub(crate) page: Url,
    pub(crate) redirect: &'a Redirect,
    pub(crate) pkce: bool,
    /// The code of the end where nobody comes back.
    pub(crate) time_code: &'static str,
}

/// What the browser came back with, and what the code is exchanged with.
pub(crate) struct Answer {
    /// The address that it came back to.
    pub(crate) redirect: String,
    /// PKCE's proof.
    pub(crate) verifier: Option<SecretString>,
    pub(crate) returned: Returned,
}

/// Opens a page and waits until the browser comes back.
///
/// # Errors
/// When this computer cannot listen, and when nobody comes back in time.
pub(crate) async fn ask(attempt: &Attempt<'_>, asking: Asking<'_>) -> Result<Answer, ConnectError> {
    let Asking { host, mut page, redirect: wanted, pkce, time_code } = asking;
    let end = |code: &'static str, kind: CauseKind, sentence: &str, remedy: String| ConnectError::SignInFailed {
        stage: SignInStage::Browser,
        code,
        kind,
        sentence: sentence.to_owned(),
        remedy,
        reference: None,
    };
    attempt.stage(SignInStage::Browser, host);
    let (state, verifier) = (random()?, if pkce { Some(random()?) } else { None });
    let listener = Listener::bind(wanted).await.map_err(|error| {
        if error.kind() == ErrorKind::AddrInUse && !wanted.ports.is_empty() {
            let ports: Vec<String> = wanted.ports.iter().map(u16::to_string).collect();
            end(
                "E-LOOPBACK-PORT",
                CauseKind::Connectivity,
                "Another program on this computer has the port that the browser's answer comes back to.",
                format!("Close the program that listens on port {}, and connect again.", ports.join(" or ")),
            )
        } else {
            end(
                "E-LOOPBACK",
                CauseKind::Connectivity,
                "This computer does not let the console wait for the browser's answer.",
                "Allow connections from this computer to itself, or choose another login option.".to_owned(),
            )
        }
    })?;
    let redirect = listener.address();
    {
        let mut query = page.query_pairs_mut();
        query.append_pair("redirect_uri", &redirect).append_pair("state", state.expose_secret());
        if let Some(verifier) = &verifier {
            query
                .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret())))
                .append_pair("code_challenge_method", "S256");
        }
    }
    let clock = attempt.wire.clock();
    let now = clock.now();
    let until = SignedDuration::try_from(PATIENCE).ok().and_then(|time| now.checked_add(time).ok()).unwrap_or(now);
    (attempt.events)(SignInStep::Visit { address: page.to_string(), code: None, until });
    // Where no browser can be started the address, which is shown, can be opened by hand.
    let _ = attempt.browser.open(&page);
    tokio::select! {
        biased;
        returned = listener.answer(&state) => Ok(Answer { redirect, verifier, returned }),
        () = clock.sleep(PATIENCE) => Err(end(
            time_code,
            CauseKind::CredentialRefused,
            "Nobody finished signing in in the browser within 5 minutes.",
            "Connect again, and sign in on the page that opens. If the page shows an error instead, its text says what to change.".to_owned(),
        )),
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
