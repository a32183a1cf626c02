//! `[[check]]` and `[[setting]]`: what is judged.

use super::{
    setting,
    shape::Shape,
    source::{Table, Value},
    words,
};
use crate::{Check, CheckKind, Feature, Link, MAX_VALID_DAYS, Param, ParamType, ParamValue, PivotField, Severity, VALID_DAYS};
use std::collections::{BTreeMap, BTreeSet};

/// What checks are held against.
pub(super) struct Around<'a> {
    pub(super) slug: &'a str,
    pub(super) features: &'a [Feature],
    pub(super) link_hosts: &'a [String],
    /// The rows of each dataset and view, by id; views without a shape of single fields are empty.
    pub(super) shapes: &'a BTreeMap<String, Shape>,
    /// The views that make one row of a list of names and values.
    pub(super) pivots: &'a BTreeSet<String>,
}

pub(super) fn read(table: Table<'_>, around: &Around<'_>) -> Option<Check> {
    let mut check = common(&table, around);
    check.kind = table.word("kind", words::CHECK_KINDS).unwrap_or(CheckKind::Check);
    check.finding = match check.kind {
        CheckKind::Check | CheckKind::Observed => table.text("finding", "what a person reads when it fails, as a statement"),
        CheckKind::Manual => table.text_or_empty("finding"),
    };
    check.when = table.text_or_empty("when");
    check.otherwise = table.text_or_empty("otherwise");
    match (check.when.is_empty(), check.otherwise.is_empty()) {
        (false, true) => {
            table.errors.add(&table.place_of("when"), "`when` needs `otherwise`: the reason shown where the check does not apply")
        }
        (true, false) => {
            table.errors.add(&table.place_of("otherwise"), "`otherwise` is shown where `when` is false, and there is no `when`")
        }
        (true, true) | (false, false) => {}
    }
    check.current = table.text_or_empty("current");
    check.recommended = table.text("recommended", "what it should be, in words");
    match check.kind {
        CheckKind::Check | CheckKind::Observed => {
            check.on = on(&table, around);
            check.pass = table.text("pass", "the expression that is true when it is as it should be");
        }
        CheckKind::Manual => {
            for key in ["on", "pass", "when", "current"] {
                if let Some(value) = table.get(key) {
                    value.wrong("has no place in a manual check, which a person attests");
                }
            }
            if let Some(value) = table.get("valid_days") {
                match value.whole().and_then(|days| u32::try_from(days).ok()).filter(|days| (1..=MAX_VALID_DAYS).contains(days)) {
                    Some(days) => check.valid_days = days,
                    None => value.wrong(format!("is not a number of days from 1 to {MAX_VALID_DAYS}")),
                }
            }
        }
    }
    check.place = table.place_of("pass");
    check.params = match table.get("params") {
        Some(value) => value.entries().into_iter().filter_map(|(name, value)| param(&value).map(|param| (name, param))).collect(),
        None => BTreeMap::new(),
    };
    placeholders(&table, &check);
    table.finish();
    Some(check)
}

/// Reads `[[setting]]` and expands it into a check.
pub(super) fn read_setting(table: Table<'_>, around: &Around<'_>) -> Option<Check> {
    let mut check = common(&table, around);
    check.on = on(&table, around);
    check.finding = table.text_or_empty("finding");
    if check.finding.is_empty() {
        check.finding = format!("Not as recommended: {}", check.title);
    }
    let key = table.text("key", "the path of the setting in the row");
    let operator = table.some_word("operator", setting::OPERATORS);
    let recommended = table.get("recommended");
    if recommended.is_none() {
        table.wrong("[[setting]] lacks `recommended`: the value that the operator compares with");
    }
    // Read before, with the names that every setting declares.
    if let Some(value) = table.get("value").filter(|_| !around.pivots.contains(&check.on)) {
        value.wrong("declares a name of a view with `pivot`; what a dataset keeps stands in its `keep`");
    }
    let key = if around.pivots.contains(&check.on) { PivotField::place(&key) } else { key };
    let shape = around.shapes.get(&check.on).and_then(|rows| rows.at(&key)).cloned();
    if shape.is_none() && around.shapes.contains_key(&check.on) && !key.is_empty() {
        table.errors.add(&table.place_of("key"), format!("`key` names \"{key}\", which \"{}\" does not keep", check.on));
    }
    check.place = table.place_of("key");
    table.finish();
    setting::expand(&mut check, &key, operator?, &recommended?, &shape?);
    Some(check)
}

