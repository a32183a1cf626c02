//! Accounts and plugins of an instance.

use super::{Ending, Outcome, Stop, Terminal};
use crate::{
    arguments::{FormatChoice, InventoryArguments},
    print,
};
use console::{
    InventoryKind,
    screen::{
        Evidence, ExportFormat, InventoryFilter, InventoryHead, InventoryQuery, InventorySort, Property, PropertyState, RiskReason,
        Severity, Slice,
    },
};
use serde::Serialize;
use std::path::Path;

impl Terminal {
    pub(super) async fn accounts(&self, arguments: InventoryArguments) -> Outcome {
        if arguments.everywhere {
            return self.accounts_everywhere(arguments).await;
        }
        let id = self.instance_of(&arguments).await?;
        if let Some(account) = &arguments.show {
            let page = self.console.account(&id, account).await?;
            self.shown(&page, |page| {
                let account = &page.account;
                let properties = [
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
                ];
                show(&account.title, account.severity, &page.source, &properties, &page.risks, &page.evidence);
            });
            return Ok(Ending::Fine);
        }
        if let Some(output) = &arguments.output {
            return self.exported(InventoryKind::Accounts, &id, &arguments, output).await;
        }
        let list = self.console.accounts(&id, query(&arguments)).await?;
        self.shown(&list, |list| {
            let columns = ["SEVERITY", "ACCOUNT", "KIND", "STATUS", "MFA", "LAST SEEN", "RISKS (? not known)", "ID"];
            let rows = list.rows.iter().map(|row| {
                let told = [cell(&row.kind), cell(&row.status), cell(&row.mfa), day(&row.last_seen)];
                let ignored = row.ignored.as_ref().and_then(|by| by.until.as_ref()).map(|until| format!(" (ignored until {until})"));
                let title = format!("{}{}", row.title, ignored.unwrap_or_default());
                line(row.severity, &title, told, risks(&row.risks, &row.unknown_risks), &row.id)
            });
            listed("accounts", &list.head, &columns, rows.collect());
        });
        Ok(Ending::Fine)
    }

    pub(super) async fn plugins(&self, arguments: InventoryArguments) -> Outcome {
        if arguments.everywhere {
            return self.plugins_everywhere(arguments).await;
        }
        let id = self.instance_of(&arguments).await?;
        if let Some(plugin) = &arguments.show {
            let page = self.console.plugin(&id, plugin).await?;
            self.shown(&page, |page| {
                let plugin = &page.plugin;
                let properties = [
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
                ];
                show(&plugin.title, plugin.severity, &page.source, &properties, &page.risks, &page.evidence);
            });
            return Ok(Ending::Fine);
        }
        if let Some(output) = &arguments.output {
            return self.exported(InventoryKind::Plugins, &id, &arguments, output).await;
        }
        let list = self.console.plugins(&id, query(&arguments)).await?;
        self.shown(&list, |list| {
            let columns = ["SEVERITY", "PLUGIN", "KIND", "PUBLISHER", "LEVEL", "LAST USED", "RISKS (? not known)", "ID"];
            let rows = list.rows.iter().map(|row| {
                let told = [cell(&row.kind), cell(&row.publisher), cell(&row.level), day(&row.last_used)];
                line(row.severity, &row.title, told, risks(&row.risks, &row.unknown_risks), &row.id)
            });
            listed("plugins", &list.head, &columns, rows.collect());
        });
        Ok(Ending::Fine)
    }

    async fn instance_of(&self, arguments: &InventoryArguments) -> Result<String, Stop> {
        self.open().await?;
        Ok(self.console.find_instance(arguments.instance.as_deref().unwrap_or_default()).await?)
    }

    /// For a program or for a reader.
    pub(super) fn shown<T: Serialize>(&self, answer: &T, for_a_reader: impl FnOnce(&T)) {
        if self.json { print::json(answer) } else { for_a_reader(answer) }
    }

    async fn exported(&self, kind: InventoryKind, id: &str, arguments: &InventoryArguments, output: &str) -> Outcome {
        let (query, format) = (query(arguments), format(arguments.format));
        if output == "-" {
            self.console.export_inventory_to(kind, id, query, format, Box::new(std::io::stdout())).await?;
        } else {
            let exported = self.console.export_inventory(kind, id, query, format, Path::new(output)).await?;
            self.shown(&exported, |exported| print::line(&format!("{} {} written to {}", exported.items, kind.word(), exported.path)));
        }
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

pub(super) fn format(choice: FormatChoice) -> ExportFormat {
    match choice {
        FormatChoice::Csv => ExportFormat::Csv,
        FormatChoice::Json => ExportFormat::Json,
    }
}

pub(super) fn severity(severity: Option<Severity>) -> String {
    severity.map_or("–", print::severity).to_owned()
}

/// What is known, or which way it is not.
pub(super) fn cell(property: &Property) -> String {
    match property.state {
        PropertyState::Is => property.value.clone(),
        PropertyState::None => "none".to_owned(),
        PropertyState::Unknown => "unknown".to_owned(),
        PropertyState::NotRead => "not read".to_owned(),
    }
}

pub(super) fn day(property: &Property) -> String {
    match property.state {
        PropertyState::Is => property.value.chars().take(10).collect(),
        PropertyState::None | PropertyState::Unknown | PropertyState::NotRead => cell(property),
    }
}

/// A row of either list.
fn line(worst: Option<Severity>, title: &str, told: [String; 4], risks: String, id: &str) -> Vec<String> {
    let [kind, second, third, day] = told;
    vec![severity(worst), title.to_owned(), kind, second, third, day, risks, id.to_owned()]
}

fn listed(what: &str, head: &InventoryHead, columns: &[&str; 8], rows: Vec<Vec<String>>) {
    over(what, head);
    print::table(columns, &rows);
    print::line(&format!("{} of {} {what}, {} in all", rows.len(), head.total, head.all));
}

pub(super) fn risks(present: &[String], unknown: &[String]) -> String {
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
