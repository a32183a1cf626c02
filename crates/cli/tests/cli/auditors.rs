//! What an auditor is given from a terminal: `posture export` in every format, `rules` and `compliance`.
use crate::stand;

use serde_json::Value;
use stand::Stand;

fn text(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_rules_and_frameworks_are_told_and_written() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let total = stand.json(&["--json", "findings"], "")["total"].as_u64().unwrap() as usize;
    assert!(total > 5, "{total}");
    let export = |arguments: &[&str]| text(&stand.posture(&[&["export", "--output", "-"], arguments].concat(), ""));

    let events: Value = serde_json::from_str(&export(&["--format", "ocsf"])).unwrap();
    assert_eq!((events.as_array().unwrap().len(), &events[0]["metadata"]["version"]), (total, &"1.5.0".into()));
    let lines = export(&["--format", "ocsf", "--ocsf-version", "1.8.0", "--lines"]);
    assert_eq!((lines.lines().count(), lines.matches("\"version\":\"1.8.0\"").count()), (total, total));
    let results: Value = serde_json::from_str(&export(&["--format", "oscal"])).unwrap();
    assert_eq!(results["assessment-results"]["results"][0]["observations"].as_array().unwrap().len(), total);
    let path = stand.folder.path().join("findings.html");
    let said = text(&stand.posture(&["export", "--format", "html", "--output", path.to_str().unwrap()], ""));
    assert_eq!(said.trim(), format!("{total} findings written to {}", path.display()));
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.matches("<article ").count() == total && !page.contains("class=\"sandbox\"") && !page.contains(&stand.key));
    let refused = stand.posture(&["export", "--output", "-", "--format", "csv", "--lines"], "");
    assert_eq!(refused.status.code(), Some(2));

    let rules = stand.json(&["--json", "rules"], "");
    assert_eq!((rules["rows"].as_array().unwrap().len(), &rules["sandbox"], &rules["instances"]), (36, &false.into(), &1.into()));
    let failed =
        rules["rows"].as_array().unwrap().iter().find(|rule| rule["status"] == "failed").unwrap()["id"].as_str().unwrap().to_owned();
    let printed = text(&stand.posture(&["rules"], ""));
    assert!(printed.contains("NOT EVALUATED") && printed.contains(&failed) && printed.contains("not covered"), "{printed}");
    let one = text(&stand.posture(&["rules", &failed], ""));
    assert!(one.contains("kustomer.") && one.contains("Halden Moor") && one.contains(" open, as of "), "{one}");
    assert_eq!(text(&stand.posture(&["rules", "--sandbox"], "")).lines().last().unwrap(), "0 instances [sandbox]");
    let unknown = stand.posture(&["--json", "rules", "IAM-SaaS-99"], "");
    assert!(unknown.status.code() == Some(1) && String::from_utf8_lossy(&unknown.stderr).contains("E-NOT-FOUND"));

    let printed = text(&stand.posture(&["compliance"], ""));
    assert!(printed.contains("of 1007 controls and enhancements are touched by checks; the other"), "{printed}");
    let soc2 = stand.json(&["--json", "compliance", "soc2"], "");
    assert_eq!(soc2["controls"].as_array().unwrap().len(), 61);
    let control = text(&stand.posture(&["compliance", "soc2", "CC6.1"], ""));
    assert!(control.starts_with("SOC 2 CC6.1") && control.contains("kustomer.auth."), "{control}");
    let table = text(&stand.posture(&["compliance", "soc2", "--csv", "-"], ""));
    assert_eq!(table.lines().count(), 62);
    let path = stand.folder.path().join("nist.html");
    let written = stand.json(&["--json", "compliance", "nist_800_53", "--html", path.to_str().unwrap()], "");
    assert_eq!((&written["controls"], path.exists()), (&1007.into(), true));
    for (arguments, code) in [
        (&["compliance", "soc3"][..], 1),
        (&["compliance", "--csv", "x.csv"], 2),
        (&["compliance", "soc2", "CC6.1", "--csv", "x.csv"], 2),
        (&["--json", "compliance", "soc2", "--csv", "-"], 2),
    ] {
        assert_eq!(stand.posture(arguments, "").status.code(), Some(code), "{arguments:?}");
    }
}
