//! The private core of both guards: bytes in whole pages that this process mapped, and owns.

use core::ffi::c_int;
use core::fmt;
use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::advice::Advice;
use crate::call::{self, Errno};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::flush::Flush;
use crate::ledger::{self, Kind, Known, Marks};
use crate::lock::LockGuard;
use crate::os;
use crate::page::{check_range, max_len, page_size};
use crate::place::{Pending, Place};
use crate::populate::Memory;
use crate::protection::Protection;
use crate::spare::{self, Outcome};

/// The last byte that a file can have has an offset below this.
pub const MAX_OFFSET: u64 = sys::off_t::MAX.unsigned_abs();

/// `len` bytes from `start` on; it owns every page that holds one of them and unmaps these on drop.
///
/// Nothing else is stored: a file offset inside a page only moves `start` into the first page, and
/// rounding finds the pages again. A region of no bytes has no pages, and makes no system calls.
pub struct Region {
    start: NonNull<u8>,
    /// The length in bytes; its top bit, which no length has, is [`ANONYMOUS`].
    len_and_kind: usize,
}

/// Set where the memory is private and anonymous, in ordinary pages: nobody else can reach it, no file
/// is behind it, the kernel fills it with zeros, and finds a page for each byte or ends processes. (Of
/// explicit huge pages there may be none left, once they were given back.) What is neither known nor
/// vouched for does not have it.
const ANONYMOUS: usize = !(usize::MAX >> 1);

/// How many ways there are to be locked: not at all, on fault, fully.
const KINDS: usize = 3;

/// Whether `mmap` makes such memory when it is given `flags`.
const fn makes_private_anonymous(flags: c_int) -> bool {
    // MAP_PRIVATE is zero on the Hurd.
    let asked = flags & (sys::MAP_PRIVATE | sys::MAP_SHARED | sys::MAP_ANONYMOUS);
    asked == sys::MAP_PRIVATE | sys::MAP_ANONYMOUS
}

/// Whole pages of a region.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    pub start: NonNull<u8>,
    /// In bytes, a multiple of the page size.
    pub len: usize,
}

/// What to map: the arguments of `mmap` before they are checked.
pub struct Request {
    pub place: Place,
    /// The first page's address is a multiple of this many bytes, a power of two.
    pub alignment: usize,
    pub len: usize,
    /// The size of the pages that the kernel makes it of, of which `len` is a multiple.
    pub page_size: usize,
    pub protection: Protection,
    /// Never with `MAP_FIXED`.
    pub flags: c_int,
    pub fd: c_int,
    /// In bytes; of any alignment.
    pub offset: u64,
}

impl Pages {
    pub fn addresses(self) -> Range<usize> {
        let start = self.start.addr().get();
        start..start + self.len
    }
}

impl Region {
    /// Maps what `request` asks for.
    pub fn map(request: &Request, arguments: Arguments) -> Result<Self> {
        let refuse = |errno, reason| Err(Error::new(Call::Mmap, errno, arguments, reason));
        let &Request {
            place,
            alignment,
            len,
            page_size: natural,
            protection,
            flags,
            fd,
            offset,
        } = request;

        // `mmap` wants the offset at a page boundary: the bytes before it in its page are mapped
        // too, and left out of the region.
        #[allow(clippy::cast_possible_truncation, reason = "less than a page")]
        let before = (offset & (page_size() as u64 - 1)) as usize;
        if len > max_len() - before {
            return refuse(libc::ENOMEM, Reason::LengthLimit(max_len()));
        }
        if offset > MAX_OFFSET || len as u64 > MAX_OFFSET - offset {
            return refuse(libc::EOVERFLOW, Reason::OffsetLimit(MAX_OFFSET));
        }
        if len == 0 {
            return Ok(Self::empty(
                makes_private_anonymous(flags),
                Known::default(),
            ));
        }
        #[allow(clippy::cast_possible_wrap, reason = "at most MAX_OFFSET")]
        let file_offset = (offset - before as u64) as sys::off_t;
        let pending = Pending {
            len: before + len,
            protection: protection.bits(),
            flags,
            fd,
            offset: file_offset,
        };
        match pending.map(place, alignment.max(natural), natural) {
            Ok(base) => {
                // SAFETY: `before` is less than a page, and the mapping has at least one more byte.
                let start = unsafe { base.add(before) };
                let anonymous = makes_private_anonymous(flags) && natural == page_size();
                // SAFETY: the pages were mapped just now, and are of that kind.
                Ok(unsafe { Self::from_raw(start, len, anonymous) })
            }
            Err((errno, reason)) => refuse(errno, reason),
        }
    }

