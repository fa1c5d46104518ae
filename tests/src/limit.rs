//! Limits of this process: addresses, data, locked memory, lengths of files, open files, mappings.

use std::io;

use unix_memory::{
    Access, Advice, MapOptions, Mapping, NoAccess, ReadWrite, Reason, SharedMapping, page_size,
};

use crate::{kernel, skip};

/// Sets a limit of this process to `$most`, or to the maximum that it may be. (C libraries do not
/// agree on the type of its number.)
macro_rules! limit {
    ($resource:expr, $most:expr) => {{
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the limit can be written.
        if unsafe { libc::getrlimit($resource, &raw mut limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
        limit.rlim_cur = limit.rlim_max.min($most as libc::rlim_t);
        // SAFETY: the call reads the limit.
        if unsafe { libc::setrlimit($resource, &raw const limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }};
}

/// Keeps this process from making a file longer than `bytes`.
///
/// # Errors
/// If it cannot be set, because the new limit is more than it may be.
pub fn limit_file_size(bytes: u64) -> io::Result<()> {
    limit!(libc::RLIMIT_FSIZE, bytes)
}

/// Keeps this process from opening a file whose descriptor would be `count` or more.
///
/// # Errors
/// If it cannot be set, because the new limit is more than it may be.
pub fn limit_open_files(count: u64) -> io::Result<()> {
    limit!(libc::RLIMIT_NOFILE, count)
}

/// Limits this process to `bytes` of addresses.
///
/// # Errors
/// If it cannot be set, because the system has no such limit, or the new one is more than it may be.
#[cfg(not(target_os = "openbsd"))]
pub fn limit_address_space(bytes: u64) -> io::Result<()> {
    limit!(libc::RLIMIT_AS, bytes)
}

/// OpenBSD has no such limit.
///
/// # Errors
/// Always.
#[cfg(target_os = "openbsd")]
pub fn limit_address_space(_: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Limits this process to `bytes` of data.
///
/// # Errors
/// If it cannot be set.
pub fn limit_data(bytes: u64) -> io::Result<()> {
    limit!(libc::RLIMIT_DATA, bytes)
}

/// Limits this process to `bytes` of locked memory, unless it has the privilege to lock more.
///
/// # Errors
/// If it cannot be set, because the system has no such limit.
#[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
pub fn limit_locked_memory(bytes: u64) -> io::Result<()> {
    limit!(libc::RLIMIT_MEMLOCK, bytes)
}

/// Solaris and illumos have no such limit: a resource control takes its place.
///
/// # Errors
/// Always.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
pub fn limit_locked_memory(_: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The kernel's limit of mappings, if `check` can reach it quickly.
#[must_use]
pub fn reachable_mapping_limit(check: &str) -> Option<usize> {
    let limit = kernel::mapping_limit()?;
    if limit > 1 << 20 {
        skip(check, "the limit of mappings is too high to reach");
        return None;
    }
    Some(limit)
}

/// Mappings up to the kernel's limit, which [can be reached](reachable_mapping_limit); the kernel
/// merges no two of them.
pub fn mappings_up_to_the_limit<A: Access + Copy>(access: A) -> Vec<SharedMapping<A>> {
    let options = MapOptions::new().len(page_size());
    // Room for all of them now, because at the limit there may be none.
    let mut many = Vec::with_capacity(2 << 20);
    while let Ok(mapping) = options.map_anonymous_shared(access) {
        many.push(mapping);
    }
    many
}

/// Pages at the kernel's limit of mappings, for which a change is refused half-way.
pub struct HalfWay {
    /// Four pages: to the kernel, the first is a mapping of its own, and the others are merged with a
    /// neighbour, from which there is no room to split them.
    pub mapping: Mapping<ReadWrite>,
    /// The neighbour, among others.
    pub neighbours: Vec<Mapping<ReadWrite>>,
    /// The mappings that take all the room.
    pub many: Mapping<NoAccess>,
}

impl HalfWay {
    /// Maps everything for `check`, if the kernel merges neighbours and its limit can be reached. The
    /// process should have no other test.
    ///
    /// # Panics
    /// If a few pages cannot be mapped, or no advice is accepted.
    #[must_use]
    pub fn new(check: &str) -> Option<Self> {
        let page = page_size();
        // Neighbours, which the kernel merges.
        let mut neighbours: Vec<_> = (0..8)
            .map(|_| Mapping::anonymous(4 * page).expect("four pages"))
            .collect();
        neighbours.sort_by_key(|mapping| mapping.as_ptr().addr());
        let meets = |pair: &[Mapping<ReadWrite>]| {
            pair[0].as_ptr().addr() + pair[0].len() == pair[1].as_ptr().addr()
        };
        let Some(lower) = neighbours.windows(2).position(meets) else {
            skip(check, "the kernel makes no neighbours");
            return None;
        };
        let mapping = neighbours.remove(lower);
        mapping
            .advise_range(..page, Advice::DontDump)
            .expect("advice");

        let limit = reachable_mapping_limit(check)?;
        let room = MapOptions::new().len(2 * limit * page).no_reserve(true);
        let Ok(many) = room.map_anonymous(NoAccess) else {
            skip(check, "no room for so many mappings");
            return None;
        };
        let split = |i: usize| many.advise_range(i * page..(i + 1) * page, Advice::DontDump);
        if (1..2 * limit).step_by(2).all(|i| split(i).is_ok()) {
            skip(check, "the kernel does not keep to its limit");
            return None;
        }
        Some(Self {
            mapping,
            neighbours,
            many,
        })
    }
}

/// Whether `reason` is that of a limit on memory, or only the kernel's, if it was not found out which
/// limit it is.
#[must_use]
pub const fn is_memory_limit(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Kernel
            | Reason::CommitLimit
            | Reason::AddressSpaceLimit(_)
            | Reason::DataLimit(_)
            | Reason::MappingsLimit(_)
            | Reason::FreeAddresses(_)
            | Reason::MemoryAndSwap(_)
            | Reason::CommittedMemory(_)
    )
}
