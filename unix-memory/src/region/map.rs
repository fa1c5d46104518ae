//! Making regions: THE checks of the arguments of `mmap`.

use core::ffi::c_int;

use unix_memory_sys as sys;

use super::Region;
use super::ledger::Known;
use super::limit::why_refused;
use super::place::{Pending, Place, Placed};
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os;
use crate::os::call::Wanted;
use crate::page::{max_len, page_size, round_up};
use crate::protection::Protection;

/// The offset of a file's last byte is below this.
pub const MAX_OFFSET: u64 = sys::off_t::MAX.unsigned_abs();

/// The process's limit on the length of files, in bytes, if `len` is beyond it: a signal ends a
/// process that tries to go there.
pub fn beyond_limit(len: u64) -> Option<u64> {
    os::file_size_limit().filter(|&limit| len > limit)
}

/// What to map: the arguments of `mmap` before they are checked.
pub struct Request {
    pub place: Place,
    /// The address of the first page, or of the one after `lead` bytes, is a multiple of this many
    /// bytes, a power of two.
    pub alignment: usize,
    /// A multiple of the page size; zero for a file.
    pub lead: usize,
    pub len: usize,
    /// The size of the pages that the kernel uses for it; `len` is a multiple of it.
    pub page_size: usize,
    pub protection: Protection,
    /// Never with `MAP_FIXED`.
    pub flags: c_int,
    pub fd: c_int,
    /// In bytes; of any alignment.
    pub offset: u64,
}

/// Whether `mmap` makes such memory when it is given `flags`.
pub const fn makes_private_anonymous(flags: c_int) -> bool {
    // MAP_PRIVATE is zero on the Hurd.
    let asked = flags & (sys::MAP_PRIVATE | sys::MAP_SHARED | sys::MAP_ANONYMOUS);
    asked == sys::MAP_PRIVATE | sys::MAP_ANONYMOUS
}

impl Region {
    /// Maps what `request` asks for.
    pub fn map(request: &Request, arguments: Arguments) -> Result<Self> {
        Self::map_by(request, arguments, |pending| {
            let unit = request.alignment.max(request.page_size);
            pending.map(request.place, unit, request.page_size)
        })
    }

    /// Maps what `request` asks for, which is neither a place nor an alignment.
    pub fn map_anywhere(request: &Request, arguments: Arguments) -> Result<Self> {
        Self::map_by(request, arguments, Pending::map_anywhere)
    }

    /// Maps what `request` asks for, where `place` puts it.
    fn map_by(
        request: &Request,
        arguments: Arguments,
        place: impl FnOnce(&Pending) -> Placed,
    ) -> Result<Self> {
        let refuse = |errno, reason| Err(Error::new(Call::Mmap, errno, arguments, reason));
        let &Request {
            lead,
            len,
            page_size: natural,
            protection,
            flags,
            fd,
            offset,
            ..
        } = request;

        // `mmap` requires an offset at a page boundary: the bytes before it in its page are mapped
        // too, and left out of the region.
        #[allow(clippy::cast_possible_truncation, reason = "less than a page")]
        let before = (offset & (page_size() as u64 - 1)) as usize;
        if len > max_len() - before {
            return refuse(libc::ENOMEM, Reason::LengthLimit(max_len()));
        }
        if offset > MAX_OFFSET || len as u64 > MAX_OFFSET - offset {
            return refuse(libc::EOVERFLOW, Reason::OffsetLimit(MAX_OFFSET));
        }
        if !os::ENFORCES_PROTECTION && protection.is_empty() {
            return refuse(libc::ENOSYS, Reason::NotEnforced);
        }
        let mut flags = flags;
        if !os::WRITES_FILES && fd != -1 && flags & sys::MAP_SHARED != 0 {
            if protection.contains(Protection::WRITE) {
                return refuse(libc::ENOTSUP, Reason::NotWrittenBack);
            }
            // Nothing is shared, so that nothing is written back if it becomes writable.
            flags = flags & !sys::MAP_SHARED | sys::MAP_PRIVATE;
        }
        if len == 0 {
            return Ok(Self::empty(
                makes_private_anonymous(flags),
                Known::default(),
            ));
        }
        #[allow(clippy::cast_possible_wrap, reason = "at most MAX_OFFSET")]
        let file_offset = (offset - before as u64) as sys::off_t;
        let asked = if makes_private_anonymous(flags) {
            // Whole pages: a C library that stands in for the kernel, such as Emscripten's, has
            // memory of its own after the requested bytes.
            round_up(len)
        } else {
            // No more than the file has, because such a library would write the rest back.
            before + len
        };
        let pending = Pending {
            len: asked,
            protection: protection.bits() | os::MAY_BECOME,
            flags,
            fd,
            offset: file_offset,
            lead,
        };
        match place(&pending) {
            Ok(base) => {
                // SAFETY: `before` is less than a page, and the mapping has at least one more byte.
                // [inside]
                let start = unsafe { base.add(before) };
                let anonymous = makes_private_anonymous(flags) && natural == page_size();
                // SAFETY: the pages were mapped just now, and are of that kind. [new]
                Ok(unsafe { Self::from_raw(start, len, anonymous) })
            }
            Err((errno, reason)) => Err(refused(request, asked, arguments, errno, reason)),
        }
    }
}

/// Why the kernel did not map `len` bytes, as far as that can be found out.
#[cold]
fn refused(
    request: &Request,
    len: usize,
    arguments: Arguments,
    errno: Errno,
    reason: Reason,
) -> Error {
    let arguments = match (request.place, arguments) {
        (Place::At(address), Arguments::Length(len) | Arguments::File { len: Some(len), .. }) => {
            Arguments::Memory { address, len }
        }
        _ => arguments,
    };
    let reason = match reason {
        Reason::Kernel if errno != libc::ENOMEM || request.page_size == page_size() => {
            let is_private = request.flags & sys::MAP_SHARED == 0;
            let is_set_aside = os::MAP_NORESERVE == 0 || request.flags & os::MAP_NORESERVE == 0;
            let wanted = Wanted {
                bytes: round_up(len),
                is_mapped: true,
                is_data: is_private
                    && is_set_aside
                    && request.protection.contains(Protection::WRITE),
            };
            match why_refused(errno, &wanted) {
                // To be aligned, it needs room for both.
                Reason::Kernel if request.alignment > page_size() => {
                    let room = Wanted {
                        bytes: wanted.bytes.saturating_add(request.alignment),
                        is_data: false,
                        ..wanted
                    };
                    why_refused(errno, &room)
                }
                reason => reason,
            }
        }
        reason => reason,
    };
    let both = Protection::WRITE | Protection::EXECUTE;
    let is_at = matches!(request.place, Place::At(_));
    let is_denied = errno == libc::EACCES && request.protection.contains(both);
    let is_address = [libc::ENOMEM, libc::EPERM, libc::EINVAL].contains(&errno);
    let reason = match reason {
        Reason::Kernel if is_at && is_address && request.fd == -1 => Reason::NoAddress,
        Reason::Kernel if is_denied && request.fd == -1 => Reason::ExecuteDenied,
        reason => reason,
    };
    Error::new(Call::Mmap, errno, arguments, reason)
}
