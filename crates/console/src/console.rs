//! The console itself: what is open, what runs, and the road to blocking work.

use crate::{
    data_folder::InUse,
    drafts::Drafts,
    jobs::Jobs,
    options::Options,
    sandboxes::SandboxServer,
    screen::{CredentialNearsEnd, Failure, Job, Progress, Protection, Turn},
};
use catalog::{App, Catalog};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, atomic::AtomicBool},
};
use store::Store;
use tokio::sync::broadcast;
use vault::Vault;

/// How many turns, and how many ends of credentials, somebody who does not listen for a while finds again.
const TURNS: usize = 256;

/// Told of everything that happens in a job, in order.
pub type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// The engine. Clones share it.
#[derive(Clone)]
pub struct Console {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: Options,
    catalog: OnceLock<Result<Catalog, Failure>>,
    programs: Mutex<HashMap<String, Arc<assess::Program>>>,
    open: RwLock<Option<Open>>,
    /// Set by Lock: even a keychain that would open the data is then asked only on Unlock.
    pub(crate) locked: AtomicBool,
    pub(crate) drafts: Drafts,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) turns: broadcast::Sender<Turn>,
    pub(crate) credentials: broadcast::Sender<CredentialNearsEnd>,
    pub(crate) sandbox: tokio::sync::Mutex<Option<Arc<SandboxServer>>>,
}

/// What is there once the data is open.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) protection: Protection,
    /// The last turn that was told, or had been stored before it was opened.
    pub(crate) told: Arc<Mutex<i64>>,
    /// Keeps everybody from replacing the data meanwhile.
    pub(crate) _in_use: Arc<InUse>,
}

impl Console {
    /// Puts the console together. Touches neither keychain nor database, and parses no application yet.
    ///
    /// # Errors
    /// Never at present; the data folder is made when something is first stored.
    pub fn new(options: Options) -> Result<Self, Failure> {
        Ok(Self {
            inner: Arc::new(Inner {
                options,
                catalog: OnceLock::new(),
                programs: Mutex::default(),
                open: RwLock::new(None),
                locked: AtomicBool::new(false),
                drafts: Drafts::default(),
                jobs: Arc::default(),
                turns: broadcast::Sender::new(TURNS),
                credentials: broadcast::Sender::new(TURNS),
                sandbox: tokio::sync::Mutex::new(None),
            }),
        })
    }

    /// Jobs under way in this process and, while [`Console::keep_schedule`] is polled, in others.
    pub fn jobs(&self) -> Vec<Job> {
        self.inner.jobs.list()
    }

    /// Told of every change of [`Console::jobs`].
    pub fn watch_jobs(&self) -> tokio::sync::watch::Receiver<Vec<Job>> {
        self.inner.jobs.watch()
    }

    /// Stops a job; what was read is kept to resume from. An unknown job has ended already.
    pub fn cancel(&self, job: &str) {
        self.inner.jobs.cancel(job);
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.inner.options.clock.now()
    }

    pub(crate) fn catalog(&self) -> Result<&Catalog, Failure> {
        let loaded = self.inner.catalog.get_or_init(|| {
            let built_in = Catalog::built_in()?;
            match &self.inner.options.catalog_folder {
                None => Ok(built_in),
                Some(folder) => Ok(built_in.with_folder(folder)?),
            }
        });
        loaded.as_ref().map_err(Clone::clone)
    }

    /// The compiled checks of an application; compiled once.
    pub(crate) fn program(&self, app: &App) -> Result<Arc<assess::Program>, Failure> {
        if let Some(program) = self.inner.programs.lock().unwrap_or_else(PoisonError::into_inner).get(&app.slug) {
            return Ok(Arc::clone(program));
        }
        let program = Arc::new(assess::compile(app)?);
        self.inner.programs.lock().unwrap_or_else(PoisonError::into_inner).insert(app.slug.clone(), Arc::clone(&program));
        Ok(program)
    }

    pub(crate) fn set_open(&self, open: Option<Open>) {
        *self.inner.open.write().unwrap_or_else(PoisonError::into_inner) = open;
    }

    pub(crate) fn opened(&self) -> Option<Open> {
        self.inner.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn open(&self) -> Result<Open, Failure> {
        self.opened().ok_or_else(|| Failure::new("E-LOCKED", "The console is locked.", "Unlock it first."))
    }

    /// Runs blocking work on the open data, off the async threads.
    pub(crate) async fn with_open<T: Send + 'static>(
        &self,
        work: impl FnOnce(Open) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let open = self.open()?;
        blocking(move || work(open)).await
    }

    /// The same, after what was attested or decided and has ended since says so. Where that cannot be written (a full disk), what is there is
    /// shown all the same: whether an attestation holds is told from its end, and only the mark of its finding comes late.
    pub(crate) async fn with_current<T: Send + 'static>(
        &self,
        work: impl FnOnce(Open) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let now = self.now();
        self.with_open(move |open| {
            if let Err(error) = open.store.expire_attestations(now) {
                tracing::warn!(code = error.code(), "findings whose attestation has ended could not be marked");
            }
            expire_decisions(&open, now);
            work(open)
        })
        .await
    }
}

/// Ends the decisions whose time is over. Where that cannot be written, what a row says of its decision is told from its end.
pub(crate) fn expire_decisions(open: &Open, now: jiff::Timestamp) {
    if let Err(error) = open.store.expire_decisions(now) {
        tracing::warn!(code = error.code(), "decisions whose time is over could not be ended");
    }
}

/// Runs blocking work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The task panicked (its message went to standard error) or the program is ending.
        Err(_) => {
            Err(Failure::new("E-INTERNAL", "The console could not finish this.", "Start the console again; what was stored is unharmed."))
        }
    }
}
