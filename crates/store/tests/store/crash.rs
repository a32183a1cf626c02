//! A process that writes scans is killed at random points; what it left must open, show its last complete scan whole and
//! let the cut one be resumed.

use crate::tenant;

use catalog::{Completeness, Row, RowKey, Verdict};
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};
use store::{CheckWrite, FindingFilter, FindingSort, FindingState, ResumeState, ScanId, ScanState, Slice, Store};
use tenant::*;

const PAGES: u32 = 6;
const ROWS: u32 = 20;
const ROUNDS_PER_POINT: u32 = 12;

/// Where the process is killed: soon after it said this.
const POINTS: [&str; 4] = ["begun", "page", "read", "committed"];

fn rows(scan: ScanId, page: u32) -> Vec<Row> {
    (page * ROWS..(page + 1) * ROWS).map(|number| row(&number.to_string(), json!({ "scan": scan.0, "number": number }))).collect()
}

/// Rows of odd numbers fail in odd scans, the others in even ones.
fn checks(scan: ScanId) -> Vec<CheckWrite> {
    let verdict = |number: u32| if i64::from(number % 2) == scan.0 % 2 { Verdict::Fail } else { Verdict::Pass };
    let verdicts = (0..PAGES * ROWS).map(|number| judged(&number.to_string(), verdict(number))).collect();
    vec![check("c", Completeness::Complete, verdicts)]
}

/// Reads on from where a scan stands, and commits it.
fn go_on(store: &Store, scan: ScanId, from: u32, mut say: impl FnMut(String)) {
    for index in from..PAGES {
        let rows = rows(scan, index);
        let next = (index + 1 < PAGES).then(|| format!("page={}", index + 1));
        store.write_page(scan, &page("users", &RowKey::default(), index, &rows, next.as_deref())).unwrap();
        say("page".into());
    }
    store.finish_dataset(scan, "users", &Completeness::Complete).unwrap();
    say("read".into());
    store.commit_scan(scan, &checks(scan), at(scan.0), at(scan.0)).unwrap();
    say(format!("committed {scan}"));
}

fn pages_of(state: &ResumeState) -> u32 {
    state.parents.first().map_or(0, |parent| parent.pages)
}

#[test]
#[ignore = "started and killed by the other test of this file"]
fn writes_until_it_is_killed() {
    let folder = std::env::var_os("POSTURE_CRASH_FOLDER").expect("this is started by the other test of this file");
    let store = Store::open(&Path::new(&folder).join("posture.db"), &key()).unwrap();
    let say = |word: String| {
        // Past the test harness, which would hold it back.
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n@{word}").unwrap();
        out.flush().unwrap();
    };
    store.mark_cut_scans(at(0)).unwrap();
    loop {
        let (scan, from) = match store.resumable_scan(instance_id(1)).unwrap() {
            Some(left) => {
                let state = store.resume_scan(left.scan).unwrap();
                (left.scan, pages_of(&state))
            }
            None => (store.begin_scan(instance_id(1), at(0), &["users"]).unwrap(), 0),
        };
        say("begun".into());
        go_on(&store, scan, from, say);
    }
}

/// A small generator, so that a run can be repeated from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Starts the writer and kills it a random moment after it said `point` for the `skip`th time; gives the last scan that it
/// said was committed.
fn start_and_kill(folder: &Path, point: &str, mut skip: u64, delay: Duration) -> Option<ScanId> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env("POSTURE_CRASH_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut committed = None;
    let mut reached = false;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in &mut lines {
        let line = line.unwrap();
        let Some(word) = line.strip_prefix('@') else { continue };
        if let Some(scan) = word.strip_prefix("committed ") {
            committed = Some(scan.parse().unwrap());
        }
        if word.starts_with(point) {
            if skip == 0 {
                reached = true;
                break;
            }
            skip -= 1;
        }
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    // What it still said before it died counts as well.
    for line in lines.map_while(Result::ok) {
        if let Some(scan) = line.strip_prefix("@committed ").and_then(|scan| scan.parse().ok()) {
            committed = Some(scan);
        }
    }
    if !reached || status.code().is_some() {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
        panic!("the writer ended by itself: {status}, {said}");
    }
    committed
}

/// The last complete scan has all its rows, verdicts and findings.
fn last_is_whole(store: &Store) -> Option<ScanId> {
    let last = store.last_complete_scan(instance_id(1)).unwrap()?;
    let expected: Vec<Row> = (0..PAGES).flat_map(|index| rows(last.id, index)).collect();
    assert_eq!(store.collected(last.id).unwrap()["users"].rows, expected);
    assert_eq!(store.verdicts(last.id, None, Slice::ALL).unwrap().0, u64::from(PAGES * ROWS));
    let filter = FindingFilter { states: vec![FindingState::Open], ..FindingFilter::default() };
    let open = store.findings(&filter, FindingSort::Label, false, Slice::ALL).unwrap();
    assert_eq!(open.total, u64::from(PAGES * ROWS / 2));
    for finding in &open.rows {
        assert_eq!(finding.row.0.parse::<i64>().unwrap() % 2, last.id.0 % 2, "findings are those of the last complete scan");
        assert!(finding.not_rechecked.is_none());
    }
    Some(last.id)
}

#[test]
fn a_killed_process_leaves_a_database_that_goes_on() {
    let seed = match std::env::var("POSTURE_CRASH_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1,
    };
    println!("POSTURE_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posture.db");
    Store::open(&path, &key()).unwrap().insert_instance(&instance(1)).unwrap();
    let (mut cut_seen, mut resumed) = (0, 0);
    for round in 0..ROUNDS_PER_POINT * POINTS.len() as u32 {
        let point = POINTS[round as usize % POINTS.len()];
        // A page is killed at any of the scan's; the others soon, for the rounds to stay short.
        let skip = random.below(if point == "page" { u64::from(PAGES) } else { 2 });
        let delay = Duration::from_micros(random.below(4_000));
        let committed = start_and_kill(folder.path(), point, skip, delay);

        let store = Store::open(&path, &key()).unwrap();
        let cut = store.mark_cut_scans(at(0)).unwrap();
        assert!(cut.len() <= 1, "{cut:?}");
        store.verify().unwrap();
        counts_are_right(&path, &key());
        let last = last_is_whole(&store);
        assert!(last >= committed, "round {round}: {committed:?} was committed and the last is {last:?}");
        for scan in cut {
            cut_seen += 1;
            assert_eq!(store.scan(scan).unwrap().state, ScanState::Cut);
            assert!(Some(scan) > last);
            let held = store.scan(scan).unwrap().rows;
            if held == 0 {
                continue;
            }
            assert_eq!(store.resumable_scan(instance_id(1)).unwrap().unwrap().scan, scan);
            // Half of them are resumed here, the others by the next writer.
            if random.below(2) == 0 {
                let state = store.resume_scan(scan).unwrap();
                let pages = pages_of(&state);
                assert_eq!(u64::from(pages * ROWS), held, "a page is there whole or not at all");
                assert_eq!(state.parents[0].next, (pages < PAGES).then(|| format!("page={pages}")));
                go_on(&store, scan, pages, |_| {});
                assert_eq!(last_is_whole(&store), Some(scan));
                resumed += 1;
            }
        }
    }
    println!("{cut_seen} scans were cut, {resumed} of them resumed here");
    assert!(cut_seen >= 10 && resumed >= 3, "the kills must hit: {cut_seen} cut, {resumed} resumed");
}
