//! Linux and Android: the text of `/proc/self/smaps`, and its entries.

use std::io::Read;

use procfs::FromRead;
use procfs::process::{MemoryMap, MemoryMaps, Process};

use super::Permissions;

/// /proc/self/smaps, opened relative to its directory, because emulators intercept the whole path.
pub fn text() -> String {
    let mut text = Vec::new();
    Process::myself()
        .expect("/proc/self")
        .open_relative("smaps")
        .expect("/proc/self/smaps")
        .read_to_end(&mut text)
        .expect("/proc/self/smaps can be read");
    // Files may have any bytes in their names.
    String::from_utf8_lossy(&text).into_owned()
}

/// The first line of an entry, as far as it is needed to find one.
pub struct Head<'a> {
    pub start: u64,
    pub end: u64,
    /// Permissions, offset, device, inode, path.
    pub rest: &'a str,
}

/// The first entry whose head fits. Only that one is parsed completely, since there are hundreds.
pub fn find(text: &str, fits: impl Fn(&Head<'_>) -> bool) -> Option<MemoryMap> {
    let entry = entry(text, fits)?;
    let maps = MemoryMaps::from_read(entry.as_bytes()).expect("an entry of smaps");
    maps.into_iter().next()
}

/// The text of the first entry whose head fits.
fn entry(text: &str, fits: impl Fn(&Head<'_>) -> bool) -> Option<String> {
    let mut lines = text.split_inclusive('\n');
    let line = lines
        .by_ref()
        .find(|line| head(line).as_ref().is_some_and(&fits))?;
    let rest = lines.take_while(|line| head(line).is_none());
    Some(std::iter::once(line).chain(rest).collect())
}

/// `line`, if it is the first one of an entry: `start-end permissions offset device inode path`.
pub fn head(line: &str) -> Option<Head<'_>> {
    // The others begin with a name.
    if line.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let (addresses, rest) = line.split_once(' ')?;
    let (start, end) = addresses.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let (start, end) = (number(start)?, number(end)?);
    Some(Head { start, end, rest })
}

/// What the second word of such a line says.
pub fn permissions_of(word: &str) -> Permissions {
    let letters = word.bytes().map(|letter| match letter {
        b'r' => Permissions::READ,
        b'w' => Permissions::WRITE,
        b'x' => Permissions::EXECUTE,
        b's' => Permissions::SHARED,
        b'p' => Permissions::PRIVATE,
        _ => Permissions::empty(),
    });
    letters.collect()
}
