//! From first start to findings in the window: a wrong key, a right one, what stays in memory and on the disk, and a second
//! start without a network.

use std::{
    collections::BTreeSet,
    env, fs,
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use thirtyfour::prelude::*;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    memory::{Form, forms, found_in, found_in_process},
    promise::Promise,
    screens::Album,
    vendor::{COMPANY, Vendor},
};

/// Set for the part that runs without a network: the home folder that the first part made.
const OFFLINE_HOME: &str = "POSTURE_WINDOW_OFFLINE_HOME";
/// Where the company's proxy was, for that part to find nothing there.
const OFFLINE_PROXY: &str = "POSTURE_WINDOW_OFFLINE_PROXY";

const THIS_TEST: &str = "first_instance::it_is_added_and_its_findings_stay";
const NAME: &str = "Halden Moor";

/// How long the first scan of a tenant may take on a busy machine.
const SCANS: Duration = Duration::from_secs(400);

/// After a dialog closed, how long its last answers may be on their way.
const FORGETS: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_added_and_its_findings_stay() {
    if let Some(home) = env::var_os(OFFLINE_HOME) {
        return without_a_network(PathBuf::from(home)).await;
    }
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    let vendor = Vendor::start().await;
    let (mut promise, mut search, mut album) = (Promise::begin("window"), Promise::begin("key-nowhere"), Album::begin());
    let window = Window::open(&desktop, console(), &[], &[]).await;

    first_start(&window, &mut album).await;
    promise.holds();

    let sealed = sealed_files(&desktop);
    refused(&window, &vendor, &mut album, &mut search).await;
    assert_eq!(sealed_files(&desktop), sealed, "a refused key leaves no sealed file");
    promise.holds();

    listen_to_events(&window).await;
    connected(&window, &vendor, &mut album, &mut search).await;
    assert_eq!(sealed_files(&desktop).len(), sealed.len() + 1, "the accepted key lies in one sealed file");
    assert_eq!(vendor.methods(), BTreeSet::from(["GET".to_owned()]), "only requests that read were made");
    promise.holds();
    let count = findings(&window).await;
    promise.holds();
    key_is_nowhere(&window, &desktop, &vendor, &mut search).await;

    pictures(&window, &mut album).await;
    window.close().await;

    let proxy = vendor.proxy();
    drop(vendor);
    run_without_a_network(&desktop, &proxy, count);
    promise.holds();
    album.complete();
}

/// Protection by the keychain, the recovery key kept, the sandbox declined.
async fn first_start(window: &Window, album: &mut Album) {
    window.at("first-start-keychain").await;
    album.take(window, "protect").await;
    window.click("first-start-continue").await;
    window.at("recovery-key-groups").await;
    album.take(window, "recovery-key").await;
    window.click("recovery-kept").await;
    window.at("sandbox-add").await;
    album.take(window, "first-start").await;
    window.click("sandbox-skip").await;
    window.at("overview-empty").await;
    album.take(window, "empty").await;
}

