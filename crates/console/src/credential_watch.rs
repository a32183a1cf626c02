//! Credentials that end: what is known of it is kept with every sign-in, told in time, and what ends unused is used before.

use crate::{
    Console,
    console::{Open, blocking},
    instances::note,
    manual_instances::is_manual,
    scan::ScanError,
    schedule::{AHEAD, SCHEDULE},
    screen::{CredentialEnd, CredentialNearsEnd, EndsBy, Failure},
};
use catalog::{App, CauseKind, Collected, ExpiryPlace, Login};
use connect::{ExpiresBy, Session};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc};
use store::{Act, Credential, Instance, InstanceId, InstanceLease, Scan, ScanState, Store};

/// So many days before its end it is told, the first time first.
const TOLD: [u32; 3] = [30, 7, 1];
/// The same of what ends unused: the console uses it before, so that there is something to tell only where that failed.
const TOLD_UNUSED: [u32; 2] = [7, 1];
/// It is used when this share of its days is left, and at least so many days.
const REFRESH_SHARE: i64 = 3;
const REFRESH_DAYS: i64 = 7;
/// It is tried again after this.
const TRY_AGAIN: SignedDuration = SignedDuration::from_hours(24);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What a sign-in was for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Used {
    /// It is the one that was known.
    Again,
    /// It is another one, of which nobody was told anything.
    Anew,
}

/// Something that is signed in to so that its credential does not end unused.
pub(crate) struct Refresh {
    instance: InstanceId,
    seen: Option<Credential>,
    /// When it was used last, as far as that is known.
    used_at: Timestamp,
}

impl Refresh {
    pub(crate) fn instance(&self) -> InstanceId {
        self.instance
    }
}

/// Days until then, the begun one counted; none when it has passed.
fn days_left(end: Timestamp, now: Timestamp) -> Option<u32> {
    let left = end.duration_since(now);
    if left <= SignedDuration::ZERO {
        return None;
    }
    let begun = i64::from(left.as_secs() % DAY.as_secs() != 0 || left.subsec_nanos() != 0);
    Some(u32::try_from(left.as_secs() / DAY.as_secs() + begun).unwrap_or(u32::MAX))
}

/// The fewest of the days at which it is told, of those that have come.
fn to_tell(by: store::EndsBy, days: u32) -> Option<u32> {
    let told: &[u32] = match by {
        store::EndsBy::Vendor | store::EndsBy::Certificate => &TOLD,
        store::EndsBy::Unused => &TOLD_UNUSED,
    };
    told.iter().copied().filter(|at| days <= *at).min()
}

/// Whether it is to be used now so that it does not end unused; no longer once it has.
fn is_refresh_due(days: u32, used_at: Timestamp, tried_at: Option<Timestamp>, now: Timestamp) -> bool {
    let days = i64::from(days);
    let unused = now.duration_since(used_at);
    // A time that lies ahead was written by a clock that was wrong: when it was really used, nobody knows.
    let unknown = -unused > AHEAD;
    let left_alone = (days - (days / REFRESH_SHARE).max(REFRESH_DAYS)) * 24;
    let tried = tried_at.map(|tried| now.duration_since(tried)).is_some_and(|since| since < TRY_AGAIN && -since <= AHEAD);
    let lives = unused < SignedDuration::from_hours(days * 24);
    (unknown || (lives && unused >= SignedDuration::from_hours(left_alone))) && !tried
}

/// Whether the newest scan says that the credential is refused, and it was not used since: a refused credential stays refused.
fn is_refused(newest: &Scan, used_at: Timestamp, now: Timestamp) -> bool {
    let refused = newest.cause.as_ref().is_some_and(|cause| cause.kind == CauseKind::CredentialRefused);
    let used_since = used_at > newest.started_at && used_at.duration_since(now) <= AHEAD;
    newest.state == ScanState::Failed && refused && !used_since
}

/// Whether a sign-in that came to nothing may work later as it is.
fn may_pass(error: &ScanError) -> bool {
    let ScanError::Wire(error) = error else { return false };
    matches!(error.cause().kind, CauseKind::Connectivity | CauseKind::RateLimited | CauseKind::VendorError)
}

