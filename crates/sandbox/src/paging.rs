//! Cutting a list into the vendor's pages and saying where the next one is.

use crate::placeholder::with_index;
use catalog::{Dataset, FieldPath, Pagination};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// How an answer is paged, and where its rows lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    style: Style,
    /// Member of the body that holds the rows, by dots where it lies deeper; empty when the body is the list.
    member: String,
    /// Rows of a page where a request does not say how many.
    usual: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Style {
    /// As the dataset's own pagination says, under the names that it uses.
    Declared(Pagination),
    /// `page`, `pageSize`; `links` and `meta` in the body.
    JsonApi,
    /// `after`, `count`; `links.next` in the body.
    JsonApiAfter,
    /// `page`, `per_page`; RFC 8288 `Link`.
    LinkHeader,
    /// `page`, `limit`; `total_pages` and `has_more` in the body.
    PageNumber,
    /// `cursor`, `limit`; the number `next_cursor` in the body, null at the end.
    Cursor,
    /// `start`, `limit`; the text `next` in the body, empty at the end.
    CursorStart,
}

/// What is done to the pages on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Disorder {
    /// Nothing.
    #[default]
    None,
    /// After every page comes another.
    Endless,
    /// The next page of every page is that page.
    Circle,
    /// The first page comes twice, as when a row is added to the front of a list that is being read.
    Repeat,
    /// The rows come in another order.
    Shuffle(u64),
}

/// One page.
pub(crate) struct CutPage {
    pub(crate) body: Value,
    pub(crate) link: Option<String>,
}

/// The rows of an answer: those in its body, then generated ones.
struct Rows<'a> {
    real: &'a [Value],
    pattern: Option<&'a Value>,
    generated: u32,
}

impl<'a> Rows<'a> {
    fn len(&self) -> usize {
        self.real.len() + self.pattern.map_or(0, |_| self.generated as usize)
    }

    fn get(&self, at: usize) -> Option<Cow<'a, Value>> {
        if let Some(row) = self.real.get(at) {
            return Some(Cow::Borrowed(row));
        }
        let index = u32::try_from(at - self.real.len()).ok().filter(|index| *index < self.generated)?;
        self.pattern.map(|pattern| Cow::Owned(with_index(pattern, index)))
    }
}

// Vendors cap the page size (https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api: 30, at most 100).
const DEFAULT_SIZE: usize = 30;
const GREATEST_SIZE: usize = 100;

