//! The notifications of a desktop of the test's own: what programs show there.

use std::sync::{Arc, Mutex, PoisonError};

use zbus::{Connection, connection::Builder, interface, zvariant::Value};

use crate::desktop::Desktop;

/// What was shown: title and text.
type Shown = Arc<Mutex<Vec<(String, String)>>>;

/// The daemon that programs ask, as the Desktop Notifications Specification describes it.
pub struct Notifications {
    shown: Shown,
    _connection: Connection,
}

impl Notifications {
    /// Takes the daemon's name on the desktop's bus.
    pub async fn start(desktop: &Desktop) -> Notifications {
        let shown = Shown::default();
        let daemon = Daemon { shown: Arc::clone(&shown) };
        let served = async {
            Builder::address(desktop.bus_address().as_str())?
                .name("org.freedesktop.Notifications")?
                .serve_at("/org/freedesktop/Notifications", daemon)?
                .build()
                .await
        };
        Notifications { shown, _connection: served.await.expect("the bus lets a daemon for notifications be") }
    }

    /// What was shown up to now.
    pub fn shown(&self) -> Vec<(String, String)> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Daemon {
    shown: Shown,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    #[allow(clippy::too_many_arguments)]
    fn notify(
        &self,
        _program: &str,
        _replaces: u32,
        _icon: &str,
        title: &str,
        text: &str,
        _actions: Vec<String>,
        _hints: std::collections::HashMap<String, Value<'_>>,
        _milliseconds: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.push((title.to_owned(), text.to_owned()));
        u32::try_from(shown.len()).unwrap_or(u32::MAX)
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("Test".into(), "Posture Console".into(), "1".into(), "1.2".into())
    }
}
