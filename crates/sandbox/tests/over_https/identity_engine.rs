//! The Identity Engine of the simulated Okta organization, form by form.

use crate::board::{BOARD, OKTA, PASSWORD, Seen, USER, Visit, Way};
use catalog::{OktaFactor, SandboxOkta, SecondFactor};
use sandbox::OverlayChange;
use serde_json::{Value, json};

async fn visit(okta: SandboxOkta) -> Visit {
    Visit::new(Way::Oidc, okta).await
}

/// The first answer: from the application to the page, from the page's token to its forms.
async fn begin(visit: &Visit) -> Seen {
    let page = visit.follow(visit.get(&format!("https://{BOARD}/login")).await).await;
    assert!(page.asks_to_sign_in(), "{}", page.url);
    let token = page.state_token();
    assert!(token.starts_with("02.id."), "{token}");
    let first = visit.idx("introspect", json!({"stateToken": token})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_ne!(first.handle(), json!(token));
    first
}

/// As far as the password's form.
async fn at_password(visit: &Visit) -> Seen {
    let first = begin(visit).await;
    visit.idx("identify", json!({"stateHandle": first.handle(), "identifier": USER})).await
}

/// Beyond the password.
async fn behind_password(visit: &Visit) -> Seen {
    let asked = at_password(visit).await;
    answer(visit, &asked, json!({"passcode": PASSWORD})).await
}

async fn answer(visit: &Visit, seen: &Seen, credentials: Value) -> Seen {
    visit.idx("challenge/answer", json!({"stateHandle": seen.handle(), "credentials": credentials})).await
}

fn current(seen: &Seen) -> String {
    seen.json()["currentAuthenticator"]["value"]["key"].as_str().unwrap_or_default().to_owned()
}

/// Follows the success to the application.
async fn finish(visit: &Visit, seen: &Seen) -> Seen {
    let body = seen.json();
    assert_eq!(body["success"]["name"], "success-redirect", "{body}");
    visit.follow(visit.get(body["success"]["href"].as_str().unwrap()).await).await
}

#[tokio::test]
async fn user_then_password_then_code() {
    let visit = visit(SandboxOkta::default()).await;
    let first = begin(&visit).await;
    assert_eq!(first.forms(), ["identify"]);
    let fields = first.json()["remediation"]["value"][0]["value"].clone();
    let names: Vec<&str> = fields.as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["identifier", "rememberMe", "stateHandle"], "the password has no place yet");
    let early = json!({"stateHandle": first.handle(), "identifier": USER, "credentials": {"passcode": PASSWORD}});
    assert_eq!(visit.idx("identify", early).await.refusal(), (400, "E0000001".into()));
    let asked = visit.idx("identify", json!({"stateHandle": first.handle(), "identifier": USER, "rememberMe": false})).await;
    assert_eq!((asked.forms(), current(&asked)), (vec!["challenge-authenticator".to_owned()], "okta_password".to_owned()));
    let code = answer(&visit, &asked, json!({"passcode": PASSWORD})).await;
    assert_eq!(current(&code), "google_otp", "the only factor is opened by itself");
    assert_eq!(code.forms(), ["challenge-authenticator", "select-authenticator-authenticate"]);
    let done = answer(&visit, &code, json!({"passcode": visit.code(0)})).await;
    assert_eq!(done.status, 200);
    let href = done.json()["success"]["href"].as_str().unwrap().to_owned();
    let token = visit.get(&href).await;
    let idx = token.cookie("idx").unwrap();
    assert!(idx.contains("; Secure") && idx.contains("; HttpOnly") && !idx.contains("Domain"), "{idx}");
    let landed = visit.follow(token).await;
    assert_eq!(landed.url.as_str(), "https://board.example/");
    assert_eq!(visit.reads().await, 200);
    assert_eq!(visit.get(&href).await.status, 400, "good once");
}

