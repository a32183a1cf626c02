//! A control of a framework as a line, and a framework as a page.

use crate::{
    ReportError,
    line::{Line, sealed, truth},
    page::{self, append, escaped, shown},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, io::Write};

/// A control with what the checks that name it came to. Numbers count pairs of a check and an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlLine {
    /// "NIST SP 800-53 revision 5".
    pub framework: String,
    /// Whether it speaks of simulated tenants.
    pub sandbox: bool,
    /// The part that it is in: `AC`.
    pub family: String,
    /// "Access Control".
    pub family_title: String,
    /// `AC-6(10)`.
    pub control: String,
    /// Its title; may be empty.
    pub title: String,
    /// `failed`, `not_evaluated`, `passed`, `attested`, `not_applicable`, `not_covered`.
    pub status: String,
    /// The same in words.
    pub sentence: String,
    /// How many checks name it.
    pub checks: u32,
    /// On how many instances.
    pub instances: u32,
    /// Failed.
    pub failed: u32,
    /// Not evaluated.
    pub not_evaluated: u32,
    /// To be attested.
    pub due: u32,
    /// Passed.
    pub passed: u32,
    /// Attested, not scanned.
    pub attested: u32,
    /// Not applicable.
    pub not_applicable: u32,
    /// The checks that name it, divided by spaces.
    pub check_ids: String,
}

impl Line for ControlLine {}

impl sealed::Cells for ControlLine {
    const PLURAL: &'static str = "controls";
    const COLUMNS: &'static [&'static str] = &[
        "framework",
        "sandbox",
        "family",
        "family_title",
        "control",
        "title",
        "status",
        "sentence",
        "checks",
        "instances",
        "failed",
        "not_evaluated",
        "due",
        "passed",
        "attested",
        "not_applicable",
        "check_ids",
    ];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let number = |number: u32| Cow::Owned(number.to_string());
        vec![
            Cow::Borrowed(&self.framework),
            truth(self.sandbox),
            Cow::Borrowed(&self.family),
            Cow::Borrowed(&self.family_title),
            Cow::Borrowed(&self.control),
            Cow::Borrowed(&self.title),
            Cow::Borrowed(&self.status),
            Cow::Borrowed(&self.sentence),
            number(self.checks),
            number(self.instances),
            number(self.failed),
            number(self.not_evaluated),
            number(self.due),
            number(self.passed),
            number(self.attested),
            number(self.not_applicable),
            Cow::Borrowed(&self.check_ids),
        ]
    }
}

/// What a framework's page says beside its controls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameworkReport {
    /// When it was read from the store.
    pub exported_at: Timestamp,
    /// The framework with its version.
    pub title: String,
    /// How far checks reach into it, in sentences.
    pub summary: Vec<String>,
    /// Whether it speaks of simulated tenants.
    pub sandbox: bool,
    /// How many instances it speaks of.
    pub instances: u32,
    /// Instances of which nothing can be said, with the reason.
    pub unreadable: Vec<String>,
    /// Where the framework is published.
    pub source: String,
}

const STYLE: &str = "\
main{max-width:1000px}table{border-collapse:collapse;width:100%;font-size:13px}\
th,td{text-align:left;vertical-align:top;padding:4px 8px 4px 0;border-top:1px solid var(--edge);overflow-wrap:anywhere}\
thead th{border-top:0;color:var(--second);white-space:nowrap}td.count{text-align:right;white-space:nowrap}\
.failed{color:var(--bad);font-weight:600}.not_evaluated,.due{color:var(--warn);font-weight:600}.not_covered{color:var(--second)}\
.sandbox{border:2px solid var(--warn);border-radius:8px;padding:8px 12px;margin:12px 0;color:var(--warn);font-weight:600}\
@page{margin:18mm 14mm;@bottom-right{content:\"Page \" counter(page) \" of \" counter(pages);font-size:9pt}}\
@media print{tr{break-inside:avoid}thead{display:table-header-group}}";

/// Writes a framework as one page, by its parts, and says how many controls there were: no script, nothing that is fetched, every text
/// escaped. Controls that no check names are listed by their numbers at the end of their part.
///
/// # Errors
/// The writer fails.
pub fn framework_html(mut out: impl Write, lines: &[ControlLine], report: &FrameworkReport) -> Result<u64, ReportError> {
    let title = format!("Compliance: {}", report.title);
    let mut text = page::begin(&title, STYLE);
    append(&mut text, &["<h1>", &shown(&title), "</h1>\n<p class=\"about\">Written by Posture Console on "]);
    append(&mut text, &[&format!("{:.0}", report.exported_at), ", of ", &report.instances.to_string(), " instances. Source: "]);
    append(&mut text, &[&shown(&report.source), "</p>\n"]);
    if report.sandbox {
        text.push_str("<p class=\"sandbox\">This speaks of simulated tenants, and says nothing about real ones.</p>\n");
    }
    text.push_str("<div class=\"summary\">\n");
    for sentence in &report.summary {
        append(&mut text, &["<p>", &shown(sentence), "</p>\n"]);
    }
    for unreadable in &report.unreadable {
        append(&mut text, &["<p>Not looked at: ", &shown(unreadable), "</p>\n"]);
    }
    text.push_str("</div>\n");
    for family in lines.chunk_by(|one, next| one.family == next.family) {
        let Some(first) = family.first() else { continue };
        append(&mut text, &["<h2>", &shown(&first.family), " ", &shown(&first.family_title), "</h2>\n"]);
        let (touched, others): (Vec<&ControlLine>, Vec<&ControlLine>) = family.iter().partition(|line| line.checks > 0);
        if !touched.is_empty() {
            text.push_str("<table>\n<thead><tr><th scope=\"col\">Control</th><th scope=\"col\">Result</th><th scope=\"col\">Checks</th>");
            text.push_str("<th scope=\"col\">Instances</th><th scope=\"col\">In words</th></tr></thead>\n<tbody>\n");
        }
        for line in &touched {
            append(&mut text, &["<tr><th scope=\"row\">", &shown(&line.control), " ", &shown(&line.title), "</th>"]);
            append(&mut text, &["<td class=\"", &escaped(&line.status), "\">", &shown(&line.status.replace('_', " ")), "</td>"]);
            append(&mut text, &["<td class=\"count\">", &line.checks.to_string(), "</td>"]);
            append(&mut text, &["<td class=\"count\">", &line.instances.to_string(), "</td>"]);
            append(&mut text, &["<td>", &shown(&line.sentence), "</td></tr>\n"]);
        }
        if !touched.is_empty() {
            text.push_str("</tbody>\n</table>\n");
        }
        if !others.is_empty() {
            let numbers: Vec<&str> = others.iter().map(|line| line.control.as_str()).collect();
            append(&mut text, &["<p class=\"not_covered\">Not checked by this console (", &others.len().to_string(), "): "]);
            append(&mut text, &[&shown(&numbers.join(", ")), "</p>\n"]);
        }
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    text.push_str(page::END);
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(lines.len() as u64)
}
