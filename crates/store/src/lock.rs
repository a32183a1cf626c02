//! Locks: what is held fast of a check, and the verdict on whether it still is so.
//!
//! A lock never changes the verdict of its check. It is judged as a check of its own, `lock:<check>`, whenever the check is, from
//! what the check read: Pass where the same was read, Fail where something else was or the row is there no more, and not evaluated
//! where it was not read whole.

use crate::{CheckWrite, JudgedWrite, StoreError, table::finding::worst_by_row};
use catalog::{Cause, CauseKind, CheckKind, Completeness, Feature, RowKey, Severity, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the id of a lock's own check begins with.
const PREFIX: &str = "lock:";
/// How many keys or values are named of those that changed.
const NAMED: usize = 10;
/// So many values the evidence of a row carries at most; there may have been more, so that nobody can tell that all are the same.
const CUT: usize = 200;

/// The id of the check that a lock of `check` is judged as.
pub fn lock_of(check: &str) -> String {
    format!("{PREFIX}{check}")
}

/// The check that a lock's own check speaks of; `None` of any other check.
pub fn locked_check(check: &str) -> Option<&str> {
    check.strip_prefix(PREFIX)
}

/// What a lock holds fast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// What its finding is called.
    pub title: String,
    /// How bad a change is: as bad as a failure of its check.
    pub severity: Severity,
    /// The kind of scan that its check belongs to.
    pub feature: Feature,
    /// What is held fast.
    pub held: Held,
}

/// What of a check is held fast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The values that the verdict on one row was read from.
    Values {
        /// They, as text.
        current: String,
        /// Concrete path and value.
        read: Vec<(String, Value)>,
    },
    /// Which rows there are.
    Keys {
        /// Their keys.
        keys: BTreeSet<RowKey>,
    },
}

/// Why something cannot be locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockRefusal {
    /// It was not read, or not whole.
    NotRead(Option<Cause>),
    /// So many values were read that not all of them are kept.
    TooMany,
    /// It is one object: it has values, and no set of rows.
    NotAList,
    /// The check has no such row.
    NoRow,
    /// No scan judges the check by what is so: it is attested by a person, or tells of events.
    NotASetting,
}

impl Lock {
    /// What there is to hold fast of a check as it was judged: of one of its rows, or, without one, which rows there are.
    ///
    /// # Errors
    /// When there is nothing that could be compared later.
    pub fn of(check: &CheckWrite, row: Option<&RowKey>, title: String) -> Result<Self, LockRefusal> {
        if check.kind != CheckKind::Check {
            return Err(LockRefusal::NotASetting);
        }
        if let Some(cause) = check.completeness.cause() {
            return Err(LockRefusal::NotRead(Some(cause.clone())));
        }
        let held = match row {
            None if check.seen.iter().all(|key| *key == RowKey::default()) && !check.seen.is_empty() => {
                return Err(LockRefusal::NotAList);
            }
            None => Held::Keys { keys: check.seen.clone() },
            Some(row) => {
                let judged = worst_by_row(&check.judged).remove(row).ok_or(LockRefusal::NoRow)?;
                match &judged.verdict {
                    Verdict::NotEvaluated { cause } => return Err(LockRefusal::NotRead(Some(cause.clone()))),
                    Verdict::Pass | Verdict::Fail | Verdict::NotApplicable { .. } | Verdict::Manual | Verdict::Observed => {}
                }
                match judged.evidence.len() {
                    0 => return Err(LockRefusal::NotRead(None)),
                    CUT.. => return Err(LockRefusal::TooMany),
                    _ => Held::Values { current: judged.current.clone(), read: judged.evidence.clone() },
                }
            }
        };
        Ok(Self { title, severity: check.severity, feature: check.feature, held })
    }

    /// What is held fast, in words.
    pub fn words(&self) -> String {
        match &self.held {
            Held::Values { current, .. } => current.clone(),
            Held::Keys { keys } => match keys.len() {
                1 => "1 row".to_owned(),
                rows => format!("{rows} rows"),
            },
        }
    }

