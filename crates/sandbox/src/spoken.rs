//! Answers to datasets that are asked for in a language of their own: GraphQL, SOQL, Snowflake's SQL API, Salesforce's
//! metadata by SOAP. What a request asks is compared with the manifest's document; anything else is refused as the vendor
//! would. Lists are cut into pages here too.

use crate::{
    answer::{Asked, Fit},
    paging::{Disorder, shuffled},
};
use catalog::{Dataset, FieldPath, Protocol};
use quick_xml::{
    Reader, Writer,
    events::{BytesEnd, BytesStart, BytesText, Event},
};
use serde_json::{Map, Value, json};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// What one answer is the answer to.
#[derive(Debug, Clone)]
pub(crate) struct Spoken {
    /// The dataset's id.
    pub(crate) dataset: String,
    /// The path of the first request, prefix included.
    path: String,
    document: String,
    kind: Kind,
    /// Where the rows lie.
    rows: FieldPath,
    is_list: bool,
    /// Rows of a page.
    page_rows: usize,
    /// Names the statement or cursor.
    number: usize,
    /// Fields of parent rows that this answer is for; none answers for each.
    each: BTreeMap<String, String>,
    /// Columns of a result without rows.
    columns: Vec<String>,
}

#[derive(Debug, Clone)]
enum Kind {
    GraphQl {
        /// The variables' values; `None` for what the parent row fills.
        variables: BTreeMap<String, Wanted>,
        /// The variable that takes the cursor, and where an answer tells of pages.
        cursor: Option<(String, FieldPath)>,
    },
    Soql,
    Sql {
        parameters: BTreeMap<String, String>,
    },
    Metadata {
        kind: String,
        full_name: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    This(String),
    /// What the parent row fills, by the name it carries.
    Each(String),
}

/// What Salesforce gives in a page where nothing else is asked for
/// (<https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_queryoptions.htm>).
const USUAL_ROWS: usize = 2_000;

/// What is served: status, content type and body.
pub(crate) type Reply = (u16, &'static str, Vec<u8>);

const JSON: &str = "application/json; charset=utf-8";
const XML: &str = "text/xml; charset=utf-8";

impl Spoken {
    /// The answer to a dataset with a protocol of its own; `fill` fills a template with the tenant's fields.
    pub(crate) fn new(
        dataset: &Dataset,
        prefix: &str,
        number: usize,
        page_rows: Option<u32>,
        each: BTreeMap<String, String>,
        fill: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let wanted = |template: &String| match template.strip_prefix("{each.").and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Some(Wanted::Each(name.to_owned())),
            None => fill(template).map(Wanted::This),
        };
        let kind = match &dataset.protocol {
            Protocol::Http => return None,
            Protocol::GraphQl { variables, cursor } => Kind::GraphQl {
                variables: variables.iter().filter_map(|(name, template)| Some((name.clone(), wanted(template)?))).collect(),
                cursor: cursor.as_ref().map(|cursor| (cursor.variable.clone(), cursor.page_info.clone())),
            },
            Protocol::Soql => Kind::Soql,
            Protocol::SnowflakeSql { parameters } => {
                Kind::Sql { parameters: parameters.iter().filter_map(|(name, template)| Some((name.clone(), fill(template)?))).collect() }
            }
            Protocol::SalesforceMetadata { kind, full_name } => Kind::Metadata { kind: kind.clone(), full_name: full_name.clone() },
        };
        Some(Self {
            dataset: dataset.id.clone(),
            path: format!("{prefix}{}", dataset.path),
            document: dataset.document.clone().unwrap_or_default(),
            kind,
            rows: FieldPath(dataset.rows.trim_end_matches("[]").to_owned()),
            is_list: dataset.rows.ends_with("[]"),
            page_rows: page_rows.map_or(USUAL_ROWS, |rows| rows.max(1) as usize),
            number,
            each,
            columns: dataset.keep.keys().map(|path| path.0.clone()).collect(),
        })
    }

    /// Whether a request speaks this answer's language at its place, whatever it asks.
    pub(crate) fn is_spoken_to(&self, asked: &Asked) -> bool {
        asked.path == self.path || self.below(asked).is_some()
    }

    fn below<'a>(&self, asked: &'a Asked) -> Option<&'a str> {
        asked.path.strip_prefix(self.path.as_str())?.strip_prefix('/').filter(|rest| !rest.contains('/'))
    }

    /// Whether and how closely this is the answer to a request.
    pub(crate) fn fit(&self, asked: &Asked) -> Option<Fit> {
        self.offset(asked).map(|_| Fit::of_spoken(self.each.len()))
    }

    /// The page that a request asks for, from 1.
    pub(crate) fn page_of(&self, asked: &Asked) -> Option<usize> {
        self.offset(asked).map(|offset| offset / self.page_rows + 1)
    }

    /// The first row that a request asks for; `None` when it asks for something else.
    fn offset(&self, asked: &Asked) -> Option<usize> {
        match &self.kind {
            Kind::GraphQl { variables, cursor } => {
                let body = self.posted(asked, "application/json")?;
                let body: Map<String, Value> = serde_json::from_str(&body).ok()?;
                if body.len() != 2 || body.get("query")?.as_str()? != self.document {
                    return None;
                }
                let given = body.get("variables")?.as_object()?;
                for (name, wanted) in variables {
                    let value = given.get(name)?.as_str()?;
                    let fits = match wanted {
                        Wanted::This(wanted) => wanted == value,
                        Wanted::Each(part) => self.each.get(part).is_none_or(|wanted| wanted == value),
                    };
                    if !fits {
                        return None;
                    }
                }
                let after = cursor.as_ref().and_then(|(name, _)| given.get(name));
                if given.len() != variables.len() + usize::from(after.is_some()) {
                    return None;
                }
                match after {
                    None => Some(0),
                    Some(after) => self.read_cursor(after.as_str()?),
                }
            }
            Kind::Soql => match self.below(asked) {
                _ if asked.method != "GET" => None,
                None if asked.path == self.path => (asked.query == [("q".to_owned(), self.document.clone())]).then_some(0),
                None => None,
                Some(locator) => locator.strip_prefix(self.locator().as_str())?.strip_prefix('-')?.parse().ok(),
            },
            Kind::Sql { parameters } => match self.below(asked) {
                None => {
                    let body: Map<String, Value> = serde_json::from_str(&self.posted(asked, "application/json")?).ok()?;
                    let known = ["statement", "timeout", "parameters"];
                    let others: BTreeMap<&str, &str> = body
                        .iter()
                        .filter(|(name, _)| !known.contains(&name.as_str()))
                        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
                        .collect();
                    let wanted: BTreeMap<&str, &str> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    (others == wanted && self.is_statement(body.get("statement")?.as_str()?)).then_some(0)
                }
                Some(handle) if asked.method == "GET" && handle == self.handle() => match asked.query.as_slice() {
                    [] => Some(0),
                    [(name, number)] if name == "partition" => number.parse::<usize>().ok().map(|number| number * self.page_rows),
                    _ => None,
                },
                Some(_) => None,
            },
            Kind::Metadata { kind, full_name } => {
                let read = Envelope::read(&self.posted(asked, "text/xml")?)?;
                (read.kind == *kind && read.full_name == *full_name).then_some(0)
            }
        }
    }

    fn posted(&self, asked: &Asked, kind: &str) -> Option<String> {
        let given = asked.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let fits = asked.method == "POST" && asked.path == self.path && asked.query.is_empty() && given.eq_ignore_ascii_case(kind);
        fits.then(|| String::from_utf8(asked.body.to_vec()).ok()).flatten()
    }

    /// Whether a statement is the document with a quoted identifier in the place of each placeholder, and the one that this
    /// answer is for where it says so.
    fn is_statement(&self, statement: &str) -> bool {
        let (mut template, mut rest) = (self.document.as_str(), statement);
        while let Some((before, after)) = template.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else { return false };
            let Some(quoted) = rest.strip_prefix(before).and_then(|rest| rest.strip_prefix('"')) else { return false };
            // The end is the first quote that is not doubled.
            let end = quoted.replace("\"\"", "\u{0}\u{0}").find('"');
            let Some(end) = end else { return false };
            let value = quoted[..end].replace("\"\"", "\"");
            if name.strip_prefix("each.").and_then(|name| self.each.get(name)).is_some_and(|wanted| *wanted != value) {
                return false;
            }
            rest = &quoted[end + 1..];
            template = behind;
        }
        template == rest
    }

    fn cursor(&self, offset: usize) -> String {
        format!("cursor:{}:{offset}", self.number)
    }

    fn read_cursor(&self, cursor: &str) -> Option<usize> {
        cursor.strip_prefix("cursor:")?.strip_prefix(&self.number.to_string())?.strip_prefix(':')?.parse().ok()
    }

    /// The id of the cursor that a query's pages are asked by, of the length that Salesforce's have.
    fn locator(&self) -> String {
        format!("01g{:012}AAA", self.number)
    }

    fn handle(&self) -> String {
        format!("01b00000-0000-4000-8000-{:012}", self.number)
    }

    /// The answer, cut to the page that was asked for.
    pub(crate) fn reply(&self, asked: &Asked, status: u16, body: &Value, disorder: Disorder) -> Reply {
        if status != 200 {
            return self.failure(status, body);
        }
        let offset = self.offset(asked).unwrap_or_default();
        let mut body = body.clone();
        let taken = self.take_rows(&mut body, disorder);
        let Some(rows) = taken else {
            return match &self.kind {
                Kind::Metadata { full_name, .. } => (200, XML, record(full_name, &body)),
                Kind::GraphQl { .. } | Kind::Soql | Kind::Sql { .. } => (200, JSON, body.to_string().into_bytes()),
            };
        };
        let all = rows.len();
        let end = (offset + self.page_rows).min(all);
        let page: Vec<Value> = rows.get(offset..end).map(<[Value]>::to_vec).unwrap_or_default();
        let follows = end < all;
        match &self.kind {
            Kind::GraphQl { cursor, .. } => {
                put(&mut body, &self.rows, Value::Array(page));
                if let Some((_, page_info)) = cursor {
                    let told = json!({ "hasNextPage": follows, "endCursor": (all > 0).then(|| self.cursor(end)) });
                    put(&mut body, page_info, told);
                }
                (200, JSON, body.to_string().into_bytes())
            }
            Kind::Soql => {
                put(&mut body, &self.rows, Value::Array(page));
                if let Value::Object(body) = &mut body {
                    body.insert("totalSize".into(), json!(all));
                    body.insert("done".into(), json!(!follows));
                    if follows {
                        body.insert("nextRecordsUrl".into(), json!(format!("{}/{}-{end}", self.path, self.locator())));
                    }
                }
                (200, JSON, body.to_string().into_bytes())
            }
            Kind::Sql { .. } => (200, JSON, self.result(&rows, &page, offset).to_string().into_bytes()),
            Kind::Metadata { .. } => (200, XML, Vec::new()),
        }
    }

    /// Takes the list out of a body, in another order if that is wanted; `None` where the answer is one object or holds no list
    /// in the list's place, and is served as it stands.
    fn take_rows(&self, body: &mut Value, disorder: Disorder) -> Option<Vec<Value>> {
        if !self.is_list {
            return None;
        }
        let place = self.rows.segments().try_fold(body, |value, (name, _)| value.get_mut(name))?;
        let rows = place.as_array_mut().map(std::mem::take)?;
        Some(match disorder {
            Disorder::Shuffle(seed) => shuffled(rows.len(), seed).into_iter().filter_map(|at| rows.get(at).cloned()).collect(),
            Disorder::None | Disorder::Endless | Disorder::Circle | Disorder::Repeat => rows,
        })
    }

    /// Rows as Snowflake sends them: texts by column; later partitions hold the rows alone.
    fn result(&self, all: &[Value], page: &[Value], offset: usize) -> Value {
        let named: BTreeSet<&str> = all.iter().filter_map(Value::as_object).flatten().map(|(name, _)| name.as_str()).collect();
        let columns: Vec<&str> =
            if all.is_empty() { self.columns.iter().map(String::as_str).collect() } else { named.into_iter().collect() };
        let text = |value: Option<&Value>| match value {
            None | Some(Value::Null) => Value::Null,
            Some(Value::String(text)) => json!(text),
            Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => json!(value.to_string()),
        };
        let data: Vec<Value> = page.iter().map(|row| columns.iter().map(|column| text(row.get(*column))).collect()).collect();
        if offset > 0 {
            return json!({ "data": data });
        }
        let partitions: Vec<Value> = (0..all.len().div_ceil(self.page_rows).max(1))
            .map(|at| json!({ "rowCount": self.page_rows.min(all.len() - at * self.page_rows) }))
            .collect();
        // SELECT answers names in upper case, SHOW and DESCRIBE in lower case.
        let upper = self.document.trim_start().to_ascii_uppercase().starts_with("SELECT");
        let row_type: Vec<Value> = columns
            .iter()
            .map(|name| json!({ "name": if upper { name.to_uppercase() } else { (*name).to_owned() }, "type": "text", "nullable": true }))
            .collect();
        json!({
            "resultSetMetaData": { "numRows": all.len(), "format": "jsonv2", "partitionInfo": partitions, "rowType": row_type },
            "data": data,
            "code": "090001",
            "statementHandle": self.handle(),
            "sqlState": "00000",
            "message": "Statement executed successfully.",
        })
    }

    /// A failure in the vendor's form.
    pub(crate) fn failure(&self, status: u16, body: &Value) -> Reply {
        match &self.kind {
            Kind::GraphQl { .. } | Kind::Soql | Kind::Sql { .. } => (status, JSON, body.to_string().into_bytes()),
            Kind::Metadata { .. } => {
                let part = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let (code, text) = (part("faultcode"), part("faultstring"));
                let usual = if status == 401 { "INVALID_SESSION_ID" } else { "UNKNOWN_EXCEPTION" };
                let code = if code.is_empty() { usual.to_owned() } else { code };
                // Faults come with status 500 whatever they are about (SOAP 1.1, section 6.2).
                (if status == 401 { 500 } else { status }, XML, fault(&code, &text))
            }
        }
    }

    /// The answer to a request that asks for something else than the manifest does.
    pub(crate) fn refusal(&self) -> Reply {
        match &self.kind {
            Kind::GraphQl { .. } => {
                let body =
                    json!({ "errors": [{ "type": "undefinedField", "message": "The sandbox answers the manifest's documents only." }] });
                (200, JSON, body.to_string().into_bytes())
            }
            Kind::Soql => (400, JSON, json!([{ "errorCode": "MALFORMED_QUERY", "message": "unexpected query" }]).to_string().into_bytes()),
            Kind::Sql { .. } => {
                let body = json!({ "code": "001003", "sqlState": "42000", "message": "SQL compilation error" });
                (422, JSON, body.to_string().into_bytes())
            }
            Kind::Metadata { .. } => (500, XML, fault("INVALID_TYPE", "unexpected metadata")),
        }
    }
}

