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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn url(address: &str) -> Url {
        Url::parse(address).unwrap()
    }

    fn jar() -> Jar {
        Jar::new(["app.vendor.co.uk", "eu.vendor.co.uk"].map(str::to_owned))
    }

    fn take(jar: &Jar, from: &str, cookies: &[&str]) {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        jar.take(&url(from), &headers);
    }

    fn sent(jar: &Jar, to: &str) -> String {
        jar.header_for(&url(to)).map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_without_a_domain_is_of_its_host_alone() {
        let jar = jar();
        take(&jar, "https://app.vendor.co.uk/login", &["a=1; Path=/; Secure; HttpOnly"]);
        assert_eq!(sent(&jar, "https://app.vendor.co.uk/x"), "a=1");
        assert_eq!(sent(&jar, "https://eu.vendor.co.uk/x"), "");
        assert!(jar.header_for(&url("https://app.vendor.co.uk/")).unwrap().is_sensitive());
    }

    #[test]
    fn a_domain_reaches_the_partys_hosts_and_no_others() {
        let jar = jar();
        take(&jar, "https://app.vendor.co.uk/", &["a=1; Domain=vendor.co.uk; Path=/", "b=2; Domain=.vendor.co.uk; Path=/"]);
        assert_eq!(sent(&jar, "https://eu.vendor.co.uk/"), "a=1; b=2");
        for other in ["https://vendor.co.uk/", "https://x.vendor.co.uk/", "https://app.vendor.co.uk.evil.test/", "http://app.vendor.co.uk/"]
        {
            assert_eq!(sent(&jar, other), "", "{other}");
        }
    }

    #[test]
    fn a_domain_of_everybody_or_of_another_is_not_taken() {
        let jar = jar();
        take(
            &jar,
            "https://app.vendor.co.uk/",
            &[
                "a=1; Domain=uk; Path=/",
                "b=1; Domain=co.uk; Path=/",
                "c=1; Domain=.co.uk; Path=/",
                "d=1; Domain=eu.vendor.co.uk; Path=/",
                "e=1; Domain=other.co.uk; Path=/",
                "f=1; Domain=acme.okta.com; Path=/",
                "g=1; Domain=pp.vendor.co.uk; Path=/",
            ],
        );
        take(&jar, "https://evil.test/", &["h=1", "i=1; Domain=app.vendor.co.uk"]);
        take(&jar, "http://app.vendor.co.uk/", &["j=1; Path=/"]);
        assert!(jar.is_empty(), "{}", sent(&jar, "https://app.vendor.co.uk/"));
    }

    #[test]
    fn paths_are_kept_and_longer_ones_come_first() {
        let jar = jar();
        take(
            &jar,
            "https://app.vendor.co.uk/saml/acs/1",
            &["s=root; Path=/", "s=deep; Path=/saml/acs", "t=default", "u=bad; Path=nonsense"],
        );
        assert_eq!(sent(&jar, "https://app.vendor.co.uk/saml/acs/2"), "s=deep; t=default; u=bad; s=root");
        assert_eq!(sent(&jar, "https://app.vendor.co.uk/saml/acsx"), "s=root");
        assert_eq!(sent(&jar, "https://app.vendor.co.uk/"), "s=root");
    }

    #[test]
    fn a_cookie_ends_when_it_says_so_and_is_replaced_by_its_name() {
        let jar = jar();
        let from = "https://app.vendor.co.uk/";
        take(&jar, from, &["a=1; Path=/", "b=1; Path=/; Max-Age=3600"]);
        take(&jar, from, &["a=2; Path=/"]);
        assert_eq!(sent(&jar, from), "a=2; b=1");
        take(&jar, from, &["a=x; Path=/; Max-Age=0", "b=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
        assert!(jar.is_empty() && jar.header_for(&url(from)).is_none());
    }

    #[test]
    fn a_kept_value_is_put_and_read_again() {
        let okta = Jar::new(["acme.okta.com".to_owned()]);
        let at = url("https://acme.okta.com/");
        okta.put(&at, "DT", &SecretString::from("DI1abc"));
        assert_eq!(okta.value(&at, "DT").unwrap().expose_secret(), "DI1abc");
        assert!(okta.value(&at, "sid").is_none());
        okta.put(&url("https://evil.test/"), "DT", &SecretString::from("DI1abc"));
        assert!(okta.value(&url("https://evil.test/"), "DT").is_none());
    }

    #[test]
    fn no_party_can_fill_the_jar() {
        let jar = jar();
        let many: Vec<String> = (0..1000).map(|number| format!("c{number:04}=1; Path=/")).collect();
        take(&jar, "https://app.vendor.co.uk/", &many.iter().map(String::as_str).collect::<Vec<_>>());
        take(&jar, "https://app.vendor.co.uk/", &[&format!("long={}; Path=/", "x".repeat(COOKIE_BYTES)), "c0001=2; Path=/"]);
        let header = sent(&jar, "https://app.vendor.co.uk/");
        assert_eq!(header.split("; ").count(), MOST_COOKIES);
        assert!(header.contains("c0001=2") && !header.contains("long"));
    }

    proptest! {
        #[test]
        fn no_cookie_leaves_its_party(text in "[ -~]{0,120}", domain in "[a-z.]{0,20}", host in "[a-z]{1,6}(\\.[a-z]{1,6}){0,3}") {
            let jar = jar();
            for cookie in [text.clone(), format!("a=1; Domain={domain}; {text}"), format!("{text}; Domain={host}; Path=/")] {
                take(&jar, "https://app.vendor.co.uk/", &[&cookie]);
            }
            let to = format!("https://{host}/");
            if !jar.holds(&host) && Url::parse(&to).is_ok() {
                prop_assert_eq!(sent(&jar, &to), "");
            }
            // What is sent is one line of a header, whatever was set.
            prop_assert!(!sent(&jar, "https://app.vendor.co.uk/").contains(['\r', '\n']));
        }
    }
}
