//! Code that is being written.

use core::fmt;
use core::ops::{Deref, DerefMut};

use super::aside::Aside;
use super::way::Way;
use super::{dual, jit};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::mapping::Mapping;
use crate::os;
use crate::protection::{Access, ReadExecute, ReadWrite};

/// Memory for machine code that is being written: it derefs to its bytes, and cannot be executed.
///
/// [`into_executable`](Self::into_executable) turns it into [`Code`](super::Code), in one of several
/// [ways](super#ways).
///
/// * **Length zero** is allowed: the buffer, and the code, have no bytes.
/// * **Threads**: `Send` and `Sync`.
/// * **Drop** unmaps the memory.
///
/// ```
/// use unix_memory::code::{CodeBuffer, Way};
///
/// let mut buffer = CodeBuffer::new(100)?;
/// buffer.fill(0); // normally: write instructions
/// println!("it will be executed at {:p}, by {:?}", buffer.address(), buffer.way());
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[must_use = "it is unmapped when it is dropped"]
pub struct CodeBuffer {
    /// The bytes that are written: private memory.
    bytes: Mapping<ReadWrite>,
    /// Where they are executed, if that is elsewhere.
    aside: Option<Aside>,
}

impl CodeBuffer {
    /// Makes `len` zeroed bytes, by the first way that works: [`Way::Flip`], [`Way::Jit`],
    /// [`Way::DualMapping`].
    ///
    /// # Errors
    /// * `ENOMEM`: `len` is more than a slice can have
    ///   ([`Reason::LengthLimit`](crate::Reason::LengthLimit)), or than the address space, its limit
    ///   (`RLIMIT_AS`), or the kernel's limit of mappings allows.
    /// * `ENOSYS` with [`Reason::NotEnforced`](crate::Reason::NotEnforced): the system enforces no
    ///   protections.
    /// * If mprotect(2) is refused, the error of the last way: for [`Way::DualMapping`], an error of
    ///   [`SharedMemory::unnamed`](crate::SharedMemory) or of
    ///   [`MapOptions::map_shared`](crate::MapOptions::map_shared), such as `EACCES` or `EPERM` if a
    ///   security policy forbids mapping the memory executable. Without the feature `std`, it is the
    ///   error of mprotect(2).
    ///
    /// # Platform
    /// To find out whether the process may make writable memory executable, this does so while the
    /// memory is still empty, with two calls of mprotect(2). If a filter of system calls would kill
    /// the process for that, use [`with`](Self::with) and [`Way::DualMapping`], which does not try.
    #[doc(alias = "mmap")]
    pub fn new(len: usize) -> Result<Self> {
        let refused = match Self::with(len, Way::Flip) {
            Err(error) if error.call() == Call::Mprotect && error.errno() != libc::ENOMEM => error,
            result => return result,
        };
        Self::with(len, Way::Jit)
            .or_else(|_| Self::with(len, Way::DualMapping))
            .map_err(|error| match error.reason() {
                Reason::Unsupported => refused,
                _ => error,
            })
    }

