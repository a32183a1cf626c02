//! Collection over real HTTPS: pages, parents, refusals, throttling, cuts and resumption.
use crate::entry::{self, scan};
use crate::vendor;

use catalog::{
    App, CauseKind, Compare, Completeness, Condition, Dataset, DatasetKind, Each, EachOver, FieldPath, Instead, Keep, Meaning, Method,
    PageLink, Pagination, Politeness, Probe, RowKey, Type,
};
use posture_connect::{Limits, Outcome, Progress, RequestClass, Resume, Session, collect, probe, shapes};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use vendor::{
    Body, Kept, Reply, Seen, TestClock, Vendor, app, dataset, json_api, keep, keys_of_both, me_and, ok, over, says, small, status,
    try_sign_in,
};

async fn signed_in(vendor: &Vendor, app: &App, limits: Limits, clock: &Arc<TestClock>, pairs: &[(&str, &str)]) -> Session {
    try_sign_in(app, &vendor.route(), limits, clock.clone(), pairs).await.unwrap()
}

async fn read(vendor: &Vendor, app: &App, datasets: &[&str], pairs: &[(&str, &str)]) -> Kept {
    let session = signed_in(vendor, app, small(), &TestClock::new(), pairs).await;
    entry::read(&session, app, datasets).await
}

fn users() -> Dataset {
    Dataset { pagination: json_api(), ..dataset("users", DatasetKind::List, "/v1/users") }
}

fn list(ids: impl IntoIterator<Item = u32>) -> Vec<Value> {
    ids.into_iter().map(|id| json!({"id": id, "name": format!("n{id}"), "secret": "SECRET"})).collect()
}

/// Page `page` of five users, two on each.
fn five_users(seen: &Seen) -> Reply {
    let page: u32 =
        url::form_urlencoded::parse(seen.query.as_bytes()).find(|(name, _)| name == "page").map_or(1, |(_, page)| page.parse().unwrap());
    let next = if page < 3 { json!(format!("/v1/users?page={}&pageSize=2", page + 1)) } else { Value::Null };
    ok(json!({"data": list((2 * page - 1)..(2 * page + 1).min(6)), "links": {"next": next}}))
}

fn kind(kept: &Kept, dataset: &str) -> Option<CauseKind> {
    kept.finished[dataset].cause().map(|cause| cause.kind)
}

fn is_partial(kept: &Kept, dataset: &str) -> bool {
    matches!(kept.finished[dataset], Completeness::Partial(_))
}

