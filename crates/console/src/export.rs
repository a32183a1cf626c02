//! Writing findings to files.

use crate::{
    Console,
    attestations::{Question, question_of},
    browse::sort_of,
    screen::{ExportFormat, Exported, Failure, FindingQuery},
    start::user,
};
use report::{About, ByteOrderMark, FindingLine};
use std::{
    io::{BufWriter, Write},
    path::Path,
};
use store::{Act, FindingDetail, Store};

/// Findings read at once: the whole export never lies in memory.
const BATCH: u64 = 200;

impl Console {
    /// Writes every finding that the query's filter fulfils, whatever its slice, to a file. The file appears whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn export_findings(&self, query: FindingQuery, format: ExportFormat, path: &Path) -> Result<Exported, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let refused = |error: &std::io::Error| {
            Failure::new(
                "E-EXPORT",
                format!("{} could not be written: {error}.", path.display()),
                "Choose another folder, or make room on the disk.",
            )
        };
        let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| refused(&error))?;
        let writer = file.reopen().map_err(|error| refused(&error))?;
        let findings = self.export_to(query, format, Box::new(BufWriter::new(writer))).await?;
        file.as_file().sync_all().map_err(|error| refused(&error))?;
        file.persist(path).map_err(|error| refused(&error.error))?;
        let (shown, now) = (path.display().to_string(), self.now());
        let detail = shown.clone();
        self.with_open(move |open| Ok(open.store.record_act(&Act::new(now, user(), "findings exported", detail))?)).await?;
        Ok(Exported { path: shown, findings })
    }

    /// The same, to any writer. Answers how many.
    ///
    /// # Errors
    /// When the writer fails or the database cannot be read.
    pub async fn export_to(&self, query: FindingQuery, format: ExportFormat, mut writer: Box<dyn Write + Send>) -> Result<u32, Failure> {
        let (console, now) = (self.clone(), self.now());
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
            let written = match format {
                // Spreadsheets take a file without the mark for another encoding.
                ExportFormat::Csv => report::csv(&mut writer, &mut lines, ByteOrderMark::With),
                ExportFormat::Json => {
                    let filter = serde_json::to_value(&query.filter).unwrap_or_default();
                    report::json(&mut writer, &mut lines, &About { exported_at: now, filter })
                }
            };
            if let Some(failure) = lines.failure {
                return Err(failure);
            }
            let count = written.map_err(|error| Failure::new("E-EXPORT", error.to_string(), error.remedy()))?;
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
        not_rechecked_since: finding.not_rechecked.map(|not| not.since),
        steps: question.steps,
        why: question.why,
        sscf: check.map(|check| check.sscf.clone()).unwrap_or_default(),
        frameworks: check.map(|check| check.frameworks.clone()).unwrap_or_default(),
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
