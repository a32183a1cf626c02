//! Instances and their scans.

use super::{Answer, Engine, onboard::listen};
use console::screen::{Deleted, Instance, InstanceChange, InstancePage, Job, Progress, SandboxScope};
use tauri::ipc::Channel;

/// Onboarded instances.
#[tauri::command]
#[specta::specta]
pub async fn instances(engine: Engine<'_>, sandbox: SandboxScope) -> Answer<Vec<Instance>> {
    engine.instances(sandbox).await
}

/// One instance.
#[tauri::command]
#[specta::specta]
pub async fn instance(engine: Engine<'_>, id: String) -> Answer<InstancePage> {
    engine.instance(&id).await
}

/// Changes what is not secret.
#[tauri::command]
#[specta::specta]
pub async fn change_instance(engine: Engine<'_>, id: String, change: InstanceChange) -> Answer<InstancePage> {
    engine.change_instance(&id, change).await
}

/// Deletes an instance: its key first, then everything read with it.
#[tauri::command]
#[specta::specta]
pub async fn delete_instance(engine: Engine<'_>, id: String, typed_name: String) -> Answer<Deleted> {
    engine.delete_instance(&id, &typed_name).await
}

/// Scans an instance, resuming a cut scan.
#[tauri::command]
#[specta::specta]
pub async fn scan(engine: Engine<'_>, instance: String, progress: Channel<Progress>) -> Answer<()> {
    engine.scan(&instance, listen(progress)).await.map(|_outcome| ())
}

/// Stops a job; what was read is kept to resume from.
#[tauri::command]
#[specta::specta]
pub fn cancel(engine: Engine<'_>, job: String) {
    engine.cancel(&job);
}

/// Jobs under way.
#[tauri::command]
#[specta::specta]
pub fn jobs(engine: Engine<'_>) -> Vec<Job> {
    engine.jobs()
}
