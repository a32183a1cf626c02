//! What an application can be used for, and what a credential may read.

use super::{Answer, Engine};
use console::screen::{Coverage, Permissions};

/// What looks at each control of an application.
#[tauri::command]
#[specta::specta]
pub fn coverage(engine: Engine<'_>, slug: String) -> Answer<Coverage> {
    engine.coverage(&slug)
}

/// What looks at each control of an instance, with the login option that it uses.
#[tauri::command]
#[specta::specta]
pub async fn instance_coverage(engine: Engine<'_>, id: String) -> Answer<Coverage> {
    engine.instance_coverage(&id).await
}

/// What the credential of an instance could read in the last complete scan, what it lacks, and what it holds needlessly.
#[tauri::command]
#[specta::specta]
pub async fn permissions(engine: Engine<'_>, id: String) -> Answer<Permissions> {
    engine.permissions(&id).await
}
