//! What comes out of an evaluation, and the thresholds that go in.

use catalog::{ParamValue, RowKey, Verdict};
use std::collections::BTreeMap;

/// Thresholds that an administrator has set, by check id and parameter name. A check's own default stands for what is
/// not here; a parameter with neither makes its check not evaluated.
pub type Params = BTreeMap<String, BTreeMap<String, ParamValue>>;

/// What one check came to for one row, with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The check.
    pub check: String,
    /// The row; empty for the one row of an object and for what could not be judged row by row.
    pub row: RowKey,
    /// What names the row to a person; may be empty.
    pub label: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The current value, as text; empty when the row was not evaluated.
    pub current: String,
    /// What it should be, with the parameters filled in.
    pub recommended: String,
    /// The values that the expressions read: concrete path (`certs[0].not_after`) and value. At most 200; the rows
    /// themselves are named in [`Judged::inputs`].
    pub evidence: Vec<(String, serde_json::Value)>,
    /// The rows of datasets it rests on: dataset and key. Of a count, the rows that were counted, at most 1,000.
    pub inputs: Vec<(String, RowKey)>,
}
