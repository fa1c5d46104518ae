//! What is tried with the raw crate's calls that only Linux has, or that concern more than a mapping.

use std::ffi::{CStr, c_int, c_long, c_ulong};
use std::ptr;

use unix_memory::page_size;
use unix_memory_sys as sys;

use super::raw::{descriptor, memfd, page, returned, tried, unmap, with_page};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    raw_posix_madvise raw_process_madvise raw_pidfd_open raw_pkey_mprotect raw_fallocate
    raw_posix_fallocate raw_remap_file_pages raw_cachestat raw_userfaultfd raw_ioctl raw_prctl raw_shm_open
];

pub const NODES: &[Scenario] = scenarios![
    raw_mbind raw_get_mempolicy raw_set_mempolicy raw_set_mempolicy_home_node raw_migrate_pages
    raw_move_pages
];

pub const KEYS: &[Scenario] = scenarios![raw_pkey_alloc raw_pkey_free];

/// A result of -1 or not.
fn int(result: impl Into<c_long>) -> c_int {
    if result.into() == -1 { -1 } else { 0 }
}

fn raw_posix_madvise(trial: &Trial<'_>) {
    let page = page();
    // SAFETY: the advice changes nothing.
    let advise = || unsafe { sys::posix_madvise(page, page_size(), sys::POSIX_MADV_NORMAL) };
    trial.twice(|| returned(advise), || ());
    assert_eq!(unmap(page), 0);
}

/// A descriptor of this process.
fn process() -> c_int {
    let number = c_int::try_from(std::process::id()).expect("a number");
    // SAFETY: the call takes integers.
    unsafe { sys::pidfd_open(number, 0) }
}

fn close(fd: c_int) {
    // SAFETY: it is a scenario's own.
    assert_eq!(unsafe { libc::close(fd) }, 0);
}

fn raw_process_madvise(trial: &Trial<'_>) {
    let process = process();
    assert_ne!(process, -1);
    with_page(trial, |page, len| {
        let one = libc::iovec {
            iov_base: page,
            iov_len: len,
        };
        // SAFETY: there is one such structure; the advice changes nothing.
        let advised =
            unsafe { sys::process_madvise(process, (&raw const one).cast(), 1, sys::MADV_COLD, 0) };
        if advised == -1 { -1 } else { 0 }
    });
    close(process);
}

fn raw_pidfd_open(trial: &Trial<'_>) {
    descriptor(trial, process);
}

fn raw_pkey_mprotect(trial: &Trial<'_>) {
    // Without a key, it is as mprotect.
    with_page(trial, |page, len| {
        // SAFETY: nothing refers to the page.
        unsafe { sys::pkey_mprotect(page, len, sys::PROT_READ, -1) }
    });
}

fn raw_fallocate(trial: &Trial<'_>) {
    let fd = memfd();
    // SAFETY: the call takes integers.
    trial.twice(|| tried(|| unsafe { sys::fallocate(fd, 0, 0, 100) }), || ());
    close(fd);
}

fn raw_posix_fallocate(trial: &Trial<'_>) {
    let fd = memfd();
    // SAFETY: the call takes integers.
    let allocate = || unsafe { sys::posix_fallocate(fd, 0, 100) };
    trial.twice(|| returned(allocate), || ());
    close(fd);
}

fn raw_remap_file_pages(trial: &Trial<'_>) {
    let (both, flags) = (
        sys::PROT_READ | sys::PROT_WRITE,
        sys::MAP_SHARED | sys::MAP_ANONYMOUS,
    );
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let page = unsafe { sys::mmap(ptr::null_mut(), page_size(), both, flags, -1, 0) };
    assert_ne!(page, sys::MAP_FAILED);
    // SAFETY: the page of the file that is mapped there stays the same.
    let remap = || unsafe { sys::remap_file_pages(page, page_size(), 0, 0, 0) };
    trial.twice(|| tried(remap), || ());
    assert_eq!(unmap(page), 0);
}

fn raw_cachestat(trial: &Trial<'_>) {
    let fd = memfd();
    let number = fd.unsigned_abs();
    let (mut range, mut stat) = (sys::cachestat_range::default(), sys::cachestat::default());
    // SAFETY: both structures live until the call returns.
    let mut ask = || unsafe { sys::cachestat(number, &raw mut range, &raw mut stat, 0) };
    trial.twice(|| tried(&mut ask), || ());
    close(fd);
}

