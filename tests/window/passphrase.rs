//! A first start by passphrase: locked at the second start, opened by the passphrase alone, which leaves no copy.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use thirtyfour::prelude::*;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    memory::{forms, found_in_process},
    promise::Promise,
};

const PASSPHRASE: &str = "seven-lanterns-under-a-wooden-bridge";

#[tokio::test]
async fn it_locks_and_only_it_unlocks() {
    let mut promise = Promise::begin("window");
    // Without a keychain it is the one way.
    let desktop = Desktop::start(Keychain::Absent, Colours::Light);
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.at("first-start-passphrase").await;
    window.click("first-start-passphrase").await;
    window.type_into("passphrase", PASSPHRASE).await;
    window.type_into("passphrase-repeated", PASSPHRASE).await;
    window.click("first-start-continue").await;
    window.at_within("recovery-key-groups", Duration::from_secs(60)).await;
    window.click("recovery-kept").await;
    window.click("sandbox-skip").await;
    window.at("overview-empty").await;
    is_nowhere(&window).await;
    window.close().await;
    promise.holds();

    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.at("unlock").await;
    assert!(!window.has("nav-overview").await, "nothing is shown before it is unlocked");
    window.type_into("unlock-passphrase", "another passphrase than that").await;
    window.click("unlock").await;
    window.reaches("unlock-passphrase-state", "wrong").await;
    window.type_into("unlock-passphrase", Key::Control + "a").await;
    window.type_into("unlock-passphrase", PASSPHRASE).await;
    window.keys(Key::Enter).await;
    window.at_within("overview-empty", Duration::from_secs(60)).await;
    is_nowhere(&window).await;
    window.close().await;
    promise.holds();
}

async fn is_nowhere(window: &Window) {
    let (wanted, started) = (forms(PASSPHRASE), Instant::now());
    loop {
        let found: BTreeSet<&str> = found_in_process(window.process_id(), &wanted).iter().map(|form| form.name).collect();
        if found.is_empty() {
            return Promise::begin("key-nowhere").holds();
        }
        assert!(started.elapsed() < Duration::from_secs(15), "the passphrase is still in the memory of the process as {found:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
