//! A person's sign-in by OAuth 2.0, whatever the way: the client that a vendor knows, its token endpoint, what is kept so that
//! later scans need nobody, and the words of every refusal (RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5).

use crate::{
    ConnectError, Granted, SignInStage,
    keepsake::Keepsakes,
    oauth::{address, client_header, named_host, pair, post_form_with},
    session::{Attempt, Signed},
    token::{self, Exchange, Issued, OAuthError, Token, Told},
    wire::{Authorisation, Watcher, Wire},
};
use catalog::{CauseKind, Endpoint, HostFrom, SecretBy};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// The keepsake by which a person's sign-in goes on without a browser.
const REFRESH_TOKEN: &str = "oauth_refresh_token";
/// The keepsake of vendors whose tokens live long and have no refresh tokens: the token itself, and when it ends.
const ACCESS_TOKEN: &str = "oauth_access_token";
const ACCESS_TOKEN_ENDS: &str = "oauth_access_token_ends";
/// The keepsake of the scope that was granted: answers that renew a token need not say it again (RFC 6749, sections 5.1 and 6).
const SCOPE: &str = "oauth_scope";
/// The keepsake of the host that came with such a token.
const NAMED_HOST: &str = "oauth_named_host";
/// A token that lives for less has to be renewed by something.
const WORTH_KEEPING: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A client that a vendor knows, and the vendor's token endpoint.
pub(crate) struct UserClient {
    vendor: String,
    host: String,
    url: Url,
    path_template: String,
    id: String,
    secret: Option<SecretString>,
    by: SecretBy,
    /// The scope that is asked for.
    scope: String,
    host_from: Option<HostFrom>,
    left: Keepsakes,
    /// The host that the first answer named; it does not change within a session.
    named: Mutex<Option<String>>,
}

