//! Each operation of the crate, the bare calls and the peers, to be counted rather than timed: one
//! operation, that many times, for callgrind; or how many system calls it makes.
//!
//! `cargo xtask counts` runs it, and compares with what is allowed.

// Only callgrind's systems count; elsewhere there is nothing to run.
#![cfg_attr(not(target_os = "linux"), allow(unused))]

mod anonymous;
mod bare;
mod files;
mod operation;
mod parts;
mod shared;

use std::process::ExitCode;

use operation::Operation;

/// All that is counted.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let all = [
        anonymous::OPERATIONS,
        parts::OPERATIONS,
        files::OPERATIONS,
        shared::OPERATIONS,
    ];
    all.into_iter().flatten()
}

/// `list`; `run <operation> <by> <times>`; `calls <operation> <by> <times>`.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => {
            for operation in operations() {
                println!("{}\t{}", operation.name, operation.by);
            }
            ExitCode::SUCCESS
        }
        [way @ ("run" | "calls"), name, by, times] => {
            let found = operations().find(|operation| operation.name == name && operation.by == by);
            let (Some(operation), Ok(times)) = (found, times.parse()) else {
                eprintln!("counts: no such operation, or no number: {name} {by} {times}");
                return ExitCode::from(2);
            };
            if way == "run" {
                (operation.run)(times);
            } else {
                match tests::kernel::system_calls(|| (operation.run)(times)).get() {
                    Some(calls) => println!("{calls}"),
                    None => return ExitCode::FAILURE,
                }
            }
            ExitCode::SUCCESS
        }
        // `cargo bench` runs all benches: there is nothing for it to time here.
        _ => {
            println!("counts: run by `cargo xtask counts`");
            ExitCode::SUCCESS
        }
    }
}
