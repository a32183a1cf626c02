//! Opens the system browser. The window and the terminal both have it; a test passes another one in.

use connect::{Browser, NoBrowser};

/// The browser that the operating system opens `https` addresses with.
pub(crate) struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, address: &url::Url) -> Result<(), NoBrowser> {
        // Only what a browser shows: an address of another scheme would start another program.
        if address.scheme() != "https" {
            return Err(NoBrowser);
        }
        opener::open_browser(address.as_str()).map_err(|_| NoBrowser)
    }
}
