//! Huge pages in the system's pool.
// Only Linux has one.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Huge pages that are added to the system's pool as long as this lives.
///
/// One value lives at a time, of all threads and all programs of this user: the others wait. If a program is
/// killed, its pages are taken back by the next one that adds some.
#[derive(Debug)]
pub struct ReservedHugePages {
    /// Says what was added, while this lives.
    note: File,
    added: Added,
    /// A child's copy takes nothing back.
    owner: u32,
    // Other threads wait until all of the above is done.
    _alone: MutexGuard<'static, ()>,
}

/// A change of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Added {
    /// The size of the pages.
    kib: usize,
    /// How many the pool had before.
    before: u64,
    /// How many were added.
    count: u64,
}

impl ReservedHugePages {
    /// Adds `count` pages of `bytes` each.
    ///
    /// # Errors
    /// The reason why that is not possible, for example that the user is not root.
    pub fn new(bytes: usize, count: u64) -> Result<Self, String> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut note = open_note().map_err(|error| format!("a note of huge pages: {error}"))?;
        // Whoever wrote it has ended, since it no longer has the lock.
        if let Some(added) = read_note(&mut note) {
            added.take_back_what_was_left();
        }
        let kib = bytes >> 10;
        let before = pool(kib)?;
        // Noted before the pages are added: if this is killed in between, the pool is as it was.
        let added = Added { kib, before, count };
        write_note(&mut note, &added.to_string())
            .map_err(|error| format!("a note of huge pages: {error}"))?;
        let changed = set_pool(kib, before + count);
        let now = pool(kib)?;
        // Takes back what was added, also where that is less than wanted.
        let reserved = Self {
            note,
            added: Added {
                count: now.saturating_sub(before),
                ..added
            },
            owner: std::process::id(),
            _alone: alone,
        };
        changed.map_err(|error| format!("{}: {error}", path(kib)))?;
        match reserved.added.count {
            fewer if fewer < count => Err(format!("only {fewer} of {count} huge pages")),
            _ => Ok(reserved),
        }
    }
}

impl Drop for ReservedHugePages {
    fn drop(&mut self) {
        if self.owner != std::process::id() {
            return;
        }
        self.added.take_back();
        // Otherwise the next one finds that there is nothing to take back.
        let _or_later = write_note(&mut self.note, "");
    }
}

impl Added {
    /// Takes the pages back. (Others may have added some, or taken some back, meanwhile.)
    fn take_back(self) {
        if let Ok(now) = pool(self.kib) {
            let _for_root_alone = set_pool(self.kib, now.saturating_sub(self.count));
        }
    }

    /// Takes back what a program has left, which may not have added the pages yet.
    fn take_back_what_was_left(self) {
        if pool(self.kib).is_ok_and(|now| now > self.before) {
            self.take_back();
        }
    }
}

impl std::fmt::Display for Added {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kib, before, count } = self;
        write!(f, "{kib} {before} {count}")
    }
}

/// Where the pool of pages of this size is.
fn path(kib: usize) -> String {
    format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages")
}

/// How many pages the pool has.
fn pool(kib: usize) -> Result<u64, String> {
    let path = path(kib);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    text.trim()
        .parse()
        .map_err(|error| format!("{path}: {error}"))
}

fn set_pool(kib: usize, pages: u64) -> io::Result<()> {
    std::fs::write(path(kib), pages.to_string())
}

/// Opens the note, which this process has alone until the file is closed.
fn open_note() -> io::Result<File> {
    // SAFETY: the call has no preconditions.
    let user = unsafe { libc::geteuid() };
    let path = std::env::temp_dir().join(format!("unix-memory-huge-pages.{user}"));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        // In a directory where everybody can make links.
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    // A lock of the process, which no child of it has, and which ends with it.
    // SAFETY: it holds only integers, and zeros mean all bytes of the file.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::c_short::try_from(libc::F_WRLCK).expect("a small number");
    // SAFETY: the command takes a lock, which lives until the kernel returns.
    while unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLKW, &raw const lock) } != 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(file)
}

/// What the note says was added.
fn read_note(note: &mut File) -> Option<Added> {
    let mut text = String::new();
    note.rewind().ok()?;
    note.read_to_string(&mut text).ok()?;
    let mut words = text.split(' ');
    let mut word = || words.next();
    Some(Added {
        kib: word()?.parse().ok()?,
        before: word()?.parse().ok()?,
        count: word()?.parse().ok()?,
    })
}

fn write_note(note: &mut File, text: &str) -> io::Result<()> {
    note.set_len(0)?;
    note.rewind()?;
    note.write_all(text.as_bytes())
}
