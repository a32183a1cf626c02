//! Client credentials: the token endpoint, and what its tokens open.

use crate::{
    board::Seen,
    client::{builder, tenant_name},
    helpdesk::{EU_HOST, HOST, app, halden_moor, noon},
};
use catalog::{App, ClientAuthentication, ClientCredentials, Endpoint, Granted, SandboxTenant, SandboxTokens, Strategy};
use reqwest::{Client, RequestBuilder};
use sandbox::{Fault, OverlayChange, Sandbox, SandboxError, Tenant};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const SECRET: &str = "sa_live_halden_moor_0123456789";
const PATH: &str = "/v1/oauth/token";

fn exchanging() -> App {
    let mut app = app();
    app.logins[0].strategy = Strategy::ClientCredentials(ClientCredentials {
        endpoint: Endpoint { role: "api".into(), path: PATH.into() },
        client_id: None,
        authenticate: ClientAuthentication::Post { secret: "api_key".into() },
        grant_type: "client_credentials".into(),
        parameters: vec![],
        host_from: None,
        scope: "read_only".into(),
        granted: Granted::default(),
    });
    app
}

fn customer(id: &str, secret: &str, tokens: SandboxTokens) -> Tenant {
    let mut files = SandboxTenant { id: id.into(), tokens: Some(tokens), ..halden_moor() };
    files.fields.insert("api_key".into(), secret.into());
    files.fields.remove("organization");
    files.answers.retain(|answer| answer.host == "api");
    Tenant::new(&files, &exchanging(), noon()).unwrap()
}

struct Desk {
    sandbox: Sandbox,
    client: Client,
    seconds: Arc<AtomicI64>,
}

impl Desk {
    async fn new(tenants: Vec<Tenant>) -> Self {
        let seconds = Arc::new(AtomicI64::new(noon().as_second()));
        let told = seconds.clone();
        let clock: sandbox::Clock = Arc::new(move || jiff::Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
        let sandbox = Sandbox::start(tenants.into_iter().map(Into::into).collect(), clock).await.unwrap();
        let client = builder(&sandbox).build().unwrap();
        Self { sandbox, client, seconds }
    }

    async fn usual() -> Self {
        Self::new(vec![customer("risky", SECRET, SandboxTokens::default())]).await
    }

    fn form(&self, members: &[(&str, &str)]) -> RequestBuilder {
        self.client.post(format!("https://{HOST}{PATH}")).form(members)
    }

    async fn exchange(&self, secret: &str) -> Seen {
        let form = [("grant_type", "client_credentials"), ("client_secret", secret), ("scope", "read_only")];
        Seen::of(self.form(&form).send().await.unwrap()).await
    }

    async fn token(&self) -> String {
        self.exchange(SECRET).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn settings(&self, token: &str) -> Seen {
        Seen::of(self.client.get(format!("https://{HOST}/v1/settings")).bearer_auth(token).send().await.unwrap()).await
    }
}

#[tokio::test]
async fn a_secret_is_exchanged_for_a_token_that_expires() {
    let desk = Desk::usual().await;
    let granted = desk.exchange(SECRET).await;
    let body = granted.json();
    assert_eq!(
        (granted.status, &body["token_type"], &body["expires_in"], &body["scope"]),
        (200, &json!("Bearer"), &json!(3600), &json!("read_only"))
    );
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(token.split('.').count(), 3, "a JSON Web Token");
    assert!(!token.contains(SECRET));
    assert_eq!(desk.settings(token).await.status, 200);
    let refused = desk.settings(SECRET).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["code"].clone()), (401, json!("auth")), "the secret itself opens nothing");
    let mut altered = token.to_owned();
    altered.insert(token.rfind('.').unwrap(), 'A');
    assert_eq!(desk.settings(&altered).await.status, 401);
    desk.seconds.fetch_add(3_599, Ordering::SeqCst);
    assert_eq!(desk.settings(token).await.status, 200);
    desk.seconds.fetch_add(1, Ordering::SeqCst);
    assert_eq!(desk.settings(token).await.status, 401, "its hour is over");
    assert_eq!(desk.settings(&desk.token().await).await.status, 200);
    // The vendor exchanges in every region.
    let form = [("grant_type", "client_credentials"), ("client_secret", SECRET)];
    let elsewhere = desk.client.post(format!("https://{EU_HOST}{PATH}")).form(&form).send().await.unwrap();
    assert_eq!(elsewhere.status(), 200);
}

