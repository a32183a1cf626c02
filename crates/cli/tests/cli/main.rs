//! What the program `posture` promises in a terminal.
#![allow(clippy::unwrap_used, missing_docs)]

mod attestations;
mod bad_input;
mod backup;
mod catalog;
mod desk;
mod inventory;
mod key_nowhere;
mod kill_nine;
mod request_refused;
mod stand;
mod terminal;
