//! Findings as assessment results of OSCAL 1.2. <https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/assessment-results/json-reference/>

use crate::{
    FindingLine, FindingState, ReportError,
    finding::identifier,
    page::{plain, word},
};
use catalog::Verdict;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};
use uuid::Uuid;

/// The version of OSCAL that the document is written in.
const OSCAL: &str = "1.2.1";
/// The name space of this program's own properties.
const NAMESPACE: &str = "https://posture-console.invalid/oscal";
/// The framework whose controls the document speaks of.
const CONTROLS: &str = "nist_800_53";

/// A check that was judged where the findings come from, whether or not it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// The check's id.
    pub check: String,
    /// The practice as a statement.
    pub practice: String,
    /// Why it matters.
    pub why: String,
    /// Its controls of NIST SP 800-53 revision 5: `AC-2`, `AC-6(10)`.
    pub controls: Vec<String>,
}

/// What assessment results say beside the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// When the lines were read from the store.
    pub exported_at: Timestamp,
    /// Which findings were chosen, in words.
    pub scope: String,
    /// The checks that were judged.
    pub reviewed: Vec<Reviewed>,
}

/// What of a finding is needed once its observation is written.
struct Judged {
    uid: String,
    check: String,
    title: String,
    satisfied: bool,
    observation: Uuid,
    remark: String,
}

/// Writes one assessment-results document and says how many findings it holds as observations. Every finding becomes one observation; only
/// one that a verdict of Pass or Fail (or an attestation of *not met*) stands behind becomes a finding of OSCAL, so that what was not
/// evaluated, observed, attested as met or is gone satisfies nothing. A finding's objective is the check, which covers a part of a control.
///
/// All that is told is escaped as Markdown, because OSCAL's descriptions are that.
///
/// # Errors
/// [`ReportError::NothingReviewed`] when no check names a control, which OSCAL has no form for; the writer fails.
pub fn oscal(mut out: impl Write, lines: impl IntoIterator<Item = FindingLine>, about: &Assessment) -> Result<u64, ReportError> {
    let mut objectives: BTreeMap<String, Objective> = BTreeMap::new();
    for one in &about.reviewed {
        review(&mut objectives, &one.check, &one.practice, &one.why, &one.controls);
    }
    let mut lines = lines.into_iter();
    // What cannot be written is found out before anything is.
    let first = lines.next();
    let controls_of = |line: &FindingLine| line.frameworks.get(CONTROLS).cloned().unwrap_or_default();
    if let Some(line) = &first {
        review(&mut objectives, &line.check, &line.practice, &line.why, &controls_of(line));
    }
    if objectives.values().all(|objective| objective.controls.is_empty()) {
        return Err(ReportError::NothingReviewed);
    }

    let (mut judged, mut subjects) = (Vec::new(), BTreeMap::new());
    let (mut start, mut end) = (None::<Timestamp>, None::<Timestamp>);
    let (mut count, mut document) = (0_u64, identifier(&["document", &about.exported_at.to_string(), &about.scope]));
    out.write_all(b"{\"assessment-results\":{\"results\":[{")?;
    for line in first.into_iter().chain(lines) {
        review(&mut objectives, &line.check, &line.practice, &line.why, &controls_of(&line));
        let subject = identifier(&["instance", &line.instance_id]);
        let collected = line.fixed_or_gone_at.unwrap_or(line.last_seen);
        let observation = identifier(&["observation", &line.uid, &collected.to_string()]);
        start = Some(start.map_or(collected, |start| start.min(collected)));
        end = Some(end.map_or(collected, |end| end.max(collected)));
        document = identifier(&["document", &document.to_string(), &observation.to_string()]);
        out.write_all(if count == 0 { b"\"observations\":[\n" } else { b",\n" })?;
        write(&mut out, &observed(&line, observation, subject, collected))?;
        subjects.entry(subject).or_insert_with(|| inventory_item(&line, subject));
        judged.extend(judgement(&line, observation));
        count += 1;
    }
    if count > 0 {
        out.write_all(b"\n],")?;
    }
    member(&mut out, "uuid", &identifier(&["result", &document.to_string()]))?;
    member(&mut out, "title", &"Findings of Posture Console")?;
    member(&mut out, "description", &description(&about.scope))?;
    member(&mut out, "start", &start.unwrap_or(about.exported_at))?;
    member(&mut out, "end", &end.unwrap_or(about.exported_at))?;
    if !subjects.is_empty() {
        member(&mut out, "local-definitions", &json!({ "inventory-items": subjects.into_values().collect::<Vec<_>>() }))?;
    }
    for (at, finding) in judged.iter().enumerate() {
        out.write_all(if at == 0 { b"\"findings\":[\n" } else { b",\n" })?;
        write(&mut out, &finding_of(finding))?;
    }
    if !judged.is_empty() {
        out.write_all(b"\n],")?;
    }
    out.write_all(b"\"reviewed-controls\":")?;
    write(&mut out, &reviewed_controls(&objectives))?;
    out.write_all(b"}],\n")?;
    let plan = identifier(&["plan"]);
    member(&mut out, "uuid", &document)?;
    member(
        &mut out,
        "metadata",
        &json!({
            "title": "Posture Console: findings",
            "last-modified": about.exported_at,
            "version": about.exported_at.to_string(),
            "oscal-version": OSCAL,
            "remarks": "Each objective is one check of this program and covers a part of its control: a satisfied objective does not make a control compliant.",
        }),
    )?;
    let local: Vec<Value> = objectives.iter().filter_map(|(check, objective)| local_objective(check, objective)).collect();
    if !local.is_empty() {
        member(&mut out, "local-definitions", &json!({ "objectives-and-methods": local }))?;
    }
    member(
        &mut out,
        "import-ap",
        &json!({ "href": format!("#{plan}"), "remarks": "There is no assessment plan in OSCAL; the checks are the plan." }),
    )?;
    out.write_all(b"\"back-matter\":")?;
    write(
        &mut out,
        &json!({ "resources": [{
            "uuid": plan,
            "title": "Checks of Posture Console",
            "description": "What is read and judged are the checks of the program's catalog, each with the source it comes from.",
        }] }),
    )?;
    out.write_all(b"}}\n")?;
    out.flush()?;
    Ok(count)
}

