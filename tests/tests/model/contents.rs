//! Operations on what memory holds.

use std::mem::take;
use std::ops::Range;

use unix_memory::{Flush, Protection, ReadWrite, ReadWriteExecute, page_size};

use super::model::{Lock, Source};
use super::operations::{Length, Place, Span};
use super::oracle::Oracle;
use super::world::{Memory, World, bytes, low, readable};

impl World {
    /// Whether it is not known which pages show an object: then it must not change.
    fn is_ambiguous(&self, object: usize) -> bool {
        self.things.iter().any(|thing| match thing.area.source {
            Source::Object { index, .. } => index == object && thing.area.ambiguous,
            _ => false,
        })
    }

    /// Writes a pattern that begins with `first`.
    pub fn write(&mut self, which: usize, span: Span, first: u8) {
        let (mut range, within) = self.things[which].range(span);
        if let Source::Object {
            index,
            offset,
            private,
        } = self.things[which].area.source
        {
            if !private && (self.is_child || self.is_ambiguous(index)) {
                // In a child: the parent would see it.
                return;
            }
            let there = self.objects[index].bytes.len();
            if within {
                range.end = range.end.min(there.saturating_sub(offset).max(range.start));
            }
        }
        let pattern: Vec<u8> = (0..range.len())
            .map(|i| first.wrapping_add(low(i)))
            .collect();
        let thing = &mut self.things[which];
        let is_shared = matches!(thing.memory, Memory::Shared(_));
        if !is_shared {
            // To write to it takes it whole.
            thing.unlock_all();
        }
        let fits = within && range.end <= thing.area.len;
        match &mut thing.memory {
            Memory::Private(mapping) => match mapping.as_mut_slice() {
                Some(bytes) if fits => bytes[range.clone()].copy_from_slice(&pattern),
                _ => return,
            },
            Memory::Locked(locked) if fits => locked[range.clone()].copy_from_slice(&pattern),
            Memory::Reserved(reservation) => {
                let Some(bytes) = reservation.get_mut(range.clone()) else {
                    let pages = thing.area.pages_of(&range);
                    let pages = thing.area.pages.get(pages);
                    let open = pages.is_some_and(|pages| pages.iter().all(|page| page.open));
                    assert!(!fits || !open, "committed pages can be had");
                    return;
                };
                bytes.copy_from_slice(&pattern);
            }
            Memory::Shared(mapping) => {
                let Some(mapping) = mapping.writable() else {
                    return;
                };
                let written = if pattern.windows(2).all(|pair| pair[0] == pair[1]) {
                    mapping.fill(range.clone(), first)
                } else {
                    mapping.write_at(range.start, &pattern)
                };
                let refusal = (!fits).then_some(libc::EINVAL);
                if self.settle(written, refusal).is_none() {
                    return;
                }
            }
            _ => return,
        }
        if !range.is_empty() {
            let area = &mut self.things[which].area;
            area.write(range.start, &pattern, &mut self.objects);
        }
    }

