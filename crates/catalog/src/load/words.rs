//! The closed sets of words that manifests use, and the rules for URLs.

use super::source::{Errors, Table};
use crate::{Category, CheckKind, Compare, Feature, JoinKind, ParamType, Place, Severity, Verified};

pub(super) const CATEGORIES: &[(&str, Category)] = &[
    ("identity", Category::Identity),
    ("productivity", Category::Productivity),
    ("collaboration", Category::Collaboration),
    ("customer-service", Category::CustomerService),
    ("marketing", Category::Marketing),
    ("sales", Category::Sales),
    ("developer-tools", Category::DeveloperTools),
    ("infrastructure", Category::Infrastructure),
    ("data", Category::Data),
    ("security", Category::Security),
    ("human-resources", Category::HumanResources),
    ("finance", Category::Finance),
    ("design", Category::Design),
    ("project-management", Category::ProjectManagement),
    ("learning", Category::Learning),
    ("other", Category::Other),
];

pub(super) const FEATURES: &[(&str, Feature)] = &[
    ("config", Feature::Config),
    ("risky_accounts", Feature::RiskyAccounts),
    ("third_party_plugins", Feature::ThirdPartyPlugins),
    ("identity", Feature::Identity),
];

pub(super) const VERIFIED: &[(&str, Verified)] =
    &[("contract", Verified::Contract), ("recorded", Verified::Recorded), ("facts", Verified::Facts), ("manual", Verified::Manual)];

pub(super) const SEVERITIES: &[(&str, Severity)] = &[
    ("info", Severity::Info),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

pub(super) const CHECK_KINDS: &[(&str, CheckKind)] =
    &[("check", CheckKind::Check), ("observed", CheckKind::Observed), ("manual", CheckKind::Manual)];

pub(super) const PARAM_TYPES: &[(&str, ParamType)] =
    &[("int", ParamType::Int), ("string", ParamType::String), ("strings", ParamType::Strings), ("bool", ParamType::Bool)];

pub(super) const JOINS: &[(&str, JoinKind)] = &[("inner", JoinKind::Inner), ("left", JoinKind::Left), ("anti", JoinKind::Anti)];

pub(super) const COMPARES: &[(&str, Compare)] = &[
    ("eq", Compare::Eq),
    ("ne", Compare::Ne),
    ("in", Compare::In),
    ("not_in", Compare::NotIn),
    ("contains", Compare::Contains),
    ("contains_any", Compare::ContainsAny),
    ("gt", Compare::Gt),
    ("lt", Compare::Lt),
    ("empty", Compare::Empty),
    ("not_empty", Compare::NotEmpty),
];

/// Whether `IAM-SaaS-04` is a control of the framework.
pub(super) fn is_sscf(id: &str) -> bool {
    crate::sscf_control(id).is_some()
}

/// Whether a text is a path: names divided by dots, each with `[]` where it steps into a list, and never an index. `[]` alone may
/// begin it.
pub(super) fn is_path(text: &str) -> bool {
    text.split('.').enumerate().all(|(at, segment)| match segment.strip_suffix("[]") {
        Some(name) => (at == 0 || !name.is_empty()) && !name.contains(['[', ']', '{', '}']),
        None => !segment.is_empty() && !segment.contains(['[', ']', '{', '}']),
    })
}

/// Finds what is wrong with a path that stands under `key`.
pub(super) fn path(table: &Table<'_>, key: &str, text: &str) {
    if !text.is_empty() && !is_path(text) {
        table.errors.add(
            &table.place_of(key),
            format!("`{key}` is \"{text}\", which is no path; write names divided by dots, with [] after a list and no index"),
        );
    }
}

/// A URL must be https and have a host.
pub(super) fn https(errors: &Errors, place: &Place, key: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    // Braces of placeholders are no part of a URL; any label stands for them here.
    let plain = text.replace(['{', '}'], "");
    if !url::Url::parse(&plain).is_ok_and(|url| url.scheme() == "https" && url.has_host()) {
        errors.add(place, format!("`{key}` is \"{text}\", which is not an https URL; write the whole of it"));
    }
}

/// The URL that a fact comes from.
pub(super) fn source(table: &Table<'_>) -> String {
    let source = table.text("source", "the URL that the facts come from");
    https(table.errors, &table.place_of("source"), "source", &source);
    source
}

/// A link that the console opens in the browser must point at one of the application's link hosts.
pub(super) fn link(errors: &Errors, place: &Place, text: &str, link_hosts: &[String]) {
    https(errors, place, "link", text);
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if !host.is_empty() && !link_hosts.iter().any(|known| known == host) {
        errors.add(
            place,
            format!("the link points at {host}, which is not among `link_hosts` of app.toml; add it there or correct the link"),
        );
    }
}
