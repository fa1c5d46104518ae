//! Writing changes of a file mapping to the device, so that they survive a crash.

use core::ops::RangeBounds;
use std::os::fd::{AsFd, AsRawFd};

use crate::error::{Arguments, Call, Error, Result};
use crate::guard::flush::Flush;
use crate::mapping::Mapping;
use crate::os;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// Gives a guard the durable flush.
macro_rules! flush_durable {
    ($guard:ident) => {
        /// With the feature `std`: flushes whose effect survives a crash of the system.
        impl<A: Access> $guard<A> {
            /// Writes all changes of the mapping to `file`, and makes the device store them.
            ///
            /// # Errors
            /// Those of [`flush_range_durable`](Self::flush_range_durable).
            #[doc(alias = "fsync")]
            #[doc(alias = "F_FULLFSYNC")]
            pub fn flush_durable(&self, file: impl AsFd) -> Result<()> {
                self.flush_range_durable(.., file)
            }

            /// Writes the changed pages that hold a byte of `range` to `file`, which must be the
            /// mapped file, and makes the device store them. When this returns, the changes survive
            /// a crash of the system and a loss of power, unless the device lies.
            ///
            /// [`Flush::Sync`] writes the pages. After that, this calls `fsync` on the file, which
            /// writes the file's length and its place on the device, and empties the device's own
            /// cache. `range` is in bytes from the start of the mapping and is rounded outward to
            /// pages. The name of a new file is durable only after `fsync` of its directory. Source:
            /// msync(2), fsync(2), POSIX.1-2024.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping, or a file that cannot be
            /// synchronised; `EIO`, `ENOSPC`, `EDQUOT` if writing failed. The kernel may report a
            /// failed write only once, and then treat the pages as written, so after an error the
            /// content of the file is unknown.
            ///
            /// # Platform
            /// On Apple's systems, this uses `fcntl(F_FULLFSYNC)`, because `fsync` leaves the data
            /// in the device's cache; or `fsync`, if the file system does not support the former.
            ///
            /// ```no_run
            /// use unix_memory::{MapOptions, ReadWrite};
            ///
            /// let file = std::fs::File::options().read(true).write(true).open("data")?;
            /// let mapping = MapOptions::new().map_shared(&file, ReadWrite)?;
            /// mapping.write_at(0, b"committed")?;
            /// mapping.flush_range_durable(..9, &file)?;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            #[doc(alias = "msync")]
            #[doc(alias = "fsync")]
            #[doc(alias = "F_FULLFSYNC")]
            pub fn flush_range_durable(
                &self,
                range: impl RangeBounds<usize>,
                file: impl AsFd,
            ) -> Result<()> {
                self.flush_range(range, Flush::Sync)?;
                let file = file.as_fd();
                loop {
                    // SAFETY: the descriptor is open as long as `file` lives. [descriptor]
                    match unsafe { os::sync_to_device(file.as_raw_fd()) } {
                        Ok(()) => return Ok(()),
                        // Interrupted by a signal: not done yet.
                        Err(libc::EINTR) => {}
                        Err(errno) => {
                            return Err(Error::kernel(Call::Fsync, errno, Arguments::None));
                        }
                    }
                }
            }
        }
    };
}

flush_durable!(Mapping);
flush_durable!(SharedMapping);
