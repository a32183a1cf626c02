//! Owns `cargo xtask test`: the stages, what each counts, and the tables at the end.

use std::{
    env,
    fmt::Write,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    failure::Failure,
    frontend, licences,
    machine::{self, Consent, Need},
    program::Program,
    project::{self, Project},
    promises::{self, Ledger},
    standards,
    tally::Tally,
};

/// Starts a Secret Service with an unlocked keyring of its own inside the session bus, then what its arguments say.
/// Only the daemon gets the temporary home: cargo needs the real one.
const WITH_KEYRING: &str = r#"set -euo pipefail
keyring=$(mktemp -d)
trap 'rm -rf "$keyring"' EXIT
mkdir -p -m 700 "$keyring/data/keyrings" "$keyring/run"
printf test | HOME=$keyring XDG_DATA_HOME=$keyring/data XDG_RUNTIME_DIR=$keyring/run gnome-keyring-daemon --unlock --components=secrets >/dev/null
"$@"
"#;

/// A display as large as the console's standard window.
pub const DISPLAY: &[&str] = &["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", "dbus-run-session", "--"];

/// How the result of a stage is counted.
#[derive(Clone, Copy)]
enum Counts {
    /// One passed or failed step.
    Step,
    /// The tests that the runner reports; reporting none is a failure.
    Tests,
}

struct Stage {
    title: &'static str,
    counts: Counts,
    program: Program,
}

struct Outcome {
    title: &'static str,
    tally: Tally,
    took: Duration,
    remark: Option<String>,
}

/// Runs everything that proves the project.
pub fn run(project: &Project, consent: Consent) -> Result<(), Failure> {
    let started = Instant::now();
    machine::prepare(project, Need::Test, consent)?;
    frontend::install(project, "ui")?;
    frontend::install(project, "tests/recorded")?;
    frontend::install(project, "tests/identity")?;
    standards::install(project)?;
    licences::check(project)?;
    let drivers = install_tauri_driver(project)?;
    let promises = project.target().join("promises.tsv");
    project::write(&promises, "")?;
    let set_up = Outcome { title: "Set-up", tally: Tally { passed: 1, ..Tally::default() }, took: started.elapsed(), remark: None };

    let ui = project.path("ui");
    let npm = |script: &str| Program::npm(&ui).args(["run", script]);
    let linter = machine::linter(project.root())?;
    let cargo = |args: &[&str]| proving(project.root(), &promises, &linter).args(args);
    let stage = |title, counts, program| Stage { title, counts, program };
    // What looks at the frontend alone goes on beside the compiler, and is printed when it has ended.
    let frontend = vec![
        stage("Frontend: types", Counts::Step, npm("check")),
        stage("Frontend: lint", Counts::Step, npm("lint")),
        stage("Frontend: tests", Counts::Tests, npm("test")),
    ];
    let before = vec![
        stage("Format", Counts::Step, cargo(&["fmt", "--all", "--check"])),
        stage("Frontend: build", Counts::Step, npm("build")),
        stage("Compile and lint", Counts::Step, cargo(&["test", "--workspace", "--no-run"])),
        stage("Lint the window", Counts::Step, cargo(&["test", "--workspace", "--test", "window", "--no-run"])),
    ];
    // `--workspace` beside `--test` keeps the selection of features, so little is compiled a second time.
    let window = vec![stage(
        "Window",
        Counts::Tests,
        cargo(&["test", "--workspace", "--test", "window", "--", "--test-threads=1"]).env("PATH", drivers).inside(DISPLAY),
    )];
    let tests = vec![
        stage("Tests", Counts::Tests, cargo(&["test", "--workspace", "--no-fail-fast"])),
        stage(
            "Secret Service",
            Counts::Tests,
            cargo(&["test", "--workspace", "--test", "secret_service"]).inside(&[
                "dbus-run-session",
                "--",
                "bash",
                "-c",
                WITH_KEYRING,
                "bash",
            ]),
        ),
    ];
    let mut outcomes = vec![set_up];
    // What looks at the frontend alone goes on beside the compiler, and the window, which mostly waits, beside the tests.
    let looking = Beside::start("Frontend", frontend);
    outcomes.extend(before.into_iter().map(Stage::run));
    let driving = Beside::start("Window", window);
    outcomes.extend(tests.into_iter().map(Stage::run));
    outcomes.extend(looking.end());
    outcomes.extend(driving.end());

    let ledger = Ledger::read(&project::read(&promises)?);
    let mut total = sum(&outcomes);
    total.add(Tally { passed: ledger.kept_count(), failed: ledger.failures(), ignored: 0 });
    println!("\n{}\n{}", stage_table(&outcomes, started.elapsed()), ledger.table());
    conclude(total)
}

/// The variable that lets a person try the law on some applications alone.
const NARROWS: &str = "POSTURE_ONLY";

