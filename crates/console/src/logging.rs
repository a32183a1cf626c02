//! The log on standard error, for a terminal.

use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// The crates of this project, as their modules are called in the log.
const OURS: [&str; 10] = [
    "posture",
    "posture_window",
    "posture_core",
    "posture_catalog",
    "posture_connect",
    "posture_report",
    "posture_sandbox",
    "assess",
    "store",
    "vault",
];

/// What is logged: warnings, or more of our own crates: 1 debug, 2 and above everything. Nothing in this project logs a query, a
/// body or a secret. Nobody answers for that in the libraries: one logs headers, another each character of a page that it parses.
/// Theirs is therefore left out but for warnings, whatever libraries there are.
pub fn log_filter(verbose: u8) -> EnvFilter {
    let level = match verbose {
        0 => "warn",
        1 => "debug",
        _ => "trace",
    };
    EnvFilter::new(OURS.iter().fold("warn".to_owned(), |filter, name| format!("{filter},{name}={level}")))
}

/// Logs what [`log_filter`] lets through.
pub fn log_to_stderr(verbose: u8) {
    // A second call in one process (tests) keeps the first subscriber.
    let _first =
        fmt().with_env_filter(log_filter(verbose)).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).try_init();
}
