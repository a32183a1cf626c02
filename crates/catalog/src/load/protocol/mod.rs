//! The keys of `[[dataset]]` that say in which language it is asked for, and what may be asked in it.

mod graphql;
mod soql;
mod sql;

use super::{
    source::{Table, Value},
    words,
};
use crate::{Accepted, Dataset, DatasetKind, FieldPath, GraphQlCursor, Method, Pagination, Protocol};
use graphql::Document;
use std::collections::BTreeMap;

/// What a manifest says with `protocol` and the keys that belong to one.
pub(super) struct Asked {
    pub(super) protocol: Protocol,
    pub(super) method: Method,
    pub(super) document: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    GraphQl,
    Soql,
    Sql,
    Metadata,
}

const KINDS: &[(&str, Kind)] =
    &[("graphql", Kind::GraphQl), ("soql", Kind::Soql), ("snowflake_sql", Kind::Sql), ("salesforce_metadata", Kind::Metadata)];

/// Names in the body of Snowflake's SQL API by which a statement finds its warehouse and rights
/// (<https://docs.snowflake.com/en/developer-guide/sql-api/reference#body-of-the-post-request-to-api-v2-statements>).
const SQL_PARAMETERS: [&str; 4] = ["database", "role", "schema", "warehouse"];

/// Reads the keys; `pagination` is what the manifest says of pages, which GraphQL reads itself.
pub(super) fn read(table: &Table<'_>) -> Asked {
    let kind = table.word("protocol", KINDS).unwrap_or(Kind::Http);
    let written = table.word("method", &[("GET", Method::Get), ("POST", Method::Post)]);
    let document = table.get("document").and_then(|value| value.text());
    let of = |key: &str, wanted: Kind, name: &str| {
        let value = table.get(key)?;
        if kind != wanted {
            value.wrong(format!("is a word of protocol = \"{name}\"; leave it out"));
        }
        Some(value)
    };
    let variables = of("variables", Kind::GraphQl, "graphql").map(|value| templates(&value)).unwrap_or_default();
    let parameters = of("parameters", Kind::Sql, "snowflake_sql");
    let metadata = of("metadata", Kind::Metadata, "salesforce_metadata");
    if kind == Kind::Http {
        let method = written.unwrap_or(Method::Get);
        match (method, &document) {
            (Method::Get, Some(_)) => table.wrong("a dataset read by GET has no `document`; leave it out or write method = \"POST\""),
            (Method::Post, None) => table.wrong("a dataset read by POST needs `document`, the pinned body"),
            (Method::Get, None) | (Method::Post, Some(_)) => {}
        }
        return Asked { protocol: Protocol::Http, method, document };
    }
    for (key, why) in
        [("method", "follows from `protocol`"), ("query", "has no place beside `protocol`"), ("instead", "has no place beside `protocol`")]
    {
        if let Some(value) = table.get(key) {
            value.wrong(format!("{why}; leave it out"));
        }
    }
    let (protocol, method) = match kind {
        Kind::Http => (Protocol::Http, Method::Get),
        Kind::GraphQl => (Protocol::GraphQl { variables, cursor: cursor(table) }, Method::Post),
        Kind::Soql => (Protocol::Soql, Method::Get),
        Kind::Sql => {
            let parameters = parameters.map(|value| (templates(&value), value));
            if let Some((parameters, value)) = &parameters
                && let Some(name) = parameters.keys().find(|name| !SQL_PARAMETERS.contains(&name.as_str()))
            {
                value.wrong(format!("has \"{name}\", which is not known; write some of {}", SQL_PARAMETERS.join(", ")));
            }
            (Protocol::SnowflakeSql { parameters: parameters.map(|(parameters, _)| parameters).unwrap_or_default() }, Method::Post)
        }
        Kind::Metadata => (metadata_of(table, metadata.as_ref()), Method::Post),
    };
    if kind != Kind::GraphQl && table.get("pagination").is_some() {
        table.errors.add(&table.place_of("pagination"), "`pagination` follows from `protocol`; leave it out");
    }
    match (kind, &document) {
        (Kind::Metadata, Some(_)) => table.wrong("`metadata` says what is asked for; leave `document` out"),
        (Kind::Metadata | Kind::Http, _) | (Kind::GraphQl | Kind::Soql | Kind::Sql, Some(_)) => {}
        (Kind::GraphQl | Kind::Soql | Kind::Sql, None) => {
            table.wrong("[[dataset]] lacks `document`: the query or statement that `protocol` asks with")
        }
    }
    Asked { protocol, method, document }
}

fn templates(value: &Value<'_>) -> BTreeMap<String, String> {
    value.entries().into_iter().filter_map(|(name, value)| value.text().map(|text| (name, text))).collect()
}

