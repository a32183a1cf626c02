//! From a filled dialog to a connected instance; and entering credentials anew.

use crate::{
    Console, Listener,
    activity::act_on,
    applications::find_login,
    checked,
    console::{Open, blocking},
    credential_watch::Used,
    instances::note,
    jobs::JobGuard,
    manual_instances::{is_manual, not_scanned},
    permissions::{Basis, advise, granted},
    probe,
    same_tenant::same_tenant,
    scan::{SignInClock, StepClock, instance_id, log_requests, tell_ending},
    screen::{AddInstance, DatasetState, Failure, Outcome, Progress, Step, StepState},
    start::user,
};
use catalog::{App, Login, Strategy};
use connect::{ConnectError, Left, Limits, RequestEntry, Route, Session, SignIn};
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc};
use store::{Act, Instance, InstanceId, Store, StoreError};
use uuid::Uuid;

/// On what occasion is signed in.
#[derive(Clone, Copy)]
enum Occasion {
    /// A person connects an instance that is not stored yet.
    Connect,
    /// A person gave other secrets for an instance.
    Reauthenticate(InstanceId),
    /// What is sealed is used, with or without a person.
    Stored(InstanceId),
}

impl Occasion {
    /// Whether a person has just given the secrets.
    fn attended(self) -> bool {
        match self {
            Self::Connect | Self::Reauthenticate(_) => true,
            Self::Stored(_) => false,
        }
    }

    /// Whose request log there is.
    fn instance(self) -> Option<InstanceId> {
        match self {
            Self::Connect => None,
            Self::Reauthenticate(id) | Self::Stored(id) => Some(id),
        }
    }
}

/// An instance about to be added, everything checked.
pub(crate) struct Newcomer {
    pub(crate) app: Arc<App>,
    pub(crate) instance: Instance,
    pub(crate) route: Route,
    pub(crate) secrets: BTreeMap<String, SecretString>,
}

impl Console {
    /// Signs in with a dialog's values, stores the instance, tells what the credential may read, and scans it for the first
    /// time. Nothing is stored before the vendor accepted the credential. Answers the instance's id.
    ///
    /// # Errors
    /// When a value is not right, sign-in fails, or the store refuses. A first scan that fails or is cancelled is no error:
    /// the instance is there, with its health.
    pub async fn connect(&self, draft: &str, request: AddInstance, listener: Listener) -> Result<String, Failure> {
        let added = self.connect_quietly(draft, request, &listener).await;
        if let Err(failure) = &added {
            listener(Progress::Failed { failure: failure.clone(), kept: "Nothing was stored.".into() });
        }
        added
    }

    async fn connect_quietly(&self, draft: &str, request: AddInstance, listener: &Listener) -> Result<String, Failure> {
        let step = StepClock::begin(listener, Step::Format);
        let newcomer = match self.newcomer(draft, request).await {
            Ok(newcomer) => {
                step.end(StepState::Done, "");
                newcomer
            }
            Err(failure) => {
                step.end(StepState::Failed, "");
                return Err(failure);
            }
        };
        self.add(newcomer, listener).await
    }

    async fn newcomer(&self, draft: &str, request: AddInstance) -> Result<Newcomer, Failure> {
        let (slug, login_id, secrets) = self.inner.drafts.secrets(draft)?;
        if slug != request.app || login_id != request.login {
            return Err(Failure::new("E-DIALOG", "The dialog belongs to another login option.", "Open it again."));
        }
        let app = self.app(&slug)?;
        let login = find_login(&app, &login_id)?;
        let instance = Instance {
            id: InstanceId(Uuid::new_v4()),
            app: slug.clone(),
            name: checked::name(&request.name)?,
            label: checked::label(&request.label)?,
            owner: checked::owner(&request.owner)?,
            login: login_id.clone(),
            inputs: checked::inputs(&app, &login_id, &request.inputs)?,
            route: serde_json::Value::Null,
            params: checked::params(&app, &request.answers)?,
            sandbox: false,
            tenant: None,
            created_at: self.now(),
        };
        checked::secrets(login, &secrets)?;
        let route = checked::route(&request.route)?;
        let route_json = serde_json::to_value(&route)
            .map_err(|error| Failure::new("E-ROUTE", format!("The route cannot be stored: {error}."), "Report it."))?;
        let instance = Instance { route: route_json, ..instance };
        // Told now, before anything is sent, and again by the database when it is stored.
        let name = instance.name.clone();
        self.with_open(move |open| {
            let taken = open.store.instances()?.iter().any(|other| other.app == slug && other.name == name);
            if taken { Err(Failure::from(store::StoreError::NameTaken { name }).on_field("name")) } else { Ok(()) }
        })
        .await?;
        Ok(Newcomer { app, instance, route, secrets })
    }

