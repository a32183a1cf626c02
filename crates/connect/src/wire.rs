//! The wire itself: the one place that sends. Every request passes the guard, then the host's gate, is bounded in size and
//! time, is written to the log, and comes back understood or as a typed error.

use crate::{
    Clock, ConnectError, Credentials, Limits, Outcome, RequestClass, RequestEntry, Roots, Route,
    answer::{self, Bearer, MalformedLink, Received, Said},
    guard::{self, Asked},
    hop::{self, Hop, HopAnswer},
    jar::Jar,
    pace::Gate,
    protocol::{self, Spoken},
    proxy::{self, Chooser},
    request::Request,
    signing::{Held, PROOF},
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

/// The header of SOAP 1.1 that a request must have (<https://www.w3.org/TR/2000/NOTE-SOAP-20000508/#_Toc478383528>).
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

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
    /// A body, the link to the next page from the headers, and what the answer says in a language of its own.
    Body { body: Value, next: Result<Option<String>, MalformedLink>, spoken: Box<Spoken> },
    /// What stands in the place of something that does not exist.
    StandIn(BTreeMap<String, Value>),
    /// A statement that is not done; never handed out by [`Wire::fetch`].
    Running { handle: String },
}

/// What dataset requests are authorised by.
pub(crate) enum Authorisation {
    /// Nothing.
    Nothing,
    /// An `Authorization` header, marked sensitive.
    Header(HeaderValue),
    /// Headers of the vendor's own, marked sensitive.
    Headers(Vec<(HeaderName, HeaderValue)>),
    /// The application's cookies of a sign-in by single sign-on.
    Cookies(Jar),
    /// A bearer token that is renewed by itself.
    Token(Box<Token>),
}

/// What one request is authorised by: the header, and for a token that is renewed which one it is.
#[derive(Default)]
struct Carried {
    headers: Vec<(HeaderName, HeaderValue)>,
    generation: Option<u64>,
    /// The nonce of the proof that goes along, where one does.
    held: Option<Held>,
}

/// By what right some datasets are read: an authorisation and whose right it is, or why there is none.
type Right = Result<(Authorisation, Bearer), ConnectError>;

