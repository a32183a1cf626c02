//! What changed: of findings between any two moments, of settings between any two scans of an instance; and how things stood on a
//! past day. All of it from what is stored.

use crate::{
    Console,
    activity::{begin_file, finish_file, not_written},
    browse::{counted, included, last_visit, of_screen, of_slice, scope_of, shown_value, sort_of},
    console::Open,
    decisions::unmonitored_at,
    instances::{severity_counts, tally_checks},
    scan::instance_id,
    score::score,
    screen::{
        Cause, ChangeCounts, ChangeKind, ChangeQuery, ChangedFinding, Changes, ChangesExported, DatasetChanges, ExportFormat, Failure,
        FieldChange, InstanceChanges, Moment, PastPosture, PastQuery, RowChange, RowChangeList, ScanMark, SettingChanges, Slice,
    },
    start::user,
};
use jiff::{Span as Days, Timestamp, civil::Date, tz::TimeZone};
use report::{About, ByteOrderMark, ChangeLine};
use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
    path::Path,
};
use store::{
    Act, ChangeFilter, ChangeTally, Compared, Instance, RowDifference, Scan, ScanId, ScanState, Span, Store, StoreError, StoredRow,
};

/// Longest time back, in days: a hundred years.
const LONGEST: u32 = 36_500;
/// Scans that are offered to be compared.
const SCANS: u32 = 200;
/// Findings read at once for an export.
const BATCH: u64 = 500;

/// Which end of a span a moment is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    From,
    To,
}

/// What the database needs to answer a query.
struct Asked {
    instances: Vec<Instance>,
    spans: Vec<Span>,
    filter: ChangeFilter,
}

