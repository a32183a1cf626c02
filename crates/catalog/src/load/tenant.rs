//! `sandbox/<tenant>/`: imaginary organizations and what their vendor answers.

use super::{
    files::Files,
    source::{Errors, Source, Table, Value, word},
};
use crate::{
    App, CauseKind, Dataset, LeftOpen, Login, OktaEngine, OktaFactor, ParamValue, Place, Protocol, SandboxAnswer, SandboxLimits,
    SandboxOkta, SandboxTenant, SandboxTokens, SecondFactor, Strategy,
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Reads every tenant of an application.
pub(super) fn read_all(files: &Files, folder: &str, app: &App, errors: &Errors) -> Vec<SandboxTenant> {
    let mut tenants: Vec<SandboxTenant> = Vec::new();
    let mut bases = Vec::new();
    for id in files.tenants() {
        let path = format!("sandbox/{id}/tenant.toml");
        let name = format!("{folder}/{path}");
        let Some(text) = files.text(&path, folder, errors) else {
            errors.add(&Place { file: name.as_str().into(), line: 1 }, "the folder of a sandbox tenant lacks tenant.toml");
            continue;
        };
        let source = Source::new(&name, text);
        let Some(document) = source.parse(errors) else { continue };
        let table = Table::document(&source, errors, document.get_ref());
        let (tenant, base) = read(&table, files, folder, &id, app, errors);
        if let Some(base) = base {
            bases.push((tenant.id.clone(), base, table.place_of("base")));
        }
        table.finish();
        tenants.push(tenant);
    }
    for (id, base, place) in bases {
        let Some(answers) = tenants.iter().find(|tenant| tenant.id == base).map(|tenant| (tenant.answers.clone(), tenant.errors.clone()))
        else {
            errors.add(&place, format!("`base` is \"{base}\", which is no tenant of this application"));
            continue;
        };
        if let Some(tenant) = tenants.iter_mut().find(|tenant| tenant.id == id) {
            for answer in answers.0 {
                // What its login option has no host role for, nobody asks it.
                let lacks = |login: &Login| !answer.host.contains('.') && !login.roles.iter().any(|role| role.id == answer.host);
                if app.login(&tenant.login).is_some_and(lacks) {
                    continue;
                }
                if !tenant.answers.iter().any(|own| {
                    own.host == answer.host
                        && own.method == answer.method
                        && own.path == answer.path
                        && own.document == answer.document
                        && own.each == answer.each
                }) {
                    tenant.answers.push(answer);
                }
            }
            for (status, body) in answers.1 {
                tenant.errors.entry(status).or_insert(body);
            }
        }
    }
    tenants
}

fn read(table: &Table<'_>, files: &Files, folder: &str, id: &str, app: &App, errors: &Errors) -> (SandboxTenant, Option<String>) {
    let name = table.text("name", "what is shown, such as Halden Moor (risky)");
    let login_id = table.text("login", "the login option that `fields` belong to");
    let login = app.login(&login_id);
    if login.is_none() && !login_id.is_empty() {
        errors.add(&table.place_of("login"), format!("`login` is \"{login_id}\", which is no login option of this application"));
    }
    let base = table.get("base").and_then(|value| value.text());
    let fields: BTreeMap<String, String> = table
        .get("fields")
        .map(|value| {
            let entries = value.entries();
            for (key, value) in &entries {
                if login.is_some_and(|login| !login.fields.iter().any(|field| field.id == *key)) {
                    value.report(format!("`fields` holds \"{key}\", which is no field of login option \"{login_id}\""));
                }
            }
            entries.into_iter().filter_map(|(key, value)| value.text().map(|text| (key, text))).collect()
        })
        .unwrap_or_default();
    for field in login.iter().flat_map(|login| &login.fields).filter(|field| !field.optional && !fields.contains_key(&field.id)) {
        table.wrong(format!("`fields` lacks \"{}\", which the login option needs", field.id));
    }
    let params = table.get("params").map(|value| params(&value, app)).unwrap_or_default();
    let answers = table.tables("answer").into_iter().filter_map(|one| answer(one, files, folder, id, app, &login_id, errors)).collect();
    let bodies = table
        .get("errors")
        .map(|value| {
            value
                .entries()
                .into_iter()
                .filter_map(|(status, value)| match status.parse::<u16>() {
                    Ok(status) => Some((status, value.json())),
                    Err(_) => {
                        value.report(format!("`errors` holds \"{status}\", which is not an HTTP status"));
                        None
                    }
                })
                .collect()
        })
        .unwrap_or_default();
    let (okta, tokens) = behaviour(table, login);
    let tenant = SandboxTenant {
        app: app.slug.clone(),
        id: id.to_owned(),
        name,
        tour: table.flag_or("tour", false),
        fields,
        login: login_id,
        params,
        answers,
        okta,
        tokens,
        limits: limits(table),
        sign_in: super::tenant_sign_in::read(table, login),
        left_open: table.tables("left_open").into_iter().filter_map(|one| left_open(one, id, app)).collect(),
        errors: bodies,
    };
    (tenant, base)
}

/// `[[left_open]]`: what a scan of the tenant rightly does not evaluate. The law looks for it, and for nothing else that is left open.
fn left_open(table: Table<'_>, tenant: &str, app: &App) -> Option<(LeftOpen, CauseKind)> {
    if matches!(tenant, "clean" | "risky") {
        table.wrong("`clean` and `risky` leave nothing open; add a tenant with `base = \"risky\"`");
    }
    let dataset = table.get("dataset").and_then(|value| value.text());
    let check = table.get("check").and_then(|value| value.text());
    let cause = table.some_word("cause", CAUSES);
    if dataset.is_some() == check.is_some() {
        table.wrong("one of `dataset` and `check` says what is left open");
    }
    if let Some(id) = dataset.as_ref().filter(|id| app.dataset(id).is_none()) {
        table.wrong(format!("`dataset` is \"{id}\", which is none of this application's"));
    }
    if let Some(id) = check.as_ref().filter(|id| app.check(id).is_none()) {
        table.wrong(format!("`check` is \"{id}\", which is none of this application's"));
    }
    table.finish();
    Some((dataset.map(LeftOpen::Dataset).or(check.map(LeftOpen::Check))?, cause?))
}

/// The causes that a vendor's answers alone can bring about.
const CAUSES: &[(&str, CauseKind)] = &[
    ("scope_missing", CauseKind::ScopeMissing),
    ("plan_lacks", CauseKind::PlanLacks),
    ("vendor_error", CauseKind::VendorError),
    ("not_understood", CauseKind::NotUnderstood),
    ("field_missing", CauseKind::FieldMissing),
    ("unknown_value", CauseKind::UnknownValue),
    ("probe_not_seen", CauseKind::ProbeNotSeen),
    ("empty", CauseKind::Empty),
    ("input_incomplete", CauseKind::InputIncomplete),
    ("expression", CauseKind::Expression),
];

/// The tables `[okta]` and `[tokens]`, each for tenants of the one strategy.
fn behaviour(table: &Table<'_>, login: Option<&Login>) -> (Option<SandboxOkta>, Option<SandboxTokens>) {
    let strategy = login.map(|login| &login.strategy);
    let okta = table.get("okta");
    let tokens = table.get("tokens");
    if let Some(value) = okta.as_ref().filter(|_| !matches!(strategy, None | Some(Strategy::Okta(_)))) {
        value.wrong("is for tenants whose login option signs in through Okta");
    }
    if let Some(value) = tokens.as_ref().filter(|_| login.is_some_and(|login| !exchanges(login))) {
        value.wrong("is for tenants whose login option exchanges client credentials or an assertion");
    }
    match strategy {
        Some(Strategy::Okta(strategy)) => {
            (Some(okta.and_then(|value| value.table()).map(|inner| read_okta(inner, &strategy.acs)).unwrap_or_default()), None)
        }
        Some(
            Strategy::ClientCredentials(_)
            | Strategy::Assertion(_)
            | Strategy::Bearer { .. }
            | Strategy::Headers { .. }
            | Strategy::Basic { .. }
            | Strategy::Entra(_)
            | Strategy::AuthorizationCode(_)
            | Strategy::DeviceCode(_)
            | Strategy::GithubApp(_)
            | Strategy::SnowflakeKeyPair(_),
        )
        | None => {
            let tokens = tokens.and_then(|value| value.table()).map(read_tokens);
            (None, tokens.or_else(|| login.filter(|login| exchanges(login)).map(|_| SandboxTokens::default())))
        }
    }
}

/// Whether a credential of the login option is exchanged at a token endpoint.
fn exchanges(login: &Login) -> bool {
    let strategies = std::iter::once(&login.strategy).chain(login.also.iter().map(|also| &also.strategy));
    strategies.into_iter().any(|strategy| matches!(strategy, Strategy::ClientCredentials(_) | Strategy::Assertion(_)))
}

/// Names, in lower case, and values of headers.
fn headers(value: &Value<'_>) -> BTreeMap<String, String> {
    value.entries().into_iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.text()?))).collect()
}

