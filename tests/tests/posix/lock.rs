//! `mlock` and `munlock`.

use std::{env, io};

use super::{Pages, READ_WRITE, errno, file, tried, without_privileges};
use tests::{in_a_child, is_locked, is_unlocked, lacks, limit_locked_memory, skip};
use unix_memory::page_size;
use unix_memory_sys as sys;

fn lock(pages: &Pages, page: usize, len: usize) -> io::Result<()> {
    // SAFETY: the call only keeps pages in memory.
    tried(unsafe { sys::mlock(pages.page(page), len) })
}

fn unlock(pages: &Pages, page: usize, len: usize) -> io::Result<()> {
    // SAFETY: the pages are the test's own, which alone relies on their locks.
    tried(unsafe { sys::munlock(pages.page(page), len) })
}

/// Which pages are locked; nothing if that is not reported.
fn states(pages: &Pages) -> Vec<bool> {
    let count = pages.len.div_ceil(page_size());
    let address = |page| pages.page(page).cast_const().cast();
    (0..count)
        .filter_map(
            |page| match (is_locked(address(page)), is_unlocked(address(page))) {
                (true, true) => None,
                (locked, _) => Some(locked),
            },
        )
        .collect()
}

#[track_caller]
fn assert_states(pages: &Pages, expected: &[bool]) {
    let states = states(pages);
    assert!(
        states.is_empty() || states == expected,
        "{states:?}, not {expected:?}"
    );
}

#[test]
fn whole_pages_that_hold_a_byte_of_the_range_are_locked() {
    let pages = Pages::new(4);
    lock(&pages, 1, page_size() + 1).unwrap();
    assert_states(&pages, &[false, true, true, false]);
    unlock(&pages, 1, 1).unwrap();
    assert_states(&pages, &[false, false, true, false]);
    unlock(&pages, 2, page_size()).unwrap();
    assert_states(&pages, &[false; 4]);
}

#[test]
fn one_unlock_undoes_any_number_of_locks() {
    let pages = Pages::new(1);
    for _ in 0..3 {
        lock(&pages, 0, 1).unwrap();
    }
    unlock(&pages, 0, 1).unwrap();
    assert_states(&pages, &[false]);
    // What is not locked may be unlocked.
    unlock(&pages, 0, 1).unwrap();
}

#[test]
fn a_child_does_not_inherit_locks() {
    let pages = Pages::new(1);
    lock(&pages, 0, 1).unwrap();
    assert!(in_a_child(|| assert_states(&pages, &[false])).success());
    assert_states(&pages, &[true]);
}

#[test]
fn locks_of_another_mapping_and_of_another_process_stay() {
    let file = file(b"abc");
    let [one, other] = [(); 2].map(|()| Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap());
    lock(&one, 0, 3).unwrap();
    lock(&other, 0, 3).unwrap();
    unlock(&one, 0, 3).unwrap();
    assert_states(&one, &[false]);
    assert_states(&other, &[true]);
    let child = in_a_child(|| {
        lock(&other, 0, 3).unwrap();
        unlock(&other, 0, 3).unwrap();
    });
    assert!(child.success());
    assert_states(&other, &[true]);
}

#[test]
fn exec_unlocks() {
    const CHILD: &str = "UNIX_MEMORY_TEST_OF_EXEC";
    let check = "locks of a process that executes another program";
    if lacks::own_process(check) {
        return;
    }
    if env::var_os(CHILD).is_some() {
        // The new program: nothing of it is locked.
        let locked = tests::kernel::locked_size().get().expect("it was there");
        assert_eq!(locked, 0);
        return;
    }
    if tests::kernel::locked_size().get().is_none() {
        return skip(check, "this system does not report it");
    }
    let mut command = std::process::Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "lock::exec_unlocks"])
        .env(CHILD, "")
        // Its output would be taken for that of this program's tests.
        .stdout(std::process::Stdio::null());
    let command = std::cell::RefCell::new(command);
    for all in [false, true] {
        let child = in_a_child(|| {
            let pages = Pages::new(1);
            lock(&pages, 0, 1).unwrap();
            if all && let Err(error) = super::process_lock::lock_everything() {
                return skip("exec after mlockall", &error.to_string());
            }
            let error = std::os::unix::process::CommandExt::exec(&mut *command.borrow_mut());
            panic!("{error}");
        });
        assert!(child.success());
    }
}

#[test]
fn pages_that_are_not_mapped_are_refused() {
    let child = in_a_child(|| {
        let pages = Pages::new(2);
        // SAFETY: the page is the child's own.
        tried(unsafe { sys::munmap(pages.page(1), page_size()) }).unwrap();
        assert_eq!(errno(lock(&pages, 0, 2 * page_size())), libc::ENOMEM);
        assert_eq!(errno(unlock(&pages, 0, 2 * page_size())), libc::ENOMEM);
    });
    assert!(child.success());
}

#[test]
fn beyond_the_limit_is_refused_and_locks_nothing() {
    let check = "a limit on locked memory";
    if lacks::own_process(check) {
        return;
    }
    for limit in [0, 2] {
        let pages = Pages::new(4);
        let child = in_a_child(|| {
            if let Err(error) = limit_locked_memory(limit * page_size() as u64) {
                return skip(check, &error.to_string());
            }
            if !without_privileges() {
                return skip(check, "setuid");
            }
            let refused = errno(lock(&pages, 0, 4 * page_size()));
            // Without any right to lock, EPERM; beyond what it allows, ENOMEM or EAGAIN.
            let expected: &[_] = match limit {
                0 => &[libc::EPERM],
                _ => &[libc::ENOMEM, libc::EAGAIN],
            };
            assert!(expected.contains(&refused), "{refused}");
            assert_states(&pages, &[false; 4]);
        });
        assert!(child.success());
    }
}

#[test]
fn nobody_needs_a_privilege_to_unlock() {
    let pages = Pages::new(1);
    let child = in_a_child(|| {
        lock(&pages, 0, 1).unwrap();
        if !without_privileges() {
            return skip("to unlock without privileges", "setuid");
        }
        unlock(&pages, 0, 1).unwrap();
        assert_states(&pages, &[false]);
    });
    assert!(child.success());
}
