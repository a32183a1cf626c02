//! Manual checks: what is due, attesting and withdrawing, files that are attached, and checks of the administrator's own.
//!
//! Nothing of it is ever a pass: what a person attested stands beside what was scanned, with who, when and until when.

use crate::{
    Console,
    activity::{Told, differences, told_own_check},
    browse::{console_link, of_screen, severity},
    catalog_document::feature,
    checked,
    console::Open,
    manual_instances::is_manual,
    scan::instance_id,
    screen::{
        AttachedFile, Attestation, AttestationAnswer, AttestationCounts, AttestationList, AttestationStanding, AttestationState,
        ConsoleLink, Failure, FileToAttach, ManualCheck, NewAttestation, OwnCheck, OwnCheckDraft, SandboxScope, Withdrawal,
    },
    start::user,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use catalog::{App, CheckKind, Feature, MAX_VALID_DAYS, VALID_DAYS};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    path::Path,
    sync::Arc,
};
use store::{Act, AttestationId, AttestationWrite, FileWrite, Instance, InstanceId, OwnCheckVersion, Store};
use uuid::Uuid;

/// Longest note, in characters; as long as the text of an own check.
const NOTE: usize = 4_000;
/// Longest name of who attests, in characters.
const WHO: usize = 80;
/// Longest reason of a withdrawal, in characters.
const REASON: usize = 1_000;
/// Longest title of an own check, in characters.
const TITLE: usize = 200;
/// Longest step or recommended value of an own check, in characters.
const STEP: usize = 500;
/// Most steps of an own check.
const STEPS: usize = 20;
/// Most own checks of an instance.
const OWN_CHECKS: usize = 200;
/// Largest file that can be attached: 10 MiB.
const LARGEST: usize = 10 * 1024 * 1024;
/// Longest media type (RFC 6838, section 4.2: twice 127 characters and a slash).
const MEDIA_TYPE: usize = 255;
/// Days before its end at which an attestation is due soon, unless others are chosen.
const REMIND_DAYS: u32 = 30;
/// Most days of a reminder.
const MAX_REMIND_DAYS: u32 = 365;

impl AttestationCounts {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            due: self.due + other.due,
            attested: self.attested + other.attested,
            due_soon: self.due_soon + other.due_soon,
            expired: self.expired + other.expired,
            withdrawn: self.withdrawn + other.withdrawn,
        }
    }

    fn of(states: impl Iterator<Item = AttestationState>) -> Self {
        let mut counts = Self::default();
        for state in states {
            *match state {
                AttestationState::Due => &mut counts.due,
                AttestationState::Attested => &mut counts.attested,
                AttestationState::DueSoon => &mut counts.due_soon,
                AttestationState::Expired => &mut counts.expired,
                AttestationState::Withdrawn => &mut counts.withdrawn,
            } += 1;
        }
        counts
    }
}

impl FileToAttach {
    /// A file of this computer, as the terminal attaches it. No more is read than may be attached.
    ///
    /// # Errors
    /// When it cannot be read, is empty or larger than 10 MiB.
    pub fn read(path: &Path, media_type: &str) -> Result<Self, Failure> {
        let refused = |error: std::io::Error| {
            Failure::new("E-FILE", format!("{} could not be read: {error}.", path.display()), "Give the path of a file that you may read.")
        };
        let mut content = Vec::new();
        std::fs::File::open(path).map_err(refused)?.take(LARGEST as u64 + 1).read_to_end(&mut content).map_err(refused)?;
        size_is_right(content.len())?;
        Ok(Self {
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            media_type: media_type.to_owned(),
            content: STANDARD.encode(content),
        })
    }
}

impl Console {
    /// The manual checks of an instance: the catalog's and the administrator's own, what is due first.
    ///
    /// # Errors
    /// When there is no such instance or the database cannot be read.
    pub async fn attestations(&self, instance: &str) -> Result<AttestationList, Failure> {
        let id = instance_id(instance)?;
        let console = self.clone();
        self.with_current(move |open| {
            let rows = console.manual_checks(&open, &open.store.instance(id)?)?;
            Ok(AttestationList { counts: AttestationCounts::of(rows.iter().map(|row| row.state)), rows })
        })
        .await
    }