fn is_unavailable(kept: &Kept, dataset: &str) -> bool {
    matches!(kept.finished[dataset], Completeness::Unavailable(_))
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let vendor = Vendor::start(me_and(five_users)).await;
    let kept = read(&vendor, &app(vec![users()]), &["users"], &[]).await;
    assert_eq!(kept.keys("users"), ["1", "2", "3", "4", "5"]);
    assert_eq!(kept.finished["users"], Completeness::Complete);
    assert_eq!(kept.pages.iter().map(|page| page.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(kept.pages[0].next.as_deref(), Some("page=2&pageSize=2"));
    assert_eq!(kept.pages[2].next, None);
    let lines: Vec<_> =
        kept.requests.iter().map(|line| (line.class, line.method.as_str(), line.path_template.as_str(), line.status)).collect();
    assert_eq!(
        lines,
        [
            (RequestClass::Dataset, "GET", "/v1/users", Some(200)),
            (RequestClass::Continuation, "GET", "/v1/users", Some(200)),
            (RequestClass::Continuation, "GET", "/v1/users", Some(200)),
        ]
    );
    assert!(kept.requests.iter().all(|line| line.outcome == Outcome::Answered && line.bytes > 0));
    let everything = format!("{:?}{:?}", kept.pages, kept.requests);
    assert!(!everything.contains("SECRET") && !everything.contains("Bearer"), "nothing undeclared and no credential is handed over");
    assert!(kept.progress.contains(&Progress::Read { dataset: "users".into(), rows: 5, pages: 3, parents: None }));
}

#[tokio::test]
async fn link_headers_are_followed_by_their_query_alone() {
    let mut repos = dataset("repos", DatasetKind::List, "/orgs/{organization}/repos");
    repos.rows = "[]".into();
    repos.query = vec![("type".into(), "all".into())];
    repos.pagination = Pagination::LinkHeader { size: Some(("per_page".into(), 100)), link: PageLink::default() };
    let vendor = Vendor::start(me_and(|seen| match seen.query.as_str() {
        "type=all&per_page=100" => ok(json!(list([1]))).header(
            "link",
            "<https://api.vendor.example/organizations/9/repos?per_page=100&page=2>; rel=\"next\", <https://api.vendor.example/organizations/9/repos?page=2>; rel=\"last\"",
        ),
        "per_page=100&page=2&type=all" => ok(json!(list([2]))).header("link", "<https://api.vendor.example/x?page=1>; rel=\"prev\""),
        other => status(500, json!(other)),
    }))
    .await;
    let kept = read(&vendor, &app(vec![repos]), &["repos"], &[("organization", "halden")]).await;
    assert_eq!(kept.finished["repos"], Completeness::Complete, "{:?}", vendor.seen());
    assert_eq!(kept.keys("repos"), ["1", "2"]);
    assert!(vendor.seen().iter().skip(1).all(|seen| seen.path == "/orgs/halden/repos"), "the list's own path, with the filter put back");
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_is_not_followed() {
    for link in [
        "https://evil.example/v1/users?page=2",
        "http://api.vendor.example/v1/users?page=2",
        "https://api.vendor.example:8443/v1/users?page=2",
        "https://ada:pw@api.vendor.example/v1/users?page=2",
        "//evil.example/v1/users?page=2",
        "/v1/tokens?page=2",
        "/v1/customer/settings?page=2",
        "/v1/users/../tokens?page=2",
        "/v1/users",
        "/v1/users?_method=DELETE&page=2",
    ] {
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": list([1, 2]), "links": {"next": link}})))).await;
        let kept = read(&vendor, &app(vec![users()]), &["users"], &[]).await;
        assert!(is_partial(&kept, "users"), "{link}: {:?}", kept.finished);
        assert_eq!(kind(&kept, "users"), Some(CauseKind::NotUnderstood), "{link}");
        assert_eq!(kept.keys("users"), ["1", "2"], "what was read stays");
        assert_eq!(vendor.seen().len(), 2, "{link}: nothing else was asked");
        assert_eq!(vendor.connections().iter().filter(|host| *host != vendor::HOST).count(), 0);
    }
}

#[tokio::test]
async fn a_request_that_the_guard_refuses_opens_no_connection() {
    let settings = dataset("settings", DatasetKind::Object, "/v1/customer/settings");
    let up = dataset("up", DatasetKind::Object, "/v1/../admin");
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": {}})))).await;
    let app = app(vec![settings, up]);
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    let (seen, connections) = (vendor.seen().len(), vendor.connections().len());
    let mut kept = entry::read(&session, &app, &["settings", "up"]).await;
    assert_eq!((vendor.seen().len(), vendor.connections().len()), (seen, connections));
    assert_eq!(kept.requests, []);
    for dataset in ["settings", "up"] {
        assert!(is_unavailable(&kept, dataset));
        assert!(kept.finished[dataset].cause().unwrap().sentence.contains("refused before it was sent"));
    }
    let error = collect(&session, &app, &["undeclared"], Resume::default(), &mut kept, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code(), "E-REQUEST-REFUSED");
}

#[tokio::test]
async fn pages_without_an_end_are_stopped() {
    let circle = Vendor::start(me_and(|_| ok(json!({"data": list([1, 2]), "links": {"next": "/v1/users?page=2"}})))).await;
    let kept = read(&circle, &app(vec![users()]), &["users"], &[]).await;
    assert!(is_partial(&kept, "users"));
    assert!(circle.seen().len() <= 4, "a link that was followed before ends the list: {}", circle.seen().len());
    let count = Arc::new(AtomicU32::new(0));
    let line = Vendor::start(me_and(move |_| {
        let page = count.fetch_add(1, Ordering::SeqCst);
        ok(json!({"data": list([2 * page, 2 * page + 1]), "links": {"next": format!("/v1/users?page={page}")}}))
    }))
    .await;
    let kept = read(&line, &app(vec![users()]), &["users"], &[]).await;
    let cause = kept.finished["users"].cause().unwrap();
    assert_eq!(
        cause.sentence,
        "The users could be read in part only. api.vendor.example sends page after page without an end; reading stopped after 6 pages."
    );
    assert_eq!(kept.rows("users").len(), 12);
}

#[tokio::test]
async fn pages_that_change_or_come_twice_are_not_a_whole_list() {
    let changed = Vendor::start(me_and(|seen| {
        if seen.query.contains("page=2") {
            ok(json!({"data": [{"id": 2, "name": "renamed"}, {"id": 3, "name": "n3"}], "links": {"next": null}}))
        } else {
            ok(json!({"data": list([1, 2]), "links": {"next": "/v1/users?page=2"}}))
        }
    }))
    .await;
    let kept = read(&changed, &app(vec![users()]), &["users"], &[]).await;
    assert!(is_partial(&kept, "users"));
    assert_eq!(kept.keys("users"), ["1", "2", "2", "3"]);
    let names: Vec<_> = kept.rows("users").iter().map(|row| row.fields["name"].clone()).collect();
    assert_eq!(names, ["n1", "n2", "renamed", "n3"], "which of the two is right is not known, so both are handed on");

    let twice = Vendor::start(me_and(|seen| {
        let next = if seen.query.contains("page=2") { Value::Null } else { json!("/v1/users?page=2") };
        ok(json!({"data": list([1, 2]), "links": {"next": next}}))
    }))
    .await;
    let kept = read(&twice, &app(vec![users()]), &["users"], &[]).await;
    assert!(is_partial(&kept, "users"), "what should be in place of the repeated page was not read");

    let shifted = Vendor::start(me_and(|seen| {
        if seen.query.contains("page=2") {
            ok(json!({"data": list([2, 3]), "links": {"next": null}}))
        } else {
            ok(json!({"data": list([1, 2]), "links": {"next": "/v1/users?page=2"}}))
        }
    }))
    .await;
    let kept = read(&shifted, &app(vec![users()]), &["users"], &[]).await;
    assert_eq!(kept.finished["users"], Completeness::Complete, "an entry that moved to the next page is the same entry");
    assert_eq!(kept.keys("users"), ["1", "2", "3"]);
}

#[tokio::test]
async fn all_pages_together_are_bounded_too() {
    let vendor = Vendor::start(me_and(five_users)).await;
    let app = app(vec![users()]);
    let session = signed_in(&vendor, &app, Limits { dataset_bytes: 100, ..small() }, &TestClock::new(), &[]).await;
    let kept = scan(&session, &app).await;
    assert!(is_partial(&kept, "users"));
    assert_eq!(kept.pages.len(), 1);
}

/// Every refusal, on the first page (nothing is known) and on the second (some rows are).
#[tokio::test]
async fn refusals_leave_a_dataset_unavailable_or_partial_never_complete() {
    let text = |body: &str| ok(json!(null)).body(Body::Whole(body.as_bytes().to_vec()));
    let table: Vec<(Reply, CauseKind)> = vec![
        (status(401, json!({})), CauseKind::CredentialRefused),
        (status(402, json!({})), CauseKind::PlanLacks),
        (status(403, json!({})), CauseKind::ScopeMissing),
        (status(404, json!({})), CauseKind::VendorError),
        (status(429, json!({})), CauseKind::RateLimited),
        (status(500, json!({})), CauseKind::VendorError),
        (status(302, json!({})).header("location", "/v1/login"), CauseKind::VendorError),
        (text("<html>").kind("text/html"), CauseKind::NotUnderstood),
        (text("{\"data\": [{\"id\""), CauseKind::NotUnderstood),
        (text(&"[".repeat(100_000)), CauseKind::NotUnderstood),
        (ok(json!(null)).body(Body::Endless(vec![b' '; 65536])), CauseKind::NotUnderstood),
        (ok(json!(null)).body(Body::Cut(vec![b'{'])), CauseKind::Connectivity),
        (ok(json!({"data": null})), CauseKind::NotUnderstood),
        (ok(json!({"items": []})), CauseKind::NotUnderstood),
    ];
    for (reply, expected) in table {
        for at in ["first", "second"] {
            let answer = reply.clone();
            let vendor =
                Vendor::start(me_and(
                    move |seen| if at == "first" || seen.query.contains("page=2") { answer.clone() } else { five_users(seen) },
                ))
                .await;
            let kept = read(&vendor, &app(vec![users()]), &["users", "me"], &[]).await;
            let what = format!("{} {} {:?}", reply.status, at, kept.finished["users"]);
            assert_eq!(kind(&kept, "users"), Some(expected), "{what}");
            assert_eq!(is_unavailable(&kept, "users"), at == "first", "{what}");
            assert_eq!(kept.rows("users").len(), if at == "first" { 0 } else { 2 }, "{what}");
            assert_eq!(kept.finished["me"], Completeness::Complete, "one dataset's trouble is not another's");
            let cause = kept.finished["users"].cause().unwrap();
            assert!(cause.sentence.starts_with("The users could") && cause.sentence.ends_with('.'), "{}", cause.sentence);
        }
    }
}

#[tokio::test]
async fn causes_name_what_is_missing() {
    let vendor = Vendor::start(me_and(|_| status(403, json!({})))).await;
    let mut teams = dataset("teams", DatasetKind::List, "/v1/teams");
    teams.needs.fields = vec!["organization".into()];
    let kept = read(&vendor, &app(vec![users(), teams]), &["users", "teams"], &[]).await;
    let cause = kept.finished["users"].cause().unwrap();
    assert_eq!(cause.sentence, "The users could not be read. The key lacks users.read (403).");
    assert_eq!(cause.remedy, "Create a new key that also has users.read, and replace the stored one.");
    let cause = kept.finished["teams"].cause().unwrap();
    assert_eq!(
        (cause.kind, cause.sentence.as_str()),
        (CauseKind::InputMissing, "The teams could not be read. The field ORGANIZATION is not filled.")
    );
    assert_eq!(vendor.seen().len(), 2, "what lacks its field is not asked for");
}

#[tokio::test]
async fn a_vendors_own_no_is_understood() {
    let mut protection = dataset("protection", DatasetKind::Object, "/v1/protection");
    let mut unprotected = says(404, Meaning::Row(BTreeMap::from([("protected".into(), json!(false))])));
    unprotected.body = Some((FieldPath::from("message"), "Branch not protected".into()));
    protection.says = vec![unprotected];
    protection.constant = BTreeMap::from([("protected".into(), json!(true))]);
    let mut app = app(vec![protection, dataset("plan", DatasetKind::Object, "/v1/plan"), dataset("soft", DatasetKind::Object, "/v1/soft")]);
    let mut plan = says(403, Meaning::PlanLacks);
    plan.body_contains = Some((FieldPath::from("errors[].message"), "UPGRADE".into()));
    plan.sentence = "It comes with Vendor Plus.".into();
    let mut soft = says(200, Meaning::ScopeMissing);
    soft.body = Some((FieldPath::from("error"), "missing_scope".into()));
    app.says = vec![plan, soft];
    let message = Arc::new(Mutex::new("Branch not protected"));
    let says = message.clone();
    let vendor = Vendor::start(me_and(move |seen| match seen.path.as_str() {
        "/v1/protection" => match *says.lock().unwrap() {
            "" => ok(json!({"data": {"id": 1, "name": "p"}})),
            message => status(404, json!({"message": message})),
        },
        "/v1/plan" => status(403, json!({"errors": [{"message": "Please upgrade your plan"}]})),
        _ => ok(json!({"ok": false, "error": "missing_scope"})),
    }))
    .await;
    let kept = read(&vendor, &app, &["protection", "plan", "soft"], &[]).await;
    assert_eq!(kept.finished["protection"], Completeness::Complete);
    assert_eq!(kept.rows("protection")[0].fields, json!({"protected": false}));
    assert_eq!(kind(&kept, "plan"), Some(CauseKind::PlanLacks));
    assert_eq!(kept.finished["plan"].cause().unwrap().sentence, "The plan could not be read. It comes with Vendor Plus.");
    assert_eq!(kind(&kept, "soft"), Some(CauseKind::ScopeMissing));
    *message.lock().unwrap() = "Not Found";
    let kept = read(&vendor, &app, &["protection"], &[]).await;
    assert_eq!(kind(&kept, "protection"), Some(CauseKind::VendorError), "any other 404 is no fact");
    *message.lock().unwrap() = "";
    let kept = read(&vendor, &app, &["protection"], &[]).await;
    assert_eq!(kept.rows("protection")[0].fields, json!({"id": "1", "name": "p", "protected": true}));
}

#[tokio::test]
async fn throttling_is_waited_for_as_asked() {
    let in_20_seconds = "Sat, 21 Nov 2026 09:00:20 GMT".to_owned();
    let epoch = "2026-11-21T09:00:30Z".parse::<jiff::Timestamp>().unwrap().as_second().to_string();
    for (header, value, expected) in [
        ("retry-after", "7".to_owned(), 7),
        ("retry-after", in_20_seconds, 20),
        ("x-ratelimit-reset", epoch, 30),
        ("x-none", "1".into(), 15),
    ] {
        let first = AtomicU32::new(0);
        let vendor = Vendor::start(me_and(move |seen| {
            if seen.path == "/v1/users" && first.fetch_add(1, Ordering::SeqCst) == 0 {
                status(429, json!({})).header(header, value.clone())
            } else {
                five_users(seen)
            }
        }))
        .await;
        let (clock, app) = (TestClock::new(), app(vec![users()]));
        let session = signed_in(&vendor, &app, small(), &clock, &[]).await;
        let kept = scan(&session, &app).await;
        assert_eq!(kept.finished["users"], Completeness::Complete);
        assert_eq!(clock.slept(), [Duration::from_secs(expected)], "{header}");
        assert!(kept.progress.iter().any(|progress| matches!(progress, Progress::Waiting { host, .. } if host == vendor::HOST)));
        assert_eq!(kept.requests[0].outcome, Outcome::Failed("E-RATE-LIMITED".into()));
    }
}

#[tokio::test]
async fn a_vendor_that_keeps_asking_to_wait_is_left_alone_in_the_end() {
    let vendor = Vendor::start(me_and(|_| status(429, json!({})))).await;
    let (clock, app) = (TestClock::new(), app(vec![users(), dataset("teams", DatasetKind::List, "/v1/teams")]));
    let session = signed_in(&vendor, &app, small(), &clock, &[]).await;
    let kept = entry::read(&session, &app, &["users", "teams"]).await;
    for dataset in ["users", "teams"] {
        assert_eq!(kind(&kept, dataset), Some(CauseKind::RateLimited));
    }
    let slept: Duration = clock.slept().iter().sum();
    assert!(slept <= Duration::from_secs(2 * 300), "{slept:?}");
    assert!(vendor.seen().len() < 15);
}

#[tokio::test]
async fn the_budget_of_others_is_left_free() {
    let vendor = Vendor::start(me_and(|seen| {
        let reset = "2026-11-21T09:00:40Z".parse::<jiff::Timestamp>().unwrap().as_second().to_string();
        let left = if seen.query.contains("page=2") { "50" } else { "5" };
        five_users(seen).header("x-ratelimit-limit", "100").header("x-ratelimit-remaining", left).header("x-ratelimit-reset", reset)
    }))
    .await;
    let (clock, app) = (TestClock::new(), app(vec![users()]));
    let session = signed_in(&vendor, &app, small(), &clock, &[]).await;
    let kept = scan(&session, &app).await;
    assert_eq!(kept.finished["users"], Completeness::Complete);
    assert_eq!(clock.slept(), [Duration::from_secs(40)], "one wait, until the budget is whole again");
}

#[tokio::test]
async fn so_many_requests_per_second_and_at_once() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (under_way, highest) = (now.clone(), most.clone());
    let vendor = Vendor::start(me_and(move |seen| {
        if seen.path == "/v1/teams" {
            return ok(json!({"data": list(1..40)}));
        }
        let at_once = under_way.fetch_add(1, Ordering::SeqCst) + 1;
        highest.fetch_max(at_once, Ordering::SeqCst);
        let under_way = under_way.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            under_way.fetch_sub(1, Ordering::SeqCst);
        });
        ok(json!({"data": list([1])})).after(Duration::from_millis(80))
    }))
    .await;
    let polite = Politeness { concurrency: 3, per_second: 10, ..Politeness::default() };
    let teams = Dataset { politeness: polite.clone(), ..dataset("teams", DatasetKind::List, "/v1/teams") };
    let members =
        Dataset { each: over("teams"), politeness: polite, ..dataset("members", DatasetKind::List, "/v1/teams/{each.id}/members") };
    let (clock, mut app) = (TestClock::new(), app(vec![teams, members]));
    app.datasets[0].politeness = Politeness { concurrency: 5, ..Politeness::default() };
    let session = signed_in(&vendor, &app, small(), &clock, &[]).await;
    let kept = entry::read(&session, &app, &["members"]).await;
    assert_eq!(kept.finished["members"], Completeness::Complete);
    assert_eq!(kept.rows("members").len(), 39);
    assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{}", most.load(Ordering::SeqCst));
    let slept: Duration = clock.slept().iter().sum();
    assert!(slept >= Duration::from_secs(3), "40 requests at 10 a second: {slept:?}");
}

