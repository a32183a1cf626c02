//! Harbour, an application that nobody sells: the parts of its manifest, and the catalog folder that a test writes of them.
use catalog::Catalog;
use std::{fs, path::Path};

/// How its `app.toml` begins.
pub const HEAD: &str = r#"slug = "harbour"
name = "Harbour"
vendor = "Harbour, Inc."
category = "other"
home = "https://www.harbour.example"
features = ["config"]
verified = "facts"
link_hosts = ["docs.harbour.example"]
"#;

/// The hosts of a login option that needs one alone.
pub const ON_API: &str = r#"hosts = ["api.harbour.example"]
roles = [{ id = "api", hosts = ["api.harbour.example"] }]"#;

/// The rest of a field.
pub const TEXT: &str = "format = \"text\"";
pub const EMAIL: &str = "format = \"email\"";
pub const SECRET: &str = "secret = true\nformat = \"text\"";

fn title(id: &str) -> String {
    id[..1].to_uppercase() + &id[1..]
}

/// A login option: its hosts and its strategy, and each field's name and rest.
pub fn login(id: &str, how: &[&str], fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(id, rest)| format!("[[login.field]]\nid = \"{id}\"\nlabel = \"{}\"\n{rest}\n", title(id)));
    format!(
        "[[login]]\nid = \"{id}\"\nlabel = \"{}\"\nsummary = \"A way in.\"\ntest = \"me\"\nsource = \"https://docs.harbour.example/\"\n{}\n{}",
        title(id),
        how.join("\n"),
        fields.collect::<String>()
    )
}

pub fn dataset(id: &str, host: &str, path: &str, more: &str) -> String {
    format!(
        "[[dataset]]\nid = \"{id}\"\ntitle = \"{}\"\nhost = \"{host}\"\npath = \"{path}\"\nsource = \"https://docs.harbour.example/{id}\"\n{more}",
        title(id)
    )
}

/// By which every login option is tested.
pub fn me() -> String {
    dataset("me", "api", "/v1/me", "[dataset.keep]\n\"id\" = \"id\"\n")
}

pub fn settings() -> String {
    dataset("settings", "api", "/v1/settings", "[dataset.keep]\n\"sso\" = \"bool\"\n")
}

pub fn check(name: &str, title: &str, sscf: &str, more: &str) -> String {
    format!(
        "[[check]]\nid = \"harbour.{name}\"\ntitle = \"{title}\"\nfinding = \"{title}: no\"\nseverity = \"high\"\nfeature = \"config\"\nrecommended = \"on\"\nwhy = \"Because.\"\nsteps = [\"Look.\"]\nsscf = [\"{sscf}\"]\nsource = \"https://docs.harbour.example/{name}\"\n{more}"
    )
}

/// Of the settings.
pub fn single_sign_on() -> String {
    check("auth.sso", "Single sign-on is on", "IAM-SaaS-12", "on = \"settings\"\npass = \"row.sso\"\n")
}

/// What a simulated tenant answers with.
pub fn answer(path: &str, rest: &str) -> String {
    format!("[[answer]]\nhost = \"api\"\npath = \"{path}\"\n{rest}\n")
}

/// Writes files by their paths below the folder.
pub fn write(folder: &Path, files: &[(impl AsRef<Path>, impl AsRef<[u8]>)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A catalog of it alone, with a simulated tenant for each of these login options: what it types, and what follows.
pub fn catalog(folder: &Path, app: &str, datasets: &str, checks: &str, tenants: &[(&str, String)]) -> Catalog {
    let mut files = vec![("app.toml".to_owned(), app.to_owned())];
    files.push(("datasets.toml".to_owned(), datasets.to_owned()));
    files.push(("checks.toml".to_owned(), checks.to_owned()));
    for (login, fields) in tenants {
        let tenant = format!("name = \"{login}\"\nlogin = \"{login}\"\n[fields]\n{fields}");
        files.push((format!("sandbox/{login}/tenant.toml"), tenant));
    }
    write(&folder.join("harbour"), &files);
    Catalog::from_folder(folder).unwrap_or_else(|errors| panic!("{errors:#?}"))
}
