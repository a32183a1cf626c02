//! The use cases of the console: start, unlock, onboard, scan, judge, browse, export, delete. The one interface of window
//! and terminal; both only show what comes from here.
//!
//! It puts together what the crates below own and decides the order in which things happen: nothing is stored before
//! sign-in succeeded, screens show the last complete scan, secrets come in as [`SecretString`] and never go out. It opens
//! no socket, writes no SQL and touches no keychain itself.

mod about;
mod activity;
mod applications;
mod archive;
mod attestations;
mod backup;
mod browse;
mod browser;
mod catalog_document;
mod changes;
mod checked;
mod codes;
mod compliance;
mod console;
mod coverage;
mod credential_watch;
mod data_folder;
mod decisions;
mod digest;
mod drafts;
mod erase;
mod export;
mod failure;
mod fleet;
mod health;
mod instances;
mod inventory;
mod jobs;
mod judge;
mod judged;
mod logging;
mod mail;
mod manual_instances;
mod onboard;
mod options;
mod permissions;
mod probe;
mod restore;
mod rules;
mod same_tenant;
mod sandboxes;
mod scan;
mod schedule;
mod score;
mod scratch;
pub mod screen;
mod settings;
mod sink;
mod start;

pub use catalog::{InventoryKind, MOST_LEFT_OUT};
pub use catalog_document::{AppDocument, CatalogDocument};
pub use connect::{Browser, NoBrowser};
pub use console::{Console, Listener};
pub use erase::ERASE_WORDS;
pub use export::{FindingExport, OcsfVersion};
pub use logging::{log_filter, log_to_stderr};
pub use options::Options;
pub use sandboxes::SandboxServer;
pub use score::{CheckTally, score};
pub use secrecy::SecretString;
pub use vault::ZeroingAllocator;

/// For `#[global_allocator]` of both programs: memory is wiped when it is freed.
pub const ZEROING_ALLOCATOR: ZeroingAllocator = vault::zeroing_allocator();
