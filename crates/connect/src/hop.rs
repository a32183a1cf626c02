//! Sign-in hops: single requests while signing in, each to a host of the party that it is meant for, none followed further
//! than whoever asked decides.

use crate::{
    ConnectError,
    jar::Jar,
    session::unless_cancelled,
    wire::{Watcher, Wire},
};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The most pages of one sign-in, of both parties together.
pub(crate) const MOST_HOPS: u32 = 20;

/// The most requests to one party while signing in, its pages and its API together.
const MOST_REQUESTS: u32 = 60;

/// One request of a sign-in.
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// `Accept`.
    pub(crate) accept: &'static str,
    pub(crate) body: Body,
    /// The page that it is sent from, for `Origin` and `Referer` of a form.
    pub(crate) from: Option<Url>,
    /// The path as the request log shows it: what names a transaction is replaced by a placeholder.
    pub(crate) path_template: String,
}

/// The verbs of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

/// What a hop sends. Wiped when it is dropped.
pub(crate) enum Body {
    Nothing,
    /// JSON and its content type.
    Json(SecretString, &'static str),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, SecretString)>),
}

/// What a hop was answered with. Not understood yet; a body may hold secrets and is never logged.
pub(crate) struct HopAnswer {
    /// Where it came from.
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// At most [`crate::Limits::refusal_bytes`] times 16.
    pub(crate) body: Vec<u8>,
}

impl HopAnswer {
    /// The body as JSON; `None` when it is none.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
    /// The target of a redirect, resolved against where the answer came from.
    pub(crate) fn location(&self) -> Option<Url> {
        let location = self.headers.get(reqwest::header::LOCATION).map(HeaderValue::to_str)?.ok()?;
        self.url.join(location).ok()
    }
}

/// One party of a sign-in and the way to it: hops leave through here and through nothing else.
pub(crate) struct Party<'a> {
    wire: &'a Wire,
    watcher: Watcher<'a>,
    jar: Jar,
    left: u32,
    cancel: CancellationToken,
}

impl<'a> Party<'a> {
    /// `jar` says which hosts belong to the party.
    pub(crate) fn new(wire: &'a Wire, watcher: Watcher<'a>, jar: Jar) -> Self {
        Self { wire, watcher, jar, left: MOST_REQUESTS, cancel: CancellationToken::new() }
    }

    /// The same party, which is asked for nothing more once that is cancelled.
    pub(crate) fn until(self, cancel: CancellationToken) -> Self {
        Self { cancel, ..self }
    }

    pub(crate) fn jar(&self) -> &Jar {
        &self.jar
    }

    /// The party's cookies, when nothing more is asked.
    pub(crate) fn into_jar(self) -> Jar {
        self.jar
    }

    /// Makes one request to one of the party's hosts and takes the cookies of its answer.
    ///
    /// # Errors
    /// [`ConnectError::RequestRefused`] before anything is sent when the hop is not permitted; [`ConnectError::Cancelled`];
    /// whatever befalls the line. A status other than success is no error here.
    pub(crate) async fn send(&mut self, hop: Hop) -> Result<HopAnswer, ConnectError> {
        self.send_with(hop, HeaderMap::new()).await
    }

    /// The same with headers of its own: who asks, and in which version.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub(crate) async fn send_with(&mut self, hop: Hop, headers: HeaderMap) -> Result<HopAnswer, ConnectError> {
        if self.left == 0 {
            return Err(ConnectError::RequestRefused {
                sentence: format!("signing in took more than {MOST_REQUESTS} requests to one side."),
            });
        }
        self.left -= 1;
        unless_cancelled(&self.cancel, self.wire.hop(&self.jar, hop, headers, self.watcher)).await
    }

    /// Makes a request that closes what the party holds for us. It is made however many there were, and after the person has
    /// cancelled, too.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub(crate) async fn close(&mut self, hop: Hop) -> Result<HopAnswer, ConnectError> {
        self.wire.hop(&self.jar, hop, HeaderMap::new(), self.watcher).await
    }
}

/// The path of a URL for the request log: no query, and a placeholder in the place of each part that may name a transaction,
/// an account or a person. What is left are words such as `oauth2`, `v1` and `sessionCookieRedirect`.
pub(crate) fn path_template(url: &Url) -> String {
    let mut template = String::new();
    for segment in url.path_segments().into_iter().flatten() {
        template.push('/');
        template.push_str(if is_word(segment) { segment } else { "{id}" });
    }
    template
}

/// Words of at most 32 letters, with a digit at most, capitals only where a part of a word begins.
fn is_word(segment: &str) -> bool {
    let count = |fits: fn(&u8) -> bool| segment.bytes().filter(fits).count();
    segment.len() <= 32
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && count(u8::is_ascii_digit) <= 1
        && count(u8::is_ascii_uppercase) <= 3
        && !segment.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn template(path: &str) -> String {
        path_template(&Url::parse(&format!("https://acme.okta.com{path}?token=secret#fragment")).unwrap())
    }

    #[test]
    fn words_of_a_path_are_logged_and_names_are_not() {
        for (path, wanted) in [
            ("/login/sessionCookieRedirect", "/login/sessionCookieRedirect"),
            ("/oauth2/v1/authorize", "/oauth2/v1/authorize"),
            ("/oauth2/aus4k2m9x1Zq8y7pL0h7/v1/authorize", "/oauth2/{id}/v1/authorize"),
            ("/app/convo/exk1fcia6d6EMsf331d8/sso/saml", "/app/convo/{id}/sso/saml"),
            ("/home/convo/0oab1c2d3/aln48f", "/home/convo/{id}/{id}"),
            ("/api/v1/authn/factors/uft1b2c3/verify", "/api/v1/authn/factors/{id}/verify"),
            (
                "/app/saml2/v1/sso/saml_sp/module.php/saml/sp/saml2-acs.php/convo-sp/acc-4711",
                "/app/saml2/v1/sso/saml_sp/module.php/saml/sp/saml2-acs.php/convo-sp/{id}",
            ),
            ("/02.id.Abc_def-123", "/{id}"),
            ("/eyJhbGciOiJkaXIi", "/{id}"),
            ("/scan%40acme.example", "/{id}"),
            ("/QQWWEERR", "/{id}"),
            ("/", "/"),
            ("/.well-known/okta-organization", "/.well-known/okta-organization"),
        ] {
            assert_eq!(template(path), wanted);
        }
    }

    proptest! {
        #[test]
        fn no_token_is_logged(token in "[A-Za-z0-9_.-]{20,200}") {
            // Of random letters hardly any have no more than one digit and three capitals; those that do are words here.
            prop_assume!(!is_word(&token));
            let logged = template(&format!("/login/{token}/redirect"));
            prop_assert_eq!(logged, "/login/{id}/redirect");
        }

        #[test]
        fn no_query_is_logged(name in "[a-z]{1,10}", value in "[!-~]{8,30}") {
            let mut url = Url::parse("https://acme.okta.com/login/token/redirect").unwrap();
            url.query_pairs_mut().append_pair(&name, &value);
            prop_assert_eq!(path_template(&url), "/login/token/redirect");
        }
    }
}
