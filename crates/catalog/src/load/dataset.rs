//! `[[dataset]]`: what is read and kept.

use super::{
    keep, protocol,
    shape::Shape,
    source::{Table, Value},
    view, words,
};
use crate::{
    Accepted, Dataset, DatasetKind, Each, EachOver, Field, FieldPath, Form, Instead, Keep, Login, Needs, NeverCalled, PageLink, Pagination,
    Politeness, Probe, Protocol, PublishedBy, Recent, ResetIn, Type, Values, hosts,
};
use std::collections::BTreeMap;

/// What a dataset is held against.
pub(super) struct Around<'a> {
    pub(super) logins: &'a [Login],
    pub(super) never: &'a [NeverCalled],
    /// The datasets written before it.
    pub(super) before: &'a [Dataset],
    /// `ok` of the file.
    pub(super) accepted: Option<&'a Accepted>,
    /// `[headers]` of the file.
    pub(super) headers: &'a BTreeMap<String, String>,
    /// `[politeness]` of the file.
    pub(super) politeness: &'a Politeness,
}

pub(super) fn read(table: Table<'_>, around: &Around<'_>) -> Option<Dataset> {
    let id = table.text("id", "stable within the application, such as auth-settings");
    let title = table.text("title", "what the administrator sees, such as Sign-in settings");
    let form = table.word("kind", &[("openapi", Form::OpenApi)]).unwrap_or_default();
    let host = table.text("host", "the host role that is asked");
    if !around.logins.iter().any(|login| has_role(login, &host)) {
        table.errors.add(&table.place_of("host"), format!("the host role \"{host}\" is not in `roles` of any login option; add it to one"));
    }
    let authorised = table.flag_or("authorised", true);
    let protocol::Asked { protocol, method, document } = protocol::read(&table);
    let path = table.text("path", "the path template, such as /v1/users");
    let query: Vec<(String, String)> = table
        .get("query")
        .map(|value| value.entries().into_iter().filter_map(|(key, value)| value.text().map(|text| (key, text))).collect())
        .unwrap_or_default();
    let pages = if protocol == Protocol::Http { table.get("pagination") } else { None };
    let pagination = pages.and_then(|value| pagination(&value)).unwrap_or(Pagination::None);
    let rows = table.text_or_empty("rows");
    let values = table.word("values", &[("typed", Values::Typed), ("text", Values::Text)]).unwrap_or(match protocol {
        Protocol::Http | Protocol::GraphQl { .. } | Protocol::Soql => Values::Typed,
        Protocol::SnowflakeSql { .. } | Protocol::SalesforceMetadata { .. } => Values::Text,
    });
    let kind = DatasetKind::of_rows(&rows);
    if !rows.is_empty() && (rows.trim_end_matches("[]").contains("[]") || !words::is_path(&rows)) {
        table.wrong(format!("`rows` is \"{rows}\"; write where the rows lie, such as data[], data, [] or nothing for the body itself"));
    }
    let rows_absent = rows_absent(&table, &rows);
    let keep = match table.get("keep") {
        Some(value) => keep::read(&value),
        None if form == Form::OpenApi => Dataset::described_rows(&table.place),
        None => {
            table.wrong("[[dataset]] lacks `keep`: what is kept of each row, by path and type");
            BTreeMap::new()
        }
    };
    let constant: BTreeMap<String, serde_json::Value> = table
        .get("constant")
        .map(|value| value.entries().into_iter().map(|(key, value)| (key, value.json())).collect())
        .unwrap_or_default();
    for name in constant.keys().filter(|name| keep.contains_key(&FieldPath((*name).clone())) || *name == "each") {
        table.wrong(format!("the constant \"{name}\" has the name of a kept field; give it another"));
    }
    let each = table.get("each").and_then(|value| each(&value, around));
    let instead = table.get("instead").and_then(|value| instead(&value, around));
    let needs = table.get("needs").map(|value| needs(&value, around.logins)).unwrap_or_default();
    let key: Vec<FieldPath> = table.texts("key").into_iter().map(FieldPath).collect();
    let label = table.get("label").and_then(|value| value.text()).map(FieldPath);
    let probe = table.get("probe");
    let on_empty = table.word("on_empty", keep::ON_EMPTY).unwrap_or_default();
    let says = table.tables("says").into_iter().filter_map(super::app::says).collect();
    let accepted = table.get("ok").map_or_else(|| around.accepted.cloned(), |value| protocol::accepted(&value));
    let published_by = published_by(&table);
    let recent = recent(&table);
    let politeness = table.get("politeness").map_or_else(|| around.politeness.clone(), |value| politeness(&value, around.politeness));
    let source = words::source(&table);
    let mut dataset = Dataset {
        id,
        title,
        kind,
        form,
        published_by,
        host,
        authorised,
        protocol,
        method,
        path,
        query,
        document,
        pagination,
        rows,
        rows_absent,
        values,
        keep,
        constant,
        key,
        label,
        needs,
        each,
        instead,
        probes: Vec::new(),
        on_empty,
        recent,
        says,
        accepted,
        politeness,
        headers: around.headers.clone().into_iter().chain(super::credentials::constant_headers(&table)).collect(),
        source,
        place: table.place.clone(),
    };
    if form == Form::OpenApi {
        description(&table, &mut dataset);
    }
    paths(&table, &dataset, around);
    protocol::check(&table, &dataset);
    published(&table, &dataset, around);
    let shape = Shape::of_dataset(&dataset, around.before, around.logins);
    identity(&table, &dataset, &shape);
    dataset.probes = probe.map(|value| probes(&value, &dataset, &shape, around)).unwrap_or_default();
    table.finish();
    Some(dataset)
}

