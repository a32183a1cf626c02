//! What can be onboarded, as data: applications, their login options, datasets, views and checks, read from
//! `catalog/<app>/`, validated and embedded at build time.
//!
//! This crate also owns the words every other crate shares: [`Row`], [`Completeness`], [`Cause`], [`Verdict`].
//! It does no I/O but reading manifest folders, opens no socket, knows no clock and evaluates no expression.

mod app;
mod check;
mod dataset;
mod format;
mod hosts;
mod load;
mod mfa_key;
mod okta_domain;
mod path;
mod place;
mod row;
mod sscf;
mod tenant;
mod verdict;
mod view;

pub use app::{
    App, Category, Choice, ClientCredentials, Discover, EntraFlow, EntraSignIn, Feature, Field, Format, Granted, HostRole, Identity,
    Inputs, LeftOut, Login, MOST_LEFT_OUT, Mistaken, NeverCalled, NotCovered, NotOffered, OktaLookup, OktaSignIn, OktaStart, PlannedLogin, Scope, Step, Strategy, Verified,
};
pub use check::{Check, CheckKind, Link, MAX_VALID_DAYS, Param, ParamType, ParamValue, Severity, VALID_DAYS};
pub use dataset::{
    Absent, Dataset, DatasetKind, Each, EachOver, Form, Instead, Keep, Meaning, Method, Needs, OnEmpty, Pagination, Politeness, Probe,
    PublishedBy, Recent, Says, TimestampFormat, Transform, Type, Values, Withheld,
};
pub use format::FormatProblem;
pub use hosts::{HostError, ResolvedHosts};
pub use load::{Availability, Catalog, LoadError, Tile};
pub use mfa_key::{CodeAlgorithm, MfaKey};
pub use path::FieldPath;
pub use place::Place;
pub use row::{Collected, Completeness, Row, RowKey};
pub use sscf::{Control, SSCF_CONTROLS, domain_title, sscf_control};
pub use tenant::{OktaEngine, OktaFactor, SandboxAnswer, SandboxOkta, SandboxTenant, SandboxTokens, SecondFactor};
pub use verdict::{Cause, CauseKind, Verdict};
pub use view::{Compare, Condition, Join, JoinKind, View, ViewShape};
