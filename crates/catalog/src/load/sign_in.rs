//! The strategies that ask a person in a browser, or sign for themselves with a private key; and what other strategies share
//! with them: endpoints, and hosts that the vendor names.

use super::{
    app::{open_field, path_of, secret_field},
    source::{Table, Value},
};
use crate::{
    AuthorizationCode, DeviceCode, Endpoint, Field, GithubApp, HostFrom, Redirect, RedirectHost, SecretBy, SnowflakeKeyPair, hosts,
};

/// Parameters of the page's address that are the strategy's own.
const OWN_PARAMETERS: [&str; 8] =
    ["client_id", "client_secret", "response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"];

/// `{ role = "login", path = "/oauth/token" }`.
pub(super) fn endpoint(table: &Table<'_>, key: &str, what: &str, fields: &[Field]) -> Option<Endpoint> {
    let Some(value) = table.get(key) else {
        table.wrong(format!("the strategy lacks `{key}`: {what}, as {{ role = \"login\", path = \"/oauth/token\" }}"));
        return None;
    };
    let inner = value.table()?;
    let endpoint = Endpoint { role: inner.text("role", "the host role that is asked"), path: templated_path(&inner, "path", what, fields) };
    inner.finish();
    Some(endpoint)
}

/// A path whose placeholders are whole segments and stand for open fields.
pub(super) fn templated_path(table: &Table<'_>, key: &str, what: &str, fields: &[Field]) -> String {
    let path = path_of(table, key, what);
    for segment in path.split('/').filter(|segment| segment.contains(['{', '}'])) {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains(['{', '}']));
        match name {
            Some(name) if fields.iter().any(|field| field.id == name && !field.secret) => {}
            Some(name) => table.wrong(format!("`{key}` names {{{name}}}, which is not an open field of this login option")),
            None => table.wrong(format!("`{key}` is \"{path}\": a placeholder is a whole segment, as /oidc/accounts/{{account}}/token")),
        }
    }
    path
}

/// A table of texts that may name open fields.
pub(super) fn parameters(table: &Table<'_>, key: &str, fields: &[Field]) -> Vec<(String, String)> {
    let entries = table.get(key).map(|value| value.entries()).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(name, value)| {
            let text = value.text()?;
            open_template(&value, &text, fields);
            Some((name, text))
        })
        .collect()
}

fn open_template(value: &Value<'_>, text: &str, fields: &[Field]) {
    match hosts::placeholders(text) {
        None => value.wrong(format!("is \"{text}\", whose braces do not pair; write placeholders as {{organization}}")),
        Some(names) => {
            for name in names {
                if !fields.iter().any(|field| field.id == name && !field.secret) {
                    value.wrong(format!("names {{{name}}}, which is not an open field of this login option"));
                }
            }
        }
    }
}

/// `host_from`: which member of the token's answer names the host of a role.
pub(super) fn host_from(table: &Table<'_>) -> Option<HostFrom> {
    let value = table.get("host_from")?;
    let inner = value.table()?;
    let from = HostFrom {
        member: inner.text("member", "the member of the token's answer that names the host, such as instance_url"),
        role: inner.text("role", "the host role that it names"),
        suffixes: inner.some_texts("suffixes", "the domains under which the host must lie, such as .my.salesforce.com"),
    };
    for suffix in from.suffixes.iter().filter(|suffix| !is_suffix(suffix)) {
        value.wrong(format!("holds the suffix \"{suffix}\"; write it as .my.salesforce.com, with at least two labels"));
    }
    inner.finish();
    Some(from)
}

/// A dot, then a host name of two labels or more.
fn is_suffix(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(|rest| rest.contains('.') && crate::format::is_host(rest))
}

