//! What the catalog holds and leaves out, in a terminal; and an application to be connected, attested with the real program and a
//! real encrypted database.
use crate::desk::Desk;

const MANUAL: &str = "category = \"other\"\nfeatures = [\"config\"]\nverified = \"manual\"\n";

/// A catalog folder with an application to be connected, one that has ended, and one that leaves out half of its checks.
fn with_three() -> Desk {
    let front = |slug: &str, name: &str| format!("slug = \"{slug}\"\nname = \"{name}\"\nvendor = \"{name}, Inc.\"\n");
    let check = |slug: &str, more: &str| {
        format!(
            "[[check]]\nid = \"{slug}.sso\"\ntitle = \"Sign-on is federated\"\nfinding = \"Sign-on is not federated\"\nseverity = \"high\"\nfeature = \"config\"\nrecommended = \"on\"\nwhy = \"Because.\"\nsteps = [\"Look.\"]\nsscf = [\"IAM-SaaS-04\"]\nsource = \"https://docs.notes.example/sso\"\n{more}"
        )
    };
    let left_out = |slug: &str| {
        format!(
            "[[left_out]]\nid = \"{slug}.devices\"\ntitle = \"Devices are known\"\nreason = \"Nobody publishes where they are read.\"\n"
        )
    };
    Desk::with_catalog(&[
        (
            "ledger/app.toml",
            format!(
                "{}{MANUAL}[[planned_login]]\nlabel = \"API key\"\nsummary = \"A key of an administrator.\"\n{}",
                front("ledger", "Ledger"),
                left_out("ledger")
            ),
        ),
        ("ledger/checks.toml", check("ledger", "kind = \"manual\"\n")),
        (
            "gone/app.toml",
            format!("{}{MANUAL}ended = \"The service ended in 2024. See that nothing of it is left.\"\n", front("gone", "Gone")),
        ),
        (
            "notes/app.toml",
            format!(
                "{}category = \"other\"\nfeatures = [\"config\"]\nverified = \"facts\"\nhome = \"https://notes.example\"\nlink_hosts = [\"notes.example\"]\n{}[[login]]\nid = \"key\"\nlabel = \"Key\"\nsummary = \"A key.\"\nstrategy = {{ name = \"bearer\", token = \"key\" }}\nhosts = [\"notes.example\"]\nroles = [{{ id = \"api\", hosts = [\"notes.example\"] }}]\ntest = \"settings\"\nsource = \"https://docs.notes.example/keys\"\n[[login.field]]\nid = \"key\"\nlabel = \"Key\"\nsecret = true\nformat = \"text\"\n",
                front("notes", "Notes"),
                left_out("notes")
            ),
        ),
        (
            "notes/datasets.toml",
            "[[dataset]]\nid = \"settings\"\ntitle = \"Settings\"\nhost = \"api\"\npath = \"/settings\"\nsource = \"https://docs.notes.example/settings\"\n[dataset.keep]\n\"sso\" = \"bool\"\n".to_owned(),
        ),
        ("notes/checks.toml", check("notes", "on = \"settings\"\npass = \"row.sso\"\n")),
    ])
}

/// The cells of an application's row.
fn row<'a>(list: &'a str, slug: &str) -> Vec<&'a str> {
    let line = list.lines().find(|line| line.split_whitespace().next() == Some(slug)).unwrap();
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn the_list_has_one_row_per_application() {
    let desk = with_three();
    let list = desk.text(&["catalog"]);
    assert_eq!(row(&list, "notes"), ["notes", "facts", "key", "1", "1", "0", "1", "50 % (!)"]);
    assert_eq!(row(&list, "ledger"), ["ledger", "manual", "planned: API key", "0", "0", "1", "1", "50 %"]);
    assert_eq!(row(&list, "gone"), ["gone", "manual", "ended", "0", "0", "0", "0", "0 %"]);
    assert_eq!(row(&list, "other-application")[2], "none");
    let all = desk.json(&["catalog"]);
    assert_eq!(list.lines().count(), all["apps"].as_array().unwrap().len() + 2, "the header, a row for each, the sum");
    let one = desk.json(&["catalog", "ledger"]);
    assert_eq!(one["apps"][0]["availability"], "planned");
    assert_eq!(one["apps"][0]["left_out"][0]["reason"], "Nobody publishes where they are read.");
    assert_eq!(one["apps"][0]["counts"]["left_out_percent"], 50);
}

