//! Which addresses the system browser is opened with: hosts of the catalog, of the window's guides and of Microsoft's sign-in,
//! and none that only looks like one of them.
use crate::scene::{SteppingClock, database, today};

use catalog::Catalog;
use posture_core::{
    Console, Listener, Options,
    screen::{
        AddInstance, FindingFilter, FindingQuery, FindingSort, Input, Progress, Protection, RouteChoice, SandboxScope, Slice, TenantChoice,
    },
};
use sandbox::{Sandbox, Tenant};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn only_known_hosts_are_opened() {
    let console = Console::new(Options::scratch().unwrap()).unwrap();
    for address in [
        "https://learn.microsoft.com/en-us/entra/identity-platform/quickstart-register-app",
        "https://login.microsoftonline.com/haldenmoor.example/oauth2/v2.0/authorize?client_id=11111111",
        "https://login.microsoftonline.us/haldenmoor.example/oauth2/v2.0/authorize",
        "https://microsoft.com/devicelogin",
        "https://www.microsoft.com/link",
        "https://login.microsoft.com/device",
        "https://www.kustomerapp.com/",
    ] {
        assert_eq!(console.linkable(address).await.map(|url| url.to_string()).as_deref(), Ok(address), "{address}");
    }
    for address in [
        "http://learn.microsoft.com/",
        "https://learn.microsoft.com.evil.test/",
        "https://evil.test/learn.microsoft.com",
        "https://learn.microsoft.com@evil.test/",
        "https://a:b@learn.microsoft.com/",
        "https://learn.microsoft.com:8443/",
        "https://sub.login.microsoftonline.com/",
        "https://login.microsoft0nline.com/",
        "https://xn--lerning-b1a.microsoft.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "",
    ] {
        assert_eq!(console.linkable(address).await.unwrap_err().code, "E-LINK-REFUSED", "{address}");
    }
}

/// A browser that shows nothing, so that whoever waits for a person goes on waiting.
struct Blank;

impl connect::Browser for Blank {
    fn open(&self, _address: &url::Url) -> Result<(), connect::NoBrowser> {
        Err(connect::NoBrowser)
    }
}

/// The host of GitHub Enterprise Server is whatever a company calls it: its page can be opened by hand while it is waited for, and
/// neither another page of it nor the same page afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_that_a_sign_in_waits_at_can_be_opened_by_hand() {
    let catalog = Catalog::built_in().unwrap();
    let app = catalog.app("github-enterprise").unwrap().unwrap();
    let known = catalog.sandbox_tenants(&app.slug).unwrap().into_iter().find(|tenant| tenant.id == "device-server").unwrap();
    let tenant = Tenant::new(&known, &app, jiff::Timestamp::now()).unwrap();
    let fields = tenant.fields().clone();
    // As a company's proxy, with an authority of its own: pages of the sandbox itself are not the vendor's.
    let proxy = Sandbox::start_under("Halden Moor Proxy CA", vec![tenant.into()], Arc::new(jiff::Timestamp::now)).await.unwrap();
    let mut options = Options::scratch().unwrap();
    options.browser = Arc::new(Blank);
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let login = app.login(&known.login).unwrap();
    let inputs = login.fields.iter().filter_map(|field| Some(Input { field: field.id.clone(), value: fields.get(&field.id)?.clone() }));
    let request = AddInstance {
        app: app.slug.clone(),
        login: login.id.clone(),
        name: "Halden Moor".into(),
        label: "Production".into(),
        owner: String::new(),
        inputs: inputs.collect(),
        answers: Vec::new(),
        route: RouteChoice {
            proxy: "manual".into(),
            proxy_url: format!("http://{}", proxy.address()),
            extra_roots_pem: proxy.ca_pem().to_owned(),
        },
    };
    let (sent, mut pages) = tokio::sync::mpsc::unbounded_channel();
    let sent = Mutex::new(sent);
    let listener: Listener = Arc::new(move |event| {
        if let Progress::Visit { address, .. } = event {
            sent.lock().unwrap().send(address).unwrap();
        }
    });
    let draft = console.open_draft(&app.slug, &login.id).unwrap();
    let connecting = tokio::spawn({
        let console = console.clone();
        async move { console.connect(&draft, request, listener).await }
    });
    let page = pages.recv().await.expect("somebody is sent to a page");
    assert!(page.starts_with("https://code.haldenmoor.example/"), "{page}");
    assert_eq!(console.linkable(&page).await.map(String::from).as_deref(), Ok(page.as_str()));
    for other in
        ["https://code.haldenmoor.example/settings", &page.replace(".example", ".example.evil.test"), &page.replace("https", "http")]
    {
        assert_eq!(console.linkable(other).await.unwrap_err().code, "E-LINK-REFUSED", "{other}");
    }
    console.cancel(&console.jobs()[0].id);
    assert_eq!(connecting.await.unwrap().unwrap_err().code, "E-CANCELLED");
    assert_eq!(console.linkable(&page).await.unwrap_err().code, "E-LINK-REFUSED");
}

