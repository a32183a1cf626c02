//! The catalog as other tools read it: `posture catalog --json`, schema 1. Additive changes keep the number.
//!
//! Paths are written from the root of an answer: `.` between members, `[]` for each element of a list, `{}` for each value of a map.

use crate::{applications::availability, screen::Availability};
use catalog::{App, Check, CheckKind, Dataset, Feature, FieldPath, Format, Keep, ParamType, TimestampFormat, Type, Verified};
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole document.
#[derive(Debug, Serialize)]
pub struct CatalogDocument {
    /// Always 1.
    pub schema: u32,
    /// Every application asked for.
    pub apps: Vec<AppDocument>,
}

/// One application.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct AppDocument {
    pub slug: String,
    pub name: String,
    pub category: String,
    pub features: Vec<String>,
    pub verified: String,
    pub availability: Availability,
    pub planned: Vec<catalog::PlannedLogin>,
    pub ended: Option<String>,
    pub logins: Vec<LoginDocument>,
    pub datasets: Vec<DatasetDocument>,
    pub views: Vec<ViewDocument>,
    pub checks: Vec<CheckDocument>,
    pub left_out: Vec<catalog::LeftOut>,
    pub counts: CountsDocument,
}

/// How many checks are built and how many are not.
#[derive(Debug, Serialize)]
pub struct CountsDocument {
    /// Checks that are judged or observed from what is read.
    pub automatic: usize,
    /// Checks that a person attests.
    pub manual: usize,
    /// Checks that are known and not built.
    pub left_out: usize,
    /// The share of these among all, in per cent, rounded up.
    pub left_out_percent: usize,
    /// Whether that is more than an application that is signed in to may leave out.
    pub too_much: bool,
}

/// One login option.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct LoginDocument {
    pub id: String,
    pub label: String,
    pub strategy: String,
    pub hosts: Vec<String>,
    pub fields: Vec<FieldDocument>,
}

/// One field of the dialog.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct FieldDocument {
    pub id: String,
    pub label: String,
    pub secret: bool,
    pub format: String,
    pub choices: Vec<String>,
}

/// One dataset.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct DatasetDocument {
    pub id: String,
    pub kind: String,
    pub host: String,
    pub method: String,
    pub path: String,
    pub query: Vec<String>,
    pub document: Option<String>,
    pub pagination: serde_json::Value,
    pub keep: BTreeMap<String, String>,
    pub key: Vec<String>,
    pub needs: Vec<String>,
    pub plan: String,
    pub probe: Option<serde_json::Value>,
    pub on_empty: String,
}

/// One view.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct ViewDocument {
    pub id: String,
    pub from: String,
    pub joins: Vec<catalog::Join>,
    #[serde(flatten)]
    pub shape: catalog::ViewShape,
}

/// One check.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct CheckDocument {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub feature: String,
    pub kind: String,
    pub on: String,
    pub when: String,
    pub pass: String,
    pub reads: Vec<String>,
    pub params: BTreeMap<String, catalog::Param>,
    pub sscf: Vec<String>,
    pub frameworks: BTreeMap<String, Vec<String>>,
    pub source: String,
}

impl AppDocument {
    /// `reads` of a check come from its compiled expressions.
    pub(crate) fn of(app: &App, program: &assess::Program) -> Self {
        Self {
            slug: app.slug.clone(),
            name: app.name.clone(),
            category: word(&app.category),
            features: app.features.iter().copied().map(feature).map(str::to_owned).collect(),
            verified: verified(app.verified).to_owned(),
            availability: availability(app.availability()),
            planned: app.planned.clone(),
            ended: app.ended.clone(),
            logins: app
                .logins
                .iter()
                .map(|login| LoginDocument {
                    id: login.id.clone(),
                    label: login.label.clone(),
                    strategy: serde_json::to_value(&login.strategy)
                        .ok()
                        .and_then(|value| value.get("name").and_then(|name| name.as_str().map(str::to_owned)))
                        .unwrap_or_default(),
                    hosts: login.hosts.clone(),
                    fields: login
                        .fields
                        .iter()
                        .map(|field| FieldDocument {
                            id: field.id.clone(),
                            label: field.label.clone(),
                            secret: field.secret,
                            format: format_name(&field.format).to_owned(),
                            choices: field.choices.iter().map(|choice| choice.value.clone()).collect(),
                        })
                        .collect(),
                })
                .collect(),
            datasets: app.datasets.iter().map(dataset).collect(),
            views: app
                .views
                .iter()
                .map(|view| ViewDocument {
                    id: view.id.clone(),
                    from: view.from.clone(),
                    joins: view.joins.clone(),
                    shape: view.shape.clone(),
                })
                .collect(),
            checks: app.checks.iter().map(|check| check_document(app, check, program)).collect(),
            left_out: app.left_out.clone(),
            counts: counts(app),
        }
    }
}