/// As the store keeps an end, or none.
fn end_of(told: Option<(Timestamp, store::EndsBy)>, login: &Login, used_at: Timestamp) -> Option<store::CredentialEnd> {
    let told = told.filter(|(at, _)| *at > used_at).map(|(at, by)| store::CredentialEnd { at, by });
    let unused = login.unused.as_ref().and_then(|unused| used_at.checked_add(DAY * i32::try_from(unused.days).ok()?).ok());
    let unused = unused.map(|at| store::CredentialEnd { at, by: store::EndsBy::Unused });
    told.into_iter().chain(unused).min_by_key(|end| end.at)
}

/// What a scan's rows tell of the end, where the vendor tells it there. A dataset that was not read tells nothing.
pub(crate) fn keep_told(
    store: &Store,
    login: Option<&Login>,
    instance: InstanceId,
    collected: &BTreeMap<String, Collected>,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some((login, expires)) = login.and_then(|login| Some((login, login.expires.as_ref()?))) else { return Ok(()) };
    let ExpiryPlace::Field { dataset, .. } = &expires.told else { return Ok(()) };
    let Some(read) = collected.get(dataset).filter(|read| read.completeness.is_complete()) else { return Ok(()) };
    let Some(told) = connect::end_of(expires, &read.rows) else { return Ok(()) };
    store.credential_used(instance, now, end_of(told.map(|at| (at, store::EndsBy::Vendor)), login, now))?;
    Ok(())
}

/// The end of a credential as screens show it.
pub(crate) fn shown(end: store::CredentialEnd, now: Timestamp) -> CredentialEnd {
    let days = days_left(end.at, now);
    CredentialEnd {
        at: end.at.to_string(),
        by: match end.by {
            store::EndsBy::Vendor => EndsBy::Vendor,
            store::EndsBy::Certificate => EndsBy::Certificate,
            store::EndsBy::Unused => EndsBy::Unused,
        },
        days_left: days.unwrap_or(0),
        soon: days.is_none_or(|days| to_tell(end.by, days).is_some()),
    }
}

impl Console {
    /// Told of every credential that nears its end, as this process finds out. Who does not keep up misses the oldest.
    pub fn watch_credentials(&self) -> tokio::sync::broadcast::Receiver<CredentialNearsEnd> {
        self.inner.credentials.subscribe()
    }

    /// Keeps that signing in worked, and when the credential ends as far as that told. That it cannot be kept is no failure of the
    /// sign-in.
    pub(crate) async fn keep_credential(&self, instance: InstanceId, login: &Login, session: &Session, used: Used) {
        let (login, told, now) = (login.clone(), session.ends(), self.now());
        let kept = self
            .with_open(move |open| {
                let told = match told {
                    Some((at, ExpiresBy::Vendor)) => Some((at, store::EndsBy::Vendor)),
                    Some((at, ExpiresBy::Certificate)) => Some((at, store::EndsBy::Certificate)),
                    // Where the scan tells it, what the last one told holds until the next one.
                    None => match (&login.expires, used) {
                        (Some(catalog::Expires { told: ExpiryPlace::Field { .. }, .. }), Used::Again) => {
                            let known = open.store.credential(instance)?.and_then(|known| known.end);
                            known.filter(|end| end.by != store::EndsBy::Unused).map(|end| (end.at, end.by))
                        }
                        _ => None,
                    },
                };
                let end = end_of(told, &login, now);
                match used {
                    Used::Again => open.store.credential_used(instance, now, end)?,
                    Used::Anew => open.store.credential_replaced(instance, now, end)?,
                }
                Ok(())
            })
            .await;
        if let Err(failure) = kept {
            tracing::warn!(code = failure.code, "when a credential ends could not be stored");
        }
    }

