//! What must hold after any sequence of events.

use crate::tenant;

use catalog::{Completeness, RowKey, Verdict};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{CheckWrite, Finding, FindingFilter, FindingSort, FindingState, SandboxScope, ScanState, Slice, Store, VerdictKind};
use tenant::*;

const CHECKS: [&str; 2] = ["check.a", "check.b"];
const ROWS: [&str; 3] = ["1", "2", ""];

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Fail),
        4 => Just(Verdict::Pass),
        1 => Just(Verdict::NotApplicable { reason: "it does not apply".into() }),
        1 => Just(Verdict::NotEvaluated { cause: cause("a field is missing") }),
        1 => Just(Verdict::Manual),
        1 => Just(Verdict::Observed),
    ]
}

fn any_completeness() -> impl Strategy<Value = Completeness> {
    prop_oneof![
        3 => Just(Completeness::Complete),
        1 => Just(Completeness::Partial(cause("page 2 was not answered"))),
        1 => Just(Completeness::Unavailable(cause("scope missing"))),
    ]
}

/// One check of a scan: completeness, verdicts (a row may be judged twice or not at all), and rows seen beyond those.
fn any_check() -> impl Strategy<Value = (Completeness, Vec<(usize, Verdict)>, BTreeSet<usize>)> {
    (any_completeness(), prop::collection::vec((0..ROWS.len(), any_verdict()), 0..5), prop::collection::btree_set(0..ROWS.len(), 0..3))
}

/// A scan holds each check, or not at all.
pub fn any_scan() -> impl Strategy<Value = Vec<CheckWrite>> {
    prop::collection::vec(prop::option::weighted(0.9, any_check()), CHECKS.len()).prop_map(|checks| {
        let written = checks.into_iter().zip(CHECKS).filter_map(|(check, id)| Some((id, check?)));
        written
            .map(|(id, (completeness, verdicts, seen))| {
                let verdicts = verdicts.into_iter().map(|(row, verdict)| judged(ROWS[row], verdict)).collect();
                let mut write = check(id, completeness, verdicts);
                write.seen.extend(seen.into_iter().map(|row| RowKey(ROWS[row].into())));
                write
            })
            .collect()
    })
}

fn all(store: &Store) -> BTreeMap<(String, String), Finding> {
    let list = store.findings(&FindingFilter::default(), FindingSort::Severity, true, Slice::ALL).unwrap();
    list.rows.into_iter().map(|finding| ((finding.check.clone(), finding.row.0.clone()), finding)).collect()
}

