//! From tile to connected instance.

use super::{Answer, Engine, Keys};
use crate::sealed::Sealed;
use console::screen::{AddInstance, Application, Deleted, FieldState, OneTimeCode, Progress, SandboxTenant, TenantChoice, Tile};
use tauri::ipc::Channel;

/// All tiles.
#[tauri::command]
#[specta::specta]
pub async fn tiles(engine: Engine<'_>) -> Answer<Vec<Tile>> {
    engine.tiles().await
}

/// What the dialog of an application needs.
#[tauri::command]
#[specta::specta]
pub async fn application(engine: Engine<'_>, slug: String) -> Answer<Application> {
    engine.application(&slug).await
}

/// Begins a dialog; typed secrets are held in it until it is closed.
#[tauri::command]
#[specta::specta]
pub fn open_draft(engine: Engine<'_>, app: String, login: String) -> Answer<String> {
    engine.open_draft(&app, &login)
}

/// Checks a typed value; the value of a secret field is kept in the draft and never given back.
#[tauri::command]
#[specta::specta]
pub fn check_field(engine: Engine<'_>, keys: Keys<'_>, draft: String, field: String, value: Sealed) -> Answer<FieldState> {
    engine.check_field(&draft, &field, keys.open(value)?)
}

/// The one-time code that the MFA secret key in a field of a dialog produces now.
#[tauri::command]
#[specta::specta]
pub fn one_time_code(engine: Engine<'_>, draft: String, field: String) -> Answer<Option<OneTimeCode>> {
    engine.one_time_code(&draft, &field)
}

/// Ends a dialog and wipes what was typed.
#[tauri::command]
#[specta::specta]
pub fn close_draft(engine: Engine<'_>, draft: String) {
    engine.close_draft(&draft);
}

/// Signs in, stores the instance, probes its permissions and scans it for the first time. Answers the instance's id.
#[tauri::command]
#[specta::specta]
pub async fn connect(engine: Engine<'_>, draft: String, request: AddInstance, progress: Channel<Progress>) -> Answer<String> {
    engine.connect(&draft, request, listen(progress)).await
}

/// Signs in with the draft's secrets and, if they work, replaces the stored ones.
#[tauri::command]
#[specta::specta]
pub async fn replace_secret(engine: Engine<'_>, draft: String, instance: String, progress: Channel<Progress>) -> Answer<()> {
    engine.replace_secret(&draft, &instance, listen(progress)).await
}

/// The simulated tenants that can be onboarded.
#[tauri::command]
#[specta::specta]
pub async fn sandbox_tenants(engine: Engine<'_>) -> Answer<Vec<SandboxTenant>> {
    engine.sandbox_tenants().await
}

/// Onboards and scans simulated tenants.
#[tauri::command]
#[specta::specta]
pub async fn add_sandbox(engine: Engine<'_>, tenants: Vec<TenantChoice>, progress: Channel<Progress>) -> Answer<()> {
    engine.add_sandbox(tenants, listen(progress)).await
}

/// Deletes every simulated instance; an empty choice is remembered as "not now".
#[tauri::command]
#[specta::specta]
pub async fn remove_sandbox(engine: Engine<'_>) -> Answer<Deleted> {
    engine.remove_sandbox().await
}

pub(super) fn listen(progress: Channel<Progress>) -> console::Listener {
    std::sync::Arc::new(move |event| {
        // A window that was closed no longer listens; the job goes on and is stored all the same.
        if progress.send(event).is_err() {
            tracing::debug!("progress had no listener");
        }
    })
}
