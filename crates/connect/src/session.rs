//! Signing in, and what comes of it.

use crate::{
    Browser, Clock, CodeLedger, ConnectError, ExpiresBy, Granted, Hints, Limits, RequestEntry, Route, ToldBy,
    answer::Bearer,
    assertion, authorization_code, credential, device_code, entra, expiry, github_app, hints,
    keepsake::{Keepsakes, Left},
    oauth, okta,
    reduce::{at_path, reduce, text_of},
    request::{Request, label_of},
    snowflake,
    wire::{Authorisation, Content, Event, Wire},
};
use base64::{Engine, engine::general_purpose};
use catalog::{Also, App, CauseKind, Discover, EntraFlow, EntraSignIn, Format, Inputs, Login, ResolvedHosts, Row, Strategy};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// The secret fields of a login option, by field id; beside them [`PROXY_USER`] and [`PROXY_PASSWORD`].
pub type Credentials = BTreeMap<String, SecretString>;

/// The entry of [`Credentials`] that holds the user name for the proxy.
pub const PROXY_USER: &str = "proxy_user";
/// The entry of [`Credentials`] that holds the password for the proxy.
pub const PROXY_PASSWORD: &str = "proxy_password";

/// All that signing in needs.
pub struct SignIn<'a> {
    /// The application.
    pub app: &'a App,
    /// The login option, one of the application's.
    pub login: &'a Login,
    /// The values of its fields that are not secret; checked again before anything is sent.
    pub inputs: &'a BTreeMap<String, String>,
    /// The values of its secret fields.
    pub credentials: &'a Credentials,
    /// The way out.
    pub route: &'a Route,
    /// Bounds; usually [`Limits::default`].
    pub limits: Limits,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who remembers which one-time codes were sent.
    pub ledger: Arc<dyn CodeLedger>,
    /// The system browser.
    pub browser: Arc<dyn Browser>,
    /// Ends the sign-in early, with [`ConnectError::Cancelled`]: what was begun at an identity provider is closed first, for
    /// some seconds at most. Whoever drops the future instead leaves it open.
    pub cancel: CancellationToken,
    /// Told of each step as it happens.
    pub events: &'a (dyn Fn(SignInStep) + Send + Sync),
}

/// A step of signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum SignInStep {
    /// The fields have the right form.
    FieldsChecked,
    /// These hosts, and no others, may receive the credential.
    HostsResolved {
        /// Their names.
        hosts: Vec<String>,
    },
    /// A host is being asked.
    Asking {
        /// Its name.
        host: String,
        /// The title of the dataset that is read to test the connection.
        title: String,
    },
    /// A stage of signing in has begun.
    Stage {
        /// Which.
        stage: SignInStage,
        /// The host that is asked; empty when none is.
        host: String,
    },
    /// The next one-time code is waited for, because the present one was used or is about to end.
    WaitingForCode {
        /// Until when.
        until: jiff::Timestamp,
    },
    /// The person has to do something in a browser; signing in goes on by itself then.
    Visit {
        /// The page; opened already if a browser could be started.
        address: String,
        /// The code to type there, if there is one.
        code: Option<String>,
        /// Until when the page works.
        until: jiff::Timestamp,
    },
    /// A request was made.
    Requested {
        /// Its line for the request log.
        entry: RequestEntry,
    },
    /// The vendor asks to wait; signing in goes on by itself then.
    Waiting {
        /// The host that asks.
        host: String,
        /// Until when.
        until: jiff::Timestamp,
    },
    /// The vendor accepts the credential.
    Accepted,
}

/// The stages of signing in through somebody else, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInStage {
    /// Another sign-in of the same user is waited for.
    Turn,
    /// Whether the organization exists, and which engine signs in there.
    Organization,
    /// Whether the user's password is checked there.
    WhoSignsIn,
    /// From the application to where the user signs in.
    Start,
    /// The user's name and password.
    Password,
    /// The one-time code.
    OneTimeCode,
    /// Back to the application with the answer.
    Application,
    /// A secret is exchanged for a token.
    Token,
    /// The person signs in in a browser.
    Browser,
    /// The session of the identity provider is closed.
    SignOut,
}

