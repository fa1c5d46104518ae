//! What POSIX.1-2024 says about each call, checked with the raw crate, and so with the system.
//!
//! `unix-memory-sys/docs/posix.md` lists the assertions, and names the test of each; `cargo xtask house` checks
//! that it names tests that exist, and each test of this program.

// Emscripten has neither processes nor signals nor protections.
#![cfg(not(target_os = "emscripten"))]

mod advise;
mod anonymous;
mod lock;
mod map;
mod map_refused;
mod object;
mod process_lock;
mod protect;
mod sync;
mod unmap;

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;

use tests::in_a_child;
use unix_memory::page_size;
use unix_memory_sys as sys;

const READ_WRITE: c_int = sys::PROT_READ | sys::PROT_WRITE;
const PRIVATE: c_int = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS;

/// What was mapped by the bare call, until it is dropped.
struct Pages {
    start: *mut c_void,
    len: usize,
}

impl Pages {
    /// Private memory without a file, to be read and written.
    fn new(count: usize) -> Self {
        Self::map(count * page_size(), READ_WRITE, PRIVATE, -1).expect("memory")
    }

    /// A mapping at an address of the kernel's choice, from the beginning of the file behind `fd`.
    fn map(len: usize, protection: c_int, flags: c_int, fd: c_int) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let start = unsafe { sys::mmap(ptr::null_mut(), len, protection, flags, fd, 0) };
        if start == sys::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, len })
    }

    /// A mapping of `file`, shared or private.
    fn of(file: &File, len: usize, protection: c_int, flags: c_int) -> io::Result<Self> {
        Self::map(len, protection, flags, file.as_raw_fd())
    }

    fn page(&self, index: usize) -> *mut c_void {
        let offset = index * page_size();
        assert!(offset < self.len);
        self.start.wrapping_byte_add(offset)
    }

    fn read(&self, at: usize) -> u8 {
        assert!(at < self.len.next_multiple_of(page_size()));
        // SAFETY: the byte is in this value's pages; if it cannot be read, the process ends, which is the
        // purpose of the child that tries it.
        unsafe { self.start.cast::<u8>().wrapping_add(at).read_volatile() }
    }

    fn write(&self, at: usize, byte: u8) {
        assert!(at < self.len.next_multiple_of(page_size()));
        // SAFETY: as for `read`; there are no references into these pages.
        unsafe {
            self.start
                .cast::<u8>()
                .wrapping_add(at)
                .write_volatile(byte);
        }
    }

    /// How a child that reads this byte ends.
    fn end_of_read(&self, at: usize) -> ExitStatus {
        in_a_child(|| {
            self.read(at);
        })
    }

    /// How a child that writes this byte ends.
    fn end_of_write(&self, at: usize) -> ExitStatus {
        in_a_child(|| self.write(at, 1))
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the pages are this value's, to which nothing refers any more. (Parts may have been
        // unmapped by a test; nothing else was mapped there, as tests do that in a child.)
        let failed = unsafe { sys::munmap(self.start, self.len) };
        assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    }
}

/// Zero for success; otherwise the `errno` of a call that returned -1.
#[track_caller]
fn tried(returned: c_int) -> io::Result<()> {
    match returned {
        0 => Ok(()),
        -1 => Err(io::Error::last_os_error()),
        other => panic!("neither 0 nor -1 but {other}"),
    }
}

/// The `errno` of what should have failed.
#[track_caller]
fn errno<T>(result: io::Result<T>) -> c_int {
    let Err(error) = result else {
        panic!("it did not fail")
    };
    error.raw_os_error().expect("the system's")
}

/// Whether the signal is one for an access that the protection forbids: Apple's systems raise the other.
fn is_denied(status: ExitStatus) -> bool {
    status.signal() == Some(libc::SIGSEGV)
        || cfg!(target_vendor = "apple") && status.signal() == Some(libc::SIGBUS)
}

/// A file with these bytes.
fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("bytes in a file");
    file
}

/// Gives up the privilege to lock without a limit, permanently: in a child.
fn without_privileges() -> bool {
    // SAFETY: the call has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return true;
    }
    // SAFETY: as above. (Nobody's.)
    unsafe { libc::setuid(65534) == 0 }
}
