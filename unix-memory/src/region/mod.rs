//! The private core of both guards: bytes in whole pages that this process has mapped and owns.

pub mod advise;
pub mod alone;
pub mod code;
pub mod discard;
pub mod ends;
pub mod guard_page;
pub mod hold;
pub mod huge;
pub mod ledger;
pub mod limit;
pub mod map;
pub mod name;
pub mod place;
pub mod plain;
pub mod protect;
pub mod residency;
pub mod resize;
pub mod spare;
pub mod split;

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Range;
use core::ptr::NonNull;

use self::ledger::{Kind, Known, Marks};
use self::limit::why_not_split;
use crate::error::{Arguments, Call, Errno, Error};
use crate::os::{self, call};
use crate::page::{Pages, page_size};

/// `len` bytes from `start` on; it owns every page that holds one of them and unmaps those pages on
/// drop.
///
/// A file offset inside a page only moves `start` into the first page; rounding finds the pages again.
/// An empty region has no pages, and makes no system calls; its address encodes how it is locked and
/// hidden once it grows.
pub struct Region {
    start: NonNull<u8>,
    /// The length in bytes; its top bit, which no length has, is [`ANONYMOUS`].
    len_and_kind: usize,
}

/// Set where the memory is private and anonymous, in ordinary pages: nobody else can reach it, no file
/// is behind it, the kernel fills it with zeros, and finds a page for each byte or ends processes.
/// Explicit huge pages do not have it: once they are given back, there may be none left. A region whose
/// memory is not known to be such does not have it either.
const ANONYMOUS: usize = !(usize::MAX >> 1);

/// How many ways there are to be locked: not at all, on fault, fully.
const KINDS: usize = 3;

impl Region {
    /// A region of no bytes: not null, aligned to a page, mapped nowhere. Once it grows, it is locked
    /// and hidden as `known` says.
    pub fn empty(anonymous: bool, known: Known) -> Self {
        // Nothing is ever accessed at the address: it serves to remember this.
        let kind = known.kind.map_or(0, |kind| 1 + kind as usize);
        let hidden = usize::from(known.marks.contains(Marks::HIDDEN));
        let address = page_size() * (1 + kind + KINDS * hidden);
        // SAFETY: the page size is not zero, and a multiple as small as this does not overflow.
        // [inside]
        let start = unsafe { NonNull::new_unchecked(core::ptr::without_provenance_mut(address)) };
        // SAFETY: it has no pages. [inside]
        unsafe { Self::from_raw(start, 0, anonymous) }
    }

    /// A region of no bytes, which grows into private anonymous memory, neither locked nor hidden.
    pub fn none() -> Self {
        Self::empty(true, Known::default())
    }

    /// How all of the region is locked permanently, and whether some of it is hidden.
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

    /// The address of the first page, and how many bytes there are from there to the region's end: the
    /// arguments of a call that acts on all pages that hold one of them.
    #[inline]
    pub fn span(&self) -> (NonNull<u8>, usize) {
        if self.is_private_anonymous() {
            // It begins at the start of a page.
            return (self.start, self.len());
        }
        let mask = page_size() - 1;
        let within = self.start.addr().get() & mask;
        // SAFETY: the page that holds the first byte is the region's own. [owned, inside]
        let first = unsafe { self.start.sub(within) };
        // Whole pages: otherwise an emulator may keep the last one.
        (first, (within + self.len() + mask) & !mask)
    }

    /// The same for the bytes of `range`, which lies within the region.
    #[inline]
    pub fn span_of(&self, range: &Range<usize>) -> (NonNull<u8>, usize) {
        debug_assert!(range.start <= range.end && range.end <= self.len());
        // SAFETY: the offset is at most the length. [inside]
        let first = unsafe { self.start.add(range.start) };
        let within = first.addr().get() & (page_size() - 1);
        // SAFETY: the page that holds the byte is the region's own. [owned, inside]
        let start = unsafe { first.sub(within) };
        (start, within + (range.end - range.start))
    }

    /// All pages of the region.
    #[inline]
    pub fn pages(&self) -> Pages {
        self.pages_of(&(0..self.len()))
    }

    /// The pages that hold a byte of `range`, which lies within the region.
    #[inline]
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

    /// Unmaps, and gives the region back where the kernel refuses.
    pub fn unmap(self) -> Result<(), (Error, Self)> {
        let region = ManuallyDrop::new(self);
        // SAFETY: `self` was taken by value, so no reference into it lives, and it is not dropped.
        // [once, borrowed]
        unsafe { region.munmap() }.map_err(|errno| {
            let arguments = Arguments::Length(region.len());
            let error = Error::new(Call::Munmap, errno, arguments, why_not_split(errno));
            (error, ManuallyDrop::into_inner(region))
        })
    }

    /// # Safety
    /// Nothing refers to the region any more; when this succeeds, it is not used again.
    unsafe fn munmap(&self) -> Result<(), Errno> {
        let pages = self.pages();
        if pages.len == 0 {
            return Ok(());
        }
        // Private anonymous memory is mapped in whole pages.
        let len = if os::COUNTS_BYTES && !self.is_private_anonymous() {
            self.span_of(&(0..self.len())).1
        } else {
            pages.len
        };
        // SAFETY: the pages are the region's own, and the caller gives them up. [owned, caller]
        unsafe { ledger::unmap(pages, len) }
    }

    /// Unmaps, or gives the memory back at least.
    #[cold]
    fn drop_with_care(&self) {
        // SAFETY: the region is being dropped. [once]
        if unsafe { self.munmap() }.is_err() {
            // This can fail only if the kernel, at its limit of mappings, cannot split a larger mapping
            // into which it has merged this one.
            // SAFETY: the pages are the region's own, and are no longer used. [owned, once]
            unsafe { ledger::abandon(self.pages()) };
        }
    }
}

impl Drop for Region {
    #[inline]
    fn drop(&mut self) {
        if self.len() == 0 {
            return;
        }
        // A C library that stands in for the kernel may unmap just what it is asked to: it gets whole
        // pages.
        let is_kernel = os::ENFORCES_PROTECTION && !os::COUNTS_BYTES;
        if is_kernel && ledger::is_empty() {
            let (start, len) = self.span();
            // SAFETY: the pages are the region's own, which is being dropped; nothing is known about
            // them that would have to be forgotten. [owned, once]
            if unsafe { call::munmap(start, len) }.is_ok() {
                return;
            }
        }
        self.drop_with_care();
    }
}

// SAFETY: a region owns its pages, as a `Vec<u8>` its buffer; no thread is special to the kernel.
// [threads]
unsafe impl Send for Region {}
// SAFETY: `&Region` gives out no access to the bytes by itself; its system calls may be made from
// any thread at any time. [threads]
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