impl SignInStage {
    /// As sentences name it: "at the one-time code".
    pub fn title(self) -> &'static str {
        match self {
            Self::Turn => "waiting for another sign-in of this user",
            Self::Organization => "finding the organization",
            Self::WhoSignsIn => "finding where the user signs in",
            Self::Start => "the application's sign-in page",
            Self::Password => "user and password",
            Self::OneTimeCode => "the one-time code",
            Self::Application => "the way back to the application",
            Self::Token => "exchanging the credential for a token",
            Self::Browser => "signing in in the browser",
            Self::SignOut => "signing out",
        }
    }
}

/// What a strategy works with.
pub(crate) struct Attempt<'a> {
    pub(crate) app: &'a App,
    pub(crate) login: &'a Login,
    pub(crate) credentials: &'a Credentials,
    /// Where to put what is sealed with the instance's credentials and handed in again next time.
    pub(crate) left: &'a Keepsakes,
    pub(crate) wire: &'a Wire,
    pub(crate) ledger: &'a Arc<dyn CodeLedger>,
    pub(crate) browser: &'a Arc<dyn Browser>,
    /// Whoever has something to close ends at this and closes it.
    pub(crate) cancel: &'a CancellationToken,
    pub(crate) events: &'a (dyn Fn(SignInStep) + Send + Sync),
}

impl Attempt<'_> {
    /// The value of an open field; empty when it is not filled.
    pub(crate) fn input(&self, field: &str) -> &str {
        self.wire.inputs().get(field).map(String::as_str).unwrap_or_default()
    }

    /// The value of an open field that has to be filled.
    ///
    /// # Errors
    /// [`ConnectError::FieldMissing`], when it is not.
    pub(crate) fn filled(&self, field: &str) -> Result<&str, ConnectError> {
        match self.input(field) {
            "" => Err(ConnectError::FieldMissing { label: label_of(self.app, field) }),
            value => Ok(value),
        }
    }

    /// The value of a secret field in its checked form.
    pub(crate) fn secret(&self, field: &str) -> Result<SecretString, ConnectError> {
        secret(self.login, field, self.credentials)
    }

    /// The value of a secret field, or of a member of a key file: `service_account.private_key`.
    ///
    /// # Errors
    /// [`ConnectError::FieldMissing`] and [`ConnectError::FieldMalformed`], as for the whole field.
    pub(crate) fn value(&self, name: &str) -> Result<SecretString, ConnectError> {
        let Some((field, member)) = name.split_once('.') else { return self.secret(name) };
        let file = self.secret(field)?;
        let label = label_of(self.app, field);
        catalog::Format::member(file.expose_secret(), member)
            .map(|text| SecretString::from(text.as_str().to_owned()))
            .ok_or_else(|| ConnectError::FieldMalformed { secret: true, sentence: format!("{label} lacks \"{member}\"."), label })
    }

    /// The same where it may be left empty.
    ///
    /// # Errors
    /// [`ConnectError::FieldMalformed`].
    pub(crate) fn optional_value(&self, name: &str) -> Result<Option<SecretString>, ConnectError> {
        match self.value(name) {
            Err(ConnectError::FieldMissing { .. }) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(error),
        }
    }

    /// What is said of a secret that no header can carry.
    pub(crate) fn unsendable(&self, field: &str) -> ConnectError {
        let label = label_of(self.app, field);
        ConnectError::FieldMalformed { secret: true, sentence: format!("{label} holds a character that cannot be sent."), label }
    }

    /// A template over open fields and members of key files, filled; `None` where a field in it that may be left empty is.
    ///
    /// # Errors
    /// As for [`Self::fill`].
    pub(crate) fn fill_optional(&self, template: &str) -> Result<Option<String>, ConnectError> {
        let empty = |field: &catalog::Field| field.optional && self.input(&field.id).is_empty();
        let named = |field: &catalog::Field| template.contains(&format!("{{{}}}", field.id));
        if self.login.fields.iter().any(|field| named(field) && !field.secret && empty(field)) {
            return Ok(None);
        }
        self.fill(template).map(Some)
    }

    /// A template over open fields and members of key files, filled.
    ///
    /// # Errors
    /// [`ConnectError::FieldMissing`] and [`ConnectError::FieldMalformed`].
    pub(crate) fn fill(&self, template: &str) -> Result<String, ConnectError> {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            if name.contains('.') {
                filled.push_str(self.value(name)?.expose_secret());
            } else {
                filled.push_str(self.filled(name)?);
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    pub(crate) fn stage(&self, stage: SignInStage, host: &str) {
        (self.events)(SignInStep::Stage { stage, host: host.to_owned() });
    }

    /// Hands the log lines of hops on.
    pub(crate) fn watch(&self, event: Event) {
        watched(event, self.events);
    }
}

/// Does the work, or leaves it where it stands.
pub(crate) async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ConnectError::Cancelled),
        done = work => done,
    }
}

