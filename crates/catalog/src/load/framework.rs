//! A framework's file in `catalog/_frameworks/`.

use super::{
    LoadError,
    source::{Errors, Source, Table},
    words,
};
use crate::{Family, Framework, Reference};
use std::collections::BTreeSet;

/// Reads one file.
pub(crate) fn framework(file: &str, text: &str) -> Result<Framework, Vec<LoadError>> {
    let errors = Errors::default();
    let source = Source::new(file, text);
    let read = source.parse(&errors).map(|document| read(Table::document(&source, &errors, document.get_ref())));
    let found = errors.into_sorted();
    match read {
        Some(framework) if found.is_empty() => Ok(framework),
        Some(_) | None => Err(found),
    }
}

fn read(table: Table<'_>) -> Framework {
    let mut seen = BTreeSet::new();
    let framework = Framework {
        id: table.text("id", "the name that checks use, such as cis_v8"),
        name: table.text("name", "what it is called in short"),
        title: table.text("title", "what it is called in whole"),
        version: table.text("version", "which version its numbers are of"),
        unit: table.text("unit", "what it has, in the plural: controls, criteria"),
        note: table.text("note", "what is to be known when its numbers are read"),
        source: words::source(&table),
        families: table.tables("family").into_iter().map(|family| read_family(family, &mut seen)).collect(),
    };
    if framework.families.is_empty() {
        table.wrong("a framework lacks `[[family]]`: the parts that its controls are in");
    }
    table.finish();
    framework
}

fn read_family(table: Table<'_>, seen: &mut BTreeSet<String>) -> Family {
    let id = table.text("id", "what its controls begin with");
    let title = table.text("title", "what it is called");
    let mut references = Vec::new();
    let mut add = |value: &super::source::Value<'_>, id: String, title: String| {
        if !seen.insert(id.clone()) {
            value.report(format!("\"{id}\" is there twice; a control stands in one family, once"));
        }
        references.push(Reference { id, title });
    };
    if let Some(numbers) = table.get("references") {
        for item in numbers.items() {
            if let Some(id) = item.text() {
                add(&item, id, String::new());
            }
        }
    }
    if let Some(titles) = table.get("titles") {
        for (id, value) in titles.entries() {
            let title = value.text().unwrap_or_default();
            add(&value, id, title);
        }
    }
    if references.is_empty() {
        table.wrong("a family lacks `references` or `titles`: the controls that it has");
    }
    table.finish();
    Family { id, title, references }
}
