//! Parses the output of a test program: how many tests passed, failed, or skipped something.

use std::collections::BTreeSet;

/// The results of one test program, or of several together.
#[derive(Default, Clone, PartialEq, Debug)]
pub struct Count {
    /// Tests that checked everything that they are for.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that report that they left something out, and those marked to be ignored.
    pub skipped: usize,
    /// What was left out, and why, in the tests' own words.
    pub reasons: Vec<String>,
    /// How long the tests took.
    pub seconds: f64,
}

impl Count {
    /// Adds the results of another program.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.reasons.extend(other.reasons);
        self.seconds += other.seconds;
    }
}

/// Reads what a libtest program printed with `--show-output`; `None` if it did not run to its end.
pub fn read(output: &str) -> Option<Count> {
    let result = output
        .lines()
        .rfind(|line| line.starts_with("test result: "))?;
    let mut count = Count {
        passed: number(result, "passed")?,
        failed: number(result, "failed")?,
        skipped: number(result, "ignored")?,
        reasons: Vec::new(),
        seconds: seconds(result).unwrap_or_default(),
    };
    let mut failures = BTreeSet::new();
    let mut test = None;
    let mut skipping = BTreeSet::new();
    for line in output.lines() {
        if let Some(name) = section(line) {
            test = Some(name);
        } else if let Some((name, "FAILED")) = outcome(line) {
            failures.insert(name);
        } else if let Some((name, ignored)) = outcome(line)
            && let Some(reason) = ignored.strip_prefix("ignored")
        {
            let reason = reason.strip_prefix(", ").unwrap_or("marked to be ignored");
            count.reasons.push(format!("{name}: {reason}"));
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            count.reasons.push(reason.to_owned());
            skipping.extend(test);
        }
    }
    let partly = skipping.difference(&failures).count();
    count.passed = count.passed.saturating_sub(partly);
    count.skipped += partly;
    Some(count)
}

/// The number before `word` in `12 passed; 3 failed; ...`.
fn number(line: &str, word: &str) -> Option<usize> {
    let (before, _) = line.split_once(&format!(" {word}"))?;
    before.rsplit(' ').next()?.parse().ok()
}

/// The number at the end of `...; finished in 1.23s`.
fn seconds(line: &str) -> Option<f64> {
    let (_, seconds) = line.rsplit_once("finished in ")?;
    seconds.strip_suffix('s')?.parse().ok()
}

/// The test whose output follows `---- name stdout ----`.
fn section(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

/// `test name ... outcome`.
fn outcome(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.split_once(" ... ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_skips_something_has_not_passed() {
        let output = "running 4 tests\n\
            test a ... ok\n\
            test b ... ok\n\
            test c ... ignored, needs a moon\n\
            test d ... FAILED\n\
            \n\
            successes:\n\
            \n\
            ---- b stdout ----\n\
            skipped: an error path: no filters\n\
            skipped: another: no filters\n\
            \n\
            failures:\n\
            \n\
            ---- d stdout ----\n\
            skipped: half: why\n\
            thread 'd' panicked\n\
            \n\
            test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; \
            finished in 1.50s\n";
        let reasons = [
            "c: needs a moon",
            "an error path: no filters",
            "another: no filters",
            "half: why",
        ];
        let expected = Count {
            passed: 1,
            failed: 1,
            skipped: 2,
            reasons: reasons.map(str::to_owned).into(),
            seconds: 1.5,
        };
        assert_eq!(read(output), Some(expected));
    }

    #[test]
    fn a_program_that_stopped_short_says_nothing() {
        assert_eq!(read("running 1 test\ntest a ... ok\n"), None);
        assert_eq!(read(""), None);
    }
}
