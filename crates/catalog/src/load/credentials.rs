//! The strategies that a secret or a key of an administrator's is enough for: headers, HTTP Basic, client credentials and
//! assertions; second credentials (`also`), and headers with fixed values.

use super::{
    app,
    sign_in::{host_from as read_host_from, parameters, templated_path},
    source::{Table, Value},
};
use crate::{
    Also, Assertion, ClientAuthentication, ClientCredentials, Endpoint, EntraFlow, Field, Format, Granted, HostFrom, HostRole,
    PrivateKeyProof, ScopeIn, SecretHeader, SigningAlgorithm, SigningKey, Strategy, format, hosts,
};
use std::collections::BTreeMap;

/// Fields of a token request that the strategies write themselves.
const OWN_PARAMETERS: [&str; 8] =
    ["grant_type", "client_id", "client_secret", "scope", "assertion", "client_assertion", "client_assertion_type", "code"];
/// Claims of an assertion that the strategy writes itself.
const OWN_CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope"];
/// Headers that no manifest sets, because they are the connection's, the credential's or the browser's, or change the verb.
const RESERVED: [&str; 24] = [
    "authorization",
    "proxy-authorization",
    "proxy-connection",
    "cookie",
    "set-cookie",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "origin",
    "referer",
    "range",
    "accept-encoding",
    "dpop",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "user-agent",
];
/// Of these a credential may stand in one.
const FOR_CREDENTIALS: [&str; 1] = ["authorization"];

/// `headers = { Authorization = "SSWS {api_token}" }`.
pub(super) fn headers(table: &Table<'_>, fields: &[Field]) -> Vec<SecretHeader> {
    let entries = table.get("headers").map(|value| value.entries()).unwrap_or_default();
    if entries.is_empty() {
        table.wrong("the strategy lacks `headers`: the headers that hold the secret, such as { Authorization = \"SSWS {api_token}\" }");
    }
    let mut headers: Vec<SecretHeader> = Vec::new();
    for (written, value) in entries {
        let name = written.to_ascii_lowercase();
        if !is_header_name(&name) || (RESERVED.contains(&name.as_str()) && !FOR_CREDENTIALS.contains(&name.as_str())) {
            value.report(format!("\"{written}\" is not a header that a credential may stand in"));
        }
        if headers.iter().any(|other| other.name == name) {
            value.report(format!("\"{written}\" is there twice; the case of a header's name does not tell it from another"));
        }
        let Some(text) = value.text() else { continue };
        let parts = text.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|(field, after)| (before, field, after)));
        let Some((before, field, after)) = parts.filter(|(before, _, after)| !before.contains('}') && !after.contains(['{', '}'])) else {
            value.wrong("is not text around one secret field, such as \"SSWS {api_token}\"");
            continue;
        };
        if !fields.iter().any(|known| known.id == field && known.secret) {
            value.wrong(format!("names {{{field}}}, which is not a secret field of this login option"));
        }
        if !is_header_text(before) || !is_header_text(after) {
            value.wrong("holds a character that no header may hold");
        }
        headers.push(SecretHeader { name, before: before.to_owned(), field: field.to_owned(), after: after.to_owned() });
    }
    headers
}

pub(super) fn basic(table: &Table<'_>, fields: &[Field]) -> Strategy {
    let user = table.text("user", "the user, as a template over open fields, such as {email}/token");
    template(table, "user", &user, fields, false);
    if user.contains(':') {
        table.wrong("`user` holds a colon, which ends the user in HTTP Basic");
    }
    Strategy::Basic { user, password: app::secret_field(table, "password", "the secret field that stands as the password", fields) }
}

pub(super) fn client_credentials(table: &Table<'_>, fields: &[Field]) -> Option<ClientCredentials> {
    let client_id = table.get("client_id").is_some().then(|| app::open_field(table, "client_id", "the field with the client's id", fields));
    let secret = || app::secret_field(table, "secret", "the secret field that is exchanged", fields);
    let authenticate = match table.get("authenticate") {
        None => ClientAuthentication::Post { secret: secret() },
        Some(value) if value.is_table() => {
            let inner = value.table()?;
            let key = signing_key(&inner, fields)?;
            let dpop = inner.flag_or("dpop", false);
            inner.finish();
            ClientAuthentication::PrivateKey(PrivateKeyProof { key, dpop })
        }
        Some(_) => match table.some_word("authenticate", &[("post", false), ("basic", true)])? {
            false => ClientAuthentication::Post { secret: secret() },
            true => ClientAuthentication::Basic { secret: secret() },
        },
    };
    if client_id.is_none() && !matches!(authenticate, ClientAuthentication::Post { .. }) {
        table.wrong("the strategy lacks `client_id`, which this way of authenticating names");
    }
    let parameters = parameters(table, "parameters", fields);
    for (name, _) in parameters.iter().filter(|(name, _)| OWN_PARAMETERS.contains(&name.as_str())) {
        table.wrong(format!("`parameters` holds {name}, which the strategy writes itself"));
    }
    let grant_type = table.get("grant_type").and_then(|value| value.text()).unwrap_or_else(|| "client_credentials".to_owned());
    Some(ClientCredentials {
        endpoint: endpoint(table, fields),
        client_id,
        authenticate,
        grant_type,
        parameters,
        scope: table.text_or_empty("scope"),
        granted: granted(table),
        host_from: read_host_from(table),
    })
}

