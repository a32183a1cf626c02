//! What is read of an application and what is kept of it: `[[dataset]]` in `datasets.toml`.

use crate::{Accepted, FieldPath, Inputs, Place, Protocol};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// One request (with its continuations) whose answer is reduced to typed rows at receipt.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Stable within the application: `auth-settings`.
    pub id: String,
    /// "Sign-in settings".
    pub title: String,
    /// One row or many; follows from [`Dataset::rows`].
    pub kind: DatasetKind,
    /// What an answer is: data, or the vendor's description of its own answers.
    pub form: Form,
    /// The description that fields known from nowhere else are held against.
    pub published_by: Option<PublishedBy>,
    /// The login option's host role that is asked.
    pub host: String,
    /// Whether the session's credential goes along; `false` for documents that are public.
    pub authorised: bool,
    /// In which language it is asked for.
    pub protocol: Protocol,
    /// GET, or POST with a pinned document.
    pub method: Method,
    /// Path template over login fields (`{organization}`) and, under [`Dataset::each`], over the parent row (`{each.name}`).
    /// Each placeholder fills exactly one percent-encoded segment.
    pub path: String,
    /// Fixed query parameters, in order; values may be templates.
    pub query: Vec<(String, String)>,
    /// For POST: the pinned body. For a [`Dataset::protocol`] of its own: the pinned query or statement.
    pub document: Option<String>,
    /// How further pages are asked for.
    pub pagination: Pagination,
    /// Where the rows lie in an answer: `data[]`, `data`, `[]` or empty for the body itself. A row that is a single value
    /// and no object is kept under the name [`Dataset::VALUE`].
    pub rows: String,
    /// The URL that says that the vendor leaves the list's member out, or writes null, where the list is empty. Without it an
    /// answer that lacks the member is not understood; with it one that holds other members is understood only if it names
    /// the next page, because it may be somebody else's. Only for lists in a member of their own.
    pub rows_absent: Option<String>,
    /// How the vendor writes single values.
    pub values: Values,
    /// What is kept of each row, by path from the row. Everything else is dropped at receipt.
    pub keep: BTreeMap<FieldPath, Keep>,
    /// Constants put into each row that came from a real answer: `protected = true`.
    pub constant: BTreeMap<String, serde_json::Value>,
    /// Kept paths that identify a row; empty for an object.
    pub key: Vec<FieldPath>,
    /// Kept path that names a row to a person.
    pub label: Option<FieldPath>,
    /// What the credential must hold, to be shown when it does not.
    pub needs: Needs,
    /// Read once per row of another dataset, or per item of a login field.
    pub each: Option<Each>,
    /// How it is read instead when a login field names what to scan; see [`Dataset::for_inputs`].
    pub instead: Option<Instead>,
    /// What must all hold of the rows before emptiness or absence means anything; none when an answer is whole by itself.
    pub probes: Vec<Probe>,
    /// What it means that a Complete answer has no rows.
    pub on_empty: OnEmpty,
    /// Only the newest rows are wanted; none when all are.
    pub recent: Option<Recent>,
    /// Answers with a meaning of their own, asked before the application's.
    pub says: Vec<Says>,
    /// What a successful answer says of itself; none where its status says it.
    pub accepted: Option<Accepted>,
    /// How hard the vendor may be asked.
    pub politeness: Politeness,
    /// Headers with fixed values that its requests carry, names in lower case; those of the file are among them.
    pub headers: BTreeMap<String, String>,
    /// Where the facts come from (URL).
    pub source: String,
    /// Where it is written.
    pub place: Place,
}

impl Dataset {
    /// The name under which a row that is a single value is kept: `value`.
    pub const VALUE: &str = "value";

    /// What is kept of a description: one row for each request of the application on the description's host role.
    /// `method` and `path` (the template, as our manifest writes it), whether it is `published`, the `fields` of a successful
    /// answer by path and type (`users[].email:string`), and whether `all` of them are listed or some were left out
    /// because there are too many.
    pub fn described_rows(place: &Place) -> BTreeMap<FieldPath, Keep> {
        let keep = |ty: Type| Keep {
            ty,
            transform: None,
            absent: None,
            on_empty: OnEmpty::None,
            source: None,
            published: false,
            withheld: None,
            place: place.clone(),
        };
        [
            ("method", Type::String),
            ("path", Type::String),
            ("published", Type::Bool),
            ("fields", Type::List(Box::new(Type::String))),
            ("all", Type::Bool),
        ]
        .into_iter()
        .map(|(path, ty)| (FieldPath::from(path), keep(ty)))
        .collect()
    }

