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
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        bare_children(&mapping, &inherited);
        drop(inherited.take());
        assert!(is_unlocked(mapping.as_ptr()));
    });
    if checked.is_none() {
        tests::skip("children without wiped pages", "no seccomp filters");
    }
}

/// A child that was made by the bare system call, of which the C library knows nothing, has another number:
/// what it inherited does not unlock what it locks.
// Elsewhere the call has its arguments in another order, or another name.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn bare_children(
    mapping: &Mapping<unix_memory::ReadWrite>,
    inherited: &Cell<Option<unix_memory::LockGuard<'_>>>,
) {
    if tests::lacks::own_process("children of the bare call") {
        return;
    }
    let (flags, none): (libc::c_long, libc::c_long) = (libc::SIGCHLD.into(), 0);
    // SAFETY: with these arguments it is `fork`; the child ends below.
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
    if child == 0 {
        // SAFETY: the page is mapped, and stays as it is.
        let locked = unsafe { libc::mlock(mapping.as_ptr().cast(), 1) } == 0;
        drop(inherited.take());
        let good = locked && is_locked(mapping.as_ptr());
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(i32::from(!good)) };
    }
    let child = libc::pid_t::try_from(child).unwrap();
    let mut status = 0;
    // SAFETY: the call writes the status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
}
