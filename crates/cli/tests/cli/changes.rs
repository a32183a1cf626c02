//! `posture changes` and `posture findings --at` as somebody in a terminal uses them.
use crate::stand;

use sandbox::OverlayChange;
use stand::{Stand, failure};

fn text(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_told_printed_and_exported_and_a_past_day_too() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let name = "Halden Moor";
    let before = stand.json(&["--json", "findings"], "");
    stand.change(OverlayChange::Set {
        tenant: stand.tenant(),
        answer: "auth-settings".into(),
        field: "data.attributes.kustomer.enabled".into(),
        value: false.into(),
    });
    assert!(stand.posture(&["scan", name], "").status.success());
    let told = stand.json(&["--json", "changes", "--from", "last-scan", "--settings", "--instance", name], "");
    let total = |counts: &serde_json::Value| counts.as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum::<u64>();
    let fixed = total(&told["changes"]["counts"]["fixed"]);
    assert!(fixed > 0 && fixed + total(&told["changes"]["counts"]["still_failing"]) == before["total"].as_u64().unwrap(), "{told}");
    let rows = &told["settings"][0]["rows"][0];
    assert_eq!((&rows[0], &rows[1]["total"]), (&"auth-settings".into(), &1.into()), "{told}");
    let printed = text(&stand.posture(&["changes", "--from", "last-scan", "--settings", "--kind", "fixed"], ""));
    assert!(printed.contains(&format!("{fixed} fixed")) && printed.contains("kustomer.enabled: true -> false"), "{printed}");
    let file = stand.folder.path().join("changes.csv");
    let written = stand.json(&["--json", "changes", "--from", "last-scan", "--kind", "fixed", "--output", file.to_str().unwrap()], "");
    assert_eq!(written["findings"].as_u64().unwrap(), fixed);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count() as u64, fixed + 1);
    let scans = (&told["changes"]["instances"][0]["before"]["scan"], &told["changes"]["instances"][0]["after"]["scan"]);
    let between = stand.json(&["--json", "changes", "--from", scans.0.as_str().unwrap(), "--to", scans.1.as_str().unwrap()], "");
    assert_eq!(between["changes"]["counts"], told["changes"]["counts"]);

    for (arguments, code) in [
        (["changes", "--from", "yesterday"], "E-MOMENT"),
        (["changes", "--from", "2026-02-30"], "E-DAY"),
        (["changes", "--from", "99999"], "E-NOT-FOUND"),
        (["findings", "--at", "2999-01-01"], "E-DAY"),
    ] {
        assert_eq!(failure(&stand.posture(&[&["--json"], &arguments[..]].concat(), ""))["code"], code, "{arguments:?}");
    }
    let unknown = stand.json(&["--json", "findings", "--at", "2020-01-01"], "");
    assert!(unknown["open"].is_null() && unknown["score"].is_null() && unknown["total"] == 0, "{unknown}");
    let printed = text(&stand.posture(&["findings", "--at", "2020-01-01"], ""));
    assert!(printed.contains("Nothing is known of 2020-01-01"), "{printed}");
    let today = jiff::Zoned::now().date().to_string();
    let now = stand.json(&["--json", "findings", "--at", &today], "");
    assert_eq!(now["total"].as_u64().unwrap(), before["total"].as_u64().unwrap() - fixed);
    // Filters of the list: a control, an owner, an age.
    let none = stand.json(&["--json", "findings", "--framework", "nist_800_53/XX-99"], "");
    assert_eq!(none["total"], 0);
    assert_eq!(stand.json(&["--json", "findings", "--older-than", "1"], "")["total"], 0);
    assert_eq!(stand.json(&["--json", "findings", "--found-within", "1"], "")["total"], now["total"]);
}
