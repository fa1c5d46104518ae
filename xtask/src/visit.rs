//! Visits targets in parallel, with a progress bar, and prints a table at the end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use crate::targets::Row;

/// The outcome for one target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Passed; the text says how much was checked.
    Passed(String),
    /// Not checked, and why. Never the same as passed.
    Skipped(String),
    /// There is nothing to check, and why: for instance, the system maps no memory.
    None(String),
    /// Failed; the text says why, in as many lines as needed.
    Failed(String),
}

impl Outcome {
    /// For all columns: the failure that kept a task from filling any.
    pub fn failed_once(error: &anyhow::Error, columns: usize) -> Vec<Self> {
        let mut outcomes = vec![Self::Skipped("failed before".to_owned()); columns];
        outcomes[0] = Self::Failed(format!("{error:#}"));
        outcomes
    }

    /// One line for the table.
    pub fn cell(&self) -> String {
        match self {
            Self::Passed(text) => text.clone(),
            Self::Skipped(reason) => format!("skipped: {reason}"),
            Self::None(reason) => format!("none: {reason}"),
            Self::Failed(text) => {
                let line = text.lines().next().unwrap_or_default();
                format!("FAILED: {}", line.chars().take(60).collect::<String>())
            }
        }
    }
}

impl Outcome {
    /// A few words for a table; `notes` numbers the reasons.
    fn short<'a>(&'a self, notes: &mut Vec<&'a str>) -> String {
        let (word, reason) = match self {
            Self::Passed(text) => return text.clone(),
            Self::Failed(_) => return "FAILED".to_owned(),
            Self::Skipped(reason) => ("skipped", reason),
            Self::None(reason) => ("none", reason),
        };
        let known = notes.iter().position(|note| note == reason);
        let number = known.unwrap_or_else(|| {
            notes.push(reason);
            notes.len() - 1
        });
        format!("{word} [{}]", number + 1)
    }
}

