//! Signing in through Okta, as its Classic Engine and its Identity Engine answer.
#![allow(clippy::unwrap_used, missing_docs)]

mod okta;
mod vendor;

use okta::{Attempt, Engine};

#[tokio::test]
async fn a_user_signs_in_by_the_classic_engine() {
    let outcome = Attempt::new(Engine::Classic).as_usual().await;
    outcome.check("classic");
    outcome.expect_signed_in();
    println!("{:#?}", outcome.paths());
}

#[tokio::test]
async fn a_user_signs_in_by_the_identity_engine() {
    let outcome = Attempt::new(Engine::Identity).as_usual().await;
    outcome.expect_signed_in();
    println!("{:#?}", outcome.paths());
}