/// A check as an objective of this document.
#[derive(Default)]
struct Objective {
    practice: String,
    why: String,
    /// As OSCAL's catalog names them: `ac-6.10`.
    controls: BTreeSet<String>,
}

fn review(objectives: &mut BTreeMap<String, Objective>, check: &str, practice: &str, why: &str, controls: &[String]) {
    let objective = objectives.entry(check.to_owned()).or_default();
    if objective.practice.is_empty() {
        (objective.practice, objective.why) = (practice.to_owned(), why.to_owned());
    }
    objective.controls.extend(controls.iter().filter_map(|reference| control_id(reference)));
}

/// `AC-6(10)` as OSCAL's catalog of the controls writes it: `ac-6.10`. `None` for what is no reference of that form.
fn control_id(reference: &str) -> Option<String> {
    let id = reference.trim().to_lowercase().replace('(', ".").replace(')', "");
    let (family, number) = id.split_once('-')?;
    let numbers = |text: &str| text.split('.').all(|part| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit()));
    (family.len() == 2 && family.chars().all(|letter| letter.is_ascii_lowercase()) && numbers(number)).then_some(id)
}

/// A name that OSCAL takes for a token.
fn token(text: &str) -> String {
    let body: String =
        text.chars().map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') { letter } else { '_' }).collect();
    if body.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') { body } else { format!("_{body}") }
}

/// Text on one line in which nothing is Markdown or HTML; a dash where there is none, because OSCAL knows no empty text.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for letter in plain(text).trim().chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' | '^' | '$' | '=' | '"' | '\'' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            other => escaped.push(other),
        }
    }
    if escaped.is_empty() { "–".to_owned() } else { escaped }
}