fn has_role(login: &Login, role: &str) -> bool {
    login.roles.iter().any(|known| known.id == role)
}

fn published_by(table: &Table<'_>) -> Option<PublishedBy> {
    let request = table.flag_or("published", false);
    let dataset = table.get("published_by").and_then(|value| value.text());
    if request && dataset.is_none() {
        table.wrong("`published` says that a description must publish the request; name that in `published_by`");
    }
    dataset.map(|dataset| PublishedBy { dataset, request })
}

/// The URL that says that an empty list's member is left out: for lists in a member of their own.
fn rows_absent(table: &Table<'_>, rows: &str) -> Option<String> {
    let value = table.get("rows_absent")?;
    let source = value.text()?;
    words::https(table.errors, &value.place, "rows_absent", &source);
    if source.is_empty() {
        value.wrong("must be the URL that says that an empty list is left out");
    }
    if DatasetKind::of_rows(rows) == DatasetKind::Object || rows.starts_with("[]") {
        value.wrong("is for lists in a member of their own, such as data[]; one object, or a list that is the whole body, is there or is not understood");
    }
    Some(source)
}

fn recent(table: &Table<'_>) -> Option<Recent> {
    let value = table.get("recent")?;
    let inner = value.table()?;
    let field = FieldPath(inner.text("field", "the kept timestamp that the list is ordered by, newest first"));
    let days = inner.get("days").and_then(|value| value.whole()).and_then(|days| u32::try_from(days).ok()).filter(|days| *days > 0);
    if days.is_none() {
        value.wrong("lacks `days`: how old an entry may be, from 1 up");
    }
    inner.finish();
    Some(Recent { field, days: days? })
}

/// A description has its own rows; what a manifest says of rows has no place in it.
fn description(table: &Table<'_>, dataset: &mut Dataset) {
    const NOT_THERE: [&str; 15] = [
        "protocol",
        "rows",
        "rows_absent",
        "keep",
        "key",
        "label",
        "each",
        "instead",
        "pagination",
        "probe",
        "constant",
        "document",
        "published_by",
        "recent",
        "on_empty",
    ];
    for key in NOT_THERE {
        if let Some(value) = table.get(key) {
            value.wrong("has no meaning for a dataset of kind openapi; leave it out");
        }
    }
    dataset.kind = DatasetKind::List;
    dataset.key = vec![FieldPath::from("method"), FieldPath::from("path")];
    dataset.label = Some(FieldPath::from("path"));
}

