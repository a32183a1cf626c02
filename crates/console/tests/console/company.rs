//! A vendor behind a company's inspecting proxy: the road of a real instance.
use crate::scene::today;

use catalog::Catalog;
use posture_core::screen::{AddInstance, Input, RouteChoice};
use sandbox::{Sandbox, Tenant};
use std::sync::Arc;

/// Kustomer there, with a tenant whose data is risky.
pub struct Company {
    pub proxy: Sandbox,
    pub key: String,
    /// Of another tenant: right in every respect, and refused.
    pub wrong_key: String,
}

impl Company {
    pub async fn new() -> Self {
        let catalog = Catalog::built_in().unwrap();
        let app = catalog.app("kustomer").unwrap().unwrap();
        let prepared = |id: &str| {
            let known = catalog.sandbox_tenants("kustomer").unwrap().into_iter().find(|known| known.id == id).unwrap();
            Tenant::new(&known, &app, today()).unwrap()
        };
        let (risky, clean) = (prepared("risky"), prepared("clean"));
        let (key, wrong_key) = (risky.fields()["api_key"].clone(), clean.fields()["api_key"].clone());
        let proxy = serving(risky, Arc::new(today)).await;
        Self { proxy, key, wrong_key }
    }

    pub fn request(&self) -> AddInstance {
        request(&self.proxy)
    }
}

/// The proxy has an authority of its own, which nobody trusts who is not told of it.
pub async fn serving(tenant: Tenant, clock: sandbox::Clock) -> Sandbox {
    Sandbox::start_under("Halden Moor Proxy CA", vec![tenant.into()], clock).await.unwrap()
}

/// Adds Kustomer through this proxy.
pub fn request(proxy: &Sandbox) -> AddInstance {
    AddInstance {
        app: "kustomer".into(),
        login: "api-key".into(),
        name: "Halden Moor".into(),
        label: "Production".into(),
        owner: "Mei Laurent".into(),
        inputs: vec![input("region", "eu"), input("organization", "halden-moor")],
        answers: Vec::new(),
        route: RouteChoice {
            proxy: "manual".into(),
            proxy_url: format!("http://{}", proxy.address()),
            extra_roots_pem: proxy.ca_pem().to_owned(),
        },
    }
}

pub fn input(field: &str, value: &str) -> Input {
    Input { field: field.into(), value: value.into() }
}
