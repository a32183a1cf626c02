//! `cargo xtask`: the project's own tasks, from a fresh checkout to packages.
//!
//! Owns set-up and the order in which other programs run. It depends on no other crate, so that it compiles on a
//! machine that has nothing but Rust, and it must not know what the console does: it starts binaries for that.

mod bench;
mod failure;
mod frontend;
mod licences;
mod machine;
mod new_app;
mod package;
mod program;
mod project;
mod promises;
mod run;
mod standards;
mod tally;
mod test;

use std::{env, process::ExitCode};

use failure::Failure;
use machine::Consent;
use program::Program;
use project::Project;

const HELP: &str = "\
Usage: cargo xtask <command>

  run [--release] [--yes]    set up, build and open the console; without a display, scan the sandbox in the terminal
  test [--quick] [--yes]     set up and prove everything; --quick runs the unit tests alone
  bench [--release] [--yes]  measure the window with two hundred instances; nothing fails for being slow
  package [--try] [--yes]    make the .deb and the .rpm; --try installs, starts and removes the .deb
  new-app NAME               make catalog/NAME from the template and check that it loads
  catalog [ARGUMENTS]        what `posture catalog` prints; --check fails when an application leaves out too many checks
  licences                   write the list of packages of others that the window shows
  help                       this text

--yes installs missing system packages without asking, and so does CI=true.
Exit codes: 0 fine, 1 failed, 2 wrong usage.
";

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    Run { release: bool, yes: bool },
    Test { quick: bool, yes: bool },
    Package { try_it: bool, yes: bool },
    NewApp { name: String },
    Catalog { arguments: Vec<String> },
    Licences,
    Bench { release: bool, yes: bool },
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match parse(&arguments).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn perform(task: Task) -> Result<(), Failure> {
    let project = Project::here();
    match task {
        Task::Help => {
            print!("{HELP}");
            Ok(())
        }
        Task::Run { release, yes } => run::run(&project, Consent::of(yes), release),
        Task::Test { quick: true, yes } => test::run_quick(&project, Consent::of(yes)),
        Task::Test { quick: false, yes } => test::run(&project, Consent::of(yes)),
        Task::Package { try_it, yes } => package::run(&project, Consent::of(yes), try_it),
        Task::NewApp { name } => new_app::run(&project, &name),
        Task::Catalog { arguments } => Program::cargo(project.root())
            .args(["run", "--quiet", "-p", "posture-cli", "--bin", "posture", "--", "catalog"])
            .args(arguments)
            .run(),
        Task::Licences => licences::write(&project),
        Task::Bench { release, yes } => bench::run(&project, Consent::of(yes), release),
    }
}

fn parse(arguments: &[String]) -> Result<Task, Failure> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Task::Help);
    };
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Task::Help),
        "run" => options(command, rest, ["--release", "--yes"]).map(|[release, yes]| Task::Run { release, yes }),
        "test" => options(command, rest, ["--quick", "--yes"]).map(|[quick, yes]| Task::Test { quick, yes }),
        "package" => options(command, rest, ["--try", "--yes"]).map(|[try_it, yes]| Task::Package { try_it, yes }),
        "new-app" => match rest {
            [name] => Ok(Task::NewApp { name: name.clone() }),
            _ => Err(Failure::Usage("`new-app` takes one name.".into())),
        },
        "catalog" => Ok(Task::Catalog { arguments: rest.to_vec() }),
        "bench" => options(command, rest, ["--release", "--yes"]).map(|[release, yes]| Task::Bench { release, yes }),
        "licences" => options(command, rest, []).map(|[]| Task::Licences),
        other => Err(Failure::Usage(format!("There is no command {other:?}."))),
    }
}

/// Which of the known options stand in `rest`; anything else there is an error.
fn options<const N: usize>(command: &str, rest: &[String], known: [&str; N]) -> Result<[bool; N], Failure> {
    if let Some(stranger) = rest.iter().find(|option| !known.contains(&option.as_str())) {
        return Err(Failure::Usage(format!("`{command}` has no option {stranger:?}.")));
    }
    Ok(known.map(|name| rest.iter().any(|option| option == name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(line: &str) -> Result<Task, Failure> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn commands_are_read() {
        for (line, task) in [
            ("", Task::Help),
            ("--help", Task::Help),
            ("run", Task::Run { release: false, yes: false }),
            ("run --yes --release", Task::Run { release: true, yes: true }),
            ("test --quick", Task::Test { quick: true, yes: false }),
            ("package --try", Task::Package { try_it: true, yes: false }),
            ("new-app acme", Task::NewApp { name: "acme".into() }),
            ("catalog --json", Task::Catalog { arguments: vec!["--json".into()] }),
            ("licences", Task::Licences),
            ("bench --release", Task::Bench { release: true, yes: false }),
        ] {
            assert_eq!(parsed(line).unwrap(), task, "{line}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_as_wrong_usage() {
        for line in ["build", "run --fast", "test --quik", "new-app", "new-app a b", "package --release"] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn the_help_names_every_command() {
        for command in ["run", "test", "package", "new-app", "catalog"] {
            assert!(HELP.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
