//! Copies a file of any size, window after window, and shows a progress bar. If the file is truncated
//! meanwhile, the result is an error, not a SIGBUS.
//!
//! ```sh
//! cargo run --example copy -- FROM TO
//! ```

use std::fs::File;
use std::io::{self, IsTerminal, Write};

use unix_memory::Windows;

/// How much of the source is mapped at a time. The next window is read ahead meanwhile.
const WINDOW: usize = 16 << 20;

/// Shows on standard error how much is done, if that is a terminal.
struct Bar {
    done: u64,
    of: u64,
    shown: Option<u64>,
}

impl Bar {
    fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        // (A file that grows meanwhile is copied to its new end.)
        let percent = (self.done.saturating_mul(100) / self.of.max(1)).min(100);
        if self.shown == Some(percent) || !io::stderr().is_terminal() {
            return;
        }
        self.shown = Some(percent);
        let filled: String = (0..50)
            .map(|it| if it * 2 < percent { '#' } else { ' ' })
            .collect();
        eprint!("\r[{filled}] {percent:3}%");
    }
}

fn copy(from: &File, to: &mut File) -> io::Result<u64> {
    let mut bar = Bar {
        done: 0,
        of: from.metadata()?.len(),
        shown: None,
    };
    let mut buffer = vec![0; 1 << 20];
    // What was copied is not needed in memory again: it makes room for what others use.
    let windows = Windows::new(from, WINDOW)?;
    for window in windows.read_ahead(true).drop_behind(true) {
        let window = window?;
        let mut chunks = window.chunks_in(&mut buffer);
        while let Some(chunk) = chunks.next() {
            let chunk = chunk?;
            to.write_all(chunk)?;
            bar.add(chunk.len());
        }
    }
    if bar.shown.is_some() {
        eprintln!();
    }
    Ok(bar.done)
}

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [from, to] = &arguments[..] else {
        return Err(io::Error::other("name the file to copy, and a new one"));
    };
    let from = File::open(from)?;
    // One that exists is not replaced: it could be the same file.
    let mut to = File::create_new(to)?;
    let bytes = copy(&from, &mut to)?;
    to.sync_all()?;
    println!("copied {bytes} bytes");
    Ok(())
}
