//! Accounts and plugins in shapes that all applications share: `[[accounts]]` and `[[plugins]]` in `datasets.toml` say how
//! to read them out of rows; [`Account`] and [`Plugin`] are what comes out.

use crate::{Cause, Completeness, Place, RowKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A dataset or view whose rows are accounts or plugins, and how each property is read out of a row.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// What its rows are.
    pub kind: InventoryKind,
    /// The dataset or view.
    pub from: String,
    /// CEL over `row` and `now`: which rows are meant. `None`: all of them. A row on which it cannot be computed is counted as undecided.
    pub when: Option<Expression>,
    /// The properties that the application tells. One that is not here is never known of it.
    pub properties: BTreeMap<Property, Expression>,
    /// Where it is written.
    pub place: Place,
}

/// What the rows of an [`Inventory`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InventoryKind {
    /// Those who can sign in: people, guests, services.
    Accounts,
    /// What can act without a person: granted applications, installed ones, tokens, webhooks, keys.
    Plugins,
}

/// A CEL expression over `row` and `now`, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As it is written.
    pub text: String,
    /// Where it is written.
    pub place: Place,
}

/// A property of an account or a plugin; its word in manifests is its name in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// What the vendor tells it by.
    Id,
    /// What a person calls it.
    Name,
    /// Address of the account.
    Email,
    /// [`AccountKind`] or [`PluginKind`].
    Kind,
    /// [`AccountStatus`] of an account; the vendor's own word for a plugin's.
    Status,
    /// Whether the account may administer the application.
    Administrator,
    /// The account's roles, as the vendor calls them.
    Roles,
    /// [`Mfa`].
    Mfa,
    /// Whether the account comes from the identity provider or signs in through it.
    IdentityProvider,
    /// When it was made.
    Created,
    /// When the account was last used.
    LastSeen,
    /// Whether the account was never used; only where the vendor documents how that is told.
    NeverSeen,
    /// When the credential that the account is ends; null where the vendor documents that it does not.
    CredentialExpires,
    /// When the credential that the account is was last changed.
    CredentialChanged,
    /// Who made the plugin.
    Publisher,
    /// What the plugin may do, as the vendor calls it.
    Scopes,
    /// [`PluginLevel`].
    Level,
    /// Who granted or installed the plugin.
    User,
    /// When the plugin was last used.
    LastUsed,
    /// Whether the plugin was never used; only where the vendor documents how that is told.
    NeverUsed,
    /// When the plugin's access ends; null where the vendor documents that it does not.
    Expires,
    /// Whether the vendor has verified the publisher.
    VerifiedPublisher,
    /// Whether the plugin may change things.
    Write,
}

/// What the expression of a [`Property`] must give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyType {
    /// Text.
    Text,
    /// true or false.
    Bool,
    /// A list of text.
    Texts,
    /// A timestamp.
    Time,
    /// One of these words.
    Words(&'static [&'static str]),
}

impl Property {
    /// The word in manifests, in the database and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Email => "email",
            Self::Kind => "kind",
            Self::Status => "status",
            Self::Administrator => "administrator",
            Self::Roles => "roles",
            Self::Mfa => "mfa",
            Self::IdentityProvider => "identity_provider",
            Self::Created => "created",
            Self::LastSeen => "last_seen",
            Self::NeverSeen => "never_seen",
            Self::CredentialExpires => "credential_expires",
            Self::CredentialChanged => "credential_changed",
            Self::Publisher => "publisher",
            Self::Scopes => "scopes",
            Self::Level => "level",
            Self::User => "user",
            Self::LastUsed => "last_used",
            Self::NeverUsed => "never_used",
            Self::Expires => "expires",
            Self::VerifiedPublisher => "verified_publisher",
            Self::Write => "write",
        }
    }
}

