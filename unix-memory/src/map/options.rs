//! The builder of mappings.

use core::ffi::{CStr, c_int};
use core::ops::Range;

use super::special::Special;
use super::steps::Steps;
use crate::advice::Advice;
use crate::error::{Arguments, Result};
use crate::os;
use crate::region::Region;
use crate::region::map::Request;
use crate::region::place::Place;

/// What to map, and how: set what you need, then call one of the `map_` methods, any number of times.
///
/// Source: mmap(2), POSIX.1-2024.
///
/// ```no_run
/// use unix_memory::{MapOptions, ReadOnly};
///
/// let file = std::fs::File::open("data")?;
/// let mapping = MapOptions::new().offset(100).len(50).map_shared(&file, ReadOnly)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "mmap")]
#[doc(alias = "MmapOptions")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "options map nothing by themselves"]
#[doc(alias = "MapFlags")]
#[doc(alias = "MmapFlags")]
#[doc(alias = "UnsafeMmapFlags")]
#[doc(alias = "with_flags")]
pub struct MapOptions {
    pub(super) len: Option<usize>,
    pub(super) offset: u64,
    pub(super) place: Place,
    /// In bytes; zero means the alignment of a page.
    pub(super) alignment: usize,
    /// Flags of `mmap` that only add to what it does, if the system has them.
    pub(super) flags: c_int,
    /// For memory without a file: the size of huge pages in bytes, and the flags that ask for them.
    pub(super) huge_page: Option<(usize, c_int)>,
    /// Whether to ask for transparent huge pages.
    pub(super) transparent: bool,
    /// How many bytes are mapped before the byte that is aligned for huge pages.
    pub(super) lead: usize,
    /// For a file: whether the mapping may be longer than the file.
    pub(super) past_end: bool,
    pub(super) steps: Steps,
    /// Set by every option but the length, the offset, and `past_end`.
    pub(super) special: Special<Map>,
}

/// Maps with options: what else is asked for, and what an error reports.
type Map = fn(&MapOptions, Request, Arguments) -> Result<Region>;

impl MapOptions {
    /// No length, offset zero, no hints.
    #[inline]
    pub const fn new() -> Self {
        Self {
            len: None,
            offset: 0,
            place: Place::Anywhere,
            alignment: 0,
            flags: 0,
            huge_page: None,
            transparent: false,
            lead: 0,
            past_end: false,
            steps: Steps {
                name: None,
                advice: None,
                lock: false,
                dont_dump: false,
            },
            special: Special(None),
        }
    }

