//! OAuth 2.0 client credentials (RFC 6749, section 4.4): a long-lived secret is exchanged for a short-lived token, which is
//! used only if its scope is as narrow as the catalog wants it.

use crate::{
    ConnectError, Credentials, SignInStage,
    hop::{Body, Hop, Method, Party},
    jar::Jar,
    session::{Attempt, Signed},
    token::{self, Exchange, Issued, OAuthError, Refusal, Token, Told},
    wire::{Authorisation, Watcher, Wire},
};
use catalog::{CauseKind, ClientCredentials, Granted};
use futures::future::BoxFuture;
use secrecy::SecretString;
use url::Url;

/// Exchanges the secret, and keeps it in memory to renew the token.
pub(crate) async fn client_credentials(attempt: &Attempt<'_>, strategy: &ClientCredentials) -> Result<Signed, ConnectError> {
    let Some((host, prefix)) = attempt.wire.hosts().roles.get(&strategy.role) else {
        return Err(ConnectError::RequestRefused { sentence: format!("the host role {} has no host with these fields.", strategy.role) });
    };
    let client_id = match &strategy.client_id {
        Some(field) => Some(attempt.filled(field)?.to_owned()),
        None => None,
    };
    let exchange = SecretExchange {
        vendor: attempt.app.name.clone(),
        url: url_on(host, &format!("{prefix}{}", strategy.path))?,
        client_id,
        secret: attempt.secret(&strategy.secret)?,
        scope: strategy.scope.clone(),
        granted: strategy.granted.clone(),
    };
    attempt.stage(SignInStage::Token, host);
    let watch = |event| attempt.watch(event);
    let issued = exchange.exchange(attempt.wire, &watch).await?;
    let authorisation = Authorisation::Token(Token::new(issued, Box::new(exchange)));
    Ok(Signed { authorisation, keepsakes: Credentials::new(), expires_at: None })
}

/// A path of the catalog on a host that fields come to.
///
/// # Errors
/// [`ConnectError::RequestRefused`] when the two make no address that is what was meant.
pub(crate) fn url_on(host: &str, path: &str) -> Result<Url, ConnectError> {
    Url::parse(&format!("https://{host}{path}"))
        .ok()
        .filter(|url| url.path() == path && url.host_str() == Some(host))
        .ok_or_else(|| ConnectError::RequestRefused { sentence: "the address that signs in cannot be written as a URL.".to_owned() })
}

/// Posts a form once to one host, with a jar of its own.
pub(crate) async fn post_form(
    wire: &Wire,
    watcher: Watcher<'_>,
    url: Url,
    form: Vec<(String, SecretString)>,
    path_template: String,
) -> Result<crate::hop::HopAnswer, ConnectError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut party = Party::new(wire, watcher, Jar::new([host]));
    party.send(Hop { method: Method::Post, url, accept: "application/json", body: Body::Form(form), from: None, path_template }).await
}

/// One field of a form.
pub(crate) fn pair(name: &str, value: impl Into<String>) -> (String, SecretString) {
    (name.to_owned(), SecretString::from(value.into()))
}

struct SecretExchange {
    vendor: String,
    url: Url,
    client_id: Option<String>,
    secret: SecretString,
    scope: String,
    granted: Granted,
}

impl Exchange for SecretExchange {
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move {
            let mut form = vec![pair("grant_type", "client_credentials")];
            form.extend(self.client_id.as_ref().map(|id| pair("client_id", id.clone())));
            form.push(("client_secret".to_owned(), self.secret.clone()));
            if !self.scope.is_empty() {
                form.push(pair("scope", self.scope.clone()));
            }
            let answer = post_form(wire, watcher, self.url.clone(), form, self.url.path().to_owned()).await?;
            match token::understand(&self.vendor, &answer, wire.clock())? {
                Told::Issued(issued) => {
                    self.narrow_enough(issued.scope.as_deref())?;
                    Ok(*issued)
                }
                Told::Refused(refusal) => Err(self.refused(&refusal)),
            }
        })
    }
}

