//! Owns what the machine must have before anything is built: toolchains of a known age and system packages.

use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    program::Program,
    project::{self, Project},
};

/// The oldest Node that the frontend's build tool (Vite) runs on.
const OLDEST_NODE: Version = Version(20, 19, 0);

/// What the window is compiled against, and what OpenSSL's own build (inside SQLCipher) asks for.
const TO_BUILD: &[&str] = &["build-essential", "perl", "pkg-config", "libssl-dev", "libwebkit2gtk-4.1-dev", "libayatana-appindicator3-dev"];

/// A display, a WebDriver, a bus and a Secret Service, none of which a server or a container has; what makes a network and a disk
/// of a test's own; and what installs the readers of standards.
const TO_TEST: &[&str] = &[
    "xvfb",
    "xauth",
    "webkit2gtk-driver",
    "dbus",
    "gnome-keyring",
    "fonts-dejavu-core",
    "iproute2",
    "util-linux",
    "python3",
    "python3-pip",
];

/// What a task needs of the system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Compiling and starting the console.
    Build,
    /// That, and starting it on a display and a keychain of the test's own.
    Test,
}

impl Need {
    fn packages(self) -> Vec<&'static str> {
        match self {
            Need::Build => TO_BUILD.to_vec(),
            Need::Test => [TO_BUILD, TO_TEST].concat(),
        }
    }
}

/// How the question "install the missing packages?" is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Ask on the terminal.
    Ask,
    /// `--yes`, or `CI=true`.
    Given,
}

impl Consent {
    /// What `--yes` and the environment say.
    pub fn of(yes: bool) -> Consent {
        if yes || env::var("CI").is_ok_and(|value| value == "true") { Consent::Given } else { Consent::Ask }
    }
}

/// Makes the machine ready for `need`, or says what is missing.
pub fn prepare(project: &Project, need: Need, consent: Consent) -> Result<(), Failure> {
    check_cargo(project)?;
    check_node(project)?;
    if need == Need::Test {
        check_components(|tool| Program::cargo(project.root()).args([tool, "--version"]).answer())?;
    }
    match env::consts::OS {
        "linux" => install_packages(project.root(), need, consent),
        "macos" => check_macos(project.root()),
        "windows" => check_windows(project.root()),
        other => {
            println!("{other}: which system packages are needed is not known here; the build itself will tell.");
            Ok(())
        }
    }
}

/// Whether a window can be opened here.
pub fn has_display() -> bool {
    if env::consts::OS != "linux" {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The command that runs another one as the superuser: nothing when this process is that already.
pub fn as_superuser(folder: &Path) -> Vec<&'static str> {
    let id = Program::new("id", folder).args(["-u"]).answer();
    if id.is_some_and(|id| id.trim() == "0") { Vec::new() } else { vec!["sudo"] }
}

fn check_cargo(project: &Project) -> Result<(), Failure> {
    let manifest = project::read(&project.path("Cargo.toml"))?;
    let needed = rust_version(&manifest).ok_or_else(|| Failure::Missing {
        what: "Cargo.toml names no rust-version.".into(),
        remedy: "Write one under [workspace.package].".into(),
    })?;
    let found = Program::cargo(project.root()).args(["--version"]).answer().unwrap_or_default();
    at_least("Rust", &found, needed, "`rustup update stable` installs the current one (https://rustup.rs).")
}

fn check_node(project: &Project) -> Result<(), Failure> {
    let found = Program::new("node", project.root()).args(["--version"]).answer().unwrap_or_default();
    at_least("Node", &found, OLDEST_NODE, "https://nodejs.org offers current versions; npm comes with it.")
}

/// The parts of a Rust toolchain that a minimal one lacks: the subcommand of cargo, and what rustup calls it.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Clippy in the place of the compiler, as rustup lays it beside that.
///
/// # Errors
/// When the toolchain lacks it, or the compiler cannot be asked where it lies.
pub fn linter(folder: &Path) -> Result<PathBuf, Failure> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Program::new(compiler, folder).args(["--print", "sysroot"]).output()?;
    let linter = Path::new(String::from_utf8_lossy(&sysroot).trim()).join("bin").join(format!("clippy-driver{}", env::consts::EXE_SUFFIX));
    if linter.is_file() {
        return Ok(linter);
    }
    Err(Failure::Missing {
        what: format!("{} is not there.", linter.display()),
        remedy: "`rustup component add clippy` adds it; a toolchain of a distribution has it in a package of its own.".into(),
    })
}

