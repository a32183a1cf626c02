//! The daily digest: what an administrator is told once a day, in the window, as a page and by mail.

use crate::{
    Console,
    activity::{begin_file, finish_file, not_written},
    attestations::counts_of,
    browse,
    console::{Open, expire_decisions},
    health::{health, unknown_application},
    instances::tallies,
    mail,
    manual_instances::is_manual,
    schedule::{Plan, SCHEDULE},
    score::score,
    screen::{AttestationCounts, Cause, Digest, DigestDay, DigestEntry, DigestKind, Failure, Health, Severity, SeverityCounts},
    settings::{stored, time_of_day},
    start::user,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use report::{DigestLine, DigestOwner, DigestReport, DigestSection};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::Path,
};
use store::{Act, HistoryWindow, Instance, InstanceId, Scan, ScanState};

/// How far back the first digest looks, and one that is made although the last is older.
const FIRST: SignedDuration = SignedDuration::from_hours(24);
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most checks with new findings that are listed; what is left is counted.
const LISTED: usize = 20;
/// Scans of an instance that are looked through.
const SCANS: u32 = 100;
/// A credential is told of from so long before its end; one that dies unless it is used from a week before, because scans use it.
const ENDS_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);
const UNUSED_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The code of a mail of which nobody knows whether it arrived.
const UNKNOWN: &str = "E-MAIL-UNKNOWN";

/// What is told of an instance that was in trouble before.
const UP_AGAIN: &str = "Up again";

/// A digest as it is stored.
#[derive(Serialize, Deserialize)]
struct Body {
    digest: Digest,
    /// The newest line of the history of findings when it was made.
    line: i64,
    /// The newest turn of any instance's health then.
    turn: i64,
}

impl Console {
    /// The digest of a day; without one that of today, or what it would say if it were made now.
    ///
    /// # Errors
    /// When there is none of that day, or the database cannot be read.
    pub async fn digest(&self, day: Option<&str>) -> Result<Digest, Failure> {
        let day = day.map(parse_day).transpose()?;
        let console = self.clone();
        self.with_current(move |open| match day {
            Some(day) => open.store.digest(day)?.map(shown).transpose()?.ok_or_else(|| none_of(day)),
            None => console.todays(&open),
        })
        .await
    }

