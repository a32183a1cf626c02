//! One module per table: its SQL, and the types in which its rows come and go.

pub(crate) mod account;
pub(crate) mod activity;
pub(crate) mod attestation;
pub(crate) mod change;
pub(crate) mod credential;
pub(crate) mod dataset;
pub(crate) mod decision;
pub(crate) mod difference;
pub(crate) mod digest;
pub(crate) mod event;
pub(crate) mod evidence;
pub(crate) mod finding;
pub(crate) mod fleet;
pub(crate) mod granted;
pub(crate) mod instance;
pub(crate) mod inventory;
pub(crate) mod lease;
pub(crate) mod own_check;
pub(crate) mod preference;
pub(crate) mod request;
pub(crate) mod row;
pub(crate) mod scan;
pub(crate) mod schedule;
pub(crate) mod turn;
pub(crate) mod verdict;
