//! Owns where the readers of standards lie that exports are held against: Python packages of other people's, below `target`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    program::Program,
    project::{self, Project},
};

/// Which packages, each with its version.
const LIST: &str = "tests/standards/requirements.txt";

/// The folder that the tests of exports look in.
fn folder(target: &Path) -> PathBuf {
    target.join("tools").join("standards")
}

/// Installs the packages, unless those of the present list are there.
pub fn install(project: &Project) -> Result<(), Failure> {
    let wanted = project::read(&project.path(LIST))?;
    let folder = folder(&project.target());
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    // What an older list brought would be found beside what this one brings.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|source| Failure::File { path: folder.clone(), source })?;
    }
    Program::new("python3", project.root()).args(pip_arguments()).args([&folder]).run().map_err(|failure| Failure::Missing {
        what: format!("The readers of OCSF and OSCAL could not be installed: {}", failure.to_string().lines().next().unwrap_or_default()),
        remedy: "They need Python 3.10 or newer with pip, and the package index; Debian calls them python3 and python3-pip.".into(),
    })?;
    project::write(&stamp, wanted)
}

/// What Python is asked for, up to the folder: the listed packages alone, none that would have to be compiled.
fn pip_arguments() -> [&'static str; 11] {
    [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--requirement",
        LIST,
        "--target",
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_package_is_pinned_and_nothing_else_is_asked_for() {
        let list = project::read(&Project::here().path(LIST)).unwrap();
        let packages: Vec<&str> = list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect();
        assert!(packages.iter().all(|package| package.split_once("==").is_some_and(|(_, version)| !version.is_empty())), "{packages:?}");
        for reader in ["py-ocsf-models", "compliance-trestle"] {
            assert!(packages.iter().any(|package| package.starts_with(reader)), "{reader}");
        }
        assert!(pip_arguments().contains(&"--no-deps") && pip_arguments().ends_with(&["--target"]));
    }
}