#[tokio::test]
async fn faults_that_pass_are_tried_again() {
    let count = Arc::new(AtomicU32::new(0));
    let tries = count.clone();
    let vendor = Vendor::start(me_and(move |seen| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => status(503, json!({})),
        1 => ok(json!(null)).body(Body::Cut(vec![b'{'])),
        _ => five_users(seen),
    }))
    .await;
    let kept = read(&vendor, &app(vec![users()]), &["users"], &[]).await;
    assert_eq!(kept.finished["users"], Completeness::Complete);
    assert_eq!(count.load(Ordering::SeqCst), 5);
}

fn teams_and_members() -> App {
    let teams = Dataset { pagination: json_api(), ..dataset("teams", DatasetKind::List, "/v1/teams") };
    let members = Dataset { each: over("teams"), ..dataset("members", DatasetKind::List, "/v1/teams/{each.name}/members") };
    app(vec![teams, members])
}

fn teams(seen: &Seen) -> Reply {
    match seen.path.as_str() {
        "/v1/teams" if seen.query.contains("page=2") => ok(json!({"data": list([3]), "links": {"next": null}})),
        "/v1/teams" => ok(json!({"data": list([1, 2]), "links": {"next": "/v1/teams?page=2"}})),
        path => {
            let team: u32 = path.trim_start_matches("/v1/teams/n").trim_end_matches("/members").parse().unwrap();
            ok(json!({"data": list([10 * team, 10 * team + 1])}))
        }
    }
}