    /// Manual checks of all instances that are due, have ended, were withdrawn or are due soon; the counts are of all.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn attestations_due(&self, scope: SandboxScope) -> Result<AttestationList, Failure> {
        let console = self.clone();
        self.with_current(move |open| {
            let mut rows = Vec::new();
            for instance in open.store.instances()? {
                let wanted = match scope {
                    SandboxScope::Without => !instance.sandbox,
                    SandboxScope::Only => instance.sandbox,
                    SandboxScope::With => true,
                };
                if wanted {
                    rows.extend(console.manual_checks(&open, &instance)?);
                }
            }
            let counts = AttestationCounts::of(rows.iter().map(|row| row.state));
            rows.retain(|row| row.state != AttestationState::Attested);
            sort(&mut rows);
            Ok(AttestationList { counts, rows })
        })
        .await
    }

    /// Attests a manual check. *Not met* opens a finding, which a later *met* fixes; a scan does neither. Answers the check as it
    /// stands then.
    ///
    /// # Errors
    /// When a value is not right, there is no such manual check, or the database refuses.
    pub async fn attest(&self, attestation: NewAttestation, file: Option<FileToAttach>) -> Result<ManualCheck, Failure> {
        let id = instance_id(&attestation.instance)?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let instance = open.store.instance(id)?;
            let app = console.app(&instance.app)?;
            let question = asked(&open.store, &app, &instance, &attestation.check)?;
            let valid_until = valid_until(attestation.valid_until.as_deref(), question.valid_days, now)?;
            let who = match attestation.who.trim() {
                "" => user(),
                who => line(who, 1, WHO).ok_or_else(|| too_long("E-WHO", "who", "Who attests is named", WHO))?,
            };
            let remind_days = attestation.remind_days.unwrap_or(REMIND_DAYS);
            if remind_days > MAX_REMIND_DAYS {
                return Err(Failure::new(
                    "E-REMINDER",
                    format!("A reminder comes at most {MAX_REMIND_DAYS} days before the end."),
                    "Choose a smaller number of days.",
                )
                .on_field("remind_days"));
            }
            let answer = match attestation.answer {
                AttestationAnswer::Met => store::AttestationAnswer::Met,
                AttestationAnswer::NotMet => store::AttestationAnswer::NotMet,
                AttestationAnswer::NotApplicable => store::AttestationAnswer::NotApplicable,
            };
            let write = AttestationWrite {
                instance: id,
                check: question.check.clone(),
                asked: question.title.clone(),
                finding: question.finding.clone(),
                severity: question.severity,
                feature: question.feature,
                recommended: question.recommended.clone(),
                answer,
                who,
                recorded_by: user(),
                note: paragraphs(&attestation.note, 1, NOTE).ok_or_else(|| {
                    Failure::new(
                        "E-NOTE",
                        format!("An attestation needs a note of 1 to {NOTE} characters."),
                        "Write what you saw and where.",
                    )
                    .on_field("note")
                })?,
                valid_until,
                ends_at: end_of(valid_until)?,
                remind_days,
                file: file.map(attached).transpose()?,
            };
            let before = told_of(&open.store, id, &question.check, None)?;
            let after = told(answer, &write.who, valid_until);
            let act = act(now, "attested", &instance, &format!("{}: {}", question.title, words(answer))).from_to(before, after);
            open.store.attest(&write, &act)?;
            console.manual_check(&open, &instance, &question.check)
        })
        .await
    }

    /// Withdraws the last attestation of a check. The one before it holds again, if there is one; a finding that the withdrawn
    /// one opened is gone.
    ///
    /// # Errors
    /// When there is no such attestation, it no longer counts, no reason is given, or scans judge the check by now.
    pub async fn withdraw_attestation(&self, id: &str, reason: &str) -> Result<ManualCheck, Failure> {
        let id = attestation_id(id)?;
        let reason = paragraphs(reason, 1, REASON).ok_or_else(|| {
            Failure::new("E-REASON", format!("A withdrawal needs a reason of 1 to {REASON} characters."), "Write why it does not hold.")
                .on_field("reason")
        })?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let attestation = open.store.attestation(id)?;
            let instance = open.store.instance(attestation.instance)?;
            let app = console.app(&instance.app)?;
            let scanned = app.check(&attestation.check).is_some_and(|check| check.kind != CheckKind::Manual);
            if scanned && !is_manual(&instance, &app) {
                return Err(judged_by_scans(&attestation.check));
            }
            let before = told(attestation.answer, &attestation.who, attestation.valid_until);
            let after = told_of(&open.store, instance.id, &attestation.check, Some(id))?;
            let act = act(now, "attestation withdrawn", &instance, &attestation.asked).from_to(before, after);
            open.store.withdraw_attestation(id, &reason, &act)?;
            open.store.expire_attestations(now)?;
            console.manual_check(&open, &instance, &attestation.check)
        })
        .await
    }

    /// The file of an attestation, as it was given. It is never opened here.
    ///
    /// # Errors
    /// When there is none or the database cannot be read.
    pub async fn attestation_file(&self, id: &str) -> Result<(AttachedFile, Vec<u8>), Failure> {
        let id = attestation_id(id)?;
        self.with_open(move |open| {
            let (file, content) = open.store.attestation_file(id)?;
            Ok((attached_file(&file), content))
        })
        .await
    }

    /// The name under which the file of an attestation is offered for saving.
    ///
    /// # Errors
    /// When there is none or the database cannot be read.
    pub async fn attestation_file_name(&self, id: &str) -> Result<String, Failure> {
        let id = attestation_id(id)?;
        self.with_open(move |open| match open.store.attestation(id)?.file {
            Some(file) => Ok(file.name),
            None => Err(Failure::from(store::StoreError::NotFound { what: "attached file" })),
        })
        .await
    }

    /// Writes the file of an attestation, for this user's eyes only; it appears whole or not at all. Answers where.
    ///
    /// # Errors
    /// When there is none, or it cannot be written.
    pub async fn save_attestation_file(&self, id: &str, path: &Path) -> Result<String, Failure> {
        let attestation = attestation_id(id)?;
        let (path, now) = (path.to_owned(), self.now());
        self.with_open(move |open| {
            let (file, content) = open.store.attestation_file(attestation)?;
            let refused = |error: std::io::Error| {
                Failure::new(
                    "E-EXPORT",
                    format!("{} could not be written: {error}.", path.display()),
                    "Choose another folder, or make room on the disk.",
                )
            };
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut written = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
            written.write_all(&content).and_then(|()| written.as_file().sync_all()).map_err(refused)?;
            written.persist(&path).map_err(|error| refused(error.error))?;
            let instance = open.store.instance(open.store.attestation(attestation)?.instance)?;
            open.store.record_act(&act(now, "attached file saved", &instance, &file.name))?;
            Ok(path.display().to_string())
        })
        .await
    }

    /// The administrator's own checks of an instance, in the order in which they were written.
    ///
    /// # Errors
    /// When there is no such instance or the database cannot be read.
    pub async fn own_checks(&self, instance: &str) -> Result<Vec<OwnCheck>, Failure> {
        let id = instance_id(instance)?;
        self.with_open(move |open| Ok(own(&open.store, id)?.iter().map(own_screen).collect())).await
    }

    /// Adds an own check to an instance, or changes one. What it was before stays in its history; what was attested of it stays.
    ///
    /// # Errors
    /// When a value is not right, there is no such instance or check, or the database refuses.
    pub async fn save_own_check(&self, instance: &str, draft: OwnCheckDraft) -> Result<OwnCheck, Failure> {
        let id = instance_id(instance)?;
        let now = self.now();
        self.with_open(move |open| {
            let instance = open.store.instance(id)?;
            let known = own(&open.store, id)?;
            let what = if draft.id.is_some() { "check changed" } else { "check added" };
            let check_id = match draft.id {
                Some(check) if known.iter().any(|version| version.check.id == check) => check,
                Some(_) => return Err(store::StoreError::NotFound { what: "check" }.into()),
                None if known.len() >= OWN_CHECKS => {
                    return Err(Failure::new(
                        "E-TOO-MANY-CHECKS",
                        format!("An instance has at most {OWN_CHECKS} checks of its own."),
                        "Remove one that is no longer asked.",
                    ));
                }
                None => new_check_id(),
            };
            let title = line(&draft.title, 1, TITLE).ok_or_else(|| {
                Failure::new(
                    "E-TITLE",
                    format!("A check needs a title of 1 to {TITLE} characters."),
                    "Write it as a statement that is true when it is met: \"Exports have an owner\".",
                )
                .on_field("title")
            })?;
            let steps: Vec<&str> = draft.steps.iter().map(|step| step.trim()).filter(|step| !step.is_empty()).collect();
            let steps: Option<Vec<String>> = steps.iter().map(|step| line(step, 1, STEP)).collect();
            let check = store::OwnCheck {
                id: check_id,
                title,
                severity: of_screen(draft.severity),
                why: paragraphs(&draft.why, 0, NOTE).ok_or_else(|| too_long("E-WHY", "why", "Why it matters is told", NOTE))?,
                steps: steps.filter(|steps| steps.len() <= STEPS).ok_or_else(|| {
                    Failure::new(
                        "E-STEPS",
                        format!("A check has at most {STEPS} steps of {STEP} characters, each in one line."),
                        "Shorten them.",
                    )
                    .on_field("steps")
                })?,
                recommended: line(&draft.recommended, 0, STEP)
                    .ok_or_else(|| too_long("E-RECOMMENDED", "recommended", "The recommended value is told", STEP))?,
            };
            let earlier = known.iter().find(|version| version.check.id == check.id);
            let earlier = earlier.map(|version| told_own_check(&version.check)).unwrap_or_default();
            let (before, after) = differences(&earlier, &told_own_check(&check));
            // Of a new check nothing was before.
            let before = if earlier.is_empty() { String::new() } else { before };
            let act = act(now, what, &instance, &check.title).from_to(before, after);
            open.store.save_own_check(id, &check, &finding_of("", &check.title), &act)?;
            Ok(own_screen(&OwnCheckVersion { check, at: now, who: user(), removed: false }))
        })
        .await
    }

    /// Removes an own check: it is asked no more and its finding is gone; what was attested of it stays in the database.
    ///
    /// # Errors
    /// When there is no such check or the database refuses.
    pub async fn remove_own_check(&self, instance: &str, check: &str) -> Result<(), Failure> {
        let id = instance_id(instance)?;
        let (check, now) = (check.to_owned(), self.now());
        self.with_open(move |open| {
            let instance = open.store.instance(id)?;
            let known = own(&open.store, id)?.into_iter().find(|version| version.check.id == check).map(|version| version.check);
            let known = known.ok_or(store::StoreError::NotFound { what: "check" })?;
            let (before, _) = differences(&told_own_check(&known), &Told::new());
            Ok(open.store.remove_own_check(id, &check, &act(now, "check removed", &instance, &known.title).from_to(before, ""))?)
        })
        .await
    }

    pub(crate) fn manual_checks(&self, open: &Open, instance: &Instance) -> Result<Vec<ManualCheck>, Failure> {
        let app = self.app(&instance.app)?;
        let now = self.now();
        let given = open.store.attestations(Some(instance.id))?;
        let findings = open_findings(&open.store, instance.id)?;
        let mut rows: Vec<ManualCheck> = questions(&open.store, &app, instance)?
            .into_iter()
            .map(|question| {
                let given = given.get(&(instance.id, question.check.clone())).map(Vec::as_slice).unwrap_or_default();
                let finding = findings.get(&question.check).cloned();
                manual_check(&app, instance, question, given, finding, now)
            })
            .collect();
        sort(&mut rows);
        Ok(rows)
    }

    fn manual_check(&self, open: &Open, instance: &Instance, check: &str) -> Result<ManualCheck, Failure> {
        let app = self.app(&instance.app)?;
        let now_asked = questions(&open.store, &app, instance)?.into_iter().find(|question| question.check == check);
        let question = match now_asked {
            Some(question) => question,
            // An own check that was removed.
            None => question_of(&open.store, &app, instance, check)?
                .unwrap_or_else(|| Question { check: check.to_owned(), ..Question::default() }),
        };
        let given = open.store.attestations(Some(instance.id))?.remove(&(instance.id, check.to_owned())).unwrap_or_default();
        let finding = open_findings(&open.store, instance.id)?.remove(check);
        Ok(manual_check(&app, instance, question, &given, finding, self.now()))
    }
}

