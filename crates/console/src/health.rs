//! The health of instances: computed from their last scans, and told when it becomes another.

use crate::{
    Console,
    console::{Open, blocking},
    screen::{Cause, Failure, Health, Turn},
};
use catalog::{App, CauseKind, Completeness, Dataset, EachOver, ExpiryPlace, Login, Probe};
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};
use store::{Instance, Scan, ScanState, Store};

impl Console {
    /// Told of every turn of the health of an instance once: of those that a scan of this process brings about at once, of those of
    /// other processes while [`Console::keep_schedule`] is polled. Who does not keep up misses the oldest.
    pub fn watch_turns(&self) -> tokio::sync::broadcast::Receiver<Turn> {
        self.inner.turns.subscribe()
    }

    /// Notes the health of an instance after a scan ended, and tells of it when it became another. That it cannot be noted
    /// is no failure of the scan.
    pub(crate) async fn note_health(&self, open: &Open, instance: &Instance, app: &Arc<App>) {
        let (console, open, app_of, id, now) = (self.clone(), open.clone(), Arc::clone(app), instance.id, self.now());
        let noted = blocking(move || {
            let latest = open.store.scans(id, 1)?.into_iter().next();
            let complete = open.store.last_complete_scan(id)?;
            let (health, cause) = health(&open.store, &app_of, latest.as_ref(), complete.as_ref())?;
            if open.store.note_health(id, word(health), cause.as_ref(), now)?.is_some() {
                console.tell_turns(&open)?;
            }
            Ok(())
        })
        .await;
        if let Err(failure) = noted {
            tracing::warn!(code = failure.code, "the health of an instance could not be noted");
        }
    }

    /// Tells of every turn that was stored and not told yet, whichever process stored it.
    pub(crate) fn tell_turns(&self, open: &Open) -> Result<(), Failure> {
        // Held all the while, so that of two who look at once one tells and the other finds nothing new.
        let mut told = open.told.lock().unwrap_or_else(PoisonError::into_inner);
        for turn in open.store.turns_later_than(*told)? {
            *told = turn.id;
            // It may have been deleted in between.
            let Ok(instance) = open.store.instance(turn.instance) else { continue };
            // Nobody may be listening.
            let _heard = self.inner.turns.send(self.turn(&instance, turn));
        }
        Ok(())
    }

    /// A turn of an instance as it is shown.
    pub(crate) fn turn(&self, instance: &Instance, turn: store::Turn) -> Turn {
        Turn {
            instance: instance.id.to_string(),
            app_name: self.app(&instance.app).map_or_else(|_| instance.app.clone(), |app| app.name.clone()),
            name: instance.name.clone(),
            at: turn.at.to_string(),
            before: read(&turn.before),
            after: read(&turn.after).unwrap_or(Health::Unknown),
            cause: turn.cause.map(Cause::from),
        }
    }
}

/// The word under which the store keeps it.
fn word(health: Health) -> &'static str {
    match health {
        Health::Up => "up",
        Health::Unhealthy => "unhealthy",
        Health::Down => "down",
        Health::Unknown => "unknown",
        Health::Scanning => "scanning",
        Health::Manual => "manual",
    }
}

fn read(word: &str) -> Option<Health> {
    Some(match word {
        "up" => Health::Up,
        "unhealthy" => Health::Unhealthy,
        "down" => Health::Down,
        "unknown" => Health::Unknown,
        "scanning" => Health::Scanning,
        "manual" => Health::Manual,
        _ => return None,
    })
}

/// Whether an instance can be used, from its latest scan and its last complete one.
pub(crate) fn health(
    store: &Store,
    app: &App,
    latest: Option<&Scan>,
    complete: Option<&Scan>,
) -> Result<(Health, Option<catalog::Cause>), Failure> {
    let Some(latest) = latest else { return Ok((Health::Unknown, None)) };
    let cause = || latest.cause.clone();
    match latest.state {
        ScanState::Running => return Ok((Health::Scanning, None)),
        ScanState::Failed => return Ok((Health::Down, cause())),
        ScanState::Complete | ScanState::Cut | ScanState::Cancelled => {}
    }
    let Some(complete) = complete else { return Ok((Health::Unknown, cause())) };
    let datasets = store.datasets(complete.id)?;
    for dataset in datasets.iter().filter(|dataset| !only_tells_an_end(app, &dataset.dataset)) {
        match &dataset.completeness {
            None => return Ok((Health::Unhealthy, None)),
            Some(completeness) => {
                // What was left out by choice (an empty field, another login option) and what the vendor has never published are no
                // faults of the instance that anybody could mend; what they cost stands at the checks.
                let by_choice = |kind| matches!(kind, CauseKind::InputMissing | CauseKind::LoginLacks | CauseKind::NotPublished);
                if let Some(cause) = completeness.cause().filter(|cause| !by_choice(cause.kind)) {
                    return Ok((Health::Unhealthy, Some(cause.clone())));
                }
            }
        }
    }
    if datasets.iter().any(unpublished) {
        let published: BTreeSet<&str> =
            app.datasets.iter().filter(|dataset| dataset.published_by.is_some()).map(|dataset| dataset.id.as_str()).collect();
        let scans = store.scans(complete.instance, LOOK_BACK)?;
        let before = scans.iter().find(|scan| scan.state == ScanState::Complete && scan.id < complete.id);
        let before = before.map_or_else(|| Ok(Vec::new()), |scan| store.datasets(scan.id))?;
        if let Some(cause) = withdrawn(&published, &datasets, &before) {
            return Ok((Health::Unhealthy, Some(cause)));
        }
    }
    Ok((Health::Up, None))
}

