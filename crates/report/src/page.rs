//! What every page of this crate begins with, looks like and obeys: nothing that is fetched, no script, no text that is markup.

use catalog::Severity;

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

/// What a page ends with.
pub(crate) const END: &str = "</main>\n</body>\n</html>\n";

/// The beginning of a page up to its content. Its policy forbids scripts and fetching to whoever shows it; `style` comes behind the
/// common style.
pub(crate) fn begin(title: &str, style: &str) -> String {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    // Text elements and a title hold no markup that anybody else wrote.
    append(&mut page, &["<title>", &escaped(title), "</title>\n<style>", STYLE, style, "</style>\n</head>\n<body>\n<main>\n"]);
    page
}

pub(crate) fn append(page: &mut String, parts: &[&str]) {
    for part in parts {
        page.push_str(part);
    }
}

pub(crate) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// Text for the inside of an element that may be read from right to left without turning what stands beside it.
pub(crate) fn shown(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// Text in which nothing is markup, in elements and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
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
pub(crate) fn plain(text: &str) -> String {
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
