//! A GitHub App: it signs for itself, finds its installation in the organization, and is given a token of that installation,
//! which may only read.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app>

use crate::{
    ConnectError, SignInStage,
    hop::{Body, Hop, HopAnswer, Method, Party},
    jar::Jar,
    oauth::url_on,
    session::{Attempt, Signed, bearer_header},
    signing::Signer,
    template::encode_segment,
    token::{self, Exchange, Issued, Token},
    wire::{Authorisation, Watcher, Wire},
};
use catalog::{CauseKind, GithubApp, ResetIn, SigningAlgorithm};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An app's own token is taken for ten minutes at most, and its beginning is put back for clocks that differ
/// (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>).
const LIFE: SignedDuration = SignedDuration::from_mins(8);
const PUT_BACK: SignedDuration = SignedDuration::from_mins(1);
/// A clock that is off by more than this is corrected by the vendor's.
const OFF: SignedDuration = SignedDuration::from_secs(30);
const VERSION: (HeaderName, HeaderValue) = (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28"));
const ACCEPT: &str = "application/vnd.github+json";

pub(crate) async fn sign_in(attempt: &Attempt<'_>, strategy: &GithubApp) -> Result<Signed, ConnectError> {
    let Some((host, prefix)) = attempt.wire.hosts().roles.get(&strategy.role) else {
        return Err(ConnectError::RequestRefused { sentence: format!("the host role {} has no host with these fields.", strategy.role) });
    };
    // What is wrong with the key is said before anything is sent.
    let signer = Signer::read(&attempt.secret(&strategy.private_key)?, None, None, SigningAlgorithm::Rs256)?;
    let exchange = InstallationExchange {
        vendor: attempt.app.name.clone(),
        host: host.clone(),
        prefix: prefix.clone(),
        app_id: attempt.filled(&strategy.app_id)?.to_owned(),
        organization: attempt.filled(&strategy.organization)?.to_owned(),
        signer,
        wanted: strategy.permissions.clone(),
    };
    attempt.stage(SignInStage::Token, host);
    let watch = |event| attempt.watch(event);
    let issued = exchange.exchange(attempt.wire, &watch).await?;
    let authorisation = Authorisation::Token(Box::new(Token::new(issued, Box::new(exchange))));
    Ok(Signed::of(authorisation))
}

struct InstallationExchange {
    vendor: String,
    host: String,
    prefix: String,
    app_id: String,
    organization: String,
    signer: Signer,
    wanted: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
}

/// Why an app is forbidden something: GitHub has one status for all of it.
enum Forbidden {
    /// The primary limit is used up, or the message speaks of a secondary one
    /// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#rate-limit-errors>).
    Limit,
    /// "This installation has been suspended" (<https://github.com/octokit/octokit.rb/pull/1307>).
    Suspended,
    /// The organization has an IP allow list
    /// (<https://github.blog/changelog/2021-06-07-installation-access-token-creation-requests-now-respect-ip-allow-list-settings>),
    /// by the words of <https://github.com/cli/cli/issues/12150>.
    Address,
    /// "Resource not accessible by integration"
    /// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>).
    Permission,
    /// It does not say in words that are known.
    Other,
}

impl Forbidden {
    fn of(answer: &HopAnswer) -> Self {
        let body = answer.json().unwrap_or(Value::Null);
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        if token::asks_to_wait(&answer.headers) || used_up(answer) || message.contains("secondary rate limit") {
            Self::Limit
        } else if message.contains("installation has been suspended") {
            Self::Suspended
        } else if message.contains("ip allow list") {
            Self::Address
        } else if message.contains("not accessible by integration") {
            Self::Permission
        } else {
            Self::Other
        }
    }
}

/// Whether nothing is left of the primary limit.
fn used_up(answer: &HopAnswer) -> bool {
    answer.headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0")
}

/// The organization's installation of the app.
struct Installation {
    id: u64,
    granted: Map<String, Value>,
}

impl Exchange for InstallationExchange {
    fn exchange<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<Issued, ConnectError>> {
        Box::pin(async move {
            let mut party = Party::new(wire, watcher, Jar::new([self.host.clone()]));
            let (installation, ahead) = self.installation(&mut party, wire).await?;
            // Only what was granted may be asked for; what is missing costs its datasets, which say so.
            let asked: BTreeMap<&str, &str> = self
                .wanted
                .keys()
                .filter(|name| installation.granted.get(*name).and_then(Value::as_str).is_some_and(|level| !level.is_empty()))
                .map(|name| (name.as_str(), "read"))
                .collect();
            if asked.is_empty() {
                let wanted: Vec<&str> = self.wanted.keys().map(String::as_str).collect();
                return Err(self.end(
                    "E-GITHUB-PERMISSIONS",
                    CauseKind::ScopeMissing,
                    "The app's installation in the organization has none of the permissions that a scan reads with.".to_owned(),
                    format!("Give the app read access to {}, and accept the change in the organization's settings.", wanted.join(", ")),
                ));
            }
            let path = format!("{}/app/installations/{}/access_tokens", self.prefix, installation.id);
            let hop = Hop {
                method: Method::Post,
                url: url_on(&self.host, &path)?,
                accept: ACCEPT,
                body: Body::Json(SecretString::from(json!({ "permissions": asked }).to_string()), "application/json"),
                from: None,
                path_template: format!("{}/app/installations/{{id}}/access_tokens", self.prefix),
            };
            let now = wire.clock().now();
            let answer = party.send_with(hop, self.headers(now.checked_add(ahead).unwrap_or(now))?).await?;
            match answer.status {
                201 => self.issued(&answer, &asked, wire.clock().now()),
                _ => Err(self.refused(&answer, wire)),
            }
        })
    }
}

impl InstallationExchange {
    /// Finds the installation; and how far the vendor's clock is ahead, where that matters.
    async fn installation(&self, party: &mut Party<'_>, wire: &Wire) -> Result<(Installation, SignedDuration), ConnectError> {
        let mut ahead = SignedDuration::ZERO;
        loop {
            let now = wire.clock().now();
            let hop = Hop {
                method: Method::Get,
                url: url_on(&self.host, &format!("{}/orgs/{}/installation", self.prefix, encode_segment(&self.organization)))?,
                accept: ACCEPT,
                body: Body::Nothing,
                from: None,
                path_template: format!("{}/orgs/{{organization}}/installation", self.prefix),
            };
            let answer = party.send_with(hop, self.headers(now.checked_add(ahead).unwrap_or(now))?).await?;
            match answer.status {
                200 => return self.found(&answer).map(|installation| (installation, ahead)),
                // An app's own token is refused when this computer's clock is wrong; it is signed once more for the vendor's.
                401 if ahead.is_zero() && token::ahead(&answer.headers, now).abs() > OFF => ahead = token::ahead(&answer.headers, now),
                _ => return Err(self.refused(&answer, wire)),
            }
        }
    }

    fn found(&self, answer: &HopAnswer) -> Result<Installation, ConnectError> {
        let body = answer.json().unwrap_or(Value::Null);
        if body.get("suspended_at").is_some_and(|at| !at.is_null()) {
            return Err(self.suspended());
        }
        let id = body.get("id").and_then(Value::as_u64);
        let login = body.pointer("/account/login").and_then(Value::as_str);
        let granted = body.get("permissions").and_then(Value::as_object);
        match (id, login, granted) {
            (Some(id), Some(login), Some(granted)) if login.eq_ignore_ascii_case(&self.organization) => {
                Ok(Installation { id, granted: granted.clone() })
            }
            _ => Err(ConnectError::NotUnderstood {
                sentence: format!("{} does not describe the installation as it documents.", self.vendor),
            }),
        }
    }

    /// The app's own token, as the headers of a request carry it. `now` is the vendor's time.
    fn headers(&self, now: Timestamp) -> Result<HeaderMap, ConnectError> {
        let (iat, exp) = ((now - PUT_BACK).as_second(), (now + LIFE).as_second());
        let signed = self.signer.sign(&Claims { iss: &self.app_id, iat, exp })?;
        let header = bearer_header(&signed)
            .ok_or_else(|| ConnectError::RequestRefused { sentence: "the app's own token cannot be sent.".to_owned() })?;
        Ok(HeaderMap::from_iter([(AUTHORIZATION, header), VERSION]))
    }

    /// A token that may write is not used, nor one that may read what nobody asked for.
    fn issued(&self, answer: &HopAnswer, asked: &BTreeMap<&str, &str>, now: Timestamp) -> Result<Issued, ConnectError> {
        let body = answer.json().unwrap_or(Value::Null);
        let unclear = || ConnectError::NotUnderstood { sentence: format!("{} gave a token, and not as it documents.", self.vendor) };
        let granted = body.get("permissions").and_then(Value::as_object).ok_or_else(unclear)?;
        // GitHub adds `metadata` to every token that reads a repository.
        let narrow =
            granted.iter().all(|(name, level)| level.as_str() == Some("read") && (asked.contains_key(name.as_str()) || name == "metadata"));
        if !narrow {
            return Err(self.end(
                "E-SCOPE-NOT-READ-ONLY",
                CauseKind::CredentialRefused,
                format!("{} gave a token that may do more than was asked for. It is not used, because it might write.", self.vendor),
                "Give the app read access only, and connect again.".to_owned(),
            ));
        }
        let token = body.get("token").and_then(Value::as_str).filter(|token| !token.is_empty()).ok_or_else(unclear)?;
        let ends: Timestamp = body.get("expires_at").and_then(Value::as_str).and_then(|at| at.parse().ok()).ok_or_else(unclear)?;
        let ends = ends.checked_sub(token::ahead(&answer.headers, now)).unwrap_or(ends);
        // As GitHub writes what a request needs (`X-Accepted-GitHub-Permissions`).
        let scope: Vec<String> = granted.keys().map(|name| format!("{name}=read")).collect();
        Issued::bearer(&self.vendor, SecretString::from(token.to_owned()), Some(ends), now, Some(scope.join(" ")))
    }

    fn end(&self, code: &'static str, kind: CauseKind, sentence: String, remedy: String) -> ConnectError {
        ConnectError::SignInFailed { stage: SignInStage::Token, code, kind, sentence, remedy, reference: None }
    }

    /// A limit that is used up says when it is whole again.
    fn rate_limited(&self, answer: &HopAnswer, wire: &Wire) -> ConnectError {
        let reset = used_up(answer).then_some(("x-ratelimit-reset", ResetIn::Epoch));
        token::rate_limited_until(self.host.clone(), &answer.headers, reset, wire.clock().now())
    }

    fn suspended(&self) -> ConnectError {
        self.end(
            "E-GITHUB-SUSPENDED",
            CauseKind::CredentialRefused,
            format!("The app's installation in {} is suspended.", self.organization),
            "Unsuspend it under Settings > GitHub Apps of the organization, or have the app's owner do so.".to_owned(),
        )
    }

    /// What each documented status comes to.
    /// <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>
    fn refused(&self, answer: &HopAnswer, wire: &Wire) -> ConnectError {
        let (vendor, status) = (&self.vendor, answer.status);
        let body = answer.json().unwrap_or(Value::Null);
        match status {
            401 => self.end(
                "E-GITHUB-APP",
                CauseKind::CredentialRefused,
                format!("{vendor} refused what the app signed ({status}): the private key does not belong to the app with this ID, or was deleted."),
                "Compare the app ID with the app's settings, and generate a new private key there if in doubt.".to_owned(),
            ),
            429 => self.rate_limited(answer, wire),
            403 => match Forbidden::of(answer) {
                Forbidden::Limit => self.rate_limited(answer, wire),
                Forbidden::Suspended => self.suspended(),
                Forbidden::Address => self.end(
                    "E-GITHUB-ADDRESS",
                    CauseKind::ScopeMissing,
                    format!("{} lets only certain IP addresses in, and this computer's is none of them ({status}).", self.organization),
                    "Add the address that this computer is seen with to the organization's IP allow list, or scan from a computer that is on it."
                        .to_owned(),
                ),
                Forbidden::Permission => self.end(
                    "E-GITHUB-PERMISSIONS",
                    CauseKind::ScopeMissing,
                    format!("{vendor} does not let the app do this: a permission is missing ({status})."),
                    "Give the app read access to what is listed, and accept the change in the organization's settings.".to_owned(),
                ),
                Forbidden::Other => self.end(
                    "E-TOKEN-DENIED",
                    CauseKind::ScopeMissing,
                    format!("{vendor} knows the app and gives it no token ({status})."),
                    "Look under Settings > GitHub Apps of the organization whether the app's installation is suspended or limited, and whether a policy of the organization or of its enterprise stands against it."
                        .to_owned(),
                ),
            },
            404 => self.end(
                "E-GITHUB-NOT-INSTALLED",
                CauseKind::InputMissing,
                format!("The app is not installed in the organization {}, or there is no such organization ({status}).", self.organization),
                "Check the organization's name, and install the app there under its settings > Install App.".to_owned(),
            ),
            422 => self.end(
                "E-GITHUB-PERMISSIONS",
                CauseKind::ScopeMissing,
                format!("{vendor} does not give the app's installation the permissions that were asked for ({status})."),
                "Give the app read access to what is listed, and accept the change in the organization's settings.".to_owned(),
            ),
            300..=399 => ConnectError::Redirected { host: self.host.clone(), status },
            200..=299 if body.is_null() => ConnectError::NotJson { host: self.host.clone(), what: "something other than a token" },
            500..=599 => {
                ConnectError::VendorError { status, sentence: format!("{vendor} answered with an error of its own ({status}) when a token was asked for.") }
            }
            _ => ConnectError::NotUnderstood { sentence: format!("{vendor} answered without a token ({status}).") },
        }
    }
}
