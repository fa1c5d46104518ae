//! What copies out of and into files cost, mechanism by mechanism, beside `memcpy` and `pread`, in
//! one run: read the ratios, not the times. `cargo bench -p tests --bench copies`.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;

use divan::Bencher;
use divan::counter::BytesCount;
use unix_memory::{
    MapOptions, Mechanism, ReadWrite, SharedMapping, install_fault_handler, page_size,
};

fn main() {
    if let Err(error) = install_fault_handler() {
        println!("skipped: handler: {error}");
    }
    divan::main();
}

const SIZES: [usize; 6] = [8, 64, 512, 4 << 10, 64 << 10, 1 << 20];

/// A file of a mebibyte, mapped and brought in.
fn file() -> (File, SharedMapping<ReadWrite>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    // For writing, too.
    for page in (0..mapping.len()).step_by(page_size()) {
        mapping.write_at(page, &[2]).unwrap();
    }
    (file, mapping)
}

/// By that mechanism, if it works here.
fn read_with(bencher: Bencher<'_, '_>, mechanism: Mechanism, len: usize) {
    let (_file, mapping) = file();
    let mut buffer = vec![0; len];
    if let Err(error) = mapping.read_at_with(mechanism, 0, &mut buffer) {
        return println!("skipped: {error}");
    }
    let bencher = bencher.counter(BytesCount::new(len));
    bencher.bench_local(|| mapping.read_at_with(mechanism, 0, black_box(&mut buffer)));
}

/// By that mechanism, if it works here.
fn write_with(bencher: Bencher<'_, '_>, mechanism: Mechanism, len: usize) {
    let (_file, mapping) = file();
    let buffer = vec![3; len];
    if let Err(error) = mapping.write_at_with(mechanism, 0, &buffer) {
        return println!("skipped: {error}");
    }
    let bencher = bencher.counter(BytesCount::new(len));
    bencher.bench_local(|| mapping.write_at_with(mechanism, 0, black_box(&buffer)));
}

/// Bytes out of a file.
mod read {
    use super::{Bencher, BytesCount, FileExt, Mechanism, SIZES, black_box, file, read_with};

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

    /// As `read_at` chooses, with the handler.
    #[divan::bench(args = SIZES)]
    fn read_at(bencher: Bencher<'_, '_>, len: usize) {
        let (_file, mapping) = file();
        let mut buffer = vec![0; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| mapping.read_at(0, black_box(&mut buffer)));
    }

    #[divan::bench(args = SIZES)]
    fn handler(bencher: Bencher<'_, '_>, len: usize) {
        read_with(bencher, Mechanism::Handler, len);
    }

    #[divan::bench(args = SIZES)]
    fn process_vm(bencher: Bencher<'_, '_>, len: usize) {
        read_with(bencher, Mechanism::ProcessVm, len);
    }

    #[divan::bench(args = SIZES)]
    fn pipe(bencher: Bencher<'_, '_>, len: usize) {
        read_with(bencher, Mechanism::Pipe, len);
    }
}

/// Bytes into a file.
mod write {
    use super::{Bencher, BytesCount, FileExt, Mechanism, SIZES, black_box, file, write_with};

    #[divan::bench(args = SIZES)]
    fn memcpy(bencher: Bencher<'_, '_>, len: usize) {
        let (_file, mapping) = file();
        // SAFETY: nobody else knows the file.
        let mut mapping = unsafe { mapping.assume_unshared() };
        let buffer = vec![3; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| mapping[..len].copy_from_slice(black_box(&buffer)));
    }

    #[divan::bench(args = SIZES)]
    fn pwrite(bencher: Bencher<'_, '_>, len: usize) {
        let (file, _mapping) = file();
        let buffer = vec![3; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| file.write_all_at(black_box(&buffer), 0));
    }

    #[divan::bench(args = SIZES)]
    fn handler(bencher: Bencher<'_, '_>, len: usize) {
        write_with(bencher, Mechanism::Handler, len);
    }

    #[divan::bench(args = SIZES)]
    fn process_vm(bencher: Bencher<'_, '_>, len: usize) {
        write_with(bencher, Mechanism::ProcessVm, len);
    }

    #[divan::bench(args = SIZES)]
    fn pipe(bencher: Bencher<'_, '_>, len: usize) {
        write_with(bencher, Mechanism::Pipe, len);
    }
}

/// Bytes of a file set.
mod fill {
    use super::{Bencher, BytesCount, SIZES, black_box, file};

    #[divan::bench(args = SIZES)]
    fn memset(bencher: Bencher<'_, '_>, len: usize) {
        let (_file, mapping) = file();
        // SAFETY: nobody else knows the file.
        let mut mapping = unsafe { mapping.assume_unshared() };
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| black_box(&mut mapping[..len]).fill(black_box(4)));
    }

    #[divan::bench(args = SIZES)]
    fn handler(bencher: Bencher<'_, '_>, len: usize) {
        let (_file, mapping) = file();
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench_local(|| mapping.fill(..len, black_box(4)));
    }
}

/// An atomic found in a mapping, and looked at.
mod atomic {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::{Bencher, black_box, file};

    #[divan::bench]
    fn kept(bencher: Bencher<'_, '_>) {
        let (_file, mapping) = file();
        let atomic = mapping.atomic::<AtomicU32>(64).unwrap();
        bencher.bench_local(|| black_box(atomic).load(Ordering::Relaxed));
    }

    #[divan::bench]
    fn found_each_time(bencher: Bencher<'_, '_>) {
        let (_file, mapping) = file();
        bencher.bench_local(|| {
            let atomic = mapping.atomic::<AtomicU32>(black_box(64));
            atomic.unwrap().load(Ordering::Relaxed)
        });
    }
}
