//! Simulated vendors over real HTTPS on loopback.
//!
//! This crate owns a CONNECT proxy on 127.0.0.1 that terminates TLS itself, with certificates minted for the vendors' host
//! names by an authority made at run time, and answers as the vendor would: from a sandbox tenant of the catalog
//! ([`Tenant`]) or from exchanges recorded of the real service ([`Recording`]). What is answered can be changed while it
//! runs ([`Overlay`]), in the same process or from another one ([`control`]).
//!
//! It opens no socket outwards: a host that it does not serve is refused. The authority's private key never leaves
//! memory. It must not know connectors, checks, the store or the window, and connectors must not know it: they reach it
//! by a route (this proxy and this authority) and by nothing else.

mod account;
mod answer;
mod authority;
mod authorize;
mod control;
mod credentials;
mod desk;
mod door;
mod entra;
mod error;
mod field;
mod github_app;
mod key;
mod limit;
mod okta;
mod overlay;
mod paging;
mod placeholder;
mod recording;
mod reply;
mod served;
mod server;
mod snowflake_jwt;
mod spoken;
mod tenant;
mod tenant_sign_in;
mod token;
mod token_endpoint;
mod visitor;

pub use authority::AUTHORITY_ORGANIZATION;
pub use control::{Running, control};
pub use error::SandboxError;
pub use overlay::{Fault, Overlay, OverlayChange};
pub use recording::Recording;
pub use served::Served;
pub use server::{Clock, Sandbox, SeenRequest};
pub use tenant::Tenant;
pub use visitor::{Visited, visit};
