//! A scan: sign in, read into the store, judge, commit. A cut scan is resumed and never replaces the last complete one.

use crate::{
    Console, Listener,
    catalog_document::word,
    codes::StoreLedger,
    console::{Open, blocking},
    credential_watch::{Used, keep_told},
    jobs::JobGuard,
    judge::judge,
    manual_instances::{is_manual, not_scanned},
    onboard::{Sealed, seal_keepsakes, seal_replaced},
    screen::{Failure, Outcome, Progress, Step, StepState, VerdictCounts},
    sink::{self, ScanSink},
};
use assess::Program;
use catalog::{App, Cause, CauseKind, Collected, RowKey};
use connect::{
    Begun, BegunStream, CodeLedger, ConnectError, Left, Limits, RequestEntry, Resume, Roots, Route, Session, SignIn, SignInStage,
    SignInStep,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use store::{Instance, InstanceId, InventoryWrite, Resumable, ResumeState, ScanId, ScanState, StartedBy, Store, VerdictTally};

/// Rows of a scan speak of one time; what was cut longer ago than this is read anew.
pub(crate) const RESUMABLE_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Tells a step's beginning and end, with the time it took.
pub(crate) struct StepClock<'a> {
    listener: &'a Listener,
    step: Step,
    began: Instant,
}

impl<'a> StepClock<'a> {
    pub(crate) fn begin(listener: &'a Listener, step: Step) -> Self {
        listener(Progress::Step { step, state: StepState::Running, detail: String::new(), milliseconds: 0 });
        Self { listener, step, began: Instant::now() }
    }

    pub(crate) fn end(self, state: StepState, detail: impl Into<String>) {
        let milliseconds = u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX);
        (self.listener)(Progress::Step { step: self.step, state, detail: detail.into(), milliseconds });
    }
}

impl Console {
    /// Scans an instance, going on with a scan that was cut.
    ///
    /// # Errors
    /// When it cannot sign in, is cancelled, or the store refuses. What a vendor does not let us read is no error: it is in the outcome.
    pub async fn scan(&self, instance: &str, listener: Listener) -> Result<Outcome, Failure> {
        let result = self.scan_quietly(instance, &listener).await;
        tell_ending(instance, &result, &listener);
        result
    }

    async fn scan_quietly(&self, instance: &str, listener: &Listener) -> Result<Outcome, Failure> {
        let asked = self.asked(instance_id(instance)?).await?;
        let started = self.begin(&asked.open, &asked.instance, &asked.app).await?;
        self.scan_begun(&asked, started, listener).await
    }

    /// Scans an instance for the due times since the mark; no outcome when another process has served them meanwhile.
    ///
    /// # Errors
    /// As [`Console::scan`].
    pub(crate) async fn scan_when_due(&self, instance: InstanceId, seen: Timestamp) -> Result<Option<Outcome>, Failure> {
        let asked = self.asked(instance).await?;
        let (store, app, now) = (asked.open.store.clone(), Arc::clone(&asked.app), self.now());
        let begun = blocking(move || {
            let datasets: Vec<&str> = app.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
            Ok(store.begin_due_scan(instance, seen, now, &datasets)?)
        })
        .await?;
        let Some(scan) = begun else { return Ok(None) };
        let started = Started::now(scan, now, StartedBy::Schedule);
        let listener: Listener = Arc::new(|_event| {});
        self.scan_begun(&asked, started, &listener).await.map(Some)
    }

    /// What is to be scanned, as a job that everybody sees.
    async fn asked(&self, id: InstanceId) -> Result<Asked, Failure> {
        let open = self.open()?;
        let store = open.store.clone();
        let instance = blocking(move || Ok(store.instance(id)?)).await?;
        let app = self.app(&instance.app)?;
        if is_manual(&instance, &app) {
            return Err(not_scanned(&app));
        }
        let job = self.inner.jobs.begin(&id.to_string(), &format!("{}, {}", app.name, instance.name));
        let program = self.program(&app)?;
        Ok(Asked { open, instance, app, program, job })
    }

    async fn scan_begun(&self, asked: &Asked, started: Started, listener: &Listener) -> Result<Outcome, Failure> {
        let Asked { open, instance, app, program, job } = asked;
        tracing::trace!(scan = started.state.scan.0, "signing in");
        match self.sign_in_stored(open, instance, app, listener, job).await {
            Ok((session, sealed)) => self.read_and_judge(open, instance, app, program, &session, sealed, started, listener, job).await,
            Err(error) => Err(self.give_up(open, instance, app, started.state.scan, started.by, error).await),
        }
    }

