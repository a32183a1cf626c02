//! When instances are scanned by themselves: patterns, due times, and the loop that keeps them.

use crate::{
    Console,
    activity::act_on,
    console::{Open, blocking, expire_decisions},
    credential_watch::Refresh,
    instances::note,
    jobs::JobGuard,
    manual_instances::is_manual,
    scan::{RESUMABLE_FOR, instance_id},
    screen::{Failure, Job, ScannedMany, ScheduleChoice, ScheduleWords, Settings},
    settings::stored,
    start::user,
};
use catalog::CauseKind;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use store::{Act, Instance, InstanceId, Scan, ScanState, Schedule, StartedBy, Store, Underway};
use tokio::{sync::oneshot, task::JoinSet};

/// How often the loop looks at the clock, and at what other processes are at.
const LOOK: Duration = Duration::from_secs(5);
/// How often a scan tells other processes how far it is; several times before they take it for ended.
const TELL: Duration = Duration::from_secs(5);
/// Vendors are not asked for everything more often than this.
const LEAST_APART: SignedDuration = SignedDuration::from_mins(15);
/// How many due times are held against each other for that: a day of the closest.
const COMPARED: usize = 96;
/// A mark further ahead of the clock than this was set by a clock that was wrong.
pub(crate) const AHEAD: SignedDuration = SignedDuration::from_hours(25);
/// After so long a scheduled scan is tried again whose network was not there; each further time twice as long.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// So often at most: then every 160 minutes.
const AGAIN_DOUBLED: u32 = 5;
/// So long a digest waits for scans that are due or under way, as after waking up, but never into the next day.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);
/// How many due times are shown.
const SHOWN: usize = 3;
/// Of a stored schedule: none.
const OFF: &str = "off";

/// Who does what the schedule asks for, in the activity log.
pub(crate) const SCHEDULE: &str = "schedule";

/// A crontab pattern that is due again and again, and not too often.
pub(crate) struct Pattern(Cron);

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text.trim()).map_err(|error| {
            Failure::new(
                "E-SCHEDULE",
                format!("\"{text}\" is no crontab pattern: {error}."),
                "Write five parts: minute, hour, day of the month, month, day of the week. \"0 6 * * 1-5\" is at six on weekdays.",
            )
            .on_field("pattern")
        })?;
        let pattern = Self(cron);
        // In a zone without daylight saving, so that a pattern is right or wrong everywhere alike.
        let begin = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let due: Vec<Zoned> = pattern.after(&begin).take(COMPARED).collect();
        if due.is_empty() {
            return Err(Failure::new("E-SCHEDULE", format!("\"{text}\" is never due."), "Choose a day that there is.").on_field("pattern"));
        }
        if due.windows(2).any(|pair| matches!(pair, [one, next] if next.timestamp().duration_since(one.timestamp()) < LEAST_APART)) {
            return Err(Failure::new(
                "E-SCHEDULE",
                format!("\"{text}\" is due more often than every {} minutes.", LEAST_APART.as_mins()),
                "Scan less often: vendors limit how often they may be asked.",
            )
            .on_field("pattern"));
        }
        Ok(pattern)
    }

    fn words(&self) -> String {
        self.0.describe()
    }

    /// Due times after that time, without end unless the calendar ends.
    fn after<'a>(&'a self, time: &Zoned) -> impl Iterator<Item = Zoned> + 'a {
        let next = |time: &Zoned| self.0.find_next_occurrence(time, false).ok();
        std::iter::successors(next(time), move |time| next(time))
    }

    /// The last due time that is not after that time.
    fn last(&self, time: &Zoned) -> Option<Zoned> {
        self.0.find_previous_occurrence(time, true).ok()
    }
}

/// A pattern in a time zone, moved by an instance's part of the spread.
struct Times<'a> {
    pattern: &'a Pattern,
    zone: &'a TimeZone,
    moved: SignedDuration,
}

impl Times<'_> {
    fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.pattern.last(&now.checked_sub(self.moved).ok()?.to_zoned(self.zone.clone()))?;
        due.timestamp().checked_add(self.moved).ok()
    }

    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.pattern.after(&now.checked_sub(self.moved).ok()?.to_zoned(self.zone.clone())).next()?;
        due.timestamp().checked_add(self.moved).ok()
    }
}