impl InventoryKind {
    /// The tables' name in manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Plugins => "plugins",
        }
    }

    /// The properties that such a table may declare, with what their expressions must give.
    pub fn properties(self) -> &'static [(Property, PropertyType)] {
        use PropertyType::{Bool, Text, Texts, Time, Words};
        match self {
            Self::Accounts => &[
                (Property::Id, Text),
                (Property::Name, Text),
                (Property::Email, Text),
                (Property::Kind, Words(AccountKind::WORDS)),
                (Property::Status, Words(AccountStatus::WORDS)),
                (Property::Administrator, Bool),
                (Property::Roles, Texts),
                (Property::Mfa, Words(Mfa::WORDS)),
                (Property::IdentityProvider, Bool),
                (Property::Created, Time),
                (Property::LastSeen, Time),
                (Property::NeverSeen, Bool),
                (Property::CredentialExpires, Time),
                (Property::CredentialChanged, Time),
            ],
            Self::Plugins => &[
                (Property::Id, Text),
                (Property::Name, Text),
                (Property::Kind, Words(PluginKind::WORDS)),
                (Property::Publisher, Text),
                (Property::Scopes, Texts),
                (Property::Level, Words(PluginLevel::WORDS)),
                (Property::User, Text),
                (Property::Status, Text),
                (Property::Created, Time),
                (Property::LastUsed, Time),
                (Property::NeverUsed, Bool),
                (Property::Expires, Time),
                (Property::VerifiedPublisher, Bool),
                (Property::Write, Bool),
            ],
        }
    }

    /// The properties that every such table must declare.
    pub fn required(self) -> &'static [Property] {
        match self {
            Self::Accounts => &[Property::Id, Property::Name],
            Self::Plugins => &[Property::Id, Property::Name, Property::Kind],
        }
    }
}

/// An enum whose values are words of manifests, the database and exports.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $value,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];
            /// The word of every value, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$value),)+ _ => None }
            }
        }
    };
}

words! {
    /// What an account is.
    AccountKind {
        /// A person of the organization.
        Person = "person",
        /// A person from outside.
        Guest = "guest",
        /// No person: a bot, a service account, an integration's user.
        Service = "service",
    }
}

words! {
    /// Whether an account can be used.
    AccountStatus {
        /// It can.
        Active = "active",
        /// It cannot for now.
        Suspended = "suspended",
        /// It was invited and has not accepted.
        Invited = "invited",
        /// It cannot.
        Deactivated = "deactivated",
    }
}

words! {
    /// The second factor of an account.
    Mfa {
        /// None is set up.
        None = "none",
        /// One that can be intercepted or talked out of a person: text message, call, e-mail.
        Weak = "weak",
        /// Any other.
        Strong = "strong",
    }
}

words! {
    /// What a plugin is.
    PluginKind {
        /// An application that a person or an administrator gave access to.
        OauthGrant = "oauth_grant",
        /// An application that is installed.
        InstalledApp = "installed_app",
        /// A token for the application's own interface.
        Token = "token",
        /// An address that the application sends events to.
        Webhook = "webhook",
        /// A key: SSH, deployment, signing.
        Key = "key",
    }
}

words! {
    /// How far a plugin reaches.
    PluginLevel {
        /// The whole organization.
        Tenant = "tenant",
        /// What one user may see.
        User = "user",
    }
}

/// A property as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "value", rename_all = "snake_case")]
pub enum Known<T> {
    /// This value.
    Is(T),
    /// The vendor documents that there is none: no address, no expiry.
    None,
    /// It could not be told for this row, and why.
    Unknown(Cause),
    /// The connector of this application does not read it.
    NotRead,
}

impl<T> Known<T> {
    /// The value, where there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::None | Self::Unknown(_) | Self::NotRead => None,
        }
    }

    /// Whether it is known to be this value; `None` when it is not known.
    pub fn is(&self, wanted: &T) -> Option<bool>
    where
        T: PartialEq,
    {
        match self {
            Self::Is(value) => Some(value == wanted),
            Self::None => Some(false),
            Self::Unknown(_) | Self::NotRead => None,
        }
    }

    /// Whether nothing can be concluded from it.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Is(_) | Self::None => false,
            Self::Unknown(_) | Self::NotRead => true,
        }
    }
}

/// One account, with what is known of it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // Each is the Property of its name.
pub struct Account {
    /// The row that it was read from, and the rows of datasets that this rests on.
    pub origin: Origin,
    pub id: Known<String>,
    pub name: Known<String>,
    pub email: Known<String>,
    pub kind: Known<AccountKind>,
    pub status: Known<AccountStatus>,
    pub administrator: Known<bool>,
    pub roles: Known<Vec<String>>,
    pub mfa: Known<Mfa>,
    pub identity_provider: Known<bool>,
    pub created: Known<Timestamp>,
    pub last_seen: Known<Timestamp>,
    pub never_seen: Known<bool>,
    pub credential_expires: Known<Timestamp>,
    pub credential_changed: Known<Timestamp>,
    /// The risks that are there, and those of which that is not known. What is not in it is known not to be there, or not to
    /// concern such an account.
    pub risks: BTreeMap<AccountRisk, Presence>,
    /// How bad the risks that are there are together; `None` when there are none.
    pub severity: Option<crate::Severity>,
}

