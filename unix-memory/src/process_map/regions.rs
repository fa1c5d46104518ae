//! All mappings of a process, in order.

use core::fmt;
#[cfg(feature = "std")]
use core::iter::FusedIterator;
#[cfg(feature = "std")]
use std::vec::Vec;

use crate::error::Result;
use crate::process_map::map::ProcessMap;
use crate::process_map::region::{Name, Region};

/// The mappings of a process, from the lowest address to the highest: the result of
/// [`ProcessMap::regions`] and [`ProcessMap::regions_from`].
///
/// With the feature `std` it is an iterator, which allocates the names;
/// [`next_into`](Self::next_into) allocates nothing.
///
/// Mappings may come and go meanwhile. Even then, addresses never go backward, no two items overlap,
/// and every mapping that exists throughout is among the items. If a mapping has grown downward
/// since the previous item was returned, or was merged with that item's mapping, only the part above
/// that item is returned. After an error, the iterator ends.
///
/// In the calling process, the allocator may map memory for the names, which may or may not be among
/// the items.
#[must_use = "iterators are lazy"]
#[doc(alias = "QueryIter")]
#[doc(alias = "MemoryAreas")]
pub struct Regions<'m> {
    map: &'m mut ProcessMap,
    /// The address at which the search continues; `None` at the end.
    next: Option<u64>,
    /// The end of the last item; zero before the first.
    passed: u64,
}

impl ProcessMap {
    /// Iterates over all mappings, from the lowest address on.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// if let Ok(mut map) = ProcessMap::of_self() {
    ///     for region in map.regions() {
    ///         let region = region?;
    ///         let name = region.name().escape_ascii();
    ///         println!("{:#x?} {:?} {name}", region.addresses, region.protection);
    ///     }
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn regions(&mut self) -> Regions<'_> {
        Regions::new(self, 0)
    }

    /// Iterates over the mapping that holds `address`, if there is one, and all above it.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// // The lowest 4 GiB of the address space.
    /// const END: u64 = 1 << 32;
    /// if let Ok(mut map) = ProcessMap::of_self() {
    ///     println!("{} mappings above 4 GiB", map.regions_from(END).count());
    /// }
    /// ```
    pub fn regions_from(&mut self, address: u64) -> Regions<'_> {
        Regions::new(self, address)
    }
}

impl<'m> Regions<'m> {
    const fn new(map: &'m mut ProcessMap, from: u64) -> Self {
        Self {
            map,
            next: Some(from),
            passed: 0,
        }
    }

    /// Returns the next mapping, with its name in `name`, or as much of it as fits; `None` at the
    /// end.
    ///
    /// # Errors
    /// Those of [`ProcessMap::containing_into`]. After one, this returns `None`.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// if let Ok(mut map) = ProcessMap::of_self() {
    ///     let (mut regions, mut bytes) = (map.regions(), 0);
    ///     while let Some(region) = regions.next_into(&mut [])? {
    ///         bytes += region.len();
    ///     }
    ///     println!("{bytes} bytes of addresses");
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn next_into<'n>(&mut self, name: &'n mut [u8]) -> Result<Option<Region<Name<'n>>>> {
        // After an error, this stays at the end.
        let Some(next) = self.next.take() else {
            return Ok(None);
        };
        let found = self.map.find_into(next, self.passed != 0, name)?;
        Ok(found.map(|region| self.item(region)))
    }

    /// Returns the part of `region` that is new; the region ends after the last item.
    fn item<N>(&mut self, mut region: Region<N>) -> Region<N> {
        if region.addresses.start < self.passed {
            region.cut_before(self.passed);
        }
        self.passed = region.addresses.end;
        self.next = Some(self.passed);
        region
    }
}

#[cfg(feature = "std")]
impl Iterator for Regions<'_> {
    type Item = Result<Region<Vec<u8>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next.take()?;
        let mut name = Vec::new();
        let mut put = |bytes: &[u8]| name.extend_from_slice(bytes);
        match self.map.find(next, self.passed != 0, Some(&mut put)) {
            Ok(found) => found.map(|region| Ok(self.item(region).with_name(name))),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(feature = "std")]
impl FusedIterator for Regions<'_> {}

impl fmt::Debug for Regions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regions")
            .field("map", &self.map)
            .field("next", &self.next)
            .finish()
    }
}
