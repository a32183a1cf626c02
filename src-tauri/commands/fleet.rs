//! Accounts, identities and plugins of all instances together; none of it needs the network.

use super::{Answer, Engine, inventory::chosen};
use console::{
    InventoryKind,
    screen::{
        ExportFormat, FleetAccounts, FleetPlugins, FleetQuery, IdentityList, IdentityQuery, InventoryExported, PluginUserList,
        SandboxScope, Slice,
    },
};

/// A page of the accounts of all instances.
#[tauri::command]
#[specta::specta]
pub async fn accounts_everywhere(engine: Engine<'_>, query: FleetQuery) -> Answer<FleetAccounts> {
    engine.accounts_everywhere(query).await
}

/// A page of the plugins of all instances.
#[tauri::command]
#[specta::specta]
pub async fn plugins_everywhere(engine: Engine<'_>, query: FleetQuery) -> Answer<FleetPlugins> {
    engine.plugins_everywhere(query).await
}

/// A page of identities.
#[tauri::command]
#[specta::specta]
pub async fn identities(engine: Engine<'_>, query: IdentityQuery) -> Answer<IdentityList> {
    engine.identities(query).await
}

/// A page of the users who granted or installed plugins.
#[tauri::command]
#[specta::specta]
pub async fn plugin_users(engine: Engine<'_>, text: String, sandbox: SandboxScope, slice: Slice) -> Answer<PluginUserList> {
    engine.plugin_users(text, sandbox, slice).await
}

/// Says whose an account is.
#[tauri::command]
#[specta::specta]
pub async fn set_account_identity(engine: Engine<'_>, instance: String, account: String, identity: Option<String>) -> Answer<()> {
    engine.set_account_identity(&instance, &account, identity).await
}

/// Says that a plugin was reviewed, or takes it back.
#[tauri::command]
#[specta::specta]
pub async fn set_plugin_reviewed(engine: Engine<'_>, instance: String, plugin: String, reviewed: bool) -> Answer<()> {
    engine.set_plugin_reviewed(&instance, &plugin, reviewed).await
}

/// Asks where to and writes the accounts that the query shows; nothing when the dialog was cancelled.
#[tauri::command]
#[specta::specta]
pub async fn export_accounts_everywhere(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    query: FleetQuery,
    format: ExportFormat,
) -> Answer<Option<InventoryExported>> {
    let Some(path) = chosen(&app, "accounts", format).await? else { return Ok(None) };
    engine.export_fleet(InventoryKind::Accounts, query, format, &path).await.map(Some)
}

/// The same of plugins.
#[tauri::command]
#[specta::specta]
pub async fn export_plugins_everywhere(
    app: tauri::AppHandle,
    engine: Engine<'_>,
    query: FleetQuery,
    format: ExportFormat,
) -> Answer<Option<InventoryExported>> {
    let Some(path) = chosen(&app, "plugins", format).await? else { return Ok(None) };
    engine.export_fleet(InventoryKind::Plugins, query, format, &path).await.map(Some)
}
