//! Memory under a protection key, on Linux and Android.

use core::cell::Cell;
use core::ffi::c_int;
use core::fmt;

use unix_memory_sys as sys;

use crate::arch;
use crate::error::{Arguments, Call, Error, Failed, Reason, Result};
use crate::mapping::Mapping;
use crate::os::{self, call};
use crate::page::check_span;
use crate::protection::{Access, Readable, Writable};
use crate::region::Region;
use crate::region::limit::why_not_split;
use crate::region::spare::{self, Outcome};

/// A protection key: a thread can close and open memory that has the key without a system call.
///
/// A process has at most 15 keys. Dropping a key gives it back. Keys need Linux 4.9 and an x86-64
/// processor with the feature; other architectures are not implemented. Source: pkeys(7).
///
/// # Threads that keep rights
/// The rights over a key belong to a thread, and no other thread can change them. A thread starts with
/// the rights of the thread that makes it, so a thread that is made inside [`Keyed::with`] can access
/// the memory as long as it lives.
///
/// The kernel reuses the numbers of keys that were given back, and closes a reused number only for the
/// thread that asks for it. So a thread that was made while an earlier key with the same number was
/// open can access the memory of the later key. This crate gives the numbers back all the same: there
/// are so few that a program which makes a key now and then would soon have none, and safe code gives
/// such a thread no reference to the memory. If that is not enough, make no threads inside `with`, or
/// keep one key as long as the process lives. Other code in the process that uses keys can leave
/// threads with rights in the same way.
///
/// ```
/// use unix_memory::{Mapping, ProtectionKey};
///
/// let key = match ProtectionKey::new() {
///     Ok(key) => key,
///     Err(error) => {
///         println!("{error}"); // the processor has no keys
///         return Ok(());
///     }
/// };
/// let mut secret = key.protect(Mapping::anonymous(32)?)?;
/// secret.write_at(0, b"a secret")?; // open for this thread while it copies
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "pkey_alloc")]
#[doc(alias = "pkey_free")]
#[doc(alias = "PKEY_DISABLE_WRITE")]
#[doc(alias = "PKEY_DISABLE_ACCESS")]
pub struct ProtectionKey {
    key: c_int,
}

/// The key that all memory has by default, which forbids nothing.
const DEFAULT: c_int = 0;

impl ProtectionKey {
    /// Takes a key that no memory has. No thread can access memory with this key, except for threads
    /// that [keep rights](Self#threads-that-keep-rights) over an earlier key with the same number.
    ///
    /// # Errors
    /// `ENOSPC` if no key is left; `ENOSPC` or `EINVAL` if the processor has no keys; `ENOSYS` before
    /// Linux 4.9, and, with [`Reason::Unsupported`], on architectures other than x86-64.
    #[doc(alias = "pkey_alloc")]
    pub fn new() -> Result<Self> {
        if !arch::KEYS {
            let reason = Reason::Unsupported;
            return Err(Error::new(
                Call::PkeyAlloc,
                libc::ENOSYS,
                Arguments::None,
                reason,
            ));
        }
        let rights = sys::PKEY_DISABLE_ACCESS.unsigned_abs();
        // SAFETY: no memory has the key. [arguments]
        let key = unsafe { sys::pkey_alloc(0, rights) };
        if key < 0 {
            return Err(Error::kernel(
                Call::PkeyAlloc,
                call::errno(),
                Arguments::None,
            ));
        }
        Ok(Self { key })
    }

    /// Gives the pages of `mapping` this key, which closes them to every thread.
    ///
    /// # Errors
    /// The mapping comes back inside the error, as it was: `ENOMEM` at a limit of mappings, `EPERM` if
    /// a part of it is sealed.
    #[doc(alias = "pkey_mprotect")]
    pub fn protect<A: Readable>(
        &self,
        mapping: Mapping<A>,
    ) -> core::result::Result<Keyed<'_, A>, Failed<Mapping<A>>> {
        // SAFETY: `mapping` was taken by value, so nothing refers to its pages. [borrowed]
        match unsafe {
            set_key(
                mapping.region(),
                mapping.protection().bits(),
                DEFAULT,
                self.key,
            )
        } {
            Ok(()) => Ok(Keyed { mapping, key: self }),
            Err(error) => Err(Failed::new(error, mapping)),
        }
    }

    /// Calls `f` while the calling thread has all rights over memory with the key. Afterwards, even if
    /// `f` panics, the thread has its old rights again.
    ///
    /// # Safety
    /// `f` makes no reference to such memory that outlives it, or that another thread can have.
    unsafe fn open<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore(u32, u32);

        impl Drop for Restore {
            fn drop(&mut self) {
                // SAFETY: the key is there; what `f` refers to is gone, and what referred to such
                // memory before had these rights. [keys]
                unsafe { arch::set_key_rights(self.0, self.1) };
            }
        }

        let key = self.key.unsigned_abs();
        // SAFETY: the key is there; no right that a reference needs is taken. [keys]
        let old = unsafe { arch::set_key_rights(key, sys::PKEY_UNRESTRICTED.unsigned_abs()) };
        let _restore = Restore(key, old);
        f()
    }
}

