use crate::{
    client::{World, builder, still, tenant_name},
    helpdesk::{EU_HOST, HOST, answer, app, halden_moor, noon, paged, ravensgill, tenant},
};
use catalog::{Also, Dataset, Format, HostRole, Method, SandboxAnswer, Strategy};
use sandbox::{Sandbox, Tenant};
use serde_json::{Value, json};

#[tokio::test]
async fn only_the_tenants_own_credential_opens_it() {
    let world = World::new().await;
    let ask = |authorization: Option<String>| {
        let request = world.client.get(format!("https://{HOST}/v1/settings"));
        let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
        async move { request.send().await.unwrap() }
    };
    let key = &world.key;
    let mut altered: Vec<String> = key.split('.').map(str::to_owned).collect();
    altered[1] = altered[1].chars().rev().collect();
    for refused in [
        None,
        Some("Bearer".to_owned()),
        Some(format!("Basic {key}")),
        Some(key.clone()),
        Some(format!("Bearer {key}x")),
        Some(format!("Bearer {}", &key[..key.len() - 1])),
        Some(format!("Bearer {}", altered.join("."))),
    ] {
        let response = ask(refused.clone()).await;
        assert_eq!(response.status(), 401, "{refused:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body, json!({"errors": [{"code": "auth", "message": "Invalid token for this vendor"}]}), "the vendor's own shape");
    }
    assert!(world.sandbox.log().iter().all(|seen| !seen.authorised));
    assert_eq!(ask(Some(format!("Bearer {key}"))).await.status(), 200);
    assert!(world.sandbox.log().last().unwrap().authorised);
    // What does not exist is told only to whoever may know.
    let unknown = format!("https://{HOST}/v1/nothing");
    assert_eq!(world.client.get(&unknown).send().await.unwrap().status(), 401);
    let response = world.client.get(&unknown).bearer_auth(key).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({"errors": [{"code": "not_found", "message": "Not found"}]}));
}

#[tokio::test]
async fn no_character_of_a_key_can_be_another() {
    let world = World::new().await;
    for at in 0..world.key.len() {
        let mut altered = world.key.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        let response = world.client.get(format!("https://{HOST}/v1/settings")).bearer_auth(altered).send().await.unwrap();
        assert_eq!(response.status(), 401, "character {at}");
    }
    assert_eq!(world.get("/v1/settings").await.status(), 200);
}

#[tokio::test]
async fn a_token_expires_by_the_sandboxes_clock_and_outlives_a_restart() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/settings").await.status(), 200);
    world.advance(200 * 24 * 3600 - 1);
    assert_eq!(world.get("/v1/settings").await.status(), 200);
    world.advance(1);
    assert_eq!(world.get("/v1/settings").await.status(), 401);

    // The key of an instance that was added yesterday, at the sandbox that is started today.
    let yesterday = Tenant::new(&halden_moor(), &app(), noon() - jiff::SignedDuration::from_hours(24)).unwrap();
    let old_key = yesterday.fields()["api_key"].clone();
    let today = World::new().await;
    assert_ne!(old_key, today.key);
    let response = today.client.get(format!("https://{HOST}/v1/settings")).bearer_auth(old_key).send().await.unwrap();
    assert_eq!(response.status(), 200);

    // A key of the same tenant from before it was given other roles.
    let mut files = halden_moor();
    files.fields.insert("api_key".into(), "{{jwt:orgName=halden-moor,roles=org.read|org.admin,days_ahead=200}}".into());
    let former = Tenant::new(&files, &app(), noon()).unwrap().fields()["api_key"].clone();
    let response = today.client.get(format!("https://{HOST}/v1/settings")).bearer_auth(former).send().await.unwrap();
    assert_eq!(response.status(), 401);

    // The same words signed for another tenant are a forgery here.
    let other = halden_moor();
    let other = Tenant::new(&catalog::SandboxTenant { id: "other".into(), ..other }, &app(), noon()).unwrap();
    let forged = today.client.get(format!("https://{HOST}/v1/settings")).bearer_auth(&other.fields()["api_key"]).send().await.unwrap();
    assert_eq!(forged.status(), 401);
}

#[tokio::test]
async fn a_key_is_a_web_token_that_says_what_the_tenant_wrote() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let tenant = tenant(&halden_moor());
    let parts: Vec<Vec<u8>> = tenant.fields()["api_key"].split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(serde_json::from_slice::<Value>(&parts[0]).unwrap(), json!({"alg": "RS256", "typ": "JWT"}));
    let noon = noon().as_second();
    let claims = json!({"orgName": "halden-moor", "roles": ["org.read", "org.write"], "iat": noon, "exp": noon + 200 * 24 * 3600});
    assert_eq!(serde_json::from_slice::<Value>(&parts[1]).unwrap(), claims);
    assert_eq!(parts[2].len(), 256, "as long as an RS256 signature");
}

