//! One function per command.

mod activity;
mod attestation;
mod backup;
mod browse;
mod catalog;
mod changes;
mod compliance;
mod decide;
mod digest;
mod fleet;
mod instance;
mod inventory;
mod permissions;
mod sandbox;
mod schedule;

use crate::{
    arguments::{Arguments, Command, ProtectionChoice, SeverityChoice},
    print,
    secrets::{self, Wanted},
};
use clap::CommandFactory;
use console::{
    Console, Listener, Options, SecretString,
    screen::{Failure, Progress, Protection, Severity, SeverityCounts, StartState},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// How a command ended well.
pub enum Ending {
    Fine,
    FindingsAtOrAbove,
    ChainBroken,
}

/// How it ended otherwise.
pub enum Stop {
    Usage(String),
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

type Outcome = Result<Ending, Stop>;

/// What every command is given.
pub struct Terminal {
    console: Console,
    json: bool,
    passphrase_fd: Option<i32>,
    interrupted: Arc<AtomicBool>,
}

pub fn run(arguments: Arguments) -> Outcome {
    // These two need no engine at all.
    match &arguments.command {
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Arguments::command(), "posture", &mut std::io::stdout());
            return Ok(Ending::Fine);
        }
        Command::Man => return man(),
        Command::Apps
        | Command::Catalog { .. }
        | Command::Init { .. }
        | Command::Recover { .. }
        | Command::Instance(_)
        | Command::Scan { .. }
        | Command::Schedule { .. }
        | Command::Digest { .. }
        | Command::Mail { .. }
        | Command::Findings { .. }
        | Command::Changes(_)
        | Command::Export { .. }
        | Command::Rules { .. }
        | Command::Compliance(_)
        | Command::Accounts(_)
        | Command::Plugins(_)
        | Command::Identities(_)
        | Command::Review { .. }
        | Command::Thresholds { .. }
        | Command::Requests { .. }
        | Command::Activity { .. }
        | Command::Permissions { .. }
        | Command::Schema { .. }
        | Command::Attestation(_)
        | Command::Decide(_)
        | Command::Check(_)
        | Command::Sandbox(_)
        | Command::Backup { .. }
        | Command::Restore { .. }
        | Command::Erase { .. } => {}
    }
    let mut options = Options::for_this_user()?;
    if let Some(folder) = arguments.data_folder {
        options.data_folder = folder;
    }
    options.catalog_folder = arguments.catalog_folder.or(options.catalog_folder);
    let terminal = Terminal {
        console: Console::new(options)?,
        json: arguments.json,
        passphrase_fd: arguments.passphrase_fd,
        interrupted: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Stop::Failed(Failure {
            code: "E-THREADS".into(),
            sentence: format!("The program could not start its threads: {error}."),
            remedy: "Close other programs and try again.".into(),
            field: None,
        })
    })?;
    runtime.block_on(terminal.command(arguments.command))
}

fn man() -> Outcome {
    clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout()).map_err(|error| {
        Stop::Failed(Failure {
            code: "E-OUTPUT".into(),
            sentence: format!("The manual page could not be written: {error}."),
            remedy: "Check where the output goes.".into(),
            field: None,
        })
    })?;
    Ok(Ending::Fine)
}

impl Terminal {
    async fn command(self, command: Command) -> Outcome {
        match command {
            Command::Apps => self.apps().await,
            Command::Catalog { app, coverage, check } => self.catalog(app.as_deref(), coverage, check),
            Command::Init { protection } => self.init(protection).await,
            Command::Recover { protection, secret_stdin } => self.recover(protection, secret_stdin).await,
            Command::Instance(command) => self.instance(command).await,
            Command::Scan { due: true, .. } => self.scan_due().await,
            Command::Scan { instances, all, due: false, fail_on } => self.scan(instances, all, fail_on).await,
            Command::Schedule { instance, set } => self.schedule(instance.as_deref(), set.as_deref()).await,
            Command::Digest { day, html, send } => self.digest(day.as_deref(), html.as_deref(), send).await,
            Command::Mail { command } => self.mail(command).await,
            Command::Findings { filter, offset, limit, at: Some(day), fail_on, .. } => {
                self.findings_at(day, filter, offset, limit, fail_on).await
            }
            Command::Findings { filter, offset, limit, show, at: None, fail_on } => {
                self.findings(filter, offset, limit, show, fail_on).await
            }
            Command::Changes(arguments) => self.changes(arguments).await,
            Command::Export { filter, format, ocsf_version, lines, output } => {
                self.export(filter, format, (ocsf_version, lines), &output).await
            }
            Command::Rules { rule, sandbox } => self.rules(rule.as_deref(), sandbox).await,
            Command::Compliance(arguments) => self.compliance(arguments).await,
            Command::Accounts(arguments) => self.accounts(arguments).await,
            Command::Plugins(arguments) => self.plugins(arguments).await,
            Command::Identities(command) => self.identities(command).await,
            Command::Review { instance, plugin, undo } => self.review(&instance, &plugin, undo).await,
            Command::Thresholds { instance, dormant_days, expiring_days, rotation_days, unused_days } => {
                self.thresholds(&instance, [dormant_days, expiring_days, rotation_days, unused_days]).await
            }
            Command::Requests { instance, offset, limit } => self.requests(instance, offset, limit).await,
            Command::Activity { command, offset, limit } => self.activity(command, offset, limit).await,
            Command::Permissions { instance, now } => self.permissions(&instance, now).await,
            Command::Schema { instance } => self.schema(&instance).await,
            Command::Attestation(command) => self.attestation(command).await,
            Command::Decide(command) => self.decide(command).await,
            Command::Check(command) => self.check(command).await,
            Command::Sandbox(command) => self.sandbox(command).await,
            Command::Backup { output } => self.back_up(&output).await,
            Command::Restore { backup, yes } => self.restore(&backup, yes).await,
            Command::Erase { yes } => self.erase(yes).await,
            Command::Completions { .. } | Command::Man => Ok(Ending::Fine),
        }
    }

