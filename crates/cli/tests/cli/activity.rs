//! The log of acts in a terminal: the real program and a real encrypted database.
use crate::desk::Desk;
use crate::stand::database;

use serde_json::Value;

/// A database with one instance of *Other application*.
fn with_other() -> Desk {
    let desk = Desk::new();
    desk.json(&["init", "--protection", "passphrase"]);
    desk.json(&["instance", "add", "other-application", "--name", "Perplexity"]);
    desk
}

/// The exit code of a proof and what it says.
fn verify(desk: &Desk, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = desk.posture(&[&["--json", "activity", "verify"], arguments].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

/// Does something to the acts that the program never does.
fn tamper(desk: &Desk, sql: &str) {
    let guards = "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS activity_unchanged; DROP TRIGGER IF EXISTS activity_kept;
        DROP TRIGGER IF EXISTS activity_link_unchanged; DROP TRIGGER IF EXISTS activity_link_kept;";
    database(&desk.data()).execute_batch(&format!("{guards}{sql}")).unwrap();
}

#[test]
fn acts_are_listed_newest_first_with_what_was_before_and_after() {
    let desk = with_other();
    let check = ["--title", "Single sign-on is on", "--severity", "low"];
    let saved: Value = serde_json::from_str(&desk.text(&[&["--json", "check", "add", "Perplexity"], &check[..]].concat())).unwrap();
    let changed = ["--title", "Single sign-on is on", "--severity", "high"];
    desk.text(&[&["check", "change", "Perplexity", saved["id"].as_str().unwrap()], &changed[..]].concat());

    let text = desk.text(&["activity"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("WHEN") && lines.len() == 6 && lines[5] == "4 of 4 acts", "{text}");
    assert!(text.contains("severity \"low\" → severity \"high\""), "{text}");
    let list: Value = serde_json::from_str(&desk.text(&["--json", "activity", "--offset", "1", "--limit", "2"])).unwrap();
    let what: Vec<&str> = list["rows"].as_array().unwrap().iter().map(|act| act["what"].as_str().unwrap()).collect();
    assert_eq!((what, &list["total"]), (vec!["check added", "instance added"], &4.into()));
    assert_eq!(list["rows"][0]["instance"], list["rows"][1]["instance"]);
}

#[test]
fn an_exported_head_is_proof_and_ends_with_three_when_it_does_not_hold() {
    let desk = with_other();
    let head = desk.path("head.json");
    assert!(desk.text(&["activity", "head", "--output", &head]).contains(&head));
    let printed = desk.text(&["activity", "head"]);
    let (kept, printed): (Value, Value) =
        (serde_json::from_str(&std::fs::read_to_string(&head).unwrap()).unwrap(), serde_json::from_str(&printed).unwrap());
    assert_eq!((&kept["acts"], &printed["acts"]), (&2.into(), &3.into()), "that it was saved is an act");

    let (code, proof) = verify(&desk, &["--head", &head]);
    assert_eq!((code, &proof["holds"], &proof["now"]["head"]), (Some(0), &true.into(), &printed["head"]), "{proof}");
    assert!(desk.text(&["activity", "verify"]).starts_with("All 3 acts are linked as they were recorded;"));

    tamper(&desk, "UPDATE activity SET who = 'eve' WHERE id = 2");
    for arguments in [&["--head", &head][..], &[]] {
        let (code, proof) = verify(&desk, arguments);
        assert_eq!((code, &proof["holds"]), (Some(3), &false.into()));
        assert!(proof["sentence"].as_str().unwrap().starts_with("The chain breaks at act 2 ("), "{proof}");
    }
    // Linked anew as a whole, which the exported head alone tells.
    tamper(&desk, "DELETE FROM activity_link");
    assert_eq!(verify(&desk, &[]).0, Some(0));
    let (code, proof) = verify(&desk, &["--head", &head]);
    assert_eq!((code, &proof["holds"]), (Some(3), &false.into()), "{proof}");
}

#[test]
fn what_is_no_head_is_an_error_and_no_proof() {
    let desk = with_other();
    let head = desk.path("head.json");
    for (content, code) in [("no head", "E-HEAD-FORMAT"), ("{\"format\":\"posture-console-activity-head\",\"version\":9}", "E-HEAD-NEWER")]
    {
        std::fs::write(&head, content).unwrap();
        assert_eq!(desk.refused(&["activity", "verify", "--head", &head]), code);
    }
    assert_eq!(desk.refused(&["activity", "verify", "--head", &desk.path("missing")]), "E-HEAD-FILE");
    assert_eq!(desk.refused(&["activity", "head", "--output", &desk.path("missing/head.json")]), "E-EXPORT");
    assert_eq!(desk.posture(&["activity", "--limit", "0"]).status.code(), Some(2));
    assert_eq!(desk.posture(&["activity", "--limit", "5", "head"]).status.code(), Some(2));
}

#[test]
fn acts_are_exported() {
    let desk = with_other();
    let path = desk.path("acts.csv");
    assert!(desk.text(&["activity", "export", "--output", &path]).starts_with("2 acts written to "));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("\u{feff}number,at,who,what,") && text.lines().count() == 3, "{text}");
    let document: Value = serde_json::from_str(&desk.text(&["activity", "export", "--format", "json", "--output", "-"])).unwrap();
    assert_eq!(document["acts"].as_array().unwrap().len(), 3);
}