    /// The first scan of an instance that has just signed in.
    pub(crate) async fn first_scan(
        &self,
        instance: &Instance,
        app: &Arc<App>,
        session: &Session,
        listener: &Listener,
        job: &JobGuard,
    ) -> Result<Outcome, Failure> {
        let open = self.open()?;
        let program = self.program(app)?;
        let started = self.begin_anew(&open, instance, app).await?;
        self.read_and_judge(&open, instance, app, &program, session, Sealed::all_of(session), started, listener, job).await
    }

    /// Goes on with what was cut, if it is not too old, or begins anew.
    async fn begin(&self, open: &Open, instance: &Instance, app: &Arc<App>) -> Result<Started, Failure> {
        let (store, id, now) = (open.store.clone(), instance.id, self.now());
        let resumed = blocking(move || {
            let resumable = store.resumable_scan(id)?.filter(|scan| now.duration_since(scan.started_at) <= RESUMABLE_FOR);
            let resume = |resumable: Resumable| store.resume_scan(resumable.scan).map(|state| Started { state, by: resumable.started_by });
            Ok(resumable.map(resume).transpose()?)
        })
        .await?;
        match resumed {
            Some(resumed) => Ok(resumed),
            None => self.begin_anew(open, instance, app).await,
        }
    }

    /// Begins a scan and drops what was left unfinished.
    pub(crate) async fn begin_anew(&self, open: &Open, instance: &Instance, app: &Arc<App>) -> Result<Started, Failure> {
        let (store, app, id, now) = (open.store.clone(), Arc::clone(app), instance.id, self.now());
        blocking(move || {
            let datasets: Vec<&str> = app.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
            let scan = store.begin_scan(id, now, &datasets)?;
            Ok(Started::now(scan, now, StartedBy::Person))
        })
        .await
    }

    pub(crate) async fn sign_in_stored(
        &self,
        open: &Open,
        instance: &Instance,
        app: &Arc<App>,
        listener: &Listener,
        job: &JobGuard,
    ) -> Result<(Session, Sealed), ScanError> {
        let vault = Arc::clone(&open.vault);
        let id = instance.id.to_string();
        let credentials = blocking(move || Ok(vault.unseal(&id)?)).await?;
        let route = self.route_of(instance).await?;
        let login = app.login(&instance.login).ok_or_else(|| {
            Failure::new(
                "E-LOGIN-UNKNOWN",
                format!("{} no longer has the login option {}.", app.name, instance.login),
                "Reauthenticate the instance with another login option.",
            )
        })?;
        let clock = SignInClock::begin(listener, job, &route);
        let ledger = self.code_ledger(false)?;
        let left = Left::default();
        // Cancelled inside, so that what was begun at an identity provider is closed first.
        let request = SignIn {
            app,
            login,
            inputs: &instance.inputs,
            credentials: &credentials,
            route: &route,
            limits: Limits::default(),
            clock: Arc::clone(&self.inner.options.clock),
            ledger,
            browser: crate::browser::of_route(&self.inner.options.browser, &route),
            cancel: job.cancel.clone(),
            events: &|step| clock.tell(step),
        };
        let signed_in = connect::sign_in_leaving(request, &left).await;
        // Sealed whatever came of it, and before all else: a refresh token may have been good for one use.
        let sealed = seal_keepsakes(open, instance.id, credentials.clone(), left.all(), self.now()).await;
        if let Err(failure) = &sealed {
            tracing::warn!(code = failure.code, "what the sign-in left could not be sealed");
        }
        let logged = log_requests(&open.store, instance.id, clock.into_requests()).await;
        let session = signed_in.map_err(ScanError::Wire)?;
        // What cannot be sealed now may be later, and the session is the only one that has it.
        let sealed = Sealed::after(sealed, credentials, &session);
        logged?;
        self.keep_granted(instance.id, &session).await?;
        self.keep_credential(instance.id, login, &session, Used::Again).await;
        Ok((session, sealed))
    }

    /// The ledger of the open database. `attended` says that a person has just given the secrets.
    pub(crate) fn code_ledger(&self, attended: bool) -> Result<Arc<dyn CodeLedger>, Failure> {
        let open = self.open()?;
        Ok(Arc::new(StoreLedger { store: open.store.clone(), clock: Arc::clone(&self.inner.options.clock), attended }))
    }

