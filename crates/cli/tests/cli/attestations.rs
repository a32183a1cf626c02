//! Manual checks in a terminal: the real program, a real encrypted database, no vendor and no network.
use crate::desk::Desk;
use crate::stand;

use serde_json::Value;
use stand::files;
#[cfg(target_os = "linux")]
use stand::{command_within, run};

/// A database with one instance of *Other application*.
fn with_other() -> Desk {
    let desk = Desk::new();
    desk.json(&["init", "--protection", "passphrase"]);
    let added = desk.json(&["instance", "add", "other-application", "--name", "Perplexity", "--set", "console_url=https://admin.example"]);
    assert_eq!((&added["health"], &added["app"]), (&"manual".into(), &"other-application".into()));
    desk
}

/// The id of a check of its own, added there.
fn own_check(desk: &Desk) -> String {
    let saved = desk.json(&[
        "check",
        "add",
        "Perplexity",
        "--title",
        "Single sign-on is required",
        "--severity",
        "high",
        "--step",
        "Open Settings.",
        "--step",
        "Look.",
        "--recommended",
        "required",
    ]);
    assert_eq!(saved["steps"].as_array().unwrap().len(), 2);
    saved["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_check_of_ones_own_is_attested_with_a_file_found_and_withdrawn() {
    let desk = with_other();
    let check = own_check(&desk);
    let due = desk.json(&["attestation", "list"]);
    assert_eq!((&due["counts"]["due"], &due["rows"][0]["state"]), (&1.into(), &"due".into()));
    let content: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    std::fs::write(desk.path("page.png"), &content).unwrap();
    let given = desk.json(&[
        "attestation",
        "give",
        "Perplexity",
        &check,
        "--answer",
        "not-met",
        "--note",
        "thisNoteMustNotBeReadable",
        "--who",
        "Ada Byron",
        "--file",
        &desk.path("page.png"),
        "--media-type",
        "image/png",
    ]);
    let current = &given["current"];
    assert_eq!((&given["state"], &current["who"], &current["answer"]), (&"attested".into(), &"Ada Byron".into(), &"not_met".into()));
    assert_eq!((&current["file"]["name"], &current["file"]["size"]), (&"page.png".into(), &20_000.into()));
    let id = current["id"].as_str().unwrap();
    for (path, bytes) in files(&desk.data()) {
        let clear = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!clear(b"thisNoteMustNotBeReadable") && !clear(&content[..64]), "{}", path.display());
    }

    // Its finding counts like any other, and says what it rests on.
    let found = desk.posture(&["--json", "findings", "--fail-on", "high"]);
    assert_eq!(found.status.code(), Some(3));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&found["rows"][0]["attested"], &found["rows"][0]["id"]), (&true.into(), &given["finding"]));
    let shown = desk.text(&["findings", "--show", given["finding"].as_str().unwrap()]);
    assert!(shown.contains("Attested, not scanned") && shown.contains("Ada Byron"), "{shown}");

    desk.text(&["attestation", "file", id, "--output", &desk.path("saved.png")]);
    assert_eq!(std::fs::read(desk.path("saved.png")).unwrap(), content);
    let to_standard_output = ["attestation", "file", id, "--output", "-"];
    assert_eq!(desk.posture(&to_standard_output).stdout, content);
    #[cfg(target_os = "linux")]
    {
        // Within a terminal of its own.
        let terminal = "exec script -qec \"$* 3<$0\" /dev/null; ";
        let shown = run(command_within(desk.folder.path(), &desk.data(), terminal, &to_standard_output), "");
        let text = String::from_utf8_lossy(&shown.stdout);
        assert_eq!(shown.status.code(), Some(2), "{text}");
        assert!(text.contains("standard output is a terminal") && !shown.stdout.contains(&content[0]), "{text}");
    }

    let listed = desk.text(&["attestation", "list", "--instance", "Perplexity"]);
    assert!(
        listed.contains("attested")
            && listed.contains("not met")
            && listed.ends_with("1 attested, 0 of them due soon; 0 due, 0 of them again.\n")
    );
    let withdrawn = desk.json(&["attestation", "withdraw", id, "--reason", "The wrong tenant."]);
    assert_eq!((&withdrawn["state"], &withdrawn["finding"]), (&"withdrawn".into(), &Value::Null));
    assert_eq!(desk.refused(&["attestation", "withdraw", id, "--reason", "again"]), "E-ATTESTATION-ENDED");
    assert!(desk.posture(&["findings", "--fail-on", "high"]).status.success());
}

