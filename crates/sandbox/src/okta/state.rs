//! What an organization remembers while it runs.

use catalog::OktaFactor;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that requests change.
#[derive(Default)]
pub(super) struct State {
    /// How many tokens were made.
    pub(super) made: u64,
    /// By state token.
    pub(super) transactions: BTreeMap<String, Transaction>,
    /// By session token. Each is good once.
    pub(super) session_tokens: BTreeMap<String, SessionToken>,
    /// By the value of the cookie `sid` or `idx`.
    pub(super) sessions: BTreeMap<String, OktaSession>,
    /// Time steps whose one-time code was accepted.
    pub(super) used_steps: BTreeSet<u64>,
    /// Wrong passwords since the last right one.
    pub(super) wrong_passwords: u32,
    /// Wrong one-time codes since the last right one.
    pub(super) wrong_codes: u32,
    /// Messages that would have reached a person's phone.
    pub(super) messages: u32,
    /// Ways to the application that have been begun, by state.
    pub(super) journeys: BTreeMap<String, Journey>,
    /// By authorization code. Each is good once.
    pub(super) codes: BTreeMap<String, Code>,
    /// SAML requests of the application, by RelayState.
    pub(super) requests: BTreeMap<String, String>,
    /// SAML answers that have not been used, by their text.
    pub(super) assertions: BTreeMap<String, Assertion>,
}

/// A sign-in that has been begun.
#[derive(Clone)]
pub(super) struct Transaction {
    pub(super) engine: Engine,
    pub(super) stage: Stage,
    /// Whether the user who was named is the organization's; nobody is told.
    pub(super) known: bool,
    /// Whether the password has been given.
    pub(super) password: bool,
    /// Whether the second factor has been given.
    pub(super) factor: bool,
    /// Whether the end of the password has been told.
    pub(super) warned: bool,
    /// Whether it has been asked to keep the user signed in.
    pub(super) kept: bool,
    /// Path and query at Okta that the sign-in was asked for; without, it ends in a session token.
    pub(super) resume: Option<String>,
    /// The cookie that goes with it.
    pub(super) browser: Option<String>,
    pub(super) expires: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Classic,
    Identity,
}

/// How far a sign-in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody has said who it is.
    User,
    /// The user is known, the password is not.
    Password,
    /// One of the factors is to be chosen.
    Choose,
    /// This factor is asked for.
    Factor(OktaFactor),
    /// The user has no factor that the policy takes.
    Enrol,
    /// The password has to be changed.
    Expired,
    /// The password is about to expire.
    Warning,
    /// Whether to keep the user signed in.
    Keep,
    /// The account is locked, and the organization says so.
    Locked,
    Done,
}

pub(super) struct SessionToken {
    pub(super) factor: bool,
    pub(super) expires: Timestamp,
}

#[derive(Clone)]
pub(super) struct OktaSession {
    pub(super) factor: bool,
    pub(super) expires: Timestamp,
    /// [`crate::account::Account::round`] when it began.
    pub(super) round: u32,
}

/// A way to the application by OIDC.
pub(super) struct Journey {
    /// The cookie of the browser that began it, if the application could set one there.
    pub(super) browser: Option<String>,
    pub(super) nonce: String,
    pub(super) expires: Timestamp,
}

pub(super) struct Code {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) expires: Timestamp,
}

pub(super) struct Assertion {
    /// The RelayState of the application's request that it answers; `None` when nobody asked.
    pub(super) asked_with: Option<String>,
    pub(super) expires: Timestamp,
}
