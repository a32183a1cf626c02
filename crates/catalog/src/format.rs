//! What a field's value must look like: checked while typing, again before anything is sent, and before a value may stand
//! in a host or path. Pure. A sentence never holds the value, nor any part of it.

use crate::{Choice, Format, KeyProblem, MfaKey, Mistaken, PrivateKey, okta_domain, private_key::Wiped};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use regex::Regex;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Why a value is not what its field asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{sentence}")]
pub struct FormatProblem {
    /// What is wrong and what would be right; safe to show and to log, for secrets too.
    pub sentence: String,
    /// The first character that is wrong, counted from 1, where there is one.
    pub position: Option<usize>,
}

fn problem<T>(sentence: impl Into<String>) -> Result<T, FormatProblem> {
    Err(FormatProblem { sentence: sentence.into(), position: None })
}

fn problem_at<T>(position: usize, sentence: impl Into<String>) -> Result<T, FormatProblem> {
    Err(FormatProblem { sentence: sentence.into(), position: Some(position) })
}

/// The longest value any format takes, in characters: tokens of real vendors stay under 8 KiB.
const LONGEST: usize = 16 * 1024;

impl Format {
    /// Checks a value as it was typed or pasted, and gives it back in the form that is stored: trimmed (but for a
    /// password), a URL reduced to its host or label, a list divided by commas.
    ///
    /// # Errors
    /// [`FormatProblem`], in words for the person who typed it.
    pub fn check(&self, choices: &[Choice], value: &str) -> Result<String, FormatProblem> {
        let whole = value;
        let value = value.trim();
        if value.is_empty() {
            return problem("Nothing is filled in yet.");
        }
        if whole.chars().count() > LONGEST {
            return problem(format!("This is too long: at most {LONGEST} characters are taken."));
        }
        match self {
            Self::Text => text(value),
            Self::Password => text(whole),
            Self::Jwt => jwt(value),
            Self::Token { prefixes, min, refused } => token(value, prefixes, *min, refused),
            Self::DnsLabel { suffixes } => dns_label(value, suffixes),
            Self::Host => host(value),
            Self::Choice => choice(value, choices),
            Self::List { item } => list(value, item),
            Self::Email => email(value),
            Self::OktaDomain => okta_domain::check(value),
            Self::OktaCustomDomain => host(value).and_then(okta_domain::custom),
            Self::MfaKey => MfaKey::parse(value).map(|key| key.canonical().to_string()),
            Self::Guid => guid(value),
            Self::EntraTenant => entra_tenant(value),
            Self::CertificateAndKey => certificate_and_key(value),
            Self::PrivateKey { encrypted } => private_key(value, *encrypted),
            Self::KeyFile { members, refused } => key_file(value, members, refused),
            Self::VendorHost { suffixes, complete } => vendor_host(value, suffixes, complete.as_deref()),
            Self::Pattern { expression, prefix } => pattern(value, expression, prefix),
            Self::Url { paths } => url(value, paths),
        }
    }

    /// The text of a member of a stored key file, with dots between levels: `boxAppSettings.clientID`. `None` where it is not
    /// there as a text that is not empty, and for text that is no JSON.
    pub fn member(file: &str, member: &str) -> Option<Zeroizing<String>> {
        let file = Wiped(serde_json::from_str(file).ok()?);
        key_file_member(&file.0, member).map(|text| Zeroizing::new(text.to_owned()))
    }

    /// The items of a stored list value.
    pub fn items(value: &str) -> impl Iterator<Item = &str> {
        value.split([',', ' ', '\t', '\r', '\n']).filter(|item| !item.is_empty())
    }

    /// What an item of a list may put into a template: `item`, the whole, and each named group of the item expression that
    /// took part (`name` and `branch` of `(?<name>[a-z]+)(@(?<branch>.+))?`). Empty for other formats and for an item that
    /// does not match.
    pub fn parts(&self, item: &str) -> BTreeMap<String, String> {
        let Self::List { item: expression } = self else { return BTreeMap::new() };
        let Some(expression) = whole(expression) else { return BTreeMap::new() };
        let Some(found) = expression.captures(item) else { return BTreeMap::new() };
        let mut parts = BTreeMap::from([("item".to_owned(), item.to_owned())]);
        for name in expression.capture_names().flatten() {
            if let Some(group) = found.name(name) {
                parts.insert(name.to_owned(), group.as_str().to_owned());
            }
        }
        parts
    }

