//! Regions that grow and shrink.

use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::copy::store;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call::Wanted;
use crate::os::{self, call};
use crate::page::{Pages, max_len, page_size, round_up};
use crate::protection::Protection;
use crate::region::ledger::{self, Known, Marks};
use crate::region::limit::why_refused;
use crate::region::map::Request;
use crate::region::place::Place;
use crate::region::plain::MOST;
use crate::region::{Region, spare};

/// Whether a mapping that grows may get another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Allowed,
    Forbidden,
}

impl Region {
    /// Changes the length; only private anonymous memory grows.
    #[inline]
    pub fn resize(&mut self, len: usize, protection: Protection, moving: Move) -> Result<()> {
        if self.resize_plainly(len, protection, moving) {
            return Ok(());
        }
        self.resize_with_care(len, protection, moving)
    }

    /// Changes the length of memory about which nothing else is known, with one call, and returns whether
    /// that was all there was to do. If it was not, or if the call was refused, nothing has changed.
    #[inline]
    fn resize_plainly(&mut self, len: usize, protection: Protection, moving: Move) -> bool {
        let (old, mask) = (self.len(), page_size() - 1);
        let (all, end) = ((old + mask) & !mask, len.wrapping_add(mask) & !mask);
        // (Zero wraps.)
        let is_plain = self.is_private_anonymous() && !os::COUNTS_BYTES && ledger::is_empty();
        if !is_plain || old == 0 || len.wrapping_sub(1) >= MOST {
            return false;
        }
        // Private anonymous memory begins at the start of a page.
        let start = self.start();
        let start = if end < all {
            // SAFETY: the offset is within the pages. [inside]
            let tail = unsafe { start.add(end) };
            // SAFETY: these pages are the region's own, and hold no byte before `len`.
            // [owned, inside]
            unsafe { call::munmap(tail, all - end) }.map(|()| start)
        } else if end > all && !os::is_for_stack(start.addr().get() + all, end - all) {
            let may_move = moving == Move::Allowed;
            // SAFETY: the pages are the region's own, and nobody refers to them: `self` is borrowed
            // for writing. [owned, borrowed]
            unsafe { os::remap(start, all, end, may_move) }
        } else {
            return false;
        };
        let Ok(start) = start else {
            return false;
        };
        // SAFETY: these pages are what the region's own have become. [owned, once]
        let new = unsafe { Self::from_raw(start, len, true) };
        core::mem::forget(core::mem::replace(self, new));
        if len > old && all != old && protection.contains(Protection::WRITE) {
            self.clear(old, all);
        }
        true
    }

    /// Sets to zero the bytes from `old` on, which were in the last page of a region that was shorter, and
    /// end at `end`. The region can be written.
    fn clear(&self, old: usize, end: usize) {
        let stale = old..end.min(self.len());
        let start = self.start().as_ptr().wrapping_add(stale.start);
        // SAFETY: the bytes lie in the region, which can be written and nobody refers to.
        // [owned, borrowed, access]
        unsafe { store::set(start, stale.len(), 0) };
    }

    #[cold]
    fn resize_with_care(&mut self, len: usize, protection: Protection, moving: Move) -> Result<()> {
        if len <= self.len() {
            return self.shrink(len);
        }
        if !self.is_private_anonymous() {
            return Err(refused_at_once(self, len, Reason::NotAnonymous));
        }
        let old = self.len();
        if old == 0 {
            *self = self.anew(len, protection, Place::Anywhere, self.known())?;
            return Ok(());
        }
        let pages = self.pages();
        let end = pages.len;
        match self.remap(len, moving) {
            // No such call, or the kernel has several mappings here.
            Err(error) if [libc::ENOSYS, libc::EFAULT].contains(&error.errno()) => {
                self.extend_or_copy(len, protection, moving)?;
            }
            result => result?,
        }
        if protection.contains(Protection::WRITE) {
            self.clear(old, end);
        }
        Ok(())
    }

    /// Changes the length; a region that grows shows more of what it maps.
    #[allow(dead_code, reason = "not every system can")]
    pub fn resize_shared(&mut self, len: usize, moving: Move) -> Result<()> {
        if len <= self.len() {
            self.shrink(len)
        } else if self.len() == 0 {
            Err(refused_at_once(self, len, Reason::EmptyMapping))
        } else {
            match self.remap(len, moving) {
                Err(error) if error.reason() == Reason::Stack => {
                    Err(refused(self, len, libc::ENOMEM, Reason::Stack))
                }
                result => result,
            }
        }
    }