impl UserClient {
    pub(crate) fn new(
        attempt: &Attempt<'_>,
        endpoint: &Endpoint,
        client_id: &str,
        secret: Option<SecretString>,
        by: SecretBy,
        scope: &str,
        host_from: &Option<HostFrom>,
    ) -> Result<Self, ConnectError> {
        let (host, url, path_template) = address(attempt, endpoint)?;
        let id = attempt.filled(client_id)?.to_owned();
        Ok(Self {
            vendor: attempt.app.name.clone(),
            host,
            url,
            path_template,
            id,
            secret,
            by,
            scope: scope.to_owned(),
            host_from: host_from.clone(),
            left: attempt.left.clone(),
            named: Mutex::default(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Asks for a token once; a refusal comes as it is.
    pub(crate) async fn token(
        &self,
        mut form: Vec<(String, SecretString)>,
        wire: &Wire,
        watcher: Watcher<'_>,
    ) -> Result<Told, ConnectError> {
        let mut headers = HeaderMap::new();
        match (&self.secret, self.by) {
            (Some(secret), SecretBy::Basic) => {
                headers.insert(
                    AUTHORIZATION,
                    client_header(&self.id, secret).ok_or_else(|| ConnectError::RequestRefused {
                        sentence: "the client's id and secret cannot be sent.".to_owned(),
                    })?,
                );
            }
            (Some(secret), SecretBy::Post) => {
                form.push(pair("client_id", self.id.clone()));
                form.push(("client_secret".to_owned(), secret.clone()));
            }
            (None, SecretBy::Post | SecretBy::Basic) => form.push(pair("client_id", self.id.clone())),
        }
        let answer = post_form_with(wire, watcher, self.url.clone(), form, self.path_template.clone(), headers).await?;
        if let Some(next) = token::refresh_of(&answer) {
            // The one before may have been good for one use, whatever else this answer comes to.
            self.left.renew(REFRESH_TOKEN, &next);
        }
        let told = token::understand(&self.vendor, &answer, wire.clock())?;
        if let (Told::Issued(_), Some(from)) = (&told, &self.host_from) {
            let host = named_host(&self.vendor, from, &answer)?;
            let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            if named.as_ref().is_some_and(|known| *known != host) {
                return Err(ConnectError::NotUnderstood {
                    sentence: format!("{} names another host for the organization than before. Nothing was sent there.", self.vendor),
                });
            }
            *named = Some(host);
        }
        Ok(told)
    }

    /// The role of the host that the vendor named, and that host.
    fn named(&self) -> Option<(String, String)> {
        let host = self.named.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((self.host_from.as_ref()?.role.clone(), host))
    }

    /// Asks for a token by the refresh token that is kept.
    async fn refresh(&self, wire: &Wire, watcher: Watcher<'_>) -> Result<Issued, ConnectError> {
        let refresh = self.left.get(REFRESH_TOKEN).ok_or_else(|| ended(&self.vendor, "is not there"))?;
        let form = vec![pair("grant_type", "refresh_token"), ("refresh_token".to_owned(), refresh)];
        match self.token(form, wire, watcher).await? {
            Told::Issued(mut issued) => {
                // An answer that does not say it means the scope that was granted first (RFC 6749, section 6).
                let granted = self.left.get(SCOPE).map(|scope| scope.expose_secret().to_owned());
                issued.scope = scope_of(&issued, granted);
                Ok(*issued)
            }
            Told::Refused(refusal) => Err(end(&self.vendor, SignInStage::Token, Asked::Refresh, refusal.error, Some(refusal.status))),
        }
    }
}

/// Signs in by what an earlier sign-in left. `None`: it left nothing, and the person is asked.
pub(crate) async fn again(attempt: &Attempt<'_>, client: &Arc<UserClient>) -> Result<Option<Signed>, ConnectError> {
    if attempt.cancel.is_cancelled() {
        return Err(ConnectError::Cancelled);
    }
    let kept = |name: &str| attempt.credentials.get(name).filter(|secret| !secret.expose_secret().is_empty());
    let keep = |names: &[&str]| {
        for (name, value) in names.iter().filter_map(|name| Some((*name, kept(name)?))) {
            client.left.put(name, value.clone());
        }
    };
    if kept(REFRESH_TOKEN).is_some() {
        attempt.stage(SignInStage::Token, &client.host);
        keep(&[REFRESH_TOKEN, SCOPE]);
        let watch = |event| attempt.watch(event);
        let issued = client.refresh(attempt.wire, &watch).await?;
        return Ok(Some(renewing(client, issued)));
    }
    let Some(token) = kept(ACCESS_TOKEN) else { return Ok(None) };
    let ends: Option<Timestamp> = kept(ACCESS_TOKEN_ENDS).and_then(|text| text.expose_secret().parse().ok());
    if ends.is_some_and(|ends| ends <= attempt.wire.clock().now()) {
        return Err(ended(&client.vendor, "has ended"));
    }
    keep(&[ACCESS_TOKEN, ACCESS_TOKEN_ENDS, NAMED_HOST, SCOPE]);
    let named = match &client.host_from {
        None => None,
        Some(from) => {
            let host = kept(NAMED_HOST).and_then(|host| from.host_of(&format!("https://{}", host.expose_secret())));
            Some((from.role.clone(), host.ok_or_else(|| ended(&client.vendor, "does not say for which host it is"))?))
        }
    };
    let scope = kept(SCOPE).map(|scope| scope.expose_secret().to_owned());
    let issued = Issued::bearer(&client.vendor, token.clone(), None, attempt.wire.clock().now(), scope)?;
    let token = Token::new(issued, Box::new(Spent { vendor: client.vendor.clone(), first: false }));
    Ok(Some(Signed { expires_at: ends, named, ..Signed::of(Authorisation::Token(Box::new(token))) }))
}

/// What a first token comes to: one that renews itself, or one that is good for long.
///
/// # Errors
/// `E-OAUTH-NO-REFRESH`, when the token ends soon and nothing came to renew it by.
pub(crate) fn signed(client: &Arc<UserClient>, mut issued: Issued) -> Result<Signed, ConnectError> {
    // An answer that does not say the scope means the one that was asked for (RFC 6749, section 5.1).
    issued.scope = scope_of(&issued, Some(client.scope.clone()));
    if issued.refresh.is_some() {
        return Ok(renewing(client, issued));
    }
    let ends = issued.ends();
    if ends.is_some_and(|ends| ends.duration_since(issued.came()) < WORTH_KEEPING) {
        return Err(ConnectError::SignInFailed {
            stage: SignInStage::Token,
            code: "E-OAUTH-NO-REFRESH",
            kind: CauseKind::ScopeMissing,
            sentence: format!("{} gave no refresh token, so that no later scan could sign in by itself.", client.vendor),
            remedy: "Allow the app registration to stay signed in (offline access, refresh tokens), and connect again.".to_owned(),
            reference: None,
        });
    }
    let left = &client.left;
    left.put(ACCESS_TOKEN, issued.token());
    keep_scope(client, &issued);
    if let Some(ends) = ends {
        left.put(ACCESS_TOKEN_ENDS, SecretString::from(ends.to_string()));
    }
    let named = client.named();
    if let Some((_, host)) = &named {
        left.put(NAMED_HOST, SecretString::from(host.clone()));
    }
    let token = Token::new(issued, Box::new(Spent { vendor: client.vendor.clone(), first: true }));
    Ok(Signed { expires_at: ends, named, ..Signed::of(Authorisation::Token(Box::new(token))) })
}

fn renewing(client: &Arc<UserClient>, issued: Issued) -> Signed {
    keep_scope(client, &issued);
    let named = client.named();
    let exchange = RefreshExchange { client: Arc::clone(client) };
    Signed { named, ..Signed::of(Authorisation::Token(Box::new(Token::new(issued, Box::new(exchange))))) }
}

/// The scope of a token: as its answer says it, or what its silence means where the token itself is silent too.
fn scope_of(issued: &Issued, silence: Option<String>) -> Option<String> {
    let silent = || issued.claims.as_ref().and_then(Granted::of_claims).is_none();
    issued.scope.clone().or_else(|| silence.filter(|_| silent()))
}

fn keep_scope(client: &UserClient, issued: &Issued) {
    if let Some(scope) = issued.scope.as_ref().filter(|scope| !scope.is_empty()) {
        client.left.renew(SCOPE, &SecretString::from(scope.clone()));
    }
}

/// A refresh token may replace itself when it is used; the one before is forgotten, here and where it is sealed.
struct RefreshExchange {
    client: Arc<UserClient>,
}

impl Exchange for RefreshExchange {
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(self.client.refresh(wire, watcher))
    }
}

/// A token that nothing renews.
struct Spent {
    vendor: String,
    /// Whether it came just now: a vendor that refuses it refuses the user.
    first: bool,
}

impl Exchange for Spent {
    fn exchange<'a>(&'a self, _wire: &'a Wire, _watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move {
            Err(if self.first {
                ConnectError::CredentialRefused {
                    sentence: format!("{} refused the token that the sign-in gave.", self.vendor),
                    remedy: REAUTHENTICATE.to_owned(),
                }
            } else {
                ended(&self.vendor, "has ended or was revoked")
            })
        })
    }
}

