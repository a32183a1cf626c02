//! The sandbox as first start offers it: added, marked wherever it shows, removed in one click.

use std::time::Duration;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    inspection::Inspection,
    promise::Promise,
};

/// How long all simulated tenants may take to be connected and scanned on a busy machine.
const SCANS: Duration = Duration::from_secs(400);

const ROWS_WITHOUT_A_MARK: &str = "return [...document.querySelectorAll('[data-testid=\"finding-row\"]')]
    .filter((row) => !row.querySelector('[data-testid=\"sandbox-mark\"]')).length";

/// What the addresses of pages and tabs that the sidebar does not name are made of.
const FURTHER: &[&str] =
    &["attestations", "digest", "guides/azure-ad-client", "add-application/kustomer", "identities?tab=identities", "plugins?tab=users"];

#[tokio::test]
async fn it_is_marked_everywhere_and_goes_in_one_click() {
    let mut promise = Promise::begin("window");
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Dark);
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.click("first-start-continue").await;
    window.click("recovery-kept").await;
    window.click("sandbox-add").await;
    window.at_within("score", SCANS).await;
    window.at("sandbox-mark").await;

    window.click("nav-findings").await;
    window.at("finding-row").await;
    let unmarked: usize = window.script(ROWS_WITHOUT_A_MARK).await;
    assert!(window.count("finding-row").await > 5 && unmarked == 0, "{unmarked} findings do not say that they are simulated");
    window.click("finding-row").await;
    window.at("finding-title").await;
    let marks: usize =
        window.script("return document.querySelectorAll('[data-testid=\"finding-pane\"] [data-testid=\"sandbox-mark\"]').length").await;
    assert_eq!(marks, 1, "the finding says that it is simulated");
    window.click("nav-applications").await;
    window.shows("Halden Moor (clean)").await;
    let (rows, marks) = (window.count("instance-row").await, window.count("sandbox-mark").await);
    assert!(marks >= rows.max(4), "{marks} marks on {rows} instances");
    promise.holds();

    inspect(&window).await;
    promise.holds();

    window.click("nav-settings").await;
    window.click("sandbox-remove").await;
    window.click("sandbox-remove-confirm").await;
    window.gone("sandbox-remove-dialog").await;
    window.gone("sandbox-remove").await;
    window.click("nav-overview").await;
    window.at("overview-empty").await;
    window.click("nav-findings").await;
    window.shows("No findings yet").await;
    window.close().await;
    promise.holds();
}

/// Looks at every page of the sidebar, the further ones, and every tab of an instance that has them all.
async fn inspect(window: &Window) {
    let mut inspection = Inspection::begin();
    let pages: Vec<String> = window
        .script("return [...document.querySelectorAll('[data-testid^=nav-]')].map((entry) => entry.dataset.testid.replace('nav-', ''))")
        .await;
    assert!(pages.len() >= 6, "{pages:?}");
    let instance: String = window
        .script(
            "const row = [...document.querySelectorAll('[data-testid=\"instance-row\"]')].find((row) => row.textContent.includes('Okta'));
             row?.querySelector('[role=gridcell]')?.click();
             return location.hash.replace('#/', '');",
        )
        .await;
    assert!(instance.starts_with("applications/"), "a simulated organization of Okta has a page: {instance}");
    window.at("health-card").await;
    let tabs: Vec<String> = window
        .script("return [...document.querySelectorAll('[data-testid^=tab-]')].map((tab) => tab.dataset.testid.replace('tab-', ''))")
        .await;
    assert!(tabs.iter().any(|tab| tab == "accounts") && tabs.iter().any(|tab| tab == "coverage"), "{tabs:?}");
    let further = FURTHER.iter().map(ToString::to_string);
    let of_instance = tabs.iter().map(|tab| format!("{instance}?tab={tab}"));
    for address in pages.into_iter().chain(further).chain(of_instance) {
        let _: Option<bool> = window.script(&format!("location.hash = '#/{address}'")).await;
        window.settles().await;
        inspection.look_in_both(window, &address).await;
    }
    inspection.end();
}
