//! Files in memory that survives a loss of power: `MAP_SYNC`.

use std::os::fd::AsFd;

use unix_memory_sys as sys;

use crate::error::Result;
use crate::map::options::MapOptions;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// On Linux and Android, but not on MIPS: files in persistent memory.
impl MapOptions {
    /// Maps a file in persistent memory (DAX), so that what the processor has written to that memory
    /// survives a crash: the file's own metadata reaches it before a page can be written.
    ///
    /// Uses `MAP_SYNC` with `MAP_SHARED_VALIDATE`, without which kernels ignore flags that they do not
    /// know. Source: mmap(2), since Linux 4.15.
    ///
    /// # Errors
    /// Those of [`map_shared`](Self::map_shared); `EOPNOTSUPP` if the file is not in such memory
    /// ([`Reason::NotPersistent`](crate::Reason::NotPersistent)); `EINVAL` from a kernel that does not have
    /// this flag.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let file = tempfile::tempfile()?;
    /// file.set_len(100)?;
    /// match MapOptions::new().map_shared_sync(&file, ReadWrite) {
    ///     Ok(mapping) => mapping.write_at(0, b"kept")?,
    ///     Err(error) => println!("not in persistent memory: {error}"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "MAP_SYNC")]
    #[doc(alias = "MAP_SHARED_VALIDATE")]
    #[doc(alias = "SHARED_VALIDATE")]
    pub fn map_shared_sync<A: Access>(
        &self,
        file: impl AsFd,
        access: A,
    ) -> Result<SharedMapping<A>> {
        let sharing = sys::MAP_SHARED_VALIDATE | sys::MAP_SYNC;
        self.map_open(file.as_fd(), access, sharing)
    }
}
