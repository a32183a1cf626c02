//! The window: Tauri's side of the console. It owns the window, its commands and its events, and knows nothing of
//! vendors, SQL or keys; every decision is `console`'s.

mod commands;
mod events;
mod sealed;
mod tray;
mod update;

use std::{env, process::Command, thread, time::Duration};
use tauri_plugin_window_state::StateFlags;
use tauri_specta::{Builder, collect_commands, collect_events};

/// Commands and events, and the one place from which the TypeScript types are generated.
pub fn doors() -> Builder<tauri::Wry> {
    Builder::<tauri::Wry>::new()
        .commands(collect_commands![
            commands::start::start,
            commands::start::sealing_key,
            commands::start::first_start,
            commands::start::unlock,
            commands::start::recover,
            commands::start::lock,
            commands::start::set_preference,
            commands::start::seen,
            commands::start::open_link,
            commands::onboard::tiles,
            commands::onboard::application,
            commands::onboard::open_draft,
            commands::onboard::check_field,
            commands::onboard::one_time_code,
            commands::onboard::close_draft,
            commands::onboard::connect,
            commands::onboard::replace_secret,
            commands::onboard::sandbox_tenants,
            commands::onboard::add_sandbox,
            commands::onboard::remove_sandbox,
            commands::instances::instances,
            commands::instances::instance,
            commands::instances::change_instance,
            commands::instances::delete_instance,
            commands::instances::scan,
            commands::instances::cancel,
            commands::instances::jobs,
            commands::operate::settings,
            commands::operate::change_settings,
            commands::operate::schedule_words,
            commands::operate::scan_all,
            commands::desktop::close_window,
            commands::desktop::desktop,
            commands::desktop::start_at_login,
            commands::desktop::about,
            commands::desktop::licences,
            commands::desktop::update_state,
            commands::desktop::look_for_update,
            commands::desktop::install_update,
            commands::desktop::cancel_update,
            commands::desktop::start_again,
            commands::digest::digest,
            commands::digest::digests,
            commands::digest::save_digest,
            commands::digest::send_digest,
            commands::digest::mail,
            commands::digest::set_mail,
            commands::digest::test_mail,
            commands::digest::remove_mail,
            commands::backup::back_up,
            commands::backup::restore,
            commands::backup::erase,
            commands::backup::archive_instance,
            commands::attestations::attestations,
            commands::attestations::attestations_due,
            commands::attestations::attest,
            commands::attestations::withdraw_attestation,
            commands::attestations::save_attestation_file,
            commands::attestations::own_checks,
            commands::attestations::save_own_check,
            commands::attestations::remove_own_check,
            commands::attestations::add_manual_instance,
            commands::attestations::change_manual_instance,
            commands::decisions::dismiss,
            commands::decisions::override_check,
            commands::decisions::lock_check,
            commands::decisions::unmonitor,
            commands::decisions::ignore_account,
            commands::decisions::undo_decision,
            commands::decisions::decisions,
            commands::capability::coverage,
            commands::capability::instance_coverage,
            commands::capability::permissions,
            commands::browse::overview,
            commands::browse::findings,
            commands::browse::finding,
            commands::browse::requests,
            commands::changes::changes,
            commands::changes::complete_scans,
            commands::changes::setting_changes,
            commands::changes::row_changes,
            commands::changes::posture_at,
            commands::changes::export_changes,
            commands::activity::activity,
            commands::activity::activity_head,
            commands::activity::save_activity_head,
            commands::activity::verify_activity,
            commands::browse::export_findings,
            commands::compliance::rules,
            commands::compliance::rule,
            commands::compliance::compliance,
            commands::compliance::framework,
            commands::compliance::framework_control,
            commands::compliance::export_framework,
            commands::inventory::accounts,
            commands::inventory::account,
            commands::inventory::plugins,
            commands::inventory::plugin,
            commands::inventory::set_inventory_thresholds,
            commands::inventory::export_accounts,
            commands::inventory::export_plugins,
            commands::fleet::accounts_everywhere,
            commands::fleet::plugins_everywhere,
            commands::fleet::identities,
            commands::fleet::plugin_users,
            commands::fleet::set_account_identity,
            commands::fleet::set_plugin_reviewed,
            commands::fleet::export_accounts_everywhere,
            commands::fleet::export_plugins_everywhere,
        ])
        .events(collect_events![events::CredentialEnding, events::JobsChanged, events::Turned])
        // It passes sealed, so no command names it.
        .typ::<console::screen::RecoveryKeyShown>()
        // Rust's `Option` with serde defaults would otherwise give two TypeScript types for one word.
        .disable_serde_phases()
}

