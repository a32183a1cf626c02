//! Findings, accounts, plugins, requests and acts as files that other programs read: CSV and JSON, written to any [`std::io::Write`];
//! findings also as OCSF events, as OSCAL assessment results and as a page; a framework's controls as table and page; and the daily digest
//! as a page and as text.
//!
//! This crate owns the columns, their names and their order, the spelling of times and lists, and the protection of
//! spreadsheets from cells that would be read as formulas. It is given lines; it must not know where they are stored, how
//! they were collected or judged, or where the file goes. What it is given holds no secrets, because nothing that is
//! stored does; it adds nothing of its own but the time of the export, which is passed in.

mod activity;
mod change;
mod control;
mod digest;
mod error;
mod finding;
mod findings_page;
mod inventory;
mod json;
mod line;
mod ocsf;
mod oscal;
mod page;
mod request;
mod table;

pub use activity::ActLine;
pub use change::ChangeLine;
pub use control::{ControlLine, FrameworkReport, framework_html};
pub use digest::{DigestLine, DigestOwner, DigestReport, DigestSection, digest_html, digest_text};
pub use error::ReportError;
pub use finding::{FindingLine, FindingState, finding_uid};
pub use findings_page::{FindingsReport, PageScore, Unread, findings_html};
pub use inventory::{AccountLine, PluginLine};
pub use json::{About, json};
pub use line::Line;
pub use ocsf::{OcsfForm, OcsfVersion, ocsf};
pub use oscal::{Assessment, Reviewed, oscal};
pub use request::RequestLine;
pub use table::{ByteOrderMark, csv};
