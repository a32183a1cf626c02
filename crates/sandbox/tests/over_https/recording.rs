//! Against the recordings themselves: `npm ci` in tests/recorded brings them.

use crate::client::{builder, still};
use sandbox::{Recording, Sandbox, SandboxError};
use serde_json::{Value, json};
use std::path::PathBuf;

const HOST: &str = "api.github.com";
const PROTECTION: &str = "/repos/octokit-fixture-org/branch-protection/branches/main/protection";

fn file(scenario: &str) -> PathBuf {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recorded/node_modules/@octokit/fixtures/scenarios/api.github.com");
    PathBuf::from(scenarios).join(scenario).join("normalized-fixture.json")
}

fn open(scenario: &str) -> Recording {
    Recording::open("github-enterprise/recorded", &file(scenario)).unwrap_or_else(|error| panic!("{error} {}", error.remedy()))
}

fn exchange(scenario: &str, number: usize) -> Value {
    let text = std::fs::read(file(scenario)).unwrap_or_else(|cause| panic!("{cause}: run `npm ci` in tests/recorded"));
    serde_json::from_slice::<Value>(&text).unwrap()[number].clone()
}

struct Github {
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl Github {
    async fn new(recording: Recording) -> Self {
        let sandbox = Sandbox::start(vec![recording.into()], still()).await.unwrap();
        let client = builder(&sandbox).build().unwrap();
        Self { sandbox, client }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("https://{HOST}{path}")).bearer_auth("any").send().await.unwrap()
    }

    async fn body(&self, path: &str) -> (u16, Value) {
        let response = self.get(path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn what_was_recorded_is_answered_unchanged() {
    let github = Github::new(open("get-organization").and(open("get-repository"))).await;
    for (scenario, path) in
        [("get-organization", "/orgs/octokit-fixture-org"), ("get-repository", "/repos/octokit-fixture-org/hello-world")]
    {
        let recorded = exchange(scenario, 0);
        assert_eq!(recorded["path"], path);
        let response = github.get(path).await;
        assert_eq!(response.status(), 200);
        for (name, value) in recorded["headers"].as_object().unwrap() {
            let given = response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            match name.as_str() {
                // Of the transfer, which is another one; the length is the one of this body.
                "connection" | "transfer-encoding" | "content-encoding" | "content-length" => {}
                _ => assert_eq!(given.unwrap(), value.as_str().map_or_else(|| value.to_string(), str::to_owned), "{scenario}: {name}"),
            }
        }
        assert_eq!(response.json::<Value>().await.unwrap(), recorded["response"]);
    }
}

#[tokio::test]
async fn what_was_not_recorded_is_not_invented() {
    let github = Github::new(open("get-organization")).await;
    for path in ["/orgs/octokit-fixture-org/repos", "/orgs/octokit-fixture-org?page=2", "/repos/octokit-fixture-org/hello-world", "/"] {
        assert_eq!(github.body(path).await, (404, json!({"message": "not recorded"})), "{path}");
    }
    let written = github.client.put(format!("https://{HOST}/orgs/octokit-fixture-org")).send().await.unwrap();
    assert_eq!(written.status(), 405);
    assert_eq!(github.sandbox.log().len(), 5);
}

#[tokio::test]
async fn the_scenario_can_be_read_at_each_of_its_steps() {
    let recorded = |number| exchange("branch-protection", number);
    assert_eq!(
        (0..4).map(|number| (recorded(number)["method"].clone(), recorded(number)["status"].clone())).collect::<Vec<_>>(),
        [(json!("get"), json!(404)), (json!("put"), json!(200)), (json!("put"), json!(200)), (json!("delete"), json!(204))]
    );
    let github = Github::new(open("branch-protection").at(0)).await;
    let mut states = Vec::new();
    for step in 0..3 {
        github.sandbox.serve(vec![open("branch-protection").at(step).into()]).unwrap();
        let (status, body) = github.body(PROTECTION).await;
        assert_eq!(json!(status), recorded(step)["status"]);
        assert_eq!(body, recorded(step)["response"], "step {step}");
        states.push(body);
    }
    assert_eq!(states[0]["message"], "Branch not protected");
    assert!(states[0] != states[1] && states[1] != states[2]);
    github.sandbox.serve(vec![open("branch-protection").at(3).into()]).unwrap();
    assert_eq!(github.body(PROTECTION).await, (404, json!({"message": "not recorded"})), "nobody asked after it was deleted");
    github.sandbox.serve(vec![open("branch-protection").into()]).unwrap();
    assert_eq!(github.body(PROTECTION).await, (404, recorded(0)["response"].clone()));
}

#[tokio::test]
async fn a_credential_can_be_asked_for() {
    let github = Github::new(open("get-organization").with_credential("ghp_of_the_test")).await;
    assert_eq!(github.body("/orgs/octokit-fixture-org").await, (401, json!({"message": "Bad credentials"})));
    let response =
        github.client.get(format!("https://{HOST}/orgs/octokit-fixture-org")).bearer_auth("ghp_of_the_test").send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[test]
fn an_absent_or_foreign_file_is_said_exactly() {
    let error = Recording::open("x", "nowhere/normalized-fixture.json".as_ref()).err().unwrap();
    assert!(matches!(error, SandboxError::RecordingAbsent { .. }));
    assert_eq!(error.to_string(), "The recording nowhere/normalized-fixture.json is not there.");
    assert_eq!(error.remedy(), "Run `npm ci` in tests/recorded; `cargo xtask test` does it.");
    let folder = tempfile::tempdir().unwrap();
    let exchange = |scope: &str, binary: bool| {
        json!([{"scope": scope, "method": "get", "path": "/", "status": 200, "response": "", "responseIsBinary": binary}]).to_string()
    };
    for (text, problem) in [
        ("[{}]".to_owned(), "is not understood."),
        (exchange("http://api.github.com:80", false), "cannot be served: its scope is no https address."),
        (exchange("https://api.github.com:443", true), "cannot be served: its body is binary."),
    ] {
        let file = folder.path().join("fixture.json");
        std::fs::write(&file, text).unwrap();
        let error = Recording::open("x", &file).err().unwrap();
        assert!(error.to_string().ends_with(problem), "{error}");
        assert_eq!(error.code(), "E-SANDBOX-RECORDING");
    }
}