fn put(body: &mut Value, path: &FieldPath, value: Value) {
    let names: Vec<&str> = path.segments().map(|(name, _)| name).collect();
    let Some((last, around)) = names.split_last() else {
        *body = value;
        return;
    };
    let place = around.iter().try_fold(body, |body, name| body.get_mut(*name));
    if let Some(Value::Object(place)) = place {
        place.insert((*last).to_owned(), value);
    }
}

/// What a SOAP request of `readMetadata` holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Envelope {
    session: String,
    kind: String,
    full_name: String,
}

impl Envelope {
    fn read(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<String> = Vec::new();
        let mut read = Self::default();
        let mut calls = 0;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    open.push(start.local_name().as_ref().to_owned());
                    calls += usize::from(open.get(..2).is_some_and(|around| around == ["Envelope", "Body"]) && open.len() == 3);
                }
                Event::End(_) => {
                    open.pop()?;
                }
                Event::Text(text) => {
                    let path: Vec<&str> = open.iter().map(String::as_str).collect();
                    let place = match path.as_slice() {
                        ["Envelope", "Header", "SessionHeader", "sessionId"] => &mut read.session,
                        ["Envelope", "Body", "readMetadata", "type"] => &mut read.kind,
                        ["Envelope", "Body", "readMetadata", "fullNames"] => &mut read.full_name,
                        _ => continue,
                    };
                    place.push_str(&text.xml10_content());
                }
                Event::Decl(_) => {}
                Event::Eof => break,
                Event::Empty(_) | Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) | Event::GeneralRef(_) => {
                    return None;
                }
            }
        }
        (calls == 1 && open.is_empty()).then_some(read)
    }
}

