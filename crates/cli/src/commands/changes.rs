//! `posture changes`, and `posture findings --at`: what changed, and how things stood.

use super::{Ending, Outcome, Stop, Terminal, ending, severity};
use crate::{
    arguments::{ChangeChoice, ChangesArguments, FilterArguments, FormatChoice, SeverityChoice},
    print,
};
use console::screen::{
    ChangeCounts, ChangeKind, ChangeQuery, Changes, ExportFormat, Failure, InstanceChanges, Moment, PastQuery, RowChangeList, SandboxScope,
    SettingChanges, SeverityCounts, Slice,
};
use serde::Serialize;

/// Rows of a dataset that are read at once.
const PAGE: u32 = 500;

/// What differs between the settings of two scans, with every row.
#[derive(Serialize)]
struct Settings {
    #[serde(flatten)]
    changes: SettingChanges,
    /// By dataset.
    rows: Vec<(String, RowChangeList)>,
}

impl Terminal {
    pub(super) async fn changes(&self, arguments: ChangesArguments) -> Outcome {
        let (from, to) = (moment(&arguments.from)?, moment(&arguments.to)?);
        self.open().await?;
        let mut instances = Vec::new();
        for text in &arguments.instance {
            instances.push(self.console.find_instance(text).await?);
        }
        let query = ChangeQuery {
            from,
            to,
            instances,
            kinds: arguments.kind.into_iter().map(kind).collect(),
            severities: arguments.severity.into_iter().map(severity).collect(),
            sandbox: if arguments.sandbox { SandboxScope::Only } else { SandboxScope::Without },
            slice: Slice { offset: arguments.offset, limit: arguments.limit },
        };
        if let Some(output) = arguments.output {
            return self.export_changes(query, arguments.format, &output).await;
        }
        let changes = self.console.changes(query).await?;
        let settings = if arguments.settings { Some(self.settings(&changes).await?) } else { None };
        if self.json {
            print::json(&serde_json::json!({ "changes": changes, "settings": settings }));
            return Ok(Ending::Fine);
        }
        print_changes(&changes);
        for settings in settings.iter().flatten() {
            print_settings(settings);
        }
        Ok(Ending::Fine)
    }

    async fn export_changes(&self, query: ChangeQuery, format: FormatChoice, output: &str) -> Outcome {
        let format = match format {
            FormatChoice::Csv => ExportFormat::Csv,
            FormatChoice::Json => ExportFormat::Json,
        };
        if output == "-" {
            self.console.export_changes_to(query, format, Box::new(std::io::stdout())).await?;
            return Ok(Ending::Fine);
        }
        let exported = self.console.export_changes(query, format, std::path::Path::new(output)).await?;
        if self.json {
            print::json(&exported);
        } else {
            print::line(&format!("{} findings written to {}", exported.findings, exported.path));
        }
        Ok(Ending::Fine)
    }

    /// The settings of each instance that was scanned whole at both ends and in between.
    async fn settings(&self, changes: &Changes) -> Result<Vec<Settings>, Stop> {
        let mut all = Vec::new();
        for InstanceChanges { before, after, .. } in &changes.instances {
            let (Some(before), Some(after)) = (before, after) else { continue };
            if before.scan == after.scan {
                continue;
            }
            let changes = self.console.setting_changes(&before.scan, &after.scan).await?;
            let mut rows = Vec::new();
            for of in changes.datasets.iter().filter(|of| of.added + of.removed + of.changed > 0) {
                let mut list = RowChangeList { total: 0, rows: Vec::new() };
                loop {
                    let slice = Slice { offset: u32::try_from(list.rows.len()).unwrap_or(u32::MAX), limit: PAGE };
                    let page = self.console.row_changes(&before.scan, &after.scan, &of.dataset, slice).await?;
                    list.total = page.total;
                    if page.rows.is_empty() {
                        break;
                    }
                    list.rows.extend(page.rows);
                }
                rows.push((of.dataset.clone(), list));
            }
            all.push(Settings { changes, rows });
        }
        Ok(all)
    }