    /// Maps what `request` asks for, in huge pages of which none are set aside, and takes them all from
    /// the pool: to use one that is not there would raise SIGBUS.
    pub fn map_filled(request: &Request, arguments: Arguments) -> Result<Self> {
        let (wanted, both) = (request.protection, Protection::READ | Protection::WRITE);
        let request = Request {
            protection: both,
            ..*request
        };
        let region = Self::map(&request, arguments)?;
        region
            .fill_huge_pages(request.page_size)
            .map_err(|(errno, reason)| Error::new(Call::Mmap, errno, arguments, reason))?;
        if wanted != both {
            // SAFETY: nobody refers to the region.
            unsafe { region.protect(both, wanted) }?;
        }
        Ok(region)
    }

    /// Takes huge pages of `size` bytes for all of the region, which can be written, from the pool.
    fn fill_huge_pages(&self, size: usize) -> core::result::Result<(), (Errno, Reason)> {
        let pages = self.pages();
        if pages.len == 0 {
            return Ok(());
        }
        // Not by touching them where the kernel has no call for it, as if others had the memory.
        // SAFETY: the pages can be written.
        match unsafe { os::populate_write(pages, Memory::Shared) } {
            Ok(()) => Ok(()),
            Err(libc::ENOSYS) => Err((libc::ENOSYS, Reason::Unsupported)),
            Err(_) => Err((libc::ENOMEM, Reason::HugePagePool(size))),
        }
    }

    /// Changes the protection as [`protect`](Self::protect), of memory that is read and written in place.
    ///
    /// Where pages become writable, of a file in huge pages, those are copied now: to write to one later,
    /// when the pool is empty, would raise SIGBUS.
    ///
    /// # Safety
    /// As [`protect`](Self::protect).
    #[inline]
    pub unsafe fn protect_in_place(&self, old: Protection, new: Protection) -> Result<()> {
        let becomes_writable = new.contains(Protection::WRITE) && !old.contains(Protection::WRITE);
        if !becomes_writable || self.is_private_anonymous() || self.len() == 0 {
            // SAFETY: as the caller vouches.
            return unsafe { self.protect(old, new) };
        }
        // SAFETY: as the caller vouches.
        unsafe { self.protect_and_copy(old, new) }
    }

    /// Lets the pages be written, and copies them if they are huge; or goes back to `old`.
    ///
    /// # Safety
    /// As [`protect`](Self::protect).
    #[cold]
    unsafe fn protect_and_copy(&self, old: Protection, new: Protection) -> Result<()> {
        // SAFETY: as the caller vouches.
        unsafe { self.protect(old, new) }?;
        let pages = self.pages();
        let is_inside = |offset| {
            let address = pages.start.as_ptr().wrapping_add(offset);
            // SAFETY: it is an address inside of the pages.
            offset < pages.len && unsafe { os::is_in_huge_page(address) }
        };
        let mut size = page_size();
        while is_inside(size) {
            size *= 2;
        }
        if size == page_size() {
            return Ok(());
        }
        let Err((errno, reason)) = self.fill_huge_pages(size) else {
            return Ok(());
        };
        // SAFETY: as the caller vouches.
        unsafe { self.protect(new, old) }?;
        let arguments = Arguments::Length(self.len());
        Err(Error::new(Call::Mprotect, errno, arguments, reason))
    }

    /// A region of no bytes: not null, aligned to a page, mapped nowhere. What grows out of it is locked
    /// and hidden as `known`.
    pub fn empty(anonymous: bool, known: Known) -> Self {
        // Nothing is ever accessed at the address: it serves to remember this.
        let kind = known.kind.map_or(0, |kind| 1 + kind as usize);
        let hidden = usize::from(known.marks.contains(Marks::HIDDEN));
        let address = page_size() * (1 + kind + KINDS * hidden);
        // SAFETY: the page size is not zero, and a multiple as small as this does not overflow.
        let start = unsafe { NonNull::new_unchecked(core::ptr::without_provenance_mut(address)) };
        // SAFETY: it has no pages.
        unsafe { Self::from_raw(start, 0, anonymous) }
    }

