//! Every system call that a function makes is refused, at each position, with every errno that the
//! call's man page lists, once or from then on: each in a child of its own, whose parent answers in
//! place of the kernel.
//!
//! A refusal is an error that names the call and the errno, unless `expected.rs` says why not. What was
//! given comes back as it was; the second try works; and afterwards, as much is mapped, open and locked
//! as without the fault.

// Elsewhere the same calls have other names.
#![cfg(all(
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]

mod calls;
mod contents;
mod expected;
mod functions;
mod keys;
mod locks;
mod mappings;
mod matrix;
mod names;
mod nodes;
mod objects;
mod processes;
mod raw;
mod raw_linux;
mod reserved;
mod shared;
mod steps;
mod tracked;
mod trial;

use tests::{dirty, lacks, skip};
use unix_memory::{Nodes, ProtectionKey, Tracking};

/// Something that is tried once under a fault, and then again.
pub struct Scenario {
    name: &'static str,
    run: fn(&trial::Trial<'_>),
}

/// The functions of these names as scenarios.
macro_rules! scenarios {
    ($($name:ident)*) => {
        &[$(Scenario { name: stringify!($name), run: $name }),*]
    };
}
pub(crate) use scenarios;

fn check(wing: &str, scenarios: &[Scenario]) {
    if lacks::own_process("faults") {
        return;
    }
    let only = std::env::var("UNIX_MEMORY_FAULTS").ok();
    let wanted = |it: &&Scenario| only.as_ref().is_none_or(|only| it.name == only);
    let some: Vec<_> = scenarios.iter().filter(wanted).collect();
    matrix::check(wing, &some);
}

#[test]
fn each_function_has_a_scenario() {
    functions::check(&[
        contents::SCENARIOS,
        keys::SCENARIOS,
        locks::SCENARIOS,
        mappings::SCENARIOS,
        names::SCENARIOS,
        nodes::SCENARIOS,
        objects::SCENARIOS,
        processes::SCENARIOS,
        raw::SCENARIOS,
        raw_linux::KEYS,
        raw_linux::NODES,
        raw_linux::SCENARIOS,
        reserved::SCENARIOS,
        shared::SCENARIOS,
        steps::NAMES,
        steps::SCENARIOS,
        tracked::BY_SOFT_DIRTY_BITS,
        tracked::BY_WRITE_PROTECTION,
    ]);
}

#[test]
fn of_private_mappings() {
    check("private mappings", mappings::SCENARIOS);
}

#[test]
fn of_locks() {
    check("locks", locks::SCENARIOS);
}

#[test]
fn of_shared_mappings() {
    check("shared mappings", shared::SCENARIOS);
}

#[test]
fn of_reservations() {
    check("reservations", reserved::SCENARIOS);
}

#[test]
fn of_objects() {
    check("objects", objects::SCENARIOS);
}

#[test]
fn of_both_guards() {
    check("both guards", steps::SCENARIOS);
}

#[test]
fn of_names_of_memory() {
    if !steps::lacks_names() {
        check("names of memory", steps::NAMES);
    }
}

#[test]
fn of_named_objects() {
    check("named objects", names::SCENARIOS);
}

#[test]
fn of_contents() {
    check("contents", contents::SCENARIOS);
}

#[test]
fn of_processes() {
    check("processes", processes::SCENARIOS);
}

#[test]
fn of_nodes() {
    match Nodes::allowed() {
        Ok(_) => {
            check("nodes", nodes::SCENARIOS);
            check("nodes, by the raw crate", raw_linux::NODES);
        }
        Err(error) => skip("faults of nodes", &error.to_string()),
    }
}

#[test]
fn of_keys() {
    match ProtectionKey::new() {
        Ok(_) => {
            check("keys", keys::SCENARIOS);
            check("keys, by the raw crate", raw_linux::KEYS);
        }
        Err(error) => skip("faults of keys", &error.to_string()),
    }
}

#[test]
fn of_tracking() {
    if dirty::works(Tracking::WriteProtect, "faults") {
        check("tracking by write protection", tracked::BY_WRITE_PROTECTION);
    }
    if dirty::works(Tracking::SoftDirty, "faults") {
        check("tracking by soft-dirty bits", tracked::BY_SOFT_DIRTY_BITS);
    }
}

#[test]
fn of_the_raw_crate() {
    check("the raw crate", raw::SCENARIOS);
    check("the raw crate, on Linux", raw_linux::SCENARIOS);
}
