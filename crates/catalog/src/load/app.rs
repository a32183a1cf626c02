//! `app.toml`: the tile, the login options and their fields.

use super::{
    credentials, sign_in,
    source::{Errors, Table, Value},
    words,
};
use crate::{
    Availability, Category, Choice, Discover, EntraFlow, EntraSignIn, Expires, ExpiryPlace, Feature, Field, FieldPath, Format, HostRole,
    Identity, LeftOut, Login, Meaning, Mistaken, NeverCalled, NotCovered, NotOffered, OktaLookup, OktaSignIn, OktaStart, Place,
    PlannedLogin, Says, Scope, Step, Strategy, Unused, Verified, format, hosts,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a tile needs of `app.toml`; reading it looks at nothing else.
pub(super) struct Front {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) vendor: String,
    pub(super) category: Category,
    pub(super) features: Vec<Feature>,
    pub(super) verified: Verified,
    pub(super) availability: Availability,
}

/// All of `app.toml`.
pub(super) struct Whole {
    pub(super) front: Front,
    pub(super) home: String,
    pub(super) link_hosts: Vec<String>,
    pub(super) never: Vec<NeverCalled>,
    pub(super) says: Vec<Says>,
    pub(super) logins: Vec<Login>,
    pub(super) not_offered: Vec<NotOffered>,
    pub(super) planned: Vec<PlannedLogin>,
    pub(super) ended: Option<String>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) not_covered: Vec<NotCovered>,
    pub(super) scopes: Vec<Scope>,
}

pub(super) fn front(table: &Table<'_>, folder: &str) -> Option<Front> {
    let slug = table.text("slug", "the application's stable name, the same as the folder's");
    if !slug.is_empty() && slug != folder {
        table.errors.add(&table.place_of("slug"), format!("`slug` is \"{slug}\" but the folder is \"{folder}\"; name both alike"));
    }
    if !is_slug(folder) {
        table.wrong(format!(
            "the folder \"{folder}\" is not a slug; use lower-case letters, digits and hyphens, starting with a letter or digit"
        ));
    }
    let name = table.text("name", "the product's name as its vendor writes it");
    let vendor = table.text("vendor", "the company that makes it");
    let category = table.some_word("category", words::CATEGORIES);
    let verified = table.some_word("verified", words::VERIFIED);
    let features = match table.get("features") {
        Some(value) => value.items().iter().filter_map(|item| super::source::word(item, words::FEATURES)).collect(),
        None => {
            table.wrong("app.toml lacks `features`: the kinds of scan, of config, risky_accounts, third_party_plugins, identity");
            Vec::new()
        }
    };
    let availability = match (table.get("login"), table.get("ended"), table.get("planned_login")) {
        (Some(_), _, _) => Availability::Offered,
        (None, Some(_), _) => Availability::Ended,
        (None, None, Some(_)) => Availability::Planned,
        (None, None, None) => Availability::Attested,
    };
    Some(Front { slug: folder.to_owned(), name, vendor, category: category?, features, verified: verified?, availability })
}