/// `[limits]`: how many requests the vendor's hosts take.
fn limits(table: &Table<'_>) -> Option<SandboxLimits> {
    let table = table.get("limits")?.table()?;
    let number = |key: &str, most: u32| {
        table.get(key).and_then(|value| {
            let number = value.whole().and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=most).contains(number));
            if number.is_none() {
                value.wrong(format!("must lie between 1 and {most}"));
            }
            number
        })
    };
    let per_second = number("per_second", 10_000);
    let limits = SandboxLimits {
        burst: number("burst", 100_000).or(per_second).unwrap_or(1),
        per_second,
        concurrency: number("concurrency", 10_000),
        status: match table.get("status").map(|value| (value.whole(), value)) {
            None => 429,
            Some((Some(status @ (403 | 429 | 503)), _)) => status as u16,
            Some((_, value)) => {
                value.wrong("must be 429, 403 or 503");
                429
            }
        },
        headers: table.get("headers").map(|value| headers(&value)).unwrap_or_default(),
        body: table.get("body").map(|value| value.json()),
    };
    if limits.per_second.is_none() && limits.concurrency.is_none() {
        table.wrong("[limits] needs `per_second` or `concurrency`");
    }
    table.finish();
    Some(limits)
}

fn read_okta(table: Table<'_>, prefixes: &[String]) -> SandboxOkta {
    let usual = SandboxOkta::default();
    let engines = [("classic", OktaEngine::Classic), ("identity_engine", OktaEngine::IdentityEngine)];
    let factors = match table.get("factors") {
        Some(value) => value.items().iter().filter_map(|item| word(item, &OktaFactor::WORDS)).collect(),
        None => usual.factors,
    };
    let acs = table.get("acs");
    let path = acs.as_ref().and_then(|value| value.text());
    if let (Some(value), Some(path)) = (&acs, &path)
        && !prefixes.iter().any(|prefix| path.starts_with(prefix))
    {
        value.wrong("begins with no prefix of the strategy's `acs`");
    }
    let okta = SandboxOkta {
        engine: table.word("engine", &engines).unwrap_or(usual.engine),
        classic_api: table.flag_or("classic_api", usual.classic_api),
        one_step: table.word("steps", &[("one", true), ("two", false)]).unwrap_or(usual.one_step),
        factors,
        second_factor: table
            .word("second_factor", &[("organization", SecondFactor::Organization), ("application", SecondFactor::Application)])
            .unwrap_or(usual.second_factor),
        application: table.text_or_empty("application"),
        assigned: table.flag_or("assigned", usual.assigned),
        keep_me_signed_in: table.flag_or("keep_me_signed_in", usual.keep_me_signed_in),
        password_warning: table.flag_or("password_warning", usual.password_warning),
        elsewhere: table.flag_or("elsewhere", usual.elsewhere),
        lookup: table.flag_or("lookup", usual.lookup),
        acs: path,
        request_by_form: table.word("request", &[("redirect", false), ("form", true)]).unwrap_or(usual.request_by_form),
        cookie_domain: table.get("cookie_domain").and_then(|value| value.text()),
    };
    table.finish();
    okta
}

