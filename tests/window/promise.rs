//! Tells `cargo xtask test` what was shown: a line per promise in the file that POSTURE_PROMISES names.

use std::{env, fs::OpenOptions, io::Write, thread};

/// Cases of a promise as a test shows them; written when it goes, and as failed when a panic takes it.
pub struct Promise {
    slug: &'static str,
    cases: u64,
}

impl Promise {
    /// Begins to show a promise.
    pub fn begin(slug: &'static str) -> Promise {
        Promise { slug, cases: 0 }
    }

    /// Counts a case that holds.
    pub fn holds(&mut self) {
        self.cases += 1;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let failed = u64::from(thread::panicking());
        let line = format!("PROMISE {} cases={} failures={failed}\n", self.slug, self.cases + failed);
        if let Some(path) = env::var_os("POSTURE_PROMISES") {
            let written = OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
            // In a drop: a second panic would end the process and hide the first. A missing line fails the run anyway.
            if let Err(error) = written {
                eprintln!("the promise could not be noted: {error}");
            }
        }
    }
}
