//! Salesforce: pages of SOQL, `readMetadata` by SOAP 1.1, and the vendor's error codes, which both share
//! (<https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm>).

use super::{Refusal, Spoken, code_of, not_understood};
use crate::{ConnectError, Limits, answer::Received, request::Request};
use catalog::{App, Dataset, Keep, Type};
use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a body holds in front of the session, between it and the type, and so on. Names are letters, digits and underscores
/// (the loader sees to it), so nothing in it needs an escape.
const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:met="http://soap.sforce.com/2006/04/metadata">"#,
    "<soapenv:Header><met:SessionHeader><met:sessionId>"
);
const MIDDLE: &str = "</met:sessionId></met:SessionHeader></soapenv:Header><soapenv:Body><met:readMetadata><met:type>";

/// Characters of a session: some hundreds at the vendor, some thousands where it is a JSON Web Token.
const SESSION: usize = 8 * 1024;

fn tail(kind: &str, full_name: &str) -> String {
    format!("{MIDDLE}{kind}</met:type><met:fullNames>{full_name}</met:fullNames></met:readMetadata></soapenv:Body></soapenv:Envelope>")
}

/// The body without a session.
pub(super) fn body(kind: &str, full_name: &str) -> String {
    format!("{HEAD}{}", tail(kind, full_name))
}

/// Whether a body is the dataset's, with or without a session in its place.
pub(super) fn is_body(kind: &str, full_name: &str, body: Option<&str>) -> bool {
    let session = body.and_then(|body| body.strip_prefix(HEAD)).and_then(|rest| rest.strip_suffix(tail(kind, full_name).as_str()));
    session.is_some_and(is_session)
}

/// Letters, digits and the signs that tokens have; nothing that could end the element.
fn is_session(text: &str) -> bool {
    text.len() <= SESSION && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!._=+/~-".contains(&byte))
}

pub(super) fn with_session(kind: &str, full_name: &str, body: &str, header: &[u8]) -> Option<SecretString> {
    let session = std::str::from_utf8(header).ok()?.strip_prefix("Bearer ")?;
    let tail = tail(kind, full_name);
    if session.is_empty() || body != format!("{HEAD}{tail}") {
        return None;
    }
    // Written once into a buffer of the right size, so that no part of it is left behind by growing.
    let mut whole = String::with_capacity(HEAD.len() + session.len() + tail.len());
    whole.extend([HEAD, session, tail.as_str()]);
    is_body(kind, full_name, Some(&whole)).then(|| SecretString::from(whole))
}

/// The last segment of `nextRecordsUrl`: a cursor's id and the number of its next row, `01g5e00001abcdEAAQ-2000`.
pub(super) fn is_locator(segment: &str) -> bool {
    let Some((cursor, row)) = segment.rsplit_once('-') else { return false };
    matches!(cursor.len(), 15 | 18) && cursor.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_number(row)
}

