use crate::client::{World, chain, tenant_name};
use sandbox::{Fault, OverlayChange};
use serde_json::{Value, json};

fn fault(fault: Fault) -> OverlayChange {
    OverlayChange::Fault { tenant: tenant_name(), answer: Some("settings".into()), fault, times: None, from_page: None }
}

#[tokio::test]
async fn every_status_comes_in_the_vendors_shape() {
    let world = World::new().await;
    for status in [401, 402, 403, 404, 429, 500, 503] {
        world.change(fault(Fault::Status { status, retry_after: (status == 429).then_some(7) })).unwrap();
        let response = world.get("/v1/settings").await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().get("retry-after").map(|value| value.to_str().unwrap()), (status == 429).then_some("7"));
        let body: Value = response.json().await.unwrap();
        assert!(body["errors"][0]["code"].is_string() && body["errors"][0]["message"].is_string(), "{body}");
        assert_eq!(world.sandbox.log().last().unwrap().status, status);
        assert_eq!(world.get("/v1/users?deleted=false").await.status(), 200, "another dataset is not touched");
    }
}

#[tokio::test]
async fn bodies_go_wrong_in_every_way() {
    let world = World::new().await;
    let right = world.get("/v1/settings").await.text().await.unwrap();

    world.change(fault(Fault::Html)).unwrap();
    let html = world.get("/v1/settings").await;
    assert_eq!((html.status().as_u16(), html.headers()["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert!(html.text().await.unwrap().starts_with("<!DOCTYPE html>"));

    for body in [json!({"message": "try later"}), json!({}), json!([]), Value::Null] {
        world.change(fault(Fault::Foreign { body: body.clone() })).unwrap();
        let foreign = world.get("/v1/settings").await;
        assert_eq!(foreign.status(), 200);
        assert!(foreign.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
        assert_eq!(foreign.json::<Value>().await.unwrap(), body);
    }

    world.change(fault(Fault::HalfJson)).unwrap();
    let half = world.get("/v1/settings").await.text().await.unwrap();
    assert_eq!(half, right[..right.len() / 2]);

    world.change(fault(Fault::DeepJson { depth: 100_000 })).unwrap();
    let deep = world.get("/v1/settings").await.text().await.unwrap();
    assert_eq!(deep.matches('[').count(), 100_000);
    assert_eq!(deep.matches(']').count(), 100_000);

    world.change(fault(Fault::EndlessBody)).unwrap();
    let mut endless = world.get("/v1/settings").await;
    let mut length = 0;
    while length < 8 * 1024 * 1024 {
        length += endless.chunk().await.unwrap().expect("it has no end").len();
    }
    drop(endless);

    world.change(fault(Fault::Redirect { location: "https://elsewhere.example/".into() })).unwrap();
    let redirect = world.get("/v1/settings").await;
    assert_eq!((redirect.status().as_u16(), redirect.headers()["location"].to_str().unwrap()), (302, "https://elsewhere.example/"));

    world.change(OverlayChange::Mend { tenant: tenant_name(), answer: Some("settings".into()) }).unwrap();
    assert_eq!(world.get("/v1/settings").await.text().await.unwrap(), right);
}

#[tokio::test]
async fn a_cut_connection_is_an_error_in_both_versions_of_http() {
    let world = World::new().await;
    world.change(fault(Fault::Cut)).unwrap();
    let old = crate::client::builder(&world.sandbox).http1_only().build().unwrap();
    for client in [&world.client, &old] {
        let response = client.get(format!("https://{}/v1/settings", crate::helpdesk::HOST)).bearer_auth(&world.key).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let error = response.bytes().await.unwrap_err();
        assert!(error.is_body() || error.is_decode(), "{}", chain(&error));
    }
}

#[tokio::test]
async fn a_fault_can_be_counted_and_begin_at_a_page() {
    let world = World::generating(3, 0).await;
    let throttle = |times, from_page| OverlayChange::Fault {
        tenant: tenant_name(),
        answer: Some("repositories".into()),
        fault: Fault::Status { status: 429, retry_after: Some(1) },
        times,
        from_page,
    };
    world.change(throttle(Some(2), None)).unwrap();
    for status in [429, 429, 200] {
        assert_eq!(world.get("/orgs/halden-moor/repos").await.status(), status);
    }
    world.change(throttle(None, Some(2))).unwrap();
    for (page, status) in [(1, 200), (2, 429), (3, 429)] {
        assert_eq!(world.get(&format!("/orgs/halden-moor/repos?page={page}&per_page=1")).await.status(), status, "page {page}");
    }
}