fn counts(app: &App) -> CountsDocument {
    let manual = app.checks.iter().filter(|check| check.kind == CheckKind::Manual).count();
    let left_out = app.left_out.len();
    CountsDocument {
        automatic: app.checks.len() - manual,
        manual,
        left_out,
        // Rounded up, so that a share beyond the bound never reads as one within it.
        left_out_percent: (left_out * 100).div_ceil((app.checks.len() + left_out).max(1)),
        too_much: app.leaves_out_too_much(),
    }
}

fn dataset(dataset: &Dataset) -> DatasetDocument {
    let mut keep = BTreeMap::new();
    for (path, kept) in &dataset.keep {
        flatten(&path.within(&dataset.rows), kept, &mut keep);
    }
    DatasetDocument {
        id: dataset.id.clone(),
        kind: word(&dataset.kind),
        host: dataset.host.clone(),
        method: dataset.method.as_str().to_owned(),
        path: dataset.path.clone(),
        query: dataset.query.iter().map(|(name, _)| name.clone()).collect(),
        document: dataset.document.clone(),
        pagination: serde_json::to_value(&dataset.pagination).unwrap_or_default(),
        keep,
        key: dataset.key.iter().map(|path| path.within(&dataset.rows)).collect(),
        needs: dataset.needs.any_of.clone(),
        plan: dataset.needs.plan.clone(),
        probe: (!dataset.probes.is_empty()).then(|| serde_json::to_value(&dataset.probes).ok()).flatten(),
        on_empty: word(&dataset.on_empty),
    }
}

fn check_document(app: &App, check: &Check, program: &assess::Program) -> CheckDocument {
    let dataset = app.dataset(&check.on);
    // What a dataset adds to its rows is in no answer.
    let added = |path: &FieldPath| {
        let first = path.0.split(['.', '[', '{']).next().unwrap_or_default();
        dataset.is_some_and(|dataset| first == "each" || dataset.constant.contains_key(first))
    };
    CheckDocument {
        id: check.id.clone(),
        title: check.title.clone(),
        severity: word(&check.severity),
        feature: feature(check.feature).to_owned(),
        kind: match check.kind {
            CheckKind::Check => "check",
            CheckKind::Observed => "observed",
            CheckKind::Manual => "manual",
        }
        .to_owned(),
        on: check.on.clone(),
        when: check.when.clone(),
        pass: check.pass.clone(),
        // A view's rows are computed: their fields have no root of an answer.
        reads: program
            .reads(&check.id)
            .iter()
            .filter(|path| !added(path))
            .map(|path| dataset.map_or_else(|| path.0.clone(), |dataset| path.within(&dataset.rows)))
            .collect(),
        params: check.params.clone(),
        sscf: check.sscf.clone(),
        frameworks: check.frameworks.clone(),
        source: check.source.clone(),
    }
}

