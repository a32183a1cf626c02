//! The Classic Engine of the simulated Okta organization, step by step.

use crate::board::{BOARD, KEY, OKTA, PASSWORD, Seen, USER, Visit, Way};
use catalog::{OktaEngine, OktaFactor, SandboxOkta, SecondFactor};
use sandbox::{Fault, OverlayChange, SandboxError};
use serde_json::{Value, json};

fn classic() -> SandboxOkta {
    SandboxOkta { engine: OktaEngine::Classic, ..SandboxOkta::default() }
}

async fn visit(okta: SandboxOkta) -> Visit {
    Visit::new(Way::Oidc, okta).await
}

fn link(body: &Value, name: &str) -> String {
    body["_links"][name]["href"].as_str().unwrap_or_else(|| panic!("{name} is not published: {body}")).to_owned()
}

fn verify_link(body: &Value, at: usize) -> String {
    body["_embedded"]["factors"][at]["_links"]["verify"]["href"].as_str().unwrap().to_owned()
}

fn member(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("{name} is not there: {body}")).to_owned()
}

/// A transaction that waits for the code: its state token, and where the code goes.
async fn at_code(visit: &Visit) -> (String, String) {
    let body = visit.authn().await.json();
    assert_eq!(body["status"], "MFA_REQUIRED", "{body}");
    (member(&body, "stateToken"), verify_link(&body, 0))
}

async fn verify(visit: &Visit, state: &str, link: &str, code: &str) -> Seen {
    visit.post(link, json!({"stateToken": state, "passCode": code})).await
}

#[tokio::test]
async fn the_organization_says_who_it_is() {
    for (engine, pipeline) in [(OktaEngine::Classic, "v1"), (OktaEngine::IdentityEngine, "idx")] {
        let visit = visit(SandboxOkta { engine, ..SandboxOkta::default() }).await;
        let body = visit.get(&format!("https://{OKTA}/.well-known/okta-organization")).await.json();
        assert_eq!(body["pipeline"], pipeline);
        assert_eq!(body["_links"]["organization"]["href"], format!("https://{OKTA}"));
    }
    for (elsewhere, kind) in [(false, "OKTA"), (true, "SAML2")] {
        let visit = visit(SandboxOkta { elsewhere, ..classic() }).await;
        let ask = |user: &str| format!("https://{OKTA}/.well-known/webfinger?resource=okta:acct:{user}&rel=okta:idp");
        let found = visit.get(&ask(USER)).await;
        assert_eq!(found.headers["content-type"], "application/jrd+json");
        assert_eq!(found.json()["links"][0]["properties"]["okta:idp:type"], kind);
        assert_eq!(visit.get(&ask("nobody@haldenmoor.example")).await.json()["links"][0]["properties"]["okta:idp:type"], "OKTA");
        assert_eq!(visit.get(&format!("https://{OKTA}/.well-known/webfinger")).await.status, 400);
    }
}

#[tokio::test]
async fn password_code_and_single_sign_on_lead_to_the_data() {
    let visit = visit(classic()).await;
    assert_eq!(visit.reads().await, 401);
    let start = visit.get(&format!("https://{BOARD}/login")).await;
    let pending = start.location().unwrap();
    assert_eq!((pending.host_str(), pending.path()), (Some(OKTA), "/oauth2/v1/authorize"));
    assert!(visit.get(pending.as_str()).await.asks_to_sign_in());
    let token = visit.session_token().await;
    let traded = visit.trade(&token, pending.as_str()).await;
    assert_eq!(traded.location(), Some(pending));
    let sid = traded.cookie("sid").unwrap();
    assert!(sid.contains("; Secure") && sid.contains("; HttpOnly") && !sid.contains("Domain"), "{sid}");
    assert_eq!(traded.cookie("idx"), None, "the Classic Engine has one cookie");
    let landed = visit.follow(traded).await;
    assert_eq!((landed.status, landed.url.host_str(), landed.url.path()), (200, Some(BOARD), "/"));
    assert_eq!(visit.reads().await, 200);
    let last = visit.sandbox.log().pop().unwrap();
    assert!(last.authorised && last.tenant.as_deref() == Some("board/risky"));
    assert_eq!(visit.sandbox.messages(), 0);
}

