//! Microsoft Entra ID as a user: in the browser with PKCE, by device code, and without either by the refresh token that an
//! earlier sign-in left.
use crate::browser::{Act, Person, SignInPage, raw, visit};
use crate::entry::{Signing, scan};
use crate::microsoft;
use crate::vendor;

use catalog::{App, CauseKind, Completeness, DatasetKind, EntraFlow};
use jiff::SignedDuration;
use microsoft::{AUTHORITY, HOSTILE, Microsoft, Settings, TENANT, entra, refusal, signing};
use posture_connect::{Clock, NoBrowser, RequestClass, Session, SignInStage, SignInStep, SystemClock};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use secrecy::ExposeSecret;
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use vendor::{Body, Reply, TestClock, Vendor, dataset, ok, status};

const REFRESH: &str = "entra_refresh_token";

fn in_browser() -> App {
    entra(EntraFlow::Browser, vec![dataset("users", DatasetKind::List, "/v1/users")])
}

fn by_device() -> App {
    entra(EntraFlow::DeviceCode, vec![dataset("users", DatasetKind::List, "/v1/users")])
}

/// Signs in in the browser by the computer's own clock, because a person takes real time.
async fn browsing(vendor: &Vendor, user: &Arc<Person<Microsoft>>) -> Signing {
    signing(&in_browser(), vendor, TENANT, &[], Arc::new(SystemClock), user.clone()).await
}

async fn typing(vendor: &Vendor, clock: &Arc<TestClock>) -> Signing {
    signing(&by_device(), vendor, TENANT, &[], clock.clone(), Arc::new(NoBrowser)).await
}

fn keepsake(session: &Session) -> String {
    session.keepsakes()[REFRESH].expose_secret().to_owned()
}

#[tokio::test]
async fn a_user_signs_in_in_the_browser() {
    let microsoft = Microsoft::new(Arc::new(SystemClock));
    let vendor = microsoft.start().await;
    let user = Person::who(&microsoft, Act::SignsIn);
    let Signing { result, steps } = browsing(&vendor, &user).await;
    let session = result.unwrap();
    assert_eq!(microsoft.wrong(), Vec::<String>::new());
    assert_eq!(keepsake(&session), "0.refresh-token-number-1");
    assert_eq!(session.keepsakes().len(), 1);
    assert_eq!(session.ends(), None);
    assert_eq!(session.hints().roles, ["Policy.Read.All", "User.Read"]);
    let stages: Vec<SignInStage> =
        steps.iter().filter_map(|step| if let SignInStep::Stage { stage, .. } = step { Some(*stage) } else { None }).collect();
    assert_eq!(stages, [SignInStage::Organization, SignInStage::Browser, SignInStage::Token]);
    let visit = steps
        .iter()
        .find_map(|step| if let SignInStep::Visit { address, code, until } = step { Some((address, code, until)) } else { None });
    let (address, code, until) = visit.unwrap();
    assert_eq!(*address, user.opened.lock().unwrap()[0].to_string(), "what is shown is what was opened");
    assert_eq!(*code, None);
    let left = until.duration_since(SystemClock.now());
    assert!(left > SignedDuration::from_secs(200) && left <= SignedDuration::from_secs(300));

    // The page: in our words, with nothing that runs and nothing of the request.
    let pages = user.pages(1).await;
    let [page] = pages.as_slice() else { panic!("{pages:?}") };
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("Posture Console") && page.contains("close it"));
    let lower = page.to_lowercase();
    for never in ["<script", "http://", "https://", "axwa-code", "<img", "<style", "<link"] {
        assert!(!lower.contains(never), "{never}: {page}");
    }
    assert!(lower.contains("content-security-policy: default-src 'none'") && lower.contains("cache-control: no-store"));
    // The port is closed after one answer.
    assert_eq!(self::visit(user.port().unwrap(), "/?code=x&state=y").await, "");

    // Neither code nor verifier nor token stands in what is told; the code was redeemed once, without a secret.
    let told = serde_json::to_string(&steps).unwrap();
    for secret in ["AXwA-code", "refresh-token-number", &microsoft.tokens()[0]] {
        assert!(!told.contains(secret), "{secret}");
    }
    let redeemed: Vec<_> = vendor.seen().into_iter().filter(|seen| seen.path.ends_with("/token")).collect();
    assert_eq!(redeemed.len(), 1);
    assert!(redeemed[0].body.contains("grant_type=authorization_code") && !redeemed[0].body.contains("client_secret"));
}

