//! A hundred thousand findings: every list is whole and in its order. How long each took is printed and not judged, because
//! it says as much about the machine.

use crate::tenant;

use catalog::{Completeness, Severity, Verdict};
use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};
use store::{CheckWrite, Finding, FindingFilter, FindingSort, FindingState, JudgedWrite, Slice, Store};
use tenant::*;

const FINDINGS: u64 = 100_000;

#[test]
fn a_hundred_thousand_findings_are_listed_whole_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
    store.insert_instance(&instance(1)).unwrap();
    let severities = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let checks: Vec<CheckWrite> = (0..20)
        .map(|number| CheckWrite {
            severity: severities[number % 5],
            ..check(
                &format!("kustomer.check.{number}"),
                Completeness::Complete,
                (0..FINDINGS / 20).map(|row| JudgedWrite { evidence: vec![], ..judged(&format!("{row:06}"), Verdict::Fail) }).collect(),
            )
        })
        .collect();
    let begun = Instant::now();
    let scan = store.begin_scan(instance_id(1), at(0), &[]).unwrap();
    store.commit_scan(scan, &checks, at(1), at(2)).unwrap();
    println!("commit of {FINDINGS} findings: {:?}", begun.elapsed());

    let base = || FindingFilter { states: vec![FindingState::Open], ..FindingFilter::default() };
    let first = Slice { offset: 0, limit: 100 };
    for (name, filter, sort, slice, total) in [
        ("worst first", base(), FindingSort::Severity, first, FINDINGS),
        ("worst first, at the end", base(), FindingSort::Severity, Slice { offset: FINDINGS - 100, limit: 100 }, FINDINGS),
        ("critical", FindingFilter { severities: vec![Severity::Critical], ..base() }, FindingSort::Severity, first, FINDINGS / 5),
        ("one check", FindingFilter { checks: vec!["kustomer.check.7".into()], ..base() }, FindingSort::Severity, first, FINDINGS / 20),
        ("one instance", FindingFilter { instances: vec![instance_id(1)], ..base() }, FindingSort::Severity, first, FINDINGS),
        ("text", FindingFilter { text: "row 00001".into(), ..base() }, FindingSort::Severity, first, 200),
        ("text of every finding", FindingFilter { text: "fails".into(), ..base() }, FindingSort::Severity, first, FINDINGS),
        (
            "text in three words of few",
            FindingFilter { text: "check.7 FAILS".into(), ..base() },
            FindingSort::Severity,
            first,
            FINDINGS / 20,
        ),
        ("two letters", FindingFilter { text: "ow".into(), ..base() }, FindingSort::Severity, first, FINDINGS),
        ("owner", FindingFilter { owners: vec!["Ada".into()], ..base() }, FindingSort::Severity, first, FINDINGS),
        ("young", FindingFilter { found_from: Some(at(1)), ..base() }, FindingSort::Severity, first, FINDINGS),
        ("old", FindingFilter { found_before: Some(at(1)), ..base() }, FindingSort::Severity, first, 0),
        ("not re-checked", FindingFilter { not_rechecked: true, ..base() }, FindingSort::Severity, first, 0),
        ("as it was", FindingFilter { at: Some(at(5)), ..base() }, FindingSort::Severity, first, FINDINGS),
        ("fixed", FindingFilter { states: vec![FindingState::Fixed], ..base() }, FindingSort::LastSeen, first, 0),
    ] {
        let mut times: Vec<Duration> = (0..5)
            .map(|_| {
                let begun = Instant::now();
                let list = store.findings(&filter, sort, true, slice).unwrap();
                assert_eq!((list.total, list.rows.len() as u64), (total, total.min(100)), "{name}");
                if sort == FindingSort::Severity {
                    let place = |finding: &Finding| (Reverse(finding.severity), finding.title.clone(), finding.label.clone(), finding.id);
                    assert!(list.rows.is_sorted_by_key(place), "{name}");
                }
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("{name}: {:?}", times[2]);
    }
    let begun = Instant::now();
    let span = store::Span { instance: instance_id(1), from: at(0), to: at(9) };
    assert_eq!(store.changes(&[span], &store::ChangeFilter::default(), first).unwrap().total, FINDINGS);
    println!("what became of all: {:?}", begun.elapsed());
}
