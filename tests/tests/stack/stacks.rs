//! `Stack`: a guard that stops an overflow, and threads that run on it.
// Emscripten enforces no protections: there are no guards.
#![cfg(not(target_os = "emscripten"))]

use std::ffi::c_void;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::ptr;

use libc::{EINVAL, ENOMEM, SIGBUS, SIGSEGV};
use tests::seccomp::{SYS_MADVISE, SYS_MPROTECT};
use tests::{
    Permissions, can_be_read, in_a_child, is_true_in_a_child, lacks, map_at, permissions,
    refusing_argument, skip,
};
use unix_memory::{Call, Reason, Stack, UncheckedAdvice, page_size};

const SIZE: usize = 512 << 10;

unsafe extern "C" {
    // POSIX has it, and the libc crate for some systems only.
    fn pthread_attr_setstack(
        attributes: *mut libc::pthread_attr_t,
        bottom: *mut c_void,
        size: usize,
    ) -> libc::c_int;
}

/// Runs `f` with `argument` in a thread on `stack`, and waits for it.
fn run_on(stack: &Stack, f: extern "C" fn(*mut c_void) -> *mut c_void, argument: *mut c_void) {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the call writes them.
    let failed = unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) };
    assert_eq!(failed, 0);
    let bottom = stack.bottom().as_ptr().cast();
    // SAFETY: they are initialized, and the stack's pages can be read and written.
    let failed = unsafe { pthread_attr_setstack(attributes.as_mut_ptr(), bottom, stack.size()) };
    assert_eq!(failed, 0);
    let mut thread = MaybeUninit::uninit();
    // SAFETY: the stack outlives the thread, which is joined here.
    let failed =
        unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), f, argument) };
    assert_eq!(failed, 0);
    // SAFETY: the call wrote it.
    let thread = unsafe { thread.assume_init() };
    // SAFETY: nobody else joins it.
    let failed = unsafe { libc::pthread_join(thread, ptr::null_mut()) };
    assert_eq!(failed, 0);
    // SAFETY: they are initialized, and not used again.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
}

/// Writes the address of a variable on its stack to the given place.
extern "C" fn tell_place(to: *mut c_void) -> *mut c_void {
    let here = 0_u8;
    let address = black_box(&raw const here).addr();
    // SAFETY: whoever starts the thread waits for it.
    unsafe { to.cast::<usize>().write(address) };
    ptr::null_mut()
}

extern "C" fn overflow(_: *mut c_void) -> *mut c_void {
    fn deeper(depth: u64) -> u64 {
        let here = black_box([depth; 16]);
        if black_box(depth) == u64::MAX {
            return here[3];
        }
        deeper(depth + 1) + black_box(here)[5]
    }
    black_box(deeper(0));
    ptr::null_mut()
}

/// Two kinds of guard: of the kernel's own, where it has them, and pages that are protected.
fn with_both_guards(check: impl Fn(&str, &Stack)) {
    check("as it comes", &Stack::new(SIZE).unwrap());
    // The value is that of Linux, which alone has filters of calls.
    let install = 102;
    let stack = refusing_argument(SYS_MADVISE, 2, install, EINVAL, || {
        Stack::new(SIZE).unwrap()
    });
    if let Some(stack) = stack {
        let guard = permissions(stack.limit().as_ptr());
        assert_eq!(guard, Permissions::PRIVATE);
        check("with mprotect", &stack);
    }
}

#[test]
fn sizes_and_places() {
    let page = page_size();
    for (size, guard) in [(0, 0), (1, 1), (page, page), (5 * page + 1, 3 * page - 1)] {
        let stack = Stack::with_guard(size, guard).unwrap();
        assert_eq!(stack.size(), size.max(1).next_multiple_of(page));
        assert_eq!(stack.guard_size(), guard.max(1).next_multiple_of(page));
        let [limit, bottom, top] =
            [stack.limit(), stack.bottom(), stack.top()].map(|address| address.addr().get());
        assert_eq!(
            (bottom - limit, top - bottom),
            (stack.guard_size(), stack.size())
        );
        assert!(
            [limit, bottom, top]
                .iter()
                .all(|address| address % page == 0)
        );
        stack.unmap().unwrap();
    }
    for (size, guard) in [
        (usize::MAX, 0),
        (0, usize::MAX),
        (usize::MAX, usize::MAX),
        (isize::MAX.unsigned_abs(), 1),
    ] {
        let error = Stack::with_guard(size, guard).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert!(matches!(error.reason(), Reason::LengthLimit(_)), "{error}");
    }
    let text = format!("{:?}", Stack::new(1).unwrap());
    assert!(text.contains(&format!("guard_size: {page}")), "{text}");
}

