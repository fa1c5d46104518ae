//! Which pages of a mapping were written.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "what was written comes as ranges, of which there may be one"
)]

use std::io::{Read, Write};
use std::ops::Range;

use tests::dirty::{Fenced, alone, by_each_way, pages, tracked, works};
use tests::{effort, lacks, skip};
use unix_memory::{
    Advice, Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, Tracking, page_size,
};

#[test]
fn what_was_written_is_what_was_written() {
    by_each_way("what was written", |tracking| {
        let page = page_size();
        let (mut memory, _fences) = tracked(10, tracking);
        assert_eq!(pages(memory.written()), []);
        // To read is not to write.
        assert!(memory.iter().all(|&byte| byte == 0));
        assert_eq!(pages(memory.written()), []);

        memory[0] = 1;
        memory[3 * page - 1] = 1;
        memory[3 * page] = 1;
        memory[10 * page - 1] = 1;
        let expected = [0..1, 2..4, 9..10];
        assert_eq!(pages(memory.written()), expected);
        assert_eq!(pages(memory.written()), expected, "asked, not taken");
        assert_eq!(pages(memory.take()), expected);
        assert_eq!(pages(memory.written()), []);
        assert_eq!(pages(memory.take()), []);

        // The same bytes again are written as well.
        memory[0] = 1;
        memory[5 * page] = 0;
        assert_eq!(pages(memory.take()), [0..1, 5..6]);
        memory[5 * page] = 2;
        memory.mark().unwrap();
        assert_eq!(pages(memory.take()), []);
        memory.fill(3);
        assert_eq!(pages(memory.take()), [0..10], "ranges do not meet");
        assert!(memory.iter().all(|&byte| byte == 3));

        let memory = memory.untrack();
        assert!(memory.iter().all(|&byte| byte == 3));
        // And again, from a new mark on.
        let mut memory = memory.into_tracked_by(tracking).unwrap();
        assert_eq!(pages(memory.take()), []);
        memory[4 * page] = 1;
        assert_eq!(pages(memory.take()), [4..5]);
    });
}

#[test]
fn of_memory_that_was_in_use_before() {
    by_each_way("memory in use", |tracking| {
        let page = page_size();
        let Fenced { mut memory, .. } = Fenced::new(5);
        memory[..3 * page].fill(1);
        let mut memory = memory.into_tracked_by(tracking).unwrap();
        assert_eq!(pages(memory.take()), []);
        memory[page] = 2;
        memory[4 * page] = 2;
        assert_eq!(pages(memory.take()), [1..2, 4..5]);
    });
}

/// Pages that were never used are marked in the page table; many marks do not change what they are.
#[test]
fn what_is_never_used_is_never_written() {
    by_each_way("what is never used", |tracking| {
        let (mut memory, _fences) = tracked(5000, tracking);
        for round in 0..10 {
            assert_eq!(pages(memory.take()), [], "round {round}");
            if round % 3 == 0 {
                memory.mark().unwrap();
            }
        }
        assert_eq!(memory[2500 * page_size()], 0);
        assert_eq!(pages(memory.take()), []);
        memory[2500 * page_size()] = 1;
        assert_eq!(pages(memory.take()), [2500..2501]);
        memory.fill(1);
        assert_eq!(pages(memory.take()), [0..5000]);
    });
}

#[test]
fn many_ranges_and_an_iterator_that_is_dropped() {
    by_each_way("many ranges", |tracking| {
        let page = page_size();
        let count = 700;
        let (mut memory, _fences) = tracked(2 * count, tracking);
        let odd = |from: usize| -> Vec<Range<usize>> {
            (from..count).map(|i| 2 * i + 1..2 * i + 2).collect()
        };
        let write = |memory: &mut [u8]| {
            for i in 0..count {
                memory[(2 * i + 1) * page] = 1;
            }
        };
        write(&mut memory);
        assert_eq!(pages(memory.written()), odd(0));
        for returned in [0, 1, 63, 64, 65, 500] {
            memory.mark().unwrap();
            write(&mut memory);
            let mut taken = memory.take();
            let first: Vec<_> = taken.by_ref().take(returned).collect();
            assert_eq!(first.len(), returned);
            drop(taken);
            // Of soft-dirty bits none are cleared before the end.
            let left = match tracking {
                Tracking::SoftDirty => odd(0),
                _ => odd(returned),
            };
            assert_eq!(pages(memory.written()), left, "after {returned}");
            assert_eq!(pages(memory.take()), left, "after {returned}");
            assert_eq!(pages(memory.take()), [], "after {returned}");
        }
    });
}

