//! Applications and checks that nobody scans: what their manifests may leave out, and what an attestation of them is held to.
use posture_catalog::{Catalog, CheckKind, VALID_DAYS, Verified};
use std::fs;

const APP: &str =
    "slug = \"notes\"\nname = \"Notes\"\nvendor = \"Anybody\"\ncategory = \"other\"\nfeatures = [\"config\"]\nverified = \"manual\"\n";

const CHECK: &str = "[[check]]\nid = \"notes.sso\"\ntitle = \"Sign-on is federated\"\nseverity = \"high\"\nfeature = \"config\"\nkind = \"manual\"\nrecommended = \"on\"\nwhy = \"Because.\"\nsteps = [\"Look.\"]\nsource = \"https://docs.notes.example/sso\"\n";

fn load(app: &str, checks: &str) -> Result<std::sync::Arc<posture_catalog::App>, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("notes")).unwrap();
    fs::write(folder.path().join("notes/app.toml"), app).unwrap();
    fs::write(folder.path().join("notes/checks.toml"), checks).unwrap();
    let loaded = Catalog::from_folder(folder.path()).and_then(|catalog| catalog.app("notes"));
    loaded.map(Option::unwrap).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_nobody_signs_in_to_needs_no_home_and_no_links() {
    let app = load(APP, CHECK).unwrap();
    assert!(app.logins.is_empty() && app.home.is_empty() && app.link_hosts.is_empty() && app.verified == Verified::Manual);
    let check = app.check("notes.sso").unwrap();
    assert_eq!((check.kind, check.valid_days), (CheckKind::Manual, VALID_DAYS));
    let scanned = load(&APP.replace("manual", "facts"), CHECK).unwrap_err();
    for missing in ["lacks `home`", "lacks `link_hosts`", "lacks `[[login]]`"] {
        assert!(scanned.contains(missing), "{scanned}");
    }
    assert!(load(&format!("{APP}home = \"http://notes.example\"\n"), CHECK).unwrap_err().contains("not an https URL"));
}

#[test]
fn an_attestation_holds_for_days_within_three_years() {
    for (days, holds) in [("1", true), ("90", true), ("1095", true), ("0", false), ("1096", false), ("-1", false)] {
        let app = load(APP, &format!("{CHECK}valid_days = {days}\n"));
        assert_eq!(app.is_ok(), holds, "{days}");
        if let Ok(app) = app {
            assert_eq!(app.check("notes.sso").unwrap().valid_days.to_string(), days);
        }
    }
}
