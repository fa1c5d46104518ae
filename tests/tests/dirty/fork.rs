//! Trackers and children: what a child inherits does not affect its parent's.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "what was written comes as ranges, of which there may be one"
)]
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use tests::dirty::{alone, by_each_way, pages, tracked, works};
use tests::{
    here_and_as_the_first_process, in_a_child, in_a_child_of_the_same_number, skip, spawn,
};
use unix_memory::{Call, MapOptions, Mapping, ReadWrite, Reason, Tracked, Tracking, page_size};

fn is_refused(memory: &Tracked<Mapping<ReadWrite>>) {
    let errors = [
        (Call::Mark, memory.mark().unwrap_err()),
        (Call::Written, memory.written().next().unwrap().unwrap_err()),
        (Call::Take, memory.take().next().unwrap().unwrap_err()),
    ];
    for (call, error) in errors {
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (call, libc::EPERM, Reason::OtherProcess)
        );
    }
    let mut taken = memory.take();
    assert!(taken.next().is_some_and(|item| item.is_err()));
    assert!(taken.next().is_none());
}

/// A child does all it can to what it has inherited.
fn a_child_does_nothing_to_its_parents(tracking: Tracking) {
    let page = page_size();
    let (mut memory, fences) = tracked(6, tracking);
    memory[0] = 1;
    assert_eq!(pages(memory.take()), [0..1]);
    memory[page] = 2;
    let inherited = Some((memory, fences));
    let status = in_a_child_of_the_same_number(|| {
        let Some((mut memory, _fences)) = inherited else {
            return;
        };
        is_refused(&memory);
        // It is memory like any other.
        memory[3 * page] = 7;
        memory.discard(..page).unwrap();
        assert_eq!((memory[0], memory[page], memory[3 * page]), (0, 2, 7));
        let mapping = memory.untrack();
        assert_eq!(mapping[3 * page], 7);
        // And can be tracked here.
        let mut memory = mapping.into_tracked_by(tracking).unwrap();
        assert_eq!(pages(memory.take()), []);
        memory[5 * page] = 7;
        assert_eq!(pages(memory.take()), [5..6]);
        // A child's child.
        let grandchild = in_a_child(|| {
            is_refused(&memory);
            drop(memory);
            let (mut memory, _fences) = tracked(2, tracking);
            memory[0] = 1;
            assert_eq!(pages(memory.take()), [0..1]);
        });
        assert!(grandchild.success());
    });
    assert!(status.success());
}

#[test]
fn children() {
    by_each_way("children", |tracking| {
        here_and_as_the_first_process(|| a_child_does_nothing_to_its_parents(tracking));
    });
}

#[test]
fn the_parents_own_goes_on() {
    by_each_way("a parent", |tracking| {
        let page = page_size();
        let (mut memory, _fences) = tracked(6, tracking);
        memory[page] = 2;
        let address = memory.as_ptr().expose_provenance();
        for round in 0..3_u8 {
            let status = in_a_child(|| {
                // (The parent's own, which the child has a copy of.)
                is_refused(&memory);
                let page_of_child = std::ptr::with_exposed_provenance_mut::<u8>(address + 3 * page);
                // SAFETY: the child's copy, to which nothing refers.
                unsafe { page_of_child.write(7) };
            });
            assert!(status.success());
            assert_eq!(
                pages(memory.take()),
                [1..2],
                "what the child wrote is its own"
            );
            assert_eq!(memory[3 * page], 0);
            memory[4 * page] = round;
            let status = in_a_child(|| {
                let _one_taken = memory.take().next();
            });
            assert!(status.success());
            assert_eq!(pages(memory.take()), [4..5]);
            memory[page] = round;
        }
    });
}

