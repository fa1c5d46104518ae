//! Lock guards and fork under a kernel that wipes no pages in children, as before Linux 4.14. It must be
//! the only test of its process, which asks for such a page once.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::cell::Cell;

use tests::seccomp::SYS_MADVISE;
use tests::{in_a_child, is_locked, is_unlocked, refusing_argument, seccomp};
use unix_memory::{Mapping, page_size};

#[test]
fn a_child_is_told_apart_by_other_means() {
    let wipe = seccomp::MADV_WIPEONFORK.unsigned_abs().into();
    let checked = refusing_argument(SYS_MADVISE, 2, wipe, libc::EINVAL, || {
        let mapping = Mapping::anonymous(page_size()).unwrap();
        let inherited = Cell::new(mapping.lock().ok());
        let first = in_a_child(|| {
            let own = Cell::new(mapping.lock().ok());
            drop(inherited.take());
            assert!(is_locked(mapping.as_ptr()));
            let second = in_a_child(|| {
                drop(own.take());
                let own = mapping.lock().unwrap();
                assert!(is_locked(mapping.as_ptr()));
                drop(own);
                assert!(is_unlocked(mapping.as_ptr()));
            });
            assert!(second.success() && is_locked(mapping.as_ptr()));
            drop(own.take());
            assert!(is_unlocked(mapping.as_ptr()));
        });
        assert!(first.success() && is_locked(mapping.as_ptr()));
        drop(inherited.take());
        assert!(is_unlocked(mapping.as_ptr()));
    });
    if checked.is_none() {
        tests::skip("children without wiped pages", "no seccomp filters");
    }
}
