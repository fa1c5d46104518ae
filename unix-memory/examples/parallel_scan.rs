//! Counts the lines of a file on all processors: the threads share one mapping of it, and each takes the
//! next piece as soon as it has finished one.
//!
//! ```sh
//! cargo run --release --example parallel_scan -- FILE
//! ```

use std::fs::File;
use std::io::{Error, Result};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use memchr::memchr_iter;
use unix_memory::{Advice, MapOptions, ReadOnly, SharedMapping, install_fault_handler};

/// How much a thread takes at a time: its copy stays in the cache of its processor.
const PIECE: usize = 256 << 10;

/// Counts the newlines in the pieces that this thread is the first to take.
fn count(file: &SharedMapping<ReadOnly>, next: &AtomicUsize) -> unix_memory::Result<usize> {
    let mut buffer = vec![0; PIECE];
    let mut lines = 0;
    loop {
        let start = next.fetch_add(1, Relaxed).saturating_mul(PIECE);
        let rest = file.len().saturating_sub(start);
        if rest == 0 {
            return Ok(lines);
        }
        let piece = &mut buffer[..rest.min(PIECE)];
        // Others may change the file meanwhile: what is counted is a copy. A truncated file is an error.
        file.read_at(start, piece)?;
        lines += memchr_iter(b'\n', piece).count();
    }
}

fn main() -> Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        return Err(Error::other("name a file"));
    };
    // From here on, copies out of the mapping are as fast as those of other memory. If this processor has
    // no such handler, the kernel makes them.
    let _faster = install_fault_handler();
    let file = MapOptions::new().map_shared(File::open(path)?, ReadOnly)?;
    // (Not every system has this advice.)
    let _read_ahead = file.advise(Advice::WillNeed);

    let threads = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let lines: usize = thread::scope(|scope| {
        let count = || count(&file, &next);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(count)).collect();
        let counts = threads
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"));
        counts.sum::<unix_memory::Result<usize>>()
    })?;
    println!("{lines} lines, {} bytes", file.len());
    eprintln!("by {threads} threads");
    Ok(())
}