fn watched(event: Event, events: &(dyn Fn(SignInStep) + Send + Sync)) {
    match event {
        Event::Requested(entry) => events(SignInStep::Requested { entry }),
        Event::Waiting { host, until } => events(SignInStep::Waiting { host, until }),
    }
}

/// What a strategy came to.
pub(crate) struct Signed {
    /// What dataset requests carry.
    pub(crate) authorisation: Authorisation,
    /// When it ends, where that matters to the person: not for tokens that are renewed by themselves.
    pub(crate) expires_at: Option<jiff::Timestamp>,
    /// The host that the vendor named, with the role that it becomes the only host of.
    pub(crate) named: Option<(String, String)>,
}

impl Signed {
    /// With no end and no host named.
    pub(crate) fn of(authorisation: Authorisation) -> Self {
        Self { authorisation, expires_at: None, named: None }
    }
}

/// Signed in: what [`crate::collect`], [`crate::probe`] and [`crate::shapes`] work with. Holds the credential in memory
/// until it is dropped; cannot be stored or printed.
pub struct Session {
    pub(crate) app: String,
    pub(crate) wire: Wire,
    hints: Hints,
    keepsakes: Keepsakes,
    settled: Inputs,
    unclaimed: Mutex<Vec<RequestEntry>>,
}

impl Session {
    /// What the credential tells about itself.
    pub fn hints(&self) -> &Hints {
        &self.hints
    }
    /// When the credential ends and who says so, as far as signing in told. A time that has passed is none: the credential signed
    /// in, so it has not ended then.
    pub fn ends(&self) -> Option<(jiff::Timestamp, ExpiresBy)> {
        let now = self.wire.clock().now();
        self.hints.expires_at.filter(|at| *at > now).zip(self.hints.expires_by)
    }
    /// What is to be sealed beside the credentials, under these names, and handed in with them next time: such as the name
    /// by which the identity provider knows this computer again. Empty for most login options. They are as they are now: a
    /// refresh token may have replaced itself while a scan ran.
    pub fn keepsakes(&self) -> Credentials {
        self.keepsakes.all()
    }
    /// Ends as soon as [`Self::keepsakes`] are others than were handed out last. Whoever seals them does so again then: what is
    /// sealed may be worth nothing any more.
    pub async fn keepsakes_replaced(&self) {
        self.keepsakes.replaced().await;
    }
    /// Ends as soon as no token is being exchanged for the next one. Whoever stops reading goes on with what is under way until
    /// then: what is exchanged may be good for one use, and what replaces it comes with the answer.
    pub async fn exchange_ended(&self) {
        self.wire.settled().await;
    }
    /// The choices that were left open and what the vendor's answer settled them to, by field id: to be stored with the
    /// instance, so that the next sign-in begins at the right place. Empty where nothing was left open.
    pub fn settled(&self) -> &Inputs {
        &self.settled
    }
    /// The hosts that may receive the credential.
    pub fn hosts(&self) -> Vec<String> {
        self.wire.hosts().allowed.iter().cloned().collect()
    }
    /// The log lines of requests made by [`crate::probe`] and [`crate::shapes`] since this was last asked.
    pub fn take_requests(&self) -> Vec<RequestEntry> {
        std::mem::take(&mut *self.unclaimed.lock().unwrap_or_else(PoisonError::into_inner))
    }
    /// Keeps the log line of a request that was made for nobody's sink.
    pub(crate) fn keep(&self, event: Event) {
        if let Event::Requested(entry) = event {
            self.unclaimed.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        }
    }
}

/// Signs in and proves it by reading the login option's test dataset.
///
/// # Errors
/// Whatever stands in the way, with a code and a remedy. Dropping the future ends it at once.
pub async fn sign_in(request: SignIn<'_>) -> Result<Session, ConnectError> {
    sign_in_leaving(request, &Left::default()).await
}

