//! What hints, discards and locks cost beside other ways to the same end, in one run: read the
//! ratios, not the times. `cargo bench -p tests --bench hints`.

use divan::Bencher;
use unix_memory::{Advice, Mapping, ReadWrite, Span, page_size};

fn main() {
    divan::main();
}

/// New memory that is in use.
fn used(pages: usize) -> Mapping<ReadWrite> {
    let mut mapping = Mapping::anonymous(pages * page_size()).unwrap();
    mapping.populate_write().unwrap();
    mapping
}

/// A hint on every second page of 64.
mod many_ranges {
    use super::{Advice, Bencher, Span, page_size, used};

    #[divan::bench]
    fn together(bencher: Bencher) {
        let mapping = used(128);
        let span = |i: usize| {
            mapping
                .span(2 * i * page_size()..(2 * i + 1) * page_size())
                .unwrap()
        };
        let spans: Vec<Span<'_>> = (0..64).map(span).collect();
        bencher.bench_local(|| Advice::WillNeed.apply(&spans).unwrap());
    }

    #[divan::bench]
    fn one_by_one(bencher: Bencher) {
        let mapping = used(128);
        bencher.bench_local(|| {
            for i in 0..64 {
                let range = 2 * i * page_size()..(2 * i + 1) * page_size();
                mapping.advise_range(range, Advice::WillNeed).unwrap();
            }
        });
    }
}

/// A mebibyte of used memory made zeros, and used again.
mod zeros {
    use super::{Bencher, page_size, used};

    #[divan::bench]
    fn discard(bencher: Bencher) {
        let mut mapping = used((1 << 20) / page_size());
        bencher.bench_local(|| {
            mapping.discard(..).unwrap();
            mapping.populate_write().unwrap();
        });
    }

    #[divan::bench]
    fn fill(bencher: Bencher) {
        let mut mapping = used((1 << 20) / page_size());
        bencher.bench_local(|| divan::black_box(&mut mapping).fill(0));
    }

    #[divan::bench]
    fn libc_dont_need(bencher: Bencher) {
        let mut mapping = used((1 << 20) / page_size());
        bencher.bench_local(|| {
            let address = mapping.as_mut_ptr().cast();
            // SAFETY: the memory is private and anonymous, and nothing refers to it.
            let done = unsafe { libc::madvise(address, mapping.len(), libc::MADV_DONTNEED) };
            assert_eq!(done, 0);
            mapping.populate_write().unwrap();
        });
    }
}

/// A page that is locked and unlocked, alone and beside a hundred that are locked.
mod locks {
    use super::{Bencher, used};

    #[divan::bench]
    fn libc_mlock(bencher: Bencher) {
        let mapping = used(1);
        bencher.bench_local(|| {
            let address = mapping.as_ptr().cast();
            // SAFETY: the memory is this bench's own.
            assert_eq!(unsafe { libc::mlock(address, mapping.len()) }, 0);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::munlock(address, mapping.len()) }, 0);
        });
    }

    #[divan::bench]
    fn guard(bencher: Bencher) {
        let mapping = used(1);
        bencher.bench_local(|| drop(mapping.lock().unwrap()));
    }

    #[divan::bench]
    fn guard_beside_a_hundred(bencher: Bencher) {
        let (mapping, others) = (used(1), used(1));
        let _held: Vec<_> = (0..100).map(|_| others.lock().unwrap()).collect();
        bencher.bench_local(|| drop(mapping.lock().unwrap()));
    }
}