/// A property of this program's own; none where there is nothing to say.
fn property(name: &str, value: &str) -> Option<Value> {
    let value = plain(value);
    let value = value.trim();
    (!value.is_empty()).then(|| json!({ "name": name, "ns": NAMESPACE, "value": value }))
}

fn properties<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Value> {
    pairs.into_iter().filter_map(|(name, value)| property(name, value)).collect()
}

fn description(scope: &str) -> String {
    let scope = if scope.is_empty() { "All findings".to_owned() } else { markdown(scope) };
    format!("{scope}. What was not evaluated is an observation without a finding, and never satisfied.")
}

fn observed(line: &FindingLine, uuid: Uuid, subject: Uuid, collected: Timestamp) -> Value {
    let (verdict, because) = match &line.verdict {
        Verdict::Pass => ("pass", String::new()),
        Verdict::Fail => ("fail", String::new()),
        Verdict::NotApplicable { reason } => ("not_applicable", reason.clone()),
        Verdict::NotEvaluated { cause } => ("not_evaluated", format!("{} {}", cause.sentence, cause.remedy)),
        Verdict::Manual => ("manual", String::new()),
        Verdict::Observed => ("observed", String::new()),
    };
    let state = match line.state {
        FindingState::Open => "open",
        FindingState::Fixed => "fixed",
        FindingState::Gone => "gone",
        FindingState::Dismissed => "dismissed",
    };
    let since = line.not_rechecked_since.map(|since| format!("{since:.0}")).unwrap_or_default();
    let props = properties([
        ("finding-uid", line.uid.as_str()),
        ("check", &line.check),
        ("severity", word(line.severity)),
        ("state", state),
        ("verdict", verdict),
        ("cause", &because),
        ("resource", &line.resource),
        ("answer", line.answer.as_deref().unwrap_or_default()),
        ("attested-by", line.attested_by.as_deref().unwrap_or_default()),
        ("not-rechecked-since", &since),
        ("not-rechecked-because", &line.not_rechecked_because),
        ("sandbox", if line.sandbox { "true" } else { "" }),
    ]);
    let fields = line.evidence.as_object();
    let evidence: Vec<Value> =
        fields.into_iter().flatten().filter_map(|(path, value)| property("evidence", &format!("{path} = {value}"))).collect();
    let mut observation = json!({
        "uuid": uuid,
        "title": markdown(&line.title),
        "description": format!("Current: {}. Recommended: {}.", markdown(&line.current), markdown(&line.recommended)),
        "methods": [if line.verdict == Verdict::Manual { "INTERVIEW" } else { "TEST" }],
        "types": ["finding"],
        "subjects": [{ "subject-uuid": subject, "type": "inventory-item", "title": markdown(&line.instance) }],
        "collected": collected,
        "props": props,
    });
    if !evidence.is_empty()
        && let Some(observation) = observation.as_object_mut()
    {
        let what = json!([{ "description": "Fields that the verdict was read from, as they were read.", "props": evidence }]);
        observation.insert("relevant-evidence".to_owned(), what);
    }
    observation
}

fn inventory_item(line: &FindingLine, uuid: Uuid) -> Value {
    let props = properties([
        ("application", line.app.as_str()),
        ("application-name", &line.app_name),
        ("instance", &line.instance),
        ("instance-id", &line.instance_id),
        ("sandbox", if line.sandbox { "true" } else { "" }),
    ]);
    let simulated = if line.sandbox { ", simulated: not a real tenant" } else { "" };
    json!({ "uuid": uuid, "description": format!("{} of {}{simulated}", markdown(&line.instance), markdown(&line.app_name)), "props": props })
}

