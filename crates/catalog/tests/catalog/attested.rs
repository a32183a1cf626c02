//! Applications and checks that nobody scans: what their manifests may leave out, and what an attestation of them is held to.
use crate::folder::{self, NOTES, NOTES_CHECK};
use posture_catalog::{App, CheckKind, VALID_DAYS, Verified};
use std::sync::Arc;

fn load(app: &str, checks: &str) -> Result<Arc<App>, String> {
    let files = [("notes/app.toml", app), ("notes/checks.toml", checks)];
    folder::asked(&files, |catalog| catalog.app("notes")).map(Option::unwrap).map_err(|errors| errors.join("\n"))
}

#[test]
fn what_nobody_signs_in_to_needs_no_home_and_no_links() {
    let app = load(NOTES, NOTES_CHECK).unwrap();
    assert!(app.logins.is_empty() && app.home.is_empty() && app.link_hosts.is_empty() && app.verified == Verified::Manual);
    let check = app.check("notes.sso").unwrap();
    assert_eq!((check.kind, check.valid_days), (CheckKind::Manual, VALID_DAYS));
    let scanned = load(&NOTES.replace("manual", "facts"), NOTES_CHECK).unwrap_err();
    for missing in ["lacks `home`", "lacks `link_hosts`", "lacks `[[login]]`"] {
        assert!(scanned.contains(missing), "{scanned}");
    }
    assert!(load(&format!("{NOTES}home = \"http://notes.example\"\n"), NOTES_CHECK).unwrap_err().contains("not an https URL"));
}

#[test]
fn an_attestation_holds_for_days_within_three_years() {
    for (days, holds) in [("1", true), ("90", true), ("1095", true), ("0", false), ("1096", false), ("-1", false)] {
        let app = load(NOTES, &format!("{NOTES_CHECK}valid_days = {days}\n"));
        assert_eq!(app.is_ok(), holds, "{days}");
        if let Ok(app) = app {
            assert_eq!(app.check("notes.sso").unwrap().valid_days.to_string(), days);
        }
    }
}