    /// The dataset as it is read with these inputs: itself, or, when the field of [`Dataset::instead`] is filled, once per
    /// item of that field with the path written there. The administrator then says what is whole, so nothing is probed for.
    pub fn for_inputs(&self, inputs: &Inputs) -> Cow<'_, Self> {
        let Some(instead) =
            self.instead.as_ref().filter(|instead| inputs.get(&instead.field).is_some_and(|value| !value.trim().is_empty()))
        else {
            return Cow::Borrowed(self);
        };
        let kind = DatasetKind::of_rows(&instead.rows);
        Cow::Owned(Self {
            path: instead.path.clone(),
            rows: instead.rows.clone(),
            // What is documented of one list says nothing of another.
            rows_absent: None,
            kind,
            pagination: match kind {
                DatasetKind::Object => Pagination::None,
                DatasetKind::List => self.pagination.clone(),
            },
            each: Some(Each {
                over: EachOver::Field(instead.field.clone()),
                carry: self.each.as_ref().map(|each| each.carry.clone()).unwrap_or_default(),
            }),
            probes: Vec::new(),
            ..self.clone()
        })
    }
}

/// Another way to read a dataset: once per item of a login field in which the administrator names what to scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instead {
    /// The list field; while it is empty the dataset is read in its usual way.
    pub field: String,
    /// Path template; `{each.item}` and the named groups of the field's item expression (`{each.name}`) are its placeholders.
    pub path: String,
    /// Where the rows lie in that answer.
    pub rows: String,
}

/// Whether a dataset is one object or a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatasetKind {
    /// Exactly one row.
    Object,
    /// Any number of rows.
    List,
}

impl DatasetKind {
    /// The kind that follows from where the rows lie: a path that ends in `[]` is a list.
    pub fn of_rows(rows: &str) -> Self {
        if rows.ends_with("[]") { Self::List } else { Self::Object }
    }
}

/// How a vendor writes single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// As JSON has them.
    #[default]
    Typed,
    /// As text: `"true"`, `"15"`. A text that is exactly `true` or `false` (in any case) is a bool, one that is a decimal number
    /// is a number.
    Text,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Data.
    #[default]
    Data,
    /// The vendor's OpenAPI 3 description of this host role's answers. Its rows ([`Dataset::described_rows`]) say which
    /// requests of the application, and which fields of their answers, it publishes; nothing else is kept of it.
    OpenApi,
}

/// The description that a dataset is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedBy {
    /// A dataset of [`Form::OpenApi`] and of the same host role, written earlier.
    pub dataset: String,
    /// Whether the request itself is known from nowhere else: it is made only if the description publishes it.
    pub request: bool,
}

/// Of a list that the vendor gives newest first, only what is this new is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recent {
    /// The kept timestamp that the list is ordered by. An entry without it leaves the list in doubt.
    pub field: FieldPath,
    /// How old an entry may be, in days from when it is read.
    pub days: u32,
}

