//! Memory that the kernel may take back: `MAP_DROPPABLE`.

use unix_memory_sys as sys;

use crate::error::Result;
use crate::map::options::MapOptions;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// On Linux and Android: memory that the kernel may reclaim.
impl MapOptions {
    /// Maps new zeroed memory, private to this process, whose pages the kernel reclaims when memory
    /// is short. At any moment, they may then read as zeros. Use it for caches whose content can be
    /// made again.
    ///
    /// It never goes to swap or into core dumps, a child of `fork` finds zeros, and a lock has no
    /// effect on it. Because its bytes change by themselves,
    /// [`assume_unshared`](SharedMapping::assume_unshared) must never vouch for it.
    ///
    /// Source: `<linux/mman.h>`, `MAP_DROPPABLE`, since Linux 6.11.
    ///
    /// # Errors
    /// Those of [`map_anonymous`](Self::map_anonymous); `EINVAL` from a kernel that has no such
    /// memory, and for huge pages; `EOPNOTSUPP` if addresses have 32 bits.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// match MapOptions::new().len(1 << 20).map_droppable(ReadWrite) {
    ///     Ok(cache) => cache.write_at(0, b"until memory is short")?,
    ///     Err(error) => println!("no such memory: {error}"),
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "MAP_DROPPABLE")]
    pub fn map_droppable<A: Access>(&self, access: A) -> Result<SharedMapping<A>> {
        self.map_no_file(access.protection(), sys::MAP_DROPPABLE)
            .map(|region| SharedMapping::from_region(region, access))
    }
}
