//! An imaginary vendor: a real HTTPS server on loopback behind a CONNECT proxy, with an authority of its own; and the
//! application, clock and sink that the tests use with it.
#![allow(dead_code, clippy::unwrap_used)]

use bytes::Bytes;
use catalog::{
    Absent, App, Category, Choice, Completeness, Dataset, DatasetKind, Each, EachOver, Field, FieldPath, Format, HostRole, Keep, Login,
    Meaning, Method, Needs, NeverCalled, OnEmpty, PageLink, Pagination, Place, Politeness, Row, RowKey, Says, Strategy, TimestampFormat,
    Type, Verified,
};
use futures::{StreamExt, future::BoxFuture, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{Request, Response, body::Frame, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use posture_connect::{
    BegunStream, Clock, CodeLedger, ConnectError, Credentials, Limits, NoBrowser, Page, Progress, Proxy, RequestEntry, Resume, Roots,
    Route, Session, SignIn, SignInStep, Sink, SinkError, sign_in,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

pub const HOST: &str = "api.vendor.example";
pub const OTHER_HOST: &str = "api.elsewhere.example";
/// Header `{"alg":"none"}`, claims `{"orgName":"halden","roles":["a.read"],"exp":1893456000,"iss":"https://api.eu.vendor.example/"}`.
pub const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJvcmdOYW1lIjoiaGFsZGVuIiwicm9sZXMiOlsiYS5yZWFkIl0sImV4cCI6MTg5MzQ1NjAwMCwiaXNzIjoiaHR0cHM6Ly9hcGkuZXUudmVuZG9yLmV4YW1wbGUvIn0.c2lnbmF0dXJl";

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub host: String,
    pub method: String,
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    pub cookie: bool,
    /// The `Cookie` header.
    pub cookies: String,
    /// Every header, as it came.
    pub fields: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// A header's value; empty when it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.fields.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
    /// The token that it was asked with; empty when there was none.
    pub fn bearer(&self) -> &str {
        self.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default()
    }
    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(there, _)| there == name).map(|(_, value)| value.into_owned())
    }
    /// A field of a form.
    pub fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes()).find(|(there, _)| there == name).map(|(_, value)| value.into_owned())
    }
}

/// What the server does.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    pub delay: Duration,
}

#[derive(Clone)]
pub enum Body {
    Whole(Vec<u8>),
    /// These bytes again and again.
    Endless(Vec<u8>),
    /// These bytes, then the connection breaks.
    Cut(Vec<u8>),
    /// These bytes, then nothing, for ever.
    Hang(Vec<u8>),
}

pub fn ok(body: Value) -> Reply {
    Reply {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: Body::Whole(body.to_string().into_bytes()),
        delay: Duration::ZERO,
    }
}

pub fn status(status: u16, body: Value) -> Reply {
    Reply { status, ..ok(body) }
}

impl Reply {
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    pub fn kind(mut self, kind: &str) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self.header("content-type", kind)
    }
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Handler = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// How the certificates look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    Good,
    Expired,
    WrongHost,
}

pub struct Vendor {
    pub address: SocketAddr,
    pub authority_pem: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Vendor {
    pub async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with("Halden Moor Inspection CA", "Halden Moor", Certificates::Good, None, handler).await
    }

