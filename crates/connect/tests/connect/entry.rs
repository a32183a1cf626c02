//! A sign-in with what the dialog holds, what it told meanwhile, and the scan that follows it.
use crate::vendor::{Kept, MemoryLedger, small};

use catalog::App;
use posture_connect::{
    Browser, Clock, ConnectError, Credentials, Left, NoBrowser, Resume, Route, Session, SignIn, SignInStep, collect, sign_in_leaving,
};
use secrecy::SecretString;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// What the dialog holds.
pub struct Entry<'a> {
    pub app: &'a App,
    pub route: Route,
    pub inputs: &'a [(&'a str, &'a str)],
    pub credentials: Credentials,
    pub clock: Arc<dyn Clock>,
    pub browser: Arc<dyn Browser>,
    pub cancel: CancellationToken,
}

impl<'a> Entry<'a> {
    /// Nothing is typed yet, and nobody has a browser.
    pub fn of(app: &'a App, route: Route, clock: Arc<dyn Clock>) -> Self {
        let (credentials, browser, cancel) = (Credentials::new(), Arc::new(NoBrowser), CancellationToken::new());
        Self { app, route, inputs: &[], credentials, clock, browser, cancel }
    }

    pub async fn sign_in(self) -> Signing {
        self.sign_in_leaving(&Left::default()).await
    }

    pub async fn sign_in_leaving(self, left: &Left) -> Signing {
        let inputs = self.inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let steps = Mutex::new(Vec::new());
        let request = SignIn {
            app: self.app,
            login: &self.app.logins[0],
            inputs: &inputs,
            credentials: &self.credentials,
            route: &self.route,
            limits: small(),
            clock: self.clock,
            ledger: Arc::new(MemoryLedger::default()),
            browser: self.browser,
            cancel: self.cancel,
            events: &|step| steps.lock().unwrap().push(step),
        };
        let result = sign_in_leaving(request, left).await;
        Signing { result, steps: steps.into_inner().unwrap() }
    }
}

pub fn secrets(pairs: &[(&str, &str)]) -> Credentials {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from((*value).to_owned()))).collect()
}

pub struct Signing {
    pub result: Result<Session, ConnectError>,
    pub steps: Vec<SignInStep>,
}

impl Signing {
    #[track_caller]
    pub fn refused(self) -> ConnectError {
        refused(self.result)
    }

    /// No such word stands in what was told.
    #[track_caller]
    pub fn tells_none_of(self, words: &[&str]) -> Self {
        let told = serde_json::to_string(&self.steps).unwrap();
        for word in words {
            assert!(!told.contains(word), "{word} is told: {told}");
        }
        self
    }
}

#[track_caller]
pub fn refused(result: Result<Session, ConnectError>) -> ConnectError {
    match result {
        Ok(_) => panic!("signed in"),
        Err(error) => error,
    }
}

/// The users that a vendor of these tests lists.
pub async fn scan(session: &Session, app: &App) -> Kept {
    read(session, app, &["users"]).await
}

pub async fn read(session: &Session, app: &App, datasets: &[&str]) -> Kept {
    let mut kept = Kept::default();
    collect(session, app, datasets, Resume::default(), &mut kept, CancellationToken::new()).await.unwrap();
    kept
}