/// The same, and puts what is to be sealed into `left` as soon as it is there, whatever becomes of the sign-in after it.
///
/// # Errors
/// As [`sign_in`].
pub async fn sign_in_leaving(request: SignIn<'_>, left: &Left) -> Result<Session, ConnectError> {
    let SignIn { login, inputs, credentials, events, .. } = request;
    let inputs = check_inputs(login, inputs)?;
    for field in login.fields.iter().filter(|field| field.secret && !field.optional) {
        secret(login, &field.id, credentials)?;
    }
    events(SignInStep::FieldsChecked);
    let session = match &login.discover {
        Some(discover) if inputs.get(&discover.input) == Some(&discover.open) => discovered(&request, discover, inputs, left).await?,
        Some(_) | None => {
            let entrance = enter(&request, resolved(login, &inputs)?, inputs, credentials, left).await?;
            match read_test(&request, &entrance).await {
                Ok(_) => entrance.into_session(request.app),
                Err(error) => return Err(with_hints(error, &request, &entrance, false)),
            }
        }
    };
    events(SignInStep::Accepted);
    Ok(session)
}

/// Signs in where the vendor keeps the tenant, which its own answer tells: at the first place that takes the credential, and
/// from there at the one that it names.
async fn discovered(request: &SignIn<'_>, discover: &Discover, inputs: Inputs, left: &Left) -> Result<Session, ConnectError> {
    let SignIn { app, login, credentials, events, .. } = *request;
    let field = login.fields.iter().find(|field| field.id == discover.input);
    let label = field.map_or(discover.input.as_str(), |field| field.label.as_str());
    let unclear = |sentence: String| ConnectError::SignInFailed {
        stage: SignInStage::Application,
        code: "E-REGION-UNKNOWN",
        kind: CauseKind::NotUnderstood,
        sentence,
        remedy: format!("Choose the right one in the field {label} instead of leaving it open."),
        reference: None,
    };
    let at = |value: &str| {
        let mut inputs = inputs.clone();
        inputs.insert(discover.input.clone(), value.to_owned());
        inputs
    };
    // The choice that an answer names, as the field writes it: how the vendor writes it is not published to the letter.
    let named = |row: &Option<Row>| {
        let text = at_path(&row.as_ref()?.fields, &discover.field).and_then(text_of)?;
        field?
            .choices
            .iter()
            .map(|choice| &choice.value)
            .find(|value| value.eq_ignore_ascii_case(text.trim()) && **value != discover.open)
            .cloned()
    };
    let silent = || unclear(format!("{} does not say in a known way where it keeps this organization.", app.name));
    // A session of single sign-on is the user's in every place, and signing in once more would send password and code once
    // more; a token is exchanged at each place. Until the place is known, the way may lead over the hosts of all.
    let carries = matches!(login.strategy, Strategy::Okta(_));
    let everywhere = resolved(login, &inputs)?;
    let moved = |mut entrance: Entrance, value: &str| {
        let inputs = at(value);
        let hosts = resolved(login, &inputs)?;
        entrance.wire.settle(app, ResolvedHosts { allowed: everywhere.allowed.clone(), ..hosts }, inputs);
        Ok::<_, ConnectError>(entrance)
    };

    let mut tries = discover.tries.iter().take(2).peekable();
    let mut kept: Option<Entrance> = None;
    let (first, entrance, row) = loop {
        let Some(value) = tries.next() else {
            return Err(ConnectError::RequestRefused { sentence: "the catalog names no place to begin with.".to_owned() });
        };
        let entered = match kept.take() {
            Some(entrance) => moved(entrance, value),
            None if carries => {
                let hosts = ResolvedHosts { allowed: everywhere.allowed.clone(), ..resolved(login, &at(value))? };
                enter(request, hosts, at(value), credentials, left).await
            }
            None => enter(request, resolved(login, &at(value))?, at(value), credentials, left).await,
        };
        let entrance = match entered {
            Ok(entrance) => entrance,
            // The secret was refused by the application itself: it may not know the tenant there.
            Err(ConnectError::CredentialRefused { .. }) if tries.peek().is_some() => continue,
            Err(error) => return Err(error),
        };
        match read_test(request, &entrance).await {
            Ok(row) => break (value, entrance, row),
            Err(ConnectError::CredentialRefused { .. }) if tries.peek().is_some() => kept = Some(entrance).filter(|_| carries),
            Err(error) => return Err(with_hints(error, request, &entrance, true)),
        }
    };
    let there = named(&row).ok_or_else(silent)?;
    let (mut entrance, row) = if there == *first {
        (entrance, row)
    } else {
        let entrance = if carries {
            moved(entrance, &there)?
        } else {
            enter(request, resolved(login, &at(&there))?, at(&there), credentials, left).await?
        };
        let row = match read_test(request, &entrance).await {
            Ok(row) => row,
            Err(error) => return Err(with_hints(error, request, &entrance, true)),
        };
        (entrance, row)
    };
    match named(&row) {
        Some(again) if again == there => {}
        Some(_) => return Err(unclear(format!("{} says in each place that it keeps this organization in another one.", app.name))),
        None => return Err(silent()),
    }
    if carries {
        let hosts = resolved(login, &at(&there))?;
        events(SignInStep::HostsResolved { hosts: hosts.allowed.iter().cloned().collect() });
        entrance.wire.settle(app, hosts, at(&there));
    }
    Ok(Session { settled: Inputs::from([(discover.input.clone(), there)]), ..entrance.into_session(app) })
}

