//! Owns how many tests passed and failed, read from what the test runners print.

/// What a runner reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that the runner left out.
    pub ignored: u32,
}

impl Tally {
    /// Adds what one line of a runner's output reports; most lines report nothing.
    pub fn see(&mut self, line: &str) {
        let line = plain(line);
        if let Some(counted) = libtest(&line).or_else(|| vitest(&line)) {
            self.add(counted);
        }
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// `test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
fn libtest(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for part in counts.split("; ") {
        add_count(&mut tally, part);
    }
    Some(tally)
}

/// `Tests  1 failed | 12 passed | 2 skipped (15)`; the line `Test Files …` counts files and is not meant.
fn vitest(line: &str) -> Option<Tally> {
    let counts = line.trim_start().strip_prefix("Tests ")?;
    let counts = counts.rsplit_once(" (")?.0;
    let mut tally = Tally::default();
    for part in counts.split(" | ") {
        add_count(&mut tally, part.trim());
    }
    Some(tally)
}

fn add_count(tally: &mut Tally, part: &str) {
    let Some((number, word)) = part.split_once(' ') else {
        return;
    };
    let Ok(number) = number.parse::<u32>() else {
        return;
    };
    match word {
        "passed" => tally.passed += number,
        "failed" => tally.failed += number,
        "ignored" | "skipped" | "todo" => tally.ignored += number,
        _ => {}
    }
}

/// The line without colour codes, which a runner prints when the environment forces colour.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, code)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest = code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').get(1..).unwrap_or("");
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            tally.see(line);
        }
        tally
    }

    #[test]
    fn the_results_of_several_crates_add_up() {
        let seen = tally(&[
            "running 4 tests",
            "test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s",
            "test bad ... FAILED",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ]);
        assert_eq!(seen, Tally { passed: 14, failed: 2, ignored: 1 });
    }

    #[test]
    fn vitest_counts_tests_not_files() {
        let seen =
            tally(&[" Test Files  1 failed | 2 passed (3)", "      Tests  1 failed | 12 passed | 2 skipped (15)", "   Start at  10:00:00"]);
        assert_eq!(seen, Tally { passed: 12, failed: 1, ignored: 2 });
        assert_eq!(tally(&["      Tests  12 passed (12)"]), Tally { passed: 12, failed: 0, ignored: 0 });
    }

    #[test]
    fn colour_does_not_hide_a_result() {
        let seen = tally(&["\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m12 passed\u{1b}[39m\u{1b}[22m\u{1b}[90m (12)\u{1b}[39m"]);
        assert_eq!(seen, Tally { passed: 12, failed: 0, ignored: 0 });
        let seen = tally(&["test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"]);
        assert_eq!(seen, Tally { passed: 3, failed: 0, ignored: 0 });
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(tally(&["", "3 passed", "test result", "Tests", "Tests are fun (really)", "\u{1b}["]), Tally::default());
    }
}
