//! Files: gone over from the page cache, and read here and there from the disk.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use unix_memory::{
    Advice, Cursor, FileBytes, FileBytesOptions, MapOptions, ReadOnly, SharedMapping, Span, Windows,
};

use crate::contest::{Contests, Way, time};

const SCANNED: usize = 256 << 20;

/// A file of `len` bytes in the directory of what is built, which is on a disk.
fn file(len: usize) -> File {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let chunk: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for _ in 0..len >> 20 {
        file.write_all(&chunk).unwrap();
    }
    file.sync_all().unwrap();
    file
}

/// Looks at each byte.
fn look(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(0, |sum: u64, word| {
        sum.wrapping_add(u64::from_ne_bytes(*word))
    })
}

/// The whole file in 256 KiB, by `read`.
fn by_read(mut source: impl Read, buffer: &mut [u8]) {
    loop {
        match source.read(buffer).unwrap() {
            0 => return,
            n => black_box(look(&buffer[..n])),
        };
    }
}

/// `copied` says how what may change is copied.
pub fn scans(contests: &Contests, copied: &str) {
    let name = format!("a file of 256 MiB in the cache, {copied}");
    if !contests.has(&name) {
        return;
    }
    let file = file(SCANNED);
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    // SAFETY: the file has no name, and nobody else its descriptor.
    let theirs = unsafe { memmap2::Mmap::map(&file) }.unwrap();
    // SAFETY: as above.
    let unshared = unsafe {
        let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
        mapping.assume_unshared()
    };
    let [mut a, mut b, mut c] = [const { Vec::new() }; 3].map(|_: Vec<u8>| vec![0; 256 << 10]);
    contests.run(
        &name,
        None,
        vec![
            Way::new("read of 256 KiB", || {
                (&file).rewind().unwrap();
                by_read(&file, &mut a);
            }),
            Way::new("memmap2", || {
                black_box(look(&theirs));
            }),
            Way::new("assume_unshared", || {
                black_box(look(&unshared));
            }),
            Way::new("FileBytes::load", || {
                black_box(look(&FileBytes::load(&file).unwrap()));
            }),
            Way::new("FileBytesOptions::map_shared", || {
                // SAFETY: as above.
                let bytes = unsafe { FileBytesOptions::new().map_shared(&file) }.unwrap();
                black_box(look(&bytes));
            }),
            Way::new("Cursor", || by_read(Cursor::new(&mapping), &mut b)),
            Way::new("Windows", || {
                for window in Windows::new(&file, 64 << 20).unwrap() {
                    by_read(Cursor::new(&*window.unwrap()), &mut c);
                }
            }),
        ],
    );
}

/// A thousand reads of 4 KiB here and there, none of them in the cache.
pub fn cold(contests: &Contests) {
    const NAME: &str = "1,000 cold reads of 4 KiB";
    const LEN: usize = 512 << 20;
    if !contests.has(NAME) {
        return;
    }
    let file = file(LEN);
    // Each place once, in an order without one.
    let places: Vec<usize> = (0..1000)
        .map(|i| (i * 7919 % 1000 * (LEN / 1000)) & !4095)
        .collect();
    let evict = || {
        // SAFETY: the call takes numbers.
        let done =
            unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        assert_eq!(done, 0);
    };
    let mapped = |advise: &dyn Fn(&SharedMapping<ReadOnly>)| {
        evict();
        time(|| {
            let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
            advise(&mapping);
            let mut buffer = [0; 4096];
            for &place in &places {
                mapping.read_at(place, &mut buffer).unwrap();
                black_box(look(&buffer));
            }
        })
    };
    contests.run(
        NAME,
        None,
        vec![
            Way::timed("pread", || {
                evict();
                time(|| {
                    let mut buffer = [0; 4096];
                    for &place in &places {
                        file.read_exact_at(&mut buffer, place as u64).unwrap();
                        black_box(look(&buffer));
                    }
                })
            }),
            Way::timed("mapped, no advice", || mapped(&|_| ())),
            Way::timed("mapped, Advice::Random", || {
                mapped(&|mapping| mapping.advise(Advice::Random).unwrap())
            }),
            Way::timed("mapped, Advice::WillNeed on all ranges", || {
                mapped(&|mapping| {
                    let span = |&place: &usize| mapping.span(place..place + 4096).unwrap();
                    let spans: Vec<Span<'_>> = places.iter().map(span).collect();
                    Advice::WillNeed.apply(&spans).unwrap();
                })
            }),
        ],
    );
}
