//! What the kernel reports about this process, apart from what its calls return: the only place that knows
//! about `/proc` and its equivalents.
//!
//! `linux.rs` reads it; `none.rs` is for systems that do not report such things, or whose way to do
//! so is not written yet. Both have the same functions, which return `None` for what is not
//! reported. A new system is a file of such functions, and its arm here.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::panic::Location;
use std::path::PathBuf;

mod reported;
mod words;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod linux;
        mod list;
        mod smaps;
        mod trace;
        use linux as system;

        pub use list::{Entry, List, Memory};
    } else {
        mod none;
        use none as system;
    }
}

pub use reported::Reported;
pub(crate) use system::{
    MAP_NORESERVE, huge_page_can_be_mapped, lock_on_fault, mmap64, names_memory, own_stack_grows,
    populate_flag_populates,
};
pub use words::{Flags, Map, Permissions};

/// `answer`, which is about `what`; if there is none, prints that.
#[track_caller]
fn reported<T>(what: &str, answer: Option<T>) -> Reported<T> {
    if answer.is_none() {
        let place = Location::caller();
        let (file, line) = (place.file(), place.line());
        crate::skip(
            &format!("{what}, asked for at {file}:{line}"),
            "this system does not report it, or not in a way known here",
        );
    }
    Reported::new(answer)
}

/// The kernel's entry for the mapping that holds `address`; the entry is `None` if nothing is mapped.
///
/// An emulator may put its program's memory at other addresses than the program believes: the addresses
/// here are the program's.
///
/// # Panics
/// If the kernel's list of mappings cannot be read.
#[track_caller]
pub fn map_at(address: *const u8) -> Reported<Option<Map>> {
    reported("a mapping", system::map_at(address))
}

/// The entries of the file that is mapped at `address`, in the order of their addresses.
///
/// # Panics
/// If nothing is mapped there, or the kernel's list cannot be read.
#[track_caller]
pub fn maps_of_file_at(address: *const u8) -> Reported<Vec<Map>> {
    reported("the mappings of a file", system::maps_of_file_at(address))
}

/// How many mappings of `file` this process has.
///
/// # Panics
/// If the kernel's list cannot be read.
#[track_caller]
pub fn mappings_of(file: &File) -> Reported<usize> {
    reported("how often a file is mapped", system::mappings_of(file))
}

/// How many bytes of addresses the mappings of `file` have in this process.
///
/// # Panics
/// If the kernel's list cannot be read.
#[track_caller]
pub fn bytes_mapped_of(file: &File) -> Reported<usize> {
    let bytes = system::bytes_mapped_of(file);
    reported("how much of a file is mapped", bytes)
}

/// The offset in its file of the byte that is mapped at `address`.
///
/// # Panics
/// If nothing is mapped there.
#[track_caller]
pub fn place_in_file(address: *const u8) -> Reported<u64> {
    let map = system::map_at(address).map(|map| map.expect("mapped"));
    let place = map.map(|map| map.offset + (address.addr() - map.addresses.start) as u64);
    reported("the place in a file", place)
}

/// The kernel's own file behind a mapping of shared memory without a file.
///
/// # Errors
/// If it cannot be opened, for example because the user is not root.
pub fn file_behind(addresses: Range<usize>) -> io::Result<File> {
    system::file_behind(addresses)
}

/// How many mappings of exactly `len` bytes this process has.
///
/// # Panics
/// If the kernel's list cannot be read.
#[track_caller]
pub fn mappings_of_length(len: usize) -> Reported<usize> {
    let count = system::mappings_of_length(len);
    reported("how many mappings of a length there are", count)
}

/// How many mappings this process has of files whose names have `name` in them.
///
/// # Panics
/// If the kernel's list cannot be read.
#[track_caller]
pub fn mappings_named(name: &str) -> Reported<usize> {
    let count = system::mappings_named(name);
    reported("how many mappings of a name there are", count)
}

/// The name that the memory at `address` was given, if it was; in the list of mappings it is `[anon:name]`,
/// or `[anon_shmem:name]`.
///
/// # Panics
/// If nothing is mapped there, or the kernel's list cannot be read.
#[track_caller]
pub fn name_at(address: *const u8) -> Reported<Option<String>> {
    reported("a name of memory", system::name_at(address))
}

/// The policy of the memory at `address`, and its nodes, as the kernel lists them, such as `bind:0`.
///
/// # Panics
/// If nothing is mapped there.
#[track_caller]
pub fn memory_policy_at(address: *const u8) -> Reported<String> {
    reported("a policy of memory", system::memory_policy_at(address))
}

/// The kernel's protection of the page of `address`.
///
/// # Panics
/// If nothing is mapped there.
#[track_caller]
pub fn permissions(address: *const u8) -> Reported<Permissions> {
    permissions_of_all(&[address]).map(|all| all[0])
}

/// What the kernel lets the process do with the page of each of `addresses`: asked once for all, which
/// takes an emulator half a second.
///
/// # Panics
/// Where nothing is mapped at one of them.
#[track_caller]
pub fn permissions_of_all(addresses: &[*const u8]) -> Reported<Vec<Permissions>> {
    let addresses: Vec<_> = addresses.iter().map(|address| address.addr()).collect();
    reported("permissions", system::permissions_at(&addresses))
}

/// The kernel's flags of the mapping that holds `address`.
///
/// # Panics
/// If nothing is mapped there.
#[track_caller]
pub fn flags(address: *const u8) -> Reported<Flags> {
    flags_of_all(&[address]).map(|all| all[0])
}

