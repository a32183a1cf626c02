//! What the database promises, on real files.
#![allow(clippy::unwrap_used, missing_docs)]

mod activity;
mod attestations;
mod changes;
mod crash;
mod credential;
mod decisions;
mod digest;
mod granted;
mod inventory;
mod laws;
mod opening;
mod search;
mod speed;
mod store;
mod tenant;
