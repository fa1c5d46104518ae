//! What is tried with the raw crate: each call returns -1, or `MAP_FAILED`, and `errno` says why.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use unix_memory::page_size;
use unix_memory_sys as sys;

use super::trial::{Refusal, Trial};
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    raw_mmap raw_munmap raw_mprotect raw_madvise raw_msync raw_mlock raw_munlock raw_mlockall
    raw_munlockall raw_mincore raw_mremap raw_mlock2 raw_mseal raw_memfd_create raw_memfd_secret
    raw_ftruncate raw_fcntl raw_shm_unlink
];

/// What a call left in `errno`.
#[derive(Debug)]
pub struct Raw(i32);

impl Refusal for Raw {
    fn errno(&self) -> i32 {
        self.0
    }

    fn name(&self) -> &'static str {
        // That of the call that was made: it makes no other.
        ""
    }
}

/// Calls `f`, which returns its `errno`, or zero.
pub fn returned(f: impl FnOnce() -> c_int) -> Result<(), Raw> {
    match f() {
        0 => Ok(()),
        errno => Err(Raw(errno)),
    }
}

/// Calls `f`, which returns -1 if it fails.
pub fn tried(f: impl FnOnce() -> c_int) -> Result<c_int, Raw> {
    match f() {
        -1 => {
            // SAFETY: the call has no preconditions.
            let errno = unsafe { sys::errno_location() };
            // SAFETY: it is this thread's, which reads it at once.
            Err(Raw(unsafe { *errno }))
        }
        result => Ok(result),
    }
}

pub fn page() -> *mut c_void {
    let (both, flags) = (
        sys::PROT_READ | sys::PROT_WRITE,
        sys::MAP_PRIVATE | sys::MAP_ANONYMOUS,
    );
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    unsafe { sys::mmap(ptr::null_mut(), page_size(), both, flags, -1, 0) }
}

pub fn unmap(page: *mut c_void) -> c_int {
    // SAFETY: the page is one that a scenario has mapped for itself.
    unsafe { sys::munmap(page, page_size()) }
}

/// Tries `f` with a page, which is unmapped behind it.
pub fn with_page(trial: &Trial<'_>, f: impl Fn(*mut c_void, usize) -> c_int) {
    let page = page();
    assert_ne!(page, sys::MAP_FAILED);
    trial.twice(|| tried(|| f(page, page_size())), || ());
    assert_eq!(unmap(page), 0);
}

fn raw_mmap(trial: &Trial<'_>) {
    let mut new = sys::MAP_FAILED;
    let map = || {
        new = page();
        tried(|| if new == sys::MAP_FAILED { -1 } else { 0 })
    };
    trial.twice(map, || ());
    assert_eq!(unmap(new), 0);
}

fn raw_munmap(trial: &Trial<'_>) {
    let page = page();
    trial.twice(|| tried(|| unmap(page)), || ());
}

fn raw_mprotect(trial: &Trial<'_>) {
    // SAFETY: nothing refers to the page.
    with_page(trial, |page, len| unsafe {
        sys::mprotect(page, len, sys::PROT_READ)
    });
}

fn raw_madvise(trial: &Trial<'_>) {
    // SAFETY: the advice changes nothing.
    with_page(trial, |page, len| unsafe {
        sys::madvise(page, len, sys::MADV_NORMAL)
    });
}

fn raw_msync(trial: &Trial<'_>) {
    // SAFETY: the page is mapped.
    with_page(trial, |page, len| unsafe {
        sys::msync(page, len, sys::MS_SYNC)
    });
}

fn raw_mlock(trial: &Trial<'_>) {
    // SAFETY: a lock changes nothing of what memory holds.
    with_page(trial, |page, len| unsafe { sys::mlock(page, len) });
}

fn raw_munlock(trial: &Trial<'_>) {
    // SAFETY: as above.
    with_page(trial, |page, len| unsafe { sys::munlock(page, len) });
}

fn raw_mlockall(trial: &Trial<'_>) {
    // SAFETY: as above.
    trial.twice(
        || tried(|| unsafe { sys::mlockall(sys::MCL_CURRENT) }),
        || (),
    );
    // SAFETY: as above.
    assert_eq!(unsafe { sys::munlockall() }, 0);
}

fn raw_munlockall(trial: &Trial<'_>) {
    // SAFETY: as above.
    trial.twice(|| tried(|| unsafe { sys::munlockall() }), || ());
}

fn raw_mincore(trial: &Trial<'_>) {
    with_page(trial, |page, len| {
        let mut state = 0;
        // SAFETY: there is a byte for the page.
        unsafe { sys::mincore(page, len, &raw mut state) }
    });
}

fn raw_mremap(trial: &Trial<'_>) {
    with_page(trial, |page, len| {
        // SAFETY: to the same length, nothing is moved.
        let new = unsafe { sys::mremap(page, len, len, 0) };
        if new == sys::MAP_FAILED { -1 } else { 0 }
    });
}

fn raw_mlock2(trial: &Trial<'_>) {
    // SAFETY: a lock changes nothing of what memory holds.
    with_page(trial, |page, len| unsafe {
        sys::mlock2(page, len, sys::MLOCK_ONFAULT)
    });
}

fn raw_mseal(trial: &Trial<'_>) {
    let page = page();
    // SAFETY: the page stays mapped forever.
    trial.twice(
        || tried(|| unsafe { sys::mseal(page, page_size(), 0) }),
        || (),
    );
}

/// Tries `f`, which makes a descriptor, and closes that.
pub fn descriptor(trial: &Trial<'_>, f: impl Fn() -> c_int) {
    let fd = trial.twice(|| tried(&f), || ());
    // SAFETY: it is this scenario's own.
    assert_eq!(unsafe { libc::close(fd) }, 0);
}

pub fn memfd() -> c_int {
    // SAFETY: the name ends in NUL.
    unsafe { sys::memfd_create(c"faults".as_ptr(), sys::MFD_CLOEXEC) }
}

fn raw_memfd_create(trial: &Trial<'_>) {
    descriptor(trial, memfd);
}

fn raw_memfd_secret(trial: &Trial<'_>) {
    // SAFETY: the call takes integers.
    descriptor(trial, || unsafe { sys::memfd_secret(0) });
}

fn raw_ftruncate(trial: &Trial<'_>) {
    let fd = memfd();
    // SAFETY: the call takes integers.
    trial.twice(|| tried(|| unsafe { sys::ftruncate(fd, 100) }), || ());
    // SAFETY: it is this scenario's own.
    assert_eq!(unsafe { libc::close(fd) }, 0);
}

fn raw_fcntl(trial: &Trial<'_>) {
    let fd = memfd();
    // SAFETY: the command takes no argument.
    trial.twice(
        || tried(|| unsafe { sys::fcntl(fd, sys::F_GET_SEALS) }),
        || (),
    );
    // SAFETY: it is this scenario's own.
    assert_eq!(unsafe { libc::close(fd) }, 0);
}

fn raw_shm_unlink(trial: &Trial<'_>) {
    let name = format!("/unix-memory-faults-raw-{}\0", std::process::id());
    let name = CStr::from_bytes_with_nul(name.as_bytes()).expect("one NUL");
    // SAFETY: the name ends in NUL.
    let fd = unsafe { sys::shm_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600) };
    assert_ne!(fd, -1);
    // SAFETY: it is this scenario's own.
    assert_eq!(unsafe { libc::close(fd) }, 0);
    // SAFETY: the name ends in NUL.
    trial.twice(
        || tried(|| unsafe { sys::shm_unlink(name.as_ptr()) }),
        || (),
    );
}