impl Paging {
    /// Parses `json_api`, `json_api_after`, `link_header`, `page_number`, `cursor`, `cursor_start`, each with `:member`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (style, member) = text.split_once(':').map_or((text, None), |(style, member)| (style, Some(member)));
        let (style, usual) = match style {
            "json_api" => (Style::JsonApi, "data"),
            "json_api_after" => (Style::JsonApiAfter, "data"),
            "link_header" => (Style::LinkHeader, ""),
            "page_number" => (Style::PageNumber, "data"),
            "cursor" => (Style::Cursor, "data"),
            "cursor_start" => (Style::CursorStart, "data"),
            _ => return Err(format!("{style} is no style")),
        };
        let member = member.unwrap_or(usual).to_owned();
        if member.contains(['.', '[']) {
            return Err(format!("{member} is not a member of the body itself"));
        }
        if member.is_empty() && style != Style::LinkHeader {
            return Err("links need a body that is an object".to_owned());
        }
        Ok(Self { style, member, usual: DEFAULT_SIZE })
    }

    /// The style in which a dataset is read (`declared`).
    pub(crate) fn declared(dataset: &Dataset) -> Result<Self, String> {
        let member = dataset.rows.strip_suffix("[]").ok_or("an object has no pages")?;
        if dataset.pagination == Pagination::None {
            return Err(format!("the dataset {} has one page", dataset.id));
        }
        if member.contains('[') {
            return Err(format!("the rows of {} lie in several lists", dataset.id));
        }
        Ok(Self { style: Style::Declared(dataset.pagination.clone()), member: member.to_owned(), usual: DEFAULT_SIZE })
    }

    /// Sets how many rows a page has where a request does not say.
    pub(crate) fn set_usual(&mut self, rows: u32) {
        self.usual = rows.max(1) as usize;
    }

    /// The names under which the rows lie.
    fn members(&self) -> impl Iterator<Item = &str> {
        self.member.split('.').filter(|name| !name.is_empty())
    }

    /// The rows in a body, if they are where they should be.
    pub(crate) fn rows<'a>(&self, body: &'a Value) -> Option<&'a Vec<Value>> {
        self.members().try_fold(body, |body, name| body.get(name))?.as_array()
    }

    /// The rows in a body, to be changed.
    pub(crate) fn rows_mut<'a>(&self, body: &'a mut Value) -> Option<&'a mut Vec<Value>> {
        self.members().try_fold(body, |body, name| body.get_mut(name))?.as_array_mut()
    }

    /// The page of `body` that a request asks for.
    pub(crate) fn cut(&self, body: &Value, generated: (Option<&Value>, u32), request: &AskedPage<'_>, disorder: Disorder) -> CutPage {
        let rows = Rows { real: self.rows(body).map_or(&[][..], Vec::as_slice), pattern: generated.0, generated: generated.1 };
        let size = request.number(self.size_name()).unwrap_or(self.usual).clamp(1, self.greatest_size());
        // The page, from 1.
        let page = match &self.style {
            Style::Declared(pagination) => declared_page(pagination, request, size),
            Style::JsonApi | Style::LinkHeader | Style::PageNumber => request.number("page").unwrap_or(1).max(1),
            Style::JsonApiAfter => request.number("after").unwrap_or(0) + 1,
            Style::Cursor => request.number("cursor").unwrap_or(0) + 1,
            Style::CursorStart => request.number("start").unwrap_or(0) + 1,
        };
        let real_pages = rows.len().div_ceil(size).max(1);
        let (shown, pages) = match disorder {
            Disorder::None | Disorder::Shuffle(_) => (page, real_pages),
            Disorder::Endless => ((page - 1) % real_pages + 1, usize::MAX),
            // Whoever counts the pages itself is led in a circle by the same page under every number.
            Disorder::Circle if self.counted() => (1, usize::MAX),
            Disorder::Circle => (page, usize::MAX),
            Disorder::Repeat => ((page - 1).max(1), real_pages + 1),
        };
        let order = match disorder {
            Disorder::Shuffle(seed) => Some(shuffled(rows.len(), seed)),
            Disorder::None | Disorder::Endless | Disorder::Circle | Disorder::Repeat => None,
        };
        let first = (shown - 1).saturating_mul(size);
        let slice: Vec<Value> = (first..first.saturating_add(size).min(rows.len()))
            .filter_map(|at| rows.get(order.as_ref().map_or(at, |order| order[at])))
            .map(Cow::into_owned)
            .collect();
        let next = match disorder {
            Disorder::Circle => Some(page),
            Disorder::None | Disorder::Endless | Disorder::Repeat | Disorder::Shuffle(_) => (page < pages).then(|| page + 1),
        };
        let previous = (page > 1).then(|| page - 1);
        let last = if pages == usize::MAX { None } else { Some(pages) };
        match &self.style {
            Style::Declared(pagination) => {
                self.declared_cut(pagination, body, slice, request, &Turn { page, size, next, last, rows: rows.len() })
            }
            Style::JsonApi => {
                let link = |page: usize| json!(request.target(&[("page", page.to_string()), ("pageSize", size.to_string())]));
                let links = json!({
                    "self": link(page), "first": link(1),
                    "prev": previous.map(link), "next": next.map(link),
                });
                let mut body = self.around(body, slice);
                body.insert("links".into(), links);
                body.insert("meta".into(), json!({"page": page, "pageSize": size}));
                CutPage { body: Value::Object(body), link: None }
            }
            Style::JsonApiAfter => {
                let link = |page: usize| json!(request.target(&[("after", (page - 1).to_string()), ("count", size.to_string())]));
                let mut body = self.around(body, slice);
                body.insert("links".into(), json!({"self": link(page), "next": next.map(link)}));
                CutPage { body: Value::Object(body), link: None }
            }
            Style::PageNumber => {
                let mut body = self.around(body, slice);
                if let Some(last) = last {
                    body.insert("total_pages".into(), json!(last));
                }
                body.insert("has_more".into(), json!(next.is_some()));
                CutPage { body: Value::Object(body), link: None }
            }
            Style::Cursor => {
                let mut body = self.around(body, slice);
                body.insert("next_cursor".into(), json!(next.map(|page| page - 1)));
                CutPage { body: Value::Object(body), link: None }
            }
            Style::CursorStart => {
                let mut body = self.around(body, slice);
                body.insert("next".into(), json!(next.map(|page| (page - 1).to_string()).unwrap_or_default()));
                CutPage { body: Value::Object(body), link: None }
            }
            Style::LinkHeader => {
                let link = |page: usize, relation: &str| {
                    let target = request.target(&[("page", page.to_string()), ("per_page", size.to_string())]);
                    format!("<https://{}{target}>; rel=\"{relation}\"", request.host)
                };
                let ahead = next.is_some();
                let links = [
                    previous.map(|page| link(page, "prev")),
                    next.map(|page| link(page, "next")),
                    last.filter(|_| ahead).map(|page| link(page, "last")),
                    previous.map(|_| link(1, "first")),
                ];
                let links: Vec<String> = links.into_iter().flatten().collect();
                let body = if self.member.is_empty() { Value::Array(slice) } else { Value::Object(self.around(body, slice)) };
                CutPage { body, link: (!links.is_empty()).then(|| links.join(", ")) }
            }
        }
    }

    /// A page as a dataset's own pagination has it.
    fn declared_cut(&self, pagination: &Pagination, body: &Value, slice: Vec<Value>, request: &AskedPage<'_>, turn: &Turn) -> CutPage {
        let Turn { page, size, next, last, rows } = *turn;
        let mut link = None;
        let mut body = if self.member.is_empty() { Value::Array(slice) } else { with_rows(body, &self.member, slice) };
        let target = |parameter: &str, next: usize| {
            let size = pagination.size().map(|(name, _)| (name.as_str(), size.to_string()));
            let place = if parameter == NUMBER { next } else { next - 1 };
            // A parameter that was not asked for, as vendors have it that write out what they take for usual.
            let usual = pagination.link().and_then(|link| link.repeats.as_ref()).map(|_| ("sort", "asc".to_owned()));
            request.target(&size.into_iter().chain([(parameter, place.to_string())]).chain(usual).collect::<Vec<_>>())
        };
        let address = |parameter: &str, next: usize| format!("https://{}{}", request.host, target(parameter, next));
        match pagination {
            Pagination::None => {}
            Pagination::LinkHeader { .. } => link = next.map(|next| format!("<{}>; rel=\"next\"", address(place(pagination), next))),
            Pagination::JsonApi { next: at, ends_without, .. } => match next {
                Some(next) => set(&mut body, at, json!(address(place(pagination), next))),
                None if ends_without.is_some() => unset(&mut body, at),
                None => set(&mut body, at, Value::Null),
            },
            Pagination::Odata { .. } => {
                if let (Some(next), Value::Object(body)) = (next, &mut body) {
                    body.insert("@odata.nextLink".to_owned(), json!(address("$skiptoken", next)));
                }
            }
            Pagination::Offset { total, .. } => {
                if let Some(at) = total {
                    set(&mut body, at, json!(if last.is_some() { rows } else { usize::MAX >> 16 }));
                }
            }
            Pagination::PageNumber { pages, more, .. } => {
                if let Some(at) = pages {
                    set(&mut body, at, json!(last.unwrap_or(page + 1)));
                }
                if let Some(at) = more {
                    set(&mut body, at, json!(next.is_some()));
                }
            }
            Pagination::Cursor { next: at, more, ends_without, .. } => {
                match next {
                    Some(next) => set(&mut body, at, json!((next - 1).to_string())),
                    None if ends_without.is_some() => unset(&mut body, at),
                    None => set(&mut body, at, Value::Null),
                }
                if let Some(at) = more {
                    set(&mut body, at, json!(next.is_some()));
                }
            }
        }
        CutPage { body, link }
    }

    /// Whether nothing in an answer says whether another page follows: the first empty one is the end.
    fn counted(&self) -> bool {
        matches!(
            &self.style,
            Style::Declared(Pagination::PageNumber { pages: None, more: None, .. } | Pagination::Offset { total: None, .. })
        )
    }

    fn greatest_size(&self) -> usize {
        let declared = match &self.style {
            Style::Declared(pagination) => pagination.size().map(|(_, size)| *size as usize),
            Style::JsonApi | Style::JsonApiAfter | Style::LinkHeader | Style::PageNumber | Style::Cursor | Style::CursorStart => None,
        };
        declared.unwrap_or(GREATEST_SIZE).max(1)
    }

    /// Which page a request asks for, from 1.
    pub(crate) fn page_of(request: &AskedPage<'_>) -> usize {
        const PLACES: [&str; 17] = [
            "after",
            "cursor",
            "start",
            "$skiptoken",
            "pageToken",
            "page_token",
            "next_page_token",
            "marker",
            "page[after]",
            "page[cursor]",
            "page[number]",
            "page[offset]",
            "offset",
            "sysparm_offset",
            "stream_position",
            "next_marker",
            "partition",
        ];
        match (request.number("page").or(request.number("startIndex")), PLACES.iter().find_map(|name| request.number(name))) {
            (Some(page), _) => page.max(1),
            (None, Some(after)) => after.saturating_add(1),
            (None, None) => 1,
        }
    }

    fn size_name(&self) -> &str {
        match &self.style {
            Style::Declared(pagination) => pagination.size().map_or("", |(name, _)| name),
            Style::JsonApi => "pageSize",
            Style::JsonApiAfter => "count",
            Style::LinkHeader => "per_page",
            Style::PageNumber | Style::Cursor | Style::CursorStart => "limit",
        }
    }

    /// The body's other members, with these rows.
    fn around(&self, body: &Value, rows: Vec<Value>) -> Map<String, Value> {
        let others = body.as_object().into_iter().flatten().filter(|(name, _)| **name != self.member);
        let mut around: Map<String, Value> = others.map(|(name, member)| (name.clone(), member.clone())).collect();
        around.insert(self.member.clone(), Value::Array(rows));
        around
    }
}