/// Signed in, the test dataset not read yet.
struct Entrance {
    wire: Wire,
    hints: Hints,
    keepsakes: Keepsakes,
    /// What the headers of the last test answer tell.
    by_header: Mutex<ByHeader>,
}

/// What the headers of an answer tell of the credential.
#[derive(Default)]
struct ByHeader {
    granted: Option<Granted>,
    expires_at: Option<jiff::Timestamp>,
}

impl Entrance {
    fn into_session(self, app: &App) -> Session {
        let Self { wire, mut hints, keepsakes, by_header } = self;
        // What the vendor says with an answer is what holds now.
        let ByHeader { granted, expires_at } = by_header.into_inner().unwrap_or_else(PoisonError::into_inner);
        hints.granted = granted.or(hints.granted);
        hints.ends(expires_at, ExpiresBy::Vendor);
        Session { app: app.slug.clone(), wire, hints, keepsakes, settled: Inputs::new(), unclaimed: Mutex::default() }
    }
}

fn resolved(login: &Login, inputs: &Inputs) -> Result<ResolvedHosts, ConnectError> {
    login.resolve(inputs).map_err(|error| ConnectError::HostInvalid { sentence: error.to_string() })
}

/// Signs in with these inputs.
async fn enter(
    request: &SignIn<'_>,
    hosts: ResolvedHosts,
    inputs: Inputs,
    credentials: &Credentials,
    left: &Left,
) -> Result<Entrance, ConnectError> {
    let SignIn { app, login, route, events, .. } = *request;
    let cancel = &request.cancel;
    // What an attempt before this one left is what holds now.
    let mut credentials = credentials.clone();
    credentials.extend(left.all());
    let credentials = &credentials;
    events(SignInStep::HostsResolved { hosts: hosts.allowed.iter().cloned().collect() });
    let mut wire = Wire::new(app, hosts, inputs, credentials, route, request.limits.clone(), Arc::clone(&request.clock))?;
    let (ledger, browser) = (&request.ledger, &request.browser);
    let attempt = Attempt { app, login, credentials, left: &left.0, wire: &wire, ledger, browser, cancel, events };
    let signed = by(&attempt, &login.strategy).await?;
    if let Some((role, host)) = &signed.named {
        // The way out is made anew for the host that the vendor named.
        let named = login.with_named(wire.hosts().clone(), role, host, wire.inputs());
        let hosts = named.map_err(|error| ConnectError::HostInvalid { sentence: error.to_string() })?;
        events(SignInStep::HostsResolved { hosts: hosts.allowed.iter().cloned().collect() });
        let (inputs, counted) = (wire.inputs().clone(), wire.counted());
        wire = Wire::new(app, hosts, inputs, credentials, route, request.limits.clone(), Arc::clone(&request.clock))?;
        wire.count_from(counted);
    }
    let mut also = Vec::with_capacity(login.also.len());
    // Second credentials ask nobody, and leave nothing.
    let nothing = Keepsakes::default();
    for one in &login.also {
        let attempt = Attempt { app, login, credentials, left: &nothing, wire: &wire, ledger, browser, cancel, events };
        let outcome = match by_also(&attempt, one).await {
            Ok(signed) => Ok((signed.authorisation, bearer_of(&one.strategy))),
            Err(ConnectError::Cancelled) => return Err(ConnectError::Cancelled),
            // It costs what is read with it, and nothing else.
            Err(error) => Err(error),
        };
        also.push((one.roles.clone(), outcome));
    }
    let mut hints = hints(login, credentials);
    hints.ends(signed.expires_at, told_by(&login.strategy));
    if let (Strategy::Entra(_), Authorisation::Token(token)) = (&login.strategy, &signed.authorisation)
        && let Some(claims) = token.claims()
    {
        hints.grants(login, claims);
    }
    if let Authorisation::Token(token) = &signed.authorisation {
        let (claims, scope) =
            (token.claims().and_then(Granted::of_claims), token.scope().map(|text| Granted::read(ToldBy::TokenAnswer, text)));
        // Microsoft's answers name the scopes of a user only, its claims the roles of an application too.
        let told = if matches!(login.strategy, Strategy::Entra(_)) { claims.or(scope) } else { scope.or(claims) };
        hints.granted = told.or(hints.granted);
    }
    wire.headers(&login.headers);
    wire.authorise(signed.authorisation, bearer_of(&login.strategy));
    for (roles, outcome) in also {
        wire.authorise_also(&roles, outcome);
    }
    Ok(Entrance { wire, hints, keepsakes: left.0.clone(), by_header: Mutex::default() })
}

