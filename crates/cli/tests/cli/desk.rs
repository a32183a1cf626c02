//! The program over a folder, with no vendor and no network.
use crate::stand::{PASSPHRASE, command_in, failure, run};

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

pub struct Desk {
    pub folder: tempfile::TempDir,
    /// What stands before all else that it is told.
    first: Vec<String>,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
        Self { folder, first: Vec::new() }
    }

    /// With these files in a catalog folder of the user's own.
    pub fn with_catalog(files: &[(&str, String)]) -> Self {
        let desk = Self::new();
        let own = desk.folder.path().join("own");
        for (path, text) in files {
            fs::create_dir_all(own.join(path).parent().unwrap()).unwrap();
            fs::write(own.join(path), text).unwrap();
        }
        Self { first: vec!["--catalog-folder".into(), own.display().to_string()], ..desk }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn path(&self, name: impl AsRef<Path>) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub fn posture(&self, arguments: &[&str]) -> Output {
        let all: Vec<&str> = self.first.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        run(command_in(self.folder.path(), &self.data(), &all), "")
    }

    pub fn text(&self, arguments: &[&str]) -> String {
        let output = self.posture(arguments);
        assert!(output.status.success(), "posture {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[&["--json"], arguments].concat())).unwrap()
    }

    /// The code with which this is refused.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.posture(&[&["--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "posture {arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        let failure = failure(&output);
        assert!(!failure["remedy"].as_str().unwrap().is_empty(), "{failure}");
        failure["code"].as_str().unwrap().to_owned()
    }
}
