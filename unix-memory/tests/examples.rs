//! The examples, run as a person would run them, and their output checked.
//!
//! `cargo test` builds the examples first; with `--test examples` alone, `cargo build --examples` must.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::Value;
use unix_memory::{Mapping, page_size};

/// The program that cargo built from `examples/NAME` together with this test.
fn path_of(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    target.join("examples").join(name)
}

/// A command that runs it; under the same emulator as this test, of which `cargo xtask emulate`
/// tells.
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

/// Whether advice is not heard, as under an emulator that takes any value; then it says that
/// `check` was left out.
fn lacks_advice(check: &str) -> bool {
    const NO_ADVICE: libc::c_int = 0x7eed_beef;
    let page = Mapping::anonymous(page_size()).unwrap();
    let address = page.as_ptr().cast_mut().cast();
    // SAFETY: the page is ours alone, and there is no such advice.
    let taken = unsafe { libc::madvise(address, page.len(), NO_ADVICE) } == 0;
    if taken {
        println!("skipped: {check}: an emulator takes any advice and keeps it to itself");
    }
    taken
}

/// Whether the kernel's pages are smaller than what the emulator makes of them, so that it tells of
/// more of them than there are; then it says that `check` was left out.
fn lacks_own_pages(check: &str) -> bool {
    let page = Mapping::anonymous(page_size()).unwrap();
    let mut pages = vec![0xff_u8; page_size()];
    let address = page.as_ptr().cast_mut().cast();
    // SAFETY: there is room for as many pages as there can be.
    let asked = unsafe { libc::mincore(address, page.len(), pages.as_mut_ptr()) };
    assert_eq!(asked, 0);
    let more = pages[1] != 0xff;
    if more {
        println!("skipped: {check}: an emulator makes each page of several of the kernel's");
    }
    more
}

/// Whether the libc crate's number for options of sockets, of which descriptors are sent, is not the
/// kernel's: 0.2.191 has another on 64-bit MIPS with musl; then it says that `check` was left out.
fn lacks_socket_options(check: &str) -> bool {
    let (socket, _peer) = UnixStream::pair().unwrap();
    let mut kind: libc::c_int = 0;
    let mut len = 4;
    // SAFETY: there is room for as many bytes as `len` says.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TYPE,
            (&raw mut kind).cast(),
            &raw mut len,
        )
    };
    if failed != 0 {
        println!("skipped: {check}: the libc crate has not the kernel's SOL_SOCKET");
    }
    failed != 0
}

