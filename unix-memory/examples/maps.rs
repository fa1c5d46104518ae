//! Prints the memory map of a process as `pmap -x` does: of the process whose number is given, or of this
//! one.

use std::io::{self, Write};
use std::process::ExitCode;

use unix_memory::Protection;
use unix_memory::process_map::{ProcessMap, Region, Sharing};

fn main() -> ExitCode {
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("maps: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> io::Result<()> {
    let process = match std::env::args().nth(1) {
        Some(number) => number.parse().map_err(io::Error::other)?,
        None => std::process::id(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(
        out,
        "{:16} {:>10} {:>10} Mode  Mapping",
        "Address", "Kbytes", "RSS"
    )?;
    let mut total = 0;
    for (region, rss) in regions(&mut ProcessMap::of(process)?, process) {
        let region = region?;
        total += region.len();
        let letter = |flag, letter| {
            if region.protection.contains(flag) {
                letter
            } else {
                '-'
            }
        };
        let mode = [
            letter(Protection::READ, 'r'),
            letter(Protection::WRITE, 'w'),
            letter(Protection::EXECUTE, 'x'),
            match region.sharing {
                Some(Sharing::Shared) => 's',
                Some(Sharing::Private) => 'p',
                None => '?',
            },
        ];
        let rss = rss.map_or("-".to_owned(), |bytes| (bytes >> 10).to_string());
        let (start, kbytes) = (region.addresses.start, region.len() >> 10);
        let (mode, name) = (String::from_iter(mode), region.name().escape_ascii());
        writeln!(out, "{start:016x} {kbytes:10} {rss:>10} {mode}  {name}")?;
    }
    writeln!(out, "{:16} {:10}", "total", total >> 10)?;
    out.flush()
}

type Item = (unix_memory::Result<Region<Vec<u8>>>, Option<u64>);

/// The mappings, and how many bytes of each are in memory, which only Linux reports.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn regions(_: &mut ProcessMap, process: u32) -> Box<dyn Iterator<Item = Item>> {
    match unix_memory::process_map::Smaps::of(process) {
        Ok(smaps) => Box::new(smaps.map(|smap| match smap {
            Ok(smap) => (Ok(smap.region), Some(smap.usage.rss)),
            Err(error) => (Err(error), None),
        })),
        Err(error) => Box::new(std::iter::once((Err(error), None))),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn regions(map: &mut ProcessMap, _: u32) -> impl Iterator<Item = Item> {
    map.regions().map(|region| (region, None))
}