pub(super) fn authorization_code(table: &Table<'_>, fields: &[Field]) -> Option<AuthorizationCode> {
    let authorize = endpoint(table, "authorize", "the page that opens in the browser", fields);
    let token = endpoint(table, "token", "where the code is exchanged", fields);
    let client_id = open_field(table, "client_id", "the field with the client's id", fields);
    let client_secret =
        table.get("client_secret").is_some().then(|| secret_field(table, "client_secret", "the field with the client's secret", fields));
    let authenticate = match table.get("authenticate") {
        None => SecretBy::Post,
        Some(_) => table.some_word("authenticate", &[("post", SecretBy::Post), ("basic", SecretBy::Basic)])?,
    };
    if authenticate == SecretBy::Basic && client_secret.is_none() {
        table.wrong("`authenticate` is \"basic\", which needs `client_secret`");
    }
    let parameters = parameters(table, "parameters", fields);
    for (name, _) in parameters.iter().filter(|(name, _)| OWN_PARAMETERS.contains(&name.as_str())) {
        table.wrong(format!("`parameters` holds {name}, which the strategy writes itself"));
    }
    let redirect = match table.get("redirect") {
        None => Some(Redirect { host: RedirectHost::Address, path: "/callback".to_owned(), ports: Vec::new() }),
        Some(value) => value.table().and_then(redirect),
    };
    let pkce = table.flag_or("pkce", true);
    if !pkce && client_secret.is_none() {
        table.wrong("`pkce` is false and there is no `client_secret`: anybody who sees the code could exchange it");
    }
    let scope = table.text_or_empty("scope");
    let host_from = host_from(table);
    Some(AuthorizationCode {
        authorize: authorize?,
        token: token?,
        client_id,
        client_secret,
        authenticate,
        scope,
        parameters,
        redirect: redirect?,
        pkce,
        host_from,
    })
}

fn redirect(table: Table<'_>) -> Option<Redirect> {
    let host = match table.get("host") {
        None => RedirectHost::Address,
        Some(_) => table.some_word("host", &[("127.0.0.1", RedirectHost::Address), ("localhost", RedirectHost::Name)])?,
    };
    let path = if table.get("path").is_some() { path_of(&table, "path", "the path to come back to") } else { "/callback".to_owned() };
    if path.contains(['{', '}', '?', '#', '%']) {
        table.wrong(format!("the path to come back to is \"{path}\"; it is a plain path, as /callback"));
    }
    let ports = table.get("ports").map(|value| {
        let items = value.items().into_iter();
        // Below 1024 only administrators of a computer may listen.
        let port = |item: Value<'_>| match item.whole().and_then(|port| u16::try_from(port).ok()).filter(|port| *port >= 1024) {
            Some(port) => Some(port),
            None => {
                item.wrong("must hold ports from 1024 to 65535");
                None
            }
        };
        items.filter_map(port).collect()
    });
    table.finish();
    Some(Redirect { host, path, ports: ports.unwrap_or_default() })
}

pub(super) fn device_code(table: &Table<'_>, fields: &[Field]) -> Option<DeviceCode> {
    let device = endpoint(table, "device", "where a code is asked for", fields);
    let token = endpoint(table, "token", "where is asked whether it was typed", fields);
    let client_id = open_field(table, "client_id", "the field with the client's id", fields);
    let scope = table.text_or_empty("scope");
    Some(DeviceCode { device: device?, token: token?, client_id, scope })
}

pub(super) fn github_app(table: &Table<'_>, fields: &[Field]) -> GithubApp {
    let permissions = table.get("permissions").map(|value| value.entries()).unwrap_or_default();
    if permissions.is_empty() {
        table.wrong("the strategy lacks `permissions`: what the token may do, as { members = \"read\" }");
    }
    let permissions = permissions
        .into_iter()
        .filter_map(|(name, value)| {
            let level = value.text()?;
            if level != "read" {
                value.wrong("must be \"read\": a token that may write is not asked for");
            }
            Some((name, level))
        })
        .collect();
    GithubApp {
        role: table.text("role", "the host role of the API"),
        app_id: open_field(table, "app_id", "the field with the app's id", fields),
        private_key: key_field(table, fields),
        organization: open_field(table, "organization", "the field with the organization", fields),
        permissions,
    }
}

pub(super) fn snowflake_key_pair(table: &Table<'_>, fields: &[Field]) -> SnowflakeKeyPair {
    SnowflakeKeyPair {
        account: open_field(table, "account", "the field with the account identifier", fields),
        user: open_field(table, "user", "the field with the user", fields),
        private_key: key_field(table, fields),
        passphrase: table
            .get("passphrase")
            .is_some()
            .then(|| secret_field(table, "passphrase", "the field with the key's passphrase", fields)),
    }
}

/// The field with a private key.
fn key_field(table: &Table<'_>, fields: &[Field]) -> String {
    secret_field(table, "private_key", "the field with the private key", fields)
}