/// Fields that a description must publish have one, and `recent` names a timestamp.
fn published(table: &Table<'_>, dataset: &Dataset, around: &Around<'_>) {
    if let Some(by) = &dataset.published_by {
        let place = table.place_of("published_by");
        match around.before.iter().find(|other| other.id == by.dataset) {
            None => table.errors.add(&place, format!("`published_by` is \"{}\", which is not written before this dataset", by.dataset)),
            Some(other) if other.form != Form::OpenApi => {
                table.errors.add(&place, format!("`published_by` is \"{}\", which is not of kind openapi", by.dataset));
            }
            Some(other) if other.host != dataset.host => table.errors.add(
                &place,
                format!("`published_by` is \"{}\", which describes the host role \"{}\" and not this one", by.dataset, other.host),
            ),
            Some(_) => {}
        }
        if dataset.instead.is_some() {
            table.errors.add(&place, "`published_by` and `instead` exclude each other: the description is held against one path");
        }
    } else {
        let asks = |keep: &Keep| keep.published || inner(&keep.ty).any(|keep| keep.published);
        for (path, keep) in dataset.keep.iter().filter(|(_, keep)| asks(keep)) {
            table
                .errors
                .add(&keep.place, format!("\"{path}\" must be published by a description; name that in the dataset's `published_by`"));
        }
        if matches!(dataset.pagination, Pagination::Cursor { published: true, .. }) {
            table.wrong("the cursor must be published by a description; name that in `published_by`");
        }
    }
    if let Some(recent) = &dataset.recent
        && (dataset.kind != DatasetKind::List
            || !dataset.keep.get(&recent.field).is_some_and(|keep| matches!(keep.ty, Type::Timestamp(_)) && keep.absent.is_none()))
    {
        table.errors.add(
            &table.place_of("recent"),
            format!("`recent` names \"{}\", which is not a kept timestamp of a list that has to be there", recent.field),
        );
    }
}

/// The fields of the objects in a list.
fn inner(ty: &Type) -> impl Iterator<Item = &Keep> {
    let fields = if let Type::List(element) = ty
        && let Type::Object(fields) = element.as_ref()
    {
        Some(fields)
    } else {
        None
    };
    fields.into_iter().flat_map(|fields| fields.values())
}

/// Key and label name kept single values.
fn identity(table: &Table<'_>, dataset: &Dataset, shape: &Shape) {
    if dataset.kind == DatasetKind::List && dataset.key.is_empty() {
        table.wrong(format!("the list \"{}\" lacks `key`: the kept fields that tell its rows apart", dataset.id));
    }
    if dataset.kind == DatasetKind::Object && !dataset.key.is_empty() {
        table.errors.add(&table.place_of("key"), "an object has one row and no `key`; leave it out, or let `rows` end in []");
    }
    if dataset.kind == DatasetKind::List && dataset.label.is_none() {
        table.wrong(format!("the list \"{}\" lacks `label`: the kept field that names a row to a person", dataset.id));
    }
    for (name, path) in dataset.key.iter().map(|path| ("key", path)).chain(dataset.label.iter().map(|path| ("label", path))) {
        if !matches!(shape.at(&path.0), Some(Shape::Leaf(_))) {
            table
                .errors
                .add(&table.place_of(name), format!("`{name}` names \"{path}\", which is not a kept single value; add it to `keep`"));
        }
    }
    if dataset.each.is_some() && dataset.keep.keys().any(|path| path.0 == "each" || path.0.starts_with("each.")) {
        table.wrong("`each` is the parent's place in a row; keep no field of that name");
    }
}

