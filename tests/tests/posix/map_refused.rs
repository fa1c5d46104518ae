//! What `mmap` refuses.

use std::ffi::{c_int, c_void};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::ptr;

use super::{PRIVATE, Pages, READ_WRITE, errno, file, without_privileges};
use libc::{EACCES, EAGAIN, EBADF, EINVAL, ENODEV, ENOMEM, EOVERFLOW};
use tests::{in_a_child, lacks, limit_address_space, limit_locked_memory, skip};
use unix_memory::page_size;
use unix_memory_sys as sys;

/// The bare call at an address without `MAP_FIXED`.
fn map(address: *mut c_void, flags: c_int, fd: c_int, offset: sys::off_t) -> io::Result<Pages> {
    assert_eq!(flags & sys::MAP_FIXED, 0);
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let start = unsafe { sys::mmap(address, 1, sys::PROT_READ, flags, fd, offset) };
    if start == sys::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(Pages { start, len: 1 })
}

#[test]
fn a_length_of_zero() {
    assert_eq!(errno(Pages::map(0, READ_WRITE, PRIVATE, -1)), EINVAL);
    let file = file(b"abc");
    let refused = Pages::of(&file, 0, sys::PROT_READ, sys::MAP_SHARED);
    assert_eq!(errno(refused), EINVAL);
}

#[test]
fn an_offset_inside_a_page() {
    let file = file(&vec![1; 2 * page_size()]);
    for offset in [1, page_size() - 1, page_size() + 1] {
        let offset = sys::off_t::try_from(offset).unwrap();
        for flags in [sys::MAP_SHARED, sys::MAP_PRIVATE] {
            let refused = map(ptr::null_mut(), flags, file.as_raw_fd(), offset);
            assert_eq!(errno(refused), EINVAL, "{offset}");
        }
    }
}

#[test]
fn a_fixed_address_inside_a_page() {
    let pages = Pages::new(2);
    pages.write(0, 1);
    let inside = pages.start.wrapping_byte_add(1);
    // SAFETY: if it were not refused, what it replaces would be the test's own pages.
    let start = unsafe { sys::mmap(inside, 1, READ_WRITE, PRIVATE | sys::MAP_FIXED, -1, 0) };
    assert_eq!(start, sys::MAP_FAILED);
    assert_eq!(io::Error::last_os_error().raw_os_error(), Some(EINVAL));
    assert_eq!(pages.read(0), 1);
}

#[test]
fn neither_shared_nor_private() {
    let file = file(b"abc");
    let refused = map(ptr::null_mut(), 0, file.as_raw_fd(), 0);
    assert_eq!(errno(refused), EINVAL);
    let refused = map(ptr::null_mut(), sys::MAP_ANONYMOUS, -1, 0);
    assert_eq!(errno(refused), EINVAL);
}

#[test]
fn no_descriptor() {
    for fd in [-1, c_int::MAX] {
        for flags in [sys::MAP_SHARED, sys::MAP_PRIVATE] {
            assert_eq!(errno(map(ptr::null_mut(), flags, fd, 0)), EBADF, "{fd}");
        }
    }
}

#[test]
fn rights_that_the_descriptor_lacks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, b"abc").unwrap();
    let (none, read, write) = (sys::PROT_NONE, sys::PROT_READ, sys::PROT_WRITE);
    let every = [none, read, write, read | write];
    // Whatever the protection, it is read.
    let only_written = OpenOptions::new().write(true).open(&path).unwrap();
    for protection in every {
        for flags in [sys::MAP_SHARED, sys::MAP_PRIVATE] {
            let refused = Pages::of(&only_written, 3, protection, flags);
            assert_eq!(errno(refused), EACCES, "{protection} {flags}");
        }
    }
    let only_read = File::open(&path).unwrap();
    for protection in every {
        let shared = Pages::of(&only_read, 3, protection, sys::MAP_SHARED);
        if protection & write == 0 {
            drop(shared.unwrap());
        } else {
            assert_eq!(errno(shared), EACCES, "{protection}");
        }
        drop(Pages::of(&only_read, 3, protection, sys::MAP_PRIVATE).unwrap());
    }
    let both = OpenOptions::new().read(true).write(true).open(&path);
    let both = both.unwrap();
    for protection in every {
        for flags in [sys::MAP_SHARED, sys::MAP_PRIVATE] {
            drop(Pages::of(&both, 3, protection, flags).unwrap());
        }
    }
}

