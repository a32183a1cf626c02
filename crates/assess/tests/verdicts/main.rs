//! The rules of evaluation, through the public interface, over small applications made by hand.
#![allow(clippy::unwrap_used, missing_docs)]

mod built_in;
mod inventory;
mod laws;
mod refusals;
mod rules;
mod small;
mod views;
