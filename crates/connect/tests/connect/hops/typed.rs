//! Whatever is typed into *Okta Domain*, the password goes to a host of Okta's families or nowhere.

use crate::hops::world::{APP, OTHER_APP, PASSWORD, World, oidc};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

const FAMILIES: [&str; 5] = [".okta.com", ".okta-emea.com", ".oktapreview.com", ".okta-gov.com", ".okta.mil"];

/// One label under one of Okta's families, which is no administration's.
fn is_organization(host: &str) -> bool {
    FAMILIES.iter().any(|family| {
        host.strip_suffix(family).is_some_and(|label| {
            !label.is_empty()
                && !label.ends_with("-admin")
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        })
    })
}

/// Text that comes near to an organization's name.
fn near() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "acme",
        "evil",
        ".",
        "..",
        "okta.com",
        ".okta.com",
        ".okta-emea.com",
        "oktapreview.com",
        "evil.test",
        ".evil.test",
        "@",
        ":",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "%2e",
        "%00",
        "%2F",
        "\t",
        "\n",
        "\u{0}",
        " ",
        "\u{200b}",
        "\u{3002}",
        "\u{ff0e}",
        "xn--",
        "xn--cme-7cd",
        "\u{430}cme",
        "https://",
        "http://",
        "https:",
        "HTTPS://",
        "-admin",
        "-",
        "user:pw@",
        ":443",
        ":8443",
        "[::1]",
        "127.0.0.1",
        "localhost",
        ";",
        ",",
        "\u{202e}",
        "{okta_domain}",
        "{user}",
        "ACME",
        "\u{212a}",
        "{",
        "}",
        "&",
        "=",
    ]);
    prop_oneof![
        4 => prop::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat()),
        1 => "[a-z0-9-]{1,12}",
        1 => "[a-z]{1,5}(-admin)?\\.(okta\\.com|okta-emea\\.com|evil\\.test)",
        1 => any::<String>(),
    ]
}

#[test]
fn no_okta_domain_leads_the_password_elsewhere() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Every host is an organization here, so that whoever is asked could take the password.
    let answers = |seen: &crate::vendor::Seen| ![APP, OTHER_APP].contains(&seen.host.as_str());
    let world = runtime.block_on(World::new(oidc(), move |seen| answers(seen).then(|| crate::hops::world::organization(seen, &seen.path))));
    let (mut asked, mut refused) = (0_u32, 0_u32);
    let seen_hosts = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let tried = std::cell::Cell::new((0_u32, 0_u32));
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    runner
        .run(&near(), |typed| {
            let mut inputs = world.inputs.clone();
            inputs.insert("okta_domain".into(), typed.clone());
            let before = world.vendor.seen().len();
            let connections = world.vendor.connections().len();
            let outcome = runtime.block_on(posture_connect::sign_in(posture_connect::SignIn {
                app: &world.app,
                login: &world.app.logins[0],
                inputs: &inputs,
                credentials: &world.credentials,
                route: &world.vendor.route(),
                limits: crate::vendor::small(),
                clock: crate::vendor::TestClock::new(),
                ledger: world.ledger.clone(),
                browser: std::sync::Arc::new(posture_connect::NoBrowser),
                cancel: tokio_util::sync::CancellationToken::new(),
                events: &|_| {},
            }));
            for host in &world.vendor.connections()[connections..] {
                prop_assert!(is_organization(host) || [APP, OTHER_APP].contains(&host.as_str()), "{typed:?} led to {host}");
            }
            for seen in &world.vendor.seen()[before..] {
                if format!("{seen:?}").contains(PASSWORD) {
                    prop_assert!(is_organization(&seen.host), "{typed:?} sent the password to {}", seen.host);
                    seen_hosts.borrow_mut().insert(seen.host.clone());
                }
            }
            let (some, none) = tried.get();
            if world.vendor.seen().len() > before {
                tried.set((some + 1, none));
            } else {
                prop_assert!(outcome.is_err(), "{typed:?}");
                tried.set((some, none + 1));
            }
            Ok(())
        })
        .unwrap();
    (asked, refused) = (asked + tried.get().0, refused + tried.get().1);
    // The property would hold for a form that refuses everything, and for one that refuses nothing: neither is the case.
    assert!(asked >= 20 && refused >= 100, "{asked} asked, {refused} refused");
    println!("{asked} values led to an organization, {refused} were refused, the password went to {} hosts", seen_hosts.borrow().len());
}