    pub(super) async fn findings_at(
        &self,
        day: String,
        filter: FilterArguments,
        offset: u32,
        limit: u32,
        fail_on: Option<SeverityChoice>,
    ) -> Outcome {
        self.open().await?;
        let query = self.query(filter, offset, limit).await?;
        let past = self
            .console
            .posture_at(PastQuery { day, filter: query.filter, sort: query.sort, descending: query.descending, slice: query.slice })
            .await?;
        if self.json {
            print::json(&past);
        } else {
            match &past.open {
                None => print::line(&format!("Nothing is known of {}: no instance had been scanned whole by then.", past.day)),
                Some(open) => {
                    print::line(&format!("Open at the end of {}: {}", past.day, severities(open)));
                    match (&past.score, &past.score_cause) {
                        (Some(score), _) => print::line(&format!("Score: {}", score.value)),
                        (None, Some(cause)) => print::line(&format!("Score: not known. {}", print::plain(&cause.sentence))),
                        (None, None) => {}
                    }
                }
            }
            if past.open.is_some() && !past.not_known.is_empty() {
                print::line(&format!("Nothing was known then of {}.", print::plain(&past.not_known.join(", "))));
            }
            let rows: Vec<Vec<String>> = past
                .rows
                .iter()
                .map(|row| {
                    let title = if row.resource.is_empty() { row.title.clone() } else { format!("{} ({})", row.title, row.resource) };
                    let since = row.first_seen.chars().take(10).collect();
                    vec![print::severity(row.severity).to_owned(), title, marked(&row.instance_name, row.sandbox), since, row.id.clone()]
                })
                .collect();
            print::table(&["SEVERITY", "FINDING", "INSTANCE", "SINCE", "ID"], &rows);
            print::line(&format!("{} of {} findings", past.rows.len(), past.total));
        }
        match (&past.open, fail_on) {
            // Of a day that nothing is known of nobody can say that nothing was open.
            (None, Some(_)) => Err(Stop::Failed(Failure {
                code: "E-DAY-UNKNOWN".into(),
                sentence: format!("Nothing is known of {}, so --fail-on cannot be answered.", past.day),
                remedy: "Choose a day after the first complete scan.".into(),
                field: None,
            })),
            (open, _) => Ok(ending(&open.unwrap_or_default(), fail_on)),
        }
    }
}

fn print_changes(changes: &Changes) {
    let ends = |at: &Option<String>, otherwise: &str| at.clone().unwrap_or_else(|| otherwise.to_owned());
    let same = |first: &dyn Fn(&InstanceChanges) -> &String| changes.instances.windows(2).all(|two| first(&two[0]) == first(&two[1]));
    let beginning = if same(&|of| &of.from) { "the beginning" } else { "a moment of each instance's own" };
    print::line(&format!("From {} to {}", ends(&changes.from, beginning), ends(&changes.to, "a moment of each instance's own")));
    print::line(&told(&changes.counts));
    if changes.instances.is_empty() {
        print::line("There is no instance to tell of.");
    }
    let instances: Vec<Vec<String>> = changes
        .instances
        .iter()
        .map(|of| {
            let scans = match (&of.before, &of.after) {
                (None, None) => "never scanned whole until then".to_owned(),
                (None, Some(after)) => format!("nothing known before, then {}", after.scan),
                (Some(before), Some(after)) if before.scan == after.scan => format!("{} (none in between)", before.scan),
                (Some(before), Some(after)) => format!("{} to {}", before.scan, after.scan),
                (Some(before), None) => before.scan.clone(),
            };
            vec![marked(&of.name, of.sandbox), told(&of.counts), scans]
        })
        .collect();
    print::table(&["INSTANCE", "FINDINGS", "SCANS"], &instances);
    print::line("");
    let rows: Vec<Vec<String>> = changes
        .rows
        .iter()
        .map(|row| {
            let of = &row.finding;
            let title = if of.resource.is_empty() { of.title.clone() } else { format!("{} ({})", of.title, of.resource) };
            vec![
                words(row.kind).to_owned(),
                print::severity(of.severity).to_owned(),
                title,
                marked(&of.instance_name, of.sandbox),
                row.at.chars().take(16).collect(),
                of.id.clone(),
            ]
        })
        .collect();
    print::table(&["CHANGE", "SEVERITY", "FINDING", "INSTANCE", "WHEN", "ID"], &rows);
    print::line(&format!("{} of {} findings", changes.rows.len(), changes.total));
}

