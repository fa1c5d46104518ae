//! The contract with a system: what this crate needs from each system beyond the calls that all of them
//! have. One file for each system provides all of it: with its own code, with a part that several systems
//! share (`parts/`), or, if the system lacks a feature, with the answer in `none.rs`. (`none.rs` has no
//! answer for what every system has.)
//!
//! Flags of `mmap`, and of its protection, zero where there are none:
//! * `MAY_BECOME`: added to a protection, lets a later `mprotect` give every right;
//! * `NO_REPLACE`: maps at the given address, or fails, and replaces nothing. (Where it is zero, an
//!   address is a hint, and the result must be checked. It must be checked everywhere: kernels older
//!   than the flag ignore it.)
//! * `MAP_POPULATE`: brings the pages in; `MAP_NORESERVE`: sets no swap space aside;
//! * `MAP_STACK`: memory that is fit for a stack; never FreeBSD's, which makes a mapping that
//!   grows;
//! * `MAP_CONCEAL`: keeps memory out of core dumps, where no advice does.
//!
//! Advice:
//! * `advice`, `unchecked_advice`: the `MADV_` value of an advice, if the system has it;
//! * `knows_advice`: whether the running kernel knows a value;
//! * `madvise`: the call, or what does its work;
//! * `advise_together`: advice on many ranges in one call;
//! * `GIVE_BACK`: advice that is tried in turn, until one frees the memory of pages that cannot be
//!   unmapped.
//!
//! What is in memory:
//! * `mincore`: which pages are;
//! * `transparent_huge_page`: the size of the huge pages that memory is put into on advice;
//! * `huge_bytes`: how much of some pages is in huge ones;
//! * `populate`, `populate_write`: bring pages in by one call (`ENOSYS`: they have to be touched).
//!
//! Locks:
//! * `MCL_CURRENT`, `MCL_FUTURE`, `mlockall`, `munlockall`: on the whole process;
//! * `MCL_ONFAULT`, `mlock_on_fault`: on pages as they are brought in;
//! * `stop_locking_future`: undoes `MCL_FUTURE` alone;
//! * `lock_limit`: how many bytes the process may lock, if that is limited;
//! * `locked_bytes`, `address_space_bytes`: how many it has locked, and mapped.
//!
//! Limits:
//! * `memory_limit`: which limit keeps the process from more memory, asked after a refusal.
//!
//! Mappings as they are:
//! * `COUNTS_BYTES`: whether `munmap` and `msync` take the bytes that were mapped, not their pages;
//! * `ENFORCES_PROTECTION`: whether protections have any effect;
//! * `WRITES_FILES`: whether what is written to a shared mapping of a file reaches the file;
//! * `remap`: gives a mapping another length;
//! * `is_in_huge_page`: whether a mapping cannot be cut at an address;
//! * `is_anonymous_in_huge_pages`: whether pages are known to be private and anonymous, in explicit huge
//!   pages;
//! * `may_be_several`: whether the kernel may have several mappings in pages, and so can refuse to
//!   change one of them for lack of more mappings;
//! * `Mappings`: what is mapped, in this process or another: opened by `open`, asked by `at_or_after`;
//! * `is_protected`: whether pages are known to have a protection;
//! * `is_for_stack`: whether addresses are kept for the stack of the main thread; `meets_stack`:
//!   whether that stack has come near to pages;
//! * `name_pages`: gives pages without a file a name that the system shows (`ENOSYS`: it has no names),
//!   by a pointer if the caller says that the name lasts.
//!
//! Children:
//! * `at_fork`: makes `fork` call a function in the child;
//! * `wipe_in_children`: makes a child find zeros, whatever call makes the child.
//!
//! Secrets:
//! * `memfd_secret`: a descriptor of memory that the kernel itself cannot reach.
//!
//! Copies that the kernel makes, and code:
//! * `open_pipe`: a pipe that neither waits nor outlives `exec`;
//! * `process_vm_read`, `process_vm_write`: copies out of and into memory that may be gone;
//! * `sync_instruction_cache`: makes code that was written as data fit to run.
//!
//! Files:
//! * `file_size_limit`: how long this process may make a file; a signal ends it if it tries to go
//!   beyond.
//!
//! Files, with the feature `std`:
//! * `file_status`: the kind and length of an open file;
//! * `is_full`: whether a file's file system is known to have no free space for users;
//! * `is_in_huge_pages`: whether a file is made of huge pages;
//! * `is_sealed`: whether a file has a seal against a change;
//! * `device_len`: how long a block device is, if the system reports it without a change to the open file;
//! * `sync_to_device`: makes a file's device store it;
//! * `drop_behind`: lets go of pages of a file that were read;
//! * `READS_MAPPINGS`: whether reading a file returns at once what was written to a shared mapping of
//!   it;
//! * `shm_open` and `OPEN_AT_ONCE`, its flag that keeps it from waiting: where objects have names.
//!
//! Only on systems with memfds, with the feature `std`:
//! * `memfd_create`; `MEMFD_DEFAULT`: flags it is given unless others are asked for; `MORE_SEALS`:
//!   seals that this system adds to FreeBSD's;
//! * `is_verified`: whether a file has fs-verity.
//!
//! Only on Apple's systems:
//! * `jit_write_protect`: whether the calling thread may execute what was mapped with `MAP_JIT`, or
//!   write it.
//!
//! Only on Linux and Android: `has_huge_pages`, whether pages are in explicit huge ones, on any kernel;
//! `number_in_file`, which reads a number from a text file of the kernel; with the feature `std`,
//! `open_of`, which opens a `ProcessFile`, a file of the kernel about a process.