#[tokio::test]
async fn user_and_password_at_once() {
    let visit = visit(SandboxOkta { one_step: true, ..SandboxOkta::default() }).await;
    let first = begin(&visit).await;
    let fields = first.json()["remediation"]["value"][0]["value"].clone();
    assert_eq!(fields[1]["form"]["value"][0]["name"], "passcode");
    let without = json!({"stateHandle": first.handle(), "identifier": USER});
    assert_eq!(visit.idx("identify", without).await.refusal(), (400, "E0000001".into()));
    let wrong = json!({"stateHandle": first.handle(), "identifier": USER, "credentials": {"passcode": "wrong"}});
    let refused = visit.idx("identify", wrong).await;
    assert_eq!((refused.message(), refused.forms()), ((401, "errors.E0000004".into()), vec!["identify".to_owned()]));
    let right = json!({"stateHandle": refused.handle(), "identifier": USER, "credentials": {"passcode": PASSWORD}});
    let code = visit.idx("identify", right).await;
    let done = answer(&visit, &code, json!({"passcode": visit.code(0)})).await;
    finish(&visit, &done).await;
    assert_eq!(visit.reads().await, 200);
}

#[tokio::test]
async fn one_of_several_factors_is_chosen_by_what_it_is() {
    let factors = vec![OktaFactor::Sms, OktaFactor::Push, OktaFactor::OktaVerify, OktaFactor::Google];
    let both = visit(SandboxOkta { factors, ..SandboxOkta::default() }).await;
    let choice = behind_password(&both).await;
    assert_eq!(choice.forms(), ["select-authenticator-authenticate"]);
    let body = choice.json();
    let options = body["remediation"]["value"][0]["value"][0]["options"].as_array().unwrap();
    let keys: Vec<&str> = options
        .iter()
        .map(|option| {
            let path = option["relatesTo"].as_str().unwrap().trim_start_matches("$.authenticatorEnrollments.value[").trim_end_matches(']');
            body["authenticatorEnrollments"]["value"][path.parse::<usize>().unwrap()]["key"].as_str().unwrap()
        })
        .collect();
    assert_eq!(keys, ["phone_number", "okta_verify", "google_otp"]);
    let verify = options[1]["value"]["form"]["value"].as_array().unwrap();
    assert_eq!(verify[1]["options"], json!([{"label": "push", "value": "push"}, {"label": "totp", "value": "totp"}]));
    let id = |at: usize| options[at]["value"]["form"]["value"][0]["value"].clone();
    let choose =
        async |authenticator: Value| both.idx("challenge", json!({"stateHandle": choice.handle(), "authenticator": authenticator})).await;
    assert_eq!(choose(json!({"id": "aut0"})).await.refusal(), (400, "E0000001".into()));
    assert_eq!(choose(json!({"id": id(2), "methodType": "totp"})).await.refusal(), (400, "E0000001".into()));
    assert_eq!(both.sandbox.messages(), 0);
    let google = choose(json!({"id": id(2), "methodType": "otp"})).await;
    assert_eq!(current(&google), "google_otp");
    choose(json!({"id": id(1), "methodType": "push"})).await;
    assert_eq!(both.sandbox.messages(), 1, "a person's phone would have rung");
    let google = choose(json!({"id": id(2)})).await;
    let done = answer(&both, &google, json!({"passcode": both.code(0)})).await;
    finish(&both, &done).await;

    // Okta Verify names the field for its code differently.
    let factors = vec![OktaFactor::OktaVerify, OktaFactor::Push];
    let verify = visit(SandboxOkta { factors, ..SandboxOkta::default() }).await;
    let choice = behind_password(&verify).await;
    let id = choice.json()["remediation"]["value"][0]["value"][0]["options"][0]["value"]["form"]["value"][0]["value"].clone();
    let open = verify.idx("challenge", json!({"stateHandle": choice.handle(), "authenticator": {"id": id, "methodType": "totp"}})).await;
    assert_eq!(open.json()["remediation"]["value"][0]["value"][0]["form"]["value"][0]["name"], "totp");
    assert_eq!(answer(&verify, &open, json!({"passcode": verify.code(0)})).await.refusal(), (400, "E0000001".into()));
    let wrong = if verify.code(0) == "000000" { "111111" } else { "000000" };
    assert_eq!(answer(&verify, &open, json!({"totp": wrong})).await.message(), (400, "api.authn.error.PASSCODE_INVALID".into()));
    let done = answer(&verify, &open, json!({"totp": verify.code(0)})).await;
    finish(&verify, &done).await;
    assert_eq!(verify.sandbox.messages(), 0);
}