#[test]
fn what_has_no_memory() {
    let (reader, _writer) = io::pipe().unwrap();
    let refused = map(ptr::null_mut(), sys::MAP_SHARED, reader.as_raw_fd(), 0);
    assert_eq!(errno(refused), ENODEV);
}

#[test]
fn more_than_the_address_space() {
    let most = isize::MAX.unsigned_abs() & !(page_size() - 1);
    assert_eq!(errno(Pages::map(most, READ_WRITE, PRIVATE, -1)), ENOMEM);
    let check = "a limit on addresses";
    if lacks::own_process(check) {
        return;
    }
    let child = in_a_child(|| {
        if let Err(error) = limit_address_space(1 << 24) {
            return skip(check, &error.to_string());
        }
        assert_eq!(errno(Pages::map(1 << 25, READ_WRITE, PRIVATE, -1)), ENOMEM);
    });
    assert!(child.success());
}

#[test]
fn a_fixed_range_beyond_the_address_space() {
    let last = ptr::without_provenance_mut(usize::MAX & !(page_size() - 1));
    let flags = PRIVATE | sys::MAP_FIXED;
    // SAFETY: no process has anything mapped in the last page of all addresses.
    let start = unsafe { sys::mmap(last, 2 * page_size(), READ_WRITE, flags, -1, 0) };
    assert_eq!(start, sys::MAP_FAILED);
    let errno = io::Error::last_os_error().raw_os_error();
    // POSIX has ENOMEM; EINVAL is its word for an address that is "considered invalid".
    assert!([Some(ENOMEM), Some(EINVAL)].contains(&errno), "{errno:?}");
}

#[test]
fn an_offset_beyond_every_file() {
    if size_of::<sys::off_t>() < 8 {
        return skip("offsets beyond every file", "offsets have 32 bits");
    }
    let page = sys::off_t::try_from(page_size()).unwrap();
    let last = sys::off_t::MAX / page * page;
    let file = file(b"abc");
    let (fd, len, flags) = (file.as_raw_fd(), 2 * page_size(), sys::MAP_SHARED);
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let start = unsafe { sys::mmap(ptr::null_mut(), len, sys::PROT_READ, flags, fd, last) };
    let error = io::Error::last_os_error();
    assert_eq!(start, sys::MAP_FAILED);
    // C libraries whose calls count pages in 32 bits refuse such an offset themselves.
    let expected = if size_of::<usize>() < 8 {
        EINVAL
    } else {
        EOVERFLOW
    };
    assert_eq!(error.raw_os_error(), Some(expected));
}

#[test]
fn what_cannot_be_locked_though_all_is_to_be() {
    let check = "a mapping of a process that locks all that comes";
    if lacks::own_process(check) {
        return;
    }
    let child = in_a_child(|| {
        let page = page_size();
        if let Err(error) = limit_locked_memory(2 * page as u64) {
            return skip(check, &error.to_string());
        }
        if !without_privileges() {
            return skip(check, "setuid");
        }
        if let Err(error) = super::process_lock::lock_what_comes() {
            return skip(check, &error.to_string());
        }
        let refused = errno(Pages::map(4 * page, READ_WRITE, PRIVATE, -1));
        // EAGAIN for a lack of resources, ENOMEM for a limit.
        assert!([EAGAIN, ENOMEM].contains(&refused), "{refused}");
    });
    assert!(child.success());
}
