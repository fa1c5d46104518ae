//! Machine code that was written as data, made fit to run.

use core::ops::{Range, RangeBounds};

use crate::arch::{INSTRUCTION_CACHE, InstructionCache};
use crate::call::Errno;
use crate::error::{Arguments, Call, Error, Result};
use crate::mapping::Mapping;
use crate::os;
use crate::page::{check_range, page_size};
use crate::protection::{Executable, Protection};
use crate::region::Region;
use crate::residency::Residency;
use crate::shared::SharedMapping;

impl Region {
    /// Makes code coherent that may have been written before the protection changed from `old` to
    /// `new`.
    ///
    /// # Safety
    /// `new` is the protection of every page.
    pub unsafe fn after_protect(&self, old: Protection, new: Protection) {
        let was_code = old.contains(Protection::EXECUTE) && !old.contains(Protection::WRITE);
        if was_code || !new.contains(Protection::EXECUTE | Protection::READ) {
            return;
        }
        // Where it cannot be done, `sync_instruction_cache` says so: whoever runs the code asks.
        // SAFETY: the pages are the region's own, and can be read.
        let _asked_later = unsafe { self.sync_instruction_cache(&(0..self.len())) };
    }

    /// # Safety
    /// `range` lies in the region, and can be read.
    unsafe fn sync_instruction_cache(
        &self,
        range: &Range<usize>,
    ) -> core::result::Result<(), Errno> {
        let pages = self.pages_of(range);
        let sync = |first, len| {
            let start = pages.start.as_ptr().wrapping_add(first);
            // SAFETY: as the caller vouches: these are of its pages.
            unsafe { os::sync_instruction_cache(start, len) }
        };
        match INSTRUCTION_CACHE {
            InstructionCache::Coherent => Ok(()),
            // To do it brings a page in, or dies where its file has none. One that is not in memory
            // was not written, or will be made coherent by the kernel when it comes back.
            InstructionCache::Instructions(_) => {
                let page = page_size();
                let mut first = 0;
                let mut end = 0;
                for resident in Residency::new(self, range) {
                    end += match resident {
                        Ok(true) => page,
                        Ok(false) => {
                            sync(first, end - first)?;
                            first = end + page;
                            end = first;
                            continue;
                        }
                        // The system does not tell: all that is left.
                        Err(_) => pages.len - end,
                    };
                }
                sync(first, end - first)
            }
            InstructionCache::Kernel(_) | InstructionCache::Unknown if pages.len == 0 => Ok(()),
            InstructionCache::Kernel(_) | InstructionCache::Unknown => sync(0, pages.len),
        }
    }
}

/// Gives a guard the method that makes code coherent.
macro_rules! sync_instruction_cache {
    ($guard:ident) => {
        /// Machine code.
        impl<A: Executable> $guard<A> {
            /// Makes the bytes of `range`, in bytes from the start of the mapping, fit to be executed
            /// after they were written.
            ///
            /// A processor fetches instructions through a cache of its own, which on most
            /// architectures does not see what is stored. [`protect`](Self::protect) calls this where
            /// it makes code out of memory that could be written; it is for what is written to code:
            /// through a mapping that is writable and executable at once, or another mapping of the
            /// same memory. A thread that has executed what was at these addresses before must pass a
            /// synchronising event, as a system call is, before it executes them again.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping; `ENOSYS` where this crate does
            /// not know how: on arm of other systems than Linux, FreeBSD, NetBSD and Apple's; on
            /// RISC-V of others than Linux (4.15) and OpenBSD; on AIX; on Hexagon.
            ///
            /// # Platform
            /// x86 and s390x need nothing. arm64, PowerPC, SPARC and LoongArch have instructions for
            /// it; on arm, RISC-V, MIPS, m68k and C-SKY the kernel is asked. On Apple's systems it is
            /// `sys_icache_invalidate`.
            ///
            /// A page whose memory is gone, as after its file was truncated, is left alone. If it goes
            /// in that very moment, that is a SIGBUS on arm64, PowerPC, SPARC and Apple's systems; on
            /// arm64 with [`install_fault_handler`](crate::install_fault_handler), which is there on
            /// Linux and Android, such a page is left alone too. The same holds of
            /// [`protect`](Self::protect).
            ///
            /// ```
            /// use unix_memory::{Mapping, ReadExecute};
            ///
            /// let mut code = Mapping::anonymous(100)?;
            /// code.fill(0); // instructions, as a rule
            /// match code.protect(ReadExecute) {
            ///     Ok(code) => code.sync_instruction_cache(..)?, // again: `protect` did it
            ///     Err(refused) => println!("{refused}"), // some systems forbid it
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "cacheflush")]
            #[doc(alias = "__clear_cache")]
            #[doc(alias = "sys_icache_invalidate")]
            pub fn sync_instruction_cache(&self, range: impl RangeBounds<usize>) -> Result<()> {
                let region = self.region();
                let range = check_range(Call::SyncInstructionCache, &range, region.len())?;
                // SAFETY: the range was checked, and `A` says that it can be read.
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