/// The part of the spread that is an instance's own: from its id, so that every process finds the same.
fn moved(instance: InstanceId, spread_minutes: u32) -> SignedDuration {
    let seconds = i64::from(spread_minutes) * 60;
    // An id is random in all but six of its bits.
    let of = i64::try_from(instance.0.as_u128() % u128::from(seconds.unsigned_abs() + 1)).unwrap_or(0);
    SignedDuration::from_secs(of)
}

/// The stored words of a choice.
pub(crate) fn pattern_of(choice: &ScheduleChoice) -> Result<Option<String>, Failure> {
    Ok(match choice {
        ScheduleChoice::Default => None,
        ScheduleChoice::Off => Some(OFF.to_owned()),
        ScheduleChoice::Cron { pattern } => {
            Pattern::parse(pattern)?;
            Some(pattern.trim().to_owned())
        }
    })
}

/// Sets the stored words of an instance's schedule, if they are others; setting the same again would let pass what is due.
pub(crate) fn replace_schedule(open: &Open, instance: &Instance, pattern: Option<&str>, now: Timestamp) -> Result<(), Failure> {
    let before = open.store.schedules()?.remove(&instance.id).and_then(|schedule| schedule.pattern);
    if before.as_deref() == pattern {
        return Ok(());
    }
    open.store.set_schedule(instance.id, pattern, now)?;
    let words = |pattern: Option<&str>| pattern.unwrap_or("default").to_owned();
    let act = act_on(now, "schedule changed", instance).from_to(words(before.as_deref()), words(pattern));
    Ok(open.store.record_act(&act)?)
}

/// The choice that stored words are.
pub(crate) fn choice_of(pattern: Option<&str>) -> ScheduleChoice {
    match pattern {
        None => ScheduleChoice::Default,
        Some(OFF) => ScheduleChoice::Off,
        Some(pattern) => ScheduleChoice::Cron { pattern: pattern.to_owned() },
    }
}

/// Something that the schedule asks for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// A scan, for the due times since the mark.
    Scan { seen: Timestamp },
    /// Going on with a scheduled scan that ended without a word.
    Resume,
}

/// What there is to do at one time.
struct Looked {
    due: Vec<(InstanceId, Due)>,
    /// So much of it at once.
    at_once: usize,
    refreshes: Vec<Refresh>,
}

/// When everything is scanned by itself, as it is stored at one time.
pub(crate) struct Plan {
    settings: Settings,
    schedules: BTreeMap<InstanceId, Schedule>,
    zone: TimeZone,
    now: Timestamp,
}

impl Plan {
    pub(crate) fn read(console: &Console, open: &Open) -> Result<Self, Failure> {
        Ok(Self {
            settings: stored(open)?,
            schedules: open.store.schedules()?,
            zone: console.inner.options.zone.clone(),
            now: console.now(),
        })
    }

    /// The schedule of an instance.
    pub(crate) fn choice(&self, instance: InstanceId) -> ScheduleChoice {
        self.schedules.get(&instance).map_or(ScheduleChoice::Default, |schedule| choice_of(schedule.pattern.as_deref()))
    }

    /// The pattern that an instance follows; none when it is scanned only on request. Simulated tenants follow no default: nobody
    /// has to know daily how something is that does not change.
    fn followed(&self, instance: &Instance) -> Option<Pattern> {
        let own = self.choice(instance.id);
        let choice = match &own {
            ScheduleChoice::Default if instance.sandbox => return None,
            ScheduleChoice::Default => &self.settings.schedule,
            ScheduleChoice::Off | ScheduleChoice::Cron { .. } => &own,
        };
        match choice {
            ScheduleChoice::Cron { pattern } => Pattern::parse(pattern).ok(),
            ScheduleChoice::Default | ScheduleChoice::Off => None,
        }
    }

