//! What the window may ask, each a thin door to `console`. No decision is taken here.

pub mod activity;
pub mod attestations;
pub mod backup;
pub mod browse;
pub mod capability;
pub mod changes;
pub mod compliance;
pub mod decisions;
pub mod desktop;
pub mod digest;
pub mod fleet;
pub mod instances;
pub mod inventory;
pub mod onboard;
pub mod operate;
pub mod start;

use console::{Console, screen::Failure};

/// What every command answers.
pub type Answer<T> = Result<T, Failure>;

/// The engine, as the window's managed state.
pub type Engine<'a> = tauri::State<'a, Console>;

/// What opens the secrets that the page seals.
pub type Keys<'a> = tauri::State<'a, crate::sealed::SealingKeys>;
