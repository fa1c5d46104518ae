//! What it costs to find out what was written to 64 MiB: by a tracker, by the bare call, and by
//! comparing all pages with a copy. In one run: read the ratios, not the times.
//! `cargo bench -p tests --bench dirty`.

use divan::Bencher;
use unix_memory::{Mapping, ReadWrite, Tracked, Tracking, page_size};

fn main() {
    divan::main();
}

const LEN: usize = 64 << 20;

/// How many pages are written, evenly spread: none, a thousandth, a hundredth, a tenth, each second one.
const WRITTEN: [usize; 5] = [0, 16, 164, 1638, 8192];

/// Memory that is in use.
fn used() -> Mapping<ReadWrite> {
    let mut mapping = Mapping::anonymous(LEN).unwrap();
    // Which would make fewer faults, or more, as it comes.
    let _not_everywhere = mapping.advise(unix_memory::Advice::NoHugePage);
    mapping.fill(1);
    mapping
}

fn tracked(tracking: Tracking) -> Tracked<Mapping<ReadWrite>> {
    used().into_tracked_by(tracking).unwrap()
}

/// Whether writes cannot be tracked so here.
fn lacks(tracking: Tracking) -> bool {
    Mapping::anonymous(1)
        .unwrap()
        .into_tracked_by(tracking)
        .is_err()
}

/// Writes to so many pages.
fn write(memory: &mut [u8], count: usize) {
    let pages = memory.len() / page_size();
    for i in 0..count {
        let byte = &mut memory[i * pages / count * page_size() + 8];
        *byte = byte.wrapping_add(1);
    }
}

/// A snapshot is brought up to date with what was written; the writing itself is not measured.
mod update {
    use super::{
        Bencher, Mapping, ReadWrite, Tracked, Tracking, WRITTEN, lacks, tracked, used, write,
    };
    use std::cell::RefCell;
    use unix_memory::page_size;

    fn take(memory: &Tracked<Mapping<ReadWrite>>, snapshot: &mut [u8]) {
        for range in memory.take() {
            let range = range.unwrap();
            snapshot[range.clone()].copy_from_slice(&memory[range]);
        }
    }

    fn by(tracking: Tracking, bencher: Bencher, count: usize) {
        let memory = tracked(tracking);
        let mut snapshot = memory.to_vec();
        let memory = RefCell::new(memory);
        bencher
            .with_inputs(|| write(&mut memory.borrow_mut(), count))
            .bench_local_values(|()| take(&memory.borrow(), &mut snapshot));
        take(&memory.borrow(), &mut snapshot);
        assert!(snapshot[..] == memory.borrow()[..]);
    }

    #[divan::bench(args = WRITTEN, ignore = lacks(Tracking::WriteProtect))]
    fn take_write_protect(bencher: Bencher, count: usize) {
        by(Tracking::WriteProtect, bencher, count);
    }

    #[divan::bench(args = WRITTEN, ignore = lacks(Tracking::SoftDirty))]
    fn take_soft_dirty(bencher: Bencher, count: usize) {
        by(Tracking::SoftDirty, bencher, count);
    }

    /// Each page is compared, and copied where it differs.
    #[divan::bench(args = WRITTEN)]
    fn compare_all(bencher: Bencher, count: usize) {
        let memory = used();
        let mut snapshot = memory.to_vec();
        let memory = RefCell::new(memory);
        let page = page_size();
        bencher
            .with_inputs(|| write(&mut memory.borrow_mut(), count))
            .bench_local_values(|()| {
                let memory = memory.borrow();
                for (kept, now) in snapshot.chunks_mut(page).zip(memory.chunks(page)) {
                    if kept != now {
                        kept.copy_from_slice(now);
                    }
                }
            });
    }

    /// All is copied, whatever was written.
    #[divan::bench]
    fn copy_all(bencher: Bencher) {
        let memory = used();
        let mut snapshot = memory.to_vec();
        bencher.bench_local(|| divan::black_box(&mut snapshot).copy_from_slice(&memory));
    }
}

