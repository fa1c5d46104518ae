//! A snapshot of 64 MiB that is brought up to date, by how many pages were written.

use std::cell::RefCell;

use unix_memory::{Advice, Mapping, ReadWrite, Tracked, Tracking, page_size};

use crate::contest::{Contests, Way, time};

const NAME: &str = "a snapshot of 64 MiB brought up to date";
const LEN: usize = 64 << 20;

/// How many pages are written, evenly spread: none, a thousandth, a hundredth, a tenth, each second one.
const WRITTEN: [usize; 5] = [1, 16, 164, 1638, 8192];

fn used() -> Mapping<ReadWrite> {
    let mut mapping = Mapping::anonymous(LEN).unwrap();
    // Huge pages would make the number of faults a matter of chance.
    let _not_everywhere = mapping.advise(Advice::NoHugePage);
    mapping.fill(1);
    mapping
}

/// Writes to so many pages.
fn write(memory: &mut [u8], count: usize) {
    let pages = memory.len() / page_size();
    for i in 0..count {
        let byte = &mut memory[i * pages / count * page_size() + 8];
        *byte = byte.wrapping_add(1);
    }
}

pub fn all(contests: &Contests) {
    if !contests.has(NAME) {
        return;
    }
    for count in WRITTEN {
        let page = page_size();
        let by = [
            ("Tracking::WriteProtect", Tracking::WriteProtect),
            ("Tracking::SoftDirty", Tracking::SoftDirty),
        ];
        let tracked = by.map(|(name, tracking)| {
            let memory = used().into_tracked_by(tracking);
            (
                name,
                memory.map(|memory| RefCell::new((memory.to_vec(), memory))),
            )
        });
        let (mut compared, mut snapshot) = (used(), used().to_vec());
        let mut ways = vec![Way::timed("all pages compared", || {
            write(&mut compared, count);
            time(|| {
                for (kept, now) in snapshot.chunks_mut(page).zip(compared.chunks(page)) {
                    if kept != now {
                        kept.copy_from_slice(now);
                    }
                }
            })
        })];
        for (name, memory) in &tracked {
            let memory = match memory {
                Ok(memory) => memory,
                Err(refused) => {
                    eprintln!("skipped: {name}: {}", refused.error());
                    continue;
                }
            };
            ways.push(Way::timed(name, move || {
                let (snapshot, memory) = &mut *memory.borrow_mut();
                write(memory, count);
                time(|| take(memory, snapshot))
            }));
        }
        contests.run(NAME, Some(count as u64), ways);
    }
}

fn take(memory: &Tracked<Mapping<ReadWrite>>, snapshot: &mut [u8]) {
    for range in memory.take() {
        let range = range.unwrap();
        snapshot[range.clone()].copy_from_slice(&memory[range]);
    }
}
