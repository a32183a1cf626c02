//! What an answer says: data, a refusal with its meaning, or something that is not an answer.

use crate::{
    ConnectError, Limits,
    protocol::{self, Partly, Refusal, Refused},
    reduce::at_path,
};
use catalog::{App, Dataset, FieldPath, Meaning, Protocol, ResetIn, Says};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// An answer as it was received.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What it comes to.
#[derive(Debug)]
pub(crate) enum Said {
    /// Data; and which places of it were refused, and why.
    Body { body: Value, refused: Option<(Vec<Refused>, ConnectError)> },
    /// Taken on and not done: ask again by this handle.
    Running(String),
    /// There is no such thing, and this stands in its place.
    StandIn(BTreeMap<String, Value>),
    /// Wait and ask again.
    Throttled,
    /// The vendor failed; asking again may help.
    Faltered(ConnectError),
    /// No.
    Refused(ConnectError),
}

/// Whose right an answer speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// A key's, which somebody made for this console.
    Key,
    /// A user's, who has signed in; what is sent is the session.
    User,
}

/// Understands an answer: the dataset's own meanings first, then the application's, then what HTTP says.
pub(crate) fn understand(app: &App, dataset: &Dataset, bearer: Bearer, host: &str, received: &Received, limits: &Limits) -> Said {
    let body = if received.status == 200 {
        match protocol::read(dataset, host, received, limits).unwrap_or_else(|| json(host, received, limits)) {
            Ok(body) => Some(body),
            Err(error) => return Said::Refused(error),
        }
    } else if let Some(read) = protocol::read(dataset, host, received, limits) {
        read.ok()
    } else if deeper_than(&received.body, limits.depth) {
        None
    } else {
        serde_json::from_slice(&received.body).ok()
    };
    let says = dataset.says.iter().chain(&app.says).find(|says| {
        applies(says, received, body.as_ref()) && (!matches!(says.means, Meaning::Row(_)) || alone(dataset, says, body.as_ref()))
    });
    if let Some(says) = says {
        let own = (!says.sentence.is_empty()).then(|| says.sentence.clone());
        let said = match &says.means {
            Meaning::CredentialRefused => Said::Refused(credential_refused(app, bearer, received.status, own)),
            Meaning::ScopeMissing => Said::Refused(scope_missing(app, dataset, bearer, received.status, own)),
            Meaning::PlanLacks => Said::Refused(plan_lacks(app, dataset, received.status, own)),
            Meaning::Throttled => Said::Throttled,
            Meaning::Row(fields) => Said::StandIn(fields.clone()),
        };
        return match (said, protocol::partly(app, dataset, received.status, body.as_ref()), body) {
            // What the vendor refused is known; the rest of the answer stands.
            (Said::Refused(error), Some(Partly { withheld: Some(withheld), .. }), Some(body)) => {
                Said::Body { body, refused: Some((withheld, error)) }
            }
            (said, _, _) => said,
        };
    }
    if let Some(Partly { error, withheld }) = protocol::partly(app, dataset, received.status, body.as_ref()) {
        return match (withheld, body) {
            (Some(withheld), Some(body)) => Said::Body { body, refused: Some((withheld, error)) },
            (_, _) => Said::Refused(error),
        };
    }
    match protocol::refusal(app, dataset, received.status, body.as_ref()) {
        Some(Refusal::Credential) => return Said::Refused(credential_refused(app, bearer, received.status, None)),
        Some(Refusal::Scope) => return Said::Refused(scope_missing(app, dataset, bearer, received.status, None)),
        Some(Refusal::Other(error)) => return Said::Refused(error),
        None => {}
    }
    if let Some(handle) = protocol::handle_of(dataset, received.status, body.as_ref()) {
        return Said::Running(handle);
    }
    if let (200, Some(accepted), Some(body)) = (received.status, &dataset.accepted, &body)
        && at_path(body, &accepted.path) != Some(&accepted.is)
    {
        let sentence = format!("{} answered 200 and did not say that the request succeeded.", app.name);
        return Said::Refused(ConnectError::VendorError { status: 200, sentence });
    }
    let vendor = |sentence: String| ConnectError::VendorError { status: received.status, sentence };
    match (received.status, body) {
        (200, Some(body)) => Said::Body { body, refused: None },
        (300..=399, _) => Said::Refused(ConnectError::Redirected { host: host.to_owned(), status: received.status }),
        (401, _) => Said::Refused(credential_refused(app, bearer, 401, None)),
        (402, _) => Said::Refused(plan_lacks(app, dataset, 402, None)),
        (403, _) => Said::Refused(scope_missing(app, dataset, bearer, 403, None)),
        (404, _) => Said::Refused(vendor(format!("{} answered 404: not found, or not permitted.", app.name))),
        (429, _) => Said::Throttled,
        (503, _) if received.headers.contains_key(RETRY_AFTER) => Said::Throttled,
        (status @ 500..=599, _) => Said::Faltered(vendor(format!("{} answered with an error of its own ({status}).", app.name))),
        (status @ 200..=299, _) => {
            Said::Refused(ConnectError::NotUnderstood { sentence: format!("{} answered without data ({status}).", app.name) })
        }
        (status, _) => Said::Refused(vendor(format!("{} did not accept the request ({status}).", app.name))),
    }
}

