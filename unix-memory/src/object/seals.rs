//! What can no longer be done to a file in memory.

use core::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use unix_memory_sys as sys;

use super::shared_memory::SharedMemory;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os::call;

bitflags::bitflags! {
    /// Restrictions on what can be done to a file in memory. Source: fcntl(2), `F_ADD_SEALS`.
    ///
    /// A seal belongs to the file, not to a descriptor, and is permanent. Linux has two more.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Seals: c_int {
        /// No more seals.
        #[doc(alias = "F_SEAL_SEAL")]
        const SEAL = sys::F_SEAL_SEAL;
        /// The file cannot become shorter, so nobody who has it mapped can lose a page.
        #[doc(alias = "F_SEAL_SHRINK")]
        const SHRINK = sys::F_SEAL_SHRINK;
        /// The file cannot become longer.
        #[doc(alias = "F_SEAL_GROW")]
        const GROW = sys::F_SEAL_GROW;
        /// The content cannot change. The seal is refused while somebody has the file mapped shared and
        /// could write.
        #[doc(alias = "F_SEAL_WRITE")]
        const WRITE = sys::F_SEAL_WRITE;
        /// Seals that have no name here, present or future.
        const _ = !0;
    }
}

/// The seals of the file behind `fd`.
///
/// # Errors
/// Those of [`SharedMemory::seals`].
pub fn seals_of(fd: BorrowedFd<'_>) -> Result<Seals> {
    // SAFETY: the command ignores its argument. [arguments]
    let seals = unsafe { call::fcntl(fd, sys::F_GET_SEALS, 0) };
    seals.map(Seals::from_bits_retain).map_err(|errno| {
        let reason = match errno {
            libc::EINVAL => Reason::NotSealable,
            _ => Reason::Kernel,
        };
        Error::new(Call::GetSeals, errno, Arguments::None, reason)
    })
}

/// On Linux, Android and FreeBSD: seals.
impl SharedMemory {
    /// The file's seals.
    ///
    /// # Errors
    /// `EINVAL` with [`Reason::NotSealable`]: it is not a memfd.
    #[doc(alias = "F_GET_SEALS")]
    pub fn seals(&self) -> Result<Seals> {
        seals_of(self.as_fd())
    }

    /// Adds seals, which nobody can remove again.
    ///
    /// # Errors
    /// * `EBUSY` with [`Reason::Mapped`], for [`Seals::WRITE`]: somebody has the file mapped shared and
    ///   could write, even if that mapping is read-only now. Drop every [`SharedMapping`] of it first. The
    ///   kernel also returns this while it is working on the pages itself.
    /// * `EPERM` with [`Reason::SealingOff`]: no seals may be added, because the memfd was made without
    ///   [`MemfdOptions::sealing`](crate::MemfdOptions::sealing) or already has [`Seals::SEAL`]; with
    ///   [`Reason::NotWritable`]: the descriptor is not open for writing. Also if a filter of system calls
    ///   refuses it.
    /// * `EINVAL` with [`Reason::NotSealable`]: it is not a memfd; or the kernel does not know one of
    ///   the seals.
    ///
    /// [`SharedMapping`]: crate::SharedMapping
    ///
    /// ```
    /// use unix_memory::{MemfdOptions, Seals};
    ///
    /// // Now nobody can take pages away from those who have it mapped.
    /// let memory = MemfdOptions::new().sealing(true).create(100)?;
    /// memory.add_seals(Seals::SHRINK | Seals::SEAL)?;
    /// assert!(memory.set_len(99).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "F_ADD_SEALS")]
    pub fn add_seals(&self, seals: Seals) -> Result<()> {
        self.add_raw_seals(seals.bits())
    }

    pub(super) fn add_raw_seals(&self, seals: c_int) -> Result<()> {
        // SAFETY: the command takes seals. [arguments]
        let added = unsafe { call::fcntl(self.as_fd(), sys::F_ADD_SEALS, seals) };
        added.map(drop).map_err(|errno| {
            let reason = match errno {
                libc::EBUSY => Reason::Mapped,
                libc::EINVAL if self.seals().is_err() => Reason::NotSealable,
                libc::EPERM => match self.seals() {
                    Ok(seals) if seals.contains(Seals::SEAL) => Reason::SealingOff,
                    Ok(_)
                        if call::access_mode(self.as_fd().as_raw_fd()) == Some(libc::O_RDONLY) =>
                    {
                        Reason::NotWritable
                    }
                    // A filter of system calls refuses it.
                    _ => Reason::Kernel,
                },
                _ => Reason::Kernel,
            };
            Error::new(Call::AddSeals, errno, Arguments::None, reason)
        })
    }
}
