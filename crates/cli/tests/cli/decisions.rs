//! Decisions in a terminal: the real program over what one scan of a simulated vendor left behind, with nobody left to ask.
use crate::stand;

use serde_json::Value;
use stand::{Stand, command_in, failure, run};
use std::process::Output;
use tempfile::TempDir;

const CHECK: &str = "kustomer.auth.password_login_disabled";
const ADMINS: &str = "kustomer.users.admin_count";

struct Offline(TempDir);

impl Offline {
    fn posture(&self, arguments: &[&str]) -> Output {
        run(command_in(self.0.path(), &self.0.path().join("data"), arguments), "")
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.posture(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[&["--json"], arguments].concat())).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.posture(&[&["--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        failure(&output)["code"].as_str().unwrap().to_owned()
    }
}

fn in_days(days: i64) -> String {
    let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    day.to_zoned(jiff::tz::TimeZone::system()).date().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_decision_is_made_listed_and_undone_without_a_vendor() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let Stand { vendor, folder, .. } = stand;
    drop(vendor);
    let desk = Offline(folder);
    let day = in_days(30);
    let id = desk.json(&["findings", "--check", CHECK])["rows"][0]["id"].as_str().unwrap().to_owned();

    let grounds = ["--until", &day, "--reason", "Mended in June.", "--approver", "Mei"];
    let dismissed = desk.json(&[&["decide", "dismiss", &id, "99999"][..], &grounds].concat());
    let decision = dismissed["decisions"][0].as_str().unwrap().to_owned();
    assert_eq!((&dismissed["until"], &dismissed["refused"][0]["code"]), (&Value::from(day.clone()), &"E-NOT-FOUND".into()));
    let listed = desk.json(&["findings", "--state", "dismissed"]);
    assert_eq!((&listed["total"], &listed["rows"][0]["id"], &listed["dismissed"]), (&1.into(), &id.clone().into(), &1.into()));
    let shown = desk.text(&["findings", "--show", &id]);
    assert!(shown.contains(&format!("Dismissed until {day}")) && shown.lines().next().unwrap().ends_with(" fail"), "{shown}");
    assert_eq!(desk.refused(&["decide", "dismiss", &id, "--until", &in_days(400), "--reason", "Mended in June."]), "E-UNTIL");
    assert_eq!(desk.json(&["decide", "undo", &decision])["ended_why"], "undone");
    assert_eq!(desk.refused(&["decide", "undo", &decision]), "E-DECISION-ENDED");

    assert_eq!(desk.refused(&["decide", "override", "Halden Moor", ADMINS, "max=0", "--reason", "Policy."]), "E-PARAM");
    let overridden = desk.text(&["decide", "override", "Halden Moor", ADMINS, "max=100", "--reason", "Policy."]);
    assert!(overridden.starts_with("Overridden: ") && overridden.contains("(max 100)"), "{overridden}");
    assert_eq!(desk.json(&["findings", "--check", ADMINS, "--state", "fixed"])["total"], 1);
    assert!(desk.text(&["decide", "lock", "Halden Moor", CHECK, "--row", ""]).starts_with("Locked: "));
    let attested = ["--until", &day, "--reason", "Watched at the identity provider."];
    desk.text(&[&["decide", "unmonitor", "Halden Moor", CHECK][..], &attested].concat());
    let account = desk.json(&["accounts", "Halden Moor"])["rows"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.refused(&["decide", "ignore", "Halden Moor", &account, "--days", "90"]), "E-IGNORE-DAYS");
    desk.text(&["decide", "ignore", "Halden Moor", &account, "--days", "30"]);

    let rows = desk.json(&["decide", "list", "--instance", "Halden Moor"])["rows"].clone();
    let kinds: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ignore", "unmonitor", "lock", "override"]);
    let ended = desk.text(&["decide", "list", "--ended"]);
    assert!(ended.contains("undone") && ended.ends_with("1 of 1 decisions\n"), "{ended}");
}
