//! Linux and Android.

use std::fs::{File, Metadata};
use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, Advice, AtFlags, CWD, OFlags, accessat, fadvise};
use rustix::process::geteuid;
use unix_memory_sys::{cachestat, cachestat_range};

use super::Answer;
use crate::figures::Cached;

/// Leaves the time of the last access alone: who does not own the file may not.
pub const OPEN: OFlags = OFlags::NOATIME;

/// cachestat(2), since Linux 6.5.
pub fn cached(file: &File, bytes: &Range<u64>) -> Answer {
    let mut result = unix_memory_sys::cachestat::default();
    if bytes.is_empty() {
        // To the kernel a length of zero is all.
        return Answer::Cached(Cached::default());
    }
    let mut range = cachestat_range {
        off: bytes.start,
        len: bytes.end - bytes.start,
    };
    let fd = file.as_raw_fd().unsigned_abs();
    // SAFETY: `range` and `result` are valid for reads and writes.
    if unsafe { cachestat(fd, &raw mut range, &raw mut result, 0) } == 0 {
        return Answer::Cached(Cached {
            pages: result.nr_cache,
            dirty: result.nr_dirty,
            writeback: result.nr_writeback,
            evicted: result.nr_evicted,
            recently_evicted: result.nr_recently_evicted,
        });
    }
    match io::Error::last_os_error().raw_os_error() {
        // (Filters of system calls answer so too.)
        Some(libc::EPERM) if !owns_all() => Answer::Denied,
        _ => Answer::Unknown,
    }
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

/// Since Linux 5.2: to the owner, and to who may write to it. To others every page seems in memory.
pub fn shows_pages(path: &Path, metadata: &Metadata) -> bool {
    owns_all()
        || metadata.uid() == geteuid().as_raw()
        || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

fn owns_all() -> bool {
    geteuid().is_root()
}
