//! The mappings that a sequence has made, beside what they should be.

use std::fs::File;
use std::mem::{take, transmute};
use std::ops::Range;

use tests::Flags;
use unix_memory::reserve::Reservation;
use unix_memory::{
    Error, Failed, LockGuard, LockPages, Locked, Mapping, Permanent, ProcessLock, Protection,
    ReadOnly, ReadWrite, SharedMapping, page_size,
};

use super::limits::Limits;
use super::model::{Area, Lock, Object, Page, Source};
use super::operations::{Kind, Length, Place, Span};
use super::oracle::Oracle;

/// A guard of the library, by its type. In boxes: what guards borrow stays where it is.
#[derive(Debug)]
pub enum Memory {
    Private(Box<Mapping<Protection>>),
    Shared(Box<SharedMapping<Protection>>),
    Locked(Box<Locked<ReadWrite>>),
    Reserved(Box<Reservation>),
    Permanent(Box<Permanent<Protection>>),
}

/// A lock over pages of a thing.
#[derive(Debug)]
pub struct Guard {
    pub held: LockGuard<'static>,
    pub pages: Range<usize>,
    pub lock: Lock,
    /// Whether it is one of the parent's, and of no effect here.
    pub inherited: bool,
}

/// A mapping, and what it should be.
#[derive(Debug)]
pub struct Thing {
    pub name: usize,
    // Before the memory: they are dropped first.
    pub guards: Vec<Guard>,
    pub memory: Memory,
    pub area: Area,
    /// Whether the parent locked it, if it is one that owns its lock.
    pub inherited: bool,
}

/// All of them.
#[derive(Debug)]
pub struct World {
    pub things: Vec<Thing>,
    pub objects: Vec<Object>,
    pub process: Vec<(ProcessLock, LockPages, Lock)>,
    pub oracle: Oracle,
    pub limits: Limits,
    /// Whether this is a child of the process that made all this.
    pub is_child: bool,
    /// Pages that stay mapped forever.
    pub forever: usize,
    /// Those of them that are locked.
    pub locked_forever: usize,
    names: usize,
    /// Whether to say what is done.
    pub tells: Option<File>,
}

/// So many bytes in files at first.
const FILES: [usize; 2] = [6, 3];

impl World {
    pub fn new(limits: Limits, alone: bool) -> Self {
        let oracle = Oracle::new(alone);
        let mut objects = Vec::new();
        for (file, pages) in FILES.into_iter().enumerate() {
            let len = pages * page_size() - 100 * file;
            let bytes: Vec<u8> = (0..len).map(|i| low(i / 7 + i / 1000)).collect();
            let (file, inode) = Oracle::file(&bytes);
            objects.push(Object {
                bytes,
                file: Some(file),
                inode: Some(inode),
            });
        }
        Self {
            things: Vec::new(),
            objects,
            process: Vec::new(),
            oracle,
            limits,
            is_child: false,
            forever: 0,
            locked_forever: 0,
            names: 0,
            tells: None,
        }
    }

    /// The place of the one that `which` means, where there is any.
    pub fn pick(&self, which: u8) -> Option<usize> {
        let count = self.things.len();
        (count != 0).then(|| usize::from(which) % count)
    }

    /// Has one more.
    pub fn add(&mut self, memory: Memory, area: Area) -> &mut Thing {
        self.names += 1;
        let mut thing = Thing {
            name: self.names,
            guards: Vec::new(),
            memory,
            area,
            inherited: false,
        };
        if !self.process.is_empty() {
            thing.area.disturb();
        }
        self.things.push(thing);
        self.things.last_mut().expect("just pushed")
    }

    /// The value of `result`, which should be an error with `refusal` if that is one.
    pub fn settle<T>(&self, result: Result<T, Error>, refusal: Option<i32>) -> Option<T> {
        match (result, refusal) {
            (Ok(value), None) => Some(value),
            (Err(error), Some(errno)) if error.errno() == errno => None,
            (Err(error), None) if self.limits.explain(&error) => None,
            (Err(error), None) => panic!("it was refused: {error}"),
            (Err(error), Some(errno)) => panic!("refused, but not with errno {errno}: {error}"),
            (Ok(_), Some(errno)) => panic!("it was not refused with errno {errno}"),
        }
    }

    /// As [`settle`](Self::settle), of what comes back inside of an error.
    pub fn settle_or_back<T, M>(
        &self,
        result: Result<T, Failed<M>>,
        refusal: Option<i32>,
    ) -> Result<T, M> {
        match result {
            Ok(value) => Ok(self.settle(Ok(value), refusal).expect("a value")),
            Err(failed) => {
                let (error, back) = failed.into_parts();
                assert!(self.settle(Err::<(), _>(error), refusal).is_none());
                Err(back)
            }
        }
    }

    /// How many pages are locked.
    pub fn locked_pages(&self) -> usize {
        let pages = self.things.iter().flat_map(|thing| &thing.area.pages);
        pages.filter(|page| page.lock().is_some()).count() + self.locked_forever
    }