    /// The next time at which an instance that can be scanned is scanned by itself; now, when it is due and waits for its turn.
    pub(crate) fn next(&self, store: &Store, instance: &Instance) -> Result<Option<Timestamp>, Failure> {
        let Some(pattern) = self.followed(instance) else { return Ok(None) };
        let times = self.times(&pattern, instance.id);
        if self.due_at(store, instance, &times)?.is_some() {
            return Ok(Some(self.now));
        }
        Ok(again_at(store, instance.id)?.into_iter().chain(times.next(self.now)).min())
    }

    /// Since when an instance that can be scanned is due and waits.
    pub(crate) fn waits_since(&self, store: &Store, instance: &Instance) -> Result<Option<Timestamp>, Failure> {
        Ok(self.due(store, instance)?.map(|(since, _)| since))
    }

    /// Whether an instance that can be scanned is due, and since when.
    fn due(&self, store: &Store, instance: &Instance) -> Result<Option<(Timestamp, Due)>, Failure> {
        match self.followed(instance) {
            Some(pattern) => self.due_at(store, instance, &self.times(&pattern, instance.id)),
            None => Ok(None),
        }
    }

    /// A scan that somebody asked for serves the due times before it as well.
    fn due_at(&self, store: &Store, instance: &Instance, times: &Times<'_>) -> Result<Option<(Timestamp, Due)>, Failure> {
        let cut = store.resumable_scan(instance.id)?.filter(|scan| {
            scan.state == ScanState::Cut
                && scan.started_by == StartedBy::Schedule
                && self.now.duration_since(scan.started_at) <= RESUMABLE_FOR
        });
        if let Some(cut) = cut {
            return Ok(Some((cut.started_at, Due::Resume)));
        }
        let Some(seen) = self.schedules.get(&instance.id).map(|schedule| schedule.served_through) else { return Ok(None) };
        if let Some(again) = again_at(store, instance.id)?.filter(|again| *again <= self.now) {
            return Ok(Some((again, Due::Scan { seen })));
        }
        let Some(last) = times.last(self.now) else { return Ok(None) };
        let wrong_clock = seen.duration_since(self.now) > AHEAD;
        if last <= seen && !wrong_clock {
            return Ok(None);
        }
        let complete = store.last_complete_scan(instance.id)?;
        if complete.is_some_and(|scan| scan.started_at >= last && scan.started_at <= self.now) {
            return Ok(None);
        }
        Ok(Some((last, Due::Scan { seen })))
    }

    fn times<'a>(&'a self, pattern: &'a Pattern, instance: InstanceId) -> Times<'a> {
        Times { pattern, zone: &self.zone, moved: moved(instance, self.settings.spread_minutes) }
    }

    fn at_once(&self) -> usize {
        self.settings.scans_at_once.max(1) as usize
    }
}

impl Console {
    /// A schedule in words, with its next due times.
    ///
    /// # Errors
    /// When the pattern is not right, on the field `pattern`; or the console is locked, for the default.
    pub async fn schedule_words(&self, choice: ScheduleChoice) -> Result<ScheduleWords, Failure> {
        let choice = match choice {
            ScheduleChoice::Default => self.settings().await?.schedule,
            ScheduleChoice::Off | ScheduleChoice::Cron { .. } => choice,
        };
        let ScheduleChoice::Cron { pattern } = choice else {
            return Ok(ScheduleWords { words: "Only when somebody asks".into(), next: Vec::new() });
        };
        let pattern = Pattern::parse(&pattern)?;
        let now = self.now().to_zoned(self.inner.options.zone.clone());
        let next = pattern.after(&now).take(SHOWN).map(|due| due.timestamp().to_string()).collect();
        Ok(ScheduleWords { words: pattern.words(), next })
    }

    /// Sets when an instance is scanned by itself. What was due before now and was not served is let pass.
    ///
    /// # Errors
    /// When the pattern is not right, on the field `pattern`; there is no such instance, or the database refuses.
    pub async fn set_schedule(&self, instance: &str, choice: ScheduleChoice) -> Result<(), Failure> {
        let id = instance_id(instance)?;
        let pattern = pattern_of(&choice)?;
        let now = self.now();
        self.with_open(move |open| replace_schedule(&open, &open.store.instance(id)?, pattern.as_deref(), now)).await
    }

