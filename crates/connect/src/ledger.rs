//! Who remembers which one-time codes were sent and which secrets were refused, and keeps the sign-ins of one user apart; passed
//! in, because it must hold across runs, processes and applications, and this crate keeps nothing.

use crate::SinkError;
use futures::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;

/// Remembers used codes and refused secrets, for all processes of this user of the computer. `account` is [`account_of`]. What
/// takes no future may block for as long as a transaction takes.
pub trait CodeLedger: Send + Sync {
    /// Waits until nobody else signs this account in, here or in another process, and keeps others out until the answer is
    /// dropped.
    ///
    /// # Errors
    /// When nobody can be kept out, or somebody else is not done within minutes.
    fn enter<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>, SinkError>>;
    /// Records that a one-time code is going to be sent for this account, by the second since 1970 at which its time ends:
    /// keys count time steps of different lengths. `false` when that code or one that ends later was recorded before: it must
    /// not be sent.
    ///
    /// # Errors
    /// When it could not be recorded; the code must not be sent then.
    fn claim(&self, account: &str, ends: u64) -> Result<bool, SinkError>;
    /// When this password or MFA key was refused, if it must not be sent again by itself. `None` also where a person has just
    /// given it: then it may be tried once more, because the account may have been changed.
    ///
    /// # Errors
    /// When it cannot be told; the secret must not be sent then.
    fn refused(&self, account: &str, secret: &SecretString) -> Result<Option<Timestamp>, SinkError>;
    /// Records that this password or MFA key was refused, or with `None` that it was accepted. What is kept says nothing about
    /// the secret to anybody who does not have it.
    ///
    /// # Errors
    /// When it could not be recorded.
    fn settle(&self, account: &str, secret: &SecretString, refused_at: Option<Timestamp>) -> Result<(), SinkError>;
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
