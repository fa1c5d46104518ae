//! Linux and Android: `/proc/self`, and what only their calls report.
#![allow(
    clippy::option_option,
    clippy::unnecessary_wraps,
    reason = "other systems have the same functions, and give no answer"
)]

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use libc::{MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, c_int, c_void};
use procfs::FromRead;
use procfs::process::{MMPermissions, MMapPath, MemoryMap, MemoryMaps, Process};

use super::smaps::{Head, find, head, permissions_of, text};
pub use super::trace::system_calls;
use super::{Flags, Map, Permissions};

/// The flag for not setting space aside.
pub use libc::MAP_NORESERVE;

/// The call whose offsets have 64 bits.
pub use libc::mmap64;

pub fn map_at(address: *const u8) -> Option<Option<Map>> {
    let address = (address.addr() as u64).wrapping_add(shift());
    let map = find(&text(), |map| (map.start..map.end).contains(&address));
    Some(map.map(ours))
}

/// Panics if nothing is mapped at one of `addresses`.
pub fn permissions_at(addresses: &[usize]) -> Option<Vec<Permissions>> {
    let (shift, text) = (shift(), text());
    let heads: Vec<_> = text.lines().filter_map(head).collect();
    let permissions = |&address: &usize| {
        let theirs = (address as u64).wrapping_add(shift);
        let is_it = |head: &&Head<'_>| (head.start..head.end).contains(&theirs);
        let head = heads.iter().find(is_it);
        let head = head.unwrap_or_else(|| panic!("{address:#x} is not mapped"));
        permissions_of(head.rest.split(' ').next().expect("a word"))
    };
    Some(addresses.iter().map(permissions).collect())
}

/// Panics if nothing is mapped at `address`.
pub fn maps_of_file_at(address: *const u8) -> Option<Vec<Map>> {
    let theirs = (address.addr() as u64).wrapping_add(shift());
    let holds = |map: &MemoryMap| (map.address.0..map.address.1).contains(&theirs);
    let maps = MemoryMaps::from_read(text().as_bytes()).expect("smaps");
    let mut maps: Vec<_> = maps.into_iter().collect();
    let inode = maps.iter().find(|map| holds(map)).expect("mapped").inode;
    maps.retain(|map| map.inode == inode);
    Some(maps.into_iter().map(ours).collect())
}

pub fn mappings_of(file: &File) -> Option<usize> {
    Some(lengths_of(file).count())
}

pub fn bytes_mapped_of(file: &File) -> Option<usize> {
    Some(lengths_of(file).sum())
}

/// The lengths of the mappings of `file`.
fn lengths_of(file: &File) -> impl Iterator<Item = usize> {
    let inode = file.metadata().expect("its metadata").ino();
    let maps = maps().filter(move |map| map.inode == inode);
    maps.map(|map| length(&map))
}

pub fn mappings_of_length(len: usize) -> Option<usize> {
    Some(maps().filter(|map| length(map) == len).count())
}

pub fn mappings_named(name: &str) -> Option<usize> {
    // (Read as text, because this is used when much is mapped, or in children.)
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc/self/maps");
    Some(maps.matches(name).count())
}

/// Panics if nothing is mapped at one of `addresses`.
pub fn flags_at(addresses: &[usize]) -> Option<Vec<Flags>> {
    let (shift, text) = (shift(), text());
    let theirs = |address: usize| (address as u64).wrapping_add(shift);
    // Those of mappings that hold one of them.
    let (mut mappings, mut of) = (Vec::new(), 0..0);
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("VmFlags:") {
            if addresses.iter().any(|&it| of.contains(&theirs(it))) {
                let words = words.split_ascii_whitespace();
                let known = words.filter_map(|word| Flags::from_name(&word.to_ascii_uppercase()));
                mappings.push((of.clone(), known.collect()));
            }
        } else if let Some(head) = head(line) {
            of = head.start..head.end;
        }
    }
    let flags = |&address: &usize| {
        let mapping = mappings
            .iter()
            .find(|(of, _)| of.contains(&theirs(address)));
        let mapping = mapping.unwrap_or_else(|| panic!("{address:#x} is not mapped"));
        mapping.1
    };
    Some(addresses.iter().map(flags).collect())
}

/// Panics if nothing is mapped at `address`.
pub fn name_at(address: *const u8) -> Option<Option<String>> {
    let address = (address.addr() as u64).wrapping_add(shift());
    let text = text();
    // (As text: a name may have any character that separates one word from the next.)
    let mut heads = text.lines().filter_map(head);
    let is_it = |head: &Head<'_>| (head.start..head.end).contains(&address);
    let line = heads.find(is_it).expect("mapped").rest;
    let words = ["[anon:", "[anon_shmem:"].map(|word| line.split_once(word));
    let name = words.into_iter().flatten().next().map(|(_, name)| name);
    Some(name.map(|name| name.strip_suffix(']').expect("its end").to_owned()))
}

