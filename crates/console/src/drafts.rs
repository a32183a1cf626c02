//! Open dialogs: what was typed into secret fields, held here so that the window need not keep it, and wiped on close.

use crate::screen::Failure;
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

/// Secrets of one login option, by field.
pub(crate) type Secrets = BTreeMap<String, SecretString>;

/// One open dialog.
pub(crate) struct Draft {
    pub(crate) app: String,
    pub(crate) login: String,
    pub(crate) secrets: Secrets,
}

/// All open dialogs.
#[derive(Default)]
pub(crate) struct Drafts {
    open: Mutex<HashMap<String, Draft>>,
}

impl Drafts {
    pub(crate) fn open(&self, app: &str, login: &str) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        let draft = Draft { app: app.to_owned(), login: login.to_owned(), secrets: Secrets::new() };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), draft);
        id
    }

    pub(crate) fn close(&self, id: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Reads or changes an open draft.
    pub(crate) fn with<T>(&self, id: &str, use_it: impl FnOnce(&mut Draft) -> T) -> Result<T, Failure> {
        match self.open.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
            Some(draft) => Ok(use_it(draft)),
            None => Err(Failure {
                code: "E-DIALOG-CLOSED".into(),
                sentence: "This dialog was closed; what was typed is gone.".into(),
                remedy: "Open it again.".into(),
                field: None,
            }),
        }
    }

    /// The secrets, copied for one sign-in.
    pub(crate) fn secrets(&self, id: &str) -> Result<(String, String, Secrets), Failure> {
        self.with(id, |draft| {
            let secrets =
                draft.secrets.iter().map(|(field, value)| (field.clone(), SecretString::from(value.expose_secret().to_owned()))).collect();
            (draft.app.clone(), draft.login.clone(), secrets)
        })
    }
}
