//! Opens the system browser. The window and the terminal both have it; a test passes another one in. In the sandbox nobody is
//! asked: the system browser would open the real vendor's page.

use connect::{Browser, NoBrowser, Proxy, Roots, Route};
use std::{net::SocketAddr, sync::Arc};

/// The browser that the operating system opens `https` addresses with.
pub(crate) struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, address: &url::Url) -> Result<(), NoBrowser> {
        // Only what a browser shows: an address of another scheme would start another program.
        if address.scheme() != "https" {
            return Err(NoBrowser);
        }
        opener::open_browser(address.as_str()).map_err(|_| NoBrowser)
    }
}

/// The browser for an instance's route.
pub(crate) fn of_route(system: &Arc<dyn Browser>, route: &Route) -> Arc<dyn Browser> {
    let proxy = match (&route.roots, &route.proxy) {
        (Roots::Platform, _) => return Arc::clone(system),
        (Roots::Sandbox, Proxy::Manual { url }) => {
            url::Url::parse(url).ok().and_then(|url| url.socket_addrs(|| None).ok()?.into_iter().next())
        }
        (Roots::Sandbox, Proxy::None | Proxy::System | Proxy::Environment) => None,
    };
    Arc::new(SandboxBrowser { proxy, ca_pem: route.extra_roots_pem.join("\n") })
}

/// Follows pages of simulated vendors by itself.
struct SandboxBrowser {
    proxy: Option<SocketAddr>,
    ca_pem: String,
}

impl Browser for SandboxBrowser {
    fn open(&self, address: &url::Url) -> Result<(), NoBrowser> {
        let (proxy, ca_pem, address) = (self.proxy.ok_or(NoBrowser)?, self.ca_pem.clone(), address.clone());
        tokio::spawn(async move {
            let visited = sandbox::visit(proxy, &ca_pem, address).await;
            tracing::debug!(?visited, "a page of the sandbox was opened");
        });
        Ok(())
    }
}