#[test]
fn one_application_is_listed_check_by_check_with_what_is_left_out_and_why() {
    let desk = with_three();
    let notes = desk.text(&["catalog", "notes"]);
    for line in ["notes.sso", "settings", "Sign-on is federated", "notes.devices", "Nobody publishes where they are read."] {
        assert!(notes.contains(line), "{line}: {notes}");
    }
    assert!(desk.text(&["catalog", "ledger"]).contains("login to come: API key"));
    assert!(desk.text(&["catalog", "gone"]).contains("The service ended in 2024."));
    assert_eq!(desk.refused(&["catalog", "nothing"]), "E-APP-UNKNOWN");
}

#[test]
fn leaving_out_too_much_fails_only_when_it_is_asked_for_and_only_where_somebody_signs_in() {
    let desk = with_three();
    assert!(desk.posture(&["catalog"]).status.success());
    assert_eq!(desk.refused(&["catalog", "--check"]), "E-CATALOG-LEFT-OUT");
    assert_eq!(desk.refused(&["catalog", "notes", "--check"]), "E-CATALOG-LEFT-OUT");
    assert!(desk.posture(&["catalog", "ledger", "--check"]).status.success());
    assert!(desk.posture(&["catalog", "kustomer", "--check"]).status.success());
}

#[test]
fn the_coverage_of_an_application_names_every_control() {
    let desk = with_three();
    let sheet = desk.json(&["catalog", "notes", "--coverage"]);
    assert_eq!(sheet["controls"].as_array().unwrap().len(), 36);
    assert_eq!((&sheet["counts"]["checked"], &sheet["counts"]["not_covered"]), (&1.into(), &35.into()));
    let text = desk.text(&["catalog", "ledger", "--coverage"]);
    let line = |control: &str| text.lines().find(|line| line.starts_with(control)).unwrap().to_owned();
    assert!(line("IAM-SaaS-04").contains("attested") && line("IAM-SaaS-04").contains("ledger.sso"));
    assert!(line("LOG-SaaS-01").contains("Nobody has looked at this yet."));
    assert_eq!(desk.posture(&["catalog", "--coverage"]).status.code(), Some(2), "of one application");
}

#[test]
fn an_application_to_be_connected_is_added_and_attested_and_an_ended_one_is_not() {
    let desk = with_three();
    desk.text(&["init", "--protection", "passphrase"]);
    assert_eq!(desk.refused(&["instance", "add", "gone", "--name", "Halden Moor"]), "E-SERVICE-ENDED");
    let said = desk.text(&["instance", "add", "ledger", "--name", "Halden Moor"]);
    assert!(said.contains("its one check is attested"), "{said}");
    let due = desk.json(&["attestation", "list", "--instance", "Halden Moor"]);
    assert_eq!(
        (&due["rows"][0]["check"], &due["rows"][0]["state"], &due["rows"][0]["own"]),
        (&"ledger.sso".into(), &"due".into(), &false.into())
    );
    desk.text(&["attestation", "give", "Halden Moor", "ledger.sso", "--answer", "not-met", "--note", "Passwords work."]);
    let findings = desk.json(&["findings"]);
    assert_eq!(findings["rows"][0]["check"], "ledger.sso");
    desk.text(&["attestation", "give", "Halden Moor", "ledger.sso", "--answer", "met", "--note", "Okta, now."]);
    assert_eq!(desk.json(&["findings"])["total"], 0);
    assert_eq!(desk.refused(&["permissions", "Halden Moor"]), "E-NOT-SCANNED");
    assert_eq!(desk.json(&["instance", "show", "Halden Moor"])["inputs"][0]["value"], "Ledger", "it is its own product");
}
