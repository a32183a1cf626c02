//! Schedules in the terminal, and two processes with one database.
use crate::stand::{Stand, failure};
use sandbox::OverlayChange;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_sees_a_scan_and_one_that_was_killed_is_gone_on_with() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    stand.change(OverlayChange::Latency { tenant: stand.tenant(), answer: Some("spam-senders".into()), milliseconds: 600_000 });
    let mut scan = stand.command(&["-vv", "scan", "Halden Moor"]).spawn().unwrap();
    let mut lines = BufReader::new(scan.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.by_ref().filter(|line| line.contains("wrote a page")).take(6).count(), 6);

    let row = |wanted: &dyn Fn(&Value) -> bool| {
        let began = Instant::now();
        loop {
            let row = stand.json(&["--json", "instance", "list"], "")[0].clone();
            if wanted(&row) {
                return row;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{row}");
        }
    };
    let seen = row(&|row| row["health"] == "scanning");
    assert!(seen["scanning"].as_f64().is_some_and(|share| (0.0..1.0).contains(&share)), "{seen}");
    let refused = stand.posture(&["--json", "scan", "Halden Moor"], "");
    assert_eq!((refused.status.code(), &failure(&refused)["code"]), (Some(1), &"E-SCAN-RUNNING".into()));

    scan.kill().unwrap();
    scan.wait().unwrap();
    stand.change(OverlayChange::Clear { tenant: Some(stand.tenant()) });
    // The lock went with its process, though its last word still stands.
    stand.json(&["--json", "scan", "Halden Moor"], "");
    let page = stand.json(&["--json", "instance", "show", "Halden Moor"], "");
    assert_eq!(page["scans"].as_array().unwrap().len(), 2, "it went on with the one that was killed");
    row(&|row| row["health"] != "scanning" && row["scanning"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_shown_set_and_kept() {
    let stand = Stand::kustomer("clean").await;
    stand.init();
    stand.add();
    let listed = stand.json(&["--json", "schedule"], "");
    assert_eq!(listed[0]["schedule"]["kind"], "default");
    assert!(listed[0]["next_scan"].is_string(), "{listed}");
    let nothing = stand.json(&["--json", "scan", "--due"], "");
    assert_eq!((&nothing["complete"], &nothing["failed"]), (&0.into(), &0.into()));

    let set = stand.json(&["--json", "schedule", "Halden Moor", "--set", "15 7 * * 1-5"], "");
    assert_eq!(set[0]["schedule"], serde_json::json!({ "kind": "cron", "pattern": "15 7 * * 1-5" }));
    let told = String::from_utf8(stand.posture(&["schedule", "Halden Moor"], "").stdout).unwrap();
    assert!(told.contains("07:15"), "{told}");
    let off = stand.json(&["--json", "schedule", "Halden Moor", "--set", "off"], "");
    assert_eq!((&off[0]["schedule"]["kind"], &off[0]["next_scan"]), (&"off".into(), &Value::Null));
    let wrong = stand.posture(&["--json", "schedule", "Halden Moor", "--set", "* * * * *"], "");
    assert_eq!((wrong.status.code(), &failure(&wrong)["code"]), (Some(1), &"E-SCHEDULE".into()));
    assert_eq!(stand.json(&["--json", "schedule", "Halden Moor"], "")[0]["schedule"]["kind"], "off", "nothing was changed");

    let acts = stand.json(&["--json", "activity"], "");
    let changes: Vec<(&Value, &Value)> = acts["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|act| act["what"] == "schedule changed")
        .map(|act| (&act["before"], &act["after"]))
        .collect();
    assert_eq!(changes, [(&"15 7 * * 1-5".into(), &"off".into()), (&"default".into(), &"15 7 * * 1-5".into())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_credential_is_shown_and_told_once() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let listed = stand.json(&["--json", "instance", "list"], "");
    let end = &listed[0]["credential"];
    assert_eq!((&end["by"], &end["soon"]), (&"vendor".into(), &true.into()), "{end}");
    let days = end["days_left"].as_u64().unwrap();
    assert!((29..=30).contains(&days), "{days}");
    let day = &end["at"].as_str().unwrap()[..10];
    let text = |arguments: &[&str]| String::from_utf8(stand.posture(arguments, "").stdout).unwrap();
    let told =
        format!("the credential ends on {day}, as Kustomer tells; {days} days are left. Reauthenticate the instance with a new one.");
    assert!(text(&["instance", "show", "Halden Moor"]).contains(&told));
    let list = text(&["instance", "list"]);
    assert!(list.contains("CREDENTIAL ENDS") && list.contains(day), "{list}");

    stand.json(&["--json", "schedule", "Halden Moor", "--set", "off"], "");
    let first = text(&["scan", "--due"]);
    assert!(first.contains(&format!("Kustomer, Halden Moor: {told}")), "{first}");
    let again = text(&["scan", "--due"]);
    assert!(!again.contains("ends on") && again.contains("0 completed"), "{again}");
    let acts = stand.json(&["--json", "activity"], "");
    let nearing = acts["rows"].as_array().unwrap().iter().filter(|act| act["what"] == "credential nears its end").count();
    assert_eq!(nearing, 1);
}