impl Console {
    /// What became of findings between two moments.
    ///
    /// # Errors
    /// When a moment is none, or the earlier one is the later; when there is no such instance or scan; when the database cannot be read.
    pub async fn changes(&self, query: ChangeQuery) -> Result<Changes, Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let last_visit = last_visit(&open)?;
            let asked = asked(&open, &query, now, console.zone())?;
            let list = open.store.changes(&asked.spans, &asked.filter, of_slice(query.slice))?;
            let mut instances = Vec::new();
            for (instance, span) in asked.instances.iter().zip(&asked.spans) {
                let tally = list.tallies.get(&instance.id).copied().unwrap_or_default();
                instances.push(InstanceChanges {
                    instance: instance.id.to_string(),
                    name: instance.name.clone(),
                    app_name: console.app(&instance.app).map_or_else(|_| instance.app.clone(), |app| app.name.clone()),
                    app: instance.app.clone(),
                    sandbox: instance.sandbox,
                    from: span.from.to_string(),
                    to: span.to.to_string(),
                    counts: counts(&tally),
                    before: open.store.last_complete_scan_at(instance.id, span.from)?.as_ref().map(mark),
                    after: open.store.last_complete_scan_at(instance.id, span.to)?.as_ref().map(mark),
                });
            }
            instances.sort_by_key(|of| (std::cmp::Reverse(total(&of.counts.newly_failing)), of.name.clone()));
            let all = list.tallies.values().copied().fold(ChangeTally::default(), ChangeTally::plus);
            Ok(Changes {
                from: common(asked.spans.iter().map(|span| span.from)).filter(|from| *from > Timestamp::MIN).map(|from| from.to_string()),
                to: common(asked.spans.iter().map(|span| span.to)).map(|to| to.to_string()),
                counts: counts(&all),
                instances,
                total: counted(list.total),
                rows: list
                    .rows
                    .into_iter()
                    .map(|row| ChangedFinding {
                        finding: console.finding_row(row.finding, last_visit),
                        kind: kind_shown(row.kind),
                        at: row.at.to_string(),
                    })
                    .collect(),
            })
        })
        .await
    }

    /// Complete scans of an instance, newest first, at most 200.
    ///
    /// # Errors
    /// When there is no such instance or the database cannot be read.
    pub async fn complete_scans(&self, instance: &str) -> Result<Vec<ScanMark>, Failure> {
        let id = instance_id(instance)?;
        self.with_open(move |open| {
            let scans = open.store.scans(id, SCANS)?;
            Ok(scans.iter().filter(|scan| scan.state == ScanState::Complete).map(mark).collect())
        })
        .await
    }

    /// What differs between the rows of two complete scans of one instance, counted by dataset.
    ///
    /// # Errors
    /// When there is no such scan, one is not complete, or they are of two instances.
    pub async fn setting_changes(&self, before: &str, after: &str) -> Result<SettingChanges, Failure> {
        let (console, before, after) = (self.clone(), scan_id(before)?, scan_id(after)?);
        self.with_open(move |open| {
            let difference = open.store.scan_difference(before, after).map_err(not_comparable)?;
            let app = open.store.instance(difference.after.instance).map(|instance| console.app(&instance.app).ok())?;
            let dropped = [&difference.before, &difference.after].into_iter().find(|scan| scan.dropped);
            Ok(SettingChanges {
                before: mark(&difference.before),
                after: mark(&difference.after),
                cause: dropped.map(|scan| Cause {
                    kind: "retention".into(),
                    sentence: format!("The rows of scan {} were removed by retention.", scan.id),
                    remedy: "What became of the findings is still told. Compare later scans to see the settings.".into(),
                }),
                datasets: difference
                    .datasets
                    .into_iter()
                    .map(|of| {
                        let (compared, cause) = match of.compared {
                            Compared::Whole => ("whole", None),
                            Compared::OnBothSides(cause) => ("both_sides", Some(cause.into())),
                            Compared::OnlyBefore => ("only_before", None),
                            Compared::OnlyAfter => ("only_after", None),
                        };
                        let title = app.as_ref().and_then(|app| app.dataset(&of.dataset)).map(|dataset| dataset.title.clone());
                        DatasetChanges {
                            title: title.unwrap_or_else(|| of.dataset.clone()),
                            dataset: of.dataset,
                            compared: compared.to_owned(),
                            cause,
                            added: counted(of.added),
                            removed: counted(of.removed),
                            changed: counted(of.changed),
                        }
                    })
                    .collect(),
            })
        })
        .await
    }

    /// The rows of a dataset that differ between two complete scans of one instance, by their keys.
    ///
    /// # Errors
    /// As [`Console::setting_changes`].
    pub async fn row_changes(&self, before: &str, after: &str, dataset: &str, part: Slice) -> Result<RowChangeList, Failure> {
        let (before, after, dataset) = (scan_id(before)?, scan_id(after)?, dataset.to_owned());
        self.with_open(move |open| {
            let (total, rows) = open.store.row_differences(before, after, &dataset, of_slice(part)).map_err(not_comparable)?;
            Ok(RowChangeList { total: counted(total), rows: rows.iter().map(row_change).collect() })
        })
        .await
    }

    /// How things stood at the end of a past day.
    ///
    /// # Errors
    /// When the day is none or still to come; when the database cannot be read.
    pub async fn posture_at(&self, query: PastQuery) -> Result<PastPosture, Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let day = day_of(&query.day)?;
            let at = end_of(day, console.zone())?.min(now);
            if beginning_of(day, console.zone())? > now {
                return Err(Failure::new("E-DAY", format!("{day} is still to come."), "Give a day up to today."));
            }
            let mut filter = console.filter_of(&open, &query.filter)?;
            filter.at = Some(at);
            if filter.states.is_empty() {
                filter.states = vec![store::FindingState::Open];
            }
            let all: Vec<Instance> = open
                .store
                .instances()?
                .into_iter()
                .filter(|instance| {
                    included(instance.sandbox, filter.sandbox)
                        && (filter.instances.is_empty() || filter.instances.contains(&instance.id))
                        && (filter.apps.is_empty() || filter.apps.contains(&instance.app))
                        && (filter.owners.is_empty() || filter.owners.contains(&instance.owner))
                })
                .collect();
            let known_since = open.store.known_since(filter.sandbox)?;
            let (known, not_known): (Vec<&Instance>, Vec<&Instance>) =
                all.iter().partition(|instance| known_since.get(&instance.id).is_some_and(|since| *since <= at));
            let found = open.store.findings(&filter, sort_of(query.sort), query.descending, of_slice(query.slice))?;
            let open_then = store::FindingFilter {
                states: vec![store::FindingState::Open],
                instances: filter.instances.clone(),
                apps: filter.apps.clone(),
                owners: filter.owners.clone(),
                sandbox: filter.sandbox,
                at: Some(at),
                ..store::FindingFilter::default()
            };
            // Without further filters the page has counted them.
            let counts = if filter == open_then {
                found.counts
            } else {
                open.store.findings(&open_then, store::FindingSort::Severity, true, store::Slice { offset: 0, limit: 0 })?.counts
            };
            let (value, cause) = console.score_at(&open, &known, at)?;
            let last_visit = last_visit(&open)?;
            Ok(PastPosture {
                day: day.to_string(),
                at: at.to_string(),
                // A person may have attested something of an instance that was never scanned: that is known.
                open: (!known.is_empty() || counts.total() > 0).then(|| severity_counts(&counts)),
                not_known: not_known.into_iter().map(|instance| instance.name.clone()).collect(),
                score: value,
                score_cause: cause,
                total: counted(found.total),
                rows: found.rows.into_iter().map(|finding| console.finding_row(finding, last_visit)).collect(),
            })
        })
        .await
    }

    /// Whose calendar days are.
    fn zone(&self) -> &TimeZone {
        &self.inner.options.zone
    }

    /// The score of what was known at a moment, or why it cannot be told: verdicts are kept for the newest scans alone.
    fn score_at(&self, open: &Open, known: &[&Instance], at: Timestamp) -> Result<(Option<crate::screen::Score>, Option<Cause>), Failure> {
        let not_known = |sentence: String, remedy: &str| (None, Some(Cause { kind: "retention".into(), sentence, remedy: remedy.into() }));
        let mut checks = Vec::new();
        for instance in known {
            let Some(scan) = open.store.last_complete_scan_at(instance.id, at)? else { continue };
            if scan.dropped {
                let sentence =
                    format!("The verdicts of that day's scan of {} were removed by retention, so the score is not known.", instance.name);
                return Ok(not_known(sentence, "The findings that were open are still told."));
            }
            let app = self.app(&instance.app).ok();
            let asked = app.as_ref().map_or(&[][..], |app| app.checks.as_slice());
            let open_then = open.store.scanned_open_at(instance.id, at)?;
            checks.extend(tally_checks(&open.store, asked, &scan, open_then, &unmonitored_at(&open.store, instance.id, at)?)?);
        }
        match score(checks) {
            Some(score) => Ok((Some(score), None)),
            None if known.is_empty() => Ok(not_known("No instance had been scanned by then, so nothing is known of that day.".into(), "")),
            None => Ok(not_known("No verdict of that day counts in a score.".into(), "")),
        }
    }

    /// Writes every finding that the query asks for, whatever its slice, with what became of it. The file appears whole or not at all.
    ///
    /// # Errors
    /// As [`Console::changes`]; when the file cannot be written.
    pub async fn export_changes(&self, query: ChangeQuery, format: ExportFormat, path: &Path) -> Result<ChangesExported, Failure> {
        let (path, shown) = (path.to_owned(), path.display().to_string());
        let file = begin_file(&path)?;
        let writer = file.reopen().map_err(|error| not_written(&path, &error))?;
        let findings = self.export_changes_to(query, format, Box::new(BufWriter::new(writer))).await?;
        let (now, detail) = (self.now(), shown.clone());
        self.with_open(move |open| {
            finish_file(file, &path)?;
            Ok(open.store.record_act(&Act::new(now, user(), "changes exported", detail))?)
        })
        .await?;
        Ok(ChangesExported { path: shown, findings })
    }

    /// The same, to any writer. Answers how many.
    ///
    /// # Errors
    /// As [`Console::changes`]; when the writer fails.
    pub async fn export_changes_to(
        &self,
        query: ChangeQuery,
        format: ExportFormat,
        mut writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let asked = asked(&open, &query, now, console.zone())?;
            let mut lines =
                Lines { console: &console, store: &open.store, asked: &asked, offset: 0, batch: Vec::new().into_iter(), failure: None };
            let written = match format {
                ExportFormat::Csv => report::csv(&mut writer, &mut lines, ByteOrderMark::With),
                ExportFormat::Json => {
                    let filter = serde_json::to_value(&query).unwrap_or_default();
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
            Ok(counted(count))
        })
        .await
    }
}