fn is_slug(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

pub(super) fn read(table: Table<'_>, folder: &str) -> Option<Whole> {
    let front = front(&table, folder);
    // A tile for whatever the catalog does not know has no home page, and the hosts of its links are the administrator's.
    let attested = table.get("login").is_none() && front.as_ref().is_some_and(|front| front.verified == Verified::Manual);
    let (home, link_hosts) = match attested {
        true => (table.text_or_empty("home"), table.texts("link_hosts")),
        false => (
            table.text("home", "the product's public home page"),
            table.some_texts("link_hosts", "the hosts that links to the vendor's console and documents may point at"),
        ),
    };
    words::https(table.errors, &table.place_of("home"), "home", &home);
    let never = table.tables("never").into_iter().map(never).collect();
    let says = table.tables("says").into_iter().filter_map(says).collect();
    let logins: Vec<Login> = table.tables("login").into_iter().filter_map(|login| self::login(login, &link_hosts)).collect();
    if table.get("login").is_none() && !attested && front.is_some() {
        table.wrong("app.toml lacks `[[login]]`: at least one way to sign in, unless nothing is scanned (verified = \"manual\")");
    }
    for (at, login) in logins.iter().enumerate() {
        if logins[..at].iter().any(|other| other.id == login.id) {
            table.errors.add(&login.place, format!("the login option \"{}\" is there twice; give each its own id", login.id));
        }
    }
    let not_offered: Vec<NotOffered> = table.tables("not_offered").into_iter().map(not_offered).collect();
    for (at, option) in not_offered.iter().enumerate() {
        if let Some(login) = logins.iter().find(|login| login.label == option.label) {
            table
                .errors
                .add(&option.place, format!("\"{}\" is both offered and not offered; the login option is \"{}\"", option.label, login.id));
        }
        if not_offered[..at].iter().any(|other| other.label == option.label) {
            table.errors.add(&option.place, format!("\"{}\" is not offered twice; say it once", option.label));
        }
    }
    let planned: Vec<PlannedLogin> = table.tables("planned_login").into_iter().map(planned).collect();
    if !planned.is_empty() && !logins.is_empty() {
        table
            .wrong("`[[planned_login]]` is for applications that nothing signs in to yet; write the option as `[[login]]` or leave it out");
    }
    let ended = table.get("ended").and_then(|value| value.text());
    if ended.is_some() && !(logins.is_empty() && planned.is_empty()) {
        table.wrong("the service has ended, so there is no way to sign in; leave out `[[login]]` and `[[planned_login]]`");
    }
    let left_out: Vec<LeftOut> = table.tables("left_out").into_iter().map(|one| left_out(one, folder)).collect();
    for (at, one) in left_out.iter().enumerate() {
        if left_out[..at].iter().any(|other| other.id == one.id) {
            table.errors.add(&one.place, format!("\"{}\" is left out twice; say it once", one.id));
        }
    }
    let not_covered: Vec<NotCovered> = table.tables("not_covered").into_iter().map(not_covered).collect();
    for (at, one) in not_covered.iter().enumerate() {
        if not_covered[..at].iter().any(|other| other.sscf == one.sscf) {
            table.errors.add(&one.place, format!("{} is not covered twice; say it once", one.sscf));
        }
    }
    let scopes: Vec<Scope> = table.tables("scope").into_iter().map(scope).collect();
    for (at, one) in scopes.iter().enumerate() {
        if scopes[..at].iter().any(|other| other.name == one.name) {
            table.errors.add(&one.place, format!("the scope \"{}\" is there twice; name all that it holds once", one.name));
        }
    }
    table.finish();
    Some(Whole { front: front?, home, link_hosts, never, says, logins, not_offered, planned, ended, left_out, not_covered, scopes })
}

/// `[[planned_login]]`: a way to sign in that the application will have.
fn planned(table: Table<'_>) -> PlannedLogin {
    let option = PlannedLogin {
        label: table.text("label", "what the administrator will choose, such as API key"),
        summary: table.text("summary", "one line: what the administrator will need to have"),
    };
    table.finish();
    option
}

/// `[[left_out]]`: a check that is known and not built.
fn left_out(table: Table<'_>, slug: &str) -> LeftOut {
    let id = table.text("id", "the id that the check would have");
    if !id.is_empty() && !id.strip_prefix(slug).is_some_and(|rest| rest.starts_with('.')) {
        table.errors.add(&table.place_of("id"), format!("the id \"{id}\" does not start with \"{slug}.\""));
    }
    let one = LeftOut {
        id,
        title: table.text("title", "what it would judge"),
        reason: table.text("reason", "why it is not built, in one or two sentences"),
        place: table.place.clone(),
    };
    table.finish();
    one
}

/// `[[not_covered]]`: a control of the SSCF that no check looks at.
fn not_covered(table: Table<'_>) -> NotCovered {
    let sscf = table.text("sscf", "the control, such as LOG-SaaS-02");
    if !sscf.is_empty() && !words::is_sscf(&sscf) {
        table.errors.add(&table.place_of("sscf"), format!("\"{sscf}\" is no control of the SSCF; write it as IAM-SaaS-04"));
    }
    let one = NotCovered {
        sscf,
        reason: table.text("reason", "why no check looks at it, in one or two sentences"),
        source: words::source(&table),
        place: table.place.clone(),
    };
    table.finish();
    one
}

/// `[[scope]]`: a scope that holds others.
fn scope(table: Table<'_>) -> Scope {
    let one = Scope {
        name: table.text("name", "the scope as the vendor writes it, such as admin:org"),
        holds: table.some_texts("holds", "the scopes that it holds, such as read:org"),
        source: words::source(&table),
        place: table.place.clone(),
    };
    if one.holds.contains(&one.name) {
        table.wrong(format!("the scope \"{}\" holds itself; leave it out of `holds`", one.name));
    }
    table.finish();
    one
}

/// `granted_header`, in lower case.
fn granted_header(table: &Table<'_>) -> Option<String> {
    header_name(&table.get("granted_header")?, "lists scopes")
}

/// The name of a response header, in lower case.
fn header_name(value: &Value<'_>, what: &str) -> Option<String> {
    let name = value.text()?.to_ascii_lowercase();
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !fits || ["set-cookie", "authorization"].contains(&name.as_str()) {
        value.wrong(format!("is \"{name}\", which is not the name of a header that {what}"));
        return None;
    }
    Some(name)
}

/// `expires`; that a field fits its dataset is looked at once the datasets are read.
fn expires(table: &Table<'_>) -> Option<Expires> {
    let value = table.get("expires")?;
    let mut inner = value.table()?;
    inner.what = "`expires`".to_owned();
    let told = match (inner.get("header"), inner.get("dataset").or_else(|| inner.get("field"))) {
        (Some(header), None) => {
            let name = header_name(&header, "tells when a credential ends");
            let written = inner.text("format", "how the header writes the time, as in `keep`: timestamp, timestamp(date)");
            let format = super::keep::timestamp_format(&written);
            if format.is_none() && !written.is_empty() {
                inner.wrong(format!("`format` is \"{written}\", which is no way to write a time; take one of those of `keep`"));
            }
            name.zip(format).map(|(name, format)| ExpiryPlace::Header { name, format })
        }
        (None, Some(_)) => Some(ExpiryPlace::Field {
            dataset: inner.text("dataset", "the dataset whose one row is about the credential that is used"),
            field: FieldPath(inner.text("field", "the kept field that tells when it ends")),
        }),
        (Some(_), Some(_)) => {
            inner.wrong("`expires` names a header and a dataset; the vendor tells it in one place");
            None
        }
        (None, None) => {
            inner.wrong("`expires` lacks the place: `header` with `format`, or `dataset` with `field`");
            None
        }
    };
    let source = words::source(&inner);
    inner.finish();
    Some(Expires { told: told?, source })
}

/// `unused`: what ends by itself when nobody uses it.
fn unused(table: &Table<'_>) -> Option<Unused> {
    let value = table.get("unused")?;
    let mut inner = value.table()?;
    inner.what = "`unused`".to_owned();
    let days = inner.get("days").and_then(|days| days.whole()).and_then(|days| u32::try_from(days).ok());
    let days = days.filter(|days| (14..=730).contains(days));
    if days.is_none() {
        inner.wrong("`unused` needs `days` from 14 to 730: so long after its last use it ends");
    }
    let source = words::source(&inner);
    inner.finish();
    Some(Unused { days: days?, source })
}

/// `[[not_offered]]`: a way to sign in that an administrator may look for.
fn not_offered(table: Table<'_>) -> NotOffered {
    let option = NotOffered {
        label: table.text("label", "what an administrator looks for"),
        reason: table.text("reason", "why it is not offered, in one or two sentences"),
        instead: table.text("instead", "what to take in its place"),
        source: words::source(&table),
        place: table.place.clone(),
    };
    table.finish();
    option
}

fn never(table: Table<'_>) -> NeverCalled {
    let never = NeverCalled {
        path: table.text("path", "the path template that is refused"),
        reason: table.text("reason", "why no scan may call it, in one sentence"),
        place: table.place.clone(),
    };
    table.finish();
    never
}

/// `[[says]]`: an answer with a meaning of its own.
pub(super) fn says(table: Table<'_>) -> Option<Says> {
    let status = table
        .get("status")
        .and_then(|value| value.whole())
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (100..600).contains(status));
    if status.is_none() {
        table.wrong("[[says]] lacks a `status` from 100 to 599: the HTTP status it comes with");
    }
    let pair = |key: &str, text: &str| {
        let inner = table.get(key)?.table()?;
        let path = inner.text("path", "where the text lies in the body");
        let text = inner.text(text, "the text to compare with");
        words::path(&inner, "path", &path);
        inner.finish();
        Some((FieldPath(path), text))
    };
    let body = pair("body", "is");
    let body_contains = pair("body_contains", "text");
    let header = table.get("header").and_then(|value| value.text()).map(|header| header.to_ascii_lowercase());
    let means = table.get("means");
    let meaning = match &means {
        Some(value) if value.is_table() => value.table().map(|inner| {
            let row: BTreeMap<_, _> =
                inner.get("row").map(|row| row.entries().into_iter().map(|(key, value)| (key, value.json())).collect()).unwrap_or_default();
            if row.is_empty() {
                value.wrong("names no row; write { row = { protected = false } }");
            }
            inner.finish();
            Meaning::Row(row)
        }),
        Some(value) => super::source::word(
            value,
            &[
                ("credential_refused", &Meaning::CredentialRefused),
                ("scope_missing", &Meaning::ScopeMissing),
                ("plan_lacks", &Meaning::PlanLacks),
                ("throttled", &Meaning::Throttled),
            ],
        )
        .cloned(),
        None => {
            table.wrong("[[says]] lacks `means`: credential_refused, scope_missing, plan_lacks, throttled, or { row = { … } }");
            None
        }
    };
    let sentence = table.text_or_empty("sentence");
    let source = words::source(&table);
    let place = table.place.clone();
    table.finish();
    Some(Says { status: status?, body, body_contains, header, means: meaning?, sentence, source, place })
}