    pub async fn with(
        name: &str,
        organization: &str,
        certificates: Certificates,
        proxy_says: Option<&'static str>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.distinguished_name.push(rcgen::DnType::OrganizationName, organization);
        let authority = Arc::new(rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap());
        let authority_pem = authority.pem();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let handler: Handler = Arc::new(handler);
        let (seen_by, connections_by) = (seen.clone(), connections.clone());
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut line, _)) = listener.accept().await else { return };
                let (handler, seen, connections, authority) = (handler.clone(), seen_by.clone(), connections_by.clone(), authority.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") {
                        if line.read_exact(&mut byte).await.is_err() {
                            return;
                        }
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let host = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(':').next()).unwrap_or_default().to_owned();
                    connections.lock().unwrap().push(host.clone());
                    if let Some(answer) = proxy_says {
                        let _ = line.write_all(answer.as_bytes()).await;
                        return;
                    }
                    if line.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_err() {
                        return;
                    }
                    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server_config(&authority, &host, certificates)));
                    let Ok(stream) = acceptor.accept(line).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (handler, seen, host) = (handler.clone(), seen.clone(), host.clone());
                        async move { Ok::<_, io::Error>(answer(request, host, &handler, &seen).await) }
                    });
                    let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, authority_pem, seen, connections, task }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
    /// Hosts that the proxy was asked for, one per connection.
    pub fn connections(&self) -> Vec<String> {
        self.connections.lock().unwrap().clone()
    }
    pub fn route(&self) -> Route {
        Route {
            proxy: Proxy::Manual { url: format!("http://{}", self.address) },
            extra_roots_pem: vec![self.authority_pem.clone()],
            roots: Roots::Platform,
        }
    }
}

fn server_config(
    authority: &rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
    host: &str,
    certificates: Certificates,
) -> rustls::ServerConfig {
    let host = if certificates == Certificates::WrongHost { "other.example" } else { host };
    let mut params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    if certificates == Certificates::Expired {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

async fn answer(
    request: Request<Incoming>,
    host: String,
    handler: &Handler,
    seen: &Mutex<Vec<Seen>>,
) -> Response<BoxBody<Bytes, io::Error>> {
    let (parts, body) = request.into_parts();
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = Seen {
        host,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: text("authorization"),
        cookie: parts.headers.contains_key("cookie"),
        fields: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        cookies: text("cookie").unwrap_or_default(),
        body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    };
    let reply = handler(&request);
    seen.lock().unwrap().push(request);
    tokio::time::sleep(reply.delay).await;
    let frame = |bytes: Vec<u8>| Ok(Frame::data(Bytes::from(bytes)));
    let body: BoxBody<Bytes, io::Error> = match reply.body {
        Body::Whole(bytes) => Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed(),
        Body::Endless(bytes) => BodyExt::boxed(StreamBody::new(stream::repeat_with(move || frame(bytes.clone())))),
        Body::Cut(bytes) => BodyExt::boxed(StreamBody::new(stream::iter([frame(bytes)]).chain(stream::once(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(io::Error::other("cut"))
        })))),
        Body::Hang(bytes) => BodyExt::boxed(StreamBody::new(stream::iter([frame(bytes)]).chain(stream::pending()))),
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}

/// A clock that jumps: sleeping ends at once and moves it on. What was slept is kept.
pub struct TestClock {
    now: Mutex<jiff::Timestamp>,
    slept: Mutex<Vec<Duration>>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::new("2026-11-21T09:00:00Z".parse().unwrap()), slept: Mutex::default() })
    }
    pub fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
    /// Time passes without anybody waiting for it.
    pub fn jump(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> jiff::Timestamp {
        *self.now.lock().unwrap()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            *self.now.lock().unwrap() += time;
            self.slept.lock().unwrap().push(time);
            tokio::task::yield_now().await;
        })
    }
}

/// Keeps everything that a collection hands over.
#[derive(Default)]
pub struct Kept {
    pub pages: Vec<Page>,
    pub finished: BTreeMap<String, Completeness>,
    pub queued: BTreeMap<String, Vec<RowKey>>,
    pub requests: Vec<RequestEntry>,
    pub progress: Vec<Progress>,
    pub fail_at_page: Option<usize>,
    pub on_page: Option<Box<dyn FnMut(usize) + Send>>,
}