/// Every placeholder has something to fill it, and no path is one that is never called.
fn paths(table: &Table<'_>, dataset: &Dataset, around: &Around<'_>) {
    let place = table.place_of("path");
    let check = |path: &str, carried: &[String]| {
        if !path.starts_with('/') {
            table.errors.add(&place, format!("`path` is \"{path}\"; it starts with a slash and holds no host"));
        }
        if let Some(never) = around.never.iter().find(|never| same_path(&never.path, path)) {
            table.errors.add(&place, format!("the path {path} is never called: {}", never.reason));
        }
        // Of the parameters of a statement, those whose field is empty are left out.
        let (variables, parameters): (Vec<&str>, Vec<&str>) = match &dataset.protocol {
            Protocol::SnowflakeSql { .. } => (Vec::new(), dataset.protocol.templates().collect()),
            Protocol::Http | Protocol::GraphQl { .. } | Protocol::Soql | Protocol::SalesforceMetadata { .. } => {
                (dataset.protocol.templates().collect(), Vec::new())
            }
        };
        for parameter in parameters {
            match parameter.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains(['{', '}', '.'])) {
                Some(name) => {
                    let needs = Needs { fields: vec![name.to_owned()], ..dataset.needs.clone() };
                    filled(table, &Dataset { needs, ..dataset.clone() }, around.logins, name, &place);
                }
                None => table.errors.add(
                    &table.place_of("parameters"),
                    format!("the parameter \"{parameter}\" is not one whole field, such as {{warehouse}}"),
                ),
            }
        }
        let sql = dataset.document.as_deref().filter(|_| matches!(dataset.protocol, Protocol::SnowflakeSql { .. }));
        let written = dataset.query.iter().map(|(_, value)| value.as_str()).chain(variables).chain(sql);
        for template in std::iter::once(path).chain(written) {
            let Some(names) = hosts::placeholders(template) else {
                table.errors.add(&place, format!("the braces of \"{template}\" do not pair; write placeholders as {{organization}}"));
                continue;
            };
            for name in names {
                if let Some(part) = name.strip_prefix("each.") {
                    if !carried.iter().any(|known| known == part) {
                        table.errors.add(
                            &place,
                            format!("{{{name}}} is nothing that is carried from the parent; add \"{part}\" to `carry` of `each`"),
                        );
                    }
                } else {
                    filled(table, dataset, around.logins, name, &place);
                }
            }
        }
        for segment in path.split('/').filter(|segment| segment.contains('{')) {
            if !(segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1) {
                table.errors.add(
                    &place,
                    format!("the path segment \"{segment}\" is not one whole placeholder; a placeholder fills a segment of its own"),
                );
            }
        }
    };
    let carried: Vec<String> = match &dataset.each {
        Some(Each { over: EachOver::Dataset { .. }, carry }) => carry.iter().map(|path| path.0.clone()).collect(),
        Some(Each { over: EachOver::Field(field), .. }) => parts(around.logins, field),
        None => Vec::new(),
    };
    check(&dataset.path, &carried);
    if let Some(instead) = &dataset.instead {
        let parts = parts(around.logins, &instead.field);
        check(&instead.path, &parts);
        for path in dataset.each.iter().flat_map(|each| &each.carry).filter(|path| !parts.contains(&path.0)) {
            table.wrong(format!("`instead` lacks \"{path}\", which `each` carries; name a group of the field's item expression so"));
        }
    }
}

/// What an item of a list field can put into a path, in every login option that has the field.
fn parts(logins: &[Login], field: &str) -> Vec<String> {
    let mut found =
        logins.iter().filter_map(|login| login.fields.iter().find(|one| one.id == field)).map(|field| field.format.part_names());
    let first = found.next().unwrap_or_default();
    found.fold(first, |common, names| common.into_iter().filter(|name| names.contains(name)).collect())
}

/// A placeholder over login fields: open, in every option, and surely filled or named in `needs.fields`.
fn filled(table: &Table<'_>, dataset: &Dataset, logins: &[Login], name: &str, place: &crate::Place) {
    // An option without the host role never asks for it.
    for login in logins.iter().filter(|login| has_role(login, &dataset.host)) {
        match login.fields.iter().find(|field| field.id == name) {
            None => table.errors.add(
                place,
                format!("{{{name}}} is not a field of login option \"{}\"; add the field or correct the placeholder", login.id),
            ),
            Some(Field { secret: true, .. }) => {
                table.errors.add(place, format!("{{{name}}} is a secret field; a secret never stands in a path or query"))
            }
            Some(Field { optional: true, .. }) if !dataset.needs.fields.iter().any(|needed| needed == name) => {
                table
                    .errors
                    .add(place, format!("{{{name}}} may be left empty; name it in `needs.fields`, so that its absence is explained"));
            }
            Some(_) => {}
        }
    }
}

