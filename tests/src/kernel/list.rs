//! All mappings of this process at once, for frequent reading: `/proc/self/maps` and
//! `/proc/self/smaps` without what few tests need, and without a new allocation each time; and bytes
//! as the kernel reads them.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::smaps::permissions_of;
use super::{Flags, Permissions};

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is, by the kernel's addresses.
    pub addresses: Range<usize>,
    /// What may be done with it.
    pub permissions: Permissions,
    /// The place in its file at which it starts.
    pub offset: u64,
    /// The inode number of its file; zero without a file.
    pub inode: u64,
    /// Whether it is the heap, which grows and shrinks as somebody allocates.
    pub is_heap: bool,
    /// Its flags, if they were requested.
    pub flags: Option<Flags>,
}

/// The list as it was last [read](Self::read), in the order of the addresses.
#[derive(Debug)]
pub struct List {
    text: Vec<u8>,
    entries: Vec<Entry>,
}

impl List {
    /// An empty one, with room for what most processes have: if addresses are limited, there may be no
    /// room later.
    #[must_use]
    pub fn new() -> Self {
        Self {
            text: Vec::with_capacity(1 << 20),
            entries: Vec::with_capacity(1 << 12),
        }
    }

    /// Reads it again, with the flags if `with_flags`, which takes the kernel several times as long.
    ///
    /// # Errors
    /// Those of `open` and `read`.
    ///
    /// # Panics
    /// If a line does not belong in such a list.
    pub fn read(&mut self, with_flags: bool) -> io::Result<()> {
        let path = if with_flags {
            "/proc/self/smaps"
        } else {
            "/proc/self/maps"
        };
        self.text.clear();
        self.entries.clear();
        File::open(path)?.read_to_end(&mut self.text)?;
        for line in self.text.split(|&byte| byte == b'\n') {
            if let Some(words) = line.strip_prefix(b"VmFlags:") {
                let entry = self.entries.last_mut().expect("flags of an entry");
                entry.flags = Some(flags(words));
            } else if line.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
                let entry = entry(line);
                let entry = entry.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(line)));
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    /// All of it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry that holds `address`.
    #[must_use]
    pub fn at(&self, address: usize) -> Option<&Entry> {
        let place = self
            .entries
            .partition_point(|entry| entry.addresses.end <= address);
        self.entries
            .get(place)
            .filter(|entry| entry.addresses.start <= address)
    }

    /// The bytes of all entries except the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let counted = self.entries.iter().filter(|entry| !entry.is_heap);
        counted.map(|entry| entry.addresses.len()).sum()
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

/// `start-end permissions offset device inode path`.
fn entry(line: &[u8]) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let permissions = permissions_of(words.next()?);
    Some(Entry {
        addresses: number(start)?..number(end)?,
        permissions,
        offset: u64::from_str_radix(words.next()?, 16).ok()?,
        inode: words.nth(1)?.parse().ok()?,
        is_heap: words.next() == Some("[heap]"),
        flags: None,
    })
}

fn flags(words: &[u8]) -> Flags {
    let words = words.split(u8::is_ascii_whitespace);
    let known = words.filter_map(|word| {
        let name = word.to_ascii_uppercase();
        Flags::from_name(std::str::from_utf8(&name).ok()?)
    });
    known.collect()
}

/// The memory of this process as the kernel reads it, whatever its protection: `/proc/self/mem`.
#[derive(Debug)]
pub struct Memory(File);

impl Memory {
    /// For this process; a child needs its own.
    ///
    /// # Errors
    /// If it cannot be opened, or the kernel does not read what the process itself cannot.
    pub fn open() -> io::Result<Self> {
        let memory = Self(File::open("/proc/self/mem")?);
        let closed = unix_memory::MapOptions::new()
            .len(1)
            .map_anonymous(unix_memory::NoAccess)?;
        memory.read(closed.as_ptr().addr(), &mut [0])?;
        Ok(memory)
    }

    /// Reads all of `buffer` from `address` on.
    ///
    /// # Errors
    /// `EIO` if nothing can be brought in.
    pub fn read(&self, address: usize, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, address as u64)
    }
}
