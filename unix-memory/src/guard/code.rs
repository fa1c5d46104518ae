//! Making machine code that was written as data fit to run.

use core::ops::RangeBounds;

use crate::error::{Arguments, Call, Error, Result};
use crate::mapping::Mapping;
use crate::page::check_range;
use crate::protection::Executable;
use crate::shared::SharedMapping;

/// Gives a guard the method that makes code coherent.
macro_rules! sync_instruction_cache {
    ($guard:ident) => {
        /// Machine code.
        impl<A: Executable> $guard<A> {
            /// Makes the bytes of `range`, in bytes from the start of the mapping, fit to be
            /// executed after they were written.
            ///
            /// A processor fetches instructions through a separate cache, which on most architectures
            /// does not see stores. [`protect`](Self::protect) calls this when it makes writable
            /// memory executable. Call it yourself after writing to code: through a mapping that is
            /// writable and executable at once, or through another mapping of the same memory. A
            /// thread that has executed earlier code at these addresses must pass a synchronising
            /// event, such as a system call, before it executes the new code.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping; `ENOSYS` if this crate does not
            /// know how: on arm except with Linux, FreeBSD, NetBSD and Apple's systems; on RISC-V
            /// except with Linux (4.15) and OpenBSD; on AIX; on Hexagon.
            ///
            /// # Platform
            /// x86 and s390x need nothing. arm64, PowerPC, SPARC and LoongArch have instructions for
            /// it; on arm, RISC-V, MIPS, m68k and C-SKY, the kernel does it. On Apple's systems, it
            /// is `sys_icache_invalidate`.
            ///
            /// A page whose memory is gone, for example because its file was truncated, is left
            /// alone. If its memory goes at that very moment, this raises SIGBUS on arm64, PowerPC,
            /// SPARC and Apple's systems; but on arm64 with
            /// [`install_fault_handler`](crate::install_fault_handler), which Linux and Android have,
            /// such a page is left alone too. The same holds for [`protect`](Self::protect).
            ///
            /// ```
            /// use unix_memory::{Mapping, ReadExecute};
            ///
            /// let mut code = Mapping::anonymous(100)?;
            /// code.fill(0); // normally: write instructions
            /// match code.protect(ReadExecute) {
            ///     Ok(code) => code.sync_instruction_cache(..)?, // again: `protect` did it
            ///     Err(refused) => println!("{refused}"), // some systems forbid it
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "cacheflush")]
            #[doc(alias = "__clear_cache")]
            #[doc(alias = "sys_icache_invalidate")]
            #[doc(alias = "flush_icache")]
            pub fn sync_instruction_cache(&self, range: impl RangeBounds<usize>) -> Result<()> {
                let region = self.region();
                let range = check_range(Call::SyncInstructionCache, &range, region.len())?;
                // SAFETY: the range was checked, and `A` says that it can be read. [inside, access]
                unsafe { region.sync_instruction_cache(&range) }.map_err(|errno| {
                    let arguments = Arguments::range(&range);
                    Error::kernel(Call::SyncInstructionCache, errno, arguments)
                })
            }
        }
    };
}

sync_instruction_cache!(Mapping);
sync_instruction_cache!(SharedMapping);