/// The verbs a dataset may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    /// `GET`, `POST`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// How further pages are asked for. Each style is written once in `crates/connect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "style", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pagination {
    /// One answer is all.
    None,
    /// JSON:API: `links.next` (or the member named here) holds a path or URL of the same host, null at the end.
    JsonApi {
        /// Path of the link in the body.
        #[serde(default = "links_next")]
        next: FieldPath,
        /// Name and value of the page-size parameter of the first request.
        #[serde(default)]
        size: Option<(String, u32)>,
        /// The URL that says that the vendor leaves the link out at the end. Without it an answer that lacks the link is a
        /// doubt: it may have been cut.
        #[serde(default)]
        ends_without: Option<String>,
        /// The URL by which the vendor describes this list as one resource, so that a single resource in the list's place
        /// stands for a list of one. Without it a single resource is an answer that is not understood.
        #[serde(default)]
        single: Option<String>,
        /// What a link may hold beside the list's own query.
        #[serde(default, skip_serializing_if = "PageLink::is_usual")]
        link: PageLink,
    },
    /// RFC 8288 `Link: <…>; rel="next"`.
    LinkHeader {
        /// Name and value of the page-size parameter of the first request.
        #[serde(default)]
        size: Option<(String, u32)>,
        /// What a link may hold beside the list's own query.
        #[serde(default, skip_serializing_if = "PageLink::is_usual")]
        link: PageLink,
    },
    /// OData: `@odata.nextLink` holds a URL of the same list, and is left out at the end
    /// (<https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ControlInformationnextLinkodatanextLink>).
    Odata {
        /// Name and value of the page-size parameter of the first request.
        #[serde(default)]
        size: Option<(String, u32)>,
        /// What a link may hold beside the list's own query.
        #[serde(default, skip_serializing_if = "PageLink::is_usual")]
        link: PageLink,
    },
    /// The place of the first row of a page, counted in rows; SCIM's `startIndex` is one. Ends at the number of rows that
    /// the body tells, or, where it tells none, at the first empty page.
    Offset {
        /// Name of the parameter: `offset`, `startIndex`.
        parameter: String,
        /// The place of the first row of all: 0, or 1 for SCIM (RFC 7644, section 3.4.2.4).
        #[serde(default)]
        first: u32,
        /// Name and value of the page-size parameter.
        #[serde(default)]
        size: Option<(String, u32)>,
        /// Path of the number of all rows in the body, where the vendor has it.
        #[serde(default)]
        total: Option<FieldPath>,
    },
    /// Pages with numbers from `first` up, until an answer says that it was the last, or is empty. A page with fewer rows than
    /// were asked for is not the end: vendors cap page sizes.
    PageNumber {
        /// Name of the parameter with the page's number.
        page: String,
        /// The number of the first page: 1, or 0.
        #[serde(default = "one")]
        first: u32,
        /// Name and value of the page-size parameter.
        #[serde(default)]
        size: Option<(String, u32)>,
        /// Path of the number of pages in the body, where the vendor has it.
        #[serde(default)]
        pages: Option<FieldPath>,
        /// Path of a bool in the body that says whether more pages follow, where the vendor has it.
        #[serde(default)]
        more: Option<FieldPath>,
    },
    /// A text or number in the body that names the next page; null or empty at the end.
    Cursor {
        /// Name of the parameter that it is given back in.
        parameter: String,
        /// Its path in the body.
        next: FieldPath,
        /// Name and value of the page-size parameter.
        #[serde(default)]
        size: Option<(String, u32)>,
        /// Path of a bool in the body that says whether more pages follow, where the vendor has it: the cursor is followed
        /// only while it is true.
        #[serde(default)]
        more: Option<FieldPath>,
        /// The URL that says that the vendor leaves the cursor out at the end. Without it an answer that lacks it is a doubt.
        #[serde(default)]
        ends_without: Option<String>,
        /// Whether its path is known from nowhere but the vendor's description ([`Dataset::published_by`]); where that does
        /// not publish it, the end of the list is not known.
        #[serde(default)]
        published: bool,
        /// Why the cursor is not followed; set for one scan, `None` in every manifest.
        #[serde(skip)]
        withheld: Option<Withheld>,
    },
}

impl Pagination {
    /// Name and value of the page-size parameter.
    pub fn size(&self) -> Option<&(String, u32)> {
        match self {
            Self::None => None,
            Self::JsonApi { size, .. }
            | Self::LinkHeader { size, .. }
            | Self::Odata { size, .. }
            | Self::Offset { size, .. }
            | Self::PageNumber { size, .. }
            | Self::Cursor { size, .. } => size.as_ref(),
        }
    }

    /// What links to further pages may hold, for styles that have them.
    pub fn link(&self) -> Option<&PageLink> {
        match self {
            Self::JsonApi { link, .. } | Self::LinkHeader { link, .. } | Self::Odata { link, .. } => Some(link),
            Self::None | Self::Offset { .. } | Self::PageNumber { .. } | Self::Cursor { .. } => None,
        }
    }

    /// The same with pages of another size; without effect where the size is not said.
    pub fn set_size(&mut self, rows: u32) {
        match self {
            Self::None => {}
            Self::JsonApi { size, .. }
            | Self::LinkHeader { size, .. }
            | Self::Odata { size, .. }
            | Self::Offset { size, .. }
            | Self::PageNumber { size, .. }
            | Self::Cursor { size, .. } => {
                if let Some((_, value)) = size {
                    *value = rows;
                }
            }
        }
    }
}

