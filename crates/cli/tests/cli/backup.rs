//! Backing up and restoring in a terminal: the real program, asked, answered, killed, and on a disk that is full.
use crate::stand;

use serde_json::Value;
use stand::{Stand, command_in, failure, files, run, script_in_namespace};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    process::Output,
    time::Duration,
};

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Names and scans of the instances in a data folder, simulated ones too; asking must succeed.
fn instances(folder: &Path, data: &Path) -> Vec<(String, Value)> {
    let output = run(command_in(folder, data, &["--json", "instance", "list", "--sandbox"]), "");
    let list: Value = serde_json::from_str(&said(&output)).unwrap();
    list.as_array().unwrap().iter().map(|row| (row["name"].as_str().unwrap().to_owned(), row["last_scan"].clone())).collect()
}

/// What lies in a data folder, by the beginnings of names that are not fixed.
fn lying(data: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| if name.starts_with("replaced-") { "replaced-".to_owned() } else { name }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_written_and_restored_when_the_word_is_typed() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let (folder, data) = (stand.folder.path(), stand.data());
    let before = instances(folder, &data);
    let findings = stand.json(&["--json", "findings", "--limit", "500"], "");
    let file = folder.join("posture.tar");
    let path = file.to_str().unwrap();

    let written = stand.json(&["--json", "backup", "--output", path], "");
    assert_eq!(
        (written["path"].as_str().unwrap(), written["bytes"].as_f64().unwrap()),
        (path, std::fs::metadata(&file).unwrap().len() as f64)
    );
    let text = said(&stand.posture(&["backup", "--output", path], ""));
    assert!(text.contains(path) && text.contains("passphrase"), "{text}");
    assert!(!String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains(&stand.key[..40]));

    let archive = folder.join("archive.json");
    said(&stand.posture(&["instance", "delete", "Halden Moor", "--archive", archive.to_str().unwrap(), "--yes"], ""));
    let kept: Value = serde_json::from_slice(&std::fs::read(&archive).unwrap()).unwrap();
    assert_eq!(kept["findings"]["findings"].as_array().unwrap().len() as u64, findings["total"].as_u64().unwrap());
    assert_eq!(instances(folder, &data), []);
    let refused = stand.posture(&["--json", "instance", "delete", "Halden Moor", "--archive", path, "--yes"], "");
    assert_eq!(failure(&refused)["code"], "E-NOT-FOUND");
    for typed in ["", "yes\n", "RESTORE\n"] {
        let refused = stand.posture(&["restore", path], typed);
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing was changed"), "{refused:?}");
        assert_eq!(instances(folder, &data), []);
    }
    let text = said(&stand.posture(&["restore", path], "restore\n"));
    assert!(text.contains("passphrase"), "{text}");
    assert_eq!(instances(folder, &data), before);
    assert_eq!(stand.json(&["--json", "findings", "--limit", "500"], ""), findings);
    stand.json(&["--json", "scan", "Halden Moor"], "");
    assert!(lying(&data).contains("replaced-"));
    let acts = stand.json(&["--json", "activity"], "");
    assert!(acts["rows"].as_array().unwrap().iter().any(|act| act["what"] == "data restored"), "{acts}");

    // On a computer where nothing is stored yet.
    let elsewhere = folder.join("elsewhere");
    let start: Value =
        serde_json::from_str(&said(&run(command_in(folder, &elsewhere, &["--json", "restore", path, "--yes"]), ""))).unwrap();
    assert_eq!(start["state"]["kind"], "locked");
    assert_eq!(instances(folder, &elsewhere), before);
    assert!(!lying(&elsewhere).contains("replaced-"), "there was nothing before");

    // Erased only when the words are typed, and without the passphrase that was forgotten.
    for typed in ["", "erase\n"] {
        let refused = run(command_in(folder, &elsewhere, &["erase"]), typed);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    let text = said(&run(command_in(folder, &elsewhere, &["erase"]), "erase everything\n"));
    assert!(text.contains("Erased") && !elsewhere.exists(), "{text}");

    // What is no backup is told as everything is.
    std::fs::write(&file, "a letter").unwrap();
    let refused = stand.posture(&["--json", "restore", path, "--yes"], "");
    assert_eq!((refused.status.code(), failure(&refused)["code"].as_str()), (Some(1), Some("E-BACKUP-FORMAT")));
    assert_eq!(stand.posture(&["backup"], "").status.code(), Some(2), "the file is asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_no_piece_of_a_backup_and_the_old_one_whole() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let before = files(&stand.data());
    // A disk that takes the beginning of a backup only, with an older one on it.
    let script = "mkdir \"$DATA.disk\"; mount -t tmpfs -o size=96k tmpfs \"$DATA.disk\"; echo old > \"$DATA.disk/posture.tar\"; \
                  set +e; \"$@\" --output \"$DATA.disk/posture.tar\"; code=$?; cp -a \"$DATA.disk\" \"$DATA.after\"; exit $code";
    let output = run(script_in_namespace("-m", stand.folder.path(), &stand.data(), script, &["--json", "backup"]), "");
    assert_eq!((output.status.code(), failure(&output)["code"].as_str()), (Some(1), Some("E-DISK-FULL")));
    let after = files(&stand.data().with_extension("after"));
    assert_eq!(after.into_iter().collect::<Vec<_>>(), [("posture.tar".into(), b"old\n".to_vec())]);
    let names = |files: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&files(&stand.data())), names(&before), "and none beside the data");

    // A disk of the data that has no room for what a backup holds.
    let file = stand.folder.path().join("posture.tar");
    stand.json(&["--json", "backup", "--output", file.to_str().unwrap()], "");
    let script = "mkdir \"$DATA.small\"; mount -t tmpfs -o size=96k tmpfs \"$DATA.small\"; set +e; \
                  \"$1\" --passphrase-fd 3 --data-folder \"$DATA.small\" --json restore \"$DATA/../posture.tar\" --yes; code=$?; \
                  cp -a \"$DATA.small\" \"$DATA.left\"; exit $code";
    let output = run(script_in_namespace("-m", stand.folder.path(), &stand.data(), script, &[]), "");
    assert_eq!((output.status.code(), failure(&output)["code"].as_str()), (Some(1), Some("E-DISK-FULL")));
    assert_eq!(lying(&stand.data().with_extension("left")), BTreeSet::from(["in-use.lock".to_owned()]));
}