/// Whether two path templates are the same but for the names of their placeholders.
fn same_path(one: &str, other: &str) -> bool {
    let segments = |path: &str| -> Vec<String> {
        path.trim_end_matches('/')
            .split('/')
            .map(|segment| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() })
            .collect()
    };
    segments(one) == segments(other)
}

/// How a list is paged; `None` when what is written makes no style.
fn pagination(value: &Value<'_>) -> Option<Pagination> {
    let table = value.table()?;
    let styles = [("none", 0), ("json_api", 1), ("link_header", 2), ("page_number", 3), ("cursor", 4), ("odata", 5), ("offset", 6)];
    let style = table.some_word("style", &styles);
    let size = table.get("size").and_then(|value| {
        let items = value.items();
        match items.as_slice() {
            [name, size] => Some((name.text()?, u32::try_from(size.whole()?).ok()?)),
            _ => {
                value.wrong("must be the name and the value of the page-size parameter: [\"pageSize\", 100]");
                None
            }
        }
    });
    let path = |key: &str, of: &[u8], style_name: &str| {
        let value = table.get(key)?;
        if !style.is_some_and(|style| of.contains(&style)) {
            value.wrong(format!("is a word of the style {style_name}; leave it out"));
        }
        let text = value.text()?;
        if matches!(key, "next" | "pages" | "more" | "total") {
            words::path(&table, key, &text);
        }
        Some(text)
    };
    let next = path("next", &[1, 4], "json_api or cursor").map(FieldPath);
    let page = path("page", &[3], "page_number");
    let pages = path("pages", &[3], "page_number").map(FieldPath);
    let more = path("more", &[3, 4], "page_number or cursor").map(FieldPath);
    let parameter = path("parameter", &[4, 6], "cursor or offset");
    let total = path("total", &[6], "offset").map(FieldPath);
    let first = table.get("first").and_then(|value| {
        let first = value.whole().and_then(|first| u32::try_from(first).ok()).filter(|first| *first < 2);
        if first.is_none() || !matches!(style, Some(3 | 6)) {
            value.wrong("is a word of the styles page_number and offset: 0 or 1");
        }
        first
    });
    let published = table.flag_or("published", false);
    if published && style != Some(4) {
        table.wrong("`published` is a word of the style cursor; leave it out");
    }
    let said_at = |key: &str| {
        let value = table.get(key)?;
        if !(style == Some(1) || style == Some(4) && key == "ends_without") {
            value.wrong(match key {
                "ends_without" => "is a word of the styles json_api and cursor; leave it out",
                _ => "is a word of the style json_api; leave it out",
            });
        }
        let source = value.text()?;
        words::https(table.errors, &value.place, key, &source);
        Some(source)
    };
    let (ends_without, single) = (said_at("ends_without"), said_at("single"));
    let link = PageLink {
        cursor: table.texts("cursor"),
        repeats: table.get("repeats").and_then(|value| value.text()).inspect(|source| {
            words::https(table.errors, &table.place_of("repeats"), "repeats", source);
        }),
    };
    if link != PageLink::default() && !matches!(style, Some(1 | 2 | 5)) {
        table.wrong("`cursor` and `repeats` are words of the styles json_api, link_header and odata; leave them out");
    }
    let pagination = match style {
        Some(1) => Pagination::JsonApi { next: next.unwrap_or_else(|| FieldPath::from("links.next")), size, ends_without, single, link },
        Some(2) => Pagination::LinkHeader { size, link },
        Some(3) => Pagination::PageNumber { page: page.unwrap_or_else(|| "page".to_owned()), first: first.unwrap_or(1), size, pages, more },
        Some(5) => Pagination::Odata { size, link },
        Some(6) => {
            Pagination::Offset { parameter: parameter.unwrap_or_else(|| "offset".to_owned()), first: first.unwrap_or(0), size, total }
        }
        Some(4) => {
            if next.is_none() || parameter.is_none() {
                table.wrong("the style cursor needs `parameter`, the query name of the cursor, and `next`, where an answer holds it");
            }
            Pagination::Cursor { parameter: parameter?, next: next?, size, more, ends_without, published, withheld: None }
        }
        Some(_) | None => Pagination::None,
    };
    table.finish();
    Some(pagination)
}

