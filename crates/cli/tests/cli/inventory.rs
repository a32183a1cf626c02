//! `posture accounts`, `plugins` and `thresholds` as somebody in a terminal uses them.
use crate::stand;

use serde_json::Value;
use stand::Stand;

fn text(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_plugins_are_listed_shown_exported_and_judged_by_thresholds() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let name = "Halden Moor";
    let list = stand.json(&["--json", "accounts", name], "");
    let rows = list["rows"].as_array().unwrap();
    assert_eq!(list["head"]["all"], rows.len());
    assert!(!rows.is_empty() && list["head"]["declared"] == true, "{list}");
    let printed = text(&stand.posture(&["accounts", name], ""));
    assert!(printed.contains("does not tell") && printed.contains("not read") && printed.contains("No MFA (no_mfa)"), "{printed}");
    let one = stand.json(&["--json", "accounts", name, "--show", rows[0]["id"].as_str().unwrap()], "");
    assert_eq!(one["account"]["id"], rows[0]["id"]);
    assert!(!one["evidence"].as_array().unwrap().is_empty());
    let shown = text(&stand.posture(&["accounts", name, "--show", rows[0]["id"].as_str().unwrap()], ""));
    assert!(shown.contains("Evidence") && shown.contains("sha256"), "{shown}");

    let webhooks = stand.json(&["--json", "plugins", name, "--kind", "webhook"], "");
    assert!(webhooks["rows"].as_array().unwrap().iter().all(|row| row["kind"]["value"] == "webhook"), "{webhooks}");
    let piped = text(&stand.posture(&["plugins", name, "--output", "-", "--format", "json"], ""));
    let document: Value = serde_json::from_str(&piped).unwrap();
    assert_eq!(document["plugins"].as_array().unwrap().len() as u64, webhooks["head"]["all"].as_u64().unwrap());
    let refused = stand.posture(&["--json", "plugins", name, "--risk", "no_mfa"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("E-FILTER"));

    // Of all instances: there is one.
    let everywhere = stand.json(&["--json", "accounts", "--everywhere"], "");
    assert_eq!(everywhere["total"], list["head"]["all"]);
    let identities = stand.json(&["--json", "identities", "list"], "");
    assert!(identities["all"].as_u64().unwrap() > 0 && identities["all"].as_u64() <= everywhere["total"].as_u64());
    let (first, second) = (&everywhere["rows"][0], &everywhere["rows"][1]);
    let (key, account) = (first["identity"].as_str().unwrap(), second["account"]["id"].as_str().unwrap());
    stand.json(&["--json", "identities", "set", name, account, "--as", key], "");
    let together = stand.json(&["--json", "accounts", "--everywhere", "--identity", key], "");
    assert!(together["rows"].as_array().unwrap().iter().any(|row| row["corrected"] == true), "{together}");
    let plugin = webhooks["rows"][0]["id"].as_str().unwrap();
    assert!(text(&stand.posture(&["review", name, plugin], "")).contains("Reviewed"));
    let reviewed = stand.json(&["--json", "plugins", "--everywhere", "--reviewed"], "");
    assert_eq!((&reviewed["total"], &reviewed["rows"][0]["plugin"]["id"]), (&1.into(), &plugin.into()));
    assert!(text(&stand.posture(&["plugins", "--everywhere", "--not-reviewed"], "")).contains(" plugins, "));
    assert_eq!(stand.posture(&["plugins"], "").status.code(), Some(2), "an instance, or everywhere");

    let set = stand.json(&["--json", "thresholds", name, "--unused-days", "1"], "");
    assert_eq!((&set["unused_days"], &set["dormant_days"]), (&1.into(), &90.into()));
    let refused = stand.posture(&["--json", "thresholds", name, "--unused-days", "0"], "");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("E-THRESHOLD"));
    assert!(text(&stand.posture(&["thresholds", name], "")).contains("unused after       1 days"));
}