    /// Every digest that is kept, newest first.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn digests(&self) -> Result<Vec<DigestDay>, Failure> {
        self.with_open(|open| {
            let row = |stored: store::Digest| {
                let digest = shown(stored)?;
                Ok(DigestDay {
                    day: digest.day,
                    made_at: digest.made_at,
                    quiet: digest.quiet,
                    summary: digest.summary,
                    mailed_at: digest.mailed_at,
                    mail_failure: digest.mail_failure,
                })
            };
            open.store.digests()?.into_iter().map(row).collect()
        })
        .await
    }

    /// The digest of [`Console::digest`] as a page that needs nothing else.
    ///
    /// # Errors
    /// As [`Console::digest`].
    pub async fn digest_page(&self, day: Option<&str>) -> Result<String, Failure> {
        Ok(report::digest_html(&report(&self.digest(day).await?, &self.inner.options.zone)))
    }

    /// The same as text.
    ///
    /// # Errors
    /// As [`Console::digest`].
    pub async fn digest_text(&self, day: Option<&str>) -> Result<String, Failure> {
        Ok(report::digest_text(&report(&self.digest(day).await?, &self.inner.options.zone)))
    }

    /// Writes the page to a file, which appears whole or not at all. Answers where.
    ///
    /// # Errors
    /// As [`Console::digest`], or when the file cannot be written.
    pub async fn save_digest(&self, day: Option<&str>, path: &Path) -> Result<String, Failure> {
        let page = self.digest_page(day).await?;
        let (path, now) = (path.to_owned(), self.now());
        self.with_open(move |open| {
            let mut file = begin_file(&path)?;
            file.write_all(page.as_bytes()).map_err(|error| not_written(&path, &error))?;
            finish_file(file, &path)?;
            let shown = path.display().to_string();
            open.store.record_act(&Act::new(now, user(), "digest saved", &shown))?;
            Ok(shown)
        })
        .await
    }

    /// Mails the digest of today, which is made if it is not yet, whether or not it was mailed before. Answers it.
    ///
    /// # Errors
    /// When no mail is set, or why it was not sent; that is kept with the digest.
    pub async fn send_digest(&self) -> Result<Digest, Failure> {
        let console = self.clone();
        let (post, digest) = self
            .with_current(move |open| {
                let post = mail::post(&open)?.ok_or_else(mail::not_set)?;
                console.make(&open, &user())?;
                let today = console.today();
                Ok((post, open.store.digest(today)?.ok_or_else(|| none_of(today))?))
            })
            .await?;
        self.mail_digest(&post, digest, user()).await
    }

    /// Makes the digest of today if its time has come and nobody has, and mails it where mail is set: once, and after a failure
    /// again, ever more rarely, as long as it is today. A login that was refused is not tried again by itself: it stays refused. Nor
    /// is a mail of which nobody knows whether it arrived.
    /// Says whether it made one.
    ///
    /// # Errors
    /// When the database cannot be read or written, or why it was not mailed; the digest is made all the same.
    pub async fn serve_digest(&self) -> Result<bool, Failure> {
        let console = self.clone();
        let (made, sending) = self
            .with_open(move |open| {
                let (now, today) = (console.now(), console.today());
                let Some(at) = stored(&open)?.digest_at else { return Ok((false, None)) };
                if now.to_zoned(console.inner.options.zone.clone()).time() < time_of_day(&at)? {
                    return Ok((false, None));
                }
                let there = open.store.digest(today)?;
                let made = there.is_none() && !open.store.instances()?.is_empty() && {
                    if let Err(error) = open.store.expire_attestations(now) {
                        tracing::warn!(code = error.code(), "findings whose attestation has ended could not be marked");
                    }
                    expire_decisions(&open, now);
                    console.make(&open, SCHEDULE)?
                };
                let Some(digest) = open.store.digest(today)?.filter(|digest| is_to_be_mailed(digest, now)) else {
                    return Ok((made, None));
                };
                match mail::post(&open) {
                    Ok(post) => Ok((made, post.map(|post| (post, digest)))),
                    // A password that cannot be opened is a mail that was not sent: kept, and tried again as such.
                    Err(failure) => {
                        let kept = serde_json::to_value(&failure).map_err(|error| unreadable(&error))?;
                        open.store.claim_digest_mail(today, digest.mail_tries, now, &kept)?;
                        Err(failure)
                    }
                }
            })
            .await?;
        if let Some((post, digest)) = sending {
            self.mail_digest(&post, digest, SCHEDULE.to_owned()).await?;
        }
        Ok(made)
    }

    /// Mails a digest unless somebody else does at this moment, and keeps what came of it.
    async fn mail_digest(&self, post: &mail::Post, digest: store::Digest, who: String) -> Result<Digest, Failure> {
        let (day, seen, now) = (digest.day, digest.mail_tries, self.now());
        let letter = shown(digest)?;
        // What stays if this process ends in between: the server may have the mail.
        let meanwhile = Failure::new(
            UNKNOWN,
            "Mailing this digest was begun, and what came of it is not known.",
            "It may be under way for a quarter of an hour. After that, look whether the mail has arrived before you send it again.",
        );
        let meanwhile = serde_json::to_value(&meanwhile).map_err(|error| unreadable(&error))?;
        if !self.with_open(move |open| Ok(open.store.claim_digest_mail(day, seen, now, &meanwhile)?)).await? {
            return Err(Failure::new(
                "E-MAIL-BUSY",
                "Another process is mailing this digest.",
                "See in a minute what came of it, before sending it again.",
            ));
        }
        let sent = self.send_letter_of(post, &letter, who).await;
        let (mailed_at, failure) = match &sent {
            Ok(sent) if sent.refused.is_empty() => (Some(self.now()), None),
            Ok(sent) => {
                let refused = Failure::new(
                    "E-MAIL-RECIPIENTS",
                    format!("The mail server did not take the mail for {}; the others have the digest.", sent.refused.join(", ")),
                    "Check recipients that were refused in the mail settings; for those that were put off, send it again later.",
                );
                (Some(self.now()), Some(refused))
            }
            Err(failure) => (None, Some(failure.clone())),
        };
        let kept = self
            .with_open(move |open| {
                let failure = failure.as_ref().map(serde_json::to_value).transpose().map_err(|error| unreadable(&error))?;
                open.store.set_digest_mailed(day, mailed_at, failure.as_ref())?;
                open.store.digest(day)?.map(shown).transpose()?.ok_or_else(|| none_of(day))
            })
            .await;
        sent?;
        kept
    }

    fn today(&self) -> Date {
        self.now().to_zoned(self.inner.options.zone.clone()).date()
    }

    fn todays(&self, open: &Open) -> Result<Digest, Failure> {
        match open.store.digest(self.today())? {
            Some(stored) => shown(stored),
            None => Ok(self.body(open)?.digest),
        }
    }

    /// Makes and stores the digest of today, unless that is done; says whether it did.
    fn make(&self, open: &Open, who: &str) -> Result<bool, Failure> {
        let (today, now) = (self.today(), self.now());
        if open.store.digest(today)?.is_some() {
            return Ok(false);
        }
        let mut body = self.body(open)?;
        body.digest.stored = true;
        let since = body.digest.since.parse().unwrap_or(now);
        let act = Act::new(now, who, "digest made", today.to_string());
        let value = serde_json::to_value(&body).map_err(|error| unreadable(&error))?;
        Ok(open.store.insert_digest(today, now, since, &value, &act)?)
    }

    /// What is to be told now.
    fn body(&self, open: &Open) -> Result<Body, Failure> {
        let now = self.now();
        // A digest of a clock that was wrong is none before this one.
        let before = open.store.digests()?.into_iter().find(|digest| digest.made_at <= now);
        let body_before: Option<Body> = before.as_ref().and_then(|digest| serde_json::from_value(digest.body.clone()).ok());
        let earliest = now.checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
        let since = match &before {
            Some(before) => before.made_at.max(earliest),
            None => now.checked_sub(FIRST).unwrap_or(Timestamp::MIN),
        };
        // Read before anything else: what is stored from now on is the next one's.
        let (line, turn) = (open.store.newest_history_line()?, open.store.newest_turn()?);
        let window = HistoryWindow { since, line: body_before.as_ref().map_or(i64::MAX, |body| body.line), earliest };
        let instances = open.store.instances()?;
        let simulated_only = !instances.is_empty() && instances.iter().all(|instance| instance.sandbox);
        let real: BTreeMap<InstanceId, Instance> =
            instances.into_iter().filter(|instance| !instance.sandbox).map(|instance| (instance.id, instance)).collect();

        let turned = match &body_before {
            Some(body) => open.store.turns_later_than(body.turn)?,
            None => open.store.turns(None, since)?,
        };
        // A first scan is no turn.
        let turned = turned.into_iter().filter(|turn| turn.at > earliest && !turn.before.is_empty()).map(|turn| turn.instance).collect();
        let mut telling = Telling { console: self, open, now, since, turned, entries: Vec::new() };
        let (new, unlisted) = telling.new_findings(&real, window)?;
        let (fixed, gone) = telling.ended(&real, window)?;
        telling.instances(&real)?;
        telling.credentials(&real)?;
        let entries = telling.entries;
        let score = self.score_of(open, real.values())?;
        let score_before = body_before.and_then(|body| body.digest.score);
        let quiet = entries.is_empty();
        let mut digest = Digest {
            day: self.today().to_string(),
            made_at: now.to_string(),
            since: since.to_string(),
            stored: false,
            quiet,
            summary: Vec::new(),
            score,
            score_before,
            new,
            unlisted,
            fixed,
            gone,
            entries,
            mailed_at: None,
            mail_failure: None,
        };
        digest.summary = match (real.is_empty(), simulated_only) {
            (true, true) => vec!["Only simulated tenants are here, and a digest never tells of them.".to_owned()],
            (true, false) => vec!["No instance is here yet.".to_owned()],
            (false, _) => summary(&digest),
        };
        Ok(Body { digest, line, turn })
    }

    fn score_of<'a>(&self, open: &Open, instances: impl Iterator<Item = &'a Instance>) -> Result<Option<u32>, Failure> {
        let mut checks = Vec::new();
        for instance in instances {
            if let Some(scan) = open.store.last_complete_scan(instance.id)? {
                // Of an application that the catalog lacks, what is open still counts.
                let app = self.app(&instance.app).ok();
                let not_monitored = crate::decisions::unmonitored(&open.store, instance.id, self.now())?;
                let known = app.as_ref().map_or(&[][..], |app| app.checks.as_slice());
                checks.extend(tallies(&open.store, known, instance.id, &scan, &not_monitored)?);
            }
        }
        Ok(score(checks).map(|score| score.value))
    }
}

