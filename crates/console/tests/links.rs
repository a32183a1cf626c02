//! Which addresses the system browser is opened with: hosts of the catalog, of the window's guides and of Microsoft's sign-in,
//! and none that only looks like one of them.
#![allow(clippy::unwrap_used)]

use posture_core::{Console, Options};

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
