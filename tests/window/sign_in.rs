//! Signing in through somebody else, in the window: Customer.io with an Okta user, the same with a service account, Convo with
//! its settings attested by a person.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use connect::Clock;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use thirtyfour::prelude::*;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    memory::{Form, forms, found_in, found_in_process},
    promise::Promise,
    screens::Album,
    vendor::Vendor,
};

/// Two sign-ins of one user lie a time step apart, so that no code is sent twice; then the scan.
const SIGNS_IN: Duration = Duration::from_secs(300);

/// After a dialog closed, how long its last answers may be on their way.
const FORGETS: Duration = Duration::from_secs(15);

/// Set for the part that attests something in the past: the console's data folder.
const LONG_AGO_DATA: &str = "POSTURE_WINDOW_LONG_AGO_DATA";
const LONG_AGO: &str = "sign_in::attests_something_long_ago";
/// The check that part attests.
const EXPIRED: &str = "convo.network.ip_ranges";

/// Fields of the Okta login options, in the order of the dialog.
const OKTA: &[&str] = &["user", "password", "okta_domain", "mfa_key"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_okta_and_by_service_account_and_attested() {
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    let (mut promise, mut search, mut album) = (
        Promise::begin("window"),
        Promise::begin("key-nowhere"),
        Album::of(&["okta-dialog", "okta-connect", "manual-checks", "attest", "azure-guide"]),
    );
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.click("first-start-continue").await;
    window.click("recovery-kept").await;
    window.click("sandbox-skip").await;
    window.at("overview-empty").await;

    // Customer.io through Okta: first with another password, which is sent once and stores nothing.
    let okta = Vendor::start_of("customer-io", "risky", secret_fields).await;
    let secrets = [forms(okta.field("password")), forms(okta.field("mfa_key"))].concat();
    open_dialog(&window, "customer-io", "Halden Moor EU").await;
    window.click("login-okta").await;
    fill(&window, &okta, OKTA, &[("password", "another-password-than-the-right-one")]).await;
    code_is_shown(&window).await;
    album.take(&window, "okta-dialog").await;
    network(&window, &okta).await;
    assert!(!found_in_process(window.process_id(), &secrets).is_empty(), "while the dialog is open the search finds what was typed");
    search.holds();
    window.click("connect").await;
    let code = window.at_within("failure-code", SIGNS_IN).await.text().await.expect("it has text");
    assert_eq!(code, "E-OKTA-PASSWORD");
    assert_eq!(window.says("failure-kept").await, "Nothing was stored.");
    promise.holds();

    window.click("connect-back").await;
    window.type_into("field-password", Key::Control + "a").await;
    window.type_into("field-password", okta.field("password")).await;
    window.reaches("field-password-state", "right").await;
    okta.delay("users", 6_000);
    window.click("connect").await;
    window.at_within("sign-in-stages", SIGNS_IN).await;
    window.at_within("permissions", SIGNS_IN).await;
    album.take(&window, "okta-connect").await;
    okta.hurry();
    window.at_within("connect-done", SIGNS_IN).await;
    window.click("show-findings").await;
    window.gone("add-instance-dialog").await;
    window.at("finding-row").await;
    assert!(window.count("finding-row").await > 3, "the tenant has findings");
    window.click("finding-row").await;
    assert!(!window.says("finding-evidence").await.contains("No row stands behind"), "with their evidence");
    promise.holds();
    nowhere(&window, &desktop, &secrets, &mut search).await;
    drop(okta);

    // The same application with a service account.
    let account = Vendor::start_of("customer-io", "clean", secret_fields).await;
    let secrets = forms(account.field("service_account_token"));
    open_dialog(&window, "customer-io", "Halden Moor clean").await;
    window.click("login-service-account").await;
    fill(&window, &account, &["service_account_token"], &[]).await;
    network(&window, &account).await;
    window.click("connect").await;
    window.at_within("connect-done", SIGNS_IN).await;
    window.click("open-instance").await;
    window.gone("add-instance-dialog").await;
    window.at("datasets").await;
    promise.holds();
    nowhere(&window, &desktop, &secrets, &mut search).await;
    drop(account);

    // Convo: members are scanned, settings are attested.
    let convo = Vendor::start_of("convo", "risky", secret_fields).await;
    let secrets = [forms(convo.field("password")), forms(convo.field("mfa_key"))].concat();
    open_dialog(&window, "convo", "Halden Moor network").await;
    fill(&window, &convo, &["user", "password", "okta_domain", "mfa_key"], &[]).await;
    network(&window, &convo).await;
    window.click("connect").await;
    window.at_within("connect-done", SIGNS_IN).await;
    window.click("open-instance").await;
    window.gone("add-instance-dialog").await;
    window.at("dataset-users").await;
    nowhere(&window, &desktop, &secrets, &mut search).await;
    promise.holds();

    window.click("tab-manual").await;
    window.at("manual-checks-table").await;
    window.shows("Due").await;
    let due = window.count("manual-check-row").await;
    assert!(due >= 5, "{due} settings are asked for");
    album.take(&window, "manual-checks").await;
    window.click("manual-check-row").await;
    window.at("attest-dialog").await;
    window.click("answer-met").await;
    window.type_into("attest-note", "Seen in Network Settings on the administrator's own screen.").await;
    album.take(&window, "attest").await;
    window.click("attest").await;
    window.gone("attest-dialog").await;
    window.shows("Attested").await;
    promise.holds();

    // Another one was attested so long ago that it has ended.
    window.close().await;
    attest_long_ago(&desktop);
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.at("score").await;
    window.click("nav-add-application").await;
    window.click("tile-convo").await;
    window.at("instance-row").await;
    let link = "[data-testid='instance-row'] a";
    window.driver().find(By::Css(link)).await.expect("the instance has a page").click().await.expect("it opens");
    window.click("tab-manual").await;
    window.shows("Expired").await;
    let states: Vec<String> =
        window.script("return [...document.querySelectorAll('[data-testid=\"manual-check-row\"]')].map((row) => row.innerText)").await;
    assert_eq!(states.iter().filter(|row| row.contains("Expired")).count(), 1, "{states:?}");
    assert_eq!(states.iter().filter(|row| row.contains("Attested")).count(), 1, "{states:?}");
    promise.holds();

    window.click("nav-add-application").await;
    window.type_into("help-azure-ad-client", thirtyfour::Key::Enter + "").await;
    window.at("azure-ad-client").await;
    album.take(&window, "azure-guide").await;
    window.close().await;
    album.complete();
}

/// Not a test by itself: the other one starts it as a process of its own, because the time in it is another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the other test, which starts it"]
async fn attests_something_long_ago() {
    use ::console::screen::{AttestationAnswer, NewAttestation, SandboxScope};
    let data = env::var_os(LONG_AGO_DATA).expect("the test that starts this names the data folder");
    let mut options = ::console::Options::in_folder(PathBuf::from(data));
    options.clock = Arc::new(LongAgo);
    let console = ::console::Console::new(options).expect("the console can be made");
    console.start().await.expect("the database opens");
    let instances = console.instances(SandboxScope::Without).await.expect("instances can be listed");
    let convo = instances.iter().find(|instance| instance.app == "convo").expect("Convo is among them");
    let until = LongAgo.now() + SignedDuration::from_hours(24 * 60);
    let attestation = NewAttestation {
        instance: convo.id.clone(),
        check: EXPIRED.to_owned(),
        answer: AttestationAnswer::Met,
        who: "A. Keller".to_owned(),
        note: "Seen in Network Settings.".to_owned(),
        valid_until: Some(until.strftime("%Y-%m-%d").to_string()),
        remind_days: None,
    };
    console.attest(attestation, None).await.expect("it can be attested");
}

fn attest_long_ago(desktop: &Desktop) {
    let status = Command::new(env::current_exe().expect("a test knows its program"))
        .args(["--exact", LONG_AGO, "--ignored", "--nocapture"])
        .envs(desktop.environment())
        .env(LONG_AGO_DATA, desktop.data())
        .env_remove("POSTURE_PROMISES")
        .status()
        .expect("the test's program can be started");
    assert!(status.success(), "something was attested long ago");
}

/// 400 days ago.
struct LongAgo;

impl Clock for LongAgo {
    fn now(&self) -> Timestamp {
        Timestamp::now() - SignedDuration::from_hours(24 * 400)
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Secrets that stand nowhere but in this test's process.
fn secret_fields(fields: &mut BTreeMap<String, String>) {
    let random = |letters: &str, length: usize| {
        let letters: Vec<char> = letters.chars().collect();
        (0..length).map(|_| letters[fastrand::usize(..letters.len())]).collect::<String>()
    };
    let plain = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    for (field, value) in fields.iter_mut() {
        match field.as_str() {
            "password" => *value = random(plain, 28),
            "mfa_key" => *value = random("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
            "service_account_token" => *value = format!("sa_live_{}", random(plain, 40)),
            _ => {}
        }
    }
}

async fn open_dialog(window: &Window, app: &str, name: &str) {
    window.click("nav-add-application").await;
    window.click(&format!("tile-{app}")).await;
    window.click("add-instance").await;
    window.at("add-instance-dialog").await;
    window.type_into("instance-name", name).await;
}

/// Fills fields of the dialog as the tenant wants them, or as `otherwise` says.
async fn fill(window: &Window, vendor: &Vendor, fields: &[&str], otherwise: &[(&str, &str)]) {
    for field in fields {
        let other = otherwise.iter().find(|(name, _)| name == field).map(|(_, value)| *value);
        let handle = format!("field-{field}");
        window.type_into(&handle, other.unwrap_or_else(|| vendor.field(field))).await;
    }
    for field in fields {
        window.reaches(&format!("field-{field}-state"), "right").await;
    }
}

/// The company's proxy and its certificate.
async fn network(window: &Window, vendor: &Vendor) {
    window.click("network-summary").await;
    let option = "[data-testid='route-proxy'] option[value='manual']";
    window.driver().find(By::Css(option)).await.expect("the list has the choice").click().await.expect("it can be chosen");
    window.type_into("route-proxy-url", vendor.proxy()).await;
    let file = window.driver().find(By::Css("[data-testid='route-ca-file']")).await.expect("a certificate's file can be chosen");
    file.send_keys(vendor.authority_file().display().to_string()).await.expect("a file can be chosen");
    window.reaches("route-ca-state", "right").await;
}

/// The code that the typed key produces, to compare with a phone.
async fn code_is_shown(window: &Window) {
    let code = window.says("field-mfa_key-code-digits").await;
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 6, "{code}");
}

/// Nowhere in the memory of the process, and in no file of the home folder.
async fn nowhere(window: &Window, desktop: &Desktop, wanted: &[Form], search: &mut Promise) {
    let started = Instant::now();
    loop {
        let found = found_in_process(window.process_id(), wanted);
        if found.is_empty() {
            break;
        }
        let names: Vec<&str> = found.iter().map(|form| form.name).collect();
        assert!(started.elapsed() < FORGETS, "a secret is still in the memory of the process as {names:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    search.holds();
    for (path, content) in desktop.files() {
        assert!(found_in(&content, wanted).is_empty(), "{} holds a secret", path.display());
        search.holds();
    }
}
