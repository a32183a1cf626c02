//! The console's window, driven through WebDriver: tauri-driver speaks to WebKitWebDriver, which starts the program.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use thirtyfour::prelude::*;
use tokio::time::{sleep, timeout};

use crate::desktop::{Desktop, Group};

/// How long the window may take to open, and a page to show what is waited for.
const OPENS: Duration = Duration::from_secs(30);
const SHOWS: Duration = Duration::from_secs(20);

/// Between two looks at the page.
const PAUSE: Duration = Duration::from_millis(50);

/// An open window of the console.
pub struct Window {
    driver: WebDriver,
    application: PathBuf,
    drivers: Group,
}

impl Window {
    /// Opens `application` on a desktop. `environment` adds to the desktop's own.
    pub async fn open(desktop: &Desktop, application: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Window {
        // Without a display the program dies at once and the session waits for it until the client gives up.
        assert!(
            env::var_os("DISPLAY").is_some_and(|display| !display.is_empty()),
            "the window tests need a display: `cargo xtask test` starts them under Xvfb"
        );
        let (port, native) = (free_port(), free_port());
        let mut command = desktop.command("tauri-driver");
        command.args(["--port", &port.to_string(), "--native-port", &native.to_string()]);
        command.envs(environment.iter().copied());
        let drivers = Group::start(&mut command, "tauri-driver");
        // The first listens before the second does, and gives up on a session that it cannot pass on.
        answers(native).await;
        answers(port).await;

        let mut capabilities = Capabilities::new();
        capabilities.set("browserName", "wry").expect("a capability can be set");
        let options = serde_json::json!({ "application": application, "args": arguments });
        capabilities.set("tauri:options", options).expect("a capability can be set");
        let driver = timeout(OPENS, WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities))
            .await
            .expect("the window opens in time")
            .expect("the driver opens the window");
        Window { driver, application: application.to_path_buf(), drivers }
    }

    /// The WebDriver session, for what this type does not offer.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Closes the window and ends the drivers.
    pub async fn close(self) {
        self.driver.clone().quit().await.expect("the window closes");
    }