impl Kept {
    pub fn rows(&self, dataset: &str) -> Vec<&Row> {
        self.pages.iter().filter(|page| page.dataset == dataset).flat_map(|page| &page.rows).collect()
    }
    pub fn keys(&self, dataset: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.rows(dataset).iter().map(|row| row.key.0.clone()).collect();
        keys.sort();
        keys
    }
    /// What a store would give back after a cut.
    pub fn resume(&self) -> Resume {
        let mut resume = Resume { first_request: self.requests.iter().map(|entry| entry.id).max().unwrap_or(0) + 1, ..Resume::default() };
        for page in stored(&self.pages) {
            if let Some(completeness) = self.finished.get(&page.dataset) {
                let collected = resume
                    .finished
                    .entry(page.dataset.clone())
                    .or_insert_with(|| catalog::Collected { rows: Vec::new(), completeness: completeness.clone() });
                collected.rows.extend(page.rows.clone());
                continue;
            }
            let begun = resume.begun.entry(page.dataset.clone()).or_default();
            begun.rows.extend(page.rows.clone());
            begun.streams.retain(|stream| stream.parent != page.parent);
            begun.streams.push(BegunStream { parent: page.parent.clone(), pages: page.index + 1, next: page.next.clone() });
        }
        for (dataset, completeness) in &self.finished {
            resume
                .finished
                .entry(dataset.clone())
                .or_insert_with(|| catalog::Collected { rows: Vec::new(), completeness: completeness.clone() });
        }
        resume
    }
}

/// What a store holds after these pages: each takes the place of its list from there on.
pub fn stored<'a>(pages: impl IntoIterator<Item = &'a Page>) -> Vec<&'a Page> {
    let mut held: Vec<&Page> = Vec::new();
    for page in pages {
        held.retain(|before| (&before.dataset, &before.parent) != (&page.dataset, &page.parent) || before.index < page.index);
        held.push(page);
    }
    held
}

/// The keys that a store holds of a dataset after a collection and the one that went on from it.
pub fn keys_of_both(first: &Kept, second: &Kept, dataset: &str) -> Vec<String> {
    let held = stored(first.pages.iter().chain(&second.pages));
    let mut keys: Vec<String> =
        held.iter().filter(|page| page.dataset == dataset).flat_map(|page| &page.rows).map(|row| row.key.0.clone()).collect();
    keys.sort();
    keys
}

impl Sink for Kept {
    fn page(&mut self, page: Page) -> Result<(), SinkError> {
        if self.fail_at_page == Some(self.pages.len()) {
            return Err(SinkError { code: "E-DISK-FULL", sentence: "The disk is full.".into(), remedy: "Make room.".into() });
        }
        assert!(self.requests.iter().any(|entry| entry.id == page.request), "the log line of an answer comes before its rows");
        self.pages.push(page);
        let count = self.pages.len();
        if let Some(on_page) = &mut self.on_page {
            on_page(count);
        }
        Ok(())
    }
    fn finished(&mut self, dataset: &str, completeness: &Completeness) -> Result<(), SinkError> {
        assert!(self.finished.insert(dataset.to_owned(), completeness.clone()).is_none(), "{dataset} finished twice");
        Ok(())
    }
    fn queued(&mut self, dataset: &str, parents: &[RowKey]) -> Result<(), SinkError> {
        self.queued.entry(dataset.to_owned()).or_default().extend_from_slice(parents);
        Ok(())
    }
    fn request(&mut self, entry: RequestEntry) -> Result<(), SinkError> {
        self.requests.push(entry);
        Ok(())
    }
    fn progress(&mut self, progress: Progress) {
        self.progress.push(progress);
    }
}

pub fn place() -> Place {
    Place { file: "vendor/datasets.toml".into(), line: 1 }
}

pub fn keep(ty: Type) -> Keep {
    Keep { ty, transform: None, absent: None, on_empty: OnEmpty::None, source: None, published: false, withheld: None, place: place() }
}

pub fn optional(ty: Type, value: Value) -> Keep {
    Keep { absent: Some(Absent { value, source: "https://vendor.example/docs".into(), empty: false }), ..keep(ty) }
}

