//! What runs by itself: schedules, due times, what other processes are at, and health that turns. Time is the test's own.
use crate::company::{self, Company};
use crate::scene;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use posture_core::{
    Console, Listener, Options, SecretString,
    screen::{
        Failure, Health, Instance, InstanceChange, Protection, RouteChoice, SandboxScope, ScanRow, ScannedMany, ScheduleChoice, Settings,
        Slice,
    },
};
use sandbox::{OverlayChange, Sandbox};
use scene::{SteppingClock, today};
use std::{sync::Arc, time::Duration};

const KUSTOMER: &str = "kustomer/risky";
const NOTHING: ScannedMany = ScannedMany { complete: 0, failed: 0, busy: 0, cancelled: 0 };
const ONE: ScannedMany = ScannedMany { complete: 1, ..NOTHING };

/// A console with one instance, first scanned at 09:14 on Saturday, 21 November 2026, in UTC; due times are not spread.
pub struct Desk {
    pub console: Console,
    pub options: Options,
    pub clock: Arc<SteppingClock>,
    vendor: Sandbox,
    key: String,
}

impl Desk {
    pub async fn new() -> Self {
        let Company { proxy: vendor, key, .. } = Company::new().await;
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        options.zone = TimeZone::UTC;
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let desk = Self { console, options, clock, vendor, key };
        desk.console.connect(&desk.draft(), company::request(&desk.vendor), silent()).await.unwrap();
        desk.change(|settings| settings.spread_minutes = 0).await;
        desk
    }

    pub fn draft(&self) -> String {
        draft_of(&self.console, &self.key)
    }

    pub async fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.console.settings().await.unwrap();
        change(&mut settings);
        assert_eq!(self.console.change_settings(settings.clone()).await.unwrap(), settings);
    }

    /// Another process with this data.
    pub async fn another(&self) -> Console {
        let other = Console::new(self.options.clone()).unwrap();
        other.start().await.unwrap();
        other
    }

    /// The clock shows this time, wherever it stood.
    pub fn at(&self, time: &str) {
        let time: Timestamp = time.parse().unwrap();
        self.clock.pass(time.duration_since(connect::Clock::now(self.clock.as_ref())));
    }

    pub fn vendor(&self, change: OverlayChange) {
        self.vendor.overlay().apply(change).unwrap();
    }

    pub async fn instance(&self) -> Instance {
        let mut instances = self.console.instances(SandboxScope::With).await.unwrap();
        assert_eq!(instances.len(), 1);
        instances.remove(0)
    }

    async fn scans(&self) -> Vec<ScanRow> {
        self.console.instance(&self.instance().await.id).await.unwrap().scans
    }

    pub async fn route(&self) -> RouteChoice {
        self.console.instance(&self.instance().await.id).await.unwrap().route
    }

    pub async fn reroute(&self, route: RouteChoice) {
        let page = self.console.instance(&self.instance().await.id).await.unwrap();
        let Instance { id, name, label, owner, schedule, .. } = page.instance;
        let change = InstanceChange { name, label, owner, schedule, route, answers: page.answers };
        self.console.change_instance(&id, change).await.unwrap();
    }

    async fn schedule(&self, choice: ScheduleChoice) -> Result<(), Failure> {
        self.console.set_schedule(&self.instance().await.id, choice).await
    }
}

pub fn silent() -> Listener {
    Arc::new(|_event| {})
}