/// An iterator of which a child has a copy: dropping or continuing it changes none of the parent's marks.
#[test]
fn an_iterator_across_a_fork() {
    by_each_way("an iterator across a fork", |tracking| {
        let page = page_size();
        // More than the iterator asks about in one call.
        let count = 300;
        let expected: Vec<_> = (0..count).map(|i| 2 * i..2 * i + 1).collect();
        for goes_on in [false, true] {
            let (mut memory, _fences) = tracked(2 * count, tracking);
            for range in &expected {
                memory[range.start * page] = 1;
            }
            let mut taken = Some(memory.take());
            let first = taken.as_mut().unwrap().next().unwrap().unwrap();
            assert_eq!(first, 0..page);
            let status = in_a_child(|| {
                let mut taken = taken.take().unwrap();
                if goes_on {
                    let error = taken.find_map(Result::err).expect("it is the parent's");
                    assert_eq!(
                        (error.call(), error.errno(), error.reason()),
                        (Call::Take, libc::EPERM, Reason::OtherProcess)
                    );
                    assert!(taken.next().is_none());
                }
            });
            assert!(status.success());
            assert_eq!(pages(taken.unwrap()), expected[1..]);
            assert_eq!(pages(memory.take()), []);
        }
    });
}

/// What is dropped in a parent while a child has it open.
#[test]
fn a_child_keeps_nothing_tracked() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "what a child has open") {
        return;
    }
    let page = page_size();
    let (memory, _fences) = tracked(4, Tracking::WriteProtect);
    let (end, start) = std::io::pipe().unwrap();
    let child = spawn(|| {
        let mut byte = [0];
        assert_eq!(std::io::Read::read(&mut &end, &mut byte).unwrap(), 1);
    });
    let mapping = memory.untrack();
    let mut memory = mapping.into_tracked_by(Tracking::WriteProtect).unwrap();
    memory[2 * page] = 1;
    assert_eq!(pages(memory.take()), [2..3]);
    std::io::Write::write_all(&mut &start, &[1]).unwrap();
    assert!(child.wait().success());
    memory[0] = 1;
    assert_eq!(pages(memory.take()), [0..1]);
}

/// Others that write into this process.
#[test]
fn what_another_process_writes_is_written() {
    by_each_way("another process", |tracking| {
        let page = page_size();
        let (memory, _fences) = tracked(6, tracking);
        let address = memory.as_ptr().expose_provenance();
        // SAFETY: the call has no preconditions.
        let parent = unsafe { libc::getpid() };
        let status = in_a_child(|| {
            let bytes = [5_u8; 10];
            let local = libc::iovec {
                iov_base: bytes.as_ptr().cast_mut().cast(),
                iov_len: bytes.len(),
            };
            let remote = libc::iovec {
                iov_base: std::ptr::with_exposed_provenance_mut(address + 3 * page - 5),
                iov_len: bytes.len(),
            };
            // Only Linux has it.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            // SAFETY: the bytes are there; of the parent nobody refers to its own meanwhile.
            let written = unsafe {
                libc::process_vm_writev(parent, &raw const local, 1, &raw const remote, 1, 0)
            };
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            let written = {
                let _nowhere = (parent, local, remote);
                -1
            };
            assert_eq!(written, 10);
        });
        if !status.success() {
            return skip("what another process writes", "it may not");
        }
        assert_eq!(pages(memory.take()), [2..4]);
        assert_eq!(memory[3 * page], 5);
        assert_eq!(pages(memory.take()), []);
    });
}

/// Shared memory: what a child writes through its own mapping is not seen, as documented.
#[test]
fn shared_memory_that_a_child_writes() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "shared memory") {
        return;
    }
    let page = page_size();
    let options = MapOptions::new().len(4 * page);
    let memory = options.map_anonymous_shared(ReadWrite).unwrap();
    let memory = memory.into_tracked_by(Tracking::WriteProtect).unwrap();
    memory.write_at(0, &[1]).unwrap();
    let status = in_a_child(|| {
        assert!(memory.take().next().unwrap().is_err());
        memory.write_at(2 * page, &[2]).unwrap();
    });
    assert!(status.success());
    let mut byte = [0];
    memory.read_at(2 * page, &mut byte).unwrap();
    assert_eq!(byte, [2]);
    assert_eq!(pages(memory.take()), [0..1]);
}
