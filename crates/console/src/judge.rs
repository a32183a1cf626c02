//! From what a scan holds to verdicts, in the store's shape. Needs no network.

use crate::screen::Failure;
use assess::{Judged, Params, Program};
use catalog::{App, Check, CheckKind, Collected, Completeness, RowKey};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::{CheckWrite, JudgedWrite};

/// Judges everything collected.
pub(crate) fn judge(
    app: &App,
    program: &Program,
    collected: &BTreeMap<String, Collected>,
    params: &Params,
    as_of: jiff::Timestamp,
) -> Result<Vec<CheckWrite>, Failure> {
    let mut by_check: HashMap<String, Vec<Judged>> = HashMap::new();
    for judged in program.evaluate(collected, params, as_of) {
        by_check.entry(judged.check.clone()).or_default().push(judged);
    }
    Ok(app
        .checks
        .iter()
        .map(|check| CheckWrite {
            check: check.id.clone(),
            kind: check.kind,
            severity: check.severity,
            feature: check.feature,
            title: check.finding.clone(),
            completeness: completeness(app, check, collected),
            seen: seen(app, program, check, collected),
            judged: by_check.remove(&check.id).unwrap_or_default().into_iter().map(write).collect(),
        })
        .collect())
}

/// The least complete of a check's inputs. A manual check rests on no input.
fn completeness(app: &App, check: &Check, collected: &BTreeMap<String, Collected>) -> Completeness {
    if check.kind == CheckKind::Manual {
        return Completeness::Complete;
    }
    let mut least = Completeness::Complete;
    for input in app.inputs(check) {
        match collected.get(input).map(|input| &input.completeness) {
            Some(Completeness::Complete) => {}
            Some(partial @ Completeness::Partial(_)) => {
                if least.is_complete() {
                    least = partial.clone();
                }
            }
            Some(unavailable @ Completeness::Unavailable(_)) => return unavailable.clone(),
            None => {
                return Completeness::Unavailable(catalog::Cause {
                    kind: catalog::CauseKind::InputIncomplete,
                    sentence: "It was not read in this scan.".into(),
                    remedy: "Scan again.".into(),
                });
            }
        }
    }
    least
}

/// The keys of all rows that a check could have judged.
fn seen(app: &App, program: &Program, check: &Check, collected: &BTreeMap<String, Collected>) -> BTreeSet<RowKey> {
    if app.view(&check.on).is_some() {
        // A view that cannot be computed shows no rows, and is not Complete either, so nothing is taken for gone.
        return program.view(&check.on, collected).map(|rows| keys(&rows)).unwrap_or_default();
    }
    collected.get(&check.on).map(keys).unwrap_or_default()
}

fn keys(collected: &Collected) -> BTreeSet<RowKey> {
    collected.rows.iter().map(|row| row.key.clone()).collect()
}

fn write(judged: Judged) -> JudgedWrite {
    JudgedWrite {
        row: judged.row,
        label: judged.label,
        verdict: judged.verdict,
        current: judged.current,
        recommended: judged.recommended,
        evidence: judged.evidence,
        inputs: judged.inputs,
    }
}
