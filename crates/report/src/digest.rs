//! The daily digest as a page that needs nothing else, and as text: for a file, and for the two forms of a mail.

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

/// Colours of both schemes, and of paper; the same as the window's.
const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--panel:#f4f6f8;--text:#16202b;--second:#4a5765;--edge:#c9d1d9;--bad:#b3261e;--warn:#8a4b00;--mild:#38506b}\
@media (prefers-color-scheme:dark){:root{--ground:#12181f;--panel:#1a222b;--text:#e8edf2;--second:#a9b5c1;--edge:#3a4653;--bad:#ff9d94;--warn:#f3b76b;--mild:#a9c6e6}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",sans-serif}\
main{max-width:760px;margin:0 auto;padding:32px 20px}\
h1{font-size:22px;margin:0 0 4px}h2{font-size:17px;margin:32px 0 8px;border-bottom:1px solid var(--edge);padding-bottom:4px}h3{font-size:15px;margin:20px 0 6px}\
p{margin:0 0 8px}.about,.place,.detail{color:var(--second)}.score{font-size:32px;font-weight:600;margin:16px 0 4px}\
.summary{background:var(--panel);border:1px solid var(--edge);border-radius:8px;padding:12px 16px;margin:16px 0}.summary p:last-child{margin:0}\
ul{list-style:none;margin:0;padding:0}li{padding:8px 0;border-top:1px solid var(--edge);overflow-wrap:anywhere}li:first-child{border-top:0}\
.severity{display:inline-block;min-width:68px;font-weight:600}.critical,.high{color:var(--bad)}.medium{color:var(--warn)}.low,.info{color:var(--mild)}\
.place,.detail{display:block;font-size:13px}\
@media print{:root{--ground:#fff;--panel:#fff;--text:#000;--second:#333;--edge:#999;--bad:#000;--warn:#000;--mild:#000}main{max-width:none;padding:0}li,.summary{break-inside:avoid}h2,h3{break-after:avoid}}";

/// The digest as one page: no script, nothing that is fetched, every text escaped. Its policy forbids both to whoever shows it.
pub fn digest_html(report: &DigestReport) -> String {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    // Text elements and a title hold no markup that anybody else wrote.
    append(&mut page, &["<title>", &escaped(&report.title), "</title>\n<style>", STYLE, "</style>\n</head>\n<body>\n<main>\n"]);
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
    page.push_str("</main>\n</body>\n</html>\n");
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

fn append(page: &mut String, parts: &[&str]) {
    for part in parts {
        page.push_str(part);
    }
}

/// Whether there is nobody to tell apart.
fn alone(report: &DigestReport) -> bool {
    matches!(report.owners.as_slice(), [] | [DigestOwner { .. }]) && report.owners.iter().all(|owner| owner.owner.is_empty())
}

fn heading(owner: &DigestOwner) -> &str {
    if owner.owner.is_empty() { "Instances without an owner" } else { &owner.owner }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// Text for the inside of an element that may be read from right to left without turning what stands beside it.
fn shown(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// Text in which nothing is markup, in elements and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in plain(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text on one line, without letters that are none: controls, and those that turn the direction of what follows them.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            other => other,
        })
        .filter(|letter| {
            !letter.is_control()
                && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        })
        .collect()
}
