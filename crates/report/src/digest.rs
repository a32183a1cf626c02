//! The daily digest as a page that needs nothing else, and as text: for a file, and for the two forms of a mail.

use crate::page::{self, append, plain, shown, word};
use catalog::Severity;
use std::fmt::Write;

/// What a digest says. Every text may hold a vendor's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestReport {
    /// `Daily digest of 22 November 2026`.
    pub title: String,
    /// What it speaks of: from when to when, and who made it.
    pub about: String,
    /// The posture score in percent; `None` where nothing counts.
    pub score: Option<u32>,
    /// All of it in a few sentences.
    pub summary: Vec<String>,
    /// What concerns the instances of each owner.
    pub owners: Vec<DigestOwner>,
}

/// What concerns the instances of one owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestOwner {
    /// The owner; empty for instances without one.
    pub owner: String,
    /// `New findings`, …; none is empty.
    pub sections: Vec<DigestSection>,
}

/// Things of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestSection {
    /// What they are.
    pub title: String,
    /// Each of them.
    pub lines: Vec<DigestLine>,
}

/// One thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestLine {
    /// How bad it is, where that is known.
    pub severity: Option<Severity>,
    /// What it is.
    pub what: String,
    /// Application and instance.
    pub place: String,
    /// More of it: why, and what to do. May be empty.
    pub detail: String,
}

/// The digest as one page: no script, nothing that is fetched, every text escaped. Its policy forbids both to whoever shows it.
pub fn digest_html(report: &DigestReport) -> String {
    let mut page = page::begin(&report.title, "");
    append(&mut page, &["<h1>", &shown(&report.title), "</h1>\n<p class=\"about\">", &shown(&report.about), "</p>\n"]);
    if let Some(score) = report.score {
        append(&mut page, &["<p class=\"score\">Score ", &score.to_string(), " %</p>\n"]);
    }
    page.push_str("<div class=\"summary\">\n");
    for sentence in &report.summary {
        append(&mut page, &["<p>", &shown(sentence), "</p>\n"]);
    }
    page.push_str("</div>\n");
    let alone = alone(report);
    for owner in &report.owners {
        page.push_str("<section>\n");
        if !alone {
            append(&mut page, &["<h2>", &shown(heading(owner)), "</h2>\n"]);
        }
        let level = if alone { "2" } else { "3" };
        for section in &owner.sections {
            append(&mut page, &["<h", level, ">", &shown(&section.title), "</h", level, ">\n<ul>\n"]);
            for line in &section.lines {
                page.push_str("<li>");
                if let Some(severity) = line.severity {
                    let word = word(severity);
                    append(&mut page, &["<span class=\"severity ", &word.to_lowercase(), "\">", word, "</span> "]);
                }
                append(&mut page, &["<span class=\"what\">", &shown(&line.what), "</span>"]);
                for (class, text) in [("place", &line.place), ("detail", &line.detail)] {
                    if !text.is_empty() {
                        append(&mut page, &["<span class=\"", class, "\">", &shown(text), "</span>"]);
                    }
                }
                page.push_str("</li>\n");
            }
            page.push_str("</ul>\n");
        }
        page.push_str("</section>\n");
    }
    page.push_str(page::END);
    page
}

/// The digest as text. No text of it can begin a line of its own.
pub fn digest_text(report: &DigestReport) -> String {
    let mut text = String::new();
    let mut line = |indent: &str, parts: &[&str]| {
        let whole: String = parts.iter().map(|part| plain(part)).collect();
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{indent}{}", whole.trim());
    };
    line("", &[&report.title]);
    line("", &[&report.about]);
    line("", &[""]);
    if let Some(score) = report.score {
        line("", &["Score: ", &score.to_string(), " %"]);
    }
    for sentence in &report.summary {
        line("", &[sentence]);
    }
    let alone = alone(report);
    for owner in &report.owners {
        if !alone {
            line("", &[""]);
            line("", &["=== ", heading(owner), " ==="]);
        }
        for section in &owner.sections {
            line("", &[""]);
            line("", &[&section.title]);
            for one in &section.lines {
                let severity = one.severity.map_or("", word);
                line("  - ", &[severity, if severity.is_empty() { "" } else { ": " }, &one.what]);
                for more in [&one.place, &one.detail] {
                    if !more.is_empty() {
                        line("    ", &[more]);
                    }
                }
            }
        }
    }
    text
}

/// Whether there is nobody to tell apart.
fn alone(report: &DigestReport) -> bool {
    matches!(report.owners.as_slice(), [] | [DigestOwner { .. }]) && report.owners.iter().all(|owner| owner.owner.is_empty())
}

fn heading(owner: &DigestOwner) -> &str {
    if owner.owner.is_empty() { "Instances without an owner" } else { &owner.owner }
}
