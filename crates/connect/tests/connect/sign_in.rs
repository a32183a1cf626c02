//! Signing in over real HTTPS: what is trusted, what is refused, what is said, and what is never sent.
use crate::vendor;

use posture_connect::{
    Credentials, Hints, Limits, PROXY_PASSWORD, PROXY_USER, Proxy, Route, SANDBOX_ORGANIZATION, SignInStep, SystemClock, hints, sign_in,
};
use secrecy::SecretString;
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use vendor::{
    Body, Certificates, HOST, Reply, TOKEN, TestClock, Vendor, app, credentials, inputs, me_and, ok, small, status, try_sign_in,
    try_sign_in_with,
};

async fn refused(vendor: &Vendor, route: &Route) -> posture_connect::ConnectError {
    let error = match try_sign_in(&app(vec![]), route, small(), TestClock::new(), &[]).await {
        Ok(_) => panic!("signed in"),
        Err(error) => error,
    };
    for request in vendor.seen() {
        assert_eq!(request.host, HOST);
    }
    error
}

#[tokio::test]
async fn a_right_key_signs_in_and_only_the_vendor_sees_it() {
    let vendor = Vendor::start(me_and(|_| status(404, json!({})))).await;
    let steps = Mutex::new(Vec::new());
    let events = |step: SignInStep| steps.lock().unwrap().push(step);
    let app = app(vec![]);
    let session =
        try_sign_in_with(&app, &vendor.route(), small(), Arc::new(SystemClock), &inputs(&[]), &credentials(), &events).await.unwrap();
    assert_eq!(session.hosts(), [HOST]);
    assert_eq!(session.ends(), Some(("2030-01-01T00:00:00Z".parse().unwrap(), posture_connect::ExpiresBy::Vendor)));
    let seen = vendor.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].authorization.as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str(), seen[0].query.as_str(), seen[0].cookie), ("GET", "/v1/me", "", false));
    let steps = steps.into_inner().unwrap();
    assert!(
        matches!(
            steps.as_slice(),
            [
                SignInStep::FieldsChecked,
                SignInStep::HostsResolved { .. },
                SignInStep::Asking { .. },
                SignInStep::Requested { .. },
                SignInStep::Accepted
            ]
        ),
        "{steps:?}"
    );
    let told = serde_json::to_string(&steps).unwrap();
    assert!(!told.contains(&TOKEN[40..60]), "the key is told to nobody");
}

#[tokio::test]
async fn an_unknown_authority_is_named_and_the_key_is_not_sent() {
    let vendor = Vendor::start(me_and(|_| ok(json!({})))).await;
    let error = refused(&vendor, &Route { extra_roots_pem: vec![], ..vendor.route() }).await;
    assert_eq!(error.code(), "E-TLS-UNKNOWN-CA");
    assert_eq!(
        error.to_string(),
        "The connection to api.vendor.example is not trusted. Its certificate was issued by \"Halden Moor Inspection CA\", which this computer does not know; the key was not sent."
    );
    assert!(error.remedy().contains("certificate file"));
    assert_eq!(vendor.seen().len(), 0);
    // With that authority added, the same way works.
    assert!(try_sign_in(&app(vec![]), &vendor.route(), small(), TestClock::new(), &[]).await.is_ok());
}

#[tokio::test]
async fn bad_certificates_are_told_apart() {
    for (certificates, code, words) in
        [(Certificates::Expired, "E-TLS-EXPIRED", "has expired"), (Certificates::WrongHost, "E-TLS-WRONG-HOST", "is for another host")]
    {
        let vendor = Vendor::with("CA", "Halden Moor", certificates, None, me_and(|_| ok(json!({})))).await;
        let error = refused(&vendor, &vendor.route()).await;
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(vendor.seen().len(), 0);
    }
}

#[tokio::test]
async fn a_sandbox_authority_opens_sandbox_routes_alone() {
    let vendor = Vendor::with("Sandbox CA", SANDBOX_ORGANIZATION, Certificates::Good, None, me_and(|_| ok(json!({})))).await;
    // Not added to the route: refused by its mark, whatever the computer's store holds.
    let error = refused(&vendor, &Route { extra_roots_pem: vec![], ..vendor.route() }).await;
    assert_eq!(error.code(), "E-TLS-SANDBOX-CA");
    // Added to the route as if it were a company's: refused before anything is opened.
    let before = vendor.connections().len();
    assert_eq!(refused(&vendor, &vendor.route()).await.code(), "E-ROUTE-INVALID");
    assert_eq!(vendor.connections().len(), before);
    let route = Route::sandbox(vendor.address, &vendor.authority_pem).unwrap();
    assert!(try_sign_in(&app(vec![]), &route, small(), TestClock::new(), &[]).await.is_ok());
}

