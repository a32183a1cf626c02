//! What the administrator decides of findings, checks and accounts; none of it needs the network.

use super::{Answer, Engine};
use console::screen::{Decision, DecisionList, DecisionQuery, Dismissed, NewDismissal, NewIgnore, NewLock, NewOverride, NewUnmonitor};

/// Dismisses findings until a day.
#[tauri::command]
#[specta::specta]
pub async fn dismiss(engine: Engine<'_>, dismissal: NewDismissal) -> Answer<Dismissed> {
    engine.dismiss(dismissal).await
}

/// Judges a check by another value than the recommended one.
#[tauri::command]
#[specta::specta]
pub async fn override_check(engine: Engine<'_>, wanted: NewOverride) -> Answer<Decision> {
    engine.override_check(wanted).await
}

/// Locks what a check read to what it is.
#[tauri::command]
#[specta::specta]
pub async fn lock_check(engine: Engine<'_>, wanted: NewLock) -> Answer<Decision> {
    engine.lock_check(wanted).await
}

/// Stops monitoring a check until a day.
#[tauri::command]
#[specta::specta]
pub async fn unmonitor(engine: Engine<'_>, wanted: NewUnmonitor) -> Answer<Decision> {
    engine.unmonitor(wanted).await
}

/// Leaves an account out of the counters for a week or a month.
#[tauri::command]
#[specta::specta]
pub async fn ignore_account(engine: Engine<'_>, wanted: NewIgnore) -> Answer<Decision> {
    engine.ignore_account(wanted).await
}

/// Takes a decision back.
#[tauri::command]
#[specta::specta]
pub async fn undo_decision(engine: Engine<'_>, id: String) -> Answer<Decision> {
    engine.undo_decision(&id).await
}

/// Decisions, newest first.
#[tauri::command]
#[specta::specta]
pub async fn decisions(engine: Engine<'_>, query: DecisionQuery) -> Answer<DecisionList> {
    engine.decisions(query).await
}