pub(super) fn assertion(table: &Table<'_>, fields: &[Field]) -> Option<Assertion> {
    let text = |key: &str, what: &str| {
        let text = table.text(key, what);
        template(table, key, &text, fields, true);
        text
    };
    let subject = table.text_or_empty("subject");
    template(table, "subject", &subject, fields, true);
    let claims = table.get("claims").map(|value| value.entries()).unwrap_or_default();
    let claims: Vec<(String, String)> = claims
        .into_iter()
        .filter_map(|(name, value)| {
            let text = value.text()?;
            if OWN_CLAIMS.contains(&name.as_str()) {
                value.report(format!("`claims` holds {name}, which the strategy writes itself"));
            }
            template(table, "claims", &text, fields, true);
            Some((name, text))
        })
        .collect();
    let scope = table.text_or_empty("scope");
    let scope_in = table.word("scope_in", &[("claims", ScopeIn::Claims), ("form", ScopeIn::Form)]).unwrap_or(ScopeIn::Form);
    let lifetime = table.get("lifetime_seconds").and_then(|value| {
        let seconds = value.whole().and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| (30..=3600).contains(seconds));
        if seconds.is_none() {
            value.wrong("must lie between 30 and 3600");
        }
        seconds
    });
    let reference = |key: &str, what: &str, secret: bool| table.get(key).is_some().then(|| value_of(table, key, what, fields, secret));
    Some(Assertion {
        endpoint: endpoint(table, fields),
        key: signing_key(table, fields)?,
        issuer: text("issuer", "who signs, as a template, such as {service_account.client_email}"),
        subject,
        audience: text("audience", "for whom it is signed, as a template, such as https://oauth2.googleapis.com/token"),
        scope,
        scope_in,
        claims,
        client_id: reference("client_id", "the field with the client's id, or a key file's member", false),
        client_secret: reference("client_secret", "the field with the client's secret, or a key file's member", true),
        lifetime_seconds: lifetime.unwrap_or(300),
        granted: granted(table),
        host_from: read_host_from(table),
    })
}

/// `role` and `path` of the strategy itself.
fn endpoint(table: &Table<'_>, fields: &[Field]) -> Endpoint {
    Endpoint {
        role: table.text("role", "the host role of the token endpoint"),
        path: templated_path(table, "path", "the path of the token endpoint", fields),
    }
}

fn granted(table: &Table<'_>) -> Granted {
    let granted = table.get("granted").and_then(|value| value.table()).map(|inner| {
        let granted = Granted { all_of: inner.texts("all_of"), only: inner.texts("only"), none_of: inner.texts("none_of") };
        inner.finish();
        granted
    });
    granted.unwrap_or_default()
}

/// `private_key`, `passphrase`, `kid` and `algorithm`.
fn signing_key(table: &Table<'_>, fields: &[Field]) -> Option<SigningKey> {
    let private_key = value_of(table, "private_key", "the secret field with the private key, or a key file's member", fields, true);
    let field = fields.iter().find(|field| field.id == private_key);
    if field.is_some_and(|field| !matches!(field.format, Format::PrivateKey { .. })) {
        table.wrong(format!("`private_key` names \"{private_key}\", whose format is not private_key"));
    }
    let passphrase = table.get("passphrase").is_some();
    let passphrase =
        passphrase.then(|| value_of(table, "passphrase", "the field with the key's passphrase, or a key file's member", fields, true));
    let kid = table.get("kid").and_then(|value| value.text());
    if let Some(kid) = &kid {
        template(table, "kid", kid, fields, true);
    }
    let algorithm = match table.get("algorithm") {
        None => SigningAlgorithm::default(),
        Some(_) => table.some_word("algorithm", &SigningAlgorithm::WORDS)?,
    };
    Some(SigningKey { private_key, passphrase, kid, algorithm })
}

