//! Opening, locking and recovering what is stored.

use super::{Answer, Engine, Keys};
use crate::sealed::{self, Sealed};
use console::screen::{Protection, Start};

/// Where the console stands.
#[tauri::command]
#[specta::specta]
pub async fn start(engine: Engine<'_>) -> Answer<Start> {
    engine.start().await
}

/// A public key to seal the next secret to.
#[tauri::command]
#[specta::specta]
pub fn sealing_key(keys: Keys<'_>) -> Answer<String> {
    keys.offer()
}

/// Creates the database and its protection; the recovery key is shown this once. It is answered as a sealed
/// `RecoveryKeyShown`, to the public key `answer_to`.
#[tauri::command]
#[specta::specta]
pub async fn first_start(
    engine: Engine<'_>,
    keys: Keys<'_>,
    protection: Protection,
    passphrase: Option<Sealed>,
    answer_to: String,
) -> Answer<Sealed> {
    // Before anything is made: an answer that cannot be sealed would lose the recovery key.
    let answer_to = sealed::Recipient::parse(&answer_to)?;
    let passphrase = passphrase.map(|passphrase| keys.open(passphrase)).transpose()?;
    let shown = engine.first_start(protection, passphrase).await?;
    answer_to.seal_json(&shown)
}

/// Opens what a passphrase protects.
#[tauri::command]
#[specta::specta]
pub async fn unlock(engine: Engine<'_>, keys: Keys<'_>, passphrase: Sealed) -> Answer<Start> {
    engine.unlock(keys.open(passphrase)?).await
}

/// Opens the database with the recovery key.
#[tauri::command]
#[specta::specta]
pub async fn recover(engine: Engine<'_>, keys: Keys<'_>, recovery_key: Sealed) -> Answer<Start> {
    engine.recover(keys.open(recovery_key)?, Protection::Keychain, None).await
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
    let url = engine.linkable(&url).await?;
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