/// How the manual checks of an instance stand.
pub(crate) fn counts_of(store: &Store, app: &App, instance: &Instance, now: Timestamp) -> Result<AttestationCounts, Failure> {
    let given = store.attestations(Some(instance.id))?;
    let states = questions(store, app, instance)?.into_iter().map(|question| {
        let given = given.get(&(instance.id, question.check.clone())).map(Vec::as_slice).unwrap_or_default();
        state(&question, given, now)
    });
    Ok(AttestationCounts::of(states))
}

/// What is asked of a person, or judged, whoever wrote it.
#[derive(Clone)]
pub(crate) struct Question {
    check: String,
    pub(crate) title: String,
    finding: String,
    severity: catalog::Severity,
    feature: Feature,
    own: bool,
    recommended: String,
    pub(crate) why: String,
    pub(crate) steps: Vec<String>,
    pub(crate) link: Option<ConsoleLink>,
    pub(crate) source: String,
    valid_days: u32,
}

impl Question {
    /// Whether an attestation answers what is asked now. Other words may be another question, and what was seen no answer to it.
    fn is_that_of(&self, attestation: &store::Attestation) -> bool {
        attestation.asked == self.title && attestation.recommended == self.recommended
    }
}

impl Default for Question {
    fn default() -> Self {
        Self {
            check: String::new(),
            title: String::new(),
            finding: String::new(),
            severity: catalog::Severity::Info,
            feature: Feature::Config,
            own: false,
            recommended: String::new(),
            why: String::new(),
            steps: Vec::new(),
            link: None,
            source: String::new(),
            valid_days: VALID_DAYS,
        }
    }
}

