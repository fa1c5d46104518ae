//! What this crate asks of a platform beyond the calls that all have: one file each, and the only
//! place that asks which one it is.
//!
//! Each file gives:
//! * `MAP_POPULATE`, `MAP_NORESERVE`: flags of `mmap`, zero where there is no such thing;
//! * `advice` and `unchecked_advice`: the `MADV_` value of an advice, if the platform has it, and
//!   `knows_advice`: whether the running kernel does;
//! * `madvise` and `mincore`: the calls themselves, or what does their work, or sets `ENOSYS`;
//! * `populate` and `populate_write`: bring pages in;
//! * `is_in_huge_pages`: whether a file is made of huge pages;
//! * `unnamed`: makes a shared memory object without a name;
//! * `lock_limit`: how many bytes the process may lock, if that is limited; `locked_bytes` and
//!   `address_space_bytes`: how many it has locked, and mapped, where the system tells;
//! * `map_twice`: makes anonymous shared memory of which a part is mapped twice, if the system can;
//! * `wipe_in_children`: has a child find zeros; `at_fork`: has `fork` call a function in the child;
//! * `Pipe`, `process_vm`: copies that the kernel makes, or what sets `ENOSYS`;
//! * `handler`: `AVAILABLE`, whether there can be a handler of the faults of copies; `install` and
//!   `uninstall` it; `is_used`, whether copies rely on it; `is_in_place`, whether the kernel still has
//!   it; `is_ready`, whether this thread lets it run;
//! * `is_for_stack`: whether addresses are kept for the stack of the main thread; `meets_stack`: whether
//!   that has come near to pages;
//! * `is_protected`: whether the system can say that pages are protected so, and does;
//! * `GIVE_BACK`: advice, one after the other, with which pages that cannot be unmapped give their
//!   memory back;
//! * `mlockall`, `munlockall`, `mlock_on_fault`, `stop_locking_future` and their flags: the calls, or what sets `ENOSYS`.
//!
//! `rlimit.rs`, `touch.rs` and `missing.rs` are parts that several of them share.

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod linux;
        mod rlimit;
        mod touch;
        pub use linux::*;
    } else if #[cfg(target_vendor = "apple")] {
        mod apple;
        mod rlimit;
        mod touch;
        pub use apple::*;
    } else if #[cfg(any(target_os = "freebsd", target_os = "dragonfly"))] {
        mod freebsd;
        mod rlimit;
        mod touch;
        pub use freebsd::*;
    } else if #[cfg(target_os = "netbsd")] {
        mod netbsd;
        mod rlimit;
        mod touch;
        pub use netbsd::*;
    } else if #[cfg(target_os = "openbsd")] {
        mod missing;
        mod openbsd;
        mod rlimit;
        mod touch;
        pub use openbsd::*;
    } else if #[cfg(any(target_os = "illumos", target_os = "solaris"))] {
        mod solarish;
        mod touch;
        pub use solarish::*;
    } else if #[cfg(any(
        target_os = "aix",
        target_os = "emscripten",
        target_os = "fuchsia",
        target_os = "haiku",
        target_os = "hurd",
        target_os = "nto",
        target_os = "nuttx",
        target_os = "rtems",
    ))] {
        mod missing;
        mod posix;
        mod touch;
        pub use posix::*;
    } else if #[cfg(target_os = "cygwin")] {
        mod cygwin;
        mod missing;
        mod posix;
        mod touch;
        pub use cygwin::*;
    } else if #[cfg(any(target_os = "l4re", target_os = "redox"))] {
        mod missing;
        mod redox;
        mod touch;
        pub use redox::*;
    } else {
        compile_error!(
            "unix-memory does not run on this operating system: either it has no memory mapping \
             (unix-memory-sys says so) or nobody has added it yet. To add it: write \
             unix-memory/src/os/<name>.rs, add an arm to unix-memory/src/os/mod.rs, and follow \
             \"A new platform\" in CONTRIBUTING.md."
        );
    }
}