/// The session that a SOAP request carries in its body, as the header would carry it.
pub(crate) fn session_of(content_type: Option<&str>, body: &[u8]) -> Option<String> {
    content_type.filter(|kind| kind.starts_with("text/xml"))?;
    let session = Envelope::read(std::str::from_utf8(body).ok()?)?.session;
    (!session.is_empty()).then(|| format!("Bearer {session}"))
}

fn envelope(write: impl FnOnce(&mut Writer<Vec<u8>>) -> std::io::Result<()>) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let attributes = [
        ("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/"),
        ("xmlns", "http://soap.sforce.com/2006/04/metadata"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xmlns:sf", "http://soap.sforce.com/2006/04/metadata"),
    ];
    // Writing into memory does not fail.
    let _ = writer
        .write_event(Event::Start(BytesStart::new("soapenv:Envelope").with_attributes(attributes)))
        .and_then(|()| writer.write_event(Event::Start(BytesStart::new("soapenv:Body"))))
        .and_then(|()| write(&mut writer))
        .and_then(|()| writer.write_event(Event::End(BytesEnd::new("soapenv:Body"))))
        .and_then(|()| writer.write_event(Event::End(BytesEnd::new("soapenv:Envelope"))));
    writer.into_inner()
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value) -> std::io::Result<()> {
    let text: Cow<'_, str> = match value {
        Value::Null => {
            return writer.write_event(Event::Empty(BytesStart::new(name).with_attributes([("xsi:nil", "true")])));
        }
        Value::Array(items) => return items.iter().try_for_each(|item| element(writer, name, item)),
        Value::Object(members) => {
            writer.write_event(Event::Start(BytesStart::new(name)))?;
            members.iter().try_for_each(|(name, value)| element(writer, name, value))?;
            return writer.write_event(Event::End(BytesEnd::new(name)));
        }
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Bool(_) | Value::Number(_) => Cow::Owned(value.to_string()),
    };
    writer.write_event(Event::Start(BytesStart::new(name)))?;
    writer.write_event(Event::Text(BytesText::new(&text)))?;
    writer.write_event(Event::End(BytesEnd::new(name)))
}

fn record(full_name: &str, record: &Value) -> Vec<u8> {
    let mut record = record.clone();
    if let Value::Object(members) = &mut record {
        members.insert("fullName".to_owned(), json!(full_name));
    }
    envelope(|writer| element(writer, "readMetadataResponse", &json!({ "result": { "records": record } })))
}

fn fault(code: &str, text: &str) -> Vec<u8> {
    let content = json!({ "faultcode": format!("sf:{code}"), "faultstring": format!("{code}: {text}") });
    envelope(|writer| element(writer, "soapenv:Fault", &content))
}