/// Changed findings, batch by batch. A failure of the database ends it and is kept, so that a cut file is never taken for a whole one.
struct Lines<'a> {
    console: &'a Console,
    store: &'a Store,
    asked: &'a Asked,
    offset: u64,
    batch: std::vec::IntoIter<store::ChangedFinding>,
    failure: Option<Failure>,
}

impl Iterator for Lines<'_> {
    type Item = ChangeLine;
    fn next(&mut self) -> Option<ChangeLine> {
        if self.batch.len() == 0 && self.failure.is_none() {
            let slice = store::Slice { offset: self.offset, limit: BATCH };
            self.offset += BATCH;
            match self.store.changes(&self.asked.spans, &self.asked.filter, slice) {
                Ok(list) => self.batch = list.rows.into_iter(),
                Err(error) => self.failure = Some(error.into()),
            }
        }
        let changed = self.batch.next()?;
        let span = self.asked.spans.iter().find(|span| span.instance == changed.finding.instance);
        Some(line(self.console, span, changed))
    }
}

fn line(console: &Console, span: Option<&Span>, changed: store::ChangedFinding) -> ChangeLine {
    let finding = changed.finding;
    ChangeLine {
        change: word(kind_shown(changed.kind)),
        since: span.map(|span| span.from).filter(|from| *from > Timestamp::MIN),
        up_to: span.map(|span| span.to),
        at: changed.at,
        title: finding.title,
        severity: finding.severity,
        resource: finding.label,
        app: console.app(&finding.app).map_or_else(|_| finding.app.clone(), |app| app.name.clone()),
        instance: finding.instance_name,
        sandbox: finding.sandbox,
        check: finding.check,
        attested: finding.attested,
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        not_rechecked_since: finding.not_rechecked.map(|not| not.since),
    }
}

