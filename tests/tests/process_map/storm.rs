//! A map that changes while it is read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tests::seccomp::{PROCMAP_QUERY, SYS_IOCTL};
use tests::{effort, lacks, refusing_argument};
use unix_memory::process_map::ProcessMap;
use unix_memory::{Guarded, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, page_size};

/// Maps, protects, splits and unmaps until it should stop: neighbours become one mapping, and
/// several.
fn storm(stop: &AtomicBool) {
    let page = page_size();
    while !stop.load(Ordering::Relaxed) {
        let large = Mapping::anonymous(64 * page).expect("memory");
        let (left, right) = large.split_at(32 * page).expect("two halves");
        let right = right.protect(NoAccess).expect("a protection");
        let right = right.protect(ReadWrite).expect("the one before");
        let small: Vec<_> = (0..16)
            .map(|_| Mapping::anonymous(page).expect("memory"))
            .collect();
        drop(left);
        drop(small);
        drop(right.protect(ReadOnly));
    }
}

/// Goes through the map that often, and compares each turn with what is there all the time.
fn watch(turns: usize, always: &[Guarded<ReadWrite>]) {
    let mut map = ProcessMap::of_self().expect("a map");
    for turn in 0..turns {
        let mut passed = 0;
        let mut left: Vec<_> = always
            .iter()
            .map(|mapping| mapping.as_ptr().addr() as u64)
            .collect();
        for region in map.regions() {
            let region = region.expect("a region");
            assert!(
                passed <= region.addresses.start,
                "{passed:#x}, then {region:x?}"
            );
            assert!(!region.is_empty(), "{region:x?}");
            passed = region.addresses.end;
            left.retain(|address| !region.addresses.contains(address));
        }
        assert_eq!(left, [], "turn {turn}");
        for mapping in always {
            let address = mapping.as_ptr().addr() as u64;
            let region = map.containing_into(address, &mut []).expect("an answer");
            assert!(region.is_some_and(|region| region.addresses.start == address));
        }
    }
}

#[test]
fn what_is_always_there_is_always_found() {
    let check = "a map that changes while it is read";
    if lacks::process_map(check) {
        return;
    }
    let page = page_size();
    let always: Vec<_> = (0..20)
        .map(|_| {
            MapOptions::new()
                .len(page)
                .map_guarded(page, page, ReadWrite)
                .expect("memory")
        })
        .collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let storms: Vec<_> = (0..3).map(|_| scope.spawn(|| storm(&stop))).collect();
        let watched = scope.spawn(|| {
            watch(effort(100), &always);
            // And where the kernel's text is read.
            let watch = || watch(effort(100), &always);
            let _ran = refusing_argument(SYS_IOCTL, 1, PROCMAP_QUERY, libc::ENOTTY, watch);
        });
        let watched = watched.join();
        stop.store(true, Ordering::Relaxed);
        for storm in storms {
            storm.join().expect("a storm");
        }
        watched.expect("a watch");
    });
}
