//! Running instances day after day: schedules, settings, health over time, the chain of acts.

use super::{Cause, CredentialEnd, Health, RouteChoice};
use serde::{Deserialize, Serialize};
use specta::Type;

/// When an instance is scanned by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleChoice {
    /// As the settings say for all instances.
    #[default]
    Default,
    /// Only when somebody asks.
    Off,
    /// By a crontab pattern of five parts, in this computer's time zone.
    Cron {
        /// `0 6 * * 1-5`.
        pattern: String,
    },
}

/// A schedule in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ScheduleWords {
    /// "At 06:00, Monday through Friday".
    pub words: String,
    /// Its next due times, at most three, not yet spread.
    pub next: Vec<String>,
}

/// What holds for the whole console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Settings {
    /// The schedule of instances that have none of their own; never `Default`.
    pub schedule: ScheduleChoice,
    /// Due times of different instances are spread over so many minutes, 0 to 120.
    pub spread_minutes: u32,
    /// Instances scanned at once by the schedule and by *Scan all*, 1 to 8.
    pub scans_at_once: u32,
    /// Complete scans whose rows are kept per instance, 2 to 1,000; older ones stay in the trend without their rows.
    pub keep_scans: u32,
    /// Minutes without input after which the window locks itself, 1 to 480; `None` for never.
    pub lock_after_minutes: Option<u32>,
    /// Whether the desktop is told when the health of an instance turns.
    pub notify: bool,
    /// How requests of new instances leave this computer, unless something else is chosen for them.
    pub route: RouteChoice,
    /// Whether the window's program goes on scanning in the desktop's tray when the window is closed.
    pub keep_running: bool,
    /// When the daily digest is made, by this computer's time of the day: `07:00`; `None` for never.
    pub digest_at: Option<String>,
}

/// What became of several scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ScannedMany {
    /// Scans that were completed.
    pub complete: u32,
    /// Scans that could not sign in or go on.
    pub failed: u32,
    /// Instances that somebody else was scanning or holding.
    pub busy: u32,
    /// Scans that were cancelled.
    pub cancelled: u32,
}

/// The health of an instance became another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Turn {
    /// The instance.
    pub instance: String,
    /// Its application's name.
    pub app_name: String,
    /// Its name.
    pub name: String,
    /// When.
    pub at: String,
    /// What it was; `None` before the first scan ended.
    pub before: Option<Health>,
    /// What it is.
    pub after: Health,
    /// Why, unless it is Up.
    pub cause: Option<Cause>,
}

/// The credential of an instance nears its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CredentialNearsEnd {
    /// The instance.
    pub instance: String,
    /// Its application's name.
    pub app_name: String,
    /// Its name.
    pub name: String,
    /// When that was found.
    pub at: String,
    /// When the credential ends.
    pub end: CredentialEnd,
}

/// The head of the chain of acts: kept elsewhere, it proves later that nothing up to it was changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ActivityHead {
    /// How many acts it covers.
    pub acts: u32,
    /// SHA-256 over the last of them and the hash before it, in hexadecimal letters.
    pub head: String,
    /// When the last of them was recorded; empty when there is none.
    pub at: String,
}

/// What came of reading the chain of acts again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ActivityProof {
    /// The head as it is now.
    pub now: ActivityHead,
    /// Whether every act links to the one before it, and the head that was given is among them.
    pub holds: bool,
    /// One sentence: what holds, or what does not and from which act on.
    pub sentence: String,
}

/// What was written of the acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ActivityExported {
    /// Where to.
    pub path: String,
    /// How many.
    pub acts: u32,
}

/// What this program is made of, and where a person adds to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct About {
    /// How many applications the catalog holds.
    pub applications: u32,
    /// The person's own folder; `None` when there is none.
    pub catalog_folder: Option<CatalogFolder>,
    /// Where it would be looked for at the next start; empty when the system tells no home folder.
    pub catalog_place: String,
    /// The form of the database that this program writes.
    pub schema: u32,
}

/// A person's own applications and checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CatalogFolder {
    /// Where it is.
    pub path: String,
    /// Names of the applications that it adds.
    pub added: Vec<String>,
    /// Names of the built-in applications that it adds checks to.
    pub extended: Vec<String>,
}
