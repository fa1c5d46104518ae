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

/// Leaves the time of the last access alone: who does not own the file may not.
pub const OPEN: OFlags = OFlags::NOATIME;

/// cachestat(2), since Linux 6.5.
pub fn cached(file: &File, bytes: &Range<u64>) -> Answer {
    if bytes.is_empty() {
        // To the kernel a length of zero is all.
        return Answer::Cached(Cached::default());
    }
    match count(file.as_fd(), bytes) {
        Ok(cached) => Answer::Cached(cached),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && !is_filtered() => Answer::Denied,
        Err(_) => Answer::Unknown,
    }
}

/// Whether a filter of system calls refuses to count: it does so even of memory of this process's own,
/// which the kernel counts.
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

/// posix_fadvise(2). It leaves pages alone that have bytes outside of `bytes`, as it does dirty ones:
/// these are written first.
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

/// Since Linux 5.2: to the owner, and to those who may write to it. To others mincore(2) reports every
/// page as in memory. (`cachestat`, where it is, says by an error who may not ask.)
pub fn shows_pages(path: &Path, metadata: &Metadata) -> bool {
    owns_all()
        || metadata.uid() == geteuid().as_raw()
        || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

/// Whether this process counts as the owner of every file: it is root, and not that of a user namespace,
/// who owns nothing of users that are not in the namespace.
fn owns_all() -> bool {
    // user_namespaces(7): outside of one, the map has one line, of all numbers.
    let is_outside = |map: String| map.split_whitespace().eq(["0", "0", "4294967295"]);
    geteuid().is_root() && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(is_outside)
}