    /// Reads, judges and commits a scan that has begun, and ends it whatever comes.
    #[allow(clippy::too_many_arguments)]
    pub(crate) async fn read_and_judge(
        &self,
        open: &Open,
        instance: &Instance,
        app: &Arc<App>,
        program: &Arc<Program>,
        session: &Session,
        sealed: Sealed,
        started: Started,
        listener: &Listener,
        job: &JobGuard,
    ) -> Result<Outcome, Failure> {
        let Started { state, by } = started;
        let (scan, as_of) = (state.scan, state.as_of);
        let step = StepClock::begin(listener, Step::Scan);
        let telling = self.tell_others(open, instance.id, job);
        let collected = self.collect(open, instance, app, session, sealed, state, listener, job).await;
        telling.end().await;
        match collected {
            Ok(()) => step.end(StepState::Done, ""),
            Err(error) => {
                step.end(StepState::Failed, "");
                return Err(self.give_up(open, instance, app, scan, by, error).await);
            }
        }
        let step = StepClock::begin(listener, Step::Judge);
        let (store, app_of, id, now, program) = (open.store.clone(), Arc::clone(app), instance.id, self.now(), Arc::clone(program));
        let login = instance.login.clone();
        let judged = blocking(move || {
            let collected = store.collected(scan)?;
            tracing::trace!(scan = scan.0, "judging");
            loop {
                // Thresholds may have been changed since the scan began, and once more while it is judged.
                let params = store.instance(id)?.params;
                let thresholds = store.inventory_thresholds(id)?;
                let checks = judge(&app_of, &program, &collected, &params, as_of)?;
                let found = program.inventory(&collected, &thresholds, as_of);
                let inventory = InventoryWrite { thresholds, accounts: &found.accounts, plugins: &found.plugins };
                tracing::trace!(scan = scan.0, "committing");
                if let Some(outcome) = store.commit_scan_judged_by(scan, &params, &checks, &inventory, as_of, now)? {
                    tracing::trace!(scan = scan.0, "committed");
                    if let Err(failure) = keep_told(&store, app_of.login(&login), id, &collected, now) {
                        tracing::warn!(code = failure.code, "when a credential ends could not be stored");
                    }
                    return Ok(outcome);
                }
            }
        })
        .await;
        match judged {
            Ok(outcome) => {
                job.report(1.0, "");
                let outcome = outcome_screen(&outcome);
                let came_to = format!("{} open, {} new", outcome.opened + outcome.still_open + outcome.not_rechecked, outcome.opened);
                step.end(StepState::Done, came_to.as_str());
                self.note_health(open, instance, app).await;
                self.after_scan(open, instance, by, Ok(came_to)).await;
                Ok(outcome)
            }
            Err(failure) => {
                step.end(StepState::Failed, "");
                Err(self.give_up(open, instance, app, scan, by, ScanError::Own(failure)).await)
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    async fn collect(
        &self,
        open: &Open,
        instance: &Instance,
        app: &Arc<App>,
        session: &Session,
        mut sealed: Sealed,
        started: ResumeState,
        listener: &Listener,
        job: &JobGuard,
    ) -> Result<(), ScanError> {
        let datasets: Vec<&str> = app.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
        let scan = started.scan;
        let resume = {
            let store = open.store.clone();
            blocking(move || resume(&store, started)).await?
        };
        let mut sink = ScanSink {
            app,
            store: open.store.clone(),
            scan,
            instance: instance.id,
            listener: Arc::clone(listener),
            job,
            requests: HashMap::new(),
            rows: BTreeMap::new(),
            done: u32::try_from(resume.finished.len()).unwrap_or(u32::MAX),
            of: u32::try_from(datasets.len()).unwrap_or(u32::MAX),
        };
        let reading = connect::collect(session, app, &datasets, resume, &mut sink, job.cancel.clone());
        tokio::pin!(reading);
        let read = loop {
            tokio::select! {
                biased;
                read = &mut reading => break read.map_err(ScanError::Wire),
                () = session.keepsakes_replaced() => self.keep(open, instance.id, session, &mut sealed).await,
            }
        };
        self.keep(open, instance.id, session, &mut sealed).await;
        read?;
        Ok(sealed.whole()?)
    }

    /// Seals what replaced itself, or could not be sealed before.
    pub(crate) async fn keep(&self, open: &Open, instance: InstanceId, session: &Session, sealed: &mut Sealed) {
        if let Err(failure) = seal_replaced(open, instance, session, sealed, self.now()).await {
            tracing::warn!(code = failure.code, "what the sign-in left could not be sealed anew");
        }
    }

    /// Ends a scan that cannot go on, with its cause; what was read stays to go on from.
    pub(crate) async fn give_up(
        &self,
        open: &Open,
        instance: &Instance,
        app: &Arc<App>,
        scan: ScanId,
        by: StartedBy,
        error: ScanError,
    ) -> Failure {
        let (failure, cause, cancelled) = match error {
            ScanError::Wire(error) => {
                let cancelled = matches!(error, ConnectError::Cancelled);
                let cause = error.cause();
                (Failure::from(error), cause, cancelled)
            }
            ScanError::Own(failure) => {
                let cause = Cause { kind: CauseKind::InputIncomplete, sentence: failure.sentence.clone(), remedy: failure.remedy.clone() };
                (failure, cause, false)
            }
        };
        let state = if cancelled { ScanState::Cancelled } else { ScanState::Failed };
        let (store, now) = (open.store.clone(), self.now());
        if let Err(second) = blocking(move || Ok(store.end_scan(scan, state, Some(&cause), now)?)).await {
            // The first failure is the one to show; this one leaves a running scan that the next start marks as cut.
            tracing::warn!(code = second.code, "the scan's end could not be stored");
        }
        // What somebody stopped says nothing of the instance.
        if !cancelled {
            self.note_health(open, instance, app).await;
        }
        self.after_scan(open, instance, by, Err(failure.sentence.clone())).await;
        failure
    }
}

/// What is asked to be scanned.
struct Asked {
    open: Open,
    instance: Instance,
    app: Arc<App>,
    program: Arc<Program>,
    job: JobGuard,
}

/// A scan that has begun, anew or again.
pub(crate) struct Started {
    pub(crate) state: ResumeState,
    pub(crate) by: StartedBy,
}

impl Started {
    fn now(scan: ScanId, now: Timestamp, by: StartedBy) -> Self {
        Self { state: ResumeState { scan, started_at: now, as_of: now, datasets: Vec::new(), parents: Vec::new() }, by }
    }
}

/// Why a scan could not go on.
pub(crate) enum ScanError {
    Wire(ConnectError),
    Own(Failure),
}

impl From<Failure> for ScanError {
    fn from(failure: Failure) -> Self {
        Self::Own(failure)
    }
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Wire(error) => error.into(),
            ScanError::Own(failure) => failure,
        }
    }
}

/// The last event of a job.
pub(crate) fn tell_ending(instance: &str, result: &Result<Outcome, Failure>, listener: &Listener) {
    match result {
        Ok(outcome) => listener(Progress::Finished { instance: instance.to_owned(), outcome: *outcome }),
        Err(failure) => listener(Progress::Failed {
            failure: failure.clone(),
            kept: "The last complete scan still counts; what was read now is kept to resume from.".into(),
        }),
    }
}

/// Tells the steps of a sign-in, with the time it took, and keeps its requests for the log.
pub(crate) struct SignInClock<'a> {
    listener: &'a Listener,
    job: &'a JobGuard,
    /// Whether the pages that a person is sent to are the vendor's. Those of the sandbox have its addresses and are not.
    real: bool,
    began: Instant,
    requests: Mutex<Vec<RequestEntry>>,
}