fn login(table: Table<'_>, link_hosts: &[String]) -> Option<Login> {
    let id = table.text("id", "stable within the application, such as api-key");
    let label = table.text("label", "what the administrator chooses, such as API Key");
    let summary = table.text("summary", "one line: what the administrator needs to have");
    let fields: Vec<Field> = table.tables("field").into_iter().filter_map(|one| field(one, link_hosts)).collect();
    for (at, field) in fields.iter().enumerate() {
        if fields[..at].iter().any(|other| other.id == field.id) {
            table.wrong(format!("the field \"{}\" is there twice in login option \"{id}\"; give each its own id", field.id));
        }
    }
    let strategy = strategy(&table, &fields);
    let also = credentials::also(&table, &fields);
    let headers = credentials::constant_headers(&table);
    let fields = match &strategy {
        Some(strategy) => credentials::with_passphrases(fields, std::iter::once(strategy).chain(also.iter().map(|also| &also.strategy))),
        None => fields,
    };
    let hosts = match table.get("hosts") {
        Some(value) => host_templates(&value, &fields),
        None => {
            table.wrong("[[login]] lacks `hosts`: every host that may receive this option's credentials");
            Vec::new()
        }
    };
    let roles: Vec<HostRole> = match table.get("roles") {
        Some(value) => value.items().into_iter().filter_map(|item| role(&item, &fields, strategy.as_ref())).collect(),
        None => {
            table.wrong(
                "[[login]] lacks `roles`: the host roles that datasets name, such as { id = \"api\", hosts = [\"api.example.com\"] }",
            );
            Vec::new()
        }
    };
    if let Some(strategy) = &strategy {
        credentials::fits(&table, strategy, &also, &roles, &hosts, &fields);
    }
    let test = table.text("test", "the dataset that is read to test the connection");
    let discover = discover(&table, &fields);
    let identity = identity(&table);
    let needs = table.texts("needs");
    let granted_header = granted_header(&table);
    let expires = expires(&table);
    let unused = unused(&table);
    // Of two ends the nearer one is kept, and a sign-in that does not tell the other would lose it.
    if let (Some(ExpiryPlace::Field { .. }), Some(_)) = (expires.as_ref().map(|expires| &expires.told), &unused) {
        table.wrong(format!(
            "login option \"{id}\" has `expires` with a dataset and `unused`, and only one of the two ends would be kept; declare the one that comes first"
        ));
    }
    let steps =
        table.get("steps").map(|value| value.items().iter().filter_map(|item| step(item, link_hosts)).collect()).unwrap_or_default();
    let source = words::source(&table);
    let place = table.place.clone();
    table.finish();
    Some(Login {
        id,
        label,
        summary,
        strategy: strategy?,
        fields,
        also,
        headers,
        hosts,
        roles,
        test,
        discover,
        identity,
        needs,
        granted_header,
        expires,
        unused,
        steps,
        source,
        place,
    })
}

