//! What only a person can tell of an instance: manual checks, what was attested of them, and checks of the administrator's own.

use super::{ConsoleLink, Severity};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Where a manual check stands. None of it is a verdict: it was not scanned, and it counts for nothing in the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AttestationState {
    /// Nobody ever attested it as it is asked now: in these words, with this recommended value.
    Due,
    /// An attestation is in force.
    Attested,
    /// An attestation is in force and ends within the days of its reminder.
    DueSoon,
    /// The last attestation has ended: it is due again.
    Expired,
    /// Every attestation was withdrawn: it is due again.
    Withdrawn,
}

/// What a person saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AttestationAnswer {
    /// It is as recommended.
    Met,
    /// It is not: this opens a finding.
    NotMet,
    /// The question does not apply to this instance.
    NotApplicable,
}

/// How one attestation stands beside the others of its check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AttestationStanding {
    /// It is the last one that was not withdrawn, and it has not ended.
    InForce,
    /// It is the last one that was not withdrawn, and it has ended.
    Expired,
    /// It is the last one that was not withdrawn, and the check has been worded otherwise since: it no longer answers it.
    AskedOtherwise,
    /// A later one took its place.
    Superseded,
    /// It was withdrawn.
    Withdrawn,
}

/// How many manual checks stand where; each counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AttestationCounts {
    /// Never attested as they are asked now.
    pub due: u32,
    /// In force, and no reminder yet.
    pub attested: u32,
    /// In force, ending soon.
    pub due_soon: u32,
    /// Ended: due again.
    pub expired: u32,
    /// Withdrawn: due again.
    pub withdrawn: u32,
}

/// A question that a person answers for an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ManualCheck {
    /// The instance.
    pub instance: String,
    /// Its name.
    pub instance_name: String,
    /// The application.
    pub app: String,
    /// Its name.
    pub app_name: String,
    /// Simulated on this computer.
    pub sandbox: bool,
    /// The check: `kustomer.users.mfa`, `own.…`.
    pub check: String,
    /// The practice, as a statement that is true when it is met.
    pub title: String,
    /// How bad it is when it is not met.
    pub severity: Severity,
    /// `config`, …
    pub feature: String,
    /// Whether the administrator wrote it; such a check can be changed and removed.
    pub own: bool,
    /// What it should be.
    pub recommended: String,
    /// Why it matters.
    pub why: String,
    /// How to look.
    pub steps: Vec<String>,
    /// The vendor's console page.
    pub link: Option<ConsoleLink>,
    /// The document the practice comes from; empty for the administrator's own.
    pub source: String,
    /// Where it stands now.
    pub state: AttestationState,
    /// The last attestation that was not withdrawn, ended or not.
    pub current: Option<Attestation>,
    /// All attestations, newest first.
    pub history: Vec<Attestation>,
    /// The open finding that it led to.
    pub finding: Option<String>,
    /// The day until which a new attestation holds unless another one is chosen: `2027-11-21`.
    pub valid_until_default: String,
    /// The latest day that can be chosen: three years from now.
    pub valid_until_latest: String,
    /// Days before the end at which it is due soon, unless others are chosen.
    pub remind_days_default: u32,
}

/// What somebody attested. It is never changed; a later one takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Attestation {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub standing: AttestationStanding,
    /// What was seen.
    pub answer: AttestationAnswer,
    /// The check's title at that time.
    pub asked: String,
    /// What it should have been at that time.
    pub recommended: String,
    /// Who attested it.
    pub who: String,
    /// The operating system's user who wrote it down.
    pub recorded_by: String,
    /// When.
    pub at: String,
    /// What was seen, in words.
    pub note: String,
    /// The last day on which it holds: `2027-11-21`.
    pub valid_until: String,
    /// The day from which it is due soon.
    pub remind_from: String,
    /// Days between the two.
    pub remind_days: u32,
    /// What was attached.
    pub file: Option<AttachedFile>,
    /// Set when it was withdrawn.
    pub withdrawal: Option<Withdrawal>,
}

/// A file that belongs to an attestation. It is never opened here, only given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AttachedFile {
    /// Its name, without folders and without characters that mean something to a file system.
    pub name: String,
    /// `application/pdf`, as whoever attached it said.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u32,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// How an attestation was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Withdrawal {
    /// The operating system's user.
    pub who: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// Manual checks, and how many stand where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AttestationList {
    /// Of all manual checks that were looked at.
    pub counts: AttestationCounts,
    /// What is due first, then by severity and title.
    pub rows: Vec<ManualCheck>,
}

/// What is to be attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewAttestation {
    /// The instance.
    pub instance: String,
    /// The check.
    pub check: String,
    /// What was seen.
    pub answer: AttestationAnswer,
    /// Who attests it; empty for the operating system's user. At most 80 characters.
    pub who: String,
    /// What was seen, in words; 1 to 4,000 characters.
    pub note: String,
    /// The last day on which it holds, today to three years from now; `None` for the check's own default.
    pub valid_until: Option<String>,
    /// Days before the end at which it is due soon, 0 to 365; `None` for 30.
    pub remind_days: Option<u32>,
}

/// A file to attach, as the window passes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FileToAttach {
    /// Its name.
    pub name: String,
    /// Its media type; may be empty.
    pub media_type: String,
    /// Its content in base64, 1 byte to 10 MiB.
    pub content: String,
}

/// A check that the administrator wrote for one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OwnCheck {
    /// `own.…`; stays the same when it is changed.
    pub id: String,
    /// The practice, as a statement that is true when it is met; 1 to 200 characters.
    pub title: String,
    /// How bad it is when it is not met.
    pub severity: Severity,
    /// Why it matters; may be empty, at most 4,000 characters.
    pub why: String,
    /// How to look, at most 20 steps of 500 characters.
    pub steps: Vec<String>,
    /// What it should be; may be empty, at most 500 characters.
    pub recommended: String,
    /// When it was last changed.
    pub changed_at: String,
}

/// What an own check is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OwnCheckDraft {
    /// The check to change; `None` adds one.
    pub id: Option<String>,
    /// See [`OwnCheck::title`].
    pub title: String,
    /// See [`OwnCheck::severity`].
    pub severity: Severity,
    /// See [`OwnCheck::why`].
    pub why: String,
    /// See [`OwnCheck::steps`].
    pub steps: Vec<String>,
    /// See [`OwnCheck::recommended`].
    pub recommended: String,
}

/// An instance that nobody signs in to: its checks are attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ManualInstance {
    /// The application; one without login options, such as `other-application`.
    pub app: String,
    /// The instance's name, unique among the application's instances.
    pub name: String,
    /// `Default`, `Production`, …
    pub label: String,
    /// Who answers for it; may be empty.
    pub owner: String,
    /// The product it stands for: "Perplexity". 1 to 80 characters.
    pub product: String,
    /// The product's console, `https`; may be empty.
    pub console_url: String,
}
