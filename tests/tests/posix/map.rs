//! What `mmap` does with objects.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::ptr;
use std::time::{Duration, SystemTime};

use super::{PRIVATE, Pages, READ_WRITE, errno, file, is_denied, tried};
use tests::{in_a_child, lacks, skip};
use unix_memory::page_size;
use unix_memory_sys as sys;

#[test]
fn the_bytes_are_those_of_the_object_from_the_offset_on() {
    let page = page_size();
    let mut bytes = vec![1; page];
    bytes.extend(vec![2; page]);
    let file = file(&bytes);
    let pages = Pages::of(&file, 2 * page, sys::PROT_READ, sys::MAP_SHARED).unwrap();
    assert_eq!([pages.read(page - 1), pages.read(page)], [1, 2]);
    let offset = sys::off_t::try_from(page).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let start = unsafe {
        sys::mmap(
            ptr::null_mut(),
            page,
            sys::PROT_READ,
            sys::MAP_PRIVATE,
            fd,
            offset,
        )
    };
    assert_ne!(start, sys::MAP_FAILED);
    let second = Pages { start, len: page };
    assert_eq!(second.read(0), 2);
}

#[test]
fn a_shared_write_changes_the_object_and_a_private_one_does_not() {
    let file = file(b"old");
    let shared = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap();
    let private = Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap();
    let mut byte = [0];
    private.write(0, b'p');
    file.read_exact_at(&mut byte, 0).unwrap();
    assert_eq!([byte[0], shared.read(0), private.read(0)], *b"oop");
    shared.write(0, b's');
    // (`read` sees it without msync where the cache is one, as on all systems that this crate knows; POSIX
    // asks for msync.)
    // SAFETY: the page is the test's own.
    tried(unsafe { sys::msync(shared.start, 3, sys::MS_SYNC) }).unwrap();
    file.read_exact_at(&mut byte, 0).unwrap();
    assert_eq!([byte[0], private.read(0)], *b"sp");
}

#[test]
fn a_child_inherits_mappings_and_how_they_are_shared() {
    let file = file(b"old");
    let shared = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap();
    let private = Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap();
    private.write(1, b'p');
    let child = in_a_child(|| {
        assert_eq!([shared.read(0), private.read(1)], *b"op");
        shared.write(0, b'c');
        private.write(1, b'c');
    });
    assert!(child.success());
    assert_eq!([shared.read(0), private.read(1)], *b"cp");
}

#[test]
fn a_mapping_at_a_fixed_address_replaces_whole_pages() {
    // In memory of its own: what is replaced is between two pages that stay.
    let pages = Pages::new(3);
    for page in 0..3 {
        pages.write(page * page_size(), 1);
    }
    let (middle, flags) = (pages.page(1), PRIVATE | sys::MAP_FIXED);
    // SAFETY: what is replaced is the test's own page. (Part of a page is the whole page.)
    let start = unsafe { sys::mmap(middle, 1, READ_WRITE, flags, -1, 0) };
    assert_eq!(start, middle);
    let first_bytes = [0, 1, 2].map(|page| pages.read(page * page_size()));
    assert_eq!(first_bytes, [1, 0, 1]);
    assert_eq!(pages.read(2 * page_size() - 1), 0);
}

#[test]
fn an_address_is_a_hint_that_replaces_nothing() {
    let pages = Pages::new(1);
    pages.write(0, 1);
    // SAFETY: without MAP_FIXED no other memory is touched.
    let start = unsafe { sys::mmap(pages.start, 1, READ_WRITE, PRIVATE, -1, 0) };
    assert_ne!(start, sys::MAP_FAILED);
    assert_ne!(start, pages.start);
    assert!(!start.is_null());
    drop(Pages { start, len: 1 });
    assert_eq!(pages.read(0), 1);
}

#[test]
fn the_rest_of_the_last_page_is_zero_and_is_never_written() {
    if lacks::own_pages("the rest of the last page") {
        return;
    }
    let page = page_size();
    let mut file = file(b"abc");
    let pages = Pages::of(&file, page, READ_WRITE, sys::MAP_SHARED).unwrap();
    assert!((3..page).all(|at| pages.read(at) == 0));
    pages.write(3, b'x');
    // SAFETY: the page is the test's own.
    tried(unsafe { sys::msync(pages.start, page, sys::MS_SYNC) }).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 3);
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"abc");
}

