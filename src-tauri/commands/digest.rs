//! The daily digest, and the mail that it goes by.

use super::{Answer, Engine, Keys};
use crate::sealed::Sealed;
use console::screen::{Digest, DigestDay, Failure, MailSent, MailSettings, MailState};
use tauri_plugin_dialog::DialogExt;

/// The digest of a day; without one that of today, or what it would say if it were made now.
#[tauri::command]
#[specta::specta]
pub async fn digest(engine: Engine<'_>, day: Option<String>) -> Answer<Digest> {
    engine.digest(day.as_deref()).await
}

/// Every digest that is kept, newest first.
#[tauri::command]
#[specta::specta]
pub async fn digests(engine: Engine<'_>) -> Answer<Vec<DigestDay>> {
    engine.digests().await
}

/// Asks where to and writes a digest as a page; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn save_digest(app: tauri::AppHandle, engine: Engine<'_>, day: Option<String>) -> Answer<Option<String>> {
    let name = engine.digest(day.as_deref()).await?.day;
    let picker = app.dialog().file().set_file_name(format!("posture-digest-{name}.html")).add_filter("html", &["html"]);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file()).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: "Use `posture digest --html` in a terminal.".into(),
        field: None,
    })?;
    let Some(path) = chosen.and_then(|path| path.into_path().ok()) else { return Ok(None) };
    engine.save_digest(day.as_deref(), &path).await.map(Some)
}

/// Mails the digest of today, which is made if it is not yet.
#[tauri::command]
#[specta::specta]
pub async fn send_digest(engine: Engine<'_>) -> Answer<Digest> {
    engine.send_digest().await
}

/// How the mail stands.
#[tauri::command]
#[specta::specta]
pub async fn mail(engine: Engine<'_>) -> Answer<MailState> {
    engine.mail().await
}

/// Sets where the digest is mailed from and to whom. Without a password the one that is sealed stays.
#[tauri::command]
#[specta::specta]
pub async fn set_mail(engine: Engine<'_>, keys: Keys<'_>, settings: MailSettings, password: Option<Sealed>) -> Answer<MailState> {
    let password = password.map(|password| keys.open(password)).transpose()?;
    engine.set_mail(settings, password).await
}

/// Sends a mail that says that it is a test.
#[tauri::command]
#[specta::specta]
pub async fn test_mail(engine: Engine<'_>) -> Answer<MailSent> {
    engine.test_mail().await
}

/// Forgets the mail, its password first.
#[tauri::command]
#[specta::specta]
pub async fn remove_mail(engine: Engine<'_>) -> Answer<()> {
    engine.remove_mail().await
}
