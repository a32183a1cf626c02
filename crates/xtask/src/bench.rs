//! Owns `cargo xtask bench`: what is measured, beside what is aimed at. Nothing fails for being slow.

use crate::{
    failure::Failure,
    frontend,
    machine::{self, Consent, Need},
    program::Program,
    project::Project,
    test::{DISPLAY, install_tauri_driver},
};

/// What begins a line that states a measurement: name, figure and aim follow, divided by tabs.
const LINE: &str = "BENCH\t";

/// Measures the window with two hundred instances, whose first scans take some minutes.
pub fn run(project: &Project, consent: Consent, release: bool) -> Result<(), Failure> {
    machine::prepare(project, Need::Test, consent)?;
    frontend::install(project, "ui")?;
    frontend::build(project)?;
    let drivers = install_tauri_driver(project)?;
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    // The terminal's program, with which the instances are made.
    Program::cargo(project.root()).args(["build", "--workspace", "--bins"]).args(profile).run()?;
    let mut lines = Vec::new();
    Program::cargo(project.root())
        .args(["test", "--workspace", "--test", "window"])
        .args(profile)
        .args(["--", "--ignored", "--exact", "bench::two_hundred_instances", "--nocapture"])
        .env("PATH", drivers)
        .inside(DISPLAY)
        .stream(|line| lines.extend(line.split_once(LINE).map(|(_, line)| line.to_owned())))?;
    if lines.is_empty() {
        return Err(Failure::NotProved("Nothing was measured.".into()));
    }
    println!("\n{}", table(&lines));
    Ok(())
}

fn table(lines: &[String]) -> String {
    let rows = lines.iter().map(|line| {
        let mut parts = line.split('\t');
        let mut part = || parts.next().unwrap_or_default();
        format!("{:<48}  {:>10}  {}", part(), part(), part()).trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_figure_stands_beside_what_is_aimed_at() {
        let lines = ["Page\t42 ms\tat most 100 ms".to_owned(), "Rows\t200\t".to_owned()];
        let shown = table(&lines);
        assert_eq!(shown.split_whitespace().collect::<Vec<_>>(), ["Page", "42", "ms", "at", "most", "100", "ms", "Rows", "200"]);
        assert!(shown.lines().all(|line| line.len() == line.trim_end().len()));
    }
}
