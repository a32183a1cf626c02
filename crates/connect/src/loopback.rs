//! The listener for the browser's way back (RFC 8252, section 7.3): the only listening socket of this crate. On this
//! computer's loopback, for one answer, which must carry the state that only our page had.
//!
//! The state is not kept from everything on this computer: the page's address holds it, is shown so that it can be opened by
//! hand, and is an argument of the process that opens the browser, where other processes of the same user, and on some
//! systems of others, can read it. That is accepted. RFC 8252 (sections 8.1 and 8.10) lays the protection against whoever
//! has an address or a code on PKCE, whose verifier never leaves this process; with the state alone somebody can end a
//! sign-in, or bring a code of their own, which the verifier does not fit.

use catalog::{Redirect, RedirectHost};
use futures::{StreamExt, stream::FuturesUnordered};
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    convert::Infallible,
    future::pending,
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

/// Connections at once. Browsers open some that they do not use.
const MOST_LINES: usize = 16;
/// How long one connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that a request may hold. A code has some thousand letters.
const MOST_BYTES: usize = 64 * 1024;
/// How many ports are tried whose other half somebody else has.
const MOST_PORTS: usize = 16;
/// `EAFNOSUPPORT`: the operating system has no IPv6 at all. The library has no name for it.
const NO_FAMILY: i32 = if cfg!(windows) {
    10_047
} else if cfg!(target_os = "macos") {
    47
} else {
    97
};
/// How much of a description is looked at.
const MOST_OF_DESCRIPTION: usize = 32;

/// Waits on a port that the operating system chose.
pub(crate) struct Listener {
    v4: TcpListener,
    /// Where `localhost` is found under both families.
    v6: Option<TcpListener>,
    port: u16,
    host: RedirectHost,
    path: String,
}

/// What the browser came back with.
pub(crate) enum Returned {
    /// An authorization code.
    Code(SecretString),
    /// `error`, and the beginning of `error_description`: vendor text, never shown.
    Refused { error: String, description: String },
    /// The right state, and nothing else.
    Neither,
}

/// What is to be done with one request.
enum Verdict {
    Taken(Returned),
    Ignored(StatusCode),
}

impl Listener {
    /// On one of the redirect's ports, or on one of the operating system's choice.
    pub(crate) async fn bind(redirect: &Redirect) -> io::Result<Self> {
        let listener = match redirect.ports.as_slice() {
            [] => Self::bind_one_of([0; MOST_PORTS]).await,
            ports => Self::bind_one_of(ports.iter().copied()).await,
        }?;
        Ok(Self { host: redirect.host, path: redirect.path.clone(), ..listener })
    }

