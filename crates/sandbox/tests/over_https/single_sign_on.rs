//! From the simulated Okta organization to the application and back: OIDC, SAML, and the session that comes of it.

use crate::{
    board::{ACS, BOARD, COOKIE, KEY, OKTA, Seen, USER, Visit, Way, app, halden_moor},
    client::{builder, still},
    helpdesk::noon,
};
use catalog::{OktaEngine, SandboxOkta};
use sandbox::{OverlayChange, Sandbox, SandboxError, Tenant};
use serde_json::json;
use url::Url;

fn usual() -> SandboxOkta {
    SandboxOkta::default()
}

/// A visitor who is signed in to the organization.
async fn signed_in(way: Way, okta: SandboxOkta) -> Visit {
    let visit = Visit::new(way, okta).await;
    sign_in(&visit).await;
    visit
}

async fn sign_in(visit: &Visit) {
    let token = visit.session_token().await;
    let traded = visit.trade(&token, &format!("https://{OKTA}/app/UserHome")).await;
    assert!(traded.cookie("sid").is_some());
    assert!(visit.follow(traded).await.text.contains("My&#x20;Apps"));
}

async fn pending(visit: &Visit) -> Url {
    visit.get(&format!("https://{BOARD}/login")).await.location().unwrap()
}

/// The address with one parameter changed, or gone.
fn with(url: &Url, name: &str, value: Option<&str>) -> String {
    let kept: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    url.into()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The application's session cookie is of the host that sets it, and of nobody's script.
fn is_guarded(cookie: &str) -> bool {
    cookie.starts_with(&format!("{COOKIE}=")) && cookie.contains("; Secure") && cookie.contains("; HttpOnly") && !cookie.contains("Domain")
}

#[tokio::test]
async fn a_code_goes_to_the_registered_address_and_is_good_once() {
    let visit = signed_in(Way::Oidc, usual()).await;
    let pending = pending(&visit).await;
    for (name, value) in [("redirect_uri", Some("https://evil.test/oauth2/redirect")), ("redirect_uri", None), ("client_id", Some("0oa0"))]
    {
        let refused = visit.get(&with(&pending, name, value)).await;
        assert!(refused.status == 400 && refused.location().is_none(), "{name} {value:?}");
    }
    for (name, value, error) in [
        ("response_type", Some("token"), "invalid_request"),
        ("scope", Some("profile"), "invalid_scope"),
        ("state", None, "invalid_request"),
    ] {
        let refused = visit.get(&with(&pending, name, value)).await.location().unwrap();
        assert_eq!((refused.host_str(), parameter(&refused, "error").as_deref()), (Some(BOARD), Some(error)), "{name}");
    }
    let back = visit.get(pending.as_str()).await.location().unwrap();
    assert_eq!((back.host_str(), back.path()), (Some(BOARD), "/oauth2/redirect"));
    assert_eq!(parameter(&back, "state"), parameter(&pending, "state"));
    let stranger = Seen::of(visit.stranger().get(back.clone()).send().await.unwrap()).await;
    assert!(stranger.status == 400 && stranger.cookie(COOKIE).is_none(), "the state belongs to the browser that set out");
    let spent = visit.get(back.as_str()).await;
    assert_eq!((spent.status, spent.cookie(COOKIE)), (400, None), "and is good once");

    let pending = self::pending(&visit).await;
    let back = visit.get(pending.as_str()).await.location().unwrap();
    let foreign = visit.get(&with(&back, "code", Some("guessed"))).await;
    assert_eq!((foreign.status, foreign.cookie(COOKIE)), (400, None));
    let pending = self::pending(&visit).await;
    let back = visit.get(pending.as_str()).await.location().unwrap();
    visit.advance(60);
    assert_eq!(visit.get(back.as_str()).await.status, 400, "a code is good for a minute");
    let pending = self::pending(&visit).await;
    let back = visit.get(pending.as_str()).await.location().unwrap();
    let landed = visit.get(back.as_str()).await;
    assert!(is_guarded(&landed.cookie(COOKIE).unwrap()), "{:?}", landed.cookies());
    assert_eq!(visit.reads().await, 200);
    let replayed = visit.get(back.as_str()).await;
    assert_eq!((replayed.status, replayed.cookie(COOKIE)), (400, None));
}

#[tokio::test]
async fn the_authorization_endpoint_answers_as_it_is_asked() {
    let visit = Visit::new(Way::Oidc, usual()).await;
    let quiet = |pending: &Url| with(pending, "prompt", Some("none"));
    let refused = visit.get(&quiet(&pending(&visit).await)).await.location().unwrap();
    assert_eq!(parameter(&refused, "error").as_deref(), Some("login_required"));
    let error = visit.get(refused.as_str()).await;
    assert_eq!((error.status, error.cookie(COOKIE)), (403, None));
    // A session token opens it too, once.
    let token = visit.session_token().await;
    let opened = visit.get(&with(&pending(&visit).await, "sessionToken", Some(&token))).await;
    assert!(opened.cookie("sid").is_some());
    assert!(parameter(&opened.location().unwrap(), "code").is_some());
    assert!(parameter(&visit.get(&quiet(&pending(&visit).await)).await.location().unwrap(), "code").is_some());
    let form = visit.get(&with(&pending(&visit).await, "response_mode", Some("form_post"))).await;
    let (action, fields) = form.form().unwrap();
    assert_eq!((action.as_str(), fields.len()), ("https://board.example/oauth2/redirect", 2));
    assert_eq!(visit.follow(form).await.url.as_str(), "https://board.example/");
    assert_eq!(visit.reads().await, 200);
    let fragment = visit.get(&with(&pending(&visit).await, "response_mode", Some("fragment"))).await.location().unwrap();
    assert!(fragment.fragment().unwrap().contains("code=") && fragment.query().is_none());
}

#[tokio::test]
async fn who_may_not_use_the_application_is_told_and_does_not_get_in() {
    let visit = signed_in(Way::Oidc, SandboxOkta { assigned: false, ..usual() }).await;
    let refused = visit.get(pending(&visit).await.as_str()).await.location().unwrap();
    assert_eq!(parameter(&refused, "error").as_deref(), Some("access_denied"));
    assert_eq!(visit.get(refused.as_str()).await.status, 403);
    assert_eq!(visit.reads().await, 401);
    let saml = signed_in(Way::SamlFromOkta, usual()).await;
    saml.change(OverlayChange::Unassign { tenant: saml.tenant.clone() });
    let page = saml.follow(saml.get(&saml.app_link).await).await;
    assert!(page.status == 200 && page.text.contains("class=\"error-content\"") && page.form().is_none(), "{}", page.text);
    let links = saml.get(&format!("https://{OKTA}/api/v1/users/me/appLinks")).await.json();
    assert!(!links.to_string().contains("Board"), "{links}");
}

#[tokio::test]
async fn the_lookup_names_the_organization_to_those_who_belong_to_it() {
    let lookup = |email: &str| format!("https://{BOARD}/v1/sso?email={email}");
    let visit = signed_in(Way::Oidc, usual()).await;
    let found = visit.get(&lookup(USER)).await.json();
    let url: Url = found["sso"]["redirect_url"].as_str().unwrap().parse().unwrap();
    assert_eq!(url.host_str(), Some(OKTA));
    assert_eq!(visit.follow(visit.get(url.as_str()).await).await.url.as_str(), "https://board.example/");
    assert_eq!(visit.reads().await, 200);
    assert_eq!(visit.get(&lookup("nobody@elsewhere.example")).await.status, 404);
    let without = Visit::new(Way::Oidc, SandboxOkta { lookup: false, ..usual() }).await;
    assert_eq!(without.get(&lookup(USER)).await.status, 404);
}

#[tokio::test]
async fn saml_from_the_application_in_a_redirect_and_in_a_form() {
    for (request_by_form, engine) in [(false, OktaEngine::Classic), (true, OktaEngine::IdentityEngine)] {
        let visit = signed_in(Way::SamlFromBoard, SandboxOkta { request_by_form, engine, ..usual() }).await;
        let start = visit.get(&format!("https://{BOARD}/login")).await;
        assert_eq!(start.location().is_none(), request_by_form);
        let page = match start.form() {
            Some((action, fields)) => visit.see(visit.client.post(action).form(&fields)).await,
            None => {
                let location = start.location().unwrap();
                assert_eq!(visit.get(&with(&location, "SAMLRequest", Some("forged"))).await.status, 400);
                visit.get(location.as_str()).await
            }
        };
        let (action, fields) = page.form().unwrap();
        assert_eq!(action.as_str(), format!("https://{BOARD}{ACS}"));
        assert!(page.text.contains("&#x3a;") && !page.text.contains("https://board"), "values are escaped");
        let consume = async |fields: &[(String, String)]| visit.see(visit.client.post(action.clone()).form(fields)).await;
        let another: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| (name.clone(), if name == "RelayState" { "another".into() } else { value.clone() }))
            .collect();
        let refused = consume(&another).await;
        assert_eq!((refused.status, refused.cookie(COOKIE)), (403, None), "another RelayState");
        let refused = consume(&fields).await;
        assert_eq!((refused.status, refused.cookie(COOKIE)), (403, None), "an answer is good once");
        let landed = visit.follow(visit.get(&format!("https://{BOARD}/login")).await).await;
        assert_eq!(landed.url.as_str(), "https://board.example/");
        assert_eq!(visit.reads().await, 200);
        // What was not asked for is not taken.
        let unasked = visit.follow(visit.get(&visit.app_link).await).await;
        assert_eq!((unasked.status, unasked.url.path()), (403, ACS));
    }
}