/// A cargo whose tests tell `promises` what they have shown, and show all of it: what narrows a test in the terminal of the
/// person who starts this would let a promise read as kept of which only a part was looked at. Where published answers lie
/// (`POSTURE_OKTA_PUBLISHED`) is passed on as it is.
///
/// The workspace's own crates are compiled by clippy, which is the compiler with more lints, and every warning is an error:
/// `cargo clippy` says the same, but reads all dependencies once more for it, which takes as long as everything else together.
fn proving(root: &Path, promises: &Path, linter: &Path) -> Program {
    Program::cargo(root)
        .env(promises::VARIABLE, promises)
        .without_env(NARROWS)
        .env("RUSTC_WORKSPACE_WRAPPER", linter)
        .env("CLIPPY_ARGS", WARNINGS_ARE_ERRORS)
}

/// As `cargo clippy -- -D warnings` hands it to its driver.
const WARNINGS_ARE_ERRORS: &str = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

/// Runs only what needs neither a display nor a keychain: the frontend's tests and the unit tests of the crates.
pub fn run_quick(project: &Project, consent: Consent) -> Result<(), Failure> {
    let started = Instant::now();
    machine::prepare(project, Need::Build, consent)?;
    frontend::install(project, "ui")?;
    let outcomes: Vec<Outcome> = [
        Stage { title: "Frontend: tests", counts: Counts::Tests, program: Program::npm(&project.path("ui")).args(["run", "test"]) },
        Stage {
            title: "Unit tests",
            counts: Counts::Tests,
            program: Program::cargo(project.root()).args(["test", "--workspace", "--lib", "--bins", "--no-fail-fast"]),
        },
    ]
    .into_iter()
    .map(Stage::run)
    .collect();
    println!("\n{}", stage_table(&outcomes, started.elapsed()));
    println!("The promises are not examined by --quick.");
    conclude(sum(&outcomes))
}

/// Prints the last line, which other programs read, and turns failures into the exit code.
fn conclude(total: Tally) -> Result<(), Failure> {
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 { Ok(()) } else { Err(Failure::NotProved("Not everything holds.".into())) }
}

/// Stages that run one after the other while others do; what they print is held back until they are waited for.
struct Beside {
    title: &'static str,
    running: JoinHandle<Vec<(Outcome, String)>>,
}

impl Beside {
    fn start(title: &'static str, stages: Vec<Stage>) -> Self {
        Self { title, running: thread::spawn(|| stages.into_iter().map(Stage::run_held).collect()) }
    }

    fn end(self) -> Vec<Outcome> {
        let Ok(ran) = self.running.join() else {
            let tally = Tally { failed: 1, ..Tally::default() };
            return vec![Outcome { title: self.title, tally, took: Duration::ZERO, remark: Some("it was not looked at".into()) }];
        };
        let show = |(outcome, text): (Outcome, String)| {
            println!("\n== {}\n{text}", outcome.title);
            outcome
        };
        ran.into_iter().map(show).collect()
    }
}

impl Stage {
    /// Runs without printing, and gives what is to be printed.
    fn run_held(self) -> (Outcome, String) {
        let started = Instant::now();
        let mut tally = Tally::default();
        let (text, ended) = self.program.held(|line| tally.see(line));
        let (tally, remark) = judge(self.counts, tally, ended);
        (Outcome { title: self.title, tally, took: started.elapsed(), remark }, text)
    }

    fn run(self) -> Outcome {
        println!("\n== {}", self.title);
        let started = Instant::now();
        let mut tally = Tally::default();
        let ended = self.program.stream(|line| tally.see(line));
        let (tally, remark) = judge(self.counts, tally, ended);
        Outcome { title: self.title, tally, took: started.elapsed(), remark }
    }
}

/// What a stage adds to the total. A runner that dies before it reports counts as one failure, and so does one that
/// ends well without having run a test.
fn judge(counts: Counts, seen: Tally, ended: Result<(), Failure>) -> (Tally, Option<String>) {
    let one_failed = |seen: Tally| Tally { failed: seen.failed.max(1), ..seen };
    match (counts, ended) {
        (Counts::Step, Ok(())) => (Tally { passed: 1, ..Tally::default() }, None),
        (Counts::Step, Err(failure)) => (one_failed(Tally::default()), first_line(&failure)),
        (Counts::Tests, Ok(())) if seen.passed + seen.failed == 0 => (one_failed(seen), Some("no test ran".into())),
        (Counts::Tests, Ok(())) => (seen, None),
        (Counts::Tests, Err(failure)) => (one_failed(seen), first_line(&failure)),
    }
}

fn first_line(failure: &Failure) -> Option<String> {
    failure.to_string().lines().next().map(str::to_string)
}

fn sum(outcomes: &[Outcome]) -> Tally {
    let mut total = Tally::default();
    for outcome in outcomes {
        total.add(outcome.tally);
    }
    total
}