/// `newly_failing`, …
fn word(kind: ChangeKind) -> String {
    match kind {
        ChangeKind::NewlyFailing => "newly_failing",
        ChangeKind::Fixed => "fixed",
        ChangeKind::Gone => "gone",
        ChangeKind::NotRechecked => "not_rechecked",
        ChangeKind::StillFailing => "still_failing",
        ChangeKind::Dismissed => "dismissed",
    }
    .to_owned()
}

fn asked(open: &Open, query: &ChangeQuery, now: Timestamp, zone: &TimeZone) -> Result<Asked, Failure> {
    let wanted = query.instances.iter().map(|id| instance_id(id)).collect::<Result<Vec<_>, _>>()?;
    for id in &wanted {
        open.store.instance(*id)?;
    }
    let scope = scope_of(query.sandbox);
    // A scan speaks of its instance, whatever else is looked at.
    let of_scans: Vec<Scan> = [&query.from, &query.to]
        .into_iter()
        .map(|moment| scan_of(open, moment))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    if let [one, other] = of_scans.as_slice()
        && one.instance != other.instance
    {
        return Err(not_comparable(StoreError::WrongState { actual: "of another instance" }));
    }
    let instances: Vec<Instance> = open
        .store
        .instances()?
        .into_iter()
        .filter(|instance| match of_scans.first() {
            Some(scan) => scan.instance == instance.id,
            None => (wanted.is_empty() && included(instance.sandbox, scope)) || wanted.contains(&instance.id),
        })
        .collect();
    let mut spans = Vec::new();
    for instance in &instances {
        let (from, to) =
            (moment(open, instance, &query.from, End::From, now, zone)?, moment(open, instance, &query.to, End::To, now, zone)?);
        if from > to {
            return Err(Failure::new("E-SPAN", "The beginning is later than the end, so nothing lies between them.", "Exchange the two."));
        }
        spans.push(Span { instance: instance.id, from, to });
    }
    let filter = ChangeFilter {
        kinds: query.kinds.iter().copied().map(kind_stored).collect(),
        severities: query.severities.iter().copied().map(of_screen).collect(),
    };
    Ok(Asked { instances, spans, filter })
}