fn of_catalog(app: &App, check: &catalog::Check, instance: &Instance) -> Question {
    let answers = checked::answers(app, &instance.params);
    let recommended = answers
        .iter()
        .filter(|answer| answer.check == check.id)
        .fold(check.recommended.clone(), |text, answer| text.replace(&format!("{{params.{}}}", answer.param), &answer.value));
    Question {
        check: check.id.clone(),
        title: check.title.clone(),
        finding: finding_of(&check.finding, &check.title),
        severity: check.severity,
        feature: check.feature,
        own: false,
        recommended,
        why: check.why.clone(),
        steps: check.steps.clone(),
        link: check
            .link
            .as_ref()
            .map(|link| ConsoleLink { title: link.title.clone(), url: console_link(app, &link.url, &instance.inputs) }),
        source: check.source.clone(),
        valid_days: check.valid_days,
    }
}

fn of_own(version: OwnCheckVersion, instance: &Instance) -> Question {
    let check = version.check;
    Question {
        check: check.id,
        finding: finding_of("", &check.title),
        title: check.title,
        severity: check.severity,
        own: true,
        recommended: check.recommended,
        why: check.why,
        steps: check.steps,
        link: crate::manual_instances::console_link(instance),
        ..Question::default()
    }
}

/// What a check that is not met is called.
fn finding_of(finding: &str, title: &str) -> String {
    if finding.is_empty() { format!("Not as recommended: {title}") } else { finding.to_owned() }
}

