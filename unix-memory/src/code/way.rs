//! The ways to have code that is never writable and executable at the same time.

/// How memory for code is written, and how it is executed. [The module](super) compares the ways.
/// (`unix_memory::Way` is a different type: how the bytes of a file were obtained.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// One private mapping, whose protection changes.
    ///
    /// # Platform
    /// All systems except those that enforce no protections ([`Protection::is_enforced`]).
    ///
    /// [`Protection::is_enforced`]: crate::Protection::is_enforced
    #[doc(alias = "mprotect")]
    Flip,
    /// Two mappings of one object of shared memory: one can be written, the other executed.
    ///
    /// The object has no name and, once it is mapped, no descriptor. The writable mapping stays as
    /// long as the memory does, even in [`Code`](super::Code); no method returns its address.
    ///
    /// # Platform
    /// Requires the feature `std`, and a system that enforces protections. The object is the one that
    /// [`SharedMemory::unnamed`](crate::SharedMemory) makes. On Linux, Android and FreeBSD that is a
    /// memfd, and its length is sealed as well. `vm.memfd_noexec` prevents a memfd from being run as
    /// a program, but not from being mapped executable. SELinux requires the permission `execute` on
    /// the object.
    #[doc(alias = "double mapping")]
    #[doc(alias = "memfd_create")]
    #[doc(alias = "shm_open")]
    DualMapping,
    /// One private mapping, which the processor lets one thread write while others execute it.
    ///
    /// # Platform
    /// Apple's systems: memory mapped with `MAP_JIT` and, with macOS on Apple silicon,
    /// pthread_jit_write_protect_np(3). Intel's processors cannot do this: there, the memory is
    /// writable and executable at once. Systems other than macOS allow a process one such mapping.
    ///
    /// A program with the entitlement com.apple.security.cs.jit-write-allowlist may not call that
    /// function, and must use another way. Source: Apple, "Porting just-in-time compilers to Apple
    /// silicon".
    #[doc(alias = "MAP_JIT")]
    #[doc(alias = "pthread_jit_write_protect_np")]
    Jit,
}
