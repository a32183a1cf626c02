//! The browser of a simulated organization, where no person is: it opens a page at the sandbox's proxy as a browser would, and
//! follows where the page sends it, to this computer at the end. It reaches nothing but the proxy and this computer.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

/// Pages that are followed at most.
const PAGES: usize = 8;
/// The most of a page that is read.
const BYTES: usize = 256 * 1024;

/// What became of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visited {
    /// The way led back to this computer, which took it with this status.
    Returned(u16),
    /// A page was shown that leads nowhere, with this status.
    Shown(u16),
    /// A line failed, or the address is none of a simulated vendor.
    Failed,
}

/// Opens a page of a simulated vendor through the sandbox's proxy, whose authority is `ca_pem`.
pub async fn visit(proxy: SocketAddr, ca_pem: &str, page: Url) -> Visited {
    // A proxy elsewhere is no sandbox.
    if !proxy.ip().is_loopback() {
        return Visited::Failed;
    }
    let mut page = page;
    for _ in 0..PAGES {
        let here = page.scheme() == "http" && matches!(page.host_str(), Some("127.0.0.1" | "localhost"));
        let Some((status, location)) = (if here { get_here(&page).await } else { get(proxy, ca_pem, &page).await }) else {
            return Visited::Failed;
        };
        if here {
            return Visited::Returned(status);
        }
        match location.and_then(|location| page.join(&location).ok()) {
            Some(next) if (300..400).contains(&status) => page = next,
            Some(_) | None => return Visited::Shown(status),
        }
    }
    Visited::Failed
}

async fn get_here(page: &Url) -> Option<(u16, Option<String>)> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, page.port()?)).await.ok()?;
    ask(stream, page).await
}

async fn get(proxy: SocketAddr, ca_pem: &str, page: &Url) -> Option<(u16, Option<String>)> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let host = page.host_str().filter(|_| page.scheme() == "https" && page.port().is_none())?;
    let mut stream = TcpStream::connect(proxy).await.ok()?;
    stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 4096 {
            return None;
        }
        head.push(stream.read_u8().await.ok()?);
    }
    if !head.starts_with(b"HTTP/1.1 200") {
        return None;
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(certificate.ok()?).ok()?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    ask(stream, page).await
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, page: &Url) -> Option<(u16, Option<String>)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let host = page.port().map_or_else(|| page.host_str().map(str::to_owned), |port| Some(format!("{}:{port}", page.host_str()?)))?;
    let target = &page[url::Position::BeforePath..url::Position::AfterQuery];
    let request = Request::get(target).header(header::HOST, host).header(header::ACCEPT, "text/html").body(Empty::<Bytes>::new()).ok()?;
    let exchange = async {
        let response = sender.send_request(request).await.ok()?;
        let status: StatusCode = response.status();
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        // A page that is cut was shown all the same.
        let _ = Limited::new(response.into_body(), BYTES).collect().await;
        Some((status.as_u16(), location))
    };
    // The connection has to be driven while the exchange waits.
    tokio::pin!(connection);
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        _ = &mut connection => exchange.await,
    }
}
