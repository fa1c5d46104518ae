//! What memfds can do only on Linux and Android.

use core::ffi::c_uint;

use unix_memory_sys as sys;

use super::memfd::MemfdOptions;
use super::seals::Seals;
use crate::map::huge_pages::HugePageSize;

/// The flags that say whether the file can be executed.
const EXEC: c_uint = sys::MFD_NOEXEC_SEAL | sys::MFD_EXEC;

/// On Linux and Android: huge pages, programs.
impl MemfdOptions<'_> {
    /// Put the memory in huge pages of this size, taken from the system's pool
    /// (/proc/sys/vm/nr_hugepages) when it is mapped.
    ///
    /// Length and offsets are multiples of their size. Since Linux 4.14; with seals since 4.16.
    #[doc(alias = "MFD_HUGETLB")]
    pub const fn huge_pages(mut self, size: HugePageSize) -> Self {
        self.flags |= size.memfd_flags();
        self.unit = match size.bytes() {
            0 => 1,
            bytes => bytes,
        };
        self
    }

    /// Let the file be executed as a program. Otherwise, its permissions do not allow that, and a
    /// seal ([`Seals::EXEC`]) keeps them that way; before Linux 6.3 there was no such seal, and every
    /// memfd could be executed. Mapping it executable is always allowed.
    #[doc(alias = "MFD_EXEC")]
    #[doc(alias = "MFD_NOEXEC_SEAL")]
    pub const fn executable(mut self, yes: bool) -> Self {
        self.flags &= !EXEC;
        self.flags |= if yes {
            sys::MFD_EXEC
        } else {
            sys::MFD_NOEXEC_SEAL
        };
        self
    }
}

/// On Linux and Android.
impl Seals {
    /// The content can change only through existing mappings, not by `write` or through new mappings.
    /// Since Linux 5.1.
    #[doc(alias = "F_SEAL_FUTURE_WRITE")]
    pub const FUTURE_WRITE: Self = Self::from_bits_retain(sys::F_SEAL_FUTURE_WRITE);
    /// Whether the file can be executed cannot change. Since Linux 6.3.
    #[doc(alias = "F_SEAL_EXEC")]
    pub const EXEC: Self = Self::from_bits_retain(sys::F_SEAL_EXEC);
}