// How the kernel copies, and whether a handler can: see `copy`.
mod pipe;
pub use pipe::Pipe;
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        pub mod handler;
        mod handler_chain;
        pub mod process_vm;
    } else {
        #[path = "no_handler.rs"]
        pub mod handler;
        #[path = "no_process_vm.rs"]
        pub mod process_vm;
    }
}
cfg_if::cfg_if! {
    if #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "illumos",
        target_os = "solaris",
        target_os = "cygwin",
        target_os = "hurd",
        target_os = "nuttx",
        target_os = "redox",
    ))] {
        mod pipe2;
        pub use pipe2::open_pipe;
    } else {
        mod pipe1;
        pub use pipe1::open_pipe;
    }
}

// Only files ask.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod file_system;
        mod huge_files;
        mod verity;
        pub use huge_files::is_in_huge_pages;
        use verity::is_verified;
    } else {
        mod no_huge_files;
        pub use no_huge_files::is_in_huge_pages;
    }
}

// Advice that only one of two systems has that share a file.
cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        const PROTECT: Option<core::ffi::c_int> = Some(unix_memory_sys::MADV_PROTECT);
    } else if #[cfg(target_os = "dragonfly")] {
        const PROTECT: Option<core::ffi::c_int> = None;
    } else if #[cfg(target_os = "illumos")] {
        const ACCESS_MANY_PSET: Option<core::ffi::c_int> = None;
        const PURGE: Option<core::ffi::c_int> = Some(unix_memory_sys::MADV_PURGE);
    } else if #[cfg(target_os = "solaris")] {
        const ACCESS_MANY_PSET: Option<core::ffi::c_int> =
            Some(unix_memory_sys::MADV_ACCESS_MANY_PSET);
        const PURGE: Option<core::ffi::c_int> = None;
    }
}

// Addresses that the stack of the main thread grows into.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod stack;
        pub use stack::{is_for_stack, meets_stack};
    } else {
        mod no_stack;
        pub use no_stack::{is_for_stack, meets_stack};
    }
}

// Pages that nobody uses, and cannot be unmapped.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        /// Locked pages only take the second, since Linux 5.18.
        pub const GIVE_BACK: &[core::ffi::c_int] = &[
            unix_memory_sys::MADV_DONTNEED,
            unix_memory_sys::MADV_DONTNEED_LOCKED,
        ];
    } else {
        /// Only Linux refuses to unmap what there is, at its limit of mappings.
        pub const GIVE_BACK: &[core::ffi::c_int] = &[];
    }
}

// Advice on many ranges in one call; where there is none, it is not done.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod together;
        pub use together::advise_together;
    } else {
        pub const unsafe fn advise_together(
            _: &[crate::region::Pages],
            _: core::ffi::c_int,
        ) -> Option<usize> {
            None
        }
    }
}

// Locks on the whole process, and on pages as they come.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "cygwin", target_os = "haiku"))] {
        mod no_mlockall;
        pub use no_mlockall::{MCL_CURRENT, MCL_FUTURE, mlockall, munlockall};
    } else {
        pub use unix_memory_sys::{MCL_CURRENT, MCL_FUTURE, mlockall, munlockall};
    }
}
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod lock_future;
        mod on_fault;
        pub use lock_future::stop_locking_future;
        pub use on_fault::mlock_on_fault;
        pub use unix_memory_sys::MCL_ONFAULT;
    } else {
        mod no_on_fault;
        pub use no_on_fault::{
            MCL_ONFAULT, address_space_bytes, is_protected, locked_bytes, mlock_on_fault,
            stop_locking_future,
        };
    }
}

// Durable flushes, of files.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(target_vendor = "apple")] {
        mod sync_full;
        pub use sync_full::sync_to_device;
    } else {
        mod sync;
        pub use sync::sync_to_device;
    }
}

// Code that was written as data.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod icache_linux;
        pub use icache_linux::sync_instruction_cache;
    } else if #[cfg(target_vendor = "apple")] {
        mod icache_apple;
        pub use icache_apple::sync_instruction_cache;
    } else if #[cfg(any(
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    ))] {
        mod icache_bsd;
        pub use icache_bsd::sync_instruction_cache;
    } else {
        mod icache;
        pub use icache::sync_instruction_cache;
    }
}