#[test]
fn pages_past_the_end_of_the_object_raise_sigbus() {
    if lacks::own_pages("pages past the end") {
        return;
    }
    let page = page_size();
    let file = file(b"abc");
    for flags in [sys::MAP_SHARED, sys::MAP_PRIVATE] {
        let pages = Pages::of(&file, 2 * page, READ_WRITE, flags).unwrap();
        assert!(pages.end_of_read(page - 1).success());
        assert_eq!(pages.end_of_read(page).signal(), Some(libc::SIGBUS));
        assert_eq!(pages.end_of_write(page).signal(), Some(libc::SIGBUS));
    }
}

#[test]
fn closing_the_descriptor_and_removing_the_name_keep_the_mapping() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, b"abc").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let pages = Pages::of(&file, 3, sys::PROT_READ, sys::MAP_SHARED).unwrap();
    drop(file);
    std::fs::remove_file(&path).unwrap();
    assert_eq!([0, 1, 2].map(|at| pages.read(at)), *b"abc");
}

#[test]
fn the_protections_that_every_system_has() {
    for protection in [sys::PROT_NONE, sys::PROT_READ, sys::PROT_WRITE, READ_WRITE] {
        let pages = Pages::map(1, protection, PRIVATE, -1).unwrap();
        if protection & sys::PROT_WRITE == 0 {
            assert!(is_denied(pages.end_of_write(0)), "{protection}");
        } else {
            assert!(pages.end_of_write(0).success(), "{protection}");
        }
        if protection == sys::PROT_NONE {
            assert!(is_denied(pages.end_of_read(0)));
        } else if protection & sys::PROT_READ != 0 {
            assert!(pages.end_of_read(0).success());
        }
    }
}

#[test]
fn the_same_holds_for_files() {
    let file = file(b"abc");
    for flags in [sys::MAP_SHARED, sys::MAP_PRIVATE] {
        let pages = Pages::of(&file, 3, sys::PROT_READ, flags).unwrap();
        assert!(is_denied(pages.end_of_write(0)));
        assert!(pages.end_of_read(0).success());
        let pages = Pages::of(&file, 3, sys::PROT_NONE, flags).unwrap();
        assert!(is_denied(pages.end_of_read(0)));
        assert!(is_denied(pages.end_of_write(0)));
    }
}

#[test]
fn a_write_and_a_sync_mark_the_time_of_the_change() {
    let check = "the time at which a mapped file changed";
    // In the directory of the program: temporary files may be in a tmpfs, where Linux marks no times.
    let program = std::env::current_exe().unwrap();
    let Ok(file) = tempfile::tempfile_in(program.parent().unwrap()) else {
        return skip(check, "no file can be made beside the program");
    };
    let written = file.write_at(b"abc", 0);
    assert_eq!(written.unwrap(), 3);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    file.set_modified(long_ago).unwrap();
    let modified = || file.metadata().unwrap().modified().unwrap();
    assert_eq!(modified(), long_ago);
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED).unwrap();
    pages.write(0, b'x');
    // SAFETY: the page is the test's own.
    tried(unsafe { sys::msync(pages.start, 3, sys::MS_SYNC) }).unwrap();
    if is_in_memory(&file) {
        return skip(check, "the file beside the program is in memory");
    }
    assert!(modified() > long_ago);
}

/// Whether Linux keeps the file in memory alone.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_in_memory(file: &std::fs::File) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    const RAMFS: u32 = 0x8584_58f6;
    let status = rustix::fs::fstatfs(file).unwrap();
    // (The types differ by C library; the numbers have 32 bits.)
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "32 bits"
    )]
    let kind = status.f_type as u32;
    [TMPFS, RAMFS].contains(&kind)
}

/// Other systems mark the times of all files.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_in_memory(_: &std::fs::File) -> bool {
    false
}

#[test]
fn what_is_mapped_privately_may_be_written_though_the_file_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, b"abc").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let pages = Pages::of(&file, 3, READ_WRITE, sys::MAP_PRIVATE).unwrap();
    pages.write(0, b'x');
    assert_eq!(pages.read(0), b'x');
    assert_eq!(std::fs::read(&path).unwrap(), b"abc");
    let shared = Pages::of(&file, 3, READ_WRITE, sys::MAP_SHARED);
    assert_eq!(errno(shared), libc::EACCES);
}
