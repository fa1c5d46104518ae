//! The examples, run as a person would run them, and their output checked.
//!
//! `cargo test` builds the examples first; with `--test examples` alone, `cargo build --examples` must.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

mod files;
mod memory;
mod processes;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program that cargo built from `examples/NAME` together with this test.
fn path_of(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    target.join("examples").join(name)
}

/// A command that runs it; under the same emulator as this test, which `cargo xtask emulate`
/// names.
fn example(name: &str) -> Command {
    let emulator = std::env::var("UNIX_MEMORY_RUNNER").unwrap_or_default();
    let mut words = emulator.lines();
    let Some(emulator) = words.next() else {
        return Command::new(path_of(name));
    };
    let mut command = Command::new(emulator);
    command.args(words).arg(path_of(name));
    command
}

/// Runs it without input, and returns whether it succeeded, its output, and its errors.
fn run(command: &mut Command) -> (bool, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}