/// A list of `{id, name}` at `data[]`, or an object at `data`.
pub fn dataset(id: &str, kind: DatasetKind, path: &str) -> Dataset {
    let list = kind == DatasetKind::List;
    Dataset {
        id: id.into(),
        title: format!("The {id}"),
        kind,
        host: "api".into(),
        authorised: true,
        protocol: catalog::Protocol::default(),
        method: Method::Get,
        path: path.into(),
        query: vec![],
        document: None,
        headers: Default::default(),
        pagination: Pagination::None,
        form: Default::default(),
        published_by: None,
        recent: None,
        rows: if list { "data[]".into() } else { "data".into() },
        rows_absent: None,
        values: catalog::Values::default(),
        keep: BTreeMap::from([(FieldPath::from("id"), keep(Type::Id)), (FieldPath::from("name"), keep(Type::String))]),
        constant: BTreeMap::new(),
        key: if list { vec![FieldPath::from("id")] } else { vec![] },
        label: Some(FieldPath::from("name")),
        needs: Needs { any_of: vec![format!("{id}.read")], any_credential: false, plan: String::new(), fields: vec![] },
        each: None,
        instead: None,
        probes: Vec::new(),
        on_empty: OnEmpty::None,
        says: vec![],
        accepted: None,
        politeness: Politeness::default(),
        source: "https://vendor.example/docs".into(),
        place: place(),
    }
}

pub fn json_api() -> Pagination {
    Pagination::JsonApi {
        next: FieldPath::from("links.next"),
        size: Some(("pageSize".into(), 2)),
        ends_without: None,
        single: None,
        link: PageLink::default(),
    }
}

pub fn over(dataset: &str) -> Option<Each> {
    Some(Each {
        over: EachOver::Dataset { id: dataset.into(), filter: vec![] },
        carry: vec![FieldPath::from("id"), FieldPath::from("name")],
    })
}

pub fn says(status: u16, means: Meaning) -> Says {
    Says {
        status,
        body: None,
        body_contains: None,
        header: None,
        means,
        sentence: String::new(),
        source: "https://vendor.example/docs".into(),
        place: place(),
    }
}

pub fn field(id: &str, secret: bool, optional: bool, format: Format) -> Field {
    Field {
        id: id.into(),
        label: id.to_uppercase(),
        secret,
        optional,
        format,
        choices: vec![],
        default: None,
        help: String::new(),
        example: String::new(),
        steps: vec![],
        link: None,
        reveal: None,
    }
}

/// An application with a `me` object, and whatever else is given.
pub fn app(datasets: Vec<Dataset>) -> App {
    let choice =
        |value: &str, label: &str, host: &str| Choice { value: value.into(), label: label.into(), host: Some(host.into()), hidden: false };
    let mut region = field("region", false, false, Format::Choice);
    region.choices = vec![choice("us", "US", HOST), choice("eu", "EU", "api.eu.vendor.example")];
    region.label = "Region".into();
    let mut all = vec![dataset("me", DatasetKind::Object, "/v1/me")];
    all.extend(datasets);
    App {
        slug: "vendor".into(),
        name: "Vendor".into(),
        vendor: "Vendor, Inc.".into(),
        category: Category::Other,
        home: "https://vendor.example".into(),
        features: vec![],
        verified: Verified::Facts,
        link_hosts: vec![],
        never: vec![NeverCalled { path: "/v1/customer/settings".into(), reason: "Its answer holds a secret.".into(), place: place() }],
        says: vec![],
        logins: vec![Login {
            id: "api-key".into(),
            label: "API key".into(),
            summary: String::new(),
            strategy: Strategy::Bearer { token: "api_key".into() },
            also: Default::default(),
            headers: Default::default(),
            fields: vec![
                field("api_key", true, false, Format::Jwt),
                region,
                field("organization", false, true, Format::DnsLabel { suffixes: vec![] }),
                field("teams", false, true, Format::List { item: "(?<team>[a-z]+)(@(?<branch>[a-z]+))?".into() }),
            ],
            hosts: vec!["{region}".into()],
            roles: vec![HostRole { id: "api".into(), hosts: vec!["{region}".into()], prefix: String::new() }],
            test: "me".into(),
            discover: None,
            identity: None,
            needs: vec![],
            granted_header: None,
            expires: None,
            unused: None,
            steps: vec![],
            source: String::new(),
            place: place(),
        }],
        not_offered: vec![],
        planned: vec![],
        ended: None,
        left_out: vec![],
        not_covered: vec![],
        scopes: vec![],
        datasets: all,
        views: vec![],
        checks: vec![],
        inventories: vec![],
    }
}