fn metadata_of(table: &Table<'_>, value: Option<&Value<'_>>) -> Protocol {
    let Some(inner) = value.and_then(Value::table) else {
        table.wrong("[[dataset]] lacks `metadata`: { type = \"SecuritySettings\", full_name = \"Security\" }");
        return Protocol::SalesforceMetadata { kind: String::new(), full_name: String::new() };
    };
    let kind = inner.text("type", "the metadata type, such as SecuritySettings");
    let full_name = inner.text("full_name", "the full name of the component, such as Security");
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain(&kind) || !plain(&full_name) {
        inner.wrong("`metadata` names a type and a component: letters, digits and underscores only");
    }
    inner.finish();
    Protocol::SalesforceMetadata { kind, full_name }
}

/// `pagination = { style = "graphql", variable, page_info }`, or none.
fn cursor(table: &Table<'_>) -> Option<GraphQlCursor> {
    let value = table.get("pagination")?;
    let inner = value.table()?;
    let style = inner.some_word("style", &[("graphql", true), ("none", false)]);
    let cursor = if style == Some(false) {
        None
    } else {
        Some(GraphQlCursor {
            variable: inner.text("variable", "the operation's variable that takes the cursor, such as after"),
            page_info: FieldPath(
                inner.text("page_info", "where pageInfo lies in an answer, such as data.organization.repositories.pageInfo"),
            ),
        })
    };
    inner.finish();
    cursor
}

/// `ok = { path = "ok", is = true, source = "…" }`: what a successful answer says of itself.
pub(super) fn accepted(value: &Value<'_>) -> Option<Accepted> {
    let inner = value.table()?;
    let path = FieldPath(inner.text("path", "where an answer says that it is a success"));
    words::path(&inner, "path", &path.0);
    let is = inner.get("is").map(|value| value.json());
    if !is.as_ref().is_some_and(|is| is.is_boolean() || is.is_string() || is.is_number()) {
        inner.wrong("`ok` lacks `is`: true, a text or a number, the value of a success");
    }
    let source = words::source(&inner);
    inner.finish();
    Some(Accepted { path, is: is?, source })
}

/// Finds what is wrong with what a dataset asks for.
pub(super) fn check(table: &Table<'_>, dataset: &Dataset) {
    let place = table.place_of("document");
    let wrong = |sentence: String| table.errors.add(&place, format!("`document` {sentence}"));
    let document = dataset.document.as_deref().unwrap_or_default();
    if dataset.protocol != Protocol::Http && dataset.path.contains('{') {
        table.errors.add(&table.place_of("path"), "`path` has a placeholder, which `protocol` has no place for; write it out");
    }
    match &dataset.protocol {
        Protocol::Http => {
            if dataset.method == Method::Post && dataset.document.is_some() {
                // Whatever the body says there, even the number of a stored operation, is GraphQL.
                if dataset.path.to_ascii_lowercase().split('/').any(|segment| segment.contains("graphql") || segment == "gql") {
                    wrong(
                        "goes to an endpoint of GraphQL, where it may write; ask by protocol = \"graphql\", under which it is read"
                            .to_owned(),
                    );
                }
                match serde_json::from_str::<serde_json::Value>(document) {
                    Err(_) => wrong("is not JSON, as which it is sent".to_owned()),
                    Ok(body) => {
                        if let Some(sentence) = spoken(&body) {
                            wrong(sentence);
                        }
                    }
                }
            }
        }
        Protocol::GraphQl { variables, cursor } => match Document::check(document) {
            Ok(parsed) => graphql(table, dataset, &parsed, variables, cursor.as_ref(), &wrong),
            Err(sentence) => wrong(sentence),
        },
        Protocol::Soql => match soql::check(document) {
            Ok(query) => {
                for (path, keep) in &dataset.keep {
                    let asked =
                        |field: &String| field == &path.0 || path.0.strip_prefix(field.as_str()).is_some_and(|rest| rest.starts_with('.'));
                    if !query.fields.iter().any(asked) {
                        table
                            .errors
                            .add(&keep.place, format!("keeps \"{path}\", which the query does not ask for; add it to the SELECT list"));
                    }
                }
                // What is not kept must not be asked for: some objects hold tokens.
                for field in &query.fields {
                    let kept = |path: &FieldPath| {
                        path.0 == *field || path.0.strip_prefix(field.as_str()).is_some_and(|rest| rest.starts_with('.'))
                    };
                    if !dataset.keep.keys().any(kept) {
                        wrong(format!("asks for {field}, which is not kept; leave it out"));
                    }
                }
                if dataset.rows != "records[]" {
                    table.errors.add(&table.place_of("rows"), "`rows` of protocol = \"soql\" is \"records[]\"");
                }
            }
            Err(sentence) => wrong(sentence),
        },
        Protocol::SnowflakeSql { .. } => {
            if let Err(sentence) = sql::check(document) {
                wrong(sentence);
            }
            if dataset.rows != "[]" {
                table.errors.add(
                    &table.place_of("rows"),
                    "`rows` of protocol = \"snowflake_sql\" is \"[]\": each row by its column names in lower case",
                );
            }
            if let Some((path, keep)) =
                dataset.keep.iter().find(|(path, _)| path.0.chars().any(|letter| letter.is_ascii_uppercase() || letter == '.'))
            {
                table.errors.add(&keep.place, format!("keeps \"{path}\"; columns are named in lower case and hold single values"));
            }
        }
        Protocol::SalesforceMetadata { .. } => {
            let version = dataset.path.strip_prefix("/services/Soap/m/").and_then(|version| version.strip_suffix(".0"));
            if !version.is_some_and(|version| !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit())) {
                table.errors.add(
                    &table.place_of("path"),
                    "`path` of protocol = \"salesforce_metadata\" is /services/Soap/m/ and a version, such as 60.0",
                );
            }
            if dataset.kind != DatasetKind::Object || !dataset.rows.is_empty() {
                table.errors.add(&table.place_of("rows"), "`rows` of protocol = \"salesforce_metadata\" is empty: the one record");
            }
        }
    }
    if dataset.protocol != Protocol::Http && dataset.pagination != Pagination::None {
        table.wrong("`protocol` has its own way to page");
    }
}

