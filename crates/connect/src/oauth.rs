//! Credentials that are exchanged for short-lived tokens: OAuth 2.0 client credentials (RFC 6749, section 4.4) by secret or by
//! signed assertion (RFC 7523), with tokens bound to a key of the session where the vendor does that (DPoP, RFC 9449). A token
//! is used only if its scope is as narrow as the catalog wants it.

use crate::{
    ConnectError, SignInStage,
    assertion::Statement,
    hop::{Body, Hop, HopAnswer, Method, Party},
    jar::Jar,
    session::{Attempt, Signed, basic_header},
    signing::{PROOF, Prover, Signer},
    template::{Unfilled, Values},
    token::{self, DpopRefusal, Exchange, Issued, OAuthError, Refusal, Token, Told},
    wire::{Authorisation, Watcher, Wire},
};
use catalog::{CauseKind, ClientAuthentication, ClientCredentials, Endpoint, Granted, HostFrom};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// A difference of clocks by which what was signed may be refused; vendors allow for some seconds to some minutes.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);
/// The code of a refusal that the clocks explain.
pub(crate) const CLOCK_DIFFERS: &str = "E-CLOCK-DIFFERS";
/// How long an assertion of a client is good for.
const ASSERTION_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Exchanges the credential, and keeps it in memory to renew the token.
pub(crate) async fn client_credentials(attempt: &Attempt<'_>, strategy: &ClientCredentials) -> Result<Signed, ConnectError> {
    let client_id = match &strategy.client_id {
        Some(field) => Some(attempt.filled(field)?.to_owned()),
        None => None,
    };
    let (proof, dpop) = match &strategy.authenticate {
        ClientAuthentication::Post { secret } => (Proof::Secret(attempt.secret(secret)?), false),
        ClientAuthentication::Basic { secret } => {
            let header = client_header(client_id.as_deref().unwrap_or_default(), &attempt.secret(secret)?);
            (Proof::Header(header.ok_or_else(|| attempt.unsendable(secret))?), false)
        }
        ClientAuthentication::PrivateKey(proof) => (Proof::Key(Box::new(Signer::of(attempt, &proof.key)?)), proof.dpop),
    };
    let mut parameters = Vec::new();
    for (name, template) in &strategy.parameters {
        // What rests on a field that is left empty is left out.
        if let Some(value) = attempt.fill_optional(template)? {
            parameters.push((name.clone(), value));
        }
    }
    let ask = Ask::Client { client_id, proof, grant_type: strategy.grant_type.clone(), parameters };
    let wanted = Wanted { scope: strategy.scope.clone(), granted: strategy.granted.clone(), host_from: strategy.host_from.clone() };
    exchange(attempt, &strategy.endpoint, ask, wanted, dpop).await
}

/// Asks for the first token.
pub(crate) async fn exchange(
    attempt: &Attempt<'_>,
    endpoint: &Endpoint,
    ask: Ask,
    wanted: Wanted,
    dpop: bool,
) -> Result<Signed, ConnectError> {
    let (host, url, path_template) = address(attempt, endpoint)?;
    let role = wanted.host_from.as_ref().map(|from| from.role.clone());
    let exchange = CredentialExchange {
        vendor: attempt.app.name.clone(),
        url,
        path_template,
        ask,
        wanted,
        prover: if dpop { Some(Prover::new()?) } else { None },
        learned: Mutex::default(),
    };
    attempt.stage(SignInStage::Token, &host);
    let watch = |event| attempt.watch(event);
    let issued = exchange.exchange(attempt.wire, &watch).await?;
    let named = role.zip(exchange.learned().host.clone());
    let authorisation = Authorisation::Token(Box::new(Token::new(issued, Box::new(exchange))));
    Ok(Signed { named, ..Signed::of(authorisation) })
}

