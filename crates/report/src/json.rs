//! One JSON document: what it is, when and by which filter it was made, and the lines.

use crate::{
    ReportError,
    line::{Line, sealed::Cells},
};
use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::{
    cell::{Cell, RefCell},
    io::Write,
};

/// The version of the document's shape; it grows only when a reader of the former shape would go wrong.
const SCHEMA: u32 = 1;

/// What a document says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// When the lines were read from the store.
    pub exported_at: Timestamp,
    /// The filter by which they were chosen, in the spelling of whoever chose; null when all were.
    pub filter: serde_json::Value,
}

/// Writes `{"schema":1,"exported_at":…,"filter":…,"findings":[…]}` (or `"requests"`), indented, with a line end behind, and
/// says how many lines there were. Lines are taken one by one, so that an export of any size needs little memory.
///
/// # Errors
/// The writer fails.
pub fn json<L: Line>(mut out: impl Write, lines: impl IntoIterator<Item = L>, about: &About) -> Result<u64, ReportError> {
    let lines = Lines { lines: RefCell::new(lines.into_iter()), count: Cell::new(0) };
    let mut serializer = serde_json::Serializer::pretty(&mut out);
    let document = Document { about, lines: &lines };
    document.serialize(&mut serializer).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(lines.count.get())
}

struct Document<'a, I> {
    about: &'a About,
    lines: &'a Lines<I>,
}

impl<L: Line, I: Iterator<Item = L>> Serialize for Document<'_, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(Some(4))?;
        document.serialize_entry("schema", &SCHEMA)?;
        document.serialize_entry("exported_at", &self.about.exported_at)?;
        document.serialize_entry("filter", &self.about.filter)?;
        document.serialize_entry(<L as Cells>::PLURAL, self.lines)?;
        document.end()
    }
}

/// Lines that can be written once.
struct Lines<I> {
    lines: RefCell<I>,
    count: Cell<u64>,
}

impl<L: Line, I: Iterator<Item = L>> Serialize for Lines<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = self.lines.borrow_mut();
        serializer.collect_seq(lines.by_ref().inspect(|_| self.count.set(self.count.get() + 1)))
    }
}
