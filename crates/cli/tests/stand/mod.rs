//! A stand for tests of the real `posture` program: a simulated vendor behind a company's inspecting proxy, a data folder
//! protected by a passphrase, and the program itself as a child process.
#![allow(dead_code, clippy::unwrap_used)]

use catalog::Catalog;
use sandbox::{OverlayChange, Sandbox, Tenant};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
};

/// Who issues the certificates that the company's proxy shows.
pub const COMPANY: &str = "HM Corporate Proxy CA 2";
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Tells the test run what was shown; see `cargo xtask test`.
pub fn promise(slug: &str, cases: usize, failures: usize) {
    let Ok(path) = std::env::var("POSTURE_PROMISES") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
    writeln!(file, "PROMISE {slug} cases={cases} failures={failures}").unwrap();
}

pub struct Stand {
    pub vendor: Sandbox,
    pub folder: tempfile::TempDir,
    /// The tenant's key, right in every respect.
    pub key: String,
    tenant: String,
}

impl Stand {
    /// The Kustomer tenant of that name, behind the company's proxy.
    pub async fn kustomer(tenant: &str) -> Self {
        let catalog = Catalog::built_in().unwrap();
        let app = catalog.app("kustomer").unwrap().unwrap();
        let known = catalog.sandbox_tenants("kustomer").unwrap().into_iter().find(|known| known.id == tenant).unwrap();
        let prepared = Tenant::new(&known, &app, jiff::Timestamp::now()).unwrap();
        let key = prepared.fields().get("api_key").unwrap().clone();
        let vendor = Sandbox::start_under(COMPANY, vec![prepared.into()], Arc::new(jiff::Timestamp::now)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("company-ca.pem"), vendor.ca_pem()).unwrap();
        std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
        Self { vendor, folder, key, tenant: format!("kustomer/{tenant}") }
    }

    /// The program's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("company-ca.pem")
    }

    pub fn proxy(&self) -> String {
        format!("http://{}", self.vendor.address())
    }

    /// The name by which changes speak of the tenant.
    pub fn tenant(&self) -> String {
        self.tenant.clone()
    }

    pub fn change(&self, change: OverlayChange) {
        self.vendor.overlay().apply(change).unwrap();
    }

    /// The program with these arguments, its passphrase on descriptor 3.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command_in(self.folder.path(), &self.data(), arguments)
    }

    /// Runs the program to its end with this standard input.
    pub fn posture(&self, arguments: &[&str], input: &str) -> Output {
        run(self.command(arguments), input)
    }

    /// The same, with the answer as JSON.
    pub fn json(&self, arguments: &[&str], input: &str) -> serde_json::Value {
        let output = self.posture(arguments, input);
        assert!(output.status.success(), "posture {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
    }

    pub fn init(&self) {
        self.json(&["--json", "init", "--protection", "passphrase"], "");
    }

    /// The arguments that onboard the tenant through the company's proxy, its CA trusted.
    pub fn add_arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["--json", "instance", "add", "kustomer", "--name", "Halden Moor", "--set", "region=us", "--secret-stdin", "--proxy"].map(str::to_owned).to_vec();
        arguments.extend([self.proxy(), "--ca".into(), self.ca().display().to_string()]);
        arguments
    }

    /// Onboards the tenant with the right key.
    pub fn add(&self) -> serde_json::Value {
        let arguments = self.add_arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.json(&arguments, &format!("{}\n", self.key))
    }
}

/// The program with these arguments, its passphrase (from `folder`) on descriptor 3.
pub fn command_in(folder: &Path, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    // The shell opens the descriptor and becomes the program, so that signals and the process id are the program's.
    command
        .args(["-c", "exec \"$@\" 3<\"$0\""])
        .arg(folder.join("passphrase"))
        .arg(env!("CARGO_BIN_EXE_posture"))
        .args(["--passphrase-fd", "3", "--data-folder"])
        .arg(data)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn run(mut command: Command, input: &str) -> Output {
    let mut child: Child = command.spawn().unwrap();
    // A program that refuses its arguments ends before it reads.
    let _ended = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The failure that the program told, as JSON.
pub fn failure(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .rev()
        .find_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .and_then(|value| value.get("error").cloned())
        .unwrap_or_else(|| panic!("no failure was told: {text}"))
}
