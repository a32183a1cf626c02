//! Every command of `posture` as somebody in a terminal uses it: the real program, a simulated vendor over real HTTPS.
use crate::stand;

use sandbox::OverlayChange;
use serde_json::{Value, json};
use stand::{PASSPHRASE, Stand, command_in, command_within, failure, run};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The program without a home, a session bus or anything else of a user.
fn bare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_posture")).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn applications_are_listed_without_home_keychain_or_database() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let listed = text(&bare(&["--data-folder", data.to_str().unwrap(), "apps"]));
    assert!(listed.lines().next().unwrap().starts_with("APPLICATION"), "{listed}");
    assert!(listed.contains("kustomer") && listed.contains("github-enterprise"), "{listed}");
    assert!(!data.exists(), "nothing was made");
    let tiles: Value = serde_json::from_str(&text(&bare(&["--json", "--data-folder", data.to_str().unwrap(), "apps"]))).unwrap();
    let kustomer = tiles.as_array().unwrap().iter().find(|tile| tile["slug"] == "kustomer").unwrap();
    assert_eq!(kustomer["verified"], "contract");
    assert!(kustomer["checks"].as_u64().unwrap() >= 16);
}

#[test]
fn the_catalog_is_printed_as_other_tools_read_it() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["--json", "--data-folder", data.path().to_str().unwrap(), "catalog"];
    let catalog: Value = serde_json::from_str(&text(&bare(&arguments))).unwrap();
    let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<&str>>();
    assert_eq!(members(&catalog), set(&["schema", "apps"]));
    assert_eq!(catalog["schema"], 1);
    let mut counted = [0; 5];
    for app in catalog["apps"].as_array().unwrap() {
        assert_eq!(
            members(app),
            set(&[
                "slug",
                "name",
                "category",
                "features",
                "verified",
                "availability",
                "planned",
                "ended",
                "logins",
                "datasets",
                "views",
                "checks",
                "left_out",
                "counts"
            ])
        );
        assert!(["contract", "recorded", "facts", "manual"].contains(&app["verified"].as_str().unwrap()));
        for login in app["logins"].as_array().unwrap() {
            assert_eq!(members(login), set(&["id", "label", "strategy", "hosts", "fields"]));
            for field in login["fields"].as_array().unwrap() {
                assert_eq!(members(field), set(&["id", "label", "secret", "format", "choices"]));
                counted[0] += 1;
            }
        }
        for dataset in app["datasets"].as_array().unwrap() {
            let names = [
                "id",
                "kind",
                "host",
                "method",
                "path",
                "query",
                "document",
                "pagination",
                "keep",
                "key",
                "needs",
                "plan",
                "probe",
                "on_empty",
            ];
            assert_eq!(members(dataset), set(&names));
            assert!(dataset["path"].as_str().unwrap().starts_with('/'));
            assert!(dataset["keep"].as_object().unwrap().values().all(Value::is_string));
            counted[1] += 1;
        }
        for view in app["views"].as_array().unwrap() {
            assert!(members(view).is_superset(&set(&["id", "from", "joins"])));
            counted[2] += 1;
        }
        let by_id = |id: &Value| app["datasets"].as_array().unwrap().iter().find(|dataset| dataset["id"] == *id);
        for check in app["checks"].as_array().unwrap() {
            let names =
                ["id", "title", "severity", "feature", "kind", "on", "when", "pass", "reads", "params", "sscf", "frameworks", "source"];
            assert_eq!(members(check), set(&names));
            // Where a check reads a dataset, its paths are those that are kept, from the answer's root.
            if let Some(dataset) = by_id(&check["on"]) {
                for path in check["reads"].as_array().unwrap() {
                    let path = path.as_str().unwrap();
                    let kept =
                        dataset["keep"].as_object().unwrap().keys().any(|kept| kept.starts_with(path) || path.starts_with(kept.as_str()));
                    assert!(kept, "{} reads {path}, which {} does not keep", check["id"], dataset["id"]);
                    counted[3] += 1;
                }
            }
            counted[4] += 1;
        }
    }
    assert!(counted.iter().all(|count| *count > 0), "{counted:?}");
    let one: Value = serde_json::from_str(&text(&bare(&[&arguments[..], &["kustomer"]].concat()))).unwrap();
    assert_eq!(one["apps"].as_array().unwrap().len(), 1);
    let counts = &one["apps"][0]["counts"];
    assert_eq!(
        counts["automatic"].as_u64().unwrap() + counts["manual"].as_u64().unwrap(),
        one["apps"][0]["checks"].as_array().unwrap().len() as u64
    );
}