/// A key that the vendor does not know, first without the company's certificate, then with it: nothing is stored either time.
async fn refused(window: &Window, vendor: &Vendor, album: &mut Album, search: &mut Promise) {
    let key = vendor.unknown_key();
    let wanted = [forms(&key), forms(Vendor::signature(&key))].concat();

    window.click("nav-add-application").await;
    window.at("tile-kustomer").await;
    album.take(window, "add-application").await;
    window.click("tile-kustomer").await;
    window.at("add-instance").await;
    album.take(window, "instances").await;
    window.click("add-instance").await;
    window.type_into("instance-name", NAME).await;
    window.click("field-region-eu").await;
    assert_eq!(window.at("field-api_key").await.attr("type").await.expect("it has a type").as_deref(), Some("password"));
    window.type_into("field-api_key", &key).await;
    window.reaches("field-api_key-state", "right").await;
    album.take(window, "add-instance").await;
    let typed = found_in_process(window.process_id(), &wanted);
    assert!(!typed.is_empty(), "while the dialog is open the search finds what was typed, or it would find nothing ever");
    search.holds();

    window.click("network-summary").await;
    choose(window, "route-proxy", "manual").await;
    window.type_into("route-proxy-url", vendor.proxy()).await;
    window.click("connect").await;
    assert_eq!(window.says("failure-code").await, "E-TLS-UNKNOWN-CA");
    let sentence = window.says("failure-sentence").await;
    assert!(sentence.contains("api.prod2.kustomerapp.com") && sentence.contains(COMPANY), "{sentence}");
    assert!(sentence.contains("the key was not sent"), "{sentence}");
    assert_eq!(window.says("failure-kept").await, "Nothing was stored.");
    assert_eq!(vendor.requests(), 0, "nothing reached the vendor");
    album.take(window, "error").await;

    window.click("connect-back").await;
    choose_file(window, vendor).await;
    window.click("connect").await;
    assert_eq!(window.says("failure-code").await, "E-KEY-REFUSED");
    let sentence = window.says("failure-sentence").await;
    assert!(sentence.contains("Kustomer refused the key (401)"), "{sentence}");
    assert!(!window.says("failure-remedy").await.is_empty());
    assert_eq!(window.says("failure-kept").await, "Nothing was stored.");
    assert!(vendor.requests() > 0, "the vendor was asked");

    window.click("dialog-close").await;
    window.gone("add-instance-dialog").await;
    nowhere(window, &wanted, "the refused key, once the dialog is closed").await;
    search.holds();
    window.click("nav-applications").await;
    window.shows("No application is connected").await;
}

/// The right key, by keyboard alone, up to the findings of the first scan.
async fn connected(window: &Window, vendor: &Vendor, album: &mut Album, search: &mut Promise) {
    let wanted = [forms(vendor.key()), forms(Vendor::signature(vendor.key()))].concat();
    window.click("nav-add-application").await;
    window.at("tile-kustomer").await;
    window.tab_to("tile-kustomer").await;
    window.keys(Key::Enter).await;
    window.at("add-instance").await;
    window.keys(Key::Control + Key::Enter).await;
    window.at("add-instance-dialog").await;
    focus_is_on(window, "instance-name").await;
    window.keys(NAME).await;
    // A group of choices is one stop of Tab; the arrows choose in it.
    let mut passed = window.tab_to("field-region-us").await;
    window.keys(Key::Right).await;
    focus_is_on(window, "field-region-eu").await;
    passed.extend(window.tab_to("field-api_key").await);
    window.keys(vendor.key()).await;
    window.reaches("field-api_key-state", "right").await;
    passed.extend(window.tab_to("network-summary").await);
    window.keys(Key::Enter).await;
    passed.extend(window.tab_to("route-proxy").await);
    // The list takes the first letters of what is meant.
    window.keys("A").await;
    passed.extend(window.tab_to("route-proxy-url").await);
    window.keys(vendor.proxy()).await;
    passed.extend(window.tab_to("route-ca-choose").await);
    // The system's dialog, which the button opens, cannot be driven.
    choose_file(window, vendor).await;
    let outside = ["nav-overview", "nav-findings", "find", "BODY"];
    assert!(!passed.iter().any(|focused| outside.contains(&focused.as_str())), "the focus stays in the dialog: {passed:?}");

    let typed = found_in_process(window.process_id(), &wanted);
    assert!(!typed.is_empty(), "while the dialog is open the search finds what was typed, or it would find nothing ever");
    search.holds();

    // The probe of its permissions waits as long, then the scan.
    vendor.delay("users", 12_000);
    window.keys(Key::Control + Key::Enter).await;
    window.at_within("permissions", SCANS).await;
    window.reaches("connect-step-sign_in", "done").await;
    window.reaches("connect-step-scan", "running").await;
    album.take(window, "connect").await;
    vendor.hurry();
    window.at_within("connect-done", SCANS).await;
    for step in ["format", "host", "sign_in", "scan", "judge"] {
        window.reaches(&format!("connect-step-{step}"), "done").await;
    }
    window.at("show-findings").await;
    focus_is_on(window, "show-findings").await;
    window.keys(Key::Enter).await;
    window.gone("add-instance-dialog").await;
}