#[tokio::test]
async fn saml_from_the_dashboard() {
    let visit = Visit::new(Way::SamlFromOkta, usual()).await;
    let page = visit.follow(visit.get(&visit.app_link).await).await;
    assert!(page.asks_to_sign_in(), "nobody is signed in yet");
    sign_in(&visit).await;
    let links = visit.get(&format!("https://{OKTA}/api/v1/users/me/appLinks")).await.json();
    let board = links.as_array().unwrap().iter().find(|link| link["label"] == "Board").unwrap();
    assert_eq!(board["linkUrl"], visit.app_link);
    assert!(links.as_array().unwrap().len() > 1, "there are others to be told from it");
    let form = visit.get(visit.get(&visit.app_link).await.location().unwrap().as_str()).await;
    let (action, fields) = form.form().unwrap();
    assert_eq!(fields[1], ("RelayState".into(), "https://board.example/relay?account=acc-7".into()));
    let altered: Vec<(String, String)> = vec![(fields[0].0.clone(), fields[0].1.replacen('P', "Q", 1)), fields[1].clone()];
    for (what, fields) in [("an altered answer", altered), ("none", vec![]), ("no RelayState", vec![fields[0].clone()])] {
        let refused = visit.see(visit.client.post(action.clone()).form(&fields)).await;
        assert_eq!((refused.status, refused.cookie(COOKIE)), (403, None), "{what}");
    }
    let elsewhere = format!("https://{OKTA}{}?RelayState=https://evil.test/", visit.get(&visit.app_link).await.location().unwrap().path());
    let refused = visit.follow(visit.get(&elsewhere).await).await;
    assert_eq!((refused.status, refused.url.path()), (403, ACS));

    let form = visit.get(visit.get(&visit.app_link).await.location().unwrap().as_str()).await;
    let (action, fields) = form.form().unwrap();
    visit.advance(300);
    let late = visit.see(visit.client.post(action).form(&fields)).await;
    assert_eq!((late.status, late.cookie(COOKIE)), (403, None), "an assertion lives five minutes");
    let form = visit.get(visit.get(&visit.app_link).await.location().unwrap().as_str()).await;
    let (action, fields) = form.form().unwrap();
    let landed = visit.see(visit.client.post(action).form(&fields)).await;
    assert!(is_guarded(&landed.cookie(COOKIE).unwrap()) && landed.cookie("SimpleSAMLSessionID").is_some());
    assert_eq!(landed.location().unwrap().as_str(), "https://board.example/relay?account=acc-7");
    assert_eq!(visit.follow(landed).await.url.as_str(), "https://board.example/");
    assert_eq!(visit.reads().await, 200);
}

