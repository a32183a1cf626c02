//! People who sign in by OAuth 2.0 in the browser (RFC 6749, RFC 7636, RFC 8252) and by device code (RFC 8628): every refusal
//! has its own end, later scans need nobody, and what replaces itself is kept.
use crate::browser::{Act, Person, visit};
use crate::entry::{Signing, scan};
use crate::person;
use crate::vendor;

use catalog::{CauseKind, Completeness, Redirect, RedirectHost, SecretBy};
use jiff::SignedDuration;
use person::{
    ACCESS, HOSTILE, LOGIN, REFRESH, Script, Settings, any_port, by_device, in_browser, keepsake, kept, nothing, page, signing,
    signing_leaving, signing_until,
};
use posture_connect::{Clock, Left, NoBrowser, RequestClass, Resume, Session, SignInStage, SignInStep, SystemClock, collect};
use secrecy::ExposeSecret;
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use vendor::{Body, Kept, Reply, TestClock, Vendor, ok, status};

/// The keepsake of the scope.
const GRANTED: &str = "oauth_scope";

fn now() -> Arc<SystemClock> {
    Arc::new(SystemClock)
}

/// A clock that gives a browser time to come back.
struct Patient(Arc<TestClock>);

impl Clock for Patient {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
    fn sleep(&self, time: Duration) -> futures::future::BoxFuture<'_, ()> {
        if time < Duration::from_secs(300) {
            return self.0.sleep(time);
        }
        Box::pin(tokio::time::sleep(time))
    }
}

async fn browsing(script: &Arc<Script>, vendor: &Vendor, act: Act) -> (Signing, Arc<Person<Script>>) {
    let person = Person::who(script, act);
    (signing(&in_browser(script), vendor, &nothing(), now(), person.clone()).await, person)
}

#[tokio::test]
async fn a_person_signs_in_in_the_browser_however_the_client_proves_itself() {
    type Change = fn(&mut Settings);
    let ways: [(&str, Change); 4] = [
        ("public", |_| {}),
        ("by post", |settings| settings.secret = Some(SecretBy::Post)),
        ("by HTTP Basic", |settings| settings.secret = Some(SecretBy::Basic)),
        ("without PKCE", |settings| {
            settings.secret = Some(SecretBy::Post);
            settings.pkce = false;
        }),
    ];
    for (what, change) in ways {
        let script = Script::with(now(), any_port(), change);
        let vendor = script.start().await;
        let (Signing { result, steps }, person) = browsing(&script, &vendor, Act::SignsIn).await;
        let session = result.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(script.wrong(), Vec::<String>::new(), "{what}");
        assert_eq!(keepsake(&session, REFRESH).as_deref(), Some("refresh-token-number-1"));
        assert!(!session.keepsakes().contains_key(ACCESS), "the token itself is not kept where it can be renewed");
        let stages: Vec<SignInStage> =
            steps.iter().filter_map(|step| if let SignInStep::Stage { stage, .. } = step { Some(*stage) } else { None }).collect();
        assert_eq!(stages, [SignInStage::Browser, SignInStage::Token], "{what}");
        let [shown] = person.pages(1).await.try_into().unwrap();
        let shown: String = shown;
        assert!(shown.starts_with("HTTP/1.1 200") && !shown.to_lowercase().contains("<script") && !shown.contains("code-0"), "{shown}");
        assert_eq!(visit(person.port().unwrap(), "/callback?code=x").await, "", "the port is closed after one answer");
    }
}

#[tokio::test]
async fn the_way_back_is_the_one_that_is_registered() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().port();
    for redirect in [
        Redirect { host: RedirectHost::Name, path: "/".into(), ports: vec![] },
        Redirect { host: RedirectHost::Name, path: "/oauth/done".into(), ports: vec![port] },
        Redirect { host: RedirectHost::Address, path: "/callback".into(), ports: vec![busy, port] },
    ] {
        let script = Script::with(now(), redirect, |_| {});
        let vendor = script.start().await;
        let (signed, _) = browsing(&script, &vendor, Act::SignsIn).await;
        signed.result.unwrap();
        assert_eq!(script.wrong(), Vec::<String>::new());
    }
    // Every registered port is somebody else's.
    let script = Script::with(now(), Redirect { ports: vec![busy], ..any_port() }, |_| {});
    let vendor = script.start().await;
    let (signed, person) = browsing(&script, &vendor, Act::SignsIn).await;
    let error = signed.refused();
    assert_eq!(error.code(), "E-LOOPBACK-PORT");
    assert!(error.remedy().contains(&busy.to_string()));
    assert!(person.opened.lock().unwrap().is_empty() && vendor.seen().is_empty(), "no page is opened that nobody could come back from");
}

