//! Credentials that end: told 30, 7 and 1 days before, once each, whatever clocks and processes do. Time is the test's own.
use crate::company;
use crate::harbour::{self, HEAD, ON_API, SECRET, answer, dataset, login, me, settings, single_sign_on};
use crate::scene::{Scene, SteppingClock, today};

use catalog::Catalog;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use posture_core::{
    Console, Listener, Options, SecretString,
    screen::{
        AddInstance, CredentialEnd, CredentialNearsEnd, EndsBy, Health, Instance, Protection, SandboxScope, ScheduleChoice, Slice,
        TenantChoice,
    },
};
use sandbox::{Fault, OverlayChange, Sandbox, Tenant};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::Receiver;

/// A console with one instance that nothing scans by itself, connected at 09:14 on 21 November 2026.
struct Desk {
    console: Console,
    options: Options,
    clock: Arc<SteppingClock>,
    vendor: Sandbox,
    tenant: String,
    id: String,
    key: String,
}

impl Desk {
    /// Kustomer with a key that ends so many days after it was connected.
    async fn kustomer(days: u32) -> Self {
        let key = format!("{{{{jwt:orgName=halden-moor,userType=machine,roles=org.permission,days_ahead={days}}}}}");
        Self::of("kustomer", "risky", ("api_key", Some(key)), company::request).await
    }

    /// GitLab, which tells the end in an answer of its own.
    async fn gitlab() -> Self {
        let request = |vendor: &Sandbox| AddInstance {
            app: "gitlab".into(),
            login: "self-managed".into(),
            inputs: vec![company::input("host", "git.brackenfell.example")],
            ..company::request(vendor)
        };
        Self::of("gitlab", "clean", ("token", None), request).await
    }

    async fn of(app: &str, tenant: &str, secret: (&str, Option<String>), request: impl FnOnce(&Sandbox) -> AddInstance) -> Self {
        let catalog = Catalog::built_in().unwrap();
        let loaded = catalog.app(app).unwrap().unwrap();
        let mut files = catalog.sandbox_tenants(app).unwrap().into_iter().find(|known| known.id == tenant).unwrap();
        let (field, value) = secret;
        if let Some(value) = value {
            files.fields.insert(field.to_owned(), value);
        }
        let prepared = Tenant::new(&files, &loaded, today()).unwrap();
        let (key, tenant) = (prepared.fields()[field].clone(), prepared.name().to_owned());
        // The vendor's time stands still, so that it takes the key whatever the console's clock shows.
        let vendor = company::serving(prepared, Arc::new(today)).await;
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        options.zone = TimeZone::UTC;
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let request = request(&vendor);
        let draft = console.open_draft(&request.app, &request.login).unwrap();
        console.check_field(&draft, field, SecretString::from(key.clone())).unwrap();
        let id = console.connect(&draft, request, silent()).await.unwrap();
        console.set_schedule(&id, ScheduleChoice::Off).await.unwrap();
        Self { console, options, clock, vendor, tenant, id, key }
    }

    async fn another(&self) -> Console {
        let other = Console::new(self.options.clone()).unwrap();
        other.start().await.unwrap();
        other
    }

    /// So many days and hours after it was connected.
    fn at(&self, days: i64, hours: i64) {
        let time = today() + SignedDuration::from_hours(days * 24 + hours);
        self.clock.pass(time.duration_since(connect::Clock::now(self.clock.as_ref())));
    }

    async fn instance(&self) -> Instance {
        self.console.instances(SandboxScope::With).await.unwrap().remove(0)
    }

    async fn end(&self) -> Option<CredentialEnd> {
        self.instance().await.credential
    }

    /// What is told when the loop looks now.
    async fn told(&self, heard: &mut Receiver<CredentialNearsEnd>) -> Vec<u32> {
        self.console.scan_due().await.unwrap();
        days(heard)
    }

    async fn acts(&self) -> usize {
        let acts = self.console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
        acts.iter().filter(|act| act.what == "credential nears its end" && act.who == "schedule").count()
    }
}

fn days(heard: &mut Receiver<CredentialNearsEnd>) -> Vec<u32> {
    std::iter::from_fn(|| heard.try_recv().ok()).map(|ending| ending.end.days_left).collect()
}

