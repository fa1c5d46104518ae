//! Every byte, as the library and the kernel read it, compared with the model.

use unix_memory::page_size;

use super::model::{Object, Source};
use super::oracle::{Look, Oracle};
use super::world::{Memory, Thing};

impl Oracle {
    pub fn check_content(&mut self, thing: &Thing, objects: &[Object], look: Look) {
        let Thing { name, area, .. } = thing;
        if let Some(bytes) = thing.slice() {
            assert_eq!(bytes.len(), area.len, "the slice of m{name}");
        }
        let [mut expected, mut found] = std::mem::take(&mut self.buffer);
        for (number, page) in area.pages.iter().enumerate() {
            let is_own = !matches!(area.source, Source::Object { .. });
            // To look at it is to bring it in.
            if is_own && !page.touched && look < Look::All {
                continue;
            }
            let is_there = area.content(number, objects, &mut expected);
            let read = thing.read_page(number, self, &mut found);
            if let Some(was_read) = read {
                assert_eq!(
                    was_read, is_there,
                    "whether page {number} of m{name} can be read"
                );
                // What is past the end of an object is whatever others have written there.
                if is_there && found != expected {
                    let at = (0..found.len()).find(|&at| found[at] != expected[at]);
                    let at = at.expect("they differ");
                    let (found, expected) = (found[at], expected[at]);
                    panic!("byte {at} of page {number} of m{name} is {found}, not {expected}");
                }
            }
        }
        self.buffer = [expected, found];
    }
}

impl Thing {
    /// The bytes, where the library gives out a slice of all.
    fn slice(&self) -> Option<&[u8]> {
        match &self.memory {
            Memory::Private(mapping) => mapping.as_slice(),
            Memory::Locked(locked) => Some(locked),
            _ => None,
        }
    }

    /// Reads a page: through the library if possible, otherwise as the kernel reads it. Returns
    /// whether it could be read, if that is known.
    fn read_page(&self, number: usize, oracle: &Oracle, buffer: &mut [u8]) -> Option<bool> {
        let area = &self.area;
        let read = oracle.peek(area.address(number), buffer);
        let start = (number * page_size()).saturating_sub(area.before());
        let end = ((number + 1) * page_size() - area.before()).min(area.len);
        let within = area.place(start).1;
        let part = match &self.memory {
            Memory::Private(_) | Memory::Locked(_) => {
                self.slice().map(|bytes| bytes[start..end].to_vec())
            }
            Memory::Reserved(reservation) => reservation.get(start..end).map(<[u8]>::to_vec),
            Memory::Shared(mapping) => mapping.readable().and_then(|mapping| {
                let mut part = vec![0; end - start];
                let copied = mapping.read_at(start, &mut part);
                if read.is_some() {
                    assert_eq!(
                        copied.is_ok(),
                        read == Some(true),
                        "read_at of page {number}"
                    );
                }
                copied.is_ok().then_some(part)
            }),
            Memory::Permanent(_) => None,
        };
        let Some(part) = part else {
            return read;
        };
        let place = within..within + part.len();
        if read.is_some() {
            assert!(
                buffer[place] == part[..],
                "page {number}, by the library and the kernel"
            );
        } else {
            buffer[place].copy_from_slice(&part);
            // The rest of it is not known.
            return (part.len() == page_size()).then_some(true);
        }
        read
    }
}