    /// Takes the first port that is free under both families: a browser may ask either for `localhost`, and must not find
    /// somebody else there. `0` is a port of the operating system's choice.
    async fn bind_one_of(ports: impl IntoIterator<Item = u16>) -> io::Result<Self> {
        let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
        for port in ports {
            let v4 = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(v4) => v4,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    taken = error;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let port = v4.local_addr()?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(v6) => return Ok(Self { v4, v6: Some(v6), port, host: RedirectHost::Name, path: "/".to_owned() }),
                // A computer without IPv6: nobody can be there.
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_FAMILY) => {
                    return Ok(Self { v4, v6: None, port, host: RedirectHost::Name, path: "/".to_owned() });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken = error,
                Err(error) => return Err(error),
            }
        }
        Err(taken)
    }

    /// The address to come back to. The path `/` is left out, as Microsoft registers `http://localhost` with any port and no
    /// path (<https://learn.microsoft.com/en-us/entra/identity-platform/reply-url>).
    pub(crate) fn address(&self) -> String {
        let path = if self.path == "/" { "" } else { self.path.as_str() };
        format!("http://{}:{}{path}", self.host.as_str(), self.port)
    }

    /// Waits for the one request that carries `state`; every other is turned away. Dropping it closes the port.
    pub(crate) async fn answer(self, state: &SecretString) -> Returned {
        let found = Mutex::new(None);
        let mut lines = FuturesUnordered::new();
        loop {
            let line = tokio::select! {
                line = self.v4.accept(), if lines.len() < MOST_LINES => line,
                line = accept(self.v6.as_ref()), if lines.len() < MOST_LINES => line,
                Some(()) = lines.next(), if !lines.is_empty() => {
                    if let Some(returned) = found.lock().unwrap_or_else(PoisonError::into_inner).take() {
                        return returned;
                    }
                    continue;
                }
            };
            match line {
                Ok((line, _)) => lines.push(serve(line, state, &self.path, &found)),
                // Out of file handles, most likely; others may be given back.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, std::net::SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

/// One connection, one request. Ends when the page has been handed over, so that the browser does not show a broken one.
async fn serve(line: TcpStream, state: &SecretString, path: &str, found: &Mutex<Option<Returned>>) {
    let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
        let verdict = judge(request.method(), request.uri().path() == path, request.uri().query().unwrap_or_default(), state);
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        let page = match verdict {
            Verdict::Ignored(status) => page(status),
            Verdict::Taken(_) if found.is_some() => page(StatusCode::GONE),
            Verdict::Taken(returned) => {
                let status = if matches!(returned, Returned::Code(_)) { StatusCode::OK } else { StatusCode::FORBIDDEN };
                *found = Some(returned);
                page(status)
            }
        };
        Ok::<_, Infallible>(page)
    });
    let connection = http1::Builder::new().keep_alive(false).max_buf_size(MOST_BYTES).serve_connection(TokioIo::new(line), service);
    // What is not HTTP, or takes too long, is dropped.
    let _ = tokio::time::timeout(PATIENCE, connection).await;
}

fn judge(method: &Method, here: bool, query: &str, state: &SecretString) -> Verdict {
    if method != Method::GET {
        return Verdict::Ignored(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !here {
        return Verdict::Ignored(StatusCode::NOT_FOUND);
    }
    let single = |wanted: &str| {
        let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none()).map(std::borrow::Cow::into_owned).filter(|value| !value.is_empty())
    };
    // Digests, so that the time it takes tells nothing of the state.
    let ours = single("state").is_some_and(|theirs| Sha256::digest(theirs) == Sha256::digest(state.expose_secret()));
    if !ours {
        return Verdict::Ignored(StatusCode::BAD_REQUEST);
    }
    Verdict::Taken(match (single("error"), single("code")) {
        (Some(error), _) => Returned::Refused {
            error,
            description: single("error_description").unwrap_or_default().chars().take(MOST_OF_DESCRIPTION).collect(),
        },
        (None, Some(code)) => Returned::Code(SecretString::from(code)),
        (None, None) => Returned::Neither,
    })
}

/// A plain page in our words; nothing of the request stands in it, and nothing in it runs.
fn page(status: StatusCode) -> Response<String> {
    let words = match status {
        StatusCode::OK => "Posture Console has what it needs from this page. You can close it and go back to the program.",
        StatusCode::FORBIDDEN => "You were not signed in. Posture Console says why; you can close this page and go back to the program.",
        StatusCode::GONE => "Posture Console has had its answer already. You can close this page.",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "There is nothing here.",
        _ => "This page does not belong to the sign-in that Posture Console waits for. Go back to the program and connect again.",
    };
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Posture Console</title></head><body><h1>Posture Console</h1><p>{words}</p></body></html>"
    );
    let mut page = Response::new(text);
    *page.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_port_that_somebody_else_has_under_either_family_is_left_alone() {
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let taken = [v6.local_addr().unwrap().port(), v4.local_addr().unwrap().port()];
        for port in taken {
            let error = Listener::bind_one_of([port]).await.map(|listener| listener.port).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            let listener = Listener::bind_one_of([port, 0]).await.unwrap();
            assert_ne!(listener.port, port);
            assert_eq!(listener.v6.unwrap().local_addr().unwrap().port(), listener.port, "both families are ours");
        }
    }
}
