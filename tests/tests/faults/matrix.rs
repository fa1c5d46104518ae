//! All cells: each function, each call that it makes, each time that it does, each errno.

use std::collections::BTreeMap;
use std::ffi::c_long;
use std::fmt::Write;

use tests::skip;
use unix_memory::{Call, page_size};

use super::Scenario;
use super::calls;
use super::expected::{Expected, expected, is_special};
use super::trial::{Fault, Left, Report, run};

/// Calls of one number beyond these are not refused one by one, unless all cells are run.
const POSITIONS: usize = 6;

/// Whether all cells are run, rather than a selection of them: `cargo xtask faults` sets this.
fn is_whole() -> bool {
    std::env::var_os("UNIX_MEMORY_FAULTS_WHOLE").is_some()
}

/// What was done, and what was not.
#[derive(Debug, Default)]
struct Count {
    is_whole: bool,
    run: usize,
    /// Of those, how many were refused by name and errno.
    named: usize,
    skipped: BTreeMap<&'static str, usize>,
    /// What went wrong, grouped by similarity.
    wrong: BTreeMap<String, Vec<String>>,
}

/// Runs all cells of `scenarios`, and prints how many.
///
/// # Panics
/// With those that went wrong.
pub fn check(wing: &str, scenarios: &[&Scenario]) {
    let mut count = Count {
        is_whole: is_whole(),
        ..Count::default()
    };
    for scenario in scenarios {
        if !count.all_of(scenario) {
            return skip(
                "faults",
                "no filters that could ask another process for an answer",
            );
        }
    }
    println!(
        "faults of {wing}: {} functions, {} cells run, of which {} were refused by the call's name and \
         errno, and the others done all the same",
        scenarios.len(),
        count.run,
        count.named
    );
    for (why, cells) in &count.skipped {
        println!("faults of {wing}: {cells} cells not run: {why}");
    }
    let mut text = String::new();
    for (what, cells) in &count.wrong {
        writeln!(text, "{what}").expect("a string takes it");
        writeln!(text, "    {}", cells.join(", ")).expect("a string takes it");
    }
    assert!(
        count.wrong.is_empty(),
        "{} kinds of cells went wrong:\n{text}",
        count.wrong.len()
    );
}

impl Count {
    /// Returns whether there can be any.
    fn all_of(&mut self, scenario: &Scenario) -> bool {
        for is_warm in [true, false] {
            let Some(plain) = run(scenario.run, is_warm, None) else {
                return false;
            };
            if plain.failure.is_some() || plain.error.is_some() {
                let what = format!("{}, without a fault: {plain:?}", scenario.name);
                self.wrong.insert(what, Vec::new());
                continue;
            }
            let mut made: BTreeMap<_, usize> = BTreeMap::new();
            for &call in &plain.calls {
                *made.entry(call).or_default() += 1;
            }
            for (number, times) in made {
                if calls::of(number).is_none() {
                    let what = format!("{}: call {number} is not in calls.rs", scenario.name);
                    self.wrong.insert(what, Vec::new());
                    continue;
                }
                for position in 0..times {
                    self.all_at(scenario, is_warm, (number, position), plain.left);
                }
            }
        }
        true
    }

    /// Refuses the call at a position with everything.
    fn all_at(
        &mut self,
        scenario: &Scenario,
        is_warm: bool,
        (number, position): (c_long, usize),
        plain: Left,
    ) {
        let call = calls::of(number).expect("it is listed");
        // What is refused with one of the others is still an error.
        let plainest = [libc::ENOMEM, call.errnos[0]]
            .into_iter()
            .find(|errno| call.errnos.contains(errno));
        for &errno in call.errnos {
            let is_plain = Some(errno) != plainest && !is_special(scenario.name, call.name, errno);
            for from_then_on in [false, true] {
                if !self.is_whole && position >= POSITIONS {
                    self.skip("the calls before it were the same, several times in a row");
                } else if !self.is_whole && is_plain && (position > 0 || from_then_on) {
                    self.skip(
                        "not the first such call, or not once: with one errno, and with those that differ",
                    );
                } else if errno == libc::EINTR && from_then_on {
                    self.skip("a signal at every call: it is tried again for good");
                } else if number == libc::SYS_fcntl && errno == libc::EBADF {
                    self.skip("the standard library aborts where a descriptor of its own is none");
                } else if !self.is_whole && !is_warm && errno != libc::ENOMEM {
                    self.skip("the first use of the library in a process: with ENOMEM alone");
                } else {
                    let fault = Fault {
                        call: number,
                        position,
                        errno,
                        from_then_on,
                    };
                    self.one(scenario, is_warm, fault, plain);
                }
            }
        }
    }

