//! The response to one request: who is meant, what the overlay says, what the answer is.

use crate::{
    account::Account,
    answer::{Answer, Asked, Body, Fit},
    door::{Caller, DoorAnswer, Knows},
    overlay::{Allowance, Fault, Overlay},
    paging::{AskedPage, CutPage, Disorder, shuffled},
    served::Served,
    token::Admission,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{DATE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{convert::Infallible, io, sync::Arc};

pub(crate) type ReplyBody = BoxBody<Bytes, io::Error>;

/// A response, and what the log shall say about it.
pub(crate) struct Reply {
    pub(crate) response: Response<ReplyBody>,
    pub(crate) tenant: Option<String>,
    pub(crate) authorised: bool,
}

pub(crate) async fn reply(overlay: &Overlay, asked: &Asked, now: Timestamp) -> Reply {
    let served = overlay.served();
    let Some(Chosen { source, account, now, admission, found, ambiguous }) = choose(overlay, &served, asked, now) else {
        return Reply {
            response: plain(StatusCode::MISDIRECTED_REQUEST, "This sandbox does not serve that host."),
            tenant: None,
            authorised: false,
        };
    };
    let provider = source.doors().any(|door| door.identity_provider(&asked.host));
    let gate = source.gate.as_ref().filter(|_| !provider).map(|gate| (gate, gate.enter(&asked.host, now)));
    let told = source.told.get(&asked.host);
    if let Some((gate, (None, budget))) = &gate {
        let mut response = gate.refusal(source.error(gate.status(), "rate_limited", "Too many requests"), *budget);
        if let Some(told) = told {
            told.tell(&mut response, budget.limit, budget.remaining, budget.reset, budget.now);
        }
        dated(&mut response, now);
        return Reply { response, tenant: Some(source.name.clone()), authorised: false };
    }
    let ruling = overlay.rule(&source.name, provider, asked, now);
    if !ruling.latency.is_zero() {
        tokio::time::sleep(ruling.latency).await;
    }
    let authorised = admission == Admission::Accepted && !account.revoked;
    // A request that goes wrong anyway changes nothing at the door, except that its answer is lost.
    let lost = ruling.allowance.wait.is_some() || ruling.fault.as_ref().is_some_and(Fault::comes_first);
    let caller = Caller { asked, now, account: &account, ambiguous };
    let door = source.doors().filter(|_| !lost).find_map(|door| door.answer(source, &caller));
    let standing = Standing { authorised, admission, found, fault: ruling.fault, allowance: ruling.allowance, door, provider };
    let allowance = standing.allowance;
    let mut response = answered(overlay, source, asked, standing);
    if let (Some((_, (_, budget))), Some(told)) = (&gate, told) {
        told.tell(&mut response, budget.limit, budget.remaining, budget.reset, budget.now);
    } else if source.limits {
        match told.filter(|_| !provider) {
            Some(told) => told.tell(&mut response, allowance.limit, allowance.remaining, allowance.reset, allowance.now),
            None => limit_headers(&mut response, allowance, provider),
        }
    }
    dated(&mut response, now);
    Reply { response, tenant: Some(source.name.clone()), authorised }
}

fn dated(response: &mut Response<ReplyBody>, now: Timestamp) {
    if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
}

/// As RFC 9110 writes it.
fn http_date(at: Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

/// The source that a request is for.
struct Chosen<'a> {
    source: &'a Served,
    account: Account,
    /// By the source's own clock.
    now: Timestamp,
    admission: Admission,
    found: Option<(usize, Fit)>,
    ambiguous: bool,
}

/// Several tenants may share a vendor's host, as they do in life: what the request holds tells them apart, and a request
/// without anything of that kind is for the tenant that has a public answer to it.
fn choose<'a>(overlay: &Overlay, served: &'a [Arc<Served>], asked: &Asked, now: Timestamp) -> Option<Chosen<'a>> {
    let mut candidates: Vec<Chosen<'a>> = served
        .iter()
        .filter(|source| source.hosts.contains(&asked.host))
        .map(|source| {
            let account = overlay.account(&source.name);
            let now = now.checked_add(jiff::SignedDuration::from_secs(account.clock_ahead)).unwrap_or(now);
            let found = source.find(asked);
            let admission = source.admit(asked, found, &account, now);
            Chosen { source, admission, found, now, account, ambiguous: false }
        })
        .collect();
    let knows: Vec<Knows> =
        candidates.iter().map(|one| one.source.doors().map(|door| door.knows(asked)).max().unwrap_or(Knows::No)).collect();
    let surely = knows.iter().position(|knows| *knows == Knows::Surely);
    let admitted = |wanted| candidates.iter().position(|one| one.source.is_particular() && one.admission == wanted);
    let perhaps = knows.iter().position(|knows| *knows == Knows::Perhaps);
    let place = surely
        .or_else(|| admitted(Admission::Accepted))
        .or(perhaps)
        .or_else(|| admitted(Admission::Expired))
        .or_else(|| candidates.iter().position(|one| !one.source.is_particular()))
        .or_else(|| candidates.iter().position(|one| one.found.is_some_and(|(at, _)| !one.source.answers[at].authorised)))
        .or(if candidates.is_empty() { None } else { Some(0) })?;
    let mut chosen = candidates.swap_remove(place);
    let by_place_alone = surely.is_none() && perhaps == Some(place) && chosen.admission != Admission::Accepted;
    chosen.ambiguous = by_place_alone && knows.iter().filter(|knows| **knows == Knows::Perhaps).count() > 1;
    Some(chosen)
}