#[tokio::test]
async fn two_sign_ins_share_nothing() {
    let microsoft = Microsoft::new(Arc::new(SystemClock));
    let vendor = microsoft.start().await;
    let user = Person::who(&microsoft, Act::SignsIn);
    for _ in 0..2 {
        browsing(&vendor, &user).await.result.unwrap();
    }
    let opened = user.opened.lock().unwrap().clone();
    for name in ["state", "code_challenge", "redirect_uri"] {
        let values: Vec<String> =
            opened.iter().map(|page| page.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()).collect();
        assert_ne!(values[0], values[1], "{name}");
    }
}

#[tokio::test]
async fn only_an_answer_with_our_state_is_taken() {
    let microsoft = Microsoft::new(Arc::new(SystemClock));
    let vendor = microsoft.start().await;
    let tries = vec![
        "/?code=evil&state=wrong",
        "/?code=evil",
        "/?code=evil&state=",
        "/?code=evil&state={state}x",
        "/?code=evil&state=x{state}",
        "/?code=evil&state={state}&state=x",
        "/?state=x&code=evil&state={state}",
        "/?error=access_denied&state=wrong",
        "/?error=access_denied",
        "/?",
    ];
    let count = tries.len();
    let user = Person::who(&microsoft, Act::After(tries));
    browsing(&vendor, &user).await.result.unwrap();
    assert_eq!(microsoft.wrong(), Vec::<String>::new());
    let pages = user.pages(count + 1).await;
    assert_eq!(pages.len(), count + 1);
    for page in &pages[..count] {
        assert!(page.starts_with("HTTP/1.1 400"), "{page}");
        assert!(!page.contains("evil"));
    }
    assert!(pages[count].starts_with("HTTP/1.1 200"));
    assert!(vendor.seen().iter().all(|seen| !seen.body.contains("evil")));
}

