//! Systems that do not report what Linux does, or whose way to do so is not written yet.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::RawFd;
use std::path::PathBuf;

use super::{Flags, Map, Permissions};

/// The functions that return that there is no answer.
macro_rules! none {
    ($(fn $name:ident($($argument:ty),*) -> Option<$answer:ty>;)*) => {
        $(pub fn $name($(_: $argument),*) -> Option<$answer> {
            None
        })*
    };
}

none! {
    fn map_at(*const u8) -> Option<Option<Map>>;
    fn permissions_at(&[usize]) -> Option<Vec<Permissions>>;
    fn maps_of_file_at(*const u8) -> Option<Vec<Map>>;
    fn mappings_of(&File) -> Option<usize>;
    fn bytes_mapped_of(&File) -> Option<usize>;
    fn mappings_of_length(usize) -> Option<usize>;
    fn mappings_named(&str) -> Option<usize>;
    fn flags_at(&[usize]) -> Option<Vec<Flags>>;
    fn name_at(*const u8) -> Option<Option<String>>;
    fn memory_policy_at(*const u8) -> Option<String>;
    fn names_memory() -> Option<bool>;
    fn stack() -> Option<Range<usize>>;
    fn mapping_limit() -> Option<usize>;
    fn virtual_size() -> Option<usize>;
    fn resident_size() -> Option<usize>;
    fn peak_resident_size() -> Option<usize>;
    fn locked_size() -> Option<usize>;
    fn page_size_at_start() -> Option<usize>;
    fn name_of(RawFd) -> Option<PathBuf>;
    fn names_of_descriptors() -> Option<Vec<PathBuf>>;
    fn path_to_reopen(RawFd) -> Option<PathBuf>;
    fn file_that_says_it_is_empty() -> Option<File>;
    fn own_stack_grows() -> Option<bool>;
    fn populate_flag_populates() -> Option<bool>;
}

pub fn system_calls(_: impl FnOnce()) -> Option<usize> {
    None
}

/// The flag for not setting space aside, if it is known here.
pub const MAP_NORESERVE: libc::c_int = 0;

/// The call whose offsets have 64 bits.
pub use libc::mmap as mmap64;

pub fn file_behind(_: Range<usize>) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn punch_hole(_: RawFd, _: usize, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn evict(_: RawFd) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn huge_page_can_be_mapped(_: RawFd, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn lock_on_fault(_: *mut libc::c_void, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn new_pid_namespace() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