    /// Scans every instance that is due, several at once, and says what became of them. Due times that another process serves are
    /// left to it. Then signs in where a credential would end unused, and tells of those that near their end
    /// ([`Console::watch_credentials`]).
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read. What an instance's scan ends with is no error: it is counted.
    pub async fn scan_due(&self) -> Result<ScannedMany, Failure> {
        let (due, at_once) = self.due().await?;
        let scans = due.into_iter().map(|(instance, due)| {
            let console = self.clone();
            async move { console.answer(instance, due).await }
        });
        let scanned = sum(futures::stream::iter(scans).buffer_unordered(at_once).collect().await);
        // After the scans, which use what they sign in with.
        let refreshes = self.refreshes().await?.into_iter().map(|refresh| {
            let console = self.clone();
            async move { console.refresh(refresh).await }
        });
        futures::stream::iter(refreshes).buffer_unordered(at_once).for_each(|()| std::future::ready(())).await;
        self.tell_of_ends().await?;
        Ok(scanned)
    }

    /// Scans all instances that can be scanned, several at once.
    ///
    /// # Errors
    /// As [`Console::scan_due`].
    pub async fn scan_all(&self, scope: crate::screen::SandboxScope) -> Result<ScannedMany, Failure> {
        let console = self.clone();
        let (instances, at_once) = self
            .with_open(move |open| {
                let wanted = open.store.instances()?.into_iter().filter(|instance| scope.holds(instance.sandbox));
                let scanned = wanted.filter(|instance| console.app(&instance.app).is_ok_and(|app| !is_manual(instance, &app)));
                Ok((scanned.collect::<Vec<_>>(), Plan::read(&console, &open)?.at_once()))
            })
            .await?;
        let scans = instances.into_iter().map(|instance| {
            let console = self.clone();
            async move { ended(&console.scan(&instance.id.to_string(), Arc::new(|_event| {})).await.map(Some)) }
        });
        Ok(sum(futures::stream::iter(scans).buffer_unordered(at_once).collect().await))
    }

    /// Keeps the schedule and the ends of credentials, makes and mails the daily digest, knows what other processes are at and
    /// tells of the turns that they store, as long as it is polled. While the console is locked nothing is scanned; what was due
    /// then is caught up on after Unlock, once.
    pub async fn keep_schedule(&self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut scans: JoinSet<InstanceId> = JoinSet::new();
        let mut served = BTreeSet::new();
        let mut digests: JoinSet<()> = JoinSet::new();
        // Since when a digest would lack scans that are due or under way.
        let mut lacking: Option<Timestamp> = None;
        loop {
            look.tick().await;
            while digests.try_join_next().is_some() {}
            while let Some(ended) = scans.try_join_next() {
                match ended {
                    Ok(instance) => drop(served.remove(&instance)),
                    // It panicked, and its message went to standard error; which one it was is not told.
                    Err(_) => served.clear(),
                }
            }
            if self.opened().is_none() {
                self.inner.jobs.elsewhere(Vec::new());
                continue;
            }
            let due = match self.look().await {
                Ok(due) => due,
                Err(failure) => {
                    tracing::warn!(code = failure.code, "what is due could not be read");
                    continue;
                }
            };
            let Looked { due, at_once, refreshes } = due;
            // What is scanned now is used now.
            let refreshes: Vec<Refresh> =
                refreshes.into_iter().filter(|refresh| due.iter().all(|(instance, _)| *instance != refresh.instance())).collect();
            lacking = if due.is_empty() && scans.is_empty() { None } else { lacking.or_else(|| Some(self.now())) };
            let waits = lacking.is_some_and(|since| self.waits_for_scans(since));
            if !waits && digests.is_empty() {
                let console = self.clone();
                digests.spawn(async move {
                    if let Err(failure) = console.serve_digest().await {
                        tracing::info!(code = failure.code, "the daily digest was not made or not mailed");
                    }
                });
            }
            for (instance, due) in due {
                if scans.len() < at_once && served.insert(instance) {
                    let console = self.clone();
                    scans.spawn(async move {
                        console.answer(instance, due).await;
                        instance
                    });
                }
            }
            for refresh in refreshes {
                let instance = refresh.instance();
                if scans.len() < at_once && served.insert(instance) {
                    let console = self.clone();
                    scans.spawn(async move {
                        console.refresh(refresh).await;
                        instance
                    });
                }
            }
            if let Err(failure) = self.tell_of_ends().await {
                tracing::warn!(code = failure.code, "which credentials near their end could not be read");
            }
        }
    }