#[tokio::test]
async fn what_the_browser_comes_back_with_is_put_into_words() {
    type Pairs = Vec<(&'static str, &'static str)>;
    let table: Vec<(Pairs, &str, CauseKind)> = vec![
        (vec![("error", "access_denied"), ("error_description", "AADSTS65004: x")], "E-AADSTS-65004", CauseKind::ScopeMissing),
        (vec![("error", "access_denied"), ("error_description", HOSTILE)], "E-ENTRA-DECLINED", CauseKind::CredentialRefused),
        (vec![("error", "access_denied")], "E-ENTRA-DECLINED", CauseKind::CredentialRefused),
        (vec![("error", "consent_required")], "E-ENTRA-CONSENT", CauseKind::ScopeMissing),
        (vec![("error", "interaction_required"), ("error_description", "AADSTS53003: x")], "E-AADSTS-53003", CauseKind::CredentialRefused),
        (vec![("error", "server_error")], "E-ENTRA-UNAVAILABLE", CauseKind::VendorError),
        (vec![("error", "invalid_resource"), ("error_description", "AADSTS: x")], "E-ENTRA-REQUEST", CauseKind::NotUnderstood),
        (vec![("error", "<script>"), ("error_description", "AADSTS99999999999999999999999: x")], "E-ENTRA-REFUSED", CauseKind::VendorError),
        // A refusal counts, even with a code beside it.
        (vec![("error", "access_denied"), ("code", "x")], "E-ENTRA-DECLINED", CauseKind::CredentialRefused),
        (vec![("admin_consent", "True")], "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        (vec![("code", "a"), ("code", "b")], "E-NOT-UNDERSTOOD", CauseKind::NotUnderstood),
        // A code that is not known there.
        (vec![("code", "stolen")], "E-AADSTS-70008", CauseKind::CredentialRefused),
    ];
    for (pairs, code, kind) in table {
        let microsoft = Microsoft::new(Arc::new(SystemClock));
        let vendor = microsoft.start().await;
        let user = Person::who(&microsoft, Act::Returns(pairs.clone()));
        let error = browsing(&vendor, &user).await.refused();
        assert_eq!((error.code(), error.kind()), (code, kind), "{pairs:?}: {error}");
        assert!(!format!("{error:?}").contains("script"), "{error:?}");
        assert!(!error.remedy().is_empty());
        let tokens = vendor.seen().iter().filter(|seen| seen.path.ends_with("/token")).count();
        assert_eq!(tokens, usize::from(code == "E-AADSTS-70008"), "{pairs:?}");
    }
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_five_minutes() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let user = Person::who(&microsoft, Act::Nothing);
    let error = signing(&in_browser(), &vendor, TENANT, &[], clock.clone(), user.clone()).await.refused();
    assert_eq!(error.code(), "E-ENTRA-BROWSER-TIME");
    assert_eq!(clock.slept(), [Duration::from_secs(300)]);
    assert_eq!(visit(user.port().unwrap(), "/").await, "", "the port is closed");
    // Without a browser the address is shown all the same.
    let Signing { result, steps } = signing(&in_browser(), &vendor, TENANT, &[], clock, Arc::new(NoBrowser)).await;
    assert_eq!(result.err().unwrap().code(), "E-ENTRA-BROWSER-TIME");
    assert!(steps.iter().any(|step| matches!(step, SignInStep::Visit { .. })));
}

#[tokio::test]
async fn a_sign_in_that_is_given_up_closes_its_port() {
    let microsoft = Microsoft::new(Arc::new(SystemClock));
    let vendor = microsoft.start().await;
    let user = Person::who(&microsoft, Act::Nothing);
    let port = {
        let browsing = browsing(&vendor, &user);
        tokio::pin!(browsing);
        let port = loop {
            assert!(tokio::time::timeout(Duration::from_millis(50), &mut browsing).await.is_err());
            if let Some(port) = user.port() {
                break port;
            }
        };
        let (_, page) = tokio::join!(tokio::time::timeout(Duration::from_millis(500), &mut browsing), visit(port, "/?code=x&state=y"));
        assert!(page.starts_with("HTTP/1.1 400"), "it waits: {page}");
        port
        // Dropped here, as when the person presses Cancel.
    };
    assert_eq!(visit(port, "/").await, "", "closed");
}

/// Bytes that a listener may be sent.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let word = "[a-zA-Z0-9%&=+./?#:{}-]{0,60}";
    prop_oneof![
        vec(any::<u8>(), 0..600),
        "\\PC{0,200}".prop_map(String::into_bytes),
        (prop_oneof![Just("GET"), Just("POST"), Just("HEAD"), Just("get"), Just("CONNECT"), Just("OPTIONS")], word, 0..4_u8).prop_map(
            |(method, query, version)| format!("{method} /?{query} HTTP/{}.{}\r\nHost: localhost\r\n\r\n", version / 2, version % 2)
                .into_bytes()
        ),
        (word, word).prop_map(|(state, code)| format!("GET /?state={state}&code={code} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()),
        (word, vec(any::<u8>(), 0..300)).prop_map(|(query, headers)| {
            let mut bytes = format!("GET /?{query} HTTP/1.1\r\nHost: x\r\n").into_bytes();
            bytes.extend(headers);
            bytes
        }),
        (1..200_000_usize).prop_map(|length| format!("GET /?state={} HTTP/1.1\r\n\r\n", "a".repeat(length)).into_bytes()),
    ]
}

#[test]
fn the_listener_takes_nothing_but_its_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let microsoft = Microsoft::new(Arc::new(SystemClock));
    let user = Person::who(&microsoft, Act::Nothing);
    let (for_task, by_user) = (microsoft.clone(), user.clone());
    let task = runtime.spawn(async move {
        let vendor = for_task.start().await;
        browsing(&vendor, &by_user).await.result.map(|_| ())
    });
    let started = std::time::Instant::now();
    let port = loop {
        if let Some(port) = user.port() {
            break port;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no page was opened");
        std::thread::sleep(Duration::from_millis(20));
    };
    let statuses = Mutex::new(std::collections::BTreeSet::new());
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    runner
        .run(&garbage(), |bytes| {
            let page =
                runtime.block_on(async { tokio::time::timeout(Duration::from_secs(8), raw(port, &bytes)).await.unwrap_or_default() });
            prop_assert!(!page.starts_with("HTTP/1.1 200") && !page.starts_with("HTTP/1.0 200"), "{page}");
            prop_assert!(!page.contains("<script"));
            prop_assert!(!task.is_finished());
            statuses.lock().unwrap().insert(page.split(' ').nth(1).unwrap_or("none").to_owned());
            Ok(())
        })
        .unwrap();
    let statuses = statuses.into_inner().unwrap();
    assert!(statuses.contains("400") && statuses.contains("405"), "the cases reach the judgement: {statuses:?}");
    // And still it takes its own answer.
    let opened = user.opened.lock().unwrap()[0].clone();
    let (_, code, state) = microsoft.authorize(&opened);
    let page = runtime.block_on(visit(port, &format!("/?code={code}&state={state}")));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    runtime.block_on(task).unwrap().unwrap();
    assert_eq!(microsoft.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn idle_connections_of_a_browser_keep_nobody_out() {
    let microsoft = Microsoft::new(Arc::new(SystemClock));
    let vendor = microsoft.start().await;
    let user = Person::who(&microsoft, Act::Nothing);
    let answering = async {
        let port = loop {
            if let Some(port) = user.port() {
                break port;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let mut idle = Vec::new();
        for _ in 0..6 {
            idle.push(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        }
        let opened = user.opened.lock().unwrap()[0].clone();
        let (_, code, state) = microsoft.authorize(&opened);
        let page = visit(port, &format!("/?code={code}&state={state}")).await;
        drop(idle);
        page
    };
    let (signing, page) = tokio::join!(browsing(&vendor, &user), answering);
    signing.result.unwrap();
    assert!(page.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_user_types_a_code_on_any_device() {
    let clock = TestClock::new();
    let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| {
        settings.pending = 4;
        settings.slow_down_at = Some(2);
    });
    let vendor = microsoft.start().await;
    let user = Person::who(&microsoft, Act::SignsIn);
    let began = clock.now();
    let Signing { result, steps } = signing(&by_device(), &vendor, TENANT, &[], clock.clone(), user.clone()).await;
    let session = result.unwrap();
    assert_eq!(microsoft.wrong(), Vec::<String>::new(), "never asked too early");
    assert_eq!(keepsake(&session), "0.refresh-token-number-1");
    let seconds: Vec<u64> = clock.slept().iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [5, 5, 10, 10, 10], "slower after being told so");
    assert!(steps.contains(&SignInStep::Visit {
        address: "https://microsoft.com/devicelogin".into(),
        code: Some("FJC3-X2PK".into()),
        until: began + SignedDuration::from_secs(900),
    }));
    assert_eq!(user.opened.lock().unwrap()[0].as_str(), "https://microsoft.com/devicelogin");
    let told = serde_json::to_string(&steps).unwrap();
    assert!(!told.contains("device-code") && !told.contains("refresh-token-number") && !told.contains("script"));
}

#[tokio::test]
async fn a_code_that_is_not_typed_ends() {
    type Change = Box<dyn Fn(&mut Settings)>;
    let table: Vec<(&str, Change, &str)> = vec![
        ("declined", Box::new(|settings| settings.device_ends = Some(("authorization_declined", 0))), "E-ENTRA-DECLINED"),
        ("expired", Box::new(|settings| settings.device_ends = Some(("expired_token", 70019))), "E-ENTRA-CODE-EXPIRED"),
        ("a bad code", Box::new(|settings| settings.device_ends = Some(("bad_verification_code", 70018))), "E-AADSTS-70018"),
        ("blocked", Box::new(|settings| settings.device_ends = Some(("invalid_grant", 53003))), "E-AADSTS-53003"),
        ("not public", Box::new(|settings| settings.device_ends = Some(("invalid_client", 7_000_218))), "E-AADSTS-7000218"),
        ("never typed", Box::new(|settings| settings.pending = usize::MAX), "E-ENTRA-CODE-EXPIRED"),
        (
            "never typed, and a life without end",
            Box::new(|settings| {
                settings.pending = usize::MAX;
                settings.device_life = i64::MAX;
            }),
            "E-ENTRA-CODE-EXPIRED",
        ),
        ("no refresh token", Box::new(|settings| settings.gives_refresh = false), "E-ENTRA-NO-REFRESH"),
    ];
    for (what, change, code) in table {
        let clock = TestClock::new();
        let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| change(settings));
        let vendor = microsoft.start().await;
        let error = typing(&vendor, &clock).await.refused();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(!error.remedy().is_empty() && !error.to_string().contains("script"), "{what}");
        assert_eq!(microsoft.wrong(), Vec::<String>::new(), "{what}");
        assert!(vendor.seen().len() < 400, "{what}: {} requests", vendor.seen().len());
    }
}

#[tokio::test]
async fn only_a_page_of_microsofts_is_shown() {
    for (page, shown) in [
        ("https://microsoft.com/devicelogin", true),
        ("https://microsoft.com/deviceloginus", true),
        ("https://login.microsoft.com/device", true),
        ("https://login.microsoftonline.com/common/oauth2/deviceauth", true),
        ("http://microsoft.com/devicelogin", false),
        ("https://microsoft.com.evil.example/devicelogin", false),
        ("https://evilmicrosoft.com/devicelogin", false),
        ("https://microsoft.com@evil.example/", false),
        ("https://user@microsoft.com/", false),
        ("https://microsoft.com:8443/", false),
        ("javascript:alert(1)", false),
        ("", false),
    ] {
        let clock = TestClock::new();
        let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| settings.verification_uri = page.into());
        let vendor = microsoft.start().await;
        let user = Person::who(&microsoft, Act::SignsIn);
        let Signing { result, steps } = signing(&by_device(), &vendor, TENANT, &[], clock, user.clone()).await;
        assert_eq!(result.is_ok(), shown, "{page}");
        assert_eq!(steps.iter().any(|step| matches!(step, SignInStep::Visit { .. })), shown, "{page}");
        assert_eq!(user.opened.lock().unwrap().len(), usize::from(shown), "{page}");
    }
}

#[tokio::test]
async fn a_line_that_is_cut_while_the_user_types_ends_nothing() {
    let clock = TestClock::new();
    let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| settings.pending = 1);
    let asked = Arc::new(Mutex::new(0));
    let (by, count) = (microsoft.clone(), asked.clone());
    let vendor = Vendor::start(move |seen| {
        if seen.path.ends_with("/token") {
            let mut count = count.lock().unwrap();
            *count += 1;
            match *count {
                1 => return status(503, json!({})),
                2 => return ok(json!({})).body(Body::Cut(b"{".to_vec())),
                _ => {}
            }
        }
        by.answer(seen)
    })
    .await;
    typing(&vendor, &clock).await.result.unwrap();
    let seconds: Vec<u64> = clock.slept().iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [5, 10, 20, 20], "slower each time");
    // One that stays cut ends with the code.
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    microsoft.fault("token", status(500, json!({})));
    assert_eq!(typing(&vendor, &clock).await.refused().code(), "E-ENTRA-CODE-EXPIRED");
    assert!(vendor.seen().len() < 25);
}

#[tokio::test]
async fn later_scans_need_nobody() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let first = keepsake(&typing(&vendor, &clock).await.result.unwrap());
    let before = vendor.seen().len();
    let user = Person::who(&microsoft, Act::SignsIn);
    for (app, expected) in [(in_browser(), 2), (by_device(), 3)] {
        let Signing { result, steps } = signing(&app, &vendor, TENANT, &[(REFRESH, &first)], clock.clone(), user.clone()).await;
        let session = result.unwrap();
        assert_eq!(keepsake(&session), format!("0.refresh-token-number-{expected}"), "the newest one is kept");
        assert!(!steps.iter().any(|step| matches!(step, SignInStep::Visit { .. })));
        assert!(!serde_json::to_string(&steps).unwrap().contains("refresh-token-number"));
    }
    assert!(user.opened.lock().unwrap().is_empty());
    assert_eq!(vendor.seen().len() - before, 6, "the tenant, the token and the test dataset");
    assert_eq!(microsoft.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn a_users_token_is_renewed_by_the_newest_refresh_token() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let app = by_device();
    let session = typing(&vendor, &clock).await.result.unwrap();
    for round in 1..4 {
        clock.jump(Duration::from_secs(7200));
        let kept = scan(&session, &app).await;
        assert_eq!(kept.finished["users"], Completeness::Complete);
        assert_eq!(kept.requests.iter().filter(|entry| entry.class == RequestClass::SignInHop).count(), 1);
        let last = vendor.seen().into_iter().rfind(|seen| seen.path.ends_with("/token")).unwrap();
        assert!(last.body.contains(&format!("0.refresh-token-number-{round}&")), "{}", last.body);
    }
    // Revoked in the middle of a scan: the cause of what was not read, and no browser.
    microsoft.revoke();
    clock.jump(Duration::from_secs(7200));
    let kept = scan(&session, &app).await;
    let Completeness::Unavailable(cause) = &kept.finished["users"] else { panic!("{:?}", kept.finished) };
    assert_eq!(cause.kind, CauseKind::CredentialRefused);
    assert!(cause.sentence.contains("The session has ended"), "{}", cause.sentence);
    assert!(cause.remedy.contains("Reauthenticate"));
}

#[tokio::test]
async fn a_refused_refresh_token_asks_for_the_person_and_opens_nothing() {
    for (reply, code) in [
        (refusal(400, "invalid_grant", 700_082), "E-ENTRA-SIGN-IN-AGAIN"),
        (refusal(400, "invalid_grant", 50173), "E-ENTRA-SIGN-IN-AGAIN"),
        (refusal(400, "interaction_required", 50076), "E-ENTRA-SIGN-IN-AGAIN"),
        (refusal(400, "interaction_required", 50158), "E-ENTRA-SIGN-IN-AGAIN"),
        (refusal(400, "invalid_grant", 1), "E-ENTRA-SIGN-IN-AGAIN"),
        // Signing in again would end in the same way.
        (refusal(400, "consent_required", 65001), "E-AADSTS-65001"),
        (refusal(400, "interaction_required", 53003), "E-AADSTS-53003"),
        (refusal(400, "invalid_grant", 50057), "E-AADSTS-50057"),
        (refusal(400, "invalid_grant", 50105), "E-AADSTS-50105"),
        (refusal(401, "invalid_client", 7_000_218), "E-AADSTS-7000218"),
        (refusal(400, "unauthorized_client", 700_016), "E-AADSTS-700016"),
        (status(500, json!({})), "E-VENDOR-ERROR"),
        (status(429, json!({})), "E-RATE-LIMITED"),
    ] {
        let clock = TestClock::new();
        let microsoft = Microsoft::new(clock.clone());
        let vendor = microsoft.start().await;
        microsoft.fault("token", reply);
        let user = Person::who(&microsoft, Act::SignsIn);
        let error = signing(&in_browser(), &vendor, TENANT, &[(REFRESH, "0.kept-secret")], clock, user.clone()).await.refused();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.remedy().contains("Reauthenticate"), code == "E-ENTRA-SIGN-IN-AGAIN");
        assert!(!format!("{error:?}").contains("kept-secret"));
        assert!(user.opened.lock().unwrap().is_empty(), "nobody is there");
        assert_eq!(vendor.seen().len(), 2, "asked once");
    }
}

#[tokio::test]
async fn faults_at_every_step_of_a_user_end_at_once() {
    let whole = |text: &str| ok(json!(null)).body(Body::Whole(text.as_bytes().to_vec()));
    let faults: Vec<(&str, Reply, &[&str])> = vec![
        ("500", status(500, json!({})), &["E-VENDOR-ERROR"]),
        ("429", status(429, json!({})).header("retry-after", "3600"), &["E-RATE-LIMITED"]),
        ("a redirect", status(302, json!({})).header("location", "https://evil.example/"), &["E-REDIRECTED", "E-VENDOR-ERROR"]),
        ("a page", whole("<html>").kind("text/html"), &["E-NOT-JSON", "E-NOT-UNDERSTOOD"]),
        ("an empty object", ok(json!({})), &["E-NOT-UNDERSTOOD"]),
        ("400 and nothing", status(400, json!({})), &["E-VENDOR-ERROR", "E-ENTRA-REFUSED"]),
        ("a cut line", ok(json!(null)).body(Body::Cut(b"{".to_vec())), &["E-CONNECTION-CUT"]),
        ("an endless answer", ok(json!(null)).body(Body::Endless(vec![b' '; 65_536])), &["E-TOO-LARGE"]),
    ];
    for (step, device) in [("tenant", false), ("token", false), ("graph", false), ("tenant", true), ("devicecode", true), ("graph", true)] {
        for (what, reply, codes) in &faults {
            let clock: Arc<dyn Clock> = if device { TestClock::new() } else { Arc::new(SystemClock) };
            let microsoft = Microsoft::new(clock.clone());
            let vendor = microsoft.start().await;
            microsoft.fault(step, reply.clone());
            let user = Person::who(&microsoft, Act::SignsIn);
            let app = if device { by_device() } else { in_browser() };
            let error = signing(&app, &vendor, TENANT, &[], clock, user).await.refused();
            // What the test dataset is refused with is the application's own, told elsewhere.
            assert!(step == "graph" || codes.contains(&error.code()), "{step}, {what}: {} {error}", error.code());
            assert!(!format!("{error:?}").contains("refresh-token-number"));
            assert!(vendor.seen().len() <= 8, "{step}, {what}");
            assert!(vendor.seen().iter().filter(|seen| seen.host == AUTHORITY && seen.path.ends_with("/token")).count() <= 4);
        }
    }
}