#[test]
fn completions_man_page_help_and_version_need_nothing() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(text(&bare(&["completions", shell])).contains("posture"), "{shell}");
    }
    let bash = text(&bare(&["completions", "bash"]));
    // It is longer than one argument may be.
    let mut check = Command::new("bash");
    check.arg("-n").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let checked = run(check, &bash);
    assert!(checked.status.success(), "{}", errors(&checked));
    let man = text(&bare(&["man"]));
    assert!(man.contains(".TH posture 1"), "{man}");
    assert!(man.contains("Exit codes"), "{man}");
    assert_eq!(text(&bare(&["--version"])).trim(), concat!("posture ", env!("CARGO_PKG_VERSION")));
    let help = text(&bare(&["--help"]));
    let commands = [
        "apps",
        "catalog",
        "init",
        "instance",
        "scan",
        "findings",
        "export",
        "accounts",
        "plugins",
        "thresholds",
        "requests",
        "schema",
        "decide",
        "sandbox",
        "completions",
    ];
    for command in commands {
        assert!(help.contains(command), "{command}");
        let own = text(&bare(&[command, "--help"]));
        assert!(own.contains("--json"), "{command} --help");
    }
    for command in
        ["apps", "catalog", "init", "scan", "findings", "export", "accounts", "plugins", "thresholds", "requests", "schema", "completions"]
    {
        let own = text(&bare(&[command, "--help"]));
        assert!(own.contains("Example"), "{command} --help has an example");
    }
}

