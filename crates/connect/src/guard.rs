//! The guard: which requests may be made at all. Pure; asked before a socket opens, with what is really going to be sent.
//!
//! Many vendors' tokens can write. Ours never do, because a request that no dataset of the catalog declares does not leave
//! this computer.

use crate::{
    ConnectError, RequestClass,
    hop::{self, Hop},
    jar::Jar,
    protocol,
    template::{Values, decode_segment, encode_segment},
};
use catalog::{App, Dataset, Inputs, Method, Pagination, Protocol, ResolvedHosts};

/// A request that somebody wants to make.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its class; each has its own rule.
    pub class: RequestClass,
    /// The dataset that it is made for.
    pub dataset: &'a str,
    /// The verb.
    pub method: &'a str,
    /// The host; always port 443, always https.
    pub host: &'a str,
    /// The path as it is sent, percent-encoded.
    pub path: &'a str,
    /// The query's names and values, decoded, in order.
    pub query: &'a [(String, String)],
    /// The body.
    pub body: Option<&'a str>,
}

/// Leave to make a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Whether the session's credential goes along.
    pub credential: bool,
}

/// The most that the query of a further page may hold: names, and bytes of names and values together. Generous beside the
/// longest cursors that vendors give, small beside what a server takes for a request line.
const CONTINUATION_NAMES: usize = 32;
const CONTINUATION_BYTES: usize = 8 * 1024;

/// Query names by which some servers take another verb than the one that was sent.
const VERB_OVERRIDES: [&str; 2] = ["_method", "x-http-method-override"];

/// Permits a request that a dataset of the application declares, and a further page of one; refuses everything else.
///
/// # Errors
/// [`ConnectError::RequestRefused`] with the rule that refused it.
pub fn permit(app: &App, hosts: &ResolvedHosts, inputs: &Inputs, asked: &Asked<'_>) -> Result<Permit, ConnectError> {
    let refuse = |sentence: String| Err(ConnectError::RequestRefused { sentence });
    if asked.class == RequestClass::SignInHop {
        return refuse("a sign-in hop is made for no dataset.".to_owned());
    }
    let Some(declared) = app.dataset(asked.dataset) else {
        return refuse("no dataset of the application declares it.".to_owned());
    };
    let dataset = &*declared.for_inputs(inputs);
    let Some((host, prefix)) = hosts.roles.get(&dataset.host) else {
        return refuse(format!("dataset {} has no host with these fields.", dataset.id));
    };
    for never in &app.never {
        let prefixed = format!("{prefix}{}", never.path);
        if may_reach(&never.path, asked.path) || may_reach(&prefixed, asked.path) {
            return refuse(format!("{} is never called. {}", never.path, never.reason));
        }
    }
    if asked.host != host || !hosts.allowed.contains(asked.host) {
        return refuse(format!("dataset {} is not read from that host.", dataset.id));
    }
    if dataset.protocol != Protocol::Http {
        return match protocol::permits(dataset, prefix, inputs, asked) {
            Ok(()) => Ok(Permit { credential: dataset.authorised }),
            Err(sentence) => refuse(sentence),
        };
    }
    if asked.method != dataset.method.as_str() {
        return refuse(format!("dataset {} is read by {}.", dataset.id, dataset.method.as_str()));
    }
    if !is_path_of(dataset, prefix, inputs, asked.path) {
        return refuse(format!("the path is not that of dataset {}.", dataset.id));
    }
    let pinned = match dataset.method {
        Method::Get => None,
        Method::Post => dataset.document.as_deref(),
    };
    if asked.body != pinned || (dataset.method == Method::Post && pinned.is_none()) {
        return refuse(format!("the body is not the one that dataset {} pins.", dataset.id));
    }
    match asked.class {
        RequestClass::Dataset => {
            if !is_query_of(dataset, inputs, asked.query) {
                return refuse(format!("the query is not that of dataset {}.", dataset.id));
            }
        }
        RequestClass::Continuation => {
            if dataset.pagination == Pagination::None {
                return refuse(format!("dataset {} has one page.", dataset.id));
            }
            let bytes: usize = asked.query.iter().map(|(name, value)| name.len() + value.len()).sum();
            if asked.query.is_empty() || asked.query.len() > CONTINUATION_NAMES || bytes > CONTINUATION_BYTES {
                return refuse("the link to the next page has no query, or one that is too long.".to_owned());
            }
            if asked.query.iter().any(|(name, _)| VERB_OVERRIDES.contains(&name.to_ascii_lowercase().as_str())) {
                return refuse("the link to the next page asks for another verb.".to_owned());
            }
            if !keeps_filters(dataset, inputs, asked.query) {
                return refuse(format!("the link to the next page leaves out or changes a filter of dataset {}.", dataset.id));
            }
            if !only_turns_the_page(dataset, asked.query) {
                return refuse(format!(
                    "the next page of dataset {} is asked for by its own query and its number or cursor alone.",
                    dataset.id
                ));
            }
        }
        RequestClass::SignInHop => {}
    }
    Ok(Permit { credential: dataset.authorised })
}

