//! What appears on a terminal.
// How to make a terminal differs from system to system.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{directory, good, half, json_of, pages};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A terminal of that many columns and 12 lines, with `command` on it.
struct Terminal {
    ours: File,
    child: Child,
}

impl Terminal {
    fn start(command: &mut Command, columns: u16) -> Option<Self> {
        let pair = || -> rustix::io::Result<(OwnedFd, OwnedFd)> {
            let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
            grantpt(&ours)?;
            unlockpt(&ours)?;
            let name = ptsname(&ours, Vec::new())?;
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            let theirs = open(&*name, flags, Mode::empty())?;
            let size = Winsize {
                ws_col: columns,
                ws_row: 12,
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            tcsetwinsize(&theirs, size)?;
            Ok((ours, theirs))
        };
        let Ok((ours, theirs)) = pair() else {
            tests::skip("what a terminal shows", "there are no pseudo-terminals");
            return None;
        };
        let child = command
            .env("TERM", "xterm-256color")
            .stdout(theirs)
            // In a slow emulator, progress is shown.
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        // The descriptors in `command` would keep the terminal open.
        command.stdout(Stdio::null());
        Some(Self {
            ours: ours.into(),
            child,
        })
    }

    /// Reads until `text` has appeared that often, and returns everything.
    fn read_until(&mut self, text: &str, often: usize) -> String {
        let start = Instant::now();
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let all = String::from_utf8_lossy(&seen).into_owned();
            if all.matches(text).count() >= often {
                return all;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "not seen: {all}");
            let read = self.ours.read(&mut buffer).expect("it writes more");
            seen.extend(&buffer[..read]);
        }
    }

    /// Reads to its end.
    fn read(mut self) -> (String, bool) {
        let mut seen = Vec::new();
        // Linux ends it with an error.
        let _end = self.ours.read_to_end(&mut seen);
        let status = self.child.wait().expect("it ends");
        (String::from_utf8(seen).expect("UTF-8"), status.success())
    }
}

#[test]
fn pictures_are_for_terminals_and_fit_them() {
    let directory = directory();
    let Some(path) = half(directory.path()) else {
        return;
    };
    for columns in [8, 40, 200] {
        let mut command = pages();
        command.env("NO_COLOR", "1").arg(&path);
        let Some(terminal) = Terminal::start(&mut command, columns) else {
            return;
        };
        let (seen, well) = terminal.read();
        assert!(well, "{seen}");
        let count = usize::from(columns).min(40) / 2;
        let picture = "█".repeat(count) + &"·".repeat(count);
        // After the notes, which have a line of their own if there is no room beside the name.
        assert_eq!(seen.lines().last(), Some(&*picture), "{seen}");
    }
    for columns in [40, 80] {
        let mut command = pages();
        command.env("NO_COLOR", "1").current_dir(directory.path());
        let Some(terminal) = Terminal::start(command.args(["-v", "."]), columns) else {
            return;
        };
        let (seen, well) = terminal.read();
        assert!(well, "{seen}");
        let fits = |line: &str| line.chars().count() <= usize::from(columns);
        assert!(seen.contains("total: ") && seen.lines().all(fits), "{seen}");
    }
    // Elsewhere there is none unless requested; it is in ASCII if there is nothing else.
    let out = good(pages().arg(&path));
    assert_eq!(out.lines().count(), 1, "{out}");
    let picture = ["--picture", "always", "--width", "10"];
    let out = good(pages().args(picture).env("LANG", "C").arg(&path));
    assert_eq!(out.lines().nth(1), Some("#####....."), "{out}");
    let out = good(pages().args(picture).env("LC_ALL", "en_US.utf8").arg(&path));
    assert_eq!(out.lines().nth(1), Some("█████·····"), "{out}");
}

#[test]
fn colours_are_for_terminals_unless_somebody_wants_none() {
    let directory = directory();
    let Some(path) = half(directory.path()) else {
        return;
    };
    let picture = ["--picture=always", "--width=4"];
    let plain = good(pages().args(picture).arg(&path));
    assert!(!plain.contains('\x1b'), "{plain}");
    let coloured = good(pages().args(picture).arg("--color=always").arg(&path));
    assert!(
        coloured.contains("\x1b[32m██\x1b[0m\x1b[2m··\x1b[0m"),
        "{coloured:?}"
    );
    for (variable, expected) in [("X", true), ("NO_COLOR", false)] {
        let mut command = pages();
        command.env(variable, "1").args(picture).arg(&path);
        let Some(terminal) = Terminal::start(&mut command, 80) else {
            return;
        };
        let (seen, _) = terminal.read();
        assert_eq!(seen.contains('\x1b'), expected, "{seen:?}");
    }
}

#[test]
fn it_watches_and_draws_again() {
    let directory = directory();
    let Some(path) = half(directory.path()) else {
        return;
    };
    let mut command = pages();
    command.arg("--watch=0.1").arg("-v").arg(directory.path());
    let Some(mut terminal) = Terminal::start(&mut command, 40) else {
        return;
    };
    let seen = terminal.read_until("total: 1 file", 2);
    assert!(seen.starts_with("\x1b[?1049h\x1b[?25l\x1b[H"), "{seen:?}");
    assert!(seen.contains(" 50%  "), "{seen:?}");
    json_of(&path, &["--load"]);
    terminal.read_until("100%  ", 1);
    kill_process(Pid::from_child(&terminal.child), Signal::TERM).expect("a signal");
    let (seen, well) = terminal.read();
    assert!(well && seen.ends_with("\x1b[?25h\x1b[?1049l"), "{seen:?}");
}
