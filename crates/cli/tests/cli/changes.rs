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
    // Told before the passphrase is asked for.
    assert_eq!(failure(&stand.posture(&["--json", "changes", "--from", "yesterday"], ""))["code"], "E-MOMENT");
    assert_eq!(failure(&stand.posture(&["--json", "changes", "--from", "99999"], ""))["code"], "E-NOT-FOUND");
    let printed = text(&stand.posture(&["findings", "--at", "2020-01-01"], ""));
    assert!(printed.contains("Nothing is known of 2020-01-01") && printed.contains("0 of 0 findings"), "{printed}");
    let today = jiff::Zoned::now().date().to_string();
    let now = stand.json(&["--json", "findings", "--at", &today], "");
    assert_eq!(now["total"].as_u64().unwrap(), before["total"].as_u64().unwrap() - fixed);
    // Filters of the list: a control and an age.
    assert_eq!(stand.json(&["--json", "findings", "--framework", "nist_800_53/XX-99"], "")["total"], 0);
    assert_eq!(stand.json(&["--json", "findings", "--found-within", "1", "--owner", "nobody"], "")["total"], 0);
}