#[test]
fn wrong_usage_ends_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    for arguments in [
        &["--data-folder", data][..],
        &["--data-folder", data, "conquer"],
        &["--data-folder", data, "scan"],
        &["--data-folder", data, "scan", "--all", "Halden Moor"],
        &["--data-folder", data, "findings", "--severity", "terrible"],
        &["--data-folder", data, "findings", "--limit", "0"],
        &["--data-folder", data, "findings", "--limit", "501"],
        &["--data-folder", data, "scan", "--all", "--fail-on", "bad"],
        &["--data-folder", data, "export"],
        &["--data-folder", data, "instance", "add", "kustomer"],
        &["--data-folder", data, "sandbox", "scan", "--tenant", "nobody"],
    ] {
        let output = bare(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", errors(&output));
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?} says why on standard error");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_road_of_an_instance() {
    let stand = Stand::kustomer("risky").await;
    // Before there is a database.
    let output = stand.posture(&["findings"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("[E-NOT-STARTED]") && errors(&output).contains("posture init"), "{}", errors(&output));

    let shown = text(&stand.posture(&["init", "--protection", "passphrase"], ""));
    let recovery =
        shown.lines().map(str::trim).find(|line| line.matches('-').count() >= 5).unwrap_or_else(|| panic!("a recovery key: {shown}"));
    assert!(!recovery.is_empty());
    let again = stand.posture(&["init", "--protection", "passphrase"], "");
    assert_eq!(again.status.code(), Some(2), "a second database is not made");
    assert_eq!(text(&stand.posture(&["instance", "list"], "")).lines().count(), 1);
    // The recovery key protects it anew; another one does not.
    let recover = ["--json", "recover", "--protection", "passphrase", "--secret-stdin"];
    let wrong = stand.posture(&recover, "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA\n");
    assert_eq!(wrong.status.code(), Some(1), "{}", errors(&wrong));
    assert_eq!(stand.json(&recover, &format!("{recovery}\n"))["state"]["kind"], "ready");

    // Onboarding, with a threshold of its own.
    let mut arguments = stand.add_arguments();
    arguments.remove(0);
    arguments.extend(
        ["--label", "Production", "--owner", "Ada", "--answer", "kustomer.users.external_domain.domains=haldenmoor.example"]
            .map(str::to_owned),
    );
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let added = stand.posture(&arguments, &format!("{}\n", stand.key));
    assert!(text(&added).starts_with("Halden Moor is connected: "), "{}", text(&added));
    let steps = errors(&added);
    for step in ["format", "host", "sign_in", "permissions", "scan", "judge"] {
        assert!(steps.contains(&format!("  {step} done")), "{step}: {steps}");
    }

    let list = stand.json(&["--json", "instance", "list"], "");
    assert_eq!(list.as_array().unwrap().len(), 1);
    let instance = &list[0];
    assert_eq!(
        [&instance["app"], &instance["name"], &instance["label"], &instance["owner"]],
        ["kustomer", "Halden Moor", "Production", "Ada"]
    );
    assert_eq!(instance["sandbox"], false);
    let id = instance["id"].as_str().unwrap();
    let table = text(&stand.posture(&["instance", "list"], ""));
    assert!(table.starts_with("APPLICATION") && table.contains("Halden Moor") && table.contains(id), "{table}");

    // By name and by id.
    for name in ["Halden Moor", id] {
        let page = stand.json(&["--json", "instance", "show", name], "");
        assert_eq!(page["hosts"], json!(["api.prod2.kustomerapp.com", "halden-moor.api.kustomerapp.com"]));
        assert_eq!(page["secrets"][0]["field"], "api_key");
        assert_eq!(page["scans"][0]["state"], "complete");
    }
    assert!(text(&stand.posture(&["instance", "show", id], "")).contains("api.kustomerapp.com"));
    let tested = stand.json(&["--json", "instance", "test", "Halden Moor"], "");
    assert!(tested.as_array().unwrap().iter().any(|dataset| dataset["id"] == "users" && dataset["state"] == "complete"), "{tested}");
    assert!(text(&stand.posture(&["instance", "test", "Halden Moor"], "")).starts_with("DATASET"));

    // Findings: listed, filtered, shown whole.
    let all = stand.json(&["--json", "findings", "--limit", "500"], "");
    let total = all["total"].as_u64().unwrap();
    assert!(total > 20, "{total}");
    let critical_and_high = all["counts"]["critical"].as_u64().unwrap() + all["counts"]["high"].as_u64().unwrap();
    let filtered = stand.json(&["--json", "findings", "--severity", "critical,high"], "");
    assert_eq!(filtered["total"], critical_and_high);
    assert!(critical_and_high > 0 && critical_and_high < total);
    let page = stand.json(&["--json", "findings", "--limit", "3", "--offset", "2"], "");
    assert_eq!(page["rows"].as_array().unwrap()[..], all["rows"].as_array().unwrap()[2..5]);
    assert_eq!(stand.json(&["--json", "findings", "--app", "github-enterprise"], "")["total"], 0);
    assert_eq!(stand.json(&["--json", "findings", "--sandbox"], "")["total"], 0);
    assert_eq!(stand.json(&["--json", "findings", "--state", "fixed,gone"], "")["total"], 0);
    assert_eq!(stand.json(&["--json", "findings", "--text", "no finding says this"], "")["total"], 0);
    let finding = all["rows"][0]["id"].as_str().unwrap();
    let shown = stand.json(&["--json", "findings", "--show", finding], "");
    assert_eq!(shown["verdict"], "fail");
    assert!(!shown["steps"].as_array().unwrap().is_empty() && !shown["why"].as_str().unwrap().is_empty());
    assert!(!shown["evidence"][0]["fields"].as_array().unwrap().is_empty(), "{shown}");
    let told = text(&stand.posture(&["findings", "--show", finding], ""));
    for heading in ["recommended", "Why it matters", "Evidence", "How to fix it", "sha256"] {
        assert!(told.contains(heading), "{heading}: {told}");
    }
    assert!(text(&stand.posture(&["findings"], "")).contains(&format!("of {total} findings")));
    assert_eq!(failure(&stand.posture(&["--json", "findings", "--show", "nothing"], ""))["code"], "E-NOT-FOUND");

    // Exports: a file, standard output, both formats.
    let file = stand.folder.path().join("findings.csv");
    let said = stand.json(&["--json", "export", "--output", file.to_str().unwrap()], "");
    assert_eq!(said["findings"], total);
    let written = std::fs::read(&file).unwrap();
    let mut reader = csv::Reader::from_reader(written.strip_prefix(b"\xEF\xBB\xBF").expect("a mark that spreadsheets need"));
    assert_eq!(reader.records().map(Result::unwrap).count() as u64, total);
    let piped = stand.posture(&["export", "--format", "json", "--output", "-", "--severity", "critical,high"], "");
    let document: Value = serde_json::from_str(&text(&piped)).unwrap();
    assert_eq!(document["findings"].as_array().unwrap().len() as u64, critical_and_high);
    assert_eq!(stand.posture(&["export", "--output", "-"], "").stdout, written);
    let nowhere = stand.posture(&["--json", "export", "--output", "/nonexistent/findings.csv"], "");
    assert_eq!(failure(&nowhere)["code"], "E-EXPORT");

    // The request log knows host, method, path and status, and no query.
    let requests = stand.json(&["--json", "requests", "--instance", "Halden Moor", "--limit", "500"], "");
    assert!(requests["total"].as_u64().unwrap() > 20);
    for request in requests["rows"].as_array().unwrap() {
        assert_eq!((&request["host"], &request["method"]), (&json!("halden-moor.api.kustomerapp.com"), &json!("GET")));
        assert!(!request["path"].as_str().unwrap().contains('?'));
        assert_eq!(request["status"], 200);
    }
    assert!(text(&stand.posture(&["requests"], "")).contains("api.kustomerapp.com/v1/users"));

    // The shape of the answers, without a value of the tenant.
    let schema = stand.posture(&["schema", "Halden Moor"], "");
    let shapes: Value = serde_json::from_str(&text(&schema)).unwrap();
    assert_eq!(shapes["shapes"].as_array().unwrap().iter().find(|shape| shape["dataset"] == "users").unwrap()["failed"], Value::Null);
    for value in ["haldenmoor", "halden-moor", "65a1f0c2", "@", "2026-", "org.permission"] {
        assert!(!text(&schema).contains(value), "the shape holds {value}");
    }
    assert!(text(&schema).contains("attributes"));

    // A scan again: nothing new; exit codes by severity.
    let scanned = stand.json(&["--json", "scan", "Halden Moor"], "");
    assert_eq!([&scanned[0]["outcome"]["opened"], &scanned[0]["outcome"]["still_open"]], [&json!(0), &json!(total)]);
    for (severity, code) in [("critical", critical_code(&all)), ("info", 3)] {
        for command in [&["findings", "--fail-on", severity][..], &["scan", "--all", "--fail-on", severity]] {
            assert_eq!(stand.posture(command, "").status.code(), Some(code), "{command:?}");
        }
    }
    assert_eq!(
        stand.posture(&["findings", "--state", "fixed", "--fail-on", "info"], "").status.code(),
        Some(0),
        "what is fixed does not count"
    );

    // Deleting asks for the name.
    let refused = stand.posture(&["instance", "delete", "Halden Moor"], "Halden More\n");
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(stand.json(&["--json", "instance", "list"], "").as_array().unwrap().len(), 1);
    let deleted = stand.posture(&["instance", "delete", "Halden Moor"], "Halden Moor\n");
    assert!(text(&deleted).starts_with("Deleted: its key, "), "{}", text(&deleted));
    assert_eq!(stand.json(&["--json", "instance", "list"], ""), json!([]));
    assert_eq!(stand.json(&["--json", "findings"], "")["total"], 0);
    assert_eq!(std::fs::read_dir(stand.data().join("vault").join("instances")).unwrap().count(), 0, "the sealed file is gone");
    stand.add();
    assert!(stand.json(&["--json", "instance", "delete", "Halden Moor", "--yes"], "")["findings"].as_u64().unwrap() > 0);
}

fn critical_code(findings: &Value) -> i32 {
    if findings["counts"]["critical"].as_u64().unwrap() > 0 { 3 } else { 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_neither_as_argument_nor_from_the_environment() {
    let stand = Stand::kustomer("clean").await;
    stand.init();
    let mut arguments = stand.add_arguments();
    let secret = format!("api_key={}", stand.key);
    arguments.extend(["--set".to_owned(), secret]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = stand.posture(&arguments, &format!("{}\n", stand.key));
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("API Key is a secret: leave --set api_key out"), "{}", errors(&output));
    assert!(!errors(&output).contains(&stand.key), "it is not repeated");
    for flag in ["--secret", "--api-key", "--passphrase", "--key"] {
        let output = stand.posture(&["instance", "add", "kustomer", "--name", "x", flag, "value"], "");
        assert_eq!(output.status.code(), Some(2), "there is no {flag}");
    }
    // No variable is read in their place.
    let mut arguments = stand.add_arguments();
    arguments.retain(|argument| argument != "--secret-stdin");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = stand.command(&arguments);
    for name in ["API_KEY", "KUSTOMER_API_KEY", "POSTURE_API_KEY", "POSTURE_SECRET", "POSTURE_PASSPHRASE"] {
        command.env(name, &stand.key);
    }
    // Without a terminal of its own there is nobody to ask.
    let output = run(without_terminal(command), "");
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert_eq!(failure(&output)["code"], "E-SECRET-UNREADABLE");
    assert_eq!(stand.json(&["--json", "instance", "list"], ""), json!([]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_posture"));
    command
        .args(["--json", "--data-folder"])
        .arg(stand.data())
        .arg("findings")
        .env("POSTURE_PASSPHRASE", PASSPHRASE)
        .env("PASSPHRASE", PASSPHRASE);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = run(without_terminal(command), "");
    assert_eq!(failure(&output)["code"], "E-SECRET-UNREADABLE");
    // From the descriptor it is.
    assert_eq!(stand.json(&["--json", "findings"], "")["total"], 0);
}

/// The same program in a session without a terminal.
fn without_terminal(command: Command) -> Command {
    let mut alone = Command::new("setsid");
    alone.arg("--wait").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        alone.env(name, value.unwrap());
    }
    alone.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    alone
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_keeps_what_was_read_and_the_next_scan_goes_on() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let before = stand.json(&["--json", "findings", "--limit", "500"], "");
    let whole = stand.json(&["--json", "instance", "show", "Halden Moor"], "")["scans"][0]["requests"].as_u64().unwrap();
    // The last datasets do not answer until the interrupt came.
    stand.change(OverlayChange::Latency { tenant: stand.tenant(), answer: Some("spam-senders".into()), milliseconds: 600_000 });
    let mut scan = stand.command(&["-vv", "scan", "Halden Moor", "Halden Moor"]).spawn().unwrap();
    let mut lines = BufReader::new(scan.stderr.take().unwrap()).lines().map_while(Result::ok);
    let pages = lines.by_ref().filter(|line| line.contains("wrote a page")).take(6).count();
    assert_eq!(pages, 6);
    let interrupted = Instant::now();
    assert!(Command::new("kill").args(["-INT", &scan.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(scan.wait().unwrap().code(), Some(1));
    // Not how fast it stops, which differs from machine to machine: only that it does not wait for the answer, which would be
    // given up after a minute.
    assert!(interrupted.elapsed() < Duration::from_secs(45), "it waited for an answer that was not to come");
    let said = rest.join("\n");
    assert!(said.contains("stopping; what was read is kept to resume from") && said.contains("[E-CANCELLED]"), "{said}");
    assert!(said.contains("Stopped at your request."), "{said}");

    let page = stand.json(&["--json", "instance", "show", "Halden Moor"], "");
    assert_eq!(page["scans"][0]["state"], "cancelled");
    assert_eq!(page["scans"][1]["state"], "complete");
    assert_eq!(page["instance"]["resumable"], true);
    assert_eq!(stand.json(&["--json", "findings", "--limit", "500"], "")["rows"], before["rows"]);
    let made = page["scans"][0]["requests"].as_u64().unwrap();
    stand.change(OverlayChange::Clear { tenant: Some(stand.tenant()) });
    stand.json(&["--json", "scan", "Halden Moor"], "");
    let page = stand.json(&["--json", "instance", "show", "Halden Moor"], "");
    assert_eq!(page["scans"].as_array().unwrap().len(), 2, "it went on with the one that was stopped");
    assert_eq!(page["scans"][0]["state"], "complete");
    let more = page["scans"][0]["requests"].as_u64().unwrap() - made;
    assert!(more + 5 < whole, "{more} requests more, a whole scan makes {whole}");
    assert_eq!(stand.json(&["--json", "findings"], "")["total"], before["total"]);
}

#[test]
fn the_sandbox_is_scanned_in_a_folder_that_goes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let scan = |arguments: &[&str]| {
        let all = [&["--data-folder", data.to_str().unwrap(), "sandbox", "scan", "--app", "kustomer"], arguments].concat();
        Command::new(env!("CARGO_BIN_EXE_posture")).args(all).env("TMPDIR", folder.path()).output().unwrap()
    };
    let risky = scan(&["--tenant", "risky", "--json", "--fail-on", "high"]);
    assert_eq!(risky.status.code(), Some(3), "{}", errors(&risky));
    let said: Value = serde_json::from_slice(&risky.stdout).unwrap();
    assert_eq!(said["instances"][0]["sandbox"], true);
    let clean = scan(&["--tenant", "clean", "--fail-on", "info"]);
    assert!(text(&clean).contains("passed 100 %"), "{}", text(&clean));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_change_of_the_running_sandbox_shows_in_the_next_scan() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
    let data = folder.path().join("data");
    let posture = |arguments: &[&str]| run(command_in(folder.path(), &data, arguments), "");
    let answer = |arguments: &[&str]| -> Value { serde_json::from_str(&text(&posture(arguments))).unwrap() };
    text(&posture(&["init", "--protection", "passphrase"]));
    let nobody = posture(&["--json", "sandbox", "set", "kustomer/risky", "auth-settings", "data.attributes.saml.signRequests=true"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(failure(&nobody)["code"], "E-SANDBOX-NOT-RUNNING");

    let mut up = command_within(folder.path(), &data, "", &["sandbox", "up"]).spawn().unwrap();
    let mut said = BufReader::new(up.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.starts_with("The sandbox answers as an HTTPS proxy at 127.0.0.1:"), "{line}");
    text(&posture(&["sandbox", "add", "--app", "kustomer", "--tenant", "risky"]));
    let unsigned = |state: &str| {
        answer(&["--json", "findings", "--sandbox", "--check", "kustomer.auth.saml_sign_requests", "--state", state])["total"].clone()
    };
    assert_eq!((unsigned("open"), unsigned("fixed")), (1.into(), 0.into()));
    assert_eq!(
        text(&posture(&["sandbox", "set", "kustomer/risky", "auth-settings", "data.attributes.saml.signRequests=true"])),
        "Changed.\n"
    );
    let instance = answer(&["--json", "instance", "list", "--sandbox"])[0]["id"].as_str().unwrap().to_owned();
    text(&posture(&["scan", &instance]));
    assert_eq!((unsigned("open"), unsigned("fixed")), (0.into(), 1.into()));
    // As JSON any change can be written; what is not understood is told.
    text(&posture(&["sandbox", "set", "kustomer/risky", r#"{"change":"revoke","tenant":"kustomer/risky"}"#]));
    assert_eq!(failure(&posture(&["--json", "scan", &instance]))["code"], "E-KEY-REFUSED");
    assert_eq!(failure(&posture(&["--json", "sandbox", "set", "kustomer/risky", "{}"]))["code"], "E-SANDBOX-CHANGE");
    assert!(answer(&["--json", "sandbox", "remove"])["findings"].as_u64().unwrap() > 0);
    assert_eq!(answer(&["--json", "instance", "list", "--sandbox"]), json!([]));
    assert_eq!(posture(&["sandbox", "set", "kustomer/nobody", "users", "data=1"]).status.code(), Some(1));

    assert!(Command::new("kill").args(["-INT", &up.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(up.wait().unwrap().code(), Some(0), "an interrupt is how it ends well");
    assert!(!data.join("sandbox").join("sandbox.json").exists(), "its announcement is gone");
}