#[test]
fn what_is_discarded_is_written() {
    if lacks::advice("what is discarded") {
        return;
    }
    by_each_way("what is discarded", |tracking| {
        let page = page_size();
        let (mut memory, _fences) = tracked(6, tracking);
        memory.fill(7);
        assert_eq!(pages(memory.take()), [0..6]);
        memory.discard(page..3 * page).unwrap();
        assert!(memory[page..3 * page].iter().all(|&byte| byte == 0));
        assert_eq!(pages(memory.take()), [1..3]);
        assert_eq!(pages(memory.take()), []);
        // Not looked at in between: the pages are not there.
        memory.discard(..).unwrap();
        assert_eq!(pages(memory.written()), [0..6]);
        assert_eq!(pages(memory.take()), [0..6]);
        assert_eq!(pages(memory.take()), []);
        memory[5 * page] = 1;
        assert_eq!(pages(memory.take()), [5..6]);
        memory.discard(..2 * page).unwrap();
        memory.mark().unwrap();
        assert_eq!(pages(memory.take()), []);
        memory.discard(page..2 * page).unwrap();
        assert_eq!(pages(memory.take()), [1..2]);
        let error = memory.discard(1..page).unwrap_err();
        assert_eq!(error.reason(), Reason::Unaligned(page));
        assert_eq!(pages(memory.take()), []);
    });
}

#[test]
fn what_the_kernel_writes_is_written() {
    by_each_way("what the kernel writes", |tracking| {
        let page = page_size();
        let (mut memory, _fences) = tracked(8, tracking);
        let (mut end, mut start) = std::io::pipe().unwrap();
        start.write_all(&[1; 100]).unwrap();
        end.read_exact(&mut memory[3 * page - 50..3 * page + 50])
            .unwrap();
        assert_eq!(pages(memory.take()), [2..4]);
        // Written from, it is not written.
        start
            .write_all(&memory[3 * page - 50..3 * page + 50])
            .unwrap();
        assert_eq!(pages(memory.take()), []);
        // Again, now that the pages are there and protected.
        end.read_exact(&mut memory[6 * page..6 * page + 100])
            .unwrap();
        start.write_all(&[1; 10]).unwrap();
        end.read_exact(&mut memory[2 * page..2 * page + 10])
            .unwrap();
        assert_eq!(pages(memory.take()), [2..3, 6..7]);
    });
}

#[test]
fn protection_changes_nothing_of_it() {
    by_each_way("after a change of protection", |tracking| {
        let page = page_size();
        let (mut memory, _fences) = tracked(4, tracking);
        memory[page] = 1;
        let memory = memory.protect(ReadOnly).unwrap();
        assert_eq!(pages(memory.written()), [1..2]);
        let mut memory = memory.protect(ReadWrite).unwrap();
        memory[2 * page] = 1;
        assert_eq!(pages(memory.take()), [1..3]);
        let memory = memory.protect(NoAccess).unwrap();
        assert_eq!(pages(memory.take()), []);
        let mut memory = memory.protect(ReadWrite).unwrap();
        memory[0] = 1;
        assert_eq!(pages(memory.take()), [0..1]);
        assert_eq!(memory[page], 1);
    });
}

/// Memory that cannot be accessed can be tracked as well; by soft-dirty bits all of it is written.
#[test]
fn of_memory_that_cannot_be_accessed() {
    by_each_way("memory of no access", |tracking| {
        let memory = Fenced::new(4);
        let memory = memory.memory.protect(NoAccess).unwrap();
        let memory = memory.into_tracked_by(tracking).unwrap();
        let expected: &[Range<usize>] = match tracking {
            Tracking::SoftDirty => &[0..4],
            _ => &[],
        };
        assert_eq!(pages(memory.take()), expected);
        let mut memory = memory.protect(ReadWrite).unwrap();
        memory[page_size()] = 1;
        assert!(pages(memory.take()).iter().any(|range| range.contains(&1)));
    });
}