/// Under which name this sandbox puts its place into links where the manifest names none.
const PLACE: &str = "after";
/// The name under which a page's number stands, from 1; under all others stand the pages before it.
const NUMBER: &str = "page";

fn place(pagination: &Pagination) -> &str {
    pagination.link().and_then(|link| link.cursor.first()).map_or(PLACE, String::as_str)
}

/// What is said of one page.
struct Turn {
    page: usize,
    size: usize,
    next: Option<usize>,
    last: Option<usize>,
    /// All rows of the list.
    rows: usize,
}

/// The page that a request asks for in a dataset's own style, from 1.
fn declared_page(pagination: &Pagination, request: &AskedPage<'_>, size: usize) -> usize {
    let after = |name: &str| request.number(name).unwrap_or(0) + 1;
    match pagination {
        Pagination::None => 1,
        Pagination::JsonApi { .. } | Pagination::LinkHeader { .. } if place(pagination) == NUMBER => {
            request.number(NUMBER).unwrap_or(1).max(1)
        }
        Pagination::JsonApi { .. } | Pagination::LinkHeader { .. } => after(place(pagination)),
        Pagination::Odata { .. } => after("$skiptoken"),
        Pagination::Offset { parameter, first, .. } => {
            request.number(parameter).unwrap_or(0).saturating_sub(*first as usize).div_ceil(size) + 1
        }
        Pagination::PageNumber { page, first, .. } => {
            (request.number(page).unwrap_or(*first as usize) + 1).saturating_sub(*first as usize).max(1)
        }
        Pagination::Cursor { parameter, .. } => after(parameter),
    }
}

