//! The way from an application to Okta and back, over real HTTPS: what is followed, what is refused before it is sent, and
//! that nothing secret ever reaches anybody but the party that it belongs to.
mod refused;
mod there;
mod typed;
mod world;
