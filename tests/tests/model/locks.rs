//! Operations that keep pages in memory.

use std::mem::{forget, take};
use std::ops::Range;

use unix_memory::{LockPages, Mapping, ProcessLock, Protection, ReadWrite};

use super::model::Lock;
use super::operations::Span;
use super::world::{Guard, Memory, Thing, World, readable};

/// More locks of the whole process are not made: each takes a long time.
const MOST: usize = 2;

impl World {
    pub fn lock(&mut self, which: usize, span: Span) {
        let thing = &self.things[which];
        let is_reserved = matches!(thing.memory, Memory::Reserved(_));
        if !thing.has(Protection::READ) && !is_reserved {
            return;
        }
        let (range, within) = thing.range(span);
        let refusal = self.refusal(thing, &range, within, Lock::Full);
        let guard = match &thing.memory {
            Memory::Private(mapping) => readable(mapping).map(|it| it.lock_range(range.clone())),
            Memory::Shared(mapping) => mapping.readable().map(|it| it.lock_range(range.clone())),
            Memory::Locked(locked) => Some(locked.mapping().lock_range(range.clone())),
            Memory::Reserved(reservation) => Some(reservation.lock_range(range.clone())),
            Memory::Permanent(it) => readable(it.mapping()).map(|it| it.lock_range(range.clone())),
        };
        let guard = guard.expect("it can be read");
        // Whether it is refused or not, pages may have been brought in.
        let guard = self.settle(guard, refusal);
        // SAFETY: only the lifetime differs; see `Thing::locked`, which takes it at once.
        let guard = guard.map(|guard| unsafe { std::mem::transmute(guard) });
        self.locked(which, guard, &range, within, Lock::Full);
    }

    pub fn lock_on_fault(&mut self, which: usize, span: Span) {
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let refusal = self.refusal(thing, &range, within, Lock::OnFault);
        let guard = match &thing.memory {
            Memory::Private(mapping) => mapping.lock_range_on_fault(range.clone()),
            Memory::Shared(mapping) => mapping.lock_range_on_fault(range.clone()),
            Memory::Locked(locked) => locked.mapping().lock_range_on_fault(range.clone()),
            Memory::Permanent(it) => it.mapping().lock_range_on_fault(range.clone()),
            Memory::Reserved(_) => return,
        };
        let guard = self.settle(guard, refusal);
        // SAFETY: as above.
        let guard = guard.map(|guard| unsafe { std::mem::transmute(guard) });
        self.locked(which, guard, &range, within, Lock::OnFault);
    }

    pub fn mlock(&mut self, which: usize, span: Span) {
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let Some(locked) = thing.mlock(range.clone()) else {
            return;
        };
        let refusal = self.refusal(thing, &range, within, Lock::Full);
        let is_kept = self.settle(locked, refusal).is_some();
        if within {
            let area = &mut self.things[which].area;
            area.ambiguous |= area.may_be_copied();
            let pages = area.pages_of(&range);
            for page in &mut area.pages[pages] {
                // Whether it is refused or not, pages may have been brought in.
                page.touched = true;
                if is_kept {
                    page.keep();
                }
            }
        }
    }

    pub fn munlock(&mut self, which: usize, span: Span) {
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let Some(unlocked) = thing.munlock(range.clone()) else {
            return;
        };
        let refusal = (!within).then_some(libc::EINVAL);
        if self.settle(unlocked, refusal).is_some() {
            self.things[which].area.unkeep(&range);
        }
    }

    fn locked(
        &mut self,
        which: usize,
        guard: Option<unix_memory::LockGuard<'static>>,
        range: &Range<usize>,
        within: bool,
        lock: Lock,
    ) {
        let thing = &mut self.things[which];
        match guard {
            Some(guard) => thing.locked(guard, range, lock),
            None if within && lock == Lock::Full => {
                thing.area.ambiguous |= thing.area.may_be_copied();
                let pages = thing.area.pages_of(range);
                for page in &mut thing.area.pages[pages] {
                    page.touched = true;
                }
            }
            None => {}
        }
    }

    /// With what a lock over `range` is to be refused.
    fn refusal(
        &self,
        thing: &Thing,
        range: &Range<usize>,
        within: bool,
        lock: Lock,
    ) -> Option<i32> {
        if !within {
            return Some(libc::EINVAL);
        }
        let pages = thing.area.pages_of(range);
        let is_committed = thing.area.pages[pages.clone()].iter().all(|page| page.open);
        let is_there = lock == Lock::OnFault || thing.all_there(pages.clone(), &self.objects);
        if !is_committed || !is_there {
            return Some(libc::ENOMEM);
        }
        let new = thing.area.pages[pages]
            .iter()
            .filter(|page| page.lock().is_none());
        self.limits.refuses_lock(new.count(), self.locked_pages())
    }

