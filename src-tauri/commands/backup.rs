//! Files that a person keeps: a backup of everything, which can be put back, and an archive of one instance; and the end of all.

use super::{Answer, Engine};
use console::screen::{BackedUp, Erased, Exported, Failure, Start};
use std::path::PathBuf;
use tauri_plugin_dialog::{DialogExt, FilePath};

/// Asks where to and writes a backup; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn back_up(app: tauri::AppHandle, engine: Engine<'_>) -> Answer<Option<BackedUp>> {
    let picker = app.dialog().file().set_file_name(engine.backup_name()).add_filter("tar", &["tar"]);
    let Some(path) = chosen(move || picker.blocking_save_file(), "backup").await? else { return Ok(None) };
    engine.back_up(&path).await.map(Some)
}

/// Asks which backup and puts it in the place of everything that is stored; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn restore(app: tauri::AppHandle, engine: Engine<'_>) -> Answer<Option<Start>> {
    let picker = app.dialog().file().add_filter("tar", &["tar"]);
    let Some(path) = chosen(move || picker.blocking_pick_file(), "restore").await? else { return Ok(None) };
    engine.restore(&path).await.map(Some)
}

/// Destroys all keys and removes everything that is stored, once the words are typed.
#[tauri::command]
#[specta::specta]
pub async fn erase(engine: Engine<'_>, words: String) -> Answer<Erased> {
    engine.erase(&words).await
}

/// Asks where to and writes all that is known of an instance; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn archive_instance(app: tauri::AppHandle, engine: Engine<'_>, id: String) -> Answer<Option<Exported>> {
    let picker = app.dialog().file().set_file_name("posture-archive.json").add_filter("JSON", &["json"]);
    let Some(path) = chosen(move || picker.blocking_save_file(), "instance delete --archive").await? else { return Ok(None) };
    engine.archive_instance(&id, &path).await.map(Some)
}

/// What a file dialog was answered. It blocks until then, so it must not hold a thread of the async runtime.
async fn chosen(ask: impl FnOnce() -> Option<FilePath> + Send + 'static, command: &str) -> Answer<Option<PathBuf>> {
    let chosen = tauri::async_runtime::spawn_blocking(ask).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: format!("Use `posture {command}` in a terminal."),
        field: None,
    })?;
    Ok(chosen.and_then(|path| path.into_path().ok()))
}
