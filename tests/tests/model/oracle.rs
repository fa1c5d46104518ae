//! What the kernel reports, compared with the model.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use tests::kernel::{List, Memory as Bare, locked_size};
use tests::{Flags, Permissions};
use unix_memory::{Protection, Residency, page_size};

use super::model::{Lock, Object, Page, Source, advised};
use super::world::{Memory, Thing, World};

/// How closely to look: the first takes a fraction of the time of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Addresses, protection, sharing and offset; what is mapped beside it; locked bytes; content.
    Quick,
    /// Flags, too, and what is in memory.
    Close,
    /// Content that nobody has touched, too.
    All,
}

#[derive(Debug)]
pub struct Oracle {
    list: List,
    bare: Option<Bare>,
    /// The bytes that were mapped before anything was.
    before: usize,
    /// Whether nobody else in this process maps.
    alone: bool,
    /// Whether the kernel's flags tell locks on fault.
    tells_on_fault: bool,
    pub buffer: [Vec<u8>; 2],
}

/// Whether the kernel's flags tell locks on fault. (To find out takes a while: it is asked once, before
/// there are children.)
pub fn tells_on_fault() -> bool {
    static TELLS: OnceLock<bool> = OnceLock::new();
    *TELLS.get_or_init(|| tests::as_told("f") == "f")
}

impl Oracle {
    pub fn new(alone: bool) -> Self {
        let mut oracle = Self {
            list: List::new(),
            bare: Bare::open().ok(),
            before: 0,
            alone,
            tells_on_fault: tells_on_fault(),
            buffer: [const { Vec::new() }; 2],
        };
        for buffer in &mut oracle.buffer {
            buffer.resize(page_size(), 0);
        }
        oracle
    }

    /// A file that holds `bytes`, and its number.
    pub fn file(bytes: &[u8]) -> (File, u64) {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("a file that takes bytes");
        let inode = file.metadata().expect("its metadata").ino();
        (file, inode)
    }

    /// Begins to count what is mapped.
    pub fn begin(&mut self) {
        self.list.read(false).expect("the kernel's list");
        self.before = self.list.bytes();
    }

    /// Checks whether nothing is left of what was mapped and locked, except that many pages.
    pub fn expect_no_more(&mut self, mapped: usize, locked: usize) {
        self.list.read(false).expect("the kernel's list");
        let expected = self.before + mapped * page_size();
        assert_eq!(
            self.list.bytes(),
            expected,
            "bytes that are mapped, and that should be"
        );
        let expected = locked * page_size();
        let locked = locked_size().get().unwrap_or(expected);
        assert_eq!(
            locked, expected,
            "bytes that are locked, and that should be"
        );
    }

    /// In a child: its memory is its own.
    pub fn in_child(&mut self) {
        self.bare = Bare::open().ok();
        self.alone = true;
    }

    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// In how many mappings the kernel has the pages of `thing`.
    pub fn mappings_of(&mut self, thing: &Thing) -> usize {
        let area = &thing.area;
        let (start, end) = (area.address(0), area.address(area.pages.len()));
        self.list.read(false).expect("the kernel's list");
        let entries = self.list.entries().iter();
        let meets = |range: &Range<usize>| range.start < end && start < range.end;
        entries.filter(|entry| meets(&entry.addresses)).count()
    }

    /// The bytes of `buffer` from `address` on, whatever may be done with them.
    pub fn peek(&self, address: usize, buffer: &mut [u8]) -> Option<bool> {
        let bare = self.bare.as_ref()?;
        Some(bare.read(address, buffer).is_ok())
    }
}

impl World {
    /// Compares everything with what the kernel reports.
    pub fn check(&mut self, look: Look) {
        let strongest = self.process.iter().map(|&(_, _, lock)| lock).max();
        let list = &mut self.oracle.list;
        list.read(look >= Look::Close).expect("the kernel's list");
        for thing in &mut self.things {
            self.oracle
                .check_pages(thing, &self.objects, strongest, look);
        }
        self.check_sums();
        for thing in &mut self.things {
            if look >= Look::Close {
                Oracle::check_residency(thing);
            }
            self.oracle.check_content(thing, &self.objects, look);
            if look == Look::All {
                // What was read is there now.
                thing
                    .area
                    .pages
                    .iter_mut()
                    .for_each(|page| page.touched = true);
            }
        }
    }

    fn check_sums(&self) {
        let oracle = &self.oracle;
        if !oracle.alone || self.limits.loses() {
            return;
        }
        let guards = |thing: &Thing| match thing.memory {
            // One before, and one behind it.
            Memory::Reserved(_) if thing.area.len != 0 => 2,
            _ => 0,
        };
        let pages = |thing: &Thing| thing.area.pages.len() + guards(thing);
        let pages = self.things.iter().map(pages).sum::<usize>() + self.forever;
        let expected = oracle.before + pages * page_size();
        // A reservation of several ranges has a table of them, or two.
        let is_reserved = |thing: &&Thing| matches!(thing.memory, Memory::Reserved(_));
        let tables = 2 * self.things.iter().filter(is_reserved).count() * page_size();
        let found = oracle.list.bytes();
        assert!(
            (expected..=expected + tables).contains(&found),
            "{found} bytes are mapped, and {expected} should be, and up to {tables} more"
        );
        if self.process.is_empty() {
            let expected = self.locked_pages() * page_size();
            let locked = locked_size().get().unwrap_or(expected);
            assert_eq!(
                locked, expected,
                "bytes that are locked, and that should be"
            );
        }
    }
}

