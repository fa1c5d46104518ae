//! Memory for machine code made at run time, on Apple's systems: `MAP_JIT`.

use unix_memory_sys as sys;

use crate::map::options::MapOptions;

/// With Apple's systems: machine code made at run time.
impl MapOptions {
    /// The memory is for machine code made at run time: what a hardened program must ask for to
    /// have it writable and executable. For private anonymous memory, with
    /// [`ReadWriteExecute`](crate::ReadWriteExecute).
    ///
    /// Source: `<sys/mman.h>` and pthread_jit_write_protect_np(3).
    ///
    /// # Errors
    /// Mapping fails with `EPERM` or `EINVAL` for a hardened program without the entitlement
    /// com.apple.security.cs.allow-jit.
    ///
    /// # Safety
    /// On Apple silicon such memory is either writable or executable, for each thread by itself: a
    /// thread must call `pthread_jit_write_protect_np(0)` before it writes to the mapping, and
    /// `pthread_jit_write_protect_np(1)` before it runs what is there. Writing
    /// [`code`](crate::code) by [`Way::Jit`](crate::code::Way::Jit) leaves the thread as the latter
    /// does.
    #[doc(alias = "MAP_JIT")]
    pub const unsafe fn jit(self) -> Self {
        self.flag(sys::MAP_JIT, true)
    }
}
