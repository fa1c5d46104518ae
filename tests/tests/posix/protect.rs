//! `mprotect`.

use std::ffi::c_int;
use std::fs::File;
use std::io;

use super::{Pages, READ_WRITE, errno, file, is_denied, tried};
use tests::in_a_child;
use unix_memory::page_size;
use unix_memory_sys as sys;

fn protect(pages: &Pages, page: usize, len: usize, protection: c_int) -> io::Result<()> {
    assert!(page * page_size() + len <= pages.len.next_multiple_of(page_size()));
    // SAFETY: the pages are the test's own, and nothing refers to them.
    tried(unsafe { sys::mprotect(pages.page(page), len, protection) })
}

#[test]
fn whole_pages_that_hold_a_byte_of_the_range_change() {
    let page = page_size();
    for (len, changed) in [(1, 1), (page, 1), (page + 1, 2)] {
        let pages = Pages::new(4);
        protect(&pages, 1, len, sys::PROT_NONE).unwrap();
        assert!(pages.end_of_read(page - 1).success());
        assert!(is_denied(pages.end_of_read(page)));
        assert!(is_denied(pages.end_of_read((1 + changed) * page - 1)));
        assert!(pages.end_of_read((1 + changed) * page).success());
    }
}

#[test]
fn each_protection_is_kept_to_and_keeps_the_content() {
    let pages = Pages::new(1);
    pages.write(0, 7);
    for protection in [
        sys::PROT_NONE,
        sys::PROT_READ,
        sys::PROT_WRITE,
        READ_WRITE,
        sys::PROT_READ | sys::PROT_EXEC,
    ] {
        match protect(&pages, 0, 1, protection) {
            // A system may refuse to make what was written executable.
            Err(error) if protection & sys::PROT_EXEC != 0 => {
                tests::skip("memory that becomes executable", &error.to_string());
                continue;
            }
            result => result.unwrap(),
        }
        let may_write = protection & sys::PROT_WRITE != 0;
        let written = pages.end_of_write(0);
        assert_eq!(written.success(), may_write, "{protection}");
        assert!(may_write || is_denied(written), "{protection}");
        if protection == sys::PROT_NONE {
            assert!(is_denied(pages.end_of_read(0)));
        } else if protection & sys::PROT_READ != 0 {
            assert_eq!(pages.read(0), 7);
        }
    }
}

#[test]
fn rights_that_the_descriptor_lacks_are_refused_and_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, b"abc").unwrap();
    let only_read = File::open(&path).unwrap();
    let shared = Pages::of(&only_read, 3, sys::PROT_READ, sys::MAP_SHARED).unwrap();
    for protection in [sys::PROT_WRITE, READ_WRITE] {
        assert_eq!(errno(protect(&shared, 0, 3, protection)), libc::EACCES);
        assert!(shared.end_of_read(0).success() && is_denied(shared.end_of_write(0)));
    }
    let private = Pages::of(&only_read, 3, sys::PROT_READ, sys::MAP_PRIVATE).unwrap();
    protect(&private, 0, 3, READ_WRITE).unwrap();
    private.write(0, b'x');
    assert_eq!(std::fs::read(&path).unwrap(), b"abc");
}

#[test]
fn what_was_mapped_without_rights_gets_those_of_the_descriptor() {
    let file = file(b"abc");
    let shared = Pages::of(&file, 3, sys::PROT_NONE, sys::MAP_SHARED).unwrap();
    protect(&shared, 0, 3, READ_WRITE).unwrap();
    shared.write(0, b'x');
    assert_eq!(shared.read(0), b'x');
}

#[test]
// musl rounds the address down instead, so that such a call succeeds.
#[cfg(not(target_env = "musl"))]
fn an_address_inside_a_page_is_refused() {
    let pages = Pages::new(1);
    // SAFETY: if it were not refused, what it protects would be the test's own page.
    let inside = unsafe { sys::mprotect(pages.start.wrapping_byte_add(1), 1, sys::PROT_NONE) };
    assert_eq!(errno(tried(inside)), libc::EINVAL);
    assert_eq!(pages.read(0), 0);
}

#[test]
fn pages_that_are_not_mapped_are_refused() {
    let child = in_a_child(|| {
        let pages = Pages::new(2);
        // SAFETY: the page is the child's own.
        tried(unsafe { sys::munmap(pages.page(1), page_size()) }).unwrap();
        let refused = protect(&pages, 0, 2 * page_size(), sys::PROT_READ);
        assert_eq!(errno(refused), libc::ENOMEM);
    });
    assert!(child.success());
}