/// What is gathered of one digest.
struct Telling<'a> {
    console: &'a Console,
    open: &'a Open,
    now: Timestamp,
    since: Timestamp,
    /// Instances whose health became another.
    turned: BTreeSet<InstanceId>,
    entries: Vec<DigestEntry>,
}

impl Telling<'_> {
    fn tell(&mut self, kind: DigestKind, instance: &Instance, severity: Option<Severity>, count: u32, what: String, detail: String) {
        self.entries.push(DigestEntry {
            kind,
            instance: instance.id.to_string(),
            app_name: self.console.app(&instance.app).map_or_else(|_| instance.app.clone(), |app| app.name.clone()),
            instance_name: instance.name.clone(),
            owner: instance.owner.clone(),
            severity,
            count,
            what,
            detail,
        });
    }

    /// New findings by severity, and how many of them no entry stands for.
    fn new_findings(&mut self, real: &BTreeMap<InstanceId, Instance>, window: HistoryWindow) -> Result<(SeverityCounts, u32), Failure> {
        let (mut new, mut unlisted, mut listed) = (SeverityCounts::default(), 0, 0);
        for failing in self.open.store.newly_failing(window)? {
            let Some(instance) = real.get(&failing.instance) else { continue };
            let severity = browse::severity(failing.severity);
            *match severity {
                Severity::Critical => &mut new.critical,
                Severity::High => &mut new.high,
                Severity::Medium => &mut new.medium,
                Severity::Low => &mut new.low,
                Severity::Info => &mut new.info,
            } += failing.count;
            if listed == LISTED {
                unlisted += failing.count;
                continue;
            }
            listed += 1;
            let detail = if failing.count == 1 { String::new() } else { format!("{} findings", failing.count) };
            self.tell(DigestKind::NewFinding, instance, Some(severity), failing.count, failing.title, detail);
        }
        Ok((new, unlisted))
    }

    /// How many findings were fixed, and how many are gone.
    fn ended(&mut self, real: &BTreeMap<InstanceId, Instance>, window: HistoryWindow) -> Result<(u32, u32), Failure> {
        let (mut fixed, mut gone) = (0, 0);
        for ended in self.open.store.ended(window)? {
            let Some(instance) = real.get(&ended.instance) else { continue };
            fixed += ended.fixed;
            gone += ended.gone;
            let what = match (ended.fixed, ended.gone) {
                (fixed, 0) => format!("{} fixed", counted(fixed, "finding was", "findings were")),
                (0, gone) => format!("{} gone", counted(gone, "finding is", "findings are")),
                (fixed, gone) => format!("{} fixed, {gone} gone", counted(fixed, "finding was", "findings were")),
            };
            self.tell(DigestKind::Ended, instance, None, ended.fixed + ended.gone, what, String::new());
        }
        Ok((fixed, gone))
    }

    fn instances(&mut self, real: &BTreeMap<InstanceId, Instance>) -> Result<(), Failure> {
        let plan = Plan::read(self.console, self.open)?;
        for instance in real.values() {
            let app = match self.console.app(&instance.app) {
                Ok(app) => app,
                Err(unknown) => {
                    let cause = unknown_application(&unknown);
                    self.tell(DigestKind::Health, instance, None, 1, "Down".to_owned(), words(Some(&cause)));
                    continue;
                }
            };
            let due = counts_of(&self.open.store, &app, instance, self.now)?;
            if let Some((count, what)) = attestations(due) {
                let detail = "Answer them on the instance's page, Attestations.".to_owned();
                self.tell(DigestKind::Attestation, instance, None, count, what, detail);
            }
            if is_manual(instance, &app) {
                continue;
            }
            // One that is under way says nothing yet.
            let scans = self.open.store.scans(instance.id, SCANS)?;
            let running = scans.first().is_some_and(|scan| scan.state == ScanState::Running);
            let scans: Vec<Scan> = scans.into_iter().filter(|scan| scan.state != ScanState::Running).collect();
            let complete = self.open.store.last_complete_scan(instance.id)?;
            let (state, cause) = health(&self.open.store, &app, scans.first(), complete.as_ref())?;
            let turned = self.turned.contains(&instance.id);
            let what = match state {
                Health::Down => Some("Down"),
                Health::Unhealthy => Some("Unhealthy"),
                Health::Unknown | Health::Scanning => (!running).then_some("Never scanned whole"),
                Health::Up if turned => Some(UP_AGAIN),
                Health::Up | Health::Manual => None,
            };
            if let Some(what) = what {
                let new = if turned && state != Health::Up { " now" } else { "" };
                self.tell(DigestKind::Health, instance, None, 1, format!("{what}{new}"), words(cause.map(Cause::from).as_ref()));
            }
            let failed: Vec<&Scan> = scans
                .iter()
                .filter(|scan| scan.state == ScanState::Failed && scan.finished_at.is_some_and(|at| at > self.since && at <= self.now))
                .collect();
            if let Some(last) = failed.first() {
                let count = u32::try_from(failed.len()).unwrap_or(u32::MAX);
                let cause = last.cause.clone().map(Cause::from);
                self.tell(
                    DigestKind::FailedScan,
                    instance,
                    None,
                    count,
                    format!("{} failed", counted(count, "scan", "scans")),
                    words(cause.as_ref()),
                );
            }
            let waits = plan.waits_since(&self.open.store, instance)?;
            let read_at = complete.and_then(|scan| scan.finished_at);
            let told = matches!(state, Health::Unknown | Health::Scanning);
            if let Some((what, detail)) = self.unread(waits, read_at, running, told) {
                self.tell(DigestKind::NotScanned, instance, None, 1, what, detail);
            }
        }
        Ok(())
    }

    /// What is told of an instance that waits for its scan since a time, or that nothing was read of since the digest before: of it
    /// nobody knows that nothing has changed. `told` is whether it is told already that it was never scanned whole.
    fn unread(&self, waits: Option<Timestamp>, read_at: Option<Timestamp>, running: bool, told: bool) -> Option<(String, String)> {
        let on = |at: Timestamp, form: &str| at.to_zoned(self.console.inner.options.zone.clone()).strftime(form).to_string();
        if let Some(since) = waits {
            let detail = "Scans run by themselves only while Posture Console is open, or by `posture scan --due`.".to_owned();
            return Some((format!("Due on {}, and not scanned yet", on(since, "%-d %B, %H:%M")), detail));
        }
        // A clock that was ahead when it was read says nothing of when that was.
        if read_at.is_some_and(|at| at > self.since && at <= self.now) {
            return None;
        }
        let last = match read_at {
            Some(at) if at > self.now => "Last read at a time that lies ahead of this computer's clock".to_owned(),
            Some(at) => format!("Not read since {}", on(at, "%-d %B %Y, %H:%M")),
            None => "Not read yet".to_owned(),
        };
        if running {
            return Some(("Being scanned".to_owned(), format!("{last}. What the scan finds comes with the next digest.")));
        }
        (!told).then(|| (last, "Whether something has changed there since then is not known. Scan it, or give it a schedule.".to_owned()))
    }

    fn credentials(&mut self, real: &BTreeMap<InstanceId, Instance>) -> Result<(), Failure> {
        let credentials = self.open.store.credentials()?;
        let mut ends: Vec<_> = credentials.iter().filter_map(|(id, credential)| Some((credential.end?, real.get(id)?))).collect();
        ends.sort_by_key(|(end, instance)| (end.at, instance.id));
        for (end, instance) in ends {
            let unused = end.by == store::EndsBy::Unused;
            let left = end.at.duration_since(self.now);
            if left > if unused { UNUSED_WITHIN } else { ENDS_WITHIN } {
                continue;
            }
            let on = end.at.to_zoned(self.console.inner.options.zone.clone()).strftime("%-d %B %Y, %H:%M");
            // Of a use by another program the console hears nothing.
            let unless = if unused { ", unless it was used elsewhere" } else { "" };
            let what = if left <= SignedDuration::ZERO {
                format!("The credential ended on {on}{unless}")
            } else {
                // The rest of a day is a day less, never one more.
                match left.as_hours() / 24 {
                    0 => format!("The credential ends within a day, on {on}{unless}"),
                    days => {
                        let days = counted(u32::try_from(days).unwrap_or(u32::MAX), "day", "days");
                        format!("The credential ends in {days} ({on}){unless}")
                    }
                }
            };
            let detail = match (unused, left > SignedDuration::ZERO) {
                (true, true) => "It dies unless it is used: scan the instance, or reauthenticate.",
                (false, true) => "Make a new one and reauthenticate before then.",
                (true, false) => "Scan the instance, and reauthenticate with a new one if that is refused.",
                (false, false) => "Reauthenticate with a new one.",
            };
            self.tell(DigestKind::CredentialEnds, instance, None, 1, what, detail.to_owned());
        }
        Ok(())
    }
}