// Flags with which `mmap` maps at the address that it is given, or fails, and replaces nothing;
// zero where there are none: an address is a hint there, and what comes must be looked at. (It
// must be everywhere: kernels before such a flag ignore it.)
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        pub use unix_memory_sys::MAP_FIXED_NOREPLACE as NO_REPLACE;
    } else if #[cfg(target_os = "freebsd")] {
        pub const NO_REPLACE: core::ffi::c_int =
            unix_memory_sys::MAP_FIXED | unix_memory_sys::MAP_EXCL;
    } else if #[cfg(target_os = "openbsd")] {
        pub const NO_REPLACE: core::ffi::c_int =
            unix_memory_sys::MAP_FIXED | unix_memory_sys::__MAP_NOREPLACE;
    } else if #[cfg(target_os = "netbsd")] {
        pub use unix_memory_sys::MAP_TRYFIXED as NO_REPLACE;
    } else {
        // DragonFly's MAP_TRYFIXED also maps into what is reserved for a stack, which a hint does not.
        pub const NO_REPLACE: core::ffi::c_int = 0;
    }
}

// `MAP_STACK`, where it asks for memory that is fit for a stack: OpenBSD kills a process whose
// stack pointer is elsewhere. FreeBSD's and DragonFly's grows downward instead, and is not wanted.
cfg_if::cfg_if! {
    if #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "netbsd",
        target_os = "openbsd"
    ))] {
        pub use unix_memory_sys::MAP_STACK;
    } else {
        pub const MAP_STACK: core::ffi::c_int = 0;
    }
}

// A flag of `mmap` that keeps memory out of core dumps, where no advice does.
cfg_if::cfg_if! {
    if #[cfg(target_os = "openbsd")] {
        pub use unix_memory_sys::MAP_CONCEAL;
    } else {
        pub const MAP_CONCEAL: core::ffi::c_int = 0;
    }
}

// `remap`: has a mapping grow, by the system's own means; `is_in_huge_page`: whether a mapping can
// not be cut at an address.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod remap;
        pub use remap::{is_in_huge_page, remap};
    } else if #[cfg(target_os = "netbsd")] {
        mod no_huge_pages;
        mod remap_netbsd;
        pub use no_huge_pages::is_in_huge_page;
        pub use remap_netbsd::remap;
    } else {
        mod no_huge_pages;
        mod no_remap;
        pub use no_huge_pages::is_in_huge_page;
        pub use no_remap::remap;
    }
}

// What only some systems can do: further methods of the types that all have, and types of their own,
// which lib.rs hands on.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        // Linux has no MAP_SYNC on MIPS.
        #[cfg(all(
            feature = "std",
            not(any(
                target_arch = "mips",
                target_arch = "mips32r6",
                target_arch = "mips64",
                target_arch = "mips64r6"
            ))
        ))]
        mod dax;
        mod droppable;
        mod huge_pages;
        mod keys;
        // It names everything, and there is everything here.
        #[cfg(all(doc, feature = "std"))]
        pub mod peers;
        mod proc_file;
        mod seal;
        pub mod extra {
            pub use super::huge_pages::HugePageSize;
            pub use super::keys::{Keyed, ProtectionKey};
            #[cfg(all(doc, feature = "std"))]
            pub use super::peers;
            pub use super::seal::Permanent;
        }
    } else if #[cfg(target_vendor = "apple")] {
        mod jit;
        pub mod extra {}
    } else {
        pub mod extra {}
    }
}

// Shared memory objects: how one without a name is made, and one whose length is fixed.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod fixed_sealed;
        mod memfd;
        mod memfd_linux;
        mod sealed;
        mod unnamed_memfd;
        pub use fixed_sealed::{check_fixed_len, fixed_len};
        use memfd_linux as memfd_create;
        pub use unnamed_memfd::unnamed;
    } else if #[cfg(target_os = "freebsd")] {
        mod fixed_sealed;
        mod memfd;
        mod memfd_freebsd;
        mod no_verity;
        mod sealed;
        mod unnamed_anon;
        pub use fixed_sealed::{check_fixed_len, fixed_len};
        use memfd_freebsd as memfd_create;
        use no_verity::is_verified;
        pub use unnamed_anon::unnamed;
    } else if #[cfg(target_os = "l4re")] {
        mod fixed_missing;
        mod unnamed_file;
        pub use fixed_missing::{check_fixed_len, fixed_len};
        pub use unnamed_file::unnamed;
    } else {
        mod fixed_missing;
        mod unnamed_unique;
        pub use fixed_missing::{check_fixed_len, fixed_len};
        pub use unnamed_unique::unnamed;
    }
}

