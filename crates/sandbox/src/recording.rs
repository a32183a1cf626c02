//! Exchanges recorded of a real service, served as they are: the `normalized-fixture.json` files of the npm package
//! `@octokit/fixtures` (<https://github.com/octokit/fixtures>).

use crate::{
    SandboxError, Served,
    answer::{Answer, Body, Generated, Shape},
    served::Credential,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A recorded scenario as a source of answers to GET, by exact host, path and query. What was not recorded is answered
/// with 404 and `{"message":"not recorded"}`.
pub struct Recording {
    name: String,
    credential: Option<String>,
    scenes: Vec<Scene>,
}

#[derive(Clone)]
struct Scene {
    file: PathBuf,
    exchanges: Vec<Exchange>,
    step: Option<usize>,
}

/// One exchange, as the package writes it. Members that say how it was recorded are not needed to serve it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    scope: String,
    method: String,
    path: String,
    status: u16,
    response: Value,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    response_is_binary: bool,
}

// RFC 9110 section 7.6.1, and what describes the recorded transfer rather than the representation.
const OF_THE_TRANSFER: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
];

impl Recording {
    /// Reads one scenario. `name` is how changes speak of it.
    ///
    /// # Errors
    /// The file is absent or not of the known shape.
    pub fn open(name: &str, file: &Path) -> Result<Self, SandboxError> {
        let bytes = std::fs::read(file).map_err(|source| SandboxError::RecordingAbsent { file: file.to_owned(), source })?;
        let exchanges: Vec<Exchange> =
            serde_json::from_slice(&bytes).map_err(|source| SandboxError::RecordingUnreadable { file: file.to_owned(), source })?;
        for (number, exchange) in exchanges.iter().enumerate() {
            let wrong = |problem| SandboxError::RecordingExchange { file: file.to_owned(), number, problem };
            exchange.host().ok_or_else(|| wrong("its scope is no https address"))?;
            if !(100..=999).contains(&exchange.status) {
                return Err(wrong("its status is none of HTTP"));
            }
            if exchange.response_is_binary {
                return Err(wrong("its body is binary"));
            }
        }
        let scene = Scene { file: file.to_owned(), exchanges, step: None };
        Ok(Self { name: name.to_owned(), credential: None, scenes: vec![scene] })
    }

    /// The service as it was after exchange `step` (from 0) of the scenario: the answer to GET of a path is what the last GET, or the last
    /// PUT with status 200, up to that step returned for it (a successful PUT answers with the representation that a GET would
    /// give). After a DELETE nothing is recorded of a path. Without this, the first recorded GET of each path answers.
    pub fn at(mut self, step: usize) -> Self {
        for scene in &mut self.scenes {
            scene.step = Some(step);
        }
        self
    }

    /// Both scenarios, each at its own step, as one source under this one's name. Where both know a path, this one's
    /// answer stands.
    pub fn and(mut self, other: Self) -> Self {
        self.scenes.extend(other.scenes);
        self
    }

    /// The value that `Authorization: Bearer` must carry. Without, any credential is accepted: recordings do not hold the
    /// one that was used.
    pub fn with_credential(mut self, credential: &str) -> Self {
        self.credential = Some(credential.to_owned());
        self
    }

    /// The files it was read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.scenes.iter().map(|scene| scene.file.as_path())
    }

    pub(crate) fn into_served(self) -> Served {
        let mut known: BTreeMap<(String, String), Answer> = BTreeMap::new();
        let mut hosts = BTreeSet::new();
        for scene in &self.scenes {
            hosts.extend(scene.exchanges.iter().filter_map(Exchange::host));
            for (place, exchange) in scene.represented() {
                known.entry(place).or_insert_with_key(|(host, path)| exchange.answer(host, path));
            }
        }
        let not_recorded = json!({"message": "not recorded"});
        Served {
            name: self.name,
            hosts,
            credential: self.credential.map_or(Credential::Any, Credential::Bearer),
            door: None,
            answers: known.into_values().collect(),
            datasets: BTreeMap::new(),
            errors: BTreeMap::from([(404, not_recorded), (401, json!({"message": "Bad credentials"}))]),
            limits: false,
            also: Vec::new(),
            told: BTreeMap::new(),
            gate: None,
        }
    }
}

impl Scene {
    /// What GET of each place returns.
    fn represented(&self) -> BTreeMap<(String, String), &Exchange> {
        let mut represented = BTreeMap::new();
        let end = self.step.map_or(self.exchanges.len(), |step| self.exchanges.len().min(step.saturating_add(1)));
        for exchange in &self.exchanges[..end] {
            let Some(host) = exchange.host() else {
                continue;
            };
            let place = (host, exchange.path.clone());
            match (exchange.method.to_ascii_lowercase().as_str(), exchange.status, self.step) {
                ("get", _, None) => {
                    represented.entry(place).or_insert(exchange);
                }
                ("get", _, Some(_)) | ("put", 200, Some(_)) => {
                    represented.insert(place, exchange);
                }
                ("delete", 200..=299, Some(_)) => {
                    represented.remove(&place);
                }
                _ => {}
            }
        }
        represented
    }
}

impl Exchange {
    fn host(&self) -> Option<String> {
        let scope = url::Url::parse(&self.scope).ok()?;
        (scope.scheme() == "https").then(|| scope.host_str().map(str::to_owned)).flatten()
    }

    fn answer(&self, host: &str, path: &str) -> Answer {
        let headers = self.headers.iter().filter(|(name, _)| !OF_THE_TRANSFER.contains(&name.to_ascii_lowercase().as_str()));
        let headers = headers.flat_map(|(name, value)| {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            values.iter().map(|value| (name.clone(), header(value)))
        });
        let body = match self.response.as_str() {
            Some(text) => Body::Text(text.to_owned()),
            None => Body::Json(Arc::new(self.response.clone())),
        };
        Answer {
            role: None,
            hosts: BTreeSet::from([host.to_owned()]),
            method: "GET".to_owned(),
            shape: Shape::parse(path).closed(),
            documents: Vec::new(),
            authorised: true,
            status: self.status,
            headers: headers.collect(),
            body,
            paging: None,
            generated: Generated::default(),
            spoken: None,
        }
    }
}

fn header(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
