//! Which proxy a host is reached through, and what a proxy says when it does not help.

use crate::{ConnectError, Credentials, PROXY_PASSWORD, PROXY_USER, Proxy, Roots, Route};
use base64::{Engine, engine::general_purpose};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::{Host, Url};

/// The route's choice of proxy for each host.
#[derive(Clone)]
pub(crate) struct Chooser {
    rule: Rule,
    authorization: Option<HeaderValue>,
}

#[derive(Clone)]
enum Rule {
    Direct,
    Always(Url),
    Matching(Arc<Matcher>),
}

impl Chooser {
    pub(crate) fn new(route: &Route, credentials: &Credentials) -> Result<Self, ConnectError> {
        let rule = match &route.proxy {
            Proxy::None => Rule::Direct,
            Proxy::Manual { url } => Rule::Always(manual(url)?),
            Proxy::System => Rule::Matching(Arc::new(Matcher::from_system())),
            Proxy::Environment => Rule::Matching(Arc::new(Matcher::from_env())),
        };
        if route.roots == Roots::Sandbox {
            let on_loopback = matches!(&rule, Rule::Always(url) if url.scheme() == "http" && match url.host() {
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                Some(Host::Domain(_)) | None => false,
            });
            if !on_loopback {
                return Err(ConnectError::RouteInvalid {
                    sentence: "A sandbox instance can go nowhere but to its sandbox on this computer.".to_owned(),
                    remedy: "Start the sandbox again and add the instance anew.".to_owned(),
                });
            }
        }
        Ok(Self { rule, authorization: authorization(credentials) })
    }

    /// The proxy for a host, without user information.
    pub(crate) fn proxy_for(&self, host: &str) -> Option<Url> {
        match &self.rule {
            Rule::Direct => None,
            Rule::Always(url) => Some(url.clone()),
            Rule::Matching(matcher) => {
                let found = matcher.intercept(&format!("https://{host}/").parse().ok()?)?;
                Url::parse(&found.uri().to_string()).ok()
            }
        }
    }

    /// What the proxy for a host is authorised by: the credentials given, else what the environment holds.
    fn authorization_for(&self, host: &str) -> Option<HeaderValue> {
        self.authorization.clone().or_else(|| match &self.rule {
            Rule::Direct | Rule::Always(_) => None,
            Rule::Matching(matcher) => {
                let mut header = matcher.intercept(&format!("https://{host}/").parse().ok()?)?.basic_auth()?.clone();
                header.set_sensitive(true);
                Some(header)
            }
        })
    }

    /// For the client: one proxy that chooses by host. `hosts` are those that will be asked.
    pub(crate) fn proxy<'a>(&self, hosts: impl Iterator<Item = &'a str>) -> reqwest::Proxy {
        let chooser = self.clone();
        let proxy = reqwest::Proxy::custom(move |url| chooser.proxy_for(url.host_str()?));
        match hosts.filter_map(|host| self.authorization_for(host)).next() {
            Some(header) => proxy.custom_http_auth(header),
            None => proxy,
        }
    }

    /// Asks the proxy once more for a way to `host`, to tell why there was none. `None` when the proxy is not at fault.
    pub(crate) async fn diagnose(&self, host: &str, patience: Duration) -> Option<ConnectError> {
        let proxy = self.proxy_for(host)?;
        let name = format!("{}:{}", proxy.host_str()?, proxy.port_or_known_default()?);
        let unreachable = |reason| ConnectError::ProxyUnreachable { proxy: name.clone(), host: host.to_owned(), reason };
        let silent = || ConnectError::ProxyRefused { proxy: name.clone(), host: host.to_owned(), status: None };
        let mut line = match tokio::time::timeout(patience, tokio::net::TcpStream::connect(&name)).await {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Some(unreachable(reason(&error))),
            Err(_) => return Some(unreachable("it does not answer")),
        };
        if proxy.scheme() != "http" {
            return Some(silent());
        }
        let mut request = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n").into_bytes();
        if let Some(header) = self.authorization_for(host) {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(header.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        let mut answer = [0_u8; 12];
        let asked = tokio::time::timeout(patience, async {
            line.write_all(&request).await?;
            line.read_exact(&mut answer).await
        });
        let Ok(Ok(_)) = asked.await else { return Some(silent()) };
        // "HTTP/1.1 407": the status stands at the tenth byte (RFC 9112 section 4).
        let status = std::str::from_utf8(&answer[9..12]).ok().and_then(|status| status.parse::<u16>().ok());
        match status {
            Some(200..=299) => None,
            Some(407) => Some(ConnectError::ProxyCredentials { proxy: name, host: host.to_owned() }),
            status => Some(ConnectError::ProxyRefused { proxy: name, host: host.to_owned(), status }),
        }
    }
}

/// Why a connection was not taken, in words.
pub(crate) fn reason(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    const REASONS: [(ErrorKind, &str); 9] = [
        (ErrorKind::ConnectionRefused, "it refuses connections"),
        (ErrorKind::TimedOut, "it does not answer"),
        (ErrorKind::NetworkUnreachable, "there is no network to it"),
        (ErrorKind::HostUnreachable, "there is no network to it"),
        (ErrorKind::NetworkDown, "there is no network to it"),
        (ErrorKind::ConnectionReset, "it closes the connection"),
        (ErrorKind::ConnectionAborted, "it closes the connection"),
        (ErrorKind::BrokenPipe, "it closes the connection"),
        (ErrorKind::UnexpectedEof, "it closes the connection"),
    ];
    REASONS.iter().find(|(kind, _)| *kind == error.kind()).map_or("the connection failed", |(_, reason)| reason)
}

fn manual(text: &str) -> Result<Url, ConnectError> {
    let invalid = |sentence: &str| ConnectError::RouteInvalid {
        sentence: sentence.to_owned(),
        remedy: "Enter the proxy as http://host:port under Network.".to_owned(),
    };
    let url = Url::parse(text.trim()).map_err(|_| invalid("The proxy's address is not a URL."))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("The proxy's address is not an http or https URL with a host."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("The proxy's address holds a user name or password. Those have fields of their own."));
    }
    Ok(url)
}

fn authorization(credentials: &Credentials) -> Option<HeaderValue> {
    let user = credentials.get(PROXY_USER)?.expose_secret();
    let password = credentials.get(PROXY_PASSWORD).map_or("", |password| password.expose_secret());
    let encoded = general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}