    /// Drops one of the guards over a mapping.
    pub fn unlock(&mut self, which: usize, guard: u8, elsewhere: bool) {
        let thing = &mut self.things[which];
        let count = thing.guards.len();
        if count == 0 {
            return;
        }
        let place = usize::from(guard) % count;
        if !elsewhere || self.limits.is_some() {
            return thing.unlock(place);
        }
        let Guard {
            held: guard,
            pages,
            lock,
            inherited,
        } = thing.guards.remove(place);
        std::thread::scope(|scope| {
            scope.spawn(move || drop(guard)).join().expect("it drops");
        });
        if !inherited {
            thing.let_go(&pages, lock);
        }
    }

    /// Forgets one of them: the pages stay locked.
    pub fn forget(&mut self, which: usize, guard: u8) {
        let thing = &mut self.things[which];
        let count = thing.guards.len();
        if count != 0 {
            forget(thing.guards.remove(usize::from(guard) % count));
        }
    }

    /// Makes it one that owns its lock, or takes the lock away again.
    pub fn lock_as_a_whole(&mut self, which: usize) {
        let thing = &mut self.things[which];
        thing.unlock_all();
        let new = thing
            .area
            .pages
            .iter()
            .filter(|page| page.lock().is_none())
            .count();
        let refusal = self.limits.refuses_lock(new, self.locked_pages());
        let thing = &mut self.things[which];
        match &mut thing.memory {
            Memory::Private(mapping) => match take(&mut **mapping).downcast::<ReadWrite>() {
                Ok(mapping) => match self.settle_or_back(mapping.into_locked(), refusal) {
                    Ok(locked) => {
                        self.things[which].memory = Memory::Locked(Box::new(locked));
                        let thing = &mut self.things[which];
                        thing.inherited = false;
                        for page in &mut thing.area.pages {
                            page.hold(Some(Lock::Full));
                        }
                    }
                    Err(mapping) => self.put_back_as_it_was(which, mapping.erase()),
                },
                Err(mapping) => **mapping_of(&mut thing.memory) = mapping,
            },
            Memory::Locked(_) => {
                let empty = Memory::Private(Box::default());
                let Memory::Locked(locked) = std::mem::replace(&mut thing.memory, empty) else {
                    return;
                };
                let mapping = locked.unlock();
                let all = 0..thing.area.pages.len();
                if !thing.inherited {
                    thing.let_go(&all, Lock::Full);
                }
                self.put_back_as_it_was(which, mapping.erase());
            }
            _ => {}
        }
    }

    pub fn lock_process(&mut self, future: bool, on_fault: bool) {
        if !self.is_alone() || self.process.len() >= MOST || self.limits.is_some() {
            return;
        }
        let mut pages = LockPages::CURRENT;
        pages.set(LockPages::FUTURE, future);
        let (made, lock) = if on_fault {
            (ProcessLock::on_fault(pages), Lock::OnFault)
        } else {
            (ProcessLock::new(pages), Lock::Full)
        };
        match made {
            Ok(made) => {
                self.process.push((made, pages, lock));
                for thing in &mut self.things {
                    thing.area.disturb();
                }
            }
            // Not as root.
            Err(error) => assert!(
                [libc::ENOMEM, libc::EPERM].contains(&error.errno()),
                "{error}"
            ),
        }
    }

    pub fn unlock_process(&mut self, which: u8) {
        let count = self.process.len();
        if count != 0 {
            drop(self.process.remove(usize::from(which) % count));
        }
    }
}

impl Thing {
    /// `mlock`, where there is one.
    fn mlock(&self, range: Range<usize>) -> Option<unix_memory::Result<()>> {
        Some(match &self.memory {
            Memory::Private(mapping) => readable(mapping)?.mlock(range),
            Memory::Shared(mapping) => mapping.readable()?.mlock(range),
            Memory::Locked(locked) => locked.mapping().mlock(range),
            Memory::Permanent(it) => readable(it.mapping())?.mlock(range),
            Memory::Reserved(_) => return None,
        })
    }

    fn munlock(&self, range: Range<usize>) -> Option<unix_memory::Result<()>> {
        Some(match &self.memory {
            Memory::Private(mapping) => mapping.munlock(range),
            Memory::Shared(mapping) => mapping.munlock(range),
            Memory::Locked(locked) => locked.mapping().munlock(range),
            Memory::Permanent(it) => it.mapping().munlock(range),
            Memory::Reserved(_) => return None,
        })
    }

    /// Undoes `mlock` of a part, which may be lost when the length changes.
    pub fn munlock_parts(&mut self) {
        if self.area.pages.iter().all(|page| page.kept) {
            return;
        }
        let all = 0..self.area.len;
        if let Some(unlocked) = self.munlock(all.clone()) {
            unlocked.expect("it is unlocked");
        }
        self.area.unkeep(&all);
    }
}

fn mapping_of(memory: &mut Memory) -> &mut Box<Mapping<Protection>> {
    match memory {
        Memory::Private(mapping) => mapping,
        _ => unreachable!("it was looked at"),
    }
}