/// The findings of the first scan; answers how many there are.
async fn findings(window: &Window) -> usize {
    window.at("findings-table").await;
    window.at("finding-row").await;
    let count = window.count("finding-row").await;
    assert!(count > 5, "the tenant has findings: {count}");
    assert!(!window.has("sandbox-mark").await, "the instance is not of the sandbox");
    window.click("finding-row").await;
    for part in ["finding-title", "finding-current", "finding-recommended", "finding-why", "finding-evidence", "finding-steps"] {
        let said = window.says(part).await;
        assert!(said.trim().len() > 3, "{part} says {said:?}");
    }
    let evidence = window.says("finding-evidence").await;
    assert!(!evidence.contains("No row stands behind"), "{evidence}");
    assert!(window.says("finding-instance").await.contains(NAME));
    count
}

/// Nowhere in the memory of the process, in no event that it sent to the page, in no file of the home folder.
async fn key_is_nowhere(window: &Window, desktop: &Desktop, vendor: &Vendor, search: &mut Promise) {
    let wanted = [forms(vendor.key()), forms(Vendor::signature(vendor.key()))].concat();
    nowhere(window, &wanted, "the key, once the dialog is closed").await;
    search.holds();

    let heard: Vec<String> = window.script("return window.heard").await;
    assert!(heard.iter().any(|event| event.contains("sign_in")), "the events of the connection were heard");
    assert!(heard.iter().any(|event| event.contains("jobs-changed")), "the events of the jobs were heard");
    for event in heard {
        assert!(found_in(event.as_bytes(), &wanted).is_empty(), "an event to the page holds the key");
        search.holds();
    }
    let files = desktop.files();
    let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    assert!(names.iter().any(|name| name.ends_with("posture.db")), "the database is among {names:?}");
    for (path, content) in files {
        assert!(found_in(&content, &wanted).is_empty(), "{} holds the key", path.display());
        search.holds();
    }
}

/// Every other screen, with simulated tenants beside the real one.
async fn pictures(window: &Window, album: &mut Album) {
    album.take(window, "findings").await;
    window.click("nav-settings").await;
    for (app, tenant) in [("kustomer", "clean"), ("github-enterprise", "risky")] {
        window.click_out_of_sight(&format!("sandbox-open-{app}")).await;
        window.click_out_of_sight(&format!("sandbox-tenant-{app}-{tenant}")).await;
    }
    window.click("sandbox-add").await;
    window.shows_within("simulated tenants added", SCANS).await;
    window.at("sandbox-remove").await;
    album.take(window, "settings").await;
    window.click("nav-overview").await;
    window.at("score").await;
    album.take(window, "overview").await;
    window.click("digest-open").await;
    window.at("digest-summary").await;
    album.take(window, "digest").await;
    window.click("nav-applications").await;
    window.shows(NAME).await;
    window.shows("Halden Moor (clean)").await;
    album.take(window, "applications").await;
    window.click("nav-add-application").await;
    window.click("tile-kustomer").await;
    window.at("instance-row").await;
    let link = "[data-testid='instance-row'] a";
    window.driver().find(By::Css(link)).await.expect("an instance has a page").click().await.expect("it opens");
    window.at("datasets").await;
    album.take(window, "instance").await;
    window.click("nav-activity").await;
    window.shows("instance added").await;
    album.take(window, "activity").await;
    window.click("lock").await;
    window.at("unlock").await;
    album.take(window, "locked").await;
    window.click("unlock").await;
    window.at("nav-overview").await;
}

