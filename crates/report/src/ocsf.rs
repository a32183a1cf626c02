//! Findings as events of the Open Cybersecurity Schema Framework: class 2003, Compliance Finding.
//! <https://schema.ocsf.io/1.5.0/classes/compliance_finding>, <https://schema.ocsf.io/1.8.0/classes/compliance_finding>

use crate::{
    FindingLine, FindingState, ReportError,
    line::numbered,
    page::{plain, word},
};
use catalog::{Severity, Verdict};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::io::Write;

/// The version of the schema that events say they speak. What is written is valid in both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OcsfVersion {
    /// 1.5.0, which most readers know.
    #[default]
    V1_5_0,
    /// 1.8.0.
    V1_8_0,
}

impl OcsfVersion {
    /// `1.5.0`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_5_0 => "1.5.0",
            Self::V1_8_0 => "1.8.0",
        }
    }
}

/// How events stand in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OcsfForm {
    /// One JSON list.
    #[default]
    Document,
    /// One JSON object per line (NDJSON).
    Lines,
}

/// Writes each finding as one event, and says how many there were. Lines are taken one by one.
///
/// A verdict of Pass becomes status 1, Fail 3, Not evaluated 2 with the reason, everything else 99 with its word: what a person attested
/// as met was not scanned and is no Pass. Fixed findings are closed and resolved, gone ones closed, dismissed ones suppressed.
///
/// # Errors
/// The writer fails.
pub fn ocsf(
    mut out: impl Write,
    lines: impl IntoIterator<Item = FindingLine>,
    version: OcsfVersion,
    form: OcsfForm,
) -> Result<u64, ReportError> {
    let mut count = 0;
    if form == OcsfForm::Document {
        out.write_all(b"[")?;
    }
    for line in lines {
        if form == OcsfForm::Document {
            out.write_all(if count == 0 { b"\n" } else { b",\n" })?;
        }
        out.write_all(one_line(&event(&line, version)).as_bytes())?;
        if form == OcsfForm::Lines {
            out.write_all(b"\n")?;
        }
        count += 1;
    }
    if form == OcsfForm::Document {
        out.write_all(if count == 0 { b"]\n" } else { b"\n]\n" })?;
    }
    out.flush()?;
    Ok(count)
}

/// Letters that end a line for some readers, though JSON lets them stand.
const LINE_ENDS: [(char, &str); 3] = [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];

/// An event as JSON in which no text ends a line. Such letters can stand in texts alone.
fn one_line(event: &Value) -> String {
    LINE_ENDS.iter().fold(event.to_string(), |text, (letter, escaped)| text.replace(*letter, escaped))
}

/// What a check came to: status and caption, and what is to be said of it.
struct Status {
    id: u32,
    caption: &'static str,
    details: Vec<String>,
}

fn event(line: &FindingLine, version: OcsfVersion) -> Value {
    let status = status(line);
    let (severity_id, severity) = severity(line.severity);
    let (activity_id, activity, at) = activity(line);
    let (state_id, state) = state(line.state);
    let standards: Vec<String> = line.frameworks.keys().map(|framework| catalog::framework_title(framework)).collect();
    let requirements: Vec<String> = line
        .frameworks
        .iter()
        .flat_map(|(framework, references)| {
            let title = catalog::framework_title(framework);
            references.iter().map(move |reference| format!("{title} {reference}"))
        })
        .chain(line.sscf.iter().map(|control| format!("{} {control}", catalog::framework_title("sscf"))))
        .collect();
    let practice = if line.practice.is_empty() { &line.title } else { &line.practice };

    let mut check = json!({
        "uid": line.check,
        "name": plain(practice),
        "severity": severity,
        "severity_id": severity_id,
        "status": status.caption,
        "status_id": status.id,
    });
    let mut compliance = json!({
        "control": plain(practice),
        "desc": plain(&line.why),
        "status": status.caption,
        "status_id": status.id,
    });
    put(&mut check, "standards", &standards);
    put(&mut compliance, "standards", &standards);
    put(&mut compliance, "requirements", &requirements);
    put(&mut compliance, "status_details", &status.details);
    if let Some(compliance) = compliance.as_object_mut() {
        compliance.insert("checks".to_owned(), Value::Array(vec![check]));
    }

    let labels: &[&str] = if line.sandbox { &["sandbox", "simulated"] } else { &[] };
    let mut metadata = json!({
        "version": version.as_str(),
        "uid": line.uid,
        "tenant_uid": line.instance_id,
        "product": { "name": "Posture Console", "vendor_name": "The Posture Console authors", "version": env!("CARGO_PKG_VERSION") },
    });
    put(&mut metadata, "labels", labels);

    let of_tenant = line.resource.is_empty();
    let mut resource = json!({
        "name": if of_tenant { plain(&line.instance) } else { plain(&line.resource) },
        "namespace": plain(&line.instance),
        "type": if of_tenant { format!("{} tenant", line.app_name) } else { format!("resource of {}", line.app_name) },
        "data": { "application": line.app, "instance_uid": line.instance_id, "current": line.current, "recommended": line.recommended, "sandbox": line.sandbox },
    });
    put(&mut resource, "labels", labels);
    if of_tenant && let Some(resource) = resource.as_object_mut() {
        resource.insert("uid".to_owned(), Value::String(line.instance_id.clone()));
    }

    let mut info = json!({
        "uid": line.uid,
        "title": plain(&line.title),
        "desc": plain(&line.why),
        "created_time": line.first_seen.as_millisecond(),
        "first_seen_time": line.first_seen.as_millisecond(),
        "last_seen_time": line.last_seen.as_millisecond(),
        "modified_time": at.as_millisecond(),
        "analytic": { "uid": line.check, "name": plain(practice), "type": "Rule", "type_id": 1 },
    });
    if !line.source.is_empty()
        && let Some(info) = info.as_object_mut()
    {
        info.insert("src_url".to_owned(), Value::String(line.source.clone()));
    }

    let message = if of_tenant {
        format!("{}: {}", plain(&line.instance), plain(&line.title))
    } else {
        format!("{}: {} ({})", plain(&line.instance), plain(&line.title), plain(&line.resource))
    };
    let mut event = Map::new();
    for (name, value) in [
        ("activity_id", json!(activity_id)),
        ("activity_name", json!(activity)),
        ("category_uid", json!(2)),
        ("category_name", json!("Findings")),
        ("class_uid", json!(2003)),
        ("class_name", json!("Compliance Finding")),
        ("type_uid", json!(200_300 + activity_id)),
        ("type_name", json!(format!("Compliance Finding: {activity}"))),
        ("time", json!(at.as_millisecond())),
        ("timezone_offset", json!(0)),
        ("severity_id", json!(severity_id)),
        ("severity", json!(severity)),
        ("status_id", json!(state_id)),
        ("status", json!(state)),
        ("message", json!(message)),
        ("metadata", metadata),
        ("finding_info", info),
        ("compliance", compliance),
        ("resources", json!([resource])),
    ] {
        event.insert(name.to_owned(), value);
    }
    if let Some(remediation) = remediation(line) {
        event.insert("remediation".to_owned(), remediation);
    }
    if line.evidence.as_object().is_some_and(|fields| !fields.is_empty()) {
        event.insert("evidences".to_owned(), json!([{ "name": "Fields that the verdict was read from", "data": line.evidence }]));
    }
    Value::Object(event)
}

