//! Writing findings to files.

use crate::{
    Console,
    activity::{begin_file, finish_file, not_written},
    attestations::{Question, counts_of, question_of},
    browse::{names, sort_of},
    console::Open,
    decisions::unmonitored,
    instances::tallies,
    score::score,
    screen::{ExportFormat, Exported, Failure, FindingFilter, FindingFormat, FindingQuery, FindingState, SandboxScope, Severity},
    start::user,
};
use catalog::Check;
use jiff::Timestamp;
use report::{About, Assessment, ByteOrderMark, FindingLine, FindingsReport, OcsfForm, PageScore, Reviewed, Unread};
use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
    path::Path,
};
use store::{Act, FindingDetail, Store};

pub use report::OcsfVersion;

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingExport {
    /// The file's format.
    pub format: FindingFormat,
    /// The version of OCSF, where it is that.
    pub ocsf_version: OcsfVersion,
    /// Whether OCSF is written as one event per line instead of one list.
    pub ocsf_lines: bool,
}

impl From<FindingFormat> for FindingExport {
    fn from(format: FindingFormat) -> Self {
        Self { format, ocsf_version: OcsfVersion::default(), ocsf_lines: false }
    }
}

impl From<ExportFormat> for FindingExport {
    fn from(format: ExportFormat) -> Self {
        FindingFormat::from(format).into()
    }
}

/// Findings read at once: the whole export never lies in memory.
const BATCH: u64 = 200;

impl Console {
    /// Writes every finding that the query's filter fulfils, whatever its slice, to a file. The file appears whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn export_findings(&self, query: FindingQuery, export: impl Into<FindingExport>, path: &Path) -> Result<Exported, Failure> {
        let file = begin_file(path)?;
        let writer = file.reopen().map_err(|error| not_written(path, &error))?;
        let findings = self.export_to(query, export, Box::new(BufWriter::new(writer))).await?;
        finish_file(file, path)?;
        let (shown, now) = (path.display().to_string(), self.now());
        let detail = shown.clone();
        self.with_open(move |open| Ok(open.store.record_act(&Act::new(now, user(), "findings exported", detail))?)).await?;
        Ok(Exported { path: shown, findings })
    }

    /// The same, to any writer. Answers how many.
    ///
    /// # Errors
    /// When the writer fails or the database cannot be read.
    pub async fn export_to(
        &self,
        query: FindingQuery,
        export: impl Into<FindingExport>,
        mut writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        let (console, now, export) = (self.clone(), self.now(), export.into());
        self.with_current(move |open| {
            let wanted = console.filter_of(&open, &query.filter)?;
            let mut lines = Lines {
                console: &console,
                store: &open.store,
                query: &query,
                filter: &wanted,
                offset: 0,
                batch: Vec::new().into_iter(),
                failure: None,
            };
            let written = match export.format {
                // Spreadsheets take a file without the mark for another encoding.
                FindingFormat::Csv => report::csv(&mut writer, &mut lines, ByteOrderMark::With),
                FindingFormat::Json => {
                    let filter = serde_json::to_value(&query.filter).unwrap_or_default();
                    report::json(&mut writer, &mut lines, &About { exported_at: now, filter })
                }
                FindingFormat::Html => {
                    let about = looked_at(&console, &open, &query.filter, now)?.page(now, words(&console, &open.store, &query.filter)?);
                    report::findings_html(&mut writer, &mut lines, &about)
                }
                FindingFormat::Ocsf => {
                    let form = if export.ocsf_lines { OcsfForm::Lines } else { OcsfForm::Document };
                    report::ocsf(&mut writer, &mut lines, export.ocsf_version, form)
                }
                FindingFormat::Oscal => {
                    let reviewed = looked_at(&console, &open, &query.filter, now)?.reviewed;
                    let scope = words(&console, &open.store, &query.filter)?;
                    report::oscal(&mut writer, &mut lines, &Assessment { exported_at: now, scope, reviewed })
                }
            };
            if let Some(failure) = lines.failure {
                return Err(failure);
            }
            let count = written.map_err(|error| {
                let code = if matches!(error, report::ReportError::NothingReviewed) { error.code() } else { "E-EXPORT" };
                Failure::new(code, error.to_string(), error.remedy())
            })?;
            writer.flush().map_err(|error| {
                Failure::new("E-EXPORT", format!("The export could not be written: {error}."), "Make room on the disk.")
            })?;
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
        .await
    }
}

/// Findings, batch by batch. A failure of the database ends it and is kept, so that a cut file is never taken for a whole one.
struct Lines<'a> {
    console: &'a Console,
    store: &'a Store,
    query: &'a FindingQuery,
    filter: &'a store::FindingFilter,
    offset: u64,
    batch: std::vec::IntoIter<FindingLine>,
    failure: Option<Failure>,
}

impl Lines<'_> {
    fn read(&mut self) -> Result<Vec<FindingLine>, Failure> {
        let slice = store::Slice { offset: self.offset, limit: BATCH };
        let found = self.store.findings(self.filter, sort_of(self.query.sort), self.query.descending, slice)?;
        self.offset += BATCH;
        found.rows.into_iter().map(|finding| line(self.console, self.store, self.store.finding(finding.id)?)).collect()
    }
}