/// Every manual check of an instance.
fn questions(store: &Store, app: &App, instance: &Instance) -> Result<Vec<Question>, Failure> {
    let manual = app.checks.iter().filter(|check| check.kind == CheckKind::Manual).map(|check| of_catalog(app, check, instance));
    let own = own(store, instance.id)?.into_iter().map(|version| of_own(version, instance));
    Ok(manual.chain(own).chain(asked_before(store, app, instance)?).collect())
}

/// What was attested of an instance that nobody signs in to, and is judged by scans where somebody does: it is no longer a manual
/// check of the application, but no scan takes its place here. In the words in which it was last answered.
fn asked_before(store: &Store, app: &App, instance: &Instance) -> Result<Vec<Question>, Failure> {
    if !is_manual(instance, app) {
        return Ok(Vec::new());
    }
    let given = store.attestations(Some(instance.id))?;
    let scanned = given.into_iter().filter_map(|((_, id), given)| {
        let check = app.check(&id).filter(|check| check.kind != CheckKind::Manual)?;
        let last = given.into_iter().next_back()?;
        Some(Question { title: last.asked, recommended: last.recommended, ..of_catalog(app, check, instance) })
    });
    Ok(scanned.collect())
}

/// A check by its id, manual or not; an own one also after it was removed. Of a lock, what its check asks.
pub(crate) fn question_of(store: &Store, app: &App, instance: &Instance, check: &str) -> Result<Option<Question>, Failure> {
    if let Some(locked) = store::locked_check(check) {
        return Ok(question_of(store, app, instance, locked)?
            .map(|question| Question { title: format!("Unchanged since it was locked: {}", question.title), ..question }));
    }
    if let Some(check) = app.check(check) {
        return Ok(Some(of_catalog(app, check, instance)));
    }
    Ok(store.own_check_history(instance.id, check)?.pop().map(|version| of_own(version, instance)))
}

/// A check that can be attested.
fn asked(store: &Store, app: &App, instance: &Instance, check: &str) -> Result<Question, Failure> {
    questions(store, app, instance)?.into_iter().find(|question| question.check == check).ok_or_else(|| match app.check(check) {
        Some(_) => judged_by_scans(check),
        None => not_manual(format!("{} has no manual check {check}.", instance.name)),
    })
}

fn judged_by_scans(check: &str) -> Failure {
    not_manual(format!("{check} is judged by scans; nobody attests it."))
}

fn not_manual(sentence: String) -> Failure {
    Failure::new("E-CHECK-NOT-MANUAL", sentence, "Choose one of the instance's manual checks; see `posture attestation list`.")
}

fn own(store: &Store, instance: InstanceId) -> Result<Vec<OwnCheckVersion>, Failure> {
    Ok(store.own_checks(Some(instance))?.remove(&instance).unwrap_or_default())
}