    /// From checked values to the first scan's outcome.
    pub(crate) async fn add(&self, newcomer: Newcomer, listener: &Listener) -> Result<String, Failure> {
        let Newcomer { app, mut instance, route, secrets } = newcomer;
        let job = self.inner.jobs.begin("", &format!("{}, {}", app.name, instance.name));
        let login = find_login(&app, &instance.login)?;
        let (session, mut requests, _) =
            self.sign_in(Occasion::Connect, &app, login, &instance.inputs, &secrets, &route, listener, &job).await?;
        // What was found out is not looked for again with every scan.
        instance.inputs.extend(session.settled().clone());

        let step = StepClock::begin(listener, Step::Permissions);
        let permissions = tokio::select! {
            () = job.cancel.cancelled() => Err(Failure::from(ConnectError::Cancelled)),
            permissions = probe::permissions(&session, &app) => Ok(permissions),
        }?;
        requests.extend(session.take_requests());
        let (state, detail) = probe::ending(&permissions, &login.id);
        step.end(state, detail);
        let (checks, all_checks, advice) = advise(&app, Some(login), &permissions, granted(&session, self.now()), Basis::Probe);
        listener(probe::event(&permissions, checks, all_checks, &advice));

        self.store_newcomer(&instance, with_keepsakes(secrets, &session), requests).await?;
        if let Err(failure) = self.keep_granted(instance.id, &session).await {
            // The instance is stored; only the advice on its scopes waits for the next sign-in.
            tracing::warn!(code = failure.code, "what the credential holds could not be stored");
        }
        self.keep_credential(instance.id, login, &session, Used::Anew).await;
        let id = instance.id.to_string();
        job.belongs_to(&id);
        let outcome = self.first_scan(&instance, &app, &session, listener, &job).await;
        tell_ending(&id, &outcome, listener);
        if let Err(failure) = outcome {
            tracing::info!(code = failure.code, "the first scan did not complete");
        }
        Ok(id)
    }

