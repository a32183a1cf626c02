//! The tenants that the catalog brings, all in one sandbox, as the console serves them.

use crate::{
    client::{builder, still},
    helpdesk::noon,
};
use catalog::{Catalog, ClientAuthentication, ClientCredentials, SandboxAnswer, Strategy};
use sandbox::{Sandbox, Served, Tenant};

/// What opens a tenant.
#[derive(Clone)]
enum Key {
    Token(String),
    Exchanged { at: String, secret: String },
}

#[tokio::test]
async fn each_tenant_gives_its_own_answers_to_its_own_key() {
    let catalog = Catalog::built_in().unwrap();
    let mut served: Vec<Served> = Vec::new();
    let mut asked = Vec::new();
    for tile in catalog.tiles() {
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        for files in catalog.sandbox_tenants(&tile.slug).unwrap() {
            let tenant = Tenant::new(&files, &app, noon()).unwrap();
            let login = app.login(&files.login).unwrap();
            let roles = login.resolve(tenant.fields()).unwrap().roles;
            let key = match &login.strategy {
                Strategy::Bearer { token } => Key::Token(tenant.fields()[token].clone()),
                Strategy::ClientCredentials(ClientCredentials {
                    endpoint,
                    client_id: None,
                    authenticate: ClientAuthentication::Post { secret },
                    ..
                }) => {
                    let (host, prefix) = &roles[&endpoint.role];
                    Key::Exchanged { at: format!("https://{host}{prefix}{}", endpoint.path), secret: tenant.fields()[secret].clone() }
                }
                // Signed in to by the console's own tests.
                Strategy::Headers { .. }
                | Strategy::Basic { .. }
                | Strategy::ClientCredentials(_)
                | Strategy::Assertion(_)
                | Strategy::Okta(_)
                | Strategy::Entra(_)
                | Strategy::AuthorizationCode(_)
                | Strategy::DeviceCode(_)
                | Strategy::GithubApp(_)
                | Strategy::SnowflakeKeyPair(_) => {
                    served.push(tenant.into());
                    continue;
                }
            };
            // What is asked for by a document is the connectors' tests' business.
            let plain = |answer: &&SandboxAnswer| answer.method == "GET" && answer.document.is_none() && !answer.path.contains("{{index}}");
            // What another credential opens is not for this key.
            let own = |answer: &&SandboxAnswer| !login.also.iter().any(|also| also.roles.contains(&answer.host));
            for answer in files.answers.iter().filter(plain).filter(own) {
                let host = roles.get(&answer.host).map_or(&answer.host, |(host, _)| host);
                let url = format!("https://{host}{}", answer.path);
                asked.push((tenant.name().to_owned(), key.clone(), url, answer.status));
            }
            served.push(tenant.into());
        }
    }
    assert!(asked.len() > 20, "only {} answers: the catalog's tenants were not there", asked.len());
    let sandbox = Sandbox::start(served, still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    for (tenant, key, url, status) in asked {
        let key = match key {
            Key::Token(token) => token,
            Key::Exchanged { at, secret } => {
                let form = [("grant_type", "client_credentials"), ("client_secret", &secret)];
                let granted: serde_json::Value = client.post(at).form(&form).send().await.unwrap().json().await.unwrap();
                granted["access_token"].as_str().unwrap().to_owned()
            }
        };
        let response = client.get(&url).bearer_auth(&key).send().await.unwrap();
        assert_eq!(response.status(), status, "{tenant}: {url}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("{{"), "{tenant}: {url} holds a placeholder");
        let seen = sandbox.log().pop().unwrap();
        assert_eq!(seen.tenant, Some(tenant), "{url}");
    }
}

/// A scan that did not ask for the newest entries first would be given the oldest.
#[test]
fn an_order_that_a_dataset_asks_for_is_one_that_its_answer_wants() {
    let catalog = Catalog::built_in().unwrap();
    let mut held = 0;
    for tile in catalog.tiles() {
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        let ordered = app.datasets.iter().filter(|dataset| dataset.query.iter().any(|(name, _)| name == "sort_order"));
        let endings: Vec<&str> = ordered.map(|dataset| dataset.path.rsplit('}').next().unwrap()).collect();
        for files in catalog.sandbox_tenants(&tile.slug).unwrap() {
            for answer in &files.answers {
                let (path, query) = answer.path.split_once('?').unwrap_or((&answer.path, ""));
                if endings.iter().any(|ending| path.ends_with(ending)) {
                    assert!(query.contains("sort_order="), "{}/{}: {}", tile.slug, files.id, answer.path);
                    held += 1;
                }
            }
        }
    }
    assert!(held >= 2, "no answer was looked at");
}