/// A link to the vendor's console is filled with what an administrator typed when the instance was added. However it came into the
/// database, it leads nowhere but to the application's own hosts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_filled_with_hostile_inputs_stays_on_the_applications_hosts() {
    let mut options = Options::scratch().unwrap();
    options.clock = SteppingClock::at(today());
    let console = Console::new(options.clone()).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    let _vendors = console.sandbox_up().await.unwrap();
    let choices = [("atlassian", "risky"), ("github-enterprise", "risky"), ("gitlab", "risky")]
        .map(|(app, tenant)| TenantChoice { app: app.into(), tenant: tenant.into() });
    console.add_sandbox(choices.to_vec(), Arc::new(|_| {})).await.unwrap();
    let database = database(&options);
    let links = async |app: &str| {
        let filter = FindingFilter { apps: vec![app.into()], sandbox: SandboxScope::Only, ..FindingFilter::default() };
        let slice = Slice { offset: 0, limit: 500 };
        let list = console.findings(FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice }).await.unwrap();
        let mut links = Vec::new();
        for finding in list.rows {
            links.extend(console.finding(&finding.id).await.unwrap().link.map(|link| link.url));
        }
        assert!(!links.is_empty(), "{app} has findings that lead to its console");
        links
    };
    let set = |app: &str, field: &str, value: &str| {
        database.execute("UPDATE instance SET inputs = json_set(inputs, '$.' || ?2, ?3) WHERE app = ?1", [app, field, value]).unwrap();
    };
    let mut led = 0;
    for link in
        [links("atlassian").await, links("github-enterprise").await, links("gitlab").await].concat().iter().filter(|link| !link.is_empty())
    {
        assert_eq!(console.linkable(link).await.unwrap().as_str(), link);
        led += 1;
    }
    assert!(led > 0, "no link leads anywhere");
    for value in [
        "evil.test/",
        "evil.test#",
        "evil.test?",
        "evil.test\\",
        "x@evil.test/",
        "evil.test:443/",
        "x:y@evil.test/",
        "..",
        "a b",
        "",
        "{subdomain}",
        "evil.test/\u{ff0e}",
        "%2e%2e/evil.test",
        "evil.test\n",
        "evil.test\t/",
    ] {
        set("atlassian", "site", value);
        set("github-enterprise", "organization", value);
        for link in [links("atlassian").await, links("github-enterprise").await].concat().into_iter().filter(|link| !link.is_empty()) {
            let url = url::Url::parse(&link).unwrap();
            let host = url.host_str().unwrap();
            let own =
                ["github.com", "docs.github.com"].contains(&host) || host.ends_with(".atlassian.net") || host.ends_with(".atlassian.com");
            assert!(own, "{value:?} leads to {link}");
            assert!(url.scheme() == "https" && url.username().is_empty() && url.port().is_none(), "{link}");
        }
        assert_eq!(console.linkable("https://evil.test/").await.unwrap_err().code, "E-LINK-REFUSED", "{value:?}");
    }
    // A company's own server is the application's host: for its instance and as a whole host only.
    set("gitlab", "host", "git.halden.example");
    assert!(
        links("gitlab").await.iter().any(|link| link.starts_with("https://git.halden.example/")),
        "the console of a company's own server"
    );
    assert!(console.linkable("https://git.halden.example/admin").await.is_ok());
    for address in [
        "https://halden.example/",
        "https://evil.git.halden.example/",
        "https://git.halden.example.evil.test/",
        "http://git.halden.example/",
    ] {
        assert_eq!(console.linkable(address).await.unwrap_err().code, "E-LINK-REFUSED", "{address}");
    }
    set("gitlab", "host", "git.halden.example/x");
    assert!(links("gitlab").await.iter().all(|link| !link.contains("halden")));
    assert_eq!(console.linkable("https://git.halden.example/admin").await.unwrap_err().code, "E-LINK-REFUSED");
}
