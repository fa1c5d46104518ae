//! What the tests of the program share.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use unix_memory::{MapOptions, ReadOnly, page_size};

/// The program, under the same emulator as this test, which `cargo xtask emulate` sets.
pub fn pages() -> Command {
    const PROGRAM: &str = env!("CARGO_BIN_EXE_pages");
    let emulator = std::env::var("UNIX_MEMORY_RUNNER").unwrap_or_default();
    let mut words = emulator.lines();
    let mut command = match words.next() {
        None => Command::new(PROGRAM),
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.args(words).arg(PROGRAM);
            command
        }
    };
    for variable in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "LC_ALL",
        "LC_CTYPE",
    ] {
        command.env_remove(variable);
    }
    command.env("LANG", "C.UTF-8").stdin(Stdio::null());
    command
}

/// Whether the kernel's own pages are shown; an emulator may combine them into larger ones.
pub fn lacks_pages(check: &str) -> bool {
    tests::lacks::own_pages(check)
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

pub fn run(command: &mut Command) -> Ran {
    command.output().expect("the program starts").into()
}

/// What it prints if it succeeds.
pub fn good(command: &mut Command) -> String {
    let ran = run(command);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{}", ran.out);
    ran.out
}

/// All of the output of `--json`.
pub fn json(command: &mut Command) -> Value {
    let ran = run(command.arg("--json"));
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

/// The output of `--json` about one file.
pub fn json_of(path: &Path, options: &[&str]) -> Value {
    json(pages().args(options).arg(path))["files"][0].take()
}

pub fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// A new directory on a disk, since files on a tmpfs cannot be evicted.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// A file of `pages` pages and one byte.
pub fn file(directory: &Path, name: &str, pages: usize) -> PathBuf {
    let path = directory.join(name);
    let mut file = File::create(&path).expect("a file");
    // The kernel may keep what is written at once as one large page, and evict that only as a whole.
    let page = vec![1; page_size()];
    for _ in 0..pages {
        file.write_all(&page).expect("room on the disk");
    }
    file.write_all(&[1]).expect("room on the disk");
    path
}

/// A file of 40 pages, the first half of which is in memory; `None` if that is not possible.
pub fn half(directory: &Path) -> Option<PathBuf> {
    if lacks_pages("the pages of a file") || tests::lacks::advice("evicting a file") {
        return None;
    }
    let path = file(directory, "half", 39);
    json_of(&path, &["--load"]);
    let range = format!("{}-", 20 * page_size());
    json_of(&path, &["--evict", "-p", &range]);
    Some(path)
}

/// Which pages of a file are in memory, according to the library, whose own tests compare it with the
/// kernel.
pub fn resident(path: &Path) -> Vec<bool> {
    let file = File::open(path).expect("the file");
    let mapping = MapOptions::new()
        .map_shared(&file, ReadOnly)
        .expect("a file that can be mapped");
    let pages: Result<_, _> = mapping.residency().collect();
    pages.expect("which pages are in memory")
}

/// The runs of pages in memory, in the format of `--json`.
pub fn runs(resident: &[bool]) -> Value {
    let mut runs = Vec::new();
    let mut first = 0;
    for run in resident.chunk_by(|a, b| a == b) {
        if run[0] {
            runs.push(serde_json::json!([first, run.len()]));
        }
        first += run.len();
    }
    Value::Array(runs)
}

/// Whether this process may read everything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