/// Whether a digest of today is to be handed to the mail server now.
fn is_to_be_mailed(digest: &store::Digest, now: Timestamp) -> bool {
    if digest.mailed_at.is_some() {
        return false;
    }
    let code = digest.mail_failure.as_ref().and_then(|failure| failure.get("code"));
    let for_a_person = code.is_some_and(|code| code == "E-MAIL-LOGIN" || code == UNKNOWN);
    !for_a_person && digest.mail_tried_at.is_none_or(|tried_at| mail::again_at(digest.mail_tries, tried_at) <= now)
}

/// A stored digest as it is shown.
fn shown(stored: store::Digest) -> Result<Digest, Failure> {
    let body: Body = serde_json::from_value(stored.body).map_err(|error| unreadable(&error))?;
    Ok(Digest {
        stored: true,
        mailed_at: stored.mailed_at.map(|at| at.to_string()),
        mail_failure: stored.mail_failure.and_then(|failure| serde_json::from_value(failure).ok()),
        ..body.digest
    })
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::new("E-DIGEST-UNREADABLE", format!("A digest is not as it was stored: {error}."), "Look at another day; report it.")
}

fn parse_day(text: &str) -> Result<Date, Failure> {
    text.parse().map_err(|_| Failure::new("E-DIGEST-DAY", format!("\"{text}\" is no day."), "Write it as 2026-11-22."))
}

