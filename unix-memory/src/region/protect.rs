//! The protection of a region: all of its pages, or none.

use core::ops::Range;

use super::Region;
use super::ledger::{self, Marks};
use super::spare::{self, Outcome};
use crate::arch::{INSTRUCTION_CACHE, InstructionCache};
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call::Wanted;
use crate::os::{self, call};
use crate::protection::Protection;

impl Protection {
    /// Whether this system enforces protections.
    ///
    /// NuttX and RTEMS, whose programs share the kernel's memory, L4Re and Emscripten do not. There,
    /// a [`Mapping`](crate::Mapping) still gives out only what its type allows, but code that
    /// bypasses it can access all memory. Mapping with [`NoAccess`](crate::NoAccess), and removing a
    /// right with `protect`, fail with `ENOSYS`
    /// ([`Reason::NotEnforced`](crate::Reason::NotEnforced)).
    ///
    /// ```
    /// use unix_memory::{Mapping, Protection, ReadOnly, page_size};
    ///
    /// let mapping = Mapping::anonymous(page_size())?.protect(ReadOnly);
    /// assert_eq!(mapping.is_ok(), Protection::is_enforced());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mprotect")]
    #[must_use]
    pub const fn is_enforced() -> bool {
        os::ENFORCES_PROTECTION
    }
}

/// Whether pages whose protection changes from `old` to `new` may hold code that was written as data.
/// (What is executable and not writable was made coherent when it became so.)
const fn becomes_code(old: Protection, new: Protection) -> bool {
    let was_code = old.contains(Protection::EXECUTE) && !old.contains(Protection::WRITE);
    !was_code && new.contains(Protection::EXECUTE)
}

