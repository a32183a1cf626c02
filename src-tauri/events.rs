//! What the window is told without asking.

use console::{
    Console,
    screen::{CredentialNearsEnd, EndsBy, Health, Job, Turn},
};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;
use tauri_specta::Event;
use tokio::sync::broadcast::error::RecvError;

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

/// The health of an instance became another.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub struct Turned(pub Turn);

/// Tells the window, and the desktop where the settings say so, of every turn of an instance's health, as long as all live.
pub fn announce_turns(app: AppHandle, console: &Console) {
    let mut turns = console.watch_turns();
    let console = console.clone();
    tauri::async_runtime::spawn(async move {
        loop {
            let turn = match turns.recv().await {
                Ok(turn) => turn,
                // Too many at once: the oldest are in the list of instances all the same.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => break,
            };
            // The settings cannot be read while the console is locked, and then nothing is scanned either.
            let wanted = console.settings().await.is_ok_and(|settings| settings.notify);
            if wanted && let Some((title, body)) = words(&turn) {
                // A desktop without notifications has the window alone.
                if let Err(error) = app.notification().builder().title(title).body(body).show() {
                    tracing::debug!(%error, "the desktop shows no notification");
                }
            }
            if Turned(turn).emit(&app).is_err() {
                break;
            }
        }
    });
}

/// The credential of an instance nears its end.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub struct CredentialEnding(pub CredentialNearsEnd);

/// Tells the window, and the desktop where the settings say so, of every credential that nears its end, as long as all live.
pub fn announce_credentials(app: AppHandle, console: &Console) {
    let mut endings = console.watch_credentials();
    let console = console.clone();
    tauri::async_runtime::spawn(async move {
        loop {
            let ending = match endings.recv().await {
                Ok(ending) => ending,
                // Too many at once: the oldest are in the list of instances all the same.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => break,
            };
            if console.settings().await.is_ok_and(|settings| settings.notify) {
                let (title, body) = ending_words(&ending);
                if let Err(error) = app.notification().builder().title(title).body(body).show() {
                    tracing::debug!(%error, "the desktop shows no notification");
                }
            }
            if CredentialEnding(ending).emit(&app).is_err() {
                break;
            }
        }
    });
}

/// What the desktop shows of a credential that nears its end.
fn ending_words(ending: &CredentialNearsEnd) -> (String, String) {
    let days = match ending.end.days_left {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let remedy = match ending.end.by {
        EndsBy::Vendor | EndsBy::Certificate => "Reauthenticate the instance with a new one.",
        EndsBy::Unused => "It ends unless it is used: scan the instance.",
    };
    let day = ending.end.at.split_once('T').map_or(ending.end.at.as_str(), |(day, _)| day);
    let title = format!("{}, {}: the credential ends in {days}", ending.app_name, ending.name);
    (title, plain(&format!("It ends on {day}. {remedy}")))
}

/// What the desktop shows of a turn; nothing of a first scan that went well.
fn words(turn: &Turn) -> Option<(String, String)> {
    let state = match (turn.before, turn.after) {
        (None, Health::Up) | (_, Health::Unknown | Health::Scanning | Health::Manual) => return None,
        (_, Health::Up) => "is up again",
        (_, Health::Unhealthy) => "is unhealthy",
        (_, Health::Down) => "is down",
    };
    let body = turn.cause.as_ref().map_or_else(String::new, |cause| format!("{} {}", cause.sentence, cause.remedy).trim().to_owned());
    Some((format!("{}, {} {state}", turn.app_name, turn.name), plain(&body)))
}

/// A text that shows as it is: desktops of the freedesktop kind read markup in the text of a notification, and a cause may
/// hold words of a vendor's. <https://specifications.freedesktop.org/notification-spec/latest/markup.html>
fn plain(text: &str) -> String {
    if cfg!(any(target_os = "macos", windows)) {
        return text.to_owned();
    }
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A second start of the program shows the window that is open.
pub fn come_forward(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        // Each of these is a wish that a window manager may refuse.
        let _shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    }
}
