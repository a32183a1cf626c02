//! Findings as a page that needs nothing else: for an auditor, and for paper.

use crate::{
    FindingLine, FindingState, ReportError,
    page::{self, append, escaped, shown, word},
};
use catalog::{Severity, Verdict};
use jiff::Timestamp;
use std::{collections::BTreeMap, io::Write};

/// The longest value of an evidence field on the page, in letters; the whole is in the JSON export.
const LONGEST: usize = 2_000;

/// What a page of findings says beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FindingsReport {
    /// When the findings were read from the store.
    pub exported_at: Timestamp,
    /// Which findings were chosen, in words; empty when all were.
    pub scope: String,
    /// The posture score of the instances that the findings were chosen from; `None` where nothing counts.
    pub score: Option<PageScore>,
    /// What of those instances was not evaluated, and why.
    pub unread: Vec<Unread>,
}

/// A posture score with what stands beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageScore {
    /// In percent.
    pub value: u32,
    /// The share of what was not evaluated, in percent.
    pub not_evaluated: u32,
}

/// What was not evaluated of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// The application's name.
    pub app_name: String,
    /// The instance's name.
    pub instance: String,
    /// Whether it is a simulated one.
    pub sandbox: bool,
    /// A check's title, or that nothing was read at all.
    pub what: String,
    /// Why, in a sentence.
    pub why: String,
    /// What to do; may be empty.
    pub remedy: String,
}

const STYLE: &str = "\
main{max-width:900px}.meta,.fields{border-collapse:collapse;width:100%;font-size:13px;margin:4px 0 8px}\
.meta th,.fields th{text-align:left;vertical-align:top;font-weight:600;padding:2px 12px 2px 0;width:30%;color:var(--second)}\
.meta td,.fields td{padding:2px 0;overflow-wrap:anywhere}\
.fields td,.fields th{font-family:ui-monospace,monospace;border-top:1px solid var(--edge)}\
article{border:1px solid var(--edge);border-radius:8px;padding:12px 16px;margin:0 0 12px}article h4{font-size:15px;margin:0 0 6px;overflow-wrap:anywhere}\
h5{font-size:13px;margin:10px 0 2px}ol{margin:4px 0 8px;padding-left:22px}ol li{list-style:decimal;border:0;padding:1px 0}\
.sandbox{border:2px solid var(--warn);border-radius:8px;padding:8px 12px;margin:12px 0;color:var(--warn);font-weight:600}\
.mark{color:var(--warn);font-weight:600}\
@page{margin:18mm 14mm;@bottom-right{content:\"Page \" counter(page) \" of \" counter(pages);font-size:9pt}}\
@media print{article{border-color:#999}article h4,h5{break-after:avoid}tr,ol li{break-inside:avoid}}";

/// Writes the findings as one page, by instance and severity, and says how many there were: no script, nothing that is fetched, every text
/// escaped. They are held in memory until the page is written.
///
/// # Errors
/// The writer fails.
pub fn findings_html(
    mut out: impl Write,
    lines: impl IntoIterator<Item = FindingLine>,
    report: &FindingsReport,
) -> Result<u64, ReportError> {
    let mut instances: BTreeMap<(String, String, String), Vec<FindingLine>> = BTreeMap::new();
    let mut count = 0_u64;
    for line in lines {
        instances.entry((line.app_name.clone(), line.instance.clone(), line.instance_id.clone())).or_default().push(line);
        count += 1;
    }
    for lines in instances.values_mut() {
        // What is equally bad stays in the order in which it was asked for.
        lines.sort_by_key(|line| std::cmp::Reverse(line.severity));
    }
    out.write_all(head(report, count, instances.values().flatten()).as_bytes())?;
    for ((app_name, instance, _), lines) in &instances {
        let mut part = String::from("<section>\n");
        append(&mut part, &["<h2>", &shown(app_name), ": ", &shown(instance), mark(lines.iter().any(|line| line.sandbox)), "</h2>\n"]);
        let mut last = None;
        for line in lines {
            if last != Some(line.severity) {
                let of_it = lines.iter().filter(|other| other.severity == line.severity).count();
                append(&mut part, &["<h3>", &spell(line.severity), " (", &of_it.to_string(), ")</h3>\n"]);
                last = Some(line.severity);
            }
            part.push_str(&article(line));
            out.write_all(part.as_bytes())?;
            part.clear();
        }
        out.write_all(b"</section>\n")?;
    }
    out.write_all(page::END.as_bytes())?;
    out.flush()?;
    Ok(count)
}