pub(super) fn strategy(table: &Table<'_>, fields: &[Field]) -> Option<Strategy> {
    let Some(value) = table.get("strategy") else {
        table.wrong("[[login]] lacks `strategy`: the code that signs in, such as { name = \"bearer\", token = \"api_key\" }");
        return None;
    };
    let inner = value.table()?;
    let names = [
        ("bearer", 0),
        ("client_credentials", 1),
        ("okta", 2),
        ("entra", 3),
        ("headers", 4),
        ("basic", 5),
        ("assertion", 6),
        ("authorization_code", 10),
        ("device_code", 11),
        ("github_app", 12),
        ("snowflake_key_pair", 13),
    ];
    let strategy = match inner.some_word("name", &names)? {
        0 => Strategy::Bearer { token: secret_field(&inner, "token", "the secret field that holds the token", fields) },
        1 => Strategy::ClientCredentials(credentials::client_credentials(&inner, fields)?),
        4 => Strategy::Headers { headers: credentials::headers(&inner, fields) },
        5 => credentials::basic(&inner, fields),
        6 => Strategy::Assertion(credentials::assertion(&inner, fields)?),
        2 => Strategy::Okta(okta(&inner, fields)?),
        10 => Strategy::AuthorizationCode(sign_in::authorization_code(&inner, fields)?),
        11 => Strategy::DeviceCode(sign_in::device_code(&inner, fields)?),
        12 => Strategy::GithubApp(sign_in::github_app(&inner, fields)),
        13 => Strategy::SnowflakeKeyPair(sign_in::snowflake_key_pair(&inner, fields)),
        _ => Strategy::Entra(entra(&inner, fields)?),
    };
    inner.finish();
    Some(strategy)
}

/// The hosts at which Microsoft Entra ID signs in.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud>
const ENTRA_AUTHORITIES: [&str; 2] = ["login.microsoftonline.com", "login.microsoftonline.us"];
/// The resource of scopes that name none.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc>
const MICROSOFT_GRAPH: &str = "graph.microsoft.com";
/// Scopes of OpenID Connect, which open no resource.
const OF_NO_RESOURCE: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The host roles that a strategy itself asks.
pub(super) fn named_roles(strategy: &Strategy) -> Vec<&str> {
    match strategy {
        Strategy::Bearer { .. } | Strategy::Headers { .. } | Strategy::Basic { .. } => Vec::new(),
        Strategy::ClientCredentials(strategy) => credentials::roles(&strategy.endpoint, strategy.host_from.as_ref()),
        Strategy::Assertion(strategy) => credentials::roles(&strategy.endpoint, strategy.host_from.as_ref()),
        Strategy::Okta(strategy) => {
            let lookup = match &strategy.start {
                OktaStart::Application { lookup, .. } => lookup.as_ref().map(|lookup| lookup.role.as_str()),
                OktaStart::AppLink { .. } => None,
            };
            [strategy.okta.as_str(), strategy.app.as_str()].into_iter().chain(lookup).collect()
        }
        Strategy::Entra(strategy) => vec![&strategy.authority],
        Strategy::AuthorizationCode(strategy) => {
            let named = [strategy.authorize.role.as_str(), strategy.token.role.as_str()].into_iter();
            named.chain(strategy.host_from.as_ref().map(|from| from.role.as_str())).collect()
        }
        Strategy::DeviceCode(strategy) => vec![&strategy.device.role, &strategy.token.role],
        Strategy::GithubApp(strategy) => vec![&strategy.role],
        Strategy::SnowflakeKeyPair(_) => Vec::new(),
    }
}

/// The host roles of the endpoints that a strategy signs in at, where an answer may name another host.
fn endpoints(strategy: &Strategy) -> Vec<&str> {
    match strategy {
        Strategy::ClientCredentials(strategy) => vec![&strategy.endpoint.role],
        Strategy::Assertion(strategy) => vec![&strategy.endpoint.role],
        Strategy::AuthorizationCode(strategy) => vec![&strategy.authorize.role, &strategy.token.role],
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::Okta(_)
        | Strategy::Entra(_)
        | Strategy::DeviceCode(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_) => Vec::new(),
    }
}

