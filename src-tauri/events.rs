//! What the window is told without asking.

use console::{Console, screen::Job};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, Manager};
use tauri_specta::Event;

/// The jobs under way changed.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub struct JobsChanged(pub Vec<Job>);

/// Tells the window of every change of the jobs, as long as both live.
pub fn announce_jobs(app: AppHandle, console: &Console) {
    let mut changes = console.watch_jobs();
    tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            let jobs = changes.borrow_and_update().clone();
            if JobsChanged(jobs).emit(&app).is_err() {
                break;
            }
        }
    });
}

/// A second start of the program shows the window that is open.
pub fn come_forward(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        // Each of these is a wish that a window manager may refuse.
        let _shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    }
}
