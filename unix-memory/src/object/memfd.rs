//! Files in memory: `memfd_create`.

use core::ffi::{CStr, c_uint};

use unix_memory_sys as sys;

use super::shared_memory::SharedMemory;
use crate::error::{Arguments, Call, Errno, Error, Name, Reason, Result};
use crate::os;

/// How to make a memfd, a file in memory without a name in any directory.
///
/// For memory that needs neither seals nor huge pages, [`SharedMemory::unnamed`] is enough. Source:
/// memfd_create(2).
///
/// # Platform
/// Linux, Android, FreeBSD (from 13.0).
///
/// ```
/// use unix_memory::{MemfdOptions, ReadWrite};
///
/// let memory = MemfdOptions::new().name(c"frames").sealing(true).create(100)?;
/// memory.map(ReadWrite)?.write_at(0, b"frame")?;
/// let sealed = memory.seal()?;
/// assert_eq!(&sealed[..5], b"frame");
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "memfd_create")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "options make nothing by themselves"]
#[doc(alias = "MFdFlags")]
#[doc(alias = "MemFdCreateFlag")]
#[doc(alias = "MFD_CLOEXEC")]
pub struct MemfdOptions<'a> {
    name: &'a CStr,
    sealing: bool,
    /// Flags that only some systems have.
    pub(super) flags: c_uint,
    /// The length is a multiple of this many bytes: the size of a huge page, or one.
    pub(super) unit: usize,
}

impl Default for MemfdOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> MemfdOptions<'a> {
    /// No seals, no executing, no huge pages; the name is `unix-memory`.
    pub const fn new() -> Self {
        Self {
            name: c"unix-memory",
            sealing: false,
            flags: os::MEMFD_DEFAULT,
            unit: 1,
        }
    }

    /// A name for people to read: it appears in /proc/self/fd and /proc/self/maps, and is not used for
    /// anything else. Several files may have the same name.
    pub const fn name(mut self, name: &'a CStr) -> Self {
        self.name = name;
        self
    }

    /// Allow seals to be added, with [`SharedMemory::seal`] or [`SharedMemory::add_seals`]. Others who
    /// are given the memory may add seals too, and could thereby keep this process from writing.
    #[doc(alias = "MFD_ALLOW_SEALING")]
    pub const fn sealing(mut self, yes: bool) -> Self {
        self.sealing = yes;
        self
    }

    /// Why the kernel made none.
    #[cold]
    const fn why(&self, errno: Errno) -> Reason {
        /// The longest name: `NAME_MAX` without what the kernel puts before it.
        const LONGEST: usize = 249;
        match errno {
            libc::ENODEV | libc::EINVAL if self.unit > 1 && self.name.count_bytes() <= LONGEST => {
                Reason::HugePageSize(self.unit)
            }
            _ => Reason::Kernel,
        }
    }

    /// Makes the memory, `len` bytes long and zeroed. With huge pages, `len` is rounded up to whole
    /// ones.
    ///
    /// # Errors
    /// * `EINVAL`: the name is too long (more than 249 bytes on Linux).
    /// * `ENODEV` or `EINVAL`: the system has no huge pages, or none of that size
    ///   ([`Reason::HugePageSize`]).
    /// * `EACCES`: the file should be executable, and `vm.memfd_noexec` forbids that.
    /// * `EPERM` of [`Call::AddSeals`]: anybody could add seals, and a filter of system calls keeps
    ///   this process from adding the seal that forbids it.
    /// * `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSYS` as for [`SharedMemory::unnamed`].
    ///
    /// If there are too few huge pages, it is mapping the memory that fails.
    pub fn create(self, len: u64) -> Result<SharedMemory> {
        let arguments = Arguments::Name(Name::new(self.name.to_bytes()));
        let mut flags = self.flags | sys::MFD_CLOEXEC;
        if self.sealing {
            flags |= sys::MFD_ALLOW_SEALING;
        }
        let fd = os::memfd_create(self.name, flags)
            .map_err(|errno| Error::new(Call::MemfdCreate, errno, arguments, self.why(errno)))?;
        let memory = SharedMemory::from(fd);
        if !self.sealing {
            // Some flags allow seals even if they were not requested.
            match memory.add_raw_seals(sys::F_SEAL_SEAL) {
                // None can be added.
                Err(error) if error.reason() == Reason::SealingOff => {}
                sealed => sealed?,
            }
        }
        // What overflows is too long in any case.
        let whole = len.checked_next_multiple_of(self.unit as u64);
        memory.set_first_len(whole.unwrap_or(u64::MAX))?;
        Ok(memory)
    }
}