impl<E: std::fmt::Display> From<Result<String, E>> for Outcome {
    fn from(result: Result<String, E>) -> Self {
        match result {
            Ok(text) => Self::Passed(text),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// What a task found for a target: an outcome for each of its columns.
pub struct Visit<'a> {
    /// The target.
    pub row: Row<'a>,
    /// One for each column.
    pub outcomes: Vec<Outcome>,
    /// How long it took.
    pub time: Duration,
}

/// Calls `look` for every row, `jobs` at a time (by default one for each processor); the second
/// argument is the number of the job, for what must not be shared.
pub fn visit<'a>(
    what: &str,
    rows: &[Row<'a>],
    jobs: Option<usize>,
    look: impl Fn(Row<'a>, usize) -> Vec<Outcome> + Sync,
) -> Vec<Visit<'a>> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.unwrap_or(processors).clamp(1, rows.len().max(1));
    let bar = ProgressBar::new(rows.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {elapsed} {msg}")
    {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    // Keeps the seconds counting while a target takes long.
    bar.enable_steady_tick(Duration::from_secs(1));
    let running = Mutex::new(vec![String::new(); jobs]);
    let queue: Mutex<VecDeque<_>> = Mutex::new(rows.iter().copied().enumerate().collect());
    let visits = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for job in 0..jobs {
            let (bar, queue, visits, look, running) = (&bar, &queue, &visits, &look, &running);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().expect("no job panics").pop_front();
                    let Some((number, row)) = next else { break };
                    let mut names = running.lock().expect("no job panics");
                    row.name().clone_into(&mut names[job]);
                    bar.set_message(names.join(" "));
                    drop(names);
                    let start = Instant::now();
                    let outcomes = look(row, job);
                    let time = start.elapsed();
                    let visit = Visit {
                        row,
                        outcomes,
                        time,
                    };
                    visits.lock().expect("no job panics").push((number, visit));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut visits = visits.into_inner().expect("no job panics");
    visits.sort_by_key(|(number, _)| *number);
    visits.into_iter().map(|(_, visit)| visit).collect()
}

/// Prints the table, then what failed.
///
/// # Errors
/// If anything failed, or nothing was checked.
pub fn report(task: &str, columns: &[&str], visits: &[Visit<'_>]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let header = ["target"].iter().chain(columns).chain(&["time"]);
    table.set_header(header.copied());
    // Each reason is printed once, below.
    let mut notes: Vec<&str> = Vec::new();
    for visit in visits {
        let mut cells = vec![visit.row.name().to_owned()];
        cells.extend(
            visit
                .outcomes
                .iter()
                .map(|outcome| outcome.short(&mut notes)),
        );
        cells.push(format!("{:.1} s", visit.time.as_secs_f64()));
        table.add_row(cells);
    }
    println!("{table}");
    for (number, reason) in notes.iter().enumerate() {
        println!(" [{}] {reason}", number + 1);
    }
    // Targets that fail in the same way are printed as one failure.
    let mut failures = BTreeMap::<_, Vec<_>>::new();
    for visit in visits {
        for (outcome, column) in visit.outcomes.iter().zip(columns) {
            if let Outcome::Failed(text) = outcome {
                // The command at the end names the target.
                let why = text.split("\n(said by ").next().unwrap_or(text);
                let failure = failures.entry((column, why)).or_default();
                failure.push((visit.row.name(), text));
            }
        }
    }
    for ((column, _), failure) in failures {
        let names: Vec<_> = failure.iter().map(|(name, _)| *name).collect();
        println!("\n{column} of {}:\n{}", names.join(", "), failure[0].1);
    }
    let count = |kind: fn(&Outcome) -> bool| {
        let outcomes = visits.iter().flat_map(|visit| &visit.outcomes);
        outcomes.filter(|outcome| kind(outcome)).count()
    };
    let passed = count(|outcome| matches!(outcome, Outcome::Passed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let none = count(|outcome| matches!(outcome, Outcome::None(_)));
    println!(
        "\n{task}: {} targets; {passed} passed, {failed} failed, {skipped} skipped, \
         {none} with nothing to check",
        visits.len()
    );
    if failed > 0 {
        bail!("{task}: {failed} failed");
    }
    if passed == 0 && skipped > 0 {
        bail!("{task}: nothing was checked");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Table;

    #[test]
    fn every_row_is_visited_in_order_and_a_failure_is_one() {
        let table = Table::load().unwrap();
        let rows: Vec<_> = table.rows().take(7).collect();
        let visits = visit("test", &rows, Some(3), |row, _| {
            vec![Outcome::Passed(row.name().to_owned())]
        });
        for (row, visit) in rows.iter().zip(&visits) {
            assert_eq!(visit.outcomes, [Outcome::Passed(row.name().to_owned())]);
        }
        assert!(report("test", &["it"], &visits).is_ok());
        let visits = visit("test", &rows, None, |_, _| {
            vec![Outcome::Failed("why".to_owned())]
        });
        assert!(report("test", &["it"], &visits).is_err());
    }

    #[test]
    fn reasons_are_told_once() {
        let mut notes = Vec::new();
        let outcomes = ["why", "else", "why"].map(|why| Outcome::Skipped(why.to_owned()));
        let cells: Vec<_> = outcomes.iter().map(|one| one.short(&mut notes)).collect();
        assert_eq!(cells, ["skipped [1]", "skipped [2]", "skipped [1]"]);
        assert_eq!(notes, ["why", "else"]);
    }

    #[test]
    fn nothing_looked_at_is_no_pass() {
        let table = Table::load().unwrap();
        let rows: Vec<_> = table.rows().take(2).collect();
        let visits = visit("test", &rows, None, |_, _| {
            vec![Outcome::Skipped("why".to_owned())]
        });
        assert!(report("test", &["it"], &visits).is_err());
    }

    #[test]
    fn skipped_is_not_passed() {
        assert_eq!(Outcome::Skipped("x".into()).cell(), "skipped: x");
    }
}