/// One client for one route, with the gates of its hosts and the credential.
pub(crate) struct Wire {
    client: reqwest::Client,
    chooser: Chooser,
    hosts: ResolvedHosts,
    inputs: Inputs,
    right: Right,
    /// The rights of host roles that have a credential of their own.
    also: BTreeMap<String, Arc<Right>>,
    /// Headers with fixed values.
    constant: HeaderMap,
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
            right: Ok((Authorisation::Nothing, Bearer::Key)),
            also: BTreeMap::new(),
            constant: HeaderMap::new(),
            limits,
            clock,
            next_request: AtomicU64::new(1),
        })
    }

    /// What dataset requests are authorised by from now on, and whose right that is.
    pub(crate) fn authorise(&mut self, authorisation: Authorisation, bearer: Bearer) {
        self.right = Ok((authorisation, bearer));
    }

    /// What requests for datasets of these host roles are authorised by from now on, or why nothing is read from them.
    pub(crate) fn authorise_also(&mut self, roles: &[String], right: Right) {
        let right = Arc::new(right);
        self.also.extend(roles.iter().map(|role| (role.clone(), Arc::clone(&right))));
    }

    /// Headers with fixed values that every dataset request carries from now on.
    pub(crate) fn headers(&mut self, headers: &BTreeMap<String, String>) {
        self.constant = constants(headers);
    }

    /// By what right a dataset is read.
    fn right(&self, dataset: &Dataset) -> Result<(&Authorisation, Bearer), ConnectError> {
        let right = self.also.get(&dataset.host).map_or(&self.right, |right| &**right);
        right.as_ref().map(|(authorisation, bearer)| (authorisation, *bearer)).map_err(Clone::clone)
    }

    /// Ends as soon as no token is being exchanged for the next one. Second credentials leave nothing behind.
    pub(crate) async fn settled(&self) {
        if let Ok((Authorisation::Token(token), _)) = &self.right {
            token.settled().await;
        }
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
    /// The id of the next log line.
    pub(crate) fn counted(&self) -> u64 {
        self.next_request.load(Ordering::Relaxed)
    }
    /// Log lines from here on have at least this id.
    pub(crate) fn count_from(&self, first: u64) {
        self.next_request.fetch_max(first, Ordering::Relaxed);
    }

    /// Makes a request and understands its answer, waiting and asking again as far as `retries` and patience go. A statement
    /// that takes its time is asked after, less and less often, until it is done.
    pub(crate) async fn fetch(
        &self,
        app: &App,
        dataset: &Dataset,
        request: &Request,
        retries: u32,
        watcher: Watcher<'_>,
    ) -> Result<Fetched, ConnectError> {
        let mut fetched = self.ask(app, dataset, request, retries, watcher).await?;
        let (mut waited, mut asked) = (Duration::ZERO, 0_u32);
        while let Content::Running { handle } = &fetched.content {
            let wait = (Duration::from_millis(500) * 2_u32.pow(asked.min(5))).min(Duration::from_secs(15));
            waited += wait;
            asked += 1;
            if waited > self.limits.patience {
                let sentence = format!("{} was still working on the statement after {} seconds.", app.name, self.limits.patience.as_secs());
                return Err(ConnectError::VendorError { status: 202, sentence });
            }
            let after = protocol::running(request, handle);
            self.clock.sleep(wait).await;
            fetched = self.ask(app, dataset, &after, retries, watcher).await?;
        }
        Ok(fetched)
    }

    async fn ask(
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
            method: request.method.as_str(),
            host,
            path: request.url.path(),
            query: &query,
            body: request.body.as_deref(),
        };
        let permit = guard::permit(app, &self.hosts, &self.inputs, &asked)?;
        let (authorisation, bearer) = match self.right(dataset) {
            // What needs no credential is read without it, whatever became of the one that others need.
            Err(_) if !permit.credential => (&Authorisation::Nothing, Bearer::Key),
            right => right?,
        };
        let gate = self.gates.get(host).ok_or_else(|| ConnectError::RequestRefused { sentence: "the host has no gate.".to_owned() })?;
        let waiting = |until| watcher(Event::Waiting { host: host.to_owned(), until });
        let (mut tries, mut waits, mut waited) = (0_u32, 0_u32, Duration::ZERO);
        // What is sent once more after the vendor refused a token that may have ended on its way.
        let mut again: Option<Carried> = None;
        let mut sent_again = false;
        let mut nonce_taken = false;
        loop {
            let place = gate.enter(self.clock(), self.limits.patience, &waiting).await?;
            let carried = match again.take() {
                Some(carried) => Ok(carried),
                None => self.carry(request, authorisation, permit.credential, watcher).await,
            };
            let mut carried = match carried {
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
            let (generation, held) = (carried.generation, carried.held.take());
            let mut line = self.line(request, dataset, watcher);
            let received = self.send(dataset, request, authorisation, carried, &mut line).await;
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
            let another_nonce = if let (Some(_), Authorisation::Token(token)) = (generation, authorisation) {
                token.heed(&request.url, &received.headers, held.as_ref(), now)
            } else {
                false
            };
            match answer::understand(app, dataset, bearer, host, &received, &self.limits) {
                Said::Running(handle) => {
                    if let (Some(_), Authorisation::Token(token)) = (generation, authorisation) {
                        token.answered();
                    }
                    return Ok(Fetched {
                        request: line.answered(),
                        at: now,
                        bytes: received.body.len() as u64,
                        content: Content::Running { handle },
                        headers: received.headers,
                    });
                }
                Said::Body { body, refused } => {
                    if let (Some(_), Authorisation::Token(token)) = (generation, authorisation) {
                        token.answered();
                    }
                    let (body, mut spoken) = match protocol::plain(dataset, request, body) {
                        Ok(plain) => plain,
                        Err(error) => {
                            line.failed(&error);
                            return Err(error);
                        }
                    };
                    if let Some((withheld, error)) = refused {
                        spoken.withheld = withheld;
                        // Why something is missing says more than that it is.
                        spoken.doubt = Some(error);
                    }
                    let next = answer::next_by_header(&received.headers);
                    return Ok(Fetched {
                        request: line.answered(),
                        at: now,
                        bytes: received.body.len() as u64,
                        content: Content::Body { body, next, spoken: Box::new(spoken) },
                        headers: received.headers,
                    });
                }
                Said::StandIn(fields) => {
                    return Ok(Fetched {
                        request: line.answered(),
                        at: now,
                        bytes: 0,
                        content: Content::StandIn(fields),
                        headers: received.headers,
                    });
                }
                Said::Refused(error) => {
                    line.failed(&error);
                    if received.status == 401 && another_nonce && !nonce_taken {
                        // The vendor wants its nonce in the proof (RFC 9449, section 9); the refused request was none.
                        nonce_taken = true;
                        continue;
                    }
                    // A fault of SOAP says so with status 500.
                    let ended = received.status == 401
                        || (protocol::holds_session(&dataset.protocol) && error.kind() == CauseKind::CredentialRefused);
                    if let (true, Some(generation), Authorisation::Token(token)) = (ended, generation, authorisation) {
                        if !sent_again && let Some(fresh) = token.carry_again(self, watcher, generation).await? {
                            again = Some(self.carried(token, fresh, request)?);
                            sent_again = true;
                            continue;
                        }
                        return Err(token.refused(received.status).unwrap_or(error));
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
                    let wait =
                        answer::asks_to_wait(&received.headers, Some((&dataset.politeness.reset_header, dataset.politeness.reset_in)), now)
                            .unwrap_or_else(|| Duration::from_secs(15) * 2_u32.pow(waits.min(8)))
                            .max(Duration::from_secs(1));
                    let until = gate.pause(now, wait);
                    // What the vendor asks for may be any number.
                    waited = waited.saturating_add(wait);
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
                method: request.method.as_str().to_owned(),
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
    async fn carry(
        &self,
        request: &Request,
        authorisation: &Authorisation,
        credential: bool,
        watcher: Watcher<'_>,
    ) -> Result<Carried, ConnectError> {
        let headers = match authorisation {
            _ if !credential => Vec::new(),
            Authorisation::Nothing => Vec::new(),
            Authorisation::Header(header) => vec![(AUTHORIZATION, header.clone())],
            Authorisation::Headers(headers) => headers.clone(),
            Authorisation::Cookies(jar) => jar.header_for(&request.url).map(|header| (COOKIE, header)).into_iter().collect(),
            Authorisation::Token(token) => return self.carried(token, token.carry(self, watcher).await?, request),
        };
        Ok(Carried { headers, generation: None, held: None })
    }

    /// A token as one request carries it, with the proof that it is ours where it is bound to a key.
    fn carried(&self, token: &Token, carried: token::Carried, request: &Request) -> Result<Carried, ConnectError> {
        let mut headers = vec![(AUTHORIZATION, carried.header)];
        let mut held = None;
        if let (Some(digest), Some(prover)) = (&carried.bound, token.prover()) {
            let (proof, nonce) = prover.proof(request.method.as_str(), &request.url, Some(digest), self.clock.now())?;
            headers.push((PROOF, proof));
            held = Some(nonce);
        }
        Ok(Carried { headers, generation: Some(carried.generation), held })
    }

    async fn send(
        &self,
        dataset: &Dataset,
        request: &Request,
        authorisation: &Authorisation,
        carried: Carried,
        line: &mut Line<'_>,
    ) -> Result<Received, ConnectError> {
        let method = match request.method {
            catalog::Method::Get => reqwest::Method::GET,
            catalog::Method::Post => reqwest::Method::POST,
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(self.constant.clone());
        headers.extend(constants(&dataset.headers));
        let mut builder = self.client.request(method, request.url.clone());
        if let Some(body) = &request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(protocol::content_type(&dataset.protocol)));
            if protocol::holds_session(&dataset.protocol) {
                headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
                headers.insert(SOAP_ACTION, HeaderValue::from_static("\"\""));
                let session = carried.headers.iter().find(|(name, _)| *name == AUTHORIZATION);
                let whole = session.and_then(|(_, value)| protocol::with_session(dataset, body, value.as_bytes()));
                let whole = whole.ok_or_else(|| ConnectError::RequestRefused {
                    sentence: format!("the session cannot stand in the body of dataset {}.", dataset.id),
                })?;
                builder = builder.body(whole.expose_secret().to_owned());
            } else {
                builder = builder.body(body.clone());
            }
        }
        if !protocol::holds_session(&dataset.protocol) {
            headers.extend(carried.headers.into_iter().map(|(name, value)| (Some(name), value)));
        }
        let bound = |status| if status == 200 { self.limits.page_bytes } else { self.limits.refusal_bytes };
        let received = self.read(builder.headers(headers), request.host(), bound, line).await?;
        if let (true, Authorisation::Cookies(jar)) = (dataset.authorised, authorisation) {
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

/// Headers of a manifest, which has looked at what they may hold.
fn constants(headers: &BTreeMap<String, String>) -> HeaderMap {
    headers
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?)))
        .collect()
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
