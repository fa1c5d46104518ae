//! What the kernel says of a mapping: /proc/self/smaps.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use procfs::FromRead;
use procfs::process::{MemoryMap, MemoryMaps, Process};

/// The kernel's entry in /proc/self/smaps for the mapping that holds `address`, if there is one.
///
/// An emulator may put its program's memory elsewhere in its own than the program believes: the
/// addresses here are the program's.
///
/// # Panics
/// Where /proc/self/smaps cannot be read.
#[must_use]
pub fn smaps(address: *const u8) -> Option<MemoryMap> {
    let shift = shift();
    let address = (address.addr() as u64).wrapping_add(shift);
    let mut map = find(&text(), |map| (map.start..map.end).contains(&address))?;
    map.address.0 = map.address.0.wrapping_sub(shift);
    map.address.1 = map.address.1.wrapping_sub(shift);
    Some(map)
}

/// The entries of the file that is mapped at `address`, in the order of their addresses.
///
/// # Panics
/// Where nothing is mapped there, or /proc/self/smaps cannot be read.
#[must_use]
pub fn smaps_of_file(address: *const u8) -> Vec<MemoryMap> {
    let (shift, text) = (shift(), text());
    let theirs = (address.addr() as u64).wrapping_add(shift);
    let holds = |map: &MemoryMap| (map.address.0..map.address.1).contains(&theirs);
    let maps = MemoryMaps::from_read(text.as_bytes()).expect("smaps");
    let mut maps: Vec<_> = maps.into_iter().collect();
    let inode = maps.iter().find(|map| holds(map)).expect("mapped").inode;
    maps.retain(|map| map.inode == inode);
    for map in &mut maps {
        map.address.0 = map.address.0.wrapping_sub(shift);
        map.address.1 = map.address.1.wrapping_sub(shift);
    }
    maps
}

/// The kernel's flags of the mappings that hold `addresses`, as it spells them: also those that have
/// no name in [`procfs`].
///
/// # Panics
/// Where one is not mapped, or /proc/self/smaps cannot be read.
pub fn spelled_flags(addresses: impl IntoIterator<Item = usize>) -> Vec<Vec<String>> {
    let (shift, text) = (shift(), text());
    let flags = |address: usize| {
        let theirs = (address as u64).wrapping_add(shift);
        let entry = entry(&text, |map| (map.start..map.end).contains(&theirs));
        let entry = entry.unwrap_or_else(|| panic!("{address:#x} is not mapped"));
        let flags = entry.lines().find_map(|line| line.strip_prefix("VmFlags:"));
        let words = flags.expect("VmFlags").split_ascii_whitespace();
        words.map(str::to_owned).collect()
    };
    addresses.into_iter().map(flags).collect()
}

/// The file: asked for by its place in a directory, because emulators answer for the whole path.
fn text() -> String {
    let mut text = String::new();
    Process::myself()
        .expect("/proc/self")
        .open_relative("smaps")
        .expect("/proc/self/smaps")
        .read_to_string(&mut text)
        .expect("/proc/self/smaps can be read");
    text
}

/// The first line of an entry, as far as it is needed to find one.
struct Head<'a> {
    start: u64,
    end: u64,
    /// Offset, device, inode, path.
    rest: &'a str,
}

/// The first entry whose head fits. Only that one is parsed as a whole: there are hundreds.
fn find(text: &str, fits: impl Fn(&Head<'_>) -> bool) -> Option<MemoryMap> {
    let entry = entry(text, fits)?;
    let maps = MemoryMaps::from_read(entry.as_bytes()).expect("an entry of smaps");
    maps.into_iter().next()
}

/// The text of the first entry whose head fits.
fn entry(text: &str, fits: impl Fn(&Head<'_>) -> bool) -> Option<String> {
    let mut lines = text.split_inclusive('\n');
    let line = lines
        .by_ref()
        .find(|line| head(line).as_ref().is_some_and(&fits))?;
    let rest = lines.take_while(|line| head(line).is_none());
    Some(std::iter::once(line).chain(rest).collect())
}

/// `line`, if it is the first one of an entry: `start-end permissions offset device inode path`.
fn head(line: &str) -> Option<Head<'_>> {
    // The others begin with a name.
    if line.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let (addresses, rest) = line.split_once(' ')?;
    let (start, end) = addresses.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let (start, end) = (number(start)?, number(end)?);
    Some(Head { start, end, rest })
}

/// How much higher memory is in the process than the program believes: not at all, but under an
/// emulator. A file of our own is found at both addresses.
fn shift() -> u64 {
    static SHIFT: OnceLock<u64> = OnceLock::new();
    *SHIFT.get_or_init(|| {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1).expect("a file of one byte");
        let ours = Mapped::new(&file);
        let inode = file.metadata().expect("its metadata").ino().to_string();
        let is_it = |head: &Head<'_>| head.rest.split_whitespace().nth(3) == Some(&inode);
        let theirs = find(&text(), is_it).expect("a mapping of the file");
        theirs.address.0.wrapping_sub(ours.0.addr() as u64)
    })
}

/// The first page of a file, mapped while this lives, by the C library alone.
struct Mapped(*mut libc::c_void);

impl Mapped {
    fn new(file: &File) -> Self {
        let (protection, flags) = (libc::PROT_READ, libc::MAP_SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                1,
                protection,
                flags,
                file.as_raw_fd(),
                0,
            )
        };
        assert_ne!(address, libc::MAP_FAILED);
        Self(address)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the page is this value's own, and nothing refers to it.
        let unmapped = unsafe { libc::munmap(self.0, 1) };
        assert_eq!(unmapped, 0);
    }
}