/// What a body of the plain kind says in a language of which the loader reads only what stands under a `protocol`.
fn spoken(body: &serde_json::Value) -> Option<String> {
    match body {
        serde_json::Value::String(text) if graphql::is_graphql(text) => {
            Some("holds GraphQL, which may write; ask by protocol = \"graphql\", under which it is read".to_owned())
        }
        serde_json::Value::String(text) if sql::is_sql(text) => {
            Some("holds an SQL statement, which may write; ask by protocol = \"snowflake_sql\", under which it is read".to_owned())
        }
        serde_json::Value::Array(items) => items.iter().find_map(spoken),
        // A member's name may be the statement too, and may say that it holds one, whatever its words are.
        serde_json::Value::Object(members) => members.iter().find_map(|(name, member)| {
            let named = ["statement", "sql"].iter().any(|word| name.eq_ignore_ascii_case(word));
            let words = member.as_str().is_some_and(|text| text.split_whitespace().nth(1).is_some());
            spoken(&serde_json::Value::String(name.clone())).or_else(|| spoken(member)).or_else(|| {
                (named && words).then(|| {
                    format!("holds words under `{name}`, which may be a statement that writes; ask by the `protocol` of its language")
                })
            })
        }),
        serde_json::Value::String(_) | serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => None,
    }
}

fn graphql(
    table: &Table<'_>,
    dataset: &Dataset,
    document: &Document,
    variables: &BTreeMap<String, String>,
    cursor: Option<&GraphQlCursor>,
    wrong: &dyn Fn(String),
) {
    let text = dataset.document.as_deref().unwrap_or_default();
    let turns = cursor.map(|cursor| cursor.variable.as_str());
    for declared in &document.variables {
        let name = declared.name.as_str();
        match (turns == Some(name), variables.contains_key(name)) {
            (true, false) if declared.optional => {}
            (true, _) => wrong(format!(
                "declares ${name}, which takes the cursor: it must be of a type that may be left out, and not be in `variables`"
            )),
            (false, true) if declared.text => {}
            (false, true) => wrong(format!("declares ${name} of a type that is no text; write its value into the document")),
            (false, false) => wrong(format!("declares ${name}, which nothing fills; add it to `variables`")),
        }
        let written = format!("${name}");
        let goes_on = |next: char| next.is_ascii_alphanumeric() || next == '_';
        if text.match_indices(&written).filter(|(at, _)| !text[at + written.len()..].starts_with(goes_on)).count() < 2 {
            wrong(format!("declares ${name} and does not use it"));
        }
    }
    let declared = |name: &str| document.variables.iter().any(|variable| variable.name == name);
    for name in variables.keys().map(String::as_str).chain(turns).filter(|name| !declared(name)) {
        wrong(format!("does not declare ${name}, which is filled"));
    }
    // What is kept, and where pages are told, must have been asked for.
    let mut asked = vec![(dataset.rows.clone(), table.place_of("rows"))];
    asked.extend(dataset.keep.iter().map(|(path, keep)| (path.within(&dataset.rows), keep.place.clone())));
    for (_, keep) in dataset.keep.iter().filter(|(path, _)| path.0.split('.').any(|name| matches!(name, "nodes" | "edges"))) {
        table.errors.add(&keep.place, "keeps a connection within a row, which may be cut after one page; read it as a dataset of its own");
    }
    if let Some(cursor) = cursor {
        let place = table.place_of("pagination");
        asked.extend(["hasNextPage", "endCursor"].map(|name| (format!("{}.{name}", cursor.page_info), place.clone())));
    } else if matches!(dataset.rows.rsplit('.').next(), Some("nodes[]" | "edges[]")) {
        table.wrong("a connection has pages; write pagination = { style = \"graphql\", variable = \"after\", page_info = \"….pageInfo\" }");
    }
    for (path, place) in asked.iter().filter(|(path, _)| !document.asks_for(path)) {
        table.errors.add(place, format!("the document does not ask for \"{path}\""));
    }
}