fn scan_of(open: &Open, moment: &Moment) -> Result<Option<Scan>, Failure> {
    let Moment::Scan { scan } = moment else { return Ok(None) };
    let scan = open.store.scan(scan_id(scan)?).map_err(not_comparable)?;
    if scan.state == ScanState::Complete {
        Ok(Some(scan))
    } else {
        Err(not_comparable(StoreError::WrongState { actual: scan.state.as_str() }))
    }
}

fn moment(open: &Open, instance: &Instance, moment: &Moment, end: End, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
    match moment {
        Moment::Now => Ok(now),
        Moment::LastVisit => Ok(last_visit(open)?.unwrap_or(Timestamp::MIN).min(now)),
        Moment::LastScan if end == End::To => Err(Failure::new(
            "E-MOMENT",
            "The moment before the last scan can only be a beginning.",
            "Let it end now, or at a day or scan.",
        )),
        Moment::LastScan => {
            let last = open.store.last_complete_scan(instance.id)?.and_then(|scan| scan.finished_at);
            // Of what was never scanned nothing changed.
            Ok(last.map_or(now, |last| last.saturating_sub(Days::new().milliseconds(1)).unwrap_or(last)))
        }
        Moment::DaysAgo { days } if *days > LONGEST => {
            Err(Failure::new("E-MOMENT", format!("{days} days ago is too long ago."), format!("Give at most {LONGEST} days.")))
        }
        Moment::DaysAgo { days } => Ok(now.saturating_sub(Days::new().hours(i64::from(*days) * 24)).unwrap_or(Timestamp::MIN)),
        Moment::Day { day } if end == End::From => beginning_of(day_of(day)?, zone),
        Moment::Day { day } => Ok(end_of(day_of(day)?, zone)?.min(now)),
        Moment::Scan { .. } => Ok(scan_of(open, moment)?.map_or(now, |scan| scan.finished_at.unwrap_or(scan.as_of))),
    }
}

/// A day by the calendar of this computer.
pub(crate) fn day_of(text: &str) -> Result<Date, Failure> {
    text.parse().map_err(|_| Failure::new("E-DAY", format!("{text} is no day."), "Write it like 2026-11-01."))
}

fn beginning_of(day: Date, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let begins = day.to_zoned(zone.clone()).map(|begins| begins.timestamp());
    begins.map_err(|_| Failure::new("E-DAY", format!("{day} is beyond the calendar."), "Give a day of this century."))
}

/// The last millisecond of a day: times are kept to it.
fn end_of(day: Date, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let beyond = || Failure::new("E-DAY", format!("{day} is beyond the calendar."), "Give a day of this century.");
    let next = beginning_of(day.tomorrow().map_err(|_| beyond())?, zone)?;
    next.checked_sub(Days::new().milliseconds(1)).map_err(|_| beyond())
}

fn scan_id(text: &str) -> Result<ScanId, Failure> {
    text.parse().map_err(|_| Failure::new("E-NOT-FOUND", format!("There is no scan {text}."), "See the scans of the instance."))
}

fn not_comparable(error: StoreError) -> Failure {
    if let StoreError::NotFound { what: "scan" } = error {
        Failure::new("E-NOT-FOUND", "There is no such scan.", "See the scans of the instance.")
    } else if let StoreError::WrongState { actual } = error {
        Failure::new(
            "E-NOT-COMPARABLE",
            format!("These scans cannot be compared: one is {actual}."),
            "Choose two complete scans of one instance.",
        )
    } else {
        error.into()
    }
}

fn mark(scan: &Scan) -> ScanMark {
    ScanMark { scan: scan.id.to_string(), at: scan.finished_at.unwrap_or(scan.as_of).to_string(), dropped: scan.dropped }
}

/// The one moment of all, if it is one.
fn common(mut moments: impl Iterator<Item = Timestamp>) -> Option<Timestamp> {
    let first = moments.next()?;
    moments.all(|moment| moment == first).then_some(first)
}

fn total(counts: &crate::screen::SeverityCounts) -> u32 {
    counts.critical + counts.high + counts.medium + counts.low + counts.info
}

fn counts(tally: &ChangeTally) -> ChangeCounts {
    ChangeCounts {
        newly_failing: severity_counts(&tally.newly_failing),
        fixed: severity_counts(&tally.fixed),
        gone: severity_counts(&tally.gone),
        not_rechecked: severity_counts(&tally.not_rechecked),
        still_failing: severity_counts(&tally.still_failing),
        dismissed: severity_counts(&tally.dismissed),
    }
}

