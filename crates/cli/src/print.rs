//! Text and JSON for a terminal. Vendor text is printed without control characters, so that it cannot steer the terminal.

use console::screen::{Failure, Progress, Severity, StepState};
use serde::Serialize;
use std::io::Write;

/// Prints a value as JSON on standard output.
pub fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => eprintln!("posture: the answer could not be written as JSON: {error}"),
    }
}

/// One line on standard output. A closed pipe (`posture findings | head`) ends the program quietly.
pub fn line(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// A table: the columns are as wide as their widest cell.
pub fn table(header: &[&str], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).chain([header[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let print = |cells: &[String]| {
        let text: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        line(text.join("  ").trim_end());
    };
    print(&header.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>());
    for row in &rows {
        print(row);
    }
}

/// Text without control characters.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What went wrong and what to do, on standard error.
pub fn failure(failure: &Failure, json: bool) {
    if json {
        match serde_json::to_string(&serde_json::json!({ "error": failure })) {
            Ok(text) => eprintln!("{text}"),
            Err(error) => eprintln!("{}: {error}", failure.code),
        }
    } else {
        eprintln!("posture: {} [{}]", plain(&failure.sentence), failure.code);
        if !failure.remedy.is_empty() {
            eprintln!("  {}", plain(&failure.remedy));
        }
    }
}

/// How a command is used rightly, on standard error.
pub fn usage(sentence: &str) {
    eprintln!("posture: {sentence}\n  See posture --help.");
}

/// Progress on standard error.
pub fn progress(event: &Progress) {
    match event {
        Progress::Step { step, state, detail, milliseconds } => {
            let name = serde_json::to_value(step).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
            match state {
                StepState::Running => eprintln!("  {name} …"),
                StepState::Done => eprintln!("  {name} done in {milliseconds} ms  {}", plain(detail)),
                StepState::Warned => eprintln!("  {name} done in {milliseconds} ms, with something missing  {}", plain(detail)),
                StepState::Failed => eprintln!("  {name} failed after {milliseconds} ms  {}", plain(detail)),
            }
        }
        Progress::Dataset { title, state, rows, cause, .. } if state != "reading" && state != "waiting" => match cause {
            Some(cause) => eprintln!("    {title}: {state}, {rows} rows. {}", plain(&cause.sentence)),
            None => eprintln!("    {title}: {state}, {rows} rows"),
        },
        Progress::SignIn { title, host, until, .. } => match until {
            Some(until) => eprintln!("    {title}, until {until}"),
            None => eprintln!("    {title}  {}", plain(host)),
        },
        Progress::Visit { address, code, .. } => match code {
            Some(code) => eprintln!("  Open {} and type the code {}.", plain(address), plain(code)),
            None => eprintln!("  Sign in in the browser. If none opened, open this address:\n  {}", plain(address)),
        },
        Progress::Dataset { .. }
        | Progress::Permissions { .. }
        | Progress::Share { .. }
        | Progress::Finished { .. }
        | Progress::Failed { .. } => {}
    }
}

/// `critical`, `high`, …
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}