/// Signs in by one strategy.
async fn by(attempt: &Attempt<'_>, strategy: &Strategy) -> Result<Signed, ConnectError> {
    let cancel = attempt.cancel;
    match strategy {
        Strategy::Bearer { token } => bearer(attempt, token),
        Strategy::Headers { headers } => credential::headers(attempt, headers),
        Strategy::Basic { user, password } => credential::basic(attempt, user, password),
        Strategy::ClientCredentials(strategy) => unless_cancelled(cancel, oauth::client_credentials(attempt, strategy)).await,
        Strategy::Assertion(strategy) => unless_cancelled(cancel, assertion::sign_in(attempt, strategy)).await,
        Strategy::Okta(strategy) => okta::sign_in(attempt, strategy).await,
        // These finish the exchange of a refresh token that they have begun: it may be good for one use.
        Strategy::Entra(strategy) => entra::sign_in(attempt, strategy).await,
        Strategy::AuthorizationCode(strategy) => authorization_code::sign_in(attempt, strategy).await,
        Strategy::DeviceCode(strategy) => device_code::sign_in(attempt, strategy).await,
        Strategy::GithubApp(strategy) => unless_cancelled(cancel, github_app::sign_in(attempt, strategy)).await,
        Strategy::SnowflakeKeyPair(strategy) => snowflake::sign_in(attempt, strategy).await,
    }
}

/// Signs in with a second credential. One whose fields are left empty is not tried.
async fn by_also(attempt: &Attempt<'_>, also: &Also) -> Result<Signed, ConnectError> {
    let hosts = attempt.wire.hosts();
    if !also.roles.iter().any(|role| hosts.roles.contains_key(role)) {
        let role = attempt.login.roles.iter().find(|role| also.roles.contains(&role.id));
        let field = role.into_iter().flat_map(|role| &role.hosts).find_map(|template| template.split_once('{')?.1.split('}').next());
        return Err(ConnectError::InputMissing { label: label_of(attempt.app, field.unwrap_or_default()) });
    }
    by(attempt, &also.strategy)
        .await
        .map_err(|error| if let ConnectError::FieldMissing { label } = error { ConnectError::InputMissing { label } } else { error })
}

