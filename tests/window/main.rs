//! The built console in a real window: what a person does, and what stays behind when it is done.
//!
//! `cargo xtask test` starts this under Xvfb with tauri-driver on the PATH. Each test has a desktop of its own (home,
//! session bus, Secret Service), so tests share nothing; they run one after another because WebKitWebDriver serves one
//! session at a time quickly and two slowly.

mod desktop;
mod driver;
mod memory;
mod promise;
mod screens;

use std::path::Path;

use desktop::{Colours, Desktop, Keychain};
use driver::Window;

/// The console as this run of cargo built it.
fn console() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_posture-console"))
}

#[tokio::test]
async fn it_opens_where_a_keychain_is() {
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.shows("Posture Console").await;
    window.close().await;
}

#[tokio::test]
async fn it_opens_where_there_is_none() {
    let desktop = Desktop::start(Keychain::Absent, Colours::Dark);
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.shows("Posture Console").await;
    window.close().await;
}
