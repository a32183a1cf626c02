//! Signing in, and what comes of it.

use crate::{Clock, ConnectError, Hints, Limits, RequestEntry, Route};
use catalog::{App, Login};
use secrecy::SecretString;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

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
    /// The vendor accepts the credential.
    Accepted,
}

/// Signed in: what [`crate::collect`], [`crate::probe`] and [`crate::shapes`] work with. Holds the credential in memory
/// until it is dropped; cannot be stored.
pub struct Session {
    hints: Hints,
}

impl Session {
    /// What the credential tells about itself.
    pub fn hints(&self) -> &Hints {
        &self.hints
    }
    /// When the session ends, where that is known.
    pub fn expires_at(&self) -> Option<jiff::Timestamp> {
        None
    }
    /// The hosts that may receive the credential.
    pub fn hosts(&self) -> Vec<String> {
        Vec::new()
    }
    /// The log lines of requests made by [`crate::probe`] and [`crate::shapes`] since this was last asked.
    pub fn take_requests(&self) -> Vec<RequestEntry> {
        Vec::new()
    }
}

/// Signs in and proves it by reading the login option's test dataset.
///
/// # Errors
/// Whatever stands in the way, with a code and a remedy. Dropping the future ends it at once.
pub async fn sign_in(request: SignIn<'_>) -> Result<Session, ConnectError> {
    let _ = request;
    unimplemented!("the wire is not laid yet")
}
