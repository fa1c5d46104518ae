//! Shared memory without a name: one file for each way to make it.

use super::shared_memory::SharedMemory;
use crate::error::Result;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "memfd.rs"]
        mod way;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "anon.rs"]
        mod way;
    } else if #[cfg(target_os = "l4re")] {
        #[path = "file.rs"]
        mod way;
    } else {
        #[path = "unique_name.rs"]
        mod way;
    }
}

impl SharedMemory {
    /// Makes `len` bytes of zeroed memory without a name.
    ///
    /// # Errors
    /// * `EMFILE`, `ENFILE`: too many open files.
    /// * `ENOMEM`, `ENOSPC`: too little memory.
    /// * `EFBIG`, or [`Reason::OffsetLimit`](crate::Reason::OffsetLimit): longer than a file can be.
    /// * `ENOSYS`: the kernel has no such call (Linux before 3.17); `EACCES` or `EPERM`: a security
    ///   policy forbids it.
    ///
    /// # Platform
    /// On Linux and Android this uses `memfd_create`; the memory cannot be sealed nor, since Linux
    /// 6.3, executed (see `MemfdOptions`). FreeBSD has `shm_open` of `SHM_ANON`. Elsewhere, this
    /// calls `shm_open` with an unused name, and removes the name at once; L4Re, which has no such
    /// objects, gets a file in the directory for temporary files.
    #[doc(alias = "memfd_create")]
    #[doc(alias = "shm_open")]
    #[doc(alias = "shm_mkstemp")]
    #[doc(alias = "SHM_ANON")]
    pub fn unnamed(len: u64) -> Result<Self> {
        let memory = way::unnamed()?;
        memory.set_first_len(len)?;
        Ok(memory)
    }
}
