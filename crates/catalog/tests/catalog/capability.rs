//! What an application says of itself beside its checks: what it can be used for, what it leaves out, what no check looks at, and
//! which scopes hold others.
use crate::folder::{self, NOTES, NOTES_CHECK, whole};
use posture_catalog::{App, Availability, Catalog, MOST_LEFT_OUT, SSCF_CONTROLS};
use std::{fmt::Write, sync::Arc};

const LOGIN: &str = "home = \"https://notes.example\"\nlink_hosts = [\"notes.example\"]\n[[login]]\nid = \"key\"\nlabel = \"Key\"\nsummary = \"A key.\"\nstrategy = { name = \"bearer\", token = \"key\" }\nhosts = [\"notes.example\"]\nroles = [{ id = \"api\", hosts = [\"notes.example\"] }]\ntest = \"settings\"\nsource = \"https://docs.notes.example/keys\"\n";
const FIELD: &str = "[[login.field]]\nid = \"key\"\nlabel = \"Key\"\nsecret = true\nformat = \"text\"\n";
const SETTINGS: &str = "[[dataset]]\nid = \"settings\"\ntitle = \"Settings\"\nhost = \"api\"\npath = \"/settings\"\nsource = \"https://docs.notes.example/settings\"\n[dataset.keep]\n\"sso\" = \"bool\"\n";

fn load(app: &str, datasets: &str) -> Result<(Availability, Arc<App>), String> {
    let mut files = vec![("notes/app.toml", app), ("notes/checks.toml", NOTES_CHECK)];
    if !datasets.is_empty() {
        files.push(("notes/datasets.toml", datasets));
    }
    let loaded = folder::asked(&files, |catalog| Ok((catalog.tiles()[0].availability, catalog.app("notes")?.unwrap())));
    loaded
        .inspect(|(availability, app)| assert_eq!(*availability, app.availability(), "the tile says what the application says"))
        .map_err(|errors| errors.join("\n"))
}

fn signed_in_to(header: &str, more: &str) -> Result<(Availability, Arc<App>), String> {
    load(&format!("{}{LOGIN}{header}{FIELD}{more}", NOTES.replace("manual", "facts")), SETTINGS)
}

#[test]
fn a_tile_tells_what_can_be_done_with_it() {
    let planned = "[[planned_login]]\nlabel = \"API key\"\nsummary = \"A key of an administrator.\"\n";
    for (more, availability) in [
        ("", Availability::Attested),
        (planned, Availability::Planned),
        ("ended = \"The service ended in 2024. Delete what is left there.\"\n", Availability::Ended),
    ] {
        assert_eq!(load(&format!("{NOTES}{more}"), "").unwrap().0, availability, "{more}");
    }
    assert_eq!(signed_in_to("", "").unwrap().0, Availability::Offered);
    assert!(load(&format!("{NOTES}ended = \"It ended.\"\n{planned}"), "").unwrap_err().contains("has ended"));
}

#[test]
fn what_signs_in_leaves_out_little_and_what_does_not_is_exempt() {
    let left_out = |count: usize| {
        (0..count).fold(String::new(), |mut text, at| {
            write!(text, "[[left_out]]\nid = \"notes.more.{at}\"\ntitle = \"More\"\nreason = \"Nobody publishes it.\"\n").unwrap();
            text
        })
    };
    // One check is built: one left out of two is half of them.
    assert!(!signed_in_to("", "").unwrap().1.leaves_out_too_much());
    assert!(signed_in_to("", &left_out(1)).unwrap().1.leaves_out_too_much());
    assert!(!load(&format!("{NOTES}{}", left_out(9)), "").unwrap().1.leaves_out_too_much());
    let there = "[[left_out]]\nid = \"notes.sso\"\ntitle = \"Sign-on\"\nreason = \"Nobody publishes it.\"\n";
    assert!(load(&format!("{NOTES}{there}"), "").unwrap_err().contains("keep one of the two"));
}

