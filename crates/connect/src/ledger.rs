//! Who remembers which one-time codes were sent, and keeps the sign-ins of one user apart; passed in, because it must hold
//! across runs, processes and applications, and this crate keeps nothing.

use crate::SinkError;
use futures::future::BoxFuture;

/// Remembers used time steps, for all processes of this user of the computer.
pub trait CodeLedger: Send + Sync {
    /// Waits until nobody else signs this account in, here or in another process, and keeps others out until the answer is
    /// dropped. `account` is [`account_of`].
    ///
    /// # Errors
    /// When nobody can be kept out.
    fn enter<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>, SinkError>>;
    /// Records that the code of time step `step` is going to be sent for this account. `false` when that step or a later one
    /// was recorded before: its code must not be sent. May block for as long as a transaction takes.
    ///
    /// # Errors
    /// When it could not be recorded; the code must not be sent then.
    fn claim(&self, account: &str, step: u64) -> Result<bool, SinkError>;
}

/// The name of an account in a [`CodeLedger`]: a digest of the organization's host and the user, both without case, so that
/// every application that signs in there as that user has the same one.
pub fn account_of(organization: &str, user: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    digest.update(organization.trim().to_lowercase());
    digest.update([0x1f]);
    digest.update(user.trim().to_lowercase());
    hex::encode(digest.finalize())
}
