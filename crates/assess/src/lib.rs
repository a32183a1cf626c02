//! Rows and checks become verdicts.
//!
//! This crate owns the expression language of checks (CEL over `row`, `params` and `now`), the gate that stands before
//! it, the views that checks may run on, and the rules by which accounts and plugins are risky. It is pure: it opens no file and no socket, has no clock (the time to judge
//! by is passed in), and must not know how rows were collected, where findings are stored or how verdicts are shown.

mod analysis;
mod gate;
mod inventory;
mod judged;
mod language;
mod path;
mod program;
mod risk;
mod shape;
mod value;
mod views;

pub use inventory::Inventories;
pub use judged::{Judged, Params};
pub use program::{Program, ViewError, compile};