    async fn store_newcomer(
        &self,
        instance: &Instance,
        secrets: BTreeMap<String, SecretString>,
        requests: Vec<RequestEntry>,
    ) -> Result<(), Failure> {
        let open = self.open()?;
        let (instance, now) = (instance.clone(), self.now());
        let (id, store) = (instance.id, open.store.clone());
        blocking(move || {
            // Sealed first: an instance without its credentials would be a row that cannot be scanned, whereas a sealed file
            // without its instance is removed, here or on the next opening.
            let stored =
                open.store.insert_instance_after(&instance, || Ok::<_, Failure>(open.vault.seal(&id.to_string(), &secrets, now)?));
            if let Err(failure) = stored {
                open.vault.delete(&id.to_string())?;
                return Err(failure);
            }
            let what = if instance.sandbox { "sandbox instance added" } else { "instance added" };
            note(&open.store, &act_on(now, what, &instance));
            Ok(())
        })
        .await?;
        log_if_possible(&store, id, requests).await;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn sign_in(
        &self,
        occasion: Occasion,
        app: &App,
        login: &Login,
        inputs: &BTreeMap<String, String>,
        credentials: &BTreeMap<String, SecretString>,
        route: &Route,
        listener: &Listener,
        job: &JobGuard,
    ) -> Result<(Session, Vec<RequestEntry>, Sealed), Failure> {
        let clock = SignInClock::begin(listener, job, route);
        let ledger = self.code_ledger(occasion.attended())?;
        let (open, left) = (self.open()?, Left::default());
        // Cancelled inside, so that what was begun at an identity provider is closed first.
        let request = SignIn {
            app,
            login,
            inputs,
            credentials,
            route,
            limits: Limits::default(),
            clock: Arc::clone(&self.inner.options.clock),
            ledger,
            browser: crate::browser::of_route(&self.inner.options.browser, route),
            cancel: job.cancel.clone(),
            events: &|step| clock.tell(step),
        };
        let signed_in = connect::sign_in_leaving(request, &left).await.map_err(|error| {
            let refused = matches!(error, ConnectError::CredentialRefused { .. });
            clock.fail();
            let failure = Failure::from(error);
            match secret_of(&login.strategy) {
                Some(field) if refused => failure.on_field(field),
                _ => failure,
            }
        });
        let requests = clock.into_requests();
        let sealed = match occasion {
            // Sealed whatever came of it, and before all else: a refresh token may have been good for one use.
            Occasion::Stored(id) => seal_keepsakes(&open, id, credentials.clone(), left.all(), self.now()).await,
            Occasion::Connect | Occasion::Reauthenticate(_) => Ok(()),
        };
        if let Err(failure) = &sealed {
            tracing::warn!(code = failure.code, "what the sign-in left could not be sealed");
        }
        match (signed_in, occasion.instance()) {
            // What could not be sealed now may be later, and the session is the only one that has it.
            (Ok(session), _) => {
                let sealed = Sealed::after(sealed, credentials.clone(), &session);
                Ok((session, requests, sealed))
            }
            (Err(failure), Some(id)) => {
                // What went wrong is looked for in the log.
                log_if_possible(&open.store, id, requests).await;
                Err(failure)
            }
            (Err(failure), None) => Err(failure),
        }
    }

    /// Reauthenticate: signs in with the draft's secrets and, if they work, seals them in place of the stored ones, then scans.
    /// What an unfinished scan read with the earlier credential is dropped: another one may see more, or less.
    ///
    /// # Errors
    /// When sign-in fails, the credentials open another tenant than the last complete scan read, or the instance is being
    /// scanned; the stored credentials are then as they were.
    pub async fn replace_secret(&self, draft: &str, instance: &str, listener: Listener) -> Result<(), Failure> {
        let id = instance_id(instance)?;
        let stored = self.with_open(move |open| Ok(open.store.instance(id)?)).await?;
        let app = self.app(&stored.app)?;
        if is_manual(&stored, &app) {
            return Err(not_scanned(&app));
        }
        let (slug, login_id, secrets) = self.inner.drafts.secrets(draft)?;
        if slug != stored.app || login_id != stored.login {
            return Err(Failure::new(
                "E-DIALOG",
                "The dialog belongs to another application or login option.",
                "Open it from the instance's page.",
            ));
        }
        let app = self.app(&slug)?;
        let login = find_login(&app, &login_id)?;
        checked::secrets(login, &secrets)?;
        let job = self.inner.jobs.begin(instance, &format!("{}, {}", app.name, stored.name));
        let route = self.route_of(&stored).await?;
        let program = self.program(&app)?;
        let (session, requests, _) =
            self.sign_in(Occasion::Reauthenticate(id), &app, login, &stored.inputs, &secrets, &route, &listener, &job).await?;
        let now = self.now();
        let open = self.open()?;
        log_if_possible(&open.store, id, requests).await;
        let same = tokio::select! {
            () = job.cancel.cancelled() => Err(Failure::from(ConnectError::Cancelled)),
            same = same_tenant(&open, &stored, &app, login, &session) => same,
        };
        log_if_possible(&open.store, id, session.take_requests()).await;
        let detail = match same? {
            true => stored.name.clone(),
            false => format!("{}; whether it opens the same account could not be compared", stored.name),
        };
        self.keep_granted(id, &session).await?;
        // Begun before it is sealed: no scan with the earlier credential is under way any more, and none is gone on with.
        let begun = self.begin_anew(&open, &stored, &app).await?;
        let (scan, vault, store) = (begun.state.scan, Arc::clone(&open.vault), open.store.clone());
        let secrets = with_keepsakes(secrets, &session);
        let sealed = blocking(move || {
            vault.seal(&id.to_string(), &secrets, now)?;
            note(&store, &Act::new(now, user(), "credential replaced", detail).on(id));
            Ok(())
        })
        .await;
        if let Err(failure) = sealed {
            return Err(self.give_up(&open, &stored, &app, scan, begun.by, failure.into()).await);
        }
        self.keep_credential(id, login, &session, Used::Anew).await;
        let outcome = self.read_and_judge(&open, &stored, &app, &program, &session, Sealed::all_of(&session), begun, &listener, &job).await;
        tell_ending(instance, &outcome, &listener);
        outcome.map(|_: Outcome| ())
    }

    /// Signs in with the stored credentials and says what they may read. Stores nothing but the request log.
    ///
    /// # Errors
    /// When it cannot sign in, or the instance is being scanned or tested.
    pub async fn test_instance(&self, instance: &str, listener: Listener) -> Result<Vec<DatasetState>, Failure> {
        Ok(self.permissions_now(instance, listener).await?.datasets)
    }

    /// Reads each dataset once and gives the shape of the answers: names and types, no values. Stores nothing but the request log.
    ///
    /// # Errors
    /// When it cannot sign in, or the instance is being scanned or tested.
    pub async fn schema(&self, instance: &str) -> Result<serde_json::Value, Failure> {
        let listener: Listener = Arc::new(|_event| {});
        let Held { stored, app, session, sealed, job } = self.session_of(instance, &listener).await?;
        let shapes = self.unless_cancelled(&stored, &session, sealed, &job, connect::shapes(&session, &app)).await?;
        drop(job);
        Ok(serde_json::json!({ "schema": 1, "app": app.slug, "shapes": shapes }))
    }

    /// Reads until somebody cancels the job; what is being exchanged for a token then is waited for. The requests are logged, and
    /// what replaced itself meanwhile is sealed as it comes, either way.
    ///
    /// # Errors
    /// When it is cancelled, the requests cannot be logged, or what the session leaves cannot be sealed to the last.
    pub(crate) async fn unless_cancelled<T>(
        &self,
        instance: &Instance,
        session: &Session,
        mut sealed: Sealed,
        job: &JobGuard,
        reading: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let open = self.open()?;
        tokio::pin!(reading);
        let read = loop {
            tokio::select! {
                biased;
                () = job.cancel.cancelled() => break None,
                read = &mut reading => break Some(read),
                () = session.keepsakes_replaced() => self.keep(&open, instance.id, session, &mut sealed).await,
            }
        };
        if read.is_none() {
            tokio::select! {
                biased;
                () = session.exchange_ended() => {}
                _ = &mut reading => {}
            }
        }
        self.keep(&open, instance.id, session, &mut sealed).await;
        log_requests(&open.store, instance.id, session.take_requests()).await?;
        let read = read.ok_or_else(|| Failure::from(ConnectError::Cancelled))?;
        sealed.whole()?;
        Ok(read)
    }

    /// Signs in with the stored credentials, which nobody else uses until the job ends.
    ///
    /// # Errors
    /// When it cannot sign in, or the instance is being scanned or tested, here or in another process.
    pub(crate) async fn session_of(&self, instance: &str, listener: &Listener) -> Result<Held, Failure> {
        let id = instance_id(instance)?;
        let open = self.open()?;
        let console = self.clone();
        let (stored, app, lease, secrets) = blocking(move || {
            let stored = open.store.instance(id)?;
            let app = console.app(&stored.app)?;
            if is_manual(&stored, &app) {
                return Err(not_scanned(&app));
            }
            // Held before they are unsealed: what somebody else is about to replace is worth nothing then.
            let lease = open.store.hold_instance(id).map_err(|error| in_use(error, &stored))?;
            let secrets = open.vault.unseal(&id.to_string())?;
            Ok((stored, app, lease, secrets))
        })
        .await?;
        let login = find_login(&app, &stored.login)?;
        let mut job = self.inner.jobs.begin(instance, &format!("{}, {}", app.name, stored.name));
        job.holds(lease);
        let route = self.route_of(&stored).await?;
        let (session, requests, sealed) =
            self.sign_in(Occasion::Stored(id), &app, login, &stored.inputs, &secrets, &route, listener, &job).await?;
        let open = self.open()?;
        log_requests(&open.store, id, requests).await?;
        self.keep_credential(id, login, &session, Used::Again).await;
        Ok(Held { stored, app, session, sealed, job })
    }
}

/// A session on stored credentials, which nobody else uses until its job ends.
pub(crate) struct Held {
    pub(crate) stored: Instance,
    pub(crate) app: Arc<App>,
    pub(crate) session: Session,
    pub(crate) sealed: Sealed,
    pub(crate) job: JobGuard,
}

/// Two sessions of one instance would spend the same refresh token, and a vendor may revoke all of them for that.
fn in_use(error: StoreError, instance: &Instance) -> Failure {
    if matches!(error, StoreError::ScanRunning) {
        let sentence = format!("{} is being scanned or tested, and its credentials serve one sign-in at a time.", instance.name);
        return Failure::new("E-INSTANCE-IN-USE", sentence, "Wait until the scan or test has ended, or cancel it.");
    }
    error.into()
}

/// What is known to be sealed of what a session leaves.
pub(crate) struct Sealed {
    known: connect::Credentials,
    /// Why what the sign-in left is not sealed, as it was last tried.
    owed: Option<Failure>,
}

impl Sealed {
    /// All that there is now.
    pub(crate) fn all_of(session: &Session) -> Self {
        Self { known: session.keepsakes(), owed: None }
    }

