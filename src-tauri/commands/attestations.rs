//! Manual checks, what is attested of them, and instances that nobody signs in to.

use super::{Answer, Engine};
use console::screen::{
    AttestationList, Failure, FileToAttach, Instance, ManualCheck, ManualInstance, NewAttestation, OwnCheck, OwnCheckDraft, SandboxScope,
};
use tauri_plugin_dialog::DialogExt;

/// The manual checks of an instance, what is due first.
#[tauri::command]
#[specta::specta]
pub async fn attestations(engine: Engine<'_>, instance: String) -> Answer<AttestationList> {
    engine.attestations(&instance).await
}

/// Manual checks of all instances that are due or will be soon.
#[tauri::command]
#[specta::specta]
pub async fn attestations_due(engine: Engine<'_>, sandbox: SandboxScope) -> Answer<AttestationList> {
    engine.attestations_due(sandbox).await
}

/// Attests a manual check, with a file if one is attached.
#[tauri::command]
#[specta::specta]
pub async fn attest(engine: Engine<'_>, attestation: NewAttestation, file: Option<FileToAttach>) -> Answer<ManualCheck> {
    engine.attest(attestation, file).await
}

/// Withdraws the last attestation of a check; the one before it holds again, if there is one.
#[tauri::command]
#[specta::specta]
pub async fn withdraw_attestation(engine: Engine<'_>, id: String, reason: String) -> Answer<ManualCheck> {
    engine.withdraw_attestation(&id, &reason).await
}

/// Asks where to and writes the file of an attestation; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn save_attestation_file(app: tauri::AppHandle, engine: Engine<'_>, id: String) -> Answer<Option<String>> {
    let picker = app.dialog().file().set_file_name(engine.attestation_file_name(&id).await?);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file()).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: "Use `posture attestation file` in a terminal.".into(),
        field: None,
    })?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.save_attestation_file(&id, &path).await.map(Some)
}

/// The administrator's own checks of an instance.
#[tauri::command]
#[specta::specta]
pub async fn own_checks(engine: Engine<'_>, instance: String) -> Answer<Vec<OwnCheck>> {
    engine.own_checks(&instance).await
}

/// Adds or changes a check of the administrator's own.
#[tauri::command]
#[specta::specta]
pub async fn save_own_check(engine: Engine<'_>, instance: String, check: OwnCheckDraft) -> Answer<OwnCheck> {
    engine.save_own_check(&instance, check).await
}

/// Removes a check of the administrator's own; what was attested of it stays in the history.
#[tauri::command]
#[specta::specta]
pub async fn remove_own_check(engine: Engine<'_>, instance: String, check: String) -> Answer<()> {
    engine.remove_own_check(&instance, &check).await
}

/// Adds an instance that nobody signs in to.
#[tauri::command]
#[specta::specta]
pub async fn add_manual_instance(engine: Engine<'_>, request: ManualInstance) -> Answer<Instance> {
    engine.add_manual_instance(request).await
}

/// Changes what is told of such an instance.
#[tauri::command]
#[specta::specta]
pub async fn change_manual_instance(engine: Engine<'_>, id: String, request: ManualInstance) -> Answer<Instance> {
    engine.change_manual_instance(&id, request).await
}
