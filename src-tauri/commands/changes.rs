//! What changed, and how things stood; none of it needs the network.

use super::{Answer, Engine};
use console::screen::{
    ChangeQuery, Changes, ChangesExported, ExportFormat, Failure, PastPosture, PastQuery, RowChangeList, ScanMark, SettingChanges, Slice,
};
use tauri_plugin_dialog::DialogExt;

/// What became of findings between two moments.
#[tauri::command]
#[specta::specta]
pub async fn changes(engine: Engine<'_>, query: ChangeQuery) -> Answer<Changes> {
    engine.changes(query).await
}

/// Complete scans of an instance, newest first.
#[tauri::command]
#[specta::specta]
pub async fn complete_scans(engine: Engine<'_>, instance: String) -> Answer<Vec<ScanMark>> {
    engine.complete_scans(&instance).await
}

/// What differs between the rows of two scans of one instance, by dataset.
#[tauri::command]
#[specta::specta]
pub async fn setting_changes(engine: Engine<'_>, before: String, after: String) -> Answer<SettingChanges> {
    engine.setting_changes(&before, &after).await
}

/// The rows of a dataset that differ between two scans.
#[tauri::command]
#[specta::specta]
pub async fn row_changes(engine: Engine<'_>, before: String, after: String, dataset: String, slice: Slice) -> Answer<RowChangeList> {
    engine.row_changes(&before, &after, &dataset, slice).await
}

/// How things stood at the end of a past day.
#[tauri::command]
#[specta::specta]
pub async fn posture_at(engine: Engine<'_>, query: PastQuery) -> Answer<PastPosture> {
    engine.posture_at(query).await
}

/// Asks where to and writes the changes that the query asks for; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn export_changes(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    query: ChangeQuery,
    format: ExportFormat,
) -> Answer<Option<ChangesExported>> {
    let extension = match format {
        ExportFormat::Csv => "csv",
        ExportFormat::Json => "json",
    };
    let picker = app.dialog().file().set_file_name(format!("changes.{extension}")).add_filter(extension, &[extension]);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file()).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: "Use `posture changes --output` in a terminal.".into(),
        field: None,
    })?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.export_changes(query, format, &path).await.map(Some)
}