fn mark(sandbox: bool) -> &'static str {
    if sandbox { " <span class=\"mark\">sandbox</span>" } else { "" }
}

fn spell(severity: Severity) -> String {
    let word = word(severity);
    format!("<span class=\"severity {}\">{word}</span>", word.to_lowercase())
}

fn head<'a>(report: &FindingsReport, count: u64, lines: impl Iterator<Item = &'a FindingLine>) -> String {
    let (mut severities, mut states, mut not_rechecked, mut sandbox) = ([0_u32; 5], [0_u32; 4], 0_u32, false);
    for line in lines {
        severities[line.severity as usize] += 1;
        states[line.state as usize] += 1;
        not_rechecked += u32::from(line.not_rechecked_since.is_some());
        sandbox |= line.sandbox;
    }
    let sandbox = sandbox || report.unread.iter().any(|unread| unread.sandbox);
    let mut page = page::begin("Findings of Posture Console", STYLE);
    page.push_str("<h1>Findings</h1>\n");
    append(&mut page, &["<p class=\"about\">Written by Posture Console on ", &format!("{:.0}", report.exported_at), ". "]);
    append(&mut page, &[&shown(if report.scope.is_empty() { "All findings." } else { &report.scope }), "</p>\n"]);
    if sandbox {
        page.push_str(
            "<p class=\"sandbox\">Some of this comes from simulated tenants. What is marked “sandbox” says nothing about real ones.</p>\n",
        );
    }
    if let Some(score) = report.score {
        append(&mut page, &["<p class=\"score\">Score ", &score.value.to_string(), " %</p>\n"]);
        append(
            &mut page,
            &[
                "<p class=\"about\">",
                &score.not_evaluated.to_string(),
                " % of what counts was not evaluated; it never raises the score.</p>\n",
            ],
        );
    }
    page.push_str("<div class=\"summary\">\n");
    let by_severity: Vec<String> = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
        .into_iter()
        .map(|severity| format!("{} {}", severities[severity as usize], word(severity).to_lowercase()))
        .collect();
    append(
        &mut page,
        &["<p>", &count.to_string(), if count == 1 { " finding: " } else { " findings: " }, &by_severity.join(", "), ".</p>\n"],
    );
    let by_state: Vec<String> = [FindingState::Open, FindingState::Fixed, FindingState::Gone, FindingState::Dismissed]
        .into_iter()
        .map(|state| format!("{} {}", states[state as usize], state_word(state).to_lowercase()))
        .collect();
    append(&mut page, &["<p>", &by_state.join(", "), ". "]);
    append(&mut page, &[&not_rechecked.to_string(), " could not be checked again by the last scan.</p>\n"]);
    if count == 0 {
        page.push_str("<p>No finding fulfils this choice. That alone does not mean that all is well: see what was not evaluated.</p>\n");
    }
    page.push_str("</div>\n<h2>Not evaluated</h2>\n");
    if report.unread.is_empty() {
        page.push_str("<p>No check of the last complete scans was left without a verdict, and no manual check is due.</p>\n");
    } else {
        page.push_str("<ul>\n");
        for unread in &report.unread {
            append(&mut page, &["<li><span class=\"what\">", &shown(&unread.what), "</span>"]);
            append(
                &mut page,
                &["<span class=\"place\">", &shown(&unread.app_name), ": ", &shown(&unread.instance), mark(unread.sandbox), "</span>"],
            );
            append(&mut page, &["<span class=\"detail\">", &shown(&unread.why), " ", &shown(&unread.remedy), "</span></li>\n"]);
        }
        page.push_str("</ul>\n");
    }
    page
}

