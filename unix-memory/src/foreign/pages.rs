//! Pages that no guard of this crate owns.

use core::ptr::{self, NonNull};

use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::lock::guard::LockGuard;
use crate::os::{self, call};
use crate::page::{Pages, max_len, page_size, round_down, round_up};
use crate::process_map::region::Region;
use crate::protection::Protection;
use crate::region::{code, hold};

/// Whole pages of memory that this crate need not own: an address and a length, and no claim on
/// either.
///
/// Whether they are mapped is checked only when something is done with them. Memory that a guard of
/// this crate owns should be changed by that guard's own methods, which this type bypasses.
///
/// ```
/// use unix_memory::foreign::ForeignPages;
/// use unix_memory::page_size;
///
/// let value = 7_u64;
/// let pages = ForeignPages::holding((&raw const value).cast(), size_of_val(&value))?;
/// assert!(pages.len() >= page_size());
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ForeignPages {
    pub(super) pages: Pages,
}

// SAFETY: it gives no access to the bytes by itself, and its system calls may be made from any thread.
// [threads]
unsafe impl Send for ForeignPages {}
// SAFETY: as above. [threads]
unsafe impl Sync for ForeignPages {}

impl ForeignPages {
    /// Returns the `len` bytes from `start` on, which must be whole pages.
    ///
    /// # Errors
    /// `EINVAL` if they are not ([`Reason::Unaligned`]); the errors of [`holding`](Self::holding).
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    /// use unix_memory::{Mapping, page_size};
    ///
    /// let mapping = Mapping::anonymous(page_size())?;
    /// let pages = ForeignPages::new(mapping.as_ptr(), page_size())?;
    /// assert_eq!(pages.as_ptr().cast_const(), mapping.as_ptr());
    /// assert!(ForeignPages::new(mapping.as_ptr(), 1).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn new(start: *const u8, len: usize) -> Result<Self> {
        let pages = Self::holding(start, len)?;
        if pages.pages.start.as_ptr().cast_const() != start || pages.len() != len {
            let reason = Reason::Unaligned(page_size());
            return Err(refusal(start, len, libc::EINVAL, reason));
        }
        Ok(pages)
    }

    /// Returns the pages that hold any of the `len` bytes from `start` on; no pages for no bytes.
    /// Anything else in these pages is affected too.
    ///
    /// # Errors
    /// `EFAULT` for an address in the null pointer's page ([`Reason::NoAddress`]); `EINVAL` for more
    /// bytes than a mapping can have ([`Reason::LengthLimit`]), and if they reach the last page of all
    /// addresses ([`Reason::NoAddress`]).
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    /// use unix_memory::page_size;
    ///
    /// let code = ForeignPages::holding(main as *const u8, 1)?;
    /// assert_eq!(code.len(), page_size());
    /// assert!(ForeignPages::holding(main as *const u8, 0)?.is_empty());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn holding(start: *const u8, len: usize) -> Result<Self> {
        let end = start.addr().checked_add(len);
        // The end of the very last page is not a valid address.
        let end = end.filter(|&end| len <= max_len() && end <= usize::MAX - page_size());
        let first = start.cast_mut().map_addr(round_down);
        let Some(first) = NonNull::new(first) else {
            return Err(refusal(start, len, libc::EFAULT, Reason::NoAddress));
        };
        let Some(end) = end else {
            let reason = if len > max_len() {
                Reason::LengthLimit(max_len())
            } else {
                Reason::NoAddress
            };
            return Err(refusal(start, len, libc::EINVAL, reason));
        };
        let len = if len == 0 {
            0
        } else {
            round_up(end) - first.addr().get()
        };
        Ok(Self {
            pages: Pages { start: first, len },
        })
    }

    /// Returns the pages of a mapping of this process, as its map reports it.
    ///
    /// The mapping may have changed since; the pages are identified by their addresses only.
    ///
    /// # Errors
    /// `EINVAL` for a mapping at addresses that this process cannot have, for example one of another
    /// process ([`Reason::NoAddress`], [`Reason::LengthLimit`]).
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// if let Ok(mut map) = ProcessMap::of_self() {
    ///     let code = map.containing(main as *const () as u64)?.expect("it is mapped");
    ///     let pages = ForeignPages::of(&code)?;
    ///     assert_eq!(pages.len() as u64, code.len());
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn of<N>(region: &Region<N>) -> Result<Self> {
        let saturated = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let start = ptr::with_exposed_provenance(saturated(region.addresses.start));
        Self::new(start, saturated(region.len()))
    }

    /// Returns the first byte of the first page.
    #[must_use]
    pub const fn as_ptr(self) -> *mut u8 {
        self.pages.start.as_ptr()
    }

    /// Returns how many bytes the pages have.
    #[must_use]
    pub const fn len(self) -> usize {
        self.pages.len
    }

    /// Returns whether there are no pages.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.pages.len == 0
    }

    pub(super) fn arguments(self) -> Arguments {
        Arguments::Memory {
            address: self.pages.start.addr().get(),
            len: self.pages.len,
        }
    }

    /// Changes the protection of the pages.
    ///
    /// If they can be read and executed afterwards, what was written to them is made coherent with
    /// the instruction cache, as by `sync_instruction_cache` of [`Mapping`](crate::Mapping). Source:
    /// mprotect(2), POSIX.1-2024.
    ///
    /// # Errors
    /// * `ENOMEM` if a page is not mapped ([`Reason::NotMapped`]), or if the change would take more
    ///   mappings than the system allows.
    /// * `EACCES` if the file was not opened for that access, or a security policy forbids it.
    /// * `EPERM` if a page is sealed (`mseal`) or immutable (`mimmutable`).
    /// * `ENOSYS` if the system enforces no protections ([`Protection::is_enforced`]) and the change
    ///   takes rights away ([`Reason::NotEnforced`]).
    ///
    /// The kernel changes one mapping after another. After an error, the mappings before the refused
    /// one have changed; [`protect_for_now`](Self::protect_for_now) changes them back.
    ///
    /// # Safety
    /// * From now on, everything that owns the pages or refers to them accesses them only as the new
    ///   protection allows, or not at all. (An access that it forbids raises a signal, which a program
    ///   may handle if no Rust reference is involved.)
    /// * Memory that a part of the program relies on not being written or executed stays that way: a
    ///   guard of this crate, for example, relies on its type.
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    /// use unix_memory::{Mapping, Protection, page_size};
    ///
    /// // Memory that another library has mapped:
    /// let memory = Mapping::anonymous(page_size())?.into_raw();
    /// let pages = ForeignPages::new(memory.as_ptr().cast(), memory.len())?;
    /// // SAFETY: nothing refers to it.
    /// match unsafe { pages.protect(Protection::READ) } {
    ///     Ok(()) => println!("read-only"),
    ///     Err(error) => println!("{error}"), // the system enforces no protections
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mprotect")]
    #[doc(alias = "VirtualProtect")]
    pub unsafe fn protect(self, protection: Protection) -> Result<()> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.mprotect(protection) }?;
        if protection.contains(Protection::READ) {
            // SAFETY: the pages are mapped, and can be read now. [caller]
            unsafe { self.make_coherent(protection) };
        }
        Ok(())
    }

    /// # Safety
    /// The same as for [`protect`](Self::protect).
    pub(super) unsafe fn mprotect(self, protection: Protection) -> Result<()> {
        let Pages { start, len } = self.pages;
        if len == 0 {
            return Ok(());
        }
        let refuse = |errno, reason| Error::new(Call::Mprotect, errno, self.arguments(), reason);
        if !os::ENFORCES_PROTECTION && !protection.contains(Protection::all()) {
            return Err(refuse(libc::ENOSYS, Reason::NotEnforced));
        }
        // SAFETY: as the caller vouches. [caller]
        unsafe { call::mprotect(start, len, protection.bits()) }
            .map_err(|errno| self.explain(refuse(errno, Reason::Kernel)))
    }

    /// Makes writes coherent with the instruction cache, if `protection` allows executing the pages.
    ///
    /// # Safety
    /// All pages are mapped, and can be read.
    pub(super) unsafe fn make_coherent(self, protection: Protection) {
        if !self.is_empty() && protection.contains(Protection::EXECUTE) {
            // SAFETY: as the caller vouches. [caller]
            let _or_not_known_how = unsafe { code::sync_pages(self.pages) };
        }
    }

    /// Keeps the pages in memory while the guard lives.
    ///
    /// Guards over the same pages nest, also with those of [`Mapping`](crate::Mapping) and
    /// [`SharedMapping`](crate::SharedMapping). The crate does not see a lock made by calling `mlock`
    /// directly; dropping the last guard undoes it. Source: mlock(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Those of [`Mapping::lock_range`](crate::Mapping::lock_range), including the limit
    /// ([`Reason::LockLimit`]); `ENOMEM` if a page is not mapped ([`Reason::NotMapped`]). On an
    /// error, only pages that a guard had locked before are locked.
    ///
    /// # Safety
    /// For `'a`, the pages stay mapped to what they are mapped to now. (Locks are counted by address:
    /// a guard over memory that is gone would undo locks on whatever is mapped there next, which
    /// others may rely on to keep secrets out of swap.)
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    ///
    /// let key = std::hint::black_box([7_u8; 32]);
    /// let pages = ForeignPages::holding(key.as_ptr(), key.len())?;
    /// // SAFETY: this thread's stack stays mapped as long as it runs.
    /// match unsafe { pages.lock() } {
    ///     Ok(guard) => assert_eq!(guard.len(), pages.len()),
    ///     Err(error) => println!("{error}"), // over the limit
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mlock")]
    #[doc(alias = "VirtualLock")]
    pub unsafe fn lock<'a>(self) -> Result<LockGuard<'a>> {
        // SAFETY: as the caller vouches. [caller]
        let guard = unsafe { LockGuard::of(self.pages, self.arguments()) };
        guard.map_err(|error| self.explain(error))
    }

    /// Undoes locks that others made by calling `mlock` directly.
    ///
    /// Pages that a guard of this crate keeps in memory stay locked; while a
    /// [`ProcessLock`](crate::ProcessLock) lives, all pages do. Source: munlock(2), POSIX.1-2024.
    ///
    /// # Errors
    /// `ENOMEM` if a page is not mapped ([`Reason::NotMapped`]), or if unlocking would take more
    /// mappings than the system allows; pages before that one may be unlocked then.
    ///
    /// # Safety
    /// Whoever locked the pages no longer relies on the lock, for example to keep secrets out of
    /// swap.
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    /// use unix_memory::{Mapping, page_size};
    ///
    /// let memory = Mapping::anonymous(page_size())?;
    /// let pages = ForeignPages::new(memory.as_ptr(), memory.len())?;
    /// // SAFETY: nobody locked these pages by `mlock`.
    /// match unsafe { pages.unlock() } {
    ///     Ok(()) => println!("not locked, unless a guard holds them"),
    ///     Err(error) => println!("{error}"), // a system without mlock
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "munlock")]
    #[doc(alias = "VirtualUnlock")]
    pub unsafe fn unlock(self) -> Result<()> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { hold::unlock_others(self.pages) }.map_err(|errno| {
            let reason = match errno {
                libc::ENOSYS => Reason::Unsupported,
                _ => Reason::Kernel,
            };
            self.explain(Error::new(Call::Munlock, errno, self.arguments(), reason))
        })
    }
}

/// The error for bytes that are not pages.
#[cold]
fn refusal(start: *const u8, len: usize, errno: Errno, reason: Reason) -> Error {
    let arguments = Arguments::Memory {
        address: start.addr(),
        len,
    };
    Error::new(Call::ForeignPages, errno, arguments, reason)
}