    /// Opens the database, asking for the passphrase where one protects it.
    async fn open(&self) -> Result<(), Stop> {
        match self.console.start().await?.state {
            StartState::Ready { .. } => Ok(()),
            StartState::Locked { .. } => {
                self.console.unlock(secrets::passphrase(self.passphrase_fd, false)?).await?;
                Ok(())
            }
            StartState::FirstStart => Err(Stop::Failed(Failure {
                code: "E-NOT-STARTED".into(),
                sentence: "There is no database yet.".into(),
                remedy: "Run `posture init`, or open the console once.".into(),
                field: None,
            })),
            StartState::Blocked { failure, .. } => Err(Stop::Failed(failure)),
        }
    }

    async fn recover(&self, choice: ProtectionChoice, from_stdin: bool) -> Outcome {
        let wanted = [Wanted { id: "recovery_key".into(), label: "Recovery key".into(), several_lines: false }];
        let Some((_, key)) = secrets::for_fields(&wanted, from_stdin)?.pop() else {
            return Err(Stop::Usage("no recovery key was given".into()));
        };
        let (protection, passphrase) = self.protection(choice)?;
        let start = self.console.recover(key, protection, passphrase).await?;
        if self.json {
            print::json(&start);
        } else {
            print::line(
                "The database is open and protected anew. Credentials whose keys are lost are entered again: see `posture instance list`.",
            );
        }
        Ok(Ending::Fine)
    }

    /// What is to hold the keys, with a new passphrase where it is one.
    fn protection(&self, choice: ProtectionChoice) -> Result<(Protection, Option<SecretString>), Stop> {
        Ok(match choice {
            ProtectionChoice::Keychain => (Protection::Keychain, None),
            ProtectionChoice::Passphrase => (Protection::Passphrase, Some(secrets::passphrase(self.passphrase_fd, true)?)),
        })
    }

    async fn init(&self, choice: ProtectionChoice) -> Outcome {
        if !matches!(self.console.start().await?.state, StartState::FirstStart) {
            return Err(Stop::Usage("a database exists already; nothing was changed".into()));
        }
        let (protection, passphrase) = self.protection(choice)?;
        let recovery = self.console.first_start(protection, passphrase).await?;
        if self.json {
            print::json(&recovery);
        } else {
            print::line("The database is ready. Its recovery key, shown this once:\n");
            print::line(&format!("  {}\n", recovery.groups.join("-")));
            print::line(
                "Keep it where this computer's loss does not take it along. It opens the database when the keychain or the passphrase is lost.",
            );
        }
        Ok(Ending::Fine)
    }

    /// Progress on standard error, unless JSON was asked for.
    fn listener(&self) -> Listener {
        if self.json { Arc::new(|_event: Progress| {}) } else { Arc::new(|event: Progress| print::progress(&event)) }
    }

    /// Stops every job at the first interrupt, and those that begin after it; what was read is kept.
    fn stop_on_interrupt(&self) {
        let (console, interrupted) = (self.console.clone(), Arc::clone(&self.interrupted));
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupted.store(true, Ordering::Relaxed);
                eprintln!("posture: stopping; what was read is kept to resume from");
                let mut jobs = console.watch_jobs();
                loop {
                    let running = jobs.borrow_and_update().clone();
                    running.iter().for_each(|job| console.cancel(&job.id));
                    if jobs.changed().await.is_err() {
                        return;
                    }
                }
            }
        });
    }

    /// Whether Ctrl-C was pressed since [`Terminal::stop_on_interrupt`].
    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// 3 when any finding is as bad as `fail_on` or worse.
fn ending(counts: &SeverityCounts, fail_on: Option<SeverityChoice>) -> Ending {
    let at_or_above = match fail_on {
        None => 0,
        Some(SeverityChoice::Critical) => counts.critical,
        Some(SeverityChoice::High) => counts.critical + counts.high,
        Some(SeverityChoice::Medium) => counts.critical + counts.high + counts.medium,
        Some(SeverityChoice::Low) => counts.critical + counts.high + counts.medium + counts.low,
        Some(SeverityChoice::Info) => counts.critical + counts.high + counts.medium + counts.low + counts.info,
    };
    if at_or_above > 0 { Ending::FindingsAtOrAbove } else { Ending::Fine }
}

fn severity(choice: SeverityChoice) -> Severity {
    match choice {
        SeverityChoice::Info => Severity::Info,
        SeverityChoice::Low => Severity::Low,
        SeverityChoice::Medium => Severity::Medium,
        SeverityChoice::High => Severity::High,
        SeverityChoice::Critical => Severity::Critical,
    }
}