/// Holds a strategy against the rest of its login option: the host roles that it names are there, what is asked of
/// Microsoft Entra ID is what the flow can give, and passwords, codes and secrets of an identity provider go to its hosts
/// only, whoever wrote the manifest.
pub(super) fn fits(table: &Table<'_>, strategy: &Strategy, roles: &[HostRole], hosts: &[String], fields: &[Field]) {
    let wrong = |message: String| table.errors.add(&table.place_of("strategy"), message);
    for name in named_roles(strategy).into_iter().filter(|name| !name.is_empty() && !roles.iter().any(|role| role.id == **name)) {
        wrong(format!("the strategy names the host role \"{name}\", which is not in `roles` of this login option"));
    }
    // What an answer names is known only after the credential was sent to the others.
    if let Some(from) = credentials::host_from(strategy)
        && endpoints(strategy).contains(&from.role.as_str())
    {
        wrong(format!(
            "`host_from` names the host role \"{}\", at which the token itself is asked for; give the named host a role of its own",
            from.role
        ));
    }
    match strategy {
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::ClientCredentials(_)
        | Strategy::Assertion(_)
        | Strategy::AuthorizationCode(_)
        | Strategy::DeviceCode(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_) => {}
        Strategy::Okta(strategy) => {
            for role in roles.iter().filter(|role| role.id == strategy.okta) {
                okta_hosts(role, fields, wrong);
            }
        }
        Strategy::Entra(strategy) => entra_hosts(strategy, roles, hosts, fields, wrong),
    }
    if let Strategy::Entra(EntraSignIn { flow: EntraFlow::Secret { .. } | EntraFlow::Certificate { .. }, scope, .. }) = strategy
        && !scope.is_empty()
        && (scope.contains(char::is_whitespace) || !scope.ends_with("/.default"))
    {
        wrong(format!("the scope \"{scope}\" is not one resource's; an application asks for https://graph.microsoft.com/.default"));
    }
}

/// Every host of the Okta organization is one that the person gave as such: by its name, which only Okta can give out, and by
/// a domain of the company's own that was asked for behind a tick.
fn okta_hosts(role: &HostRole, fields: &[Field], wrong: impl Fn(String)) {
    let field = |template: &str| fields.iter().find(|field| format!("{{{}}}", field.id) == template);
    for template in &role.hosts {
        let right = field(template).is_some_and(|field| {
            let by_name = field.format == Format::OktaDomain && !field.optional;
            let by_own_domain = field.format == Format::OktaCustomDomain && field.optional && field.reveal.is_some();
            field.default.is_none() && (by_name || by_own_domain)
        });
        if !right {
            wrong(format!(
                "the Okta organization's role \"{}\" has the host \"{template}\"; name a field of format okta_domain that is neither optional nor has a default, or an optional one of format okta_custom_domain with a `reveal` and without a default",
                role.id
            ));
        }
    }
    if !role.hosts.iter().any(|template| field(template).is_some_and(|field| field.format == Format::OktaDomain)) {
        wrong(format!("the Okta organization's role \"{}\" names no field of format okta_domain", role.id));
    }
}

/// The authority lies in a cloud of Microsoft's, and the token goes to the resource that it is for.
fn entra_hosts(strategy: &EntraSignIn, roles: &[HostRole], hosts: &[String], fields: &[Field], wrong: impl Fn(String)) {
    // What a template can come to; nothing that a person types stands in it.
    let come_to = |template: &str| -> Option<Vec<String>> {
        if !template.contains('{') {
            return Some(vec![template.to_owned()]);
        }
        let field = fields.iter().find(|field| format!("{{{}}}", field.id) == template && field.format == Format::Choice)?;
        Some(field.choices.iter().map(|choice| choice.host.clone().unwrap_or_else(|| choice.value.clone())).collect())
    };
    let lies_in =
        |template: &str, allowed: &[&str]| come_to(template).is_some_and(|hosts| hosts.iter().all(|host| allowed.contains(&host.as_str())));
    let resource = |word: &str| {
        let url = url::Url::parse(word).ok().filter(|url| url.scheme() == "https");
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| MICROSOFT_GRAPH.to_owned())
    };
    let words = strategy.scope.split_ascii_whitespace().filter(|word| !OF_NO_RESOURCE.contains(word));
    let mut resources: BTreeSet<String> = words.map(resource).collect();
    if resources.is_empty() {
        resources.insert(MICROSOFT_GRAPH.to_owned());
    }
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    if resources.len() > 1 {
        wrong(format!("the scope speaks of {}; a token is for one resource", resources.join(" and ")));
    }
    for role in roles {
        let (allowed, what) = if role.id == strategy.authority {
            (&ENTRA_AUTHORITIES[..], "a cloud of Microsoft Entra ID")
        } else {
            (&resources[..], "the resource that the scope names")
        };
        for template in role.hosts.iter().filter(|template| !lies_in(template, allowed)) {
            wrong(format!("the role \"{}\" has the host \"{template}\", which is not {what}: {}", role.id, allowed.join(", ")));
        }
    }
    for template in hosts.iter().filter(|template| !lies_in(template, &ENTRA_AUTHORITIES) && !lies_in(template, &resources)) {
        wrong(format!(
            "`hosts` holds \"{template}\", which is neither a cloud of Microsoft Entra ID nor the resource that the scope names"
        ));
    }
}

