//! Explicit huge pages: `MAP_HUGETLB`.

use core::ffi::{CStr, c_int};
use core::fmt::Write;

use unix_memory_sys as sys;

use super::options::MapOptions;
use crate::os;
use crate::page::page_size;

/// The size of a huge page, as in the `MAP_HUGE_` bits of the flags of `mmap`.
///
/// /sys/kernel/mm/hugepages lists the sizes that a system has, and how many pages of each. Linux and
/// Android only.
///
/// ```
/// use unix_memory::HugePageSize;
///
/// assert_eq!(HugePageSize::from_bytes(2 << 20), Some(HugePageSize::MIB_2));
/// assert_eq!(HugePageSize::from_bytes(3 << 20), None);
/// ```
#[doc(alias = "MAP_HUGE_SHIFT")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HugePageSize {
    log2: c_int,
}

impl HugePageSize {
    /// 64 KiB: arm64, POWER, RISC-V.
    #[doc(alias = "MAP_HUGE_64KB")]
    pub const KIB_64: Self = Self { log2: 16 };
    /// 2 MiB: x86, arm64, RISC-V.
    #[doc(alias = "MAP_HUGE_2MB")]
    pub const MIB_2: Self = Self { log2: 21 };
    /// 16 MiB: POWER.
    #[doc(alias = "MAP_HUGE_16MB")]
    pub const MIB_16: Self = Self { log2: 24 };
    /// 32 MiB: arm64 with pages of 16 KiB.
    #[doc(alias = "MAP_HUGE_32MB")]
    pub const MIB_32: Self = Self { log2: 25 };
    /// 512 MiB: arm64 with pages of 64 KiB.
    #[doc(alias = "MAP_HUGE_512MB")]
    pub const MIB_512: Self = Self { log2: 29 };
    /// 1 GiB: x86, arm64, RISC-V, POWER.
    #[doc(alias = "MAP_HUGE_1GB")]
    pub const GIB_1: Self = Self { log2: 30 };

    /// Huge pages of this many bytes, a power of two that is larger than a page.
    #[must_use]
    pub fn from_bytes(bytes: usize) -> Option<Self> {
        let log2 = c_int::try_from(bytes.checked_ilog2()?).ok()?;
        (bytes.is_power_of_two() && bytes > page_size()).then_some(Self { log2 })
    }

    /// The size that the kernel uses by default: `Hugepagesize` of /proc/meminfo. `None` if that
    /// cannot be read, or the kernel was built without huge pages.
    ///
    /// ```
    /// match unix_memory::HugePageSize::system_default() {
    ///     Some(size) => println!("huge pages of {} bytes", size.bytes()),
    ///     None => println!("no huge pages"),
    /// }
    /// ```
    #[must_use]
    pub fn system_default() -> Option<Self> {
        let kib = os::number_in_file(c"/proc/meminfo", b"Hugepagesize:")?;
        Self::from_bytes(usize::try_from(kib.checked_mul(1024)?).ok()?)
    }

    /// The sizes that the running system has, from the smallest up, whether or not there are pages in
    /// its pools. There are none if /sys is not mounted.
    ///
    /// ```
    /// for size in unix_memory::HugePageSize::available() {
    ///     println!("{} bytes", size.bytes());
    /// }
    /// ```
    #[doc(alias = "PageSizes")]
    #[doc(alias = "page_sizes")]
    pub fn available() -> impl Iterator<Item = Self> {
        (0..usize::BITS)
            .filter_map(|log2| Self::from_bytes(1 << log2))
            .filter(|size| size.pool().is_some())
    }

    /// The size of transparent huge pages, which need no pool (`hpage_pmd_size`): see
    /// [`MapOptions::transparent_huge_pages`]. `None` if the kernel was built without them, or /sys is
    /// not mounted.
    ///
    /// ```
    /// use unix_memory::{HugePageSize, MapOptions, ReadWrite};
    ///
    /// // A length that is a multiple of their size can be entirely in huge pages.
    /// let unit = HugePageSize::transparent().map_or(1, HugePageSize::bytes);
    /// let options = MapOptions::new().len(10_000_000_usize.next_multiple_of(unit));
    /// let mapping = options.transparent_huge_pages(true).map_anonymous(ReadWrite)?;
    /// assert_eq!(mapping.len() % unit, 0);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "hpage_pmd_size")]
    #[must_use]
    pub fn transparent() -> Option<Self> {
        Self::from_bytes(os::transparent_huge_page()?)
    }