    /// The verdict on whether it still is so.
    fn judge(&self, row: &RowKey, label: &str, check: Option<&CheckWrite>) -> JudgedWrite {
        let mut judged = JudgedWrite {
            row: row.clone(),
            label: label.to_owned(),
            verdict: Verdict::Pass,
            current: String::new(),
            recommended: self.words(),
            evidence: Vec::new(),
            inputs: Vec::new(),
        };
        let Some(check) = check else {
            return JudgedWrite { verdict: unread("The catalog no longer has the check that is locked.", "Unlock it."), ..judged };
        };
        if let Some(cause) = check.completeness.cause() {
            return JudgedWrite { verdict: Verdict::NotEvaluated { cause: cause.clone() }, ..judged };
        }
        match &self.held {
            Held::Keys { keys } => {
                let added: Vec<&RowKey> = check.seen.difference(keys).collect();
                let removed: Vec<&RowKey> = keys.difference(&check.seen).collect();
                judged.evidence = vec![("keys.added".into(), listed(&added)), ("keys.removed".into(), listed(&removed))];
                if added.is_empty() && removed.is_empty() {
                    return JudgedWrite { current: self.words(), ..judged };
                }
                let names: BTreeMap<&RowKey, &str> =
                    check.judged.iter().filter(|one| !one.label.is_empty()).map(|one| (&one.row, one.label.as_str())).collect();
                let part = |what: &str, keys: &[&RowKey]| {
                    let named = keys.iter().take(NAMED).map(|key| names.get(key).copied().unwrap_or(&key.0).to_owned());
                    let mut named = named.collect::<Vec<_>>().join(", ");
                    if keys.len() > NAMED {
                        named.push_str(&format!(" and {} more", keys.len() - NAMED));
                    }
                    (!keys.is_empty()).then(|| format!("{what}: {named}"))
                };
                let current = [part("added", &added), part("removed", &removed)].into_iter().flatten().collect::<Vec<_>>().join("; ");
                JudgedWrite { verdict: Verdict::Fail, current, ..judged }
            }
            Held::Values { current, read } => {
                let worst = worst_by_row(&check.judged);
                let whole = worst.get(&RowKey::default()).filter(|_| *row != RowKey::default());
                if let Some(Verdict::NotEvaluated { cause }) = whole.map(|whole| &whole.verdict) {
                    return JudgedWrite { verdict: Verdict::NotEvaluated { cause: cause.clone() }, ..judged };
                }
                let Some(found) = worst.get(row) else {
                    if check.seen.contains(row) {
                        return JudgedWrite { verdict: unread("The row was read and the check gave no verdict on it.", ""), ..judged };
                    }
                    return JudgedWrite { verdict: Verdict::Fail, current: "It is no longer there.".into(), ..judged };
                };
                judged.label.clone_from(&found.label);
                judged.evidence.clone_from(&found.evidence);
                judged.inputs.clone_from(&found.inputs);
                if let Verdict::NotEvaluated { cause } = &found.verdict {
                    return JudgedWrite { verdict: Verdict::NotEvaluated { cause: cause.clone() }, ..judged };
                }
                // The object itself, or its check, may be gone; then there is a verdict without a single value.
                if found.evidence.is_empty() {
                    return JudgedWrite { verdict: unread("None of the locked values was read.", "Scan again, or unlock it."), ..judged };
                }
                if same(read, &found.evidence) {
                    if found.evidence.len() >= CUT {
                        return JudgedWrite { verdict: unread("More values were read than are kept to compare.", "Unlock it."), ..judged };
                    }
                    return JudgedWrite { current: found.current.clone(), ..judged };
                }
                let current =
                    if *current == found.current { changes(read, &found.evidence) } else { format!("was {current}, is {}", found.current) };
                JudgedWrite { verdict: Verdict::Fail, current, ..judged }
            }
        }
    }
}

/// A lock that is in force, and what it is on.
pub(crate) struct LockedRow {
    pub(crate) check: String,
    pub(crate) row: RowKey,
    /// What named the row when it was locked: a row that is gone has no name of its own any more.
    pub(crate) label: String,
    pub(crate) lock: Lock,
}

/// The checks that the locks of an instance are judged as.
pub(crate) fn judge(locks: &[LockedRow], checks: &[CheckWrite]) -> Vec<CheckWrite> {
    let mut own: BTreeMap<&str, CheckWrite> = BTreeMap::new();
    for LockedRow { check: id, row, label, lock } in locks {
        let check = checks.iter().find(|check| check.check == *id);
        let write = own.entry(id).or_insert_with(|| CheckWrite {
            check: lock_of(id),
            kind: CheckKind::Check,
            severity: check.map_or(lock.severity, |check| check.severity),
            feature: check.map_or(lock.feature, |check| check.feature),
            title: lock.title.clone(),
            // How much was read stands in each verdict.
            completeness: Completeness::Complete,
            seen: BTreeSet::new(),
            judged: Vec::new(),
        });
        write.seen.insert(row.clone());
        write.judged.push(lock.judge(row, label, check));
    }
    own.into_values().collect()
}

/// Whether two readings are the same, in whatever order.
pub(crate) fn same(one: &[(String, Value)], other: &[(String, Value)]) -> bool {
    by_path(one) == by_path(other)
}

/// Whether evidence is as long as it can be, and may have left something out.
pub(crate) fn cut(read: &[(String, Value)]) -> bool {
    read.len() >= CUT
}

fn by_path(read: &[(String, Value)]) -> BTreeMap<&str, &Value> {
    read.iter().map(|(path, value)| (path.as_str(), value)).collect()
}

/// What was and what is, path by path.
fn changes(was: &[(String, Value)], is: &[(String, Value)]) -> String {
    let (was, is) = (by_path(was), by_path(is));
    let paths: BTreeSet<&str> = was.keys().chain(is.keys()).copied().filter(|path| was.get(path) != is.get(path)).collect();
    let shown = |value: Option<&&Value>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let named = paths.iter().take(NAMED).map(|path| format!("{path} was {}, is {}", shown(was.get(path)), shown(is.get(path))));
    let mut text = named.collect::<Vec<_>>().join("; ");
    if paths.len() > NAMED {
        text.push_str(&format!(" and {} more", paths.len() - NAMED));
    }
    text
}

fn listed(keys: &[&RowKey]) -> Value {
    keys.iter().map(|key| Value::from(key.0.as_str())).collect()
}

fn unread(sentence: &str, remedy: &str) -> Verdict {
    Verdict::NotEvaluated { cause: Cause { kind: CauseKind::InputIncomplete, sentence: sentence.to_owned(), remedy: remedy.to_owned() } }
}

impl TryFrom<&Value> for Lock {
    type Error = StoreError;
    fn try_from(value: &Value) -> Result<Self, StoreError> {
        Self::deserialize(value).map_err(|_| StoreError::Unreadable { what: "lock" })
    }
}