#[tokio::test]
async fn only_an_answer_with_our_state_on_our_path_is_taken() {
    let script = Script::new(now());
    let vendor = script.start().await;
    let tries = vec![
        "/callback?code=evil&state=wrong",
        "/callback?code=evil",
        "/callback?code=evil&state={state}&state=x",
        "/callback?error=access_denied&state=wrong",
        "/?code=evil&state={state}",
        "/callback/?code=evil&state={state}",
        "/callback2?code=evil&state={state}",
    ];
    let count = tries.len();
    let (signed, person) = browsing(&script, &vendor, Act::After(tries)).await;
    signed.result.unwrap();
    assert_eq!(script.wrong(), Vec::<String>::new());
    let pages = person.pages(count + 1).await;
    assert_eq!(pages.len(), count + 1);
    for (at, page) in pages.iter().enumerate() {
        let wanted = match at {
            0..4 => "HTTP/1.1 400",
            4..7 => "HTTP/1.1 404",
            _ => "HTTP/1.1 200",
        };
        assert!(page.starts_with(wanted), "{at}: {page}");
    }
    assert!(vendor.seen().iter().all(|seen| !seen.body.contains("evil")));
}

#[tokio::test]
async fn a_second_answer_changes_nothing() {
    let script = Script::new(now());
    let vendor = script.start().await;
    let (signed, _) = browsing(&script, &vendor, Act::Twice).await;
    signed.result.unwrap();
    assert_eq!(script.wrong(), Vec::<String>::new());
    assert_eq!(vendor.seen().iter().filter(|seen| seen.path == "/oauth/token").count(), 1, "a code is exchanged once");
}

/// RFC 6749, section 4.1.2.1, and what vendors add.
#[tokio::test]
async fn each_error_of_the_page_has_its_own_end() {
    let table = [
        ("invalid_request", "E-OAUTH-REQUEST", CauseKind::NotUnderstood),
        ("unauthorized_client", "E-OAUTH-CLIENT-NOT-ALLOWED", CauseKind::CredentialRefused),
        ("access_denied", "E-OAUTH-DECLINED", CauseKind::CredentialRefused),
        ("unsupported_response_type", "E-OAUTH-RESPONSE-TYPE", CauseKind::NotUnderstood),
        ("invalid_scope", "E-OAUTH-SCOPE", CauseKind::ScopeMissing),
        ("server_error", "E-OAUTH-SERVER", CauseKind::VendorError),
        ("temporarily_unavailable", "E-OAUTH-UNAVAILABLE", CauseKind::VendorError),
        ("redirect_uri_mismatch", "E-OAUTH-REDIRECT", CauseKind::InputMissing),
        ("interaction_required", "E-OAUTH-INTERACTION", CauseKind::CredentialRefused),
        ("invalid_resource", "E-OAUTH-RESOURCE", CauseKind::NotUnderstood),
        ("<script>", "E-OAUTH-REFUSED", CauseKind::VendorError),
    ];
    assert_eq!(table.iter().map(|(_, code, _)| code).collect::<BTreeSet<_>>().len(), table.len(), "each has its own");
    for (error, code, kind) in table {
        let script = Script::new(now());
        let vendor = script.start().await;
        let (signed, person) = browsing(&script, &vendor, Act::Returns(vec![("error", error), ("error_description", HOSTILE)])).await;
        let refused = signed.refused();
        assert_eq!((refused.code(), refused.kind()), (code, kind), "{error}: {refused}");
        assert!(!format!("{refused:?} {}", refused.remedy()).contains("script") && !refused.remedy().is_empty(), "{refused:?}");
        assert!(vendor.seen().is_empty(), "nothing is exchanged");
        assert!(person.pages(1).await[0].starts_with("HTTP/1.1 403"));
        if error == "redirect_uri_mismatch" {
            assert!(refused.remedy().contains(&format!("http://127.0.0.1:{}/callback", person.port().unwrap())));
        }
    }
    // Neither a code nor a reason; and a code that is not known.
    for (pairs, code) in [(vec![("hello", "x")], "E-NOT-UNDERSTOOD"), (vec![("code", "stolen")], "E-OAUTH-CODE")] {
        let script = Script::new(now());
        let vendor = script.start().await;
        assert_eq!(browsing(&script, &vendor, Act::Returns(pairs)).await.0.refused().code(), code);
    }
}