#[tokio::test]
async fn a_dataset_is_read_for_each_parent() {
    let vendor = Vendor::start(me_and(teams)).await;
    let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
    assert_eq!(kept.finished["teams"], Completeness::Complete, "what it rests on is read too");
    assert_eq!(kept.finished["members"], Completeness::Complete);
    let key = |team: u32, member: u32| format!("{team}\u{1f}{member}");
    assert_eq!(kept.keys("members"), [key(1, 10), key(1, 11), key(2, 20), key(2, 21), key(3, 30), key(3, 31)]);
    let row = kept.rows("members").into_iter().find(|row| row.key.0 == key(3, 30)).unwrap();
    assert_eq!(row.fields, json!({"id": "30", "name": "n30", "each": {"id": "3", "name": "n3"}}));
    assert_eq!(kept.queued["members"], [RowKey("1".into()), RowKey("2".into()), RowKey("3".into())]);
    assert!(kept.requests.iter().any(|line| line.path_template == "/v1/teams/{each.name}/members"), "the log holds no name of a team");
    assert!(!format!("{:?}", kept.requests).contains("n1"));
}

#[tokio::test]
async fn one_parent_that_fails_leaves_its_dataset_partial() {
    let vendor = Vendor::start(me_and(|seen| if seen.path.contains("/n2/") { status(403, json!({})) } else { teams(seen) })).await;
    let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
    assert!(is_partial(&kept, "members"));
    assert_eq!(kind(&kept, "members"), Some(CauseKind::ScopeMissing));
    assert_eq!(kept.rows("members").len(), 4);
    // A parent list that was cut leaves its children partial, too.
    let vendor = Vendor::start(me_and(|seen| if seen.query.contains("page=2") { status(500, json!({})) } else { teams(seen) })).await;
    let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
    assert!(is_partial(&kept, "teams") && is_partial(&kept, "members"));
    assert_eq!(kind(&kept, "members"), Some(CauseKind::InputIncomplete));
    let vendor = Vendor::start(me_and(|_| status(403, json!({})))).await;
    let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
    assert!(is_unavailable(&kept, "members"));
    assert_eq!(kind(&kept, "members"), Some(CauseKind::InputIncomplete));
}

#[tokio::test]
async fn parents_that_fail_alike_are_not_all_asked() {
    let vendor =
        Vendor::start(me_and(|seen| if seen.path == "/v1/teams" { ok(json!({"data": list(1..500)})) } else { status(403, json!({})) }))
            .await;
    let mut app = teams_and_members();
    app.datasets[1].pagination = Pagination::None;
    let kept = read(&vendor, &app, &["members"], &[]).await;
    assert!(is_unavailable(&kept, "members"));
    assert!(vendor.seen().len() < 80, "{}", vendor.seen().len());
}

#[tokio::test]
async fn no_parents_is_none_and_conditions_choose() {
    let vendor =
        Vendor::start(me_and(|seen| if seen.path == "/v1/teams" { ok(json!({"data": [], "links": {"next": null}})) } else { teams(seen) }))
            .await;
    let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
    assert_eq!(kept.finished["members"], Completeness::Complete);
    assert_eq!(kept.rows("members").len(), 0);

    let vendor = Vendor::start(me_and(teams)).await;
    let mut app = teams_and_members();
    let condition = |field: &str| Condition { field: FieldPath::from(field), op: Compare::Ne, value: json!("n2") };
    app.datasets[2].each = Some(Each {
        over: EachOver::Dataset { id: "teams".into(), filter: vec![condition("name")] },
        carry: vec![FieldPath::from("name")],
    });
    let kept = read(&vendor, &app, &["members"], &[]).await;
    assert_eq!(kept.finished["members"], Completeness::Complete);
    assert_eq!(kept.queued["members"].len(), 2);
    app.datasets[2].each = Some(Each {
        over: EachOver::Dataset { id: "teams".into(), filter: vec![condition("unread")] },
        carry: vec![FieldPath::from("name")],
    });
    let kept = read(&vendor, &app, &["members"], &[]).await;
    assert!(is_unavailable(&kept, "members"), "a condition that cannot be told is not taken for false");
    assert_eq!(kind(&kept, "members"), Some(CauseKind::FieldMissing));
}

