//! A client like any other: it knows the proxy's address and one root certificate.

use crate::helpdesk::{HOST, halden_moor, noon, tenant};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Response};
use sandbox::{Clock, OverlayChange, Sandbox, SandboxError};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// A sandbox with Halden Moor in it, its key, and a clock that tests move.
pub struct World {
    pub sandbox: Sandbox,
    pub key: String,
    pub client: Client,
    seconds: Arc<AtomicI64>,
}

impl World {
    pub async fn new() -> Self {
        Self::generating(0, 0).await
    }

    /// With so many generated repositories and events.
    pub async fn generating(repositories: u32, events: u32) -> Self {
        let tenant = tenant(&halden_moor())
            .with_generated("/orgs/halden-moor/repos", repositories)
            .unwrap()
            .with_generated("/v1/events", events)
            .unwrap();
        let key = tenant.fields()["api_key"].clone();
        let seconds = Arc::new(AtomicI64::new(noon().as_second()));
        let sandbox = Sandbox::start(vec![tenant.into()], clock(&seconds)).await.unwrap();
        let client = builder(&sandbox).build().unwrap();
        Self { sandbox, key, client, seconds }
    }

    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub async fn get(&self, path: &str) -> Response {
        self.try_get(path).await.unwrap()
    }

    pub async fn try_get(&self, path: &str) -> reqwest::Result<Response> {
        self.client.get(format!("https://{HOST}{path}")).bearer_auth(&self.key).send().await
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub fn change(&self, change: OverlayChange) -> Result<(), SandboxError> {
        self.sandbox.overlay().apply(change)
    }
}

fn clock(seconds: &Arc<AtomicI64>) -> Clock {
    let seconds = seconds.clone();
    Arc::new(move || jiff::Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap())
}

pub fn still() -> Clock {
    Arc::new(noon)
}

/// A client that can go nowhere but through this sandbox and trusts nobody but its authority.
pub fn builder(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder()
        .proxy(Proxy::all(format!("http://{}", sandbox.address())).unwrap())
        .tls_certs_only([Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap()])
        .redirect(reqwest::redirect::Policy::none())
}

pub fn tenant_name() -> String {
    "helpdesk/risky".to_owned()
}

/// The text of an error and of everything that caused it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
