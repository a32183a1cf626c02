//! Owns where things lie in the checkout.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// The checkout that the task works in.
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout that this program was built from.
    pub fn here() -> Project {
        // Cargo sets the variable when it runs the program; the compiled-in value serves a binary started by hand.
        let own = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        Project::at(own.ancestors().nth(2).unwrap_or(&own).to_path_buf())
    }

    /// A checkout at `root`.
    pub fn at(root: PathBuf) -> Project {
        Project { root }
    }

    /// The folder that holds the workspace's Cargo.toml.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// Cargo's target folder, wherever the environment puts it.
    pub fn target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(elsewhere) => self.root.join(elsewhere),
            None => self.root.join("target"),
        }
    }

    /// The path of a built program.
    pub fn program(&self, name: &str, release: bool) -> PathBuf {
        self.target().join(if release { "release" } else { "debug" }).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

/// Reads a text file.
pub fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| Failure::File { path: path.into(), source })
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| Failure::File { path: folder.into(), source })?;
    }
    fs::write(path, content).map_err(|source| Failure::File { path: path.into(), source })
}
