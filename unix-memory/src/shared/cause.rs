//! Asking a file why a byte of a mapping of it cannot be reached.

use std::os::fd::{AsFd, BorrowedFd};

use crate::bytes::read::Source;
use crate::error::{Error, FaultCause, FileKind, Reason};
use crate::map::facts::Facts;
use crate::os;
use crate::page::page_size;
use crate::protection::Access;
use crate::shared::mapped_file::MappedFile;

/// With the feature `std`.
impl FaultCause {
    /// Asks `file` why the byte at `position` of it cannot be reached in a mapping: where it ends; whether
    /// that byte can be read; and whether its file system is full. Changes nothing.
    ///
    /// The answer is of this moment, and the copy failed earlier. [`FaultCause::Unknown`] if all is well
    /// now, or if the file is neither regular nor a block device.
    ///
    /// ```
    /// use unix_memory::{FaultCause, MapOptions, ReadOnly, Reason, page_size};
    ///
    /// let (file, page) = (tempfile::tempfile()?, page_size() as u64);
    /// file.set_len(2 * page)?;
    /// let mapping = MapOptions::new().map_shared(&file, ReadOnly)?;
    /// file.set_len(page)?;
    /// let Err(error) = mapping.to_vec() else {
    ///     return Ok(()); // No copy fails on this system.
    /// };
    /// if let Reason::Fault { at, .. } = error.reason() {
    ///     assert_eq!(FaultCause::of(&file, at as u64), FaultCause::Truncated);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "fstat")]
    #[doc(alias = "fstatvfs")]
    #[must_use]
    pub fn of(file: impl AsFd, position: u64) -> Self {
        let fd = file.as_fd();
        let Ok(facts) = Facts::of(fd) else {
            return Self::Unknown;
        };
        let Some(end) = facts.end else {
            return Self::Unknown;
        };
        // The rest of the last page can be reached, and has zeros.
        let page = facts.huge_page.unwrap_or_else(page_size) as u64;
        if end.div_ceil(page) <= position / page {
            return Self::Truncated;
        }
        // The bytes of a hole can be read, also where the mapping finds no page for them.
        if facts.kind == FileKind::Regular {
            if let Some(errno) = read_error(fd, position) {
                return Self::ReadError(errno);
            }
            if os::is_full(fd) {
                return Self::NoSpace;
            }
        }
        Self::Unknown
    }
}

/// Errors of reading that are about the way in which the byte was asked for (`O_DIRECT`, secret memory, a
/// security policy), and say nothing about the byte.
const OF_THE_WAY: [core::ffi::c_int; 6] = [
    libc::EINVAL,
    libc::ESPIPE,
    libc::EOPNOTSUPP,
    libc::EAGAIN,
    libc::EACCES,
    libc::EPERM,
];

/// The error number of reading a byte at `position`; `None` if it can be read, or cannot be asked for.
fn read_error(fd: BorrowedFd<'_>, position: u64) -> Option<core::ffi::c_int> {
    let error = Source::at(fd, position).read(0, &mut [0]).err()?;
    let is_known = error.reason() == Reason::Kernel && !OF_THE_WAY.contains(&error.errno());
    is_known.then(|| error.errno())
}

impl<F: AsFd, A: Access> MappedFile<F, A> {
    /// Returns the same `error`, which a method of the mapping returned; with the reason why a byte could
    /// not be reached, if the file can say: see [`FaultCause::of`].
    ///
    /// [`append`](Self::append), [`read_at`](Self::read_at) and [`write_at`](Self::write_at) do that
    /// themselves. The other methods that copy are those of [`SharedMapping`](crate::SharedMapping), which does not keep the file.
    ///
    /// ```
    /// use unix_memory::{FaultCause, MapOptions, ReadWrite, Reason};
    ///
    /// # if !cfg!(target_os = "emscripten") {
    /// let mut log = MapOptions::new().map_file(tempfile::tempfile()?, ReadWrite)?;
    /// log.grow(1 << 20)?;
    /// log.file().set_len(0)?;
    /// let error = log.eq_at(0, b"entry").unwrap_err();
    /// let cause = FaultCause::Truncated;
    /// assert_eq!(log.explain(error).reason(), Reason::Fault { done: 0, at: 0, cause });
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    #[cold]
    pub fn explain(&self, error: Error) -> Error {
        let Reason::Fault {
            done,
            at,
            cause: found,
        } = error.reason()
        else {
            return error;
        };
        let position = self.options.start().saturating_add(at as u64);
        match FaultCause::of(&self.file, position) {
            // What the mapping itself found out stands.
            FaultCause::Unknown => error,
            FaultCause::ReadError(_) if found == FaultCause::NotWritable => error,
            cause => error.because(Reason::Fault { done, at, cause }),
        }
    }
}