    /// Writes in a thread that has the mapping meanwhile.
    pub fn write_elsewhere(&mut self, which: usize, span: Span, byte: u8) {
        let thing = &mut self.things[which];
        let (range, within) = thing.range(span);
        let can = thing.has(Protection::READ | Protection::WRITE);
        // There may be no room for a thread.
        if !within || !can || self.limits.is_some() {
            return;
        }
        let thing = &mut self.things[which];
        let Some(mapping) = thing.take_private() else {
            return;
        };
        let part = range.clone();
        let mapping = std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let mut mapping = mapping;
                mapping.as_mut_slice().expect("it can be written")[part].fill(byte);
                mapping
            });
            thread.join().expect("the thread writes")
        });
        self.put_back_as_it_was(which, mapping);
        let area = &mut self.things[which].area;
        area.write(range.start, &vec![byte; range.len()], &mut self.objects);
    }

    pub fn copy_within(&mut self, which: usize, span: Span, to: Place) {
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let to = thing.byte(to);
        let (
            Memory::Shared(mapping),
            Source::Object {
                index,
                offset,
                private,
            },
        ) = (&thing.memory, thing.area.source)
        else {
            return;
        };
        let there = self.objects[index].bytes.len().saturating_sub(offset);
        let end = range.end.max(to + range.len());
        if !within
            || end > there.min(thing.area.len)
            || !private && (self.is_child || self.is_ambiguous(index))
        {
            return;
        }
        let Some(mapping) = mapping.writable() else {
            return;
        };
        let copied = mapping.copy_within(range.clone(), to);
        if self.settle(copied, None).is_some() && !range.is_empty() {
            let area = &mut self.things[which].area;
            let bytes = area.read(range, &self.objects);
            area.write(to, &bytes, &mut self.objects);
        }
    }

    pub fn set_file_length(&mut self, file: u8, length: Length) {
        let files = self
            .objects
            .iter()
            .filter(|object| object.file.is_some())
            .count();
        let index = usize::from(file) % files;
        let is_of_it = |source| matches!(source, Source::Object { index: of, .. } if of == index);
        if self.is_child || self.is_ambiguous(index) {
            return;
        }
        let len = bytes(length);
        let object = &mut self.objects[index];
        let file = &object.file.as_ref().expect("the first ones are files");
        file.set_len(len as u64).expect("a length");
        object.bytes.resize(len, 0);
        for thing in &mut self.things {
            let area = &mut thing.area;
            if !is_of_it(area.source) {
                continue;
            }
            // With the page of the file goes the copy of it.
            for page in 0..area.pages.len() {
                if area.in_object(page) >= len {
                    area.pages[page].bytes = None;
                }
            }
        }
    }

    pub fn flush(&mut self, which: usize, span: Span, mode: u8) {
        let modes = [Flush::Sync, Flush::Async, Flush::Invalidate];
        let mode = modes[usize::from(mode) % modes.len()];
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let pages = if within {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        let locked = thing.area.pages[pages.clone()]
            .iter()
            .any(|page| page.lock().is_some());
        let flushed = match &thing.memory {
            Memory::Private(mapping) => mapping.flush_range(range, mode),
            Memory::Shared(mapping) => mapping.flush_range(range, mode),
            Memory::Locked(locked) => locked.mapping().flush_range(range, mode),
            Memory::Permanent(permanent) => permanent.mapping().flush_range(range, mode),
            Memory::Reserved(_) => return,
        };
        if !self.process.is_empty() && mode == Flush::Invalidate {
            return;
        }
        let refusal = if !within {
            Some(libc::EINVAL)
        } else if locked && mode == Flush::Invalidate {
            Some(libc::EBUSY)
        } else {
            None
        };
        let _flushed = self.settle(flushed, refusal);
    }

    pub fn populate(&mut self, which: usize, span: Span) {
        let thing = &self.things[which];
        let (range, within) = thing.range(span);
        let populated = match &thing.memory {
            Memory::Private(mapping) => {
                readable(mapping).map(|it| it.populate_range(range.clone()))
            }
            Memory::Shared(mapping) => mapping
                .readable()
                .map(|it| it.populate_range(range.clone())),
            Memory::Locked(locked) => Some(locked.mapping().populate_range(range.clone())),
            _ => None,
        };
        let Some(populated) = populated else {
            return;
        };
        let pages = if within {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        let refusal = if !within {
            Some(libc::EINVAL)
        } else if !thing.all_there(pages.clone(), &self.objects) {
            Some(libc::EFAULT)
        } else {
            None
        };
        let done = self.settle(populated, refusal).is_some();
        self.populated(which, pages, done);
    }

    /// What was brought in is there.
    fn populated(&mut self, which: usize, pages: Range<usize>, done: bool) {
        let thing = &mut self.things[which];
        for page in &mut thing.area.pages[pages.clone()] {
            page.touched = true;
        }
        if done {
            Oracle::check_presence(thing, pages);
        }
    }

    pub fn populate_write(&mut self, which: usize, span: Span) {
        let thing = &mut self.things[which];
        if !thing.has(Protection::READ | Protection::WRITE) {
            return;
        }
        let (range, within) = thing.range(span);
        let pages = if within {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        let mut refusal = (!within).then_some(libc::EINVAL);
        let executes = thing.has(Protection::EXECUTE);
        let populated = match &mut thing.memory {
            Memory::Private(_) => {
                let mapping = thing.take_private().expect("it is one");
                let (mapping, result) = if executes {
                    let mut mapping = mapping.downcast::<ReadWriteExecute>().expect("its type");
                    let result = mapping.populate_write_range(range);
                    (mapping.erase(), result)
                } else {
                    let mut mapping = mapping.downcast::<ReadWrite>().expect("its type");
                    let result = mapping.populate_write_range(range);
                    (mapping.erase(), result)
                };
                self.put_back_as_it_was(which, mapping);
                result
            }
            Memory::Shared(mapping) => {
                let populated = mapping.writable().map(|it| it.populate_write_range(range));
                if within && !thing.all_there(pages.clone(), &self.objects) {
                    refusal = Some(libc::EFAULT);
                }
                thing.area.ambiguous |= thing.area.is_private_object();
                populated.expect("it can be written")
            }
            _ => return,
        };
        let done = self.settle(populated, refusal).is_some();
        self.populated(which, pages, done);
    }

    pub fn commit(&mut self, which: usize, span: Span) {
        let thing = &mut self.things[which];
        thing.unlock_all();
        let (range, within) = thing.range(span);
        let pages = if within {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        let Memory::Reserved(reservation) = &mut thing.memory else {
            return;
        };
        let committed = reservation.commit(range);
        let refusal = (!within).then_some(libc::EINVAL);
        if self.settle(committed, refusal).is_some() {
            let disturbed = !self.process.is_empty();
            for page in &mut self.things[which].area.pages[pages] {
                // Locked pages come when they can be written.
                page.touched |= !page.open && (page.lock() == Some(Lock::Full) || disturbed);
                page.open = true;
            }
        }
        self.check_account(which);
    }

    pub fn decommit(&mut self, which: usize, span: Span) {
        let thing = &mut self.things[which];
        thing.unlock_all();
        let (range, within) = thing.range(span);
        let whole = |byte: usize| byte.is_multiple_of(page_size());
        let fits = within && (range.is_empty() || whole(range.start) && whole(range.end));
        let pages = if fits {
            thing.area.pages_of(&range)
        } else {
            0..0
        };
        let Memory::Reserved(reservation) = &mut thing.memory else {
            return;
        };
        let decommitted = reservation.decommit(range);
        let refusal = (!fits).then_some(libc::EINVAL);
        if self.settle(decommitted, refusal).is_some() {
            let disturbed = !self.process.is_empty();
            for page in &mut self.things[which].area.pages[pages] {
                // What was not committed is not given back, should somebody have looked at it.
                page.touched &= disturbed || !page.open;
                page.bytes = None;
                page.open = false;
            }
        }
        self.check_account(which);
    }

    /// The reservation's own account.
    fn check_account(&self, which: usize) {
        let thing = &self.things[which];
        let Memory::Reserved(reservation) = &thing.memory else {
            return;
        };
        let open = thing.area.pages.iter().filter(|page| page.open).count();
        assert_eq!(reservation.committed_bytes(), open * page_size());
        for (number, page) in thing.area.pages.iter().enumerate() {
            let bytes = number * page_size()..(number + 1) * page_size();
            assert_eq!(reservation.is_committed(bytes), page.open, "page {number}");
        }
    }

    /// Unmaps it, or drops it.
    pub fn remove(&mut self, which: usize, unmaps: bool) {
        let thing = &mut self.things[which];
        thing.unlock_all();
        let result = match &mut thing.memory {
            Memory::Private(mapping) if unmaps => {
                let mapping = take(&mut **mapping);
                let result = mapping.unmap();
                self.settle_or_back(result, None)
                    .map_err(|mapping| Memory::Private(Box::new(mapping)))
            }
            Memory::Shared(mapping) if unmaps => {
                let mapping = take(&mut **mapping);
                let result = mapping.unmap();
                self.settle_or_back(result, None)
                    .map_err(|mapping| Memory::Shared(Box::new(mapping)))
            }
            Memory::Permanent(_) => {
                self.forever += thing.area.pages.len();
                let locked = thing.area.pages.iter().filter(|page| page.lock().is_some());
                self.locked_forever += locked.count();
                Ok(())
            }
            _ => Ok(()),
        };
        match result {
            Ok(()) => drop(self.things.remove(which)),
            Err(memory) => self.things[which].memory = memory,
        }
    }
}