fn run(command: &mut Command) -> (bool, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

/// What `pages --json` says of one file.
fn json(path: &Path, options: &[&str]) -> Value {
    let (ok, out, err) = run(example("pages").arg("--json").args(options).arg(path));
    assert!(ok, "{err}");
    serde_json::from_str::<Vec<Value>>(&out).unwrap().remove(0)
}

/// A new directory on a disk: what is on a tmpfs cannot be evicted.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A file of `pages` pages and one byte, written to disk.
fn file(directory: &tempfile::TempDir, pages: usize) -> PathBuf {
    let path = directory.path().join("file");
    let mut file = File::create(&path).unwrap();
    // What is written at once the kernel may keep as one large page, and evict only as a whole.
    let page = vec![1; page_size()];
    for _ in 0..pages {
        file.write_all(&page).unwrap();
    }
    file.write_all(&[1]).unwrap();
    path
}

#[test]
fn maps_shows_a_process() {
    let (ok, out, err) = run(&mut example("maps"));
    if err.contains("Function not implemented") {
        println!("skipped: a map of a process: this system has none that is known here");
        return;
    }
    assert!(ok, "{err}");
    let mut lines = out.lines();
    assert_eq!(
        lines.next(),
        Some("Address              Kbytes        RSS Mode  Mapping")
    );
    let kbytes = |line: &str| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok();
    let (mut sum, mut total) = (0, None);
    for line in lines {
        match line.strip_prefix("total") {
            Some(_) => total = kbytes(line),
            None => sum += kbytes(line).unwrap_or_else(|| panic!("{line}")),
        }
    }
    assert!(sum > 0);
    assert_eq!(total, Some(sum));
    if cfg!(target_os = "linux") {
        // Its own code, and its own stack.
        assert!(
            out.contains("/examples/maps") && out.contains("[stack]"),
            "{out}"
        );
        assert!(out.contains(" r-xp  /"), "{out}");
    }

    let (ok, out, err) = run(example("maps").arg(i32::MAX.to_string()));
    assert!(!ok && out.lines().count() <= 1, "{out}");
    assert!(
        err.contains("process_map of process 2147483647: No such process"),
        "{err}"
    );
    let (ok, _, err) = run(example("maps").arg("x"));
    assert!(!ok && err.contains("invalid digit"), "{err}");
}

#[test]
fn checkpoint_writes_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoint");
    let (ok, out, err) = run(example("checkpoint").arg(&path));
    assert!(ok, "{err}");
    assert_eq!(
        path.metadata().unwrap().len(),
        1000 * u64::try_from(page_size()).unwrap()
    );
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 7, "{out}");
    let written = match lines[0] {
        "tracked by WriteProtect" => 10..=10,
        // The kernel may merge the memory with other memory, all of which is written then.
        "tracked by SoftDirty" => 10..=1000,
        reason => {
            println!("skipped: checkpoints of what changed: {reason}");
            1000..=1000
        }
    };
    for (line, round) in lines[1..6].iter().zip(1..) {
        let pages = line.strip_prefix(&format!("checkpoint {round}: "));
        let pages = pages.and_then(|rest| rest.strip_suffix(" of 1000 pages"));
        let pages = pages.and_then(|pages| pages.parse().ok());
        assert!(pages.is_some_and(|pages| written.contains(&pages)), "{out}");
    }
    assert_eq!(lines[6], "the file has what the memory has: true");
    let (ok, _, err) = run(&mut example("checkpoint"));
    assert!(!ok && err.contains("name the file"), "{err}");
}

#[test]
fn dev_zero_reads_zeros() {
    if lacks_own_pages("mapping a device") {
        return;
    }
    let (ok, out, _) = run(&mut example("dev_zero"));
    assert!(ok);
    assert_eq!(
        out,
        "mapped 4096 bytes of /dev/zero and read them; all zero: true\n"
    );
}

#[test]
fn code_that_was_just_made_adds() {
    let (ok, out, err) = run(&mut example("jit"));
    assert!(ok, "{err}");
    let none = format!("no instructions for {} are here\n", std::env::consts::ARCH);
    if out == none {
        println!("skipped: machine code: {none}");
        return;
    }
    assert_eq!(out, "2 + 3 = 5\n");
    let (ok, out, err) = run(example("jit").arg("255"));
    assert!(ok, "{err}");
    assert_eq!(out, "2 + 255 = 257\n");
    let (ok, out, _) = run(example("jit").arg("256"));
    assert_eq!((ok, &*out), (false, ""));
}

#[test]
fn it_signs_with_a_secret() {
    let message = tempfile::NamedTempFile::new().unwrap();
    message.as_file().write_all(b"a message").unwrap();
    let sign = || {
        let input = File::open(message.path()).unwrap();
        let output = example("secret").stdin(input).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let out = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<String> = out.lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "a key of 32 bytes");
        let answers = [": yes", ": no"];
        let answered = |line: &String| answers.iter().any(|answer| line.ends_with(answer));
        assert!(lines[1..7].iter().all(answered), "{out}");
        assert_eq!(lines[8], "its copy is equal: true");
        lines[7].clone()
    };
    let (one, other) = (sign(), sign());
    assert!(one.starts_with("9 bytes signed: "), "{one}");
    assert_ne!(one, other, "each time with another key");
}

