//! What the console promises, with simulated tenants, a real database and a vault.
#![allow(clippy::unwrap_used, missing_docs)]

mod activity;
mod attested;
mod auditors;
mod backup;
mod capability;
mod changes;
mod company;
mod credential_watch;
mod decided;
mod digest;
mod disturbed;
mod fleet;
mod harbour;
mod inventory;
mod journey;
mod law;
mod links;
mod mail;
#[path = "../../../connect/tests/connect/mail_server.rs"]
mod mail_server;
mod recorded;
mod scene;
mod schedule;
mod simulated_credentials;
mod simulated_okta;
mod simulated_people;
mod wholeness;
