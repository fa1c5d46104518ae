//! Operations that make mappings.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use tests::Flags;
use unix_memory::reserve::Reservation;
use unix_memory::{
    Access, Advice, ExecuteOnly, MapOptions, Mapping, NoAccess, Protection, ReadExecute, ReadOnly,
    ReadWrite, ReadWriteExecute, SealedMemory, SharedMapping, WriteOnly, page_size,
};

use super::model::{Area, Lock, Object, Remembered, Source};
use super::operations::{Extras, Hint, Kind, Length};
use super::world::{Memory, World, bytes, low};

/// Calls `$f` with the access that `$kind` means, as a type.
macro_rules! with_type {
    ($kind:expr, $f:expr) => {
        match $kind {
            Kind::NoAccess => $f(NoAccess),
            Kind::ReadOnly => $f(ReadOnly),
            Kind::ReadWrite => $f(ReadWrite),
            Kind::ReadExecute => $f(ReadExecute),
            Kind::WriteOnly => $f(WriteOnly),
            Kind::ExecuteOnly => $f(ExecuteOnly),
            Kind::ReadWriteExecute => $f(ReadWriteExecute),
        }
    };
}

/// More mappings than this are not made: each is looked at after each step.
const MOST: usize = 10;

impl World {
    pub fn is_full(&self) -> bool {
        self.things.len() >= MOST
    }

    pub fn map_anonymous(&mut self, length: Length, kind: Kind, extras: Extras) {
        let (len, protection) = (bytes(length), kind.protection());
        let mut options = MapOptions::new()
            .len(len)
            .lock(extras.lock)
            .dont_dump(extras.dont_dump)
            .populate(extras.populate);
        if let Some(hint) = extras.advice {
            options = options.advice(hint.0);
        }
        let occupied = self.things.iter().find(|thing| thing.area.len != 0);
        let mut refusal = None;
        if let Some(thing) = occupied.filter(|_| extras.taken && len != 0) {
            options = options.at(thing.area.address(0));
            refusal = Some(libc::EEXIST);
        } else if extras.lock && len != 0 && protection.is_empty() {
            // There is nothing to bring in.
            refusal = Some(libc::ENOMEM);
        }
        if extras.lock {
            let pages = len.div_ceil(page_size());
            let limited = self.limits.refuses_lock(pages, self.locked_pages());
            refusal = refusal.or(limited);
        }
        let made = match kind {
            // By its value, as well as by types.
            Kind::ReadOnly => options.map_anonymous(Protection::READ),
            _ => with_type!(kind, |access| erased(options.map_anonymous(access))),
        };
        let takes_out = |hint: Hint| matches!(hint.0, Advice::Cold | Advice::PageOut);
        if !self.process.is_empty() && extras.advice.is_some_and(takes_out) && made.is_err() {
            // What comes may be locked.
            return;
        }
        let Some(mapping) = self.settle(made, refusal) else {
            return;
        };
        assert_eq!((mapping.len(), mapping.protection()), (len, protection));
        let mut area = Area::new(mapping.as_ptr().addr(), len, Source::Anonymous, protection);
        for page in &mut area.pages {
            page.touched = extras.populate;
            if let Some(hint) = extras.advice {
                page.advise(hint.0);
            }
            if extras.dont_dump {
                page.set(Flags::DD, Flags::empty());
            }
            page.hold(extras.lock.then_some(Lock::Full));
        }
        area.remembered = Remembered {
            lock: extras.lock.then_some(Lock::Full),
            kept: false,
            hidden: extras.dont_dump,
        };
        self.add(Memory::Private(Box::new(mapping)), area);
    }

    pub fn map_guarded(&mut self, before: u8, length: Length, behind: u8, kind: Kind) {
        let (len, protection) = (bytes(length), kind.protection());
        let pages = [before, behind].map(|pages| usize::from(pages) * page_size());
        let options = MapOptions::new().len(len);
        let made = options.map_guarded(pages[0], pages[1], protection);
        let Some(guarded) = self.settle(made, None) else {
            return;
        };
        let (first, middle, last) = guarded.into_parts();
        assert_eq!(
            [first.len(), middle.len(), last.len()],
            [pages[0], len, pages[1]]
        );
        if !first.is_empty() && !middle.is_empty() {
            assert_eq!(first.as_ptr().addr() + first.len(), middle.as_ptr().addr());
        }
        for mapping in [first.erase(), middle, last.erase()] {
            let (start, len) = (mapping.as_ptr().addr(), mapping.len());
            let area = Area::new(start, len, Source::Anonymous, mapping.protection());
            self.add(Memory::Private(Box::new(mapping)), area);
        }
    }

