//! Random sequences of safe operations, compared with a model of what memory should be. After each
//! step, the kernel is asked: what is mapped, with what protection, of what file; what is locked, and
//! advised; what is in memory; and every byte.
//!
//! What fails is shortened, and printed step by step, with the number (`seed`) that reproduces it.
//! `cargo xtask soak` does a million operations and more, with more threads and near the kernel's
//! limits.

#![cfg(any(target_os = "linux", target_os = "android"))]

mod change;
mod content;
mod contents;
mod limits;
mod locks;
mod make;
mod model;
mod operations;
mod oracle;
mod process;
mod resize;
mod run;
mod world;

use std::env;
use std::time::SystemTime;

use run::Setup;
use tests::{effort, lacks, skip};
use unix_memory::page_size;

/// The value of `UNIX_MEMORY_SEED`.
fn chosen_seed() -> Option<u64> {
    let said = env::var("UNIX_MEMORY_SEED").ok()?;
    Some(said.parse().expect("UNIX_MEMORY_SEED is a number"))
}

/// Another one each time.
fn new_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("after 1970").subsec_nanos().into()
}

fn run(threads: usize, limit: &str, cases: usize) {
    let what = "random operations, against the kernel";
    if lacks::own_process(what) {
        return;
    }
    if page_size() > 4096 {
        return skip(
            what,
            "of pages this large, the program's own memory takes too many",
        );
    }
    let cases = effort(cases).try_into().expect("a number of cases");
    let (longest, room) = (50, 12);
    let setup = Setup {
        // The same sequences each time: `cargo xtask soak` looks for new ones.
        seed: chosen_seed().unwrap_or(1),
        cases,
        longest,
        threads,
        limit,
        room,
    };
    setup.run(|_| ());
}

#[test]
fn random_operations() {
    run(1, "none", 250);
}

#[test]
fn random_operations_of_two_threads() {
    run(2, "none", 40);
}

#[test]
fn random_operations_with_few_addresses() {
    run(1, "addresses", 40);
}

#[test]
fn random_operations_with_little_data() {
    run(1, "data", 40);
}

#[test]
fn random_operations_with_little_locked_memory() {
    run(1, "locked", 40);
}

#[test]
fn random_operations_with_few_mappings() {
    run(1, "mappings", 2);
}

/// What `cargo xtask soak` runs, as the variables say that it sets.
#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak"]
fn soak() {
    let number = |name: &str| {
        let said = env::var(format!("UNIX_MEMORY_SOAK_{name}")).ok()?;
        Some(said.parse::<usize>().expect("a number"))
    };
    let limit = env::var("UNIX_MEMORY_SOAK_LIMIT").unwrap_or_else(|_| "none".to_owned());
    let operations = number("OPERATIONS").unwrap_or(100_000);
    let longest = 100;
    let setup = Setup {
        seed: chosen_seed().unwrap_or_else(new_seed),
        // Of a length between none and the longest.
        cases: (operations.div_ceil(longest / 2))
            .try_into()
            .expect("a number of cases"),
        longest: number("LONGEST").unwrap_or(longest),
        threads: number("THREADS").unwrap_or(1),
        limit: &limit,
        room: number("ROOM").unwrap_or(20),
    };
    let (mut done, mut said) = (0, 0);
    setup.run(|operations| {
        done += operations;
        if done - said >= 1000 {
            said = done;
            println!("done {done}");
        }
    });
    println!("done {done}");
}
