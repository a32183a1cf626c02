//! What other programs find in an export.
#![allow(clippy::unwrap_used, missing_docs)]

use catalog::{Cause, CauseKind, Severity, Verdict};
use posture_report::{About, ByteOrderMark, FindingLine, FindingState, ReportError, RequestLine, finding_uid, json};
use proptest::prelude::*;
use serde_json::{Value, json as value};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn finding() -> FindingLine {
    FindingLine {
        app: "kustomer".into(),
        instance: "Support, Europe".into(),
        sandbox: true,
        check: "kustomer.auth.sso_enabled".into(),
        title: "Single sign-on is off".into(),
        severity: Severity::High,
        state: FindingState::Open,
        verdict: Verdict::NotEvaluated {
            cause: Cause { kind: CauseKind::ScopeMissing, sentence: "The key lacks a role.".into(), remedy: "Make a key with it.".into() },
        },
        resource: "ada@haldenmoor.example".into(),
        current: "off".into(),
        recommended: "on".into(),
        first_seen: time("2026-11-01T08:00:00.25Z"),
        last_seen: time("2026-11-21T12:00:00Z"),
        fixed_or_gone_at: None,
        not_rechecked_since: Some(time("2026-11-20T12:00:00Z")),
        steps: vec!["Open Settings.".into(), "Turn SAML on.".into()],
        why: "Passwords are \"shared\".\nOften.".into(),
        sscf: vec!["IAM-SaaS-04".into(), "IAM-SaaS-05".into()],
        frameworks: BTreeMap::from([("soc2".into(), vec!["CC6.1".into()]), ("cis_v8".into(), vec!["6.3".into(), "6.7".into()])]),
        evidence: value!({"attributes": {"saml": {"enabled": false}}}),
        source: "https://developer.kustomer.com/".into(),
        answer: Some("not_met".into()),
        attested_by: Some("=Mei Laurent".into()),
        recorded_by: Some("@ada".into()),
        attested_at: Some(time("2026-11-02T08:00:00Z")),
        valid_until: Some("2027-11-02".into()),
        uid: finding_uid("5f0c", "kustomer.auth.sso_enabled", "ada"),
        instance_id: "5f0c".into(),
        app_name: "Kustomer".into(),
        practice: "SAML SSO is on".into(),
        not_rechecked_because: "+The key lacks a role.".into(),
    }
}

fn request() -> RequestLine {
    RequestLine {
        at: time("2026-11-21T12:00:00.999Z"),
        app: "kustomer".into(),
        instance: "Default".into(),
        sandbox: false,
        class: "dataset".into(),
        method: "GET".into(),
        host: "api.kustomerapp.com".into(),
        path_template: "/v1/users".into(),
        status: None,
        bytes: 0,
        milliseconds: 12,
        outcome: "refused before sending".into(),
    }
}

fn about() -> About {
    About { exported_at: time("2026-11-21T12:00:00Z"), filter: value!({"severity": ["high"]}) }
}

/// The table as a reader sees it: header and records.
fn read(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (header, reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect())
}

#[test]
fn a_table_of_findings_reads_as_it_was_written() {
    let mut out = Vec::new();
    assert_eq!(posture_report::csv(&mut out, [finding()], ByteOrderMark::Without).unwrap(), 1);
    let text = String::from_utf8(out).unwrap();
    let wanted = concat!(
        "app,instance,sandbox,check,title,severity,state,verdict,cause,resource,current,recommended,first_seen,last_seen,fixed_or_gone_at,",
        "not_rechecked_since,steps,why,sscf,frameworks,evidence,source,answer,attested_by,recorded_by,attested_at,valid_until,",
        "uid,instance_id,app_name,practice,not_rechecked_because\r\n",
        "kustomer,\"Support, Europe\",true,kustomer.auth.sso_enabled,Single sign-on is off,high,open,not_evaluated,",
        "The key lacks a role. Make a key with it.,ada@haldenmoor.example,off,on,2026-11-01T08:00:00Z,2026-11-21T12:00:00Z,,",
        "2026-11-20T12:00:00Z,1. Open Settings. 2. Turn SAML on.,\"Passwords are \"\"shared\"\".\nOften.\",\"IAM-SaaS-04, IAM-SaaS-05\",",
        "\"cis_v8: 6.3, 6.7; soc2: CC6.1\",\"{\"\"attributes\"\":{\"\"saml\"\":{\"\"enabled\"\":false}}}\",https://developer.kustomer.com/,",
        "not_met,'=Mei Laurent,'@ada,2026-11-02T08:00:00Z,2027-11-02,UID,5f0c,Kustomer,SAML SSO is on,'+The key lacks a role.\r\n",
    );
    assert_eq!(text, wanted.replace("UID", &finding().uid));
}

#[test]
fn every_verdict_severity_and_state_has_the_word_that_json_has() {
    let cause = Cause { kind: CauseKind::Empty, sentence: "Nobody says.".into(), remedy: String::new() };
    let verdicts = [
        (Verdict::Pass, ""),
        (Verdict::Fail, ""),
        (Verdict::NotApplicable { reason: "SAML is off.".into() }, "SAML is off."),
        (Verdict::NotEvaluated { cause }, "Nobody says."),
        (Verdict::Manual, ""),
        (Verdict::Observed, ""),
    ];
    let severities = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let states = [FindingState::Open, FindingState::Fixed, FindingState::Gone, FindingState::Dismissed];
    for (at, (verdict, cause)) in verdicts.into_iter().enumerate() {
        let line = FindingLine { verdict, severity: severities[at % 5], state: states[at % 4], ..finding() };
        let mut out = Vec::new();
        posture_report::csv(&mut out, [line.clone()], ByteOrderMark::Without).unwrap();
        let (header, records) = read(&out);
        let cell = |name: &str| records[0][header.iter().position(|column| column == name).unwrap()].clone();
        let json = serde_json::to_value(&line).unwrap();
        assert_eq!(value!(cell("verdict")), json["verdict"]["verdict"]);
        assert_eq!(value!(cell("severity")), json["severity"]);
        assert_eq!(value!(cell("state")), json["state"]);
        assert_eq!(cell("cause"), cause);
    }
}