fn state_word(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "Open",
        FindingState::Fixed => "Fixed",
        FindingState::Gone => "Gone",
        FindingState::Dismissed => "Dismissed",
    }
}

fn article(line: &FindingLine) -> String {
    let mut part = String::new();
    append(
        &mut part,
        &["<article id=\"finding-", &escaped(&line.uid), "\">\n<h4>", &shown(&line.title), "</h4>\n<table class=\"meta\">\n"],
    );
    let (verdict, because) = match &line.verdict {
        Verdict::Pass => ("Passed", String::new()),
        Verdict::Fail => ("Failed", String::new()),
        Verdict::NotApplicable { reason } => ("Does not apply", reason.clone()),
        Verdict::NotEvaluated { cause } => ("Not evaluated", format!("{} {}", cause.sentence, cause.remedy)),
        Verdict::Manual => ("Attested, not scanned", String::new()),
        Verdict::Observed => ("Observed", String::new()),
    };
    let since = line.not_rechecked_since.map(|since| format!("since {since:.0}. {}", line.not_rechecked_because)).unwrap_or_default();
    let attested = match (&line.attested_by, line.attested_at) {
        (Some(who), Some(at)) => {
            format!(
                "{} by {who} on {at:.0}, until {}",
                line.answer.as_deref().unwrap_or_default(),
                line.valid_until.as_deref().unwrap_or("?")
            )
        }
        _ => String::new(),
    };
    let references: Vec<String> = line
        .frameworks
        .iter()
        .map(|(framework, references)| format!("{} {}", catalog::framework_title(framework), references.join(", ")))
        .chain((!line.sscf.is_empty()).then(|| format!("{} {}", catalog::framework_title("sscf"), line.sscf.join(", "))))
        .collect();
    let ended = line.fixed_or_gone_at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let rows: [(&str, String); 12] = [
        ("Found on", if line.resource.is_empty() { "the tenant itself".to_owned() } else { line.resource.clone() }),
        ("State", state_word(line.state).to_owned()),
        ("Verdict", format!("{verdict}. {because}").trim_end().to_owned()),
        ("Not checked again", since),
        ("Attested", attested),
        ("Current", line.current.clone()),
        ("Recommended", line.recommended.clone()),
        ("First seen", format!("{:.0}", line.first_seen)),
        ("Last seen", format!("{:.0}", line.last_seen)),
        ("Ended", ended),
        ("Check", format!("{} ({})", line.practice, line.check)),
        ("References", references.join("; ")),
    ];
    for (name, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        append(&mut part, &["<tr><th scope=\"row\">", name, "</th><td>", &shown(text), "</td></tr>\n"]);
    }
    part.push_str("</table>\n");
    if !line.why.is_empty() {
        append(&mut part, &["<h5>Why it matters</h5>\n<p>", &shown(&line.why), "</p>\n"]);
    }
    if !line.steps.is_empty() {
        part.push_str("<h5>What to do</h5>\n<ol>\n");
        for step in &line.steps {
            append(&mut part, &["<li>", &shown(step), "</li>\n"]);
        }
        part.push_str("</ol>\n");
    }
    if let Some(fields) = line.evidence.as_object().filter(|fields| !fields.is_empty()) {
        part.push_str("<h5>Evidence</h5>\n<table class=\"fields\">\n");
        for (path, value) in fields {
            append(&mut part, &["<tr><th scope=\"row\">", &shown(path), "</th><td>", &shown(&cut(&value.to_string())), "</td></tr>\n"]);
        }
        part.push_str("</table>\n");
    }
    if !line.source.is_empty() {
        append(&mut part, &["<p class=\"detail\">Source: ", &shown(&line.source), "</p>\n"]);
    }
    part.push_str("</article>\n");
    part
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST).collect();
    format!("{kept}… (the rest is left out on this page)")
}
