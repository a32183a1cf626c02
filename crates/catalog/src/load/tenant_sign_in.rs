//! The tables `[authorize]`, `[entra]` and `[installation]` of a tenant, each for tenants of its own strategies.

use super::source::{Table, Value};
use crate::{InstallationState, Login, SandboxAuthorize, SandboxEntra, SandboxInstallation, SandboxRefresh, SandboxSignIn, Strategy};

pub(super) fn read(table: &Table<'_>, login: Option<&Login>) -> SandboxSignIn {
    let strategy = login.map(|login| &login.strategy);
    let own = |key: &str, fits: fn(&Strategy) -> bool, whose: &str| -> Option<Table<'_>> {
        let value = table.get(key)?;
        if strategy.is_some_and(|strategy| !fits(strategy)) {
            value.wrong(format!("is for tenants whose login option {whose}"));
            return None;
        }
        value.table()
    };
    let mut sign_in = SandboxSignIn::default();
    let is_user = |strategy: &Strategy| matches!(strategy, Strategy::AuthorizationCode(_) | Strategy::DeviceCode(_));
    if let Some(inner) = own("authorize", is_user, "asks a person in a browser or for a device code") {
        sign_in.authorize = authorize(&inner);
        inner.finish();
    }
    if let Some(inner) = own("entra", |strategy| matches!(strategy, Strategy::Entra(_)), "signs in through Microsoft Entra ID") {
        sign_in.authorize = authorize(&inner);
        sign_in.entra = SandboxEntra {
            tenant_id: inner.get("tenant_id").and_then(|value| value.text()),
            roles: inner.get("roles").map(|value| value.texts()),
            government: inner.flag_or("government", false),
        };
        inner.finish();
    }
    if let Some(inner) = own("installation", |strategy| matches!(strategy, Strategy::GithubApp(_)), "is a GitHub App") {
        sign_in.installation = SandboxInstallation {
            state: inner.word("state", &InstallationState::WORDS).unwrap_or_default(),
            permissions: inner
                .get("permissions")
                .map(|value| value.entries().into_iter().filter_map(|(name, value)| Some((name, value.text()?))).collect()),
        };
        inner.finish();
    }
    sign_in
}

fn authorize(table: &Table<'_>) -> SandboxAuthorize {
    let usual = SandboxAuthorize::default();
    SandboxAuthorize {
        approve: table.flag_or("approve", usual.approve),
        pending: table.get("pending").and_then(|value| bounded(&value, 0, 1000)).unwrap_or(usual.pending),
        refresh: table.word("refresh", &SandboxRefresh::WORDS).unwrap_or(usual.refresh),
        lifetime_seconds: match table.get("lifetime_seconds") {
            None => usual.lifetime_seconds,
            Some(value) => bounded(&value, 0, 31_622_400).filter(|seconds| *seconds > 0),
        },
        grants: table.get("grants").and_then(|value| value.text()),
    }
}

fn bounded(value: &Value<'_>, least: u32, most: u32) -> Option<u32> {
    let number = value.whole().and_then(|number| u32::try_from(number).ok()).filter(|number| (least..=most).contains(number));
    if number.is_none() {
        value.wrong(format!("must lie between {least} and {most}"));
    }
    number
}
