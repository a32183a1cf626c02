//! What the console has of the desktop besides its window: the tray, start at login, new versions.

use super::{Answer, Engine};
use crate::{
    tray,
    update::{self, Downloaded, UpdateState, Updates},
};
use console::screen::{About, Failure};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, Manager, State, ipc::Channel};

/// What the desktop offers and does.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Desktop {
    /// Whether the console stays in the tray when its window is closed.
    pub stays: bool,
    /// Whether it is started at login; none where the system does not say.
    pub starts_at_login: Option<bool>,
}

/// Closes the window as its frame does.
#[tauri::command]
#[specta::specta]
pub fn close_window(window: tauri::Window) {
    // A window manager may refuse.
    let _closed = window.close();
}

/// How it is now.
#[tauri::command]
#[specta::specta]
pub fn desktop(app: AppHandle) -> Desktop {
    Desktop { stays: tray::stays(&app), starts_at_login: tray::starts_at_login(&app) }
}

/// Starts the console at login, or no more.
#[tauri::command]
#[specta::specta]
pub fn start_at_login(app: AppHandle, wanted: bool) -> Answer<Desktop> {
    tray::start_at_login(&app, wanted).map_err(|error| {
        Failure::new(
            "E-START-AT-LOGIN",
            format!("The system did not take it: {error}."),
            "Add the console to the programs that start at login in the system's own settings.",
        )
    })?;
    Ok(desktop(app))
}

/// What the program is made of, and where a person adds to it.
#[tauri::command]
#[specta::specta]
pub async fn about(engine: Engine<'_>) -> Answer<About> {
    engine.about()
}

/// Something of others that is part of the program.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Licence {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The licence, as the package says it (SPDX).
    pub licence: String,
}

/// Every package that is part of the program, with its licence.
#[tauri::command]
#[specta::specta]
pub fn licences() -> Vec<Licence> {
    let mut licences = Vec::new();
    for line in include_str!("../licences.tsv").lines() {
        let mut parts = line.split('\t').map(str::to_owned);
        if let (Some(name), Some(version), Some(licence)) = (parts.next(), parts.next(), parts.next()) {
            licences.push(Licence { name, version, licence });
        }
    }
    licences
}

/// Where the console stands with new versions, without asking anybody.
#[tauri::command]
#[specta::specta]
pub fn update_state(app: AppHandle) -> Answer<UpdateState> {
    update::configured(&app)
}

/// Asks the configured address for a newer version.
#[tauri::command]
#[specta::specta]
pub async fn look_for_update(app: AppHandle) -> Answer<UpdateState> {
    update::look(&app).await
}

/// Downloads and installs the version that was found.
#[tauri::command]
#[specta::specta]
pub async fn install_update(app: AppHandle, progress: Channel<Downloaded>) -> Answer<()> {
    update::install(&app, move |downloaded| {
        // The page may be gone; the download goes on.
        let _told = progress.send(downloaded);
    })
    .await
}

/// Ends the download.
#[tauri::command]
#[specta::specta]
pub fn cancel_update(updates: State<'_, Updates>) {
    updates.cancel();
}

/// Starts the console again, after a new version was installed.
#[tauri::command]
#[specta::specta]
pub fn start_again(app: AppHandle) {
    let mut again = app.env();
    // Somebody waits for the window, however this start came about.
    again.args_os.retain(|argument| argument != tray::IN_BACKGROUND);
    app.cleanup_before_exit();
    tauri::process::restart(&again)
}