#[tokio::test]
async fn a_code_is_good_once_and_five_wrong_ones_are_too_many() {
    let visit = visit(SandboxOkta::default()).await;
    let code = behind_password(&visit).await;
    let done = answer(&visit, &code, json!({"passcode": visit.code(0)})).await;
    finish(&visit, &done).await;
    visit.get(&format!("https://{OKTA}/login/signout")).await;
    let code = behind_password(&visit).await;
    let used = answer(&visit, &code, json!({"passcode": visit.code(0)})).await;
    assert_eq!(used.message(), (400, "authfactor.challenge.soft_token.used_passcode".into()));
    assert!(used.forms().contains(&"challenge-authenticator".to_owned()), "the form is still there");
    // The Classic way does not accept it either: it is one user and one key.
    let required = visit.authn().await.json();
    let verify = required["_embedded"]["factors"][0]["_links"]["verify"]["href"].as_str().unwrap().to_owned();
    let seen = visit.post(&verify, json!({"stateToken": required["stateToken"], "passCode": visit.code(0)})).await;
    assert_eq!(seen.refusal(), (403, "E0000082".into()));
    let wrong = if visit.code(0) == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        let seen = answer(&visit, &code, json!({"passcode": wrong})).await;
        assert_eq!(seen.message(), (400, "authfactor.challenge.soft_token.invalid_passcode".into()));
    }
    assert_eq!(
        answer(&visit, &code, json!({"passcode": visit.code(1)})).await.message(),
        (403, "authfactor.challenge.suspended_factor".into())
    );
}

#[tokio::test]
async fn interludes_can_be_passed_over() {
    let visit = visit(SandboxOkta { keep_me_signed_in: true, password_warning: true, ..SandboxOkta::default() }).await;
    let code = behind_password(&visit).await;
    let warned = answer(&visit, &code, json!({"passcode": visit.code(0)})).await;
    assert_eq!(warned.forms(), ["reenroll-authenticator-warning", "skip"]);
    let asked = visit.idx("skip", json!({"stateHandle": warned.handle()})).await;
    assert_eq!(asked.forms(), ["keep-me-signed-in"]);
    assert_eq!(visit.idx("keep-me-signed-in", json!({"stateHandle": asked.handle()})).await.status, 400);
    let done = visit.idx("keep-me-signed-in", json!({"stateHandle": asked.handle(), "keepMeSignedIn": false})).await;
    finish(&visit, &done).await;
    assert_eq!(visit.reads().await, 200);
}

#[tokio::test]
async fn what_an_account_can_come_to_is_told_as_okta_tells_it() {
    let all = async |change: fn(String) -> OverlayChange| {
        let visit = visit(SandboxOkta::default()).await;
        visit.change(change(visit.tenant.clone()));
        visit
    };
    let failed = (401, "errors.E0000004".to_owned());
    let locked = all(|tenant| OverlayChange::LockUser { tenant, shown: true }).await;
    assert_eq!(behind_password(&locked).await.message(), failed);
    let changed = all(|tenant| OverlayChange::ChangePassword { tenant, password: "another".into() }).await;
    assert_eq!(behind_password(&changed).await.message(), failed);
    let denied = behind_password(&all(|tenant| OverlayChange::Deny { tenant }).await).await;
    assert_eq!((denied.message(), denied.forms()), ((403, "security.access_denied".into()), vec![]));
    let expired = all(|tenant| OverlayChange::ExpirePassword { tenant }).await;
    let code = behind_password(&expired).await;
    let told = answer(&expired, &code, json!({"passcode": expired.code(0)})).await;
    assert_eq!((told.forms(), current(&told)), (vec!["reenroll-authenticator".to_owned()], "okta_password".to_owned()));
    let dropped = behind_password(&all(|tenant| OverlayChange::DropFactor { tenant, factor: OktaFactor::Google }).await).await;
    assert_eq!(dropped.forms(), ["select-authenticator-enroll"]);
    let unassigned = all(|tenant| OverlayChange::Unassign { tenant }).await;
    let code = behind_password(&unassigned).await;
    let told = answer(&unassigned, &code, json!({"passcode": unassigned.code(0)})).await;
    assert_eq!((told.message(), told.forms()), ((403, "idx.error.code.user_not_assigned".into()), vec![]));
    assert!(told.json().get("success").is_none());

    // Nobody is told whether a user exists.
    let visit = visit(SandboxOkta::default()).await;
    let first = begin(&visit).await;
    let asked = visit.idx("identify", json!({"stateHandle": first.handle(), "identifier": "nobody@haldenmoor.example"})).await;
    assert_eq!((asked.status, asked.forms()), (200, vec!["challenge-authenticator".to_owned()]));
    assert_eq!(answer(&visit, &asked, json!({"passcode": PASSWORD})).await.message(), failed);
}

