//! A stand for tests of the real `posture` program: a simulated vendor behind a company's inspecting proxy, a data folder
//! protected by a passphrase, and the program itself as a child process.
#![allow(dead_code, clippy::unwrap_used)]

use catalog::Catalog;
use sandbox::{OverlayChange, Sandbox, Tenant};
use std::{
    collections::BTreeMap,
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

/// Cases of a promise as a test shows them; told when it goes, and as failed when a panic takes it.
pub struct Promise {
    slug: &'static str,
    cases: usize,
}

impl Promise {
    pub fn begin(slug: &'static str) -> Self {
        Self { slug, cases: 0 }
    }

    /// Counts a case that holds.
    pub fn holds(&mut self) {
        self.cases += 1;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let failed = usize::from(std::thread::panicking());
        promise(self.slug, self.cases + failed, failed);
    }
}

pub struct Stand {
    pub vendor: Sandbox,
    pub folder: tempfile::TempDir,
    /// The tenant's key, right in every respect.
    pub key: String,
    /// The same, made a year ago and expired since.
    pub expired_key: String,
    tenant: String,
}

impl Stand {
    /// The Kustomer tenant of that name, behind the company's proxy.
    pub async fn kustomer(tenant: &str) -> Self {
        Self::kustomer_with(tenant, |tenant| tenant).await
    }

    /// The same, prepared further before it is served.
    pub async fn kustomer_with(tenant: &str, prepare: impl FnOnce(Tenant) -> Tenant) -> Self {
        let catalog = Catalog::built_in().unwrap();
        let app = catalog.app("kustomer").unwrap().unwrap();
        let known = catalog.sandbox_tenants("kustomer").unwrap().into_iter().find(|known| known.id == tenant).unwrap();
        let now = jiff::Timestamp::now();
        let a_year_ago = now - jiff::SignedDuration::from_hours(365 * 24);
        let expired_key = Tenant::new(&known, &app, a_year_ago).unwrap().fields().get("api_key").unwrap().clone();
        let prepared = prepare(Tenant::new(&known, &app, now).unwrap());
        let key = prepared.fields().get("api_key").unwrap().clone();
        let vendor = Sandbox::start_under(COMPANY, vec![prepared.into()], Arc::new(jiff::Timestamp::now)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("company-ca.pem"), vendor.ca_pem()).unwrap();
        std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
        Self { vendor, folder, key, expired_key, tenant: format!("kustomer/{tenant}") }
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
        let mut arguments: Vec<String> = add_through(&self.proxy()).into_iter().map(str::to_owned).collect();
        arguments.extend(["--ca".into(), self.ca().display().to_string()]);
        arguments
    }

    /// Onboards the tenant with the right key.
    pub fn add(&self) -> serde_json::Value {
        let arguments = self.add_arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.json(&arguments, &format!("{}\n", self.key))
    }
}

/// The arguments that onboard a tenant of Kustomer through a proxy.
pub fn add_through(proxy: &str) -> Vec<&str> {
    let instance = ["--json", "instance", "add", "kustomer", "--name", "Halden Moor"];
    let rest = ["--set", "region=eu", "--set", "organization=halden-moor", "--secret-stdin", "--proxy", proxy];
    [&instance[..], &rest].concat()
}

/// The program with these arguments, its passphrase (from `folder`) on descriptor 3.
pub fn command_in(folder: &Path, data: &Path, arguments: &[&str]) -> Command {
    command_within(folder, data, "", arguments)
}

/// The same as the last of several commands of a shell (`mount …; ip …;`), in which `"$@"` is the program with its arguments.
/// The shell becomes the program, so that signals and the process id are the program's.
pub fn command_within(folder: &Path, data: &Path, before: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    fill(&mut command, folder, data, before, "exec \"$@\"", arguments);
    command
}

/// A script in namespaces of its own (`-n`: no network; `-m`: mounts that nobody else sees) in which `"$@"` is the program with
/// its arguments and `$DATA` the data folder. Without the rights of root it runs as root of a namespace of users.
pub fn script_in_namespace(flags: &str, folder: &Path, data: &Path, script: &str, arguments: &[&str]) -> Command {
    let as_root = Command::new("unshare").args([flags, "true"]).stderr(Stdio::null()).status().unwrap().success();
    let mut command = Command::new("unshare");
    command.arg(flags).args(if as_root { &[][..] } else { &["-Ur"][..] }).arg("sh");
    fill(&mut command, folder, data, "set -e; ", script, arguments);
    command
}

fn fill(command: &mut Command, folder: &Path, data: &Path, before: &str, last: &str, arguments: &[&str]) {
    command
        .arg("-c")
        .arg(format!("exec 3<\"$0\"; {before}{last}"))
        .arg(folder.join("passphrase"))
        .arg(env!("CARGO_BIN_EXE_posture"))
        .args(["--passphrase-fd", "3", "--data-folder"])
        .arg(data)
        .args(arguments)
        .env("DATA", data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
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

/// Every file of a folder, by its path in it.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The database of a data folder, opened with the key that its vault holds. Its layout is an agreement of the store with
/// itself; these tests look behind it on purpose.
pub fn database(data: &Path) -> rusqlite::Connection {
    use sha2::Digest;
    let vault = vault::Vault::open(&data.join("vault"), &vault::Unlock::Passphrase(PASSPHRASE.to_owned().into())).unwrap();
    let key = secrecy::ExposeSecret::expose_secret(vault.database_key());
    let salt = sha2::Sha256::new().chain_update("posture-console database salt 1").chain_update(key).finalize();
    let connection = rusqlite::Connection::open(data.join("posture.db")).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{}{}'\"", hex::encode(key), hex::encode(&salt[..16]))).unwrap();
    connection
}