/// Panics if nothing is mapped at `address`.
pub fn memory_policy_at(address: *const u8) -> Option<String> {
    let address = (address.addr() as u64).wrapping_add(shift());
    let text = fs::read_to_string("/proc/self/numa_maps").ok()?;
    // In ascending order; their ends are not listed.
    let starts_before = |line: &&str| {
        let start = line.split(' ').next().expect("an address");
        u64::from_str_radix(start, 16).expect("an address") <= address
    };
    let line = text.lines().take_while(starts_before).last();
    let rest = line.expect("mapped").split_once(' ').expect("a policy").1;
    // A policy may have a space in it; what follows does not.
    let is_policy = |word: &&str| !word.contains('=') && *word != "huge" && *word != "stack";
    let words = rest.split(' ').take_while(is_policy);
    Some(words.collect::<Vec<_>>().join(" "))
}

/// Whether the bare call gives memory a name.
pub fn names_memory() -> Option<bool> {
    let mapped = Mapped::new(MAP_PRIVATE | MAP_ANONYMOUS, unix_memory::page_size(), -1);
    let mapped = mapped.expect("a page");
    let (what, len): (libc::c_ulong, libc::c_ulong) = (0, mapped.len as libc::c_ulong);
    let name = c"name".as_ptr();
    // SAFETY: the page is this function's own, and the name ends with a zero.
    let named = unsafe { libc::prctl(libc::PR_SET_VMA, what, mapped.start, len, name) };
    Some(named == 0)
}

pub fn stack() -> Option<Range<usize>> {
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc/self/maps");
    let line = maps.lines().find(|line| line.ends_with("[stack]"));
    let addresses = line.and_then(|line| line.split(' ').next());
    let (start, end) = addresses.and_then(|addresses| addresses.split_once('-'))?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some(number(start)?..number(end)?)
}

pub fn file_behind(addresses: Range<usize>) -> io::Result<File> {
    let Range { start, end } = addresses;
    let path = format!("/proc/self/map_files/{start:x}-{end:x}");
    File::options().read(true).write(true).open(path)
}

pub fn mapping_limit() -> Option<usize> {
    let limit = fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    limit.trim().parse().ok()
}

pub fn virtual_size() -> Option<usize> {
    Some(status("VmSize:"))
}

pub fn resident_size() -> Option<usize> {
    Some(status("VmRSS:"))
}

pub fn locked_size() -> Option<usize> {
    Some(status("VmLck:"))
}

pub fn peak_resident_size() -> Option<usize> {
    Some(status("VmHWM:"))
}

/// A number of /proc/self/status, in bytes.
fn status(name: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line
        .expect("its line")
        .trim()
        .trim_end_matches(" kB")
        .trim();
    kib.parse::<usize>().expect("a number") << 10
}

pub fn page_size_at_start() -> Option<usize> {
    // SAFETY: the call has no preconditions.
    let told = unsafe { libc::getauxval(libc::AT_PAGESZ) };
    Some(usize::try_from(told).expect("a size"))
}

/// Panics if `fd` is not a descriptor.
pub fn name_of(fd: RawFd) -> Option<PathBuf> {
    Some(fs::read_link(format!("/proc/self/fd/{fd}")).expect("a descriptor"))
}

pub fn names_of_descriptors() -> Option<Vec<PathBuf>> {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc/self/fd");
    let names = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Some(names.collect())
}

pub fn path_to_reopen(fd: RawFd) -> Option<PathBuf> {
    Some(format!("/proc/self/fd/{fd}").into())
}

pub fn file_that_says_it_is_empty() -> Option<File> {
    Some(File::open("/proc/self/status").expect("/proc/self/status"))
}

/// Whether the stack that this program was started with grows, as stacks of the kernel do.
///
/// Panics if the path of the program is not mapped.
pub fn own_stack_grows() -> Option<bool> {
    // SAFETY: the call takes any number.
    let stack = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let flags = flags_at(&[usize::try_from(stack).expect("an address")])?;
    Some(flags[0].contains(Flags::GD))
}

/// Whether the bare call brings pages in when it is given `MAP_POPULATE`.
pub fn populate_flag_populates() -> Option<bool> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | libc::MAP_POPULATE;
    let mapped = Mapped::new(flags, unix_memory::page_size(), -1).expect("a page");
    // The kernel's pages may be smaller: a byte for each.
    let mut pages = vec![0; mapped.len];
    // SAFETY: `pages` has room for as many pages as `len` can have.
    let asked = unsafe { libc::mincore(mapped.start, mapped.len, pages.as_mut_ptr()) };
    Some(asked == 0 && pages[0] & 1 == 1)
}

/// Maps a huge page of `size` bytes of the file behind `fd` several times, at different addresses, and
/// unmaps it: an emulator may or may not happen to choose a suitable address.
pub fn huge_page_can_be_mapped(fd: RawFd, size: usize) -> io::Result<()> {
    const TIMES: usize = 8;
    let mut all = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        all.push(Mapped::new(MAP_SHARED | libc::MAP_NORESERVE, size, fd)?);
        // Small pages in between, so that the next place differs.
        all.push(Mapped::new(
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            unix_memory::page_size(),
            -1,
        )?);
    }
    Ok(())
}

