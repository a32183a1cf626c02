//! What a credential may read, from one request per dataset, and what that costs in checks.

use crate::{
    catalog_document::word,
    screen::{Cause, DatasetState, PermissionAdvice, Progress, StepState},
    sink::state_of,
};
use catalog::{App, CauseKind, CheckKind, Completeness, Dataset, EachOver};
use connect::Session;
use std::collections::BTreeMap;

/// The state of a dataset of which only a scan tells whether it can be read.
pub(crate) const AFTER_SCAN: &str = "after_scan";

fn is_readable(dataset: &DatasetState) -> bool {
    dataset.state == "complete" || dataset.state == "partial"
}

/// Asks for the first page of each dataset that is not read per row of another, and names those that the login option does
/// not reach. What is read per row of another is known after the first scan, unless the other cannot be read.
pub(crate) async fn permissions(session: &Session, app: &App) -> Vec<DatasetState> {
    let datasets: Vec<&str> = app.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
    let probed: BTreeMap<String, Completeness> = connect::probe(session, app, &datasets).await.into_iter().collect();
    app.datasets
        .iter()
        .map(|dataset| {
            let (state, cause) = match probed.get(&dataset.id) {
                Some(completeness) => state_of(completeness),
                None => per_row(app, &probed, dataset),
            };
            DatasetState {
                id: dataset.id.clone(),
                title: dataset.title.clone(),
                state: state.to_owned(),
                cause,
                rows: 0,
                needs: dataset.needs.any_of.clone(),
                checks: checks_on(app, &dataset.id),
                logins: logins_to(app, dataset),
            }
        })
        .collect()
}

/// A dataset that was not asked for, because it is read per row of another.
fn per_row(app: &App, probed: &BTreeMap<String, Completeness>, dataset: &Dataset) -> (&'static str, Option<Cause>) {
    let mut above = dataset;
    // A dataset stands below one that is written before it, so this ends.
    while let Some(EachOver::Dataset { id, .. }) = above.each.as_ref().map(|each| &each.over) {
        let Some(parent) = app.dataset(id) else { break };
        if let Some(Completeness::Unavailable(_)) = probed.get(id) {
            let cause = Cause {
                kind: word(&CauseKind::InputIncomplete),
                sentence: format!("{} is read for each row of {}, which cannot be read.", dataset.title, parent.title),
                remedy: String::new(),
            };
            return ("unavailable", Some(cause));
        }
        above = parent;
    }
    (AFTER_SCAN, None)
}

/// How many checks rest on a dataset.
pub(crate) fn checks_on(app: &App, dataset: &str) -> u32 {
    let resting = app.checks.iter().filter(|check| check.kind != CheckKind::Manual && app.inputs(check).contains(&dataset)).count();
    u32::try_from(resting).unwrap_or(u32::MAX)
}

/// Ids of the login options that reach a dataset.
pub(crate) fn logins_to(app: &App, dataset: &Dataset) -> Vec<String> {
    app.logins.iter().filter(|login| app.reaches(login, dataset)).map(|login| login.id.clone()).collect()
}

/// How testing the permissions ended. What only another login option reaches is not missing: it was left out with the choice.
pub(crate) fn ending(datasets: &[DatasetState], login: &str) -> (StepState, String) {
    let reached: Vec<&DatasetState> = datasets.iter().filter(|dataset| dataset.logins.iter().any(|id| id == login)).collect();
    let later = reached.iter().filter(|dataset| dataset.state == AFTER_SCAN).count();
    let (asked, readable) = (reached.len() - later, reached.iter().filter(|dataset| is_readable(dataset)).count());
    let state = if readable == asked { StepState::Done } else { StepState::Warned };
    let then = if later == 0 { String::new() } else { format!(", {later} known after the first scan") };
    (state, format!("{readable} of {asked} datasets can be read{then}"))
}

/// The event that tells it.
pub(crate) fn event(datasets: &[DatasetState], checks: u32, all_checks: u32, advice: &PermissionAdvice) -> Progress {
    Progress::Permissions { datasets: datasets.to_vec(), checks, all_checks, advice: advice.clone() }
}
