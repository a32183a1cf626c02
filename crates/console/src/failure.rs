//! Every error of the crates below, as what a person is told: a stable code, a sentence, a remedy.

use crate::screen::{Cause, Failure};
use connect::ConnectError;
use store::StoreError;
use vault::VaultError;

impl Failure {
    /// A failure of no field: a code that never changes its meaning, one sentence, and what to do.
    pub fn new(code: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.to_owned(), sentence: sentence.into(), remedy: remedy.into(), field: None }
    }

    pub(crate) fn on_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl std::error::Error for Failure {}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<sandbox::SandboxError> for Failure {
    fn from(error: sandbox::SandboxError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<Vec<catalog::LoadError>> for Failure {
    fn from(errors: Vec<catalog::LoadError>) -> Self {
        let more = errors.len().saturating_sub(1);
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        let sentence = match more {
            0 => format!("A manifest is not right. {first}"),
            1 => format!("A manifest is not right. {first} (and one more)"),
            _ => format!("A manifest is not right. {first} (and {more} more)"),
        };
        Self::new("E-MANIFEST", sentence, "Mend the line that is named; nothing of this application is used until then.")
    }
}

impl From<catalog::Cause> for Cause {
    fn from(cause: catalog::Cause) -> Self {
        Self { kind: crate::catalog_document::word(&cause.kind), sentence: cause.sentence, remedy: cause.remedy }
    }
}