#[test]
fn two_processes_share_memory() {
    // It starts itself again.
    let alone = Command::new(path_of("share_fd"))
        .arg("child")
        .stdin(Stdio::null())
        .output();
    // Without a parent it has nothing to read, and says so; where the kernel does not run it, or not
    // without what an emulator has for it, nobody says anything.
    if !alone.is_ok_and(|alone| alone.stderr.starts_with(b"Error: ")) {
        println!("skipped: two processes: the kernel runs this program in an emulator alone");
        return;
    }
    if lacks_socket_options("two processes") {
        return;
    }
    let (ok, out, err) = run(&mut example("share_fd"));
    assert!(ok, "{err}");
    // Each tells in its own time.
    let (parent, child): (Vec<_>, Vec<_>) =
        out.lines().partition(|line| line.starts_with("parent: "));
    assert_eq!(
        parent,
        [
            "parent: made 65536 bytes of shared memory",
            "parent: sent its descriptor to another process",
            "parent: both have counted to 200000",
            "parent: read the answer: 2 of 100000 each",
        ]
    );
    assert_eq!(
        child,
        ["child: got 65536 bytes, and read: how many rounds did we count?"]
    );
    // A child without a parent has nothing to read.
    let (ok, _, err) = run(example("share_fd").arg("child"));
    assert!(!ok && err.contains("Error"), "{err}");
}

#[test]
fn without_files_it_shows_itself() {
    if lacks_own_pages("the pages of a file") {
        return;
    }
    let mut pages = example("pages");
    let owner = std::fs::metadata(path_of("pages")).unwrap().uid();
    let (ok, out, err) = run(pages.args(["--width", "40"]));
    let us = rustix::process::geteuid();
    if !us.is_root() && owner != us.as_raw() {
        // Somebody else built the program: then the kernel does not tell us.
        assert!(!ok && err.contains("only to the file's owner"), "{err}");
        return;
    }
    assert!(ok, "{err}");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("examples/pages: ") && lines[0].contains(" in memory ("),
        "{out}"
    );
    assert_eq!(lines[1].chars().count(), 40);
}

#[test]
fn evict_read_and_load_are_seen() {
    if lacks_advice("evicting a file") || lacks_own_pages("evicting a file") {
        return;
    }
    let directory = directory();
    let path = file(&directory, 999);
    let evicted = json(&path, &["--evict"]);
    assert_eq!(evicted["size"], 999 * page_size() + 1);
    assert_eq!(evicted["pages"], 1000);
    // Nobody else uses the file, but each processor holds on to some pages that it has just added.
    let left = evicted["resident"].as_u64().unwrap();
    assert!(left < 100, "{evicted}");

    // Reading one page brings it in, and some after it.
    File::open(&path)
        .unwrap()
        .read_at(&mut [0], 500 * page_size() as u64)
        .unwrap();
    let read = json(&path, &[]);
    let resident = read["resident"].as_u64().unwrap();
    assert!((left..900).contains(&resident), "{read}");
    let runs: Vec<(u64, u64)> = serde_json::from_value(read["resident_runs"].clone()).unwrap();
    assert!(
        runs.iter()
            .any(|&(first, count)| (first..first + count).contains(&500)),
        "{read}"
    );
    assert_eq!(runs.iter().map(|&(_, count)| count).sum::<u64>(), resident);
    let (_, out, _) = run(example("pages").args(["--width", "20"]).arg(&path));
    let picture = out.lines().nth(1).unwrap();
    assert!(
        picture.contains('·') && picture.chars().count() == 20,
        "{picture}"
    );

    let loaded = json(&path, &["--load"]);
    assert_eq!(loaded["resident"], 1000);
    assert_eq!(loaded["resident_runs"], serde_json::json!([[0, 1000]]));
    let (_, out, _) = run(example("pages").args(["--width", "20"]).arg(&path));
    assert_eq!(out.lines().nth(1).unwrap(), "█".repeat(20));
}

