//! A desktop of the test's own: an empty home, a session bus and, when wanted, an unlocked Secret Service.
//!
//! Each test has one, because the console runs once per session bus, and because nothing may pass from test to test.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a daemon may take to answer.
const DAEMON_ANSWERS: Duration = Duration::from_secs(10);

/// What keeps secrets on this desktop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keychain {
    /// A Secret Service with an unlocked keyring.
    Unlocked,
    /// No session bus, so no Secret Service can be reached.
    Absent,
}

/// Which colours the desktop asks programs to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// The light theme.
    Light,
    /// The dark theme.
    Dark,
}

impl Colours {
    /// As the page calls its theme.
    pub fn name(self) -> &'static str {
        match self {
            Colours::Light => "light",
            Colours::Dark => "dark",
        }
    }
}

/// An empty home with its daemons, which end with it.
pub struct Desktop {
    // Fields are dropped in this order: the daemons end before their folder goes.
    _keyring: Option<Group>,
    _bus: Option<Group>,
    home: PathBuf,
    _folder: Option<TempDir>,
    colours: Colours,
}

impl Desktop {
    /// Starts a desktop.
    pub fn start(keychain: Keychain, colours: Colours) -> Desktop {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let home = folder.path().to_path_buf();
        for folder in ["data/keyrings", "config", "cache", "state", "run"] {
            fs::create_dir_all(home.join(folder)).expect("a folder can be made in the temporary home");
        }
        fs::set_permissions(home.join("run"), fs::Permissions::from_mode(0o700)).expect("the run folder can be made private");
        let mut desktop = Desktop { _keyring: None, _bus: None, home, _folder: Some(folder), colours };
        if keychain == Keychain::Unlocked {
            desktop._bus = Some(desktop.start_bus());
            desktop._keyring = Some(desktop.start_keyring());
        }
        desktop
    }

    /// A desktop that another process started and keeps.
    pub fn visit(home: PathBuf, colours: Colours) -> Desktop {
        Desktop { _keyring: None, _bus: None, home, _folder: None, colours }
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The console's data folder.
    pub fn data(&self) -> PathBuf {
        self.home().join("data/posture-console")
    }

    /// The environment of every program on this desktop.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let below = |folder: &str| self.home().join(folder).into_os_string();
        vec![
            ("HOME", self.home().as_os_str().to_owned()),
            ("XDG_DATA_HOME", below("data")),
            ("XDG_CONFIG_HOME", below("config")),
            ("XDG_CACHE_HOME", below("cache")),
            ("XDG_STATE_HOME", below("state")),
            ("XDG_RUNTIME_DIR", below("run")),
            ("DBUS_SESSION_BUS_ADDRESS", self.bus_address().into()),
            ("GTK_THEME", if self.colours == Colours::Dark { "Adwaita:dark" } else { "Adwaita" }.into()),
            // The accessibility bus would be one more daemon; WebDriver does not go through it.
            ("NO_AT_BRIDGE", "1".into()),
            ("LANG", "C.UTF-8".into()),
            // Early afternoon wherever it runs, so that no schedule is due in the middle of a test.
            ("TZ", early_afternoon().into()),
        ]
    }

    /// A command on this desktop.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command
    }

    /// Every file below the home folder, with its content.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut open = vec![self.home().to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let kind = entry.file_type().expect("a folder's entry has a type");
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() {
                    // A file may vanish between the listing and the reading (a journal, a lock): then it holds nothing.
                    if let Ok(content) = fs::read(entry.path()) {
                        files.push((entry.path(), content));
                    }
                }
            }
        }
        files
    }

    /// Where its session bus is spoken to.
    pub fn bus_address(&self) -> String {
        format!("unix:path={}", self.home().join("run/bus").display())
    }

    fn start_bus(&self) -> Group {
        let mut command = self.command("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]).arg(format!("--address={}", self.bus_address()));
        let mut bus = Group::start(&mut command, "dbus-daemon");
        let mut address = String::new();
        let output = bus.child.stdout.take().expect("the bus's output is a pipe");
        BufReader::new(output).read_line(&mut address).expect("the bus prints its address");
        assert!(address.starts_with("unix:path="), "the session bus did not start; it printed {address:?}");
        bus
    }

    fn start_keyring(&self) -> Group {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        let mut keyring = Group::start(&mut command, "gnome-keyring-daemon");
        let mut password = keyring.child.stdin.take().expect("the keyring's input is a pipe");
        password.write_all(b"test").expect("the keyring takes its password");
        drop(password);
        let started = Instant::now();
        while !self.default_keyring_is_unlocked() {
            assert!(started.elapsed() < DAEMON_ANSWERS, "the Secret Service did not offer an unlocked keyring in time");
            thread::sleep(Duration::from_millis(20));
        }
        keyring
    }

    fn default_keyring_is_unlocked(&self) -> bool {
        // Asking the service itself would make the bus start a second, locked one; so its name is asked for first.
        let bus = "org.freedesktop.DBus";
        self.bus_says(bus, "/", &["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"], "boolean true")
            && self.bus_says(
                "org.freedesktop.secrets",
                "/org/freedesktop/secrets/aliases/default",
                &["org.freedesktop.DBus.Properties.Get", "string:org.freedesktop.Secret.Collection", "string:Locked"],
                "boolean false",
            )
    }

    fn bus_says(&self, to: &str, object: &str, call: &[&str], answer: &str) -> bool {
        let mut command = self.command("dbus-send");
        command.args(["--session", "--print-reply"]).arg(format!("--dest={to}")).arg(object).args(call);
        let reply = command.output().expect("dbus-send is installed (package dbus)");
        String::from_utf8_lossy(&reply.stdout).contains(answer)
    }
}

/// A time zone in which it is between one and two in the afternoon.
fn early_afternoon() -> String {
    let hour = i32::from(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour());
    // In POSIX what is east of Greenwich is negative.
    format!("<test>{}", hour - 13)
}

/// A program with everything it starts, ended together: a driver that fails must not leave a window behind.
pub struct Group {
    child: Child,
}

impl Group {
    /// Starts a program at the head of a process group of its own. It also ends with the thread that starts it, so that
    /// a test run cut short leaves no daemon.
    pub fn start(command: &mut Command, name: &str) -> Group {
        let mut tied = Command::new("setpriv");
        tied.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => tied.env(name, value),
                None => tied.env_remove(name),
            };
        }
        tied.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = tied.process_group(0).spawn().unwrap_or_else(|error| panic!("{name} did not start: {error}"));
        Group { child }
    }

    /// The group's id, which is the process id of its first program.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.id());
        let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("-TERM");
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        self.signal("-KILL");
        let _ = self.child.wait();
    }
}
