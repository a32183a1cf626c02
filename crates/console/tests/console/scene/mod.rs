//! A scene for tests: a simulated or recorded tenant, reached by the unchanged connectors over real HTTPS.
#![allow(dead_code, clippy::unwrap_used)]

use assess::{Params, Program};
use catalog::{App, Catalog, Collected, Completeness, Row, RowKey, Verdict};
use connect::{Clock, ConnectError, Limits, Page, RequestEntry, Resume, Route, Session, SignIn, Sink, SinkError};
use futures::future::BoxFuture;
use sandbox::{OverlayChange, Sandbox, Served, Tenant};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Tells the test run what was shown; see `cargo xtask test`.
pub fn promise(slug: &str, cases: usize, failures: usize) {
    let Ok(path) = std::env::var("POSTURE_PROMISES") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
    writeln!(file, "PROMISE {slug} cases={cases} failures={failures}").unwrap();
}

/// A clock that stands still but for the waits asked of it, which take no time.
pub struct SteppingClock(Mutex<jiff::Timestamp>);

impl SteppingClock {
    pub fn at(now: jiff::Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    /// Lets time pass.
    pub fn pass(&self, time: jiff::SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(time).unwrap();
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> jiff::Timestamp {
        *self.0.lock().unwrap()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(jiff::SignedDuration::try_from(time).unwrap()).unwrap();
        Box::pin(std::future::ready(()))
    }
}

/// A clock for people: what passes, passes at once, but nobody is given up while a browser is under way.
pub struct Patient {
    pub clock: Arc<SteppingClock>,
    /// Whether somebody may be at a browser.
    pub waits: AtomicBool,
}

impl Clock for Patient {
    fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        if time < Duration::from_secs(120) || !self.waits.load(Ordering::Relaxed) {
            return self.clock.sleep(time);
        }
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(15)).await;
            self.clock.sleep(time).await;
        })
    }
}

/// Follows pages through the sandbox's proxy, as a person's browser would.
pub struct Follows {
    pub sandbox: std::net::SocketAddr,
    pub ca_pem: String,
    pub came_to: Arc<Mutex<Vec<sandbox::Visited>>>,
}

impl connect::Browser for Follows {
    fn open(&self, address: &url::Url) -> Result<(), connect::NoBrowser> {
        let (sandbox, ca_pem, address, came_to) = (self.sandbox, self.ca_pem.clone(), address.clone(), self.came_to.clone());
        tokio::spawn(async move {
            let visited = sandbox::visit(sandbox, &ca_pem, address).await;
            came_to.lock().unwrap().push(visited);
        });
        Ok(())
    }
}

/// The day of every test.
pub fn today() -> jiff::Timestamp {
    "2026-11-21T09:14:00Z".parse().unwrap()
}

/// A console's database as SQLite sees it.
pub fn database(options: &posture_core::Options) -> rusqlite::Connection {
    let unlock = vault::Unlock::Keychain(Arc::clone(&options.keychain));
    let vault = vault::Vault::open(&options.data_folder.join("vault"), &unlock).unwrap();
    let path = options.data_folder.join("posture.db");
    let beginning = std::fs::read(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let (key, salt) = (hex::encode(vault.database_key().expose_secret()), hex::encode(&beginning[..16]));
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}{salt}'\"")).unwrap();
    connection
}

/// What a collection reads, in memory.
#[derive(Default)]
pub struct Shelf {
    pub rows: BTreeMap<String, Vec<Row>>,
    pub completeness: BTreeMap<String, Completeness>,
    pub requests: Vec<RequestEntry>,
}

impl Sink for Shelf {
    fn page(&mut self, page: Page) -> Result<(), SinkError> {
        self.rows.entry(page.dataset).or_default().extend(page.rows);
        Ok(())
    }
    fn finished(&mut self, dataset: &str, completeness: &Completeness) -> Result<(), SinkError> {
        self.completeness.insert(dataset.to_owned(), completeness.clone());
        Ok(())
    }
    fn queued(&mut self, _dataset: &str, _parents: &[RowKey]) -> Result<(), SinkError> {
        Ok(())
    }
    fn request(&mut self, entry: RequestEntry) -> Result<(), SinkError> {
        self.requests.push(entry);
        Ok(())
    }
    fn progress(&mut self, _progress: connect::Progress) {}
}

impl Shelf {
    pub fn collected(mut self) -> BTreeMap<String, Collected> {
        self.completeness
            .into_iter()
            .map(|(dataset, completeness)| {
                let rows = self.rows.remove(&dataset).unwrap_or_default();
                (dataset, Collected { rows, completeness })
            })
            .collect()
    }
}

/// Verdict of each check and row.
pub type Verdicts = BTreeMap<(String, RowKey), Verdict>;

/// A tenant that has signed in.
pub struct Scene {
    pub app: Arc<App>,
    pub program: Program,
    pub params: Params,
    pub sandbox: Sandbox,
    pub session: Session,
    pub clock: Arc<SteppingClock>,
    pub name: String,
}

impl Scene {
    /// A simulated tenant.
    pub async fn of_tenant(catalog: &Catalog, slug: &str, tenant: &str) -> Self {
        let app = catalog.app(slug).unwrap().unwrap();
        let known = catalog.sandbox_tenants(slug).unwrap().into_iter().find(|known| known.id == tenant).unwrap();
        // Lists that are asked for without a page size have several pages too.
        let prepared = Tenant::new(&known, &app, today()).unwrap().with_page_rows(2);
        let fields = prepared.fields().clone();
        Self::of(app, &known.login, &fields, known.params.clone(), format!("{slug}/{tenant}"), prepared.into()).await
    }

