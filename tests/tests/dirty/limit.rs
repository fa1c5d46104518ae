//! Trackers at the limit of descriptors. One test, one process.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::ffi::c_int;

use tests::dirty::{by_each_way, pages};
use tests::{in_a_child, limit_open_files, skip};
use unix_memory::{Call, Mapping, Tracking, page_size};

/// A number from which on no descriptor is open.
fn free() -> c_int {
    (0..1024)
        .rev()
        // SAFETY: the command changes nothing.
        .find(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1)
        .map_or(0, |fd| fd + 1)
}

/// Opens descriptors until none is left below `end`.
fn fill(end: c_int) {
    loop {
        // SAFETY: the descriptor is new.
        let fd = unsafe { libc::dup(0) };
        if fd >= end {
            // SAFETY: it is this function's own.
            unsafe { libc::close(fd) };
            return;
        }
        assert_ne!(fd, -1);
    }
}

#[test]
fn too_many_open_files() {
    by_each_way("the limit of descriptors", |tracking| {
        let calls = match tracking {
            Tracking::SoftDirty => [Call::Pagemap, Call::ClearRefs],
            _ => [Call::Userfaultfd, Call::Pagemap],
        };
        for (room, call) in (0..).zip(calls) {
            let status = in_a_child(|| {
                let page = page_size();
                let mut mapping = Mapping::anonymous(3 * page).unwrap();
                mapping[page] = 1;
                let free = free();
                fill(free);
                limit_open_files(u64::from(free.unsigned_abs()) + room).unwrap();
                let refused = mapping.into_tracked_by(tracking).unwrap_err();
                let error = refused.error();
                assert_eq!(
                    (error.call(), error.errno()),
                    (call, libc::EMFILE),
                    "{error}"
                );
                let mapping = refused.into_mapping();
                assert_eq!(mapping[page], 1);
                // Nothing was left open: with all other room gone, it is refused as before.
                let error = mapping.into_tracked_by(tracking).unwrap_err().error();
                assert_eq!(
                    (error.call(), error.errno()),
                    (call, libc::EMFILE),
                    "{error}"
                );
            });
            assert!(status.success());
        }
        // What has been made needs no other descriptor.
        let status = in_a_child(|| {
            let mapping = Mapping::anonymous(3 * page_size()).unwrap();
            let mut memory = mapping.into_tracked_by(tracking).unwrap();
            limit_open_files(0).unwrap();
            memory[0] = 1;
            let found = pages(memory.take());
            assert!(found.iter().any(|range| range.contains(&0)));
            memory.mark().unwrap();
            drop(memory.untrack());
        });
        assert!(status.success());
    });
    if !std::path::Path::new("/proc/self/fd").exists() {
        skip("what is left open", "no /proc");
        return;
    }
    // Trackers that come and go leave nothing open.
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    for _ in 0..100 {
        drop(Mapping::anonymous(1).unwrap().into_tracked());
        if let Ok(tracked) = Mapping::anonymous(1).unwrap().into_tracked() {
            drop(tracked.untrack());
        }
    }
    assert_eq!(count(), before);
}