pub mod call;
mod none;
#[cfg(any(test, unix_memory_oracle))]
mod reviewed;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod linux;
        pub use linux::*;
    } else if #[cfg(target_vendor = "apple")] {
        mod apple;
        pub use apple::*;
    } else if #[cfg(target_os = "freebsd")] {
        mod freebsd;
        pub use freebsd::*;
    } else if #[cfg(target_os = "dragonfly")] {
        mod dragonfly;
        pub use dragonfly::*;
    } else if #[cfg(target_os = "netbsd")] {
        mod netbsd;
        pub use netbsd::*;
    } else if #[cfg(target_os = "openbsd")] {
        mod openbsd;
        pub use openbsd::*;
    } else if #[cfg(target_os = "illumos")] {
        mod illumos;
        pub use illumos::*;
    } else if #[cfg(target_os = "solaris")] {
        mod solaris;
        pub use solaris::*;
    } else if #[cfg(target_os = "aix")] {
        mod aix;
        pub use aix::*;
    } else if #[cfg(target_os = "cygwin")] {
        mod cygwin;
        pub use cygwin::*;
    } else if #[cfg(target_os = "emscripten")] {
        mod emscripten;
        pub use emscripten::*;
    } else if #[cfg(target_os = "fuchsia")] {
        mod fuchsia;
        pub use fuchsia::*;
    } else if #[cfg(target_os = "haiku")] {
        mod haiku;
        pub use haiku::*;
    } else if #[cfg(target_os = "hurd")] {
        mod hurd;
        pub use hurd::*;
    } else if #[cfg(target_os = "l4re")] {
        mod l4re;
        pub use l4re::*;
    } else if #[cfg(target_os = "nto")] {
        mod nto;
        pub use nto::*;
    } else if #[cfg(target_os = "nuttx")] {
        mod nuttx;
        pub use nuttx::*;
    } else if #[cfg(target_os = "redox")] {
        mod redox;
        pub use redox::*;
    } else if #[cfg(target_os = "rtems")] {
        mod rtems;
        pub use rtems::*;
    } else {
        compile_error!(
            "unix-memory does not run on this operating system: either it has no memory mapping \
             (unix-memory-sys says so) or nobody has added it yet. To add it: write \
             unix-memory/src/os/<name>.rs, add an arm to unix-memory/src/os/mod.rs, and follow \
             \"A new platform\" in CONTRIBUTING.md."
        );
    }
}
