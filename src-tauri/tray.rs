//! Staying when the window is closed: the icon in the desktop's tray, what closing the window means, and start at login.

use crate::events::come_forward;
use console::{
    Console,
    screen::{Failure, SandboxScope, Settings, StartState},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};
use tauri::{
    AppHandle, Manager, Window, WindowEvent,
    menu::{MenuBuilder, MenuEvent},
    tray::{MouseButton, TrayIconBuilder, TrayIconEvent},
};
use tauri_plugin_autostart::ManagerExt;
use tokio::sync::oneshot;

/// Said on the command line by the entry that starts the console at login: stay in the tray, without a window.
pub const IN_BACKGROUND: &str = "--in-background";

const ICON: &str = "console";
const SHOW: &str = "show";
const SCAN_ALL: &str = "scan-all";
const QUIT: &str = "quit";

/// Whether the console stays when its window is closed.
#[derive(Default)]
pub struct Staying {
    stays: AtomicBool,
    /// Settings are applied one after the other, each as it was when it was read.
    applied: tokio::sync::Mutex<()>,
}

/// Reads the settings, or changes them, and makes the tray agree with them: with an icon that somebody shows the console stays when
/// the window is closed, without one it ends.
///
/// # Errors
/// Those of `settings`; the tray is as it was then.
pub async fn agree(app: &AppHandle, settings: impl Future<Output = Result<Settings, Failure>>) -> Result<Settings, Failure> {
    let staying = app.state::<Staying>();
    let _one_by_one = staying.applied.lock().await;
    let settings = settings.await?;
    let wanted = settings.keep_running && is_shown().await;
    let (tell, told) = oneshot::channel();
    let on_main = app.clone();
    // Icons belong to the main thread, and so does what happens when one cannot be made.
    let asked = app.run_on_main_thread(move || {
        let stays = wanted && show_icon(&on_main);
        on_main.state::<Staying>().stays.store(stays, Ordering::Relaxed);
        if !stays {
            drop(on_main.remove_tray_by_id(ICON));
        }
        // Nobody waits any more when the program is ending.
        let _told = tell.send(());
    });
    if asked.is_ok() {
        // An end without a word is that of the program.
        let _agreed = told.await;
    }
    Ok(settings)
}

/// Whether the console stays when its window is closed.
pub fn stays(app: &AppHandle) -> bool {
    app.state::<Staying>().stays.load(Ordering::Relaxed)
}

/// Whether this desktop has something that shows icons. One without it would hide the window for good: without a session bus even
/// another start does not find the first.
#[cfg(target_os = "linux")]
async fn is_shown() -> bool {
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let name = zbus::names::BusName::try_from("org.kde.StatusNotifierWatcher")?;
        Ok::<_, zbus::Error>(zbus::fdo::DBusProxy::new(&bus).await?.name_has_owner(name).await?)
    };
    asked.await.inspect_err(|error| tracing::debug!(%error, "nobody shows icons")).unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
async fn is_shown() -> bool {
    true
}

fn show_icon(app: &AppHandle) -> bool {
    if app.tray_by_id(ICON).is_some() {
        return true;
    }
    // The library behind it is looked for once, when the first icon is made, and what looks for it panics when there is none.
    static MISSING: AtomicBool = AtomicBool::new(false);
    if MISSING.load(Ordering::Relaxed) {
        return false;
    }
    match catch_unwind(AssertUnwindSafe(|| icon(app))) {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the desktop shows no tray icon");
            false
        }
        Err(_) => {
            MISSING.store(true, Ordering::Relaxed);
            tracing::warn!("the library for tray icons is not installed");
            false
        }
    }
}

fn icon(app: &AppHandle) -> tauri::Result<()> {
    let menu =
        MenuBuilder::new(app).text(SHOW, "Show Posture Console").text(SCAN_ALL, "Scan all now").separator().text(QUIT, "Quit").build()?;
    let mut icon = TrayIconBuilder::with_id(ICON).menu(&menu).tooltip("Posture Console").show_menu_on_left_click(false).on_tray_icon_event(
        |icon, event| {
            if matches!(event, TrayIconEvent::Click { button: MouseButton::Left, .. }) {
                come_forward(icon.app_handle());
            }
        },
    );
    if let Some(image) = app.default_window_icon() {
        icon = icon.icon(image.clone());
    }
    icon.build(app).map(drop)
}

/// Something was chosen in a menu; the icon's is the only one.
pub fn chosen(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        SHOW => come_forward(app),
        QUIT => app.exit(0),
        SCAN_ALL => {
            let (app, console) = (app.clone(), app.state::<Console>().inner().clone());
            tauri::async_runtime::spawn(async move {
                // What an instance's scan ends with stands in its health. A locked console has to be unlocked first.
                if let Err(failure) = console.scan_all(SandboxScope::Without).await {
                    tracing::info!(code = failure.code, "nothing was scanned");
                    come_forward(&app);
                }
            });
        }
        _ => {}
    }
}

/// Closing the window hides it while the console stays.
pub fn on_window_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event
        && stays(window.app_handle())
        && window.hide().is_ok()
    {
        api.prevent_close();
    }
}

/// The console was started at login: it shows itself only if somebody has to unlock it, or there is no tray to stay in.
pub fn begin_in_background(app: &AppHandle, console: Console) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Opens what the keychain opens.
        let open = console.start().await.is_ok_and(|start| matches!(start.state, StartState::Ready { .. }));
        if !open || agree(&app, console.settings()).await.is_err() || !stays(&app) {
            come_forward(&app);
        }
    });
}

/// Whether the console starts at login; none where this system does not say.
pub fn starts_at_login(app: &AppHandle) -> Option<bool> {
    app.autolaunch().is_enabled().inspect_err(|error| tracing::warn!(%error, "start at login cannot be asked for")).ok()
}

/// Makes the console start at login, or no more.
///
/// # Errors
/// In words, when the entry cannot be written.
pub fn start_at_login(app: &AppHandle, wanted: bool) -> Result<(), String> {
    let entry = app.autolaunch();
    let changed = if wanted { entry.enable() } else { entry.disable() };
    changed.map_err(|error| error.to_string())
}
