//! What memory should be, page by page, without the library and without the kernel.

use std::fs::File;
use std::ops::Range;

use tests::Flags;
use unix_memory::{Advice, Protection, page_size};

/// How pages are locked permanently, and whether they are hidden, for a mapping that has no pages left
/// to record it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Remembered {
    pub lock: Option<Lock>,
    /// By `mlock`: never without pages.
    pub kept: bool,
    pub hidden: bool,
}

/// The ways to lock a page; the later wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    OnFault,
    Full,
}

/// Memory that several mappings may show: that of a file, or a shared one without.
#[derive(Debug)]
pub struct Object {
    pub bytes: Vec<u8>,
    /// By which its length is changed.
    pub file: Option<File>,
    /// Its number, where it has one.
    pub inode: Option<u64>,
}

/// What memory is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Private and anonymous.
    Anonymous,
    /// Addresses of which some are committed.
    Reserved,
    /// An object, from the byte `offset` on; writes are its own where it is `private`.
    Object {
        index: usize,
        offset: usize,
        private: bool,
    },
}

/// A page.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each says something of its own"
)]
#[derive(Clone, Debug)]
pub struct Page {
    /// What it holds, where that is its own: zeros otherwise, or what the object holds there.
    pub bytes: Option<Box<[u8]>>,
    /// Whether the kernel may have brought it in.
    pub touched: bool,
    /// Whether it came to a locked mapping when nobody could access that: the kernel brings such a
    /// page in when it is used.
    pub late: bool,
    /// Of a reservation, whether it is committed.
    pub open: bool,
    /// How many locks of each kind hold it.
    pub full: u32,
    pub on_fault: u32,
    /// Whether `mlock` holds it.
    pub kept: bool,
    /// What advice has made of it, as far as that is `known`.
    pub flags: Flags,
    pub known: Flags,
}

/// Those that advice changes.
pub fn advised() -> Flags {
    Flags::RR | Flags::SR | Flags::HG | Flags::NH | Flags::DD | Flags::SL | Flags::DC | Flags::WF
}

impl Page {
    pub fn new(open: bool) -> Self {
        Self {
            bytes: None,
            touched: false,
            late: false,
            open,
            full: 0,
            on_fault: 0,
            kept: false,
            flags: Flags::empty(),
            known: advised(),
        }
    }

    pub fn lock(&self) -> Option<Lock> {
        if self.kept {
            Some(Lock::Full)
        } else {
            self.guarded()
        }
    }

    /// How it is locked by what nests.
    fn guarded(&self) -> Option<Lock> {
        match (self.full, self.on_fault) {
            (0, 0) => None,
            (0, _) => Some(Lock::OnFault),
            _ => Some(Lock::Full),
        }
    }

    /// Locked by `mlock`.
    pub fn keep(&mut self) {
        (self.kept, self.touched, self.late) = (true, true, false);
    }

    /// Locked once more, by what is never dropped.
    pub fn hold(&mut self, lock: Option<Lock>) {
        match lock {
            Some(Lock::Full) => {
                self.full += 1;
                (self.touched, self.late) = (true, false);
            }
            Some(Lock::OnFault) => self.on_fault += 1,
            None => {}
        }
    }

    pub fn set(&mut self, flags: Flags, clear: Flags) {
        self.flags = (self.flags & !clear) | flags;
        self.known |= flags | clear;
    }

    pub fn advise(&mut self, advice: Advice) {
        let sequence = Flags::RR | Flags::SR;
        let huge = Flags::HG | Flags::NH;
        match advice {
            Advice::Normal => self.set(Flags::empty(), sequence),
            Advice::Random => self.set(Flags::RR, sequence),
            Advice::Sequential => self.set(Flags::SR, sequence),
            Advice::HugePage => {
                self.set(Flags::HG, huge);
                // What is beside it may come with it.
                self.touched = true;
            }
            Advice::NoHugePage => self.set(Flags::NH, huge),
            Advice::DontDump => self.set(Flags::DD, Flags::DD),
            Advice::DoDump => self.set(Flags::empty(), Flags::DD),
            Advice::DoFork => self.set(Flags::empty(), Flags::DC),
            Advice::KeepOnFork => self.set(Flags::empty(), Flags::WF),
            _ => {}
        }
    }
}

