//! The way to the outside: which proxy, which roots of trust.

use crate::{ConnectError, tls};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The organization in the subject of every certificate authority that a sandbox makes. A chain with it is refused on
/// every route but the sandbox's own, even where somebody has added that authority to the computer's store.
pub const SANDBOX_ORGANIZATION: &str = "Posture Console sandbox";

/// How an instance reaches its vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Through what.
    pub proxy: Proxy,
    /// Certificates of further authorities to trust, PEM; for a company's inspecting proxy. For [`Roots::Sandbox`]: the
    /// sandbox's authority, alone.
    #[serde(default)]
    pub extra_roots_pem: Vec<String>,
    /// Which authorities are trusted at all.
    #[serde(default)]
    pub roots: Roots,
}

/// Through what a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proxy {
    /// The operating system's setting (with the environment's before it).
    System,
    /// `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    Environment,
    /// This one, for every host.
    Manual {
        /// `http://proxy.example:3128`, without user information: user and password are credentials
        /// ([`crate::PROXY_USER`], [`crate::PROXY_PASSWORD`]).
        url: String,
    },
    /// None: straight to the host, whatever the system says.
    None,
}

/// Which authorities are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roots {
    /// The computer's, and [`Route::extra_roots_pem`].
    #[default]
    Platform,
    /// The sandbox's alone, through its proxy on this computer alone.
    Sandbox,
}

impl Default for Route {
    fn default() -> Self {
        Self { proxy: Proxy::System, extra_roots_pem: Vec::new(), roots: Roots::Platform }
    }
}

impl Route {
    /// The way to a sandbox: nothing but its proxy at `address` can be reached, and nothing but its authority is trusted.
    ///
    /// # Errors
    /// [`ConnectError::RouteInvalid`] when `address` is not on this computer's loopback, or `authority_pem` is not one
    /// certificate of a sandbox ([`SANDBOX_ORGANIZATION`]).
    pub fn sandbox(address: SocketAddr, authority_pem: &str) -> Result<Self, ConnectError> {
        let route = Self {
            proxy: Proxy::Manual { url: format!("http://{address}") },
            extra_roots_pem: vec![authority_pem.to_owned()],
            roots: Roots::Sandbox,
        };
        if !address.ip().is_loopback() {
            return Err(ConnectError::RouteInvalid {
                sentence: "A sandbox instance can go nowhere but to its sandbox on this computer.".to_owned(),
                remedy: "Start the sandbox again and add the instance anew.".to_owned(),
            });
        }
        tls::extra_roots(&route)?;
        Ok(route)
    }
}
