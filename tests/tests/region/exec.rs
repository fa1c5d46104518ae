//! What a program leaves to the one that it becomes by `exec`: nothing. Memory and locks are the process's;
//! each descriptor that this library opens, and keeps, is closed.
// What is open is asked of /proc.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::any::Any;
use std::collections::BTreeSet;
use std::os::fd::RawFd;

use tests::{in_a_child, lacks, skip};
use unix_memory::code::{CodeBuffer, Way};
use unix_memory::process_map::ProcessMap;
use unix_memory::ring::{SharedRing, pair};
use unix_memory::secret::Secret;
use unix_memory::{
    MapOptions, Mapping, MemfdOptions, ReadWrite, Result, SealedMemory, SharedMemory, Tracking,
    page_size,
};

/// The descriptors that are open, besides the one that this takes.
fn open() -> BTreeSet<RawFd> {
    let all = std::fs::read_dir("/proc/self/fd").expect("/proc");
    let numbers = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: BTreeSet<RawFd> = numbers.collect();
    // SAFETY: the command takes nothing more, and reads.
    let is_open = |&fd: &RawFd| unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1;
    numbers.into_iter().filter(is_open).collect()
}

/// Something that is kept, or why there is none.
type Kept = Result<Box<dyn Any>>;

/// Everything that may keep a descriptor.
fn everything() -> Vec<(&'static str, Kept)> {
    fn kept<T: Any>(made: Result<T>) -> Kept {
        made.map(|kept| Box::new(kept) as Box<dyn Any>)
    }
    let page = page_size();
    let tracked = |by| {
        let mapping = Mapping::anonymous(page).expect("a page");
        mapping.into_tracked_by(by).map_err(|failed| failed.error())
    };
    vec![
        ("unnamed memory", kept(SharedMemory::unnamed(page as u64))),
        (
            "a memfd",
            kept(MemfdOptions::new().name(c"exec").create(page as u64)),
        ),
        ("sealed memory", kept(SealedMemory::from_bytes(b"bytes"))),
        ("a ring", kept(pair(page))),
        ("a shared ring", kept(SharedRing::create(page))),
        ("a secret", kept(Secret::zeroed(20))),
        (
            "code in two mappings",
            kept(CodeBuffer::with(page, Way::DualMapping)),
        ),
        ("code", kept(CodeBuffer::with(page, Way::Flip))),
        ("a map of the process", kept(ProcessMap::of_self())),
        (
            "tracked by protection",
            kept(tracked(Tracking::WriteProtect)),
        ),
        (
            "tracked by soft-dirty bits",
            kept(tracked(Tracking::SoftDirty)),
        ),
        (
            "a mapping",
            kept(MapOptions::new().len(page).map_anonymous_shared(ReadWrite)),
        ),
    ]
}

#[test]
fn every_descriptor_is_closed() {
    // An emulator opens some for itself.
    if lacks::own_process("what a program finds open") {
        return;
    }
    let ended = in_a_child(|| {
        let before = open();
        let all = everything();
        let new: BTreeSet<_> = open().difference(&before).copied().collect();
        for (what, made) in &all {
            if let Err(error) = made {
                skip(what, &error.to_string());
            }
        }
        // Without any, this would check nothing.
        assert!(!new.is_empty());
        for &fd in &new {
            // SAFETY: the command takes nothing more, and reads.
            let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
            let name = std::fs::read_link(format!("/proc/self/fd/{fd}"));
            assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC, "{name:?}");
        }
        // And so it is in another program.
        let listed = std::process::Command::new("ls")
            .arg("/proc/self/fd")
            .output();
        let listed = listed.expect("a program").stdout;
        let listed = String::from_utf8(listed).expect("numbers");
        // That program opens the directory itself, by the lowest number that is free.
        let lowest = (0..RawFd::MAX)
            .find(|fd| !before.contains(fd))
            .expect("a number");
        for fd in listed.lines().filter_map(|line| line.parse().ok()) {
            assert!(!new.contains(&fd) || fd == lowest, "{fd}: {listed}");
        }
        drop(all);
        assert_eq!(open(), before);
    });
    assert!(ended.success(), "{ended}");
}
