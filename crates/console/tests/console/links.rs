//! Which addresses the system browser is opened with: hosts of the catalog, of the window's guides and of Microsoft's sign-in,
//! and none that only looks like one of them.
use catalog::Catalog;
use posture_core::{
    Console, Listener, Options,
    screen::{AddInstance, Input, Progress, Protection, RouteChoice},
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