/// `answer` gives what cargo answers to a subcommand's `--version`; without the component the answer is empty.
fn check_components(answer: impl Fn(&str) -> Option<String>) -> Result<(), Failure> {
    let there = |tool: &str| answer(tool).is_some_and(|answer| Version::first_in(&answer).is_some());
    let missing: Vec<&str> = COMPONENTS.iter().filter(|(tool, _)| !there(tool)).map(|(_, component)| *component).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Missing {
        what: format!("The Rust toolchain lacks {}.", missing.join(" and ")),
        remedy: format!("`rustup component add {}` adds what is missing.", missing.join(" ")),
    })
}

fn at_least(name: &str, answer: &str, needed: Version, remedy: &str) -> Result<(), Failure> {
    let what = match Version::first_in(answer) {
        Some(found) if found >= needed => return Ok(()),
        Some(found) => format!("{name} {found} is too old: the project needs {needed} or newer."),
        None => format!("{name} was not found: the project needs {needed} or newer."),
    };
    Err(Failure::Missing { what, remedy: remedy.into() })
}

fn install_packages(folder: &Path, need: Need, consent: Consent) -> Result<(), Failure> {
    let wanted = need.packages();
    let query = Program::new("dpkg-query", folder).args(["-W", "-f", "${Package} ${db:Status-Status}\\n"]).args(&wanted);
    let Some(answer) = query.answer() else {
        println!("This Linux does not use dpkg, so its packages are not checked. It needs what Debian calls {}.", wanted.join(", "));
        return Ok(());
    };
    let missing = not_installed(&wanted, &answer);
    if missing.is_empty() {
        return Ok(());
    }
    let prefix = as_superuser(folder);
    let with = |rest: &[&str]| -> Vec<String> { prefix.iter().chain(rest).map(ToString::to_string).collect() };
    let update = with(&["apt-get", "update"]);
    let install =
        [with(&["apt-get", "install", "-y", "--no-install-recommends"]), missing.iter().map(ToString::to_string).collect()].concat();
    let line = format!("{} && {}", update.join(" "), install.join(" "));
    println!("These system packages are missing: {}.\n  {line}", missing.join(", "));
    if consent == Consent::Ask && !confirmed("Run this now? [y/N] ") {
        return Err(Failure::Missing {
            what: format!("System packages are missing: {}.", missing.join(", ")),
            remedy: format!("Run `{line}`, or repeat the command with --yes."),
        });
    }
    for command in [update, install] {
        Program::new(&command[0], folder).args(&command[1..]).env("DEBIAN_FRONTEND", "noninteractive").run()?;
    }
    Ok(())
}

/// Asks on the terminal; without one the answer is no, so that nothing is installed unseen.
fn confirmed(question: &str) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    print!("{question}");
    let _ = io::stdout().flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn check_macos(folder: &Path) -> Result<(), Failure> {
    Program::new("xcode-select", folder).args(["-p"]).output().map(drop).map_err(|_| Failure::Missing {
        what: "Xcode's command line tools were not found.".into(),
        remedy: "`xcode-select --install` installs them.".into(),
    })
}

fn check_windows(folder: &Path) -> Result<(), Failure> {
    println!(
        "Windows: the build needs the C++ build tools of Visual Studio 2022 with a Windows SDK, and the WebView2 runtime, \
         which Windows 11 has and Windows 10 gets from https://developer.microsoft.com/microsoft-edge/webview2."
    );
    match Program::new("perl", folder).args(["--version"]).answer() {
        Some(_) => Ok(()),
        None => Err(Failure::Missing {
            what: "Perl was not found: the database's OpenSSL is compiled with it.".into(),
            remedy: "https://strawberryperl.com has it for Windows.".into(),
        }),
    }
}

