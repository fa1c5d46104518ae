//! Locks, and what ends them.

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Ran, directory, file, lacks_pages, pages, resident, run};
use rustix::process::{Pid, Signal, kill_process};
use unix_memory::page_size;

fn spawn(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Waits until the file holds a number.
fn number_in(path: &Path, child: &mut Child) -> u32 {
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if let Ok(number) = text.trim().parse() {
            return number;
        }
        assert_eq!(child.try_wait().expect("a child"), None, "it ended");
        assert!(start.elapsed() < Duration::from_secs(120), "no number");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).expect("the signal is sent");
}

fn end(child: Child) -> Ran {
    child.wait_with_output().expect("it ends").into()
}

/// How many bytes a process has locked, if that is reported.
fn locked(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmLck:"))?;
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// The command, started with this disposition of `signal`, whatever this process has.
fn with_action(command: &mut Command, signal: Signal, action: libc::sighandler_t) -> &mut Command {
    let set = move || {
        // SAFETY: the handler is not a function of the program.
        if unsafe { libc::signal(signal.as_raw(), action) } == libc::SIG_ERR {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: all that is called in the child is async-signal-safe.
    unsafe { command.pre_exec(set) }
}

#[test]
fn it_locks_until_a_signal() {
    if lacks_pages("the pages of a file") || tests::lacks::own_process("a process that locks") {
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 9);
    let pid_file = directory.path().join("pid");
    let mut lock = pages();
    lock.arg("--lock")
        .arg("--pid-file")
        .args([&pid_file, &path]);
    for end_by in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut child = spawn(with_action(&mut lock, end_by, libc::SIG_DFL));
        assert_eq!(number_in(&pid_file, &mut child), child.id());
        if let Some(locked) = locked(child.id()) {
            assert_eq!(locked, 10 * page_size());
        }
        assert!(resident(&path).iter().all(|&page| page));

        // Nobody else takes the file meanwhile.
        let ran = run(&mut lock);
        assert_eq!(ran.code, Some(1));
        let expected = format!(": process {} has this file: end it first", child.id());
        assert!(ran.err.contains(&expected), "{}", ran.err);

        signal(&child, end_by);
        let ran = end(child);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.out.contains("locked)\n"), "{}", ran.out);
        assert!(
            ran.err.contains(" locked, until a signal ends process "),
            "{}",
            ran.err
        );
        assert!(!pid_file.exists());
    }
}

#[test]
fn a_signal_that_is_ignored_ends_nothing() {
    if lacks_pages("the pages of a file") || tests::lacks::own_process("a process that locks") {
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 1);
    let pid_file = directory.path().join("pid");
    let mut lock = pages();
    lock.arg("-lP").args([&pid_file, &path]);
    // As nohup starts it.
    let mut child = spawn(with_action(&mut lock, Signal::HUP, libc::SIG_IGN));
    number_in(&pid_file, &mut child);
    signal(&child, Signal::HUP);
    std::thread::sleep(Duration::from_millis(100));
    assert!(child.try_wait().expect("a child").is_none());
    signal(&child, Signal::TERM);
    assert_eq!(end(child).code, Some(0));
}

#[test]
fn a_signal_ends_the_wait_for_a_list() {
    let directory = directory();
    let path = file(directory.path(), "file", 1);
    let lock: &[&str] = &["-l", "-b", "-"];
    let watch: &[&str] = &["--watch", "-b", "-"];
    for options in [lock, watch] {
        let mut command = pages();
        command.args(options).arg(&path).stdin(Stdio::piped());
        let mut child = spawn(with_action(&mut command, Signal::TERM, libc::SIG_DFL));
        let list = child.stdin.take();
        // (If the signal is sent before the program listens, it ends the program too.)
        std::thread::sleep(Duration::from_millis(200));
        signal(&child, Signal::TERM);
        let ran = end(child);
        assert_ne!(ran.code, Some(0), "{} {}", ran.out, ran.err);
        drop(list);
    }
}

#[test]
fn a_locked_file_may_be_truncated_and_removed() {
    if lacks_pages("the pages of a file") || tests::lacks::own_process("a process that locks") {
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 9);
    let pid_file = directory.path().join("pid");
    let mut child = spawn(pages().arg("-qlP").args([&pid_file, &path]));
    number_in(&pid_file, &mut child);
    File::create(&path).expect("it is truncated");
    fs::remove_file(&path).expect("it is removed");
    signal(&child, Signal::TERM);
    let ran = end(child);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", ""));
}

#[test]
fn what_cannot_be_locked_is_not_waited_for() {
    let directory = directory();
    let pid_file = directory.path().join("pid");
    let ran = run(pages()
        .arg("-lP")
        .args([&*pid_file, Path::new("/no/such/file")]));
    assert_eq!(ran.code, Some(1));
    assert!(!pid_file.exists());
    let ran = run(pages()
        .arg("-lP")
        .args(["/no/such/directory/pid", "/no/such/file"]));
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.err,
        "pages: /no/such/directory/pid: No such file or directory\n"
    );
}

#[test]
fn the_limit_is_named() {
    if !cfg!(target_os = "linux")
        || common::is_root()
        || tests::lacks::own_process("a process that locks")
    {
        tests::skip("the limit on locked memory", "root has none");
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 100);
    let mut limited = Command::new("sh");
    let program = pages();
    limited
        .args(["-c", "ulimit -l 64; exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args());
    let ran = run(limited.arg("--lock").arg(&path));
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.err.contains("this process may lock 65536"),
        "{}",
        ran.err
    );
}

#[test]
fn a_reader_that_stops_ends_it_silently() {
    let directory = directory();
    for number in 0..2000 {
        File::create(directory.path().join(format!("{number:0100}"))).expect("a file");
    }
    let mut child = spawn(pages().arg("-v").arg(directory.path()));
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 10]).expect("a beginning");
    drop(out);
    let mut err = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut err).expect("text");
    let status = child.wait().expect("it ends");
    assert_eq!(err, "");
    assert!(!status.success(), "{status}");
}

#[test]
fn output_that_has_no_room_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        tests::skip("a full disk", "there is no /dev/full");
        return;
    };
    let ran = run_into(pages().arg(env!("CARGO_BIN_EXE_pages")).arg("-j"), full);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.err, "pages: standard output: No space left on device\n");
}

fn run_into(command: &mut Command, out: File) -> Ran {
    let child = command.stdout(out).stderr(Stdio::piped()).spawn();
    end(child.expect("it starts"))
}
