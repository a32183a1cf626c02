//! The way from an application to Okta and back, over real HTTPS: what is followed, what is refused before it is sent, and
//! that nothing secret ever reaches anybody but the party that it belongs to.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../vendor/mod.rs"]
mod vendor;

mod refused;
mod there;
mod typed;
mod world;