/// The names in `wanted` that the answer of dpkg-query does not call installed.
fn not_installed<'a>(wanted: &[&'a str], answer: &str) -> Vec<&'a str> {
    wanted.iter().filter(|name| !answer.lines().any(|line| line == format!("{name} installed"))).copied().collect()
}

/// The `rust-version` that the workspace's Cargo.toml asks for.
fn rust_version(manifest: &str) -> Option<Version> {
    let line = manifest.lines().find(|line| line.starts_with("rust-version"))?;
    Version::first_in(line)
}

/// Major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// The first thing in a text that reads as `1.2` or `1.2.3`; what follows the numbers (`-nightly`) is not looked at.
    fn first_in(text: &str) -> Option<Version> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
            let mut numbers = word.split('.').map(str::parse::<u32>);
            let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            Some(Version(major, minor, numbers.next().and_then(Result::ok).unwrap_or(0)))
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)?;
        if self.2 > 0 { write!(f, ".{}", self.2) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_are_read_from_what_tools_print() {
        for (text, version) in [
            ("v20.19.2\n", Version(20, 19, 2)),
            ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", Version(1, 95, 0)),
            ("cargo 1.97.0-nightly (abc 2026-05-01)", Version(1, 97, 0)),
            ("rust-version = \"1.95\"", Version(1, 95, 0)),
        ] {
            assert_eq!(Version::first_in(text), Some(version), "{text}");
        }
        for text in ["", "node: command not found", "12", "."] {
            assert_eq!(Version::first_in(text), None, "{text}");
        }
    }

    #[test]
    fn an_old_tool_and_a_missing_one_are_told_apart() {
        assert!(at_least("Node", "v20.19.0", OLDEST_NODE, "").is_ok());
        assert!(at_least("Node", "v22.3.0", OLDEST_NODE, "").is_ok());
        let old = at_least("Node", "v20.9.0", OLDEST_NODE, "r").unwrap_err().to_string();
        assert_eq!(old, "Node 20.9 is too old: the project needs 20.19 or newer.\nr");
        let none = at_least("Node", "", OLDEST_NODE, "r").unwrap_err().to_string();
        assert_eq!(none, "Node was not found: the project needs 20.19 or newer.\nr");
    }

    #[test]
    fn a_minimal_toolchain_is_told_what_it_lacks() {
        let whole =
            |tool: &str| Some(if tool == "fmt" { "rustfmt 1.9.0-stable (f2d3ce0bd 2026-03-21)" } else { "clippy 0.1.95" }.to_owned());
        assert!(check_components(whole).is_ok());
        // Cargo says on standard error that there is no such command.
        let nothing = check_components(|_| Some(String::new())).unwrap_err().to_string();
        assert_eq!(nothing, "The Rust toolchain lacks rustfmt and clippy.\n`rustup component add rustfmt clippy` adds what is missing.");
        let one = check_components(|tool| whole(tool).filter(|_| tool == "fmt")).unwrap_err().to_string();
        assert_eq!(one, "The Rust toolchain lacks clippy.\n`rustup component add clippy` adds what is missing.");
    }

    #[test]
    fn only_an_installed_package_counts() {
        // dpkg-query leaves out what it never heard of, and keeps what was removed but not purged.
        let answer = "xvfb installed\nxauth config-files\ndbus-x11 installed\n";
        assert_eq!(not_installed(&["xvfb", "xauth", "dbus"], answer), ["xauth", "dbus"]);
    }

    #[test]
    fn the_workspace_says_which_rust_it_needs() {
        let manifest = "[workspace.package]\nedition = \"2024\"\nrust-version = \"1.95\"\n";
        assert_eq!(rust_version(manifest), Some(Version(1, 95, 0)));
        assert_eq!(rust_version("[package]\nname = \"x\"\n"), None);
    }
}
