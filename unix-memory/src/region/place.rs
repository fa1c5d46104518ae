//! Where a mapping goes: never where another one is.

use core::ffi::c_int;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::error::{Errno, Reason};
use crate::os::{self, call};
use crate::page::{Pages, max_len, page_size, round_down, round_up};
use crate::region::ledger;

/// How often another thread may take the very place that was just found free.
const TRIES: u16 = 64;

/// How many places of a range of addresses are tried.
const PLACES: usize = 256;

/// Attempts to take a place that was just found free, until no other thread takes it first; waits
/// longer each time.
pub fn until_free<T, E>(
    mut attempt: impl FnMut() -> Result<T, E>,
    is_occupied: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut result = attempt();
    for lost in 1..TRIES {
        match &result {
            Err(error) if is_occupied(error) => {}
            _ => break,
        }
        call::pause_for(lost);
        result = attempt();
    }
    result
}

/// Where the first page should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// Wherever the kernel chooses.
    #[default]
    Anywhere,
    /// Near this address, if the kernel agrees.
    Near(usize),
    /// Exactly here.
    At(usize),
    /// Exactly here, where the kernel had found room that was given up again.
    Room(usize),
    /// Wholly between these addresses: the first one, and the one after the last.
    Within(usize, usize),
}

/// The arguments of `mmap` except for the address; `len` in bytes, not yet rounded up to pages.
#[derive(Clone, Copy)]
pub struct Pending {
    pub len: usize,
    pub protection: c_int,
    pub flags: c_int,
    pub fd: c_int,
    pub offset: sys::off_t,
    /// How many bytes are before the byte whose address must fit.
    pub lead: usize,
}

/// Where the first page is, or why there is none.
pub type Placed = Result<NonNull<u8>, (Errno, Reason)>;

impl Pending {
    /// Maps at `place`, aligned so that a multiple of `unit` in the file, or in memory after the
    /// lead, has an address that is a multiple of `unit`. That is a power of two and at least a page;
    /// `natural` is the alignment that the kernel keeps by itself.
    pub fn map(&self, place: Place, unit: usize, natural: usize) -> Placed {
        match place {
            Place::At(address) if address != self.fit(address, unit) => {
                Err((libc::EINVAL, Reason::Unaligned(unit)))
            }
            Place::At(address) => self.at(address),
            Place::Room(address) => self.take(address),
            Place::Within(first, end) => self.within(first, end, unit),
            Place::Anywhere if unit > natural => self.aligned(0, unit),
            Place::Near(address) if unit > natural => self.aligned(address, unit),
            Place::Anywhere => self.map_anywhere(),
            Place::Near(address) => self.anywhere(address),
        }
    }

    /// Maps wherever the kernel chooses.
    pub fn map_anywhere(&self) -> Placed {
        self.mmap(0, 0).map_err(|errno| (errno, Reason::Kernel))
    }