/// What a verdict of Pass or Fail, or an attestation of *not met*, stands behind.
fn judgement(line: &FindingLine, observation: Uuid) -> Option<Judged> {
    // Whether a setting is as somebody locked it satisfies no control: what was locked may have been wrong.
    if line.check.starts_with("lock:") {
        return None;
    }
    let satisfied = match (&line.verdict, line.state) {
        (Verdict::Pass, FindingState::Fixed) => true,
        (Verdict::Fail, FindingState::Open | FindingState::Dismissed) => false,
        (Verdict::Manual, FindingState::Open | FindingState::Dismissed)
            if line.answer.as_deref() == Some("not_met") && line.not_rechecked_since.is_none() =>
        {
            false
        }
        _ => return None,
    };
    let mut remarks = Vec::new();
    if line.verdict == Verdict::Manual {
        remarks.push("Attested by a person, not scanned.".to_owned());
    }
    if line.state == FindingState::Dismissed {
        remarks.push("An administrator has put it aside for a time; it still fails.".to_owned());
    }
    if let Some(since) = line.not_rechecked_since {
        remarks.push(format!("Not checked again since {since:.0}."));
    }
    let (uid, check, title) = (line.uid.clone(), line.check.clone(), line.title.clone());
    Some(Judged { uid, check, title, satisfied, observation, remark: remarks.join(" ") })
}

fn finding_of(finding: &Judged) -> Value {
    let (state, reason) = if finding.satisfied { ("satisfied", "pass") } else { ("not-satisfied", "fail") };
    let description = if finding.satisfied {
        "The check passed for what it had failed for."
    } else {
        "The check failed; what was read stands in the observation."
    };
    let mut value = json!({
        "uuid": identifier(&["judged", &finding.uid, &finding.observation.to_string()]),
        "title": markdown(&finding.title),
        "description": description,
        "target": { "type": "objective-id", "target-id": token(&finding.check), "status": { "state": state, "reason": reason } },
        "related-observations": [{ "observation-uuid": finding.observation }],
    });
    if !finding.remark.is_empty()
        && let Some(value) = value.as_object_mut()
    {
        value.insert("remarks".to_owned(), Value::String(finding.remark.clone()));
    }
    value
}

fn reviewed_controls(objectives: &BTreeMap<String, Objective>) -> Value {
    let controls: BTreeSet<&String> = objectives.values().flat_map(|objective| &objective.controls).collect();
    let controls: Vec<Value> = controls.into_iter().map(|id| json!({ "control-id": id })).collect();
    let checks: Vec<Value> = objectives.keys().map(|check| json!({ "objective-id": token(check) })).collect();
    json!({
        "control-selections": [{
            "description": "Controls of NIST SP 800-53 revision 5 that the checks name. Checks cover a part of each; what else a control asks was not looked at.",
            "include-controls": controls,
        }],
        "control-objective-selections": [{ "description": "The checks that were judged.", "include-objectives": checks }],
    })
}

/// A check is an objective of the first of its controls; a name can be defined only once.
fn local_objective(check: &str, objective: &Objective) -> Option<Value> {
    let control = objective.controls.first()?;
    let others: Vec<&str> = objective.controls.iter().skip(1).map(String::as_str).collect();
    let mut part = json!({ "id": token(check), "name": "assessment-objective", "title": markdown(&objective.practice), "prose": markdown(&objective.why) });
    let further = properties(others.into_iter().map(|control| ("further-control", control)));
    if !further.is_empty()
        && let Some(part) = part.as_object_mut()
    {
        part.insert("props".to_owned(), Value::Array(further));
    }
    Some(json!({ "control-id": control, "parts": [part] }))
}

fn write(out: &mut impl Write, value: &impl Serialize) -> Result<(), ReportError> {
    Ok(serde_json::to_writer(out, value).map_err(std::io::Error::from)?)
}

/// A member of an object that goes on.
fn member(out: &mut impl Write, name: &str, value: &impl Serialize) -> Result<(), ReportError> {
    write(out, &name)?;
    out.write_all(b":")?;
    write(out, value)?;
    Ok(out.write_all(b",\n")?)
}
