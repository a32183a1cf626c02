//! A long-lived secret for a short-lived token: what is sent where, which tokens are not used, how one is renewed in the middle
//! of a scan, and how the region is found where a tenant lives.
use crate::entry::{Entry, Signing, read, scan, secrets};
use crate::vendor;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{
    App, CauseKind, ClientAuthentication, ClientCredentials, Completeness, DatasetKind, Discover, Endpoint, FieldPath, Format, Granted,
    HostRole, Strategy, Type,
};
use posture_connect::{Clock, RequestClass, Route, SignInStage, SignInStep};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use vendor::{Body, HOST, Reply, Seen, TestClock, Vendor, app, dataset, field, keep, ok, over, status};

const SECRET: &str = "sa_live_0123456789abcdef";
const EU: &str = "api.eu.vendor.example";
const TOKEN_PATH: &str = "/v1/oauth/token";

fn strategy() -> ClientCredentials {
    ClientCredentials {
        endpoint: Endpoint { role: "api".into(), path: TOKEN_PATH.into() },
        client_id: None,
        authenticate: ClientAuthentication::Post { secret: "secret".into() },
        grant_type: "client_credentials".into(),
        parameters: vec![],
        host_from: None,
        scope: "read_only".into(),
        granted: Granted { all_of: vec!["read_only".into()], only: vec![], none_of: vec!["write".into()] },
    }
}

/// The application of the stand, with a secret that is exchanged.
fn exchanging(strategy: ClientCredentials, datasets: Vec<catalog::Dataset>) -> App {
    let mut app = app(datasets);
    let login = &mut app.logins[0];
    login.strategy = Strategy::ClientCredentials(strategy);
    login.fields[0] = field("secret", true, false, Format::Text);
    login.fields.push(field("client_id", false, true, Format::Text));
    app
}

/// The same, where the region may be left open.
fn discovering() -> App {
    let mut app = exchanging(strategy(), vec![]);
    let me = app.datasets.iter_mut().find(|dataset| dataset.id == "me").unwrap();
    me.keep.insert(FieldPath::from("data_center"), keep(Type::String));
    let login = &mut app.logins[0];
    let region = login.fields.iter_mut().find(|field| field.id == "region").unwrap();
    region.choices.insert(0, catalog::Choice { value: "auto".into(), label: "Find it".into(), host: None, hidden: false });
    region.default = Some("auto".into());
    login.discover = Some(Discover {
        input: "region".into(),
        open: "auto".into(),
        tries: vec!["us".into(), "eu".into()],
        field: FieldPath::from("data_center"),
    });
    app
}

fn token_with(claims: &Value) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

async fn signing(app: &App, route: &Route, clock: Arc<dyn Clock>, inputs: &[(&str, &str)]) -> Signing {
    let inputs: Vec<_> = [("region", "us")].into_iter().chain(inputs.iter().copied()).collect();
    Entry { inputs: &inputs, credentials: secrets(&[("secret", SECRET)]), ..Entry::of(app, route.clone(), clock) }.sign_in().await
}

/// A vendor that exchanges the secret, takes the tokens that it gave for as long as they last by the clock, and counts.
struct Books {
    clock: Arc<TestClock>,
    /// Seconds that a token lasts, and what the answer says of it.
    lasts: i64,
    says: Option<i64>,
    scope: Value,
    given: Mutex<Vec<(String, jiff::Timestamp)>>,
}

impl Books {
    fn open(clock: &Arc<TestClock>) -> Self {
        Self { clock: clock.clone(), lasts: 3600, says: Some(3600), scope: json!("read_only"), given: Mutex::default() }
    }
    fn exchange(&self, seen: &Seen) -> Reply {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        if form.get("client_secret").map(String::as_str) != Some(SECRET) || form["grant_type"] != "client_credentials" {
            return status(401, json!({"error": "invalid_client"}));
        }
        let now = self.clock.now();
        let ends = now + jiff::SignedDuration::from_secs(self.lasts);
        let mut given = self.given.lock().unwrap();
        let token = token_with(&json!({"exp": ends.as_second(), "n": given.len()}));
        given.push((token.clone(), ends));
        let mut body = json!({"access_token": token, "token_type": "bearer", "scope": self.scope});
        if let Some(says) = self.says {
            body["expires_in"] = json!(says);
        }
        self.dated(ok(body))
    }
    /// Our clock and the vendor's are the same here.
    fn dated(&self, reply: Reply) -> Reply {
        reply.header("date", httpdate::fmt_http_date(self.clock.now().into()))
    }
    fn admits(&self, seen: &Seen) -> bool {
        let now = self.clock.now();
        self.given.lock().unwrap().iter().any(|(token, ends)| *ends > now && token == seen.bearer())
    }
    fn exchanges(&self) -> usize {
        self.given.lock().unwrap().len()
    }
}