#[tokio::test]
async fn a_parents_hostile_value_reaches_nothing_else() {
    for name in ["../../admin", "..", ".", "a/../b", "x\\y", "%2e%2e", "", "a?b=c#d"] {
        let vendor = Vendor::start(me_and(move |seen| {
            if seen.path == "/v1/teams" {
                ok(json!({"data": [{"id": 1, "name": name}], "links": {"next": null}}))
            } else {
                ok(json!({"data": list([1])}))
            }
        }))
        .await;
        let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
        assert!(is_unavailable(&kept, "members"), "{name}: {:?}", kept.finished["members"]);
        assert_eq!(vendor.seen().iter().filter(|seen| !["/v1/me", "/v1/teams"].contains(&seen.path.as_str())).count(), 0, "{name}");
    }
}

#[tokio::test]
async fn items_of_a_field_are_parents() {
    let named = Dataset {
        each: Some(Each { over: EachOver::Field("teams".into()), carry: vec![FieldPath::from("team"), FieldPath::from("branch")] }),
        ..dataset("named", DatasetKind::Object, "/v1/teams/{each.team}/branches/{each.branch}")
    };
    let mut usual = Dataset { pagination: json_api(), ..dataset("usual", DatasetKind::List, "/v1/teams") };
    usual.instead = Some(Instead { field: "teams".into(), path: "/v1/teams/{each.team}".into(), rows: "data".into() });
    let app = app(vec![named, usual]);
    let vendor =
        Vendor::start(me_and(
            |seen| if seen.path == "/v1/teams" { teams(seen) } else { ok(json!({"data": {"id": 1, "name": seen.path}})) },
        ))
        .await;
    let kept = read(&vendor, &app, &["named", "usual"], &[("teams", "red@main blue")]).await;
    assert_eq!(kept.rows("named").len(), 1);
    assert_eq!(kept.rows("named")[0].fields["each"], json!({"item": "red@main", "team": "red", "branch": "main"}));
    let cause = kept.finished["named"].cause().unwrap();
    assert_eq!((cause.kind, is_partial(&kept, "named")), (CauseKind::InputMissing, true));
    assert_eq!(cause.sentence, "The named could be read in part only. \"blue\" of the field TEAMS does not say branch.");
    assert_eq!(kept.finished["usual"], Completeness::Complete);
    let mut paths: Vec<String> = vendor.seen().into_iter().map(|seen| seen.path).collect();
    paths.sort();
    assert_eq!(paths, ["/v1/me", "/v1/teams/blue", "/v1/teams/red", "/v1/teams/red/branches/main"]);
    let kept = read(&vendor, &app, &["named", "usual"], &[]).await;
    assert_eq!(kind(&kept, "named"), Some(CauseKind::InputMissing), "an empty field names nothing, which is not none");
    assert_eq!(kept.keys("usual"), ["1", "2", "3"]);
}

#[tokio::test]
async fn absence_counts_only_when_the_probe_was_seen() {
    let keys = Dataset {
        probes: vec![Probe::Equals { row: FieldPath::from("id"), dataset: "me".into(), field: FieldPath::from("id") }],
        ..dataset("keys", DatasetKind::List, "/v1/keys")
    };
    let app = app(vec![keys]);
    for (ids, seen) in [(vec![1, 7, 9], true), (vec![1, 9], false), (vec![], false)] {
        let rows = list(ids.clone());
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": rows})))).await;
        let kept = read(&vendor, &app, &["keys"], &[]).await;
        assert_eq!(kept.rows("keys").len(), ids.len());
        assert_eq!(kept.finished["keys"].is_complete(), seen, "{ids:?}");
        assert_eq!(kind(&kept, "keys"), (!seen).then_some(CauseKind::ProbeNotSeen));
        assert_eq!(kept.finished["me"], Completeness::Complete);
    }
}

/// Reads a list of these ids, held against `me`, whose `id` and `total` are 7.
async fn held_against(probes: Vec<Probe>, ids: &[u32]) -> Completeness {
    let keys = Dataset { probes, ..dataset("keys", DatasetKind::List, "/v1/keys") };
    let rows = list(ids.to_vec());
    let mut app = app(vec![keys]);
    app.datasets[0].keep.insert(FieldPath::from("total"), keep(Type::Int));
    let me = json!({"data": {"id": 7, "name": "Scanner", "total": 7}});
    let vendor = Vendor::start(move |seen: &Seen| ok(if seen.path == "/v1/me" { me.clone() } else { json!({"data": rows}) })).await;
    let kept = read(&vendor, &app, &["keys"], &[]).await;
    assert_eq!(kept.rows("keys").len(), ids.len(), "what was read is kept, whole or not");
    kept.finished["keys"].clone()
}

#[tokio::test]
async fn a_list_of_the_keys_own_entries_is_not_whole() {
    let (row, field) = (FieldPath::from("id"), FieldPath::from("id"));
    let both = || {
        vec![
            Probe::Equals { row: row.clone(), dataset: "me".into(), field: field.clone() },
            Probe::Differs { row: row.clone(), dataset: "me".into(), field: field.clone() },
        ]
    };
    assert_eq!(held_against(both(), &[7, 9]).await, Completeness::Complete);
    assert_eq!(held_against(both(), &[9, 7]).await, Completeness::Complete, "in any order");
    for ids in [&[7][..], &[9], &[]] {
        assert_eq!(held_against(both(), ids).await.cause().map(|cause| cause.kind), Some(CauseKind::ProbeNotSeen), "{ids:?}");
    }
    let only_own = held_against(both(), &[7]).await;
    assert!(only_own.cause().unwrap().sentence.contains("no entry came that is not of"), "{only_own:?}");
}

#[tokio::test]
async fn fewer_entries_than_are_counted_are_not_whole() {
    let count =
        |fields: &[&str]| vec![Probe::Count { dataset: "me".into(), fields: fields.iter().map(|field| FieldPath::from(*field)).collect() }];
    let kind = |found: Completeness| found.cause().map(|cause| cause.kind);
    let seven: Vec<u32> = (1..=7).collect();
    assert_eq!(held_against(count(&["total"]), &seven).await, Completeness::Complete);
    assert_eq!(held_against(count(&["total"]), &[&seven[..], &[8]].concat()).await, Completeness::Complete, "one came since");
    assert_eq!(kind(held_against(count(&["total"]), &seven[..6]).await), Some(CauseKind::ProbeNotSeen));
    assert_eq!(kind(held_against(count(&["total", "total"]), &seven).await), Some(CauseKind::ProbeNotSeen), "the sum counts");
    let untold = held_against(count(&["total", "hidden"]), &seven).await;
    assert_eq!(untold.cause().map(|cause| cause.kind), Some(CauseKind::ProbeNotSeen), "a count that is not told proves nothing");
    assert!(untold.cause().unwrap().sentence.ends_with("does not tell this key how many there are."), "{untold:?}");
}

#[tokio::test]
async fn a_list_that_may_have_pages_is_whole_only_when_it_is_short() {
    let short = || vec![Probe::FewerThan { rows: 3 }];
    assert_eq!(held_against(short(), &[1, 2]).await, Completeness::Complete);
    assert_eq!(held_against(short(), &[]).await, Completeness::Complete);
    for ids in [&[1, 2, 3][..], &[1, 2, 3, 4]] {
        assert_eq!(held_against(short(), ids).await.cause().map(|cause| cause.kind), Some(CauseKind::ProbeNotSeen), "{ids:?}");
    }
}

