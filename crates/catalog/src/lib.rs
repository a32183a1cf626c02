//! What can be onboarded, as data: applications, their login options, datasets, views and checks, read from
//! `catalog/<app>/`, validated and embedded at build time.
//!
//! This crate also owns the words every other crate shares: [`Row`], [`Completeness`], [`Cause`], [`Verdict`].
//! It does no I/O but reading manifest folders, opens no socket, knows no clock and evaluates no expression.

mod app;
mod check;
mod dataset;
mod format;
mod framework;
mod gen_ai;
mod hosts;
mod inventory;
mod load;
mod mfa_key;
mod okta_domain;
mod path;
mod place;
mod private_key;
mod protocol;
mod row;
mod sign_in;
mod sscf;
mod tenant;
mod tenant_sign_in;
mod verdict;
mod view;

pub use app::{
    Also, App, Assertion, Availability, Category, Choice, ClientAuthentication, ClientCredentials, Discover, EntraFlow, EntraSignIn,
    Expires, ExpiryPlace, Feature, Field, Format, Granted, HostRole, Identity, Inputs, LeftOut, Login, MOST_LEFT_OUT, Mistaken,
    NeverCalled, NotCovered, NotOffered, OktaLookup, OktaSignIn, OktaStart, PlannedLogin, PrivateKeyProof, Scope, ScopeIn, SecretHeader,
    SigningAlgorithm, SigningKey, Step, Strategy, Unused, Verified,
};
pub use check::{Check, CheckKind, Link, MAX_VALID_DAYS, Param, ParamType, ParamValue, Severity, VALID_DAYS};
pub use dataset::{
    Absent, Dataset, DatasetKind, Each, EachOver, Form, Instead, Keep, Meaning, Method, Needs, OnEmpty, PageLink, Pagination, Politeness,
    Probe, PublishedBy, Recent, ResetIn, Says, TimestampFormat, Transform, Type, Values, Withheld,
};
pub use format::FormatProblem;
pub use framework::{Family, Framework, Reference, framework, framework_title, frameworks};
pub use gen_ai::generative_ai;
pub use hosts::{HostError, ResolvedHosts};
pub use inventory::{
    Account, AccountKind, AccountRisk, AccountStatus, Expression, Inventory, InventoryKind, InventoryThresholds, Known, Listing, Mfa,
    Origin, Plugin, PluginKind, PluginLevel, PluginRisk, Presence, Property, PropertyType,
};
pub use load::{Catalog, LoadError, Tile};
pub use mfa_key::{CodeAlgorithm, MfaKey};
pub use path::FieldPath;
pub use place::Place;
pub use private_key::{KeyKind, KeyProblem, PrivateKey};
pub use protocol::{Accepted, GraphQlCursor, Protocol};
pub use row::{Collected, Completeness, Row, RowKey};
pub use sign_in::{AuthorizationCode, DeviceCode, Endpoint, GithubApp, HostFrom, Redirect, RedirectHost, SecretBy, SnowflakeKeyPair};
pub use sscf::{Control, SSCF_CONTROLS, domain_title, sscf_control};
pub use tenant::{LeftOpen, OktaEngine, OktaFactor, SandboxAnswer, SandboxLimits, SandboxOkta, SandboxTenant, SandboxTokens, SecondFactor};
pub use tenant_sign_in::{InstallationState, SandboxAuthorize, SandboxEntra, SandboxInstallation, SandboxRefresh, SandboxSignIn};
pub use verdict::{Cause, CauseKind, Verdict};
pub use view::{Compare, Condition, Join, JoinKind, PivotField, View, ViewShape};
