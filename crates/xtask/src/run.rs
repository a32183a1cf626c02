//! Owns `cargo xtask run`: from a fresh checkout to the open console.

use crate::{
    failure::Failure,
    frontend,
    machine::{self, Consent, Need},
    program::Program,
    project::Project,
};

/// Sets up, builds and starts the console; without a display the sandbox scan runs in the terminal instead.
pub fn run(project: &Project, consent: Consent, release: bool) -> Result<(), Failure> {
    machine::prepare(project, Need::Build, consent)?;
    frontend::install(project, "ui")?;
    frontend::build(project)?;
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    // The same selection as `cargo test --workspace`, so that the two share what they compile.
    Program::cargo(project.root()).args(["build", "--workspace", "--bins"]).args(profile).run()?;
    if machine::has_display() {
        return Program::new(project.program("posture-console", release), project.root()).run();
    }
    println!("There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.");
    println!("The sandbox scan runs in the terminal instead.");
    Program::new(project.program("posture", release), project.root()).args(["sandbox", "scan"]).run()
}
