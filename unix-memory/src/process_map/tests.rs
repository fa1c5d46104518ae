//! The kernel's text, in any pieces, and malformed text.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::region::{Region, Sharing};
use super::smap::Reader;
use super::text::{Source, Text, file};
use super::vm_flags::VmFlags;
use crate::error::Errno;
use crate::protection::Protection;

/// Text that is read in pieces of a limited length.
struct Pieces<'t> {
    text: &'t [u8],
    most: usize,
}

impl Source for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let len = self.text.len().min(self.most).min(buffer.len());
        let (now, later) = self.text.split_at(len);
        buffer[..len].copy_from_slice(now);
        self.text = later;
        Ok(len)
    }
}

/// All regions of a text, read in pieces of at most `most` bytes.
fn parse(text: &[u8], most: usize) -> Result<Vec<Region<Vec<u8>>>, Errno> {
    let (mut source, mut text, mut regions) = (Pieces { text, most }, Text::new(), Vec::new());
    while let Some(region) = text.head(&mut source)? {
        let mut name = Vec::new();
        text.name(&mut source, &mut |piece| name.extend_from_slice(piece))?;
        regions.push(region.with_name(name));
    }
    Ok(regions)
}

/// As the kernel writes it.
fn line(region: &Region<Vec<u8>>, major: u32, minor: u32) -> Vec<u8> {
    let letter = |flag, letter| {
        if region.protection.contains(flag) {
            letter
        } else {
            '-'
        }
    };
    let mut line = format!(
        "{:08x}-{:08x} {}{}{}{} {:08x} {major:02x}:{minor:02x} {} ",
        region.addresses.start,
        region.addresses.end,
        letter(Protection::READ, 'r'),
        letter(Protection::WRITE, 'w'),
        letter(Protection::EXECUTE, 'x'),
        match region.sharing {
            Some(Sharing::Shared) => 's',
            _ => 'p',
        },
        region.offset,
        region.file.map_or(0, |file| file.inode),
    )
    .into_bytes();
    if !region.name.is_empty() {
        while line.len() < 73 {
            line.push(b' ');
        }
        for &byte in &region.name {
            match byte {
                b'\n' => line.extend_from_slice(b"\\012"),
                byte => line.push(byte),
            }
        }
    }
    line.push(b'\n');
    line
}

const LINES: &[u8] = b"\
55d0c0-55d0c1 r-xp 00002000 fd:01 1234567                    /bin/a program\n\
7f00-8f00 rw-s 00000000 00:05 7                              /dev/zero (deleted)\n\
8f00-9f00 ---p 00000000 00:00 0 \n\
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

#[test]
fn lines_of_the_kernel() {
    for most in [1, 2, 7, 4096] {
        let regions = parse(LINES, most).expect("regions");
        assert_eq!(regions.len(), 4);
        assert_eq!(regions[0].addresses, 0x55_d0c0..0x55_d0c1);
        assert_eq!(
            regions[0].protection,
            Protection::READ | Protection::EXECUTE
        );
        assert_eq!(regions[0].sharing, Some(Sharing::Private));
        assert_eq!(regions[0].offset, 0x2000);
        assert_eq!(regions[0].file, file(0xfd, 1, 1_234_567));
        assert_eq!(regions[0].name(), b"/bin/a program");
        assert_eq!(regions[0].path(), Some("/bin/a program".as_ref()));
        assert_eq!(regions[1].sharing, Some(Sharing::Shared));
        assert_eq!(regions[1].name(), b"/dev/zero (deleted)");
        assert_eq!(regions[2].protection, Protection::empty());
        assert_eq!((regions[2].file, regions[2].name()), (None, &b""[..]));
        assert_eq!(regions[3].addresses.end, 0xffff_ffff_ff60_1000);
        assert_eq!(
            (regions[3].name(), regions[3].path()),
            (&b"[vsyscall]"[..], None)
        );
    }
}

#[test]
fn newlines_in_names() {
    for (written, name) in [
        (&b"/a\\012b"[..], &b"/a\nb"[..]),
        (b"/a\\012", b"/a\n"),
        (b"/a\\\\012", b"/a\\\n"),
        (b"/a\\01", b"/a\\01"),
        (b"/a\\01\\012", b"/a\\01\n"),
        (b"/a\\0\\0123\\", b"/a\\0\n3\\"),
        (b"/\xff\x01 \t\r", b"/\xff\x01 \t\r"),
    ] {
        for most in 1..10 {
            let line = [b"1000-2000 r--p 00000000 00:01 2    ", written].concat();
            let ended = [&line[..], b"\n"].concat();
            for text in [line, ended] {
                assert_eq!(parse(&text, most).expect("a region")[0].name(), name);
            }
        }
    }
}

#[test]
fn long_names_pass_through() {
    let name = [std::vec![b'/'], std::vec![b'x'; 100_000]].concat();
    let text = [b"1000-2000 r--p 00000000 00:01 2    ", &name[..], b"\n"].concat();
    assert_eq!(parse(&text, 4096).expect("a region")[0].name, name);
}

