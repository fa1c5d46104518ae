//! The kernel's text about a process, which is anything here: `maps`, `smaps`, `smaps_rollup`, files of
//! numbers, and lists of NUMA nodes.
//!
//! The parsers are private to the library. Their files are compiled here as they are, under the same
//! paths, with the library's own public types beside them.

#![no_main]

use std::ffi::CString;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

/// What these files use of the library's errors.
mod error {
    pub type Errno = i32;
}

mod protection {
    pub use unix_memory::Protection;
}

#[allow(dead_code, reason = "the library uses more of these files")]
mod os;
#[allow(dead_code, reason = "the library uses more of these files")]
mod process_map;

use process_map::smap::{Reader, Smap};
use process_map::text::{Source, Text};
use process_map::{Region, Sharing};

/// Text, and how it arrives.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// How many bytes a read returns, in turn.
    pieces: [u8; 4],
    /// How long a line can be.
    line: u8,
    #[arbitrary(with = rest)]
    text: &'a [u8],
}

/// All the rest, so that a file of the kernel's text is nearly an input.
fn rest<'a>(input: &mut Unstructured<'a>) -> arbitrary::Result<&'a [u8]> {
    input.bytes(input.len())
}

struct Pieces<'t> {
    text: &'t [u8],
    lens: [u8; 4],
    turn: usize,
}

impl Pieces<'_> {
    const fn of<'t>(input: &Input<'t>, lens: [u8; 4]) -> Pieces<'t> {
        let (text, turn) = (input.text, 0);
        Pieces { text, lens, turn }
    }
}

impl Source for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, i32> {
        let len = match self.lens[self.turn % 4] {
            0 => usize::MAX,
            len => len.into(),
        };
        self.turn += 1;
        let (now, later) = self
            .text
            .split_at(self.text.len().min(len).min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.text = later;
        Ok(now.len())
    }
}

fuzz_target!(|input: Input| {
    let whole = regions(&mut Pieces::of(&input, [0; 4]));
    let pieces = regions(&mut Pieces::of(&input, input.pieces));
    assert_eq!(whole, pieces, "the same, however it arrives");
    let whole = smaps(Pieces::of(&input, [0; 4]));
    let pieces = smaps(Pieces::of(&input, input.pieces));
    assert_eq!(whole, pieces, "the same, however it arrives");
    lines(&input);
    numbers(&input);
    nodes(&input);
});

/// The regions of `maps`, as far as the text is well-formed.
fn regions(source: &mut Pieces) -> Vec<Region<Vec<u8>>> {
    let (mut text, mut regions) = (Text::new(), Vec::new());
    while let Ok(Some(region)) = text.head(source) {
        let mut name = Vec::new();
        let named = text.name(source, &mut |piece| name.extend_from_slice(piece));
        assert_eq!(named, Ok(()), "the source has no errors");
        let region = region.with_name(name);
        assert!(region.addresses.start < region.addresses.end && !region.is_empty());
        assert!(matches!(
            region.sharing,
            Some(Sharing::Private | Sharing::Shared)
        ));
        assert!(region.path().is_none_or(std::path::Path::has_root));
        // What is shown has no bytes that a terminal would obey.
        assert!(format!("{region:?}").is_ascii());
        regions.push(region);
    }
    regions
}

/// The mappings of `smaps`, as far as the text is well-formed.
fn smaps(source: Pieces) -> Vec<Smap> {
    let (mut reader, mut smaps, mut passed) = (Reader::new(source), Vec::new(), 0);
    while let Ok(Some(smap)) = reader.next() {
        assert!(passed <= smap.region.addresses.start && !smap.region.is_empty());
        passed = smap.region.addresses.end;
        smaps.push(smap);
    }
    assert_eq!(reader.next(), Ok(None), "it stays at the end");
    assert!(reader.has_ended());
    smaps
}

/// Lines are those of the standard library, up to the length that there is room for.
fn lines(input: &Input) {
    let (mut text, mut source) = (Text::new(), Pieces::of(input, input.pieces));
    let mut room = vec![0; input.line.into()];
    let mut expected = input.text.split_inclusive(|&byte| byte == b'\n');
    while let Some(line) = text.line(&mut source, &mut room).expect("no errors") {
        let expected = expected.next().expect("as many lines");
        let expected = expected.strip_suffix(b"\n").unwrap_or(expected);
        assert_eq!(line, &expected[..expected.len().min(input.line.into())]);
    }
    assert_eq!(expected.next(), None);
}

/// Files of numbers, by a name of /proc that has this text.
fn numbers(input: &Input) {
    use os::proc_file::{addresses, each_line, hexadecimal, kibibytes, number};

    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(input.text).expect("room in it");
    file.rewind().expect("a regular file");
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("no NUL");
    let mut count = 0;
    let read = each_line(&path, |line| {
        assert!(line.len() <= 256 && !line.contains(&b'\n'));
        assert!(addresses(line).is_none_or(|range| range.start < range.end));
        count += 1;
    });
    assert_eq!(read, Ok(()));
    let lines = input.text.split(|&byte| byte == b'\n');
    assert_eq!(count + 1, lines.count());
    let key = b"Locked:";
    let found = input
        .text
        .split(|&byte| byte == b'\n')
        .any(|line| line.starts_with(key));
    for value in [
        number(&path, key),
        kibibytes(&path, key),
        hexadecimal(&path, key),
    ] {
        assert!(value.is_none() || found);
    }
}

/// A list of nodes that is read is written in one way, which is read as the same.
fn nodes(input: &Input) {
    let Ok(text) = str::from_utf8(input.text) else {
        return;
    };
    if let Ok(nodes) = text.parse::<unix_memory::Nodes>() {
        let again = nodes.to_string().parse();
        assert_eq!(again.ok(), Some(nodes), "{text:?}");
    }
}
