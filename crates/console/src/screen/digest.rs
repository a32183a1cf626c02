//! What an administrator is told once a day, and the mail that it goes by.

use super::{Failure, Severity, SeverityCounts};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What a line of a digest is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DigestKind {
    /// Findings of a check that are open and new, or open again.
    NewFinding,
    /// Findings of an instance that were fixed or are gone.
    Ended,
    /// An instance that is not up, or is up again.
    Health,
    /// Scans of an instance that failed.
    FailedScan,
    /// An instance that waits for its scan, or was not read since the digest before.
    NotScanned,
    /// A credential that ends soon, or has ended.
    CredentialEnds,
    /// Manual checks of an instance that are due.
    Attestation,
}

/// One thing that a digest tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DigestEntry {
    /// What it is about.
    pub kind: DigestKind,
    /// The instance, which may have been deleted since.
    pub instance: String,
    /// Its application's name.
    pub app_name: String,
    /// Its name.
    pub instance_name: String,
    /// Its owner; empty without one.
    pub owner: String,
    /// How bad it is; of findings alone.
    pub severity: Option<Severity>,
    /// How many findings, scans or checks it stands for.
    pub count: u32,
    /// What it is, in words.
    pub what: String,
    /// Why, and what to do; may be empty.
    pub detail: String,
}

/// What an administrator is told of one day. Simulated tenants are never in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Digest {
    /// The day, by this computer's calendar: `2026-11-22`.
    pub day: String,
    /// When it was made; now, for what it would say.
    pub made_at: String,
    /// What happened after this time is in it.
    pub since: String,
    /// Whether it is stored; otherwise it is what would be said if it were made now.
    pub stored: bool,
    /// Whether there is nothing to tell.
    pub quiet: bool,
    /// All of it in a few sentences.
    pub summary: Vec<String>,
    /// The posture score of all real instances in percent.
    pub score: Option<u32>,
    /// That of the digest before.
    pub score_before: Option<u32>,
    /// New findings.
    pub new: SeverityCounts,
    /// New findings that no entry stands for: there are too many.
    pub unlisted: u32,
    /// Findings that were fixed.
    pub fixed: u32,
    /// Findings that are gone.
    pub gone: u32,
    /// Everything it tells, the worst first within each kind.
    pub entries: Vec<DigestEntry>,
    /// When it was mailed.
    pub mailed_at: Option<String>,
    /// Why it was not mailed, or not to everybody, when that was last tried.
    pub mail_failure: Option<Failure>,
}

/// A digest that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DigestDay {
    /// Its day: `2026-11-22`.
    pub day: String,
    /// When it was made.
    pub made_at: String,
    /// Whether there was nothing to tell.
    pub quiet: bool,
    /// All of it in a few sentences.
    pub summary: Vec<String>,
    /// When it was mailed.
    pub mailed_at: Option<String>,
    /// Why it was not mailed, or not to everybody, when that was last tried.
    pub mail_failure: Option<Failure>,
}

/// When the connection to a mail server becomes one with TLS. Without TLS nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// From the beginning; usual on port 465.
    Implicit,
    /// From the command STARTTLS on, which the server must offer; usual on port 587.
    Starttls,
}

/// Where the digest is mailed from, and to whom. The password is not among it: it is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MailSettings {
    /// The mail server.
    pub host: String,
    /// Its port, 1 to 65,535.
    pub port: u16,
    /// When the connection becomes one with TLS.
    pub tls: MailTls,
    /// Whom to log in as; empty where the server asks for no login.
    pub user: String,
    /// Whom the mail is from: an address.
    pub from: String,
    /// Whom it is for: 1 to 20 addresses.
    pub recipients: Vec<String>,
    /// Certificates of a company's own authorities, PEM; may be empty.
    pub authorities_pem: String,
}

/// How the mail stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MailState {
    /// What was set; `None` while nothing is mailed.
    pub settings: Option<MailSettings>,
    /// When the password was sealed; `None` without one.
    pub password_set_at: Option<String>,
}

/// A mail was handed to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MailSent {
    /// To how many.
    pub recipients: u32,
    /// Recipients that the server refused or put off, each with which and the number of its answer; the others have it.
    pub refused: Vec<String>,
}
