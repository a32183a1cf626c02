//! Owns the list of what the project promises, and whether the tests of this run have shown it.
//!
//! A test that shows a promise appends a line `PROMISE <slug> cases=<n> failures=<m>` to the file that the environment
//! variable `POSTURE_PROMISES` names. Nothing is assumed: a promise that no test spoke of is not kept.
//!
//! A promise that rests on data which the project may not contain can be told as `PROMISE <slug> not-run` where the data is
//! not there. It is neither kept nor broken then, and the table says so.

use std::{collections::BTreeMap, fmt::Write};

/// The environment variable that names the file.
pub const VARIABLE: &str = "POSTURE_PROMISES";

/// Slug and title of each promise, in the order of the table.
const PROMISES: &[(&str, &str)] = &[
    ("law", "Nothing that was not read is ever a pass: every check, clean, risky, mutated, faulty, reordered"),
    ("window", "The built console in a real window: a wrong key, a right one, findings, still there offline"),
    ("screens", "Every screen pictured, light and dark, 1280x800 and 900x600"),
    ("key-nowhere", "After a scan the key is in no file, log, export, event or memory page"),
    ("kill-9", "Killed at any point, the last complete scan is whole and the cut one resumes"),
    ("request-refused", "A request that nothing allows is refused before a socket opens"),
    ("bad-input", "Bad input gives its exact sentence, code and remedy"),
    ("recorded", "Verdicts on answers recorded from the real GitHub"),
    ("foreign-identity", "Signed in through an identity provider and applications made of libraries of others"),
    ("okta-simulated", "Simulated Okta organizations: every way in, every refusal and every fault, with one password and no message"),
    ("okta-published", "Okta's published answers, each coming to the state or end that it shows"),
    ("contract", "Requests and kept fields stand in the vendors' own descriptions"),
    ("secret-service", "Keys are kept in and removed from a real Secret Service"),
];

/// The promises that rest on data which the project does not contain.
const MAY_LACK_DATA: &[&str] = &["okta-published"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    cases: u64,
    failures: u64,
    /// Some test found the data missing that it rests on.
    not_run: bool,
}

/// What the tests of one run have shown.
#[derive(Debug, Default)]
pub struct Ledger {
    shown: BTreeMap<&'static str, Shown>,
    /// Lines that name no promise or are not of the agreed form.
    unread: Vec<String>,
}

impl Ledger {
    /// Reads the file that the tests wrote.
    pub fn read(text: &str) -> Ledger {
        let mut ledger = Ledger::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match parse(line) {
                Some((slug, shown)) => {
                    let sum = ledger.shown.entry(slug).or_default();
                    sum.cases = sum.cases.saturating_add(shown.cases);
                    sum.failures = sum.failures.saturating_add(shown.failures);
                    sum.not_run |= shown.not_run;
                }
                None => ledger.unread.push(line.into()),
            }
        }
        ledger
    }

    /// How many promises are not kept, and how many lines could not be read: each is a failure of the run.
    pub fn failures(&self) -> u32 {
        let broken = PROMISES.iter().filter(|(slug, _)| !self.kept(slug) && !self.not_run(slug)).count();
        u32::try_from(broken + self.unread.len()).unwrap_or(u32::MAX)
    }

    /// How many promises are kept.
    pub fn kept_count(&self) -> u32 {
        u32::try_from(PROMISES.iter().filter(|(slug, _)| self.kept(slug)).count()).unwrap_or(u32::MAX)
    }

    fn kept(&self, slug: &str) -> bool {
        self.shown.get(slug).is_some_and(|shown| shown.cases > 0 && shown.failures == 0 && !shown.not_run)
    }

    /// Whether its data was not there, and nothing was shown or refuted without it.
    fn not_run(&self, slug: &str) -> bool {
        self.shown.get(slug).is_some_and(|shown| shown.not_run && shown.cases == 0 && shown.failures == 0)
    }

    /// The table: promise, cases, failures.
    pub fn table(&self) -> String {
        let wide = PROMISES.iter().map(|(_, title)| title.chars().count()).max().unwrap_or(0);
        let mut table = format!("{:<wide$}  {:>7}  {:>8}\n", "Promise", "cases", "failures");
        for (slug, title) in PROMISES {
            let shown = self.shown.get(slug).copied().unwrap_or_default();
            let remark = match shown.cases {
                _ if self.not_run(slug) => "  not run: nobody said where its data is".to_owned(),
                0 => format!("  no test showed it ({slug})"),
                _ => String::new(),
            };
            let _ = writeln!(table, "{title:<wide$}  {:>7}  {:>8}{remark}", shown.cases, shown.failures);
        }
        for line in &self.unread {
            let _ = writeln!(table, "Not a promise of this list: {line}");
        }
        table
    }
}

