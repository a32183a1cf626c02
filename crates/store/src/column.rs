//! How values lie in columns: times as milliseconds, small enums as words or numbers, the rest as JSON.

use crate::StoreError;
use catalog::{Feature, Severity};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

/// Milliseconds since 1970 in UTC.
pub(crate) fn time(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time of a column.
pub(crate) fn read_time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::Unreadable { what: "time" })
}

/// The time of a column that may be empty.
pub(crate) fn read_time_if(milliseconds: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    milliseconds.map(read_time).transpose()
}

/// JSON text. Everything that is stored this way can be written; what could not would be a defect of its type.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable { what: "value" })
}

/// The value of a JSON column.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what })
}

/// The value of a JSON column that may be empty.
pub(crate) fn read_json_if<T: DeserializeOwned>(text: Option<String>, what: &'static str) -> Result<Option<T>, StoreError> {
    text.map(|text| read_json(&text, what)).transpose()
}

/// A count, as every count of SQLite is not negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A count that is shown; more than four thousand million are shown as that many.
pub(crate) fn small_count(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

/// A number of ours as SQLite keeps it.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Severities sort by their number.
pub(crate) fn severity(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

pub(crate) fn read_severity(number: i64) -> Result<Severity, StoreError> {
    Ok(match number {
        0 => Severity::Info,
        1 => Severity::Low,
        2 => Severity::Medium,
        3 => Severity::High,
        4 => Severity::Critical,
        _ => return Err(StoreError::Unreadable { what: "severity" }),
    })
}

pub(crate) fn feature(feature: Feature) -> &'static str {
    match feature {
        Feature::Config => "config",
        Feature::RiskyAccounts => "risky_accounts",
        Feature::ThirdPartyPlugins => "third_party_plugins",
        Feature::Identity => "identity",
    }
}

pub(crate) fn read_feature(word: &str) -> Result<Feature, StoreError> {
    Ok(match word {
        "config" => Feature::Config,
        "risky_accounts" => Feature::RiskyAccounts,
        "third_party_plugins" => Feature::ThirdPartyPlugins,
        "identity" => Feature::Identity,
        _ => return Err(StoreError::Unreadable { what: "feature" }),
    })
}