#[tokio::test]
async fn nothing_is_probed_for_in_what_the_administrator_names() {
    let named = Dataset {
        probes: vec![Probe::Count { dataset: "me".into(), fields: vec![FieldPath::from("total")] }],
        instead: Some(Instead { field: "teams".into(), path: "/v1/teams/{each.item}".into(), rows: "data".into() }),
        ..dataset("named", DatasetKind::List, "/v1/teams")
    };
    let app = app(vec![named]);
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": {"id": 1, "name": "x"}})))).await;
    let kept = read(&vendor, &app, &["named"], &[("teams", "red")]).await;
    assert_eq!(kept.finished["named"], Completeness::Complete);
}

#[tokio::test]
async fn only_authorised_datasets_carry_the_credential() {
    let open = Dataset { authorised: false, ..dataset("open", DatasetKind::Object, "/v1/p/settings") };
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": {"id": 1, "name": "x"}})).header("set-cookie", "sid=1; Path=/; Secure"))).await;
    read(&vendor, &app(vec![open, dataset("closed", DatasetKind::Object, "/v1/settings")]), &["open", "closed"], &[]).await;
    for seen in vendor.seen() {
        assert_eq!(seen.authorization.is_some(), seen.path != "/v1/p/settings", "{}", seen.path);
        assert!(!seen.cookie);
    }
}

#[tokio::test]
async fn a_pinned_document_is_sent_as_it_stands() {
    let document = r#"{"query":"query { viewer { id } }"}"#;
    let search = Dataset { method: Method::Post, document: Some(document.into()), ..dataset("search", DatasetKind::Object, "/graphql") };
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": {"id": 1, "name": "x"}})))).await;
    let kept = read(&vendor, &app(vec![search]), &["search"], &[]).await;
    assert_eq!(kept.finished["search"], Completeness::Complete);
    let seen = vendor.seen().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", document));
}

#[tokio::test]
async fn cancelling_stops_at_once_and_the_rest_is_read_later() {
    let hang = Arc::new(Mutex::new(true));
    let hangs = hang.clone();
    let vendor = Vendor::start(me_and(move |seen| {
        if *hangs.lock().unwrap() && (seen.query.contains("page=3") || seen.path.contains("/n2/")) {
            return ok(json!(null)).body(Body::Hang(b"{\"data\":".to_vec()));
        }
        if seen.path == "/v1/users" { five_users(seen) } else { teams(seen) }
    }))
    .await;
    let mut app = teams_and_members();
    app.datasets.push(users());
    let session = signed_in(&vendor, &app, Limits::default(), &TestClock::new(), &[]).await;
    let cancel = CancellationToken::new();
    let mut first = Kept::default();
    let stop = cancel.clone();
    // Two pages of users, two of teams, the members of two teams.
    first.on_page = Some(Box::new(move |count| {
        if count == 6 {
            stop.cancel();
        }
    }));
    let started = std::time::Instant::now();
    let error = collect(&session, &app, &["users", "members", "me"], Resume::default(), &mut first, cancel).await.unwrap_err();
    assert_eq!(error.code(), "E-CANCELLED");
    // Not how fast it stops, which differs from machine to machine: only that it does not wait for the answers that hang, the
    // first of which would be given up after a minute.
    assert!(started.elapsed() < Duration::from_secs(45));
    assert!(
        !first.finished.contains_key("users") && !first.finished.contains_key("members"),
        "what was cut is not finished: {:?}",
        first.finished
    );
    assert!(first.requests.iter().any(|line| line.outcome == Outcome::Cut), "a request that was cut is in the log");

    *hang.lock().unwrap() = false;
    let before = vendor.seen().len();
    let resume = first.resume();
    let first_request = resume.first_request;
    let mut second = Kept::default();
    collect(&session, &app, &["users", "members", "me"], resume, &mut second, CancellationToken::new()).await.unwrap();
    let asked = vendor.seen().split_off(before);
    assert_eq!(keys_of_both(&first, &second, "users"), ["1", "2", "3", "4", "5"], "every row once");
    let mut all = keys_of_both(&first, &second, "members");
    assert_eq!(all.len(), 6);
    all.dedup();
    assert_eq!(all.len(), 6, "every row once");
    assert!(second.finished.values().all(Completeness::is_complete), "{:?}", second.finished);
    assert!(second.requests.iter().all(|line| line.id >= first_request));
    let paths = |path: &str| asked.iter().filter(|seen| seen.path == path).count();
    assert_eq!(paths("/v1/users"), 3, "a list that was cut is read again from its beginning: {asked:?}");
    assert_eq!(
        (paths("/v1/me"), paths("/v1/teams"), paths("/v1/teams/n1/members")),
        (0, 0, 0),
        "what was read to its end is not read again: {asked:?}"
    );
}

#[tokio::test]
async fn doubt_outlives_a_cut() {
    // The first page holds a row without an id; the collection is cut after it. Resumed, the list is still not whole.
    let vendor = Vendor::start(me_and(|seen| {
        if seen.query.contains("page=2") {
            ok(json!({"data": list([3]), "links": {"next": null}}))
        } else {
            ok(json!({"data": [{"id": 1, "name": "a"}, {"name": "b"}], "links": {"next": "/v1/users?page=2"}}))
        }
    }))
    .await;
    let app = app(vec![users()]);
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    for cut_after in [1, 2] {
        let mut first = Kept { fail_at_page: Some(cut_after), ..Kept::default() };
        let cut = collect(&session, &app, &["users"], Resume::default(), &mut first, CancellationToken::new()).await;
        assert_eq!(cut.is_err(), cut_after == 1);
        first.finished.clear();
        let mut second = Kept::default();
        collect(&session, &app, &["users"], first.resume(), &mut second, CancellationToken::new()).await.unwrap();
        assert!(is_partial(&second, "users"), "cut after {cut_after}");
        assert_eq!(keys_of_both(&first, &second, "users"), ["1", "3"]);
    }
}

/// A numbered list of these ids, two on a page, as a vendor cuts it at the moment it is asked.
fn numbered(seen: &Seen, ids: &[u32]) -> Reply {
    let page: usize =
        url::form_urlencoded::parse(seen.query.as_bytes()).find(|(name, _)| name == "page").map_or(1, |(_, page)| page.parse().unwrap());
    let next = if 2 * page < ids.len() { json!(format!("{}?page={}", seen.path, page + 1)) } else { Value::Null };
    ok(json!({"data": list(ids.iter().copied().skip(2 * (page - 1)).take(2)), "links": {"next": next}}))
}