#[test]
fn own_checks_are_listed_changed_and_removed() {
    let desk = with_other();
    let check = own_check(&desk);
    let changed = desk.json(&["check", "change", "Perplexity", &check, "--title", "Sign-on is federated", "--severity", "low"]);
    assert_eq!((&changed["id"], &changed["severity"]), (&check.as_str().into(), &"low".into()));
    let listed = desk.text(&["check", "list", "Perplexity"]);
    assert!(listed.contains("Sign-on is federated") && listed.contains(&check) && !listed.contains("Single sign-on"), "{listed}");
    desk.text(&["check", "remove", "Perplexity", &check]);
    assert_eq!(desk.json(&["check", "list", "Perplexity"]), Value::Array(Vec::new()));
    assert_eq!(desk.refused(&["check", "remove", "Perplexity", &check]), "E-NOT-FOUND");
    assert_eq!(desk.refused(&["check", "add", "Perplexity", "--title", " ", "--severity", "low"]), "E-TITLE");
}

#[test]
fn what_is_not_right_is_refused_with_its_code() {
    let desk = with_other();
    let check = own_check(&desk);
    let give = |more: &[&str]| desk.refused(&[&["attestation", "give", "Perplexity", &check, "--answer", "met"], more].concat());
    assert_eq!(give(&["--note", " "]), "E-NOTE");
    assert_eq!(give(&["--note", "n", "--valid-until", "2020-01-01"]), "E-VALID-UNTIL");
    assert_eq!(give(&["--note", "n", "--file", &desk.path("missing")]), "E-FILE");
    std::fs::File::create(desk.path("large")).unwrap().set_len(10 * 1024 * 1024 + 1).unwrap();
    assert_eq!(give(&["--note", "n", "--file", &desk.path("large")]), "E-FILE-TOO-LARGE");
    assert_eq!(desk.refused(&["attestation", "give", "Perplexity", "own.none", "--answer", "met", "--note", "n"]), "E-CHECK-NOT-MANUAL");
    assert_eq!(desk.refused(&["attestation", "file", "7", "--output", "-"]), "E-NOT-FOUND");
    assert_eq!(desk.posture(&["attestation", "give", "Perplexity", &check, "--note", "n"]).status.code(), Some(2), "an answer is needed");
    assert_eq!(desk.json(&["attestation", "list"])["counts"]["due"], 1, "nothing was attested");
}

#[test]
fn what_nobody_signs_in_to_is_never_scanned() {
    let desk = with_other();
    assert_eq!(desk.refused(&["scan", "Perplexity"]), "E-NOT-SCANNED");
    assert_eq!(desk.refused(&["instance", "test", "Perplexity"]), "E-NOT-SCANNED");
    assert_eq!(desk.refused(&["schema", "Perplexity"]), "E-NOT-SCANNED");
    assert_eq!(desk.json(&["scan", "--all"]), Value::Array(Vec::new()), "there is nothing to scan, which is no failure");
    let twice = ["instance", "add", "other-application", "--name", "Perplexity"];
    assert_eq!(desk.refused(&twice), "E-NAME-TAKEN");
    for more in [["--set", "region=eu"], ["--login", "api-key"]] {
        assert_eq!(desk.posture(&[&["instance", "add", "other-application", "--name", "X"][..], &more].concat()).status.code(), Some(2));
    }
    assert!(desk.text(&["instance", "show", "Perplexity"]).contains("nobody signs in to it"));
    let deleted = desk.json(&["instance", "delete", "Perplexity", "--yes"]);
    assert_eq!(deleted["attestations"], 0);
    assert_eq!(desk.json(&["instance", "list"]), Value::Array(Vec::new()));
}