/// What the link to a further page may hold beside the query that the list was asked by. Anything else could make it a link to
/// another list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PageLink {
    /// The parameters that name the page; none: the usual names, see [`PageLink::names_page`].
    pub cursor: Vec<String>,
    /// The URL that shows that the vendor writes the usual values of parameters into its links that were not in the request. They
    /// are left out of the next request, which is asked by the list's own query and the page's name alone.
    pub repeats: Option<String>,
}

impl PageLink {
    /// Usual names of the parameter that names a page.
    const CURSORS: [&'static str; 20] = [
        "$skip",
        "$skiptoken",
        "after",
        "before",
        "continuation",
        "continuationtoken",
        "cursor",
        "marker",
        "next",
        "next_page_token",
        "offset",
        "page",
        "page[after]",
        "page[cursor]",
        "page[number]",
        "page[offset]",
        "page_token",
        "pagetoken",
        "starting_after",
        "sysparm_offset",
    ];
    /// Usual names of the page size, which vendors write into links whether it was asked for or not.
    const SIZES: [&'static str; 11] =
        ["$top", "count", "limit", "max_results", "maxresults", "page[limit]", "page[size]", "page_size", "pagesize", "per_page", "size"];

    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a parameter names the page.
    pub fn names_page(&self, parameter: &str) -> bool {
        if self.cursor.is_empty() {
            Self::CURSORS.contains(&parameter.to_lowercase().as_str())
        } else {
            self.cursor.iter().any(|name| name == parameter)
        }
    }

    /// Whether a parameter names the size of a page.
    pub fn names_size(&self, parameter: &str) -> bool {
        Self::SIZES.contains(&parameter.to_lowercase().as_str())
    }
}

fn one() -> u32 {
    1
}

fn links_next() -> FieldPath {
    FieldPath::from("links.next")
}

/// What is kept of one field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Keep {
    /// The type of the value as it is received; a value of another type is kept out and makes the field ill-typed.
    #[serde(rename = "type")]
    pub ty: Type,
    /// What is stored in its place.
    pub transform: Option<Transform>,
    /// Whether null or absence is documented, and what it then stands for.
    pub absent: Option<Absent>,
    /// For lists and maps: whether the vendor documents that an empty one means none, so that `all`/`exists` may judge it.
    pub on_empty: OnEmpty,
    /// Source of a fact that is not in the dataset's own source.
    pub source: Option<String>,
    /// Whether the field's name is known from nowhere but the vendor's own description: it is kept only where that
    /// ([`Dataset::published_by`]), read whole in the same scan, publishes exactly this path with a matching type.
    pub published: bool,
    /// Why the field is not kept although it may be in the answer; set for one scan, `None` in every manifest.
    #[serde(skip)]
    pub withheld: Option<Withheld>,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// Why a field whose name is known from a description alone is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// The description does not publish it, or with another type.
    NotPublished,
    /// The description was not read whole.
    DescriptionUnread,
}

impl Withheld {
    /// The word in [`crate::Row::faults`].
    pub fn fault(self) -> &'static str {
        match self {
            Self::NotPublished => crate::Row::NOT_PUBLISHED,
            Self::DescriptionUnread => crate::Row::DESCRIPTION_UNREAD,
        }
    }
}

/// The type of a kept value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// true or false.
    Bool,
    /// A whole number within ±2^53.
    Int,
    /// Any finite number.
    Number,
    /// Text.
    String,
    /// A number or text that names something, kept as text.
    Id,
    /// A point in time, kept as RFC 3339 in UTC.
    Timestamp(TimestampFormat),
    /// Text out of a closed set; anything else is an unknown value and judges nothing.
    Enum(Vec<String>),
    /// A list of values of one type.
    List(Box<Type>),
    /// A map from text to values of one type.
    Map(Box<Type>),
    /// An object of which only these fields are kept, by path from it (`name`, `owner.id`): the elements of a list of objects.
    Object(BTreeMap<String, Keep>),
}