fn me() -> Reply {
    ok(json!({"data": {"id": 7, "name": "Scanner"}}))
}

#[tokio::test]
async fn the_secret_goes_to_the_token_endpoint_and_the_token_to_the_rest() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let by = books.clone();
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        TOKEN_PATH => by.exchange(seen),
        _ if by.admits(seen) => me(),
        _ => status(401, json!({})),
    })
    .await;
    let plain = exchanging(strategy(), vec![]);
    let Signing { result, steps } = signing(&plain, &vendor.route(), clock.clone(), &[]).await;
    let session = result.unwrap();
    assert!(session.keepsakes().is_empty());
    assert_eq!(session.ends(), None, "a token that renews itself does not end for the person");
    let seen = vendor.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str(), seen[0].query.as_str()), ("POST", TOKEN_PATH, ""));
    assert_eq!(seen[0].body, format!("grant_type=client_credentials&client_secret={SECRET}&scope=read_only"));
    assert_eq!(seen[0].authorization, None);
    let token = books.given.lock().unwrap()[0].0.clone();
    assert_eq!(seen[1].authorization, Some(format!("Bearer {token}")));
    assert!(!seen[1].query.contains(SECRET) && !seen[1].body.contains(SECRET));
    assert!(steps.contains(&SignInStep::Stage { stage: SignInStage::Token, host: HOST.into() }));
    let requested = steps.iter().filter_map(|step| if let SignInStep::Requested { entry } = step { Some(entry) } else { None });
    let [hop] = requested.filter(|entry| entry.class == RequestClass::SignInHop).collect::<Vec<_>>()[..] else { panic!("{steps:?}") };
    assert_eq!((hop.method.as_str(), hop.path_template.as_str(), hop.status), ("POST", TOKEN_PATH, Some(200)));
    let told = serde_json::to_string(&steps).unwrap();
    assert!(!told.contains(SECRET) && !told.contains(&token), "neither is told to anybody");

    // A client id goes along where the vendor wants one, and a scope only where one is asked for.
    let with_id = exchanging(
        ClientCredentials { client_id: Some("client_id".into()), scope: String::new(), granted: Granted::default(), ..strategy() },
        vec![],
    );
    assert_eq!(signing(&with_id, &vendor.route(), clock.clone(), &[]).await.refused().code(), "E-FIELD-MISSING");
    signing(&with_id, &vendor.route(), clock, &[("client_id", "a b&c")]).await.result.unwrap();
    let body = &vendor.seen()[2].body;
    assert_eq!(*body, format!("grant_type=client_credentials&client_id=a+b%26c&client_secret={SECRET}"));
}

#[tokio::test]
async fn a_token_that_might_write_is_not_used() {
    for (scope, words) in [
        (json!("write"), "not limited to read_only"),
        (json!("read_only write"), "holds the scope write"),
        (json!("read_onlyish"), "not limited to read_only"),
        (json!("READ_ONLY"), "not limited to read_only"),
        (json!(""), "does not say what the token may do"),
        (json!(null), "does not say what the token may do"),
        (json!(["read_only"]), "does not say what the token may do"),
    ] {
        let clock = TestClock::new();
        let books = Books { scope: scope.clone(), ..Books::open(&clock) };
        let vendor = Vendor::start(move |seen| if seen.path == TOKEN_PATH { books.exchange(seen) } else { me() }).await;
        let error = signing(&exchanging(strategy(), vec![]), &vendor.route(), clock, &[]).await.refused();
        assert_eq!(error.code(), "E-SCOPE-NOT-READ-ONLY", "{scope}");
        assert!(error.to_string().contains(words), "{scope}: {error}");
        assert!(error.remedy().contains("limited to read_only"));
        assert_eq!(vendor.seen().len(), 1, "the token opens nothing");
    }
}