/// Adds a list that is not empty.
fn put<T: serde::Serialize>(object: &mut Value, name: &str, list: &[T]) {
    if !list.is_empty()
        && let Some(object) = object.as_object_mut()
    {
        object.insert(name.to_owned(), json!(list));
    }
}

fn remediation(line: &FindingLine) -> Option<Value> {
    let desc = if line.steps.is_empty() { line.recommended.clone() } else { numbered(&line.steps).into_owned() };
    if desc.trim().is_empty() {
        return None;
    }
    let mut remediation = json!({ "desc": desc });
    if !line.source.is_empty() {
        put(&mut remediation, "references", &[&line.source]);
    }
    Some(remediation)
}

fn status(line: &FindingLine) -> Status {
    let mut details = Vec::new();
    let (id, caption) = match &line.verdict {
        Verdict::Pass => (1, "Pass"),
        Verdict::Fail => (3, "Fail"),
        Verdict::NotEvaluated { cause } => {
            details.push(format!("{} {}", cause.sentence, cause.remedy).trim_end().to_owned());
            (2, "Warning")
        }
        Verdict::NotApplicable { reason } => {
            details.push(reason.clone());
            (99, "Not applicable")
        }
        Verdict::Observed => (99, "Observed"),
        Verdict::Manual => {
            let by = line.attested_by.as_deref().unwrap_or("a person");
            details.push(format!("Attested by {}, not scanned.", plain(by)));
            match line.answer.as_deref() {
                // What holds no more is not known.
                _ if line.not_rechecked_since.is_some() => (2, "Warning"),
                Some("not_met") => (3, "Fail"),
                Some("met") => (99, "Attested as met"),
                Some("not_applicable") => (99, "Attested as not applicable"),
                _ => (2, "Warning"),
            }
        }
    };
    if line.state == FindingState::Gone {
        details.push("What it was found on is no longer there, or the check does not apply to it any more.".to_owned());
    }
    if let Some(since) = line.not_rechecked_since {
        details.push(format!("Not checked again since {since:.0}. {}", line.not_rechecked_because).trim_end().to_owned());
    }
    Status { id, caption, details }
}

fn severity(severity: Severity) -> (u32, &'static str) {
    match severity {
        // The schema's word for it.
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, word(severity)),
        Severity::Medium => (3, word(severity)),
        Severity::High => (4, word(severity)),
        Severity::Critical => (5, word(severity)),
    }
}

/// What happened to the finding last, and when.
fn activity(line: &FindingLine) -> (u32, &'static str, Timestamp) {
    match line.state {
        FindingState::Fixed | FindingState::Gone => (3, "Close", line.fixed_or_gone_at.unwrap_or(line.last_seen)),
        FindingState::Open | FindingState::Dismissed if line.first_seen == line.last_seen => (1, "Create", line.first_seen),
        FindingState::Open | FindingState::Dismissed => (2, "Update", line.last_seen),
    }
}

fn state(state: FindingState) -> (u32, &'static str) {
    match state {
        FindingState::Open => (1, "New"),
        FindingState::Dismissed => (3, "Suppressed"),
        FindingState::Fixed => (4, "Resolved"),
        // The schema has no word for what went away by itself.
        FindingState::Gone => (99, "Gone"),
    }
}
