use crate::{
    client::{World, builder, chain, still, tenant_name},
    helpdesk::{EU_HOST, HOST, halden_moor, ravensgill, tenant},
};
use catalog::SandboxTenant;
use reqwest::{Certificate, Client, Proxy, Version};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use sandbox::{AUTHORITY_ORGANIZATION, Sandbox, SandboxError};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn answers_the_vendors_name_in_both_versions_of_http() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/settings").await.version(), Version::HTTP_2);
    let old = builder(&world.sandbox).http1_only().build().unwrap();
    let response = old.get(format!("https://{HOST}/v1/settings")).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn another_authority_is_not_enough() {
    let world = World::new().await;
    let other = World::new().await;
    let client = Client::builder()
        .proxy(Proxy::all(format!("http://{}", world.sandbox.address())).unwrap())
        .tls_certs_only([Certificate::from_pem(other.sandbox.ca_pem().as_bytes()).unwrap()])
        .build()
        .unwrap();
    let error = client.get(format!("https://{HOST}/v1/settings")).send().await.unwrap_err();
    let text = chain(&error);
    // Two authorities of one name: either the key or the name may be what gives it away.
    assert!(text.contains("invalid peer certificate"), "{text}");
    assert!(world.sandbox.log().is_empty(), "the request was sent to somebody who is not trusted");
}

#[tokio::test]
async fn the_authority_says_what_it_is() {
    let world = World::new().await;
    let (_, pem) = x509_parser::pem::parse_x509_pem(world.sandbox.ca_pem().as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let organizations: Vec<&str> = certificate.subject().iter_organization().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(organizations, [AUTHORITY_ORGANIZATION]);
    assert!(certificate.is_ca());
    assert_eq!(AUTHORITY_ORGANIZATION, "Posture Console sandbox", "routes refuse this name; it may not change on one side only");
}

#[tokio::test]
async fn a_company_proxy_has_a_name_of_its_own() {
    let sandbox = Sandbox::start_under("Halden Moor Network", vec![tenant(&halden_moor()).into()], still()).await.unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(sandbox.ca_pem().as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let organizations: Vec<&str> = certificate.subject().iter_organization().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(organizations, ["Halden Moor Network"]);
    assert_eq!(presented(&sandbox).await, ["Halden Moor Network"], "of the host's certificate");
    let usual = World::new().await;
    assert_eq!(presented(&usual.sandbox).await, [AUTHORITY_ORGANIZATION]);
}

/// The organizations that the certificate of the vendor's host names, as a client sees it in the handshake.
async fn presented(sandbox: &Sandbox) -> Vec<String> {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config)).connect(HOST.try_into().unwrap(), stream).await.unwrap();
    let (_, connection) = stream.get_ref();
    let leaf = &connection.peer_certificates().unwrap()[0];
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).unwrap();
    certificate.subject().iter_organization().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn no_other_host_and_no_other_port_is_reached() {
    let world = World::new().await;
    // Somebody who would notice.
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    for target in ["login.other.example:443".to_owned(), format!("{HOST}:8443"), format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let mut stream = TcpStream::connect(world.sandbox.address()).await.unwrap();
        stream.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 403"), "{target}: {answer}");
        let host = target.split(':').next().unwrap();
        assert!(answer.contains(&format!("This sandbox does not simulate {host} and reaches no other host.")), "{answer}");
        assert!(world.sandbox.refused().contains(&target));
    }
    assert!(tokio::time::timeout(Duration::from_millis(200), elsewhere.accept()).await.is_err(), "a socket was opened");
}

#[tokio::test]
async fn plain_http_is_refused_without_keeping_its_path() {
    let world = World::new().await;
    let response = world.client.get(format!("http://{HOST}/v1/secret-path")).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(world.sandbox.refused(), [format!("GET {HOST}")]);
}

#[tokio::test]
async fn a_request_for_another_host_than_the_tunnels_is_misdirected() {
    let world = World::new().await;
    let client = builder(&world.sandbox).http1_only().build().unwrap();
    let request = client.get(format!("https://{HOST}/v1/settings")).header("host", "other.example").bearer_auth(&world.key);
    assert_eq!(request.send().await.unwrap().status(), 421);
}

#[tokio::test]
async fn ends_when_it_is_stopped() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/settings").await.status(), 200);
    let address = world.sandbox.address();
    world.sandbox.stop();
    // The accepting task is told to end; give the runtime a moment to do it.
    let mut closed = false;
    for _ in 0..50 {
        closed = TcpStream::connect(address).await.is_err();
        if closed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(closed, "the port is still open");
    let again = world.client.get(format!("https://{HOST}/v1/settings")).send().await;
    assert!(again.is_err(), "a kept connection still answers");
}

#[tokio::test]
async fn two_tenants_of_one_name_are_refused() {
    let twice = vec![tenant(&halden_moor()).into(), tenant(&halden_moor()).into()];
    match Sandbox::start(twice, still()).await {
        Err(SandboxError::Twice { name }) => assert_eq!(name, tenant_name()),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn two_tenants_that_nobody_can_tell_apart_are_refused() {
    let fresh = |id: &str| tenant(&SandboxTenant { id: id.into(), ..ravensgill() }).into();
    let world = World::new().await;
    for outcome in
        [Sandbox::start(vec![fresh("one"), fresh("two")], still()).await.map(drop), world.sandbox.serve(vec![fresh("one"), fresh("two")])]
    {
        let error = outcome.unwrap_err();
        let sentence = format!(
            "helpdesk/one and helpdesk/two both answer on {EU_HOST} and have the same credential, so that nobody can tell whom a request means."
        );
        assert_eq!(error.to_string(), sentence);
    }
    assert_eq!(world.get("/v1/settings").await.status(), 200, "what was served before stays");
}

#[tokio::test]
async fn the_log_knows_the_request_and_no_values() {
    let world = World::new().await;
    world.get("/v1/users?deleted=false&page=1&secret=value-of-a-secret").await;
    let log = world.sandbox.log();
    assert_eq!(log.len(), 1);
    let seen = &log[0];
    assert_eq!((seen.method.as_str(), seen.host.as_str(), seen.path.as_str(), seen.status), ("GET", HOST, "/v1/users", 200));
    assert_eq!(seen.query, ["deleted", "page", "secret"]);
    assert_eq!(seen.tenant.as_deref(), Some("helpdesk/risky"));
    assert!(seen.authorised);
    let text = format!("{seen:?}");
    assert!(!text.contains("value-of-a-secret") && !text.contains(&world.key), "{text}");
}