    /// The first address from `address` on that fits `unit`; it may wrap.
    const fn fit(&self, address: usize, unit: usize) -> usize {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "only the bits below the unit matter"
        )]
        let offset = (self.offset as usize).wrapping_sub(self.lead);
        address.wrapping_add(offset.wrapping_sub(address) & (unit - 1))
    }

    /// Maps near `hint`, if the kernel agrees.
    fn anywhere(&self, hint: usize) -> Placed {
        let start = self
            .mmap(hint, 0)
            .map_err(|errno| (errno, Reason::Kernel))?;
        if hint == 0 || !os::is_for_stack(start.addr().get(), round_up(self.len)) {
            return Ok(start);
        }
        // Not there: that place belongs to the stack.
        // SAFETY: it was mapped just now. [new]
        let _or_later = unsafe { self.unmap(start) };
        self.map_anywhere()
    }

    /// Unmaps what was mapped at `start`. If the kernel refuses, this is unmapped later, like a region
    /// that was dropped: at its limit of mappings the kernel may be unable to cut the pages out of a
    /// mapping into which it has merged them.
    ///
    /// # Safety
    /// It was mapped by these, and nothing refers to it.
    unsafe fn unmap(&self, start: NonNull<u8>) -> Result<(), Errno> {
        let pages = Pages {
            start,
            len: round_up(self.len),
        };
        let len = if os::COUNTS_BYTES {
            self.len
        } else {
            pages.len
        };
        // SAFETY: as the caller vouches, the pages are those of the mapping. [caller]
        unsafe { call::munmap(start, len) }.inspect_err(|_| {
            // SAFETY: as the caller vouches, nobody uses them. [caller]
            unsafe { ledger::abandon(pages) };
        })
    }

    /// Maps at `address`, a multiple of the page size, or nowhere.
    fn at(&self, address: usize) -> Placed {
        if address == 0 {
            // To the kernel zero means anywhere, and no reference may be null.
            return Err((libc::EINVAL, Reason::NoAddress));
        }
        if os::is_for_stack(address, round_up(self.len)) {
            return Err((libc::ENOMEM, Reason::Stack));
        }
        self.take(address)
    }

    /// Maps at `address`, a multiple of the page size, or nowhere; not where the stack has grown.
    fn take(&self, address: usize) -> Placed {
        match self.mmap(address, os::NO_REPLACE) {
            // SAFETY: it was mapped just now. [new]
            Ok(start) => unsafe { self.keep_at(address, start) },
            Err(libc::EEXIST) => Err((libc::EEXIST, Reason::Occupied)),
            Err(errno) => Err((errno, Reason::Kernel)),
        }
    }

    /// Returns what was mapped at `start` if that is `address`, and unmaps it otherwise: a system without
    /// the flag, or an older kernel, takes the address as a hint.
    ///
    /// # Safety
    /// It was mapped by these, and nothing refers to it.
    unsafe fn keep_at(&self, address: usize, start: NonNull<u8>) -> Placed {
        let is_there = start.addr().get() == address;
        // Asked now: from here on the kernel keeps the stack away.
        if is_there && !os::meets_stack(address, address + round_up(self.len)) {
            return Ok(start);
        }
        // SAFETY: as the caller vouches. [caller]
        let _or_later = unsafe { self.unmap(start) };
        Err(if is_there {
            (libc::ENOMEM, Reason::Stack)
        } else {
            (libc::EEXIST, Reason::Occupied)
        })
    }

    /// Maps where it fits `unit`: finds room that is larger, gives it up, and takes the part of it
    /// that fits before somebody else does.
    fn aligned(&self, hint: usize, unit: usize) -> Placed {
        let len = round_up(self.len);
        let spare = unit - page_size();
        if spare > max_len() - len {
            let most = max_len() - len + page_size();
            return Err((libc::ENOMEM, Reason::alignment_limit(unit, most)));
        }
        let room = Self {
            len: len + spare,
            protection: sys::PROT_NONE,
            flags: sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | os::MAP_NORESERVE,
            fd: -1,
            offset: 0,
            lead: 0,
        };
        let attempt = || {
            let start = room.anywhere(hint)?;
            // SAFETY: the pages were mapped just now, and nothing refers to them. [new]
            unsafe { room.unmap(start) }.map_err(|errno| (errno, Reason::Kernel))?;
            // It lies in the room, which the kernel chose away from the stack.
            self.take(self.fit(start.addr().get(), unit))
        };
        let is_lost = |reason| [Reason::Occupied, Reason::Stack].contains(&reason);
        until_free(attempt, |&(_, reason)| is_lost(reason))
    }

    /// Maps wholly between `first` and `end`, where it fits `unit`.
    fn within(&self, first: usize, end: usize, unit: usize) -> Placed {
        let no_room = Err((libc::ENOMEM, Reason::NoRoom));
        let len = round_up(self.len);
        // Page zero is never mapped.
        let first = first.max(page_size());
        let lowest = self.fit(first, unit);
        let Some(highest) = end.checked_sub(len) else {
            return no_room;
        };
        // The last that fits: one unit before the first one after it, which may wrap.
        let next = self.fit(highest.wrapping_add(1), unit);
        let below = highest.wrapping_sub(next.wrapping_sub(unit));
        let Some(highest) = highest.checked_sub(below) else {
            return no_room;
        };
        if lowest < first || highest < lowest {
            return no_room;
        }
        let step = ((highest - lowest) / PLACES)
            .max(round_down(len))
            .max(unit)
            .next_multiple_of(unit);
        // From above: systems put programs and heaps at the low end.
        let mut address = highest;
        loop {
            match self.at(address) {
                // Occupied, or not available to this process: try the next one below.
                Err((libc::EEXIST | libc::ENOMEM | libc::EPERM, _)) => {}
                Err((libc::EINVAL, _)) if os::NO_REPLACE & sys::MAP_FIXED != 0 => {}
                result => return result,
            }
            match address.checked_sub(step) {
                Some(next) if next >= lowest => address = next,
                _ => return no_room,
            }
        }
    }

    fn mmap(&self, address: usize, flags: c_int) -> Result<NonNull<u8>, Errno> {
        let flags = self.flags | flags;
        // SAFETY: MAP_FIXED is only set together with all of NO_REPLACE: see `Request` and the
        // callers. [new]
        unsafe {
            call::mmap_at(
                address,
                self.len,
                self.protection,
                flags,
                self.fd,
                self.offset,
            )
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    /// Some systems, and older kernels, map elsewhere what was wanted at an address.
    #[test]
    fn what_lies_elsewhere_is_unmapped() {
        if os::COUNTS_BYTES {
            // A C library that stands in for the kernel maps nothing at a given address.
            return;
        }
        let pending = Pending {
            len: 3 * page_size(),
            protection: sys::PROT_READ,
            flags: sys::MAP_PRIVATE | sys::MAP_ANONYMOUS,
            fd: -1,
            offset: 0,
            lead: 0,
        };
        // Far from where the kernel puts what others map.
        let place = Place::Within(1 << 28, 1 << 30);
        let start = pending.map(place, page_size(), page_size()).expect("room");
        let address = start.addr().get();
        // SAFETY: it was mapped just now, and nothing refers to it.
        let kept = unsafe { pending.keep_at(address + page_size(), start) };
        assert_eq!(kept, Err((libc::EEXIST, Reason::Occupied)));
        // The same place is free again, all of it.
        assert_eq!(pending.take(address), Ok(start));
        // SAFETY: as above.
        let kept = unsafe { pending.keep_at(address, start) };
        assert_eq!(kept, Ok(start));
        // SAFETY: as above.
        unsafe { pending.unmap(start) }.expect("the pages are whole mappings");
    }
}
