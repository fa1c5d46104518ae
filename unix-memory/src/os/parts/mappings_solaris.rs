//! What is mapped: illumos and Solaris, `/proc/PID/map`.

use core::ffi::{CStr, c_int};
use core::mem::{MaybeUninit, offset_of};

use super::proc_path::{Digits, Path, join};
use super::snapshot::{Records, Snapshot, number};
use crate::error::Errno;
use crate::os::call;
use crate::process_map::region::{FileId, Region, Sharing};
use crate::protection::Protection;

pub type Mappings = Snapshot<Map>;

pub struct Map {
    process: libc::pid_t,
    fd: c_int,
}

/// `prmap_t` of `<procfs.h>`: of a 64-bit program, as all that rustc makes there are.
#[repr(C)]
struct Record {
    vaddr: usize,
    size: usize,
    mapname: [u8; 64],
    offset: i64,
    mflags: c_int,
    pagesize: c_int,
    shmid: c_int,
    filler: c_int,
}

const _: () = assert!(size_of::<Record>() == 104 && size_of::<usize>() == 8);
const _: () = assert!(offset_of!(Record, offset) == 80 && offset_of!(Record, mflags) == 88);

/// `MA_READ`, `MA_WRITE`, `MA_EXEC` and `MA_SHARED` of `<sys/procfs.h>`.
const READ: c_int = 0x04;
const WRITE: c_int = 0x02;
const EXECUTE: c_int = 0x01;
const SHARED: c_int = 0x08;

impl Records for Map {
    fn open(process: libc::pid_t) -> Result<Self, Errno> {
        let path = path(process, "map", &[])?;
        // SAFETY: the path ends with a zero. [arguments]
        let fd = unsafe { libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC) };
        if fd >= 0 {
            return Ok(Self { process, fd });
        }
        Err(match call::errno() {
            libc::ENOENT => libc::ESRCH,
            errno => errno,
        })
    }

    fn size(&self) -> Result<usize, Errno> {
        let mut status = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the call writes to the structure. [arguments]
        call::zero_or_errno(unsafe { libc::fstat(self.fd, status.as_mut_ptr()) })?;
        // SAFETY: the call has written it. [arguments]
        let size = unsafe { status.assume_init() }.st_size;
        Ok(usize::try_from(size).unwrap_or(0))
    }

    fn read(&self, room: &mut [u8]) -> Result<usize, Errno> {
        // In one call, which sees the mappings of one moment.
        // SAFETY: the kernel writes at most as many bytes as there is room for. [arguments]
        let read = unsafe { libc::pread(self.fd, room.as_mut_ptr().cast(), room.len(), 0) };
        let read = usize::try_from(read).map_err(|_| match call::errno() {
            // The process has ended.
            libc::ENOENT => libc::ESRCH,
            errno => errno,
        })?;
        // If no further record fits, there may be more.
        if room.len() - read.min(room.len()) < size_of::<Record>() {
            return Err(libc::ENOMEM);
        }
        Ok(read)
    }

    fn first(&self, bytes: &[u8]) -> Option<(usize, Option<Region<()>>)> {
        let record = bytes.get(..size_of::<Record>())?;
        let long = |at| u64::from_ne_bytes(number(record, at));
        let flags = c_int::from_ne_bytes(number(record, offset_of!(Record, mflags)));
        let start = long(offset_of!(Record, vaddr));
        let end = start.checked_add(long(offset_of!(Record, size)))?;
        let mut protection = Protection::empty();
        protection.set(Protection::READ, flags & READ != 0);
        protection.set(Protection::WRITE, flags & WRITE != 0);
        protection.set(Protection::EXECUTE, flags & EXECUTE != 0);
        let file = self.file(mapname(record));
        let region = Region {
            addresses: start..end,
            protection,
            sharing: Some(if flags & SHARED == 0 {
                Sharing::Private
            } else {
                Sharing::Shared
            }),
            offset: match file {
                Some(_) => long(offset_of!(Record, offset)),
                None => 0,
            },
            file,
            name: (),
        };
        Some((record.len(), Some(region)))
    }

    fn name(&self, record: &[u8], name: &mut dyn FnMut(&[u8])) {
        let mapname = mapname(record);
        if mapname.is_empty() {
            return;
        }
        let Ok(link) = path(self.process, "path", mapname) else {
            return;
        };
        let mut target = [0; 1024];
        // SAFETY: the path ends with a zero, and the buffer has as many bytes. [arguments]
        let len = unsafe {
            libc::readlink(
                link.as_ptr().cast(),
                target.as_mut_ptr().cast(),
                target.len(),
            )
        };
        if let Some(path) = usize::try_from(len).ok().and_then(|len| target.get(..len)) {
            name(path);
        }
    }
}

impl Map {
    /// The file of an object.
    fn file(&self, mapname: &[u8]) -> Option<FileId> {
        if mapname.is_empty() {
            return None;
        }
        let object = path(self.process, "object", mapname).ok()?;
        let mut status = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the path ends with a zero, and the call writes to the structure. [arguments]
        let asked = unsafe { libc::stat(object.as_ptr().cast(), status.as_mut_ptr()) };
        if asked != 0 {
            return None;
        }
        // SAFETY: the call has written it. [arguments]
        let status = unsafe { status.assume_init() };
        Some(FileId {
            device: status.st_dev,
            inode: status.st_ino,
        })
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's own. [descriptor]
        let _closed = unsafe { libc::close(self.fd) };
    }
}

/// What the object is called below `/proc/PID/object` and `/proc/PID/path`; empty for memory without one.
fn mapname(record: &[u8]) -> &[u8] {
    let start = offset_of!(Record, mapname);
    let bytes = &record[start..offset_of!(Record, offset)];
    CStr::from_bytes_until_nul(bytes).map_or(&[], CStr::to_bytes)
}

/// `/proc/PID/directory/name`, or without the name where that is empty; with a zero at its end.
fn path(process: libc::pid_t, directory: &str, name: &[u8]) -> Result<Path, Errno> {
    let number = Digits::new(process.unsigned_abs());
    let slash = if name.is_empty() { &b""[..] } else { b"/" };
    let directory = directory.as_bytes();
    join(&[b"/proc/", number.as_bytes(), b"/", directory, slash, name])
}