/// Host, address and logged path of an endpoint with the fields' values.
///
/// # Errors
/// [`ConnectError::FieldMissing`], and [`ConnectError::RequestRefused`] when they make no address that is what was meant.
pub(crate) fn address(attempt: &Attempt<'_>, endpoint: &Endpoint) -> Result<(String, Url, String), ConnectError> {
    let Some((host, prefix)) = attempt.wire.hosts().roles.get(&endpoint.role) else {
        return Err(ConnectError::RequestRefused { sentence: format!("the host role {} has no host with these fields.", endpoint.role) });
    };
    let values = Values { inputs: attempt.wire.inputs(), each: None };
    let path = values
        .fill_path(&endpoint.path)
        .map_err(|Unfilled(name)| ConnectError::FieldMissing { label: crate::request::label_of(attempt.app, &name) })?;
    Ok((host.clone(), url_on(host, &format!("{prefix}{path}"))?, format!("{prefix}{}", endpoint.path)))
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
) -> Result<HopAnswer, ConnectError> {
    post_form_with(wire, watcher, url, form, path_template, HeaderMap::new()).await
}

/// The same with headers of the sign-in's own.
pub(crate) async fn post_form_with(
    wire: &Wire,
    watcher: Watcher<'_>,
    url: Url,
    form: Vec<(String, SecretString)>,
    path_template: String,
    headers: HeaderMap,
) -> Result<HopAnswer, ConnectError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut party = Party::new(wire, watcher, Jar::new([host]));
    let hop = Hop { method: Method::Post, url, accept: "application/json", body: Body::Form(form), from: None, path_template };
    party.send_with(hop, headers).await
}

/// One field of a form.
pub(crate) fn pair(name: &str, value: impl Into<String>) -> (String, SecretString) {
    (name.to_owned(), SecretString::from(value.into()))
}

/// `Authorization: Basic` of a client, whose id and secret are form-encoded first (RFC 6749, section 2.3.1).
pub(crate) fn client_header(id: &str, secret: &SecretString) -> Option<HeaderValue> {
    use secrecy::ExposeSecret;
    let encoded = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    basic_header(&encoded(id), &SecretString::from(encoded(secret.expose_secret())))
}

/// What is exchanged.
pub(crate) enum Ask {
    /// A client proves itself.
    Client { client_id: Option<String>, proof: Proof, grant_type: String, parameters: Vec<(String, String)> },
    /// A signed statement (RFC 7523, section 2.1).
    Statement(Box<Statement>),
}

/// What proves a client.
pub(crate) enum Proof {
    Secret(SecretString),
    Header(HeaderValue),
    Key(Box<Signer>),
}

/// What a token has to come to.
pub(crate) struct Wanted {
    pub(crate) scope: String,
    pub(crate) granted: Granted,
    pub(crate) host_from: Option<HostFrom>,
}

struct CredentialExchange {
    vendor: String,
    url: Url,
    path_template: String,
    ask: Ask,
    wanted: Wanted,
    prover: Option<Prover>,
    learned: Mutex<Learned>,
}

/// What earlier answers taught.
#[derive(Default)]
struct Learned {
    /// How far the vendor's clock is ahead of ours.
    ahead: SignedDuration,
    /// The host that the first answer named; it does not change within a session.
    host: Option<String>,
}

/// The claims by which a client signs for itself (RFC 7523, section 3).
#[derive(serde::Serialize)]
struct ClientClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

impl Exchange for CredentialExchange {
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move {
            let mut nonce_taken = false;
            loop {
                let now = wire.clock().now();
                let theirs = now.checked_add(self.learned().ahead).unwrap_or(now);
                let (form, mut headers) = self.form(theirs)?;
                let held = match &self.prover {
                    Some(prover) => {
                        let (proof, held) = prover.proof("POST", &self.url, None, now)?;
                        headers.insert(PROOF, proof);
                        Some(held)
                    }
                    None => None,
                };
                let answer = post_form_with(wire, watcher, self.url.clone(), form, self.path_template.clone(), headers).await?;
                let now = wire.clock().now();
                // An answer that does not say leaves what an earlier one told.
                if let Some(ahead) = token::ahead_if_told(&answer.headers, now) {
                    self.learned().ahead = ahead;
                }
                let proved = self.prover.as_ref().zip(held.as_ref());
                let fresh = proved.is_some_and(|(prover, held)| prover.heed(&self.url, &answer.headers, held, now));
                match token::understand_bound(&self.vendor, &answer, wire.clock(), self.prover.is_some())? {
                    Told::Issued(issued) => {
                        self.narrow_enough(issued.scope.as_deref())?;
                        self.name_host(&answer)?;
                        return Ok(*issued);
                    }
                    // The vendor asks for the same once more with its nonce in the proof (RFC 9449, section 8); the refused
                    // request was none. What is signed is signed anew, since an assertion is good for one use.
                    Told::Refused(refusal) if fresh && !nonce_taken && refusal.dpop() == Some(DpopRefusal::UseNonce) => nonce_taken = true,
                    Told::Refused(refusal) => return Err(self.refused(&refusal)),
                }
            }
        })
    }

    fn prover(&self) -> Option<&Prover> {
        self.prover.as_ref()
    }
}

