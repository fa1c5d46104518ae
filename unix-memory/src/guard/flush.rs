//! How changes of a file mapping are written back.

use core::ffi::c_int;
use core::ops::{Range, RangeBounds};

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call;
use crate::page::check_range;
use crate::region::Region;

/// How to flush: the flags of `msync`. Source: msync(2), POSIX.1-2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "MsFlags")]
#[doc(alias = "MsyncFlags")]
pub enum Flush {
    /// Write, and return when it is done. On some systems this is not enough for changes to survive a
    /// crash: see `flush_durable`.
    ///
    /// # Platform
    /// On Linux, it does nothing if the file was not opened for writing, or if writes are private: it
    /// does not write others' changes of the file. It writes the file's data, and the metadata needed
    /// to read them, as fdatasync(2) does. On Apple's systems the device may still hold the data in
    /// its cache.
    #[doc(alias = "MS_SYNC")]
    Sync,
    /// Start writing, and return immediately.
    ///
    /// # Platform
    /// On Linux since 2.6.19 this does nothing: the kernel writes changed pages in its own time
    /// anyway.
    #[doc(alias = "MS_ASYNC")]
    Async,
    /// Like [`Sync`](Self::Sync), and also make other mappings of the file show its current content.
    ///
    /// # Platform
    /// On Linux, all mappings of a file are coherent anyway; the only difference is that this fails
    /// with `EBUSY` on locked pages.
    #[doc(alias = "MS_INVALIDATE")]
    Invalidate,
}

impl Flush {
    #[inline]
    const fn flags(self) -> c_int {
        match self {
            Self::Sync => sys::MS_SYNC,
            Self::Async => sys::MS_ASYNC,
            Self::Invalidate => sys::MS_SYNC | sys::MS_INVALIDATE,
        }
    }
}

impl Region {
    /// Flushes the pages that hold a byte of `range`.
    #[inline]
    pub fn flush(&self, range: &impl RangeBounds<usize>, mode: Flush) -> Result<()> {
        let range = check_range(Call::Msync, range, self.len())?;
        if range.is_empty() {
            return Ok(());
        }
        let (start, len) = self.span_of(&range);
        // SAFETY: the pages are the region's own. [owned]
        match unsafe { call::msync(start, len, mode.flags()) } {
            Ok(()) => Ok(()),
            Err(errno) => Err(refused(errno, &range)),
        }
    }
}

#[cold]
const fn refused(errno: Errno, range: &Range<usize>) -> Error {
    let reason = match errno {
        // This is what POSIX says, but only about `MS_INVALIDATE`.
        libc::EBUSY => Reason::Locked,
        _ => Reason::Kernel,
    };
    Error::new(Call::Msync, errno, Arguments::range(range), reason)
}
