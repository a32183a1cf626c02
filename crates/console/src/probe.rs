//! What a credential may read, from one request per dataset, and what that costs in checks.

use crate::{
    screen::{DatasetState, Progress, StepState},
    sink::state_of,
};
use catalog::{App, CheckKind, Completeness, Dataset};
use connect::Session;
use std::collections::BTreeMap;

/// Asks for the first page of each dataset that is not read per row of another, and names those that the login option does
/// not reach.
pub(crate) async fn permissions(session: &Session, app: &App) -> Vec<DatasetState> {
    let datasets: Vec<&str> = app.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
    let probed: BTreeMap<String, Completeness> = connect::probe(session, app, &datasets).await.into_iter().collect();
    app.datasets
        .iter()
        .filter_map(|dataset| {
            let completeness = probed.get(&dataset.id)?;
            let (state, cause) = state_of(completeness);
            Some(DatasetState {
                id: dataset.id.clone(),
                title: dataset.title.clone(),
                state: state.to_owned(),
                cause,
                rows: 0,
                needs: dataset.needs.any_of.clone(),
                checks: checks_on(app, &dataset.id),
                logins: logins_to(app, dataset),
            })
        })
        .collect()
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
    let readable = reached.iter().filter(|dataset| dataset.state != "unavailable").count();
    let state = if readable == reached.len() { StepState::Done } else { StepState::Warned };
    (state, format!("{readable} of {} datasets can be read", reached.len()))
}

/// The event that tells it.
pub(crate) fn event(app: &App, datasets: &[DatasetState]) -> Progress {
    let unavailable: Vec<&str> =
        datasets.iter().filter(|dataset| dataset.state == "unavailable").map(|dataset| dataset.id.as_str()).collect();
    let judged = |check: &&catalog::Check| check.kind != CheckKind::Manual;
    let reached = app.checks.iter().filter(judged).filter(|check| !app.inputs(check).iter().any(|input| unavailable.contains(input)));
    Progress::Permissions {
        datasets: datasets.to_vec(),
        checks: u32::try_from(reached.count()).unwrap_or(u32::MAX),
        all_checks: u32::try_from(app.checks.iter().filter(judged).count()).unwrap_or(u32::MAX),
    }
}