    /// The names of [`Format::parts`]: `item` and the named groups; empty for other formats.
    pub fn part_names(&self) -> Vec<String> {
        let Self::List { item } = self else { return Vec::new() };
        let mut names = vec!["item".to_owned()];
        if let Some(expression) = whole(item) {
            names.extend(expression.capture_names().flatten().map(str::to_owned));
        }
        names
    }
}

/// The expression for a whole item.
pub(crate) fn whole(item: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{item})$")).ok()
}

fn text(value: &str) -> Result<String, FormatProblem> {
    if let Some(at) = value.chars().position(char::is_control) {
        return problem_at(at + 1, format!("Position {} holds a control character, such as a line break. Paste the value alone.", at + 1));
    }
    let length = value.chars().count();
    if length > 256 {
        return problem(format!("This is too long: it has {length} characters, and at most 256 are taken."));
    }
    Ok(value.to_owned())
}

fn jwt(value: &str) -> Result<String, FormatProblem> {
    // A header line is often copied whole.
    let value = value.strip_prefix("Bearer ").map_or(value, str::trim);
    let parts: Vec<&str> = value.split('.').collect();
    if parts.len() != 3 {
        return problem(format!(
            "This does not look like the key: it has three parts divided by dots, and {} {}. Copy it whole.",
            parts.len(),
            if parts.len() == 1 { "was found" } else { "were found" }
        ));
    }
    if let Some(at) = value.chars().position(|letter| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))) {
        return problem_at(
            at + 1,
            format!(
                "This does not look like the key: it holds only letters, digits, \"-\" and \"_\", and position {} is something else.",
                at + 1
            ),
        );
    }
    if parts.iter().any(|part| part.is_empty()) {
        return problem("This does not look like the key: one of its three parts is empty. Copy it whole.");
    }
    let header = URL_SAFE_NO_PAD.decode(parts[0]).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    if !header.is_some_and(|header| header.is_object()) {
        return problem(
            "This does not look like the key: its first part cannot be read as a token's header, so a piece of it may be missing. Copy it whole.",
        );
    }
    Ok(value.to_owned())
}

fn token(value: &str, prefixes: &[String], min: u32, refused: &[Mistaken]) -> Result<String, FormatProblem> {
    if let Some(mistaken) = refused.iter().find(|mistaken| whole(&mistaken.expression).is_some_and(|expression| expression.is_match(value)))
    {
        return problem(mistaken.sentence.clone());
    }
    let Some(prefix) = prefixes.iter().find(|prefix| value.starts_with(prefix.as_str())) else {
        return problem(format!("This does not look like the token: it starts with {}.", or(prefixes)));
    };
    if let Some(at) = value.chars().position(|letter| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))) {
        return problem_at(
            at + 1,
            format!(
                "This does not look like the token: it holds only letters, digits, \"-\" and \"_\", and position {} is something else.",
                at + 1
            ),
        );
    }
    let rest = value.len() - prefix.len();
    if rest < min as usize {
        return problem(format!("This token is cut short: at least {min} characters follow its prefix, and {rest} are here."));
    }
    Ok(value.to_owned())
}