impl<'a> SignInClock<'a> {
    pub(crate) fn begin(listener: &'a Listener, job: &'a JobGuard, route: &Route) -> Self {
        let real = match route.roots {
            Roots::Platform => true,
            Roots::Sandbox => false,
        };
        Self { listener, job, real, began: Instant::now(), requests: Mutex::default() }
    }

    pub(crate) fn tell(&self, step: SignInStep) {
        let Self { listener, job, .. } = self;
        let tell = |step, state, detail: String, milliseconds| listener(Progress::Step { step, state, detail, milliseconds });
        match step {
            SignInStep::FieldsChecked => tell(Step::Format, StepState::Done, String::new(), 0),
            SignInStep::HostsResolved { .. } => {}
            SignInStep::Asking { host, .. } => {
                job.report(0.0, &host);
                tell(Step::Host, StepState::Running, host, 0);
            }
            SignInStep::Requested { entry } => {
                if entry.status.is_some() {
                    tell(Step::Host, StepState::Done, entry.host.clone(), entry.milliseconds);
                    tell(Step::SignIn, StepState::Running, String::new(), self.milliseconds());
                } else {
                    tell(Step::Host, StepState::Failed, entry.host.clone(), entry.milliseconds);
                }
                self.kept().push(entry);
            }
            SignInStep::Stage { stage, host } => {
                if !host.is_empty() {
                    job.report(0.0, &host);
                }
                listener(Progress::SignIn { stage: word(&stage), title: stage.title().to_owned(), host, until: None });
            }
            SignInStep::WaitingForCode { until } => listener(Progress::SignIn {
                stage: word(&SignInStage::OneTimeCode),
                title: "waiting for the next one-time code".to_owned(),
                host: String::new(),
                until: Some(until.to_string()),
            }),
            SignInStep::Visit { address, code, until } => {
                if let (true, Ok(page)) = (self.real, url::Url::parse(&address)) {
                    job.waits_at(page);
                }
                listener(Progress::Visit { address, code, until: until.to_string() });
            }
            SignInStep::Waiting { host, until } => job.report(0.0, &format!("{host}, which asks us to wait until {until}")),
            SignInStep::Accepted => tell(Step::SignIn, StepState::Done, String::new(), self.milliseconds()),
        }
    }