/// Permits a request of a sign-in: https to a host of the party that it is meant for, which must be one of the login
/// option's, and nothing that changes an account. Answers the host.
///
/// # Errors
/// [`ConnectError::RequestRefused`] with the rule that refused it.
pub(crate) fn permit_hop<'h>(hosts: &ResolvedHosts, jar: &Jar, hop: &'h Hop) -> Result<&'h str, ConnectError> {
    let refuse = |sentence: &str| Err(ConnectError::RequestRefused { sentence: sentence.to_owned() });
    if hop.url.scheme() != "https" || hop.url.port().is_some() || !hop.url.username().is_empty() || hop.url.password().is_some() {
        return refuse("signing in goes to https addresses only.");
    }
    let Some(host) = hop.url.host_str() else { return refuse("signing in goes to named hosts only.") };
    if !hosts.allowed.contains(host) || !jar.holds(host) {
        return refuse("signing in does not go to a host that is not the login option's.");
    }
    let Some(path) = plain_segments(hop.url.path()) else { return refuse("the path cannot be read the way a server may read it.") };
    if changes_account(&path) {
        return refuse("signing in recovers, enrols, activates, unlocks and changes nothing.");
    }
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let refused = match hop.method {
        hop::Method::Get => false,
        hop::Method::Post => matches!(path.as_slice(), ["api", "v1", "users", ..] | ["api", "v1", "authn", "factors"]),
        hop::Method::Delete => path != ["api", "v1", "sessions", "me"],
    };
    if refused {
        return refuse("signing in changes nothing but its own session.");
    }
    Ok(host)
}

/// Words that a path has where an account is recovered, enrolled, activated, unlocked or given another password, without
/// hyphens and underscores. Of Okta's they stand in `/api/v1/authn/recovery/…`, `/api/v1/authn/credentials/change_password`
/// and `reset_password`, `/api/v1/authn/factors/{id}/lifecycle/activate` and `resend`
/// (<https://developer.okta.com/docs/reference/api/authn/>), in `/idp/idx/recover`, `/idp/idx/enroll`,
/// `/idp/idx/credential/enroll`, `/idp/idx/unlock-account`, `/idp/idx/challenge/send` and `resend`
/// (<https://github.com/okta/okta-signin-widget>, its answers), and in the pages `/signin/forgot-password`,
/// `/signin/recovery-question`, `/signin/register`, `/signin/unlock`.
const ACCOUNT_WORDS: [&str; 24] = [
    "recovery",
    "recover",
    "recoveryquestion",
    "recoverychallenge",
    "forgot",
    "forgotpassword",
    "changepassword",
    "resetpassword",
    "passwordreset",
    "passwordchange",
    "passwordexpired",
    "enroll",
    "enrol",
    "enrollment",
    "reenroll",
    "activate",
    "activation",
    "unlock",
    "unlockaccount",
    "accountunlock",
    "lifecycle",
    "register",
    "resend",
    "send",
];

/// Whether a path leads to where an account is changed.
pub(crate) fn changes_account(path: &[String]) -> bool {
    path.iter().any(|segment| {
        let word: String = segment.split('.').next().unwrap_or_default().chars().filter(|letter| !matches!(letter, '-' | '_')).collect();
        ACCOUNT_WORDS.contains(&word.as_str())
    })
}