#[tokio::test]
async fn a_sandbox_route_goes_nowhere_else() {
    let vendor = Vendor::start(me_and(|_| ok(json!({})))).await;
    assert_eq!(Route::sandbox("192.0.2.1:3128".parse().unwrap(), &vendor.authority_pem).unwrap_err().code(), "E-ROUTE-INVALID");
    assert_eq!(
        Route::sandbox(vendor.address, &vendor.authority_pem).unwrap_err().code(),
        "E-ROUTE-INVALID",
        "another authority is no sandbox's"
    );
    let sandbox = Vendor::with("Sandbox CA", SANDBOX_ORGANIZATION, Certificates::Good, None, me_and(|_| ok(json!({})))).await;
    let route = Route::sandbox(sandbox.address, &sandbox.authority_pem).unwrap();
    for proxy in [
        Proxy::None,
        Proxy::System,
        Proxy::Environment,
        Proxy::Manual { url: "http://192.0.2.1:3128".into() },
        Proxy::Manual { url: "http://proxy.example:3128".into() },
    ] {
        let error = refused(&sandbox, &Route { proxy, ..route.clone() }).await;
        assert_eq!(error.code(), "E-ROUTE-INVALID");
    }
    // A real authority behind the sandbox's proxy is not trusted on the sandbox's route either.
    let mixed = Route { proxy: vendor.route().proxy, ..route };
    assert_eq!(refused(&vendor, &mixed).await.code(), "E-TLS-UNKNOWN-CA");
}

#[tokio::test]
async fn proxies_hosts_and_names_that_fail_are_told_apart() {
    let vendor = Vendor::start(me_and(|_| ok(json!({})))).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let manual = |url: String| Route { proxy: Proxy::Manual { url }, ..vendor.route() };
    let error = refused(&vendor, &manual(format!("http://{address}"))).await;
    assert_eq!(error.code(), "E-PROXY-UNREACHABLE");
    assert!(error.to_string().contains("refuses connections") && error.to_string().contains("the key was not sent"), "{error}");
    let error = refused(&vendor, &manual("http://proxy.invalid:3128".into())).await;
    assert_eq!(error.code(), "E-PROXY-UNREACHABLE", "{error}");
    for url in ["ftp://x", "proxy", "http://user:pw@proxy.example:1"] {
        let error = refused(&vendor, &manual(url.into())).await;
        assert_eq!(error.code(), "E-ROUTE-INVALID", "{url}");
        assert!(!error.to_string().contains("pw@"));
    }
    for (answer, code) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "E-PROXY-CREDENTIALS"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "E-PROXY-REFUSED"),
        ("garbage", "E-PROXY-REFUSED"),
    ] {
        let vendor = Vendor::with("CA", "Halden Moor", Certificates::Good, Some(answer), me_and(|_| ok(json!({})))).await;
        assert_eq!(refused(&vendor, &vendor.route()).await.code(), code, "{answer}");
    }
    let error = refused(&vendor, &Route { proxy: Proxy::None, ..vendor.route() }).await;
    assert_eq!(error.code(), "E-HOST-NOT-FOUND", "{error}");
    let mut local = app(vec![]);
    local.logins[0].fields[1].choices[0].host = Some("localhost".into());
    let error = match try_sign_in(&local, &Route { proxy: Proxy::None, ..vendor.route() }, small(), TestClock::new(), &[]).await {
        Ok(_) => panic!("signed in"),
        Err(error) => error,
    };
    assert!(["E-HOST-UNREACHABLE", "E-HOST-INVALID"].contains(&error.code()), "nothing listens on port 443 here: {error}");
}

#[tokio::test]
async fn a_proxy_gets_its_own_credentials_and_not_the_key() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut line, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = tokio::io::AsyncReadExt::read(&mut line, &mut head).await.unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    let mut credentials = credentials();
    credentials.insert(PROXY_USER.into(), SecretString::from("ada"));
    credentials.insert(PROXY_PASSWORD.into(), SecretString::from("pw"));
    let route = Route { proxy: Proxy::Manual { url: format!("http://{address}") }, ..Route::default() };
    let result = try_sign_in_with(&app(vec![]), &route, small(), TestClock::new(), &inputs(&[]), &credentials, &|_| {}).await;
    assert!(result.is_err());
    let head = heard.await.unwrap();
    assert!(head.starts_with("CONNECT api.vendor.example:443"), "{head}");
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic ywrhonb3"), "{head}");
    assert!(!head.contains(&TOKEN[..20]));
}