    /// Whether a digest that lacks scans since then waits for them. Past midnight it would be another day's, and this day had none.
    fn waits_for_scans(&self, since: Timestamp) -> bool {
        let now = self.now();
        let day = |at: Timestamp| at.to_zoned(self.inner.options.zone.clone()).date();
        let until = since.checked_add(PATIENCE).unwrap_or(Timestamp::MAX);
        now.duration_since(since).abs() < PATIENCE && day(until) == day(now)
    }

    /// What is due, after what other processes are at has been taken over into the jobs.
    async fn look(&self) -> Result<Looked, Failure> {
        let console = self.clone();
        self.with_open(move |open| {
            console.hear_of_others(&open)?;
            expire_decisions(&open, console.now());
            console.tell_turns(&open)
        })
        .await?;
        let (due, at_once) = self.due().await?;
        Ok(Looked { due, at_once, refreshes: self.refreshes().await? })
    }

    /// Takes over into the jobs what other processes are at.
    pub(crate) fn hear_of_others(&self, open: &Open) -> Result<(), Failure> {
        let mut jobs = Vec::new();
        for underway in open.store.underway_elsewhere(std::process::id(), self.now())? {
            // It may have been deleted in between.
            let Ok(instance) = open.store.instance(underway.instance) else { continue };
            let app = self.app(&instance.app).map_or_else(|_| instance.app.clone(), |app| app.name.clone());
            jobs.push(job_elsewhere(format!("{app}, {}", instance.name), &underway));
        }
        self.inner.jobs.elsewhere(jobs);
        Ok(())
    }

    /// What is due now, longest due first, and how many may be scanned at once.
    async fn due(&self) -> Result<(Vec<(InstanceId, Due)>, usize), Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_open(move |open| {
            // What ended without a word is to be known as such before it can be gone on with.
            open.store.mark_cut_scans(now)?;
            let plan = Plan::read(&console, &open)?;
            let mut due = Vec::new();
            for instance in open.store.instances()? {
                // What nobody can scan is never due; its row says why.
                let scannable = console.app(&instance.app).is_ok_and(|app| !is_manual(&instance, &app));
                if scannable && let Some((since, what)) = plan.due(&open.store, &instance)? {
                    due.push((since, instance.id, what));
                }
            }
            due.sort_by_key(|(since, id, _)| (*since, *id));
            Ok((due.into_iter().map(|(_, id, what)| (id, what)).collect(), plan.at_once()))
        })
        .await
    }

    /// Scans one instance for the schedule. Its end is in the instance's health; a failure keeps no other from being scanned.
    async fn answer(&self, instance: InstanceId, due: Due) -> ScannedMany {
        let id = instance.to_string();
        let result = match due {
            Due::Scan { seen } => self.scan_when_due(instance, seen).await,
            Due::Resume => self.scan(&id, Arc::new(|_event| {})).await.map(Some),
        };
        if let Err(failure) = &result {
            tracing::info!(code = failure.code, "a scheduled scan did not complete");
        }
        ended(&result)
    }

    /// Tells other processes how far a scan has come, from now until what is answered is ended.
    pub(crate) fn tell_others(&self, open: &Open, instance: InstanceId, job: &JobGuard) -> Telling {
        let (stop, mut stopped) = oneshot::channel::<()>();
        let (console, store, job) = (self.clone(), open.store.clone(), job.id().to_owned());
        let since = self.now();
        let telling = tokio::spawn(async move {
            let mut tell = tokio::time::interval(TELL);
            tell.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    // Whoever holds the other end is done, or gone.
                    _ = &mut stopped => break,
                    _ = tell.tick() => {}
                }
                let Some((done, host)) = console.inner.jobs.progress(&job) else { break };
                let (store, pid, heartbeat) = (store.clone(), std::process::id(), console.now());
                let underway = Underway { instance, owner: user(), pid, since, heartbeat, done, host };
                if let Err(failure) = blocking(move || Ok(store.tell_underway(&underway)?)).await {
                    tracing::debug!(code = failure.code, "other processes could not be told of a scan");
                }
            }
            let ended = blocking(move || Ok(store.end_underway(instance, std::process::id())?)).await;
            if let Err(failure) = ended {
                tracing::debug!(code = failure.code, "other processes could not be told of a scan's end");
            }
        });
        Telling { stop, telling }
    }

    /// Records a scan's end, and removes rows that the settings no longer keep. Neither fails the scan.
    pub(crate) async fn after_scan(&self, open: &Open, instance: &Instance, by: StartedBy, ended: Result<String, String>) {
        let (store, instance, now, open) = (open.store.clone(), instance.clone(), self.now(), open.clone());
        let kept = blocking(move || {
            let (what, detail) = match ended {
                Ok(detail) => ("scan completed", detail),
                Err(detail) => ("scan not completed", detail),
            };
            let who = match by {
                StartedBy::Person => user(),
                StartedBy::Schedule => SCHEDULE.into(),
            };
            let detail = format!("{}, {}: {detail}", instance.app, instance.name);
            note(&store, &Act::new(now, who, what, detail).on(instance.id));
            store.prune_scans(instance.id, stored(&open)?.keep_scans)?;
            Ok(())
        })
        .await;
        if let Err(failure) = kept {
            tracing::warn!(code = failure.code, "rows of old scans could not be removed");
        }
    }
}

