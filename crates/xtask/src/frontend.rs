//! Owns when npm has work to do: packages are installed when a lock file changed, the window's files are built when
//! their sources changed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use crate::{
    failure::Failure,
    program::Program,
    project::{self, Project},
};

/// Installs the npm packages of a folder, unless those of its present lock file are there.
pub fn install(project: &Project, below: &str) -> Result<(), Failure> {
    let folder = project.path(below);
    let lock = folder.join("package-lock.json");
    if !lock.exists() {
        return Err(Failure::Missing {
            what: format!("{below}/package-lock.json is not there."),
            remedy: "It belongs to the checkout: `git status` shows what is missing from it.".into(),
        });
    }
    let wanted = project::read(&lock)?;
    let stamp = stamp(project, below, "packages");
    let there = folder.join("node_modules").exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted);
    if there {
        return Ok(());
    }
    Program::npm(&folder).args(["ci", "--no-audit", "--no-fund"]).run()?;
    project::write(&stamp, wanted)
}

/// Builds ui/dist when it is not what the sources give.
pub fn build(project: &Project) -> Result<(), Failure> {
    let folder = project.path("ui");
    let stamp = stamp(project, "ui", "build");
    let built = fs::read_to_string(&stamp).unwrap_or_default();
    // The output is part of the comparison: the window's build script writes a placeholder where there is none, and
    // that must not pass for a frontend.
    if !built.is_empty() && built == state(&folder)? {
        return Ok(());
    }
    Program::npm(&folder).args(["run", "build"]).run()?;
    project::write(&stamp, state(&folder)?)
}

fn stamp(project: &Project, below: &str, what: &str) -> PathBuf {
    project.target().join("xtask").join(format!("{}.{what}", below.replace('/', "-")))
}

/// One line per file of a folder (path, bytes, time of last change), sorted; what npm or the editor generates is left out.
fn state(folder: &Path) -> Result<String, Failure> {
    let mut lines = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        let failed = |source| Failure::File { path: current.clone(), source };
        for entry in fs::read_dir(&current).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let facts = entry.metadata().map_err(failed)?;
            let name = entry.file_name();
            if facts.is_dir() {
                if !["node_modules", ".svelte-kit", "dist-mock"].iter().any(|generated| name == *generated) {
                    open.push(entry.path());
                }
                continue;
            }
            let changed = facts.modified().map_err(failed)?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            let path = entry.path();
            lines.push(format!("{} {} {changed}", path.strip_prefix(folder).unwrap_or(&path).display(), facts.len()));
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{
        process,
        sync::atomic::{AtomicU32, Ordering},
    };

    /// A folder of the test's own, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Folder {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let path = std::env::temp_dir().join(format!("xtask-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
        fn write(&self, path: &str, content: &str) {
            project::write(&self.0.join(path), content).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_change_an_addition_and_a_removal_show() {
        let ui = Folder::new();
        ui.write("src/app.ts", "1");
        ui.write("dist/index.html", "built");
        let before = state(&ui.0).unwrap();
        assert_eq!(before, state(&ui.0).unwrap());
        ui.write("src/app.ts", "22");
        let changed = state(&ui.0).unwrap();
        assert_ne!(before, changed);
        ui.write("src/new.ts", "");
        assert_ne!(changed, state(&ui.0).unwrap());
        fs::remove_file(ui.0.join("src/new.ts")).unwrap();
        assert_eq!(changed, state(&ui.0).unwrap());
    }

    #[test]
    fn a_placeholder_in_place_of_the_output_shows() {
        let ui = Folder::new();
        ui.write("src/app.ts", "1");
        ui.write("dist/index.html", "the frontend");
        let built = state(&ui.0).unwrap();
        fs::remove_file(ui.0.join("dist/index.html")).unwrap();
        ui.write("dist/index.html", "a page that says what is missing");
        assert_ne!(built, state(&ui.0).unwrap());
    }

    #[test]
    fn what_npm_generates_does_not_count() {
        let ui = Folder::new();
        ui.write("src/app.ts", "1");
        let before = state(&ui.0).unwrap();
        ui.write("node_modules/x/index.js", "1");
        assert_eq!(before, state(&ui.0).unwrap());
    }

    #[test]
    fn a_missing_lock_file_is_a_failure() {
        let checkout = Folder::new();
        let failure = install(&Project::at(checkout.0.clone()), "ui").unwrap_err().to_string();
        assert!(failure.starts_with("ui/package-lock.json is not there."), "{failure}");
    }
}