impl Oracle {
    fn check_pages(
        &self,
        thing: &mut Thing,
        objects: &[Object],
        process: Option<Lock>,
        look: Look,
    ) {
        let name = thing.name;
        let reserved = thing.area.source == Source::Reserved;
        for number in 0..thing.area.pages.len() {
            let area = &thing.area;
            let address = area.address(number);
            let page = &area.pages[number];
            let entry = self.list.at(address);
            let entry = entry.unwrap_or_else(|| panic!("page {number} of m{name} is not mapped"));
            let (mut permissions, mut file) = (permissions(area.protection), None);
            if reserved && !page.open {
                permissions = Permissions::empty();
            }
            permissions |= match area.source {
                Source::Object { index, private, .. } => {
                    file = objects[index].inode;
                    if private {
                        Permissions::PRIVATE
                    } else {
                        Permissions::SHARED
                    }
                }
                _ => Permissions::PRIVATE,
            };
            assert_eq!(entry.permissions, permissions, "page {number} of m{name}");
            if let Some(inode) = file {
                let offset = entry.offset + (address - entry.addresses.start) as u64;
                let expected = (inode, area.in_object(number) as u64);
                assert_eq!((entry.inode, offset), expected, "page {number} of m{name}");
            } else if !matches!(area.source, Source::Object { .. }) {
                assert_eq!(entry.inode, 0, "page {number} of m{name} is of a file");
            }
            if look >= Look::Close {
                let flags = entry.flags.expect("flags");
                self.check_flags(
                    &mut thing.area.pages[number],
                    flags,
                    process,
                    (name, number),
                );
            }
        }
    }

    fn check_flags(
        &self,
        page: &mut Page,
        flags: Flags,
        process: Option<Lock>,
        (name, number): (usize, usize),
    ) {
        let mut expected = page.flags & page.known;
        let mut known = page.known;
        page.flags = (page.flags & page.known) | (flags & advised() & !page.known);
        page.known = advised();
        match (page.lock(), process) {
            (Some(lock), None) => {
                expected |= Flags::LO;
                known |= Flags::LO;
                if self.tells_on_fault {
                    known |= Flags::LF;
                    if lock == Lock::OnFault {
                        expected |= Flags::LF;
                    }
                }
            }
            (Some(_), Some(_)) => {
                (expected, known) = (expected | Flags::LO, known | Flags::LO);
            }
            (None, None) => known |= Flags::LO,
            (None, Some(_)) => {}
        }
        assert_eq!(flags & known, expected, "flags of page {number} of m{name}");
    }

    /// Whether each page of `thing` is in memory, as the kernel's bare call says.
    fn residency(thing: &Thing) -> Vec<u8> {
        let mut states = vec![0; thing.area.pages.len()];
        if !states.is_empty() {
            let start = std::ptr::without_provenance_mut(thing.area.address(0));
            // SAFETY: the vector has a byte for each page.
            let asked =
                unsafe { libc::mincore(start, states.len() * page_size(), states.as_mut_ptr()) };
            assert_eq!(asked, 0, "mincore of m{}", thing.name);
        }
        states
    }

    /// Looks whether `pages` are in memory.
    pub fn check_presence(thing: &Thing, pages: Range<usize>) {
        let states = Self::residency(thing);
        for page in pages {
            assert!(
                states[page] & 1 == 1,
                "page {page} of m{} was not brought in",
                thing.name
            );
        }
    }

    fn check_residency(thing: &Thing) {
        let Thing { name, area, .. } = thing;
        let states = Self::residency(thing);
        for (number, (page, state)) in area.pages.iter().zip(&states).enumerate() {
            let is_in = state & 1 == 1;
            let is_own = !matches!(area.source, Source::Object { .. });
            if is_own && !page.touched {
                assert!(
                    !is_in,
                    "page {number} of m{name} is in memory, and was not used"
                );
            }
            if page.lock() == Some(Lock::Full) && page.open && !page.late && is_own {
                assert!(
                    is_in,
                    "page {number} of m{name} is locked, and not in memory"
                );
            }
        }
        // And as the library reports it.
        let compare = |residency: Residency<'_>| {
            let found: Vec<_> = residency
                .map(|is_in| u8::from(is_in.expect("mincore")))
                .collect();
            let expected: Vec<_> = states.iter().map(|state| state & 1).collect();
            // Of an object, others may bring pages in.
            let is_own = !matches!(area.source, Source::Object { .. });
            assert!(
                !is_own || found == expected,
                "residency of m{name}: {found:?}, {expected:?}"
            );
        };
        match &thing.memory {
            Memory::Private(mapping) => compare(mapping.residency()),
            Memory::Shared(mapping) => compare(mapping.residency()),
            Memory::Locked(locked) => compare(locked.mapping().residency()),
            Memory::Permanent(permanent) => compare(permanent.mapping().residency()),
            Memory::Reserved(_) => {}
        }
    }
}

fn permissions(protection: Protection) -> Permissions {
    let mut permissions = Permissions::empty();
    for (ours, theirs) in [
        (Protection::READ, Permissions::READ),
        (Protection::WRITE, Permissions::WRITE),
        (Protection::EXECUTE, Permissions::EXECUTE),
    ] {
        if protection.contains(ours) {
            permissions |= theirs;
        }
    }
    permissions
}