fn applies(says: &Says, received: &Received, body: Option<&Value>) -> bool {
    // A success that means something else is told by its content alone.
    let told_by_content = says.body.is_some() || says.body_contains.is_some() || says.header.is_some();
    says.status == received.status
        && (says.status != 200 || told_by_content)
        && says.header.as_ref().is_none_or(|header| received.headers.contains_key(header))
        && says.body.as_ref().is_none_or(|(path, value)| texts(body, path).iter().any(|text| text == value))
        && says.body_contains.as_ref().is_none_or(|(path, part)| {
            let part = part.to_lowercase();
            texts(body, path).iter().any(|text| text.to_lowercase().contains(&part))
        })
}

/// Whether an answer says nothing beside what stands for a row: each entry of the list that is looked into says the same, and of
/// a GraphQL answer each error. Beside a refusal, what is not there may only be what may not be seen.
fn alone(dataset: &Dataset, says: &Says, body: Option<&Value>) -> bool {
    let says_it = |entry: &Value, path: &FieldPath| {
        let texts = texts(Some(entry), &within(path));
        let is = |(_, is): &(FieldPath, String)| texts.contains(&is.as_str());
        let holds = |(_, part): &(FieldPath, String)| texts.iter().any(|text| text.to_lowercase().contains(&part.to_lowercase()));
        says.body.as_ref().filter(|wanted| wanted.0 == *path).is_none_or(is)
            && says.body_contains.as_ref().filter(|wanted| wanted.0 == *path).is_none_or(holds)
    };
    let list = |path: &FieldPath| {
        let (list, _) = path.0.split_once("[]")?;
        body.and_then(|body| at_path(body, &FieldPath(list.to_owned())))?.as_array()
    };
    let paths = || says.body.iter().chain(&says.body_contains).map(|(path, _)| path);
    let graphql = matches!(dataset.protocol, Protocol::GraphQl { .. });
    let errors = body.filter(|_| graphql).and_then(|body| body.get("errors")).is_some_and(|errors| !errors.is_null());
    paths().all(|path| list(path).is_none_or(|entries| entries.iter().all(|entry| says_it(entry, path))))
        && (!errors || paths().any(|path| path.0.starts_with("errors[]")))
}

/// What is left of a path within an entry of the first list on it.
fn within(path: &FieldPath) -> FieldPath {
    FieldPath(path.0.split_once("[]").map_or("", |(_, rest)| rest).trim_start_matches('.').to_owned())
}

/// The texts at a path, through lists.
fn texts<'a>(body: Option<&'a Value>, path: &FieldPath) -> Vec<&'a str> {
    let mut found: Vec<&Value> = body.into_iter().collect();
    for (name, each) in path.segments() {
        found = found
            .into_iter()
            .filter_map(|value| if name.is_empty() { Some(value) } else { value.get(name) })
            .flat_map(|value| if each { value.as_array().into_iter().flatten().collect::<Vec<_>>() } else { vec![value] })
            .collect();
    }
    found.into_iter().filter_map(Value::as_str).collect()
}

fn credential_refused(app: &App, bearer: Bearer, status: u16, sentence: Option<String>) -> ConnectError {
    let (refused, remedy) = match bearer {
        Bearer::Key => (
            format!("{} refused the key ({status}).", app.name),
            "It may have expired or been deleted. Create a new key and replace the stored one.".to_owned(),
        ),
        Bearer::User => (
            format!("{} does not take the user's session any more ({status}).", app.name),
            format!("The session may have ended: scan again. If it happens again, check the user's rights in {}.", app.name),
        ),
    };
    ConnectError::CredentialRefused { sentence: sentence.unwrap_or(refused), remedy }
}

fn scope_missing(app: &App, dataset: &Dataset, bearer: Bearer, status: u16, sentence: Option<String>) -> ConnectError {
    let who = match bearer {
        Bearer::Key => "key",
        Bearer::User => "user",
    };
    let remedy = |has: &str, may: &str| match bearer {
        Bearer::Key => format!("Create a new key that {has}, and replace the stored one."),
        Bearer::User => format!("Give the user {may} in {}, and scan again.", app.name),
    };
    let (lacks, remedy) = match dataset.needs.any_of.as_slice() {
        [] => (format!("The {who} may not read it ({status})."), remedy("may read it", "a role that may read it")),
        [one] => (format!("The {who} lacks {one} ({status})."), remedy(&format!("also has {one}"), one)),
        several => {
            let list = several.join(", ");
            (
                format!("The {who} lacks all of {list}, of which one is enough ({status})."),
                remedy(&format!("also has one of {list}"), &format!("one of {list}")),
            )
        }
    };
    ConnectError::ScopeMissing { sentence: sentence.unwrap_or(lacks), remedy }
}