#[tokio::test]
async fn a_list_that_changed_while_it_was_cut_loses_no_row() {
    let ids = Arc::new(Mutex::new(vec![1, 2, 3, 4, 5, 6]));
    let now = ids.clone();
    let vendor = Vendor::start(me_and(move |seen| numbered(seen, &now.lock().unwrap()))).await;
    let app = app(vec![users()]);
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    for (cut_after, left) in [(1, vec![2, 3, 4, 5, 6]), (2, vec![2, 3, 4, 5, 6]), (2, vec![3]), (1, vec![])] {
        *ids.lock().unwrap() = vec![1, 2, 3, 4, 5, 6];
        let mut first = Kept { fail_at_page: Some(cut_after), ..Kept::default() };
        collect(&session, &app, &["users"], Resume::default(), &mut first, CancellationToken::new()).await.unwrap_err();
        *ids.lock().unwrap() = left.clone();
        let mut second = Kept::default();
        collect(&session, &app, &["users"], first.resume(), &mut second, CancellationToken::new()).await.unwrap();
        assert_eq!(second.finished["users"], Completeness::Complete);
        let left: Vec<String> = left.iter().map(u32::to_string).collect();
        assert_eq!(keys_of_both(&first, &second, "users"), left, "cut after {cut_after}: the rows that are there now, and no other");
    }
}

#[tokio::test]
async fn a_page_that_comes_twice_is_doubted_after_a_cut_too() {
    let vendor = Vendor::start(me_and(|seen| match seen.query.contains("page=3") {
        true => ok(json!({"data": list([3, 4]), "links": {"next": null}})),
        false if seen.query.contains("page=2") => ok(json!({"data": list([3, 4]), "links": {"next": "/v1/users?page=3"}})),
        false => ok(json!({"data": list([1, 2]), "links": {"next": "/v1/users?page=2"}})),
    }))
    .await;
    let app = app(vec![users()]);
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    for cut_after in [1, 2] {
        let mut first = Kept { fail_at_page: Some(cut_after), ..Kept::default() };
        collect(&session, &app, &["users"], Resume::default(), &mut first, CancellationToken::new()).await.unwrap_err();
        let mut second = Kept::default();
        collect(&session, &app, &["users"], first.resume(), &mut second, CancellationToken::new()).await.unwrap();
        assert!(is_partial(&second, "users"), "cut after {cut_after}");
    }
}

#[tokio::test]
async fn what_was_stored_before_a_cut_stays_partial_when_it_cannot_be_read_again() {
    let refuses = Arc::new(Mutex::new(false));
    let now = refuses.clone();
    let vendor =
        Vendor::start(me_and(move |seen| if *now.lock().unwrap() { status(403, json!({})) } else { numbered(seen, &[1, 2, 3]) })).await;
    let app = app(vec![users()]);
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    let mut first = Kept { fail_at_page: Some(1), ..Kept::default() };
    collect(&session, &app, &["users"], Resume::default(), &mut first, CancellationToken::new()).await.unwrap_err();
    *refuses.lock().unwrap() = true;
    let mut second = Kept::default();
    collect(&session, &app, &["users"], first.resume(), &mut second, CancellationToken::new()).await.unwrap();
    assert!(is_partial(&second, "users"), "{:?}", second.finished);
    assert_eq!(keys_of_both(&first, &second, "users"), ["1", "2"]);
}

#[tokio::test]
async fn parents_that_were_done_stay_and_one_that_is_gone_leaves_its_children_partial() {
    let ids = Arc::new(Mutex::new(vec![1, 2, 3]));
    let now = ids.clone();
    let vendor =
        Vendor::start(me_and(move |seen| if seen.path == "/v1/teams" { numbered(seen, &now.lock().unwrap()) } else { teams(seen) })).await;
    let app = teams_and_members();
    let session = signed_in(&vendor, &app, Limits { under_way: 1, ..small() }, &TestClock::new(), &[]).await;
    for (left, complete) in [(vec![1, 2, 3], true), (vec![2, 3], false)] {
        *ids.lock().unwrap() = vec![1, 2, 3];
        // One page of teams, and the members of the first two.
        let mut first = Kept { fail_at_page: Some(3), ..Kept::default() };
        collect(&session, &app, &["members"], Resume::default(), &mut first, CancellationToken::new()).await.unwrap_err();
        let mut cut: Vec<_> = first.pages.iter().map(|page| page.parent.clone().map(|key| key.0).unwrap_or_default()).collect();
        cut.sort();
        assert_eq!(cut, ["", "1", "2"]);
        *ids.lock().unwrap() = left;
        let before = vendor.seen().len();
        let mut second = Kept::default();
        collect(&session, &app, &["members"], first.resume(), &mut second, CancellationToken::new()).await.unwrap();
        let asked: Vec<String> = vendor.seen().split_off(before).into_iter().map(|seen| seen.path).collect();
        assert!(asked.iter().all(|path| path == "/v1/teams" || path == "/v1/teams/n3/members"), "{asked:?}");
        assert_eq!(second.finished["teams"], Completeness::Complete);
        assert_eq!(second.finished["members"].is_complete(), complete, "{:?}", second.finished);
        assert_eq!(keys_of_both(&first, &second, "members").len(), 6);
    }
}

#[tokio::test]
async fn a_parent_that_comes_twice_is_read_for_once() {
    let vendor = Vendor::start(me_and(|seen| {
        if seen.path != "/v1/teams" {
            return teams(seen);
        }
        let second = json!({"data": [{"id": 1, "name": "n9"}, {"id": 2, "name": "n2"}], "links": {"next": null}});
        if seen.query.contains("page=2") { ok(second) } else { ok(json!({"data": list([1]), "links": {"next": "/v1/teams?page=2"}})) }
    }))
    .await;
    let kept = read(&vendor, &teams_and_members(), &["members"], &[]).await;
    assert_eq!(kept.keys("teams"), ["1", "1", "2"]);
    assert_eq!(kept.queued["members"], [RowKey("1".into()), RowKey("2".into())]);
    assert!(is_partial(&kept, "teams") && is_partial(&kept, "members"));
    assert_eq!(kept.rows("members").len(), 4);
}

#[tokio::test]
async fn a_short_page_without_a_link_is_the_end_only_where_the_vendor_says_so() {
    let said = |ends_without: Option<&str>| {
        let pagination = Pagination::JsonApi {
            next: FieldPath::from("links.next"),
            size: Some(("pageSize".into(), 2)),
            ends_without: ends_without.map(str::to_owned),
            single: None,
            link: PageLink::default(),
        };
        app(vec![Dataset { pagination, ..users() }])
    };
    for body in [json!({"data": list([1])}), json!({"data": list([1]), "links": {}}), json!({"data": [], "links": null})] {
        let vendor = Vendor::start(me_and(move |_| ok(body.clone()))).await;
        let kept = read(&vendor, &said(None), &["users"], &[]).await;
        assert!(is_partial(&kept, "users"));
        assert_eq!(kind(&kept, "users"), Some(CauseKind::NotUnderstood));
        let kept = read(&vendor, &said(Some("https://vendor.example/docs")), &["users"], &[]).await;
        assert_eq!(kept.finished["users"], Completeness::Complete);
    }
}