#[test]
fn the_applications_of_the_program_leave_out_little() {
    let catalog = whole(Catalog::built_in());
    for tile in catalog.tiles() {
        let app = whole(catalog.app(&tile.slug)).unwrap();
        assert!(
            !app.leaves_out_too_much(),
            "{} leaves out {} of {} known checks; at most {MOST_LEFT_OUT} % may be",
            app.slug,
            app.left_out.len(),
            app.left_out.len() + app.checks.len()
        );
        for one in &app.left_out {
            assert!(one.reason.split_whitespace().count() >= 4, "{} is left out for a reason that says nothing: {}", one.id, one.reason);
        }
    }
}

#[test]
fn a_control_is_not_covered_once_with_a_source_and_only_where_no_check_names_it() {
    let entry = |sscf: &str| {
        format!("[[not_covered]]\nsscf = \"{sscf}\"\nreason = \"No log is published.\"\nsource = \"https://docs.notes.example/logs\"\n")
    };
    let (_, app) = load(&format!("{NOTES}{}", entry("LOG-SaaS-02")), "").unwrap();
    assert_eq!((app.not_covered[0].sscf.as_str(), app.not_covered[0].reason.as_str()), ("LOG-SaaS-02", "No log is published."));
    for (wrong, word) in [
        (entry("LOG-SaaS-99"), "no control"),
        (entry("IAM-SaaS-04"), "notes.sso"),
        (entry("LOG-SaaS-02").repeat(2), "twice"),
        (entry("LOG-SaaS-02").replace("source", "# source"), "lacks `source`"),
        (entry("LOG-SaaS-02").replace("https", "http"), "not an https URL"),
    ] {
        let told = load(&format!("{NOTES}{wrong}"), "").unwrap_err();
        assert!(told.contains(word), "{told}");
    }
    assert_eq!(SSCF_CONTROLS.len(), 36);
}