fn userfault() -> c_int {
    // SAFETY: nothing is watched yet.
    unsafe { sys::userfaultfd(libc::O_CLOEXEC | sys::UFFD_USER_MODE_ONLY) }
}

fn raw_userfaultfd(trial: &Trial<'_>) {
    descriptor(trial, userfault);
}

fn raw_ioctl(trial: &Trial<'_>) {
    let fd = userfault();
    assert_ne!(fd, -1);
    let mut api = sys::uffdio_api {
        api: sys::UFFD_API,
        features: 0,
        ioctls: 0,
    };
    // SAFETY: the request reads and writes the structure.
    let mut ask = || unsafe { sys::ioctl(fd, sys::UFFDIO_API, &raw mut api) };
    trial.twice(|| tried(&mut ask), || ());
    close(fd);
}

fn raw_prctl(trial: &Trial<'_>) {
    // SAFETY: the option takes nothing more, and changes nothing.
    trial.twice(
        || tried(|| unsafe { sys::prctl(libc::PR_GET_DUMPABLE) }),
        || (),
    );
}

fn raw_shm_open(trial: &Trial<'_>) {
    let name = format!("/unix-memory-faults-raw-{}\0", std::process::id());
    let name = CStr::from_bytes_with_nul(name.as_bytes()).expect("one NUL");
    // SAFETY: the name ends in NUL.
    descriptor(trial, || unsafe {
        sys::shm_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600)
    });
    // SAFETY: the name ends in NUL.
    assert_eq!(unsafe { sys::shm_unlink(name.as_ptr()) }, 0);
}

/// The first node, as a mask.
static FIRST: c_ulong = 1;
const BITS: c_ulong = 64;

fn bind(page: *mut libc::c_void, len: usize) -> c_int {
    let len = c_ulong::try_from(len).expect("a length");
    // SAFETY: no content changes; the mask has as many bits.
    int(unsafe { sys::mbind(page, len, sys::MPOL_BIND, &raw const FIRST, BITS, 0) })
}

fn raw_mbind(trial: &Trial<'_>) {
    with_page(trial, bind);
}

fn raw_get_mempolicy(trial: &Trial<'_>) {
    let mut mode = 0;
    let mut ask = || {
        // SAFETY: the mode can be written; no mask, and no address, is given.
        int(unsafe { sys::get_mempolicy(&raw mut mode, ptr::null_mut(), 0, ptr::null_mut(), 0) })
    };
    trial.twice(|| tried(&mut ask), || ());
    assert_eq!(mode, sys::MPOL_DEFAULT);
}

fn raw_set_mempolicy(trial: &Trial<'_>) {
    // SAFETY: no mask is given.
    let set = || int(unsafe { sys::set_mempolicy(sys::MPOL_DEFAULT, ptr::null(), 0) });
    trial.twice(|| tried(set), || ());
}

fn raw_set_mempolicy_home_node(trial: &Trial<'_>) {
    let (page, len) = (page(), c_ulong::try_from(page_size()).expect("a length"));
    assert_eq!(bind(page, page_size()), 0);
    // SAFETY: no content changes.
    let set = || unsafe { sys::set_mempolicy_home_node(page, len, 0, 0) };
    trial.twice(|| tried(set), || ());
    assert_eq!(unmap(page), 0);
}

fn raw_migrate_pages(trial: &Trial<'_>) {
    let mask = &raw const FIRST;
    // SAFETY: both masks have as many bits; no content changes.
    let migrate = || int(unsafe { sys::migrate_pages(0, BITS, mask, mask) });
    trial.twice(|| tried(migrate), || ());
}

fn raw_move_pages(trial: &Trial<'_>) {
    with_page(trial, |page, _| {
        let (mut pages, mut status) = ([page], 0);
        // SAFETY: there is one page, and one place for its status; nothing is moved.
        int(unsafe { sys::move_pages(0, 1, pages.as_mut_ptr(), ptr::null(), &raw mut status, 0) })
    });
}

fn raw_pkey_alloc(trial: &Trial<'_>) {
    // SAFETY: no memory has the key.
    let key = trial.twice(|| tried(|| unsafe { sys::pkey_alloc(0, 0) }), || ());
    // SAFETY: no memory has it.
    assert_eq!(unsafe { sys::pkey_free(key) }, 0);
}

fn raw_pkey_free(trial: &Trial<'_>) {
    // SAFETY: no memory has the key.
    let key = unsafe { sys::pkey_alloc(0, 0) };
    // SAFETY: as above.
    trial.twice(|| tried(|| unsafe { sys::pkey_free(key) }), || ());
}