pub fn inputs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut inputs = BTreeMap::from([("region".to_owned(), "us".to_owned())]);
    inputs.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    inputs
}

pub fn credentials() -> Credentials {
    Credentials::from([("api_key".to_owned(), SecretString::from(TOKEN))])
}

pub async fn try_sign_in(
    app: &App,
    route: &Route,
    limits: Limits,
    clock: Arc<dyn Clock>,
    pairs: &[(&str, &str)],
) -> Result<Session, ConnectError> {
    try_sign_in_with(app, route, limits, clock, &inputs(pairs), &credentials(), &|_| {}).await
}

pub async fn try_sign_in_with(
    app: &App,
    route: &Route,
    limits: Limits,
    clock: Arc<dyn Clock>,
    inputs: &BTreeMap<String, String>,
    credentials: &Credentials,
    events: &(dyn Fn(SignInStep) + Send + Sync),
) -> Result<Session, ConnectError> {
    let (ledger, browser, cancel) = (Arc::new(MemoryLedger::default()), Arc::new(NoBrowser), tokio_util::sync::CancellationToken::new());
    sign_in(SignIn { app, login: &app.logins[0], inputs, credentials, route, limits, clock, ledger, browser, cancel, events }).await
}

/// What a vendor with one user answers to whoever is let in.
pub fn one_user(path: &str) -> Reply {
    let body = if path == "/v1/me" { json!({"id": 7, "name": "Halden Moor"}) } else { json!([{"id": 1, "name": "One"}]) };
    ok(json!({ "data": body }))
}

/// Answers `/v1/me` itself and leaves the rest to `rest`.
pub fn me_and(rest: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| if seen.path == "/v1/me" { ok(json!({"data": {"id": 7, "name": "Scanner"}})) } else { rest(seen) }
}

/// Smaller than what scans use, so that a test meets them.
pub fn small() -> Limits {
    Limits { page_bytes: 512 * 1024, pages: 6, request: Duration::from_secs(2), connect: Duration::from_secs(2), ..Limits::default() }
}

pub fn timestamp() -> Type {
    Type::Timestamp(TimestampFormat::Rfc3339)
}

/// A ledger of one-time codes for one test.
#[derive(Default)]
pub struct MemoryLedger {
    ends: Mutex<BTreeMap<String, u64>>,
    refused: Mutex<BTreeMap<(String, String), jiff::Timestamp>>,
    turns: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryLedger {
    /// When the last recorded code of an account ends.
    pub fn last(&self, account: &str) -> Option<u64> {
        self.ends.lock().unwrap().get(account).copied()
    }
}

impl CodeLedger for MemoryLedger {
    fn enter<'a>(&'a self, _account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>, SinkError>> {
        Box::pin(async move { Ok(Box::new(Arc::clone(&self.turns).lock_owned().await) as Box<dyn Send>) })
    }
    fn claim(&self, account: &str, ends: u64) -> Result<bool, SinkError> {
        let mut known = self.ends.lock().unwrap();
        let fresh = known.get(account).is_none_or(|last| *last < ends);
        if fresh {
            known.insert(account.to_owned(), ends);
        }
        Ok(fresh)
    }
    fn refused(&self, account: &str, secret: &SecretString) -> Result<Option<jiff::Timestamp>, SinkError> {
        Ok(self.refused.lock().unwrap().get(&(account.to_owned(), secret.expose_secret().to_owned())).copied())
    }
    fn settle(&self, account: &str, secret: &SecretString, refused_at: Option<jiff::Timestamp>) -> Result<(), SinkError> {
        let (mut refused, name) = (self.refused.lock().unwrap(), (account.to_owned(), secret.expose_secret().to_owned()));
        match refused_at {
            Some(at) => refused.insert(name, at),
            None => refused.remove(&name),
        };
        Ok(())
    }
}