#[test]
fn a_table_without_lines_still_has_its_header_and_its_mark() {
    let mut out = Vec::new();
    assert_eq!(posture_report::csv(&mut out, Vec::<RequestLine>::new(), ByteOrderMark::With).unwrap(), 0);
    let header = "at,app,instance,sandbox,class,method,host,path_template,status,bytes,milliseconds,outcome\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), format!("\u{feff}{header}"));
}

#[test]
fn a_table_of_requests_reads_as_it_was_written() {
    let mut out = Vec::new();
    let lines = [request(), RequestLine { status: Some(200), bytes: 512, outcome: "ok".into(), ..request() }];
    assert_eq!(posture_report::csv(&mut out, lines, ByteOrderMark::Without).unwrap(), 2);
    let (_, records) = read(&out);
    let first =
        ["2026-11-21T12:00:00Z", "kustomer", "Default", "false", "dataset", "GET", "api.kustomerapp.com", "/v1/users", "", "0", "12"];
    assert_eq!(records[0][..11], first);
    assert_eq!(records[0][11], "refused before sending");
    assert_eq!(records[1][8..10], ["200", "512"]);
}

#[test]
fn a_document_says_what_it_is_and_holds_every_line() {
    let mut out = Vec::new();
    assert_eq!(json(&mut out, [finding(), finding()], &about()).unwrap(), 2);
    assert_eq!(out.last(), Some(&b'\n'));
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["exported_at"], "2026-11-21T12:00:00Z");
    assert_eq!(document["filter"], value!({"severity": ["high"]}));
    let lines: Vec<FindingLine> = serde_json::from_value(document["findings"].clone()).unwrap();
    assert_eq!(lines, [finding(), finding()]);
    assert_eq!(document["findings"][0]["sandbox"], true);
    // The members stand in the order in which a person wants to read them.
    let text = String::from_utf8(out).unwrap();
    let places: Vec<usize> =
        ["\"schema\"", "\"exported_at\"", "\"filter\"", "\"findings\""].iter().map(|name| text.find(name).unwrap()).collect();
    assert!(places.is_sorted());

    let mut out = Vec::new();
    assert_eq!(json(&mut out, [request()], &about()).unwrap(), 1);
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(serde_json::from_value::<Vec<RequestLine>>(document["requests"].clone()).unwrap(), [request()]);
}

/// A writer that has room for so many bytes.
struct Small(usize, io::ErrorKind);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
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
    let mut whole = Vec::new();
    json(&mut whole, [finding()], &about()).unwrap();
    for room in 0..whole.len() {
        assert!(matches!(json(Small(room, io::ErrorKind::StorageFull), [finding()], &about()), Err(ReportError::Full(_))), "{room}");
    }
    let mut whole = Vec::new();
    csv_of(&mut whole, vec![finding()]);
    for room in 0..whole.len() {
        let error = posture_report::csv(Small(room, io::ErrorKind::BrokenPipe), [finding()], ByteOrderMark::Without).unwrap_err();
        assert!(matches!(error, ReportError::Closed(_)), "{room}");
    }
    let error = posture_report::csv(Small(3, io::ErrorKind::PermissionDenied), [finding()], ByteOrderMark::With).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("E-EXPORT-WRITE", "The export was not finished: it could not be written."));
}

fn csv_of(out: &mut Vec<u8>, lines: Vec<FindingLine>) {
    posture_report::csv(out, lines, ByteOrderMark::Without).unwrap();
}

const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

proptest! {
    /// Whatever a vendor puts into a name, no cell starts a formula, and nothing but the one apostrophe is added.
    #[test]
    fn no_cell_starts_a_formula(texts in proptest::collection::vec("[=+\\-@\t\r\n＝＋－＠']?.{0,12}", 9)) {
        let line = FindingLine {
            app: texts[0].clone(), instance: texts[1].clone(), check: texts[2].clone(), title: texts[3].clone(),
            resource: texts[4].clone(), current: texts[5].clone(), recommended: texts[6].clone(), source: texts[7].clone(),
            evidence: value!(-1), sscf: vec![texts[8].clone()], frameworks: BTreeMap::from([(texts[8].clone(), vec![])]),
            verdict: Verdict::NotApplicable { reason: texts[8].clone() }, ..finding()
        };
        let mut out = Vec::new();
        csv_of(&mut out, vec![line]);
        let (header, records) = read(&out);
        prop_assert_eq!(records.len(), 1);
        prop_assert_eq!(records[0].len(), header.len());
        for cell in &records[0] {
            prop_assert!(!cell.starts_with(FORMULA), "{:?}", cell);
        }
        for (column, text) in ["app", "instance", "check", "title", "resource", "current", "recommended", "source", "cause"].iter().zip(&texts) {
            let cell = &records[0][header.iter().position(|name| name == column).unwrap()];
            let wanted = if text.starts_with(FORMULA) { format!("'{text}") } else { text.clone() };
            prop_assert_eq!(cell, &wanted);
        }
    }
}
