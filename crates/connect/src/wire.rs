//! The wire itself: the one place that sends. Every request passes the guard, then the host's gate, is bounded in size and
//! time, is written to the log, and comes back understood or as a typed error.

use crate::{
    Clock, ConnectError, Credentials, Limits, Outcome, RequestClass, RequestEntry, Roots, Route,
    answer::{self, Bearer, MalformedLink, Received, Said},
    guard::{self, Asked},
    hop::{self, Hop, HopAnswer},
    jar::Jar,
    pace::Gate,
    proxy::{self, Chooser},
    request::Request,
    tls,
    token::{self, Token},
};
use catalog::{App, CauseKind, Dataset, Inputs, ResolvedHosts};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What happens while a request is made.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request is done, whatever came of it.
    Requested(RequestEntry),
    /// The vendor asks to wait.
    Waiting { host: String, until: jiff::Timestamp },
}

/// Who is told of events.
pub(crate) type Watcher<'a> = &'a (dyn Fn(Event) + Send + Sync);

/// An answer that holds data.
pub(crate) struct Fetched {
    /// Its line in the request log.
    pub(crate) request: u64,
    pub(crate) at: jiff::Timestamp,
    pub(crate) bytes: u64,
    pub(crate) content: Content,
    /// The headers of the answer.
    pub(crate) headers: HeaderMap,
}

pub(crate) enum Content {
    /// A body, and the link to the next page from the headers.
    Body { body: Value, next: Result<Option<String>, MalformedLink> },
    /// What stands in the place of something that does not exist.
    StandIn(BTreeMap<String, Value>),
}

/// What dataset requests are authorised by.
pub(crate) enum Authorisation {
    /// Nothing.
    Nothing,
    /// An `Authorization` header, marked sensitive.
    Header(HeaderValue),
    /// The application's cookies of a sign-in by single sign-on.
    Cookies(Jar),
    /// A bearer token that is renewed by itself.
    Token(Token),
}

/// What one request is authorised by: the header, and for a token that is renewed which one it is.
#[derive(Default)]
struct Carried {
    header: Option<(HeaderName, HeaderValue)>,
    generation: Option<u64>,
}

impl Carried {
    fn of(token: token::Carried) -> Self {
        Self { header: Some((AUTHORIZATION, token.header)), generation: Some(token.generation) }
    }
}

/// One client for one route, with the gates of its hosts and the credential.
pub(crate) struct Wire {
    client: reqwest::Client,
    chooser: Chooser,
    hosts: ResolvedHosts,
    inputs: Inputs,
    authorisation: Authorisation,
    bearer: Bearer,
    gates: BTreeMap<String, Gate>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    next_request: AtomicU64,
}

