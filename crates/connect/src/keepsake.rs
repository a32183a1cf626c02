//! What a sign-in leaves for the next one, sealed beside the credentials: a refresh token, or the name by which an identity
//! provider knows this computer. Some replace themselves while a scan runs, and the one before is worth nothing then.

use crate::Credentials;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// The keepsakes of one session. Clones are the same keepsakes.
#[derive(Clone)]
pub(crate) struct Keepsakes(Arc<Shelf>);

struct Shelf {
    held: Mutex<Credentials>,
    /// How often something was replaced.
    replaced: watch::Sender<u64>,
    /// Which of these states was last handed out.
    handed_out: AtomicU64,
}

impl Default for Keepsakes {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
}

impl Keepsakes {
    pub(crate) fn of(held: Credentials) -> Self {
        Self(Arc::new(Shelf { held: Mutex::new(held), replaced: watch::Sender::new(0), handed_out: AtomicU64::new(0) }))
    }

    /// Puts a keepsake, in the place of the one of that name.
    pub(crate) fn put(&self, name: &str, value: SecretString) {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
        self.0.replaced.send_modify(|count| *count += 1);
    }

    pub(crate) fn get(&self, name: &str) -> Option<SecretString> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them as they are now.
    pub(crate) fn all(&self) -> Credentials {
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.handed_out.store(*self.0.replaced.borrow(), Ordering::Release);
        held.clone()
    }

    /// Ends when one was replaced after they were last handed out.
    pub(crate) async fn replaced(&self) {
        let mut count = self.0.replaced.subscribe();
        // The sender lives as long as `self`.
        let _ = count.wait_for(|count| *count != self.0.handed_out.load(Ordering::Acquire)).await;
    }
}