impl SecretExchange {
    /// Holds the granted scope against what the catalog wants: a token that may write is not used.
    fn narrow_enough(&self, scope: Option<&str>) -> Result<(), ConnectError> {
        let Granted { all_of, only, none_of } = &self.granted;
        if all_of.is_empty() && only.is_empty() && none_of.is_empty() {
            return Ok(());
        }
        let remedy = match if only.is_empty() { all_of.as_slice() } else { only.as_slice() } {
            [] => format!("Create a credential without {}, and enter it here.", none_of.join(", ")),
            words => format!("Create a credential that is limited to {}, and enter it here.", words.join(", ")),
        };
        let too_wide = |sentence: String| {
            Err(ConnectError::SignInFailed {
                stage: SignInStage::Token,
                code: "E-SCOPE-NOT-READ-ONLY",
                kind: CauseKind::CredentialRefused,
                sentence,
                remedy: remedy.clone(),
                reference: None,
            })
        };
        let Some(scope) = scope else {
            return too_wide(format!("{} does not say what the token may do. It is not used, because it might write.", self.vendor));
        };
        let words: Vec<&str> = scope.split_ascii_whitespace().collect();
        if let Some(lacks) = all_of.iter().find(|word| !words.contains(&word.as_str())) {
            return too_wide(format!("The token of {} is not limited to {lacks}. It is not used, because it might write.", self.vendor));
        }
        // The word itself is the vendor's text, and not shown.
        if !only.is_empty() && words.iter().any(|word| !only.iter().any(|known| known == word)) {
            return too_wide(format!(
                "The token of {} may do more than {}. It is not used, because it might write.",
                self.vendor,
                only.join(", ")
            ));
        }
        if let Some(holds) = none_of.iter().find(|word| words.contains(&word.as_str())) {
            return too_wide(format!(
                "The token of {} holds the scope {holds}. It is not used, because it may do more than read.",
                self.vendor
            ));
        }
        Ok(())
    }

    fn refused(&self, refusal: &Refusal) -> ConnectError {
        let (vendor, status) = (&self.vendor, refusal.status);
        let end = |code: &'static str, kind: CauseKind, sentence: String, remedy: &str| ConnectError::SignInFailed {
            stage: SignInStage::Token,
            code,
            kind,
            sentence,
            remedy: remedy.to_owned(),
            reference: None,
        };
        match (refusal.error, status) {
            (OAuthError::InvalidClient | OAuthError::InvalidGrant, _) | (OAuthError::Unknown, 401) => ConnectError::CredentialRefused {
                sentence: format!("{vendor} refused the credential when it was to be exchanged for a token ({status})."),
                remedy: "It may have expired or been deleted. Create a new one and replace the stored one.".to_owned(),
            },
            (OAuthError::InvalidScope, _) => end(
                "E-SCOPE-REFUSED",
                CauseKind::ScopeMissing,
                match self.scope.as_str() {
                    "" => format!("{vendor} refused the scope of the token ({status})."),
                    scope => format!("{vendor} does not give this credential a token with the scope {scope} ({status})."),
                },
                "Create a credential that may have this scope, and replace the stored one.",
            ),
            (OAuthError::UnauthorizedClient | OAuthError::AccessDenied, _) | (OAuthError::Unknown, 403) => end(
                "E-TOKEN-DENIED",
                CauseKind::ScopeMissing,
                format!("{vendor} knows the credential and does not exchange it for a token ({status})."),
                "Look in the vendor's console whether the credential is limited to certain addresses or uses, or was switched off.",
            ),
            (OAuthError::InvalidRequest | OAuthError::UnsupportedGrantType | OAuthError::InvalidResource, _) => end(
                "E-TOKEN-REQUEST",
                CauseKind::NotUnderstood,
                format!("{vendor} did not understand how a token was asked for ({status})."),
                "This is a fault of the catalog, not of your tenant. Report it with these words and their code.",
            ),
            (OAuthError::ServerError | OAuthError::TemporarilyUnavailable, _) => {
                ConnectError::VendorError { status, sentence: format!("{vendor} could not give a token now ({status}).") }
            }
            (
                OAuthError::InteractionRequired
                | OAuthError::LoginRequired
                | OAuthError::ConsentRequired
                | OAuthError::AuthorizationPending
                | OAuthError::SlowDown
                | OAuthError::Declined
                | OAuthError::ExpiredToken
                | OAuthError::Unknown,
                _,
            ) => {
                ConnectError::VendorError { status, sentence: format!("{vendor} did not exchange the credential for a token ({status}).") }
            }
        }
    }
}