fn or(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// The host of a pasted URL or of a host with a path; the text itself when it is neither.
fn without_url(value: &str) -> &str {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn dns_label(value: &str, suffixes: &[String]) -> Result<String, FormatProblem> {
    let lower = value.to_ascii_lowercase();
    let host = without_url(&lower);
    // The longest suffix first: one may end in another.
    let mut suffixes: Vec<&String> = suffixes.iter().collect();
    suffixes.sort_by_key(|suffix| std::cmp::Reverse(suffix.len()));
    let label = suffixes.iter().find_map(|suffix| host.strip_suffix(suffix.as_str())).unwrap_or(host);
    if label.contains('.') {
        return problem(match suffixes.first() {
            Some(_) => format!(
                "This is another host. Write only the name before {}.",
                or(&suffixes.iter().map(|suffix| (*suffix).clone()).collect::<Vec<_>>())
            ),
            None => "Write one name without dots.".to_owned(),
        });
    }
    label_problem(label).map_or_else(|| Ok(label.to_owned()), Err)
}

fn label_problem(label: &str) -> Option<FormatProblem> {
    let wrong = |position: Option<usize>, sentence: String| Some(FormatProblem { sentence, position });
    if label.is_empty() {
        return wrong(None, "The name is empty.".to_owned());
    }
    if let Some(at) = label.chars().position(|letter| !(letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')) {
        return wrong(Some(at + 1), format!("A name holds only letters, digits and hyphens; position {} is something else.", at + 1));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return wrong(None, "A name neither starts nor ends with a hyphen.".to_owned());
    }
    if label.len() > 63 {
        return wrong(None, format!("A name has at most 63 characters; this has {}.", label.len()));
    }
    None
}

/// Whether this is one lower-case DNS label.
pub(crate) fn is_label(label: &str) -> bool {
    label_problem(label).is_none()
}

/// Whether this is a lower-case DNS name, and not an address.
pub(crate) fn is_host(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(is_label)
        && !host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}

fn host(value: &str) -> Result<String, FormatProblem> {
    let lower = value.to_ascii_lowercase();
    if lower.starts_with("http://") {
        return problem("This address is not encrypted. Only https hosts are asked; leave out \"http://\" if the host answers https.");
    }
    let host = without_url(&lower);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.contains('@') {
        return problem("This holds a user name. Write the host alone.");
    }
    if host.contains(':') {
        return problem("Write the host without a port.");
    }
    if host.len() > 253 {
        return problem(format!("A host name has at most 253 characters; this has {}.", host.len()));
    }
    if let Some(wrong) = host.split('.').find_map(label_problem) {
        return problem(format!("This is not a host name. {}", wrong.sentence));
    }
    if !is_host(host) {
        return problem("This is an address. Write the host's name, which its certificate must carry.");
    }
    Ok(host.to_owned())
}

fn email(value: &str) -> Result<String, FormatProblem> {
    let value = text(value)?;
    let right = value.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && domain.contains('.') && !domain.contains('@') && is_host(&domain.to_ascii_lowercase())
    });
    if !right || value.chars().any(char::is_whitespace) {
        return problem("This is not an e-mail address. Write it whole: a.keller@example.com.");
    }
    Ok(value)
}

fn guid(value: &str) -> Result<String, FormatProblem> {
    let plain = value.trim_start_matches('{').trim_end_matches('}').to_ascii_lowercase();
    let right = plain.len() == 36
        && plain.bytes().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() });
    if right {
        Ok(plain)
    } else {
        problem("This is not an id: it has 32 digits and letters a to f in five groups, as 11111111-2222-3333-4444-555555555555.")
    }
}

fn entra_tenant(value: &str) -> Result<String, FormatProblem> {
    if let Ok(id) = guid(value) {
        return Ok(id);
    }
    let lower = value.to_ascii_lowercase();
    if matches!(lower.as_str(), "common" | "organizations" | "consumers") {
        return problem("Give your own tenant: its ID or one of its domains. The shared addresses let any tenant answer.");
    }
    match host(value) {
        Ok(domain) if domain.contains('.') => Ok(domain),
        _ => {
            problem("This is neither a tenant ID (five groups of digits and letters) nor a domain of the tenant (contoso.onmicrosoft.com).")
        }
    }
}

fn certificate_and_key(value: &str) -> Result<String, FormatProblem> {
    let blocks = |name: &str| value.matches(&format!("-----BEGIN {name}-----")).count();
    if value.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || value.contains("Proc-Type: 4,ENCRYPTED") {
        return problem(
            "The private key is encrypted with a password. Paste it decrypted (openssl pkey -in key.pem); it is sealed here again.",
        );
    }
    if blocks("CERTIFICATE") == 0 {
        return problem("The certificate is missing: a block that begins with -----BEGIN CERTIFICATE-----.");
    }
    if blocks("PRIVATE KEY") + blocks("RSA PRIVATE KEY") == 0 {
        return problem("The private key is missing: a block that begins with -----BEGIN PRIVATE KEY-----.");
    }
    Ok(value.to_owned())
}

fn private_key(value: &str, encrypted: bool) -> Result<String, FormatProblem> {
    match PrivateKey::parse(value, None) {
        Ok(_) => Ok(value.to_owned()),
        // Whether the passphrase opens it is seen when both are there.
        Err(KeyProblem::Encrypted) if encrypted => Ok(value.to_owned()),
        Err(KeyProblem::Encrypted) => problem(
            "The private key is encrypted with a passphrase. Paste it decrypted (openssl pkey -in key.pem); it is sealed here again.",
        ),
        Err(other) => problem(other.to_string()),
    }
}

