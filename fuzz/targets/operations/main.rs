//! Sequences of safe operations, against the model and the kernel: `tests/tests/model/`, whose files are
//! compiled here as they are. There the sequences are random, here coverage finds them.
//!
//! Each runs in a child, since some of what it does lasts as long as the process. The counters of
//! coverage are in memory that the child shares.

#![no_main]
#![allow(
    dead_code,
    reason = "the files are those of a program of tests, which uses all of them"
)]

mod shared_counters;

#[path = "../../../tests/tests/model/change.rs"]
mod change;
#[path = "../../../tests/tests/model/content.rs"]
mod content;
#[path = "../../../tests/tests/model/contents.rs"]
mod contents;
#[path = "../../../tests/tests/model/limits.rs"]
mod limits;
#[path = "../../../tests/tests/model/locks.rs"]
mod locks;
#[path = "../../../tests/tests/model/make.rs"]
mod make;
#[path = "../../../tests/tests/model/model.rs"]
mod model;
#[path = "../../../tests/tests/model/operations.rs"]
mod operations;
#[path = "../../../tests/tests/model/oracle.rs"]
mod oracle;
#[path = "../../../tests/tests/model/process.rs"]
mod process;
#[path = "../../../tests/tests/model/resize.rs"]
mod resize;
#[path = "../../../tests/tests/model/run.rs"]
mod run;
#[path = "../../../tests/tests/model/world.rs"]
mod world;

use std::cell::RefCell;
use std::fs::File;

use libfuzzer_sys::fuzz_target;
use operations::Operation;
use run::Setup;

const SETUP: Setup = Setup {
    seed: 0,
    cases: 1,
    longest: 0,
    threads: 1,
    limit: "none",
    room: 0,
};

thread_local! {
    /// What a child says.
    static SAID: RefCell<File> = RefCell::new(tempfile::tempfile().expect("a file"));
}

fuzz_target!(init: shared_counters::share(), |operations: Vec<Operation>| {
    if operations.is_empty() {
        return;
    }
    SAID.with_borrow_mut(|said| {
        let all = [operations];
        if let Err(reason) = SETUP.in_a_child(&all, said, false) {
            let steps = SETUP.in_a_child(&all, said, true);
            panic!("{reason}\n{}", steps.err().unwrap_or_else(|| format!("{all:#?}")));
        }
    });
});