/// The second start, in a process group that has no network but a loopback of its own, and with the vendor gone.
fn run_without_a_network(desktop: &Desktop, proxy: &str, count: usize) {
    let as_root = Command::new("unshare").args(["-n", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    // The drivers and the display are spoken to over loopback and a socket in the file system; nothing else is there.
    let status = Command::new("unshare")
        .arg("-n")
        .args(if as_root { &[][..] } else { &["--user", "--map-current-user", "--keep-caps"][..] })
        .args(["sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""])
        .arg(env::current_exe().expect("a test knows its program"))
        .args(["--exact", THIS_TEST, "--nocapture"])
        .env(OFFLINE_HOME, desktop.home())
        .env(OFFLINE_PROXY, format!("{proxy} {count}"))
        // What it shows is counted by the part that starts it.
        .env_remove("POSTURE_PROMISES")
        .status()
        .expect("unshare is installed (package util-linux)");
    assert!(status.success(), "the second start, without a network");
}

async fn without_a_network(home: PathBuf) {
    let given = env::var(OFFLINE_PROXY).expect("the first part says where its proxy was");
    let (proxy, count) = given.split_once(' ').expect("and how many findings there were");
    let address = proxy.trim_start_matches("http://");
    assert!(TcpStream::connect(address).is_err(), "the company's proxy cannot be reached");
    let routes = fs::read_to_string("/proc/net/route").expect("the routes can be read");
    assert_eq!(routes.lines().count(), 1, "there is no route out: {routes}");

    let desktop = Desktop::visit(home, Colours::Dark);
    let window = Window::open(&desktop, console(), &[], &[]).await;
    assert!(!window.says("score").await.is_empty(), "the score is there");
    assert_eq!(
        window.script::<String>("return document.documentElement.dataset.theme").await,
        "dark",
        "the desktop's colours are followed"
    );
    window.click("nav-findings").await;
    window.at("finding-row").await;
    let shown: usize = window.count("finding-row").await;
    assert_eq!(shown.to_string(), count, "all findings are still there");
    window.click("finding-row").await;
    assert!(!window.says("finding-evidence").await.contains("No row stands behind"), "with their evidence");
    window.close().await;
}

/// Fails unless none of these stands in the memory of the console's process, at the latest when the last answers have arrived.
async fn nowhere(window: &Window, wanted: &[Form], what: &str) {
    let started = Instant::now();
    loop {
        let found = found_in_process(window.process_id(), wanted);
        if found.is_empty() {
            return;
        }
        let names: BTreeSet<&str> = found.iter().map(|form| form.name).collect();
        assert!(started.elapsed() < FORGETS, "{what}, is still in the memory of the process as {names:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// From here on the page keeps everything that the process tells it.
async fn listen_to_events(window: &Window) {
    let wrap = "window.heard = [];
        const callbacks = window.__TAURI_INTERNALS__.callbacks;
        const get = callbacks.get.bind(callbacks);
        callbacks.get = (id) => {
          const callback = get(id);
          return callback && ((data) => { window.heard.push(JSON.stringify(data) ?? ''); return callback(data); });
        };
        return true";
    assert!(window.script::<bool>(wrap).await);
}

fn sealed_files(desktop: &Desktop) -> BTreeSet<PathBuf> {
    let folder = desktop.data().join("vault/instances");
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

async fn choose(window: &Window, list: &str, value: &str) {
    let option = format!("[data-testid='{list}'] option[value='{value}']");
    window.driver().find(By::Css(option)).await.expect("the list has the choice").click().await.expect("it can be chosen");
}

async fn choose_file(window: &Window, vendor: &Vendor) {
    let file = window.driver().find(By::Css("[data-testid='route-ca-file']")).await.expect("a certificate's file can be chosen");
    file.send_keys(vendor.authority_file().display().to_string()).await.expect("a file can be chosen");
    window.reaches("route-ca-state", "right").await;
}

async fn focus_is_on(window: &Window, handle: &str) {
    let started = Instant::now();
    loop {
        let focused = window.focused().await;
        if focused == handle {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(5), "the focus is on {focused}, not on {handle}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
