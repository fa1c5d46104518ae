//! How much memory each mapping uses: Linux and Android.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;
use std::vec::Vec;

use crate::error::{Errno, Result};
use crate::os;
use crate::process_map::map::{process_number, refusal};
use crate::process_map::region::Region;
use crate::process_map::text::{KERNELS_OWN, Source, Text};
use crate::process_map::usage::{Usage, key_and_value, kib, number};
use crate::process_map::vm_flags::VmFlags;

/// A mapping, and how much memory it uses: one entry of `/proc/PID/smaps`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Smap {
    /// The mapping.
    pub region: Region<Vec<u8>>,
    /// How much of it is in memory and in swap space.
    pub usage: Usage,
    /// The size in bytes of the pages that the kernel uses for the mapping: larger for explicit huge pages.
    #[doc(alias = "KernelPageSize")]
    pub kernel_page_size: Option<u64>,
    /// The size in bytes of the pages that the processor's memory management unit uses.
    #[doc(alias = "MMUPageSize")]
    pub mmu_page_size: Option<u64>,
    /// Whether the mapping may get transparent huge pages. Since Linux 5.0.
    #[doc(alias = "THPeligible")]
    pub thp_eligible: Option<bool>,
    /// The mapping's protection key, where the processor has such keys.
    #[doc(alias = "ProtectionKey")]
    pub protection_key: Option<u32>,
    /// The kernel's flags for the mapping, if it reports them.
    #[doc(alias = "VmFlags")]
    pub flags: Option<VmFlags>,
}

/// An iterator over the mappings of a process, each with the memory that it uses.
///
/// It is made by [`Smaps::of_self`] and [`Smaps::of`]. The kernel visits every page for these
/// figures, which takes much longer than [`Regions`](super::Regions) does.
///
/// As in `Regions`, addresses never go backward. If a mapping has grown downward since the previous
/// item was returned, the addresses are those of the new part, and the figures those of the whole
/// mapping. After an error the iterator ends.
///
/// ```
/// use unix_memory::process_map::{Smaps, VmFlags};
///
/// match Smaps::of_self() {
///     Ok(smaps) => {
///         for smap in smaps {
///             let smap = smap?;
///             if smap.flags.is_some_and(|flags| flags.contains(VmFlags::LOCKED)) {
///                 println!("{:#x?} is locked: {} bytes", smap.region.addresses, smap.usage.locked);
///             }
///         }
///     }
///     Err(error) => println!("{error}"), // no /proc
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "/proc/self/smaps")]
#[must_use = "iterators are lazy"]
pub struct Smaps {
    reader: Reader<os::ProcessFile>,
    process: Option<u32>,
}

impl Smaps {
    /// Iterates over the mappings of the calling process.
    ///
    /// # Errors
    /// * `ENOENT` where `/proc` is not mounted ([`Reason::NoProc`](crate::Reason::NoProc)).
    /// * `EMFILE`, `ENFILE` where no more descriptors can be opened.
    ///
    /// Each item may also be an error, and is then the last item.
    ///
    /// ```
    /// use unix_memory::process_map::Smaps;
    ///
    /// if let Ok(smaps) = Smaps::of_self() {
    ///     println!("{} mappings", smaps.count());
    /// }
    /// ```
    pub fn of_self() -> Result<Self> {
        Self::open(None)
    }

    /// Iterates over the mappings of the process with this number.
    ///
    /// # Errors
    /// Those of [`ProcessMap::of`](super::ProcessMap::of). Each item may also be an error, and is
    /// then the last item: `ESRCH` if the process has ended meanwhile.
    ///
    /// ```
    /// use unix_memory::process_map::Smaps;
    ///
    /// if let Ok(smaps) = Smaps::of(std::process::id()) {
    ///     println!("{} mappings", smaps.count());
    /// }
    /// ```
    pub fn of(process: u32) -> Result<Self> {
        Self::open(Some(process))
    }

    pub(super) fn open(process: Option<u32>) -> Result<Self> {
        match os::open_of(process_number(process)?, "smaps", true) {
            Ok(file) => Ok(Self {
                reader: Reader::new(file),
                process,
            }),
            Err(errno) => Err(refusal(process, errno)),
        }
    }
}

impl Iterator for Smaps {
    type Item = Result<Smap>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.ended {
            return None;
        }
        let next = self.reader.next().and_then(|next| match next {
            // The text also ends if the memory is gone.
            None if !self.reader.source.has_text()? => Err(libc::ESRCH),
            next => Ok(next),
        });
        let next = next.transpose()?;
        Some(next.map_err(|errno| refusal(self.process, errno)))
    }
}

impl FusedIterator for Smaps {}

impl fmt::Debug for Smaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smaps")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// Reads the text.
pub(super) struct Reader<S> {
    source: S,
    text: Text,
    /// The end of the last mapping.
    passed: u64,
    ended: bool,
}

impl<S: Source> Reader<S> {
    pub(super) const fn new(source: S) -> Self {
        Self {
            source,
            text: Text::new(),
            passed: 0,
            ended: false,
        }
    }

    pub(super) fn next(&mut self) -> core::result::Result<Option<Smap>, Errno> {
        while !self.ended {
            // After an error, this stays at the end.
            self.ended = true;
            let Some(mut smap) = self.read()? else {
                return Ok(None);
            };
            self.ended = false;
            let Range { start, end } = smap.region.addresses;
            if end <= self.passed || KERNELS_OWN.contains(&smap.region.name()) {
                continue;
            }
            if start < self.passed {
                smap.region.cut_before(self.passed);
            }
            self.passed = end;
            return Ok(Some(smap));
        }
        Ok(None)
    }

    fn read(&mut self) -> core::result::Result<Option<Smap>, Errno> {
        let Self { source, text, .. } = self;
        let Some(region) = text.head(source)? else {
            return Ok(None);
        };
        let mut name = Vec::new();
        text.name(source, &mut |piece| name.extend_from_slice(piece))?;
        let mut smap = Smap {
            region: region.with_name(name),
            usage: Usage::default(),
            kernel_page_size: None,
            mmu_page_size: None,
            thp_eligible: None,
            protection_key: None,
            flags: None,
        };
        let mut buffer = [0; 256];
        // Keys begin with capitals; the hexadecimal digits of the next region are lower case.
        while text
            .peek(source)?
            .is_some_and(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            let line = text.line(source, &mut buffer)?.unwrap_or(&[]);
            let Some((key, value)) = key_and_value(line) else {
                continue;
            };
            match key {
                b"KernelPageSize" => smap.kernel_page_size = kib(value),
                b"MMUPageSize" => smap.mmu_page_size = kib(value),
                b"THPeligible" => smap.thp_eligible = number(value).map(|number| number != 0),
                b"ProtectionKey" => {
                    smap.protection_key = number(value).and_then(|number| number.try_into().ok());
                }
                b"VmFlags" => smap.flags = Some(VmFlags::parse(value)),
                _ => smap.usage.set(key, value),
            }
        }
        Ok(Some(smap))
    }
}