#[test]
fn sparse_and_empty_files() {
    if lacks_own_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    let path = directory.path().join("sparse");
    let len: u64 = if cfg!(target_pointer_width = "64") {
        4 << 30
    } else {
        // There may be no more than 2 GiB in all.
        256 << 20
    };
    File::create(&path).unwrap().set_len(len).unwrap();
    let sparse = json(&path, &[]);
    assert_eq!(sparse["size"], len);
    assert_eq!(sparse["resident"], 0);
    let path = directory.path().join("empty");
    File::create(&path).unwrap();
    let (ok, out, err) = run(example("pages").arg(&path));
    assert!(ok, "{err}");
    assert_eq!(
        out,
        format!("{}: 0 bytes, 0 pages, 0 in memory\n", path.display())
    );
}

#[test]
fn what_cannot_be_shown_is_told_and_the_rest_is_done() {
    if lacks_own_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    let path = file(&directory, 3);
    let pipe = directory.path().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR).unwrap();
    let missing = directory.path().join("missing");
    let (ok, out, err) = run(example("pages").args([
        Path::new("/dev/zero"),
        directory.path(),
        &missing,
        &pipe,
        &path,
    ]));
    assert!(!ok);
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.starts_with(&format!("{}: ", path.display())), "{out}");
    let expected = [
        "/dev/zero: mmap at file offset 0: Invalid argument (give the length: a character device \
         does not tell it)",
        "No such device (a directory cannot be mapped)",
        "missing: No such file or directory (os error 2)",
        "No such device (a pipe cannot be mapped)",
    ];
    for (line, expected) in err.lines().zip(expected) {
        assert!(
            line.starts_with("pages: ") && line.ends_with(expected),
            "{line}"
        );
    }
    assert_eq!(err.lines().count(), expected.len(), "{err}");

    let (ok, out, _) = run(example("pages").arg("--json").args([&missing, &path]));
    assert!(!ok);
    let reports: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert!(
        reports[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("No such file")
    );
    assert_eq!(reports[1]["pages"], 4);
    assert_eq!(reports[1]["page_size"], page_size());
}

#[test]
fn a_file_without_permission_to_read() {
    if lacks_own_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    let path = file(&directory, 1);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let (ok, _, err) = run(example("pages").arg(&path));
    // Root may read everything.
    assert_eq!(ok, rustix::process::geteuid().is_root(), "{err}");
    assert!(
        ok || err.ends_with("Permission denied (os error 13)\n"),
        "{err}"
    );
}

#[test]
fn it_locks_until_enter() {
    if lacks_own_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    let path = file(&directory, 9);
    let mut child = example("pages")
        .args(["--lock", "--width", "10"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its prompt comes when everything is locked.
    let mut prompt = [0; 24];
    std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut prompt).unwrap();
    assert_eq!(&prompt, b"1 of 1 files locked; pre");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let locked = status
        .lines()
        .find_map(|line| line.strip_prefix("VmLck:"))
        .unwrap();
    let kilobytes: usize = locked.trim().trim_end_matches(" kB").parse().unwrap();
    assert_eq!(kilobytes << 10, 10 * page_size());
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn bad_options_are_refused() {
    let (ok, _, err) = run(example("pages").args(["--advise", "whatever"]));
    assert!(!ok && err.contains("willneed"), "{err}");
    let (ok, _, err) = run(example("pages").args(["--load", "--evict"]));
    assert!(!ok && err.contains("cannot be used with"), "{err}");
}

#[test]
fn a_large_file_on_a_wide_terminal() {
    if lacks_own_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    let path = directory.path().join("wide");
    // 32 bits cannot tell ten times its bytes, nor its pages of 4 KiB times the columns.
    File::create(&path).unwrap().set_len(450 << 20).unwrap();
    let (ok, out, err) = run(example("pages").args(["--width", "65535"]).arg(&path));
    assert!(ok, "{err}");
    let pages = (450 << 20) / page_size();
    let picture = "·".repeat(pages.min(65535));
    let path = path.display();
    let expected = format!("{path}: 450.0 MiB, {pages} pages, 0 in memory (0%)\n{picture}\n");
    assert_eq!(out, expected);
}
