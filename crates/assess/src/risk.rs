//! The risks of accounts and plugins: one rule for each, over known properties alone.
//!
//! Each rule comes to yes, no, or not known. What is not known is neither a risk nor an all-clear, and an "and" with a plain no is
//! a no whatever the other side is.

use catalog::{
    Account, AccountKind, AccountRisk, AccountStatus, InventoryThresholds, Known, Mfa, Plugin, PluginKind, PluginLevel, PluginRisk,
    Presence, Severity,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// `None`: not known.
type Truth = Option<bool>;

fn and(one: Truth, other: Truth) -> Truth {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

fn or(one: Truth, other: Truth) -> Truth {
    not(and(not(one), not(other)))
}

fn not(truth: Truth) -> Truth {
    truth.map(|truth| !truth)
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

/// Whether a time lies more than so many days back. That there is no time says nothing about how long ago it was.
fn older(time: &Known<Timestamp>, than: u32, as_of: Timestamp) -> Truth {
    time.value().map(|time| as_of.duration_since(*time) > days(than))
}

/// Whether an end lies ahead within so many days; what has no end does not.
fn ending(end: &Known<Timestamp>, within: u32, as_of: Timestamp) -> Truth {
    match end {
        Known::Is(end) => Some(*end >= as_of && end.duration_since(as_of) <= days(within)),
        Known::None => Some(false),
        Known::Unknown(_) | Known::NotRead => None,
    }
}

fn ended(end: &Known<Timestamp>, as_of: Timestamp) -> Truth {
    match end {
        Known::Is(end) => Some(*end < as_of),
        Known::None => Some(false),
        Known::Unknown(_) | Known::NotRead => None,
    }
}

fn collect<R: Ord + Copy>(all: &[R], rule: impl Fn(R) -> Truth) -> BTreeMap<R, Presence> {
    all.iter()
        .filter_map(|risk| match rule(*risk) {
            Some(true) => Some((*risk, Presence::Present)),
            Some(false) => None,
            None => Some((*risk, Presence::Unknown)),
        })
        .collect()
}

/// The risks of an account. One that is suspended or deactivated cannot be used and has none; one whose status is not known
/// is taken for usable. An invited account has no second factor yet and was
/// never used.
pub(crate) fn of_account(account: &Account, thresholds: &InventoryThresholds, as_of: Timestamp) -> BTreeMap<AccountRisk, Presence> {
    let status = account.status.value();
    if matches!(status, Some(AccountStatus::Suspended | AccountStatus::Deactivated)) {
        return BTreeMap::new();
    }
    let accepted = Some(status != Some(&AccountStatus::Invited));
    let person = not(account.kind.is(&AccountKind::Service));
    // Only accounts that are credentials declare these; of others there is nothing to know.
    let when_read = |property: &Known<Timestamp>, truth: Truth| if matches!(property, Known::NotRead) { Some(false) } else { truth };
    collect(AccountRisk::ALL, |risk| match risk {
        AccountRisk::NoMfa => and(accepted, and(person, account.mfa.is(&Mfa::None))),
        AccountRisk::WeakMfa => and(accepted, and(person, account.mfa.is(&Mfa::Weak))),
        AccountRisk::Dormant => match account.never_seen.value() {
            Some(true) => Some(false),
            Some(false) | None => and(accepted, older(&account.last_seen, thresholds.dormant_days, as_of)),
        },
        AccountRisk::NotFromIdentityProvider => and(person, account.identity_provider.is(&false)),
        AccountRisk::Administrator => account.administrator.is(&true),
        AccountRisk::Guest => account.kind.is(&AccountKind::Guest),
        AccountRisk::NeverSeen => match (account.never_seen.value(), account.last_seen.value()) {
            (Some(never), _) => Some(*never),
            (None, Some(_)) => Some(false),
            (None, None) => (accepted == Some(false)).then_some(true),
        },
        AccountRisk::CredentialExpiring => {
            when_read(&account.credential_expires, ending(&account.credential_expires, thresholds.expiring_days, as_of))
        }
        AccountRisk::CredentialExpired => when_read(&account.credential_expires, ended(&account.credential_expires, as_of)),
        AccountRisk::CredentialNotRotated => {
            when_read(&account.credential_changed, older(&account.credential_changed, thresholds.rotation_days, as_of))
        }
    })
}

/// The risks of a plugin. A webhook is sent to and changes nothing; only applications have a publisher; an end and a last use are
/// asked of webhooks and installed applications only where the application tells them.
pub(crate) fn of_plugin(plugin: &Plugin, thresholds: &InventoryThresholds, as_of: Timestamp) -> BTreeMap<PluginRisk, Presence> {
    let webhook = plugin.kind.is(&PluginKind::Webhook);
    let installed = plugin.kind.is(&PluginKind::InstalledApp);
    let application = or(installed, plugin.kind.is(&PluginKind::OauthGrant));
    let standing = or(webhook, installed);
    let expires = |truth: Truth| if matches!(plugin.expires, Known::NotRead) { and(not(standing), truth) } else { truth };
    collect(PluginRisk::ALL, |risk| match risk {
        PluginRisk::CanWrite => and(not(webhook), plugin.write.is(&true)),
        PluginRisk::WholeTenant => plugin.level.is(&PluginLevel::Tenant),
        PluginRisk::UnverifiedPublisher => and(application, plugin.verified_publisher.is(&false)),
        PluginRisk::Unused => match plugin.never_used.value() {
            Some(true) => Some(true),
            Some(false) | None => {
                let old = older(&plugin.last_used, thresholds.unused_days, as_of);
                if matches!((&plugin.last_used, &plugin.never_used), (Known::NotRead, Known::NotRead)) {
                    and(not(webhook), old)
                } else {
                    old
                }
            }
        },
        PluginRisk::NoExpiry => expires(match &plugin.expires {
            Known::Is(_) => Some(false),
            Known::None => Some(true),
            Known::Unknown(_) | Known::NotRead => None,
        }),
        PluginRisk::Expiring => expires(ending(&plugin.expires, thresholds.expiring_days, as_of)),
        PluginRisk::Expired => expires(ended(&plugin.expires, as_of)),
        PluginRisk::GenAi => match (&plugin.gen_ai, &plugin.name) {
            (Some(_), _) => Some(true),
            (None, Known::Unknown(_) | Known::NotRead) => None,
            (None, Known::Is(_) | Known::None) => Some(false),
        },
    })
}

/// How bad the risks of an account are together: the worst of them, and one step more where an administrator's account has
/// one that lets somebody else in.
pub(crate) fn severity_of_account(risks: &BTreeMap<AccountRisk, Presence>) -> Option<Severity> {
    let administrator = risks.get(&AccountRisk::Administrator) == Some(&Presence::Present);
    present(risks)
        .map(|risk| match (risk, administrator) {
            (AccountRisk::NoMfa, true) => Severity::Critical,
            (AccountRisk::NoMfa, false)
            | (AccountRisk::WeakMfa | AccountRisk::Dormant | AccountRisk::NotFromIdentityProvider | AccountRisk::Guest, true) => {
                Severity::High
            }
            (
                AccountRisk::WeakMfa
                | AccountRisk::Dormant
                | AccountRisk::NotFromIdentityProvider
                | AccountRisk::CredentialNotRotated
                | AccountRisk::CredentialExpiring,
                false,
            )
            | (AccountRisk::NeverSeen | AccountRisk::CredentialNotRotated | AccountRisk::CredentialExpiring, true) => Severity::Medium,
            (AccountRisk::Guest | AccountRisk::NeverSeen, false) | (AccountRisk::CredentialExpired, _) => Severity::Low,
            (AccountRisk::Administrator, _) => Severity::Info,
        })
        .max()
}

/// How bad the risks of a plugin are together. High: it may change things, and reaches the whole organization or is by nobody
/// known. Medium: it may change things; it reaches the whole organization and is by nobody known; it is unused; its access
/// does not end. Low: anything else.
pub(crate) fn severity_of_plugin(risks: &BTreeMap<PluginRisk, Presence>) -> Option<Severity> {
    let has = |risk: PluginRisk| risks.get(&risk) == Some(&Presence::Present);
    let (write, tenant, unverified) = (has(PluginRisk::CanWrite), has(PluginRisk::WholeTenant), has(PluginRisk::UnverifiedPublisher));
    if write && (tenant || unverified) {
        Some(Severity::High)
    } else if write || tenant && unverified || has(PluginRisk::Unused) || has(PluginRisk::NoExpiry) {
        Some(Severity::Medium)
    } else {
        present(risks).next().map(|_| Severity::Low)
    }
}

fn present<R: Ord + Copy>(risks: &BTreeMap<R, Presence>) -> impl Iterator<Item = R> + '_ {
    risks.iter().filter(|(_, presence)| **presence == Presence::Present).map(|(risk, _)| *risk)
}
