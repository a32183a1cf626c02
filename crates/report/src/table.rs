//! CSV (RFC 4180) that a spreadsheet opens without running anything.

use crate::{
    ReportError,
    line::{Line, sealed::Cells},
};
use std::{borrow::Cow, io::Write};

/// Whether a table begins with U+FEFF, by which Excel tells UTF-8 from the computer's old code page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrderMark {
    /// For spreadsheets.
    With,
    /// For other programs.
    Without,
}

/// Writes a header and one record per line, and says how many lines there were. Times are ISO 8601 in UTC; a cell that a
/// spreadsheet would take for a formula begins with an apostrophe.
///
/// # Errors
/// The writer fails.
pub fn csv<L: Line>(mut out: impl Write, lines: impl IntoIterator<Item = L>, mark: ByteOrderMark) -> Result<u64, ReportError> {
    if mark == ByteOrderMark::With {
        out.write_all("\u{feff}".as_bytes())?;
    }
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(<L as Cells>::COLUMNS).map_err(written)?;
    let mut count = 0;
    for line in lines {
        let cells = line.cells();
        table.write_record(cells.iter().map(|cell| harmless(cell).into_owned())).map_err(written)?;
        count += 1;
    }
    table.flush()?;
    Ok(count)
}

/// A cell as it may stand in a table: what begins like a formula gets an apostrophe, which spreadsheets read as "text".
/// The signs are those of <https://owasp.org/www-community/attacks/CSV_Injection>, full-width forms included.
fn harmless(cell: &str) -> Cow<'_, str> {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if formula { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

fn written(cause: csv::Error) -> ReportError {
    // Records of text with as many cells as there are columns can fail in no other way than by their writer.
    let sentence = cause.to_string();
    if let csv::ErrorKind::Io(cause) = cause.into_kind() { cause.into() } else { std::io::Error::other(sentence).into() }
}