pub(super) fn named_field(table: &Table<'_>, key: &str, what: &str, fields: &[Field], secret: bool) -> String {
    let id = table.text(key, what);
    if !id.is_empty() && !fields.iter().any(|field| field.id == id && field.secret == secret) {
        let kind = if secret { "a secret" } else { "an open" };
        table.wrong(format!("`{key}` names \"{id}\", which is not {kind} field of this login option"));
    }
    id
}

pub(super) fn secret_field(table: &Table<'_>, key: &str, what: &str, fields: &[Field]) -> String {
    named_field(table, key, what, fields, true)
}

pub(super) fn open_field(table: &Table<'_>, key: &str, what: &str, fields: &[Field]) -> String {
    named_field(table, key, what, fields, false)
}

pub(super) fn path_of(table: &Table<'_>, key: &str, what: &str) -> String {
    let path = table.text(key, what);
    if !path.is_empty() && (!path.starts_with('/') || path.contains("..") || path.contains("//")) {
        table.wrong(format!("`{key}` is \"{path}\", which is not a path; write it as /v1/token"));
    }
    path
}

fn okta(table: &Table<'_>, fields: &[Field]) -> Option<OktaSignIn> {
    let prefixes = |key: &str| {
        let paths = table.texts(key);
        for path in paths.iter().filter(|path| !path.starts_with('/') || path.contains("..")) {
            table.wrong(format!("`{key}` holds \"{path}\", which is not the beginning of a path; write it as /app/saml2/"));
        }
        paths
    };
    let (acs, callback) = (prefixes("acs"), prefixes("callback"));
    if acs.is_empty() && callback.is_empty() {
        table.wrong("the strategy lacks both `acs` and `callback`: where a SAML answer or an authorization code may come back to");
    }
    let start = table.get("start").and_then(|value| value.table());
    if start.is_none() {
        table.wrong("the strategy lacks `start`: { kind = \"application\", path = \"/login\" } or { kind = \"app_link\", named = \"…\" }");
    }
    let start = start.and_then(|inner| {
        let start = match inner.some_word("kind", &[("application", 0), ("app_link", 1)])? {
            0 => OktaStart::Application {
                path: path_of(&inner, "path", "the application's page that sends on to Okta"),
                lookup: inner.get("lookup").and_then(|value| value.table()).map(|lookup| {
                    let query = lookup.get("query").map(|query| query.entries()).unwrap_or_default();
                    let found = OktaLookup {
                        role: lookup.text("role", "the host role that is asked"),
                        path: path_of(&lookup, "path", "the path that is asked"),
                        query: query.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.text()?))).collect(),
                    };
                    lookup.finish();
                    found
                }),
            },
            _ => OktaStart::AppLink {
                field: inner.get("field").is_some().then(|| open_field(&inner, "field", "the field with the link", fields)),
                named: inner.text("named", "part of the application's name on the Okta dashboard"),
                relay_state: inner.get("relay_state").and_then(|value| value.text()),
            },
        };
        inner.finish();
        Some(start)
    });
    Some(OktaSignIn {
        user: open_field(table, "user", "the field with the Okta user", fields),
        password: secret_field(table, "password", "the field with the password", fields),
        mfa_key: secret_field(table, "mfa_key", "the field with the MFA secret key", fields),
        okta: table.text("okta", "the host role of the Okta organization"),
        app: table.text("app", "the host role of the application"),
        start: start?,
        acs,
        callback,
    })
}

fn entra(table: &Table<'_>, fields: &[Field]) -> Option<EntraSignIn> {
    let flow = table.get("flow");
    if flow.is_none() {
        table.wrong("the strategy lacks `flow`: secret, certificate, device_code or browser");
    }
    let inner = flow?.table()?;
    let flow = match inner.some_word("kind", &[("secret", 0), ("certificate", 1), ("device_code", 2), ("browser", 3)])? {
        0 => EntraFlow::Secret { secret: secret_field(&inner, "secret", "the field with the client secret", fields) },
        1 => EntraFlow::Certificate { pem: secret_field(&inner, "pem", "the field with certificate and key", fields) },
        2 => EntraFlow::DeviceCode,
        _ => EntraFlow::Browser,
    };
    inner.finish();
    Some(EntraSignIn {
        authority: table.text("authority", "the host role of the authority"),
        tenant: open_field(table, "tenant", "the field with the tenant", fields),
        client_id: open_field(table, "client_id", "the field with the application (client) id", fields),
        flow,
        scope: table.text("scope", "what is asked for, divided by spaces"),
    })
}

fn discover(table: &Table<'_>, fields: &[Field]) -> Option<Discover> {
    let inner = table.get("discover")?.table()?;
    let input = open_field(&inner, "input", "the choice that is settled", fields);
    let open = inner.text("open", "the value that leaves it open");
    let tries = inner.some_texts("tries", "the values to sign in with, in order");
    let field = FieldPath(inner.text("field", "where the answer of `test` holds the value"));
    let choices = fields.iter().find(|field| field.id == input).map(|field| field.choices.as_slice()).unwrap_or_default();
    for value in tries.iter().chain([&open]).filter(|value| !choices.iter().any(|choice| choice.value == **value)) {
        inner.wrong(format!("`discover` names \"{value}\", which is not a choice of \"{input}\""));
    }
    inner.finish();
    Some(Discover { input, open, tries, field })
}

