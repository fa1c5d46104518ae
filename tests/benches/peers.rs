//! What the guards cost beside the bare calls and beside their peers, in one run: read the ratios,
//! not the times. `cargo bench -p tests`.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;

use divan::Bencher;
use divan::counter::BytesCount;
use unix_memory::{Advice, MapOptions, Mapping, ReadOnly, SharedMapping, page_size};

fn main() {
    divan::main();
}

/// A new page of memory, mapped and unmapped.
mod anonymous {
    use super::{Mapping, black_box, page_size};

    #[divan::bench]
    fn libc_mmap() {
        // SAFETY: a new mapping, of which nothing is known to anybody.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                page_size(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(black_box(address), libc::MAP_FAILED);
        // SAFETY: the mapping made above.
        assert_eq!(unsafe { libc::munmap(address, page_size()) }, 0);
    }

    #[divan::bench]
    fn unix_memory() {
        drop(black_box(Mapping::anonymous(page_size()).unwrap()));
    }

    #[divan::bench]
    fn memmap2() {
        drop(black_box(memmap2::MmapMut::map_anon(page_size()).unwrap()));
    }
}

/// A hint on a page.
mod advise {
    use super::{Advice, Bencher, Mapping, page_size};

    #[divan::bench]
    fn libc_madvise(bencher: Bencher<'_, '_>) {
        let mapping = Mapping::anonymous(page_size()).unwrap();
        let address = mapping.as_ptr().cast_mut().cast();
        bencher.bench_local(|| {
            // SAFETY: the page is mapped; the advice changes no content.
            unsafe { libc::madvise(address, page_size(), libc::MADV_WILLNEED) }
        });
    }

    #[divan::bench]
    fn unix_memory(bencher: Bencher<'_, '_>) {
        let mapping = Mapping::anonymous(page_size()).unwrap();
        bencher.bench_local(|| mapping.advise(Advice::WillNeed));
    }

    #[divan::bench]
    fn memmap2(bencher: Bencher<'_, '_>) {
        let mapping = memmap2::MmapMut::map_anon(page_size()).unwrap();
        bencher.bench_local(|| mapping.advise(memmap2::Advice::WillNeed));
    }
}

const SIZES: [usize; 4] = [8, 64, 4 << 10, 1 << 20];

/// A file of a mebibyte, mapped and brought in.
fn file() -> (File, SharedMapping<ReadOnly>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    mapping.populate().unwrap();
    (file, mapping)
}

/// Bytes copied out of a file that others may write to.
mod read {
    use super::{Bencher, BytesCount, FileExt, SIZES, black_box, file};

    #[divan::bench(args = SIZES)]
    fn unix_memory(bencher: Bencher<'_, '_>, len: usize) {
        let (_file, mapping) = file();
        let mut buffer = vec![0; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| mapping.read_at(0, black_box(&mut buffer)));
    }

    #[divan::bench(args = SIZES)]
    fn memcpy(bencher: Bencher<'_, '_>, len: usize) {
        let (_file, mapping) = file();
        // SAFETY: nobody else knows the file.
        let mapping = unsafe { mapping.assume_unshared() };
        let mut buffer = vec![0; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| black_box(&mut buffer).copy_from_slice(&mapping[..len]));
    }

    #[divan::bench(args = SIZES)]
    fn pread(bencher: Bencher<'_, '_>, len: usize) {
        let (file, _mapping) = file();
        let mut buffer = vec![0; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| file.read_exact_at(black_box(&mut buffer), 0));
    }
}