/// The law of DESIGN, section 4, held against what one scan did to one finding.
fn lawful(before: Option<&Finding>, after: Option<&Finding>, check: Option<&CheckWrite>, row: &str) -> Result<(), TestCaseError> {
    let row = RowKey(row.into());
    let verdicts: Vec<VerdictKind> = check
        .into_iter()
        .flat_map(|check| &check.judged)
        .filter(|judged| judged.row == row)
        .map(|judged| VerdictKind::from(&judged.verdict))
        .collect();
    let fails = verdicts.iter().any(|kind| matches!(kind, VerdictKind::Fail | VerdictKind::Observed));
    let passes = !verdicts.is_empty() && verdicts.iter().all(|kind| matches!(kind, VerdictKind::Pass | VerdictKind::NotApplicable));
    let complete = check.is_some_and(|check| check.completeness.is_complete());
    let seen = check.is_some_and(|check| check.seen.contains(&row)) || !verdicts.is_empty();

    let Some(after) = after else {
        prop_assert!(before.is_none(), "a finding vanished");
        prop_assert!(!fails, "a failure opened nothing");
        return Ok(());
    };
    let was_open = before.is_some_and(|before| before.state == FindingState::Open);
    match after.state {
        FindingState::Open => {
            if was_open {
                prop_assert_eq!(after.not_rechecked.is_none(), fails, "not re-checked exactly when it did not fail");
                let must_end = complete && passes;
                prop_assert!(!must_end, "it passed and stays open");
            } else {
                prop_assert!(fails, "opened without a failure");
            }
            prop_assert_eq!(after.ended_at, None);
        }
        FindingState::Fixed if was_open => {
            prop_assert!(
                complete && passes && verdicts.contains(&VerdictKind::Pass),
                "fixed without a pass of the same row: {:?}",
                verdicts
            );
        }
        FindingState::Gone if was_open => {
            let exempt = passes && !verdicts.contains(&VerdictKind::Pass);
            prop_assert!(complete && (exempt || !seen), "gone though it was seen, or not read: {:?}", verdicts);
            // A NotEvaluated without a row speaks of the whole check: then nobody knows which rows there are.
            let of_whole = check.into_iter().flat_map(|check| &check.judged).filter(|judged| judged.row.0.is_empty());
            let worst = of_whole.map(|judged| VerdictKind::from(&judged.verdict)).min();
            prop_assert!(!verdicts.is_empty() || worst != Some(VerdictKind::NotEvaluated), "gone though the check was not evaluated");
        }
        FindingState::Dismissed => prop_assert!(false, "dismissed by nobody"),
        FindingState::Fixed | FindingState::Gone => {
            let before = before.unwrap();
            prop_assert_eq!((before.state, before.ended_at), (after.state, after.ended_at), "what has ended stays as it was");
            prop_assert!(!fails, "a failure must reopen");
        }
    }
    if let Some(before) = before {
        prop_assert_eq!((before.id, before.first_seen), (after.id, after.first_seen));
    }
    prop_assert_eq!(after.state == FindingState::Open, after.ended_at.is_none());
    prop_assert!(after.first_seen <= after.last_seen && after.ended_at.is_none_or(|end| end >= after.last_seen));
    Ok(())
}