#[test]
fn the_stack_can_be_used_and_the_guard_not() {
    with_both_guards(|which, stack| {
        let (bottom, page) = (stack.bottom().as_ptr(), page_size());
        assert_eq!(
            permissions(bottom),
            Permissions::READ | Permissions::WRITE | Permissions::PRIVATE
        );
        // SAFETY: these bytes are the stack's, and nobody else uses them.
        unsafe { bottom.write_bytes(7, stack.size()) };
        for below in [1, page] {
            assert!(!can_be_read(bottom.wrapping_sub(below)), "{which}: {below}");
        }
        assert!(can_be_read(bottom) && can_be_read(bottom.wrapping_add(stack.size() - 1)));
    });
}

#[test]
fn threads_run_on_it() {
    with_both_guards(|which, stack| {
        let mut place = 0_usize;
        run_on(stack, tell_place, (&raw mut place).cast());
        let stack = stack.bottom().addr().get()..stack.top().addr().get();
        assert!(stack.contains(&place), "{which}: {place:#x} in {stack:#x?}");
    });
}

#[test]
fn an_overflow_ends_the_process() {
    with_both_guards(|which, stack| {
        let status = in_a_child(|| run_on(stack, overflow, ptr::null_mut()));
        let signal = status.signal();
        // (Apple's systems send the other one.)
        let expected = [SIGSEGV, SIGBUS].map(Some);
        assert!(expected.contains(&signal), "{which}: {status}");
    });
}

#[test]
fn a_child_has_the_guard_too() {
    with_both_guards(|which, stack| {
        let bottom = stack.bottom().as_ptr();
        assert!(
            is_true_in_a_child(|| can_be_read(bottom) && !can_be_read(bottom.wrapping_sub(1))),
            "{which}"
        );
    });
}

/// Not only the page that an overflow meets first.
#[test]
fn every_page_of_the_guard_is_one() {
    let page = page_size();
    let stack = Stack::with_guard(page, 3 * page).unwrap();
    for i in 0..3 {
        let guard = stack.limit().as_ptr().wrapping_add(i * page);
        assert!(!tests::can_be_read(guard), "page {i}");
    }
    assert!(tests::can_be_read(stack.bottom().as_ptr()));
}

/// A guard that the kernel makes within a mapping: the stack and its guard are one.
#[test]
fn one_mapping_where_the_kernel_has_guards() {
    let check = "guards that are not mappings";
    if lacks::advice(check) {
        return;
    }
    if !UncheckedAdvice::GuardInstall.is_supported() {
        return skip(check, "this kernel has none");
    }
    let stack = Stack::new(SIZE).unwrap();
    let bottom = stack.bottom().as_ptr();
    let limit = stack.limit().addr().get();
    let one = |map: &Option<tests::kernel::Map>| {
        map.as_ref()
            .is_some_and(|map| map.addresses.contains(&limit))
    };
    assert!(map_at(bottom).is(one));
}

#[test]
fn where_memory_is_locked() {
    let status = in_a_child(|| {
        // SAFETY: the call takes flags.
        if unsafe { libc::mlockall(libc::MCL_FUTURE) } != 0 {
            return skip("a guard of locked memory", "nothing can be locked");
        }
        match Stack::new(64 << 10) {
            Ok(stack) => assert!(!can_be_read(stack.limit().as_ptr())),
            Err(error) => skip("a guard of locked memory", &error.to_string()),
        }
    });
    assert!(status.success(), "{status}");
}

#[test]
fn without_a_guard_there_is_no_stack() {
    let refused = refusing_argument(SYS_MADVISE, 2, 102, EINVAL, || {
        refusing_argument(SYS_MPROTECT, 2, 0, ENOMEM, || Stack::new(SIZE))
    });
    let Some(Some(refused)) = refused else { return };
    let error = refused.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
}
