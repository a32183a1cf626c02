//! What was done, and the proof that the log of it is whole.

use super::{Answer, Engine};
use console::screen::{ActList, ActivityHead, ActivityProof, Failure, Slice};
use tauri_plugin_dialog::DialogExt;

/// The file in which a head is kept.
const HEAD_FILE: &str = "posture-activity-head.json";

/// Acts, newest first.
#[tauri::command]
#[specta::specta]
pub async fn activity(engine: Engine<'_>, slice: Slice) -> Answer<ActList> {
    engine.activity(slice).await
}

/// The head of the chain of acts.
#[tauri::command]
#[specta::specta]
pub async fn activity_head(engine: Engine<'_>) -> Answer<ActivityHead> {
    engine.activity_head().await
}

/// Asks where to and writes the head of the chain; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn save_activity_head(app: tauri::AppHandle, engine: Engine<'_>) -> Answer<Option<String>> {
    let picker = app.dialog().file().set_file_name(HEAD_FILE).add_filter("json", &["json"]);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file())
        .await
        .map_err(|_| no_dialog("Use `posture activity head` in a terminal."))?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.save_activity_head(&path).await.map(Some)
}

/// Reads the chain of acts again: against an exported head, for whose file is asked, or by itself. Nothing when the dialog was
/// cancelled.
#[tauri::command]
#[specta::specta]
pub async fn verify_activity(app: tauri::AppHandle, engine: Engine<'_>, against_file: bool) -> Answer<Option<ActivityProof>> {
    if !against_file {
        return engine.activity_proof(None).await.map(Some);
    }
    let picker = app.dialog().file().add_filter("json", &["json"]);
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_pick_file())
        .await
        .map_err(|_| no_dialog("Use `posture activity verify --head` in a terminal."))?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.activity_proof_against(&path).await.map(Some)
}

fn no_dialog(remedy: &str) -> Failure {
    Failure { code: "E-FILE-DIALOG".into(), sentence: "The file dialog did not open.".into(), remedy: remedy.into(), field: None }
}
