//! What the catalog promises, through its public interface.
#![allow(clippy::unwrap_used, missing_docs)]

mod attested;
mod built_in;
mod capability;
mod contract;
mod folder;
mod frameworks;
mod inventory;
mod loading;
mod okta;
mod protocols;
mod readme;
mod simulated_sign_in;
mod values;
