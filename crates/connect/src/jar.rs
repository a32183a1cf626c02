//! The cookies of one party of a sign-in (the identity provider, or the application): kept in memory only, sent to that
//! party's hosts only, each by the rules of RFC 6265.

use cookie_store::CookieStore;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// Cookies of one party.
pub(crate) struct Jar {
    hosts: BTreeSet<String>,
    cookies: Mutex<CookieStore>,
}

impl Jar {
    /// An empty jar for these hosts. Cookies are neither taken from nor sent to any other.
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self { hosts: hosts.into_iter().collect(), cookies: Mutex::default() }
    }

    /// Whether a host is one of this party's.
    pub(crate) fn holds(&self, host: &str) -> bool {
        self.hosts.contains(host)
    }

    fn is_ours(&self, url: &Url) -> bool {
        url.scheme() == "https" && url.host_str().is_some_and(|host| self.holds(host))
    }

    /// Takes the cookies of an answer from `url`.
    pub(crate) fn take(&self, url: &Url, headers: &HeaderMap) {
        if !self.is_ours(url) {
            return;
        }
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for text in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            // A cookie that breaks the rules (another domain, no value) is left out, as browsers do.
            let _ = cookies.parse(text, url);
        }
    }

    /// Puts a cookie that an earlier sign-in kept.
    pub(crate) fn put(&self, url: &Url, name: &str, value: &SecretString) {
        if self.is_ours(url) {
            let text = SecretString::from(format!("{name}={}; Secure; HttpOnly; Path=/", value.expose_secret()));
            let _ = self.cookies.lock().unwrap_or_else(PoisonError::into_inner).parse(text.expose_secret(), url);
        }
    }

    /// The value of a cookie that would be sent to `url`.
    pub(crate) fn value(&self, url: &Url, name: &str) -> Option<SecretString> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let found = cookies.get_request_values(url).find(|(known, _)| *known == name);
        found.map(|(_, value)| SecretString::from(value.to_owned()))
    }

    /// The `Cookie` header for a request, marked sensitive; `None` when there is nothing to send.
    pub(crate) fn header_for(&self, url: &Url) -> Option<HeaderValue> {
        if !self.is_ours(url) {
            return None;
        }
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let text = cookies.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let text = SecretString::from(text);
        if text.expose_secret().is_empty() {
            return None;
        }
        let mut header = HeaderValue::from_str(text.expose_secret()).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}