impl Iterator for Lines<'_> {
    type Item = FindingLine;
    fn next(&mut self) -> Option<FindingLine> {
        if let Some(line) = self.batch.next() {
            return Some(line);
        }
        match self.read() {
            Ok(batch) => {
                self.batch = batch.into_iter();
                self.batch.next()
            }
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        }
    }
}

fn line(console: &Console, store: &Store, detail: FindingDetail) -> Result<FindingLine, Failure> {
    let finding = detail.finding;
    let app = console.app(&finding.app).ok();
    let of_lock = store::locked_check(&finding.check).is_some();
    let check = app.as_ref().and_then(|app| app.check(store::locked_check(&finding.check).unwrap_or(&finding.check)));
    let question = match &app {
        Some(app) => question_of(store, app, &store.instance(finding.instance)?, &finding.check)?.unwrap_or_default(),
        None => Question::default(),
    };
    let attestation = detail.attestation.as_ref();
    Ok(FindingLine {
        instance: finding.instance_name,
        sandbox: finding.sandbox,
        title: finding.title,
        severity: finding.severity,
        state: match finding.state {
            store::FindingState::Open => report::FindingState::Open,
            store::FindingState::Fixed => report::FindingState::Fixed,
            store::FindingState::Gone => report::FindingState::Gone,
            store::FindingState::Dismissed => report::FindingState::Dismissed,
        },
        verdict: detail.verdict,
        resource: finding.label,
        current: finding.current,
        recommended: finding.recommended,
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        fixed_or_gone_at: finding.ended_at,
        not_rechecked_since: finding.not_rechecked.as_ref().map(|not| not.since),
        not_rechecked_because: finding
            .not_rechecked
            .map(|not| format!("{} {}", not.cause.sentence, not.cause.remedy).trim_end().to_owned())
            .unwrap_or_default(),
        uid: report::finding_uid(&finding.instance.to_string(), &finding.check, &finding.row.0),
        instance_id: finding.instance.to_string(),
        app_name: app.as_ref().map_or_else(|| finding.app.clone(), |app| app.name.clone()),
        practice: question.title,
        steps: question.steps,
        why: question.why,
        // That something is as it was locked says nothing of a control.
        sscf: check.filter(|_| !of_lock).map(|check| check.sscf.clone()).unwrap_or_default(),
        frameworks: check.filter(|_| !of_lock).map(|check| check.frameworks.clone()).unwrap_or_default(),
        evidence: serde_json::Value::Object(detail.read.into_iter().collect()),
        source: question.source,
        answer: attestation.map(|attestation| attestation.answer.as_str().to_owned()),
        attested_by: attestation.map(|attestation| attestation.who.clone()),
        recorded_by: attestation.map(|attestation| attestation.recorded_by.clone()),
        attested_at: attestation.map(|attestation| attestation.at),
        valid_until: attestation.map(|attestation| attestation.valid_until.to_string()),
        app: finding.app,
        check: finding.check,
    })
}

/// What the last complete scans looked at where findings are chosen from.
#[derive(Default)]
struct LookedAt {
    tallies: Vec<crate::score::CheckTally>,
    unread: Vec<Unread>,
    reviewed: Vec<Reviewed>,
}

impl LookedAt {
    fn page(self, exported_at: Timestamp, scope: String) -> FindingsReport {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let percent = |share: f64| (share * 100.0).ceil() as u32;
        let score =
            score(self.tallies).map(|score| PageScore { value: score.value, not_evaluated: percent(score.not_evaluated.clamp(0.0, 1.0)) });
        FindingsReport { exported_at, scope, score, unread: self.unread }
    }
}