/// The name of a field, or `field.member` of a key file. A secret never stands where an open value is meant, but for members
/// of key files, which hold names too.
fn value_of(table: &Table<'_>, key: &str, what: &str, fields: &[Field], secret: bool) -> String {
    let text = table.text(key, what);
    if text.is_empty() {
        return text;
    }
    if let Some((file, member)) = text.split_once('.') {
        if !is_member(fields, file, member) {
            table.wrong(format!("`{key}` names \"{text}\", which is not a member that a key file of this login option must hold"));
        }
    } else if !fields.iter().any(|field| field.id == text && field.secret == secret) {
        let kind = if secret { "a secret" } else { "an open" };
        table.wrong(format!("`{key}` names \"{text}\", which is not {kind} field of this login option"));
    }
    text
}

fn is_member(fields: &[Field], file: &str, member: &str) -> bool {
    fields.iter().any(|field| {
        field.id == file && matches!(&field.format, Format::KeyFile { members, .. } if members.iter().any(|known| known == member))
    })
}

/// Looks at the placeholders of a template: open fields, and members of key files where `members` says so.
fn template(table: &Table<'_>, key: &str, text: &str, fields: &[Field], members: bool) {
    let Some(names) = hosts::placeholders(text) else {
        table.wrong(format!("`{key}` is \"{text}\", whose braces do not pair; write placeholders as {{organization}}"));
        return;
    };
    for name in names {
        let right = match name.split_once('.') {
            Some((file, member)) => members && is_member(fields, file, member),
            None => fields.iter().any(|field| field.id == name && !field.secret),
        };
        if !right {
            let what = if members {
                "an open field of this login option, nor a member that one of its key files must hold"
            } else {
                "an open field of this login option"
            };
            table.wrong(format!("`{key}` names {{{name}}}, which is not {what}"));
        }
    }
}

/// The host roles that a strategy with a token endpoint names.
pub(super) fn roles<'s>(endpoint: &'s Endpoint, host_from: Option<&'s HostFrom>) -> Vec<&'s str> {
    std::iter::once(endpoint.role.as_str()).chain(host_from.map(|from| from.role.as_str())).collect()
}

/// Which role's host the token endpoint of a strategy names.
pub(super) fn host_from(strategy: &Strategy) -> Option<&HostFrom> {
    match strategy {
        Strategy::ClientCredentials(strategy) => strategy.host_from.as_ref(),
        Strategy::Assertion(strategy) => strategy.host_from.as_ref(),
        Strategy::AuthorizationCode(strategy) => strategy.host_from.as_ref(),
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::Okta(_)
        | Strategy::Entra(_)
        | Strategy::DeviceCode(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_) => None,
    }
}

/// `[[login.also]]`: further credentials.
pub(super) fn also(table: &Table<'_>, fields: &[Field]) -> Vec<Also> {
    let mut all: Vec<Also> = Vec::new();
    for inner in table.tables("also") {
        let roles = inner.some_texts("roles", "the host roles whose datasets this credential is sent to");
        let strategy = app::strategy(&inner, fields);
        match &strategy {
            Some(Strategy::Okta(_)) => inner.wrong("a second credential does not sign in through Okta"),
            Some(
                Strategy::AuthorizationCode(_)
                | Strategy::DeviceCode(_)
                | Strategy::Entra(crate::EntraSignIn { flow: EntraFlow::DeviceCode | EntraFlow::Browser, .. }),
            ) => inner.wrong("a second credential asks nobody: it is a secret or a key, and no person in a browser"),
            Some(
                Strategy::Bearer { .. }
                | Strategy::Headers { .. }
                | Strategy::Basic { .. }
                | Strategy::ClientCredentials(_)
                | Strategy::Assertion(_)
                | Strategy::Entra(_)
                | Strategy::GithubApp(_)
                | Strategy::SnowflakeKeyPair(_),
            )
            | None => {}
        }
        if strategy.as_ref().and_then(host_from).is_some() {
            inner.wrong("`host_from` is for the first credential of a login option");
        }
        for role in roles.iter().filter(|role| all.iter().any(|other| other.roles.contains(role))) {
            inner.wrong(format!("two credentials are meant for the host role \"{role}\""));
        }
        inner.finish();
        all.extend(strategy.map(|strategy| Also { roles, strategy }));
    }
    all
}