/// What became of the findings of some instances since a moment, counted; for the dashboard.
pub(crate) fn since(store: &Store, instances: &[&Instance], from: Timestamp, now: Timestamp) -> Result<ChangeTally, Failure> {
    let spans: Vec<Span> = instances.iter().map(|instance| Span { instance: instance.id, from: from.min(now), to: now }).collect();
    let none = store::Slice { offset: 0, limit: 0 };
    let list = store.changes(&spans, &ChangeFilter::default(), none)?;
    Ok(list.tallies.into_values().fold(ChangeTally::default(), ChangeTally::plus))
}

fn kind_shown(kind: store::ChangeKind) -> ChangeKind {
    match kind {
        store::ChangeKind::NewlyFailing => ChangeKind::NewlyFailing,
        store::ChangeKind::Fixed => ChangeKind::Fixed,
        store::ChangeKind::Gone => ChangeKind::Gone,
        store::ChangeKind::NotRechecked => ChangeKind::NotRechecked,
        store::ChangeKind::StillFailing => ChangeKind::StillFailing,
        store::ChangeKind::Dismissed => ChangeKind::Dismissed,
    }
}

fn kind_stored(kind: ChangeKind) -> store::ChangeKind {
    match kind {
        ChangeKind::NewlyFailing => store::ChangeKind::NewlyFailing,
        ChangeKind::Fixed => store::ChangeKind::Fixed,
        ChangeKind::Gone => store::ChangeKind::Gone,
        ChangeKind::NotRechecked => store::ChangeKind::NotRechecked,
        ChangeKind::StillFailing => store::ChangeKind::StillFailing,
        ChangeKind::Dismissed => store::ChangeKind::Dismissed,
    }
}

fn row_change(difference: &RowDifference) -> RowChange {
    let kind = match (difference.before.is_empty(), difference.after.is_empty()) {
        (true, _) => "added",
        (_, true) => "removed",
        (false, false) => "changed",
    };
    let mut fields: Vec<FieldChange> = difference
        .fields()
        .into_iter()
        .map(|field| FieldChange {
            path: field.path.join("."),
            before: field.before.as_ref().map(shown_value),
            after: field.after.as_ref().map(shown_value),
        })
        .collect();
    match (difference.before.as_slice(), difference.after.as_slice()) {
        ([before], [after]) => {
            if before.row.label != after.row.label {
                let name = |row: &StoredRow| Some(shown_value(&row.row.label.as_str().into()));
                fields.push(FieldChange { path: "(name)".into(), before: name(before), after: name(after) });
            }
            fields.extend(fault_changes(before, after));
        }
        // New, no longer there, or several of one key: all that was kept of each.
        (before, after) => {
            fields.extend(before.iter().flat_map(kept).map(|(path, value)| FieldChange { path, before: Some(value), after: None }));
            fields.extend(after.iter().flat_map(kept).map(|(path, value)| FieldChange { path, before: None, after: Some(value) }));
        }
    }
    let named = difference.after.first().or(difference.before.first());
    RowChange {
        key: difference.key.0.clone(),
        label: named.map(|row| row.row.label.clone()).unwrap_or_default(),
        kind: kind.to_owned(),
        fields,
    }
}

fn kept(row: &StoredRow) -> Vec<(String, String)> {
    row.row.fields.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), shown_value(value))).collect()
}

/// Values that were given but not understood are no values: that they were is told as it is.
fn fault_changes(before: &StoredRow, after: &StoredRow) -> Vec<FieldChange> {
    let of = |row: &StoredRow| row.row.faults.iter().cloned().collect::<BTreeMap<String, String>>();
    let (earlier, later) = (of(before), of(after));
    let paths: BTreeMap<&String, ()> = earlier.keys().chain(later.keys()).map(|path| (path, ())).collect();
    let told = |why: Option<&String>| why.map(|why| format!("not understood: {why}"));
    paths
        .into_keys()
        .filter(|path| earlier.get(*path) != later.get(*path))
        .map(|path| FieldChange { path: path.clone(), before: told(earlier.get(path)), after: told(later.get(path)) })
        .collect()
}
