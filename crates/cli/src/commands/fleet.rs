//! Accounts, identities and plugins of all instances together.

use super::{
    Ending, Outcome, Stop, Terminal,
    inventory::{cell, day, format, risks, severity},
};
use crate::{
    arguments::{IdentitiesCommand, InventoryArguments},
    print,
};
use console::{
    InventoryKind,
    screen::{FleetFilter, FleetGap, FleetQuery, IdentityQuery, IdentitySort, InventorySort, Nature, RiskCount, SandboxScope, Slice},
};
use std::path::Path;

impl Terminal {
    pub(super) async fn accounts_everywhere(&self, arguments: InventoryArguments) -> Outcome {
        self.open().await?;
        if let Some(output) = &arguments.output {
            return self.fleet_exported(InventoryKind::Accounts, &arguments, output).await;
        }
        let list = self.console.accounts_everywhere(query(&arguments)).await?;
        self.shown(&list, |list| {
            over(&list.gaps, &list.risks);
            let columns =
                ["SEVERITY", "ACCOUNT", "IDENTITY", "INSTANCE", "KIND", "STATUS", "MFA", "LAST SEEN", "RISKS (? not known)", "ID"];
            let rows: Vec<Vec<String>> = list
                .rows
                .iter()
                .map(|row| {
                    let account = &row.account;
                    vec![
                        severity(account.severity),
                        account.title.clone(),
                        format!("{}{}", row.identity, if row.corrected { " (corrected)" } else { "" }),
                        row.instance_name.clone(),
                        cell(&account.kind),
                        cell(&account.status),
                        cell(&account.mfa),
                        day(&account.last_seen),
                        risks(&account.risks, &account.unknown_risks),
                        account.id.clone(),
                    ]
                })
                .collect();
            print::table(&columns, &rows);
            print::line(&format!("{} of {} accounts, {} in all", rows.len(), list.total, list.all));
        });
        Ok(Ending::Fine)
    }

    pub(super) async fn plugins_everywhere(&self, arguments: InventoryArguments) -> Outcome {
        self.open().await?;
        if let Some(output) = &arguments.output {
            return self.fleet_exported(InventoryKind::Plugins, &arguments, output).await;
        }
        let list = self.console.plugins_everywhere(query(&arguments)).await?;
        self.shown(&list, |list| {
            over(&list.gaps, &list.risks);
            let columns = ["SEVERITY", "PLUGIN", "INSTANCE", "KIND", "PUBLISHER", "USER", "REVIEWED", "RISKS (? not known)", "ID"];
            let rows: Vec<Vec<String>> = list
                .rows
                .iter()
                .map(|row| {
                    let plugin = &row.plugin;
                    let reviewed = match &row.review {
                        None => "no".to_owned(),
                        Some(review) if review.same_rights => review.at.chars().take(10).collect(),
                        Some(_) => "no: other rights since".to_owned(),
                    };
                    vec![
                        severity(plugin.severity),
                        plugin.title.clone(),
                        row.instance_name.clone(),
                        cell(&plugin.kind),
                        cell(&plugin.publisher),
                        cell(&plugin.user),
                        reviewed,
                        risks(&plugin.risks, &plugin.unknown_risks),
                        plugin.id.clone(),
                    ]
                })
                .collect();
            print::table(&columns, &rows);
            print::line(&format!("{} of {} plugins, {} in all", rows.len(), list.total, list.all));
        });
        Ok(Ending::Fine)
    }