#[tokio::test]
async fn the_endpoint_refuses_whatever_is_not_the_exchange() {
    let desk = Desk::usual().await;
    let grant = ("grant_type", "client_credentials");
    let secret = ("client_secret", SECRET);
    let cases: [(&str, RequestBuilder, u16); 10] = [
        ("another secret", desk.form(&[grant, ("client_secret", "sa_live_of_somebody_else_01234")]), 401),
        ("no secret", desk.form(&[grant]), 401),
        ("the secret in a header", desk.form(&[grant]).basic_auth("", Some(SECRET)), 401),
        ("a client's id where the vendor knows none", desk.form(&[grant, secret, ("client_id", "posture")]), 401),
        ("another grant", desk.form(&[("grant_type", "password"), secret]), 400),
        ("no grant", desk.form(&[secret]), 400),
        ("a scope that there is not", desk.form(&[grant, secret, ("scope", "read_only admin")]), 400),
        (
            "JSON",
            desk.client.post(format!("https://{HOST}{PATH}")).json(&json!({"grant_type": "client_credentials", "client_secret": SECRET})),
            400,
        ),
        ("no body", desk.client.post(format!("https://{HOST}{PATH}")), 400),
        ("a GET", desk.client.get(format!("https://{HOST}{PATH}?grant_type=client_credentials&client_secret={SECRET}")), 405),
    ];
    for (what, request, status) in cases {
        let seen = Seen::of(request.send().await.unwrap()).await;
        assert_eq!(seen.status, status, "{what}");
        assert!(!seen.text.contains("access_token"), "{what}");
    }
    let refused = desk.exchange("sa_live_of_somebody_else_01234").await;
    assert_eq!(refused.json()["errors"][0]["message"], "Invalid token for this vendor", "in the tenant's own words");
    assert!(desk.sandbox.log().iter().all(|seen| !seen.authorised));
}

#[tokio::test]
async fn what_is_granted_can_be_more_than_what_was_asked_for() {
    let desk = Desk::usual().await;
    let scope = async |desk: &Desk| desk.exchange(SECRET).await.json()["scope"].clone();
    let unlimited = Seen::of(desk.form(&[("grant_type", "client_credentials"), ("client_secret", SECRET)]).send().await.unwrap()).await;
    assert_eq!(unlimited.json()["scope"], "full_access", "without a scope the token may do what its secret may");
    desk.sandbox.overlay().apply(OverlayChange::Grant { tenant: tenant_name(), scope: "read_only write".into() }).unwrap();
    assert_eq!(scope(&desk).await, "read_only write");
    desk.sandbox.overlay().apply(OverlayChange::Clear { tenant: Some(tenant_name()) }).unwrap();
    assert_eq!(scope(&desk).await, "read_only");
    let tokens = SandboxTokens { grants: Some("write".into()), lifetime_seconds: 60, ..SandboxTokens::default() };
    let generous = Desk::new(vec![customer("risky", SECRET, tokens)]).await;
    let body = generous.exchange(SECRET).await.json();
    assert_eq!((&body["scope"], &body["expires_in"]), (&json!("write"), &json!(60)));
}