    /// The process id of the console itself, not of the web view's processes.
    pub fn process_id(&self) -> u32 {
        let group = self.drivers.id().to_string();
        let of_console = |id: &u32| {
            let same_program = fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|program| program == self.application);
            // After the program's name in parentheses: state, parent, process group.
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let same_group = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(2)) == Some(group.as_str());
            same_program && same_group
        };
        let processes = fs::read_dir("/proc").expect("/proc can be listed").flatten();
        let ids: Vec<u32> = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(of_console).collect();
        assert_eq!(ids.len(), 1, "one process of this window runs {}", self.application.display());
        ids[0]
    }

    /// Gives the page exactly this many CSS pixels.
    pub async fn size(&self, width: u32, height: u32) {
        let mut asked = (width, height);
        // What a frame takes away is added; without a window manager there is none and the first round suffices.
        for _ in 0..3 {
            self.driver.set_window_rect(0, 0, asked.0, asked.1).await.expect("the window takes a size");
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(1) {
                if self.inner_size().await == (width, height) {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
            let inner = self.inner_size().await;
            asked = (asked.0 + width.saturating_sub(inner.0), asked.1 + height.saturating_sub(inner.1));
        }
        panic!("the page has {:?} pixels where {:?} are wanted", self.inner_size().await, (width, height));
    }

    async fn inner_size(&self) -> (u32, u32) {
        let size = self.driver.execute("return [innerWidth, innerHeight]", vec![]).await.expect("the page tells its size");
        size.convert().expect("a size is two numbers")
    }

    /// Waits until the page has what it asked for and nothing moves.
    pub async fn settles(&self) {
        let settled = "const done = arguments[arguments.length - 1];
            const waits = () => document.querySelector('[aria-busy=true], [role=status] .spin') !== null;
            const endless = (a) => a.effect.getTiming().iterations === Infinity;
            const moves = () => document.getAnimations().some((a) => a.playState === 'running' && !endless(a));
            let quiet = 0;
            const look = () => {
              quiet = waits() || moves() ? 0 : quiet + 1;
              if (quiet > 10) done(true); else setTimeout(look, 20);
            };
            look();";
        timeout(SHOWS, self.driver.execute_async(settled, vec![])).await.expect("the page settles in time").expect("the page settles");
    }

    /// Takes a picture of the page once fonts are there and nothing moves but what counts seconds.
    pub async fn picture(&self, path: &Path) {
        let settled = "const done = arguments[arguments.length - 1];
            const counts = (a) => a.effect.target?.closest('[data-left]');
            const endless = (a) => a.effect.getTiming().iterations === Infinity;
            const still = () => document.getAnimations().every((a) => a.playState !== 'running' || endless(a) || counts(a));
            const wait = () => still() ? requestAnimationFrame(() => requestAnimationFrame(() => done(true))) : setTimeout(wait, 20);
            document.fonts.ready.then(wait);";
        timeout(SHOWS, self.driver.execute_async(settled, vec![])).await.expect("the page settles in time").expect("the page settles");
        fs::create_dir_all(path.parent().expect("a picture lies in a folder")).expect("the pictures' folder can be made");
        self.driver.screenshot(path).await.expect("the page can be pictured");
    }

    /// The theme that the page shows itself in.
    pub async fn colours(&self) -> String {
        self.script("return document.documentElement.dataset.theme").await
    }

    /// Shows the page in a theme, without changing the setting.
    pub async fn show_in(&self, theme: &str) {
        let _: Option<bool> = self.script(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
    }

    /// All text that the page shows.
    pub async fn text(&self) -> String {
        let text = self.driver.execute("return document.body.innerText", vec![]).await.expect("the page tells its text");
        text.convert().expect("a text is a string")
    }

    /// Waits until the page shows a text.
    pub async fn shows(&self, wanted: &str) {
        self.shows_within(wanted, SHOWS).await;
    }

    /// Waits until the page shows a text, for as long as the work behind it may take.
    pub async fn shows_within(&self, wanted: &str, limit: Duration) {
        let started = Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(wanted) {
                return;
            }
            assert!(started.elapsed() < limit, "the page does not show {wanted:?} after {limit:?}; it shows:\n{text}");
            sleep(PAUSE).await;
        }
    }

    /// The first element with this handle (`data-testid`) that is shown, waited for.
    pub async fn at(&self, handle: &str) -> WebElement {
        self.at_within(handle, SHOWS).await
    }

    /// The same, for as long as the work behind it may take.
    pub async fn at_within(&self, handle: &str, limit: Duration) -> WebElement {
        let found = self.driver.query(By::Css(format!("[data-testid='{handle}']"))).wait(limit, PAUSE).and_displayed().first().await;
        match found {
            Ok(element) => element,
            Err(_) => panic!("{handle} is not there after {limit:?}; the page shows:\n{}", self.text().await),
        }
    }

    /// Whether an element with this handle is there now.
    pub async fn has(&self, handle: &str) -> bool {
        self.count(handle).await > 0
    }

    /// How many elements have this handle.
    pub async fn count(&self, handle: &str) -> usize {
        self.driver.find_all(By::Css(format!("[data-testid='{handle}']"))).await.expect("the page can be searched").len()
    }

    /// Waits until no element has this handle.
    pub async fn gone(&self, handle: &str) {
        self.gone_within(handle, SHOWS).await;
    }

    /// The same, as long as this.
    pub async fn gone_within(&self, handle: &str, limit: Duration) {
        let started = Instant::now();
        while self.has(handle).await {
            assert!(started.elapsed() < limit, "{handle} is still there; the page shows:\n{}", self.text().await);
            sleep(PAUSE).await;
        }
    }

    /// Clicks the element with this handle, once it stands still and nothing lies over it. What is replaced under the pointer is
    /// tried again.
    pub async fn click(&self, handle: &str) {
        self.at(handle).await;
        self.stands_still(handle).await;
        let started = Instant::now();
        loop {
            match self.at(handle).await.click().await {
                Ok(()) => return,
                Err(error) => assert!(started.elapsed() < SHOWS, "{handle} cannot be clicked: {error}"),
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until what a pointer would hit is the element with this handle: a page whose parts are still coming moves it, and a
    /// message may lie over it for a while. After some time it is clicked all the same, and what comes of that is looked at.
    async fn stands_still(&self, handle: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1];
            const shown = (e) => e.getClientRects().length > 0;
            const e = [...document.querySelectorAll(\"[data-testid='{handle}']\")].find(shown);
            if (!e) {{ done(false); return; }}
            e.scrollIntoView({{ block: 'nearest' }});
            const place = () => {{ const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; }};
            const before = place();
            setTimeout(() => {{
                const now = place();
                const hit = document.elementFromPoint(now[0], now[1]);
                done(before[0] === now[0] && before[1] === now[1] && hit !== null && (e.contains(hit) || hit.contains(e)));
            }}, 60);"
        );
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(6) {
            let still = self.driver.execute_async(script.clone(), vec![]).await.ok().and_then(|answer| answer.convert::<bool>().ok());
            if still == Some(true) {
                return;
            }
        }
    }

    /// Clicks an element that a list may have scrolled out of sight, where the driver takes it for none that can be clicked.
    pub async fn click_out_of_sight(&self, handle: &str) {
        let script = format!("document.querySelector(\"[data-testid='{handle}']\").click()");
        let started = Instant::now();
        while self.driver.execute(script.clone(), Vec::new()).await.is_err() {
            assert!(started.elapsed() < SHOWS, "{handle} is not there; the page shows:\n{}", self.text().await);
            sleep(PAUSE).await;
        }
    }

    /// Presses keys while the element with this handle has the focus.
    pub async fn type_into(&self, handle: &str, keys: impl Into<TypingData>) {
        self.at(handle).await.send_keys(keys).await.unwrap_or_else(|error| panic!("{handle} takes no keys: {error}"));
    }

    /// Presses keys wherever the focus is.
    pub async fn keys(&self, keys: impl Into<TypingData>) {
        let active = self.driver.active_element().await.expect("something has the focus");
        active.send_keys(keys).await.expect("what has the focus takes keys");
    }

    /// Presses Tab until the focus is on the element with this handle, and answers what had it on the way.
    pub async fn tab_to(&self, handle: &str) -> Vec<String> {
        let mut passed = Vec::new();
        for _ in 0..200 {
            self.keys(Key::Tab + "").await;
            let focused = self.focused().await;
            if focused == handle {
                return passed;
            }
            passed.push(focused);
        }
        panic!("Tab does not reach {handle}; it passes {passed:?}");
    }

    /// The handle of what has the focus, or its name where it has no handle.
    pub async fn focused(&self) -> String {
        let script = "const e = document.activeElement; return e.dataset.testid ?? e.getAttribute('aria-label') ?? e.tagName";
        self.driver.execute(script, vec![]).await.expect("the page tells its focus").convert().expect("a handle is a text")
    }

    /// What an element with this handle says.
    pub async fn says(&self, handle: &str) -> String {
        self.at(handle).await.text().await.unwrap_or_else(|error| panic!("{handle} says nothing: {error}"))
    }

    /// Waits until the element with this handle is in this `data-state`.
    pub async fn reaches(&self, handle: &str, state: &str) {
        let started = Instant::now();
        loop {
            let now = self.at(handle).await.attr("data-state").await.ok().flatten().unwrap_or_default();
            if now == state {
                return;
            }
            assert!(started.elapsed() < SHOWS, "{handle} is {now:?} and does not become {state:?}; the page shows:\n{}", self.text().await);
            sleep(PAUSE).await;
        }
    }

    /// Runs a script in the page and answers what it gives. Never with a secret: the driver's messages pass through the
    /// process that is searched.
    pub async fn script<T: serde::de::DeserializeOwned>(&self, script: &str) -> T {
        let answer =
            self.driver.execute(script, vec![]).await.unwrap_or_else(|error| panic!("the page does not run {script:.120}: {error}"));
        answer.convert().unwrap_or_else(|error| panic!("the answer to {script:.120} is of another type: {error}"))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // A failed test has not closed its window. The session would ask the driver to, over a connection whose runtime
        // stands still in this very drop; ending the process group does it without asking.
        let _ = self.driver.clone().leak();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
    listener.local_addr().expect("a listener has an address").port()
}

async fn answers(port: u16) {
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(started.elapsed() < OPENS, "the drivers do not answer");
        sleep(Duration::from_millis(20)).await;
    }
}
