//! The listener: CONNECT for vendors' hosts, TLS within, and the control path beside it.

use crate::{
    Overlay, OverlayChange, SandboxError, Served,
    answer::{Asked, pairs},
    authority::{AUTHORITY_ORGANIZATION, Authority},
    control,
    reply::{Reply, ReplyBody, plain, reply},
    spoken::session_of,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use std::{
    collections::VecDeque,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The sandbox's idea of the present.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A running sandbox. It ends when this value is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    control: Mutex<Option<PathBuf>>,
    _running: DropGuard,
}

/// A request that reached a simulated vendor. Query values, bodies and credentials are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// The tenant that answered.
    pub tenant: Option<String>,
    /// `GET`.
    pub method: String,
    /// `api.kustomerapp.com`.
    pub host: String,
    /// As it was sent.
    pub path: String,
    /// Names of the query's parameters, in order.
    pub query: Vec<String>,
    /// Whether it carried the credential of the tenant that answered, and that was in force.
    pub authorised: bool,
    /// Status of the answer.
    pub status: u16,
}

pub(crate) struct Shared {
    authority: Authority,
    overlay: Overlay,
    clock: Clock,
    seen: Mutex<VecDeque<SeenRequest>>,
    refused: Mutex<Vec<String>>,
    /// What the control path asks for; unset while there is none.
    token: OnceLock<String>,
    ended: CancellationToken,
}

// The newest requests of a long-lived sandbox; a scan of 1,000 repositories makes a few thousand.
const SEEN: usize = 65_536;
const REFUSED: usize = 4_096;
// Forms and JSON of a sign-in are small, and so is every dataset's pinned body.
const BODY: usize = 1024 * 1024;
// A change holds at most one row; nothing larger than this is meant.
const CONTROL_BODY: usize = 4 * 1024 * 1024;

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1, on the tokio runtime this is called from.
    ///
    /// # Errors
    /// No socket, no certificates, or two sources of one name.
    pub async fn start(served: Vec<Served>, clock: Clock) -> Result<Self, SandboxError> {
        Self::start_under(AUTHORITY_ORGANIZATION, served, clock).await
    }

    /// The same, under an authority of another organization: it stands in for a company's inspecting proxy, so that tests
    /// can onboard a tenant as a real instance. A route to a real vendor refuses [`AUTHORITY_ORGANIZATION`] only.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn start_under(organization: &str, served: Vec<Served>, clock: Clock) -> Result<Self, SandboxError> {
        let shared = Arc::new(Shared {
            authority: Authority::new(organization)?,
            overlay: Overlay::new(served)?,
            clock,
            seen: Mutex::default(),
            refused: Mutex::default(),
            token: OnceLock::new(),
            ended: CancellationToken::new(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(SandboxError::Listen)?;
        let address = listener.local_addr().map_err(SandboxError::Listen)?;
        let running = shared.ended.clone().drop_guard();
        shared.spawn(accept(listener, shared.clone()));
        Ok(Self { shared, address, control: Mutex::default(), _running: running })
    }

    /// Where the proxy listens; always a loopback address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that signs the vendors' certificates here.
    pub fn ca_pem(&self) -> &str {
        self.shared.authority.pem()
    }

    /// What is changed about the answers.
    pub fn overlay(&self) -> &Overlay {
        &self.shared.overlay
    }

    /// Serves one more source of answers beside the present ones.
    ///
    /// # Errors
    /// When it cannot be told from one that is served.
    pub fn serve_also(&self, served: Served) -> Result<(), SandboxError> {
        self.shared.overlay.add(served)
    }

    /// Whether a source of that name (`kustomer/risky`) is served.
    pub fn serves(&self, name: &str) -> bool {
        self.shared.overlay.served().iter().any(|source| source.name == name)
    }

    /// Serves these sources instead of the present ones, at the same address under the same authority. Every change is
    /// taken back.
    ///
    /// # Errors
    /// Two sources of one name; the present ones stay then.
    pub fn serve(&self, served: Vec<Served>) -> Result<(), SandboxError> {
        self.shared.overlay.replace(served)
    }

    /// The requests that reached a simulated vendor, oldest first; the last 65,536.
    pub fn log(&self) -> Vec<SeenRequest> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Everything that was asked of the proxy and refused: `host:port` of CONNECT, or method and address of a request
    /// without a tunnel; the first 4,096.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets other processes of the same user change answers ([`control`]): writes `sandbox.json` (address, authority and a
    /// random token; on Unix readable by the user alone, elsewhere as the folder is) and `sandbox-ca.pem` into `runtime`, which must exist. Both are removed
    /// with the sandbox. Returns the path of the authority's certificate.
    ///
    /// # Errors
    /// The folder cannot be written, or there are no random bytes.
    pub fn open_control(&self, runtime: &Path) -> Result<PathBuf, SandboxError> {
        let token = match self.shared.token.get() {
            Some(token) => token.clone(),
            None => {
                let fresh = control::token()?;
                self.shared.token.get_or_init(|| fresh).clone()
            }
        };
        let path = control::announce(runtime, self.address, self.ca_pem(), &token)?;
        *self.control.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime.to_owned());
        Ok(path)
    }

    /// How many messages simulated identity providers would have sent to a person's phone so far: a scan must send none.
    pub fn messages(&self) -> u32 {
        self.shared.overlay.served().iter().flat_map(|source| source.doors().map(crate::door::Door::messages).collect::<Vec<_>>()).sum()
    }

    /// Ends the sandbox: the port is closed and every connection cut.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.control.lock().unwrap_or_else(PoisonError::into_inner).take() {
            control::withdraw(&runtime, self.address);
        }
    }
}