/// Locks the `len` bytes of whole pages from `start` on, which must be mapped, on fault.
pub fn lock_on_fault(start: *mut c_void, len: usize) -> io::Result<()> {
    // SAFETY: a lock changes nothing of what memory holds.
    match unsafe { libc::syscall(libc::SYS_mlock2, start, len, libc::MLOCK_ONFAULT) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

pub fn punch_hole(fd: RawFd, start: usize, len: usize) -> io::Result<()> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    let [start, len] = [start, len].map(|number| number.try_into().expect("an offset"));
    // SAFETY: the call takes integers.
    match unsafe { libc::fallocate(fd, mode, start, len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

pub fn evict(fd: RawFd) -> io::Result<()> {
    // SAFETY: the call takes integers.
    match unsafe { libc::posix_fadvise(fd, 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

pub fn new_pid_namespace() -> io::Result<()> {
    // SAFETY: the call has no preconditions, and changes nothing but where children are.
    match unsafe { libc::unshare(libc::CLONE_NEWPID) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The mappings, at the kernel's own addresses.
fn maps() -> impl Iterator<Item = MemoryMap> {
    let maps = Process::myself().expect("/proc/self").maps();
    maps.expect("/proc/self/maps").into_iter()
}

fn length(map: &MemoryMap) -> usize {
    usize::try_from(map.address.1 - map.address.0).expect("a length")
}

/// `map` in our own types, at the program's addresses.
fn ours(map: MemoryMap) -> Map {
    let place = |address: u64| {
        let address = address.wrapping_sub(shift());
        usize::try_from(address).expect("an address of the program's")
    };
    let permissions = [
        (MMPermissions::READ, Permissions::READ),
        (MMPermissions::WRITE, Permissions::WRITE),
        (MMPermissions::EXECUTE, Permissions::EXECUTE),
        (MMPermissions::SHARED, Permissions::SHARED),
        (MMPermissions::PRIVATE, Permissions::PRIVATE),
    ];
    let has = |(theirs, ours)| map.perms.contains(theirs).then_some(ours);
    let number = |name| map.extension.map.get(name).copied();
    let size = |name| number(name).map(|bytes| usize::try_from(bytes).expect("a size"));
    Map {
        addresses: place(map.address.0)..place(map.address.1),
        permissions: permissions.into_iter().filter_map(has).collect(),
        offset: map.offset,
        page_size: number("KernelPageSize"),
        anonymous: size("Anonymous"),
        anonymous_huge: size("AnonHugePages"),
        huge: [
            "AnonHugePages",
            "ShmemPmdMapped",
            "FilePmdMapped",
            "Shared_Hugetlb",
            "Private_Hugetlb",
        ]
        .into_iter()
        .filter_map(size)
        .sum(),
        path: match map.pathname {
            MMapPath::Path(path) => Some(path),
            _ => None,
        },
    }
}

/// How much higher memory lies in the process than the program believes: zero, except under an
/// emulator. A file of our own is found at both addresses by its name, which is random. (Its inode
/// number might also be that of another file, on another file system.)
fn shift() -> u64 {
    // There is no lock, which one thread might hold while another makes a child; all threads find the
    // same value. (In halves, because some 32-bit processors have no larger atomics.)
    static IS_KNOWN: AtomicBool = AtomicBool::new(false);
    static HALVES: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
    if !IS_KNOWN.load(Ordering::Acquire) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().set_len(1).expect("a file of one byte");
        let fd = file.as_file().as_raw_fd();
        let mapped = Mapped::new(MAP_SHARED, 1, fd).expect("a page of a file");
        let name = file.path().file_name().and_then(|name| name.to_str());
        let name = name.expect("a name");
        let is_it = |head: &Head<'_>| head.rest.contains(name);
        let theirs = find(&text(), is_it).expect("a mapping of the file");
        let shift = theirs.address.0.wrapping_sub(mapped.start.addr() as u64);
        for (half, bits) in HALVES.iter().zip([shift, shift >> 32]) {
            #[allow(clippy::cast_possible_truncation, reason = "a half")]
            half.store(bits as u32, Ordering::Relaxed);
        }
        IS_KNOWN.store(true, Ordering::Release);
    }
    let [low, high] = HALVES.each_ref().map(|half| half.load(Ordering::Relaxed));
    u64::from(high) << 32 | u64::from(low)
}

/// Bytes that are mapped for reading while this lives, by the C library's call.
struct Mapped {
    start: *mut c_void,
    len: usize,
}

impl Mapped {
    fn new(flags: c_int, len: usize, fd: RawFd) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, PROT_READ, flags, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, len })
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the pages are this value's own, and nothing refers to them.
        let unmapped = unsafe { libc::munmap(self.start, self.len) };
        assert_eq!(unmapped, 0);
    }
}