fn print_settings(settings: &Settings) {
    let changes = &settings.changes;
    print::line(&format!("\nSettings, from scan {} to scan {}", changes.before.scan, changes.after.scan));
    if let Some(cause) = &changes.cause {
        print::line(&format!("  {} {}", print::plain(&cause.sentence), cause.remedy));
    }
    for of in &changes.datasets {
        let compared = match (of.compared.as_str(), &of.cause) {
            ("only_before", _) => " Only the earlier scan had it.".to_owned(),
            ("only_after", _) => " Only the later scan has it.".to_owned(),
            ("both_sides", Some(cause)) => format!(" Only rows that both scans read are compared: {}", print::plain(&cause.sentence)),
            _ if of.added + of.removed + of.changed == 0 => continue,
            _ => String::new(),
        };
        print::line(&format!("  {}: {} added, {} removed, {} changed.{compared}", of.title, of.added, of.removed, of.changed));
        for row in settings.rows.iter().filter(|(dataset, _)| *dataset == of.dataset).flat_map(|(_, list)| &list.rows) {
            let name = if row.label.is_empty() { &row.key } else { &row.label };
            print::line(&format!("    {} {}", row.kind, print::plain(name)));
            for field in &row.fields {
                let side = |value: &Option<String>| value.as_deref().map_or_else(|| "nothing".to_owned(), print::plain);
                print::line(&format!("      {}: {} -> {}", print::plain(&field.path), side(&field.before), side(&field.after)));
            }
        }
    }
}

fn marked(name: &str, sandbox: bool) -> String {
    if sandbox { format!("{name} [sandbox]") } else { name.to_owned() }
}

fn total(counts: &SeverityCounts) -> u32 {
    counts.critical + counts.high + counts.medium + counts.low + counts.info
}

fn severities(counts: &SeverityCounts) -> String {
    let SeverityCounts { critical, high, medium, low, info } = counts;
    format!("{critical} critical, {high} high, {medium} medium, {low} low, {info} info")
}

fn told(counts: &ChangeCounts) -> String {
    format!(
        "{} newly failing, {} fixed, {} gone, {} not re-checked, {} still failing, {} dismissed",
        total(&counts.newly_failing),
        total(&counts.fixed),
        total(&counts.gone),
        total(&counts.not_rechecked),
        total(&counts.still_failing),
        total(&counts.dismissed)
    )
}

fn words(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NewlyFailing => "newly failing",
        ChangeKind::Fixed => "fixed",
        ChangeKind::Gone => "gone",
        ChangeKind::NotRechecked => "not re-checked",
        ChangeKind::StillFailing => "still failing",
        ChangeKind::Dismissed => "dismissed",
    }
}

fn kind(choice: ChangeChoice) -> ChangeKind {
    match choice {
        ChangeChoice::NewlyFailing => ChangeKind::NewlyFailing,
        ChangeChoice::Fixed => ChangeKind::Fixed,
        ChangeChoice::Gone => ChangeKind::Gone,
        ChangeChoice::NotRechecked => ChangeKind::NotRechecked,
        ChangeChoice::StillFailing => ChangeKind::StillFailing,
        ChangeChoice::Dismissed => ChangeKind::Dismissed,
    }
}

/// `now`, `last-visit`, `last-scan`, `7d`, a day or the number of a scan.
fn moment(text: &str) -> Result<Moment, Stop> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    match (text, days) {
        ("now", _) => Ok(Moment::Now),
        ("last-visit", _) => Ok(Moment::LastVisit),
        ("last-scan", _) => Ok(Moment::LastScan),
        (_, Some(days)) => Ok(Moment::DaysAgo { days }),
        (day, None) if day.contains('-') => Ok(Moment::Day { day: day.to_owned() }),
        (scan, None) if scan.bytes().all(|byte| byte.is_ascii_digit()) && !scan.is_empty() => Ok(Moment::Scan { scan: scan.to_owned() }),
        _ => Err(Stop::Failed(Failure {
            code: "E-MOMENT".into(),
            sentence: format!("{text} is no moment."),
            remedy: "Write now, last-visit, last-scan, 7d, a day like 2026-11-01, or the number of a scan.".into(),
            field: None,
        })),
    }
}