/// Open findings of an instance that were attested, by check.
fn open_findings(store: &Store, instance: InstanceId) -> Result<BTreeMap<String, String>, Failure> {
    let filter = store::FindingFilter {
        instances: vec![instance],
        states: vec![store::FindingState::Open],
        sandbox: store::SandboxScope::With,
        ..store::FindingFilter::default()
    };
    let found = store.findings(&filter, store::FindingSort::Severity, true, store::Slice::ALL)?.rows.into_iter();
    Ok(found.filter(|finding| finding.attested).map(|finding| (finding.check, finding.id.to_string())).collect())
}

fn manual_check(
    app: &Arc<App>,
    instance: &Instance,
    question: Question,
    given: &[store::Attestation],
    finding: Option<String>,
    now: Timestamp,
) -> ManualCheck {
    let last = given.iter().rev().find(|attestation| attestation.withdrawal.is_none());
    let today = day_of(now);
    let in_days = |days: u32| today.checked_add(i64::from(days).days()).unwrap_or(today).to_string();
    ManualCheck {
        instance: instance.id.to_string(),
        instance_name: instance.name.clone(),
        app: instance.app.clone(),
        app_name: app.name.clone(),
        sandbox: instance.sandbox,
        state: state(&question, given, now),
        current: last.map(|attestation| shown(attestation, Some(attestation), Some(&question), now)),
        history: given.iter().rev().map(|attestation| shown(attestation, last, Some(&question), now)).collect(),
        finding,
        valid_until_default: in_days(question.valid_days),
        valid_until_latest: in_days(MAX_VALID_DAYS),
        remind_days_default: REMIND_DAYS,
        check: question.check,
        title: question.title,
        severity: severity(question.severity),
        feature: feature(question.feature).to_owned(),
        own: question.own,
        recommended: question.recommended,
        why: question.why,
        steps: question.steps,
        link: question.link,
        source: question.source,
    }
}

/// Where a check stands, from all that was attested of it, oldest first.
fn state(question: &Question, given: &[store::Attestation], now: Timestamp) -> AttestationState {
    match given.iter().rev().find(|attestation| attestation.withdrawal.is_none()) {
        None if given.is_empty() => AttestationState::Due,
        None => AttestationState::Withdrawn,
        Some(last) if !question.is_that_of(last) => AttestationState::Due,
        Some(last) if last.ends_at <= now => AttestationState::Expired,
        Some(last) if reminds_at(last) <= now => AttestationState::DueSoon,
        Some(_) => AttestationState::Attested,
    }
}

/// The first day on which it is due soon; after its end when it has no reminder.
fn remind_from(attestation: &store::Attestation) -> Date {
    let end = attestation.valid_until;
    end.tomorrow().and_then(|after| after.checked_sub(i64::from(attestation.remind_days).days())).unwrap_or(end)
}

/// When it is due soon: whole days before its end, which is the end of a day where it was attested. Told by moments, like the end
/// itself, so that both hold wherever this computer is taken.
fn reminds_at(attestation: &store::Attestation) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(attestation.remind_days));
    attestation.ends_at.checked_sub(days).unwrap_or(Timestamp::MIN)
}

/// An attestation as it is shown, beside the last one of its check that was not withdrawn and what is asked now, if it still is.
pub(crate) fn shown(
    attestation: &store::Attestation,
    last: Option<&store::Attestation>,
    question: Option<&Question>,
    now: Timestamp,
) -> Attestation {
    let standing = match (&attestation.withdrawal, last) {
        (Some(_), _) => AttestationStanding::Withdrawn,
        (None, Some(last)) if last.id != attestation.id => AttestationStanding::Superseded,
        (None, None) => AttestationStanding::Superseded,
        (None, Some(_)) if question.is_some_and(|question| !question.is_that_of(attestation)) => AttestationStanding::AskedOtherwise,
        (None, Some(_)) if attestation.ends_at <= now => AttestationStanding::Expired,
        (None, Some(_)) => AttestationStanding::InForce,
    };
    Attestation {
        id: attestation.id.to_string(),
        standing,
        answer: match attestation.answer {
            store::AttestationAnswer::Met => AttestationAnswer::Met,
            store::AttestationAnswer::NotMet => AttestationAnswer::NotMet,
            store::AttestationAnswer::NotApplicable => AttestationAnswer::NotApplicable,
        },
        asked: attestation.asked.clone(),
        recommended: attestation.recommended.clone(),
        who: attestation.who.clone(),
        recorded_by: attestation.recorded_by.clone(),
        at: attestation.at.to_string(),
        note: attestation.note.clone(),
        valid_until: attestation.valid_until.to_string(),
        remind_from: remind_from(attestation).to_string(),
        remind_days: attestation.remind_days,
        file: attestation.file.as_ref().map(attached_file),
        withdrawal: attestation.withdrawal.as_ref().map(|withdrawal| Withdrawal {
            who: withdrawal.who.clone(),
            at: withdrawal.at.to_string(),
            reason: withdrawal.reason.clone(),
        }),
    }
}

