//! Rules and frameworks.

use super::{Answer, Engine};
use console::screen::{
    ComplianceExported, ComplianceFormat, ControlPage, Failure, FrameworkList, FrameworkPage, RuleList, RulePage, SandboxScope,
};
use tauri_plugin_dialog::DialogExt;

/// Every rule with what its checks came to.
#[tauri::command]
#[specta::specta]
pub async fn rules(engine: Engine<'_>, sandbox: SandboxScope) -> Answer<RuleList> {
    engine.rules(sandbox).await
}

/// A rule with its checks.
#[tauri::command]
#[specta::specta]
pub async fn rule(engine: Engine<'_>, sandbox: SandboxScope, id: String) -> Answer<RulePage> {
    engine.rule(sandbox, &id).await
}

/// Every framework that checks refer to.
#[tauri::command]
#[specta::specta]
pub async fn compliance(engine: Engine<'_>, sandbox: SandboxScope) -> Answer<FrameworkList> {
    engine.compliance(sandbox).await
}

/// A framework with all of its controls.
#[tauri::command]
#[specta::specta]
pub async fn framework(engine: Engine<'_>, sandbox: SandboxScope, id: String) -> Answer<FrameworkPage> {
    engine.framework(sandbox, &id).await
}

/// A control of a framework with its checks.
#[tauri::command]
#[specta::specta]
pub async fn framework_control(engine: Engine<'_>, sandbox: SandboxScope, framework: String, control: String) -> Answer<ControlPage> {
    engine.framework_control(sandbox, &framework, &control).await
}

/// Asks where to and writes a framework's table; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn export_framework(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    sandbox: SandboxScope,
    id: String,
    format: ComplianceFormat,
) -> Answer<Option<ComplianceExported>> {
    let extension = format.extension();
    // The name comes from the page, so only what is a framework's may become a file's.
    let known = engine.framework(sandbox, &id).await?.framework.id;
    let picker = app.dialog().file().set_file_name(format!("{known}.{extension}")).add_filter(extension, &[extension]);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file()).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: "Use `posture compliance --html` in a terminal.".into(),
        field: None,
    })?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.export_framework(sandbox, &known, format, &path).await.map(Some)
}
