//! What the program `posture` promises in a terminal.
#![allow(clippy::unwrap_used, missing_docs)]

mod activity;
mod attestations;
mod auditors;
mod backup;
mod bad_input;
mod catalog;
mod changes;
mod decisions;
mod desk;
mod digest;
mod inventory;
mod key_nowhere;
mod kill_nine;
mod request_refused;
mod schedule;
mod stand;
mod terminal;
