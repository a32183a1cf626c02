//! Killed without warning at any point of a scan, nothing that was there before is lost or changed, the cut scan is marked, and
//! the next one goes on from where it was cut and comes to what an undisturbed scan comes to.
use crate::stand;

use sandbox::OverlayChange;
use serde_json::{Value, json};
use stand::{PASSPHRASE, Promise, Stand, command_in, run};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    sync::Mutex,
    time::Duration,
};

/// The points, and the line of the log that comes last before each.
const POINTS: [(&str, &str); 5] = [
    ("sign-in", "signing in"),
    ("evidence write", "writing a page"),
    ("page", "wrote a page"),
    ("evaluation", "judging"),
    ("commit", "committing"),
];
/// The longest delay after the line, in microseconds. A page is written sooner than that, so its own is shorter.
const DELAY: u64 = 3000;
/// The same for the write of a page.
const DELAY_OF_WRITE: u64 = 600;
/// How often each is hit.
const HITS: usize = 10;
/// Kills that may miss their point: the random delay may lead past it.
const MISSES: usize = 40;
/// Scans spend most of their time waiting for their turn, so several go on at once.
const WORKERS: usize = 4;

/// What a data folder says of its instance.
#[derive(Debug, Clone, PartialEq)]
struct State {
    findings: Vec<[String; 3]>,
    verdicts: Vec<Value>,
    complete: Vec<Value>,
    last_scan: Value,
}

/// A scan: how it ended, and the requests it made.
type Standing = (String, u64);

fn asked(folder: &Path, data: &Path, arguments: &[&str]) -> Value {
    let output = run(command_in(folder, data, arguments), "");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The state, every scan, newest first, and whether there is one to go on with.
fn state(folder: &Path, data: &Path) -> (State, Vec<Standing>, bool) {
    let list = asked(folder, data, &["--json", "findings", "--state", "open,fixed,gone", "--limit", "500"]);
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let mut findings: Vec<[String; 3]> =
        list["rows"].as_array().unwrap().iter().map(|row| [text(row, "check"), text(row, "resource"), text(row, "state")]).collect();
    assert_eq!(list["total"], findings.len(), "all of them are listed");
    findings.sort();
    let page = asked(folder, data, &["--json", "instance", "show", "Halden Moor"]);
    let verdicts = page["checks"].as_array().unwrap().iter().map(|check| json!([check["id"], check["verdict"], check["counts"]])).collect();
    let scans = page["scans"].as_array().unwrap();
    let complete = scans.iter().filter(|scan| scan["state"] == "complete").cloned().collect();
    let standing = scans.iter().map(|scan| (text(scan, "state"), scan["requests"].as_u64().unwrap())).collect();
    (
        State { findings, verdicts, complete, last_scan: page["instance"]["last_scan"].clone() },
        standing,
        page["instance"]["resumable"] == true,
    )
}

fn copy(from: &Path, to: &Path) {
    assert!(std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// One that is killed when `line` comes for the `turn`-th time, a moment later. Gives the last of the points' lines it wrote.
fn killed_scan(folder: &Path, data: &Path, line: &str, turn: usize, delay: Duration) -> &'static str {
    let mut scan = command_in(folder, data, &["-vv", "--json", "scan", "Halden Moor"]).spawn().unwrap();
    let mut lines = BufReader::new(scan.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut last = "nothing";
    let point = |line: &str| POINTS.iter().find(|(_, said)| line.contains(said)).map(|(point, _)| *point);
    let mut seen = 0;
    for read in lines.by_ref() {
        last = point(&read).unwrap_or(last);
        seen += usize::from(read.contains(line));
        if seen == turn {
            std::thread::sleep(delay);
            break;
        }
    }
    scan.kill().unwrap();
    for read in lines {
        last = if read.contains(" committed ") { "done" } else { point(&read).unwrap_or(last) };
    }
    scan.wait().unwrap();
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_the_last_complete_scan_is_whole_and_the_cut_one_resumes() {
    // More users than a page holds, so that lists are cut in their middle too.
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let folder = stand.folder.path();
    let (before, scans, _) = state(folder, &stand.data());
    assert_eq!(scans.len(), 1);
    assert!(before.findings.len() > 20);

    // The tenant changes after its first scan: what a later scan finds is another thing than what is there.
    stand.change(OverlayChange::Set {
        tenant: stand.tenant(),
        answer: "auth-settings".into(),
        field: "data.attributes.saml.signRequests".into(),
        value: json!(true),
    });
    let undisturbed = folder.join("undisturbed");
    copy(&stand.data(), &undisturbed);
    asked(folder, &undisturbed, &["--json", "scan", "Halden Moor"]);
    let (after, scans, _) = state(folder, &undisturbed);
    let whole = scans[0].1;
    assert_ne!(after.findings, before.findings, "the change shows");
    assert!(whole > 10, "{whole} requests");

    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let hits: Mutex<BTreeMap<&str, usize>> = Mutex::new(POINTS.map(|(point, _)| (point, 0)).into());
    let cases = Mutex::new((0_usize, fastrand::Rng::with_seed(seed)));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let (number, point, line, turn, delay) = {
                        let mut cases = cases.lock().unwrap();
                        let hits = hits.lock().unwrap();
                        let Some((point, line)) =
                            POINTS.into_iter().filter(|(point, _)| hits[point] < HITS).min_by_key(|(point, _)| hits[point])
                        else {
                            return;
                        };
                        cases.0 += 1;
                        assert!(cases.0 <= POINTS.len() * HITS + MISSES, "the points were not hit often enough: {hits:?}");
                        let turn = if line.contains("a page") { cases.1.usize(1..=12) } else { 1 };
                        let longest = if point == "evidence write" { DELAY_OF_WRITE } else { DELAY };
                        (cases.0, point, line, turn, Duration::from_micros(cases.1.u64(0..longest)))
                    };
                    let data = folder.join(format!("case-{number}"));
                    copy(&stand.data(), &data);
                    let last = killed_scan(folder, &data, line, turn, delay);
                    let what = format!("case {number}: meant for {point} {turn}, {delay:?} later, last seen {last}");
                    println!("{what}");
                    survived(folder, &data, &before, &after, whole, last, &what);
                    if let Some(count) = hits.lock().unwrap().get_mut(last) {
                        *count += 1;
                    }
                    std::fs::remove_dir_all(&data).unwrap();
                }
            });
        }
    });
    let hits = hits.into_inner().unwrap();
    assert!(hits.values().all(|count| *count >= HITS), "{hits:?}");
    println!("{hits:?}");
    let mut promise = Promise::begin("kill-9");
    for _ in 0..hits.values().sum() {
        promise.holds();
    }
    assert_eq!(std::fs::read_to_string(folder.join("passphrase")).unwrap(), PASSPHRASE);
}

