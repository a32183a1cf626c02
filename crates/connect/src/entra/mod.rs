//! Signing in to Microsoft Entra ID (OAuth 2.0, version 2 of its endpoints): as an application by secret or certificate, as a
//! user by device code or in the system browser. Never by a user's password: Microsoft refuses that for every account with a
//! second factor.
//!
//! The tenant is looked up first, so that nothing secret goes to an authority that does not hold it. Secrets, codes and
//! refresh tokens go to the authority's host only; what comes back goes to the hosts of the login option only.

mod aadsts;
mod assertion;
mod browser;
mod device;
mod tenant;

use crate::{
    ConnectError, SignInStage,
    hop::HopAnswer,
    keepsake::Keepsakes,
    oauth::{pair, post_form, url_on},
    session::{Attempt, Signed, unless_cancelled},
    token::{self, Exchange, Issued, OAuthError, Refusal, Token, Told},
    wire::{Authorisation, Watcher, Wire},
};
use assertion::Signer;
use catalog::{CauseKind, EntraFlow, EntraSignIn};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tenant::Tenant;

/// As sentences name it.
const VENDOR: &str = "Microsoft Entra ID";
/// The keepsake by which a user's sign-in goes on without a browser.
const REFRESH_TOKEN: &str = "entra_refresh_token";
/// What has to be asked for to be given a refresh token.
const OFFLINE: &str = "offline_access";

pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &EntraSignIn) -> Result<Signed, ConnectError> {
    let client_id = attempt.filled(&strategy.client_id)?.to_owned();
    // What is wrong with a certificate is said before anything is sent.
    let proof = match &strategy.flow {
        EntraFlow::Secret { secret } => Some(Proof::Secret(attempt.secret(secret)?)),
        EntraFlow::Certificate { pem } => Some(Proof::Certificate(Box::new(Signer::read(&attempt.secret(pem)?)?))),
        EntraFlow::DeviceCode | EntraFlow::Browser => None,
    };
    let scope = match proof {
        Some(_) => strategy.scope.clone(),
        None if strategy.scope.split_ascii_whitespace().any(|word| word == OFFLINE) => strategy.scope.clone(),
        None => format!("{} {OFFLINE}", strategy.scope),
    };
    let tenant = unless_cancelled(attempt.cancel, tenant::find(attempt, strategy)).await?;
    let client = Client { tenant, client_id, scope, left: attempt.left.clone() };
    match proof {
        Some(proof) => unless_cancelled(attempt.cancel, as_application(attempt, client, proof)).await,
        None => as_user(attempt, client, &strategy.flow).await,
    }
}

async fn as_application(attempt: &Attempt<'_>, client: Client, proof: Proof) -> Result<Signed, ConnectError> {
    let expires_at = match &proof {
        Proof::Secret(_) => None,
        Proof::Certificate(signer) => Some(signer.not_after()),
    };
    attempt.stage(SignInStage::Token, &client.tenant.host);
    let exchange = ProofExchange { client, proof };
    let watch = |event| attempt.watch(event);
    let issued = exchange.exchange(attempt.wire, &watch).await?;
    let authorisation = Authorisation::Token(Box::new(Token::new(issued, Box::new(exchange))));
    Ok(Signed { expires_at, ..Signed::of(authorisation) })
}

/// With a refresh token from an earlier sign-in nobody needs to be there; without one, somebody has just filled a dialog.
async fn as_user(attempt: &Attempt<'_>, client: Client, flow: &EntraFlow) -> Result<Signed, ConnectError> {
    let watch = |event| attempt.watch(event);
    let kept = attempt.credentials.get(REFRESH_TOKEN).filter(|token| !token.expose_secret().is_empty());
    let issued = match kept {
        Some(kept) => {
            attempt.stage(SignInStage::Token, &client.tenant.host);
            client.left.put(REFRESH_TOKEN, kept.clone());
            client.refresh(attempt.wire, &watch).await?
        }
        None => {
            let issued = match flow {
                EntraFlow::DeviceCode => unless_cancelled(attempt.cancel, device::sign_in(attempt, &client)).await?,
                EntraFlow::Browser | EntraFlow::Secret { .. } | EntraFlow::Certificate { .. } => {
                    unless_cancelled(attempt.cancel, browser::sign_in(attempt, &client)).await?
                }
            };
            if issued.refresh.is_none() {
                return Err(ConnectError::SignInFailed {
                    stage: SignInStage::Token,
                    code: "E-ENTRA-NO-REFRESH",
                    kind: CauseKind::ScopeMissing,
                    sentence: format!("{VENDOR} gave no refresh token, so that no later scan could sign in by itself."),
                    remedy: format!(
                        "Allow the app registration the permission {OFFLINE}, or choose the login option with a secret or a certificate."
                    ),
                    reference: None,
                });
            }
            issued
        }
    };
    Ok(Signed::of(Authorisation::Token(Box::new(Token::new(issued, Box::new(RefreshExchange { client }))))))
}

