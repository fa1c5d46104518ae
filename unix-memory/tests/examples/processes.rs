//! Examples with several processes, some of which start themselves again.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::{example, path_of, run};

/// Whether the libc crate's number for options of sockets, of which descriptors are sent, is not the
/// kernel's: 0.2.191 has another on 64-bit MIPS with musl; prints in that case that `check` was
/// skipped.
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

/// Whether the kernel runs the example without an emulator when the example starts itself again;
/// otherwise prints that `check` was skipped. With these arguments, the example ends with an error or a
/// signal.
fn starts_itself(name: &str, arguments: &[&str], check: &str) -> bool {
    let path = path_of(name);
    assert!(path.exists(), "{} is not built", path.display());
    let mut alone = Command::new(path);
    let alone = alone.args(arguments).stdin(Stdio::null()).output();
    // If the kernel does not run it, or not without what an emulator provides, nothing is printed.
    let runs = alone.is_ok_and(|alone| {
        let guarded = matches!(alone.status.signal(), Some(libc::SIGSEGV | libc::SIGBUS));
        alone.stderr.starts_with(b"Error: ") || guarded
    });
    if !runs {
        println!("skipped: {check}: the kernel runs this program in an emulator alone");
    }
    runs
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
fn two_processes_share_memory() {
    // Without a parent it has nothing to read, and says so.
    if !starts_itself("share_fd", &["child"], "two processes") {
        return;
    }
    if lacks_socket_options("two processes") {
        return;
    }
    let (ok, out, err) = run(&mut example("share_fd"));
    assert!(ok, "{err}");
    assert_eq!(
        out,
        "child: got 65536 bytes, and read: six times seven?\nparent: the answer is 42\n"
    );
    // A child without a parent has nothing to read.
    let (ok, _, err) = run(example("share_fd").arg("child"));
    assert!(!ok && err.contains("Error"), "{err}");
}

#[test]
fn two_processes_count_together() {
    // Without a parent there is nothing to map.
    if !starts_itself("shared_counter", &["child"], "two processes") {
        return;
    }
    let (ok, out, err) = run(&mut example("shared_counter"));
    assert!(ok, "{err}");
    assert_eq!(out, "two processes have counted to 2000000\n");
}

#[test]
fn a_log_survives_its_writer() {
    let directory = tempfile::tempdir().unwrap();
    // Without a name, it reports that one is missing.
    if !starts_itself("persistent_log", &[], "a writer that is killed") {
        return;
    }
    let path = directory.path().join("log");
    let mut len = 0;
    for _ in 0..3 {
        let (ok, out, err) = run(example("persistent_log").arg(&path));
        assert!(ok, "{err}");
        let reported = out.strip_prefix("killed by signal 9 after ");
        let reported = reported.and_then(|rest| rest.strip_suffix(" records\nlost: 0\n"));
        let reported = reported.and_then(|number| number.parse::<u64>().ok());
        let grown = path.metadata().unwrap().len() - len;
        len += grown;
        // Each has at least a header and "record 0".
        assert!(grown >= 1000 * 16, "{grown}");
        assert!(
            reported.is_some_and(|it| it >= 1000 && it <= len / 16),
            "{out}"
        );
    }
    // An incomplete record is cut off, and the next one takes its place.
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(len - 1).unwrap();
    let (ok, out, err) = run(example("persistent_log").arg(&path));
    assert!(ok && out.ends_with("lost: 0\n"), "{out}{err}");
    let content = std::fs::read(&path).unwrap();
    let records = String::from_utf8_lossy(&content);
    for number in [0, 999, 3000] {
        assert!(records.contains(&format!("record {number}")), "{number}");
    }
}

#[test]
fn an_overflow_hits_the_guard() {
    if !starts_itself("guarded_stack", &["overflow"], "an overflow of a stack") {
        return;
    }
    let (ok, out, err) = run(&mut example("guarded_stack"));
    assert!(ok, "{err}");
    let (stack, child) = out.split_once('\n').unwrap();
    assert_eq!(stack, "a thread ran on 256 KiB of stack");
    assert_eq!(child, "the guard has ended the child\n");
}
