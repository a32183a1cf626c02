//! Rules and frameworks.

use super::{Ending, Outcome, Stop, Terminal};
use crate::{arguments::ComplianceArguments, print};
use console::screen::{CheckOutcome, ComplianceFormat, OutcomeCounts, RuleCheck, RuleStatus, SandboxScope, UnreadableInstance};

impl Terminal {
    pub(super) async fn rules(&self, rule: Option<&str>, sandbox: bool) -> Outcome {
        self.open().await?;
        let scope = scope(sandbox);
        if let Some(id) = rule {
            let page = self.console.rule(scope, id).await?;
            if self.json {
                print::json(&page);
            } else {
                print::line(&format!("{} {}: {}{}", page.rule.id, page.rule.title, status(page.rule.status), mark(page.sandbox)));
                print::line(&format!("  {}", page.rule.asks));
                checks(&page.checks);
            }
            return Ok(Ending::Fine);
        }
        let list = self.console.rules(scope).await?;
        if self.json {
            print::json(&list);
        } else {
            let rows: Vec<Vec<String>> = list
                .rows
                .iter()
                .map(|row| {
                    let mut cells = vec![row.id.clone(), row.title.clone(), status(row.status).to_owned()];
                    cells.extend(numbers(row.checks, row.instances, &row.counts));
                    cells
                })
                .collect();
            let mut head = vec!["RULE", "TITLE", "STATUS"];
            head.extend(NUMBERS);
            print::table(&head, &rows);
            foot(list.instances, list.sandbox, &list.unreadable);
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn compliance(&self, arguments: ComplianceArguments) -> Outcome {
        self.open().await?;
        let scope = scope(arguments.sandbox);
        let Some(framework) = arguments.framework else {
            let list = self.console.compliance(scope).await?;
            if self.json {
                print::json(&list);
            } else {
                for row in &list.rows {
                    print::line(&format!("{} ({})", row.title, row.id));
                    print::line(&format!("  {}", row.sentence));
                    let statuses = &row.statuses;
                    print::line(&format!(
                        "  {} failed, {} not evaluated, {} passed, {} attested, {} not applicable",
                        statuses.failed, statuses.not_evaluated, statuses.passed, statuses.attested, statuses.not_applicable
                    ));
                }
                foot(list.instances, list.sandbox, &list.unreadable);
            }
            return Ok(Ending::Fine);
        };
        let file = match (arguments.csv, arguments.html) {
            (Some(file), _) => Some((file, ComplianceFormat::Csv)),
            (None, Some(file)) => Some((file, ComplianceFormat::Html)),
            (None, None) => None,
        };
        if let Some((file, format)) = file {
            return self.write_framework(scope, &framework, format, &file).await;
        }
        if let Some(control) = arguments.control {
            let page = self.console.framework_control(scope, &framework, &control).await?;
            if self.json {
                print::json(&page);
            } else {
                let (control, name) = (&page.control, &page.framework_name);
                print::line(&format!("{name} {} {}: {}{}", control.id, control.title, status(control.status), mark(page.sandbox)));
                print::line(&format!("  {}", control.sentence));
                checks(&page.checks);
            }
            return Ok(Ending::Fine);
        }
        let page = self.console.framework(scope, &framework).await?;
        if self.json {
            print::json(&page);
            return Ok(Ending::Fine);
        }
        let touched = page.controls.iter().filter(|control| control.checks > 0);
        let rows: Vec<Vec<String>> = touched
            .map(|row| {
                let mut cells = vec![row.id.clone(), row.title.clone(), status(row.status).to_owned()];
                cells.extend(numbers(row.checks, row.instances, &row.counts));
                cells
            })
            .collect();
        let mut head = vec!["CONTROL", "TITLE", "STATUS"];
        head.extend(NUMBERS);
        print::table(&head, &rows);
        print::line(&page.framework.sentence);
        print::line(&page.note);
        print::line("Checks cover a part of each control: that all of them passed makes nothing compliant.");
        foot(page.instances, page.sandbox, &page.unreadable);
        Ok(Ending::Fine)
    }

    async fn write_framework(&self, scope: SandboxScope, framework: &str, format: ComplianceFormat, file: &str) -> Outcome {
        if file == "-" {
            if self.json {
                return Err(Stop::Usage("--json and a file on standard output cannot go together".to_owned()));
            }
            self.console.export_framework_to(scope, framework, format, Box::new(std::io::stdout())).await?;
            return Ok(Ending::Fine);
        }
        let written = self.console.export_framework(scope, framework, format, std::path::Path::new(file)).await?;
        if self.json {
            print::json(&written);
        } else {
            print::line(&format!("{} controls written to {}", written.controls, written.path));
        }
        Ok(Ending::Fine)
    }
}

/// What [`numbers`] are.
const NUMBERS: [&str; 8] = ["CHECKS", "INSTANCES", "FAILED", "NOT EVALUATED", "DUE", "PASSED", "ATTESTED", "NOT APPLICABLE"];

fn numbers(checks: u32, instances: u32, counts: &OutcomeCounts) -> Vec<String> {
    let all = [checks, instances, counts.failed, counts.not_evaluated, counts.due, counts.passed, counts.attested, counts.not_applicable];
    all.map(|number| number.to_string()).to_vec()
}

fn scope(sandbox: bool) -> SandboxScope {
    if sandbox { SandboxScope::Only } else { SandboxScope::Without }
}

fn mark(sandbox: bool) -> &'static str {
    if sandbox { " [sandbox]" } else { "" }
}

fn status(status: RuleStatus) -> &'static str {
    match status {
        RuleStatus::Failed => "failed",
        RuleStatus::NotEvaluated => "not evaluated",
        RuleStatus::Passed => "passed",
        RuleStatus::Attested => "attested",
        RuleStatus::NotApplicable => "not applicable",
        RuleStatus::NotCovered => "not covered",
    }
}

fn outcome(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Failed => "failed",
        CheckOutcome::NotEvaluated => "not evaluated",
        CheckOutcome::Due => "to be attested",
        CheckOutcome::Passed => "passed",
        CheckOutcome::Attested => "attested",
        CheckOutcome::NotApplicable => "not applicable",
    }
}

fn checks(checks: &[RuleCheck]) {
    for check in checks {
        print::line(&format!("\n{} [{}] {}, {}", check.title, print::severity(check.severity), check.app_name, check.check));
        for one in &check.instances {
            let open = if one.open > 0 { format!(", {} open", one.open) } else { String::new() };
            let as_of = one.as_of.as_deref().map(|at| format!(", as of {at}")).unwrap_or_default();
            let name = print::plain(&one.instance_name);
            print::line(&format!("  {:<15} {name}{}{open}{as_of}", outcome(one.outcome), mark(one.sandbox)));
            if let Some(cause) = &one.cause {
                print::line(&format!("                  {} {}", print::plain(&cause.sentence), print::plain(&cause.remedy)));
            }
        }
    }
}

fn foot(instances: u32, sandbox: bool, unreadable: &[UnreadableInstance]) {
    print::line(&format!("{instances} instances{}", mark(sandbox)));
    for one in unreadable {
        print::line(&format!("Not looked at: {}: {}", print::plain(&one.instance_name), print::plain(&one.cause.sentence)));
    }
}