/// Holds each strategy of a login option against the roles and hosts that are its own.
pub(super) fn fits(table: &Table<'_>, strategy: &Strategy, also: &[Also], roles: &[HostRole], hosts: &[String], fields: &[Field]) {
    for name in also.iter().flat_map(|also| &also.roles).filter(|name| !roles.iter().any(|role| role.id == **name)) {
        table.wrong(format!("`also` names the host role \"{name}\", which is not in `roles` of this login option"));
    }
    if let Some(from) = host_from(strategy)
        && also.iter().any(|also| also.roles.contains(&from.role) || app::named_roles(&also.strategy).contains(&from.role.as_str()))
    {
        table.wrong(format!(
            "`host_from` names the host role \"{}\", to which `also` sends another credential; a named host receives the token alone",
            from.role
        ));
    }
    let is_also = |role: &HostRole| also.iter().any(|also| also.roles.contains(&role.id));
    let own = |strategy: &Strategy, meant: &dyn Fn(&HostRole) -> bool| {
        let named = app::named_roles(strategy);
        let own: Vec<HostRole> = roles.iter().filter(|role| meant(role) || named.contains(&role.id.as_str())).cloned().collect();
        let elsewhere = |template: &String| {
            roles.iter().any(|role| role.hosts.contains(template)) && !own.iter().any(|role| role.hosts.contains(template))
        };
        let hosts: Vec<String> = hosts.iter().filter(|template| !elsewhere(template)).cloned().collect();
        app::fits(table, strategy, &own, &hosts, fields);
    };
    own(strategy, &|role| !is_also(role));
    for one in also {
        own(&one.strategy, &|role| one.roles.contains(&role.id));
    }
}

/// Says of fields with a private key whether it may be encrypted: where the strategy has a place for its passphrase.
pub(super) fn with_passphrases<'s>(mut fields: Vec<Field>, strategies: impl Iterator<Item = &'s Strategy>) -> Vec<Field> {
    for strategy in strategies {
        let key = match strategy {
            Strategy::ClientCredentials(ClientCredentials { authenticate: ClientAuthentication::PrivateKey(proof), .. }) => {
                proof.key.passphrase.as_ref().map(|_| &proof.key.private_key)
            }
            Strategy::Assertion(strategy) => strategy.key.passphrase.as_ref().map(|_| &strategy.key.private_key),
            Strategy::SnowflakeKeyPair(strategy) => strategy.passphrase.as_ref().map(|_| &strategy.private_key),
            Strategy::Bearer { .. }
            | Strategy::Headers { .. }
            | Strategy::Basic { .. }
            | Strategy::ClientCredentials(_)
            | Strategy::Okta(_)
            | Strategy::Entra(_)
            | Strategy::AuthorizationCode(_)
            | Strategy::DeviceCode(_)
            | Strategy::GithubApp(_) => None,
        };
        for field in fields.iter_mut().filter(|field| Some(&field.id) == key) {
            if let Format::PrivateKey { encrypted } = &mut field.format {
                *encrypted = true;
            }
        }
    }
    fields
}

/// `{ kind = "vendor_host", suffixes = [".my.salesforce.com"], complete = ".my.salesforce.com" }`.
pub(super) fn vendor_host(table: &Table<'_>) -> Format {
    let suffixes = table.some_texts("suffixes", "the vendor's own domains, such as .my.salesforce.com");
    let complete = table.get("complete").and_then(|value| value.text());
    for suffix in suffixes.iter().filter(|suffix| !suffix.strip_prefix('.').is_some_and(|rest| rest.contains('.') && format::is_host(rest)))
    {
        table.wrong(format!("the suffix \"{suffix}\" is no domain of a vendor; write it as .my.salesforce.com, with at least two labels"));
    }
    if let Some(complete) = complete.as_ref().filter(|complete| !suffixes.iter().any(|suffix| complete.ends_with(suffix.as_str()))) {
        table.wrong(format!("`complete` is \"{complete}\", which does not end in one of `suffixes`"));
    }
    Format::VendorHost { suffixes, complete }
}

/// `headers`: fixed values that dataset requests carry.
pub(super) fn constant_headers(table: &Table<'_>) -> BTreeMap<String, String> {
    table.get("headers").map(|value| read_constants(&value)).unwrap_or_default()
}

fn read_constants(value: &Value<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (written, value) in value.entries() {
        let name = written.to_ascii_lowercase();
        let Some(text) = value.text() else { continue };
        if !is_header_name(&name) || RESERVED.contains(&name.as_str()) || name.starts_with("proxy-") || name.starts_with("sec-") {
            value.report(format!("\"{written}\" is not a header that a manifest sets"));
        } else if text.is_empty() || !is_header_text(&text) || text.contains(['{', '}']) {
            value.wrong("is not a fixed value of a header: visible letters and spaces, no placeholder");
        } else if headers.insert(name, text).is_some() {
            value.report(format!("\"{written}\" is there twice; the case of a header's name does not tell it from another"));
        }
    }
    headers
}

/// A token (RFC 9110, section 5.6.2) in lower case.
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
}

fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