fn plan_lacks(app: &App, dataset: &Dataset, status: u16, sentence: Option<String>) -> ConnectError {
    let plan = &dataset.needs.plan;
    ConnectError::PlanLacks {
        sentence: sentence.unwrap_or_else(|| format!("The organization's {} plan does not include it ({status}).", app.name)),
        remedy: if plan.is_empty() {
            format!("Ask {} which plan includes it.", app.name)
        } else {
            format!("It comes with the plan {plan}.")
        },
    }
}

fn json(host: &str, received: &Received, limits: &Limits) -> Result<Value, ConnectError> {
    let not_json = |what| ConnectError::NotJson { host: host.to_owned(), what };
    let kind = received.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(kind.as_str(), "text/html" | "application/xhtml+xml") {
        return Err(not_json("a web page"));
    }
    if !(kind.is_empty()
        || kind == "application/json"
        || kind == "text/json"
        || (kind.starts_with("application/") && kind.ends_with("+json")))
    {
        return Err(not_json("another kind of document"));
    }
    if received.body.iter().all(u8::is_ascii_whitespace) {
        return Err(not_json("nothing"));
    }
    if deeper_than(&received.body, limits.depth) {
        return Err(ConnectError::TooDeep { host: host.to_owned(), depth: limits.depth });
    }
    serde_json::from_slice(&received.body)
        .map_err(|error| not_json(if error.is_eof() { "JSON that breaks off in the middle" } else { "text" }))
}

/// Whether JSON is nested deeper than that. A plain count before the parser recurses; what is not JSON may be counted wrong
/// and is refused by the parser afterwards.
fn deeper_than(body: &[u8], limit: u32) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for byte in body {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// How long the vendor asks to wait: `Retry-After` as seconds or date (RFC 9110 section 10.2.3), else the time at which its
/// budget is whole again.
pub(crate) fn asks_to_wait(headers: &HeaderMap, reset: Option<(&str, ResetIn)>, now: jiff::Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(value) = text(RETRY_AFTER.as_str()) {
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        if let Ok(at) = httpdate::parse_http_date(value) {
            return Some(until(jiff::Timestamp::try_from(at).ok()?, now));
        }
    }
    let (header, reset_in) = reset?;
    let reset = resets_at(headers, header, reset_in, now)?;
    (reset > now).then(|| until(reset, now))
}

/// When the vendor's budget is whole again, by the header that tells it; `None` where none does.
pub(crate) fn resets_at(headers: &HeaderMap, header: &str, reset_in: ResetIn, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let text = headers.get(header)?.to_str().ok()?;
    // Some write a fraction of a second; waiting longer by less than a second does no harm.
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite() && seconds.abs() < 1e11)?.ceil() as i64;
    match reset_in {
        ResetIn::Epoch => jiff::Timestamp::from_second(seconds).ok(),
        ResetIn::Seconds => now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok(),
    }
}

/// The time from `now` to `at`; nothing when it is past.
pub(crate) fn until(at: jiff::Timestamp, now: jiff::Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// A `Link` header that cannot be read: whether another page follows is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MalformedLink;

/// The link to the next page in `Link: <…>; rel="next"` (RFC 8288 section 3); `None` when no link says so.
///
/// # Errors
/// [`MalformedLink`] for a header that is not of that form, links without a relation, and two different next pages.
pub(crate) fn next_by_header(headers: &HeaderMap) -> Result<Option<String>, MalformedLink> {
    let mut next: Option<String> = None;
    for value in headers.get_all(reqwest::header::LINK) {
        let mut rest = value.to_str().map_err(|_| MalformedLink)?.trim();
        loop {
            let (target, after) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or(MalformedLink)?;
            let (relations, after) = relations(after)?;
            if relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next")) {
                if next.as_deref().is_some_and(|before| before != target) {
                    return Err(MalformedLink);
                }
                next = Some(target.to_owned());
            }
            match after.trim_start().strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None => break,
            }
        }
    }
    Ok(next)
}

/// Reads the parameters of one link: its relations, and what follows it.
fn relations(parameters: &str) -> Result<(String, &str), MalformedLink> {
    let mut relations: Option<String> = None;
    let mut rest = parameters.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start();
        let end = after.find(|letter: char| matches!(letter, '=' | ';' | ',') || letter.is_whitespace()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=') {
            Some(value) => parameter_value(value.trim_start())?,
            None => (String::new(), after),
        };
        // A token (RFC 9110 section 5.6.2), so that the next link is not taken for a parameter where its comma is missing.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(MalformedLink);
        }
        // Only the first one counts (RFC 8288 section 3.3).
        if name.eq_ignore_ascii_case("rel") {
            relations.get_or_insert(value);
        }
        rest = after.trim_start();
    }
    let ends_well = rest.is_empty() || rest.starts_with(',');
    relations.filter(|relations| ends_well && !relations.trim().is_empty()).map(|relations| (relations, rest)).ok_or(MalformedLink)
}

/// A token, or a text in quotes in which a backslash protects the next letter.
fn parameter_value(text: &str) -> Result<(String, &str), MalformedLink> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|letter: char| matches!(letter, ';' | ',' | '"') || letter.is_whitespace()).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.push(letters.next().ok_or(MalformedLink)?.1),
            _ => value.push(letter),
        }
    }
    Err(MalformedLink)
}