fn attached_file(file: &store::StoredFile) -> AttachedFile {
    AttachedFile {
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        size: u32::try_from(file.size).unwrap_or(u32::MAX),
        sha256: file.hash.to_string(),
    }
}

fn own_screen(version: &OwnCheckVersion) -> OwnCheck {
    let check = &version.check;
    OwnCheck {
        id: check.id.clone(),
        title: check.title.clone(),
        severity: severity(check.severity),
        why: check.why.clone(),
        steps: check.steps.clone(),
        recommended: check.recommended.clone(),
        changed_at: version.at.to_string(),
    }
}

/// What has to be done first, then the worst, then by title.
fn sort(rows: &mut [ManualCheck]) {
    let urgency = |state: AttestationState| match state {
        AttestationState::Expired => 0,
        AttestationState::Withdrawn => 1,
        AttestationState::Due => 2,
        AttestationState::DueSoon => 3,
        AttestationState::Attested => 4,
    };
    rows.sort_by(|a, b| {
        let by_urgency = urgency(a.state).cmp(&urgency(b.state)).then(b.severity.cmp(&a.severity));
        by_urgency.then_with(|| (&a.title, &a.instance_name, &a.check).cmp(&(&b.title, &b.instance_name, &b.check)))
    });
}

/// The file as it is stored: its name cleaned, its media type well formed, its size within bounds.
fn attached(file: FileToAttach) -> Result<FileWrite, Failure> {
    // Told before it is decoded, so that no more is ever held.
    if file.content.len() > LARGEST.div_ceil(3) * 4 {
        return Err(too_large());
    }
    let content = STANDARD
        .decode(&file.content)
        .map_err(|_| Failure::new("E-FILE", "The attached file did not arrive whole.", "Attach it again.").on_field("file"))?;
    size_is_right(content.len())?;
    Ok(FileWrite { name: file_name(&file.name), media_type: media_type(&file.media_type), content })
}

fn size_is_right(bytes: usize) -> Result<(), Failure> {
    match bytes {
        0 => Err(Failure::new("E-FILE-EMPTY", "The attached file is empty.", "Attach another one, or none.").on_field("file")),
        bytes if bytes > LARGEST => Err(too_large()),
        _ => Ok(()),
    }
}

fn too_large() -> Failure {
    Failure::new(
        "E-FILE-TOO-LARGE",
        "The attached file is larger than 10 MiB; nothing was stored.",
        "Attach the page that shows it, or say in the note where the file lies.",
    )
    .on_field("file")
}

/// A file name that leads nowhere and looks like what it is: without folders, without control characters and characters that
/// turn the direction of text, not hidden, not a device of Windows.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !c.is_control() && !misleads(*c)).collect();
    let options = sanitize_filename::Options { windows: true, truncate: true, replacement: "_" };
    let clean = sanitize_filename::sanitize_with_options(visible, options);
    let clean = clean.trim().trim_start_matches('.').trim();
    if !clean.chars().any(char::is_alphanumeric) { "attachment".to_owned() } else { clean.to_owned() }
}

/// Characters that are not seen and change how others look: <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>.
fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// A media type of two words, or that of bytes nobody described.
fn media_type(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let word = |word: &str| {
        !word.is_empty()
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '!' | '#' | '$' | '&' | '-' | '^' | '_' | '.' | '+'))
    };
    match text.split_once('/') {
        Some((kind, name)) if text.len() <= MEDIA_TYPE && word(kind) && word(name) => text,
        _ => "application/octet-stream".to_owned(),
    }
}

/// The last day on which an attestation holds.
fn valid_until(typed: Option<&str>, days: u32, now: Timestamp) -> Result<Date, Failure> {
    let today = day_of(now);
    let latest = today.checked_add(i64::from(MAX_VALID_DAYS).days()).unwrap_or(today);
    let wrong = |sentence: String| {
        Failure::new("E-VALID-UNTIL", sentence, format!("Choose a day from {today} to {latest}.")).on_field("valid_until")
    };
    let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) else {
        return Ok(today.checked_add(i64::from(days).days()).unwrap_or(today));
    };
    let day: Date = typed.parse().map_err(|_| wrong("The day until which it holds is not a date such as 2027-11-21.".to_owned()))?;
    if day < today {
        return Err(wrong(format!("{day} is over: an attestation holds until today or later.")));
    }
    if day > latest {
        return Err(wrong("An attestation holds for three years at most.".to_owned()));
    }
    Ok(day)
}

