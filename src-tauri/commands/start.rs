//! Opening, locking and recovering what is stored.

use super::{Answer, Engine};
use console::screen::{Protection, RecoveryKeyShown, Start};
use console::SecretString;

/// Where the console stands.
#[tauri::command]
#[specta::specta]
pub async fn start(engine: Engine<'_>) -> Answer<Start> {
    engine.start().await
}

/// Creates the database and its protection; the recovery key is shown this once.
#[tauri::command]
#[specta::specta]
pub async fn first_start(engine: Engine<'_>, protection: Protection, passphrase: Option<String>) -> Answer<RecoveryKeyShown> {
    engine.first_start(protection, passphrase.map(SecretString::from)).await
}

/// Opens what a passphrase protects.
#[tauri::command]
#[specta::specta]
pub async fn unlock(engine: Engine<'_>, passphrase: String) -> Answer<Start> {
    engine.unlock(SecretString::from(passphrase)).await
}

/// Opens the database with the recovery key.
#[tauri::command]
#[specta::specta]
pub async fn recover(engine: Engine<'_>, recovery_key: String) -> Answer<Start> {
    engine.recover(SecretString::from(recovery_key)).await
}

/// Closes the database and forgets its key until the next unlock.
#[tauri::command]
#[specta::specta]
pub async fn lock(engine: Engine<'_>) -> Answer<Start> {
    engine.lock().await
}

/// Remembers a choice of the window.
#[tauri::command]
#[specta::specta]
pub async fn set_preference(engine: Engine<'_>, key: String, value: String) -> Answer<()> {
    engine.set_preference(key, value).await
}

/// Marks the present time as the last visit.
#[tauri::command]
#[specta::specta]
pub async fn seen(engine: Engine<'_>) -> Answer<()> {
    engine.seen().await
}

/// Opens a page in the system browser, if it is on a host that the catalog links to.
#[tauri::command]
#[specta::specta]
pub async fn open_link(app: tauri::AppHandle, engine: Engine<'_>, url: String) -> Answer<()> {
    use tauri_plugin_opener::OpenerExt;
    let url = engine.linkable(&url)?;
    app.opener().open_url(url.as_str(), None::<&str>).map_err(|error| {
        tracing::warn!(%error, "the system browser did not open");
        console::screen::Failure {
            code: "E-BROWSER".into(),
            sentence: "The system browser did not open.".into(),
            remedy: format!("Open {url} by hand."),
            field: None,
        }
    })
}
