//! The built console in a real window: what a person does, and what stays behind when it is done.
//!
//! `cargo xtask test` starts this under Xvfb with tauri-driver on the PATH. Each test has a desktop of its own (home,
//! session bus, Secret Service), so tests share nothing; they run one after another because WebKitWebDriver serves one
//! session at a time quickly and two slowly.

mod bench;
mod decided;
mod desktop;
mod driver;
mod first_instance;
mod inspection;
mod memory;
mod notifications;
mod operate;
mod passphrase;
mod promise;
mod sandbox_tour;
mod screens;
mod second_start;
mod sign_in;
mod staying;
mod updating;
mod vendor;

use std::path::Path;

/// The console as this run of cargo built it.
fn console() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_posture-console"))
}