/// The day it is where this computer stands.
pub(crate) fn day_of(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::system()).date()
}

/// The moment at which a day ends where this computer stands.
pub(crate) fn end_of(day: Date) -> Result<Timestamp, Failure> {
    let after = day.tomorrow().and_then(|after| after.to_zoned(TimeZone::system()));
    after.map(|after| after.timestamp()).map_err(|_| {
        Failure::new("E-VALID-UNTIL", format!("{day} has no end that this computer can name."), "Choose another day.")
            .on_field("valid_until")
    })
}

/// One line of text within bounds of characters, without control characters.
pub(crate) fn line(text: &str, least: usize, most: usize) -> Option<String> {
    let text = text.trim();
    let right = (least..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    right.then(|| text.to_owned())
}

/// Text of several lines within bounds of characters; lines end with a line feed alone.
pub(crate) fn paragraphs(text: &str, least: usize, most: usize) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim();
    let right = (least..=most).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    right.then(|| text.to_owned())
}

fn too_long(code: &str, field: &str, what: &str, most: usize) -> Failure {
    Failure::new(code, format!("{what} in at most {most} characters, without control characters."), "Shorten it.").on_field(field)
}

fn new_check_id() -> String {
    format!("own.{}", Uuid::new_v4().simple())
}

fn attestation_id(text: &str) -> Result<AttestationId, Failure> {
    text.parse().map_err(|_| store::StoreError::NotFound { what: "attestation" }.into())
}

fn words(answer: store::AttestationAnswer) -> &'static str {
    match answer {
        store::AttestationAnswer::Met => "met",
        store::AttestationAnswer::NotMet => "not met",
        store::AttestationAnswer::NotApplicable => "does not apply",
    }
}

/// What was attested of a check last and not withdrawn, leaving one attestation out: "met, by Mei Laurent, until 2026-12-31". Empty
/// when nothing was.
fn told_of(store: &Store, instance: InstanceId, check: &str, without: Option<AttestationId>) -> Result<String, Failure> {
    let given = store.attestations(Some(instance))?.remove(&(instance, check.to_owned())).unwrap_or_default();
    let last = given.iter().rfind(|attestation| attestation.withdrawal.is_none() && Some(attestation.id) != without);
    Ok(last.map(|last| told(last.answer, &last.who, last.valid_until)).unwrap_or_default())
}

fn told(answer: store::AttestationAnswer, who: &str, valid_until: Date) -> String {
    format!("{}, by {who}, until {valid_until}", words(answer))
}

/// An act on an instance.
pub(crate) fn act(at: Timestamp, what: &str, instance: &Instance, detail: &str) -> Act {
    Act::new(at, user(), what, format!("{}, {}: {detail}", instance.app, instance.name)).on(instance.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Attested in Auckland, 13 hours ahead: the day of its reminder begins and ends there, wherever it is looked at later.
    #[test]
    fn the_days_of_an_attestation_are_those_of_where_it_was_attested() {
        let attestation = store::Attestation {
            id: AttestationId(1),
            instance: InstanceId(Uuid::nil()),
            check: String::new(),
            asked: String::new(),
            recommended: String::new(),
            answer: store::AttestationAnswer::Met,
            who: String::new(),
            recorded_by: String::new(),
            at: Timestamp::MIN,
            note: String::new(),
            valid_until: "2027-01-31".parse().unwrap(),
            ends_at: "2027-01-31T11:00:00Z".parse().unwrap(),
            remind_days: 30,
            file: None,
            withdrawal: None,
        };
        assert_eq!(remind_from(&attestation).to_string(), "2027-01-02");
        let question = Question::default();
        for (now, wanted) in [
            ("2027-01-01T10:59:59Z", AttestationState::Attested),
            ("2027-01-01T11:00:00Z", AttestationState::DueSoon),
            ("2027-01-31T10:59:59Z", AttestationState::DueSoon),
            ("2027-01-31T11:00:00Z", AttestationState::Expired),
        ] {
            assert_eq!(state(&question, std::slice::from_ref(&attestation), now.parse().unwrap()), wanted, "{now}");
        }
    }
}
