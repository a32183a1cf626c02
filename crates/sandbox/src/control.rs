//! Changing the answers of a sandbox that runs in another process of the same user: a token in a file that only this user
//! can read, and one path on the sandbox's own loopback port.

use crate::{
    OverlayChange, SandboxError,
    reply::{ReplyBody, json},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    io::{ErrorKind, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::net::TcpStream;

/// The path of the control endpoint.
pub(crate) const PATH: &str = "/control";
const FILE: &str = "sandbox.json";
const AUTHORITY_FILE: &str = "sandbox-ca.pem";
const ANSWER: usize = 64 * 1024;

/// A sandbox of this user that runs in some process.
#[derive(Clone, Serialize, Deserialize)]
pub struct Running {
    address: SocketAddr,
    ca_pem: String,
    token: String,
}

/// Makes one change to the sandbox that was announced in `runtime` ([`crate::Sandbox::open_control`]).
///
/// # Errors
/// None is running, or it refuses the change.
pub async fn control(runtime: &Path, change: &OverlayChange) -> Result<(), SandboxError> {
    Running::find(runtime)?.apply(change).await
}

impl Running {
    /// The sandbox that was announced in `runtime`; it may have ended since, without notice.
    ///
    /// # Errors
    /// There is none, or the announcement cannot be read.
    pub fn find(runtime: &Path) -> Result<Self, SandboxError> {
        let path = runtime.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Err(SandboxError::NotRunning);
            }
            Err(source) => return Err(SandboxError::Runtime { path, source }),
        };
        let running: Self = serde_json::from_slice(&text).map_err(|_| SandboxError::ControlAnswer)?;
        if running.address.ip().is_loopback() { Ok(running) } else { Err(SandboxError::ControlAnswer) }
    }

    /// Where its proxy listens; always a loopback address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its authority.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Makes one change.
    ///
    /// # Errors
    /// It does not run any more, or it refuses the change.
    pub async fn apply(&self, change: &OverlayChange) -> Result<(), SandboxError> {
        let stream = TcpStream::connect(self.address).await.map_err(|_| SandboxError::NotRunning)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| SandboxError::ControlAnswer)?;
        let request = self.request(change)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|_| SandboxError::ControlAnswer)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER).collect().await.map_err(|_| SandboxError::ControlAnswer)?;
            Ok((status, body.to_bytes()))
        };
        // The connection has to be driven while the exchange waits, and ends with it.
        let (status, body) = tokio::select! {
            exchanged = exchange => exchanged?,
            _ = connection => return Err(SandboxError::ControlAnswer),
        };
        if status == StatusCode::OK {
            return Ok(());
        }
        let Refusal { sentence, remedy } = serde_json::from_slice(&body).map_err(|_| SandboxError::ControlAnswer)?;
        Err(SandboxError::Refused { sentence, remedy })
    }

    fn request(&self, change: &OverlayChange) -> Result<Request<Full<Bytes>>, SandboxError> {
        let body = serde_json::to_vec(change).map_err(|_| SandboxError::ControlAnswer)?;
        let mut authorization =
            header::HeaderValue::from_str(&format!("Bearer {}", self.token)).map_err(|_| SandboxError::ControlAnswer)?;
        authorization.set_sensitive(true);
        Request::builder()
            .method(Method::POST)
            .uri(PATH)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| SandboxError::ControlAnswer)
    }
}

#[derive(Serialize, Deserialize)]
struct Refusal {
    sentence: String,
    remedy: String,
}

pub(crate) fn applied() -> Response<ReplyBody> {
    json(StatusCode::OK, &json!({"applied": true}))
}

pub(crate) fn refused(sentence: &str, remedy: &str) -> Response<ReplyBody> {
    json(StatusCode::UNPROCESSABLE_ENTITY, &json!(Refusal { sentence: sentence.to_owned(), remedy: remedy.to_owned() }))
}

/// 256 random bits.
pub(crate) fn token() -> Result<String, SandboxError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(SandboxError::Random)?;
    Ok(hex::encode(bytes))
}

/// Compares without telling by its duration where two tokens differ.
pub(crate) fn same(token: &str, given: &str) -> bool {
    token.len() == given.len() && token.bytes().zip(given.bytes()).fold(0, |difference, (one, two)| difference | (one ^ two)) == 0
}

/// Writes what other processes need to know; returns where the authority's certificate lies.
pub(crate) fn announce(runtime: &Path, address: SocketAddr, ca_pem: &str, token: &str) -> Result<PathBuf, SandboxError> {
    let running = Running { address, ca_pem: ca_pem.to_owned(), token: token.to_owned() };
    let text = serde_json::to_vec_pretty(&running).map_err(|_| SandboxError::ControlAnswer)?;
    let authority = runtime.join(AUTHORITY_FILE);
    write_private(&authority, ca_pem.as_bytes())?;
    write_private(&runtime.join(FILE), &text)?;
    Ok(authority)
}

/// Removes the announcement, unless another sandbox has put its own in that place.
pub(crate) fn withdraw(runtime: &Path, address: SocketAddr) {
    if Running::find(runtime).is_ok_and(|running| running.address == address) {
        for file in [FILE, AUTHORITY_FILE] {
            if let Err(cause) = std::fs::remove_file(runtime.join(file)) {
                tracing::warn!(%cause, file, "sandbox announcement stays");
            }
        }
    }
}

/// A file that nobody but the user can read, complete from the moment it is seen under its name.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let failed = |source| SandboxError::Runtime { path: path.to_owned(), source };
    let fresh = path.with_extension("new");
    // What a sandbox that was killed left behind may have other permissions.
    match std::fs::remove_file(&fresh) {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::NotFound => {}
        Err(cause) => return Err(failed(cause)),
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)
}
