//! Looking at the catalog and at what is stored.

use super::{Ending, Outcome, Stop, Terminal, ending, severity};
use crate::{
    arguments::{FilterArguments, FindingFormatChoice, OcsfVersionChoice, SeverityChoice, StateChoice},
    print,
};
use console::{
    FindingExport, OcsfVersion,
    screen::{Failure, FindingFilter, FindingFormat, FindingPage, FindingQuery, FindingSort, FindingState, SandboxScope, Slice},
};

impl Terminal {
    pub(super) async fn apps(&self) -> Outcome {
        // Without the number of instances: that would need the database, and this command must not.
        let tiles = self.console.catalog_tiles()?;
        if self.json {
            print::json(&tiles);
        } else {
            let rows: Vec<Vec<String>> = tiles
                .iter()
                .map(|tile| {
                    vec![
                        tile.slug.clone(),
                        tile.name.clone(),
                        tile.category.clone(),
                        tile.features.join(","),
                        tile.checks.to_string(),
                        tile.verified.clone(),
                    ]
                })
                .collect();
            print::table(&["APPLICATION", "NAME", "CATEGORY", "SCANS", "CHECKS", "VERIFIED BY"], &rows);
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn findings(
        &self,
        filter: FilterArguments,
        offset: u32,
        limit: u32,
        show: Option<String>,
        fail_on: Option<SeverityChoice>,
    ) -> Outcome {
        self.open().await?;
        if let Some(id) = show {
            let page = self.console.finding(&id).await?;
            if self.json {
                print::json(&page);
            } else {
                print_finding(&page);
            }
            return Ok(Ending::Fine);
        }
        let list = self.console.findings(self.query(filter, offset, limit).await?).await?;
        if self.json {
            print::json(&list);
        } else {
            let rows: Vec<Vec<String>> = list
                .rows
                .iter()
                .map(|row| {
                    let title = if row.resource.is_empty() { row.title.clone() } else { format!("{} ({})", row.title, row.resource) };
                    let mut instance = row.instance_name.clone();
                    if row.sandbox {
                        instance.push_str(" [sandbox]");
                    }
                    vec![
                        print::severity(row.severity).to_owned(),
                        title,
                        instance,
                        row.first_seen.chars().take(10).collect(),
                        row.id.clone(),
                    ]
                })
                .collect();
            print::table(&["SEVERITY", "FINDING", "INSTANCE", "SINCE", "ID"], &rows);
            print::line(&format!("{} of {} findings", list.rows.len(), list.total));
        }
        Ok(ending(&list.counts, fail_on))
    }

    pub(super) async fn export(
        &self,
        filter: FilterArguments,
        format: FindingFormatChoice,
        (ocsf_version, ocsf_lines): (OcsfVersionChoice, bool),
        output: &str,
    ) -> Outcome {
        if format != FindingFormatChoice::Ocsf && (ocsf_lines || ocsf_version != OcsfVersionChoice::V1_5_0) {
            return Err(Stop::Usage("--lines and --ocsf-version are for --format ocsf".to_owned()));
        }
        self.open().await?;
        let query = self.query(filter, 0, 500).await?;
        let format = FindingExport {
            format: match format {
                FindingFormatChoice::Csv => FindingFormat::Csv,
                FindingFormatChoice::Json => FindingFormat::Json,
                FindingFormatChoice::Html => FindingFormat::Html,
                FindingFormatChoice::Ocsf => FindingFormat::Ocsf,
                FindingFormatChoice::Oscal => FindingFormat::Oscal,
            },
            ocsf_version: match ocsf_version {
                OcsfVersionChoice::V1_5_0 => OcsfVersion::V1_5_0,
                OcsfVersionChoice::V1_8_0 => OcsfVersion::V1_8_0,
            },
            ocsf_lines,
        };
        if output == "-" {
            self.console.export_to(query, format, Box::new(std::io::stdout())).await?;
        } else {
            let exported = self.console.export_findings(query, format, std::path::Path::new(output)).await?;
            if self.json {
                print::json(&exported);
            } else {
                print::line(&format!("{} findings written to {}", exported.findings, exported.path));
            }
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn requests(&self, instance: Option<String>, offset: u32, limit: u32) -> Outcome {
        self.open().await?;
        let instance = match instance {
            Some(text) => Some(self.console.find_instance(&text).await?),
            None => None,
        };
        let list = self.console.requests(instance, Slice { offset, limit }).await?;
        if self.json {
            print::json(&list);
        } else {
            let rows: Vec<Vec<String>> = list
                .rows
                .iter()
                .map(|row| {
                    vec![
                        row.at.clone(),
                        row.method.clone(),
                        format!("{}{}", row.host, row.path),
                        row.status.map_or_else(|| row.outcome.clone(), |status| status.to_string()),
                        format!("{:.0} B", row.bytes),
                        format!("{} ms", row.milliseconds),
                    ]
                })
                .collect();
            print::table(&["AT", "METHOD", "HOST AND PATH", "STATUS", "SIZE", "TIME"], &rows);
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn schema(&self, instance: &str) -> Outcome {
        self.open().await?;
        let id = self.console.find_instance(instance).await?;
        print::json(&self.console.schema(&id).await?);
        Ok(Ending::Fine)
    }

    pub(super) async fn query(&self, arguments: FilterArguments, offset: u32, limit: u32) -> Result<FindingQuery, Stop> {
        let mut instances = Vec::new();
        for text in &arguments.instance {
            instances.push(self.console.find_instance(text).await?);
        }
        let catalog = self.console.catalog_tiles()?;
        for app in &arguments.app {
            if !catalog.iter().any(|tile| tile.slug == *app) {
                return Err(Stop::Failed(Failure {
                    code: "E-APP-UNKNOWN".into(),
                    sentence: format!("The catalog has no application {app}."),
                    remedy: "See `posture apps`.".into(),
                    field: None,
                }));
            }
        }
        let sandbox = if arguments.sandbox {
            SandboxScope::Only
        } else if instances.is_empty() {
            SandboxScope::Without
        } else {
            // An instance that was named is meant, whatever it is.
            SandboxScope::With
        };
        Ok(FindingQuery {
            filter: FindingFilter {
                instances,
                apps: arguments.app,
                severities: arguments.severity.into_iter().map(severity).collect(),
                states: arguments.state.into_iter().map(state).collect(),
                checks: arguments.check,
                features: Vec::new(),
                text: arguments.text,
                sandbox,
                not_rechecked: false,
                owners: arguments.owner,
                frameworks: arguments.framework,
                found_within_days: arguments.found_within,
                older_than_days: arguments.older_than,
            },
            sort: FindingSort::Severity,
            descending: true,
            slice: Slice { offset, limit },
        })
    }
}

fn state(choice: StateChoice) -> FindingState {
    match choice {
        StateChoice::Open => FindingState::Open,
        StateChoice::Fixed => FindingState::Fixed,
        StateChoice::Gone => FindingState::Gone,
        StateChoice::Dismissed => FindingState::Dismissed,
    }
}

fn print_finding(page: &FindingPage) {
    let finding = &page.finding;
    print::line(&format!("{} [{}] {}", print::plain(&finding.title), print::severity(finding.severity), page.verdict));
    print::line(&format!(
        "  {}, {}{}",
        finding.app_name,
        print::plain(&finding.instance_name),
        if finding.sandbox { " [sandbox]" } else { "" }
    ));
    if !finding.resource.is_empty() {
        print::line(&format!("  on {}", print::plain(&finding.resource)));
    }
    if let Some(cause) = &page.cause {
        print::line(&format!("  {}", print::plain(&cause.sentence)));
    }
    for decision in [&page.decision, &page.overridden, &page.locked].into_iter().flatten() {
        print::line(&format!("  {}", super::decide::in_words(decision)));
    }
    print::line(&format!("  current      {}", print::plain(&page.current)));
    print::line(&format!("  recommended  {}", page.recommended));
    print::line(&format!("\nWhy it matters\n  {}", page.why));
    if let Some(attestation) = &page.attestation {
        print::line(&format!(
            "\nAttested, not scanned\n  by {} at {}, until {}\n  {}",
            print::plain(&attestation.who),
            attestation.at,
            attestation.valid_until,
            print::plain(&attestation.note)
        ));
    }
    print::line("\nEvidence");
    for evidence in &page.evidence {
        for field in &evidence.fields {
            print::line(&format!("  {} = {}", field.path, print::plain(&field.value)));
        }
        let request =
            evidence.request.as_ref().map(|request| format!(", {} {}{}", request.method, request.host, request.path)).unwrap_or_default();
        print::line(&format!("  read {}{request}, sha256 {}", evidence.collected_at, evidence.hash));
    }
    print::line("\nHow to fix it");
    for (number, step) in page.steps.iter().enumerate() {
        print::line(&format!("  {}. {step}", number + 1));
    }
    if let Some(link) = &page.link {
        print::line(&format!("  {} {}", link.title, link.url));
    }
}
