//! Day after day: three instances of two applications, a schedule, a credential that is revoked, healed and deleted.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use sandbox::OverlayChange;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    notifications::Notifications,
    promise::Promise,
    vendor::Vendor,
};

/// How long scans may take on a busy machine.
const SCANS: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_is_revoked_told_replaced_and_deleted() {
    let mut promise = Promise::begin("window");
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    let notifications = Notifications::start(&desktop).await;
    let (first, second) = (Vendor::start().await, Vendor::start_of("kustomer", "clean", |_| {}).await);
    let third = Vendor::start_of("customer-io", "clean", |_| {}).await;
    posture(&desktop, &["init", "--protection", "keychain"], &[]);
    add(&desktop, &first, "kustomer", "Harbour", &["--set", "region=eu"], &["api_key"]);
    add(&desktop, &second, "kustomer", "Lighthouse", &["--set", "region=eu"], &["api_key"]);
    add(&desktop, &third, "customer-io", "Pier", &["--login", "service-account", "--set", "region=eu"], &["service_account_token"]);

    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.click("sandbox-skip").await;
    window.click("nav-applications").await;
    for name in ["Harbour", "Lighthouse", "Pier"] {
        window.shows(name).await;
    }
    assert_eq!(window.count("instance-row").await, 3);
    promise.holds();

    // Its key is revoked: all are scanned, one turns.
    first.change(OverlayChange::Revoke { tenant: first.tenant().to_owned() });
    window.click("scan-all").await;
    window.shows_within("Down", SCANS).await;
    let told = heard(&notifications, "is down").await;
    assert!(told.0.contains("Harbour"), "{told:?}");
    assert!(told.1.contains("refused"), "the cause is told: {told:?}");
    for secret in [first.key(), second.key()] {
        assert!(!format!("{told:?}").contains(secret));
    }
    promise.holds();

    open(&window, "Harbour").await;
    assert!(window.says("health-card").await.contains("Down"));
    assert!(!window.says("health-remedy").await.is_empty());
    first.change(OverlayChange::Restore { tenant: first.tenant().to_owned() });
    window.click("health-reauthenticate").await;
    window.at("replace-secret-dialog").await;
    window.type_into("field-api_key", first.key()).await;
    window.reaches("field-api_key-state", "right").await;
    window.click("replace").await;
    window.gone_within("replace-secret-dialog", SCANS).await;
    assert!(heard(&notifications, "is up again").await.0.contains("Harbour"));
    let turned = notifications.shown().into_iter().filter(|(title, _)| title.contains(" is ")).count();
    assert_eq!(turned, 2, "the others did not turn: {:?}", notifications.shown());
    promise.holds();

    // A schedule of its own, without a secret.
    window.click("edit").await;
    window.at("edit-dialog").await;
    window.at("schedule-words").await;
    window.type_into("schedule-off", " ").await;
    window.click("change-save").await;
    window.gone("edit-dialog").await;
    let listed = posture(&desktop, &["--json", "schedule", "Harbour"], &[]);
    assert!(listed.contains("\"off\""), "{listed}");
    let history = posture(&desktop, &["--json", "instance", "show", "Harbour"], &[]);
    let page: serde_json::Value = serde_json::from_str(&history).expect("it is JSON");
    let states: Vec<&str> = page["scans"].as_array().expect("a list").iter().filter_map(|scan| scan["state"].as_str()).collect();
    assert_eq!(states, ["complete", "failed", "complete"], "the history is whole");
    promise.holds();

    let before = sealed(&desktop);
    window.click("tab-settings").await;
    window.click("delete").await;
    window.type_into("delete-name", "Harbour").await;
    window.click("delete-confirm").await;
    window.gone("delete-dialog").await;
    window.at("instances-table").await;
    assert_eq!(window.count("instance-row").await, 2);
    assert_eq!(sealed(&desktop).len(), before.len() - 1, "its sealed file is gone");
    window.click("nav-activity").await;
    window.shows("instance deleted").await;
    window.close().await;
    promise.holds();
}

/// The first notification whose title says this.
async fn heard(notifications: &Notifications, title: &str) -> (String, String) {
    let started = Instant::now();
    loop {
        if let Some(found) = notifications.shown().into_iter().find(|(shown, _)| shown.contains(title)) {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no notification says {title:?}: {:?}", notifications.shown());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Opens the page of an instance from the list.
async fn open(window: &Window, name: &str) {
    let script = format!(
        "const row = [...document.querySelectorAll('[data-testid=\"instance-row\"]')].find((row) => row.textContent.includes('{name}'));
         row?.querySelector('[role=gridcell]')?.click();
         return row !== undefined;"
    );
    assert!(window.script::<bool>(&script).await, "no row is {name}'s");
    window.at("health-card").await;
}

/// Adds an instance in the terminal, on the same desktop.
pub fn add(desktop: &Desktop, vendor: &Vendor, app: &str, name: &str, more: &[&str], secrets: &[&str]) {
    let (proxy, ca) = (vendor.proxy(), vendor.authority_file().display().to_string());
    let arguments = [&["instance", "add", app, "--name", name, "--proxy", &proxy, "--ca", &ca, "--secret-stdin"], more].concat();
    let lines: Vec<&str> = secrets.iter().map(|secret| vendor.field(secret)).collect();
    posture(desktop, &arguments, &lines);
}

/// Runs the terminal's program on the desktop, with these lines to read.
pub fn posture(desktop: &Desktop, arguments: &[&str], lines: &[&str]) -> String {
    let program: PathBuf = console().parent().unwrap_or(Path::new(".")).join(format!("posture{}", std::env::consts::EXE_SUFFIX));
    let mut command = desktop.command(program);
    command.arg("--data-folder").arg(desktop.data()).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the terminal's program is built beside the window's");
    let mut input = child.stdin.take().expect("its input is a pipe");
    for line in lines {
        writeln!(input, "{line}").expect("it reads what it asks for");
    }
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "posture {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The sealed files of the vault.
fn sealed(desktop: &Desktop) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = desktop.data().join("vault/instances");
    let files = fs::read_dir(folder).expect("the vault has a folder").flatten();
    files.map(|file| (file.path(), fs::read(file.path()).expect("a sealed file can be read"))).collect()
}