/// A member of a key file's text, with dots between levels; `None` where it is not there as a text that is not empty.
pub(crate) fn key_file_member<'v>(file: &'v serde_json::Value, member: &str) -> Option<&'v str> {
    let mut value = file;
    for name in member.split('.') {
        value = value.get(name)?;
    }
    value.as_str().filter(|text| !text.is_empty())
}

fn key_file(value: &str, members: &[String], refused: &[Mistaken]) -> Result<String, FormatProblem> {
    if let Some(mistaken) = refused.iter().find(|mistaken| whole(&mistaken.expression).is_some_and(|expression| expression.is_match(value)))
    {
        return problem(mistaken.sentence.clone());
    }
    let Ok(file) = serde_json::from_str(value).map(Wiped) else {
        return problem(if value.starts_with('{') {
            "This JSON file is cut or damaged. Paste it whole, from its first brace to its last."
        } else if value.contains("-----BEGIN ") {
            "This is the key alone. Paste the whole JSON file that holds it."
        } else {
            "This is not a JSON file. Paste the whole file, from its first brace to its last."
        });
    };
    for member in members {
        let Some(text) = key_file_member(&file.0, member) else {
            return problem(format!("This JSON file lacks \"{member}\". Paste the whole file as the vendor gave it out."));
        };
        if text.contains("-----BEGIN ") {
            match PrivateKey::parse(text, None) {
                Ok(_) | Err(KeyProblem::Encrypted) => {}
                Err(wrong) => return problem(format!("\"{member}\": {wrong}")),
            }
        }
    }
    Ok(value.to_owned())
}

/// Whether a host lies under one of these suffixes, with whole labels before it.
pub(crate) fn is_under(host: &str, suffixes: &[String]) -> bool {
    is_host(host)
        && suffixes
            .iter()
            .any(|suffix| suffix.starts_with('.') && host.strip_suffix(suffix.as_str()).is_some_and(|before| !before.is_empty()))
}

fn vendor_host(value: &str, suffixes: &[String], complete: Option<&str>) -> Result<String, FormatProblem> {
    let mut host = host(value)?;
    if let Some(complete) = complete.filter(|_| !host.contains('.')) {
        host.push_str(complete);
    }
    if is_under(&host, suffixes) {
        return Ok(host);
    }
    problem(format!("This is another host. It ends in {}.", or(suffixes)))
}

fn pattern(value: &str, expression: &str, prefix: &str) -> Result<String, FormatProblem> {
    let Some(expression) = whole(expression) else {
        return problem("This field's rule cannot be read; the application's manifest is wrong.");
    };
    let with_prefix = if value.starts_with(prefix) { value.to_owned() } else { format!("{prefix}{value}") };
    if expression.is_match(&with_prefix) { Ok(with_prefix) } else { problem("This does not have the right form; see the example.") }
}

fn url(value: &str, paths: &[String]) -> Result<String, FormatProblem> {
    let Ok(url) = url::Url::parse(value) else { return problem("This is not an address. Copy it whole: it begins with https://.") };
    if url.scheme() != "https" {
        return problem("This address is not encrypted. Only https addresses are taken.");
    }
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.host_str().is_none_or(|host| !is_host(host)) {
        return problem("This address holds more than a host name and a path before its query. Copy the link as it is shown.");
    }
    if !paths.is_empty() && !paths.iter().any(|path| url.path().starts_with(path.as_str())) {
        return problem(format!("This is not the link that is meant: its path begins with {}.", or(paths)));
    }
    Ok(url.to_string())
}

fn choice(value: &str, choices: &[Choice]) -> Result<String, FormatProblem> {
    match choices.iter().find(|choice| choice.value == value) {
        Some(choice) => Ok(choice.value.clone()),
        None => problem(format!("Choose one of {}.", choices.iter().map(|choice| choice.label.as_str()).collect::<Vec<_>>().join(", "))),
    }
}

fn list(value: &str, item: &str) -> Result<String, FormatProblem> {
    let Some(expression) = whole(item) else {
        return problem("This field's rule cannot be read; the application's manifest is wrong.");
    };
    let mut items: Vec<&str> = Vec::new();
    for (at, item) in Format::items(value).enumerate() {
        if !expression.is_match(item) {
            return problem_at(at + 1, format!("Item {} of the list does not have the right form.", at + 1));
        }
        if !items.contains(&item) {
            items.push(item);
        }
    }
    if items.is_empty() {
        return problem("Nothing is filled in yet.");
    }
    Ok(items.join(","))
}