fn flatten(path: &str, keep: &Keep, into: &mut BTreeMap<String, String>) {
    match &keep.ty {
        Type::Object(fields) => {
            for (name, field) in fields {
                flatten(&FieldPath(name.clone()).within(path), field, into);
            }
        }
        Type::List(element) if matches!(**element, Type::Object(_)) => {
            let element = Keep { ty: (**element).clone(), ..keep.clone() };
            flatten(&format!("{path}[]"), &element, into);
        }
        Type::Bool
        | Type::Int
        | Type::Number
        | Type::String
        | Type::Id
        | Type::Timestamp(_)
        | Type::Enum(_)
        | Type::List(_)
        | Type::Map(_) => {
            let mut text = type_name(&keep.ty);
            if keep.absent.is_some() {
                text.push('?');
            }
            if let Some(transform) = keep.transform {
                text = format!("{text} as {}", word(&transform));
            }
            into.insert(path.to_owned(), text);
        }
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Int => "int".into(),
        Type::Number => "number".into(),
        Type::String => "string".into(),
        Type::Id => "id".into(),
        Type::Timestamp(TimestampFormat::Rfc3339) => "timestamp".into(),
        Type::Timestamp(TimestampFormat::Spaced) => "timestamp(spaced)".into(),
        Type::Timestamp(TimestampFormat::SpacedZone) => "timestamp(spaced_zone)".into(),
        Type::Timestamp(TimestampFormat::Date) => "timestamp(date)".into(),
        Type::Timestamp(TimestampFormat::EpochSeconds) => "timestamp(epoch_s)".into(),
        Type::Timestamp(TimestampFormat::EpochMilliseconds) => "timestamp(epoch_ms)".into(),
        Type::Enum(values) => format!("enum({})", values.join(",")),
        Type::List(element) => format!("list<{}>", type_name(element)),
        Type::Map(element) => format!("map<{}>", type_name(element)),
        Type::Object(_) => "object".into(),
    }
}

/// The word that serde writes for a unit variant.
pub(crate) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn feature(feature: Feature) -> &'static str {
    match feature {
        Feature::Config => "config",
        Feature::RiskyAccounts => "risky_accounts",
        Feature::ThirdPartyPlugins => "third_party_plugins",
        Feature::Identity => "identity",
    }
}

pub(crate) fn verified(verified: Verified) -> &'static str {
    match verified {
        Verified::Contract => "contract",
        Verified::Recorded => "recorded",
        Verified::Facts => "facts",
        Verified::Manual => "manual",
    }
}

pub(crate) fn format_name(format: &Format) -> &'static str {
    match format {
        Format::Text => "text",
        Format::Password => "password",
        Format::Jwt => "jwt",
        Format::Token { .. } => "token",
        Format::DnsLabel { .. } => "dns_label",
        Format::Host => "host",
        Format::Choice => "choice",
        Format::List { .. } => "list",
        Format::Email => "email",
        Format::OktaDomain => "okta_domain",
        Format::OktaCustomDomain => "okta_custom_domain",
        Format::MfaKey => "mfa_key",
        Format::Guid => "guid",
        Format::EntraTenant => "entra_tenant",
        Format::CertificateAndKey => "certificate_and_key",
        Format::PrivateKey { .. } => "private_key",
        Format::KeyFile { .. } => "key_file",
        Format::VendorHost { .. } => "vendor_host",
        Format::Pattern { .. } => "pattern",
        Format::Url { .. } => "url",
    }
}

pub(crate) fn param_type(ty: ParamType) -> &'static str {
    match ty {
        ParamType::Int => "int",
        ParamType::String => "string",
        ParamType::Strings => "strings",
        ParamType::Bool => "bool",
    }
}

/// The name of a strategy as the window knows it.
pub(crate) fn strategy_name(strategy: &catalog::Strategy) -> &'static str {
    use catalog::{EntraFlow, Strategy};
    match strategy {
        Strategy::Bearer { .. } => "bearer",
        Strategy::Headers { .. } => "headers",
        Strategy::Basic { .. } => "basic",
        Strategy::ClientCredentials(_) => "client_credentials",
        Strategy::Assertion(_) => "assertion",
        Strategy::AuthorizationCode(_) => "authorization_code",
        Strategy::DeviceCode(_) => "device_code",
        Strategy::GithubApp(_) => "github_app",
        Strategy::SnowflakeKeyPair(_) => "snowflake_key_pair",
        Strategy::Okta(_) => "okta",
        Strategy::Entra(entra) => match entra.flow {
            EntraFlow::Secret { .. } => "entra_secret",
            EntraFlow::Certificate { .. } => "entra_certificate",
            EntraFlow::DeviceCode => "entra_device_code",
            EntraFlow::Browser => "entra_browser",
        },
    }
}