    /// Makes `len` zeroed bytes by `way`, or fails.
    ///
    /// # Errors
    /// `ENOMEM`, and `ENOSYS` with [`Reason::NotEnforced`](crate::Reason::NotEnforced), as for
    /// [`new`](Self::new); and
    /// * for [`Way::Flip`], those of mprotect(2): `EACCES` or `EPERM` if writable memory may not
    ///   become executable ([`Reason::ExecuteDenied`](crate::Reason::ExecuteDenied));
    /// * for [`Way::DualMapping`], those of [`SharedMemory::unnamed`](crate::SharedMemory) and of
    ///   [`MapOptions::map_shared`](crate::MapOptions::map_shared); `ENOSYS` without the feature `std`
    ///   ([`Reason::Unsupported`](crate::Reason::Unsupported));
    /// * for [`Way::Jit`], `EPERM` or `EINVAL` if the program has no entitlement to it; `ENOSYS` on
    ///   systems other than Apple's ([`Reason::Unsupported`](crate::Reason::Unsupported)).
    ///
    /// ```
    /// use unix_memory::code::{CodeBuffer, Way};
    ///
    /// # #[cfg(feature = "std")]
    /// match CodeBuffer::with(100, Way::DualMapping) {
    ///     Ok(buffer) => assert_eq!(buffer.way(), Way::DualMapping),
    ///     Err(refused) => println!("{refused}"), // some systems forbid it
    /// }
    /// ```
    pub fn with(len: usize, way: Way) -> Result<Self> {
        if !os::ENFORCES_PROTECTION {
            let arguments = Arguments::Length(len);
            let reason = Reason::NotEnforced;
            return Err(Error::new(Call::Mprotect, libc::ENOSYS, arguments, reason));
        }
        let bytes = Mapping::anonymous(len)?;
        let aside = match way {
            Way::Flip => None,
            // (Without such memory, the type has no values: compilers up to 1.85 warn of code behind
            // one.)
            Way::DualMapping => dual::make(len).map(Aside::Dual).map(Some)?,
            Way::Jit => jit::make(len).map(Aside::Jit).map(Some)?,
        };
        if aside.is_none() {
            let (written, executed) = (ReadWrite.protection(), ReadExecute.protection());
            // SAFETY: nothing refers to the pages. If this fails, they are unchanged. [borrowed]
            unsafe { bytes.region().change(written, executed) }?;
            // SAFETY: nothing refers to the pages. If this fails, they are unmapped. [borrowed]
            unsafe { bytes.region().change(executed, written) }?;
        }
        Ok(Self { bytes, aside })
    }

    pub(super) const fn from_parts(bytes: Mapping<ReadWrite>, aside: Option<Aside>) -> Self {
        Self { bytes, aside }
    }

    pub(super) fn into_parts(self) -> (Mapping<ReadWrite>, Option<Aside>) {
        (self.bytes, self.aside)
    }

    /// Returns the way in which the code becomes executable.
    #[must_use]
    pub const fn way(&self) -> Way {
        match &self.aside {
            None => Way::Flip,
            Some(aside) => aside.way(),
        }
    }

    /// Returns the address at which the first byte will be executed, for code that depends on its
    /// address.
    ///
    /// Only with [`Way::Flip`] is this also the address at which the byte is written. It stays the
    /// same through [`into_executable`](Self::into_executable) and
    /// [`Code::into_writable`](super::Code::into_writable).
    #[must_use]
    pub const fn address(&self) -> *const u8 {
        match &self.aside {
            None => self.bytes.as_ptr(),
            Some(aside) => aside.as_ptr(),
        }
    }
}

/// Takes memory that was mapped with [`MapOptions`](crate::MapOptions), for example near an address or
/// in huge pages. The way is [`Way::Flip`], which is not tried in advance: if it does not work,
/// [`into_executable`](CodeBuffer::into_executable) fails.
///
/// ```
/// use unix_memory::code::CodeBuffer;
/// use unix_memory::{MapOptions, ReadWrite};
///
/// let low = MapOptions::new().len(100).within(0..1 << 31).map_anonymous(ReadWrite)?;
/// let buffer = CodeBuffer::from(low);
/// assert!(buffer.address().addr() < 1 << 31);
/// # Ok::<(), unix_memory::Error>(())
/// ```
impl From<Mapping<ReadWrite>> for CodeBuffer {
    fn from(bytes: Mapping<ReadWrite>) -> Self {
        Self::from_parts(bytes, None)
    }
}

impl Deref for CodeBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for CodeBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for CodeBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for CodeBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl fmt::Debug for CodeBuffer {
    /// Shows the address, the length and the way; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeBuffer")
            .field("address", &self.address())
            .field("len", &self.len())
            .field("way", &self.way())
            .finish()
    }
}

static_assertions::assert_impl_all!(CodeBuffer: Send, Sync, Unpin);