/// The question alone, beside the bare call with room for all the answers.
mod ask {
    use super::{Bencher, Tracking, WRITTEN, lacks, tracked, write};

    #[divan::bench(args = WRITTEN, ignore = lacks(Tracking::WriteProtect))]
    fn written(bencher: Bencher, count: usize) {
        let mut memory = tracked(Tracking::WriteProtect);
        write(&mut memory, count);
        bencher.bench_local(|| {
            let ranges = memory
                .written()
                .filter(|range| range.as_ref().is_ok_and(|r| !r.is_empty()));
            assert_eq!(ranges.count(), count);
        });
    }

    // Only Linux has the call.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[divan::bench(args = WRITTEN, ignore = lacks(Tracking::WriteProtect))]
    fn pagemap_scan(bencher: Bencher, count: usize) {
        use std::os::fd::AsRawFd;
        use unix_memory_sys as sys;

        let mut memory = tracked(Tracking::WriteProtect);
        write(&mut memory, count);
        let pagemap = std::fs::File::open("/proc/self/pagemap").unwrap();
        let start = memory.as_ptr().expose_provenance();
        let mut regions = vec![sys::page_region::default(); count + 1];
        bencher.bench_local(|| {
            let mut scan = sys::pm_scan_arg {
                size: size_of::<sys::pm_scan_arg>() as u64,
                start: start as u64,
                end: (start + memory.len()) as u64,
                vec: regions.as_mut_ptr().expose_provenance() as u64,
                vec_len: regions.len() as u64,
                category_mask: sys::PAGE_IS_WRITTEN,
                return_mask: sys::PAGE_IS_WRITTEN,
                ..sys::pm_scan_arg::default()
            };
            // SAFETY: the argument is that of the request, with as many regions as it says.
            let found =
                unsafe { sys::ioctl(pagemap.as_raw_fd(), sys::PAGEMAP_SCAN, &raw mut scan) };
            assert_eq!(usize::try_from(found).unwrap(), count);
        });
    }
}

/// What tracking adds to writing: every page is written once after a mark.
mod write_all {
    use super::{Bencher, LEN, Tracking, lacks, page_size, tracked, used, write};
    use std::cell::RefCell;

    #[divan::bench(ignore = lacks(Tracking::WriteProtect))]
    fn tracked_by_write_protect(bencher: Bencher) {
        let memory = tracked(Tracking::WriteProtect);
        let memory = RefCell::new(memory);
        bencher
            .with_inputs(|| memory.borrow().mark().unwrap())
            .bench_local_values(|()| write(&mut memory.borrow_mut(), LEN / page_size()));
    }

    #[divan::bench(ignore = lacks(Tracking::SoftDirty))]
    fn tracked_by_soft_dirty(bencher: Bencher) {
        let memory = tracked(Tracking::SoftDirty);
        let memory = RefCell::new(memory);
        bencher
            .with_inputs(|| memory.borrow().mark().unwrap())
            .bench_local_values(|()| write(&mut memory.borrow_mut(), LEN / page_size()));
    }

    #[divan::bench]
    fn not_tracked(bencher: Bencher) {
        let mut memory = used();
        bencher.bench_local(|| write(divan::black_box(&mut memory), LEN / page_size()));
    }
}

/// A mark alone, and to track and stop.
mod begin {
    use super::{Bencher, Tracking, lacks, tracked, used};

    #[divan::bench(ignore = lacks(Tracking::WriteProtect))]
    fn mark(bencher: Bencher) {
        let memory = tracked(Tracking::WriteProtect);
        bencher.bench_local(|| memory.mark().unwrap());
    }

    #[divan::bench(ignore = lacks(Tracking::WriteProtect))]
    fn track_and_stop(bencher: Bencher) {
        let mut kept = Some(used());
        bencher.bench_local(|| {
            let mapping = kept.take().expect("it comes back");
            kept = Some(match mapping.into_tracked_by(Tracking::WriteProtect) {
                Ok(tracked) => tracked.untrack(),
                Err(refused) => refused.into_mapping(),
            });
        });
    }
}
