//! Memory for machine code made at run time, on Apple's systems: `MAP_JIT`.

use unix_memory_sys as sys;

use crate::map::options::MapOptions;

/// On Apple's systems: machine code made at run time.
impl MapOptions {
    /// Map memory for machine code made at run time. A hardened program must ask for this to make
    /// memory writable and executable. Only for private anonymous memory, with
    /// [`ReadWriteExecute`](crate::ReadWriteExecute).
    ///
    /// Source: `<sys/mman.h>` and pthread_jit_write_protect_np(3).
    ///
    /// # Errors
    /// Mapping fails with `EPERM` or `EINVAL` for a hardened program without the entitlement
    /// com.apple.security.cs.allow-jit.
    ///
    /// # Safety
    /// On Apple silicon, such memory is either writable or executable, separately for each thread:
    /// a thread must call `pthread_jit_write_protect_np(0)` before it writes to the mapping, and
    /// `pthread_jit_write_protect_np(1)` before it executes the code there. Writing
    /// [`code`](crate::code) by [`Way::Jit`](crate::code::Way::Jit) leaves the thread in the state
    /// after the latter.
    #[doc(alias = "MAP_JIT")]
    pub const unsafe fn jit(self) -> Self {
        self.flag(sys::MAP_JIT, true)
    }
}