#[tokio::test]
async fn a_state_belongs_to_its_browser_and_ends() {
    let visit = visit(SandboxOkta::default()).await;
    let expired = (401, "idx.session.expired".to_owned());
    let page = visit.follow(visit.get(&format!("https://{BOARD}/login")).await).await;
    let token = page.state_token();
    let introspect = |client: &reqwest::Client, kind: &str| {
        client
            .post(format!("https://{OKTA}/idp/idx/introspect"))
            .header("content-type", kind)
            .body(json!({"stateToken": token}).to_string())
    };
    let ion = crate::board::ION;
    assert_eq!(visit.see(introspect(&visit.client, "application/json")).await.refusal(), (415, "E0000021".into()));
    assert_eq!(visit.see(introspect(&visit.stranger(), ion)).await.message(), expired, "another browser has not the page's cookie");
    let first = visit.see(introspect(&visit.client, ion)).await;
    assert_eq!(first.status, 200);
    assert_eq!(visit.idx("identify", json!({"stateHandle": token, "identifier": USER})).await.message(), expired, "a token is no handle");
    assert_eq!(visit.idx("identify", json!({"identifier": USER})).await.message(), expired);
    assert_eq!(
        visit.idx("challenge/answer", json!({"stateHandle": first.handle(), "credentials": {"passcode": PASSWORD}})).await.refusal(),
        (400, "E0000001".into())
    );
    assert_eq!(
        visit.post("/api/v1/authn", json!({"stateToken": token})).await.refusal(),
        (401, "E0000011".into()),
        "it is no Classic state"
    );
    let asked = visit.idx("identify", json!({"stateHandle": first.handle(), "identifier": USER})).await;
    let cancelled = visit.idx("cancel", json!({"stateHandle": asked.handle()})).await;
    assert_eq!(cancelled.forms(), ["identify"]);
    visit.advance(3_600);
    assert_eq!(visit.idx("identify", json!({"stateHandle": cancelled.handle(), "identifier": USER})).await.message(), expired);
}

#[tokio::test]
async fn the_classic_way_in_may_be_open_or_shut() {
    let open = visit(SandboxOkta::default()).await;
    let token = open.session_token().await;
    let pending = open.get(&format!("https://{BOARD}/login")).await.location().unwrap();
    let traded = open.trade(&token, pending.as_str()).await;
    assert!(traded.cookie("sid").is_some() && traded.cookie("idx").is_some(), "the engine makes its own cookie of it");
    open.follow(traded).await;
    assert_eq!(open.reads().await, 200);
    let shut = visit(SandboxOkta { classic_api: false, ..SandboxOkta::default() }).await;
    assert_eq!(shut.authn().await.refusal(), (401, "E0000015".into()));
    for _ in 0..12 {
        shut.post("/api/v1/authn", json!({"username": USER, "password": "wrong"})).await;
    }
    assert_eq!(current(&behind_password(&shut).await), "google_otp", "a shut door counts nothing");
}

#[tokio::test]
async fn an_application_asks_for_the_factor_that_is_missing_and_for_nothing_else() {
    let visit = visit(SandboxOkta { second_factor: SecondFactor::Application, ..SandboxOkta::default() }).await;
    let token = visit.authn().await.json()["sessionToken"].as_str().unwrap().to_owned();
    let pending = visit.get(&format!("https://{BOARD}/login")).await.location().unwrap();
    let page = visit.follow(visit.trade(&token, pending.as_str()).await).await;
    assert!(page.asks_to_sign_in());
    let code = visit.idx("introspect", json!({"stateToken": page.state_token()})).await;
    assert_eq!(current(&code), "google_otp");
    let done = answer(&visit, &code, json!({"passcode": visit.code(0)})).await;
    finish(&visit, &done).await;
    assert_eq!(visit.reads().await, 200);
}
