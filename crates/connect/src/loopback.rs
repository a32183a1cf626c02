//! The listener for the browser's way back (RFC 8252, section 7.3): the only listening socket of this crate. On this
//! computer's loopback, for one answer, which must carry the state that only our page had.

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
/// How much of a description is looked at.
const MOST_OF_DESCRIPTION: usize = 32;

/// Waits on a port that the operating system chose.
pub(crate) struct Listener {
    v4: TcpListener,
    /// Where `localhost` is found under both families.
    v6: Option<TcpListener>,
    port: u16,
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
    pub(crate) async fn bind() -> io::Result<Self> {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = v4.local_addr()?.port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Self { v4, v6, port })
    }

    /// The address to come back to, as Microsoft registers it: `http://localhost` with any port and no path
    /// (<https://learn.microsoft.com/en-us/entra/identity-platform/reply-url>).
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
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
                Ok((line, _)) => lines.push(serve(line, state, &found)),
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
async fn serve(line: TcpStream, state: &SecretString, found: &Mutex<Option<Returned>>) {
    let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
        let verdict = judge(request.method(), request.uri().path(), request.uri().query().unwrap_or_default(), state);
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

fn judge(method: &Method, path: &str, query: &str, state: &SecretString) -> Verdict {
    if method != Method::GET {
        return Verdict::Ignored(StatusCode::METHOD_NOT_ALLOWED);
    }
    if path != "/" {
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
