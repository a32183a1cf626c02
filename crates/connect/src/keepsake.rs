//! What a sign-in leaves for the next one, sealed beside the credentials: a refresh token, or the name by which an identity
//! provider knows this computer. Some replace themselves while a scan runs, and the one before is worth nothing then.

use crate::Credentials;
use secrecy::{ExposeSecret, SecretString};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::watch;

/// What signing in leaves to be sealed, as it is now, whatever becomes of the sign-in: a refresh token that is good for one use
/// was used, and the next one is lost where only a session hands it out.
#[derive(Default)]
pub struct Left(pub(crate) Keepsakes);

impl Left {
    /// By the names of [`crate::Session::keepsakes`]. Empty before anything came.
    pub fn all(&self) -> Credentials {
        self.0.all()
    }
}

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
        let shelf = Shelf { held: Mutex::default(), replaced: watch::Sender::new(0), handed_out: AtomicU64::new(0) };
        Self(Arc::new(shelf))
    }
}

impl Keepsakes {
    /// Puts a keepsake, in the place of the one of that name.
    pub(crate) fn put(&self, name: &str, value: SecretString) {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
        self.0.replaced.send_modify(|count| *count += 1);
    }

    /// Puts a keepsake where it is not there already.
    pub(crate) fn renew(&self, name: &str, value: &SecretString) {
        if self.get(name).is_none_or(|held| held.expose_secret() != value.expose_secret()) {
            self.put(name, value.clone());
        }
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