#[tokio::test]
async fn a_token_of_customer_io_may_read_and_nothing_else() {
    let app = catalog::Catalog::built_in().unwrap().app("customer-io").unwrap().unwrap();
    let Strategy::ClientCredentials(shipped) = app.login("service-account").unwrap().strategy.clone() else { panic!("another strategy") };
    for (scope, used) in
        [("read_only", true), ("read_only write", false), ("read_only admin", false), ("write read_only", false), ("write", false)]
    {
        let clock = TestClock::new();
        let books = Books { scope: json!(scope), ..Books::open(&clock) };
        let vendor = Vendor::start(move |seen| if seen.path == TOKEN_PATH { books.exchange(seen) } else { me() }).await;
        let app = exchanging(ClientCredentials { granted: shipped.granted.clone(), ..strategy() }, vec![]);
        let signing = signing(&app, &vendor.route(), clock, &[]).await;
        if used {
            signing.result.unwrap();
            continue;
        }
        let error = signing.refused();
        assert_eq!(error.code(), "E-SCOPE-NOT-READ-ONLY", "{scope}");
        assert!(error.remedy().contains("limited to read_only") && !error.to_string().contains("admin"), "{error}");
        assert_eq!(vendor.seen().len(), 1, "{scope}: the token opens nothing");
    }
}

