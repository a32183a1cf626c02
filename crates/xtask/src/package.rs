//! Owns `cargo xtask package`: release binaries, what stands beside them, the .deb and the .rpm; and the trial of the .deb.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    failure::Failure,
    frontend,
    machine::{self, Consent, Need},
    program::Program,
    project::{self, Project},
};

/// The name of the installed package, which the bundler makes of the product's name.
const PACKAGE: &str = "posture-console";

/// Where the installed program keeps its database, below the home of its user.
const DATABASE: &str = ".local/share/posture-console/posture.db";

/// How long the installed window must stay open in the trial.
const WINDOW_STAYS: Duration = Duration::from_secs(6);

/// What `posture` prints for itself and where the bundler configuration (tauri.conf.json) looks for it below target/package.
const GENERATED: &[(&[&str], &str)] = &[
    (&["man"], "posture.1"),
    (&["completions", "bash"], "posture.bash"),
    (&["completions", "zsh"], "_posture"),
    (&["completions", "fish"], "posture.fish"),
];

/// Makes the packages; with `try_it` also installs, starts and removes the .deb.
pub fn run(project: &Project, consent: Consent, try_it: bool) -> Result<(), Failure> {
    if env::consts::OS != "linux" {
        return Err(Failure::Missing {
            what: "Packages are made for Linux alone (.deb and .rpm).".into(),
            remedy: "`cargo xtask run --release` builds and starts the console on this system.".into(),
        });
    }
    machine::prepare(project, if try_it { Need::Test } else { Need::Build }, consent)?;
    frontend::install(project, "ui")?;
    frontend::install(project, "packaging")?;
    frontend::build(project)?;
    release_build(project.root()).run()?;

    let posture = project.program("posture", true);
    for (arguments, file) in GENERATED {
        let text = Program::new(&posture, project.root()).args(*arguments).output()?;
        project::write(&project.path("target/package").join(file), text)?;
    }
    Program::new("gzip", project.root()).args(["-9", "-n", "-f", "target/package/posture.1"]).run()?;

    let bundles = project.target().join("release/bundle");
    // The bundler leaves older versions beside the new one; what is reported below is what this run made.
    for kind in ["deb", "rpm"] {
        match fs::remove_dir_all(bundles.join(kind)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::File { path: bundles.join(kind), source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Program::new("node", project.root())
        .args(["packaging/node_modules/@tauri-apps/cli/tauri.js", "bundle", "--bundles", "deb,rpm"])
        .run()?;
    let deb = only_file(&bundles.join("deb"), "deb")?;
    let rpm = only_file(&bundles.join("rpm"), "rpm")?;
    for path in [&deb, &rpm] {
        let bytes = fs::metadata(path).map_err(|source| Failure::File { path: path.clone(), source })?.len();
        println!("{}  {}", path.display(), mebibytes(bytes));
    }
    if try_it { trial(project, &deb) } else { Ok(()) }
}

/// Compiles what is released: with the OpenSSL of the lock file, whatever the environment says, so that a package neither
/// depends on the one of the machine that made it nor differs from machine to machine.
fn release_build(root: &Path) -> Program {
    Program::cargo(root).args(["build", "--release", "--workspace", "--bins"]).without_env("OPENSSL_NO_VENDOR")
}

/// Installs the package, starts both programs with an empty home, removes it, and looks for what it left behind.
fn trial(project: &Project, deb: &Path) -> Result<(), Failure> {
    let root = project.root();
    let superuser = |arguments: &[&str]| {
        let words = [machine::as_superuser(root), arguments.to_vec()].concat();
        Program::new(words[0], root).args(&words[1..])
    };
    superuser(&["dpkg", "--install"]).args([deb]).run()?;
    // Removed whatever the trial of the programs says, so that a failed trial leaves nothing installed.
    let installed = installed_files(root);
    let home = project.path("target/package/home");
    let works = try_programs(project, &home);
    superuser(&["dpkg", "--purge", PACKAGE]).run()?;
    let kept = home.join(DATABASE).is_file();
    let emptied = fs::remove_dir_all(&home).map_err(|source| Failure::File { path: home.clone(), source });
    let installed = installed?;
    works?;
    emptied?;
    if !kept {
        return Err(Failure::NotProved("Removing the package took the data along, which only `posture erase` may.".into()));
    }
    let left: Vec<String> = installed.iter().filter(|path| path.exists()).map(|path| path.display().to_string()).collect();
    if !left.is_empty() {
        return Err(Failure::NotProved(format!("Removing the package left {}.", left.join(", "))));
    }
    println!("Installed, started and removed: {} files, none left but the data of the user.", installed.len());
    Ok(())
}

/// The files, not the folders, that the package put on the system.
fn installed_files(root: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let list = Program::new("dpkg", root).args(["--listfiles", PACKAGE]).output()?;
    let files: BTreeSet<PathBuf> = String::from_utf8_lossy(&list).lines().map(PathBuf::from).filter(|path| !path.is_dir()).collect();
    for needed in ["/usr/bin/posture-console", "/usr/bin/posture", "/usr/share/man/man1/posture.1.gz"] {
        if !files.contains(Path::new(needed)) {
            return Err(Failure::NotProved(format!("The package does not hold {needed}.")));
        }
    }
    if !files.iter().any(|path| path.starts_with("/usr/share/applications")) {
        return Err(Failure::NotProved("The package holds no desktop entry.".into()));
    }
    Ok(files)
}

fn try_programs(project: &Project, home: &Path) -> Result<(), Failure> {
    fs::create_dir_all(home).map_err(|source| Failure::File { path: home.to_owned(), source })?;
    let at_home = |program: Program| {
        ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"]
            .iter()
            .fold(program.env("HOME", home), |program, name| program.without_env(name))
    };
    at_home(Program::new("/usr/bin/posture", project.root()).args(["apps"])).run()?;
    // Data, protected without a keychain, which a machine that makes packages need not have.
    let init = "/usr/bin/posture --passphrase-fd 3 init --protection passphrase 3<<<'of the trial of a package'";
    at_home(Program::new("bash", project.root()).args(["-c", init])).run()?;
    let window = at_home(Program::new("/usr/bin/posture-console", project.root())).inside(&[
        "dbus-run-session",
        "--",
        "xvfb-run",
        "-a",
        "-s",
        "-screen 0 1280x800x24",
    ]);
    stays_open(window)
}

/// Starts a window and closes it again; an error if it closed by itself before.
fn stays_open(window: Program) -> Result<(), Failure> {
    let mut command = window.into_command();
    let mut child = command.stdin(Stdio::null()).spawn().map_err(|source| Failure::NotStarted { line: PACKAGE.into(), source })?;
    let started = Instant::now();
    while started.elapsed() < WINDOW_STAYS {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(100)),
            Ok(Some(status)) => {
                return Err(Failure::Ended { line: PACKAGE.into(), status: format!("{status} before the window was closed") });
            }
            Err(source) => {
                return Err(Failure::NotStarted { line: PACKAGE.into(), source });
            }
        }
    }
    println!("The window stayed open for {} seconds.", WINDOW_STAYS.as_secs());
    close(&mut child)
}

/// Ends the session and what runs in it: the signal reaches the wrapper, whose end closes the display and the bus,
/// and with the display the window.
fn close(child: &mut Child) -> Result<(), Failure> {
    let failed = |source| Failure::NotStarted { line: "kill".into(), source };
    for descendant in descendants(child.id()) {
        let _ = Program::new("kill", Path::new("/")).args([descendant.to_string()]).answer();
    }
    child.kill().map_err(failed)?;
    child.wait().map_err(failed)?;
    Ok(())
}

/// The processes below `parent`, the deepest first. The kernel lists children by the thread that started them.
fn descendants(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for thread in threads {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
            found.extend(descendants(child));
            found.push(child);
        }
    }
    found
}

/// The one file with this ending in a folder.
fn only_file(folder: &Path, ending: &str) -> Result<PathBuf, Failure> {
    let failed = |source| Failure::File { path: folder.into(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        _ => Err(Failure::NotProved(format!("{} does not hold one .{ending}.", folder.display()))),
    }
}

fn mebibytes(bytes: u64) -> String {
    let tenths = (bytes * 10).div_ceil(1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_its_own_openssl_whatever_the_environment_says() {
        let command = release_build(Path::new("/")).into_command();
        assert!(command.get_envs().any(|(name, value)| name == "OPENSSL_NO_VENDOR" && value.is_none()));
    }

    #[test]
    fn sizes_are_rounded_up_to_a_tenth() {
        for (bytes, text) in [(0, "0.0 MiB"), (1, "0.1 MiB"), (1_048_576, "1.0 MiB"), (3_019_899, "2.9 MiB")] {
            assert_eq!(mebibytes(bytes), text);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_found_below_its_parent() -> std::io::Result<()> {
        let mut child = std::process::Command::new("sleep").arg("30").spawn()?;
        let below = descendants(std::process::id());
        let found = below.contains(&child.id());
        child.kill()?;
        child.wait()?;
        assert!(found, "{below:?}");
        Ok(())
    }
}
