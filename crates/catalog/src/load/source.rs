//! Manifest text with positions: tables that remember which keys were asked for, and values that say their line.

use super::LoadError;
use crate::Place;
use serde_json::Value as Json;
use std::{cell::RefCell, sync::Arc};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Everything found wrong so far; loading goes on, so that an author sees all of it at once.
#[derive(Default)]
pub(super) struct Errors(RefCell<Vec<LoadError>>);

impl Errors {
    pub(super) fn add(&self, place: &Place, sentence: impl Into<String>) {
        self.0.borrow_mut().push(LoadError { place: place.clone(), sentence: sentence.into() });
    }

    /// The errors in the order of files and lines, each once.
    pub(super) fn into_sorted(self) -> Vec<LoadError> {
        let mut errors = self.0.into_inner();
        errors.sort_by(|a, b| (&a.place.file, a.place.line).cmp(&(&b.place.file, b.place.line)));
        errors.dedup();
        errors
    }
}

/// One manifest file.
pub(super) struct Source<'t> {
    name: Arc<str>,
    text: &'t str,
    /// Byte offset at which each line starts.
    lines: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn new(name: &str, text: &'t str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        Place { file: self.name.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }

    /// The document, or nothing when its TOML is broken (which is then reported).
    pub(super) fn parse(&self, errors: &Errors) -> Option<Spanned<DeTable<'t>>> {
        let (document, broken) = DeTable::parse_recoverable(self.text);
        for error in &broken {
            let place = self.place(error.span().map_or(0, |span| span.start));
            errors.add(&place, format!("this is not TOML: {}", error.message()));
        }
        broken.is_empty().then_some(document)
    }
}

/// A value, under the name of its key.
#[derive(Clone)]
pub(super) struct Value<'t> {
    source: &'t Source<'t>,
    errors: &'t Errors,
    /// The key's path within its table, for sentences.
    pub(super) name: String,
    /// Where the key is written.
    pub(super) place: Place,
    value: &'t DeValue<'t>,
}

impl<'t> Value<'t> {
    fn kind(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }

    pub(super) fn wrong(&self, sentence: impl AsRef<str>) {
        self.errors.add(&self.place, format!("`{}` {}", self.name, sentence.as_ref()));
    }

    /// Reports a whole sentence at this value's line.
    pub(super) fn report(&self, sentence: impl Into<String>) {
        self.errors.add(&self.place, sentence);
    }

    fn expected(&self, what: &str) {
        self.wrong(format!("must be {what}, not {}", self.kind()));
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn text(&self) -> Option<String> {
        let text = self.value.as_str().map(str::to_owned);
        if text.is_none() {
            self.expected("text");
        }
        text
    }

    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.expected("true or false");
        }
        flag
    }

    pub(super) fn whole(&self) -> Option<i64> {
        match self.value.as_integer().map(|number| i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())) {
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => {
                self.wrong("does not fit into 64 bits");
                None
            }
            None => {
                self.expected("a whole number");
                None
            }
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        if self.value.is_integer() {
            return self.whole().map(|number| number as f64);
        }
        let number = self
            .value
            .as_float()
            .and_then(|number| number.as_str().replace('_', "").parse::<f64>().ok())
            .filter(|number| number.is_finite());
        if number.is_none() {
            self.expected("a number");
        }
        number
    }

    pub(super) fn items(&self) -> Vec<Value<'t>> {
        match self.value.as_array() {
            Some(items) => items
                .iter()
                .map(|item| Value {
                    source: self.source,
                    errors: self.errors,
                    name: self.name.clone(),
                    place: self.source.place(item.span().start),
                    value: item.get_ref(),
                })
                .collect(),
            None => {
                self.expected("a list");
                Vec::new()
            }
        }
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(Value::text).collect()
    }

    /// Its keys and values in the order in which they are written.
    pub(super) fn entries(&self) -> Vec<(String, Value<'t>)> {
        match self.value.as_table() {
            Some(table) => entries(self.source, self.errors, table),
            None => {
                self.expected("a table");
                Vec::new()
            }
        }
    }

    pub(super) fn table(&self) -> Option<Table<'t>> {
        match self.value.as_table() {
            Some(table) => Some(Table::new(self.source, self.errors, table, self.name.clone(), self.place.clone())),
            None => {
                self.expected("a table");
                None
            }
        }
    }

    pub(super) fn json(&self) -> Json {
        match self.value {
            DeValue::String(text) => Json::String(text.to_string()),
            DeValue::Integer(_) => self.whole().map_or(Json::Null, Json::from),
            DeValue::Float(_) => self.number().map_or(Json::Null, Json::from),
            DeValue::Boolean(flag) => Json::Bool(*flag),
            DeValue::Datetime(time) => Json::String(time.to_string()),
            DeValue::Array(_) => Json::Array(self.items().iter().map(Value::json).collect()),
            DeValue::Table(_) => Json::Object(self.entries().into_iter().map(|(key, value)| (key, value.json())).collect()),
        }
    }
}