    /// How the most of the region is locked for good, and hidden.
    pub fn known(&self) -> Known {
        if self.len() != 0 {
            return ledger::known(&self.pages().addresses());
        }
        let address = self.start.addr().get();
        let code = (address / page_size()).wrapping_sub(1);
        if address % page_size() != 0 || code >= 2 * KINDS {
            // Not made by `empty`.
            return Known::default();
        }
        let marks = match code / KINDS {
            0 => Marks::NONE,
            _ => Marks::HIDDEN,
        };
        let kind = match code % KINDS {
            0 => None,
            1 => Some(Kind::OnFault),
            _ => Some(Kind::Full),
        };
        Known { kind, marks }
    }

    /// Hides and locks the region for good, as `known` says, and returns it. Where that fails, it is
    /// to be dropped, and unmapped.
    pub fn keep_as(self, known: Known) -> Result<Self> {
        if self.len() == 0 {
            return Ok(Self::empty(self.is_private_anonymous(), known));
        }
        if known.marks.contains(Marks::HIDDEN) {
            if os::MAP_CONCEAL == 0 {
                self.advise(&.., Advice::DontDump)?;
            } else {
                // It was mapped so.
                let arguments = Arguments::Length(self.len());
                ledger::hide(&self.pages().addresses(), true)
                    .map_err(|errno| Error::kernel(Call::Mmap, errno, arguments))?;
            }
        }
        if let Some(kind) = known.kind {
            LockGuard::new(&self, &.., kind)?.keep();
        }
        Ok(self)
    }

    /// The region of `len` bytes from `start` on.
    ///
    /// # Safety
    /// Every page that holds one of the bytes is mapped, and nobody else's; they are at most
    /// [`max_len`] bytes together. They are private and anonymous where `anonymous` says so.
    pub const unsafe fn from_raw(start: NonNull<u8>, len: usize, anonymous: bool) -> Self {
        let len_and_kind = if anonymous { len | ANONYMOUS } else { len };
        Self {
            start,
            len_and_kind,
        }
    }

    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub const fn len(&self) -> usize {
        self.len_and_kind & !ANONYMOUS
    }

    /// Whether the memory is private and anonymous, in ordinary pages.
    pub const fn is_private_anonymous(&self) -> bool {
        self.len_and_kind & ANONYMOUS != 0
    }

    /// All pages of the region.
    pub fn pages(&self) -> Pages {
        self.pages_of(&(0..self.len()))
    }

    /// The pages that hold a byte of `range`, which lies within the region.
    pub fn pages_of(&self, range: &Range<usize>) -> Pages {
        debug_assert!(range.start <= range.end && range.end <= self.len());
        let within = page_size() - 1;
        // The first page begins where the kernel put it, so this never leaves the mapping.
        let first = self.start.as_ptr().wrapping_add(range.start);
        let first = first.map_addr(|address| address & !within);
        let end = (self.start.addr().get() + range.end + within) & !within;
        let len = if range.is_empty() {
            0
        } else {
            end - first.addr()
        };
        let start = NonNull::new(first).unwrap_or(self.start);
        Pages { start, len }
    }

    /// Changes the protection of every page from `old` to `new`, or of none.
    ///
    /// # Safety
    /// References into the region that live on allow no more than either does.
    pub unsafe fn protect(&self, old: Protection, new: Protection) -> Result<()> {
        let pages = self.pages();
        if pages.len == 0 {
            return Ok(());
        }
        spare::keep();
        if old.is_empty() && !new.is_empty() {
            self.check_stack()?;
        }
        // SAFETY: the pages are the region's own, the rest is as the caller vouches.
        if let Err(errno) = unsafe { call::mprotect(pages.start, pages.len, new.bits()) } {
            // SAFETY: as above.
            unsafe { self.undo_protect(errno, old, new) }?;
        }
        // SAFETY: that is their protection now.
        unsafe { self.after_protect(old, new) };
        Ok(())
    }