/// The body with these rows in the place of its own.
fn with_rows(body: &Value, member: &str, rows: Vec<Value>) -> Value {
    let (first, rest) = member.split_once('.').unwrap_or((member, ""));
    let mut around = body.as_object().cloned().unwrap_or_default();
    let inner = if rest.is_empty() { Value::Array(rows) } else { with_rows(body.get(first).unwrap_or(&Value::Null), rest, rows) };
    around.insert(first.to_owned(), inner);
    Value::Object(around)
}

/// Puts a value into a body, making the objects on the way.
fn set(body: &mut Value, at: &FieldPath, value: Value) {
    let names: Vec<&str> = at.segments().map(|(name, _)| name).collect();
    let Some((last, way)) = names.split_last() else { return };
    let mut place = body;
    for name in way {
        if !place.get(*name).is_some_and(Value::is_object) {
            let Value::Object(members) = place else { return };
            members.insert((*name).to_owned(), json!({}));
        }
        let Some(inner) = place.get_mut(*name) else { return };
        place = inner;
    }
    if let Value::Object(members) = place {
        members.insert((*last).to_owned(), value);
    }
}

/// Takes a value out of a body.
fn unset(body: &mut Value, at: &FieldPath) {
    let names: Vec<&str> = at.segments().map(|(name, _)| name).collect();
    let Some((last, way)) = names.split_last() else { return };
    let holder = way.iter().try_fold(body, |place, name| place.get_mut(*name));
    if let Some(Value::Object(members)) = holder {
        members.remove(*last);
    }
}

/// What a request says about pages.
pub(crate) struct AskedPage<'a> {
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
}

impl AskedPage<'_> {
    fn number(&self, name: &str) -> Option<usize> {
        self.query.iter().find(|(given, _)| given == name).and_then(|(_, value)| value.parse::<u32>().ok()).map(|number| number as usize)
    }

    /// Path and query of the same request with these parameters set.
    fn target(&self, parameters: &[(&str, String)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.query.iter().filter(|(name, _)| !parameters.iter().any(|(set, _)| set == name)) {
            query.append_pair(name, value);
        }
        for (name, value) in parameters {
            query.append_pair(name, value);
        }
        format!("{}?{}", self.path, query.finish())
    }
}

/// The numbers below `count` in an order that depends on `seed` only (Fisher and Yates over splitmix64).
pub(crate) fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        let with = (random() % (at as u64 + 1)) as usize;
        order.swap(at, with);
    }
    order
}