#[tokio::test]
async fn secrets_and_tokens_can_be_ended() {
    let desk = Desk::usual().await;
    let token = desk.token().await;
    desk.sandbox.overlay().apply(OverlayChange::Expire { tenant: tenant_name() }).unwrap();
    assert_eq!(desk.settings(&token).await.status, 401);
    let next = desk.token().await;
    assert_eq!(desk.settings(&next).await.status, 200, "a new one can be had");
    desk.sandbox.overlay().apply(OverlayChange::Revoke { tenant: tenant_name() }).unwrap();
    assert_eq!((desk.exchange(SECRET).await.status, desk.settings(&next).await.status), (401, 401));
    desk.sandbox.overlay().apply(OverlayChange::Restore { tenant: tenant_name() }).unwrap();
    assert_eq!((desk.exchange(SECRET).await.status, desk.settings(&next).await.status), (200, 200));
}

#[tokio::test]
async fn faults_and_limits_hold_for_the_endpoint_too() {
    let desk = Desk::usual().await;
    let fault = |fault| OverlayChange::Fault { tenant: tenant_name(), answer: Some(PATH.into()), fault, times: Some(1), from_page: None };
    desk.sandbox.overlay().apply(fault(Fault::Status { status: 429, retry_after: Some(7) })).unwrap();
    let limited = desk.exchange(SECRET).await;
    assert_eq!((limited.status, limited.headers["retry-after"].to_str().unwrap()), (429, "7"));
    desk.sandbox.overlay().apply(fault(Fault::HalfJson)).unwrap();
    let half = desk.exchange(SECRET).await;
    assert!(half.status == 200 && serde_json::from_str::<serde_json::Value>(&half.text).is_err());
    assert_eq!(desk.exchange(SECRET).await.json()["scope"], "read_only");
    desk.sandbox.overlay().apply(OverlayChange::Budget { tenant: tenant_name(), limit: 1, window_seconds: 30 }).unwrap();
    assert_eq!((desk.exchange(SECRET).await.status, desk.exchange(SECRET).await.status), (200, 429));
}

#[tokio::test]
async fn two_customers_of_one_vendor_are_told_apart() {
    let other = "sa_live_ravensgill_0123456789";
    let both = || vec![customer("risky", SECRET, SandboxTokens::default()), customer("clean", other, SandboxTokens::default())];
    let desk = Desk::new(both()).await;
    let mine = desk.token().await;
    let theirs = desk.exchange(other).await.json()["access_token"].as_str().unwrap().to_owned();
    desk.settings(&mine).await;
    desk.settings(&theirs).await;
    let asked: Vec<String> = desk.sandbox.log().into_iter().filter_map(|seen| seen.tenant).collect();
    assert_eq!(asked, ["helpdesk/risky", "helpdesk/clean", "helpdesk/risky", "helpdesk/clean"]);
    desk.sandbox.overlay().apply(OverlayChange::Revoke { tenant: "helpdesk/clean".into() }).unwrap();
    assert_eq!((desk.settings(&mine).await.status, desk.settings(&theirs).await.status), (200, 401));
    let twins =
        vec![customer("risky", SECRET, SandboxTokens::default()).into(), customer("clean", SECRET, SandboxTokens::default()).into()];
    assert!(matches!(Sandbox::start(twins, crate::client::still()).await.err(), Some(SandboxError::SameCredential { .. })));
}

#[tokio::test]
async fn a_change_that_means_nothing_to_a_tenant_is_refused() {
    let desk = Desk::usual().await;
    let error = desk.sandbox.overlay().apply(OverlayChange::LockUser { tenant: tenant_name(), shown: false }).unwrap_err();
    assert_eq!(error.to_string(), "lock_user is for tenants that sign in with Okta; helpdesk/risky does not.");
    assert_eq!(error.code(), "E-SANDBOX-CHANGE");
    let plain = crate::client::World::new().await;
    let error = plain.change(OverlayChange::Expire { tenant: tenant_name() }).unwrap_err();
    assert_eq!(error.to_string(), "expire is for tenants that sign in with client credentials or Okta; helpdesk/risky does not.");
    let error = plain.change(OverlayChange::Grant { tenant: tenant_name(), scope: "write".into() }).unwrap_err();
    assert_eq!(error.to_string(), "grant is for tenants that sign in with client credentials; helpdesk/risky does not.");
}