fn read_tokens(table: Table<'_>) -> SandboxTokens {
    let usual = SandboxTokens::default();
    let lifetime = table.get("lifetime_seconds").and_then(|value| {
        let seconds = value.whole().and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| (60..=86_400).contains(seconds));
        if seconds.is_none() {
            value.wrong("must lie between 60 and 86400");
        }
        seconds
    });
    let tokens = SandboxTokens {
        grants: table.get("grants").and_then(|value| value.text()),
        host: table.get("host").and_then(|value| value.text()),
        nonces: table.flag_or("nonces", usual.nonces),
        dpop: table.flag_or("dpop", usual.dpop),
        lifetime_seconds: lifetime.unwrap_or(usual.lifetime_seconds),
    };
    table.finish();
    tokens
}

fn params(value: &Value<'_>, app: &App) -> BTreeMap<String, BTreeMap<String, ParamValue>> {
    let mut all = BTreeMap::new();
    for (id, value) in value.entries() {
        let Some(check) = app.check(&id) else {
            value.report(format!("`params` names the check \"{id}\", which is not there"));
            continue;
        };
        let mut own = BTreeMap::new();
        for (name, value) in value.entries() {
            if !check.params.contains_key(&name) {
                value.report(format!("the check \"{id}\" has no parameter \"{name}\""));
                continue;
            }
            match serde_json::from_value::<ParamValue>(value.json()) {
                Ok(param) => {
                    own.insert(name, param);
                }
                Err(_) => value.wrong("must be true or false, a whole number, text, or a list of text"),
            }
        }
        all.insert(id, own);
    }
    all
}