impl Region {
    /// Changes the protection of every page from `old` to `new`, or of none, and makes what becomes
    /// executable coherent.
    ///
    /// # Safety
    /// References into the region that stay alive allow no more than either protection does.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "both protections are known where it is called, which leaves little more than the call"
    )]
    pub unsafe fn protect(&self, old: Protection, new: Protection) -> Result<()> {
        if becomes_code(old, new) && !new.contains(Protection::READ) {
            // SAFETY: as the caller vouches. [caller]
            return unsafe { self.protect_unreadable(old, new) };
        }
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.change(old, new) }?;
        if becomes_code(old, new) {
            // SAFETY: that is their protection now, and they can be read. [access]
            unsafe { self.sync_as_far_as_known() };
        }
        Ok(())
    }

    /// Changes the protection like [`protect`](Self::protect), but makes nothing coherent.
    ///
    /// # Safety
    /// The same as for [`protect`](Self::protect).
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "both protections are known where it is called, which leaves little more than the call"
    )]
    pub unsafe fn change(&self, old: Protection, new: Protection) -> Result<()> {
        if os::ENFORCES_PROTECTION && self.len() != 0 && spare::is_kept() {
            let (start, len) = self.span();
            let is_opened = old.is_empty() && !new.is_empty();
            let first = start.addr().get();
            if !is_opened || !os::meets_stack(first, first.wrapping_add(len)) {
                // SAFETY: the pages are the region's own, the rest is as the caller vouches.
                // [owned, caller]
                return match unsafe { call::mprotect(start, len, new.bits()) } {
                    Ok(()) => Ok(()),
                    // SAFETY: as above. [owned, caller]
                    Err(errno) => unsafe { self.undo_protect(errno, old, new) },
                };
            }
        }
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.change_with_care(old, new) }
    }

    /// Changes the protection like [`change`](Self::change), if that takes more than the call.
    ///
    /// # Safety
    /// The same as for [`protect`](Self::protect).
    #[cold]
    unsafe fn change_with_care(&self, old: Protection, new: Protection) -> Result<()> {
        let pages = self.pages();
        if pages.len == 0 {
            return Ok(());
        }
        if !os::ENFORCES_PROTECTION && !new.contains(old) {
            return Err(self.not_enforced());
        }
        if let Err(errno) = spare::keep_for(pages) {
            return Err(self.refused(errno, old, new));
        }
        if old.is_empty() && !new.is_empty() {
            self.check_stack()?;
        }
        // SAFETY: the pages are the region's own, the rest is as the caller vouches.
        // [owned, caller]
        if let Err(errno) = unsafe { call::mprotect(pages.start, pages.len, new.bits()) } {
            // SAFETY: as above. [owned, caller]
            unsafe { self.undo_protect(errno, old, new) }?;
        }
        Ok(())
    }

    /// Changes the protection like [`protect`](Self::protect), to one under which code can be
    /// executed but not read: the code is made coherent first, while it can still be read.
    ///
    /// # Safety
    /// The same as for [`protect`](Self::protect).
    #[cold]
    unsafe fn protect_unreadable(&self, old: Protection, new: Protection) -> Result<()> {
        let pages = self.pages();
        if pages.len == 0 {
            return Ok(());
        }
        if old.contains(Protection::READ) {
            // SAFETY: the pages can be read. [access]
            unsafe { self.sync_as_far_as_known() };
            // SAFETY: as the caller vouches. [caller]
            return unsafe { self.change(old, new) };
        }
        if matches!(INSTRUCTION_CACHE, InstructionCache::Coherent) {
            // SAFETY: as the caller vouches. [caller]
            return unsafe { self.change(old, new) };
        }
        if !os::ENFORCES_PROTECTION && !new.contains(old) {
            return Err(self.not_enforced());
        }
        // For a while they can be read, but nothing with a reference to them does so.
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.change(old, old | Protection::READ) }?;
        // SAFETY: now they can be read. [access]
        unsafe { self.sync_as_far_as_known() };
        // SAFETY: the pages are the region's own, the rest is as the caller vouches.
        // [owned, caller]
        unsafe { call::mprotect(pages.start, pages.len, new.bits()) }.or_else(|errno| {
            // Back to the first protection.
            // SAFETY: as above. [owned, caller]
            unsafe { self.undo_protect(errno, old, new) }
        })
    }

    /// Refuses to make inaccessible pages accessible if the stack has grown up to them: the kernel
    /// keeps the stack away only from what can be accessed.
    #[cold]
    fn check_stack(&self) -> Result<()> {
        let Range { start, end } = self.pages().addresses();
        if os::meets_stack(start, end) {
            let arguments = Arguments::Length(self.len());
            return Err(Error::new(
                Call::Mprotect,
                libc::EACCES,
                arguments,
                Reason::Stack,
            ));
        }
        Ok(())
    }

    /// Undoes a change of protection that was refused, unless it can be completed after all.
    ///
    /// # Safety
    /// The same as for [`protect`](Self::protect).
    #[cold]
    unsafe fn undo_protect(&self, errno: Errno, old: Protection, new: Protection) -> Result<()> {
        let pages = self.pages();
        // SAFETY: the pages are the region's own, the rest is as the caller vouches.
        // [owned, caller]
        let set = |to: Protection| unsafe { call::mprotect(pages.start, pages.len, to.bits()) };
        let is_back = || os::is_protected(pages, old);
        match spare::undo(|| set(old), || set(new), is_back) {
            Outcome::Done => Ok(()),
            Outcome::Undone => Err(self.refused(errno, old, new)),
        }
    }

    /// No call can take a right away here, so a type that claimed it would be wrong.
    #[cold]
    const fn not_enforced(&self) -> Error {
        let arguments = Arguments::Length(self.len());
        Error::new(Call::Mprotect, libc::ENOSYS, arguments, Reason::NotEnforced)
    }

    /// Why the kernel did not change the protection from `old` to `new`, as far as that can be found
    /// out.
    #[cold]
    fn refused(&self, errno: Errno, old: Protection, new: Protection) -> Error {
        let becomes = |right| new.contains(right) && !old.contains(right);
        let is_ours = self.is_private_anonymous();
        let reason = match errno {
            libc::ENOMEM => os::memory_limit(&Wanted {
                bytes: self.pages().len,
                is_mapped: false,
                is_data: is_ours && becomes(Protection::WRITE),
            }),
            libc::EACCES | libc::EPERM if is_ours && becomes(Protection::EXECUTE) => {
                Some(Reason::ExecuteDenied)
            }
            libc::EACCES if is_ours => None,
            libc::EACCES if becomes(Protection::EXECUTE) => Some(Reason::NotExecutable),
            libc::EACCES if becomes(Protection::WRITE) => Some(Reason::NeverWritable),
            _ => None,
        };
        let arguments = Arguments::Length(self.len());
        let reason = reason.unwrap_or(Reason::Kernel);
        Error::new(Call::Mprotect, errno, arguments, reason)
    }

    /// Changes the protection like [`protect`](Self::protect), for memory that is read and written in
    /// place.
    ///
    /// # Errors
    /// `EACCES` with [`Reason::HugePagesOfFile`] for pages that are to [stay](Self::keep_read_only)
    /// read-only.
    ///
    /// # Safety
    /// The same as for [`protect`](Self::protect).
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "both protections are known where it is called, which leaves little more than the call"
    )]
    pub unsafe fn protect_in_place(&self, old: Protection, new: Protection) -> Result<()> {
        let becomes_writable = new.contains(Protection::WRITE) && !old.contains(Protection::WRITE);
        if becomes_writable && !self.is_private_anonymous() {
            self.check_writable()?;
        }
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.protect(old, new) }
    }

    /// Refuses to make pages writable that must stay read-only.
    #[cold]
    fn check_writable(&self) -> Result<()> {
        if !self.known().marks.contains(Marks::READ_ONLY) {
            return Ok(());
        }
        let arguments = Arguments::Length(self.len());
        Err(Error::new(
            Call::Mprotect,
            libc::EACCES,
            arguments,
            Reason::HugePagesOfFile,
        ))
    }

    /// Records that no page may become writable: these are huge pages of a file, mapped privately,
    /// and none are set aside for copies. If the pool is empty, writing to one raises SIGBUS.
    ///
    /// # Errors
    /// `ENOMEM` if there is no room for the record.
    #[allow(dead_code, reason = "only some systems have such memory")]
    pub fn keep_read_only(&self) -> Result<()> {
        if self.len() == 0 {
            return Ok(());
        }
        ledger::mark(&self.pages().addresses(), Marks::READ_ONLY, true)
            .map_err(|errno| Error::kernel(Call::Mmap, errno, Arguments::Length(self.len())))
    }
}
