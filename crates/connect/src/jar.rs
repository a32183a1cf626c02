//! The cookies of one party of a sign-in (the identity provider, or the application): kept in memory only, sent to that
//! party's hosts only, each by the rules of RFC 6265.

use cookie_store::{Cookie, CookieDomain, CookieStore};
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// Bytes of one cookie with its attributes, and cookies of one party, at most: above what browsers must be able to keep
/// (RFC 6265, section 6.1), small beside what a server takes for a header.
const COOKIE_BYTES: usize = 8 * 1024;
const MOST_COOKIES: usize = 100;

/// Cookies of one party. They end when they say so, by this computer's clock, and with the session at the latest.
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
            // A cookie that breaks the rules (another domain, no name) is left out, as browsers do.
            let Ok(cookie) = Cookie::parse(text, url) else { continue };
            let (domain, path) = (String::from(&cookie.domain), String::from(&cookie.path));
            let known = cookies.contains_any(&domain, &path, cookie.name());
            if text.len() > COOKIE_BYTES || is_of_everybody(&cookie.domain) || (!known && cookies.iter_any().count() >= MOST_COOKIES) {
                continue;
            }
            let _ = cookies.insert(cookie.into_owned(), url);
        }
    }

    /// Whether there is no cookie that would be sent anywhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).iter_unexpired().next().is_none()
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
        // Longer paths first, then by name: a server that knows a name twice takes the first (RFC 6265, section 5.4).
        let mut fitting = cookies.matches(url);
        fitting.sort_by_key(|cookie| (std::cmp::Reverse(String::from(&cookie.path).len()), cookie.name().to_owned()));
        let text =
            fitting.iter().map(|cookie| cookie.name_value()).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let text = SecretString::from(text);
        if text.expose_secret().is_empty() {
            return None;
        }
        let mut header = HeaderValue::from_str(text.expose_secret()).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Whether a cookie is meant for everybody under a public suffix (`com`, `co.uk`), by <https://publicsuffix.org>.
fn is_of_everybody(domain: &CookieDomain) -> bool {
    match domain {
        CookieDomain::Suffix(domain) => psl::suffix_str(domain).is_none_or(|suffix| suffix == domain),
        CookieDomain::HostOnly(_) | CookieDomain::NotPresent | CookieDomain::Empty => false,
    }
}
