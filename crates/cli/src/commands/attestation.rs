//! Manual checks: what is due, attesting, withdrawing, files, and checks of the administrator's own.

use super::{Ending, Outcome, Stop, Terminal, severity};
use crate::{
    arguments::{AddArguments, AnswerChoice, AttestationCommand, CheckCommand, CheckText, GiveArguments},
    print,
};
use console::screen::{
    AttestationAnswer, AttestationCounts, AttestationState, FileToAttach, ManualCheck, ManualInstance, NewAttestation, OwnCheckDraft,
    SandboxScope, Tile,
};
use std::io::{IsTerminal, Write};

impl Terminal {
    pub(super) async fn attestation(&self, command: AttestationCommand) -> Outcome {
        self.open().await?;
        match command {
            AttestationCommand::List { instance, sandbox } => self.list_attestations(instance, sandbox).await,
            AttestationCommand::Give(arguments) => self.give(arguments).await,
            AttestationCommand::Withdraw { attestation, reason } => {
                let check = self.console.withdraw_attestation(&attestation, &reason).await?;
                self.told(&check, "The attestation is withdrawn")
            }
            AttestationCommand::File { attestation, output } => self.file(&attestation, &output).await,
        }
    }

    async fn list_attestations(&self, instance: Option<String>, sandbox: bool) -> Outcome {
        let list = match instance {
            Some(text) => self.console.attestations(&self.console.find_instance(&text).await?).await?,
            None => self.console.attestations_due(if sandbox { SandboxScope::With } else { SandboxScope::Without }).await?,
        };
        if self.json {
            print::json(&list);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = list
            .rows
            .iter()
            .map(|row| {
                let current = row.current.as_ref();
                vec![
                    state(row.state).to_owned(),
                    print::severity(row.severity).to_owned(),
                    row.title.clone(),
                    row.instance_name.clone(),
                    current.map_or("–", |current| answer(current.answer)).to_owned(),
                    current.map_or_else(|| "–".to_owned(), |current| current.valid_until.clone()),
                    row.check.clone(),
                    current.map(|current| current.id.clone()).unwrap_or_default(),
                ]
            })
            .collect();
        print::table(&["STATE", "SEVERITY", "CHECK", "INSTANCE", "ATTESTED AS", "UNTIL", "CHECK ID", "ATTESTATION"], &rows);
        print::line(&counted(&list.counts));
        Ok(Ending::Fine)
    }

    async fn give(&self, arguments: GiveArguments) -> Outcome {
        let file = arguments.file.as_deref().map(|path| FileToAttach::read(path, &arguments.media_type)).transpose()?;
        let attestation = NewAttestation {
            instance: self.console.find_instance(&arguments.instance).await?,
            check: arguments.check,
            answer: match arguments.answer {
                AnswerChoice::Met => AttestationAnswer::Met,
                AnswerChoice::NotMet => AttestationAnswer::NotMet,
                AnswerChoice::NotApplicable => AttestationAnswer::NotApplicable,
            },
            who: arguments.who,
            note: arguments.note,
            valid_until: arguments.valid_until,
            remind_days: arguments.remind_days,
        };
        let check = self.console.attest(attestation, file).await?;
        self.told(&check, "Attested, not scanned")
    }

    async fn file(&self, attestation: &str, output: &str) -> Outcome {
        if output == "-" {
            // What somebody attached may hold the control sequences of a terminal.
            if std::io::stdout().is_terminal() {
                return Err(Stop::Usage("standard output is a terminal: give --output a file, or pipe it on".to_owned()));
            }
            let (_, content) = self.console.attestation_file(attestation).await?;
            // A closed pipe ends the program quietly, as for text.
            return match std::io::stdout().write_all(&content).and_then(|()| std::io::stdout().flush()) {
                Ok(()) => Ok(Ending::Fine),
                Err(_) => std::process::exit(0),
            };
        }
        let path = self.console.save_attestation_file(attestation, std::path::Path::new(output)).await?;
        if self.json {
            print::json(&serde_json::json!({ "path": path }));
        } else {
            print::line(&format!("The attached file is written to {}", print::plain(&path)));
        }
        Ok(Ending::Fine)
    }

    fn told(&self, check: &ManualCheck, what: &str) -> Outcome {
        if self.json {
            print::json(check);
        } else {
            let until = check.current.as_ref().map(|current| format!(", {} until {}", answer(current.answer), current.valid_until));
            print::line(&format!("{what}: {} is {}{}.", print::plain(&check.title), state(check.state), until.unwrap_or_default()));
            for attestation in check.history.iter().take(1) {
                print::line(&format!("  attestation {}, by {}", attestation.id, print::plain(&attestation.who)));
            }
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn check(&self, command: CheckCommand) -> Outcome {
        self.open().await?;
        match command {
            CheckCommand::List { instance } => self.list_checks(&instance).await,
            CheckCommand::Add { instance, text } => self.save_check(&instance, None, text).await,
            CheckCommand::Change { instance, check, text } => self.save_check(&instance, Some(check), text).await,
            CheckCommand::Remove { instance, check } => {
                let id = self.console.find_instance(&instance).await?;
                self.console.remove_own_check(&id, &check).await?;
                if self.json {
                    print::json(&serde_json::json!({ "removed": check }));
                } else {
                    print::line(&format!("{} is asked no more; what was attested of it stays.", print::plain(&check)));
                }
                Ok(Ending::Fine)
            }
        }
    }

    async fn list_checks(&self, instance: &str) -> Outcome {
        let checks = self.console.own_checks(&self.console.find_instance(instance).await?).await?;
        if self.json {
            print::json(&checks);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = checks
            .iter()
            .map(|check| vec![print::severity(check.severity).to_owned(), check.title.clone(), check.recommended.clone(), check.id.clone()])
            .collect();
        print::table(&["SEVERITY", "CHECK", "RECOMMENDED", "ID"], &rows);
        Ok(Ending::Fine)
    }

    async fn save_check(&self, instance: &str, id: Option<String>, text: CheckText) -> Outcome {
        let instance = self.console.find_instance(instance).await?;
        let draft = OwnCheckDraft {
            id,
            title: text.title,
            severity: severity(text.severity),
            why: text.why,
            steps: text.step,
            recommended: text.recommended,
        };
        let check = self.console.save_own_check(&instance, draft).await?;
        if self.json {
            print::json(&check);
        } else {
            print::line(&format!("{} is asked as {}.", print::plain(&check.title), check.id));
        }
        Ok(Ending::Fine)
    }

    /// Adds an instance of an application without login options.
    pub(super) async fn add_manual(&self, arguments: AddArguments, tile: &Tile) -> Outcome {
        if arguments.login.is_some() || !arguments.answer.is_empty() || arguments.ca.is_some() || arguments.secret_stdin {
            return Err(Stop::Usage(format!("nobody signs in to {}: it takes --name, --label, --owner and --set only", arguments.app)));
        }
        let mut request = ManualInstance {
            app: arguments.app,
            // An application of the catalog is its own product; one without checks stands for any.
            product: if tile.checks > 0 { tile.name.clone() } else { arguments.name.clone() },
            name: arguments.name,
            label: arguments.label,
            owner: arguments.owner,
            console_url: String::new(),
        };
        for (field, value) in arguments.set {
            match field.as_str() {
                "product" => request.product = value,
                "console_url" => request.console_url = value,
                _ => return Err(Stop::Usage(format!("{field} is not a field of {}; it has product, console_url", request.app))),
            }
        }
        let instance = self.console.add_manual_instance(request).await?;
        if self.json {
            print::json(&instance);
        } else {
            let next = match tile.checks {
                0 => "add checks with `posture check add`".to_owned(),
                1 => "its one check is attested; see `posture attestation list`".to_owned(),
                checks => format!("its {checks} checks are attested; see `posture attestation list`"),
            };
            print::line(&format!("{} is there. Nothing of it is scanned: {next}.", print::plain(&instance.name)));
        }
        Ok(Ending::Fine)
    }
}

fn state(state: AttestationState) -> &'static str {
    match state {
        AttestationState::Due => "due",
        AttestationState::Attested => "attested",
        AttestationState::DueSoon => "due soon",
        AttestationState::Expired => "expired, due again",
        AttestationState::Withdrawn => "withdrawn, due again",
    }
}

fn answer(answer: AttestationAnswer) -> &'static str {
    match answer {
        AttestationAnswer::Met => "met",
        AttestationAnswer::NotMet => "not met",
        AttestationAnswer::NotApplicable => "does not apply",
    }
}

fn counted(counts: &AttestationCounts) -> String {
    format!(
        "{} attested, {} of them due soon; {} due, {} of them again.",
        counts.attested + counts.due_soon,
        counts.due_soon,
        counts.due + counts.expired + counts.withdrawn,
        counts.expired + counts.withdrawn
    )
}