    fn skip(&mut self, why: &'static str) {
        *self.skipped.entry(why).or_default() += 1;
    }

    fn one(&mut self, scenario: &Scenario, is_warm: bool, fault: Fault, plain: Left) {
        let report = run(scenario.run, is_warm, Some(fault)).expect("there were filters before");
        self.run += 1;
        let call = calls::of(fault.call).expect("it is listed");
        let wrong = judge(scenario, is_warm, fault, &report, plain);
        self.named += usize::from(wrong.is_none() && report.error.is_some());
        if let Some(wrong) = wrong {
            let what = format!("{}, {} refused: {wrong}", scenario.name, call.name);
            let later = if fault.from_then_on { "+" } else { "" };
            let place = format!("{}{later}: errno {}", fault.position, fault.errno);
            self.wrong.entry(what).or_default().push(place);
        }
    }
}

/// What is wrong with a cell, if anything.
fn judge(
    scenario: &Scenario,
    is_warm: bool,
    fault: Fault,
    report: &Report,
    plain: Left,
) -> Option<String> {
    if let Some(failure) = &report.failure {
        return Some(failure.clone());
    }
    let call = calls::of(fault.call).expect("it is listed");
    let named =
        |names: &[Call], name: &str| name.is_empty() || names.iter().any(|it| it.name() == name);
    let is_right = |names, name: &str, errno| named(names, name) && errno == fault.errno;
    let mut expected = expected(scenario.name, call.name, fault.errno);
    if !is_warm {
        // What it makes only once is made before the requested work, or not at all.
        expected = match expected {
            Expected::With(_, other) => Expected::AnyOr(other),
            _ => Expected::AnyOr(fault.errno),
        };
    }
    let left = report.left;
    // What the library makes once and keeps, it also makes on the way to an error.
    let kept = match expected {
        _ if !is_warm => 4,
        Expected::DoneLeaving(pages) => pages,
        _ => 0,
    };
    let most = plain.bytes.saturating_add_unsigned(kept * page_size());
    if left.bytes > most || left.descriptors > plain.descriptors || left.locked > plain.locked {
        return Some(format!(
            "{left:?} is left of it, and without a fault {plain:?}"
        ));
    }
    let right = match (expected, &report.error) {
        (Expected::Refused | Expected::Again | Expected::Either, Some((name, errno))) => {
            is_right(call.names, name, *errno)
        }
        (Expected::As(other) | Expected::AsOrDone(other), Some((name, errno))) => {
            is_right(other, name, *errno)
        }
        (Expected::With(others, other), Some((name, errno))) => {
            named(others, name) && (*errno == other || *errno == fault.errno)
        }
        (Expected::AnyOr(other), Some((_, errno))) => *errno == fault.errno || *errno == other,
        (
            Expected::AnyOr(_)
            | Expected::Done
            | Expected::DoneLeaving(_)
            | Expected::Either
            | Expected::AsOrDone(_),
            None,
        ) => true,
        (Expected::With(..) | Expected::Again, None) => !fault.from_then_on,
        (Expected::Done | Expected::DoneLeaving(_), Some(_))
        | (Expected::Refused | Expected::As(_), None) => false,
    };
    (!right).then(|| match &report.error {
        None => "it was done".to_owned(),
        Some((name, errno)) if *errno == fault.errno => {
            format!("it says {name}, of the same errno")
        }
        Some((name, errno)) => format!("it says {name}, errno {errno}"),
    })
}
