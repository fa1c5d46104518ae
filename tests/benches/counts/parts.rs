//! Ranges of what is mapped: advised, locked, brought in, asked for.

use std::hint::black_box;

use unix_memory::{Advice, Mapping, ReadWrite, page_size};

use crate::bare;
use crate::operation::operations;

/// Four pages.
fn four() -> Mapping<ReadWrite> {
    Mapping::anonymous(4 * page_size()).unwrap()
}

operations! {
    /// Those of ranges.
    "a range advised" => {
        "libc" => |n| {
            let pages = bare::anonymous(4 * page_size());
            for _ in 0..n {
                // SAFETY: the pages are mapped; the advice changes no content.
                bare::zero(unsafe { libc::madvise(pages, 4096, libc::MADV_WILLNEED) });
            }
        },
        "memmap2" => |n| {
            let mapping = memmap2::MmapMut::map_anon(4 * page_size()).unwrap();
            for _ in 0..n {
                mapping.advise_range(memmap2::Advice::WillNeed, 0, 4096).unwrap();
            }
        },
        "unix-memory" => |n| {
            let mapping = four();
            for _ in 0..n {
                mapping.advise_range(..4096, Advice::WillNeed).unwrap();
            }
        },
    },
    "locked and unlocked" => {
        "libc" => |n| {
            let pages = bare::anonymous(4096);
            for _ in 0..n {
                // SAFETY: the page is mapped.
                bare::zero(unsafe { libc::mlock(pages, 4096) });
                // SAFETY: as above.
                bare::zero(unsafe { libc::munlock(pages, 4096) });
            }
        },
        "memmap2" => |n| {
            let mapping = memmap2::MmapMut::map_anon(4096).unwrap();
            for _ in 0..n {
                mapping.lock().unwrap();
                mapping.unlock().unwrap();
            }
        },
        "region" => |n| {
            let pages = bare::anonymous(4096);
            for _ in 0..n {
                drop(black_box(region::lock(pages, 4096).unwrap()));
            }
        },
        "unix-memory" => |n| {
            let mapping = Mapping::anonymous(4096).unwrap();
            for _ in 0..n {
                drop(black_box(mapping.lock().unwrap()));
            }
        },
    },
    "locked and unlocked beside 1,000 guards" => {
        "unix-memory" => |n| {
            let page = page_size();
            let others = Mapping::anonymous(20_000 * page).unwrap();
            let lock = |i: usize| others.lock_range(2 * i * page..(2 * i + 1) * page).unwrap();
            let _guards: Vec<_> = (0..1000).map(lock).collect();
            let mapping = Mapping::anonymous(4096).unwrap();
            for _ in 0..n {
                drop(black_box(mapping.lock().unwrap()));
            }
        },
    },
    "made and dropped beside 1,000 guards" => {
        "unix-memory" => |n| {
            let page = page_size();
            let others = Mapping::anonymous(20_000 * page).unwrap();
            let lock = |i: usize| others.lock_range(2 * i * page..(2 * i + 1) * page).unwrap();
            let _guards: Vec<_> = (0..1000).map(lock).collect();
            for _ in 0..n {
                drop(black_box(Mapping::anonymous(4096).unwrap()));
            }
        },
    },
    "a range populated" => {
        "libc" => |n| {
            let pages = bare::anonymous(4 * page_size());
            for _ in 0..n {
                // SAFETY: the pages are mapped; the advice changes no content.
                let result = unsafe { libc::madvise(pages, 4096, libc::MADV_POPULATE_READ) };
                black_box(result);
            }
        },
        "unix-memory" => |n| {
            let mapping = four();
            for _ in 0..n {
                mapping.populate_range(..4096).unwrap();
            }
        },
    },
    "1,000 pages asked for one by one" => {
        "libc" => |n| {
            let pages = bare::anonymous(1000 * page_size());
            for _ in 0..n {
                let mut answer = [0; 1000];
                let len = 1000 * page_size();
                // SAFETY: there is a byte for each page.
                bare::zero(unsafe { libc::mincore(pages, len, answer.as_mut_ptr()) });
                black_box(answer.iter().filter(|&&byte| byte & 1 != 0).count());
            }
        },
        "unix-memory" => |n| {
            let mapping = Mapping::anonymous(1000 * page_size()).unwrap();
            for _ in 0..n {
                black_box(mapping.residency().filter(|page| page.as_ref().is_ok_and(|&is| is)).count());
            }
        },
    },
}
