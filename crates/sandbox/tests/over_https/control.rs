use crate::client::{World, tenant_name};
use sandbox::{OverlayChange, Running, SandboxError, control};

#[tokio::test]
async fn another_process_of_the_user_can_change_answers() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().await;
    let authority = world.sandbox.open_control(folder.path()).unwrap();
    assert_eq!(std::fs::read_to_string(&authority).unwrap(), world.sandbox.ca_pem());
    let running = Running::find(folder.path()).unwrap();
    assert_eq!((running.address(), running.ca_pem()), (world.sandbox.address(), world.sandbox.ca_pem()));

    control(folder.path(), &OverlayChange::Revoke { tenant: tenant_name() }).await.unwrap();
    assert_eq!(world.get("/v1/settings").await.status(), 401);
    control(folder.path(), &OverlayChange::Restore { tenant: tenant_name() }).await.unwrap();
    assert_eq!(world.get("/v1/settings").await.status(), 200);

    let error = control(folder.path(), &OverlayChange::Revoke { tenant: "helpdesk/nobody".into() }).await.unwrap_err();
    assert_eq!(error.to_string(), "The sandbox does not serve helpdesk/nobody; it serves helpdesk/risky.");
    assert_eq!(error.remedy(), "Name one of those.");
}

#[cfg(unix)]
#[tokio::test]
async fn the_token_is_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    // What a killed sandbox left behind, open to everybody, does not stay so.
    std::fs::write(folder.path().join("sandbox.json"), "{}").unwrap();
    std::fs::set_permissions(folder.path().join("sandbox.json"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let world = World::new().await;
    world.sandbox.open_control(folder.path()).unwrap();
    let mode = std::fs::metadata(folder.path().join("sandbox.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn without_the_token_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().await;
    let direct = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = r#"{"change":"revoke","tenant":"helpdesk/risky"}"#;
    let ask = |authorization: String| {
        direct.post(format!("http://{}/control", world.sandbox.address())).header("authorization", authorization).body(body).send()
    };
    assert_eq!(ask("Bearer x".to_owned()).await.unwrap().status(), 401, "there is no token yet");
    world.sandbox.open_control(folder.path()).unwrap();
    let announcement = std::fs::read(folder.path().join("sandbox.json")).unwrap();
    let announcement: serde_json::Value = serde_json::from_slice(&announcement).unwrap();
    let token = announcement["token"].as_str().unwrap();
    assert_eq!(token.len(), 64, "256 bits");
    for wrong in [token[..63].to_owned(), format!("{token}0"), "0".repeat(64), token.to_uppercase() + "x"] {
        assert_eq!(ask(format!("Bearer {wrong}")).await.unwrap().status(), 401);
    }
    assert_eq!(world.get("/v1/settings").await.status(), 200);
    assert_eq!(world.sandbox.refused(), vec!["control without its token"; 5]);
    assert_eq!(ask(format!("Bearer {token}")).await.unwrap().status(), 200);
    assert_eq!(world.get("/v1/settings").await.status(), 401, "the same request with the token is a change");
}

#[tokio::test]
async fn a_sandbox_that_ended_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Running::find(folder.path()), Err(SandboxError::NotRunning)));
    let world = World::new().await;
    world.sandbox.open_control(folder.path()).unwrap();
    let announcement = std::fs::read(folder.path().join("sandbox.json")).unwrap();
    drop(world);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the announcement is gone");
    // One that was killed could not take its announcement back.
    std::fs::write(folder.path().join("sandbox.json"), announcement).unwrap();
    for _ in 0..50 {
        if let Err(SandboxError::NotRunning) = control(folder.path(), &OverlayChange::Clear { tenant: None }).await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the ended sandbox is taken for a running one");
}
