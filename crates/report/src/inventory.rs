//! Accounts and plugins as lines.
//!
//! In a table, a property that could not be told is the word `unknown`, one that the connector does not read is `not read`, and one of
//! which the vendor says that there is none is `none`; an empty cell is an empty text of the vendor's.

use crate::line::{Line, sealed, time, truth};
use catalog::{AccountKind, AccountStatus, Known, Mfa, PluginKind, PluginLevel, Severity};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An account with its risks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // The properties are those of `catalog::Account`.
pub struct AccountLine {
    /// The application's slug.
    pub app: String,
    /// The instance's name.
    pub instance: String,
    /// Whether the instance is a simulated one.
    pub sandbox: bool,
    /// The dataset or view.
    pub read_from: String,
    /// The time that all of it speaks of.
    pub as_of: Timestamp,
    /// How bad its risks are together.
    pub severity: Option<Severity>,
    /// The risks it has: `no_mfa`.
    pub risks: Vec<String>,
    /// The risks of which that is not known.
    pub unknown_risks: Vec<String>,
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
}

/// A plugin with its risks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // The properties are those of `catalog::Plugin`.
pub struct PluginLine {
    /// The application's slug.
    pub app: String,
    /// The instance's name.
    pub instance: String,
    /// Whether the instance is a simulated one.
    pub sandbox: bool,
    /// The dataset or view.
    pub read_from: String,
    /// The time that all of it speaks of.
    pub as_of: Timestamp,
    /// How bad its risks are together.
    pub severity: Option<Severity>,
    /// The risks it has: `can_write`.
    pub risks: Vec<String>,
    /// The risks of which that is not known.
    pub unknown_risks: Vec<String>,
    /// The maker or product of generative AI that its name or publisher names.
    pub gen_ai_by_name: Option<String>,
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
}

impl Line for AccountLine {}
impl Line for PluginLine {}

fn cell<'a, T>(known: &'a Known<T>, text: impl FnOnce(&'a T) -> Cow<'a, str>) -> Cow<'a, str> {
    match known {
        Known::Is(value) => text(value),
        Known::None => Cow::Borrowed("none"),
        Known::Unknown(_) => Cow::Borrowed("unknown"),
        Known::NotRead => Cow::Borrowed("not read"),
    }
}

fn text(known: &Known<String>) -> Cow<'_, str> {
    cell(known, |text| Cow::Borrowed(text))
}

fn list(known: &Known<Vec<String>>) -> Cow<'_, str> {
    cell(known, |texts| Cow::Owned(texts.join(", ")))
}

fn at(known: &Known<Timestamp>) -> Cow<'_, str> {
    cell(known, |at| time(*at))
}

fn flag(known: &Known<bool>) -> Cow<'_, str> {
    cell(known, |flag| truth(*flag))
}

fn severity(severity: Option<Severity>) -> Cow<'static, str> {
    Cow::Borrowed(match severity {
        None => "",
        Some(Severity::Info) => "info",
        Some(Severity::Low) => "low",
        Some(Severity::Medium) => "medium",
        Some(Severity::High) => "high",
        Some(Severity::Critical) => "critical",
    })
}

impl sealed::Cells for AccountLine {
    const PLURAL: &'static str = "accounts";
    const COLUMNS: &'static [&'static str] = &[
        "app",
        "instance",
        "sandbox",
        "read_from",
        "as_of",
        "severity",
        "risks",
        "unknown_risks",
        "id",
        "name",
        "email",
        "kind",
        "status",
        "administrator",
        "roles",
        "mfa",
        "identity_provider",
        "created",
        "last_seen",
        "never_seen",
        "credential_expires",
        "credential_changed",
    ];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            Cow::Borrowed(&self.app),
            Cow::Borrowed(&self.instance),
            truth(self.sandbox),
            Cow::Borrowed(&self.read_from),
            time(self.as_of),
            severity(self.severity),
            Cow::Owned(self.risks.join(", ")),
            Cow::Owned(self.unknown_risks.join(", ")),
            text(&self.id),
            text(&self.name),
            text(&self.email),
            cell(&self.kind, |kind| Cow::Borrowed(kind.word())),
            cell(&self.status, |status| Cow::Borrowed(status.word())),
            flag(&self.administrator),
            list(&self.roles),
            cell(&self.mfa, |mfa| Cow::Borrowed(mfa.word())),
            flag(&self.identity_provider),
            at(&self.created),
            at(&self.last_seen),
            flag(&self.never_seen),
            at(&self.credential_expires),
            at(&self.credential_changed),
        ]
    }
}

impl sealed::Cells for PluginLine {
    const PLURAL: &'static str = "plugins";
    const COLUMNS: &'static [&'static str] = &[
        "app",
        "instance",
        "sandbox",
        "read_from",
        "as_of",
        "severity",
        "risks",
        "unknown_risks",
        "gen_ai_by_name",
        "id",
        "name",
        "kind",
        "publisher",
        "scopes",
        "level",
        "user",
        "status",
        "created",
        "last_used",
        "never_used",
        "expires",
        "verified_publisher",
        "write",
    ];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            Cow::Borrowed(&self.app),
            Cow::Borrowed(&self.instance),
            truth(self.sandbox),
            Cow::Borrowed(&self.read_from),
            time(self.as_of),
            severity(self.severity),
            Cow::Owned(self.risks.join(", ")),
            Cow::Owned(self.unknown_risks.join(", ")),
            Cow::Borrowed(self.gen_ai_by_name.as_deref().unwrap_or_default()),
            text(&self.id),
            text(&self.name),
            cell(&self.kind, |kind| Cow::Borrowed(kind.word())),
            text(&self.publisher),
            list(&self.scopes),
            cell(&self.level, |level| Cow::Borrowed(level.word())),
            text(&self.user),
            text(&self.status),
            at(&self.created),
            at(&self.last_used),
            flag(&self.never_used),
            at(&self.expires),
            flag(&self.verified_publisher),
            flag(&self.write),
        ]
    }
}
