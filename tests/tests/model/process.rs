//! Operations about processes, threads that unwind, and what lasts.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use unix_memory::{ProtectionKey, ReadWrite};

use super::operations::{Operation, Span};
use super::oracle::Look;
use super::world::{Memory, World, low, readable, sealed};

/// More are not sealed: they stay.
const MOST: usize = 3;

impl World {
    pub fn seal(&mut self, which: usize) {
        let is_permanent = |memory: &Memory| matches!(memory, Memory::Permanent(_));
        let count = self
            .things
            .iter()
            .filter(|thing| is_permanent(&thing.memory))
            .count();
        if count >= MOST || self.limits.loses() {
            return;
        }
        let Some(mapping) = self.things[which].take_private() else {
            return;
        };
        match mapping.seal() {
            Ok(permanent) => {
                let thing = &mut self.things[which];
                thing.memory = Memory::Permanent(Box::new(permanent));
                thing.area.pages.iter_mut().for_each(sealed);
            }
            Err(failed) => {
                let (error, mapping) = failed.into_parts();
                let lacks = [libc::ENOSYS, libc::EPERM].contains(&error.errno());
                assert!(lacks || self.limits.explain(&error), "{error}");
                self.put_back_as_it_was(which, mapping);
            }
        }
    }

    /// Gives it a key, writes by that, and takes the key away.
    pub fn key(&mut self, which: usize) {
        let key = match ProtectionKey::new() {
            Ok(key) => key,
            Err(error) => {
                let lacks = [libc::ENOSPC, libc::EINVAL, libc::ENOSYS];
                assert!(lacks.contains(&error.errno()), "{error}");
                return;
            }
        };
        let Some(mapping) = self.things[which].take_private() else {
            return;
        };
        let mapping = match mapping.downcast::<ReadWrite>() {
            Ok(mapping) => mapping,
            Err(mapping) => return self.put_back_as_it_was(which, mapping),
        };
        let len = mapping.len();
        let mut keyed = match self.settle_or_back(key.protect(mapping), None) {
            Ok(keyed) => keyed,
            Err(mapping) => return self.put_back_as_it_was(which, mapping.erase()),
        };
        let bytes = vec![low(len); len.min(10)];
        keyed.write_at(0, &bytes).expect("within");
        let mut again = vec![0; bytes.len()];
        keyed.read_at(0, &mut again).expect("within");
        assert_eq!(again, bytes);
        match self.settle_or_back(keyed.into_mapping(), None) {
            Ok(mapping) => self.put_back_as_it_was(which, mapping.erase()),
            Err(keyed) => {
                // It can be used no more, as its key goes.
                drop(keyed);
                self.things.remove(which);
                return;
            }
        }
        if !bytes.is_empty() {
            self.things[which].area.write(0, &bytes, &mut self.objects);
        }
    }

    /// Unwinds while a mapping and a guard over it are in scope: both go.
    pub fn panic(&mut self, which: usize, span: Span) {
        let (range, within) = self.things[which].range(span);
        let Some(mapping) = self.things[which].take_private() else {
            return;
        };
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let mapping = mapping;
            let guard = readable(&mapping).map(|mapping| mapping.lock_range(range));
            if let Some(Err(error)) = &guard {
                let explained = [libc::EINVAL, libc::ENOMEM].contains(&error.errno());
                assert!(
                    !within && explained || error.errno() == libc::ENOMEM,
                    "{error}"
                );
            }
            // Without a message.
            resume_unwind(Box::new("on purpose"));
        }));
        let payload = unwound.expect_err("it unwinds");
        assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
        self.things.remove(which);
    }

    /// Does `operations` in a child, which has all that this process has but its locks.
    pub fn fork(&mut self, operations: &[Operation]) {
        let ended = tests::in_a_child(|| {
            self.is_child = true;
            self.oracle.in_child();
            for thing in &mut self.things {
                thing.inherited = true;
                for guard in &mut thing.guards {
                    guard.inherited = true;
                }
                for page in &mut thing.area.pages {
                    (page.full, page.on_fault, page.kept) = (0, 0, false);
                }
            }
            self.locked_forever = 0;
            // Neither unlocks anything here.
            self.process.clear();
            self.check(Look::All);
            for operation in operations {
                self.apply(operation);
                self.check(Look::Close);
            }
            self.finish();
        });
        assert!(ended.success(), "in the child: {ended}");
    }
}
