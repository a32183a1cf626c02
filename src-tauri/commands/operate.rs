//! What runs by itself: schedules and settings.

use super::{Answer, Engine};
use crate::tray;
use console::screen::{SandboxScope, ScannedMany, ScheduleChoice, ScheduleWords, Settings};

/// What holds for the whole console.
#[tauri::command]
#[specta::specta]
pub async fn settings(app: tauri::AppHandle, engine: Engine<'_>) -> Answer<Settings> {
    tray::agree(&app, engine.settings()).await
}

/// Sets all of it.
#[tauri::command]
#[specta::specta]
pub async fn change_settings(app: tauri::AppHandle, engine: Engine<'_>, settings: Settings) -> Answer<Settings> {
    tray::agree(&app, engine.change_settings(settings)).await
}

/// A schedule in words, with its next due times.
#[tauri::command]
#[specta::specta]
pub async fn schedule_words(engine: Engine<'_>, choice: ScheduleChoice) -> Answer<ScheduleWords> {
    engine.schedule_words(choice).await
}

/// Scans all instances that can be scanned, several at once.
#[tauri::command]
#[specta::specta]
pub async fn scan_all(engine: Engine<'_>, sandbox: SandboxScope) -> Answer<ScannedMany> {
    engine.scan_all(sandbox).await
}
