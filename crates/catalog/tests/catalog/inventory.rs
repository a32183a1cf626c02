//! `[[accounts]]` and `[[plugins]]`: a small application that loads, and changes that must not.
use crate::folder::{self, SETTINGS, TINY, whole};
use posture_catalog::{App, InventoryKind, Property};
use std::sync::Arc;

const DATASETS: &str = r#"[[dataset]]
id = "users"
title = "Users"
host = "api"
path = "/users"
rows = "items[]"
key = ["id"]
label = "name"
source = "https://docs.tiny.example/users"
[dataset.keep]
"id" = "id"
"name" = "string"
"mfa" = "bool"
[[view]]
id = "hooks"
title = "Hooks"
from = "users"
[[accounts]]
from = "users"
when = "row.mfa"
id = "row.id"
name = "row.name"
mfa = "row.mfa ? 'strong' : 'none'"
[[plugins]]
from = "hooks"
id = "row.id"
name = "row.name"
kind = "'webhook'"
"#;

/// The small application with these features beside its own.
fn load(features: &str, datasets: &str) -> Result<Arc<App>, Vec<String>> {
    let app = TINY.replace("[\"config\"]", &format!("[\"config\", {features}]"));
    folder::tiny(&app, &format!("{datasets}{SETTINGS}"), "")
}

const BOTH: &str = "\"risky_accounts\", \"third_party_plugins\"";

#[test]
fn tables_of_accounts_and_plugins_load_with_the_lines_of_their_expressions() {
    let app = whole(load(BOTH, DATASETS));
    let [accounts, plugins] = app.inventories.as_slice() else { panic!("{:?}", app.inventories) };
    assert_eq!((accounts.kind, accounts.from.as_str()), (InventoryKind::Accounts, "users"));
    assert_eq!(accounts.properties.keys().copied().collect::<Vec<_>>(), [Property::Id, Property::Name, Property::Mfa]);
    let line = 1 + DATASETS.lines().position(|line| line.starts_with("mfa = ")).unwrap();
    assert_eq!(accounts.properties[&Property::Mfa].place.to_string(), format!("tiny/datasets.toml:{line}"));
    assert_eq!(accounts.when.as_ref().unwrap().text, "row.mfa");
    assert_eq!((plugins.kind, plugins.from.as_str(), plugins.when.is_none()), (InventoryKind::Plugins, "hooks", true));
}

#[test]
fn what_is_wrong_with_a_table_is_named() {
    let cases = [
        ("from = \"users\"\nwhen", "from = \"nobody\"\nwhen", "`from` names \"nobody\", which is neither a dataset nor a view"),
        ("from = \"users\"\nwhen", "from = \"settings\"\nwhen", "`from` names \"settings\", which is one object; name a list"),
        ("[[accounts]]\nfrom = \"users\"", "[[accounts]]", "[[accounts]] lacks `from`"),
        ("kind = \"'webhook'\"", "", "[[plugins]] lacks `kind`: an expression over `row`"),
        ("name = \"row.name\"\nmfa", "mfa", "[[accounts]] lacks `name`"),
        ("mfa = \"row.mfa ?", "scopes = \"row.mfa ?", "unknown key `scopes` in [[accounts]]"),
        ("when = \"row.mfa\"", "when = true", "`when` must be text"),
        ("when = \"row.mfa\"", "when = \" \"", "`when` is empty"),
    ];
    for (old, new, expected) in cases {
        assert!(DATASETS.contains(old), "{old}");
        let errors = load(BOTH, &DATASETS.replacen(old, new, 1)).map(|_| ()).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(expected)), "{new}: {errors:?}");
    }
    let errors = load("\"risky_accounts\"", DATASETS).map(|_| ()).unwrap_err();
    assert!(errors.iter().any(|error| error.contains("`features` of app.toml does not name \"third_party_plugins\"")), "{errors:?}");
}