/// `identity`; that it fits its dataset is looked at once the datasets are read.
fn identity(table: &Table<'_>) -> Option<Identity> {
    let inner = table.get("identity")?.table()?;
    let identity = Identity {
        dataset: inner.text("dataset", "the dataset that tells which tenant is read"),
        field: FieldPath(inner.text("field", "the field of it that no two tenants have alike, such as id")),
    };
    inner.finish();
    Some(identity)
}

fn role(value: &Value<'_>, fields: &[Field], strategy: Option<&Strategy>) -> Option<HostRole> {
    let mut table = value.table()?;
    table.what = "a host role".to_owned();
    let id = table.text("id", "the name that datasets use, such as api");
    let hosts = match table.get("hosts") {
        Some(value) => host_templates(&value, fields),
        // The token's answer names it.
        None if strategy.and_then(credentials::host_from).is_some_and(|from| from.role == id) => Vec::new(),
        None => {
            table.wrong(format!("the host role \"{id}\" lacks `hosts`: templates, tried in order"));
            Vec::new()
        }
    };
    let prefix = table.text_or_empty("prefix");
    let plain = prefix.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_-.{}".contains(letter));
    if !prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains("..") || prefix.contains("//") || !plain)
    {
        table.wrong(format!("the prefix \"{prefix}\" is not a path; write it as /api/v3, without a slash at its end"));
    }
    if let Some(names) = template(&table.place, table.errors, &prefix) {
        for name in names {
            if !fields.iter().any(|field| field.id == name && !field.secret) {
                table.wrong(format!("the prefix \"{prefix}\" names {{{name}}}, which is not an open field of this login option"));
            }
        }
    }
    table.finish();
    Some(HostRole { id, hosts, prefix })
}

fn template(place: &Place, errors: &Errors, text: &str) -> Option<Vec<String>> {
    let names = hosts::placeholders(text).map(|names| names.into_iter().map(str::to_owned).collect());
    if names.is_none() {
        errors.add(place, format!("the braces of \"{text}\" do not pair; write placeholders as {{organization}}"));
    }
    names
}

fn host_templates(value: &Value<'_>, fields: &[Field]) -> Vec<String> {
    let templates = value.texts();
    if templates.is_empty() {
        value.wrong("is empty; name at least one host");
    }
    for text in &templates {
        let Some(names) = hosts::placeholders(text) else {
            value.wrong(format!("holds \"{text}\", whose braces do not pair; write placeholders as {{organization}}"));
            continue;
        };
        if names.is_empty() && !format::is_host(text) {
            value.wrong(format!("holds \"{text}\", which is not a lower-case host name"));
        }
        for name in names {
            match fields.iter().find(|field| field.id == name) {
                None => value.wrong(format!("holds {{{name}}}, which is not a field of this login option")),
                Some(field) if field.secret => value.wrong(format!("holds {{{name}}}, which is secret; a secret never stands in a host")),
                Some(field) => match field.format {
                    Format::DnsLabel { .. } | Format::Choice => {}
                    Format::Host | Format::OktaDomain | Format::OktaCustomDomain | Format::VendorHost { .. }
                        if *text == format!("{{{name}}}") => {}
                    Format::Host | Format::OktaDomain | Format::OktaCustomDomain | Format::VendorHost { .. } => {
                        value.wrong(format!("puts the whole host {{{name}}} beside other text; use a field of format dns_label"))
                    }
                    Format::Text
                    | Format::Password
                    | Format::Jwt
                    | Format::Token { .. }
                    | Format::List { .. }
                    | Format::Email
                    | Format::MfaKey
                    | Format::Guid
                    | Format::EntraTenant
                    | Format::CertificateAndKey
                    | Format::PrivateKey { .. }
                    | Format::KeyFile { .. }
                    | Format::Pattern { .. }
                    | Format::Url { .. } => {
                        value.wrong(format!(
                            "holds {{{name}}}, whose format does not keep it a host name; use dns_label, host, vendor_host or choice"
                        ));
                    }
                },
            }
        }
    }
    templates
}

fn field(table: Table<'_>, link_hosts: &[String]) -> Option<Field> {
    let id = table.text("id", "the placeholder in templates, such as api_key");
    let label = table.text("label", "what stands before the input");
    let secret = table.flag_or("secret", false);
    let optional = table.flag_or("optional", false);
    let format = read_format(&table);
    let choices: Vec<Choice> = table.get("choices").map(|value| value.items().iter().filter_map(choice).collect()).unwrap_or_default();
    match (&format, choices.is_empty()) {
        (Some(Format::Choice), true) => table.wrong(format!("the field \"{id}\" is a choice and lacks `choices`")),
        (Some(Format::Choice), false) | (None, _) => {}
        (Some(_), false) => table.wrong(format!("the field \"{id}\" has choices, so its format must be \"choice\"")),
        (Some(_), true) => {}
    }
    let default = table.get("default").and_then(|value| value.text());
    if let (Some(default), Some(format)) = (&default, &format) {
        if secret {
            table.wrong(format!("the secret field \"{id}\" has a default; a secret is always typed"));
        } else if let Err(problem) = format.check(&choices, default) {
            table.wrong(format!("the default of the field \"{id}\" has not its format: {problem}"));
        }
    }
    let help = table.text_or_empty("help");
    let example = table.text_or_empty("example");
    let steps = table.texts("steps");
    let link = table.get("link").and_then(|value| value.text());
    if let Some(link) = &link {
        words::link(table.errors, &table.place_of("link"), link, link_hosts);
    }
    let reveal = table.get("reveal").and_then(|value| value.text());
    if reveal.is_some() && !optional {
        table.wrong(format!("the field \"{id}\" is shown only behind a tick, so it must be optional"));
    }
    if reveal.is_some() && default.is_some() {
        table.wrong(format!("the field \"{id}\" is shown only behind a tick and has a default; what nobody sees must be empty"));
    }
    table.finish();
    Some(Field { id, label, secret, optional, format: format?, choices, default, help, example, steps, link, reveal })
}