/// Cases of a restore that is killed.
const KILLS: usize = 12;
/// The longest delay after the line that tells of the first step, in microseconds.
const DELAY: u64 = 4_000;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_of_a_restore_the_data_is_all_old_or_all_new() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let folder = stand.folder.path();
    let new = instances(folder, &stand.data());
    let file = folder.join("posture.tar");
    stand.json(&["--json", "backup", "--output", file.to_str().unwrap()], "");
    stand.posture(&["instance", "delete", "Halden Moor", "--yes"], "");
    stand.json(&["--json", "sandbox", "add", "--app", "kustomer", "--tenant", "clean"], "");
    let old = instances(folder, &stand.data());
    assert!(old.len() == 1 && old != new, "{old:?}");
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut old_ones, mut new_ones) = (0, 0);
    for case in 0..KILLS {
        let data = folder.join(format!("case-{case}"));
        assert!(std::process::Command::new("cp").arg("-a").arg(stand.data()).arg(&data).status().unwrap().success());
        let mut restore = command_in(folder, &data, &["-vv", "restore", file.to_str().unwrap(), "--yes"]).spawn().unwrap();
        let mut lines = BufReader::new(restore.stderr.take().unwrap()).lines().map_while(Result::ok);
        // Some before the first step, most in the midst of them.
        if case % 6 > 0 {
            assert!(lines.by_ref().any(|line| line.contains("putting the backup in place")), "it came to the first step");
        }
        std::thread::sleep(Duration::from_micros(random.u64(0..DELAY)));
        restore.kill().unwrap();
        lines.for_each(drop);
        restore.wait().unwrap();

        let now = instances(folder, &data);
        let lying = lying(&data);
        assert!(!lying.iter().any(|name| name.starts_with(".posture")), "{lying:?}");
        if now == new {
            assert!(lying.contains("replaced-"), "what was there is kept: {lying:?}");
            assert!(!lying.contains("restore.json"), "it is recorded");
            new_ones += 1;
        } else {
            assert_eq!(now, old, "case {case}");
            assert!(!lying.contains("replaced-") && !lying.contains("restore.json"), "{lying:?}");
            old_ones += 1;
        }
        std::fs::remove_dir_all(&data).unwrap();
    }
    println!("{old_ones} as before, {new_ones} restored");
    assert!(new_ones > 0, "some were killed after the first step");
}
