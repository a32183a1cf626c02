//! Owns how other programs are started: shown first, streamed while they run, never through a shell.

use std::{
    env,
    ffi::OsStr,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use crate::failure::Failure;

/// A program about to be started.
pub struct Program {
    command: Command,
    line: String,
}

impl Program {
    /// A program by name or path, to run in `folder`.
    pub fn new(name: impl AsRef<OsStr>, folder: &Path) -> Program {
        let name = name.as_ref();
        let mut command = Command::new(name);
        command.current_dir(folder);
        Program { command, line: name.to_string_lossy().into_owned() }
    }

    /// The cargo that started this program.
    pub fn cargo(folder: &Path) -> Program {
        let mut program = Program::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), folder);
        program.line = "cargo".into();
        program
    }

    /// npm, which is a script on Windows.
    pub fn npm(folder: &Path) -> Program {
        let mut program = Program::new(if cfg!(windows) { "npm.cmd" } else { "npm" }, folder);
        program.line = "npm".into();
        program
    }

    /// Adds arguments.
    pub fn args<I>(mut self, args: I) -> Program
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        for arg in args {
            let arg = arg.as_ref();
            self.line.push(' ');
            let shown = arg.to_string_lossy();
            // A script handed to a shell would drown the line; its first word is enough to know it by.
            self.line.push_str(if shown.contains('\n') { "'…'" } else { &shown });
            self.command.arg(arg);
        }
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Removes a variable of the environment.
    pub fn without_env(mut self, name: &str) -> Program {
        self.command.env_remove(name);
        self
    }

    /// Starts this program inside another one (`xvfb-run`, `dbus-run-session`), given with its own arguments.
    pub fn inside<S: AsRef<OsStr>>(self, wrapper: &[S]) -> Program {
        let folder = self.command.get_current_dir().unwrap_or(Path::new(".")).to_path_buf();
        let mut outer = Program::new(&wrapper[0], &folder).args(&wrapper[1..]);
        outer.line = format!("{} {}", outer.line, self.line);
        outer.command.arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => outer.command.env(name, value),
                None => outer.command.env_remove(name),
            };
        }
        outer
    }

    /// Runs to the end with the terminal's own input and output; an error unless it ends well.
    pub fn run(mut self) -> Result<(), Failure> {
        println!("$ {}", self.line);
        let status = self.command.status().map_err(|source| self.not_started(source))?;
        self.ended(status)
    }

    /// Runs to the end and hands each line of standard output to `see` after printing it.
    pub fn stream(mut self, mut see: impl FnMut(&str)) -> Result<(), Failure> {
        println!("$ {}", self.line);
        self.command.stdout(Stdio::piped());
        let mut child = self.command.spawn().map_err(|source| self.not_started(source))?;
        if let Some(output) = child.stdout.take() {
            let mut output = BufReader::new(output);
            let mut bytes = Vec::new();
            // A test may print bytes that are no UTF-8: what cannot be read as text is shown as such, not fatal.
            while output.read_until(b'\n', &mut bytes).map_err(|source| self.not_started(source))? > 0 {
                let text = String::from_utf8_lossy(&bytes);
                print!("{text}");
                let _ = io::stdout().flush();
                see(text.trim_end_matches(['\n', '\r']));
                bytes.clear();
            }
        }
        let status = child.wait().map_err(|source| self.not_started(source))?;
        self.ended(status)
    }

    /// Runs to the end without printing anything, hands each line of standard output to `see`, and gives everything that was
    /// written, to be printed when nothing else is.
    pub fn held(mut self, mut see: impl FnMut(&str)) -> (String, Result<(), Failure>) {
        let mut held = format!("$ {}\n", self.line);
        match self.command.stdin(Stdio::null()).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                text.lines().for_each(&mut see);
                held.push_str(&text);
                held.push_str(&String::from_utf8_lossy(&output.stderr));
                (held, self.ended(output.status))
            }
            Err(source) => (held, Err(self.not_started(source))),
        }
    }

    /// Runs quietly and gives standard output; an error unless it ends well.
    pub fn output(mut self) -> Result<Vec<u8>, Failure> {
        let output =
            self.command.stderr(Stdio::inherit()).output().map_err(|source| Failure::NotStarted { line: self.line.clone(), source })?;
        self.ended(output.status)?;
        Ok(output.stdout)
    }

    /// Runs quietly and gives standard output as text whatever the exit status; `None` if it cannot be started.
    pub fn answer(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Gives the command itself, to be spawned by the caller.
    pub fn into_command(self) -> Command {
        println!("$ {}", self.line);
        self.command
    }

    fn not_started(&self, source: io::Error) -> Failure {
        Failure::NotStarted { line: self.line.clone(), source }
    }

    fn ended(&self, status: ExitStatus) -> Result<(), Failure> {
        if status.success() {
            return Ok(());
        }
        Err(Failure::Ended { line: self.line.clone(), status: status.to_string() })
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("sh", Path::new("/")).args(["-c", script])
    }

    #[test]
    fn lines_are_seen_as_they_come_even_when_they_are_no_text() {
        let mut lines = Vec::new();
        shell(r"printf 'one\r\ntwo \377\nlast'").stream(|line| lines.push(line.to_string())).unwrap();
        assert_eq!(lines, ["one", "two \u{fffd}", "last"]);
    }

    #[test]
    fn an_exit_status_is_an_error_after_the_output_was_seen() {
        let mut lines = 0;
        let failure = shell("echo said; exit 3").stream(|_| lines += 1).unwrap_err();
        assert_eq!(lines, 1);
        assert!(failure.to_string().starts_with("`sh -c echo said; exit 3` ended with exit status: 3."), "{failure}");
    }

    #[test]
    fn a_program_inside_another_keeps_arguments_environment_and_folder() {
        let inner = shell("echo \"$0|$1|$GIVEN|${GONE-none}|$PWD\"").args(["a b", "c"]).env("GIVEN", "yes").without_env("GONE");
        let said = inner.inside(&["env", "GIVEN_OUTSIDE=1"]).output().unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), "a b|c|yes|none|/\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = Program::new("no-such-program", Path::new("/")).args(["--help"]).run().unwrap_err();
        assert!(failure.to_string().starts_with("`no-such-program --help` could not be started"), "{failure}");
        assert_eq!(Program::new("no-such-program", Path::new("/")).answer(), None);
    }
}