    /// Refuses to make accessible what could not be, where the stack has grown up to it: the kernel
    /// keeps it only from what can be accessed.
    #[cold]
    fn check_stack(&self) -> Result<()> {
        let Range { start, end } = self.pages().addresses();
        if os::is_for_stack(start, end - start) && os::meets_stack(start, end) {
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
    /// As [`protect`](Self::protect).
    #[cold]
    unsafe fn undo_protect(&self, errno: Errno, old: Protection, new: Protection) -> Result<()> {
        let pages = self.pages();
        // SAFETY: the pages are the region's own, the rest is as the caller vouches.
        let set = |to: Protection| unsafe { call::mprotect(pages.start, pages.len, to.bits()) };
        let is_back = || os::is_protected(pages, old);
        match spare::undo(errno, || set(old), || set(new), is_back) {
            Outcome::Done => Ok(()),
            Outcome::Undone => {
                let arguments = Arguments::Length(self.len());
                Err(Error::kernel(Call::Mprotect, errno, arguments))
            }
        }
    }
    /// Advises on the pages that hold a byte of `range`.
    pub fn advise(&self, range: &impl RangeBounds<usize>, advice: Advice) -> Result<()> {
        let range = check_range(Call::Madvise, range, self.len())?;
        let (pages, arguments) = (self.pages_of(&range), Arguments::range(&range));
        if range.len() != self.len() {
            // The kernel may make several mappings of one.
            spare::keep();
        }
        match advice {
            // SAFETY: the pages are the region's own.
            Advice::DontDump | Advice::DoDump => unsafe { hide(advice, pages, arguments) },
            // SAFETY: as above.
            _ => unsafe { advice.give(pages, arguments) },
        }
    }

    /// Flushes the pages that hold a byte of `range`.
    pub fn flush(&self, range: &impl RangeBounds<usize>, mode: Flush) -> Result<()> {
        let range = check_range(Call::Msync, range, self.len())?;
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        // SAFETY: the pages are the region's own.
        unsafe { call::msync(pages.start, pages.len, mode.flags()) }.map_err(|errno| {
            let arguments = Arguments::range(&range);
            Error::kernel(Call::Msync, errno, arguments)
        })
    }

    /// Unmaps, and gives the region back where the kernel refuses.
    pub fn unmap(self) -> core::result::Result<(), (Error, Self)> {
        let region = core::mem::ManuallyDrop::new(self);
        // SAFETY: `self` was taken by value, so no reference into it lives, and it is not dropped.
        unsafe { region.munmap() }.map_err(|errno| {
            let error = Error::kernel(Call::Munmap, errno, Arguments::Length(region.len()));
            (error, core::mem::ManuallyDrop::into_inner(region))
        })
    }

    /// # Safety
    /// Nothing refers to the region any more; when this succeeds, it is not used again.
    unsafe fn munmap(&self) -> core::result::Result<(), Errno> {
        let pages = self.pages();
        if pages.len == 0 {
            return Ok(());
        }
        // SAFETY: the pages are the region's own, and the caller gives them up.
        unsafe { ledger::unmap(pages) }
    }
}

/// Leaves `pages` out of core dumps, or not, and notes it: what becomes of them is left out too.
///
/// # Safety
/// They are mapped, and the caller's.
#[cold]
unsafe fn hide(advice: Advice, pages: Pages, arguments: Arguments) -> Result<()> {
    let (range, hides) = (pages.addresses(), advice == Advice::DontDump);
    // SAFETY: as the caller vouches.
    let give = || unsafe { advice.give(pages, arguments) };
    if pages.len == 0 {
        return give();
    }
    let note = |yes| {
        ledger::hide(&range, yes).map_err(|errno| Error::kernel(Call::Madvise, errno, arguments))
    };
    if hides {
        let some_was = ledger::known(&range).marks.contains(Marks::HIDDEN);
        note(true)?;
        return give().inspect_err(|_| {
            // Where some was, it may be, and more is noted than need be.
            if !some_was {
                let _as_it_was = note(false);
            }
        });
    }
    give()?;
    if !hides {
        // Where there is no room to note it of a part, more is left out than need be.
        let _or_hidden_still = note(false);
    }
    Ok(())
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the region is being dropped.
        if unsafe { self.munmap() }.is_err() {
            // The one way to fail is that the kernel, at its limit of mappings, cannot split a larger
            // one that it had merged this into.
            // SAFETY: the pages are the region's own, and are used no more.
            unsafe { ledger::abandon(self.pages()) };
        }
    }
}

// SAFETY: a region owns its pages, as a `Vec<u8>` its buffer; no thread is special to the kernel.
unsafe impl Send for Region {}
// SAFETY: `&Region` gives out no access to the bytes by itself; its system calls may be made from
// any thread at any time.
unsafe impl Sync for Region {}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("start", &self.start)
            .field("len", &self.len())
            .field("anonymous", &self.is_private_anonymous())
            .finish_non_exhaustive()
    }
}
