//! The log on standard error, for a terminal.

use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Logs warnings, or more: 1 debug, 2 and above everything. Nothing in this project logs a query, a body or a secret; the HTTP
/// library's own lines are left out, because it would log headers.
pub fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::new(format!("{level},hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,h2=warn,zbus=warn"));
    // A second call in one process (tests) keeps the first subscriber.
    let _first = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).try_init();
}
