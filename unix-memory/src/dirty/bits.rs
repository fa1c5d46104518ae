//! Soft-dirty bits: one for each page of the process, all cleared together. Source: the kernel's
//! Documentation/admin-guide/mm/soft-dirty.rst and pagemap.rst.

use core::ffi::CStr;

use super::descriptor::{Descriptor, open_own};
use crate::error::{Call, Errno, Reason};
use crate::os::call;
use crate::page::page_size;

/// Set in the entry of a page that was written.
pub const SOFT_DIRTY: u64 = 1 << 55;
const SWAPPED: u64 = 1 << 62;
/// Set in the entry of a page that is in memory.
pub const PRESENT: u64 = 1 << 63;

/// Whether the page of `entry` was written: one that is neither in memory nor in swap was thrown away.
pub const fn is_written(entry: u64) -> bool {
    entry & SOFT_DIRTY != 0 || entry & (PRESENT | SWAPPED) == 0
}

/// What failed, and why.
pub type Refused = (Call, Errno, Reason);

/// The bits: the kernel's, or those of a test.
pub trait Bits {
    /// Reads the entries of the pages from `address` on, as many as there is room for.
    fn read(&self, address: usize, entries: &mut [u64]) -> Result<(), Refused>;

    /// Clears the bits of all pages, if the process still has the thread that it began with. If not, this
    /// does nothing, but may report success.
    fn clear(&self) -> Result<(), Refused>;

    /// Clears the bits of all pages, whichever threads the process still has.
    fn clear_by_thread(&self) -> Result<(), Refused>;
}

/// The kernel's files.
#[derive(Debug)]
pub struct Files {
    pagemap: Descriptor,
    clear_refs: Descriptor,
}

impl Files {
    /// Opens them.
    ///
    /// # Errors
    /// `ENOSYS` if the kernel has no such bits; and the errors of opening a file.
    pub fn open() -> Result<Self, Refused> {
        // Of the calling thread, since the first one of the process may have ended. It concerns the memory
        // of the process, however long that thread runs.
        let pagemap = open_own(c"/proc/thread-self/pagemap", libc::O_RDONLY)
            .map_err(|(errno, reason)| (Call::Pagemap, errno, reason))?;
        let clear_refs = open_clear_refs(c"/proc/self/clear_refs").map_err(|why| match why {
            // A kernel without it.
            (call, libc::ENOENT, _) => (call, libc::ENOSYS, Reason::Unsupported),
            _ => why,
        })?;
        Ok(Self {
            pagemap,
            clear_refs,
        })
    }
}

impl Bits for Files {
    fn read(&self, address: usize, entries: &mut [u64]) -> Result<(), Refused> {
        let refused = |errno| (Call::Pagemap, errno, Reason::Kernel);
        let entry = size_of::<u64>();
        let mut done = 0;
        while done < size_of_val(entries) {
            let place = (address / page_size()) as u64 * entry as u64 + done as u64;
            // (Of 32 bits where addresses are.)
            let place = libc::off_t::try_from(place).map_err(|_| refused(libc::EOVERFLOW))?;
            let rest = size_of_val(entries) - done;
            let to = entries.as_mut_ptr().cast::<u8>().wrapping_add(done);
            // SAFETY: the kernel writes at most so many bytes, which the entries have left.
            // [arguments]
            let read = unsafe { libc::pread(self.pagemap.number(), to.cast(), rest, place) };
            match usize::try_from(read) {
                Ok(0) => return Err(refused(libc::EIO)),
                Ok(read) => done += read,
                Err(_) => match call::errno() {
                    libc::EINTR => {}
                    errno => return Err(refused(errno)),
                },
            }
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), Refused> {
        match write_command(&self.clear_refs) {
            // The thread is gone.
            Ok(()) | Err(libc::ESRCH) => Ok(()),
            Err(errno) => Err((Call::ClearRefs, errno, Reason::Kernel)),
        }
    }

    fn clear_by_thread(&self) -> Result<(), Refused> {
        // Not kept open: the kernel looks the thread up again at each write.
        let clear_refs = open_clear_refs(c"/proc/thread-self/clear_refs")?;
        write_command(&clear_refs).map_err(|errno| (Call::ClearRefs, errno, Reason::Kernel))
    }
}

fn open_clear_refs(path: &CStr) -> Result<Descriptor, Refused> {
    open_own(path, libc::O_WRONLY).map_err(|(errno, reason)| (Call::ClearRefs, errno, reason))
}

/// Writes the number that clears these bits.
fn write_command(clear_refs: &Descriptor) -> Result<(), Errno> {
    let command = b"4";
    loop {
        // SAFETY: the kernel reads so many bytes. [arguments]
        let written =
            unsafe { libc::write(clear_refs.number(), command.as_ptr().cast(), command.len()) };
        match written {
            1 => return Ok(()),
            0 => return Err(libc::EIO),
            _ => match call::errno() {
                libc::EINTR => {}
                errno => return Err(errno),
            },
        }
    }
}