#[tokio::test]
async fn the_session_of_the_application_ends() {
    let visit = signed_in(Way::Oidc, usual()).await;
    let arrive = async |visit: &Visit| visit.follow(visit.get(&format!("https://{BOARD}/login")).await).await;
    arrive(&visit).await;
    assert_eq!(visit.reads().await, 200);
    visit.change(OverlayChange::Expire { tenant: visit.tenant.clone() });
    assert_eq!(visit.reads().await, 401);
    assert!(arrive(&visit).await.asks_to_sign_in(), "the organization's session ended too");
    visit.advance(60);
    sign_in(&visit).await;
    arrive(&visit).await;
    assert_eq!(visit.reads().await, 200);
    visit.change(OverlayChange::Revoke { tenant: visit.tenant.clone() });
    assert_eq!(visit.reads().await, 401);
    visit.change(OverlayChange::Restore { tenant: visit.tenant.clone() });
    assert_eq!(visit.reads().await, 200);
    visit.advance(1_209_600);
    assert_eq!(visit.reads().await, 401, "two weeks are over");
    let forged = visit.client.get(format!("https://{BOARD}/api/v1/me")).header("cookie", format!("{COOKIE}=a.b.c"));
    assert_eq!(visit.see(forged).await.status, 401);
}

#[tokio::test]
async fn a_cookie_with_a_domain_goes_to_the_hosts_below_it() {
    let visit = signed_in(Way::Oidc, SandboxOkta { cookie_domain: Some(BOARD.into()), ..usual() }).await;
    let back = visit.get(pending(&visit).await.as_str()).await.location().unwrap();
    let landed = visit.get(back.as_str()).await;
    let cookie = landed.cookie("__Secure-session").unwrap();
    assert!(cookie.contains("; Domain=board.example") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
    assert_eq!(visit.reads().await, 200);
}

#[tokio::test]
async fn an_organization_answers_on_its_custom_domain_too() {
    let mut files = halden_moor(Way::Oidc, usual());
    files.fields.insert("okta_custom_domain".into(), "login.haldenmoor.example".into());
    let visit = Visit::to(vec![Tenant::new(&files, &app(Way::Oidc), noon()).unwrap()]).await;
    assert_eq!(pending(&visit).await.host_str(), Some("login.haldenmoor.example"));
    let own = visit.get(&format!("https://{OKTA}/.well-known/okta-organization")).await.json();
    let custom = visit.get("https://login.haldenmoor.example/.well-known/okta-organization").await.json();
    assert_eq!(own, custom);
    assert_eq!(own["_links"]["alternate"]["href"], "https://login.haldenmoor.example");
    let token = visit.session_token().await;
    let pending = pending(&visit).await;
    let url = Url::parse_with_params(
        "https://login.haldenmoor.example/login/sessionCookieRedirect",
        [("token", token.as_str()), ("redirectUrl", pending.as_str())],
    );
    visit.follow(visit.get(url.unwrap().as_str()).await).await;
    assert_eq!(visit.reads().await, 200);
}

#[tokio::test]
async fn two_customers_of_one_application_are_told_apart() {
    let other = || {
        let mut files = halden_moor(Way::Oidc, usual());
        files.id = "clean".into();
        files.fields.insert("okta_domain".into(), "ravensgill.okta.com".into());
        files.fields.insert("user".into(), "posture@ravensgill.example".into());
        files.answers[0].body = json!({"name": "Ravensgill"});
        files
    };
    let tenants = [halden_moor(Way::Oidc, usual()), other()];
    let visit = Visit::to(tenants.iter().map(|files| Tenant::new(files, &app(Way::Oidc), noon()).unwrap()).collect()).await;
    let start = visit.get(&format!("https://{BOARD}/login")).await;
    assert!(start.status == 200 && start.text.contains("name=\"email\""), "nobody knows who is meant: {}", start.text);
    let named = visit.get(&format!("https://{BOARD}/login?email=posture@ravensgill.example")).await;
    assert_eq!(named.location().unwrap().host_str(), Some("ravensgill.okta.com"));
    sign_in(&visit).await;
    let found = visit.get(&format!("https://{BOARD}/v1/sso?email={USER}")).await.json();
    visit.follow(visit.get(found["sso"]["redirect_url"].as_str().unwrap()).await).await;
    assert_eq!(visit.reads().await, 200, "Halden Moor's own data");
    assert!(visit.sandbox.log().pop().is_some_and(|seen| seen.tenant.as_deref() == Some("board/risky")));
    visit.change(OverlayChange::Revoke { tenant: "board/clean".into() });
    assert_eq!(visit.reads().await, 200);

    // Without the lookup the vendor remembers who asked.
    let shut = SandboxOkta { lookup: false, ..usual() };
    let mut clean = other();
    clean.okta = Some(shut.clone());
    let tenants = [halden_moor(Way::Oidc, shut), clean].map(|files| Tenant::new(&files, &app(Way::Oidc), noon()).unwrap());
    let visit = Visit::to(tenants.into()).await;
    assert_eq!(visit.get(&format!("https://{BOARD}/v1/sso?email={USER}")).await.status, 404);
    assert_eq!(pending(&visit).await.host_str(), Some(OKTA));
}

#[tokio::test]
async fn two_tenants_share_neither_an_organization_nor_a_user() {
    let mut clean = halden_moor(Way::Oidc, usual());
    clean.id = "clean".into();
    let tenants = [halden_moor(Way::Oidc, usual()), clean].map(|files| Tenant::new(&files, &app(Way::Oidc), noon()).unwrap().into());
    let error = Sandbox::start(tenants.into(), still()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "board/risky and board/clean both have their Okta organization at halden-moor.okta.com; each simulated tenant has one of its own."
    );
    assert_eq!(error.code(), "E-SANDBOX-TENANT");
    let mut clean = halden_moor(Way::Oidc, usual());
    (clean.id, clean.fields) = ("clean".into(), clean.fields.into_iter().chain([("okta_domain".into(), "ravensgill".into())]).collect());
    let tenants = [halden_moor(Way::Oidc, usual()), clean].map(|files| Tenant::new(&files, &app(Way::Oidc), noon()).unwrap().into());
    let error = Sandbox::start(tenants.into(), still()).await.err().unwrap();
    assert!(matches!(error, SandboxError::SameUser { ref user, .. } if user == USER), "{error}");
}

#[tokio::test]
async fn a_tenant_whose_fields_do_not_sign_in_is_refused() {
    let problem = |id: &str, value: Option<&str>| {
        let mut files = halden_moor(Way::Oidc, usual());
        match value {
            Some(value) => files.fields.insert(id.into(), value.into()),
            None => files.fields.remove(id),
        };
        Tenant::new(&files, &app(Way::Oidc), noon()).err()
    };
    assert!(matches!(problem("password", None), Some(SandboxError::CredentialAbsent { field, .. }) if field == "password"));
    assert!(matches!(problem("mfa_key", Some("123456")), Some(SandboxError::FieldMalformed { field, .. }) if field == "mfa_key"));
    assert!(matches!(problem("okta_domain", None), Some(SandboxError::HostUnknown { .. })));
    assert!(problem("mfa_key", Some(KEY)).is_none());
    let tenant = Tenant::new(&halden_moor(Way::Oidc, usual()), &app(Way::Oidc), noon()).unwrap();
    assert_eq!(tenant.fields()["user"], USER, "what the dialog would hold");
    let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
    for host in [OKTA, BOARD] {
        assert!(builder(&sandbox).build().unwrap().get(format!("https://{host}/")).send().await.is_ok(), "{host}");
    }
}
