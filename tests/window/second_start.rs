//! What a second start meets: a console that is open, and one that is on its way out.

use std::sync::{Arc, Mutex, PoisonError};

use zbus::{Connection, connection::Builder, interface};

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    promise::Promise,
};

/// The name that a console takes on the desktop's bus, and where it is asked there to come forward.
const NAME: &str = "com.postureconsole.desktop.SingleInstance";
const PATH: &str = "/com/postureconsole/desktop/SingleInstance";

/// A console that is being closed: it holds the name, and goes when it is asked.
struct Closing {
    connection: Arc<Mutex<Option<Connection>>>,
}

#[interface(name = "org.SingleInstance.DBus")]
impl Closing {
    async fn execute_callback(&self, _arguments: Vec<String>, _folder: String) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(connection) = connection {
            connection.close().await.expect("a connection can be closed");
        }
    }
}

#[tokio::test]
async fn a_console_that_is_being_closed_does_not_keep_the_next_from_opening() {
    let mut promise = Promise::begin("window");
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    let asked = Arc::new(Mutex::new(None));
    let closing = Closing { connection: Arc::clone(&asked) };
    let served = async { Builder::address(desktop.bus_address().as_str())?.name(NAME)?.serve_at(PATH, closing)?.build().await };
    *asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(served.await.expect("the bus lets it have the name"));

    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.at("first-start-continue").await;
    assert!(asked.lock().unwrap_or_else(PoisonError::into_inner).is_none(), "the one that was being closed was met");
    window.close().await;
    promise.holds();
}