struct Standing {
    authorised: bool,
    admission: Admission,
    found: Option<(usize, Fit)>,
    fault: Option<Fault>,
    allowance: Allowance,
    /// What the tenant's door says, if the request came to it.
    door: Option<DoorAnswer>,
    /// Whether the host is an identity provider's.
    provider: bool,
}

fn answered(overlay: &Overlay, source: &Served, asked: &Asked, standing: Standing) -> Response<ReplyBody> {
    let error = |status| if standing.provider { provider_error(status) } else { error(source, status) };
    if let Some(seconds) = standing.allowance.wait {
        let mut response = error(StatusCode::TOO_MANY_REQUESTS);
        // Okta tells the end of its window in a header of its own, with every answer.
        if !standing.provider {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        return response;
    }
    let disorder = match &standing.fault {
        Some(Fault::Status { status, retry_after }) => {
            let mut response = error(StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
            if let Some(seconds) = retry_after {
                let headers = response.headers_mut();
                if standing.provider {
                    headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(0));
                    headers.insert(RATE_LIMIT_RESET, HeaderValue::from(standing.allowance.now + i64::from(*seconds)));
                } else {
                    headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
                }
            }
            return response;
        }
        Some(Fault::Html) => {
            let page =
                "<!DOCTYPE html>\n<html><head><title>Service notice</title></head><body><h1>We will be back soon</h1></body></html>\n";
            return with_type(StatusCode::OK, "text/html; charset=utf-8", whole(page));
        }
        Some(Fault::Foreign { body }) => return with_type(StatusCode::OK, JSON, whole(body.to_string())),
        Some(Fault::EndlessBody) => return with_type(StatusCode::OK, JSON, endless()),
        Some(Fault::DeepJson { depth }) => {
            return with_type(StatusCode::OK, JSON, whole(deep(*depth)));
        }
        Some(Fault::Redirect { location }) => {
            let mut response = with_type(StatusCode::FOUND, "text/plain; charset=utf-8", whole("Found"));
            if let Ok(location) = HeaderValue::from_str(location) {
                response.headers_mut().insert(LOCATION, location);
            }
            return response;
        }
        Some(
            fault @ (Fault::HalfJson | Fault::EndlessPages | Fault::CirclePages | Fault::RepeatPage | Fault::Shuffle { .. } | Fault::Cut),
        ) => fault.disorder(),
        None => Disorder::None,
    };
    let (status, headers, text) = match standing.door {
        Some(DoorAnswer { status, headers, body }) => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), headers, body)
        }
        None if standing.provider => return provider_error(StatusCode::NOT_FOUND),
        None => regular(overlay, source, asked, &standing, disorder),
    };
    let half = text.len() / 2;
    let body = match standing.fault {
        Some(Fault::HalfJson) => whole(text[..half].to_vec()),
        Some(Fault::Cut) => cut(&text[..half]),
        _ => whole(text),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        // A header that cannot be sent would make the answer another one than the source's; sources are checked by tests.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The answer as the vendor gives it: status, headers, body.
fn regular(
    overlay: &Overlay,
    source: &Served,
    asked: &Asked,
    standing: &Standing,
    disorder: Disorder,
) -> (StatusCode, Vec<(String, String)>, Vec<u8>) {
    let refuse = |status: StatusCode, code: &str, message: &str| {
        let headers = vec![("content-type".to_owned(), JSON.to_owned())];
        (status, headers, source.error(status.as_u16(), code, message).to_string().into_bytes())
    };
    let public = standing.found.is_some_and(|(at, _)| !source.answers[at].authorised);
    let spoken = || source.answers.iter().filter(|answer| answer.hosts.contains(&asked.host)).filter_map(|answer| answer.spoken.as_ref());
    let spoken = || spoken().find(|spoken| spoken.is_spoken_to(asked));
    let sent = |(status, kind, body): crate::spoken::Reply| {
        (
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            vec![("content-type".to_owned(), kind.to_owned())],
            body,
        )
    };
    if let Some(spoken) = spoken().filter(|_| !standing.authorised && !public) {
        return sent(spoken.failure(401, &source.error(401, "unauthorized", "Unauthorized")));
    }
    if !standing.authorised && !public {
        return if standing.admission == Admission::Expired {
            refuse(StatusCode::UNAUTHORIZED, "unauthorized", "Expired token")
        } else {
            refuse(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized")
        };
    }
    let Some((at, fit)) = standing.found else {
        if let Some(spoken) = spoken() {
            return sent(spoken.refusal());
        }
        return refuse(StatusCode::NOT_FOUND, "not_found", "Not found");
    };
    let answer = &source.answers[at];
    if let (Some(spoken), Body::Json(body)) = (&answer.spoken, &answer.body) {
        let changed = overlay.changed(&source.name, at);
        let body = changed.as_ref().map_or(&**body, |changed| &*changed.body);
        return sent(spoken.reply(asked, answer.status, body, disorder));
    }
    if answer.method != asked.method {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed");
    }
    if !answer.is_asked_by(asked) {
        return refuse(StatusCode::BAD_REQUEST, "bad_request", "Bad request");
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = answer.headers.clone();
    let text = match page(overlay, source, at, fit, asked, disorder) {
        Some(CutPage { body, link }) => {
            headers.extend(link.map(|link| ("link".to_owned(), link)));
            body.to_string().into_bytes()
        }
        None => match &answer.body {
            Body::Text(text) => text.clone().into_bytes(),
            Body::Json(body) => body.to_string().into_bytes(),
        },
    };
    (status, headers, text)
}

/// The JSON body of an answer with what was changed about it, cut to the page asked for.
fn page(overlay: &Overlay, source: &Served, at: usize, fit: Fit, asked: &Asked, disorder: Disorder) -> Option<CutPage> {
    let original = &source.answers[at];
    let changed = overlay.changed(&source.name, at);
    let present = changed.map(|changed| Answer { body: Body::Json(changed.body), generated: changed.generated, ..original.clone() });
    let answer = present.as_ref().unwrap_or(original);
    let body = answer.json(fit)?;
    let request = AskedPage { host: &asked.host, path: &asked.path, query: &asked.query };
    let generated = (answer.generated.pattern.as_deref(), answer.generated.count);
    Some(match &answer.paging {
        Some(paging) => paging.cut(&body, generated, &request, disorder),
        None => CutPage { body: reordered(body.into_owned(), disorder), link: None },
    })
}

/// The list of an answer that is not paged, in another order.
fn reordered(mut body: Value, disorder: Disorder) -> Value {
    let Disorder::Shuffle(seed) = disorder else {
        return body;
    };
    let list = match &mut body {
        Value::Array(list) => Some(list),
        Value::Object(members) => members.get_mut("data").and_then(Value::as_array_mut),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    if let Some(list) = list {
        *list = shuffled(list.len(), seed).into_iter().map(|at| list[at].clone()).collect();
    }
    body
}

const JSON: &str = "application/json; charset=utf-8";

fn error(source: &Served, status: StatusCode) -> Response<ReplyBody> {
    let reason = status.canonical_reason().unwrap_or("Error");
    let code = reason.to_ascii_lowercase().replace([' ', '-'], "_");
    with_type(status, JSON, whole(source.error(status.as_u16(), &code, reason).to_string()))
}

/// An error in the words of Okta: <https://developer.okta.com/docs/reference/error-codes/>
fn provider_error(status: StatusCode) -> Response<ReplyBody> {
    let (code, summary) = match status {
        StatusCode::UNAUTHORIZED => ("E0000011", "Invalid token provided"),
        StatusCode::FORBIDDEN => ("E0000006", "You do not have permission to perform the requested action"),
        StatusCode::NOT_FOUND => ("E0000007", "Not found: Resource not found"),
        StatusCode::METHOD_NOT_ALLOWED => ("E0000022", "The endpoint does not support the provided HTTP method"),
        StatusCode::TOO_MANY_REQUESTS => ("E0000047", "API call exceeded rate limit due to too many requests."),
        StatusCode::BAD_REQUEST => ("E0000001", "Api validation failed"),
        _ => ("E0000009", "Internal Server Error"),
    };
    with_type(status, JSON, whole(crate::okta::error_body(code, summary, None).to_string()))
}

const RATE_LIMIT_REMAINING: &str = "x-rate-limit-remaining";
const RATE_LIMIT_RESET: &str = "x-rate-limit-reset";

fn limit_headers(response: &mut Response<ReplyBody>, allowance: Allowance, provider: bool) {
    let headers = response.headers_mut();
    if provider {
        headers.insert("x-rate-limit-limit", HeaderValue::from(allowance.limit));
        headers.entry(RATE_LIMIT_REMAINING).or_insert(HeaderValue::from(allowance.remaining));
        headers.entry(RATE_LIMIT_RESET).or_insert(HeaderValue::from(allowance.reset));
        return;
    }
    headers.insert("x-ratelimit-limit", HeaderValue::from(allowance.limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(allowance.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(allowance.reset));
}

/// A short text of the sandbox's own.
pub(crate) fn plain(status: StatusCode, text: &str) -> Response<ReplyBody> {
    with_type(status, "text/plain; charset=utf-8", whole(text.to_owned()))
}

/// JSON of the sandbox's own.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response<ReplyBody> {
    with_type(status, JSON, whole(value.to_string()))
}

fn with_type(status: StatusCode, content_type: &'static str, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn whole(bytes: impl Into<Bytes>) -> ReplyBody {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed()
}

/// Some bytes, then a broken connection.
fn cut(bytes: &[u8]) -> ReplyBody {
    let first = Ok(Frame::data(Bytes::copy_from_slice(bytes)));
    let frames = stream::iter([first]).chain(stream::once(async {
        // The first half has to leave before the error discards what is still in the buffers.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose"))
    }));
    BodyExt::boxed(StreamBody::new(frames))
}

fn endless() -> ReplyBody {
    let start = stream::once(async { Ok(Frame::data(Bytes::from_static(b"{\"data\":["))) });
    let more = Bytes::from("{\"type\":\"filler\",\"id\":\"filler\"},".repeat(512));
    BodyExt::boxed(StreamBody::new(start.chain(stream::repeat_with(move || Ok(Frame::data(more.clone()))))))
}

fn deep(depth: u32) -> String {
    let depth = depth as usize;
    format!("{{\"data\":{}{}}}", "[".repeat(depth), "]".repeat(depth))
}