const SIGN_IN_AGAIN: &str = "E-OAUTH-SIGN-IN-AGAIN";
const REAUTHENTICATE: &str = "Choose Reauthenticate on the instance's page and sign in again.";

fn ended(vendor: &str, how: &str) -> ConnectError {
    ConnectError::SignInFailed {
        stage: SignInStage::Token,
        code: SIGN_IN_AGAIN,
        kind: CauseKind::CredentialRefused,
        sentence: format!("The token that the last sign-in at {vendor} left {how}."),
        remedy: REAUTHENTICATE.to_owned(),
        reference: None,
    }
}

/// What was asked when the vendor refused.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// The page in the browser.
    Page {
        /// The address to come back to.
        redirect: &'a str,
    },
    /// To exchange a code.
    Code {
        /// The address that the code came back to.
        redirect: &'a str,
    },
    /// A device code, or whether it was typed.
    Device,
    /// To renew a token.
    Refresh,
}

/// What a refusal comes to: each with its own code, sentence and remedy. Vendor text is never part of them.
pub(crate) fn end(vendor: &str, stage: SignInStage, asked: Asked<'_>, error: OAuthError, status: Option<u16>) -> ConnectError {
    let aside = status.map(|status| format!(" ({status})")).unwrap_or_default();
    let told = |code: &'static str, kind: CauseKind, sentence: String, remedy: &str| ConnectError::SignInFailed {
        stage,
        code,
        kind,
        sentence,
        remedy: remedy.to_owned(),
        reference: None,
    };
    use CauseKind::{CredentialRefused, InputMissing, NotUnderstood, ScopeMissing, VendorError};
    const CATALOG: &str = "This is a fault of the catalog, not of your tenant. Report it with these words and their code.";
    match (error, asked) {
        (
            OAuthError::InvalidGrant
            | OAuthError::ExpiredToken
            | OAuthError::AccessDenied
            | OAuthError::Declined
            | OAuthError::InteractionRequired
            | OAuthError::LoginRequired
            | OAuthError::ConsentRequired,
            Asked::Refresh,
        ) => told(
            SIGN_IN_AGAIN,
            CredentialRefused,
            format!(
                "{vendor} does not go on with the last sign-in{aside}: it was revoked, not used for too long, or something about the user changed."
            ),
            REAUTHENTICATE,
        ),
        (OAuthError::InvalidClient, _) | (OAuthError::Unknown, _) if status == Some(401) || error == OAuthError::InvalidClient => told(
            "E-OAUTH-CLIENT",
            CredentialRefused,
            format!("{vendor} refused the client ID or the client secret{aside}."),
            "Compare both with the app registration; a secret may have expired or been replaced there.",
        ),
        (OAuthError::InvalidGrant, Asked::Device) => told(
            "E-OAUTH-DEVICE-CODE",
            CredentialRefused,
            format!("{vendor} does not know the code of this sign-in any more{aside}."),
            "Connect again for a new one.",
        ),
        (OAuthError::InvalidGrant, Asked::Page { .. } | Asked::Code { .. }) => told(
            "E-OAUTH-CODE",
            CredentialRefused,
            format!("{vendor} did not accept the code that the browser came back with{aside}."),
            "Connect again, and finish on the page that opens then.",
        ),
        (OAuthError::ExpiredToken, _) => told(
            "E-OAUTH-CODE-EXPIRED",
            CredentialRefused,
            format!("The code ended before {vendor} was signed in to{aside}."),
            "Connect again for a new one, and enter it on the page that is shown.",
        ),
        (OAuthError::AccessDenied | OAuthError::Declined, _) => told(
            "E-OAUTH-DECLINED",
            CredentialRefused,
            format!("The sign-in at {vendor} was declined, or the user may not allow it{aside}."),
            "Connect again and accept, or sign in as an administrator who may.",
        ),
        (OAuthError::UnauthorizedClient, _) => told(
            "E-OAUTH-CLIENT-NOT-ALLOWED",
            CredentialRefused,
            format!("{vendor} does not let this app registration sign users in in this way{aside}."),
            "Check the client ID, and which ways to sign in the app registration allows.",
        ),
        (OAuthError::RedirectMismatch, Asked::Page { redirect } | Asked::Code { redirect }) => told(
            "E-OAUTH-REDIRECT",
            InputMissing,
            format!("{vendor} does not know the address to come back to{aside}."),
            &format!("Register {redirect} as redirect or callback address of the app."),
        ),
        (OAuthError::DeviceFlowDisabled, _) => told(
            "E-OAUTH-DEVICE-OFF",
            CredentialRefused,
            format!("{vendor} does not let this app registration sign in by device code{aside}."),
            "Switch the device flow on in the app's settings, and connect again.",
        ),
        (OAuthError::InvalidScope, _) => told(
            "E-OAUTH-SCOPE",
            ScopeMissing,
            format!("{vendor} does not give the scope that was asked for{aside}."),
            "Allow the app registration the scopes that are listed, or sign in as a user who has them.",
        ),
        (OAuthError::InteractionRequired | OAuthError::LoginRequired | OAuthError::ConsentRequired, _) => told(
            "E-OAUTH-INTERACTION",
            CredentialRefused,
            format!("{vendor} wants the user to do something more before it signs in{aside}."),
            "Sign in to it in the browser, do what it asks there, and connect again.",
        ),
        (OAuthError::UnsupportedResponseType, _) => {
            told("E-OAUTH-RESPONSE-TYPE", NotUnderstood, format!("{vendor} does not give codes to this app registration{aside}."), CATALOG)
        }
        (OAuthError::UnsupportedGrantType, _) => {
            told("E-OAUTH-GRANT-TYPE", NotUnderstood, format!("{vendor} does not exchange what was brought{aside}."), CATALOG)
        }
        (OAuthError::InvalidResource, _) => {
            told("E-OAUTH-RESOURCE", NotUnderstood, format!("{vendor} does not know the service that was asked for{aside}."), CATALOG)
        }
        (OAuthError::InvalidRequest, _) | (OAuthError::RedirectMismatch, Asked::Device | Asked::Refresh) => told(
            "E-OAUTH-REQUEST",
            NotUnderstood,
            format!("{vendor} did not understand the request{aside}."),
            "Check the client ID. If it is right, report it with these words and their code.",
        ),
        (OAuthError::ServerError, _) => told(
            "E-OAUTH-SERVER",
            VendorError,
            format!("{vendor} met an error of its own while signing in{aside}."),
            "Look at the vendor's status page and try again later.",
        ),
        (OAuthError::TemporarilyUnavailable | OAuthError::SlowDown, _) => {
            told("E-OAUTH-UNAVAILABLE", VendorError, format!("{vendor} cannot sign in now{aside}."), "Wait some minutes and try again.")
        }
        (OAuthError::InvalidClient | OAuthError::AuthorizationPending | OAuthError::Unknown, _) => told(
            "E-OAUTH-REFUSED",
            VendorError,
            format!("{vendor} refused the sign-in{aside}."),
            "Look into the vendor's log of sign-ins, and check the client ID and the app registration.",
        ),
    }
}
