//! After onboarding and scanning, the key stands in no file, no output and no export; the same search finds it where it has to
//! be, in the memory of a program that is signing in.
#[path = "../../../../tests/window/memory.rs"]
mod memory;
use crate::stand;

use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use sandbox::OverlayChange;
use stand::{Promise, Stand, database, files};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
};

/// A piece of the signature this long stands nowhere by chance.
const PIECE: usize = 24;

/// Finds the key, whole or any piece of its signature, in each form of writing.
struct Search {
    pieces: AhoCorasick,
}

impl Search {
    fn of(key: &str) -> Self {
        let signature = key.rsplit('.').next().unwrap();
        assert!(signature.len() > 300 && signature.is_ascii(), "a signature as long as the vendor's");
        let mut patterns = BTreeSet::new();
        for at in 0..=signature.len() - PIECE {
            patterns.extend(written(&signature[at..at + PIECE]));
        }
        // The key's beginning says what anyone may know; that the whole stands nowhere includes it.
        patterns.extend(written(key));
        Self { pieces: AhoCorasick::new(patterns).unwrap() }
    }

    fn finds(&self, bytes: &[u8]) -> bool {
        self.pieces.is_match(bytes)
    }
}

/// A piece in UTF-8, UTF-16, base64 (wherever in a longer text it lies) and URL-encoded; a key's letters need no encoding there,
/// but some programs encode all.
fn written(piece: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![
        piece.as_bytes().to_vec(),
        piece.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        piece.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
    ];
    for before in 0..3 {
        let text = [&vec![0; before], piece.as_bytes()].concat();
        // Letters that bytes before or after the piece have a part in are not the piece's own.
        let whole = text.len() / 3 * 3;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&text[..whole]).into_bytes()[(before * 8).div_ceil(6)..].to_vec());
        }
    }
    forms
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_no_file_output_or_export() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let search = Search::of(&stand.key);
    let mut promise = Promise::begin("key-nowhere");
    let away = |promise: &mut Promise, what: &str, bytes: &[u8]| {
        assert!(!search.finds(bytes), "{what} holds the key or a piece of it");
        promise.holds();
    };

    // The search finds what there is, however it is written.
    let signature = stand.key.rsplit('.').next().unwrap();
    let piece = &signature[100..100 + PIECE];
    let wide: Vec<u8> = piece.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let controls = [
        stand.key.as_bytes().to_vec(),
        format!("Authorization: Bearer {}", stand.key).into_bytes(),
        format!("…{piece}…").into_bytes(),
        wide,
        STANDARD_NO_PAD.encode(format!("Bearer {}", stand.key)).into_bytes(),
        piece.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
    ];
    for control in controls {
        let file = stand.folder.path().join("control");
        std::fs::write(&file, [&b"before "[..], &control, b" after"].concat()).unwrap();
        assert!(search.finds(&std::fs::read(&file).unwrap()), "the search finds {}", String::from_utf8_lossy(&control));
        std::fs::remove_file(&file).unwrap();
        promise.holds();
    }
    assert!(!search.finds(&stand.key.as_bytes()[..60]), "the key's open beginning is no piece of its signature");

    // The whole road, at the most talkative level.
    let arguments = stand.add_arguments();
    let mut talkative = vec!["-vv"];
    talkative.extend(arguments.iter().map(String::as_str));
    let added = stand.posture(&talkative, &format!("{}\n", stand.key));
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert!(String::from_utf8_lossy(&added.stderr).contains("TRACE"), "the log is at its most talkative");
    let export = stand.folder.path().join("data").join("findings.csv");
    let exported = stand.folder.path().join("data").join("findings.json");
    let backup = stand.folder.path().join("posture.tar");
    let commands: [&[&str]; 19] = [
        &["-vv", "scan", "Halden Moor"],
        &["-vv", "--json", "scan", "Halden Moor"],
        &["-vv", "--json", "instance", "test", "Halden Moor"],
        &["-vv", "--json", "instance", "show", "Halden Moor"],
        &["-vv", "--json", "instance", "list"],
        &["-vv", "--json", "findings", "--limit", "500"],
        &["-vv", "--json", "requests", "--limit", "500"],
        &["-vv", "--json", "schema", "Halden Moor"],
        &["-vv", "export", "--format", "csv", "--output", export.to_str().unwrap()],
        &["-vv", "export", "--format", "json", "--output", exported.to_str().unwrap()],
        &["-vv", "export", "--format", "json", "--output", "-"],
        &["-vv", "export", "--format", "csv", "--output", "-"],
        &["-vv", "export", "--format", "html", "--output", "-"],
        &["-vv", "export", "--format", "ocsf", "--output", "-"],
        &["-vv", "export", "--format", "oscal", "--output", "-"],
        &["-vv", "--json", "rules"],
        &["-vv", "--json", "compliance", "nist_800_53"],
        &["-vv", "backup", "--output", backup.to_str().unwrap()],
        &["-vv", "restore", backup.to_str().unwrap(), "--yes"],
    ];
    away(&mut promise, "what adding says", &added.stdout);
    away(&mut promise, "the log of adding", &added.stderr);
    for command in commands {
        let output = stand.posture(command, "");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        away(&mut promise, &format!("what {command:?} says"), &output.stdout);
        away(&mut promise, &format!("the log of {command:?}"), &output.stderr);
    }
    away(&mut promise, "a backup", &std::fs::read(&backup).unwrap());
    // A refusal is the place where credentials are quoted most often.
    stand.change(OverlayChange::Revoke { tenant: stand.tenant() });
    let refused = stand.posture(&["-vv", "scan", "Halden Moor"], "");
    assert_eq!(refused.status.code(), Some(1));
    away(&mut promise, "a refusal", &[refused.stdout, refused.stderr].concat());
    stand.change(OverlayChange::Restore { tenant: stand.tenant() });

    // Every file, while a scan has the write-ahead log and the shared memory open.
    stand.change(OverlayChange::Latency { tenant: stand.tenant(), answer: Some("users".into()), milliseconds: 60_000 });
    let mut scan = stand.command(&["-vv", "scan", "Halden Moor"]).spawn().unwrap();
    wait_for(&mut scan, "wrote a page");
    let open = files(&stand.data());
    scan.kill().unwrap();
    scan.wait().unwrap();
    stand.change(OverlayChange::Clear { tenant: Some(stand.tenant()) });
    let names: Vec<String> = open.keys().map(|path| path.display().to_string()).collect();
    for wanted in ["posture.db", "posture.db-wal", "posture.db-shm", "findings.csv", "findings.json", "vault/vault.json"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} is among {names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("vault/instances/")), "the sealed file is among {names:?}");
    for (path, bytes) in &open {
        away(&mut promise, &path.display().to_string(), bytes);
    }
    // Deciphered and unpacked: that the file is encrypted proves nothing about what was written into it.
    let clear = stand.folder.path().join("clear.db");
    let holds_evidence = decipher(&stand.data(), &clear);
    away(&mut promise, "the database in clear", &std::fs::read(&clear).unwrap());
    assert!(holds_evidence.len() > 20, "there is evidence");
    for content in holds_evidence {
        away(&mut promise, "a piece of evidence", &content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_finds_the_key_in_the_memory_of_a_program_that_signs_in() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let forms = memory::forms(&stand.key);
    stand.change(OverlayChange::Latency { tenant: stand.tenant(), answer: None, milliseconds: 120_000 });
    let mut scan = stand.command(&["-vv", "scan", "Halden Moor"]).spawn().unwrap();
    wait_for(&mut scan, "signing in");
    // Unsealing takes a moment; the vendor does not answer before the test is over.
    let began = std::time::Instant::now();
    let mut found = Vec::new();
    while found.is_empty() && began.elapsed().as_secs() < 30 {
        found = memory::found_in_process(scan.id(), &forms);
    }
    scan.kill().unwrap();
    scan.wait().unwrap();
    assert!(!found.is_empty(), "the search finds the key where it has to be");
    Promise::begin("key-nowhere").holds();
}

/// Reads the log until that line.
fn wait_for(child: &mut std::process::Child, line: &str) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let found = lines.by_ref().map_while(Result::ok).any(|read| read.contains(line));
    assert!(found, "{line} was not written");
    // What comes after has nobody to read it, but must not fill the pipe.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
}

/// Writes the database out in clear; gives the unpacked evidence.
fn decipher(data: &Path, clear: &Path) -> Vec<Vec<u8>> {
    let connection = database(data);
    connection.execute("ATTACH DATABASE ?1 AS clear KEY ''", [clear.to_str().unwrap()]).unwrap();
    connection.query_row("SELECT sqlcipher_export('clear')", [], |_| Ok(())).unwrap();
    connection.execute_batch("DETACH DATABASE clear").unwrap();
    assert!(std::fs::read(clear).unwrap().starts_with(b"SQLite format 3"), "it is in clear");
    let mut statement = connection.prepare("SELECT content FROM evidence").unwrap();
    let contents = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    contents.map(|content| zstd::stream::decode_all(content.unwrap().as_slice()).unwrap()).collect()
}