// And those with a name, where there are such; what lib.rs hands on of all of them.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        mod named;
        /// Objects are files in a directory where anybody can make a FIFO.
        const OPEN_AT_ONCE: core::ffi::c_int = libc::O_NONBLOCK;
        use unix_memory_sys::shm_open;
        pub mod objects {
            pub use super::memfd::MemfdOptions;
            pub use super::named::NamedMemory;
            pub use super::sealed::{SealedMemory, Seals};
        }
    } else if #[cfg(target_os = "android")] {
        pub mod objects {
            pub use super::memfd::MemfdOptions;
            pub use super::sealed::{SealedMemory, Seals};
        }
    } else if #[cfg(target_os = "freebsd")] {
        mod named;
        /// Objects are no files here.
        const OPEN_AT_ONCE: core::ffi::c_int = 0;
        use unix_memory_sys::shm_open;
        pub mod objects {
            pub use super::memfd::MemfdOptions;
            pub use super::named::NamedMemory;
            pub use super::sealed::{SealedMemory, Seals};
        }
    } else if #[cfg(target_os = "l4re")] {
        pub mod objects {}
    } else if #[cfg(target_vendor = "apple")] {
        mod named;
        /// Objects are no files here.
        const OPEN_AT_ONCE: core::ffi::c_int = 0;
        use apple::shm_open;
        pub mod objects {
            pub use super::named::NamedMemory;
        }
    } else {
        mod named;
        /// POSIX names no such flag for `shm_open`, and some refuse it.
        const OPEN_AT_ONCE: core::ffi::c_int = 0;
        use unix_memory_sys::shm_open;
        pub mod objects {
            pub use super::named::NamedMemory;
        }
    }
}

// The pages of a ring's first copy mapped a second time, without a descriptor.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod map_twice;
        pub use map_twice::map_twice;
    } else {
        mod no_map_twice;
        pub use no_map_twice::map_twice;
    }
}

// Memory that a child finds zeroed, by whatever call it was made; and a function that `fork` calls in
// the child.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod at_fork;
        mod wipe_madvise;
        pub use at_fork::at_fork;
        pub use wipe_madvise::wipe_in_children;
    } else if #[cfg(target_os = "freebsd")] {
        mod at_fork;
        mod wipe_minherit;
        pub use at_fork::at_fork;
        pub use wipe_minherit::wipe_in_children;
        use unix_memory_sys::INHERIT_ZERO;
    } else if #[cfg(any(target_os = "netbsd", target_os = "openbsd"))] {
        mod at_fork;
        mod wipe_minherit;
        pub use at_fork::at_fork;
        pub use wipe_minherit::wipe_in_children;
        use unix_memory_sys::MAP_INHERIT_ZERO as INHERIT_ZERO;
    } else if #[cfg(target_os = "illumos")] {
        mod at_fork;
        mod wipe_memcntl;
        pub use at_fork::at_fork;
        pub use wipe_memcntl::wipe_in_children;
    } else if #[cfg(any(
        target_os = "emscripten",
        target_os = "fuchsia",
        target_os = "l4re",
        target_os = "nuttx",
        target_os = "rtems",
    ))] {
        mod no_fork;
        pub use no_fork::{at_fork, wipe_in_children};
    } else {
        mod at_fork;
        mod wipe_missing;
        pub use at_fork::at_fork;
        pub use wipe_missing::wipe_in_children;
    }
}

// A hint about pages of a file that were read.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod drop_behind;
        pub use drop_behind::drop_behind;
    } else if #[cfg(target_os = "freebsd")] {
        mod drop_behind_freebsd;
        pub use drop_behind_freebsd::drop_behind;
    } else {
        mod drop_behind_missing;
        pub use drop_behind_missing::drop_behind;
    }
}