/// Reads the test dataset and answers its row.
async fn read_test(request: &SignIn<'_>, entrance: &Entrance) -> Result<Option<Row>, ConnectError> {
    let SignIn { app, login, events, .. } = *request;
    let wire = &entrance.wire;
    let test = app
        .dataset(&login.test)
        .ok_or_else(|| ConnectError::RequestRefused { sentence: "the login option's test dataset is not declared.".to_owned() })?
        .for_inputs(wire.inputs());
    let ask = Request::first(app, wire, &test, None)?;
    events(SignInStep::Asking { host: ask.host().to_owned(), title: test.title.clone() });
    let watcher = |event| watched(event, events);
    // A person is waiting: what fails is told at once and not tried again.
    let fetching = wire.fetch(app, &test, &ask, 0, &watcher);
    tokio::pin!(fetching);
    let fetched = tokio::select! {
        biased;
        () = request.cancel.cancelled() => None,
        fetched = &mut fetching => Some(fetched),
    };
    let Some(fetched) = fetched else {
        // What is being exchanged for a token may be good for one use: that is waited for, and nothing else.
        tokio::select! {
            biased;
            () = wire.settled() => {}
            _ = &mut fetching => {}
        }
        return Err(ConnectError::Cancelled);
    };
    let fetched = fetched.map_err(|error| of_test(error, &test.title))?;
    let listed = login.granted_header.as_ref().and_then(|name| fetched.headers.get(name)).and_then(|list| list.to_str().ok());
    *entrance.by_header.lock().unwrap_or_else(PoisonError::into_inner) = ByHeader {
        granted: listed.map(|list| Granted::read(ToldBy::Header, list)),
        expires_at: login.expires.as_ref().and_then(|expires| expiry::of_headers(expires, &fetched.headers)),
    };
    Ok(match &fetched.content {
        Content::Body { body, .. } => reduce(&test, body, None)?.rows.into_iter().next(),
        Content::StandIn(_) | Content::Running { .. } => None,
    })
}

/// Who says when what a strategy signs in with ends.
fn told_by(strategy: &Strategy) -> ExpiresBy {
    let certificate = matches!(strategy, Strategy::Entra(EntraSignIn { flow: EntraFlow::Certificate { .. }, .. }));
    if certificate { ExpiresBy::Certificate } else { ExpiresBy::Vendor }
}

/// Whose right the answers of datasets speak of.
fn bearer_of(strategy: &Strategy) -> Bearer {
    match strategy {
        Strategy::Okta(_)
        | Strategy::Entra(EntraSignIn { flow: EntraFlow::DeviceCode | EntraFlow::Browser, .. })
        | Strategy::AuthorizationCode(_)
        | Strategy::DeviceCode(_) => Bearer::User,
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::ClientCredentials(_)
        | Strategy::Assertion(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_)
        | Strategy::Entra(EntraSignIn { flow: EntraFlow::Secret { .. } | EntraFlow::Certificate { .. }, .. }) => Bearer::Key,
    }
}

/// The open fields in the form that templates take.
fn check_inputs(login: &Login, inputs: &Inputs) -> Result<Inputs, ConnectError> {
    let mut checked = Inputs::new();
    for field in login.fields.iter().filter(|field| !field.secret) {
        let value = inputs.get(&field.id).map(|value| value.trim()).filter(|value| !value.is_empty()).or(field.default.as_deref());
        match value {
            Some(value) => {
                let value = field.format.check(&field.choices, value).map_err(|problem| ConnectError::FieldMalformed {
                    label: field.label.clone(),
                    secret: false,
                    sentence: format!("{}: {}", field.label, problem.sentence),
                })?;
                checked.insert(field.id.clone(), value);
            }
            None if field.optional => {}
            None => return Err(ConnectError::FieldMissing { label: field.label.clone() }),
        }
    }
    Ok(checked)
}

/// A secret field's value in its checked form.
fn secret(login: &Login, id: &str, credentials: &Credentials) -> Result<SecretString, ConnectError> {
    let field = login.fields.iter().find(|field| field.id == id);
    let label = field.map_or_else(|| id.to_owned(), |field| field.label.clone());
    let secret = credentials
        .get(id)
        .filter(|secret| !secret.expose_secret().trim().is_empty())
        .ok_or_else(|| ConnectError::FieldMissing { label: label.clone() })?;
    match field {
        Some(field) => field
            .format
            .check(&field.choices, secret.expose_secret())
            .map(SecretString::from)
            .map_err(|problem| ConnectError::FieldMalformed { secret: true, sentence: format!("{label}: {}", problem.sentence), label }),
        None => Ok(secret.clone()),
    }
}

fn bearer(attempt: &Attempt<'_>, token: &str) -> Result<Signed, ConnectError> {
    let value = attempt.secret(token)?;
    let header = bearer_header(&value).ok_or_else(|| attempt.unsendable(token))?;
    Ok(Signed::of(Authorisation::Header(header)))
}

