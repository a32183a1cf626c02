//! What the wire promises: real HTTPS on loopback, vendors scripted per test.
#![allow(clippy::unwrap_used, missing_docs)]

mod built_in;
mod collect;
mod entra_application;
mod entra_user;
mod foreign_identity;
mod granted;
mod guard;
mod hops;
mod key_pairs;
mod microsoft;
mod oauth;
mod okta;
mod okta_engines;
mod okta_published;
mod paging;
mod people;
mod person;
mod pinned;
mod protocols;
mod published;
mod reduce;
mod sign_in;
mod signed;
mod totp;
mod vendor;
