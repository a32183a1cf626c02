//! Looking at what is stored; none of it needs the network.

use super::{Answer, Engine};
use console::screen::{
    Exported, Failure, FindingFormat, FindingList, FindingPage, FindingQuery, Overview, RequestList, SandboxScope, Slice,
};
use tauri_plugin_dialog::DialogExt;

/// The dashboard.
#[tauri::command]
#[specta::specta]
pub async fn overview(engine: Engine<'_>, sandbox: SandboxScope) -> Answer<Overview> {
    engine.overview(sandbox).await
}

/// A page of findings.
#[tauri::command]
#[specta::specta]
pub async fn findings(engine: Engine<'_>, query: FindingQuery) -> Answer<FindingList> {
    engine.findings(query).await
}

/// A finding and everything behind it.
#[tauri::command]
#[specta::specta]
pub async fn finding(engine: Engine<'_>, id: String) -> Answer<FindingPage> {
    engine.finding(&id).await
}

/// Requests, newest first.
#[tauri::command]
#[specta::specta]
pub async fn requests(engine: Engine<'_>, instance: Option<String>, slice: Slice) -> Answer<RequestList> {
    engine.requests(instance, slice).await
}

/// Asks where to and writes what the query shows; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn export_findings(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    query: FindingQuery,
    format: FindingFormat,
) -> Answer<Option<Exported>> {
    let extension = format.extension();
    let name = match format {
        FindingFormat::Csv | FindingFormat::Json | FindingFormat::Html => "findings",
        FindingFormat::Ocsf => "findings-ocsf",
        FindingFormat::Oscal => "findings-oscal",
    };
    let picker = app.dialog().file().set_file_name(format!("{name}.{extension}")).add_filter(extension, &[extension]);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file()).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: "Use `posture export` in a terminal.".into(),
        field: None,
    })?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.export_findings(query, format, &path).await.map(Some)
}
