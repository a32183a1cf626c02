//! What `-vv` prints while a user signs in through Okta by SAML.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "console/scene/mod.rs"]
mod scene;

use catalog::{Catalog, Strategy};
use connect::{Clock, Limits, NoBrowser, Route, SignIn};
use sandbox::{Sandbox, Tenant};
use scene::{MemoryLedger, SteppingClock, today};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One process, one test: the subscriber sees every library.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_whole_okta_sign_in_holds_no_secret() {
    let written = Written::default();
    let writer = written.clone();
    tracing_subscriber::fmt().with_env_filter(posture_core::log_filter(9)).with_writer(move || writer.clone()).with_ansi(false).init();

    let catalog = Catalog::built_in().unwrap();
    let mut assertions = 0;
    let mut secrets = Vec::new();
    for slug in catalog.tiles().iter().map(|tile| tile.slug.clone()) {
        let app = catalog.app(&slug).unwrap().unwrap();
        for files in catalog.sandbox_tenants(&slug).unwrap() {
            let Some(login) = app.login(&files.login).filter(|login| matches!(login.strategy, Strategy::Okta(_))) else { continue };
            let clock = SteppingClock::at(today());
            let prepared = Tenant::new(&files, &app, today()).unwrap();
            let fields = prepared.fields().clone();
            let told = Arc::clone(&clock);
            let sandbox = Sandbox::start(vec![prepared.into()], Arc::new(move || told.now())).await.unwrap();
            let route = Route::sandbox(sandbox.address(), sandbox.ca_pem()).unwrap();
            let (mut inputs, mut credentials) = (BTreeMap::new(), BTreeMap::new());
            for field in &login.fields {
                if let Some(value) = fields.get(&field.id) {
                    if field.secret {
                        secrets.push(value.clone());
                        credentials.insert(field.id.clone(), SecretString::from(value.clone()));
                    } else {
                        inputs.insert(field.id.clone(), value.clone());
                    }
                }
            }
            let session = connect::sign_in(SignIn {
                app: &app,
                login,
                inputs: &inputs,
                credentials: &credentials,
                route: &route,
                limits: Limits::default(),
                clock,
                ledger: Arc::new(MemoryLedger::default()),
                browser: Arc::new(NoBrowser),
                cancel: tokio_util::sync::CancellationToken::new(),
                events: &|_step| {},
            })
            .await;
            session.unwrap_or_else(|error| panic!("{slug}, {}: {error}", files.id));
            assertions += sandbox.log().iter().filter(|seen| seen.method == "POST" && !seen.path.contains("/api/")).count();
        }
    }
    assert!(assertions > 0, "a form was posted on the way to an application");

    let text = String::from_utf8_lossy(&written.0.lock().unwrap()).into_owned();
    assert!(text.lines().any(|line| line.contains("posture_connect")), "the log is on, and our lines are in it");
    // Words of the pages and answers that carry secrets; libraries that parse them log them character by character, too.
    for word in ["SAMLResponse", "stateToken", "sessionToken", "PHNhbWx", "passCode", "html5ever", "CharacterTokens", "sid="] {
        let line = text.lines().find(|line| line.contains(word));
        assert!(line.is_none(), "{word} was logged: {}", line.unwrap_or_default().chars().take(300).collect::<String>());
    }
    assert!(secrets.len() >= 2);
    assert!(secrets.iter().all(|secret| !text.contains(secret)), "a password or a key was logged");
}