    /// Gives up the bytes from `len` on, and the pages that hold no other bytes.
    fn shrink(&mut self, len: usize) -> Result<()> {
        let keep = self.pages_of(&(0..len)).len;
        let known = if len == 0 {
            self.known()
        } else {
            Known::default()
        };
        let Pages { start, len: all } = self.pages();
        let is_shorter = keep < all || !self.is_private_anonymous() && len != self.len();
        if os::COUNTS_BYTES && len != 0 && is_shorter {
            // The system unmaps whole mappings, and knows them by their length.
            return Err(refused_at_once(self, len, Reason::Unsupported));
        }
        if keep < all {
            // SAFETY: `keep` is within the pages. [inside]
            let tail = unsafe { start.add(keep) };
            // SAFETY: these pages are the region's own and hold no byte before `len`.
            // [owned, inside]
            let tail = unsafe { Self::from_raw(tail, all - keep, self.is_private_anonymous()) };
            if let Err((error, tail)) = tail.unmap() {
                let first = core::mem::ManuallyDrop::new(tail).start().as_ptr();
                // SAFETY: the page is the region's own. [owned, harmless]
                let is_cut = || unsafe { os::is_in_huge_page(first) };
                return Err(match error.errno() {
                    libc::EINVAL if is_cut() => error.because(Reason::HugePage),
                    _ => error,
                });
            }
        }
        let anonymous = self.is_private_anonymous();
        let shorter = if len == 0 {
            Self::empty(anonymous, known)
        } else {
            // SAFETY: the pages that hold these bytes are still the region's own. [owned, inside]
            unsafe { Self::from_raw(self.start(), len, anonymous) }
        };
        core::mem::forget(core::mem::replace(self, shorter));
        Ok(())
    }

    /// Grows to `len` bytes by the system's own means; `ENOSYS` if there are none.
    fn remap(&mut self, len: usize, moving: Move) -> Result<()> {
        let Pages { start, len: all } = self.pages();
        let before = self.start().addr().get() - start.addr().get();
        if len > max_len() - before {
            let limit = Reason::LengthLimit(max_len());
            return Err(refused(self, len, libc::ENOMEM, limit));
        }
        let larger = round_up(before + len);
        let start = if larger == all {
            start
        } else {
            self.move_or_extend(len, larger, moving)?
        };
        // SAFETY: less than a page, and the mapping has at least one more byte. [inside]
        let first = unsafe { start.add(before) };
        // SAFETY: these pages are what the region's own have become. [owned, once]
        let grown = unsafe { Self::from_raw(first, len, self.is_private_anonymous()) };
        core::mem::forget(core::mem::replace(self, grown));
        Ok(())
    }

    /// Gives the pages a length of `larger` bytes, never into the addresses of the stack; returns their
    /// address. `len` is for errors.
    fn move_or_extend(&mut self, len: usize, larger: usize, moving: Move) -> Result<NonNull<u8>> {
        let pages = self.pages();
        let (all, end) = (pages.len, pages.addresses().end);
        let is_stack = os::is_for_stack(end, larger - all);
        let for_stack = || Err(refused(self, len, libc::ENOSYS, Reason::Stack));
        // The kernel would make it longer in place, but not over a page that is mapped.
        let obstacle = match moving {
            _ if !is_stack => None,
            Move::Allowed => match map_obstacle(end, page_size()) {
                Ok(page) => Some(page),
                Err(libc::EEXIST) => None,
                Err(errno) => match self.why_not_longer(errno, larger - all, moving) {
                    Reason::Kernel => return for_stack(),
                    limit => return Err(refused(self, len, errno, limit)),
                },
            },
            Move::Forbidden => return for_stack(),
        };
        // SAFETY: the pages are the region's own, and nobody refers to them: `self` is borrowed for
        // writing. [owned, borrowed]
        let moved = unsafe { ledger::remap(pages, larger, moving == Move::Allowed) };
        if let Some(page) = obstacle {
            // SAFETY: it was mapped above, and nothing refers to it. [new]
            unsafe { ledger::release(page) };
        }
        let start = moved.map_err(|errno| {
            let reason = self.why_not_longer(errno, larger - all, moving);
            refused(self, len, errno, reason)
        })?;
        if is_stack && start == pages.start {
            // What was mapped there has just been unmapped by another thread.
            // SAFETY: this many pages are mapped there now. [inside]
            let tail = unsafe { start.add(all) };
            let more = larger - all;
            // SAFETY: these are the region's own, and hold none of its bytes. [owned, borrowed]
            unsafe {
                ledger::release(Pages {
                    start: tail,
                    len: more,
                });
            };
            return for_stack();
        }
        Ok(start)
    }

