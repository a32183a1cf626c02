//! Owns `cargo xtask new-app`: a folder of the catalog made from the template.

use std::{fs, path::Path};

use crate::{
    failure::Failure,
    program::Program,
    project::{self, Project},
};

/// What stands for the new name in the template's files.
const PLACEHOLDER: &str = "NAME";

/// Makes catalog/NAME from catalog/_template and checks that the catalog loads with it.
pub fn run(project: &Project, name: &str) -> Result<(), Failure> {
    check_name(name)?;
    let folder = project.path("catalog").join(name);
    if folder.exists() {
        return Err(Failure::Usage(format!("catalog/{name} is there already.")));
    }
    copy(&project.path("catalog/_template"), &folder, name)?;
    println!("catalog/{name} is made. The catalog is read with it:");
    let catalog = Program::cargo(project.root())
        .args(["run", "--quiet", "-p", "posture-cli", "--bin", "posture", "--", "catalog", "--json"])
        .output()?;
    // The slug as the command prints it, whatever the spacing of its JSON.
    let listed = String::from_utf8_lossy(&catalog).replace([' ', '\n'], "").contains(&format!("\"slug\":\"{name}\""));
    if !listed {
        return Err(Failure::NotProved(format!("`posture catalog --json` does not list {name}.")));
    }
    println!("It loads. Fill app.toml first; docs/adding-an-application.md leads through the files.");
    Ok(())
}

/// A name is a slug: lowercase words joined by hyphens.
fn check_name(name: &str) -> Result<(), Failure> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if name.split('-').all(word) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{name:?} is no name of an application: lowercase letters, digits and single hyphens make one, as in github-enterprise."
    )))
}

fn copy(from: &Path, to: &Path, name: &str) -> Result<(), Failure> {
    let failed = |source| Failure::File { path: from.into(), source };
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name().to_string_lossy().replace(PLACEHOLDER, name));
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &target, name)?;
        } else {
            project::write(&target, project::read(&entry.path())?.replace(PLACEHOLDER, name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_slugs() {
        for good in ["box", "github-enterprise", "aha-io", "office-365"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-", "Box", "a--b", "-a", "a-", "a b", "../x", "_template", "a/b", "é"] {
            assert_eq!(check_name(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn the_placeholder_is_replaced_in_contents_and_names() {
        let base = std::env::temp_dir().join(format!("xtask-new-app-{}", std::process::id()));
        project::write(&base.join("from/app.toml"), "slug = \"NAME\"\n").unwrap();
        project::write(&base.join("from/sandbox/clean/NAME.json"), "{}").unwrap();
        copy(&base.join("from"), &base.join("to"), "acme-desk").unwrap();
        assert_eq!(project::read(&base.join("to/app.toml")).unwrap(), "slug = \"acme-desk\"\n");
        assert!(base.join("to/sandbox/clean/acme-desk.json").exists());
        fs::remove_dir_all(base).unwrap();
    }
}