impl Wire {
    pub(crate) fn new(
        app: &App,
        hosts: ResolvedHosts,
        inputs: Inputs,
        credentials: &Credentials,
        route: &Route,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let chooser = Chooser::new(route, credentials)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(route)?)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .proxy(chooser.proxy(hosts.allowed.iter().map(String::as_str)))
            .dns_resolver(Names { sandbox: route.roots == Roots::Sandbox })
            .connect_timeout(limits.connect)
            .timeout(limits.request)
            .user_agent(concat!("posture-console/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| ConnectError::RouteInvalid {
                sentence: "The way out could not be set up.".to_owned(),
                remedy: "Check the proxy and the certificates under Network.".to_owned(),
            })?;
        Ok(Self {
            gates: gates(app, &hosts),
            client,
            chooser,
            hosts,
            inputs,
            authorisation: Authorisation::Nothing,
            bearer: Bearer::Key,
            limits,
            clock,
            next_request: AtomicU64::new(1),
        })
    }

    /// What dataset requests are authorised by from now on, and whose right that is.
    pub(crate) fn authorise(&mut self, authorisation: Authorisation, bearer: Bearer) {
        self.authorisation = authorisation;
        self.bearer = bearer;
    }

    /// Goes on with other values of the fields, and the hosts that they come to. The way out stays: `hosts` holds no host that
    /// was not allowed before.
    pub(crate) fn settle(&mut self, app: &App, hosts: ResolvedHosts, inputs: Inputs) {
        self.gates = gates(app, &hosts);
        self.hosts = hosts;
        self.inputs = inputs;
    }

    pub(crate) fn hosts(&self) -> &ResolvedHosts {
        &self.hosts
    }
    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
    /// Log lines from here on have at least this id.
    pub(crate) fn count_from(&self, first: u64) {
        self.next_request.fetch_max(first, Ordering::Relaxed);
    }

    /// Makes a request and understands its answer, waiting and asking again as far as `retries` and patience go.
    pub(crate) async fn fetch(
        &self,
        app: &App,
        dataset: &Dataset,
        request: &Request,
        retries: u32,
        watcher: Watcher<'_>,
    ) -> Result<Fetched, ConnectError> {
        let host = request.host();
        let query = request.query();
        let asked = Asked {
            class: request.class,
            dataset: &dataset.id,
            method: dataset.method.as_str(),
            host,
            path: request.url.path(),
            query: &query,
            body: dataset.document.as_deref(),
        };
        let permit = guard::permit(app, &self.hosts, &self.inputs, &asked)?;
        let gate = self.gates.get(host).ok_or_else(|| ConnectError::RequestRefused { sentence: "the host has no gate.".to_owned() })?;
        let waiting = |until| watcher(Event::Waiting { host: host.to_owned(), until });
        let (mut tries, mut waits, mut waited) = (0_u32, 0_u32, Duration::ZERO);
        // What is sent once more after the vendor refused a token that may have ended on its way.
        let mut again: Option<Carried> = None;
        let mut sent_again = false;
        loop {
            let place = gate.enter(self.clock(), self.limits.patience, &waiting).await?;
            let carried = match again.take() {
                Some(carried) => Ok(carried),
                None => self.carry(request, permit.credential, watcher).await,
            };
            let carried = match carried {
                Ok(carried) => carried,
                Err(error) => {
                    drop(place);
                    if tries < retries && matches!(error.kind(), CauseKind::Connectivity | CauseKind::VendorError) {
                        self.clock.sleep(self.backoff(tries, self.next_request.load(Ordering::Relaxed))).await;
                        tries += 1;
                        continue;
                    }
                    return Err(error);
                }
            };
            let generation = carried.generation;
            let mut line = self.line(request, dataset, watcher);
            let received = self.send(dataset, request, carried, &mut line).await;
            drop(place);
            let received = match received {
                Ok(received) => received,
                Err(error) => {
                    let id = line.failed(&error);
                    if tries < retries && is_passing(&error) {
                        self.clock.sleep(self.backoff(tries, id)).await;
                        tries += 1;
                        continue;
                    }
                    return Err(error);
                }
            };
            let now = self.clock.now();
            gate.heed(&dataset.politeness, &received.headers, now);
            match answer::understand(app, dataset, self.bearer, host, &received, &self.limits) {
                Said::Body(body) => {
                    if let (Some(_), Authorisation::Token(token)) = (generation, &self.authorisation) {
                        token.answered();
                    }
                    let next = answer::next_by_header(&received.headers);
                    return Ok(Fetched {
                        request: line.answered(),
                        at: now,
                        bytes: received.body.len() as u64,
                        content: Content::Body { body, next },
                        headers: received.headers,
                    });
                }
                Said::StandIn(fields) => {
                    return Ok(Fetched { request: line.answered(), at: now, bytes: 0, content: Content::StandIn(fields), headers: received.headers });
                }
                Said::Refused(error) => {
                    line.failed(&error);
                    if let (401, false, Some(generation), Authorisation::Token(token)) =
                        (received.status, sent_again, generation, &self.authorisation)
                        && let Some(fresh) = token.carry_again(self, watcher, generation).await?
                    {
                        again = Some(Carried::of(fresh));
                        sent_again = true;
                        continue;
                    }
                    return Err(error);
                }
                Said::Faltered(error) => {
                    let id = line.failed(&error);
                    if tries >= retries {
                        return Err(error);
                    }
                    self.clock.sleep(self.backoff(tries, id)).await;
                    tries += 1;
                }
                Said::Throttled => {
                    // Where the vendor does not say how long, longer each time.
                    let wait = answer::asks_to_wait(&received.headers, &dataset.politeness.reset_header, now)
                        .unwrap_or_else(|| Duration::from_secs(15) * 2_u32.pow(waits.min(8)))
                        .max(Duration::from_secs(1));
                    let until = gate.pause(now, wait);
                    waited += wait;
                    waits += 1;
                    let limited = ConnectError::RateLimited { host: host.to_owned(), until };
                    line.failed(&limited);
                    if waited > self.limits.patience {
                        return Err(gate.give_up(until));
                    }
                }
            }
        }
    }

    /// Half a second, then doubling, each between half and one and a half of that, so that clients that failed together do
    /// not come back together.
    fn backoff(&self, tries: u32, seed: u64) -> Duration {
        let base = Duration::from_millis(500) * 2_u32.pow(tries.min(6));
        base.mul_f64(0.5 + fraction(seed ^ self.clock.now().as_nanosecond() as u64))
    }

    fn line<'w>(&self, request: &Request, dataset: &Dataset, watcher: Watcher<'w>) -> Line<'w> {
        Line {
            entry: RequestEntry {
                id: self.next_request.fetch_add(1, Ordering::Relaxed),
                at: self.clock.now(),
                class: request.class,
                dataset: dataset.id.clone(),
                host: request.host().to_owned(),
                method: dataset.method.as_str().to_owned(),
                path_template: request.path_template.clone(),
                status: None,
                bytes: 0,
                milliseconds: 0,
                outcome: Outcome::Cut,
            },
            started: std::time::Instant::now(),
            watcher,
        }
    }

    /// Makes one request of a sign-in, once: nothing is retried, because what it carries may be good for one use or count
    /// against the user.
    pub(crate) async fn hop(&self, jar: &Jar, hop: Hop, mut headers: HeaderMap, watcher: Watcher<'_>) -> Result<HopAnswer, ConnectError> {
        let host = guard::permit_hop(&self.hosts, jar, &hop)?.to_owned();
        let (method, name) = match hop.method {
            hop::Method::Get => (reqwest::Method::GET, "GET"),
            hop::Method::Post => (reqwest::Method::POST, "POST"),
            hop::Method::Delete => (reqwest::Method::DELETE, "DELETE"),
        };
        headers.insert(ACCEPT, HeaderValue::from_static(hop.accept));
        if let Some(cookies) = jar.header_for(&hop.url) {
            headers.insert(COOKIE, cookies);
        }
        if let Some(from) = &hop.from {
            let origin = from.origin().ascii_serialization();
            if let (Ok(origin), Ok(referer)) = (HeaderValue::from_str(&origin), HeaderValue::from_str(&format!("{origin}/"))) {
                headers.insert(ORIGIN, origin);
                headers.insert(REFERER, referer);
            }
        }
        let mut builder = self.client.request(method, hop.url.clone());
        match &hop.body {
            hop::Body::Nothing => {}
            hop::Body::Json(text, kind) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                builder = builder.body(text.expose_secret().to_owned());
            }
            hop::Body::Form(fields) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, value.expose_secret());
                }
                builder = builder.body(form.finish());
            }
        }
        let mut line = Line {
            entry: RequestEntry {
                id: self.next_request.fetch_add(1, Ordering::Relaxed),
                at: self.clock.now(),
                class: RequestClass::SignInHop,
                dataset: String::new(),
                host: host.clone(),
                method: name.to_owned(),
                path_template: hop.path_template.clone(),
                status: None,
                bytes: 0,
                milliseconds: 0,
                outcome: Outcome::Cut,
            },
            started: std::time::Instant::now(),
            watcher,
        };
        match self.read(builder.headers(headers), &host, |_| self.limits.refusal_bytes * 16, &mut line).await {
            Ok(received) => {
                jar.take(&hop.url, &received.headers);
                line.answered();
                Ok(HopAnswer { url: hop.url, status: received.status, headers: received.headers, body: received.body })
            }
            Err(error) => {
                line.failed(&error);
                Err(error)
            }
        }
    }

    /// What a dataset request is authorised by now.
    async fn carry(&self, request: &Request, credential: bool, watcher: Watcher<'_>) -> Result<Carried, ConnectError> {
        let header = match &self.authorisation {
            _ if !credential => None,
            Authorisation::Nothing => None,
            Authorisation::Header(header) => Some((AUTHORIZATION, header.clone())),
            Authorisation::Cookies(jar) => jar.header_for(&request.url).map(|header| (COOKIE, header)),
            Authorisation::Token(token) => return Ok(Carried::of(token.carry(self, watcher).await?)),
        };
        Ok(Carried { header, generation: None })
    }

    async fn send(&self, dataset: &Dataset, request: &Request, carried: Carried, line: &mut Line<'_>) -> Result<Received, ConnectError> {
        let method = match dataset.method {
            catalog::Method::Get => reqwest::Method::GET,
            catalog::Method::Post => reqwest::Method::POST,
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = carried.header {
            headers.insert(name, value);
        }
        let mut builder = self.client.request(method, request.url.clone());
        if let Some(document) = &dataset.document {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            builder = builder.body(document.clone());
        }
        let bound = |status| if status == 200 { self.limits.page_bytes } else { self.limits.refusal_bytes };
        let received = self.read(builder.headers(headers), request.host(), bound, line).await?;
        if let (true, Authorisation::Cookies(jar)) = (dataset.authorised, &self.authorisation) {
            // Applications give a session another cookie from time to time; the earlier one is worth nothing then.
            jar.take(&request.url, &received.headers);
        }
        Ok(received)
    }

    async fn read(
        &self,
        builder: reqwest::RequestBuilder,
        host: &str,
        bound: impl Fn(u16) -> u64,
        line: &mut Line<'_>,
    ) -> Result<Received, ConnectError> {
        let mut response = match builder.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.what_failed(&error, host).await),
        };
        let status = response.status().as_u16();
        line.entry.status = Some(status);
        let bound = bound(status);
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    line.entry.bytes += chunk.len() as u64;
                    if line.entry.bytes > bound {
                        // What a refusal says is looked for in its beginning only.
                        if status != 200 {
                            break;
                        }
                        return Err(ConnectError::TooLarge { host: host.to_owned(), megabytes: bound.div_ceil(1024 * 1024) });
                    }
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Err(error) => return Err(self.what_failed(&error, host).await),
            }
        }
        Ok(Received { status, headers, body })
    }

    /// Turns the client's error into ours, by types and never by text.
    async fn what_failed(&self, error: &reqwest::Error, host: &str) -> ConnectError {
        let host_name = host.to_owned();
        let mut io_reason = None;
        let mut source: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = source {
            if let Some(refusal) = refusal_in(cause) {
                return refusal.on(host_name);
            }
            if let Some(NameUnknown(name)) = cause.downcast_ref() {
                return match self.chooser.proxy_for(host) {
                    Some(proxy) if name != host => ConnectError::ProxyUnreachable {
                        proxy: format!("{name}:{}", proxy.port_or_known_default().unwrap_or_default()),
                        host: host_name,
                        reason: "its name is not known",
                    },
                    Some(_) | None => ConnectError::HostNotFound { host: host_name },
                };
            }
            if let Some(error) = cause.downcast_ref::<std::io::Error>() {
                if let Some(inner) = error.get_ref() {
                    if let Some(refusal) = refusal_in(inner) {
                        return refusal.on(host_name);
                    }
                    if inner.is::<rustls::Error>() {
                        return ConnectError::TlsFailed { host: host_name };
                    }
                }
                io_reason = Some(proxy::reason(error));
            }
            source = cause.source();
        }
        if error.is_connect() {
            if let Some(diagnosis) = self.chooser.diagnose(host, self.limits.connect).await {
                return diagnosis;
            }
            let reason = if error.is_timeout() { "it does not answer" } else { io_reason.unwrap_or("the connection failed") };
            return ConnectError::HostUnreachable { host: host_name, reason };
        }
        if error.is_timeout() {
            return ConnectError::Timeout { host: host_name, seconds: self.limits.request.as_secs() };
        }
        ConnectError::Interrupted { host: host_name }
    }
}