    /// What is sealed after it was tried to seal what a sign-in with these credentials left.
    pub(crate) fn after(tried: Result<(), Failure>, unsealed: connect::Credentials, session: &Session) -> Self {
        match tried {
            Ok(()) => Self::all_of(session),
            Err(failure) => Self { known: unsealed, owed: Some(failure) },
        }
    }

    /// Whether what the sign-in left came to be sealed after all. What replaced itself later and cannot be sealed costs the next
    /// sign-in alone.
    ///
    /// # Errors
    /// Why it did not.
    pub(crate) fn whole(self) -> Result<(), Failure> {
        self.owed.map_or(Ok(()), Err)
    }
}

/// The field that a refused credential was typed into, where it is one that the application itself looks at.
fn secret_of(strategy: &Strategy) -> Option<&str> {
    match strategy {
        Strategy::Bearer { token } => Some(token),
        Strategy::Headers { headers } => headers.first().map(|header| header.field.as_str()),
        Strategy::Basic { password, .. } => Some(password),
        Strategy::ClientCredentials(strategy) => Some(strategy.secret()),
        Strategy::Assertion(strategy) => Some(strategy.key.field()),
        Strategy::AuthorizationCode(strategy) => strategy.client_secret.as_deref(),
        Strategy::GithubApp(strategy) => Some(&strategy.private_key),
        Strategy::SnowflakeKeyPair(strategy) => Some(&strategy.private_key),
        Strategy::DeviceCode(_) | Strategy::Okta(_) | Strategy::Entra(_) => None,
    }
}

/// The credentials, and beside them what the sign-in wants to find again next time.
fn with_keepsakes(mut secrets: BTreeMap<String, SecretString>, session: &Session) -> BTreeMap<String, SecretString> {
    secrets.extend(session.keepsakes().iter().map(|(name, value)| (name.clone(), value.clone())));
    secrets
}

/// Seals what a sign-in with stored credentials left for the next one, where it differs from what is sealed. Nothing is
/// sealed when the credentials were replaced since they were unsealed: what came of the earlier ones does not belong to them.
pub(crate) async fn seal_keepsakes(
    open: &Open,
    instance: InstanceId,
    unsealed: BTreeMap<String, SecretString>,
    mut news: BTreeMap<String, SecretString>,
    now: jiff::Timestamp,
) -> Result<(), Failure> {
    use secrecy::ExposeSecret;
    news.retain(|name, value| unsealed.get(name).is_none_or(|known| known.expose_secret() != value.expose_secret()));
    if news.is_empty() {
        return Ok(());
    }
    let vault = Arc::clone(&open.vault);
    blocking(move || {
        if !vault.add_if_unchanged(&instance.to_string(), &unsealed, &news, now)? {
            tracing::info!("the credentials were replaced meanwhile; what this sign-in left is not kept");
        }
        Ok(())
    })
    .await
}

/// Seals what replaced itself while a session was used: a refresh token that is good for one use is worth nothing once it was
/// used, and whoever stops in between must find the next one. Nothing is sealed when the credentials were replaced meanwhile.
pub(crate) async fn seal_replaced(
    open: &Open,
    instance: InstanceId,
    session: &Session,
    sealed: &mut Sealed,
    now: jiff::Timestamp,
) -> Result<(), Failure> {
    use secrecy::ExposeSecret;
    let news = session.keepsakes();
    let same = |one: Option<&SecretString>, two: &SecretString| one.is_some_and(|one| one.expose_secret() == two.expose_secret());
    if news.iter().all(|(name, value)| same(sealed.known.get(name), value)) {
        return Ok(());
    }
    let (vault, before, added) = (Arc::clone(&open.vault), sealed.known.clone(), news.clone());
    let tried = blocking(move || {
        let unsealed = vault.unseal(&instance.to_string())?;
        let ours = before.iter().all(|(name, value)| same(unsealed.get(name), value));
        if !ours || !vault.add_if_unchanged(&instance.to_string(), &unsealed, &added, now)? {
            tracing::info!("the credentials were replaced meanwhile; what this session left is not kept");
        }
        Ok(())
    })
    .await;
    match tried {
        Ok(()) => {
            *sealed = Sealed { known: news, owed: None };
            Ok(())
        }
        Err(failure) => {
            sealed.owed = sealed.owed.take().map(|_| failure.clone());
            Err(failure)
        }
    }
}

/// Logs the requests of a sign-in after what it was for is stored, which a log that fails does not undo.
async fn log_if_possible(store: &Store, instance: InstanceId, requests: Vec<RequestEntry>) {
    if let Err(failure) = log_requests(store, instance, requests).await {
        tracing::warn!(code = failure.code, "the requests of the sign-in could not be logged");
    }
}