/// The kernel's flags of the mappings that hold each of `addresses`, asked once, as
/// [`permissions_of_all`] does.
///
/// # Panics
/// Where nothing is mapped at one of them.
#[track_caller]
pub fn flags_of_all(addresses: &[*const u8]) -> Reported<Vec<Flags>> {
    let addresses: Vec<_> = addresses.iter().map(|address| address.addr()).collect();
    reported("flags of a mapping", system::flags_at(&addresses))
}

/// For each of `count` pages from `address` on: `x` if it is locked, `f` if it is locked on fault, `.` if
/// it is not locked.
///
/// # Panics
/// If one is not mapped.
#[track_caller]
pub fn lock_states(address: *const u8, count: usize) -> Reported<String> {
    let pages = (0..count).map(|page| address.addr() + page * unix_memory::page_size());
    let flags = system::flags_at(&pages.collect::<Vec<_>>());
    let state = |flags: Flags| match (flags.contains(Flags::LO), flags.contains(Flags::LF)) {
        (true, true) => 'f',
        (true, false) => 'x',
        (false, _) => '.',
    };
    let states = flags.map(|flags| flags.into_iter().map(state).collect());
    reported("which pages are locked", states)
}

/// What [`lock_states`] can return if it should be `states`: some kernels, such as Linux 6.1, do not report
/// which locks are on fault.
#[must_use]
pub fn as_told(states: &str) -> String {
    if states.contains('f') && crate::lacks::locks_on_fault_told("which locks are on fault") {
        return states.replace('f', "x");
    }
    states.to_owned()
}

/// Whether the page of `address` is locked. Also true if that is not reported.
///
/// # Panics
/// If nothing is mapped there.
#[track_caller]
#[must_use]
pub fn is_locked(address: *const u8) -> bool {
    flags(address).contains(Flags::LO)
}

/// Whether the page of `address` is not locked. Also true if that is not reported.
///
/// # Panics
/// If nothing is mapped there.
#[track_caller]
#[must_use]
pub fn is_unlocked(address: *const u8) -> bool {
    flags(address).lacks(Flags::LO)
}

/// The addresses that the main thread's stack has now.
#[track_caller]
#[must_use]
pub fn stack() -> Option<Range<usize>> {
    reported("the stack of the main thread", system::stack()).get()
}

/// How many mappings this process may have, if the kernel has a limit.
#[track_caller]
#[must_use]
pub fn mapping_limit() -> Option<usize> {
    reported("the limit of mappings", system::mapping_limit()).get()
}

/// How many bytes of addresses this process has in use.
#[track_caller]
pub fn virtual_size() -> Reported<usize> {
    reported("the addresses in use", system::virtual_size())
}

/// How many bytes of memory this process has in use.
#[track_caller]
pub fn resident_size() -> Reported<usize> {
    reported("the memory in use", system::resident_size())
}

/// How many bytes of memory this process has locked.
#[track_caller]
pub fn locked_size() -> Reported<usize> {
    reported("the locked memory", system::locked_size())
}

/// The maximum number of bytes of memory that this process has had in use.
#[track_caller]
pub fn peak_resident_size() -> Reported<usize> {
    let bytes = system::peak_resident_size();
    reported("the most memory in use", bytes)
}

/// The size of a page, as the kernel passed it to the program at its start.
#[track_caller]
pub fn page_size_at_start() -> Reported<usize> {
    reported("the size of a page", system::page_size_at_start())
}

/// What a descriptor refers to, by the kernel's name.
///
/// # Panics
/// If it is not a descriptor.
#[track_caller]
pub fn name_of(fd: impl AsFd) -> Reported<PathBuf> {
    let name = system::name_of(fd.as_fd().as_raw_fd());
    reported("what a descriptor is of", name)
}

/// What the descriptors of this process refer to, as [`name_of`] returns it.
#[track_caller]
pub fn names_of_descriptors() -> Reported<Vec<PathBuf>> {
    reported("the descriptors", system::names_of_descriptors())
}

/// A path by which the file behind a descriptor can be opened again, with another access.
#[track_caller]
#[must_use]
pub fn path_to_reopen(fd: impl AsFd) -> Option<PathBuf> {
    let path = system::path_to_reopen(fd.as_fd().as_raw_fd());
    reported("a path to a descriptor", path).get()
}

/// A file of the kernel that reports that it is regular and empty, although it has bytes.
#[track_caller]
#[must_use]
pub fn file_that_says_it_is_empty() -> Option<File> {
    reported(
        "a file of the kernel's",
        system::file_that_says_it_is_empty(),
    )
    .get()
}

/// Makes a hole of `len` bytes at `start` in a file, which keeps its length.
///
/// # Errors
/// If the file system has no holes, or the system has no such call that is known here.
pub fn punch_hole(file: impl AsFd, start: usize, len: usize) -> io::Result<()> {
    system::punch_hole(file.as_fd().as_raw_fd(), start, len)
}

/// Asks for the pages of a file to be dropped from memory.
///
/// # Errors
/// If there is no such call that is known here.
pub fn evict(file: &File) -> io::Result<()> {
    system::evict(file.as_raw_fd())
}

/// How many system calls a child makes while it runs `f`, and before and after that. The latter are the
/// same for each child, so the difference of two counts is due to what they run.
///
/// # Panics
/// If no child can be made, or `f` panics in it.
#[track_caller]
pub fn system_calls(f: impl FnOnce()) -> Reported<usize> {
    let count = system::system_calls(f);
    reported("how many system calls a child makes", count)
}

/// Puts later children of this process into a new PID namespace.
///
/// # Errors
/// If that is not allowed, or does not exist.
pub(crate) fn new_pid_namespace() -> io::Result<()> {
    system::new_pid_namespace()
}
