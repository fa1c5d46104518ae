//! Solaris. (The limit on locked memory is a resource control of the project, which no
//! call of POSIX reports.)

use core::ffi::c_int;

use unix_memory_sys as sys;

use crate::advice::Advice;

#[path = "parts/advice_solaris.rs"]
mod advice_solaris;
#[path = "parts/at_fork.rs"]
mod at_fork;
#[cfg(feature = "std")]
#[path = "parts/fsync.rs"]
mod fsync;
#[path = "parts/icache_program.rs"]
mod icache_program;
#[path = "parts/madvise.rs"]
mod madvise;
#[path = "parts/mappings_solaris.rs"]
mod mappings_solaris;
#[path = "parts/mincore.rs"]
mod mincore;
#[path = "parts/mlockall.rs"]
mod mlockall;
#[path = "parts/pipe2.rs"]
mod pipe2;
#[path = "parts/proc_path.rs"]
mod proc_path;
#[path = "parts/snapshot.rs"]
mod snapshot;
#[cfg(feature = "std")]
#[path = "parts/statvfs.rs"]
mod statvfs;

pub use super::none::{MAP_CONCEAL, MAP_POPULATE, MAP_STACK, MAY_BECOME, NO_REPLACE};
pub use sys::MAP_NORESERVE;

pub use super::none::{GIVE_BACK, advise_together};
pub use advice_solaris::{knows_advice, unchecked_advice};
pub use madvise::madvise;

pub use super::none::{populate, populate_write};
pub use mincore::mincore;

pub use super::none::{
    MCL_ONFAULT, address_space_bytes, lock_limit, locked_bytes, memory_limit, mlock_on_fault,
    stop_locking_future,
};
pub use mlockall::{MCL_CURRENT, MCL_FUTURE, mlockall, munlockall};

pub use super::none::{
    COUNTS_BYTES, ENFORCES_PROTECTION, WRITES_FILES, huge_bytes, is_anonymous_in_huge_pages,
    is_for_stack, is_in_huge_page, is_protected, may_be_several, meets_stack, name_pages, remap,
    transparent_huge_page,
};
pub use mappings_solaris::Mappings;

pub use super::none::{memfd_secret, wipe_in_children};
pub use at_fork::at_fork;

pub use super::none::{process_vm_read, process_vm_write};
pub use icache_program::sync_instruction_cache;
pub use pipe2::open_pipe;

pub use super::none::file_size_limit;
#[cfg(feature = "std")]
pub use super::none::{
    OPEN_AT_ONCE, READS_MAPPINGS, device_len, drop_behind, file_status, is_in_huge_pages, is_sealed,
};
#[cfg(feature = "std")]
pub use fsync::sync_to_device;
#[cfg(feature = "std")]
pub use statvfs::is_full;
#[cfg(feature = "std")]
pub use sys::shm_open;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    match advice {
        Advice::AccessManyInSet => Some(sys::MADV_ACCESS_MANY_PSET),
        _ => advice_solaris::advice(advice),
    }
}