#[test]
fn another_text_is_an_error() {
    for text in [
        &b"\n"[..],
        b"1000",
        b"1000-",
        b"1000-2000",
        b"2000-1000 r--p 00000000 00:01 2\n",
        b"1000-1000 r--p 00000000 00:01 2\n",
        b"-2000 r--p 00000000 00:01 2\n",
        b"1000-2000 r-p 00000000 00:01 2\n",
        b"1000-2000 r--q 00000000 00:01 2\n",
        b"1000-2000 wr-p 00000000 00:01 2\n",
        b"1000-2000 r--p 00000000 00-01 2\n",
        b"1000-2000 r--p 00000000 1ffffffff:01 2\n",
        b"1000-2000 r--p 00000000 00:01 \n",
        b"1000-2000 r--p 00000000 00:01 2a\n",
        b"1000-2000 r--p 00000000 00:01 99999999999999999999\n",
        b"10000000000000000-20000000000000000 r--p 00000000 00:01 2\n",
        b"Size: 4 kB\n",
    ] {
        assert_eq!(
            parse(text, 5),
            Err(libc::EBADMSG),
            "{}",
            text.escape_ascii()
        );
    }
    assert_eq!(parse(b"", 5), Ok(Vec::new()));
}

#[test]
fn smaps_without_all_keys() {
    let text = b"1000-2000 rw-p 00000000 00:00 0    [heap]\n\
        Rss:                   8 kB\nTotally: new\nno colon\n\
        KernelPageSize:        4 kB\nTHPeligible:           1\nProtectionKey:         3\n\
        VmFlags: rd wr zz \n\
        1800-3000 r--s 00000000 00:01 2    /a\n\
        2800-2900 r--s 00000000 00:01 2    /a\n\
        2800-3000 r--s 00000000 00:01 2    /a\n\
        3000-4000 r--p 00000000 00:00 0 \nRss:                   1 kB\n";
    let mut reader = Reader::new(Pieces { text, most: 3 });
    let mut next = || reader.next().expect("a region of smaps");
    let first = next().expect("the first");
    assert_eq!(
        (first.region.name(), first.usage.rss),
        (&b"[heap]"[..], 8192)
    );
    assert_eq!(
        (first.kernel_page_size, first.mmu_page_size),
        (Some(4096), None)
    );
    assert_eq!(
        (first.thp_eligible, first.protection_key),
        (Some(true), Some(3))
    );
    assert_eq!(first.flags.map(|flags| flags.bits()), Some(0b11));
    let second = next().expect("the second");
    assert_eq!(second.region.addresses, 0x2000..0x3000, "what is new");
    assert_eq!(second.region.offset, 0x800);
    assert_eq!((second.usage.rss, second.flags), (0, None));
    assert_eq!(next().expect("the last").region.addresses, 0x3000..0x4000);
    assert!(next().is_none() && next().is_none());
}

#[test]
fn each_flag_has_its_word() {
    let words = "rd wr ex sh mr mw me ms gd pf lo lf io sr rr dc de ac nr ht sf wf dd sd mm hg nh mg um uw \
                 ui sl ss dp bt mt gu";
    for (bit, word) in words.split(' ').enumerate() {
        let parsed = VmFlags::parse(word.as_bytes());
        assert_eq!(parsed.bits(), 1 << bit, "{word}");
    }
    assert_eq!(VmFlags::parse(words.as_bytes()), VmFlags::all());
}

#[test]
fn smaps_end_after_an_error() {
    let text = b"1000-2000 rw-p 00000000 00:00 0\nnonsense\n!\n\nzz\n2000-1000 rw-p";
    let mut reader = Reader::new(Pieces { text, most: 3 });
    assert!(reader.next().is_ok_and(|smap| smap.is_some()));
    assert_eq!(reader.next(), Err(libc::EBADMSG));
    assert_eq!(reader.next(), Ok(None));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (start, end) in (0..u64::MAX - 1).prop_flat_map(|start| (Just(start), start + 1..u64::MAX)),
        bits in 0..8u8,
        shared: bool,
        offset: u64,
        (major, minor, inode) in (0..0xfffu32, 0..0xf_ffffu32, any::<u64>()),
        name in "(/[^ \0]([^\0\\\\]{0,60})|\\[[a-z:]{1,20}\\])?",
        most in 1..200usize,
    ) {
        let mut protection = Protection::empty();
        protection.set(Protection::READ, bits & 1 != 0);
        protection.set(Protection::WRITE, bits & 2 != 0);
        protection.set(Protection::EXECUTE, bits & 4 != 0);
        let region = Region {
            addresses: start..end,
            protection,
            sharing: Some(if shared { Sharing::Shared } else { Sharing::Private }),
            offset,
            file: file(major, minor, inode),
            name: String::into_bytes(name),
        };
        let text = line(&region, major, minor).repeat(2);
        prop_assert_eq!(parse(&text, most), Ok(std::vec![region.clone(), region]));
    }

    #[test]
    fn garbage_is_no_panic(text: Vec<u8>, most in 1..50usize) {
        let _any = parse(&text, most);
        let mut reader = Reader::new(Pieces { text: &text, most });
        while let Ok(Some(_)) = reader.next() {}
    }

    #[test]
    fn text_with_damage_is_no_panic(
        damage in proptest::collection::vec((0..LINES.len(), any::<u8>()), 1..8),
        end in 0..LINES.len(),
        most in 1..50usize,
    ) {
        let mut text = LINES.to_vec();
        for (at, byte) in damage {
            text[at] = byte;
        }
        text.truncate(end);
        let regions = parse(&text, most).unwrap_or_default();
        prop_assert!(regions.iter().all(|region| region.addresses.start < region.addresses.end));
        let (mut reader, mut passed) = (Reader::new(Pieces { text: &text, most }), 0);
        while let Ok(Some(smap)) = reader.next() {
            prop_assert!(passed <= smap.region.addresses.start);
            passed = smap.region.addresses.end;
        }
    }
}
