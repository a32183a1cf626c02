//! One answer of a vendor, and which requests it is the answer to.

use crate::{
    paging::Paging,
    placeholder::{INDEX, with_index},
    spoken::Spoken,
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

/// What a source of answers says to one request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) hosts: BTreeSet<String>,
    /// The host role that it was written for; none where a host was named.
    pub(crate) role: Option<String>,
    pub(crate) method: String,
    pub(crate) shape: Shape,
    /// What a request's body must come to, whichever of these; none asks for nothing.
    pub(crate) documents: Vec<Value>,
    pub(crate) authorised: bool,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) paging: Option<Paging>,
    pub(crate) generated: Generated,
    /// What it is the answer to, where that is said in a language of its own.
    pub(crate) spoken: Option<Spoken>,
}

/// Rows that exist only as a pattern and a number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Generated {
    pub(crate) pattern: Option<Arc<Value>>,
    pub(crate) count: u32,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Json(Arc<Value>),
    /// A recorded body that is not JSON.
    Text(String),
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) method: String,
    /// As it was sent, percent-encoding and all.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// The value of the Authorization header.
    pub(crate) authorization: Option<String>,
    /// Names in lower case and values of all headers, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// Names and values of its cookies.
    pub(crate) cookies: Vec<(String, String)>,
    /// The value of the Content-Type header.
    pub(crate) content_type: Option<String>,
    /// The first mebibyte of its body.
    pub(crate) body: Bytes,
}

impl Asked {
    /// The value of a header that stands there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        all.next().map(|(_, value)| value.as_str()).filter(|_| all.next().is_none())
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Which paths and queries are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    segments: Vec<Segment>,
    /// Parameters that a request must carry; it may carry others, unless closed.
    query: Vec<(String, String)>,
    /// Whether other parameters make it another request.
    closed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Exactly(String),
    /// `{name}`: any one segment.
    Any,
    /// `repo-{{index}}`: the text before and behind a generated row's number.
    Numbered(String, String),
}

/// How a request fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fit {
    /// How many parameters were asked for and found: the more, the closer.
    parameters: usize,
    /// A path without a number is closer than one with.
    literal: bool,
    /// The number of a generated row in the path.
    pub(crate) index: Option<u32>,
}

impl Fit {
    /// How an answer fits whose document was asked for, with so many fields of the parent row.
    pub(crate) fn of_spoken(fields: usize) -> Self {
        Self { parameters: fields, literal: true, index: None }
    }
}

impl Shape {
    /// Parses a path or path template, with or without a query.
    pub(crate) fn parse(text: &str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let segments = path.split('/').map(|segment| {
            if let Some((before, behind)) = segment.split_once(INDEX) {
                Segment::Numbered(before.to_owned(), behind.to_owned())
            } else if segment.starts_with('{') && segment.ends_with('}') {
                Segment::Any
            } else {
                Segment::Exactly(decoded(segment).into_owned())
            }
        });
        Self { segments: segments.collect(), query: pairs(query), closed: false }
    }

    /// The same for requests that carry these parameters and no others.
    pub(crate) fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    /// The same with more parameters that must be there.
    pub(crate) fn with_query(mut self, query: impl IntoIterator<Item = (String, String)>) -> Self {
        self.query.extend(query);
        self
    }

    /// Whether and how closely a request fits.
    pub(crate) fn fit(&self, path: &str, query: &[(String, String)]) -> Option<Fit> {
        if !self.query.iter().all(|wanted| query.contains(wanted)) || (self.closed && query.len() != self.query.len()) {
            return None;
        }
        let mut index = None;
        let mut given = path.split('/');
        for segment in &self.segments {
            let text = decoded(given.next()?);
            match segment {
                Segment::Any => {}
                Segment::Exactly(wanted) if *wanted == text => {}
                Segment::Exactly(_) => return None,
                Segment::Numbered(before, behind) => {
                    let digits = text.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
                    let number: u32 = digits.parse().ok()?;
                    // One number has one spelling, and every number in a path is the same row's.
                    if number.to_string() != digits || index.is_some_and(|known| known != number) {
                        return None;
                    }
                    index = Some(number);
                }
            }
        }
        given.next().is_none().then_some(Fit { parameters: self.query.len(), literal: index.is_none(), index })
    }

    /// Whether an answer of that shape is meant by this one: its path is one that this one's template allows, and this
    /// one's query, if it has one, is among its own.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let segments = self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|(one, two)| *one == Segment::Any || one == two);
        segments && self.query.iter().all(|wanted| other.query.contains(wanted))
    }

    /// The same path with no say about the query.
    pub(crate) fn without_query(&self) -> Self {
        Self { segments: self.segments.clone(), query: Vec::new(), closed: self.closed }
    }

    /// Whether the path holds a generated row's number.
    pub(crate) fn is_numbered(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::Numbered(..)))
    }
}

impl Answer {
    /// Whether and how closely this is the answer to a request, its method aside.
    pub(crate) fn fit(&self, asked: &Asked) -> Option<Fit> {
        if !self.hosts.contains(&asked.host) {
            return None;
        }
        if let Some(spoken) = &self.spoken {
            return spoken.fit(asked);
        }
        self.shape.fit(&asked.path, &asked.query).filter(|fit| fit.index.is_none_or(|index| index < self.generated.count))
    }

    /// Whether a request's body is one that this answers: JSON of the same value, sent as JSON.
    pub(crate) fn is_asked_by(&self, asked: &Asked) -> bool {
        // A fit was found by what the body asks.
        if self.documents.is_empty() || self.spoken.is_some() {
            return true;
        }
        let kind = asked.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let body: Option<Value> = serde_json::from_slice(&asked.body).ok();
        kind.eq_ignore_ascii_case("application/json") && body.is_some_and(|body| self.documents.contains(&body))
    }

    /// The body for a request that fits like this; `None` for a body that is not JSON.
    pub(crate) fn json(&self, fit: Fit) -> Option<Cow<'_, Value>> {
        match (&self.body, fit.index) {
            (Body::Json(body), None) => Some(Cow::Borrowed(body)),
            (Body::Json(body), Some(index)) => Some(Cow::Owned(with_index(body, index))),
            (Body::Text(_), _) => None,
        }
    }
}

/// The parameters of a query, decoded.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}