impl Type {
    /// What a text says as a single value of this type, in the form in which it is stored; `None` when it says none, and for
    /// lists, maps and objects. `true` and `false` in any case are bools, decimal digits numbers; times that are counted from
    /// 1970 may have a fraction, which is left out.
    pub fn of_text(&self, text: &str) -> Option<serde_json::Value> {
        let trimmed = text.trim();
        match self {
            Self::Bool if trimmed.eq_ignore_ascii_case("true") => Some(true.into()),
            Self::Bool if trimmed.eq_ignore_ascii_case("false") => Some(false.into()),
            Self::Bool => None,
            Self::Int => trimmed.parse::<i64>().ok().filter(|number| number.abs() <= 1 << 53).map(Into::into),
            Self::Number => trimmed.parse::<f64>().ok().filter(|number| number.is_finite()).map(Into::into),
            Self::String | Self::Id => Some(text.into()),
            Self::Enum(values) => values.iter().any(|known| known == text).then(|| text.into()),
            Self::Timestamp(format) => format.read(trimmed).map(|time| time.to_string().into()),
            Self::List(_) | Self::Map(_) | Self::Object(_) => None,
        }
    }
}

impl TimestampFormat {
    /// The point in time that a text writes in this format.
    pub fn read(self, text: &str) -> Option<jiff::Timestamp> {
        let utc = |time: jiff::civil::DateTime| time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp());
        let counted = || {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let digits = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
            whole.parse::<i64>().ok().filter(|_| digits)
        };
        match self {
            Self::Rfc3339 => text.parse().ok(),
            Self::Spaced => utc(jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?),
            Self::SpacedZone => match text.strip_suffix(" UTC") {
                Some(text) => Self::Spaced.read(text),
                None => jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok(),
            },
            Self::Date => utc(jiff::civil::Date::strptime("%Y-%m-%d", text).ok()?.to_datetime(jiff::civil::Time::midnight())),
            Self::EpochSeconds => jiff::Timestamp::from_second(counted()?).ok(),
            Self::EpochMilliseconds => jiff::Timestamp::from_millisecond(counted()?).ok(),
        }
    }
}

/// How a vendor writes a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum TimestampFormat {
    Rfc3339,
    EpochSeconds,
    EpochMilliseconds,
    /// `2026-05-01 10:00:00`, in UTC.
    Spaced,
    /// `2026-05-01 10:00:00 UTC` or `2026-05-01 10:00:00 +0200`.
    SpacedZone,
    /// `2026-05-01`: the beginning of that day in UTC.
    Date,
}

/// What is stored in place of a value that may be judged but not kept. On a list (but for [`Transform::Present`]) it is
/// applied to each element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Whether there is a value that is not empty: bool.
    Present,
    /// The keys of a map, sorted: list<string>.
    NamesOf,
    /// Of a URL: `{scheme, host}`, lower case. Never path, query or user information.
    HostOf,
    /// Lower-case hex digest of the text: string.
    Sha256,
    /// Of a PEM or base64 DER certificate: `{subject, issuer, not_before, not_after, key_algorithm, key_bits, signature_algorithm, sha256}`.
    /// `key_algorithm` is `rsa`, `ec`, `dsa`, `ed25519`, `ed448` or the object identifier; `key_bits` the size of the modulus or
    /// curve; `signature_algorithm` the usual name in lower case (`sha256withrsaencryption`, `ecdsa-with-sha384`) or the
    /// object identifier.
    X509,
    /// Of a JSON Web Token payload (never verified, never a basis for trust): `{exp, iat}` as timestamps.
    JwtTimes,
}

/// What null or absence of a field stands for, as the vendor documents it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Absent {
    /// The value put in its place; null keeps the field as null.
    pub value: serde_json::Value,
    /// The URL that says so.
    pub source: String,
    /// Whether the vendor writes an empty text where there is nothing, so that it counts as absence; else it is a value.
    pub empty: bool,
}

/// What emptiness means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum OnEmpty {
    /// There are none: a fact.
    None,
    /// Nobody says; whatever rests on it is not evaluated.
    #[default]
    Unknown,
}

/// What a credential must hold for a dataset to be readable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// Any one of these roles or scopes, the least first.
    pub any_of: Vec<String>,
    /// The vendor says that no role or scope is needed. Without it an empty list means that nobody says what is.
    pub any_credential: bool,
    /// The vendor's plan that has it; empty when every plan does.
    pub plan: String,
    /// Login fields that must be filled: `organization`.
    pub fields: Vec<String>,
}

/// A dataset that is read once per something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Each {
    /// What it is read for.
    pub over: EachOver,
    /// Fields of the parent row that the path's `{each.…}` placeholders and `row.each.…` in checks may use; over a login field,
    /// the named groups of its item expression. An item that has no value for a group the path names is not read, which
    /// leaves the dataset Partial ([`crate::CauseKind::InputMissing`]).
    pub carry: Vec<FieldPath>,
}

