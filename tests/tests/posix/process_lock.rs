//! `mlockall` and `munlockall`: in children, as they concern the whole process.

use std::ffi::c_int;
use std::io;

use super::{Pages, errno, tried};
use tests::{in_a_child, is_locked, is_unlocked, skip};
use unix_memory_sys as sys;

fn lock_all(flags: c_int) -> io::Result<()> {
    // SAFETY: the call only keeps pages in memory.
    tried(unsafe { sys::mlockall(flags) })
}

fn unlock_all() -> io::Result<()> {
    // SAFETY: the process is a test's child, in which nobody else relies on locks.
    tried(unsafe { sys::munlockall() })
}

/// `mlockall(MCL_FUTURE)`.
pub fn lock_what_comes() -> io::Result<()> {
    lock_all(sys::MCL_FUTURE)
}

/// `mlockall` with both flags.
pub fn lock_everything() -> io::Result<()> {
    lock_all(sys::MCL_CURRENT | sys::MCL_FUTURE)
}

fn locked(pages: &Pages) -> bool {
    is_locked(pages.start.cast_const().cast())
}

fn unlocked(pages: &Pages) -> bool {
    is_unlocked(pages.start.cast_const().cast())
}

/// Runs `f` in a child if the child may lock all of itself.
#[track_caller]
fn with_all_locked(check: &str, flags: c_int, f: impl FnOnce()) {
    let child = in_a_child(|| match lock_all(flags) {
        Ok(()) => f(),
        Err(error) => skip(check, &format!("mlockall: {error}")),
    });
    assert!(child.success());
}

#[test]
fn what_is_mapped_is_locked_and_what_comes_is_not() {
    let pages = Pages::new(1);
    with_all_locked("MCL_CURRENT", sys::MCL_CURRENT, || {
        assert!(locked(&pages));
        assert!(unlocked(&Pages::new(1)));
        unlock_all().unwrap();
        assert!(unlocked(&pages));
    });
}

#[test]
fn what_comes_is_locked_and_what_is_mapped_is_not() {
    let pages = Pages::new(1);
    with_all_locked("MCL_FUTURE", sys::MCL_FUTURE, || {
        assert!(unlocked(&pages));
        let new = Pages::new(1);
        assert!(locked(&new));
        // One call undoes both: what has come, and what would.
        unlock_all().unwrap();
        assert!(unlocked(&new) && unlocked(&Pages::new(1)));
    });
}

#[test]
fn both_flags_together_lock_both() {
    let pages = Pages::new(1);
    with_all_locked("both flags", sys::MCL_CURRENT | sys::MCL_FUTURE, || {
        assert!(locked(&pages) && locked(&Pages::new(1)));
    });
}

#[test]
fn a_child_does_not_inherit_what_locks_all() {
    let pages = Pages::new(1);
    with_all_locked("a child", sys::MCL_CURRENT | sys::MCL_FUTURE, || {
        let child = in_a_child(|| assert!(unlocked(&pages) && unlocked(&Pages::new(1))));
        assert!(child.success());
        assert!(locked(&pages));
    });
}

#[test]
fn no_flags_and_unknown_ones_are_refused() {
    let child = in_a_child(|| {
        for flags in [0, 1 << 20] {
            assert_eq!(errno(lock_all(flags)), libc::EINVAL, "{flags}");
        }
    });
    assert!(child.success());
}

#[test]
fn what_was_not_locked_may_be_unlocked() {
    assert!(in_a_child(|| unlock_all().unwrap()).success());
}

#[test]
fn without_the_right_to_lock_it_is_refused() {
    let check = "mlockall without the right to lock";
    if tests::lacks::own_process(check) {
        return;
    }
    let child = in_a_child(|| {
        for (pages, expected) in [(1, libc::ENOMEM), (0, libc::EPERM)] {
            let limit = pages * unix_memory::page_size() as u64;
            if let Err(error) = tests::limit_locked_memory(limit) {
                return skip(check, &error.to_string());
            }
            if !super::without_privileges() {
                return skip(check, "setuid");
            }
            let refused = errno(lock_all(sys::MCL_CURRENT));
            // EAGAIN where the system counts as it goes.
            assert!([expected, libc::EAGAIN].contains(&refused), "{refused}");
        }
    });
    assert!(child.success());
}