fn stage_table(outcomes: &[Outcome], took: Duration) -> String {
    let mut table = format!("{:<16}  {:>6}  {:>6}  {:>7}  {:>7}\n", "Stage", "passed", "failed", "ignored", "seconds");
    for Outcome { title, tally, took, remark } in outcomes {
        let remark = remark.as_ref().map(|remark| format!("  {remark}")).unwrap_or_default();
        let _ =
            writeln!(table, "{title:<16}  {:>6}  {:>6}  {:>7}  {:>7}{remark}", tally.passed, tally.failed, tally.ignored, took.as_secs());
    }
    let total = sum(outcomes);
    let _ = writeln!(table, "{:<16}  {:>6}  {:>6}  {:>7}  {:>7}", "All", total.passed, total.failed, total.ignored, took.as_secs());
    table
}

/// The one that the window is driven with. Its own dependencies are those of the lock file that it is published with.
const TAURI_DRIVER: &str = "2.1.0";

/// Where that one lies, apart from any other: below `target`.
fn driver_folder(target: &Path) -> PathBuf {
    target.join("tools").join(format!("tauri-driver-{TAURI_DRIVER}"))
}

/// Builds tauri-driver once below target/ and gives the PATH that finds it.
pub fn install_tauri_driver(project: &Project) -> Result<std::ffi::OsString, Failure> {
    let tools = driver_folder(&project.target());
    let driver = tools.join("bin").join(format!("tauri-driver{}", env::consts::EXE_SUFFIX));
    if !driver.exists() {
        Program::cargo(project.root()).args(driver_arguments()).args([&tools]).run()?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools.join("bin")).chain(env::split_paths(&path));
    env::join_paths(folders).map_err(|_| Failure::Missing {
        what: format!("The path of the checkout cannot stand in PATH: {}.", project.root().display()),
        remedy: "Move the checkout to a folder whose path holds no list separator.".into(),
    })
}

/// What cargo is asked for, up to the folder.
fn driver_arguments() -> [String; 7] {
    ["install", "--debug", "tauri-driver", "--version", &format!("={TAURI_DRIVER}"), "--locked", "--root"].map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn what_narrows_a_test_does_not_reach_what_is_promised() {
        let command = proving(Path::new("/"), Path::new("/promises.tsv"), Path::new("/clippy-driver")).into_command();
        let set: Vec<_> = command.get_envs().collect();
        assert!(set.contains(&(OsStr::new(NARROWS), None)), "{set:?}");
        assert!(set.contains(&(OsStr::new(promises::VARIABLE), Some(OsStr::new("/promises.tsv")))), "{set:?}");
    }

    #[test]
    fn one_driver_is_asked_for_and_lies_apart_from_others() {
        assert!(driver_arguments().contains(&format!("={TAURI_DRIVER}")));
        assert!(driver_arguments().contains(&"--locked".to_owned()));
        assert_eq!(TAURI_DRIVER.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "all of its version is said");
        assert!(driver_folder(Path::new("/t")).to_string_lossy().contains(TAURI_DRIVER), "an older one is not taken for it");
    }

    fn died() -> Result<(), Failure> {
        Err(Failure::Ended { line: "cargo test".into(), status: "signal: 9".into() })
    }

    #[test]
    fn a_step_is_one() {
        let seen = Tally { passed: 7, failed: 0, ignored: 0 };
        assert_eq!(judge(Counts::Step, seen, Ok(())).0, Tally { passed: 1, failed: 0, ignored: 0 });
        assert_eq!(judge(Counts::Step, seen, died()).0, Tally { passed: 0, failed: 1, ignored: 0 });
    }

    #[test]
    fn a_runner_that_dies_silently_fails_once() {
        let seen = Tally { passed: 7, failed: 0, ignored: 0 };
        let (tally, remark) = judge(Counts::Tests, seen, died());
        assert_eq!(tally, Tally { passed: 7, failed: 1, ignored: 0 });
        assert_eq!(remark.as_deref(), Some("`cargo test` ended with signal: 9."));
    }

    #[test]
    fn failures_that_were_reported_are_not_counted_twice() {
        let seen = Tally { passed: 7, failed: 3, ignored: 0 };
        assert_eq!(judge(Counts::Tests, seen, died()).0, seen);
    }

    #[test]
    fn a_stage_without_a_test_fails() {
        let (tally, remark) = judge(Counts::Tests, Tally { passed: 0, failed: 0, ignored: 2 }, Ok(()));
        assert_eq!(tally.failed, 1);
        assert_eq!(remark.as_deref(), Some("no test ran"));
    }

    #[test]
    fn the_conclusion_decides_the_exit_code() {
        assert!(conclude(Tally { passed: 3, failed: 0, ignored: 0 }).is_ok());
        let failure = conclude(Tally { passed: 3, failed: 1, ignored: 0 });
        assert_eq!(failure.map_err(|failure| failure.exit_code()), Err(1));
    }
}