#[derive(Debug, Clone)]
enum Step {
    Begin(u128),
    Page { dataset: usize, parent: usize, index: u32, rows: Vec<(usize, u64)> },
    Commit,
    End,
    Resume(u128),
    Reopen,
    Prune(u128),
    Delete(u128),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..3u128).prop_map(Step::Begin),
        8 => (0..2usize, 0..2usize, 0..3u32, prop::collection::vec((0..4usize, 0..4u64), 0..5))
            .prop_map(|(dataset, parent, index, rows)| Step::Page { dataset, parent, index, rows }),
        3 => Just(Step::Commit),
        2 => Just(Step::End),
        2 => (1..3u128).prop_map(Step::Resume),
        1 => Just(Step::Reopen),
        1 => (1..3u128).prop_map(Step::Prune),
        1 => (1..3u128).prop_map(Step::Delete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn findings_follow_the_law(scans in prop::collection::vec(any_scan(), 1..8)) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
        store.insert_instance(&instance(1)).unwrap();
        let mut before = BTreeMap::new();
        for (number, checks) in scans.iter().enumerate() {
            let now = at(100 * (number as i64 + 1));
            let scan = store.begin_scan(instance_id(1), now, &[]).unwrap();
            let outcome = store.commit_scan(scan, checks, now, now).unwrap();
            let after = all(&store);
            for id in CHECKS {
                for row in ROWS {
                    let at = (id.to_owned(), row.to_owned());
                    lawful(before.get(&at), after.get(&at), checks.iter().find(|check| check.check == id), row)?;
                }
            }
            // The outcome counts what happened, and the score of open findings is what is open.
            let state = |findings: &BTreeMap<(String, String), Finding>, at| findings.get(at).map(|finding: &Finding| finding.state);
            let count = |what: &dyn Fn(Option<FindingState>, &Finding) -> bool| {
                after.iter().filter(|(at, finding)| what(state(&before, at), finding)).count() as u32
            };
            let open = |before: Option<FindingState>| before == Some(FindingState::Open);
            prop_assert_eq!(outcome.opened, count(&|was, is| !open(was) && is.state == FindingState::Open));
            prop_assert_eq!(outcome.still_open, count(&|was, is| open(was) && is.state == FindingState::Open && is.not_rechecked.is_none()));
            prop_assert_eq!(outcome.not_rechecked, count(&|was, is| open(was) && is.state == FindingState::Open && is.not_rechecked.is_some()));
            prop_assert_eq!(outcome.fixed, count(&|was, is| open(was) && is.state == FindingState::Fixed));
            prop_assert_eq!(outcome.gone, count(&|was, is| open(was) && is.state == FindingState::Gone));
            let open_now = after.values().filter(|finding| finding.state == FindingState::Open).count() as u32;
            prop_assert_eq!(store.open_findings(SandboxScope::With).unwrap().get(&instance_id(1)).map_or(0, |open| open.total()), open_now);
            let verdicts: usize = checks.iter().map(|check| check.judged.len()).sum();
            prop_assert_eq!(store.verdicts(scan, None, Slice::ALL).unwrap().0, verdicts as u64);
            before = after;
        }
    }

    #[test]
    fn judging_again_the_same_changes_nothing(scans in prop::collection::vec(any_scan(), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("posture.db"), &key()).unwrap();
        store.insert_instance(&instance(1)).unwrap();
        for (number, checks) in scans.iter().enumerate() {
            let now = at(100 * (number as i64 + 1));
            let scan = store.begin_scan(instance_id(1), now, &[]).unwrap();
            store.commit_scan(scan, checks, now, now).unwrap();
            let before = all(&store);
            let outcome = store.rejudge_scan(scan, checks, at(100 * (number as i64 + 1) + 50)).unwrap();
            prop_assert_eq!((outcome.opened, outcome.fixed, outcome.gone), (0, 0, 0));
            prop_assert_eq!(&all(&store), &before);
        }
    }

    #[test]
    fn references_are_counted_right_after_anything(steps in prop::collection::vec(any_step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posture.db");
        let mut store = Store::open(&path, &key()).unwrap();
        let mut running = None;
        for (number, step) in steps.into_iter().enumerate() {
            let now = at(number as i64);
            // Whether a step is possible just then is not the question here; that it leaves nothing wrong is.
            match step {
                Step::Begin(tenant) => {
                    let _ = store.insert_instance(&instance(tenant));
                    if let Ok(scan) = store.begin_scan(instance_id(tenant), now, &["users"]) {
                        running = Some(scan);
                    }
                }
                Step::Page { dataset, parent, index, rows } => {
                    if let Some(scan) = running {
                        let rows: Vec<_> = rows.into_iter().map(|(key, content)| row(&key.to_string(), json!({ "content": content }))).collect();
                        let parent = RowKey(["", "p"][parent].into());
                        let _ = store.write_page(scan, &page(["users", "teams"][dataset], &parent, index, &rows, Some("more")));
                    }
                }
                Step::Commit => {
                    if let Some(scan) = running.take() {
                        let _ = store.commit_scan(scan, &[check("c", Completeness::Complete, vec![judged("1", Verdict::Fail)])], now, now);
                    }
                }
                Step::End => {
                    if let Some(scan) = running.take() {
                        let _ = store.end_scan(scan, ScanState::Failed, None, now);
                    }
                }
                Step::Resume(tenant) => {
                    if let Ok(Some(left)) = store.resumable_scan(instance_id(tenant)) {
                        running = Some(store.resume_scan(left.scan).unwrap().scan);
                    }
                }
                Step::Reopen => {
                    drop(store);
                    store = Store::open(&path, &key()).unwrap();
                    store.mark_cut_scans(now).unwrap();
                    running = None;
                }
                Step::Prune(tenant) => {
                    let _ = store.prune_scans(instance_id(tenant), 1);
                }
                Step::Delete(tenant) => {
                    let _ = store.delete_instance(instance_id(tenant));
                }
            }
        }
        counts_are_right(&path, &key());
        drop(store);
        let store = Store::open(&path, &key()).unwrap();
        for tenant in store.instances().unwrap() {
            store.delete_instance(tenant.id).unwrap();
        }
        let left: i64 = raw(&path, &key())
            .query_row("SELECT (SELECT count(*) FROM evidence) + (SELECT count(*) FROM scan_row) + (SELECT count(*) FROM finding_event)", [], |row| row.get(0))
            .unwrap();
        prop_assert_eq!(left, 0, "nothing outlives its instance");
    }
}
