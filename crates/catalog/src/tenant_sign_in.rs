//! How a simulated vendor signs people, GitHub Apps and applications of Microsoft Entra ID in: tables of a tenant, every member
//! of which has a usual value.

use std::collections::BTreeMap;

/// What a tenant's tables say beside `[okta]` and `[tokens]`; each for tenants of its own strategies, the usual one for others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxSignIn {
    /// `[authorize]`: a person in a browser, or with a device code.
    pub authorize: SandboxAuthorize,
    /// `[entra]`: Microsoft Entra ID, whose members beside those of `[authorize]` are these.
    pub entra: SandboxEntra,
    /// `[installation]`: a GitHub App.
    pub installation: SandboxInstallation,
}

/// A person who signs in at a simulated vendor's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxAuthorize {
    /// Whether the page approves by itself, because nobody is there. Usually not: the page waits.
    pub approve: bool,
    /// How often a device code is asked about before the person has approved. Usually once.
    pub pending: u32,
    /// What becomes of refresh tokens. Usually each is good for one use.
    pub refresh: SandboxRefresh,
    /// Seconds until a token expires; `None` (written 0): never. Usually 3600.
    pub lifetime_seconds: Option<u32>,
    /// The scope that is granted whatever is asked for. Usually what was asked for.
    pub grants: Option<String>,
}

impl Default for SandboxAuthorize {
    fn default() -> Self {
        Self { approve: false, pending: 1, refresh: SandboxRefresh::Rotates, lifetime_seconds: Some(3600), grants: None }
    }
}

/// What becomes of refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxRefresh {
    /// Each is good for one use and brings the next one.
    Rotates,
    /// One stays good.
    Stays,
    /// There are none.
    None,
}

impl SandboxRefresh {
    /// As tenants write them.
    pub const WORDS: [(&'static str, Self); 3] = [("rotates", Self::Rotates), ("stays", Self::Stays), ("none", Self::None)];
}

/// A simulated tenant of Microsoft Entra ID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxEntra {
    /// The tenant's id where its field holds a domain; a GUID. Usually the field's value, or one made of the domain.
    pub tenant_id: Option<String>,
    /// The application permissions that an administrator consented to (`roles` of a token). Usually those that the login option
    /// needs.
    pub roles: Option<Vec<String>>,
    /// Whether the tenant lies in the cloud of the US Government. Usually not.
    pub government: bool,
}

/// The installation of a simulated GitHub App in the tenant's organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxInstallation {
    /// Usually it is there.
    pub state: InstallationState,
    /// What it was granted, by permission: `read`, `write`, `admin`. Usually what the strategy asks for.
    pub permissions: Option<BTreeMap<String, String>>,
}

/// Whether a GitHub App is installed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InstallationState {
    /// It is.
    #[default]
    Installed,
    /// The organization suspended it.
    Suspended,
    /// It is not.
    Absent,
}

impl InstallationState {
    /// As tenants write them.
    pub const WORDS: [(&'static str, Self); 3] = [("installed", Self::Installed), ("suspended", Self::Suspended), ("absent", Self::Absent)];
}
