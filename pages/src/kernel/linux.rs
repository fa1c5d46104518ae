//! Linux and Android.

use std::fs::{File, Metadata};
use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{
    Access, Advice, AtFlags, CWD, MemfdFlags, OFlags, accessat, fadvise, memfd_create,
};
use rustix::process::geteuid;
use unix_memory_sys::{cachestat, cachestat_range};

use super::Answer;
use crate::figures::Cached;

/// Leaves the time of the last access alone, which only the file's owner may do.
pub const OPEN: OFlags = OFlags::NOATIME;

/// cachestat(2), since Linux 6.5.
pub fn cached(file: &File, bytes: &Range<u64>) -> Answer {
    if bytes.is_empty() {
        // To the kernel, a length of zero means everything.
        return Answer::Cached(Cached::default());
    }
    match count(file.as_fd(), bytes) {
        Ok(cached) => Answer::Cached(cached),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && !is_filtered() => Answer::Denied,
        Err(_) => Answer::Unknown,
    }
}

/// Whether a filter of system calls refuses cachestat: it then refuses even for this process's own
/// memory, which the kernel would count.
fn is_filtered() -> bool {
    static FILTERED: OnceLock<bool> = OnceLock::new();
    *FILTERED.get_or_init(|| {
        memfd_create("pages", MemfdFlags::CLOEXEC)
            .is_ok_and(|file| count(file.as_fd(), &(0..1)).is_err())
    })
}

fn count(file: BorrowedFd<'_>, bytes: &Range<u64>) -> io::Result<Cached> {
    let mut result = unix_memory_sys::cachestat::default();
    let mut range = cachestat_range {
        off: bytes.start,
        len: bytes.end - bytes.start,
    };
    let fd = file.as_raw_fd().unsigned_abs();
    // SAFETY: `range` and `result` are valid for reads and writes.
    if unsafe { cachestat(fd, &raw mut range, &raw mut result, 0) } == 0 {
        return Ok(Cached {
            pages: result.nr_cache,
            dirty: result.nr_dirty,
            writeback: result.nr_writeback,
            evicted: result.nr_evicted,
            recently_evicted: result.nr_recently_evicted,
        });
    }
    Err(io::Error::last_os_error())
}

/// posix_fadvise(2). It leaves alone pages that have bytes outside of `bytes`, and dirty pages, which
/// are therefore written first.
pub fn evict(file: &File, bytes: &Range<u64>) -> io::Result<()> {
    let all_written = match cached(file, bytes) {
        Answer::Cached(cached) => cached.dirty == 0 && cached.writeback == 0,
        Answer::Denied | Answer::Unknown => false,
    };
    if !all_written {
        file.sync_data()?;
    }
    if let Some(len) = NonZeroU64::new(bytes.end - bytes.start) {
        fadvise(file, bytes.start, Some(len), Advice::DontNeed)?;
    }
    Ok(())
}

/// Since Linux 5.2, only to the owner and to those who may write to the file. To others, mincore(2)
/// reports every page as in memory. (`cachestat`, if it exists, fails for those who may not ask.)
pub fn shows_pages(path: &Path, metadata: &Metadata) -> bool {
    owns_all()
        || metadata.uid() == geteuid().as_raw()
        || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

/// Whether this process counts as the owner of every file: whether it is root, but not the root of a
/// user namespace, who owns no files of users outside the namespace.
fn owns_all() -> bool {
    // user_namespaces(7): outside of a namespace, the map has one line, with all numbers.
    let is_outside = |map: String| map.split_whitespace().eq(["0", "0", "4294967295"]);
    geteuid().is_root() && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(is_outside)
}