    /// Whether they set nothing but a length and an offset: see [`Region::plain`].
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        self.special.0.is_none()
    }

    /// The same options, which set more than a length and an offset.
    pub(super) const fn specially(mut self) -> Self {
        self.special = Special(Some(Self::map_special));
        self
    }

    /// The same options without an address, since that is occupied by now.
    #[cfg(feature = "std")]
    pub(crate) const fn for_a_second(mut self) -> Self {
        if let Place::At(_) = self.place {
            self.place = Place::Anywhere;
        }
        self
    }

    /// Where in the file the mapping begins.
    #[cfg(feature = "std")]
    pub(crate) const fn start(&self) -> u64 {
        self.offset
    }

    /// The length in bytes. Required, except for regular files, and for block devices on Linux and
    /// Android, which are mapped to their end without it.
    ///
    /// Zero maps nothing: the guard is empty. If memory without a file grows out of it, that has the
    /// lock and is left out of core dumps as the options say, and has none of the other options. The
    /// maximum is `isize::MAX`, rounded down to whole pages.
    #[inline]
    pub const fn len(mut self, bytes: usize) -> Self {
        self.len = Some(bytes);
        self
    }

    /// Where in the file to begin, in bytes; it need not be a multiple of the page size.
    #[inline]
    pub const fn offset(mut self, bytes: u64) -> Self {
        self.offset = bytes;
        self
    }

    /// Let a mapping of a file be longer than the rest of the file, for the file to grow into.
    ///
    /// Otherwise, this is an error ([`Reason::FileLength`](crate::Reason::FileLength)). It is always
    /// an error for `map_sealed`, and so is beginning past the end without a length. What is past the
    /// end of the file cannot be accessed until the file has grown, as after a truncation (see
    /// [`SharedMapping`](crate::SharedMapping)).
    ///
    /// ```
    /// use std::io::Write;
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let mut log = tempfile::tempfile()?;
    /// let mapping = MapOptions::new().len(1 << 30).past_end(true).map_shared(&log, ReadOnly)?;
    /// log.write_all(b"an entry")?;
    /// let mut entry = [0; 8];
    /// mapping.read_at(0, &mut entry)?;
    /// assert_eq!(&entry, b"an entry");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub const fn past_end(mut self, yes: bool) -> Self {
        self.past_end = yes;
        self
    }

    /// Map near this address, if the kernel agrees. This never replaces a mapping, and is ignored
    /// where the stack of the main thread may grow (see [`at`](Self::at)).
    ///
    /// Of `hint`, [`at`](Self::at) and [`within`](Self::within), the last one that is set counts.
    #[doc(alias = "with_address")]
    pub const fn hint(mut self, address: usize) -> Self {
        self.place = Place::Near(address);
        self.specially()
    }

    /// Map the first page at exactly this address, or fail. This never replaces a mapping: if
    /// something is mapped there already, that is an error
    /// ([`Reason::Occupied`](crate::Reason::Occupied)).
    ///
    /// On Linux and Android, an address where the stack of the main thread has grown or may grow is
    /// also an error ([`Reason::Stack`](crate::Reason::Stack)), because that stack does not stop
    /// where something is mapped. These are the addresses from the end of the stack down to its limit
    /// (`RLIMIT_STACK` at that moment, but at least 8 MiB; without a limit, 1 GiB, or 128 MiB on
    /// 32-bit systems), and 256 pages further. A program that raises the limit must do so before it
    /// maps. The stacks of other threads, and a heap that grows by `brk`, do stop where something is
    /// mapped.
    ///
    /// The address must be a multiple of the page size. It is also the address of the first byte,
    /// unless the offset into a file lies inside a page.
    ///
    /// ```
    /// use unix_memory::{MapOptions, Mapping, ReadWrite, Reason, page_size};
    ///
    /// // An address where there is room at the moment.
    /// let room = Mapping::anonymous(2 * page_size())?;
    /// let options = MapOptions::new().len(page_size()).at(room.as_ptr().addr());
    /// let error = options.map_anonymous(ReadWrite).unwrap_err();
    /// assert_eq!(error.reason(), Reason::Occupied);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// # Platform
    /// Linux has `MAP_FIXED_NOREPLACE` for this, FreeBSD `MAP_FIXED | MAP_EXCL`, OpenBSD `MAP_FIXED |
    /// __MAP_NOREPLACE`, and NetBSD `MAP_TRYFIXED`; elsewhere the address is a hint. The resulting
    /// address is always checked, since kernels older than these flags (Linux before 4.17) ignore
    /// them.
    #[doc(alias = "MAP_FIXED")]
    #[doc(alias = "MAP_FIXED_NOREPLACE")]
    #[doc(alias = "MAP_EXCL")]
    #[doc(alias = "MAP_TRYFIXED")]
    pub const fn at(mut self, address: usize) -> Self {
        self.place = Place::At(address);
        self.specially()
    }

    /// The range of addresses that the whole mapping must lie in, for example below 2 GiB (`0..1 <<
    /// 31`), or within reach of a jump. The mapping never replaces another one, and never lies where
    /// the stack of the main thread may grow (see [`at`](Self::at)). Up to 256 places in the range
    /// are tried, from its end down, so room in a crowded range may be missed
    /// ([`Reason::NoRoom`](crate::Reason::NoRoom)).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let low = MapOptions::new().len(100).within(0..1 << 31).map_anonymous(ReadWrite)?;
    /// assert!(low.as_ptr().addr() < 1 << 31);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "MAP_32BIT")]
    pub const fn within(mut self, addresses: Range<usize>) -> Self {
        self.place = Place::Within(addresses.start, addresses.end);
        self.specially()
    }

    /// Align the address of the first page to this many bytes, a power of two. Less than a page means
    /// a page. A [`hint`](Self::hint) is still only a hint; the result is aligned.
    ///
    /// For a file, the address is aligned like the offset: a multiple of `bytes` in the file lies at
    /// a multiple of `bytes` in memory, so that the file's huge pages fit. With an offset of one page
    /// and an alignment of 2 MiB, for example, the first page is one page after a multiple of 2 MiB.
    ///
    /// For an alignment of more than a page, this first finds room, and gives it up again before it
    /// makes the mapping there. If another thread takes the room at that moment, this tries again, up
    /// to 64 times, and then fails with [`Reason::Occupied`](crate::Reason::Occupied).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let aligned = MapOptions::new().len(100).alignment(2 << 20).map_anonymous(ReadWrite)?;
    /// assert_eq!(aligned.as_ptr().addr() % (2 << 20), 0);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "MAP_ALIGNED")]
    #[doc(alias = "MAP_ALIGNED_SUPER")]
    pub const fn alignment(mut self, bytes: usize) -> Self {
        self.alignment = bytes;
        self.specially()
    }

    /// Bring the pages in now rather than when they are used, as far as possible; failures are not
    /// reported. Every page of a writable private mapping is copied. The guard's `populate()` reports
    /// failures, and copies nothing.
    ///
    /// # Platform
    /// `MAP_POPULATE` on Linux; no effect on systems without an equivalent.
    #[doc(alias = "MAP_POPULATE")]
    pub const fn populate(self, yes: bool) -> Self {
        self.flag(os::MAP_POPULATE, yes)
    }

    /// Reserve no swap space, so that more can be mapped than there is. Mapping then does not fail,
    /// but when memory runs out, the kernel ends processes.
    ///
    /// This has no effect on huge pages from the system's pool (`huge_pages`, and files in huge
    /// pages): they are always set aside, since using one that is not available raises SIGBUS.
    ///
    /// # Platform
    /// `MAP_NORESERVE`; no effect on systems without an equivalent.
    #[doc(alias = "MAP_NORESERVE")]
    #[doc(alias = "no_reserve_swap")]
    pub const fn no_reserve(self, yes: bool) -> Self {
        self.flag(os::MAP_NORESERVE, yes)
    }

    /// The memory will be the stack of a thread.
    ///
    /// # Platform
    /// `MAP_STACK` on Linux, NetBSD and OpenBSD; OpenBSD requires it for every stack. Other systems
    /// do not need it, and there it has no effect. (FreeBSD's `MAP_STACK`, which makes a mapping that
    /// grows, is not used.)
    #[doc(alias = "MAP_STACK")]
    pub const fn stack(self, yes: bool) -> Self {
        self.flag(os::MAP_STACK, yes)
    }

    /// Lock the whole mapping into memory as long as it is mapped, which also brings its pages in.
    ///
    /// Unlike with `MAP_LOCKED`, mapping fails if the pages cannot be locked: nothing is mapped then,
    /// and the error is one of [`Call::Mlock`](crate::Call::Mlock). The lock counts as a lock guard
    /// that is never dropped.
    #[doc(alias = "MAP_LOCKED")]
    #[doc(alias = "MAP_WIRED")]
    #[doc(alias = "mlock")]
    pub const fn lock(mut self, yes: bool) -> Self {
        self.steps.lock = yes;
        self.specially()
    }

    /// Give this advice on the whole mapping at once, before it is locked.
    ///
    /// If the system refuses it, nothing is mapped, and the error is one of
    /// [`Call::Madvise`](crate::Call::Madvise). For transparent huge pages, which must also be
    /// aligned, use [`transparent_huge_pages`](Self::transparent_huge_pages).
    ///
    /// ```
    /// use unix_memory::{Advice, MapOptions, ReadWrite};
    ///
    /// let options = MapOptions::new().len(100).advice(Advice::Random);
    /// let mapping = options.map_anonymous(ReadWrite)?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "madvise")]
    pub const fn advice(mut self, advice: Advice) -> Self {
        self.steps.advice = Some(advice);
        self.specially()
    }

    /// Name the memory in `/proc/<pid>/maps`. This is a hint: on systems that show no names, it has
    /// no effect.
    ///
    /// A name that no system accepts is an error on every system, `EINVAL` with
    /// [`Reason::MemoryName`](crate::Reason::MemoryName).
    /// [`set_name_range`](crate::Mapping::set_name_range) documents which names are allowed, and when
    /// memory keeps its name. A mapping that was empty has no name when it grows.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let options = MapOptions::new().len(1 << 20).name(c"row cache");
    /// let cache = options.map_anonymous(ReadWrite)?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// # Platform
    /// Linux 5.17, if it was built with `CONFIG_ANON_VMA_NAME`, and Android; no effect elsewhere, or
    /// for memory of a file.
    #[doc(alias = "prctl")]
    #[doc(alias = "PR_SET_VMA_ANON_NAME")]
    pub const fn name(mut self, name: &'static CStr) -> Self {
        self.steps.name = Some(name);
        self.specially()
    }

    /// Leave the memory out of core dumps: for secrets.
    ///
    /// If the system cannot do this, nothing is mapped, and the error is one of
    /// [`Call::Madvise`](crate::Call::Madvise), with
    /// [`Reason::Unsupported`](crate::Reason::Unsupported). To undo it, give [`Advice::DoDump`].
    ///
    /// A child inherits this. If it was forked while another thread used this crate, memory that the
    /// kernel cannot move as one mapping is in core dumps again once the child has resized it.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let options = MapOptions::new().len(100).dont_dump(true);
    /// match options.map_anonymous(ReadWrite) {
    ///     Ok(mut secret) => secret.fill(42),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    ///
    /// # Platform
    /// `MADV_DONTDUMP` on Linux and Android, `MADV_NOCORE` on FreeBSD and DragonFly, `MAP_CONCEAL`
    /// on OpenBSD, where it cannot be undone.
    #[doc(alias = "MADV_DONTDUMP")]
    #[doc(alias = "MADV_NOCORE")]
    #[doc(alias = "MAP_NOCORE")]
    #[doc(alias = "MAP_CONCEAL")]
    #[doc(alias = "NO_CORE_DUMP")]
    #[doc(alias = "NOCORE")]
    pub const fn dont_dump(mut self, yes: bool) -> Self {
        self.steps.dont_dump = yes;
        self.flag(os::MAP_CONCEAL, yes)
    }

    /// Exactly at this address, where the kernel had found room that has been given up again.
    pub(crate) const fn in_room(mut self, address: usize) -> Self {
        self.place = Place::Room(address);
        self.specially()
    }

    /// Puts memory without a file in pages of `size` bytes, which `flags` request.
    #[allow(dead_code, reason = "only some systems have such pages")]
    pub(crate) const fn in_huge_pages(mut self, size: usize, flags: c_int) -> Self {
        self.huge_page = Some((size, flags));
        self.specially()
    }

    /// The options without the steps that follow the mapping, and those steps.
    pub(crate) const fn without_steps(mut self) -> (Self, Steps) {
        let steps = self.steps;
        self.steps = Self::new().steps;
        (self, steps)
    }

    /// Whether the pages are to be brought in.
    pub(crate) const fn populates(&self) -> bool {
        self.flags & os::MAP_POPULATE != 0
    }

    /// Sets or clears flags of `mmap`, none of which may replace a mapping.
    pub(crate) const fn flag(mut self, flags: c_int, yes: bool) -> Self {
        if !yes {
            return self.without(flags);
        }
        self.flags |= flags;
        self.specially()
    }

    /// Clears flags of `mmap`.
    pub(crate) const fn without(mut self, flags: c_int) -> Self {
        self.flags &= !flags;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::MapOptions;

    #[test]
    fn options_that_set_the_same_are_equal() {
        let set_back = MapOptions::new().lock(true).lock(false);
        assert_eq!(set_back, MapOptions::new());
        assert!(!set_back.is_plain());
        assert!(MapOptions::new().len(1).offset(2).past_end(true).is_plain());
    }
}
