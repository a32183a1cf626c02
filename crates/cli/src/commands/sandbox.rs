//! Simulated tenants.

use super::{Ending, Outcome, Stop, Terminal, ending};
use crate::{
    arguments::{SandboxCommand, SeverityChoice},
    print,
};
use console::{
    Console, Options,
    screen::{FindingFilter, FindingQuery, FindingSort, FindingState, SandboxScope, Slice, TenantChoice},
};

impl Terminal {
    pub(super) async fn sandbox(&self, command: SandboxCommand) -> Outcome {
        match command {
            SandboxCommand::Scan { app, tenant, all, fail_on } => self.sandbox_scan(app, tenant, all, fail_on).await,
            SandboxCommand::Add { app, tenant, all } => self.sandbox_add(app, tenant, all).await,
            SandboxCommand::Remove => self.sandbox_remove().await,
            SandboxCommand::Up => self.sandbox_up().await,
            SandboxCommand::Set { tenant, answer, assignment } => {
                self.console.sandbox_set(&tenant, &answer, assignment.as_deref()).await?;
                if !self.json {
                    print::line("Changed.");
                }
                Ok(Ending::Fine)
            }
        }
    }

    async fn sandbox_scan(&self, app: Option<String>, tenant: Option<String>, all: bool, fail_on: Option<SeverityChoice>) -> Outcome {
        // A database of its own in a scratch folder, its key in memory only: this works without keychain and display,
        // and leaves nothing behind.
        let scratch = Terminal {
            console: Console::new(Options::scratch()?)?,
            json: self.json,
            passphrase_fd: None,
            interrupted: std::sync::Arc::default(),
        };
        scratch.console.first_start(console::screen::Protection::Keychain, None).await?;
        let tenants = scratch.tenants(app, tenant, all).await?;
        scratch.stop_on_interrupt();
        scratch.console.add_sandbox(tenants, scratch.listener()).await?;
        let instances = scratch.console.instances(SandboxScope::Only).await?;
        let filter = FindingFilter { states: vec![FindingState::Open], sandbox: SandboxScope::Only, ..FindingFilter::default() };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: Slice { offset: 0, limit: 500 } };
        let findings = scratch.console.findings(query).await?;
        if self.json {
            print::json(&serde_json::json!({ "instances": instances, "findings": findings }));
        } else {
            let rows: Vec<Vec<String>> = findings
                .rows
                .iter()
                .map(|row| {
                    let title = if row.resource.is_empty() { row.title.clone() } else { format!("{} ({})", row.title, row.resource) };
                    vec![print::severity(row.severity).to_owned(), title, row.app_name.clone(), row.instance_name.clone()]
                })
                .collect();
            print::table(&["SEVERITY", "FINDING", "APPLICATION", "INSTANCE [sandbox]"], &rows);
            for instance in &instances {
                if let Some(score) = instance.score {
                    print::line(&format!(
                        "{}, {}: passed {:.0} %, failed {:.0} %, not evaluated {:.0} %",
                        instance.app_name,
                        instance.name,
                        score.passed * 100.0,
                        score.failed * 100.0,
                        score.not_evaluated * 100.0
                    ));
                }
            }
        }
        Ok(ending(&findings.counts, fail_on))
    }

    async fn sandbox_add(&self, app: Option<String>, tenant: Option<String>, all: bool) -> Outcome {
        self.open().await?;
        let tenants = self.tenants(app, tenant, all).await?;
        self.stop_on_interrupt();
        self.console.add_sandbox(tenants, self.listener()).await?;
        let instances = self.console.instances(SandboxScope::Only).await?;
        if self.json {
            print::json(&instances);
        } else {
            for instance in &instances {
                print::line(&format!("{} [sandbox]: {}", instance.name, super::instance::summary(instance)));
            }
        }
        Ok(Ending::Fine)
    }

    async fn sandbox_remove(&self) -> Outcome {
        self.open().await?;
        let deleted = self.console.remove_sandbox().await?;
        if self.json {
            print::json(&deleted);
        } else {
            print::line(&format!("Deleted: {} scans, {} rows, {} findings.", deleted.scans, deleted.rows, deleted.findings));
        }
        Ok(Ending::Fine)
    }

    /// The simulated tenants with these names; without any, those of the tour, or all of them.
    async fn tenants(&self, app: Option<String>, tenant: Option<String>, all: bool) -> Result<Vec<TenantChoice>, Stop> {
        let tenants: Vec<TenantChoice> = self
            .console
            .sandbox_tenants()
            .await?
            .into_iter()
            .filter(|known| {
                let named = app.is_some() || tenant.is_some();
                let wanted =
                    app.as_ref().is_none_or(|app| *app == known.app) && tenant.as_ref().is_none_or(|tenant| *tenant == known.tenant);
                wanted && (named || all || known.tour)
            })
            .map(|known| TenantChoice { app: known.app, tenant: known.tenant })
            .collect();
        if tenants.is_empty() {
            let all = self.console.sandbox_tenants().await?;
            let names: Vec<String> = all.iter().map(|known| format!("--app {} --tenant {}", known.app, known.tenant)).collect();
            return Err(Stop::Usage(format!("no simulated tenant has that name; there are {}", names.join(", "))));
        }
        Ok(tenants)
    }

    async fn sandbox_up(&self) -> Outcome {
        let server = self.console.sandbox_up().await?;
        if self.json {
            print::json(&serde_json::json!({ "proxy": server.address(), "ca_file": server.ca_file() }));
        } else {
            print::line(&format!("The sandbox answers as an HTTPS proxy at {} until interrupted.", server.address()));
            if let Some(file) = server.ca_file() {
                print::line(&format!("Its CA certificate: {}", file.display()));
            }
        }
        // Without a way to be interrupted it would serve for ever all the same.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Ok(Ending::Fine)
    }
}
