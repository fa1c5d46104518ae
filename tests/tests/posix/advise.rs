//! `posix_madvise`, which returns its error.

use std::ffi::c_int;

use super::{Pages, READ_WRITE, file, tried};
use tests::{in_a_child, lacks};
use unix_memory::page_size;
use unix_memory_sys as sys;

/// The five pieces of advice.
const EVERY: [c_int; 5] = [
    sys::POSIX_MADV_NORMAL,
    sys::POSIX_MADV_SEQUENTIAL,
    sys::POSIX_MADV_RANDOM,
    sys::POSIX_MADV_WILLNEED,
    sys::POSIX_MADV_DONTNEED,
];

fn advise(pages: &Pages, len: usize, advice: c_int) -> c_int {
    assert!(len <= pages.len.next_multiple_of(page_size()));
    // SAFETY: the pages are the test's own.
    unsafe { sys::posix_madvise(pages.start, len, advice) }
}

#[test]
fn no_advice_changes_what_is_read_or_written() {
    let file = file(b"old");
    let every = [
        Pages::new(1),
        Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap(),
        Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap(),
    ];
    for (advice, byte) in EVERY.into_iter().zip(1..) {
        for pages in &every {
            pages.write(0, byte);
            assert_eq!(advise(pages, pages.len, advice), 0, "{advice}");
            assert_eq!(pages.read(0), byte, "{advice}");
        }
    }
}

#[test]
fn the_values_differ() {
    for (index, advice) in EVERY.iter().enumerate() {
        assert!(!EVERY[..index].contains(advice), "{advice}");
    }
}

#[test]
fn unknown_advice_is_refused_and_returned() {
    if lacks::advice("advice that nobody knows") {
        return;
    }
    let pages = Pages::new(1);
    assert_eq!(advise(&pages, 1, 0x7eed_beef), libc::EINVAL);
}

#[test]
fn pages_that_are_not_mapped_are_refused() {
    if lacks::advice("advice on what is not mapped") {
        return;
    }
    let child = in_a_child(|| {
        let pages = Pages::new(2);
        // SAFETY: the page is the child's own.
        tried(unsafe { sys::munmap(pages.page(1), page_size()) }).unwrap();
        let refused = advise(&pages, 2 * page_size(), sys::POSIX_MADV_RANDOM);
        assert_eq!(refused, libc::ENOMEM);
    });
    assert!(child.success());
}

#[test]
fn an_address_inside_a_page_is_refused() {
    if lacks::advice("advice from inside a page on") {
        return;
    }
    let pages = Pages::new(1);
    let inside = pages.start.wrapping_byte_add(1);
    // SAFETY: the page is the test's own.
    let refused = unsafe { sys::posix_madvise(inside, 1, sys::POSIX_MADV_RANDOM) };
    assert_eq!(refused, libc::EINVAL);
}