/// The plugin that lets one window alone be open, as it names itself.
const SINGLE_INSTANCE: &str = "single-instance";

/// How often a start is tried while another console, which is being closed, still holds the name, and how long is waited between.
const STARTS: u32 = 20;
const BETWEEN_STARTS: Duration = Duration::from_millis(250);

/// Counts the starts, from one process to the next.
const START: &str = "POSTURE_START";

/// Opens the window and runs until it is closed. If another one is open already, that one comes forward instead.
///
/// # Errors
/// When the window system cannot be used, or the data folder cannot be made.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    let console = console::Console::new(console::Options::for_this_user()?)?;
    match build(console) {
        Ok(app) => {
            app.run(|_app, _event| {
                // There a click on the icon of a program that runs is no second start.
                #[cfg(target_os = "macos")]
                if let tauri::RunEvent::Reopen { .. } = _event {
                    events::come_forward(_app);
                }
            });
            Ok(())
        }
        // Somebody who closes the window and opens it again at once meets the first one on its way out: it has the name and
        // answers no more.
        Err(tauri::Error::PluginInitialization(plugin, _)) if plugin == SINGLE_INSTANCE && starts() < STARTS => {
            thread::sleep(BETWEEN_STARTS);
            Err(start_again())
        }
        Err(error) => Err(error.into()),
    }
}

/// How often this start was tried, with this time.
fn starts() -> u32 {
    env::var(START).ok().and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The same program from the beginning: a window system can be begun with only once in a process. Returns only when that fails.
fn start_again() -> Box<dyn std::error::Error> {
    let mut again = match env::current_exe() {
        Ok(program) => Command::new(program),
        Err(error) => return error.into(),
    };
    again.args(env::args_os().skip(1)).env(START, (starts() + 1).to_string());
    #[cfg(unix)]
    {
        std::os::unix::process::CommandExt::exec(&mut again).into()
    }
    #[cfg(not(unix))]
    {
        match again.spawn() {
            Ok(_) => std::process::exit(0),
            Err(error) => error.into(),
        }
    }
}

fn build(console: console::Console) -> tauri::Result<tauri::App> {
    let doors = doors();
    let handler = doors.invoke_handler();
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _arguments, _folder| events::come_forward(app)))
        // Whether it is seen is decided at each start.
        .plugin(tauri_plugin_window_state::Builder::default().with_state_flags(StateFlags::all() - StateFlags::VISIBLE).build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_autostart::Builder::new().arg(tray::IN_BACKGROUND).build())
        .plugin(tauri_plugin_updater::Builder::new().build())
        .manage(console.clone())
        .manage(sealed::SealingKeys::default())
        .manage(tray::Staying::default())
        .manage(update::Updates::default())
        .on_window_event(tray::on_window_event)
        .on_menu_event(tray::chosen)
        .invoke_handler(handler)
        .setup(move |app| {
            doors.mount_events(app);
            events::announce_jobs(app.handle().clone(), &console);
            events::announce_turns(app.handle().clone(), &console);
            events::announce_credentials(app.handle().clone(), &console);
            if env::args_os().any(|argument| argument == tray::IN_BACKGROUND) {
                tray::begin_in_background(app.handle(), console.clone());
            } else {
                events::come_forward(app.handle());
            }
            tauri::async_runtime::spawn(async move { console.keep_schedule().await });
            Ok(())
        })
        .build(tauri::generate_context!())
}

#[cfg(test)]
mod tests {
    use specta_typescript::Typescript;

    /// The generated file is committed; it must say what the Rust types say now.
    #[test]
    fn typescript_types_are_current() -> Result<(), Box<dyn std::error::Error>> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/lib/backend/bindings.ts");
        let before = std::fs::read_to_string(path).unwrap_or_default();
        super::doors().export(Typescript::default(), path)?;
        let after = std::fs::read_to_string(path)?;
        assert_eq!(before, after, "ui/src/lib/backend/bindings.ts was out of date and has been written anew; commit it");
        Ok(())
    }
}