fn none_of(day: Date) -> Failure {
    Failure::new("E-NOT-FOUND", format!("There is no digest of {day}."), "Choose one of the list: a hundred days are kept.")
}

/// `1 finding`, `3 findings`.
fn counted(count: u32, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn words(cause: Option<&Cause>) -> String {
    cause.map_or_else(String::new, |cause| format!("{} {}", cause.sentence, cause.remedy).trim().to_owned())
}

/// How many manual checks wait for an answer, and in which words; nothing when none does.
fn attestations(counts: AttestationCounts) -> Option<(u32, String)> {
    let ended = counts.expired + counts.withdrawn;
    let count = counts.due + ended + counts.due_soon;
    let parts: Vec<String> = [(counts.due, "never attested"), (ended, "expired or withdrawn"), (counts.due_soon, "due soon")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    (count > 0).then(|| (count, format!("{}: {}", counted(count, "manual check is due", "manual checks are due"), parts.join(", "))))
}

/// All of a digest of real instances in a few sentences.
fn summary(digest: &Digest) -> Vec<String> {
    let mut sentences = Vec::new();
    match (digest.score, digest.score_before) {
        (Some(now), Some(before)) if now > before => {
            sentences.push(format!("The score is {now} %, {} more than in the last digest.", counted(now - before, "point", "points")));
        }
        (Some(now), Some(before)) if now < before => {
            sentences.push(format!("The score is {now} %, {} less than in the last digest.", counted(before - now, "point", "points")));
        }
        (Some(now), Some(_)) => sentences.push(format!("The score is {now} %, as in the last digest.")),
        (Some(now), None) => sentences.push(format!("The score is {now} %.")),
        (None, _) => sentences.push("There is no score yet: nothing was scanned whole.".to_owned()),
    }
    if digest.quiet {
        sentences.push("Nothing else to tell: no finding is new or ended, no instance is in trouble, nothing is due.".to_owned());
        return sentences;
    }
    let new = &digest.new;
    let by_severity: Vec<String> =
        [(new.critical, "critical"), (new.high, "high"), (new.medium, "medium"), (new.low, "low"), (new.info, "info")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
    let total = new.critical + new.high + new.medium + new.low + new.info;
    let new = match total {
        0 => "No finding is new".to_owned(),
        _ => format!("{} new ({})", counted(total, "finding is", "findings are"), by_severity.join(", ")),
    };
    sentences.push(format!("{new}; {} fixed, {} gone.", counted(digest.fixed, "was", "were"), counted(digest.gone, "is", "are")));
    if digest.unlisted > 0 {
        sentences.push(format!("{} new ones are not listed below; the page Findings has them all.", digest.unlisted));
    }
    let instances = |kind: DigestKind| digest.entries.iter().filter(|entry| entry.kind == kind).collect::<Vec<_>>();
    let of = |kind: DigestKind| u32::try_from(instances(kind).len()).unwrap_or(u32::MAX);
    let troubled = instances(DigestKind::Health).into_iter().filter(|entry| entry.what != UP_AGAIN).count();
    for (count, one, more) in [
        (u32::try_from(troubled).unwrap_or(u32::MAX), "instance is not up", "instances are not up"),
        (instances(DigestKind::FailedScan).iter().map(|entry| entry.count).sum(), "scan failed", "scans failed"),
        (of(DigestKind::NotScanned), "instance waits for its scan or was not read", "instances wait for their scans or were not read"),
        (of(DigestKind::CredentialEnds), "credential ends soon or has ended", "credentials end soon or have ended"),
        (instances(DigestKind::Attestation).iter().map(|entry| entry.count).sum(), "manual check is due", "manual checks are due"),
    ] {
        if count > 0 {
            sentences.push(format!("{}.", counted(count, one, more)));
        }
    }
    sentences
}

/// A digest as a page or a mail tells it: by owner, the worst first.
pub(crate) fn report(digest: &Digest, zone: &TimeZone) -> DigestReport {
    let at = |text: &str| {
        text.parse::<Timestamp>()
            .map_or_else(|_| text.to_owned(), |at| at.to_zoned(zone.clone()).strftime("%-d %B %Y, %H:%M %Z").to_string())
    };
    let owners: BTreeSet<&str> = digest.entries.iter().map(|entry| entry.owner.as_str()).collect();
    // Instances without an owner are everybody's, so they come last.
    let (nobody, somebody): (Vec<&str>, Vec<&str>) = owners.into_iter().partition(|owner| owner.is_empty());
    DigestReport {
        title: format!("Daily digest of {}", digest.day),
        about: format!("From {} to {}. Made by Posture Console on this computer.", at(&digest.since), at(&digest.made_at)),
        score: digest.score,
        summary: digest.summary.clone(),
        owners: somebody
            .into_iter()
            .chain(nobody)
            .map(|owner| DigestOwner {
                owner: owner.to_owned(),
                sections: KINDS
                    .iter()
                    .filter_map(|(kind, title)| {
                        let lines: Vec<DigestLine> =
                            digest.entries.iter().filter(|entry| entry.owner == owner && entry.kind == *kind).map(line).collect();
                        (!lines.is_empty()).then(|| DigestSection { title: (*title).to_owned(), lines })
                    })
                    .collect(),
            })
            .collect(),
    }
}

/// The sections of a digest, in their order.
const KINDS: [(DigestKind, &str); 7] = [
    (DigestKind::Health, "Health of instances"),
    (DigestKind::FailedScan, "Scans that failed"),
    (DigestKind::NotScanned, "Not scanned"),
    (DigestKind::CredentialEnds, "Credentials that end"),
    (DigestKind::NewFinding, "New findings"),
    (DigestKind::Ended, "Fixed and gone"),
    (DigestKind::Attestation, "Manual checks"),
];

fn line(entry: &DigestEntry) -> DigestLine {
    DigestLine {
        severity: entry.severity.map(|severity| match severity {
            Severity::Info => catalog::Severity::Info,
            Severity::Low => catalog::Severity::Low,
            Severity::Medium => catalog::Severity::Medium,
            Severity::High => catalog::Severity::High,
            Severity::Critical => catalog::Severity::Critical,
        }),
        what: entry.what.clone(),
        place: format!("{}, {}", entry.app_name, entry.instance_name),
        detail: entry.detail.clone(),
    }
}