/// Of the instances and checks that a filter chooses, whatever became of them: their score, what was not evaluated, what was judged.
fn looked_at(console: &Console, open: &Open, filter: &FindingFilter, now: Timestamp) -> Result<LookedAt, Failure> {
    let mut all = LookedAt::default();
    let mut reviewed: BTreeMap<String, Reviewed> = BTreeMap::new();
    for instance in open.store.instances()? {
        let chosen = |list: &[String], one: &str| list.is_empty() || list.iter().any(|other| other == one);
        if !filter.sandbox.holds(instance.sandbox)
            || !chosen(&filter.instances, &instance.id.to_string())
            || !chosen(&filter.apps, &instance.app)
            || !chosen(&filter.owners, &instance.owner)
        {
            continue;
        }
        let app = console.app(&instance.app);
        let unread = |what: &str, why: &str, remedy: &str| Unread {
            app_name: app.as_ref().map_or_else(|_| instance.app.clone(), |app| app.name.clone()),
            instance: instance.name.clone(),
            sandbox: instance.sandbox,
            what: what.to_owned(),
            why: why.to_owned(),
            remedy: remedy.to_owned(),
        };
        let app = match &app {
            Ok(app) => app,
            Err(failure) => {
                all.unread.push(unread("All of it", &failure.sentence, &failure.remedy));
                continue;
            }
        };
        let counts = counts_of(&open.store, app, &instance, now)?;
        let due = counts.due + counts.expired + counts.withdrawn;
        if due > 0 {
            let what = if due == 1 { "One manual check".to_owned() } else { format!("{due} manual checks") };
            all.unread.push(unread(&what, "Nobody has attested what only a person can look at.", "Attest it, or have it attested."));
        }
        if crate::manual_instances::is_manual(&instance, app) {
            continue;
        }
        let Some(scan) = open.store.last_complete_scan(instance.id)? else {
            all.unread.push(unread("All of it", "No scan has been completed.", "Scan the instance."));
            continue;
        };
        let of_filter = |check: &&Check| {
            chosen(&filter.checks, &check.id)
                && chosen(&filter.features, crate::catalog_document::feature(check.feature))
                && (filter.frameworks.is_empty() || filter.frameworks.iter().any(|control| names(check, control)))
        };
        let checks: Vec<Check> = app.checks.iter().filter(of_filter).cloned().collect();
        let not_monitored = unmonitored(&open.store, instance.id, now)?;
        // A score is of whole instances; of some of their checks it would be another number under the same name.
        if filter.checks.is_empty() && filter.features.is_empty() && filter.frameworks.is_empty() {
            all.tallies.extend(tallies(&open.store, &checks, instance.id, &scan, &not_monitored)?);
        }
        for check in checks.iter().filter(|check| not_monitored.contains(&check.id)) {
            all.unread.push(unread(
                &check.title,
                "Somebody decided not to monitor this check.",
                "Take the decision back to have it count.",
            ));
        }
        for tally in open.store.check_tallies(scan.id)? {
            let of_tally = |check: &&Check| check.id == tally.check && !not_monitored.contains(&check.id);
            let Some(check) = checks.iter().find(of_tally) else { continue };
            if tally.counts.not_evaluated > 0 {
                let (why, remedy) = tally.cause.map(|cause| (cause.sentence, cause.remedy)).unwrap_or_default();
                all.unread.push(unread(&check.title, &why, &remedy));
            }
            if tally.counts.pass + tally.counts.fail + tally.counts.not_applicable + tally.counts.observed > 0 {
                reviewed.entry(check.id.clone()).or_insert_with(|| Reviewed {
                    check: check.id.clone(),
                    practice: check.title.clone(),
                    why: check.why.clone(),
                    controls: check.frameworks.get("nist_800_53").cloned().unwrap_or_default(),
                });
            }
        }
    }
    all.reviewed = reviewed.into_values().collect();
    Ok(all)
}

/// A filter as a sentence.
fn words(console: &Console, store: &Store, filter: &FindingFilter) -> Result<String, Failure> {
    let mut parts = Vec::new();
    let state = |state: &FindingState| match state {
        FindingState::Open => "open",
        FindingState::Fixed => "fixed",
        FindingState::Gone => "gone",
        FindingState::Dismissed => "dismissed",
    };
    let severity = |severity: &Severity| match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    };
    let name = |app: &String| console.app(app).map_or_else(|_| app.clone(), |known| known.name.clone());
    if !filter.states.is_empty() {
        parts.push(format!("state {}", filter.states.iter().map(state).collect::<Vec<_>>().join(" or ")));
    }
    if !filter.severities.is_empty() {
        parts.push(format!("severity {}", filter.severities.iter().map(severity).collect::<Vec<_>>().join(" or ")));
    }
    if !filter.apps.is_empty() {
        parts.push(format!("application {}", filter.apps.iter().map(name).collect::<Vec<_>>().join(" or ")));
    }
    if !filter.instances.is_empty() {
        let instances = store.instances()?;
        let names: Vec<&str> = instances
            .iter()
            .filter(|instance| filter.instances.contains(&instance.id.to_string()))
            .map(|instance| instance.name.as_str())
            .collect();
        parts.push(format!("instance {}", names.join(" or ")));
    }
    if !filter.checks.is_empty() {
        parts.push(format!("check {}", filter.checks.join(" or ")));
    }
    if !filter.owners.is_empty() {
        parts.push(format!("owner {}", filter.owners.join(" or ")));
    }
    if !filter.frameworks.is_empty() {
        parts.push(format!("control {}", filter.frameworks.join(" or ")));
    }
    if let Some(days) = filter.found_within_days {
        parts.push(format!("found within {days} days"));
    }
    if let Some(days) = filter.older_than_days {
        parts.push(format!("found more than {days} days ago"));
    }
    if !filter.features.is_empty() {
        parts.push(format!("kind of scan {}", filter.features.join(" or ")));
    }
    if !filter.text.is_empty() {
        parts.push(format!("text \u{201c}{}\u{201d}", filter.text));
    }
    if filter.not_rechecked {
        parts.push("not checked again by the last scan".to_owned());
    }
    parts.push(
        match filter.sandbox {
            SandboxScope::Without => "without simulated tenants",
            SandboxScope::Only => "simulated tenants alone",
            SandboxScope::With => "with simulated tenants",
        }
        .to_owned(),
    );
    Ok(format!("Findings: {}.", parts.join("; ")))
}