#[test]
fn a_scope_holds_what_its_scopes_hold() {
    let scope = |name: &str, holds: &str| {
        format!("[[scope]]\nname = \"{name}\"\nholds = [{holds}]\nsource = \"https://docs.notes.example/scopes\"\n")
    };
    // A ring is no trap.
    let scopes = [scope("admin", "\"write\""), scope("write", "\"read\""), scope("read", "\"admin\"")].concat();
    let (_, app) = signed_in_to("granted_header = \"X-OAuth-Scopes\"\n", &scopes).unwrap();
    assert_eq!(app.logins[0].granted_header.as_deref(), Some("x-oauth-scopes"));
    assert!(app.scope_holds("admin", "read") && app.scope_holds("other", "other"));
    assert!(!app.scope_holds("admin", "other") && !app.scope_holds("other", "read"));
    for (header, more, word) in [
        ("granted_header = \"set-cookie\"\n", String::new(), "not the name of a header"),
        ("granted_header = \"x scopes\"\n", String::new(), "not the name of a header"),
        ("", scope("a", "\"a\""), "holds itself"),
        ("", scope("a", "\"b\"").repeat(2), "twice"),
        ("", scope("a", ""), "holds"),
    ] {
        let told = signed_in_to(header, &more).unwrap_err();
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn what_tells_the_end_of_a_credential_is_declared_exactly_or_not_at_all() {
    use posture_catalog::{ExpiryPlace, TimestampFormat};
    const SOURCE: &str = "source = \"https://docs.notes.example/keys\"";
    const OWN_KEY: &str = "[[dataset]]\nid = \"own-key\"\ntitle = \"Key\"\nhost = \"api\"\npath = \"/key\"\nsource = \"https://docs.notes.example/key\"\n[dataset.keep]\n\"ends\" = \"timestamp(date)\"\n\"name\" = \"string\"\n";
    let with = |lines: &str, datasets: &str| {
        let app = format!("{}{LOGIN}{lines}\n{FIELD}", NOTES.replace("manual", "facts"));
        load(&app, &format!("{SETTINGS}{datasets}")).map(|(_, app)| app)
    };
    let header = format!("expires = {{ header = \"X-Key-Ends\", format = \"timestamp(spaced_zone)\", {SOURCE} }}");
    let app = with(&format!("{header}\nunused = {{ days = 60, {SOURCE} }}"), "").unwrap();
    let place = ExpiryPlace::Header { name: "x-key-ends".into(), format: TimestampFormat::SpacedZone };
    assert_eq!(app.logins[0].expires.as_ref().unwrap().told, place);
    assert_eq!(app.logins[0].unused.as_ref().unwrap().days, 60);
    let field = |dataset: &str, field: &str| format!("expires = {{ dataset = \"{dataset}\", field = \"{field}\", {SOURCE} }}");
    assert!(matches!(
        &with(&field("own-key", "ends"), OWN_KEY).unwrap().logins[0].expires.as_ref().unwrap().told,
        ExpiryPlace::Field { .. }
    ));
    assert!(with("", "").unwrap().logins[0].expires.is_none());

    let paged = OWN_KEY
        .replace("path = \"/key\"", "path = \"/key\"\nrows = \"data[]\"\nkey = [\"name\"]\npagination = { style = \"link_header\" }");
    for (lines, datasets, word) in [
        (format!("expires = {{ header = \"set-cookie\", format = \"timestamp\", {SOURCE} }}"), "", "not the name of a header"),
        (format!("expires = {{ header = \"x-ends\", {SOURCE} }}"), "", "lacks `format`"),
        (format!("expires = {{ header = \"x-ends\", format = \"string\", {SOURCE} }}"), "", "no way to write a time"),
        ("expires = { header = \"x-ends\", format = \"timestamp\" }".to_owned(), "", "`source`"),
        (format!("expires = {{ {SOURCE} }}"), "", "lacks the place"),
        (
            format!("expires = {{ header = \"x-ends\", format = \"timestamp\", dataset = \"own-key\", field = \"ends\", {SOURCE} }}"),
            OWN_KEY,
            "one place",
        ),
        (format!("expires = {{ dataset = \"own-key\", {SOURCE} }}"), OWN_KEY, "`field`"),
        (format!("expires = {{ header = \"x-ends\", format = \"timestamp\", ends = true, {SOURCE} }}"), "", "ends"),
        (field("other", "ends"), OWN_KEY, "no dataset"),
        (field("own-key", "name"), OWN_KEY, "as a timestamp"),
        (field("own-key", "until"), OWN_KEY, "as a timestamp"),
        (field("own-key", "ends"), paged.as_str(), "read alone"),
        (format!("{}\nunused = {{ days = 60, {SOURCE} }}", field("own-key", "ends")), OWN_KEY, "only one of the two"),
        (format!("unused = {{ days = 13, {SOURCE} }}"), "", "14 to 730"),
        (format!("unused = {{ days = 731, {SOURCE} }}"), "", "14 to 730"),
        (format!("unused = {{ {SOURCE} }}"), "", "14 to 730"),
        ("unused = { days = 60 }".to_owned(), "", "`source`"),
    ] {
        let told = with(&lines, datasets).map(|_| ()).unwrap_err();
        assert!(told.contains(word) && told.contains(".toml:"), "{lines}: {told}");
    }
}

#[test]
fn a_time_with_its_zone_is_read_strictly() {
    use posture_catalog::TimestampFormat::SpacedZone;
    let at = |text: &str| SpacedZone.read(text).map(|time| time.to_string());
    assert_eq!(at("2021-10-07 19:07:53 UTC").as_deref(), Some("2021-10-07T19:07:53Z"));
    assert_eq!(at("2021-10-07 19:07:53 -0700").as_deref(), Some("2021-10-08T02:07:53Z"));
    for wrong in [
        "2021-10-07 19:07:53",
        "2021-10-07",
        "soon",
        "",
        "2021-10-07T19:07:53Z",
        "2021-13-07 19:07:53 UTC",
        "2021-10-07 19:07:53 PST",
        "2021-10-07 19:07:53 UTC UTC",
    ] {
        assert_eq!(at(wrong), None, "{wrong}");
    }
}
