//! `cargo xtask mutants`: plants one bug at a time, of the list in `mutants.toml`, and runs the tests that
//! should notice it. (`cargo xtask house` checks that each bug can still be planted.)
//!
//! The bugs are planted in a copy of the sources, below `target/xtask/mutants/`. It is kept, so that each
//! build compiles little more than the file that was changed.

mod list;
mod tree;
mod trial;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Result, bail};

use self::list::{List, Mutant};
use self::tree::Tree;
use self::trial::{Verdict, emulated, trial};

pub use self::list::faults;

/// Plants bugs, and runs the tests that should notice them
#[derive(clap::Args)]
pub struct Args {
    /// Plant only the bugs whose names contain this (may be repeated)
    #[arg(long = "name", value_name = "FILTER")]
    names: Vec<String>,
    /// Run the tests of a bug that is missed here on the machine that `cargo xtask emulate` has for it, too
    #[arg(long)]
    emulate: bool,
}

/// How many bugs ended in each way.
#[derive(Default)]
struct Counts {
    caught: usize,
    explained: usize,
    skipped: usize,
    missed: usize,
    unbuilt: usize,
}

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let start = Instant::now();
    let (faults, _) = faults()?;
    if !faults.is_empty() {
        bail!("faults of the list:\n  {}", faults.join("\n  "));
    }
    let list = List::load()?;
    let names = &args.names;
    let is_chosen =
        |it: &&Mutant| names.is_empty() || names.iter().any(|part| it.name.contains(part.as_str()));
    let chosen: Vec<&Mutant> = list.mutants.iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        bail!(
            "no name in xtask/mutants.toml contains {}",
            names.join(" or ")
        );
    }
    let tree = Tree::of_the_sources()?;
    // Otherwise a test that fails anyway would count as one that notices.
    let tests: BTreeSet<&str> = chosen.iter().flat_map(|it| it.tests()).collect();
    match trial(&tree, &tests)? {
        Verdict::Missed(_) | Verdict::Skipped(_) => {}
        Verdict::Caught(by) => bail!("without a bug, {by} fails"),
        Verdict::Unbuilt(why) => bail!("without a bug, the tests do not build:\n{why}"),
    }
    let mut counts = Counts::default();
    for mutant in chosen {
        let line = counts.count(mutant, run(&tree, mutant, args.emulate)?);
        println!("{line}");
    }
    let Counts {
        caught,
        explained,
        skipped,
        missed,
        unbuilt,
    } = counts;
    let summary = format!(
        "mutants: {caught} caught, {explained} missed and explained, {skipped} skipped, {missed} missed, \
         {unbuilt} that do not build or contradict the list; {} s",
        start.elapsed().as_secs()
    );
    if missed + unbuilt > 0 {
        bail!("{summary}");
    }
    println!("{summary}");
    Ok(())
}

/// Plants the bug, and runs its tests.
fn run(tree: &Tree, mutant: &Mutant, emulate: bool) -> Result<Verdict> {
    let _planted = tree.plant(mutant)?;
    let here = trial(tree, &mutant.tests().collect())?;
    match (here, &mutant.machine) {
        (Verdict::Missed(_), Some(machine)) if emulate => emulated(tree, machine),
        (Verdict::Missed(_), Some(machine)) => Ok(Verdict::Skipped(format!(
            "{}: --emulate runs `{}` for {}",
            machine.why, machine.test, machine.target
        ))),
        (verdict, _) => Ok(verdict),
    }
}

impl Counts {
    /// Counts the verdict, and returns the line that reports it.
    fn count(&mut self, mutant: &Mutant, verdict: Verdict) -> String {
        let name = &mutant.name;
        match (verdict, &mutant.missed) {
            (Verdict::Caught(by), None) => {
                self.caught += 1;
                format!("caught: {name} ({by})")
            }
            (Verdict::Caught(by), Some(_)) => {
                self.unbuilt += 1;
                format!("CAUGHT AFTER ALL, remove `missed` from the list: {name} ({by})")
            }
            (Verdict::Missed(_), Some(why)) => {
                self.explained += 1;
                format!("missed, as explained: {name}: {why}")
            }
            (Verdict::Skipped(why), _) => {
                self.skipped += 1;
                format!("skipped: {name}: {why}")
            }
            (Verdict::Missed(skipped), None) => {
                self.missed += 1;
                let lines = skipped.iter().map(|line| format!("\n  {line}"));
                format!("MISSED: {name}{}", lines.collect::<String>())
            }
            (Verdict::Unbuilt(why), ..) => {
                self.unbuilt += 1;
                format!("DOES NOT BUILD: {name}\n{why}")
            }
        }
    }
}
