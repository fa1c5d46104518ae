//! Operations that change which mappings there are, and their protection.

use tests::Flags;
use unix_memory::{
    Advice, ExecuteOnly, Mapping, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite,
    ReadWriteExecute, SharedMapping, WriteOnly, page_size,
};

use super::make::with_type;
use super::model::{Area, Lock, Page, Source};
use super::operations::{Hint, Kind, Place, Span};
use super::world::{Memory, World, is_anonymous};

impl World {
    pub fn split(&mut self, which: usize, place: Place) {
        let thing = &mut self.things[which];
        let mid = thing.byte(place);
        let refusal =
            (!mid.is_multiple_of(page_size()) && mid != thing.area.len).then_some(libc::EINVAL);
        let Some(mapping) = thing.take_private() else {
            return;
        };
        match self.settle_or_back(mapping.split_at(mid), refusal) {
            Ok((first, second)) => {
                let area = self.things[which].area.clone();
                let (one, other) = area.split(mid);
                assert_eq!((first.len(), second.len()), (one.len, other.len));
                self.put_back(which, first, one);
                let mut other = other;
                if other.len == 0 {
                    other.start = second.as_ptr().addr();
                }
                self.add(Memory::Private(Box::new(second)), other);
            }
            Err(mapping) => self.put_back_as_it_was(which, mapping),
        }
    }

    pub fn join_with_next(&mut self, which: usize) {
        let area = &self.things[which].area;
        let end = area.start + area.len;
        let is_next = |area: &Area| area.len != 0 && area.start == end;
        let next = self.things.iter().position(|thing| is_next(&thing.area));
        if let Some(next) = next {
            self.join(which, next);
        }
    }

    pub fn join(&mut self, which: usize, other: usize) {
        if which == other {
            return;
        }
        let [one, two] = [which, other].map(|index| &self.things[index]);
        let both = [one, two].map(|thing| matches!(thing.memory, Memory::Private(_)));
        if both != [true, true] {
            return;
        }
        let (first, second) = (&one.area, &two.area);
        let is_one_empty = first.len == 0 || second.len == 0;
        let fits = is_one_empty
            || first.start + first.len == second.start
                && first.len % page_size() == 0
                && is_anonymous(first) == is_anonymous(second)
                && first.protection == second.protection;
        if fits && !is_one_empty && !is_one_source(first, second) {
            // They would be one mapping of two objects, which this model does not support.
            return;
        }
        let refusal = (!fits).then_some(libc::EINVAL);
        let [first, second] = [which, other].map(|index| {
            let mapping = self.things[index].take_private();
            mapping.expect("both were looked at")
        });
        match self.settle_or_back(first.join(second), refusal) {
            Ok(mapping) => {
                let mut second = self.things[other].area.clone();
                let mut area = self.things[which].area.clone();
                if area.len == 0 && second.len != 0 {
                    area = second;
                } else if second.len != 0 {
                    area.pages.append(&mut second.pages);
                    area.len += second.len;
                }
                assert_eq!(mapping.len(), area.len);
                self.put_back(which, mapping, area);
                self.things.remove(other);
            }
            Err((first, second)) => {
                self.put_back_as_it_was(which, first);
                self.put_back_as_it_was(other, second);
            }
        }
    }

    /// Puts `mapping`, which should be as `area`, back in its place.
    pub fn put_back(&mut self, which: usize, mapping: Mapping<Protection>, mut area: Area) {
        if area.len == 0 {
            // Nothing is there.
            area.start = mapping.as_ptr().addr();
        }
        assert_eq!(mapping.as_ptr().addr(), area.start, "where it is");
        assert_eq!(mapping.len(), area.len, "its length");
        assert_eq!(mapping.protection(), area.protection, "its protection");
        self.things[which].memory = Memory::Private(Box::new(mapping));
        self.things[which].area = area;
    }

    pub fn put_back_as_it_was(&mut self, which: usize, mapping: Mapping<Protection>) {
        let area = self.things[which].area.clone();
        self.put_back(which, mapping, area);
    }

    pub fn protect(&mut self, which: usize, kind: Kind) {
        self.things[which].unlock_all();
        let protected = match &mut self.things[which].memory {
            Memory::Private(mapping) => {
                let mapping = std::mem::take(&mut **mapping);
                let result = with_type!(kind, |access| {
                    mapping.protect(access).map(Mapping::erase)
                });
                let result = self.settle_or_back(result, None);
                let done = result.is_ok();
                let (Ok(mapping) | Err(mapping)) = result;
                self.things[which].memory = Memory::Private(Box::new(mapping));
                done
            }
            Memory::Shared(mapping) => {
                let mapping = std::mem::take(&mut **mapping);
                let result = with_type!(kind, |access| {
                    mapping.protect(access).map(SharedMapping::erase)
                });
                let result = self.settle_or_back(result, None);
                let done = result.is_ok();
                let (Ok(mapping) | Err(mapping)) = result;
                self.things[which].memory = Memory::Shared(Box::new(mapping));
                done
            }
            _ => return,
        };
        if protected {
            self.protected(which, kind.protection());
        }
    }

