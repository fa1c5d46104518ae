//! `munmap`.

use std::os::unix::process::ExitStatusExt;
use std::{io, ptr};

use super::{Pages, READ_WRITE, errno, file, tried};
use tests::{in_a_child, is_unlocked};
use unix_memory::page_size;
use unix_memory_sys as sys;

fn unmap(pages: &Pages, page: usize, len: usize) -> io::Result<()> {
    assert!(page * page_size() + len <= pages.len);
    // SAFETY: the pages are the test's own, and nothing refers to them.
    tried(unsafe { sys::munmap(pages.page(page), len) })
}

#[test]
fn whole_pages_that_hold_a_byte_of_the_range_are_gone() {
    // In children, where nobody maps anything at these addresses in between.
    let pages = Pages::new(4);
    let read_after = |len, at| {
        in_a_child(|| {
            unmap(&pages, 1, len).unwrap();
            pages.read(at);
        })
    };
    let page = page_size();
    for (len, gone) in [(1, 1), (page, 1), (page + 1, 2)] {
        assert!(read_after(len, page - 1).success());
        for page in 1..=gone {
            let ended = read_after(len, page * page_size());
            assert_eq!(ended.signal(), Some(libc::SIGSEGV), "{len} {page}");
        }
        assert!(read_after(len, (1 + gone) * page).success());
    }
}

#[test]
fn a_range_without_mappings_stays_so() {
    let child = in_a_child(|| {
        let pages = Pages::new(1);
        for _ in 0..2 {
            unmap(&pages, 0, page_size()).unwrap();
        }
    });
    assert!(child.success());
}

#[test]
fn what_was_written_privately_is_discarded() {
    let file = file(b"old");
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap();
    pages.write(0, b'x');
    drop(pages);
    let again = Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap();
    assert_eq!(again.read(0), b'o');
}

#[test]
fn locks_go_with_the_pages() {
    let child = in_a_child(|| {
        let pages = Pages::new(1);
        // SAFETY: the page is mapped.
        tried(unsafe { sys::mlock(pages.start, 1) }).unwrap();
        unmap(&pages, 0, page_size()).unwrap();
        let flags = super::PRIVATE | sys::MAP_FIXED;
        // SAFETY: nothing is mapped there any more: the child has one thread.
        let start = unsafe { sys::mmap(pages.start, 1, READ_WRITE, flags, -1, 0) };
        assert_eq!(start, pages.start);
        assert!(is_unlocked(start.cast_const().cast()));
    });
    assert!(child.success());
}

#[test]
fn an_address_inside_a_page_and_a_length_of_zero_are_refused() {
    let pages = Pages::new(1);
    pages.write(0, 1);
    // SAFETY: if it were not refused, what it unmaps would be the test's own page.
    let inside = tried(unsafe { sys::munmap(pages.start.wrapping_byte_add(1), 1) });
    assert_eq!(errno(inside), libc::EINVAL);
    assert_eq!(errno(unmap(&pages, 0, 0)), libc::EINVAL);
    assert_eq!(pages.read(0), 1);
}

#[test]
fn a_range_outside_the_address_space_is_refused() {
    let last = ptr::without_provenance_mut(usize::MAX & !(page_size() - 1));
    // SAFETY: no process has anything mapped in the last page of all addresses.
    let refused = tried(unsafe { sys::munmap(last, 1) });
    assert_eq!(errno(refused), libc::EINVAL);
}