#[test]
fn what_was_brought_in_to_be_written_may_be_written() {
    by_each_way("populate", |tracking| {
        let (memory, _fences) = tracked(4, tracking);
        memory.mapping().populate().unwrap();
        assert_eq!(pages(memory.take()), []);
        let mut memory = memory.untrack();
        memory.populate_write().unwrap();
        let mut memory = memory.into_tracked_by(tracking).unwrap();
        assert_eq!(pages(memory.take()), []);
        memory[0] = 1;
        assert_eq!(pages(memory.take()), [0..1]);
    });
}

/// Pages stay tracked while they are locked and unlocked.
#[test]
fn locks_beside_it() {
    by_each_way("locks", |tracking| {
        let (mut memory, _fences) = tracked(4, tracking);
        memory[0] = 1;
        match memory.mapping().lock() {
            Ok(guard) => {
                assert_eq!(guard.len(), memory.len());
                assert!(pages(memory.take()).iter().any(|range| range.contains(&0)));
            }
            Err(error) => return skip("locks beside it", &error.to_string()),
        }
        assert_eq!(pages(memory.take()), []);
        memory[2 * page_size()] = 1;
        assert_eq!(pages(memory.take()), [2..3]);
    });
}

/// Parts are tracked separately, and are dropped in any order.
#[test]
fn parts() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "parts") {
        return;
    }
    let page = page_size();
    let (first, second) = Mapping::anonymous(8 * page)
        .unwrap()
        .split_at(4 * page)
        .unwrap();
    let track = |part: Mapping<_>| part.into_tracked_by(Tracking::WriteProtect).unwrap();
    let (mut first, mut second) = (track(first), track(second));
    first[3 * page] = 1;
    second[0] = 1;
    assert_eq!(pages(first.take()), [3..4]);
    assert_eq!(pages(second.written()), [0..1]);
    assert_eq!(pages(second.take()), [0..1]);
    let first = first.untrack();
    second[page] = 1;
    assert_eq!(pages(second.take()), [1..2]);
    let whole = first.join(second.untrack()).unwrap();
    assert_eq!(
        (whole[3 * page], whole[4 * page], whole[5 * page]),
        (1, 1, 1)
    );
    // The kernel may have one mapping of it again, or two: it is tracked as one.
    let mut whole = track(whole);
    whole[3 * page..5 * page].fill(2);
    assert_eq!(pages(whole.take()), [3..5]);
    // Grown, it may be elsewhere.
    let mut whole = whole.untrack();
    whole.resize(1000 * page).unwrap();
    let mut whole = track(whole);
    assert_eq!(pages(whole.take()), []);
    whole[999 * page] = 1;
    whole[4 * page] = 3;
    assert_eq!(pages(whole.take()), [4..5, 999..1000]);
    let (first, second) = whole.untrack().split_at(500 * page).unwrap();
    let (mut first, second) = (track(first), track(second));
    drop(second);
    first[page] = 1;
    assert_eq!(pages(first.take()), [1..2]);
}

#[test]
fn no_bytes() {
    let _alone = alone();
    for tracking in [
        None,
        Some(Tracking::WriteProtect),
        Some(Tracking::SoftDirty),
    ] {
        let empty = Mapping::anonymous(0).unwrap();
        let tracked = match tracking {
            None => empty.into_tracked(),
            Some(tracking) => empty.into_tracked_by(tracking),
        };
        let mut tracked = match tracked {
            Ok(tracked) => tracked,
            Err(refused) => {
                assert_eq!(refused.error().reason(), Reason::Unsupported);
                assert_eq!(refused.error().call(), Call::Track);
                return skip("no bytes", &refused.error().to_string());
            }
        };
        if let Some(tracking) = tracking {
            assert_eq!(tracked.tracking(), tracking);
        }
        tracked.mark().unwrap();
        assert_eq!(tracked.written().count(), 0);
        assert_eq!(tracked.take().count(), 0);
        tracked.discard(..).unwrap();
        assert_eq!(tracked[..], []);
        assert_eq!(tracked.untrack().len(), 0);
    }
}