#[tokio::test]
async fn tenants_that_share_a_host_are_told_apart_by_their_credentials() {
    let (risky, clean) = (tenant(&halden_moor()), tenant(&ravensgill()));
    let keys = [(risky.fields()["api_key"].clone(), false), (clean.fields()["api_key"].clone(), true)];
    let sandbox = Sandbox::start(vec![risky.into(), clean.into()], still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    for (key, saml) in keys {
        let body: Value = client.get(format!("https://{HOST}/v1/settings")).bearer_auth(key).send().await.unwrap().json().await.unwrap();
        assert_eq!(body["data"]["attributes"]["saml"]["enabled"], json!(saml));
    }
}

#[tokio::test]
async fn roles_on_one_host_are_opened_each_by_its_own_credential() {
    let mut app = app();
    let login = &mut app.logins[0];
    login.roles.push(HostRole { id: "admin".into(), hosts: vec!["{region}".into()], prefix: "/admin".into() });
    login.also = vec![Also { roles: vec!["admin".into()], strategy: Strategy::Bearer { token: "admin_key".into() } }];
    let own = catalog::Field { id: "admin_key".into(), optional: true, format: Format::Text, ..login.fields[0].clone() };
    login.fields.push(own);
    let mut files = halden_moor();
    files.fields.insert("admin_key".into(), "opens-the-keys".into());
    files.answers = vec![
        answer("/v1/settings", json!({"data": {}})),
        SandboxAnswer { host: "admin".into(), ..answer("/admin/v1/keys", json!({"data": []})) },
    ];
    let tenant = Tenant::new(&files, &app, noon()).unwrap();
    let key = tenant.fields()["api_key"].clone();
    let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    for (path, with_key, with_admin_key) in [("/v1/settings", 200, 401), ("/admin/v1/keys", 401, 200), ("/v1/elsewhere", 404, 401)] {
        for (credential, wanted) in [(key.as_str(), with_key), ("opens-the-keys", with_admin_key)] {
            let response = client.get(format!("https://{HOST}{path}")).bearer_auth(credential).send().await.unwrap();
            assert_eq!(response.status(), wanted, "{path} with {credential}");
        }
    }
}

#[tokio::test]
async fn a_public_answer_asks_for_nothing_and_lies_on_its_own_host() {
    let world = World::new().await;
    let own = "https://halden-moor.api.helpdesk.example";
    let response = world.client.get(format!("{own}/v1/p/settings")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!world.sandbox.log()[0].authorised);
    assert_eq!(world.get("/v1/p/settings").await.status(), 404, "the answer belongs to the organization's own host");
    // A host role stands for each of its hosts.
    let settings = world.client.get(format!("{own}/v1/settings")).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(settings.status(), 200);
}

#[tokio::test]
async fn the_host_of_another_region_knows_nobody() {
    let world = World::new().await;
    let response = world.client.get(format!("https://{EU_HOST}/v1/settings")).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn the_closest_answer_is_given() {
    let world = World::new().await;
    let ids = |body: Value| body["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(world.json("/v1/users?deleted=false").await), ["u-1", "u-2"]);
    assert_eq!(ids(world.json("/v1/users?pageSize=100&pending=true").await), ["u-9"]);
    assert_eq!(world.get("/v1/users?pending=false").await.status(), 404);
    let response = world.client.post(format!("https://{HOST}/v1/settings")).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn generated_rows_are_served_with_what_belongs_to_each() {
    let world = World::generating(120, 0).await;
    let body = world.json("/orgs/halden-moor/repos?per_page=100&page=2").await;
    let rows = body.as_array().unwrap();
    assert_eq!(rows.len(), 21);
    assert_eq!(rows[20], json!({"id": 1119, "name": "repo-119"}), "numeric ids are numbers");
    assert_eq!(world.json("/repos/halden-moor/repo-119/protection").await, json!({"enabled": false, "of": "repo-119"}));
    assert_eq!(world.json("/repos/halden-moor/ferry/protection").await, json!({"enabled": true}));
    for unknown in ["repo-120", "repo-0119", "repo-", "repo--1"] {
        assert_eq!(world.get(&format!("/repos/halden-moor/{unknown}/protection")).await.status(), 404, "{unknown}");
    }
    // Without generation the pattern is no row.
    let plain = World::new().await;
    assert_eq!(plain.json("/orgs/halden-moor/repos").await, json!([{"id": 1, "name": "ferry"}]));
    assert_eq!(plain.get("/repos/halden-moor/repo-0/protection").await.status(), 404);
}

#[tokio::test]
async fn percent_encoding_does_not_hide_an_answer() {
    let mut files = halden_moor();
    files.answers.push(answer("/repos/halden-moor/ferry/branches/feature%2Fone/protection", json!({"encoded": true})));
    let tenant = tenant(&files);
    let key = tenant.fields()["api_key"].clone();
    let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    let ask = |path: &str| client.get(format!("https://{HOST}{path}")).bearer_auth(&key).send();
    assert_eq!(ask("/repos/halden-moor/ferry/branches/feature%2fone/protection").await.unwrap().status(), 200);
    assert_eq!(ask("/repos/halden-moor/ferry/branches/feature/one/protection").await.unwrap().status(), 404);
    assert_eq!(ask("/repos/halden%2Dmoor/ferry/protection").await.unwrap().status(), 200);
}

#[test]
fn what_is_wrong_with_a_tenant_is_said_exactly() {
    type Spoil = fn(&mut catalog::SandboxTenant);
    let cases: [(Spoil, &str); 10] = [
        (|t| t.login = "password".into(), "Sandbox tenant helpdesk/risky: its application has no login option password."),
        (|t| drop(t.fields.remove("api_key")), "Sandbox tenant helpdesk/risky: field api_key holds the credential and is not given."),
        (
            |t| t.answers[0].host = "console".into(),
            "Sandbox tenant helpdesk/risky: console of answer /v1/settings is no host name and no host role that the fields fill.",
        ),
        (
            |t| t.answers[0].body = json!({"at": ["{{tomorrow}}"]}),
            "Sandbox tenant helpdesk/risky: {{tomorrow}} cannot be filled: there is no such placeholder.",
        ),
        (
            |t| t.answers[0].body = json!("{{days_ago:x}}"),
            "Sandbox tenant helpdesk/risky: {{days_ago:x}} cannot be filled: x is no whole number.",
        ),
        (
            |t| t.answers[0].body = json!("{{days_ago:9223372036854775807}}"),
            "Sandbox tenant helpdesk/risky: {{days_ago:9223372036854775807}} cannot be filled: -9223372036854775807 days lead out of the calendar.",
        ),
        (|t| t.answers[0].body = json!("a {{now"), "Sandbox tenant helpdesk/risky: {{now cannot be filled: it has no }}."),
        (
            |t| t.answers[0].body = json!("{{cert:days_ahead=1,bits=1024}}"),
            "Sandbox tenant helpdesk/risky: {{cert:days_ahead=1,bits=1024}} cannot be filled: bits=1024 is none of days_ahead=N, key=ecdsa, key=rsa, bits=2048, bits=3072, bits=4096, subject=name.",
        ),
        (
            |t| t.answers[1].paged = Some("pages".into()),
            "Sandbox tenant helpdesk/risky: answer /v1/users?deleted=false cannot be paged: pages is no style.",
        ),
        (
            |t| t.answers[1].body = json!({"data": {}}),
            "Sandbox tenant helpdesk/risky: answer /v1/users?deleted=false cannot be paged: there is no list where the style expects it.",
        ),
    ];
    for (spoil, sentence) in cases {
        let mut files = halden_moor();
        spoil(&mut files);
        let error = Tenant::new(&files, &app(), noon()).err().unwrap_or_else(|| panic!("accepted: {sentence}"));
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.code(), "E-SANDBOX-TENANT");
        assert!(!error.remedy().is_empty());
    }
    let mut files = halden_moor();
    files.answers.push(paged("/v1/teams", "json_api", json!({"data": []})));
    for (path, sentence) in [
        ("/v1/settings", "Sandbox tenant helpdesk/risky: no rows can be generated for /v1/settings: it has no paged answer."),
        ("/v1/teams", "Sandbox tenant helpdesk/risky: no rows can be generated for /v1/teams: its rows have no pattern."),
    ] {
        assert_eq!(tenant(&files).with_generated(path, 3).err().unwrap().to_string(), sentence);
    }
    assert_eq!(tenant(&files).name(), tenant_name());
}

/// An interface may call methods by name in the body of a POST.
#[tokio::test]
async fn a_pinned_document_is_answered_and_no_other() {
    let document = r#"{"method":"getGroups"}"#;
    let mut app = app();
    let base = app.datasets[0].clone();
    app.datasets.push(Dataset {
        id: "groups".into(),
        method: Method::Post,
        path: "/v1/groups".into(),
        document: Some(document.into()),
        ..base
    });
    let mut files = halden_moor();
    files.answers.push(SandboxAnswer { method: "POST".into(), ..answer("/v1/groups", json!({"groups": []})) });
    let tenant = Tenant::new(&files, &app, noon()).unwrap();
    let key = tenant.fields()["api_key"].clone();
    let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    let cases = [
        (document, "application/json", 200),
        ("{ \"method\": \"getGroups\" }", "application/json; charset=utf-8", 200),
        (r#"{"method":"deleteGroup"}"#, "application/json", 400),
        (r#"{"method":"getGroups","purge":true}"#, "application/json", 400),
        ("", "application/json", 400),
        (document, "text/plain", 400),
    ];
    for (body, kind, status) in cases {
        let request = client.post(format!("https://{HOST}/v1/groups")).bearer_auth(&key).header("content-type", kind);
        assert_eq!(request.body(body).send().await.unwrap().status(), status, "{kind}: {body}");
    }
}