/// What a dataset is read for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EachOver {
    /// Each row of that dataset for which all conditions hold.
    Dataset {
        /// Its id.
        id: String,
        /// Only rows that fulfil these.
        filter: Vec<crate::Condition>,
    },
    /// Each item of a list field of the login option; the item is `{each.item}`.
    Field(String),
}

/// Something that must hold of a list before it is taken for whole, for vendors that leave out without an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Probe {
    /// There is a row whose `row` field equals the `field` of the one row of `dataset`.
    Equals {
        /// Path in this dataset's rows.
        row: FieldPath,
        /// The dataset (an object) that holds what must be seen.
        dataset: String,
        /// Path in that dataset's row.
        field: FieldPath,
    },
    /// There is a row whose `row` field has a value other than the `field` of the one row of `dataset`.
    Differs {
        /// Path in this dataset's rows.
        row: FieldPath,
        /// The dataset (an object) that holds what a short list is limited to.
        dataset: String,
        /// Path in that dataset's row.
        field: FieldPath,
    },
    /// There are at least as many rows as these fields of the one row of `dataset` come to; a field that is missing there
    /// proves nothing.
    Count {
        /// The dataset (an object) that holds the counts.
        dataset: String,
        /// Paths of whole numbers in that dataset's row; their sum is what must be reached.
        fields: Vec<FieldPath>,
    },
    /// There are fewer rows than this: nobody says whether the list has pages, and so many could be the first of several.
    FewerThan {
        /// From so many rows on the list may be cut.
        rows: u32,
    },
}

impl Probe {
    /// The dataset that has to be read for it.
    pub fn dataset(&self) -> Option<&str> {
        match self {
            Self::Equals { dataset, .. } | Self::Differs { dataset, .. } | Self::Count { dataset, .. } => Some(dataset),
            Self::FewerThan { .. } => None,
        }
    }

    /// The field of this dataset's rows that is looked at.
    pub fn row(&self) -> Option<&FieldPath> {
        match self {
            Self::Equals { row, .. } | Self::Differs { row, .. } => Some(row),
            Self::Count { .. } | Self::FewerThan { .. } => None,
        }
    }
}

/// An answer with a meaning of its own.
#[derive(Debug, Clone, Serialize)]
pub struct Says {
    /// HTTP status it comes with.
    pub status: u16,
    /// A text in the body: path and the exact value.
    pub body: Option<(FieldPath, String)>,
    /// A text in the body: path and a part of the value, compared without case.
    pub body_contains: Option<(FieldPath, String)>,
    /// A header that must be present.
    pub header: Option<String>,
    /// What it means.
    pub means: Meaning,
    /// One sentence for the administrator, and what to do; empty for the meaning's own.
    pub sentence: String,
    /// Where the fact comes from.
    pub source: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The credential is not accepted (any more).
    CredentialRefused,
    /// The credential lacks a role or scope.
    ScopeMissing,
    /// The vendor's plan lacks it.
    PlanLacks,
    /// Too many requests; wait and go on.
    Throttled,
    /// There is no such thing and that is a fact: this row stands in its place.
    Row(BTreeMap<String, serde_json::Value>),
}

/// How hard the vendor may be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Politeness {
    /// Requests under way at once, per host.
    pub concurrency: u32,
    /// Requests per second, per host; 0 is no limit of ours.
    pub per_second: u32,
    /// Headers that tell the budget; empty when the vendor has none.
    pub remaining_header: String,
    /// Header with the size of the budget.
    pub limit_header: String,
    /// Header with the time at which it is whole again.
    pub reset_header: String,
    /// How that header tells the time.
    pub reset_in: ResetIn,
    /// Wait for the reset when less than this share (0 to 1) is left.
    pub keep_free: f64,
}

impl Default for Politeness {
    fn default() -> Self {
        Self {
            concurrency: 4,
            per_second: 0,
            remaining_header: "x-ratelimit-remaining".into(),
            limit_header: "x-ratelimit-limit".into(),
            reset_header: "x-ratelimit-reset".into(),
            reset_in: ResetIn::Epoch,
            keep_free: 0.1,
        }
    }
}

/// How a header tells when a budget is whole again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetIn {
    /// A point in time, in seconds since 1970 (Okta, GitHub, GitLab).
    #[default]
    Epoch,
    /// The seconds until then (Datadog, Zendesk).
    Seconds,
}