    pub(super) async fn identities(&self, command: IdentitiesCommand) -> Outcome {
        self.open().await?;
        match command {
            IdentitiesCommand::List { text, risk, human, non_human, several, sandbox, offset, limit } => {
                let nature = if human { Some(Nature::Human) } else { non_human.then_some(Nature::NonHuman) };
                let query = IdentityQuery {
                    text,
                    risks: risk,
                    nature,
                    several,
                    sandbox: scope(sandbox),
                    sort: IdentitySort::Severity,
                    descending: true,
                    slice: Slice { offset, limit },
                };
                let list = self.console.identities(query).await?;
                self.shown(&list, |list| {
                    over(&list.gaps, &[]);
                    let columns =
                        ["SEVERITY", "IDENTITY", "KEY", "NATURE", "ACCOUNTS", "INSTANCES", "ADMINISTRATOR IN", "LAST SEEN", "RISKS"];
                    let rows: Vec<Vec<String>> = list
                        .rows
                        .iter()
                        .map(|row| {
                            vec![
                                severity(row.severity),
                                row.title.clone(),
                                row.key.clone(),
                                match row.nature {
                                    Nature::Human => "human",
                                    Nature::NonHuman => "non-human",
                                    Nature::Unknown => "not known",
                                }
                                .to_owned(),
                                row.accounts.to_string(),
                                row.instances.to_string(),
                                row.administrators.to_string(),
                                row.last_seen.as_deref().map_or_else(|| "not known".to_owned(), |at| at.chars().take(10).collect()),
                                row.risks.join(" "),
                            ]
                        })
                        .collect();
                    print::table(&columns, &rows);
                    print::line(&format!("{} of {} identities, {} in all", rows.len(), list.total, list.all));
                });
            }
            IdentitiesCommand::Set { instance, account, identity, alone, by_address } => {
                let id = self.console.find_instance(&instance).await?;
                let identity = if by_address { None } else { Some(if alone { String::new() } else { identity.unwrap_or_default() }) };
                if identity.as_deref().is_some_and(|key| key.trim().is_empty()) && !alone {
                    return Err(Stop::Usage("--as wants a key; to say that it is nobody else's, use --alone".into()));
                }
                self.console.set_account_identity(&id, &account, identity).await?;
                self.shown(&serde_json::json!({ "changed": true }), |_| print::line("Noted, for later scans too."));
            }
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn review(&self, instance: &str, plugin: &str, undo: bool) -> Outcome {
        self.open().await?;
        let id = self.console.find_instance(instance).await?;
        self.console.set_plugin_reviewed(&id, plugin, !undo).await?;
        let said = if undo { "It counts as not reviewed." } else { "Reviewed, while its rights stay as they are." };
        self.shown(&serde_json::json!({ "reviewed": !undo }), |_| print::line(said));
        Ok(Ending::Fine)
    }

    async fn fleet_exported(&self, kind: InventoryKind, arguments: &InventoryArguments, output: &str) -> Outcome {
        let (query, format) = (query(arguments), format(arguments.format));
        if output == "-" {
            self.console.export_fleet_to(kind, query, format, Box::new(std::io::stdout())).await?;
        } else {
            let exported = self.console.export_fleet(kind, query, format, Path::new(output)).await?;
            self.shown(&exported, |exported| print::line(&format!("{} {} written to {}", exported.items, kind.word(), exported.path)));
        }
        Ok(Ending::Fine)
    }
}

fn scope(sandbox: bool) -> SandboxScope {
    if sandbox { SandboxScope::Only } else { SandboxScope::Without }
}

fn query(arguments: &InventoryArguments) -> FleetQuery {
    let further = &arguments.further;
    FleetQuery {
        filter: FleetFilter {
            risks: arguments.risk.clone(),
            unknown: arguments.unknown.clone(),
            kinds: arguments.kind.clone(),
            text: arguments.text.clone(),
            instances: Vec::new(),
            apps: Vec::new(),
            sandbox: scope(further.sandbox),
            identity: further.identity.clone(),
            reviewed: if further.reviewed { Some(true) } else { further.not_reviewed.then_some(false) },
            gen_ai: further.gen_ai,
            user: further.user.clone(),
        },
        sort: InventorySort::Severity,
        descending: true,
        slice: Slice { offset: arguments.offset, limit: arguments.limit },
    }
}

/// What a reader must know before the list: of which instances it does not hold everything, and how many have each risk.
fn over(gaps: &[FleetGap], risks: &[RiskCount]) {
    for gap in gaps {
        print::line(&format!("  {}, {}: {}", print::plain(&gap.app_name), print::plain(&gap.instance_name), print::plain(&gap.sentence)));
    }
    for risk in risks.iter().filter(|risk| risk.present > 0 || risk.unknown > 0) {
        print::line(&format!("  {:<32} {:>6}, not known of {}", format!("{} ({})", risk.title, risk.risk), risk.present, risk.unknown));
    }
}