#[tokio::test]
async fn a_refused_key_says_what_the_key_tells_about_itself() {
    let vendor = Vendor::start(|_| status(401, json!({"errors": [{"code": "unauthorized"}]}))).await;
    let error = refused(&vendor, &vendor.route()).await;
    assert_eq!(error.code(), "E-KEY-REFUSED");
    assert_eq!(
        error.to_string(),
        "Vendor refused the key (401). It may have expired, or belong to another region: this key was made for EU."
    );
    assert_eq!(error.remedy(), "Choose EU, or create a new key.");
    assert_eq!(vendor.seen().len(), 1, "a refused key is not sent again");

    // {"exp":1577836800}: the first day of 2020.
    let expired = Credentials::from([("api_key".into(), SecretString::from("eyJhbGciOiJub25lIn0.eyJleHAiOjE1Nzc4MzY4MDB9.c2ln"))]);
    let error = match try_sign_in_with(&app(vec![]), &vendor.route(), small(), TestClock::new(), &inputs(&[]), &expired, &|_| {}).await {
        Ok(_) => panic!("signed in"),
        Err(error) => error,
    };
    assert_eq!(error.to_string(), "Vendor refused the key (401). It expired on 1 Jan 2020.");
}

#[tokio::test]
async fn what_is_malformed_or_missing_never_leaves() {
    let vendor = Vendor::start(me_and(|_| ok(json!({})))).await;
    let app = app(vec![]);
    let key = |text: &str| Credentials::from([("api_key".to_owned(), SecretString::from(text))]);
    let cases = [
        (inputs(&[]), key("not-a-key-SECRET"), "E-KEY-MALFORMED"),
        (inputs(&[]), key(&format!("{TOKEN}\u{7}")), "E-KEY-MALFORMED"),
        (inputs(&[]), key("  "), "E-FIELD-MISSING"),
        (inputs(&[]), Credentials::new(), "E-FIELD-MISSING"),
        (inputs(&[("region", "mars")]), credentials(), "E-FIELD-MALFORMED"),
        (inputs(&[("organization", "evil.example/")]), credentials(), "E-FIELD-MALFORMED"),
        (Default::default(), credentials(), "E-FIELD-MISSING"),
    ];
    for (inputs, credentials, code) in cases {
        let error = match try_sign_in_with(&app, &vendor.route(), small(), TestClock::new(), &inputs, &credentials, &|_| {}).await {
            Ok(_) => panic!("signed in instead of {code}"),
            Err(error) => error,
        };
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().ends_with("Nothing was sent."), "{error}");
        assert!(!format!("{error} {error:?} {}", error.remedy()).contains("SECRET"), "{error:?}");
    }
    assert_eq!(vendor.connections(), Vec::<String>::new());
}