fn cron(pattern: &str) -> ScheduleChoice {
    ScheduleChoice::Cron { pattern: pattern.into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_scanned_once_for_each_due_time() {
    let desk = Desk::new().await;
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-11-22T06:00:00Z"), "the default is daily at six");
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
    desk.at("2026-11-22T05:59:59Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);

    desk.at("2026-11-22T06:00:00Z");
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-11-22T06:00:00Z"), "it waits for its turn");
    let other = desk.another().await;
    let (here, there) = tokio::join!(desk.console.scan_due(), other.scan_due());
    let (here, there) = (here.unwrap(), there.unwrap());
    assert_eq!((here.complete + there.complete, here.failed + there.failed), (1, 0), "{here:?} {there:?}");
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
    assert_eq!(other.scan_due().await.unwrap(), NOTHING);
    let scans = desk.scans().await;
    assert_eq!(scans.iter().map(|scan| scan.scheduled).collect::<Vec<_>>(), [true, false]);
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-11-23T06:00:00Z"));

    let acts = desk.console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
    let scanned: Vec<&str> = acts.iter().filter(|act| act.what == "scan completed").map(|act| act.who.as_str()).collect();
    assert_eq!(scanned.len(), 2);
    assert!(scanned[0] == "schedule" && scanned[1] != "schedule", "{scanned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_slept_through_is_caught_up_on_once() {
    let desk = Desk::new().await;
    desk.at("2026-11-27T13:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-11-28T06:00:00Z"));

    // A scan that somebody asks for after a due time serves it.
    desk.at("2026-11-28T07:00:00Z");
    desk.console.scan(&desk.instance().await.id, silent()).await.unwrap();
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_serves_no_due_time_twice_and_stops_no_schedule() {
    let desk = Desk::new().await;
    desk.at("2026-11-22T06:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    for back in ["2026-11-22T05:30:00Z", "2026-11-22T06:00:00Z", "2026-11-22T08:00:00Z"] {
        desk.at(back);
        assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING, "{back}");
    }
    // A clock that was wrong by years, and is set right: not a year without a scan.
    desk.at("2031-01-01T12:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    desk.at("2026-11-23T06:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
    desk.at("2026-11-24T06:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
}

#[tokio::test]
async fn a_time_of_the_day_is_due_on_every_day_of_daylight_saving_too() {
    let clock = SteppingClock::at(today());
    let mut options = Options::scratch().unwrap();
    options.clock = clock.clone();
    options.zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let zone = options.zone.clone();
    let console = Console::new(options).unwrap();
    // 02:30 is left out on 28 March 2027 and comes twice on 31 October.
    for pattern in ["30 2 * * *", "0 6 * * *", "0 0 * * *", "0 3 * * *"] {
        for (first, days) in [("2027-03-20T12:00:00Z", 16), ("2027-10-23T12:00:00Z", 16)] {
            let mut now: Timestamp = first.parse().unwrap();
            let mut day = now.to_zoned(zone.clone()).date();
            for _ in 0..days {
                clock.pass(now.duration_since(connect::Clock::now(clock.as_ref())));
                let words = console.schedule_words(cron(pattern)).await.unwrap();
                now = words.next[0].parse().unwrap();
                let due = now.to_zoned(zone.clone()).date();
                assert_eq!(due, day.tomorrow().unwrap(), "{pattern} after {day}");
                day = due;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_follows_its_own_schedule_or_none() {
    let desk = Desk::new().await;
    desk.schedule(cron("15 */2 * * *")).await.unwrap();
    assert_eq!(desk.instance().await.schedule, cron("15 */2 * * *"));
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-11-21T10:15:00Z"), "what was due before it was set is let pass");
    desk.at("2026-11-21T10:15:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);

    desk.schedule(ScheduleChoice::Off).await.unwrap();
    desk.at("2026-12-24T18:00:00Z");
    assert_eq!(desk.instance().await.next_scan, None);
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);

    desk.change(|settings| settings.schedule = ScheduleChoice::Off).await;
    desk.schedule(ScheduleChoice::Default).await.unwrap();
    assert_eq!(desk.instance().await.next_scan, None, "the default may be none");
    desk.change(|settings| settings.schedule = cron("0 6 * * 1-5")).await;
    // The 24th is a Thursday.
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-12-25T06:00:00Z"));
    desk.at("2026-12-25T06:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    assert_eq!(desk.instance().await.next_scan.as_deref(), Some("2026-12-28T06:00:00Z"), "not on the weekend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn due_times_are_spread_alike_in_every_process() {
    let desk = Desk::new().await;
    desk.change(|settings| settings.spread_minutes = 120).await;
    let next: Timestamp = desk.instance().await.next_scan.unwrap().parse().unwrap();
    let moved = next.duration_since("2026-11-22T06:00:00Z".parse().unwrap());
    assert!(moved >= SignedDuration::ZERO && moved <= SignedDuration::from_mins(120), "{moved}");
    let other = desk.another().await.instances(SandboxScope::With).await.unwrap().remove(0);
    assert_eq!(other.next_scan, Some(next.to_string()));
    desk.at(&(next - SignedDuration::from_secs(1)).to_string());
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
    desk.clock.pass(SignedDuration::from_secs(1));
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_not_there_is_tried_again_ever_more_rarely() {
    let desk = Desk::new().await;
    let there = desk.route().await;
    // Nobody listens there.
    desk.reroute(RouteChoice { proxy_url: "http://127.0.0.1:9".into(), ..there.clone() }).await;
    desk.at("2026-11-22T06:00:00Z");
    let failed = ScannedMany { failed: 1, ..NOTHING };
    let mut tried: Vec<SignedDuration> = Vec::new();
    while tried.len() < 7 {
        assert_eq!(desk.console.scan_due().await.unwrap(), failed);
        let ended: Timestamp = desk.scans().await[0].finished_at.clone().unwrap().parse().unwrap();
        let again: Timestamp = desk.instance().await.next_scan.unwrap().parse().unwrap();
        assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING, "not at once");
        tried.push(again.duration_since(ended));
        desk.clock.pass(again.duration_since(connect::Clock::now(desk.clock.as_ref())));
    }
    let minutes: Vec<i64> = tried.iter().map(SignedDuration::as_mins).collect();
    assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 160]);
    desk.reroute(there).await;
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);

    // A credential that is refused is not tried again: it would be refused again.
    desk.vendor(OverlayChange::Revoke { tenant: KUSTOMER.into() });
    desk.at("2026-11-24T06:00:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), failed);
    desk.at("2026-11-25T05:59:00Z");
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_leaves_behind_is_gone_on_with() {
    let desk = Desk::new().await;
    let id = desk.instance().await.id;
    desk.at("2026-11-22T06:00:00Z");
    desk.vendor(OverlayChange::Latency { tenant: KUSTOMER.into(), answer: Some("spam-senders".into()), milliseconds: 600_000 });
    let other = desk.another().await;
    let scanning = {
        let other = other.clone();
        tokio::spawn(async move { other.scan_due().await })
    };
    let reads = async {
        while !desk.console.instance(&id).await.unwrap().scans.first().is_some_and(|scan| scan.state == "running" && scan.requests > 3) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), reads).await.expect("the other console began no scan");
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING, "it is served already");

    // Its process ends without a word.
    scanning.abort();
    assert!(scanning.await.unwrap_err().is_cancelled());
    drop(other);
    desk.vendor(OverlayChange::Clear { tenant: None });
    let left = desk.scans().await[0].id.clone();
    assert_eq!(desk.console.scan_due().await.unwrap(), ONE);
    let scans = desk.scans().await;
    assert_eq!((&scans[0].id, scans[0].state.as_str(), scans[0].scheduled), (&left, "complete", true));
    assert_eq!(desk.console.scan_due().await.unwrap(), NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_that_turns_is_told_once_with_its_cause() {
    let desk = Desk::new().await;
    let mut turns = desk.console.watch_turns();
    let id = desk.instance().await.id;
    desk.console.scan(&id, silent()).await.unwrap();
    assert!(turns.try_recv().is_err(), "it is as it was");

    desk.vendor(OverlayChange::Revoke { tenant: KUSTOMER.into() });
    for _ in 0..2 {
        assert!(desk.console.scan(&id, silent()).await.is_err());
    }
    let turn = turns.try_recv().unwrap();
    assert_eq!(
        (turn.instance.as_str(), turn.name.as_str(), turn.before, turn.after),
        (id.as_str(), "Halden Moor", Some(Health::Up), Health::Down)
    );
    assert_eq!(turn.cause.unwrap().kind, "credential_refused");
    assert!(turns.try_recv().is_err(), "told once");

    desk.vendor(OverlayChange::Restore { tenant: KUSTOMER.into() });
    desk.console.replace_secret(&desk.draft(), &id, silent()).await.unwrap();
    let healed = turns.try_recv().unwrap();
    assert_eq!((healed.before, healed.after, healed.cause), (Some(Health::Down), Health::Up, None));
    let states: Vec<String> = desk.scans().await.into_iter().map(|scan| scan.state).collect();
    assert_eq!(states, ["complete", "failed", "failed", "complete", "complete"], "the history is whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_another_process_stores_is_told_here_once_and_what_is_old_never() {
    let desk = Desk::new().await;
    let id = desk.instance().await.id;
    let mut turns = desk.console.watch_turns();
    let other = desk.another().await;
    let mut turns_of_other = other.watch_turns();
    desk.vendor(OverlayChange::Revoke { tenant: KUSTOMER.into() });
    assert!(other.scan(&id, silent()).await.is_err());
    assert_eq!(turns_of_other.try_recv().unwrap().after, Health::Down, "its own is told at once");
    assert!(turns.try_recv().is_err(), "nobody has looked yet");

    let keeper = tokio::spawn({
        let console = desk.console.clone();
        async move { console.keep_schedule().await }
    });
    let turn = tokio::time::timeout(Duration::from_secs(60), turns.recv()).await.expect("it is told").unwrap();
    assert_eq!((turn.name.as_str(), turn.before, turn.after), ("Halden Moor", Some(Health::Up), Health::Down));
    assert_eq!(turn.cause.unwrap().kind, "credential_refused");
    keeper.abort();

    // A turn of its own comes after those of others that it had not heard of yet, each once.
    desk.vendor(OverlayChange::Restore { tenant: KUSTOMER.into() });
    other.replace_secret(&draft_of(&other, &desk.key), &id, silent()).await.unwrap();
    desk.vendor(OverlayChange::Revoke { tenant: KUSTOMER.into() });
    assert!(desk.console.scan(&id, silent()).await.is_err());
    let told: Vec<Health> = std::iter::from_fn(|| turns.try_recv().ok()).map(|turn| turn.after).collect();
    assert_eq!(told, [Health::Up, Health::Down]);

    // Who opens the data now is told nothing of all that.
    let third = desk.another().await;
    let mut turns_of_third = third.watch_turns();
    desk.vendor(OverlayChange::Restore { tenant: KUSTOMER.into() });
    third.replace_secret(&draft_of(&third, &desk.key), &id, silent()).await.unwrap();
    let told: Vec<Health> = std::iter::from_fn(|| turns_of_third.try_recv().ok()).map(|turn| turn.after).collect();
    assert_eq!(told, [Health::Up]);
}

fn draft_of(console: &Console, key: &str) -> String {
    let draft = console.open_draft("kustomer", "api-key").unwrap();
    console.check_field(&draft, "api_key", SecretString::from(key.to_owned())).unwrap();
    draft
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_scanned_and_simulated_tenants_follow_no_default() {
    let desk = Desk::new().await;
    assert_eq!(desk.console.scan_all(SandboxScope::Without).await.unwrap(), ONE);
    assert_eq!(desk.console.scan_all(SandboxScope::Only).await.unwrap(), NOTHING);
    desk.vendor(OverlayChange::Revoke { tenant: KUSTOMER.into() });
    assert_eq!(desk.console.scan_all(SandboxScope::With).await.unwrap(), ScannedMany { failed: 1, ..NOTHING });
}

#[tokio::test]
async fn what_is_no_schedule_is_refused_with_its_field() {
    let console = Console::new(Options::scratch().unwrap()).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let wrong = ["", "six", "61 * * * *", "0 6 * *", "0 0 6 * * *", "* * * * *", "*/14 * * * *", "0,5 6 * * *", "0 0 30 2 *", "0 6 * * 9"];
    for pattern in wrong {
        let refused = console.schedule_words(cron(pattern)).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-SCHEDULE", Some("pattern")), "{pattern}");
        let settings = Settings { schedule: cron(pattern), ..Settings::default() };
        let refused = console.change_settings(settings).await.unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("schedule"), "{pattern}");
    }
    for right in ["0 6 * * *", "*/15 * * * *", "0 6 * * MON-FRI", " 0 6 1 * * ", "0 6 * * SUN#1", "@daily"] {
        let words = console.schedule_words(cron(right)).await.unwrap();
        assert!(!words.words.is_empty() && words.next.len() == 3, "{right}: {words:?}");
    }
    let default = Settings::default();
    let bounds: [(&str, Settings); 7] = [
        ("schedule", Settings { schedule: ScheduleChoice::Default, ..default.clone() }),
        ("spread_minutes", Settings { spread_minutes: 121, ..default.clone() }),
        ("scans_at_once", Settings { scans_at_once: 0, ..default.clone() }),
        ("scans_at_once", Settings { scans_at_once: 9, ..default.clone() }),
        ("keep_scans", Settings { keep_scans: 1, ..default.clone() }),
        ("lock_after_minutes", Settings { lock_after_minutes: Some(0), ..default.clone() }),
        ("lock_after_minutes", Settings { lock_after_minutes: Some(481), ..default.clone() }),
    ];
    for (field, settings) in bounds {
        assert_eq!(console.change_settings(settings).await.unwrap_err().field.as_deref(), Some(field));
    }
    assert_eq!(console.settings().await.unwrap(), default, "nothing was changed");
}