#[tokio::test]
async fn a_wrong_user_or_password_looks_the_same_and_counts() {
    let visit = visit(classic()).await;
    let authn = async |user: &str, password: &str| visit.post("/api/v1/authn", json!({"username": user, "password": password})).await;
    assert_eq!(authn("nobody@haldenmoor.example", PASSWORD).await.refusal(), (401, "E0000004".into()));
    for _ in 0..9 {
        assert_eq!(authn(USER, "wrong").await.refusal(), (401, "E0000004".into()));
    }
    assert_eq!(visit.authn().await.json()["status"], "MFA_REQUIRED", "nine are forgiven by a right one");
    for _ in 0..10 {
        authn(USER, "wrong").await;
    }
    assert_eq!(visit.authn().await.refusal(), (401, "E0000004".into()), "locked, which looks the same");
    visit.change(OverlayChange::Clear { tenant: Some(visit.tenant.clone()) });
    assert_eq!(visit.authn().await.json()["status"], "MFA_REQUIRED");
    for (body, code) in [(json!({}), "E0000001"), (json!({"username": USER}), "E0000001"), (json!([]), "E0000003")] {
        assert_eq!(visit.post("/api/v1/authn", body).await.refusal(), (400, code.into()));
    }
    let form = visit.client.post(format!("https://{OKTA}/api/v1/authn")).form(&[("username", USER), ("password", PASSWORD)]);
    assert_eq!(visit.see(form).await.refusal(), (415, "E0000021".into()));
    assert_eq!(visit.get(&format!("https://{OKTA}/api/v1/authn")).await.refusal(), (405, "E0000022".into()));
}

#[tokio::test]
async fn a_code_is_good_for_three_time_steps_and_once() {
    let visit = visit(classic()).await;
    for (steps, wanted) in [(-2, 403), (2, 403), (-1, 200), (1, 200), (0, 200)] {
        let (state, link) = at_code(&visit).await;
        let seen = verify(&visit, &state, &link, &visit.code(steps)).await;
        assert_eq!(seen.status, wanted, "{steps} steps away: {}", seen.text);
        if wanted == 403 {
            assert_eq!(seen.refusal().1, "E0000068");
        }
    }
    let (state, link) = at_code(&visit).await;
    for steps in [-1, 0, 1] {
        assert_eq!(verify(&visit, &state, &link, &visit.code(steps)).await.refusal(), (403, "E0000082".into()), "{steps} was used");
    }
    assert_eq!(verify(&visit, &state, &link, "12345").await.refusal(), (403, "E0000068".into()));
    visit.advance(30);
    assert_eq!(verify(&visit, &state, &link, &visit.code(1)).await.json()["status"], "SUCCESS", "the transaction outlives a wrong code");
}

#[tokio::test]
async fn five_wrong_codes_lock_the_user() {
    let visit = visit(classic()).await;
    let (state, link) = at_code(&visit).await;
    let wrong = if visit.code(0) == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(verify(&visit, &state, &link, wrong).await.refusal(), (403, "E0000068".into()));
    }
    assert_eq!(verify(&visit, &state, &link, &visit.code(0)).await.refusal(), (403, "E0000069".into()));
    assert_eq!(visit.authn().await.refusal(), (401, "E0000004".into()));
}