/// The segments of a path the way a server may take them that undoes escapes, however often they were made, and ignores case,
/// empty segments and parameters. `None` when the path steps up, or cannot be undone.
pub(crate) fn plain_segments(path: &str) -> Option<Vec<String>> {
    let mut path = path.to_owned();
    // Each round takes an escape away, so this ends; more than a few rounds is nobody's honest address.
    for _ in 0..4 {
        if !path.contains('%') {
            break;
        }
        path = decode_segment(&path)?;
    }
    if path.contains('%') {
        return None;
    }
    let segments: Vec<String> = path
        .to_lowercase()
        .split(['/', '\\'])
        .map(|segment| segment.split([';', '?', '#']).next().unwrap_or_default().trim().to_owned())
        .filter(|segment| !segment.is_empty() && segment != ".")
        .collect();
    (!segments.iter().any(|segment| segment == "..")).then_some(segments)
}

/// Whether `path` is the dataset's template with each placeholder filled by one segment: the field's value where it is a
/// field, any plain segment where it is the parent's.
fn is_path_of(dataset: &Dataset, prefix: &str, inputs: &Inputs, path: &str) -> bool {
    let template = format!("{prefix}{}", dataset.path);
    let mut segments = path.split('/');
    let mut wanted = template.split('/');
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return true,
            (Some(wanted), Some(segment)) => {
                let fits = match placeholder(wanted) {
                    Some(name) if name.starts_with("each.") => is_plain_segment(segment, dataset.method),
                    Some(name) => {
                        inputs.get(name).is_some_and(|value| encode_segment(value) == segment) && is_plain_segment(segment, dataset.method)
                    }
                    None => wanted == segment && !wanted.contains(['{', '}']) && !matches!(segment, "." | ".."),
                };
                if !fits {
                    return false;
                }
            }
            (None, Some(_)) | (Some(_), None) => return false,
        }
    }
}

fn placeholder(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.contains(['{', '}']))
}

/// One segment that stays one: nothing but unreserved characters and escapes, no step up or down for a server that undoes
/// escapes before it routes. An escaped slash (a branch named `release/2`) may stand in what is only read, between parts
/// that are plain themselves.
fn is_plain_segment(segment: &str, method: Method) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%');
    if segment.is_empty() || !segment.bytes().all(unreserved) {
        return false;
    }
    let Some(value) = decode_segment(segment) else { return false };
    if value.chars().any(|letter| letter.is_control() || matches!(letter, '\\' | '%' | '?' | '#' | ';')) {
        return false;
    }
    if method == Method::Post && value.contains('/') {
        return false;
    }
    value.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Whether a server that undoes escapes, ignores case or a closing slash could take `path` for the template.
fn may_reach(template: &str, path: &str) -> bool {
    let Some(path) = decode_segment(path) else { return true };
    let plain = |text: &str| {
        text.to_lowercase().split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect::<Vec<_>>()
    };
    let (template, path) = (plain(template), plain(&path));
    template.len() == path.len() && template.iter().zip(&path).all(|(wanted, segment)| placeholder(wanted).is_some() || wanted == segment)
}

