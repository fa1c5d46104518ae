//! Finds a text in a file of any size, even one that is larger than the address space: the file is
//! mapped one window after another, and a match that spans two windows is found too.
//!
//! ```sh
//! cargo run --example search -- TEXT FILE
//! ```

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use memchr::memmem::Finder;
use unix_memory::Windows;

/// How much is mapped at a time.
const WINDOW: usize = 64 << 20;
/// How much is copied out and searched at a time: the copy stays in the processor's cache, and
/// others may change the file meanwhile.
const CHUNK: usize = 256 << 10;

/// Calls `found` with the offset of each match, including matches that overlap.
fn search(
    text: &[u8],
    file: &File,
    mut found: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    let finder = Finder::new(text);
    let mut chunk = vec![0; CHUNK];
    // The end of what was searched, in which a match may begin, and behind it the next chunk.
    let mut bytes = Vec::new();
    let mut offset = 0;
    for window in Windows::new(file, WINDOW)?.read_ahead(true) {
        let window = window?;
        let mut chunks = window.chunks_in(&mut chunk);
        while let Some(chunk) = chunks.next() {
            bytes.extend_from_slice(chunk?);
            let mut start = 0;
            while let Some(at) = finder.find(&bytes[start..]) {
                found(offset + (start + at) as u64)?;
                start += at + 1;
            }
            let searched = bytes.len().saturating_sub(text.len() - 1);
            bytes.drain(..searched);
            offset += searched as u64;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [text, path] = &arguments[..] else {
        return Err(io::Error::other("give a text, and name a file"));
    };
    if text.is_empty() {
        return Err(io::Error::other("the text to search for is empty"));
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut matches = 0_u64;
    search(text.as_bytes(), &File::open(path)?, |offset| {
        matches += 1;
        writeln!(out, "{offset}")
    })?;
    writeln!(out, "matches: {matches}")?;
    out.flush()
}