#[tokio::test]
async fn a_transaction_is_led_by_its_links_and_ends_in_time() {
    let factors = vec![OktaFactor::OktaVerify, OktaFactor::Push, OktaFactor::Google, OktaFactor::Sms];
    let visit = visit(SandboxOkta { factors, ..classic() }).await;
    let required = visit.authn().await.json();
    let listed = required["_embedded"]["factors"].as_array().unwrap();
    let kinds: Vec<(&str, &str)> =
        listed.iter().map(|one| (one["factorType"].as_str().unwrap(), one["provider"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("token:software:totp", "OKTA"), ("push", "OKTA"), ("token:software:totp", "GOOGLE"), ("sms", "OKTA")]);
    let state = json!({"stateToken": required["stateToken"]});
    // Opened without a code, stepped back from, chosen again.
    let open = visit.post(&verify_link(&required, 2), state.clone()).await.json();
    assert_eq!((&open["status"], &open["_embedded"]["factor"]["provider"]), (&json!("MFA_CHALLENGE"), &json!("GOOGLE")));
    assert_eq!(visit.post("/api/v1/authn", state.clone()).await.json()["status"], "MFA_CHALLENGE", "a state token alone reads the state");
    assert_eq!(visit.post(&link(&open, "prev"), state.clone()).await.json()["status"], "MFA_REQUIRED");
    assert_eq!(visit.post("/api/v1/authn/previous", state.clone()).await.refusal(), (403, "E0000079".into()));
    assert_eq!(visit.post("/api/v1/authn/skip", state.clone()).await.refusal(), (403, "E0000079".into()));
    assert_eq!(visit.post("/api/v1/authn/factors/uft0/verify", state.clone()).await.refusal(), (404, "E0000007".into()));
    let second = json!({"stateToken": required["stateToken"], "username": USER, "password": PASSWORD});
    assert_eq!(visit.post("/api/v1/authn", second).await.refusal(), (403, "E0000079".into()), "the password was given already");
    // The key belongs to Google Authenticator; Okta Verify has one of its own, which nobody knows.
    let verify_code = verify(&visit, &member(&required, "stateToken"), &verify_link(&required, 0), &visit.code(0)).await;
    assert_eq!(verify_code.refusal(), (403, "E0000068".into()));
    let google = verify(&visit, &member(&required, "stateToken"), &verify_link(&required, 2), &visit.code(0)).await;
    assert_eq!(google.status, 200);
    assert_eq!(visit.sandbox.messages(), 0);
    let required = visit.authn().await.json();
    let push = visit.post(&verify_link(&required, 1), json!({"stateToken": required["stateToken"]})).await.json();
    assert_eq!((&push["status"], &push["factorResult"]), (&json!("MFA_CHALLENGE"), &json!("WAITING")));
    assert_eq!(visit.sandbox.messages(), 1, "a person's phone would have rung");
    let cancelled = visit.post(&link(&push, "cancel"), json!({"stateToken": push["stateToken"]})).await;
    assert_eq!((cancelled.status, cancelled.json()), (200, json!({})));
    assert_eq!(visit.post("/api/v1/authn/introspect", json!({"stateToken": push["stateToken"]})).await.refusal(), (401, "E0000011".into()));
    // A transaction waits five minutes for each request.
    let (state, verify_link) = at_code(&visit).await;
    visit.advance(299);
    assert_eq!(visit.post("/api/v1/authn/introspect", json!({"stateToken": state})).await.json()["status"], "MFA_REQUIRED");
    visit.advance(299);
    assert_eq!(visit.post("/api/v1/authn/introspect", json!({"stateToken": state})).await.json()["status"], "MFA_REQUIRED");
    visit.advance(300);
    assert_eq!(verify(&visit, &state, &verify_link, &visit.code(0)).await.refusal(), (401, "E0000011".into()));
}

#[tokio::test]
async fn a_session_token_is_good_once_for_five_minutes() {
    let visit = visit(classic()).await;
    let apps = format!("https://{OKTA}/api/v1/users/me/appLinks");
    let home = format!("https://{OKTA}/app/UserHome");
    assert_eq!(visit.get(&apps).await.refusal(), (403, "E0000005".into()));
    let token = visit.session_token().await;
    for elsewhere in
        ["https://halden-moor.okta.com.evil.test/", "http://halden-moor.okta.com/", "https://board.example/", "//evil.test", ""]
    {
        let refused = visit.trade(&token, elsewhere).await;
        assert!(refused.status == 400 && refused.cookie("sid").is_none(), "{elsewhere}");
    }
    assert!(visit.trade(&token, &home).await.cookie("sid").is_some());
    assert_eq!(visit.get(&apps).await.status, 200);
    let again = Seen::of(
        visit.stranger().get(format!("https://{OKTA}/login/sessionCookieRedirect?token={token}&redirectUrl={home}")).send().await.unwrap(),
    )
    .await;
    assert!(again.status == 302 && again.cookie("sid").is_none(), "used up");
    visit.advance(30);
    let kept = visit.session_token().await;
    assert!(visit.trade(&kept, &home).await.cookie("sid").is_none(), "a session that is there goes before a token");
    assert_eq!(visit.see(visit.client.delete(format!("https://{OKTA}/api/v1/sessions/me"))).await.status, 204);
    assert_eq!(visit.get(&apps).await.status, 403);
    assert_eq!(visit.see(visit.client.delete(format!("https://{OKTA}/api/v1/sessions/me"))).await.refusal(), (404, "E0000007".into()));
    visit.advance(300);
    assert!(visit.trade(&kept, &home).await.cookie("sid").is_none(), "too old");
    let fresh = visit.session_token().await;
    let session = visit.post("/api/v1/sessions", json!({"sessionToken": fresh})).await.json();
    assert_eq!((&session["login"], &session["status"], &session["mfaActive"]), (&json!(USER), &json!("ACTIVE"), &json!(true)));
    assert_eq!(visit.post("/api/v1/sessions", json!({"sessionToken": fresh})).await.refusal(), (401, "E0000004".into()));
}

#[tokio::test]
async fn what_an_account_can_come_to_is_told_as_okta_tells_it() {
    let all = async |change: fn(String) -> OverlayChange| {
        let visit = visit(classic()).await;
        visit.change(change(visit.tenant.clone()));
        visit
    };
    let locked = all(|tenant| OverlayChange::LockUser { tenant, shown: false }).await;
    assert_eq!(locked.authn().await.refusal(), (401, "E0000004".into()));
    let shown = all(|tenant| OverlayChange::LockUser { tenant, shown: true }).await.authn().await.json();
    assert_eq!((&shown["status"], &shown["_links"]["next"]["name"]), (&json!("LOCKED_OUT"), &json!("unlock")));
    let denied = all(|tenant| OverlayChange::Deny { tenant }).await;
    assert_eq!(denied.authn().await.refusal(), (401, "E0000004".into()));
    let revoked = all(|tenant| OverlayChange::Revoke { tenant }).await;
    assert_eq!(revoked.authn().await.refusal(), (401, "E0000004".into()));
    let dropped = all(|tenant| OverlayChange::DropFactor { tenant, factor: OktaFactor::Google }).await.authn().await.json();
    assert_eq!(dropped["status"], "MFA_ENROLL");
    assert!(dropped["_links"].get("skip").is_none() && dropped.get("sessionToken").is_none(), "{dropped}");

    let changed = all(|tenant| OverlayChange::ChangePassword { tenant, password: "another".into() }).await;
    assert_eq!(changed.authn().await.refusal(), (401, "E0000004".into()));
    let right = changed.post("/api/v1/authn", json!({"username": USER, "password": "another"})).await;
    assert_eq!(right.json()["status"], "MFA_REQUIRED");

    let expired = all(|tenant| OverlayChange::ExpirePassword { tenant }).await;
    let (state, link) = at_code(&expired).await;
    let body = verify(&expired, &state, &link, &expired.code(0)).await.json();
    assert_eq!((&body["status"], body.get("sessionToken")), (&json!("PASSWORD_EXPIRED"), None), "told behind the code");

    let rekeyed = visit(classic()).await;
    let key = |mfa_key: &str| OverlayChange::ChangeMfaKey { tenant: rekeyed.tenant.clone(), mfa_key: mfa_key.into() };
    assert!(matches!(rekeyed.sandbox.overlay().apply(key("123456")), Err(SandboxError::MfaKey { .. })));
    rekeyed.change(key("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"));
    let (state, link) = at_code(&rekeyed).await;
    assert_eq!(verify(&rekeyed, &state, &link, &rekeyed.code(0)).await.refusal(), (403, "E0000068".into()));
    rekeyed.change(key(KEY));
    assert_eq!(verify(&rekeyed, &state, &link, &rekeyed.code(0)).await.json()["status"], "SUCCESS");
}

#[tokio::test]
async fn a_warning_about_the_password_can_be_passed_over() {
    let visit = visit(SandboxOkta { password_warning: true, ..classic() }).await;
    let (state, link_to_verify) = at_code(&visit).await;
    let warned = verify(&visit, &state, &link_to_verify, &visit.code(0)).await.json();
    assert_eq!(warned["status"], "PASSWORD_WARN");
    let done = visit.post(&link(&warned, "skip"), json!({"stateToken": state})).await.json();
    assert_eq!(done["status"], "SUCCESS");
    assert!(done["sessionToken"].is_string());
}

#[tokio::test]
async fn an_application_can_ask_for_the_second_factor_by_itself() {
    let visit = visit(SandboxOkta { second_factor: SecondFactor::Application, ..classic() }).await;
    let password_alone = visit.authn().await.json();
    assert_eq!(password_alone["status"], "SUCCESS");
    let pending = visit.get(&format!("https://{BOARD}/login")).await.location().unwrap();
    let page = visit.follow(visit.trade(&member(&password_alone, "sessionToken"), pending.as_str()).await).await;
    assert!(page.asks_to_sign_in() && page.url == pending, "{}", page.url);
    let state = page.state_token();
    assert!(state.starts_with("00"), "{state}");
    let body = visit.post("/api/v1/authn", json!({"stateToken": state})).await.json();
    assert_eq!((&body["status"], &body["type"]), (&json!("MFA_REQUIRED"), &json!("SESSION_STEP_UP")), "only the code is asked for");
    let done = verify(&visit, &state, &verify_link(&body, 0), &visit.code(0)).await.json();
    assert_eq!((&done["status"], done.get("sessionToken")), (&json!("SUCCESS"), None));
    let landed = visit.follow(visit.get(&link(&done, "next")).await).await;
    assert_eq!(landed.url.as_str(), "https://board.example/");
    assert_eq!(visit.reads().await, 200);
    assert_eq!(visit.get(&link(&done, "next")).await.status, 400, "good once");
    // The page of somebody who is not signed in at all asks for the password too.
    let stranger = visit.stranger();
    let start = Seen::of(stranger.get(format!("https://{BOARD}/login")).send().await.unwrap()).await;
    let page = Seen::of(stranger.get(start.location().unwrap()).send().await.unwrap()).await;
    let state = page.state_token();
    let body = visit.post("/api/v1/authn/introspect", json!({"stateToken": state})).await.json();
    assert_eq!((&body["status"], body["_links"]["next"]["name"].as_str()), (&json!("UNAUTHENTICATED"), Some("authenticate")));
    let body = visit.post("/api/v1/authn", json!({"stateToken": state, "username": USER, "password": PASSWORD})).await.json();
    assert_eq!(body["status"], "MFA_REQUIRED");
}

#[tokio::test]
async fn clocks_go_wrong_and_say_so() {
    let visit = visit(classic()).await;
    let date = async |visit: &Visit| {
        let seen = visit.get(&format!("https://{OKTA}/.well-known/okta-organization")).await;
        jiff::fmt::rfc2822::parse(seen.headers["date"].to_str().unwrap()).unwrap().timestamp().as_second()
    };
    assert_eq!(date(&visit).await, visit.now());
    visit.change(OverlayChange::SkewClock { tenant: visit.tenant.clone(), seconds: 300 });
    assert_eq!(date(&visit).await, visit.now() + 300);
    let (state, link) = at_code(&visit).await;
    assert_eq!(verify(&visit, &state, &link, &visit.code(0)).await.refusal(), (403, "E0000068".into()));
    assert_eq!(verify(&visit, &state, &link, &visit.code(10)).await.json()["status"], "SUCCESS", "whoever reads the date gets in");
    let too_far = OverlayChange::SkewClock { tenant: visit.tenant.clone(), seconds: -90_000 };
    assert!(matches!(visit.sandbox.overlay().apply(too_far), Err(SandboxError::OutOfBounds { .. })));
}

#[tokio::test]
async fn faults_on_the_way_are_worded_as_okta_words_them() {
    let visit = visit(classic()).await;
    let fault = |fault| OverlayChange::Fault {
        tenant: visit.tenant.clone(),
        answer: Some("/api/v1/authn".into()),
        fault,
        times: Some(1),
        from_page: None,
    };
    visit.change(fault(Fault::Status { status: 429, retry_after: Some(9) }));
    let limited = visit.authn().await;
    assert_eq!(limited.refusal(), (429, "E0000047".into()));
    assert_eq!(limited.headers["x-rate-limit-reset"].to_str().unwrap(), (visit.now() + 9).to_string());
    assert_eq!(limited.headers["x-rate-limit-remaining"], "0");
    assert!(!limited.headers.contains_key("retry-after"), "Okta tells the end of the window instead");
    visit.change(fault(Fault::Status { status: 500, retry_after: None }));
    assert_eq!(visit.authn().await.refusal(), (500, "E0000009".into()));
    visit.change(fault(Fault::Html));
    assert!(visit.authn().await.text.contains("<html>"));
    visit.change(fault(Fault::HalfJson));
    assert!(serde_json::from_str::<Value>(&visit.authn().await.text).is_err());
    visit.change(fault(Fault::Cut));
    let cut = visit.client.post(format!("https://{OKTA}/api/v1/authn")).json(&json!({"username": USER, "password": PASSWORD}));
    assert!(cut.send().await.unwrap().bytes().await.is_err());
    let usual = visit.authn().await;
    assert_eq!(usual.json()["status"], "MFA_REQUIRED");
    for name in ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"] {
        assert!(usual.headers.contains_key(name), "{name}");
    }
    // What a fault swallows was not done, and what it disturbs was.
    let wrong = json!({"username": USER, "password": "wrong"});
    for _ in 0..20 {
        visit.change(fault(Fault::Status { status: 503, retry_after: None }));
        visit.post("/api/v1/authn", wrong.clone()).await;
    }
    assert_eq!(visit.authn().await.json()["status"], "MFA_REQUIRED", "no password was looked at");
    assert_eq!(visit.get(&format!("https://{OKTA}/api/v1/unknown")).await.refusal(), (404, "E0000007".into()));
}