/// An application of a tenant, and what it asks for.
struct Client {
    tenant: Tenant,
    client_id: String,
    scope: String,
    left: Keepsakes,
}

/// What proves an application.
enum Proof {
    Secret(SecretString),
    Certificate(Box<Signer>),
}

impl Client {
    /// Posts to an endpoint of the tenant: `token`, `devicecode`.
    async fn post(
        &self,
        endpoint: &str,
        mut form: Vec<(String, SecretString)>,
        wire: &Wire,
        watcher: Watcher<'_>,
    ) -> Result<HopAnswer, ConnectError> {
        form.push(pair("client_id", self.client_id.clone()));
        let url = self.url(endpoint)?;
        post_form(wire, watcher, url, form, format!("/{{tenant}}/oauth2/v2.0/{endpoint}")).await
    }

    fn url(&self, endpoint: &str) -> Result<url::Url, ConnectError> {
        url_on(&self.tenant.host, &format!("/{}/oauth2/v2.0/{endpoint}", self.tenant.id))
    }

    /// Asks for a token once; a refusal comes as it is.
    async fn token(&self, form: Vec<(String, SecretString)>, wire: &Wire, watcher: Watcher<'_>) -> Result<Told, ConnectError> {
        let answer = self.post("token", form, wire, watcher).await?;
        if let Some(next) = token::refresh_of(&answer) {
            // A refresh token replaces itself when it is used, whatever else this answer comes to.
            self.left.renew(REFRESH_TOKEN, &next);
        }
        token::understand(VENDOR, &answer, wire.clock())
    }

    /// Asks for a token by the refresh token that is kept.
    async fn refresh(&self, wire: &Wire, watcher: Watcher<'_>) -> Result<Issued, ConnectError> {
        let refresh = self.left.get(REFRESH_TOKEN).map(|refresh| ("refresh_token".to_owned(), refresh));
        let mut form = vec![pair("grant_type", "refresh_token"), pair("scope", self.scope.clone())];
        form.extend(refresh);
        match self.token(form, wire, watcher).await? {
            Told::Issued(issued) => Ok(*issued),
            Told::Refused(refusal) => Err(sign_in_again(&refusal)),
        }
    }
}

/// What a refused refresh token comes to: where signing in once more helps, the user is asked for it. A number that speaks
/// of something else, such as a policy or a disabled account, keeps its own words.
fn sign_in_again(refusal: &Refusal) -> ConnectError {
    let needs_user = matches!(
        refusal.error,
        OAuthError::InvalidGrant | OAuthError::InteractionRequired | OAuthError::LoginRequired | OAuthError::ConsentRequired
    ) && aadsts::number(refusal).is_none_or(aadsts::ends_with_a_sign_in);
    let mut error = aadsts::end(SignInStage::Token, refusal);
    if let (true, ConnectError::SignInFailed { code, kind, remedy, .. }) = (needs_user, &mut error) {
        *code = "E-ENTRA-SIGN-IN-AGAIN";
        *kind = CauseKind::CredentialRefused;
        *remedy = "Choose Reauthenticate on the instance's page and sign in again.".to_owned();
    }
    error
}

struct ProofExchange {
    client: Client,
    proof: Proof,
}

impl Exchange for ProofExchange {
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move {
            let mut form = vec![pair("grant_type", "client_credentials"), pair("scope", self.client.scope.clone())];
            match &self.proof {
                Proof::Secret(secret) => form.push(("client_secret".to_owned(), secret.clone())),
                Proof::Certificate(signer) => {
                    let now = wire.clock().now();
                    let theirs = now.checked_add(self.client.tenant.ahead).unwrap_or(now);
                    let assertion = signer.assertion(self.client.url("token")?.as_str(), &self.client.client_id, theirs)?;
                    form.push(pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                    form.push(("client_assertion".to_owned(), assertion));
                }
            }
            match self.client.token(form, wire, watcher).await? {
                Told::Issued(issued) => Ok(*issued),
                Told::Refused(refusal) => Err(aadsts::end(SignInStage::Token, &refusal)),
            }
        })
    }
}

/// A refresh token replaces itself when it is used; the one before is forgotten.
struct RefreshExchange {
    client: Client,
}

impl Exchange for RefreshExchange {
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(self.client.refresh(wire, watcher))
    }
}
