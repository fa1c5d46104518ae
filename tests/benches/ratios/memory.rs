//! Private memory: touched first, used again, grown, advised on.

use std::hint::black_box;
use std::time::Duration;

use unix_memory::reserve::ReservedVec;
use unix_memory::{Advice, HugePageSize, MapOptions, Mapping, ReadWrite, Span, page_size};

use crate::contest::{Contests, Way, time};

const LEN: usize = 64 << 20;

pub fn all(contests: &Contests) {
    if contests.has("first touch of 64 MiB") {
        first_touch(contests);
    }
    if contests.has("64 MiB of zeros again") {
        again(contests);
    }
    if contests.has("a million pushes") {
        growth(contests);
    }
    if contests.has("advice on 64 ranges") {
        ranges(contests);
    }
}

/// A byte of each page is written.
fn touch(memory: &mut [u8]) {
    for byte in memory.iter_mut().step_by(page_size()) {
        *black_box(byte) = 1;
    }
}

fn first_touch(contests: &Contests) {
    let options = MapOptions::new().len(LEN);
    let touched = |options: MapOptions, advice: Option<Advice>| {
        move || -> Duration {
            let mut mapping = None;
            let took = time(|| {
                let mut new = options.map_anonymous(ReadWrite).unwrap();
                if let Some(advice) = advice {
                    new.advise(advice).unwrap();
                }
                touch(&mut new);
                mapping = Some(new);
            });
            drop(mapping);
            took
        }
    };
    let mut ways = vec![
        Way::timed("small pages", touched(options, Some(Advice::NoHugePage))),
        Way::timed("nothing asked", touched(options, None)),
        Way::timed("populate", touched(options.populate(true), None)),
        Way::timed("Advice::HugePage", touched(options, Some(Advice::HugePage))),
        Way::timed(
            "transparent_huge_pages",
            touched(options.transparent_huge_pages(true), None),
        ),
    ];
    let size = HugePageSize::system_default();
    let pool =
        size.map(|size| tests::ReservedHugePages::new(size.bytes(), (LEN / size.bytes()) as u64));
    match (size, &pool) {
        (Some(size), Some(Ok(_))) => {
            let options = options.huge_pages(size);
            ways.push(Way::timed("huge_pages", touched(options, None)));
        }
        (_, Some(Err(reason))) => eprintln!("skipped: huge_pages: {reason}"),
        _ => eprintln!("skipped: huge_pages: the kernel has none"),
    }
    contests.run("first touch of 64 MiB", None, ways);
}

fn again(contests: &Contests) {
    let used = || {
        let mut mapping = Mapping::anonymous(LEN).unwrap();
        mapping.advise(Advice::NoHugePage).unwrap();
        touch(&mut mapping);
        mapping
    };
    let (mut filled, mut discarded, mut bare) = (used(), used(), used());
    contests.run(
        "64 MiB of zeros again",
        None,
        vec![
            Way::new("fill(0)", || {
                black_box(&mut filled).fill(0);
                touch(&mut filled);
            }),
            Way::new("discard", || {
                discarded.discard(..).unwrap();
                touch(&mut discarded);
            }),
            Way::new("libc madvise(MADV_DONTNEED)", || {
                let address = bare.as_mut_ptr().cast();
                // SAFETY: the memory is private and anonymous, and nothing refers to it.
                let done = unsafe { libc::madvise(address, LEN, libc::MADV_DONTNEED) };
                assert_eq!(done, 0);
                touch(&mut bare);
            }),
            Way::new("dropped, and new memory", || {
                let mut new = Mapping::anonymous(LEN).unwrap();
                new.advise(Advice::NoHugePage).unwrap();
                touch(&mut new);
            }),
        ],
    );
}

fn growth(contests: &Contests) {
    const COUNT: usize = 1 << 20;
    let mut kept = ReservedVec::with_max_capacity(COUNT).unwrap();
    contests.run(
        "a million pushes",
        None,
        vec![
            Way::new("Vec", || {
                let mut vec = Vec::new();
                (0..COUNT).for_each(|i| vec.push(black_box(i)));
                drop(black_box(vec));
            }),
            Way::new("Vec::with_capacity", || {
                let mut vec = Vec::with_capacity(COUNT);
                (0..COUNT).for_each(|i| vec.push(black_box(i)));
                drop(black_box(vec));
            }),
            Way::new("ReservedVec", || {
                let mut vec = ReservedVec::with_max_capacity(COUNT).unwrap();
                (0..COUNT).for_each(|i| vec.push(black_box(i)));
                drop(black_box(vec));
            }),
            Way::new("ReservedVec, cleared", || {
                kept.clear();
                (0..COUNT).for_each(|i| kept.push(black_box(i)));
                black_box(&mut kept);
            }),
        ],
    );
}

fn ranges(contests: &Contests) {
    let page = page_size();
    let mut mapping = Mapping::anonymous(128 * page).unwrap();
    touch(&mut mapping);
    let range = |i: usize| 2 * i * page..(2 * i + 1) * page;
    let spans: Vec<Span<'_>> = (0..64).map(|i| mapping.span(range(i)).unwrap()).collect();
    contests.run(
        "advice on 64 ranges",
        None,
        vec![
            Way::new("one by one", || {
                for i in 0..64 {
                    mapping.advise_range(range(i), Advice::WillNeed).unwrap();
                }
            }),
            Way::new("together", || Advice::WillNeed.apply(&spans).unwrap()),
        ],
    );
}