    /// How many huge pages of this size the system's pool has, used or not; `None` if the system does
    /// not have this size.
    ///
    /// ```
    /// use unix_memory::HugePageSize;
    ///
    /// match HugePageSize::MIB_2.pool() {
    ///     Some(pages) => println!("{pages} huge pages"),
    ///     None => println!("no huge pages of this size"),
    /// }
    /// ```
    #[doc(alias = "nr_hugepages")]
    #[must_use]
    pub fn pool(self) -> Option<u64> {
        let mut path = Path::default();
        let kib = self.bytes() >> 10;
        // It always fits: a number has at most twenty digits.
        write!(
            path,
            "/sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages\0"
        )
        .ok()?;
        let path = CStr::from_bytes_until_nul(&path.bytes).ok()?;
        os::number_in_file(path, b"")
    }

    /// The size in bytes; zero if it does not fit into a `usize` of this system.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match 1usize.checked_shl(self.log2.unsigned_abs()) {
            Some(bytes) => bytes,
            None => 0,
        }
    }

    /// The flags of `memfd_create` for this size.
    #[cfg(feature = "std")]
    pub(crate) const fn memfd_flags(self) -> core::ffi::c_uint {
        sys::MFD_HUGETLB | self.log2.unsigned_abs() << sys::MFD_HUGE_SHIFT
    }

    /// The flags of `mmap` for this size.
    const fn flags(self) -> c_int {
        // The field has six bits, of which the top one is the sign's; the number is less than 64.
        sys::MAP_HUGETLB | self.log2 << sys::MAP_HUGE_SHIFT
    }
}

/// A path that is assembled without an allocator.
struct Path {
    bytes: [u8; 80],
    len: usize,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            bytes: [0; 80],
            len: 0,
        }
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(core::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// On Linux and Android: explicit huge pages.
impl MapOptions {
    /// Put the memory in huge pages of this size, taken from the system's pool
    /// (/proc/sys/vm/nr_hugepages).
    ///
    /// The length is rounded up to whole huge pages, and [`len`](crate::Mapping::len) of the mapping
    /// returns the result, because the kernel cannot unmap or protect less. Only for memory without a
    /// file; a file on hugetlbfs, or a memfd, has its own page size. For transparent huge pages, which
    /// need no pool, use [`transparent_huge_pages`](Self::transparent_huge_pages).
    ///
    /// The pages are set aside when they are mapped, even with [`no_reserve`](Self::no_reserve), so
    /// using them does not fail. Such a mapping cannot grow, and no part of it can be discarded: a
    /// page that was given back might not be available when it is used again.
    ///
    /// **Children** have no pages set aside for their copies of private memory. If a child of `fork`
    /// finds the pool empty when it writes to such memory, or reads it after its parent has written,
    /// SIGBUS ends the child. To avoid that, the child can call
    /// [`populate_write`](crate::Mapping::populate_write) first: this returns an error instead, and
    /// once it has succeeded, all pages are the child's own. Or share the memory
    /// ([`map_anonymous_shared`](Self::map_anonymous_shared)), which is set aside once for all
    /// processes.
    ///
    /// **Control groups** can limit the huge pages in use (`hugetlb.2MB.max`), and SIGBUS ends a
    /// process over that limit too, unless the group also limits what is set aside
    /// (`hugetlb.2MB.rsvd.max`). Here, too, `populate_write` returns an error instead.
    ///
    /// # Errors
    /// Mapping fails with `ENOMEM` if the pool has too few pages
    /// ([`Reason::HugePagePool`](crate::Reason), which also stands for other limits on memory),
    /// `EINVAL` or `ENODEV` for a size that the system does not have, `EPERM` for a user who may not
    /// use them, and `EINVAL` with [`Reason::NotAnonymous`](crate::Reason) for a file.
    ///
    /// ```
    /// use unix_memory::{HugePageSize, MapOptions, ReadWrite};
    ///
    /// let options = MapOptions::new().len(100).huge_pages(HugePageSize::MIB_2);
    /// match options.map_anonymous(ReadWrite) {
    ///     Ok(mapping) => assert_eq!(mapping.len(), 2 << 20),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    #[doc(alias = "MAP_HUGETLB")]
    #[doc(alias = "huge")]
    #[doc(alias = "map_hugetlb_with_size_log2")]
    #[doc(alias = "hugetlb_with_size_log2")]
    #[doc(alias = "with_page_size")]
    pub const fn huge_pages(self, size: HugePageSize) -> Self {
        self.in_huge_pages(size.bytes(), size.flags())
    }
}