fn common(table: &Table<'_>, around: &Around<'_>) -> Check {
    let id = table.text("id", "stable for ever, such as kustomer.auth.sso_enabled");
    let well_formed = id.strip_prefix(around.slug).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| {
        rest.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        })
    });
    if !id.is_empty() && !well_formed {
        table.errors.add(
            &table.place_of("id"),
            format!("`id` is \"{id}\"; it starts with \"{}.\" and goes on in lower-case words divided by dots", around.slug),
        );
    }
    let feature = table.some_word("feature", words::FEATURES).unwrap_or(Feature::Config);
    if table.get("feature").is_some() && !around.features.contains(&feature) {
        table.errors.add(&table.place_of("feature"), "`feature` is not among `features` of app.toml; add it there");
    }
    let sscf = table.texts("sscf");
    for control in sscf.iter().filter(|control| !words::is_sscf(control)) {
        table.errors.add(
            &table.place_of("sscf"),
            format!("`sscf` names \"{control}\", which is not a control of the framework; write such as IAM-SaaS-04"),
        );
    }
    let frameworks = table.get("frameworks").map(|value| frameworks(&value)).unwrap_or_default();
    let title = table.text("title", "the practice as a statement that is true when it passes");
    Check {
        id,
        title,
        finding: String::new(),
        severity: table.some_word("severity", words::SEVERITIES).unwrap_or(Severity::Info),
        feature,
        kind: CheckKind::Check,
        on: String::new(),
        when: String::new(),
        otherwise: String::new(),
        pass: String::new(),
        current: String::new(),
        recommended: String::new(),
        why: table.text("why", "why it matters, in two or three plain sentences"),
        steps: table.some_texts("steps", "what to do, step by step, in the vendor's console"),
        link: table.get("link").and_then(|value| link(&value, around.link_hosts)),
        valid_days: VALID_DAYS,
        params: BTreeMap::new(),
        sscf,
        frameworks,
        source: words::source(table),
        place: table.place.clone(),
    }
}

fn on(table: &Table<'_>, around: &Around<'_>) -> String {
    let on = table.text("on", "the one dataset or view it runs on");
    if !on.is_empty() && !around.shapes.contains_key(&on) {
        table.errors.add(&table.place_of("on"), format!("`on` names \"{on}\", which is neither a dataset nor a view"));
    }
    on
}

fn frameworks(value: &Value<'_>) -> BTreeMap<String, Vec<String>> {
    value
        .entries()
        .into_iter()
        .map(|(name, value)| {
            // SSCF controls are named by `sscf` instead.
            match crate::framework(&name).filter(|framework| framework.id != "sscf") {
                Some(framework) => {
                    for item in value.items() {
                        if let Some(reference) = item.text().filter(|reference| framework.reference(reference).is_none()) {
                            item.report(format!(
                                "{} {} has no \"{reference}\"; write a number that is in catalog/_frameworks/{name}.toml",
                                framework.title, framework.version
                            ));
                        }
                    }
                }
                None => {
                    let known: Vec<&str> = crate::frameworks()
                        .unwrap_or_default()
                        .iter()
                        .map(|framework| framework.id.as_str())
                        .filter(|id| *id != "sscf")
                        .collect();
                    value.report(format!("the framework \"{name}\" is not known; write one of {}", known.join(", ")));
                }
            }
            (name, value.texts())
        })
        .collect()
}

fn link(value: &Value<'_>, link_hosts: &[String]) -> Option<Link> {
    let table = value.table()?;
    let link = Link { title: table.text("title", "the page's place in the console"), url: table.text_or_empty("url") };
    if !link.url.is_empty() {
        words::link(table.errors, &table.place_of("url"), &link.url, link_hosts);
    }
    table.finish();
    Some(link)
}

fn param(value: &Value<'_>) -> Option<Param> {
    let table = value.table()?;
    let ty = table.some_word("type", words::PARAM_TYPES);
    let label = table.text("label", "what the administrator sets, such as Days without use");
    let unit = table.text_or_empty("unit");
    let bound = |key: &str| table.get(key).and_then(|bound| bound.whole());
    let (min, max) = (bound("min"), bound("max"));
    let default = table.get("default");
    table.finish();
    let ty = ty?;
    if ty != ParamType::Int && (min.is_some() || max.is_some()) {
        value.wrong("is not a whole number, so it has no `min` and `max`");
    }
    if ty == ParamType::Int && (min.is_none() || max.is_none()) {
        value.wrong("lacks `min` or `max`: the bounds within which an administrator may set it");
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        value.wrong("has a `min` greater than its `max`");
    }
    let default = default.and_then(|written| {
        Some(match ty {
            ParamType::Int => {
                let number = written.whole()?;
                if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
                    written.wrong(format!("is {number}, which lies outside `min` and `max`"));
                }
                ParamValue::Int(number)
            }
            ParamType::String => ParamValue::String(written.text()?),
            ParamType::Strings => ParamValue::Strings(written.texts()),
            ParamType::Bool => ParamValue::Bool(written.flag()?),
        })
    });
    Some(Param { ty, label, default, min, max, unit })
}

/// `{params.name}` in what is shown must name a parameter of the check.
fn placeholders(table: &Table<'_>, check: &Check) {
    match crate::hosts::placeholders(&check.recommended) {
        Some(names) => {
            for name in names {
                if !name.strip_prefix("params.").is_some_and(|name| check.params.contains_key(name)) {
                    table.errors.add(
                        &table.place_of("recommended"),
                        format!("`recommended` holds {{{name}}}, which is no parameter of this check"),
                    );
                }
            }
        }
        None => table.errors.add(&table.place_of("recommended"), "the braces of `recommended` do not pair; write {params.name}"),
    }
}
