//! Reading a file into private memory.

use std::io::Read;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;

use crate::advice::Advice;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::map::facts::{errno_of, with_file};
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::os;
use crate::page::page_size;
use crate::protection::{Protection, ReadOnly, ReadWrite};
use crate::region::map::MAX_OFFSET;

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub enum Extent {
    /// At most this many bytes, fewer if the file ends earlier.
    UpTo(usize),
    /// Everything up to the end of the file; an error if that is more than this.
    Whole(usize),
}

/// A file, and the offset of the first byte in it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    fd: BorrowedFd<'a>,
    /// `None` for the current position of the descriptor.
    offset: Option<u64>,
}

impl<'a> Source<'a> {
    /// From an offset on, by `pread`.
    pub const fn at(fd: BorrowedFd<'a>, offset: u64) -> Self {
        let offset = Some(offset);
        Self { fd, offset }
    }

    /// Reads from the current position of the descriptor, by `read`.
    pub const fn stream(fd: BorrowedFd<'a>) -> Self {
        Self { fd, offset: None }
    }

    /// Reads bytes after the first `done` into `buffer`, and returns how many; 0 at the end of the
    /// file.
    pub fn read(self, done: usize, buffer: &mut [u8]) -> Result<usize> {
        let offset = self.offset.unwrap_or(0).saturating_add(done as u64);
        // No file has bytes beyond; where offsets have 32 bits, a larger one would be truncated.
        let room = usize::try_from(MAX_OFFSET.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = buffer.len().min(room);
        let buffer = &mut buffer[..len];
        if len == 0 {
            return Ok(0);
        }
        loop {
            let result = with_file(self.fd, |mut file| match self.offset {
                Some(_) => file.read_at(buffer, offset),
                None => file.read(buffer),
            });
            match result.map_err(|error| errno_of(&error)) {
                Ok(read) => return Ok(read),
                Err(libc::EINTR) => {}
                Err(errno) => {
                    let len = Some(len);
                    let arguments = Arguments::File { offset, len };
                    return Err(Error::new(Call::ReadFile, errno, arguments, why(errno)));
                }
            }
        }
    }

    /// Reads bytes after the first `done` until `buffer` is full, and returns whether it is.
    pub fn fill(self, mut done: usize, mut buffer: &mut [u8]) -> bool {
        while !buffer.is_empty() {
            match self.read(done, buffer) {
                Ok(0) | Err(_) => return false,
                Ok(read) => {
                    done += read;
                    buffer = &mut buffer[read..];
                }
            }
        }
        true
    }
}

const fn why(errno: Errno) -> Reason {
    match errno {
        // The descriptor is open, but not for reading.
        libc::EBADF => Reason::NotReadable,
        libc::EAGAIN => Reason::WouldBlock,
        _ => Reason::Kernel,
    }
}

/// The error of a file that has more than `limit` bytes from `offset` on.
pub const fn too_long(offset: u64, limit: usize) -> Error {
    let arguments = Arguments::File { offset, len: None };
    let reason = Reason::BytesLimit(limit);
    Error::new(Call::ReadFile, libc::EFBIG, arguments, reason)
}

/// The memory grows to at least this many bytes.
const PIECE: usize = 64 << 10;

/// Reads a file that is expected to have `expected` bytes, or 0 if the number is not known. A wrong
/// number only makes it slower. `ends_early` says that a read of fewer bytes than were asked for shows
/// the end of the file, if it ends where that is expected.
pub fn read(
    source: Source<'_>,
    extent: Extent,
    expected: u64,
    ends_early: bool,
) -> Result<Mapping<ReadOnly>> {
    let (limit, enough, most) = match extent {
        Extent::UpTo(len) => (len, len, len),
        // One more byte shows that there are too many. It is asked for with the rest of its page, since
        // some files are not read by single bytes.
        Extent::Whole(limit) => {
            let most = whole_pages(limit).unwrap_or(usize::MAX);
            (limit, limit.saturating_add(1), most)
        }
    };
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    // With room for one more byte, since only a call that does not fill its room shows the end; and in
    // whole pages, which is how files opened with O_DIRECT are read.
    let room = match expected {
        0 => Some(PIECE),
        _ => whole_pages(expected),
    };
    let mut memory = allocate(room.unwrap_or(usize::MAX).min(most), expected)?;
    let mut done = 0;
    while done < enough {
        if done == memory.len() {
            grow(&mut memory, most)?;
        }
        match source.read(done, &mut memory[done..])? {
            0 => break,
            read => done += read,
        }
        if ends_early && done == expected && done < memory.len() {
            break;
        }
    }
    if done > limit {
        return Err(too_long(source.offset.unwrap_or(0), limit));
    }
    finish(memory, done)
}

/// Returns how many bytes the pages have that hold `len` bytes and one more.
fn whole_pages(len: usize) -> Option<usize> {
    len.checked_add(1)?.checked_next_multiple_of(page_size())
}

/// Allocates `len` bytes for a file of `expected` bytes, in huge pages if that pays off.
fn allocate(len: usize, expected: usize) -> Result<Mapping<ReadWrite>> {
    let huge = fill_a_huge_page(expected.min(len));
    let options = MapOptions::new().len(len).transparent_huge_pages(huge);
    options.map_anonymous(ReadWrite)
}

/// Returns whether `len` bytes fill a huge page, which then saves hundreds of page faults.
fn fill_a_huge_page(len: usize) -> bool {
    /// Asking for the size can take system calls. Fewer bytes than this do not fill a huge page on
    /// any known system.
    const LEAST: usize = 1 << 20;

    len >= LEAST && os::transparent_huge_page().is_some_and(|size| len >= size)
}

/// Grows `memory` to twice its length if there is room, up to `most` bytes.
fn grow(memory: &mut Mapping<ReadWrite>, most: usize) -> Result<()> {
    let len = memory.len();
    let doubled = len.saturating_mul(2).max(PIECE).min(most);
    if memory.resize(doubled).is_err() {
        // A smaller growth may be enough.
        memory.resize(len.saturating_add(PIECE).min(most))?;
    }
    if fill_a_huge_page(memory.len()) {
        let _only_a_hint = memory.advise(Advice::HugePage);
    }
    Ok(())
}

/// Returns the first `len` bytes of `memory`, read-only.
fn finish(mut memory: Mapping<ReadWrite>, len: usize) -> Result<Mapping<ReadOnly>> {
    if memory.resize(len).is_err() {
        // The system can only unmap a mapping as a whole, or the kernel's limit of mappings is
        // reached.
        let mut copy = MapOptions::new().len(len).map_anonymous(ReadWrite)?;
        copy.copy_from_slice(&memory[..len]);
        memory = copy;
    }
    if Protection::is_enforced() {
        return Ok(memory.protect(ReadOnly)?);
    }
    // Here only the type prevents writing, as it does for everything that is mapped read-only.
    Ok(Mapping::from_region(memory.into_region(), ReadOnly))
}