    pub fn map_shared(&mut self, length: Length, kind: Kind) {
        let (len, protection) = (bytes(length), kind.protection());
        let options = MapOptions::new().len(len);
        let made = with_type!(kind, |access| {
            options
                .map_anonymous_shared(access)
                .map(SharedMapping::erase)
        });
        let Some(mapping) = self.settle(made, None) else {
            return;
        };
        self.objects.push(Object {
            bytes: vec![0; len.next_multiple_of(page_size())],
            file: None,
            inode: None,
        });
        let index = self.objects.len() - 1;
        let source = Source::Object {
            index,
            offset: 0,
            private: false,
        };
        let area = Area::new(mapping.as_ptr().addr(), len, source, protection);
        self.add(Memory::Shared(Box::new(mapping)), area);
    }

    /// A private mapping of what nobody can change, which has a slice all the same.
    pub fn map_sealed(&mut self, length: Length, first: u8) {
        let len = bytes(length);
        let pattern: Vec<u8> = (0..len).map(|i| first.wrapping_add(low(i / 100))).collect();
        let Some(sealed) = self.settle(SealedMemory::from_bytes(&pattern), None) else {
            return;
        };
        let file = File::from(sealed.as_fd().try_clone_to_owned().expect("a descriptor"));
        let inode = file.metadata().expect("its metadata").ino();
        let mapping = sealed.into_mapping();
        self.objects.push(Object {
            bytes: pattern,
            file: None,
            inode: Some(inode),
        });
        let index = self.objects.len() - 1;
        let source = Source::Object {
            index,
            offset: 0,
            private: true,
        };
        let area = Area::new(mapping.as_ptr().addr(), len, source, Protection::READ);
        self.add(Memory::Private(Box::new(mapping.erase())), area);
    }

    pub fn map_file(
        &mut self,
        file: u8,
        (page, inside): (u8, bool),
        length: Length,
        private: bool,
        kind: Kind,
    ) {
        let files = self
            .objects
            .iter()
            .filter(|object| object.file.is_some())
            .count();
        let index = usize::from(file) % files;
        let (len, protection) = (bytes(length), kind.protection());
        let offset = usize::from(page) * page_size() + if inside { 100 } else { 0 };
        let object = &self.objects[index];
        let file = object
            .file
            .as_ref()
            .expect("the first ones are files")
            .as_fd();
        let there = object.bytes.len();
        // Every other one goes past the end.
        let past_end = len % 2 == 0;
        let refusal = (offset + len > there && !past_end).then_some(libc::ENXIO);
        let options = MapOptions::new()
            .len(len)
            .offset(offset as u64)
            .past_end(past_end);
        let made = with_type!(kind, |access| {
            let made = if private {
                options.map_private(file, access)
            } else {
                options.map_shared(file, access)
            };
            made.map(SharedMapping::erase)
        });
        let Some(mapping) = self.settle(made, refusal) else {
            return;
        };
        assert_eq!((mapping.len(), mapping.protection()), (len, protection));
        let source = Source::Object {
            index,
            offset,
            private,
        };
        let area = Area::new(mapping.as_ptr().addr(), len, source, protection);
        self.add(Memory::Shared(Box::new(mapping)), area);
    }

    pub fn reserve(&mut self, pages: u8) {
        let len = usize::from(pages) * page_size();
        let Some(reservation) = self.settle(Reservation::new(len), None) else {
            return;
        };
        let protection = Protection::READ | Protection::WRITE;
        let area = Area::new(
            reservation.as_ptr().addr(),
            len,
            Source::Reserved,
            protection,
        );
        self.add(Memory::Reserved(Box::new(reservation)), area);
    }
}

fn erased<A: Access>(
    made: unix_memory::Result<Mapping<A>>,
) -> unix_memory::Result<Mapping<Protection>> {
    made.map(Mapping::erase)
}

pub(crate) use with_type;
