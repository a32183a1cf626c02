//! Signing in, and what comes of it.

use crate::{
    Clock, ConnectError, Hints, Limits, RequestEntry, Route, hints,
    reduce::reduce,
    request::Request,
    wire::{Content, Event, Wire},
};
use catalog::{App, Format, Inputs, Login, Strategy};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

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

/// Signed in: what [`crate::collect`], [`crate::probe`] and [`crate::shapes`] work with. Holds the credential in memory
/// until it is dropped; cannot be stored or printed.
pub struct Session {
    pub(crate) app: String,
    pub(crate) wire: Wire,
    hints: Hints,
    unclaimed: Mutex<Vec<RequestEntry>>,
}

impl Session {
    /// What the credential tells about itself.
    pub fn hints(&self) -> &Hints {
        &self.hints
    }
    /// When the credential says that it ends.
    pub fn expires_at(&self) -> Option<jiff::Timestamp> {
        self.hints.expires_at
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
    let SignIn { app, login, inputs, credentials, route, limits, clock, events } = request;
    let inputs = check_inputs(login, inputs)?;
    let Strategy::Bearer { token } = &login.strategy;
    let mut header = bearer(login, token, credentials)?;
    header.set_sensitive(true);
    events(SignInStep::FieldsChecked);
    let hosts = login.resolve(&inputs).map_err(|error| ConnectError::HostInvalid { sentence: error.to_string() })?;
    events(SignInStep::HostsResolved { hosts: hosts.allowed.iter().cloned().collect() });
    let mut wire = Wire::new(app, hosts, inputs, credentials, route, limits, clock)?;
    wire.authorise(header);

    let test = app
        .dataset(&login.test)
        .ok_or_else(|| ConnectError::RequestRefused { sentence: "the login option's test dataset is not declared.".to_owned() })?
        .for_inputs(wire.inputs());
    let ask = Request::first(app, &wire, &test, None)?;
    events(SignInStep::Asking { host: ask.host().to_owned(), title: test.title.clone() });
    let watcher = |event| match event {
        Event::Requested(entry) => events(SignInStep::Requested { entry }),
        Event::Waiting { host, until } => events(SignInStep::Waiting { host, until }),
    };
    let hints = hints(login, credentials);
    // A person is waiting: what fails is told at once and not tried again.
    let fetched = wire
        .fetch(app, &test, &ask, 0, &watcher)
        .await
        .map_err(|error| with_hints(of_test(error, &test.title), app, login, &wire, &hints))?;
    if let Content::Body { body, .. } = &fetched.content {
        reduce(&test, body, None)?;
    }
    events(SignInStep::Accepted);
    Ok(Session { app: app.slug.clone(), wire, hints, unclaimed: Mutex::default() })
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

fn bearer(login: &Login, token: &str, credentials: &Credentials) -> Result<HeaderValue, ConnectError> {
    let field = login.fields.iter().find(|field| field.id == token);
    let label = field.map_or_else(|| token.to_owned(), |field| field.label.clone());
    let secret = credentials
        .get(token)
        .filter(|secret| !secret.expose_secret().trim().is_empty())
        .ok_or_else(|| ConnectError::FieldMissing { label: label.clone() })?;
    let malformed = |sentence: String| ConnectError::FieldMalformed { label: label.clone(), secret: true, sentence };
    let value = match field {
        Some(field) => SecretString::from(
            field
                .format
                .check(&field.choices, secret.expose_secret())
                .map_err(|problem| malformed(format!("{label}: {}", problem.sentence)))?,
        ),
        None => secret.clone(),
    };
    // Made in a buffer that is wiped when it is dropped.
    let text = SecretString::from(format!("Bearer {}", value.expose_secret()));
    HeaderValue::from_str(text.expose_secret()).map_err(|_| malformed(format!("{label} holds a character that cannot be sent.")))
}

/// Says what the key may not read, where nothing else on the screen does.
fn of_test(mut error: ConnectError, title: &str) -> ConnectError {
    if let ConnectError::ScopeMissing { sentence, .. } | ConnectError::PlanLacks { sentence, .. } = &mut error {
        *sentence = format!("{title} could not be read. {sentence}");
    }
    error
}

/// Words a refusal with what the credential tells about itself.
fn with_hints(error: ConnectError, app: &App, login: &Login, wire: &Wire, hints: &Hints) -> ConnectError {
    let ConnectError::CredentialRefused { sentence, .. } = &error else { return error };
    let now = wire.clock().now();
    if let Some(expired) = hints.expires_at.filter(|at| *at <= now) {
        return ConnectError::CredentialRefused {
            sentence: format!("{sentence} It expired on {}.", expired.strftime("%-d %b %Y")),
            remedy: "Create a new key.".to_owned(),
        };
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