fn answer(table: Table<'_>, files: &Files, folder: &str, tenant: &str, app: &App, login: &str, errors: &Errors) -> Option<SandboxAnswer> {
    let asked = table.get("document").and_then(|value| asked_for(&value, app));
    let host = match (&asked, table.get("host")) {
        (Some(dataset), None) => dataset.host.clone(),
        (Some(_) | None, _) => table.text("host", "a host name, or a host role of the login option"),
    };
    let is_role = app.login(login).is_some_and(|login| login.roles.iter().any(|role| role.id == host));
    if !host.is_empty() && !is_role && !host.contains('.') {
        errors.add(
            &table.place_of("host"),
            format!("`host` is \"{host}\", which is neither a host role of the login option nor a host name"),
        );
    }
    let method = table.word("method", &[("GET", "GET"), ("POST", "POST")]).unwrap_or("GET").to_owned();
    let (method, path) = match &asked {
        Some(dataset) => {
            for key in ["method", "path", "paged"] {
                if let Some(value) = table.get(key) {
                    value.wrong("follows from `document`; leave it out");
                }
            }
            (dataset.method.as_str().to_owned(), dataset.path.clone())
        }
        None => (method, table.text("path", "the path with its values")),
    };
    let document = asked.map(|dataset| dataset.id.clone());
    let each = table.get("each").map(|value| parts(&value)).unwrap_or_default();
    let page_rows = table.get("page_rows").and_then(|value| {
        let rows = value.whole().and_then(|rows| u32::try_from(rows).ok()).filter(|rows| *rows > 0);
        if rows.is_none() || (document.is_none() && table.get("paged").is_none()) {
            value.wrong("is a number of rows, from 1 up, of an answer to a `document` or one that is `paged`");
        }
        rows
    });
    if document.is_none() && !each.is_empty() {
        table.errors.add(&table.place_of("each"), "`each` belongs to an answer to a `document`");
    }
    let status = table.get("status").map_or(Some(200), |value| value.whole().and_then(|status| u16::try_from(status).ok()));
    let paged = table.get("paged").and_then(|value| value.text());
    const STYLES: [&str; 7] = ["declared", "json_api", "json_api_after", "link_header", "page_number", "cursor", "cursor_start"];
    if let Some(style) = paged.as_deref().filter(|style| !STYLES.contains(&style.split(':').next().unwrap_or_default())) {
        errors.add(&table.place_of("paged"), format!("`paged` is \"{style}\", which is not known; write one of {}", STYLES.join(", ")));
    }
    let body = match (table.get("file"), table.get("body")) {
        (Some(file), None) => {
            let path = format!("sandbox/{tenant}/{}", file.text()?);
            match files.text(&path, folder, errors) {
                Some(text) => match serde_json::from_str::<Json>(text) {
                    Ok(body) => body,
                    Err(error) => {
                        let line = u32::try_from(error.line()).unwrap_or(1).max(1);
                        errors.add(&Place { file: format!("{folder}/{path}").into(), line }, format!("this is not JSON: {error}"));
                        Json::Null
                    }
                },
                None => {
                    file.wrong("names a file that is not there");
                    Json::Null
                }
            }
        }
        (None, Some(body)) => body.json(),
        (Some(_), Some(_)) | (None, None) => {
            table.wrong("[[answer]] needs either `file`, a JSON file beside tenant.toml, or `body`");
            Json::Null
        }
    };
    let headers = table.get("headers").map(|value| {
        if document.is_some() {
            value.wrong("belongs to an answer with a path of its own, not to one of a `document`");
        }
        headers(&value)
    });
    let headers = headers.unwrap_or_default();
    let authorised = table.flag_or("authorised", true);
    table.finish();
    Some(SandboxAnswer { host, method, path, document, each, page_rows, status: status?, paged, headers, body, authorised })
}

/// The dataset whose document an answer answers.
fn asked_for<'a>(value: &Value<'_>, app: &'a App) -> Option<&'a Dataset> {
    let id = value.text()?;
    let found = app.dataset(&id).filter(|dataset| dataset.protocol != Protocol::Http);
    if found.is_none() {
        value.wrong(format!("is \"{id}\", which is no dataset with a `protocol`"));
    }
    found
}

fn parts(value: &Value<'_>) -> BTreeMap<String, String> {
    value.entries().into_iter().filter_map(|(name, value)| value.text().map(|text| (name, text))).collect()
}