#[tokio::test]
async fn what_a_token_endpoint_says_in_place_of_a_token() {
    let whole = |text: &str| ok(json!(null)).body(Body::Whole(text.as_bytes().to_vec()));
    let token = |extra: Value| {
        let mut body = json!({"access_token": "t", "token_type": "Bearer", "scope": "read_only"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ok(body)
    };
    let table: Vec<(&str, Reply, &str, CauseKind)> = vec![
        ("the secret is wrong", status(401, json!({"error": "invalid_client"})), "E-KEY-REFUSED", CauseKind::CredentialRefused),
        ("the same, with 400", status(400, json!({"error": "invalid_client"})), "E-KEY-REFUSED", CauseKind::CredentialRefused),
        ("another word for it", status(400, json!({"error": "invalid_grant"})), "E-KEY-REFUSED", CauseKind::CredentialRefused),
        ("401 and nothing", status(401, json!({})), "E-KEY-REFUSED", CauseKind::CredentialRefused),
        ("401 and a page", status(401, json!(null)).body(Body::Whole(b"<html>".to_vec())), "E-KEY-REFUSED", CauseKind::CredentialRefused),
        ("no such scope", status(400, json!({"error": "invalid_scope"})), "E-SCOPE-REFUSED", CauseKind::ScopeMissing),
        ("not this way", status(400, json!({"error": "unauthorized_client"})), "E-TOKEN-DENIED", CauseKind::ScopeMissing),
        ("403", status(403, json!({})), "E-TOKEN-DENIED", CauseKind::ScopeMissing),
        ("our fault", status(400, json!({"error": "invalid_request"})), "E-TOKEN-REQUEST", CauseKind::NotUnderstood),
        ("our fault, too", status(400, json!({"error": "unsupported_grant_type"})), "E-TOKEN-REQUEST", CauseKind::NotUnderstood),
        ("an error that is not text", status(400, json!({"error": {"a": 1}})), "E-VENDOR-ERROR", CauseKind::VendorError),
        ("400 and nothing", status(400, json!({"errors": [{"detail": "x"}]})), "E-VENDOR-ERROR", CauseKind::VendorError),
        ("404", status(404, json!({})), "E-VENDOR-ERROR", CauseKind::VendorError),
        ("not now", status(400, json!({"error": "temporarily_unavailable"})), "E-VENDOR-ERROR", CauseKind::VendorError),
        ("too many", status(429, json!({})).header("retry-after", "30"), "E-RATE-LIMITED", CauseKind::RateLimited),
        ("too many, without a time", status(429, json!({})), "E-RATE-LIMITED", CauseKind::RateLimited),
        ("500", status(500, json!({"error": "invalid_client"})), "E-VENDOR-ERROR", CauseKind::VendorError),
        ("a redirect", status(302, json!({})).header("location", "https://evil.example/"), "E-REDIRECTED", CauseKind::VendorError),
        ("201", status(201, json!({"access_token": "t"})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("a page", whole("<html>"), "E-NOT-JSON", CauseKind::NotUnderstood),
        ("half a JSON", whole("{\"access_token\": \"t"), "E-NOT-JSON", CauseKind::NotUnderstood),
        ("a list", whole("[1]"), "E-NOT-JSON", CauseKind::NotUnderstood),
        ("nothing", whole(""), "E-NOT-JSON", CauseKind::NotUnderstood),
        ("no token", ok(json!({"token_type": "Bearer", "scope": "read_only"})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("an empty token", token(json!({"access_token": ""})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("a token that is a number", token(json!({"access_token": 5})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("a token with a line break", token(json!({"access_token": "a\r\nX: 1"})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("another type", token(json!({"token_type": "mac"})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("no type", token(json!({"token_type": null})), "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        ("one that has ended", token(json!({"expires_in": 0})), "E-TOKEN-ENDED", CauseKind::NotUnderstood),
        (
            "one that ended in 2020",
            token(json!({"access_token": token_with(&json!({"exp": 1_577_836_800}))})),
            "E-TOKEN-ENDED",
            CauseKind::NotUnderstood,
        ),
        ("a cut line", ok(json!(null)).body(Body::Cut(b"{".to_vec())), "E-CONNECTION-CUT", CauseKind::Connectivity),
        ("no answer", ok(json!({})).after(Duration::from_secs(30)), "E-TIMEOUT", CauseKind::Connectivity),
    ];
    for (what, reply, code, kind) in table {
        let vendor = Vendor::start(move |seen| if seen.path == TOKEN_PATH { reply.clone() } else { me() }).await;
        let error = signing(&exchanging(strategy(), vec![]), &vendor.route(), TestClock::new(), &[]).await.refused();
        assert_eq!((error.code(), error.kind()), (code, kind), "{what}: {error}");
        assert!(!error.to_string().contains(SECRET) && !error.remedy().is_empty(), "{what}");
        assert!(vendor.seen().len() <= 1, "{what}: signing in is not tried again");
        assert!(vendor.connections().iter().all(|host| host == HOST), "{what}");
    }
}

/// A list of `count` users and an object for each of them.
fn many(count: u32) -> (App, Vec<&'static str>) {
    let users = dataset("users", DatasetKind::List, "/v1/users");
    let mut details = dataset("details", DatasetKind::List, "/v1/users/{each.id}/details");
    details.each = over("users");
    let mut app = exchanging(strategy(), vec![users, details]);
    for dataset in &mut app.datasets {
        dataset.politeness.concurrency = count;
        dataset.politeness.per_second = 0;
    }
    (app, vec!["users", "details"])
}

fn list_of(count: u32) -> Reply {
    ok(json!({"data": (0..count).map(|id| json!({"id": id, "name": format!("User {id}")})).collect::<Vec<_>>()}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_requests_two_hours_later_renew_once() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let (by, jumping) = (books.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        // Slow enough that all others wait for it.
        TOKEN_PATH => by.exchange(seen).after(Duration::from_millis(200)),
        _ if !by.admits(seen) => status(401, json!({})),
        "/v1/users" => {
            jumping.jump(Duration::from_secs(7200));
            list_of(32)
        }
        "/v1/me" => me(),
        _ => list_of(1).after(Duration::from_millis(50)),
    })
    .await;
    let (app, datasets) = many(32);
    let session = signing(&app, &vendor.route(), clock.clone(), &[]).await.result.unwrap();
    assert_eq!(books.exchanges(), 1);
    let kept = read(&session, &app, &datasets).await;
    assert_eq!(books.exchanges(), 2, "one renewal for all");
    assert!(kept.finished.values().all(|completeness| *completeness == Completeness::Complete), "{:?}", kept.finished);
    assert_eq!(kept.rows("details").len(), 32);
    let hops: Vec<_> = kept.requests.iter().filter(|entry| entry.class == RequestClass::SignInHop).collect();
    assert_eq!(hops.len(), 1, "the renewal stands in the request log");
    assert_eq!(kept.requests.len(), 34);
    let refused = kept.requests.iter().filter(|entry| entry.status == Some(401)).count();
    assert_eq!(refused, 0, "nobody was sent off with the old token");
    let tokens: BTreeSet<_> =
        vendor.seen().iter().filter(|seen| seen.path.ends_with("/details")).map(|seen| seen.authorization.clone()).collect();
    assert_eq!(tokens.len(), 1);
}

/// How many renewals a scan of three requests makes when that much time passes before each.
async fn renewals(lasts: i64, says: Option<i64>, pause: u64) -> usize {
    let clock = TestClock::new();
    let books = Arc::new(Books { lasts, says, ..Books::open(&clock) });
    let (by, jumping) = (books.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| {
        if seen.path == TOKEN_PATH {
            return by.exchange(seen);
        }
        if !by.admits(seen) {
            return status(401, json!({}));
        }
        if seen.path == "/v1/me" {
            jumping.jump(Duration::from_secs(pause));
            return me();
        }
        list_of(1)
    })
    .await;
    let app = exchanging(strategy(), vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
    let kept = scan(&session, &app).await;
    assert_eq!(kept.finished["users"], Completeness::Complete, "{lasts} {says:?} {pause}");
    books.exchanges() - 1
}

#[tokio::test]
async fn a_token_is_renewed_a_minute_before_its_end() {
    // Seconds that it lasts, what the answer says, seconds that pass, renewals.
    for (lasts, says, pause, expected) in [
        (3600, Some(3600), 3530, 0),
        (3600, Some(3600), 3541, 1),
        // The token's own end is earlier than what the answer says, and counts.
        (600, Some(3600), 530, 0),
        (600, Some(3600), 541, 1),
        // What the answer says is earlier, and counts.
        (3600, Some(600), 541, 1),
        // Only the token says.
        (3600, None, 3541, 1),
        // A short life is used for a half.
        (60, Some(60), 29, 0),
        (60, Some(60), 31, 1),
    ] {
        assert_eq!(renewals(lasts, says, pause).await, expected, "{lasts} {says:?} {pause}");
    }
}

#[tokio::test]
async fn the_end_of_a_token_is_read_by_the_vendors_clock() {
    // Ours is three hours ahead: by it, each token would have ended long ago.
    let clock = TestClock::new();
    let exchanges = Arc::new(Mutex::new(0));
    let (count, theirs) = (exchanges.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| {
        if seen.path != TOKEN_PATH {
            return if seen.path == "/v1/me" { me() } else { list_of(1) };
        }
        *count.lock().unwrap() += 1;
        let now = theirs.now() - jiff::SignedDuration::from_hours(3);
        let token = token_with(&json!({"exp": now.as_second() + 3600}));
        ok(json!({"access_token": token, "token_type": "Bearer", "scope": "read_only"})).header("date", httpdate::fmt_http_date(now.into()))
    })
    .await;
    let app = exchanging(strategy(), vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
    scan(&session, &app).await;
    assert_eq!(*exchanges.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_where_it_was_near_its_end() {
    // Minutes that pass, whether the vendor takes the new token, exchanges in all, requests for the list, complete.
    for (pause, forgives, exchanges, asked, complete) in
        [(0, true, 1, 1, false), (50, true, 1, 1, false), (57, true, 2, 2, true), (57, false, 2, 2, false)]
    {
        let clock = TestClock::new();
        let books = Arc::new(Books::open(&clock));
        let (by, jumping) = (books.clone(), clock.clone());
        let vendor = Vendor::start(move |seen| match seen.path.as_str() {
            TOKEN_PATH => by.exchange(seen),
            "/v1/me" => {
                jumping.jump(Duration::from_secs(pause * 60));
                me()
            }
            // The first token is taken back early.
            _ if by.exchanges() > 1 && forgives && by.admits(seen) => list_of(1),
            _ => status(401, json!({})),
        })
        .await;
        let app = exchanging(strategy(), vec![dataset("users", DatasetKind::List, "/v1/users")]);
        let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
        let kept = scan(&session, &app).await;
        assert_eq!(books.exchanges(), exchanges, "after {pause} minutes");
        assert_eq!(vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count(), asked, "after {pause} minutes");
        match &kept.finished["users"] {
            Completeness::Complete => assert!(complete),
            Completeness::Unavailable(cause) => {
                assert!(!complete);
                assert_eq!(cause.kind, CauseKind::CredentialRefused);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_vendor_that_refuses_new_tokens_too_is_not_asked_for_one_at_every_request() {
    // Which lists are answered; a token of two minutes is always near its end. One at a time.
    for (answered, renewals) in [("", 1), ("b", 2), ("bc", 2), ("bd", 2), ("abcd", 0)] {
        let clock = TestClock::new();
        let books = Arc::new(Books { lasts: 120, says: Some(120), ..Books::open(&clock) });
        let by = books.clone();
        let vendor = Vendor::start(move |seen| match seen.path.as_str() {
            TOKEN_PATH => by.exchange(seen),
            "/v1/me" => me(),
            path if answered.contains(&path[path.len() - 1..]) => list_of(1),
            _ => status(401, json!({})),
        })
        .await;
        let lists: Vec<_> = ["a", "b", "c", "d"].iter().map(|id| dataset(id, DatasetKind::List, &format!("/v1/{id}"))).collect();
        let mut app = exchanging(strategy(), lists);
        for dataset in &mut app.datasets {
            dataset.politeness.concurrency = 1;
            dataset.politeness.per_second = 0;
        }
        let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
        for id in ["a", "b", "c", "d"] {
            read(&session, &app, &[id]).await;
        }
        assert_eq!(books.exchanges() - 1, renewals, "{answered}");
    }
}

#[tokio::test]
async fn a_renewal_that_is_refused_is_the_cause_and_not_repeated() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let (by, jumping) = (books.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        TOKEN_PATH if by.exchanges() == 0 => by.exchange(seen),
        TOKEN_PATH => status(401, json!({"error": "invalid_client"})),
        "/v1/me" => {
            jumping.jump(Duration::from_secs(7200));
            me()
        }
        _ => list_of(1),
    })
    .await;
    let lists: Vec<_> = ["a", "b", "c", "d"].iter().map(|id| dataset(id, DatasetKind::List, &format!("/v1/{id}"))).collect();
    let app = exchanging(strategy(), lists);
    let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
    let kept = read(&session, &app, &["a", "b", "c", "d"]).await;
    for id in ["a", "b", "c", "d"] {
        let Completeness::Unavailable(cause) = &kept.finished[id] else { panic!("{:?}", kept.finished[id]) };
        assert_eq!(cause.kind, CauseKind::CredentialRefused);
        assert!(cause.sentence.contains("refused the credential when it was to be exchanged"), "{}", cause.sentence);
    }
    let seen = vendor.seen();
    assert_eq!(seen.iter().filter(|seen| seen.path == TOKEN_PATH).count(), 2, "a refused secret is not sent again");
    assert_eq!(seen.len(), 3, "nothing was asked with a token that had ended");
}

#[tokio::test]
async fn a_renewal_that_falters_is_made_again() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let asked = Arc::new(Mutex::new(0));
    let (by, jumping, counted) = (books.clone(), clock.clone(), asked.clone());
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        TOKEN_PATH => {
            let mut asked = counted.lock().unwrap();
            *asked += 1;
            if matches!(*asked, 2 | 3) { status(503, json!({})) } else { by.exchange(seen) }
        }
        _ if !by.admits(seen) => status(401, json!({})),
        "/v1/me" => {
            jumping.jump(Duration::from_secs(7200));
            me()
        }
        _ => list_of(1),
    })
    .await;
    let app = exchanging(strategy(), vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
    let kept = scan(&session, &app).await;
    assert_eq!(kept.finished["users"], Completeness::Complete);
    assert_eq!(*asked.lock().unwrap(), 4);
}

#[tokio::test]
async fn a_renewal_that_fails_fails_for_all_who_waited() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let (by, jumping) = (books.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        TOKEN_PATH if by.exchanges() == 0 => by.exchange(seen),
        TOKEN_PATH => status(503, json!({})).after(Duration::from_millis(100)),
        _ if !by.admits(seen) => status(401, json!({})),
        "/v1/users" => {
            jumping.jump(Duration::from_secs(7200));
            list_of(32)
        }
        "/v1/me" => me(),
        _ => list_of(1),
    })
    .await;
    let (app, datasets) = many(32);
    let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
    let kept = read(&session, &app, &datasets).await;
    let Completeness::Unavailable(cause) = &kept.finished["details"] else { panic!("{:?}", kept.finished["details"]) };
    assert_eq!(cause.kind, CauseKind::VendorError);
    // One for the first of them all and one for each time that they try again, not one for each request.
    let renewals = vendor.seen().iter().filter(|seen| seen.path == TOKEN_PATH).count() - 1;
    assert!((4..=12).contains(&renewals), "{renewals} renewals for 32 requests");
    assert!(vendor.seen().iter().all(|seen| !seen.path.ends_with("/details")), "nothing was asked with a token that had ended");
}

#[tokio::test]
async fn a_token_that_still_works_is_used_while_its_renewal_falters() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let (by, jumping) = (books.clone(), clock.clone());
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        TOKEN_PATH if by.exchanges() == 0 => by.exchange(seen),
        TOKEN_PATH => status(500, json!({})),
        _ if !by.admits(seen) => status(401, json!({})),
        "/v1/me" => {
            jumping.jump(Duration::from_secs(3560));
            me()
        }
        _ => list_of(1),
    })
    .await;
    let (app, datasets) = many(8);
    let session = signing(&app, &vendor.route(), clock, &[]).await.result.unwrap();
    let kept = read(&session, &app, &datasets).await;
    assert!(kept.finished.values().all(|completeness| *completeness == Completeness::Complete), "{:?}", kept.finished);
    assert_eq!(vendor.seen().iter().filter(|seen| seen.path == TOKEN_PATH).count(), 2, "and the endpoint is left alone for a while");
}

/// A vendor with two regions: which of them exchange the secret, which take the token, and what each says of the tenant.
async fn regions(exchanging: &'static [&'static str], taking: &'static [&'static str], says: fn(&str) -> Value) -> Vendor {
    Vendor::start(move |seen| {
        let host = seen.host.as_str();
        if seen.path == TOKEN_PATH {
            return if exchanging.contains(&host) {
                ok(json!({"access_token": format!("token-of-{host}"), "token_type": "Bearer", "scope": "read_only", "expires_in": 3600}))
            } else {
                status(401, json!({"errors": [{"detail": "unauthorized"}]}))
            };
        }
        if !taking.contains(&host) {
            return status(401, json!({}));
        }
        assert_eq!(seen.authorization, Some(format!("Bearer token-of-{host}")), "each region sees its own token alone");
        ok(json!({"data": {"id": 7, "name": "Scanner", "data_center": says(host)}}))
    })
    .await
}

fn asked(vendor: &Vendor) -> Vec<(String, String)> {
    vendor.seen().iter().map(|seen| (seen.host.clone(), seen.path.clone())).collect()
}

fn path_of(host: &str, path: &str) -> (String, String) {
    (host.to_owned(), path.to_owned())
}

#[tokio::test]
async fn the_region_is_found() {
    let both: &[&str] = &[HOST, EU];
    let (exchange_us, me_us, exchange_eu, me_eu) =
        (path_of(HOST, TOKEN_PATH), path_of(HOST, "/v1/me"), path_of(EU, TOKEN_PATH), path_of(EU, "/v1/me"));
    let table: Vec<(&str, Vendor, Vec<_>, &str)> = vec![
        ("us, at once", regions(both, both, |_| json!("us")).await, vec![exchange_us.clone(), me_us.clone()], HOST),
        (
            "eu, as us says",
            regions(both, both, |_| json!("eu")).await,
            vec![exchange_us.clone(), me_us.clone(), exchange_eu.clone(), me_eu.clone()],
            EU,
        ),
        (
            "in other letters",
            regions(both, both, |_| json!(" EU")).await,
            vec![exchange_us.clone(), me_us.clone(), exchange_eu.clone(), me_eu.clone()],
            EU,
        ),
        (
            "us does not exchange it",
            regions(&[EU], both, |_| json!("eu")).await,
            vec![exchange_us.clone(), exchange_eu.clone(), me_eu.clone()],
            EU,
        ),
        (
            "us does not take the token",
            regions(both, &[EU], |_| json!("eu")).await,
            vec![exchange_us.clone(), me_us.clone(), exchange_eu.clone(), me_eu.clone()],
            EU,
        ),
    ];
    for (what, vendor, requests, host) in table {
        let Signing { result, steps } = signing(&discovering(), &vendor.route(), TestClock::new(), &[("region", "auto")]).await;
        let session = result.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(asked(&vendor), requests, "{what}");
        assert_eq!(session.hosts(), [host], "{what}");
        assert_eq!(steps.iter().filter(|step| **step == SignInStep::Accepted).count(), 1, "{what}");
        assert_eq!(steps.iter().filter(|step| **step == SignInStep::FieldsChecked).count(), 1, "{what}");
        assert!(vendor.connections().iter().all(|host| [HOST, EU].contains(&host.as_str())));
    }
}

#[tokio::test]
async fn what_says_nothing_of_the_region_ends_in_words() {
    let both: &[&str] = &[HOST, EU];
    let table: Vec<(&str, Vendor, &str, usize)> = vec![
        ("refused in both", regions(&[], &[], |_| json!("us")).await, "E-KEY-REFUSED", 2),
        ("a region that nobody knows", regions(both, both, |_| json!("mars")).await, "E-REGION-UNKNOWN", 2),
        ("the word for open", regions(both, both, |_| json!("auto")).await, "E-REGION-UNKNOWN", 2),
        ("a host", regions(both, both, |_| json!("api.elsewhere.example")).await, "E-REGION-UNKNOWN", 2),
        ("nothing", regions(both, both, |_| json!(null)).await, "E-REGION-UNKNOWN", 2),
        ("a list", regions(both, both, |_| json!(["us"])).await, "E-REGION-UNKNOWN", 2),
        ("each says the other", regions(both, both, |host| json!(if host == HOST { "eu" } else { "us" })).await, "E-REGION-UNKNOWN", 4),
        ("eu does not take what us sends there", regions(&[HOST], both, |_| json!("eu")).await, "E-KEY-REFUSED", 3),
    ];
    for (what, vendor, code, requests) in table {
        let error = signing(&discovering(), &vendor.route(), TestClock::new(), &[("region", "auto")]).await.refused();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert_eq!(asked(&vendor).len(), requests, "{what}");
        if code == "E-REGION-UNKNOWN" {
            assert_eq!(error.remedy(), "Choose the right one in the field Region instead of leaving it open.");
        }
        assert!(vendor.connections().iter().all(|host| [HOST, EU].contains(&host.as_str())), "{what}");
    }
    // Only a refused credential is a reason to ask elsewhere.
    let vendor = Vendor::start(|seen| if seen.path == TOKEN_PATH { status(500, json!({})) } else { me() }).await;
    assert_eq!(signing(&discovering(), &vendor.route(), TestClock::new(), &[("region", "auto")]).await.refused().code(), "E-VENDOR-ERROR");
    assert_eq!(vendor.connections(), [HOST]);
}

#[tokio::test]
async fn a_region_that_was_chosen_is_not_looked_for() {
    let both: &[&str] = &[HOST, EU];
    let vendor = regions(both, both, |_| json!("us")).await;
    let session = signing(&discovering(), &vendor.route(), TestClock::new(), &[("region", "eu")]).await.result.unwrap();
    assert_eq!(session.hosts(), [EU]);
    assert_eq!(asked(&vendor), [path_of(EU, TOKEN_PATH), path_of(EU, "/v1/me")]);
}

#[test]
fn an_open_region_allows_the_hosts_of_all_of_them() {
    let mut app = discovering();
    let inputs = BTreeMap::from([("region".to_owned(), "auto".to_owned())]);
    let hosts = app.logins[0].resolve(&inputs).unwrap();
    assert_eq!(hosts.allowed, BTreeSet::from([HOST.to_owned(), EU.to_owned()]));
    assert_eq!(hosts.roles["api"].0, HOST);
    app.logins[0].roles.push(HostRole { id: "web".into(), hosts: vec!["web.vendor.example".into()], prefix: String::new() });
    assert!(app.logins[0].resolve(&inputs).is_err(), "a role outside of the hosts stays refused");
}

#[tokio::test]
async fn a_token_that_could_not_be_renewed_for_a_moment_is_not_a_refused_credential() {
    let clock = TestClock::new();
    let books = Arc::new(Books::open(&clock));
    let away = Arc::new(Mutex::new(false));
    let (by, by_away) = (books.clone(), away.clone());
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        TOKEN_PATH if *by_away.lock().unwrap() => status(503, json!({})),
        TOKEN_PATH => by.exchange(seen),
        _ if !by.admits(seen) => status(401, json!({})),
        "/v1/me" => me(),
        _ => ok(json!({"data": [{"id": 1, "name": "One"}]})),
    })
    .await;
    let app = exchanging(strategy(), vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let session = signing(&app, &vendor.route(), clock.clone(), &[]).await.result.unwrap();
    let scanned = async || {
        let kept = scan(&session, &app).await;
        kept.finished["users"].clone()
    };
    // By the vendor's clock the token has ended already; by ours it is not renewed yet.
    clock.jump(Duration::from_secs(3600 - 200));
    books.given.lock().unwrap().clear();
    *away.lock().unwrap() = true;
    for round in 0..3 {
        let Completeness::Unavailable(cause) = scanned().await else { panic!("read without a token") };
        assert_eq!(cause.kind, CauseKind::VendorError, "{round}: {cause:?}");
    }
    *away.lock().unwrap() = false;
    assert_eq!(scanned().await, Completeness::Complete, "the credential was never refused");
}
