//! Keeps a file up to date with what is in memory, and writes only the pages that have changed since the
//! last checkpoint. The path of the file is the argument.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::FileExt;

use unix_memory::{Advice, Mapping, ReadWrite, Tracked, page_size};

/// Memory of which checkpoints are made.
enum Memory {
    Tracked(Tracked<Mapping<ReadWrite>>),
    /// This system, or this kernel, does not track writes: every checkpoint writes all of it.
    Plain(Mapping<ReadWrite>),
}

impl Memory {
    fn new(pages: usize) -> unix_memory::Result<Self> {
        let mapping = Mapping::anonymous(pages * page_size())?;
        // A huge page may count as written as a whole. (Where there are none, nor is the advice.)
        let _in_small_pages = mapping.advise(Advice::NoHugePage);
        Ok(match mapping.into_tracked() {
            Ok(tracked) => {
                println!("tracked by {:?}", tracked.tracking());
                Self::Tracked(tracked)
            }
            Err(refused) => {
                println!("all pages, every time: {}", refused.error());
                Self::Plain(refused.into_mapping())
            }
        })
    }

    /// Writes what has changed, and returns how many bytes that was.
    fn checkpoint(&self, file: &File) -> io::Result<usize> {
        let mut written = 0;
        match self {
            Self::Tracked(memory) => {
                for range in memory.take() {
                    let range = range?;
                    file.write_all_at(&memory[range.clone()], range.start as u64)?;
                    written += range.len();
                }
            }
            Self::Plain(memory) => {
                file.write_all_at(memory, 0)?;
                written = memory.len();
            }
        }
        file.sync_data()?;
        Ok(written)
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Tracked(memory) => memory,
            Self::Plain(memory) => memory,
        }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Tracked(memory) => memory,
            Self::Plain(memory) => memory,
        }
    }
}

fn main() -> io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("name the file that checkpoints go to"));
    };
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    let (page, pages) = (page_size(), 1000);
    let mut memory = Memory::new(pages)?;
    // Nothing is written yet, and the file has zeros, as the memory has.
    file.set_len(memory.len() as u64)?;

    for round in 1..=5 {
        // Some work: a few pages change.
        for step in 0..10 {
            memory[(round * 97 + step * 31) % pages * page + step] = 1;
        }
        let written = memory.checkpoint(&file)?;
        println!("checkpoint {round}: {} of {pages} pages", written / page);
    }

    let mut kept = vec![0; memory.len()];
    file.read_exact_at(&mut kept, 0)?;
    println!("the file has what the memory has: {}", kept == memory[..]);
    Ok(())
}