impl CredentialExchange {
    fn learned(&self) -> std::sync::MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is posted; `now` is the vendor's time.
    fn form(&self, now: Timestamp) -> Result<(Vec<(String, SecretString)>, HeaderMap), ConnectError> {
        let mut headers = HeaderMap::new();
        let (client_id, proof, grant_type, parameters) = match &self.ask {
            Ask::Statement(statement) => return Ok((statement.form(&self.wanted.scope, now)?, headers)),
            Ask::Client { client_id, proof, grant_type, parameters } => (client_id, proof, grant_type, parameters),
        };
        let mut form = vec![pair("grant_type", grant_type.clone())];
        form.extend(parameters.iter().map(|(name, value)| pair(name, value.clone())));
        // HTTP Basic names the client already (RFC 6749, section 2.3: one way for each request).
        form.extend(client_id.iter().filter(|_| !matches!(proof, Proof::Header(_))).map(|id| pair("client_id", id.clone())));
        match proof {
            Proof::Secret(secret) => form.push(("client_secret".to_owned(), secret.clone())),
            Proof::Header(header) => {
                headers.insert(AUTHORIZATION, header.clone());
            }
            Proof::Key(signer) => {
                let id = client_id.as_deref().unwrap_or_default();
                let seconds = now.as_second();
                let claims = ClientClaims {
                    iss: id,
                    sub: id,
                    aud: self.url.as_str(),
                    jti: uuid::Uuid::new_v4().to_string(),
                    iat: seconds,
                    exp: seconds + ASSERTION_LIFE.as_secs(),
                };
                form.push(pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                form.push(("client_assertion".to_owned(), signer.sign(&claims)?));
            }
        }
        if !self.wanted.scope.is_empty() {
            form.push(pair("scope", self.wanted.scope.clone()));
        }
        Ok((form, headers))
    }

    /// Takes the host that the answer names.
    fn name_host(&self, answer: &HopAnswer) -> Result<(), ConnectError> {
        let Some(from) = &self.wanted.host_from else { return Ok(()) };
        let named = named_host(&self.vendor, from, answer)?;
        let mut learned = self.learned();
        match &learned.host {
            Some(known) if *known != named => Err(ConnectError::NotUnderstood {
                sentence: format!("{} names another host for the organization than before. Nothing was sent there.", self.vendor),
            }),
            Some(_) => Ok(()),
            None => {
                learned.host = Some(named);
                Ok(())
            }
        }
    }

    /// Holds the granted scope against what the catalog wants: a token that may write is not used.
    fn narrow_enough(&self, scope: Option<&str>) -> Result<(), ConnectError> {
        let Granted { all_of, only, none_of } = &self.wanted.granted;
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
        let Some(scope) = scope.filter(|scope| !scope.is_empty()) else {
            return too_wide(format!("{} does not say what the token may do. It is not used, because it might write.", self.vendor));
        };
        let words: Vec<&str> = scope.split([' ', ',']).map(str::trim).filter(|word| !word.is_empty()).collect();
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

    /// What was signed, where that is what proves us: as sentences name it.
    fn signed(&self) -> Option<&'static str> {
        match &self.ask {
            Ask::Statement(_) | Ask::Client { proof: Proof::Key(_), .. } => Some("signed assertion"),
            Ask::Client { proof: Proof::Secret(_) | Proof::Header(_), .. } => None,
        }
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
        let ahead = self.learned().ahead;
        let of_the_proof = refusal.dpop().is_some();
        let of_what_was_signed = of_the_proof
            || (self.signed().is_some() && matches!(refusal.error, OAuthError::InvalidClient | OAuthError::InvalidGrant))
            || (self.signed().is_some() && (refusal.error, status) == (OAuthError::Unknown, 401));
        if let Some(differ) = clocks_differ(vendor, ahead).filter(|_| of_what_was_signed) {
            return end(
                CLOCK_DIFFERS,
                CauseKind::CredentialRefused,
                format!("{vendor} refused what was signed ({status}). {differ}"),
                "Set this computer's date and time right, and connect again.",
            );
        }
        if of_the_proof {
            return end(
                "E-DPOP-REFUSED",
                CauseKind::NotUnderstood,
                format!("{vendor} did not take the proof that the token's key is ours ({status})."),
                "Connect again. If it happens again, report it with these words and their code.",
            );
        }
        match (refusal.error, status) {
            (OAuthError::InvalidClient | OAuthError::InvalidGrant, _) | (OAuthError::Unknown, 401) => match (&self.ask, self.signed()) {
                (Ask::Client { .. }, Some(what)) => ConnectError::CredentialRefused {
                    sentence: format!("{vendor} refused the {what} ({status})."),
                    remedy: "Check that the client exists, that the public half of this private key is registered with it and not deleted, and that the key's ID is right."
                        .to_owned(),
                },
                (Ask::Statement(_), Some(what)) => ConnectError::CredentialRefused {
                    sentence: format!("{vendor} refused the {what} ({status})."),
                    remedy: "Check that the key has not been deleted or replaced, that an administrator has allowed its application, and that the user it acts for exists and is active."
                        .to_owned(),
                },
                (_, None) => ConnectError::CredentialRefused {
                    sentence: format!("{vendor} refused the credential when it was to be exchanged for a token ({status})."),
                    remedy: "It may have expired or been deleted. Create a new one and replace the stored one.".to_owned(),
                },
            },
            (OAuthError::InvalidScope, _) => end(
                "E-SCOPE-REFUSED",
                CauseKind::ScopeMissing,
                match self.wanted.scope.as_str() {
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
                | OAuthError::UnsupportedResponseType
                | OAuthError::RedirectMismatch
                | OAuthError::DeviceFlowDisabled
                | OAuthError::Unknown,
                _,
            ) => {
                ConnectError::VendorError { status, sentence: format!("{vendor} did not exchange the credential for a token ({status}).") }
            }
        }
    }
}

/// By how much this computer's clock differs from the vendor's, where what was signed may be refused for that.
pub(crate) fn clocks_differ(vendor: &str, ahead: SignedDuration) -> Option<String> {
    let minutes = (ahead.abs().as_secs() + 30) / 60;
    let which = if ahead.is_positive() { "behind" } else { "ahead of" };
    (ahead.abs() > CLOCKS_DIFFER).then(|| format!("This computer's clock is about {minutes} minutes {which} that of {vendor}."))
}

/// The host that a token's answer names, if it is one that may be named.
///
/// # Errors
/// [`ConnectError::NotUnderstood`] when it names none, or one that is not under the vendor's own domains.
pub(crate) fn named_host(vendor: &str, from: &HostFrom, answer: &HopAnswer) -> Result<String, ConnectError> {
    let body = answer.json().unwrap_or(Value::Null);
    let text = body.get(&from.member).and_then(Value::as_str);
    text.and_then(|text| from.host_of(text)).ok_or_else(|| ConnectError::NotUnderstood {
        sentence: match text {
            None => format!("{vendor} answered with a token and does not say on which host the organization lies."),
            Some(_) => format!(
                "{vendor} answered with a token for a host that does not lie under {}. Nothing was sent there.",
                from.suffixes.join(" or ")
            ),
        },
    })
}