/// One plugin, with what is known of it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // Each is the Property of its name.
pub struct Plugin {
    /// The row that it was read from, and the rows of datasets that this rests on.
    pub origin: Origin,
    pub id: Known<String>,
    pub name: Known<String>,
    pub kind: Known<PluginKind>,
    pub publisher: Known<String>,
    pub scopes: Known<Vec<String>>,
    pub level: Known<PluginLevel>,
    pub user: Known<String>,
    pub status: Known<String>,
    pub created: Known<Timestamp>,
    pub last_used: Known<Timestamp>,
    pub never_used: Known<bool>,
    pub expires: Known<Timestamp>,
    pub verified_publisher: Known<bool>,
    pub write: Known<bool>,
    /// The maker or product of generative AI that its name or publisher names ([`crate::generative_ai`]).
    pub gen_ai: Option<String>,
    /// As for an account.
    pub risks: BTreeMap<PluginRisk, Presence>,
    /// As for an account.
    pub severity: Option<crate::Severity>,
}

/// Where an account or plugin was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The dataset or view that the table names.
    pub from: String,
    /// Its row there.
    pub row: RowKey,
    /// The rows of datasets that the row rests on: dataset and key. At most 1,000.
    pub inputs: Vec<(String, RowKey)>,
}

/// Whether a risk is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is.
    Present,
    /// A property that it rests on is not known: neither a risk nor an all-clear.
    Unknown,
}

words! {
    /// The risks of an account. The database numbers them in this order: add new ones at the end.
    AccountRisk {
        /// A person's account without a second factor.
        NoMfa = "no_mfa",
        /// A person's account whose second factor is weak.
        WeakMfa = "weak_mfa",
        /// Not used for longer than [`InventoryThresholds::dormant_days`].
        Dormant = "dormant",
        /// A person's account that does not come from the identity provider.
        NotFromIdentityProvider = "not_from_identity_provider",
        /// It may administer the application.
        Administrator = "administrator",
        /// It belongs to somebody from outside.
        Guest = "guest",
        /// It was never used.
        NeverSeen = "never_seen",
        /// Its credential ends within [`InventoryThresholds::expiring_days`].
        CredentialExpiring = "credential_expiring",
        /// Its credential has ended.
        CredentialExpired = "credential_expired",
        /// Its credential was not changed for longer than [`InventoryThresholds::rotation_days`].
        CredentialNotRotated = "credential_not_rotated",
    }
}

words! {
    /// The risks of a plugin. The database numbers them in this order: add new ones at the end.
    PluginRisk {
        /// It may change things.
        CanWrite = "can_write",
        /// It reaches the whole organization.
        WholeTenant = "whole_tenant",
        /// The vendor has not verified who made it.
        UnverifiedPublisher = "unverified_publisher",
        /// Not used for longer than [`InventoryThresholds::unused_days`], or never.
        Unused = "unused",
        /// Its access does not end by itself.
        NoExpiry = "no_expiry",
        /// Its access ends within [`InventoryThresholds::expiring_days`].
        Expiring = "expiring",
        /// Its access has ended.
        Expired = "expired",
        /// Its name or publisher names a maker or product of generative AI.
        GenAi = "gen_ai",
    }
}

/// From when on something is a risk, in days; each instance may have its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InventoryThresholds {
    /// An account that was not used for so long is dormant.
    pub dormant_days: u32,
    /// What ends within so long is expiring.
    pub expiring_days: u32,
    /// A credential that was not changed for so long is not rotated.
    pub rotation_days: u32,
    /// A plugin that was not used for so long is unused.
    pub unused_days: u32,
}

impl InventoryThresholds {
    /// The most that a threshold can be.
    pub const MOST: u32 = 3_650;

    /// Whether each is from 1 to [`InventoryThresholds::MOST`].
    pub fn is_valid(&self) -> bool {
        let Self { dormant_days, expiring_days, rotation_days, unused_days } = *self;
        [dormant_days, expiring_days, rotation_days, unused_days].iter().all(|days| (1..=Self::MOST).contains(days))
    }
}

impl Default for InventoryThresholds {
    fn default() -> Self {
        Self { dormant_days: 90, expiring_days: 30, rotation_days: 180, unused_days: 90 }
    }
}

/// What one `[[accounts]]` or `[[plugins]]` table came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The dataset or view.
    pub from: String,
    /// Its title.
    pub title: String,
    /// How much of it was read.
    pub completeness: Completeness,
    /// Rows of which it could not be told whether they are meant, and the first cause.
    pub undecided: u32,
    /// See [`Listing::undecided`].
    pub undecided_cause: Option<Cause>,
    /// The properties that the table does not declare.
    pub not_read: Vec<Property>,
    /// What was found, by row key.
    pub items: Vec<T>,
}