    /// Any source of answers.
    pub async fn of(app: Arc<App>, login: &str, fields: &BTreeMap<String, String>, params: Params, name: String, served: Served) -> Self {
        Self::try_of(app, login, fields, params, name, served).await.unwrap()
    }

    /// Any source of answers, which may refuse the credential.
    pub async fn try_of(
        app: Arc<App>,
        login: &str,
        fields: &BTreeMap<String, String>,
        params: Params,
        name: String,
        served: Served,
    ) -> Result<Self, ConnectError> {
        // One clock for both: a token of an hour would have ended when it comes, for a vendor whose time stands still.
        let clock = SteppingClock::at(today());
        let vendors = Arc::clone(&clock);
        let sandbox = Sandbox::start(vec![served], Arc::new(move || vendors.now())).await.unwrap();
        let route = Route::sandbox(sandbox.address(), sandbox.ca_pem()).unwrap();
        let login = app.login(login).unwrap();
        let (mut inputs, mut credentials) = (BTreeMap::new(), BTreeMap::new());
        for field in &login.fields {
            if let Some(value) = fields.get(&field.id) {
                if field.secret {
                    credentials.insert(field.id.clone(), SecretString::from(value.clone()));
                } else {
                    inputs.insert(field.id.clone(), value.clone());
                }
            }
        }
        let patient = Arc::new(Patient { clock: Arc::clone(&clock), waits: AtomicBool::new(true) });
        let browser = Follows { sandbox: sandbox.address(), ca_pem: sandbox.ca_pem().to_owned(), came_to: Arc::default() };
        let session = connect::sign_in(SignIn {
            app: &app,
            login,
            inputs: &inputs,
            credentials: &credentials,
            route: &route,
            limits: Limits::default(),
            clock: Arc::clone(&patient) as Arc<dyn Clock>,
            ledger: Arc::new(MemoryLedger::default()),
            browser: Arc::new(browser),
            cancel: tokio_util::sync::CancellationToken::new(),
            events: &|_step| {},
        })
        .await?;
        patient.waits.store(false, Ordering::Relaxed);
        let program = assess::compile(&app).unwrap();
        Ok(Self { app, program, params, sandbox, session, clock, name })
    }

    /// Everything the tenant answers now.
    pub async fn collect(&self) -> BTreeMap<String, Collected> {
        self.collect_as(&self.app).await
    }

    /// The same, asked for as this manifest says.
    pub async fn collect_as(&self, app: &App) -> BTreeMap<String, Collected> {
        let datasets: Vec<&str> = app.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
        self.collect_some(app, &datasets).await
    }

    /// These datasets and what they rest on.
    pub async fn collect_some(&self, app: &App, datasets: &[&str]) -> BTreeMap<String, Collected> {
        let mut shelf = Shelf::default();
        connect::collect(&self.session, app, datasets, Resume::default(), &mut shelf, CancellationToken::new()).await.unwrap();
        shelf.collected()
    }

    pub fn judge(&self, collected: &BTreeMap<String, Collected>) -> Verdicts {
        self.program
            .evaluate(collected, &self.params, today())
            .into_iter()
            .map(|judged| ((judged.check, judged.row), judged.verdict))
            .collect()
    }

    pub async fn verdicts(&self) -> Verdicts {
        self.judge(&self.collect().await)
    }

    /// Whether an answer has something at a place.
    pub fn has_field(&self, answer: &str, field: &str) -> bool {
        let overlay = self.sandbox.overlay();
        let change = OverlayChange::Remove { tenant: self.name.clone(), answer: answer.to_owned(), field: field.to_owned() };
        let there = overlay.apply(change).is_ok();
        if there {
            self.restore();
        }
        there
    }

    pub fn change(&self, change: OverlayChange) {
        self.sandbox.overlay().apply(change).unwrap();
    }

    pub fn restore(&self) {
        self.change(OverlayChange::Clear { tenant: Some(self.name.clone()) });
    }
}

/// A ledger of one-time codes for one scene.
#[derive(Default)]
pub struct MemoryLedger {
    steps: std::sync::Mutex<BTreeMap<String, u64>>,
}

impl connect::CodeLedger for MemoryLedger {
    fn enter<'a>(&'a self, _account: &'a str) -> futures::future::BoxFuture<'a, Result<Box<dyn Send>, connect::SinkError>> {
        Box::pin(async move { Ok(Box::new(()) as Box<dyn Send>) })
    }
    fn claim(&self, account: &str, step: u64) -> Result<bool, connect::SinkError> {
        let mut steps = self.steps.lock().unwrap();
        let fresh = steps.get(account).is_none_or(|last| *last < step);
        steps.insert(account.to_owned(), step);
        Ok(fresh)
    }
    fn refused(&self, _account: &str, _secret: &SecretString) -> Result<Option<jiff::Timestamp>, connect::SinkError> {
        Ok(None)
    }
    fn settle(&self, _account: &str, _secret: &SecretString, _refused_at: Option<jiff::Timestamp>) -> Result<(), connect::SinkError> {
        Ok(())
    }
}