fn is_number(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the next page is asked by, and how far the pages before it came.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locator {
    locator: String,
    /// `totalSize` of the first page.
    total: u64,
    /// Records of the pages so far.
    read: u64,
}

pub(super) fn further(dataset: &Dataset, first: &Request, next: &str) -> Result<Request, ConnectError> {
    let page: Locator = serde_json::from_str(next).map_err(|_| not_understood(dataset, "what names the next page is not known"))?;
    Ok(Request { page: Some(next.to_owned()), ..first.below(&page.locator, "/{next}") })
}

/// Whether another page of a query follows. `done` has to be told, the link to lie below the query's own path, and
/// `totalSize` to be the number of records that came: it is the total number of records that fit
/// (<https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm>).
pub(super) fn next(dataset: &Dataset, request: &Request, body: &Value) -> Spoken {
    let doubt = |what: &str| Spoken { doubt: Some(not_understood(dataset, what)), ..Spoken::default() };
    let before: Option<Locator> = request.page.as_deref().and_then(|page| serde_json::from_str(page).ok());
    let told = body.get("totalSize").and_then(Value::as_u64);
    let Some(total) = told.filter(|told| before.as_ref().is_none_or(|before| before.total == *told)) else {
        return doubt("a page does not say how many records there are, or another number than the first one");
    };
    let came = body.get("records").and_then(Value::as_array).map_or(0, Vec::len) as u64;
    let read = before.map_or(0, |before| before.read).saturating_add(came);
    match (body.get("done"), body.get("nextRecordsUrl")) {
        (Some(Value::Bool(true)), None | Some(Value::Null)) if read != total => doubt("not as many records came as the answer counts"),
        (Some(Value::Bool(true)), None | Some(Value::Null)) => Spoken::default(),
        (Some(Value::Bool(true)), Some(_)) => doubt("a page says that it is the last and names another one"),
        (Some(Value::Bool(false)), Some(Value::String(link))) => {
            let locator = link.strip_prefix(request.root.as_str()).and_then(|rest| rest.strip_prefix('/')).filter(|rest| is_locator(rest));
            match locator {
                Some(locator) => match serde_json::to_string(&Locator { locator: locator.to_owned(), total, read }) {
                    Ok(next) => Spoken { next: Some(next), ..Spoken::default() },
                    Err(_) => doubt("the next page cannot be named"),
                },
                None => doubt("the link to the next page leads to another list. It was not followed"),
            }
        }
        (Some(Value::Bool(false)), _) => doubt("a page says that another one follows and does not name it"),
        (_, _) => doubt("a page does not say whether another one follows"),
    }
}

/// Reads a SOAP answer: the one record of `readMetadataResponse`, or, as `{faultcode, faultstring}`, a fault.
pub(super) fn read(
    dataset: &Dataset,
    kind: &str,
    full_name: &str,
    host: &str,
    received: &Received,
    limits: &Limits,
) -> Result<Value, ConnectError> {
    let not_soap = || not_understood(dataset, "the answer is not the XML that was to be expected");
    let text = std::str::from_utf8(&received.body).map_err(|_| not_soap())?;
    let root = match Element::read(text, limits.depth) {
        Ok(root) => root,
        Err(Unreadable::Deep) => return Err(ConnectError::TooDeep { host: host.to_owned(), depth: limits.depth }),
        Err(Unreadable::Many) => {
            return Err(not_understood(
                dataset,
                &format!("the answer holds more than {ELEMENTS} XML elements, which is no component's size"),
            ));
        }
        Err(Unreadable::NotXml) => return Err(not_soap()),
    };
    let body = (root.name == "Envelope").then(|| root.child("Body")).flatten().ok_or_else(not_soap)?;
    if let Some(fault) = body.child("Fault") {
        let part = |name: &str| fault.child(name).map(|part| part.text.trim().to_owned()).unwrap_or_default();
        let code = part("faultcode");
        // The code is a qualified name (https://www.w3.org/TR/2000/NOTE-SOAP-20000508/#_Toc478383510); its prefix is any.
        let code = code.rsplit(':').next().unwrap_or_default();
        return Ok(json!({ "faultcode": code, "faultstring": part("faultstring") }));
    }
    let result = body.child("readMetadataResponse").and_then(|response| response.child("result")).ok_or_else(not_soap)?;
    let records: Vec<&Element> = result.children.iter().filter(|child| child.name == "records").collect();
    let [record] = records.as_slice() else { return Err(not_soap()) };
    if record.nil || record.children.is_empty() {
        // What is not there and what may not be seen look alike.
        return Err(not_understood(dataset, &format!("there is no {kind} of the name {full_name}, or it may not be seen")));
    }
    if record.child("fullName").is_some_and(|name| name.text.trim() != full_name) {
        return Err(not_understood(dataset, "the answer is about another component than was asked for"));
    }
    let mut value = record.value();
    for (path, keep) in &dataset.keep {
        lists(&mut value, &path.0, keep);
    }
    Ok(value)
}

/// XML does not tell a list of one from a single value: what is kept as a list becomes one.
fn lists(value: &mut Value, path: &str, keep: &Keep) {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(member) = value.get_mut(name) else { return };
    if !rest.is_empty() {
        return lists(member, rest, keep);
    }
    let Type::List(element) = &keep.ty else { return };
    if !member.is_array() {
        *member = Value::Array(vec![member.take()]);
    }
    if let (Type::Object(fields), Value::Array(items)) = (element.as_ref(), member) {
        for item in items {
            fields.iter().for_each(|(name, keep)| lists(item, name, keep));
        }
    }
}

/// What a code of the vendor's means, in the list of errors of its REST answers or as the code of a fault.
pub(super) fn refusal(app: &App, status: u16, body: Option<&Value>) -> Option<Refusal> {
    let body = body?;
    let code = body.get(0).and_then(|error| error.get("errorCode")).or_else(|| body.get("faultcode")).and_then(Value::as_str)?;
    Some(match code {
        // https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-error-handling-session-exp.html
        "INVALID_SESSION_ID" => Refusal::Credential,
        // Codes of the SOAP API, which the others share:
        // https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm#exception_code_topic
        "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY" => Refusal::Scope,
        // What HTTP says of these is enough, and what the vendor's own fault is may be over in a moment.
        _other if status == 401 || (status >= 500 && body.is_array()) => return None,
        other => {
            let code = code_of(other).map(|code| format!(", {code}")).unwrap_or_default();
            let sentence = format!("{} did not answer the request ({status}{code}).", app.name);
            Refusal::Other(ConnectError::VendorError { status, sentence })
        }
    })
}

/// An element, its name without a prefix. Attributes are not kept.
#[derive(Debug, Default)]
struct Element {
    name: String,
    nil: bool,
    text: String,
    children: Vec<Element>,
}

enum Unreadable {
    NotXml,
    Deep,
    Many,
}

/// Elements of one answer: some hundred times the largest component that is read, and small beside a workstation's memory.
const ELEMENTS: u32 = 100_000;
/// Attributes of one element, which are compared with each other. SOAP and the vendor write two or three.
const ATTRIBUTES: usize = 64;

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Elements to members, several of one name to a list; text where there is no element in it.
    fn value(&self) -> Value {
        if self.nil {
            return Value::Null;
        }
        if self.children.is_empty() {
            return Value::String(self.text.clone());
        }
        let mut members = Map::new();
        for child in &self.children {
            let value = child.value();
            match members.get_mut(&child.name) {
                None => {
                    members.insert(child.name.clone(), value);
                }
                // An element's value is never a list, so a list is one of ours.
                Some(Value::Array(items)) => items.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Value::Object(members)
    }

    /// Reads a document without a document type, so that nothing in it stands for anything else.
    fn read(text: &str, depth: u32) -> Result<Self, Unreadable> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        let mut left = ELEMENTS;
        loop {
            let event = reader.read_event().map_err(|_| Unreadable::NotXml)?;
            if matches!(event, Event::Start(_) | Event::Empty(_)) {
                if open.len() >= depth as usize {
                    return Err(Unreadable::Deep);
                }
                left = left.checked_sub(1).ok_or(Unreadable::Many)?;
            }
            match event {
                Event::Start(start) => open.push(Self::of(&start)?),
                Event::Empty(start) => close(Self::of(&start)?, &mut open, &mut root)?,
                Event::End(_) => {
                    let element = open.pop().ok_or(Unreadable::NotXml)?;
                    close(element, &mut open, &mut root)?;
                }
                Event::Text(part) => write(&part.xml10_content(), &mut open)?,
                Event::CData(part) => write(&part.xml10_content(), &mut open)?,
                Event::GeneralRef(reference) => {
                    let letter = reference.resolve_char_ref().map_err(|_| Unreadable::NotXml)?;
                    match letter {
                        Some(letter) => write(letter.encode_utf8(&mut [0; 4]), &mut open)?,
                        None => write(resolve_predefined_entity(&reference.xml10_content()).ok_or(Unreadable::NotXml)?, &mut open)?,
                    }
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err(Unreadable::NotXml),
                Event::Eof => break,
            }
        }
        if open.is_empty() { root.ok_or(Unreadable::NotXml) } else { Err(Unreadable::NotXml) }
    }

    fn of(start: &quick_xml::events::BytesStart<'_>) -> Result<Self, Unreadable> {
        let mut nil = false;
        for (at, attribute) in start.attributes().enumerate() {
            if at >= ATTRIBUTES {
                return Err(Unreadable::NotXml);
            }
            let attribute = attribute.map_err(|_| Unreadable::NotXml)?;
            nil |= attribute.key.local_name().as_ref() == "nil" && matches!(attribute.value.as_ref(), "true" | "1");
        }
        Ok(Self { name: start.local_name().as_ref().to_owned(), nil, ..Self::default() })
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), Unreadable> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(Unreadable::NotXml),
    }
    Ok(())
}

fn write(text: &str, open: &mut [Element]) -> Result<(), Unreadable> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Unreadable::NotXml),
    }
    Ok(())
}
