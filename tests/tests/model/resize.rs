//! Operations that change lengths.

use unix_memory::{Protection, page_size};

use super::model::Source;
use super::operations::Length;
use super::world::{Memory, World, bytes, is_anonymous};

impl World {
    pub fn resize(&mut self, which: usize, length: Length, in_place: bool) {
        let thing = &mut self.things[which];
        thing.unlock_all();
        thing.munlock_parts();
        let (len, old) = (bytes(length), thing.area.len);
        let grows = len > old;
        // (At the limit of mappings, to count them takes too long.)
        let mappings = if self.limits.loses() {
            0
        } else {
            self.oracle.mappings_of(thing)
        };
        let result = match &mut thing.memory {
            Memory::Private(mapping) if in_place => mapping.resize_in_place(len),
            Memory::Private(mapping) => mapping.resize(len),
            Memory::Shared(mapping) if in_place => mapping.resize_in_place(len),
            Memory::Shared(mapping) => mapping.resize(len),
            _ => return,
        };
        let is_shared = matches!(thing.memory, Memory::Shared(_));
        let grows_not = if is_shared {
            old == 0
        } else {
            !is_anonymous(&self.things[which].area)
        };
        let refusal = if grows && grows_not {
            Some(libc::EINVAL)
        } else if is_shared && grows && mappings > 1 {
            Some(libc::EFAULT)
        } else {
            None
        };
        match result {
            // What is behind it may be taken.
            Err(error) if in_place && grows && error.errno() == libc::ENOMEM => return,
            Err(error) if mappings == 0 && is_shared && error.errno() == libc::EFAULT => return,
            // Within the last page, nothing is asked of the kernel.
            Ok(()) if refusal == Some(libc::EFAULT) && self.stays(which, len) => {}
            result => {
                if self.settle(result, refusal).is_none() {
                    return;
                }
            }
        }
        self.resized(which, len, in_place);
    }

    /// Whether a mapping of that length has no more pages.
    fn stays(&self, which: usize, len: usize) -> bool {
        let area = &self.things[which].area;
        (area.before() + len).div_ceil(page_size()) == area.pages.len()
    }

    fn resized(&mut self, which: usize, len: usize, in_place: bool) {
        let locks_future = !self.process.is_empty();
        let thing = &mut self.things[which];
        let (start, found) = match &thing.memory {
            Memory::Private(mapping) => (mapping.as_ptr().addr(), mapping.len()),
            Memory::Shared(mapping) => (mapping.as_ptr().addr(), mapping.len()),
            _ => return,
        };
        assert_eq!(found, len, "the new length");
        let (old, area) = (thing.area.len, &mut thing.area);
        let may_move = len > old && !in_place || old == 0 || len == 0;
        assert!(may_move || start == area.start, "it moved");
        let uniform = area
            .is_uniform()
            .then(|| area.pages.first().cloned())
            .flatten();
        area.resize(start, len);
        if let (Source::Object { .. }, Some(first)) = (area.source, uniform) {
            // One mapping of the kernel's.
            for page in &mut area.pages {
                (page.flags, page.known) = (first.flags, first.known);
            }
        }
        if locks_future && len > old {
            area.disturb();
        }
        if len > old && area.source == Source::Anonymous && old % page_size() != 0 {
            let (page, within) = area.place(old - 1);
            let end = page_size().min(within + 1 + len - old);
            if area.protection.contains(Protection::WRITE) {
                let bytes = area.own(page, &self.objects);
                bytes[within + 1..end].fill(0);
                area.pages[page].touched = true;
            } else if let Some(bytes) = &mut area.pages[page].bytes {
                // As it was, or, where it was copied, zeros.
                let mut now = vec![0; page_size()];
                let address = area.start - area.start % page_size() + page * page_size();
                if self.oracle.peek(address, &mut now) == Some(true) {
                    let tail = &now[within + 1..];
                    assert!(tail == &bytes[within + 1..] || tail.iter().all(|&byte| byte == 0));
                    bytes[within + 1..].copy_from_slice(tail);
                }
            }
        }
    }
}