fn read_format(table: &Table<'_>) -> Option<Format> {
    let Some(value) = table.get("format") else {
        table.wrong("[[field]] lacks `format`: text, password, jwt, host, choice, email, okta_domain, okta_custom_domain, mfa_key, guid, entra_tenant, certificate_and_key, private_key, or { kind = \"token\" | \"dns_label\" | \"list\" | \"pattern\" | \"url\" | \"key_file\" | \"vendor_host\", … }");
        return None;
    };
    if value.is_text() {
        return super::source::word(
            &value,
            &[
                ("text", &Format::Text),
                ("password", &Format::Password),
                ("jwt", &Format::Jwt),
                ("host", &Format::Host),
                ("choice", &Format::Choice),
                ("email", &Format::Email),
                ("okta_domain", &Format::OktaDomain),
                ("okta_custom_domain", &Format::OktaCustomDomain),
                ("mfa_key", &Format::MfaKey),
                ("guid", &Format::Guid),
                ("entra_tenant", &Format::EntraTenant),
                ("certificate_and_key", &Format::CertificateAndKey),
                ("private_key", &Format::PrivateKey { encrypted: false }),
            ],
        )
        .cloned();
    }
    let inner = value.table()?;
    let kinds = [("token", 0), ("dns_label", 1), ("list", 2), ("pattern", 3), ("url", 4), ("key_file", 5), ("vendor_host", 6)];
    let format = match inner.some_word("kind", &kinds)? {
        0 => Format::Token {
            prefixes: inner.some_texts("prefixes", "the texts such a token starts with"),
            min: inner.get("min").and_then(|value| value.whole()).and_then(|min| u32::try_from(min).ok()).unwrap_or_default(),
            refused: inner.get("refused").map(|value| value.items().iter().filter_map(mistaken).collect()).unwrap_or_default(),
        },
        1 => Format::DnsLabel { suffixes: inner.texts("suffixes") },
        3 => {
            let expression = inner.text("expression", "the regular expression for the whole value");
            if format::whole(&expression).is_none() {
                value.wrong(format!("has the expression \"{expression}\", which is not a regular expression"));
            }
            Format::Pattern { expression, prefix: inner.text_or_empty("prefix") }
        }
        4 => Format::Url { paths: inner.texts("paths") },
        5 => Format::KeyFile {
            members: inner.some_texts("members", "the members that must be there as text, such as client_email"),
            refused: inner.get("refused").map(|value| value.items().iter().filter_map(mistaken).collect()).unwrap_or_default(),
        },
        6 => credentials::vendor_host(&inner),
        _ => {
            let item = inner.text("item", "the regular expression for one item");
            if format::whole(&item).is_none() {
                value.wrong(format!("has the item expression \"{item}\", which is not a regular expression"));
            }
            Format::List { item }
        }
    };
    inner.finish();
    Some(format)
}

fn mistaken(value: &Value<'_>) -> Option<Mistaken> {
    let mut table = value.table()?;
    table.what = "a value that is refused".to_owned();
    let expression = table.text("expression", "the regular expression for the whole value");
    if format::whole(&expression).is_none() {
        value.wrong(format!("has the expression \"{expression}\", which is not a regular expression"));
    }
    let sentence = table.text("sentence", "what it is, and what belongs here");
    table.finish();
    Some(Mistaken { expression, sentence })
}

fn choice(value: &Value<'_>) -> Option<Choice> {
    let mut table = value.table()?;
    table.what = "a choice".to_owned();
    let host = table.get("host").and_then(|value| value.text());
    if let Some(host) = host.as_deref().filter(|host| !format::is_host(host)) {
        value.wrong(format!("holds the host \"{host}\", which is not a lower-case host name"));
    }
    let choice = Choice {
        value: table.text("value", "what is stored"),
        label: table.text("label", "what is shown"),
        host,
        hidden: table.flag_or("hidden", false),
    };
    table.finish();
    Some(choice)
}

fn step(value: &Value<'_>, link_hosts: &[String]) -> Option<Step> {
    if value.is_text() {
        return value.text().map(|text| Step { text, link: None });
    }
    let mut table = value.table()?;
    table.what = "a step".to_owned();
    let text = table.text("text", "the sentence");
    let link = table.get("link").and_then(|value| value.text());
    if let Some(link) = &link {
        words::link(table.errors, &value.place, link, link_hosts);
    }
    table.finish();
    Some(Step { text, link })
}