/// The gate of each host that datasets are read from.
fn gates(app: &App, hosts: &ResolvedHosts) -> BTreeMap<String, Gate> {
    let mut gates: BTreeMap<String, Gate> = BTreeMap::new();
    for (role, (host, _)) in &hosts.roles {
        // Datasets of one host share its gate; the most careful of them sets the pace.
        let polite = || app.datasets.iter().filter(|dataset| dataset.host == *role).map(|dataset| &dataset.politeness);
        let concurrency = polite().map(|politeness| politeness.concurrency).min().unwrap_or(1);
        let per_second = polite().map(|politeness| politeness.per_second).filter(|rate| *rate > 0).min().unwrap_or(0);
        gates.entry(host.clone()).or_insert_with(|| Gate::new(host, concurrency, per_second));
    }
    gates
}

/// Faults that may be over in a moment.
fn is_passing(error: &ConnectError) -> bool {
    matches!(error.code(), "E-TIMEOUT" | "E-CONNECTION-CUT" | "E-HOST-UNREACHABLE" | "E-HOST-NOT-FOUND" | "E-PROXY-UNREACHABLE")
}

fn refusal_in(error: &(dyn StdError + 'static)) -> Option<tls::Refusal> {
    let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = error.downcast_ref::<rustls::Error>()? else {
        return None;
    };
    other.0.downcast_ref::<tls::Refusal>().cloned()
}

/// A line of the request log that is being written. Dropped before its end, it says that the request was cut.
struct Line<'w> {
    entry: RequestEntry,
    started: std::time::Instant,
    watcher: Watcher<'w>,
}

impl Line<'_> {
    fn answered(mut self) -> u64 {
        self.entry.outcome = Outcome::Answered;
        self.entry.id
    }
    fn failed(mut self, error: &ConnectError) -> u64 {
        self.entry.outcome = Outcome::Failed(error.code().to_owned());
        self.entry.id
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.entry.milliseconds = u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX);
        tracing::debug!(
            host = self.entry.host,
            path = self.entry.path_template,
            status = self.entry.status,
            bytes = self.entry.bytes,
            milliseconds = self.entry.milliseconds,
            "request"
        );
        (self.watcher)(Event::Requested(self.entry.clone()));
    }
}

/// The name service. On a sandbox's route there is none: its proxy is an address.
struct Names {
    sandbox: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the name service does not know the host")]
struct NameUnknown(String);

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let sandbox = self.sandbox;
        Box::pin(async move {
            let unknown = || NameUnknown(name.as_str().to_owned());
            if sandbox {
                return Err(unknown().into());
            }
            let found: Vec<std::net::SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| unknown())?.collect();
            if found.is_empty() {
                return Err(unknown().into());
            }
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// A number from 0 to 1 that looks random (SplitMix64 of the seed).
fn fraction(seed: u64) -> f64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}