fn entries<'t>(source: &'t Source<'t>, errors: &'t Errors, table: &'t DeTable<'t>) -> Vec<(String, Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
        .into_iter()
        .map(|(key, value)| {
            let place = source.place(key.span().start);
            (key.get_ref().to_string(), Value { source, errors, name: key.get_ref().to_string(), place, value: value.get_ref() })
        })
        .collect()
}

/// A table that knows which of its keys were asked for. [`Table::finish`] reports the others.
pub(super) struct Table<'t> {
    source: &'t Source<'t>,
    pub(super) errors: &'t Errors,
    table: &'t DeTable<'t>,
    /// How sentences name it: `[[check]]`.
    pub(super) what: String,
    /// Where it is written.
    pub(super) place: Place,
    asked: RefCell<Vec<String>>,
}

impl<'t> Table<'t> {
    fn new(source: &'t Source<'t>, errors: &'t Errors, table: &'t DeTable<'t>, what: String, place: Place) -> Self {
        Self { source, errors, table, what, place, asked: RefCell::default() }
    }

    /// The whole of a file.
    pub(super) fn document(source: &'t Source<'t>, errors: &'t Errors, document: &'t DeTable<'t>) -> Self {
        let what = source.name.rsplit('/').next().unwrap_or(&source.name).to_owned();
        Self::new(source, errors, document, what, source.place(0))
    }

    pub(super) fn get(&self, key: &str) -> Option<Value<'t>> {
        self.asked.borrow_mut().push(key.to_owned());
        let (written, value) = self.table.iter().find(|(written, _)| written.get_ref().as_ref() == key)?;
        Some(Value {
            source: self.source,
            errors: self.errors,
            name: key.to_owned(),
            place: self.source.place(written.span().start),
            value: value.get_ref(),
        })
    }

    pub(super) fn wrong(&self, sentence: impl AsRef<str>) {
        self.errors.add(&self.place, sentence.as_ref());
    }

    fn lacks(&self, key: &str, meaning: &str) {
        self.wrong(format!("{} lacks `{key}`: {meaning}", self.what));
    }

    /// The line of a key, or of the table when the key is not there.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.get(key).map_or_else(|| self.place.clone(), |value| value.place)
    }

    /// Text that must be there and not be blank.
    pub(super) fn text(&self, key: &str, meaning: &str) -> String {
        match self.get(key) {
            Some(value) => {
                let text = value.text();
                if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
                    value.wrong(format!("is empty: {meaning}"));
                }
                text.unwrap_or_default()
            }
            None => {
                self.lacks(key, meaning);
                String::new()
            }
        }
    }

    /// Text that need not be there.
    pub(super) fn text_or_empty(&self, key: &str) -> String {
        self.get(key).and_then(|value| value.text()).unwrap_or_default()
    }

    pub(super) fn flag_or(&self, key: &str, otherwise: bool) -> bool {
        self.get(key).and_then(|value| value.flag()).unwrap_or(otherwise)
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.get(key).map(|value| value.texts()).unwrap_or_default()
    }

    /// A list of text that must hold something.
    pub(super) fn some_texts(&self, key: &str, meaning: &str) -> Vec<String> {
        match self.get(key) {
            Some(value) => {
                let texts = value.texts();
                if texts.is_empty() {
                    value.wrong(format!("is empty: {meaning}"));
                }
                texts
            }
            None => {
                self.lacks(key, meaning);
                Vec::new()
            }
        }
    }

    /// The tables of `[[key]]`.
    pub(super) fn tables(&self, key: &str) -> Vec<Table<'t>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        value
            .items()
            .into_iter()
            .filter_map(|item| item.table())
            .map(|mut table| {
                table.what = format!("[[{key}]]");
                table
            })
            .collect()
    }

    /// One word out of a closed set.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        self.get(key).and_then(|value| word(&value, words))
    }

    /// One word out of a closed set, which must be there.
    pub(super) fn some_word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        if self.get(key).is_none() {
            self.lacks(key, &format!("one of {}", names(words)));
        }
        self.word(key, words)
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, value) in entries(self.source, self.errors, self.table) {
            if !asked.contains(&key) {
                let mut known = asked.clone();
                known.sort();
                known.dedup();
                self.errors.add(&value.place, format!("unknown key `{key}` in {}; known keys are {}", self.what, known.join(", ")));
            }
        }
    }
}

/// One word out of a closed set.
pub(super) fn word<T: Copy>(value: &Value<'_>, words: &[(&str, T)]) -> Option<T> {
    let text = value.text()?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    if found.is_none() {
        value.wrong(format!("is \"{text}\", which is not known; write one of {}", names(words)));
    }
    found
}

fn names<T>(words: &[(&str, T)]) -> String {
    words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}
