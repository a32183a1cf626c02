//! What auditors' programs find in an export: OCSF and OSCAL read by other people's models, and the page as a browser sees it.
#![allow(clippy::unwrap_used, missing_docs)]

use catalog::{Cause, CauseKind, Severity, Verdict};
use posture_report::{
    Assessment, ByteOrderMark, ControlLine, FindingLine, FindingState, FindingsReport, FrameworkReport, OcsfForm, OcsfVersion, PageScore,
    ReportError, Reviewed, Unread, csv, finding_uid, findings_html, framework_html, ocsf, oscal,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn line(row: &str) -> FindingLine {
    FindingLine {
        app: "kustomer".into(),
        instance: "Support, Europe".into(),
        sandbox: false,
        check: "kustomer.auth.sso_enabled".into(),
        title: "Single sign-on is off".into(),
        severity: Severity::High,
        state: FindingState::Open,
        verdict: Verdict::Fail,
        resource: row.into(),
        current: "off".into(),
        recommended: "on".into(),
        first_seen: time("2026-11-01T08:00:00.25Z"),
        last_seen: time("2026-11-21T12:00:00Z"),
        fixed_or_gone_at: None,
        not_rechecked_since: None,
        steps: vec!["Open Settings.".into(), "Turn SAML on.".into()],
        why: "Passwords are shared.".into(),
        sscf: vec!["IAM-SaaS-04".into()],
        frameworks: BTreeMap::from([("soc2".into(), vec!["CC6.1".into()]), ("nist_800_53".into(), vec!["IA-2(1)".into(), "AC-2".into()])]),
        evidence: json!({"attributes.saml.enabled": false, "names": ["a", "b"]}),
        source: "https://developer.kustomer.com/".into(),
        answer: None,
        attested_by: None,
        recorded_by: None,
        attested_at: None,
        valid_until: None,
        uid: finding_uid("5f0c", "kustomer.auth.sso_enabled", row),
        instance_id: "5f0c".into(),
        app_name: "Kustomer".into(),
        practice: "SAML SSO is on".into(),
        not_rechecked_because: String::new(),
    }
}

fn not_evaluated() -> Verdict {
    Verdict::NotEvaluated {
        cause: Cause { kind: CauseKind::ScopeMissing, sentence: "The key lacks a role.".into(), remedy: "Make a key with it.".into() },
    }
}

/// OCSF's compliance status, finding status and activity.
type Ids = (u64, u64, u64);

/// One line of each kind, with what it is to become: OCSF's numbers, and OSCAL's state.
fn kinds() -> Vec<(FindingLine, Ids, Option<&'static str>)> {
    let ended = Some(time("2026-11-20T12:00:00Z"));
    let attested = |row: &str, answer: &str| FindingLine {
        verdict: Verdict::Manual,
        answer: Some(answer.into()),
        attested_by: Some("Mei".into()),
        evidence: json!({}),
        ..line(row)
    };
    let created = FindingLine { first_seen: line("").last_seen, ..line("created") };
    let unread = FindingLine { not_rechecked_since: ended, not_rechecked_because: "It was refused.".into(), ..line("unread") };
    let expired = FindingLine { not_rechecked_since: ended, ..attested("expired", "not_met") };
    vec![
        (FindingLine { evidence: Value::Null, resource: String::new(), ..line("tenant") }, (3, 1, 2), Some("not-satisfied")),
        (created, (3, 1, 1), Some("not-satisfied")),
        (unread, (3, 1, 2), Some("not-satisfied")),
        (
            FindingLine { state: FindingState::Fixed, verdict: Verdict::Pass, fixed_or_gone_at: ended, ..line("fixed") },
            (1, 4, 3),
            Some("satisfied"),
        ),
        (FindingLine { state: FindingState::Gone, fixed_or_gone_at: ended, ..line("gone") }, (3, 99, 3), None),
        (FindingLine { state: FindingState::Dismissed, ..line("dismissed") }, (3, 3, 2), Some("not-satisfied")),
        (FindingLine { verdict: not_evaluated(), ..line("not evaluated") }, (2, 1, 2), None),
        (
            FindingLine {
                state: FindingState::Gone,
                verdict: Verdict::NotApplicable { reason: "SAML is off.".into() },
                fixed_or_gone_at: ended,
                ..line("not applicable")
            },
            (99, 99, 3),
            None,
        ),
        (FindingLine { verdict: Verdict::Observed, sandbox: true, ..line("observed") }, (99, 1, 2), None),
        (attested("not met", "not_met"), (3, 1, 2), Some("not-satisfied")),
        (expired, (2, 1, 2), None),
        // What a person attests as met was not scanned: it is no pass, and satisfies nothing.
        (FindingLine { state: FindingState::Fixed, fixed_or_gone_at: ended, ..attested("met", "met") }, (99, 4, 3), None),
    ]
}

fn about() -> Assessment {
    let reviewed = |check: &str, control: &str| Reviewed {
        check: check.into(),
        practice: "Passed *everywhere*".into(),
        why: "Because.".into(),
        controls: vec![control.into()],
    };
    Assessment {
        exported_at: time("2026-11-21T12:00:00Z"),
        scope: "Open findings".into(),
        reviewed: vec![reviewed("kustomer.roles.admins", "AC-6(5)"), reviewed("kustomer.none", "nothing of that form")],
    }
}

fn ocsf_of(lines: Vec<FindingLine>, version: OcsfVersion, form: OcsfForm) -> String {
    let mut out = Vec::new();
    let count = lines.len() as u64;
    assert_eq!(ocsf(&mut out, lines, version, form).unwrap(), count);
    String::from_utf8(out).unwrap()
}

fn oscal_of(lines: Vec<FindingLine>) -> String {
    let mut out = Vec::new();
    let count = lines.len() as u64;
    assert_eq!(oscal(&mut out, lines, &about()).unwrap(), count);
    String::from_utf8(out).unwrap()
}

fn page_of(lines: Vec<FindingLine>, report: &FindingsReport) -> String {
    let mut out = Vec::new();
    let count = lines.len() as u64;
    assert_eq!(findings_html(&mut out, lines, report).unwrap(), count);
    String::from_utf8(out).unwrap()
}

/// What other people's models read in an export. Fails where they are not installed: that is no reason to believe the export.
fn read(kind: &str, name: &str, text: &str) -> Value {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let packages = target.join("tools/standards");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/standards");
    assert!(
        packages.is_dir(),
        "The readers of OCSF and OSCAL are not there. `cargo xtask test` installs them; by hand: \
         python3 -m pip install --no-deps --target {} --requirement {}",
        packages.display(),
        list.join("requirements.txt").display()
    );
    let file: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("standards-{}-{name}", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let ran = Command::new("python3").arg("-I").arg(list.join("read.py")).arg(&packages).arg(kind).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

#[test]
fn ocsf_is_what_other_models_read_and_each_kind_has_its_status() {
    let (lines, wanted): (Vec<FindingLine>, Vec<Ids>) = kinds().into_iter().map(|(line, wanted, _)| (line, wanted)).unzip();
    for (version, form, name) in [(OcsfVersion::V1_5_0, OcsfForm::Document, "1.5.0"), (OcsfVersion::V1_8_0, OcsfForm::Lines, "1.8.0")] {
        let events = read("ocsf", name, &ocsf_of(lines.clone(), version, form));
        let events = events.as_array().unwrap();
        let uids: BTreeSet<&str> = events.iter().map(|event| event["finding_info"]["uid"].as_str().unwrap()).collect();
        assert_eq!((events.len(), uids.len()), (lines.len(), lines.len()), "each exactly once");
        for ((event, line), wanted) in events.iter().zip(&lines).zip(&wanted) {
            let found = [&event["compliance"]["status_id"], &event["status_id"], &event["activity_id"]].map(|id| id.as_u64().unwrap());
            assert_eq!((found[0], found[1], found[2]), *wanted, "{event:#}");
            assert_eq!(event["metadata"]["version"], name);
            assert_eq!((&event["severity_id"], &event["compliance"]["checks"][0]["uid"]), (&json!(4), &json!(line.check)));
            assert_eq!(event["metadata"]["labels"][0].as_str() == Some("sandbox"), line.sandbox);
            assert_eq!(event.get("evidences").is_some(), line.evidence.as_object().is_some_and(|fields| !fields.is_empty()));
            // What is not known is said.
            assert!(wanted.0 != 2 || !event["compliance"]["status_details"][0].as_str().unwrap().is_empty());
        }
        assert_eq!(events[1]["time"], 1_795_262_400_000_i64, "milliseconds");
        let unread = events[2]["compliance"]["status_details"][0].as_str().unwrap();
        assert_eq!(unread, "Not checked again since 2026-11-20T12:00:00Z. It was refused.");
        assert_eq!(events[1]["remediation"]["desc"], "1. Open Settings. 2. Turn SAML on.");
        let requirements: Vec<&str> =
            events[1]["compliance"]["requirements"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert_eq!(requirements[..2], ["NIST SP 800-53 revision 5 IA-2(1)", "NIST SP 800-53 revision 5 AC-2"]);
    }
    assert_eq!(ocsf_of(Vec::new(), OcsfVersion::V1_5_0, OcsfForm::Document), "[]\n");
    assert_eq!(ocsf_of(Vec::new(), OcsfVersion::V1_5_0, OcsfForm::Lines), "");
}

#[test]
fn oscal_is_what_other_models_read_and_only_verdicts_satisfy() {
    let (lines, wanted): (Vec<FindingLine>, Vec<Option<&str>>) = kinds().into_iter().map(|(line, _, wanted)| (line, wanted)).unzip();
    let text = oscal_of(lines.clone());
    assert_eq!(text, oscal_of(lines.clone()), "the same findings have the same identifiers");
    let found = read("oscal", "all", &text);
    assert_eq!(found["observations"], lines.len());
    let states: Vec<&str> = found["findings"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, wanted.into_iter().flatten().collect::<Vec<_>>());
    assert_eq!(found["controls"], json!(["ac-2", "ac-6.5", "ia-2.1"]));
    assert_eq!(found["objectives"], json!(["kustomer.auth.sso_enabled", "kustomer.none", "kustomer.roles.admins"]));

    // Nothing found is a result too, as long as something was looked at.
    let none = read("oscal", "none", &oscal_of(Vec::new()));
    assert_eq!((&none["observations"], &none["findings"], &none["controls"]), (&json!(0), &json!([]), &json!(["ac-6.5"])));
    let mut out = Vec::new();
    let nothing = oscal(&mut out, [FindingLine { frameworks: BTreeMap::new(), ..line("x") }], &Assessment::default()).unwrap_err();
    assert_eq!((nothing.code(), out.len()), ("E-EXPORT-NOTHING", 0), "nothing is written that would have to be taken back");
}

#[test]
fn hostile_texts_stay_texts_in_ocsf_and_oscal() {
    let hostile = [
        "",
        " ",
        "\n",
        "</script><script>alert(1)</script>",
        "[x](https://evil.example)",
        "a\u{202e}b",
        "\u{0}",
        "`*_#",
        "&lt;",
        "=1+1",
        "\u{2028}",
        "'\"",
        "ünï 漢字 🙂",
        "- x\n# y",
    ];
    let lines: Vec<FindingLine> = hostile
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let text = (*text).to_owned();
            FindingLine {
                title: text.clone(),
                instance: text.clone(),
                app_name: text.clone(),
                check: text.clone(),
                practice: text.clone(),
                resource: text.clone(),
                current: text.clone(),
                recommended: text.clone(),
                why: text.clone(),
                steps: vec![text.clone()],
                evidence: json!({ text.clone(): text }),
                ..line(&at.to_string())
            }
        })
        .collect();
    let events = read("ocsf", "hostile", &ocsf_of(lines.clone(), OcsfVersion::V1_5_0, OcsfForm::Lines));
    assert_eq!(events.as_array().unwrap().len(), lines.len(), "no text begins a line");
    let text = oscal_of(lines.clone());
    assert_eq!(read("oscal", "hostile", &text)["observations"], lines.len());
    let document: Value = serde_json::from_str(&text).unwrap();
    let titles = document["assessment-results"]["results"][0]["observations"].as_array().unwrap();
    assert_eq!(titles[3]["title"], "&lt;/script&gt;&lt;script&gt;alert\\(1\\)&lt;/script&gt;");
    assert_eq!(titles[4]["title"], "\\[x\\]\\(https://evil.example\\)");
}

#[test]
fn an_identifier_stays_and_no_two_are_the_same() {
    let uid = finding_uid("5f0c", "a.b", "row");
    assert_eq!(uid, finding_uid("5f0c", "a.b", "row"));
    // What a reader has stored is found again by later versions of this program.
    assert_eq!(uid, "29937f7d-a1a0-528c-bef6-e6c820c79962");
    for other in [finding_uid("5f0", "ca.b", "row"), finding_uid("5f0c", "a.brow", ""), finding_uid("5f0c", "a.b", "row2")] {
        assert_ne!(uid, other);
    }
}

fn report() -> FindingsReport {
    FindingsReport {
        exported_at: time("2026-11-21T12:00:00Z"),
        scope: "Open findings of Kustomer".into(),
        score: Some(PageScore { value: 71, not_evaluated: 12 }),
        unread: vec![Unread {
            app_name: "Kustomer".into(),
            instance: "Support, Europe".into(),
            sandbox: false,
            what: "Tokens expire".into(),
            why: "The key lacks a role.".into(),
            remedy: "Make a key with it.".into(),
        }],
    }
}

#[test]
fn the_page_says_all_of_it_and_needs_nothing_else() {
    let lines: Vec<FindingLine> = kinds().into_iter().map(|(line, ..)| line).collect();
    let page = page_of(lines.clone(), &report());
    assert_eq!(page.matches("<article ").count(), lines.len());
    for line in &lines {
        assert_eq!(page.matches(&format!("id=\"finding-{}\"", line.uid)).count(), 1, "each exactly once");
    }
    for said in [
        "Score 71 %",
        "12 % of what counts was not evaluated",
        "<bdi>Tokens expire</bdi>",
        "<bdi>The key lacks a role.</bdi>",
        "<bdi>Attested, not scanned.</bdi>",
        "<bdi>since 2026-11-20T12:00:00Z. It was refused.</bdi>",
        "12 findings: 0 critical, 12 high",
        "7 open, 2 fixed, 2 gone, 1 dismissed",
        "2 could not be checked again",
        "<bdi>Turn SAML on.</bdi>",
        "<bdi>attributes.saml.enabled</bdi>",
        "prefers-color-scheme:dark",
        "counter(page)",
        "<p class=\"sandbox\">",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    let markup: String = page.split("<bdi>").map(|part| part.split_once("</bdi>").map_or(part, |(_, after)| after)).collect();
    for never in ["<script", "http:", "https:", "//", "src=", "href=", "url(", "@import", "<img", "<link", "<a "] {
        assert!(!markup.to_lowercase().contains(never), "{never}");
    }
    assert!(page.contains("default-src 'none'"));

    let empty = page_of(Vec::new(), &FindingsReport { exported_at: report().exported_at, ..FindingsReport::default() });
    assert!(empty.contains("0 findings") && empty.contains("does not mean that all is well") && !empty.contains("class=\"sandbox\""));
}

#[test]
fn what_is_worst_comes_first_in_its_instance() {
    let severities = [Severity::Low, Severity::Critical, Severity::Info, Severity::Medium, Severity::High];
    let page = page_of(severities.map(|severity| FindingLine { severity, ..line(&format!("{severity:?}")) }).to_vec(), &report());
    let places: Vec<usize> =
        ["Critical", "High", "Medium", "Low", "Info"].map(|word| page.find(&format!("\">{word}</span> (1)")).unwrap()).to_vec();
    assert!(places.is_sorted());
}

/// A framework of two families whose texts are these.
fn framework_of(texts: &[String; 4]) -> (Vec<ControlLine>, FrameworkReport) {
    let control = |family: &str, control: &str, checks| ControlLine {
        framework: "Small 1".into(),
        family: family.into(),
        family_title: texts[0].clone(),
        control: control.into(),
        title: texts[1].clone(),
        status: if checks > 0 { "not_evaluated" } else { "not_covered" }.into(),
        sentence: texts[2].clone(),
        checks,
        ..ControlLine::default()
    };
    let lines = vec![control("A", "A.1", 2), control("A", "A.2", 0), control("B", "B.1", 0), control("B", "B.2", 0)];
    let about = FrameworkReport {
        exported_at: time("2026-11-21T12:00:00Z"),
        title: "Small 1".into(),
        summary: vec![texts[3].clone()],
        sandbox: true,
        instances: 3,
        unreadable: vec![texts[0].clone()],
        source: "https://framework.example/".into(),
    };
    (lines, about)
}

fn framework_page(texts: &[String; 4]) -> String {
    let (lines, about) = framework_of(texts);
    let mut out = Vec::new();
    assert_eq!(framework_html(&mut out, &lines, &about).unwrap(), 4);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_framework_lists_what_nothing_looks_at() {
    let page = framework_page(&["First", "Only one", "Nothing failed.", "1 of 4 controls."].map(Into::into));
    for said in [
        "<td class=\"not_evaluated\"><bdi>not evaluated</bdi></td><td class=\"count\">2</td>",
        "Not checked by this console (1): <bdi>A.2</bdi>",
        "Not checked by this console (2): <bdi>B.1, B.2</bdi>",
        "<bdi>1 of 4 controls.</bdi>",
        "Not looked at: <bdi>First</bdi>",
        "says nothing about real ones",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    let (mut lines, _) = framework_of(&["First", "=1+1", "x", "x"].map(Into::into));
    lines.truncate(1);
    let mut out = Vec::new();
    csv(&mut out, lines, ByteOrderMark::Without).unwrap();
    assert!(String::from_utf8(out).unwrap().contains(",A.1,'=1+1,not_evaluated,"), "no cell starts a formula");
}

/// A writer that has room for so many bytes.
struct Small(usize);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_fails_the_export_wherever_it_does() {
    let lines = || vec![line("x"), FindingLine { state: FindingState::Fixed, verdict: Verdict::Pass, ..line("y") }];
    type Writes = Box<dyn Fn(Small) -> Result<u64, ReportError>>;
    let formats: [(usize, Writes); 3] = [
        (
            ocsf_of(lines(), OcsfVersion::V1_5_0, OcsfForm::Document).len(),
            Box::new(move |out| ocsf(out, lines(), OcsfVersion::V1_5_0, OcsfForm::Document)),
        ),
        (oscal_of(lines()).len(), Box::new(move |out| oscal(out, lines(), &about()))),
        (page_of(lines(), &report()).len(), Box::new(move |out| findings_html(out, lines(), &report()))),
    ];
    for (length, writes) in formats {
        for room in (0..length).step_by(37).chain([length - 1]) {
            assert!(matches!(writes(Small(room)), Err(ReportError::Full(_))), "{room} of {length}");
        }
        assert_eq!(writes(Small(length)).unwrap(), 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever it is told, the page has the tags of a harmless one and no others.
    #[test]
    fn nothing_that_is_told_becomes_markup(
        told in proptest::array::uniform8("(</?(script|style|title|bdi|img|article)( onerror=\"x\"| src='//evil.example/')?>|&lt;|[<>&\"'\r\n\t\u{202e}\u{2028}\u{0}-->]|[a-z ]|\\PC){1,24}"),
    ) {
        let with = |texts: &[String; 8]| {
            let told = FindingLine {
                title: texts[0].clone(),
                instance: texts[1].clone(),
                app_name: texts[2].clone(),
                resource: format!("x{}", texts[3]),
                current: format!("x{}", texts[4]),
                recommended: format!("x{}", texts[5]),
                why: format!("x{}", texts[6]),
                uid: texts[7].clone(),
                steps: vec![texts[7].clone()],
                source: format!("x{}", texts[0]),
                evidence: json!({ texts[1].clone(): texts[2].clone() }),
                ..line("x")
            };
            let unread = Unread { app_name: texts[3].clone(), instance: texts[4].clone(), what: texts[5].clone(), why: texts[6].clone(), remedy: texts[7].clone(), sandbox: false };
            page_of(vec![told], &FindingsReport { scope: format!("x{}", texts[0]), unread: vec![unread], ..report() })
        };
        let (page, plain) = (with(&told), with(&[const { String::new() }; 8].map(|_: String| "x".to_owned())));
        for letter in ['<', '>'] {
            prop_assert_eq!(page.matches(letter).count(), plain.matches(letter).count(), "{}", letter);
        }
        prop_assert_eq!(page.matches("<article ").count(), 1);
    }

    /// The same of a framework's page.
    #[test]
    fn nothing_that_is_told_becomes_markup_in_a_framework(
        told in proptest::array::uniform4("(</?(script|td|title|bdi|img)( onerror=\"x\")?>|[<>&\"'\r\n\u{202e}\u{2028}-->]|[a-z ]|\\PC){1,24}"),
    ) {
        let (page, plain) = (framework_page(&told), framework_page(&[const { String::new() }; 4].map(|_: String| "x".to_owned())));
        for letter in ['<', '>'] {
            prop_assert_eq!(page.matches(letter).count(), plain.matches(letter).count(), "{}", letter);
        }
    }

    /// Every finding stands in every format exactly once, whatever it is about.
    #[test]
    fn every_finding_appears_exactly_once(rows in prop::collection::btree_set("\\PC{0,8}", 0..8)) {
        let lines: Vec<FindingLine> = rows.iter().map(|row| line(row)).collect();
        let wanted: BTreeSet<String> = lines.iter().map(|line| line.uid.clone()).collect();
        prop_assert_eq!(wanted.len(), lines.len());
        let uids = |list: &[Value], path: &str| -> Vec<String> {
            list.iter().map(|one| one.pointer(path).unwrap().as_str().unwrap().to_owned()).collect()
        };
        let events: Vec<Value> = serde_json::from_str(&ocsf_of(lines.clone(), OcsfVersion::V1_5_0, OcsfForm::Document)).unwrap();
        let by_line = ocsf_of(lines.clone(), OcsfVersion::V1_8_0, OcsfForm::Lines);
        let by_line: Vec<Value> = by_line.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let results: Value = serde_json::from_str(&oscal_of(lines.clone())).unwrap();
        let observations = results.pointer("/assessment-results/results/0/observations").and_then(Value::as_array);
        let observations = observations.cloned().unwrap_or_default();
        let page = page_of(lines.clone(), &report());
        for found in [uids(&events, "/finding_info/uid"), uids(&by_line, "/finding_info/uid"), uids(&observations, "/props/0/value")] {
            prop_assert_eq!(found.len(), lines.len());
            prop_assert_eq!(&found.into_iter().collect::<BTreeSet<_>>(), &wanted);
        }
        prop_assert!(wanted.iter().all(|uid| page.matches(uid.as_str()).count() == 1));
    }
}
