//! Onboarding, listing, showing, testing, scanning and deleting instances.

use super::{Ending, Outcome, Stop, Terminal, ending};
use crate::{
    arguments::{AddArguments, InstanceCommand, SeverityChoice},
    print,
    secrets::{self, Wanted},
};
use console::screen::{
    AddInstance, Answer, CredentialEnd, DatasetState, EndsBy, Failure, FindingFilter, FindingQuery, FindingSort, FindingState, Health,
    Input, Instance, RouteChoice, SandboxScope, Slice,
};
use std::{io::Write, path::Path};

impl Terminal {
    pub(super) async fn instance(&self, command: InstanceCommand) -> Outcome {
        self.open().await?;
        match command {
            InstanceCommand::Add(arguments) => self.add(arguments).await,
            InstanceCommand::List { sandbox } => self.list(sandbox).await,
            InstanceCommand::Show { instance } => self.show(&instance).await,
            InstanceCommand::Test { instance } => self.test(&instance).await,
            InstanceCommand::Delete { instance, archive, yes } => self.delete(&instance, archive.as_deref(), yes).await,
        }
    }

    async fn add(&self, arguments: AddArguments) -> Outcome {
        let application = self.console.application(&arguments.app).await?;
        if application.logins.is_empty() {
            return self.add_manual(arguments, &application.tile).await;
        }
        let login = match &arguments.login {
            None => application.logins.first(),
            Some(id) => application.logins.iter().find(|login| login.id == *id),
        };
        let Some(login) = login else {
            let known: Vec<&str> = application.logins.iter().map(|login| login.id.as_str()).collect();
            return Err(Stop::Usage(format!("{} has these login options: {}", application.tile.name, known.join(", "))));
        };
        for (field, _) in &arguments.set {
            match login.fields.iter().find(|known| known.id == *field) {
                Some(known) if known.secret => {
                    return Err(Stop::Usage(format!(
                        "{} is a secret: leave --set {field} out; it is asked for, or read with --secret-stdin",
                        known.label
                    )));
                }
                Some(_) => {}
                None => {
                    let known: Vec<&str> = login.fields.iter().filter(|field| !field.secret).map(|field| field.id.as_str()).collect();
                    return Err(Stop::Usage(format!("{field} is not a field of this login option; it has {}", known.join(", "))));
                }
            }
        }
        let mut answers = Vec::new();
        for (name, value) in &arguments.answer {
            let Some((check, param)) = name.rsplit_once('.') else {
                return Err(Stop::Usage("write --answer as CHECK.PARAM=VALUE".into()));
            };
            answers.push(Answer { check: check.to_owned(), param: param.to_owned(), value: value.clone() });
        }
        let extra_roots_pem = match &arguments.ca {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|error| Failure {
                code: "E-CA-FILE".into(),
                sentence: format!("{} could not be read: {error}.", path.display()),
                remedy: "Give the path of a PEM file.".into(),
                field: None,
            })?,
        };
        let (proxy, proxy_url) = match arguments.proxy.as_str() {
            "system" | "environment" | "none" => (arguments.proxy.clone(), String::new()),
            url => ("manual".to_owned(), url.to_owned()),
        };
        let request = AddInstance {
            app: arguments.app,
            login: login.id.clone(),
            name: arguments.name,
            label: arguments.label,
            owner: arguments.owner,
            inputs: arguments.set.into_iter().map(|(field, value)| Input { field, value }).collect(),
            answers,
            route: RouteChoice { proxy, proxy_url, extra_roots_pem },
        };
        let fields: Vec<Wanted> = login
            .fields
            .iter()
            .filter(|field| field.secret && !field.optional)
            .map(|field| Wanted {
                id: field.id.clone(),
                label: field.label.clone(),
                several_lines: matches!(field.format.as_str(), "certificate_and_key" | "private_key" | "key_file"),
            })
            .collect();
        let draft = self.console.open_draft(&request.app, &request.login)?;
        for (field, value) in secrets::for_fields(&fields, arguments.secret_stdin)? {
            self.console.check_field(&draft, &field, value)?;
        }
        self.stop_on_interrupt();
        let added = self.console.connect(&draft, request, self.listener()).await;
        self.console.close_draft(&draft);
        let id = added?;
        let page = self.console.instance(&id).await?;
        if self.json {
            print::json(&page.instance);
        } else {
            print::line(&format!("{} is connected: {}", page.instance.name, summary(&page.instance)));
        }
        Ok(Ending::Fine)
    }

    async fn list(&self, sandbox: bool) -> Outcome {
        let instances = self.console.instances(if sandbox { SandboxScope::With } else { SandboxScope::Without }).await?;
        if self.json {
            print::json(&instances);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = instances
            .iter()
            .map(|instance| {
                let name = if instance.sandbox { format!("{} [sandbox]", instance.name) } else { instance.name.clone() };
                let health = format!("{:?}", instance.health);
                vec![
                    instance.app.clone(),
                    name,
                    health,
                    summary(instance),
                    instance.last_scan.clone().unwrap_or_else(|| "–".into()),
                    instance.credential.as_ref().map_or_else(|| "–".into(), |end| day(&end.at).to_owned()),
                    instance.id.clone(),
                ]
            })
            .collect();
        print::table(&["APPLICATION", "INSTANCE", "HEALTH", "SCORE AND OPEN FINDINGS", "LAST SCAN", "CREDENTIAL ENDS", "ID"], &rows);
        Ok(Ending::Fine)
    }

    async fn show(&self, instance: &str) -> Outcome {
        let id = self.console.find_instance(instance).await?;
        let page = self.console.instance(&id).await?;
        if self.json {
            print::json(&page);
            return Ok(Ending::Fine);
        }
        print::line(&format!("{} ({}): {}", print::plain(&page.instance.name), page.instance.app_name, summary(&page.instance)));
        if page.instance.health == Health::Manual {
            let product = page.inputs.iter().map(|input| print::plain(&input.value)).collect::<Vec<_>>().join(", ");
            print::line(&format!("  nobody signs in to it ({product}): see `posture attestation list --instance`"));
            return Ok(Ending::Fine);
        }
        print::line(&format!("  the credential may go to {}", page.hosts.join(", ")));
        if let Some(end) = &page.instance.credential {
            print::line(&format!("  {}", end_in_words(end, &page.instance.app_name)));
        }
        print::line("");
        print_datasets(&page.datasets);
        print::line("");
        let checks: Vec<Vec<String>> = page
            .checks
            .iter()
            .map(|check| {
                let cause = check.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default();
                vec![print::severity(check.severity).to_owned(), check.title.clone(), check.verdict.clone(), cause]
            })
            .collect();
        print::table(&["SEVERITY", "CHECK", "VERDICT", "CAUSE"], &checks);
        print::line("");
        let scans: Vec<Vec<String>> = page
            .scans
            .iter()
            .map(|scan| {
                let cause = scan.failure.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default();
                vec![scan.started_at.clone(), scan.state.clone(), scan.requests.to_string(), cause]
            })
            .collect();
        print::table(&["SCAN STARTED", "ENDED", "REQUESTS", "CAUSE"], &scans);
        Ok(Ending::Fine)
    }

    async fn test(&self, instance: &str) -> Outcome {
        let id = self.console.find_instance(instance).await?;
        let datasets = self.console.test_instance(&id, self.listener()).await?;
        if self.json {
            print::json(&datasets);
        } else {
            print_datasets(&datasets);
        }
        Ok(Ending::Fine)
    }

    async fn delete(&self, instance: &str, archive: Option<&Path>, yes: bool) -> Outcome {
        let id = self.console.find_instance(instance).await?;
        // By its row: an instance whose application is not in the catalog has no page.
        let rows = self.console.instances(SandboxScope::With).await?;
        let name = rows.into_iter().find(|row| row.id == id).map(|row| row.name).unwrap_or_default();
        if !yes {
            eprint!("Type the instance's name to delete it, its key and everything read with it ({}): ", print::plain(&name));
            let mut typed = String::new();
            if std::io::stderr().flush().is_err() || std::io::stdin().read_line(&mut typed).is_err() || typed.trim() != name {
                return Err(Stop::Usage("the name was not typed; nothing was deleted".into()));
            }
        }
        // Nothing goes before the file is complete.
        if let Some(archive) = archive {
            let kept = self.console.archive_instance(&id, archive).await?;
            eprintln!("posture: kept in {}, {} findings", print::plain(&kept.path), kept.findings);
        }
        let deleted = self.console.delete_instance(&id, &name).await?;
        if self.json {
            print::json(&deleted);
        } else {
            print::line(&format!("Deleted: its key, {} scans, {} rows, {} findings.", deleted.scans, deleted.rows, deleted.findings));
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn scan(&self, instances: Vec<String>, all: bool, fail_on: Option<SeverityChoice>) -> Outcome {
        self.open().await?;
        let mut ids = Vec::new();
        if all {
            // Those that nobody signs in to have nothing to scan.
            let scanned =
                self.console.instances(SandboxScope::Without).await?.into_iter().filter(|instance| instance.health != Health::Manual);
            ids.extend(scanned.map(|instance| instance.id));
        }
        for text in &instances {
            ids.push(self.console.find_instance(text).await?);
        }
        self.stop_on_interrupt();
        let mut outcomes = Vec::new();
        let mut first_failure = None;
        for id in &ids {
            if self.interrupted() {
                break;
            }
            // One that fails does not keep the others from being read.
            match self.console.scan(id, self.listener()).await {
                Ok(outcome) => outcomes.push(serde_json::json!({ "instance": id, "outcome": outcome })),
                Err(failure) => {
                    if !self.json {
                        print::failure(&failure, false);
                    }
                    outcomes.push(serde_json::json!({ "instance": id, "error": failure }));
                    first_failure.get_or_insert(failure);
                }
            }
        }
        let counts = self.open_counts(ids, SandboxScope::With).await?;
        if self.json {
            print::json(&outcomes);
        } else {
            print::line(&format!(
                "Open: {} critical, {} high, {} medium, {} low, {} info.",
                counts.critical, counts.high, counts.medium, counts.low, counts.info
            ));
        }
        match first_failure {
            Some(failure) => Err(Stop::Failed(failure)),
            None => Ok(ending(&counts, fail_on)),
        }
    }

    /// Open findings of these instances.
    pub(super) async fn open_counts(&self, instances: Vec<String>, sandbox: SandboxScope) -> Result<console::screen::SeverityCounts, Stop> {
        let filter = FindingFilter { instances, states: vec![FindingState::Open], sandbox, ..FindingFilter::default() };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: Slice { offset: 0, limit: 1 } };
        Ok(self.console.findings(query).await?.counts)
    }
}

pub(super) fn summary(instance: &Instance) -> String {
    let score = instance.score.map_or_else(
        || "no score yet".to_owned(),
        |score| {
            format!(
                "{} (passed {:.0} %, failed {:.0} %, not evaluated {:.0} %)",
                score.value,
                score.passed * 100.0,
                score.failed * 100.0,
                score.not_evaluated * 100.0
            )
        },
    );
    let open = instance.open;
    format!("{score}; {} critical, {} high, {} medium, {} low", open.critical, open.high, open.medium, open.low)
}

/// The day of a time.
fn day(at: &str) -> &str {
    at.split_once('T').map_or(at, |(day, _)| day)
}

/// When a credential ends, who says so, and what to do where it is time.
pub(super) fn end_in_words(end: &CredentialEnd, app_name: &str) -> String {
    let (day, ended) = (day(&end.at), end.days_left == 0);
    let left = if end.days_left == 1 { "1 day is left".to_owned() } else { format!("{} days are left", end.days_left) };
    let when = match (end.by, ended) {
        (EndsBy::Vendor, false) => format!("the credential ends on {day}, as {app_name} tells; {left}"),
        (EndsBy::Certificate, false) => format!("the certificate ends on {day}; {left}"),
        (EndsBy::Unused, false) => format!("the credential ends on {day} unless it is used before; {left}"),
        (EndsBy::Vendor, true) => format!("the credential ended on {day}, as {app_name} told"),
        (EndsBy::Certificate, true) => format!("the certificate ended on {day}"),
        (EndsBy::Unused, true) => format!("the credential ended on {day}, unless it was used elsewhere"),
    };
    let remedy = match (end.soon, end.by, ended) {
        (false, _, _) => "",
        (true, EndsBy::Unused, false) => ". Scan the instance, which uses it",
        (true, EndsBy::Vendor | EndsBy::Certificate, _) | (true, EndsBy::Unused, true) => ". Reauthenticate the instance with a new one",
    };
    format!("{when}{remedy}.")
}

pub(super) fn print_datasets(datasets: &[DatasetState]) {
    let rows: Vec<Vec<String>> = datasets
        .iter()
        .map(|dataset| {
            vec![
                dataset.title.clone(),
                dataset.state.clone(),
                dataset.needs.join(" or "),
                dataset.checks.to_string(),
                dataset.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default(),
            ]
        })
        .collect();
    print::table(&["DATASET", "RESULT", "ROLE IT NEEDS", "CHECKS", "CAUSE"], &rows);
}