/// Two ways that do not affect each other.
#[test]
fn the_ways_do_not_disturb_each_other() {
    let _alone = alone();
    let check = "both ways at once";
    if !works(Tracking::WriteProtect, check) || !works(Tracking::SoftDirty, check) {
        return;
    }
    let (mut one, _fences) = tracked(4, Tracking::WriteProtect);
    let (mut other, _other_fences) = tracked(4, Tracking::SoftDirty);
    one[0] = 1;
    other[0] = 1;
    assert_eq!(pages(other.take()), [0..1]);
    assert_eq!(pages(one.take()), [0..1]);
    other[page_size()] = 1;
    assert_eq!(pages(one.take()), []);
    assert_eq!(pages(other.take()), [1..2]);
}

/// Several trackers by write protection, in several threads.
#[test]
fn many_trackers() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "many trackers") {
        return;
    }
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || {
                let (mut memory, _fences) = tracked(50, Tracking::WriteProtect);
                let mut random = 12345_usize + seed;
                for _ in 0..effort(500) {
                    let mut written: Vec<usize> = (0..5)
                        .map(|_| {
                            random = random.wrapping_mul(6_364_136).wrapping_add(1_442_695);
                            (random >> 8) % 50
                        })
                        .collect();
                    for &at in &written {
                        memory[at * page_size() + 7] ^= 1;
                    }
                    written.sort_unstable();
                    written.dedup();
                    let found: Vec<_> = pages(memory.take()).into_iter().flatten().collect();
                    assert_eq!(found, written);
                }
            });
        }
    });
}

/// Transparent huge pages are split where they are written.
#[test]
fn transparent_huge_pages() {
    by_each_way("transparent huge pages", |tracking| {
        let page = page_size();
        let options = MapOptions::new().len(8 << 20).alignment(2 << 20);
        let mapping = options.map_anonymous(ReadWrite).unwrap();
        if let Err(error) = mapping.advise(Advice::HugePage) {
            return skip("transparent huge pages", &error.to_string());
        }
        let mut memory = mapping.into_tracked_by(tracking).unwrap();
        memory.fill(1);
        if tracking == Tracking::WriteProtect
            && let Ok(bytes) = memory.mapping().huge_bytes()
        {
            assert_eq!(bytes, 0, "first used while it is tracked");
        }
        assert_eq!(pages(memory.take()), [0..memory.len() / page]);
        assert_eq!(pages(memory.take()), []);
        memory[5 << 20] = 2;
        let written = (5 << 20) / page;
        let found = pages(memory.written());
        assert!(
            found.iter().any(|range| range.contains(&written)),
            "{found:?}"
        );
        if tracking == Tracking::WriteProtect {
            assert_eq!(found, [written..written + 1]);
        }
        assert_eq!(pages(memory.take()), found);
        assert_eq!(pages(memory.take()), []);
        // A part of a huge page that was not split yet.
        memory.discard((1 << 20)..(1 << 20) + 4 * page).unwrap();
        let discarded = (1 << 20) / page;
        let found = pages(memory.take());
        assert!(
            found
                .iter()
                .any(|range| range.start <= discarded && discarded + 4 <= range.end)
        );
        assert_eq!(pages(memory.take()), []);
        let _hint = memory.mapping().advise(Advice::Collapse);
        memory.mark().unwrap();
        assert_eq!(pages(memory.take()), []);
        memory[7 << 20] = 1;
        let found = pages(memory.take());
        let written = (7 << 20) / page;
        assert!(
            found.iter().any(|range| range.contains(&written)),
            "{found:?}"
        );
    });
}

/// The snapshot that is brought up to date with what was taken is what the memory is.
#[test]
fn a_snapshot_is_kept_up_to_date() {
    by_each_way("a snapshot", |tracking| {
        let page = page_size();
        let (mut memory, _fences) = tracked(300, tracking);
        let mut snapshot = memory.to_vec();
        let mut random = 1_usize;
        let mut next = |below: usize| {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
            (random >> 16) % below
        };
        for _ in 0..effort(300) {
            for _ in 0..next(20) {
                let at = next(memory.len());
                match next(8) {
                    0 => {
                        let at = at / page * page;
                        memory.discard(at..at + page).unwrap();
                    }
                    1 => {
                        let end = (at + 3 * page).min(memory.len());
                        memory[at..end].fill(u8::try_from(next(256)).unwrap());
                    }
                    _ => memory[at] = u8::try_from(next(256)).unwrap(),
                }
            }
            for range in memory.take() {
                let range = range.unwrap();
                snapshot[range.clone()].copy_from_slice(&memory[range]);
            }
            assert!(snapshot[..] == memory[..]);
        }
    });
}
