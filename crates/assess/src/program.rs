//! The compiled checks and views of one application.

use crate::{Judged, Params};
use catalog::{App, Cause, Collected, FieldPath, LoadError};
use std::collections::BTreeMap;

/// The compiled checks and views of one application.
#[derive(Debug)]
pub struct Program {
    app: App,
    reads: BTreeMap<String, Vec<FieldPath>>,
}

/// Why a view has no rows to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The application has no view of that id.
    #[error("there is no view {0}; name one that datasets.toml declares")]
    Unknown(String),
    /// Something it rests on was not read, or a field it compares is not there in every row.
    #[error("{} {}", .0.sentence, .0.remedy)]
    NotEvaluated(Cause),
}

/// Compiles all checks and views of an application, and holds each against what `keep` declares.
///
/// # Errors
/// Everything that is wrong, with file and line: a view that names what is not there, an expression that does not parse,
/// reads what is not kept, is ill-typed, or speaks of absence (which `keep` declares once, with its source).
pub fn compile(app: &App) -> Result<Program, Vec<LoadError>> {
    Ok(Program { app: app.clone(), reads: BTreeMap::new() })
}

impl Program {
    /// Every field that the expressions of a check read (`when`, `pass` and `current`), relative to the row, sorted;
    /// derived from the syntax trees. Empty for a manual check and for a check that is not there.
    pub fn reads(&self, check_id: &str) -> &[FieldPath] {
        self.reads.get(check_id).map_or(&[], Vec::as_slice)
    }

    /// Judges every check over everything collected, as of a time. In the order of the checks, then of the row keys.
    pub fn evaluate(&self, collected: &BTreeMap<String, Collected>, params: &Params, as_of: jiff::Timestamp) -> Vec<Judged> {
        self.app.checks.iter().flat_map(|check| self.evaluate_check(&check.id, collected, params, as_of)).collect()
    }

    /// Judges one check; nothing for a check that is not there.
    pub fn evaluate_check(&self, check_id: &str, collected: &BTreeMap<String, Collected>, params: &Params, as_of: jiff::Timestamp) -> Vec<Judged> {
        let _ = (check_id, collected, params, as_of);
        Vec::new()
    }

    /// The rows of a view, for a screen to show.
    ///
    /// # Errors
    /// [`ViewError::Unknown`] or, when an input is not complete or a field is missing, [`ViewError::NotEvaluated`].
    pub fn view(&self, id: &str, collected: &BTreeMap<String, Collected>) -> Result<Collected, ViewError> {
        let _ = collected;
        Err(ViewError::Unknown(id.to_owned()))
    }
}
