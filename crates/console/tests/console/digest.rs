//! What an administrator is told once a day: by whom it is made, when, and that it is true. Time is the test's own.
use crate::{
    scene::{SteppingClock, database, today},
    schedule::{Desk, silent},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use posture_core::{
    Console, Options,
    screen::{
        Digest, DigestEntry, DigestKind, ManualInstance, OwnCheckDraft, Protection, SandboxScope, ScheduleChoice, Severity, Slice,
        TenantChoice,
    },
};
use sandbox::OverlayChange;
use std::{sync::Arc, time::Duration};

const KUSTOMER: &str = "kustomer/risky";

fn of(digest: &Digest, kind: DigestKind) -> Vec<&DigestEntry> {
    digest.entries.iter().filter(|entry| entry.kind == kind).collect()
}

fn new(digest: &Digest) -> u32 {
    digest.new.critical + digest.new.high + digest.new.medium + digest.new.low + digest.new.info
}

/// Whether passwords of the vendor's own work in the tenant.
fn passwords(on: bool) -> OverlayChange {
    OverlayChange::Set {
        tenant: KUSTOMER.into(),
        answer: "auth-settings".into(),
        field: "data.attributes.kustomer.enabled".into(),
        value: on.into(),
    }
}

fn manual(name: &str, owner: &str) -> ManualInstance {
    ManualInstance {
        app: "other-application".into(),
        name: name.into(),
        label: "Production".into(),
        owner: owner.into(),
        product: "Perplexity".into(),
        console_url: String::new(),
    }
}

/// A console with one instance that nobody signs in to.
async fn quiet(zone: TimeZone, name: &str) -> (Console, Options, Arc<SteppingClock>, String) {
    let clock = SteppingClock::at(today());
    let mut options = Options::scratch().unwrap();
    options.clock = clock.clone();
    options.zone = zone;
    let console = Console::new(options.clone()).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let id = console.add_manual_instance(manual(name, "Mei Laurent")).await.unwrap().id;
    (console, options, clock, id)
}

fn at(clock: &SteppingClock, time: &str) {
    let time: Timestamp = time.parse().unwrap();
    clock.pass(time.duration_since(connect::Clock::now(clock)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_told_once_by_whoever_comes_first_and_tells_what_is_new_since_the_last() {
    let desk = Desk::new().await;
    let preview = desk.console.digest(None).await.unwrap();
    assert!(!preview.stored && desk.console.digests().await.unwrap().is_empty(), "looking makes none");
    assert!(desk.console.serve_digest().await.unwrap(), "it is past seven");
    assert!(!desk.console.serve_digest().await.unwrap());
    let first = desk.console.digest(None).await.unwrap();
    assert_eq!(Digest { stored: true, ..preview }, first);
    let back = first.made_at.parse::<Timestamp>().unwrap().duration_since(first.since.parse().unwrap());
    assert_eq!((first.day.as_str(), back.as_hours()), ("2026-11-21", 24), "the first looks back a day");
    // All that is open is new; each is counted once, in an entry or as one that none stands for.
    let open = desk.instance().await.open;
    assert_eq!(first.new, open);
    let listed = of(&first, DigestKind::NewFinding);
    assert_eq!(listed.iter().map(|entry| entry.count).sum::<u32>() + first.unlisted, new(&first));
    assert!(listed.len() <= 20 && listed.is_sorted_by(|one, next| one.severity >= next.severity));
    assert!(first.score.is_some() && first.score_before.is_none() && !first.quiet);

    // Fixed since; a day is served once, whoever looks.
    desk.clock.pass(SignedDuration::from_mins(1));
    desk.vendor(passwords(false));
    desk.console.scan(&desk.instance().await.id, silent()).await.unwrap();
    let left = desk.instance().await.open;
    assert!(left.high < open.high || left.critical < open.critical, "{left:?}");
    desk.at("2026-11-22T06:59:59Z");
    assert!(!desk.console.serve_digest().await.unwrap());
    desk.at("2026-11-22T07:00:00Z");
    let other = desk.another().await;
    let (here, there) = tokio::join!(desk.console.serve_digest(), other.serve_digest());
    assert!(here.unwrap() != there.unwrap(), "one of them");
    let second = other.digest(None).await.unwrap();
    assert_eq!((second.since.as_str(), new(&second), second.score_before), (first.made_at.as_str(), 0, first.score));
    assert!(second.fixed >= 1 && second.score > first.score, "{:?}", second.summary);
    assert!(second.summary[0].contains("more than in the last digest"), "{:?}", second.summary);
    // It was due at six, and nobody has scanned it.
    let waiting = of(&second, DigestKind::NotScanned);
    assert!(waiting[0].what.contains("22 November, 06:00"), "{}", waiting[0].what);

    // And open again.
    desk.vendor(passwords(true));
    desk.console.scan_due().await.unwrap();
    desk.at("2026-11-23T12:00:00Z");
    desk.console.scan_due().await.unwrap();
    assert!(desk.console.serve_digest().await.unwrap());
    let third = desk.console.digest(None).await.unwrap();
    let back = of(&third, DigestKind::NewFinding);
    assert_eq!((new(&third), third.fixed, third.unlisted), (second.fixed, 0, 0));
    assert!(back.iter().all(|entry| entry.app_name == "Kustomer" && entry.instance_name == "Halden Moor" && entry.owner == "Mei Laurent"));
    assert!(back.iter().any(|entry| entry.severity >= Some(Severity::Medium)));
    assert!(of(&third, DigestKind::NotScanned).is_empty());

    let days: Vec<String> = desk.console.digests().await.unwrap().into_iter().map(|digest| digest.day).collect();
    assert_eq!(days, ["2026-11-23", "2026-11-22", "2026-11-21"]);
    assert_eq!(desk.console.digest(Some("2026-11-21")).await.unwrap().summary, first.summary, "what was told stays told");
    assert_eq!(desk.console.digest(Some("2026-11-20")).await.unwrap_err().code, "E-NOT-FOUND");
    assert_eq!(desk.console.digest(Some("yesterday")).await.unwrap_err().code, "E-DIGEST-DAY");
    let acts = desk.console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
    let made: Vec<(&str, &str)> =
        acts.iter().filter(|act| act.what == "digest made").map(|act| (act.who.as_str(), act.detail.as_str())).collect();
    assert_eq!(made, [("schedule", "2026-11-23"), ("schedule", "2026-11-22"), ("schedule", "2026-11-21")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_in_trouble_is_told_with_cause_and_remedy_until_it_is_up_again() {
    let desk = Desk::new().await;
    assert!(desk.console.serve_digest().await.unwrap());
    assert!(of(&desk.console.digest(None).await.unwrap(), DigestKind::Health).is_empty(), "a first scan is no turn");
    let id = desk.instance().await.id;
    desk.clock.pass(SignedDuration::from_mins(1));
    desk.vendor(OverlayChange::Revoke { tenant: KUSTOMER.into() });
    for _ in 0..2 {
        desk.console.scan(&id, silent()).await.unwrap_err();
    }
    desk.console.set_schedule(&id, ScheduleChoice::Off).await.unwrap();
    for (day, what, failed) in [("2026-11-22T07:00:00Z", "Down now", 2), ("2026-11-23T07:00:00Z", "Down", 0)] {
        desk.at(day);
        assert!(desk.console.serve_digest().await.unwrap());
        let digest = desk.console.digest(None).await.unwrap();
        let health = of(&digest, DigestKind::Health);
        assert_eq!(health.iter().map(|entry| entry.what.as_str()).collect::<Vec<_>>(), [what]);
        assert!(health[0].detail.contains("refused") && health[0].instance == id, "{:?}", health[0]);
        assert_eq!(of(&digest, DigestKind::FailedScan).iter().map(|entry| entry.count).sum::<u32>(), failed, "{day}");
        assert!(digest.summary.iter().any(|sentence| sentence == "1 instance is not up."), "{:?}", digest.summary);
        // Nothing was re-checked, so nothing is told as fixed, and the score is no better.
        assert!(digest.fixed == 0 && digest.gone == 0 && digest.score <= digest.score_before, "{digest:?}");
    }
    desk.vendor(OverlayChange::Restore { tenant: KUSTOMER.into() });
    desk.console.replace_secret(&desk.draft(), &id, silent()).await.unwrap();
    desk.at("2026-11-24T07:00:00Z");
    assert!(desk.console.serve_digest().await.unwrap());
    let healed = desk.console.digest(None).await.unwrap();
    assert_eq!(of(&healed, DigestKind::Health).iter().map(|entry| entry.what.as_str()).collect::<Vec<_>>(), ["Up again"]);
    assert!(!healed.summary.iter().any(|sentence| sentence.contains("not up")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_tenants_are_never_in_it() {
    let clock = SteppingClock::at(today());
    let mut options = Options::scratch().unwrap();
    options.clock = clock.clone();
    options.zone = TimeZone::UTC;
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    assert!(!console.serve_digest().await.unwrap(), "there is nobody to tell of");
    assert_eq!(console.digest(None).await.unwrap().summary, ["No instance is here yet."]);
    console.add_sandbox(vec![TenantChoice { app: "kustomer".into(), tenant: "risky".into() }], silent()).await.unwrap();
    assert!(console.serve_digest().await.unwrap());
    let alone = console.digest(None).await.unwrap();
    assert_eq!(alone.summary, ["Only simulated tenants are here, and a digest never tells of them."]);
    assert_eq!((alone.entries.len(), new(&alone), alone.score), (0, 0, None));

    console.add_manual_instance(manual("Perplexity", "")).await.unwrap();
    clock.pass(SignedDuration::from_hours(24));
    assert!(console.serve_digest().await.unwrap());
    let beside = console.digest(None).await.unwrap();
    assert_eq!((new(&beside), beside.score, beside.fixed), (0, None, 0));
    assert!(beside.entries.iter().all(|entry| entry.instance_name == "Perplexity"), "{:?}", beside.entries);
    let open = console.instances(SandboxScope::Only).await.unwrap()[0].open;
    assert!(open.critical + open.high + open.medium > 0, "it would have something to tell");
}

#[tokio::test]
async fn it_is_made_at_its_time_of_every_day_and_caught_up_on_for_today_alone() {
    let (console, _options, clock, _) = quiet(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(), "Perplexity").await;
    let mut settings = console.settings().await.unwrap();
    settings.digest_at = Some("02:30".into());
    console.change_settings(settings.clone()).await.unwrap();
    let made = async |time: &str| {
        at(&clock, time);
        console.serve_digest().await.unwrap()
    };
    assert!(made("2027-03-27T12:00:00Z").await, "what was slept through is caught up on");
    // 02:30 is left out on 28 March 2027 and comes twice on 31 October.
    assert!(!made("2027-03-28T00:59:59Z").await);
    assert!(made("2027-03-28T01:00:00Z").await);
    assert!(!made("2027-03-28T21:59:00Z").await && !made("2027-03-29T00:29:59Z").await);
    assert!(made("2027-03-29T00:30:00Z").await);
    assert!(made("2027-10-31T00:30:00Z").await && !made("2027-10-31T01:30:00Z").await && !made("2027-10-31T22:00:00Z").await);
    let digest = console.digest(None).await.unwrap();
    let back = digest.made_at.parse::<Timestamp>().unwrap().duration_since(digest.since.parse().unwrap());
    assert_eq!(back, SignedDuration::from_hours(7 * 24), "it tells of a week, not of half a year");
    assert_eq!(console.digests().await.unwrap().len(), 4, "days that nobody was there for are not made up");

    // A clock that was wrong by years, and is set right.
    assert!(made("2031-01-01T12:00:00Z").await && made("2027-11-01T12:00:00Z").await);
    assert_eq!(console.digest(None).await.unwrap().since, "2027-10-31T00:30:00Z");
    console.change_settings(posture_core::screen::Settings { digest_at: None, ..settings }).await.unwrap();
    assert!(!made("2027-11-02T12:00:00Z").await);
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_with_its_field() {
    let (console, ..) = quiet(TimeZone::UTC, "Perplexity").await;
    let settings = console.settings().await.unwrap();
    assert_eq!(settings.digest_at.as_deref(), Some("07:00"));
    for wrong in ["", "7:00", "07:0", "24:00", "07:60", "07:00:00", "seven", " 07:00"] {
        let refused = console
            .change_settings(posture_core::screen::Settings { digest_at: Some(wrong.into()), ..settings.clone() })
            .await
            .unwrap_err();
        assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-DIGEST-TIME", Some("digest_at")), "{wrong}");
    }
    assert_eq!(console.settings().await.unwrap(), settings);
}

#[tokio::test]
async fn credentials_that_end_are_told_in_time() {
    let (console, options, clock, id) = quiet(TimeZone::UTC, "Perplexity").await;
    let now = connect::Clock::now(clock.as_ref());
    let told = async |hours: i64, by: &str| {
        let connection = database(&options);
        let ends = (now + SignedDuration::from_hours(hours)).as_millisecond();
        connection
            .execute(
                "INSERT INTO credential (instance, used_at, ends_at, ends_by) VALUES ((SELECT no FROM instance WHERE id = ?1), 0, ?2, ?3)
                 ON CONFLICT (instance) DO UPDATE SET ends_at = excluded.ends_at, ends_by = excluded.ends_by",
                rusqlite::params![id, ends, by],
            )
            .unwrap();
        let digest = console.digest(None).await.unwrap();
        of(&digest, DigestKind::CredentialEnds).iter().map(|entry| format!("{} {}", entry.what, entry.detail)).collect::<Vec<_>>()
    };
    assert_eq!(told(31 * 24, "vendor").await, Vec::<String>::new());
    let soon = told(30 * 24, "certificate").await;
    assert!(
        soon[0].starts_with("The credential ends in 30 days (21 December 2026, 09:14)") && soon[0].contains("reauthenticate"),
        "{soon:?}"
    );
    assert!(told(6 * 24 + 23, "vendor").await[0].contains("ends in 6 days"));
    assert!(told(25, "vendor").await[0].contains("ends in 1 day ("));
    assert!(told(23, "vendor").await[0].contains("within a day"));
    let ended = told(-1, "vendor").await;
    assert!(ended[0].starts_with("The credential ended on 21 November 2026, 08:14"), "{ended:?}");
    assert_eq!(told(8 * 24, "unused").await, Vec::<String>::new(), "a scan uses it before then");
    let unused = told(3 * 24, "unused").await;
    assert!(
        unused[0].contains("in 3 days (24 November 2026, 09:14), unless it was used elsewhere It dies unless it is used"),
        "{unused:?}"
    );
    let ended = told(-1, "unused").await;
    assert!(ended[0].starts_with("The credential ended on 21 November 2026, 08:14, unless it was used elsewhere"), "{ended:?}");
}

#[tokio::test]
async fn as_a_page_it_needs_nothing_else_and_no_name_is_markup() {
    let (console, options, _clock, id) = quiet(TimeZone::UTC, "<img src=x onerror=alert(1)>").await;
    let claude = console.add_manual_instance(manual("Claude", "")).await.unwrap().id;
    assert!(console.digest(None).await.unwrap().quiet);
    for instance in [&id, &claude] {
        let draft = OwnCheckDraft {
            id: None,
            title: "Single sign-on is on".into(),
            severity: Severity::Low,
            why: String::new(),
            steps: Vec::new(),
            recommended: String::new(),
        };
        console.save_own_check(instance, draft).await.unwrap();
    }
    let due = console.digest(None).await.unwrap();
    let waiting = of(&due, DigestKind::Attestation);
    assert_eq!(waiting.iter().map(|entry| entry.what.as_str()).collect::<Vec<_>>(), ["1 manual check is due: 1 never attested"; 2]);
    let page = console.digest_page(None).await.unwrap();
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img"));
    assert!(page.contains("<h2><bdi>Mei Laurent</bdi></h2>") && page.contains("Instances without an owner"));
    assert!(page.find("Mei Laurent") < page.find("Instances without an owner"));
    let path = options.data_folder.join("digest.html");
    assert_eq!(console.save_digest(None, &path).await.unwrap(), path.display().to_string());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page);
    assert_eq!(console.save_digest(None, &options.data_folder.join("none/digest.html")).await.unwrap_err().code, "E-EXPORT");
    let acts = console.activity(Slice { offset: 0, limit: 10 }).await.unwrap().rows;
    assert_eq!((acts[0].what.as_str(), acts[0].detail.as_str()), ("digest saved", path.to_str().unwrap()));
    let text = console.digest_text(None).await.unwrap();
    assert!(text.contains("<img src=x onerror=alert(1)>"), "in text nothing is markup");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loop_of_the_window_makes_it_after_the_scans_that_are_due() {
    let desk = Desk::new().await;
    desk.at("2026-11-22T07:00:00Z");
    let keeper = tokio::spawn({
        let console = desk.console.clone();
        async move { console.keep_schedule().await }
    });
    let made = async {
        loop {
            if let Some(made) = desk.console.digests().await.unwrap().pop() {
                return made;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let made = tokio::time::timeout(Duration::from_secs(60), made).await.expect("the loop makes it");
    keeper.abort();
    assert_eq!(made.day, "2026-11-22");
    let digest = desk.console.digest(None).await.unwrap();
    assert!(of(&digest, DigestKind::NotScanned).is_empty(), "it waited for the scan of six o'clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_in_which_nothing_was_read_is_not_quiet() {
    let desk = Desk::new().await;
    let id = desk.instance().await.id;
    desk.console.set_schedule(&id, ScheduleChoice::Off).await.unwrap();
    let unread = async |day: &str| {
        desk.at(day);
        assert!(desk.console.serve_digest().await.unwrap());
        let digest = desk.console.digest(None).await.unwrap();
        let told = of(&digest, DigestKind::NotScanned);
        assert!(told.is_empty() || !digest.quiet, "{:?}", digest.summary);
        told.into_iter().map(|entry| format!("{}. {}", entry.what, entry.detail)).collect::<Vec<_>>()
    };
    assert_eq!(unread("2026-11-21T10:00:00Z").await, Vec::<String>::new(), "it was read today");
    let told = unread("2026-11-22T10:00:00Z").await;
    assert!(told.len() == 1 && told[0].starts_with("Not read since 21 November 2026, 09:14. "), "{told:?}");
    // Nor is it known of one that a scan is only just at.
    desk.vendor(OverlayChange::Latency { tenant: KUSTOMER.into(), answer: None, milliseconds: 600_000 });
    let scanning = tokio::spawn({
        let (console, id) = (desk.console.clone(), id.clone());
        async move { console.scan(&id, silent()).await }
    });
    let begun = async {
        while desk.console.instance(&id).await.unwrap().scans.len() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), begun).await.expect("it begins");
    let told = unread("2026-11-23T10:00:00Z").await;
    assert!(told.len() == 1 && told[0].starts_with("Being scanned. Not read since 21 November 2026, 09:14."), "{told:?}");
    desk.console.cancel(&desk.console.jobs()[0].id);
    scanning.await.unwrap().unwrap_err();
    desk.vendor(OverlayChange::Clear { tenant: None });
    desk.clock.pass(SignedDuration::from_mins(1));
    desk.console.scan(&id, silent()).await.unwrap();
    assert_eq!(unread("2026-11-24T10:00:00Z").await, Vec::<String>::new());
    // Read when the clock was ahead, which is set right.
    desk.at("2026-12-10T10:00:00Z");
    desk.console.scan(&id, silent()).await.unwrap();
    let told = unread("2026-11-25T10:00:00Z").await;
    assert!(told.len() == 1 && told[0].starts_with("Last read at a time that lies ahead"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loop_waits_for_no_scan_past_midnight() {
    let desk = Desk::new().await;
    desk.change(|settings| settings.digest_at = Some("23:40".into())).await;
    desk.at("2026-11-22T23:45:00Z");
    // The scan of six o'clock is due, and does not end.
    desk.vendor(OverlayChange::Latency { tenant: KUSTOMER.into(), answer: None, milliseconds: 600_000 });
    let keeper = tokio::spawn({
        let console = desk.console.clone();
        async move { console.keep_schedule().await }
    });
    let made = async {
        while desk.console.digests().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), made).await.expect("this day has one");
    keeper.abort();
    assert_eq!(desk.console.digests().await.unwrap()[0].day, "2026-11-22");
}
