//! The memory of a ring: a header, the bytes, and the bytes again.

use core::mem::ManuallyDrop;
use core::sync::atomic::AtomicUsize;
use std::os::fd::AsFd;

use unix_memory_sys as sys;

use super::map_twice;
use crate::arch::alias_distance;
use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::map::facts::Facts;
use crate::map::options::MapOptions;
use crate::object::fixed::fixed_len;
use crate::object::shared_memory::SharedMemory;
use crate::page::max_len;
use crate::protection::{NoAccess, ReadWrite};
use crate::region::Region;
use crate::region::alone::{Alone, Inherited};
use crate::region::place::until_free;
use crate::shared::SharedMapping;

/// The mapped memory of a ring, which both ends share.
///
/// It has `header + capacity` bytes, the first `header` of which hold the ends' numbers; the rest is
/// mapped a second time after that.
pub struct Memory {
    mapping: ManuallyDrop<SharedMapping<ReadWrite>>,
    /// How many bytes the header has.
    header: usize,
    capacity: usize,
    /// Set if the memory belongs to one process only; in a child, other memory is mapped in its
    /// place.
    alone: Option<Alone>,
}

/// Returns the unit of which capacities and the header are multiples.
pub fn unit() -> usize {
    alias_distance()
}

/// Rounds `asked` up to a valid capacity.
///
/// # Errors
/// `ENOMEM` if that cannot be mapped twice.
pub fn round_up(asked: usize) -> Result<usize> {
    let most = (max_len() - unit()) / 2 / unit() * unit();
    match asked.max(1).checked_next_multiple_of(unit()) {
        Some(capacity) if capacity <= most => Ok(capacity),
        _ => Err(Error::new(
            Call::Ring,
            libc::ENOMEM,
            Arguments::Length(asked),
            Reason::LengthLimit(most),
        )),
    }
}

impl Memory {
    /// Makes new memory that belongs to this process only: children do not have it either.
    pub fn alone(capacity: usize) -> Result<Self> {
        let whole = unit() + 2 * capacity;
        let refuse = |errno| Error::kernel(Call::Mmap, errno, Arguments::Length(whole));
        let mut memory = match map_twice::map_twice(unit(), capacity) {
            Ok(start) => {
                // SAFETY: the pages were mapped just now, for this alone. They are shared. [new]
                let region = unsafe { Region::from_raw(start, whole, false) };
                Self::of(region, unit(), capacity)
            }
            Err(libc::ENOSYS) => {
                let object = fixed_len((unit() + capacity) as u64)?;
                Self::map(&object, capacity)?
            }
            Err(errno) => return Err(refuse(errno)),
        };
        // SAFETY: `drop` unmaps them, once they have been released. [child]
        let alone = unsafe { Alone::new(memory.mapping.region().pages(), Inherited::Pages, 1) };
        memory.alone = Some(alone.map_err(refuse)?);
        Ok(memory)
    }

    /// Maps the memory of `object`, which has as many bytes as a ring of `capacity` needs.
    pub fn map(object: &SharedMemory, capacity: usize) -> Result<Self> {
        let occupied = |error: &Error| error.reason() == Reason::Occupied;
        let region = until_free(|| map_twice(object, capacity), occupied)?;
        Ok(Self::of(region, unit(), capacity))
    }

    const fn of(region: Region, header: usize, capacity: usize) -> Self {
        Self {
            mapping: ManuallyDrop::new(SharedMapping::from_region(region, ReadWrite)),
            header,
            capacity,
            alone: None,
        }
    }

    /// Returns whether this process may access it.
    #[inline]
    pub fn is_here(&self) -> bool {
        match &self.alone {
            Some(alone) => alone.is_here(),
            None => true,
        }
    }

    /// Returns how many bytes the header has, [`unit`].
    #[inline]
    pub const fn header(&self) -> usize {
        self.header
    }

    #[inline]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the mapping: the header, the bytes, and the bytes again.
    #[inline]
    pub fn mapping(&self) -> &SharedMapping<ReadWrite> {
        &self.mapping
    }

    /// Returns the number at `offset` in the header, a multiple of a word's size. It must only be
    /// accessed if [`is_here`](Self::is_here) returns true.
    #[inline]
    pub fn number(&self, offset: usize) -> &AtomicUsize {
        // (No system has smaller pages, and the header is at least one.)
        assert!(offset < 4096 && offset % size_of::<usize>() == 0);
        let start = self.mapping.region().start().as_ptr();
        let address = start.wrapping_add(offset).cast();
        // SAFETY: the word lies in the mapping's first page, is aligned, and can be read and written
        // as long as `self` lives, in the process that owns it; this process only accesses it
        // atomically. [atomic, inside, child]
        unsafe { AtomicUsize::from_ptr(address) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.alone.as_ref().is_none_or(Alone::release) {
            // SAFETY: this is the only place that drops it. [once]
            unsafe { ManuallyDrop::drop(&mut self.mapping) };
        }
    }
}

/// Maps header and bytes, and maps the bytes a second time right after that.
///
/// # Errors
/// `EEXIST` with [`Reason::Occupied`] if another thread has taken the place in the meantime.
fn map_twice(object: &SharedMemory, capacity: usize) -> Result<Region> {
    let header = unit();
    let whole = header + 2 * capacity;
    // Finds room for everything and releases it again: nothing is ever mapped over something else.
    let room = MapOptions::new()
        .len(whole)
        .alignment(unit())
        .no_reserve(true)
        .map_anonymous(NoAccess)?;
    let address = room.as_ptr().addr();
    room.unmap()?;

    let len = (header + capacity) as u64;
    let facts = Facts {
        kind: FileKind::Regular,
        len,
        end: Some(len),
        huge_page: None,
        is_on_disk: false,
    };
    let first = MapOptions::new()
        .in_room(address)
        .len(header + capacity)
        .map_known(object.as_fd(), &facts, ReadWrite, sys::MAP_SHARED)?;
    let second = MapOptions::new()
        .in_room(address + header + capacity)
        .len(capacity)
        .offset(header as u64)
        .map_known(object.as_fd(), &facts, ReadWrite, sys::MAP_SHARED)?;

    let first = ManuallyDrop::new(first.into_region());
    let second = ManuallyDrop::new(second.into_region());
    // SAFETY: both were mapped just now, one right behind the other, and neither is dropped.
    // [new, once]
    Ok(unsafe { first.with(&second, whole) })
}
