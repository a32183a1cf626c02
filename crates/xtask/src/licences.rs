//! Owns `cargo xtask licences`: which packages of others are part of the program, and under which licences.

use std::collections::BTreeSet;

use crate::{
    failure::Failure,
    program::Program,
    project::{self, Project},
};

/// Where the list lies; the window embeds it.
const LIST: &str = "src-tauri/licences.tsv";

/// What goes into the window's bundle, from the lock file and the packages' own descriptions. One that describes none but brings the
/// text of the MIT licence has that.
const OF_NPM: &str = r#"
const fs = require('fs');
const { packages } = require('./package-lock.json');
const text = (path) => (fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '');
for (const [path, { dev, version, license }] of Object.entries(packages)) {
  if (path === '' || dev) continue;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const said = license ?? require('./' + path + '/package.json').license ?? '';
  console.log([name, version, said || (text(path + '/LICENSE').startsWith('MIT License') ? 'MIT' : '')].join('\t'));
}
"#;

/// Writes the list anew.
pub fn write(project: &Project) -> Result<(), Failure> {
    project::write(&project.path(LIST), &list(project)?)?;
    println!("Wrote {LIST}.");
    Ok(())
}

/// An error unless the list says what the lock files say.
pub fn check(project: &Project) -> Result<(), Failure> {
    if project::read(&project.path(LIST))? == list(project)? {
        return Ok(());
    }
    Err(Failure::NotProved(format!("{LIST} does not say what the lock files say. `cargo xtask licences` writes it anew; commit it.")))
}

fn list(project: &Project) -> Result<String, Failure> {
    let mut lines = BTreeSet::new();
    let tree = Program::cargo(project.root())
        .args(["tree", "--workspace", "--edges", "normal", "--target", "all", "--prefix", "none", "--locked", "--format", "{p}\t{l}"])
        .output()?;
    for line in String::from_utf8_lossy(&tree).lines().filter(|line| !line.is_empty()) {
        lines.extend(of_cargo(line)?);
    }
    let npm = Program::new("node", &project.path("ui")).args(["-e", OF_NPM]).output()?;
    for line in String::from_utf8_lossy(&npm).lines() {
        lines.insert(whole(line)?);
    }
    let mut text: Vec<String> = lines.into_iter().collect();
    text.push(String::new());
    Ok(text.join("\n"))
}

/// `name vVERSION (more)<tab>LICENCE`, with a mark at what was printed before; nothing of the project's own crates.
fn of_cargo(line: &str) -> Result<Option<String>, Failure> {
    let (package, licence) = line.split_once('\t').unwrap_or((line, ""));
    let mut words = package.split(' ');
    let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().trim_start_matches('v'));
    // A path follows the version of a crate that lies in the workspace.
    if words.any(|word| word.starts_with("(/") || word.contains(":\\")) {
        return Ok(None);
    }
    whole(&format!("{name}\t{version}\t{}", licence.trim_end_matches(" (*)"))).map(Some)
}

/// The same line, if nothing is missing in it.
fn whole(line: &str) -> Result<String, Failure> {
    if line.split('\t').filter(|part| !part.is_empty()).count() == 3 {
        return Ok(line.to_owned());
    }
    Err(Failure::NotProved(format!("A package says no licence: {line:?}. Look it up, and do without it if it has none.")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{of_cargo, whole};

    #[test]
    fn a_package_has_name_version_and_licence() {
        assert_eq!(of_cargo("serde v1.0.229\tMIT OR Apache-2.0").unwrap().as_deref(), Some("serde\t1.0.229\tMIT OR Apache-2.0"));
        let again = of_cargo("serde_derive v1.0.229 (proc-macro)\tMIT (*)").unwrap();
        assert_eq!(again.as_deref(), Some("serde_derive\t1.0.229\tMIT"));
        assert_eq!(of_cargo("posture-store v0.1.0 (/src/crates/store)\tApache-2.0").unwrap(), None);
    }

    #[test]
    fn one_without_a_licence_is_an_error() {
        assert!(of_cargo("odd v0.1.0\t").is_err());
        assert!(whole("odd\t0.1.0\t").is_err());
    }
}
