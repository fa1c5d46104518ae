//! Which mappings contain foreign pages.

use core::ops::Range;

use super::pages::ForeignPages;
use crate::error::{Call, Error, Reason, Result};
use crate::process_map::map::ProcessMap;
use crate::protection::Protection;
use crate::region::limit::why_not_split;

impl ForeignPages {
    /// For each mapping, calls `f` with the addresses of the pages in it and their protection,
    /// until `f` returns false; returns what `f` returned last. `call` is the call that errors
    /// name.
    ///
    /// # Errors
    /// `ENOMEM` if a page is not mapped ([`Reason::NotMapped`]); the errors of
    /// [`ProcessMap::of_self`].
    pub(super) fn each_mapping(
        self,
        call: Call,
        mut f: impl FnMut(Range<usize>, Protection) -> bool,
    ) -> Result<bool> {
        let Range { mut start, end } = self.pages.addresses();
        if start == end {
            return Ok(true);
        }
        let mut map = ProcessMap::of_self()?;
        let mut regions = map.regions_from(start as u64);
        while start < end {
            let region = regions.next_into(&mut [])?;
            let region = region.filter(|region| region.addresses.start <= start as u64);
            let Some(region) = region else {
                return Err(self.not_mapped(call));
            };
            let region_end = usize::try_from(region.addresses.end).unwrap_or(usize::MAX);
            let part = start..region_end.min(end);
            start = part.end;
            if !f(part, region.protection) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns `error`, of a call on these pages, with the reason if a page is not mapped.
    #[cold]
    pub(super) fn explain(self, error: Error) -> Error {
        if error.errno() != libc::ENOMEM || error.reason() != Reason::Kernel {
            return error;
        }
        match self.each_mapping(error.call(), |_, _| true) {
            Err(hole) if hole.reason() == Reason::NotMapped => hole,
            _ => error.because(why_not_split(libc::ENOMEM)),
        }
    }

    pub(super) fn not_mapped(self, call: Call) -> Error {
        Error::new(call, libc::ENOMEM, self.arguments(), Reason::NotMapped)
    }
}