    /// Whether no other thread uses the library.
    pub fn is_alone(&self) -> bool {
        self.oracle.is_alone()
    }
}

impl Area {
    /// Something has brought pages in, of what kinds is not known.
    pub fn disturb(&mut self) {
        for page in &mut self.pages {
            page.touched = true;
        }
        self.ambiguous |= self.is_private_object();
    }

    /// Whether the kernel may have made another page of one of an object, for writing.
    pub fn may_be_copied(&self) -> bool {
        self.is_private_object()
    }
}

impl Thing {
    /// The mapping, if nobody else can change it and it is not locked as a whole.
    pub fn private(&mut self) -> Option<&mut Mapping<Protection>> {
        match &mut self.memory {
            Memory::Private(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Drops all guards.
    pub fn unlock_all(&mut self) {
        while !self.guards.is_empty() {
            self.unlock(0);
        }
    }

    /// Drops one guard.
    pub fn unlock(&mut self, guard: usize) {
        let Guard {
            held,
            pages,
            lock,
            inherited,
        } = self.guards.remove(guard);
        drop(held);
        if !inherited {
            self.let_go(&pages, lock);
        }
    }

    /// A guard over pages went.
    pub fn let_go(&mut self, pages: &Range<usize>, lock: Lock) {
        for page in &mut self.area.pages[pages.clone()] {
            let count = match lock {
                Lock::Full => &mut page.full,
                Lock::OnFault => &mut page.on_fault,
            };
            *count -= 1;
        }
    }

    /// A guard over `range` came.
    pub fn locked(&mut self, guard: LockGuard<'_>, range: &Range<usize>, lock: Lock) {
        let pages = self.area.pages_of(range);
        for page in &mut self.area.pages[pages.clone()] {
            page.hold(Some(lock));
        }
        assert_eq!(guard.len(), pages.len() * page_size());
        if lock == Lock::Full {
            self.area.ambiguous |= self.area.may_be_copied();
        }
        // SAFETY: the types differ in the lifetime alone. The guard is dropped, or forgotten, before
        // the memory that it borrows is changed, moved out of its box or dropped: whatever does that
        // calls `unlock_all` first, and a thing drops its guards before its memory.
        let guard = unsafe { transmute::<LockGuard<'_>, LockGuard<'static>>(guard) };
        self.guards.push(Guard {
            held: guard,
            pages,
            lock,
            inherited: false,
        });
    }

    /// The mapping itself, taken out. Its place has an empty one.
    pub fn take_private(&mut self) -> Option<Mapping<Protection>> {
        self.unlock_all();
        self.private().map(take)
    }

    /// The bytes that `span` means, and whether they lie within the mapping.
    pub fn range(&self, span: Span) -> (Range<usize>, bool) {
        let len = self.area.len;
        match span {
            Span::All => (0..len, true),
            Span::Beyond(pages) => (0..len + 1 + usize::from(pages) * page_size(), false),
            Span::Within(one, other) => {
                let (one, other) = (self.byte(one), self.byte(other));
                (one.min(other)..one.max(other), true)
            }
        }
    }

    /// The byte that `place` means, or the end: of pages as they are in memory.
    pub fn byte(&self, place: Place) -> usize {
        let pages = self.area.pages.len() + 1;
        let byte = usize::from(place.page) % pages * page_size() + usize::from(place.inside);
        byte.saturating_sub(self.area.before()).min(self.area.len)
    }

    /// Whether the library's slices can be asked for all of it.
    pub fn has(&self, protection: Protection) -> bool {
        self.area.protection.contains(protection)
    }

    /// Whether every page of `pages` can be brought in.
    pub fn all_there(&self, pages: Range<usize>, objects: &[Object]) -> bool {
        pages
            .into_iter()
            .all(|page| self.area.is_there(page, objects))
    }
}

/// The last byte of a number.
pub fn low(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// A length in bytes.
pub fn bytes(length: Length) -> usize {
    (usize::from(length.pages) * page_size()).saturating_sub(usize::from(length.less))
}

impl Kind {
    pub fn protection(self) -> Protection {
        let (read, write, execute) = (Protection::READ, Protection::WRITE, Protection::EXECUTE);
        match self {
            Self::NoAccess => Protection::empty(),
            Self::ReadOnly => read,
            Self::ReadWrite => read | write,
            Self::ReadExecute => read | execute,
            Self::WriteOnly => write,
            Self::ExecuteOnly => execute,
            Self::ReadWriteExecute => Protection::all(),
        }
    }
}

/// The same mapping, to be read.
pub fn readable(mapping: &Mapping<Protection>) -> Option<&Mapping<ReadOnly>> {
    mapping.readable()
}

/// A page about which nothing else is known.
pub fn sealed(page: &mut Page) {
    page.set(Flags::SL, Flags::empty());
}

/// Whether the source is private anonymous memory.
pub fn is_anonymous(area: &Area) -> bool {
    area.source == Source::Anonymous
}
