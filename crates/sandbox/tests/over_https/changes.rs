use crate::client::{World, tenant_name};
use sandbox::{OverlayChange, SandboxError};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn set(answer: &str, field: &str, value: Value) -> OverlayChange {
    OverlayChange::Set { tenant: tenant_name(), answer: answer.into(), field: field.into(), value }
}

fn remove(answer: &str, field: &str) -> OverlayChange {
    OverlayChange::Remove { tenant: tenant_name(), answer: answer.into(), field: field.into() }
}

#[tokio::test]
async fn values_can_be_set_and_removed() {
    let world = World::new().await;
    let original = world.json("/v1/settings").await;
    world.change(OverlayChange::assignment(&tenant_name(), "settings", "data.attributes.saml.enabled=true").unwrap()).unwrap();
    world.change(set("/v1/settings", "data.attributes.session.hours", json!(12))).unwrap();
    world.change(remove("settings", "data.attributes.updatedAt")).unwrap();
    assert_eq!(
        world.json("/v1/settings").await,
        json!({"data": {"type": "settings", "attributes": {"saml": {"enabled": true}, "session": {"hours": 12}}}})
    );
    assert_eq!(world.sandbox.overlay().changes().len(), 3);
    world.change(OverlayChange::Clear { tenant: Some(tenant_name()) }).unwrap();
    assert_eq!(world.json("/v1/settings").await, original);
    assert!(world.sandbox.overlay().changes().is_empty());
}

#[tokio::test]
async fn rows_can_be_picked_added_and_taken_away() {
    let world = World::generating(2, 0).await;
    world.change(set("users", "data[id=u-2].attributes.email", json!("bo@elsewhere.example"))).unwrap();
    world.change(set("users", "data[+]", json!({"id": "u-3", "attributes": {}}))).unwrap();
    world.change(remove("users", "data[0]")).unwrap();
    world.change(set("users", "data[].seen", json!(true))).unwrap();
    let users = world.json("/v1/users?deleted=false").await;
    assert_eq!(
        users["data"],
        json!([{"id": "u-2", "attributes": {"email": "bo@elsewhere.example"}, "seen": true}, {"id": "u-3", "attributes": {}, "seen": true}])
    );
    let invitations = world.json("/v1/users?pending=true").await;
    assert_eq!(invitations["data"][0].get("seen"), None, "another dataset of the same path stays as it is");

    // A generated row is a row like any other, and a template means every answer that it fits.
    world.change(set("repositories", "[id=1001].name", json!("renamed"))).unwrap();
    assert_eq!(world.json("/orgs/halden-moor/repos").await[2], json!({"id": 1001, "name": "renamed"}));
    world.change(set("protection", "enabled", json!("unknown"))).unwrap();
    for repository in ["ferry", "repo-0", "repo-1"] {
        assert_eq!(world.json(&format!("/repos/halden-moor/{repository}/protection")).await["enabled"], "unknown", "{repository}");
    }
}

#[tokio::test]
async fn every_value_of_a_map_can_be_meant() {
    let world = World::new().await;
    world.change(set("settings", "data.map", json!({"a": {"to": 1}, "b": {"to": 2}, "c": 3}))).unwrap();
    world.change(set("settings", "data.map{}.to", json!("x"))).unwrap();
    assert_eq!(world.json("/v1/settings").await["data"]["map"], json!({"a": {"to": "x"}, "b": {"to": "x"}, "c": 3}));
    world.change(remove("settings", "data.map{}.to")).unwrap();
    assert_eq!(world.json("/v1/settings").await["data"]["map"], json!({"a": {}, "b": {}, "c": 3}));
    world.change(remove("settings", "data.map{}")).unwrap();
    assert_eq!(world.json("/v1/settings").await["data"]["map"], json!({}));
}

