//! Counts the lines of each file, whatever kind it is, and prints how its bytes came into memory.
//! It needs no `unsafe`; `-` is standard input.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use unix_memory::{FileBytes, FileBytesOptions, Way};

/// Files with more bytes are refused: /dev/zero has no end.
const MOST: usize = 1 << 30;

fn load(name: &str) -> io::Result<FileBytes> {
    let options = FileBytesOptions::new().max_len(MOST);
    Ok(match name {
        "-" => options.load(io::stdin())?,
        name => options.load(File::open(name)?)?,
    })
}

const fn words(way: Way) -> &'static str {
    match way {
        Way::Sealed => "mapped, since its seals keep it",
        Way::Verified => "mapped, since fs-verity keeps it",
        Way::MappedPrivate => "mapped privately",
        Way::MappedShared => "mapped shared",
        Way::Read => "read",
        _ => "in memory",
    }
}

fn main() -> io::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for name in std::env::args().skip(1) {
        match load(&name) {
            Ok(bytes) => {
                // Each newline makes one piece more.
                let lines = bytes.split(|&byte| byte == b'\n').count() - 1;
                let (len, way) = (bytes.len(), words(bytes.way()));
                writeln!(io::stdout(), "{name}: {lines} lines, {len} bytes, {way}")?;
            }
            Err(error) => {
                eprintln!("{name}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
