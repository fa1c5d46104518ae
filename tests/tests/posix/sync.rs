//! `msync`.

use std::ffi::c_int;
use std::io;
use std::os::unix::fs::FileExt;

use super::{Pages, READ_WRITE, errno, file, tried};
use tests::in_a_child;
use unix_memory::page_size;
use unix_memory_sys as sys;

fn sync(pages: &Pages, len: usize, flags: c_int) -> io::Result<()> {
    assert!(len <= pages.len);
    // SAFETY: the pages are the test's own, and nothing refers to them.
    tried(unsafe { sys::msync(pages.start, len, flags) })
}

#[test]
fn what_was_written_is_in_the_object() {
    for flags in [
        sys::MS_SYNC,
        sys::MS_ASYNC,
        sys::MS_SYNC | sys::MS_INVALIDATE,
        sys::MS_ASYNC | sys::MS_INVALIDATE,
    ] {
        let page = page_size();
        let file = file(&vec![0; 2 * page]);
        let pages = Pages::of(&file, 2 * page, READ_WRITE, sys::MAP_SHARED).unwrap();
        pages.write(0, 1);
        pages.write(page, 2);
        // The second page is synchronised too: the range has a byte of it.
        sync(&pages, page + 1, flags).unwrap();
        let mut bytes = vec![0; 2 * page];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!([bytes[0], bytes[page]], [1, 2], "{flags}");
        assert_eq!([pages.read(0), pages.read(page)], [1, 2]);
    }
}

#[test]
fn what_was_written_privately_stays_private() {
    let file = file(b"old");
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap();
    let other = Pages::of(&file, 3, sys::PROT_READ, sys::MAP_SHARED).unwrap();
    pages.write(0, b'x');
    for flags in [sys::MS_SYNC, sys::MS_ASYNC] {
        sync(&pages, 3, flags).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, 0).unwrap();
        assert_eq!([byte[0], other.read(0), pages.read(0)], *b"oox");
    }
}

#[test]
fn invalidated_pages_show_the_object() {
    let file = file(b"old");
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap();
    assert_eq!(pages.read(0), b'o');
    file.write_all_at(b"n", 0).unwrap();
    sync(&pages, 3, sys::MS_SYNC | sys::MS_INVALIDATE).unwrap();
    assert_eq!(pages.read(0), b'n');
}

#[test]
fn memory_without_storage_is_left_alone() {
    let pages = Pages::new(1);
    pages.write(0, 1);
    sync(&pages, 1, sys::MS_SYNC).unwrap();
    assert_eq!(pages.read(0), 1);
}

#[test]
fn flags_that_exclude_each_other_or_mean_nothing_are_refused() {
    let file = file(b"old");
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap();
    let every = sys::MS_SYNC | sys::MS_ASYNC | sys::MS_INVALIDATE;
    for flags in [sys::MS_SYNC | sys::MS_ASYNC, every, every | 1 << 20] {
        assert_eq!(errno(sync(&pages, 3, flags)), libc::EINVAL, "{flags}");
    }
}

#[test]
fn an_address_inside_a_page_is_refused() {
    let pages = Pages::new(1);
    // SAFETY: the page is the test's own.
    let inside = unsafe { sys::msync(pages.start.wrapping_byte_add(1), 1, sys::MS_SYNC) };
    assert_eq!(errno(tried(inside)), libc::EINVAL);
}

#[test]
fn pages_that_are_not_mapped_are_refused() {
    let child = in_a_child(|| {
        let pages = Pages::new(2);
        // SAFETY: the page is the child's own.
        tried(unsafe { sys::munmap(pages.page(1), page_size()) }).unwrap();
        for flags in [sys::MS_SYNC, sys::MS_ASYNC] {
            assert_eq!(errno(sync(&pages, 2 * page_size(), flags)), libc::ENOMEM);
        }
    });
    assert!(child.success());
}

#[test]
fn locked_pages_are_not_invalidated() {
    let file = file(b"old");
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap();
    // SAFETY: the page is mapped.
    tried(unsafe { sys::mlock(pages.start, 3) }).unwrap();
    let refused = sync(&pages, 3, sys::MS_SYNC | sys::MS_INVALIDATE);
    assert_eq!(errno(refused), libc::EBUSY);
    // SAFETY: as above.
    tried(unsafe { sys::munlock(pages.start, 3) }).unwrap();
    sync(&pages, 3, sys::MS_SYNC | sys::MS_INVALIDATE).unwrap();
}
