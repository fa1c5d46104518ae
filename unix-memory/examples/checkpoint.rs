//! Keeps a file up to date with what is in memory, and writes only the pages that have changed since the
//! last checkpoint. `cargo run --example checkpoint -- FILE`

use std::fs::File;
use std::io;
use std::ops::{DerefMut, Range};
use std::os::unix::fs::FileExt;

use unix_memory::{Advice, Mapping, page_size};

const PAGES: usize = 1000;

fn main() -> io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("name the file that checkpoints go to"));
    };
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    let file = options.open(path)?;
    let memory = Mapping::anonymous(PAGES * page_size())?;
    // A huge page may count as written as a whole. (Where there are none, nor is the advice.)
    let _in_small_pages = memory.advise(Advice::NoHugePage);
    match memory.into_tracked() {
        Ok(memory) => {
            println!("tracked by {:?}", memory.tracking());
            work(&file, memory, |memory| memory.take().collect())
        }
        Err(failed) => {
            println!("all pages, every time: {failed}");
            let all = 0..PAGES * page_size();
            work(&file, failed.into_mapping(), |_| Ok(vec![all.clone()]))
        }
    }
}

/// Changes some of `memory` and writes to `file` what `changed` returns, several times.
fn work<M: DerefMut<Target = [u8]>>(
    file: &File,
    mut memory: M,
    changed: impl Fn(&M) -> unix_memory::Result<Vec<Range<usize>>>,
) -> io::Result<()> {
    // Nothing is written yet, and the file has zeros, as the memory has.
    file.set_len(memory.len() as u64)?;
    for round in 1..=5 {
        for step in 0..10 {
            memory[(round * 97 + step * 31) % PAGES * page_size() + step] = 1;
        }
        let mut written = 0;
        for range in changed(&memory)? {
            file.write_all_at(&memory[range.clone()], range.start as u64)?;
            written += range.len();
        }
        file.sync_data()?;
        let pages = written / page_size();
        println!("checkpoint {round}: {pages} of {PAGES} pages");
    }
    let mut kept = vec![0; memory.len()];
    file.read_exact_at(&mut kept, 0)?;
    println!("the file has what the memory has: {}", kept == memory[..]);
    Ok(())
}