/// Told while a scan runs; dropping it ends the telling soon after.
pub(crate) struct Telling {
    stop: oneshot::Sender<()>,
    telling: tokio::task::JoinHandle<()>,
}

impl Telling {
    /// Ends it, and waits until nobody is told any more.
    pub(crate) async fn end(self) {
        drop(self.stop);
        // It panicked, and its message went to standard error, or the program is ending.
        let _ended = self.telling.await;
    }
}

/// When a scheduled scan is tried again whose network was not there, as after waking up: soon at first, then ever more rarely.
fn again_at(store: &Store, instance: InstanceId) -> Result<Option<Timestamp>, Failure> {
    let offline = |scan: &Scan| {
        scan.state == ScanState::Failed
            && scan.started_by == StartedBy::Schedule
            && scan.cause.as_ref().is_some_and(|cause| cause.kind == CauseKind::Connectivity)
    };
    let scans = store.scans(instance, AGAIN_DOUBLED + 1)?;
    let failed: Vec<&Scan> = scans.iter().take_while(|scan| offline(scan)).collect();
    let Some(ended) = failed.first().and_then(|scan| scan.finished_at) else { return Ok(None) };
    let doubled = u32::try_from(failed.len() - 1).unwrap_or(AGAIN_DOUBLED);
    Ok(ended.checked_add(AGAIN * 2_i32.pow(doubled)).ok())
}

fn job_elsewhere(title: String, underway: &Underway) -> Job {
    Job {
        id: format!("{}-{}", underway.pid, underway.instance),
        instance: underway.instance.to_string(),
        title,
        done: underway.done.clamp(0.0, 1.0),
        host: underway.host.clone(),
        elsewhere: Some(format!("{}, process {}", underway.owner, underway.pid)),
    }
}

/// How one scan counts. Due times that somebody else has served count as theirs.
fn ended(result: &Result<Option<crate::screen::Outcome>, Failure>) -> ScannedMany {
    let mut counted = ScannedMany::default();
    match result {
        Ok(Some(_)) => counted.complete = 1,
        Ok(None) => counted.busy = 1,
        Err(failure) => match failure.code.as_str() {
            "E-SCAN-RUNNING" | "E-INSTANCE-IN-USE" => counted.busy = 1,
            "E-CANCELLED" => counted.cancelled = 1,
            _ => counted.failed = 1,
        },
    }
    counted
}

fn sum(all: Vec<ScannedMany>) -> ScannedMany {
    all.into_iter().fold(ScannedMany::default(), |sum, one| ScannedMany {
        complete: sum.complete + one.complete,
        failed: sum.failed + one.failed,
        busy: sum.busy + one.busy,
        cancelled: sum.cancelled + one.cancelled,
    })
}