#[tokio::test]
async fn a_link_header_that_cannot_be_read_is_not_the_end() {
    let next = "<https://api.vendor.example/v1/users?page=2>";
    let end = [
        "<https://api.vendor.example/v1/users?page=1>; rel=\"prev\"",
        "<https://api.vendor.example/x,y?a=;>; rel=prev; title=\"a, <b>; rel=\\\"next\\\"\" , <https://api.vendor.example/v1>;rel=first",
    ];
    let doubts = [
        "",
        ",",
        "next",
        "https://api.vendor.example/v1/users?page=2; rel=\"next\"",
        "<https://api.vendor.example/v1/users?page=2",
        next,
        &format!("{next}; rel"),
        &format!("{next}; rel=\"next"),
        &format!("{next} rel=\"next\""),
        &format!("{next}; rel=\"\""),
        &format!("<https://api.vendor.example/v1/users?page=1>; rel=\"prev\", {}", &next[1..]),
        &format!("<https://api.vendor.example/v1/users?page=1>; rel=\"prev\"; {next}; rel=\"next\""),
        &format!("{next}; rel=\"next\", <https://api.vendor.example/v1/users?page=3>; rel=\"next\""),
    ];
    let more = [
        format!("{next}; rel=\"next\""),
        format!("{next};REL=Next"),
        format!("{next} ; title=\"x\" ; rel=\"last next\"; rel=\"prev\""),
        format!("<https://api.vendor.example/v1/users?page=9>; rel=\"last\",{next}; rel=next"),
    ];
    let users = Dataset { pagination: Pagination::LinkHeader { size: None, link: PageLink::default() }, ..users() };
    let headers = end.map(|header| (header, Some(1))).into_iter().chain(doubts.map(|header| (header, None)));
    for (header, pages) in headers.chain(more.iter().map(|header| (header.as_str(), Some(2)))) {
        let sent = header.to_owned();
        let vendor = Vendor::start(me_and(move |seen| {
            if seen.query.contains("page=2") {
                ok(json!({"data": list([2])}))
            } else {
                ok(json!({"data": list([1])})).header("link", sent.clone())
            }
        }))
        .await;
        let kept = read(&vendor, &app(vec![users.clone()]), &["users"], &[]).await;
        assert_eq!(kept.finished["users"].is_complete(), pages.is_some(), "{header}: {:?}", kept.finished["users"]);
        assert_eq!(kept.pages.len(), pages.unwrap_or(1), "{header}");
    }
}

#[tokio::test]
async fn a_link_that_changes_the_lists_filter_is_not_followed() {
    let active = Dataset { query: vec![("deleted".into(), "false".into())], ..users() };
    for query in [
        "page=2&deleted=true",
        "page=2&deleted=false&deleted=true",
        "page=2&deleted=",
        "page=2&Deleted=true",
        "page=2&deleted=false&deleted[]=true",
    ] {
        let link = format!("/v1/users?{query}");
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": list([1, 2]), "links": {"next": link}})))).await;
        let kept = read(&vendor, &app(vec![active.clone()]), &["users"], &[]).await;
        assert!(is_partial(&kept, "users"), "{query}: {:?}", kept.finished);
        assert_eq!(kind(&kept, "users"), Some(CauseKind::NotUnderstood), "{query}");
        assert_eq!(vendor.seen().len(), 2, "{query}: nothing else was asked");
    }
    // The page size is the vendor's to change, and a filter that is there twice alike is there once.
    for (query, sent) in [
        ("page=2&pageSize=1&deleted=false", "page=2&pageSize=1&deleted=false"),
        ("page=2", "page=2&deleted=false"),
        ("deleted=false&page=2&deleted=false", "deleted=false&page=2"),
    ] {
        let link = format!("/v1/users?{query}");
        let vendor = Vendor::start(me_and(move |seen| {
            let next = if seen.query.contains("page=2") { Value::Null } else { json!(link) };
            ok(json!({"data": list(if next.is_null() { [3, 4] } else { [1, 2] }), "links": {"next": next}}))
        }))
        .await;
        let kept = read(&vendor, &app(vec![active.clone()]), &["users"], &[]).await;
        assert_eq!(kept.finished["users"], Completeness::Complete, "{query}");
        assert_eq!(vendor.seen().pop().unwrap().query, sent);
    }
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_collection_with_its_own_words() {
    let vendor = Vendor::start(me_and(five_users)).await;
    let app = app(vec![users()]);
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    let mut kept = Kept { fail_at_page: Some(1), ..Kept::default() };
    let error = collect(&session, &app, &["users"], Resume::default(), &mut kept, CancellationToken::new()).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str(), error.remedy().as_str()), ("E-DISK-FULL", "The disk is full.", "Make room."));
    assert_eq!(kept.pages.len(), 1);
    assert!(kept.finished.is_empty());
}

#[tokio::test]
async fn permissions_are_probed_with_one_page_each() {
    let vendor = Vendor::start(me_and(|seen| if seen.path == "/v1/users" { five_users(seen) } else { status(403, json!({})) })).await;
    let mut app = teams_and_members();
    app.datasets.push(users());
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    let found = probe(&session, &app, &["users", "teams", "members"]).await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], ("users".into(), Completeness::Complete));
    assert_eq!(found[1].1.cause().unwrap().sentence, "The teams could not be read. The key lacks teams.read (403).");
    assert_eq!(session.take_requests().len(), 2);
    assert_eq!(session.take_requests().len(), 0);
}

#[tokio::test]
async fn shapes_hold_names_and_types_but_no_value() {
    let mut app = teams_and_members();
    app.datasets.push(Dataset { keep: BTreeMap::from([(FieldPath::from("id"), Keep { ..vendor::keep(Type::Id) })]), ..users() });
    let vendor = Vendor::start(me_and(|seen| match seen.path.as_str() {
        "/v1/users" => ok(json!({"data": [
            {"id": 1, "email": "ada@VALUE.example", "roles": ["VALUE"], "by": {"VALUE1234567": 1, "ada@VALUE.example": 2}, "at": null},
            {"id": 2, "at": 1.5, "on": true, "none": []},
        ]})),
        _ => teams(seen),
    }))
    .await;
    let session = signed_in(&vendor, &app, small(), &TestClock::new(), &[]).await;
    let found = shapes(&session, &app).await;
    let of = |id: &str| found.iter().find(|shape| shape.dataset == id).unwrap();
    assert_eq!(
        of("users").shape,
        json!({"data": [{"at": "null|number", "by": {"*": "integer"}, "email": "string", "id": "integer", "none": [], "on": "bool", "roles": ["string"]}]})
    );
    assert_eq!(of("members").shape, json!({"data": [{"id": "integer", "name": "string", "secret": "string"}]}));
    assert!(!serde_json::to_string(&found).unwrap().contains("VALUE"));
}