#[tokio::test]
async fn a_revoked_credential_is_refused_until_it_is_restored() {
    let world = World::new().await;
    world.change(OverlayChange::Revoke { tenant: tenant_name() }).unwrap();
    assert_eq!(world.get("/v1/settings").await.status(), 401);
    assert!(!world.sandbox.log()[0].authorised);
    let public = world.client.get("https://halden-moor.api.helpdesk.example/v1/p/settings").send().await.unwrap();
    assert_eq!(public.status(), 200);
    world.change(OverlayChange::Restore { tenant: tenant_name() }).unwrap();
    assert_eq!(world.get("/v1/settings").await.status(), 200);
}

#[tokio::test]
async fn latency_holds_for_the_requests_it_names() {
    let world = World::new().await;
    world.get("/v1/settings").await;
    world.change(OverlayChange::Latency { tenant: tenant_name(), answer: Some("settings".into()), milliseconds: 1_000 }).unwrap();
    let start = Instant::now();
    world.get("/v1/settings").await;
    assert!(start.elapsed() >= Duration::from_millis(1_000), "{:?}", start.elapsed());

    // A minute is far beyond what any machine needs for the other answer, and nobody waits for it.
    world.change(OverlayChange::Latency { tenant: tenant_name(), answer: Some("settings".into()), milliseconds: 60_000 }).unwrap();
    let before = world.sandbox.log().len();
    tokio::select! {
        biased;
        _ = world.get("/v1/settings") => panic!("what was to wait came first"),
        other = world.get("/v1/users?deleted=false") => assert_eq!(other.status(), 200),
    }
    let seen: Vec<String> = world.sandbox.log().split_off(before).into_iter().map(|seen| seen.path).collect();
    assert_eq!(seen, ["/v1/users"], "only what is named waits");
}

#[tokio::test]
async fn the_rate_limit_is_told_and_kept() {
    let world = World::new().await;
    let number = |response: &reqwest::Response, name: &str| response.headers()[name].to_str().unwrap().parse::<i64>().unwrap();
    let usual = world.get("/v1/settings").await;
    assert_eq!(number(&usual, "x-ratelimit-limit") - number(&usual, "x-ratelimit-remaining"), 1);
    world.change(OverlayChange::Budget { tenant: tenant_name(), limit: 2, window_seconds: 30 }).unwrap();
    for remaining in [1, 0] {
        let response = world.get("/v1/settings").await;
        assert_eq!(response.status(), 200);
        assert_eq!((number(&response, "x-ratelimit-limit"), number(&response, "x-ratelimit-remaining")), (2, remaining));
    }
    let beyond = world.get("/v1/settings").await;
    assert_eq!(beyond.status(), 429);
    assert_eq!(number(&beyond, "x-ratelimit-remaining"), 0);
    let (wait, reset) = (number(&beyond, "retry-after"), number(&beyond, "x-ratelimit-reset"));
    assert_eq!(reset, crate::helpdesk::noon().as_second() + wait);
    world.advance(wait - 2);
    assert_eq!(world.get("/v1/settings").await.status(), 429);
    world.advance(2);
    assert_eq!(world.get("/v1/settings").await.status(), 200, "whoever waited as told is let in");
}

