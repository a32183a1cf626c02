//! The tenants that the catalog brings, all in one sandbox, as the console serves them.

use crate::{
    client::{builder, still},
    helpdesk::noon,
};
use catalog::{Catalog, Strategy};
use sandbox::{Sandbox, Served, Tenant};

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
            let Strategy::Bearer { token } = &login.strategy else { continue };
            let key = tenant.fields()[token].clone();
            let roles = login.resolve(tenant.fields()).unwrap().roles;
            for answer in files.answers.iter().filter(|answer| !answer.path.contains("{{index}}")) {
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
        let response = client.get(&url).bearer_auth(&key).send().await.unwrap();
        assert_eq!(response.status(), status, "{tenant}: {url}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("{{"), "{tenant}: {url} holds a placeholder");
        let seen = sandbox.log().pop().unwrap();
        assert_eq!(seen.tenant, Some(tenant), "{url}");
    }
}