    /// Tells of every credential that nears its end, once for each of the days at which it is told, in whichever process comes
    /// first. One that cannot be told of keeps no other from it: it is tried again.
    pub(crate) async fn tell_of_ends(&self) -> Result<(), Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_open(move |open| {
            for (instance, known) in open.store.credentials()? {
                match console.tell_of(&open, instance, &known, now) {
                    Ok(Some(ending)) => {
                        // Nobody may be listening.
                        let _heard = console.inner.credentials.send(ending);
                    }
                    Ok(None) => {}
                    // It may have been deleted in between.
                    Err(failure) => tracing::info!(code = failure.code, "the end of a credential could not be told"),
                }
            }
            Ok(())
        })
        .await
    }

    fn tell_of(&self, open: &Open, id: InstanceId, known: &Credential, now: Timestamp) -> Result<Option<CredentialNearsEnd>, Failure> {
        let Some((end, days)) = known.end.and_then(|end| Some((end, days_left(end.at, now)?))) else { return Ok(None) };
        let due = to_tell(end.by, days);
        if due == known.told_days {
            return Ok(None);
        }
        if let Some(told) = known.told_days.filter(|told| due.is_none_or(|due| *told < due)) {
            // Told of fewer days than are left: the clock was ahead then, and it is told again when its time has come. A clock that
            // is set right by less than a day is not meant.
            if days > told + 1 {
                open.store.tell_credential(id, known, due, None)?;
            }
            return Ok(None);
        }
        let instance = open.store.instance(id)?;
        // Nobody has to see to what opens a simulated tenant.
        if instance.sandbox {
            return Ok(None);
        }
        let app_name = self.app(&instance.app).map_or_else(|_| instance.app.clone(), |app| app.name.clone());
        let left = if days == 1 { "1 day is left".to_owned() } else { format!("{days} days are left") };
        let detail = format!("{}, {}: {left}", instance.app, instance.name);
        let act = Act::new(now, SCHEDULE, "credential nears its end", detail).on(id);
        let told = open.store.tell_credential(id, known, due, Some(&act))?;
        Ok(told.then(|| CredentialNearsEnd {
            instance: id.to_string(),
            app_name,
            name: instance.name,
            at: now.to_string(),
            end: shown(end, now),
        }))
    }

    /// What ends unused unless it is used soon.
    pub(crate) async fn refreshes(&self) -> Result<Vec<Refresh>, Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_open(move |open| {
            let mut known = open.store.credentials()?;
            let mut due = Vec::new();
            for instance in open.store.instances()?.into_iter().filter(|instance| !instance.sandbox) {
                let Ok(app) = console.app(&instance.app) else { continue };
                let unused = app.login(&instance.login).and_then(|login| login.unused.as_ref());
                let Some(unused) = unused.filter(|_| !is_manual(&instance, &app)) else { continue };
                let seen = known.remove(&instance.id);
                let used_at = match seen {
                    Some(seen) => seen.used_at,
                    // It has not signed in since this is kept.
                    None => open.store.last_complete_scan(instance.id)?.map_or(instance.created_at, |scan| scan.started_at),
                };
                let refused =
                    || Ok::<_, Failure>(open.store.scans(instance.id, 1)?.first().is_some_and(|scan| is_refused(scan, used_at, now)));
                if is_refresh_due(unused.days, used_at, seen.and_then(|seen| seen.tried_at), now) && !refused()? {
                    due.push(Refresh { instance: instance.id, seen, used_at });
                }
            }
            Ok(due)
        })
        .await
    }

    /// Signs in to an instance and seals what that leaves, and does nothing else. That the vendor refuses is the instance's health, as
    /// of a scan, and is not tried again; what may pass is, on the next day.
    pub(crate) async fn refresh(&self, refresh: Refresh) {
        if let Err(failure) = self.try_refresh(refresh).await {
            tracing::info!(code = failure.code, "a credential that ends unused could not be used");
        }
    }

    async fn try_refresh(&self, refresh: Refresh) -> Result<(), Failure> {
        let Refresh { instance: id, seen, used_at } = refresh;
        let open = self.open()?;
        let (store, now) = (open.store.clone(), self.now());
        let held = blocking(move || {
            // Held before it is marked: who scans it uses it, and then there is nothing left to do.
            let lease = match store.hold_instance(id) {
                Ok(lease) => lease,
                Err(store::StoreError::ScanRunning) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let first = store.try_credential(id, seen.as_ref(), used_at, now)?;
            Ok(first.then_some((lease, store.instance(id)?)))
        })
        .await?;
        let Some((lease, instance)) = held else { return Ok(()) };
        let app = self.app(&instance.app)?;
        let job = self.inner.jobs.begin(&id.to_string(), &format!("{}, {}", app.name, instance.name));
        let signed_in = self.sign_in_stored(&open, &instance, &app, &(Arc::new(|_event| {}) as crate::Listener), &job).await;
        let ended = match signed_in {
            Ok((session, mut sealed)) => {
                self.keep(&open, id, &session, &mut sealed).await;
                sealed.whole().map_err(ScanError::Own)
            }
            Err(error) => Err(error),
        };
        let cancelled = job.cancel.is_cancelled();
        let what = if ended.is_ok() { "credential used in time" } else { "credential not used in time" };
        let act = Act::new(self.now(), SCHEDULE, what, format!("{}, {}", instance.app, instance.name)).on(id);
        let store = open.store.clone();
        blocking(move || {
            note(&store, &act);
            Ok(())
        })
        .await?;
        match ended {
            Ok(()) => Ok(()),
            // What somebody stopped, and what may pass until tomorrow, says nothing of the instance.
            Err(error) if cancelled || may_pass(&error) => Err(error.into()),
            Err(error) => Err(self.note_failed_sign_in(&open, &instance, &app, lease, error).await),
        }
    }

    /// Ends a scan that never began, under the lease of the sign-in: its cause is the instance's health.
    async fn note_failed_sign_in(
        &self,
        open: &Open,
        instance: &Instance,
        app: &Arc<App>,
        lease: InstanceLease,
        error: ScanError,
    ) -> Failure {
        let (store, app_of, now) = (open.store.clone(), Arc::clone(app), self.now());
        let begun = blocking(move || {
            let datasets: Vec<&str> = app_of.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
            Ok(store.begin_scan_by_schedule(lease, now, &datasets)?)
        })
        .await;
        match begun {
            Ok(scan) => self.give_up(open, instance, app, scan, store::StartedBy::Schedule, error).await,
            Err(unwritten) => {
                tracing::warn!(code = unwritten.code, "that a credential is refused could not be stored");
                error.into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{days_left, is_refresh_due, to_tell};
    use jiff::{SignedDuration, Timestamp};
    use store::EndsBy;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_begun_day_counts_and_the_end_is_none() {
        let left = |hours: i64| days_left(at(hours), at(0));
        assert_eq!(
            (left(0), left(-1), left(1), left(24), left(25), left(720), left(721)),
            (None, None, Some(1), Some(1), Some(2), Some(30), Some(31))
        );
        assert_eq!(days_left(at(0) + SignedDuration::from_millis(1), at(0)), Some(1));
    }

    #[test]
    fn the_nearest_of_the_days_that_have_come_is_told() {
        let told = |days| to_tell(EndsBy::Vendor, days);
        assert_eq!([31, 30, 8, 7, 5, 2, 1].map(told), [None, Some(30), Some(30), Some(7), Some(7), Some(7), Some(1)]);
        assert_eq!([30, 8, 7, 1].map(|days| to_tell(EndsBy::Unused, days)), [None, None, Some(7), Some(1)]);
    }

    #[test]
    fn what_ends_unused_is_used_with_a_third_left_and_tried_daily() {
        let due = |days, used: i64, tried: Option<i64>, now: i64| is_refresh_due(days, at(used), tried.map(at), at(now));
        assert!(!due(90, 0, None, 60 * 24 - 1) && due(90, 0, None, 60 * 24), "a third of 90");
        assert!(!due(14, 0, None, 7 * 24 - 1) && due(14, 0, None, 7 * 24), "seven days at least");
        assert!(!due(90, 0, Some(1_500), 1_523) && due(90, 0, Some(1_500), 1_524));
        assert!(due(90, 0, Some(1_500 + 26), 1_500), "tried by a clock that was ahead");
        assert!(due(90, 26, None, 0) && !due(90, 24, None, 0), "used by a clock that was ahead");
        assert!(due(90, 0, None, 90 * 24 - 1) && !due(90, 0, None, 90 * 24), "it has ended");
    }
}
