//! Judges the outcome of a job.

use anyhow::{Error, Result, bail};

use super::libtest::{self, Count};
use super::machine::{End, Ended, Job};
use super::report;

/// The result of a job, from its end and its output: the count, and what it printed about failures.
pub fn verdict(job: &Job<'_>, ended: Ended, page: usize) -> Result<Found> {
    let (end, output) = ended?;
    let End::Status(status) = end else {
        bail!("still running when its time ran out; it had printed:\n{output}");
    };
    if let Some(good) = job.good {
        if !status.success() || !good(output.trim_end(), page) {
            bail!("{status}; it printed:\n{output}");
        }
        let count = Count {
            passed: 1,
            ..Count::default()
        };
        return Ok((count, None));
    }
    match libtest::read(&output) {
        Some(count) if status.success() && count.failed == 0 => Ok((count, None)),
        Some(mut count) => {
            // It is zero if no test failed but the program ended badly.
            count.failed = count.failed.max(1);
            let failure = format!("{status}\n{}", report::failures(&output));
            Ok((count, Some(failure)))
        }
        None => bail!("{status}, before its tests were done; it had printed:\n{output}"),
    }
}

/// The results of a program, and the text of its failures.
pub type Found = (Count, Option<String>);

/// The results of a program that reports none.
pub fn failed(error: &Error) -> Found {
    let count = Count {
        failed: 1,
        ..Count::default()
    };
    (count, Some(format!("{error:#}")))
}

/// A program that was left out.
pub fn skipped(name: &str, why: &str) -> Found {
    let count = Count {
        skipped: 1,
        reasons: vec![format!("{name}: {why}")],
        ..Count::default()
    };
    (count, None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;
    use crate::emulate::build::Program;
    use crate::process::root;

    #[test]
    fn a_program_that_fails_is_a_failure() {
        let program = Program {
            name: "tests/x".to_owned(),
            example: false,
            path: "/x".into(),
            dir: "/".into(),
            part: None,
        };
        let job = |good| Job {
            program: &program,
            dir: root(),
            arguments: Vec::new(),
            good,
            residency: false,
        };
        let said = |output: &str, status| {
            Ok((End::Status(ExitStatus::from_raw(status)), output.to_owned()))
        };
        let (good, bad) = (0, 1 << 8);
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured";
        let test = |output, status| verdict(&job(None), said(output, status), 4096);
        assert_eq!(test(result, good).unwrap().0.passed, 2);
        let (count, failure) = test(result, bad).unwrap();
        assert!(count.failed == 1 && failure.is_some());
        assert!(test("", good).is_err());
        let example = |output, status| {
            let good: fn(&str, usize) -> bool = |output, page| output == page.to_string();
            verdict(&job(Some(good)), said(output, status), 512)
        };
        assert_eq!(example("512\n", good).unwrap().0.passed, 1);
        assert!(example("512\n", bad).is_err());
        assert!(example("4096", good).is_err());
        assert!(verdict(&job(None), Ok((End::Timeout, String::new())), 4096).is_err());
    }
}
