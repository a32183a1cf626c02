//! The tray: with it the console stays when its window is closed, without its library it says so and ends.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use zbus::{Connection, connection::Builder, interface};

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    promise::Promise,
};

const THIS_TEST: &str = "staying::the_console_stays_in_the_tray_and_starts_at_login";
/// Set for the part that runs without the library: the home folder that the first part made.
const BARE_HOME: &str = "POSTURE_WINDOW_BARE_HOME";
/// Both names of the library that shows icons.
const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];

/// What shows icons on this desktop: <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/>.
struct Tray {
    icons: Arc<Mutex<Vec<String>>>,
    _connection: Connection,
}

struct Watcher {
    icons: Arc<Mutex<Vec<String>>>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str) {
        self.icons.lock().unwrap_or_else(PoisonError::into_inner).push(service.to_owned());
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.icons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tray {
    async fn start(desktop: &Desktop) -> Tray {
        let icons = Arc::<Mutex<Vec<String>>>::default();
        let watcher = Watcher { icons: Arc::clone(&icons) };
        let served = async {
            Builder::address(desktop.bus_address().as_str())?
                .name("org.kde.StatusNotifierWatcher")?
                .serve_at("/StatusNotifierWatcher", watcher)?
                .build()
                .await
        };
        Tray { icons, _connection: served.await.expect("the bus lets a tray be") }
    }

    async fn shows_an_icon(&self) {
        let started = Instant::now();
        while self.icons.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "no icon came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn the_console_stays_in_the_tray_and_starts_at_login() {
    if let Some(home) = std::env::var_os(BARE_HOME) {
        return without_a_library(PathBuf::from(home)).await;
    }
    let mut promise = Promise::begin("window");
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    let tray = Tray::start(&desktop).await;
    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.click("first-start-continue").await;
    window.click("recovery-kept").await;
    window.click("sandbox-skip").await;
    window.click("nav-settings").await;
    window.at("schedule-words").await;
    window.type_into("settings-keep-running", " ").await;
    tray.shows_an_icon().await;
    window.shows("or in the tray").await;
    assert!(!window.has("tray-missing").await);
    promise.holds();

    window.type_into("settings-start-at-login", " ").await;
    let entry = desktop.home().join(".config/autostart");
    let started = Instant::now();
    let written = loop {
        let files: Vec<PathBuf> = fs::read_dir(&entry).into_iter().flatten().flatten().map(|file| file.path()).collect();
        if let [file] = files.as_slice()
            && let Ok(text) = fs::read_to_string(file)
            && !text.is_empty()
        {
            break text;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "nothing starts at login: {files:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(written.contains("--in-background") && written.contains(&console().display().to_string()), "{written}");

    // Closed, it goes on; started again, the same one shows itself.
    let id = window.process_id();
    // The window may be gone before the driver has let the keys go.
    let _pressed = window.at("nav-settings").await.send_keys(thirtyfour::Key::Control + "w").await;
    let started = Instant::now();
    while window.script::<String>("return document.visibilityState").await != "hidden" {
        assert!(started.elapsed() < Duration::from_secs(20), "the window does not close");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(fs::metadata(format!("/proc/{id}")).is_ok(), "the console goes on");
    let second = desktop.command(console()).stdout(Stdio::null()).status().expect("a second start runs");
    assert!(second.success());
    let started = Instant::now();
    while window.script::<String>("return document.visibilityState").await != "visible" {
        assert!(started.elapsed() < Duration::from_secs(20), "the window does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(window.process_id(), id);
    window.close().await;
    promise.holds();

    run_without_a_library(&desktop);
    promise.holds();
}

/// The same desktop on a system whose library for tray icons is empty.
fn run_without_a_library(desktop: &Desktop) {
    let listed = Command::new("/sbin/ldconfig").arg("-p").output().expect("the linker's cache can be listed");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let there = |line: &&str| LIBRARIES.iter().any(|library| line.trim_start().starts_with(library));
    let paths: Vec<&str> = listed.lines().filter(there).filter_map(|line| line.split("=> ").nth(1)).collect();
    assert!(!paths.is_empty(), "the library is installed, so that there is something to hide");
    let hide: String = paths.iter().map(|path| format!("mount --bind /dev/null {path} && ")).collect();
    let as_root = Command::new("unshare").args(["-m", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    // Only the superuser mounts; afterwards somebody else is who they were, or the bus would not know them.
    let back = if as_root { String::new() } else { format!("unshare --user --map-user={} --map-group={} ", id("-u"), id("-g")) };
    let status = Command::new("unshare")
        .arg("-m")
        .args(if as_root { &[][..] } else { &["--user", "--map-root-user"][..] })
        .args(["sh", "-c", &format!("{hide}exec {back}\"$0\" \"$@\"")])
        .arg(std::env::current_exe().expect("a test knows its program"))
        .args(["--exact", THIS_TEST, "--nocapture"])
        .env(BARE_HOME, desktop.home())
        // What it shows is counted by the part that starts it.
        .env_remove("POSTURE_PROMISES")
        .status()
        .expect("unshare is installed (package util-linux)");
    assert!(status.success(), "the start without the library");
}

/// The number of this user or group.
fn id(which: &str) -> String {
    let answer = Command::new("id").arg(which).output().expect("id is installed");
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

async fn without_a_library(home: PathBuf) {
    let desktop = Desktop::visit(home, Colours::Dark);
    // As at login: there is no tray to stay in, so the window shows itself.
    let window = Window::open(&desktop, console(), &["--in-background"], &[]).await;
    window.click("nav-settings").await;
    window.at("tray-missing").await;
    window.shows("run only while this window is open").await;
    let visible: String = window.script("return document.visibilityState").await;
    assert_eq!(visible, "visible");
    window.close().await;
}
