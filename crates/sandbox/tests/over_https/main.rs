//! The sandbox as its clients see it: real HTTPS on loopback, through the proxy, with its authority as the only root.
#![allow(clippy::unwrap_used, missing_docs)]

extern crate posture_sandbox as sandbox;

mod answers;
mod assertions;
mod board;
mod built_in;
mod changes;
mod classic;
mod client;
mod control;
mod faults;
mod helpdesk;
mod identity_engine;
mod pages;
mod proxy;
mod recording;
mod single_sign_on;
mod spoken;
mod times;
mod tokens;
