//! What an administrator decides of findings, and what changed then: dismiss, override, lock; the vendor mends a setting, the next
//! scan reads it, and window, terminal and exports say the same.

use std::time::Duration;

use sandbox::OverlayChange;
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    operate::{add, posture},
    promise::Promise,
    vendor::Vendor,
};

const SCANS: Duration = Duration::from_secs(300);
const PASSWORDS: &str = "kustomer.auth.password_login_disabled";
const SIGNED: &str = "kustomer.auth.saml_sign_requests";
const SESSIONS: &str = "kustomer.auth.session_length";

/// What the terminal tells of findings in these states.
fn told(desktop: &Desktop, states: &str) -> Vec<(String, String)> {
    let text = posture(desktop, &["--json", "findings", "--state", states, "--limit", "500"], &[]);
    let list: Value = serde_json::from_str(&text).expect("it is JSON");
    let text = |row: &Value, field: &str| row[field].as_str().expect("it is a text").to_owned();
    list["rows"].as_array().expect("it is a list").iter().map(|row| (text(row, "check"), text(row, "state"))).collect()
}

/// Somebody changes a sign-in setting at the vendor.
fn set(vendor: &Vendor, field: &str, value: Value) {
    vendor.change(OverlayChange::Set { tenant: vendor.tenant().to_owned(), answer: "auth-settings".into(), field: field.into(), value });
}

/// Opens the one finding of a check beside the list.
async fn open(window: &Window, check: &str) {
    let _: Option<bool> = window.script(&format!("location.hash = '#/findings?check={check}'")).await;
    window.settles().await;
    window.click("finding-row").await;
    window.at("finding-title").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decided_holds_everywhere_and_through_the_next_scan() {
    let mut promise = Promise::begin("window");
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Dark);
    let vendor = Vendor::start().await;
    // A hundred hours: more than is recommended, less than a week.
    set(&vendor, "data.attributes.app.userSessionExpirationMilliseconds", json!(360_000_000));
    posture(&desktop, &["init", "--protection", "keychain"], &[]);
    add(&desktop, &vendor, "kustomer", "Harbour", &["--set", "region=eu"], &["api_key"]);
    let before = told(&desktop, "open").len();

    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.click("sandbox-skip").await;
    window.at("score").await;

    // Dismissed: a form with a reason first, then out of what is open.
    open(&window, PASSWORDS).await;
    window.type_into("finding-pane", "d").await;
    window.at("dismiss-dialog").await;
    window.type_into("dismiss-reason", "The leavers' accounts are closed by hand until June.").await;
    window.click("dismiss-done").await;
    window.gone("dismiss-dialog").await;
    assert_eq!(told(&desktop, "dismissed"), [(PASSWORDS.to_owned(), "dismissed".to_owned())]);
    assert_eq!(told(&desktop, "open").len(), before - 1);
    promise.holds();

    // Overridden: judged again at once, without the vendor.
    vendor.change(OverlayChange::Revoke { tenant: vendor.tenant().to_owned() });
    open(&window, SESSIONS).await;
    window.click("override").await;
    window.at("override-dialog").await;
    window.type_into("override-value", Key::Control + "a").await;
    window.type_into("override-value", "168").await;
    window.type_into("override-reason", "Our policy says a week.").await;
    window.click("override-done").await;
    window.gone("override-dialog").await;
    window.shows("Overridden").await;
    let ended = told(&desktop, "fixed");
    assert!(ended.contains(&(SESSIONS.to_owned(), "fixed".to_owned())), "{ended:?}");
    vendor.change(OverlayChange::Restore { tenant: vendor.tenant().to_owned() });
    promise.holds();

    // Locked as it is; then somebody turns it on at the vendor, which mends the one and breaks the other.
    open(&window, SIGNED).await;
    window.click("lock-value").await;
    window.at("undo-lock").await;
    set(&vendor, "data.attributes.saml.signRequests", json!(true));
    window.click("nav-applications").await;
    window.shows("Harbour").await;
    window.click("scan-all").await;
    let locked = (format!("lock:{SIGNED}"), "open".to_owned());
    let started = std::time::Instant::now();
    while !told(&desktop, "open").contains(&locked) {
        assert!(started.elapsed() < SCANS, "the change is no finding: {:?}", told(&desktop, "open"));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(told(&desktop, "fixed").contains(&(SIGNED.to_owned(), "fixed".to_owned())));
    assert_eq!(told(&desktop, "dismissed").len(), 1, "what was dismissed stays so while its value does");
    promise.holds();

    // The list of changes, the list of findings, the terminal and an export say the same.
    window.click("nav-changes").await;
    window.shows("Changed since it was locked").await;
    window.click("nav-findings").await;
    window.settles().await;
    let _: Option<bool> = window.script("location.hash = '#/findings?state=open'").await;
    window.settles().await;
    let shown: usize =
        window.script("return Number(document.querySelector('[data-testid=\"findings-table\"]').getAttribute('aria-rowcount')) - 1").await;
    let open_now = told(&desktop, "open").len();
    let exported = posture(&desktop, &["export", "--format", "json", "--state", "open", "--output", "-"], &[]);
    let exported: Value = serde_json::from_str(&exported).expect("it is JSON");
    let lines = exported["findings"].as_array().expect("it is a list").len();
    assert_eq!((shown, lines), (open_now, open_now));
    window.close().await;
    promise.holds();
}
