//! Accounts and plugins of an instance.

use super::{Ending, Outcome, Terminal};
use crate::{
    arguments::{FormatChoice, InventoryArguments},
    print,
};
use console::screen::{
    Evidence, ExportFormat, InventoryExported, InventoryFilter, InventoryHead, InventoryQuery, InventorySort, Property, PropertyState,
    RiskReason, Severity, Slice,
};

impl Terminal {
    pub(super) async fn accounts(&self, arguments: InventoryArguments) -> Outcome {
        self.open().await?;
        let id = self.console.find_instance(&arguments.instance).await?;
        if let Some(account) = &arguments.show {
            let page = self.console.account(&id, account).await?;
            if self.json {
                print::json(&page);
                return Ok(Ending::Fine);
            }
            let account = &page.account;
            show(
                &account.title,
                account.severity,
                &page.source,
                &[
                    ("identifier", &account.vendor_id),
                    ("name", &account.name),
                    ("e-mail", &account.email),
                    ("kind", &account.kind),
                    ("status", &account.status),
                    ("administrator", &account.administrator),
                    ("roles", &account.roles),
                    ("MFA", &account.mfa),
                    ("identity provider", &account.identity_provider),
                    ("created", &account.created),
                    ("last seen", &account.last_seen),
                    ("never signed in", &account.never_seen),
                    ("credential expires", &account.credential_expires),
                    ("credential changed", &account.credential_changed),
                ],
                &page.risks,
                &page.evidence,
            );
            return Ok(Ending::Fine);
        }
        let query = query(&arguments);
        if let Some(output) = &arguments.output {
            let format = format(arguments.format);
            if output == "-" {
                self.console.export_accounts_to(&id, query, format, Box::new(std::io::stdout())).await?;
            } else {
                self.written("accounts", &self.console.export_accounts(&id, query, format, std::path::Path::new(output)).await?);
            }
            return Ok(Ending::Fine);
        }
        let list = self.console.accounts(&id, query).await?;
        if self.json {
            print::json(&list);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = list
            .rows
            .iter()
            .map(|row| {
                vec![
                    severity(row.severity),
                    row.title.clone(),
                    cell(&row.kind),
                    cell(&row.status),
                    cell(&row.mfa),
                    day(&row.last_seen),
                    risks(&row.risks, &row.unknown_risks),
                    row.id.clone(),
                ]
            })
            .collect();
        over("accounts", &list.head);
        print::table(&["SEVERITY", "ACCOUNT", "KIND", "STATUS", "MFA", "LAST SEEN", "RISKS (? not known)", "ID"], &rows);
        print::line(&format!("{} of {} accounts, {} in all", list.rows.len(), list.head.total, list.head.all));
        Ok(Ending::Fine)
    }

    pub(super) async fn plugins(&self, arguments: InventoryArguments) -> Outcome {
        self.open().await?;
        let id = self.console.find_instance(&arguments.instance).await?;
        if let Some(plugin) = &arguments.show {
            let page = self.console.plugin(&id, plugin).await?;
            if self.json {
                print::json(&page);
                return Ok(Ending::Fine);
            }
            let plugin = &page.plugin;
            show(
                &plugin.title,
                plugin.severity,
                &page.source,
                &[
                    ("identifier", &plugin.vendor_id),
                    ("name", &plugin.name),
                    ("kind", &plugin.kind),
                    ("publisher", &plugin.publisher),
                    ("verified publisher", &plugin.verified_publisher),
                    ("scopes", &plugin.scopes),
                    ("may change things", &plugin.write),
                    ("level", &plugin.level),
                    ("user", &plugin.user),
                    ("status", &plugin.status),
                    ("created", &plugin.created),
                    ("last used", &plugin.last_used),
                    ("never used", &plugin.never_used),
                    ("expires", &plugin.expires),
                ],
                &page.risks,
                &page.evidence,
            );
            return Ok(Ending::Fine);
        }
        let query = query(&arguments);
        if let Some(output) = &arguments.output {
            let format = format(arguments.format);
            if output == "-" {
                self.console.export_plugins_to(&id, query, format, Box::new(std::io::stdout())).await?;
            } else {
                self.written("plugins", &self.console.export_plugins(&id, query, format, std::path::Path::new(output)).await?);
            }
            return Ok(Ending::Fine);
        }
        let list = self.console.plugins(&id, query).await?;
        if self.json {
            print::json(&list);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = list
            .rows
            .iter()
            .map(|row| {
                vec![
                    severity(row.severity),
                    row.title.clone(),
                    cell(&row.kind),
                    cell(&row.publisher),
                    cell(&row.level),
                    day(&row.last_used),
                    risks(&row.risks, &row.unknown_risks),
                    row.id.clone(),
                ]
            })
            .collect();
        over("plugins", &list.head);
        print::table(&["SEVERITY", "PLUGIN", "KIND", "PUBLISHER", "LEVEL", "LAST USED", "RISKS (? not known)", "ID"], &rows);
        print::line(&format!("{} of {} plugins, {} in all", list.rows.len(), list.head.total, list.head.all));
        Ok(Ending::Fine)
    }

    /// Days of dormant, expiring, rotation and unused; what is not given stays.
    pub(super) async fn thresholds(&self, instance: &str, given: [Option<u32>; 4]) -> Outcome {
        self.open().await?;
        let id = self.console.find_instance(instance).await?;
        let none = InventoryQuery {
            filter: InventoryFilter::default(),
            sort: InventorySort::Severity,
            descending: true,
            slice: Slice { offset: 0, limit: 0 },
        };
        let mut thresholds = self.console.accounts(&id, none).await?.head.thresholds;
        if given.iter().any(Option::is_some) {
            let [dormant, expiring, rotation, unused] = given;
            thresholds.dormant_days = dormant.unwrap_or(thresholds.dormant_days);
            thresholds.expiring_days = expiring.unwrap_or(thresholds.expiring_days);
            thresholds.rotation_days = rotation.unwrap_or(thresholds.rotation_days);
            thresholds.unused_days = unused.unwrap_or(thresholds.unused_days);
            thresholds = self.console.set_inventory_thresholds(&id, thresholds).await?;
        }
        if self.json {
            print::json(&thresholds);
        } else {
            print::line(&format!("dormant after      {} days", thresholds.dormant_days));
            print::line(&format!("expiring within    {} days", thresholds.expiring_days));
            print::line(&format!("not rotated after  {} days", thresholds.rotation_days));
            print::line(&format!("unused after       {} days", thresholds.unused_days));
        }
        Ok(Ending::Fine)
    }

    fn written(&self, what: &str, exported: &InventoryExported) {
        if self.json {
            print::json(exported);
        } else {
            print::line(&format!("{} {what} written to {}", exported.items, exported.path));
        }
    }
}

fn query(arguments: &InventoryArguments) -> InventoryQuery {
    InventoryQuery {
        filter: InventoryFilter {
            risks: arguments.risk.clone(),
            unknown: arguments.unknown.clone(),
            kinds: arguments.kind.clone(),
            text: arguments.text.clone(),
        },
        sort: InventorySort::Severity,
        descending: true,
        slice: Slice { offset: arguments.offset, limit: arguments.limit },
    }
}

fn format(choice: FormatChoice) -> ExportFormat {
    match choice {
        FormatChoice::Csv => ExportFormat::Csv,
        FormatChoice::Json => ExportFormat::Json,
    }
}

fn severity(severity: Option<Severity>) -> String {
    severity.map_or("–", print::severity).to_owned()
}

/// What is known, or which way it is not.
fn cell(property: &Property) -> String {
    match property.state {
        PropertyState::Is => property.value.clone(),
        PropertyState::None => "none".to_owned(),
        PropertyState::Unknown => "unknown".to_owned(),
        PropertyState::NotRead => "not read".to_owned(),
    }
}

fn day(property: &Property) -> String {
    match property.state {
        PropertyState::Is => property.value.chars().take(10).collect(),
        PropertyState::None | PropertyState::Unknown | PropertyState::NotRead => cell(property),
    }
}

fn risks(present: &[String], unknown: &[String]) -> String {
    present.iter().cloned().chain(unknown.iter().map(|risk| format!("{risk}?"))).collect::<Vec<_>>().join(" ")
}

/// What a reader must know before the list: whether it is one, how whole it is, and how many have each risk.
fn over(what: &str, head: &InventoryHead) {
    if !head.declared {
        print::line(&format!("This application's connector reads no {what}."));
        return;
    }
    let Some(as_of) = &head.as_of else {
        print::line(&format!("No complete scan has read {what} yet. Scan the instance."));
        return;
    };
    print::line(&format!("As of {as_of}"));
    for source in &head.sources {
        if let Some(cause) = &source.cause {
            let how = if source.available { "not read whole" } else { "not read" };
            print::line(&format!("  {} {how}: {}", print::plain(&source.title), print::plain(&cause.sentence)));
        }
        if let Some(cause) = &source.undecided_cause {
            let title = print::plain(&source.title);
            print::line(&format!("  {title}: {} rows could not be told: {}", source.undecided, print::plain(&cause.sentence)));
        }
        if !source.not_read.is_empty() {
            print::line(&format!("  {} does not tell: {}", print::plain(&source.title), source.not_read.join(", ")));
        }
    }
    for risk in head.risks.iter().filter(|risk| risk.present > 0 || risk.unknown > 0) {
        print::line(&format!("  {:<32} {:>6}, not known of {}", format!("{} ({})", risk.title, risk.risk), risk.present, risk.unknown));
    }
}

fn show(title: &str, worst: Option<Severity>, source: &str, properties: &[(&str, &Property)], risks: &[RiskReason], evidence: &[Evidence]) {
    print::line(&format!("{} [{}]", print::plain(title), severity(worst)));
    print::line(&format!("  read from {}", print::plain(source)));
    for (name, property) in properties {
        print::line(&format!("  {name:<20} {}", print::plain(&cell(property))));
        if let Some(cause) = &property.cause {
            print::line(&format!("  {:<20} {}", "", print::plain(&cause.sentence)));
        }
    }
    print::line("\nRisks");
    for risk in risks {
        let known = if risk.present { "" } else { " (not known)" };
        print::line(&format!("  {}{known}: {}", risk.title, print::plain(&risk.sentence)));
    }
    if risks.is_empty() {
        print::line("  None of those that are looked for.");
    }
    print::line("\nEvidence");
    for row in evidence {
        print::line(&format!("  {} {}", print::plain(&row.title), print::plain(&row.label)));
        for field in &row.fields {
            print::line(&format!("    {} = {}", field.path, print::plain(&field.value)));
        }
        print::line(&format!("    read {}, sha256 {}", row.collected_at, row.hash));
    }
}
