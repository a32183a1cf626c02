//! The applications that come with the program.
use crate::folder::whole;
use posture_catalog::Catalog;

#[test]
fn every_application_loads_whole() {
    let catalog = whole(Catalog::built_in());
    assert!(!catalog.tiles().is_empty(), "the catalog is embedded");
    for tile in catalog.tiles() {
        let app = whole(catalog.app(&tile.slug)).unwrap();
        assert_eq!(app.slug, tile.slug);
        assert_eq!(app.checks.len(), tile.checks as usize, "the cheap count of {} is the true one", tile.slug);
        assert!(tile.built_in);
    }
}

#[test]
fn every_application_has_a_clean_and_a_risky_tenant() {
    let catalog = whole(Catalog::built_in());
    for tile in catalog.tiles() {
        let app = whole(catalog.app(&tile.slug)).unwrap();
        if app.logins.is_empty() {
            assert!(app.datasets.is_empty(), "{} reads something and nobody signs in to it", tile.slug);
            continue;
        }
        let tenants = whole(catalog.sandbox_tenants(&tile.slug));
        for id in ["clean", "risky"] {
            assert!(tenants.iter().any(|tenant| tenant.id == id), "{} has a tenant {id}", tile.slug);
        }
        for tenant in &tenants {
            let login = app.login(&tenant.login).unwrap();
            let open = tenant.fields.iter().filter(|(id, _)| login.fields.iter().any(|field| field.id == **id && !field.secret));
            let hosts = login.resolve(&open.map(|(id, value)| (id.clone(), value.clone())).collect()).unwrap();
            for role in &login.roles {
                assert!(
                    hosts.roles.contains_key(&role.id),
                    "{}/{} fills the fields that the host role {} rests on",
                    app.slug,
                    tenant.id,
                    role.id
                );
            }
            for status in [401, 403, 404, 429, 500] {
                assert!(tenant.errors.contains_key(&status), "{}/{} has a body for {status}", app.slug, tenant.id);
            }
        }
    }
}

#[test]
fn a_github_token_goes_to_github_only() {
    let app = whole(whole(Catalog::built_in()).app("github-enterprise")).unwrap();
    let login = app.login("token").unwrap();
    let asked = |subdomain: &str| {
        login.resolve(
            &[("organization", "halden-moor"), ("subdomain", subdomain), ("api_host", "evil.example")]
                .map(|(field, value)| (field.to_owned(), value.to_owned()))
                .into(),
        )
    };
    for (subdomain, host) in [("", "api.github.com"), ("halden", "api.halden.ghe.com"), ("https://halden.ghe.com/", "api.halden.ghe.com")] {
        let hosts = asked(subdomain).unwrap();
        assert_eq!(hosts.roles["api"].0, host, "{subdomain}");
        assert!(hosts.allowed.iter().all(|allowed| allowed == host || allowed == "api.github.com"), "{:?}", hosts.allowed);
    }
    for typed in ["github.evil.example", "evil.example/", "a.b", "evil.example#.ghe.com", "halden.ghe.com.evil.example", "x@y"] {
        assert!(asked(typed).is_err(), "{typed} is no subdomain of the vendor");
    }
}

#[test]
fn a_customer_io_token_is_told_from_what_is_pasted_in_its_place() {
    let app = whole(whole(Catalog::built_in()).app("customer-io")).unwrap();
    assert_eq!(app.logins.iter().map(|login| login.id.as_str()).collect::<Vec<_>>(), ["service-account", "okta", "app-api-key"]);
    let login = app.login("service-account").unwrap();
    let token = login.fields.iter().find(|field| field.id == "service_account_token").unwrap();
    let refusal = |value: &str| token.format.check(&token.choices, value).map_err(|problem| problem.sentence);
    assert!(refusal("sa_live_0123456789abcdef_-XYZ").is_ok());
    for (value, word) in [
        ("sa_sandbox_0123456789abcdef", "sandbox token"),
        ("0123456789abcdef0123456789abcdef", "App API key"),
        ("0123456789abcdef0123", "Site ID"),
        ("0123456789abcdef0123:0123456789abcdef0123", "Site ID"),
        ("0123456789abcdef0123 0123456789abcdef0123", "Site ID"),
        ("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln", "session"),
        ("sa_live_short", "cut short"),
        ("something-else-altogether", "sa_live_"),
    ] {
        let sentence = refusal(value).unwrap_err();
        assert!(sentence.contains(word), "{value}: {sentence}");
        assert!(!sentence.contains(value), "what was pasted is not repeated");
    }
    // The token goes to the region that was chosen; where that is to be found out, to the vendor's two.
    let (us, eu) = ("us.fly.customer.io", "eu.fly.customer.io");
    for (region, allowed) in [("auto", vec![eu, us]), ("us", vec![us]), ("eu", vec![eu])] {
        let hosts = login.resolve(&[("region".to_owned(), region.to_owned())].into()).unwrap();
        assert_eq!(hosts.allowed.iter().collect::<Vec<_>>(), allowed, "{region}");
    }
}
