//! The examples, run as a person would run them, and their output checked.
//!
//! `cargo test` builds the examples first; with `--test examples` alone, `cargo build --examples` must.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

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