    /// In place.
    pub fn set_protection(&mut self, which: usize, kind: Kind) {
        self.things[which].unlock_all();
        let result = match &mut self.things[which].memory {
            Memory::Private(mapping) => mapping.set_protection(kind.protection()),
            Memory::Shared(mapping) => mapping.set_protection(kind.protection()),
            _ => return,
        };
        if self.settle(result, None).is_some() {
            self.protected(which, kind.protection());
        }
    }

    fn protected(&mut self, which: usize, protection: Protection) {
        let locks_future = !self.process.is_empty();
        let area = &mut self.things[which].area;
        area.protection = protection;
        // Locked pages that become writable are copied at once.
        let locked = area
            .pages
            .iter()
            .any(|page| page.lock() == Some(Lock::Full));
        if locked || locks_future {
            area.ambiguous |= area.is_private_object();
        }
        if locks_future {
            area.disturb();
        }
        let (memory, expected) = (&self.things[which].memory, protection);
        let found = match memory {
            Memory::Private(mapping) => mapping.protection(),
            Memory::Shared(mapping) => mapping.protection(),
            _ => expected,
        };
        assert_eq!(found, expected);
    }

    /// To a type and back: the same mapping, or none of that type.
    pub fn downcast(&mut self, which: usize, kind: Kind) {
        let thing = &mut self.things[which];
        let fits = thing.area.protection == kind.protection();
        match &mut thing.memory {
            Memory::Private(_) => {
                let mapping = thing.take_private().expect("just seen");
                let mapping = with_type!(kind, |access| {
                    let (mapping, cast) = cast(mapping, access);
                    assert_eq!(cast, fits, "downcast");
                    mapping
                });
                self.put_back_as_it_was(which, mapping);
            }
            Memory::Shared(mapping) => {
                let was = (mapping.as_ptr(), mapping.len());
                let readable = mapping
                    .readable()
                    .map(|mapping| (mapping.as_ptr(), mapping.len()));
                let can = thing.area.protection.contains(Protection::READ);
                assert_eq!(readable, can.then_some(was));
            }
            _ => {}
        }
    }

    pub fn advise(&mut self, which: usize, span: Span, Hint(advice): Hint) {
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let pages = if within {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        // The kernel does not take locked pages out of memory.
        let takes_out = matches!(advice, Advice::Cold | Advice::PageOut);
        let is_locked = |page: &Page| page.lock().is_some();
        let locked = thing.area.pages[pages.clone()].iter().any(is_locked);
        let locked = locked || !self.process.is_empty();
        let asked = match &thing.memory {
            Memory::Private(mapping) => mapping.advise_range(range, advice),
            Memory::Shared(mapping) => mapping.advise_range(range, advice),
            Memory::Locked(locked) => locked.mapping().advise_range(range, advice),
            Memory::Reserved(reservation) => reservation.advise_range(range, advice),
            Memory::Permanent(permanent) => permanent.mapping().advise_range(range, advice),
        };
        if within && takes_out && locked && asked.is_err() && !pages.is_empty() {
            return;
        }
        let refusal = (!within).then_some(libc::EINVAL);
        if self.settle(asked, refusal).is_some() {
            for page in &mut self.things[which].area.pages[pages] {
                page.advise(advice);
            }
        }
    }

    pub fn discard(&mut self, which: usize, span: Span) {
        let thing = &mut self.things[which];
        if !thing.has(Protection::READ | Protection::WRITE) {
            return;
        }
        let (range, within) = thing.range(span);
        let whole = |byte: usize| byte.is_multiple_of(page_size()) || byte == thing.area.len;
        let fits = within && (range.is_empty() || whole(range.start) && whole(range.end));
        let fits = fits && is_anonymous(&thing.area);
        let refusal = (!fits).then_some(libc::EINVAL);
        let pages = if fits {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        let executes = thing.has(Protection::EXECUTE);
        let Some(mapping) = thing.take_private() else {
            return;
        };
        let (mapping, result) = if executes {
            let mut mapping = mapping.downcast::<ReadWriteExecute>().expect("its type");
            let result = mapping.discard(range);
            (mapping.erase(), result)
        } else {
            let mut mapping = mapping.downcast::<ReadWrite>().expect("its type");
            let result = mapping.discard(range);
            (mapping.erase(), result)
        };
        self.put_back_as_it_was(which, mapping);
        if self.settle(result, refusal).is_none() {
            return;
        }
        let locked = !self.process.is_empty();
        let pages = &mut self.things[which].area.pages[pages];
        let all = |lock| pages.iter().all(|page: &Page| page.lock() == lock);
        let gone = !locked && (all(None) || all(Some(Lock::OnFault)));
        for page in pages {
            page.bytes = None;
            page.touched =
                !gone || page.flags.contains(Flags::HG) || !page.known.contains(Flags::HG);
        }
    }
}

/// Whether what the second shows is behind what the first does.
fn is_one_source(first: &Area, second: &Area) -> bool {
    match (first.source, second.source) {
        (
            Source::Object { index, offset, .. },
            Source::Object {
                index: same,
                offset: behind,
                ..
            },
        ) => index == same && offset + first.len == behind,
        (first, second) => first == second,
    }
}

/// The same mapping, and whether it had the type.
fn cast<A: unix_memory::Access + Default>(
    mapping: Mapping<Protection>,
    _: A,
) -> (Mapping<Protection>, bool) {
    match mapping.downcast::<A>() {
        Ok(typed) => (typed.erase(), true),
        Err(mapping) => (mapping, false),
    }
}