fn needs(value: &Value<'_>, logins: &[Login]) -> Needs {
    let Some(table) = value.table() else { return Needs::default() };
    let needs = Needs {
        any_of: table.texts("any_of"),
        any_credential: table.flag_or("any_credential", false),
        plan: table.text_or_empty("plan"),
        fields: table.texts("fields"),
    };
    for field in &needs.fields {
        if !logins.iter().any(|login| login.fields.iter().any(|one| one.id == *field)) {
            value.wrong(format!("names the field \"{field}\", which no login option has"));
        }
        if logins.iter().any(|login| login.fields.iter().any(|one| one.id == *field && one.secret)) {
            value.wrong(format!("names the secret field \"{field}\"; what a dataset is asked with are open fields alone"));
        }
    }
    if needs.any_credential && !needs.any_of.is_empty() {
        value.wrong("says that any credential may read it and names what is needed; keep one of the two");
    }
    table.finish();
    needs
}

fn each(value: &Value<'_>, around: &Around<'_>) -> Option<Each> {
    let table = value.table()?;
    let dataset = table.get("dataset").and_then(|value| value.text());
    let field = table.get("field").and_then(|value| value.text());
    let carry: Vec<FieldPath> = table.texts("carry").into_iter().map(FieldPath).collect();
    let filter = table.get("where");
    let over = match (dataset, field) {
        (Some(id), None) => {
            let at = around.before.iter().position(|parent| parent.id == id);
            let Some(at) = at else {
                value.wrong(format!("is over the dataset \"{id}\", which is not written before this one; write the parent first"));
                return None;
            };
            let shape = Shape::of_dataset(&around.before[at], &around.before[..at], around.logins);
            for path in &carry {
                if !matches!(shape.at(&path.0), Some(Shape::Leaf(_))) {
                    value.wrong(format!("carries \"{path}\", which is not a kept single value of \"{id}\""));
                }
            }
            EachOver::Dataset { id, filter: filter.map(|value| view::conditions(&value, &shape)).unwrap_or_default() }
        }
        (None, Some(field)) => {
            list_field(value, around.logins, &field);
            EachOver::Field(field)
        }
        (Some(_), Some(_)) | (None, None) => {
            value.wrong("must name either `dataset` or `field`");
            return None;
        }
    };
    table.finish();
    Some(Each { over, carry })
}

fn list_field(value: &Value<'_>, logins: &[Login], field: &str) {
    for login in logins {
        let list = login.fields.iter().any(|one| one.id == field && matches!(one.format, crate::Format::List { .. }));
        if !list {
            value.wrong(format!("is over \"{field}\", which is not a list field of login option \"{}\"", login.id));
        }
    }
}

fn instead(value: &Value<'_>, around: &Around<'_>) -> Option<Instead> {
    let table = value.table()?;
    let instead = Instead {
        field: table.text("field", "the list field that names what to scan"),
        path: table.text("path", "the path template for one item"),
        rows: table.text_or_empty("rows"),
    };
    list_field(value, around.logins, &instead.field);
    table.finish();
    Some(instead)
}

/// One table, or a list of them.
fn probes(value: &Value<'_>, dataset: &Dataset, shape: &Shape, around: &Around<'_>) -> Vec<Probe> {
    if dataset.kind == DatasetKind::Object {
        value.wrong("is for lists; one object is whole or is not there");
    }
    let one = |value: &Value<'_>| read_probe(value, shape, around);
    if value.is_table() { one(value).into_iter().collect() } else { value.items().iter().filter_map(one).collect() }
}

