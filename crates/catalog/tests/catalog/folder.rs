//! A catalog folder that a test writes, what loading it says, and the small applications that the tests change.
use posture_catalog::{App, Catalog, LoadError};
use std::{fs, path::Path, sync::Arc};

/// An application that is signed in to with a key.
pub(crate) const TINY: &str = r#"slug = "tiny"
name = "Tiny"
vendor = "Tiny, Inc."
category = "other"
home = "https://tiny.example"
features = ["config"]
verified = "facts"
link_hosts = ["{org}.tiny.example", "docs.tiny.example"]
[[never]]
path = "/secrets/{id}"
reason = "it answers a secret."
[[says]]
status = 401
means = "credential_refused"
source = "https://docs.tiny.example/errors"
[[login]]
id = "key"
label = "Key"
summary = "A key."
strategy = { name = "bearer", token = "key" }
hosts = ["{org}.tiny.example"]
roles = [{ id = "api", hosts = ["{org}.tiny.example"] }]
test = "settings"
source = "https://docs.tiny.example/keys"
[[login.field]]
id = "key"
label = "Key"
secret = true
format = { kind = "token", prefixes = ["tk_"], min = 8 }
[[login.field]]
id = "org"
label = "Organization"
format = { kind = "dns_label", suffixes = [".tiny.example"] }
"#;

/// The fields of a sign-in through Okta.
pub(crate) const OKTA_FIELDS: &str = r#"[[login.field]]
id = "user"
label = "User"
format = "email"
[[login.field]]
id = "password"
label = "Password"
secret = true
format = "password"
[[login.field]]
id = "mfa_key"
label = "MFA Secret Key"
secret = true
format = "mfa_key"
[[login.field]]
id = "okta_domain"
label = "Okta Domain"
format = "okta_domain"
"#;

/// The dataset by which a sign-in to it is tested.
pub(crate) const SETTINGS: &str = r#"[[dataset]]
id = "settings"
title = "Settings"
host = "api"
path = "/settings"
source = "https://docs.tiny.example/settings"
[dataset.keep]
"id" = "id"
"#;

/// An application that nobody signs in to.
pub(crate) const NOTES: &str =
    "slug = \"notes\"\nname = \"Notes\"\nvendor = \"Anybody\"\ncategory = \"other\"\nfeatures = [\"config\"]\nverified = \"manual\"\n";

/// Its one check.
pub(crate) const NOTES_CHECK: &str = "[[check]]\nid = \"notes.sso\"\ntitle = \"Sign-on is federated\"\nseverity = \"high\"\nfeature = \"config\"\nkind = \"manual\"\nrecommended = \"on\"\nwhy = \"Because.\"\nsteps = [\"Look.\"]\nsscf = [\"IAM-SaaS-04\"]\nsource = \"https://docs.notes.example/sso\"\n";

/// Writes files by their paths below the folder.
pub(crate) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What a catalog of these files answers, or the sentences of its errors.
pub(crate) fn asked<T>(files: &[(&str, &str)], ask: impl FnOnce(&Catalog) -> Result<T, Vec<LoadError>>) -> Result<T, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    Catalog::from_folder(folder.path()).and_then(|catalog| ask(&catalog)).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The application `tiny` of these texts.
pub(crate) fn tiny(app: &str, datasets: &str, checks: &str) -> Result<Arc<App>, Vec<String>> {
    let files = [("tiny/app.toml", app), ("tiny/datasets.toml", datasets), ("tiny/checks.toml", checks)];
    asked(&files, |catalog| catalog.app("tiny")).map(Option::unwrap)
}

/// Panics with every error, one a line.
pub(crate) fn whole<T>(result: Result<T, Vec<impl ToString>>) -> T {
    result.unwrap_or_else(|errors| panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}