/// The parameters that say what the list is of: what the manifest fixes, but for the page size, which a vendor may write
/// otherwise into its links.
pub(crate) fn filters(dataset: &Dataset) -> impl Iterator<Item = (&str, &str)> {
    let size = dataset.pagination.size().map(|(name, _)| name);
    dataset.query.iter().filter(move |(name, _)| Some(name) != size).map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Whether a link to a further page may hold a parameter: one that the list was asked by, or one that names the page or its size.
pub(crate) fn may_stand_in_link(dataset: &Dataset, name: &str) -> bool {
    first_query(dataset).any(|(own, _)| own == name)
        || dataset.pagination.link().is_none_or(|link| link.names_page(name) || link.names_size(name))
}

/// Whether some servers read `asked` as the parameter `name`: the same letters in another case, or as a list.
pub(crate) fn is_spelling_of(name: &str, asked: &str) -> bool {
    let plain = |name: &str| name.trim_end_matches("[]").to_ascii_lowercase();
    plain(name) == plain(asked)
}

/// Whether the query of a further page holds each filter as the first one did: once, under its own name, with its own value.
fn keeps_filters(dataset: &Dataset, inputs: &Inputs, query: &[(String, String)]) -> bool {
    let values = Values { inputs, each: None };
    filters(dataset).all(|(name, template)| {
        let mut there = query.iter().filter(|(asked, _)| is_spelling_of(name, asked));
        let first = there.next().is_some_and(|(asked, value)| {
            // What the parent row fills is compared where the link is followed, the only place that knows the parent.
            asked == name && (template.contains("{each.") || values.fill(template).is_ok_and(|filled| filled == *value))
        });
        first && there.next().is_none()
    })
}

/// The query of the first request: what the manifest fixes, then the page size and number.
pub(crate) fn first_query(dataset: &Dataset) -> impl Iterator<Item = (&str, String)> {
    let size = dataset.pagination.size();
    let number = match &dataset.pagination {
        Pagination::PageNumber { page, first, .. } => Some((page.as_str(), first.to_string())),
        Pagination::Offset { parameter, first, .. } => Some((parameter.as_str(), first.to_string())),
        Pagination::None
        | Pagination::JsonApi { .. }
        | Pagination::LinkHeader { .. }
        | Pagination::Odata { .. }
        | Pagination::Cursor { .. } => None,
    };
    let fixed = dataset.query.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let asks = dataset.document.iter().filter(|_| dataset.protocol == Protocol::Soql).map(|document| ("q", document.clone()));
    fixed.chain(asks).chain(size.map(|(name, size)| (name.as_str(), size.to_string()))).chain(number)
}

/// Whether a query is that of the first request but for the number or cursor of the page, for styles of which nothing else
/// may change.
fn only_turns_the_page(dataset: &Dataset, query: &[(String, String)]) -> bool {
    let turns = match &dataset.pagination {
        Pagination::None => return true,
        Pagination::JsonApi { .. } | Pagination::LinkHeader { .. } | Pagination::Odata { .. } => {
            return query.iter().all(|(name, _)| may_stand_in_link(dataset, name));
        }
        Pagination::PageNumber { page, .. } => page,
        Pagination::Offset { parameter, .. } | Pagination::Cursor { parameter, .. } => parameter,
    };
    let mut wanted: Vec<String> = first_query(dataset).map(|(name, _)| name.to_owned()).collect();
    if !wanted.contains(turns) {
        wanted.push(turns.clone());
    }
    let mut asked: Vec<String> = query.iter().map(|(name, _)| name.clone()).collect();
    wanted.sort_unstable();
    asked.sort_unstable();
    let size =
        dataset.pagination.size().is_none_or(|(name, size)| query.iter().any(|(asked, value)| asked == name && *value == size.to_string()));
    let value = query.iter().find(|(name, _)| name == turns).map(|(_, value)| value.as_str()).unwrap_or_default();
    let turned = match &dataset.pagination {
        Pagination::PageNumber { first, .. } | Pagination::Offset { first, .. } => {
            value.parse::<u32>().is_ok_and(|number| number > *first && number.to_string() == value)
        }
        Pagination::None
        | Pagination::JsonApi { .. }
        | Pagination::LinkHeader { .. }
        | Pagination::Odata { .. }
        | Pagination::Cursor { .. } => !value.is_empty(),
    };
    wanted == asked && size && turned
}

fn is_query_of(dataset: &Dataset, inputs: &Inputs, query: &[(String, String)]) -> bool {
    let values = Values { inputs, each: None };
    let wanted: Vec<_> = first_query(dataset).collect();
    wanted.len() == query.len()
        && wanted.iter().zip(query).all(|((name, template), (asked, value))| {
            // A value that the parent row fills may be any text; as a query value it cannot become anything else.
            name == asked && (template.contains("{each.") || values.fill(template).is_ok_and(|filled| filled == *value))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::hop::{Body, Method as HopMethod};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use url::Url;

    fn ask(method: HopMethod, address: &str) -> Result<String, ConnectError> {
        let allowed: BTreeSet<String> = ["acme.okta.com", "app.vendor.example"].map(str::to_owned).into();
        let hosts = ResolvedHosts { roles: BTreeMap::new(), declared: BTreeSet::new(), allowed };
        let okta = Jar::new(["acme.okta.com".to_owned(), "not-allowed.okta.com".to_owned()]);
        let url = Url::parse(address).unwrap();
        let hop = Hop { method, url, accept: "*/*", body: Body::Nothing, from: None, path_template: String::new() };
        permit_hop(&hosts, &okta, &hop).map(str::to_owned)
    }

    #[test]
    fn a_hop_goes_to_its_party_over_https() {
        assert_eq!(ask(HopMethod::Post, "https://acme.okta.com/api/v1/authn").unwrap(), "acme.okta.com");
        assert_eq!(ask(HopMethod::Get, "https://ACME.okta.com:443/login/sessionCookieRedirect?x=1").unwrap(), "acme.okta.com");
        for address in [
            "http://acme.okta.com/",
            "https://acme.okta.com:8443/",
            "https://u@acme.okta.com/",
            "https://:p@acme.okta.com/",
            "https://acme.okta.com./",
            "https://acme.okta.com.evil.test/",
            "https://app.vendor.example/",
            "https://not-allowed.okta.com/",
            "https://127.0.0.1/",
            "ftp://acme.okta.com/",
            "data:text/plain,x",
            "https://acme.okta.com/a%2f..%2fb",
            "https://acme.okta.com/%zz",
            "https://acme.okta.com/%25252525252e",
        ] {
            assert_eq!(ask(HopMethod::Get, address).unwrap_err().code(), "E-REQUEST-REFUSED", "{address}");
        }
    }

    #[test]
    fn a_hop_changes_no_account() {
        for path in [
            "/api/v1/authn/recovery/password",
            "/api/v1/authn/recovery/unlock",
            "/api/v1/authn/credentials/change_password",
            "/api/v1/authn/credentials/reset_password",
            "/api/v1/authn/factors/uft1/lifecycle/activate",
            "/api/v1/authn/factors/uft1/verify/resend",
            "/idp/idx/recover",
            "/idp/idx/enroll",
            "/idp/idx/enroll/new",
            "/idp/idx/credential/enroll",
            "/idp/idx/unlock-account",
            "/idp/idx/challenge/resend",
            "/idp/idx/challenge/send",
            "/signin/forgot-password",
            "/signin/recovery-question",
            "/signin/register",
            "/signin/unlock",
            "/user/activate.do",
            "/a/b/forgot_password/c",
        ] {
            let spelled = [
                path.to_owned(),
                path.to_uppercase(),
                path.replace('e', "%65"),
                path.replace('e', "%2565"),
                path.replace('r', "%72").replace('o', "%6F"),
                path.replace('/', "//"),
                path.replace('/', "/./"),
                format!("{path}/"),
                format!("{path};jsessionid=1"),
                path[1..].split('/').map(|part| format!("%2f{part}")).collect::<String>(),
            ];
            for spelled in spelled {
                let address = format!("https://acme.okta.com/{}", spelled.trim_start_matches('/'));
                for method in [HopMethod::Get, HopMethod::Post] {
                    assert!(ask(method, &address).is_err(), "{address}");
                }
            }
        }
        for path in [
            "/idp/idx/identify",
            "/idp/idx/challenge/answer",
            "/idp/idx/skip",
            "/api/v1/authn/skip",
            "/api/v1/authn/factors/uft1/verify",
            "/sender",
            "/saml/acs",
        ] {
            assert!(ask(HopMethod::Post, &format!("https://acme.okta.com{path}")).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_hop_changes_nothing_but_its_own_session() {
        assert!(ask(HopMethod::Delete, "https://acme.okta.com/api/v1/sessions/me").is_ok());
        for path in ["/api/v1/sessions/102abc", "/api/v1/users/me", "/api/v1/sessions", "/", "/api/v1/users/me/factors/uft1"] {
            assert!(ask(HopMethod::Delete, &format!("https://acme.okta.com{path}")).is_err(), "{path}");
        }
        assert!(ask(HopMethod::Get, "https://acme.okta.com/api/v1/users/me/appLinks").is_ok());
        for path in ["/api/v1/users", "/api/v1/users/me", "/API/v1/%75sers/me", "/api/v1/authn/factors", "/api/v1/authn/factors/"] {
            assert!(ask(HopMethod::Post, &format!("https://acme.okta.com{path}")).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_refused_word_is_let_through(word in prop::sample::select(ACCOUNT_WORDS.to_vec()), mask in prop::collection::vec(0_u8..4, 24), rounds in 0_usize..3) {
            let mut segment: String = word.chars().zip(mask.iter().cycle()).map(|(letter, how)| match how {
                0 => letter.to_string(),
                1 => letter.to_uppercase().to_string(),
                2 => format!("%{:02x}", letter as u32),
                _ => format!("-{letter}"),
            }).collect();
            for _ in 0..rounds {
                segment = segment.replace('%', "%25");
            }
            let address = format!("https://acme.okta.com/signin/{segment}/x");
            prop_assert!(ask(HopMethod::Get, &address).is_err(), "{}", address);
        }
    }
}