impl Shared {
    /// Runs until it is done or the sandbox ends.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        tokio::spawn(async move {
            ended.run_until_cancelled(work).await;
        });
    }

    fn serves(&self, host: &str) -> bool {
        self.overlay.served().iter().any(|source| source.hosts.contains(host))
    }

    fn refuse(&self, what: String) {
        tracing::info!(%what, "sandbox refused a request");
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REFUSED {
            refused.push(what);
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => shared.spawn(proxy(stream, shared.clone())),
            Err(cause) => {
                // Out of file handles, usually: let some connections end before the next try.
                tracing::warn!(%cause, "sandbox could not accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// Speaks HTTP/1.1 as a proxy on a fresh connection.
async fn proxy(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(proxied(request, &shared).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    if let Err(cause) = connection.await {
        tracing::debug!(%cause, "sandbox connection ended");
    }
}

async fn proxied(request: Request<Incoming>, shared: &Arc<Shared>) -> Response<ReplyBody> {
    if request.method() == Method::CONNECT {
        return tunnel(request, shared);
    }
    if request.method() == Method::POST && request.uri().host().is_none() && request.uri().path() == control::PATH {
        return controlled(request, shared).await;
    }
    // A path may hold what is nobody's business; the host says enough.
    shared.refuse(format!("{} {}", request.method(), request.uri().host().unwrap_or("without a host")));
    plain(
        StatusCode::BAD_REQUEST,
        "This is the proxy of the Posture Console sandbox. It opens tunnels to simulated vendors by CONNECT and nothing else.",
    )
}

fn tunnel(request: Request<Incoming>, shared: &Arc<Shared>) -> Response<ReplyBody> {
    let asked = request.uri().authority().map(|authority| (authority.host().to_ascii_lowercase(), authority.port_u16()));
    let host = match asked {
        Some((host, Some(443))) if shared.serves(&host) => host,
        Some((host, port)) => {
            shared.refuse(format!("{host}:{}", port.unwrap_or(443)));
            let text = format!("This sandbox does not simulate {host} and reaches no other host.");
            return plain(StatusCode::FORBIDDEN, &text);
        }
        None => {
            shared.refuse("CONNECT without a host".to_owned());
            return plain(StatusCode::BAD_REQUEST, "CONNECT names no host.");
        }
    };
    let config = match shared.authority.config(&host) {
        Ok(config) => config,
        Err(cause) => return plain(StatusCode::INTERNAL_SERVER_ERROR, &cause.to_string()),
    };
    let within = shared.clone();
    shared.spawn(async move {
        let upgraded = match hyper::upgrade::on(request).await {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(cause) => return tracing::debug!(%cause, "sandbox tunnel was not used"),
        };
        match TlsAcceptor::from(config).accept(upgraded).await {
            Ok(stream) => vendor(TokioIo::new(stream), host, within).await,
            Err(cause) => tracing::debug!(%cause, "sandbox handshake failed"),
        }
    });
    Response::new(crate::reply::whole(Bytes::new()))
}

/// Speaks HTTP/1.1 or HTTP/2, as the handshake agreed, as the vendor whose host the tunnel leads to.
async fn vendor<S>(stream: S, host: String, shared: Arc<Shared>)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let (host, shared) = (host.clone(), shared.clone());
        async move { Ok::<_, Infallible>(asked(request, host, &shared).await) }
    });
    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    if let Err(cause) = server.serve_connection(stream, service).await {
        tracing::debug!(%cause, "sandbox connection ended");
    }
}

async fn asked(request: Request<Incoming>, host: String, shared: &Shared) -> Response<ReplyBody> {
    let named = request.uri().authority().map(|authority| authority.host().to_owned()).or_else(|| {
        let header = request.headers().get(header::HOST)?.to_str().ok()?;
        Some(header.split_once(':').map_or(header, |(host, _)| host).to_owned())
    });
    let (head, body) = request.into_parts();
    let header = |name: header::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // HTTP/2 may send each cookie in a header of its own.
    let cookies = head.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let cookies = cookies.filter_map(|cookie| cookie.trim().split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = match Limited::new(body, BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(cause) => return plain(StatusCode::PAYLOAD_TOO_LARGE, &cause.to_string()),
    };
    let asked = Asked {
        host,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: pairs(head.uri.query().unwrap_or("")),
        authorization: header(header::AUTHORIZATION).or_else(|| session_of(header(header::CONTENT_TYPE).as_deref(), &body)),
        headers: head
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        cookies: cookies.collect(),
        content_type: header(header::CONTENT_TYPE),
        body,
    };
    let Reply { response, tenant, authorised } = if named.is_some_and(|named| named.eq_ignore_ascii_case(&asked.host)) {
        reply(&shared.overlay, &asked, (shared.clock)()).await
    } else {
        Reply {
            response: plain(StatusCode::MISDIRECTED_REQUEST, "The request names another host than the tunnel."),
            tenant: None,
            authorised: false,
        }
    };
    let entry = SeenRequest {
        tenant,
        method: asked.method,
        host: asked.host,
        path: asked.path,
        query: asked.query.into_iter().map(|(name, _)| name).collect(),
        authorised,
        status: response.status().as_u16(),
    };
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.len() == SEEN {
        seen.pop_front();
    }
    seen.push_back(entry);
    response
}

/// A change from another process.
async fn controlled(request: Request<Incoming>, shared: &Shared) -> Response<ReplyBody> {
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    if !shared.token.get().zip(given).is_some_and(|(token, given)| control::same(token, given)) {
        shared.refuse("control without its token".to_owned());
        return plain(StatusCode::UNAUTHORIZED, "The control path asks for the token of this sandbox.");
    }
    let body = match Limited::new(request.into_body(), CONTROL_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(cause) => return plain(StatusCode::PAYLOAD_TOO_LARGE, &cause.to_string()),
    };
    let change: OverlayChange = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(cause) => {
            return control::refused(&format!("The change is not understood: {cause}."), "See `posture sandbox set --help`.");
        }
    };
    match shared.overlay.apply(change) {
        Ok(()) => control::applied(),
        Err(cause) => control::refused(&cause.to_string(), &cause.remedy()),
    }
}
