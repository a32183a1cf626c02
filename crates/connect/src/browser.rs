//! The system browser, as a seam: this crate says which page, the program opens it, a test follows it by itself.

/// Opens pages in the system browser.
pub trait Browser: Send + Sync {
    /// Opens this address.
    ///
    /// # Errors
    /// When no browser could be started.
    fn open(&self, address: &url::Url) -> Result<(), NoBrowser>;
}

/// No browser could be started on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no browser could be started")]
pub struct NoBrowser;

/// A computer without a browser, for whoever signs in with nobody looking on.
impl Browser for NoBrowser {
    fn open(&self, _address: &url::Url) -> Result<(), NoBrowser> {
        Err(NoBrowser)
    }
}
