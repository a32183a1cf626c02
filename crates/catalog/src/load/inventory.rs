//! `[[accounts]]` and `[[plugins]]`: rows as accounts and plugins.

use super::source::Table;
use crate::{App, DatasetKind, Expression, Feature, Form, Inventory, InventoryKind};
use std::collections::BTreeMap;

pub(super) fn read(table: Table<'_>, kind: InventoryKind, app: &App) -> Option<Inventory> {
    let from = table.text("from", "the dataset or view whose rows they are");
    let place = table.place_of("from");
    match (app.dataset(&from), app.view(&from)) {
        (None, None) if from.is_empty() => {}
        (None, None) => table.errors.add(&place, format!("`from` names \"{from}\", which is neither a dataset nor a view")),
        (Some(dataset), _) if dataset.form != Form::Data => {
            table.errors.add(&place, format!("`from` names \"{from}\", which is a description and holds no {}", kind.word()))
        }
        (Some(dataset), _) if dataset.kind == DatasetKind::Object && dataset.each.is_none() => {
            table.errors.add(&place, format!("`from` names \"{from}\", which is one object; name a list"))
        }
        (Some(_), _) | (None, Some(_)) => {}
    }
    let feature = match kind {
        InventoryKind::Accounts => (Feature::RiskyAccounts, "risky_accounts"),
        InventoryKind::Plugins => (Feature::ThirdPartyPlugins, "third_party_plugins"),
    };
    if !app.features.contains(&feature.0) {
        table.wrong(format!("{} is there, and `features` of app.toml does not name \"{}\"; add it there", table.what, feature.1));
    }
    let expression = |key: &str| {
        let value = table.get(key)?;
        let text = value.text()?;
        if text.trim().is_empty() {
            value.wrong("is empty; leave it out, or write an expression over `row`");
        }
        Some(Expression { text, place: value.place })
    };
    let when = expression("when");
    let mut properties = BTreeMap::new();
    for (property, _) in kind.properties() {
        if let Some(expression) = expression(property.word()) {
            properties.insert(*property, expression);
        }
    }
    for property in kind.required() {
        if !properties.contains_key(property) {
            table.wrong(format!("{} lacks `{}`: an expression over `row`", table.what, property.word()));
        }
    }
    let place = table.place.clone();
    table.finish();
    Some(Inventory { kind, from, when, properties, place })
}