impl Drop for ProtectionKey {
    fn drop(&mut self) {
        // SAFETY: what has the key borrows it, or was forgotten, and nobody refers to that.
        // [keys, borrowed]
        let _given_back = unsafe { sys::pkey_free(self.key) };
    }
}

impl fmt::Debug for ProtectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectionKey")
            .field("key", &self.key)
            .finish()
    }
}

/// Memory that has a [`ProtectionKey`]: closed to every thread, except while one is in a method of
/// this type.
///
/// It gives out no reference that another thread could have. Dropping it unmaps the memory.
///
/// * **Signals**: a handler runs with the rights of a new process: it cannot access the memory.
/// * **Threads**: a thread that is made while this is open gets the same rights, and [keeps
///   them](ProtectionKey#threads-that-keep-rights).
/// * **System calls**: the kernel reads and writes memory with the rights of the calling thread, and
///   fails with `EFAULT` if that thread has none. Debuggers, `/proc/self/mem` and `process_vm_readv`
///   need no rights.
/// * **fork**: a child has a copy of the memory, and the key; its thread has the rights of the thread
///   that called `fork`.
#[must_use = "it is unmapped when it is dropped"]
pub struct Keyed<'k, A: Access> {
    mapping: Mapping<A>,
    key: &'k ProtectionKey,
}

impl<A: Readable> Keyed<'_, A> {
    /// The length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Whether the length is zero.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.mapping.is_empty()
    }

    /// Copies `buffer.len()` bytes from `offset` on, in bytes from the start.
    ///
    /// # Errors
    /// `EINVAL` if the range does not lie in the memory; nothing is copied then.
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        let copy = || buffer.copy_from_slice(&self.mapping[offset..offset + buffer.len()]);
        // SAFETY: the slice does not outlive the closure. [keys]
        unsafe { self.key.open(copy) };
        Ok(())
    }

    /// Removes the key, and returns the mapping as it was before.
    ///
    /// # Errors
    /// This value comes back inside the error: `ENOMEM` at a limit of mappings.
    #[doc(alias = "pkey_mprotect")]
    pub fn into_mapping(self) -> core::result::Result<Mapping<A>, Failed<Self>> {
        let protection = self.mapping.protection().bits();
        // SAFETY: `self` was taken by value, so nothing refers to its pages. [borrowed]
        match unsafe { set_key(self.mapping.region(), protection, self.key.key, DEFAULT) } {
            Ok(()) => Ok(self.mapping),
            Err(error) => Err(Failed::new(error, self)),
        }
    }
}

impl<A: Writable> Keyed<'_, A> {
    /// Copies `bytes` into the memory from `offset` on, in bytes from the start.
    ///
    /// # Errors
    /// `EINVAL` if the range does not lie in the memory; nothing is copied then.
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Write, offset, bytes.len(), self.len())?;
        let (key, mapping) = (self.key, &mut self.mapping);
        let copy = || mapping[offset..offset + bytes.len()].copy_from_slice(bytes);
        // SAFETY: the slice does not outlive the closure. [keys]
        unsafe { key.open(copy) };
        Ok(())
    }

    /// Opens the bytes for the calling thread alone, and calls `f` with them as cells, which cannot be
    /// given to another thread.
    pub fn with<R>(&mut self, f: impl FnOnce(&[Cell<u8>]) -> R) -> R {
        let (key, mapping) = (self.key, &mut self.mapping);
        // SAFETY: the slice does not outlive the closure, and cannot be shared. [keys, borrowed]
        unsafe { key.open(|| f(Cell::from_mut(&mut **mapping).as_slice_of_cells())) }
    }
}

impl<A: Access> fmt::Debug for Keyed<'_, A> {
    /// Shows the address, the length, the protection and the key; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("mapping", &self.mapping)
            .field("key", &self.key.key)
            .finish()
    }
}

/// Changes the key of every page from `old` to `new`, or of none.
///
/// # Safety
/// Nothing refers to the pages.
unsafe fn set_key(region: &Region, protection: c_int, old: c_int, new: c_int) -> Result<()> {
    let pages = region.pages();
    if pages.len == 0 {
        return Ok(());
    }
    let set = |key| {
        let start = pages.start.as_ptr().cast();
        // SAFETY: the pages are the region's own, and nothing refers to them. [owned, caller]
        call::zero_or_errno(unsafe { sys::pkey_mprotect(start, pages.len, protection, key) })
    };
    let refused = |errno| {
        let arguments = Arguments::Length(region.len());
        let reason = why_not_split(errno);
        Err(Error::new(Call::PkeyMprotect, errno, arguments, reason))
    };
    if let Err(errno) = spare::keep_for(pages) {
        return refused(errno);
    }
    let Err(errno) = set(new) else {
        return Ok(());
    };
    // As `Region::protect`: changed back after every error. No file reports which key pages have; but
    // a call that is refused leaves the last mapping as it was, so that pages in a single one have not
    // changed. A filter that refuses every such call has prevented every change.
    let is_back = || errno != libc::ENOMEM || !os::may_be_several(pages);
    match spare::undo(|| set(old), || set(new), is_back) {
        Outcome::Done => Ok(()),
        Outcome::Undone => refused(errno),
    }
}
