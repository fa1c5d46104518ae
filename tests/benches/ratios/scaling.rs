//! What grows, and what must not: with the size of a mapping, the number of mappings, of guards, of
//! threads.

use std::hint::black_box;

use unix_memory::{MapOptions, Mapping, NoAccess, Protection, ReadWrite, page_size};

use crate::contest::{Contests, Way, time};

pub fn all(contests: &Contests) {
    if contests.has("mapped and dropped, by size") {
        by_size(contests);
    }
    if contests.has("mapped and dropped, beside other mappings") {
        by_mappings(contests);
    }
    if contests.has("locked and unlocked, beside other guards") {
        by_guards(contests);
    }
    if contests.has("mapped and dropped, by threads") {
        by_threads(contests);
    }
}

/// New private memory of `len` bytes, with nothing set aside, and back.
fn bare(len: usize) {
    // SAFETY: a new mapping, which nobody else knows.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    assert_ne!(black_box(address), libc::MAP_FAILED);
    // SAFETY: the mapping made above.
    assert_eq!(unsafe { libc::munmap(address, len) }, 0);
}

fn ours(len: usize) {
    let options = MapOptions::new().len(len).no_reserve(true);
    drop(black_box(options.map_anonymous(ReadWrite).unwrap()));
}

fn by_size(contests: &Contests) {
    for log2 in [12, 16, 20, 24, 28, 32, 34] {
        let len = 1_usize << log2;
        let mut ways = vec![
            Way::new("libc", || bare(len)),
            Way::new("unix-memory", || ours(len)),
        ];
        // It sets the memory aside.
        if log2 <= 28 {
            ways.push(Way::new("memmap2", || {
                drop(black_box(memmap2::MmapMut::map_anon(len).unwrap()));
            }));
        }
        contests.run("mapped and dropped, by size", Some(len as u64), ways);
    }
}

fn by_mappings(contests: &Contests) {
    for count in [0, 100, 1000, 10_000, 60_000] {
        // By turns, since the kernel joins neighbours that are alike.
        let pages: Option<Vec<Mapping<Protection>>> = (0..count)
            .map(|i| {
                let options = MapOptions::new().len(page_size());
                if i % 2 == 0 {
                    options.map_anonymous(ReadWrite).map(Mapping::erase).ok()
                } else {
                    options.map_anonymous(NoAccess).map(Mapping::erase).ok()
                }
            })
            .collect();
        let Some(_pages) = pages else {
            eprintln!("skipped: {count} mappings: more than this process may have");
            return;
        };
        contests.run(
            "mapped and dropped, beside other mappings",
            Some(count),
            vec![
                Way::new("libc", || bare(page_size())),
                Way::new("unix-memory", || ours(page_size())),
                Way::new("memmap2", || {
                    drop(black_box(memmap2::MmapMut::map_anon(page_size()).unwrap()));
                }),
            ],
        );
    }
}

fn by_guards(contests: &Contests) {
    let page = page_size();
    let mut memory = Mapping::anonymous(page).unwrap();
    memory.fill(1);
    // As many pages as may be locked, and guards over all of them.
    let others = Mapping::anonymous(1000 * page).unwrap();
    for count in [0, 1, 100, 10_000, 1_000_000_usize] {
        let guard = |i: usize| others.lock_range(i % 1000 * page..(i % 1000 + 1) * page);
        let held: Result<Vec<_>, _> = (0..count).map(guard).collect();
        let _held = match held {
            Ok(held) => held,
            Err(error) => return eprintln!("skipped: {count} guards: {error}"),
        };
        let address = memory.as_ptr().cast();
        contests.run(
            "locked and unlocked, beside other guards",
            Some(count as u64),
            vec![
                Way::new("libc", || {
                    // SAFETY: the memory is this contest's own.
                    assert_eq!(unsafe { libc::mlock(address, page) }, 0);
                    // SAFETY: as above.
                    assert_eq!(unsafe { libc::munlock(address, page) }, 0);
                }),
                Way::new("unix-memory", || drop(memory.lock().unwrap())),
            ],
        );
    }
}

fn by_threads(contests: &Contests) {
    const EACH: usize = 2000;
    let in_threads = |threads: u64, work: fn()| {
        time(|| {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(move || (0..EACH).for_each(|_| work()));
                }
            });
        })
    };
    for threads in [1, 2, 4, 8] {
        contests.run(
            "mapped and dropped, by threads",
            Some(threads),
            vec![
                Way::timed("libc", || in_threads(threads, || bare(page_size()))),
                Way::timed("unix-memory", || in_threads(threads, || ours(page_size()))),
            ],
        );
    }
}
