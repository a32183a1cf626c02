//! What a change has made of a tenant's account: everything by which it differs from what its files say.

use catalog::{MfaKey, OktaFactor};
use std::collections::BTreeSet;

/// A tenant's account as the changes in force leave it. The usual one differs in nothing.
#[derive(Clone, Default)]
pub(crate) struct Account {
    /// The credential is refused.
    pub(crate) revoked: bool,
    /// In place of the one in the tenant's files.
    pub(crate) password: Option<String>,
    /// In place of the one in the tenant's files.
    pub(crate) mfa_key: Option<MfaKey>,
    pub(crate) lock: Option<Lock>,
    pub(crate) password_expired: bool,
    /// The user may not use the application.
    pub(crate) unassigned: bool,
    /// A sign-on policy refuses the user, whatever is typed.
    pub(crate) denied: bool,
    /// Factors that the user is no longer enrolled in.
    pub(crate) dropped: BTreeSet<OktaFactor>,
    /// How far the tenant's clock goes before the sandbox's.
    pub(crate) clock_ahead: i64,
    /// How often everything that was issued has been ended; what was issued in an earlier round counts as expired.
    pub(crate) round: u32,
    /// The scope that the token endpoint grants.
    pub(crate) scope: Option<String>,
}

/// How a locked account is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Like a wrong password: the usual setting of an organization.
    Hidden,
    /// By its name.
    Shown,
}
