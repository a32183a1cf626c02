//! Accounts and plugins of an instance; none of it needs the network.

use super::{Answer, Engine};
use console::{
    InventoryKind,
    screen::{
        AccountList, AccountPage, ExportFormat, Failure, InventoryExported, InventoryQuery, InventoryThresholds, PluginList, PluginPage,
    },
};
use std::path::PathBuf;
use tauri_plugin_dialog::DialogExt;

/// A page of the accounts of an instance.
#[tauri::command]
#[specta::specta]
pub async fn accounts(engine: Engine<'_>, instance: String, query: InventoryQuery) -> Answer<AccountList> {
    engine.accounts(&instance, query).await
}

/// An account and everything behind it.
#[tauri::command]
#[specta::specta]
pub async fn account(engine: Engine<'_>, instance: String, id: String) -> Answer<AccountPage> {
    engine.account(&instance, &id).await
}

/// A page of the plugins of an instance.
#[tauri::command]
#[specta::specta]
pub async fn plugins(engine: Engine<'_>, instance: String, query: InventoryQuery) -> Answer<PluginList> {
    engine.plugins(&instance, query).await
}

/// A plugin and everything behind it.
#[tauri::command]
#[specta::specta]
pub async fn plugin(engine: Engine<'_>, instance: String, id: String) -> Answer<PluginPage> {
    engine.plugin(&instance, &id).await
}

/// Sets from when on something is a risk in an instance.
#[tauri::command]
#[specta::specta]
pub async fn set_inventory_thresholds(
    engine: Engine<'_>,
    instance: String,
    thresholds: InventoryThresholds,
) -> Answer<InventoryThresholds> {
    engine.set_inventory_thresholds(&instance, thresholds).await
}

/// Asks where to and writes the accounts that the query shows; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn export_accounts(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    instance: String,
    query: InventoryQuery,
    format: ExportFormat,
) -> Answer<Option<InventoryExported>> {
    let Some(path) = chosen(&app, "accounts", format).await? else { return Ok(None) };
    engine.export_inventory(InventoryKind::Accounts, &instance, query, format, &path).await.map(Some)
}

/// The same of plugins.
#[tauri::command]
#[specta::specta]
pub async fn export_plugins(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    instance: String,
    query: InventoryQuery,
    format: ExportFormat,
) -> Answer<Option<InventoryExported>> {
    let Some(path) = chosen(&app, "plugins", format).await? else { return Ok(None) };
    engine.export_inventory(InventoryKind::Plugins, &instance, query, format, &path).await.map(Some)
}

/// The file that was chosen; none when the dialog was cancelled.
pub(super) async fn chosen(app: &tauri::AppHandle, name: &str, format: ExportFormat) -> Answer<Option<PathBuf>> {
    let extension = match format {
        ExportFormat::Csv => "csv",
        ExportFormat::Json => "json",
    };
    let picker = app.dialog().file().set_file_name(format!("{name}.{extension}")).add_filter(extension, &[extension]);
    // The file dialog blocks until it is answered; it must not hold a thread of the async runtime.
    let chosen = tauri::async_runtime::spawn_blocking(move || picker.blocking_save_file()).await.map_err(|_| Failure {
        code: "E-FILE-DIALOG".into(),
        sentence: "The file dialog did not open.".into(),
        remedy: format!("Use `posture {name} --output` in a terminal."),
        field: None,
    })?;
    Ok(chosen.and_then(|path| path.into_path().ok()))
}