fn silent() -> Listener {
    Arc::new(|_event| {})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_is_told_thirty_seven_and_one_day_before_by_one_process() {
    let desk = Desk::kustomer(40).await;
    let ends: Timestamp = today() + SignedDuration::from_hours(40 * 24);
    let end = |days_left, soon| Some(CredentialEnd { at: ends.to_string(), by: EndsBy::Vendor, days_left, soon });
    assert_eq!(desk.end().await, end(40, false));
    let other = desk.another().await;
    let (mut here, mut there) = (desk.console.watch_credentials(), other.watch_credentials());
    let mut told = Vec::new();
    for day in 0..40 {
        for hours in [0, 11, 23] {
            desk.at(day, hours);
            let (one, two) = tokio::join!(desk.console.scan_due(), other.scan_due());
            assert_eq!((one.unwrap().complete, two.unwrap().complete), (0, 0), "nothing is scanned");
            told.extend(days(&mut here).into_iter().chain(days(&mut there)));
        }
    }
    assert_eq!(told, [30, 7, 1], "each once, by whichever came first");
    assert_eq!(desk.acts().await, 3);
    assert_eq!(desk.end().await, end(1, true));

    // The day has come; whether it works still is what the next scan finds.
    desk.at(40, 0);
    assert_eq!(desk.told(&mut here).await, [0; 0]);
    assert_eq!(desk.end().await, end(0, true));
    desk.console.scan(&desk.id, silent()).await.unwrap();
    assert_eq!(desk.end().await, None, "what signs in has not ended");
}

/// What the open window does, though nothing is ever due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_keeps_the_schedule_tells_it() {
    let desk = Desk::kustomer(40).await;
    let mut heard = desk.console.watch_credentials();
    desk.at(33, 0);
    let looking = async {
        tokio::select! {
            () = desk.console.keep_schedule() => None,
            ending = heard.recv() => ending.ok(),
        }
    };
    let ending = tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap();
    assert_eq!(ending.map(|ending| ending.end.days_left), Some(7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_seen_late_is_told_once() {
    let desk = Desk::kustomer(40).await;
    let mut heard = desk.console.watch_credentials();
    desk.at(35, 1);
    desk.console.scan_due().await.unwrap();
    let ending = heard.try_recv().unwrap();
    assert_eq!((ending.instance.as_str(), ending.name.as_str(), ending.app_name.as_str()), (desk.id.as_str(), "Halden Moor", "Kustomer"));
    assert_eq!((ending.end.days_left, ending.end.by, ending.end.soon), (5, EndsBy::Vendor, true));
    assert_eq!(days(&mut heard), [0; 0], "not the thirty days that have passed too");
    assert_eq!(desk.told(&mut heard).await, [0; 0]);
    desk.at(39, 0);
    assert_eq!(desk.told(&mut heard).await, [1]);
    assert_eq!(desk.acts().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_keeps_nothing_from_being_told() {
    let desk = Desk::kustomer(40).await;
    let mut heard = desk.console.watch_credentials();
    desk.at(38, 0);
    assert_eq!(desk.told(&mut heard).await, [2], "the clock is ahead");
    for day in [-3, 0, 5, 9] {
        desk.at(day, 0);
        assert_eq!(desk.told(&mut heard).await, [0; 0], "{day}");
    }
    desk.at(10, 0);
    assert_eq!(desk.told(&mut heard).await, [30]);
    // Back by an hour, over the border.
    desk.at(9, 23);
    assert_eq!(desk.told(&mut heard).await, [0; 0]);
    desk.at(10, 1);
    assert_eq!(desk.told(&mut heard).await, [0; 0], "it was told an hour ago");
    // By years, where it has ended already.
    desk.at(4_000, 0);
    assert_eq!(desk.told(&mut heard).await, [0; 0]);
    desk.at(33, 0);
    assert_eq!(desk.told(&mut heard).await, [7]);
    desk.at(39, 5);
    assert_eq!(desk.told(&mut heard).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_with_the_same_key_tells_nothing_again_and_another_key_begins_anew() {
    let desk = Desk::kustomer(40).await;
    let mut heard = desk.console.watch_credentials();
    desk.at(10, 0);
    assert_eq!(desk.told(&mut heard).await, [30]);
    desk.console.scan(&desk.id, silent()).await.unwrap();
    desk.console.test_instance(&desk.id, silent()).await.unwrap();
    assert_eq!(desk.told(&mut heard).await, [0; 0]);

    let draft = desk.console.open_draft("kustomer", "api-key").unwrap();
    desk.console.check_field(&draft, "api_key", SecretString::from(desk.key.clone())).unwrap();
    desk.console.replace_secret(&draft, &desk.id, silent()).await.unwrap();
    assert_eq!(desk.told(&mut heard).await, [30], "somebody else may have replaced it");
    desk.console.delete_instance(&desk.id, "Halden Moor").await.unwrap();
    desk.at(33, 0);
    assert_eq!(desk.told(&mut heard).await, [0; 0], "there is nothing left to end");
}

/// Over real HTTPS: the end stands in an answer that a scan reads, and in nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_an_answer_tells_is_kept_until_an_answer_tells_another() {
    let desk = Desk::gitlab().await;
    let day = |days: i64| (today() + SignedDuration::from_hours(days * 24)).to_string()[..10].to_owned();
    let at = |days: i64| Some(format!("{}T00:00:00Z", day(days)));
    let ends = async || desk.end().await.map(|end| end.at);
    assert_eq!(ends().await, at(200));
    let answer = || Some("own-token".to_owned());
    let set = |value: serde_json::Value| {
        let change = OverlayChange::Set { tenant: desk.tenant.clone(), answer: "own-token".into(), field: "expires_at".into(), value };
        desk.vendor.overlay().apply(change).unwrap();
    };
    let scan = async || desk.console.scan(&desk.id, silent()).await.unwrap();

    set(day(20).into());
    desk.console.test_instance(&desk.id, silent()).await.unwrap();
    assert_eq!(ends().await, at(200), "signing in alone does not tell it");
    scan().await;
    assert_eq!(ends().await, at(20));
    let mut heard = desk.console.watch_credentials();
    assert_eq!(desk.told(&mut heard).await, [20]);

    // What cannot be read, or understood, tells nothing.
    let fault = |status| {
        let fault = Fault::Status { status, retry_after: None };
        let change = OverlayChange::Fault { tenant: desk.tenant.clone(), answer: answer(), fault, times: None, from_page: None };
        desk.vendor.overlay().apply(change).unwrap();
    };
    for status in [403, 404, 500] {
        fault(status);
        scan().await;
        assert_eq!((ends().await, desk.instance().await.health), (at(20), Health::Up), "{status}: who does not tell is not unhealthy");
    }
    desk.vendor.overlay().apply(OverlayChange::Mend { tenant: desk.tenant.clone(), answer: None }).unwrap();
    for unclear in ["next week".into(), serde_json::json!(20_261_231), serde_json::json!([])] {
        set(unclear);
        scan().await;
        assert_eq!(ends().await, at(20));
    }
    assert_eq!(desk.told(&mut heard).await, [0; 0], "it is the end that was told");
    set(day(-1).into());
    scan().await;
    assert_eq!(ends().await, None, "it signs in, so it has not ended");
    set(serde_json::Value::Null);
    scan().await;
    assert_eq!(ends().await, None, "it does not end");
}

/// Where nobody tells when a key ends, nothing is wrong, unless something else rests on that answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_tells_more_than_an_end_makes_unhealthy_where_it_is_not_read() {
    const ENDS: &str = "expires = { dataset = \"key\", field = \"ends\", source = \"https://docs.harbour.example/key\" }";
    const KEY: &str = "strategy = { name = \"bearer\", token = \"key\" }";
    let view = "[[view]]\nid = \"keys\"\ntitle = \"Keys\"\nfrom = \"key\"\n";
    let identity = "identity = { dataset = \"key\", field = \"name\" }";
    for (identity, view, health) in [("", "", Health::Up), (identity, "", Health::Unhealthy), ("", view, Health::Unhealthy)] {
        let folder = tempfile::tempdir().unwrap();
        let own_key = dataset("key", "api", "/v1/key", "[dataset.keep]\n\"ends\" = \"timestamp(date)\"\n\"name\" = \"string\"\n");
        let app = format!("{HEAD}{}", login("key", &[ON_API, KEY, ENDS, identity], &[("key", SECRET)]));
        let key = answer("/v1/key", "body = { ends = \"2027-03-01\", name = \"scanner\" }");
        let answers = [answer("/v1/me", "body = { id = 7 }"), answer("/v1/settings", "body = { sso = true }"), key].concat();
        let tenants = [("key", format!("key = \"opens-nothing\"\n{answers}"))];
        let catalog =
            harbour::catalog(folder.path(), &app, &[me(), settings(), own_key, view.to_owned()].concat(), &single_sign_on(), &tenants);
        let files = catalog.sandbox_tenants("harbour").unwrap().remove(0);
        let prepared = Tenant::new(&files, &catalog.app("harbour").unwrap().unwrap(), today()).unwrap();
        let tenant = prepared.name().to_owned();
        let vendor = company::serving(prepared, Arc::new(today)).await;
        let mut options = Options::scratch().unwrap();
        options.clock = SteppingClock::at(today());
        options.catalog_folder = Some(folder.path().to_owned());
        let console = Console::new(options).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let draft = console.open_draft("harbour", "key").unwrap();
        console.check_field(&draft, "key", SecretString::from("opens-nothing")).unwrap();
        let request = AddInstance { app: "harbour".into(), login: "key".into(), inputs: Vec::new(), ..company::request(&vendor) };
        let id = console.connect(&draft, request, silent()).await.unwrap();
        let instance = async || console.instance(&id).await.unwrap().instance;
        assert_eq!((instance().await.health, instance().await.credential.is_some()), (Health::Up, true));

        let fault = Fault::Status { status: 403, retry_after: None };
        let change = OverlayChange::Fault { tenant, answer: Some("key".into()), fault, times: None, from_page: None };
        vendor.overlay().apply(change).unwrap();
        console.scan(&id, silent()).await.unwrap();
        assert_eq!(instance().await.health, health, "{identity}{view}");
    }
}

/// Nobody has to act on what opens a simulated tenant, and nothing there ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_tenants_are_neither_told_of_nor_signed_in_to() {
    let clock = SteppingClock::at(today());
    let mut options = Options::scratch().unwrap();
    options.clock = clock.clone();
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let tenant = |tenant: &str| TenantChoice { app: "github-enterprise".into(), tenant: tenant.into() };
    console.add_sandbox(vec![tenant("clean"), tenant("device")], silent()).await.unwrap();
    let instances = console.instances(SandboxScope::With).await.unwrap();
    let mut ends: Vec<_> = instances.into_iter().map(|instance| instance.credential.map(|end| (end.days_left, end.by))).collect();
    ends.sort_by_key(|end| end.map(|(days, _)| days));
    assert_eq!(ends, [Some((200, EndsBy::Vendor)), Some((365, EndsBy::Unused))]);
    let mut heard = console.watch_credentials();
    for (passed, what) in [(193, "a week before the one ends"), (57, "days after the other would be used"), (110, "a week before it ends")]
    {
        clock.pass(SignedDuration::from_hours(passed * 24));
        console.scan_due().await.unwrap();
        assert_eq!(days(&mut heard), [0; 0], "{what}");
    }
    let acts = console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
    assert!(acts.iter().all(|act| act.who != "schedule"), "{acts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_a_header_tells_is_that_of_the_options_that_have_it() {
    let catalog = Catalog::built_in().unwrap();
    let told = Some((today() + SignedDuration::from_hours(200 * 24), connect::ExpiresBy::Vendor));
    let told = told.map(|(at, by)| (at.round(jiff::Unit::Second).unwrap(), by));
    for (tenant, ends) in [("clean", told), ("fine-grained", told), ("device", None)] {
        let scene = Scene::of_tenant(&catalog, "github-enterprise", tenant).await;
        assert_eq!(scene.session.ends(), ends, "{tenant}");
    }
}