/// What holds after a kill: the last complete scan, the mark of the cut one, and that the next one completes it.
fn survived(folder: &Path, data: &Path, before: &State, after: &State, whole: u64, last: &str, what: &str) {
    let (found, scans, resumable) = state(folder, data);
    // Killed while it committed, it may have come to its end before the kill did; then it is there whole.
    let committed = scans[0].0 == "complete" && scans.len() == 2;
    if committed {
        assert!(matches!(last, "commit" | "done"), "{what}: complete too early");
        same(&found, after, what);
        return;
    }
    assert_eq!(&found, before, "{what}: the last complete scan is as it was");
    let of_cut = match scans.as_slice() {
        [(state, requests), (first, _)] => {
            assert_eq!((state.as_str(), first.as_str()), ("cut", "complete"), "{what}");
            *requests
        }
        // Killed before there was anything of it.
        _ => panic!("{what}: {scans:?}"),
    };
    assert!(resumable || matches!(last, "nothing" | "sign-in" | "evidence write"), "{what}: what was written can be gone on from");
    asked(folder, data, &["--json", "scan", "Halden Moor"]);
    let (found, scans, left) = state(folder, data);
    same(&found, after, what);
    assert!(!left, "{what}: nothing is left to go on from");
    let states: Vec<&str> = scans.iter().map(|(state, _)| state.as_str()).collect();
    if !resumable {
        // Nothing was read before the kill, so there was nothing to go on from.
        assert_eq!((states.as_slice(), scans[0].1), (&["complete", "cut", "complete"][..], whole), "{what}");
        return;
    }
    assert_eq!(states, ["complete", "complete"], "{what}: the cut scan itself was completed");
    let more = scans[0].1 - of_cut;
    assert!(more < whole, "{what}: {more} more requests, a whole scan makes {whole}");
    // Four at most were under way when it was cut: those are made again.
    assert!(scans[0].1 <= whole + 4, "{what}: {} requests in all, a whole scan makes {whole}", scans[0].1);
    if matches!(last, "evaluation" | "commit") {
        assert_eq!(more, 0, "{what}: everything was read already");
    }
}

/// The same findings and verdicts; only the scans' times differ.
fn same(found: &State, wanted: &State, what: &str) {
    assert_eq!(found.findings, wanted.findings, "{what}");
    assert_eq!(found.verdicts, wanted.verdicts, "{what}");
}