/// What comes in place of an answer, by the code that it gets.
#[tokio::test]
async fn the_table_of_faults() {
    let deep = "[".repeat(100_000);
    let nested = |levels: usize| format!("{{\"data\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let text = |body: &str| ok(json!(null)).body(Body::Whole(body.as_bytes().to_vec()));
    let table: Vec<(&str, Reply, &str)> = vec![
        ("401", status(401, json!({})), "E-KEY-REFUSED"),
        ("402", status(402, json!({})), "E-PLAN-LACKS"),
        ("403", status(403, json!({})), "E-SCOPE-MISSING"),
        ("404", status(404, json!({})), "E-VENDOR-ERROR"),
        ("429 for longer than a scan waits", status(429, json!({})).header("retry-after", "3600"), "E-RATE-LIMITED"),
        ("500", status(500, json!({})), "E-VENDOR-ERROR"),
        ("418", status(418, json!({})), "E-VENDOR-ERROR"),
        ("204", status(204, json!(null)).body(Body::Whole(vec![])), "E-NOT-UNDERSTOOD"),
        ("206", status(206, json!({"data": {}})), "E-NOT-UNDERSTOOD"),
        ("a redirect to the same host", status(302, json!({})).header("location", "https://api.vendor.example/v1/other"), "E-REDIRECTED"),
        ("a redirect to another host", status(307, json!({})).header("location", "https://evil.example/"), "E-REDIRECTED"),
        ("a web page", text("<html>Sign in</html>").kind("text/html; charset=utf-8"), "E-NOT-JSON"),
        ("another kind", text("a,b").kind("text/csv"), "E-NOT-JSON"),
        ("half a JSON", text("{\"data\": {\"id\": 1, \"na"), "E-NOT-JSON"),
        ("text", text("hello"), "E-NOT-JSON"),
        ("nothing", text(" "), "E-NOT-JSON"),
        ("JSON and more", text("{\"data\":{}} {}"), "E-NOT-JSON"),
        ("100,000 levels", text(&deep), "E-TOO-DEEP"),
        ("one level too many", text(&nested(127)), "E-TOO-DEEP"),
        ("the deepest that is read", text(&nested(126)), "E-NOT-UNDERSTOOD"),
        ("an endless body", ok(json!(null)).body(Body::Endless(vec![b' '; 4096])), "E-TOO-LARGE"),
        ("an endless refusal", status(404, json!(null)).body(Body::Endless(vec![b' '; 4096])), "E-VENDOR-ERROR"),
        ("a cut body", ok(json!(null)).body(Body::Cut(b"{\"data\":".to_vec())), "E-CONNECTION-CUT"),
        ("a body that stops", ok(json!(null)).body(Body::Hang(b"{\"data\":".to_vec())), "E-TIMEOUT"),
        ("no answer", ok(json!({"data": {}})).after(Duration::from_secs(30)), "E-TIMEOUT"),
        ("no object where one should be", ok(json!({"data": []})), "E-NOT-UNDERSTOOD"),
    ];
    for (what, reply, code) in table {
        let vendor = Vendor::start(move |_| reply.clone()).await;
        let error = refused(&vendor, &vendor.route()).await;
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(!error.to_string().is_empty() && !error.to_string().contains('\n'));
        assert!(vendor.connections().iter().all(|host| host == HOST), "{what}: nothing but the vendor was asked");
    }
}

#[tokio::test]
async fn the_size_of_a_page_is_counted_after_decompression() {
    // 10 MB of spaces, gzip.
    let bomb = include_bytes!("spaces.json.gz").to_vec();
    let vendor = Vendor::start(move |_| ok(json!(null)).header("content-encoding", "gzip").body(Body::Whole(bomb.clone()))).await;
    assert_eq!(refused(&vendor, &vendor.route()).await.code(), "E-TOO-LARGE");
}

#[test]
fn hints_are_read_on_this_computer() {
    let app = app(vec![]);
    let read = hints(&app.logins[0], &credentials());
    assert_eq!(
        read,
        Hints {
            organization: Some("halden".into()),
            roles: vec!["a.read".into()],
            issued_at: None,
            expires_at: Some("2030-01-01T00:00:00Z".parse().unwrap()),
            expires_by: Some(posture_connect::ExpiresBy::Vendor),
            made_for: Some("EU".into()),
            missing: vec![],
            granted: Some(posture_connect::Granted { told_by: posture_connect::ToldBy::TokenClaims, scopes: vec!["a.read".into()] }),
        }
    );
    for text in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.bnVsbA.x", "..."] {
        let credentials = Credentials::from([("api_key".into(), SecretString::from(text))]);
        assert_eq!(hints(&app.logins[0], &credentials), Hints::default(), "{text}");
    }
}

#[tokio::test]
async fn a_session_can_be_dropped_while_it_is_signing_in() {
    let vendor = Vendor::start(|_| ok(json!({"data": {}})).after(Duration::from_secs(60))).await;
    let app = app(vec![]);
    let (route, inputs, credentials) = (vendor.route(), inputs(&[]), credentials());
    let signing = sign_in(posture_connect::SignIn {
        app: &app,
        login: &app.logins[0],
        inputs: &inputs,
        credentials: &credentials,
        route: &route,
        limits: Limits::default(),
        clock: Arc::new(SystemClock),
        ledger: Arc::new(vendor::MemoryLedger::default()),
        browser: Arc::new(posture_connect::NoBrowser),
        cancel: tokio_util::sync::CancellationToken::new(),
        events: &|_| {},
    });
    assert!(tokio::time::timeout(Duration::from_millis(500), signing).await.is_err());
}

#[tokio::test]
async fn a_test_dataset_behind_a_role_says_which_one() {
    let vendor = Vendor::start(|_| status(403, json!({}))).await;
    let error = refused(&vendor, &vendor.route()).await;
    assert_eq!(error.to_string(), "The me could not be read. The key lacks me.read (403).");
    assert_eq!(error.remedy(), "Create a new key that also has me.read, and replace the stored one.");
}
