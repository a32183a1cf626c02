//! What a vendor says that a credential holds: by the header that the login option names, by a token's answer, by a token's claims,
//! or not at all.
use crate::vendor;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use posture_connect::{Credentials, Granted, Hints, ToldBy, covers, hints};
use secrecy::SecretString;
use serde_json::{Value, json};
use vendor::{Reply, TestClock, Vendor, app, me_and, ok, small, status, try_sign_in};

fn token(claims: &Value) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn told_by_claims(claims: &Value) -> Option<Granted> {
    let app = app(vec![]);
    let credentials = Credentials::from([("api_key".into(), SecretString::from(token(claims)))]);
    let Hints { granted, .. } = hints(&app.logins[0], &credentials);
    granted
}

async fn told_by_header(header: Option<&str>, named: Option<&str>) -> Option<Granted> {
    let mut app = app(vec![]);
    app.logins[0].granted_header = named.map(str::to_owned);
    let header = header.map(str::to_owned);
    let me = move |reply: Reply| match &header {
        Some(list) => reply.header("x-oauth-scopes", list.clone()),
        None => reply,
    };
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        "/v1/me" => me(ok(json!({"data": {"id": 7, "name": "Scanner"}}))),
        _ => status(404, json!({})),
    })
    .await;
    let session = try_sign_in(&app, &vendor.route(), small(), TestClock::new(), &[]).await.unwrap();
    session.hints().granted.clone()
}

fn scopes(granted: Option<Granted>) -> (ToldBy, Vec<String>) {
    let granted = granted.unwrap();
    (granted.told_by, granted.scopes)
}

#[tokio::test]
async fn the_named_header_of_the_test_answer_says_it() {
    let (by, list) = scopes(told_by_header(Some("repo, read:org,repo"), Some("x-oauth-scopes")).await);
    assert_eq!((by, list), (ToldBy::Header, vec!["read:org".to_owned(), "repo".into()]));
    // An empty list is an answer: nothing is granted.
    assert_eq!(scopes(told_by_header(Some(""), Some("x-oauth-scopes")).await), (ToldBy::Header, vec![]));
    // Where there is none, or nobody names it, the claims of the token stand.
    for (header, named) in [(None, Some("x-oauth-scopes")), (Some("repo"), None)] {
        assert_eq!(scopes(told_by_header(header, named).await), (ToldBy::TokenClaims, vec!["a.read".into()]));
    }
}

#[tokio::test]
async fn a_vendor_that_says_nothing_is_not_taken_for_one_that_grants_nothing() {
    let vendor = Vendor::start(me_and(|_| status(404, json!({})))).await;
    let session = try_sign_in(&app(vec![]), &vendor.route(), small(), TestClock::new(), &[]).await.unwrap();
    assert!(session.hints().granted.is_some(), "the token of the stand has claims");
    assert_eq!(told_by_claims(&json!({ "sub": "x" })), None);
    assert_eq!(scopes(told_by_claims(&json!({ "scp": [] }))), (ToldBy::TokenClaims, vec![]));
}

#[test]
fn claims_are_read_as_text_and_as_lists_and_bounded() {
    let list = |claims: Value| scopes(told_by_claims(&claims)).1;
    assert_eq!(list(json!({ "scp": "b a", "roles": ["c", 1, null] })), ["a", "b", "c"]);
    assert_eq!(list(json!({ "scope": "users.read\u{7} x" })), ["users.read", "x"], "vendor text is text");
    let many: Vec<String> = (0..900).map(|at| format!("s{at:04}")).collect();
    assert!(list(json!({ "roles": many })).len() <= 500);
    assert!(list(json!({ "roles": ["x".repeat(5_000)] }))[0].len() <= 120);
}

#[test]
fn writing_covers_reading_of_the_same_thing_only() {
    assert!(covers("Policy.ReadWrite.All", "Policy.Read.All") && covers("User.Read", "User.Read"));
    assert!(!covers("Policy.Read.All", "Policy.ReadWrite.All") && !covers("Policy.ReadWrite.All", "Group.Read.All"));
}

/// When the credential ends, by what the answer to the test and the clock say.
async fn ends(headers: &'static [&'static str], declared: bool) -> Option<(String, posture_connect::ExpiresBy)> {
    let mut app = app(vec![]);
    app.logins[0].expires = declared.then(|| catalog::Expires {
        told: catalog::ExpiryPlace::Header { name: "x-token-ends".into(), format: catalog::TimestampFormat::SpacedZone },
        source: "https://docs.helpdesk.example/tokens".into(),
    });
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        "/v1/me" => {
            headers.iter().fold(ok(json!({"data": {"id": 7, "name": "Scanner"}})), |reply, ends| reply.header("x-token-ends", *ends))
        }
        _ => status(404, json!({})),
    })
    .await;
    let session = try_sign_in(&app, &vendor.route(), small(), TestClock::new(), &[]).await.unwrap();
    session.ends().map(|(at, by)| (at.to_string(), by))
}

/// The token of the stand says itself that it ends in 2030; whichever comes first is the end.
#[tokio::test]
async fn the_header_that_tells_the_end_is_read_as_declared_or_tells_nothing() {
    use posture_connect::ExpiresBy::Vendor as ByVendor;
    let own = Some(("2030-01-01T00:00:00Z".to_owned(), ByVendor));
    assert_eq!(ends(&["2029-02-03 04:05:06 UTC"], true).await, Some(("2029-02-03T04:05:06Z".into(), ByVendor)));
    assert_eq!(ends(&["2029-02-03 04:05:06 +0200"], true).await, Some(("2029-02-03T02:05:06Z".into(), ByVendor)));
    assert_eq!(ends(&["2031-02-03 04:05:06 UTC"], true).await, own);
    assert_eq!(ends(&["2029-02-03 04:05:06 UTC"], false).await, own, "nobody declared it");
    for unclear in [&["2029-02-03"][..], &["next week"], &[""], &[], &["2029-02-03 04:05:06 UTC", "2028-02-03 04:05:06 UTC"]] {
        assert_eq!(ends(unclear, true).await, own, "{unclear:?}");
    }
    assert_eq!(ends(&["2001-02-03 04:05:06 UTC"], true).await, None, "it signs in, so it has not ended then");
}
