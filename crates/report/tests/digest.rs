//! What a digest looks like to whoever opens it, whatever a vendor has written.
#![allow(clippy::unwrap_used, missing_docs)]

use catalog::Severity;
use posture_report::{DigestLine, DigestOwner, DigestReport, DigestSection, digest_html, digest_text};
use proptest::prelude::*;

/// A report of the same shape, whatever its texts are.
fn report(texts: &[String; 9]) -> DigestReport {
    let line = |severity| DigestLine { severity, what: texts[0].clone(), place: texts[1].clone(), detail: texts[2].clone() };
    let sections = || {
        vec![DigestSection { title: texts[3].clone(), lines: vec![line(Some(Severity::Critical)), line(Some(Severity::Info)), line(None)] }]
    };
    DigestReport {
        title: texts[4].clone(),
        about: texts[5].clone(),
        score: Some(71),
        summary: vec![texts[6].clone(), texts[7].clone()],
        owners: vec![
            DigestOwner { owner: texts[8].clone(), sections: sections() },
            DigestOwner { owner: String::new(), sections: sections() },
        ],
    }
}

fn count(text: &str, letter: char) -> usize {
    text.chars().filter(|there| *there == letter).count()
}

#[test]
fn the_page_says_all_of_it_and_needs_nothing_else() {
    let texts: [String; 9] = [
        "Single sign-on is off",
        "Kustomer, Halden Moor",
        "Open Settings.",
        "New findings",
        "Daily digest",
        "From yesterday",
        "One new.",
        "None fixed.",
        "ada@halden.example",
    ]
    .map(Into::into);
    let page = digest_html(&report(&texts));
    for text in &texts {
        assert!(page.contains(&format!("<bdi>{text}</bdi>")), "{text}");
    }
    assert!(page.contains("<p class=\"score\">Score 71 %</p>") && page.contains("<span class=\"severity critical\">Critical</span>"));
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"));
    assert!(page.contains("default-src 'none'") && page.contains("Instances without an owner"));
    for never in ["<script", "http:", "https:", "//", "src=", "href=", "url(", "@import", " on", "<img", "<link", "<a "] {
        let markup: String = page.split("<bdi>").map(|part| part.split_once("</bdi>").map_or(part, |(_, after)| after)).collect();
        assert!(!markup.to_lowercase().contains(never), "{never}");
    }
    let text = digest_text(&report(&texts));
    for line in ["Score: 71 %", "  - Critical: Single sign-on is off", "    Kustomer, Halden Moor", "=== ada@halden.example ==="] {
        assert!(text.lines().any(|there| there == line), "{line}\n{text}");
    }
}

#[test]
fn one_owner_without_a_name_gets_no_heading() {
    let mut report = report(&[const { String::new() }; 9]);
    report.owners.truncate(1);
    assert!(!digest_html(&report).contains("without an owner") && !digest_text(&report).contains("==="));
    assert!(digest_html(&report).contains("<h2>") && !digest_html(&report).contains("<h3>"));
    report.owners.clear();
    assert!(!digest_html(&report).contains("<section>"));
}

proptest! {
    /// Whatever it is told, the page has the tags of a harmless one and no others, and the text its lines.
    #[test]
    fn nothing_that_is_told_becomes_markup_or_a_line(
        hostile in proptest::array::uniform9("(</?(script|style|title|bdi|img)( onerror=\"x\"| src='//evil.example/')?>|&lt;|&#60;|[<>&\"'\r\n\t\u{202e}\u{2028}\u{0}-->]|[a-z ]|\\PC){1,24}"),
    ) {
        let harmless = report(&[const { String::new() }; 9].map(|_: String| "x".to_owned()));
        let (page, plain) = (digest_html(&report(&hostile)), digest_html(&harmless));
        for letter in ['<', '>', '"', '\''] {
            prop_assert_eq!(count(&page, letter), count(&plain, letter), "{}", letter);
        }
        for hidden in ['\u{202e}', '\u{2028}', '\u{0}', '\r'] {
            prop_assert!(!page.contains(hidden));
        }
        prop_assert_eq!(digest_text(&report(&hostile)).lines().count(), digest_text(&harmless).lines().count());
    }
}