#[tokio::test]
async fn what_cannot_be_changed_is_said_exactly_and_nothing_is_changed() {
    let world = World::new().await;
    let before = world.json("/v1/settings").await;
    let nobody = "helpdesk/nobody".to_owned();
    let cases = [
        (OverlayChange::Revoke { tenant: nobody }, "The sandbox does not serve helpdesk/nobody; it serves helpdesk/risky."),
        (set("teams", "data", json!(1)), "helpdesk/risky has no answer teams."),
        (set("/v1/teams", "data", json!(1)), "helpdesk/risky has no answer /v1/teams."),
        (set("settings", "data[0].x", json!(1)), "settings of helpdesk/risky: data[0].x leads to nothing there."),
        (set("settings", "data..x", json!(1)), "settings of helpdesk/risky: data..x has an empty member name."),
        (set("settings", "data[x", json!(1)), "settings of helpdesk/risky: data[x has a [ without ]."),
        (
            set("settings", "data[x]", json!(1)),
            "settings of helpdesk/risky: data[x] has neither a number nor member=value between [ and ].",
        ),
        (set("settings", "data[0]x", json!(1)), "settings of helpdesk/risky: data[0]x lacks a dot behind ] or {}."),
        (set("settings", "data.", json!(1)), "settings of helpdesk/risky: data. has an empty member name."),
        (set("settings", ".data", json!(1)), "settings of helpdesk/risky: .data has an empty member name."),
        (set("settings", "data.[0]", json!(1)), "settings of helpdesk/risky: data.[0] has an empty member name."),
        (set("settings", "", json!(1)), "settings of helpdesk/risky:  names nothing."),
        (remove("settings", "data.absent"), "settings of helpdesk/risky: data.absent leads to nothing there."),
        (
            OverlayChange::Budget { tenant: tenant_name(), limit: 1, window_seconds: 0 },
            "window in seconds is 0; it must lie between 1 and 86400.",
        ),
    ];
    for (change, sentence) in cases {
        let error = world.change(change).unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.code(), "E-SANDBOX-CHANGE");
    }
    assert_eq!(world.json("/v1/settings").await, before);
    assert!(world.sandbox.overlay().changes().is_empty());
}

#[test]
fn assignments_are_read_as_they_are_meant() {
    let read = |text: &str| OverlayChange::assignment("t", "a", text);
    for (text, field, value) in [
        ("data.enabled=true", "data.enabled", json!(true)),
        ("data.name=Halden Moor", "data.name", json!("Halden Moor")),
        ("data[id=u-1].email=a=b", "data[id=u-1].email", json!("a=b")),
        ("data.list=[1,\"x\"]", "data.list", json!([1, "x"])),
        ("data.name=", "data.name", json!("")),
        ("data.name=\"12\"", "data.name", json!("12")),
    ] {
        let wanted = OverlayChange::Set { tenant: "t".into(), answer: "a".into(), field: field.into(), value };
        assert_eq!(read(text).unwrap(), wanted, "{text}");
    }
    for text in ["data.enabled", "=true", "data[id=u-1]"] {
        assert!(matches!(read(text), Err(SandboxError::Assignment { .. })), "{text}");
    }
}

#[test]
fn changes_have_one_spelling_in_json() {
    for text in [
        r#"{"change":"revoke","tenant":"kustomer/risky"}"#,
        r#"{"change":"set","tenant":"kustomer/risky","answer":"auth-settings","field":"data.attributes.saml.enabled","value":true}"#,
        r#"{"change":"latency","tenant":"kustomer/risky","answer":null,"milliseconds":50}"#,
        r#"{"change":"fault","tenant":"kustomer/risky","answer":"users","fault":{"kind":"status","status":429,"retry_after":2},"times":1,"from_page":2}"#,
        r#"{"change":"fault","tenant":"kustomer/risky","answer":null,"fault":{"kind":"deep_json","depth":100000},"times":null,"from_page":null}"#,
        r#"{"change":"expire","tenant":"convo/risky"}"#,
        r#"{"change":"grant","tenant":"customer-io/risky","scope":"read_only write"}"#,
        r#"{"change":"change_password","tenant":"convo/risky","password":"another"}"#,
        r#"{"change":"change_mfa_key","tenant":"convo/risky","mfa_key":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#,
        r#"{"change":"lock_user","tenant":"convo/risky","shown":true}"#,
        r#"{"change":"expire_password","tenant":"convo/risky"}"#,
        r#"{"change":"unassign","tenant":"convo/risky"}"#,
        r#"{"change":"deny","tenant":"convo/risky"}"#,
        r#"{"change":"drop_factor","tenant":"convo/risky","factor":"okta_verify"}"#,
        r#"{"change":"skew_clock","tenant":"convo/risky","seconds":-90}"#,
        r#"{"change":"clear","tenant":null}"#,
    ] {
        let change: OverlayChange = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&change).unwrap(), text);
    }
    assert!(serde_json::from_str::<OverlayChange>(r#"{"change":"revoke","tenant":"x","colour":"red"}"#).is_err());
}