    /// The sign-in came to nothing. A host that was not reached has failed as a step of its own; nobody was signed in or refused
    /// there.
    pub(crate) fn fail(&self) {
        if self.kept().iter().any(|entry| entry.status.is_some()) {
            let milliseconds = self.milliseconds();
            (self.listener)(Progress::Step { step: Step::SignIn, state: StepState::Failed, detail: String::new(), milliseconds });
        }
    }

    /// The requests that were made.
    pub(crate) fn into_requests(self) -> Vec<RequestEntry> {
        self.requests.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn milliseconds(&self) -> u32 {
        u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<RequestEntry>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn log_requests(store: &Store, instance: InstanceId, entries: Vec<RequestEntry>) -> Result<(), Failure> {
    let store = store.clone();
    blocking(move || {
        for entry in &entries {
            store.log_request(&sink::request(entry, instance, None))?;
        }
        Ok(())
    })
    .await
}

/// What the store holds of a scan, as the wire takes it up again.
fn resume(store: &Store, state: ResumeState) -> Result<Resume, Failure> {
    if state.datasets.is_empty() {
        return Ok(Resume::default());
    }
    let mut collected = store.collected(state.scan)?;
    let mut resume = Resume::default();
    for dataset in state.datasets {
        let Some(rows) = collected.remove(&dataset.dataset).map(|collected| collected.rows) else { continue };
        match dataset.completeness {
            // What was not read whole is read anew: the store has forgotten it already.
            Some(completeness) if completeness.is_complete() => {
                resume.finished.insert(dataset.dataset, Collected { rows, completeness });
            }
            Some(_) => {}
            None => {
                let streams: Vec<BegunStream> = state
                    .parents
                    .iter()
                    .filter(|parent| parent.dataset == dataset.dataset && parent.pages > 0)
                    .map(|parent| BegunStream {
                        parent: (parent.parent != RowKey::default()).then(|| parent.parent.clone()),
                        pages: parent.pages,
                        next: parent.next.clone(),
                    })
                    .collect();
                if !streams.is_empty() {
                    resume.begun.insert(dataset.dataset, Begun { rows, streams });
                }
            }
        }
    }
    Ok(resume)
}

pub(crate) fn instance_id(text: &str) -> Result<InstanceId, Failure> {
    text.parse()
        .map_err(|_| Failure::new("E-NOT-FOUND", "There is no such instance.", "It may have been deleted meanwhile: reload the list."))
}

fn outcome_screen(outcome: &store::ScanOutcome) -> Outcome {
    Outcome {
        opened: outcome.opened,
        still_open: outcome.still_open,
        fixed: outcome.fixed,
        gone: outcome.gone,
        not_rechecked: outcome.not_rechecked,
        verdicts: verdict_counts(&outcome.verdicts),
    }
}

pub(crate) fn verdict_counts(tally: &VerdictTally) -> VerdictCounts {
    VerdictCounts {
        pass: tally.pass,
        fail: tally.fail,
        not_applicable: tally.not_applicable,
        not_evaluated: tally.not_evaluated,
        manual: tally.manual,
        observed: tally.observed,
    }
}