/// A mapping.
#[derive(Clone, Debug)]
pub struct Area {
    /// The address of the first byte, and how many there are.
    pub start: usize,
    pub len: usize,
    pub source: Source,
    pub protection: Protection,
    pub pages: Vec<Page>,
    pub remembered: Remembered,
    /// Whether it is not known which pages of a private mapping of an object are its own by now.
    pub ambiguous: bool,
}

impl Area {
    pub fn new(start: usize, len: usize, source: Source, protection: Protection) -> Self {
        let mut area = Self {
            start,
            len,
            source,
            protection,
            pages: Vec::new(),
            remembered: Remembered::default(),
            ambiguous: false,
        };
        let count = if len == 0 {
            0
        } else {
            (area.before() + len).div_ceil(page_size())
        };
        area.pages = vec![Page::new(source != Source::Reserved); count];
        area
    }

    /// The bytes of the first page that are not its own.
    pub fn before(&self) -> usize {
        self.start % page_size()
    }

    /// The address of a page.
    pub fn address(&self, page: usize) -> usize {
        self.start - self.before() + page * page_size()
    }

    /// The pages that hold a byte of `range`.
    pub fn pages_of(&self, range: &Range<usize>) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        let (start, end) = (self.before() + range.start, self.before() + range.end);
        start / page_size()..end.div_ceil(page_size())
    }

    /// Where a byte of the mapping is: in which page, and where in that.
    pub fn place(&self, byte: usize) -> (usize, usize) {
        let byte = self.before() + byte;
        (byte / page_size(), byte % page_size())
    }

    /// The place in the object of the first byte of `page`.
    pub fn in_object(&self, page: usize) -> usize {
        match self.source {
            Source::Object { offset, .. } => offset - offset % page_size() + page * page_size(),
            _ => 0,
        }
    }

    pub fn is_private_object(&self) -> bool {
        matches!(self.source, Source::Object { private: true, .. })
    }

    /// Whether all pages are alike, as far as that is known.
    pub fn is_uniform(&self) -> bool {
        let alike = |pair: &[Page]| {
            let [one, other] = pair else { return true };
            let locks = |page: &Page| (page.guarded(), page.kept);
            locks(one) == locks(other) && one.flags == other.flags && one.known == other.known
        };
        self.pages.windows(2).all(alike)
    }

    /// How all pages are locked, if they are: on fault, if one is; and whether one is hidden.
    pub fn kept(&self) -> Remembered {
        if self.pages.is_empty() {
            return self.remembered;
        }
        let locks = self.pages.iter().map(Page::guarded);
        Remembered {
            lock: locks.min().expect("a page"),
            kept: self.pages.iter().all(|page| page.kept),
            hidden: self.pages.iter().any(|page| page.flags.contains(Flags::DD)),
        }
    }

    /// `mlock` is undone for the pages of `range`.
    pub fn unkeep(&mut self, range: &Range<usize>) {
        let pages = self.pages_of(range);
        for page in &mut self.pages[pages] {
            page.kept = false;
        }
    }

    /// The content of `page`, if it has any: none past the end of its object.
    pub fn content<'a>(&'a self, page: usize, objects: &'a [Object], buffer: &'a mut [u8]) -> bool {
        buffer.fill(0);
        if let Some(bytes) = &self.pages[page].bytes {
            buffer.copy_from_slice(bytes);
        } else if let Source::Object { index, .. } = self.source {
            let bytes = &objects[index].bytes;
            let start = self.in_object(page);
            if start >= bytes.len() {
                return false;
            }
            let rest = &bytes[start..bytes.len().min(start + page_size())];
            buffer[..rest.len()].copy_from_slice(rest);
        }
        self.is_there(page, objects)
    }

    /// Whether an access to `page` finds something, were it allowed.
    pub fn is_there(&self, page: usize, objects: &[Object]) -> bool {
        match self.source {
            Source::Object { index, .. } => self.in_object(page) < objects[index].bytes.len(),
            _ => true,
        }
    }

    /// Writes `bytes` at byte `start`.
    pub fn write(&mut self, start: usize, bytes: &[u8], objects: &mut [Object]) {
        let mut done = 0;
        while done < bytes.len() {
            let (page, within) = self.place(start + done);
            let count = (page_size() - within).min(bytes.len() - done);
            let part = &bytes[done..done + count];
            done += count;
            match self.source {
                Source::Object {
                    index,
                    private: false,
                    ..
                } => {
                    let at = self.in_object(page) + within;
                    objects[index].bytes[at..at + count].copy_from_slice(part);
                }
                _ => self.own(page, objects)[within..within + count].copy_from_slice(part),
            }
            self.pages[page].touched = true;
        }
    }

    /// The content of `page`, which is its own from now on.
    pub fn own(&mut self, page: usize, objects: &[Object]) -> &mut [u8] {
        if self.pages[page].bytes.is_none() {
            let mut bytes = vec![0; page_size()].into_boxed_slice();
            let _there = self.content(page, objects, &mut bytes);
            self.pages[page].bytes = Some(bytes);
        }
        self.pages[page].bytes.as_mut().expect("made just now")
    }

    /// The bytes of `range`, which are there.
    pub fn read(&self, range: Range<usize>, objects: &[Object]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(range.len());
        let mut buffer = vec![0; page_size()];
        let mut at = range.start;
        while at < range.end {
            let (page, within) = self.place(at);
            let count = (page_size() - within).min(range.end - at);
            let _there = self.content(page, objects, &mut buffer);
            bytes.extend_from_slice(&buffer[within..within + count]);
            at += count;
        }
        bytes
    }

    /// Cut before byte `mid`, where a page begins or an end is.
    pub fn split(mut self, mid: usize) -> (Self, Self) {
        let kept = self.kept();
        let pages = if mid == self.len {
            self.pages.len()
        } else {
            self.place(mid).0
        };
        let mut second = self.clone();
        second.pages = self.pages.split_off(pages);
        (second.start, second.len) = (self.start + mid, self.len - mid);
        if let Source::Object { offset, .. } = &mut second.source {
            *offset += mid;
        }
        self.len = mid;
        for part in [&mut self, &mut second] {
            if part.len == 0 {
                part.remembered = Remembered {
                    kept: false,
                    ..kept
                };
                part.pages.clear();
            }
        }
        (self, second)
    }

    /// The pages of a mapping that is `len` bytes long now, at `start`; what has come is known in part.
    pub fn resize(&mut self, start: usize, len: usize) {
        let kept = self.kept();
        let uniform = self.is_uniform();
        let anew = self.pages.is_empty();
        let moved = start != self.start;
        let shrinks = len <= self.len;
        (self.start, self.len) = (start, len);
        let count = if len == 0 {
            0
        } else {
            (self.before() + len).div_ceil(page_size())
        };
        if len == 0 {
            self.remembered = Remembered {
                kept: false,
                ..kept
            };
        }
        if shrinks {
            self.pages.truncate(count);
            return;
        }
        if moved && !anew {
            for page in &mut self.pages {
                // Where it was copied, that has touched all; and no advice comes along.
                page.touched = true;
                page.known = Flags::DD | Flags::SL;
                if !uniform {
                    (page.full, page.on_fault) = (0, 0);
                    page.hold(kept.lock);
                    page.kept = kept.kept;
                    if kept.hidden {
                        page.flags |= Flags::DD;
                    }
                }
            }
        }
        let mut new = Page::new(true);
        new.hold(kept.lock);
        if kept.kept {
            new.keep();
        }
        new.late = self.protection.is_empty();
        if kept.hidden {
            new.flags = Flags::DD;
        }
        if !anew {
            new.known = Flags::DD | Flags::SL;
            new.touched |= self.pages.iter().any(|page| page.flags.contains(Flags::HG));
        }
        self.pages.resize(count, new);
    }
}