/// Whether nothing rests on a dataset but when a credential ends. Where that is not told, nothing is wrong with the instance.
fn only_tells_an_end(app: &App, dataset: &str) -> bool {
    let tells = |login: &Login| match login.expires.as_ref().map(|expires| &expires.told) {
        Some(ExpiryPlace::Field { dataset: told, .. }) => told == dataset,
        Some(ExpiryPlace::Header { .. }) | None => false,
    };
    let identifies = |login: &Login| login.identity.as_ref().is_some_and(|identity| identity.dataset == dataset);
    let rests = |other: &Dataset| {
        let parent = other.each.as_ref().is_some_and(|each| matches!(&each.over, EachOver::Dataset { id, .. } if id == dataset));
        parent || other.probes.iter().filter_map(Probe::dataset).any(|probed| probed == dataset)
    };
    app.logins.iter().any(tells)
        && !app.logins.iter().any(|login| login.test == dataset || identifies(login))
        && !app.datasets.iter().any(rests)
        && !app.views.iter().any(|view| view.inputs().contains(&dataset))
        && !app.checks.iter().any(|check| app.inputs(check).contains(&dataset))
        && !app.inventories.iter().any(|inventory| inventory.from == dataset)
}

/// How many scans are looked through for the complete one before the last.
const LOOK_BACK: u32 = 100;

fn unpublished(dataset: &store::DatasetState) -> bool {
    dataset.completeness.as_ref().and_then(Completeness::cause).is_some_and(|cause| cause.kind == CauseKind::NotPublished)
}

/// Why something that the vendor does not publish is a fault after all: the complete scan before read it, or none of what its
/// description would have to publish is there, so that the description is hardly this application's.
fn withdrawn(published: &BTreeSet<&str>, now: &[store::DatasetState], before: &[store::DatasetState]) -> Option<catalog::Cause> {
    let read = |id: &str| {
        before.iter().any(|dataset| dataset.dataset == id && dataset.completeness.as_ref().is_some_and(Completeness::is_complete))
    };
    let cause = |dataset: &store::DatasetState| dataset.completeness.as_ref().and_then(Completeness::cause).cloned();
    if let Some(lost) = now.iter().find(|dataset| unpublished(dataset) && read(&dataset.dataset)) {
        return cause(lost);
    }
    let by_choice = |dataset: &&store::DatasetState| {
        cause(dataset).is_none_or(|cause| !matches!(cause.kind, CauseKind::InputMissing | CauseKind::LoginLacks))
    };
    let asked: Vec<&store::DatasetState> =
        now.iter().filter(|dataset| published.contains(dataset.dataset.as_str())).filter(by_choice).collect();
    let nothing = asked.iter().all(|dataset| unpublished(dataset));
    asked.first().filter(|_| nothing).and_then(|dataset| cause(dataset))
}

/// Why an instance whose application is not in the catalog is down.
pub(crate) fn unknown_application(unknown: &Failure) -> Cause {
    let remedy = match unknown.code.as_str() {
        "E-APP-UNKNOWN" => {
            "Bring back the catalog folder that it came from and start the console again, or delete the instance with `posture instance delete`.".to_owned()
        }
        _ => unknown.remedy.clone(),
    };
    Cause { kind: "application_unknown".into(), sentence: unknown.sentence.clone(), remedy }
}

#[cfg(test)]
mod tests {
    use super::withdrawn;
    use catalog::{Cause, CauseKind, Completeness};
    use std::collections::BTreeSet;

    fn state(dataset: &str, kind: Option<CauseKind>) -> store::DatasetState {
        let cause = kind.map(|kind| Cause { kind, sentence: format!("{dataset}."), remedy: String::new() });
        let completeness = Some(cause.map_or(Completeness::Complete, Completeness::Unavailable));
        store::DatasetState { dataset: dataset.to_owned(), completeness, rows: 0 }
    }

    #[test]
    fn what_is_not_published_is_a_fault_once_it_was() {
        let published = BTreeSet::from(["users", "webhooks"]);
        let not = Some(CauseKind::NotPublished);
        let said =
            |now: &[store::DatasetState], before: &[store::DatasetState]| withdrawn(&published, now, before).map(|cause| cause.sentence);
        let now = [state("account", None), state("users", None), state("webhooks", not)];
        assert_eq!(said(&now, &[]), None, "it never was");
        assert_eq!(said(&now, &now), None);
        assert_eq!(said(&now, &[state("webhooks", Some(CauseKind::ScopeMissing))]), None, "it was not read before either");
        assert_eq!(said(&now, &[state("webhooks", None)]), Some("webhooks.".into()));
        let nothing = [state("account", None), state("users", not), state("webhooks", not)];
        assert_eq!(said(&nothing, &[]), Some("users.".into()), "a description that is not this application's");
        let chosen = [state("users", Some(CauseKind::LoginLacks)), state("webhooks", not)];
        assert_eq!(said(&chosen, &[]), Some("webhooks.".into()), "what another login option reads was not asked for");
    }
}
