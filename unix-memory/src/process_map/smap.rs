//! One entry of `/proc/PID/smaps`, and how it is read: Linux and Android.

use core::ops::Range;
use std::vec::Vec;

use crate::error::Errno;
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

/// Reads the text, from any source.
pub struct Reader<S> {
    source: S,
    text: Text,
    /// The end of the last mapping.
    passed: u64,
    ended: bool,
}

impl<S: Source> Reader<S> {
    pub const fn new(source: S) -> Self {
        Self {
            source,
            text: Text::new(),
            passed: 0,
            ended: false,
        }
    }

    /// Returns whether [`next`](Self::next) returns nothing any more.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    pub const fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// Reads the next mapping; `None` at the end of the text, and after an error.
    ///
    /// # Errors
    /// `EBADMSG` for malformed text; and the errors of the source.
    pub fn next(&mut self) -> Result<Option<Smap>, Errno> {
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

    fn read(&mut self) -> Result<Option<Smap>, Errno> {
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