/// `Authorization: Basic` of a user (RFC 7617), marked so that it is never printed; `None` when it holds what no header may.
pub(crate) fn basic_header(user: &str, password: &SecretString) -> Option<HeaderValue> {
    let both = SecretString::from(format!("{user}:{}", password.expose_secret()));
    let encoded = SecretString::from(general_purpose::STANDARD.encode(both.expose_secret()));
    token_header("Basic", &encoded)
}

/// `Bearer …`, marked so that it is never printed; `None` when the token holds what no header may.
pub(crate) fn bearer_header(token: &SecretString) -> Option<HeaderValue> {
    token_header("Bearer", token)
}

/// The same for another scheme.
pub(crate) fn token_header(scheme: &str, token: &SecretString) -> Option<HeaderValue> {
    // Made in a buffer that is wiped when it is dropped.
    let text = SecretString::from(format!("{scheme} {}", token.expose_secret()));
    let mut header = HeaderValue::from_str(text.expose_secret()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Says what the key may not read, where nothing else on the screen does.
fn of_test(mut error: ConnectError, title: &str) -> ConnectError {
    if let ConnectError::ScopeMissing { sentence, .. } | ConnectError::PlanLacks { sentence, .. } = &mut error {
        *sentence = format!("{title} could not be read. {sentence}");
    }
    error
}

/// Words a refusal with what the credential tells about itself. `open` says that the place was left open.
fn with_hints(error: ConnectError, request: &SignIn<'_>, entrance: &Entrance, open: bool) -> ConnectError {
    let SignIn { app, login, .. } = *request;
    let Entrance { wire, hints, .. } = entrance;
    if let (ConnectError::CredentialRefused { .. }, Bearer::User) = (&error, bearer_of(&login.strategy)) {
        return ConnectError::SignInFailed {
            stage: SignInStage::Application,
            code: "E-USER-NOT-LET-IN",
            kind: CauseKind::CredentialRefused,
            sentence: format!("The user was signed in, but {} does not let this user in.", app.name),
            remedy: format!("Check in {} that the user exists there, is active and is an administrator.", app.name),
            reference: None,
        };
    }
    if let (ConnectError::ScopeMissing { sentence, .. }, false) = (&error, hints.missing.is_empty()) {
        let missing = hints.missing.join(", ");
        return ConnectError::ScopeMissing {
            sentence: format!("{sentence} The token was issued without {missing}."),
            remedy: format!(
                "Grant {missing} to the app registration, have an administrator consent, wait some minutes, and connect again."
            ),
        };
    }
    let ConnectError::CredentialRefused { sentence, .. } = &error else { return error };
    let now = wire.clock().now();
    if let Some(expired) = hints.expires_at.filter(|at| *at <= now) {
        return ConnectError::CredentialRefused {
            sentence: format!("{sentence} It expired on {}.", expired.strftime("%-d %b %Y")),
            remedy: "Create a new key.".to_owned(),
        };
    }
    if open {
        return error;
    }
    // A choice that names the host: keys are good for one of them.
    let region =
        login.fields.iter().find(|field| field.format == Format::Choice && field.choices.iter().any(|choice| choice.host.is_some()));
    let Some(region) = region else { return error };
    let chosen = wire.inputs().get(&region.id).and_then(|value| region.choices.iter().find(|choice| choice.value == *value));
    let what = region.label.to_lowercase();
    match (&hints.made_for, chosen) {
        (Some(made_for), Some(chosen)) if *made_for != chosen.label => ConnectError::CredentialRefused {
            sentence: format!("{sentence} It may have expired, or belong to another {what}: this key was made for {made_for}."),
            remedy: format!("Choose {made_for}, or create a new key."),
        },
        (_, Some(chosen)) => {
            let others: Vec<&str> =
                region.choices.iter().filter(|choice| choice.value != chosen.value).map(|choice| choice.label.as_str()).collect();
            ConnectError::CredentialRefused {
                sentence: format!("{sentence} It may have expired, or belong to another {what} than {}.", chosen.label),
                remedy: format!("Choose {}, if your {} organization lies there, or create a new key.", others.join(" or "), app.name),
            }
        }
        (_, None) => error,
    }
}