fn read_probe(value: &Value<'_>, shape: &Shape, around: &Around<'_>) -> Option<Probe> {
    let table = value.table()?;
    let kind = table.word("kind", &[("equals", 0), ("differs", 1), ("count", 2), ("fewer_than", 3)]).unwrap_or(0);
    let holder = || table.text("dataset", "the dataset, an object, that it is held against");
    let row = || FieldPath(table.text("row", "the field of this dataset's rows"));
    let field = || FieldPath(table.text("field", "the field of that dataset's row"));
    let probe = match kind {
        0 => Probe::Equals { row: row(), dataset: holder(), field: field() },
        1 => Probe::Differs { row: row(), dataset: holder(), field: field() },
        2 => {
            let fields: Vec<FieldPath> = table.texts("fields").into_iter().map(FieldPath).collect();
            if fields.is_empty() {
                value.wrong("lacks `fields`: the whole numbers whose sum is the number of rows");
            }
            Probe::Count { dataset: holder(), fields }
        }
        _ => {
            let rows = table.get("rows").and_then(|value| value.whole()).and_then(|rows| u32::try_from(rows).ok()).filter(|rows| *rows > 0);
            if rows.is_none() {
                value.wrong("lacks `rows`: the number of rows, from 1 up, that could be one page of several");
            }
            Probe::FewerThan { rows: rows? }
        }
    };
    table.finish();
    if let Some(row) = probe.row()
        && !matches!(shape.at(&row.0), Some(Shape::Leaf(_)))
    {
        value.wrong(format!("compares \"{row}\", which is not a kept single value of this dataset"));
    }
    let Some(holder) = probe.dataset() else { return Some(probe) };
    let Some(at) = around.before.iter().position(|other| other.id == holder) else {
        value.wrong(format!("looks at the dataset \"{holder}\", which is not written before this one"));
        return Some(probe);
    };
    let other = &around.before[at];
    if other.kind != DatasetKind::Object || other.each.is_some() {
        value.wrong(format!("looks at \"{holder}\", which has more than one row; a probe is held in an object"));
        return Some(probe);
    }
    match &probe {
        Probe::Equals { field, .. } | Probe::Differs { field, .. } => {
            let other = Shape::of_dataset(other, &around.before[..at], around.logins);
            if !matches!(other.at(&field.0), Some(Shape::Leaf(_))) {
                value.wrong(format!("compares with \"{field}\", which is not a kept single value of \"{holder}\""));
            }
        }
        Probe::Count { fields, .. } => {
            let whole = |field: &&FieldPath| other.keep.get(*field).is_some_and(|keep| keep.ty == Type::Int && keep.absent.is_none());
            for field in fields.iter().filter(|field| !whole(field)) {
                value.wrong(format!("adds up \"{field}\", which is not a kept int of \"{holder}\" that has to be there"));
            }
        }
        Probe::FewerThan { .. } => {}
    }
    Some(probe)
}

pub(super) fn politeness(value: &Value<'_>, base: &Politeness) -> Politeness {
    let Some(table) = value.table() else { return base.clone() };
    let whole = |key: &str, otherwise: u32| {
        table.get(key).map_or(otherwise, |value| match value.whole().map(u32::try_from) {
            Some(Ok(number)) => number,
            Some(Err(_)) => {
                value.wrong("is out of bounds; write a number from 0 up");
                otherwise
            }
            None => otherwise,
        })
    };
    let header = |key: &str, otherwise: &str| {
        table.get(key).and_then(|value| value.text()).map_or_else(|| otherwise.to_owned(), |header| header.to_ascii_lowercase())
    };
    let keep_free = table.get("keep_free").and_then(|value| {
        let share = value.number();
        if share.is_some_and(|share| !(0.0..1.0).contains(&share)) {
            value.wrong("is a share of the budget; write a number from 0 up to, not including, 1");
        }
        share
    });
    let politeness = Politeness {
        concurrency: whole("concurrency", base.concurrency),
        per_second: whole("per_second", base.per_second),
        remaining_header: header("remaining_header", &base.remaining_header),
        limit_header: header("limit_header", &base.limit_header),
        reset_header: header("reset_header", &base.reset_header),
        reset_in: table.word("reset_in", &[("epoch", ResetIn::Epoch), ("seconds", ResetIn::Seconds)]).unwrap_or(base.reset_in),
        keep_free: keep_free.unwrap_or(base.keep_free),
    };
    if politeness.concurrency == 0 {
        value.wrong("has `concurrency` 0, so nothing would be asked; write at least 1");
    }
    table.finish();
    politeness
}