/// RFC 6749, section 5.2, and what vendors add; by status 400 or 401 and by 200.
#[tokio::test]
async fn each_error_of_the_token_endpoint_has_its_own_end() {
    let table = [
        ("invalid_request", "E-OAUTH-REQUEST"),
        ("invalid_client", "E-OAUTH-CLIENT"),
        ("invalid_grant", "E-OAUTH-CODE"),
        ("unauthorized_client", "E-OAUTH-CLIENT-NOT-ALLOWED"),
        ("unsupported_grant_type", "E-OAUTH-GRANT-TYPE"),
        ("invalid_scope", "E-OAUTH-SCOPE"),
        ("redirect_uri_mismatch", "E-OAUTH-REDIRECT"),
        ("something_else", "E-OAUTH-REFUSED"),
    ];
    for (error, code) in
        table.into_iter().chain([("incorrect_client_credentials", "E-OAUTH-CLIENT"), ("bad_verification_code", "E-OAUTH-CODE")])
    {
        for with in [200, 400] {
            let script = Script::new(now());
            let vendor = script.start().await;
            script.fault("token", status(with, json!({"error": error, "error_description": HOSTILE})));
            let refused = browsing(&script, &vendor, Act::SignsIn).await.0.refused();
            assert_eq!(refused.code(), code, "{error}, {with}: {refused}");
            assert!(!format!("{refused:?}").contains("script"));
            assert_eq!(vendor.seen().len(), 1, "asked once");
        }
    }
    let others: Vec<(&str, Reply, &str)> = vec![
        ("401 and nothing", status(401, json!({})), "E-OAUTH-CLIENT"),
        ("500", status(500, json!({})), "E-VENDOR-ERROR"),
        ("429", status(429, json!({})).header("retry-after", "60"), "E-RATE-LIMITED"),
        ("a redirect", status(302, json!({})).header("location", "https://evil.example/"), "E-REDIRECTED"),
        ("a page", page(), "E-NOT-JSON"),
        ("an empty object", ok(json!({})), "E-NOT-UNDERSTOOD"),
        ("another kind of token", ok(json!({"access_token": "x", "token_type": "mac"})), "E-NOT-UNDERSTOOD"),
        ("a token that has ended", ok(json!({"access_token": "x", "token_type": "bearer", "expires_in": 0})), "E-TOKEN-ENDED"),
        ("a cut line", ok(json!(null)).body(Body::Cut(b"{".to_vec())), "E-CONNECTION-CUT"),
        ("no refresh token", ok(json!({"access_token": "x", "token_type": "bearer", "expires_in": 3600})), "E-OAUTH-NO-REFRESH"),
    ];
    for (what, reply, code) in others {
        let script = Script::new(now());
        let vendor = script.start().await;
        script.fault("token", reply);
        assert_eq!(browsing(&script, &vendor, Act::SignsIn).await.0.refused().code(), code, "{what}");
    }
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_five_minutes_and_cancel_ends_at_once() {
    let clock = TestClock::new();
    let script = Script::new(clock.clone());
    let vendor = script.start().await;
    let person = Person::who(&script, Act::Nothing);
    let error = signing(&in_browser(&script), &vendor, &nothing(), clock.clone(), person.clone()).await.refused();
    assert_eq!(error.code(), "E-OAUTH-BROWSER-TIME");
    assert_eq!(clock.slept(), [Duration::from_secs(300)]);
    assert_eq!(visit(person.port().unwrap(), "/callback").await, "", "the port is closed");

    let person = Person::who(&script, Act::Nothing);
    let cancel = CancellationToken::new();
    let app = in_browser(&script);
    let fresh = nothing();
    let waiting = signing_until(&app, &vendor, &fresh, now(), person.clone(), cancel.clone());
    let cancelling = async {
        while person.port().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (signed, ()) = tokio::join!(waiting, cancelling);
    assert_eq!(signed.refused().code(), "E-CANCELLED");
    assert_eq!(visit(person.port().unwrap(), "/callback").await, "", "closed");
    assert!(vendor.seen().is_empty());
}

#[tokio::test]
async fn a_code_is_typed_on_any_device() {
    for (with_200, told, seconds) in [(false, None, vec![5, 5, 10, 10]), (true, Some(12), vec![5, 5, 12, 12])] {
        let clock = TestClock::new();
        let script = Script::with(clock.clone(), any_port(), |settings| {
            settings.refuses_with_200 = with_200;
            settings.slow_down_at = Some((2, told));
            settings.pending = 3;
        });
        let vendor = script.start().await;
        let person = Person::who(&script, Act::Nothing);
        let began = clock.now();
        let Signing { result, steps } = signing(&by_device(), &vendor, &nothing(), clock.clone(), person.clone()).await;
        let session = result.unwrap();
        assert_eq!(script.wrong(), Vec::<String>::new(), "never asked too early");
        assert_eq!(clock.slept().iter().map(Duration::as_secs).collect::<Vec<_>>(), seconds, "slower after being told so");
        assert_eq!(keepsake(&session, REFRESH).as_deref(), Some("refresh-token-number-1"));
        assert!(steps.contains(&SignInStep::Visit {
            address: format!("https://{LOGIN}/device"),
            code: Some("WDJB-MJHT".into()),
            until: began + SignedDuration::from_secs(900),
        }));
        assert_eq!(person.opened.lock().unwrap()[0].as_str(), format!("https://{LOGIN}/device"));
        assert!(!serde_json::to_string(&steps).unwrap().contains("device-code"));
    }
}

/// RFC 8628, section 3.5, and GitHub's.
#[tokio::test]
async fn each_end_of_a_device_code_is_its_own() {
    let table = [
        ("access_denied", "E-OAUTH-DECLINED"),
        ("expired_token", "E-OAUTH-CODE-EXPIRED"),
        ("incorrect_device_code", "E-OAUTH-DEVICE-CODE"),
        ("device_flow_disabled", "E-OAUTH-DEVICE-OFF"),
        ("incorrect_client_credentials", "E-OAUTH-CLIENT"),
        ("unsupported_grant_type", "E-OAUTH-GRANT-TYPE"),
        ("unauthorized_client", "E-OAUTH-CLIENT-NOT-ALLOWED"),
        ("anything", "E-OAUTH-REFUSED"),
    ];
    for (error, code) in table {
        for with_200 in [false, true] {
            let clock = TestClock::new();
            let script = Script::with(clock.clone(), any_port(), |settings| {
                settings.device_ends = Some(error);
                settings.refuses_with_200 = with_200;
            });
            let vendor = script.start().await;
            let refused = signing(&by_device(), &vendor, &nothing(), clock, Arc::new(NoBrowser)).await.refused();
            assert_eq!(refused.code(), code, "{error}: {refused}");
            assert!(!refused.remedy().is_empty() && !refused.to_string().contains("script"));
        }
        // The same where a code is asked for.
        let clock = TestClock::new();
        let script = Script::new(clock.clone());
        let vendor = script.start().await;
        script.fault("device", status(200, json!({"error": error, "error_description": HOSTILE})));
        let refused = signing(&by_device(), &vendor, &nothing(), clock, Arc::new(NoBrowser)).await.refused();
        assert_eq!(refused.code(), code, "{error} at once: {refused}");
        assert_eq!(vendor.seen().len(), 1);
    }
    // Nobody types it; and a vendor that promises to wait for ever.
    for life in [900, i64::MAX] {
        let clock = TestClock::new();
        let script = Script::with(clock.clone(), any_port(), |settings| {
            settings.pending = usize::MAX;
            settings.life = life;
        });
        let vendor = script.start().await;
        let refused = signing(&by_device(), &vendor, &nothing(), clock, Arc::new(NoBrowser)).await.refused();
        assert_eq!(refused.code(), "E-OAUTH-CODE-EXPIRED");
        assert!(vendor.seen().len() < 400);
    }
}

#[tokio::test]
async fn only_a_page_of_the_vendors_is_shown() {
    for (page, shown) in [
        (format!("https://{LOGIN}/device"), true),
        (format!("http://{LOGIN}/device"), false),
        (format!("https://{LOGIN}.evil.example/device"), false),
        (format!("https://{LOGIN}:8443/"), false),
        (format!("https://user@{LOGIN}/"), false),
        ("https://evil.example/".to_owned(), false),
        ("javascript:alert(1)".to_owned(), false),
    ] {
        let clock = TestClock::new();
        let script = Script::with(clock.clone(), any_port(), |settings| settings.verification_uri = page.clone());
        let vendor = script.start().await;
        let person = Person::who(&script, Act::Nothing);
        let Signing { result, steps } = signing(&by_device(), &vendor, &nothing(), clock, person.clone()).await;
        assert_eq!(result.is_ok(), shown, "{page}");
        assert_eq!(steps.iter().any(|step| matches!(step, SignInStep::Visit { .. })), shown, "{page}");
        assert_eq!(person.opened.lock().unwrap().len(), usize::from(shown), "{page}");
    }
}

#[tokio::test]
async fn later_scans_need_nobody_and_the_newest_refresh_token_is_kept() {
    let clock = TestClock::new();
    let script = Script::new(clock.clone());
    let vendor = script.start().await;
    let person = Person::who(&script, Act::SignsIn);
    let app = by_device();
    let mut token = keepsake(&signing(&app, &vendor, &nothing(), clock.clone(), person.clone()).await.result.unwrap(), REFRESH).unwrap();
    let opened = person.opened.lock().unwrap().len();
    for app in [in_browser(&script), by_device()] {
        let Signing { result, steps } = signing(&app, &vendor, &kept(REFRESH, &token), clock.clone(), person.clone()).await;
        let session = result.unwrap();
        let next = keepsake(&session, REFRESH).unwrap();
        assert_ne!(next, token, "each is good for one use");
        token = next;
        assert!(!steps.iter().any(|step| matches!(step, SignInStep::Visit { .. })));
    }
    assert_eq!(person.opened.lock().unwrap().len(), opened, "nobody is asked");

    // In the middle of a scan, and from then on the keepsake is the new one.
    let session = signing(&app, &vendor, &kept(REFRESH, &token), clock.clone(), person.clone()).await.result.unwrap();
    let before = keepsake(&session, REFRESH).unwrap();
    clock.jump(Duration::from_secs(7200));
    let (kept_rows, ()) = tokio::join!(scan(&session, &app), async {
        tokio::time::timeout(Duration::from_secs(10), session.keepsakes_replaced()).await.expect("it is told that one was replaced");
    });
    assert_eq!(kept_rows.finished["users"], Completeness::Complete);
    assert_eq!(kept_rows.requests.iter().filter(|entry| entry.class == RequestClass::SignInHop).count(), 1);
    let after = keepsake(&session, REFRESH).unwrap();
    assert_ne!(before, after);
    assert!(tokio::time::timeout(Duration::from_millis(50), session.keepsakes_replaced()).await.is_err(), "told once");
    // What was sealed before the scan is worth nothing; what is told now opens.
    let stale = signing(&app, &vendor, &kept(REFRESH, &before), clock.clone(), person.clone()).await.refused();
    assert_eq!(stale.code(), "E-OAUTH-SIGN-IN-AGAIN");
    signing(&app, &vendor, &kept(REFRESH, &after), clock.clone(), person.clone()).await.result.unwrap();
    assert_eq!(script.wrong(), Vec::<String>::new());
}

/// RFC 6749, section 6: the one before may be revoked when the next one is issued.
#[tokio::test]
async fn a_refresh_token_that_replaced_itself_is_left_where_the_sign_in_fails_after_it() {
    let clock = TestClock::new();
    let script = Script::with(clock.clone(), any_port(), |settings| settings.takes = Duration::from_millis(100));
    let vendor = script.start().await;
    let app = by_device();
    let nobody: Arc<NoBrowser> = Arc::new(NoBrowser);
    let mut known = signing(&app, &vendor, &nothing(), clock.clone(), nobody.clone()).await.result.unwrap().keepsakes();
    let ended = json!({"access_token": "x", "token_type": "bearer", "expires_in": 0, "refresh_token": "refresh-token-number-x"});
    for (what, endpoint, reply, code) in [
        ("the test dataset is refused", "api", Some(status(403, json!({}))), "E-SCOPE-MISSING"),
        ("the vendor fails", "api", Some(status(500, json!({}))), "E-VENDOR-ERROR"),
        ("the token is refused and renewed", "api", Some(status(401, json!({}))), "E-USER-NOT-LET-IN"),
        ("cancelled while it is exchanged", "api", None, "E-CANCELLED"),
        ("the answer is worth nothing else", "token", Some(ok(ended)), "E-TOKEN-ENDED"),
    ] {
        let (left, cancel) = (Left::default(), CancellationToken::new());
        let before = vendor.seen().len();
        let cancelling = reply.is_none();
        if let Some(reply) = reply {
            script.fault(endpoint, reply);
        }
        let trying = signing_leaving(&app, &vendor, &known, clock.clone(), nobody.clone(), cancel.clone(), &left);
        let (signed, ()) = tokio::join!(trying, async {
            while cancelling && vendor.seen().len() == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if cancelling {
                cancel.cancel();
            }
        });
        let error = signed.refused();
        assert_eq!(error.code(), code, "{what}: {error}");
        script.mend();
        let next = left.all();
        assert_ne!(next[REFRESH].expose_secret(), known[REFRESH].expose_secret(), "{what}");
        if endpoint == "api" {
            known = next;
            let again = signing(&app, &vendor, &known, clock.clone(), nobody.clone()).await;
            known = again.result.unwrap_or_else(|error| panic!("{what}: what is left opens: {error}")).keepsakes();
        }
    }
    // Cancelled before, nothing is exchanged.
    let (left, cancel) = (Left::default(), CancellationToken::new());
    cancel.cancel();
    let before = vendor.seen().len();
    let error = signing_leaving(&app, &vendor, &known, clock, nobody, cancel, &left).await.refused();
    assert_eq!((error.code(), vendor.seen().len()), ("E-CANCELLED", before));
    assert_eq!(script.wrong(), Vec::<String>::new());
}

/// The test dataset refuses a token that is about to end, so that it is renewed once more before the sign-in is through.
#[tokio::test]
async fn a_refresh_token_that_is_being_exchanged_when_the_test_is_cancelled_is_not_lost() {
    let clock = TestClock::new();
    let script = Script::with(clock.clone(), any_port(), |settings| {
        settings.takes = Duration::from_millis(200);
        settings.expires_in = Some(120);
    });
    let vendor = script.start().await;
    let app = by_device();
    let nobody: Arc<NoBrowser> = Arc::new(NoBrowser);
    let known = signing(&app, &vendor, &nothing(), clock.clone(), nobody.clone()).await.result.unwrap().keepsakes();
    let (left, cancel) = (Left::default(), CancellationToken::new());
    script.fault("api", status(401, json!({})));
    let before = vendor.seen().len();
    let trying = signing_leaving(&app, &vendor, &known, clock.clone(), nobody.clone(), cancel.clone(), &left);
    let (signed, ()) = tokio::join!(trying, async {
        while vendor.seen().len() < before + 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    });
    assert_eq!(signed.refused().code(), "E-CANCELLED");
    let paths: Vec<String> = vendor.seen()[before..].iter().map(|seen| seen.path.clone()).collect();
    assert_eq!(paths, ["/oauth/token", "/v1/me", "/oauth/token"], "nothing is asked after it");
    script.mend();
    signing(&app, &vendor, &left.all(), clock, nobody).await.result.unwrap();
}

#[tokio::test]
async fn a_refresh_token_that_is_being_exchanged_when_a_scan_is_cancelled_is_not_lost() {
    let clock = TestClock::new();
    let script = Script::with(clock.clone(), any_port(), |settings| settings.takes = Duration::from_millis(200));
    let vendor = script.start().await;
    let app = by_device();
    let session = signing(&app, &vendor, &nothing(), clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
    let before = vendor.seen().len();
    clock.jump(Duration::from_secs(7200));
    let (mut kept_rows, cancel) = (Kept::default(), CancellationToken::new());
    let (scanned, ()) = tokio::join!(collect(&session, &app, &["users"], Resume::default(), &mut kept_rows, cancel.clone()), async {
        while vendor.seen().len() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    });
    assert_eq!(scanned.unwrap_err().code(), "E-CANCELLED");
    assert_eq!(vendor.seen().len(), before + 1, "nothing is asked after it");
    signing(&app, &vendor, &session.keepsakes(), clock, Arc::new(NoBrowser)).await.result.unwrap();
}

/// RFC 6749, sections 5.1 and 6: what an answer does not say is as it was asked for, or as it was granted first.
#[tokio::test]
async fn what_a_person_granted_is_known_at_later_scans_too() {
    for gives_refresh in [true, false] {
        for (tells, wanted) in [
            (Some("read:some"), Some(vec!["read:some"])),
            (None, Some(vec!["offline", "read:all"])),
            // GitHub's user tokens: it says nothing.
            (Some(""), None),
        ] {
            let clock = TestClock::new();
            let script = |tells| {
                Script::with(clock.clone(), any_port(), |settings| {
                    settings.tells_scope = tells;
                    settings.gives_refresh = gives_refresh;
                    settings.expires_in = gives_refresh.then_some(3600);
                })
            };
            let first = script(tells);
            let vendor = first.start().await;
            let granted = |session: &Session| session.hints().granted.as_ref().map(|granted| granted.scopes.clone());
            let wanted = wanted.map(|scopes| scopes.into_iter().map(str::to_owned).collect::<Vec<_>>());
            for app in [by_device(), in_browser(&first)] {
                let person = Person::who(&first, Act::SignsIn);
                let session = signing(&app, &vendor, &nothing(), Arc::new(Patient(clock.clone())), person).await.result.unwrap();
                assert_eq!(granted(&session), wanted, "{tells:?}");
                let again = signing(&app, &vendor, &session.keepsakes(), clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
                assert_eq!(granted(&again), wanted, "{tells:?}, later");
            }
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_stays_is_kept() {
    let clock = TestClock::new();
    let script = Script::with(clock.clone(), any_port(), |settings| settings.rotates = false);
    let vendor = script.start().await;
    let app = by_device();
    let session = signing(&app, &vendor, &nothing(), clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
    let token = keepsake(&session, REFRESH).unwrap();
    for _ in 0..2 {
        clock.jump(Duration::from_secs(7200));
        assert_eq!(scan(&session, &app).await.finished["users"], Completeness::Complete);
        let again = signing(&app, &vendor, &kept(REFRESH, &token), clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
        assert_eq!(keepsake(&again, REFRESH).as_deref(), Some(token.as_str()));
    }
}

#[tokio::test]
async fn a_refused_refresh_token_asks_for_the_person_and_opens_nothing() {
    for (reply, code) in [
        (status(400, json!({"error": "invalid_grant"})), "E-OAUTH-SIGN-IN-AGAIN"),
        (status(200, json!({"error": "bad_refresh_token"})), "E-OAUTH-SIGN-IN-AGAIN"),
        (status(400, json!({"error": "access_denied"})), "E-OAUTH-SIGN-IN-AGAIN"),
        (status(400, json!({"error": "login_required"})), "E-OAUTH-SIGN-IN-AGAIN"),
        (status(401, json!({"error": "invalid_client"})), "E-OAUTH-CLIENT"),
        (status(400, json!({"error": "unauthorized_client"})), "E-OAUTH-CLIENT-NOT-ALLOWED"),
        (status(500, json!({})), "E-VENDOR-ERROR"),
        (status(429, json!({})), "E-RATE-LIMITED"),
    ] {
        let clock = TestClock::new();
        let script = Script::new(clock.clone());
        let vendor = script.start().await;
        script.fault("token", reply);
        let person = Person::who(&script, Act::SignsIn);
        let error = signing(&in_browser(&script), &vendor, &kept(REFRESH, "kept-secret"), clock, person.clone()).await.refused();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.remedy().contains("Reauthenticate"), code == "E-OAUTH-SIGN-IN-AGAIN");
        // What the console makes "sign in again" of.
        assert_eq!(error.kind() == CauseKind::CredentialRefused, !matches!(code, "E-VENDOR-ERROR" | "E-RATE-LIMITED"));
        assert!(!format!("{error:?}").contains("kept-secret"));
        assert!(person.opened.lock().unwrap().is_empty(), "nobody is there");
        assert_eq!(vendor.seen().len(), 1, "asked once");
    }
}

#[tokio::test]
async fn a_token_that_lives_long_is_kept_itself() {
    let ends = "oauth_access_token_ends";
    for (expires_in, kept_names) in [(None, vec![ACCESS, GRANTED]), (Some(30 * 24 * 3600), vec![ACCESS, ends, GRANTED])] {
        let clock = TestClock::new();
        let script = Script::with(clock.clone(), any_port(), |settings| {
            settings.gives_refresh = false;
            settings.expires_in = expires_in;
        });
        let vendor = script.start().await;
        let app = by_device();
        let session = signing(&app, &vendor, &nothing(), clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
        let keepsakes = session.keepsakes();
        assert_eq!(keepsakes.keys().collect::<Vec<_>>(), kept_names);
        assert_eq!(session.ends().is_some(), expires_in.is_some(), "the person is told when it ends");
        let before = vendor.seen().len();
        let again = signing(&app, &vendor, &keepsakes, clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
        assert_eq!(again.keepsakes().len(), keepsakes.len(), "it stays kept");
        assert_eq!(again.ends(), session.ends());
        assert_eq!(vendor.seen().len() - before, 1, "the test dataset alone");
        // Revoked at the vendor, the person is asked to sign in again; ended, nothing is asked.
        script.forget();
        let revoked = signing(&app, &vendor, &keepsakes, clock.clone(), Arc::new(NoBrowser)).await.refused();
        assert_eq!(revoked.code(), "E-OAUTH-SIGN-IN-AGAIN", "{revoked}");
        if expires_in.is_some() {
            clock.jump(Duration::from_secs(31 * 24 * 3600));
            let before = vendor.seen().len();
            let ended = signing(&app, &vendor, &keepsakes, clock.clone(), Arc::new(NoBrowser)).await.refused();
            assert_eq!(ended.code(), "E-OAUTH-SIGN-IN-AGAIN");
            assert_eq!(vendor.seen().len(), before, "nothing is asked with it");
        }
    }
}

#[tokio::test]
async fn the_vendor_names_the_host_of_the_organization() {
    let script = Script::with(now(), any_port(), |settings| settings.instance_url = Some("https://halden.my.vendor.example".into()));
    let vendor = script.start().await;
    let (signed, person) = browsing(&script, &vendor, Act::SignsIn).await;
    let session = signed.result.unwrap();
    assert!(vendor.connections().contains(&"halden.my.vendor.example".to_owned()));
    // A later scan is told anew.
    let again = signing(&in_browser(&script), &vendor, &session.keepsakes(), now(), person).await.result.unwrap();
    assert!(again.hosts().contains(&"halden.my.vendor.example".to_owned()));
    for url in [
        "https://evil.example",
        "https://my.vendor.example.evil.example",
        "http://halden.my.vendor.example",
        "https://halden.my.vendor.example:8443",
        "https://u@halden.my.vendor.example",
        "nonsense",
    ] {
        let script = Script::with(now(), any_port(), |settings| settings.instance_url = Some(url.into()));
        let vendor = script.start().await;
        let (signed, _) = browsing(&script, &vendor, Act::SignsIn).await;
        assert_eq!(signed.refused().code(), "E-NOT-UNDERSTOOD", "{url}");
        assert!(vendor.connections().iter().all(|host| host == LOGIN), "{url}: no token goes there");
    }
}

#[tokio::test]
async fn a_line_that_is_cut_while_the_person_types_ends_nothing() {
    let clock = TestClock::new();
    let script = Script::new(clock.clone());
    let vendor = script.start().await;
    script.fault("token", status(503, json!({})));
    let error = signing(&by_device(), &vendor, &nothing(), clock.clone(), Arc::new(NoBrowser)).await.refused();
    assert_eq!(error.code(), "E-OAUTH-CODE-EXPIRED", "it is asked until the code ends");
    assert!(vendor.seen().len() < 30, "slower each time");
}