fn parse(line: &str) -> Option<(&'static str, Shown)> {
    let mut words = line.split_whitespace();
    if words.next() != Some("PROMISE") {
        return None;
    }
    let named = words.next()?;
    let (slug, _) = PROMISES.iter().find(|(slug, _)| *slug == named)?;
    let first = words.next()?;
    if first == "not-run" {
        let allowed = MAY_LACK_DATA.contains(slug) && words.next().is_none();
        return allowed.then_some((*slug, Shown { not_run: true, ..Shown::default() }));
    }
    let cases = first.strip_prefix("cases=")?.parse().ok()?;
    let failures = words.next()?.strip_prefix("failures=")?.parse().ok()?;
    words.next().is_none().then_some((*slug, Shown { cases, failures, not_run: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> String {
        PROMISES.iter().map(|(slug, _)| format!("PROMISE {slug} cases=2 failures=0\n")).collect()
    }

    #[test]
    fn silence_is_failure() {
        let ledger = Ledger::read("");
        assert_eq!(ledger.failures() as usize, PROMISES.len());
        assert_eq!(ledger.kept_count(), 0);
        assert_eq!(ledger.table().matches("no test showed it").count(), PROMISES.len());
    }

    #[test]
    fn all_shown_is_success() {
        let ledger = Ledger::read(&all());
        assert_eq!((ledger.kept_count() as usize, ledger.failures()), (PROMISES.len(), 0));
    }

    #[test]
    fn lines_of_one_promise_add_up() {
        let ledger = Ledger::read("PROMISE law cases=3 failures=0\nPROMISE law cases=4 failures=1\n");
        assert_eq!(ledger.shown["law"], Shown { cases: 7, failures: 1, not_run: false });
        assert!(!ledger.kept("law"));
    }

    #[test]
    fn no_case_and_a_failed_case_break_a_promise() {
        assert_eq!(Ledger::read(&all().replace("PROMISE law cases=2", "PROMISE law cases=0")).failures(), 1);
        assert_eq!(Ledger::read(&format!("{}PROMISE law cases=1 failures=1\n", all())).failures(), 1);
    }

    #[test]
    fn data_that_is_not_there_is_told_and_breaks_nothing() {
        let others = all().replace("PROMISE okta-published cases=2 failures=0\n", "");
        let ledger = Ledger::read(&format!("{others}PROMISE okta-published not-run\n"));
        assert_eq!((ledger.kept_count() as usize, ledger.failures()), (PROMISES.len() - 1, 0));
        assert!(ledger.table().contains("not run"));
        // Silence is no such word, and neither is a failure beside it or a promise that needs no data.
        assert_eq!(Ledger::read(&others).failures(), 1);
        assert_eq!(
            Ledger::read(&format!("{others}PROMISE okta-published not-run\nPROMISE okta-published cases=1 failures=1\n")).failures(),
            1
        );
        assert_eq!(Ledger::read(&format!("{}PROMISE law not-run\n", all())).failures(), 1);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_a_failure() {
        for line in [
            "PROMISE laws cases=1 failures=0",
            "PROMISE law cases=1",
            "PROMISE law cases=-1 failures=0",
            "PROMISE law cases=1 failures=0 more",
            "law cases=1 failures=0",
        ] {
            let ledger = Ledger::read(&format!("{}{line}\n", all()));
            assert_eq!(ledger.failures(), 1, "{line}");
            assert!(ledger.table().contains(line));
        }
    }

    #[test]
    fn the_table_has_a_row_per_promise() {
        let table = Ledger::read(&all()).table();
        assert_eq!(table.lines().count(), PROMISES.len() + 1);
        assert!(table.lines().skip(1).all(|row| row.ends_with("  2         0")), "{table}");
    }
}