    /// Why the kernel did not make the region `more` bytes longer, as far as that can be found out.
    #[cold]
    fn why_not_longer(&self, errno: Errno, more: usize, moving: Move) -> Reason {
        let wanted = Wanted {
            bytes: more,
            is_mapped: true,
            is_data: self.is_private_anonymous(),
        };
        if errno == libc::EINVAL {
            // Linux says so of more addresses than there are.
            return match why_refused(libc::ENOMEM, &wanted) {
                reason @ (Reason::AddressSpaceLimit(_) | Reason::FreeAddresses(_)) => reason,
                _ => Reason::Kernel,
            };
        }
        let reason = why_refused(errno, &wanted);
        if (errno, reason, moving) != (libc::ENOMEM, Reason::Kernel, Move::Forbidden) {
            return reason;
        }
        match map_obstacle(self.pages().addresses().end, more) {
            Err(libc::EEXIST) => Reason::Occupied,
            Err(_) => Reason::Kernel,
            Ok(pages) => {
                // SAFETY: they were mapped just now, and nothing refers to them. [new]
                unsafe { ledger::release(pages) };
                Reason::Kernel
            }
        }
    }

    /// Grows private anonymous memory by what every system can do.
    fn extend_or_copy(&mut self, len: usize, protection: Protection, moving: Move) -> Result<()> {
        let Pages { start, len: all } = self.pages();
        // Its bytes begin at the start of a page: it has no file.
        let end = start.addr().get() + all;
        let known = self.known();
        match self.anew(len - all, protection, Place::At(end), known) {
            Ok(more) => {
                // SAFETY: the pages of `more` were just mapped behind this one's, and it is
                // forgotten, as this one is. [new, once]
                let longer = unsafe { self.with(&more, len) };
                core::mem::forget(more);
                core::mem::forget(core::mem::replace(self, longer));
                return Ok(());
            }
            Err(_) if moving == Move::Allowed => {}
            Err(error) if error.call() == Call::Mmap => {
                return Err(refused(self, len, libc::ENOMEM, error.reason()));
            }
            Err(error) => return Err(error),
        }
        let both = Protection::READ | Protection::WRITE;
        let copy = self.anew(len, both, Place::Anywhere, known)?;
        let was_readable = protection.contains(Protection::READ);
        if !was_readable {
            // SAFETY: nobody refers to the region. [borrowed]
            unsafe { self.protect(protection, Protection::READ) }?;
        }
        // SAFETY: both have that many bytes, which can be read in `self` and written in `copy`, and
        // do not overlap. [new, access]
        unsafe {
            copy.start()
                .copy_from_nonoverlapping(self.start(), self.len());
        };
        // SAFETY: nobody refers to the copy. [new]
        if let Err(error) = unsafe { copy.protect(both, protection) } {
            if !was_readable {
                let Pages { start, len } = self.pages();
                // SAFETY: the pages are the region's own, and nobody refers to them.
                // [owned, borrowed]
                let back = || unsafe { call::mprotect(start, len, protection.bits()) };
                let is_back = || os::is_protected(self.pages(), protection);
                // There is no other way out.
                spare::undo(back, || Err(error.errno()), is_back);
            }
            return Err(error);
        }
        *self = copy;
        Ok(())
    }

    /// New private anonymous memory, hidden and locked as `known`.
    fn anew(&self, len: usize, protection: Protection, place: Place, known: Known) -> Result<Self> {
        let mut flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS;
        if known.marks.contains(Marks::HIDDEN) {
            flags |= os::MAP_CONCEAL;
        }
        // What cannot be accessed cannot be locked.
        let first = if known.is_locked() {
            Protection::READ | Protection::WRITE
        } else {
            protection
        };
        let request = Request {
            place,
            alignment: 0,
            lead: 0,
            len,
            page_size: page_size(),
            protection: first,
            flags,
            fd: -1,
            offset: 0,
        };
        let arguments = Arguments::Resize {
            from: self.len(),
            to: len,
        };
        let new = Self::map(&request, arguments)?.keep_as(known)?;
        if first != protection {
            // SAFETY: nobody refers to it. [new]
            unsafe { new.protect(first, protection) }?;
        }
        Ok(new)
    }
}

/// Maps pages at `address` that cannot be accessed, to keep others away; `EEXIST` if something is there.
#[cold]
fn map_obstacle(address: usize, len: usize) -> core::result::Result<Pages, Errno> {
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | os::MAP_NORESERVE | os::NO_REPLACE;
    // SAFETY: with these flags nothing is replaced. [new]
    let start = unsafe { call::mmap_at(address, len, sys::PROT_NONE, flags, -1, 0) }?;
    let pages = Pages { start, len };
    if start.addr().get() == address {
        return Ok(pages);
    }
    // The address was taken as a hint.
    // SAFETY: they were mapped just now, and nothing refers to them. [new]
    unsafe { ledger::release(pages) };
    Err(libc::EEXIST)
}

/// Refused without a system call.
fn refused_at_once(region: &Region, to: usize, reason: Reason) -> Error {
    let from = region.len();
    let arguments = Arguments::Resize { from, to };
    Error::new(Call::Resize, libc::EINVAL, arguments, reason)
}

fn refused(region: &Region, to: usize, errno: Errno, reason: Reason) -> Error {
    let from = region.len();
    Error::new(Call::Mremap, errno, Arguments::Resize { from, to }, reason)
}
